// Sessions, one by one or counted by the SDK, and check-ins of monitors.
#include "base/hash.h"
#include "wire/sentry_build.h"
#include "wire/sentry_items.h"

bool sentry_id_text(struct arena *arena, str sent, str *ret_text)
{
    uint8_t id[SENTRY_ID_TEXT / 2];
    str text = { 0 };
    if (sentry_id(sent, id)) {
        text = arena_printf(arena, "%016llx%016llx", (unsigned long long)be64_get(id),
                            (unsigned long long)be64_get(id + 8));
        if (!text.ptr)
            return false;
    }
    *ret_text = text;
    return true;
}

static struct sentry_sender sender_of(const struct sentry_source *from, const struct json_node *said)
{
    return (struct sentry_sender){ .release = json_get_text(said, STR("release")),
                                   .environment = json_get_text(said, STR("environment")),
                                   .sdk_name = json_get_text(from->sdk, STR("name")),
                                   .sdk_version = json_get_text(from->sdk, STR("version")) };
}

static bool seconds_of(const struct json_node *node, int64_t *ret_ns)
{
    double s;
    if (!json_is(node, JSON_NUMBER) || !json_number_double(node->text, &s) || !(s >= 0 && s < 9e9))
        return false;
    *ret_ns = (int64_t)(s * 1e9);
    return true;
}

// Who it was is needed for counting only.
static void put_distinct(struct sentry_build *b, const struct json_node *did)
{
    str text = json_is(did, JSON_STRING) || json_is(did, JSON_NUMBER) ? did->text : (str){ 0 };
    if (!text.len)
        return;
    str hashed = arena_printf(b->arena, "%016llx", (unsigned long long)hash64_str(text));
    if (hashed.ptr)
        sentry_put_text(b, ATTR_FIELD, STR("did"), hashed);
    else
        b->error = ERR_NOMEM;
}

static bool begin(struct sentry_build *b, const struct json_node *item)
{
    int64_t t;
    sentry_build_record(b, RECORD_SESSIONS);
    return sentry_time(json_get(item, STR("started")), &t) && sentry_shifted(b, t, &b->record.time);
}

static int put_one(struct sentry_build *b, const struct json_node *root)
{
    int64_t errors = 0;
    str status = json_get_text(root, STR("status")), sid;
    if (!begin(b, root) || !sentry_id_text(b->arena, json_get_text(root, STR("sid")), &sid))
        return ERR_MALFORMED;
    seconds_of(json_get(root, STR("duration")), &b->record.duration);
    json_int_of(json_get(root, STR("errors")), &errors);
    sentry_put_text(b, ATTR_FIELD, STR("sid"), sid);
    put_distinct(b, json_get(root, STR("did")));
    sentry_put_text(b, ATTR_FIELD, STR("status"), status.len ? status : STR("ok"));
    sentry_put(b, ATTR_FIELD, STR("init"), value_bool(json_is(json_get(root, STR("init")), JSON_TRUE)));
    sentry_put(b, ATTR_FIELD, STR("errors"), value_int(errors < 0 ? 0 : errors));
    sentry_put(b, ATTR_FIELD, STR("quantity"), value_int(1));
    sentry_put_node(b, ATTR_RECORD, STR("seq"), json_get(root, STR("seq")));
    sentry_put_node(b, ATTR_RECORD, STR("abnormal_mechanism"), json_get(root, STR("abnormal_mechanism")));
    return sentry_build_end(b);
}

static int put_aggregate(struct sentry_build *b, const struct json_node *item)
{
    static const struct {
        str name;
        bool errors;
    } statuses[] = { { STR_INIT("exited"), false },
                     { STR_INIT("errored"), true },
                     { STR_INIT("abnormal"), true },
                     { STR_INIT("unhandled"), true },
                     { STR_INIT("crashed"), true } };
    int r = 0;
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0] && r == 0; i++) {
        int64_t n;
        if (!json_int_of(json_get(item, statuses[i].name), &n) || n <= 0)
            continue;
        if (!begin(b, item)) {
            b->counts->dropped++;
            return 0;
        }
        put_distinct(b, json_get(item, STR("did")));
        sentry_put_text(b, ATTR_FIELD, STR("status"), statuses[i].name);
        sentry_put(b, ATTR_FIELD, STR("init"), value_bool(true));
        sentry_put(b, ATTR_FIELD, STR("errors"), value_int(statuses[i].errors));
        sentry_put(b, ATTR_FIELD, STR("quantity"), value_int(n));
        r = sentry_build_end(b);
    }
    return r;
}

int sentry_session_records(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                           const struct record_sink *sink, struct sentry_counts *counts)
{
    const struct json_node *attrs = json_get(root, STR("attrs")), *aggregates = json_get(root, STR("aggregates"));
    struct sentry_build *b = arena_alloc(arena, sizeof *b);
    uint32_t n = 0;
    if (!b)
        return ERR_NOMEM;
    if (!json_is(root, JSON_OBJECT))
        return ERR_MALFORMED;
    sentry_build_init(b, arena, from, sink, counts);
    struct sentry_sender sender = sender_of(from, attrs);
    int r = sentry_put_section(b, &sender);
    if (r == 0 && !json_is(aggregates, JSON_ARRAY))
        r = put_one(b, root);
    for (const struct json_node *a = json_first_of(aggregates, JSON_ARRAY); a && r == 0; a = a->next) {
        if (n++ == SENTRY_AGGREGATES_MAX) {
            counts->dropped += aggregates->n - SENTRY_AGGREGATES_MAX;
            break;
        }
        r = put_aggregate(b, a);
    }
    sentry_build_free(b);
    return r;
}

static str check_status(str sent)
{
    static const struct {
        str sent, status;
    } known[] = { { STR_INIT("ok"), STR_INIT("ok") },
                  { STR_INIT("error"), STR_INIT("error") },
                  { STR_INIT("in_progress"), STR_INIT("running") },
                  { STR_INIT("missed"), STR_INIT("missed") },
                  { STR_INIT("timeout"), STR_INIT("timeout") } };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(sent, known[i].sent))
            return known[i].status;
    return (str){ 0 };
}

int sentry_check_record(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                        const struct record_sink *sink, struct sentry_counts *counts)
{
    str slug = json_get_text(root, STR("monitor_slug")), status = check_status(json_get_text(root, STR("status"))), id;
    struct sentry_build *b = arena_alloc(arena, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    if (!slug.len || !status.len)
        return ERR_MALFORMED;
    sentry_build_init(b, arena, from, sink, counts);
    struct sentry_sender sender = sender_of(from, root);
    int r = sentry_put_section(b, &sender);
    sentry_build_record(b, RECORD_CHECKS);
    if (!sentry_id_text(arena, json_get_text(root, STR("check_in_id")), &id))
        b->error = ERR_NOMEM;
    b->record.name = slug;
    b->record.time = from->received_ns; // a check-in has no time of its own
    if (seconds_of(json_get(root, STR("duration")), &b->record.duration))
        b->record.time -= b->record.duration < b->record.time ? b->record.duration : 0; // when it began
    const struct json_node *trace = json_get(json_get(root, STR("contexts")), STR("trace"));
    sentry_put_trace(b, trace ? trace : from->trace);
    sentry_put_text(b, ATTR_FIELD, STR("status"), status);
    sentry_put_text(b, ATTR_RECORD, STR("check_in_id"), id);
    sentry_put_node(b, ATTR_RECORD, STR("monitor_config"), json_get(root, STR("monitor_config")));
    if (r == 0)
        r = sentry_build_end(b);
    sentry_build_free(b);
    return r;
}
