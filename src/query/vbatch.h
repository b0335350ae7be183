// Rows on their way through the steps: records of one block, records by reference in any order, or rows
// that only consist of columns made by steps. What a field holds is computed when asked for.
#pragma once
#include "query/leaf.h"

enum vbatch_kind {
    VBATCH_BLOCK, // rows 0..n of the current block of seg
    VBATCH_REFS,  // records refs[i]
    VBATCH_ROWS,  // no records behind
};

enum { VBATCH_ROWS_MAX = BLOCK_ROWS };

struct row_ref {
    uint32_t seg, row; // exec.segs, row number in TABLE_ROWS
};

// The order of records: newest first, then source, resource, arrival. Numbered rows have their own.
struct row_order {
    int64_t time;
    uint64_t resource; // hash
    int64_t received;
    struct row_ref ref;
};

struct vbatch {
    struct exec *x;
    enum vbatch_kind kind;
    uint32_t n;
    uint64_t *sel;                 // the rows that are still in, bitmap of n bits; steps clear bits in place
    struct exec_segment *seg;      // BLOCK
    const struct row_ref *refs;    // REFS
    struct cvec *slots;            // by slot; CVEC_NONE when not made (yet)
    struct cvec **fields;          // by plan ref, once computed
    uint32_t *shape_rows, *shapes; // BLOCK: rows of each shape in `sel`, and which there are; NULL: not counted yet
    uint32_t shapes_n;
    bool ordered;                   // rows come in the order of the result; else by row_order
    uint64_t number;                // ordered: of row 0
    const struct row_order *orders; // of refs that come straight from the scan, else NULL
    const uint32_t *ties;           // with orders: how many rows of equal order (but for the row) came before
};

// Arrays for slots and fields in scratch, everything else zero.
int vbatch_init(struct vbatch *b, struct exec *x, enum vbatch_kind kind, uint32_t n);
// What a reference of the plan holds in the rows of the batch.
int vbatch_field(struct vbatch *b, const struct query_ref *ref, struct cvec *ret);
// What a fixed field of the records holds; CVEC_NONE in rows that are no records.
int vbatch_fixed(struct vbatch *b, enum query_field_id field, struct cvec *ret);
// In how many rows of sel the reference has a value; where shapes tell, no value is read.
int vbatch_count(struct vbatch *b, const struct query_ref *ref, uint64_t *ret);
// Which rows of `in` satisfy the filter; ret_out is in scratch.
int vbatch_filter(struct vbatch *b, const struct query_filter *f, const uint64_t *in, uint64_t **ret_out);
// The place of row i in the order before any step changed it.
int vbatch_order(struct vbatch *b, uint32_t i, struct row_order *ret);
static inline struct row_ref vbatch_ref(const struct vbatch *b, uint32_t i)
{
    if (b->kind == VBATCH_REFS)
        return b->refs[i];
    if (b->kind == VBATCH_BLOCK)
        return (struct row_ref){ b->seg->index, b->seg->block[TABLE_ROWS] * BLOCK_ROWS + i };
    return (struct row_ref){ UINT32_MAX, UINT32_MAX };
}
// -1: a comes first.
int row_order_compare(const struct exec *x, const struct row_order *a, const struct row_order *b);

// Calls fn for each block that rows of a VBATCH_REFS batch are in, with that block current: at[k] is the index in
// the block of the batch's row index[k], k < n. Scratch is kept. Strings of the block live until fn returns.
int vbatch_by_block(struct vbatch *b, const uint64_t *in,
                    int (*fn)(void *ctx, struct exec_segment *s, const uint32_t *index, const uint32_t *at, uint32_t n),
                    void *ctx);
