// Snapshots of images (`sentry-cli snapshots upload` and `download`): the images come as objects (api0_object.c), then a manifest
// says which of them are in a snapshot, and from then on they are kept with it. A snapshot is given back as a zip archive.
//
// It is an upload whose artifacts (its manifest, and a reference to each image) belong to a random id, so that all of them go at
// once and contents that other snapshots have too stay.
#include "api/api0_upload.h"
#include "api/image_manifest.h"
#include "api/zip_out.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/utf8.h"

#include <sodium.h>

enum { KEPT_DAYS = 90, DAY_S = 86400, ID_BYTES = 16, WORDS_MAX = 256 << 10 };
#define KEPT_NS ((int64_t)KEPT_DAYS * DAY_S * NS_PER_S)
#define TICKET_NS (3600 * NS_PER_S)
#define TOTAL_MAX 4000000000ULL // bytes of a snapshot's images: they fit a zip archive

void api0_images_options(struct api_call *call)
{
    const struct http_request *req = call->req;
    struct meta_project p;
    struct json_writer w;
    struct buf body;
    if (!api0_project(call, call->params[1], &p))
        return;
    str number = arena_printf(&call->req->arena, "%lld", (long long)p.id);
    const str scopes[][2] = { { STR("org"), STR("1") }, { STR("project"), number } };
    api0_begin(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("objectstore"));
    json_put_object(&w);
    api0_put_text(
        &w, STR("url"),
        arena_printf(&call->req->arena, "%.*s://%.*s/api/0/objectstore", STR_ARG(req->scheme), STR_ARG(req->host)));
    json_put_key(&w, STR("scopes"));
    json_put_array(&w);
    for (size_t i = 0; i < sizeof scopes / sizeof scopes[0]; i++) {
        json_put_array(&w);
        json_put_str(&w, scopes[i][0]);
        json_put_str(&w, scopes[i][1]);
        json_put_array_end(&w);
    }
    json_put_array_end(&w);
    api0_put_text(&w, STR("authToken"), api0_object_ticket(call, (uint32_t)p.id, TICKET_NS));
    api0_put_text(&w, STR("expirationPolicy"), arena_printf(&call->req->arena, "ttl:%d days", KEPT_DAYS));
    api0_put_text(&w, STR("usecase"), STR("preprod"));
    json_put_object_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

// ---- what there is -------------------------------------------------------------------------------------

static int newest_first(const void *a, const void *b)
{
    const struct release_upload *x = a, *y = b;
    return (x->id < y->id) - (x->id > y->id);
}

static int images_all(struct api_call *call, int64_t project, struct release_upload **ret_list, size_t *ret_n,
                      struct err *err)
{
    int rc = releases_uploads(call->api->options.releases, (uint32_t)project, RELEASE_UPLOAD_IMAGES, 0, (str){ 0 },
                              (str){ 0 }, &call->req->arena, ret_list, ret_n, err);
    if (rc == 0 && *ret_n)
        qsort(*ret_list, *ret_n, sizeof **ret_list, newest_first);
    return rc;
}

static bool is_kept(const struct release_upload *u) { return u->created + KEPT_NS > clock_unix_ns(); }

int api0_images_of(struct api_call *call, int64_t project, struct release_upload **ret_list, size_t *ret_n,
                   struct err *err)
{
    size_t n = 0;
    int rc = images_all(call, project, ret_list, ret_n, err);
    while (rc == 0 && n < *ret_n && is_kept(&(*ret_list)[n]))
        n++;
    if (rc == 0)
        *ret_n = n;
    return rc;
}

int api0_images_read(struct api_call *call, const struct release_upload *u, struct image_manifest *ret, struct err *err)
{
    const struct json_node *root;
    struct buf json;
    str text;
    buf_init(&json, IMAGE_MANIFEST_MAX + 1); // artifact_load() looks one byte further
    int rc = artifact_load(call->api->options.artifacts, u->digest, IMAGE_MANIFEST_MAX, &json, err);
    if (rc == 0 && arena_dup(&call->req->arena, buf_view(&json), &text) < 0)
        rc = err_set(err, ERR_NOMEM, NULL, "out of memory");
    buf_free(&json);
    if (rc == 0)
        rc = json_tree_read(text, &call->req->arena, API0_JSON_DEPTH, &root, err);
    return rc == 0 ? image_manifest_read(root, &call->req->arena, ret, err) : rc;
}

struct origin {
    str commit, base_commit, branch, base_branch;
    bool request; // it is a pull request's
    bool selective;
};

static struct origin origin_of(struct api_call *call, const struct release_upload *u)
{
    const struct json_node *words = NULL;
    struct err err;
    int64_t number;
    if (json_tree_read(u->headers, &call->req->arena, API0_JSON_DEPTH, &words, &err) < 0)
        return (struct origin){ 0 };
    return (struct origin){ .commit = json_get_text(words, STR("head_sha")),
                            .base_commit = json_get_text(words, STR("base_sha")),
                            .branch = json_get_text(words, STR("head_ref")),
                            .base_branch = json_get_text(words, STR("base_ref")),
                            .request = json_int_of(json_get(words, STR("pr_number")), &number),
                            .selective = json_is(json_get(words, STR("selective")), JSON_TRUE) };
}

const struct release_upload *api0_images_base(struct api_call *call, const struct release_upload *list, size_t n,
                                              const struct release_upload *u)
{
    struct origin own = origin_of(call, u);
    str branch = own.base_branch.len ? own.base_branch : own.branch;
    const struct release_upload *of_branch = NULL;
    for (size_t i = 0; i < n; i++) {
        if (list[i].id >= u->id || !str_eq(list[i].name, u->name))
            continue;
        struct origin other = origin_of(call, &list[i]);
        if (other.selective)
            continue;
        if (own.base_commit.len && str_eq(other.commit, own.base_commit))
            return &list[i];
        if (!of_branch && str_eq(other.branch, branch) && (!other.request || own.request == other.request))
            of_branch = &list[i];
    }
    return of_branch;
}

// Its row first: what a fault leaves of the artifacts then goes when its time is over.
int api0_images_drop(struct api_call *call, const struct release_upload *u, struct err *err)
{
    struct artifacts *artifacts = call->api->options.artifacts;
    struct artifact_filter f = { .projects = &u->project, .projects_n = 1, .event = u->sha1 };
    struct artifact *list;
    size_t n;
    int rc = releases_upload_remove(call->api->options.releases, u->id, err);
    if (rc == 0)
        rc = artifact_list(artifacts, &f, &call->req->arena, &list, &n, err);
    int64_t *ids = rc == 0 ? arena_alloc_array(&call->req->arena, n ? n : 1, sizeof *ids) : NULL;
    if (rc < 0)
        return rc;
    if (!ids)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    for (size_t i = 0; i < n; i++)
        ids[i] = list[i].id;
    return artifact_unref_all(artifacts, ids, n, err);
}

// ---- a further one -------------------------------------------------------------------------------------

// References to images that were of no snapshot until now.
struct loose {
    int64_t *ids;
    size_t n;
};

// Size and type of each image, as they are here, and a reference to each content for the snapshot. What it says of them itself
// is not believed.
static int images_find(struct api_call *call, uint32_t project, struct image_manifest *m, const struct artifact *of,
                       struct artifact *refs, struct loose *loose, uint64_t *ret_total, struct err *err)
{
    size_t missing = 0;
    uint64_t total = 0;
    str first = { 0 };
    for (size_t i = 0; i < m->n; i++) {
        struct artifact found;
        int rc = api0_object_find(call, project, m->images[i].hash, &found, err);
        if (rc == ERR_NOENT) {
            first = missing++ ? first : m->images[i].name;
            continue;
        }
        if (rc < 0)
            return rc;
        m->images[i].size = (int64_t)found.size;
        m->images[i].type = found.content_type;
        total += found.size;
        if (!found.event.len)
            loose->ids[loose->n++] = found.id;
        refs[i] = *of;
        refs[i].kind = ARTIFACT_IMAGE;
        refs[i].name = m->images[i].hash;
        refs[i].content_type = found.content_type;
        memcpy(refs[i].digest, found.digest, ARTIFACT_DIGEST);
    }
    if (missing)
        return err_set(err, ERR_INVALID, "no_image", "%zu of the images are not here, \"%.*s\" first: upload again",
                       missing, STR_ARG(utf8_cut(first, 100)));
    if (total > TOTAL_MAX)
        return err_set(err, ERR_LIMIT, "too_large", "the images are longer than %llu bytes together", TOTAL_MAX);
    *ret_total = total;
    return 0;
}

static int words_of(struct api_call *call, const struct json_node *in, const struct image_manifest *m, str *ret)
{
    struct json_writer w;
    struct buf body;
    buf_init(&body, WORDS_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    api0_upload_put_words(&w, in);
    json_put_key(&w, STR("selective"));
    json_put_bool(&w, m->selective);
    api0_put_int(&w, STR("images"), (int64_t)m->n);
    json_put_object_end(&w);
    int rc = body.error ? body.error : arena_dup(&call->req->arena, buf_view(&body), ret);
    buf_free(&body);
    return rc;
}

static int keep(struct api_call *call, uint32_t project, const struct json_node *in, struct image_manifest *m,
                struct release_upload *u, struct err *err)
{
    struct artifacts *artifacts = call->api->options.artifacts;
    struct artifact *refs = arena_alloc_array(&call->req->arena, m->n, sizeof *refs);
    struct loose loose = { .ids = arena_alloc_array(&call->req->arena, m->n, sizeof *loose.ids) };
    uint8_t random[ID_BYTES];
    char *id = arena_alloc_bytes(&call->req->arena, 2 * ID_BYTES + 1);
    struct json_writer w;
    struct buf json;
    uint64_t total = 0;
    if (!refs || !loose.ids || !id)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    randombytes_buf(random, sizeof random);
    hex_encode(id, random, sizeof random);
    struct artifact of = { .project = project,
                           .kind = ARTIFACT_IMAGE_SNAPSHOT,
                           .event = str_of(id, 2 * ID_BYTES),
                           .name = m->app,
                           .content_type = STR("application/json"),
                           .expires = clock_unix_ns() + KEPT_NS };
    *u = (struct release_upload){ .project = project, .kind = RELEASE_UPLOAD_IMAGES, .name = m->app, .sha1 = of.event };
    int rc = images_find(call, project, m, &of, refs, &loose, &total, err);
    if (rc < 0)
        return rc;
    u->size = (int64_t)total;
    buf_init(&json, IMAGE_MANIFEST_MAX);
    json_writer_init(&w, &json);
    image_manifest_put(&w, m);
    if (json.error || words_of(call, in, m, &u->headers) < 0)
        rc = err_set(err, ERR_NOMEM, NULL, "out of memory");
    else
        rc = api0_upload_store(call, NULL, buf_bytes(&json), &of, u, err);
    buf_free(&json);
    if (rc < 0)
        return rc;
    if ((rc = artifact_refer(artifacts, refs, m->n, err)) < 0) {
        artifact_unref(artifacts, u->artifact, NULL);
        return rc;
    }
    rc = api0_upload_put(call, u, err); // references without a row go when their time is over
    if (rc == 0)
        artifact_unref_all(artifacts, loose.ids, loose.n, NULL);
    return rc;
}

static int drop_expired(struct api_call *call, int64_t project, struct err *err)
{
    struct release_upload *list;
    size_t n;
    int rc = images_all(call, project, &list, &n, err);
    for (size_t i = n; rc == 0 && i-- > 0 && !is_kept(&list[i]);)
        rc = api0_images_drop(call, &list[i], err);
    return rc;
}

void api0_images_add(struct api_call *call)
{
    const struct http_request *req = call->req;
    const struct json_node *in;
    struct image_manifest m;
    struct meta_project p;
    struct release_upload made;
    struct json_writer w;
    struct buf body;
    struct err err = { 0 };
    if (!api0_project(call, call->params[1], &p) || !api0_body(call, &in))
        return;
    int rc = image_manifest_read(in, &call->req->arena, &m, &err);
    if (rc == 0)
        rc = drop_expired(call, p.id, &err);
    if (rc == 0)
        rc = keep(call, (uint32_t)p.id, in, &m, &made, &err);
    if (rc < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    api0_begin(&w, &body);
    json_put_object(&w);
    api0_put_id(&w, STR("artifactId"), made.id);
    api0_put_int(&w, STR("imageCount"), (int64_t)m.n);
    api0_put_text(&w, STR("snapshotUrl"),
                  arena_printf(&call->req->arena, "%.*s://%.*s/settings/projects/%s", STR_ARG(req->scheme),
                               STR_ARG(req->host), p.slug));
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

// ---- back ----------------------------------------------------------------------------------------------

// The newest of an application: of that branch, or, when none is named, of any but pull requests. Parts of a suite are no base.
static int latest(struct api_call *call, const struct meta_project *projects, size_t projects_n, str app, str branch,
                  struct release_upload *ret, struct err *err)
{
    struct release_upload *list;
    size_t n;
    int rc = 0;
    *ret = (struct release_upload){ 0 };
    for (size_t i = 0; i < projects_n && rc == 0; i++) {
        rc = api0_images_of(call, projects[i].id, &list, &n, err);
        for (size_t k = 0; rc == 0 && k < n && list[k].id > ret->id; k++) {
            struct origin o = origin_of(call, &list[k]);
            if (str_eq(list[k].name, app) && !o.selective && (branch.len ? str_eq(o.branch, branch) : !o.request))
                *ret = list[k];
        }
    }
    return rc == 0 && !ret->id ? ERR_NOENT : rc;
}

void api0_images_latest(struct api_call *call)
{
    struct meta_project *projects;
    struct release_upload u;
    const struct json_node *words;
    struct json_writer w;
    struct buf body;
    struct err err;
    str app, branch;
    size_t n;
    if (!api0_param(call, STR("app_id"), &app) || !api0_param(call, STR("branch"), &branch) ||
        !api0_projects(call, &projects, &n))
        return;
    int rc = latest(call, projects, n, app, branch, &u, &err);
    if (rc == ERR_NOENT) {
        api0_error(call->req, 404, "The requested resource does not exist: there is no snapshot of that app_id");
        return;
    }
    if (rc == 0)
        rc = json_tree_read(u.headers, &call->req->arena, API0_JSON_DEPTH, &words, &err);
    if (rc < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    api0_begin(&w, &body);
    json_put_object(&w);
    api0_put_id(&w, STR("head_artifact_id"), u.id);
    api0_put_int(&w, STR("image_count"), json_get_int(words, STR("images")));
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

static int send_images(struct api_call *call, const struct image_manifest *m, struct http_stream *s)
{
    struct zip_out z = { 0 };
    struct buf content, head;
    struct err err;
    int rc = 0;
    buf_init(&z.directory, (size_t)m->n * 2 * IMAGE_NAME_MAX);
    buf_init(&head, (size_t)m->n * 2 * IMAGE_NAME_MAX + IMAGE_NAME_MAX);
    buf_init(&content, API0_OBJECT_MAX + 1); // artifact_load() looks one byte further
    for (size_t i = 0; i < m->n && rc == 0; i++) {
        uint8_t digest[ARTIFACT_DIGEST];
        buf_clear(&content);
        buf_clear(&head);
        rc = hex_decode(digest, m->images[i].hash) ? 0 : ERR_CORRUPT;
        if (rc == 0)
            rc = artifact_load(call->api->options.artifacts, digest, API0_OBJECT_MAX, &content, &err);
        if (rc < 0)
            break;
        zip_out_file(&z, m->images[i].name, buf_bytes(&content), &head);
        rc = head.error ? head.error : http_stream_write_wait(s, buf_bytes(&head));
        for (size_t at = 0; at < content.len && rc == 0;) {
            enum { PIECE = 256 << 10 };
            size_t n = content.len - at < PIECE ? content.len - at : PIECE;
            rc = http_stream_write_wait(s, bytes_of(content.ptr + at, n));
            at += n;
        }
    }
    buf_clear(&head);
    if (rc == 0) {
        zip_out_end(&z, &head);
        rc = head.error || z.directory.error ? ERR_NOMEM : http_stream_write_wait(s, buf_bytes(&head));
    }
    buf_free(&z.directory);
    buf_free(&content);
    buf_free(&head);
    return rc;
}

static bool is_kept_of_path(struct api_call *call, struct release_upload *ret)
{
    if (!api0_upload_of(call, RELEASE_UPLOAD_IMAGES, "snapshot", ret))
        return false;
    if (!is_kept(ret))
        api0_error(call->req, 404, "The requested resource does not exist: the snapshot has expired");
    return is_kept(ret);
}

// Sentry makes an archive first and is asked whether it is ready; ours is made as it is sent.
void api0_images_archive(struct api_call *call)
{
    struct http_header h[API_HEADERS_MAX + 1];
    struct release_upload u;
    struct image_manifest m;
    struct json_writer w;
    struct buf body;
    struct err err;
    str value;
    if (!is_kept_of_path(call, &u))
        return;
    if (http_query_get(&call->req->arena, call->req->query, STR("download"), &value) < 0) {
        api0_begin(&w, &body);
        json_put_object(&w);
        json_put_key(&w, STR("ready"));
        json_put_bool(&w, true);
        json_put_object_end(&w);
        api_reply_json_take(call->req, 200, &body);
        return;
    }
    if (api0_images_read(call, &u, &m, &err) < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    size_t n = api_headers(h, STR("application/zip"));
    h[n++] = (struct http_header){ STR("content-disposition"), STR("attachment; filename=\"snapshot.zip\"") };
    struct http_stream *s = http_stream_begin(call->req, 200, h, n);
    if (s)
        http_stream_end(s, send_images(call, &m, s) == 0);
}
