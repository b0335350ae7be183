// Sentry's items as records. Field and attribute names are those of the query language; what has none
// keeps the name that it has in Sentry's own searches (tags by their name, `contexts.NAME`, `extra.NAME`).
//
// Resource of all of them: service.name (tag or attribute `service`, else the project), service.version (of
// the release: behind the first @, before a +), release, environment, server_name, telemetry.sdk.language.
// Scope: the SDK's name and version.
//
// Errors and messages become records of the source `events`, with these FIELD attributes:
//
// | name                     | type          | when present                                                      |
// |--------------------------|---------------|-------------------------------------------------------------------|
// | event_id                 | str           | always: 32 hex digits                                             |
// | title                    | str           | always: "TYPE: first line of the value", else of the message      |
// | type, message            | str           | of the outermost exception; message also of messages              |
// | culprit                  | str           | the transaction, else "MODULE in FUNCTION" of the top frame       |
// | handled                  | bool          | an exception says so (false: one of them was not)                 |
// | platform, transaction, mechanism, sdk.name | str | sent                                                        |
// | replay                   | bytes (16)    | the event belongs to a replay                                     |
// | group                    | str           | the caller's: hash of what it is grouped by, 32 hex digits        |
// | groups                   | list of str   | all hashes (grouping/grouping.h), when there are more             |
// | stack.function, stack.file, stack.module | list of str | there are frames; innermost first                       |
// | stack.line               | list of int   |                                                                   |
// | stack.in_app             | list of bool  |                                                                   |
// | vars                     | map           | locals of the top frame                                           |
// | scrubbed                 | list of str   | paths of what was removed (sentry_scrub.h)                        |
// | scrubbed.rule            | list of str   | the project's rules (filters/scrub_rules.h) that removed the first of them |
// | payload                  | bytes         | the whole event as JSON (sentry_payload.h)                        |
//
// Transactions become spans: the segment, and each of its spans. So do the items of `span` containers (version 2); those of
// `log` become logs, those of `trace_metric` metrics (a counter a delta sum, a distribution's samples gauges).
#pragma once
#include "wire/record.h"
#include "wire/sentry_event.h"

// What the envelope and the connection know.
struct sentry_source {
    str service;         // of events that do not say: the project
    str peer;            // address, for user.ip_address "{{auto}}"; empty: unknown
    str event_id;        // 32 hex digits: for events without one
    int64_t received_ns; // ns Unix
    bool transaction;    // the item's header says that the event is one: not every SDK says it in the event, too
    int64_t shift_ns;    // added to all times: the sender's clock is so much behind
    const struct json_node *trace; // the envelope's trace context; NULL: none
    const struct json_node *sdk;   // the envelope's: name and version, for items that do not say; NULL: none
};

struct sentry_counts {
    uint32_t records; // given to the sink
    uint32_t dropped; // attributes beyond the limits, spans without ids
};

enum {
    SENTRY_ATTRS_MAX = 512, // of one record
    SENTRY_VALUE_MAX = 64 << 10,
    SENTRY_SPANS_MAX = 10000, // of one transaction or container
};

// What goes with an event beside its own words; all may be empty.
struct sentry_extras {
    const str *groups; // hashes; the first is the group
    uint32_t groups_n;
    str title; // instead of the event's own
    bytes payload;
    const str *scrubbed; // paths
    uint32_t scrubbed_n;
    const str *scrub_rules; // of the first of them
    uint32_t scrub_rules_n;
};
// ERR_NOMEM, or what the sink returned.
int sentry_error_record(const struct sentry_event *e, const struct sentry_source *from,
                        const struct sentry_extras *extras, struct arena *arena, const struct record_sink *sink,
                        struct sentry_counts *counts);
int sentry_transaction_records(const struct sentry_event *e, const struct sentry_source *from, struct arena *arena,
                               const struct record_sink *sink, struct sentry_counts *counts);

// One container item, {"items": [...]}: type is "span", "log" or "trace_metric" (ERR_UNSUPPORTED: another).
// ERR_MALFORMED (it is no such container), ERR_NOMEM, or what the sink returned. Items without what makes them one are
// dropped and counted.
int sentry_container_records(str type, const struct json_node *container, const struct sentry_source *from,
                             struct arena *arena, const struct record_sink *sink, struct sentry_counts *counts);

// How much a sender's clock is behind ours; 0 when that may be latency. sent_at: ISO time, or empty.
int64_t sentry_clock_shift(str sent_at, int64_t received_ns);
// "shop@1.4.2+77" -> "1.4.2"; a release without an @ is its version.
str sentry_release_version(str release);
// The title of an event, into the arena; ptr is NULL when memory is out.
str sentry_event_title(const struct sentry_event *e, struct arena *arena);
