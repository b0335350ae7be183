#include "query/literal.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/timefmt.h"
#include "query/calendar.h"
#include "query/wildcard.h"

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

static void test_numbers(void **state)
{
    static const struct {
        const char *text;
        uint32_t readings;
        int64_t i;
        double d;
    } cases[] = {
        { "0", QR_INT | QR_DOUBLE, 0, 0 },
        { "-7", QR_INT | QR_DOUBLE, -7, -7 },
        { "007", QR_INT | QR_DOUBLE, 7, 7 },
        { "1_000_000", QR_INT | QR_DOUBLE, 1000000, 1e6 },
        { "9223372036854775807", QR_INT | QR_DOUBLE, INT64_MAX, 9223372036854775807.0 },
        { "-9223372036854775808", QR_INT | QR_DOUBLE, INT64_MIN, -9223372036854775808.0 },
        { "9223372036854775808", QR_DOUBLE | QR_BIG, 0, 9223372036854775808.0 },
        { "0x1F", QR_INT | QR_DOUBLE, 31, 31 },
        { "-0xff", QR_INT | QR_DOUBLE, -255, -255 },
        { "0xffff_ffff", QR_INT | QR_DOUBLE, 4294967295, 4294967295.0 },
        { "0xffffffffffffffff", QR_DOUBLE | QR_BIG, 0, 18446744073709551615.0 },
        { "1.5", QR_DOUBLE, 0, 1.5 },
        { "1e3", QR_DOUBLE, 0, 1000 },
        { "-2.5e-3", QR_DOUBLE, 0, -0.0025 },
        { "1_0.2_5", QR_DOUBLE, 0, 10.25 },
        { "9007199254740993", QR_INT | QR_DOUBLE, 9007199254740993, 9007199254740992.0 },
        { "", 0, 0, 0 },
        { "-", 0, 0, 0 },
        { "x", 0, 0, 0 },
        { "1x", 0, 0, 0 },
        { "1.", 0, 0, 0 },
        { ".5", 0, 0, 0 },
        { "_1", 0, 0, 0 },
        { "1_", 0, 0, 0 },
        { "1__0", 0, 0, 0 },
        { "0x", 0, 0, 0 },
        { "0xg", 0, 0, 0 },
        { "1e", 0, 0, 0 },
        { "+1", 0, 0, 0 },
        { "1.2.3", 0, 0, 0 },
        { "inf", 0, 0, 0 },
        { "nan", 0, 0, 0 },
        { "--1", 0, 0, 0 },
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        int64_t i = 0;
        double d = 0;
        uint32_t readings = 0;
        bool ok = query_number_read(str_z(cases[k].text), &i, &d, &readings);
        if (ok != (cases[k].readings != 0) || readings != cases[k].readings)
            fail_msg("%s: %d %x", cases[k].text, ok, readings);
        if (readings & QR_INT)
            assert_true(i == cases[k].i);
        if (readings & QR_DOUBLE)
            assert_true(d == cases[k].d);
    }
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        int64_t ns;
    } good[] = {
        { "200ms", 200 * NS_PER_MS },
        { "1m30s", 90 * NS_PER_S },
        { "-5ms", -5 * NS_PER_MS },
        { "+5ms", 5 * NS_PER_MS },
        { "1.5s", 1500 * NS_PER_MS },
        { "0.1us", 100 },
        { "1\xC2\xB5s", 1000 },
        { "1\xCE\xBCs", 1000 },
        { "1h", 3600 * NS_PER_S },
        { "1d", 86400 * NS_PER_S },
        { "1w", 604800 * NS_PER_S },
        { "1_000ns", 1000 },
        { "0s", 0 },
        { "1.9ns", 1 },
        { "9223372036854775807ns", INT64_MAX },
        { "-9223372036854775808ns", INT64_MIN },
        { "2h45m", 9900 * NS_PER_S },
        { "0.000000001s", 1 },
    };
    int64_t ns;
    bool over;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        if (!query_duration_read(str_z(good[i].text), &ns, &over) || over || ns != good[i].ns)
            fail_msg("%s: %lld", good[i].text, (long long)ns);
    }
    static const char *const bad[] = { "",    "5",    "ms", "5x", "5mo",   "5 ms", "1e3s",
                                       "5MS", "1m30", "-",  "m5", "1..5s", "1_s" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(query_duration_read(str_z(bad[i]), &ns, &over));
    static const char *const far[] = { "9223372036854775808ns", "300000w", "99999999999999999999999999999s", "106752d",
                                       "200000d-0" };
    for (size_t i = 0; i < 4; i++)
        assert_true(query_duration_read(str_z(far[i]), &ns, &over) && over);
}

static void test_sizes(void **state)
{
    static const struct {
        const char *text;
        int64_t n;
    } good[] = { { "10kb", 10000 },        { "1.5MiB", 1572864 },    { "7b", 7 },
                 { "2TB", 2000000000000 }, { "-1gib", -1073741824 }, { "0.5kib", 512 } };
    int64_t n;
    bool over;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(query_size_read(str_z(good[i].text), &n, &over) && !over && n == good[i].n);
    assert_true(query_size_read(STR("9999999999tb"), &n, &over) && over);
    static const char *const bad[] = { "", "10", "kb", "10k", "10kbb", "1kb2mb", "10kbit" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(query_size_read(str_z(bad[i]), &n, &over));
}

static int64_t at(const char *text)
{
    int64_t ns = 0;
    assert_true(parse_rfc3339(str_z(text), &ns));
    return ns;
}

static void test_times(void **state)
{
    const struct query_zone *berlin;
    assert_int_equal(query_zone_get(STR("Europe/Berlin"), &berlin), 0);
    int64_t now = at("2026-07-15T10:20:30.5Z"); // Wednesday, 12:20 in Berlin
    static const struct {
        const char *text, *utc, *berlin; // NULL: as in UTC
    } good[] = {
        { "2026-01-01T00:00:05Z", "2026-01-01T00:00:05Z", NULL },
        { "2026-01-01T00:00:05.25+01:00", "2025-12-31T23:00:05.25Z", NULL },
        { "2026-01-01", "2026-01-01T00:00:00Z", "2025-12-31T23:00:00Z" },
        { "now", "2026-07-15T10:20:30.5Z", NULL },
        { "-15m", "2026-07-15T10:05:30.5Z", NULL },
        { "+1h", "2026-07-15T11:20:30.5Z", NULL },
        { "now-1d", "2026-07-14T10:20:30.5Z", NULL },
        { "now/s", "2026-07-15T10:20:30Z", NULL },
        { "now/m", "2026-07-15T10:20:00Z", NULL },
        { "now/h", "2026-07-15T10:00:00Z", NULL },
        { "now/d", "2026-07-15T00:00:00Z", "2026-07-14T22:00:00Z" },
        { "now/w", "2026-07-13T00:00:00Z", "2026-07-12T22:00:00Z" },
        { "now/mo", "2026-07-01T00:00:00Z", "2026-06-30T22:00:00Z" },
        { "-1d/d", "2026-07-14T00:00:00Z", "2026-07-13T22:00:00Z" },
        { "now-1w/w", "2026-07-06T00:00:00Z", "2026-07-05T22:00:00Z" },
    };
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        int64_t ns;
        if (!query_time_read(str_z(good[i].text), now, NULL, &ns) || ns != at(good[i].utc))
            fail_msg("%s in UTC", good[i].text);
        if (!query_time_read(str_z(good[i].text), now, berlin, &ns) ||
            ns != at(good[i].berlin ? good[i].berlin : good[i].utc))
            fail_msg("%s in Berlin", good[i].text);
    }
    static const char *const bad[] = { "",
                                       "15m",
                                       "nowx",
                                       "now/",
                                       "now/y",
                                       "now/x",
                                       "/d",
                                       "now+",
                                       "2026-13-01",
                                       "2026-01-01T00:00:05",
                                       "2026-01-01 00:00:05Z",
                                       "1767225600",
                                       "now-999999999w",
                                       "yesterday",
                                       "-",
                                       "now--1d",
                                       "2026-1-1" };
    int64_t ns;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (query_time_read(str_z(bad[i]), now, NULL, &ns))
            fail_msg("%s is no time", bad[i]);
    assert_true(query_time_param(STR("1767225600"), now, NULL, &ns) && ns == at("2026-01-01T00:00:00Z"));
    assert_true(query_time_param(STR("1767225600123"), now, NULL, &ns) && ns == at("2026-01-01T00:00:00.123Z"));
    assert_true(query_time_param(STR("1767225600123456"), now, NULL, &ns) && ns == at("2026-01-01T00:00:00.123456Z"));
    assert_true(query_time_param(STR("1767225600123456789"), now, NULL, &ns) &&
                ns == at("2026-01-01T00:00:00.123456789Z"));
    assert_true(query_time_param(STR("-1h"), now, NULL, &ns) && ns == at("2026-07-15T09:20:30.5Z"));
    assert_false(query_time_param(STR("12345"), now, NULL, &ns) || query_time_param(STR("-176722560"), now, NULL, &ns));
}

static struct query_literal read_word(const char *raw, enum query_form form)
{
    struct query_ast_value v = { .form = form, .raw = str_z(raw), .pos = { 0, (uint32_t)strlen(raw) } };
    struct query_literal lit;
    struct query_error err;
    int r = query_literal_read(&arena, str_z(raw), &v, 0, NULL, &lit, &err);
    if (r < 0)
        fail_msg("%s: %s", raw, err.message);
    return lit;
}

static void test_readings(void **state)
{
    assert_int_equal(read_word("200", QUERY_WORD).readings, QR_INT | QR_DOUBLE);
    assert_int_equal(read_word("200", QUERY_DQUOTED).readings, 0);
    assert_int_equal(read_word("200", QUERY_SQUOTED).readings, 0);
    assert_int_equal(read_word("\\200", QUERY_WORD).readings, 0);
    assert_int_equal(read_word("-15m", QUERY_WORD).readings, QR_DURATION | QR_TIME);
    assert_int_equal(read_word("10kb", QUERY_WORD).readings, QR_SIZE | QR_INT | QR_DOUBLE);
    assert_int_equal(read_word("true", QUERY_WORD).readings, QR_BOOL);
    assert_int_equal(read_word("warning", QUERY_WORD).readings, QR_LEVEL);
    assert_int_equal(read_word("critical", QUERY_DQUOTED).level_lo, 21);
    assert_int_equal(read_word("999999w", QUERY_WORD).readings, QR_OVER);
    assert_int_equal(read_word("2026-01-01", QUERY_WORD).readings, QR_TIME);
    assert_int_equal(read_word("checkout", QUERY_WORD).readings, 0);
}

static void expect_text(const char *raw, enum query_form form, const char *text, uint32_t pieces)
{
    struct query_literal lit = read_word(raw, form);
    assert_string_equal(lit.text.ptr, text);
    assert_int_equal(lit.wildcard ? lit.wildcard->count : 0, pieces);
}

static void test_escapes(void **state)
{
    expect_text("GET\\ \\*", QUERY_WORD, "GET *", 0);
    expect_text("a*b\\*", QUERY_WORD, "a*b*", 2);
    expect_text("**", QUERY_WORD, "*", 2);
    expect_text("a**b*", QUERY_WORD, "a*b*", 3);
    expect_text("\\\"\\\\\\*\\n\\r\\t\\u{1F600}\\u{e9}", QUERY_DQUOTED, "\"\\*\n\r\t\xF0\x9F\x98\x80é", 0);
    expect_text("GET *", QUERY_DQUOTED, "GET *", 2);
    expect_text("it''s \\n *", QUERY_SQUOTED, "it's \\n *", 0);
    static const struct {
        const char *raw;
        int column;
    } bad[] = { { "ab\\x", 4 },  { "\\u0041", 2 }, { "\\u{110000}", 2 }, { "\\u{d800}", 2 },
                { "é\\u{}", 3 }, { "\\u{12", 2 },  { "\\.", 2 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[32] = "\"";
        strcat(text, bad[i].raw);
        struct query_ast_value v = { .form = QUERY_DQUOTED,
                                     .raw = str_z(bad[i].raw),
                                     .pos = { 0, (uint32_t)strlen(text) } };
        struct query_literal lit;
        struct query_error err;
        assert_int_equal(query_literal_read(&arena, str_z(text), &v, 0, NULL, &lit, &err), ERR_INVALID);
        assert_int_equal(err.code, QUERY_E_BAD_ESCAPE);
        assert_int_equal(err.column, bad[i].column);
    }
}

static void test_patterns(void **state)
{
    struct query_ast_value v = { .form = QUERY_DQUOTED, .raw = STR("a\\\"\\d\\\\\\\"(b"), .pos = { 10, 20 } };
    str p;
    assert_int_equal(query_pattern_read(&arena, &v, &p, NULL), 0);
    assert_true(str_eq(p, STR("a\"\\d\\\\\"(b")));
    // Each byte of the pattern stands where the text has it.
    static const size_t places[] = { 0, 2, 3, 4, 5, 6, 8, 9, 10 };
    for (size_t i = 0; i < p.len; i++)
        if (p.ptr[i] != '"' && i != 1 && query_pattern_offset(&v, i) != 11 + places[i] + (i == 1))
            assert_true(v.raw.ptr[query_pattern_offset(&v, i) - 11] == p.ptr[i]);
    v = (struct query_ast_value){ .form = QUERY_SQUOTED, .raw = STR("it''s(") };
    assert_int_equal(query_pattern_read(&arena, &v, &p, NULL), 0);
    assert_true(str_eq(p, STR("it's(")));
    assert_int_equal(query_pattern_offset(&v, 4), 1 + 5);
}

static void test_ids(void **state)
{
    uint8_t id[16], n;
    assert_true(query_id_read(STR("0AF76519-16cd-43dd-8448-eb211c80319c"), id, &n) && n == 32 && id[0] == 0x0a &&
                id[15] == 0x9c);
    assert_true(query_id_read(STR("0af"), id, &n) && n == 3 && id[1] == 0xf0);
    assert_false(query_id_read(STR("s2"), id, &n) || query_id_read(STR("0af7651916cd43dd8448eb211c80319c0"), id, &n));
}

static bool wild(const char *raw, str value)
{
    struct query_literal lit = read_word(raw, QUERY_DQUOTED);
    assert_non_null(lit.wildcard);
    return query_wildcard_match(lit.wildcard, value);
}

static void test_wildcards(void **state)
{
    assert_true(wild("GET *", STR("GET /cart")) && wild("GET *", STR("GET ")) && wild("*", STR("")));
    assert_false(wild("GET *", STR("GET")) || wild("GET *", STR("xGET y")));
    assert_true(wild("*cart", STR("GET /cart")) && wild("a*b*c", STR("abc")) && wild("a*b*c", STR("axxbyybzzc")));
    assert_false(wild("a*b*c", STR("acb")) || wild("ab*ba", STR("aba")) || wild("*x*", STR("abc")));
    assert_true(wild("*ab*ab*", STR("aabab")) && wild("*\n*", STR("a\nb")) && wild("a*\\**z", STR("a*z")));
    assert_false(wild("a*\\**z", STR("abz")));
}

static void expect_written(void (*put)(struct buf *, str), const char *text, const char *want)
{
    struct buf b;
    buf_init(&b, 1024);
    put(&b, str_z(text));
    buf_byte(&b, 0);
    assert_string_equal(b.ptr, want);
    buf_free(&b);
}

static void test_written_for_queries(void **state)
{
    expect_written(query_put_literal, "GET *", "'GET *'");
    expect_written(query_put_literal, "o'clock | limit 1", "'o''clock | limit 1'");
    expect_written(query_put_literal, "", "''");
    expect_written(query_put_value, "checkout-2", "checkout-2");
    // What could be a number, a wildcard, an operator, or nothing at all is quoted.
    expect_written(query_put_value, "2-checkout", "'2-checkout'");
    expect_written(query_put_value, "a*", "'a*'");
    expect_written(query_put_value, "a.b", "'a.b'");
    expect_written(query_put_value, "it's", "'it''s'");
    expect_written(query_put_value, "", "''");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_numbers),   cmocka_unit_test(test_durations),
                                        cmocka_unit_test(test_sizes),     cmocka_unit_test(test_times),
                                        cmocka_unit_test(test_readings),  cmocka_unit_test(test_escapes),
                                        cmocka_unit_test(test_patterns),  cmocka_unit_test(test_ids),
                                        cmocka_unit_test(test_wildcards), cmocka_unit_test(test_written_for_queries) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
