// Issues over a store: counted once whatever is read again, merged and taken apart without a loss, a full disk, readers
// beside the counting, retention.
#include "issues/issues_internal.h"

#include "base/must.h"
#include "disk_mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// cmocka.h needs these before it
#include <cmocka.h>

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ACTOR STR("user:ada")

struct world {
    char dir[64], path[96];
    struct disk *disk;
    struct store *store;
    struct issues *is;
    struct arena arena;
    int64_t later, retention; // what our clock is ahead
    unsigned users;
};

static int64_t now(void *ctx) { return clock_unix_ns() + ((struct world *)ctx)->later; }

static void open_all(struct world *w)
{
    struct err err = { 0 };
    struct store_options so = {
        .dir = ".", .disk = w->disk, .lanes = 1, .manual = true, .consumers = 1u << CONSUMER_ISSUES
    };
    struct issues_options io = {
        .path = w->path, .manual = true, .retention_ns = w->retention, .now = now, .now_ctx = w
    };
    assert_int_equal(store_open(&so, &w->store, &err), 0);
    assert_int_equal(issues_open(&io, w->store, &w->is, &err), 0);
}

static void close_all(struct world *w)
{
    issues_close(w->is);
    store_close(w->store);
}

static void reopen(struct world *w)
{
    close_all(w);
    open_all(w);
}

static struct world *world_new(void)
{
    struct world *w = calloc(1, sizeof *w);
    must(w != NULL);
    snprintf(w->dir, sizeof w->dir, "/tmp/clew-test-issues-XXXXXX");
    must(mkdtemp(w->dir) != NULL);
    snprintf(w->path, sizeof w->path, "%s/issues.db", w->dir);
    must(disk_mem_new(0, &w->disk) == 0);
    arena_init(&w->arena, 256 << 20);
    open_all(w);
    return w;
}

static void world_free(struct world *w)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char path[112];
    close_all(w);
    disk_free(w->disk);
    arena_free(&w->arena);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", w->path, ends[i]);
        unlink(path);
    }
    must(rmdir(w->dir) == 0);
    free(w);
}

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool done;
};

static void committed(void *ctx, int result)
{
    struct waiting *w = ctx;
    must(result == 0);
    pthread_mutex_lock(&w->mutex);
    w->done = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->mutex);
}

// n events of a hash, each by a user of its own, in a batch.
static void put(struct world *w, const char *hash, unsigned n)
{
    struct waiting wait = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    struct record_entity none = { 0 };
    struct batch *b;
    must(store_batch_begin(w->store, 0, 1, NULL, &b) == 0);
    struct record_sink sink = batch_sink(b);
    must(sink.section(sink.ctx, &none, &none) == 0);
    for (unsigned i = 0; i < n; i++) {
        char user[16];
        int len = snprintf(user, sizeof user, "u%u", w->users++);
        struct attr attrs[] = {
            { STR("group"), ATTR_FIELD, { .type = VALUE_STR, .s = str_z(hash) } },
            { STR("title"), ATTR_FIELD, { .type = VALUE_STR, .s = STR("TypeError: x") } },
            { STR("user.id"), ATTR_RECORD, { .type = VALUE_STR, .s = str_of(user, (size_t)len) } },
        };
        struct record r = {
            .source = RECORD_EVENTS, .time = clock_unix_ns(), .severity = 17, .attrs = attrs, .attrs_n = 3
        };
        must(sink.record(sink.ctx, &r) == 0);
    }
    batch_commit_take(b, committed, &wait);
    pthread_mutex_lock(&wait.mutex);
    while (!wait.done)
        pthread_cond_wait(&wait.cond, &wait.mutex);
    pthread_mutex_unlock(&wait.mutex);
}

static void step(struct world *w)
{
    struct err err = { 0 };
    int r = issues_step(w->is, &err);
    if (r < 0)
        fail_msg("%s", err.message);
}

struct settling {
    struct store *store;
    _Atomic bool done;
};

static void *settle(void *ctx)
{
    struct settling *s = ctx;
    struct err err;
    must(store_settle(s->store, &err) == 0);
    atomic_store(&s->done, true);
    return NULL;
}

// Makes parts of what there is, which waits for us to have counted and saved it.
static void seal(struct world *w)
{
    pthread_t thread;
    struct settling s = { .store = w->store };
    must(pthread_create(&thread, NULL, settle, &s) == 0);
    while (!atomic_load(&s.done)) {
        step(w);
        usleep(1000);
    }
    pthread_join(thread, NULL);
    step(w); // what came into the next generation
}

static int64_t issue_of(struct world *w, const char *hash)
{
    int64_t id = 0;
    assert_int_equal(issues_of_hash(w->is, 1, str_z(hash), &id), 0);
    return id;
}

static struct issue_row row_of(struct world *w, int64_t id)
{
    static const struct issues_filter all = { 0 };
    struct issue_row row;
    struct err err = { 0 };
    assert_int_equal(issues_row(w->is, &all, id, 0, INT64_MAX, &w->arena, &row, &err), 0);
    return row;
}

static void assert_figures(struct world *w, int64_t id, uint64_t events)
{
    struct issue_row row = row_of(w, id);
    assert_int_equal(row.events, events);
    assert_int_equal(row.total_events, events);
    assert_int_equal(row.total_users, events);
}

static size_t activity_of(struct world *w, int64_t id)
{
    struct issue_activity *list;
    struct err err;
    size_t n;
    assert_int_equal(issues_activity(w->is, id, 100, &w->arena, &list, &n, &err), 0);
    return n;
}

static void test_counted_once_whatever_is_read_again(void **unused)
{
    struct world *w = world_new();
    put(w, HASH_A, 5);
    put(w, HASH_B, 3);
    step(w);
    int64_t a = issue_of(w, HASH_A), b = issue_of(w, HASH_B);
    assert_int_not_equal(a, b);
    for (int i = 0; i < 3; i++) { // from the log, then from the database and what came after, then from that alone
        uint64_t more = (uint64_t)i * 2;
        assert_figures(w, a, 5 + more);
        assert_figures(w, b, 3);
        reopen(w);
        assert_int_equal(issue_of(w, HASH_A), a);
        assert_int_equal(issue_of(w, HASH_B), b);
        assert_figures(w, a, 5 + more);
        assert_figures(w, b, 3);
        assert_int_equal(activity_of(w, a), 1); // first seen, once
        put(w, HASH_A, 2);
        seal(w);
    }
    world_free(w);
}

static void test_merged_and_apart_figures_stay_exact(void **unused)
{
    struct world *w = world_new();
    struct err err = { 0 };
    int64_t into, made;
    put(w, HASH_A, 4);
    put(w, HASH_B, 3);
    step(w);
    int64_t a = issue_of(w, HASH_A), b = issue_of(w, HASH_B);
    const int64_t ids[] = { b, a };
    assert_int_equal(issues_merge(w->is, ACTOR, ids, 2, &into, &err), 0);
    assert_int_equal(into, a);
    assert_figures(w, a, 7);
    put(w, HASH_B, 1);
    step(w);
    assert_figures(w, a, 8);
    assert_figures(w, b, 8); // its number leads there
    struct issue_counted counted;
    assert_int_equal(issues_counted(w->is, b, 0, &counted, &err), 0);
    assert_true(counted.total == 8 && counted.edge > 0 && counted.later == 8);
    assert_true(counted.first > 0 && counted.last >= counted.first);
    assert_int_equal(issues_counted(w->is, a, counted.last, &counted, &err), 0);
    assert_true(counted.total == 8 && counted.edge > counted.last && counted.later == 0);
    assert_int_equal(issues_counted(w->is, a, INT64_MAX, &counted, &err), 0);
    assert_true(counted.edge == INT64_MAX && counted.later == 0);
    assert_int_equal(issues_counted(w->is, 99, 0, &counted, &err), ERR_NOENT);
    assert_int_equal(issues_merge(w->is, ACTOR, ids, 2, &into, &err), ERR_INVALID); // they are one
    reopen(w);
    assert_figures(w, a, 8);
    const str all[] = { STR(HASH_A), STR(HASH_B) };
    assert_int_equal(issues_unmerge(w->is, ACTOR, a, all, 2, &made, &err), ERR_INVALID);
    assert_int_equal(issues_unmerge(w->is, ACTOR, a, &all[1], 1, &made, &err), 0);
    assert_true(made > a && made > b); // no number is given twice
    seal(w);
    reopen(w);
    put(w, HASH_B, 1);
    put(w, HASH_A, 2);
    step(w);
    assert_figures(w, a, 6);
    assert_figures(w, made, 5);
    assert_int_equal(issues_hash_add(w->is, a, all[1], &err), ERR_EXIST); // it stays where people put it
    world_free(w);
}

static void test_a_hash_found_later_joins_its_issue(void **unused)
{
    struct world *w = world_new();
    struct err err = { 0 };
    put(w, HASH_A, 1);
    step(w);
    int64_t a = issue_of(w, HASH_A);
    assert_int_equal(issues_hash_add(w->is, a, STR(HASH_B), &err), 0);
    reopen(w);
    put(w, HASH_B, 2);
    step(w);
    assert_int_equal(issue_of(w, HASH_B), a);
    assert_figures(w, a, 3);
    assert_int_equal(row_of(w, a).hashes, 2);
    world_free(w);
}

static void pages_most(struct world *w, int64_t n)
{
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld", (long long)n);
    must(sqlite3_exec(w->is->writer.handle, sql, NULL, NULL, NULL) == SQLITE_OK);
}

// SQLite takes what is below the size there is as that size: no page more.
static void test_a_full_disk_loses_nothing(void **unused)
{
    struct world *w = world_new();
    struct err err = { 0 };
    struct issue_change resolve = { .has_state = true, .state = ISSUE_RESOLVED };
    put(w, HASH_A, 3);
    step(w);
    int64_t a = issue_of(w, HASH_A), id;
    pages_most(w, 1);
    char hash[33];
    unsigned n = 0;
    int r = 0;
    for (; r >= 0 && n < 1000; n++) { // until there is no room
        snprintf(hash, sizeof hash, "%032x", n + 1);
        put(w, hash, 1);
        r = issues_step(w->is, &err);
    }
    assert_true(r < 0);
    assert_int_equal(issues_change(w->is, ACTOR, a, &resolve, &err),
                     ERR_BUSY); // it is there, and cannot be changed now
    assert_int_equal(
        issues_assign(w->is, ACTOR, a, (struct issue_assignee){ STR("user"), STR("ada") }, (str){ 0 }, &err), ERR_BUSY);
    assert_int_equal(issues_hash_add(w->is, a, STR(HASH_B), &err), ERR_BUSY);
    assert_int_equal(issues_of_hash(w->is, 1, str_z(hash), &id), ERR_NOENT); // no number that a crash could take back
    pages_most(w, 1 << 20);
    step(w);
    assert_figures(w, a, 3);
    for (unsigned i = 0; i < n; i++) {
        snprintf(hash, sizeof hash, "%032x", i + 1);
        assert_figures(w, issue_of(w, hash), 1);
    }
    assert_int_equal(row_of(w, a).state, ISSUE_NEW);
    assert_int_equal(issues_change(w->is, ACTOR, a, &resolve, &err), 0);
    world_free(w);
}

struct reading {
    struct world *w;
    int64_t id;
    _Atomic bool stop;
    unsigned looks;
};

// Figures never fall, and events and users are of one moment.
static void *look(void *ctx)
{
    static const struct issues_filter all = { 0 };
    struct reading *r = ctx;
    struct arena arena;
    struct err err;
    uint64_t before = 0;
    arena_init(&arena, 16 << 20);
    while (!atomic_load(&r->stop)) {
        struct issue_row row, *rows;
        size_t n;
        must(issues_row(r->w->is, &all, r->id, 0, INT64_MAX, &arena, &row, &err) == 0);
        must(row.total_events >= before && row.total_events == row.total_users);
        must(issues_rows(r->w->is, &all, 0, INT64_MAX, &arena, &rows, &n, &err) == 0 && n >= 1);
        before = row.total_events;
        r->looks++;
        arena_reset(&arena);
    }
    arena_free(&arena);
    return NULL;
}

static void test_readers_beside_the_counting(void **unused)
{
    struct world *w = world_new();
    struct reading readers[2];
    pthread_t threads[2];
    put(w, HASH_A, 1);
    step(w);
    for (int i = 0; i < 2; i++) {
        readers[i] = (struct reading){ .w = w, .id = issue_of(w, HASH_A) };
        must(pthread_create(&threads[i], NULL, look, &readers[i]) == 0);
    }
    for (int i = 0; i < 30; i++) {
        put(w, HASH_A, 10);
        step(w);
        if (i % 10 == 9)
            seal(w);
    }
    for (int i = 0; i < 2; i++) {
        atomic_store(&readers[i].stop, true);
        pthread_join(threads[i], NULL);
        assert_true(readers[i].looks > 0);
    }
    assert_figures(w, readers[0].id, 301);
    world_free(w);
}

static void test_what_is_over_goes_and_its_number_stays_taken(void **unused)
{
    struct world *w = world_new();
    int64_t id;
    w->retention = 30 * DAY_NS;
    reopen(w);
    put(w, HASH_A, 2);
    put(w, HASH_B, 2);
    step(w);
    int64_t a = issue_of(w, HASH_A), b = issue_of(w, HASH_B);
    seal(w);
    w->later = 37 * DAY_NS; // events are kept a week longer than said, by parts
    step(w);
    assert_figures(w, a, 2);
    w->later = 50 * DAY_NS;
    step(w);
    w->later = 100 * DAY_NS; // it became ongoing just then
    step(w);
    step(w);
    assert_int_equal(issues_of_hash(w->is, 1, STR(HASH_A), &id), ERR_NOENT);
    assert_int_equal(issues_of_hash(w->is, 1, STR(HASH_B), &id), ERR_NOENT);
    assert_int_equal(activity_of(w, a), 0);
    reopen(w);
    assert_int_equal(issues_of_hash(w->is, 1, STR(HASH_A), &id), ERR_NOENT);
    w->later = 0;
    put(w, HASH_A, 1);
    step(w);
    id = issue_of(w, HASH_A);
    assert_true(id > a && id > b);
    assert_figures(w, id, 1);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counted_once_whatever_is_read_again),
        cmocka_unit_test(test_merged_and_apart_figures_stay_exact),
        cmocka_unit_test(test_a_hash_found_later_joins_its_issue),
        cmocka_unit_test(test_a_full_disk_loses_nothing),
        cmocka_unit_test(test_readers_beside_the_counting),
        cmocka_unit_test(test_what_is_over_goes_and_its_number_stays_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
