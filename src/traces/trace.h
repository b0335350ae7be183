// A whole trace: every stored span of one id, from all segments and whatever the range, as a tree, with
// the logs that were written in it.
//
// Spans that a client sent twice are dropped (same span id, start and resource). Two spans with one id
// (client and server sharing it) are both kept: children hang below the later-starting one of the same
// service as the child, else below the one that started last.
#pragma once
#include "query/run.h"

struct trace_child {
    str name;          // events
    int64_t time;      // events, ns Unix
    uint8_t trace[16]; // links
    uint64_t span;     // links, be64; 0 = none
    uint32_t flags;    // links
    str tracestate;    // links
    uint32_t dropped;  // attributes that the client dropped
    const struct attr *attrs;
    uint32_t attrs_n;
};

struct trace_span {
    uint64_t span, parent;  // be64 of the ids' bytes; 0 = none
    int64_t time, duration; // ns; a negative duration is kept
    uint8_t kind, status;   // enum span_kind, enum span_status
    uint32_t flags, project;
    str name, service, message, tracestate;
    uint32_t dropped; // attributes, events and links that the client dropped, together
    const struct record_entity *resource, *scope;
    const struct attr *attrs, *fields; // record level; further fixed fields (message, tracestate ...)
    uint32_t attrs_n, fields_n;
    const struct trace_child *events, *links;
    uint32_t events_n, links_n;

    uint32_t depth;       // 0: root or orphan
    int32_t parent_index; // in trace.spans, -1: none
    uint32_t descendants; // they follow the span directly
    bool orphan;          // names a parent that is not there
    bool cycle;           // its ancestors led back to it; cut here
};

struct trace_log {
    int64_t time, observed;
    uint8_t severity;
    uint64_t span;
    int32_t span_index; // in trace.spans, -1: not there
    uint32_t project;
    str service, name, severity_text;
    struct value body;
    const struct record_entity *resource, *scope;
    const struct attr *attrs;
    uint32_t attrs_n;
};

struct trace_service {
    str name; // empty: spans without a service
    uint32_t spans, errors;
};

struct trace {
    uint32_t magic; // TRACE_MAGIC
    uint8_t id[16];
    struct trace_span *spans; // tree order: a parent before its children, siblings by start
    uint32_t spans_n;
    struct trace_log *logs; // by time
    uint32_t logs_n;
    uint32_t events_n;              // error events in it (only counted: `events trace=ID` has them)
    struct trace_service *services; // by first span
    uint32_t services_n;
    int64_t time, duration; // earliest start; latest end - earliest start
    int32_t root;           // index of the root (else of the earliest orphan); -1 without spans
    uint32_t errors;        // spans with status error
    uint32_t missing;       // distinct parent ids that are not there
    bool complete;          // exactly one root and nothing missing
    bool cut;               // more spans or logs than asked for: these are the earliest
    uint64_t hidden;        // spans in projects that the caller may not read
};

enum { TRACE_MAGIC = 0x54524143 };

struct trace_request {
    uint8_t id[16];
    bool logs;          // also the logs
    bool outline;       // spans and logs without attributes and fields, events and links: enough for the tree
    uint32_t spans_max; // 0: 100,000
    uint32_t logs_max;  // 0: 10,000
    size_t memory_max;  // 0: QUERY_MEMORY_MAX
    bool all_projects;
    const struct query_project *projects;
    uint32_t projects_n;
    bool (*cancelled)(void *ctx);
    void *cancelled_ctx;
};

// ERR_NOENT: no span, log or error event of it that the caller may see. Everything in the trace belongs to it: the view may
// be released before.
// ERR_LIMIT: it is too large (slug "trace_too_large").
int trace_load(const struct trace_request *q, struct view *view, struct trace **ret_trace, struct err *err);
int trace_load_segments(const struct trace_request *q, const struct segment *const *segments, uint32_t n,
                        struct trace **ret_trace, struct err *err);
void trace_free(struct trace *t);

// 16 or 32 hex digits, any case, dashes ignored.
int trace_id_parse(str s, uint8_t ret_id[16]);
