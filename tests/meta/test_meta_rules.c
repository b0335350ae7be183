#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meta/audit.h"
#include "scratch.h"

#include <stdlib.h>

static void rules_are_empty_until_they_are_set(void **state)
{
    struct scratch s;
    struct arena arena;
    struct meta_rules rules = { .changed_ns = 7 };
    scratch_open(&s);
    arena_init(&arena, 1 << 20);
    assert_int_equal(meta_project_rules_get(s.meta, 1, &arena, &rules, NULL), 0);
    assert_true(rules.fingerprint.len == 0 && rules.stack.len == 0 && rules.changed_ns == 0);
    uint64_t before = meta_rules_changes(s.meta);
    assert_int_equal(meta_project_rules_set(s.meta, STR("user:a"), 1, STR("type:A -> a"), STR("function:f -app"), NULL),
                     0);
    assert_int_not_equal(meta_rules_changes(s.meta), before);
    scratch_reopen(&s); // they are on disk
    assert_int_equal(meta_project_rules_get(s.meta, 1, &arena, &rules, NULL), 0);
    assert_true(str_eq(rules.fingerprint, STR("type:A -> a")));
    assert_true(str_eq(rules.stack, STR("function:f -app")));
    assert_string_equal(rules.changed_by, "user:a");
    assert_true(rules.changed_ns > 0);
    assert_int_equal(meta_project_rules_set(s.meta, STR("user:b"), 1, STR(""), STR(""), NULL), 0);
    assert_int_equal(meta_project_rules_get(s.meta, 1, &arena, &rules, NULL), 0);
    assert_true(rules.fingerprint.len == 0 && rules.stack.len == 0);
    assert_string_equal(rules.changed_by, "user:b");
    arena_free(&arena);
    scratch_close(&s);
}

static void rules_of_no_project_and_rules_without_end_are_refused(void **state)
{
    struct scratch s;
    struct err err;
    char *text = malloc(META_RULES_TEXT_MAX + 1);
    scratch_open(&s);
    memset(text, '#', META_RULES_TEXT_MAX + 1);
    uint64_t before = meta_rules_changes(s.meta);
    assert_int_equal(meta_project_rules_set(s.meta, STR("t"), 77, STR(""), STR(""), &err), ERR_NOENT);
    assert_int_equal(meta_project_rules_set(s.meta, STR("t"), 1, STR(""), str_of(text, META_RULES_TEXT_MAX + 1), &err),
                     ERR_LIMIT);
    assert_int_equal(meta_rules_changes(s.meta), before);
    assert_int_equal(meta_project_rules_set(s.meta, STR("t"), 1, str_of(text, META_RULES_TEXT_MAX), STR(""), &err), 0);
    free(text);
    scratch_close(&s);
}

static void what_another_process_changes_is_noticed(void **state)
{
    struct scratch s;
    struct meta *other;
    struct err err;
    scratch_open(&s);
    uint64_t before = meta_rules_changes(s.meta);
    assert_int_equal(meta_open(s.dir, false, &other, &err), 0);
    assert_int_equal(meta_project_rules_set(other, STR("t"), 1, STR("type:A -> a"), STR(""), NULL), 0);
    meta_close(other);
    meta_tick(s.meta);
    assert_int_not_equal(meta_rules_changes(s.meta), before);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rules_are_empty_until_they_are_set),
        cmocka_unit_test(rules_of_no_project_and_rules_without_end_are_refused),
        cmocka_unit_test(what_another_process_changes_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
