// The way of an OTLP request: route (I/O thread) -> handle (worker) -> committed (log thread). The
// struct ingest_call lives in the request's arena and is gone with the answer.
#include "ingest/ingest.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"
#include "ingest/admission.h"
#include "ingest/otlp_reply.h"
#include "ingest/quota.h"

#include <inttypes.h>
#include <stdio.h>

enum { INGEST_MAGIC = 0x494e4753, WORKERS_MAX = 256, ANSWER_MAX = 4096 };
#define INGEST_SCRATCH_MAX ((size_t)96 << 20)

struct ingest_call {
    struct ingest *in;
    struct http_request *req;
    enum otlp_signal signal;
    enum otlp_format format;
    int64_t project;
    struct otlp_result result;
};

struct ingest {
    uint32_t magic;
    struct ingest_options options;
    struct quota quota;
    _Atomic int in_flight;
    struct arena scratch[WORKERS_MAX]; // a worker's own
#define INGEST_ATOMIC_FIELD(name, text) _Atomic uint64_t name;
    INGEST_COUNTERS(INGEST_ATOMIC_FIELD)
#undef INGEST_ATOMIC_FIELD
};

static const struct {
    str path;
    bool grpc;
    enum otlp_signal signal;
} paths[] = {
    { STR_INIT("/v1/traces"), false, OTLP_TRACES },
    { STR_INIT("/v1/logs"), false, OTLP_LOGS },
    { STR_INIT("/v1/metrics"), false, OTLP_METRICS },
    { STR_INIT("/opentelemetry.proto.collector.trace.v1.TraceService/Export"), true, OTLP_TRACES },
    { STR_INIT("/opentelemetry.proto.collector.logs.v1.LogsService/Export"), true, OTLP_LOGS },
    { STR_INIT("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"), true, OTLP_METRICS },
};

static int path_find(const struct http_request *req)
{
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (paths[i].grpc == req->is_grpc && str_eq(paths[i].path, req->path))
            return (int)i;
    return -1;
}

bool ingest_owns(const struct http_request *req) { return path_find(req) >= 0; }

int ingest_new(const struct ingest_options *o, struct ingest **ret_ingest, struct err *err)
{
    must(pool_threads(o->pool) <= WORKERS_MAX);
    struct ingest *in = mem_zalloc(sizeof *in);
    if (!in || quota_init(&in->quota, o->rate) < 0) {
        mem_free(in);
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    }
    in->magic = INGEST_MAGIC;
    in->options = *o;
    for (int i = 0; i < WORKERS_MAX; i++)
        arena_init(&in->scratch[i], INGEST_SCRATCH_MAX);
    *ret_ingest = in;
    return 0;
}

void ingest_free(struct ingest *in)
{
    if (!in)
        return;
    MAGIC_CHECK(in, INGEST_MAGIC);
    must(in->in_flight == 0);
    for (int i = 0; i < WORKERS_MAX; i++)
        arena_free(&in->scratch[i]);
    quota_free(&in->quota);
    in->magic = 0;
    mem_free(in);
}

static void refuse(struct http_request *req, int status, int code, int retry_ms, str message)
{
    struct otlp_refusal refusal = { status, code, retry_ms, message };
    otlp_reply_refusal(req, otlp_format_of(req), &refusal);
}

void ingest_refuse(struct http_request *req, int status, int retry_after_s, str message)
{
    int code = status == 413 || status == 429 ? OTLP_CODE_RESOURCE_EXHAUSTED
               : status >= 500                ? OTLP_CODE_UNAVAILABLE
               : status == 408                ? OTLP_CODE_DEADLINE_EXCEEDED
                                              : OTLP_CODE_INVALID_ARGUMENT;
    refuse(req, status, code, retry_after_s * 1000, message);
}

static void answer(struct ingest_call *call, int code, const struct err *err)
{
    struct ingest *in = call->in;
    struct http_request *req = call->req;
    enum otlp_format format = call->format;
    if (code < 0) {
        struct otlp_refusal refusal = otlp_refusal_of(code);
        char text[sizeof err->message + sizeof err->place + 8];
        if (err && err->message[0] && refusal.status == 400) {
            snprintf(text, sizeof text, "%s (%s)", err->message, err->place);
            refusal.message = str_z(text);
        }
        if (refusal.retry_ms)
            in->refused_busy++;
        else
            in->refused_malformed++;
        otlp_reply_refusal(req, format, &refusal);
        return;
    }
    struct buf body;
    buf_init(&body, ANSWER_MAX);
    in->records += call->result.accepted;
    in->records_rejected += call->result.rejected;
    otlp_response_encode(call->signal, format, &call->result, &body);
    if (body.error) // the rows are stored: without the words of a partial success rather than a lie
        buf_clear(&body);
    otlp_reply_ok(req, format, buf_bytes(&body));
    buf_free(&body);
}

// On the log thread.
static void committed(void *ctx, int result)
{
    struct ingest_call *call = ctx;
    struct ingest *in = call->in;
    MAGIC_CHECK(in, INGEST_MAGIC);
    answer(call, result, NULL);
    in->in_flight--;
}

static int sink_nothing_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope)
{
    return 0;
}
static int sink_nothing_record(void *ctx, const struct record *r) { return 0; }

// What the body is, for noticing that a client which did not hear our answer sends it again.
static void request_hash(const struct ingest_call *call, bytes body, uint64_t ret[2])
{
    uint64_t seed = (uint64_t)call->project << 8 | (uint64_t)call->signal << 4 | (uint64_t)call->format;
    XXH128_hash_t h = XXH3_128bits_withSeed(body.ptr ? body.ptr : (const uint8_t *)"", body.len, hash64_int(seed));
    ret[0] = h.low64;
    ret[1] = h.high64 | 1; // never 0,0, which means "none"
}

static int decode(struct ingest_call *call, const struct record_sink *sink, struct err *err)
{
    struct arena *scratch = &call->in->scratch[call->req->worker];
    int r = otlp_decode(call->signal, call->format, call->req->body, &otlp_limits_default, scratch, sink, &call->result,
                        err);
    arena_reset(scratch);
    return r;
}

// On a worker: the whole body is there, inflated.
static void handle(struct http_request *req, void *ctx)
{
    struct ingest_call *call = ctx;
    struct ingest *in = call->in;
    struct batch *batch;
    struct err err = { 0 };
    uint64_t hash[2];
    MAGIC_CHECK(in, INGEST_MAGIC);
    must(req->worker >= 0 && req->worker < WORKERS_MAX);
    in->bytes += req->wire_body_n;
    quota_charge(&in->quota, call->project, (int64_t)req->wire_body_n, clock_mono_ns());
    request_hash(call, req->body, hash);
    int r = store_batch_begin(in->options.store, (unsigned)req->worker, (uint32_t)call->project, hash, &batch);
    if (r == ERR_EXIST) {
        // Stored already: read it once more for the same answer, into nothing.
        static const struct record_sink nothing = { NULL, sink_nothing_section, sink_nothing_record };
        in->requests_repeated++;
        r = decode(call, &nothing, &err);
        call->result.accepted = 0; // they were counted when they were stored
        answer(call, r, &err);
        return;
    }
    if (r == 0) {
        struct record_sink sink = batch_sink(batch);
        r = decode(call, &sink, &err);
        if (r < 0)
            batch_abort_take(batch);
    }
    if (r < 0) {
        answer(call, r, &err);
        return;
    }
    http_request_drop_body(req); // it may wait long for the disk
    in->in_flight++;
    batch_commit_take(batch, committed, call);
}

static bool type_ok(const struct http_request *req)
{
    str type = http_media_type(http_request_header(req, STR("content-type")));
    return str_ieq(type, STR("application/x-protobuf")) || str_ieq(type, STR("application/protobuf")) ||
           str_ieq(type, STR("application/json"));
}

void ingest_route(struct ingest *in, struct http_request *req, struct http_route *route)
{
    MAGIC_CHECK(in, INGEST_MAGIC);
    int path = path_find(req);
    int64_t project;
    must(path >= 0);
    if (req->method != HTTP_POST) {
        static const struct http_header allow = { STR_INIT("allow"), STR_INIT("POST") };
        http_respond(req, 405, &allow, 1, (bytes){ 0 });
        return;
    }
    int r = admission_ingest(in->options.meta, req, in->options.default_project, &project);
    if (r == ERR_INVALID) {
        in->refused_forbidden++;
        refuse(req, 403, OTLP_CODE_PERMISSION_DENIED, 0, STR("this token may not ingest: it lacks the scope `ingest`"));
        return;
    }
    if (r < 0) {
        in->refused_unauthenticated++;
        refuse(req, 401, OTLP_CODE_UNAUTHENTICATED, 0,
               STR("a key is needed: Authorization: Bearer KEY (`clew token add NAME --scope ingest` prints one)"));
        return;
    }
    if (!req->is_grpc && !type_ok(req)) {
        refuse(req, 415, OTLP_CODE_INVALID_ARGUMENT, 0,
               STR("the content type must be application/x-protobuf or application/json"));
        return;
    }
    int64_t wait_ms = quota_wait_ms(&in->quota, project, clock_mono_ns());
    if (wait_ms) {
        in->refused_quota++;
        refuse(req, 429, OTLP_CODE_RESOURCE_EXHAUSTED, wait_ms > 60000 ? 60000 : (int)wait_ms,
               STR("the project sends more than its rate"));
        return;
    }
    struct ingest_call *call = arena_zalloc(&req->arena, sizeof *call);
    if (!call) {
        refuse(req, 503, OTLP_CODE_UNAVAILABLE, 1000, STR("out of memory"));
        return;
    }
    *call = (struct ingest_call){ .in = in,
                                  .req = req,
                                  .signal = paths[path].signal,
                                  .project = project,
                                  .format = req->is_grpc ? OTLP_PROTOBUF : otlp_format_of(req) };
    in->requests++;
    route->handler = handle;
    route->ctx = call;
    route->pool = in->options.pool;
    route->body_max = in->options.body_max;
    route->inflated_max = in->options.inflated_max;
}

struct ingest_stats ingest_stats(struct ingest *in)
{
    struct ingest_stats s;
#define INGEST_STAT_READ(name, text) s.name = atomic_load(&in->name);
    INGEST_COUNTERS(INGEST_STAT_READ)
#undef INGEST_STAT_READ
    return s;
}
