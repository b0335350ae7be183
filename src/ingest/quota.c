#include "ingest/quota.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

int quota_init(struct quota *q, int64_t rate)
{
    q->rate = rate;
    q->slots = NULL;
    if (rate == 0)
        return 0;
    q->slots = mem_calloc(QUOTA_SLOTS, sizeof q->slots[0]);
    if (!q->slots)
        return ERR_NOMEM;
    must(pthread_mutex_init(&q->lock, NULL) == 0);
    return 0;
}

void quota_free(struct quota *q)
{
    if (!q->slots)
        return;
    pthread_mutex_destroy(&q->lock);
    mem_free(q->slots);
    q->slots = NULL;
}

// With the lock held: the project's slot, filled up to now.
static struct quota_slot *quota_slot(struct quota *q, int64_t project, int64_t now_ns)
{
    size_t i = hash64_int((uint64_t)project) % QUOTA_SLOTS;
    while (q->slots[i].project && q->slots[i].project != project)
        i = (i + 1) % QUOTA_SLOTS;
    struct quota_slot *s = &q->slots[i];
    int64_t full = q->rate * 2;
    if (!s->project)
        *s = (struct quota_slot){ project, full, now_ns };
    int64_t passed_ms = (now_ns - s->at_ns) / NS_PER_MS;
    if (passed_ms > 0) {
        int64_t gained;
        if (__builtin_mul_overflow(q->rate, passed_ms, &gained))
            gained = INT64_MAX;
        gained /= 1000;
        s->level = gained > full - s->level ? full : s->level + gained;
        s->at_ns += passed_ms * NS_PER_MS;
    }
    return s;
}

int64_t quota_wait_ms(struct quota *q, int64_t project, int64_t now_ns)
{
    if (!q->slots)
        return 0;
    pthread_mutex_lock(&q->lock);
    int64_t level = quota_slot(q, project, now_ns)->level;
    pthread_mutex_unlock(&q->lock);
    if (level >= 0)
        return 0;
    return (-level > INT64_MAX / 1000 ? INT64_MAX : -level * 1000) / q->rate + 1;
}

void quota_charge(struct quota *q, int64_t project, int64_t size, int64_t now_ns)
{
    if (!q->slots)
        return;
    pthread_mutex_lock(&q->lock);
    struct quota_slot *s = quota_slot(q, project, now_ns);
    s->level -= size;
    pthread_mutex_unlock(&q->lock);
}
