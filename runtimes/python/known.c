// Types of the standard library that are written in C and mean a text to people: decimal.Decimal and datetime.datetime, read out of their memory.
// They are known by name, size and being immutable, which no class that a program makes can be.
#include "ext.h"
#define _PY_DATETIME_IMPL // the layout alone, not the pointer to the module
#include <datetime.h>

struct decimal { // PyDecObject of Modules/_decimal, mpd_t of libmpdec
    PyObject_HEAD Py_hash_t hash;
    uint8_t flags;
    int64_t exponent, digits, len, alloc;
    const uint64_t *words; // base 10^19, the least significant first
    uint64_t inside[4];
};

enum {
    NEGATIVE = 1,
    SPECIAL = 2 | 4 | 8,
    WORD_DIGITS = 19,
    WORDS_MAX = 16,
    ZEROS_MAX = 40,
    DECIMAL_EXPONENT_MAX = 400
};

static bool is(PyObject *o, const char *name, size_t size)
{
    PyTypeObject *t = Py_TYPE(o);
#if PY_VERSION_HEX >= 0x030B0000
    bool fixed = t->tp_flags & Py_TPFLAGS_IMMUTABLETYPE;
#else
    bool fixed = !(t->tp_flags & Py_TPFLAGS_HEAPTYPE);
#endif
    return fixed && (size_t)t->tp_basicsize == size && strcmp(t->tp_name, name) == 0;
}

bool ext_decimal(PyObject *o, double *ret)
{
    if (!is(o, "decimal.Decimal", sizeof(struct decimal)))
        return false;
    const struct decimal *d = (const struct decimal *)o;
    if (d->flags & SPECIAL || d->len < 1 || d->len > WORDS_MAX || d->exponent > DECIMAL_EXPONENT_MAX ||
        d->exponent < -DECIMAL_EXPONENT_MAX)
        return false;
    // The leading 38 digits are more than a double holds; what follows is a power of ten.
    unsigned __int128 v = d->words[d->len - 1];
    int64_t exponent = d->exponent + (d->len - 1) * WORD_DIGITS;
    if (d->len > 1)
        v = v * 10000000000000000000u + d->words[d->len - 2], exponent -= WORD_DIGITS;
    for (; exponent < 0 && v && v % 10 == 0; exponent++)
        v /= 10;
    int64_t powers = exponent < 0 ? -exponent : exponent;
    if (v <= 1ull << 53 && powers <= 22) {
        // One operation on exact numbers, rounded once: the nearest.
        double f = (double)(uint64_t)v, scale = 1;
        for (; powers > 0; powers--)
            scale *= 10;
        f = exponent < 0 ? f / scale : f * scale;
        *ret = d->flags & NEGATIVE ? -f : f;
        return true;
    }
    long double f = (long double)v, scale = 1;
    for (; powers > 0; powers--)
        scale *= 10;
    f = exponent < 0 ? f / scale : f * scale;
    *ret = d->flags & NEGATIVE ? -(double)f : (double)f;
    return true;
}

static bool put_decimal(struct probe_value_writer *w, PyObject *o)
{
    const struct decimal *d = (const struct decimal *)o;
    char digits[WORDS_MAX * WORD_DIGITS + 1], text[WORDS_MAX * WORD_DIGITS + ZEROS_MAX + 8];
    size_t n = 0, at = 0;
    if (d->flags & SPECIAL || d->len < 1 || d->len > WORDS_MAX || d->exponent > 0 ||
        d->exponent < -WORDS_MAX * WORD_DIGITS)
        return false;
    for (int64_t i = d->len - 1; i >= 0; i--) {
        uint64_t v = d->words[i], scale = 1000000000000000000u;
        for (; scale; scale /= 10)
            if (n || v / scale % 10 || (i == 0 && scale == 1))
                digits[n++] = (char)('0' + v / scale % 10);
    }
    size_t fraction = (size_t)-d->exponent;
    if (fraction > n + ZEROS_MAX)
        return false;
    if (d->flags & NEGATIVE)
        text[at++] = '-';
    if (fraction >= n)
        text[at++] = '0';
    for (size_t i = 0; i + fraction < n; i++)
        text[at++] = digits[i];
    if (fraction)
        text[at++] = '.';
    for (size_t i = n; i < fraction; i++)
        text[at++] = '0';
    for (size_t i = fraction < n ? n - fraction : 0; i < n && fraction; i++)
        text[at++] = digits[i];
    probe_value_text(w, PROBE_VALUE_STR, str_z("decimal.Decimal"), str_of(text, at), 0);
    return true;
}

static void put_number(char **p, unsigned v, unsigned digits)
{
    for (unsigned i = digits; i > 0; i--, v /= 10)
        (*p)[i - 1] = (char)('0' + v % 10);
    *p += digits;
}

static bool put_datetime(struct probe_value_writer *w, PyObject *o)
{
    const unsigned v[] = { (unsigned)PyDateTime_GET_YEAR(o),
                           PyDateTime_GET_MONTH(o),
                           PyDateTime_GET_DAY(o),
                           PyDateTime_DATE_GET_HOUR(o),
                           PyDateTime_DATE_GET_MINUTE(o),
                           PyDateTime_DATE_GET_SECOND(o),
                           (unsigned)PyDateTime_DATE_GET_MICROSECOND(o) };
    static const unsigned digits[] = { 4, 2, 2, 2, 2, 2, 6 };
    char text[32], *p = text;
    for (int i = 0; i < 7; i++) {
        if (i)
            *p++ = "--T::."[i - 1];
        put_number(&p, v[i], digits[i]);
    }
    probe_value_text(w, PROBE_VALUE_STR, str_z("datetime.datetime"), str_of(text, (size_t)(p - text)), 0);
    return true;
}

bool ext_walk_known(struct probe_value_writer *w, PyObject *o)
{
    if (is(o, "decimal.Decimal", sizeof(struct decimal)))
        return put_decimal(w, o);
    return is(o, "datetime.datetime", sizeof(PyDateTime_DateTime)) && put_datetime(w, o);
}
