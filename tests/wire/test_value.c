#include "wire/value.h"

#include "base/err.h"
#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void put_sample(struct buf *b)
{
    struct value null = { .type = VALUE_NULL }, yes = value_bool(true),
                 raw = { .type = VALUE_BYTES, .s = STR("\x00\xff") };
    struct value i = value_int(INT64_MIN), d = value_double(-0.0), s = value_str(STR("h\xffi"));
    buf_byte(b, VALUE_LIST);
    buf_varint(b, 7);
    value_encode(b, &null);
    value_encode(b, &yes);
    value_encode(b, &raw);
    value_encode(b, &i);
    value_encode(b, &d);
    value_encode(b, &s);
    buf_byte(b, VALUE_MAP);
    buf_varint(b, 2);
    buf_varint(b, 1);
    buf_str(b, STR("k"));
    buf_byte(b, VALUE_LIST);
    buf_varint(b, 0);
    buf_varint(b, 1);
    buf_str(b, STR("k")); // order and repeats are kept
    value_encode(b, &i);
}

static void test_round_trip(void **state)
{
    struct buf b;
    buf_init(&b, 1024);
    put_sample(&b);
    assert_int_equal(value_check(buf_bytes(&b)), 0);
    struct value_reader r = value_reader_of(buf_bytes(&b)), in, map;
    struct value v, e;
    uint64_t n;
    str key;
    assert_int_equal(value_read(&r, &v), 0);
    assert_true(r.p == r.end && v.type == VALUE_LIST && v.s.len == b.len);
    assert_int_equal(value_open(&v, &in, &n), 0);
    assert_int_equal(n, 7);
    assert_int_equal(value_read(&in, &e), 0);
    assert_int_equal(e.type, VALUE_NULL);
    assert_int_equal(value_read(&in, &e), 0);
    assert_true(e.type == VALUE_BOOL && e.b);
    assert_int_equal(value_read(&in, &e), 0);
    assert_true(e.type == VALUE_BYTES && str_eq(e.s, STR("\x00\xff")));
    assert_int_equal(value_read(&in, &e), 0);
    assert_true(e.type == VALUE_INT && e.i == INT64_MIN);
    assert_int_equal(value_read(&in, &e), 0);
    assert_true(e.type == VALUE_DOUBLE && e.d == 0 && signbit(e.d));
    assert_int_equal(value_read(&in, &e), 0);
    assert_true(e.type == VALUE_STR && str_eq(e.s, STR("h\xffi")));
    assert_int_equal(value_read(&in, &e), 0);
    assert_int_equal(e.type, VALUE_MAP);
    assert_true(in.p == in.end);
    assert_int_equal(value_open(&e, &map, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(value_read_key(&map, &key), 0);
    assert_int_equal(value_read(&map, &e), 0);
    assert_true(str_eq(key, STR("k")) && e.type == VALUE_LIST);
    assert_int_equal(value_read_key(&map, &key), 0);
    assert_int_equal(value_read(&map, &e), 0);
    assert_true(e.type == VALUE_INT && map.p == map.end);
    // A nested value is written back as it is.
    struct buf copy;
    buf_init(&copy, 1024);
    value_encode(&copy, &v);
    assert_true(bytes_eq(buf_bytes(&copy), buf_bytes(&b)));
    buf_free(&copy);
    buf_free(&b);
}

static int check(const void *p, size_t n)
{
    uint8_t *exact = mem_dup(p, n);
    int rc = value_check(bytes_of(exact, n));
    mem_free(exact);
    return rc;
}
#define CHECK(lit) check(lit, sizeof(lit) - 1)

static void test_refused(void **state)
{
    assert_int_equal(CHECK("\x00"), 0);
    assert_int_equal(CHECK(""), ERR_TRUNCATED);
    assert_int_equal(CHECK("\x08"), ERR_MALFORMED);         // no such type
    assert_int_equal(CHECK("\x04\x02"), ERR_MALFORMED);     // a bool of 2
    assert_int_equal(CHECK("\x01\x80\x00"), ERR_MALFORMED); // a length in two bytes that fits in one
    assert_int_equal(CHECK("\x01\x05"
                           "abc"),
                     ERR_TRUNCATED);
    assert_int_equal(CHECK("\x06\xff\xff\xff\xff\x0f"), ERR_TRUNCATED);
    assert_int_equal(CHECK("\x06\x01"), ERR_TRUNCATED);
    assert_int_equal(CHECK("\x07\x01\x01k"), ERR_TRUNCATED);
    assert_int_equal(CHECK("\x00\x00"), ERR_MALFORMED); // something follows
    assert_int_equal(CHECK("\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), ERR_MALFORMED);
}

static void test_every_prefix_is_refused(void **state)
{
    struct buf b;
    buf_init(&b, 1024);
    put_sample(&b);
    for (size_t n = 0; n < b.len; n++)
        assert_int_equal(check(b.ptr, n), ERR_TRUNCATED);
    buf_free(&b);
}

static void test_depth(void **state)
{
    uint8_t nested[2 * (VALUE_DEPTH_MAX + 1) + 1];
    for (size_t depth = 1; depth <= VALUE_DEPTH_MAX + 1; depth++) {
        for (size_t i = 0; i < depth; i++) {
            nested[2 * i] = VALUE_LIST;
            nested[2 * i + 1] = 1;
        }
        nested[2 * depth] = VALUE_NULL;
        assert_int_equal(check(nested, 2 * depth + 1), depth <= VALUE_DEPTH_MAX ? 0 : ERR_MALFORMED);
    }
}

static void test_same(void **state)
{
    struct value a = value_double(NAN), b = value_double(0.0), c = value_double(-0.0);
    struct value i = value_int(0), s = value_str(STR("")), t = { .type = VALUE_BYTES, .s = STR("") };
    assert_true(value_same(&a, &a));
    assert_false(value_same(&b, &c));
    assert_false(value_same(&i, &b));
    assert_false(value_same(&s, &t));
    assert_true(value_same(&s, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_every_prefix_is_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
