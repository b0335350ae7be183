#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "meta/token.h"
#include "scratch.h"

static void the_first_start_makes_the_default_project(void **state)
{
    struct scratch s;
    struct meta_project p;
    struct err err;
    scratch_open(&s);
    assert_int_equal(meta_project_find(s.meta, STR("default"), &p, &err), 0);
    assert_int_equal(p.id, 1);
    scratch_reopen(&s);
    struct meta_project *list;
    size_t n;
    assert_int_equal(meta_project_list(s.meta, &list, &n, &err), 0);
    assert_int_equal(n, 1); // a second start makes no second one
    mem_free(list);
    scratch_close(&s);
}

static void slugs_are_plain_words(void **state)
{
    static const char *const good[] = { "a", "web-shop", "3d", "x1" };
    static const char *const bad[] = { "",
                                       "-a",
                                       "a-",
                                       "A",
                                       "a b",
                                       "a/b",
                                       "..",
                                       "12",
                                       "\xc3\xa4",
                                       "a\nb",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(meta_slug_valid(str_z(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(meta_slug_valid(str_z(bad[i])));
    assert_false(meta_slug_valid(str_of("a\0b", 3)));
}

static void a_project_is_added_once_and_survives(void **state)
{
    struct scratch s;
    struct meta_project p, q;
    struct err err;
    scratch_open(&s);
    assert_int_equal(meta_project_add(s.meta, STR("test"), STR("shop"), &p, &err), 0);
    assert_int_equal(meta_project_add(s.meta, STR("test"), STR("shop"), &q, &err), ERR_EXIST);
    assert_int_equal(meta_project_add(s.meta, STR("test"), STR("No!"), &q, &err), ERR_INVALID);
    scratch_reopen(&s);
    assert_int_equal(meta_project_find(s.meta, STR("shop"), &q, &err), 0);
    assert_int_equal(q.id, p.id);
    assert_int_equal(meta_project_find(s.meta, STR("shop' OR 1=1 --"), &q, &err), ERR_NOENT);
    scratch_close(&s);
}

static void a_dsn_key_is_stable_and_opens_nothing_but_its_own_door(void **state)
{
    struct scratch s;
    struct meta_grant g;
    struct err err;
    char a[META_SECRET_MAX], b[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_project_dsn_key(s.meta, STR("test"), 1, a, &err), 0);
    assert_int_equal(meta_project_dsn_key(s.meta, STR("test"), 1, b, &err), 0);
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 32);
    assert_int_equal(meta_key_check(s.meta, str_z(a), &g), 0);
    assert_int_equal(g.project, 1);
    assert_int_equal(g.scopes, 0);
    assert_int_equal(meta_token_check(s.meta, str_z(a), &g), ERR_DENIED); // never OTLP, never reading
    assert_int_equal(meta_project_dsn_key(s.meta, STR("test"), 77, b, &err), ERR_NOENT);
    scratch_close(&s);
}

static void a_project_is_renamed_with_its_number(void **state)
{
    struct scratch s;
    struct meta_project p, q;
    scratch_open(&s);
    assert_int_equal(meta_project_add(s.meta, STR("test"), STR("shop"), &p, NULL), 0);
    assert_int_equal(meta_project_rename(s.meta, STR("test"), p.id, STR("market"), &q, NULL), 0);
    assert_int_equal(q.id, p.id);
    assert_int_equal(meta_project_find(s.meta, STR("market"), &q, NULL), 0);
    assert_int_equal(q.id, p.id);
    assert_int_equal(meta_project_find(s.meta, STR("shop"), &q, NULL), ERR_NOENT);
    assert_int_equal(meta_project_rename(s.meta, STR("test"), p.id, STR("default"), &q, NULL), ERR_EXIST);
    assert_int_equal(meta_project_rename(s.meta, STR("test"), p.id, STR("No!"), &q, NULL), ERR_INVALID);
    assert_int_equal(meta_project_rename(s.meta, STR("test"), 1, STR("main"), &q, NULL), ERR_INVALID); // default
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_start_makes_the_default_project),
        cmocka_unit_test(slugs_are_plain_words),
        cmocka_unit_test(a_project_is_added_once_and_survives),
        cmocka_unit_test(a_project_is_renamed_with_its_number),
        cmocka_unit_test(a_dsn_key_is_stable_and_opens_nothing_but_its_own_door),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
