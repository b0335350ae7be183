// The list of parts: applied whole or not at all, through power cuts and rewrites; damage is said; orphans go.
#include "base/must.h"
#include "disk_mem.h"
#include "store/manifest.h"
#include "store/part_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h needs these before it
#include <cmocka.h>

static struct part_facts facts(uint64_t id)
{
    return (struct part_facts){ .id = id,
                                .bytes = id * 100,
                                .rows = id * 10,
                                .source = (uint8_t)(id % 3),
                                .time_min = -(int64_t)id,
                                .time_max = INT64_MAX - (int64_t)id,
                                .received_min = 5,
                                .received_max = 6,
                                .columns = 7,
                                .traces = 8,
                                .resources = 9,
                                .duplicates = 10 };
}

static struct manifest *open_manifest(struct disk *d)
{
    struct manifest *m;
    struct err err = { 0 };
    int e = manifest_open(d, "MANIFEST", &m, &err);
    if (e < 0)
        print_message("%s\n", err.message);
    assert_int_equal(e, 0);
    return m;
}

static int add(struct manifest *m, uint64_t id, uint64_t mark)
{
    struct part_facts f = facts(id);
    struct manifest_change c = { .add = &f, .add_n = 1, .marks_n = 1, .marks = { { 0, mark } } };
    return manifest_commit(m, &c, NULL);
}

static void assert_ids(const struct manifest *m, const uint64_t *ids, uint32_t n)
{
    assert_int_equal(manifest_parts(m), n);
    for (uint32_t i = 0; i < n; i++) {
        struct part_facts f = facts(ids[i]);
        const struct part_facts *p = manifest_part(m, i);
        assert_int_equal(p->id, ids[i]);
        assert_int_equal(p->time_min, f.time_min);
        assert_int_equal(p->time_max, f.time_max);
        assert_int_equal(p->source, f.source);
        assert_int_equal(p->bytes, f.bytes);
        assert_int_equal(p->duplicates, 10);
    }
}

static void test_add_replace_reopen(void **state)
{
    struct disk *d;
    assert_int_equal(disk_mem_new(0, &d), 0);
    struct manifest *m = open_manifest(d);
    for (uint64_t id = 1; id <= 5; id++)
        assert_int_equal(add(m, id, id), 0);
    const uint64_t gone[] = { 2, 3 };
    struct part_facts f = facts(6);
    struct manifest_change c = { .remove = gone, .remove_n = 2, .add = &f, .add_n = 1 };
    assert_int_equal(manifest_commit(m, &c, NULL), 0);
    const uint64_t want[] = { 1, 6, 4, 5 }; // where the first of its inputs stood
    assert_ids(m, want, 4);
    manifest_close(m);
    m = open_manifest(d);
    assert_ids(m, want, 4);
    assert_int_equal(manifest_mark(m, 0), 5);
    assert_int_equal(manifest_next_id(m), 7);
    manifest_close(m);
    disk_free(d);
}

// Thousands of changes: the file stays short and says the same.
static void test_rewrites(void **state)
{
    struct disk *d;
    assert_int_equal(disk_mem_new(0, &d), 0);
    struct manifest *m = open_manifest(d);
    assert_int_equal(add(m, 1, 1), 0);
    for (uint64_t id = 2; id < 6000; id++) {
        struct part_facts f = facts(id);
        uint64_t before = id - 1;
        struct manifest_change c = { .remove = &before, .remove_n = 1, .add = &f, .add_n = 1 };
        assert_int_equal(manifest_commit(m, &c, NULL), 0);
    }
    struct disk_stat st;
    assert_int_equal(disk_stat(d, "MANIFEST", &st), 0);
    assert_true(st.size < 70000);
    manifest_close(m);
    m = open_manifest(d);
    assert_ids(m, (uint64_t[]){ 5999 }, 1);
    manifest_close(m);
    disk_free(d);
}

static void test_power_cuts(void **state)
{
    for (int64_t cut = 1; cut < 60; cut++) {
        for (uint64_t seed = 0; seed < 5; seed++) {
            struct disk *d;
            assert_int_equal(disk_mem_new(0, &d), 0);
            struct manifest *m = open_manifest(d);
            disk_mem_cut_at(d, cut);
            uint64_t good = 0, tried = 0;
            for (uint64_t id = 1; id <= 20 && good == tried; id++) {
                tried = id;
                if (add(m, id, id) == 0)
                    good = id;
            }
            manifest_close(m);
            disk_mem_crash(d, seed * 977 + (uint64_t)cut);
            m = open_manifest(d);
            uint64_t ids[20];
            for (uint64_t i = 0; i < 20; i++)
                ids[i] = i + 1;
            assert_true(manifest_parts(m) >= good && manifest_parts(m) <= tried);
            assert_ids(m, ids, manifest_parts(m));
            assert_int_equal(manifest_mark(m, 0), manifest_parts(m));
            manifest_close(m);
            disk_free(d);
        }
    }
}

// A commit whose sync failed is in doubt; the next good one settles it, with or without it.
static void test_failed_sync_is_in_doubt(void **state)
{
    struct disk *d;
    assert_int_equal(disk_mem_new(0, &d), 0);
    struct manifest *m = open_manifest(d);
    assert_int_equal(add(m, 1, 1), 0);
    disk_mem_fail_syncs(d, 1);
    assert_true(add(m, 2, 2) < 0);
    assert_true(manifest_in_doubt(m));
    assert_ids(m, (uint64_t[]){ 1 }, 1);
    assert_int_equal(add(m, 3, 3), 0);
    assert_false(manifest_in_doubt(m));
    manifest_close(m);
    disk_mem_crash(d, 3);
    m = open_manifest(d);
    assert_ids(m, (uint64_t[]){ 1, 3 }, 2);
    manifest_close(m);
    disk_free(d);
}

static void test_damage_is_said(void **state)
{
    struct disk *d;
    assert_int_equal(disk_mem_new(0, &d), 0);
    struct manifest *m = open_manifest(d);
    for (uint64_t id = 1; id <= 4; id++)
        assert_int_equal(add(m, id, id), 0);
    manifest_close(m);
    struct disk_stat st;
    assert_int_equal(disk_stat(d, "MANIFEST", &st), 0);
    for (uint64_t at = 0; at < st.size; at++) {
        assert_int_equal(disk_mem_flip_bit(d, "MANIFEST", at, 3), 0);
        struct err err = { 0 };
        int file;
        uint8_t all[4096];
        must(st.size <= sizeof all);
        assert_int_equal(disk_open(d, "MANIFEST", DISK_READ, &file), 0);
        assert_int_equal(disk_read(d, file, all, st.size, 0), 0);
        disk_close(d, file);
        int e = manifest_open(d, "MANIFEST", &m, &err);
        if (e == 0) { // the last record looks torn, or the flipped bit is reserved: never a wrong list
            assert_true(manifest_parts(m) >= 3);
            manifest_close(m);
        } else {
            assert_true(e == ERR_CORRUPT || e == ERR_UNSUPPORTED);
            assert_true(err.message[0] != 0);
        }
        all[at] ^= 1 << 3; // as it was
        assert_int_equal(disk_open(d, "MANIFEST", DISK_WRITE | DISK_TRUNCATE, &file), 0);
        assert_int_equal(disk_write(d, file, all, st.size, 0), 0);
        assert_int_equal(disk_sync_data(d, file), 0);
        disk_close(d, file);
    }
    disk_free(d);
}

static void touch(struct disk *d, const char *path)
{
    int file;
    assert_int_equal(disk_open(d, path, DISK_WRITE | DISK_CREATE, &file), 0);
    disk_close(d, file);
}

static void test_orphans(void **state)
{
    struct disk *d;
    struct disk_stat st;
    assert_int_equal(disk_mem_new(0, &d), 0);
    assert_int_equal(disk_mkdir(d, "parts"), 0);
    struct manifest *m = open_manifest(d);
    assert_int_equal(add(m, 1, 1), 0);
    char live[PART_NAME], path[64];
    part_file_name(live, 1);
    snprintf(path, sizeof path, "parts/%s", live);
    touch(d, path);
    touch(d, "parts/0000000000000002.part");
    touch(d, "parts/0000000000000003.tmp");
    struct part_env env = { .disk = d, .dir = "parts" };
    assert_int_equal(manifest_remove_orphans(m, &env, NULL), 0);
    assert_int_equal(disk_stat(d, path, &st), 0);
    assert_int_equal(disk_stat(d, "parts/0000000000000002.part", &st), ERR_NOENT);
    assert_int_equal(disk_stat(d, "parts/0000000000000003.tmp", &st), ERR_NOENT);
    manifest_close(m);
    disk_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_replace_reopen), cmocka_unit_test(test_rewrites),
        cmocka_unit_test(test_power_cuts),         cmocka_unit_test(test_failed_sync_is_in_doubt),
        cmocka_unit_test(test_damage_is_said),     cmocka_unit_test(test_orphans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
