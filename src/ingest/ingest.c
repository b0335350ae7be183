// The way of an OTLP request: route (I/O thread) -> handle (worker) -> committed (log thread). The
// struct ingest_call lives in the request's arena and is gone with the answer.
#include "ingest/ingest_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "ingest/admission.h"
#include "ingest/look.h"
#include "ingest/otlp_reply.h"
#include "ingest/sentry.h"
#include "ingest/sentry_auth.h"
#include "ingest/stray.h"
#include "meta/token.h"

#include <inttypes.h>
#include <stdio.h>

enum { ANSWER_MAX = 4096 };
#define INGEST_SCRATCH_MAX ((size_t)96 << 20)

struct ingest_call {
    struct ingest *in;
    struct http_request *req;
    enum otlp_signal signal;
    enum otlp_format format;
    int64_t project;
    struct otlp_result result;
    struct door_look look;
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

// "/api/42/integration/otlp/v1/traces" -> "/v1/traces", and whose it is: OTLP with the key of a DSN.
static str plain_path(const struct http_request *req, int64_t *ret_project)
{
    static const str head = STR_INIT("integration/otlp");
    str rest;
    if (req->is_grpc || !sentry_project_path(req->path, ret_project, &rest) || !str_starts(rest, head)) {
        *ret_project = 0;
        return req->path;
    }
    rest = str_slice(rest, head.len, rest.len);
    return str_slice(rest, 0, rest.len > 1 && str_ends(rest, STR("/")) ? rest.len - 1 : rest.len);
}

static int path_find(const struct http_request *req)
{
    int64_t project;
    str path = plain_path(req, &project);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        if (paths[i].grpc == req->is_grpc && str_eq(paths[i].path, path))
            return (int)i;
    return -1;
}

bool ingest_owns(const struct ingest *in, const struct http_request *req)
{
    return path_find(req) >= 0 || sentry_owns(in, req);
}

int ingest_new(const struct ingest_options *o, struct ingest **ret_ingest, struct err *err)
{
    must(pool_threads(o->pool) <= INGEST_WORKERS_MAX);
    struct ingest *in = mem_zalloc(sizeof *in);
    if (!in || door_new(&in->door) < 0 || project_rules_new(o->meta, &in->rules, err) < 0 ||
        quota_init(&in->quota, o->rate) < 0) {
        project_rules_free(in ? in->rules : NULL);
        door_free(in ? in->door : NULL);
        mem_free(in);
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    }
    in->magic = INGEST_MAGIC;
    in->options = *o;
    in->refine = (struct refine){ in->rules, o->issues };
    if (o->symbols && o->issues.of_hash)
        symbols_on_refined(o->symbols, refine_event, &in->refine);
    item_tally_init(&in->items);
    must(pthread_mutex_init(&in->own, NULL) == 0);
    for (int i = 0; i <= INGEST_WORKERS_MAX; i++)
        arena_init(&in->scratch[i], INGEST_SCRATCH_MAX);
    for (int i = 0; i <= INGEST_WORKERS_MAX; i++)
        sentry_packer_init(&in->packers[i]);
    *ret_ingest = in;
    return 0;
}

void ingest_free(struct ingest *in)
{
    if (!in)
        return;
    MAGIC_CHECK(in, INGEST_MAGIC);
    must(in->in_flight == 0);
    for (int i = 0; i <= INGEST_WORKERS_MAX; i++)
        arena_free(&in->scratch[i]);
    for (int i = 0; i <= INGEST_WORKERS_MAX; i++)
        sentry_packer_free(&in->packers[i]);
    quota_free(&in->quota);
    project_rules_free(in->rules);
    item_tally_free(&in->items);
    pthread_mutex_destroy(&in->own);
    door_free(in->door);
    in->magic = 0;
    mem_free(in);
}

static void refuse(struct http_request *req, int status, int code, int retry_ms, str message)
{
    struct otlp_refusal refusal = { status, code, retry_ms, message };
    otlp_reply_refusal(req, otlp_format_of(req), &refusal);
}

static void note(struct ingest *in, const struct http_request *req, enum door_outcome outcome, int status, str detail)
{
    int path = path_find(req);
    struct door_try t = { .outcome = outcome,
                          .req = req,
                          .signal = path < 0 ? -1 : (int)paths[path].signal,
                          .status = status,
                          .detail = detail };
    door_note(in->door, &t);
}

struct door *ingest_door(struct ingest *in) { return in->door; }

void ingest_refuse(struct ingest *in, struct http_request *req, int status, int retry_after_s, str message)
{
    enum door_outcome outcome = status == 413   ? DOOR_TOO_LARGE
                                : status == 415 ? DOOR_ENCODING
                                : status >= 429 ? DOOR_BUSY
                                                : DOOR_MALFORMED;
    note(in, req, outcome, status, status == 415 ? http_request_header(req, STR("content-encoding")) : message);
    if (sentry_owns(in, req)) {
        sentry_refuse(req, status, retry_after_s, message);
        return;
    }
    int code = status == 413 || status == 429 ? OTLP_CODE_RESOURCE_EXHAUSTED
               : status >= 500                ? OTLP_CODE_UNAVAILABLE
               : status == 408                ? OTLP_CODE_DEADLINE_EXCEEDED
                                              : OTLP_CODE_INVALID_ARGUMENT;
    refuse(req, status, code, retry_after_s * 1000, message);
}

// A body that is the other format than its type says is the usual reason for one that cannot be read.
static enum door_outcome mistaken_format(const struct ingest_call *call)
{
    str text = str_trim(str_of_bytes(call->req->body));
    bool json = text.len && text.ptr[0] == '{', binary = text.len && (unsigned char)text.ptr[0] < 0x20;
    if (call->format == OTLP_PROTOBUF && json)
        return DOOR_JSON_AS_PROTOBUF;
    return call->format == OTLP_JSON && binary ? DOOR_PROTOBUF_AS_JSON : DOOR_MALFORMED;
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
        enum door_outcome outcome = refusal.retry_ms        ? DOOR_BUSY
                                    : refusal.status == 413 ? DOOR_TOO_LARGE
                                                            : mistaken_format(call);
        note(in, req, outcome, refusal.status, refusal.message);
        otlp_reply_refusal(req, format, &refusal);
        return;
    }
    struct buf body;
    buf_init(&body, ANSWER_MAX);
    in->records += call->result.accepted;
    door_accept(in->door, req, (int)call->signal, call->result.accepted, &call->look);
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

static int decode(void *ctx, const struct record_sink *sink, struct err *err)
{
    struct ingest_call *call = ctx;
    struct looking looking = { &call->look, sink };
    struct record_sink look = looking_sink(&looking);
    call->look.looked = door_wants_look(call->in->door, call->req, (int)call->signal);
    if (call->look.looked)
        sink = &look;
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
    struct err err = { 0 };
    MAGIC_CHECK(call->in, INGEST_MAGIC);
    struct ingest_storing storing = { .req = req,
                                      .project = call->project,
                                      .kind = (unsigned)call->signal << 4 | (unsigned)call->format,
                                      .decode = decode,
                                      .committed = committed,
                                      .call = call };
    int r = ingest_store(call->in, &storing, &err);
    if (r == INGEST_COMMITTING)
        return;
    call->result.accepted = 0; // of a repeated one they were counted when they were stored
    answer(call, r, &err);
}

static bool type_ok(const struct http_request *req)
{
    str type = http_media_type(http_request_header(req, STR("content-type")));
    return str_ieq(type, STR("application/x-protobuf")) || str_ieq(type, STR("application/protobuf")) ||
           str_ieq(type, STR("application/json"));
}

// What the person who looks at the door needs to know: which key (its end), or why one is needed.
static void note_refused(struct ingest *in, const struct http_request *req, enum door_outcome refused, int status)
{
    enum { TAIL = 4, SECRET_LEAST = 16 }; // of what is shorter, four characters would tell too much
    str detail = { 0 }, value = http_request_header(req, STR("authorization")), token;
    if (refused == DOOR_BAD_AUTHORIZATION) {
        // "Basic", "Token": a word that is none could be the secret itself.
        static const str schemes[] = { STR_INIT("basic "), STR_INIT("token "), STR_INIT("apikey "),
                                       STR_INIT("digest ") };
        for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
            if (value.len > schemes[i].len && str_ieq(str_slice(value, 0, schemes[i].len), schemes[i]))
                detail = str_slice(value, 0, schemes[i].len - 1);
    } else if (refused == DOOR_NO_KEY) {
        static const str proofs[] = { STR_INIT("origin"), STR_INIT("forwarded"), STR_INIT("x-forwarded-for"),
                                      STR_INIT("x-forwarded-host"), STR_INIT("x-forwarded-proto") };
        for (size_t i = 0; i < sizeof proofs / sizeof proofs[0] && !detail.len; i++)
            if (http_request_header(req, proofs[i]).ptr)
                detail = proofs[i];
    } else if (admission_bearer(req, &token) == 0 && token.len >= SECRET_LEAST) {
        detail = str_slice(token, token.len - TAIL, token.len);
    }
    note(in, req, refused, status, detail);
}

// The key of a DSN opens this way in for its own project only.
static int dsn_check(struct ingest *in, struct http_request *req, int64_t of, int64_t *ret_project,
                     enum door_outcome *ret_refused)
{
    struct meta_grant grant;
    str key;
    int r = sentry_auth_key(req, &key);
    *ret_refused = r == 0 && key.len ? DOOR_UNKNOWN_KEY : DOOR_NO_KEY;
    if (r < 0 || !key.len || meta_key_check(in->options.meta, key, &grant) < 0 || grant.project != of)
        return ERR_DENIED;
    *ret_project = of;
    return 0;
}

void ingest_route(struct ingest *in, struct http_request *req, struct http_route *route)
{
    MAGIC_CHECK(in, INGEST_MAGIC);
    if (sentry_owns(in, req)) {
        sentry_route(in, req, route);
        return;
    }
    int path = path_find(req);
    int64_t project;
    enum door_outcome refused = DOOR_NO_KEY;
    must(path >= 0);
    if (req->method != HTTP_POST) {
        static const struct http_header allow = { STR_INIT("allow"), STR_INIT("POST") };
        bool preflight = req->method == HTTP_OPTIONS && http_request_header(req, STR("origin")).ptr;
        note(in, req, preflight ? DOOR_PREFLIGHT : DOOR_METHOD, 405,
             preflight ? http_request_header(req, STR("origin")) : req->method_name);
        http_respond(req, 405, &allow, 1, (bytes){ 0 });
        return;
    }
    int64_t of_dsn;
    plain_path(req, &of_dsn);
    int r = of_dsn ? dsn_check(in, req, of_dsn, &project, &refused)
                   : admission_ingest(in->options.meta, req, in->options.default_project, &project, &refused);
    if (r < 0)
        note_refused(in, req, refused, r == ERR_INVALID ? 403 : 401);
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
        note(in, req, DOOR_CONTENT_TYPE, 415, http_request_header(req, STR("content-type")));
        refuse(req, 415, OTLP_CODE_INVALID_ARGUMENT, 0,
               STR("the content type must be application/x-protobuf or application/json"));
        return;
    }
    int64_t wait_ms = quota_wait_ms(&in->quota, project, clock_mono_ns());
    if (wait_ms) {
        in->refused_quota++;
        note(in, req, DOOR_QUOTA, 429, STR(""));
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

size_t ingest_items(struct ingest *in, struct item_tally_row ret_rows[ITEM_TALLY_ROWS])
{
    return item_tally_read(&in->items, ret_rows);
}

struct ingest_stats ingest_stats(struct ingest *in)
{
    struct ingest_stats s;
#define INGEST_STAT_READ(name, text) s.name = atomic_load(&in->name);
    INGEST_COUNTERS(INGEST_STAT_READ)
#undef INGEST_STAT_READ
    return s;
}

void ingest_stray(struct ingest *in, const struct http_request *req, int status)
{
    str what = { 0 };
    MAGIC_CHECK(in, INGEST_MAGIC);
    if (req->method != HTTP_GET && req->method != HTTP_HEAD) // those are people and their browsers
        note(in, req, stray_outcome(req, &what), status, what);
}

void ingest_wrong_host(struct ingest *in, const struct http_request *req)
{
    MAGIC_CHECK(in, INGEST_MAGIC);
    if (req->method != HTTP_GET && req->method != HTTP_HEAD)
        note(in, req, DOOR_HOST, 421, req->host);
}

void ingest_observe(struct ingest *in, const struct net_observed *o)
{
    static const enum door_outcome outcomes[] = { [NET_ODD_TLS_ON_PLAIN] = DOOR_TLS_ON_PLAIN,
                                                  [NET_ODD_PLAIN_ON_TLS] = DOOR_PLAIN_ON_TLS,
                                                  [NET_ODD_CERTIFICATE] = DOOR_CERTIFICATE,
                                                  [NET_ODD_GRPC_TOO_LARGE] = DOOR_TOO_LARGE,
                                                  [NET_ODD_GRPC_OTHER] = DOOR_MALFORMED };
    MAGIC_CHECK(in, INGEST_MAGIC);
    if (o->req) {
        note(in, o->req, outcomes[o->what], o->what == NET_ODD_GRPC_TOO_LARGE ? 413 : 400, STR(""));
        return;
    }
    struct door_try t = { .outcome = outcomes[o->what], .peer = o->peer, .local = o->local, .signal = -1 };
    door_note(in->door, &t);
}

struct grouping_rules *ingest_grouping_rules(struct ingest *in, int64_t project)
{
    MAGIC_CHECK(in, INGEST_MAGIC);
    return project_rules_grouping(in->rules, project);
}
