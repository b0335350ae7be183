// Strings come back byte for byte; what repeats but for its numbers is small; damage is harmless.
#include "store/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka wants these before it
#include <cmocka.h>

enum { N = 1000 };
static str strings[N], back[N];
static char text[N][200];
static struct encode_scratch scratch;

static size_t round_trip(uint32_t n, uint8_t *ret_kind)
{
    size_t size = 0;
    {
        struct buf b;
        struct arena a;
        buf_init(&b, 1 << 20);
        arena_init(&a, 8 << 20);
        assert_int_equal(encode_strings(&b, strings, n, &scratch), 0);
        size = b.len;
        *ret_kind = b.ptr[0];
        uint8_t *exact = malloc(size + ENCODE_PAD);
        memcpy(exact, b.ptr, size);
        memset(exact + size, 0xff, ENCODE_PAD);
        struct encode_in in = { exact, exact + size };
        assert_int_equal(decode_strings(&in, back, n, &a), 0);
        assert_ptr_equal(in.p, in.end);
        for (uint32_t i = 0; i < n; i++) {
            assert_int_equal(back[i].len, strings[i].len);
            assert_memory_equal(back[i].len ? back[i].ptr : "", strings[i].len ? strings[i].ptr : "", strings[i].len);
        }
        free(exact);
        buf_free(&b);
        arena_free(&a);
    }
    return size;
}

static void test_numbers_in_text(void **state)
{
    uint8_t kind;
    for (uint32_t i = 0; i < N; i++)
        strings[i] = str_of(text[i], (size_t)snprintf(text[i], sizeof text[i], "order %d from user-%d in %d ms",
                                                      rand() % 100000, rand() % 10000, rand() % 250));
    assert_true(round_trip(N, &kind) < N * (17 + 14 + 8) / 8 + 300);
    assert_int_equal(kind, 1);
}

static void test_numbers_of_every_shape(void **state)
{
    static const char *const cases[] = { "%d",
                                         "0%d",
                                         "00%d:%d",
                                         "12:%02d:09.%03d",
                                         "%d%d%d%d%d",
                                         "a%db%dc",
                                         "T0%d",
                                         "-%d-",
                                         "1.0%d.3",
                                         "v%d.%d.%d",
                                         "%x%x%x%x",
                                         "deadbeef%08x",
                                         "%08x-%04x",
                                         "550e8400-e29b-41d4-a716-4466554%05d",
                                         "0123456789abcdef%d",
                                         "550e8400-e29b-41d4-a716-446655440%03d0",
                                         "99999999999999999%d",
                                         "999999999999999999%d",
                                         "18446744073709551615 %d",
                                         "%d\x01\x02\x03\x04\x05%d",
                                         "\x04\x10 %d",
                                         "",
                                         "0",
                                         "00",
                                         "x",
                                         "%dffffffffff" };
    uint8_t kind;
    for (int round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < N; i++) {
            const char *f = cases[round < 26 ? (size_t)round : (size_t)rand() % 26];
            int a = rand() % 100, b = rand() % 61, c = rand() % 1000;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            strings[i] = str_of(text[i], (size_t)snprintf(text[i], sizeof text[i], f, a, b, c, 7, 9));
#pragma GCC diagnostic pop
        }
        round_trip(N, &kind);
    }
}

static void test_any_bytes(void **state)
{
    uint8_t kind;
    for (int round = 0; round < 20; round++) {
        for (uint32_t i = 0; i < N; i++) {
            size_t n = (size_t)rand() % 40;
            for (size_t k = 0; k < n; k++)
                text[i][k] = (char)(round % 2 ? rand() : "0123456789abcdef-:.T \x01\x02\x03\x04\x05"[rand() % 26]);
            strings[i] = str_of(text[i], n);
        }
        round_trip(N, &kind);
        round_trip(1 + (uint32_t)rand() % 30, &kind);
    }
    round_trip(0, &kind);
}

static void test_many_numbers_in_one(void **state)
{
    uint8_t kind;
    static char many[N][1000];
    for (uint32_t i = 0; i < N; i++) {
        size_t n = 0;
        for (int k = 0; k < 90; k++)
            n += (size_t)sprintf(many[i] + n, "%d,", rand() % 1000);
        strings[i] = str_of(many[i], n);
    }
    round_trip(N, &kind);
}

static void test_damage_is_harmless(void **state)
{
    struct buf b;
    struct arena a;
    buf_init(&b, 1 << 20);
    arena_init(&a, 8 << 20);
    for (uint32_t i = 0; i < 200; i++)
        strings[i] = str_of(text[i], (size_t)snprintf(text[i], 200,
                                                      "%d x\x02 0%d deadbeef%04x "
                                                      "550e8400-e29b-41d4-a716-4466554400%02d %d",
                                                      rand() % 9, rand() % 9, rand() % 65536, rand() % 100, i));
    assert_int_equal(encode_strings(&b, strings, 200, &scratch), 0);
    assert_int_equal(b.ptr[0], 1);
    for (int k = 0; k < 20000; k++) {
        size_t size = rand() & 1 ? b.len : (size_t)rand() % (b.len + 1);
        uint8_t *exact = malloc(size + ENCODE_PAD);
        memcpy(exact, b.ptr, size);
        for (int m = rand() % 3; m >= 0 && size; m--)
            exact[(size_t)rand() % (rand() & 1 ? size : size < 90 ? size : 90)] = (uint8_t)rand();
        struct encode_in in = { exact, exact + size };
        int e = decode_strings(&in, back, 200, &a);
        assert_true(e == 0 || e == ERR_CORRUPT || e == ERR_NOMEM);
        for (uint32_t i = 0; e == 0 && i < 200; i++)
            for (size_t c = 0; c < back[i].len; c++)
                *(volatile char *)&text[0][0] = back[i].ptr[c];
        free(exact);
        arena_reset(&a);
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
        cmocka_unit_test(test_numbers_in_text),    cmocka_unit_test(test_numbers_of_every_shape),
        cmocka_unit_test(test_any_bytes),          cmocka_unit_test(test_many_numbers_in_one),
        cmocka_unit_test(test_damage_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, scratch_done);
}
