#include "query/child_filter.h"

// Every string that an event or link has, each on its own.
static int match_texts(struct child_walk *w, const struct query_filter *f, const uint64_t *in, uint64_t *out)
{
    struct chain *c;
    int rc = chain_child_strings(w->x, w->s, w->table, &c);
    for (uint32_t k = 0; rc == 0 && k < c->n; k++) {
        struct cvec v;
        rc = place_vec(w->x, w->s, w->table, &c->places[k], in, w->n, &v);
        if (rc == 0)
            rc = leaf_vec(w->x, f, &v, NULL, 0, in, w->n, out);
    }
    return rc;
}

static int match_leaf(struct child_walk *w, const struct query_filter *f, const uint64_t *in, uint64_t *out)
{
    struct chain *c;
    struct cvec v;
    if (!f->ref)
        return match_texts(w, f, in, out);
    int rc = chain_get(w->x, w->s, f->ref, &c);
    if (rc < 0 || c->n == 0)
        return rc;
    rc = child_vec(w, &c->places[0], in, &v);
    return rc < 0 ? rc : leaf_vec(w->x, f, &v, NULL, 0, in, w->n, out);
}

// Which children of `in`, in the walk's current block, satisfy the filter.
static int match(struct child_walk *w, const struct query_filter *f, const uint64_t *in, uint64_t **ret_out)
{
    struct exec *x = w->x;
    size_t words = BITS_WORDS(w->n);
    uint64_t *out = exec_bits(x, w->n, false), *kid;
    int rc = 0;
    if (!out)
        return exec_nomem(x);
    *ret_out = out;
    switch (f->kind) {
    case QUERY_FILTER_TRUE:
        memcpy(out, in, words * 8);
        return 0;
    case QUERY_FILTER_AND:
        memcpy(out, in, words * 8);
        for (uint32_t i = 0; i < f->kid_count && rc == 0; i++) {
            rc = match(w, f->kids[i], out, &kid);
            out = rc == 0 ? kid : out;
        }
        *ret_out = out;
        return rc;
    case QUERY_FILTER_OR:
        for (uint32_t i = 0; i < f->kid_count && rc == 0; i++) {
            rc = match(w, f->kids[i], in, &kid);
            for (size_t k = 0; rc == 0 && k < words; k++)
                out[k] |= kid[k];
        }
        return rc;
    case QUERY_FILTER_NOT:
        rc = match(w, f->kids[0], in, &kid);
        for (size_t k = 0; rc == 0 && k < words; k++)
            out[k] = in[k] & ~kid[k];
        return rc;
    default:
        return match_leaf(w, f, in, out);
    }
}

int child_filter_block(struct exec *x, struct exec_segment *s, const struct query_filter *f, const uint64_t *in,
                       uint32_t n, uint64_t *out)
{
    struct child_walk w;
    memset(out, 0, BITS_WORDS(n) * 8);
    if (s->source != QUERY_SPANS)
        return 0;
    int rc = child_begin(x, s, f->links ? TABLE_LINKS : TABLE_EVENTS, s->block[TABLE_ROWS], &w);
    while (rc >= 0 && (rc = child_next(&w)) == 1) {
        uint64_t *of = exec_bits(x, w.n, false), *hit;
        if (!of)
            return exec_nomem(x);
        for (uint32_t i = w.first; i < w.end; i++) {
            if (bit_get(in, child_owner(&w, i)))
                bit_set(of, i);
        }
        if ((rc = match(&w, f->kids[0], of, &hit)) < 0)
            return rc;
        for (BITS_EACH(i, hit, w.n))
            bit_set(out, child_owner(&w, i));
    }
    return rc;
}
