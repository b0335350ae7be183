// Metrics of the older protocols, and what SDKs say that they themselves did not send.
#include "wire/sentry_build.h"
#include "wire/sentry_items.h"

enum { STATSD_LINES_MAX = 10000, STATSD_VALUES_MAX = 1000, STATSD_TAGS_MAX = 100 };

static struct sentry_sender sender_of(const struct sentry_source *from)
{
    return (struct sentry_sender){ .sdk_name = json_get_text(from->sdk, STR("name")),
                                   .sdk_version = json_get_text(from->sdk, STR("version")) };
}

static struct sentry_build *build_begin(struct arena *arena, const struct sentry_source *from,
                                        const struct record_sink *sink, struct sentry_counts *counts, int *ret_r)
{
    struct sentry_build *b = arena_alloc(arena, sizeof *b);
    struct sentry_sender sender = sender_of(from);
    *ret_r = ERR_NOMEM;
    if (!b)
        return NULL;
    sentry_build_init(b, arena, from, sink, counts);
    *ret_r = sentry_put_section(b, &sender);
    return b;
}

static void put_delta(struct sentry_build *b, struct value v)
{
    b->record.kind = METRIC_SUM;
    sentry_put(b, ATTR_FIELD, STR("value"), v);
    sentry_put(b, ATTR_FIELD, STR("monotonic"), value_bool(true));
    sentry_put_text(b, ATTR_FIELD, STR("temporality"), STR("delta"));
}

static void put_loss(struct sentry_build *b, str name, int64_t time, const struct sentry_lost *lost)
{
    sentry_build_record(b, RECORD_METRICS);
    b->record.name = name;
    b->record.time = time;
    put_delta(b, value_int(lost->quantity));
    sentry_put_text(b, ATTR_RECORD, STR("outcome"), lost->outcome);
    sentry_put_text(b, ATTR_RECORD, STR("reason"), lost->reason);
    sentry_put_text(b, ATTR_RECORD, STR("category"), lost->category);
}

int sentry_client_report_records(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                                 const struct record_sink *sink, struct sentry_counts *counts,
                                 void (*each)(void *ctx, const struct sentry_lost *lost), void *ctx)
{
    static const struct {
        str member, outcome;
    } lists[] = { { STR_INIT("discarded_events"), STR_INIT("client_discard") },
                  { STR_INIT("rate_limited_events"), STR_INIT("rate_limited") },
                  { STR_INIT("filtered_events"), STR_INIT("filtered") },
                  { STR_INIT("filtered_sampling_events"), STR_INIT("sampled") } };
    int64_t time = 0;
    uint32_t n = 0;
    int r;
    if (!json_is(root, JSON_OBJECT))
        return ERR_MALFORMED;
    struct sentry_build *b = build_begin(arena, from, sink, counts, &r);
    if (!b)
        return r;
    if (!sentry_time(json_get(root, STR("timestamp")), &time) || !sentry_shifted(b, time, &time))
        time = from->received_ns;
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const struct json_node *l = json_first_of(json_get(root, lists[i].member), JSON_ARRAY);
        for (; l && r == 0; l = l->next) {
            struct sentry_lost lost = { .outcome = lists[i].outcome,
                                        .reason = json_get_text(l, STR("reason")),
                                        .category = json_get_text(l, STR("category")) };
            if (!json_int_of(json_get(l, STR("quantity")), &lost.quantity) || lost.quantity < 0 ||
                n++ >= SENTRY_REPORTS_MAX) {
                counts->dropped++;
                continue;
            }
            if (each)
                each(ctx, &lost);
            put_loss(b, STR("sentry.client_report"), time, &lost);
            r = sentry_build_end(b);
        }
    }
    sentry_build_free(b);
    return r;
}

int sentry_outcome_records(const struct sentry_lost *lost, size_t n, const struct sentry_source *from,
                           struct arena *arena, const struct record_sink *sink, struct sentry_counts *counts)
{
    int r;
    struct sentry_build *b = build_begin(arena, from, sink, counts, &r);
    if (!b)
        return r;
    for (size_t i = 0; i < n && r == 0; i++) {
        put_loss(b, STR("sentry.outcome"), from->received_ns, &lost[i]);
        r = sentry_build_end(b);
    }
    sentry_build_free(b);
    return r;
}

static str take_until(str *rest, char c)
{
    ptrdiff_t at = str_find_char(*rest, c, 0);
    str head = at < 0 ? *rest : str_slice(*rest, 0, (size_t)at);
    *rest = at < 0 ? (str){ 0 } : str_slice(*rest, (size_t)at + 1, rest->len);
    return head;
}

// "c:custom/page.load@millisecond" -> "page.load" and "millisecond"
static void put_name(struct sentry_build *b, str name)
{
    ptrdiff_t at = str_find_char(name, '@', 0), slash;
    str unit = at < 0 ? (str){ 0 } : str_slice(name, (size_t)at + 1, name.len);
    if (at >= 0)
        name = str_slice(name, 0, (size_t)at);
    if (name.len > 2 && name.ptr[1] == ':' && (slash = str_find_char(name, '/', 0)) > 0)
        name = str_slice(name, (size_t)slash + 1, name.len);
    b->record.name = name;
    if (!str_eq(unit, STR("none")))
        sentry_put_text(b, ATTR_FIELD, STR("unit"), unit);
}

static bool number_of(str text, struct value *ret_v)
{
    int64_t i;
    double d;
    if (json_number_int(text, &i))
        *ret_v = value_int(i);
    else if (json_number_double(text, &d))
        *ret_v = value_double(d);
    else
        return false;
    return true;
}

static double as_double(struct value v) { return v.type == VALUE_INT ? (double)v.i : v.d; }

static void put_tags(struct sentry_build *b, str tags)
{
    for (int n = 0; tags.len && n < STATSD_TAGS_MAX; n++) {
        str tag = take_until(&tags, ','), key = take_until(&tag, ':');
        sentry_put_text(b, ATTR_RECORD, key, tag);
    }
}

struct bucket {
    str name, values, type, tags;
    int64_t time;
};

static int put_value(struct sentry_build *b, const struct bucket *m, struct value v, const char *type)
{
    sentry_build_record(b, RECORD_METRICS);
    put_name(b, m->name);
    b->record.time = m->time;
    if (type) {
        b->record.kind = METRIC_GAUGE;
        sentry_put(b, ATTR_FIELD, STR("value"), v);
        sentry_put_text(b, ATTR_RECORD, STR("sentry.metric.type"), str_z(type));
    } else {
        put_delta(b, v);
    }
    put_tags(b, m->tags);
    if (b->record.name.len)
        return sentry_build_end(b);
    b->counts->dropped++;
    return 0;
}

static int put_bucket(struct sentry_build *b, const struct bucket *m)
{
    char type = m->type.len == 1 || str_eq(m->type, STR("ms")) ? m->type.ptr[0] : 0;
    str rest = m->values;
    double sum = 0;
    int64_t whole = 0;
    bool is_whole = true, any = false;
    int r = 0;
    for (int n = 0; rest.len && r == 0; n++) {
        struct value v = value_int(0);
        str one = take_until(&rest, ':');
        if (n == STATSD_VALUES_MAX || (type != 's' && !number_of(one, &v))) {
            b->counts->dropped++;
            return any && (type == 'c' || type == 's')
                       ? put_value(b, m, is_whole ? value_int(whole) : value_double(sum), NULL)
                       : r;
        }
        any = true;
        if (type == 'd' || type == 'm' || type == 'h')
            r = put_value(b, m, v, "distribution");
        else if (type == 'g')
            return put_value(b, m, v, "gauge"); // last:min:max:sum:count
        v = type == 's' ? value_int(1) : v;
        sum += as_double(v);
        is_whole = is_whole && v.type == VALUE_INT && !__builtin_add_overflow(whole, v.i, &whole);
    }
    if (r == 0 && any && (type == 'c' || type == 's'))
        r = put_value(b, m, is_whole ? value_int(whole) : value_double(sum), NULL);
    else if (r == 0 && (!any || !type || !strchr("cdgmhs", type)))
        b->counts->dropped++;
    return r;
}

// name@unit:value:value|type|#tag:value,tag:value|Tseconds
int sentry_statsd_records(str text, const struct sentry_source *from, struct arena *arena,
                          const struct record_sink *sink, struct sentry_counts *counts)
{
    int r;
    struct sentry_build *b = build_begin(arena, from, sink, counts, &r);
    if (!b)
        return r;
    for (int n = 0; text.len && r == 0; n++) {
        str line = str_trim(take_until(&text, '\n')), head = take_until(&line, '|');
        struct bucket m = { .time = from->received_ns };
        if (!head.len)
            continue;
        if (n >= STATSD_LINES_MAX) {
            counts->dropped++;
            break;
        }
        m.type = take_until(&line, '|');
        ptrdiff_t colon =
            str_find_char(head, ':', str_find_char(head, '@', 0) < 0 ? 0 : (size_t)str_find_char(head, '@', 0));
        m.name = colon < 0 ? (str){ 0 } : str_slice(head, 0, (size_t)colon);
        m.values = colon < 0 ? (str){ 0 } : str_slice(head, (size_t)colon + 1, head.len);
        while (line.len) {
            str more = take_until(&line, '|');
            int64_t s;
            if (str_starts(more, STR("#")))
                m.tags = str_slice(more, 1, more.len);
            else if (str_starts(more, STR("T")) && json_number_int(str_slice(more, 1, more.len), &s) && s > 0 &&
                     s < 9000000000)
                m.time = s * 1000000000;
        }
        r = put_bucket(b, &m);
    }
    sentry_build_free(b);
    return r == 0 ? b->error : r;
}

// [{"timestamp":s,"name":"c:custom/foo@none","type":"c","value":1 or [..],"tags":{}}]
int sentry_buckets_records(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                           const struct record_sink *sink, struct sentry_counts *counts)
{
    int r;
    uint32_t n = 0;
    if (!json_is(root, JSON_ARRAY))
        return ERR_MALFORMED;
    struct sentry_build *b = build_begin(arena, from, sink, counts, &r);
    if (!b)
        return r;
    for (const struct json_node *node = root->first; node && r == 0; node = node->next) {
        struct bucket m = { .name = json_get_text(node, STR("name")),
                            .type = json_get_text(node, STR("type")),
                            .time = from->received_ns };
        const struct json_node *value = json_get(node, STR("value"));
        bool set = str_eq(m.type, STR("s")), counter = str_eq(m.type, STR("c"));
        const struct json_node *v = json_is(value, JSON_ARRAY) ? value->first : value;
        sentry_time(json_get(node, STR("timestamp")), &m.time);
        if (json_is(value, JSON_OBJECT)) // a gauge
            v = json_get(value, STR("last"));
        if (!m.name.len || !v || n++ >= STATSD_LINES_MAX) {
            counts->dropped++;
            continue;
        }
        struct value number;
        if (set)
            r = put_value(b, &m, value_int(json_is(value, JSON_ARRAY) ? (int64_t)value->n : 1), NULL);
        for (; !set && v && r == 0; v = json_is(value, JSON_ARRAY) ? v->next : NULL)
            if (json_is(v, JSON_NUMBER) && number_of(v->text, &number))
                r = put_value(b, &m, number, counter ? NULL : str_eq(m.type, STR("g")) ? "gauge" : "distribution");
    }
    sentry_build_free(b);
    return r;
}
