#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "net/net_internal.h"

static void test_body_cache(void **state)
{
    struct net_body_cache c;
    size_t cap = 0;
    body_cache_init(&c);
    assert_null(body_cache_take(&c, 100000, &cap));
    uint8_t *p = mem_alloc(300000);
    body_cache_give(&c, p, 300000);
    assert_null(body_cache_take(&c, 300001, &cap)); // too small
    assert_null(body_cache_take(&c, 100000, &cap)); // a waste
    assert_null(body_cache_take(&c, 1000, &cap));
    assert_ptr_equal(body_cache_take(&c, 200000, &cap), p);
    assert_int_equal(cap, 300000);
    assert_null(body_cache_take(&c, 200000, &cap)); // given once
    mem_free(p);
    body_cache_give(&c, mem_alloc(1000), 1000); // not worth keeping
    body_cache_give(&c, mem_alloc(5 << 20), 5 << 20);
    body_cache_give(&c, NULL, 0);
    assert_int_equal(c.n, 0);
    for (int i = 0; i < 100; i++) // bounded by number and by bytes
        body_cache_give(&c, mem_alloc(70000), 70000);
    assert_int_equal(c.n, NET_BODIES_KEPT);
    for (int i = 0; i < 100; i++)
        body_cache_give(&c, mem_alloc(4 << 20), 4 << 20);
    assert_int_equal(c.n, 4);
    assert_int_equal(c.bytes, 16 << 20);
    body_cache_free(&c);
}

static void test_chain(void **state)
{
    struct net_chain a, b;
    chain_init(&a);
    chain_init(&b);
    chain_move(&a, &b); // nothing
    assert_null(chain_take(&a));
    chain_add(&a, seg_copy("hello", 5));
    chain_add(&b, seg_borrow(" wor", 4));
    chain_add(&b, seg_copy("", 0));
    chain_add(&b, seg_take(mem_dup("ld", 2), 2));
    chain_move(&a, &b);
    assert_int_equal(a.bytes, 11);
    assert_int_equal(b.bytes, 0);
    chain_advance(&a, 3);
    assert_memory_equal(a.first->ptr, "lo", 2);
    chain_advance(&a, 7);
    assert_int_equal(a.bytes, 1);
    assert_memory_equal(a.first->ptr, "d", 1);
    chain_add(&b, seg_copy("x", 1)); // usable after it was emptied
    chain_move(&a, &b);
    assert_int_equal(a.bytes, 2);
    chain_free(&a);
    assert_int_equal(a.bytes, 0);
    uint8_t *p = mem_alloc(10);
    mem_fail_at(1);
    assert_null(seg_take(p, 10)); // frees p
    mem_fail_at(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_body_cache), cmocka_unit_test(test_chain) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
