// Users: exact up to the limit, near enough beyond, and the same after merges and after a look at the disk.
#include "base/hash.h"
#include "base/people.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void add(struct people *p, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        assert_int_equal(people_add(p, hash64(&i, sizeof i), i / 10, i / 10), 0);
}

static void test_exact_up_to_the_limit(void **unused)
{
    struct people p = { 0 };
    add(&p, 0, PEOPLE_EXACT);
    add(&p, 0, PEOPLE_EXACT);
    assert_int_equal(people_count(&p), PEOPLE_EXACT);
    assert_false(people_approx(&p));
    assert_int_equal(people_count_in(&p, 10, 20), 100); // users 100 .. 199
    people_free(&p);
}

static void assert_near(uint64_t n, double wanted, double error)
{
    if ((double)n < wanted * (1 - error) || (double)n > wanted * (1 + error))
        fail_msg("%llu is not near %.0f", (unsigned long long)n, wanted);
}

static void test_near_beyond(void **unused)
{
    struct people p = { 0 };
    for (uint32_t n = 2000, done = 0; n <= 1024000; done = n, n *= 2) {
        add(&p, done, n);
        assert_true(people_approx(&p));
        assert_near(people_count(&p), n, 0.02); // three standard errors
        assert_near(people_count_in(&p, 0, n / 10), n, 0.02);
        assert_near(people_count_in(&p, 0, n / 20), n / 2.0, 0.1);
    }
    people_free(&p);
}

static void test_merged(void **unused)
{
    struct people a = { 0 }, b = { 0 }, c = { 0 };
    add(&a, 0, 700);
    add(&b, 400, 900);
    assert_int_equal(people_merge(&a, &b), 0);
    assert_int_equal(people_count(&a), 900);
    add(&c, 0, 50000);
    assert_int_equal(people_merge(&a, &c), 0);
    assert_int_equal(people_count(&a), people_count(&c));
    people_free(&a);
    people_free(&b);
    people_free(&c);
}

static void test_on_disk(void **unused)
{
    for (uint32_t n = 0; n <= 5000; n += 500) {
        struct people p = { 0 }, q = { 0 };
        struct buf b;
        buf_init(&b, 1 << 20);
        add(&p, 0, n);
        people_encode(&p, &b);
        assert_int_equal(b.error, 0);
        bytes at = buf_bytes(&b);
        assert_int_equal(people_decode(&q, &at), 0);
        assert_int_equal(at.len, 0);
        assert_int_equal(people_count(&q), people_count(&p));
        assert_int_equal(people_count_in(&q, 3, 7), people_count_in(&p, 3, 7));
        for (size_t cut = 0; cut < b.len; cut += 1 + cut / 8) { // what is cut is refused
            struct people r = { 0 };
            at = bytes_of(b.ptr, cut);
            assert_true(people_decode(&r, &at) < 0);
            people_free(&r);
        }
        people_free(&p);
        people_free(&q);
        buf_free(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exact_up_to_the_limit),
        cmocka_unit_test(test_near_beyond),
        cmocka_unit_test(test_merged),
        cmocka_unit_test(test_on_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
