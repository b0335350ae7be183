// What a probe says of agents that are not there, over the time of their lease.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "live/live_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define START (1700000000 * NS_PER_S)

static int64_t the_time;
static int64_t now(void) { return the_time; }

static char told[64];
static int tells;
static void watch(void *ctx, const char *event, uint32_t project, str service, str json)
{
    if (strcmp(event, "probe") == 0) {
        snprintf(told, sizeof told, "%s", str_find(json, STR("lease_expired")) >= 0 ? "lease_expired" : "other");
        tells++;
    }
}

// A database with a probe that an agent was sent; the agent is not there.
static struct live *open_with_probe(const char *path)
{
    struct live *l;
    struct err err = { 0 };
    struct live_options o = { .path = path, .now = now, .manual = true, .watch = watch };
    the_time = START;
    assert_int_equal(live_open(&o, &l, &err), 0);
    assert_int_equal(db_begin(&l->db, &err), 0);
    int r = db_run(&l->db, NULL, &err,
                   "INSERT INTO probe (id, revision, project, project_slug, owner, spec, created_ns, updated_ns,"
                   " expires_ns, hits, used, captures, paused, prod, finished) VALUES (1, 1, 1, 'p', 'ada',"
                   " '{\"kind\":\"snapshot\",\"where\":{\"file\":\"a.py\",\"line\":3},\"scope\":{\"service\":\"shop\"}}"
                   "', ?, ?, ?, 20, 0, 0, 0, 0, 0)",
                   "iii", the_time, the_time, the_time + 3600 * NS_PER_S);
    if (r == 0)
        r = db_run(&l->db, NULL, &err,
                   "INSERT INTO agent (id, host, version, secret, created_ns, last_ns) VALUES (1, 'web-1', '1',"
                   " zeroblob(32), 1, ?)",
                   "i", the_time - 10 * NS_PER_S);
    if (r == 0)
        r = db_run(&l->db, NULL, &err, "INSERT INTO sent (probe, agent) VALUES (1, 1)", "");
    if (db_finish(&l->db, r, &err) < 0)
        fail_msg("%s", err.message);
    live_close(l);
    if (live_open(&o, &l, &err) < 0)
        fail_msg("%s", err.message);
    return l;
}

static void expect_away(struct live *l, const char *code)
{
    struct buf b;
    struct json_writer w;
    struct err err = { 0 };
    uint32_t project = 1;
    struct live_caller who = { .actor = STR("t"), .projects = &project, .projects_n = 1 };
    char want[32];
    buf_init(&b, 1 << 16);
    json_writer_init(&w, &b);
    assert_int_equal(live_probe(l, &who, STR("p1"), &w, &err), 0);
    snprintf(want, sizeof want, "\"code\":\"%s\"", code);
    if (str_find(buf_view(&b), str_z(want)) < 0)
        fail_msg("no %s in %.*s", code, STR_ARG(buf_view(&b)));
    assert_true(str_find(buf_view(&b), STR("\"host\":\"web-1\"")) >= 0);
    buf_free(&b);
}

static void test_a_lease_that_lapses_is_told_once(void **state)
{
    char dir[] = "/tmp/clew-away-XXXXXX", path[64];
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/live.db", dir);
    struct live *l = open_with_probe(path);
    expect_away(l, "no_agent"); // this server was not there to be heard for longer
    live_step(l);
    assert_int_equal(tells, 0);
    the_time += (LIVE_LEASE_S - 1) * NS_PER_S;
    live_step(l);
    assert_int_equal(tells, 0);
    expect_away(l, "no_agent");
    the_time += NS_PER_S;
    live_step(l);
    live_step(l);
    assert_int_equal(tells, 1);
    assert_string_equal(told, "lease_expired");
    expect_away(l, "lease_expired");
    live_close(l);
    static const char *const files[] = { "live.db", "live.db-wal", "live.db-shm" };
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_a_lease_that_lapses_is_told_once) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
