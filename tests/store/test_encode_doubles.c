// Doubles come back bit for bit, whether they were decimal numbers or not.
#include "store/encode.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
// cmocka wants these before it
#include <cmocka.h>

enum { N = 1000 };
static uint64_t bits[N], back[N];
static struct encode_scratch scratch;

static void set(uint32_t i, double d) { memcpy(&bits[i], &d, 8); }

static size_t round_trip(uint32_t n)
{
    struct buf b;
    struct arena a;
    buf_init(&b, 1 << 20);
    arena_init(&a, 1 << 20);
    struct buf loose;
    size_t cost;
    buf_init(&loose, 1 << 20);
    assert_int_equal(encode_doubles((struct encode_out){ &b, &loose, ENCODE_FOR_ENTROPY }, bits, n, &scratch, &cost),
                     0);
    size_t size = b.len;
    if (loose.len) {
        buf_le64(&loose, 0);
        struct encode_in in = { loose.ptr, loose.ptr + loose.len - 8 };
        assert_int_equal(decode_doubles(&in, back, n, &a), 0);
        assert_memory_equal(bits, back, n * 8);
    }
    buf_free(&loose);
    buf_le64(&b, 0);
    struct encode_in in = { b.ptr, b.ptr + size };
    assert_int_equal(decode_doubles(&in, back, n, &a), 0);
    assert_memory_equal(bits, back, n * 8);
    buf_free(&b);
    arena_free(&a);
    return size;
}

static void test_decimals_are_small(void **state)
{
    for (uint32_t i = 0; i < N; i++)
        set(i, (rand() % 100000) / 100.0);
    assert_true(round_trip(N) < N * 18 / 8 + 40);
    for (uint32_t i = 0; i < N; i++)
        set(i, 1e6 + i * 40);
    assert_true(round_trip(N) < 32);
}

static void test_special_values(void **state)
{
    static const double special[] = { 0.0,     -0.0, INFINITY, -INFINITY,         NAN, 5e-324, 1.7976931348623157e308,
                                      1.0 / 3, -1,   1e22,     9007199254740993.0 };
    for (uint32_t i = 0; i < N; i++)
        set(i, special[i % 11]);
    bits[3] = 0x7ff8000000000001; // NaNs with a payload, a signalling one
    bits[4] = 0xfff0000000000001;
    round_trip(N);
    for (uint32_t i = 0; i < 11; i++) { // alone, and among decimals
        bits[0] = i == 4 ? 0xfff0000000000001 : 0;
        if (i != 4)
            set(0, special[i]);
        round_trip(1);
        for (uint32_t k = 1; k < 50; k++)
            set(k, k / 10.0);
        round_trip(50);
    }
}

static void test_random_bits(void **state)
{
    for (uint32_t i = 0; i < N; i++)
        bits[i] = (uint64_t)rand() << 42 ^ (uint64_t)rand() << 20 ^ (uint64_t)rand();
    round_trip(N);
    round_trip(0);
}

static int scratch_done(void **state)
{
    encode_scratch_free(&scratch);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decimals_are_small),
        cmocka_unit_test(test_special_values),
        cmocka_unit_test(test_random_bits),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_done);
}
