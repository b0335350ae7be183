// An HTTP/1 connection: requests out of what arrives, answers in the order of the requests.
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/net_internal.h"

enum { H1_COALESCE = 16 << 10, H1_CHUNK_MAX = 64 << 10 };

// --- in ---

// Nothing that still comes will be understood, or wanted: answer what is owed, then close, but read on
// for a moment, since a reset would take the answer away from the client.
static void h1_give_up_input(struct net_conn *c)
{
    c->phase = H1_CLOSED;
    c->reading = NULL;
    c->last = true;
    c->linger = true;
}

void h1_fail(struct net_conn *c, int status, const char *message)
{
    h1_give_up_input(c);
    NET_COUNT(io_counters(c->io)->requests_malformed, 1);
    struct http_request_internal *r = request_new(c);
    if (!r) {
        conn_kill(c);
        return;
    }
    r->pub.version = HTTP_1_1;
    r->keep_alive = false;
    conn_link_request(c, r);
    r->state = REQUEST_BODY;
    request_refuse(r, status, 0, message);
}

static const char *head_failure(struct net_conn *c, int status)
{
    switch (status) {
    case 414:
        io_hit(c->io, NET_HIT_target_bytes);
        return "the request's target is too long";
    case 417:
        return "the expectation cannot be met";
    case 431:
        io_hit(c->io, NET_HIT_headers);
        return "there are too many headers, or they are too long";
    case 501:
        return "the method or the transfer coding is not supported";
    case 505:
        return "this version of HTTP is not supported";
    default:
        return "the request is malformed";
    }
}

static int h1_parse(struct net_conn *c, bytes head, struct http_request_internal *r, struct http1_head *h)
{
    const struct net_limits *l = io_limits(c->io);
    struct http1_limits limits = { l->head_bytes, l->target_bytes, l->headers };
    char *copy = arena_alloc_bytes(&r->head, head.len);
    if (!copy)
        return 503;
    memcpy(copy, head.ptr, head.len);
    int status = http1_request_parse(copy, head.len, &limits, c->io->headers, h);
    if (status)
        return status;
    struct http_request *p = &r->pub;
    p->headers = arena_alloc_array(&r->head, h->headers_n ? h->headers_n : 1, sizeof *p->headers);
    if (!p->headers)
        return 503;
    memcpy(p->headers, h->headers, h->headers_n * sizeof *p->headers);
    p->headers_n = h->headers_n;
    p->version = h->minor ? HTTP_1_1 : HTTP_1_0;
    p->method = http_method_of(h->method);
    p->method_name = h->method;
    if (h->scheme.len)
        p->scheme = h->scheme;
    p->host = h->host;
    p->path = h->path;
    p->query = h->query;
    r->keep_alive = h->keep_alive;
    return 0;
}

// The request was refused while its body was still to come: read over the rest when it is short.
static void h1_skip_body(struct net_conn *c)
{
    c->reading = NULL;
    c->discarded = 0;
    if (c->phase == H1_BODY_FIXED && c->left > NET_DISCARD_MAX)
        h1_give_up_input(c);
}

static void h1_begin_body(struct net_conn *c, struct http_request_internal *r, const struct http1_head *h, bool more_in)
{
    c->phase = h->chunked ? H1_BODY_CHUNKED : h->content_length > 0 ? H1_BODY_FIXED : H1_HEAD;
    c->left = h->content_length;
    c->chunked = (struct http1_chunked){ 0 };
    r->body_expected = h->chunked ? -1 : h->content_length > 0 ? h->content_length : 0;
    r->body_ended = c->phase == H1_HEAD;
    request_route(r);
    if (r->state != REQUEST_BODY) {
        if (h->expect_continue && !r->body_ended)
            h1_give_up_input(c); // the client may send the body or not: nobody can tell where the next request begins
        else if (!r->body_ended)
            h1_skip_body(c);
        return;
    }
    if (r->body_ended) {
        request_body_done(r);
        return;
    }
    c->reading = r;
    if (h->expect_continue && !more_in) {
        r->continue_owed = true;
        conn_mark_dirty(c);
    }
}

// One head; false when there is none yet, or it must wait.
static bool h1_head(struct net_conn *c, bytes *in)
{
    const struct net_limits *limits = io_limits(c->io);
    if (c->requests_n >= limits->pipeline_depth || c->out.bytes > NET_CHAIN_HIGH) {
        if (c->requests_n >= limits->pipeline_depth)
            io_hit(c->io, NET_HIT_pipeline_depth);
        c->paused = true;
        return false;
    }
    size_t skip = http1_skip_empty_lines(*in);
    if (skip) {
        in->ptr += skip, in->len -= skip;
        c->scanned = 0;
    }
    if (in->len == 0)
        return false;
    if (c->scanned == 0)
        c->since_ns = loop_now_ns(c->io->loop);
    size_t end = http1_head_end(*in, &c->scanned);
    if (end > limits->head_bytes || (!end && in->len > limits->head_bytes)) {
        io_hit(c->io, NET_HIT_head_bytes);
        h1_fail(c, 431, "the request's head is too long");
        return true;
    }
    if (!end)
        return false;
    c->scanned = 0;
    struct http_request_internal *r = request_new(c);
    if (!r) {
        conn_kill(c);
        return false;
    }
    struct http1_head h = { 0 };
    int status = h1_parse(c, (bytes){ in->ptr, end }, r, &h);
    in->ptr += end, in->len -= end;
    if (status) {
        request_free(r);
        h1_fail(c, status, head_failure(c, status));
        return true;
    }
    conn_link_request(c, r);
    if (!r->keep_alive)
        c->last = true;
    h1_begin_body(c, r, &h, in->len > 0);
    if (c->last && c->phase == H1_HEAD)
        c->phase = H1_CLOSED;
    return true;
}

static void h1_body_done(struct net_conn *c)
{
    struct http_request_internal *r = c->reading;
    c->reading = NULL;
    c->phase = c->last ? H1_CLOSED : H1_HEAD;
    if (r)
        request_body_done(r);
}

// Takes bytes of a body, or throws them away.
static void h1_body_bytes(struct net_conn *c, bytes p)
{
    if (c->reading) {
        if (!request_body_copy(c->reading, p))
            h1_skip_body(c);
        return;
    }
    c->discarded += p.len;
    if (c->discarded > NET_DISCARD_MAX)
        h1_give_up_input(c);
}

static void h1_fixed(struct net_conn *c, bytes *in)
{
    size_t n = in->len < (uint64_t)c->left ? in->len : (size_t)c->left;
    bytes p = { in->ptr, n };
    in->ptr += n, in->len -= n;
    c->left -= (int64_t)n;
    h1_body_bytes(c, p);
    if (c->left == 0 && c->phase == H1_BODY_FIXED)
        h1_body_done(c);
}

static void h1_chunks(struct net_conn *c, bytes *in)
{
    bytes p;
    int rc = http1_chunked_next(&c->chunked, in, &p);
    if (rc == HTTP1_DATA) {
        h1_body_bytes(c, p);
    } else if (rc == HTTP1_END) {
        h1_body_done(c);
    } else if (rc < 0) {
        struct http_request_internal *r = c->reading;
        h1_give_up_input(c);
        if (r) {
            NET_COUNT(io_counters(c->io)->requests_malformed, 1);
            request_refuse(r, 400, 0, "the body's chunks are malformed");
        }
    }
}

void h1_input(struct net_conn *c, bytes *in)
{
    c->paused = false;
    while (in->len && !c->dead) {
        switch ((enum h1_phase)c->phase) {
        case H1_HEAD:
            if (!h1_head(c, in))
                return;
            break;
        case H1_BODY_FIXED:
            h1_fixed(c, in);
            break;
        case H1_BODY_CHUNKED:
            h1_chunks(c, in);
            break;
        case H1_UPGRADED:
            ws_input(c, in);
            if (c->paused)
                return;
            break;
        case H1_CLOSED:
            in->len = 0;
            break;
        }
    }
}

uint8_t *h1_body_room(struct net_conn *c, size_t *ret_n)
{
    if (c->phase != H1_BODY_FIXED || !c->reading)
        return NULL;
    uint8_t *room = request_body_room(c->reading, (size_t)c->left, ret_n);
    if (!room)
        h1_skip_body(c);
    return room;
}

void h1_body_arrived(struct net_conn *c, size_t n)
{
    request_body_arrived(c->reading, n);
    c->left -= (int64_t)n;
    if (c->left == 0)
        h1_body_done(c);
}

// --- out ---

static bool answer_has_body(const struct http_request_internal *r)
{
    return r->pub.method != HTTP_HEAD && r->status != 204 && r->status != 304;
}

static int h1_head_text(struct net_conn *c, struct http_request_internal *r, struct buf *b)
{
    bool keep = r->keep_alive && !(c->last && !r->next);
    bool unframed = r->streaming && r->pub.version == HTTP_1_0;
    if (unframed)
        keep = false;
    if (!keep)
        h1_give_up_input(c);
    buf_clear(b);
    int rc = http1_response_head(b, r->status, r->answer_headers, r->answer_headers_n);
    if (rc < 0)
        return rc;
    http1_header(b, STR("Date"), str_z(io_date(c->io)));
    if (r->streaming && !unframed && answer_has_body(r))
        buf_str(b, STR("Transfer-Encoding: chunked\r\n"));
    else if (!r->streaming && r->status != 204)
        buf_printf(b, "Content-Length: %zu\r\n", r->ready.bytes);
    if (!keep)
        buf_str(b, STR("Connection: close\r\n"));
    else if (r->pub.version == HTTP_1_0)
        buf_str(b, STR("Connection: keep-alive\r\n"));
    return buf_str(b, STR("\r\n"));
}

static void h1_send_head(struct net_conn *c, struct http_request_internal *r)
{
    if (r->ws) {
        ws_begin_on_loop(c, r);
        return;
    }
    struct buf b;
    buf_init(&b, NET_HEAD_ARENA);
    int rc = h1_head_text(c, r, &b);
    if (rc == ERR_INVALID && !r->streaming) { // a header that would break the framing: our own handler's fault
        r->status = 500;
        r->answer_headers_n = 0;
        chain_free(&r->ready);
        rc = h1_head_text(c, r, &b);
    }
    if (!answer_has_body(r)) {
        request_drained(r, r->ready.bytes);
        chain_free(&r->ready);
    }
    if (rc == 0 && !r->streaming && r->ready.bytes <= H1_COALESCE) {
        struct net_seg *seg;
        while ((seg = chain_take(&r->ready))) {
            rc = buf_append(&b, seg->ptr, seg->len);
            seg_free(seg);
        }
    }
    if (rc < 0) {
        buf_free(&b);
        conn_kill(c);
        return;
    }
    r->head_sent = true;
    conn_out(c, seg_take(b.ptr, b.len));
}

// Moves what is ready of a stream out, in chunks of its own.
static void h1_send_stream(struct net_conn *c, struct http_request_internal *r)
{
    bool chunked = r->pub.version != HTTP_1_0 && !r->ws, body = answer_has_body(r);
    while (r->ready.bytes && c->out.bytes < NET_CHAIN_HIGH && !c->dead) {
        size_t n = r->ready.bytes < H1_CHUNK_MAX ? r->ready.bytes : H1_CHUNK_MAX;
        uint8_t *text = body ? mem_alloc(n + HTTP1_CHUNK_HEAD + 2) : NULL;
        if (body && !text) {
            conn_kill(c);
            return;
        }
        size_t at = body && chunked ? http1_chunk_head((char *)text, n) : 0;
        for (size_t left = n; left;) {
            struct net_seg *seg = r->ready.first;
            size_t now = seg->len < left ? seg->len : left;
            if (body)
                memcpy(text + at, seg->ptr, now);
            at += now;
            left -= now;
            chain_advance(&r->ready, now);
        }
        if (body && chunked)
            memcpy(text + at, "\r\n", 2), at += 2;
        if (body)
            conn_out(c, seg_take(text, at));
        request_drained(r, n);
    }
}

// The rest of the first request's answer; true when it is complete.
static bool h1_send_body(struct net_conn *c, struct http_request_internal *r)
{
    if (!r->streaming) {
        chain_move(&c->out, &r->ready);
        return r->all_taken;
    }
    h1_send_stream(c, r);
    if (r->ws)
        ws_answers(c, r);
    if (c->dead || r->ready.bytes || !r->all_taken)
        return false;
    if (!r->ok) {
        c->closing = true; // without the last chunk: the client sees that it has not got all
        c->last = true;
        c->phase = H1_CLOSED;
        c->reading = NULL;
    } else if (r->pub.version != HTTP_1_0 && answer_has_body(r)) {
        conn_out(c, seg_borrow("0\r\n\r\n", 5));
    }
    return true;
}

void h1_answers(struct net_conn *c)
{
    struct http_request_internal *r;
    while (!c->dead && !c->closing && (r = c->requests)) {
        if (!request_take_answer(r)) {
            if (r->continue_owed) {
                r->continue_owed = false;
                conn_out(c, seg_borrow("HTTP/1.1 100 Continue\r\n\r\n", 25));
            }
            break;
        }
        if (!r->head_sent)
            h1_send_head(c, r);
        if (c->dead || !h1_send_body(c, r) || c->dead || r->state != REQUEST_DONE)
            break;
        must(r != c->reading);
        conn_unlink_request(r);
        request_free(r);
        c->since_ns = loop_now_ns(c->io->loop);
    }
    if (!c->dead && c->last && !c->requests && c->phase == H1_CLOSED)
        c->closing = true;
}
