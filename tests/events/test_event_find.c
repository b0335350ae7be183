// Events are found by their ids wherever they are, by those who may read them, and whole.
#include "base/err.h"
#include "base/must.h"
#include "events/events.h"
#include "fixture_store.h"
#include "wire/sentry_payload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h needs the two above
#include <cmocka.h>

#define T0 1767225600000000000LL
enum { EVENTS = 9000 }; // more than a block

static void id_of(char out[33], uint32_t n) { snprintf(out, 33, "%032x", n * 2654435761u); }

struct fed {
    uint32_t from, n;
};

static int feed(const struct record_sink *sink, void *ctx)
{
    const struct fed *f = ctx;
    struct attr service = { STR("service.name"), ATTR_RESOURCE, value_str(STR("shop")) };
    struct record_entity resource = { .attrs = &service, .attrs_n = 1 }, scope = { .name = STR("sdk") };
    struct json_node text = { .type = JSON_STRING, .key = STR("message"), .text = STR("hello") };
    struct json_node root = { .type = JSON_OBJECT, .n = 1, .first = &text };
    struct sentry_packer packer;
    bytes packed;
    sentry_packer_init(&packer);
    must(sentry_payload_pack(&packer, &root, &packed) == 0);
    int rc = sink->section(sink->ctx, &resource, &scope);
    for (uint32_t i = f->from; i < f->from + f->n && rc == 0; i++) {
        char id[33];
        id_of(id, i);
        struct attr a[] = { { STR("event_id"), ATTR_FIELD, value_str(str_of(id, 32)) },
                            { STR("title"), ATTR_FIELD, value_str(STR("a title")) },
                            { STR("handled"), ATTR_FIELD, value_bool(false) },
                            { STR("payload"), ATTR_FIELD, { .type = VALUE_BYTES, .s = str_of_bytes(packed) } },
                            { STR("user.ip_address"), ATTR_RECORD, value_str(STR("10.0.0.1")) } };
        struct record r = { .source = RECORD_EVENTS, .time = T0 + i, .severity = 17, .attrs = a, .attrs_n = 5 };
        r.has_trace = true;
        r.trace[15] = 7;
        r.span = 9;
        rc = sink->record(sink->ctx, &r);
    }
    sentry_packer_free(&packer);
    return rc;
}

static void put(struct fixture_store *f, uint32_t project, uint32_t from, uint32_t n)
{
    struct fed fed = { from, n };
    fixture_store_put(f, project, feed, &fed);
}

static int find(struct view *v, uint32_t n, uint32_t project, int64_t hint, struct arena *arena, struct event *e)
{
    struct query_project mine = { project, STR("p") };
    struct query_request who = { .projects = &mine, .projects_n = project != 0, .all_projects = project == 0 };
    struct event_request q = { v, &who, arena };
    struct err err;
    char id[33];
    id_of(id, n);
    return event_find(&q, str_of(id, 32), hint, e, &err);
}

static void test_everywhere(void **state)
{
    struct fixture_store f;
    struct arena arena;
    struct event e;
    struct view *v;
    arena_init(&arena, 64 << 20);
    fixture_store_open(&f);
    put(&f, 1, 0, EVENTS);
    assert_int_equal(store_settle(f.s, NULL), 0);
    put(&f, 2, EVENTS, 10);
    assert_int_equal(store_settle(f.s, NULL), 0);
    put(&f, 1, 2 * EVENTS, 10); // in the head
    assert_int_equal(store_view(f.s, &v), 0);
    static const uint32_t there[] = { 0, 1, 8191, 8192, EVENTS - 1, EVENTS, EVENTS + 9, 2 * EVENTS, 2 * EVENTS + 9 };
    for (size_t i = 0; i < sizeof there / sizeof *there; i++) {
        for (int64_t hint = 0; hint < 3; hint++)
            assert_int_equal(find(v, there[i], 0, hint == 1 ? T0 : hint * 100, &arena, &e), 0);
        assert_int_equal(e.time, T0 + there[i]);
        assert_true(str_eq(e.json, STR("{\"message\":\"hello\"}")));
        assert_true(str_eq(e.title, STR("a title")) && str_eq(e.user_address, STR("10.0.0.1")));
        assert_int_equal(e.handled, 0);
        assert_int_equal(e.trace[15], 7);
        assert_int_equal(e.span, 9);
        assert_int_equal(e.resource->attrs_n, 1);
    }
    for (uint32_t n = 3 * EVENTS; n < 3 * EVENTS + 50; n++)
        assert_int_equal(find(v, n, 0, 0, &arena, &e), ERR_NOENT);
    // Of another project it is not there.
    assert_int_equal(find(v, EVENTS, 1, 0, &arena, &e), ERR_NOENT);
    assert_int_equal(find(v, EVENTS, 2, 0, &arena, &e), 0);
    assert_int_equal(find(v, 2 * EVENTS, 2, 0, &arena, &e), ERR_NOENT);
    view_unref(v);
    // The same id in two projects: to each his own.
    put(&f, 2, 5, 1);
    assert_int_equal(store_view(f.s, &v), 0);
    assert_int_equal(find(v, 5, 1, 0, &arena, &e), 0);
    assert_int_equal(e.project, 1);
    assert_int_equal(find(v, 5, 2, 0, &arena, &e), 0);
    assert_int_equal(e.project, 2);
    view_unref(v);
    arena_free(&arena);
    fixture_store_close(&f);
}

static bool gone(void *ctx) { return true; }

static void test_who_has_left(void **state)
{
    struct fixture_store f;
    struct arena arena;
    struct event e;
    struct view *v;
    struct err err;
    struct query_request who = { .all_projects = true, .cancelled = gone };
    char id[33];
    arena_init(&arena, 64 << 20);
    fixture_store_open(&f);
    put(&f, 1, 0, 10);
    assert_int_equal(store_view(f.s, &v), 0);
    struct event_request q = { v, &who, &arena };
    id_of(id, 3);
    assert_int_equal(event_find(&q, str_of(id, 32), 0, &e, &err), ERR_CANCELLED);
    view_unref(v);
    arena_free(&arena);
    fixture_store_close(&f);
}

static void test_ids(void **state)
{
    char hex[33];
    assert_true(event_id_parse(STR("FC6D8C0C-43FC-4630-AD85-0EE518F1B9D0"), hex));
    assert_string_equal(hex, "fc6d8c0c43fc4630ad850ee518f1b9d0");
    assert_false(event_id_parse(STR("fc6d8c0c43fc4630ad850ee518f1b9d"), hex));
    assert_false(event_id_parse(STR("fc6d8c0c43fc4630ad850ee518f1b9d00"), hex));
    assert_false(event_id_parse(STR("latest"), hex));
    assert_false(event_id_parse(STR(""), hex));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_everywhere),
        cmocka_unit_test(test_who_has_left),
        cmocka_unit_test(test_ids),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
