// How many items of each type came, and what became of them. Types come from outside: only so many are told apart.
#pragma once
#include "base/bytes.h"

#include <pthread.h>

enum item_tally_what { ITEM_TALLY_TAKEN, ITEM_TALLY_SKIPPED, ITEM_TALLY_MALFORMED, ITEM_TALLY_WHATS };
enum { ITEM_TALLY_ROWS = 48, ITEM_TALLY_TYPE = 32 };

struct item_tally_row {
    char type[ITEM_TALLY_TYPE]; // letters, digits and _
    uint64_t n[ITEM_TALLY_WHATS];
};
struct item_tally {
    pthread_mutex_t lock;
    struct item_tally_row rows[ITEM_TALLY_ROWS]; // the last one: all other types
    size_t rows_n;
};
void item_tally_init(struct item_tally *t);
void item_tally_free(struct item_tally *t);
void item_tally_count(struct item_tally *t, str type, enum item_tally_what what);
size_t item_tally_read(struct item_tally *t, struct item_tally_row ret_rows[ITEM_TALLY_ROWS]);
