// Whole traces: their tree, logs, duplicates, holes and limits.
#include "base/hex.h"
#include "base/mem.h"
#include "fixture.h"
#include "traces/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

static struct trace_request request(const char *id)
{
    struct trace_request q = { .all_projects = true, .logs = true };
    assert_int_equal(trace_id_parse(str_z(id), q.id), 0);
    return q;
}

static struct trace *load(const struct trace_request *q, const struct segment *const *segments, uint32_t n)
{
    struct trace *t = NULL;
    struct err err;
    int rc = trace_load_segments(q, segments, n, &t, &err);
    if (rc < 0)
        fprintf(stderr, "# %s\n", err.message);
    assert_int_equal(rc, 0);
    return t;
}

static void test_ids(void **state)
{
    uint8_t a[16], b[16];
    assert_int_equal(trace_id_parse(STR("0AF76519-16cd-43dd-8448-eb211c80319c"), a), 0);
    assert_int_equal(trace_id_parse(STR(FIXTURE_T1), b), 0);
    assert_memory_equal(a, b, 16);
    assert_int_equal(trace_id_parse(STR("00000000000000008448eb211c80319c"), a), 0);
    assert_int_equal(trace_id_parse(STR("8448eb211c80319c"), b), 0);
    assert_memory_equal(a, b, 16);
    assert_true(trace_id_parse(STR("8448eb"), b) < 0);
    assert_true(trace_id_parse(STR(""), b) < 0);
    assert_true(trace_id_parse(STR("zz"), b) < 0);
}

static void test_fixture_trees(void **state)
{
    static const uint32_t layouts[] = { 0, 3, 1 }; // rows a block
    for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++) {
        struct fixture_segments f = { .block_rows = layouts[k] }, g = { .block_rows = layouts[k] };
        struct record_sink a = fixture_sink(&f), b = fixture_sink(&g);
        const struct segment *list[8];
        fixture_feed(&a, k == 2 ? 0x15a5 : UINT32_MAX);
        if (k == 2)
            fixture_feed(&b, ~0x15a5u);
        uint32_t n = fixture_segments_list(&f, list);
        n += fixture_segments_list(&g, list + n);

        struct trace_request q = request(FIXTURE_T1);
        struct trace *t = load(&q, list, n);
        static const struct {
            unsigned span;
            uint32_t depth, below;
            int32_t parent;
        } want[] = { { 0, 0, 3, -1 }, { 1, 1, 2, 0 }, { 2, 2, 0, 1 }, { 3, 2, 0, 1 } };
        assert_int_equal(t->spans_n, 4);
        for (int i = 0; i < 4; i++) {
            assert_int_equal(t->spans[i].span, fixture_span_id(want[i].span));
            assert_int_equal(t->spans[i].depth, want[i].depth);
            assert_int_equal(t->spans[i].descendants, want[i].below);
            assert_int_equal(t->spans[i].parent_index, want[i].parent);
            assert_false(t->spans[i].orphan || t->spans[i].cycle);
        }
        assert_true(t->complete);
        assert_int_equal(t->root, 0);
        assert_int_equal(t->errors, 1);
        assert_int_equal(t->missing, 0);
        assert_int_equal(t->time, FIXTURE_T0);
        assert_int_equal(t->duration, 900000000);
        assert_int_equal(t->services_n, 3);
        assert_true(str_eq(t->services[0].name, STR("web")) && str_eq(t->services[1].name, STR("checkout")));
        assert_int_equal(t->services[1].errors, 1);
        assert_int_equal(t->services[2].spans, 2);
        const struct trace_span *s2 = &t->spans[1];
        assert_true(str_eq(s2->name, STR("POST /order")) && str_eq(s2->service, STR("checkout")));
        assert_int_equal(s2->events_n, 1);
        assert_true(str_eq(s2->events[0].name, STR("exception")));
        assert_int_equal(s2->events[0].attrs_n, 2);
        assert_true(str_eq(s2->events[0].attrs[1].value.s, STR("db timeout")));
        assert_int_equal(s2->attrs_n, 3);
        assert_true(str_eq(s2->attrs[2].key, STR("retry")) && s2->attrs[2].value.b);
        assert_int_equal(s2->resource->attrs_n, 2);
        assert_true(str_eq(s2->scope->name, STR("fixture")));
        assert_int_equal(t->logs_n, 2);
        assert_true(str_starts(t->logs[0].body.s, STR("order 1001")) &&
                    str_starts(t->logs[1].body.s, STR("Connection")));
        assert_int_equal(t->logs[1].span_index, 1);
        assert_int_equal(t->logs[1].severity, 17);
        trace_free(t);

        q = request(FIXTURE_T2);
        t = load(&q, list, n);
        assert_int_equal(t->spans_n, 4);
        assert_false(t->complete);
        assert_int_equal(t->missing, 1);
        assert_int_equal(t->duration, 2050000000);
        assert_int_equal(t->root, 0);
        assert_int_equal(t->spans[3].span, fixture_span_id(7));
        assert_true(t->spans[3].orphan);
        assert_int_equal(t->spans[3].depth, 0);
        assert_int_equal(t->spans[3].links_n, 1);
        assert_int_equal(t->spans[3].links[0].span, fixture_span_id(1));
        assert_int_equal(t->spans[3].links[0].trace[0], 0x0a);
        trace_free(t);

        struct err err;
        q.id[3] ^= 1;
        assert_int_equal(trace_load_segments(&q, list, n, &t, &err), ERR_NOENT);
        fixture_segments_free(&f);
        fixture_segments_free(&g);
    }
}

// ---- trees by hand ----

struct hand {
    struct fake_segment *f;
    int64_t clock;
};

static void add(struct hand *h, uint64_t span, uint64_t parent, int64_t time, const char *service, uint32_t project)
{
    struct attr attrs[] = { { STR("service.name"), ATTR_RESOURCE, value_str(str_z(service)) } };
    struct record_entity resource = { .attrs = attrs, .attrs_n = 1 };
    struct record r = { .source = RECORD_SPANS,
                        .has_trace = true,
                        .span = span,
                        .parent = parent,
                        .time = time,
                        .duration = 10,
                        .name = STR("n") };
    memset(r.trace, 7, 16);
    fake_segment_add(h->f, project, ++h->clock, &resource, NULL, &r);
}

static struct trace *load_hand(struct hand *h, struct trace_request *q)
{
    const struct segment *s = fake_segment_get(h->f);
    memset(q->id, 7, 16);
    return load(q, &s, 1);
}

static void test_sent_twice(void **state)
{
    struct hand h = { fake_segment_new(RECORD_SPANS, 2), 0 };
    struct trace_request q = { .all_projects = true };
    add(&h, 1, 0, 100, "a", 1);
    add(&h, 2, 1, 110, "a", 1);
    add(&h, 2, 1, 110, "a", 1); // again
    add(&h, 2, 1, 111, "a", 1); // another span of the same id
    add(&h, 2, 1, 110, "b", 1); // and one of another resource
    struct trace *t = load_hand(&h, &q);
    assert_int_equal(t->spans_n, 4);
    trace_free(t);
    fake_segment_free(h.f);
}

static void test_shared_ids(void **state)
{
    // Client and server share the id 2; what the server calls (3) hangs below the server.
    struct hand h = { fake_segment_new(RECORD_SPANS, 0), 0 };
    struct trace_request q = { .all_projects = true };
    add(&h, 1, 0, 100, "client", 1);
    add(&h, 2, 1, 110, "client", 1);
    add(&h, 2, 1, 115, "server", 1);
    add(&h, 3, 2, 120, "server", 1);
    add(&h, 4, 2, 120, "elsewhere", 1); // no span of its service: the later one
    struct trace *t = load_hand(&h, &q);
    assert_int_equal(t->spans_n, 5);
    assert_int_equal(t->spans[3].span, 3);
    assert_true(str_eq(t->spans[t->spans[3].parent_index].service, STR("server")));
    assert_true(str_eq(t->spans[t->spans[4].parent_index].service, STR("server")));
    assert_true(t->complete);
    trace_free(t);
    fake_segment_free(h.f);
}

static void test_cycles_are_cut(void **state)
{
    struct hand h = { fake_segment_new(RECORD_SPANS, 0), 0 };
    struct trace_request q = { .all_projects = true };
    add(&h, 1, 3, 100, "a", 1);
    add(&h, 2, 1, 110, "a", 1);
    add(&h, 3, 2, 120, "a", 1);
    add(&h, 4, 2, 130, "a", 1);
    add(&h, 5, 5, 140, "a", 1); // its own parent
    struct trace *t = load_hand(&h, &q);
    static const struct {
        uint64_t span;
        uint32_t depth;
        bool cut;
    } want[] = { { 5, 0, true }, { 1, 0, true }, { 2, 1, false }, { 3, 2, false }, { 4, 2, false } };
    assert_int_equal(t->spans_n, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(t->spans[i].span, want[i].span);
        assert_int_equal(t->spans[i].depth, want[i].depth);
        assert_int_equal(t->spans[i].cycle, want[i].cut);
    }
    assert_int_equal(t->spans[1].descendants, 3);
    assert_false(t->complete);
    assert_int_equal(t->root, 1); // nothing is a root: the earliest
    trace_free(t);
    fake_segment_free(h.f);
}

static void test_deep_chain(void **state)
{
    struct hand h = { fake_segment_new(RECORD_SPANS, 0), 0 };
    struct trace_request q = { .all_projects = true };
    for (uint64_t i = 1; i <= 20000; i++)
        add(&h, i, i - 1, (int64_t)i, "a", 1);
    struct trace *t = load_hand(&h, &q);
    assert_int_equal(t->spans_n, 20000);
    assert_int_equal(t->spans[19999].depth, 19999);
    assert_int_equal(t->spans[0].descendants, 19999);
    trace_free(t);
    q.spans_max = 100;
    t = load_hand(&h, &q);
    assert_int_equal(t->spans_n, 100);
    assert_true(t->cut);
    assert_int_equal(t->spans[99].span, 100); // the earliest stay
    trace_free(t);
    q.spans_max = 0;
    q.memory_max = 100 << 10;
    struct err err;
    const struct segment *s = fake_segment_get(h.f);
    assert_int_equal(trace_load_segments(&q, &s, 1, &t, &err), ERR_NOMEM);
    fake_segment_free(h.f);
}

static void test_other_projects_do_not_exist(void **state)
{
    struct hand h = { fake_segment_new(RECORD_SPANS, 0), 0 };
    struct query_project mine = { 5, STR("mine") };
    struct trace_request q = { .projects = &mine, .projects_n = 1 };
    add(&h, 1, 0, 100, "a", 4);
    add(&h, 2, 1, 110, "b", 5);
    struct trace *t = load_hand(&h, &q);
    assert_int_equal(t->spans_n, 1);
    assert_int_equal(t->hidden, 1);
    assert_true(t->spans[0].orphan);
    trace_free(t);
    mine.id = 6;
    const struct segment *s = fake_segment_get(h.f);
    struct err err;
    assert_int_equal(trace_load_segments(&q, &s, 1, &t, &err), ERR_NOENT);
    fake_segment_free(h.f);
}

static void test_every_allocation_fails_once(void **state)
{
    struct fixture_segments f = { .block_rows = 3 };
    struct record_sink a = fixture_sink(&f);
    const struct segment *list[8];
    fixture_feed(&a, UINT32_MAX);
    uint32_t n = fixture_segments_list(&f, list);
    struct trace_request q = request(FIXTURE_T1);
    for (int64_t at = 1;; at++) {
        struct trace *t = NULL;
        struct err err;
        mem_fail_at(at);
        int rc = trace_load_segments(&q, list, n, &t, &err);
        bool failed = mem_fail_count() >= at;
        mem_fail_at(0);
        if (rc == 0) {
            assert_int_equal(t->spans_n, 4);
            trace_free(t);
        } else {
            assert_int_equal(rc, ERR_NOMEM);
        }
        if (!failed)
            break;
    }
    fixture_segments_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_fixture_trees),
        cmocka_unit_test(test_sent_twice),
        cmocka_unit_test(test_shared_ids),
        cmocka_unit_test(test_cycles_are_cut),
        cmocka_unit_test(test_deep_chain),
        cmocka_unit_test(test_other_projects_do_not_exist),
        cmocka_unit_test(test_every_allocation_fails_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
