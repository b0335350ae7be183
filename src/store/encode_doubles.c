// Doubles. Most measured values were decimal numbers before they became doubles: such a chunk is stored as
// integers and a power of ten, when that gives back every bit. Others are integers of their bits.
#include "store/encode.h"

static const double tens[ENCODE_DECIMALS_MAX + 1] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };
// Larger integers are not exact in a double.
static const double exact_max = 9007199254740992.0;

static uint64_t bits_of(double d)
{
    uint64_t b;
    memcpy(&b, &d, 8);
    return b;
}

static double double_of(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, 8);
    return d;
}

static double decimal_value(int64_t i, unsigned e) { return (double)i / tens[e]; }

// i / 10^e is exactly the double: -0, NaN and infinities never are.
static bool decimal_of(uint64_t bits, unsigned e, int64_t *ret_i)
{
    double scaled = double_of(bits) * tens[e];
    if (!(scaled > -exact_max && scaled < exact_max))
        return false;
    int64_t i = (int64_t)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    *ret_i = i;
    return bits_of(decimal_value(i, e)) == bits;
}

// The smallest exponent that fits all values, or -1.
static int decimals_of(const uint64_t *bits, uint32_t n)
{
    unsigned e = 0;
    int64_t i;
    for (uint32_t k = 0; k < n; k++) {
        while (!decimal_of(bits[k], e, &i))
            if (++e > ENCODE_DECIMALS_MAX)
                return -1;
    }
    // A larger exponent may break a value that a smaller one fits: look again.
    for (uint32_t k = 0; k < n; k++)
        if (!decimal_of(bits[k], e, &i))
            return -1;
    return (int)e;
}

static void both_bytes(struct encode_out out, uint8_t a, int b)
{
    struct buf *to[2] = { out.tight, out.loose };
    for (int i = 0; i < 2; i++) {
        if (!to[i])
            continue;
        buf_byte(to[i], a);
        if (b >= 0)
            buf_byte(to[i], (uint8_t)b);
    }
}

// The integers behind what was written for them; a loose form without integers is no form.
static int put_ints(struct encode_out out, size_t loose_before, const uint64_t *v, uint32_t n, bool is_signed,
                    struct encode_scratch *scratch, size_t *ret_cost)
{
    struct encode_facts facts = { 0 };
    size_t with_head = out.loose ? out.loose->len : 0;
    int e = encode_ints(out, v, n, is_signed, NULL, scratch, &facts);
    *ret_cost = facts.cost + 2;
    if (out.loose && out.loose->len == with_head)
        out.loose->len = loose_before;
    return e;
}

int encode_doubles(struct encode_out out, const uint64_t *bits, uint32_t n, struct encode_scratch *scratch,
                   size_t *ret_cost)
{
    size_t loose_before = out.loose ? out.loose->len : 0;
    int e = decimals_of(bits, n);
    if (e < 0) {
        both_bytes(out, 0, -1);
        return put_ints(out, loose_before, bits, n, false, scratch, ret_cost);
    }
    uint64_t *whole = encode_scratch_get(scratch, ENCODE_SCRATCH_DOUBLES, n);
    if (!whole)
        return ERR_NOMEM;
    for (uint32_t k = 0; k < n; k++) {
        int64_t i = 0;
        decimal_of(bits[k], (unsigned)e, &i);
        whole[k] = (uint64_t)i;
    }
    both_bytes(out, 1, e);
    return put_ints(out, loose_before, whole, n, true, scratch, ret_cost);
}

int decode_doubles(struct encode_in *in, uint64_t *bits, uint32_t n, struct arena *arena)
{
    if (in->end - in->p < 2)
        return ERR_CORRUPT;
    uint8_t kind = *in->p++;
    if (kind == 0)
        return decode_ints(in, bits, n, NULL, arena);
    unsigned e = *in->p++;
    if (kind != 1 || e > ENCODE_DECIMALS_MAX)
        return ERR_CORRUPT;
    int rc = decode_ints(in, bits, n, NULL, arena);
    for (uint32_t k = 0; rc == 0 && k < n; k++)
        bits[k] = bits_of(decimal_value((int64_t)bits[k], e));
    return rc;
}
