// Nearest words: what the writer may have meant.
#pragma once
#include "base/bytes.h"
#include "query/error.h"

enum { SUGGEST_DISTANCE_MAX = 2, SUGGEST_WORD_MAX = 64 };

// Edit distance (insert, delete, replace, swap of neighbours; ASCII case does not count) in bytes,
// capped: anything beyond max gives max + 1.
unsigned suggest_distance(str a, str b, unsigned max);

// Keeps the nearest few candidates; at equal distance the earlier offered stands first.
struct suggest {
    str word;
    struct {
        str text;
        unsigned distance;
    } best[3];
    int count;
};

void suggest_offer(struct suggest *s, str candidate);
// Adds what was kept to err's suggestions.
void suggest_give(const struct suggest *s, struct query_error *err);
