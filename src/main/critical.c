#include "main/critical.h"

#include "base/err.h"
#include "base/json.h"
#include "base/timefmt.h"
#include "main/human.h"

#include <stdio.h>
#include <stdlib.h>

struct shift {
    str service;
    int64_t ns;
};

struct reading {
    struct arena *arena;
    struct critical *c;
    struct shift *shifts;
    uint32_t shifts_n, steps_cap, shares_cap, shifts_cap;
    int64_t time;
};

// Room for one more at the end of a list in the arena.
static void *grow(struct arena *arena, void *list, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    uint32_t more = *cap ? *cap * 2 : 64;
    void *copy = arena_alloc_array(arena, more, size);
    if (!copy)
        return NULL;
    if (n)
        memcpy(copy, list, n * size);
    *cap = more;
    return copy;
}

// Integers are strings beyond 2^53.
static int read_int(struct json_reader *r, int64_t *ret)
{
    struct json_token token;
    int rc = json_next(r, &token);
    return rc == 0 && !json_number_int(token.text, ret) ? ERR_MALFORMED : rc;
}

static int read_step(struct reading *g, struct json_reader *r)
{
    struct critical_step s = { 0 };
    str name;
    int rc = json_object(r);
    while (rc == 0 && (rc = json_member(r, &name)) == 1) {
        if (str_eq(name, STR("span")))
            rc = json_text(r, &s.span);
        else if (str_eq(name, STR("service")))
            rc = json_text(r, &s.service);
        else if (str_eq(name, STR("from")))
            rc = read_int(r, &s.from);
        else if (str_eq(name, STR("to")))
            rc = read_int(r, &s.to);
        else
            rc = json_skip(r, NULL);
    }
    if (rc < 0)
        return rc;
    g->c->steps = grow(g->arena, g->c->steps, g->c->steps_n, &g->steps_cap, sizeof s);
    if (!g->c->steps)
        return ERR_NOMEM;
    g->c->steps[g->c->steps_n++] = s;
    return 0;
}

static int read_share(struct reading *g, struct json_reader *r)
{
    struct critical_share s = { 0 };
    str name;
    int rc = json_object(r);
    while (rc == 0 && (rc = json_member(r, &name)) == 1) {
        if (str_eq(name, STR("service")))
            rc = json_text(r, &s.service);
        else if (str_eq(name, STR("external")))
            rc = json_bool(r, &s.external);
        else if (str_eq(name, STR("spans")))
            rc = read_int(r, &s.spans);
        else if (str_eq(name, STR("errors")))
            rc = read_int(r, &s.errors);
        else if (str_eq(name, STR("self")))
            rc = read_int(r, &s.self);
        else if (str_eq(name, STR("critical")))
            rc = read_int(r, &s.critical);
        else
            rc = json_skip(r, NULL);
    }
    if (rc < 0)
        return rc;
    g->c->shares = grow(g->arena, g->c->shares, g->c->shares_n, &g->shares_cap, sizeof s);
    if (!g->c->shares)
        return ERR_NOMEM;
    g->c->shares[g->c->shares_n++] = s;
    return 0;
}

static int read_shift(struct reading *g, struct json_reader *r)
{
    struct shift s = { 0 };
    str name;
    int rc = json_object(r);
    while (rc == 0 && (rc = json_member(r, &name)) == 1) {
        if (str_eq(name, STR("service")))
            rc = json_text(r, &s.service);
        else if (str_eq(name, STR("shift")))
            rc = read_int(r, &s.ns);
        else
            rc = json_skip(r, NULL);
    }
    if (rc < 0)
        return rc;
    g->shifts = grow(g->arena, g->shifts, g->shifts_n, &g->shifts_cap, sizeof s);
    if (!g->shifts)
        return ERR_NOMEM;
    g->shifts[g->shifts_n++] = s;
    return 0;
}

static int read_each(struct reading *g, struct json_reader *r, int (*fn)(struct reading *, struct json_reader *))
{
    int rc = json_array(r);
    while (rc == 0 && (rc = json_element(r)) == 1)
        rc = fn(g, r);
    return rc;
}

static int read_time(struct json_reader *r, int64_t *ret)
{
    str text;
    int rc = json_text(r, &text);
    return rc == 0 && !parse_rfc3339(text, ret) ? ERR_MALFORMED : rc;
}

static int step_order(const void *pa, const void *pb)
{
    const struct critical_step *a = pa, *b = pb;
    int c = str_cmp(a->span, b->span);
    return c ? c : (a->from > b->from) - (a->from < b->from);
}

static int share_order(const void *pa, const void *pb)
{
    const struct critical_share *a = pa, *b = pb;
    if (a->critical != b->critical)
        return a->critical > b->critical ? -1 : 1;
    return a->self != b->self ? (a->self > b->self ? -1 : 1) : str_cmp(a->service, b->service);
}

// The answer's clocks are corrected, the rows of the trace are as sent.
static int64_t shift_of(const struct reading *g, str service)
{
    for (uint32_t i = 0; i < g->shifts_n; i++)
        if (str_eq(g->shifts[i].service, service))
            return g->shifts[i].ns;
    return 0;
}

int critical_read(str json, struct arena *arena, struct critical *ret)
{
    struct critical c = { 0 };
    struct reading g = { .arena = arena, .c = &c };
    struct json_reader r;
    str name;
    json_reader_init(&r, json, arena, 16);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1) {
        if (str_eq(name, STR("time")))
            rc = read_time(&r, &g.time);
        else if (str_eq(name, STR("duration")))
            rc = read_int(&r, &c.duration);
        else if (str_eq(name, STR("segments")))
            rc = read_each(&g, &r, read_step);
        else if (str_eq(name, STR("services")))
            rc = read_each(&g, &r, read_share);
        else if (str_eq(name, STR("clocks")))
            rc = read_each(&g, &r, read_shift);
        else
            rc = json_skip(&r, NULL);
    }
    if (rc == 0)
        rc = json_done(&r);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < c.steps_n; i++) {
        int64_t begin = g.time - shift_of(&g, c.steps[i].service);
        c.steps[i].from += begin;
        c.steps[i].to += begin;
    }
    if (c.steps_n)
        qsort(c.steps, c.steps_n, sizeof *c.steps, step_order);
    if (c.shares_n)
        qsort(c.shares, c.shares_n, sizeof *c.shares, share_order);
    *ret = c;
    return 0;
}

bool critical_covers(const struct critical *c, str span, int64_t from, int64_t to)
{
    uint32_t lo = 0, hi = c->steps_n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (str_cmp(c->steps[mid].span, span) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < c->steps_n && str_eq(c->steps[lo].span, span) && c->steps[lo].from < to; lo++)
        if (c->steps[lo].to > from)
            return true;
    return false;
}

static void put_left(struct buf *out, str text, size_t width)
{
    size_t is = human_width(text);
    buf_str(out, text);
    for (; is < width; is++)
        buf_byte(out, ' ');
}

static void put_right(struct buf *out, str text, size_t width)
{
    for (size_t is = human_width(text); is < width; is++)
        buf_byte(out, ' ');
    buf_str(out, text);
}

static void put_duration(struct buf *out, int64_t ns, size_t width)
{
    struct buf text;
    buf_init(&text, 64);
    human_duration(&text, ns);
    put_right(out, buf_view(&text), width);
    buf_free(&text);
}

enum { SHARE_NAME_MAX = 40 };

void critical_table(const struct critical *c, struct buf *out)
{
    size_t names = 7;
    for (uint32_t i = 0; i < c->shares_n; i++) {
        size_t n = human_width(str_slice(c->shares[i].service, 0, 200)) + (c->shares[i].external ? 11 : 0);
        names = n > names ? n : names;
    }
    names = names > SHARE_NAME_MAX ? SHARE_NAME_MAX : names;
    put_left(out, STR("service"), names);
    buf_str(out, STR("   spans  errors      self  critical path\n"));
    for (uint32_t i = 0; i < c->shares_n; i++) {
        const struct critical_share *s = &c->shares[i];
        char number[32];
        struct buf name, cut;
        buf_init(&name, 1 << 12);
        buf_init(&cut, 1 << 12);
        visible_escape(&name, s->service.len ? str_slice(s->service, 0, 200) : STR("-"));
        if (s->external)
            buf_str(&name, STR(" (external)"));
        human_cut(&cut, buf_view(&name), names);
        put_left(out, buf_view(&cut), names);
        buf_free(&name);
        buf_free(&cut);
        snprintf(number, sizeof number, "%lld", (long long)s->spans);
        put_right(out, str_z(number), 8);
        snprintf(number, sizeof number, "%lld", (long long)s->errors);
        put_right(out, str_z(number), 8);
        put_duration(out, s->self, 10);
        put_duration(out, s->critical, 10);
        double percent = c->duration > 0 ? 100.0 * (double)s->critical / (double)c->duration : 0;
        buf_printf(out, " %3.0f%%\n", percent);
    }
}
