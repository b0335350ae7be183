// What came beside records: the list of an event's files, and one artifact's bytes. They are foreign: only ever downloaded,
// never shown by a browser as part of this site, but for images of snapshots, whose type is the one that their first bytes have.
#include "api/api_internal.h"

#include "api/image_manifest.h"
#include "artifacts/feedback.h"
#include "base/mem.h"
#include "events/events.h"

#include <stdio.h>

enum { WHOLE_MAX = 1 << 20, PIECE = 64 << 10, LIST_MAX = 1000 };

// Numbers of the projects that the caller may read. false: answered.
static bool projects_of(struct api_call *call, struct artifact_filter *f)
{
    struct query_request q;
    if (!api_query_begin(call, &q))
        return false;
    uint32_t *ids = arena_alloc_array(&call->req->arena, q.projects_n ? q.projects_n : 1, sizeof *ids);
    if (!ids) {
        api_reply_error(call->req, 503, "memory", "out of memory");
        return false;
    }
    for (uint32_t i = 0; i < q.projects_n; i++)
        ids[i] = q.projects[i].id; // ascending
    f->projects = ids;
    f->projects_n = q.projects_n;
    return true;
}

void api_put_artifact(struct json_writer *w, const struct artifact *a)
{
    char url[48];
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_int(w, a->id);
    api_put_text(w, STR("kind"), artifact_kind_name(a->kind));
    api_put_text(w, STR("name"), a->name);
    api_put_text(w, STR("type"), a->content_type);
    api_put_text(w, STR("attachment_type"), a->type);
    json_put_key(w, STR("size"));
    json_put_uint(w, a->size);
    api_put_text(w, STR("event"), a->event);
    api_put_text(w, STR("replay"), a->replay);
    api_put_text(w, STR("profile"), a->profile);
    api_put_text(w, STR("chunk"), a->chunk);
    if (a->kind == ARTIFACT_REPLAY || a->kind == ARTIFACT_REPLAY_EVENT) {
        json_put_key(w, STR("segment"));
        json_put_int(w, a->segment);
    }
    api_put_optional_time(w, STR("time"), a->time);
    json_put_key(w, STR("received"));
    api_put_time(w, a->received);
    snprintf(url, sizeof url, "/api/v1/artifacts/%lld", (long long)a->id);
    api_put_text(w, STR("url"), str_z(url));
    json_put_object_end(w);
}

int api_put_trace_artifacts(struct api_call *call, struct json_writer *w, const struct query_request *q,
                            const char *hex)
{
    struct artifact_filter f = { .trace = str_z(hex), .limit = LIST_MAX };
    struct artifact *list;
    struct err err;
    size_t n;
    uint32_t *ids = arena_alloc_array(&call->req->arena, q->projects_n ? q->projects_n : 1, sizeof *ids);
    if (!ids)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < q->projects_n; i++)
        ids[i] = q->projects[i].id;
    f.projects = ids;
    f.projects_n = q->projects_n;
    int r = artifact_list(call->api->options.artifacts, &f, &call->req->arena, &list, &n, &err);
    if (r < 0)
        return r;
    json_put_key(w, STR("artifacts"));
    json_put_array(w);
    for (size_t i = 0; i < n; i++)
        api_put_artifact(w, &list[i]);
    json_put_array_end(w);
    return 0;
}

void api_event_attachments(struct api_call *call)
{
    char id[33];
    struct artifact_filter f = { .kinds = artifact_kind_bit(ARTIFACT_ATTACHMENT) |
                                          artifact_kind_bit(ARTIFACT_MINIDUMP) |
                                          artifact_kind_bit(ARTIFACT_APPLE_CRASH_REPORT),
                                 .limit = LIST_MAX };
    struct artifact *list;
    struct err err;
    struct buf body;
    struct json_writer w;
    size_t n;
    if (!event_id_parse(call->params[0], id)) {
        api_reply_error(call->req, 400, "bad_argument", "an event id has 32 hex digits");
        return;
    }
    f.event = str_of(id, 32);
    if (!projects_of(call, &f))
        return;
    if (artifact_list(call->api->options.artifacts, &f, &call->req->arena, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("attachments"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        api_put_artifact(&w, &list[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

// A name that is safe in a header and on a disk; what is odd becomes '_'.
static void file_name(const struct artifact *a, char out[128])
{
    str name = a->name;
    size_t n = 0;
    for (size_t i = 0; i < name.len; i++)
        if (name.ptr[i] == '/' || name.ptr[i] == '\\')
            n = 0;
        else if (n < 120)
            out[n++] = (unsigned char)name.ptr[i] <= 0x20 || (unsigned char)name.ptr[i] >= 0x7f ||
                               strchr("\"*:<>?|;%", name.ptr[i])
                           ? '_'
                           : name.ptr[i];
    out[n] = 0;
    if (n == 0 || out[0] == '.')
        snprintf(out, 128, "%.*s-%lld", STR_ARG(artifact_kind_name(a->kind)), (long long)a->id);
}

// What stands before the bytes. Returns how many headers.
static size_t artifact_headers(struct http_header *h, const struct artifact *a, char disposition[160])
{
    char name[128];
    bool shown = a->kind == ARTIFACT_IMAGE && image_type_ok(a->content_type);
    size_t headers = api_headers(h, shown ? a->content_type : STR("application/octet-stream"));
    file_name(a, name);
    snprintf(disposition, 160, "%s; filename=\"%s\"", shown ? "inline" : "attachment", name);
    h[headers++] = (struct http_header){ STR("content-disposition"), str_z(disposition) };
    for (size_t i = 0; i < headers; i++)
        if (str_eq(h[i].name, STR("content-security-policy")))
            h[i].value = STR("sandbox; default-src 'none'");
        else if (shown && str_eq(h[i].name, STR("cache-control"))) // it is named by its hash
            h[i].value = STR("private, max-age=86400, immutable");
    h[headers++] = (struct http_header){ STR("cross-origin-resource-policy"), STR("same-origin") };
    return headers;
}

struct http_stream *api_artifact_begin(struct api_call *call, const struct artifact *a)
{
    struct http_header h[API_HEADERS_MAX + 4];
    char disposition[160];
    return http_stream_begin(call->req, 200, h, artifact_headers(h, a, disposition));
}

static void send_small(struct api_call *call, const struct artifact *a, uint64_t from, uint64_t n)
{
    struct http_header h[API_HEADERS_MAX + 4];
    struct buf whole;
    struct err err;
    char disposition[160];
    buf_init(&whole, WHOLE_MAX + 1);
    if (artifact_load(call->api->options.artifacts, a->digest, WHOLE_MAX, &whole, &err) < 0) {
        buf_free(&whole);
        api_reply_err(call->req, &err);
        return;
    }
    if (n < whole.len) {
        memmove(whole.ptr, whole.ptr + from, n);
        whole.len = n;
    }
    http_respond_take(call->req, 200, h, artifact_headers(h, a, disposition), &whole);
}

// All of it is read, since only the end tells whether it was what its digest says.
static int stream_stretch(struct artifact_reader *r, struct http_stream *s, uint8_t *piece, uint64_t from, uint64_t n)
{
    struct err err;
    size_t got = 1;
    int rc = 0;
    for (uint64_t at = 0; rc == 0 && got; at += got) {
        rc = artifact_reader_read(r, piece, PIECE, &got, &err);
        uint64_t first = at < from ? from - at : 0, last = from + n > at ? from + n - at : 0;
        if (last > got)
            last = got;
        if (rc == 0 && first < last)
            rc = http_stream_write_wait(s, bytes_of(piece + first, last - first));
    }
    return rc;
}

void api_artifact_send(struct api_call *call, const struct artifact *a, uint64_t from, uint64_t n)
{
    struct artifact_reader *r;
    struct err err;
    uint64_t size;
    if (a->size <= WHOLE_MAX) {
        send_small(call, a, from, n);
        return;
    }
    if (artifact_reader_open(call->api->options.artifacts, a->digest, &r, &size, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    uint8_t *piece = arena_alloc_bytes(&call->req->arena, PIECE);
    struct http_stream *s = piece ? api_artifact_begin(call, a) : NULL;
    int rc = s ? stream_stretch(r, s, piece, from, n) : 0;
    artifact_reader_close(r);
    if (!piece)
        api_reply_error(call->req, 503, "memory", "out of memory");
    else if (s)
        http_stream_end(s, rc == 0);
}

void api_artifact(struct api_call *call)
{
    struct artifact_filter f = { 0 };
    struct artifact a;
    struct err err;
    int64_t id;
    if (!api_path_id(call, 0, "no_artifact", &id) || !projects_of(call, &f))
        return;
    int r = artifact_find(call->api->options.artifacts, id, &call->req->arena, &a, &err);
    bool may = false;
    for (size_t i = 0; r == 0 && i < f.projects_n; i++)
        may |= f.projects[i] == a.project;
    if (r == 0 && a.project == 0) // of the workspace
        may = !call->caller.project;
    if (r == ERR_NOENT || (r == 0 && !may))
        api_reply_error(call->req, 404, "no_artifact", "there is no such artifact (or you may not see it)");
    else if (r < 0)
        api_reply_err(call->req, &err);
    else
        api_artifact_send(call, &a, 0, a.size);
}
