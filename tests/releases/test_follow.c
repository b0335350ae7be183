// Events name releases, through a store: each once, with its first and last event, also when the log is read again.
#include "scratch.h"

#include "base/must.h"
#include "disk_mem.h"
#include "store/store.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

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

static void put(struct store *s, uint32_t project, enum record_source source, const char *release, int64_t time)
{
    struct waiting w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
    struct attr attr = { .key = STR("release"),
                         .level = ATTR_RESOURCE,
                         .value = { .type = VALUE_STR, .s = str_z(release) } };
    struct record_entity resource = { .attrs = &attr, .attrs_n = release[0] != 0 }, scope = { 0 };
    struct record record = { .source = (uint8_t)source, .time = time };
    struct batch *b;
    must(store_batch_begin(s, 0, project, NULL, &b) == 0);
    struct record_sink sink = batch_sink(b);
    must(sink.section(sink.ctx, &resource, &scope) == 0 && sink.record(sink.ctx, &record) == 0);
    batch_commit_take(b, committed, &w);
    pthread_mutex_lock(&w.mutex);
    while (!w.done)
        pthread_cond_wait(&w.cond, &w.mutex);
    pthread_mutex_unlock(&w.mutex);
}

static void step_all(struct releases_follow *f)
{
    struct err err;
    while (releases_follow_step(f, 0, &err) == 1)
        ;
}

static void events_name_releases(void **state)
{
    struct releases_scratch s;
    struct releases_follow *f;
    struct store *store;
    struct disk *disk;
    struct release x;
    struct err err;
    releases_scratch_open(&s);
    must(disk_mem_new(0, &disk) == 0);
    struct store_options o = {
        .dir = ".", .disk = disk, .lanes = 1, .manual = true, .consumers = 1u << CONSUMER_RELEASES
    };
    for (int again = 0; again < 2; again++) { // nothing was passed: the second start reads it all once more
        assert_int_equal(store_open(&o, &store, &err), 0);
        assert_int_equal(releases_follow_new(s.releases, store, true, &f, &err), 0);
        if (!again) {
            put(store, 1, RECORD_EVENTS, "shop@1", 50 * NS_PER_S);
            put(store, 1, RECORD_EVENTS, "", 60 * NS_PER_S);
            step_all(f);
            put(store, 1, RECORD_EVENTS, "shop@1", 20 * NS_PER_S);
            put(store, 2, RECORD_EVENTS, "shop@2", 30 * NS_PER_S);
            put(store, 1, RECORD_SPANS, "shop@3", 30 * NS_PER_S); // only error events do
        }
        step_all(f);
        assert_int_equal(release_find(s.releases, 1, STR("shop@1"), &s.arena, &x, &err), 0);
        assert_true(x.by_event && x.first_event == 20 * NS_PER_S && x.last_event == 50 * NS_PER_S);
        assert_int_equal(release_find(s.releases, 2, STR("shop@2"), &s.arena, &x, &err), 0);
        assert_int_equal(release_find(s.releases, 1, STR("shop@3"), &s.arena, &x, &err), ERR_NOENT);
        releases_follow_free(f);
        store_close(store);
    }
    disk_free(disk);
    releases_scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(events_name_releases) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
