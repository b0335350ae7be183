#include "wire/otlp_pb.h"

// --- values

// An AnyValue before its meaning: tag of the member that is set (the last one on the wire), its payload.
struct any {
    uint32_t tag; // 0: none
    uint64_t number;
    struct pb_reader payload;
};

static int any_read(struct otlp_decoder *d, struct pb_reader r, struct any *ret_any)
{
    struct any any = { 0 };
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        switch (tag) {
        case PB_TAG(2, PB_VARINT):
        case PB_TAG(3, PB_VARINT):
            rc = pb_varint(&r, &any.number);
            break;
        case PB_TAG(4, PB_FIXED64):
            rc = pb_fixed64(&r, &any.number);
            break;
        case PB_TAG(1, PB_LEN):
        case PB_TAG(5, PB_LEN):
        case PB_TAG(6, PB_LEN):
        case PB_TAG(7, PB_LEN):
            rc = pb_sub(&r, &any.payload);
            break;
        default:
            if ((rc = pb_skip(&r, tag)) < 0)
                break;
            continue;
        }
        if (rc < 0)
            break;
        any.tag = tag;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    *ret_any = any;
    return 0;
}

static str payload_str(const struct any *any)
{
    return str_of(any->payload.p, (size_t)(any->payload.end - any->payload.p));
}

// What of AnyValue needs no encoding; VALUE_LIST and VALUE_MAP come back bare.
static struct value any_scalar(const struct any *any)
{
    double v;
    switch (any->tag) {
    case PB_TAG(1, PB_LEN):
        return value_str(payload_str(any));
    case PB_TAG(2, PB_VARINT):
        return value_bool(any->number != 0);
    case PB_TAG(3, PB_VARINT):
        return value_int((int64_t)any->number);
    case PB_TAG(4, PB_FIXED64):
        memcpy(&v, &any->number, 8);
        return value_double(v);
    case PB_TAG(5, PB_LEN):
        return (struct value){ .type = VALUE_LIST };
    case PB_TAG(6, PB_LEN):
        return (struct value){ .type = VALUE_MAP };
    case PB_TAG(7, PB_LEN):
        return (struct value){ .type = VALUE_BYTES, .s = payload_str(any) };
    default:
        return (struct value){ .type = VALUE_NULL };
    }
}

int otlp_pb_count(struct otlp_decoder *d, struct pb_reader r, uint32_t tag, uint64_t *ret_n)
{
    uint64_t n = 0;
    uint32_t t;
    int rc;
    while ((rc = pb_next(&r, &t)) > 0) {
        n += t == tag;
        if ((rc = pb_skip(&r, t)) < 0)
            break;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    *ret_n = n;
    return 0;
}

static int encode_list(struct otlp_decoder *d, struct pb_reader r, unsigned depth)
{
    uint64_t n;
    uint32_t tag;
    struct pb_reader sub;
    int rc = otlp_pb_count(d, r, PB_TAG(1, PB_LEN), &n);
    if (rc < 0)
        return rc;
    buf_byte(&d->enc, VALUE_LIST);
    buf_varint(&d->enc, n);
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag != PB_TAG(1, PB_LEN)) {
            if ((rc = pb_skip(&r, tag)) < 0)
                break;
            continue;
        }
        if ((rc = pb_sub(&r, &sub)) < 0)
            break;
        if ((rc = otlp_pb_encode_value(d, sub, depth + 1)) < 0)
            return rc;
    }
    return rc < 0 ? otlp_bad(d, r.p, rc) : 0;
}

// One KeyValue split; value.p is NULL when it has none.
static int key_value(struct otlp_decoder *d, struct pb_reader r, str *ret_key, struct pb_reader *ret_value)
{
    str key = STR("");
    struct pb_reader value = { NULL, NULL };
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag == PB_TAG(1, PB_LEN))
            rc = pb_str(&r, &key);
        else if (tag == PB_TAG(2, PB_LEN))
            rc = pb_sub(&r, &value);
        else
            rc = pb_skip(&r, tag);
        if (rc < 0)
            break;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    *ret_key = key;
    *ret_value = value;
    return 0;
}

int otlp_pb_encode_map(struct otlp_decoder *d, struct pb_reader r, uint32_t wanted, unsigned depth)
{
    uint64_t n;
    uint32_t tag;
    struct pb_reader kv, value;
    str key;
    if (depth >= VALUE_DEPTH_MAX) {
        otlp_reject(d, OTLP_WHY_DEPTH);
        return 0;
    }
    int rc = otlp_pb_count(d, r, wanted, &n);
    if (rc < 0)
        return rc;
    buf_byte(&d->enc, VALUE_MAP);
    buf_varint(&d->enc, n);
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag != wanted) {
            if ((rc = pb_skip(&r, tag)) < 0)
                break;
            continue;
        }
        if ((rc = pb_sub(&r, &kv)) < 0)
            break;
        if ((rc = key_value(d, kv, &key, &value)) < 0)
            return rc;
        buf_varint(&d->enc, key.len);
        buf_str(&d->enc, key);
        if (!value.p)
            buf_byte(&d->enc, VALUE_NULL);
        else if ((rc = otlp_pb_encode_value(d, value, depth + 1)) < 0)
            return rc;
    }
    return rc < 0 ? otlp_bad(d, r.p, rc) : 0;
}

int otlp_pb_encode_value(struct otlp_decoder *d, struct pb_reader r, unsigned depth)
{
    struct any any;
    int rc = any_read(d, r, &any);
    if (rc < 0)
        return rc;
    struct value v = any_scalar(&any);
    if (v.type == VALUE_MAP)
        return otlp_pb_encode_map(d, any.payload, PB_TAG(1, PB_LEN), depth);
    if (v.type != VALUE_LIST) {
        value_encode(&d->enc, &v);
        return 0;
    }
    if (depth >= VALUE_DEPTH_MAX) {
        otlp_reject(d, OTLP_WHY_DEPTH);
        return 0;
    }
    return encode_list(d, any.payload, depth);
}

int otlp_pb_value(struct otlp_decoder *d, struct pb_reader r, struct value *ret_v)
{
    struct any any;
    int rc = any_read(d, r, &any);
    if (rc < 0)
        return rc;
    struct value v = any_scalar(&any);
    if (v.type == VALUE_LIST || v.type == VALUE_MAP) {
        if ((rc = otlp_pb_encode_value(d, r, 0)) < 0)
            return rc;
        return otlp_enc_keep(d, ret_v);
    }
    if ((v.type == VALUE_STR || v.type == VALUE_BYTES) && v.s.len > d->limits->value_size_max)
        otlp_reject(d, OTLP_WHY_SIZE);
    *ret_v = v;
    return 0;
}

// --- attributes

int otlp_pb_attr_slow(struct otlp_decoder *d, struct pb_reader kv, struct attr *a)
{
    struct pb_reader value;
    a->value = (struct value){ .type = VALUE_NULL };
    a->key = STR("");
    int rc = key_value(d, kv, &a->key, &value);
    if (rc == 0 && a->key.len > d->limits->value_size_max)
        otlp_reject(d, OTLP_WHY_SIZE);
    if (rc == 0 && value.p)
        rc = otlp_trail(d, otlp_pb_value(d, value, &a->value), "value", -1);
    return rc;
}

int otlp_pb_attrs(struct otlp_decoder *d, struct pb_reader r, uint32_t wanted, enum attr_level level, uint32_t extra,
                  struct attr **ret_attrs, uint32_t *ret_n)
{
    uint64_t count;
    uint32_t tag, n = 0;
    int rc = otlp_pb_count(d, r, wanted, &count);
    *ret_attrs = NULL;
    *ret_n = 0;
    if (rc < 0 || count + extra == 0)
        return rc;
    if (count > d->limits->attrs_max) {
        otlp_reject(d, OTLP_WHY_ATTRS);
        return 0;
    }
    struct attr *attrs = otlp_alloc(d, count + extra, sizeof *attrs, &rc);
    if (!attrs)
        return rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        struct pb_reader kv;
        if (tag != wanted) {
            if ((rc = pb_skip(&r, tag)) < 0)
                break;
            continue;
        }
        if ((rc = pb_sub(&r, &kv)) < 0)
            break;
        attrs[n].level = (uint8_t)level;
        if (!otlp_pb_attr_fast(kv, &attrs[n]) && (rc = otlp_pb_attr_slow(d, kv, &attrs[n])) < 0)
            return otlp_trail(d, rc, "attributes", n);
        n++;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    *ret_attrs = attrs;
    *ret_n = n;
    return 0;
}

// --- resource and scope

struct entity_tags {
    uint32_t name, version, attributes, dropped; // 0: it has no such field
};

static int entity_read(struct otlp_decoder *d, struct pb_reader message, const struct entity_tags *tags,
                       enum attr_level level, struct record_entity *e)
{
    struct pb_reader r = message;
    struct attr *attrs;
    uint32_t tag;
    uint64_t v;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag == tags->name) {
            rc = pb_str(&r, &e->name);
        } else if (tag == tags->version) {
            rc = pb_str(&r, &e->version);
        } else if (tag == tags->dropped) {
            if ((rc = pb_varint(&r, &v)) == 0)
                e->dropped = (uint32_t)v;
        } else {
            rc = pb_skip(&r, tag);
        }
        if (rc < 0)
            return otlp_bad(d, r.p, rc);
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    rc = otlp_pb_attrs(d, message, tags->attributes, level, 0, &attrs, &e->attrs_n);
    e->attrs = attrs;
    return rc;
}

// Each skipped record says only where the next one begins, so the walk would wait for memory at every
// step (measured: more than half of all decoding). Asking for the lines further ahead takes the wait
// away, here and when the records are read.
static inline void prefetch(struct pb_reader skipped, const uint8_t *end)
{
    enum { AHEAD = 1024, LINE = 64, STEP_MAX = 4096 };
    size_t n = (size_t)(skipped.end - skipped.p);
    if ((size_t)(end - skipped.p) < AHEAD + n || n > STEP_MAX)
        return;
    for (size_t i = 0; i < n + LINE; i += LINE)
        __builtin_prefetch(skipped.p + AHEAD + i);
}

// Looks in ResourceX and ScopeX, before their records, for what describes them: writers put the schema
// URL behind the records. Skipping a record costs its tag and length.
static int entity_find(struct otlp_decoder *d, struct pb_reader r, const struct entity_tags *tags,
                       enum attr_level level, const char *name, struct record_entity *ret_entity)
{
    struct record_entity e = { .name = STR_INIT(""), .version = STR_INIT(""), .schema_url = STR_INIT("") };
    struct pb_reader sub;
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        switch (tag) {
        case PB_TAG(1, PB_LEN):
            if ((rc = pb_sub(&r, &sub)) == 0 && (rc = entity_read(d, sub, tags, level, &e)) < 0)
                return otlp_trail(d, rc, name, -1);
            break;
        case PB_TAG(3, PB_LEN):
            rc = pb_str(&r, &e.schema_url);
            break;
        case PB_TAG(2, PB_LEN):
            if ((rc = pb_sub(&r, &sub)) == 0)
                prefetch(sub, r.end);
            break;
        default:
            rc = pb_skip(&r, tag);
        }
        if (rc < 0)
            break;
    }
    if (rc < 0)
        return otlp_bad(d, r.p, rc);
    size_t max = d->limits->value_size_max;
    if (e.name.len > max || e.version.len > max || e.schema_url.len > max)
        otlp_reject(d, OTLP_WHY_SIZE);
    *ret_entity = e;
    return 0;
}

static int walk_scope(struct otlp_decoder *d, struct pb_reader r, int (*one)(struct otlp_decoder *, struct pb_reader))
{
    static const struct entity_tags tags = { PB_TAG(1, PB_LEN), PB_TAG(2, PB_LEN), PB_TAG(3, PB_LEN),
                                             PB_TAG(4, PB_VARINT) };
    struct pb_reader sub;
    uint32_t tag;
    int rc = entity_find(d, r, &tags, ATTR_SCOPE, "scope", &d->scope);
    if (rc < 0)
        return rc;
    d->section_due = true;
    d->section_reject = d->reject;
    d->mark = arena_mark(d->arena);
    d->record_i = 0;
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag != PB_TAG(2, PB_LEN)) {
            if ((rc = pb_skip(&r, tag)) < 0)
                break;
            continue;
        }
        if ((rc = pb_sub(&r, &sub)) < 0)
            break;
        if ((rc = one(d, sub)) < 0)
            return otlp_trail(d, rc, d->names->record, d->record_i);
        d->record_i++;
    }
    return rc < 0 ? otlp_bad(d, r.p, rc) : 0;
}

static int walk_resource(struct otlp_decoder *d, struct pb_reader r,
                         int (*one)(struct otlp_decoder *, struct pb_reader))
{
    static const struct entity_tags tags = { 0, 0, PB_TAG(1, PB_LEN), PB_TAG(2, PB_VARINT) };
    struct pb_reader sub;
    uint32_t tag;
    d->reject = NULL;
    int rc = entity_find(d, r, &tags, ATTR_RESOURCE, "resource", &d->resource);
    if (rc < 0)
        return rc;
    const char *reject = d->reject;
    struct arena_mark mark = arena_mark(d->arena);
    d->scope_i = 0;
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag != PB_TAG(2, PB_LEN)) {
            if ((rc = pb_skip(&r, tag)) < 0)
                break;
            continue;
        }
        if ((rc = pb_sub(&r, &sub)) < 0)
            break;
        d->reject = reject;
        if ((rc = walk_scope(d, sub, one)) < 0)
            return otlp_trail(d, rc, d->names->scope, d->scope_i);
        arena_rewind(d->arena, mark);
        d->scope_i++;
    }
    return rc < 0 ? otlp_bad(d, r.p, rc) : 0;
}

int otlp_pb_walk(struct otlp_decoder *d, int (*one)(struct otlp_decoder *, struct pb_reader))
{
    struct pb_reader r = pb_reader_of(d->body), sub;
    struct arena_mark mark = arena_mark(d->arena);
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) > 0) {
        if (tag != PB_TAG(1, PB_LEN)) {
            if ((rc = pb_skip(&r, tag)) < 0)
                break;
            continue;
        }
        if ((rc = pb_sub(&r, &sub)) < 0)
            break;
        if ((rc = walk_resource(d, sub, one)) < 0)
            return otlp_trail(d, rc, d->names->resource, d->resource_i);
        arena_rewind(d->arena, mark);
        d->resource_i++;
    }
    return rc < 0 ? otlp_bad(d, r.p, rc) : 0;
}
