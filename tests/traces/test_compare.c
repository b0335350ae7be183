// Two traces as one call tree: what is matched, folded, counted and told apart.
#include "base/mem.h"
#include "traces/compare.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

// depth, service, name, start, duration, status; in tree order
struct sketch {
    uint32_t depth;
    const char *service, *name;
    int64_t time, duration;
    bool failed;
    struct attr attr;
};

static struct trace sketch_trace(const struct sketch *s, uint32_t n, struct trace_span *spans)
{
    int32_t open[16] = { 0 };
    for (uint32_t i = 0; i < n; i++) {
        spans[i] = (struct trace_span){ .span = i + 1,
                                        .depth = s[i].depth,
                                        .parent_index = s[i].depth ? open[s[i].depth - 1] : -1,
                                        .service = str_z(s[i].service),
                                        .name = str_z(s[i].name),
                                        .time = s[i].time,
                                        .duration = s[i].duration,
                                        .status = s[i].failed ? STATUS_ERROR : 0,
                                        .attrs = &s[i].attr,
                                        .attrs_n = s[i].attr.key.len > 0 };
        spans[i].parent = s[i].depth ? spans[spans[i].parent_index].span : 0;
        open[s[i].depth] = (int32_t)i;
    }
    return (struct trace){ .magic = TRACE_MAGIC, .spans = spans, .spans_n = n, .services_n = n };
}

static struct attr text_attr(const char *key, const char *value)
{
    return (struct attr){ .key = str_z(key), .value = { .type = VALUE_STR, .s = str_z(value) } };
}

static const struct compare_row *row(const struct compare *c, const char *name, uint32_t depth)
{
    for (uint32_t i = 0; i < c->rows_n; i++)
        if (str_eq(c->rows[i].name, str_z(name)) && c->rows[i].depth == depth)
            return &c->rows[i];
    return NULL;
}

static struct compare *compare(const struct sketch *a, uint32_t a_n, const struct sketch *b, uint32_t b_n)
{
    struct trace_span spans[64];
    struct compare *c = NULL;
    struct trace t = sketch_trace(a, a_n, spans);
    assert_int_equal(compare_new(&t, 0, &c), 0);
    t = sketch_trace(b, b_n, spans);
    assert_int_equal(compare_add(c, &t), 0);
    assert_int_equal(compare_end(c), 0);
    return c;
}

static void test_repeats_fold_and_rows_match(void **state)
{
    const struct sketch a[] = {
        { .depth = 0, .service = "web", .name = "GET", .duration = 100 },
        { .depth = 1, .service = "db", .name = "SELECT", .time = 10, .duration = 10 },
        { .depth = 1, .service = "db", .name = "SELECT", .time = 20, .duration = 10, .failed = true },
        { .depth = 1, .service = "db", .name = "SELECT", .time = 30, .duration = 40 },
        { .depth = 1, .service = "shop", .name = "only a", .time = 80, .duration = 5 }
    };
    const struct sketch b[] = { { .depth = 0, .service = "web", .name = "GET", .duration = 50 },
                                { .depth = 1, .service = "shop", .name = "only b", .time = 1, .duration = 4 },
                                { .depth = 1, .service = "db", .name = "SELECT", .time = 10, .duration = 10 } };
    struct compare *c = compare(a, 5, b, 3);
    assert_int_equal(c->rows_n, 4);
    const struct compare_row *select = row(c, "SELECT", 1), *only_a = row(c, "only a", 1),
                             *only_b = row(c, "only b", 1);
    assert_int_equal(select->a.spans, 3);
    assert_int_equal(select->a.errors, 1);
    assert_int_equal(select->a.duration, 60);
    assert_int_equal(select->a.from, 10);
    assert_int_equal(select->a.to, 70);
    assert_int_equal(select->b.spans, 1);
    assert_int_equal(select->traces, 1);
    assert_int_equal(only_a->traces, 0);
    assert_int_equal(only_b->a.spans, 0);
    // As a tree, siblings by when they begin.
    const char *want[] = { "GET", "only b", "SELECT", "only a" };
    for (int i = 0; i < 4; i++)
        assert_true(str_eq(c->rows[c->order[i]].name, str_z(want[i])));
    int64_t critical_a = 0, critical_b = 0;
    for (uint32_t i = 0; i < c->rows_n; i++) {
        critical_a += c->rows[i].a.critical;
        critical_b += c->rows[i].b.critical;
    }
    assert_int_equal(critical_a, 100);
    assert_int_equal(critical_b, 50);
    compare_free(c);
}

static void test_place_tells_apart(void **state)
{
    // The same call from two places is two rows; below a folded row it is one.
    const struct sketch a[] = { { .depth = 0, .service = "web", .name = "GET", .duration = 100 },
                                { .depth = 1, .service = "web", .name = "x", .time = 10, .duration = 10 },
                                { .depth = 2, .service = "db", .name = "SELECT", .time = 11, .duration = 1 },
                                { .depth = 1, .service = "web", .name = "x", .time = 30, .duration = 10 },
                                { .depth = 2, .service = "db", .name = "SELECT", .time = 31, .duration = 1 },
                                { .depth = 1, .service = "db", .name = "SELECT", .time = 50, .duration = 1 } };
    struct compare *c = compare(a, 6, a, 1);
    assert_int_equal(c->rows_n, 4);
    assert_int_equal(row(c, "SELECT", 2)->a.spans, 2);
    assert_int_equal(row(c, "SELECT", 1)->a.spans, 1);
    compare_free(c);
}

static void test_rows_of_the_other_side_stand_where_they_are_there(void **state)
{
    const struct sketch a[] = { { .depth = 0, .service = "web", .name = "GET", .duration = 1000 },
                                { .depth = 1, .service = "web", .name = "price", .time = 800, .duration = 60 },
                                { .depth = 1, .service = "web", .name = "undo", .time = 900, .duration = 60 } };
    const struct sketch b[] = { { .depth = 0, .service = "web", .name = "GET", .duration = 100 },
                                { .depth = 1, .service = "web", .name = "price", .time = 20, .duration = 60 },
                                { .depth = 1, .service = "web", .name = "charge", .time = 81, .duration = 9 } };
    struct compare *c = compare(a, 3, b, 3);
    const char *want[] = { "GET", "price", "charge", "undo" };
    for (int i = 0; i < 4; i++)
        assert_true(str_eq(c->rows[c->order[i]].name, str_z(want[i])));
    compare_free(c);
}

static void test_roots_are_one_row(void **state)
{
    const struct sketch a[] = { { .depth = 0, .service = "web", .name = "GET /a", .duration = 10 } };
    const struct sketch b[] = { { .depth = 0, .service = "web", .name = "GET /b", .duration = 30 } };
    struct compare *c = compare(a, 1, b, 1);
    assert_int_equal(c->rows_n, 1);
    assert_true(str_eq(c->rows[0].name, STR("GET /a")) && str_eq(c->rows[0].other_name, STR("GET /b")));
    assert_int_equal(c->rows[0].b.duration, 30);
    compare_free(c);
}

static void test_attributes_that_differ(void **state)
{
    struct sketch a = { .service = "web", .name = "GET", .duration = 1, .attr = text_attr("kind", "percent_bp") };
    struct sketch b = { .service = "web", .name = "GET", .duration = 1, .attr = text_attr("kind", "fixed") };
    struct compare *c = compare(&a, 1, &b, 1);
    assert_int_equal(c->rows[0].attrs_n, 1);
    assert_true(compare_attr_differs(&c->rows[0], &c->rows[0].attrs[0]));
    assert_true(str_eq(c->rows[0].attrs[0].a, STR("\"percent_bp\"")));
    assert_true(str_eq(compare_attr_usual(&c->rows[0].attrs[0])->json, STR("\"fixed\"")));
    compare_free(c);
    c = compare(&a, 1, &a, 1);
    assert_false(compare_attr_differs(&c->rows[0], &c->rows[0].attrs[0]));
    compare_free(c);
}

static void test_a_population(void **state)
{
    struct trace_span spans[64];
    struct sketch a[] = {
        { .service = "web", .name = "GET", .duration = 100, .attr = text_attr("id", "mine") },
        { .depth = 1, .service = "db", .name = "slow", .duration = 90, .attr = text_attr("plan", "scan") }
    };
    struct trace t = sketch_trace(a, 2, spans);
    struct compare *c = NULL;
    assert_int_equal(compare_new(&t, 0, &c), 0);
    for (int i = 1; i <= 20; i++) {
        char id[16];
        snprintf(id, sizeof id, "own %d", i);
        struct sketch b[] = {
            { .service = "web", .name = "GET", .duration = 10 * (21 - i), .attr = text_attr("id", id) },
            { .depth = 1,
              .service = "db",
              .name = "slow",
              .duration = i,
              .failed = i == 3,
              .attr = text_attr("plan", i % 10 ? "index" : "scan") }
        };
        t = sketch_trace(b, i % 2 ? 2 : 1, spans);
        assert_int_equal(compare_add(c, &t), 0);
    }
    assert_int_equal(compare_end(c), 0);
    assert_int_equal(c->traces, 20);
    assert_int_equal(c->durations[0], 10);
    assert_int_equal(c->durations[19], 200);
    const struct compare_row *slow = row(c, "slow", 1), *get = row(c, "GET", 0);
    assert_int_equal(slow->traces, 10);
    assert_int_equal(slow->error_traces, 1);
    assert_int_equal(slow->durations[0], 1);
    assert_int_equal(slow->durations[9], 19);
    assert_true(compare_attr_differs(slow, &slow->attrs[0]));
    assert_false(compare_attr_differs(get, &get->attrs[0])); // each has an id of its own
    compare_free(c);
}

static void test_limits(void **state)
{
    struct sketch one = { .service = "web", .name = "GET", .duration = 10 };
    uint32_t n = COMPARE_ROWS_MAX + 10;
    struct trace_span *spans = mem_calloc(n, sizeof *spans), root[1];
    char(*names)[16] = mem_calloc(n, sizeof *names);
    struct trace t = sketch_trace(&one, 1, root),
                 wide = { .magic = TRACE_MAGIC, .spans = spans, .spans_n = n, .services_n = 1 };
    struct compare *c = NULL;
    assert_non_null(spans);
    assert_non_null(names);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(names[i], sizeof names[i], "n%u", i);
        spans[i] = (struct trace_span){
            .span = i + 1, .parent = i > 0, .depth = i > 0, .parent_index = i ? 0 : -1, .name = str_z(names[i])
        };
    }
    assert_int_equal(compare_new(&wide, 0, &c), 0);
    assert_true(c->cut);
    assert_int_equal(c->rows_n, COMPARE_ROWS_MAX);
    for (int i = 0; i < COMPARE_TRACES_MAX; i++)
        assert_int_equal(compare_add(c, &t), 0);
    assert_int_equal(compare_add(c, &t), ERR_LIMIT);
    assert_int_equal(compare_end(c), 0);
    compare_free(c);
    t.spans_n = 0;
    assert_int_equal(compare_new(&t, 0, &c), ERR_NOENT);
    mem_free(spans);
    mem_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeats_fold_and_rows_match),
        cmocka_unit_test(test_place_tells_apart),
        cmocka_unit_test(test_roots_are_one_row),
        cmocka_unit_test(test_rows_of_the_other_side_stand_where_they_are_there),
        cmocka_unit_test(test_attributes_that_differ),
        cmocka_unit_test(test_a_population),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests_name("compare", tests, NULL, NULL);
}
