// Connections a peer, counted without opening any: tests come from loopback, which is exempt.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/net_internal.h"

#include <stdio.h>

static void route(struct http_request *req, struct http_route *r, void *ctx) {}

static struct socket_address peer(const char *text)
{
    struct socket_address a;
    assert_int_equal(socket_address_parse(str_z(text), &a, NULL), 0);
    return a;
}

static struct net_server *new_server(size_t per_peer)
{
    struct net_server *s = NULL;
    struct net_config config = { .threads = 1, .limits = net_limits_default(), .route = route };
    config.limits.connections_per_peer = per_peer;
    assert_int_equal(net_server_new(&config, &s, NULL), 0);
    return s;
}

static void test_per_peer(void **state)
{
    struct net_server *s = new_server(2);
    struct socket_address a = peer("10.1.2.3:1"), same = peer("[::ffff:10.1.2.3]:2"), b = peer("[2001:db8::1]:1"),
                          b64 = peer("[2001:db8::ffff]:9"), local = peer("127.0.0.1:5");
    assert_true(peers_enter(s, &a) && peers_enter(s, &same));
    assert_false(peers_enter(s, &a));
    assert_true(peers_enter(s, &b) && peers_enter(s, &b64));
    assert_false(peers_enter(s, &b));
    for (int i = 0; i < 100; i++)
        assert_true(peers_enter(s, &local));
    peers_leave(s, &same);
    assert_true(peers_enter(s, &a));
    assert_false(peers_enter(s, &a));
    for (int i = 0; i < 2; i++)
        peers_leave(s, &a), peers_leave(s, &b);
    for (int i = 0; i < NET_PEER_BUCKETS; i++)
        assert_null(s->peers[i]); // nothing is kept of those who left
    mem_fail_at(1);
    assert_false(peers_enter(s, &a));
    mem_fail_at(0);
    // Thousands of peers, some of them in one bucket.
    for (unsigned i = 0; i < 20000; i++) {
        char text[40];
        snprintf(text, sizeof text, "10.%u.%u.1:1", i >> 8, i & 255);
        struct socket_address x = peer(text);
        assert_true(peers_enter(s, &x));
    }
    net_server_free(s); // frees what is left
}

static void test_new_without_memory(void **state)
{
    for (int nth = 1;; nth++) {
        struct net_server *s = NULL;
        struct net_config config = { .threads = 2, .limits = net_limits_default(), .route = route };
        mem_fail_at(nth);
        int rc = net_server_new(&config, &s, NULL);
        int64_t seen = mem_fail_count();
        mem_fail_at(0);
        assert_int_equal(rc, seen >= nth ? ERR_NOMEM : 0);
        if (rc == 0) {
            net_server_free(s);
            break;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_per_peer), cmocka_unit_test(test_new_without_memory) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
