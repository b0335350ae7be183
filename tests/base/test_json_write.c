#include "base/json.h"

#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void write_sample(struct json_writer *w)
{
    json_put_object(w);
    json_put_key(w, STR("a\"b"));
    json_put_array(w);
    json_put_int(w, INT64_MIN);
    json_put_int(w, -1);
    json_put_uint(w, UINT64_MAX);
    json_put_double(w, 0.1);
    json_put_double(w, NAN);
    json_put_double(w, -INFINITY);
    json_put_array_end(w);
    json_put_key(w, STR("t"));
    json_put_str(w, STR("x\n\x01\x7f\\\xc3\xa9\xff\xfe!"));
    json_put_key(w, STR("e"));
    json_put_object(w);
    json_put_object_end(w);
    json_put_key(w, STR("r"));
    json_put_raw(w, STR("[1]"));
    json_put_key(w, STR("h"));
    json_put_hex(w, bytes_of("\x00\xab", 2));
    json_put_key(w, STR("b"));
    json_put_base64(w, bytes_of("ab", 2));
    json_put_key(w, STR("l"));
    json_put_array(w);
    json_put_bool(w, true);
    json_put_bool(w, false);
    json_put_null(w);
    json_put_str(w, (str){ NULL, 0 });
    json_put_array_end(w);
    json_put_object_end(w);
}

// Who reads an answer on a terminal: C1 controls and what turns the order of text are escaped, all else is as it was.
static void test_what_a_terminal_would_obey(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = { { "a\xc2\x9b"
                    "31m",
                    "a\\u009b31m" },
                  { "\xe2\x80\xae"
                    "gpj",
                    "\\u202egpj" },
                  { "\xe2\x81\xa9\xe2\x80\x8f\xe2\x80\xa8\xd8\x9c", "\\u2069\\u200f\\u2028\\u061c" },
                  { "\xc2\xa0\xd8\xa7\xe2\x80\x8d\xe2\x82\xac\xe2\x81\xaa",
                    "\xc2\xa0\xd8\xa7\xe2\x80\x8d\xe2\x82\xac\xe2\x81\xaa" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b;
        buf_init(&b, 4096);
        assert_int_equal(json_escape(&b, str_z(cases[i].in)), 0);
        assert_int_equal(b.len, strlen(cases[i].out));
        assert_memory_equal(b.ptr, cases[i].out, b.len);
        buf_free(&b);
    }
}

static void test_all_kinds(void **state)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, 4096);
    json_writer_init(&w, &b);
    write_sample(&w);
    assert_int_equal(b.error, 0);
    assert_int_equal(w.depth, 0);
    assert_int_equal(w.lossy, 2);
    str want = STR("{\"a\\\"b\":[-9223372036854775808,-1,18446744073709551615,0.1,\"NaN\",\"-Infinity\"],"
                   "\"t\":\"x\\n\\u0001\\u007f\\\\\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd!\",\"e\":{},\"r\":[1],\"h\":"
                   "\"00ab\",\"b\":\"YWI=\",\"l\":[true,false,null,\"\"]}");
    assert_int_equal(b.len, want.len);
    assert_memory_equal(b.ptr, want.ptr, want.len);
    // What is written can be read.
    struct arena a;
    struct json_reader r;
    arena_init(&a, 1 << 16);
    json_reader_init(&r, buf_view(&b), &a, 8);
    assert_int_equal(json_skip(&r, NULL), 0);
    assert_int_equal(json_done(&r), 0);
    arena_free(&a);
    buf_free(&b);
}

static void test_limit_and_memory_stick(void **state)
{
    struct buf b;
    struct json_writer w;
    for (size_t max = 0; max < 150; max += 7) {
        buf_init(&b, max);
        json_writer_init(&w, &b);
        write_sample(&w);
        assert_int_equal(b.error, ERR_LIMIT);
        assert_true(b.len <= max);
        buf_free(&b);
    }
    mem_fail_at(1);
    buf_init(&b, 4096);
    json_writer_init(&w, &b);
    write_sample(&w);
    mem_fail_at(0);
    assert_int_equal(b.error, ERR_NOMEM);
    buf_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds),
        cmocka_unit_test(test_what_a_terminal_would_obey),
        cmocka_unit_test(test_limit_and_memory_stick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
