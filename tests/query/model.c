#include "model.h"

#include "base/must.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

uint64_t model_random(struct model *m, uint64_t below)
{
    m->random += 0x9e3779b97f4a7c15u;
    uint64_t z = m->random;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

bool model_chance(struct model *m, int percent) { return model_random(m, 100) < (uint64_t)percent; }

const char *model_text(struct model *m, const char *fmt, ...)
{
    char room[4096];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(room, sizeof room, fmt, ap);
    va_end(ap);
    str s;
    must(n >= 0 && (size_t)n < sizeof room && arena_dup(&m->arena, str_of(room, (size_t)n), &s) == 0);
    return s.ptr;
}

// ---- fields ----

static struct model_value none(void) { return (struct model_value){ .t = M_NONE }; }

static struct model_value in_attrs(const struct model_attr *a, int n, const char *key)
{
    for (int i = 0; i < n; i++) {
        if (strcmp(a[i].key, key) == 0)
            return a[i].v;
    }
    return none();
}

// "m.y": the literal key, else y in the map m.
static struct model_value at_level(const struct model_attr *a, int n, const char *key)
{
    struct model_value v = in_attrs(a, n, key);
    const char *dot = strchr(key, '.');
    if (v.t != M_NONE || !dot)
        return v;
    char first[32];
    snprintf(first, sizeof first, "%.*s", (int)(dot - key), key);
    v = in_attrs(a, n, first);
    for (int i = 0; v.t == M_MAP && i < v.n; i++) {
        if (strcmp(v.keys[i], dot + 1) == 0)
            return v.e[i];
    }
    return none();
}

static struct model_value attribute(struct model *m, const struct model_record *r, const char *key)
{
    struct model_value v = at_level(r->attrs, r->attrs_n, key);
    if (v.t == M_NONE)
        v = at_level(m->scopes[r->scope].attrs, m->scopes[r->scope].attrs_n, key);
    if (v.t == M_NONE)
        v = at_level(m->resources[r->resource].attrs, m->resources[r->resource].attrs_n, key);
    return v;
}

struct model_value model_field(struct model *m, const struct model_record *r, const char *name)
{
    static const char *const kinds[] = { NULL, "internal", "server", "client", "producer", "consumer" };
    static const char *const statuses[] = { "unset", "ok", "error" };
    struct model_value v = none();
    if (strcmp(name, "time") == 0)
        return (struct model_value){ .t = M_TIME, .i = r->time };
    if (strcmp(name, "source") == 0)
        return (struct model_value){ .t = M_ENUM, .s = r->log ? "logs" : "spans" };
    if (strcmp(name, "span") == 0)
        return r->span ? (struct model_value){ .t = M_ID, .i = (int64_t)r->span } : v;
    if (strcmp(name, "name") == 0)
        return r->name[0] ? (struct model_value){ .t = M_STR, .s = r->name } : v;
    if (strcmp(name, "service") == 0) {
        v = at_level(m->resources[r->resource].attrs, m->resources[r->resource].attrs_n, "service.name");
        return v.t == M_NONE ? attribute(m, r, "service") : v;
    }
    if (!r->log && strcmp(name, "duration") == 0)
        return (struct model_value){ .t = M_DURATION, .i = r->duration };
    if (!r->log && strcmp(name, "kind") == 0)
        return kinds[r->kind] ? (struct model_value){ .t = M_ENUM, .s = kinds[r->kind] } : v;
    if (!r->log && strcmp(name, "status") == 0)
        return (struct model_value){ .t = M_ENUM, .s = statuses[r->status] };
    if (!r->log && strcmp(name, "root") == 0)
        return (struct model_value){ .t = M_BOOL, .i = r->parent == 0 };
    if (!r->log && strcmp(name, "parent") == 0)
        return r->parent ? (struct model_value){ .t = M_ID, .i = (int64_t)r->parent } : v;
    if (!r->log && strcmp(name, "event.k") == 0) {
        v = (struct model_value){ .t = M_LIST, .e = arena_alloc_array(&m->arena, MODEL_EVENTS, sizeof v) };
        for (int i = 0; i < r->events_n; i++) {
            if (r->events[i].v.t != M_NONE)
                v.e[v.n++] = r->events[i].v;
        }
        return v.n ? v : none();
    }
    if (r->log && strcmp(name, "level") == 0)
        return r->severity ? (struct model_value){ .t = M_LEVEL, .i = r->severity } : v;
    if (r->log && strcmp(name, "severity") == 0)
        return r->severity ? (struct model_value){ .t = M_INT, .i = r->severity } : v;
    if (r->log && strcmp(name, "body") == 0)
        return r->body;
    if (strncmp(name, "attr.", 5) == 0)
        return at_level(r->attrs, r->attrs_n, name + 5);
    if (strncmp(name, "resource.", 9) == 0)
        return at_level(m->resources[r->resource].attrs, m->resources[r->resource].attrs_n, name + 9);
    if (strcmp(name, "l[1]") == 0) { // the whole path is looked for at each level
        const struct model_value at[] = {
            at_level(r->attrs, r->attrs_n, "l"), at_level(m->scopes[r->scope].attrs, m->scopes[r->scope].attrs_n, "l"),
            at_level(m->resources[r->resource].attrs, m->resources[r->resource].attrs_n, "l")
        };
        for (int i = 0; i < 3; i++) {
            if (at[i].t == M_LIST && at[i].n > 1)
                return at[i].e[1];
        }
        return none();
    }
    return attribute(m, r, name);
}

// ---- order ----

static int rank_of(const struct model_value *v)
{
    switch (v->t) {
    case M_BOOL:
        return 0;
    case M_INT:
    case M_DOUBLE:
        return 1;
    case M_STR:
    case M_ENUM:
        return 2;
    case M_NONE:
        return 100;
    default:
        return 3 + (int)v->t;
    }
}

static int order_numbers(const struct model_value *a, const struct model_value *b)
{
    bool na = a->t == M_DOUBLE && isnan(a->d), nb = b->t == M_DOUBLE && isnan(b->d);
    if (na || nb)
        return na - nb;
    long double x = a->t == M_INT ? (long double)a->i : (long double)a->d; // 64 bits of mantissa: exact
    long double y = b->t == M_INT ? (long double)b->i : (long double)b->d;
    return (x > y) - (x < y);
}

int model_order(const struct model_value *a, const struct model_value *b)
{
    int ra = rank_of(a), rb = rank_of(b);
    if (ra != rb)
        return ra < rb ? -1 : 1;
    switch (a->t) {
    case M_NONE:
        return 0;
    case M_INT:
    case M_DOUBLE:
        return order_numbers(a, b);
    case M_STR:
    case M_ENUM: {
        int c = strcmp(a->s, b->s);
        return (c > 0) - (c < 0);
    }
    case M_LEVEL: {
        int64_t x = (a->i - 1) / 4, y = (b->i - 1) / 4;
        return (x > y) - (x < y);
    }
    case M_ID: {
        uint64_t x = (uint64_t)a->i, y = (uint64_t)b->i;
        return (x > y) - (x < y);
    }
    default:
        return (a->i > b->i) - (a->i < b->i);
    }
}

// ---- print ----

const char *model_print(struct model *m, const struct model_value *v)
{
    static const char *const levels[] = { "trace", "debug", "info", "warn", "error", "fatal" };
    const char *s;
    switch (v->t) {
    case M_NONE:
        return "-";
    case M_BOOL:
        return v->i ? "true" : "false";
    case M_INT:
        return model_text(m, "%lld", (long long)v->i);
    case M_DOUBLE:
        return isnan(v->d) ? "NaN" : model_text(m, "%.9g", v->d == 0 ? 0 : v->d);
    case M_TIME:
        return model_text(m, "time %lld", (long long)v->i);
    case M_DURATION:
        return model_text(m, "%lldns", (long long)v->i);
    case M_ID:
        return model_text(m, "id %016llx", (unsigned long long)v->i);
    case M_LEVEL:
        return levels[(v->i - 1) / 4];
    case M_STR:
    case M_ENUM:
        return model_text(m, "\"%s\"", v->s);
    default:
        s = v->t == M_LIST ? "[" : "{";
        for (int i = 0; i < v->n; i++)
            s = model_text(m, "%s%s%s%s%s", s, i ? "," : "", v->t == M_MAP ? v->keys[i] : "", v->t == M_MAP ? ":" : "",
                           model_print(m, &v->e[i]));
        return model_text(m, "%s%s", s, v->t == M_LIST ? "]" : "}");
    }
}

static const char *print_stored(struct model *m, const struct value *v)
{
    struct value_reader r;
    struct value e;
    uint64_t n;
    str key;
    switch (v->type) {
    case VALUE_STR:
        return model_text(m, "\"%.*s\"", STR_ARG(v->s));
    case VALUE_INT:
        return model_text(m, "%lld", (long long)v->i);
    case VALUE_DOUBLE:
        return isnan(v->d) ? "NaN" : model_text(m, "%.9g", v->d == 0 ? 0 : v->d);
    case VALUE_BOOL:
        return v->b ? "true" : "false";
    case VALUE_LIST:
    case VALUE_MAP: {
        const char *s = v->type == VALUE_LIST ? "[" : "{";
        must(value_open(v, &r, &n) == 0);
        for (uint64_t i = 0; i < n; i++) {
            key = STR("");
            must(v->type == VALUE_LIST || value_read_key(&r, &key) == 0);
            must(value_read(&r, &e) == 0);
            s = model_text(m, "%s%s%.*s%s%s", s, i ? "," : "", STR_ARG(key), key.len ? ":" : "", print_stored(m, &e));
        }
        return model_text(m, "%s%s", s, v->type == VALUE_LIST ? "]" : "}");
    }
    default:
        return "?";
    }
}

const char *model_print_qval(struct model *m, const struct qval *v)
{
    struct model_value mv = { 0 };
    struct value stored = { 0 };
    switch ((enum qval_type)v->type) {
    case QVAL_MISSING:
        return "-";
    case QVAL_BOOL:
        return v->b ? "true" : "false";
    case QVAL_INT:
        return model_text(m, "%lld", (long long)v->i);
    case QVAL_DOUBLE:
        mv = (struct model_value){ .t = M_DOUBLE, .d = v->d };
        return model_print(m, &mv);
    case QVAL_TIME:
        return model_text(m, "time %lld", (long long)v->i);
    case QVAL_DURATION:
        return model_text(m, "%lldns", (long long)v->i);
    case QVAL_LEVEL:
        mv = (struct model_value){ .t = M_LEVEL, .i = v->i };
        return model_print(m, &mv);
    case QVAL_ID:
        return v->id_n == 8 ? model_text(m, "id %016llx", (unsigned long long)be64_get(v->id)) : "id of 16";
    case QVAL_STR:
    case QVAL_ENUM:
        return model_text(m, "\"%.*s\"", STR_ARG(v->s));
    case QVAL_LIST:
    case QVAL_MAP:
        stored = (struct value){ .type = v->type == QVAL_LIST ? VALUE_LIST : VALUE_MAP, .s = v->s };
        return print_stored(m, &stored);
    default:
        return "?";
    }
}
