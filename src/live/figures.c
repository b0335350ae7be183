// What a metric or timer probe has counted in one process, as points of a metric. Reports are cumulative: one that is lost or comes
// twice does no harm. A series that is new has a point of nothing before its first, so that what it counted first is growth, too.
#include "base/numfmt.h"
#include "base/timefmt.h"
#include "live/live_internal.h"

#include <math.h>
#include <stdio.h>

enum {
    SERIES_MAX = 256,
    BY_MAX = 8,
    BOUNDS_MAX = 128,
    KEY_MAX = 128,
    TEXT_MAX = 256,
    ENCODED_MAX = 16 << 10,
    POINT_ATTRS = BY_MAX + 16,
};
#define REPORT_NS_MAX (86400 * NS_PER_S) // from one report to the next

bool figures_name_is_valid(str name)
{
    if (!name.len || name.len > 255 || !((name.ptr[0] | 32) >= 'a' && (name.ptr[0] | 32) <= 'z'))
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!((c | 32) >= 'a' && (c | 32) <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '.' && c != '-' &&
            c != '/')
            return false;
    }
    return true;
}

static bool number_of(const struct json_node *of, const char *member, double *ret)
{
    const struct json_node *n = json_get(of, str_z(member));
    return json_is(n, JSON_NUMBER) && json_number_double(n->text, ret) && isfinite(*ret);
}

static bool count_of(const struct json_node *n, int64_t *ret)
{
    return json_is(n, JSON_NUMBER) && json_int_of(n, ret) && *ret >= 0;
}

static bool bounds_hold(const struct json_node *bounds)
{
    double before = -INFINITY, d;
    if (!json_is(bounds, JSON_ARRAY) || !bounds->n || bounds->n > BOUNDS_MAX)
        return false;
    for (const struct json_node *b = bounds->first; b; b = b->next) {
        if (b->type != JSON_NUMBER || !json_number_double(b->text, &d) || !isfinite(d) || d <= before)
            return false;
        before = d;
    }
    return true;
}

static bool by_holds(const struct json_node *by)
{
    if (!by)
        return true;
    if (by->type != JSON_OBJECT || by->n > BY_MAX)
        return false;
    for (const struct json_node *e = by->first; e; e = e->next)
        if (!e->key.len || e->key.len > KEY_MAX || e->type == JSON_OBJECT || e->type == JSON_ARRAY ||
            e->text.len > TEXT_MAX)
            return false;
    return true;
}

static bool histogram_holds(const struct json_node *s, size_t bounds, int64_t count)
{
    const struct json_node *buckets = json_get(s, STR("buckets"));
    double d;
    int64_t n, all = 0;
    if (!json_is(buckets, JSON_ARRAY) || buckets->n != bounds + 1 || !number_of(s, "sum", &d) ||
        (count && (!number_of(s, "min", &d) || !number_of(s, "max", &d))))
        return false;
    for (const struct json_node *b = buckets->first; b; b = b->next)
        if (!count_of(b, &n) || n > count - all)
            return false;
        else
            all += n;
    return all == count;
}

bool figures_are_valid(const struct json_node *json)
{
    const struct json_node *m = json_get(json, STR("metric")), *series = json_get(m, STR("series")),
                           *bounds = json_get(m, STR("bounds"));
    str kind = json_get_text(m, STR("kind")), name = json_get_text(m, STR("name"));
    bool histogram = str_eq(kind, STR("histogram")), gauge = str_eq(kind, STR("gauge"));
    if (!json_is(m, JSON_OBJECT) || (!histogram && !gauge && !str_eq(kind, STR("count"))) ||
        !figures_name_is_valid(name) || !json_is(series, JSON_ARRAY) || !series->n || series->n > SERIES_MAX ||
        (histogram && !bounds_hold(bounds)))
        return false;
    for (const struct json_node *s = series->first; s; s = s->next) {
        int64_t count;
        double d;
        if (s->type != JSON_OBJECT || !count_of(json_get(s, STR("count")), &count) || !by_holds(json_get(s, STR("by"))))
            return false;
        if (gauge       ? !number_of(s, "last", &d)
            : histogram ? !histogram_holds(s, bounds->n, count)
                        : json_get(s, STR("sum")) && !(number_of(s, "sum", &d) && d >= 0))
            return false;
    }
    return true;
}

// ---- points ------------------------------------------------------------------------------------------------

struct points {
    const struct capture_origin *origin;
    const struct json_node *json, *metric;
    struct arena *arena;
    struct batch *batch;
    int64_t time, start, since;
    bool histogram, gauge;
    char probe[32];
    struct value bounds;
    struct attr attrs[POINT_ATTRS];
    uint32_t n;
};

static void put(struct points *p, uint8_t level, str key, struct value v)
{
    if (v.type != VALUE_NULL && !(v.type == VALUE_STR && !v.s.len) && p->n < POINT_ATTRS)
        p->attrs[p->n++] = (struct attr){ .key = key, .level = level, .value = v };
}

// Numbers as a list; of none every one is 0.
static int list_of(struct points *p, const struct json_node *list, bool whole, bool none, struct value *ret)
{
    struct buf b;
    str kept;
    buf_init(&b, ENCODED_MAX);
    buf_byte(&b, VALUE_LIST);
    buf_varint(&b, list->n);
    for (const struct json_node *e = list->first; e; e = e->next) {
        struct value v = whole ? value_int(0) : value_double(0);
        if (whole && !none)
            json_int_of(e, &v.i);
        else if (!whole)
            json_number_double(e->text, &v.d);
        value_encode(&b, &v);
    }
    int rc = b.error ? b.error : arena_dup(p->arena, buf_view(&b), &kept);
    buf_free(&b);
    if (rc < 0)
        return rc;
    struct value_reader r = value_reader_of(bytes_of_str(kept));
    return value_read(&r, ret);
}

static void put_series(struct points *p, const struct json_node *s)
{
    for (const struct json_node *e = json_first_of(json_get(s, STR("by")), JSON_OBJECT); e; e = e->next) {
        struct value v = value_str(e->text);
        if (e->type == JSON_TRUE || e->type == JSON_FALSE)
            v = value_bool(e->type == JSON_TRUE);
        else if (e->type == JSON_NUMBER && json_int_of(e, &v.i))
            v.type = VALUE_INT;
        else if (e->type == JSON_NUMBER) {
            v.type = VALUE_DOUBLE;
            json_number_double(e->text, &v.d);
        } else if (e->type == JSON_NULL) {
            v = value_str(STR("null"));
        }
        put(p, ATTR_RECORD, e->key, v);
    }
    if (json_is(json_get(s, STR("overflow")), JSON_TRUE)) // of all that found no room: OpenTelemetry's name for it
        put(p, ATTR_RECORD, STR("otel.metric.overflow"), value_bool(true));
    int64_t line = 0;
    put(p, ATTR_RECORD, STR("probe"), value_str(str_z(p->probe)));
    put(p, ATTR_RECORD, STR("code.file.path"), value_str(str_slice(json_get_text(p->json, STR("file")), 0, 1024)));
    put(p, ATTR_RECORD, STR("code.function.name"),
        value_str(str_slice(json_get_text(p->json, STR("function")), 0, 512)));
    if (json_int_of(json_get(p->json, STR("line")), &line) && line > 0)
        put(p, ATTR_RECORD, STR("code.line.number"), value_int(line));
}

static int put_figures(struct points *p, const struct json_node *s, bool none)
{
    int64_t count = 0;
    double d = 0;
    int rc = 0;
    json_int_of(json_get(s, STR("count")), &count);
    put(p, ATTR_FIELD, STR("unit"), value_str(str_slice(json_get_text(p->metric, STR("unit")), 0, 63)));
    if (p->gauge) {
        number_of(s, "last", &d);
        put(p, ATTR_FIELD, STR("value"), value_double(d));
        return 0;
    }
    put(p, ATTR_FIELD, STR("temporality"), value_str(STR("cumulative")));
    if (!p->histogram) {
        put(p, ATTR_FIELD, STR("monotonic"), value_bool(true));
        bool sum = number_of(s, "sum", &d);
        put(p, ATTR_FIELD, STR("value"), sum ? value_double(none ? 0 : d) : value_int(none ? 0 : count));
        return 0;
    }
    struct value buckets = { .type = VALUE_NULL };
    rc = list_of(p, json_get(s, STR("buckets")), true, none, &buckets);
    number_of(s, "sum", &d);
    put(p, ATTR_FIELD, STR("count"), value_int(none ? 0 : count));
    put(p, ATTR_FIELD, STR("sum"), value_double(none ? 0 : d));
    if (!none && number_of(s, "min", &d))
        put(p, ATTR_FIELD, STR("min"), value_double(d));
    if (!none && number_of(s, "max", &d))
        put(p, ATTR_FIELD, STR("max"), value_double(d));
    put(p, ATTR_FIELD, STR("bounds"), p->bounds);
    put(p, ATTR_FIELD, STR("buckets"), buckets);
    return rc;
}

static int point(struct points *p, const struct json_node *s, bool none)
{
    struct record r = { .source = RECORD_METRICS,
                        .kind = p->gauge       ? METRIC_GAUGE
                                : p->histogram ? METRIC_HISTOGRAM
                                               : METRIC_SUM,
                        .name = json_get_text(p->metric, STR("name")),
                        .time = none ? p->since : p->time };
    p->n = 0;
    put_series(p, s);
    int rc = put_figures(p, s, none);
    r.duration = r.time - p->start;
    if (r.duration == 0)
        put(p, ATTR_FIELD, STR("start"), value_int(p->start));
    r.attrs = p->attrs;
    r.attrs_n = p->n;
    return rc < 0 ? rc : capture_feed(p->batch, p->origin, &r);
}

static int points(struct points *p)
{
    int rc = 0;
    if (p->histogram)
        rc = list_of(p, json_get(p->metric, STR("bounds")), false, false, &p->bounds);
    for (const struct json_node *s = json_first_of(json_get(p->metric, STR("series")), JSON_ARRAY); s && rc == 0;
         s = s->next) {
        if (!p->gauge && p->since < p->time && json_is(json_get(s, STR("new")), JSON_TRUE))
            rc = point(p, s, true);
        if (rc == 0)
            rc = point(p, s, false);
    }
    return rc;
}

// A time of the report that is not after `most` nor long before it.
static int64_t time_of(const struct json_node *metric, const char *member, int64_t most, int64_t back)
{
    int64_t t;
    if (!parse_rfc3339(json_get_text(metric, str_z(member)), &t) || t > most || t < most - back)
        return most;
    return t;
}

int figures_write(struct live *l, const struct capture_origin *o, const uint8_t id[16], const struct json_node *json,
                  struct arena *arena, void (*done)(void *ctx, int result), void *ctx)
{
    struct points *p = arena_zalloc(arena, sizeof *p);
    uint64_t hash[2];
    if (!p)
        return ERR_NOMEM;
    p->origin = o, p->json = json, p->metric = json_get(json, STR("metric")), p->arena = arena;
    p->histogram = str_eq(json_get_text(p->metric, STR("kind")), STR("histogram"));
    p->gauge = str_eq(json_get_text(p->metric, STR("kind")), STR("gauge"));
    p->time = capture_time(l, json);
    p->since = time_of(p->metric, "since", p->time, REPORT_NS_MAX);
    p->start = time_of(p->metric, "start", p->since, 30 * REPORT_NS_MAX);
    snprintf(p->probe, sizeof p->probe, "p%lld", (long long)o->probe);
    memcpy(hash, id, 16);
    hash[1] |= 1; // never 0,0, which means "none"
    pthread_mutex_lock(&l->lane_lock);
    int rc = store_batch_begin(l->o.store, l->o.lane, o->project, hash, &p->batch);
    if (rc == 0) {
        rc = points(p);
        if (rc < 0)
            batch_abort_take(p->batch);
        else
            batch_commit_take(p->batch, done, ctx);
    }
    pthread_mutex_unlock(&l->lane_lock);
    return rc;
}
