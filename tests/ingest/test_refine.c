// What an event that can be read now is grouped by joins the issue of what it was grouped by before.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "grouping/grouping.h"
#include "ingest/project_rules.h"
#include "ingest/refine.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct issues_seen {
    bool known;
    int answer;
    unsigned added;
    int64_t issue;
    char hash[40];
};

static int of_hash(void *ctx, uint32_t project, str hash, int64_t *ret_issue)
{
    struct issues_seen *seen = ctx;
    assert_int_equal(project, 1);
    assert_true(str_eq(hash, STR("00000000000000000000000000000001")));
    *ret_issue = 42;
    return seen->known ? 0 : ERR_NOENT;
}

static int hash_add(void *ctx, int64_t issue, str hash)
{
    struct issues_seen *seen = ctx;
    seen->added++;
    seen->issue = issue;
    snprintf(seen->hash, sizeof seen->hash, "%.*s", STR_ARG(hash));
    return seen->answer;
}

static void test_refine(void **state)
{
    static const char *const files[] = { "meta.db", "meta.db-wal", "meta.db-shm" };
    char dir[] = "/tmp/clew-refine-XXXXXX", path[128];
    struct meta *meta;
    struct project_rules *rules;
    struct arena arena;
    struct grouping g;
    struct issues_seen seen = { 0 };
    struct sentry_event e = { .message = STR_INIT("no way") };
    assert_non_null(mkdtemp(dir));
    assert_int_equal(meta_open(dir, true, &meta, NULL), 0);
    assert_int_equal(project_rules_new(meta, &rules, NULL), 0);
    arena_init(&arena, 1 << 20);
    struct refine f = { rules, { of_hash, hash_add, &seen } };
    str group = STR("00000000000000000000000000000001");
    assert_int_equal(refine_event(&f, 1, group, &e, &arena), ERR_AGAIN); // not counted yet
    assert_int_equal(seen.added, 0);
    seen.known = true;
    assert_int_equal(refine_event(&f, 1, group, &e, &arena), 0);
    struct grouping_rules *now = project_rules_grouping(rules, 1);
    assert_int_equal(grouping_run(now, &e, &arena, &g), 0);
    grouping_rules_free(now);
    assert_int_equal(seen.added, g.hashes_n);
    assert_int_equal(seen.issue, 42);
    assert_true(str_eq(g.hashes[g.hashes_n - 1], str_z(seen.hash)));
    seen.answer = ERR_EXIST; // another issue's: it stays there
    assert_int_equal(refine_event(&f, 1, group, &e, &arena), 0);
    seen.answer = ERR_BUSY;
    assert_int_equal(refine_event(&f, 1, group, &e, &arena), ERR_AGAIN);
    seen.answer = ERR_INVALID;
    assert_int_equal(refine_event(&f, 1, group, &e, &arena), ERR_INVALID);
    arena_free(&arena);
    project_rules_free(rules);
    meta_close(meta);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_refine) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
