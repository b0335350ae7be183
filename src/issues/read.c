// What there is, for people and for queries.
//
// Figures that are not in memory are read from the database in between: once with `state` held to see what is missing, then
// from the readers' connection, then once more with `state` held, when what came meanwhile is there, too.
#include "base/hex.h"
#include "base/mem.h"
#include "base/must.h"
#include "issues/issues_internal.h"
#include "wire/record.h"

#include <stdlib.h>

enum { LOADED_MAX = 200000, REGRESSED_MAX = 10000 };
#define LOADED_BYTES_MAX ((size_t)256 << 20)

// ---- figures -------------------------------------------------------------------------------------------

struct loaded {
    uint32_t group;
    struct detail *detail;
};
struct loading {
    struct loaded *list; // by group
    size_t n, cap;
};

static void loading_free(struct loading *l)
{
    for (size_t i = 0; i < l->n; i++)
        detail_free(l->list[i].detail);
    mem_free(l->list);
}

static int loading_want(struct loading *l, uint32_t group)
{
    if (l->n == LOADED_MAX)
        return ERR_LIMIT;
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 64;
        void *p = mem_reallocarray(l->list, cap, sizeof *l->list);
        if (!p)
            return ERR_NOMEM;
        l->list = p;
        l->cap = cap;
    }
    l->list[l->n++] = (struct loaded){ group, NULL };
    return 0;
}

static int by_group(const void *a, const void *b)
{
    uint32_t x = ((const struct loaded *)a)->group, y = ((const struct loaded *)b)->group;
    return (x > y) - (x < y);
}

static int loading_read(struct issues *is, struct loading *l, struct err *err)
{
    size_t held = 0;
    int r = 0;
    if (!l->n)
        return 0;
    qsort(l->list, l->n, sizeof *l->list, by_group);
    pthread_mutex_lock(&is->reading);
    for (size_t i = 0; i < l->n && r == 0; i++) {
        r = issues_db_detail(&is->reader, l->list[i].group, &l->list[i].detail, err);
        if (l->list[i].detail && (held += detail_bytes(l->list[i].detail)) > LOADED_BYTES_MAX)
            r = err_set(err, ERR_LIMIT, "too_many_issues", "so many issues cannot be looked at at once");
    }
    pthread_mutex_unlock(&is->reading);
    return r;
}

static const struct detail *detail_of(const struct loading *l, const struct group *g)
{
    if (g->detail)
        return g->detail;
    struct loaded key = { g->id, NULL };
    const struct loaded *at = l->n ? bsearch(&key, l->list, l->n, sizeof key, by_group) : NULL;
    return at ? at->detail : NULL;
}

// The figures of an issue: its only group's, or the sum of all, made in *sum.
static int figures_of(const struct issues *is, const struct issue *issue, const struct loading *l, struct detail **sum,
                      const struct detail **ret)
{
    const struct detail *only = NULL;
    uint32_t n = 0;
    *ret = NULL;
    for (uint32_t id = issue->groups; id; id = is->index.groups[id]->next) {
        const struct detail *d = detail_of(l, is->index.groups[id]);
        if (!d || (!d->title.ptr && !d->series.n))
            continue;
        if (n++ == 0) {
            only = d;
            continue;
        }
        if (!*sum) {
            if (!(*sum = detail_new()) || detail_merge(*sum, only) < 0)
                return ERR_NOMEM;
        }
        if (detail_merge(*sum, d) < 0)
            return ERR_NOMEM;
    }
    *ret = *sum ? *sum : only;
    return 0;
}

// ---- rows ----------------------------------------------------------------------------------------------

enum issue_priority issue_priority_of(const struct issue *issue, const struct detail *d, uint64_t events,
                                      uint64_t users)
{
    if (issue->priority != PRIORITY_AUTO)
        return (enum issue_priority)issue->priority;
    int points = d->severity >= SEVERITY_FATAL   ? 3
                 : d->severity >= SEVERITY_ERROR ? 2
                 : d->severity >= SEVERITY_WARN  ? 1
                                                 : 0;
    bool active = issue->state == ISSUE_NEW || issue->state == ISSUE_REGRESSED || issue->state == ISSUE_ESCALATING;
    points += d->handled == 0;
    points += active && points >= 2;
    points += users >= 100 || events >= 10000;
    points -= d->handled == 1 && users < 10 && events < 100;
    return points >= 4 ? PRIORITY_HIGH : points >= 2 ? PRIORITY_MEDIUM : PRIORITY_LOW;
}

struct range {
    uint32_t from, to, now; // minutes
};

static str dup(struct arena *a, str s, bool *failed)
{
    str copy = { 0 };
    if (s.len && arena_dup(a, s, &copy) < 0)
        *failed = true;
    return copy;
}

static int share_names(struct arena *a, const struct shares *t, const str **ret, uint32_t *ret_n)
{
    str *list = arena_alloc_array(a, t->n + 1, sizeof *list);
    uint32_t n = 0;
    bool failed = !list;
    for (uint32_t i = 0; i < t->n && !failed; i++)
        if (t->rows[i].len)
            list[n++] = dup(a, share_name(&t->rows[i]), &failed);
    *ret = list;
    *ret_n = n;
    return failed ? ERR_LIMIT : 0;
}

static const char *text(char *s) { return s ? s : ""; }

static void put_more(const struct issue *issue, struct arena *a, struct issue_row *row, bool *failed)
{
    const struct issue_more *m = issue->more;
    if (!m)
        return;
    row->until = m->until;
    row->resolved = (struct issue_resolution){ m->resolved, dup(a, str_z(text(m->release)), failed),
                                               dup(a, str_z(text(m->commit)), failed) };
    row->reason = dup(a, str_z(text(m->reason)), failed);
    row->assignee = (struct issue_assignee){ dup(a, str_z(text(m->assignee_kind)), failed),
                                             dup(a, str_z(text(m->assignee)), failed) };
}

// 0 with row->id 0: not wanted.
static int make_row(const struct issues *is, const struct issues_filter *f, const struct issue *issue,
                    const struct detail *d, const struct range *range, struct arena *a, struct issue_row *row)
{
    bool failed = false;
    uint64_t total = 0;
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (uint32_t id = issue->groups; id; id = is->index.groups[id]->next) {
        const struct group *g = is->index.groups[id];
        total += g->events;
        first = g->first < first ? g->first : first;
        last = g->last > last ? g->last : last;
    }
    *row =
        (struct issue_row){ .id = issue->id,
                            .project = issue->project,
                            .title = dup(a, d->title, &failed),
                            .type = dup(a, d->type, &failed),
                            .value = dup(a, d->value, &failed),
                            .culprit = dup(a, d->culprit, &failed),
                            .platform = dup(a, d->platform, &failed),
                            .severity = d->severity,
                            .handled = d->handled,
                            .state = (enum issue_state)issue->state,
                            .since = issue->since,
                            .priority_set = issue->priority != PRIORITY_AUTO,
                            .seen = f->who.len && index_seen(&is->index, seen_key(f->who, issue->id)) >= issue->since,
                            .first = first,
                            .last = last,
                            .events = series_sum(&d->series, series_align(range->from, range->now), range->to),
                            .users = people_count_in(&d->people, range->from, range->to),
                            .total_events = total,
                            .total_users = people_count(&d->people),
                            .users_approx = people_approx(&d->people),
                            .hashes = issue->groups_n };
    row->priority = issue_priority_of(issue, d, total, row->total_users);
    put_more(issue, a, row, &failed);
    const struct share *oldest = shares_end(&d->releases, false), *newest = shares_end(&d->releases, true);
    row->first_release = oldest ? dup(a, share_name(oldest), &failed) : (str){ 0 };
    row->last_release = newest ? dup(a, share_name(newest), &failed) : (str){ 0 };
    memcpy(row->sample_latest, d->latest.event, 16);
    int r = share_names(a, &d->services, &row->services, &row->services_n);
    if (r == 0)
        r = share_names(a, &d->releases, &row->releases, &row->releases_n);
    if (r == 0)
        r = share_names(a, &d->environments, &row->environments, &row->environments_n);
    if (r == 0 && f->buckets) {
        uint64_t *spark = arena_zalloc(a, f->buckets * sizeof *spark);
        if (!spark)
            return ERR_LIMIT;
        series_spread(&d->series, series_align(range->from, range->now), range->to, f->buckets, spark);
        row->spark = spark;
    }
    return r < 0 || failed ? ERR_LIMIT : 0;
}

static bool project_among(const struct issues_filter *f, uint32_t project)
{
    for (uint32_t i = 0; i < f->projects_n; i++)
        if (f->projects[i] == project)
            return true;
    return !f->projects;
}

// Had it events in the range, as far as its groups tell?
static bool was_seen(const struct issues *is, const struct issue *issue, int64_t from, int64_t to)
{
    for (uint32_t id = issue->groups; id; id = is->index.groups[id]->next)
        if (is->index.groups[id]->first < to && is->index.groups[id]->last >= from)
            return true;
    return false;
}

static bool is_wanted(const struct issues *is, const struct issues_filter *f, const struct issue *issue, int64_t from,
                      int64_t to)
{
    return issue && issue->id < is->index.issues_saved && !issue->merged_into && issue->groups_n &&
           project_among(f, issue->project) && was_seen(is, issue, from, to);
}

static int want_missing(const struct issues *is, const struct issue *issue, struct loading *l)
{
    int r = 0;
    for (uint32_t id = issue->groups; id && r == 0; id = is->index.groups[id]->next)
        if (!is->index.groups[id]->detail)
            r = loading_want(l, id);
    return r;
}

static struct range range_of(const struct issues *is, int64_t from, int64_t to)
{
    // A minute that the range ends in belongs to it.
    return (struct range){ minute_of(from), to == INT64_MAX ? UINT32_MAX : minute_of(to + MINUTE_NS - 1),
                           minute_of(issues_now(is)) };
}

int issues_rows(struct issues *is, const struct issues_filter *f, int64_t from, int64_t to, struct arena *arena,
                struct issue_row **ret_rows, size_t *ret_n, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    const struct index *x = &is->index;
    struct range range = range_of(is, from, to);
    struct loading l = { 0 };
    struct issue_row *rows = NULL;
    size_t n = 0, cap = 0;
    bool said = false;
    int r = 0;
    pthread_mutex_lock(&is->state);
    for (uint32_t i = 0; i < x->issues_end && r == 0; i++)
        if (is_wanted(is, f, x->issues[i], from, to)) {
            cap++;
            r = want_missing(is, x->issues[i], &l);
        }
    pthread_mutex_unlock(&is->state);
    if (r == 0)
        said = (r = loading_read(is, &l, err)) < 0;
    if (r == 0 && !(rows = arena_alloc_array(arena, cap + 1, sizeof *rows)))
        r = ERR_LIMIT;
    pthread_mutex_lock(&is->state);
    for (uint32_t i = 0; i < x->issues_end && r == 0 && n < cap; i++) {
        struct detail *sum = NULL;
        const struct detail *d;
        if (!is_wanted(is, f, x->issues[i], from, to))
            continue;
        struct arena_mark mark = arena_mark(arena);
        r = figures_of(is, x->issues[i], &l, &sum, &d);
        if (r == 0 && d)
            r = make_row(is, f, x->issues[i], d, &range, arena, &rows[n]);
        if (r == 0 && d && rows[n].events && (!f->want || f->want(f->ctx, &rows[n])))
            n++;
        else
            arena_rewind(arena, mark);
        detail_free(sum);
    }
    pthread_mutex_unlock(&is->state);
    loading_free(&l);
    if (r < 0)
        return said ? r : err_set(err, r, NULL, "%s", err_text(r));
    *ret_rows = rows;
    *ret_n = n;
    return 0;
}

// ---- one of them ---------------------------------------------------------------------------------------

static int no_issue(struct err *err) { return err_set(err, ERR_NOENT, "no_issue", "there is no such issue"); }

static int share_rows(struct arena *a, const struct shares *t, const struct issue_tally_row **ret, size_t *ret_n)
{
    bool failed = false;
    struct issue_tally_row *list = arena_alloc_array(a, t->n + 1, sizeof *list);
    if (!list)
        return ERR_LIMIT;
    for (uint32_t i = 0; i < t->n; i++)
        list[i] = (struct issue_tally_row){ dup(a, share_name(&t->rows[i]), &failed), t->rows[i].events,
                                            t->rows[i].first, t->rows[i].last };
    *ret = list;
    *ret_n = t->n;
    return failed ? ERR_LIMIT : 0;
}

static int group_rows(const struct issues *is, const struct issue *issue, struct arena *a, struct issue_detail *out)
{
    bool failed = false;
    struct issue_group_row *list = arena_alloc_array(a, issue->groups_n + 1, sizeof *list);
    if (!list)
        return ERR_LIMIT;
    for (uint32_t id = issue->groups; id; id = is->index.groups[id]->next) {
        const struct group *g = is->index.groups[id];
        char hex[32];
        hex_encode(hex, g->hash, 16);
        list[out->groups_n++] =
            (struct issue_group_row){ dup(a, str_of(hex, 32), &failed), g->events, g->first, g->last };
    }
    out->groups = list;
    return failed ? ERR_LIMIT : 0;
}

static int user_rows(const struct detail *d, struct arena *a, struct issue_detail *out)
{
    bool failed = false;
    struct issue_user_row *list = arena_alloc_array(a, ISSUE_TOP_USERS + 1, sizeof *list);
    if (!list)
        return ERR_LIMIT;
    for (unsigned i = 0; i < d->top_n; i++) {
        str label = dup(a, str_z(d->top[i].label), &failed);
        size_t at = out->users_n++;
        for (; at > 0 && list[at - 1].events < d->top[i].events; at--)
            list[at] = list[at - 1];
        list[at] = (struct issue_user_row){ label, label, d->top[i].events, d->top[i].last };
    }
    out->users = list;
    return failed ? ERR_LIMIT : 0;
}

static int make_detail(const struct issues *is, const struct issue *issue, const struct detail *d, struct arena *a,
                       struct issue_detail *out)
{
    memcpy(out->sample_first, d->first.event, 16);
    memcpy(out->sample_recommended, d->recommended.event, 16);
    int r = share_rows(a, &d->releases, &out->releases, &out->releases_n);
    if (r == 0)
        r = share_rows(a, &d->environments, &out->environments, &out->environments_n);
    if (r == 0)
        r = share_rows(a, &d->services, &out->services, &out->services_n);
    if (r == 0)
        r = group_rows(is, issue, a, out);
    return r < 0 ? r : user_rows(d, a, out);
}

// An issue with its figures.
struct looked {
    const struct issue *issue;
    const struct detail *figures;
    struct loading loading;
    struct detail *sum;
};

static void look_end(struct issues *is, struct looked *l)
{
    pthread_mutex_unlock(&is->state);
    detail_free(l->sum);
    loading_free(&l->loading);
}

// After 0 `state` is held until look_end(). f may be NULL: of any project.
static int look(struct issues *is, const struct issues_filter *f, int64_t id, struct looked *l, struct err *err)
{
    *l = (struct looked){ 0 };
    pthread_mutex_lock(&is->state);
    struct issue *issue = id > 0 ? index_visible(&is->index, (uint64_t)id) : NULL;
    int r = issue && issue->groups_n && (!f || project_among(f, issue->project)) ? want_missing(is, issue, &l->loading)
                                                                                 : ERR_NOENT;
    pthread_mutex_unlock(&is->state);
    if (r == 0)
        r = loading_read(is, &l->loading, err);
    pthread_mutex_lock(&is->state);
    if (r == 0) {
        l->issue = index_visible(&is->index, (uint64_t)id);
        r = l->issue ? figures_of(is, l->issue, &l->loading, &l->sum, &l->figures) : ERR_NOENT;
        if (r == 0 && !l->figures)
            r = ERR_NOENT;
    }
    if (r < 0)
        look_end(is, l);
    return r;
}

static int look_failed(int r, struct err *err)
{
    return r == ERR_NOENT ? no_issue(err) : err_set(err, r, NULL, "%s", err_text(r));
}

int issues_detail(struct issues *is, const struct issues_filter *f, int64_t id, int64_t from, int64_t to,
                  struct arena *arena, struct issue_detail *ret_detail, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    struct range range = range_of(is, from, to);
    struct issue_detail out = { 0 };
    struct looked l;
    int r = look(is, f, id, &l, err);
    if (r == 0) {
        r = make_row(is, f, l.issue, l.figures, &range, arena, &out.row);
        if (r == 0)
            r = make_detail(is, l.issue, l.figures, arena, &out);
        look_end(is, &l);
    }
    if (r < 0)
        return look_failed(r, err);
    *ret_detail = out;
    return 0;
}

int issues_counted(struct issues *is, int64_t id, int64_t time, struct issue_counted *ret_counted, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    struct issue_counted out = { .first = INT64_MAX, .last = INT64_MIN, .edge = INT64_MAX };
    struct looked l;
    int r = look(is, NULL, id, &l, err);
    if (r < 0)
        return look_failed(r, err);
    for (uint32_t group = l.issue->groups; group; group = is->index.groups[group]->next) {
        const struct group *g = is->index.groups[group];
        out.total += g->events;
        out.first = g->first < out.first ? g->first : out.first;
        out.last = g->last > out.last ? g->last : out.last;
    }
    uint32_t edge = series_edge(minute_of(time), minute_of(issues_now(is)));
    if (edge < minute_of(INT64_MAX)) {
        out.edge = (int64_t)edge * MINUTE_NS;
        out.later = series_sum(&l.figures->series, edge, UINT32_MAX);
    }
    look_end(is, &l);
    *ret_counted = out;
    return 0;
}

int issues_row(struct issues *is, const struct issues_filter *f, int64_t id, int64_t from, int64_t to,
               struct arena *arena, struct issue_row *ret_row, struct err *err)
{
    struct issue_detail d;
    int r = issues_detail(is, f, id, from, to, arena, &d, err);
    if (r == 0)
        *ret_row = d.row;
    return r;
}

// ---- hashes --------------------------------------------------------------------------------------------

int issues_of_hash(struct issues *is, uint32_t project, str hash, int64_t *ret_issue)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    uint8_t key[16];
    int r = ERR_NOENT;
    if (!issue_hash_of(hash, key))
        return r;
    pthread_mutex_lock(&is->state);
    const struct group *g = index_group(&is->index, project, key);
    const struct issue *issue = g ? index_visible(&is->index, g->issue) : NULL;
    if (issue) {
        *ret_issue = issue->id;
        r = 0;
    }
    pthread_mutex_unlock(&is->state);
    return r;
}

int issues_hashes(struct issues *is, int64_t issue, struct arena *arena, uint32_t *ret_project, str **ret_hashes,
                  size_t *ret_n)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    bool failed = false;
    size_t n = 0;
    pthread_mutex_lock(&is->state);
    const struct issue *found = issue > 0 ? index_visible(&is->index, (uint64_t)issue) : NULL;
    str *list = found ? arena_alloc_array(arena, found->groups_n + 1, sizeof *list) : NULL;
    for (uint32_t id = list ? found->groups : 0; id; id = is->index.groups[id]->next) {
        char hex[32];
        hex_encode(hex, is->index.groups[id]->hash, 16);
        list[n++] = dup(arena, str_of(hex, 32), &failed);
    }
    int r = !found ? ERR_NOENT : !list || failed ? ERR_NOMEM : 0;
    if (r == 0) {
        *ret_project = found->project;
        *ret_hashes = list;
        *ret_n = n;
    }
    pthread_mutex_unlock(&is->state);
    return r;
}

int issues_find(struct issues *is, int64_t id, int64_t *ret_id, uint32_t *ret_project)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    pthread_mutex_lock(&is->state);
    const struct issue *issue = id > 0 ? index_visible(&is->index, (uint64_t)id) : NULL;
    if (issue) {
        *ret_id = issue->id;
        *ret_project = issue->project;
    }
    pthread_mutex_unlock(&is->state);
    return issue ? 0 : ERR_NOENT;
}

// ---- activity ------------------------------------------------------------------------------------------

static int activity_rows(struct issues *is, const char *sql, int64_t a, size_t n, struct arena *arena,
                         struct issue_activity **ret_list, size_t *ret_n, struct err *err)
{
    struct issue_activity *list = arena_alloc_array(arena, n + 1, sizeof *list);
    sqlite3_stmt *s;
    size_t got = 0;
    bool failed = !list;
    if (failed)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    pthread_mutex_lock(&is->reading);
    int r = db_query(&is->reader, &s, err, sql, "ii", a, (int64_t)n);
    while (r == 1 && got < n && !failed) {
        list[got++] = (struct issue_activity){ .id = sqlite3_column_int64(s, 0),
                                               .issue = sqlite3_column_int64(s, 1),
                                               .project = (uint32_t)sqlite3_column_int64(s, 2),
                                               .time = sqlite3_column_int64(s, 3),
                                               .actor = dup(arena, db_text(s, 4), &failed),
                                               .kind = dup(arena, db_text(s, 5), &failed),
                                               .text = dup(arena, db_text(s, 6), &failed),
                                               .data = dup(arena, db_text(s, 7), &failed) };
        r = db_next(&is->reader, s, err);
    }
    if (r == 1)
        db_done(s);
    pthread_mutex_unlock(&is->reading);
    if (r < 0 || failed)
        return r < 0 ? r : err_set(err, ERR_NOMEM, NULL, "out of memory");
    *ret_list = list;
    *ret_n = got;
    return 0;
}

#define ACTIVITY_COLUMNS "id, issue, project, time_ns, actor, kind, text, data"

int issues_activity(struct issues *is, int64_t issue, size_t n, struct arena *arena, struct issue_activity **ret_list,
                    size_t *ret_n, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    return activity_rows(is, "SELECT " ACTIVITY_COLUMNS " FROM activity WHERE issue = ? ORDER BY id DESC LIMIT ?",
                         issue, n, arena, ret_list, ret_n, err);
}

int issues_activity_after(struct issues *is, int64_t after, size_t n, struct arena *arena,
                          struct issue_activity **ret_list, size_t *ret_n, struct err *err)
{
    MAGIC_CHECK(is, ISSUES_MAGIC);
    return activity_rows(is, "SELECT " ACTIVITY_COLUMNS " FROM activity WHERE id > ? ORDER BY id LIMIT ?", after, n,
                         arena, ret_list, ret_n, err);
}

int issues_regressed_in(struct issues *is, str release, struct arena *arena, int64_t **ret_ids, size_t *ret_n,
                        struct err *err)
{
    int64_t *ids = arena_alloc_array(arena, REGRESSED_MAX, sizeof *ids);
    sqlite3_stmt *s;
    struct buf data;
    size_t n = 0;
    MAGIC_CHECK(is, ISSUES_MAGIC);
    buf_init(&data, 4096);
    release_data(&data, release);
    if (!ids || data.error) {
        buf_free(&data);
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    }
    pthread_mutex_lock(&is->reading);
    int r = db_query(&is->reader, &s, err,
                     "SELECT DISTINCT issue FROM activity WHERE kind = 'regressed' AND data = ? ORDER BY issue LIMIT ?",
                     "ti", buf_view(&data), (int64_t)REGRESSED_MAX);
    for (; r == 1; r = db_next(&is->reader, s, err))
        ids[n++] = sqlite3_column_int64(s, 0);
    pthread_mutex_unlock(&is->reading);
    buf_free(&data);
    if (r < 0)
        return r;
    *ret_ids = ids;
    *ret_n = n;
    return 0;
}

// ---- words ---------------------------------------------------------------------------------------------

static const str states[ISSUE_STATES] = { STR_INIT("new"),       STR_INIT("ongoing"),  STR_INIT("escalating"),
                                          STR_INIT("regressed"), STR_INIT("archived"), STR_INIT("resolved") };

str issue_state_word(enum issue_state s) { return states[s]; }

bool issue_state_of(str word, enum issue_state *ret)
{
    for (int i = 0; i < ISSUE_STATES; i++)
        if (str_eq(word, states[i])) {
            *ret = (enum issue_state)i;
            return true;
        }
    return false;
}

str issue_priority_word(enum issue_priority p)
{
    return p == PRIORITY_HIGH ? STR("high") : p == PRIORITY_MEDIUM ? STR("medium") : STR("low");
}
