// Keys: what is kept of names that strangers choose.
#include "red/key.h"

#include "base/err.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
// cmocka.h needs these before it
#include <cmocka.h>

static struct red_key *intern(struct keys *k, const struct red_key *like)
{
    struct red_key *key = NULL;
    assert_int_equal(keys_intern(k, like, &key), 0);
    return key;
}

// A megabyte as a service's name would stand in each of its ten thousand operations, and be read again at every start.
static void test_long_texts_are_cut(void **state)
{
    enum { LONG = 1 << 20 };
    struct keys keys = { 0 };
    char *text = mem_alloc(LONG);
    assert_non_null(text);
    memset(text, 'x', LONG);
    memcpy(text + KEY_TEXT_MAX - 1, "\xc3\xa9", 2); // stands across the limit
    struct red_key like = { .kind = RED_SERIES, .project = 1, .service = str_of(text, LONG), .version = STR("1") };
    struct red_key *series = intern(&keys, &like);
    assert_int_equal(series->service.len, KEY_TEXT_MAX - 1);
    assert_ptr_equal(intern(&keys, &like), series);
    struct red_key operation = { .kind = RED_OPERATION,
                                 .project = 1,
                                 .service = series->service,
                                 .version = series->version,
                                 .name = str_of(text, LONG) };
    assert_int_equal(intern(&keys, &operation)->name.len, KEY_TEXT_MAX - 1);
    assert_int_equal(series->operations, 1);
    assert_int_equal(key_describe(series, STR("c"), str_of(text, LONG)), 0);
    assert_int_equal(series->runtime.len, KEY_TEXT_MAX - 1);
    series->dirty = false;
    assert_int_equal(key_describe(series, STR("c"), str_of(text, LONG)), 0);
    assert_false(series->dirty);
    keys_free(&keys);
    mem_free(text);
}

static void test_beyond_the_limit_one_stands_for_all(void **state)
{
    struct keys keys = { 0 };
    char name[32];
    struct red_key like = { .kind = RED_SERIES, .project = 1 }, *other = NULL;
    for (int i = 0; i < KEYS_SERIES_MAX + 10; i++) {
        like.service = str_of(name, (size_t)snprintf(name, sizeof name, "s%d", i));
        other = intern(&keys, &like);
    }
    assert_true(str_eq(other->service, KEY_OTHER));
    assert_int_equal(keys.of_kind[RED_SERIES], KEYS_SERIES_MAX + 1);
    keys_free(&keys);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_long_texts_are_cut),
        cmocka_unit_test(test_beyond_the_limit_one_stands_for_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
