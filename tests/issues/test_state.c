// States with a clock of our own: what events and time do to them, and that events from before a state do nothing.
#include "base/mem.h"
#include "issues/issues_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

#define T0 (20000 * DAY_NS)

struct world {
    struct issues is;
    unsigned user;
};

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    w->is.pending_tail = &w->is.pending;
    arena_init(&w->is.pending_arena, 16 << 20);
    return w;
}

static void world_free(struct world *w)
{
    index_free(&w->is.index);
    arena_free(&w->is.pending_arena);
    free(w);
}

static void event(struct world *w, int64_t time, const char *release)
{
    char user[16];
    int n = snprintf(user, sizeof user, "%u", w->user++);
    struct event e = { .project = 1,
                       .time = time,
                       .received = time,
                       .group = STR("0123456789abcdef0123456789abcdef"),
                       .title = STR("TypeError: x"),
                       .severity = 17,
                       .handled = -1,
                       .user = str_of(user, (size_t)n),
                       .release = str_z(release) };
    assert_int_equal(issues_count_event(&w->is, &e), 0);
}

static struct issue *only(struct world *w)
{
    assert_int_equal(w->is.index.issues_end, 2);
    return w->is.index.issues[1];
}

static unsigned activity(const struct world *w)
{
    unsigned n = 0;
    for (const struct pending *p = w->is.pending; p; p = p->next)
        n++;
    return n;
}

static void test_new_and_ongoing(void **unused)
{
    struct world *w = world_new();
    event(w, T0, "shop@1.0");
    event(w, T0 + 1, "shop@1.0");
    assert_int_equal(only(w)->state, ISSUE_NEW);
    assert_int_equal(activity(w), 1);
    assert_int_equal(state_tick(&w->is, T0 + ISSUE_NEW_NS - 1), 0);
    assert_int_equal(only(w)->state, ISSUE_NEW);
    assert_int_equal(state_tick(&w->is, T0 + ISSUE_NEW_NS), 0);
    assert_int_equal(only(w)->state, ISSUE_ONGOING);
    assert_int_equal(state_tick(&w->is, T0 + 2 * ISSUE_NEW_NS), 0);
    assert_int_equal(activity(w), 2);
    world_free(w);
}

static void resolve(struct world *w, int64_t when, enum issue_resolved kind, const char *release)
{
    struct issue_more *m = issue_more(only(w));
    m->resolved = kind;
    issue_text_set(&m->release, str_z(release));
    state_set(only(w), ISSUE_RESOLVED, when);
}

static void test_regressed_once(void **unused)
{
    struct world *w = world_new();
    event(w, T0, "");
    resolve(w, T0 + 100, RESOLVED_NOW, NULL);
    event(w, T0 + 50, ""); // received before, counted after
    event(w, T0 + 100, "");
    assert_int_equal(only(w)->state, ISSUE_RESOLVED);
    event(w, T0 + 12 * DAY_NS + 100, "shop@1.4.2");
    assert_int_equal(only(w)->state, ISSUE_REGRESSED);
    assert_string_equal(only(w)->more->reason, "back after 12 d in shop@1.4.2");
    const struct pending *said = w->is.pending;
    while (said->next)
        said = said->next;
    assert_true(str_eq(said->kind, STR("regressed")) && str_eq(said->data, STR("{\"release\":\"shop@1.4.2\"}")));
    unsigned before = activity(w);
    event(w, T0 + 12 * DAY_NS + 100, "shop@1.4.2"); // the log again
    event(w, T0 + 12 * DAY_NS + 200, "shop@1.4.2");
    assert_int_equal(activity(w), before);
    world_free(w);
}

static void test_resolved_in_a_release(void **unused)
{
    struct world *w = world_new();
    event(w, T0, "shop@1.0");
    resolve(w, T0 + 1, RESOLVED_RELEASE, "shop@1.2");
    event(w, T0 + 2, "shop@1.1.9");
    assert_int_equal(only(w)->state, ISSUE_RESOLVED);
    event(w, T0 + 3, "shop@1.2.0");
    assert_int_equal(only(w)->state, ISSUE_REGRESSED);
    resolve(w, T0 + 4, RESOLVED_NEXT_RELEASE, "shop@1.2.0");
    event(w, T0 + 5, "shop@1.2.0");
    assert_int_equal(only(w)->state, ISSUE_RESOLVED);
    event(w, T0 + 6, "shop@1.2.1");
    assert_int_equal(only(w)->state, ISSUE_REGRESSED);
    resolve(w, T0 + 7, RESOLVED_COMMIT, NULL);
    event(w, T0 + 8, "shop@1.3");
    assert_int_equal(only(w)->state, ISSUE_RESOLVED);
    world_free(w);
}

static void archive(struct world *w, int64_t when, struct issue_until_rule rule)
{
    struct issue_more *m = issue_more(only(w));
    m->until = rule;
    m->users_base = issue_users(&w->is, only(w));
    state_set(only(w), ISSUE_ARCHIVED, when);
}

static void test_archived(void **unused)
{
    struct world *w = world_new();
    event(w, T0, "");
    archive(w, T0 + 10, (struct issue_until_rule){ .kind = UNTIL_EVENTS, .n = 3 });
    event(w, T0 + 5, ""); // before
    event(w, T0 + 11, "");
    event(w, T0 + 12, "");
    assert_int_equal(only(w)->state, ISSUE_ARCHIVED);
    event(w, T0 + 13, "");
    assert_int_equal(only(w)->state, ISSUE_ONGOING);
    archive(w, T0 + 20, (struct issue_until_rule){ .kind = UNTIL_USERS, .n = 2 });
    w->user--;
    event(w, T0 + 21, ""); // who was there before
    event(w, T0 + 22, "");
    assert_int_equal(only(w)->state, ISSUE_ARCHIVED);
    event(w, T0 + 23, "");
    assert_int_equal(only(w)->state, ISSUE_ONGOING);
    archive(w, T0 + 30, (struct issue_until_rule){ .kind = UNTIL_TIME, .time = T0 + 40 });
    state_tick(&w->is, T0 + 39);
    assert_int_equal(only(w)->state, ISSUE_ARCHIVED);
    state_tick(&w->is, T0 + 40);
    assert_int_equal(only(w)->state, ISSUE_ONGOING);
    archive(w, T0 + 50, (struct issue_until_rule){ .kind = UNTIL_EVENTS, .n = 3, .window_s = 60 });
    for (int i = 0; i < 10; i++)
        event(w, T0 + 50 + (i + 1) * MINUTE_NS, "");
    assert_int_equal(only(w)->state, ISSUE_ARCHIVED);
    for (int i = 0; i < 4; i++)
        event(w, T0 + 50 + 20 * MINUTE_NS + i, "");
    assert_int_equal(only(w)->state, ISSUE_ONGOING);
    world_free(w);
}

static void test_escalating(void **unused)
{
    struct world *w = world_new();
    for (int hour = 0; hour < 200; hour++)
        for (int i = 0; i < 10; i++)
            event(w, T0 + hour * HOUR_NS + i * MINUTE_NS, "");
    assert_int_equal(only(w)->state, ISSUE_NEW);
    int64_t now = T0 + 200 * HOUR_NS;
    for (int i = 0; i < 23; i++)
        event(w, now + i * NS_PER_S, "");
    assert_int_equal(only(w)->state, ISSUE_NEW);
    event(w, now + 30 * NS_PER_S, "");
    assert_int_equal(only(w)->state, ISSUE_ESCALATING);
    assert_string_equal(only(w)->more->reason, "24 events within the hour; usual are 10, and up to 23");
    unsigned before = activity(w);
    archive(w, now + 40 * NS_PER_S, (struct issue_until_rule){ .kind = UNTIL_ESCALATING });
    for (int i = 0; i < 23; i++)
        event(w, now + (41 + i) * NS_PER_S, "");
    assert_int_equal(only(w)->state, ISSUE_ARCHIVED);
    assert_int_equal(activity(w), before);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_and_ongoing),
        cmocka_unit_test(test_regressed_once),
        cmocka_unit_test(test_resolved_in_a_release),
        cmocka_unit_test(test_archived),
        cmocka_unit_test(test_escalating),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
