// Projects and their public keys.
#include "api/api_internal.h"

#include "base/mem.h"

static void put_project(struct json_writer *w, struct api_call *call, const struct meta_project *p)
{
    char key[META_SECRET_MAX], actor[META_NAME_MAX + 1];
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, p->id);
    json_put_key(w, STR("slug"));
    json_put_str(w, str_z(p->slug));
    json_put_key(w, STR("created"));
    api_put_time(w, p->created_ns);
    if (meta_project_dsn_key(call->api->options.meta, api_actor(call, actor), p->id, key, NULL) == 0) {
        // The name that the caller knows us by is the one that works for him.
        str host = call->req->host, scheme = call->req->scheme;
        str dsn = arena_printf(&call->req->arena, "%.*s://%s@%.*s/%lld", STR_ARG(scheme), key, STR_ARG(host),
                               (long long)p->id);
        json_put_key(w, STR("dsn"));
        json_put_str(w, dsn);
    }
    json_put_object_end(w);
}

static void reply_project(struct api_call *call, int status, const struct meta_project *p)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, 1 << 16);
    json_writer_init(&w, &body);
    put_project(&w, call, p);
    api_reply_json_take(call->req, status, &body);
}

void api_projects_list(struct api_call *call)
{
    struct meta_project *list;
    struct err err;
    size_t n;
    if (meta_project_list(call->api->options.meta, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("projects"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        if (call->caller.project == 0 || call->caller.project == list[i].id)
            put_project(&w, call, &list[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    mem_free(list);
    api_reply_json_take(call->req, 200, &body);
}

static int project_member(void *ctx, str name, struct json_reader *r)
{
    return str_eq(name, STR("slug")) ? json_text(r, ctx) : ERR_INVALID;
}

void api_projects_add(struct api_call *call)
{
    struct meta_project p;
    struct err err;
    str slug = { 0 };
    char actor[META_NAME_MAX + 1];
    if (!api_whole_workspace(call) || !api_body_read(call, project_member, &slug))
        return;
    if (meta_project_add(call->api->options.meta, api_actor(call, actor), slug, &p, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    reply_project(call, 201, &p);
}

bool api_project_of_path(struct api_call *call, struct meta_project *ret_project)
{
    struct err err;
    if (meta_project_find(call->api->options.meta, call->params[0], ret_project, &err) < 0) {
        api_reply_err(call->req, &err);
        return false;
    }
    if (call->caller.project == 0 || call->caller.project == ret_project->id)
        return true;
    api_reply_error(call->req, 404, "no_project", "there is no such project");
    return false;
}

void api_projects_rename(struct api_call *call)
{
    struct meta_project p;
    struct err err;
    str slug = { 0 };
    char actor[META_NAME_MAX + 1];
    if (!api_whole_workspace(call) || !api_project_of_path(call, &p) || !api_body_read(call, project_member, &slug))
        return;
    if (meta_project_rename(call->api->options.meta, api_actor(call, actor), p.id, slug, &p, &err) < 0)
        api_reply_err(call->req, &err);
    else
        reply_project(call, 200, &p);
}

static void put_key(struct json_writer *w, const struct meta_key *k)
{
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, k->id);
    json_put_key(w, STR("key"));
    json_put_str(w, str_z(k->key));
    json_put_key(w, STR("created"));
    api_put_time(w, k->created_ns);
    json_put_object_end(w);
}

void api_keys_list(struct api_call *call)
{
    struct meta_project p;
    struct meta_key keys[META_KEYS_PER_PROJECT];
    struct err err;
    struct buf body;
    struct json_writer w;
    if (!api_project_of_path(call, &p))
        return;
    int n = meta_key_list(call->api->options.meta, p.id, keys, &err);
    if (n < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, 1 << 16);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("keys"));
    json_put_array(&w);
    for (int i = 0; i < n; i++)
        put_key(&w, &keys[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

void api_keys_add(struct api_call *call)
{
    struct meta_project p;
    struct meta_key key;
    struct err err;
    struct buf body;
    struct json_writer w;
    char actor[META_NAME_MAX + 1];
    if (!api_project_of_path(call, &p))
        return;
    if (meta_key_add(call->api->options.meta, api_actor(call, actor), p.id, &key, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, 4096);
    json_writer_init(&w, &body);
    put_key(&w, &key);
    api_reply_json_take(call->req, 201, &body);
}

void api_keys_remove(struct api_call *call)
{
    struct meta_project p;
    struct err err;
    char actor[META_NAME_MAX + 1];
    int64_t id;
    if (!api_project_of_path(call, &p) || !api_path_id(call, 1, "no_key", &id))
        return;
    if (meta_key_remove(call->api->options.meta, api_actor(call, actor), p.id, id, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}
