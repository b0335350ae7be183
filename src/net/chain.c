// Output as a list of pieces: what a handler gave is sent from where it lies.
#include "base/mem.h"
#include "base/must.h"
#include "net/net_internal.h"

void chain_init(struct net_chain *c) { *c = (struct net_chain){ .last = &c->first }; }

void chain_free(struct net_chain *c)
{
    struct net_seg *seg;
    while ((seg = chain_take(c)))
        seg_free(seg);
}

void chain_add(struct net_chain *c, struct net_seg *seg)
{
    seg->next = NULL;
    *c->last = seg;
    c->last = &seg->next;
    c->bytes += seg->len;
}

void chain_move(struct net_chain *to, struct net_chain *from)
{
    if (!from->first)
        return;
    *to->last = from->first;
    to->last = from->last;
    to->bytes += from->bytes;
    chain_init(from);
}

struct net_seg *chain_take(struct net_chain *c)
{
    struct net_seg *seg = c->first;
    if (!seg)
        return NULL;
    c->first = seg->next;
    if (!c->first)
        c->last = &c->first;
    c->bytes -= seg->len;
    return seg;
}

void chain_advance(struct net_chain *c, size_t n)
{
    must(n <= c->bytes);
    while (n) {
        struct net_seg *seg = c->first;
        if (n >= seg->len) {
            n -= seg->len;
            seg_free(chain_take(c));
            continue;
        }
        seg->ptr += n;
        seg->len -= n;
        c->bytes -= n;
        n = 0;
    }
}

struct net_seg *seg_copy(const void *p, size_t n)
{
    struct net_seg *seg = mem_alloc(sizeof *seg + n);
    if (!seg)
        return NULL;
    *seg = (struct net_seg){ .ptr = seg->data, .len = n };
    if (n)
        memcpy(seg->data, p, n);
    return seg;
}

struct net_seg *seg_take(uint8_t *p, size_t n)
{
    struct net_seg *seg = mem_alloc(sizeof *seg);
    if (!seg) {
        mem_free(p);
        return NULL;
    }
    *seg = (struct net_seg){ .ptr = p, .len = n, .owned = p };
    return seg;
}

struct net_seg *seg_borrow(const void *p, size_t n)
{
    struct net_seg *seg = mem_alloc(sizeof *seg);
    if (seg)
        *seg = (struct net_seg){ .ptr = p, .len = n };
    return seg;
}

void seg_free(struct net_seg *seg)
{
    if (!seg)
        return;
    mem_free(seg->owned);
    mem_free(seg);
}
