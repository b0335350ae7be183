// Sessions through a store: each counted once, however often it is spoken of and whatever is read again.
#include "scratch.h"

#include "base/must.h"
#include "disk_mem.h"
#include "releases/health.h"
#include "store/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
// cmocka.h needs these before it
#include <cmocka.h>

#define HOUR_NS (3600 * NS_PER_S)
#define BEGIN (400000 * HOUR_NS) // in 2015

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

struct said {
    const char *version, *environment, *sid, *did, *status;
    bool init;
    int64_t errors, quantity, time;
};

static struct attr text(const char *key, const char *value, uint8_t level)
{
    return (struct attr){ .key = str_z(key), .level = level, .value = { .type = VALUE_STR, .s = str_z(value) } };
}

static void put(struct store *s, struct said x)
{
    struct waiting w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    struct attr of[2] = { text("release", x.version, ATTR_RESOURCE),
                          text("environment", x.environment, ATTR_RESOURCE) };
    struct attr fields[6];
    uint32_t n = 0;
    if (x.sid)
        fields[n++] = text("sid", x.sid, ATTR_FIELD);
    if (x.did)
        fields[n++] = text("did", x.did, ATTR_FIELD);
    fields[n++] = text("status", x.status, ATTR_FIELD);
    fields[n++] = (struct attr){ STR("init"), ATTR_FIELD, { .type = VALUE_BOOL, .b = x.init } };
    fields[n++] = (struct attr){ STR("errors"), ATTR_FIELD, { .type = VALUE_INT, .i = x.errors } };
    fields[n++] = (struct attr){ STR("quantity"), ATTR_FIELD, { .type = VALUE_INT, .i = x.quantity ? x.quantity : 1 } };
    struct record_entity resource = { .attrs = of, .attrs_n = 2 }, scope = { 0 };
    struct record record = { .source = RECORD_SESSIONS, .time = BEGIN + x.time, .attrs = fields, .attrs_n = n };
    struct batch *b;
    must(store_batch_begin(s, 0, 1, NULL, &b) == 0);
    struct record_sink sink = batch_sink(b);
    must(sink.section(sink.ctx, &resource, &scope) == 0 && sink.record(sink.ctx, &record) == 0);
    batch_commit_take(b, committed, &w);
    pthread_mutex_lock(&w.mutex);
    while (!w.done)
        pthread_cond_wait(&w.cond, &w.mutex);
    pthread_mutex_unlock(&w.mutex);
}

static void follow(struct releases_follow *f)
{
    struct err err;
    while (releases_follow_step(f, 0, &err) == 1)
        ;
}

struct house {
    struct releases_scratch s;
    struct disk *disk;
    struct store *store;
    struct releases_follow *follow;
};

static void start(struct house *h)
{
    struct store_options o = {
        .dir = ".", .disk = h->disk, .lanes = 1, .manual = true, .consumers = 1u << CONSUMER_RELEASES
    };
    struct err err;
    must(store_open(&o, &h->store, &err) == 0);
    must(releases_follow_new(h->s.releases, h->store, true, &h->follow, &err) == 0);
    follow(h->follow);
}

static void stop(struct house *h)
{
    releases_follow_free(h->follow);
    store_close(h->store);
}

static void house_open(struct house *h)
{
    *h = (struct house){ 0 };
    releases_scratch_open(&h->s);
    must(disk_mem_new(0, &h->disk) == 0);
    start(h);
}

static void house_close(struct house *h)
{
    stop(h);
    disk_free(h->disk);
    releases_scratch_close(&h->s);
}

// Everything committed is in a complete generation, whichever way the store makes one: closing and opening does.
static void complete(struct house *h)
{
    stop(h);
    start(h);
}

static struct release_health health_of(struct house *h, const char *version, const char *environment, int64_t from,
                                       int64_t to)
{
    struct release_health health;
    struct release x;
    struct err err;
    assert_int_equal(release_find(h->s.releases, 1, str_z(version), &h->s.arena, &x, &err), 0);
    if (releases_health(h->s.releases, x.id, str_z(environment), BEGIN + from, BEGIN + to, &health, &err) < 0)
        fail_msg("%s", err.message);
    return health;
}

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void updates_of_a_session_count_once(void **state)
{
    struct house h;
    house_open(&h);
    put(h.store, (struct said){ "shop@1", "production", A, "0000000000000001", "ok", .init = true });
    put(h.store, (struct said){ "shop@1", "production", A, "0000000000000001", "ok", .errors = 1 });
    complete(&h); // the rest comes in another generation, after a restart
    put(h.store, (struct said){ "shop@1", "production", A, "0000000000000001", "ok", .errors = 2 });
    put(h.store, (struct said){ "shop@1", "production", A, "0000000000000001", "crashed", .errors = 2 });
    put(h.store, (struct said){ "shop@1", "production", A, "0000000000000001", "crashed", .errors = 2 });
    put(h.store, (struct said){ "shop@1", "production", B, "0000000000000002", "exited", .init = true });
    complete(&h);
    complete(&h);
    struct release_health x = health_of(&h, "shop@1", "", 0, HOUR_NS);
    assert_int_equal(x.counts.sessions, 2);
    assert_int_equal(x.counts.crashed, 1);
    assert_int_equal(x.counts.errored, 1);
    assert_int_equal(x.counts.exited, 1);
    assert_int_equal(x.users, 2);
    assert_int_equal(x.crashed_users, 1);
    assert_int_equal(x.of_all, 2);
    house_close(&h);
}

static void sessions_that_the_sdk_counted(void **state)
{
    struct house h;
    house_open(&h);
    put(h.store, (struct said){ "shop@1", "production", NULL, NULL, "exited", true, 0, 40, 0 });
    put(h.store, (struct said){ "shop@1", "production", NULL, NULL, "crashed", true, 1, 2, 0 });
    put(h.store, (struct said){ "shop@1", "staging", NULL, NULL, "abnormal", true, 1, 3, 2 * HOUR_NS });
    put(h.store, (struct said){ "shop@2", "production", NULL, NULL, "unhandled", true, 1, 5, 0 });
    complete(&h);
    struct release_health x = health_of(&h, "shop@1", "production", 0, HOUR_NS);
    assert_int_equal(x.counts.sessions, 42);
    assert_int_equal(x.counts.crashed, 2);
    assert_int_equal(x.of_all, 47);
    assert_int_equal(x.users, 0);
    x = health_of(&h, "shop@1", "", 0, 3 * HOUR_NS);
    assert_int_equal(x.counts.sessions, 45);
    assert_int_equal(x.counts.abnormal, 3);
    assert_int_equal(x.counts.errored, 5);
    assert_int_equal(health_of(&h, "shop@1", "", HOUR_NS, 2 * HOUR_NS).counts.sessions, 0);
    assert_int_equal(health_of(&h, "shop@2", "", 0, HOUR_NS).counts.unhandled, 5);
    house_close(&h);
}

static void a_session_counts_in_the_hour_of_its_begin(void **state)
{
    struct health_counts counts[3] = { 0 };
    uint64_t all[3] = { 0 };
    struct release x;
    struct house h;
    struct err err;
    house_open(&h);
    put(h.store, (struct said){ "shop@1", "", A, NULL, "ok", .init = true, .time = HOUR_NS / 2 });
    put(h.store, (struct said){ "shop@1", "", A, NULL, "crashed", .time = 2 * HOUR_NS });
    put(h.store, (struct said){ "shop@2", "", B, NULL, "ok", .init = true, .time = 2 * HOUR_NS });
    complete(&h);
    assert_int_equal(release_find(h.s.releases, 1, STR("shop@1"), &h.s.arena, &x, &err), 0);
    assert_int_equal(releases_health_series(h.s.releases, x.id, STR(""), BEGIN, HOUR_NS, counts, all, 3, &err), 0);
    assert_int_equal(counts[0].sessions, 1);
    assert_int_equal(counts[0].crashed, 1);
    assert_int_equal(counts[2].crashed, 0);
    assert_int_equal(all[2], 1);
    house_close(&h);
}

static void environments_beyond_the_limit_count_as_of_none(void **state)
{
    char name[32];
    struct house h;
    house_open(&h);
    for (int i = 0; i < HEALTH_ENVIRONMENTS_MAX + 3; i++) {
        snprintf(name, sizeof name, "preview-%d", i);
        put(h.store, (struct said){ "shop@1", name, NULL, i % 2 ? "0000000000000001" : "0000000000000002", "exited",
                                    true, 0, 1, 0 });
    }
    complete(&h);
    struct release_health x = health_of(&h, "shop@1", "", 0, HOUR_NS);
    assert_int_equal(x.counts.sessions, HEALTH_ENVIRONMENTS_MAX + 3);
    assert_int_equal(x.users, 2);
    snprintf(name, sizeof name, "preview-%d", HEALTH_ENVIRONMENTS_MAX);
    assert_int_equal(health_of(&h, "shop@1", name, 0, HOUR_NS).counts.sessions, 0);
    house_close(&h);
}

static void what_came_is_there_before_its_generation_is_complete(void **state)
{
    struct house h;
    house_open(&h);
    put(h.store, (struct said){ "shop@1", "", A, "0000000000000001", "crashed", .init = true });
    put(h.store, (struct said){ "shop@1", "", NULL, "0000000000000002", "exited", true, 0, 40, 0 });
    follow(h.follow);
    for (int turn = 0; turn < 3; turn++) { // also when it is saved once more, complete, and read again
        struct release_health x = health_of(&h, "shop@1", "", 0, HOUR_NS);
        assert_int_equal(x.counts.sessions, 41);
        assert_int_equal(x.counts.crashed, 1);
        assert_int_equal(x.of_all, 41);
        assert_int_equal(x.users, 2);
        if (turn == 0) {
            put(h.store, (struct said){ "shop@1", "", A, "0000000000000001", "crashed" });
            follow(h.follow);
        } else {
            complete(&h);
        }
    }
    put(h.store, (struct said){ "shop@1", "", NULL, NULL, "exited", true, 0, 2, 0 });
    follow(h.follow);
    put(h.store, (struct said){ "shop@1", "", NULL, NULL, "exited", true, 0, 3, 1 });
    put(h.store, (struct said){ "shop@1", "", NULL, NULL, "exited", true, 0, 5, HOUR_NS });
    follow(h.follow);
    assert_int_equal(health_of(&h, "shop@1", "", 0, HOUR_NS).counts.sessions, 46);
    assert_int_equal(health_of(&h, "shop@1", "", 0, 2 * HOUR_NS).counts.sessions, 51);
    house_close(&h);
}

static void users_so_far(void **state)
{
    uint64_t users[3], crashed[3];
    struct release x;
    struct house h;
    struct err err;
    house_open(&h);
    put(h.store, (struct said){ "shop@1", "", A, "0000000000000001", "exited", .init = true });
    put(h.store, (struct said){ "shop@1", "", B, "0000000000000002", "crashed", .init = true, .time = 2 * HOUR_NS });
    follow(h.follow);
    assert_int_equal(release_find(h.s.releases, 1, STR("shop@1"), &h.s.arena, &x, &err), 0);
    assert_int_equal(releases_health_users(h.s.releases, x.id, STR(""), BEGIN, HOUR_NS, users, crashed, 3, &err), 0);
    assert_int_equal(users[0], 1);
    assert_int_equal(users[1], 1);
    assert_int_equal(users[2], 2);
    assert_int_equal(crashed[1], 0);
    assert_int_equal(crashed[2], 1);
    house_close(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_of_a_session_count_once),
        cmocka_unit_test(sessions_that_the_sdk_counted),
        cmocka_unit_test(a_session_counts_in_the_hour_of_its_begin),
        cmocka_unit_test(environments_beyond_the_limit_count_as_of_none),
        cmocka_unit_test(what_came_is_there_before_its_generation_is_complete),
        cmocka_unit_test(users_so_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
