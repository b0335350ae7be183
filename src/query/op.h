// Steps at work: each takes batches, changes or keeps them, and hands on to the next; the last one is the
// output. Rows come in the order of the result unless everything up to the next step that needs all rows
// (stats, top, sort, traces) does not care.
#pragma once
#include "query/agg.h"
#include "query/vbatch.h"

enum op_kind { OP_WHERE, OP_LET, OP_BUCKET, OP_SELECT, OP_LIMIT, OP_LIMIT_BY, OP_SORT, OP_STATS, OP_TRACES, OP_OUTPUT };

struct op_sort;
struct op_stats;
struct op_traces;
struct op_output;

struct op {
    struct exec *x;
    enum op_kind kind;
    const struct query_step *step; // NULL: output
    uint32_t step_index;
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

int op_limit_by_push(struct op *op, struct vbatch *b);

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

int op_output_new(struct op *op);
int op_output_push(struct op *op, struct vbatch *b);
int op_output_finish(struct op *op);
void op_output_free(struct op *op);

// The rows of b that are still in, as indexes in scratch.
int op_indexes(struct vbatch *b, const uint64_t *sel, uint32_t **ret_index, uint32_t *ret_n);
