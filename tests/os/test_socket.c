#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "os/socket.h"

#include <poll.h>
#include <unistd.h>

static void check_parse(const char *text, const char *want, bool loopback)
{
    struct socket_address a;
    char out[SOCKET_ADDRESS_TEXT];
    assert_int_equal(socket_address_parse(str_z(text), &a, NULL), 0);
    socket_address_format(&a, out);
    assert_string_equal(out, want);
    assert_int_equal(socket_address_is_loopback(&a), loopback);
}

static void test_addresses(void **state)
{
    check_parse("127.0.0.1:2539", "127.0.0.1:2539", true);
    check_parse("127.8.9.1:1", "127.8.9.1:1", true);
    check_parse("2539", "127.0.0.1:2539", true);
    check_parse(":0", "127.0.0.1:0", true);
    check_parse("LocalHost:65535", "127.0.0.1:65535", true);
    check_parse("0.0.0.0:80", "0.0.0.0:80", false);
    check_parse("[::1]:80", "[::1]:80", true);
    check_parse("[::]:80", "[::]:80", false);
    check_parse("[::ffff:127.0.0.1]:80", "127.0.0.1:80", true);
    check_parse("[::ffff:10.0.0.1]:80", "10.0.0.1:80", false);
    check_parse("[fe80::1]:80", "[fe80::1]:80", false);
    const char *bad[] = { "",
                          ":",
                          "1.2.3.4",
                          "1.2.3.4:",
                          "1.2.3.4:65536",
                          "1.2.3.4:-1",
                          "1.2.3:80",
                          "::1:80",
                          "[::1]",
                          "[::1]80",
                          "[127.0.0.1]:80",
                          "example.org:80",
                          "1.2.3.4:80x",
                          "[::1:80",
                          "1.2.3.4:000080",
                          "[]:80" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct socket_address a;
        struct err err;
        assert_int_equal(socket_address_parse(str_z(bad[i]), &a, &err), ERR_INVALID);
        assert_string_equal(err.slug, "bad_address");
    }
}

static void test_public_addresses(void **state)
{
    static const char *const public[] = {
        "1.1.1.1:1",        "100.63.255.255:1",   "172.32.0.1:1",         "198.20.0.1:1",
        "[2606:4700::1]:1", "[::ffff:8.8.8.8]:1", "[64:ff9b::808:808]:1", "[2002:808:808::]:1"
    };
    static const char *const other[] = {
        "0.0.0.0:1",
        "10.1.2.3:1",
        "100.64.0.1:1",
        "100.127.255.255:1",
        "127.1.2.3:1",
        "169.254.169.254:1",
        "172.16.0.1:1",
        "172.31.255.255:1",
        "192.168.0.1:1",
        "192.0.2.1:1",
        "198.18.0.1:1",
        "198.19.255.255:1",
        "224.0.0.1:1",
        "255.255.255.255:1",
        "[::]:1",
        "[::1]:1",
        "[fe80::1]:1",
        "[fc00::1]:1",
        "[fd12::1]:1",
        "[ff02::1]:1",
        "[::ffff:10.0.0.1]:1",
        "[64:ff9b::7f00:1]:1",
        "[64:ff9b::a00:1]:1",
        "[2002:a00:1::]:1",
        "[2001:db8::1]:1",
        "[2001:0:1::]:1",
        "[::127.0.0.1]:1",
    };
    struct socket_address a;
    for (size_t i = 0; i < sizeof public / sizeof *public; i++) {
        assert_int_equal(socket_address_parse(str_z(public[i]), &a, NULL), 0);
        assert_true(socket_address_is_public(&a));
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        assert_int_equal(socket_address_parse(str_z(other[i]), &a, NULL), 0);
        if (socket_address_is_public(&a))
            fail_msg("%s is not public", other[i]);
    }
}

static void test_peer_key(void **state)
{
    struct socket_address a, b, c, d, e;
    socket_address_parse(STR("10.0.0.1:5"), &a, NULL);
    socket_address_parse(STR("10.0.0.1:6"), &b, NULL);
    socket_address_parse(STR("[::ffff:10.0.0.1]:6"), &c, NULL);
    socket_address_parse(STR("[2001:db8::1]:6"), &d, NULL);
    socket_address_parse(STR("[2001:db8::ffff]:6"), &e, NULL);
    assert_int_equal(socket_address_peer_key(&a), socket_address_peer_key(&b));
    assert_int_equal(socket_address_peer_key(&a), socket_address_peer_key(&c));
    assert_int_equal(socket_address_peer_key(&d), socket_address_peer_key(&e));
    assert_int_not_equal(socket_address_peer_key(&a), socket_address_peer_key(&d));
}

static void test_listen_and_connect(void **state)
{
    struct socket_address a, peer, local;
    struct err err;
    int l1 = -1, l2 = -1, l3 = -1, client = -1, server = -1;
    socket_address_parse(STR("127.0.0.1:0"), &a, NULL);
    assert_int_equal(socket_listen(&a, 16, true, &l1, &err), 0);
    assert_int_not_equal(socket_address_port(&a), 0);
    assert_int_equal(socket_listen(&a, 16, true, &l3, &err), ERR_BUSY); // somebody listens
    assert_string_equal(err.slug, "address_in_use");
    assert_int_equal(socket_listen(&a, 16, false, &l2, &err), 0); // the second loop's
    assert_int_equal(socket_accept(l1, &peer, &server), ERR_AGAIN);
    assert_int_equal(socket_connect(&a, &client), 0);
    struct pollfd p[2] = { { l1, POLLIN, 0 }, { l2, POLLIN, 0 } };
    assert_true(poll(p, 2, 5000) > 0);
    assert_int_equal(socket_accept(p[0].revents ? l1 : l2, &peer, &server), 0);
    assert_true(socket_address_is_loopback(&peer));
    assert_int_equal(socket_error(client), 0);
    assert_int_equal(socket_local_address(client, &local), 0);
    assert_int_equal(socket_address_port(&local), socket_address_port(&peer));
    char x[4];
    assert_int_equal(socket_recv(server, x, 4), ERR_AGAIN);
    char one[] = "ab", two[] = "c";
    struct iovec iov[2] = { { one, 2 }, { two, 1 } };
    assert_int_equal(socket_sendv(client, iov, 2), 3);
    struct pollfd q = { server, POLLIN, 0 };
    assert_int_equal(poll(&q, 1, 5000), 1);
    assert_int_equal(socket_recv(server, x, 4), 3);
    close(client);
    assert_int_equal(poll(&q, 1, 5000), 1);
    assert_int_equal(socket_recv(server, x, 4), 0);
    close(server);
    close(l1);
    close(l2);
    assert_int_equal(socket_connect(&a, &client) < 0
                         ? ERR_CLOSED
                         : (poll(&(struct pollfd){ client, POLLOUT, 0 }, 1, 5000), socket_error(client)),
                     ERR_CLOSED);
    close(client);
    assert_true(socket_raise_fd_limit() > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_addresses), cmocka_unit_test(test_public_addresses),
                                        cmocka_unit_test(test_peer_key), cmocka_unit_test(test_listen_and_connect) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
