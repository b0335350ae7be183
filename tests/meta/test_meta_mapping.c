#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scratch.h"

#include <stdlib.h>
#include <string.h>

static struct meta_mapping mapping(str stack, str source)
{
    return (struct meta_mapping){
        .stack_root = stack, .source_root = source, .repository = STR("a/b"), .branch = STR("main")
    };
}

static void the_longest_root_stands_first_and_the_same_roots_are_one(void **state)
{
    struct scratch s;
    struct arena arena;
    struct meta_mapping *got, list[] = { mapping(STR("src/"), STR("x/")), mapping(STR("src/web/"), STR("")),
                                         mapping(STR("src/"), STR("y/")) };
    enum meta_mapping_put puts[3];
    size_t n;
    scratch_open(&s);
    arena_init(&arena, 1 << 20);
    assert_int_equal(meta_mapping_put(s.meta, STR("token:ci"), 1, list, 3, puts, NULL), 0);
    assert_true(puts[0] == META_MAPPING_CREATED && puts[1] == META_MAPPING_CREATED && puts[2] == META_MAPPING_CREATED);
    list[0].branch = STR("trunk");
    assert_int_equal(meta_mapping_put(s.meta, STR("token:ci"), 1, list, 1, puts, NULL), 0);
    assert_int_equal(puts[0], META_MAPPING_UPDATED);
    scratch_reopen(&s); // it is on disk
    assert_int_equal(meta_mapping_list(s.meta, 1, &arena, &got, &n, NULL), 0);
    assert_int_equal(n, 3);
    assert_true(str_eq(got[0].stack_root, STR("src/web/")) && got[0].source_root.len == 0);
    assert_true(str_eq(got[1].source_root, STR("x/")) && str_eq(got[1].branch, STR("trunk")));
    assert_true(str_eq(got[2].source_root, STR("y/")) && str_eq(got[2].changed_by, STR("token:ci")));
    assert_int_equal(meta_mapping_remove(s.meta, STR("user:a"), 1, got[1].id, NULL), 0);
    assert_int_equal(meta_mapping_remove(s.meta, STR("user:a"), 1, got[1].id, NULL), ERR_NOENT);
    assert_int_equal(meta_mapping_remove(s.meta, STR("user:a"), 2, got[2].id, NULL), ERR_NOENT);
    assert_int_equal(meta_mapping_list(s.meta, 1, &arena, &got, &n, NULL), 0);
    assert_int_equal(n, 2);
    arena_free(&arena);
    scratch_close(&s);
}

static void one_is_added_and_changed_by_hand(void **state)
{
    struct scratch s;
    struct arena arena;
    struct err err = { 0 };
    struct meta_mapping *got, k = mapping(STR("src/"), STR("x/"));
    int64_t first, second;
    size_t n;
    scratch_open(&s);
    arena_init(&arena, 1 << 20);
    assert_int_equal(meta_mapping_set(s.meta, STR("user:a"), 1, 0, &k, &first, NULL), 0);
    assert_int_equal(meta_mapping_set(s.meta, STR("user:a"), 1, 0, &k, &second, &err), ERR_EXIST);
    k.source_root = STR("");
    assert_int_equal(meta_mapping_set(s.meta, STR("user:a"), 1, 0, &k, &second, NULL), 0);
    k.branch = STR("trunk");
    assert_int_equal(meta_mapping_set(s.meta, STR("user:b"), 1, second, &k, &second, NULL), 0);
    assert_int_equal(meta_mapping_set(s.meta, STR("user:b"), 1, first, &k, &first, &err),
                     ERR_EXIST); // the roots of the other
    assert_int_equal(meta_mapping_set(s.meta, STR("user:b"), 1, 99,
                                      &(struct meta_mapping){
                                          .stack_root = STR("z"), .repository = STR("a/b"), .branch = STR("main") },
                                      &second, &err),
                     ERR_NOENT);
    k.stack_root = STR("sr\nc/");
    assert_int_equal(meta_mapping_set(s.meta, STR("user:b"), 1, first, &k, &first, &err), ERR_INVALID);
    assert_string_equal(err.place, "stack_root");
    k.stack_root = STR("");
    assert_int_equal(meta_mapping_set(s.meta, STR("user:b"), 1, 0, &k, &second, &err), ERR_INVALID);
    assert_string_equal(err.place, "stack_root");
    k = mapping(STR("src/"), STR("y/"));
    k.repository = STR("");
    assert_int_equal(meta_mapping_set(s.meta, STR("user:b"), 1, 0, &k, &second, &err), ERR_INVALID);
    assert_string_equal(err.place, "repository");
    assert_int_equal(meta_mapping_list(s.meta, 1, &arena, &got, &n, NULL), 0);
    assert_int_equal(n, 2);
    assert_true(got[0].id == first && str_eq(got[0].branch, STR("main")));
    assert_true(str_eq(got[1].branch, STR("trunk")) && str_eq(got[1].changed_by, STR("user:b")));
    arena_free(&arena);
    scratch_close(&s);
}

static void what_is_too_long_or_too_much_is_refused(void **state)
{
    struct scratch s;
    struct arena arena;
    struct err err;
    struct meta_mapping *got;
    enum meta_mapping_put puts[META_MAPPINGS_MAX + 2];
    size_t n;
    scratch_open(&s);
    arena_init(&arena, 4 << 20);
    struct meta_mapping *list = arena_alloc_array(&arena, META_MAPPINGS_MAX + 2, sizeof *list);
    char *text = arena_zalloc(&arena, META_ROOT_MAX + 1);
    memset(text, 'a', META_ROOT_MAX + 1);
    for (int i = 0; i < META_MAPPINGS_MAX + 2; i++)
        list[i] = mapping(arena_printf(&arena, "src/%d/", i), STR("x"));
    list[0].stack_root = str_of(text, META_ROOT_MAX + 1);
    assert_int_equal(meta_mapping_put(s.meta, STR("t"), 1, list, META_MAPPINGS_MAX + 2, puts, NULL), 0);
    assert_int_equal(puts[0], META_MAPPING_REFUSED);
    assert_int_equal(puts[META_MAPPINGS_MAX], META_MAPPING_CREATED);
    assert_int_equal(puts[META_MAPPINGS_MAX + 1], META_MAPPING_REFUSED);
    assert_int_equal(meta_mapping_list(s.meta, 1, &arena, &got, &n, NULL), 0);
    assert_int_equal(n, META_MAPPINGS_MAX);
    assert_int_equal(meta_mapping_set(s.meta, STR("t"), 1, 0, &list[META_MAPPINGS_MAX + 1], &(int64_t){ 0 }, &err),
                     ERR_LIMIT);
    list[1].repository = STR("");
    assert_int_equal(meta_mapping_put(s.meta, STR("t"), 1, list, 2, puts, &err), ERR_INVALID);
    assert_int_equal(meta_mapping_put(s.meta, STR("t"), 77, list, 1, puts, &err), ERR_NOENT);
    arena_free(&arena);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_longest_root_stands_first_and_the_same_roots_are_one),
        cmocka_unit_test(one_is_added_and_changed_by_hand),
        cmocka_unit_test(what_is_too_long_or_too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
