// The plan: a query with every name resolved and every literal read, free of store internals. It is
// what the engine runs, and what a generator for another store would translate. Everything that can
// be known from the text has been checked when there is a plan.
//
// Columns. A row is a record plus slots: columns made by steps (let, bucket, aggregates, select F as
// n). Each made column has a slot of its own for the whole plan (a `let` that replaces a name makes a
// new slot). A reference is resolved at the place where it stands: to a slot, or per kind of record to
// a fixed field, an alias group or an attribute.
#pragma once
#include "query/ast.h"
#include "query/calendar.h"
#include "query/extract.h"
#include "query/fields.h"
#include "query/literal.h"
#include "query/regex.h"
#include "query/text.h"

struct query_zone;

// ---- references
enum query_bind_kind {
    QUERY_BIND_NONE,  // this kind is not in the plan's sources
    QUERY_BIND_FIXED, // field; what is left of the path (from path_from) leads into its value
    QUERY_BIND_ALIAS, // group: first present key; path_from = path_len
    QUERY_BIND_ATTR,  // level; path from path_from is the key
};

enum query_hop { QUERY_HOP_NONE, QUERY_HOP_PARENT, QUERY_HOP_ROOT }; // parent.F, root.F

struct query_binding {
    uint8_t kind;   // enum query_bind_kind
    uint8_t level;  // enum query_attr_level
    uint8_t hop;    // enum query_hop
    uint16_t field; // enum query_field_id
    uint16_t group; // for query_alias_get
    uint16_t path_from;
};

struct query_path_item {
    str name; // one dotted part; "" for an index
    uint32_t index;
    bool is_index;
};

enum { QUERY_NO_SLOT = -1 };

struct query_ref {
    uint32_t index; // in plan->refs
    str name;       // as written, dotted
    str printed;    // first name of its alias group, else name
    int32_t slot;   // column made by a step (then path from path_from_slot leads into it), or QUERY_NO_SLOT
    uint16_t path_from_slot;
    bool or_record; // where the column (of `parse`) has nothing, what is bound below counts
    struct query_binding bind[QUERY_SOURCE_COUNT];
    const struct query_path_item *path;
    uint32_t path_len;
    // The literal key from path_from: parts joined by '.', up to the first index (attributes are
    // looked up by the whole key first, then c in map a.b, then b.c in map a).
    str key[QUERY_SOURCE_COUNT];
    struct query_typeinfo type; // what is known from the text for all sources; QUERY_ANY otherwise
    struct query_pos pos;
};

// ---- filters
enum query_filter_kind {
    QUERY_FILTER_AND, // kids
    QUERY_FILTER_OR,  // kids
    QUERY_FILTER_NOT, // kids[0]; != and !~ are not(=) and not(=~)
    QUERY_FILTER_TRUE,
    QUERY_FILTER_COMPARE, // ref cmp values; with QUERY_EQ any of values
    QUERY_FILTER_REGEX,   // ref =~ regex
    QUERY_FILTER_PHRASE,  // target contains the phrase
    QUERY_FILTER_BYTES,   // target contains exactly these bytes
    QUERY_FILTER_PRESENT, // ref is present
    QUERY_FILTER_CHILD,   // one event or link satisfies kids[0]; its refs are to `event.` or `link.` fields
    QUERY_FILTER_IN,      // the value of ref is one of those that `in` finds
};

enum query_target {
    QUERY_TARGET_TEXT, // the record's text (several strings: each on its own)
    QUERY_TARGET_REF,  // ref
    QUERY_TARGET_ANY,  // text or any string attribute at any level
};

struct value_set;
// field in {query}. Runs before the rows of the plan that it stands in are read.
struct query_in {
    struct query_pos pos;
    const struct query_ast_filter *ast;
    const struct query_ref *ref; // the field left of it
    struct query_plan *plan;     // has one column
    struct value_set *set;       // while it runs (set.h)
};

struct query_filter {
    enum query_filter_kind kind;
    struct query_pos pos;
    struct query_filter **kids;
    uint32_t kid_count;
    bool links; // CHILD: of links, not of events
    // leaves
    uint32_t index; // of the leaf in the plan, 0..plan->leaf_count-1
    enum query_target target;
    const struct query_ref *ref;
    enum query_cmp cmp;
    const struct query_literal *values;
    uint32_t value_count;
    struct query_regex *regex; // owned by the plan
    struct query_phrase phrase;
    str bytes;
    struct query_in *in;
};

// ---- expressions (let)
enum query_fn {
    QUERY_FN_NONE,
#define QUERY_FN(id, name, min, max) QUERY_FN_##id,
#include "query/functions.def"
    QUERY_FN_COUNT
};

struct query_expr {
    enum query_expr_op op; // QUERY_X_NUMBER: lit; DURATION: lit (i for sizes); STRING: lit.text; FIELD: ref; CALL: fn
    struct query_typeinfo type;
    struct query_pos pos;
    const struct query_literal *lit; // constants
    bool truth;
    const struct query_ref *ref;
    enum query_fn fn;
    struct query_regex *regex; // match(): compiled second argument, owned by the plan
    struct query_expr **kids;
    uint32_t kid_count;
};

// ---- aggregates
enum query_agg_fn {
    QUERY_AGG_COUNT, // refs: none or one
    QUERY_AGG_SUM,
    QUERY_AGG_AVG,
    QUERY_AGG_MIN,
    QUERY_AGG_MAX,
    QUERY_AGG_QUANTILE, // q in 0..1
    QUERY_AGG_UNIQ,     // one or more refs
    QUERY_AGG_RATE,     // none or one
    QUERY_AGG_INCREASE,
    QUERY_AGG_FIRST,
    QUERY_AGG_LAST,
    QUERY_AGG_ARGMAX, // refs: value, extreme
    QUERY_AGG_ARGMIN,
    QUERY_AGG_VALUES, // n
    QUERY_AGG_HISTOGRAM,
};

struct query_agg {
    enum query_agg_fn fn;
    struct query_pos pos;
    double q;   // QUANTILE
    uint32_t n; // VALUES: 10 by default
    const struct query_ref **refs;
    uint32_t ref_count;
    struct query_filter *filter; // if (..), or NULL
    int32_t slot;                // where the result goes
    uint32_t index;              // in plan->aggs order, for memory accounting
};

// ---- steps
struct query_select_item {
    const struct query_ref *ref;
    int32_t slot; // the output column
};

struct query_sort_key {
    const struct query_ref *ref;
    bool desc;
};

struct query_let {
    struct query_expr *expr;
    int32_t slot;
};

enum query_bucket_kind {
    QUERY_BUCKET_TIME,     // width ns, aligned to the epoch in UTC
    QUERY_BUCKET_CALENDAR, // unit and count of calendar units in zone
    QUERY_BUCKET_DURATION, // floor(f / width) * width, ns
    QUERY_BUCKET_INT,      // same, integers
    QUERY_BUCKET_DOUBLE,   // same, width_d
    QUERY_BUCKET_ANY,      // f's type is known per row: width and width_d, by the row's type
};

struct query_bucket {
    enum query_bucket_kind kind; // `auto` has been resolved
    bool is_auto;
    int64_t width;
    double width_d;
    enum query_cal_unit unit;
    uint32_t unit_count;
    const struct query_zone *zone; // NULL: UTC
    const struct query_ref *ref;   // what is cut into buckets: `time` unless `of`
    int32_t slot;
};

struct query_step {
    enum query_step_kind kind;
    struct query_pos pos;
    str name; // of the step, for messages
    // where
    struct query_filter *filter;
    // let
    struct query_let *lets;
    uint32_t let_count;
    // select; none when `select *`
    bool star;
    struct query_select_item *items;
    uint32_t item_count;
    // sort; with sort_limit > 0 only so many first rows are needed (a `limit n` follows at once)
    struct query_sort_key *keys;
    uint32_t key_count;
    uint64_t sort_limit;
    // limit, top
    uint64_t n;
    // limit by; stats by; top: the key fields
    const struct query_ref **by;
    uint32_t by_count;
    int32_t *by_slots; // stats, top: the output column of each key
    // stats; top: one aggregate
    struct query_agg *aggs;
    uint32_t agg_count;
    int32_t share_slot; // top
    // bucket
    struct query_bucket bucket;
    // traces: `by` is the one ref `trace`; output columns in the order trace time duration service name spans errors services
    // matched complete
    int32_t trace_slots[10];
    // facets, differ: `by` is what is counted; with `records` every field of the records too
    bool records;
    // fill: the step before it, the bucket among its keys, and what absent aggregates become (NULL: by their kind)
    const struct query_step *fill_stats;
    const struct query_bucket *fill_bucket;
    uint32_t fill_key;
    struct query_literal *fill_value;
    // patterns: `by` is pattern level service time id, NULL where there is no such column
    // patterns: pattern count share first last level services example; facets: field value count share; differ: field value in out score from to
    int32_t out_slots[8];
    // extract, parse: the text; extract: its pattern or a regular expression, and where places or groups go
    // (QUERY_NO_SLOT: nowhere)
    const struct query_ref *from;
    struct extract_pattern pattern;
    struct query_regex *regex;
    int32_t *place_slots;
    uint32_t place_count;
    // parse: the map of fields, and the one of an earlier `parse` (or QUERY_NO_SLOT), whose fields it keeps
    bool is_logfmt;
    int32_t fields_slot, fields_before;
    // context: n around each row; by, by_count: fields that make a stream, none: the resource
    int32_t match_slot;
};

enum { QUERY_TRACES_COLUMNS = 10, QUERY_DIFFER_COLUMNS = 7, QUERY_PATTERNS_COLUMNS = 8 };

// A column made by a step.
struct query_column {
    str name;
    struct query_typeinfo type;
    uint32_t step; // index of the step that makes it
};

struct query_hint {
    struct query_pos pos;
    str text;
};

// Does the step make rows of its own out of all that it is given? They have no place in the order of records.
static inline bool query_step_groups(enum query_step_kind k)
{
    return k == QUERY_STATS || k == QUERY_TOP || k == QUERY_FACETS || k == QUERY_DIFFER || k == QUERY_PATTERNS;
}

enum { QUERY_DEFAULT_LIMIT = 1000, CONTEXT_BY_MAX = 16 };
enum { QUERY_PLAN_MAGIC = 0x51504c4e };

struct query_plan {
    uint32_t magic;
    str text;
    uint16_t sources;            // QS_ bits, only kinds that exist and that the caller may read
    struct query_filter *filter; // of the source; NULL: everything
    struct query_step *steps;
    uint32_t step_count;

    // Half-open range on `time`, ns; INT64_MIN / INT64_MAX: open on that side. With range_all no range applies
    // (everything stored).
    bool range_all;
    int64_t from, to;
    int64_t now_ns;
    const struct query_zone *zone; // the query's zone; NULL: UTC

    // Everything that any step reads, once each.
    struct query_ref **refs;
    uint32_t ref_count;
    struct query_column *columns; // slots
    uint32_t slot_count;
    uint32_t leaf_count, agg_count;

    // What comes out: records (with the columns `out` added: let, bucket) or only the columns `out`.
    bool out_records;
    int32_t *out;
    uint32_t out_count;
    int32_t out_fields; // map of `parse`, whose entries are columns too; QUERY_NO_SLOT: none
    // Records stop at this many rows without a `limit` (then _stats.more); 0: no such stop.
    uint64_t default_limit;
    // Index of the first step that needs all rows before it can answer (sort, stats, top, traces), or step_count.
    uint32_t first_blocking;

    bool values_read;   // captured values are named: who reads them is worth a note
    bool values_hidden; // the caller lacks `values`: what it guards is left out of the rows
    struct query_hint *hints;
    uint32_t hint_count;
    str canonical; // the query as understood

    struct query_in **ins; // all inner queries, in the order of the text
    uint32_t in_count;

    struct query_regex **regexes; // all compiled ones
    uint32_t regex_count;
};

// Names that exist in the data, for suggestions and hints. May be NULL.
struct query_catalogue {
    void *ctx;
    // Does any record of the range have this attribute (at any level)?
    bool (*has)(void *ctx, str key);
    // The i-th attribute name, false after the last; at most 10,000 are looked at.
    bool (*at)(void *ctx, uint32_t i, str *ret_key);
};

struct query_options {
    int64_t now_ns;
    const struct query_zone *zone; // the query's time zone; NULL: UTC
    bool has_from, has_to;         // the caller's range; a side left open is filled (from: to - 1 h, to: now)
    int64_t from, to;
    uint16_t sources;                        // kinds the caller may read; 0: all
    bool may_values;                         // has the permission `values`
    bool live;                               // live tail: only where, let, select, extract, parse
    uint8_t level;                           // constructs up to this level answer; 0: QUERY_LEVEL_BUILT
    const struct query_catalogue *catalogue; // NULL: no hints about names now (query_plan_unknown_names later)
};

enum { QUERY_LEVEL_BUILT = 2 };

// Resolves and checks. The plan lives in the arena but owns compiled regexes: query_plan_free.
int query_plan_build(struct arena *arena, const struct query_ast *ast, const struct query_options *opt,
                     struct query_plan **ret_plan, struct query_error *err);
// Parse and plan in one.
int query_compile(struct arena *arena, str text, const struct query_options *opt, struct query_plan **ret_plan,
                  struct query_error *err);
void query_plan_free(struct query_plan *plan); // NULL is fine

// After a run without matches: hints about attribute names that are in no record of the range, with
// the nearest name that is. Writes at most max hints into the arena; returns their number.
uint32_t query_plan_unknown_names(struct arena *arena, const struct query_plan *plan, const struct query_catalogue *cat,
                                  struct query_hint *ret_hints, uint32_t max);

str query_fn_name(enum query_fn fn);
