// Running a query: text and range in, rows and statistics out. The language is described in docs/query.md.
//
// A run sees the view it is given and nothing else. It takes at most its memory and time caps and stops
// soon after `cancelled` says so or the output answers with an error. It never fails because of the types
// that it meets in the data.
#pragma once
#include "base/buf.h"
#include "query/qval.h"
#include "store/store.h"

struct query_error;  // query/error.h
struct query_issues; // query/issues.h

#define QUERY_MEMORY_MAX (256u << 20)
#define QUERY_TIME_MAX_NS (30 * 1000000000LL)
enum { QUERY_ROWS_DEFAULT = 1000 };

// A project that the caller may read.
struct query_project {
    uint32_t id;
    str name; // what the field `project` says
};

struct query_request {
    str text;
    bool has_from, has_to; // what the caller did not give: the last hour (see the language, 10)
    int64_t from, to;      // [from, to), ns Unix
    str tz;                // IANA name; empty: UTC
    uint64_t limit;        // most rows of the result; 0: 1,000 for records without `limit`, none for others
    str after;             // cursor from _stats.next; empty: from the start
    bool ints_as_strings;  // "ints":"string"
    bool partial;          // at the time cap: answer what there is and say so in _stats.partial
    bool all_projects;     // no check at all (tests, tools on the owner's own data)
    const struct query_project *projects; // ascending ids; rows of others do not exist for the caller
    uint32_t projects_n;
    const struct query_issues *issues; // what `issue` and `issues` mean; NULL: there are none
    bool values;                       // permission to read captured values
    // Asked once, before anything is read, when the query names captured values; an error ends the run. May be NULL.
    int (*values_read)(void *ctx, str text);
    void *values_read_ctx;
    bool live;   // a live tail: no range, only the rows from view_segment_first() on
    int64_t now; // ns Unix: what `now` means; 0: the clock

    size_t memory_max;            // bytes; 0: QUERY_MEMORY_MAX
    int64_t time_max_ns;          // 0: QUERY_TIME_MAX_NS
    bool (*cancelled)(void *ctx); // may be NULL; asked once a block
    void *cancelled_ctx;
};

// A cell of a row: missing values have none.
struct query_cell {
    str name;
    struct qval value;
};

struct query_result_column {
    str name;
    uint8_t type; // enum qval_type; QVAL_MISSING when the rows differ or there was no value
};

// What _stats says. Views live in the run's memory: valid inside output->end() only.
struct query_stats {
    uint64_t rows, matched, scanned; // of the result; that the source's filter let through; that were read
    uint64_t bytes, parts, parts_skipped, blocks, blocks_skipped;
    int64_t elapsed_ns, cpu_ns;
    int64_t from, to; // the range as understood
    const struct query_result_column *columns;
    uint32_t columns_n;
    bool more;
    str next; // cursor for `after`, empty when none
    const struct query_approx {
        str column;
        double error; // relative
    } * approx;
    uint32_t approx_n;
    str partial; // why the answer is not whole; empty when it is
    const str *hints;
    uint32_t hints_n;
    uint64_t uncomparable, hidden, lossy, repeated_keys, without_trace;
    const str *partial_buckets; // the starts of incomplete buckets, as printed
    uint32_t partial_buckets_n;
    str canonical; // the query as understood
    // differ: rows that satisfied its filter, the rest, fields that were ranked, fields left out because (nearly) every
    // row has a value of its own
    bool compared;
    uint64_t compared_in, compared_out, compared_fields, compared_own;
};

// Where rows go. All calls come on the thread that runs the query; each returns 0 or a negative code
// that ends the run (ERR_CLOSED: the reader has gone).
struct query_output {
    void *ctx;
    // One row; cells in column order, values live until it returns. A record without `select` has the cells
    // source, time, its fixed fields, then `attr`, `resource`, `scope` (maps) and `events`, `links` (lists of maps).
    int (*row)(void *ctx, const struct query_cell *cells, uint32_t n);
    // After the last row of a run that succeeded.
    int (*end)(void *ctx, const struct query_stats *stats);
};

// 0, or a negative code with *err filled (err must not be NULL). Rows may have gone out before an error.
// ERR_CLOSED and ERR_CANCELLED are the reader's own doing.
int query_run(const struct query_request *q, struct view *view, const struct query_output *out,
              struct query_error *err);

// The same over segments instead of a view; firsts: rows of segment i before firsts[i] are passed over (NULL: none).
int query_run_segments(const struct query_request *q, const struct segment *const *segments, const uint64_t *firsts,
                       uint32_t n, const struct query_output *out, struct query_error *err);

// The same as NDJSON: rows, then the line {"_stats":..} or, when rows went out before an error, {"_error":..}.
// An error before the first byte writes nothing: the caller answers query_code_status(err->code) and the
// error's JSON.
struct query_sink {
    void *ctx;
    int (*write)(void *ctx, bytes b); // whole lines; 0 or a negative code: ERR_CLOSED cancels the run
};
// *ret_begun: something was written.
int query_run_ndjson(const struct query_request *q, struct view *view, const struct query_sink *sink, bool *ret_begun,
                     struct query_error *err);
