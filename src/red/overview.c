#include "red/overview.h"

#include "red/change.h"

#include <stdlib.h>

enum { DEPLOY_MINUTES = 30 };

void red_range_make(int64_t from, int64_t to, int64_t now, uint32_t buckets, struct red_range *ret_range)
{
    static const uint32_t steps[] = { 1,   2,   5,    10,   15,   30,       60,        120,       180,
                                      360, 720, 1440, 2880, 7200, 7 * 1440, 14 * 1440, 30 * 1440, 90 * 1440 };
    const int64_t minute = 60 * 1000000000ll, last = UINT32_MAX / 2;
    int64_t f = from <= 0 ? 0 : (from - 1) / minute + 1, t = to <= 0 ? 0 : (to - 1) / minute + 1;
    f = f > last ? last : f;
    t = t > last ? last : t;
    f = f < t ? f : t - 1;
    if (f < 0)
        f = 0, t = 1;
    uint32_t length = (uint32_t)(t - f), step = steps[0], n = sizeof steps / sizeof steps[0];
    for (uint32_t i = 0; i < n && (length + step - 1) / step > buckets; i++)
        step = steps[i];
    while ((length + step - 1) / step > buckets)
        step *= 2;
    uint32_t before = (uint32_t)f > length ? (uint32_t)f - length : 0;
    uint32_t read = (uint32_t)f > DEPLOY_MINUTES ? (uint32_t)f - DEPLOY_MINUTES : 0;
    *ret_range = (struct red_range){ .from = (uint32_t)f,
                                     .to = (uint32_t)t,
                                     .step = step,
                                     .buckets = (length + step - 1) / step,
                                     .before = before,
                                     .read_from = before < read ? before : read,
                                     .now = now };
}

double red_rate(const struct red_range *range, uint64_t requests)
{
    int64_t from = range->from * 60000000000ll, to = range->to * 60000000000ll;
    to = range->now > from && range->now < to ? range->now : to;
    return (double)requests / ((double)(to - from) / 1e9);
}

int red_figures_add(struct arena *a, struct red_figures *f, const struct cell *c)
{
    f->requests += c->requests;
    f->errors += c->errors;
    return durations_merge(a, &f->durations, &c->durations) < 0 ? ERR_LIMIT : 0;
}

// ---- services ------------------------------------------------------------------------------------------

struct builder {
    const struct red_range *range;
    struct arena *a;
    struct red_overview *o;
    struct cell *sets; // of a service: its instances in the range
};

static int key_order(const void *pa, const void *pb)
{
    const struct red_key *a = *(struct red_key *const *)pa, *b = *(struct red_key *const *)pb;
    int c = str_cmp(a->service, b->service);
    return c ? c : (a->id > b->id) - (a->id < b->id);
}

static int service_add(struct builder *b, str name, uint8_t kind, str system, uint32_t *ret_group)
{
    struct red_service *s = &b->o->services[b->o->services_n];
    *s = (struct red_service){ .name = name, .kind = kind, .system = system, .last = INT64_MIN };
    if (!(s->buckets = arena_zalloc(b->a, b->range->buckets * sizeof *s->buckets)))
        return ERR_LIMIT;
    *ret_group = (uint32_t)b->o->services_n++;
    return 0;
}

// A service for each name of the series; and each series learns its service. In order of names.
static int group_series(struct builder *b, const struct red_view *v)
{
    uint32_t group = 0;
    if (v->series_n)
        qsort(v->series, v->series_n, sizeof *v->series, key_order);
    for (size_t i = 0; i < v->series_n; i++) {
        if (i == 0 || !str_eq(v->series[i]->service, v->series[i - 1]->service)) {
            int r = service_add(b, v->series[i]->service, RED_SERVICE, (str){ 0 }, &group);
            if (r < 0)
                return r;
        }
        v->series[i]->group = group;
    }
    return 0;
}

static struct red_service *service_named(const struct red_overview *o, size_t n, str name)
{
    size_t lo = 0, hi = n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = str_cmp(o->services[mid].name, name);
        if (c == 0)
            return &o->services[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static int count_cell(struct builder *b, struct red_service *s, const struct cell *c)
{
    const struct red_range *g = b->range;
    if (c->minute >= g->to || c->minute < g->before)
        return 0;
    if (c->minute < g->from) {
        s->has_before = true;
        return red_figures_add(b->a, &s->before, c);
    }
    int r = red_figures_add(b->a, &s->now, c);
    if (r == 0)
        r = red_figures_add(b->a, &s->buckets[(c->minute - g->from) / g->step], c);
    return r;
}

static int count_series(struct builder *b, const struct red_cells *cells)
{
    for (size_t i = 0; i < cells->n; i++) {
        const struct cell *c = &cells->cells[i];
        struct red_service *s = &b->o->services[c->key->group];
        int r = count_cell(b, s, c);
        if (r == 0 && c->minute >= b->range->from && c->minute < b->range->to) {
            struct cell *set = &b->sets[c->key->group];
            s->logs += c->logs;
            s->log_errors += c->log_errors;
            s->last = c->last > s->last ? c->last : s->last;
            for (unsigned k = 0; k < c->instances_n && r == 0; k++)
                r = cell_instance(b->a, set, c->instances[k]);
            s->instances = set->instances_n;
            r = r < 0 ? r : red_figures_add(b->a, &b->o->buckets[(c->minute - b->range->from) / b->range->step], c);
            // Of the versions that are seen in the range the one that came last.
            const struct red_key *k = c->key;
            if (k->version.len && (!s->version.len || k->first > s->version_since)) {
                s->version = k->version;
                s->version_since = k->first;
            }
            s->language = k->language.len ? k->language : s->language;
            s->runtime = k->runtime.len ? k->runtime : s->runtime;
        }
        if (r < 0)
            return ERR_LIMIT;
    }
    return 0;
}

// ---- calls ---------------------------------------------------------------------------------------------

static struct red_service *end_of(struct builder *b, size_t named, str name, const struct red_key *peer)
{
    struct red_service *s = service_named(b->o, named, name);
    for (size_t i = named; i < b->o->services_n && !s; i++)
        if (str_eq(b->o->services[i].name, name))
            s = &b->o->services[i];
    uint32_t group;
    if (s || service_add(b, name, peer ? peer->type : RED_SERVICE, peer ? peer->system : (str){ 0 }, &group) < 0)
        return s;
    return &b->o->services[group];
}

static int edge_order(const void *pa, const void *pb)
{
    const struct cell *a = pa, *b = pb;
    return (a->key->id > b->key->id) - (a->key->id < b->key->id);
}

static struct red_call *call_between(struct red_overview *o, const struct red_service *from,
                                     const struct red_service *to)
{
    for (size_t i = 0; i < o->calls_n; i++)
        if (o->calls[i].from == from && o->calls[i].to == to)
            return &o->calls[i];
    o->calls[o->calls_n] = (struct red_call){ .from = from, .to = to };
    return &o->calls[o->calls_n++];
}

static int count_edges(struct builder *b, const struct red_cells *cells)
{
    size_t named = b->o->services_n;
    const struct red_key *last = NULL;
    struct red_service *from = NULL, *to = NULL;
    struct red_call *call = NULL;
    if (cells->n)
        qsort(cells->cells, cells->n, sizeof *cells->cells, edge_order);
    for (size_t i = 0; i < cells->n; i++) {
        const struct cell *c = &cells->cells[i];
        if (c->key != last) {
            last = c->key;
            from = end_of(b, named, c->key->service, NULL);
            to = end_of(b, named, c->key->name, c->key->type == RED_SERVICE ? NULL : c->key);
            call = NULL;
        }
        if (!from || !to)
            return ERR_LIMIT;
        bool now = c->minute >= b->range->from && c->minute < b->range->to;
        int r = to->kind != RED_SERVICE ? count_cell(b, to, c) : 0;
        if (r == 0 && now) {
            call = call ? call : call_between(b->o, from, to);
            r = red_figures_add(b->a, &call->now, c);
        }
        if (r < 0)
            return ERR_LIMIT;
    }
    return 0;
}

static size_t keys_of(struct red_cells *cells)
{
    size_t n = 0;
    if (cells->n)
        qsort(cells->cells, cells->n, sizeof *cells->cells, edge_order);
    for (size_t i = 0; i < cells->n; i++)
        n += i == 0 || cells->cells[i].key != cells->cells[i - 1].key;
    return n;
}

int red_services(const struct red_view *v, const struct red_range *range, struct arena *a, struct red_overview *o)
{
    struct red_cells edges = v->of[RED_EDGE];
    size_t edge_keys = keys_of(&edges), most = v->series_n + 2 * edge_keys + 1;
    struct builder b = { range, a, o, arena_zalloc(a, most * sizeof *b.sets) };
    o->services = arena_alloc_array(a, most, sizeof *o->services);
    o->calls = arena_alloc_array(a, edge_keys + 1, sizeof *o->calls);
    o->buckets = arena_zalloc(a, range->buckets * sizeof *o->buckets);
    if (!b.sets || !o->services || !o->calls || !o->buckets)
        return ERR_LIMIT;
    int r = group_series(&b, v);
    if (r == 0)
        r = count_series(&b, &v->of[RED_SERIES]);
    return r == 0 ? count_edges(&b, &edges) : r;
}

// ---- deploys -------------------------------------------------------------------------------------------

static bool same_place(const struct red_key *a, const struct red_key *b)
{
    return a->project == b->project && str_eq(a->service, b->service) && str_eq(a->environment, b->environment);
}

static const struct red_key *version_before(const struct red_view *v, const struct red_key *k)
{
    const struct red_key *best = NULL;
    for (size_t i = 0; i < v->series_n; i++) {
        const struct red_key *o = v->series[i];
        if (o != k && same_place(o, k) && o->version.len && o->first < k->first && (!best || o->first > best->first))
            best = o;
    }
    return best;
}

static int deploy_figures(const struct red_view *v, const struct red_key *k, struct arena *a, struct red_deploy *d)
{
    uint32_t at = (uint32_t)(d->time / 60000000000ll);
    int r = 0;
    for (size_t i = 0; i < v->of[RED_SERIES].n && r == 0; i++) {
        const struct cell *c = &v->of[RED_SERIES].cells[i];
        if (c->key == k && c->minute >= at && c->minute < at + DEPLOY_MINUTES)
            r = red_figures_add(a, &d->new_figures, c);
        else if (c->key != k && same_place(c->key, k) && c->minute <= at && c->minute + DEPLOY_MINUTES >= at)
            r = red_figures_add(a, &d->old_figures, c);
    }
    int64_t was = durations_quantile(&d->old_figures.durations, 0.95);
    int64_t is = durations_quantile(&d->new_figures.durations, 0.95);
    bool slower =
        d->old_figures.requests >= 50 && d->new_figures.requests >= 50 && is > was + was / 2 && is - was >= 5000000;
    // Two slots, before and after: what the same rule says of the finding that it causes.
    const uint64_t n[] = { d->old_figures.requests, d->new_figures.requests };
    const uint64_t bad[] = { d->old_figures.errors, d->new_figures.errors };
    struct change c;
    d->worse =
        slower || change_at(n, bad, 2, 1, &change_errors, &c) || change_is_rise(bad[0], n[0], bad[1], n[1], 0.01);
    return r;
}

static int deploy_order(const void *pa, const void *pb)
{
    const struct red_deploy *a = pa, *b = pb;
    return a->time != b->time ? (a->time > b->time ? -1 : 1) : str_cmp(a->service, b->service);
}

static int deploy_add(const struct red_view *v, const struct red_key *k, const struct red_key *before, int64_t time,
                      struct arena *a, struct red_overview *o)
{
    struct red_deploy *d = &o->deploys[o->deploys_n++];
    *d = (struct red_deploy){ .time = time,
                              .service = k->service,
                              .version = k->version,
                              .before = before->version,
                              .environment = k->environment };
    return deploy_figures(v, k, a, d);
}

int red_deploys(const struct red_view *v, const struct red_range *range, struct arena *a, struct red_overview *o)
{
    int64_t from = range->read_from * 60000000000ll, to = range->to * 60000000000ll;
    struct red_rollback *rollbacks;
    size_t n;
    int r = red_rollbacks(v, a, &rollbacks, &n);
    if (r < 0)
        return r;
    if (!(o->deploys = arena_alloc_array(a, v->series_n + n + 1, sizeof *o->deploys)))
        return ERR_LIMIT;
    for (size_t i = 0; i < v->series_n && r == 0; i++) {
        const struct red_key *k = v->series[i];
        const struct red_key *before =
            k->version.len && k->first >= from && k->first < to ? version_before(v, k) : NULL;
        if (before)
            r = deploy_add(v, k, before, k->first, a, o);
    }
    for (size_t i = 0; i < n && r == 0; i++)
        r = deploy_add(v, rollbacks[i].key, rollbacks[i].before, rollbacks[i].minute * 60000000000ll, a, o);
    if (r == 0 && o->deploys_n)
        qsort(o->deploys, o->deploys_n, sizeof *o->deploys, deploy_order);
    return r;
}

// ---- the whole -----------------------------------------------------------------------------------------

static double badness(const struct red_service *s)
{
    double low, high;
    change_wilson(s->now.errors, s->now.requests, &low, &high);
    return s->now.requests && low >= 0.005 ? low : 0;
}

static int service_order(const void *pa, const void *pb)
{
    const struct red_service *a = pa, *b = pb;
    double x = badness(a), y = badness(b);
    if (x != y)
        return x > y ? -1 : 1;
    bool sa = a->kind == RED_SERVICE, sb = b->kind == RED_SERVICE;
    if (sa != sb)
        return sa ? -1 : 1;
    if (a->now.requests != b->now.requests)
        return a->now.requests > b->now.requests ? -1 : 1;
    return str_cmp(a->name, b->name);
}

int red_overview(const struct red_view *v, const struct red_range *range, struct arena *a,
                 struct red_overview *ret_overview)
{
    struct red_overview o = { 0 };
    int r = red_services(v, range, a, &o);
    if (r == 0)
        r = red_deploys(v, range, a, &o);
    if (r == 0)
        r = red_find(v, range, a, &o);
    if (r < 0)
        return r;
    // Calls point into the list: whoever wants them takes red_services() alone.
    o.calls_n = 0;
    size_t kept = 0;
    for (size_t i = 0; i < o.services_n; i++) {
        const struct red_service *s = &o.services[i];
        if (s->last != INT64_MIN || s->now.requests || s->has_before)
            o.services[kept++] = *s;
    }
    o.services_n = kept;
    if (kept)
        qsort(o.services, kept, sizeof *o.services, service_order);
    if (o.finding.service.len) // whom the page speaks of stands first
        for (size_t i = 1; i < kept; i++)
            if (str_eq(o.services[i].name, o.finding.service)) {
                struct red_service worst = o.services[i];
                memmove(o.services + 1, o.services, i * sizeof worst);
                o.services[0] = worst;
            }
    kept = 0;
    for (size_t i = 0; i < o.deploys_n; i++)
        if (o.deploys[i].time >= range->from * 60000000000ll)
            kept++;
    o.deploys_n = kept;
    *ret_overview = o;
    return 0;
}
