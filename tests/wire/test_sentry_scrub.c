#include "wire/sentry_scrub.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

// Scrubs and compares the whole; removed: paths joined by spaces.
static void expect(const char *json, const char *want, const char *removed)
{
    struct arena arena;
    const struct json_node *root;
    struct sentry_remarks remarks;
    struct json_writer w;
    struct buf out, paths;
    arena_init(&arena, 1 << 20);
    buf_init(&out, 1 << 20);
    buf_init(&paths, 1 << 20);
    assert_int_equal(json_tree_read(str_z(json), &arena, 32, &root, NULL), 0);
    assert_int_equal(sentry_scrub(root, &arena, &remarks), 0);
    json_writer_init(&w, &out);
    json_put_tree(&w, root);
    for (uint32_t i = 0; i < remarks.n; i++)
        buf_printf(&paths, "%s%.*s", i ? " " : "", STR_ARG(remarks.path[i]));
    buf_byte(&out, 0);
    buf_byte(&paths, 0);
    assert_string_equal(out.ptr, want);
    assert_string_equal(paths.ptr, removed);
    buf_free(&out);
    buf_free(&paths);
    arena_free(&arena);
}

static void test_keys(void **state)
{
    expect("{\"extra\":{\"userPassword\":\"x\",\"API-Key\":7,\"db\":{\"MYSQL_PWD\":{\"a\":1}},\"plain\":\"x\"}}",
           "{\"extra\":{\"userPassword\":\"[Filtered]\",\"API-Key\":\"[Filtered]\",\"db\":{\"MYSQL_PWD\":\"[Filtered]"
           "\"},\"plain\":"
           "\"x\"}}",
           "extra.userPassword extra.API-Key extra.db.MYSQL_PWD");
    // In locals of frames, in headers as pairs, whatever the depth.
    expect(
        "{\"exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"vars\":{\"secret\":\"s\",\"n\":1}}]}}]},"
        "\"request\":{\"headers\":[[\"Cookie\",\"a=b\"],[\"Host\",\"h\"]]}}",
        "{\"exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"vars\":{\"secret\":\"[Filtered]\",\"n\":1}}]}}]},"
        "\"request\":{\"headers\":[[\"Cookie\",\"[Filtered]\"],[\"Host\",\"h\"]]}}",
        "exception.values.0.stacktrace.frames.0.vars.secret request.headers.0");
}

static void test_what_only_sounds_like_a_secret(void **state)
{
    static const char kept[] =
        "{\"extra\":{\"author\":\"Ovid\",\"prompt_tokens\":12,\"has_password\":true,\"token\":null,\"secret\":\"\"},"
        "\"modules\":{\"cookie\":\"0.5.0\"},\"sdk\":{\"name\":\"token\"},\"message\":\"the password was wrong\"}";
    expect(kept, kept, "");
}

static void test_values(void **state)
{
    expect("{\"message\":\"card 4111 1111 1111 1111 declined\"}", "{\"message\":\"card [Filtered] declined\"}",
           "message");
    expect("{\"extra\":{\"n\":4111111111111111}}", "{\"extra\":{\"n\":\"[Filtered]\"}}", "extra.n");
    expect("{\"message\":\"postgres://shop:hunter2@db/shop?x=1\"}",
           "{\"message\":\"postgres://shop:[Filtered]@db/shop?x=1\"}", "message");
    expect("{\"message\":\"a Bearer abcdefghijkl and eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln, http://u:p@h\"}",
           "{\"message\":\"a Bearer [Filtered] and [Filtered], http://u:[Filtered]@h\"}", "message");
    expect("{\"message\":\"-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----\"}",
           "{\"message\":\"-----BEGIN RSA PRIVATE KEY-----[Filtered]-----END RSA PRIVATE KEY-----\"}", "message");
}

static void test_numbers_and_urls_that_stay(void **state)
{
    static const char kept[] =
        "{\"timestamp\":1795881733.953739,\"extra\":{\"order\":4111111111111112,\"at\":1795881733953,"
        "\"id\":\"a4111111111111111b\",\"url\":\"http://127.0.0.1:8080/a@b\",\"ratio\":0.4111111111111111}}";
    expect(kept, kept, "");
}

// A megabyte of nothing but secrets, each of the kinds in turn. Read once for each of them it would take minutes.
static void test_a_text_full_of_secrets(void **state)
{
    static const char *const secrets[][2] = {
        { "Bearer abcdefgh ", "Bearer [Filtered] " },
        { "eyJhbGciOiJIUzI1NiJ9.eyJ ", "[Filtered] " },
        { "4111 1111 1111 1111, ", "[Filtered], " },
        { "a://:b@ ", "a://:[Filtered]@ " },
    };
    enum { KINDS = sizeof secrets / sizeof secrets[0], TEXT = 1 << 20 };
    for (size_t kind = 0; kind <= KINDS; kind++) { // the last: all kinds
        struct arena arena;
        struct buf text, want;
        struct sentry_remarks remarks;
        const struct json_node *root;
        arena_init(&arena, 64 << 20);
        buf_init(&text, 2 * TEXT);
        buf_init(&want, 4 * TEXT);
        buf_str(&text, STR("{\"message\":\""));
        for (size_t i = 0; text.len < TEXT; i++) {
            const char *const *s = secrets[kind < KINDS ? kind : i % KINDS];
            buf_str(&text, str_z(s[0]));
            buf_str(&want, str_z(s[1]));
        }
        buf_str(&text, STR("\"}"));
        assert_int_equal(json_tree_read(buf_view(&text), &arena, 32, &root, NULL), 0);
        assert_int_equal(sentry_scrub(root, &arena, &remarks), 0);
        assert_true(str_eq(json_get_text(root, STR("message")), buf_view(&want)));
        assert_int_equal(remarks.removed, 1);
        buf_free(&text);
        buf_free(&want);
        arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_what_only_sounds_like_a_secret),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_numbers_and_urls_that_stay),
        cmocka_unit_test(test_a_text_full_of_secrets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
