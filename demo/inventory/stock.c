#include "stock.h"

#include "otlp.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SHELF_FULL 400
#define SHELF_NEARLY_EMPTY (SHELF_FULL / 4)
#define LINE_QUANTITY_MAX 1000
#define MERGED_SHELVES 5
#define MERGE_SHELF_MS_MIN 60
#define MERGE_SHELF_MS_MAX 150
#define WAIT_WORTH_A_WORD_MS 100

static struct shelf {
    const char *sku;
    int quantity;
} shelves[] = {
    { "AMPH-1", SHELF_FULL }, { "AMPH-3", SHELF_FULL }, { "BALL-1", SHELF_FULL }, { "BALL-2", SHELF_FULL },
    { "BOWL-4", SHELF_FULL }, { "CLIP-1", SHELF_FULL }, { "COMB-2", SHELF_FULL }, { "CORD-8", SHELF_FULL },
    { "DISC-1", SHELF_FULL }, { "HORN-1", SHELF_FULL }, { "JUG-2", SHELF_FULL },  { "LAMP-1", SHELF_FULL },
    { "LAMP-6", SHELF_FULL }, { "LOOM-1", SHELF_FULL }, { "MAP-1", SHELF_FULL },  { "MASK-1", SHELF_FULL },
    { "OIL-2", SHELF_FULL },  { "RHYT-1", SHELF_FULL }, { "SAIL-B", SHELF_FULL }, { "SAIL-W", SHELF_FULL },
    { "SEAL-3", SHELF_FULL }, { "SPIN-1", SHELF_FULL }, { "TABL-5", SHELF_FULL }, { "WAX-1", SHELF_FULL },
};
#define SHELVES_N (sizeof shelves / sizeof *shelves)
static pthread_mutex_t stock_lock = PTHREAD_MUTEX_INITIALIZER; // of all shelves

struct line {
    struct shelf *shelf;
    int quantity;
};

static struct shelf *find_shelf(struct text sku)
{
    for (size_t i = 0; i < SHELVES_N; i++)
        if (text_is(sku, shelves[i].sku))
            return &shelves[i];
    return NULL;
}

// Waiting is a span of its own, so that one sees whom the merge holds up.
static void lock_stock(const char *what)
{
    struct span s;
    struct timespec a, b;
    span_begin(&s, "stock.lock", SPAN_INTERNAL, NULL);
    clock_gettime(CLOCK_MONOTONIC, &a);
    pthread_mutex_lock(&stock_lock);
    clock_gettime(CLOCK_MONOTONIC, &b);
    long ms = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
    span_number(&s, "lock.waited_ms", ms);
    if (ms > WAIT_WORTH_A_WORD_MS)
        log_write(SEVERITY_WARN, "%s waited %ld ms for the stock lock", what, ms);
    span_end(&s);
}

// "SKU QUANTITY\n", at most STOCK_LINES_MAX times.
static enum stock_result read_lines(struct text body, struct line *lines, size_t *ret_n, struct text *ret_sku)
{
    size_t n = 0;
    while (body.n) {
        const char *end = memchr(body.p, '\n', body.n),
                   *space = end ? memchr(body.p, ' ', (size_t)(end - body.p)) : NULL;
        if (!space || n == STOCK_LINES_MAX)
            return STOCK_BAD;
        *ret_sku = (struct text){ body.p, (size_t)(space - body.p) };
        lines[n].shelf = find_shelf(*ret_sku);
        lines[n].quantity = 0;
        for (const char *p = space + 1; p < end; p++) {
            if (*p < '0' || *p > '9')
                return STOCK_BAD;
            lines[n].quantity = lines[n].quantity * 10 + (*p - '0');
            if (lines[n].quantity > LINE_QUANTITY_MAX)
                return STOCK_BAD;
        }
        if (!lines[n].shelf)
            return STOCK_UNKNOWN;
        n++;
        body.n -= (size_t)(end + 1 - body.p);
        body.p = end + 1;
    }
    *ret_n = n;
    return n ? STOCK_DONE : STOCK_BAD;
}

// sign -1 takes, +1 gives.
static enum stock_result change(struct text body, int sign, const char *what, struct text *ret_sku)
{
    struct line lines[STOCK_LINES_MAX];
    struct span s;
    size_t n = 0, done = 0;
    *ret_sku = (struct text){ "", 0 };
    enum stock_result result = read_lines(body, lines, &n, ret_sku);
    if (result != STOCK_DONE)
        return result;
    span_begin(&s, sign < 0 ? "reserve_lines" : "release_lines", SPAN_INTERNAL, NULL);
    span_number(&s, "app.order.lines", (long long)n);
    lock_stock(what);
    for (; done < n; done++) {
        struct shelf *shelf = lines[done].shelf;
        if (shelf->quantity + sign * lines[done].quantity < 0) {
            *ret_sku = (struct text){ shelf->sku, strlen(shelf->sku) };
            result = STOCK_SHORT;
            break;
        }
        shelf->quantity += sign * lines[done].quantity;
    }
    while (result != STOCK_DONE && done--)
        lines[done].shelf->quantity -= sign * lines[done].quantity;
    // What is nearly empty is filled from the back room at once: however fast people buy, it is not the stock that fails them.
    for (size_t i = 0; result == STOCK_DONE && i < n; i++)
        if (lines[i].shelf->quantity < SHELF_NEARLY_EMPTY)
            lines[i].shelf->quantity = SHELF_FULL;
    pthread_mutex_unlock(&stock_lock);
    span_end(&s);
    return result;
}

enum stock_result stock_take(struct text body, struct text *ret_sku)
{
    return change(body, -1, "a reservation", ret_sku);
}

enum stock_result stock_give(struct text body, struct text *ret_sku) { return change(body, +1, "a release", ret_sku); }

enum stock_result stock_count(struct text sku, int *ret_quantity)
{
    struct shelf *shelf = find_shelf(sku);
    if (!shelf)
        return STOCK_UNKNOWN;
    lock_stock("a look");
    *ret_quantity = shelf->quantity;
    pthread_mutex_unlock(&stock_lock);
    return STOCK_DONE;
}

int stock_merge(void)
{
    struct span s;
    struct timespec a, b;
    span_begin(&s, "stock_merge", SPAN_INTERNAL, NULL);
    lock_stock("the merge");
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < MERGED_SHELVES; i++) {
        // The fault: somebody walks to a shelf and counts, and everybody else waits, whatever they came for.
        long ms = MERGE_SHELF_MS_MIN + random() % (MERGE_SHELF_MS_MAX - MERGE_SHELF_MS_MIN);
        nanosleep(&(struct timespec){ .tv_nsec = ms * 1000000 }, NULL);
        shelves[(size_t)random() % SHELVES_N].quantity = SHELF_FULL;
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    pthread_mutex_unlock(&stock_lock);
    long held = (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
    span_number(&s, "lock.held_ms", held);
    span_number(&s, "app.shelves", MERGED_SHELVES);
    log_write(SEVERITY_INFO, "%d deliveries merged, stock lock held for %ld ms", MERGED_SHELVES, held);
    span_end(&s);
    return MERGED_SHELVES;
}
