// Steps at work: each takes batches, changes or keeps them, and hands on to the next; the last one is the
// output. Rows come in the order of the result unless everything up to the next step that needs all rows
// (stats, top, sort, traces) does not care.
#pragma once
#include "query/agg.h"
#include "query/vbatch.h"

enum op_kind {
    OP_WHERE,
    OP_LET,
    OP_BUCKET,
    OP_SELECT,
    OP_EXTRACT,
    OP_PARSE,
    OP_LIMIT,
    OP_LIMIT_BY,
    OP_SORT,
    OP_STATS,
    OP_TRACES,
    OP_FACETS,
    OP_PATTERNS,
    OP_FILL,
    OP_DIFFER,
    OP_CONTEXT,
    OP_SET,
    OP_OUTPUT
};

struct op_sort;
struct op_stats;
struct op_traces;
struct op_facets;
struct op_patterns;
struct op_fill;
struct op_differ;
struct tally;
struct tally_field;
struct op_context;
struct op_output;

struct op {
    struct exec *x;
    enum op_kind kind;
    const struct query_step *step; // NULL: output
    uint32_t step_index;
    struct op *chain; // the first one
    struct op *next;
    bool done;               // takes no more rows
    uint64_t left;           // LIMIT
    struct intern_field *by; // LIMIT_BY: a field each
    struct intern_tuples tuples;
    uint32_t *seen, seen_cap; // rows of each tuple so far
    union {
        struct op_sort *sort;
        struct op_stats *stats;
        struct op_traces *traces;
        struct op_facets *facets;
        struct op_patterns *patterns;
        struct op_fill *fill;
        struct op_differ *differ;
        struct op_context *context;
        struct op_output *output;
        void *state;
    };
};

// The chain for the plan's steps from `first` on, with the output at its end.
int op_chain(struct exec *x, uint32_t first, struct op **ret);
void op_chain_free(struct op *op);
int op_push(struct op *op, struct vbatch *b);
// No more rows: steps that waited for all of them answer now.
int op_finish(struct op *op);
// Some step takes no more rows, so that whoever makes them can stop.
bool op_done(const struct op *op);
// The rows before the first answer may come in any order.
bool op_any_order(const struct op *op);
// How many rows the chain can take at most before any step drops some; UINT64_MAX: not known.
uint64_t op_wanted(const struct op *op);

// The next steps' share of a step that has all its rows: calls fill for batches of at most VBATCH_ROWS_MAX rows.
int op_emit(struct op *op, uint64_t rows, int (*fill)(struct op *op, struct vbatch *b, uint64_t from),
            enum vbatch_kind kind);

// One step that makes columns of each row by itself (let, bucket, extract, parse); others do nothing.
int op_make_columns(struct op *op, struct vbatch *b);

int op_limit_by_push(struct op *op, struct vbatch *b);
int op_extract_push(struct op *op, struct vbatch *b);
int op_parse_push(struct op *op, struct vbatch *b);

int op_sort_new(struct op *op);
int op_sort_push(struct op *op, struct vbatch *b);
int op_sort_finish(struct op *op);
void op_sort_free(struct op *op);

int op_stats_new(struct op *op);
int op_stats_push(struct op *op, struct vbatch *b);
int op_stats_finish(struct op *op);
void op_stats_free(struct op *op);

int op_traces_new(struct op *op);
int op_traces_push(struct op *op, struct vbatch *b);
int op_traces_finish(struct op *op);
void op_traces_free(struct op *op);

int op_fill_new(struct op *op);
int op_fill_push(struct op *op, struct vbatch *b);
int op_fill_finish(struct op *op);
void op_fill_free(struct op *op);

int op_patterns_new(struct op *op);
int op_patterns_push(struct op *op, struct vbatch *b);
int op_patterns_finish(struct op *op);
void op_patterns_free(struct op *op);

int op_facets_new(struct op *op);
int op_facets_push(struct op *op, struct vbatch *b);
int op_facets_finish(struct op *op);
void op_facets_free(struct op *op);

int op_differ_new(struct op *op);
int op_differ_push(struct op *op, struct vbatch *b);
int op_differ_finish(struct op *op);
void op_differ_free(struct op *op);

// The fields that the step names, or columns of steps before it, as the first ones of the tally.
int op_tally_fields(struct op *op, struct tally *t, uint32_t max);
// Says that n fields are left out and why, and names some of them.
int op_tally_hint(struct exec *x, const struct tally *t, uint32_t n, bool (*is)(const struct tally_field *f),
                  const char *why);
// What of all fields was not counted.
int op_tally_beyond(struct exec *x, const struct tally *t);
int op_context_new(struct op *op);
int op_context_push(struct op *op, struct vbatch *b);
int op_context_finish(struct op *op);
void op_context_free(struct op *op);

int op_output_new(struct op *op);
int op_output_push(struct op *op, struct vbatch *b);
int op_output_finish(struct op *op);
void op_output_free(struct op *op);

// The rows of b that are still in, as indexes in scratch.
int op_indexes(struct vbatch *b, const uint64_t *sel, uint32_t **ret_index, uint32_t *ret_n);
