// Where the files of a project's frames stand: its code mappings, which tools upload (api0_mapping.c) and people write.
#include "api/api_internal.h"

static void put_mapping(struct json_writer *w, const struct meta_mapping *k)
{
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, k->id);
    json_put_key(w, STR("stack_root"));
    json_put_str(w, k->stack_root);
    json_put_key(w, STR("source_root"));
    json_put_str(w, k->source_root);
    api_put_text(w, STR("repository"), k->repository);
    api_put_text(w, STR("branch"), k->branch);
    api_put_optional_time(w, STR("changed"), k->changed_ns);
    api_put_text(w, STR("changed_by"), k->changed_by);
    json_put_object_end(w);
}

void api_mappings(struct api_call *call)
{
    struct meta_project project;
    struct meta_mapping *list;
    struct json_writer w;
    struct buf body;
    struct err err;
    size_t n;
    if (!api_project_of_path(call, &project))
        return;
    if (meta_mapping_list(call->api->options.meta, project.id, &call->req->arena, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("mappings"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        put_mapping(&w, &list[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

// ---- one, by hand ----------------------------------------------------------------------------------------

static int mapping_member(void *ctx, str name, struct json_reader *r)
{
    struct meta_mapping *k = ctx;
    if (str_eq(name, STR("stack_root")))
        return json_text(r, &k->stack_root);
    if (str_eq(name, STR("source_root")))
        return json_text(r, &k->source_root);
    if (str_eq(name, STR("repository")))
        return json_text(r, &k->repository);
    return str_eq(name, STR("branch")) ? json_text(r, &k->branch) : ERR_INVALID;
}

static void reply_one(struct api_call *call, int status, int64_t project, int64_t id)
{
    struct meta_mapping *list;
    struct json_writer w;
    struct buf body;
    struct err err;
    size_t n, i = 0;
    if (meta_mapping_list(call->api->options.meta, project, &call->req->arena, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    while (i < n && list[i].id != id)
        i++;
    if (i == n) { // taken away meanwhile
        api_reply_error(call->req, 404, "no_mapping", "the code mapping was taken away meanwhile");
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    put_mapping(&w, &list[i]);
    api_reply_json_take(call->req, status, &body);
}

static void set_one(struct api_call *call, int status, const struct meta_project *project, int64_t id)
{
    struct meta_mapping k = { .id = 0 };
    struct err err = { 0 };
    char actor[META_NAME_MAX + 1];
    if (!api_body_read(call, mapping_member, &k))
        return;
    k.stack_root = str_trim(k.stack_root);
    k.source_root = str_trim(k.source_root);
    k.repository = str_trim(k.repository);
    k.branch = str_trim(k.branch);
    if (meta_mapping_set(call->api->options.meta, api_actor(call, actor), project->id, id, &k, &id, &err) < 0)
        api_reply_member(call->req, &err);
    else
        reply_one(call, status, project->id, id);
}

void api_mappings_add(struct api_call *call)
{
    struct meta_project project;
    if (api_project_of_path(call, &project))
        set_one(call, 201, &project, 0);
}

void api_mappings_change(struct api_call *call)
{
    struct meta_project project;
    int64_t id;
    if (api_project_of_path(call, &project) && api_path_id(call, 1, "no_mapping", &id))
        set_one(call, 200, &project, id);
}

void api_mappings_remove(struct api_call *call)
{
    struct meta_project project;
    struct err err;
    char actor[META_NAME_MAX + 1];
    int64_t id;
    if (!api_project_of_path(call, &project) || !api_path_id(call, 1, "no_mapping", &id))
        return;
    if (meta_mapping_remove(call->api->options.meta, api_actor(call, actor), project.id, id, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}
