// Profiles and replays: what is needed to find them. The samples and recordings themselves are kept as they were sent.
#include "wire/sentry_build.h"
#include "wire/sentry_items.h"

enum { SAMPLES_MAX = 1000000 };

static int64_t int_text(const struct json_node *node)
{
    int64_t i = 0;
    json_int_of(node, &i);
    return i;
}

static void trace_add(struct sentry_profile *p, str trace)
{
    for (uint32_t i = 0; i < p->traces_n; i++)
        if (str_eq(p->traces[i], trace))
            return;
    if (trace.len && p->traces_n < sizeof p->traces / sizeof p->traces[0])
        p->traces[p->traces_n++] = trace;
}

// First and last sample of a chunk: their own times. Of a profile: since its start.
static void put_span_of_samples(struct sentry_build *b, const struct json_node *samples, bool chunk)
{
    const struct json_node *last = json_first_of(samples, JSON_ARRAY), *first = last;
    int64_t t, begin = 0, end = 0;
    if (!first)
        return;
    for (uint32_t n = 0; last->next && n < SAMPLES_MAX; n++)
        last = last->next;
    if (!chunk) {
        end = int_text(json_get(last, STR("elapsed_since_start_ns")));
        b->record.duration = end > 0 ? end : 0;
    } else if (sentry_time(json_get(first, STR("timestamp")), &begin) &&
               sentry_time(json_get(last, STR("timestamp")), &end) && sentry_shifted(b, begin, &t)) {
        b->record.time = t;
        b->record.duration = end > begin ? end - begin : 0;
    }
}

static bool ids_read(const struct json_node *root, bool chunk, struct arena *arena, struct sentry_profile *p)
{
    const struct json_node *transaction = json_get(root, STR("transaction"));
    const struct json_node *t = json_first_of(json_get(root, STR("transactions")), JSON_ARRAY);
    str id = json_get_text(root, chunk ? STR("profiler_id") : STR("profile_id")), trace;
    if (!chunk && !id.len)
        id = json_get_text(root, STR("event_id"));
    if (!sentry_id_text(arena, id, &p->profile) ||
        !sentry_id_text(arena, json_get_text(root, STR("chunk_id")), &p->chunk) ||
        !sentry_id_text(arena, json_get_text(transaction, STR("id")), &p->event))
        return false;
    const struct json_node *context = json_get(json_get(root, STR("contexts")), STR("trace"));
    str said[] = { json_get_text(transaction, STR("trace_id")), json_get_text(context, STR("trace_id")),
                   json_get_text(root, STR("trace_id")) };
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++) {
        if (!sentry_id_text(arena, said[i], &trace))
            return false;
        trace_add(p, trace);
    }
    for (; t; t = t->next) {
        if (!sentry_id_text(arena, json_get_text(t, STR("trace_id")), &trace))
            return false;
        trace_add(p, trace);
    }
    return true;
}

int sentry_profile_record(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                          const struct record_sink *sink, struct sentry_counts *counts,
                          struct sentry_profile *ret_profile)
{
    struct sentry_profile p = { 0 };
    const struct json_node *profile = json_get(root, STR("profile")), *samples = json_get(profile, STR("samples"));
    const struct json_node *sdk = json_get(root, STR("client_sdk")), *transaction = json_get(root, STR("transaction"));
    bool chunk = json_get(root, STR("chunk_id")) != NULL;
    struct sentry_build *b = arena_alloc(arena, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    if (!json_is(root, JSON_OBJECT))
        return ERR_MALFORMED;
    if (!ids_read(root, chunk, arena, &p))
        return ERR_NOMEM;
    if (!p.profile.len)
        return ERR_MALFORMED;
    if (!json_is(sdk, JSON_OBJECT))
        sdk = from->sdk;
    sentry_build_init(b, arena, from, sink, counts);
    struct sentry_sender sender = { .release = json_get_text(root, STR("release")),
                                    .environment = json_get_text(root, STR("environment")),
                                    .server_name = json_get_text(root, STR("server_name")),
                                    .platform = json_get_text(root, STR("platform")),
                                    .sdk_name = json_get_text(sdk, STR("name")),
                                    .sdk_version = json_get_text(sdk, STR("version")) };
    int r = sentry_put_section(b, &sender);
    sentry_build_record(b, RECORD_PROFILES);
    if (!sentry_time(json_get(root, STR("timestamp")), &b->record.time) ||
        !sentry_shifted(b, b->record.time, &b->record.time))
        b->record.time = from->received_ns;
    put_span_of_samples(b, samples, chunk);
    p.time = b->record.time;
    uint8_t id[16];
    if (p.traces_n && sentry_id(p.traces[0], id)) {
        memcpy(b->record.trace, id, sizeof id);
        b->record.has_trace = true;
    }
    b->record.name = chunk ? STR("profile_chunk") : STR("profile");
    sentry_put_text(b, ATTR_FIELD, STR("type"), STR("wall"));
    sentry_put_text(b, ATTR_FIELD, STR("unit"), STR("samples"));
    sentry_put(b, ATTR_FIELD, STR("value"), value_int(json_is(samples, JSON_ARRAY) ? (int64_t)samples->n : 0));
    sentry_put_text(b, ATTR_FIELD, STR("profile"), p.profile);
    sentry_put_text(b, ATTR_FIELD, STR("chunk"), p.chunk);
    sentry_put_text(b, ATTR_FIELD, STR("platform"), sender.platform);
    sentry_put_text(b, ATTR_FIELD, STR("transaction"), json_get_text(transaction, STR("name")));
    sentry_put_text(b, ATTR_RECORD, STR("event_id"), p.event);
    if (r == 0)
        r = sentry_build_end(b);
    sentry_build_free(b);
    if (r == 0)
        *ret_profile = p;
    return r;
}

int sentry_replay_read(const struct json_node *root, struct arena *arena, struct sentry_replay *ret_replay)
{
    struct sentry_replay p = { 0 };
    const struct json_node *t = json_first_of(json_get(root, STR("trace_ids")), JSON_ARRAY);
    if (!sentry_id_text(arena, json_get_text(root, STR("replay_id")), &p.replay))
        return ERR_NOMEM;
    if (!p.replay.len)
        return ERR_MALFORMED;
    p.segment = int_text(json_get(root, STR("segment_id")));
    sentry_time(json_get(root, STR("timestamp")), &p.time);
    for (; t && p.traces_n < sizeof p.traces / sizeof p.traces[0]; t = t->next) {
        if (!sentry_id_text(arena, json_text_of(t), &p.traces[p.traces_n]))
            return ERR_NOMEM;
        p.traces_n += p.traces[p.traces_n].len > 0;
    }
    *ret_replay = p;
    return 0;
}

int sentry_recording_segment(bytes recording, struct arena *arena, int64_t *ret_segment)
{
    enum { LINE_MAX_BYTES = 256 };
    size_t most = recording.len < LINE_MAX_BYTES ? recording.len : LINE_MAX_BYTES;
    const uint8_t *end = most ? memchr(recording.ptr, '\n', most) : NULL;
    const struct json_node *root;
    if (!end)
        return ERR_MALFORMED;
    int r = json_tree_read(str_of(recording.ptr, (size_t)(end - recording.ptr)), arena, 4, &root, NULL);
    if (r == ERR_NOMEM)
        return r;
    return r == 0 && json_int_of(json_get(root, STR("segment_id")), ret_segment) ? 0 : ERR_MALFORMED;
}

int sentry_feedback_read(const struct json_node *root, struct arena *arena, struct sentry_feedback *ret_feedback)
{
    struct sentry_feedback f = { 0 };
    const struct json_node *contexts = json_get(root, STR("contexts")), *said = json_get(contexts, STR("feedback"));
    bool report = !json_is(said, JSON_OBJECT); // the older form
    str event = json_get_text(report ? root : said, report ? STR("event_id") : STR("associated_event_id"));
    if (!json_is(root, JSON_OBJECT))
        return ERR_MALFORMED;
    if (report)
        said = root;
    f.comments = json_get_text(said, report ? STR("comments") : STR("message"));
    f.email = json_get_text(said, report ? STR("email") : STR("contact_email"));
    f.name = json_get_text(said, STR("name"));
    f.url = json_get_text(said, STR("url"));
    f.source = report ? STR("user_report") : json_get_text(said, STR("source"));
    if (!sentry_id_text(arena, event, &f.event) ||
        !sentry_id_text(arena, report ? (str){ 0 } : json_get_text(root, STR("event_id")), &f.own) ||
        !sentry_id_text(arena, json_get_text(said, STR("replay_id")), &f.replay) ||
        !sentry_id_text(arena, json_get_text(json_get(contexts, STR("trace")), STR("trace_id")), &f.trace))
        return ERR_NOMEM;
    sentry_time(json_get(root, STR("timestamp")), &f.time);
    if (!f.comments.len && !(report && f.event.len))
        return ERR_MALFORMED;
    *ret_feedback = f;
    return 0;
}
