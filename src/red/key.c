#include "red/key.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/utf8.h"

enum { KEYS_ID_MAX = 1 << 28 };

static uint64_t hash_of(const struct red_key *k)
{
    uint64_t h = hash64_int((uint64_t)k->kind << 8 | k->type | (uint64_t)k->project << 32);
    const str *const parts[] = { &k->service, &k->version, &k->environment, &k->name, &k->system };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        h = hash64_int(h + hash64_str(*parts[i]) + parts[i]->len);
    return hash64_int(h + k->callee_project);
}

static bool same(const struct red_key *a, const struct red_key *b)
{
    return a->hash == b->hash && a->kind == b->kind && a->type == b->type && a->project == b->project &&
           a->callee_project == b->callee_project && str_eq(a->service, b->service) && str_eq(a->version, b->version) &&
           str_eq(a->environment, b->environment) && str_eq(a->name, b->name) && str_eq(a->system, b->system);
}

// Empty, a copy in place of s, or ERR_NOMEM; frees what stood there.
static int text_set(str *at, str s)
{
    char *p = s.len ? mem_dup(s.ptr, s.len) : NULL;
    if (s.len && !p)
        return ERR_NOMEM;
    mem_free((char *)(uintptr_t)at->ptr);
    *at = (str){ p, s.len };
    return 0;
}

static void key_free(struct red_key *k)
{
    str *const texts[] = { &k->service, &k->version, &k->environment, &k->name, &k->system, &k->language, &k->runtime };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        mem_free((char *)(uintptr_t)texts[i]->ptr);
    mem_free(k);
}

static struct red_key *key_copy(const struct red_key *like)
{
    struct red_key *k = mem_zalloc(sizeof *k);
    if (!k)
        return NULL;
    *k = (struct red_key){ .kind = like->kind,
                           .type = like->type,
                           .project = like->project,
                           .callee_project = like->callee_project,
                           .first = like->first,
                           .last = like->last };
    if (text_set(&k->service, like->service) < 0 || text_set(&k->version, like->version) < 0 ||
        text_set(&k->environment, like->environment) < 0 || text_set(&k->name, like->name) < 0 ||
        text_set(&k->system, like->system) < 0 || text_set(&k->language, like->language) < 0 ||
        text_set(&k->runtime, like->runtime) < 0) {
        key_free(k);
        return NULL;
    }
    k->hash = hash_of(k);
    return k;
}

void keys_free(struct keys *k)
{
    for (uint32_t i = 0; i < k->end; i++)
        if (k->by_id[i])
            key_free(k->by_id[i]);
    mem_free(k->by_id);
    mem_free(k->slots);
    *k = (struct keys){ 0 };
}

static void slot_put(struct keys *k, const struct red_key *key)
{
    uint32_t i = (uint32_t)key->hash & k->mask;
    while (k->slots[i])
        i = (i + 1) & k->mask;
    k->slots[i] = key->id + 1;
}

static int slots_room(struct keys *k)
{
    if (k->slots && (uint64_t)(k->n + 1) * 3 < (uint64_t)k->mask * 2)
        return 0;
    uint32_t size = k->slots ? (k->mask + 1) * 2 : 1024;
    uint32_t *slots = mem_calloc(size, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    mem_free(k->slots);
    k->slots = slots;
    k->mask = size - 1;
    for (uint32_t i = 0; i < k->end; i++)
        if (k->by_id[i])
            slot_put(k, k->by_id[i]);
    return 0;
}

static int ids_room(struct keys *k, uint32_t id)
{
    if (id < k->cap)
        return 0;
    uint32_t cap = k->cap ? k->cap : 1024;
    while (cap <= id)
        cap *= 2;
    struct red_key **p = mem_reallocarray(k->by_id, cap, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    k->by_id = p;
    k->cap = cap;
    return 0;
}

static struct red_key *find(const struct keys *k, const struct red_key *like)
{
    if (!k->slots)
        return NULL;
    for (uint32_t i = (uint32_t)like->hash & k->mask; k->slots[i]; i = (i + 1) & k->mask)
        if (same(k->by_id[k->slots[i] - 1], like))
            return k->by_id[k->slots[i] - 1];
    return NULL;
}

static int put(struct keys *k, struct red_key *key, uint32_t id)
{
    if (ids_room(k, id) < 0 || slots_room(k) < 0)
        return ERR_NOMEM;
    while (k->end <= id)
        k->by_id[k->end++] = NULL;
    key->id = id;
    k->by_id[id] = key;
    k->n++;
    k->of_kind[key->kind]++;
    slot_put(k, key);
    return 0;
}

static struct red_key *series_of(const struct keys *k, const struct red_key *operation)
{
    struct red_key like = { .kind = RED_SERIES,
                            .project = operation->project,
                            .service = operation->service,
                            .version = operation->version,
                            .environment = operation->environment };
    like.hash = hash_of(&like);
    return find(k, &like);
}

static bool room_for(const struct keys *k, const struct red_key *like)
{
    const struct red_key *series;
    if (k->end >= KEYS_ID_MAX)
        return false;
    switch (like->kind) {
    case RED_SERIES:
        return k->of_kind[RED_SERIES] < KEYS_SERIES_MAX;
    case RED_OPERATION:
        series = series_of(k, like);
        return k->of_kind[RED_OPERATION] < KEYS_ALL_OPERATIONS_MAX &&
               (!series || series->operations < KEYS_OPERATIONS_MAX);
    case RED_EDGE:
        return k->of_kind[RED_EDGE] < KEYS_EDGES_MAX;
    default:
        return k->of_kind[RED_PEER] < KEYS_PEERS_MAX;
    }
}

// Few, whatever comes: one a project, series or caller.
static struct red_key others(const struct red_key *like)
{
    struct red_key o = { .kind = like->kind, .type = KEY_TYPE_OTHER, .project = like->project, .first = INT64_MAX };
    switch (like->kind) {
    case RED_SERIES:
        o.type = 0;
        o.service = KEY_OTHER;
        break;
    case RED_OPERATION:
        o.service = like->service;
        o.version = like->version;
        o.environment = like->environment;
        o.name = KEY_OTHER;
        break;
    case RED_EDGE:
        o.type = RED_EXTERNAL;
        o.service = KEY_OTHER;
        o.name = KEY_OTHER;
        break;
    default:
        o.type = RED_EXTERNAL;
        o.name = KEY_OTHER;
    }
    return o;
}

int keys_intern(struct keys *k, const struct red_key *like, struct red_key **ret_key)
{
    struct red_key wanted = *like;
    str *const texts[] = { &wanted.service, &wanted.version, &wanted.environment, &wanted.name, &wanted.system };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        *texts[i] = utf8_cut(*texts[i], KEY_TEXT_MAX);
    wanted.hash = hash_of(&wanted);
    struct red_key *found = find(k, &wanted);
    if (!found && !room_for(k, &wanted)) {
        wanted = others(&wanted);
        wanted.hash = hash_of(&wanted);
        found = find(k, &wanted);
    }
    if (!found) {
        struct red_key *key = key_copy(&wanted);
        if (!key)
            return ERR_NOMEM;
        if (put(k, key, k->end) < 0) {
            key_free(key);
            return ERR_NOMEM;
        }
        key->first = INT64_MAX;
        key->dirty = true;
        struct red_key *series = key->kind == RED_OPERATION ? series_of(k, key) : NULL;
        if (series)
            series->operations++;
        found = key;
    }
    *ret_key = found;
    return 0;
}

int keys_restore(struct keys *k, const struct red_key *stored)
{
    if (stored->kind == 0 || stored->kind >= RED_KINDS || stored->id >= KEYS_ID_MAX || keys_get(k, stored->id))
        return ERR_CORRUPT;
    struct red_key *key = key_copy(stored);
    if (!key)
        return ERR_NOMEM;
    if (find(k, key) || put(k, key, stored->id) < 0) {
        key_free(key);
        return ERR_CORRUPT;
    }
    struct red_key *series = key->kind == RED_OPERATION ? series_of(k, key) : NULL;
    if (series)
        series->operations++;
    return 0;
}

struct red_key *keys_get(const struct keys *k, uint64_t id) { return id < k->end ? k->by_id[id] : NULL; }

void key_touch(struct red_key *key, int64_t minute)
{
    if (minute - key->last >= KEY_TOUCH_MINUTES) {
        key->last = minute;
        key->dirty = true;
    }
}

int key_describe(struct red_key *key, str language, str runtime)
{
    bool news = false;
    language = utf8_cut(language, KEY_TEXT_MAX);
    runtime = utf8_cut(runtime, KEY_TEXT_MAX);
    if (language.len && !str_eq(language, key->language)) {
        if (text_set(&key->language, language) < 0)
            return ERR_NOMEM;
        news = true;
    }
    if (runtime.len && !str_eq(runtime, key->runtime)) {
        if (text_set(&key->runtime, runtime) < 0)
            return ERR_NOMEM;
        news = true;
    }
    key->dirty |= news;
    return 0;
}

void keys_forget(struct keys *k, int64_t before_minute)
{
    for (uint32_t i = 0; i < k->end; i++) {
        const struct red_key *key = k->by_id[i];
        struct red_key *series =
            key && key->last < before_minute && key->kind == RED_OPERATION ? series_of(k, key) : NULL;
        if (series)
            series->operations--;
    }
    if (k->slots)
        memset(k->slots, 0, (size_t)(k->mask + 1) * sizeof *k->slots);
    for (uint32_t i = 0; i < k->end; i++) {
        struct red_key *key = k->by_id[i];
        if (!key)
            continue;
        if (key->last >= before_minute) {
            slot_put(k, key);
            continue;
        }
        k->by_id[i] = NULL;
        k->of_kind[key->kind]--;
        k->n--;
        key_free(key);
    }
}
