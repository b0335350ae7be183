#include "owners/owners_internal.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"

#include <stdio.h>
#include <unistd.h>

enum { STEP_ACTIVITY = 100, LOOK_ACTIVITY = 200, ACTIVITY_ARENA_MAX = 4 << 20 };
#define WAIT_NS (500 * NS_PER_MS)
#define FRESH_NS (30 * NS_PER_S) // so long what is kept is shown as it is

// ---- new issues ----------------------------------------------------------------------------------------

// Whoever was assigned once, by a person or here, is not overruled: not after a crash in the middle either.
static int was_assigned(struct owners *o, int64_t issue, uint32_t project, struct arena *arena, bool *ret,
                        struct err *err)
{
    struct issues_filter f = { .projects = &project, .projects_n = 1 };
    struct issue_activity *list;
    struct issue_row row;
    size_t n;
    int r = issues_row(o->o.issues, &f, issue, 0, 0, arena, &row, err);
    if (r == 0)
        r = issues_activity(o->o.issues, issue, LOOK_ACTIVITY, arena, &list, &n, err);
    if (r < 0)
        return r;
    *ret = row.assignee.name.len > 0;
    for (size_t i = 0; i < n; i++)
        *ret |= str_eq(list[i].kind, STR("assigned"));
    return 0;
}

static int assign(struct owners *o, int64_t issue, uint32_t project, struct issue_assignee to, str rule,
                  struct arena *arena, struct err *err)
{
    char why[160];
    bool was;
    int r = was_assigned(o, issue, project, arena, &was, err);
    if (r < 0 || was)
        return r;
    snprintf(why, sizeof why, "owner rule %.*s", STR_ARG(str_slice(rule, 0, 120)));
    return issues_assign(o->o.issues, STR("clew"), issue, to, str_z(why), err);
}

static int find_and_keep(struct owners *o, int64_t issue, bool is_new, struct arena *arena,
                         struct issue_causes *ret_causes, struct err *err)
{
    struct issue_causes c = { 0 };
    struct issue_assignee first;
    uint32_t project;
    str rule;
    int r = issues_find(o->o.issues, issue, &issue, &project);
    if (r < 0)
        return err_set(err, r, "no_issue", "there is no such issue");
    r = causes_find(o, issue, project, arena, &c, &first, &rule, err);
    if (r == 0)
        r = causes_put(o, issue, &c, err);
    if (r == 0 && is_new && first.name.len)
        r = assign(o, issue, project, first, rule, arena, err);
    if (r == 0)
        *ret_causes = c;
    return r;
}

// What is wrong with one issue (its event is gone, or cannot be read) must not hold up the next.
static bool passes(int r) { return r == ERR_NOMEM || r == ERR_IO || r == ERR_BUSY || r == ERR_NOSPC; }

static int deal_with(struct owners *o, const struct issue_activity *a, struct err *err)
{
    struct issue_causes c;
    struct arena arena;
    if (!str_eq(a->kind, STR("first_seen")))
        return 0;
    arena_init(&arena, OWNERS_ARENA_MAX);
    int r = find_and_keep(o, a->issue, true, &arena, &c, err);
    arena_free(&arena);
    if (r == 0 || passes(r))
        return r;
    if (r != ERR_NOENT)
        log_warn("owners", "issue %lld: %s", (long long)a->issue, err->message);
    return 0;
}

int owners_step(struct owners *o, struct err *err)
{
    struct issue_activity *list;
    struct arena arena;
    int64_t after = 0, done;
    size_t n = 0;
    MAGIC_CHECK(o, OWNERS_MAGIC);
    int r = causes_after(o, &after, err);
    if (r < 0)
        return r;
    arena_init(&arena, ACTIVITY_ARENA_MAX);
    r = issues_activity_after(o->o.issues, after, STEP_ACTIVITY, &arena, &list, &n, err);
    done = after;
    for (size_t i = 0; i < n && r == 0 && !o->stop; i++) {
        r = deal_with(o, &list[i], err);
        if (r == 0)
            done = list[i].id;
    }
    arena_free(&arena);
    if (done != after) {
        int rc = causes_after_set(o, done, r < 0 ? NULL : err);
        r = r < 0 ? r : rc;
    }
    return r < 0 ? r : n > 0;
}

static void pause_unless_stopped(struct owners *o)
{
    for (int64_t t = 0; t < WAIT_NS && !o->stop; t += 20 * NS_PER_MS)
        usleep(20 * NS_PER_MS / 1000);
}

static void *owners_main(void *arg)
{
    struct owners *o = arg;
    bool said = false;
    while (!o->stop) {
        struct err err = { 0 };
        int r = owners_step(o, &err);
        if (r < 0 && !said)
            log_error("owners", "%s; trying again", err.message[0] ? err.message : err_text(r));
        said = r < 0;
        if (r <= 0)
            pause_unless_stopped(o);
    }
    return NULL;
}

// ---- asked ---------------------------------------------------------------------------------------------

int owners_kept(struct owners *o, int64_t issue, struct arena *arena, struct issue_causes *ret_causes, struct err *err)
{
    int64_t time;
    MAGIC_CHECK(o, OWNERS_MAGIC);
    *ret_causes = (struct issue_causes){ 0 };
    int r = causes_get(o, issue, arena, ret_causes, &time, err);
    return r == ERR_NOENT ? 0 : r;
}

int owners_look(struct owners *o, int64_t issue, struct arena *arena, struct issue_causes *ret_causes, struct err *err)
{
    struct meta_owner_rules rules;
    struct issue_causes kept = { 0 };
    struct arena own;
    int64_t time = 0;
    uint32_t project;
    MAGIC_CHECK(o, OWNERS_MAGIC);
    int r = issues_find(o->o.issues, issue, &issue, &project);
    if (r < 0)
        return err_set(err, r, "no_issue", "there is no such issue");
    r = causes_get(o, issue, arena, &kept, &time, err);
    *ret_causes = kept;
    if (r < 0 && r != ERR_NOENT)
        return r;
    arena_init(&own, OWNERS_ARENA_MAX);
    r = meta_owner_rules_get(o->o.meta, project, &own, &rules, err);
    int64_t now = clock_unix_ns();
    if (r == 0 && (rules.changed_ns > time || now - time > FRESH_NS || now < time)) {
        r = find_and_keep(o, issue, false, &own, &kept, err);
        if (r == 0) {
            *ret_causes = (struct issue_causes){ 0 };
            r = arena_dup(arena, kept.owners, &ret_causes->owners);
        }
        if (r == 0)
            r = arena_dup(arena, kept.suspect, &ret_causes->suspect);
        if (r == ERR_NOENT) // no event is stored any more: what was found from it stays
            r = 0;
    }
    arena_free(&own);
    return r;
}

// ---- life ----------------------------------------------------------------------------------------------

int owners_open(const struct owners_options *options, struct owners **ret_owners, struct err *err)
{
    struct owners *o = mem_zalloc(sizeof *o);
    if (!o)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    o->magic = OWNERS_MAGIC;
    o->o = *options;
    must(pthread_mutex_init(&o->rules_lock, NULL) == 0);
    int r = causes_open(o, err);
    if (r == 0)
        r = git_new(options->git, &o->git, err);
    if (r == 0 && !options->manual) {
        o->running = pthread_create(&o->thread, NULL, owners_main, o) == 0;
        if (!o->running)
            r = err_set(err, ERR_NOMEM, "threads", "the thread that finds owners cannot be started");
    }
    o->o.path = o->o.git = NULL; // the caller's
    if (r < 0) {
        owners_close(o);
        return r;
    }
    *ret_owners = o;
    return 0;
}

void owners_close(struct owners *o)
{
    if (!o)
        return;
    MAGIC_CHECK(o, OWNERS_MAGIC);
    o->stop = true;
    if (o->running)
        pthread_join(o->thread, NULL);
    db_close(&o->db);
    git_free(o->git);
    owner_rules_free(o->rules);
    pthread_mutex_destroy(&o->rules_lock);
    o->magic = 0;
    mem_free(o);
}
