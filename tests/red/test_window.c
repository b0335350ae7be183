// Client and server spans find each other in any order, once; who waits in vain called a peer.
#include "red/window.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

struct calls {
    unsigned services, peers;
    uint32_t last_client, last_server;
};

static int call(void *ctx, const struct waiting *client, const struct waiting *server)
{
    struct calls *c = ctx;
    c->last_client = client->series;
    if (server) {
        c->services++;
        c->last_server = server->series;
    } else {
        c->peers++;
    }
    return 0;
}

static struct waiting of(uint64_t id, uint32_t series, uint32_t peer, uint8_t flags, uint32_t second)
{
    return (struct waiting){ .id = id, .series = series, .peer = peer, .flags = flags, .seen = second };
}

static void client(struct window *w, uint64_t id, uint32_t peer, uint8_t flags, uint32_t second)
{
    struct waiting e = of(id, 1, peer, flags, second);
    assert_int_equal(window_client(w, &e), 0);
}

static void server(struct window *w, uint64_t id, uint32_t second)
{
    struct waiting e = of(id, 2, 0, 0, second);
    assert_int_equal(window_server(w, &e), 0);
}

static void test_both_orders(void **unused)
{
    struct calls c = { 0 };
    struct window w;
    window_init(&w, call, &c);
    client(&w, 7, 9, 0, 0);
    server(&w, 7, 0);
    server(&w, 8, 0);
    client(&w, 8, 9, 0, 0);
    assert_int_equal(c.services, 2);
    assert_int_equal(c.last_client, 1);
    assert_int_equal(c.last_server, 2);
    assert_int_equal(window_expire(&w, 1000), 0);
    assert_int_equal(c.peers, 0);
    window_free(&w);
}

static void test_a_client_in_vain_called_a_peer_once(void **unused)
{
    struct calls c = { 0 };
    struct window w;
    window_init(&w, call, &c);
    client(&w, 7, 9, 0, 100);
    client(&w, 8, 0, 0, 100); // does not say whom
    server(&w, 5, 100);
    assert_int_equal(window_expire(&w, 159), 0);
    assert_int_equal(c.peers, 0);
    assert_int_equal(window_expire(&w, 160), 0);
    assert_int_equal(c.peers, 1);
    server(&w, 7, 161); // too late
    assert_int_equal(window_expire(&w, 1000), 0);
    assert_int_equal(c.peers, 1);
    assert_int_equal(c.services, 0);
    window_free(&w);
}

static void test_a_client_may_have_many_children(void **unused)
{
    struct calls c = { 0 };
    struct window w;
    window_init(&w, call, &c);
    server(&w, 7, 0);
    server(&w, 7, 0);
    client(&w, 7, 9, 0, 0);
    server(&w, 7, 0);
    client(&w, 8, 9, 0, 30);
    server(&w, 8, 50);
    server(&w, 8, 70);
    assert_int_equal(c.services, 5);
    assert_int_equal(window_expire(&w, 1000), 0);
    assert_int_equal(c.peers, 0);
    window_free(&w);
}

static void test_room_is_bounded_and_the_oldest_goes(void **unused)
{
    struct calls c = { 0 };
    struct window w;
    window_init(&w, call, &c);
    for (uint64_t i = 0; i < WINDOW_SIDE_MAX + 10u; i++)
        client(&w, i * 64 + 1, 9, 0, 0);
    assert_int_equal(c.peers, 10);
    assert_int_equal(w.pushed_out, 10);
    server(&w, 1, 0); // the first is gone
    assert_int_equal(c.services, 0);
    server(&w, 64 * 100 + 1, 0);
    assert_int_equal(c.services, 1);
    window_free(&w);
}

// A full side forgets whom somebody answered before it gives up on the others.
static void test_those_that_were_met_give_way(void **unused)
{
    struct calls c = { 0 };
    struct window w;
    window_init(&w, call, &c);
    for (uint64_t i = 0; i < WINDOW_SIDE_MAX; i++) {
        client(&w, i * 64 + 1, 9, 0, 0);
        if (i % 2)
            server(&w, i * 64 + 1, 0);
    }
    for (uint64_t i = 0; i < WINDOW_SIDE_MAX / 2; i++)
        client(&w, i * 64 + 2, 9, 0, 0);
    assert_int_equal(w.pushed_out, 0);
    assert_int_equal(c.peers, 0);
    c.services = 0;
    server(&w, 1, 0);
    assert_int_equal(c.services, 1);
    server(&w, 64 + 1, 0); // was met, and went
    assert_int_equal(c.services, 1);
    assert_int_equal(window_expire(&w, 1000), 0);
    assert_int_equal(c.peers, WINDOW_SIDE_MAX - 1);
    assert_int_equal(w.clients.met, 0);
    window_free(&w);
}

static void test_many_of_one_parent_cost_no_more(void **unused)
{
    struct calls c = { 0 };
    struct window w;
    window_init(&w, call, &c);
    for (uint32_t i = 0; i < WINDOW_SIDE_MAX; i++)
        server(&w, 7, 0);
    client(&w, 7, 9, 0, 0);
    assert_int_equal(c.services, WINDOW_SIDE_MAX);
    assert_int_equal(w.servers.alive, 0);
    window_free(&w);
}

static void test_saved_and_loaded(void **unused)
{
    struct calls c = { 0 };
    struct window w, again;
    struct buf b;
    buf_init(&b, 1 << 20);
    window_init(&w, call, &c);
    client(&w, 1, 9, 0, 0);
    client(&w, 2, 9, 0, 0);
    server(&w, 2, 0);
    server(&w, 3, 0);
    client(&w, 4, 9, 0, 0);
    server(&w, 4, 0);
    assert_int_equal(window_save(&w, &b), 0);
    window_init(&again, call, &c);
    assert_int_equal(window_load(&again, buf_bytes(&b), 500), 0);
    c = (struct calls){ 0 };
    server(&again, 1, 501);
    server(&again, 2, 501);
    client(&again, 3, 9, 0, 501);
    server(&again, 4, 501);
    assert_int_equal(c.services, 4);
    assert_int_equal(window_expire(&again, 2000), 0);
    assert_int_equal(c.peers, 0);
    for (size_t cut = 0; cut < b.len; cut++)
        assert_int_equal(window_load(&again, bytes_of(b.ptr, cut), 0), ERR_CORRUPT);
    window_free(&w);
    window_free(&again);
    buf_free(&b);
}

// Senders choose ids. A table that hung all of these into one chain would take minutes here.
static void test_ids_that_are_alike(void **unused)
{
    enum { N = 200000 };
    struct calls c = { 0 };
    struct window w;
    window_init(&w, call, &c);
    for (uint64_t i = 1; i <= N; i++)
        client(&w, i << 32, 0, 0, 0);
    for (uint64_t i = 1; i <= N; i++)
        server(&w, (N + i) << 32, 0);
    for (uint64_t i = 1; i <= N; i++)
        client(&w, (N + i) << 32, 0, 0, 0);
    assert_int_equal(c.services, N);
    window_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_orders),
        cmocka_unit_test(test_a_client_in_vain_called_a_peer_once),
        cmocka_unit_test(test_a_client_may_have_many_children),
        cmocka_unit_test(test_those_that_were_met_give_way),
        cmocka_unit_test(test_room_is_bounded_and_the_oldest_goes),
        cmocka_unit_test(test_many_of_one_parent_cost_no_more),
        cmocka_unit_test(test_saved_and_loaded),
        cmocka_unit_test(test_ids_that_are_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
