// What the cells of a range say: whom the failing is blamed on, which deploy explains it, and what counts as a deploy.
#include "red/overview.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

#define MINUTE 60000000000ll
enum { FROM = 100000, TO = FROM + 60, OK_MS = 20 };

// A view made by hand.
struct made {
    struct arena arena;
    struct red_view v;
    struct red_key *keys[32], *series[32];
    struct cell cells[RED_KINDS][4000];
    uint32_t keys_n;
    struct red_overview o;
};
static struct made *made;

static int setup(void **unused)
{
    made = calloc(1, sizeof *made);
    arena_init(&made->arena, 256 << 20);
    made->v.series = made->series;
    for (int k = 0; k < RED_KINDS; k++)
        made->v.of[k].cells = made->cells[k];
    return made ? 0 : -1;
}

static int teardown(void **unused)
{
    arena_free(&made->arena);
    free(made);
    return 0;
}

static struct red_key *key(struct red_key like)
{
    struct red_key *k = arena_zalloc(&made->arena, sizeof *k);
    assert_non_null(k);
    *k = like;
    k->id = made->keys_n;
    made->keys[made->keys_n++] = k;
    return k;
}

static struct red_key *version(const char *service, const char *v, uint32_t first_minute)
{
    struct red_key *k = key((struct red_key){ .kind = RED_SERIES,
                                              .project = 1,
                                              .service = str_z(service),
                                              .version = str_z(v),
                                              .first = first_minute * MINUTE });
    made->series[made->v.series_n++] = k;
    return k;
}

// Minutes [from, to): so many requests each, of which so many failed.
static void served(struct red_key *k, uint32_t from, uint32_t to, uint64_t requests, uint64_t errors, int64_t ms)
{
    struct red_cells *cells = &made->v.of[k->kind];
    for (uint32_t m = from; m < to; m++) {
        struct cell *c = &cells->cells[cells->n++];
        assert_true(cells->n <= 4000);
        *c = (struct cell){ .minute = m, .key = k, .requests = requests, .errors = errors, .last = m * MINUTE };
        assert_int_equal(durations_add(&made->arena, &c->durations, durations_bin(ms * 1000000), (uint32_t)requests),
                         0);
    }
}

static struct red_key *calls(const char *from, const char *to)
{
    struct red_key *k = key((struct red_key){
        .kind = RED_EDGE, .project = 1, .callee_project = 1, .service = str_z(from), .name = str_z(to) });
    served(k, FROM - 60, TO, 30, 0, OK_MS);
    return k;
}

static const struct red_finding *find(void)
{
    struct red_range range;
    red_range_make(FROM * MINUTE, TO * MINUTE, TO * MINUTE, 60, &range);
    assert_int_equal(red_overview(&made->v, &range, &made->arena, &made->o), 0);
    return &made->o.finding;
}

static void assert_str(str got, const char *want)
{
    if (!str_eq(got, str_z(want)))
        fail_msg("%.*s, not %s", (int)got.len, got.ptr, want);
}

// web calls checkout, which calls stock; checkout fails from minute `since` on, and web with it.
static struct red_key *checkout_fails(uint32_t since, uint32_t until)
{
    struct red_key *web = version("web", "1", 10), *checkout = version("checkout", "1", 10),
                   *stock = version("stock", "1", 10);
    calls("web", "checkout");
    calls("checkout", "stock");
    served(stock, FROM - 60, TO, 40, 0, OK_MS);
    served(checkout, FROM - 60, since, 30, 0, OK_MS);
    served(web, FROM - 60, since, 60, 0, OK_MS);
    served(checkout, since, until, 30, 15, OK_MS);
    served(web, since, until, 60, 25, OK_MS);
    served(checkout, until, TO, 30, 0, OK_MS);
    served(web, until, TO, 60, 0, OK_MS);
    return checkout;
}

static void test_who_fails_is_named_and_not_his_caller(void **unused)
{
    checkout_fails(FROM + 40, TO);
    const struct red_finding *f = find();
    assert_int_equal(f->state, RED_FAILING);
    assert_str(f->service, "checkout");
    assert_int_equal(f->since, (FROM + 40) * MINUTE);
    assert_null(f->cause);
    assert_int_equal(f->after.errors, 20 * 15);
    assert_int_equal(f->before.errors, 0);
    assert_str(f->query, "spans service=checkout status=error");
    assert_str(made->o.services[0].name, "checkout");
}

static void test_the_deploy_before_it_is_the_cause(void **unused)
{
    struct red_key *old = checkout_fails(FROM + 40, TO);
    (void)old;
    struct red_key *worse = version("checkout", "2", FROM + 38);
    served(worse, FROM + 38, TO, 10, 5, OK_MS);
    const struct red_finding *f = find();
    assert_str(f->service, "checkout");
    assert_non_null(f->cause);
    assert_str(f->cause->version, "2");
    assert_str(f->cause->before, "1");
    assert_true(f->cause->worse);
}

// The minute that it went out in is mostly still well: the deploy is what says when the failing began.
static void test_it_began_with_the_deploy_and_not_with_the_next_minute(void **unused)
{
    checkout_fails(FROM + 40, TO);
    struct red_key *worse = version("checkout", "2", FROM + 39);
    worse->first += 48 * (MINUTE / 60);
    served(worse, FROM + 39, FROM + 40, 3, 1, OK_MS);
    served(worse, FROM + 40, TO, 10, 5, OK_MS);
    const struct red_finding *f = find();
    assert_int_equal(f->state, RED_FAILING);
    assert_non_null(f->cause);
    assert_int_equal(f->since, (FROM + 39) * MINUTE + 48 * (MINUTE / 60));
}

static void test_other_deploys_are_not_the_cause(void **unused)
{
    checkout_fails(FROM + 40, TO);
    served(version("web", "2", FROM + 39), FROM + 39, FROM + 40, 1, 0, OK_MS);       // of somebody else
    served(version("checkout", "2", FROM + 10), FROM + 10, FROM + 40, 30, 0, OK_MS); // long before
    served(version("checkout", "3", FROM + 50), FROM + 50, TO, 30, 15, OK_MS);       // after it
    const struct red_finding *f = find();
    assert_int_equal(f->state, RED_FAILING);
    assert_str(f->service, "checkout");
    assert_null(f->cause);
    assert_int_equal(made->o.deploys_n, 3);
}

static void test_a_harmless_deploy_is_told_and_not_blamed(void **unused)
{
    struct red_key *a = version("web", "1", 10), *b = version("web", "2", FROM + 30);
    served(a, FROM - 60, FROM + 30, 40, 0, OK_MS);
    served(b, FROM + 30, TO, 40, 0, OK_MS);
    const struct red_finding *f = find();
    assert_int_equal(f->state, RED_HEALTHY);
    assert_int_equal(made->o.deploys_n, 1);
    assert_false(made->o.deploys[0].worse);
    assert_str(made->o.deploys[0].version, "2");
    assert_int_equal(made->o.deploys[0].new_figures.requests, 30 * 40);
}

static void test_what_recovered_is_healthy(void **unused)
{
    checkout_fails(FROM + 20, FROM + 30);
    assert_int_equal(find()->state, RED_HEALTHY);
}

static void test_slower_than_before(void **unused)
{
    struct red_key *web = version("web", "1", 10), *stock = version("stock", "1", 10);
    calls("web", "stock");
    served(stock, FROM - 60, FROM + 40, 40, 0, OK_MS);
    served(stock, FROM + 40, TO, 40, 0, 20 * OK_MS);
    served(web, FROM - 60, FROM + 40, 40, 0, 2 * OK_MS);
    served(web, FROM + 40, TO, 40, 0, 22 * OK_MS);
    const struct red_finding *f = find();
    assert_int_equal(f->state, RED_SLOW);
    assert_str(f->service, "stock");
    assert_int_equal(f->since, (FROM + 40) * MINUTE);
    assert_int_equal(str_find(f->query, STR("spans service=stock duration>")), 0);
}

static void test_too_little_to_say(void **unused)
{
    assert_int_equal(find()->state, RED_QUIET);
    struct red_key *web = version("web", "1", 10);
    served(web, FROM + 50, FROM + 53, 1, 1, OK_MS);
    assert_int_equal(find()->state, RED_HEALTHY);
}

static void test_first_sight_is_no_deploy(void **unused)
{
    served(version("web", "1", FROM + 10), FROM + 10, TO, 40, 0, OK_MS);
    served(version("jobs", "", FROM + 10), FROM + 10, TO, 40, 0, OK_MS);
    find();
    assert_int_equal(made->o.deploys_n, 0);
}

static void test_environments_are_apart(void **unused)
{
    struct red_key *a = version("web", "1", 10), *b = version("web", "2", FROM + 30);
    a->environment = STR("production");
    b->environment = STR("staging");
    served(a, FROM - 60, TO, 40, 0, OK_MS);
    served(b, FROM + 30, TO, 40, 0, OK_MS);
    find();
    assert_int_equal(made->o.deploys_n, 0);
}

static void test_a_rollback_is_a_deploy(void **unused)
{
    struct red_key *a = version("web", "1", 10), *b = version("web", "2", FROM + 5);
    served(a, FROM - 60, FROM + 7, 40, 0, OK_MS);
    served(b, FROM + 5, FROM + 32, 40, 20, OK_MS);
    served(a, FROM + 30, TO, 40, 0, OK_MS);
    find();
    assert_int_equal(made->o.deploys_n, 2);
    const struct red_deploy *d = &made->o.deploys[0];
    assert_int_equal(d->time, (FROM + 30) * MINUTE);
    assert_str(d->version, "1");
    assert_str(d->before, "2");
    assert_false(d->worse);
    assert_str(made->o.deploys[1].version, "2");
    assert_true(made->o.deploys[1].worse);
}

static void test_versions_that_take_turns_are_no_rollbacks(void **unused)
{
    struct red_key *a = version("web", "1", 10), *b = version("web", "2", 20);
    for (uint32_t m = FROM - 60; m + 30 < TO; m += 24) {
        served(a, m, m + 4, 1, 0, OK_MS);
        served(b, m + 4, m + 8, 1, 0, OK_MS);
        served(a, m + 18, m + 19, 1, 0, OK_MS);
        served(b, m + 19, m + 24, 1, 0, OK_MS);
    }
    find();
    assert_int_equal(made->o.deploys_n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_who_fails_is_named_and_not_his_caller, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_deploy_before_it_is_the_cause, setup, teardown),
        cmocka_unit_test_setup_teardown(test_it_began_with_the_deploy_and_not_with_the_next_minute, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_deploys_are_not_the_cause, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_harmless_deploy_is_told_and_not_blamed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_recovered_is_healthy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slower_than_before, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_little_to_say, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_sight_is_no_deploy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_environments_are_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_rollback_is_a_deploy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_versions_that_take_turns_are_no_rollbacks, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
