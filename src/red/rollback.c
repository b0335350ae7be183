// Rollbacks: an earlier version comes back and the one that had taken its place goes. Versions that take turns, as two
// that run side by side with little to do, are none.
#include "red/overview.h"

#include "base/err.h"

#include <stdlib.h>

// Minutes: how long it was away at least, within which the other one goes, and in which both must have shown themselves.
enum { AWAY_MINUTES = 10, LEAVE_MINUTES = 10, SEEN_MINUTES = 20, SEEN_MIN = 3 };

static int place_order(const struct red_key *a, const struct red_key *b)
{
    if (a->project != b->project)
        return a->project < b->project ? -1 : 1;
    int c = str_cmp(a->service, b->service);
    return c ? c : str_cmp(a->environment, b->environment);
}

static int cell_order(const void *pa, const void *pb)
{
    const struct cell *a = *(const struct cell *const *)pa, *b = *(const struct cell *const *)pb;
    int c = place_order(a->key, b->key);
    if (c == 0 && a->key != b->key)
        c = a->key->id < b->key->id ? -1 : 1;
    return c ? c : (a->minute > b->minute) - (a->minute < b->minute);
}

// Of the cells of one place those of one version in minutes [from, to).
static unsigned seen(const struct cell *const *cells, size_t n, const struct red_key *k, uint32_t from, uint32_t to)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += cells[i]->key == k && cells[i]->minute >= from && cells[i]->minute < to;
    return sum;
}

// The version that stood in for k in minutes (from, back) and went as k came back; NULL: none.
static const struct red_key *stand_in(const struct cell *const *cells, size_t n, const struct red_key *k, uint32_t from,
                                      uint32_t back)
{
    const struct cell *last = NULL;
    for (size_t i = 0; i < n; i++) {
        const struct cell *c = cells[i];
        if (c->key != k && c->minute > from && c->minute < back && (!last || c->minute > last->minute))
            last = c;
    }
    bool rolled = last && seen(cells, n, last->key, from + 1, back) >= SEEN_MIN &&
                  seen(cells, n, last->key, back + LEAVE_MINUTES + 1, back + SEEN_MINUTES + 1) == 0 &&
                  seen(cells, n, k, back, back + SEEN_MINUTES + 1) >= SEEN_MIN;
    return rolled ? last->key : NULL;
}

static size_t of_place(const struct cell *const *cells, size_t n, struct red_rollback *list, size_t listed)
{
    for (size_t i = 1; i < n && listed < ROLLBACKS_MAX; i++) {
        const struct cell *was = cells[i - 1], *is = cells[i];
        if (was->key != is->key || is->minute - was->minute <= AWAY_MINUTES)
            continue;
        const struct red_key *before = stand_in(cells, n, is->key, was->minute, is->minute);
        if (before)
            list[listed++] = (struct red_rollback){ is->key, before, is->minute };
    }
    return listed;
}

int red_rollbacks(const struct red_view *v, struct arena *a, struct red_rollback **ret_list, size_t *ret_n)
{
    const struct red_cells *all = &v->of[RED_SERIES];
    const struct cell **cells = arena_alloc_array(a, all->n + 1, sizeof *cells);
    struct red_rollback *list = arena_alloc_array(a, ROLLBACKS_MAX, sizeof *list);
    size_t n = 0, listed = 0;
    if (!cells || !list)
        return ERR_LIMIT;
    for (size_t i = 0; i < all->n; i++)
        if (all->cells[i].key->version.len)
            cells[n++] = &all->cells[i];
    if (n)
        qsort(cells, n, sizeof *cells, cell_order);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && place_order(cells[i]->key, cells[end]->key) == 0;)
            end++;
        if (cells[i]->key != cells[end - 1]->key)
            listed = of_place(cells + i, end - i, list, listed);
    }
    *ret_list = list;
    *ret_n = listed;
    return 0;
}
