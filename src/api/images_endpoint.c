// Snapshots of a project's images, as builds have uploaded them (api0_images.c): which there are, what is in one and how it
// differs from its base by the hashes of contents, and the images for people to look at.
#include "api/api0_upload.h"
#include "api/image_manifest.h"

enum { LISTED_MAX = 200 };

static int put_members(struct api_call *call, struct json_writer *w, const struct release_upload *u, struct err *err)
{
    const struct json_node *words;
    int rc = json_tree_read(u->headers, &call->req->arena, API0_JSON_DEPTH, &words, err);
    if (rc < 0)
        return rc;
    api0_put_int(w, STR("id"), u->id);
    api_put_text(w, STR("app"), u->name);
    json_put_key(w, STR("created"));
    api_put_time(w, u->created);
    api0_put_int(w, STR("count"), json_get_int(words, STR("images")));
    api0_put_int(w, STR("size"), u->size);
    json_put_key(w, STR("selective"));
    json_put_bool(w, json_is(json_get(words, STR("selective")), JSON_TRUE));
    api_put_origin(w, words);
    return 0;
}

static int put_snapshot(struct api_call *call, struct json_writer *w, const struct release_upload *u, struct err *err)
{
    json_put_object(w);
    int rc = put_members(call, w, u, err);
    json_put_object_end(w);
    return rc;
}

void api_images(struct api_call *call)
{
    struct meta_project project;
    struct release_upload *list;
    struct json_writer w;
    struct buf body;
    struct err err = { 0 };
    size_t n;
    if (!api_project_of_path(call, &project))
        return;
    int rc = api0_images_of(call, project.id, &list, &n, &err);
    if (rc < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    api0_put_int(&w, STR("total"), (int64_t)n);
    json_put_key(&w, STR("snapshots"));
    json_put_array(&w);
    for (size_t i = 0; i < n && i < LISTED_MAX && rc == 0; i++)
        rc = put_snapshot(call, &w, &list[i], &err);
    json_put_array_end(&w);
    json_put_object_end(&w);
    if (rc == 0) {
        api_reply_json_take(call->req, 200, &body);
        return;
    }
    buf_free(&body);
    api_reply_err(call->req, &err);
}

// That of the path among the project's. NULL: answered.
static const struct release_upload *snapshot_of_path(struct api_call *call, struct release_upload **ret_list,
                                                     size_t *ret_n)
{
    struct meta_project project;
    struct err err;
    int64_t id;
    if (!api_project_of_path(call, &project) || !api_path_id(call, 1, "no_snapshot", &id))
        return NULL;
    if (api0_images_of(call, project.id, ret_list, ret_n, &err) < 0) {
        api_reply_err(call->req, &err);
        return NULL;
    }
    for (size_t i = 0; i < *ret_n; i++)
        if ((*ret_list)[i].id == id)
            return &(*ret_list)[i];
    api_reply_error(call->req, 404, "no_snapshot", "there is no such snapshot of images (or it has expired)");
    return NULL;
}

static void put_image(struct json_writer *w, const struct image *one, const struct image *before, bool has_base)
{
    json_put_object(w);
    api_put_text(w, STR("name"), one->name);
    api_put_text(w, STR("hash"), one->hash);
    api_put_text(w, STR("title"), one->title);
    api_put_text(w, STR("group"), one->group);
    api_put_text(w, STR("type"), one->type);
    api0_put_int(w, STR("width"), one->width);
    api0_put_int(w, STR("height"), one->height);
    api0_put_int(w, STR("size"), one->size);
    if (has_base && !before) {
        api_put_text(w, STR("change"), STR("added"));
    } else if (before && !str_eq(before->hash, one->hash)) {
        api_put_text(w, STR("change"), STR("changed"));
        api_put_text(w, STR("base_hash"), before->hash);
    }
    json_put_object_end(w);
}

static void put_images(struct json_writer *w, const struct image_manifest *m, const struct image_manifest *base)
{
    json_put_key(w, STR("images"));
    json_put_array(w);
    for (size_t i = 0; i < m->n; i++)
        put_image(w, &m->images[i], base ? image_find(base, m->images[i].name) : NULL, base != NULL);
    json_put_array_end(w);
    json_put_key(w, STR("removed"));
    json_put_array(w);
    for (size_t i = 0; base && i < base->n; i++)
        if (image_is_gone(m, base->images[i].name))
            put_image(w, &base->images[i], NULL, false);
    json_put_array_end(w);
}

void api_images_show(struct api_call *call)
{
    struct release_upload *list;
    struct image_manifest m, other;
    struct json_writer w;
    struct buf body;
    struct err err = { 0 };
    size_t n;
    const struct release_upload *u = snapshot_of_path(call, &list, &n);
    if (!u)
        return;
    const struct release_upload *base = api0_images_base(call, list, n, u);
    int rc = api0_images_read(call, u, &m, &err);
    if (rc == 0 && base)
        rc = api0_images_read(call, base, &other, &err);
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    if (rc == 0)
        rc = put_members(call, &w, u, &err);
    if (rc == 0 && base) {
        json_put_key(&w, STR("base"));
        rc = put_snapshot(call, &w, base, &err);
    }
    if (rc == 0)
        put_images(&w, &m, base ? &other : NULL);
    json_put_object_end(&w);
    if (rc == 0) {
        api_reply_json_take(call->req, 200, &body);
        return;
    }
    buf_free(&body);
    api_reply_err(call->req, &err);
}

void api_images_remove(struct api_call *call)
{
    struct release_upload *list;
    struct err err;
    size_t n;
    const struct release_upload *u = snapshot_of_path(call, &list, &n);
    if (!u)
        return;
    if (api0_images_drop(call, u, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

void api_image(struct api_call *call)
{
    struct meta_project project;
    struct artifact image;
    struct err err;
    if (!api_project_of_path(call, &project))
        return;
    if (!image_hash_ok(call->params[1]))
        api_reply_error(call->req, 400, "bad_argument", "an image is named by its SHA-256, in lower-case hex");
    else if (api0_object_find(call, (uint32_t)project.id, call->params[1], &image, &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_artifact_send(call, &image, 0, image.size);
}
