#include "symbols/bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "zip.h"

static const char manifest[] =
    "{\"files\":{\"files/_/_/app.min.js\":{\"type\":\"minified_source\",\"url\":\"~/"
    "app.min.js\",\"headers\":{\"Debug-Id\":"
    "\"6F3E8A10-0000-4000-8000-00000000000a-1\",\"sourcemap\":\"app.min.js.map\"}},\"files/_/_/"
    "app.min.js.map\":{\"type\":"
    "\"source_map\",\"url\":\"~/app.min.js.map\",\"headers\":{\"debug-id\":\"6f3e8a10-0000-4000-8000-00000000000a\"}},"
    "\"files/"
    "x\":{\"type\":\"indexed_ram_bundle\",\"any\":[{}]}},\"org\":\"o\",\"release\":\"1.0\",\"dist\":\"d\",\"n\":1}";

static void test_manifest(void **state)
{
    static const uint8_t id[16] = { 0x6f, 0x3e, 0x8a, 0x10, 0, 0, 0x40, 0, 0x80, 0, 0, 0, 0, 0, 0, 0x0a };
    const struct zip_entry entries[] = { { "manifest.json", str_z(manifest) },
                                         { "files/_/_/app.min.js", STR_INIT("x()") },
                                         { "../../etc/passwd", STR_INIT("not on any disk") } };
    for (int prefixed = 0; prefixed < 2; prefixed++) {
        struct buf zip, out;
        struct bundle *b;
        struct err err = { 0 };
        char text[DEBUG_ID_TEXT];
        buf_init(&zip, 1 << 20);
        buf_init(&out, 1 << 20);
        zip_make(prefixed ? STR("SYSB\2\0\0\0") : STR(""), entries, 3, &zip);
        assert_int_equal(bundle_open(buf_bytes(&zip), &b, &err), 0);
        assert_int_equal(b->n, 3);
        assert_true(str_eq(b->release, STR("1.0")) && str_eq(b->dist, STR("d")));
        assert_int_equal(b->entries[0].kind, BUNDLE_MINIFIED);
        assert_true(b->entries[0].has_debug_id && memcmp(b->entries[0].debug_id, id, 16) == 0);
        assert_true(str_eq(b->entries[0].sourcemap, STR("app.min.js.map")));
        assert_true(str_eq(b->entries[1].url, STR("~/app.min.js.map")));
        assert_int_equal(b->entries[1].kind, BUNDLE_SOURCE_MAP);
        assert_int_equal(b->entries[2].kind, BUNDLE_OTHER);
        debug_id_format(id, text);
        assert_memory_equal(text, "6f3e8a10-0000-4000-8000-00000000000a", DEBUG_ID_TEXT);
        assert_int_equal(bundle_read(buf_bytes(&zip), b->entries[0].path, 100, &out, NULL), 0);
        assert_true(str_eq(buf_view(&out), STR("x()")));
        assert_int_equal(bundle_read(buf_bytes(&zip), b->entries[1].path, 100, &out, NULL), ERR_NOENT);
        bundle_free(b);
        buf_free(&zip);
        buf_free(&out);
    }
}

static void test_too_much(void **state)
{
    struct buf zip, out;
    size_t n = 40 << 20;
    char *zeros = mem_zalloc(n);
    const struct zip_entry entries[] = { { "manifest.json", STR_INIT("{\"files\":{}}") }, { "bomb", { zeros, n } } };
    buf_init(&zip, 1 << 20);
    buf_init(&out, 64 << 20);
    zip_make(STR(""), entries, 2, &zip);
    assert_int_equal(bundle_read(buf_bytes(&zip), STR("bomb"), 64 << 20, &out, NULL), ERR_LIMIT); // its ratio
    assert_int_equal(bundle_read(buf_bytes(&zip), STR("manifest.json"), 4, &out, NULL), ERR_LIMIT);
    assert_int_equal(out.len, 0);
    buf_free(&zip);
    buf_free(&out);
    mem_free(zeros);
}

static void test_damaged(void **state)
{
    struct buf zip, out;
    struct bundle *b = NULL;
    struct err err = { 0 };
    const struct zip_entry entries[] = { { "manifest.json", str_z(manifest) },
                                         { "a", STR_INIT("aaaaaaaaaaaaaaaaaaa") } };
    const struct zip_entry none[] = { { "other.json", STR_INIT("{}") } },
                           list[] = { { "manifest.json", STR_INIT("{}") } };
    buf_init(&zip, 1 << 20);
    buf_init(&out, 1 << 20);
    assert_int_equal(bundle_open((bytes){ 0 }, &b, &err), ERR_MALFORMED);
    zip_make(STR(""), none, 1, &zip);
    assert_int_equal(bundle_open(buf_bytes(&zip), &b, &err), ERR_MALFORMED);
    assert_non_null(strstr(err.message, "manifest.json"));
    buf_clear(&zip);
    zip_make(STR(""), list, 1, &zip);
    assert_int_equal(bundle_open(buf_bytes(&zip), &b, &err), ERR_MALFORMED);
    // Cut and changed anywhere: refused, or read as what it then says; never more than there is.
    buf_clear(&zip);
    zip_make(STR(""), entries, 2, &zip);
    for (size_t i = 0; i < zip.len; i++) {
        if (bundle_open(bytes_of(zip.ptr, i), &b, NULL) == 0)
            bundle_free(b);
        uint8_t was = zip.ptr[i];
        zip.ptr[i] ^= 0xff;
        if (bundle_open(buf_bytes(&zip), &b, NULL) == 0)
            bundle_free(b);
        buf_clear(&out);
        bundle_read(buf_bytes(&zip), STR("a"), 1 << 10, &out, NULL);
        zip.ptr[i] = was;
    }
    buf_free(&zip);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manifest),
        cmocka_unit_test(test_too_much),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
