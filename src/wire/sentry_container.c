// Containers of many small items, each with typed attributes: spans (version 2), logs, metrics.
#include "wire/sentry_build.h"

#include "base/hex.h"

enum { LINKS_MAX = 128 };

// {"value": V, "type": T}; the JSON type of V says enough. A text in its place is what scrubbing has left.
static const struct json_node *attribute(const struct json_node *item, str name)
{
    return json_get(json_get(json_get(item, STR("attributes")), name), STR("value"));
}

static str attribute_text(const struct json_node *item, str name) { return json_text_of(attribute(item, name)); }

// What went into the resource, the scope or a fixed field.
static bool is_told_elsewhere(str key, bool server_is_host)
{
    static const str names[] = { STR_INIT("sentry.release"),        STR_INIT("sentry.environment"),
                                 STR_INIT("sentry.sdk.name"),       STR_INIT("sentry.sdk.version"),
                                 STR_INIT("sentry.status.message"), STR_INIT("sentry.severity_number"),
                                 STR_INIT("sentry.severity_text"),  STR_INIT("sentry.trace.parent_span_id"),
                                 STR_INIT("service.name") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(key, names[i]))
            return true;
    return server_is_host && str_eq(key, STR("server.address"));
}

static void put_attributes(struct sentry_build *b, const struct json_node *item, bool server_is_host)
{
    const struct json_node *attributes = json_get(item, STR("attributes"));
    for (const struct json_node *a = json_first_of(attributes, JSON_OBJECT); a; a = a->next)
        if (!is_told_elsewhere(a->key, server_is_host))
            sentry_put_node(b, ATTR_RECORD, a->key, a->type == JSON_STRING ? a : json_get(a, STR("value")));
}

static struct sentry_sender sender_of(const struct json_node *item, bool server_is_host)
{
    return (struct sentry_sender){
        .service = attribute_text(item, STR("service.name")),
        .release = attribute_text(item, STR("sentry.release")),
        .environment = attribute_text(item, STR("sentry.environment")),
        .server_name = server_is_host ? attribute_text(item, STR("server.address")) : (str){ 0 },
        .sdk_name = attribute_text(item, STR("sentry.sdk.name")),
        .sdk_version = attribute_text(item, STR("sentry.sdk.version")),
    };
}

static bool time_of(const struct sentry_build *b, const struct json_node *item, str name, int64_t *ret_time)
{
    int64_t t;
    return sentry_time(json_get(item, name), &t) && sentry_shifted(b, t, ret_time);
}

static void put_links(struct sentry_build *b, const struct json_node *links)
{
    const struct json_node *link = json_first_of(links, JSON_ARRAY);
    uint32_t n = 0;
    if (!link)
        return;
    struct record_child *children = arena_zalloc(b->arena, LINKS_MAX * sizeof *children);
    if (!children) {
        b->error = ERR_NOMEM;
        return;
    }
    for (; link && n < LINKS_MAX; link = link->next) {
        struct record_child *c = &children[n];
        uint8_t id[8];
        str span = json_get_text(link, STR("span_id"));
        if (!sentry_id(json_get_text(link, STR("trace_id")), c->trace) || span.len != 16 || !hex_decode(id, span))
            continue;
        c->kind = CHILD_LINK;
        c->has_trace = true;
        c->span = be64_get(id);
        n++;
    }
    b->record.children = children;
    b->record.children_n = n;
}

static bool put_span(struct sentry_build *b, const struct json_node *item)
{
    str status = json_get_text(item, STR("status")), op = attribute_text(item, STR("sentry.op"));
    int64_t end;
    sentry_build_record(b, RECORD_SPANS);
    if (!sentry_put_trace(b, item) || !b->record.span || !time_of(b, item, STR("start_timestamp"), &b->record.time) ||
        !time_of(b, item, STR("end_timestamp"), &end))
        return false;
    b->record.duration = end - b->record.time;
    b->record.name = json_get_text(item, STR("name"));
    b->record.kind = sentry_span_kind(op);
    b->record.status = str_eq(status, STR("ok")) ? STATUS_OK : status.len ? STATUS_ERROR : STATUS_UNSET;
    if (b->record.status == STATUS_ERROR) {
        str message = attribute_text(item, STR("sentry.status.message"));
        sentry_put_text(b, ATTR_FIELD, STR("message"), message.len ? message : status);
    }
    put_links(b, json_get(item, STR("links")));
    put_attributes(b, item, false);
    return true;
}

static bool put_log(struct sentry_build *b, const struct json_node *item)
{
    str level = json_get_text(item, STR("level"));
    int64_t severity;
    sentry_build_record(b, RECORD_LOGS);
    if (!time_of(b, item, STR("timestamp"), &b->record.time))
        return false;
    sentry_put_trace(b, item);
    str span = attribute_text(item, STR("sentry.trace.parent_span_id"));
    if (!span.len) // as Rust's SDK names it
        span = attribute_text(item, STR("parent_span_id"));
    uint8_t id[8];
    if (b->record.has_trace && !b->record.span && span.len == 16 && hex_decode(id, span))
        b->record.span = be64_get(id);
    b->record.severity = sentry_level(level, 0);
    if (json_int_of(json_get(item, STR("severity_number")), &severity) && severity >= 1 && severity <= 24)
        b->record.severity = (uint8_t)severity;
    sentry_put_text(b, ATTR_FIELD, STR("severity_text"), level);
    const struct json_node *body = json_get(item, STR("body"));
    if (body && !sentry_value(b, body, &b->record.body))
        return false;
    put_attributes(b, item, true);
    b->record.parent = 0;
    return true;
}

static bool put_metric(struct sentry_build *b, const struct json_node *item)
{
    str type = json_get_text(item, STR("type"));
    const struct json_node *number = json_get(item, STR("value"));
    sentry_build_record(b, RECORD_METRICS);
    b->record.name = json_get_text(item, STR("name"));
    if (!time_of(b, item, STR("timestamp"), &b->record.time) || !json_is(number, JSON_NUMBER) || !b->record.name.len)
        return false;
    sentry_put_trace(b, item);
    b->record.parent = 0;
    sentry_put_node(b, ATTR_FIELD, STR("value"), number);
    sentry_put_text(b, ATTR_FIELD, STR("unit"), json_get_text(item, STR("unit")));
    if (str_eq(type, STR("counter"))) {
        b->record.kind = METRIC_SUM;
        sentry_put(b, ATTR_FIELD, STR("monotonic"), value_bool(true));
        sentry_put_text(b, ATTR_FIELD, STR("temporality"), STR("delta"));
    } else {
        b->record.kind = METRIC_GAUGE;
        sentry_put_text(b, ATTR_RECORD, STR("sentry.metric.type"), type);
    }
    put_attributes(b, item, true);
    return true;
}

static bool same_sender(const struct sentry_sender *a, const struct sentry_sender *b)
{
    return str_eq(a->service, b->service) && str_eq(a->release, b->release) && str_eq(a->environment, b->environment) &&
           str_eq(a->server_name, b->server_name) && str_eq(a->sdk_name, b->sdk_name) &&
           str_eq(a->sdk_version, b->sdk_version);
}

static int put_items(struct sentry_build *b, bool (*put)(struct sentry_build *, const struct json_node *),
                     bool server_is_host, const struct json_node *items)
{
    struct sentry_sender last = { 0 };
    uint32_t i = 0;
    int r = 0;
    for (const struct json_node *item = items->first; item && r == 0; item = item->next, i++) {
        if (i == SENTRY_SPANS_MAX) {
            b->counts->dropped += items->n - i;
            break;
        }
        struct arena_mark mark = arena_mark(b->arena);
        struct sentry_sender sender = sender_of(item, server_is_host);
        if (i == 0 || !same_sender(&sender, &last))
            r = sentry_put_section(b, &sender);
        last = sender;
        if (r == 0 && put(b, item))
            r = sentry_build_end(b);
        else if (r == 0)
            b->counts->dropped++;
        arena_rewind(b->arena, mark);
    }
    return r == 0 ? b->error : r;
}

int sentry_container_records(str type, const struct json_node *container, const struct sentry_source *from,
                             struct arena *arena, const struct record_sink *sink, struct sentry_counts *counts)
{
    bool span = str_eq(type, STR("span")), log = str_eq(type, STR("log"));
    const struct json_node *items = json_get(container, STR("items"));
    if (!span && !log && !str_eq(type, STR("trace_metric")))
        return ERR_UNSUPPORTED;
    if (!json_is(items, JSON_ARRAY))
        return ERR_MALFORMED;
    struct sentry_build *b = arena_alloc(arena, sizeof *b);
    if (!b)
        return ERR_NOMEM;
    sentry_build_init(b, arena, from, sink, counts);
    int r = put_items(b, span ? put_span : log ? put_log : put_metric, !span, items);
    sentry_build_free(b);
    return r;
}
