// Builds of a project's applications, as builds have uploaded them (api0_build.c).
#include "api/api0_upload.h"

static int builds_of(struct api_call *call, int64_t project, struct release_upload **ret_list, size_t *ret_n,
                     struct err *err)
{
    return releases_uploads(call->api->options.releases, (uint32_t)project, RELEASE_UPLOAD_BUILD, 0, (str){ 0 },
                            (str){ 0 }, &call->req->arena, ret_list, ret_n, err);
}

static int put_build(struct api_call *call, struct json_writer *w, const struct release_upload *u)
{
    const struct json_node *told;
    struct err err;
    int rc = json_tree_read(u->headers, &call->req->arena, API0_JSON_DEPTH, &told, &err);
    if (rc < 0)
        return rc;
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, u->id);
    api_put_text(w, STR("name"), u->name);
    json_put_key(w, STR("size"));
    json_put_int(w, u->size);
    json_put_key(w, STR("created"));
    api_put_time(w, u->created);
    api_put_origin(w, told);
    api_put_text(w, STR("configuration"), json_get_text(told, STR("build_configuration")));
    api_put_text(w, STR("notes"), json_get_text(told, STR("release_notes")));
    api_put_text(w, STR("url"), api0_build_url(call, u));
    json_put_object_end(w);
    return 0;
}

void api_builds(struct api_call *call)
{
    struct meta_project project;
    struct release_upload *list;
    struct json_writer w;
    struct buf body;
    struct err err = { 0 };
    size_t n;
    if (!api_project_of_path(call, &project))
        return;
    if (builds_of(call, project.id, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("builds"));
    json_put_array(&w);
    int rc = 0;
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = put_build(call, &w, &list[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    if (rc == 0) {
        api_reply_json_take(call->req, 200, &body);
        return;
    }
    buf_free(&body);
    api_reply_error(call->req, 503, "memory", "the project's builds do not fit the memory of a request");
}

void api_builds_remove(struct api_call *call)
{
    struct meta_project project;
    struct release_upload *list;
    struct err err;
    int64_t id;
    size_t n;
    if (!api_project_of_path(call, &project) || !api_path_id(call, 1, "no_build", &id))
        return;
    int rc = builds_of(call, project.id, &list, &n, &err);
    for (size_t i = 0; i < n && rc == 0; i++)
        if (list[i].id == id) {
            rc = api0_upload_drop(call, &list[i], &err);
            if (rc == 0) {
                api_reply_nothing(call->req, 204);
                return;
            }
        }
    if (rc < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_error(call->req, 404, "no_build", "there is no such build");
}
