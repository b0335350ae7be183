#include "wire/sourcemap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"

static struct sourcemap *parsed(const char *json)
{
    struct sourcemap *map = NULL;
    struct err err = { 0 };
    int r = sourcemap_parse(str_z(json), &map, &err);
    if (r < 0)
        print_error("%s\n", err.message);
    assert_int_equal(r, 0);
    return map;
}

static void refused(const char *json, int code)
{
    struct sourcemap *map = NULL;
    struct err err = { 0 };
    assert_int_equal(sourcemap_parse(str_z(json), &map, &err), code);
    assert_null(map);
    assert_true(err.message[0]);
}

// "source:line:column name", "-" when there is nothing.
static void expect(const struct sourcemap *map, uint32_t line, uint32_t column, const char *want)
{
    struct sourcemap_place p;
    char got[256] = "-";
    if (sourcemap_find(map, line, column, &p)) {
        str name = p.name == SOURCEMAP_NONE ? STR("-") : map->names[p.name];
        snprintf(got, sizeof got, "%.*s:%u:%u %.*s", STR_ARG(map->sources[p.source].name), p.line, p.column,
                 STR_ARG(name));
    }
    assert_string_equal(got, want);
}

static void test_segments(void **state)
{
    // Columns 0 (a.ts 0:0), 5 (b.ts 2:3, "n"), 9 (nothing); the next line: 4 (b.ts 1:1).
    struct sourcemap *m = parsed("{\"version\":3,\"file\":\"out.js\",\"sources\":[\"a.ts\",\"b.ts\"],\"names\":[\"n\"],"
                                 "\"sourcesContent\":[\"one\\ntwo\",null],\"mappings\":\"AAAA,KCEGA,I;IADF\"}");
    expect(m, 0, 0, "a.ts:0:0 -");
    expect(m, 0, 4, "a.ts:0:0 -");
    expect(m, 0, 5, "b.ts:2:3 n");
    expect(m, 0, 8, "b.ts:2:3 n");
    expect(m, 0, 9, "-");
    expect(m, 0, 1000, "-");
    expect(m, 1, 3, "-"); // not the line above
    expect(m, 1, 4, "b.ts:1:1 -");
    expect(m, 2, 0, "-");
    assert_int_equal(m->segments_n, 4);
    assert_true(str_eq(m->file, STR("out.js")));
    assert_true(str_eq(m->sources[0].content, STR("one\ntwo")));
    assert_null(m->sources[1].content.ptr);
    sourcemap_free(m);
}

static void test_order_within_a_line(void **state)
{
    // Columns 10, then 4 (-6), then 4 again: the first of those at one place, when asked for that very place.
    struct sourcemap *m = parsed("{\"version\":3,\"sources\":[\"a\"],\"names\":[],\"mappings\":\"UAAA,NAAC,AAAC\"}");
    expect(m, 0, 3, "-");
    expect(m, 0, 4, "a:0:1 -");
    expect(m, 0, 6, "a:0:2 -");
    expect(m, 0, 10, "a:0:0 -");
    sourcemap_free(m);
}

static void test_root_prefix_and_more(void **state)
{
    struct sourcemap *m =
        parsed(")]}'\n{\"names\":[],\"mappings\":\"AAAA,CCAA,CCAA\",\"debug_id\":\"6f3e\",\"x_any\":{\"a\":[1]},"
               "\"sources\":[\"a\",\"/b\",\"webpack:///c\"],\"sourceRoot\":\"src\",\"version\":3,"
               "\"ignoreList\":[1,77]}");
    expect(m, 0, 0, "src/a:0:0 -");
    expect(m, 0, 1, "/b:0:0 -");
    expect(m, 0, 2, "webpack:///c:0:0 -");
    assert_true(str_eq(m->debug_id, STR("6f3e")));
    assert_true(m->sources[1].ignored && !m->sources[0].ignored);
    sourcemap_free(m);
}

static void test_beyond_the_arrays(void **state)
{
    // Source 2 and name 5 do not exist; source line -1.
    struct sourcemap *m = parsed("{\"version\":3,\"sources\":[\"a\",null],\"names\":[\"n\"],\"mappings\":"
                                 "\"AEAA,CFAAK,CAAAL,CADA,CACA\"}");
    expect(m, 0, 0, "-");
    expect(m, 0, 1, "a:0:0 -");
    expect(m, 0, 2, "a:0:0 n");
    expect(m, 0, 3, "-");
    expect(m, 0, 4, "a:0:0 -"); // the sums go on
    sourcemap_free(m);
}

static void test_sections(void **state)
{
    struct sourcemap *m =
        parsed("{\"version\":3,\"sections\":["
               "{\"offset\":{\"line\":0,\"column\":0},\"map\":{\"version\":3,\"sources\":[\"a\"],\"names\":[\"x\"],"
               "\"mappings\":\"AAAAA,UAAU;AACA\"}},"
               "{\"offset\":{\"line\":1,\"column\":20},\"map\":{\"version\":3,\"sources\":[\"b\"],\"names\":[\"y\"],"
               "\"mappings\":\"EAAAA,UAAU;AACA\"}},"
               "{\"map\":{\"version\":3,\"sections\":[{\"offset\":{\"line\":1,\"column\":3},\"map\":{\"version\":3,"
               "\"sources\":[\"c\"],\"names\":[],\"mappings\":\"AAAA\"}}]},\"offset\":{\"line\":3,\"column\":7}}]}");
    expect(m, 0, 0, "a:0:0 x");
    expect(m, 1, 19, "a:1:10 -");
    expect(m, 1, 20, "-"); // the second one's area, but before its first segment
    expect(m, 1, 22, "b:0:0 y");
    expect(m, 1, 32, "b:0:10 -");
    expect(m, 2, 0, "b:1:10 -");
    expect(m, 4, 2, "-");
    expect(m, 4, 3, "c:0:0 -");
    sourcemap_free(m);
    refused("{\"version\":3,\"sections\":[{\"offset\":{\"line\":3,\"column\":0},\"map\":{\"version\":3,\"sources\":[],"
            "\"mappings\":\"\"}},{\"offset\":{\"line\":2,\"column\":0},\"map\":{\"version\":3,\"sources\":[],"
            "\"mappings\":\"\"}}]}",
            ERR_MALFORMED);
    refused("{\"version\":3,\"sections\":[{\"offset\":{\"line\":0,\"column\":0},\"url\":\"http://x/\"}]}",
            ERR_UNSUPPORTED);
    refused("{\"version\":3,\"sections\":[{\"offset\":{\"line\":1,\"column\":0},\"map\":{\"version\":3,\"sources\":[],"
            "\"mappings\":\"\"}},{\"map\":{\"version\":3,\"sources\":[],\"mappings\":\"\"}}]}",
            ERR_MALFORMED); // no offset
    refused("{\"version\":3,\"sections\":[{\"offset\":{\"line\":0},\"map\":{\"version\":3,\"sources\":[],\"mappings\":"
            "\"\"}}]}",
            ERR_MALFORMED);
}

static void test_hostile(void **state)
{
    refused("", ERR_TRUNCATED);
    refused("[]", ERR_INVALID);
    refused("{\"version\":3}", ERR_MALFORMED);
    refused("{\"version\":2,\"sources\":[],\"mappings\":\"\"}", ERR_UNSUPPORTED);
    refused("{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AA\"}", ERR_MALFORMED);     // two numbers
    refused("{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"AAAAAA\"}", ERR_MALFORMED); // six
    refused("{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"A!AA\"}", ERR_MALFORMED);
    refused("{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"g\"}", ERR_MALFORMED);       // goes on, but ends
    refused("{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"ggggggg\"}", ERR_MALFORMED); // more than 32 bits
    refused("{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"ggggggE\"}", ERR_MALFORMED);
    refused("{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"DAAA\"}", ERR_MALFORMED); // column -1
    refused("{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"\"} x", ERR_MALFORMED);
    // Lines at the end of the numbers.
    struct sourcemap *m = parsed("{\"version\":3,\"sections\":[{\"offset\":{\"line\":2147483647,\"column\":0},\"map\":"
                                 "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\"CAAA\"}}]}");
    expect(m, 2147483647, 1, "a:0:0 -");
    sourcemap_free(m);
    refused("{\"version\":3,\"sections\":[{\"offset\":{\"line\":2147483647,\"column\":0},\"map\":"
            "{\"version\":3,\"sources\":[\"a\"],\"mappings\":\";CAAA\"}}]}",
            ERR_LIMIT);
    struct buf deep;
    buf_init(&deep, 1 << 16);
    for (int i = 0; i < 12; i++)
        buf_str(&deep, STR("{\"version\":3,\"sections\":[{\"offset\":{\"line\":0,\"column\":0},\"map\":"));
    buf_str(&deep, STR("{\"version\":3,\"sources\":[],\"mappings\":\"\"}"));
    for (int i = 0; i < 12; i++)
        buf_str(&deep, STR("}]}"));
    buf_byte(&deep, 0);
    refused((const char *)deep.ptr, ERR_LIMIT);
    buf_free(&deep);
}

// Random segments of many blocks against a plain search in an array.
static void test_many(void **state)
{
    static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    enum { N = 5000, SOURCES = 7, NAMES = 9 };
    static struct sourcemap_place all[N];
    struct buf text;
    unsigned seed = 7;
    uint32_t line = 0, column = 0, was_column = 0, was_source = 0, was_line = 0, was_scol = 0, was_name = 0;
    buf_init(&text, 1 << 20);
    buf_str(&text,
            STR("{\"version\":3,\"sources\":[\"0\",\"1\",\"2\",\"3\",\"4\",\"5\",\"6\"],\"names\":[\"a\",\"b\",\"c\","
                "\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"],\"mappings\":\""));
    for (int i = 0; i < N; i++) {
        bool fresh = i == 0 || rand_r(&seed) % 40 == 0;
        for (int k = fresh ? rand_r(&seed) % 4 : 0; k > 0; k--, line++)
            buf_byte(&text, ';'), column = was_column = 0;
        if (i && text.ptr[text.len - 1] != ';')
            buf_byte(&text, ',');
        column += (unsigned)rand_r(&seed) % 300; // sometimes 0: two at one place
        struct sourcemap_place p = { (unsigned)rand_r(&seed) % 100000,
                                     (unsigned)rand_r(&seed) % 500,
                                     (unsigned)rand_r(&seed) % SOURCES,
                                     SOURCEMAP_NONE,
                                     line,
                                     column };
        int kind = rand_r(&seed) % 3;
        if (kind == 0)
            p.source = SOURCEMAP_NONE;
        if (kind == 2)
            p.name = (unsigned)rand_r(&seed) % NAMES;
        int64_t numbers[] = { (int64_t)column - was_column, (int64_t)p.source - was_source, (int64_t)p.line - was_line,
                              (int64_t)p.column - was_scol, (int64_t)p.name - was_name };
        for (int k = 0; k < (kind == 0 ? 1 : kind == 1 ? 4 : 5); k++) {
            uint64_t v = numbers[k] < 0 ? (uint64_t)-numbers[k] << 1 | 1 : (uint64_t)numbers[k] << 1;
            do
                buf_byte(&text, (uint8_t)base64[(v & 31) | (v > 31 ? 32 : 0)]);
            while (v >>= 5);
        }
        was_column = column;
        if (kind)
            was_source = p.source, was_line = p.line, was_scol = p.column;
        if (kind == 2)
            was_name = p.name;
        all[i] = p;
    }
    buf_str(&text, STR("\"}"));
    buf_byte(&text, 0);
    struct sourcemap *m = parsed((const char *)text.ptr);
    assert_int_equal(m->segments_n, N);
    struct sourcemap_cursor c;
    sourcemap_walk(m, &c);
    for (int i = 0; i < N; i++) {
        assert_true(sourcemap_next(&c));
        assert_int_equal(c.place.generated_line, all[i].generated_line);
        assert_int_equal(c.place.generated_column, all[i].generated_column);
        assert_int_equal(c.place.source, all[i].source);
        assert_int_equal(c.place.name, all[i].name);
    }
    assert_false(sourcemap_next(&c));
    for (int i = 0; i < 20000; i++) {
        const struct sourcemap_place *near = &all[rand_r(&seed) % N], *want = NULL;
        uint32_t at = near->generated_column + (unsigned)rand_r(&seed) % 3;
        for (int k = 0; k < N && all[k].generated_line <= near->generated_line; k++) {
            if (all[k].generated_line != near->generated_line || all[k].generated_column > at)
                continue;
            want = &all[k];
            if (want->generated_column == at)
                break;
        }
        struct sourcemap_place got = { 0 };
        bool found = sourcemap_find(m, near->generated_line, at, &got);
        assert_int_equal(found, want && want->source != SOURCEMAP_NONE);
        if (found)
            assert_memory_equal(&got, want, sizeof got);
    }
    sourcemap_free(m);
    buf_free(&text);
}

static void test_memory_that_ends(void **state)
{
    static const char json[] =
        "{\"version\":3,\"sections\":[{\"offset\":{\"line\":0,\"column\":0},\"map\":{\"version\":3,"
        "\"sourceRoot\":\"r\",\"sources\":[\"a\"],\"names\":[\"x\"],\"sourcesContent\":[\"a\\nb\"],"
        "\"mappings\":\"UAAA,NAAC,AAAC\"}}]}";
    for (int64_t n = 1;; n++) {
        struct sourcemap *m = NULL;
        struct err err = { 0 };
        mem_fail_at(n);
        int r = sourcemap_parse(STR(json), &m, &err);
        int64_t count = mem_fail_count();
        mem_fail_at(0);
        if (r == 0) {
            sourcemap_free(m);
            if (count < n)
                return;
        } else {
            assert_int_equal(r, ERR_NOMEM);
            assert_null(m);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_order_within_a_line),
        cmocka_unit_test(test_root_prefix_and_more),
        cmocka_unit_test(test_beyond_the_arrays),
        cmocka_unit_test(test_sections),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_memory_that_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
