// Who owns a project's code: the rules as they are, and others in their place.
#include "api/api_internal.h"

#include "owners/rules.h"

struct texts {
    struct meta_owner_rules rules;
};

static int texts_member(void *ctx, str name, struct json_reader *r)
{
    struct texts *t = ctx;
    if (str_eq(name, STR("rules")))
        return json_text(r, &t->rules.rules);
    if (str_eq(name, STR("codeowners")))
        return json_text(r, &t->rules.codeowners);
    return str_eq(name, STR("auto_assign")) ? json_bool(r, &t->rules.auto_assign) : ERR_INVALID;
}

static void put_text(struct json_writer *w, str key, str text)
{
    json_put_key(w, key);
    json_put_str(w, text);
}

static void reply(struct api_call *call, int64_t project)
{
    struct meta_owner_rules rules;
    struct err err;
    struct buf body;
    struct json_writer w;
    if (meta_owner_rules_get(call->api->options.meta, project, &call->req->arena, &rules, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    put_text(&w, STR("rules"), rules.rules);
    put_text(&w, STR("codeowners"), rules.codeowners);
    json_put_key(&w, STR("auto_assign"));
    json_put_bool(&w, rules.auto_assign);
    api_put_optional_time(&w, STR("changed"), rules.changed_ns);
    if (rules.changed_by[0])
        put_text(&w, STR("changed_by"), str_z(rules.changed_by));
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

void api_owners(struct api_call *call)
{
    struct meta_project project;
    if (api_project_of_path(call, &project))
        reply(call, project.id);
}

// What the body leaves out is as it was.
void api_owners_set(struct api_call *call)
{
    struct meta *meta = call->api->options.meta;
    struct meta_project project;
    struct texts texts;
    struct owner_rules *parsed;
    struct err err = { 0 };
    char actor[META_NAME_MAX + 1];
    if (!api_project_of_path(call, &project))
        return;
    if (meta_owner_rules_get(meta, project.id, &call->req->arena, &texts.rules, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    if (!api_body_read(call, texts_member, &texts))
        return;
    if (owner_rules_parse(texts.rules.rules, texts.rules.codeowners, &parsed, &err) < 0) {
        api_reply_text_error(call->req, &err, err.place);
        return;
    }
    owner_rules_free(parsed);
    if (meta_owner_rules_set(meta, api_actor(call, actor), project.id, &texts.rules, &err) < 0)
        api_reply_err(call->req, &err);
    else
        reply(call, project.id);
}
