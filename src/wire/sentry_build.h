// A record under construction: for the files of this room that make records of Sentry's JSON.
#pragma once
#include "wire/sentry.h"

struct sentry_build {
    struct arena *arena;
    const struct sentry_source *from;
    const struct record_sink *sink;
    struct sentry_counts *counts;
    struct record record;
    struct attr attrs[SENTRY_ATTRS_MAX];
    uint32_t attrs_n;
    struct buf enc; // nested values under construction
    int error;      // sticks: ERR_NOMEM
};

void sentry_build_init(struct sentry_build *b, struct arena *arena, const struct sentry_source *from,
                       const struct record_sink *sink, struct sentry_counts *counts);
void sentry_build_free(struct sentry_build *b);
// Empties the record.
void sentry_build_record(struct sentry_build *b, enum record_source source);
// Gives it to the sink.
int sentry_build_end(struct sentry_build *b);

// Attributes. The first of two with one name stays; too many, too large: left out and counted. Empty texts are absent.
void sentry_put(struct sentry_build *b, enum attr_level level, str key, struct value v);
void sentry_put_text(struct sentry_build *b, enum attr_level level, str key, str text);
// Any JSON value; null and NULL are absent.
void sentry_put_node(struct sentry_build *b, enum attr_level level, str key, const struct json_node *node);
// Each member as an attribute PREFIX.NAME (prefix empty: NAME).
void sentry_put_members(struct sentry_build *b, str prefix, const struct json_node *object);
// As a value; nested ones in the arena. False: memory is out.
bool sentry_value(struct sentry_build *b, const struct json_node *node, struct value *ret_v);

// Who sent it: becomes resource and scope. Empty: not said.
struct sentry_sender {
    str service, release, environment, server_name, platform, sdk_name, sdk_version;
};
struct sentry_sender sentry_sender_of(const struct sentry_event *e);
int sentry_put_section(struct sentry_build *b, const struct sentry_sender *sender);
// Span kind of an operation ("http.server", "db.sql.query").
uint8_t sentry_span_kind(str op);
// What errors and transactions have alike: user, request, tags, contexts, extra.
void sentry_put_common(struct sentry_build *b, const struct sentry_event *e);
// Corrects a time for the sender's clock; false: it is out of range then.
bool sentry_shifted(const struct sentry_build *b, int64_t time, int64_t *ret_time);
// trace_id, span_id, parent_span_id of an object; false: no valid trace id.
bool sentry_put_trace(struct sentry_build *b, const struct json_node *ids);
