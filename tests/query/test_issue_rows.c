// Events of random groups in random projects and segments, and issues that change their groups from query to query: what the
// language says about them against what a loop over the events says.
#include "base/must.h"
#include "fixture_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

enum { SEEDS = 60, EVENTS = 300, GROUPS = 12, PROJECTS = 3, ISSUES = 6, PARTS = 3, SEGMENTS_MAX = 64 };

struct event {
    uint32_t project;
    int group; // -1: none
    int64_t time;
};

struct world {
    uint64_t random;
    struct event events[EVENTS];
    int issue[PROJECTS + 1][GROUPS]; // 0: none
    struct fake_segment *fake[PARTS];
    const struct segment *segments[SEGMENTS_MAX];
    uint32_t segments_n;
    unsigned asked; // of_hash
};

static uint64_t next(struct world *w, uint64_t below)
{
    w->random = w->random * 6364136223846793005u + 1442695040888963407u;
    return (w->random >> 33) % below;
}

static void group_name(char out[33], int group) { snprintf(out, 33, "%032d", group); }

static int of_hash(void *ctx, uint32_t project, str hash, int64_t *ret_issue)
{
    struct world *w = ctx;
    char text[33];
    w->asked++;
    must(hash.len == 32);
    snprintf(text, sizeof text, "%.*s", STR_ARG(hash));
    int issue = w->issue[project][atoi(text)];
    if (!issue)
        return ERR_NOENT;
    *ret_issue = issue;
    return 0;
}

static int hashes(void *ctx, int64_t issue, struct arena *arena, uint32_t *ret_project, str **ret_hashes, size_t *ret_n)
{
    struct world *w = ctx;
    str *list = arena_alloc_array(arena, PROJECTS * GROUPS, sizeof *list);
    size_t n = 0;
    must(list);
    for (int p = 1; p <= PROJECTS; p++)
        for (int g = 0; g < GROUPS; g++) {
            char text[33];
            group_name(text, g);
            if (w->issue[p][g] == issue)
                must(arena_dup(arena, str_of(text, 32), &list[n++]) == 0);
        }
    *ret_project = 1;
    *ret_hashes = list;
    *ret_n = n;
    return n ? 0 : ERR_NOENT;
}

static void regroup(struct world *w)
{
    for (int p = 1; p <= PROJECTS; p++)
        for (int g = 0; g < GROUPS; g++)
            w->issue[p][g] = next(w, 5) ? 1 + (int)next(w, ISSUES) : 0;
}

static struct record record_of(const struct event *e, int i, char group[33], struct attr a[2])
{
    group_name(group, e->group < 0 ? 0 : e->group);
    a[0] = (struct attr){ STR("n"), ATTR_RECORD, value_int(i) };
    a[1] = (struct attr){ STR("group"), ATTR_FIELD, value_str(str_of(group, 32)) };
    return (struct record){ .source = RECORD_EVENTS, .time = e->time, .attrs = a, .attrs_n = e->group < 0 ? 1 : 2 };
}

static void make(struct world *w, uint64_t seed)
{
    *w = (struct world){ .random = seed * 77777 + 5 };
    regroup(w);
    for (int k = 0; k < PARTS; k++) {
        w->fake[k] = fake_segment_new(RECORD_EVENTS, (uint32_t)(1 + next(w, 90)));
        fake_segment_raw(w->fake[k], next(w, 2));
    }
    for (int i = 0; i < EVENTS; i++) {
        struct event *e = &w->events[i];
        char group[33];
        *e = (struct event){ .project = 1 + (uint32_t)next(w, PROJECTS),
                             .group = next(w, 8) ? (int)next(w, GROUPS) : -1,
                             .time = FIXTURE_T0 + (int64_t)next(w, 60) * 1000000000 };
        struct attr a[2];
        struct record r = record_of(e, i, group, a);
        fake_segment_add(w->fake[next(w, PARTS)], e->project, e->time, NULL, NULL, &r);
    }
    for (int k = 0; k < PARTS; k++)
        w->segments[k] = fake_segment_get(w->fake[k]);
    w->segments_n = PARTS;
}

static int issue_of(const struct world *w, const struct event *e)
{
    return e->group < 0 ? 0 : w->issue[e->project][e->group];
}

// ---- asking ----

struct counted {
    int64_t of[ISSUES + 1]; // by issue; [0]: those of none
    int64_t n, sum;
};

static int count_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct counted *c = ctx;
    int64_t issue = 0, count = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (str_eq(cells[i].name, STR("issue")))
            issue = cells[i].value.i;
        if (str_eq(cells[i].name, STR("n")))
            count = cells[i].value.i;
    }
    assert_true(issue >= 0 && issue <= ISSUES);
    c->of[issue] += count;
    c->n++;
    c->sum += count;
    return 0;
}

static struct counted ask(struct world *w, const char *text, const struct query_project *projects, uint32_t projects_n)
{
    struct query_issues issues = { .ctx = w, .of_hash = of_hash, .hashes = hashes };
    struct query_request q = fixture_request(text);
    struct counted c = { .n = 0 };
    struct query_output out = { &c, count_row, NULL };
    struct query_error err;
    q.issues = &issues;
    q.all_projects = !projects;
    q.projects = projects;
    q.projects_n = projects_n;
    w->asked = 0;
    if (query_run_segments(&q, w->segments, NULL, w->segments_n, &out, &err) < 0)
        fail_msg("%s: %s", text, err.message);
    return c;
}

// Events of the wanted projects (a bit each) whose issue is wanted (a bit each; bit 0: none).
static int64_t model(const struct world *w, unsigned projects, unsigned issues)
{
    int64_t n = 0;
    for (int i = 0; i < EVENTS; i++)
        n += (projects >> w->events[i].project & 1) && (issues >> issue_of(w, &w->events[i]) & 1);
    return n;
}

static void check_all(struct world *w)
{
    const struct query_project two[] = { { 1, STR("a") }, { 3, STR("c") } };
    char text[200];
    unsigned all = 0xe;
    struct counted c = ask(w, "events | stats count() as n by issue", NULL, 0);
    for (int i = 0; i <= ISSUES; i++)
        assert_int_equal(c.of[i], model(w, all, 1u << i));
    assert_true(w->asked <= PROJECTS * GROUPS); // each group once a query
    c = ask(w, "events | stats count() as n by issue", two, 2);
    for (int i = 0; i <= ISSUES; i++)
        assert_int_equal(c.of[i], model(w, 0xa, 1u << i));
    for (int i = 1; i <= ISSUES; i++) {
        snprintf(text, sizeof text, "events issue=%d | stats count() as n", i);
        assert_int_equal(ask(w, text, NULL, 0).sum, model(w, all, 1u << i));
        snprintf(text, sizeof text, "events issue!=%d | stats count() as n", i);
        assert_int_equal(ask(w, text, NULL, 0).sum, model(w, all, ~(1u << i)));
        snprintf(text, sizeof text, "events issue=(%d, 2) n>=0 | stats count() as n", i);
        assert_int_equal(ask(w, text, NULL, 0).sum, model(w, all, 1u << i | 1u << 2));
        snprintf(text, sizeof text, "events issue>%d | stats count() as n", i);
        assert_int_equal(ask(w, text, NULL, 0).sum, model(w, all, ~((2u << i) - 1)));
        snprintf(text, sizeof text, "events issue in {events issue<=%d | select issue} | stats count() as n", i);
        assert_int_equal(ask(w, text, NULL, 0).sum, model(w, all, (2u << i) - 2));
    }
    assert_int_equal(ask(w, "events issue:* | stats count() as n", NULL, 0).sum, model(w, all, ~1u));
    assert_int_equal(ask(w, "events not issue:* | stats count() as n", NULL, 0).sum, model(w, all, 1));
    c = ask(w, "events issue:* | let n = 1 | select issue, n | limit 1000", NULL, 0);
    for (int i = 1; i <= ISSUES; i++)
        assert_int_equal(c.of[i], model(w, all, 1u << i));
}

static void test_issues_of_events(void **state)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct world *w = malloc(sizeof *w);
        must(w);
        make(w, seed);
        check_all(w);
        regroup(w); // nothing of it is kept from query to query
        check_all(w);
        for (int k = 0; k < PARTS; k++)
            fake_segment_free(w->fake[k]);
        free(w);
    }
}

// The same events in parts, which have an index of groups: what it leaves out holds no event of the issue.
struct fed {
    struct world *w;
    uint32_t project;
};

static int feed(const struct record_sink *sink, void *ctx)
{
    static const struct record_entity none;
    struct fed *f = ctx;
    int rc = sink->section(sink->ctx, &none, &none);
    for (int i = 0; i < EVENTS && rc == 0; i++) {
        const struct event *e = &f->w->events[i];
        struct attr a[2];
        char group[33];
        if (e->project != f->project)
            continue;
        struct record r = record_of(e, i, group, a);
        rc = sink->record(sink->ctx, &r);
    }
    return rc;
}

static void test_issues_of_events_in_parts(void **state)
{
    for (uint64_t seed = 1; seed <= SEEDS / 4; seed++) {
        struct world *w = malloc(sizeof *w);
        struct fixture_store store;
        struct view *view;
        must(w);
        make(w, seed);
        fixture_store_open(&store);
        for (uint32_t project = 1; project <= PROJECTS; project++) {
            struct fed f = { w, project };
            fixture_store_put(&store, project, feed, &f);
            if (project < PROJECTS) // the last stays in the head
                assert_int_equal(store_settle(store.s, NULL), 0);
        }
        assert_int_equal(store_view(store.s, &view), 0);
        w->segments_n = view_segments(view);
        assert_true(w->segments_n <= SEGMENTS_MAX);
        for (uint32_t i = 0; i < w->segments_n; i++)
            w->segments[i] = view_segment(view, i);
        check_all(w);
        regroup(w);
        check_all(w);
        view_unref(view);
        fixture_store_close(&store);
        for (int k = 0; k < PARTS; k++)
            fake_segment_free(w->fake[k]);
        free(w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_issues_of_events),
                                        cmocka_unit_test(test_issues_of_events_in_parts) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
