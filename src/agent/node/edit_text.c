#include "agent/node/edit_internal.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

#define OPEN "/*clew(*/"
#define CLOSE "/*)clew*/"

enum { PIECES_ARENA = 64 << 20, PIECE_MAX = 64 << 10 };

bool edit_piece_next(str text, size_t *at, size_t *ret_end)
{
    str rest = str_slice(text, *at, text.len);
    ptrdiff_t open = str_find(rest, STR(OPEN));
    ptrdiff_t close = open < 0 ? -1 : str_find(str_slice(rest, (size_t)open, rest.len), STR(CLOSE));
    if (close < 0)
        return false;
    *at += (size_t)open;
    *ret_end = *at + (size_t)close + strlen(CLOSE);
    return true;
}

int edit_strip(str source, struct arena *arena, str *ret)
{
    char *to = arena_alloc(arena, source.len + 1);
    size_t n = 0;
    if (!to)
        return ERR_NOMEM;
    for (size_t at = 0, end; edit_piece_next(source, &at, &end); at = 0) {
        memcpy(to + n, source.ptr, at);
        n += at;
        source = str_slice(source, end, source.len);
    }
    if (source.len)
        memcpy(to + n, source.ptr, source.len);
    *ret = str_of(to, n + source.len);
    return 0;
}

bool edit_is_in(str source, uint32_t slot)
{
    char call[32];
    str name = str_of(call, (size_t)snprintf(call, sizeof call, "__clew.p%u", slot));
    for (size_t at = 0, end; edit_piece_next(source, &at, &end); at = end) {
        str piece = str_slice(source, at, end);
        ptrdiff_t found = str_find(piece, name);
        if (found >= 0 && (piece.ptr[(size_t)found + name.len] < '0' || piece.ptr[(size_t)found + name.len] > '9'))
            return true; // a piece ends with CLOSE: there is a next character
    }
    return false;
}

static int by_place(const void *a, const void *b)
{
    const struct edit_piece *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    bool ends = x->rank <= EDIT_FUNCTION_END;
    if (ends && x->begin != y->begin)
        return x->begin > y->begin ? -1 : 1;
    return x->slot == y->slot ? 0 : (x->slot < y->slot) != ends ? -1 : 1;
}

void edit_piece_put(struct edit_pieces *p, uint32_t at, enum edit_rank rank, uint32_t begin, uint32_t slot)
{
    struct edit_piece piece = { .at = at, .begin = begin, .rank = (uint8_t)rank, .slot = slot };
    if (!p->rc && p->n == p->cap) {
        size_t cap = p->cap ? p->cap * 2 : 64;
        struct edit_piece *list = arena_alloc_array(&p->arena, cap, sizeof *list);
        p->rc = list ? 0 : ERR_NOMEM;
        if (list && p->n)
            memcpy(list, p->list, p->n * sizeof *list);
        if (list)
            p->list = list, p->cap = cap;
    }
    if (!p->rc)
        p->rc = p->text.error ? p->text.error : arena_dup(&p->arena, buf_view(&p->text), &piece.text);
    if (!p->rc)
        p->list[p->n++] = piece;
    buf_clear(&p->text);
}

static void call_write(const struct edit_probe *e, struct edit_pieces *p)
{
    struct buf *out = &p->text;
    bool expr = e->place->form == SCAN_EXPR;
    buf_str(out, expr ? STR("(") : e->place->form == SCAN_BODY ? STR("{try{") : STR("try{"));
    buf_printf(out, "__clew.p%u&&__clew.p%u(", e->slot, e->slot);
    for (uint32_t i = 0; i < e->n_names; i++) {
        if (i)
            buf_str(out, STR(","));
        buf_str(out, e->names[i].name);
    }
    buf_str(out, expr ? STR("))?0:") : STR(")}catch{}"));
    edit_piece_put(p, e->place->at, EDIT_CALL, 0, e->slot);
    if (e->place->form == SCAN_BODY) {
        buf_str(out, STR("}"));
        edit_piece_put(p, e->place->end, EDIT_BODY_END, e->place->at, e->slot);
    }
}

int edit_write(const struct scan *scan, struct edit_probe *const *probes, size_t n, struct buf *out)
{
    struct edit_pieces p = { 0 };
    uint32_t at = 0;
    arena_init(&p.arena, PIECES_ARENA);
    buf_init(&p.text, PIECE_MAX);
    for (size_t i = 0; i < n; i++) {
        if (probes[i]->left_out)
            continue;
        if (probes[i]->function)
            edit_exit_write(scan, probes[i], &p);
        else
            call_write(probes[i], &p);
    }
    if (p.n)
        qsort(p.list, p.n, sizeof *p.list, by_place);
    for (size_t i = 0; i < p.n && !p.rc; i++) {
        buf_append(out, scan->text.ptr + at, p.list[i].at - at);
        at = p.list[i].at;
        buf_str(out, STR(OPEN)), buf_str(out, p.list[i].text), buf_str(out, STR(CLOSE));
    }
    buf_append(out, scan->text.ptr + at, scan->text.len - at);
    buf_free(&p.text);
    arena_free(&p.arena);
    return p.rc ? p.rc : out->error;
}
