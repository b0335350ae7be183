#include "records.h"

#include "base/hash.h"
#include "base/must.h"

#include <math.h>

void record_maker_init(struct record_maker *m, uint64_t seed)
{
    *m = (struct record_maker){ .state = seed * 2 + 1, .keys = 20, .values = 50, .traces = 40 };
    arena_init(&m->arena, 64u << 20);
}

void record_maker_free(struct record_maker *m) { arena_free(&m->arena); }
void record_maker_reset(struct record_maker *m) { arena_reset(&m->arena); }

uint64_t record_maker_next(struct record_maker *m, uint64_t below)
{
    m->state += 0x9e3779b97f4a7c15u;
    return below ? hash64_int(m->state) % below : 0;
}

static struct value value_of(struct record_maker *m, unsigned depth)
{
    static const double doubles[] = { 0.0, -0.0, 1.5, -2.25e300, INFINITY, -INFINITY, NAN, 1e-300 };
    static const int64_t ints[] = { 0, 1, -1, 200, 500, INT64_MAX, INT64_MIN, 1ll << 53 };
    switch (record_maker_next(m, depth ? 8 : 10)) {
    case 0:
        return value_int((int64_t)record_maker_next(m, 1000) - 500);
    case 1:
        return value_int(ints[record_maker_next(m, 8)]);
    case 2:
        return value_double(doubles[record_maker_next(m, 8)]);
    case 3:
        return value_bool(record_maker_next(m, 2));
    case 4:
        return (struct value){ .type = VALUE_BYTES,
                               .s = arena_printf(&m->arena, "\x01\xff%d", (int)record_maker_next(m, 9)) };
    case 5:
        return (struct value){ .type = VALUE_NULL };
    case 6:
        return value_str((str){ "", 0 });
    case 8:
    case 9: {
        struct buf b;
        buf_init(&b, 1 << 16);
        bool map = record_maker_next(m, 2);
        uint64_t n = record_maker_next(m, 4);
        buf_byte(&b, map ? VALUE_MAP : VALUE_LIST);
        buf_varint(&b, n);
        for (uint64_t i = 0; i < n; i++) {
            if (map) {
                buf_varint(&b, 2);
                buf_printf(&b, "k%d", (int)record_maker_next(m, 4));
            }
            struct value v = value_of(m, depth + 1);
            must(value_encode(&b, &v) == 0);
        }
        str copy;
        must(arena_dup(&m->arena, buf_view(&b), &copy) == 0);
        buf_free(&b);
        return (struct value){ .type = map ? VALUE_MAP : VALUE_LIST, .s = copy };
    }
    default:
        return value_str(arena_printf(&m->arena, "value %d \xc3\xa9", (int)record_maker_next(m, m->values)));
    }
}

static const struct attr *attrs_of(struct record_maker *m, unsigned level, unsigned max, uint32_t *ret_n)
{
    uint32_t n = (uint32_t)record_maker_next(m, max + 1), kept = 0;
    struct attr *a = arena_alloc_array(&m->arena, n, sizeof *a);
    uint64_t first = record_maker_next(m, m->keys);
    for (uint32_t i = 0; i < n && i < m->keys; i++) { // consecutive keys: none twice
        a[kept].key = arena_printf(&m->arena, "key.%d", (int)((first + i) % m->keys));
        a[kept].level = (uint8_t)(level == ATTR_RECORD && record_maker_next(m, 8) == 0 ? ATTR_FIELD : level);
        a[kept++].value = value_of(m, 0);
    }
    *ret_n = kept;
    return a;
}

static void trace_of(struct record_maker *m, uint8_t id[16], bool *ret_has)
{
    memset(id, 0, 16);
    *ret_has = record_maker_next(m, 10) != 0;
    if (!*ret_has)
        return;
    uint64_t t = record_maker_next(m, m->traces) + 1;
    be64_put(id, t % 7 == 0 ? 0 : hash64_int(t)); // some come from 8-byte systems
    be64_put(id + 8, hash64_int(t * 31));
}

struct record record_maker_record(struct record_maker *m, unsigned source)
{
    struct record r = { .source = (uint8_t)source };
    const int64_t base = 1767225600ll * 1000000000;
    r.kind = (uint8_t)record_maker_next(m, 6);
    r.status = (uint8_t)record_maker_next(m, 3);
    r.severity = source == RECORD_LOGS ? (uint8_t)record_maker_next(m, 25) : 0;
    r.flags = record_maker_next(m, 4) ? 1 : (uint32_t)record_maker_next(m, UINT32_MAX);
    r.time = base + (int64_t)record_maker_next(m, 60ull * 1000000000);
    if (record_maker_next(m, 50) == 0)
        r.time = (int64_t)record_maker_next(m, 2) ? 0 : INT64_MAX - 5;
    r.duration = record_maker_next(m, 20) ? (int64_t)record_maker_next(m, 1000000000) : -7;
    trace_of(m, r.trace, &r.has_trace);
    r.span = record_maker_next(m, 12) ? hash64_int(record_maker_next(m, 100000)) : 0;
    r.parent = record_maker_next(m, 3) ? hash64_int(record_maker_next(m, 100000)) : 0;
    r.name =
        record_maker_next(m, 15) ? arena_printf(&m->arena, "op %d", (int)record_maker_next(m, 12)) : (str){ "", 0 };
    if (source == RECORD_LOGS)
        r.body = value_of(m, 0);
    r.attrs = attrs_of(m, ATTR_RECORD, 9, &r.attrs_n);
    if (source == RECORD_SPANS && record_maker_next(m, 4) == 0) {
        uint32_t events = (uint32_t)record_maker_next(m, 4), links = (uint32_t)record_maker_next(m, 3);
        struct record_child *c = arena_alloc_array(&m->arena, events + links, sizeof *c);
        memset(c, 0, sizeof *c * (events + links));
        for (uint32_t i = 0; i < events + links; i++) {
            c[i].kind = i < events ? CHILD_EVENT : CHILD_LINK;
            if (i < events) {
                c[i].time = r.time - (int64_t)record_maker_next(m, 1000);
                c[i].name = STR("exception");
            } else {
                trace_of(m, c[i].trace, &c[i].has_trace);
                c[i].span = record_maker_next(m, 3) ? record_maker_next(m, 1u << 30) : 0;
                c[i].flags = (uint32_t)record_maker_next(m, 3);
            }
            c[i].attrs = attrs_of(m, ATTR_RECORD, 3, &c[i].attrs_n);
        }
        r.children = c;
        r.children_n = events + links;
    }
    return r;
}

struct record_entity record_maker_resource(struct record_maker *m)
{
    struct record_entity e = { 0 };
    uint64_t kept = m->state;
    m->state = record_maker_next(m, 6) * 1000 + 1;
    e.attrs = attrs_of(m, ATTR_RESOURCE, 5, &e.attrs_n);
    e.schema_url = record_maker_next(m, 2) ? STR("https://opentelemetry.io/schemas/1.26.0") : (str){ "", 0 };
    e.dropped = (uint32_t)record_maker_next(m, 2);
    m->state = kept + 0x1234567;
    return e;
}

struct record_entity record_maker_scope(struct record_maker *m)
{
    struct record_entity e = record_maker_resource(m);
    for (uint32_t i = 0; i < e.attrs_n; i++)
        ((struct attr *)(uintptr_t)e.attrs)[i].level = ATTR_SCOPE;
    e.name = arena_printf(&m->arena, "scope %d", (int)record_maker_next(m, 3));
    e.version = STR("1.0");
    return e;
}
