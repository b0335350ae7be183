// Consumers against a model: what each made durable, together with the number of the generation that it passed, holds
// every row of the store once, whatever fails or wherever the power is cut between the two, and however fast the other is.
#include "base/clock.h"
#include "base/must.h"
#include "disk_fault.h"
#include "disk_mem.h"
#include "store/store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

enum { ROWS_MAX = 20000, LOGS = 1 << RECORD_LOGS };

enum stop { GO_ON, STOP_BEFORE_SAVE, STOP_BEFORE_PASS }; // where the process dies at the end of a generation

struct counter {
    struct consumer *c;
    uint8_t durable[ROWS_MAX]; // how often it counted a row, and will remember
    uint8_t pending[ROWS_MAX]; // the same since its last save
    uint64_t passed;           // saved with `durable`
};

// A row is known by its time, a number from a counter.
struct world {
    struct disk *disk;
    struct store *s;
    struct counter of[CONSUMERS_MAX];
    uint32_t consumers;             // bits
    unsigned rows;                  // numbers given
    uint8_t acknowledged[ROWS_MAX]; // what the sender knows
};

struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool done;
    int result;
};

static void on_done(void *ctx, int result)
{
    struct waiter *w = ctx;
    pthread_mutex_lock(&w->mutex);
    w->done = true;
    w->result = result;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->mutex);
}

static int put(struct world *w, unsigned lane, unsigned n)
{
    struct batch *b;
    int e = store_batch_begin(w->s, lane, 1, NULL, &b);
    if (e < 0)
        return e;
    struct record_sink sink = batch_sink(b);
    struct record_entity none = { 0 };
    unsigned first = w->rows;
    must(first + n <= ROWS_MAX);
    w->rows += n;
    e = sink.section(sink.ctx, &none, &none);
    for (unsigned i = 0; i < n && e == 0; i++) {
        struct record r = { .source = RECORD_LOGS, .time = first + i };
        e = sink.record(sink.ctx, &r);
    }
    if (e < 0) {
        batch_abort_take(b);
        return e;
    }
    struct waiter done = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 };
    batch_commit_take(b, on_done, &done);
    pthread_mutex_lock(&done.mutex);
    while (!done.done)
        pthread_cond_wait(&done.cond, &done.mutex);
    pthread_mutex_unlock(&done.mutex);
    for (unsigned i = 0; i < n; i++)
        w->acknowledged[first + i] = done.result == 0;
    return done.result;
}

static void count_rows(const struct segment *s, uint64_t first, uint8_t *counts)
{
    struct reader *r;
    assert_int_equal(reader_open(s, &r), 0);
    for (uint32_t b = 0; b < segment_blocks(s, TABLE_ROWS); b++) {
        struct vec v;
        assert_int_equal(reader_seek(r, TABLE_ROWS, b), 0);
        assert_int_equal(reader_column(r, TABLE_ROWS, COL_TIME, &v), 0);
        for (uint32_t i = 0; i < segment_block_rows(s, TABLE_ROWS, b); i++)
            if ((uint64_t)b * BLOCK_ROWS + i >= first)
                counts[v.i64[i]]++;
    }
    reader_close(r);
}

// Takes the news there are. False: it stopped at the end of a generation, as a process that dies there.
static bool consume_one(struct world *w, struct counter *k, enum stop stop)
{
    struct consumer_news news;
    int e;
    while ((e = store_consumer_next(k->c, 0, &news)) == 0) {
        assert_true(news.generation > k->passed);
        for (uint32_t i = 0; i < news.n; i++)
            count_rows(news.rows[i].segment, news.rows[i].first, k->pending);
        bool complete = news.complete;
        uint64_t generation = news.generation;
        consumer_news_free(&news);
        if (!complete)
            continue;
        if (stop == STOP_BEFORE_SAVE)
            return false;
        for (unsigned i = 0; i < w->rows; i++)
            k->durable[i] += k->pending[i];
        memset(k->pending, 0, sizeof k->pending);
        k->passed = generation;
        if (stop == STOP_BEFORE_PASS)
            return false;
        store_consumer_pass(k->c, generation);
    }
    assert_int_equal(e, ERR_AGAIN);
    return true;
}

// All of them; false: one has stopped.
static bool consume(struct world *w, enum stop stop)
{
    bool all = true;
    for (unsigned who = 0; who < CONSUMERS_MAX; who++)
        if (w->consumers >> who & 1)
            all &= consume_one(w, &w->of[who], stop);
    return all;
}

static void consumer_start(struct world *w, unsigned who)
{
    struct counter *k = &w->of[who];
    memset(k->pending, 0, sizeof k->pending);
    assert_int_equal(store_consumer_open(w->s, (enum store_consumer)who, k->passed, LOGS, &k->c), 0);
}

static void start(struct world *w)
{
    struct store_options o = {
        .dir = ".", .disk = w->disk, .lanes = 3, .seal_rows = 150, .consumers = w->consumers, .manual = true
    };
    struct err err = { 0 };
    int e = store_open(&o, &w->s, &err);
    if (e < 0)
        print_message("store_open: %s\n", err.message);
    assert_int_equal(e, 0);
    for (unsigned who = 0; who < CONSUMERS_MAX; who++)
        if (w->consumers >> who & 1)
            consumer_start(w, who);
}

static void stop(struct world *w)
{
    for (unsigned who = 0; who < CONSUMERS_MAX; who++)
        if (w->consumers >> who & 1)
            store_consumer_close(w->of[who].c);
    store_close(w->s);
}

// Everything acknowledged is counted, once. A batch that was refused as the power went may have come back with the log of
// a generation that was passed without it: it is there, and its sender, who was told no, sends it again.
static void assert_exact(struct world *w)
{
    store_settle(w->s, NULL); // ends the generation
    assert_true(consume(w, GO_ON));
    assert_int_equal(store_settle(w->s, NULL), 0);
    struct view *v;
    uint8_t *there = calloc(1, ROWS_MAX);
    must(there);
    assert_int_equal(store_view(w->s, &v), 0);
    for (uint32_t i = 0; i < view_segments(v); i++)
        count_rows(view_segment(v, i), 0, there);
    view_unref(v);
    for (unsigned i = 0; i < w->rows; i++) {
        assert_true(there[i] == 1 || !w->acknowledged[i]);
        for (unsigned who = 0; who < CONSUMERS_MAX; who++) {
            unsigned counted = w->of[who].durable[i];
            if (w->consumers >> who & 1 && (w->acknowledged[i] ? counted != 1 : counted > there[i]))
                fail_msg("row %u is there %u times, and consumer %u counted it %u times", i, there[i], who, counted);
        }
    }
    free(there);
}

static struct world *world_new(struct disk *disk)
{
    struct world *w = calloc(1, sizeof *w);
    must(w);
    w->disk = disk;
    w->consumers = 1u << CONSUMER_RED | 1u << CONSUMER_ISSUES;
    return w;
}

static void test_a_seal_waits_to_be_passed(void **unused)
{
    struct disk *disk;
    struct store_stats st;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct world *w = world_new(disk);
    start(w);
    assert_int_equal(put(w, 0, 10), 0);
    assert_int_equal(store_settle(w->s, NULL), 0);
    store_stats(w->s, &st);
    assert_int_equal(st.head_rows, 10);
    assert_int_equal(st.parts, 0);
    assert_true(consume(w, GO_ON));
    assert_int_equal(store_settle(w->s, NULL), 0);
    store_stats(w->s, &st);
    assert_int_equal(st.head_rows, 0);
    assert_int_equal(st.parts, 1);
    assert_exact(w);
    stop(w);
    free(w);
    disk_free(disk);
}

// With a consumer that stands still generations pile up to their number, and then the last one takes it all.
static void test_a_consumer_that_stands_still(void **unused)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct world *w = world_new(disk);
    start(w);
    for (unsigned k = 0; k < 4 * STORE_GENERATIONS_MAX; k++) {
        assert_int_equal(put(w, k % 3, 50), 0);
        store_settle(w->s, NULL);
    }
    assert_int_equal(w->s->gens_n, STORE_GENERATIONS_MAX);
    assert_true(consume(w, GO_ON));
    assert_int_equal(store_settle(w->s, NULL), 0);
    assert_int_equal(put(w, 0, 50), 0);
    assert_exact(w);
    stop(w);
    free(w);
    disk_free(disk);
}

// The slowest holds the log: what one has passed is sealed only when the other has, and each counts all of it once.
static void test_two_at_different_speeds(void **unused)
{
    struct disk *disk;
    struct store_stats st;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct world *w = world_new(disk);
    struct counter *fast = &w->of[CONSUMER_RED], *slow = &w->of[CONSUMER_ISSUES];
    start(w);
    for (unsigned k = 0; k < 3; k++) {
        assert_int_equal(put(w, k, 20), 0);
        store_settle(w->s, NULL);
        assert_true(consume_one(w, fast, GO_ON));
        assert_int_equal(fast->pending[20 * k] + fast->durable[20 * k], 1);
    }
    store_stats(w->s, &st);
    assert_int_equal(st.parts, 0);
    assert_int_equal(st.head_rows, 60);
    assert_int_equal(slow->durable[0] + slow->pending[0], 0);
    assert_true(consume_one(w, slow, GO_ON));
    assert_int_equal(store_settle(w->s, NULL), 0);
    store_stats(w->s, &st);
    assert_int_equal(st.head_rows, 0);
    assert_true(st.parts > 0);
    for (unsigned k = 0; k < 30; k++) {
        assert_int_equal(put(w, k % 3, 20), 0);
        if (k % 4 == 1)
            store_settle(w->s, NULL);
        assert_true(consume_one(w, fast, GO_ON));
        if (k % 7 == 3)
            assert_true(consume_one(w, slow, GO_ON));
    }
    assert_exact(w);
    stop(w);
    free(w);
    disk_free(disk);
}

// One that is closed still holds what it has not passed; the other goes on, and it takes up where it was.
static void test_one_closes_and_comes_back(void **unused)
{
    struct disk *disk;
    struct store_stats st;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct world *w = world_new(disk);
    struct counter *stays = &w->of[CONSUMER_RED], *leaves = &w->of[CONSUMER_ISSUES];
    start(w);
    assert_int_equal(put(w, 0, 20), 0);
    store_settle(w->s, NULL);
    assert_true(consume(w, GO_ON));
    assert_int_equal(put(w, 1, 20), 0);
    assert_true(consume_one(w, leaves, GO_ON)); // seen, not passed
    store_consumer_close(leaves->c);
    for (unsigned k = 0; k < 10; k++) {
        assert_int_equal(put(w, k % 3, 20), 0);
        store_settle(w->s, NULL);
        assert_true(consume_one(w, stays, GO_ON));
    }
    store_stats(w->s, &st);
    assert_int_equal(st.parts, 1); // of the first generation, which both had passed
    consumer_start(w, CONSUMER_ISSUES);
    assert_exact(w);
    stop(w);
    free(w);
    disk_free(disk);
}

// What was not passed comes again from its beginning, whatever of it had been seen.
static void test_replay_at_the_start(void **unused)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct world *w = world_new(disk);
    start(w);
    for (unsigned k = 0; k < 60; k++) {
        assert_int_equal(put(w, k % 3, 20), 0);
        if (k % 4 == 1)
            store_settle(w->s, NULL);
        bool dies = !consume(w, (enum stop)(k % 3));
        if (dies || k % 7 == 3) {
            stop(w);
            start(w);
        }
    }
    assert_exact(w);
    stop(w);
    free(w);
    disk_free(disk);
}

// Another consumer in the place of the former, in the same run of the store.
static void test_opened_again(void **unused)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct world *w = world_new(disk);
    start(w);
    for (unsigned k = 0; k < 40; k++) {
        assert_int_equal(put(w, k % 3, 20), 0);
        if (k % 4 == 1)
            store_settle(w->s, NULL);
        consume(w, (enum stop)(k % 3));
        for (unsigned who = CONSUMER_RED; who <= CONSUMER_ISSUES; who++) {
            store_consumer_close(w->of[who].c);
            consumer_start(w, who);
        }
    }
    assert_exact(w);
    stop(w);
    free(w);
    disk_free(disk);
}

static void test_power_cuts(void **unused)
{
    for (int64_t cut = 1; cut < 300; cut += 1 + cut / 4) {
        struct disk *disk;
        assert_int_equal(disk_mem_new(0, &disk), 0);
        struct world *w = world_new(disk);
        start(w);
        for (unsigned round = 0; round < 2; round++) {
            disk_mem_cut_at(disk, cut + round * 7);
            for (unsigned k = 0; k < 24; k++) {
                if (put(w, k % 3, 20) < 0 && k > 3)
                    break;
                if (k % 2)
                    store_settle(w->s, NULL);
                if (!consume(w, k > 12 ? (enum stop)((cut + round) % 3) : GO_ON))
                    break;
            }
            stop(w);
            disk_mem_crash(disk, (uint64_t)cut * 31 + round);
            start(w);
            assert_false(w->s->read_only);
        }
        assert_int_equal(put(w, 0, 20), 0);
        assert_exact(w);
        stop(w);
        start(w);
        assert_exact(w);
        stop(w);
        free(w);
        disk_free(disk);
    }
}

static void test_disk_call_failures(void **unused)
{
    for (int64_t nth = 1; nth < 220; nth += 1 + nth / 4) {
        struct disk *mem, *disk;
        assert_int_equal(disk_mem_new(0, &mem), 0);
        assert_int_equal(disk_fault_new(mem, &disk), 0);
        struct world *w = world_new(disk);
        start(w);
        disk_fault_fail_at(disk, nth, 0, ERR_IO, false);
        for (unsigned k = 0; k < 20; k++) {
            put(w, k % 3, 20);
            if (k % 3 == 2)
                store_settle(w->s, NULL);
            assert_true(consume(w, GO_ON));
        }
        disk_fault_fail_at(disk, 0, 0, 0, false);
        assert_int_equal(put(w, 0, 20), 0);
        assert_exact(w);
        stop(w);
        start(w);
        assert_exact(w);
        stop(w);
        free(w);
        disk_free(disk);
        disk_free(mem);
    }
}

// A store whose log is gone does not give new rows a number that counts as passed.
static void test_a_store_that_begins_anew(void **unused)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct world *w = world_new(disk);
    w->of[CONSUMER_RED].passed = 1000;
    w->of[CONSUMER_ISSUES].passed = 2000;
    start(w);
    assert_int_equal(put(w, 0, 20), 0);
    assert_exact(w);
    assert_int_equal(w->of[CONSUMER_RED].durable[0], 1);
    assert_int_equal(w->of[CONSUMER_ISSUES].durable[0], 1);
    stop(w);
    free(w);
    disk_free(disk);
}

static void *wake(void *arg)
{
    store_consumer_wake(arg);
    return NULL;
}

static void test_woken(void **unused)
{
    struct disk *disk;
    struct consumer_news news;
    pthread_t thread;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct world *w = world_new(disk);
    start(w);
    assert_int_equal(pthread_create(&thread, NULL, wake, w->of[CONSUMER_RED].c), 0);
    assert_int_equal(store_consumer_next(w->of[CONSUMER_RED].c, 3600 * NS_PER_S, &news), ERR_AGAIN);
    pthread_join(thread, NULL);
    stop(w);
    free(w);
    disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_seal_waits_to_be_passed),
        cmocka_unit_test(test_a_consumer_that_stands_still),
        cmocka_unit_test(test_two_at_different_speeds),
        cmocka_unit_test(test_one_closes_and_comes_back),
        cmocka_unit_test(test_replay_at_the_start),
        cmocka_unit_test(test_opened_again),
        cmocka_unit_test(test_power_cuts),
        cmocka_unit_test(test_disk_call_failures),
        cmocka_unit_test(test_a_store_that_begins_anew),
        cmocka_unit_test(test_woken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
