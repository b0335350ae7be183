// A table of series as a report: read from memory of the target, of which nothing is believed. See series.h.
#include "base/timefmt.h"
#include "base/utf8.h"
#include "probe/names_internal.h"
#include "probe/redact.h"
#include "probe/series.h"

#include <math.h>
#include <string.h>

enum { TRIES = 64 };

// A copy that no hit has changed half way. False: it is being written whenever we look (its writer has died in it).
static bool series_copy(const struct probe_series *s, struct probe_series *ret)
{
    for (int i = 0; i < TRIES; i++) {
        uint32_t turn = atomic_load_explicit(&s->turn, memory_order_acquire);
        memcpy(ret, (const void *)s, sizeof *ret);
        atomic_thread_fence(memory_order_acquire);
        if (!(turn & 1) && atomic_load_explicit(&s->turn, memory_order_relaxed) == turn)
            return ret->key_len <= PROBE_SERIES_KEY && ret->count <= INT64_MAX && isfinite(ret->sum) &&
                   isfinite(ret->min) && isfinite(ret->max) && isfinite(ret->last);
    }
    return false;
}

static bool buckets_hold(const struct probe_series *s)
{
    uint64_t all = 0;
    for (size_t i = 0; i <= PROBE_SERIES_BOUNDS; i++) {
        if (s->buckets[i] > s->count - all)
            return false;
        all += s->buckets[i];
    }
    return all == s->count;
}

static void put_time(struct json_writer *w, str key, int64_t ns)
{
    char time[32];
    json_put_key(w, key);
    json_put_str(w, str_of(time, (size_t)fmt_rfc3339(time, ns)));
}

static void put_text(struct json_writer *w, str key, str text)
{
    if (!text.len)
        return;
    json_put_key(w, key);
    json_put_str(w, text);
}

static void put_number(struct json_writer *w, str key, double d)
{
    json_put_key(w, key);
    json_put_double(w, d);
}

// What only the whole makes visible is taken away here, as in messages.
static void put_part_text(struct json_writer *w, const uint8_t *p, size_t n)
{
    char text[PROBE_SERIES_KEY];
    memcpy(text, p, n);
    probe_redact_line(NULL, text, n);
    json_put_str(w, utf8_cut(str_of(text, n), n));
}

// False: these are no parts.
static bool put_by(struct json_writer *w, const struct probe_series *s, const struct probe *probe)
{
    const uint8_t *p = s->key, *end = s->key + s->key_len;
    json_put_key(w, STR("by"));
    json_put_object(w);
    bool whole = true;
    for (size_t i = 0; i < probe->metric.n_by && whole; i++) {
        size_t n = end - p >= 2 ? p[1] : 0;
        int64_t number = 0;
        double d = 0;
        whole = end - p >= 2 && n <= (size_t)(end - p) - 2;
        if (!whole)
            break;
        json_put_key(w, probe->metric.by[i].name);
        if (n == 8)
            memcpy(&number, p + 2, 8), memcpy(&d, p + 2, 8);
        if (p[0] == PROBE_PART_TEXT)
            put_part_text(w, p + 2, n);
        else if (p[0] == PROBE_PART_BOOL && n == 1)
            json_put_bool(w, p[2] != 0);
        else if (p[0] == PROBE_PART_INT && n == 8)
            json_put_int(w, number);
        else if (p[0] == PROBE_PART_FLOAT && n == 8 && isfinite(d))
            json_put_double(w, d);
        else
            json_put_str(w, p[0] == PROBE_PART_FLOAT && n == 8 ? STR("NaN") : STR("null"));
        p += 2 + n;
    }
    json_put_object_end(w);
    return whole;
}

static void put_series(struct json_writer *w, const struct probe_series *s, const struct probe *probe, bool overflow,
                       bool known)
{
    bool histogram = probe->metric.kind == PROBE_METRIC_HISTOGRAM;
    json_put_object(w);
    if (overflow) {
        json_put_key(w, STR("overflow"));
        json_put_bool(w, true);
    } else if (probe->metric.n_by) {
        put_by(w, s, probe);
    }
    if (!known) {
        json_put_key(w, STR("new"));
        json_put_bool(w, true);
    }
    json_put_key(w, STR("count"));
    json_put_uint(w, s->count);
    if (histogram || probe->metric.has_value)
        put_number(w, STR("sum"), s->sum);
    if (probe->metric.kind == PROBE_METRIC_GAUGE)
        put_number(w, STR("last"), s->last);
    if (histogram) {
        put_number(w, STR("min"), s->min);
        put_number(w, STR("max"), s->max);
        json_put_key(w, STR("buckets"));
        json_put_array(w);
        for (size_t i = 0; i <= PROBE_SERIES_BOUNDS; i++)
            json_put_uint(w, s->buckets[i]);
        json_put_array_end(w);
    }
    json_put_object_end(w);
}

static void put_head(struct json_writer *w, const struct probe *probe, int64_t now, int64_t start, int64_t since)
{
    put_text(w, STR("probe"), probe->id);
    json_put_key(w, STR("revision"));
    json_put_uint(w, probe->revision);
    put_text(w, STR("kind"), probe_kind_name(probe->kind));
    put_time(w, STR("time"), now);
    put_text(w, STR("file"), probe->where.file);
    put_text(w, STR("function"), probe->where.function);
    if (probe->where.line) {
        json_put_key(w, STR("line"));
        json_put_uint(w, probe->where.line);
    }
    json_put_key(w, STR("metric"));
    json_put_object(w);
    put_text(w, STR("kind"), probe_metric_names[probe->metric.kind]);
    put_text(w, STR("name"), probe->metric.name);
    put_text(w, STR("unit"), probe->kind == PROBE_TIMER ? STR("s") : (str){ 0 });
    put_time(w, STR("start"), start);
    put_time(w, STR("since"), since);
    if (probe->metric.kind == PROBE_METRIC_HISTOGRAM) {
        json_put_key(w, STR("bounds"));
        json_put_array(w);
        for (size_t i = 0; i < PROBE_SERIES_BOUNDS; i++)
            json_put_double(w, probe_series_bounds[i]);
        json_put_array_end(w);
    }
    json_put_key(w, STR("series"));
    json_put_array(w);
}

int probe_series_json(const struct probe_series_table *t, uint64_t owner, const struct probe *probe,
                      int64_t now_unix_ns, bool again, struct probe_series_told *told, struct json_writer *out)
{
    struct probe_series s;
    struct probe_series_told next = { .time_ns = now_unix_ns };
    int64_t start = t->start_ns, since;
    uint32_t n = atomic_load_explicit(&t->n, memory_order_acquire);
    if (atomic_load_explicit(&t->owner, memory_order_acquire) != owner || n > PROBE_SERIES_MAX)
        return 0;
    start = start > 0 && start <= now_unix_ns ? start : now_unix_ns;
    since = told->time_ns ? told->time_ns : start;
    memcpy(next.known, told->known, sizeof next.known);
    bool begun = false;
    for (uint32_t i = 0; i <= PROBE_SERIES_MAX; i++) {
        if ((i >= n && i < PROBE_SERIES_MAX) || !series_copy(&t->series[i], &s) || !s.count ||
            (probe->metric.kind == PROBE_METRIC_HISTOGRAM && !buckets_hold(&s)))
            continue;
        if (!begun) {
            json_put_object(out);
            put_head(out, probe, now_unix_ns, start, since);
            begun = true;
        }
        put_series(out, &s, probe, i == PROBE_SERIES_MAX, told->known[i]);
        next.known[i] = true;
        next.hits += s.count;
    }
    if (!begun || (next.hits == told->hits && !again))
        return 0;
    json_put_array_end(out);
    json_put_object_end(out);
    json_put_object_end(out);
    *told = next;
    return 1;
}
