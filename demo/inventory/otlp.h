// Spans and logs, and their way out: OTLP as JSON over HTTP, a batch a second, from a thread of its own.
// What does not fit into a batch's limits is dropped and counted; the service never waits for whoever collects.
#ifndef INVENTORY_OTLP_H
#define INVENTORY_OTLP_H

#include "request.h"

enum span_kind { SPAN_INTERNAL = 1, SPAN_SERVER = 2, SPAN_CLIENT = 3 };
enum severity { SEVERITY_INFO = 9, SEVERITY_WARN = 13, SEVERITY_ERROR = 17 };

#define SPAN_ATTRIBUTES_MAX 1024

struct span {
    uint8_t trace[16], id[8], parent[8];
    bool has_parent, sampled;
    enum span_kind kind;
    const char *name;
    uint64_t start_ns;
    bool failed;
    size_t attributes_n;
    char attributes[SPAN_ATTRIBUTES_MAX]; // JSON, `{...},{...}`
    struct span *outer;                   // of the same thread
};

// Reads the environment that every SDK reads. 0, or -1 after a word on stderr.
int otlp_start(void);
void otlp_stop(void); // sends what there is

// The new span becomes the thread's current one, the parent of those begun inside it; the first of a thread takes `from` (may be NULL).
void span_begin(struct span *s, const char *name, enum span_kind kind, const struct trace_context *from);
void span_text(struct span *s, const char *key, struct text value);
void span_number(struct span *s, const char *key, long long value);
void span_end(struct span *s);
// Belongs to the thread's current span.
__attribute__((format(printf, 2, 3))) void log_write(enum severity severity, const char *format, ...);

#endif
