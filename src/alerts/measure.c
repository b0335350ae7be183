// What rules ask of the records: a query's rows over a window, the issues of a filter.
#include "alerts/alerts_internal.h"
#include "base/mem.h"
#include "base/numfmt.h"
#include "issues/issues.h"
#include "meta/meta.h"
#include "query/error.h"
#include "query/run.h"
#include "store/store.h"
#include "wire/sentry_event.h"

enum { MEASURE_MEMORY_MAX = 64 << 20, WANTS_RANGE_S = 14 * 86400, SUBJECT_MAX = 300 };
#define MEASURE_TIME_MAX_NS (10 * NS_PER_S)

// On whose behalf: nobody's that could not see the rule's project; captured values are not for messages.
struct asking {
    struct query_project *projects;
    struct meta_project *list;
};

static void asking_end(struct asking *w)
{
    mem_free(w->projects);
    mem_free(w->list);
}

static int asking_begin(struct alerts *a, const struct alert_rule *rule, str text, int64_t from, int64_t to,
                        struct asking *w, struct query_request *ret_q, struct err *err)
{
    size_t n = 0, kept = 0;
    *w = (struct asking){ 0 };
    int r = meta_project_list(a->o.meta, &w->list, &n, err);
    if (r < 0)
        return r;
    if (!(w->projects = mem_calloc(n + 1, sizeof *w->projects)))
        return alerts_nomem(err);
    for (size_t i = 0; i < n; i++)
        if (!rule->project || w->list[i].id == rule->project) {
            size_t at = kept++; // ascending ids
            for (; at > 0 && w->projects[at - 1].id > (uint32_t)w->list[i].id; at--)
                w->projects[at] = w->projects[at - 1];
            w->projects[at] = (struct query_project){ (uint32_t)w->list[i].id, str_z(w->list[i].slug) };
        }
    *ret_q = (struct query_request){ .text = text,
                                     .has_from = true,
                                     .has_to = true,
                                     .from = from,
                                     .to = to,
                                     .now = to,
                                     .projects = w->projects,
                                     .projects_n = (uint32_t)kept,
                                     .limit = ALERT_SUBJECTS_MAX + 1,
                                     .issues = a->o.query_issues,
                                     .memory_max = MEASURE_MEMORY_MAX,
                                     .time_max_ns = MEASURE_TIME_MAX_NS };
    return 0;
}

static int query_failed(int r, const struct query_error *qe, struct err *err)
{
    if (qe->code == QUERY_OK)
        return err_set(err, r, NULL, "the query gave no answer: %s", err_text(r));
    r = query_code_status(qe->code) < 500 ? ERR_INVALID : r;
    err_set(err, r, query_code_slug(qe->code), "%s", qe->message);
    if (err) {
        err->line = qe->line;
        err->column = qe->column;
        err->length = qe->length;
    }
    return r;
}

static int ask(struct alerts *a, const struct alert_rule *rule, str text, int64_t from, int64_t to,
               const struct query_output *out, struct err *err)
{
    struct asking w;
    struct query_request q;
    struct view *view = NULL;
    struct query_error qe = { 0 };
    int r = asking_begin(a, rule, text, from, to, &w, &q, err);
    if (r == 0 && (r = store_view(a->o.store, &view)) < 0)
        err_set(err, r, NULL, "the records cannot be read: %s", err_text(r));
    if (r == 0 && (r = query_run(&q, view, out, &qe)) < 0)
        r = query_failed(r, &qe, err);
    if (view)
        view_unref(view);
    asking_end(&w);
    return r;
}

static bool is_number(const struct qval *v, double *ret)
{
    if (v->type == QVAL_DOUBLE)
        *ret = v->d;
    else if (v->type == QVAL_INT || v->type == QVAL_DURATION)
        *ret = (double)v->i;
    else
        return false;
    return true;
}

// "service=checkout, name=GET /": what tells this row from the others.
static void put_subject(struct buf *out, const struct query_cell *c)
{
    char number[32];
    if (out->len)
        buf_str(out, STR(", "));
    buf_str(out, c->name);
    buf_byte(out, '=');
    if (c->value.type == QVAL_STR || c->value.type == QVAL_ENUM)
        buf_str(out, c->value.s);
    else if (c->value.type == QVAL_BOOL)
        buf_str(out, c->value.b ? STR("true") : STR("false"));
    else if (c->value.type == QVAL_LEVEL)
        buf_str(out, sentry_level_word(c->value.i));
    else if (c->value.type == QVAL_TIME)
        buf_append(out, number, (size_t)fmt_double(number, (double)c->value.i));
}

static int take_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct measuring *m = ctx;
    struct measured row = { 0 };
    struct buf subject;
    uint32_t value_at = n;
    double v;
    if (m->n == ALERT_SUBJECTS_MAX) {
        m->more = true;
        return 0;
    }
    for (uint32_t i = 0; i < n; i++)
        if (is_number(&cells[i].value, &v)) {
            row.value = v;
            row.has_value = true;
            value_at = i;
        }
    buf_init(&subject, SUBJECT_MAX);
    for (uint32_t i = 0; i < n && subject.error == 0; i++)
        if (i != value_at && cells[i].value.type != QVAL_MISSING && !is_number(&cells[i].value, &v))
            put_subject(&subject, &cells[i]);
    // What does not fit is cut: two rows that begin alike are then one subject.
    int r = subject.error == ERR_NOMEM ? ERR_NOMEM : arena_dup(m->arena, buf_view(&subject), &row.subject);
    buf_free(&subject);
    if (r == 0 && row.has_value)
        m->rows[m->n++] = row;
    return r < 0 ? ERR_NOMEM : 0;
}

static int no_end(void *ctx, const struct query_stats *stats) { return 0; }

int measure_query(struct alerts *a, const struct alert_rule *rule, int64_t now, struct measuring *ret, struct err *err)
{
    struct query_output out = { ret, take_row, no_end };
    return ask(a, rule, rule->query, now - rule->window_s * NS_PER_S, now, &out, err);
}

// ---- issues --------------------------------------------------------------------------------------------

static int take_issue(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct measuring *m = ctx;
    struct measured row = { 0 };
    if (m->n == ALERT_SUBJECTS_MAX) {
        m->more = true;
        return 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        if (str_eq(cells[i].name, STR("id")) && cells[i].value.type == QVAL_INT)
            row.issue = cells[i].value.i;
        else if (str_eq(cells[i].name, STR("n")))
            row.has_value = is_number(&cells[i].value, &row.value);
        else if (str_eq(cells[i].name, STR("title")) && cells[i].value.type == QVAL_STR &&
                 arena_dup(m->arena, cells[i].value.s, &row.title) < 0)
            return ERR_NOMEM;
    }
    row.subject = arena_printf(m->arena, "issue:%lld", (long long)row.issue);
    if (row.issue)
        m->rows[m->n++] = row;
    return row.subject.ptr ? 0 : ERR_NOMEM;
}

static str issues_text(struct arena *arena, const struct alert_rule *rule, str more)
{
    return rule->filter.len ? arena_printf(arena, "issues (%.*s) %.*s", STR_ARG(rule->filter), STR_ARG(more))
                            : arena_printf(arena, "issues %.*s", STR_ARG(more));
}

int measure_issues(struct alerts *a, const struct alert_rule *rule, bool users, int64_t now, struct measuring *ret,
                   struct err *err)
{
    const char *what = users ? "users" : "events";
    int64_t n = users ? rule->users_n : rule->events_n, window = users ? rule->users_window_s : rule->events_window_s;
    struct query_output out = { ret, take_issue, no_end };
    str more =
        arena_printf(ret->arena, "%s>=%lld | sort %s desc | select id, title, %s as n", what, (long long)n, what, what);
    str text = more.ptr ? issues_text(ret->arena, rule, more) : (str){ 0 };
    int r = text.ptr ? ask(a, rule, text, now - window * NS_PER_S, now, &out, err) : alerts_nomem(err);
    for (size_t i = 0; i < ret->n && r == 0; i++)
        if (!a->o.issues ||
            issues_find(a->o.issues, ret->rows[i].issue, &ret->rows[i].issue, &ret->rows[i].project) < 0)
            ret->rows[i].project = rule->project;
    return r;
}

bool measure_issue(struct alerts *a, const struct alert_rule *rule, bool users, uint32_t project, int64_t issue,
                   int64_t now, struct arena *arena, double *ret_n)
{
    struct issues_filter of = { .projects = &project, .projects_n = 1 };
    struct issue_row row;
    int64_t window = users ? rule->users_window_s : rule->events_window_s;
    if (!a->o.issues || issues_row(a->o.issues, &of, issue, now - window * NS_PER_S, now, arena, &row, NULL) < 0)
        return false;
    *ret_n = (double)(users ? row.users : row.events);
    return true;
}

static int count_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    *(bool *)ctx = true;
    return 0;
}

int measure_wants(struct alerts *a, const struct alert_rule *rule, int64_t issue, int64_t now, struct arena *arena,
                  bool *ret_wants, struct err *err)
{
    struct query_output out = { ret_wants, count_row, no_end };
    *ret_wants = rule->filter.len == 0;
    if (*ret_wants)
        return 0;
    str more = arena_printf(arena, "id=%lld | limit 1", (long long)issue);
    str text = more.ptr ? issues_text(arena, rule, more) : (str){ 0 };
    // The issue may be of this very moment.
    return text.ptr ? ask(a, rule, text, now - WANTS_RANGE_S * NS_PER_S, now + NS_PER_S, &out, err) : alerts_nomem(err);
}

int measure_check(struct alerts *a, const struct alert_rule *rule, struct err *err)
{
    struct arena arena;
    struct asking w;
    struct query_request q;
    struct query_error qe = { 0 };
    struct query_output out = { NULL, NULL, no_end };
    if (rule->on && rule->filter.len == 0)
        return 0;
    arena_init(&arena, ALERT_ARENA_MAX);
    str text = rule->on ? issues_text(&arena, rule, STR("| limit 1")) : rule->query;
    int64_t now = alerts_now(a);
    int r = text.ptr ? asking_begin(a, rule, text, now - NS_PER_S, now, &w, &q, err) : alerts_nomem(err);
    if (text.ptr && r == 0) {
        struct measuring *none = arena_zalloc(&arena, sizeof *none);
        none->arena = &arena;
        out.ctx = none;
        out.row = take_row;
        q.issues = a->o.query_issues;
        if ((r = query_run_segments(&q, NULL, NULL, 0, &out, &qe)) < 0) {
            r = query_failed(r, &qe, err);
            // The filter's own columns: "issues (" stands before it.
            if (rule->on && err && err->line == 1 && err->column > 8)
                err->column -= 8;
            err_set_place(err, rule->on ? "filter" : "query");
        }
    }
    if (text.ptr)
        asking_end(&w);
    arena_free(&arena);
    return r;
}
