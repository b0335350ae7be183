// An HTTP/2 connection over nghttp2's session: streams become requests, answers become frames
// (h2_answer.c). Windows are large, so that one connection of a Collector runs at the line's rate; what
// bounds memory is the server's limit on bodies in flight. Floods of pings, settings, resets and
// continuations are ended by nghttp2's own limits, set here.
#include "net/h2_internal.h"

#include "base/err.h"
#include "base/mem.h"

enum {
    H2_STREAM_WINDOW = 4 << 20,
    H2_CONNECTION_WINDOW = 16 << 20,
    H2_FRAME_MAX = 64 << 10,
    H2_RESET_BURST = 500, // streams that a client may reset at once, and then a second
    H2_RESET_RATE = 50,
    H2_SETTINGS_MAX = 32,
    H2_ACKS_MAX = 100, // acknowledgements that wait for a client that does not read
    H2_SEND_PIECE = 32 << 10,
};

static struct http_request_internal *stream_request(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

// --- a request's head ---

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct net_conn *c = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct http_request_internal *r = request_new(c);
    if (!r)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    r->pub.version = HTTP_2;
    r->stream_id = frame->hd.stream_id;
    r->state = REQUEST_HEAD;
    nghttp2_session_set_stream_user_data(session, r->stream_id, r);
    conn_link_request(c, r);
    return 0;
}

static int add_header(struct http_request_internal *r, str name, str value)
{
    struct http_request *p = &r->pub;
    if (p->headers_n == r->headers_cap) {
        size_t cap = r->headers_cap ? r->headers_cap * 2 : 16;
        struct http_header *more = arena_alloc_array(&r->head, cap, sizeof *more);
        if (!more)
            return ERR_NOMEM;
        if (p->headers_n)
            memcpy(more, p->headers, p->headers_n * sizeof *more);
        p->headers = more;
        r->headers_cap = cap;
    }
    p->headers[p->headers_n++] = (struct http_header){ name, value };
    return 0;
}

static int pseudo_header(struct http_request_internal *r, str name, str value)
{
    struct http_request *p = &r->pub;
    if (str_eq(name, STR(":method")))
        p->method_name = value;
    else if (str_eq(name, STR(":path")))
        p->path = value;
    else if (str_eq(name, STR(":authority")))
        p->host = value;
    return 0; // the scheme is what the connection is
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_n,
                     const uint8_t *value, size_t value_n, uint8_t flags, void *user)
{
    struct net_conn *c = user;
    struct http_request_internal *r = stream_request(session, frame->hd.stream_id);
    const struct net_limits *limits = io_limits(c->io);
    if (!r || r->state != REQUEST_HEAD || r->head_refused) // trailers say nothing to us
        return 0;
    r->head_n += name_n + value_n + 32; // as SETTINGS_MAX_HEADER_LIST_SIZE counts
    if (r->head_n > limits->head_bytes || r->pub.headers_n >= limits->headers) {
        io_hit(c->io, r->head_n > limits->head_bytes ? NET_HIT_head_bytes : NET_HIT_headers);
        r->head_refused = 431;
        return 0;
    }
    str n, v;
    int rc = arena_dup(&r->head, str_of(name, name_n), &n);
    if (rc == 0)
        rc = arena_dup(&r->head, str_of(value, value_n), &v);
    if (rc == 0)
        rc = name_n && name[0] == ':' ? pseudo_header(r, n, v) : add_header(r, n, v);
    if (rc < 0)
        r->head_refused = 503;
    return 0;
}

static bool split_path(struct http_request *p)
{
    if (p->path.len == 0 || (p->path.ptr[0] != '/' && !str_eq(p->path, STR("*"))))
        return false;
    for (size_t i = 0; i < p->path.len; i++)
        if ((unsigned char)p->path.ptr[i] <= 0x20 || (unsigned char)p->path.ptr[i] >= 0x7f || p->path.ptr[i] == '#')
            return false;
    ptrdiff_t mark = str_find_char(p->path, '?', 0);
    p->query = mark < 0 ? (str){ p->path.ptr + p->path.len, 0 } : str_slice(p->path, (size_t)mark + 1, p->path.len);
    p->path = mark < 0 ? p->path : str_slice(p->path, 0, (size_t)mark);
    return true;
}

// HTTP/2 may split Cookie into several fields (RFC 9113 8.2.3): put it together again.
static int join_cookies(struct http_request_internal *r)
{
    struct http_request *p = &r->pub;
    str name = STR("cookie"), all = { 0 };
    if (http_header_count(p->headers, p->headers_n, name) < 2)
        return 0;
    size_t kept = 0, first = 0;
    for (size_t i = 0; i < p->headers_n; i++) {
        if (!str_eq(p->headers[i].name, name)) {
            p->headers[kept++] = p->headers[i];
            continue;
        }
        if (!all.ptr) {
            all = p->headers[i].value;
            first = kept;
            p->headers[kept++] = p->headers[i];
        } else {
            all = arena_printf(&r->head, "%.*s; %.*s", STR_ARG(all), STR_ARG(p->headers[i].value));
            if (!all.ptr)
                return ERR_NOMEM;
        }
    }
    p->headers_n = kept;
    p->headers[first].value = all;
    return 0;
}

// 0 or the status to refuse with.
static int check_head(struct net_conn *c, struct http_request_internal *r)
{
    struct http_request *p = &r->pub;
    if (r->head_refused)
        return r->head_refused;
    if (p->path.len > io_limits(c->io)->target_bytes) {
        io_hit(c->io, NET_HIT_target_bytes);
        return 414;
    }
    if (str_eq(p->method_name, STR("CONNECT")))
        return 501;
    if (!http_token_ok(p->method_name) || !split_path(p))
        return 400;
    str host = http_request_header(p, STR("host"));
    if (!p->host.ptr)
        p->host = host;
    else if (host.ptr && !str_ieq(host, p->host)) // two names for whom it is: refuse, as for two Hosts
        return 400;
    if (p->host.len == 0 || !http_host_ok(p->host))
        return 400;
    for (size_t i = 0; i < p->host.len; i++)
        if (p->host.ptr[i] >= 'A' && p->host.ptr[i] <= 'Z')
            ((char *)p->host.ptr)[i] |= 0x20; // our own copy
    p->method = http_method_of(p->method_name);
    return join_cookies(r) < 0 ? 503 : 0;
}

static int64_t declared_length(const struct http_request *p)
{
    str s = http_request_header(p, STR("content-length"));
    if (!s.ptr || s.len == 0 || s.len > 18)
        return -1;
    int64_t n = 0;
    for (size_t i = 0; i < s.len; i++) // nghttp2 has checked that it is a number
        n = n * 10 + (s.ptr[i] - '0');
    return n;
}

static void head_complete(struct net_conn *c, struct http_request_internal *r, bool ended)
{
    int status = check_head(c, r);
    r->body_ended = ended;
    if (status) {
        NET_COUNT(io_counters(c->io)->requests_malformed, 1);
        request_refuse(r, status, status == 503 ? NET_RETRY_AFTER_S : 0, "the request's head is malformed or too long");
        return;
    }
    r->body_expected = ended ? 0 : declared_length(&r->pub);
    request_route(r);
    if (ended && r->state == REQUEST_BODY)
        request_body_done(r);
}

// --- its body ---

// The length prefix of a gRPC message says how long the body will be.
static void expect_grpc(struct http_request_internal *r, const uint8_t *p, size_t n)
{
    if (r->body_n || r->body_expected >= 0 || !r->pub.is_grpc || n < 5)
        return;
    int64_t len = 5 + ((int64_t)p[1] << 24 | (int64_t)p[2] << 16 | (int64_t)p[3] << 8 | p[4]);
    if (len <= (int64_t)r->route.body_max)
        r->body_expected = len;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *user)
{
    struct http_request_internal *r = stream_request(session, id);
    if (!r || r->state != REQUEST_BODY)
        return 0; // refused: thrown away
    expect_grpc(r, p, n);
    request_body_copy(r, bytes_of(p, n));
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct net_conn *c = user;
    struct http_request_internal *r = frame->hd.stream_id ? stream_request(session, frame->hd.stream_id) : NULL;
    if (!r || (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
        return 0;
    bool ended = frame->hd.flags & NGHTTP2_FLAG_END_STREAM;
    if (r->state == REQUEST_HEAD)
        head_complete(c, r, ended);
    else if (ended && r->state == REQUEST_BODY)
        request_body_done(r);
    return 0;
}

// --- its end ---

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    struct net_conn *c = user;
    struct http_request_internal *r = stream_request(session, id);
    if (!r)
        return 0;
    nghttp2_session_set_stream_user_data(session, id, NULL);
    request_detach(r);
    c->since_ns = loop_now_ns(c->io->loop);
    return 0;
}

// Answered before the body was complete: have the client stop sending it.
static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    int32_t id = frame->hd.stream_id;
    if (id && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) &&
        (frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        nghttp2_session_get_stream_remote_close(session, id) == 0)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code, void *user)
{
    struct net_conn *c = user;
    if (code == NGHTTP2_ERR_REFUSED_STREAM)
        io_hit(c->io, NET_HIT_streams);
    return 0;
}

void h2_deadline(struct http_request_internal *r)
{
    struct net_conn *c = r->conn;
    h2_submit_deadline(c, r->stream_id);
    nghttp2_session_set_stream_user_data(c->h2->session, r->stream_id, NULL);
    request_detach(r);
    conn_mark_dirty(c);
}

void h2_reset(struct http_request_internal *r)
{
    struct net_conn *c = r->conn;
    nghttp2_submit_rst_stream(c->h2->session, NGHTTP2_FLAG_NONE, r->stream_id, NGHTTP2_CANCEL);
    nghttp2_session_set_stream_user_data(c->h2->session, r->stream_id, NULL);
    request_detach(r);
    conn_mark_dirty(c);
}

// --- the session ---

static void *h2_malloc(size_t n, void *user) { return mem_alloc(n); }
static void h2_mem_free(void *p, void *user) { mem_free(p); }
static void *h2_calloc(size_t n, size_t size, void *user) { return mem_calloc(n, size); }
static void *h2_realloc(void *p, size_t n, void *user) { return mem_realloc(p, n); }

static int session_new(struct net_conn *c, nghttp2_session **ret)
{
    nghttp2_mem mem = { NULL, h2_malloc, h2_mem_free, h2_calloc, h2_realloc };
    nghttp2_session_callbacks *cb = NULL;
    nghttp2_option *option = NULL;
    int rc = ERR_NOMEM;
    if (nghttp2_session_callbacks_new(&cb) || nghttp2_option_new(&option))
        goto done;
    nghttp2_session_callbacks_set_on_begin_headers_callback(cb, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(cb, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(cb, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(cb, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(cb, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(cb, on_frame_sent);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(cb, on_invalid_frame);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_max_settings(option, H2_SETTINGS_MAX);
    nghttp2_option_set_max_outbound_ack(option, H2_ACKS_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, H2_RESET_BURST, H2_RESET_RATE);
    if (nghttp2_session_server_new3(ret, cb, c, option, &mem) == 0)
        rc = 0;
done:
    nghttp2_session_callbacks_del(cb);
    nghttp2_option_del(option);
    return rc;
}

int h2_begin(struct net_conn *c)
{
    const struct net_limits *limits = io_limits(c->io);
    struct h2 *h2 = mem_zalloc(sizeof *h2);
    if (!h2 || session_new(c, &h2->session) < 0) {
        mem_free(h2);
        return ERR_NOMEM;
    }
    c->h2 = h2;
    nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)limits->streams },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, H2_STREAM_WINDOW },
        { NGHTTP2_SETTINGS_MAX_FRAME_SIZE, H2_FRAME_MAX },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->head_bytes },
    };
    if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof *settings) ||
        nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0, H2_CONNECTION_WINDOW))
        return ERR_NOMEM; // freed with the connection
    NET_COUNT(io_counters(c->io)->h2_connections_total, 1);
    return 0;
}

void h2_free(struct net_conn *c)
{
    if (!c->h2)
        return;
    nghttp2_session_del(c->h2->session);
    mem_free(c->h2);
    c->h2 = NULL;
}

void h2_input(struct net_conn *c, bytes in)
{
    ssize_t used = nghttp2_session_mem_recv(c->h2->session, in.ptr, in.len);
    if (used < 0)
        conn_kill(c); // flooded, no memory, or no HTTP/2 at all
    else
        conn_mark_dirty(c);
}

void h2_stop(struct net_conn *c)
{
    nghttp2_session *s = c->h2->session;
    c->h2->stopping = true;
    nghttp2_submit_goaway(s, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(s), NGHTTP2_NO_ERROR, NULL, 0);
}

void h2_answers(struct net_conn *c)
{
    nghttp2_session *s = c->h2->session;
    while (!c->dead && c->out.bytes <= NET_CHAIN_HIGH) {
        struct buf b;
        buf_init(&b, H2_SEND_PIECE + H2_FRAME_MAX + 64);
        ssize_t n = 0;
        const uint8_t *p;
        while (b.len < H2_SEND_PIECE && (n = nghttp2_session_mem_send(s, &p)) > 0)
            buf_append(&b, p, (size_t)n);
        if (n < 0 || b.error) {
            buf_free(&b);
            conn_kill(c);
            return;
        }
        if (b.len == 0) {
            buf_free(&b);
            break;
        }
        conn_out(c, seg_take(b.ptr, b.len));
    }
    if (c->dead)
        return;
    bool over = !nghttp2_session_want_read(s) && !nghttp2_session_want_write(s);
    if (over || (c->h2->stopping && !c->requests && !nghttp2_session_want_write(s)))
        c->closing = true;
}
