// The database of cells: what is saved is read back once, minutes of one key merge, and old ones become ten without a
// figure lost.
#include "red/red_internal.h"

#include "base/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
// cmocka.h needs these before it
#include <cmocka.h>

enum { FIRST = 29000000 };

struct fixture {
    char dir[64], path[96];
    struct red_db db;
    struct counts counts;
    struct red_key *key;
    struct arena arena;
    struct cell cells[200];
    size_t n;
};
static struct fixture *f;
static pthread_mutex_t state = PTHREAD_MUTEX_INITIALIZER;

static void open_again(uint64_t *ret_passed, uint32_t *ret_coarse)
{
    struct err err = { 0 };
    red_db_close(&f->db);
    counts_free(&f->counts);
    counts_init(&f->counts);
    assert_int_equal(red_db_open(&f->db, f->path, true, &err), 0);
    assert_int_equal(red_db_load(&f->db, &f->counts, ret_passed, ret_coarse, &err), 0);
    f->key = keys_get(&f->counts.keys, 0);
}

static int setup(void **unused)
{
    uint64_t passed;
    uint32_t coarse;
    struct red_key like = { .kind = RED_SERIES, .project = 1, .service = STR("web"), .first = INT64_MAX };
    must((f = calloc(1, sizeof *f)) != NULL);
    snprintf(f->dir, sizeof f->dir, "/tmp/clew-test-red-XXXXXX");
    must(mkdtemp(f->dir) != NULL);
    snprintf(f->path, sizeof f->path, "%s/derived.db", f->dir);
    arena_init(&f->arena, 64 << 20);
    counts_init(&f->counts);
    open_again(&passed, &coarse);
    assert_int_equal(passed, 0);
    assert_int_equal(keys_intern(&f->counts.keys, &like, &f->key), 0);
    return 0;
}

static int teardown(void **unused)
{
    char path[112];
    static const char *const ends[] = { "", "-wal", "-shm" };
    red_db_close(&f->db);
    counts_free(&f->counts);
    arena_free(&f->arena);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
        unlink(path);
    }
    rmdir(f->dir);
    free(f);
    return 0;
}

static void counted(uint32_t minute, uint64_t requests, uint64_t errors)
{
    struct cell *c;
    assert_int_equal(delta_cell(&f->counts.delta, f->key, minute, &c), 0);
    c->requests += requests;
    c->errors += errors;
    c->last = minute;
    assert_int_equal(cell_instance(&f->counts.delta.arena, c, minute % 3 + 1), 0);
    assert_int_equal(durations_add(&f->counts.delta.arena, &c->durations, durations_bin(1000000), (uint32_t)requests),
                     0);
}

static void save(uint64_t generation, uint32_t coarse)
{
    struct err err = { 0 };
    assert_int_equal(red_db_save(&f->db, &f->counts, &state, generation, coarse, &err), 0);
    assert_int_equal(f->counts.delta.n, 0);
}

static int next_cell(void *ctx, uint32_t key, struct cell **ret_cell)
{
    assert_int_equal(key, f->key->id);
    assert_true(f->n < 200);
    f->cells[f->n] = (struct cell){ .last = INT64_MIN };
    *ret_cell = &f->cells[f->n++];
    return 0;
}

static struct cell sum(void)
{
    struct err err = { 0 };
    struct cell all = { .last = INT64_MIN };
    f->n = 0;
    assert_int_equal(red_db_read(&f->db, RED_SERIES, 0, UINT32_MAX, &f->arena, next_cell, NULL, &err), 0);
    for (size_t i = 0; i < f->n; i++)
        assert_int_equal(cell_merge(&f->arena, &all, &f->cells[i]), 0);
    return all;
}

static void test_saved_merged_and_loaded(void **unused)
{
    uint64_t passed;
    uint32_t coarse;
    counted(FIRST, 5, 1);
    save(7, 0);
    counted(FIRST, 3, 0);
    counted(FIRST + 1, 2, 2);
    save(8, 0);
    open_again(&passed, &coarse);
    assert_int_equal(passed, 8);
    assert_true(str_eq(f->key->service, STR("web")));
    struct cell all = sum();
    assert_int_equal(f->n, 2);
    assert_int_equal(all.requests, 10);
    assert_int_equal(all.errors, 3);
    assert_int_equal(durations_count(&all.durations), 10);
}

static void test_old_minutes_become_ten(void **unused)
{
    struct err err = { 0 };
    uint64_t passed;
    uint32_t coarse = 0;
    bool more = true;
    for (uint32_t m = 0; m < 100; m++)
        counted(FIRST + m, 4, m % 2);
    save(1, coarse);
    while (more)
        assert_int_equal(red_db_coarsen(&f->db, &coarse, FIRST + 55, &more, &err), 0);
    assert_int_equal(coarse, FIRST + 50);
    struct cell all = sum();
    assert_int_equal(f->n, 5 + 50);
    assert_int_equal(all.requests, 400);
    assert_int_equal(all.errors, 50);
    assert_int_equal(all.last, FIRST + 99);
    assert_int_equal(all.instances_n, 3);
    assert_int_equal(durations_count(&all.durations), 400);
    // What comes late for such a minute goes to its ten.
    counted(FIRST + 13, 1, 0);
    save(2, coarse);
    all = sum();
    assert_int_equal(f->n, 5 + 50);
    assert_int_equal(all.requests, 401);
    open_again(&passed, &coarse);
    assert_int_equal(coarse, FIRST + 50);
}

static void test_old_cells_go(void **unused)
{
    struct err err = { 0 };
    for (uint32_t m = 0; m < 10; m++)
        counted(FIRST + m, 1, 0);
    key_touch(f->key, FIRST);
    save(1, 0);
    assert_int_equal(red_db_expire(&f->db, FIRST + 4, 0, &err), 0);
    assert_int_equal(sum().requests, 6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_saved_merged_and_loaded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_minutes_become_ten, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_cells_go, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
