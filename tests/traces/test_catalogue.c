// What there is, with counts, over a real store: head, parts, and both.
#include "fixture_store.h"
#include "traces/catalogue.h"
#include "traces/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

struct stored {
    struct fixture_store f;
    struct view *v;
};

static void stored_open(struct stored *s, bool first, bool second)
{
    fixture_store_open(&s->f);
    fixture_store_feed(&s->f, 0x0f0f);
    if (first)
        assert_int_equal(store_settle(s->f.s, NULL), 0);
    fixture_store_feed(&s->f, ~0x0f0fu);
    if (second)
        assert_int_equal(store_settle(s->f.s, NULL), 0);
    assert_int_equal(store_view(s->f.s, &s->v), 0);
}

static void stored_close(struct stored *s)
{
    view_unref(s->v);
    fixture_store_close(&s->f);
}

static const struct catalogue_field *field(const struct catalogue *c, const char *name, const char *level)
{
    for (uint32_t i = 0; i < c->n; i++) {
        if (str_eq(c->fields[i].name, str_z(name)) && str_eq(c->fields[i].level, str_z(level)))
            return &c->fields[i];
    }
    return NULL;
}

static void check_services(struct stored *s)
{
    struct query_request q = fixture_request("");
    struct query_error err;
    struct catalogue c;
    assert_int_equal(catalogue_services(&q, s->v, &c, &err), 0);
    assert_int_equal(c.n, 6);
    assert_true(str_eq(c.services[0].name, STR("checkout")));
    assert_int_equal(c.services[0].spans, 2);
    assert_int_equal(c.services[0].errors, 1);
    assert_int_equal(c.services[0].logs, 3);
    assert_int_equal(c.services[0].last, FIXTURE_T0 + 10015000000);
    assert_true(str_eq(c.services[1].name, STR("billing")));
    assert_int_equal(c.services[1].spans, 0);
    catalogue_free(&c);
    assert_int_equal(catalogue_operations(&q, s->v, STR("db"), &c, &err), 0);
    assert_int_equal(c.n, 2);
    assert_true(str_eq(c.operations[0].name, STR("SELECT orders")) && str_eq(c.operations[0].kind, STR("client")));
    catalogue_free(&c);
    assert_int_equal(catalogue_operations(&q, s->v, STR(""), &c, &err), 0);
    assert_int_equal(c.n, 6);
    catalogue_free(&c);
    // A name is a value, whatever is in it.
    assert_int_equal(catalogue_operations(&q, s->v, STR("o'clock | limit 1"), &c, &err), 0);
    assert_int_equal(c.n, 0);
    catalogue_free(&c);
}

static void check_fields(struct stored *s)
{
    struct query_request q = fixture_request("");
    struct query_error err;
    struct catalogue c;
    const struct catalogue_field *f;
    assert_int_equal(catalogue_fields(&q, s->v, STR("spans"), &c, &err), 0);
    f = field(&c, "duration", "fixed");
    assert_true(f && f->rows == 8 && f->types == 1u << QVAL_DURATION);
    f = field(&c, "parent", "fixed");
    assert_true(f && f->rows == 6);
    f = field(&c, "version", "fixed");
    assert_true(f && f->rows == 4);
    assert_null(field(&c, "tracestate", "fixed")); // no row has one
    f = field(&c, "rows", "attr");
    assert_true(f && f->rows == 3 && f->types == (1u << QVAL_INT | 1u << QVAL_DOUBLE));
    f = field(&c, "service.name", "resource");
    assert_true(f && f->rows == 8);
    f = field(&c, "queue", "attr");
    assert_true(f && f->types == 1u << QVAL_LIST);
    assert_null(field(&c, "body", "fixed"));
    catalogue_free(&c);
    assert_int_equal(catalogue_fields(&q, s->v, STR("*"), &c, &err), 0);
    f = field(&c, "time", "fixed");
    assert_true(f && f->rows == FIXTURE_RECORDS);
    f = field(&c, "retry", "attr");
    assert_true(f && f->rows == 3);
    catalogue_free(&c);
    assert_true(catalogue_fields(&q, s->v, STR("spans | limit 1"), &c, &err) < 0);
    assert_int_equal(err.code, QUERY_E_UNKNOWN_SOURCE);
    q.to = FIXTURE_T0 + 1000000000;
    assert_int_equal(catalogue_fields(&q, s->v, STR("spans"), &c, &err), 0);
    f = field(&c, "rows", "attr");
    assert_true(f && f->rows == 2);
    catalogue_free(&c);
}

static void check_values(struct stored *s)
{
    struct query_request q = fixture_request("");
    struct query_error err;
    struct catalogue c;
    assert_int_equal(catalogue_values(&q, s->v, STR("spans"), STR("service"), STR(""), &c, &err), 0);
    assert_int_equal(c.n, 5);
    assert_true(str_eq(c.values[0].value.s, STR("checkout")) && c.values[0].rows == 2);
    catalogue_free(&c);
    assert_int_equal(catalogue_values(&q, s->v, STR("spans"), STR("name"), STR("SEL"), &c, &err), 0);
    assert_int_equal(c.n, 2);
    catalogue_free(&c);
    assert_int_equal(catalogue_values(&q, s->v, STR("spans"), STR("name"), STR("*"), &c, &err), 0);
    assert_int_equal(c.n, 0); // a star is a star
    catalogue_free(&c);
    assert_int_equal(catalogue_values(&q, s->v, STR("spans"), STR("http.response.status_code"), STR(""), &c, &err), 0);
    assert_int_equal(c.n, 4);
    catalogue_free(&c);
    q.limit = 2;
    assert_int_equal(catalogue_values(&q, s->v, STR("*"), STR("service"), STR(""), &c, &err), 0);
    assert_int_equal(c.n, 2);
    assert_true(c.more);
    catalogue_free(&c);
    assert_true(catalogue_values(&q, s->v, STR("spans"), STR("a` | limit 1"), STR(""), &c, &err) < 0);
    assert_int_equal(err.code, QUERY_E_BAD_ARGUMENT);
}

static void check_histogram(struct stored *s)
{
    struct query_request q = fixture_request("* service=checkout | limit 1 # only the filter counts");
    struct query_error err;
    struct catalogue c;
    uint64_t rows = 0, errors = 0;
    assert_int_equal(catalogue_histogram(&q, s->v, 60, &c, &err), 0);
    assert_true(c.n > 30 && c.n <= 60);
    for (uint32_t i = 0; i < c.n; i++) {
        rows += c.buckets[i].rows;
        errors += c.buckets[i].errors;
        assert_true(i == 0 || c.buckets[i].time == c.buckets[i - 1].time + c.step);
    }
    assert_int_equal(rows, 8);   // two spans, three logs, an error event, two snapshots
    assert_int_equal(errors, 3); // one of each
    catalogue_free(&c);
    q.text = STR("spans (a=b");
    assert_true(catalogue_histogram(&q, s->v, 60, &c, &err) < 0);
    assert_int_equal(err.code, QUERY_E_UNCLOSED);
}

static void check_trace(struct stored *s)
{
    struct trace_request q = { .all_projects = true, .logs = true };
    struct trace *t;
    assert_int_equal(trace_id_parse(STR(FIXTURE_T2), q.id), 0);
    assert_int_equal(trace_load(&q, s->v, &t, NULL), 0);
    assert_int_equal(t->spans_n, 4);
    assert_int_equal(t->logs_n, 1);
    assert_int_equal(t->spans[2].depth, 2);
    assert_true(str_eq(t->spans[3].links[0].name, STR("")) && t->spans[3].links[0].span == fixture_span_id(1));
    trace_free(t);
}

static void check_all(bool first, bool second)
{
    struct stored s;
    stored_open(&s, first, second);
    check_services(&s);
    check_fields(&s);
    check_values(&s);
    check_histogram(&s);
    check_trace(&s);
    stored_close(&s);
}

static void test_head(void **state) { check_all(false, false); }
static void test_parts(void **state) { check_all(true, true); }
static void test_head_and_parts(void **state) { check_all(true, false); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_head_and_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
