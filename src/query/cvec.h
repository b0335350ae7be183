// A field's values in the rows of one block: typed arrays where the segment has them, a value a row
// where it must be. Everything points into the block or into scratch: valid until the next batch.
#pragma once
#include "query/chain.h"

enum cvec_kind {
    CVEC_NONE,  // missing in every row
    CVEC_CONST, // table[0] in every row
    CVEC_I64,   // i64 of `type`
    CVEC_F64,   //
    CVEC_BOOL,  // u8
    CVEC_U32,   // u32 as int
    CVEC_WORD,  // table[u8]
    CVEC_TABLE, // table[u32]
    CVEC_STR,   // dict[u32] of `type`
    CVEC_TRACE, // id of trace ordinal u32
    CVEC_SPAN,  // u64 as an id of 8 bytes, 0: missing
    CVEC_ROOT,  // u64 parent: true when 0
    CVEC_ANY,   // any[i]
};

struct cvec {
    uint8_t kind, type;
    bool empty_missing;      // STR: "" is no value
    uint64_t const *present; // NULL: every row; rows outside may still turn out missing
    union {
        const int64_t *i64;
        const double *f64;
        const uint8_t *u8;
        const uint32_t *u32;
        const uint64_t *u64;
        const struct qval *any;
    };
    const struct qval *table;
    const struct dict *dict;
    const struct segment *seg; // TRACE
    // Ordinals (WORD, TABLE, STR, TRACE) mean the same wherever `identity` is the same, and are below
    // `ords`. NULL: in this block only.
    const void *identity;
    uint32_t ords;
};

// Value of row i. Strings are views into the segment.
struct qval cvec_get(const struct cvec *v, uint32_t i);
// Has row i no value? Costs less than to get it.
bool cvec_missing(const struct cvec *v, uint32_t i);
// The rows of sel that have one.
void cvec_present(const struct cvec *v, const uint64_t *sel, uint32_t n, uint64_t *out);
static inline bool cvec_has(const struct cvec *v, uint32_t i) { return !v->present || bit_get(v->present, i); }

// The rows `sel` (bitmap of n bits) of the current block of table t, as one place has them.
int place_vec(struct exec *x, struct exec_segment *s, enum segment_table t, const struct place *p, const uint64_t *sel,
              uint32_t n, struct cvec *ret);
// As the whole chain has them: the first present value.
int chain_vec(struct exec *x, struct exec_segment *s, enum segment_table t, const struct chain *c, const uint64_t *sel,
              uint32_t n, struct cvec *ret);
// A column of strings as a PLACE_STR has it.
void place_str(const struct vec *v, const struct place *p, struct cvec *ret);
