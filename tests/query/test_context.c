// context against a naive model: all logs in order, streams by their key, windows around the matches.
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

enum { SEEDS = 150, SEGMENTS = 3, LOGS_MAX = 300 };

struct line {
    int number; // in the body
    int64_t time;
    int resource, key; // key: of the attribute k, -1 without
    bool hit;
    int project;
};

struct world {
    uint64_t random;
    struct fake_segment *fake[SEGMENTS];
    const struct segment *segments[SEGMENTS];
    struct line lines[LOGS_MAX];
    int n;
    int order[LOGS_MAX]; // as the engine lists them
};

static unsigned pick(struct world *w, unsigned below)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(w->random >> 33) % below;
}

static void make(struct world *w, unsigned seed)
{
    memset(w, 0, sizeof *w);
    w->random = seed * 7919u + 3;
    for (int i = 0; i < SEGMENTS; i++)
        w->fake[i] = fake_segment_new(RECORD_LOGS, pick(w, 2) ? 1 + pick(w, 20) : 0);
    w->n = (int)pick(w, LOGS_MAX);
    unsigned times = 1 + pick(w, 200), hits = 1 + pick(w, 40);
    for (int i = 0; i < w->n; i++) {
        struct line *l = &w->lines[i];
        char body[32], name[16];
        *l = (struct line){ i,
                            FIXTURE_T0 + pick(w, times) * 1000000LL,
                            (int)pick(w, 4),
                            (int)pick(w, 4) - 1,
                            pick(w, hits) == 0,
                            1 + (int)pick(w, 2) };
        snprintf(body, sizeof body, "m%d %s", i, l->hit ? "hit" : "no");
        snprintf(name, sizeof name, "svc%d", l->resource);
        struct attr service = { STR("service.name"), ATTR_RESOURCE, value_str(str_z(name)) };
        struct attr k = { STR("k"), ATTR_RECORD, value_int(l->key) };
        struct record_entity resource = { .attrs = &service, .attrs_n = 1 }, scope = { 0 };
        struct record r = {
            .source = RECORD_LOGS, .time = l->time, .body = value_str(str_z(body)), .attrs = &k, .attrs_n = l->key >= 0
        };
        fake_segment_add(w->fake[pick(w, SEGMENTS)], (uint32_t)l->project, FIXTURE_T0 + (int64_t)pick(w, 2), &resource,
                         &scope, &r);
    }
    for (int i = 0; i < SEGMENTS; i++)
        w->segments[i] = fake_segment_get(w->fake[i]);
}

static struct fixture_answer ask(struct world *w, const char *text, const struct query_project *readable)
{
    struct query_request q = fixture_request(text);
    struct fixture_answer a;
    q.limit = LOGS_MAX + 1;
    if (readable) {
        q.all_projects = false;
        q.projects = readable;
        q.projects_n = 1;
    }
    fixture_ask(&q, w->segments, SEGMENTS, &a);
    if (a.rc < 0)
        fail_msg("%s: %s", text, a.err.message);
    return a;
}

static void learn_order(struct world *w)
{
    struct fixture_answer a = ask(w, "logs | select body", NULL);
    assert_int_equal(a.rows_n, w->n);
    const char *p = (const char *)a.rows.ptr;
    for (int i = 0; i < w->n; i++) {
        assert_int_equal(sscanf(p, "{\"body\":\"m%d", &w->order[i]), 1);
        p = (const char *)memchr(p, '\n', a.rows.len) + 1;
    }
    fixture_answer_free(&a);
}

static bool together(const struct line *a, const struct line *b, int by)
{
    switch (by) {
    case 0:
        return a->resource == b->resource && a->project == b->project;
    case 1:
        return a->key == b->key;
    default:
        return a->key == b->key && a->resource == b->resource;
    }
}

// The stream's lines by time; equal times in the order of results.
static int stream_of(const struct world *w, const struct line *of, int by, int readable, const struct line **out)
{
    int n = 0;
    for (int i = 0; i < w->n; i++) {
        const struct line *l = &w->lines[w->order[i]];
        if (!together(of, l, by) || (readable && l->project != readable))
            continue;
        int k = n++;
        for (; k > 0 && out[k - 1]->time > l->time; k--)
            out[k] = out[k - 1];
        out[k] = l;
    }
    return n;
}

static void expected(const struct world *w, int n, int by, int readable, struct buf *out)
{
    const struct line *stream[LOGS_MAX];
    for (int i = 0; i < w->n; i++) {
        const struct line *l = &w->lines[w->order[i]];
        bool first = l->hit && (!readable || l->project == readable);
        for (int k = 0; k < i && first; k++) {
            const struct line *before = &w->lines[w->order[k]];
            first = !before->hit || (readable && before->project != readable) || !together(l, before, by);
        }
        if (!first)
            continue;
        int count = stream_of(w, l, by, readable, stream);
        for (int k = 0; k < count; k++) {
            bool near = false;
            for (int m = k > n ? k - n : 0; m < count && m <= k + n; m++)
                near |= stream[m]->hit;
            if (near)
                buf_printf(out, "{\"body\":\"m%d %s\",\"len\":%d,\"match\":%s}\n", stream[k]->number,
                           stream[k]->hit ? "hit" : "no",
                           snprintf(NULL, 0, "m%d %s", stream[k]->number, stream[k]->hit ? "hit" : "no"),
                           stream[k]->hit ? "true" : "false");
        }
    }
}

static void test_against_model(void **state)
{
    static struct world w;
    static const char *const by_text[] = { "", " by k", " by k, service" };
    const struct query_project second = { 2, STR_INIT("second") };
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        make(&w, seed);
        learn_order(&w);
        for (int k = 0; k < 6; k++) {
            int by = (int)pick(&w, 3), n = pick(&w, 3) ? (int)pick(&w, 6) : (int)pick(&w, 100);
            int readable = pick(&w, 2) ? 2 : 0;
            char text[160];
            struct buf want;
            buf_init(&want, 1 << 20);
            // What stands between the filter and the step changes the order of its input, not its answer.
            snprintf(text, sizeof text, "logs hit | let len = len(body)%s | context %d%s | select body, len, match",
                     pick(&w, 2) ? " | sort body" : "", n, by_text[by]);
            expected(&w, n, by, readable, &want);
            struct fixture_answer a = ask(&w, text, readable ? &second : NULL);
            if (!str_eq(buf_view(&a.rows), buf_view(&want)))
                fail_msg("seed %u, %s, project %d:\n%.*s\nexpected\n%.*s", seed, text, readable,
                         STR_ARG(buf_view(&a.rows)), STR_ARG(buf_view(&want)));
            fixture_answer_free(&a);
            buf_free(&want);
        }
        for (int i = 0; i < SEGMENTS; i++)
            fake_segment_free(w.fake[i]);
    }
}

// Neighbours are there whatever the range; whole records come with the column at their end.
static void test_outside_the_range(void **state)
{
    struct fixture_segments f = { 0 };
    const struct segment *segments[RECORD_SOURCES];
    struct record_sink sink = fixture_sink(&f);
    struct fixture_answer a;
    assert_int_equal(fixture_feed(&sink, UINT32_MAX), 0);
    uint32_t n = fixture_segments_list(&f, segments);
    struct query_request q = fixture_request("logs refused | context 5");
    q.from = FIXTURE_T0 + 700 * 1000000LL;
    q.to = FIXTURE_T0 + 800 * 1000000LL;
    fixture_ask(&q, segments, n, &a);
    assert_int_equal(a.rc, 0);
    assert_int_equal(a.rows_n, 3);
    assert_true(str_find(buf_view(&a.rows), STR(",\"match\":true}\n")) > 0);
    fixture_answer_free(&a);
    q.text = STR("logs refused | context 0 | where match=true");
    fixture_ask(&q, segments, n, &a);
    assert_int_equal(a.rows_n, 1);
    fixture_answer_free(&a);
    fixture_segments_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_against_model),
                                        cmocka_unit_test(test_outside_the_range) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
