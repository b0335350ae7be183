#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filters/address.h"

static bool holds(const char *network, const char *address)
{
    struct network n;
    struct address a;
    assert_true(network_read(str_z(network), &n));
    assert_true(address_read(str_z(address), &a));
    return network_holds(&n, &a);
}

static void networks(void **state)
{
    assert_true(holds("10.0.0.0/8", "10.255.1.2"));
    assert_false(holds("10.0.0.0/8", "11.0.0.0"));
    assert_true(holds("10.0.0.0/9", "10.127.255.255"));
    assert_false(holds("10.0.0.0/9", "10.128.0.0"));
    assert_true(holds("192.0.2.7", "192.0.2.7"));
    assert_false(holds("192.0.2.7", "192.0.2.6"));
    assert_true(holds("192.0.2.7", "::ffff:192.0.2.7")); // the same, as IPv6 sockets name it
    assert_true(holds("0.0.0.0/0", "8.8.8.8"));
    assert_false(holds("0.0.0.0/0", "2001:db8::1"));
    assert_true(holds("::/0", "8.8.8.8"));
    assert_true(holds("2001:db8::/33", "2001:db8:7fff::1"));
    assert_false(holds("2001:db8::/33", "2001:db8:8000::1"));
    assert_true(holds("2001:db8::1", "[2001:db8::1]"));
}

static void what_is_none(void **state)
{
    static const char *const bad[] = { "",          "10.0.0",         "10.0.0.0/33", "10.0.0.0/-1",
                                       "10.0.0.0/", "2001:db8::/129", "localhost",   "1.2.3.4.5",
                                       "{{auto}}",  "10.0.0.0/8x" };
    struct network n;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(network_read(str_z(bad[i]), &n));
}

static void loopback(void **state)
{
    static const char *const yes[] = { "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1" };
    static const char *const no[] = { "128.0.0.1", "::", "::2", "10.0.0.1" };
    struct address a;
    for (size_t i = 0; i < 4; i++)
        assert_true(address_read(str_z(yes[i]), &a) && address_is_loopback(&a));
    for (size_t i = 0; i < 4; i++)
        assert_true(address_read(str_z(no[i]), &a) && !address_is_loopback(&a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(networks),
        cmocka_unit_test(what_is_none),
        cmocka_unit_test(loopback),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
