// The critical path and self times, on the vectors that the pages are held to as well, and their sums on random trees.
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "traces/trace_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

#ifndef VECTORS
#error "VECTORS: the file of cases"
#endif

static struct arena arena;

static str file_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    static char text[1 << 20];
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_true(n < sizeof text);
    return str_of(text, n);
}

static uint64_t id_of(str s)
{
    uint8_t id[8];
    if (s.len == 0)
        return 0;
    assert_true(s.len == 16 && hex_decode(id, s));
    return be64_get(id);
}

static str next_text(struct json_reader *r)
{
    str s;
    assert_int_equal(json_element(r), 1);
    assert_int_equal(json_text(r, &s), 0);
    return s;
}

static int64_t next_int(struct json_reader *r)
{
    int64_t i;
    assert_int_equal(json_element(r), 1);
    assert_int_equal(json_int(r, &i), 0);
    return i;
}

static void list_end(struct json_reader *r) { assert_int_equal(json_element(r), 0); }

struct want {
    str name;
    uint64_t root;
    int64_t duration;
    struct {
        uint64_t span;
        int64_t from, to;
    } steps[512];
    struct {
        str service;
        int64_t self, critical;
    } services[64];
    uint32_t steps_n, services_n;
};

static void read_span(struct json_reader *r, struct trace *t)
{
    static const char *const kinds[] = { "", "internal", "server", "client", "producer", "consumer" };
    struct trace_span *s = &t->spans[t->spans_n];
    *s = (struct trace_span){ .parent_index = -1 };
    assert_int_equal(json_array(r), 0);
    s->span = id_of(next_text(r));
    s->parent = id_of(next_text(r));
    s->depth = (uint32_t)next_int(r);
    s->service = next_text(r);
    str kind = next_text(r);
    for (uint8_t k = 0; k < 6; k++)
        if (str_eq(kind, str_z(kinds[k])))
            s->kind = k;
    s->time = next_int(r);
    s->duration = next_int(r);
    list_end(r);
    for (uint32_t i = t->spans_n; i-- > 0 && s->depth;)
        if (t->spans[i].depth < s->depth) {
            s->parent_index = (int32_t)i;
            break;
        }
    t->spans_n++;
    t->services_n++; // at most
}

static void read_case(struct json_reader *r, struct trace *t, struct want *w)
{
    str name;
    int rc = json_object(r);
    while (rc == 0 && (rc = json_member(r, &name)) == 1) {
        str text;
        rc = 0;
        if (str_eq(name, STR("name")))
            rc = json_text(r, &w->name);
        else if (str_eq(name, STR("root"))) {
            rc = json_text(r, &text);
            w->root = id_of(text);
        } else if (str_eq(name, STR("duration")))
            rc = json_int(r, &w->duration);
        else {
            assert_int_equal(json_array(r), 0);
            while (json_element(r) == 1) {
                if (str_eq(name, STR("spans"))) {
                    read_span(r, t);
                    continue;
                }
                assert_int_equal(json_array(r), 0);
                if (str_eq(name, STR("steps"))) {
                    w->steps[w->steps_n].span = id_of(next_text(r));
                    w->steps[w->steps_n].from = next_int(r);
                    w->steps[w->steps_n++].to = next_int(r);
                } else {
                    w->services[w->services_n].service = next_text(r);
                    w->services[w->services_n].self = next_int(r);
                    w->services[w->services_n++].critical = next_int(r);
                }
                list_end(r);
            }
        }
    }
    assert_int_equal(rc, 0);
}

static void check_case(const struct trace *t, const struct want *w)
{
    struct trace_path p;
    assert_int_equal(trace_path_make(t, &arena, &p), 0);
    assert_true(p.root >= 0 && t->spans[p.root].span == w->root);
    assert_int_equal(p.duration, w->duration);
    assert_int_equal(p.steps_n, w->steps_n);
    for (uint32_t i = 0; i < p.steps_n; i++) {
        assert_int_equal(t->spans[p.steps[i].span].span, w->steps[i].span);
        assert_int_equal(p.steps[i].from, w->steps[i].from);
        assert_int_equal(p.steps[i].to, w->steps[i].to);
    }
    assert_int_equal(p.shares_n, w->services_n);
    for (uint32_t i = 0; i < p.shares_n; i++) {
        uint32_t k = 0;
        while (k < w->services_n && !str_eq(w->services[k].service, p.shares[i].service))
            k++;
        assert_true(k < w->services_n);
        assert_int_equal(p.shares[i].self, w->services[k].self);
        assert_int_equal(p.shares[i].critical, w->services[k].critical);
    }
}

static void test_vectors(void **state)
{
    static struct trace_span spans[1024];
    static struct want w;
    struct json_reader r;
    uint32_t n = 0;
    json_reader_init(&r, file_text(VECTORS), &arena, 16);
    assert_int_equal(json_array(&r), 0);
    for (; json_element(&r) == 1; n++) {
        struct trace t = { .magic = TRACE_MAGIC, .spans = spans };
        w = (struct want){ 0 };
        read_case(&r, &t, &w);
        print_message("# %.*s\n", STR_ARG(w.name));
        check_case(&t, &w);
    }
    assert_int_equal(n, 60);
}

static void test_calls_without_an_answer_are_their_peers(void **state)
{
    struct attr db = { .key = STR("db.system.name"), .value = { .type = VALUE_STR, .s = STR("postgresql") } };
    struct trace_span spans[] = {
        { .span = 1,
          .parent_index = -1,
          .duration = 100,
          .kind = SPAN_KIND_SERVER,
          .service = STR("shop"),
          .descendants = 1 },
        { .span = 2,
          .parent = 1,
          .depth = 1,
          .time = 10,
          .duration = 70,
          .kind = SPAN_KIND_CLIENT,
          .service = STR("shop"),
          .attrs = &db,
          .attrs_n = 1,
          .status = STATUS_ERROR },
    };
    struct trace t = { .magic = TRACE_MAGIC, .spans = spans, .spans_n = 2, .services_n = 1 };
    struct trace_path p;
    assert_int_equal(trace_path_make(&t, &arena, &p), 0);
    assert_int_equal(p.shares_n, 2);
    assert_true(str_eq(p.shares[0].service, STR("postgresql")) && p.shares[0].external);
    assert_int_equal(p.shares[0].self, 70);
    assert_int_equal(p.shares[0].errors, 1);
    assert_true(str_eq(p.shares[1].service, STR("shop")) && !p.shares[1].external);
    assert_int_equal(p.shares[1].critical, 30);
}

// Whatever is sent: steps follow each other without gap from 0 to the root's duration, and no self time is negative.
static void test_any_times(void **state)
{
    enum { N = 64 };
    struct trace_span spans[N];
    srandom(3);
    for (int round = 0; round < 2000; round++) {
        struct trace t = { .magic = TRACE_MAGIC, .spans = spans, .spans_n = 1 + (uint32_t)random() % N };
        t.services_n = t.spans_n;
        for (uint32_t i = 0; i < t.spans_n; i++) {
            int64_t wild[] = { INT64_MIN, INT64_MAX, -1, 0, random() % 100, random() % 1000000000, INT64_MAX / 2 };
            bool sane = round % 2;
            spans[i] = (struct trace_span){ .span = i + 1,
                                            .parent_index = i ? (int32_t)(random() % i) : -1,
                                            .kind = (uint8_t)(random() % 6),
                                            .service = random() % 2 ? STR("a") : STR("b"),
                                            .time = wild[sane ? 4 : random() % 7],
                                            .duration = wild[sane ? 4 : random() % 7] };
            spans[i].parent = i ? (uint64_t)spans[i].parent_index + 1 : 0;
            spans[i].depth = i ? spans[spans[i].parent_index].depth + 1 : 0;
        }
        struct trace_path p;
        assert_int_equal(trace_path_make(&t, &arena, &p), 0);
        int64_t at = 0;
        for (uint32_t i = 0; i < p.steps_n; i++) {
            assert_int_equal(p.steps[i].from, at);
            assert_true(p.steps[i].to > at);
            at = p.steps[i].to;
        }
        assert_int_equal(at, p.duration);
        for (uint32_t i = 0; i < t.spans_n; i++)
            assert_true(p.self[i] >= 0 && p.critical[i] >= 0);
        arena_reset(&arena);
    }
}

// As many names as spans, which is for the senders to say. Compared with each other they would take minutes. And the
// longest times, whose sum is no number any more.
static void test_names_without_end(void **state)
{
    enum { N = 100000, NAME = 16 };
    struct trace_span *spans = mem_calloc(N, sizeof *spans);
    struct attr *attrs = mem_calloc(N, sizeof *attrs);
    char *names = mem_calloc(N, NAME);
    assert_true(spans && attrs && names);
    for (int i = 0; i < N; i++) {
        size_t n = (size_t)snprintf(names + (size_t)i * NAME, NAME, "host-%d", i);
        attrs[i] = (struct attr){ .key = STR("server.address"),
                                  .value = { .type = VALUE_STR, .s = str_of(names + (size_t)i * NAME, n) } };
        spans[i] = (struct trace_span){ .span = (uint64_t)i + 1,
                                        .parent = i ? 1 : 0,
                                        .parent_index = i ? 0 : -1,
                                        .depth = i > 0,
                                        .duration = 10,
                                        .kind = i ? SPAN_KIND_CLIENT : SPAN_KIND_SERVER,
                                        .service = STR("shop"),
                                        .descendants = i ? 0 : N - 1,
                                        .attrs = &attrs[i],
                                        .attrs_n = 1 };
    }
    struct trace t = { .magic = TRACE_MAGIC, .spans = spans, .spans_n = N, .services_n = 1 };
    struct trace_path p;
    assert_int_equal(trace_path_make(&t, &arena, &p), 0);
    assert_int_equal(p.shares_n, N);
    arena_reset(&arena);
    for (int i = 1; i < N; i++) {
        spans[i].attrs_n = 0;
        spans[i].duration = INT64_MAX;
    }
    assert_int_equal(trace_path_make(&t, &arena, &p), 0);
    assert_int_equal(p.shares_n, 1);
    assert_int_equal(p.shares[0].self, INT64_MAX);
    arena_reset(&arena);
    mem_free(spans);
    mem_free(attrs);
    mem_free(names);
}

static void test_nothing(void **state)
{
    struct trace t = { .magic = TRACE_MAGIC };
    struct trace_path p;
    assert_int_equal(trace_path_make(&t, &arena, &p), 0);
    assert_int_equal(p.root, -1);
    assert_int_equal(p.steps_n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),   cmocka_unit_test(test_calls_without_an_answer_are_their_peers),
        cmocka_unit_test(test_any_times), cmocka_unit_test(test_names_without_end),
        cmocka_unit_test(test_nothing),
    };
    arena_init(&arena, 64 << 20);
    int failed = cmocka_run_group_tests_name("trace_path", tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
