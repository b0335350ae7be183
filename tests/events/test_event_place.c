// Where an event stands in its issue: walking from the oldest by `next` comes past each once, in the order of time and id,
// also where many share a moment; and back again.
#include "base/err.h"
#include "base/must.h"
#include "events/events.h"
#include "fixture_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

enum { EVENTS = 120 };

// One in three is of issue 42; seven of those share each moment.
static int64_t time_of(uint32_t n) { return FIXTURE_T0 + (int64_t)(n / 21) * 1000000; }
static void id_of(char out[33], uint32_t n) { snprintf(out, 33, "%032x", n * 2654435761u); }

static int feed(const struct record_sink *sink, void *ctx)
{
    static const struct record_entity none;
    int rc = sink->section(sink->ctx, &none, &none);
    for (uint32_t n = *(uint32_t *)ctx; n < EVENTS && rc == 0; n += 2) {
        char id[33];
        id_of(id, n);
        struct attr a[] = { { STR("event_id"), ATTR_FIELD, value_str(str_of(id, 32)) },
                            { STR("group"), ATTR_FIELD, value_str(n % 3 ? STR(FIXTURE_G43) : STR(FIXTURE_G42)) },
                            { STR("user.id"), ATTR_RECORD, value_str(STR("u")) } };
        struct record r = { .source = RECORD_EVENTS, .time = time_of(n), .attrs = a, .attrs_n = n == 60 ? 3 : 2 };
        r.has_trace = n == 60;
        r.trace[3] = 1;
        rc = sink->record(sink->ctx, &r);
    }
    return rc;
}

static int order(const void *pa, const void *pb)
{
    uint32_t a = *(const uint32_t *)pa, b = *(const uint32_t *)pb;
    char x[33], y[33];
    if (time_of(a) != time_of(b))
        return time_of(a) < time_of(b) ? -1 : 1;
    id_of(x, a);
    id_of(y, b);
    return strcmp(x, y);
}

static bool is(str id, uint32_t n)
{
    char text[33];
    id_of(text, n);
    return str_eq(id, str_of(text, 32));
}

enum { GONE = 100, CELL_NS = 2000000 };

// Who counts: 100 events that are not stored any more, and cells that are wider than a moment.
static int counted(void *ctx, int64_t issue, int64_t time, struct event_counted *ret)
{
    (void)ctx;
    if (issue != 42)
        return ERR_NOENT;
    *ret = (struct event_counted){
        .total = GONE, .first = time_of(0) - CELL_NS, .last = time_of(EVENTS - 1), .edge = INT64_MAX
    };
    if (time < INT64_MAX - CELL_NS)
        ret->edge = (time / CELL_NS + 1) * CELL_NS;
    for (uint32_t n = 0; n < EVENTS; n += 3) {
        ret->total++;
        ret->later += time_of(n) >= ret->edge;
    }
    return 0;
}

static void check(struct view *v, const struct event_counts *counts)
{
    uint32_t gone = counts ? GONE : 0;
    struct query_request who = { .all_projects = true, .issues = &fixture_issues };
    uint32_t all[EVENTS], of = 0;
    struct arena arena;
    struct query_error error;
    int64_t time;
    str id;
    for (uint32_t n = 0; n < EVENTS; n += 3)
        all[of++] = n;
    qsort(all, of, sizeof *all, order);
    arena_init(&arena, 64 << 20);
    struct event_request q = { v, &who, &arena, counts };
    for (uint32_t i = 0; i < of; i++) {
        struct event e = { .time = time_of(all[i]) };
        struct event_place place;
        char text[33];
        id_of(text, all[i]);
        e.id = str_of(text, 32);
        assert_int_equal(event_place(&q, 42, &e, &place, &error), 0);
        assert_int_equal(place.index, gone + i + 1);
        assert_int_equal(place.of, gone + of);
        assert_true(i == 0 ? place.previous.len == 0 : is(place.previous, all[i - 1]));
        assert_true(i + 1 == of ? place.next.len == 0 : is(place.next, all[i + 1]));
    }
    assert_int_equal(event_pick(&q, 42, EVENT_LATEST, &id, &time, &error), 0);
    assert_true(is(id, all[of - 1]) && time == time_of(all[of - 1]));
    assert_int_equal(event_pick(&q, 42, EVENT_OLDEST, &id, &time, &error), 0);
    assert_true(is(id, all[0]) && time == time_of(all[0]));
    assert_int_equal(event_pick(&q, 42, EVENT_RECOMMENDED, &id, &time, &error), 0);
    assert_true(is(id, 60)); // the only one with a trace and a user
    assert_int_equal(event_pick(&q, 44, EVENT_LATEST, &id, &time, &error), ERR_NOENT);
    assert_int_equal(event_pick(&q, 44, EVENT_RECOMMENDED, &id, &time, &error), ERR_NOENT);
    arena_free(&arena);
}

static void test_neighbours(void **state)
{
    for (int settle = 0; settle < 3; settle++) { // head, half and half, parts
        struct fixture_store f;
        struct view *v;
        fixture_store_open(&f);
        for (uint32_t k = 0; k < 2; k++) {
            fixture_store_put(&f, 1, feed, &k);
            if (settle > (int)k)
                assert_int_equal(store_settle(f.s, NULL), 0);
        }
        assert_int_equal(store_view(f.s, &v), 0);
        check(v, NULL);
        check(v, &(struct event_counts){ NULL, counted });
        view_unref(v);
        fixture_store_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_neighbours) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
