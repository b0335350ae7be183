// What a metric or timer probe has counted in one process: a table of series in memory that the target and the agent share. The target
// adds to it at each hit; the agent reads it now and then. So a counter is exact at any rate of hits, and nothing stands in a queue.
//
// A series is what the probe's `by` expressions gave. Beyond PROBE_SERIES_MAX of them all others are counted in one, the last.
// One writer at a time (the runtime's own lock); a reader that meets a change looks again.
#pragma once
#include "base/bytes.h"
#include <stdatomic.h>

enum {
    PROBE_SERIES_MAX = 64,
    PROBE_SERIES_KEY = 256,
    PROBE_SERIES_TEXT = 96, // bytes of a text in a key
    PROBE_SERIES_BY_MAX = 8,
    PROBE_SERIES_BOUNDS = 54, // 1, 2, 5 times 10^-6 to 10^11: of seconds, bytes, amounts
};

struct probe_series {
    _Atomic uint32_t turn; // odd while it is written
    uint32_t key_len;
    uint64_t count;
    double sum, min, max, last;
    uint64_t buckets[PROBE_SERIES_BOUNDS + 1]; // up to and with the bound; the last: above all
    uint8_t key[PROBE_SERIES_KEY];
};

struct probe_series_table {
    _Atomic uint64_t owner; // the probe and its revision; 0: nobody's
    int64_t start_ns;       // Unix: since when it counts
    _Atomic uint32_t n;
    uint32_t reserved;
    uint64_t hashes[PROBE_SERIES_MAX];
    struct probe_series series[PROBE_SERIES_MAX + 1]; // the last: of those that found no room
};

extern const double probe_series_bounds[PROBE_SERIES_BOUNDS];

// What the `by` expressions gave: one part each.
struct probe_series_key {
    uint32_t len;
    uint8_t bytes[PROBE_SERIES_KEY];
};
enum probe_series_part { PROBE_PART_NULL, PROBE_PART_BOOL, PROBE_PART_INT, PROBE_PART_FLOAT, PROBE_PART_TEXT };
// p: n bytes (BOOL 1, INT and FLOAT 8). later: parts that are still to come; they keep their room, and a text is cut.
void probe_series_part(struct probe_series_key *key, enum probe_series_part kind, const void *p, size_t n,
                       unsigned later);

// The target's side.
void probe_series_reset(struct probe_series_table *t, uint64_t owner, int64_t now_unix_ns);
// value: finite.
void probe_series_add(struct probe_series_table *t, const struct probe_series_key *key, double value, bool buckets);

// Where each thread has a table of its own: adds to `all`, which is the agent's, what a series of one of them has counted since `before`, a copy of it
// (zeros: since it began). What was added stays there, whatever becomes of the thread, and a series that has found its own room in `all` keeps it. The last value is
// that of the table that was added last of those that have changed. overflow: it is the one of all that found no room. False: no series can be so, and
// nothing is added.
bool probe_series_join(struct probe_series_table *all, const struct probe_series *now,
                       const struct probe_series *before, bool overflow);

// The agent's side, which trusts nothing in here: series_json.c.
struct probe;
struct json_writer;
struct probe_series_told { // what was told of a table
    bool known[PROBE_SERIES_MAX + 1];
    uint64_t hits; // of all series
    int64_t time_ns;
};
// Writes a report as CAPTURE JSON without "id" and "process", and notes in *told that it was. 0: there is nothing in it; 1: written.
// again: also when nothing has changed.
int probe_series_json(const struct probe_series_table *t, uint64_t owner, const struct probe *probe,
                      int64_t now_unix_ns, bool again, struct probe_series_told *told, struct json_writer *out);
