// Resources, scopes and trace ids of a lane, each interned as a whole.
//
// Canonical encoding of an entity (also its form in the log and in parts):
//   name, version, schema_url: LEB128 length + bytes each; LEB128 dropped; LEB128 attribute count; then for each
//   attribute in the order received: LEB128 key length, key, value (wire/value.h).
#include "store/entity.h"

#include "base/hash.h"
#include "base/must.h"
#include "store/head.h"

static int str_encode(struct buf *b, str s)
{
    buf_varint(b, s.len);
    return buf_str(b, s);
}

int entity_encode(struct buf *b, const struct record_entity *e)
{
    str_encode(b, e->name);
    str_encode(b, e->version);
    str_encode(b, e->schema_url);
    buf_varint(b, e->dropped);
    buf_varint(b, e->attrs_n);
    for (uint32_t i = 0; i < e->attrs_n; i++) {
        str_encode(b, e->attrs[i].key);
        value_encode(b, &e->attrs[i].value);
    }
    return b->error;
}

static int varint_read(struct value_reader *r, uint64_t *ret_v)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (r->p == r->end)
            return ERR_TRUNCATED;
        uint8_t b = *r->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *ret_v = v;
            return 0;
        }
    }
    return ERR_MALFORMED;
}

static int str_decode(struct value_reader *r, str *ret_s)
{
    uint64_t n;
    int e = varint_read(r, &n);
    if (e < 0)
        return e;
    if (n > (uint64_t)(r->end - r->p))
        return ERR_TRUNCATED;
    *ret_s = str_of(r->p, (size_t)n);
    r->p += n;
    return 0;
}

int entity_decode(str canonical, uint8_t level, void *(*alloc)(void *ctx, size_t size), void *ctx,
                  struct record_entity *ret_e)
{
    struct value_reader r = { (const uint8_t *)canonical.ptr, (const uint8_t *)canonical.ptr + canonical.len };
    struct record_entity e = { 0 };
    uint64_t dropped, n;
    int code;
    if ((code = str_decode(&r, &e.name)) < 0 || (code = str_decode(&r, &e.version)) < 0 ||
        (code = str_decode(&r, &e.schema_url)) < 0 || (code = varint_read(&r, &dropped)) < 0 ||
        (code = varint_read(&r, &n)) < 0)
        return code;
    if (n > (uint64_t)(r.end - r.p) || dropped > UINT32_MAX) // an attribute takes at least two bytes
        return ERR_MALFORMED;
    e.dropped = (uint32_t)dropped;
    e.attrs_n = (uint32_t)n;
    struct attr *attrs = n ? alloc(ctx, sizeof *attrs * n) : NULL;
    if (n && !attrs)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++) {
        attrs[i] = (struct attr){ .level = level };
        if ((code = str_decode(&r, &attrs[i].key)) < 0 || (code = value_read(&r, &attrs[i].value)) < 0)
            return code;
    }
    e.attrs = attrs;
    if (r.p != r.end)
        return ERR_MALFORMED;
    *ret_e = e;
    return 0;
}

static void *entity_alloc_in_heap(void *ctx, size_t size) { return head_heap_alloc(ctx, size, 16); }

struct lane_entity *lane_entity_get(const struct lane_entities *es, uint32_t ord)
{
    int k;
    uint32_t at;
    geo_place(ord, &k, &at);
    return es->chunk[k][at];
}

int lane_append_entity(struct lane *l, struct lane_entities *es, str canonical)
{
    uint32_t n = atomic_load_explicit(&es->n, memory_order_relaxed);
    int k;
    uint32_t at;
    geo_place(n, &k, &at);
    if (!es->chunk[k]) {
        es->chunk[k] = head_heap_alloc(&l->heap, sizeof(struct lane_entity *) * (64u << k), 16);
        if (!es->chunk[k])
            return ERR_NOMEM;
    }
    struct lane_entity *le = head_heap_alloc(&l->heap, sizeof *le, 16);
    char *p = head_heap_alloc(&l->heap, canonical.len, 1);
    if (!le || !p)
        return ERR_NOMEM;
    memcpy(p, canonical.ptr, canonical.len);
    *le = (struct lane_entity){ .canonical = { p, canonical.len }, .hash = hash64(p, canonical.len) };
    uint8_t level = es == &l->resources ? ATTR_RESOURCE : ATTR_SCOPE;
    int e = entity_decode(le->canonical, level, entity_alloc_in_heap, &l->heap, &le->e);
    if (e < 0)
        return e;
    es->chunk[k][at] = le;
    atomic_store_explicit(&es->n, n + 1, memory_order_release);
    return 0;
}

static int entities_grow(struct lane_entities *es)
{
    uint32_t cap = es->slots ? (es->mask + 1) * 2 : 16;
    uint64_t *slots = mem_calloc(cap, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < es->n; i++) {
        uint32_t at = (uint32_t)(lane_entity_get(es, i)->hash >> 32) & (cap - 1);
        while (slots[at])
            at = (at + 1) & (cap - 1);
        slots[at] = (lane_entity_get(es, i)->hash & 0xffffffff00000000u) | (i + 1);
    }
    mem_free(es->slots);
    es->slots = slots;
    es->mask = cap - 1;
    return 0;
}

int lane_intern_entity(struct lane *l, struct lane_entities *es, const struct record_entity *e, uint32_t *ret_ord)
{
    struct buf *b = &l->canonical;
    buf_clear(b);
    int code = entity_encode(b, e);
    if (code < 0)
        return code;
    if ((es->n + 1) * 2 > (es->slots ? es->mask + 1 : 0) && entities_grow(es) < 0)
        return ERR_NOMEM;
    uint64_t h = hash64(b->ptr, b->len);
    uint32_t at = (uint32_t)(h >> 32) & es->mask;
    for (uint64_t slot; (slot = es->slots[at]); at = (at + 1) & es->mask) {
        if ((slot ^ h) >> 32)
            continue;
        if (str_eq(lane_entity_get(es, (uint32_t)slot - 1)->canonical, buf_view(b))) {
            *ret_ord = (uint32_t)slot - 1;
            return 0;
        }
    }
    if ((code = lane_append_entity(l, es, buf_view(b))) < 0)
        return code;
    es->slots[at] = (h & 0xffffffff00000000u) | es->n;
    *ret_ord = es->n - 1;
    return 0;
}

const uint8_t *lane_trace_get(const struct lane_traces *ts, uint32_t ord)
{
    int k;
    uint32_t at;
    geo_place(ord, &k, &at);
    return ts->chunk[k][at];
}

// Trace ids are random in their lower half by specification, but not everybody reads it: hash them.
static uint32_t trace_home(const uint8_t id[16]) { return (uint32_t)hash64_int(le64_get(id) ^ le64_get(id + 8)); }

int lane_append_trace(struct lane *l, const uint8_t id[16])
{
    struct lane_traces *ts = &l->traces;
    uint32_t n = atomic_load_explicit(&ts->n, memory_order_relaxed);
    int k;
    uint32_t at;
    geo_place(n, &k, &at);
    if (!ts->chunk[k]) {
        ts->chunk[k] = head_heap_alloc(&l->heap, (size_t)16 * (64u << k), 16);
        if (!ts->chunk[k])
            return ERR_NOMEM;
    }
    memcpy(ts->chunk[k][at], id, 16);
    atomic_store_explicit(&ts->n, n + 1, memory_order_release);
    return 0;
}

static int traces_grow(struct lane_traces *ts)
{
    uint32_t cap = ts->slots ? (ts->mask + 1) * 2 : 64;
    uint32_t *slots = mem_calloc(cap, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < ts->n; i++) {
        uint32_t at = trace_home(lane_trace_get(ts, i)) & (cap - 1);
        while (slots[at])
            at = (at + 1) & (cap - 1);
        slots[at] = i + 1;
    }
    mem_free(ts->slots);
    ts->slots = slots;
    ts->mask = cap - 1;
    return 0;
}

int lane_intern_trace(struct lane *l, const uint8_t id[16], uint32_t *ret_ord)
{
    struct lane_traces *ts = &l->traces;
    if (ts->n && memcmp(lane_trace_get(ts, ts->last), id, 16) == 0) {
        *ret_ord = ts->last;
        return 0;
    }
    if ((uint64_t)(ts->n + 1) * 4 > (uint64_t)(ts->slots ? ts->mask + 1 : 0) * 3 && traces_grow(ts) < 0)
        return ERR_NOMEM;
    uint32_t at = trace_home(id) & ts->mask;
    for (uint32_t slot; (slot = ts->slots[at]); at = (at + 1) & ts->mask) {
        if (memcmp(lane_trace_get(ts, slot - 1), id, 16) == 0) {
            *ret_ord = ts->last = slot - 1;
            return 0;
        }
    }
    int e = lane_append_trace(l, id);
    if (e < 0)
        return e;
    ts->slots[at] = ts->n;
    *ret_ord = ts->last = ts->n - 1;
    return 0;
}
