// Sentry's event payload (errors, messages, transactions) as one structure, whatever shape the SDK gave it:
// lists as arrays or {"values": [...]}, tags as maps or pairs, times as numbers or ISO text, messages under three names.
// Nothing is copied: views into the tree.
#pragma once
#include "base/json_tree.h"

enum {
    SENTRY_EVENT_DEPTH = 64,
    SENTRY_EXCEPTIONS_MAX = 64,
    SENTRY_FRAMES_MAX = 1000, // of one stack: the outermost and the innermost are kept
};

// Lines of a frame's file that were found beside the event: the first one's number, and they.
struct sentry_lines {
    int64_t first;
    const str *lines;
    uint32_t n;
};

// A file of a repository.
struct sentry_code {
    str repository, branch, path; // "acme/shop", "main", "src/cart.js"
};

struct sentry_frame {
    str function, raw_function, module, filename, abs_path, package, context_line;
    int64_t line, column; // 0: not said
    int8_t in_app;        // -1: not said
    const struct json_node *node;
    // Of symbolication (symbols/symbols.h): the frame as it was sent, when it reads otherwise now; why it does not.
    const struct sentry_frame *raw;
    str missing;
    const struct sentry_lines *source; // NULL: what was sent is all that there is
    // Of the project's code mappings: where its file may stand, the likeliest first.
    const struct sentry_code *code;
    uint32_t code_n;
};

struct sentry_stack {
    struct sentry_frame *frames; // outermost call first, as sent
    uint32_t n;
    uint32_t cut; // frames in the middle that were left out
};

struct sentry_exception {
    str type, value, module, mechanism;
    int8_t handled; // -1: not said
    bool synthetic; // the SDK made the type up ("the type says nothing")
    struct sentry_stack stack;
    const struct json_node *node;
};

struct sentry_event {
    const struct json_node *node; // the whole
    bool transaction;             // a trace's segment; else an error or message
    str id;                       // as sent; empty when not there
    str platform, logger, name, culprit, release, dist, environment, server_name, service, replay;
    str sdk_name, sdk_version;
    uint8_t severity;                          // OTel severity number
    int64_t time, start;                       // ns Unix; 0: not said
    str message, message_template;             // formatted; with its placeholders (empty when there is none)
    const struct sentry_exception *exceptions; // root cause first
    uint32_t exceptions_n;
    struct sentry_stack stack;     // of the event itself, or of the thread that crashed (else the current one)
    const struct json_node *trace; // contexts.trace
    const struct json_node *tags, *contexts, *extra, *user, *request, *fingerprint; // NULL: none
    int8_t handled; // of all exceptions: 0 when one was not; -1: not said
};

// root must be an object (ERR_MALFORMED). ERR_NOMEM.
int sentry_event_read(const struct json_node *root, struct arena *arena, struct sentry_event *ret_event,
                      struct err *err);

// The exception that names the event: the outermost one; NULL when there is none.
const struct sentry_exception *sentry_event_main(const struct sentry_event *e);
// The stack that tells where it happened: of the main exception, else of the event. May be empty.
const struct sentry_stack *sentry_event_stack(const struct sentry_event *e);
// Innermost frame of the application (else innermost); NULL when there are none.
const struct sentry_frame *sentry_stack_top(const struct sentry_stack *s);

// What all readers of Sentry's JSON share.
// Elements of an array, of {"values": [...]}, or of a single object; NULL and 0 when there are none.
const struct json_node *sentry_list(const struct json_node *node, uint32_t *ret_n);
// {"frames": [...]} of an exception, a thread or the event; empty when there is none. ERR_NOMEM.
int sentry_stack_read(const struct json_node *stacktrace, struct arena *arena, struct sentry_stack *ret_stack);
// Seconds as a number (or as text), or an ISO time; false: neither, or out of range.
bool sentry_time(const struct json_node *node, int64_t *ret_ns);
// "fatal", "error", "warning", "info", "debug", "log" ... -> OTel severity number; otherwise: `otherwise`.
uint8_t sentry_level(str level, uint8_t otherwise);
// The other way: "fatal", "error", "warning", "info", "debug".
str sentry_level_word(int64_t severity);
// The value of a tag, from a map or pairs.
str sentry_tag(const struct json_node *tags, str name);
// 32 hex digits of either case, with or without dashes.
bool sentry_id(str text, uint8_t ret_id[16]);
