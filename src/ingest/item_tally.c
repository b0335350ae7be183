#include "ingest/item_tally.h"

#include "base/must.h"

void item_tally_init(struct item_tally *t)
{
    memset(t, 0, sizeof *t);
    must(pthread_mutex_init(&t->lock, NULL) == 0);
}

void item_tally_free(struct item_tally *t) { pthread_mutex_destroy(&t->lock); }

// As it may stand in a label of a metric.
static void clean(str type, char out[ITEM_TALLY_TYPE])
{
    size_t n = type.len < ITEM_TALLY_TYPE - 1 ? type.len : ITEM_TALLY_TYPE - 1;
    for (size_t i = 0; i < n; i++) {
        char c = type.ptr[i];
        bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        out[i] = good ? c : '_';
    }
    out[n] = 0;
    if (n == 0)
        memcpy(out, "none", 5);
}

void item_tally_count(struct item_tally *t, str type, enum item_tally_what what)
{
    char name[ITEM_TALLY_TYPE];
    size_t i = 0;
    clean(type, name);
    pthread_mutex_lock(&t->lock);
    while (i < t->rows_n && strcmp(t->rows[i].type, name) != 0)
        i++;
    if (i == t->rows_n && t->rows_n < ITEM_TALLY_ROWS) {
        memcpy(t->rows[i].type, t->rows_n == ITEM_TALLY_ROWS - 1 ? "other" : name,
               ITEM_TALLY_TYPE > 6 && t->rows_n == ITEM_TALLY_ROWS - 1 ? 6 : ITEM_TALLY_TYPE);
        t->rows_n++;
    }
    t->rows[i < ITEM_TALLY_ROWS ? i : ITEM_TALLY_ROWS - 1].n[what]++;
    pthread_mutex_unlock(&t->lock);
}

size_t item_tally_read(struct item_tally *t, struct item_tally_row ret_rows[ITEM_TALLY_ROWS])
{
    pthread_mutex_lock(&t->lock);
    size_t n = t->rows_n;
    memcpy(ret_rows, t->rows, n * sizeof *ret_rows);
    pthread_mutex_unlock(&t->lock);
    return n;
}
