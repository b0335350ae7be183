// The model of a probe: where, when, what, limits, scope, life; its JSON form in the agent's protocol; its states
// and the stable codes of what can go wrong. Server, agent and back ends share it.
//
// Everything that is read here comes from outside (the agent does not trust the server, nor the other way round): every
// number has its limit in one table, every list and text a maximum.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "probe/budget.h"

struct json_node;

enum {
    PROBE_JSON_MAX = 1024 * 1024, // one probe
    PROBE_JSON_DEPTH = 100,       // trees of expressions are deep
    PROBE_ID_MAX = 64,
    PROBE_PATH_MAX = 1024,
    PROBE_FUNCTION_MAX = 512,
    PROBE_TEXT_MAX = 1024, // of an expression or template
    PROBE_TREE_MAX = 128 * 1024,
    PROBE_CODE_MAX = 32 * 1024,
    PROBE_EXPRS_MAX = 64,
    PROBE_PARTS_MAX = 64,
    PROBE_BY_MAX = 8,
    PROBE_PROCESSES_MAX = 4096, // of a host
    // JSON of all probes of a host, as one message. An agent reads it into a tree of about twelve times its size.
    PROBE_SET_BYTES_MAX = 4 << 20,
};

// ---- numbers: member, JSON name, default, least, most, what it is ----
#define PROBE_LIMIT_TABLE(X)                                                    \
    X(frames, "frames", 30, 0, 128, "frames of the stack")                      \
    X(frames_vars, "frames_vars", 3, 0, 16, "frames whose variables are taken") \
    X(depth, "depth", 3, 0, 10, "levels of a value")                            \
    X(items, "items", 50, 0, 1000, "items of a container, fields of an object") \
    X(string, "string", 512, 0, 65536, "bytes of a text")                       \
    X(bytes, "bytes", 131072, 1024, 1048576, "bytes of a snapshot")             \
    X(hits, "hits", 20, 1, 10000, "captures of all instances together, then the probe is done")

enum { PROBE_TTL_S = 30 * 60, PROBE_TTL_S_MAX = 24 * 3600 };

// ---- enumerations, all with their names on the wire ----
#define PROBE_KIND_TABLE(X)       \
    X(PROBE_SNAPSHOT, "snapshot") \
    X(PROBE_LOG, "log")           \
    X(PROBE_METRIC, "metric")     \
    X(PROBE_TIMER, "timer")       \
    X(PROBE_EXCEPTION, "exception")
#define PROBE_WHERE_TABLE(X)         \
    X(PROBE_AT_LINE, "line")         \
    X(PROBE_AT_FUNCTION, "function") \
    X(PROBE_AT_EXCEPTION, "exception")
#define PROBE_POINT_TABLE(X) \
    X(PROBE_ENTRY, "entry")  \
    X(PROBE_EXIT, "exit")    \
    X(PROBE_THROW, "throw")
#define PROBE_MATCH_TABLE(X)        \
    X(PROBE_MATCH_FOLLOW, "follow") \
    X(PROBE_MATCH_EXACT, "exact")
#define PROBE_KEEP_TABLE(X)            \
    X(PROBE_KEEP_ALWAYS, "always")     \
    X(PROBE_KEEP_ERROR, "trace_error") \
    X(PROBE_KEEP_SLOW, "trace_slow")
#define PROBE_METRIC_TABLE(X)      \
    X(PROBE_METRIC_COUNT, "count") \
    X(PROBE_METRIC_GAUGE, "gauge") \
    X(PROBE_METRIC_HISTOGRAM, "histogram")
#define PROBE_LEVEL_TABLE(X) \
    X(PROBE_TRACE, "trace")  \
    X(PROBE_DEBUG, "debug")  \
    X(PROBE_INFO, "info")    \
    X(PROBE_WARN, "warn")    \
    X(PROBE_ERROR, "error")  \
    X(PROBE_FATAL, "fatal")
// Of a probe in one process.
#define PROBE_STATE_TABLE(X)              \
    X(PROBE_PENDING, "pending")           \
    X(PROBE_RESOLVING, "resolving")       \
    X(PROBE_WAITING, "waiting")           \
    X(PROBE_MISMATCH, "mismatch")         \
    X(PROBE_UNRESOLVABLE, "unresolvable") \
    X(PROBE_INSTALLING, "installing")     \
    X(PROBE_INSTALLED, "installed")       \
    X(PROBE_EMITTING, "emitting")         \
    X(PROBE_THROTTLED, "throttled")       \
    X(PROBE_STATE_SUSPENDED, "suspended") \
    X(PROBE_REMOVED, "removed")           \
    X(PROBE_STATE_ERROR, "error")         \
    X(PROBE_PARTIAL, "partial")

#define PROBE_ENUM(name, text) name,
enum probe_kind { PROBE_KIND_TABLE(PROBE_ENUM) PROBE_KINDS };
enum probe_where_kind { PROBE_WHERE_TABLE(PROBE_ENUM) PROBE_WHERES };
enum probe_point { PROBE_POINT_TABLE(PROBE_ENUM) PROBE_POINTS };
enum probe_match { PROBE_MATCH_TABLE(PROBE_ENUM) PROBE_MATCHES };
enum probe_keep { PROBE_KEEP_TABLE(PROBE_ENUM) PROBE_KEEPS };
enum probe_metric_kind { PROBE_METRIC_TABLE(PROBE_ENUM) PROBE_METRICS };
enum probe_level { PROBE_LEVEL_TABLE(PROBE_ENUM) PROBE_LEVELS };
enum probe_state { PROBE_STATE_TABLE(PROBE_ENUM) PROBE_STATES };
#undef PROBE_ENUM

str probe_kind_name(enum probe_kind kind);
str probe_state_name(enum probe_state state);
bool probe_state_of(str name, enum probe_state *ret_state);
str probe_point_name(enum probe_point point);
str probe_level_name(enum probe_level level);
str probe_drop_name(enum probe_drop drop); // "rate", "ring", ...

// ---- codes: stable, for programs; message and way out for people ----
struct probe_code_text {
    str code, message, hint;
};
// NULL for a code that is not in the table.
const struct probe_code_text *probe_code_text(str code);
// All of them, by index; NULL beyond the end.
const struct probe_code_text *probe_code_at(size_t i);

// ---- the model ----
struct probe_program { // an expression as the server compiled it
    str text;
    str tree;   // JSON of the checked tree; may be empty
    bytes code; // bytecode, not yet verified; may be empty
};

struct probe_where {
    enum probe_where_kind kind;
    str file;               // LINE; may narrow the others
    uint32_t line, column;  // from 1; column 0: any
    str function, module;   // FUNCTION; function may narrow EXCEPTION
    enum probe_point point; // of FUNCTION
    str exception;          // type name, "*": any
    bool uncaught;          // EXCEPTION: only what nobody catches
};

struct probe_part { // of a template: text, or an expression
    bool is_expr;
    str text;
    struct probe_program expr;
};

struct probe_by {
    str name;
    struct probe_program value;
};

enum probe_spread { PROBE_ON_ALL, PROBE_ON_COUNT, PROBE_ON_PERCENT };

struct probe {
    str id;
    uint32_t revision;
    enum probe_kind kind;
    struct probe_where where;
    enum probe_match match;
    str source_hash;     // SHA-256, hex, of the file as the person saw it; may be empty
    str line_hash;       // of the normalised line
    str follow_function; // in which it stands
    bool has_condition;
    struct probe_program condition;
    enum probe_hit_op hit_op;
    uint32_t hit_n;
    double sample; // 1: all
    enum probe_keep keep;
    uint32_t keep_ms;
    uint32_t frames, frames_vars, depth, items, string, bytes, hits; // of PROBE_LIMIT_TABLE
    bool locals, args;
    const struct probe_program *exprs;
    size_t n_exprs;
    bool has_log;
    struct {
        enum probe_level level;
        str text; // of the template
        const struct probe_part *parts;
        size_t n_parts;
    } log;
    bool has_metric;
    struct {
        enum probe_metric_kind kind;
        str name;
        bool has_value;
        struct probe_program value;
        const struct probe_by *by;
        size_t n_by;
    } metric;
    struct {
        str service, version, environment, host;
        uint32_t pid; // 0: any
        const str *processes;
        size_t n_processes;
        enum probe_spread spread;
        uint32_t instances; // of ON_COUNT and ON_PERCENT
    } scope;
    int64_t expires_ns; // Unix; 0: not said
    uint32_t grant;     // of the hits, how many this agent may take now
    double rate;        // a second and process, 0: no limit
    uint32_t burst;
    bool paused;
    bool count_only; // a forecast
};

// What holds when nothing is said; id, kind and where are for the caller.
void probe_defaults(struct probe *p, enum probe_kind kind);
// One probe of the agent's protocol. Texts are views of `json` or of the arena, which must outlive the probe; so must *ret's lists.
// ERR_MALFORMED, ERR_LIMIT, ERR_INVALID, ERR_NOMEM; err.place is the member.
int probe_read(str json, struct arena *arena, struct probe *ret_probe, struct err *err);
// The same of a part of a document.
int probe_read_node(const struct json_node *node, struct arena *arena, struct probe *ret_probe, struct err *err);
// Of a probe that probe_read_node() refuses, whose it is, so that its refusal can be told: id, revision, scope, expiry, paused, as far as
// they can be read; the rest as probe_defaults() has it. False: not even its id.
bool probe_read_whose(const struct json_node *node, struct arena *arena, struct probe *ret_probe);
// Reading what was written gives the same probe. *p holds what it would after reading: ranges and words are not checked again.
void probe_write(struct json_writer *w, const struct probe *p);
// "==3", ">=3", "%3"; empty: all. False: not understood.
bool probe_hit_read(str text, enum probe_hit_op *ret_op, uint32_t *ret_n);
// It counts, and captures nothing.
static inline bool probe_counts_only(const struct probe *p)
{
    return p->kind == PROBE_METRIC || p->kind == PROBE_TIMER;
}
// The slot of shared memory that this probe asks for.
void probe_slot_setup_of(const struct probe *p, struct probe_slot_setup *ret_setup);
