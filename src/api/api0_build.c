// Builds of applications (`sentry-cli build upload`): put together from chunks, kept, listed and given back. Clew looks at
// nothing in them but the name of the file that was packed.
#include "api/api0_upload.h"

#include "base/clock.h"
#include "base/numfmt.h"
#include "net/inflate.h"

#include <zstd.h>

enum { LOCAL_HEADER = 30, HEAD_MAX = 8 << 10, NAME_MAX_BYTES = 255, WORDS_MAX = 256 << 10, PIECE = 64 << 10 };

static bool installable(const struct api0_build *b)
{
    return b->how != API0_BUILD_ARCHIVE && (str_ends(b->name, STR(".apk")) || str_ends(b->name, STR(".ipa")));
}

static bool name_ok(str name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 0x7f)
            return false;
    return name.len > 0 && name.len <= NAME_MAX_BYTES;
}

// What stands in an archive without directories, stored as it is or packed with zstd (sentry-cli 2 and 3 do that), is its first
// file; any other archive is the build itself, by its directory's name.
static int head_read(bytes head, uint64_t total, struct arena *arena, struct api0_build *ret, struct err *err)
{
    const uint8_t *p = head.ptr;
    if (head.len < LOCAL_HEADER || memcmp(p, "PK\3\4", 4) != 0 || LOCAL_HEADER + (size_t)le16_get(p + 26) > head.len)
        return err_set(err, ERR_MALFORMED, "no_build", "it is no archive with a build");
    size_t name_n = le16_get(p + 26), extra_n = le16_get(p + 28);
    uint64_t from = LOCAL_HEADER + name_n + extra_n, packed = le32_get(p + 18), size = le32_get(p + 22);
    enum { STORED = 0, ZSTD = 93, SIZES_BEHIND = 8 };
    uint16_t method = le16_get(p + 8);
    str name = str_of((const char *)p + LOCAL_HEADER, name_n);
    ptrdiff_t slash = str_find_char(name, '/', 0);
    bool whole = slash >= 0 || (le16_get(p + 6) & SIZES_BEHIND) || from + packed > total ||
                 (method == STORED ? packed != size : method != ZSTD);
    name = slash < 0 ? name : str_slice(name, 0, (size_t)slash);
    if (!name_ok(name))
        return err_set(err, ERR_MALFORMED, "no_build", "the archive's first file has no name");
    *ret = (struct api0_build){ .packed = total, .size = total };
    if (!whole)
        *ret = (struct api0_build){
            .from = from, .packed = packed, .size = size, .how = method == ZSTD ? API0_BUILD_ZSTD : API0_BUILD_STORED
        };
    return arena_dup(arena, name, &ret->name) < 0 ? err_set(err, ERR_NOMEM, NULL, "out of memory") : 0;
}

int api0_build_read(struct artifacts *artifacts, const uint8_t digest[ARTIFACT_DIGEST], struct arena *arena,
                    struct api0_build *ret, struct err *err)
{
    struct artifact_reader *r;
    uint64_t total;
    size_t n = 0, got = 1;
    uint8_t *head = arena_alloc_bytes(arena, HEAD_MAX);
    if (!head)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    int rc = artifact_reader_open(artifacts, digest, &r, &total, err);
    if (rc < 0)
        return rc;
    while (rc == 0 && got && n < HEAD_MAX) {
        rc = artifact_reader_read(r, head + n, HEAD_MAX - n, &got, err);
        n += rc == 0 ? got : 0;
    }
    artifact_reader_close(r);
    return rc < 0 ? rc : head_read(bytes_of(head, n), total, arena, ret, err);
}

// ---- upload --------------------------------------------------------------------------------------------

static int words_of(struct api_call *call, const struct json_node *in, str *ret)
{
    struct json_writer w;
    struct buf body;
    buf_init(&body, WORDS_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    api0_upload_put_words(&w, in);
    json_put_object_end(&w);
    int rc = body.error ? body.error : arena_dup(&call->req->arena, buf_view(&body), ret);
    buf_free(&body);
    return rc;
}

static int keep(struct api_call *call, uint32_t project, const struct json_node *in, struct api0_assembly *a,
                struct release_upload *u, struct err *err)
{
    struct artifacts *artifacts = call->api->options.artifacts;
    struct artifact ref = { .project = project, .kind = ARTIFACT_BUILD, .name = a->checksum };
    struct api0_build build;
    *u = (struct release_upload){
        .project = project, .kind = RELEASE_UPLOAD_BUILD, .sha1 = a->checksum, .size = (int64_t)a->size
    };
    int rc = words_of(call, in, &u->headers);
    if (rc < 0)
        return err_set(err, rc, NULL, "out of memory");
    rc = api0_upload_store(call, a->writer, (bytes){ 0 }, &ref, u, err);
    a->writer = NULL;
    if (rc < 0)
        return rc;
    rc = api0_build_read(artifacts, u->digest, &call->req->arena, &build, err);
    if (rc < 0) {
        artifact_unref(artifacts, u->artifact, NULL);
        return rc;
    }
    u->name = build.name;
    return api0_upload_put(call, u, err);
}

static void reply_state(struct api_call *call, const struct meta_project *p, str state, const struct api0_assembly *a,
                        str detail)
{
    const struct http_request *req = call->req;
    struct json_writer w;
    struct buf body;
    api0_begin(&w, &body);
    api0_put_state(&w, state, a, detail);
    str url = { 0 };
    if (str_eq(state, STR("created")))
        url = arena_printf(&call->req->arena, "%.*s://%.*s/settings/projects/%s", STR_ARG(req->scheme),
                           STR_ARG(req->host), p->slug);
    api0_put_known(&w, STR("artifactUrl"), url);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

void api0_build_assemble(struct api_call *call)
{
    const struct json_node *in;
    struct meta_project p;
    struct release_upload *known, made;
    struct api0_assembly a;
    struct err err = { 0 };
    size_t n = 0;
    if (!api0_project(call, call->params[1], &p) || !api0_body(call, &in) ||
        !api0_assembly_read(call, json_get_text(in, STR("checksum")), in, &a))
        return;
    int rc = releases_uploads(call->api->options.releases, (uint32_t)p.id, RELEASE_UPLOAD_BUILD, 0, a.checksum,
                              (str){ 0 }, &call->req->arena, &known, &n, &err);
    if (rc == 0 && !n)
        rc = api0_assemble(call, false, &a, &err);
    if (rc == 0 && !n && !a.missing_n)
        rc = keep(call, (uint32_t)p.id, in, &a, &made, &err);
    if (rc == 0)
        reply_state(call, &p, !n && a.missing_n ? STR("not_found") : STR("created"), &a, (str){ 0 });
    else if (rc == ERR_MALFORMED || rc == ERR_LIMIT)
        reply_state(call, &p, STR("error"), &a, str_z(err.message));
    else
        api0_reply_err(call->req, &err);
    api0_assembly_free(&a);
}

// ---- back ----------------------------------------------------------------------------------------------

str api0_build_url(struct api_call *call, const struct release_upload *u)
{
    const struct http_request *req = call->req;
    return arena_printf(&call->req->arena, "%.*s://%.*s/api/0/organizations/clew/preprodartifacts/%lld/file/",
                        STR_ARG(req->scheme), STR_ARG(req->host), (long long)u->id);
}

// sentry-cli asks for the file without its token, and knows what it is from the URL's parameter.
#define TICKET_NS (600 * NS_PER_S)

static str ticket_of(struct api_call *call, int64_t build)
{
    return arena_printf(&call->req->arena, "build %lld", (long long)build);
}

static str install_url(struct api_call *call, const struct release_upload *u)
{
    str ticket = api0_ticket(call, ticket_of(call, u->id), TICKET_NS);
    return arena_printf(&call->req->arena, "%.*s%.*s/?response_format=%s", STR_ARG(api0_build_url(call, u)),
                        STR_ARG(ticket), str_ends(u->name, STR(".ipa")) ? "ipa" : "apk");
}

void api0_build_install(struct api_call *call)
{
    struct release_upload u;
    struct api0_build build;
    struct json_writer w;
    struct err err;
    struct buf body;
    if (!api0_upload_of(call, RELEASE_UPLOAD_BUILD, "build", &u))
        return;
    if (api0_build_read(call->api->options.artifacts, u.digest, &call->req->arena, &build, &err) < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    api0_begin(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("isInstallable"));
    json_put_bool(&w, installable(&build));
    api0_put_known(&w, STR("installUrl"), installable(&build) ? install_url(call, &u) : (str){ 0 });
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

struct unpacking {
    struct artifact_reader *r;
    ZSTD_DCtx *zstd;
    uint64_t skip, packed, left; // before it, of it, of what it becomes
    uint8_t *in, *out;
};

// More of what is packed; of what stands before it, nothing.
static int refill(struct unpacking *u, ZSTD_inBuffer *in, struct err *err)
{
    uint64_t *of = u->skip ? &u->skip : &u->packed;
    size_t got;
    int rc = artifact_reader_read(u->r, u->in, *of < PIECE ? (size_t)*of : PIECE, &got, err);
    if (rc < 0 || got == 0)
        return rc < 0 ? rc : ERR_MALFORMED;
    *in = (ZSTD_inBuffer){ u->in, u->skip ? 0 : got, 0 };
    *of -= got;
    return 0;
}

// The next bytes of the file; 0: its end.
static int unpack(struct unpacking *u, ZSTD_inBuffer *in, size_t *ret_n, struct err *err)
{
    ZSTD_outBuffer out = { u->out, u->left < PIECE ? (size_t)u->left : PIECE, 0 };
    while (u->left && out.pos == 0) {
        size_t before = in->pos;
        if (ZSTD_isError(ZSTD_decompressStream(u->zstd, &out, in)))
            return ERR_MALFORMED;
        if (out.pos == 0 && in->pos == before) {
            int rc = refill(u, in, err);
            if (rc < 0)
                return rc;
        }
    }
    u->left -= out.pos;
    *ret_n = out.pos;
    return 0;
}

static int stream_unpacked(struct unpacking *u, struct http_stream *s)
{
    ZSTD_inBuffer in = { u->in, 0, 0 };
    struct err err;
    size_t n = 1;
    int rc = 0;
    while (rc == 0 && n) {
        rc = unpack(u, &in, &n, &err);
        if (rc == 0 && n)
            rc = http_stream_write_wait(s, bytes_of(u->out, n));
    }
    return rc;
}

static void send_unpacked(struct api_call *call, const struct artifact *a, const struct api0_build *b)
{
    struct unpacking u = { .skip = b->from, .packed = b->packed, .left = b->size };
    struct http_stream *s = NULL;
    struct err err;
    uint64_t total;
    u.in = arena_alloc_bytes(&call->req->arena, PIECE);
    u.out = arena_alloc_bytes(&call->req->arena, PIECE);
    u.zstd = ZSTD_createDCtx();
    int rc = u.in && u.out && u.zstd ? 0 : err_set(&err, ERR_NOMEM, NULL, "out of memory");
    if (rc == 0)
        rc = artifact_reader_open(call->api->options.artifacts, a->digest, &u.r, &total, &err);
    if (rc < 0)
        api0_reply_err(call->req, &err);
    else if ((s = api_artifact_begin(call, a))) {
        ZSTD_DCtx_setParameter(u.zstd, ZSTD_d_windowLogMax, NET_ZSTD_WINDOW_LOG_MAX);
        rc = stream_unpacked(&u, s);
    }
    ZSTD_freeDCtx(u.zstd);
    if (u.r)
        artifact_reader_close(u.r);
    if (s)
        http_stream_end(s, rc == 0);
}

static void send_build(struct api_call *call, const struct release_upload *u)
{
    struct artifacts *artifacts = call->api->options.artifacts;
    struct api0_build build;
    struct artifact a;
    struct err err;
    int rc = artifact_find(artifacts, u->artifact, &call->req->arena, &a, &err);
    if (rc == 0)
        rc = api0_build_read(artifacts, u->digest, &call->req->arena, &build, &err);
    if (rc < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    a.name = build.name;
    if (build.how == API0_BUILD_ARCHIVE)
        a.name = arena_printf(&call->req->arena, "%.*s.zip", STR_ARG(build.name));
    if (build.how == API0_BUILD_ZSTD)
        send_unpacked(call, &a, &build);
    else
        api_artifact_send(call, &a, build.from, build.packed);
}

void api0_build_file(struct api_call *call)
{
    struct release_upload u;
    if (api0_upload_of(call, RELEASE_UPLOAD_BUILD, "build", &u))
        send_build(call, &u);
}

void api0_build_file_open(struct api_call *call)
{
    struct release_upload u;
    uint64_t id;
    if (!parse_u64(call->params[1], &id) || id > INT64_MAX ||
        !api0_ticket_ok(call, ticket_of(call, (int64_t)id), call->params[2]))
        api0_error(call->req, 403,
                   "This link has expired, or never was one: ask for the build's install-details again");
    else if (api0_upload_of(call, RELEASE_UPLOAD_BUILD, "build", &u))
        send_build(call, &u);
}
