#include "base/json.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

// Walks a whole document; text of every token into out.
static int walk(str text, char *out, size_t out_size, struct json_reader *ret_r)
{
    static const char *const marks[] = { "$", "{", "}", "[", "]", "k:", "s:", "n:", "true", "false", "null" };
    struct arena a;
    arena_init(&a, 1 << 20);
    struct json_reader r;
    struct json_token t;
    size_t n = 0;
    int rc;
    json_reader_init(&r, text, &a, 8);
    out[0] = 0;
    while ((rc = json_next(&r, &t)) == 0) {
        bool has_text = t.type == JSON_KEY || t.type == JSON_STRING || t.type == JSON_NUMBER;
        str text_of = has_text ? t.text : (str){ "", 0 };
        n += (size_t)snprintf(out + n, out_size - n, "%s%.*s ", marks[t.type], STR_ARG(text_of));
        if (t.type == JSON_END)
            break;
    }
    arena_free(&a);
    if (ret_r)
        *ret_r = r;
    return rc;
}

static void expect_tokens(const char *json, const char *tokens)
{
    char out[512];
    int rc = walk(str_z(json), out, sizeof out, NULL);
    if (rc < 0)
        fail_msg("%s: %s", json, err_text(rc));
    assert_string_equal(out, tokens);
}

static void expect_error(const char *json, size_t len, int code)
{
    // An own allocation of exactly this length: the sanitizer sees any read past the end.
    char *p = mem_dup(json, len), out[512];
    int rc = walk((str){ p, len }, out, sizeof out, NULL);
    mem_free(p);
    if (rc != code)
        fail_msg("%s: got %d (%s), expected %d", json, rc, err_text(rc), code);
}

#define MALFORMED(json) expect_error(json, sizeof(json) - 1, ERR_MALFORMED)
#define TRUNCATED(json) expect_error(json, sizeof(json) - 1, ERR_TRUNCATED)

static void test_tokens(void **state)
{
    expect_tokens("{\"a\":[1,-2.5e+3,\"x\"],\"b\":{}, \"c\" : null}\n",
                  "{ k:a [ n:1 n:-2.5e+3 s:x ] k:b { } k:c null } $ ");
    expect_tokens(" true ", "true $ ");
    expect_tokens("[[],[false]]", "[ [ ] [ false ] ] $ ");
    expect_tokens("\"\\u0041\\n\\/\\\\\\\"\\b\\f\\r\\t\"", "s:A\n/\\\"\b\f\r\t $ ");
    expect_tokens("\"\\ud83d\\ude00\"", "s:\xf0\x9f\x98\x80 $ ");
    expect_tokens("\"12345678\xc3\xa9 and more than eight\"", "s:12345678\xc3\xa9 and more than eight $ ");
    expect_tokens("0", "n:0 $ ");
    expect_tokens("-0", "n:-0 $ ");
    expect_tokens("1E5", "n:1E5 $ ");
}

static void test_malformed(void **state)
{
    MALFORMED("{,}");
    MALFORMED("[1,]");
    MALFORMED("{\"a\":1,}");
    MALFORMED("{\"a\" 1}");
    MALFORMED("{a:1}");
    MALFORMED("{1:1}");
    MALFORMED("[1 2]");
    MALFORMED("[1}");
    MALFORMED("{\"a\":1]");
    MALFORMED("01");
    MALFORMED("+1");
    MALFORMED("1.");
    MALFORMED(".5");
    MALFORMED("1e");
    MALFORMED("-");
    MALFORMED("NaN");
    MALFORMED("nul1");
    MALFORMED("truex");
    MALFORMED("'a'");
    MALFORMED("\"\\x\"");
    MALFORMED("\"\\u12g4\"");
    MALFORMED("\"a\nb\"");
    MALFORMED("\"a\0b\"");
    MALFORMED("1 2");
    MALFORMED("{} {}");
    MALFORMED("]");
    MALFORMED("// no\n1");
    MALFORMED("\"\xff\"");
    MALFORMED("\"\xc0\x80\"");
    MALFORMED("\"\xed\xa0\x80\"");
    MALFORMED("\xef\xbb\xbf{}"); // a byte order mark is no white space
    TRUNCATED("");
    TRUNCATED("  ");
    TRUNCATED("[");
    TRUNCATED("[1");
    TRUNCATED("[1,");
    TRUNCATED("{\"a");
    TRUNCATED("{\"a\"");
    TRUNCATED("{\"a\":");
    TRUNCATED("{\"a\":1");
    TRUNCATED("tru");
    TRUNCATED("\"\\");
    TRUNCATED("\"\\u00");
}

static void test_every_prefix_is_refused(void **state)
{
    static const char text[] = "{\"key\":[1.5e3,\"a\\u00e9\xc3\xa9\\\\\",{\"b\":null},true,false,[]],\"x\":{}}";
    for (size_t n = 0; n < sizeof text - 1; n++) {
        char *p = mem_dup(text, n), out[512];
        assert_true(walk((str){ p, n }, out, sizeof out, NULL) < 0);
        mem_free(p);
    }
}

static void test_depth(void **state)
{
    char out[512];
    assert_int_equal(walk(STR("[[[[[[[[1]]]]]]]]"), out, sizeof out, NULL), 0);
    assert_int_equal(walk(STR("[[[[[[[[[1]]]]]]]]]"), out, sizeof out, NULL), ERR_LIMIT);
    assert_int_equal(walk(STR("{\"a\":[{\"a\":[{\"a\":[{\"a\":[[]]}]}]}]}"), out, sizeof out, NULL), ERR_LIMIT);
}

static void test_zero_copy_and_lossy(void **state)
{
    str text = STR("[\"plain\",\"\\ud800x\"]");
    struct arena a;
    arena_init(&a, 1 << 16);
    struct json_reader r;
    json_reader_init(&r, text, &a, 4);
    str s;
    assert_int_equal(json_array(&r), 0);
    assert_int_equal(json_element(&r), 1);
    assert_int_equal(json_text(&r, &s), 0);
    assert_ptr_equal(s.ptr, text.ptr + 2);
    assert_int_equal(json_element(&r), 1);
    assert_int_equal(json_text(&r, &s), 0);
    assert_true(str_eq(s, STR("\xef\xbf\xbdx")));
    assert_int_equal(r.lossy, 1);
    assert_int_equal(json_element(&r), 0);
    assert_int_equal(json_done(&r), 0);
    arena_free(&a);
}

static void test_walk_known_shape(void **state)
{
    str text = STR(
        "{\"n\":12,\"d\":0.5,\"skip\":{\"x\":[1,2,{\"y\":\"\\\"\"}]},\"b\":true,\"l\":[1,2,3],\"z\":null,\"e\":[]}");
    struct json_reader r;
    str name, raw = { 0 };
    int64_t i = 0, sum = 0;
    double d = 0;
    bool b = false, z = false;
    int rc;
    struct arena a;
    arena_init(&a, 4096 * 4);
    json_reader_init(&r, text, &a, 8);
    assert_int_equal(json_object(&r), 0);
    while ((rc = json_member(&r, &name)) == 1)
        if (str_eq(name, STR("n")))
            assert_int_equal(json_int(&r, &i), 0);
        else if (str_eq(name, STR("d")))
            assert_int_equal(json_double(&r, &d), 0);
        else if (str_eq(name, STR("b")))
            assert_int_equal(json_bool(&r, &b), 0);
        else if (str_eq(name, STR("z")))
            z = json_null(&r);
        else if (str_eq(name, STR("l")) || str_eq(name, STR("e"))) {
            assert_int_equal(json_array(&r), 0);
            while ((rc = json_element(&r)) == 1) {
                int64_t x;
                assert_int_equal(json_int(&r, &x), 0);
                sum += x;
            }
            assert_int_equal(rc, 0);
        } else {
            assert_int_equal(json_skip(&r, &raw), 0);
        }
    assert_int_equal(rc, 0);
    assert_int_equal(json_done(&r), 0);
    assert_int_equal(i, 12);
    assert_true(d == 0.5 && b && z && sum == 6);
    assert_true(str_eq(raw, STR("{\"x\":[1,2,{\"y\":\"\\\"\"}]}")));
    arena_free(&a);
}

static void test_skip_inside_arrays(void **state)
{
    struct json_reader r;
    json_reader_init(&r, STR("[ [1] , {\"a\":2} ,3]"), NULL, 8);
    str raw;
    assert_int_equal(json_array(&r), 0);
    assert_int_equal(json_element(&r), 1);
    assert_int_equal(json_skip(&r, &raw), 0);
    assert_true(str_eq(raw, STR("[1]")));
    assert_int_equal(json_skip(&r, &raw), 0); // without json_element() too
    assert_true(str_eq(raw, STR("{\"a\":2}")));
    assert_int_equal(json_element(&r), 1);
    assert_int_equal(json_skip(&r, &raw), 0);
    assert_true(str_eq(raw, STR("3")));
    assert_true(json_skip(&r, &raw) < 0);
}

static void test_pass(void **state)
{
    static const char *const values[] = { "[]", " [1,{\"a]\":\"}\"},\"\\\\\",\"\\\"]\"] ", "{\"x\":[[\"[\"]]}" };
    char text[128];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        int n = snprintf(text, sizeof text, "{\"a\":%s,\"b\":7}", values[i]);
        for (int cut = 0; cut <= n; cut++) {
            char *exact = mem_dup(text, (size_t)cut);
            struct json_reader r;
            str name;
            int64_t b;
            json_reader_init(&r, (str){ exact, (size_t)cut }, NULL, 8);
            if (json_object(&r) == 0 && json_member(&r, &name) == 1) {
                int rc = json_pass(&r);
                assert_true(rc == 0 || rc == ERR_TRUNCATED);
                if (cut == n) {
                    assert_int_equal(json_member(&r, &name), 1);
                    assert_int_equal(json_int(&r, &b), 0);
                    assert_int_equal(b, 7);
                    assert_int_equal(json_member(&r, &name), 0);
                    assert_int_equal(json_done(&r), 0);
                }
            }
            mem_free(exact);
        }
    }
}

static void test_wrong_type_has_a_place(void **state)
{
    struct json_reader r;
    str name;
    struct err err;
    json_reader_init(&r, STR("{\n  \"a\": \"x\"\n}"), NULL, 8);
    int64_t i;
    assert_int_equal(json_object(&r), 0);
    assert_int_equal(json_member(&r, &name), 1);
    assert_int_equal(json_int(&r, &i), ERR_INVALID);
    assert_int_equal(json_reader_err(&r, ERR_INVALID, &err), ERR_INVALID);
    assert_string_equal(err.message, "JSON: expected a whole number");
    assert_string_equal(err.place, "line 2, column 8");
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 8);
}

static void test_peek(void **state)
{
    struct json_reader r;
    struct json_token t;
    static const enum json_type types[] = { JSON_ARRAY, JSON_NUMBER,    JSON_STRING,    JSON_OBJECT,     JSON_KEY,
                                            JSON_NULL,  JSON_KEY,       JSON_FALSE,     JSON_OBJECT_END, JSON_TRUE,
                                            JSON_ARRAY, JSON_ARRAY_END, JSON_ARRAY_END, JSON_END };
    json_reader_init(&r, STR("[1 , \"\" , {\"a\" : null, \"b\":false} ,true,[ ] ] "), NULL, 8);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        assert_int_equal(json_peek(&r), types[i]);
        assert_int_equal(json_next(&r, &t), 0);
        assert_int_equal(t.type, types[i]);
    }
}

// The texts that are skipped may begin a new chunk, also one that was kept from before: the arena has to stand where it stood.
static void test_skip_leaves_the_arena_as_it_was(void **state)
{
    struct arena a;
    struct json_reader r;
    char json[1024] = "[\"", *p = json + 2;
    for (int i = 0; i < 200; i++)
        p = stpcpy(p, "\\n");
    stpcpy(p, "\",1]");
    arena_init(&a, 1 << 20);
    assert_non_null(arena_alloc(&a, 4000)); // the first chunk, all but a few bytes
    struct arena_mark mark = arena_mark(&a);
    assert_non_null(arena_alloc(&a, 5000)); // a second one,
    arena_rewind(&a, mark);                 // kept for later
    json_reader_init(&r, str_z(json), &a, 8);
    assert_int_equal(json_skip(&r, NULL), 0);
    struct arena_mark after = arena_mark(&a);
    assert_ptr_equal(after.head, mark.head);
    assert_ptr_equal(after.cur, mark.cur);
    uint8_t *block = arena_alloc(&a, 200); // does not fit what is left of the first chunk
    assert_non_null(block);
    memset(block, 1, 200);
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_skip_leaves_the_arena_as_it_was),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_every_prefix_is_refused),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_zero_copy_and_lossy),
        cmocka_unit_test(test_walk_known_shape),
        cmocka_unit_test(test_skip_inside_arrays),
        cmocka_unit_test(test_pass),
        cmocka_unit_test(test_wrong_type_has_a_place),
        cmocka_unit_test(test_peek),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
