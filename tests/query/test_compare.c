#include "query/compare.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 16 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(&arena);
    return 0;
}

static const struct query_literal *lit(const char *raw, enum query_form form)
{
    struct query_ast_value v = { .form = form, .raw = str_z(raw) };
    struct query_literal *l = arena_zalloc(&arena, sizeof *l);
    assert_int_equal(query_literal_read(&arena, str_z(raw), &v, 0, NULL, l, NULL), 0);
    return l;
}
static const struct query_literal *word(const char *raw) { return lit(raw, QUERY_WORD); }
static const struct query_literal *quoted(const char *raw) { return lit(raw, QUERY_DQUOTED); }

static void test_strings(void **state)
{
    bool c;
    assert_true(query_compare_string(STR("200"), QUERY_EQ, word("200"), NULL));
    assert_true(query_compare_string(STR("200"), QUERY_EQ, quoted("200"), NULL));
    assert_false(query_compare_string(STR("1.1"), QUERY_EQ, word("1.10"), NULL)); // the text as written
    assert_true(query_compare_string(STR("1.10"), QUERY_EQ, word("1.10"), NULL));
    assert_true(query_compare_string(STR("GET /x"), QUERY_EQ, quoted("GET *"), NULL));
    assert_false(query_compare_string(STR("GET /x"), QUERY_EQ, lit("GET *", QUERY_SQUOTED), NULL));
    // an ordering against a number reads the whole string as a decimal
    assert_true(query_compare_string(STR("10"), QUERY_GT, word("9"), &c) && c);
    assert_true(query_compare_string(STR("1.5"), QUERY_GE, word("1.5"), &c) && c);
    assert_false(query_compare_string(STR("x10"), QUERY_GT, word("9"), &c) || c);
    assert_false(query_compare_string(STR(" 10"), QUERY_GT, word("9"), &c) || c);
    // against text it compares bytes
    assert_true(query_compare_string(STR("b"), QUERY_GT, word("a"), &c) && c);
    assert_false(query_compare_string(STR("10"), QUERY_GT, quoted("9"), &c) || !c);
}

static void test_numbers(void **state)
{
    bool c;
    assert_false(query_compare_int(9007199254740993, QUERY_EQ, word("9007199254740992.0"), NULL));
    assert_true(query_compare_int(9007199254740993, QUERY_GT, word("9007199254740992.0"), NULL));
    assert_true(query_compare_int(9007199254740993, QUERY_EQ, word("9007199254740993"), NULL));
    assert_false(query_compare_double(9007199254740992.0, QUERY_EQ, word("9007199254740993"), NULL));
    assert_true(query_compare_int(3, QUERY_EQ, word("3.0"), NULL) &&
                query_compare_double(3, QUERY_EQ, word("3"), NULL));
    assert_true(query_compare_int(200, QUERY_EQ, quoted("200"), NULL)); // canonical text
    assert_true(query_compare_int(200, QUERY_EQ, quoted("2*"), NULL));
    assert_true(query_compare_double(2.5, QUERY_EQ, quoted("2.5"), NULL));
    assert_false(query_compare_int(200, QUERY_LT, quoted("300"), &c) || c);
    assert_false(query_compare_double(NAN, QUERY_EQ, word("1"), NULL) ||
                 query_compare_double(NAN, QUERY_LT, word("1"), NULL) ||
                 query_compare_double(NAN, QUERY_GE, word("1"), NULL));
    assert_true(query_compare_int(10240, QUERY_GT, word("10kb"), NULL));
    assert_true(query_compare_double(INFINITY, QUERY_GT, word("99999999999999999999"), NULL));
    assert_true(query_compare_int(INT64_MAX, QUERY_LT, word("9223372036854775808"), NULL));
    assert_true(query_compare_int(INT64_MIN, QUERY_GT, word("-1e300"), NULL));
    assert_int_equal(query_order_int_double(INT64_MIN, -9223372036854775808.0), 0);
    assert_int_equal(query_order_int_double(INT64_MAX, 9223372036854775808.0), -1);
    assert_int_equal(query_order_int_double(-3, -2.5), -1);
    assert_int_equal(query_order_int_double(-2, -2.5), 1);
    assert_int_equal(query_order_int_double(0, -0.0), 0);
}

static void test_bools(void **state)
{
    bool c;
    assert_true(query_compare_bool(true, QUERY_EQ, word("true"), NULL) &&
                query_compare_bool(false, QUERY_EQ, quoted("false"), NULL));
    assert_false(query_compare_bool(true, QUERY_EQ, word("1"), NULL) ||
                 query_compare_bool(true, QUERY_GT, word("false"), &c) || c);
}

static void test_levels(void **state)
{
    for (int s = 0; s <= 24; s++) {
        assert_int_equal(query_compare_level(s, QUERY_EQ, word("warn")), s >= 13 && s <= 16);
        assert_int_equal(query_compare_level(s, QUERY_GE, word("warning")), s >= 13);
        assert_int_equal(query_compare_level(s, QUERY_GT, word("warn")), s > 16);
        assert_int_equal(query_compare_level(s, QUERY_LT, word("warn")), s > 0 && s < 13);
        assert_int_equal(query_compare_level(s, QUERY_LE, word("warn")), s > 0 && s <= 16);
        assert_int_equal(query_compare_level(s, QUERY_GE, word("14")), s >= 14);
        assert_int_equal(query_compare_level(s, QUERY_EQ, word("9")), s == 9);
    }
}

static void test_ids(void **state)
{
    static const uint8_t trace[16] = { 0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd,
                                       0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c };
    static const uint8_t padded[16] = { 0, 0, 0, 0, 0, 0, 0, 0, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c };
    struct query_literal l = { 0 };
    assert_true(query_id_read(STR("0AF76519-16cd-43dd-8448-eb211c80319c"), l.id, &l.id_nibbles));
    assert_true(query_compare_id(trace, 16, &l) && !query_compare_id(padded, 16, &l) &&
                !query_compare_id(trace, 8, &l));
    assert_true(query_id_read(STR("8448eb211c80319c"), l.id, &l.id_nibbles));
    assert_true(query_compare_id(padded, 16, &l) && !query_compare_id(trace, 16, &l) &&
                query_compare_id(trace + 8, 8, &l));
    assert_true(query_id_read(STR("0af"), l.id, &l.id_nibbles));
    assert_false(query_compare_id(trace, 16, &l));
    l.id_prefix = true;
    assert_true(query_compare_id(trace, 16, &l) && !query_compare_id(padded, 16, &l) && query_compare_id(trace, 8, &l));
    assert_true(query_id_read(STR("0ae"), l.id, &l.id_nibbles));
    assert_false(query_compare_id(trace, 16, &l));
}

static void test_times(void **state)
{
    assert_true(query_compare_duration(200000000, QUERY_EQ, word("200ms")) &&
                query_compare_duration(1, QUERY_GT, word("0")));
    assert_false(query_compare_duration(200, QUERY_EQ, word("200")) || query_compare_time(5, QUERY_GT, word("5")));
    assert_true(query_compare_time(1767225600000000000, QUERY_EQ, word("2026-01-01")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_strings), cmocka_unit_test(test_numbers),
                                        cmocka_unit_test(test_bools),   cmocka_unit_test(test_levels),
                                        cmocka_unit_test(test_ids),     cmocka_unit_test(test_times) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
