// Answering: what a handler says is kept in the request and the loop told. From any thread.
#include "base/base64.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/grpc.h"
#include "net/net_internal.h"

enum { COMPRESS_MIN = 1400, COMPRESS_MAX = 16 << 20, DETAILS_MAX = 4096, MESSAGE_MAX = 1024 };

static int copy_headers(struct http_request_internal *r, const struct http_header *h, size_t n, size_t room)
{
    struct http_header *copy = arena_alloc_array(&r->head, n + room, sizeof *copy);
    if (!copy)
        return ERR_NOMEM;
    for (size_t i = 0; i < n; i++)
        if (arena_dup(&r->head, h[i].name, &copy[i].name) < 0 || arena_dup(&r->head, h[i].value, &copy[i].value) < 0)
            return ERR_NOMEM;
    r->answer_headers = copy;
    r->answer_headers_n = n;
    return 0;
}

// The answer is set: nothing of the request may be touched after this.
static void finish(struct http_request_internal *r, struct net_seg *seg)
{
    pthread_mutex_lock(&r->lock);
    must(!r->answered && !r->ended);
    if (seg)
        chain_add(&r->pieces, seg);
    r->answered = r->ended = true;
    r->hook = NULL;
    bool post = request_post_locked(r);
    pthread_mutex_unlock(&r->lock);
    if (post)
        loop_post(r->io->loop, &r->message);
}

static bool compressible(const struct http_request_internal *r, const struct http_header *h, size_t n, bytes body)
{
    static const str types[] = { STR_INIT("application/json"), STR_INIT("application/x-ndjson"), STR_INIT("text/") };
    if (body.len < COMPRESS_MIN || body.len > COMPRESS_MAX || loop_current())
        return false; // never on a loop: others wait for it
    if (!http_header_has_word(r->pub.headers, r->pub.headers_n, STR("accept-encoding"), STR("gzip")) ||
        http_header_get(h, n, STR("content-encoding")).ptr)
        return false;
    str type = http_header_get(h, n, STR("content-type"));
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (str_starts(type, types[i]))
            return true;
    return false;
}

static struct net_seg *compress(bytes body)
{
    struct buf out;
    buf_init(&out, body.len - body.len / 8); // else it does not pay
    if (net_deflate_gzip(body, &out) < 0) {
        buf_free(&out);
        return NULL;
    }
    return seg_take(out.ptr, out.len);
}

static void answer_grpc_as_http(struct http_request_internal *r, int status, bytes body)
{
    str text = status >= 400 ? str_trim(str_of_bytes(body)) : (str){ 0 };
    if (text.len > MESSAGE_MAX || !http_value_ok(text))
        text = str_z(http_status_text(status));
    enum grpc_status code = grpc_status_of_http(status);
    if (code == GRPC_UNAVAILABLE)
        grpc_respond_retry(&r->pub, code, text, NET_RETRY_AFTER_S * 1000);
    else
        grpc_respond(&r->pub, code, text, (bytes){ 0 }, (bytes){ 0 });
}

// seg NULL with a body: no memory.
static void answer(struct http_request_internal *r, int status, const struct http_header *h, size_t n, bytes body,
                   struct net_seg *seg)
{
    static const struct http_header gzip[2] = { { STR_INIT("Content-Encoding"), STR_INIT("gzip") },
                                                { STR_INIT("Vary"), STR_INIT("Accept-Encoding") } };
    int rc = copy_headers(r, h, n, 2);
    struct net_seg *small = rc == 0 && seg && compressible(r, h, n, body) ? compress(body) : NULL;
    if (small) {
        seg_free(seg);
        seg = small;
        r->answer_headers[r->answer_headers_n++] = gzip[0];
        r->answer_headers[r->answer_headers_n++] = gzip[1];
    }
    r->status = status;
    if (rc < 0 || (body.len && !seg)) {
        seg_free(seg);
        seg = NULL;
        r->status = 503;
        r->answer_headers_n = 0;
    }
    finish(r, seg);
}

void http_respond(struct http_request *req, int status, const struct http_header *h, size_t n, bytes body)
{
    MAGIC_CHECK(req, HTTP_REQUEST_MAGIC);
    if (req->is_grpc)
        answer_grpc_as_http(request_of(req), status, body);
    else
        answer(request_of(req), status, h, n, body, body.len ? seg_copy(body.ptr, body.len) : NULL);
}

void http_respond_take(struct http_request *req, int status, const struct http_header *h, size_t n, struct buf *body)
{
    MAGIC_CHECK(req, HTTP_REQUEST_MAGIC);
    struct buf b = *body;
    *body = (struct buf){ .max = b.max };
    if (req->is_grpc) {
        answer_grpc_as_http(request_of(req), status, buf_bytes(&b));
        mem_free(b.ptr);
        return;
    }
    answer(request_of(req), status, h, n, buf_bytes(&b), seg_take(b.ptr, b.len));
}

void http_respond_static(struct http_request *req, int status, const struct http_header *h, size_t n, bytes body)
{
    MAGIC_CHECK(req, HTTP_REQUEST_MAGIC);
    if (req->is_grpc)
        answer_grpc_as_http(request_of(req), status, body);
    else
        answer(request_of(req), status, h, n, body, body.len ? seg_borrow(body.ptr, body.len) : NULL);
}

void http_respond_text(struct http_request *req, int status, str content_type, str body)
{
    struct http_header h = { STR("Content-Type"), content_type };
    http_respond(req, status, &h, 1, bytes_of_str(body));
}

// --- gRPC ---

static void grpc_trailers(struct http_request_internal *r, enum grpc_status status, str message, bytes details)
{
    struct buf encoded;
    r->grpc_answer = true;
    r->status = 200;
    r->grpc_status = (int)status;
    r->grpc_message = r->grpc_details = (str){ 0 };
    if (message.len > MESSAGE_MAX)
        message.len = MESSAGE_MAX;
    buf_init(&encoded, 3 * MESSAGE_MAX);
    grpc_message_encode(&encoded, message);
    if (!encoded.error)
        arena_dup(&r->head, buf_view(&encoded), &r->grpc_message); // without memory: the status alone
    buf_free(&encoded);
    if (details.len && details.len <= DETAILS_MAX) {
        size_t n = base64_encoded_len(details.len);
        char *text = arena_alloc_bytes(&r->head, n);
        if (text) {
            base64_encode(text, details.ptr, details.len);
            r->grpc_details = (str){ text, n };
        }
    }
}

void grpc_respond(struct http_request *req, enum grpc_status status, str message, bytes details, bytes body)
{
    MAGIC_CHECK(req, HTTP_REQUEST_MAGIC);
    must(req->is_grpc);
    struct http_request_internal *r = request_of(req);
    struct net_seg *seg = NULL;
    if (status == GRPC_OK) {
        uint8_t prefix[GRPC_PREFIX];
        grpc_prefix_put(prefix, false, (uint32_t)body.len);
        struct buf framed;
        buf_init(&framed, body.len + GRPC_PREFIX);
        buf_append(&framed, prefix, sizeof prefix);
        buf_append(&framed, body.ptr, body.len);
        seg = framed.error ? NULL : seg_take(framed.ptr, framed.len);
        if (framed.error)
            buf_free(&framed);
    }
    if (status == GRPC_OK && !seg)
        grpc_trailers(r, GRPC_UNAVAILABLE, STR("no memory for the answer"), (bytes){ 0 });
    else
        grpc_trailers(r, status, message, details);
    finish(r, seg);
}

void grpc_respond_retry(struct http_request *req, enum grpc_status status, str message, int retry_after_ms)
{
    struct buf details;
    buf_init(&details, DETAILS_MAX);
    grpc_status_build(&details, (int)status, message, retry_after_ms);
    grpc_respond(req, status, message, details.error ? (bytes){ 0 } : buf_bytes(&details), (bytes){ 0 });
    buf_free(&details);
}
