#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filters/filters.h"

static void as_they_are_written_they_are_read(void **state)
{
    static const char text[] =
        "{\"health_checks\":false,\"web_crawlers\":true,\"localhost\":false,\"browser_extensions\":true,"
        "\"hydration_errors\":false,\"chunk_load_errors\":true,\"legacy_browsers\":[\"ie\",\"android\"],"
        "\"errors\":\"a\\nb\",\"releases\":\"\",\"addresses\":\"::1\",\"logs\":\"x\"}";
    struct filter_settings s = filter_settings_default();
    struct arena arena;
    struct buf out;
    struct json_writer w;
    arena_init(&arena, 1 << 20);
    assert_int_equal(filter_settings_read(STR(text), &arena, &s, NULL), 0);
    buf_init(&out, 4096);
    json_writer_init(&w, &out);
    json_put_object(&w);
    filter_settings_put(&w, &s);
    json_put_object_end(&w);
    assert_true(str_eq(buf_view(&out), STR(text)));
    buf_free(&out);
    arena_free(&arena);
}

static void what_is_not_said_stays(void **state)
{
    struct filter_settings s = filter_settings_default();
    struct arena arena;
    arena_init(&arena, 1 << 20);
    assert_int_equal(filter_settings_read(STR(""), &arena, &s, NULL), 0);
    assert_int_equal(filter_settings_read(STR("{\"localhost\":true}"), &arena, &s, NULL), 0);
    assert_true(s.on[FILTER_SWITCH_LOCALHOST] && s.on[FILTER_SWITCH_HEALTH_CHECKS]);
    static const char *const bad[] = {
        "[]", "{\"x\":1}", "{\"errors\":1}", "{\"legacy_browsers\":[\"lynx\"]}", "{\"localhost\":false", "{} {}"
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_true(filter_settings_read(str_z(bad[i]), &arena, &s, NULL) < 0);
        assert_true(s.on[FILTER_SWITCH_LOCALHOST]); // half of it is nothing
    }
    arena_free(&arena);
}

static void fails(const char *errors, const char *addresses, int code, const char *place, int line, int column)
{
    struct filter_settings s = filter_settings_default();
    struct filters *f = NULL;
    struct err err;
    s.lists[FILTER_LIST_ERRORS] = str_z(errors);
    s.lists[FILTER_LIST_ADDRESSES] = str_z(addresses);
    assert_int_equal(filters_new(&s, &f, &err), code);
    assert_null(f);
    assert_string_equal(err.place, place);
    assert_int_equal(err.line, line);
    assert_int_equal(err.column, column);
}

static void mistakes_have_a_place(void **state)
{
    fails("ok\n\n  {a", "", ERR_INVALID, "errors", 3, 3);
    fails("ok", "# x\n1.2.3.4\n1.2.3", ERR_INVALID, "addresses", 3, 1);
    char many[(FILTERS_LINES_MAX + 1) * 2 + 1];
    for (int i = 0; i <= FILTERS_LINES_MAX; i++) {
        many[2 * i] = 'a';
        many[2 * i + 1] = '\n';
    }
    many[sizeof many - 1] = 0;
    fails(many, "", ERR_LIMIT, "errors", FILTERS_LINES_MAX + 1, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_they_are_written_they_are_read),
        cmocka_unit_test(what_is_not_said_stays),
        cmocka_unit_test(mistakes_have_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
