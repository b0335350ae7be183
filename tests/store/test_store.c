// The store as a whole against a model that only counts: what was acknowledged is there, once, after sealing,
// merging, power cuts at any call, full disks and failing syncs; a batch is there whole or not at all.
#include "base/hash.h"
#include "base/must.h"
#include "disk_fault.h"
#include "disk_mem.h"
#include "dump_rows.h"
#include "fake_segment.h"
#include "records.h"
#include "store/store_internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

struct hashes {
    uint64_t *h;
    size_t n, cap;
};

static void hashes_add(struct hashes *hs, uint64_t h)
{
    if (hs->n == hs->cap)
        hs->h = realloc(hs->h, sizeof *hs->h * (hs->cap = hs->cap ? hs->cap * 2 : 64));
    hs->h[hs->n++] = h;
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void hashes_sort(struct hashes *hs)
{
    if (hs->n)
        qsort(hs->h, hs->n, sizeof *hs->h, compare_u64);
}

// Hash of the text of every row of a segment from row number `first` on.
static void hashes_of_segment(const struct segment *s, uint64_t first, struct hashes *out)
{
    struct reader *r;
    struct buf b;
    buf_init(&b, 16u << 20);
    assert_int_equal(reader_open(s, &r), 0);
    for (uint32_t k = 0; k < segment_blocks(s, TABLE_ROWS); k++) {
        assert_int_equal(reader_seek(r, TABLE_ROWS, k), 0);
        for (uint32_t i = 0; i < segment_block_rows(s, TABLE_ROWS, k); i++) {
            if ((uint64_t)k * BLOCK_ROWS + i < first)
                continue;
            buf_clear(&b);
            assert_int_equal(dump_row(r, k, i, false, &b), 0);
            assert_int_equal(b.error, 0);
            hashes_add(out, hash64(b.ptr, b.len));
        }
    }
    reader_close(r);
    buf_free(&b);
}

static struct hashes hashes_of_view(const struct view *v)
{
    struct hashes hs = { 0 };
    for (uint32_t i = 0; i < view_segments(v); i++)
        hashes_of_segment(view_segment(v, i), view_segment_first(v, i), &hs);
    hashes_sort(&hs);
    return hs;
}

// ---- the model: batches and what is known of them ------------------------------------------------------

enum fate { REFUSED, ACKNOWLEDGED };

struct model {
    struct record_maker m;
    struct {
        struct hashes rows;
        enum fate fate;
    } batch[400];
    int n;
};

static void model_init(struct model *mo, uint64_t seed)
{
    *mo = (struct model){ 0 };
    record_maker_init(&mo->m, seed);
}

static void model_free(struct model *mo)
{
    for (int i = 0; i < mo->n; i++)
        free(mo->batch[i].rows.h);
    record_maker_free(&mo->m);
}

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

// One random batch; its result, also noted in the model.
static int put_batch(struct store *s, struct model *mo, unsigned rows_max)
{
    struct batch *b;
    must(mo->n < 400);
    int e = store_batch_begin(s, (unsigned)record_maker_next(&mo->m, s->o.lanes), 1, NULL, &b);
    if (e < 0)
        return e;
    struct record_sink sink = batch_sink(b);
    struct fake_segment *f[3];
    for (unsigned k = 0; k < 3; k++)
        f[k] = fake_segment_new((uint8_t)k, 0);
    struct record_entity resource = record_maker_resource(&mo->m), scope = record_maker_scope(&mo->m);
    e = sink.section(sink.ctx, &resource, &scope);
    for (uint64_t n = record_maker_next(&mo->m, rows_max) + 1; n && e == 0; n--) {
        struct record r = record_maker_record(&mo->m, (unsigned)record_maker_next(&mo->m, 3));
        e = sink.record(sink.ctx, &r);
        fake_segment_add(f[r.source], 1, b->section.received, &resource, &scope, &r);
    }
    int at = mo->n++;
    for (unsigned k = 0; k < 3; k++) {
        hashes_of_segment(fake_segment_get(f[k]), 0, &mo->batch[at].rows);
        fake_segment_free(f[k]);
    }
    record_maker_reset(&mo->m);
    if (e < 0) {
        batch_abort_take(b);
        return e;
    }
    struct waiter w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 };
    batch_commit_take(b, on_done, &w);
    pthread_mutex_lock(&w.mutex);
    while (!w.done)
        pthread_cond_wait(&w.cond, &w.mutex);
    pthread_mutex_unlock(&w.mutex);
    mo->batch[at].fate = w.result == 0 ? ACKNOWLEDGED : REFUSED;
    return w.result;
}

static size_t count_of(const struct hashes *hs, uint64_t h)
{
    size_t lo = 0, hi = hs->n, n = 0;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (hs->h[mid] < h)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; lo < hs->n && hs->h[lo] == h; lo++)
        n++;
    return n;
}

// Acknowledged batches are there whole; others whole or not at all (exactly: not at all when `strict`); nothing else is.
static void assert_as_model(struct store *s, struct model *mo, bool strict)
{
    struct view *v;
    assert_int_equal(store_view(s, &v), 0);
    struct hashes seen = hashes_of_view(v), wanted = { 0 };
    view_unref(v);
    for (int i = 0; i < mo->n; i++) {
        const struct hashes *rows = &mo->batch[i].rows;
        size_t found = 0;
        for (size_t k = 0; k < rows->n; k++)
            found += count_of(&seen, rows->h[k]) > 0;
        if (mo->batch[i].fate == ACKNOWLEDGED)
            assert_int_equal(found, rows->n);
        else
            assert_true(found == 0 || (!strict && found == rows->n));
        for (size_t k = 0; found && k < rows->n; k++)
            hashes_add(&wanted, rows->h[k]);
    }
    hashes_sort(&wanted);
    assert_int_equal(seen.n, wanted.n);
    if (seen.n)
        assert_memory_equal(seen.h, wanted.h, sizeof *seen.h * seen.n);
    free(seen.h);
    free(wanted.h);
}

static struct store *open_store(struct disk *disk, uint32_t seal_rows)
{
    struct store_options o = { .dir = ".", .disk = disk, .lanes = 3, .seal_rows = seal_rows, .manual = true };
    struct store *s;
    struct err err = { 0 };
    int e = store_open(&o, &s, &err);
    if (e < 0)
        print_message("store_open: %s\n", err.message);
    assert_int_equal(e, 0);
    return s;
}

// ---- tests ---------------------------------------------------------------------------------------------

static void test_write_seal_merge_reopen(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct model mo;
    model_init(&mo, 1);
    struct store *s = open_store(disk, 500);
    uint64_t merges = 0;
    struct store_stats st;
    for (int k = 0; k < 60; k++) {
        assert_int_equal(put_batch(s, &mo, 60), 0);
        if (k % 3 == 2)
            assert_int_equal(store_settle(s, NULL), 0); // many small parts: merges happen
        if (k % 20 == 10) {
            assert_as_model(s, &mo, true);
            store_stats(s, &st);
            merges += st.merges;
            store_close(s);
            s = open_store(disk, 500);
            assert_as_model(s, &mo, true);
        }
    }
    assert_as_model(s, &mo, true);
    store_stats(s, &st);
    assert_true(merges + st.merges > 0);
    assert_int_equal(st.head_rows, 0);
    assert_int_equal(st.merge_debt_rows, 0);
    store_close(s);
    model_free(&mo);
    disk_free(disk);
}

static void test_aborted_batches_leave_nothing(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct model mo;
    model_init(&mo, 2);
    struct store *s = open_store(disk, 0);
    for (int k = 0; k < 20; k++) {
        struct batch *b;
        assert_int_equal(store_batch_begin(s, (unsigned)k % 3, 1, NULL, &b), 0);
        struct record_sink sink = batch_sink(b);
        struct record_entity resource = record_maker_resource(&mo.m), scope = record_maker_scope(&mo.m);
        assert_int_equal(sink.section(sink.ctx, &resource, &scope), 0);
        for (int i = 0; i < 10; i++) {
            struct record r = record_maker_record(&mo.m, (unsigned)i % 3);
            assert_int_equal(sink.record(sink.ctx, &r), 0);
        }
        batch_abort_take(b);
        assert_int_equal(put_batch(s, &mo, 30), 0);
    }
    assert_as_model(s, &mo, true);
    store_close(s);
    s = open_store(disk, 0);
    assert_as_model(s, &mo, true);
    store_close(s);
    model_free(&mo);
    disk_free(disk);
}

static void test_a_view_stands_still(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct model mo;
    model_init(&mo, 3);
    struct store *s = open_store(disk, 0);
    assert_int_equal(put_batch(s, &mo, 50), 0);
    struct view *v;
    assert_int_equal(store_view(s, &v), 0);
    struct hashes before = hashes_of_view(v);
    for (int k = 0; k < 20; k++) {
        assert_int_equal(put_batch(s, &mo, 50), 0);
        assert_int_equal(store_settle(s, NULL), 0);
        struct hashes after = hashes_of_view(v);
        assert_int_equal(before.n, after.n);
        assert_memory_equal(before.h, after.h, sizeof *before.h * before.n);
        free(after.h);
    }
    view_unref(v);
    free(before.h);
    assert_as_model(s, &mo, true);
    store_close(s);
    model_free(&mo);
    disk_free(disk);
}

static void test_a_tail_sees_each_row_once(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct model mo;
    model_init(&mo, 4);
    struct store *s = open_store(disk, 100);
    assert_int_equal(put_batch(s, &mo, 50), 0); // before the tail: not seen
    int first = mo.n;
    struct tail *t;
    assert_int_equal(store_tail_open(s, &t), 0);
    struct hashes seen = { 0 }, wanted = { 0 };
    for (int k = 0; k < 40; k++) {
        assert_int_equal(put_batch(s, &mo, 50), 0);
        if (k % 7 == 3)
            assert_int_equal(store_settle(s, NULL), 0);
        if (k % 3 != 2)
            continue;
        struct view *v;
        assert_int_equal(store_tail_next(t, &v), 0);
        struct hashes now = hashes_of_view(v);
        for (size_t i = 0; i < now.n; i++)
            hashes_add(&seen, now.h[i]);
        free(now.h);
        view_unref(v);
    }
    struct view *v;
    assert_int_equal(store_tail_next(t, &v), 0);
    struct hashes now = hashes_of_view(v);
    for (size_t i = 0; i < now.n; i++)
        hashes_add(&seen, now.h[i]);
    free(now.h);
    view_unref(v);
    for (int i = first; i < mo.n; i++)
        for (size_t k = 0; k < mo.batch[i].rows.n; k++)
            hashes_add(&wanted, mo.batch[i].rows.h[k]);
    hashes_sort(&seen);
    hashes_sort(&wanted);
    assert_int_equal(seen.n, wanted.n);
    assert_memory_equal(seen.h, wanted.h, sizeof *seen.h * seen.n);
    free(seen.h);
    free(wanted.h);
    store_tail_close(t);
    store_close(s);
    model_free(&mo);
    disk_free(disk);
}

// Power is cut at the n-th change, wherever that falls: in the log, in a seal, in a merge, in the manifest.
static void test_power_cuts(void **state)
{
    for (int64_t cut = 1; cut < 300; cut += 1 + cut / 10) {
        struct disk *disk;
        assert_int_equal(disk_mem_new(0, &disk), 0);
        struct model mo;
        model_init(&mo, (uint64_t)cut + 100);
        struct store *s = open_store(disk, 200);
        for (int round = 0; round < 2; round++) {
            disk_mem_cut_at(disk, cut + round * 7);
            for (int k = 0; k < 24; k++) {
                if (put_batch(s, &mo, 20) < 0 && k > 3)
                    break;
                if (k % 2)
                    store_settle(s, NULL);
            }
            store_close(s);
            disk_mem_crash(disk, (uint64_t)cut * 31 + (uint64_t)round);
            s = open_store(disk, 200);
            assert_false(s->read_only);
            assert_as_model(s, &mo, false);
            // What came back may have been refused before: from now on it counts as there.
            struct view *v;
            assert_int_equal(store_view(s, &v), 0);
            struct hashes seen = hashes_of_view(v);
            view_unref(v);
            for (int i = 0; i < mo.n; i++)
                if (mo.batch[i].rows.n && count_of(&seen, mo.batch[i].rows.h[0]))
                    mo.batch[i].fate = ACKNOWLEDGED;
            free(seen.h);
        }
        assert_int_equal(put_batch(s, &mo, 20), 0);
        assert_int_equal(store_settle(s, NULL), 0);
        assert_as_model(s, &mo, true);
        store_close(s);
        model_free(&mo);
        disk_free(disk);
    }
}

// Every disk call in turn fails once with EIO: no crash, nothing acknowledged is lost, and it goes on.
static void test_disk_call_failures(void **state)
{
    for (int64_t nth = 1; nth < 220; nth += 1 + nth / 10) {
        struct disk *mem, *disk;
        assert_int_equal(disk_mem_new(0, &mem), 0);
        assert_int_equal(disk_fault_new(mem, &disk), 0);
        struct model mo;
        model_init(&mo, (uint64_t)nth + 900);
        struct store *s = open_store(disk, 150);
        disk_fault_fail_at(disk, nth, 0, ERR_IO, false);
        for (int k = 0; k < 20; k++) {
            put_batch(s, &mo, 20);
            if (k % 3 == 2)
                store_settle(s, NULL);
        }
        disk_fault_fail_at(disk, 0, 0, 0, false);
        assert_as_model(s, &mo, true);
        assert_int_equal(put_batch(s, &mo, 20), 0);
        assert_int_equal(store_settle(s, NULL), 0);
        assert_as_model(s, &mo, true);
        store_close(s);
        s = open_store(disk, 150);
        assert_as_model(s, &mo, false);
        store_close(s);
        model_free(&mo);
        disk_free(disk);
        disk_free(mem);
    }
}

// The disk fills up: writers are refused with ERR_NOSPC, readers see everything, and room heals it.
static void test_full_disk(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(24u << 20, &disk), 0);
    struct model mo;
    model_init(&mo, 6);
    struct store *s = open_store(disk, 300);
    disk_mem_set_capacity(disk, 8u << 20);
    int e = 0;
    for (int k = 0; k < 300 && e == 0; k++) {
        e = put_batch(s, &mo, 20);
        if (e == 0 && k % 4 == 3)
            store_settle(s, NULL);
        if (k == 100)
            disk_mem_set_capacity(disk, 1);
    }
    assert_int_equal(e, ERR_NOSPC);
    assert_as_model(s, &mo, true);
    disk_mem_set_capacity(disk, 0);
    assert_int_equal(store_settle(s, NULL), 0);
    assert_int_equal(put_batch(s, &mo, 20), 0);
    assert_as_model(s, &mo, true);
    store_close(s);
    s = open_store(disk, 300);
    assert_as_model(s, &mo, false);
    store_close(s);
    model_free(&mo);
    disk_free(disk);
}

// No room for another log file, but for a part: sealing gives log files back, and so the disk is not full any more.
static void test_sealing_helps_a_full_disk(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(24u << 20, &disk), 0); // log files of 4 and 16 MiB; the next one would have 64
    struct model mo;
    model_init(&mo, 7);
    struct store *s = open_store(disk, 20);
    assert_int_equal(store_settle(s, NULL), 0);
    int e = 0;
    for (int k = 0; k < 100 && e == 0; k++)
        e = put_batch(s, &mo, 20);
    assert_int_equal(e, ERR_NOSPC);
    assert_int_equal(store_settle(s, NULL), 0);
    assert_int_equal(put_batch(s, &mo, 20), 0);
    assert_as_model(s, &mo, true);
    store_close(s);
    model_free(&mo);
    disk_free(disk);
}

// Parts that may go are what makes room on a full disk: they must go although nothing else works.
static void test_retention_helps_a_full_disk(void **state)
{
    struct disk *mem, *disk;
    assert_int_equal(disk_mem_new(0, &mem), 0);
    assert_int_equal(disk_fault_new(mem, &disk), 0);
    struct model mo;
    model_init(&mo, 8);
    struct store *s = open_store(disk, 0);
    struct store_stats st;
    assert_int_equal(put_batch(s, &mo, 20), 0);
    assert_int_equal(store_settle(s, NULL), 0);
    assert_int_equal(put_batch(s, &mo, 20), 0);
    store_stats(s, &st);
    assert_true(st.parts > 0);
    disk_fault_fail_at(disk, 1, 1u << DISK_OP_OPEN, ERR_NOSPC, true); // no new file
    for (unsigned source = 0; source < RECORD_SOURCES; source++)
        s->o.retention_ns[source] = 1;
    assert_int_equal(store_settle(s, NULL), ERR_NOSPC);
    store_stats(s, &st);
    assert_int_equal(st.parts, 0);
    disk_fault_fail_at(disk, 0, 0, 0, false);
    store_close(s);
    model_free(&mo);
    disk_free(disk);
    disk_free(mem);
}

static int put_hashed(struct store *s, uint64_t hash, int *ret_result)
{
    const uint64_t h[2] = { hash, ~hash };
    struct batch *b;
    int e = store_batch_begin(s, 0, 1, h, &b);
    if (e < 0)
        return e;
    struct record_sink sink = batch_sink(b);
    struct record_entity none = { 0 };
    struct record r = { .name = STR("x"), .span = hash, .time = 5 };
    assert_int_equal(sink.section(sink.ctx, &none, &none), 0);
    assert_int_equal(sink.record(sink.ctx, &r), 0);
    struct waiter w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0 };
    batch_commit_take(b, on_done, &w);
    pthread_mutex_lock(&w.mutex);
    while (!w.done)
        pthread_cond_wait(&w.cond, &w.mutex);
    pthread_mutex_unlock(&w.mutex);
    *ret_result = w.result;
    return 0;
}

static void test_a_repeated_request_is_stored_once(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct store *s = open_store(disk, 0);
    int result;
    assert_int_equal(put_hashed(s, 42, &result), 0);
    assert_int_equal(result, 0);
    assert_int_equal(put_hashed(s, 42, &result), ERR_EXIST);
    assert_int_equal(put_hashed(s, 43, &result), 0);
    store_close(s);
    s = open_store(disk, 0); // known after a crash too, from the log
    assert_int_equal(put_hashed(s, 42, &result), ERR_EXIST);
    struct view *v;
    assert_int_equal(store_view(s, &v), 0);
    struct hashes seen = hashes_of_view(v);
    assert_int_equal(seen.n, 2);
    free(seen.h);
    view_unref(v);
    store_close(s);
    disk_free(disk);
}

// A request may say "a record" in two bytes: what it may ask for is counted in records, events and links too.
static void test_a_batch_holds_so_many_records(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct store *s = open_store(disk, 0);
    struct record_entity none = { 0 };
    struct record_child children[100] = { 0 };
    struct record bare = { .name = STR("x") }, parent = { .children = children, .children_n = 100 };
    for (int with_children = 0; with_children < 2; with_children++) {
        struct batch *b;
        int e = store_batch_begin(s, 0, 1, NULL, &b);
        assert_int_equal(e, 0);
        struct record_sink sink = batch_sink(b);
        assert_int_equal(sink.section(sink.ctx, &none, &none), 0);
        uint32_t n = 0;
        for (; e == 0 && n <= STORE_BATCH_RECORDS_MAX; n++)
            e = sink.record(sink.ctx, with_children ? &parent : &bare);
        assert_int_equal(e, ERR_LIMIT);
        assert_int_equal(n - 1, with_children ? STORE_BATCH_RECORDS_MAX / 101 : STORE_BATCH_RECORDS_MAX);
        batch_abort_take(b);
    }
    store_close(s);
    disk_free(disk);
}

// Batches that are taken back leave their dictionaries in the head. When there is nothing but such, the head
// must be given up all the same, or it refuses everything from then on.
static void test_aborted_batches_do_not_fill_the_head_for_ever(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct store *s = open_store(disk, 0);
    struct record_entity none = { 0 };
    size_t big = 8u << 20;
    char *text = malloc(big);
    memset(text, 'x', big);
    for (int k = 0; k < 100; k++) {
        struct batch *b;
        memcpy(text, &k, sizeof k);
        struct attr a = { STR("k"), ATTR_RECORD, { .type = VALUE_STR, .s = str_of(text, big) } };
        struct record r = { .attrs = &a, .attrs_n = 1 };
        assert_int_equal(store_batch_begin(s, 0, 1, NULL, &b), 0);
        struct record_sink sink = batch_sink(b);
        assert_int_equal(sink.section(sink.ctx, &none, &none), 0);
        assert_int_equal(sink.record(sink.ctx, &r), 0);
        batch_abort_take(b);
        if (k % 25 == 24)
            assert_int_equal(store_settle(s, NULL), 0);
    }
    free(text);
    struct store_stats st;
    store_stats(s, &st);
    assert_true(st.head_bytes <= 200u << 20);
    assert_int_equal(st.head_rows, 0);
    store_close(s);
    disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_seal_merge_reopen),
        cmocka_unit_test(test_aborted_batches_leave_nothing),
        cmocka_unit_test(test_a_view_stands_still),
        cmocka_unit_test(test_a_tail_sees_each_row_once),
        cmocka_unit_test(test_power_cuts),
        cmocka_unit_test(test_disk_call_failures),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_sealing_helps_a_full_disk),
        cmocka_unit_test(test_retention_helps_a_full_disk),
        cmocka_unit_test(test_a_repeated_request_is_stored_once),
        cmocka_unit_test(test_a_batch_holds_so_many_records),
        cmocka_unit_test(test_aborted_batches_do_not_fill_the_head_for_ever),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
