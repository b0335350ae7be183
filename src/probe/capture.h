// One capture, as it goes through the ring: a header of fixed size, then sections, each a tag byte and what
// follows it (the tags stand in capture_internal.h). Written in the target into fixed memory of the caller, swept of
// secrets, then copied into the ring; read by the agent, which trusts none of it, and written as CAPTURE JSON.
//
// Order: frames first (names of the whole stack cost little), then expressions, return value and exception, then
// variables. What no longer fits is left out and counted, so that a capture always says what it lacks.
#pragma once
#include "base/err.h"
#include "probe/redact.h"
#include "probe/value.h"

enum {
    PROBE_CAPTURE_MAGIC = 0x31434c43, // CLC1
    PROBE_CAPTURE_HEAD = 128,
    PROBE_CAPTURE_COST_AT =
        40, // in it, little-endian: may be written when the record is in the ring, before it is committed
    PROBE_CAPTURE_MIN = 512,
    PROBE_CAPTURE_BYTES_MAX = 1024 * 1024, // a record of the ring
    PROBE_CAPTURE_FRAMES_MAX = 128,
    PROBE_CAPTURE_VARS_MAX = 4096,
    PROBE_CAPTURE_EXPRS_MAX = 128, // those of the probe, then those of its message
    PROBE_CAPTURE_TEXT_MAX = 4096, // of a file, function, module or message
    PROBE_CAPTURE_LOG_MAX = 64 * 1024,
    PROBE_CAPTURE_NAME_ROOM = 48,
};

// Whether an SDK that makes events of errors by itself was loaded in the process. Unknown: nobody has looked.
enum probe_reporter { PROBE_REPORTER_UNKNOWN, PROBE_REPORTER_NONE, PROBE_REPORTER_SENTRY };

enum probe_var_kind { PROBE_VAR_ARG, PROBE_VAR_LOCAL, PROBE_VAR_CLOSURE };

// What is known when the hit begins.
struct probe_capture_start {
    uint32_t slot;     // the probe's
    uint32_t revision; // and which of its revisions, or another number that tells it from what stood in the slot before
    int64_t time_ns;   // Unix
    uint64_t thread;
    str thread_name;
    const uint8_t *trace; // 16 bytes, or NULL
    const uint8_t *span;  // 8 bytes, or NULL
    enum probe_reporter reporter;
};

struct probe_capture {
    struct probe_value_writer w;
    uint32_t frames, frames_cut, vars_cut;
    bool file_redacted[PROBE_CAPTURE_FRAMES_MAX];
};

// mem: PROBE_CAPTURE_MIN bytes at least, cap is the probe's limit of bytes. False: too little.
bool probe_capture_begin(struct probe_capture *c, void *mem, size_t cap, const struct probe_capture_start *start,
                         const struct probe_value_limits *limits, const struct probe_policy *policy,
                         struct probe_space *space);
// The next frame, innermost first. False: no room, it is counted as cut.
bool probe_capture_frame(struct probe_capture *c, str function, str file, uint32_t line, str module, bool in_app);
static inline void probe_capture_frames_cut(struct probe_capture *c, uint32_t n) { c->frames_cut += n; }
// Each of these promises one value, which the caller writes with c->w next. False: nothing is to be written.
bool probe_capture_var(struct probe_capture *c, uint32_t frame, enum probe_var_kind kind, str name);
// A variable that is captured again and again, as it is written, with the rule by which its name is sensitive under the
// capture's policy. False: its name is too long for that.
struct probe_capture_name {
    uint8_t len, rule;
    uint8_t head[PROBE_CAPTURE_NAME_ROOM];
};
bool probe_capture_name(const struct probe_capture *c, enum probe_var_kind kind, str name,
                        struct probe_capture_name *ret);
// As probe_capture_var().
bool probe_capture_named(struct probe_capture *c, uint32_t frame, const struct probe_capture_name *name);
// name: of what the expression ends in ("token" of req.token), by which it is redacted like a variable.
bool probe_capture_expr(struct probe_capture *c, uint32_t index, str name);
bool probe_capture_return(struct probe_capture *c);
bool probe_capture_exception(struct probe_capture *c, str type, str message);
// These write all of it.
void probe_capture_expr_error(struct probe_capture *c, uint32_t index, str text);
void probe_capture_log(struct probe_capture *c, str body);
// A series' value: index of the probe's `by` expressions follow as expressions.
void probe_capture_metric(struct probe_capture *c, double value);
// Sweeps, and fills in the header. Returns the bytes that go into the ring; the memory holds nothing else of the target
// that the ring would get. duration_ns: of the call, or -1. dropped_before: records lost since the last one.
size_t probe_capture_end(struct probe_capture *c, uint64_t cost_ns, int64_t duration_ns, uint64_t dropped_before);

// The agent's side.
struct probe_capture_head {
    uint32_t length, slot, revision, policy_generation;
    uint32_t redacted, frames_cut, vars_cut;
    int64_t time_ns, duration_ns; // -1: none
    uint64_t thread, cost_ns, dropped_before;
    bool has_trace, has_span, cut;
    uint8_t trace[16], span[8];
    enum probe_reporter reporter;
};
// Checks the header. ERR_TRUNCATED, ERR_MALFORMED.
int probe_capture_head(bytes record, struct probe_capture_head *ret_head);

struct probe;
struct json_writer;
struct arena;
// Writes the capture as CAPTURE JSON, one object without "id" and "process", which the agent adds. probe: whose slot it is (for its id, kind, texts of expressions, level). Checked as a whole before anything is written: on
// an error nothing is. ERR_TRUNCATED, ERR_MALFORMED, ERR_NOMEM.
int probe_capture_json(bytes record, const struct probe *probe, struct arena *arena, struct json_writer *out);
// The figure of a metric probe's record. ERR_NOENT when it has none.
int probe_capture_metric_value(bytes record, double *ret_value);
