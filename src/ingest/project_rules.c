#include "ingest/project_rules.h"

#include "base/mem.h"
#include "base/must.h"

#include <pthread.h>

enum { BUCKETS = 1024, READ_MAX = 1 << 20 };

// When each kind was changed last: as long as it is the same, what was made of it is.
struct stamps {
    int64_t grouping, filters, scrub;
};

struct known {
    struct known *next;
    int64_t project;
    uint64_t seen; // meta_rules_changes() when it was read
    struct stamps stamps;
    struct rule_set *set; // NULL: what holds without settings
};

struct project_rules {
    struct meta *meta;
    struct rule_set *builtin;
    pthread_rwlock_t lock;
    struct known *buckets[BUCKETS];
    size_t own, hand; // sets that are not the built-in one; where the next one is dropped
};

// ---- sets

struct texts {
    struct meta_rules grouping;
    struct meta_setting filters, scrub;
};

static struct rule_set *set_share(struct rule_set *set)
{
    set->shares++;
    return set;
}

void project_rules_done(struct rule_set *set)
{
    if (!set || --set->shares > 0)
        return;
    grouping_rules_free(set->grouping);
    filters_free(set->filters);
    scrub_rules_free(set->scrub);
    mem_free(set);
}

static int scrub_make(str text, struct arena *arena, struct scrub_rules **ret_scrub, struct err *err)
{
    struct scrub_settings settings = { 0 };
    int r = scrub_settings_read(text, arena, &settings, err);
    if (r == 0)
        r = scrub_rules_new(&settings, ret_scrub, err);
    if (r < 0 && r != ERR_NOMEM)
        r = scrub_rules_new(&(struct scrub_settings){ 0 }, ret_scrub, err);
    return r;
}

// A kind that cannot be read is as it is without settings. ERR_NOMEM.
static int set_make(const struct texts *t, struct arena *arena, struct rule_set **ret_set, struct err *err)
{
    struct filter_settings filters = filter_settings_default();
    struct rule_set *set = mem_zalloc(sizeof *set);
    if (!set)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    set->shares = 1;
    int r = grouping_rules_parse(t->grouping.fingerprint, t->grouping.stack, &set->grouping, err);
    if (r < 0 && r != ERR_NOMEM)
        r = grouping_rules_parse((str){ 0 }, (str){ 0 }, &set->grouping, err);
    if (r == 0 && (r = filter_settings_read(t->filters.text, arena, &filters, err)) != ERR_NOMEM)
        r = filters_new(&filters, &set->filters, err);
    if (r < 0 && r != ERR_NOMEM) {
        filters = filter_settings_default();
        r = filters_new(&filters, &set->filters, err);
    }
    if (r == 0)
        r = scrub_make(t->scrub.text, arena, &set->scrub, err);
    if (r < 0)
        project_rules_done(set);
    else
        *ret_set = set;
    return r;
}

int project_rules_new(struct meta *meta, struct project_rules **ret_rules, struct err *err)
{
    const struct texts none = { 0 };
    struct arena arena;
    struct project_rules *p = mem_zalloc(sizeof *p);
    if (!p)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    arena_init(&arena, READ_MAX);
    int r = set_make(&none, &arena, &p->builtin, err);
    arena_free(&arena);
    if (r < 0) {
        mem_free(p);
        return r;
    }
    p->meta = meta;
    must(pthread_rwlock_init(&p->lock, NULL) == 0);
    *ret_rules = p;
    return 0;
}

void project_rules_free(struct project_rules *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct known *k = p->buckets[i], *next; k; k = next) {
            next = k->next;
            project_rules_done(k->set);
            mem_free(k);
        }
    pthread_rwlock_destroy(&p->lock);
    project_rules_done(p->builtin);
    mem_free(p);
}

// ---- what is known

static struct known **slot_of(struct project_rules *p, int64_t project)
{
    struct known **at = &p->buckets[(uint64_t)project % BUCKETS];
    while (*at && (*at)->project != project)
        at = &(*at)->next;
    return at;
}

// With the lock held for writing.
static void drop_one(struct project_rules *p)
{
    for (size_t i = 0; i < BUCKETS; i++, p->hand = (p->hand + 1) % BUCKETS)
        for (struct known **at = &p->buckets[p->hand]; *at; at = &(*at)->next)
            if ((*at)->set) {
                struct known *k = *at;
                *at = k->next;
                project_rules_done(k->set);
                mem_free(k);
                p->own--;
                return;
            }
}

// What was read at `seen` is what holds from now on; set: taken over, NULL for the built-in one.
static void remember(struct project_rules *p, int64_t project, uint64_t seen, const struct stamps *stamps,
                     struct rule_set *set)
{
    pthread_rwlock_wrlock(&p->lock);
    if (set && p->own >= PROJECT_RULES_MAX)
        drop_one(p);
    struct known **at = slot_of(p, project), *k = *at;
    if (!k && (k = mem_zalloc(sizeof *k))) {
        k->project = project;
        *at = k;
    }
    if (k && k->seen <= seen) {
        struct rule_set *old = k->set;
        p->own += (size_t)(set != NULL) - (size_t)(old != NULL);
        k->set = set;
        k->stamps = *stamps;
        k->seen = seen;
        set = old;
    }
    pthread_rwlock_unlock(&p->lock);
    project_rules_done(set);
}

static int texts_read(struct project_rules *p, int64_t project, struct arena *arena, struct texts *ret)
{
    int r = meta_project_rules_get(p->meta, project, arena, &ret->grouping, NULL);
    if (r == 0)
        r = meta_setting_get(p->meta, project, "filters", arena, &ret->filters, NULL);
    return r < 0 ? r : meta_setting_get(p->meta, project, "scrub", arena, &ret->scrub, NULL);
}

// Reads them anew. NULL: what was known holds.
static struct rule_set *read_anew(struct project_rules *p, int64_t project, uint64_t seen,
                                  const struct stamps *known_at, struct rule_set *known)
{
    struct arena arena;
    struct texts t;
    struct rule_set *set = NULL, *own = NULL;
    arena_init(&arena, READ_MAX);
    int r = texts_read(p, project, &arena, &t);
    struct stamps at = { 0 };
    if (r == 0) {
        at = (struct stamps){ t.grouping.changed_ns, t.filters.changed_ns, t.scrub.changed_ns };
        bool none = !t.grouping.fingerprint.len && !t.grouping.stack.len && !t.filters.text.len && !t.scrub.text.len;
        if (known_at && memcmp(known_at, &at, sizeof at) == 0)
            own = known ? set_share(known) : NULL;
        else if (!none)
            r = set_make(&t, &arena, &own, NULL);
    }
    arena_free(&arena);
    if (r == 0) {
        set = set_share(own ? own : p->builtin);
        remember(p, project, seen, &at, own);
    }
    return set;
}

struct rule_set *project_rules_get(struct project_rules *p, int64_t project)
{
    // Before the rules are read: a change between the two is noticed the next time.
    uint64_t seen = meta_rules_changes(p->meta) + 1;
    struct rule_set *known = NULL, *set;
    struct stamps known_at;
    bool current = false;
    pthread_rwlock_rdlock(&p->lock);
    struct known *k = *slot_of(p, project);
    if (k) {
        known = k->set ? set_share(k->set) : NULL;
        known_at = k->stamps;
        current = k->seen == seen;
    }
    pthread_rwlock_unlock(&p->lock);
    if (!current && (set = read_anew(p, project, seen, k ? &known_at : NULL, known))) {
        project_rules_done(known);
        return set;
    }
    return known ? known : set_share(p->builtin);
}

struct grouping_rules *project_rules_grouping(struct project_rules *p, int64_t project)
{
    struct rule_set *set = project_rules_get(p, project);
    struct grouping_rules *rules = grouping_rules_share(set->grouping);
    project_rules_done(set);
    return rules;
}
