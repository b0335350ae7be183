// Error events as people read them: one is found by its id or by where it stands in its issue, and its stored JSON, whatever
// shape the SDK gave it, is written in one shape. What comes from outside is bounded in every list and never trusted.
#pragma once
#include "base/json.h"
#include "query/issues.h"
#include "query/run.h"

struct grouping_rules;
struct sentry_event;
struct symbols;

// What is stored of one event.
struct event {
    uint32_t project;
    int64_t time, received; // ns Unix
    uint8_t severity;
    int8_t handled;    // -1: not said
    uint8_t trace[16]; // zeros: none
    uint64_t span;     // 0: none
    str id;            // 32 hex digits
    str group, title, type, message, culprit, platform, transaction, mechanism;
    str user_address; // what "{{auto}}" was found to be
    bytes replay;
    struct value scrubbed, scrub_rules; // lists of paths, and of the rules that removed the first of them
    const struct record_entity *resource;
    str json; // the whole, as it was sent but for what was scrubbed
};

// What whoever counts events knows of an issue, so that a page about one of them need not read all.
struct event_counted {
    uint64_t total;      // ever
    int64_t first, last; // ns Unix
    int64_t edge;        // the first moment after `time` from which it can tell how many there were
    uint64_t later;      // since then
};
struct event_counts {
    void *ctx;
    // ERR_NOENT.
    int (*of)(void *ctx, int64_t issue, int64_t time, struct event_counted *ret_counted);
};

struct event_request {
    struct view *view;
    const struct query_request *who;   // projects, cancelled
    struct arena *arena;               // what is found lives in it
    const struct event_counts *counts; // NULL: nobody counts, all that are stored are read
};

// 32 hex digits of either case, dashes ignored, as they are stored. False: it is no event id.
bool event_id_parse(str text, char ret_hex[33]);
// The newest event with this id in a project that the caller may read; hint: about when it happened (0: not known), where it
// is looked for first. ERR_NOENT.
int event_find(const struct event_request *q, str id, int64_t hint, struct event *ret_event, struct err *err);

// Where an event stands among the events of its issue: by time, then by id. With request.counts `of` is what was ever
// counted, so that the oldest that is still stored need not be the first.
struct event_place {
    uint64_t index, of; // index from 1
    str previous, next; // ids; empty: none
};
int event_place(const struct event_request *q, int64_t issue, const struct event *e, struct event_place *ret_place,
                struct query_error *err);
enum event_which { EVENT_LATEST, EVENT_OLDEST, EVENT_RECOMMENDED };
// The id and time of that event of an issue. Recommended: of the newest the one that says most (a trace, a user, a replay, a
// stack). ERR_NOENT.
int event_pick(const struct event_request *q, int64_t issue, enum event_which which, str *ret_id, int64_t *ret_time,
               struct query_error *err);

enum {
    EVENT_FRAMES_MAX = 250,      // of one stack that are written: the outermost and the innermost
    EVENT_CONTEXT_MAX = 21,      // source lines of a frame
    EVENT_LINE_MAX = 2048,       // bytes of one
    EVENT_VARS_MAX = 100,        // of a frame
    EVENT_BREADCRUMBS_MAX = 200, // the newest
    EVENT_THREADS_MAX = 200,
    EVENT_FRAME_KEYS_MAX = 64,
    EVENT_TAGS_MAX = 500,
    EVENT_MEMBERS_MAX = 1000,  // of contexts, extra, modules, user, request
    EVENT_TEXT_MAX = 64 << 10, // bytes of a value or message
};

struct event_writing {
    bool values;             // local variables may be seen
    struct symbols *symbols; // frames of generated code are made readable; NULL: they stay as they are
    // Finds source lines of frames that came without any (their `source`); NULL: nobody does.
    int (*source)(void *ctx, uint32_t project, const struct sentry_event *e, str release, struct arena *arena);
    void *source_ctx;
    const struct grouping_rules
        *grouping; // which frames are the application's, and why it is grouped so; NULL: not said
};
// Does a frame of the event hold local variables? False also when what is stored is no event.
bool event_has_vars(const struct event *e, struct arena *arena);
// The members of the event's JSON object that come of its stored form; the caller has opened the object and adds its own.
// arena: for the tree. ERR_MALFORMED: what is stored is no event; ERR_NOMEM.
int event_put(struct json_writer *w, const struct event *e, const struct event_writing *how, struct arena *arena,
              struct err *err);
// What tells the frames of its stack apart, innermost first: a hash of module (else file) and function; those of the
// application, when there are any. At most EVENT_FRAME_KEYS_MAX; 0 when it has no stack.
int event_frame_keys(const struct event *e, const struct event_writing *how, struct arena *arena, uint64_t **ret_keys,
                     uint32_t *ret_n, struct err *err);
// The stored JSON; without `values` no local variables.
int event_put_json(struct json_writer *w, const struct event *e, bool values, struct arena *arena, struct err *err);
