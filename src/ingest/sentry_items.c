// Items of envelopes, by their type. What is no record is kept as an artifact, and is on disk before the records are.
#include "ingest/sentry_internal.h"

#include "base/json.h"
#include "wire/minidump.h"

#include <stdio.h>

int sentry_json_parse(struct sentry_call *call, str json, const struct json_node **ret_root, struct err *err)
{
    if (json.len > call->in->options.item_max)
        return err_set(err, ERR_LIMIT, NULL, "an item is larger than %zu bytes", call->in->options.item_max);
    int r = json_tree_read(json, sentry_arena(call), SENTRY_EVENT_DEPTH, ret_root, err);
    if (r == ERR_NOMEM) // it would not fit the next time, either
        r = err_set(err, ERR_LIMIT, NULL, "an item holds too many values");
    return r;
}

int sentry_json_read(struct sentry_call *call, str json, const struct json_node **ret_root, struct err *err)
{
    const struct json_node *root;
    int r = sentry_json_parse(call, json, &root, err);
    if (r == 0)
        r = sentry_remove(call, root, NULL);
    if (r == 0)
        *ret_root = root;
    return r;
}

// --- artifacts

int sentry_keep(struct sentry_call *call, const struct artifact *ref, bytes content)
{
    struct sentry_kept *k = arena_zalloc(sentry_arena(call), sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->item.ref = *ref;
    k->item.ref.project = (uint32_t)call->project;
    k->item.content = content;
    *call->kept_end = k;
    call->kept_end = &k->next;
    call->kept_n++;
    return 0;
}

// Their categories, as SDKs know them.
static const char *category_of(enum artifact_kind kind)
{
    switch (kind) {
    case ARTIFACT_REPLAY:
    case ARTIFACT_REPLAY_EVENT:
    case ARTIFACT_REPLAY_VIDEO:
        return "replay";
    case ARTIFACT_PROFILE:
        return "profile";
    case ARTIFACT_PROFILE_CHUNK:
        return "profile_chunk";
    default:
        return "attachment";
    }
}

static void say_full(struct sentry_call *call)
{
    enum { FULL_S = 60 };
    char names[96] = "";
    size_t n = 0;
    for (const struct sentry_kept *k = call->kept; k; k = k->next) {
        const char *name = category_of(k->item.ref.kind);
        if (!strstr(names, name) || (strcmp(name, "profile") == 0 && n == 0))
            n += (size_t)snprintf(names + n, sizeof names - n, "%s%s", n ? ";" : "", name);
    }
    snprintf(call->limits, sizeof call->limits, "%d:%s:organization:no_space", FULL_S, names);
}

int sentry_kept_put(struct sentry_call *call, struct err *err)
{
    struct ingest *in = call->in;
    size_t n = 0;
    if (!call->kept_n || call->repeated)
        return 0;
    struct artifact_item *items = arena_alloc_array(sentry_arena(call), call->kept_n, sizeof *items);
    if (!items)
        return ERR_NOMEM;
    for (const struct sentry_kept *k = call->kept; k; k = k->next)
        items[n++] = k->item;
    int r = artifact_put_all(in->options.artifacts, items, n, err);
    if (r == 0) {
        in->sentry_artifacts += n;
        return 0;
    }
    if (r != ERR_NOSPC)
        return r;
    say_full(call);
    in->sentry_artifacts_refused += n;
    return call->counts.records ? 0 : r;
}

static str event_id_of(struct sentry_call *call)
{
    sentry_id_make(call, (str){ 0 });
    return str_of(call->id, SENTRY_ID_LEN);
}

static int too_large(const struct sentry_call *call, const struct sentry_item *item, struct err *err)
{
    size_t max = call->in->options.attachment_max;
    if (item->payload.len <= max)
        return 0;
    return err_set(err, ERR_LIMIT, NULL, "an attachment is larger than %zu bytes", max);
}

// One of a trace, and of no event: a head of JSON, then the content.
static int trace_attachment(struct sentry_call *call, const struct sentry_item *item, int64_t meta, struct artifact *a,
                            bytes *content, struct err *err)
{
    const struct json_node *root;
    str *trace = arena_zalloc(sentry_arena(call), sizeof *trace);
    if (!trace)
        return ERR_NOMEM;
    if (meta < 0 || (uint64_t)meta > item->payload.len)
        return ERR_MALFORMED;
    int r = json_tree_read(str_of(item->payload.ptr, (size_t)meta), sentry_arena(call), 16, &root, err);
    if (r < 0)
        return r;
    if (!sentry_id_text(sentry_arena(call), json_get_text(root, STR("trace_id")), trace))
        return ERR_NOMEM;
    a->name = json_get_text(root, STR("filename"));
    a->content_type = json_get_text(root, STR("content_type"));
    a->traces = trace;
    a->traces_n = trace->len > 0;
    *content = bytes_of(item->payload.ptr + meta, item->payload.len - (size_t)meta);
    return 0;
}

static int attachment_store(struct sentry_call *call, const struct sentry_item *item, struct err *err)
{
    struct artifact a = { .kind = ARTIFACT_ATTACHMENT,
                          .name = item->filename,
                          .content_type = item->content_type,
                          .type = item->attachment_type };
    bytes content = item->payload;
    int64_t meta;
    int r = too_large(call, item, err);
    if (r < 0)
        return r;
    if (json_int_of(json_get(item->header, STR("meta_length")), &meta)) {
        r = trace_attachment(call, item, meta, &a, &content, err);
        return r < 0 ? r : sentry_keep(call, &a, content);
    }
    if (str_eq(a.type, STR("event.minidump"))) {
        a.kind = ARTIFACT_MINIDUMP;
        call->crash_type = STR("Minidump");
    } else if (str_eq(a.type, STR("event.applecrashreport"))) {
        a.kind = ARTIFACT_APPLE_CRASH_REPORT;
        call->crash_type = STR("AppleCrashReport");
    }
    call->has_crash |= a.kind != ARTIFACT_ATTACHMENT;
    a.event = event_id_of(call);
    return sentry_keep(call, &a, content);
}

static int profile_store(struct sentry_call *call, const struct sentry_item *item, const struct json_node *root,
                         struct sentry_source *from, const struct record_sink *sink)
{
    struct sentry_profile *p = arena_alloc(sentry_arena(call), sizeof *p);
    if (!p)
        return ERR_NOMEM;
    int r = sentry_profile_record(root, from, sentry_arena(call), sink, &call->counts, p);
    if (r < 0)
        return r;
    struct artifact a = { .kind = p->chunk.len ? ARTIFACT_PROFILE_CHUNK : ARTIFACT_PROFILE,
                          .content_type = STR("application/json"),
                          .event = p->event,
                          .profile = p->profile,
                          .chunk = p->chunk,
                          .traces = p->traces,
                          .traces_n = p->traces_n,
                          .time = p->time };
    return sentry_keep(call, &a, item->payload);
}

static int replay_event_store(struct sentry_call *call, const struct json_node *root)
{
    struct sentry_replay *p = arena_alloc(sentry_arena(call), sizeof *p);
    struct buf json;
    struct json_writer w;
    str kept;
    if (!p)
        return ERR_NOMEM;
    int r = sentry_replay_read(root, sentry_arena(call), p);
    if (r < 0)
        return r;
    buf_init(&json, call->in->options.item_max * 2);
    json_writer_init(&w, &json);
    json_put_tree(&w, root); // as it was scrubbed
    r = json.error ? json.error : arena_dup(sentry_arena(call), buf_view(&json), &kept);
    buf_free(&json);
    if (r < 0)
        return r;
    call->replay = p->replay;
    call->replay_traces = p->traces;
    call->replay_traces_n = p->traces_n;
    struct artifact a = { .kind = ARTIFACT_REPLAY_EVENT,
                          .content_type = STR("application/json"),
                          .replay = p->replay,
                          .segment = p->segment,
                          .traces = p->traces,
                          .traces_n = p->traces_n,
                          .time = p->time };
    return sentry_keep(call, &a, bytes_of_str(kept));
}

static int recording_store(struct sentry_call *call, const struct sentry_item *item, struct err *err)
{
    bool video = str_eq(item->type, STR("replay_video"));
    struct artifact a = { .kind = video ? ARTIFACT_REPLAY_VIDEO : ARTIFACT_REPLAY,
                          .content_type = item->content_type,
                          .traces = call->replay_traces,
                          .traces_n = call->replay_traces_n };
    int r = too_large(call, item, err);
    if (r == 0 && !video)
        r = sentry_recording_segment(item->payload, sentry_arena(call), &a.segment);
    if (r < 0)
        return r;
    a.replay = call->replay.len ? call->replay : event_id_of(call);
    return sentry_keep(call, &a, item->payload);
}

static int feedback_store(struct sentry_call *call, const struct json_node *root, const struct sentry_source *from,
                          struct err *err)
{
    struct sentry_feedback f;
    int r = sentry_feedback_read(root, sentry_arena(call), &f);
    if (r < 0)
        return r;
    if (!f.own.len && str_eq(f.source, STR("user_report")) && !f.event.len)
        return ERR_MALFORMED;
    if (call->repeated)
        return 0;
    struct feedback put = { .project = (uint32_t)call->project,
                            .event = f.event,
                            .own = f.own,
                            .replay = f.replay,
                            .trace = f.trace,
                            .name = f.name,
                            .email = f.email,
                            .comments = f.comments,
                            .url = f.url,
                            .source = f.source,
                            .time = f.time ? f.time : from->received_ns };
    return feedback_put(call->in->options.artifacts, &put, err);
}

// --- events that others make

static void put_text(struct json_writer *w, str key, str text)
{
    json_put_key(w, key);
    json_put_str(w, text);
}

// What is known of the crash: read from its minidump when that can be.
static int put_crash(struct sentry_call *call, struct json_writer *w)
{
    struct arena *arena = sentry_arena(call);
    bool dump = str_eq(call->crash_type, STR("Minidump"));
    struct minidump *m = arena_alloc(arena, sizeof *m);
    int r = m ? ERR_MALFORMED : ERR_NOMEM;
    if (m && dump)
        r = minidump_read(call->dump, arena, m);
    if (r == ERR_NOMEM)
        return r;
    if (r == 0) {
        minidump_put_images(w, m);
        return minidump_put_exception(w, m, arena);
    }
    json_put_key(w, STR("exception"));
    json_put_raw(
        w, dump ? STR("{\"values\":[{\"type\":\"Minidump\",\"value\":\"the process crashed; its minidump is kept with "
                      "the event\",\"mechanism\":{\"type\":\"minidump\",\"handled\":false,\"synthetic\":true}}]}")
                : STR("{\"values\":[{\"type\":\"AppleCrashReport\",\"value\":\"the process crashed; its report is kept "
                      "with the event\",\"mechanism\":{\"type\":\"applecrashreport\",\"handled\":false,"
                      "\"synthetic\":true}}]}"));
    return 0;
}

int sentry_crash_store(struct sentry_call *call, const struct json_node *said, const struct json_node *extra,
                       struct sentry_source *from, const struct record_sink *sink, struct err *err)
{
    // Members that are not as they were said.
    static const str own[] = { STR_INIT("level"), STR_INIT("platform"), STR_INIT("exception"), STR_INIT("debug_meta"),
                               STR_INIT("extra") };
    enum { EXTRA = sizeof own / sizeof own[0] - 1 };
    struct buf json;
    struct json_writer w;
    buf_init(&json, call->in->options.event_max);
    json_writer_init(&w, &json);
    json_put_object(&w);
    for (const struct json_node *m = json_first_of(said, JSON_OBJECT); m; m = m->next) {
        bool ours = false;
        for (size_t i = 0; i <= EXTRA; i++)
            ours |= str_eq(m->key, own[i]) && (i != EXTRA || extra);
        if (!ours) {
            json_put_key(&w, m->key);
            json_put_tree(&w, m);
        }
    }
    put_text(&w, STR("level"), STR("fatal"));
    put_text(&w, STR("platform"), str_eq(call->crash_type, STR("Minidump")) ? STR("native") : STR("cocoa"));
    if (extra) {
        json_put_key(&w, STR("extra"));
        json_put_tree(&w, extra);
    }
    int r = put_crash(call, &w);
    json_put_object_end(&w);
    if (r == 0)
        r = json.error ? json.error : sentry_event_store(call, buf_view(&json), from, sink, err);
    buf_free(&json);
    return r;
}

// An event of a crash that is told by its minidump, and by the event when it has an exception of its own.
static int crash_event_store(struct sentry_call *call, str text, struct sentry_source *from,
                             const struct record_sink *sink, struct err *err)
{
    const struct json_node *root;
    int r = sentry_json_parse(call, text, &root, err);
    if (r < 0)
        return r;
    if (json_get(root, STR("exception")))
        return sentry_event_store(call, text, from, sink, err);
    call->crash_type = STR("Minidump");
    return sentry_crash_store(call, root, NULL, from, sink, err);
}

struct security {
    struct sentry_call *call;
    struct sentry_source *from;
    const struct record_sink *sink;
};

static int security_event(void *ctx, str json, struct err *err)
{
    struct security *s = ctx;
    struct arena *arena = sentry_arena(s->call);
    struct arena_mark mark = arena_mark(arena);
    s->call->has_id = false; // each is an event of its own
    int r = sentry_event_store(s->call, json, s->from, s->sink, err);
    arena_rewind(arena, mark);
    return r;
}

int sentry_security_store(struct sentry_call *call, str json, const struct sentry_security_origin *origin,
                          struct sentry_source *from, const struct record_sink *sink, struct err *err)
{
    struct security s = { call, from, sink };
    const struct json_node *root;
    uint32_t before = call->counts.records + call->filtered_n;
    int r = sentry_json_parse(call, json, &root, err); // what is made of it is an event, and cleaned as one
    if (r == 0)
        r = sentry_security_events(root, origin, sentry_arena(call), &call->counts, security_event, &s, err);
    if (r == 0 && call->counts.records + call->filtered_n == before)
        r = err_set(err, ERR_MALFORMED, NULL, "there is no report of a kind that is known");
    return r;
}

// --- dispatch

enum kind {
    EVENT,
    CONTAINER,
    ATTACHMENT,
    PROFILE,
    REPLAY_EVENT,
    RECORDING,
    FEEDBACK,
    SESSION,
    CHECK,
    REPORT,
    STATSD,
    BUCKETS,
    NEL,
    SECURITY,
    KINDS
};
static const struct {
    str type;
    enum kind kind;
} types[] = {
    { STR_INIT("event"), EVENT },
    { STR_INIT("transaction"), EVENT },
    { STR_INIT("security"), EVENT },
    { STR_INIT("span"), CONTAINER },
    { STR_INIT("log"), CONTAINER },
    { STR_INIT("trace_metric"), CONTAINER },
    { STR_INIT("attachment"), ATTACHMENT },
    { STR_INIT("profile"), PROFILE },
    { STR_INIT("profile_chunk"), PROFILE },
    { STR_INIT("replay_event"), REPLAY_EVENT },
    { STR_INIT("replay_recording"), RECORDING },
    { STR_INIT("replay_video"), RECORDING },
    { STR_INIT("feedback"), FEEDBACK },
    { STR_INIT("user_report"), FEEDBACK },
    { STR_INIT("session"), SESSION },
    { STR_INIT("sessions"), SESSION },
    { STR_INIT("check_in"), CHECK },
    { STR_INIT("client_report"), REPORT },
    { STR_INIT("statsd"), STATSD },
    { STR_INIT("metric_buckets"), BUCKETS },
    { STR_INIT("nel"), NEL },
    { STR_INIT("raw_security"), SECURITY },
};

static enum kind kind_of(str type)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (str_eq(type, types[i].type))
            return types[i].kind;
    return KINDS;
}

static void lost_each(void *ctx, const struct sentry_lost *lost)
{
    struct sentry_call *call = ctx;
    if (!call->repeated)
        door_lost(call->in->door, call->req, lost->outcome, lost->reason, lost->category, (uint64_t)lost->quantity);
}

int sentry_item_store(struct sentry_call *call, const struct sentry_item *item, struct sentry_source *from,
                      const struct record_sink *sink, struct err *err)
{
    struct arena *arena = sentry_arena(call);
    struct sentry_counts *counts = &call->counts;
    const struct json_node *root = NULL;
    str text = str_of_bytes(item->payload);
    enum kind kind = kind_of(item->type);
    if (kind == KINDS)
        return ERR_UNSUPPORTED;
    if (call->over_ms && kind != REPORT) {
        call->over_refused = true;
        return 0;
    }
    bool json = kind != EVENT && kind != ATTACHMENT && kind != RECORDING && kind != STATSD && kind != SECURITY;
    int r = json ? sentry_json_parse(call, text, &root, err) : 0;
    if (r == 0 && sentry_item_filtered(call, item, root, from))
        return 0;
    if (r == 0 && json)
        r = sentry_remove(call, root, NULL);
    if (r < 0)
        return r;
    struct sentry_security_origin origin = { .release = json_get_text(item->header, STR("sentry_release")),
                                             .environment = json_get_text(item->header, STR("sentry_environment")) };
    switch (kind) {
    case EVENT:
        call->has_event |= str_eq(item->type, STR("event"));
        from->transaction = str_eq(item->type, STR("transaction"));
        if (call->dump.len && str_eq(item->type, STR("event")))
            return crash_event_store(call, text, from, sink, err);
        r = sentry_event_store(call, text, from, sink, err);
        from->transaction = false;
        return r;
    case CONTAINER:
        return sentry_container_records(item->type, root, from, arena, sink, counts);
    case ATTACHMENT:
        return attachment_store(call, item, err);
    case PROFILE:
        return profile_store(call, item, root, from, sink);
    case REPLAY_EVENT:
        return replay_event_store(call, root);
    case RECORDING:
        return recording_store(call, item, err);
    case FEEDBACK:
        return feedback_store(call, root, from, err);
    case SESSION:
        return sentry_session_records(root, from, arena, sink, counts);
    case CHECK:
        return sentry_check_record(root, from, arena, sink, counts);
    case REPORT:
        return sentry_client_report_records(root, from, arena, sink, counts, lost_each, call);
    case STATSD:
        return text.len > call->in->options.item_max
                   ? err_set(err, ERR_LIMIT, NULL, "an item is larger than %zu bytes", call->in->options.item_max)
                   : sentry_statsd_records(text, from, arena, sink, counts);
    case BUCKETS:
        return sentry_buckets_records(root, from, arena, sink, counts);
    case NEL:
        return sentry_nel_records(root, from, arena, sink, counts);
    default:
        return sentry_security_store(call, text, &origin, from, sink, err);
    }
}
