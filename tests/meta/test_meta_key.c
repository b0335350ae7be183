#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "meta/token.h"
#include "scratch.h"

static void keys_are_rotated_and_revoked(void **state)
{
    struct scratch s;
    struct meta_grant g;
    struct meta_key k, keys[META_KEYS_PER_PROJECT];
    struct err err;
    char old[META_SECRET_MAX], now[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_project_dsn_key(s.meta, STR("t"), 1, old, NULL), 0);
    assert_int_equal(meta_key_add(s.meta, STR("t"), 1, &k, NULL), 0);
    assert_int_equal(meta_project_dsn_key(s.meta, STR("t"), 1, now, NULL), 0);
    assert_string_equal(now, k.key);                             // the newest is the project's
    assert_int_equal(meta_key_check(s.meta, str_z(old), &g), 0); // and the older one works on
    assert_int_equal(meta_key_list(s.meta, 1, keys, NULL), 2);
    assert_string_equal(keys[1].key, old);
    assert_int_equal(meta_key_remove(s.meta, STR("t"), 2, keys[1].id, NULL), ERR_NOENT); // of another project
    assert_int_equal(meta_key_remove(s.meta, STR("t"), 1, keys[1].id, NULL), 0);
    assert_int_equal(meta_key_check(s.meta, str_z(old), &g), ERR_DENIED);
    assert_int_equal(meta_key_remove(s.meta, STR("t"), 1, k.id, NULL), 0);
    // What was revoked does not come back by itself.
    assert_int_equal(meta_project_dsn_key(s.meta, STR("t"), 1, now, &err), ERR_NOENT);
    assert_string_equal(err.slug, "no_key");
    assert_int_equal(meta_key_add(s.meta, STR("t"), 1, &k, NULL), 0);
    assert_int_equal(meta_project_dsn_key(s.meta, STR("t"), 1, now, NULL), 0);
    scratch_close(&s);
}

static void keys_are_bounded(void **state)
{
    struct scratch s;
    struct meta_key k;
    scratch_open(&s);
    for (int i = 0; i < META_KEYS_PER_PROJECT; i++)
        assert_int_equal(meta_key_add(s.meta, STR("t"), 1, &k, NULL), 0);
    assert_int_equal(meta_key_add(s.meta, STR("t"), 1, &k, NULL), ERR_LIMIT);
    assert_int_equal(meta_key_add(s.meta, STR("t"), 77, &k, NULL), ERR_NOENT);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_rotated_and_revoked),
        cmocka_unit_test(keys_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
