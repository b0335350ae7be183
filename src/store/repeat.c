#include "store/repeat.h"

#include "base/hash.h"

static uint64_t repeat_tag(const uint64_t hash[2])
{
    uint64_t tag = hash[0] ^ hash64_int(hash[1]);
    return tag ? tag : 1;
}

static struct repeat_entry *repeat_find(struct repeat *r, uint64_t tag, int64_t now)
{
    struct repeat_entry *set = r->entry[tag % REPEAT_SETS];
    for (int i = 0; i < REPEAT_WAYS; i++)
        if (set[i].tag == tag && (set[i].pending || set[i].until > now))
            return &set[i];
    return NULL;
}

static void repeat_put(struct repeat *r, uint64_t tag, int64_t now, bool pending)
{
    struct repeat_entry *set = r->entry[tag % REPEAT_SETS], *oldest = &set[0];
    for (int i = 1; i < REPEAT_WAYS; i++)
        if (set[i].until < oldest->until)
            oldest = &set[i];
    *oldest = (struct repeat_entry){ tag, now + REPEAT_KEEP_NS, pending };
}

enum repeat_state repeat_begin(struct repeat *r, const uint64_t hash[2], int64_t now)
{
    uint64_t tag = repeat_tag(hash);
    const struct repeat_entry *e = repeat_find(r, tag, now);
    if (e)
        return e->pending ? REPEAT_PENDING : REPEAT_STORED;
    repeat_put(r, tag, now, true);
    return REPEAT_NEW;
}

void repeat_end(struct repeat *r, const uint64_t hash[2], int64_t now, bool stored)
{
    uint64_t tag = repeat_tag(hash);
    struct repeat_entry *e = repeat_find(r, tag, now);
    if (e && stored)
        *e = (struct repeat_entry){ tag, now + REPEAT_KEEP_NS, false };
    else if (e)
        *e = (struct repeat_entry){ 0 };
    else if (stored)
        repeat_put(r, tag, now, false);
}
