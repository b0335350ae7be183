// Buffers of bodies, kept for the next ones: a fresh 330 KB from the system costs more in page faults than
// receiving into it. A few, of any thread, within a bound; oldest out first.
#include "base/mem.h"
#include "net/net_internal.h"

enum { BODY_KEEP_MIN = 64 << 10, BODY_KEEP_MAX = 4 << 20, BODY_KEEP_TOTAL = 16 << 20 };

void body_cache_init(struct net_body_cache *c)
{
    *c = (struct net_body_cache){ 0 };
    pthread_mutex_init(&c->lock, NULL);
}

void body_cache_free(struct net_body_cache *c)
{
    for (size_t i = 0; i < c->n; i++)
        mem_free(c->kept[i].ptr);
    pthread_mutex_destroy(&c->lock);
}

static void drop(struct net_body_cache *c, size_t i)
{
    c->bytes -= c->kept[i].cap;
    memmove(&c->kept[i], &c->kept[i + 1], (c->n - i - 1) * sizeof c->kept[0]);
    c->n--;
}

uint8_t *body_cache_take(struct net_body_cache *c, size_t need, size_t *ret_cap)
{
    uint8_t *p = NULL;
    if (need < BODY_KEEP_MIN)
        return NULL;
    pthread_mutex_lock(&c->lock);
    for (size_t i = c->n; i-- > 0 && !p;) { // the newest is the warmest
        if (c->kept[i].cap >= need && c->kept[i].cap / 2 <= need) {
            p = c->kept[i].ptr;
            *ret_cap = c->kept[i].cap;
            drop(c, i);
        }
    }
    pthread_mutex_unlock(&c->lock);
    return p;
}

void body_cache_give(struct net_body_cache *c, uint8_t *p, size_t cap)
{
    if (!p || cap < BODY_KEEP_MIN || cap > BODY_KEEP_MAX) {
        mem_free(p);
        return;
    }
    uint8_t *old[NET_BODIES_KEPT];
    size_t old_n = 0;
    pthread_mutex_lock(&c->lock);
    while (c->n == NET_BODIES_KEPT || (c->n && c->bytes + cap > BODY_KEEP_TOTAL)) {
        old[old_n++] = c->kept[0].ptr;
        drop(c, 0);
    }
    c->kept[c->n].ptr = p;
    c->kept[c->n++].cap = cap;
    c->bytes += cap;
    pthread_mutex_unlock(&c->lock);
    while (old_n)
        mem_free(old[--old_n]);
}
