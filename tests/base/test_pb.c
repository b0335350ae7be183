#include "base/pb.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_round_trip(void **state)
{
    struct buf b;
    buf_init(&b, 4096);
    pb_put_varint(&b, 1, 0);
    pb_put_varint(&b, 2, UINT64_MAX);
    pb_put_fixed64(&b, 3, 0x1122334455667788);
    pb_put_fixed32(&b, 4, 0xdeadbeef);
    pb_put_double(&b, 5, -0.5);
    size_t at = pb_begin(&b, 6);
    pb_put_str(&b, 1, STR("inner"));
    size_t inner = pb_begin(&b, 2);
    uint8_t *filler = buf_extend(&b, 300);
    assert_non_null(filler);
    memset(filler, 7, 300);
    pb_end(&b, inner);
    pb_end(&b, at);
    pb_put_str(&b, 536870911, STR(""));
    assert_int_equal(b.error, 0);

    struct pb_reader r = pb_reader_of(buf_bytes(&b)), sub;
    uint32_t tag, w;
    uint64_t v;
    double d;
    bytes bs;
    str s;
    assert_int_equal(pb_next(&r, &tag), 1);
    assert_int_equal(tag, PB_TAG(1, PB_VARINT));
    assert_int_equal(pb_varint(&r, &v), 0);
    assert_int_equal(v, 0);
    assert_int_equal(pb_next(&r, &tag), 1);
    assert_int_equal(pb_varint(&r, &v), 0);
    assert_true(v == UINT64_MAX);
    assert_int_equal(pb_next(&r, &tag), 1);
    assert_int_equal(pb_fixed64(&r, &v), 0);
    assert_true(v == 0x1122334455667788);
    assert_int_equal(pb_next(&r, &tag), 1);
    assert_int_equal(pb_fixed32(&r, &w), 0);
    assert_true(w == 0xdeadbeef);
    assert_int_equal(pb_next(&r, &tag), 1);
    assert_int_equal(pb_double(&r, &d), 0);
    assert_true(d == -0.5);
    assert_int_equal(pb_next(&r, &tag), 1);
    assert_int_equal(tag, PB_TAG(6, PB_LEN));
    assert_int_equal(pb_sub(&r, &sub), 0);
    assert_int_equal(pb_next(&sub, &tag), 1);
    assert_int_equal(pb_str(&sub, &s), 0);
    assert_true(str_eq(s, STR("inner")));
    assert_int_equal(pb_next(&sub, &tag), 1);
    assert_int_equal(pb_bytes(&sub, &bs), 0);
    assert_int_equal(bs.len, 300);
    assert_int_equal(pb_next(&sub, &tag), 0);
    assert_int_equal(pb_next(&r, &tag), 1);
    assert_int_equal(tag, PB_TAG(536870911, PB_LEN));
    assert_int_equal(pb_skip(&r, tag), 0);
    assert_int_equal(pb_next(&r, &tag), 0);
    buf_free(&b);
}

static int walk(const void *p, size_t n)
{
    uint8_t *exact = mem_dup(p, n);
    struct pb_reader r = pb_reader_of(bytes_of(exact, n));
    uint32_t tag;
    int rc;
    while ((rc = pb_next(&r, &tag)) == 1)
        if ((rc = pb_skip(&r, tag)) < 0)
            break;
    mem_free(exact);
    return rc;
}

#define WALK(lit) walk(lit, sizeof(lit) - 1)

static void test_refused(void **state)
{
    assert_int_equal(WALK(""), 0);
    assert_int_equal(WALK("\x08\x01"), 0);
    assert_int_equal(WALK("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), 0);
    assert_int_equal(WALK("\x08"), ERR_TRUNCATED);
    assert_int_equal(WALK("\x08\x80"), ERR_TRUNCATED);
    assert_int_equal(WALK("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), ERR_MALFORMED); // over 64 bits
    assert_int_equal(WALK("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), ERR_MALFORMED);
    assert_int_equal(WALK("\x00\x01"), ERR_MALFORMED);                 // field 0
    assert_int_equal(WALK("\x80\x80\x80\x80\x10\x01"), ERR_MALFORMED); // field 2^29
    assert_int_equal(WALK("\x0b\x0c"), ERR_MALFORMED);                 // a group
    assert_int_equal(WALK("\x0e"), ERR_MALFORMED);                     // wire type 6
    assert_int_equal(WALK("\x0a\x02x"), ERR_TRUNCATED);
    assert_int_equal(WALK("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"), ERR_TRUNCATED);
    assert_int_equal(WALK("\x09\x01\x02\x03\x04\x05\x06\x07"), ERR_TRUNCATED);
    assert_int_equal(WALK("\x0d\x01\x02\x03"), ERR_TRUNCATED);
}

static void test_varint_edges(void **state)
{
    struct buf b;
    buf_init(&b, 64);
    for (int bit = 0; bit < 64; bit++)
        for (int off = -1; off <= 1; off++) {
            uint64_t v = (1ull << bit) + (uint64_t)off, back;
            buf_clear(&b);
            buf_varint(&b, v);
            for (size_t n = 0; n < b.len; n++) {
                struct pb_reader cut = pb_reader_of((bytes){ b.ptr, n });
                assert_int_equal(pb_varint(&cut, &back), ERR_TRUNCATED);
                assert_ptr_equal(cut.p, b.ptr);
            }
            struct pb_reader r = pb_reader_of(buf_bytes(&b));
            assert_int_equal(pb_varint(&r, &back), 0);
            assert_true(back == v && r.p == r.end);
        }
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_varint_edges),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
