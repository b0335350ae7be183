// Integers. The encoder measures what each transformation would cost when bit-packed, takes the cheapest, and
// writes what remains (the "leaf") bit-packed or, when a codec follows, in bytes that repeat where the values do.
#include "base/mem.h"
#include "store/encode.h"
#include "store/encode_bits.h"

enum { DEPTH_MAX = 5, DICT_VALUES_MAX = 256, DICT_SLOTS = 1024 };
// Which schemes may still be nested in one: keeps streams and the decoder's work bounded.
enum { MAY_RUNS = 1, MAY_DICT = 2, MAY_DELTA = 4 };
// Scratch arrays by use: what is nested in one never needs the same again.
enum { W_DELTA, W_ANCHOR, W_BESIDE, W_RUN_VALUES, W_RUN_LENGTHS, W_RUN_DELTA, W_DICT_INDEXES };

void encode_scratch_free(struct encode_scratch *s)
{
    for (int i = 0; i < ENCODE_SCRATCHES; i++)
        mem_free(s->words[i]);
    *s = (struct encode_scratch){ 0 };
}

uint64_t *encode_scratch_get(struct encode_scratch *s, int which, uint32_t n)
{
    if (s->cap[which] < n || !s->words[which]) {
        uint32_t cap = n < 1024 ? 1024 : n < 8192 ? 8192 : n;
        uint64_t *p = mem_reallocarray(NULL, cap, sizeof *p);
        if (!p)
            return NULL;
        mem_free(s->words[which]);
        s->words[which] = p;
        s->cap[which] = cap;
    }
    return s->words[which];
}

// ---- writing to both forms -----------------------------------------------------------------------------

static void out_byte(struct encode_out o, uint8_t c)
{
    if (o.tight)
        buf_byte(o.tight, c);
    if (o.loose)
        buf_byte(o.loose, c);
}

static void out_varint(struct encode_out o, uint64_t v)
{
    if (o.tight)
        buf_varint(o.tight, v);
    if (o.loose)
        buf_varint(o.loose, v);
}

// ---- measuring -----------------------------------------------------------------------------------------

struct ints_stats {
    uint64_t base, range; // smallest value, and how far the largest is from it
    uint32_t runs;        // exact up to a third of the values
    size_t packed;        // bytes when bit-packed
};

// Loops of fixed length, which compilers turn into vector instructions.
static uint64_t group_any(const uint64_t *v, uint64_t base)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < BITS_GROUP; i++)
        any |= v[i] - base;
    return any;
}

// How many differ from the value before; v[-1] is there.
static unsigned group_changes(const uint64_t *v)
{
    const uint64_t *before = v - 1;
    uint64_t changes = 0;
    for (unsigned i = 0; i < BITS_GROUP; i++)
        changes += v[i] != before[i];
    return (unsigned)changes;
}

static void group_range(const uint64_t *v, uint64_t flip, int64_t *min, int64_t *max)
{
    int64_t lo = *min, hi = *max;
    for (unsigned i = 0; i < BITS_GROUP; i++) {
        int64_t x = (int64_t)(v[i] ^ flip);
        lo = x < lo ? x : lo;
        hi = x > hi ? x : hi;
    }
    *min = lo, *max = hi;
}

static bool all_same(const uint64_t *v, uint32_t n)
{
    uint32_t i = 1;
    for (; i + BITS_GROUP <= n; i += BITS_GROUP) {
        uint64_t other = 0;
        for (unsigned k = 0; k < BITS_GROUP; k++)
            other |= v[i + k] ^ v[0];
        if (other)
            return false;
    }
    for (; i < n; i++)
        if (v[i] != v[0])
            return false;
    return true;
}

// Four lanes in place of two for what fits 31 bits, which most columns do.
static unsigned small_changes(const uint32_t *v)
{
    const uint32_t *before = v - 1;
    uint32_t changes = 0;
    for (unsigned i = 0; i < BITS_GROUP; i++)
        changes += v[i] != before[i];
    return changes;
}

static void small_range(const uint32_t *v, uint32_t *min, uint32_t *max)
{
    int32_t lo = (int32_t)*min, hi = (int32_t)*max;
    for (unsigned i = 0; i < BITS_GROUP; i++) {
        lo = (int32_t)v[i] < lo ? (int32_t)v[i] : lo;
        hi = (int32_t)v[i] > hi ? (int32_t)v[i] : hi;
    }
    *min = (uint32_t)lo, *max = (uint32_t)hi;
}

static uint32_t small_any(const uint32_t *v, uint32_t base)
{
    uint32_t any = 0;
    for (unsigned i = 0; i < BITS_GROUP; i++)
        any |= v[i] - base;
    return any;
}

static bool small_copy(uint32_t *to, const uint64_t *v, uint32_t n)
{
    uint64_t any = 0;
    for (uint32_t i = 0; i < n; i++) {
        to[i] = (uint32_t)v[i];
        any |= v[i];
    }
    return any >> 31 == 0;
}

// n is padded to whole groups with the last value, and at least one value stands before v.
static void small_measure(const uint32_t *v, uint32_t n, struct ints_stats *st)
{
    uint32_t min = v[0], max = min, runs = 1;
    for (uint32_t i = 0; i < n; i += BITS_GROUP) {
        small_range(v + i, &min, &max);
        if (runs <= n / 3) // more than that are of no use to anybody
            runs += small_changes(v + i);
    }
    st->base = min;
    st->range = max - min;
    st->runs = runs;
    st->packed = (n + BITS_GROUP - 1) / BITS_GROUP;
    for (uint32_t i = 0; i < n; i += BITS_GROUP)
        st->packed += bits_bytes(n - i < BITS_GROUP ? n - i : BITS_GROUP, bits_width(small_any(v + i, min)));
}

// Signed comparisons throughout; unsigned order is signed order with the highest bit turned round.
static void large_measure(const uint64_t *v, uint32_t n, bool is_signed, struct ints_stats *st)
{
    uint64_t flip = is_signed ? 0 : 1ull << 63;
    int64_t min = (int64_t)(v[0] ^ flip), max = min;
    uint32_t runs = 1, i = 1;
    for (; i + BITS_GROUP <= n; i += BITS_GROUP) {
        group_range(v + i, flip, &min, &max);
        if (runs <= n / 3)
            runs += group_changes(v + i);
    }
    for (; i < n; i++) {
        int64_t x = (int64_t)(v[i] ^ flip);
        min = x < min ? x : min;
        max = x > max ? x : max;
        runs += v[i] != v[i - 1];
    }
    st->base = (uint64_t)min ^ flip;
    st->range = (uint64_t)max - (uint64_t)min;
    st->runs = runs;
    st->packed = (n + BITS_GROUP - 1) / BITS_GROUP;
    for (i = 0; i + BITS_GROUP <= n; i += BITS_GROUP)
        st->packed += bits_bytes(BITS_GROUP, bits_width(group_any(v + i, st->base)));
    uint64_t any = 0;
    for (uint32_t k = i; k < n; k++)
        any |= v[k] - st->base;
    st->packed += bits_bytes(n - i, bits_width(any));
}

// n > 0.
static int ints_measure(const uint64_t *v, uint32_t n, bool is_signed, struct encode_scratch *scratch,
                        struct ints_stats *st)
{
    uint32_t *small = (uint32_t *)(void *)encode_scratch_get(scratch, ENCODE_SCRATCH_NARROW, n / 2 + BITS_GROUP);
    if (!small)
        return ERR_NOMEM;
    small++;
    if (!small_copy(small, v, n)) {
        large_measure(v, n, is_signed, st);
        return 0;
    }
    small[-1] = small[0];
    for (uint32_t i = n; i % BITS_GROUP; i++)
        small[i] = small[n - 1];
    small_measure(small, n, st);
    return 0;
}

// Distinct values when there are few, with their places in a table that maps them to indexes.
struct few {
    uint64_t value[DICT_VALUES_MAX];
    uint32_t n;
    uint64_t slot_value[DICT_SLOTS];
    uint16_t slot_index[DICT_SLOTS]; // + 1; 0 = free
};

static uint32_t few_slot(const struct few *f, uint64_t v)
{
    uint32_t at = (uint32_t)((v * 0x9e3779b97f4a7c15u) >> 54);
    while (f->slot_index[at] && f->slot_value[at] != v)
        at = (at + 1) & (DICT_SLOTS - 1);
    return at;
}

static bool few_collect(struct few *f, const uint64_t *v, uint32_t n)
{
    f->n = 0;
    memset(f->slot_index, 0, sizeof f->slot_index);
    for (uint32_t i = 0; i < n; i++) {
        if (i && v[i] == v[i - 1])
            continue;
        uint32_t at = few_slot(f, v[i]);
        if (f->slot_index[at])
            continue;
        if (f->n == DICT_VALUES_MAX)
            return false;
        f->value[f->n++] = v[i];
        f->slot_value[at] = v[i];
        f->slot_index[at] = (uint16_t)f->n;
    }
    return true;
}

static void few_sort(struct few *f)
{
    for (uint32_t i = 1; i < f->n; i++) { // at most 256
        uint64_t v = f->value[i];
        uint32_t k = i;
        for (; k > 0 && f->value[k - 1] > v; k--)
            f->value[k] = f->value[k - 1];
        f->value[k] = v;
    }
    for (uint32_t i = 0; i < f->n; i++)
        f->slot_index[few_slot(f, f->value[i])] = (uint16_t)(i + 1);
}

// ---- leaves --------------------------------------------------------------------------------------------

static int put_packed(struct buf *out, const uint64_t *v, uint32_t n, const struct ints_stats *st)
{
    uint32_t groups = (n + BITS_GROUP - 1) / BITS_GROUP;
    buf_byte(out, ENCODE_PACK);
    buf_varint(out, st->base);
    if (buf_reserve(out, st->packed + 16) < 0)
        return out->error;
    uint8_t *widths = out->ptr + out->len, *p = widths + groups;
    uint64_t group[BITS_GROUP];
    for (uint32_t g = 0; g < groups; g++) {
        uint32_t at = g * BITS_GROUP, k = n - at < BITS_GROUP ? n - at : BITS_GROUP;
        uint64_t any = 0;
        for (uint32_t i = 0; i < k; i++)
            any |= group[i] = v[at + i] - st->base;
        widths[g] = (uint8_t)bits_width(any);
        p = bits_pack(p, group, k, widths[g]);
    }
    out->len = (size_t)(p - out->ptr);
    return 0;
}

static int put_bytes(struct buf *out, const uint64_t *v, uint32_t n, const struct ints_stats *st, bool planes)
{
    unsigned width = (bits_width(st->range) + 7) / 8;
    buf_byte(out, planes ? ENCODE_PLANES : ENCODE_BYTES);
    buf_byte(out, (uint8_t)width);
    buf_varint(out, st->base);
    uint8_t *p = buf_extend(out, (size_t)n * width);
    if (!p)
        return out->error;
    if (width == 1) {
        for (uint32_t i = 0; i < n; i++)
            p[i] = (uint8_t)(v[i] - st->base);
    } else if (!planes && width == 2) {
        for (uint32_t i = 0; i < n; i++)
            le16_put(p + 2 * i, (uint16_t)(v[i] - st->base));
    } else {
        size_t step = planes ? n : 1, row = planes ? 1 : width;
        for (uint32_t i = 0; i < n; i++) {
            uint64_t x = v[i] - st->base;
            for (unsigned k = 0; k < width; k++, x >>= 8)
                p[i * row + k * step] = (uint8_t)x;
        }
    }
    return 0;
}

static int put_split(struct buf *out, const uint64_t *v, uint32_t n, const struct ints_stats *st)
{
    buf_byte(out, ENCODE_SPLIT);
    buf_varint(out, st->base);
    if (buf_reserve(out, (size_t)n * 9 + 16) < 0)
        return out->error;
    uint8_t *lengths = out->ptr + out->len, *p = lengths + n;
    uint64_t acc = 0;
    unsigned have = 0;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t x = v[i] - st->base;
        unsigned length = bits_width(x);
        lengths[i] = (uint8_t)length;
        if (length < 2)
            continue;
        length--;
        x ^= 1ull << length; // the highest bit is known
        acc |= x << have;
        have += length;
        if (have >= 64) {
            le64_put(p, acc);
            p += 8;
            have -= 64;
            acc = have ? x >> (length - have) : 0;
        }
    }
    le64_put(p, acc);
    p += (have + 7) / 8;
    out->len = (size_t)(p - out->ptr);
    return 0;
}

static int put_leaf(struct encode_out out, const uint64_t *v, uint32_t n, const struct ints_stats *st)
{
    int e = out.tight ? put_packed(out.tight, v, n, st) : 0;
    if (e < 0 || !out.loose)
        return e;
    if (st->range == 0)
        return put_packed(out.loose, v, n, st);
    if (bits_width(st->range) <= 16)
        return put_bytes(out.loose, v, n, st, false);
    if (out.form == ENCODE_FOR_LZ)
        return put_bytes(out.loose, v, n, st, true);
    return put_split(out.loose, v, n, st);
}

// ---- transformations -----------------------------------------------------------------------------------

static void make_delta(uint64_t *d, const uint64_t *v, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        d[i - 1] = encode_zigzag(v[i] - v[i - 1]);
}

static void make_anchor(uint64_t *d, const uint64_t *v, uint32_t n, const uint32_t *runs)
{
    uint64_t first = v[0];
    for (uint32_t i = 1; i < n; i++) {
        if (runs[i] == runs[i - 1]) {
            d[i - 1] = encode_zigzag(v[i] - v[i - 1]);
        } else {
            d[i - 1] = encode_zigzag(v[i] - first);
            first = v[i];
        }
    }
}

static int encode_nested(struct encode_out out, const uint64_t *v, uint32_t n, bool is_signed, unsigned may,
                         struct encode_scratch *scratch);

// Runs of equal values into scratch; what they will cost, exactly but for the delta's first value.
static int make_runs(const uint64_t *v, uint32_t n, uint32_t runs, bool is_signed, unsigned may,
                     struct encode_scratch *scratch, size_t *ret_cost)
{
    uint64_t *values = encode_scratch_get(scratch, W_RUN_VALUES, runs),
             *lengths = encode_scratch_get(scratch, W_RUN_LENGTHS, runs);
    if (!values || !lengths)
        return ERR_NOMEM;
    uint32_t r = 0;
    for (uint32_t i = 0, begin = 0; i < n; i++) {
        if (i + 1 < n && v[i + 1] == v[i])
            continue;
        values[r] = v[i];
        lengths[r++] = i + 1 - begin;
        begin = i + 1;
    }
    struct ints_stats st, delta_st;
    int e = ints_measure(lengths, r, false, scratch, &st);
    if (e < 0)
        return e;
    *ret_cost = st.packed + 16;
    if ((e = ints_measure(values, r, is_signed, scratch, &st)) < 0)
        return e;
    if ((may & MAY_DELTA) && r > 2) {
        uint64_t *delta = encode_scratch_get(scratch, W_RUN_DELTA, r);
        if (!delta)
            return ERR_NOMEM;
        make_delta(delta, values, r);
        if ((e = ints_measure(delta, r - 1, false, scratch, &delta_st)) < 0)
            return e;
        if (delta_st.packed < st.packed)
            st.packed = delta_st.range ? delta_st.packed : 4;
    }
    *ret_cost += st.packed;
    return 0;
}

static int put_runs(struct encode_out out, uint32_t r, bool is_signed, unsigned may, struct encode_scratch *scratch)
{
    out_byte(out, ENCODE_RUNS);
    out_varint(out, r);
    int e = encode_nested(out, scratch->words[W_RUN_VALUES], r, is_signed, may & MAY_DELTA, scratch);
    return e < 0 ? e : encode_nested(out, scratch->words[W_RUN_LENGTHS], r, false, 0, scratch);
}

static int put_dict(struct encode_out out, const uint64_t *v, uint32_t n, struct few *few,
                    struct encode_scratch *scratch)
{
    uint64_t *index = encode_scratch_get(scratch, W_DICT_INDEXES, n);
    if (!index)
        return ERR_NOMEM;
    few_sort(few);
    for (uint32_t i = 0; i < n; i++)
        index[i] = few->slot_index[few_slot(few, v[i])] - 1u;
    out_byte(out, ENCODE_DICT);
    out_varint(out, few->n);
    int e = encode_nested(out, few->value, few->n, false, few->n > 4 ? MAY_DELTA : 0, scratch);
    return e < 0 ? e : encode_nested(out, index, n, false, 0, scratch);
}

// A transformation and what it would cost.
struct candidate {
    enum encode_scheme scheme;
    size_t cost;
};

static void candidate_take(struct candidate *best, enum encode_scheme scheme, size_t cost)
{
    if (cost < best->cost)
        *best = (struct candidate){ scheme, cost };
}

// What the helpers offer is tried where the values are wide enough to gain from it.
static int candidates_try(const uint64_t *v, uint32_t n, bool is_signed, unsigned may, const struct encode_help *help,
                          const struct ints_stats *st, struct few *few, struct encode_scratch *scratch,
                          struct candidate *best)
{
    struct ints_stats other;
    bool wide = n > 2 && st->packed > n / 2;
    int e;
    if ((may & MAY_DELTA) && wide && !(help && (help->ordinals || help->runs))) {
        uint64_t *delta = encode_scratch_get(scratch, W_DELTA, n);
        if (!delta)
            return ERR_NOMEM;
        make_delta(delta, v, n);
        if ((e = ints_measure(delta, n - 1, false, scratch, &other)) < 0)
            return e;
        candidate_take(best, ENCODE_DELTA, other.packed + 10);
    }
    if (help && help->runs && wide) {
        uint64_t *anchor = encode_scratch_get(scratch, W_ANCHOR, n);
        if (!anchor)
            return ERR_NOMEM;
        make_anchor(anchor, v, n, help->runs);
        if ((e = ints_measure(anchor, n - 1, false, scratch, &other)) < 0)
            return e;
        candidate_take(best, ENCODE_ANCHOR, other.packed + 10);
    }
    if (help && help->beside && st->packed > n) {
        uint64_t *beside = encode_scratch_get(scratch, W_BESIDE, n);
        if (!beside)
            return ERR_NOMEM;
        for (uint32_t i = 0; i < n; i++)
            beside[i] = encode_zigzag(v[i] - help->beside[i]);
        if ((e = ints_measure(beside, n, false, scratch, &other)) < 0)
            return e;
        candidate_take(best, ENCODE_BESIDE, other.packed + 2);
    }
    if ((may & MAY_RUNS) && st->runs <= n / 3) {
        size_t cost;
        e = make_runs(v, n, st->runs, is_signed, may, scratch, &cost);
        if (e < 0)
            return e;
        candidate_take(best, ENCODE_RUNS, cost);
    }
    // 256 values take 8 bits.
    if ((may & MAY_DICT) && n >= 32 && best->cost > n - n / 8 && few_collect(few, v, n))
        candidate_take(best, ENCODE_DICT,
                       few->n * bits_width(st->range) / 8 + (size_t)n * bits_width(few->n - 1) / 8 + 16);
    return 0;
}

static int encode_plan(struct encode_out out, const uint64_t *v, uint32_t n, bool is_signed, unsigned may,
                       const struct encode_help *help, struct encode_scratch *scratch, struct encode_facts *facts)
{
    struct ints_stats st;
    struct few few;
    if (n == 0 || all_same(v, n)) {
        if (facts)
            *facts = (struct encode_facts){ n ? v[0] : 0, n ? v[0] : 0, 11 };
        if (facts)
            out.loose = NULL;
        out_byte(out, ENCODE_CONST);
        out_varint(out, n ? v[0] : 0);
        return 0;
    }
    int e = ints_measure(v, n, is_signed, scratch, &st);
    if (e < 0)
        return e;
    struct candidate best = { ENCODE_PACK, st.packed };
    e = candidates_try(v, n, is_signed, may, help, &st, &few, scratch, &best);
    if (e < 0)
        return e;
    if (facts) { // outermost
        *facts = (struct encode_facts){ st.base, st.base + st.range, best.cost + 11 };
        if (best.cost <= 128 || best.cost <= n / 8)
            out.loose = NULL;
    }
    unsigned may_before = may;
    may &= MAY_RUNS | MAY_DICT;
    switch (best.scheme) {
    case ENCODE_DELTA:
    case ENCODE_ANCHOR:
        out_byte(out, (uint8_t)best.scheme);
        out_varint(out, encode_zigzag(v[0]));
        return encode_nested(out, scratch->words[best.scheme == ENCODE_DELTA ? W_DELTA : W_ANCHOR], n - 1, false, may,
                             scratch);
    case ENCODE_BESIDE:
        out_byte(out, ENCODE_BESIDE);
        return encode_nested(out, scratch->words[W_BESIDE], n, false, may, scratch);
    case ENCODE_RUNS:
        return put_runs(out, st.runs, is_signed, may_before, scratch);
    case ENCODE_DICT:
        return put_dict(out, v, n, &few, scratch);
    default:
        return put_leaf(out, v, n, &st);
    }
}

static int encode_nested(struct encode_out out, const uint64_t *v, uint32_t n, bool is_signed, unsigned may,
                         struct encode_scratch *scratch)
{
    return encode_plan(out, v, n, is_signed, may, NULL, scratch, NULL);
}

int encode_ints(struct encode_out out, const uint64_t *v, uint32_t n, bool is_signed, const struct encode_help *help,
                struct encode_scratch *scratch, struct encode_facts *ret_facts)
{
    struct encode_facts facts;
    int e = encode_plan(out, v, n, is_signed, MAY_RUNS | MAY_DICT | MAY_DELTA, help, scratch, &facts);
    if (ret_facts)
        *ret_facts = facts;
    if (e < 0)
        return e;
    return out.loose && out.loose->error ? out.loose->error : out.tight ? out.tight->error : 0;
}

// ---- decoding ------------------------------------------------------------------------------------------

int encode_varint_get(struct encode_in *in, uint64_t *ret_v)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (in->p == in->end)
            return ERR_CORRUPT;
        uint8_t b = *in->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (b < 0x80) {
            *ret_v = v;
            return 0;
        }
    }
    return ERR_CORRUPT;
}

static const uint8_t *take(struct encode_in *in, size_t n)
{
    if (n > (size_t)(in->end - in->p))
        return NULL;
    const uint8_t *p = in->p;
    in->p += n;
    return p;
}

static int get_packed(struct encode_in *in, uint64_t *v, uint32_t n)
{
    uint64_t base;
    int e = encode_varint_get(in, &base);
    const uint8_t *widths = e < 0 ? NULL : take(in, (n + BITS_GROUP - 1) / BITS_GROUP);
    if (!widths)
        return ERR_CORRUPT;
    for (uint32_t at = 0; at < n; at += BITS_GROUP, widths++) {
        uint32_t k = n - at < BITS_GROUP ? n - at : BITS_GROUP;
        const uint8_t *p = *widths <= 64 ? take(in, bits_bytes(k, *widths)) : NULL;
        if (!p)
            return ERR_CORRUPT;
        bits_unpack(p, v + at, k, *widths, base);
    }
    return 0;
}

static int get_bytes(struct encode_in *in, uint64_t *v, uint32_t n, bool planes)
{
    const uint8_t *width_at = take(in, 1), *p;
    uint64_t base;
    if (!width_at || *width_at > 8 || encode_varint_get(in, &base) < 0)
        return ERR_CORRUPT;
    unsigned width = *width_at;
    if (!(p = take(in, (size_t)n * width)))
        return ERR_CORRUPT;
    if (width == 0) {
        for (uint32_t i = 0; i < n; i++)
            v[i] = base;
    } else if (width == 1) {
        for (uint32_t i = 0; i < n; i++)
            v[i] = base + p[i];
    } else if (planes) {
        for (uint32_t i = 0; i < n; i++)
            v[i] = base + p[i];
        for (unsigned k = 1; k < width; k++)
            for (uint32_t i = 0; i < n; i++)
                v[i] += (uint64_t)p[(size_t)k * n + i] << (8 * k);
    } else {
        uint64_t mask = width == 8 ? ~0ull : (1ull << (8 * width)) - 1;
        for (uint32_t i = 0; i < n; i++)
            v[i] = base + (le64_get(p + (size_t)i * width) & mask);
    }
    return 0;
}

static int get_split(struct encode_in *in, uint64_t *v, uint32_t n)
{
    uint64_t base;
    int e = encode_varint_get(in, &base);
    const uint8_t *lengths = e < 0 ? NULL : take(in, n), *p;
    if (!lengths)
        return ERR_CORRUPT;
    size_t bits = 0;
    uint8_t longest = 0;
    for (uint32_t i = 0; i < n; i++) {
        bits += lengths[i] ? lengths[i] - 1u : 0;
        longest = lengths[i] > longest ? lengths[i] : longest;
    }
    if (longest > 64 || !(p = take(in, (bits + 7) / 8)))
        return ERR_CORRUPT;
    bits = 0;
    for (uint32_t i = 0; i < n; i++) {
        unsigned length = lengths[i];
        if (length < 2) {
            v[i] = base + length;
            continue;
        }
        length--;
        uint64_t x =
            length <= 56 ? (le64_get(p + bits / 8) >> (bits % 8)) & ((1ull << length) - 1) : bits_at(p, bits, length);
        v[i] = base + (x | 1ull << length);
        bits += length;
    }
    return 0;
}

static int decode_nested(struct encode_in *in, uint64_t *v, uint32_t n, const struct encode_help *help,
                         struct arena *arena, unsigned depth);

static int get_runs(struct encode_in *in, uint64_t *v, uint32_t n, struct arena *arena, unsigned depth)
{
    uint64_t runs;
    if (encode_varint_get(in, &runs) < 0 || runs > n)
        return ERR_CORRUPT;
    uint64_t *values = arena_alloc_array(arena, runs * 2 + 1, sizeof *values), *lengths = values + runs;
    if (!values)
        return ERR_NOMEM;
    int e = decode_nested(in, values, (uint32_t)runs, NULL, arena, depth);
    if (e < 0 || (e = decode_nested(in, lengths, (uint32_t)runs, NULL, arena, depth)) < 0)
        return e;
    uint32_t at = 0;
    for (uint32_t r = 0; r < runs; r++) {
        if (lengths[r] > n - at)
            return ERR_CORRUPT;
        for (uint32_t end = at + (uint32_t)lengths[r]; at < end; at++)
            v[at] = values[r];
    }
    return at == n ? 0 : ERR_CORRUPT;
}

static int get_dict(struct encode_in *in, uint64_t *v, uint32_t n, struct arena *arena, unsigned depth)
{
    uint64_t k, value[DICT_VALUES_MAX];
    if (encode_varint_get(in, &k) < 0 || k > DICT_VALUES_MAX)
        return ERR_CORRUPT;
    int e = decode_nested(in, value, (uint32_t)k, NULL, arena, depth);
    if (e < 0 || (e = decode_nested(in, v, n, NULL, arena, depth)) < 0)
        return e;
    uint64_t bad = 0;
    for (uint32_t i = 0; i < n; i++) {
        bad |= v[i] >= k;
        v[i] = value[v[i] < k ? v[i] : 0];
    }
    return bad ? ERR_CORRUPT : 0;
}

static int get_delta(struct encode_in *in, uint64_t *v, uint32_t n, const uint32_t *runs, struct arena *arena,
                     unsigned depth)
{
    uint64_t first;
    if (n == 0 || encode_varint_get(in, &first) < 0)
        return ERR_CORRUPT;
    int e = decode_nested(in, v + 1, n - 1, NULL, arena, depth);
    if (e < 0)
        return e;
    uint64_t last = v[0] = encode_unzigzag(first);
    if (!runs) {
        for (uint32_t i = 1; i < n; i++)
            last = v[i] = last + encode_unzigzag(v[i]);
        return 0;
    }
    first = last;
    for (uint32_t i = 1; i < n; i++) {
        if (runs[i] != runs[i - 1])
            last = first = first + encode_unzigzag(v[i]);
        else
            last += encode_unzigzag(v[i]);
        v[i] = last;
    }
    return 0;
}

static int decode_nested(struct encode_in *in, uint64_t *v, uint32_t n, const struct encode_help *help,
                         struct arena *arena, unsigned depth)
{
    const uint8_t *scheme = take(in, 1);
    uint64_t c;
    int e;
    if (!scheme || depth == DEPTH_MAX)
        return ERR_CORRUPT;
    switch (*scheme) {
    case ENCODE_CONST:
        if ((e = encode_varint_get(in, &c)) < 0)
            return e;
        for (uint32_t i = 0; i < n; i++)
            v[i] = c;
        return 0;
    case ENCODE_PACK:
        return get_packed(in, v, n);
    case ENCODE_BYTES:
        return get_bytes(in, v, n, false);
    case ENCODE_PLANES:
        return get_bytes(in, v, n, true);
    case ENCODE_SPLIT:
        return get_split(in, v, n);
    case ENCODE_RUNS:
        return get_runs(in, v, n, arena, depth + 1);
    case ENCODE_DICT:
        return get_dict(in, v, n, arena, depth + 1);
    case ENCODE_DELTA:
        return get_delta(in, v, n, NULL, arena, depth + 1);
    case ENCODE_ANCHOR:
        return help && help->runs ? get_delta(in, v, n, help->runs, arena, depth + 1) : ERR_CORRUPT;
    case ENCODE_BESIDE:
        if (!help || !help->beside)
            return ERR_CORRUPT;
        if ((e = decode_nested(in, v, n, NULL, arena, depth + 1)) < 0)
            return e;
        for (uint32_t i = 0; i < n; i++)
            v[i] = help->beside[i] + encode_unzigzag(v[i]);
        return 0;
    default:
        return ERR_CORRUPT;
    }
}

int decode_ints(struct encode_in *in, uint64_t *v, uint32_t n, const struct encode_help *help, struct arena *arena)
{
    return decode_nested(in, v, n, help, arena, 0);
}

// ---- one value -----------------------------------------------------------------------------------------

static int packed_at(struct encode_in *in, uint32_t n, uint32_t i, uint64_t *ret)
{
    uint64_t base;
    size_t before = 0;
    int e = encode_varint_get(in, &base);
    const uint8_t *widths = e < 0 ? NULL : take(in, (n + BITS_GROUP - 1) / BITS_GROUP);
    if (!widths)
        return ERR_CORRUPT;
    for (uint32_t g = 0; g < i / BITS_GROUP; g++)
        before += widths[g] * (BITS_GROUP / 8);
    unsigned width = widths[i / BITS_GROUP];
    uint32_t left = n - i / BITS_GROUP * BITS_GROUP;
    const uint8_t *p =
        width <= 64 && take(in, before) ? take(in, bits_bytes(left < BITS_GROUP ? left : BITS_GROUP, width)) : NULL;
    if (!p)
        return ERR_CORRUPT;
    *ret = base + (width ? bits_at(p, (size_t)(i % BITS_GROUP) * width, width) : 0);
    return 0;
}

static int bytes_at(struct encode_in *in, uint32_t n, uint32_t i, bool planes, uint64_t *ret)
{
    const uint8_t *width_at = take(in, 1), *p;
    uint64_t base;
    if (!width_at || *width_at > 8 || encode_varint_get(in, &base) < 0)
        return ERR_CORRUPT;
    unsigned width = *width_at;
    if (!(p = take(in, (size_t)n * width)))
        return ERR_CORRUPT;
    *ret = base;
    for (unsigned k = 0; k < width; k++)
        *ret += (uint64_t)(planes ? p[(size_t)k * n + i] : p[(size_t)i * width + k]) << (8 * k);
    return 0;
}

static int nested_at(struct encode_in *in, uint32_t n, uint32_t i, struct arena *arena, unsigned depth, uint64_t *ret)
{
    enum { FEW_VALUES = 32 }; // beyond, decoding all is worth more than decoding the dictionary for each value
    const uint8_t *scheme = take(in, 1);
    uint64_t k, value[FEW_VALUES];
    int e;
    if (!scheme || depth == DEPTH_MAX)
        return ERR_CORRUPT;
    switch (*scheme) {
    case ENCODE_CONST:
        return encode_varint_get(in, ret);
    case ENCODE_PACK:
        return packed_at(in, n, i, ret);
    case ENCODE_BYTES:
    case ENCODE_PLANES:
        return bytes_at(in, n, i, *scheme == ENCODE_PLANES, ret);
    case ENCODE_DICT:
        if (encode_varint_get(in, &k) < 0)
            return ERR_CORRUPT;
        if (k > FEW_VALUES)
            return ERR_UNSUPPORTED;
        if ((e = decode_nested(in, value, (uint32_t)k, NULL, arena, depth + 1)) < 0 ||
            (e = nested_at(in, n, i, arena, depth + 1, ret)) < 0)
            return e;
        if (*ret >= k)
            return ERR_CORRUPT;
        *ret = value[*ret];
        return 0;
    default:
        return ERR_UNSUPPORTED;
    }
}

int decode_int_at(struct encode_in in, uint32_t n, uint32_t i, struct arena *arena, uint64_t *ret)
{
    return i < n ? nested_at(&in, n, i, arena, 0, ret) : ERR_INVALID;
}
