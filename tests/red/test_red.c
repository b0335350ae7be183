// What has served its time.
#include "red/red_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

#define DAY_NS (86400 * NS_PER_S)

static void test_expiry(void **unused)
{
    uint32_t before, key;
    red_expiry(20000 * DAY_NS, 14 * DAY_NS, &before, &key);
    assert_int_equal(before, 19986 * 1440);
    assert_int_equal(key, 19979 * 1440 - 2 * KEY_TOUCH_MINUTES);
    // A hundred years, the longest that may be set, reach beyond 1970: nothing is over. Taken as a number without a sign
    // all figures were, and keys went that were in use.
    red_expiry(20000 * DAY_NS, 36500 * DAY_NS, &before, &key);
    assert_int_equal(before, 0);
    assert_int_equal(key, 0);
    red_expiry(20000 * DAY_NS, 19999 * DAY_NS, &before, &key);
    assert_int_equal(before, 1440);
    assert_int_equal(key, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_expiry) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
