// Manifests of snapshots: as sentry-cli writes them, as they are kept, and as nobody should write them.
#include "api/image_manifest.h"

#include "base/must.h"

#include <stdio.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

#define H1 "f507294feed2de60508883646105936b49d79215b969f4cc10b3596e5f58982d"
#define H2 "9bfe3abdacd8eec5e1d1daf2f370a474b767beaa3ffb977fd88d7331f25f5dfe"

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

static int read(str text, struct image_manifest *m)
{
    const struct json_node *root;
    struct err err;
    must(json_tree_read(text, &arena, 16, &root, &err) == 0);
    return image_manifest_read(root, &arena, m, &err);
}

static int name(const char *name)
{
    struct image_manifest m;
    char text[1000];
    snprintf(text, sizeof text, "{\"app_id\":\"a\",\"images\":{\"%s\":{\"content_hash\":\"" H1 "\"}}}", name);
    return read(str_z(text), &m);
}

static void what_was_sent_is_kept(void **state)
{
    static const str sent = STR_INIT(
        "{\"app_id\":\"shop\",\"images\":{\"sub/b.png\":{\"content_hash\":\"" H2
        "\",\"width\":4,\"height\":3,\"size\":7,"
        "\"type\":\"image/png\",\"group\":\"g\",\"display_name\":\"B\",\"x\":[1]},\"a.png\":{\"content_hash\":\"" H1
        "\",\"width\":-4}},\"diff_threshold\":0.01,\"selective\":false,\"all_image_file_names\":[\"z.png\",\"a.png\"]"
        "}");
    struct image_manifest m, again;
    struct json_writer w;
    struct buf out;
    assert_int_equal(read(sent, &m), 0);
    buf_init(&out, 4096);
    json_writer_init(&w, &out);
    image_manifest_put(&w, &m);
    assert_int_equal(read(buf_view(&out), &again), 0);
    for (int i = 0; i < 2; i++) {
        const struct image_manifest *x = i ? &again : &m;
        assert_true(str_eq(x->app, STR("shop")) && x->n == 2 && x->selective &&
                    x->all_n == 2); // all names: a part was sent
        assert_true(str_eq(x->images[0].name, STR("a.png")) && str_eq(x->images[0].hash, STR(H1)));
        const struct image *b = image_find(x, STR("sub/b.png"));
        assert_true(b && str_eq(b->hash, STR(H2)) && str_eq(b->title, STR("B")) && str_eq(b->group, STR("g")));
        assert_true(b->width == 4 && b->height == 3 && b->size == 7 && str_eq(b->type, STR("image/png")));
        assert_int_equal(x->images[0].width, 0);
        assert_null(image_find(x, STR("b.png")));
    }
    buf_free(&out);
}

static void what_is_gone(void **state)
{
    struct image_manifest m;
    assert_int_equal(read(STR("{\"app_id\":\"a\",\"images\":{\"a\":{\"content_hash\":\"" H1 "\"}}}"), &m), 0);
    assert_true(!image_is_gone(&m, STR("a")) && image_is_gone(&m, STR("b")));
    m.selective = true; // nobody knows
    assert_false(image_is_gone(&m, STR("b")));
    const str all[] = { STR("a"), STR("b") };
    m.all = all;
    m.all_n = 2;
    assert_true(!image_is_gone(&m, STR("b")) && image_is_gone(&m, STR("c")));
}

static void names_stay_in_their_folder(void **state)
{
    static const char *const good[] = { "a", "a/b.png", "...", "a..b/c", "\xc3\xa9.png", "ab: c.png" };
    static const char *const bad[] = { "",    ".",    "..",     "/a",       "a/",       "a//b", "a/../b",
                                       "./a", "a/..", "a\\\\b", "C:/a.png", "a\\u0000", "a\\n" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_int_equal(name(good[i]), 0);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(name(bad[i]), ERR_INVALID);
}

static void one_name_stands_once(void **state)
{
    struct image_manifest m;
    assert_int_equal(read(STR("{\"app_id\":\"a\",\"images\":{\"a\":{\"content_hash\":\"" H1
                              "\"},\"b\":{\"content_hash\":\"" H1 "\"},\"a\":{\"content_hash\":\"" H2 "\"}}}"),
                          &m),
                     ERR_INVALID);
}

static void types_are_what_the_bytes_say(void **state)
{
    assert_true(str_eq(image_type(bytes_of("\x89PNG\r\n\x1a\n....", 12)), STR("image/png")));
    assert_true(str_eq(image_type(bytes_of("\xff\xd8\xff\xe0", 4)), STR("image/jpeg")));
    assert_true(str_eq(image_type(bytes_of("RIFF....WEBPVP8L", 16)), STR("image/webp")));
    assert_true(str_eq(image_type(bytes_of("GIF89a", 6)), STR("image/gif")));
    static const char *const others[] = { "", "\x89PNG", "<svg>", "<html>", "RIFF....WAVEfmt " };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_equal(image_type(bytes_of_str(str_z(others[i]))).len, 0);
    assert_true(image_type_ok(STR("image/webp")) && !image_type_ok(STR("image/svg+xml")) && !image_type_ok(STR("")));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = { T(what_was_sent_is_kept), T(what_is_gone), T(names_stay_in_their_folder),
                                        T(one_name_stands_once), T(types_are_what_the_bytes_say) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
