// Dictionary strings of the head: bump storage, and interning with a hash table beside the entries.
#include "base/hash.h"
#include "base/must.h"
#include "store/head.h"

struct heap_chunk {
    struct heap_chunk *next;
    _Alignas(16) uint8_t data[];
};

enum { HEAP_CHUNK_MIN = 16 << 10, HEAP_CHUNK_MAX = 1 << 20 };

void *head_heap_alloc(struct head_heap *h, size_t n, size_t align)
{
    uintptr_t p = ((uintptr_t)h->cur + align - 1) & ~(uintptr_t)(align - 1);
    if (!h->cur || p > (uintptr_t)h->end || (uintptr_t)h->end - p < n) {
        // Chunks grow with what is there, so that a quiet lane stays small.
        size_t size = h->bytes < HEAP_CHUNK_MIN ? HEAP_CHUNK_MIN : h->bytes;
        if (size > HEAP_CHUNK_MAX)
            size = HEAP_CHUNK_MAX;
        if (size < n + align)
            size = n + align;
        struct heap_chunk *c = mem_alloc(sizeof *c + size);
        if (!c)
            return NULL;
        c->next = h->chunks;
        h->chunks = c;
        h->cur = c->data;
        h->end = c->data + size;
        h->bytes += sizeof *c + size;
        p = ((uintptr_t)h->cur + align - 1) & ~(uintptr_t)(align - 1);
    }
    h->cur = (uint8_t *)p + n;
    return (void *)p;
}

void head_heap_free(struct head_heap *h)
{
    for (struct heap_chunk *c = h->chunks; c;) {
        struct heap_chunk *next = c->next;
        mem_free(c);
        c = next;
    }
    *h = (struct head_heap){ 0 };
}

int head_dict_append(struct head_dict *hd, struct head_heap *heap, str s)
{
    int k;
    uint32_t at;
    if (hd->d.n >= UINT32_MAX - 128)
        return ERR_LIMIT;
    geo_place(hd->d.n, &k, &at);
    if (!hd->d.chunk[k]) {
        str *c = head_heap_alloc(heap, sizeof(str) * (64u << k), 16);
        if (!c)
            return ERR_NOMEM;
        hd->d.chunk[k] = c;
    }
    char *p = (char *)"";
    if (s.len) {
        p = head_heap_alloc(heap, s.len, 1);
        if (!p)
            return ERR_NOMEM;
        memcpy(p, s.ptr, s.len);
    }
    ((str *)(uintptr_t)hd->d.chunk[k])[at] = (str){ p, s.len };
    __atomic_store_n(&hd->d.n, hd->d.n + 1, __ATOMIC_RELEASE); // after the entry: readers look while it grows
    return 0;
}

static int dict_grow(struct head_dict *hd)
{
    uint32_t cap = hd->slots ? (hd->mask + 1) * 2 : 64;
    uint64_t *slots = mem_calloc(cap, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    for (uint32_t i = 0; hd->slots && i <= hd->mask; i++) {
        if (!hd->slots[i])
            continue;
        // The home slot comes from the upper hash bits, which the slot keeps.
        uint32_t at = (uint32_t)(hd->slots[i] >> 32) & (cap - 1);
        while (slots[at])
            at = (at + 1) & (cap - 1);
        slots[at] = hd->slots[i];
    }
    mem_free(hd->slots);
    hd->slots = slots;
    hd->mask = cap - 1;
    return 0;
}

// More than half of 16 Ki look-ups were new: such a column gains nothing from looking.
static bool dict_is_hopeless(const struct head_dict *hd) { return hd->d.n > 16384 && hd->d.n > hd->adds / 2; }

int head_dict_intern(struct head_dict *hd, struct head_heap *heap, str s, uint32_t *ret_ord)
{
    if (hd->d.n) {
        str last = dict_get(&hd->d, hd->last);
        if (str_eq(last, s)) {
            hd->adds++;
            *ret_ord = hd->last;
            return 0;
        }
    }
    hd->adds++;
    if (!hd->raw) {
        if ((uint64_t)(hd->d.n + 1) * 4 > (uint64_t)(hd->slots ? hd->mask + 1 : 0) * 3) {
            if (dict_is_hopeless(hd)) {
                mem_free(hd->slots);
                hd->slots = NULL;
                hd->mask = 0;
                hd->raw = true;
            } else if (dict_grow(hd) < 0) {
                return ERR_NOMEM;
            }
        }
    }
    if (hd->raw) {
        int e = head_dict_append(hd, heap, s);
        if (e < 0)
            return e;
        *ret_ord = hd->last = hd->d.n - 1;
        return 0;
    }
    uint64_t h = hash64_str(s) & 0xffffffff00000000u;
    uint32_t at = (uint32_t)(h >> 32) & hd->mask;
    for (uint64_t slot; (slot = hd->slots[at]); at = (at + 1) & hd->mask) {
        if ((slot & 0xffffffff00000000u) != h)
            continue;
        uint32_t ord = (uint32_t)slot - 1;
        if (str_eq(dict_get(&hd->d, ord), s)) {
            *ret_ord = hd->last = ord;
            return 0;
        }
    }
    int e = head_dict_append(hd, heap, s);
    if (e < 0)
        return e;
    hd->slots[at] = h | hd->d.n;
    *ret_ord = hd->last = hd->d.n - 1;
    return 0;
}

void head_dict_free(struct head_dict *hd)
{
    mem_free(hd->slots); // entries stand in the lane's heap
    *hd = (struct head_dict){ 0 };
}
