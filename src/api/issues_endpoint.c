// GET /api/v1/issues: the inbox.
//
// Which issues is a query's matter: its text is run with `| select id` behind it. What each of them is comes from the
// room of issues, so that the list has what the language has no field for.
#include "api/issue_json.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/numfmt.h"
#include "query/ast.h"

#include <stdio.h>
#include <stdlib.h>

enum { LIST_DEFAULT = 50, LIST_MAX = 200, IDS_MAX = 1000000, QUERY_MAX = 16 << 10 };
#define LIST_ARENA_MAX ((size_t)512 << 20)

enum sort { SORT_PRIORITY, SORT_LAST, SORT_FIRST, SORT_EVENTS, SORT_USERS, SORT_TREND, SORTS };
static const str sorts[SORTS] = { STR_INIT("priority"), STR_INIT("last"),  STR_INIT("first"),
                                  STR_INIT("events"),   STR_INIT("users"), STR_INIT("trend") };

struct listing {
    struct api_call *call;
    struct query_request who;
    str query, environment;
    enum sort sort;
    int64_t from, to;
    uint64_t buckets, limit, offset;
    // Of the query: ascending; NULL: all.
    int64_t *ids;
    size_t ids_n, ids_cap;
    bool all;
};

// ---- which ---------------------------------------------------------------------------------------------

static int take_id(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct listing *l = ctx;
    if (n != 1 || cells[0].value.type != QVAL_INT)
        return 0;
    if (l->ids_n == l->ids_cap) {
        size_t cap = l->ids_cap ? l->ids_cap * 2 : 256;
        int64_t *p = mem_reallocarray(l->ids, cap, sizeof *p);
        if (!p)
            return ERR_NOMEM;
        l->ids = p;
        l->ids_cap = cap;
    }
    l->ids[l->ids_n++] = cells[0].value.i;
    return 0;
}

static int no_end(void *ctx, const struct query_stats *stats) { return 0; }

static int id_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// What is wrong with what the person wrote is said of that, and not of what is put behind it. false: answered.
static bool is_whole(struct listing *l, str text)
{
    struct query_error error = { 0 };
    struct query_ast *ast;
    if (query_parse(&l->call->req->arena, text, &ast, &error) == 0)
        return true;
    if (error.code == QUERY_E_UNKNOWN_SOURCE) { // what is asked for here is known
        query_error_hint(&error, "the query stands whole, with its source: issues state=new");
        error.suggest_count = 0;
        query_error_suggest(&error, STR("issues"));
    }
    api_reply_query_error(l->call->req, &error);
    return false;
}

// false: answered.
static bool run_query(struct listing *l)
{
    struct query_output out = { l, take_id, no_end };
    struct query_error error = { 0 };
    struct query_request q = l->who;
    str text = str_trim(l->query);
    l->all = text.len == 0 || str_eq(text, STR("issues"));
    if (l->all)
        return true;
    if (!is_whole(l, text))
        return false;
    q.text = arena_printf(&l->call->req->arena, "%.*s | select id", STR_ARG(text));
    q.has_from = q.has_to = true;
    q.from = l->from;
    q.to = l->to;
    q.limit = IDS_MAX;
    if (!q.text.ptr) {
        api_reply_error(l->call->req, 503, "memory", "out of memory");
        return false;
    }
    int r = query_run_segments(&q, NULL, NULL, 0, &out, &error);
    if (r == 0) {
        if (l->ids_n)
            qsort(l->ids, l->ids_n, sizeof *l->ids, id_order);
        return true;
    }
    if (error.code != QUERY_OK)
        api_reply_query_error(l->call->req, &error);
    else
        api_reply_error(l->call->req, 503, "stopping", "the query gave no answer: %s", err_text(r));
    return false;
}

static bool names_has(const str *names, uint32_t n, str name)
{
    for (uint32_t i = 0; i < n; i++)
        if (str_eq(names[i], name))
            return true;
    return false;
}

static bool of_environment(void *ctx, const struct issue_row *row)
{
    const struct listing *l = ctx;
    return !l->environment.len || names_has(row->environments, row->environments_n, l->environment);
}

static bool is_asked(const struct listing *l, const struct issue_row *row)
{
    return l->all || (l->ids_n && bsearch(&row->id, l->ids, l->ids_n, sizeof row->id, id_order));
}

// ---- in which order ------------------------------------------------------------------------------------

static _Thread_local const struct listing *sorting;

// How the second half of the range compares with the first.
static double trend(const struct issue_row *row, uint64_t buckets)
{
    uint64_t before = 0, after = 0;
    for (uint64_t i = 0; i < buckets; i++)
        *(i < buckets / 2 ? &before : &after) += row->spark[i];
    return ((double)after + 1) / ((double)before + 1);
}

static int by(const void *a, const void *b)
{
    const struct issue_row *x = a, *y = b;
    double p = 0, q = 0;
    switch (sorting->sort) {
    case SORT_PRIORITY:
        p = x->priority;
        q = y->priority;
        break;
    case SORT_FIRST:
        p = (double)x->first;
        q = (double)y->first;
        break;
    case SORT_EVENTS:
        p = (double)x->events;
        q = (double)y->events;
        break;
    case SORT_USERS:
        p = (double)x->users;
        q = (double)y->users;
        break;
    case SORT_TREND:
        p = trend(x, sorting->buckets);
        q = trend(y, sorting->buckets);
        break;
    default:
        break;
    }
    if (p != q)
        return p < q ? 1 : -1;
    if (x->last != y->last)
        return x->last < y->last ? 1 : -1;
    return (x->id < y->id) - (x->id > y->id);
}

// ---- the answer ----------------------------------------------------------------------------------------

static bool is_mine(const struct listing *l, const struct issue_row *row)
{
    return str_eq(row->assignee.kind, STR("user")) && str_eq(row->assignee.name, str_z(l->call->caller.name));
}

static void put_counts(struct json_writer *w, const struct listing *l, const struct issue_row *rows, size_t n)
{
    static const str words[] = { STR_INIT("review"),    STR_INIT("unresolved"), STR_INIT("mine"),
                                 STR_INIT("regressed"), STR_INIT("archived"),   STR_INIT("resolved") };
    uint64_t counts[6] = { 0 };
    for (size_t i = 0; i < n; i++) {
        enum issue_state s = rows[i].state;
        bool open = s != ISSUE_ARCHIVED && s != ISSUE_RESOLVED;
        counts[0] += open && s != ISSUE_ONGOING && !rows[i].seen && !rows[i].assignee.name.len;
        counts[1] += open;
        counts[2] += open && is_mine(l, &rows[i]);
        counts[3] += s == ISSUE_REGRESSED;
        counts[4] += s == ISSUE_ARCHIVED;
        counts[5] += s == ISSUE_RESOLVED;
    }
    json_put_key(w, STR("counts"));
    json_put_object(w);
    for (int i = 0; i < 6; i++) {
        json_put_key(w, words[i]);
        json_put_uint(w, counts[i]);
    }
    json_put_object_end(w);
}

static void answer(struct listing *l, struct issue_row *rows, size_t n)
{
    struct buf body;
    struct json_writer w;
    uint64_t events = 0;
    size_t kept = 0;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    put_counts(&w, l, rows, n);
    for (size_t i = 0; i < n; i++)
        if (is_asked(l, &rows[i])) {
            events += rows[i].events;
            rows[kept++] = rows[i];
        }
    sorting = l;
    if (kept)
        qsort(rows, kept, sizeof *rows, by);
    json_put_key(&w, STR("issues"));
    json_put_array(&w);
    for (size_t i = l->offset; i < kept && i < l->offset + l->limit; i++) {
        json_put_object(&w);
        issue_put(&w, &l->who, &rows[i], (uint32_t)l->buckets);
        issue_put_causes(l->call, &w, rows[i].id, false);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_key(&w, STR("total"));
    json_put_uint(&w, kept);
    json_put_key(&w, STR("events"));
    json_put_uint(&w, events);
    json_put_key(&w, STR("from"));
    api_put_time(&w, l->from);
    json_put_key(&w, STR("to"));
    api_put_time(&w, l->to);
    if (l->offset + l->limit < kept) {
        char cursor[24];
        snprintf(cursor, sizeof cursor, "%llu", (unsigned long long)(l->offset + l->limit));
        json_put_key(&w, STR("next"));
        json_put_str(&w, str_z(cursor));
    }
    json_put_object_end(&w);
    api_reply_json_take(l->call->req, 200, &body);
}

static bool params(struct listing *l)
{
    struct api_call *call = l->call;
    str sort, cursor;
    if (!api_query_begin(call, &l->who) || !api_param_range(call, &l->who) ||
        !api_param(call, STR("query"), &l->query) || !api_param(call, STR("environment"), &l->environment) ||
        !api_param(call, STR("sort"), &sort) || !api_param(call, STR("cursor"), &cursor) ||
        !api_param_uint(call, STR("limit"), 1, LIST_MAX, &l->limit) ||
        !api_param_uint(call, STR("buckets"), 2, ISSUE_BUCKETS_MAX, &l->buckets))
        return false;
    for (int i = 0; i < SORTS; i++)
        if (str_eq(sort, sorts[i]))
            l->sort = (enum sort)i;
    if (sort.len && !str_eq(sort, sorts[l->sort])) {
        api_reply_error(call->req, 400, "bad_argument", "sort is priority, last, first, events, users or trend");
        return false;
    }
    if (cursor.len && (!parse_u64(cursor, &l->offset) || l->offset > IDS_MAX)) {
        api_reply_error(call->req, 400, "bad_cursor", "cursor is what `next` of the page before says");
        return false;
    }
    if (l->query.len > QUERY_MAX) {
        api_reply_error(call->req, 400, "query_too_long", "the query is too long");
        return false;
    }
    issue_range(&l->who, &l->from, &l->to);
    return true;
}

void api_issues(struct api_call *call)
{
    struct listing l = { .call = call, .buckets = 30, .limit = LIST_DEFAULT };
    struct issues_filter f = { .want = of_environment, .ctx = &l };
    struct issue_row *rows;
    struct arena arena;
    struct err err = { 0 };
    size_t n = 0;
    char actor[META_NAME_MAX + 1];
    if (!params(&l) || !issue_projects(call, &l.who, &f.projects, &f.projects_n))
        return;
    if (run_query(&l)) {
        f.who = api_actor(call, actor);
        f.buckets = (uint32_t)l.buckets;
        arena_init(&arena, LIST_ARENA_MAX);
        if (issues_rows(call->api->options.issues, &f, l.from, l.to, &arena, &rows, &n, &err) < 0)
            api_reply_err(call->req, &err);
        else
            answer(&l, rows, n);
        arena_free(&arena);
    }
    mem_free(l.ids);
}
