// What people say is found by the event that it is about, once, for as long as it is kept.
#include "scratch.h"

#include "artifacts/feedback.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static struct scratch s;
static int setup(void **unused)
{
    scratch_open(&s);
    return 0;
}
static int teardown(void **unused)
{
    scratch_close(&s);
    return 0;
}

#define EVENT STR("fc6d8c0c43fc4630ad850ee518f1b9d0")

static void it_is_found_by_its_event(void **unused)
{
    struct err err = { 0 };
    struct feedback f = { .project = 3,
                          .event = EVENT,
                          .name = STR("Jane"),
                          .email = STR("jane@example.com"),
                          .comments = STR("It broke."),
                          .url = STR("http://shop/"),
                          .time = 20,
                          .received = 30 },
                    *all;
    size_t n;
    assert_int_equal(feedback_put(s.artifacts, &f, &err), 0);
    assert_int_equal(feedback_put(s.artifacts, &f, &err), 0); // sent again
    f.comments = STR("Again!");
    f.time = 10;
    assert_int_equal(feedback_put(s.artifacts, &f, &err), 0);
    f.project = 4;
    assert_int_equal(feedback_put(s.artifacts, &f, &err), 0);
    assert_int_equal(feedback_of_event(s.artifacts, 3, EVENT, &s.arena, &all, &n, &err), 0);
    assert_int_equal(n, 2);
    assert_true(str_eq(all[0].comments, STR("Again!")) && str_eq(all[1].comments, STR("It broke.")));
    assert_true(str_eq(all[1].name, STR("Jane")) && str_eq(all[1].email, STR("jane@example.com")));
    assert_true(str_eq(all[1].url, STR("http://shop/")) && all[1].time == 20 && all[1].received == 30);
    const uint32_t mine[] = { 4 };
    assert_int_equal(feedback_newest(s.artifacts, mine, 1, 10, &s.arena, &all, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(feedback_newest(s.artifacts, NULL, 0, 2, &s.arena, &all, &n, &err), 0);
    assert_int_equal(n, 2);
}

static void it_goes_with_the_records(void **unused)
{
    struct err err = { 0 };
    struct feedback f = { .project = 3, .event = EVENT, .comments = STR("x"), .received = 5000 }, *all;
    size_t n;
    s.options.retention_ns = 1000;
    scratch_reopen(&s);
    assert_int_equal(feedback_put(s.artifacts, &f, &err), 0);
    assert_int_equal(artifacts_collect(s.artifacts, 6000, &err), 0);
    assert_int_equal(feedback_of_event(s.artifacts, 3, EVENT, &s.arena, &all, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(artifacts_collect(s.artifacts, 6001, &err), 0);
    assert_int_equal(feedback_of_event(s.artifacts, 3, EVENT, &s.arena, &all, &n, &err), 0);
    assert_int_equal(n, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = { T(it_is_found_by_its_event), T(it_goes_with_the_records) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
