// When rules fire.
#include "alerts/alerts_internal.h"
#include "base/mem.h"
#include "issues/issues.h"

#include <stdio.h>

enum { TRAIL_AT_ONCE = 200, PENDING_MAX = TRAIL_AT_ONCE + ALERT_RULES_MAX, EVERY_MIN_S = 15, EVERY_MAX_S = 60 };

// ---- the trail of issues -------------------------------------------------------------------------------

static int trail_read(struct alerts *a, int64_t *ret_after, struct err *err)
{
    sqlite3_stmt *s;
    pthread_mutex_lock(&a->db.lock);
    int r = db_query(&a->db, &s, err, "SELECT value FROM state WHERE name = 'trail'", "");
    if (r == 1) {
        *ret_after = sqlite3_column_int64(s, 0);
        db_done(s);
    }
    pthread_mutex_unlock(&a->db.lock);
    return r < 0 ? r : 0;
}

static unsigned on_of(str kind)
{
    return str_eq(kind, STR("first_seen"))   ? ALERT_ON_NEW
           : str_eq(kind, STR("regressed"))  ? ALERT_ON_REGRESSED
           : str_eq(kind, STR("escalating")) ? ALERT_ON_ESCALATING
                                             : 0;
}

static const char *const on_words[] = {
    [ALERT_ON_NEW] = "new", [ALERT_ON_REGRESSED] = "regressed", [ALERT_ON_ESCALATING] = "escalating"
};

// What one entry of the trail makes fire; the transaction comes at the end, for all of them.
struct pending {
    struct firing_new list[PENDING_MAX];
    size_t n;
};

static int add_pending(struct alerts *a, const struct alert_rule *rule, const struct issue_activity *x, unsigned on,
                       str title, struct arena *arena, struct pending *p)
{
    struct firing_new f = { .rule = rule,
                            .key = arena_printf(arena, "trail:%lld", (long long)x->id),
                            .subject = arena_printf(arena, "issue:%lld", (long long)x->issue),
                            .kind = on_words[on],
                            .project = x->project,
                            .issue = x->issue,
                            .title = title,
                            .text = x->text };
    if (!f.key.ptr || !f.subject.ptr)
        return ERR_NOMEM;
    p->list[p->n++] = f;
    return 0;
}

// Of a row only the title is kept: its releases and services are the sender's, and many rows are read in a round.
static int title_of(struct alerts *a, const struct issues_filter *f, int64_t issue, int64_t now, struct arena *arena,
                    str *ret_title, struct err *err)
{
    struct issue_row row;
    struct arena whole;
    arena_init(&whole, ALERT_ARENA_MAX);
    int r = issues_row(a->o.issues, f, issue, now - NS_PER_S, now, &whole, &row, err);
    if (r == 0 && arena_dup(arena, row.title, ret_title) < 0)
        r = alerts_nomem(err);
    arena_free(&whole);
    return r;
}

static int read_entry(struct alerts *a, const struct issue_activity *x, const struct alert_rule *rules, size_t n,
                      int64_t now, struct arena *arena, struct pending *p, struct err *err)
{
    struct issues_filter all = { .projects = &x->project, .projects_n = 1 };
    str title = { 0 };
    bool known = false;
    unsigned on = on_of(x->kind);
    for (size_t i = 0; i < n && on; i++) {
        bool wants = false;
        // What happened before there was the rule is no news.
        if (x->time < rules[i].created || !rules[i].enabled || !(rules[i].on & on) ||
            (rules[i].project && rules[i].project != x->project))
            continue;
        struct err why = { 0 };
        if (measure_wants(a, &rules[i], x->issue, now, arena, &wants, &why) < 0)
            wants = true; // told once too often rather than not at all
        if (!wants)
            continue;
        if (!known) {
            int r = title_of(a, &all, x->issue, now, arena, &title, err);
            if (r == ERR_NOENT)
                return 0; // merged or gone meanwhile
            if (r < 0)
                return r;
            known = true;
        }
        if (add_pending(a, &rules[i], x, on, title, arena, p) < 0)
            return alerts_nomem(err);
    }
    return 0;
}

static int write_pending(struct alerts *a, const struct pending *p, int64_t after, int64_t now, struct err *err)
{
    int r = db_begin(&a->db, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < p->n && r == 0; i++)
        r = firing_add(a, &p->list[i], now, err);
    if (r == 0)
        r = db_run(&a->db, NULL, err, "UPDATE state SET value = ? WHERE name = 'trail'", "i", after);
    return db_finish(&a->db, r, err);
}

// The newest entry there is.
static int trail_end(struct alerts *a, struct arena *arena, int64_t *ret_last, struct err *err)
{
    struct issue_activity *list;
    size_t n = TRAIL_AT_ONCE;
    int64_t last = 0;
    int r = 0;
    while (r == 0 && n == TRAIL_AT_ONCE) {
        arena_reset(arena);
        r = issues_activity_after(a->o.issues, last, TRAIL_AT_ONCE, arena, &list, &n, err);
        last = r == 0 && n ? list[n - 1].id : last;
    }
    *ret_last = last;
    return r;
}

int evaluate_trail(struct alerts *a, int64_t now, struct err *err)
{
    struct arena arena;
    struct alert_rule *rules;
    struct issue_activity *list;
    size_t rules_n = 0, n = TRAIL_AT_ONCE;
    int64_t after = 0;
    if (!a->o.issues)
        return 0;
    struct pending *p = mem_zalloc(sizeof *p);
    if (!p)
        return alerts_nomem(err);
    arena_init(&arena, ALERT_ARENA_MAX);
    int r = trail_read(a, &after, err);
    if (r == 0 && after < 0) {
        r = trail_end(a, &arena, &after, err);
        if (r == 0)
            r = write_pending(a, p, after, now, err);
    }
    while (r == 0 && n == TRAIL_AT_ONCE && !atomic_load(&a->stop)) {
        arena_reset(&arena);
        p->n = 0;
        r = alerts_rules(a, &arena, &rules, &rules_n, err);
        if (r == 0)
            r = issues_activity_after(a->o.issues, after, TRAIL_AT_ONCE, &arena, &list, &n, err);
        size_t done = 0;
        // As many entries as there is room for what they may fire.
        for (; r == 0 && done < n && p->n + rules_n <= PENDING_MAX; done++)
            r = read_entry(a, &list[done], rules, rules_n, now, &arena, p, err);
        if (r == 0 && done > 0) {
            after = list[done - 1].id;
            r = write_pending(a, p, after, now, err);
            n = done < n ? TRAIL_AT_ONCE : n;
        }
    }
    arena_free(&arena);
    mem_free(p);
    return r;
}

// ---- what holds as long as it holds --------------------------------------------------------------------

static bool crosses(const struct alert_rule *rule, double v)
{
    switch (rule->op) {
    case ALERT_ABOVE:
        return v > rule->threshold;
    case ALERT_AT_LEAST:
        return v >= rule->threshold;
    case ALERT_BELOW:
        return v < rule->threshold;
    case ALERT_AT_MOST:
        return v <= rule->threshold;
    }
    return false;
}

static bool was_open(const struct firing_open *open, size_t n, str subject)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(open[i].subject, subject))
            return true;
    return false;
}

static str text_of(struct arena *arena, const struct alert_rule *rule, const char *kind, const struct measured *row)
{
    static const char *const ops[] = { "above", "at least", "below", "at most" };
    if (rule->on)
        return arena_printf(arena, "%.0f %s in %lld min", row->value, kind,
                            (long long)(kind[0] == 'u' ? rule->users_window_s : rule->events_window_s) / 60);
    return arena_printf(arena, "%.6g, %s %.6g (over %lld min)", row->value, ops[rule->op], rule->threshold,
                        (long long)rule->window_s / 60);
}

// Opens what holds now and did not before, closes what does no longer. In a transaction.
static int settle(struct alerts *a, const struct alert_rule *rule, const char *kind, const struct measuring *m,
                  int64_t now, struct err *err)
{
    struct firing_open *open;
    size_t open_n = 0;
    int r = firings_open(a, rule->id, kind, m->arena, &open, &open_n, err);
    for (size_t i = 0; i < open_n && r == 0; i++) {
        bool holds = false, known = false;
        double value = 0;
        for (size_t k = 0; k < m->n && !holds; k++)
            if (str_eq(m->rows[k].subject, open[i].subject)) {
                value = m->rows[k].value;
                known = true;
                holds = rule->on || crosses(rule, value);
            }
        if (holds)
            continue;
        if (rule->on) // those below the limit are no rows
            known = measure_issue(a, rule, kind[0] == 'u', open[i].project, open[i].issue, now, m->arena, &value);
        r = firing_close(a, rule, &open[i], known ? &value : NULL, now, err);
    }
    for (size_t i = 0; i < m->n && r == 0; i++) {
        const struct measured *row = &m->rows[i];
        if ((!rule->on && !crosses(rule, row->value)) || was_open(open, open_n, row->subject))
            continue;
        struct firing_new f = { .rule = rule,
                                .key =
                                    arena_printf(m->arena, "%s:%.*s:%lld", kind, STR_ARG(row->subject), (long long)now),
                                .subject = row->subject,
                                .kind = kind,
                                .project = row->project ? row->project : rule->project,
                                .issue = row->issue,
                                .value = row->value,
                                .lasting = true,
                                .title = row->issue         ? row->title
                                         : row->subject.len ? row->subject
                                                            : rule->name,
                                .text = text_of(m->arena, rule, kind, row) };
        r = f.key.ptr && f.text.ptr ? firing_add(a, &f, now, err) : alerts_nomem(err);
    }
    return r;
}

static int evaluate_kind(struct alerts *a, const struct alert_rule *rule, const char *kind, struct measuring *m,
                         int64_t now, struct err *err)
{
    m->n = 0;
    m->more = false;
    int r = rule->on ? measure_issues(a, rule, kind[0] == 'u', now, m, err) : measure_query(a, rule, now, m, err);
    if (r < 0)
        return r;
    if ((r = db_begin(&a->db, err)) < 0)
        return r;
    return db_finish(&a->db, settle(a, rule, kind, m, now, err), err);
}

static int64_t every_ns(const struct alert_rule *rule)
{
    int64_t window = rule->window_s;
    if (rule->on & ALERT_ON_EVENTS)
        window = rule->events_window_s;
    if (rule->on & ALERT_ON_USERS && (!window || rule->users_window_s < window))
        window = rule->users_window_s;
    int64_t s = window / 10;
    return (s < EVERY_MIN_S ? EVERY_MIN_S : s > EVERY_MAX_S ? EVERY_MAX_S : s) * NS_PER_S;
}

static int evaluate_rule(struct alerts *a, const struct alert_rule *rule, struct measuring *m, int64_t now,
                         struct err *err)
{
    struct err why = { 0 };
    int r = 0;
    if (!rule->on)
        r = evaluate_kind(a, rule, "query", m, now, &why);
    if (rule->on & ALERT_ON_EVENTS)
        r = evaluate_kind(a, rule, "events", m, now, &why);
    if (r == 0 && rule->on & ALERT_ON_USERS)
        r = evaluate_kind(a, rule, "users", m, now, &why);
    // A rule that cannot be evaluated says so on its page; the others go on.
    int e = db_begin(&a->db, err);
    if (e < 0)
        return e;
    e = db_run(&a->db, NULL, err, "UPDATE rule SET evaluated_ns = ?, trouble = ? WHERE id = ?", "izi", now,
               r < 0 ? why.message : "", rule->id);
    return db_finish(&a->db, e, err);
}

int evaluate_due(struct alerts *a, int64_t now, int64_t *ret_next, struct err *err)
{
    struct arena arena;
    struct alert_rule *rules;
    size_t n = 0;
    int64_t next = INT64_MAX;
    struct measuring *m = mem_zalloc(sizeof *m);
    if (!m)
        return alerts_nomem(err);
    arena_init(&arena, ALERT_ARENA_MAX);
    m->arena = &arena;
    int r = alerts_rules(a, &arena, &rules, &n, err);
    struct arena_mark mark = arena_mark(&arena);
    for (size_t i = 0; i < n && r == 0 && !atomic_load(&a->stop); i++) {
        if (!rules[i].enabled || (rules[i].on && !(rules[i].on & (ALERT_ON_EVENTS | ALERT_ON_USERS))))
            continue;
        int64_t due = rules[i].evaluated + every_ns(&rules[i]);
        if (due <= now) {
            r = evaluate_rule(a, &rules[i], m, now, err);
            arena_rewind(&arena, mark);
            due = now + every_ns(&rules[i]);
        }
        next = due < next ? due : next;
    }
    arena_free(&arena);
    mem_free(m);
    *ret_next = next;
    return r;
}
