// Cells: the figures of one key in one minute; and the delta, the cells that are not in the database yet.
#pragma once
#include "red/durations.h"
#include "red/key.h"

enum { CELL_INSTANCES_MAX = 256 }; // more instances of one series in one minute are not told apart

struct cell {
    uint32_t minute; // since 1970
    struct red_key *key;
    // Series: entry spans, and all logs. Operations: entry spans. Edges: the callee's spans, or a peer's client spans.
    uint64_t requests, errors, logs, log_errors;
    int64_t last; // latest time of a record, ns Unix; INT64_MIN: none
    struct durations durations;
    uint32_t *instances; // hashes, in no order
    uint16_t instances_n, instances_cap;
    struct cell *next; // in the delta, newest first
};

struct delta {
    struct arena arena;
    struct cell **slots, *all;
    uint32_t mask, n;
    uint32_t serial; // changes with every delta_clear(), so that memos can tell
};
// Keys are few and minutes are near now, so this is not met; if it is, counting waits for the next generation's delta.
#define DELTA_BYTES_MAX (512ull << 20)

void delta_init(struct delta *d);
void delta_clear(struct delta *d);
void delta_free(struct delta *d);
// The cell, made when missing. ERR_NOMEM.
int delta_cell_slow(struct delta *d, struct red_key *key, uint32_t minute, struct cell **ret_cell);
static inline int delta_cell(struct delta *d, struct red_key *key, uint32_t minute, struct cell **ret_cell)
{
    if (__builtin_expect(key->delta == d->serial && key->cell->minute == minute, 1)) {
        *ret_cell = key->cell;
        return 0;
    }
    return delta_cell_slow(d, key, minute, ret_cell);
}
int cell_instance(struct arena *a, struct cell *c, uint32_t instance);
// Adds the figures of another cell of the same key.
int cell_merge(struct arena *a, struct cell *c, const struct cell *other);
