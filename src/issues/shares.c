#include "issues/shares.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "issues/issues.h"
#include "issues/series.h"

enum { SHARES_ROWS_MAX = 1024 };

void shares_free(struct shares *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        mem_free(t->rows[i].name);
    mem_free(t->rows);
    *t = (struct shares){ 0 };
}

static struct share *find(const struct shares *t, str name)
{
    for (uint32_t i = t->n; i-- > 0;) // the newest comes most
        if (str_eq(share_name(&t->rows[i]), name))
            return &t->rows[i];
    return NULL;
}

static int room(struct shares *t)
{
    if (t->n < t->cap)
        return 0;
    uint32_t cap = t->cap ? t->cap * 2 : 1;
    struct share *p = mem_reallocarray(t->rows, cap, sizeof *p);
    if (!p)
        return ERR_NOMEM;
    t->rows = p;
    t->cap = cap;
    return 0;
}

int shares_add(struct shares *t, uint32_t most, str name, uint64_t events, int64_t first, int64_t last)
{
    name = utf8_cut(name, ISSUE_TEXT_MAX);
    struct share *row = find(t, name);
    if (!row && name.len && t->n - (find(t, (str){ 0 }) != NULL) >= most) {
        name = (str){ 0 };
        row = find(t, name);
    }
    if (!row) {
        char *copy = name.len ? mem_dup(name.ptr, name.len) : NULL;
        if ((name.len && !copy) || room(t) < 0) {
            mem_free(copy);
            return ERR_NOMEM;
        }
        row = &t->rows[t->n++];
        *row = (struct share){ copy, (uint32_t)name.len, 0, first, last };
    }
    row->events += events;
    row->first = first < row->first ? first : row->first;
    row->last = last > row->last ? last : row->last;
    return 0;
}

int shares_merge(struct shares *t, uint32_t most, const struct shares *other)
{
    int r = 0;
    for (uint32_t i = 0; i < other->n && r == 0; i++) {
        const struct share *o = &other->rows[i];
        r = shares_add(t, most, share_name(o), o->events, o->first, o->last);
    }
    return r;
}

const struct share *shares_end(const struct shares *t, bool newest)
{
    const struct share *best = NULL;
    for (uint32_t i = 0; i < t->n; i++) {
        const struct share *r = &t->rows[i];
        if (r->len && (!best || (newest ? r->last > best->last : r->first < best->first)))
            best = r;
    }
    return best;
}

bool shares_has(const struct shares *t, str name) { return find(t, name) != NULL; }

size_t shares_bytes(const struct shares *t)
{
    size_t n = t->cap * sizeof t->rows[0];
    for (uint32_t i = 0; i < t->n; i++)
        n += t->rows[i].len;
    return n;
}

void shares_encode(const struct shares *t, struct buf *b)
{
    buf_varint(b, t->n);
    for (uint32_t i = 0; i < t->n; i++) {
        const struct share *r = &t->rows[i];
        buf_varint(b, r->len);
        buf_append(b, r->name, r->len);
        buf_varint(b, r->events);
        buf_le64(b, (uint64_t)r->first);
        buf_le64(b, (uint64_t)r->last);
    }
}

bool issue_text(bytes *at, size_t most, str *ret)
{
    uint64_t n;
    if (!issue_varint(at, &n) || n > most || n > at->len)
        return false;
    *ret = str_of(at->ptr, n);
    *at = bytes_of(at->ptr + n, at->len - n);
    return true;
}

int shares_decode(struct shares *t, bytes *at)
{
    uint64_t n, events;
    str name;
    if (!issue_varint(at, &n) || n > SHARES_ROWS_MAX)
        return ERR_CORRUPT;
    for (uint64_t i = 0; i < n; i++) {
        if (!issue_text(at, ISSUE_TEXT_MAX, &name) || !issue_varint(at, &events) || at->len < 16)
            return ERR_CORRUPT;
        int64_t first = (int64_t)le64_get(at->ptr), last = (int64_t)le64_get(at->ptr + 8);
        *at = bytes_of(at->ptr + 16, at->len - 16);
        if (shares_add(t, SHARES_ROWS_MAX, name, events, first, last) < 0)
            return ERR_NOMEM;
    }
    return 0;
}
