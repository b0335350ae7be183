#include "query/tzfile.h"

#include "base/err.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

// A version 2 file: an empty old part, changes in 64 bits, and the rule.
struct made {
    uint8_t bytes[4096];
    size_t len;
};

static void put(struct made *m, const void *p, size_t n)
{
    memcpy(m->bytes + m->len, p, n);
    m->len += n;
}

static void put_be(struct made *m, uint64_t v, int n)
{
    for (int i = n; i-- > 0;)
        m->bytes[m->len++] = (uint8_t)(v >> (8 * i));
}

static void put_header(struct made *m, char version, uint32_t time, uint32_t type, uint32_t chars)
{
    put(m, "TZif", 4);
    m->bytes[m->len++] = (uint8_t)version;
    put(m, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15);
    put_be(m, 0, 4);
    put_be(m, 0, 4);
    put_be(m, 0, 4);
    put_be(m, time, 4);
    put_be(m, type, 4);
    put_be(m, chars, 4);
}

static struct made make(const int64_t *at, const uint8_t *types, uint32_t n, const int32_t *offsets,
                        uint32_t type_count, const char *rule)
{
    struct made m = { .len = 0 };
    put_header(&m, '2', 0, 1, 1);
    put(&m, "\0\0\0\0\0\0\0", 7);
    put_header(&m, '2', n, type_count, 1);
    for (uint32_t i = 0; i < n; i++)
        put_be(&m, (uint64_t)at[i], 8);
    put(&m, types, n);
    for (uint32_t i = 0; i < type_count; i++) {
        put_be(&m, (uint32_t)offsets[i], 4);
        put(&m, "\0\0", 2);
    }
    put(&m, "", 1);
    put(&m, "\n", 1);
    put(&m, rule, strlen(rule));
    put(&m, "\n", 1);
    return m;
}

static int32_t offset_at(const char *rule, int64_t t)
{
    int32_t utc = 0;
    struct made m = make(NULL, (const uint8_t *)"", 0, &utc, 1, rule);
    struct tzfile tz;
    int r = tzfile_read(bytes_of(m.bytes, m.len), &tz);
    if (r < 0)
        fail_msg("%s: %s", rule, err_text(r));
    int32_t offset = tzfile_offset(&tz, t);
    tzfile_free(&tz);
    return offset;
}

static void test_changes(void **state)
{
    static const int64_t at[] = { -1000, 0, 5000000000 };
    static const uint8_t types[] = { 1, 0, 2 };
    static const int32_t offsets[] = { 3600, -7200, 0 };
    struct made m = make(at, types, 3, offsets, 3, "");
    struct tzfile tz;
    assert_int_equal(tzfile_read(bytes_of(m.bytes, m.len), &tz), 0);
    assert_int_equal(tzfile_offset(&tz, INT64_MIN), 3600); // the first type holds before all
    assert_int_equal(tzfile_offset(&tz, -1001), 3600);
    assert_int_equal(tzfile_offset(&tz, -1000), -7200);
    assert_int_equal(tzfile_offset(&tz, -1), -7200);
    assert_int_equal(tzfile_offset(&tz, 0), 3600);
    assert_int_equal(tzfile_offset(&tz, 4999999999), 3600);
    assert_int_equal(tzfile_offset(&tz, 5000000000), 0);
    tzfile_free(&tz);
    // Cut anywhere it is refused.
    for (size_t n = 0; n + 1 < m.len; n++) {
        int r = tzfile_read(bytes_of(m.bytes, n), &tz);
        if (r == 0)
            tzfile_free(&tz); // only the (empty) rule is missing
        assert_true(r == ERR_CORRUPT || n >= m.len - 2);
    }
    for (int64_t k = 1; k < 3; k++) {
        mem_fail_at(k);
        int r = tzfile_read(bytes_of(m.bytes, m.len), &tz);
        mem_fail_at(0);
        if (r == 0)
            tzfile_free(&tz);
        else
            assert_int_equal(r, ERR_NOMEM);
    }
}

static void test_rules(void **state)
{
    int64_t jan = 1767225600, jul = 1782864000; // 2026
    assert_int_equal(offset_at("CET-1CEST,M3.5.0,M10.5.0/3", jan), 3600);
    assert_int_equal(offset_at("CET-1CEST,M3.5.0,M10.5.0/3", jul), 7200);
    assert_int_equal(offset_at("CET-1CEST,M3.5.0,M10.5.0/3", 1774745999), 3600); // 2026-03-29T00:59:59Z
    assert_int_equal(offset_at("CET-1CEST,M3.5.0,M10.5.0/3", 1774746000), 7200);
    assert_int_equal(offset_at("CET-1CEST,M3.5.0,M10.5.0/3", 1792889999), 7200); // 2026-10-25T00:59:59Z
    assert_int_equal(offset_at("CET-1CEST,M3.5.0,M10.5.0/3", 1792890000), 3600);
    assert_int_equal(offset_at("AEST-10AEDT,M10.1.0,M4.1.0/3", jan), 39600); // south
    assert_int_equal(offset_at("AEST-10AEDT,M10.1.0,M4.1.0/3", jul), 36000);
    assert_int_equal(offset_at("<+0545>-5:45", jan), 20700);
    assert_int_equal(offset_at("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", jul), -3600);
    assert_int_equal(offset_at("IST-1GMT0,M10.5.0,M3.5.0/1", jan), 0); // Dublin's negative summer
    assert_int_equal(offset_at("IST-1GMT0,M10.5.0,M3.5.0/1", jul), 3600);
    assert_int_equal(offset_at("ABC3DEF2,J60/0,300", jul), -7200);
    assert_int_equal(offset_at("UTC0", jul), 0);
    // February 29 does not count for J: day 60 is March 1 in every year
    assert_int_equal(offset_at("ABC0DEF,J60/0,J100/0", 1709251199), 0);    // 2024-02-29T23:59:59Z
    assert_int_equal(offset_at("ABC0DEF,J60/0,J100/0", 1709251200), 3600); // 2024-03-01
    assert_int_equal(offset_at("ABC0DEF,59/0,100/0", 1709164800), 3600);   // 2024-02-29
}

static void test_bad(void **state)
{
    static const char *const rules[] = { "A",
                                         "AB0",
                                         "ABC",
                                         "ABC99999",
                                         "ABC0DEF",
                                         "ABC0DEF,",
                                         "ABC0DEF,M1.1.1",
                                         "ABC0DEF,M13.1.1,M2.1.1",
                                         "ABC0DEF,M1.6.1,M2.1.1",
                                         "ABC0DEF,M1.1.7,M2.1.1",
                                         "ABC0DEF,J0,J5",
                                         "ABC0DEF,J366,J5",
                                         "ABC0DEF,366,5",
                                         "ABC0DEF,1,2x",
                                         "<AB0",
                                         "ABC0:60",
                                         "ABC27",
                                         "ABC0DEF27,1,2" };
    struct tzfile tz;
    int32_t utc = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct made m = make(NULL, (const uint8_t *)"", 0, &utc, 1, rules[i]);
        if (tzfile_read(bytes_of(m.bytes, m.len), &tz) != ERR_CORRUPT)
            fail_msg("%s was accepted", rules[i]);
    }
    static const int64_t back[] = { 5, 5 };
    static const uint8_t types[] = { 0, 0 }, missing[] = { 0, 1 };
    static const int64_t on[] = { 5, 6 };
    int32_t wild = 100000;
    struct made m = make(back, types, 2, &utc, 1, "");
    assert_int_equal(tzfile_read(bytes_of(m.bytes, m.len), &tz), ERR_CORRUPT); // not ascending
    m = make(on, missing, 2, &utc, 1, "");
    assert_int_equal(tzfile_read(bytes_of(m.bytes, m.len), &tz), ERR_CORRUPT); // no such type
    m = make(on, types, 2, &wild, 1, "");
    assert_int_equal(tzfile_read(bytes_of(m.bytes, m.len), &tz), ERR_CORRUPT);
    m = make(on, types, 2, &utc, 1, "");
    memset(m.bytes + 44 + 7 + 32, 0xff, 4); // how many changes there are
    assert_int_equal(tzfile_read(bytes_of(m.bytes, m.len), &tz), ERR_CORRUPT);
    static const uint8_t big[TZFILE_SIZE_MAX + 1] = "TZif2";
    assert_int_equal(tzfile_read(bytes_of(big, sizeof big), &tz), ERR_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_changes), cmocka_unit_test(test_rules),
                                        cmocka_unit_test(test_bad) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
