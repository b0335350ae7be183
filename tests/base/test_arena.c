#include "base/arena.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_alignment_and_growth(void **state)
{
    struct arena a;
    arena_init(&a, 4 << 20);
    for (size_t n = 0; n < 3000; n += 7) {
        uint8_t *p = arena_alloc(&a, n), *q = arena_alloc_bytes(&a, n);
        assert_true(p && q && (uintptr_t)p % 16 == 0);
        memset(p, 1, n);
        memset(q, 2, n);
    }
    uint8_t *z = arena_zalloc(&a, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(z[i], 0);
    arena_free(&a);
    assert_int_equal(a.used, 0);
}

static void test_cap_holds(void **state)
{
    struct arena a;
    arena_init(&a, 100000);
    size_t taken = 0;
    while (arena_alloc(&a, 1000))
        taken += 1000;
    assert_in_range(taken, 80000, 100000);
    assert_true(a.used <= 100000);
    assert_null(arena_alloc_array(&a, SIZE_MAX / 2, 4));
    assert_null(arena_alloc(&a, SIZE_MAX));
    arena_free(&a);
}

static void test_reset_keeps_the_largest_chunk(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    for (int i = 0; i < 100; i++)
        assert_non_null(arena_alloc(&a, 1000));
    arena_reset(&a);
    size_t used = a.used;
    mem_fail_at(1); // what fits into it asks nobody
    assert_non_null(arena_alloc(&a, 20000));
    mem_fail_at(0);
    assert_int_equal(a.used, used);
    arena_free(&a);
}

static void test_rewind_in_place(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    uint8_t *kept = arena_alloc(&a, 16);
    memset(kept, 7, 16);
    struct arena_mark mark = arena_mark(&a);
    void *first = arena_alloc(&a, 100);
    arena_rewind(&a, mark);
    assert_ptr_equal(arena_alloc(&a, 100), first);
    assert_int_equal(kept[15], 7);
    arena_free(&a);
}

// However often a record needs several chunks, memory stays at what one of them needs.
static void test_rewind_over_chunks_does_not_grow(void **state)
{
    struct arena a;
    arena_init(&a, 64 << 20);
    uint8_t *kept = arena_alloc(&a, 100);
    memset(kept, 9, 100);
    size_t most = 0;
    for (int round = 0; round < 50; round++) {
        struct arena_mark mark = arena_mark(&a);
        for (int i = 0; i < 10; i++) {
            uint8_t *p = arena_alloc(&a, 600000);
            assert_non_null(p);
            memset(p, i, 600000);
        }
        if (round == 1)
            most = a.used;
        if (round > 1)
            assert_true(a.used <= most);
        arena_rewind(&a, mark);
    }
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(kept[i], 9);
    arena_free(&a);
}

static void test_rewind_to_the_beginning(void **state)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    struct arena_mark mark = arena_mark(&a);
    for (int i = 0; i < 10; i++)
        assert_non_null(arena_alloc(&a, 5000));
    arena_rewind(&a, mark);
    assert_non_null(arena_alloc(&a, 5000));
    arena_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_alignment_and_growth),
        cmocka_unit_test(test_cap_holds),
        cmocka_unit_test(test_reset_keeps_the_largest_chunk),
        cmocka_unit_test(test_rewind_in_place),
        cmocka_unit_test(test_rewind_over_chunks_does_not_grow),
        cmocka_unit_test(test_rewind_to_the_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
