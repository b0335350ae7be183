// Part files against everything that disks and memory do: damage, failing calls, failing allocations, power cuts;
// and files of format version 1 that were written long ago.
#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"
#include "disk_fault.h"
#include "disk_mem.h"
#include "part_model.h"
#include "store/part_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka wants these before it
#include <cmocka.h>

enum { WORKSPACE = 7 };

struct place {
    struct disk *disk;
    struct part_env env;
};

static void place_open(struct place *p)
{
    assert_int_equal(disk_mem_new(0, &p->disk), 0);
    assert_int_equal(disk_mkdir(p->disk, "parts"), 0);
    assert_int_equal(disk_sync_dir(p->disk, "."), 0);
    p->env = (struct part_env){ .disk = p->disk, .dir = "parts", .workspace = WORKSPACE };
    assert_int_equal(part_cache_create(1 << 20, &p->env.cache), 0);
}

static void place_close(struct place *p)
{
    part_cache_free(p->env.cache);
    disk_free(p->disk);
}

static struct fake_segment *some_rows(uint8_t source, uint32_t n, uint64_t seed)
{
    struct record_maker m;
    struct fake_segment *f = fake_segment_new(source, 0);
    record_maker_init(&m, seed);
    m.traces = n / 5 + 1;
    model_fill(f, &m, source, n);
    record_maker_free(&m);
    return f;
}

static int build(const struct part_env *env, const struct fake_segment *f, uint64_t id, enum part_effort effort,
                 struct part **ret_part)
{
    const struct segment *s = fake_segment_get(f);
    struct part_build_options o = { .id = id, .effort = effort };
    struct err err;
    return part_build(env, segment_info(s)->source, &s, 1, &o, ret_part, &err);
}

// Everything that can be asked of a part is asked. 0 and all rows, or the first error.
static int read_all(const struct part_env *env, uint64_t id, struct model *ret_rows)
{
    struct part *p;
    struct err err;
    int e = part_open(env, id, &p, &err);
    if (e < 0)
        return e;
    *ret_rows = model_read(part_segment(p), false, &e);
    if (e == 0) {
        struct model again = model_read(part_segment(p), true, &e);
        model_free(&again);
    }
    const struct segment *s = part_segment(p);
    for (uint32_t i = 0; i < segment_traces(s) && e == 0; i++) {
        uint8_t id16[16];
        uint32_t ord;
        uint64_t first, end;
        e = segment_trace(s, i, id16);
        if (e == 0)
            e = segment_find_trace(s, id16, &ord);
        if (e == 0 && segment_info(s)->trace_order)
            e = segment_trace_rows(s, i, &first, &end);
    }
    if (e < 0)
        model_free(ret_rows);
    part_unref(p);
    return e;
}

static void test_every_byte_damaged(void **state)
{
    static const uint8_t sources[] = { RECORD_SPANS, RECORD_LOGS };
    for (int k = 0; k < 4; k++) {
        struct place at;
        struct part *p;
        struct disk_stat st;
        char path[64] = "parts/", name[PART_NAME];
        place_open(&at);
        struct fake_segment *f = some_rows(sources[k % 2], 25, 50 + (uint64_t)k);
        assert_int_equal(build(&at.env, f, 1, k / 2 ? PART_MERGED : PART_YOUNG, &p), 0);
        part_unref(p);
        part_file_name(name, 1);
        strcat(path, name);
        assert_int_equal(disk_stat(at.disk, path, &st), 0);
        struct model want;
        assert_int_equal(read_all(&at.env, 1, &want), 0);
        uint64_t seen = 0;
        for (uint64_t offset = 0; offset < st.size; offset++) {
            assert_int_equal(disk_mem_flip_bit(at.disk, path, offset, offset % 8), 0);
            struct model got;
            int e = read_all(&at.env, 1, &got);
            if (e == 0) { // harmless, then
                model_assert_same(&want, &got);
                model_free(&got);
            } else {
                assert_true(e == ERR_CORRUPT || e == ERR_UNSUPPORTED);
                seen++;
            }
            assert_int_equal(disk_mem_flip_bit(at.disk, path, offset, offset % 8), 0);
        }
        assert_true(seen > st.size - 32); // but for reserved bytes
        model_free(&want);
        fake_segment_free(f);
        place_close(&at);
    }
}

static void test_cut_short(void **state)
{
    struct place at;
    struct part *p;
    struct disk_stat st;
    int file;
    place_open(&at);
    struct fake_segment *f = some_rows(RECORD_SPANS, 25, 9);
    assert_int_equal(build(&at.env, f, 1, PART_YOUNG, &p), 0);
    part_unref(p);
    assert_int_equal(disk_stat(at.disk, "parts/0000000000000001.part", &st), 0);
    for (uint64_t size = st.size; size-- > 0;) {
        struct model got;
        assert_int_equal(disk_open(at.disk, "parts/0000000000000001.part", DISK_WRITE, &file), 0);
        assert_int_equal(disk_resize(at.disk, file, size), 0);
        disk_close(at.disk, file);
        assert_int_equal(read_all(&at.env, 1, &got), ERR_CORRUPT);
    }
    fake_segment_free(f);
    place_close(&at);
}

static void test_wrong_place(void **state)
{
    struct place at;
    struct part *p;
    struct err err;
    place_open(&at);
    struct fake_segment *f = some_rows(RECORD_LOGS, 5, 9);
    assert_int_equal(build(&at.env, f, 1, PART_YOUNG, &p), 0);
    part_unref(p);
    struct part_env other = at.env;
    other.workspace++;
    assert_int_equal(part_open(&other, 1, &p, &err), ERR_CORRUPT);
    assert_int_equal(disk_rename(at.disk, "parts/0000000000000001.part", "parts/0000000000000002.part"), 0);
    assert_int_equal(part_open(&at.env, 2, &p, &err), ERR_CORRUPT);
    assert_int_equal(part_open(&at.env, 3, &p, &err), ERR_NOENT);
    fake_segment_free(f);
    place_close(&at);
}

static int count_files(void *ctx, str name, enum disk_kind kind)
{
    ++*(int *)ctx;
    return 0;
}

static void test_every_disk_call_fails(void **state)
{
    struct fake_segment *f = some_rows(RECORD_SPANS, 100, 11);
    int64_t n = 1;
    for (int e = -1; e < 0; n++) {
        struct place at;
        struct disk *faulty;
        struct part *p = NULL;
        place_open(&at);
        assert_int_equal(disk_fault_new(at.disk, &faulty), 0);
        at.env.disk = faulty;
        disk_fault_fail_at(faulty, n, 0, n % 2 ? ERR_IO : ERR_NOSPC, false);
        e = build(&at.env, f, 1, PART_MERGED, &p);
        struct model rows = { 0 };
        if (e == 0 && disk_fault_hits(faulty) == 0) {
            part_unref(p);
            p = NULL;
        } else if (e == 0) { // the call that failed was of no importance
            e = -1;
            part_unref(p);
            p = NULL;
        } else {
            assert_true(e == ERR_IO || e == ERR_NOSPC);
            // Nothing is left, unless it was complete and only opening it failed, or the removal did.
            int files = 0;
            disk_fault_fail_at(faulty, 0, 0, 0, false);
            assert_int_equal(disk_list(at.disk, "parts", count_files, &files), 0);
            if (files && read_all(&at.env, 1, &rows) == 0)
                model_free(&rows);
        }
        disk_free(faulty);
        place_close(&at);
        assert_true(n < 500);
    }
    assert_true(n > 10);
    fake_segment_free(f);
}

static void test_every_read_fails(void **state)
{
    struct place at;
    struct disk *faulty;
    struct part *p;
    place_open(&at);
    struct fake_segment *f = some_rows(RECORD_SPANS, 60, 12);
    assert_int_equal(build(&at.env, f, 1, PART_YOUNG, &p), 0);
    part_unref(p);
    assert_int_equal(disk_fault_new(at.disk, &faulty), 0);
    at.env.disk = faulty;
    struct model rows;
    int64_t n = 1;
    for (int e = -1; e < 0; n++) {
        disk_fault_fail_at(faulty, n, 0, ERR_IO, false);
        e = read_all(&at.env, 1, &rows);
        assert_true(e == 0 || e == ERR_IO);
        if (e == 0)
            model_free(&rows);
    }
    assert_true(n > 10);
    disk_fault_short(faulty, 7); // reads in small pieces change nothing
    disk_fault_fail_at(faulty, 0, 0, 0, false);
    assert_int_equal(read_all(&at.env, 1, &rows), 0);
    model_free(&rows);
    disk_free(faulty);
    fake_segment_free(f);
    place_close(&at);
}

static void test_every_allocation_fails(void **state)
{
    struct place at;
    struct part *p;
    place_open(&at);
    static const uint8_t sources[] = { RECORD_SPANS, RECORD_METRICS };
    for (int k = 0; k < 2; k++) {
        struct fake_segment *f = some_rows(sources[k], 40, 13);
        int64_t n = 1;
        for (int e = -1; e < 0; n++) {
            mem_fail_at(n);
            e = build(&at.env, f, (uint64_t)n, PART_MERGED, &p);
            int64_t count = mem_fail_count();
            mem_fail_at(0);
            if (e == 0)
                part_unref(p);
            else
                assert_int_equal(e, ERR_NOMEM);
            if (e == 0 && count >= n)
                e = -1; // could do without
            assert_true(n < 5000);
        }
        assert_true(n > 100);
        struct model rows;
        uint64_t id = (uint64_t)n - 1;
        n = 1;
        for (int e = -1; e < 0; n++) {
            mem_fail_at(n);
            e = read_all(&at.env, id, &rows);
            int64_t count = mem_fail_count();
            mem_fail_at(0);
            if (e == 0)
                model_free(&rows);
            else
                assert_true(e == ERR_NOMEM || e == ERR_CORRUPT);
            if (e == 0 && count >= n)
                e = -1;
        }
        fake_segment_free(f);
    }
    place_close(&at);
}

// Whenever the power goes, what stands under the final name is whole.
static void test_power_cuts(void **state)
{
    struct fake_segment *f = some_rows(RECORD_LOGS, 60, 14);
    int64_t changes = 1;
    int whole = 0, none = 0;
    for (int64_t n = 1; n <= changes + 1; n++) {
        for (uint64_t seed = 0; seed < 6; seed++) {
            struct place at;
            struct part *p;
            struct model rows;
            place_open(&at);
            disk_mem_cut_at(at.disk, n);
            int built = build(&at.env, f, 1, PART_YOUNG, &p);
            if (disk_mem_changes(at.disk) > changes)
                changes = disk_mem_changes(at.disk);
            if (built == 0)
                part_unref(p);
            disk_mem_crash(at.disk, seed);
            int e = read_all(&at.env, 1, &rows);
            if (e == 0) {
                model_free(&rows);
                whole++;
            } else {
                assert_int_equal(e, ERR_NOENT);
                assert_true(built < 0); // what part_build() promised is there
                none++;
            }
            place_close(&at);
        }
    }
    assert_true(whole > 0 && none > 0);
    fake_segment_free(f);
}

// ---- files of old --------------------------------------------------------------------------------------

static void copy_in(struct disk *d, const char *from, const char *to)
{
    FILE *in = fopen(from, "rb");
    int file;
    if (!in)
        fail_msg("cannot open %s", from);
    static char content[1 << 20];
    size_t n = fread(content, 1, sizeof content, in);
    fclose(in);
    assert_int_equal(disk_open(d, to, DISK_WRITE | DISK_CREATE, &file), 0);
    assert_int_equal(disk_write(d, file, content, n, 0), 0);
    disk_close(d, file);
}

// Events with ids: their part has an index of them.
static struct fake_segment *some_events(uint32_t n)
{
    struct fake_segment *f = fake_segment_new(RECORD_EVENTS, 0);
    for (uint32_t i = 0; i < n; i++) {
        char id[33];
        snprintf(id, sizeof id, "%032x", i * 7919);
        struct attr a[2] = { { STR("event_id"), ATTR_FIELD, value_str(str_of(id, 32)) },
                             { STR("group"), ATTR_FIELD, value_str(i % 3 ? STR("a") : STR("b")) } };
        struct record r = { .source = RECORD_EVENTS, .time = 1000 + i, .attrs = a, .attrs_n = 2 };
        fake_segment_add(f, 1, 5, NULL, NULL, &r);
    }
    return f;
}

// To make a file for a new version: CLEW_GOLDEN_WRITE=tests/store/golden (never write an old one again).
static void golden_write(const char *dir, const char *name, uint8_t source)
{
    struct place at;
    struct part *p;
    struct disk_stat st;
    char path[512];
    int file;
    place_open(&at);
    struct fake_segment *f = source == RECORD_EVENTS ? some_events(40) : some_rows(source, 40, 77);
    assert_int_equal(build(&at.env, f, 1, source == RECORD_SPANS ? PART_MERGED : PART_YOUNG, &p), 0);
    int e;
    struct model rows = model_read(part_segment(p), false, &e);
    part_unref(p);
    assert_int_equal(disk_stat(at.disk, "parts/0000000000000001.part", &st), 0);
    char *bytes_of_file = malloc(st.size);
    assert_int_equal(disk_open(at.disk, "parts/0000000000000001.part", DISK_READ, &file), 0);
    assert_int_equal(disk_read(at.disk, file, bytes_of_file, st.size, 0), 0);
    disk_close(at.disk, file);
    snprintf(path, sizeof path, "%s/%s.part", dir, name);
    FILE *out = fopen(path, "wb");
    must(out && fwrite(bytes_of_file, 1, st.size, out) == st.size && fclose(out) == 0);
    snprintf(path, sizeof path, "%s/%s.txt", dir, name);
    out = fopen(path, "wb");
    for (uint32_t i = 0; i < rows.n; i++)
        fprintf(out, "%s\n", rows.row[i].text.ptr);
    must(fclose(out) == 0);
    free(bytes_of_file);
    model_free(&rows);
    fake_segment_free(f);
    place_close(&at);
}

static void golden_check(const char *dir, const char *name)
{
    struct place at;
    char path[512];
    struct model rows;
    place_open(&at);
    snprintf(path, sizeof path, "%s/%s.part", dir, name);
    copy_in(at.disk, path, "parts/0000000000000001.part");
    assert_int_equal(read_all(&at.env, 1, &rows), 0);
    snprintf(path, sizeof path, "%s/%s.txt", dir, name);
    FILE *in = fopen(path, "rb");
    assert_non_null(in);
    static char text[1 << 20];
    size_t n = fread(text, 1, sizeof text, in), used = 0;
    fclose(in);
    for (uint32_t i = 0; i < rows.n; i++) {
        assert_true(used + rows.row[i].text.len + 1 <= n);
        assert_memory_equal(text + used, rows.row[i].text.ptr, rows.row[i].text.len);
        used += rows.row[i].text.len + 1;
    }
    assert_int_equal(used, n);
    model_free(&rows);
    place_close(&at);
}

static void test_golden_files(void **state)
{
    const char *write = getenv("CLEW_GOLDEN_WRITE");
    if (write) {
        golden_write(write, "v1-spans", RECORD_SPANS);
        golden_write(write, "v1-logs", RECORD_LOGS);
        golden_write(write, "v1-metrics", RECORD_METRICS);
        golden_write(write, "v1-events", RECORD_EVENTS); // writer 2: with an index of keys
    }
    golden_check(GOLDEN_DIR, "v1-spans");
    golden_check(GOLDEN_DIR, "v1-logs");
    golden_check(GOLDEN_DIR, "v1-metrics");
    golden_check(GOLDEN_DIR, "v1-events");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_byte_damaged), cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_wrong_place),        cmocka_unit_test(test_every_disk_call_fails),
        cmocka_unit_test(test_every_read_fails),   cmocka_unit_test(test_every_allocation_fails),
        cmocka_unit_test(test_power_cuts),         cmocka_unit_test(test_golden_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
