// Red: rate, errors and durations of services and of their calls to each other, counted from the records as they
// arrive, in cells of a minute. Figures are exact over restarts and kills: what is acknowledged is counted once (spans
// that a client sends again in another batch, however, again). ARCHITECTURE.md, "Derived figures", says how.
#pragma once
#include "base/err.h"
#include "red/cell.h"

struct store;
struct red;

struct red_options {
    const char *path;     // of the database: "DATA/derived.db"; made when missing
    int64_t retention_ns; // 0: for ever
    bool manual;          // tests: nothing happens but in red_step()
};

// The store was opened with CONSUMER_RED and takes no batches yet. Counts what is in its log before it returns.
int red_open(const struct red_options *o, struct store *s, struct red **ret_red, struct err *err);
void red_close(struct red *r);

// Cells of the keys that a reader may see. An edge needs both its ends' projects.
struct red_filter {
    const uint32_t *projects; // ascending
    uint32_t projects_n;
    str environment; // with has_environment only those in it
    bool has_environment;
};
struct red_cells {
    struct cell *cells; // of stored and of live figures: a key's minute may be there twice; in no order
    size_t n;
};
struct red_view {
    struct red_cells of[RED_KINDS]; // series, operations, edges: those asked for
    struct red_key **series;        // all that pass the filter, with or without cells
    size_t series_n;
};
// kinds: bits 1 << enum red_kind. Minutes [from, to). Everything is the arena's. ERR_NOMEM; ERR_LIMIT: too much of it.
int red_read(struct red *r, const struct red_filter *f, unsigned kinds, uint32_t from, uint32_t to, struct arena *arena,
             struct red_view *ret_view, struct err *err);

struct red_stats {
    uint64_t spans, logs; // counted since the start
    uint64_t keys, live_cells, waiting, pushed_out;
};
void red_stats(struct red *r, struct red_stats *ret_stats);

// Tests and with `manual`: counts what has been committed, writes what is complete.
int red_step(struct red *r, struct err *err);
