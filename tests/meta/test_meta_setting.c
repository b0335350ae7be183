#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meta/audit.h"
#include "scratch.h"

#include <stdlib.h>
#include <string.h>

static void a_setting_is_empty_until_it_is_set(void **state)
{
    struct scratch s;
    struct arena arena;
    struct meta_setting got = { .changed_ns = 7 };
    scratch_open(&s);
    arena_init(&arena, 1 << 20);
    assert_int_equal(meta_setting_get(s.meta, 1, "filters", &arena, &got, NULL), 0);
    assert_true(got.text.len == 0 && got.changed_ns == 0 && got.changed_by[0] == 0);
    uint64_t before = meta_rules_changes(s.meta);
    assert_int_equal(meta_setting_set(s.meta, STR("user:a"), 1, "filters", STR("{}"), STR("nothing"), NULL), 0);
    assert_int_not_equal(meta_rules_changes(s.meta), before);
    scratch_reopen(&s); // it is on disk
    assert_int_equal(meta_setting_get(s.meta, 1, "filters", &arena, &got, NULL), 0);
    assert_true(str_eq(got.text, STR("{}")) && got.changed_ns > 0);
    assert_string_equal(got.changed_by, "user:a");
    assert_int_equal(meta_setting_set(s.meta, STR("user:b"), 1, "filters", STR("[]"), STR("other"), NULL), 0);
    assert_int_equal(meta_setting_get(s.meta, 1, "filters", &arena, &got, NULL), 0);
    assert_true(str_eq(got.text, STR("[]")));
    assert_int_equal(meta_setting_get(s.meta, 1, "scrubbing", &arena, &got, NULL), 0);
    assert_int_equal(got.text.len, 0); // kinds do not know each other
    arena_free(&arena);
    scratch_close(&s);
}

static void settings_of_no_project_and_without_end_are_refused(void **state)
{
    struct scratch s;
    struct err err;
    scratch_open(&s);
    char *text = calloc(1, META_SETTING_TEXT_MAX + 1);
    uint64_t before = meta_rules_changes(s.meta);
    assert_int_equal(meta_setting_set(s.meta, STR("t"), 77, "filters", STR("{}"), STR(""), &err), ERR_NOENT);
    assert_int_equal(
        meta_setting_set(s.meta, STR("t"), 1, "filters", str_of(text, META_SETTING_TEXT_MAX + 1), STR(""), &err),
        ERR_LIMIT);
    assert_int_equal(meta_rules_changes(s.meta), before);
    free(text);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_setting_is_empty_until_it_is_set),
        cmocka_unit_test(settings_of_no_project_and_without_end_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
