#include "query/intern.h"

#include "base/hash.h"

// ---- values ----

static int slots_grow(struct exec *x, uint32_t **slots, uint32_t *mask)
{
    uint32_t n = *slots ? (*mask + 1) * 2 : 64;
    uint32_t *more = exec_zalloc(x, (size_t)n * 4);
    if (!more)
        return exec_nomem(x);
    if (*slots)
        exec_free(x, *slots, ((size_t)*mask + 1) * 4);
    *slots = more;
    *mask = n - 1;
    return 0;
}

static int values_rehash(struct intern *t)
{
    int rc = slots_grow(t->x, &t->slots, &t->mask);
    if (rc < 0)
        return rc;
    for (uint32_t id = 0; id < t->n; id++) {
        uint32_t i = (uint32_t)t->hashes[id] & t->mask;
        while (t->slots[i])
            i = (i + 1) & t->mask;
        t->slots[i] = id + 1;
    }
    return 0;
}

// Both arrays or none, so that cap is right for both.
static int values_grow(struct intern *t)
{
    uint32_t cap = t->cap ? t->cap * 2 : 16;
    struct qval *values = exec_alloc(t->x, cap * sizeof *values);
    uint64_t *hashes = values ? exec_alloc(t->x, (size_t)cap * 8) : NULL;
    if (!hashes) {
        exec_free(t->x, values, cap * sizeof *values);
        return exec_nomem(t->x);
    }
    if (t->n) {
        memcpy(values, t->values, t->n * sizeof *values);
        memcpy(hashes, t->hashes, (size_t)t->n * 8);
    }
    exec_free(t->x, t->values, t->cap * sizeof *values);
    exec_free(t->x, t->hashes, (size_t)t->cap * 8);
    t->values = values;
    t->hashes = hashes;
    t->cap = cap;
    return 0;
}

static uint32_t values_at(const struct intern *t, const struct qval *v, uint64_t hash)
{
    for (uint32_t i = (uint32_t)hash & t->mask; t->slots[i]; i = (i + 1) & t->mask) {
        uint32_t id = t->slots[i] - 1;
        if (t->hashes[id] == hash && qval_equal(&t->values[id], v))
            return id;
    }
    return INTERN_NONE;
}

uint32_t intern_find(const struct intern *t, const struct qval *v)
{
    return t->slots ? values_at(t, v, qval_hash(v)) : INTERN_NONE;
}

int intern_value(struct intern *t, const struct qval *v, uint32_t max, uint32_t *ret_id)
{
    uint64_t hash = qval_hash(v);
    int rc = 0;
    uint32_t id = t->slots ? values_at(t, v, hash) : INTERN_NONE;
    if (id != INTERN_NONE) {
        *ret_id = id;
        return 0;
    }
    if (t->n >= max)
        return ERR_LIMIT;
    if (t->n == t->cap)
        rc = values_grow(t);
    if (rc == 0 && (!t->slots || (uint64_t)t->n * 2 > t->mask))
        rc = values_rehash(t);
    if (rc < 0)
        return rc;
    struct qval kept = *v;
    if (qval_dup(&t->x->arena, &kept) < 0)
        return exec_nomem(t->x);
    if (kept.type == QVAL_DOUBLE && kept.d == 0)
        kept.d = 0; // -0 and 0 are one value
    id = t->n++;
    t->values[id] = kept;
    t->hashes[id] = hash;
    uint32_t i = (uint32_t)hash & t->mask;
    while (t->slots[i])
        i = (i + 1) & t->mask;
    t->slots[i] = id + 1;
    *ret_id = id;
    return 0;
}

void intern_free(struct intern *t)
{
    if (!t->x)
        return;
    exec_free(t->x, t->values, t->cap * sizeof *t->values);
    exec_free(t->x, t->hashes, (size_t)t->cap * 8);
    if (t->slots)
        exec_free(t->x, t->slots, ((size_t)t->mask + 1) * 4);
    *t = (struct intern){ .x = t->x };
}

// ---- the values of a field ----

static int ordinals_begin(struct intern_field *f, const struct cvec *v)
{
    struct exec *x = f->values.x;
    if (f->identity == v->identity)
        return 0;
    exec_free(x, f->ids, (size_t)f->ids_n * 4);
    f->ids = NULL;
    f->ids_n = 0;
    f->identity = NULL;
    f->ids = exec_zalloc(x, (size_t)v->ords * 4);
    if (!f->ids)
        return exec_nomem(x);
    f->ids_n = v->ords;
    f->identity = v->identity;
    return 0;
}

static int rows_by_ordinal(struct intern_field *f, const struct cvec *v, const uint32_t *index, uint32_t n,
                           uint32_t max, uint32_t *ids)
{
    bool words = v->kind == CVEC_WORD;
    int rc = ordinals_begin(f, v);
    if (rc < 0)
        return rc;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t i = index[k], ord = words ? v->u8[i] : v->u32[i];
        bool known = ord < f->ids_n && cvec_has(v, i);
        if (known && f->ids[ord]) {
            ids[k] = f->ids[ord] - 1;
            continue;
        }
        struct qval q = cvec_get(v, i);
        rc = intern_value(&f->values, &q, max, &ids[k]);
        if (rc < 0)
            return rc;
        if (known)
            f->ids[ord] = ids[k] + 1;
    }
    return 0;
}

int intern_rows(struct intern_field *f, const struct cvec *v, const uint32_t *index, uint32_t n, uint32_t max,
                uint32_t *ids)
{
    struct qval last = { 0 };
    uint32_t last_id = INTERN_NONE;
    if (v->identity && v->ords > 0)
        return rows_by_ordinal(f, v, index, n, max, ids);
    for (uint32_t k = 0; k < n; k++) {
        struct qval q = cvec_get(v, index[k]);
        // Neighbours often hold the same: buckets of time, constants, missing.
        if (last_id != INTERN_NONE && q.type == last.type && q.type <= QVAL_DURATION && q.i == last.i &&
            q.type != QVAL_BOOL && q.type != QVAL_MISSING) {
            ids[k] = last_id;
            continue;
        }
        int rc = intern_value(&f->values, &q, max, &ids[k]);
        if (rc < 0)
            return rc;
        last = q;
        last_id = ids[k];
    }
    return 0;
}

void intern_field_free(struct intern_field *f)
{
    if (!f->values.x)
        return;
    exec_free(f->values.x, f->ids, (size_t)f->ids_n * 4);
    f->ids = NULL;
    f->ids_n = 0;
    f->identity = NULL;
    intern_free(&f->values);
}

// ---- tuples ----

static uint64_t tuple_hash(const uint32_t *ids, uint32_t width)
{
    uint64_t h = 0;
    for (uint32_t i = 0; i < width; i++)
        h = hash64_int(h * 0x9e3779b97f4a7c15u + ids[i] + 1);
    return h;
}

static void tuple_place(struct intern_tuples *t, uint32_t id)
{
    uint32_t i = (uint32_t)tuple_hash(t->ids + (size_t)id * t->width, t->width) & t->mask;
    while (t->slots[i])
        i = (i + 1) & t->mask;
    t->slots[i] = id + 1;
}

static int tuples_room(struct intern_tuples *t)
{
    size_t size = (size_t)t->width * 4;
    int rc = exec_grow(t->x, (void **)&t->ids, &t->cap, t->n, size ? size : 1);
    if (rc == 0 && (!t->slots || (uint64_t)t->n * 2 > t->mask)) {
        rc = slots_grow(t->x, &t->slots, &t->mask);
        for (uint32_t id = 0; rc == 0 && id < t->n; id++)
            tuple_place(t, id);
    }
    return rc;
}

// Tuples are short: a call to compare them costs more than comparing.
static inline bool same_tuple(const uint32_t *a, const uint32_t *b, uint32_t width)
{
    for (uint32_t i = 0; i < width; i++) {
        if (a[i] != b[i])
            return false;
    }
    return true;
}

int intern_tuple(struct intern_tuples *t, const uint32_t *ids, uint32_t max, uint32_t *ret_id)
{
    uint64_t hash = tuple_hash(ids, t->width);
    size_t size = (size_t)t->width * 4;
    for (uint32_t i = (uint32_t)hash & t->mask; t->slots && t->slots[i]; i = (i + 1) & t->mask) {
        uint32_t id = t->slots[i] - 1;
        if (same_tuple(t->ids + (size_t)id * t->width, ids, t->width)) {
            *ret_id = id;
            return 0;
        }
    }
    if (t->n >= max)
        return ERR_LIMIT;
    int rc = tuples_room(t);
    if (rc < 0)
        return rc;
    memcpy(t->ids + (size_t)t->n * t->width, ids, size);
    tuple_place(t, t->n);
    *ret_id = t->n++;
    return 0;
}

void intern_tuples_free(struct intern_tuples *t)
{
    size_t size = (size_t)t->width * 4;
    if (!t->x)
        return;
    exec_free(t->x, t->ids, (size_t)t->cap * (size ? size : 1));
    if (t->slots)
        exec_free(t->x, t->slots, ((size_t)t->mask + 1) * 4);
    *t = (struct intern_tuples){ .x = t->x, .width = t->width };
}
