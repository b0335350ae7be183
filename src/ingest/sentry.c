// The way of a Sentry envelope, as that of an OTLP request: route (I/O thread) -> handle (worker) -> committed
// (log thread).
#include "ingest/sentry.h"

#include "base/base64.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/must.h"
#include "ingest/sentry_internal.h"
#include "ingest/sentry_reply.h"
#include "net/inflate.h"

#include <stdio.h>
#include <sys/random.h>

enum { KIND = 0x80, OVER_BODY_MAX = 8 << 10 };

static bool is_tunnel(const struct ingest *in, str path)
{
    str rest = str_z(in->options.tunnels);
    while (rest.len) {
        ptrdiff_t comma = str_find_char(rest, ',', 0);
        str one = str_trim(comma < 0 ? rest : str_slice(rest, 0, (size_t)comma));
        rest = comma < 0 ? (str){ 0 } : str_slice(rest, (size_t)comma + 1, rest.len);
        if (one.len && str_eq(one, path))
            return true;
    }
    return false;
}

static bool target_of(const struct ingest *in, const struct http_request *req, struct sentry_target *ret_target)
{
    if (!req->is_grpc && sentry_target_of(req->path, ret_target))
        return true;
    // A page may be served there; what is sent there is an envelope.
    if (req->is_grpc || (req->method != HTTP_POST && req->method != HTTP_OPTIONS) || !is_tunnel(in, req->path))
        return false;
    *ret_target = (struct sentry_target){ .endpoint = SENTRY_TUNNEL };
    return true;
}

bool sentry_owns(const struct ingest *in, const struct http_request *req)
{
    struct sentry_target target;
    return target_of(in, req, &target);
}

void sentry_refuse(struct http_request *req, int status, int retry_after_s, str message)
{
    // 503 and 408 pass, and SDKs come back after a 429 only.
    bool passes = status == 503 || status == 408;
    sentry_reply_refusal(req, passes ? 429 : status, passes && !retry_after_s ? 2 : retry_after_s, message, (str){ 0 });
}

static void note(struct ingest *in, const struct http_request *req, enum door_outcome outcome, int status, str detail)
{
    struct door_try t = { .outcome = outcome, .req = req, .signal = -1, .status = status, .detail = detail };
    door_note(in->door, &t);
}

static int key_check(struct sentry_call *call, str key)
{
    if (meta_key_check(call->in->options.meta, key, &call->grant) < 0 || call->grant.project != call->project) {
        call->in->refused_unauthenticated++;
        note(call->in, call->req, DOOR_UNKNOWN_KEY, 403, str_slice(key, key.len > 4 ? key.len - 4 : 0, key.len));
        return ERR_DENIED;
    }
    return 0;
}

static int no_key(struct sentry_call *call)
{
    call->in->refused_unauthenticated++;
    note(call->in, call->req, DOOR_NO_KEY, 403, (str){ 0 });
    return ERR_DENIED;
}

// --- on a worker

void sentry_id_make(struct sentry_call *call, str sent)
{
    uint8_t id[SENTRY_ID_LEN / 2];
    if (!sentry_id(sent, id)) {
        if (sent.len == 0 && call->has_id)
            return;
        must(getrandom(id, sizeof id, 0) == sizeof id);
        id[6] = (uint8_t)((id[6] & 0x0f) | 0x40); // a UUID, version 4
    }
    hex_encode(call->id, id, sizeof id);
    call->has_id = true;
}

// Makes an event's frames readable where their maps are parsed. While some are not, all stay as they were sent: groups of
// half an event's frames would be nobody's.
static int symbolicate(struct sentry_call *call, struct sentry_event *e, bool *ret_waits)
{
    struct symbols *symbols = call->in->options.symbols;
    struct symbols_counts counts;
    struct sentry_event readable = *e;
    *ret_waits = false;
    if (!symbols)
        return 0;
    int r =
        symbols_event_apply(symbols, (uint32_t)call->project, &readable, SYMBOLS_PARSED, sentry_arena(call), &counts);
    if (r < 0)
        return r;
    if (counts.symbolicated && !counts.unparsed)
        *e = readable;
    *ret_waits = counts.unparsed || (counts.missing && !counts.symbolicated);
    return 0;
}

int sentry_event_store(struct sentry_call *call, str json, struct sentry_source *from, const struct record_sink *sink,
                       struct err *err)
{
    struct ingest *in = call->in;
    struct arena *arena = sentry_arena(call);
    const struct json_node *root;
    struct sentry_event e;
    struct sentry_removed removed;
    struct sentry_extras extras = { 0 };
    struct grouping grouping;
    bool waits;
    if (json.len > in->options.event_max)
        return err_set(err, ERR_LIMIT, NULL, "an event is larger than %zu bytes", in->options.event_max);
    int r = json_tree_read(json, arena, SENTRY_EVENT_DEPTH, &root, err);
    if (r == 0 && sentry_event_filtered(call, root, from))
        return 0;
    if (r == 0)
        r = sentry_remove(call, root, &removed);
    if (r == 0)
        r = sentry_event_read(root, arena, &e, err);
    if (r < 0)
        return r;
    if (!call->has_id) // the envelope's header wins over the payload
        sentry_id_make(call, e.id);
    from->event_id = str_of(call->id, SENTRY_ID_LEN);
    if (e.transaction || from->transaction)
        return sentry_transaction_records(&e, from, arena, sink, &call->counts);
    if ((r = symbolicate(call, &e, &waits)) < 0)
        return r;
    if ((r = grouping_run(call->rules->grouping, &e, arena, &grouping)) < 0)
        return r;
    extras.groups = grouping.hashes;
    extras.groups_n = grouping.hashes_n;
    extras.title = grouping.title;
    extras.scrubbed = removed.paths;
    extras.scrubbed_n = removed.n;
    extras.scrub_rules = removed.rules;
    extras.scrub_rules_n = removed.rules_n;
    r = sentry_payload_pack(&in->packers[sentry_worker(call)], root, &extras.payload);
    if (r == 0 && waits)
        symbols_wait(in->options.symbols, (uint32_t)call->project, grouping.hashes[0], &e, extras.payload);
    return r < 0 ? r : sentry_error_record(&e, from, &extras, arena, sink, &call->counts);
}

// An item that cannot be read, or is of no kind that is known, is counted and left out: the others are as good as ever.
static int item_take(struct sentry_call *call, const struct sentry_item *item, struct sentry_source *from,
                     const struct record_sink *sink, struct err *err)
{
    struct ingest *in = call->in;
    int r = sentry_item_store(call, item, from, sink, err);
    bool skipped = r == ERR_UNSUPPORTED, malformed = r == ERR_MALFORMED || r == ERR_TRUNCATED;
    if (!call->repeated && (r == 0 || skipped || malformed))
        item_tally_count(&in->items, item->type,
                         skipped     ? ITEM_TALLY_SKIPPED
                         : malformed ? ITEM_TALLY_MALFORMED
                                     : ITEM_TALLY_TAKEN);
    in->sentry_items_skipped += skipped;
    in->sentry_items_malformed += malformed;
    return skipped || malformed ? 0 : r;
}

// The minidump of an event stands behind it, and says what the event is of.
static int dump_find(struct sentry_call *call, const struct sentry_envelope *envelope)
{
    struct sentry_envelope ahead = *envelope;
    struct sentry_item item;
    struct err err;
    int r;
    if (str_find(str_of_bytes(call->req->body), STR("event.minidump")) < 0)
        return 0;
    while ((r = sentry_envelope_next(&ahead, &item, &err)) > 0)
        if (str_eq(item.type, STR("attachment")) && str_eq(item.attachment_type, STR("event.minidump"))) {
            call->dump = item.payload;
            break;
        }
    return r == ERR_NOMEM ? r : 0; // what is wrong with the rest is said when it is its turn
}

static int envelope_store(struct sentry_call *call, struct sentry_source *from, const struct record_sink *sink,
                          struct err *err)
{
    struct sentry_envelope envelope;
    struct sentry_item item;
    struct arena *arena = sentry_arena(call);
    int r = sentry_envelope_open(call->req->body, arena, &envelope, err);
    if (r < 0)
        return r;
    from->shift_ns = sentry_clock_shift(envelope.sent_at, from->received_ns);
    from->trace = json_get(envelope.header, STR("trace"));
    from->sdk = json_get(envelope.header, STR("sdk"));
    if (envelope.event_id.len)
        sentry_id_make(call, envelope.event_id);
    if ((r = dump_find(call, &envelope)) < 0)
        return r;
    struct arena_mark mark = arena_mark(arena);
    while ((r = sentry_envelope_next(&envelope, &item, err)) > 0) {
        uint32_t kept = call->kept_n;
        if ((r = item_take(call, &item, from, sink, err)) < 0)
            return r;
        if (kept == call->kept_n && !call->replay.len)
            arena_rewind(arena, mark);
        else
            mark = arena_mark(arena); // what is kept stands there
    }
    if (r == 0 && call->has_crash && !call->has_event)
        r = sentry_crash_store(call, NULL, NULL, from, sink, err);
    return r;
}

// The old endpoint's body: JSON, or (raven) base64 of zlib of JSON.
static int body_store(struct sentry_call *call, struct sentry_source *from, const struct record_sink *sink,
                      struct err *err)
{
    struct arena *arena = sentry_arena(call);
    str text = str_trim(str_of_bytes(call->req->body));
    struct buf json;
    size_t n;
    if (text.len == 0 || text.ptr[0] == '{')
        return sentry_event_store(call, text, from, sink, err);
    uint8_t *packed = arena_alloc_bytes(arena, base64_decoded_max(text.len));
    if (!packed)
        return ERR_NOMEM;
    buf_init(&json, call->in->options.event_max);
    int r =
        base64_decode(packed, text, &n) ? net_inflate(NET_CODING_DEFLATE, bytes_of(packed, n), &json) : ERR_MALFORMED;
    if (r == ERR_MALFORMED)
        err_set(err, r, NULL, "the body is neither JSON nor base64 of zlib");
    if (r == 0)
        r = sentry_event_store(call, buf_view(&json), from, sink, err);
    buf_free(&json);
    return r;
}

static int body_take(struct sentry_call *call, struct sentry_source *from, const struct record_sink *sink,
                     struct err *err)
{
    switch (call->target.endpoint) {
    case SENTRY_STORE:
        return body_store(call, from, sink, err);
    case SENTRY_SECURITY:
    case SENTRY_NEL:
        return sentry_report_store(call, from, sink, err);
    case SENTRY_MINIDUMP:
    case SENTRY_ATTACHMENTS:
        return sentry_form_store(call, from, sink, err);
    case SENTRY_CRON:
        return sentry_cron_store(call, from, sink, err);
    default:
        return envelope_store(call, from, sink, err);
    }
}

static int store(void *ctx, const struct record_sink *sink, struct err *err)
{
    struct sentry_call *call = ctx;
    char peer[SOCKET_ADDRESS_TEXT];
    struct sentry_source from = { .service = str_z(call->grant.name), .received_ns = clock_unix_ns() };
    call->peer = from.peer = str_of(peer, socket_address_format_host(&call->req->peer, peer));
    call->counts = (struct sentry_counts){ 0 };
    call->has_id = call->has_event = call->has_crash = false;
    call->dump = (bytes){ 0 };
    call->kept = NULL;
    call->kept_end = &call->kept;
    call->kept_n = 0;
    call->replay = (str){ 0 };
    call->replay_traces_n = 0;
    call->filtered_n = 0;
    call->event_filtered = call->replay_filtered = FILTER_NONE;
    memset(call->filtered, 0, sizeof call->filtered);
    call->rules = project_rules_get(call->in->rules, call->project);
    int r = scrub_rules_peer(call->rules->scrub, sentry_arena(call), &from.peer);
    if (r == 0)
        r = body_take(call, &from, sink, err);
    if (r == 0)
        r = sentry_filtered_put(call, &from, sink);
    if (r == 0)
        r = sentry_kept_put(call, err);
    project_rules_done(call->rules);
    call->rules = NULL;
    arena_reset(sentry_arena(call));
    return r;
}

static void over_rate(struct sentry_call *call)
{
    call->in->refused_quota++;
    note(call->in, call->req, DOOR_QUOTA, 429, (str){ 0 });
    sentry_reply_refusal(call->req, 429, call->over_ms > 60000 ? 60 : (int)((call->over_ms + 999) / 1000),
                         STR("the project sends more than its rate"), (str){ 0 });
}

static void answer(struct sentry_call *call, int code, const struct err *err)
{
    struct ingest *in = call->in;
    if (code < 0) {
        char words[sizeof err->message + sizeof err->place + 8] = "";
        if (err && err->message[0])
            snprintf(words, sizeof words, err->place[0] ? "%s (%s)" : "%s", err->message, err->place);
        if (code == ERR_MALFORMED || code == ERR_TRUNCATED) {
            in->refused_malformed++;
            note(in, call->req, DOOR_MALFORMED, 400, str_z(words));
        } else if (code == ERR_LIMIT) {
            note(in, call->req, DOOR_TOO_LARGE, 413, str_z(words));
        } else if (code != ERR_DENIED) {
            in->refused_busy++;
        }
        sentry_reply_code(call->req, code, str_z(words), str_z(call->limits));
        return;
    }
    if (call->over_refused) {
        over_rate(call);
        return;
    }
    struct door_look look = { .looked = false };
    in->records += call->counts.records;
    door_accept(in->door, call->req, -1, call->counts.records, &look);
    sentry_reply_ok(call->req, call->target.endpoint == SENTRY_CRON ? 202 : 200,
                    str_of(call->id, call->has_id ? SENTRY_ID_LEN : 0), str_z(call->limits));
}

// On the log thread.
static void committed(void *ctx, int result)
{
    struct sentry_call *call = ctx;
    struct ingest *in = call->in;
    MAGIC_CHECK(in, INGEST_MAGIC);
    answer(call, result, NULL);
    in->in_flight--;
}

// The key of the envelope's own header: the only one of browsers behind a tunnel, else one more that has to agree.
static int admit(struct sentry_call *call, bytes body, struct err *err)
{
    struct arena *arena = sentry_arena(call);
    struct sentry_envelope envelope;
    bool tunnel = call->target.endpoint == SENTRY_TUNNEL;
    int64_t project = call->project;
    str key = { 0 };
    if (call->target.endpoint != SENTRY_ENVELOPE && !tunnel)
        return 0; // let in by the request's head
    int r = sentry_envelope_open(body, arena, &envelope, err);
    if (r == 0 && envelope.dsn.len && !sentry_dsn_parse(envelope.dsn, &key, &project))
        r = err_set(err, ERR_DENIED, NULL, "the envelope's dsn is none");
    if (r == 0 && tunnel && !call->project)
        call->project = project;
    if (r == 0 && key.len && (project != call->project || (call->key.len && !str_eq(key, call->key))))
        r = err_set(err, ERR_DENIED, NULL, "the envelope's dsn is of another project or key than the request");
    if (r == ERR_DENIED)
        note(call->in, call->req, DOOR_BAD_AUTHORIZATION, 403, (str){ 0 });
    if (r == 0 && (tunnel || !call->key.len))
        r = key.len ? key_check(call, key) : no_key(call);
    arena_reset(arena);
    return r;
}

// Of a coded body whose key only the envelope shows: strangers have no more inflated than its head.
static bool head_admit(struct http_request *req, bytes head, void *ctx)
{
    struct sentry_call *call = ctx;
    struct err err = { 0 };
    MAGIC_CHECK(call->in, INGEST_MAGIC);
    int r = admit(call, head, &err);
    call->admitted = true;
    if (r < 0)
        answer(call, r, &err);
    return r == 0;
}

// The whole body is there, inflated.
static void handle(struct http_request *req, void *ctx)
{
    struct sentry_call *call = ctx;
    enum sentry_endpoint endpoint = call->target.endpoint;
    struct err err = { 0 };
    MAGIC_CHECK(call->in, INGEST_MAGIC);
    must(req->worker >= 0 && req->worker < INGEST_WORKERS_MAX);
    int r = call->admitted ? 0 : admit(call, req->body, &err);
    if (r == 0 && endpoint == SENTRY_TUNNEL)
        call->over_ms = quota_wait_ms(&call->in->quota, call->project, clock_mono_ns());
    // Two browsers may well report the same, and a job checks in again and again. What is told apart by more than its body is
    // safe to be stored again, too.
    bool same = endpoint == SENTRY_ENVELOPE || endpoint == SENTRY_STORE || endpoint == SENTRY_TUNNEL ||
                endpoint == SENTRY_MINIDUMP;
    struct ingest_storing storing = { .req = req,
                                      .project = call->project,
                                      .kind = KIND | endpoint,
                                      .unhashed = !same,
                                      .repeated = &call->repeated,
                                      .decode = store,
                                      .committed = committed,
                                      .call = call };
    if (r == 0 && (r = ingest_store(call->in, &storing, &err)) == INGEST_COMMITTING)
        return;
    call->counts.records = 0; // of a repeated one they were counted when they were stored
    answer(call, r, &err);
}

// Whether the request's head shows whose it is; an envelope's own head may do so later.
static int head_check(struct sentry_call *call)
{
    enum sentry_endpoint endpoint = call->target.endpoint;
    int r = sentry_auth_key(call->req, &call->key);
    if (r == 0 && call->target.key.len) {
        if (call->key.len && !str_eq(call->key, call->target.key))
            return ERR_DENIED;
        call->key = call->target.key;
    }
    if (r < 0 || endpoint == SENTRY_TUNNEL)
        return r;
    if (call->key.len)
        return key_check(call, call->key);
    return endpoint == SENTRY_ENVELOPE ? 0 : no_key(call);
}

void sentry_route(struct ingest *in, struct http_request *req, struct http_route *route)
{
    struct sentry_target target;
    MAGIC_CHECK(in, INGEST_MAGIC);
    must(target_of(in, req, &target));
    if (req->method == HTTP_OPTIONS) {
        sentry_reply_preflight(req);
        return;
    }
    if (req->method != HTTP_POST && !(target.endpoint == SENTRY_CRON && req->method == HTTP_GET)) {
        static const struct http_header allow = { STR_INIT("allow"), STR_INIT("POST, OPTIONS") };
        http_respond(req, 405, &allow, 1, (bytes){ 0 });
        return;
    }
    struct sentry_call *call = arena_zalloc(&req->arena, sizeof *call);
    int r = call ? 0 : ERR_NOMEM;
    if (r == 0) {
        call->in = in;
        call->req = req;
        call->target = target;
        call->project = target.project;
        r = head_check(call);
    }
    if (r < 0) {
        sentry_reply_code(req, r, (str){ 0 }, (str){ 0 });
        return;
    }
    if (target.endpoint != SENTRY_TUNNEL)
        call->over_ms = quota_wait_ms(&in->quota, call->project, clock_mono_ns());
    if (call->over_ms) {
        // What an SDK says of what it lost is let in at any rate; such envelopes are small.
        int64_t n;
        bool small = json_number_int(http_request_header(req, STR("content-length")), &n) && n <= OVER_BODY_MAX;
        if (target.endpoint != SENTRY_ENVELOPE || !small) {
            over_rate(call);
            return;
        }
    }
    in->requests++;
    route->handler = handle;
    if (target.endpoint == SENTRY_TUNNEL || !call->key.len) {
        route->head = head_admit;
        route->head_max = SENTRY_HEADER_MAX + 1; // a longer one is known to be too long
    }
    route->ctx = call;
    route->pool = in->options.pool;
    route->body_max = in->options.body_max;
    route->inflated_max = in->options.inflated_max;
    if (call->key.len && (target.endpoint == SENTRY_ENVELOPE || sentry_is_form(target.endpoint))) {
        // Large ones are for those who have shown their key first.
        route->body_max = in->options.envelope_max;
        route->inflated_max = in->options.envelope_max;
    }
}
