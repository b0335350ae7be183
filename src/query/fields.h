// What the query language knows without looking at data: the kinds of records, the types, the fixed
// fields of each kind (fields.def) and the groups of names that mean the same (aliases.def).
// Everything here is constant data; all lookups are pure.
#pragma once
#include "base/bytes.h"

// Kinds of records. The numbers are an index, not stored anywhere.
enum query_source {
    QUERY_SPANS,
    QUERY_LOGS,
    QUERY_METRICS,
    QUERY_EVENTS,
    QUERY_CHECKS,
    QUERY_ISSUES,
    QUERY_SNAPSHOTS,
    QUERY_PROFILES,
    QUERY_SESSIONS,
    QUERY_SOURCE_COUNT
};

enum {
    QS_SPANS = 1 << QUERY_SPANS,
    QS_LOGS = 1 << QUERY_LOGS,
    QS_METRICS = 1 << QUERY_METRICS,
    QS_EVENTS = 1 << QUERY_EVENTS,
    QS_CHECKS = 1 << QUERY_CHECKS,
    QS_ISSUES = 1 << QUERY_ISSUES,
    QS_SNAPSHOTS = 1 << QUERY_SNAPSHOTS,
    QS_PROFILES = 1 << QUERY_PROFILES,
    QS_SESSIONS = 1 << QUERY_SESSIONS,
    QS_ALL = (1 << QUERY_SOURCE_COUNT) - 1,
};

enum query_type {
    QUERY_ANY, // known only per row: attributes, log bodies, expressions over them
    QUERY_BOOL,
    QUERY_INT,
    QUERY_DOUBLE,
    QUERY_NUMBER, // int or double, per row (a metric's value)
    QUERY_STRING,
    QUERY_BYTES,
    QUERY_TIME,     // int64 Unix ns
    QUERY_DURATION, // int64 ns
    QUERY_ID,       // trace, span: compared as hex
    QUERY_ENUM,     // one of `words`
    QUERY_LEVEL,    // severity number 1..24, named by words
    QUERY_LIST,
    QUERY_MAP,
};

struct query_word {
    str word;
    int32_t value; // OTLP's number where OTLP has one
};

struct query_words {
    const struct query_word *words;
    uint32_t count;
};

// A static type. For `list`, `type` is that of the elements (QUERY_ANY when mixed).
struct query_typeinfo {
    enum query_type type;
    bool list;
    const struct query_words *words; // QUERY_ENUM, else NULL
};

enum query_field_id {
    QUERY_FIELD_NONE,
#define FIELD_ID(id, name) QUERY_F_##id,
#include "query/fields.def"
    QUERY_FIELD_COUNT
};

enum {
    QUERY_FF_VALUES = 1, // naming it needs the permission `values`
    QUERY_FF_OPEN = 2,   // may be followed by a path (body.user.id, body[0])
};

struct query_field_info {
    enum query_field_id id;
    uint16_t sources; // kinds that this row describes
    struct query_typeinfo type;
    uint8_t level; // of the language, 1..3: when it is due
    uint8_t flags;
};

str query_source_name(enum query_source s);
// Index of the kind, or -1.
int query_source_find(str name);
// When the kind is due: 1..3.
int query_source_level(enum query_source s);
str query_field_name(enum query_field_id id);
str query_type_name(enum query_type t);

// The fixed field `name` (whole dotted name) of kind s, or NULL. Names of an alias group that
// belongs to a fixed field ("service.name", "trace_id") find that field too.
const struct query_field_info *query_field_find(enum query_source s, str name);
const struct query_field_info *query_field_get(enum query_source s, enum query_field_id id);
// Fixed fields of kind s in the order of printing; i from 0, NULL after the last.
const struct query_field_info *query_field_at(enum query_source s, uint32_t i);

// The word of an enum by text (ASCII case as written), or NULL.
const struct query_word *query_word_find(const struct query_words *w, str word);
// NULL when no word has this value.
const struct query_word *query_word_by_value(const struct query_words *w, int32_t value);

// ---- levels of severity
// "warn", "warning" -> 13..16. False when it is no level.
bool query_level_range(str word, int *ret_lo, int *ret_hi);
// 13..16 -> "warn"; empty for 0 and beyond 24.
str query_level_word(int severity);

// ---- where attributes live
enum query_attr_level {
    QUERY_AT_ANY,    // record, then scope, then resource: first present wins
    QUERY_AT_RECORD, // attr.
    QUERY_AT_SCOPE,
    QUERY_AT_RESOURCE,
    QUERY_AT_EVENT, // span events: any child
    QUERY_AT_LINK,
    QUERY_AT_VARS,  // snapshots and events: vars.*
    QUERY_AT_FRAME, // snapshots: frame[n].*; the path begins with the index
    QUERY_AT_EXPR,  // snapshots: expr.*
};

// ---- one meaning, many names
struct query_alias_key {
    str key;       // attribute key as received
    uint8_t level; // enum query_attr_level
    bool is_name;  // the key, written in a query, means the group
};

struct query_alias_group {
    str name;                           // the first name: what is printed
    enum query_field_id field;          // fixed field that the group feeds, or QUERY_FIELD_NONE
    uint16_t sources;                   // kinds for which the names hold
    const struct query_alias_key *keys; // order of reading: first present value wins
    uint32_t key_count;
};

uint32_t query_alias_count(void);
const struct query_alias_group *query_alias_get(uint32_t group);
// Group for which `name` is a name in kind s, or -1.
int query_alias_find(enum query_source s, str name);
// Group that feeds fixed field id in kind s (service <- service.name, service), or -1.
int query_alias_of_field(enum query_source s, enum query_field_id id);
