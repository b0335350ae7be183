// let: expressions over the rows of a batch.
#pragma once
#include "query/vbatch.h"

// The value of e in every row of the batch; texts and lists that it makes are in scratch.
int expr_vec(struct vbatch *b, const struct query_expr *e, struct cvec *ret);

// ---- pieces, pure but for the memory that they take from the arena; ERR_NOMEM, else a missing result

// a op b for + - * / %.
struct qval expr_arith(enum query_expr_op op, const struct qval *a, const struct qval *b);
// a op b for = != < <= > >=; false with a missing side.
bool expr_compare(enum query_expr_op op, const struct qval *a, const struct qval *b);
struct expr_env {
    struct arena *arena;
    const struct query_zone *zone;
    int64_t now;
    struct query_regex_scratch regex;
};
// May change args.
int expr_call(struct expr_env *env, const struct query_expr *e, struct qval *args, uint32_t n, struct qval *ret);
// The text of a value as str() gives it: canonical numbers, RFC 3339, hex. Lists and maps have none: missing.
int expr_text(struct arena *a, const struct qval *v, struct qval *ret);
