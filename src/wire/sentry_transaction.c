// A transaction as spans: its segment and what is in `spans`.
#include "wire/sentry_build.h"

static void put_status(struct sentry_build *b, str status)
{
    if (!status.len)
        return;
    b->record.status = str_eq(status, STR("ok")) ? STATUS_OK : STATUS_ERROR;
    if (b->record.status == STATUS_ERROR)
        sentry_put_text(b, ATTR_FIELD, STR("message"), status);
}

static void put_measurements(struct sentry_build *b, const struct json_node *measurements)
{
    for (const struct json_node *m = json_first_of(measurements, JSON_OBJECT); m; m = m->next) {
        str key = arena_printf(b->arena, "measurements.%.*s", STR_ARG(m->key));
        if (key.ptr)
            sentry_put_node(b, ATTR_RECORD, key, json_get(m, STR("value")));
        else
            b->error = ERR_NOMEM;
    }
}

// What the segment (in contexts.trace) and a span say of themselves.
static void put_span(struct sentry_build *b, const struct json_node *span, int64_t start, int64_t end)
{
    str op = json_get_text(span, STR("op"));
    b->record.time = start;
    b->record.duration = end - start;
    b->record.kind = sentry_span_kind(op);
    put_status(b, json_get_text(span, STR("status")));
    sentry_put_text(b, ATTR_RECORD, STR("sentry.op"), op);
    sentry_put_text(b, ATTR_RECORD, STR("sentry.origin"), json_get_text(span, STR("origin")));
    sentry_put_members(b, (str){ 0 }, json_get(span, STR("data")));
}

static int put_child(struct sentry_build *b, const struct json_node *span)
{
    str op = json_get_text(span, STR("op")), text = json_get_text(span, STR("description"));
    int64_t start = 0, end = 0;
    sentry_build_record(b, RECORD_SPANS);
    if (!sentry_put_trace(b, span) || !b->record.span || !sentry_time(json_get(span, STR("start_timestamp")), &start) ||
        !sentry_shifted(b, start, &start)) {
        b->counts->dropped++;
        return 0;
    }
    if (!sentry_time(json_get(span, STR("timestamp")), &end) || !sentry_shifted(b, end, &end))
        end = start;
    b->record.name = text.len ? text : op;
    put_span(b, span, start, end);
    if (str_starts(op, STR("db")))
        sentry_put_text(b, ATTR_RECORD, STR("db.query.text"), text);
    sentry_put_members(b, (str){ 0 }, json_get(span, STR("tags")));
    put_measurements(b, json_get(span, STR("measurements")));
    return sentry_build_end(b);
}

static int put_segment(struct sentry_build *b, const struct sentry_event *e, int64_t start, int64_t end)
{
    sentry_build_record(b, RECORD_SPANS);
    if (!sentry_put_trace(b, e->trace) || !b->record.span) {
        b->counts->dropped++;
        return 0;
    }
    b->record.name = e->name.len ? e->name : json_get_text(e->trace, STR("op"));
    put_span(b, e->trace, start, end);
    sentry_put_text(b, ATTR_RECORD, STR("sentry.transaction.source"),
                    json_get_text(json_get(e->node, STR("transaction_info")), STR("source")));
    sentry_put_text(b, ATTR_RECORD, STR("sentry.event_id"), b->from->event_id);
    put_measurements(b, json_get(e->node, STR("measurements")));
    sentry_put_common(b, e);
    return sentry_build_end(b);
}

int sentry_transaction_records(const struct sentry_event *e, const struct sentry_source *from, struct arena *arena,
                               const struct record_sink *sink, struct sentry_counts *counts)
{
    struct sentry_build *b = arena_alloc(arena, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    sentry_build_init(b, arena, from, sink, counts);
    int64_t start, end;
    if (!e->time || !sentry_shifted(b, e->time, &end))
        end = from->received_ns;
    if (!e->start || !sentry_shifted(b, e->start, &start))
        start = end;
    uint32_t n, i = 0;
    const struct json_node *span = sentry_list(json_get(e->node, STR("spans")), &n);
    struct sentry_sender sender = sentry_sender_of(e);
    int r = sentry_put_section(b, &sender);
    if (r == 0)
        r = put_segment(b, e, start, end);
    for (; r == 0 && span && i < n; span = span->next, i++) {
        if (i == SENTRY_SPANS_MAX) {
            counts->dropped += n - i;
            break;
        }
        struct arena_mark mark = arena_mark(arena);
        r = json_is(span, JSON_OBJECT) ? put_child(b, span) : 0;
        arena_rewind(arena, mark);
    }
    if (r == 0)
        r = b->error;
    sentry_build_free(b);
    return r;
}
