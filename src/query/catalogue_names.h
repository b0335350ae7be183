// Which attribute names the segments of a run's range have: for suggestions and hints. Collected when first asked for.
#pragma once
#include "query/exec.h"

enum { NAMES_MAX = 10000 };

struct names {
    struct exec *x;
    str *list; // views into the segments
    uint32_t n, cap;
    uint32_t *slots, mask;
    bool made;
};

void names_init(struct names *n, struct exec *x);
void names_free(struct names *n);
// For struct query_catalogue; ctx is a struct names.
bool names_has(void *ctx, str key);
bool names_at(void *ctx, uint32_t i, str *ret_key);
