// Cost of finding one event among many: by id (there, and not there), its place in its issue, and counting by issue.
//
//   bench_events DIRECTORY [EVENTS] [ISSUES]      fills a store once (default 1,000,000 events of 1,000 issues), then asks
#include "events/events.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/hex.h"
#include "base/mem.h"
#include "base/must.h"
#include "query/error.h"
#include "store/store.h"
#include "wire/sentry_payload.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH = 500, ROUNDS = 20 };
static uint64_t issues_n = 1000;
static const int64_t began = 1767225600000000000;

static void id_of(uint64_t n, char out[32])
{
    uint8_t id[16];
    be64_put(id, hash64_int(n * 2 + 1));
    be64_put(id + 8, hash64_int(n * 2 + 2));
    hex_encode(out, id, 16);
}

static void group_of(uint64_t issue, char out[33]) { snprintf(out, 33, "%032llx", (unsigned long long)issue); }

static int issue_of_hash(void *ctx, uint32_t project, str hash, int64_t *ret)
{
    char text[33];
    snprintf(text, sizeof text, "%.*s", STR_ARG(hash));
    *ret = (int64_t)strtoull(text, NULL, 16);
    return 0;
}

static int issue_hashes(void *ctx, int64_t issue, struct arena *arena, uint32_t *ret_project, str **ret_hashes,
                        size_t *ret_n)
{
    char text[33];
    str *one = arena_alloc(arena, sizeof *one);
    group_of((uint64_t)issue, text);
    must(one && arena_dup(arena, str_of(text, 32), one) == 0);
    *ret_project = 1;
    *ret_hashes = one;
    *ret_n = 1;
    return 0;
}

static const struct query_issues issues = { .of_hash = issue_of_hash, .hashes = issue_hashes };

static void feed(const struct record_sink *sink, uint64_t n, bytes payload)
{
    static const char list[] = "\x06\x03\x01\x05total\x01\x04main\x01\x03run";
    char id[32], group[33], message[64], user[16];
    uint64_t issue = hash64_int(n) % issues_n + 1;
    id_of(n, id);
    group_of(issue, group);
    int m = snprintf(message, sizeof message, "no price for item %llu", (unsigned long long)(hash64_int(n) % 100000));
    int u = snprintf(user, sizeof user, "u%llu", (unsigned long long)(hash64_int(n + 7) % 50000));
    struct attr attrs[] = {
        { STR("event_id"), ATTR_FIELD, value_str(str_of(id, 32)) },
        { STR("title"), ATTR_FIELD, value_str(str_of(message, (size_t)m)) },
        { STR("type"), ATTR_FIELD, value_str(STR("CartError")) },
        { STR("message"), ATTR_FIELD, value_str(str_of(message, (size_t)m)) },
        { STR("group"), ATTR_FIELD, value_str(str_of(group, 32)) },
        { STR("handled"), ATTR_FIELD, value_bool(n & 1) },
        { STR("stack.function"), ATTR_FIELD, { .type = VALUE_LIST, .s = str_of(list, sizeof list - 1) } },
        { STR("payload"), ATTR_FIELD, { .type = VALUE_BYTES, .s = str_of_bytes(payload) } },
        { STR("user.id"), ATTR_RECORD, value_str(str_of(user, (size_t)u)) },
    };
    struct record r = { .source = RECORD_EVENTS,
                        .severity = 17,
                        .time = began + (int64_t)n * 1000000,
                        .name = STR("CartError"),
                        .attrs = attrs,
                        .attrs_n = sizeof attrs / sizeof attrs[0] };
    must(sink->record(sink->ctx, &r) == 0);
}

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool done;
};

static void done(void *ctx, int result)
{
    struct waiting *w = ctx;
    must(result == 0);
    pthread_mutex_lock(&w->mutex);
    w->done = true;
    pthread_cond_signal(&w->cond);
    pthread_mutex_unlock(&w->mutex);
}

static void fill(struct store *s, uint64_t events)
{
    static uint8_t packed[600];
    struct attr service = { STR("service.name"), ATTR_RESOURCE, value_str(STR("shop")) };
    struct record_entity resource = { .attrs = &service, .attrs_n = 1 }, scope = { .name = STR("sentry.python") };
    for (uint64_t n = 0; n < events; n += BATCH) {
        struct waiting w = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false };
        struct batch *b;
        int rc;
        while ((rc = store_batch_begin(s, 0, 1, NULL, &b)) == ERR_BUSY)
            usleep(10000);
        must(rc == 0);
        struct record_sink sink = batch_sink(b);
        must(sink.section(sink.ctx, &resource, &scope) == 0);
        for (uint64_t i = n; i < n + BATCH; i++) {
            for (size_t k = 0; k < sizeof packed; k += 8)
                le64_put(packed + k, hash64_int(i * 100 + k));
            feed(&sink, i, bytes_of(packed, sizeof packed));
        }
        batch_commit_take(b, done, &w);
        pthread_mutex_lock(&w.mutex);
        while (!w.done)
            pthread_cond_wait(&w.cond, &w.mutex);
        pthread_mutex_unlock(&w.mutex);
    }
    must(store_settle(s, NULL) == 0);
}

static int no_row(void *ctx, const struct query_cell *cells, uint32_t n) { return 0; }

static int note_scanned(void *ctx, const struct query_stats *stats)
{
    *(uint64_t *)ctx = stats->scanned;
    return 0;
}

static void ask(struct view *v, const char *text)
{
    uint64_t scanned = 0;
    struct query_output out = { .ctx = &scanned, .row = no_row, .end = note_scanned };
    struct query_error error = { 0 };
    int64_t best = INT64_MAX;
    for (int i = 0; i < ROUNDS / 4; i++) {
        struct query_request q = { .text = str_z(text),
                                   .has_from = true,
                                   .has_to = true,
                                   .from = INT64_MIN,
                                   .to = INT64_MAX,
                                   .all_projects = true,
                                   .issues = &issues };
        int64_t from = clock_mono_ns();
        if (query_run(&q, v, &out, &error) < 0)
            fprintf(stderr, "%s: %s\n", text, error.message);
        int64_t took = clock_mono_ns() - from;
        best = took < best ? took : best;
    }
    printf("%8.2f ms  %s (%llu rows read)\n", (double)best / 1e6, text, (unsigned long long)scanned);
}

static void find(struct view *v, uint64_t events, bool there)
{
    struct query_request who = { .all_projects = true, .issues = &issues };
    int64_t sum = 0, worst = 0;
    for (int i = 0; i < ROUNDS; i++) {
        struct arena arena;
        struct event e;
        struct err err;
        char id[32];
        arena_init(&arena, 64 << 20);
        struct event_request q = { .view = v, .who = &who, .arena = &arena };
        id_of(there ? hash64_int((uint64_t)i) % events : events + (uint64_t)i, id);
        int64_t from = clock_mono_ns();
        int rc = event_find(&q, str_of(id, 32), 0, &e, &err);
        int64_t took = clock_mono_ns() - from;
        // What stands for a payload here is none.
        must(rc == (there ? ERR_UNSUPPORTED : ERR_NOENT));
        sum += took;
        worst = took > worst ? took : worst;
        arena_free(&arena);
    }
    printf("%8.2f ms  (worst %.2f) event by id, %s\n", (double)sum / ROUNDS / 1e6, (double)worst / 1e6,
           there ? "there" : "not there");
}

static void place(struct view *v)
{
    struct query_request who = { .all_projects = true, .issues = &issues };
    struct query_error error = { 0 };
    struct event_place p;
    struct arena arena;
    struct event e = { .time = began + 500000 * 1000000LL, .id = STR("0") };
    arena_init(&arena, 64 << 20);
    struct event_request q = { .view = v, .who = &who, .arena = &arena };
    int64_t from = clock_mono_ns();
    int rc = event_place(&q, 1, &e, &p, &error);
    printf("%8.2f ms  place in its issue: %llu of %llu (%s)\n", (double)(clock_mono_ns() - from) / 1e6,
           (unsigned long long)p.index, (unsigned long long)p.of, rc < 0 ? error.message : "ok");
    arena_free(&arena);
}

int main(int argc, char **argv)
{
    uint64_t events = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
    struct store *s;
    struct view *v;
    struct err err;
    must(argc > 1);
    issues_n = argc > 3 ? strtoull(argv[3], NULL, 10) : issues_n;
    struct store_options o = { .dir = argv[1], .lanes = 1, .durability_os = true };
    struct stat st;
    bool fresh = stat(argv[1], &st) != 0;
    if (store_open(&o, &s, &err) < 0) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    if (fresh)
        fill(s, events);
    must(store_view(s, &v) == 0);
    printf("%llu events of %llu issues in %u segments\n", (unsigned long long)events, (unsigned long long)issues_n,
           view_segments(v));
    find(v, events, true);
    find(v, events, false);
    place(v);
    ask(v, "events event_id='ffffffffffffffffffffffffffffffff'");
    ask(v, "events issue=1 | stats count()");
    ask(v, "events issue=1 | limit 1 | select event_id");
    ask(v, "events | top 10 issue");
    view_unref(v);
    store_close(s);
    return 0;
}
