// The reader of values: see value.h. Part of the hit path, for the sweep: no allocation, mem* only.
#include "base/err.h"
#include "probe/value.h"

void probe_value_reader_init(struct probe_value_reader *r, bytes b)
{
    *r = (struct probe_value_reader){ .start = b.ptr, .p = b.ptr, .end = b.len ? b.ptr + b.len : b.ptr };
}

static bool get_varint(struct probe_value_reader *r, uint64_t *ret_v)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        uint8_t b;
        if (r->p == r->end)
            return false;
        b = *r->p++;
        if (shift == 63 && b > 1)
            return false;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *ret_v = v;
            return true;
        }
    }
    return false;
}

static bool get_text(struct probe_value_reader *r, uint64_t n, str *ret_s)
{
    if (n > (size_t)(r->end - r->p))
        return false;
    *ret_s = str_of(r->p, (size_t)n);
    r->p += n;
    return true;
}

static bool get_count(struct probe_value_reader *r, struct probe_token *t)
{
    uint64_t n;
    if (!get_varint(r, &n))
        return false;
    t->known_n = n > 0;
    t->n = n ? n - 1 : 0;
    return true;
}

static bool is_container(unsigned kind) { return kind >= PROBE_VALUE_LIST && kind <= PROBE_VALUE_OBJECT; }

// The payload of a value behind its head.
static bool payload(struct probe_value_reader *r, struct probe_token *t)
{
    bool shape = t->flags & PROBE_FLAG_SHAPE;
    uint64_t v;
    switch (t->kind) {
    case PROBE_VALUE_NULL:
        return true;
    case PROBE_VALUE_BOOL:
        if (shape)
            return true;
        if (r->p == r->end || *r->p > 1)
            return false;
        t->b = *r->p++;
        return true;
    case PROBE_VALUE_INT:
        if (shape)
            return true;
        if (!get_varint(r, &v))
            return false;
        t->i = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
        return true;
    case PROBE_VALUE_FLOAT:
        if (shape)
            return true;
        if (r->end - r->p < 8)
            return false;
        memcpy(&t->d, r->p, 8);
        r->p += 8;
        return true;
    case PROBE_VALUE_BIG:
    case PROBE_VALUE_STR:
    case PROBE_VALUE_BYTES:
    case PROBE_VALUE_FUNC:
    case PROBE_VALUE_CLASS:
    case PROBE_VALUE_MODULE:
        if (shape || t->flags & PROBE_FLAG_CUT) {
            if (!get_varint(r, &t->n))
                return false;
            t->known_n = true;
        }
        return shape || (get_varint(r, &v) && get_text(r, v, &t->text));
    case PROBE_VALUE_REF:
        return get_varint(r, &t->id) && t->id > 0 && t->id <= UINT16_MAX;
    case PROBE_VALUE_MISSING:
        if (r->end - r->p < 2 || r->p[0] == 0 || r->p[0] >= PROBE_WHY_COUNT)
            return false;
        t->why = r->p[0];
        t->rule = r->p[1];
        r->p += 2;
        return get_count(r, t);
    default: // a container
        return get_varint(r, &t->id) && t->id <= UINT16_MAX && get_count(r, t);
    }
}

static int field(struct probe_value_reader *r, struct probe_token *t)
{
    uint64_t n;
    if (!get_varint(r, &n) || n > PROBE_NAME_MAX || !get_text(r, n, &t->text))
        return ERR_TRUNCATED;
    t->type = PROBE_TOKEN_FIELD;
    r->levels[r->depth - 1].value = true;
    return 0;
}

static int end(struct probe_value_reader *r, struct probe_token *t)
{
    if (r->p == r->end)
        return ERR_TRUNCATED;
    t->why = *r->p++;
    if (t->why >= PROBE_WHY_COUNT)
        return ERR_MALFORMED;
    t->type = PROBE_TOKEN_END;
    r->done = --r->depth == 0;
    return 0;
}

int probe_value_next(struct probe_value_reader *r, struct probe_token *ret_token)
{
    struct probe_token t = { 0 };
    uint8_t head;
    bool in_dict, in_object, after_key;
    if (r->done) {
        *ret_token = (struct probe_token){ .type = PROBE_TOKEN_DONE };
        return 0;
    }
    do {
        if (r->p == r->end)
            return ERR_TRUNCATED;
        t.at = (size_t)(r->p - r->start);
        head = *r->p++;
    } while (head == PROBE_VALUE_PAD);
    t.kind = head & PROBE_FLAG_KIND;
    t.flags = head & (uint8_t)~PROBE_FLAG_KIND;
    in_dict = r->depth && r->levels[r->depth - 1].kind == PROBE_VALUE_DICT;
    in_object = r->depth && r->levels[r->depth - 1].kind == PROBE_VALUE_OBJECT;
    after_key = r->depth && r->levels[r->depth - 1].value;
    if (t.kind == PROBE_VALUE_FIELD || t.kind == PROBE_VALUE_END) {
        int rc;
        if (t.flags || after_key || !r->depth || (t.kind == PROBE_VALUE_FIELD && !in_object))
            return ERR_MALFORMED;
        rc = t.kind == PROBE_VALUE_FIELD ? field(r, &t) : end(r, &t);
        if (rc == 0)
            *ret_token = t;
        return rc;
    }
    if (t.kind > PROBE_VALUE_MISSING || (in_object && !after_key))
        return ERR_MALFORMED;
    if (t.flags & PROBE_FLAG_TYPE) {
        uint8_t n;
        if (r->p == r->end)
            return ERR_TRUNCATED;
        n = *r->p++;
        if (!get_text(r, n, &t.name))
            return ERR_TRUNCATED;
    }
    if (!payload(r, &t))
        return r->p == r->end ? ERR_TRUNCATED : ERR_MALFORMED;
    if (in_dict) {
        t.key = !after_key;
        r->levels[r->depth - 1].value = t.key;
    } else if (in_object)
        r->levels[r->depth - 1].value = false;
    if (is_container(t.kind)) {
        if (r->depth == PROBE_NEST_MAX)
            return ERR_MALFORMED;
        t.type = PROBE_TOKEN_OPEN;
        r->levels[r->depth].kind = t.kind;
        r->levels[r->depth].value = false;
        r->depth++;
    } else {
        t.type = PROBE_TOKEN_VALUE;
        r->done = r->depth == 0;
    }
    *ret_token = t;
    return 0;
}

int probe_value_skip(struct probe_value_reader *r)
{
    struct probe_token t;
    int rc;
    do
        rc = probe_value_next(r, &t);
    while (rc == 0 && t.type != PROBE_TOKEN_DONE);
    return rc;
}
