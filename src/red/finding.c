// What is wrong: the service whose share of failed (else of slow) requests rose and has not come down, and of several
// the one that none of the others explains: web fails because checkout fails, so checkout is named.
#include "query/literal.h"
#include "red/change.h"
#include "red/overview.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { FINE_SLOTS = 2880, COARSE_SLOTS = 240, CAUSE_MINUTES = 10, CAUSE_LATE_MINUTES = 2, TOGETHER_MINUTES = 5 };
#define SLOWER_MIN_NS (5 * 1000000)

// A service under suspicion.
struct suspect {
    struct change change;
    enum red_state state; // QUIET: innocent
    uint32_t since;       // minute
    int64_t slow;         // threshold
    bool caller;          // somebody whom it calls explains it
};

struct finder {
    const struct red_view *v;
    const struct red_range *range;
    struct arena *a;
    struct red_overview *o;
    uint32_t fine, coarse;     // minutes of a slot
    size_t fine_n, coarse_n;   // slots
    uint64_t *n, *k;           // [service][fine slot]
    struct red_figures *slots; // [service][coarse slot]
    struct suspect *suspects;
    size_t services_n;
};

static int collect(struct finder *f)
{
    for (size_t i = 0; i < f->v->of[RED_SERIES].n; i++) {
        const struct cell *c = &f->v->of[RED_SERIES].cells[i];
        if (c->minute < f->range->before || c->minute >= f->range->to)
            continue;
        size_t at = c->key->group * f->fine_n + (c->minute - f->range->before) / f->fine;
        f->n[at] += c->requests;
        f->k[at] += c->errors;
        int r = red_figures_add(f->a,
                                &f->slots[c->key->group * f->coarse_n + (c->minute - f->range->before) / f->coarse], c);
        if (r < 0)
            return r;
    }
    return 0;
}

// Of coarse slots [from, to) of a service.
static int sum(struct finder *f, size_t service, size_t from, size_t to, struct red_figures *ret)
{
    *ret = (struct red_figures){ 0 };
    for (size_t i = from; i < to; i++) {
        const struct red_figures *s = &f->slots[service * f->coarse_n + i];
        ret->requests += s->requests;
        ret->errors += s->errors;
        if (durations_merge(f->a, &ret->durations, &s->durations) < 0)
            return ERR_LIMIT;
    }
    return 0;
}

// Slow is what only every twentieth request was: in the time before the range, or in the first third of all, whichever
// was faster.
static int threshold(struct finder *f, size_t service, int64_t *ret_ns)
{
    size_t ends[] = { (f->range->from - f->range->before) / f->coarse, f->coarse_n / 3 };
    int64_t least = -1;
    for (int i = 0; i < 2; i++) {
        struct red_figures g;
        int r = sum(f, service, 0, ends[i], &g);
        if (r < 0)
            return r;
        int64_t p95 = g.requests >= 50 ? durations_quantile(&g.durations, 0.95) : -1;
        least = p95 >= 0 && (least < 0 || p95 < least) ? p95 : least;
    }
    *ret_ns = least;
    return 0;
}

static int suspect_slow(struct finder *f, size_t service)
{
    struct suspect *s = &f->suspects[service];
    uint64_t n[COARSE_SLOTS], k[COARSE_SLOTS];
    struct red_figures before, after;
    int r = threshold(f, service, &s->slow);
    if (r < 0 || s->slow < 0)
        return r;
    for (size_t i = 0; i < f->coarse_n; i++) {
        const struct red_figures *g = &f->slots[service * f->coarse_n + i];
        n[i] = g->requests;
        k[i] = durations_above(&g->durations, durations_bin(s->slow));
    }
    struct change c;
    if (!change_find(n, k, f->coarse_n, &change_slow, &c))
        return 0;
    if ((r = sum(f, service, 0, c.at, &before)) < 0 || (r = sum(f, service, c.at, f->coarse_n, &after)) < 0)
        return r;
    int64_t was = durations_quantile(&before.durations, 0.95), is = durations_quantile(&after.durations, 0.95);
    if (before.requests == 0 || is <= was + was / 2 || is - was < SLOWER_MIN_NS)
        return 0;
    s->state = RED_SLOW;
    s->change = c;
    s->since = f->range->before + (uint32_t)c.at * f->coarse;
    return 0;
}

// A rise that is too small to be told from chance by itself, but began with a deploy of the service: in its minute or, since a
// rollout takes its time, in one of the next.
static bool suspect_deploy(struct finder *f, size_t service)
{
    const uint64_t *n = f->n + service * f->fine_n, *k = f->k + service * f->fine_n;
    struct suspect *s = &f->suspects[service];
    bool found = false;
    for (size_t i = 0; i < f->o->deploys_n; i++) {
        const struct red_deploy *d = &f->o->deploys[i];
        int64_t minute = d->time / 60000000000ll - f->range->before;
        if (!str_eq(d->service, f->o->services[service].name) || minute < 0 || minute / f->fine >= (int64_t)f->fine_n)
            continue;
        size_t from = (size_t)minute / f->fine;
        for (size_t at = from; at <= from + CAUSE_LATE_MINUTES && at < f->fine_n; at++) {
            struct change c;
            if (change_at(n, k, f->fine_n, at, &change_errors, &c) && (!found || c.score > s->change.score)) {
                s->change = c;
                found = true;
            }
        }
    }
    return found;
}

static int suspect_all(struct finder *f)
{
    int r = 0;
    for (size_t i = 0; i < f->services_n && r == 0; i++) {
        struct suspect *s = &f->suspects[i];
        if (f->o->services[i].kind != RED_SERVICE || f->o->services[i].now.requests == 0)
            continue;
        if (change_find(f->n + i * f->fine_n, f->k + i * f->fine_n, f->fine_n, &change_errors, &s->change) ||
            suspect_deploy(f, i)) {
            s->state = RED_FAILING;
            s->since = f->range->before + (uint32_t)s->change.at * f->fine;
        } else {
            r = suspect_slow(f, i);
        }
    }
    return r;
}

static size_t index_of(const struct finder *f, const struct red_service *s) { return (size_t)(s - f->o->services); }

// Who calls a suspect, directly or through others, and began no earlier than shortly before it, is explained by it.
static void excuse_callers(struct finder *f, enum red_state state)
{
    bool again = true;
    for (size_t round = 0; again && round <= f->services_n; round++) {
        again = false;
        for (size_t i = 0; i < f->o->calls_n; i++) {
            const struct red_call *c = &f->o->calls[i];
            size_t from = index_of(f, c->from), to = index_of(f, c->to);
            struct suspect *caller = &f->suspects[from], *callee = &f->suspects[to];
            if (from == to || caller->state != state || callee->state != state || caller->caller)
                continue;
            if (callee->since > caller->since + TOGETHER_MINUTES)
                continue;
            caller->caller = again = true;
        }
    }
}

static const struct suspect *worst_of(const struct finder *f, enum red_state state)
{
    const struct suspect *best = NULL;
    // In a circle each explains the other: then the clearest of all.
    for (int circle = 0; circle < 2 && !best; circle++)
        for (size_t i = 0; i < f->services_n; i++) {
            const struct suspect *s = &f->suspects[i];
            if (s->state == state && (circle || !s->caller) && (!best || s->change.score > best->change.score))
                best = s;
        }
    return best;
}

static const struct red_deploy *cause_of(const struct red_overview *o, str service, uint32_t since)
{
    int64_t from = ((int64_t)since - CAUSE_MINUTES) * 60000000000ll;
    int64_t to = ((int64_t)since + CAUSE_LATE_MINUTES) * 60000000000ll;
    for (size_t i = 0; i < o->deploys_n; i++)
        if (str_eq(o->deploys[i].service, service) && o->deploys[i].time >= from && o->deploys[i].time < to)
            return &o->deploys[i];
    return NULL;
}

static int query_of(struct finder *f, const struct suspect *s, str service, str *ret_query)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_str(&b, STR("spans service="));
    query_put_value(&b, service);
    if (s->state == RED_FAILING)
        buf_str(&b, STR(" status=error"));
    else if (s->slow >= 1000000)
        buf_printf(&b, " duration>%lldms", (long long)(s->slow / 1000000));
    else
        buf_printf(&b, " duration>%lldus", (long long)(s->slow / 1000));
    int r = b.error || arena_dup(f->a, buf_view(&b), ret_query) < 0 ? ERR_LIMIT : 0;
    buf_free(&b);
    return r;
}

static int describe(struct finder *f, const struct suspect *s)
{
    struct red_finding *d = &f->o->finding;
    size_t service = (size_t)(s - f->suspects);
    int r = 0;
    *d = (struct red_finding){ .state = s->state, .service = f->o->services[service].name };
    d->since = s->since * 60000000000ll;
    d->cause = cause_of(f->o, d->service, s->since);
    // A minute that is half before and half after is not told to be after. Its deploy says when that was.
    if (d->cause && d->cause->time < d->since && d->since - d->cause->time < 60000000000ll)
        d->since = d->cause->time;
    for (size_t i = 0; i < f->v->of[RED_SERIES].n && r == 0; i++) {
        const struct cell *c = &f->v->of[RED_SERIES].cells[i];
        if (c->key->group == service && c->minute >= f->range->before && c->minute < f->range->to)
            r = red_figures_add(f->a, c->minute < s->since ? &d->before : &d->after, c);
    }
    return r < 0 ? r : query_of(f, s, d->service, &d->query);
}

int red_find(const struct red_view *v, const struct red_range *range, struct arena *a, struct red_overview *o)
{
    uint32_t minutes = range->to - range->before;
    struct finder f = { .v = v, .range = range, .a = a, .o = o, .services_n = o->services_n };
    f.fine = (minutes + FINE_SLOTS - 1) / FINE_SLOTS;
    f.coarse = (minutes + COARSE_SLOTS - 1) / COARSE_SLOTS;
    f.fine_n = (minutes + f.fine - 1) / f.fine;
    f.coarse_n = (minutes + f.coarse - 1) / f.coarse;
    f.n = arena_zalloc(a, f.services_n * f.fine_n * sizeof *f.n + 1);
    f.k = arena_zalloc(a, f.services_n * f.fine_n * sizeof *f.k + 1);
    f.slots = arena_zalloc(a, f.services_n * f.coarse_n * sizeof *f.slots + 1);
    f.suspects = arena_zalloc(a, f.services_n * sizeof *f.suspects + 1);
    if (!f.n || !f.k || !f.slots || !f.suspects)
        return ERR_LIMIT;
    int r = collect(&f);
    if (r == 0)
        r = suspect_all(&f);
    if (r < 0)
        return r;
    const struct suspect *s = NULL;
    for (enum red_state state = RED_FAILING; state >= RED_SLOW && !s; state--) {
        excuse_callers(&f, state);
        s = worst_of(&f, state);
    }
    if (s)
        return describe(&f, s);
    o->finding = (struct red_finding){ .state = RED_QUIET };
    for (size_t i = 0; i < f.services_n; i++)
        if (o->services[i].now.requests)
            o->finding.state = RED_HEALTHY;
    return 0;
}
