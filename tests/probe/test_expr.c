// The language as people write it: what it means, and what it says when it does not.
#include "base/must.h"
#include "expr_run.h"
#include "probe/expr.h"
#include "probe/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char target[] =
    "{\"i\":7,\"n\":-3,\"f\":2.5,\"s\":\"Grüße\",\"t\":true,\"no\":null,\"big\":123456789012345678901234567890,"
    "\"max\":9223372036854775807,\"b\":{\"$bytes\":\"ab\"},\"xs\":[3,1,2],\"none\":[],\"names\":[\"b\",\"a\"],"
    "\"order\":{\"$type\":\"Order\",\"id\":1001,\"total\":129.5,\"password\":\"$redacted\",\"note\":null,"
    "\"items\":[{\"$type\":\"Item\",\"price\":100,\"sku\":\"A-1\"},{\"$type\":\"Item\",\"price\":29.5,\"sku\":\"B-2\"}]"
    "},"
    "\"headers\":{\"host\":\"a.example\",\"x-id\":\"17\"},\"odd name\":1,\"and1\":1,\"broken\":\"$unreadable\","
    "\"later\":\"$uninitialized\",\"gone\":\"$optimized_out\",\"mixed\":[1,\"a\",null],\"hidden\":[1,\"$redacted\"],"
    "\"@hit\":3,\"@duration\":12000000,\"@trace.id\":\"0af7\",\"@exception\":{\"$type\":\"KeyError\",\"key\":\"k\"},"
    "\"@static\":{\"Config\":{\"$type\":\"Config\",\"debug\":true}}}";

static const struct {
    const char *text, *result;
} cases[] = {
    // literals and units
    { "1", "1" },
    { "-9223372036854775807", "-9223372036854775807" },
    { "9223372036854775808", "9223372036854776000.0" },
    { "-9_223_372_036_854_775_808", "-9223372036854775808" },
    { "-9223372036854775809", "-9223372036854776000.0" },
    { "- -9223372036854775808", "9223372036854776000.0" },
    { "0xff", "255" },
    { "1_000", "1000" },
    { "1.5e3", "1500.0" },
    { "10ms", "10000000" },
    { "1m30s", "90000000000" },
    { "1.5ms", "1500000" },
    { "2kb", "2000" },
    { "1MiB", "1048576" },
    { "'it''s'", "\"it's\"" },
    { "\"a\\n\\u{e9}\\\"\"", "\"a\\né\\\"\"" },
    { "None", "null" },
    { "True", "true" },
    { "undefined", "null" },
    // names and paths
    { "order.items[1].price", "29.5" },
    { "order->total", "129.5" },
    { "`odd name`", "1" },
    { "headers['x-id']", "\"17\"" },
    { "headers.host", "\"a.example\"" },
    { "xs[-1]", "2" },
    { "s[2]", "\"ü\"" },
    { "b[1]", "98" },
    { "@hit", "3" },
    { "@trace.id", "\"0af7\"" },
    { "@exception.key", "\"k\"" },
    { "@static(Config).debug", "true" },
    { "and1", "1" },
    // what is not there
    { "nothing", "fault missing: `nothing` is missing" },
    { "order.nothing", "fault missing: `order.nothing` is missing" },
    { "order.note.x", "fault null: `order.note.x` is read from null" },
    { "xs[3]", "fault range: `xs[3]` is beyond the end" },
    { "later", "fault uninitialized: `later` has no value yet" },
    { "gone == 1", "fault optimized_out: `gone` was optimised away" },
    { "broken || true", "fault unreadable: `broken` cannot be read" },
    { "true || broken", "true" },
    { "@return", "fault missing: `@return` is missing" },
    { "order?.nothing", "null" },
    { "order.note?.x", "null" },
    { "order.note?.x.y", "fault null: `order.note?.x.y` is read from null" },
    { "no?[0]", "null" },
    { "xs?[9]", "null" },
    { "has(order.total)", "true" },
    { "has(order.nothing)", "false" },
    { "has(order.note.x.y)", "false" },
    { "has(nothing)", "false" },
    { "has(xs[3])", "false" },
    { "has(order.note)", "true" },
    { "has(later)", "false" },
    // no oracle: nothing can be asked of what is redacted
    { "order.password == 'x'", "fault redacted: `order.password` is redacted" },
    { "has(order.password)", "fault redacted: `order.password` is redacted" },
    { "order?.password == null", "fault redacted: `order?.password` is redacted" },
    { "1 in hidden", "true" }, // found before
    { "2 in hidden", "fault redacted: `2 in hidden` is redacted" },
    { "count(hidden, x => true)", "fault redacted: `count(hidden, x => true)` is redacted" },
    // arithmetic
    { "1 + 2 * 3 - 4", "3" },
    { "7 / 2", "3.5" },
    { "int(7 / 2)", "3" },
    { "int(-7 / 2)", "-3" },
    { "-7 % 3", "-1" },
    { "7 % -3", "1" },
    { "7.5 % 2", "1.5" },
    { "-7.5 % 2", "-1.5" },
    { "255.0 % 5e-324", "0.0" },
    { "-7 % 3e-323", "-2e-323" },
    { "1e308 % 1.1e-310", "3.1705714152285e-311" },
    { "1e300 % 0.7", "0.3790560774266656" },
    { "max + 1", "9223372036854776000.0" },
    { "max * 2", "18446744073709552000.0" },
    { "max - 1 + 1 == max", "true" },
    { "-(-max - 1)", "9223372036854776000.0" },
    { "(-max - 1) % -1", "0" },
    { "i / 0", "fault zero: `i / 0` divides by zero" },
    { "i % 0.0", "fault zero: `i % 0.0` divides by zero" },
    { "s + '!'", "\"Grüße!\"" },
    { "s + i", "fault type: `s + i` has operands of the wrong type" },
    { "t + 1", "fault type: `t + 1` has operands of the wrong type" },
    // comparison
    { "i == 7.0", "true" },
    { "9007199254740993 == 9007199254740992.0", "false" },
    { "max < 9223372036854775808.0", "true" },
    { "big > max", "true" },
    { "big != 5", "true" },
    { "big == big", "fault unsupported: `big == big` is not supported for this value" },
    { "big > 1e10", "true" },
    { "s == 7", "false" },
    { "i == s", "false" },
    { "t == 1", "false" },
    { "no == null", "true" },
    { "i = 7 and not i <> 7", "error" },
    { "i = 7 and f == 2.5 or nothing", "true" },
    { "not i == 7", "false" },
    { "'a' < 'b'", "true" },
    { "'a' < 7", "error" },
    { "i < s", "fault type: `i < s` has operands of the wrong type" },
    { "order == order", "true" },
    { "order.items[0] == order.items[1]", "false" },
    { "order != null", "true" },
    { "i && t", "fault not_bool: `i` is not true or false" },
    { "t ? i : s", "7" },
    { "no ? 1 : 2", "fault not_bool: `no` is not true or false" },
    { "i > 5 ? i > 6 ? 'c' : 'b' : 'a'", "\"c\"" },
    // in, matches, texts
    { "i in [1, 7]", "true" },
    { "i not in [1, 7]", "false" },
    { "i in []", "false" },
    { "1 in xs", "true" },
    { "'a' in names", "true" },
    { "'host' in headers", "true" },
    { "'total' in order", "true" },
    { "'rüß' in s", "true" },
    { "i in 5", "error" },
    { "s matches '^Gr..e$'", "true" },
    { "s =~ \"^\\w\"", "true" },
    { "s !~ '(?i)GRÜSS'", "true" },
    { "s not matches 'x'", "true" },
    { "i matches '7'", "fault type: `i matches '7'` has operands of the wrong type" },
    { "len(s)", "5" },
    { "len(xs)", "3" },
    { "len(b)", "2" },
    { "len(order.items)", "2" },
    { "len(i)", "fault type: `len(i)` has operands of the wrong type" },
    { "empty(none)", "true" },
    { "empty(no)", "true" },
    { "empty(s)", "false" },
    { "type(order)", "\"Order\"" },
    { "type(i) + type(f) + type(no)", "\"intfloatnull\"" },
    { "type(1) + type(i == 7) + type(keys(headers)) + type(null)", "\"intboollistnull\"" },
    { "str(i) + str(t)", "\"7true\"" },
    { "str(f)", "fault unsupported: `str(f)` is not supported for this value" },
    { "int(' -12 ')", "-12" },
    { "int('12x')", "fault unsupported: `int('12x')` is not supported for this value" },
    { "int(2.9)", "2" },
    { "lower('ABC') == 'abc'", "true" },
    { "starts(s, 'Gr') && ends(s, 'ße') && contains(s, 'ü')", "true" },
    { "contains(xs, 4)", "false" },
    { "contains(nothing, broken)", "fault missing: `nothing` is missing" }, // the first, as it is written
    { "contains(broken, nothing)", "fault unreadable: `broken` cannot be read" },
    { "count(s)", "fault type: `count(s)` has operands of the wrong type" },
    { "count(b)", "fault type: `count(b)` has operands of the wrong type" },
    { "hex(255)", "\"0xff\"" },
    { "hex(b)", "\"6162\"" },
    // loops
    { "any(order.items, x => x.price > 50)", "true" },
    { "all(order.items, x => x.price > 50)", "false" },
    { "any(none, x => broken)", "false" },
    { "all(none, x => broken)", "true" },
    { "count(xs)", "3" },
    { "count(xs, x => x >= 2)", "2" },
    { "filter(xs, x => x != 1)", "[3,2]" },
    { "map(order.items, x => x.sku)", "[\"A-1\",\"B-2\"]" },
    { "max(order.items, x => x.price)", "100" },
    { "min(xs)", "1" },
    { "max(xs)", "3" },
    { "min(none)", "null" },
    { "min(i, n, f)", "-3" },
    { "max(names)", "\"b\"" },
    { "max(mixed)", "fault type: `max(mixed)` has operands of the wrong type" },
    { "keys(headers)", "[\"host\",\"x-id\"]" },
    { "any(headers, (k, v) => k == 'host' && v matches 'example$')", "true" },
    { "count(headers, v => len(v) == 2)", "1" },
    { "filter(names, (k, v) => k > 0)", "[\"a\"]" },
    { "any(xs, x => any(order.items, y => y.price == x * 50))", "true" },
    { "map(filter(xs, x => x > 1), x => x * x)", "[9,4]" },
    { "map(xs, x => x)[1] + len(map(xs, x => x))", "4" },
    { "2 in map(xs, x => x + 1)", "true" },
    { "any(xs, x => x)", "fault not_bool: `x` is not true or false" },
    { "all(i, x => true)", "fault type: `all(i, x => true)` has operands of the wrong type" },
    { "any(xs, i => i == 3) && i == 7", "true" }, // a parameter hides a name, inside alone
};

static void check_case(const char *text, const char *expected)
{
    struct buf out;
    char got[512];
    buf_init(&out, 65536);
    expr_run(str_z(text), str_z(target), NULL, &out);
    snprintf(got, sizeof got, "%.*s", (int)out.len, (const char *)out.ptr);
    buf_free(&out);
    if (strncmp(expected, "error", 5) == 0) {
        if (strncmp(got, "error", 5) != 0)
            print_error("%s\n", text);
        assert_memory_equal(got, "error", 5);
        return;
    }
    if (strcmp(got, expected) != 0)
        print_error("%s\n", text);
    assert_string_equal(got, expected);
}

static void means(void **state)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(cases[i].text, cases[i].result);
}

static const struct {
    const char *text, *slug;
    int column;
} errors[] = {
    { "", "syntax", 1 },
    { "1 +", "syntax", 4 },
    { "(a", "unclosed", 1 },
    { "'abc", "unclosed", 1 },
    { "\"a\\q\"", "bad_escape", 3 },
    { "10x", "bad_number", 1 },
    { "1e999", "bad_number", 1 },
    { "010", "bad_number", 1 },
    { "99999999999d", "bad_number", 1 },
    { "a b", "syntax", 3 },
    { "1 < x < 3", "syntax", 7 },
    { "foo(1)", "unknown_function", 1 },
    { "order.total()", "unknown_function", 7 },
    { "any(xs)", "bad_argument", 1 },
    { "len(a, b)", "bad_argument", 1 },
    { "len()", "bad_argument", 1 },
    { "any(xs, x => x + 1)", "type_mismatch", 14 },
    { "len(a, x => x)", "bad_argument", 1 },
    { "has(1 + 2)", "bad_argument", 5 },
    { "any(xs, (x, x) => x)", "bad_argument", 1 },
    { "@nothing", "unknown_name", 1 },
    { "@frame(x).y", "syntax", 8 },
    { "@frame(1)", "syntax", 10 },
    { "1 == 'a'", "type_mismatch", 1 },
    { "!5", "type_mismatch", 2 },
    { "1 && a", "type_mismatch", 1 },
    { "'a' - 1", "type_mismatch", 1 },
    { "'ä' + 1", "type_mismatch", 7 },
    { "x in [1, 'a'] && 1 in ['a']", "type_mismatch", 24 },
    { "x matches y", "syntax", 11 },
    { "x matches '(a'", "bad_regex", 1 },
    { "x matches '(?=a)'", "bad_regex", 1 },
    { "x matches '(a{500}){500}'", "regex_too_big", 1 },
    { "[1, 2]", "syntax", 1 },
    { "x ** 2", "syntax", 3 },
    { "5.x", "type_mismatch", 1 },
    { "1.5.x", "type_mismatch", 1 },
    { "a ? b", "syntax", 6 },
    { "any(xs, x => changed(x))", "bad_argument", 14 },
    { "a = = b", "syntax", 5 },
    { "len(true)", "type_mismatch", 5 },
    { "\xff", "syntax", 1 },
    { "s == 'a\xcf\xcf'", "syntax", 8 },
};

static void refuses(void **state)
{
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        struct arena arena;
        struct probe_expr *e;
        struct err err = { 0 };
        arena_init(&arena, 1 << 20);
        int r = probe_expr_parse(str_z(errors[i].text), &arena, &e, &err);
        if (r == 0 || strcmp(err.slug, errors[i].slug) != 0 || err.column != errors[i].column)
            print_error("%s: %d %s %d %s\n", errors[i].text, r, err.slug, err.column, err.message);
        assert_true(r < 0);
        assert_string_equal(err.slug, errors[i].slug);
        assert_int_equal(err.column, errors[i].column);
        assert_int_equal(err.code, r);
        arena_free(&arena);
    }
}

static int parse(const char *text, bool condition, enum probe_type *ret_type)
{
    struct arena arena;
    struct probe_expr *e;
    arena_init(&arena, 1 << 20);
    int r = (condition ? probe_condition_parse : probe_expr_parse)(str_z(text), &arena, &e, NULL);
    if (r == 0)
        *ret_type = e->type;
    arena_free(&arena);
    return r;
}

static void types(void **state)
{
    static const struct {
        const char *text;
        enum probe_type type;
    } known[] = { { "a", PROBE_TYPE_ANY },
                  { "a > 1", PROBE_TYPE_BOOL },
                  { "1", PROBE_TYPE_INT },
                  { "a + 1", PROBE_TYPE_NUMBER },
                  { "a / 2", PROBE_TYPE_FLOAT },
                  { "a + 'x'", PROBE_TYPE_STR },
                  { "map(a, x => x)", PROBE_TYPE_LIST },
                  { "@duration", PROBE_TYPE_INT },
                  { "a ? 1 : 2", PROBE_TYPE_INT },
                  { "a ? 1 : 'x'", PROBE_TYPE_ANY } };
    enum probe_type type = PROBE_TYPES;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        assert_int_equal(parse(known[i].text, false, &type), 0);
        assert_int_equal(type, known[i].type);
    }
    assert_int_equal(parse("a > 1", true, &type), 0);
    assert_int_equal(parse("a.flag", true, &type), 0);
    assert_int_equal(parse("a + 1", true, &type), ERR_INVALID);
}

// One bomb each: what is too long, too deep, too many, too slow.
static void bombs(void **state)
{
    char text[2048];
    size_t n = 0;
    enum probe_type type;
    memset(text, '(', 1000), text[1000] = 0;
    assert_int_equal(parse(text, false, &type), ERR_LIMIT);
    memset(text, '-', 1000);
    for (size_t i = 1; i < 1000; i += 2)
        text[i] = ' ';
    assert_int_equal(parse(text, false, &type), ERR_LIMIT);
    memset(text, '!', 1000);
    assert_int_equal(parse(text, false, &type), ERR_LIMIT);
    memset(text, 'a', 1025), text[1025] = 0;
    assert_int_equal(parse(text, false, &type), ERR_LIMIT);
    for (int i = 0; i < 33; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%sa", i ? "+" : "");
    assert_int_equal(parse(text, false, &type), ERR_LIMIT);
    for (n = 0; n < 126; n += 2)
        memcpy(text + n, ".x", 2);
    text[0] = 'a', text[n] = 0;
    assert_int_equal(parse(text, false, &type), ERR_LIMIT);
    assert_int_equal(parse("any(a, b => any(b, c => any(c, d => any(d, e => true))))", false, &type), ERR_LIMIT);
    assert_int_equal(parse("any(a, b => any(b, c => any(c, d => d)))", false, &type), 0);
    assert_int_equal(parse("x matches '(((((a{10}){10}){10}){10}){10}){10}'", false, &type), ERR_LIMIT);
    assert_int_equal(parse("x matches '((((((){1000}){1000}){1000}){1000}){1000}){1000}'", false, &type), ERR_LIMIT);
    // Many times many: ends by steps, not by time.
    struct buf target_text, out;
    buf_init(&target_text, 4 << 20);
    buf_init(&out, 1 << 20);
    buf_str(&target_text, STR("{\"xs\":[0"));
    for (int i = 1; i < 300; i++)
        buf_printf(&target_text, ",%d", i);
    buf_str(&target_text, STR("]}"));
    expr_run(STR("any(xs, x => any(xs, y => any(xs, z => x + y + z < 0)))"), buf_view(&target_text), NULL, &out);
    assert_true(str_starts(buf_view(&out), STR("fault steps")));
    buf_clear(&target_text);
    buf_str(&target_text, STR("{\"s\":\""));
    for (int i = 0; i < 100000; i++)
        buf_byte(&target_text, 'a');
    buf_str(&target_text, STR("\"}"));
    expr_run(STR("s matches '(a*)*b'"), buf_view(&target_text), NULL, &out);
    assert_true(str_starts(buf_view(&out), STR("fault steps")));
    expr_run(STR("len(s + s)"), buf_view(&target_text), NULL, &out);
    assert_true(str_starts(buf_view(&out), STR("fault space")));
    // What it does with a text that is a million bytes long costs steps by its length, also where it finds nothing.
    buf_clear(&target_text);
    buf_str(&target_text, STR("{\"s\":\""));
    for (int i = 0; i < 2000000; i++)
        buf_byte(&target_text, i % 2 ? ' ' : '0');
    buf_str(&target_text, STR("\"}"));
    expr_run(STR("int(s) == 1"), buf_view(&target_text), NULL, &out);
    assert_true(str_starts(buf_view(&out), STR("fault steps")));
    expr_run(STR("s < s"), buf_view(&target_text), NULL, &out);
    assert_true(str_starts(buf_view(&out), STR("fault steps")));
    // A list that is made grows where it lies, so that the memory is enough for what is promised.
    buf_clear(&target_text);
    buf_str(&target_text, STR("{\"xs\":[0"));
    for (int i = 1; i < 2000; i++)
        buf_str(&target_text, STR(",1"));
    buf_str(&target_text, STR("]}"));
    expr_run(STR("count(map(xs, x => x))"), buf_view(&target_text), NULL, &out);
    assert_true(str_eq(buf_view(&out), STR("2000")));
    // A remainder is divided for a while when the exponents lie far apart.
    expr_run(STR("count(xs, x => 1e308 % 5e-324 == 0)"), buf_view(&target_text), NULL, &out);
    assert_true(str_starts(buf_view(&out), STR("fault steps")));
    buf_free(&target_text);
    buf_free(&out);
}

static void changes(void **state)
{
    static const struct {
        const char *target, *result;
    } hits[] = { { "{\"x\":1,\"s\":\"a\"}", "false" },   { "{\"x\":1,\"s\":\"a\"}", "false" },
                 { "{\"x\":2,\"s\":\"a\"}", "true" },    { "{\"x\":2,\"s\":\"a\"}", "false" },
                 { "{\"x\":2,\"s\":\"ab\"}", "true" },   { "{\"x\":null,\"s\":\"ab\"}", "true" },
                 { "{\"x\":2.0,\"s\":\"ab\"}", "true" }, { "{\"x\":2,\"s\":\"ab\"}", "false" },
                 { "{\"x\":2.5,\"s\":\"ab\"}", "true" } };
    uint64_t words[2] = { 0 };
    struct buf out;
    buf_init(&out, 4096);
    for (size_t i = 0; i < sizeof hits / sizeof *hits; i++) {
        expr_run(STR("[changed(x), changed(s)]"), STR("{}"), words, &out);
        assert_true(str_starts(buf_view(&out), STR("error")));
        // Both are looked at whatever the first says.
        expr_run(STR("(changed(x) ? 1 : 0) + (changed(s) ? 1 : 0) > 0"), str_z(hits[i].target), words, &out);
        assert_true(str_eq(buf_view(&out), str_z(hits[i].result)));
    }
    buf_free(&out);
}

static void frames(void **state)
{
    struct buf out;
    buf_init(&out, 4096);
    str deep = STR("{\"vars\":{\"x\":1},\"callers\":[{\"x\":2},{\"x\":3}]}");
    expr_run(STR("@frame(0).x + @frame(2).x * 10"), deep, NULL, &out);
    assert_true(str_eq(buf_view(&out), STR("31")));
    expr_run(STR("has(@frame(3).x)"), deep, NULL, &out);
    assert_true(str_eq(buf_view(&out), STR("false")));
    buf_free(&out);
}

static void hostile_trees(void **state)
{
    static const char *const bad[] = { "{}",
                                       "[]",
                                       "1",
                                       "null",
                                       "{\"op\":\"+\",\"args\":[]}",
                                       "{\"op\":\"+\",\"args\":[{\"int\":\"1\"}]}",
                                       "{\"op\":\"^\",\"args\":[{\"int\":\"1\"},{\"int\":\"1\"}]}",
                                       "{\"op\":\"\",\"args\":[]}",
                                       "{\"int\":1}",
                                       "{\"int\":\"9223372036854775808\"}",
                                       "{\"value\":[]}",
                                       "{\"name\":\"\"}",
                                       "{\"name\":5}",
                                       "{\"param\":\"x\"}",
                                       "{\"special\":\"nothing\"}",
                                       "{\"frame\":-1,\"name\":\"x\"}",
                                       "{\"frame\":128,\"name\":\"x\"}",
                                       "{\"call\":\"eval\",\"args\":[]}",
                                       "{\"call\":\"any\",\"args\":[{\"name\":\"a\"},{\"name\":\"b\"}]}",
                                       "{\"call\":\"any\",\"args\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"params\":[1]}",
                                       "{\"call\":\"len\",\"args\":[{\"list\":[]}]}",
                                       "{\"list\":[]}",
                                       "{\"op\":\"!\",\"args\":[{\"list\":[]}]}",
                                       "{\"matches\":\"(\",\"of\":{\"name\":\"a\"}}",
                                       "{\"field\":\"x\"}" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct arena arena;
        const struct json_node *tree;
        struct probe_expr *e;
        struct err err = { 0 };
        arena_init(&arena, 1 << 20);
        assert_int_equal(json_tree_read(str_z(bad[i]), &arena, 64, &tree, NULL), 0);
        int r = probe_expr_read(tree, STR("x"), &arena, &e, &err);
        if (r == 0)
            print_error("%s\n", bad[i]);
        assert_true(r < 0 && err.slug[0]);
        arena_free(&arena);
    }
}

static void template_of(const char *text, const char *expected)
{
    struct arena arena;
    struct probe_template t;
    struct err err = { 0 };
    char got[512];
    size_t n = 0;
    arena_init(&arena, 1 << 20);
    int r = probe_template_parse(str_z(text), &arena, &t, &err);
    if (r)
        n = (size_t)snprintf(got, sizeof got, "%s %d", err.slug, err.column);
    else
        got[0] = 0;
    for (size_t i = 0; r == 0 && i < t.n_parts; i++)
        n += (size_t)snprintf(got + n, sizeof got - n, t.parts[i].expr ? "<%.*s>" : "[%.*s]",
                              STR_ARG(t.parts[i].expr ? t.parts[i].expr->text : t.parts[i].text));
    assert_string_equal(got, expected);
    arena_free(&arena);
}

static void templates(void **state)
{
    template_of("order {order.id} of { name }", "[order ]<order.id>[ of ]<name>");
    template_of("{{}} {a}{b}", "[{} ]<a><b>");
    template_of("", "");
    template_of("{x in ['}', \"\\\"}\"]}!", "<x in ['}', \"\\\"}\"]>[!]");
    template_of("ä {", "unclosed 3");
    template_of("ä }", "syntax 3");
    template_of("ä {}", "syntax 3");
    template_of("ä { 1 + }", "syntax 8");
    template_of("ä {a b}", "syntax 6");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(means),         cmocka_unit_test(refuses),
                                        cmocka_unit_test(types),         cmocka_unit_test(bombs),
                                        cmocka_unit_test(changes),       cmocka_unit_test(frames),
                                        cmocka_unit_test(hostile_trees), cmocka_unit_test(templates) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
