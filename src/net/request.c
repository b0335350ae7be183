// A request's life on the server: made with the head, routed, filled with its body, run, answered, freed.
// Whoever owns it (state) may touch it; what handler and loop share is under r->lock.
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"
#include "net/grpc.h"
#include "net/net_internal.h"

#include <stdio.h>

static void on_answer(struct loop_message *m);
static void on_deadline(struct timer *t);
static void on_job(struct pool_job *job, int worker);

struct http_request_internal *request_new(struct net_conn *c)
{
    struct http_request_internal *r = mem_zalloc(sizeof *r);
    if (!r)
        return NULL;
    const struct net_limits *limits = io_limits(c->io);
    r->pub.magic = HTTP_REQUEST_MAGIC;
    r->pub.internal = r;
    r->pub.scheme = c->tls ? STR("https") : STR("http");
    r->pub.listener_tag = c->listener->tag;
    r->pub.peer = c->peer;
    r->pub.local = c->local;
    r->pub.received_ns = loop_now_ns(c->io->loop);
    r->pub.worker = -1;
    arena_init(&r->pub.arena, limits->arena_bytes);
    arena_init(&r->head, NET_HEAD_ARENA);
    r->io = c->io;
    r->body_expected = -1;
    r->keep_alive = true;
    r->ok = true;
    r->message.fn = on_answer;
    r->deadline.fn = on_deadline;
    r->job.run = on_job;
    r->stream.r = r;
    chain_init(&r->pieces);
    chain_init(&r->ready);
    buf_init(&r->inflated, 0);
    pthread_mutex_init(&r->lock, NULL);
    return r;
}

static void reserve_release(struct http_request_internal *r)
{
    NET_UNCOUNT(io_counters(r->io)->body_bytes_held, r->reserved);
    r->reserved = 0;
}

static void count_closed(struct http_request_internal *r)
{
    if (r->counted_open)
        NET_UNCOUNT(io_counters(r->io)->requests_open, 1);
    r->counted_open = false;
}

static void body_give_back(struct http_request_internal *r)
{
    if (r->body_file) {
        NET_UNCOUNT(io_counters(r->io)->body_bytes_filed, r->body_file->len);
        body_file_close(r->body_file);
        r->body_file = NULL;
    } else {
        body_cache_give(&r->io->server->bodies, r->body, r->body_alloc);
    }
    r->body = NULL;
    r->body_alloc = 0;
}

static void body_free(struct http_request_internal *r)
{
    body_give_back(r);
    body_cache_give(&r->io->server->bodies, r->inflated.ptr, r->inflated.cap);
    buf_init(&r->inflated, 0);
    r->pub.body = (bytes){ 0 };
    reserve_release(r);
}

void request_free(struct http_request_internal *r)
{
    MAGIC_CHECK(&r->pub, HTTP_REQUEST_MAGIC);
    loop_timer_clear(r->io->loop, &r->deadline);
    loop_timer_clear(r->io->loop, &r->stream.heartbeat);
    if (r->streaming)
        pthread_cond_destroy(&r->stream.drained);
    count_closed(r); // when it ended before its body was complete
    body_free(r);
    chain_free(&r->pieces);
    chain_free(&r->ready);
    arena_free(&r->pub.arena);
    arena_free(&r->head);
    pthread_mutex_destroy(&r->lock);
    r->pub.magic = 0;
    mem_free(r);
}

void request_cancel(struct http_request_internal *r)
{
    pthread_mutex_lock(&r->lock);
    if (!atomic_load(&r->cancelled) && !r->ended) {
        atomic_store(&r->cancelled, true);
        NET_COUNT(io_counters(r->io)->requests_cancelled, 1);
        if (r->hook)
            r->hook(&r->pub, r->hook_ctx);
        if (r->streaming)
            pthread_cond_broadcast(&r->stream.drained);
    }
    pthread_mutex_unlock(&r->lock);
}

void request_detach(struct http_request_internal *r)
{
    conn_mark_dirty(r->conn); // a flush follows
    conn_unlink_request(r);
    loop_timer_clear(r->io->loop, &r->deadline);
    loop_timer_clear(r->io->loop, &r->stream.heartbeat);
    r->conn = NULL;
    if (r->state != REQUEST_HANDLED) {
        r->next = r->io->dead_requests; // callers may still look at it: freed between turns
        r->io->dead_requests = r;
        return;
    }
    request_cancel(r); // its answer comes to nobody: on_answer frees it
    if (r->ws)
        ws_gone(r->ws);
}

bool http_request_cancelled(const struct http_request *req)
{
    return atomic_load_explicit(&req->internal->cancelled, memory_order_relaxed);
}

void http_request_on_cancel(struct http_request *req, http_cancel_hook *hook, void *ctx)
{
    struct http_request_internal *r = request_of(req);
    pthread_mutex_lock(&r->lock);
    r->hook = hook;
    r->hook_ctx = ctx;
    if (hook && atomic_load(&r->cancelled))
        hook(req, ctx);
    pthread_mutex_unlock(&r->lock);
}

void http_request_drop_body(struct http_request *req)
{
    MAGIC_CHECK(req, HTTP_REQUEST_MAGIC);
    body_free(request_of(req));
}

// --- the body ---

// Takes n more bytes of the server's share of bodies; false: over it.
static bool reserve(struct http_request_internal *r, size_t n)
{
    struct net_counters *c = io_counters(r->io);
    uint64_t limit = io_limits(r->io)->body_bytes_in_flight;
    if (NET_COUNT(c->body_bytes_held, n) + n > limit) {
        NET_UNCOUNT(c->body_bytes_held, n);
        io_hit(r->io, NET_HIT_body_bytes_in_flight);
        return false;
    }
    r->reserved += n;
    return true;
}

// How much a body may claim before it has arrived: generous while there is room (so that a body is
// received into one buffer of its size), little when there is not.
static size_t body_grant(struct http_request_internal *r)
{
    uint64_t limit = io_limits(r->io)->body_bytes_in_flight;
    uint64_t held = atomic_load_explicit(&io_counters(r->io)->body_bytes_held, memory_order_relaxed);
    uint64_t grant = held < limit ? (limit - held) / 64 : 0;
    return grant > NET_BODY_FIRST ? (size_t)grant : NET_BODY_FIRST;
}

static void refuse_overload(struct http_request_internal *r)
{
    request_refuse(r, 503, NET_RETRY_AFTER_S, "too much is being received at once");
}

static void refuse_too_long(struct http_request_internal *r)
{
    io_hit(r->io, NET_HIT_body_bytes);
    request_refuse(r, 413, 0, "the body is too long");
}

// What has arrived goes to the file, and gives its memory back.
static bool body_to_file(struct http_request_internal *r)
{
    struct body_file *f = body_file_open(r->route.body_dir, r->route.body_max);
    if (!f || body_file_grow(f, r->body_n) < 0) {
        body_file_close(f);
        return false;
    }
    if (r->body_n)
        memcpy(f->ptr, r->body, r->body_n);
    body_give_back(r);
    reserve_release(r);
    NET_COUNT(io_counters(r->io)->body_bytes_filed, f->len);
    r->body_file = f;
    r->body = f->ptr;
    return true;
}

static bool body_grow_file(struct http_request_internal *r, size_t need)
{
    struct net_counters *c = io_counters(r->io);
    size_t cap = need + NET_BODY_STEP;
    if (r->body_expected >= (int64_t)need && cap > (size_t)r->body_expected)
        cap = (size_t)r->body_expected;
    if (cap > r->route.body_max)
        cap = r->route.body_max;
    if (need > cap) {
        refuse_too_long(r);
        return false;
    }
    if (!r->body_file && !body_to_file(r)) {
        refuse_overload(r);
        return false;
    }
    size_t more = cap - r->body_file->len;
    if (NET_COUNT(c->body_bytes_filed, more) + more > NET_BODY_FILES || body_file_grow(r->body_file, cap) < 0) {
        NET_UNCOUNT(c->body_bytes_filed, more);
        io_hit(r->io, NET_HIT_body_bytes_in_flight);
        refuse_overload(r);
        return false;
    }
    r->body_cap = cap;
    return true;
}

static bool body_grow(struct http_request_internal *r, size_t need)
{
    if (r->body_file || (r->route.body_dir && need > NET_BODY_MEMORY))
        return body_grow_file(r, need);
    size_t cap = r->body_cap * 2;
    if (r->body_expected >= 0 && (cap > (size_t)r->body_expected || (size_t)r->body_expected <= body_grant(r)))
        cap = (size_t)r->body_expected;
    if (cap < need)
        cap = need;
    if (cap > r->route.body_max)
        cap = r->route.body_max;
    if (need > cap) {
        refuse_too_long(r);
        return false;
    }
    if (!reserve(r, cap - r->body_cap)) {
        refuse_overload(r);
        return false;
    }
    if (cap > r->body_alloc) {
        uint8_t *p = r->body ? NULL : body_cache_take(&r->io->server->bodies, cap, &r->body_alloc);
        if (!p) {
            p = mem_realloc(r->body, cap);
            if (!p) {
                refuse_overload(r);
                return false;
            }
            r->body_alloc = cap;
        }
        r->body = p;
    }
    r->body_cap = cap;
    return true;
}

uint8_t *request_body_room(struct http_request_internal *r, size_t want, size_t *ret_n)
{
    must(r->state == REQUEST_BODY);
    if (r->body_n == r->body_cap) {
        size_t first =
            r->body_expected >= 0 && r->body_expected < NET_BODY_FIRST ? (size_t)r->body_expected : NET_BODY_FIRST;
        size_t most = r->route.body_max - r->body_n;
        size_t need = want < first ? want : first;
        if (!body_grow(r, r->body_n + (most && need > most ? most : need)))
            return NULL;
    }
    size_t room = r->body_cap - r->body_n;
    *ret_n = want < room ? want : room;
    return r->body + r->body_n;
}

void request_body_arrived(struct http_request_internal *r, size_t n)
{
    r->body_n += n;
    r->body_last_ns = loop_now_ns(r->io->loop);
}

bool request_body_copy(struct http_request_internal *r, bytes p)
{
    while (p.len) {
        size_t n = 0;
        uint8_t *room = request_body_room(r, p.len, &n);
        if (!room)
            return false;
        memcpy(room, p.ptr, n);
        request_body_arrived(r, n);
        p.ptr += n;
        p.len -= n;
    }
    return true;
}

int64_t request_body_deadline_ns(const struct http_request_internal *r)
{
    const struct net_limits *limits = io_limits(r->io);
    int64_t stall = r->body_last_ns + limits->body_stall_ms * NS_PER_MS;
    if (!limits->body_rate)
        return stall;
    int64_t fair = (int64_t)(r->body_n / limits->body_rate) * NS_PER_S;
    int64_t slow = r->body_from_ns + (fair > 20 * NS_PER_S ? fair : 20 * NS_PER_S);
    return stall < slow ? stall : slow;
}

// --- route and run ---

void request_refuse(struct http_request_internal *r, int status, int retry_after_s, const char *message)
{
    struct net_server *s = r->io->server;
    if (r->state == REQUEST_BODY || r->state == REQUEST_HEAD) {
        r->state = REQUEST_HANDLED; // by us, for a moment
        r->io->requests_owned++;
    }
    if (r->pub.is_grpc) {
        io_observe(r->io, status == 413 ? NET_ODD_GRPC_TOO_LARGE : NET_ODD_GRPC_OTHER, &r->pub.peer, &r->pub.local,
                   &r->pub);
        int retry_ms = retry_after_s ? retry_after_s * 1000 : -1;
        grpc_respond_retry(&r->pub, grpc_status_of_http(status), str_z(message), retry_ms);
        return;
    }
    if (r->routed && s->config.refuse) {
        s->config.refuse(&r->pub, status, retry_after_s, str_z(message), s->config.ctx);
        return;
    }
    char retry[16], body[256];
    size_t retry_n = (size_t)snprintf(retry, sizeof retry, "%d", retry_after_s);
    size_t body_n = (size_t)snprintf(body, sizeof body, "%s\n", message);
    struct http_header h[2] = { { STR("Content-Type"), STR("text/plain; charset=utf-8") },
                                { STR("Retry-After"), { retry, retry_n } } };
    http_respond(&r->pub, status, h, retry_after_s ? 2 : 1, bytes_of(body, body_n));
}

static void set_deadline(struct http_request_internal *r)
{
    str timeout = http_request_header(&r->pub, STR("grpc-timeout"));
    int64_t ns = 0;
    if (!r->pub.is_grpc || !timeout.ptr || grpc_timeout_parse(timeout, &ns) < 0)
        return;
    if (ns > 24 * 3600 * NS_PER_S)
        return;
    r->pub.deadline_ns = r->pub.received_ns + ns;
    loop_timer_set(r->io->loop, &r->deadline, ns / NS_PER_MS);
}

static bool is_grpc(const struct http_request *req)
{
    str type = http_request_header(req, STR("content-type"));
    return req->version == HTTP_2 && str_starts(type, STR("application/grpc")) &&
           (type.len == 16 || type.ptr[16] == '+' || type.ptr[16] == ';');
}

// What can be refused now that limits are known and before memory is spent on the body.
static void check_before_body(struct http_request_internal *r)
{
    enum net_coding coding;
    str encoding = http_request_header(&r->pub, STR("content-encoding"));
    uint64_t held = atomic_load_explicit(&io_counters(r->io)->body_bytes_held, memory_order_relaxed);
    uint64_t limit = io_limits(r->io)->body_bytes_in_flight;
    if (r->body_expected > 0 && (uint64_t)r->body_expected > r->route.body_max) {
        refuse_too_long(r);
    } else if (!r->route.any_encoding && !r->pub.is_grpc &&
               (http_header_count(r->pub.headers, r->pub.headers_n, STR("content-encoding")) > 1 ||
                net_coding_of(encoding, &coding) < 0)) {
        request_refuse(r, 415, 0, "the body's Content-Encoding is none of gzip, deflate, zstd, br");
    } else if (!r->body_ended &&
               held + (r->body_expected > 0 && !r->route.body_dir ? (uint64_t)r->body_expected : NET_BODY_FIRST) >
                   limit) {
        io_hit(r->io, NET_HIT_body_bytes_in_flight);
        refuse_overload(r);
    }
}

void request_route(struct http_request_internal *r)
{
    struct net_server *s = r->io->server;
    const struct net_limits *limits = &s->config.limits;
    r->route = (struct http_route){ .body_max = limits->body_bytes,
                                    .inflated_max = limits->inflated_bytes,
                                    .arena_max = limits->arena_bytes };
    r->pub.is_grpc = is_grpc(&r->pub);
    r->pub.received_ns = loop_now_ns(r->io->loop);
    r->body_from_ns = r->body_last_ns = r->pub.received_ns;
    r->routed = true;
    NET_COUNT(s->counters.requests_total, 1);
    NET_COUNT(s->counters.requests_open, 1);
    r->counted_open = true;
    r->state = REQUEST_HANDLED;
    r->io->requests_owned++;
    set_deadline(r);
    s->config.route(&r->pub, &r->route, s->config.ctx);
    if (request_answered(r))
        return;
    must(r->route.handler);
    r->pub.arena.cap = r->route.arena_max;
    r->state = REQUEST_BODY;
    r->io->requests_owned--;
    check_before_body(r);
}

static void refuse_inflate(struct http_request_internal *r, int code)
{
    if (code == ERR_LIMIT) {
        io_hit(r->io, NET_HIT_inflated_bytes);
        request_refuse(r, 413, 0, "the body is too long when inflated");
    } else if (code == ERR_NOMEM) {
        request_refuse(r, 503, NET_RETRY_AFTER_S, "no memory to inflate the body");
    } else {
        request_refuse(r, 400, 0, "the body is not what its encoding says");
    }
}

// Replaces the body by what it inflates to. What it holds is counted when it is known: meanwhile at most
// one inflated body a worker is uncounted.
static int body_inflate(struct http_request_internal *r, enum net_coding coding, bytes in)
{
    buf_init(&r->inflated, r->route.inflated_max);
    size_t likely = coding == NET_CODING_GZIP && in.len >= 18 ? le32_get(in.ptr + in.len - 4) : in.len * 4, cap = 0;
    if (likely <= r->inflated.max)
        r->inflated.ptr = body_cache_take(&r->io->server->bodies, likely, &cap);
    r->inflated.cap = cap < r->inflated.max ? cap : r->inflated.max;
    int rc = net_inflate(coding, in, &r->inflated);
    if (rc < 0)
        return rc;
    body_give_back(r);
    reserve_release(r);
    r->reserved = r->inflated.cap;
    NET_COUNT(io_counters(r->io)->body_bytes_held, r->reserved);
    r->pub.body = buf_bytes(&r->inflated);
    return 0;
}

static void observe_grpc(struct http_request_internal *r, int rc)
{
    io_observe(r->io, rc == ERR_LIMIT ? NET_ODD_GRPC_TOO_LARGE : NET_ODD_GRPC_OTHER, &r->pub.peer, &r->pub.local,
               &r->pub);
}

static bool unwrap_grpc(struct http_request_internal *r)
{
    bool compressed = false;
    bytes message;
    int rc = grpc_unframe(r->pub.body, r->route.inflated_max, &compressed, &message);
    if (rc < 0)
        observe_grpc(r, rc);
    if (rc == ERR_LIMIT) {
        io_hit(r->io, NET_HIT_inflated_bytes);
        grpc_respond(&r->pub, GRPC_RESOURCE_EXHAUSTED, STR("the message is too long"), (bytes){ 0 }, (bytes){ 0 });
        return false;
    }
    if (rc < 0) {
        grpc_respond(&r->pub, GRPC_INTERNAL, STR("the call does not hold exactly one message"), (bytes){ 0 },
                     (bytes){ 0 });
        return false;
    }
    r->pub.body = message;
    if (!compressed)
        return true;
    enum net_coding coding = NET_CODING_IDENTITY;
    rc = net_coding_of(http_request_header(&r->pub, STR("grpc-encoding")), &coding);
    if (rc < 0 || coding == NET_CODING_IDENTITY) {
        observe_grpc(r, rc);
        grpc_respond(&r->pub, rc < 0 ? GRPC_UNIMPLEMENTED : GRPC_INTERNAL,
                     STR("the message's compression is none of gzip, deflate, zstd, br"), (bytes){ 0 }, (bytes){ 0 });
        return false;
    }
    rc = body_inflate(r, coding, message);
    if (rc < 0)
        observe_grpc(r, rc);
    if (rc == ERR_LIMIT) {
        io_hit(r->io, NET_HIT_inflated_bytes);
        grpc_respond(&r->pub, GRPC_RESOURCE_EXHAUSTED, STR("the message is too long when inflated"), (bytes){ 0 },
                     (bytes){ 0 });
    } else if (rc == ERR_NOMEM) {
        grpc_respond_retry(&r->pub, GRPC_UNAVAILABLE, STR("no memory to inflate the message"),
                           NET_RETRY_AFTER_S * 1000);
    } else if (rc < 0) {
        grpc_respond(&r->pub, GRPC_INTERNAL, STR("the message is not what its encoding says"), (bytes){ 0 },
                     (bytes){ 0 });
    }
    return rc == 0;
}

static bool head_passes(struct http_request_internal *r, enum net_coding coding)
{
    uint8_t *head = mem_alloc(r->route.head_max);
    size_t n = 0;
    int rc = head ? net_inflate_head(coding, r->pub.body, head, r->route.head_max, &n) : ERR_NOMEM;
    if (rc < 0)
        refuse_inflate(r, rc);
    bool passes = rc == 0 && r->route.head(&r->pub, bytes_of(head, n), r->route.ctx);
    mem_free(head);
    return passes;
}

static bool unwrap_http(struct http_request_internal *r)
{
    enum net_coding coding = NET_CODING_IDENTITY;
    if (r->route.any_encoding || r->pub.body.len == 0)
        return true;
    net_coding_of(http_request_header(&r->pub, STR("content-encoding")), &coding); // known since before the body
    if (coding == NET_CODING_IDENTITY) {
        if (r->pub.body.len <= r->route.inflated_max)
            return true;
        refuse_inflate(r, ERR_LIMIT);
        return false;
    }
    if (r->route.head && !head_passes(r, coding))
        return false;
    int rc = body_inflate(r, coding, r->pub.body);
    if (rc < 0)
        refuse_inflate(r, rc);
    return rc == 0;
}

static void run(struct http_request_internal *r)
{
    if (r->pub.is_grpc ? unwrap_grpc(r) : unwrap_http(r))
        r->route.handler(&r->pub, r->route.ctx);
}

static void on_job(struct pool_job *job, int worker)
{
    struct http_request_internal *r = OS_CONTAINER(job, struct http_request_internal, job);
    MAGIC_CHECK(&r->pub, HTTP_REQUEST_MAGIC);
    r->pub.worker = worker;
    run(r);
}

void request_body_done(struct http_request_internal *r)
{
    must(r->state == REQUEST_BODY);
    r->body_ended = true;
    r->pub.body = (bytes){ r->body, r->body_n };
    r->pub.wire_body_n = r->body_n;
    r->state = REQUEST_HANDLED;
    r->io->requests_owned++;
    if (!r->route.pool) {
        run(r);
        return;
    }
    int rc = pool_submit(r->route.pool, &r->job);
    if (rc < 0) {
        io_hit(r->io, NET_HIT_queue);
        request_refuse(r, 503, NET_RETRY_AFTER_S,
                       rc == ERR_STOPPING ? "the server is stopping" : "too much to do at once");
    }
}

// --- the answer, on the loop ---

bool request_post_locked(struct http_request_internal *r)
{
    bool first = !r->posted;
    r->posted = true;
    return first;
}

bool request_answered(struct http_request_internal *r)
{
    pthread_mutex_lock(&r->lock);
    bool answered = r->answered;
    pthread_mutex_unlock(&r->lock);
    return answered;
}

bool request_take_answer(struct http_request_internal *r)
{
    pthread_mutex_lock(&r->lock);
    bool begun = r->answered;
    chain_move(&r->ready, &r->pieces);
    r->all_taken = r->state == REQUEST_DONE; // set when ended was seen
    pthread_mutex_unlock(&r->lock);
    return begun;
}

static void answer_to_nobody(struct http_request_internal *r)
{
    pthread_mutex_lock(&r->lock);
    chain_free(&r->pieces);
    pthread_mutex_unlock(&r->lock);
    if (r->state == REQUEST_DONE)
        request_free(r);
}

static void on_answer(struct loop_message *m)
{
    struct http_request_internal *r = OS_CONTAINER(m, struct http_request_internal, message);
    MAGIC_CHECK(&r->pub, HTTP_REQUEST_MAGIC);
    struct net_io *io = r->io;
    pthread_mutex_lock(&r->lock);
    r->posted = false;
    bool ended = r->ended;
    pthread_mutex_unlock(&r->lock);
    if (ended) {
        must(r->state == REQUEST_HANDLED);
        r->state = REQUEST_DONE;
        io->requests_owned--;
        count_closed(r);
    }
    if (r->conn) {
        if (r->streaming && !ended)
            stream_begin_on_loop(r);
        if (r->conn->proto == NET_PROTO_H2)
            h2_answer_ready(r);
        conn_mark_dirty(r->conn);
    } else {
        answer_to_nobody(r);
    }
    if (io->stopping)
        io_check_drained(io);
}

static void on_deadline(struct timer *t)
{
    struct http_request_internal *r = OS_CONTAINER(t, struct http_request_internal, deadline);
    if (!r->conn)
        return;
    if (r->state == REQUEST_HANDLED) {
        if (request_answered(r))
            request_cancel(r); // a stream: its producer ends it
        else
            h2_deadline(r);
    } else if (r->state == REQUEST_BODY) {
        request_refuse(r, 408, 0, "the deadline has passed");
    }
}
