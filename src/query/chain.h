// Where a field's value stands in a segment: a chain of places, of which the first that has a value in
// the row counts. Chains are made once a segment; what they say holds for all its blocks.
#pragma once
#include "query/exec.h"

enum place_kind {
    PLACE_I64, // an i64 column; `type` says what it means
    PLACE_F64,
    PLACE_BOOL,    // u8
    PLACE_WORD,    // u8: table[value] (words of enums, levels, severities)
    PLACE_COUNT,   // u32 as int
    PLACE_PROJECT, // u32: the project's name
    PLACE_TRACE,   // ordinal of a trace id
    PLACE_SPAN,    // u64 span id, 0: missing
    PLACE_ROOT,    // u64 parent id: bool, 0 = true
    PLACE_STR,     // a string column of type `type`; with `empty_missing` "" is no value
    PLACE_PATH,    // `path` into a LIST or MAP column
    PLACE_ENTITY,  // table[ordinal] of COL_RESOURCE or COL_SCOPE (`col`)
    PLACE_CONST,   // table[0]
    PLACE_ID,      // the record's id, see row_id()
    PLACE_TEXT,    // the record's text as one string
    PLACE_PATTERN, // of the text that `child` leads to
    PLACE_DROPPED, // sum of the FIELD columns "dropped_..."
    PLACE_CHILD,   // list of `child` over the events or links (`child_table`) of the row
    PLACE_ISSUE,   // the issue of the group in string column `col`
    PLACE_SINCE,   // in chains of events: their time, later made relative to the span's start
};

struct place {
    uint8_t kind, type;
    uint8_t child_table;
    bool empty_missing, since;
    bool full; // ENTITY: no entry of the table is missing
    uint32_t col;
    const struct qval *table;
    uint32_t table_n;
    const struct query_path_item *path;
    uint32_t path_len;
    struct chain *child;
    struct issue_ordinals *issue_ordinals; // ISSUE
    const uint32_t *cols;                  // DROPPED
    uint32_t cols_n;
};

struct chain {
    struct place *places;
    uint32_t n;
};

// The chain of a plan's reference in the rows of s. A reference to a slot has none. Never NULL on success.
int chain_get(struct exec *x, struct exec_segment *s, const struct query_ref *ref, struct chain **ret);
// The same for a reference that is not the plan's; made anew each time.
int chain_new(struct exec *x, struct exec_segment *s, const struct query_ref *ref, struct chain **ret);
// The places whose strings are the record's text, each on its own (event messages as PLACE_CHILD).
int chain_text(struct exec *x, struct exec_segment *s, struct chain **ret);
// Every string attribute at record, scope and resource level; lists and maps for the strings in them.
int chain_strings(struct exec *x, struct exec_segment *s, struct chain **ret);
// The places of fixed field `field`, for the writer of whole records.
int chain_field(struct exec *x, struct exec_segment *s, enum query_field_id field, struct chain **ret);
// Of events or links (t): the name and every attribute with strings in it.
int chain_child_strings(struct exec *x, struct exec_segment *s, enum segment_table t, struct chain **ret);
