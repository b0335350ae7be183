// Files of a release, one by one: the form of uploads that came before bundles, and that scripts still use.
#include "api/api0_upload.h"

#include "base/numfmt.h"
#include "net/multipart.h"

enum { HEADERS_MAX = 16 << 10, HEADER_LINES_MAX = 32 };

static void put_file(struct json_writer *w, const struct release_upload *u)
{
    json_put_object(w);
    api0_put_id(w, STR("id"), u->id);
    api0_put_text(w, STR("name"), u->name);
    api0_put_known(w, STR("dist"), u->dist);
    json_put_key(w, STR("headers"));
    json_put_raw(w, u->headers.len ? u->headers : STR("{}"));
    api0_put_int(w, STR("size"), u->size);
    api0_put_text(w, STR("sha1"), u->sha1);
    api0_put_time(w, STR("dateCreated"), u->created);
    json_put_object_end(w);
}

static int release_uploads(struct api_call *call, enum release_upload_kind kind, const struct release *x, str name,
                           struct release_upload **ret_list, size_t *ret_n, struct err *err)
{
    return releases_uploads(call->api->options.releases, x->project, kind, x->id, (str){ 0 }, name, &call->req->arena,
                            ret_list, ret_n, err);
}

int api0_uploads_drop(struct api_call *call, const struct release *x, struct err *err)
{
    static const enum release_upload_kind kinds[] = { RELEASE_UPLOAD_FILE, RELEASE_UPLOAD_BUNDLE };
    struct release_upload *list;
    size_t n;
    int rc = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0] && rc == 0; k++) {
        rc = release_uploads(call, kinds[k], x, (str){ 0 }, &list, &n, err);
        for (size_t i = 0; i < n && rc == 0; i++)
            rc = api0_upload_drop(call, &list[i], err);
    }
    return rc;
}

// Those of all the rows of a release, each name and dist once.
static bool files_of(struct api_call *call, const struct api0_release *release, struct release_upload **ret_list,
                     size_t *ret_n)
{
    struct release_upload *all = NULL, *list;
    struct err err;
    size_t total = 0, n;
    for (size_t i = 0; i < release->n; i++) {
        if (release_uploads(call, RELEASE_UPLOAD_FILE, &release->rows[i], (str){ 0 }, &list, &n, &err) < 0) {
            api0_reply_err(call->req, &err);
            return false;
        }
        struct release_upload *more = arena_alloc_array(&call->req->arena, total + n, sizeof *more);
        if (!more) {
            api0_error(call->req, 503, "out of memory");
            return false;
        }
        if (total)
            memcpy(more, all, total * sizeof *more);
        if (n)
            memcpy(more + total, list, n * sizeof *more);
        all = more;
        total += n;
    }
    *ret_list = all;
    *ret_n = total;
    return true;
}

void api0_files_list(struct api_call *call)
{
    struct meta_project *projects;
    struct api0_release release;
    struct release_upload *list;
    struct api0_page page;
    struct json_writer w;
    struct buf body;
    size_t n;
    if (!api0_page_read(call, 100, &page) || !api0_release_of(call, &projects, &n, &release) ||
        !files_of(call, &release, &list, &n))
        return;
    api0_begin(&w, &body);
    json_put_array(&w);
    for (size_t i = page.at; i < n && i < page.at + page.n; i++)
        put_file(&w, &list[i]);
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, n, &body);
}

// The file of the path's last segment. false: answered.
static bool file_of(struct api_call *call, struct release_upload *ret_file)
{
    struct meta_project *projects;
    struct api0_release release;
    struct release_upload *list;
    uint64_t id;
    size_t n;
    str last = call->params[str_starts(call->req->path, STR("/api/0/projects/")) ? 3 : 2];
    if (!api0_release_of(call, &projects, &n, &release) || !files_of(call, &release, &list, &n))
        return false;
    if (parse_u64(last, &id))
        for (size_t i = 0; i < n; i++)
            if ((uint64_t)list[i].id == id) {
                *ret_file = list[i];
                return true;
            }
    api0_error(call->req, 404, "The requested resource does not exist: the release has no such file");
    return false;
}

void api0_file_show(struct api_call *call)
{
    struct release_upload u;
    struct json_writer w;
    struct buf body;
    if (!file_of(call, &u))
        return;
    api0_begin(&w, &body);
    put_file(&w, &u);
    api_reply_json_take(call->req, 200, &body);
}

void api0_file_remove(struct api_call *call)
{
    struct release_upload u;
    struct err err;
    if (!file_of(call, &u))
        return;
    if (api0_upload_drop(call, &u, &err) < 0)
        api0_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

// What a form says of a file.
struct form {
    str name, dist, sourcemap;
    bytes content;
    bool has_content;
    struct buf headers; // a JSON object
};

// "Sourcemap: app.js.map" or the older X-SourceMap.
static bool is_sourcemap(str name) { return str_ieq(name, STR("sourcemap")) || str_ieq(name, STR("x-sourcemap")); }

static bool form_read(struct api_call *call, struct form *f)
{
    struct multipart m;
    struct multipart_part part;
    struct json_writer w;
    size_t lines = 0;
    buf_init(&f->headers, HEADERS_MAX);
    json_writer_init(&w, &f->headers);
    json_put_object(&w);
    int rc = multipart_begin(&m, http_request_header(call->req, STR("content-type")), call->req->body);
    while (rc == 0 && (rc = multipart_next(&m, &part)) == 1) {
        str text = str_of_bytes(part.content);
        rc = 0;
        if (str_eq(part.name, STR("file"))) {
            f->content = part.content;
            f->has_content = true;
            if (!f->name.len)
                f->name = part.filename;
        } else if (str_eq(part.name, STR("name"))) {
            f->name = text;
        } else if (str_eq(part.name, STR("dist"))) {
            f->dist = text;
        } else if (str_eq(part.name, STR("header")) && lines < HEADER_LINES_MAX) {
            ptrdiff_t colon = str_find_char(text, ':', 0);
            if (colon < 0)
                continue;
            str name = str_trim(str_slice(text, 0, (size_t)colon)),
                value = str_trim(str_slice(text, (size_t)colon + 1, text.len));
            api0_put_text(&w, name, value);
            if (is_sourcemap(name))
                f->sourcemap = value;
            lines++;
        }
    }
    json_put_object_end(&w);
    if (rc == 0 && f->has_content && f->name.len && f->name.len <= ARTIFACT_TEXT_MAX && !f->headers.error)
        return true;
    api0_error(call->req, 400, rc < 0 ? "The body is no form with a file" : "file and name are required");
    return false;
}

// For one project's release; one of the same name and dist goes.
static int put_one(struct api_call *call, const struct form *f, const struct release *x,
                   struct release_upload *ret_file, struct err *err)
{
    struct artifact ref = { .project = x->project,
                            .kind = ARTIFACT_RELEASE_FILE,
                            .name = f->name,
                            .type = api0_upload_type(call, x->id, f->dist) };
    struct release_upload *old, u = { .project = x->project,
                                      .kind = RELEASE_UPLOAD_FILE,
                                      .release = x->id,
                                      .name = f->name,
                                      .dist = f->dist,
                                      .headers = buf_view(&f->headers),
                                      .size = (int64_t)f->content.len };
    struct symbols_upload s = { .project = x->project, .release = x->version, .dist = f->dist };
    char *sha1 = arena_alloc(&call->req->arena, RELEASE_SHA1_HEX);
    size_t n = 0;
    if (!sha1 || !ref.type.ptr)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    api0_sha1_of(f->content, sha1);
    u.sha1 = str_of(sha1, RELEASE_SHA1_HEX);
    int rc = release_uploads(call, RELEASE_UPLOAD_FILE, x, f->name, &old, &n, err);
    for (size_t i = 0; i < n && rc == 0; i++)
        if (str_eq(old[i].dist, f->dist))
            rc = api0_upload_drop(call, &old[i], err);
    if (rc == 0)
        rc = api0_upload_store(call, NULL, f->content, &ref, &u, err);
    if (rc < 0)
        return rc;
    memcpy(s.digest, u.digest, ARTIFACT_DIGEST);
    rc = symbols_file_add(call->api->options.symbols, &s, f->name, f->sourcemap, f->content, err);
    if (rc < 0) {
        artifact_unref(call->api->options.artifacts, u.artifact, NULL);
        return rc;
    }
    rc = api0_upload_put(call, &u, err);
    if (rc == 0)
        *ret_file = u;
    return rc;
}

void api0_files_add(struct api_call *call)
{
    struct meta_project *projects;
    struct api0_release release;
    struct release_upload first = { 0 }, u;
    struct form f = { 0 };
    struct json_writer w;
    struct err err;
    struct buf body;
    size_t n;
    if (!api0_release_of(call, &projects, &n, &release))
        return;
    if (form_read(call, &f)) {
        int rc = 0;
        for (size_t i = 0; i < release.n && rc == 0; i++) {
            rc = put_one(call, &f, &release.rows[i], &u, &err);
            if (rc == 0 && i == 0)
                first = u;
        }
        if (rc < 0) {
            api0_reply_err(call->req, &err);
        } else {
            api0_begin(&w, &body);
            put_file(&w, &first);
            api_reply_json_take(call->req, 201, &body);
        }
    }
    buf_free(&f.headers);
}

// Everything of a release at once; the name of the release is a parameter.
void api0_files_clear(struct api_call *call)
{
    struct meta_project p;
    struct release x;
    struct err err;
    str version;
    if (!api0_param(call, STR("name"), &version) || !api0_project(call, call->params[1], &p))
        return;
    int rc = release_find(call->api->options.releases, (uint32_t)p.id, version, &call->req->arena, &x, &err);
    if (rc == 0)
        rc = api0_uploads_drop(call, &x, &err);
    if (rc < 0)
        api0_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}
