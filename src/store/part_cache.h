// The block cache: pieces of part files in memory, capped, shared by all parts. A piece is pinned while
// somebody uses it; pieces that nobody has used since the clock's hand came by go first.
#pragma once
#include "store/part.h"

struct cache_entry {
    uint64_t part, offset; // the key: number of an opened part, place of the chunk in its file
    uint8_t *data;         // ENCODE_PAD readable bytes behind it
    uint32_t size;
    uint32_t pins;   // under the shard's lock
    bool used, dead; // since the hand came by; removed while pinned
    uint32_t at;     // place in the shard's ring
    struct cache_entry *next;
    struct cache_shard *shard;
};

// A number for a part that is being opened: never the same twice.
uint64_t cache_part_number(struct part_cache *c);
// Pinned, or NULL.
struct cache_entry *cache_get(struct part_cache *c, uint64_t part, uint64_t offset);
// Moves data (of mem_alloc) in; pinned. When another thread was faster, data is freed and theirs returned.
// NULL: no memory, data is freed.
struct cache_entry *cache_put_take(struct part_cache *c, uint64_t part, uint64_t offset, uint8_t *data, uint32_t size);
void cache_unpin(struct cache_entry *e);
// Forgets everything of a part; none of it may be pinned.
void cache_forget(struct part_cache *c, uint64_t part);
// What parts hold beside the cache (dictionaries, directories): counts in cache_is_over().
void cache_account(struct part_cache *c, int64_t bytes);
// Do parts that nobody reads have to give back what they hold?
bool cache_is_over(const struct part_cache *c);
