// What the agent and the in-process part for Python agree on: one file in memory, made in the target, mapped by both. First this page, then
// orders and their answers, then the ring (probe/ring.h) with its slots. Between them stand the tables of probes that count (probe/series.h). Both sides are built from one tree; the version says so.
//
// The in-process part trusts the orders no further than that no length leaves the area; the agent trusts nothing in here.
#pragma once
#include "probe/series.h"

enum {
    CLEW_VERSION = 6,
    CLEW_ORDERS_AT = 4096,
    CLEW_ORDERS_BYTES = 8 << 20,
    CLEW_SERIES_AT =
        CLEW_ORDERS_AT + CLEW_ORDERS_BYTES, // a table a slot; pages of those that count nothing are never touched
    CLEW_SLOTS = 256,
    CLEW_RING_AT = CLEW_SERIES_AT + (CLEW_SLOTS * (int)sizeof(struct probe_series_table) + 4095) / 4096 * 4096,
    CLEW_RING_UNITS = 1 << 14, // 4 MiB
    CLEW_NEAREST = 6,
    CLEW_FRAMES_MAX = 128,
    CLEW_RECORD_MAX = 1 << 20,
    CLEW_PROGRAMS_MAX = 160, // of one probe
};

// Arguments of clew_python_start().
struct clew_start {
    uint32_t version;
    int32_t fd;     // of the memory in the target; closed when it is mapped
    int32_t own_fd; // of the object itself, closed too; -1: none
    uint32_t reserved;
    uint64_t size;
};

enum clew_start_result {
    CLEW_STARTED = 0,
    CLEW_START_VERSION = -1,
    CLEW_START_MEMORY = -2,
    CLEW_START_SUBINTERPRETERS = -3,
    CLEW_START_MONITORING = -4, // no free id of sys.monitoring
};

// EXIT: by a return or an exception; THROW: by an exception; RAISE: where one is raised; UNCAUGHT: where one ends the program or a thread.
enum clew_at { CLEW_AT_LINE, CLEW_AT_ENTRY, CLEW_AT_EXIT, CLEW_AT_THROW, CLEW_AT_RAISE, CLEW_AT_UNCAUGHT };

enum clew_outcome {
    CLEW_INSTALLED = 1,
    CLEW_NOT_LOADED, // no code of such a file is alive
    CLEW_NO_LINE,    // code of the file is there, none begins at this line: see nearest
    CLEW_NO_FUNCTION,
    CLEW_FAILED,
    CLEW_BAD_PROGRAM, // an expression whose code the in-process part does not admit
    CLEW_NO_ROOM,     // up to 3.10: for a handler around a function's body
};

// What an expression is for.
enum clew_role { CLEW_CONDITION, CLEW_EXPR, CLEW_VALUE, CLEW_BY };

// One expression: this, its code, its text, each padded to 8 bytes.
struct clew_program {
    uint32_t role;  // enum clew_role
    uint32_t index; // of the capture's expressions, or of those that name a series
    uint32_t code_len, text_len;
};

enum {
    CLEW_WITH_ARGS = 1,
    CLEW_WITH_LOCALS = 2,
    CLEW_COUNT_ONLY = 4, // a forecast
    CLEW_SERIES = 8,     // hits are counted in the slot's table
    CLEW_DURATIONS = 16, // of SERIES: by how long the call took, in seconds
    CLEW_BUCKETS = 32,   // of SERIES: a histogram
    CLEW_RISING = 64,    // of SERIES: a counter, whose values are not below 0
};

struct clew_order {
    uint32_t bytes; // of the whole order, to the next one; a multiple of 8
    uint32_t slot, stamp;
    uint32_t at; // enum clew_at
    int32_t line;
    uint32_t frames, frames_vars, depth, items, string, capture_bytes;
    uint32_t flags;
    uint64_t id; // of the probe: what it remembers from hit to hit stays with it
    uint32_t file_len, function_len, exception_len, service_len,
        host_len;        // texts behind it, in this order, padded to 8 together
    uint32_t n_programs; // then these
    // The answer.
    uint32_t outcome;  // enum clew_outcome
    uint32_t places;   // where it stands
    uint32_t old_code; // frames and generators that go on in the code from before
    int32_t nearest[CLEW_NEAREST];
};

struct clew_orders {
    uint32_t n;
    uint32_t bytes; // of all orders behind this
    uint64_t
        number; // another for each time that they are handed over: what is not applied yet of those from before is dropped
    uint64_t ns; // an answer: processor time that the longest of the calls took in which they were applied
};

// Of clew_python_apply().
enum clew_applied {
    CLEW_APPLIED = 0,
    CLEW_APPLY_MORE = 1, // it is to be called again, when the program has gone on
};

// What tells a probe in a slot from the one that stood there before: their revisions may be the same, and what the former has captured may
// be read, or its code be run, when the slot is the latter's already.
static inline uint32_t clew_stamp(uint64_t id, uint32_t revision)
{
    return (uint32_t)(((id + revision) * 0x9e3779b97f4a7c15ull) >> 32);
}

// Whose table it is.
static inline uint64_t clew_series_owner(uint64_t id, uint32_t revision)
{
    return (id ^ ((uint64_t)revision << 32 | revision)) | 1;
}

enum clew_var_kind { CLEW_VAR_ARG, CLEW_VAR_LOCAL, CLEW_VAR_CLOSURE };
