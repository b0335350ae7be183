#include "ingest/project_rules.h"

#include "base/mem.h"
#include "base/must.h"

#include <pthread.h>

enum { BUCKETS = 1024, READ_MAX = 256 << 10 };

struct known {
    struct known *next;
    int64_t project, changed_ns;
    uint64_t seen;                // meta_rules_changes() when it was read
    struct grouping_rules *rules; // NULL: the built-in ones
};

struct project_rules {
    struct meta *meta;
    struct grouping_rules *builtin;
    pthread_rwlock_t lock;
    struct known *buckets[BUCKETS];
    size_t own, hand; // sets that are not the built-in one; where the next one is dropped
};

int project_rules_new(struct meta *meta, struct project_rules **ret_rules, struct err *err)
{
    struct project_rules *p = mem_zalloc(sizeof *p);
    if (!p)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    int r = grouping_rules_parse((str){ 0 }, (str){ 0 }, &p->builtin, err);
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
            grouping_rules_free(k->rules);
            mem_free(k);
        }
    pthread_rwlock_destroy(&p->lock);
    grouping_rules_free(p->builtin);
    mem_free(p);
}

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
            if ((*at)->rules) {
                struct known *k = *at;
                *at = k->next;
                grouping_rules_free(k->rules);
                mem_free(k);
                p->own--;
                return;
            }
}

// What was read at `seen` is what holds from now on; rules: taken over, NULL for the built-in ones.
static void remember(struct project_rules *p, int64_t project, uint64_t seen, int64_t changed_ns,
                     struct grouping_rules *rules)
{
    pthread_rwlock_wrlock(&p->lock);
    if (rules && p->own >= PROJECT_RULES_MAX)
        drop_one(p);
    struct known **at = slot_of(p, project), *k = *at;
    if (!k && (k = mem_zalloc(sizeof *k))) {
        k->project = project;
        *at = k;
    }
    if (k && k->seen <= seen) {
        struct grouping_rules *old = k->rules;
        p->own += (size_t)(rules != NULL) - (size_t)(old != NULL);
        k->rules = rules;
        k->changed_ns = changed_ns;
        k->seen = seen;
        rules = old;
    }
    pthread_rwlock_unlock(&p->lock);
    grouping_rules_free(rules);
}

// Reads them anew. NULL: what was known holds.
static struct grouping_rules *read_anew(struct project_rules *p, int64_t project, uint64_t seen, int64_t known_ns,
                                        struct grouping_rules *known)
{
    struct arena arena;
    struct meta_rules text;
    struct grouping_rules *rules = NULL, *own = NULL;
    arena_init(&arena, READ_MAX);
    int r = meta_project_rules_get(p->meta, project, &arena, &text, NULL);
    if (r == 0 && known_ns == text.changed_ns)
        own = known ? grouping_rules_share(known) : NULL;
    else if (r == 0 && (text.fingerprint.len || text.stack.len))
        r = grouping_rules_parse(text.fingerprint, text.stack, &own, NULL);
    arena_free(&arena);
    if (r == 0 || r == ERR_INVALID || r == ERR_LIMIT) {
        rules = grouping_rules_share(own ? own : p->builtin);
        remember(p, project, seen, text.changed_ns, own);
    }
    return rules;
}

struct grouping_rules *project_rules_get(struct project_rules *p, int64_t project)
{
    // Before the rules are read: a change between the two is noticed the next time.
    uint64_t seen = meta_rules_changes(p->meta) + 1;
    struct grouping_rules *known = NULL, *rules;
    int64_t known_ns = -1;
    bool current = false;
    pthread_rwlock_rdlock(&p->lock);
    struct known *k = *slot_of(p, project);
    if (k) {
        known = k->rules ? grouping_rules_share(k->rules) : NULL;
        known_ns = k->changed_ns;
        current = k->seen == seen;
    }
    pthread_rwlock_unlock(&p->lock);
    if (!current && (rules = read_anew(p, project, seen, known_ns, known))) {
        grouping_rules_free(known);
        return rules;
    }
    return known ? known : grouping_rules_share(p->builtin);
}
