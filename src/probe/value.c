// The writer of values: see value.h. Part of the hit path: no allocation, mem* only.
#include "probe/value.h"
#include "base/utf8.h"
#include "probe/redact.h"

enum {
    VARINT_MAX = 10,   // bytes of the longest
    END_ROOM = 2,      // the mark that closes a container
    PROMISE_ROOM = 4,  // head, why, rule, count: the shortest reason
    TEXT_SHORTEST = 8, // a text of which less would be left is missing instead
    OVERHEAD_MAX = 1 + 1 + PROBE_TYPE_MAX + 10 + 10,
    ALIAS_TEXT_MIN = 2, // what is shorter is no secret, and leaves no room for its reason
    ALIAS_INT_MIN = 1000,
    WIDE_SECRET = 64, // bytes of a secret that is no UTF-8 that are compared
};

static size_t room(const struct probe_value_writer *w)
{
    size_t left = (size_t)(w->end - w->p);
    return left > w->reserve ? left - w->reserve : 0;
}

static void put(struct probe_value_writer *w, uint8_t b) { *w->p++ = b; }
static void put_bytes(struct probe_value_writer *w, const void *p, size_t n)
{
    if (n)
        memcpy(w->p, p, n);
    w->p += n;
}
static void put_varint(struct probe_value_writer *w, uint64_t v)
{
    if (v < 0x80) {
        put(w, (uint8_t)v);
        return;
    }
    while (v >= 0x80) {
        put(w, (uint8_t)(v | 0x80));
        v >>= 7;
    }
    put(w, (uint8_t)v);
}
static size_t varint_size(uint64_t v)
{
    size_t n = 1;
    while (v >>= 7)
        n++;
    return n;
}
static void put_head(struct probe_value_writer *w, unsigned kind, unsigned flags, str type)
{
    put(w, (uint8_t)(kind | flags | (type.len ? PROBE_FLAG_TYPE : 0)));
    if (!type.len)
        return;
    put(w, (uint8_t)type.len);
    put_bytes(w, type.ptr, type.len);
}
static size_t head_size(str type) { return type.len ? 2 + type.len : 1; }

// Back to the start of the character that n would split.
static size_t utf8_floor(const char *p, size_t len, size_t n)
{
    if (n >= len)
        return len;
    for (unsigned back = 0; back < 4 && n > 0 && ((uint8_t)p[n] & 0xc0) == 0x80; back++)
        n--;
    return n;
}

static str cut_type(str type)
{
    if (type.len > PROBE_TYPE_MAX)
        type.len = utf8_floor(type.ptr, type.len, PROBE_TYPE_MAX);
    return type;
}

void probe_value_begin(struct probe_value_writer *w, void *mem, size_t cap, const struct probe_value_limits *limits,
                       const struct probe_policy *policy, struct probe_space *space)
{
    *w = (struct probe_value_writer){ .start = mem, .p = mem, .end = (uint8_t *)mem + cap };
    w->limits = *limits;
    if (w->limits.depth > PROBE_NEST_MAX)
        w->limits.depth = PROBE_NEST_MAX;
    w->policy = policy;
    w->shapes = probe_policy_shapes(policy);
    w->space = space;
    if (++space->generation == 0) { // 2^32 captures later, slots of the first ones must not look new
        memset(space->seen, 0, sizeof(space->seen));
        space->generation = 1;
    }
    space->ids = space->used = 0;
    space->n_secrets = space->n_secret_ids = space->n_secret_ints = space->pool_used = 0;
    space->overflow = space->indexed = false;
    uint64_t of = policy ? 1ull << 32 | policy->generation : 0;
    if (space->names_policy != of) {
        memset(space->names, 0, sizeof space->names);
        space->names_policy = of;
    }
}

static uint32_t name_slot(str name)
{
    const uint8_t *p = (const uint8_t *)name.ptr;
    size_t n = name.len;
    // Reads of fixed sizes: a copy of a few bytes that is read back at once waits for its stores.
    uint64_t first = n >= 8   ? le64_get(p)
                     : n >= 4 ? le32_get(p)
                              : p[0],
             last = n >= 8   ? le64_get(p + n - 8)
                    : n >= 4 ? le32_get(p + n - 4)
                             : (uint64_t)p[n / 2] << 8 | p[n - 1];
    return (uint32_t)((first ^ last * 0x9e3779b97f4a7c15ull ^ name.len) * 0xd6e8feb86659fd93ull >> 32) %
           PROBE_KNOWN_NAMES;
}

static uint8_t rule_of_name(const struct probe_value_writer *w, str name)
{
    if (!name.len || name.len > PROBE_KNOWN_NAME_MAX)
        return (uint8_t)probe_redact_name(w->policy, name);
    struct probe_known_name *k = &w->space->names[name_slot(name)];
    if (k->len != name.len || memcmp(k->text, name.ptr, name.len) != 0) {
        k->rule = (uint8_t)probe_redact_name(w->policy, name);
        k->len = (uint8_t)name.len;
        memcpy(k->text, name.ptr, name.len);
    }
    return k->rule;
}

// ---- what is promised ----

static bool promise(struct probe_value_writer *w, unsigned n, size_t extra)
{
    if (w->pending || room(w) < n * PROMISE_ROOM + extra)
        return false;
    w->pending = (uint8_t)n;
    w->reserve += n * PROMISE_ROOM;
    return true;
}

bool probe_value_root(struct probe_value_writer *w, str name)
{
    if (w->depth || !promise(w, 1, 0)) {
        w->cut = true;
        return false;
    }
    w->rule = rule_of_name(w, name);
    return true;
}

// The innermost container is of these kinds; anything else is a mistake of the walker, which writes nothing.
static bool is_in(const struct probe_value_writer *w, enum probe_value_kind first, enum probe_value_kind last)
{
    return w->depth && w->levels[w->depth - 1].kind >= first && w->levels[w->depth - 1].kind <= last;
}

static bool level_more(struct probe_value_writer *w, enum probe_why limit, unsigned values, size_t extra)
{
    struct probe_value_level *l = &w->levels[w->depth - 1];
    if (l->cut)
        return false;
    if (w->stop)
        l->cut = w->stop;
    else if (l->items >= w->limits.items)
        l->cut = (uint8_t)limit;
    else if (!promise(w, values, extra)) {
        l->cut = PROBE_WHY_BYTES;
        w->cut = true;
    } else {
        l->items++;
        return true;
    }
    return false;
}

bool probe_value_item(struct probe_value_writer *w)
{
    return is_in(w, PROBE_VALUE_LIST, PROBE_VALUE_SET) && level_more(w, PROBE_WHY_ITEMS, 1, 0);
}

bool probe_value_entry(struct probe_value_writer *w)
{
    if (!is_in(w, PROBE_VALUE_DICT, PROBE_VALUE_DICT) || !level_more(w, PROBE_WHY_ITEMS, 2, 0))
        return false;
    w->key = true;
    return true;
}

bool probe_value_field(struct probe_value_writer *w, str name)
{
    str kept = str_slice(name, 0, utf8_floor(name.ptr, name.len, PROBE_NAME_MAX));
    if (!is_in(w, PROBE_VALUE_OBJECT, PROBE_VALUE_OBJECT) ||
        !level_more(w, PROBE_WHY_FIELDS, 1, 1 + varint_size(kept.len) + kept.len))
        return false;
    put(w, PROBE_VALUE_FIELD);
    put_varint(w, kept.len);
    put_bytes(w, kept.ptr, kept.len);
    w->rule = rule_of_name(w, name);
    return true;
}

void probe_value_cut(struct probe_value_writer *w, enum probe_why why)
{
    if (w->depth && !w->levels[w->depth - 1].cut)
        w->levels[w->depth - 1].cut = (uint8_t)why;
}

// ---- one value ----

static void write_missing(struct probe_value_writer *w, unsigned why, unsigned rule, str type, int64_t n)
{
    uint64_t count = n < 0 ? 0 : (uint64_t)n + 1;
    if (room(w) < head_size(type) + 2 + varint_size(count)) {
        type.len = 0;
        count = 0;
    }
    put_head(w, PROBE_VALUE_MISSING, 0, type);
    put(w, (uint8_t)why);
    put(w, (uint8_t)rule);
    put_varint(w, count);
    w->values++;
    if (why == PROBE_WHY_REDACTED)
        w->redacted++;
    else if (why == PROBE_WHY_BYTES)
        w->cut = true;
}

// Takes the promise. False when there was none: a mistake of the walker writes nothing. *ret_rule: by which the value is
// swallowed, *ret_key: it is the key of a pair.
static bool take(struct probe_value_writer *w, unsigned *ret_rule, bool *ret_key)
{
    if (!w->pending)
        return false;
    w->pending--;
    w->reserve -= PROMISE_ROOM;
    *ret_key = w->key;
    w->key = false;
    *ret_rule = w->rule;
    w->rule = 0;
    return true;
}

// The usual beginning of a value of known size. False: what is to be said has been written.
static bool scalar(struct probe_value_writer *w, str *type, size_t size, unsigned *ret_rule)
{
    bool key;
    *type = cut_type(*type);
    if (!take(w, ret_rule, &key))
        return false;
    if (!*ret_rule && type->len)
        *ret_rule = probe_redact_type(w->policy, *type);
    if (*ret_rule)
        write_missing(w, PROBE_WHY_REDACTED, *ret_rule, *type, -1);
    else if (w->stop)
        write_missing(w, w->stop, 0, *type, -1);
    else if (room(w) < head_size(*type) + size)
        write_missing(w, PROBE_WHY_BYTES, 0, *type, -1);
    else {
        w->values++;
        return true;
    }
    return false;
}

static unsigned shape_flag(const struct probe_value_writer *w) { return w->shapes ? PROBE_FLAG_SHAPE : 0; }

// Nearly every value: one of a plain type that was promised, and of which nothing is to be said but what it is. The promise is taken.
static bool usual(struct probe_value_writer *w, str type, size_t size)
{
    if (type.len || !w->pending || w->stop | w->rule | w->key | w->shapes || room(w) < 1 + size)
        return false;
    w->pending--;
    w->reserve -= PROMISE_ROOM;
    w->values++;
    return true;
}

// What is not usual stands apart: its variables that others write to would cost the usual ones the guard of a stack frame each.
#define RARE static __attribute__((noinline)) void

RARE rare_null(struct probe_value_writer *w, str type)
{
    unsigned rule;
    if (scalar(w, &type, 0, &rule))
        put_head(w, PROBE_VALUE_NULL, 0, type);
}

void probe_value_null(struct probe_value_writer *w, str type)
{
    if (usual(w, type, 0))
        put(w, PROBE_VALUE_NULL);
    else
        rare_null(w, type);
}

RARE rare_bool(struct probe_value_writer *w, str type, bool b)
{
    unsigned rule, shape = shape_flag(w);
    if (!scalar(w, &type, 1, &rule))
        return;
    put_head(w, PROBE_VALUE_BOOL, shape, type);
    if (!shape)
        put(w, b);
}

void probe_value_bool(struct probe_value_writer *w, str type, bool b)
{
    if (!usual(w, type, 1)) {
        rare_bool(w, type, b);
        return;
    }
    put(w, PROBE_VALUE_BOOL);
    put(w, b);
}

static void remember_int(struct probe_space *s, int64_t i)
{
    if (i > -ALIAS_INT_MIN && i < ALIAS_INT_MIN)
        return;
    for (uint32_t k = 0; k < s->n_secret_ints; k++)
        if (s->secret_ints[k] == i)
            return;
    if (s->n_secret_ints == PROBE_SECRET_INTS)
        s->overflow = true;
    else
        s->secret_ints[s->n_secret_ints++] = i;
}

static uint64_t zigzag(int64_t i) { return (uint64_t)i << 1 ^ (uint64_t)(i >> 63); }

RARE rare_int(struct probe_value_writer *w, str type, int64_t i)
{
    unsigned rule = w->rule ? 0u : (unsigned)probe_redact_int(w->policy, i), shape = shape_flag(w);
    if (rule)
        w->rule = (uint8_t)rule;
    if (!scalar(w, &type, varint_size(zigzag(i)), &rule)) {
        if (rule)
            remember_int(w->space, i);
        return;
    }
    put_head(w, PROBE_VALUE_INT, shape, type);
    if (!shape)
        put_varint(w, zigzag(i));
}

void probe_value_int(struct probe_value_writer *w, str type, int64_t i)
{
    if (i >= PROBE_CARD_MIN || !usual(w, type, VARINT_MAX)) {
        rare_int(w, type, i);
        return;
    }
    put(w, PROBE_VALUE_INT);
    put_varint(w, zigzag(i));
}

RARE rare_float(struct probe_value_writer *w, str type, double d)
{
    unsigned rule, shape = shape_flag(w);
    if (!scalar(w, &type, 8, &rule))
        return;
    put_head(w, PROBE_VALUE_FLOAT, shape, type);
    if (!shape)
        put_bytes(w, &d, 8);
}

void probe_value_float(struct probe_value_writer *w, str type, double d)
{
    if (!usual(w, type, 8)) {
        rare_float(w, type, d);
        return;
    }
    put(w, PROBE_VALUE_FLOAT);
    put_bytes(w, &d, 8);
}

void probe_value_missing(struct probe_value_writer *w, enum probe_why why, str type, int64_t n)
{
    unsigned rule;
    bool key;
    type = cut_type(type);
    if (!take(w, &rule, &key))
        return;
    if (rule)
        write_missing(w, PROBE_WHY_REDACTED, rule, type, -1);
    else
        write_missing(w, why, 0, type, n);
}

// ---- texts ----

static void remember_text(struct probe_space *s, const uint8_t *p, size_t len, size_t full)
{
    if (len < ALIAS_TEXT_MIN)
        return;
    for (uint32_t k = s->n_secrets > 8 ? s->n_secrets - 8 : 0; k < s->n_secrets; k++)
        if (s->secrets[k].p == p && s->secrets[k].len == len)
            return;
    if (s->n_secrets == PROBE_SECRETS_MAX || full > UINT32_MAX)
        s->overflow = true;
    else
        s->secrets[s->n_secrets++] = (struct probe_secret){ p, (uint32_t)len, (uint32_t)full };
    s->indexed = false;
}

// Writes the text or as much of it as may be. detect: where detectors look (a little beyond what is kept, so that a
// number is not missed because its end is cut off).
void probe_value_text(struct probe_value_writer *w, enum probe_value_kind kind, str type, str s, uint64_t n)
{
    unsigned rule, name_rule, shape = kind < PROBE_VALUE_FUNC ? shape_flag(w) : 0;
    size_t keep, start, end, left, overhead;
    bool key, cut;
    type = cut_type(type);
    if (!take(w, &name_rule, &key))
        return;
    n = n ? n : s.len;
    rule = name_rule ? name_rule : type.len ? probe_redact_type(w->policy, type) : 0;
    keep = s.len > w->limits.string ? w->limits.string : s.len;
    if (!rule && kind < PROBE_VALUE_FUNC)
        rule = probe_redact_text(w->policy, str_slice(s, 0, keep + 256), 0, &start, &end);
    if (key && !rule) // the key says what the value is
        w->rule = rule_of_name(w, s);
    if (rule) {
        remember_text(w->space, (const uint8_t *)s.ptr, s.len, s.len);
        write_missing(w, PROBE_WHY_REDACTED, rule, type, -1);
        return;
    }
    if (w->stop) {
        write_missing(w, w->stop, 0, type, (int64_t)n);
        return;
    }
    left = room(w);
    overhead = head_size(type) + varint_size(n) + (shape ? 0 : varint_size(keep));
    if (left < overhead + (shape ? 0 : keep < TEXT_SHORTEST ? keep : TEXT_SHORTEST)) {
        write_missing(w, PROBE_WHY_BYTES, 0, type, (int64_t)n);
        return;
    }
    w->values++;
    if (shape) {
        put_head(w, kind, PROBE_FLAG_SHAPE, type);
        put_varint(w, n);
        return;
    }
    if (keep > left - overhead) {
        keep = left - overhead;
        w->cut = true;
    }
    if (kind != PROBE_VALUE_BYTES)
        keep = utf8_floor(s.ptr, s.len, keep);
    cut = keep < s.len;
    put_head(w, kind, cut ? PROBE_FLAG_CUT : 0, type);
    if (cut)
        put_varint(w, n);
    put_varint(w, keep);
    put_bytes(w, s.ptr, keep);
}

// As many whole characters as fit; *at moves on.
static size_t transcode(uint8_t *out, size_t cap, const void *units, unsigned width, size_t n, size_t *at)
{
    size_t len = 0;
    while (*at < n) {
        char c4[4];
        size_t next = *at + 1, k;
        uint32_t c;
        if (width == 1)
            c = ((const uint8_t *)units)[*at];
        else if (width == 2) {
            c = le16_get((const uint8_t *)units + 2 * *at);
            if ((c & 0xfc00) == 0xd800 && next < n) {
                uint32_t low = le16_get((const uint8_t *)units + 2 * next);
                if ((low & 0xfc00) == 0xdc00) {
                    c = 0x10000 + ((c & 0x3ff) << 10 | (low & 0x3ff));
                    next++;
                }
            }
        } else
            c = le32_get((const uint8_t *)units + 4 * *at);
        k = utf8_put(c4, c > 0x10ffff || (c >= 0xd800 && c < 0xe000) ? 0xfffd : c);
        if (k > cap - len)
            break;
        memcpy(out + len, c4, k);
        len += k;
        *at = next;
    }
    return len;
}

// The start of a secret goes to the pool as UTF-8, as the captured text has it; the rest is taken away with it.
static void remember_wide(struct probe_space *s, const void *units, unsigned width, size_t n)
{
    size_t at = 0, len;
    if (PROBE_SECRET_POOL - s->pool_used < WIDE_SECRET) {
        s->overflow = true;
        return;
    }
    len = transcode(s->pool + s->pool_used, WIDE_SECRET, units, width, n, &at);
    remember_text(s, s->pool + s->pool_used, len, at < n ? UINT32_MAX : len);
    s->pool_used += (uint32_t)len;
}

void probe_value_wide(struct probe_value_writer *w, str type, const void *units, unsigned width, size_t n)
{
    unsigned rule, shape = shape_flag(w);
    size_t start, end, left, cap, len, at = 0, overhead;
    uint8_t *text;
    bool key;
    type = cut_type(type);
    if (!take(w, &rule, &key))
        return;
    if (!rule && type.len)
        rule = probe_redact_type(w->policy, type);
    if (rule) {
        remember_wide(w->space, units, width, n);
        write_missing(w, PROBE_WHY_REDACTED, rule, type, -1);
        return;
    }
    if (w->stop) {
        write_missing(w, w->stop, 0, type, (int64_t)n);
        return;
    }
    // Written behind room for the longest head, looked at, then moved to where the head ends.
    left = room(w);
    overhead = head_size(type) + 10 + 5;
    if (left < overhead + TEXT_SHORTEST) {
        write_missing(w, PROBE_WHY_BYTES, 0, type, (int64_t)n);
        return;
    }
    text = w->p + overhead;
    cap = left - overhead;
    cap = cap < w->limits.string ? cap : w->limits.string;
    len = transcode(text, cap, units, width, n, &at);
    rule = probe_redact_text(w->policy, str_of(text, len), 0, &start, &end);
    if (key && !rule)
        w->rule = rule_of_name(w, str_of(text, len));
    if (rule) {
        remember_wide(w->space, units, width, n);
        memset(text, 0, len); // nothing of it stays behind in the scratch
        write_missing(w, PROBE_WHY_REDACTED, rule, type, -1);
        return;
    }
    w->values++;
    if (shape) {
        put_head(w, PROBE_VALUE_STR, PROBE_FLAG_SHAPE, type);
        put_varint(w, n);
        return;
    }
    if (at < n && cap < w->limits.string)
        w->cut = true;
    put_head(w, PROBE_VALUE_STR, at < n ? PROBE_FLAG_CUT : 0, type);
    if (at < n)
        put_varint(w, n);
    put_varint(w, len);
    memmove(w->p, text, len);
    w->p += len;
}

// ---- containers ----

static struct probe_seen *seen_find(struct probe_space *s, uint64_t object, bool *ret_new)
{
    uint64_t h = object * 0x9e3779b97f4a7c15u;
    uint32_t at = (uint32_t)(h >> 40) & (PROBE_SEEN_SLOTS - 1);
    for (uint32_t i = 0; i < PROBE_SEEN_SLOTS; i++, at = (at + 1) & (PROBE_SEEN_SLOTS - 1)) {
        struct probe_seen *e = &s->seen[at];
        if (e->generation != s->generation) {
            if (s->used >= PROBE_SEEN_SLOTS / 4 * 3)
                return NULL;
            s->used++;
            *e = (struct probe_seen){ .object = object, .generation = s->generation, .id = (uint16_t)++s->ids };
            *ret_new = true;
            return e;
        }
        if (e->object == object) {
            *ret_new = false;
            return e;
        }
    }
    return NULL;
}

static void remember_object(struct probe_space *s, uint64_t object)
{
    bool is_new;
    struct probe_seen *e = object ? seen_find(s, object, &is_new) : NULL;
    if (!object)
        return;
    if (!e || s->n_secret_ids == PROBE_SECRET_IDS) {
        s->overflow = true;
        return;
    }
    e->depth = 0; // a later way to it finds a reference, which the sweep takes away
    e->cut = 0;
    for (uint32_t i = 0; i < s->n_secret_ids; i++)
        if (s->secret_ids[i] == e->id)
            return;
    s->secret_ids[s->n_secret_ids++] = e->id;
}

bool probe_value_open(struct probe_value_writer *w, enum probe_value_kind kind, str type, uint64_t object, int64_t n)
{
    struct probe_seen *e = NULL;
    uint64_t count = n < 0 ? 0 : (uint64_t)n + 1;
    unsigned rule;
    bool key, is_new = false;
    type = cut_type(type);
    if (!take(w, &rule, &key))
        return false;
    if (!rule && type.len)
        rule = probe_redact_type(w->policy, type);
    if (rule) {
        remember_object(w->space, object);
        write_missing(w, PROBE_WHY_REDACTED, rule, type, -1);
        return false;
    }
    if (w->stop) {
        write_missing(w, w->stop, 0, type, n);
        return false;
    }
    if (w->depth >= w->limits.depth) {
        bool known = false;
        if (object) { // a reference costs nothing and says more
            uint32_t used = w->space->used, ids = w->space->ids;
            e = seen_find(w->space, object, &is_new);
            known = e && !is_new;
            if (e && is_new) { // not written, so not met
                e->generation = 0;
                w->space->used = used;
                w->space->ids = ids;
            }
        }
        if (!known) {
            w->depth_cuts++;
            write_missing(w, PROBE_WHY_DEPTH, 0, type, n);
            return false;
        }
    } else if (room(w) < head_size(type) + 3 + varint_size(count) + END_ROOM) {
        write_missing(w, PROBE_WHY_BYTES, 0, type, n);
        return false;
    } else if (object)
        e = seen_find(w->space, object, &is_new);
    // Met before: a reference, unless it was met deeper down, was cut there, and can be shown better here. (Above itself
    // it is never deeper, so a cycle always ends in a reference.)
    if (e && !is_new && !(e->cut && e->depth > w->depth)) {
        if (room(w) < 1 + varint_size(e->id))
            write_missing(w, PROBE_WHY_BYTES, 0, type, n);
        else {
            put(w, PROBE_VALUE_REF);
            put_varint(w, e->id);
            w->values++;
        }
        return false;
    }
    if (e) {
        e->depth = w->depth;
        e->cut = 0;
    }
    put_head(w, kind, 0, type);
    put_varint(w, e ? e->id : 0);
    put_varint(w, count);
    w->reserve += END_ROOM;
    w->values++;
    w->levels[w->depth++] = (struct probe_value_level){
        .kind = (uint8_t)kind,
        .pending = w->pending,
        .slot = e ? (uint32_t)(e - w->space->seen) : PROBE_SEEN_SLOTS,
        .depth_cuts = w->depth_cuts,
    };
    w->pending = 0; // a key that is a container has its own; the pair's value waits for its end
    return true;
}

// What was promised and not delivered is said to be unreadable.
static void fulfil(struct probe_value_writer *w)
{
    while (w->pending)
        probe_value_missing(w, w->stop ? w->stop : PROBE_WHY_UNREADABLE, (str){ 0 }, -1);
}

void probe_value_close(struct probe_value_writer *w)
{
    struct probe_value_level *l;
    if (!w->depth)
        return;
    fulfil(w);
    l = &w->levels[--w->depth];
    w->reserve -= END_ROOM;
    put(w, PROBE_VALUE_END);
    put(w, l->cut);
    w->pending = l->pending;
    if (l->slot < PROBE_SEEN_SLOTS && w->depth_cuts != l->depth_cuts)
        w->space->seen[l->slot].cut = 1;
}

void probe_value_finish(struct probe_value_writer *w)
{
    while (w->depth)
        probe_value_close(w);
    fulfil(w);
}
