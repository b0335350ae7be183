// A whole envelope: framing, scrubbing, events, transactions, containers, payloads.
#include "otlp_check.h"

#include "wire/sentry.h"
#include "wire/sentry_envelope.h"
#include "wire/sentry_items.h"
#include "wire/sentry_payload.h"
#include "wire/sentry_scrub.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void event(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                  const struct record_sink *sink)
{
    struct sentry_event e;
    struct sentry_packer packer;
    struct sentry_extras extras = { 0 };
    struct sentry_counts counts = { 0 };
    struct buf out;
    if (sentry_event_read(root, arena, &e, NULL) < 0)
        return;
    buf_init(&out, SENTRY_PAYLOAD_MAX);
    sentry_packer_init(&packer);
    must(sentry_payload_pack(&packer, root, &extras.payload) == 0);
    must(sentry_payload_open(extras.payload, &out) == 0 && str_eq(buf_view(&out), buf_view(&packer.json)));
    sentry_error_record(&e, from, &extras, arena, sink, &counts);
    sentry_transaction_records(&e, from, arena, sink, &counts);
    sentry_packer_free(&packer);
    buf_free(&out);
}

static int security(void *ctx, str json, struct err *err)
{
    struct arena *arena = ctx;
    const struct json_node *root;
    struct sentry_event e;
    must(json_tree_read(json, arena, SENTRY_EVENT_DEPTH + 8, &root, err) != ERR_MALFORMED); // what we write can be read
    return json_is(root, JSON_OBJECT) ? sentry_event_read(root, arena, &e, err) : 0;
}

// Each decoder takes any JSON.
static void others(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                   const struct record_sink *sink)
{
    struct sentry_counts counts = { 0 };
    struct sentry_profile profile;
    struct sentry_replay replay;
    struct sentry_feedback feedback;
    struct sentry_security_origin origin = { 0 };
    struct err err;
    sentry_session_records(root, from, arena, sink, &counts);
    sentry_check_record(root, from, arena, sink, &counts);
    sentry_client_report_records(root, from, arena, sink, &counts, NULL, NULL);
    sentry_buckets_records(root, from, arena, sink, &counts);
    sentry_nel_records(root, from, arena, sink, &counts);
    if (sentry_profile_record(root, from, arena, sink, &counts, &profile) == 0)
        must(profile.profile.len == SENTRY_ID_TEXT);
    if (sentry_replay_read(root, arena, &replay) == 0)
        must(replay.replay.len == SENTRY_ID_TEXT);
    sentry_feedback_read(root, arena, &feedback);
    sentry_security_events(root, &origin, arena, &counts, security, arena, &err);
}

static void item(const struct sentry_item *it, const struct sentry_source *from, struct arena *arena)
{
    static const str types[] = { STR_INIT("span"), STR_INIT("log"), STR_INIT("trace_metric") };
    bool section = false;
    struct record_sink sink = { &section, otlp_check_section, otlp_check_record };
    struct sentry_remarks remarks;
    struct sentry_counts counts = { 0 };
    const struct json_node *root;
    int64_t segment;
    sentry_recording_segment(it->payload, arena, &segment);
    sentry_statsd_records(str_of_bytes(it->payload), from, arena, &sink, &counts);
    if (json_tree_read(str_of_bytes(it->payload), arena, SENTRY_EVENT_DEPTH, &root, NULL) < 0 ||
        sentry_scrub(root, arena, &remarks) < 0)
        return;
    must(remarks.n <= remarks.removed);
    event(root, from, arena, &sink);
    others(root, from, arena, &sink);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        sentry_container_records(types[i], root, from, arena, &sink, &counts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct sentry_envelope e;
    struct sentry_item it;
    struct err err;
    int r;
    arena_init(&arena, 16 << 20);
    if (sentry_envelope_open(bytes_of(data, size), &arena, &e, &err) == 0) {
        struct sentry_source from = { .service = STR("shop"),
                                      .event_id = STR("0"),
                                      .received_ns = 1795881740000000000 };
        from.shift_ns = sentry_clock_shift(e.sent_at, from.received_ns);
        from.trace = json_get(e.header, STR("trace"));
        while ((r = sentry_envelope_next(&e, &it, &err)) > 0)
            item(&it, &from, &arena);
        must(r == 0 || err.message[0]);
    }
    arena_free(&arena);
    return 0;
}
