// Integers: whatever goes in comes out, in every form; each scheme is reached; damaged bytes are an error
// or other numbers, never anything else.
#include "base/must.h"
#include "store/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// cmocka wants these before it
#include <cmocka.h>

static uint64_t rng = 1;
static uint64_t next(void)
{
    uint64_t x = rng += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

enum { N = 8192, TIGHT = -1 };
static uint64_t values[N], back[N], beside[N];
static uint32_t runs[N];
static struct encode_scratch scratch;

// Bytes of the encoding; checks the round trip on the way. *ret_scheme: the outermost.
static size_t round_trip(uint32_t n, bool is_signed, const struct encode_help *help, int form, uint8_t *ret_scheme)
{
    struct buf b;
    struct arena a;
    buf_init(&b, 1 << 24);
    arena_init(&a, 64 << 20);
    struct buf other;
    buf_init(&other, 1 << 24);
    struct encode_out out = { form == TIGHT ? &b : &other, form == TIGHT ? NULL : &b, (enum encode_form)form };
    struct encode_facts range;
    assert_int_equal(encode_ints(out, values, n, is_signed, help, &scratch, &range), 0);
    for (uint32_t i = 0; i < n; i++) {
        assert_true(is_signed ? (int64_t)values[i] >= (int64_t)range.min : values[i] >= range.min);
        assert_true(is_signed ? (int64_t)values[i] <= (int64_t)range.max : values[i] <= range.max);
    }
    assert_true(form != TIGHT || b.len <= range.cost + 16);
    if (b.len == 0) // not worth a second form
        assert_int_equal(buf_append(&b, other.ptr, other.len), 0);
    buf_free(&other);
    size_t size = b.len;
    if (ret_scheme)
        *ret_scheme = b.ptr[0];
    uint8_t *exact = malloc(size + ENCODE_PAD); // so that reading past the pad is seen
    memcpy(exact, b.ptr, size);
    memset(exact + size, 0xff, ENCODE_PAD);
    struct encode_in in = { exact, exact + size };
    assert_int_equal(decode_ints(&in, back, n, help, &a), 0);
    assert_ptr_equal(in.p, in.end);
    assert_memory_equal(values, back, n * sizeof *values);
    for (uint32_t i = 0; i < n; i += 1 + i / 16) { // and one by one, where the scheme allows that
        uint64_t one;
        int e = decode_int_at((struct encode_in){ exact, exact + size }, n, i, &a, &one);
        assert_true(e == ERR_UNSUPPORTED || (e == 0 && one == values[i]));
    }
    uint64_t beyond;
    assert_int_equal(decode_int_at((struct encode_in){ exact, exact + size }, n, n, &a, &beyond), ERR_INVALID);
    free(exact);
    buf_free(&b);
    arena_free(&a);
    return size;
}

static void all_forms(uint32_t n, bool is_signed, const struct encode_help *help)
{
    for (int form = TIGHT; form <= ENCODE_FOR_ENTROPY; form++)
        round_trip(n, is_signed, help, form, NULL);
}

static void test_every_width(void **state)
{
    static const uint32_t sizes[] = { 0, 1, 2, 3, 63, 64, 65, 127, 128, 1000 };
    for (unsigned width = 0; width <= 64; width++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            uint64_t base = next() >> (next() % 64);
            for (uint32_t i = 0; i < sizes[s]; i++)
                values[i] = base + (width ? next() >> (64 - width) : 0);
            all_forms(sizes[s], width & 1, NULL);
        }
    }
}

static void test_extremes(void **state)
{
    static const uint64_t odd[] = { 0, 1, UINT64_MAX, (uint64_t)INT64_MIN, INT64_MAX, 1ull << 32, 255, 256 };
    for (int round = 0; round < 200; round++) {
        uint32_t n = 1 + (uint32_t)(next() % 300);
        for (uint32_t i = 0; i < n; i++)
            values[i] = odd[next() % 8], runs[i] = (uint32_t)(i / 7), beside[i] = odd[next() % 8];
        all_forms(n, round & 1, &(struct encode_help){ runs, beside });
    }
}

static void test_each_scheme_where_it_fits(void **state)
{
    uint8_t scheme;
    for (uint32_t i = 0; i < N; i++)
        values[i] = 77;
    assert_true(round_trip(N, false, NULL, TIGHT, &scheme) < 4);
    assert_int_equal(scheme, ENCODE_CONST);

    for (uint32_t i = 0; i < N; i++)
        values[i] = 1000000 + next() % 5000;
    assert_true(round_trip(N, false, NULL, TIGHT, &scheme) < N * 13 / 8 + N / 64 + 16);
    assert_int_equal(scheme, ENCODE_PACK);
    round_trip(N, false, NULL, ENCODE_FOR_LZ, &scheme);
    assert_int_equal(scheme, ENCODE_BYTES);

    for (uint32_t i = 0; i < N; i++)
        values[i] = next() % 5000000;
    round_trip(N, false, NULL, ENCODE_FOR_LZ, &scheme);
    assert_int_equal(scheme, ENCODE_PLANES);
    round_trip(N, false, NULL, ENCODE_FOR_ENTROPY, &scheme);
    assert_int_equal(scheme, ENCODE_SPLIT);

    for (uint32_t i = 0; i < N; i++)
        values[i] = next() % 4 ? (i ? values[i - 1] : 5) : next() % 1000000;
    round_trip(N, false, NULL, TIGHT, &scheme);
    assert_int_equal(scheme, ENCODE_RUNS);

    // A trace ordinal: one up at every run. Half a bit a row.
    for (uint32_t i = 0; i < N; i++)
        values[i] = 123456 + i / 10;
    assert_true(round_trip(N, false, NULL, TIGHT, &scheme) < N / 16);

    for (uint32_t i = 0; i < N; i++)
        values[i] = (next() % 40) * 0x123456789abcdefull;
    assert_true(round_trip(N, false, NULL, TIGHT, &scheme) < N * 6 / 8 + 700);
    assert_int_equal(scheme, ENCODE_DICT);

    for (uint32_t i = 0; i < N; i++)
        values[i] = (i ? values[i - 1] : 1ull << 60) + next() % 100;
    assert_true(round_trip(N, true, NULL, TIGHT, &scheme) < N + 400);
    assert_int_equal(scheme, ENCODE_DELTA);

    // Runs that start near each other, values in a run near the one before.
    for (uint32_t i = 0; i < N; i++) {
        runs[i] = i / 10;
        values[i] = i % 10 ? values[i - 1] + next() % 1000000 : (1ull << 60) + i / 10 * 1000 + next() % 1000;
    }
    round_trip(N, true, &(struct encode_help){ runs, NULL }, TIGHT, &scheme);
    assert_int_equal(scheme, ENCODE_ANCHOR);

    for (uint32_t i = 0; i < N; i++) {
        beside[i] = (1ull << 60) + next() % (1ull << 40);
        values[i] = beside[i] + 20000;
    }
    assert_true(round_trip(N, true, &(struct encode_help){ NULL, beside }, TIGHT, &scheme) < 8);
    assert_int_equal(scheme, ENCODE_BESIDE);
}

static void test_damage_is_harmless(void **state)
{
    struct arena a;
    struct buf b;
    buf_init(&b, 1 << 24);
    arena_init(&a, 16 << 20);
    for (int round = 0; round < 300; round++) {
        uint32_t n = (uint32_t)(next() % 700), kind = (uint32_t)(next() % 4);
        for (uint32_t i = 0; i < n; i++) {
            values[i] = kind == 0 ? next() : kind == 1 ? next() % 9 : kind == 2 ? i / 9 : next() % 5 * next();
            runs[i] = i / 5;
            beside[i] = values[i] + next() % 3;
        }
        struct encode_help help = { next() & 1 ? runs : NULL, next() & 1 ? beside : NULL };
        buf_clear(&b);
        struct buf other;
        buf_init(&other, 1 << 24);
        struct encode_out out = { &other, &b, (enum encode_form)(next() % 2) };
        assert_int_equal(encode_ints(out, values, n, false, &help, &scratch, NULL), 0);
        if (b.len == 0 || next() % 3 == 0) {
            buf_clear(&b);
            assert_int_equal(buf_append(&b, other.ptr, other.len), 0);
        }
        buf_free(&other);
        for (int k = 0; k < 40; k++) {
            size_t size = next() & 1 ? b.len : next() % (b.len + 1);
            uint8_t *exact = malloc(size + ENCODE_PAD);
            memcpy(exact, b.ptr, size);
            memset(exact + size, 0xff, ENCODE_PAD);
            for (int m = (int)(next() % 4); m >= 0 && size; m--)
                exact[next() % (next() & 1 ? size : size < 12 ? size : 12)] = (uint8_t)next();
            struct encode_in in = { exact, exact + size };
            int e = decode_ints(&in, back, n, &help, &a);
            assert_true(e == 0 || e == ERR_CORRUPT || e == ERR_NOMEM);
            assert_true(in.p <= in.end);
            uint64_t one;
            e = decode_int_at((struct encode_in){ exact, exact + size }, n, n - 1, &a, &one);
            assert_true(e == 0 || e == ERR_CORRUPT || e == ERR_NOMEM || e == ERR_UNSUPPORTED || e == ERR_INVALID);
            free(exact);
            arena_reset(&a);
        }
    }
    buf_free(&b);
    arena_free(&a);
}

static int scratch_done(void **state)
{
    encode_scratch_free(&scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_width),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_each_scheme_where_it_fits),
        cmocka_unit_test(test_damage_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_done);
}
