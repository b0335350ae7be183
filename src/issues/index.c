// Issues by number, groups by number and by hash, and who has seen what.
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/must.h"
#include "issues/issues_internal.h"

static void more_free(struct issue_more *m)
{
    if (!m)
        return;
    mem_free(m->release);
    mem_free(m->commit);
    mem_free(m->reason);
    mem_free(m->assignee_kind);
    mem_free(m->assignee);
    mem_free(m);
}

void index_issue_free(struct issue *issue)
{
    if (!issue)
        return;
    more_free(issue->more);
    mem_free(issue);
}

void index_free(struct index *x)
{
    for (uint32_t i = 0; i < x->issues_end; i++)
        index_issue_free(x->issues[i]);
    for (uint32_t i = 0; i < x->groups_end; i++)
        if (x->groups[i]) {
            detail_free(x->groups[i]->detail);
            mem_free(x->groups[i]);
        }
    mem_free(x->issues);
    mem_free(x->groups);
    mem_free(x->slots);
    mem_free(x->seen);
    *x = (struct index){ 0 };
}

struct issue *index_issue(const struct index *x, uint64_t id) { return id < x->issues_end ? x->issues[id] : NULL; }

struct issue *index_visible(const struct index *x, uint64_t id)
{
    struct issue *issue = id < x->issues_saved ? index_issue(x, id) : NULL;
    for (int i = 0; issue && issue->merged_into && i < 64; i++)
        issue = index_issue(x, issue->merged_into);
    return issue;
}

bool issue_hash_of(str text, uint8_t ret_hash[16])
{
    if (text.len == 0)
        return false;
    if (text.len == 32 && hex_decode(ret_hash, text))
        return true;
    le64_put(ret_hash, hash64_str(text));
    le64_put(ret_hash + 8, XXH3_64bits_withSeed(text.ptr, text.len, 1));
    return true;
}

static uint64_t place(uint32_t project, const uint8_t hash[16], bool other)
{
    return hash64_int(le64_get(hash) ^ hash64_int(le64_get(hash + 8) + project * 2u + other));
}

static struct group *find(const struct index *x, uint32_t project, const uint8_t hash[16], bool other)
{
    if (!x->slots)
        return NULL;
    for (uint32_t i = (uint32_t)place(project, hash, other) & x->mask; x->slots[i]; i = (i + 1) & x->mask) {
        struct group *g = x->groups[x->slots[i]];
        if (!g->gone && g->project == project && g->other == other && memcmp(g->hash, hash, 16) == 0)
            return g;
    }
    return NULL;
}

struct group *index_group(const struct index *x, uint32_t project, const uint8_t hash[16])
{
    return find(x, project, hash, false);
}

static const uint8_t no_hash[16];
struct group *index_other(const struct index *x, uint32_t project) { return find(x, project, no_hash, true); }

static void slot_put(struct index *x, const struct group *g)
{
    uint32_t i = (uint32_t)place(g->project, g->hash, g->other) & x->mask;
    while (x->slots[i])
        i = (i + 1) & x->mask;
    x->slots[i] = g->id;
}

static int slots_room(struct index *x, uint32_t n)
{
    if (x->slots && (uint64_t)n * 3 < (uint64_t)x->mask * 2)
        return 0;
    uint32_t size = x->slots ? (x->mask + 1) * 2 : 1024;
    while ((uint64_t)n * 3 >= (uint64_t)(size - 1) * 2)
        size *= 2;
    uint32_t *slots = mem_calloc(size, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    mem_free(x->slots);
    x->slots = slots;
    x->mask = size - 1;
    for (uint32_t i = 0; i < x->groups_end; i++)
        if (x->groups[i] && !x->groups[i]->gone)
            slot_put(x, x->groups[i]);
    return 0;
}

static int array_room(void ***array, uint32_t *cap, uint32_t id)
{
    if (id < *cap)
        return 0;
    uint32_t n = *cap ? *cap : 1024;
    while (n <= id)
        n *= 2;
    void **p = mem_reallocarray(*array, n, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    *array = p;
    *cap = n;
    return 0;
}

enum { INDEX_ID_MAX = 1 << 30 };

int index_issue_put(struct index *x, struct issue *issue)
{
    if (issue->id == 0 || issue->id > INDEX_ID_MAX || index_issue(x, issue->id))
        return ERR_CORRUPT;
    if (array_room((void ***)(void *)&x->issues, &x->issues_cap, issue->id) < 0)
        return ERR_NOMEM;
    while (x->issues_end <= issue->id)
        x->issues[x->issues_end++] = NULL;
    x->issues[issue->id] = issue;
    return 0;
}

int index_group_put(struct index *x, struct group *g)
{
    struct issue *issue = index_issue(x, g->issue);
    if (g->id == 0 || g->id > INDEX_ID_MAX || !issue || issue->project != g->project ||
        (g->id < x->groups_end && x->groups[g->id]) || find(x, g->project, g->hash, g->other))
        return ERR_CORRUPT;
    if (array_room((void ***)(void *)&x->groups, &x->groups_cap, g->id) < 0 || slots_room(x, x->groups_end + 1) < 0)
        return ERR_NOMEM;
    while (x->groups_end <= g->id)
        x->groups[x->groups_end++] = NULL;
    x->groups[g->id] = g;
    slot_put(x, g);
    g->next = issue->groups;
    issue->groups = g->id;
    issue->groups_n++;
    return 0;
}

int index_issue_add(struct index *x, uint32_t project, struct issue **ret_issue)
{
    struct issue *issue = mem_zalloc(sizeof *issue);
    if (!issue)
        return ERR_NOMEM;
    issue->id = x->issues_end ? x->issues_end : 1;
    issue->project = project;
    int r = index_issue_put(x, issue);
    if (r < 0) {
        mem_free(issue);
        return ERR_NOMEM;
    }
    *ret_issue = issue;
    return 0;
}

int index_group_add(struct index *x, uint32_t project, const uint8_t hash[16], uint32_t issue, struct group **ret_group)
{
    struct group *g = mem_zalloc(sizeof *g);
    if (!g)
        return ERR_NOMEM;
    *g = (struct group){ .id = x->groups_end ? x->groups_end : 1,
                         .project = project,
                         .issue = issue,
                         .other = !hash,
                         .first = INT64_MAX,
                         .last = INT64_MIN };
    memcpy(g->hash, hash ? hash : no_hash, 16);
    struct detail *d = detail_new();
    if (!d || index_group_put(x, g) < 0) {
        detail_free(d);
        mem_free(g);
        return ERR_NOMEM;
    }
    index_detail_set(x, g, d);
    *ret_group = g;
    return 0;
}

void index_group_move(struct index *x, struct group *g, struct issue *to)
{
    struct issue *from = index_issue(x, g->issue);
    for (uint32_t *at = &from->groups; *at; at = &x->groups[*at]->next)
        if (*at == g->id) {
            *at = g->next;
            from->groups_n--;
            break;
        }
    g->issue = to->id;
    g->moved = true;
    g->next = to->groups;
    to->groups = g->id;
    to->groups_n++;
}

void index_detail_set(struct index *x, struct group *g, struct detail *d)
{
    if (g->detail) {
        x->detail_bytes -= g->detail->bytes;
        x->loaded--;
        detail_free(g->detail);
    }
    g->detail = d;
    if (!d)
        return;
    d->bytes = detail_bytes(d);
    x->detail_bytes += d->bytes;
    x->loaded++;
}

void index_evict(struct index *x, uint32_t serial, size_t most)
{
    for (uint32_t age = 1u << 20; x->detail_bytes > most && age; age /= 2)
        for (uint32_t i = 0; i < x->groups_end; i++) {
            struct group *g = x->groups[i];
            if (g && g->detail && !g->dirty && serial - g->used >= age)
                index_detail_set(x, g, NULL);
        }
}

struct issue_more *issue_more(struct issue *issue)
{
    if (!issue->more)
        issue->more = mem_zalloc(sizeof *issue->more);
    return issue->more;
}

int issue_text_set(char **at, str s)
{
    char *p = NULL;
    if (s.len) {
        if (!(p = mem_alloc(s.len + 1)))
            return ERR_NOMEM;
        memcpy(p, s.ptr, s.len);
        p[s.len] = 0;
    }
    mem_free(*at);
    *at = p;
    return 0;
}

// ---- who has seen what ---------------------------------------------------------------------------------

uint64_t seen_key(str actor, uint32_t issue)
{
    uint64_t key = hash64_int(hash64_str(actor) + issue);
    return key ? key : 1;
}

static struct seen_slot *seen_slot(const struct index *x, uint64_t key)
{
    uint32_t i = (uint32_t)key & x->seen_mask;
    while (x->seen[i].key && x->seen[i].key != key)
        i = (i + 1) & x->seen_mask;
    return &x->seen[i];
}

int64_t index_seen(const struct index *x, uint64_t key) { return x->seen ? seen_slot(x, key)->time : 0; }

int index_seen_set(struct index *x, uint64_t key, int64_t time)
{
    if (!x->seen || (uint64_t)(x->seen_n + 1) * 3 > (uint64_t)x->seen_mask * 2) {
        struct index bigger = { .seen_mask = x->seen ? x->seen_mask * 2 + 1 : 255 };
        if (!(bigger.seen = mem_calloc((size_t)bigger.seen_mask + 1, sizeof *bigger.seen)))
            return ERR_NOMEM;
        for (uint32_t i = 0; x->seen && i <= x->seen_mask; i++)
            if (x->seen[i].key)
                *seen_slot(&bigger, x->seen[i].key) = x->seen[i];
        mem_free(x->seen);
        x->seen = bigger.seen;
        x->seen_mask = bigger.seen_mask;
    }
    struct seen_slot *s = seen_slot(x, key);
    if (!s->key) {
        if (x->seen_n == SEEN_MAX)
            return 0;
        x->seen_n++;
        s->key = key;
    }
    s->time = time;
    return 0;
}
