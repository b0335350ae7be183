#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/err.h"
#include "disk_fault.h"
#include "disk_mem.h"
#include "os/disk.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char root[64];

static struct disk *open_real(void)
{
    snprintf(root, sizeof root, "/tmp/clew-disk-XXXXXX");
    assert_non_null(mkdtemp(root));
    struct disk *d = NULL;
    assert_int_equal(disk_open_root(root, &d), 0);
    return d;
}

static void close_real(struct disk *d)
{
    disk_free(d);
    assert_int_equal(rmdir(root), 0);
}

static int count_names(void *ctx, str name, enum disk_kind kind)
{
    (*(int *)ctx)++;
    return 0;
}

static int stop_listing(void *ctx, str name, enum disk_kind kind) { return ERR_CANCELLED; }

// The same contract for every kind of disk.
static void check_contract(struct disk *d)
{
    int f = -1, g = -1;
    char back[16];
    assert_int_equal(disk_open(d, "a", DISK_READ, &f), ERR_NOENT);
    assert_int_equal(f, -1);
    assert_int_equal(disk_mkdir(d, "dir"), 0);
    assert_int_equal(disk_mkdir(d, "dir"), ERR_EXIST);
    assert_int_equal(disk_open(d, "dir/a", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &f), 0);
    assert_int_equal(disk_open(d, "dir/a", DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &g), ERR_EXIST);
    char hel[] = "hel", lo[] = "lo";
    struct iovec iov[3] = { { hel, 3 }, { NULL, 0 }, { lo, 2 } };
    assert_int_equal(disk_writev(d, f, iov, 3, 2), 0);
    assert_int_equal(disk_read(d, f, back, 7, 0), 0);
    assert_memory_equal(back, "\0\0hello", 7);
    assert_int_equal(disk_read(d, f, back, 8, 0), ERR_TRUNCATED);
    size_t n = 99;
    assert_int_equal(disk_read_some(d, f, back, 8, 4, &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(disk_zero_fill(d, f, 4, 3 << 20), 0);
    struct disk_stat st;
    assert_int_equal(disk_stat_file(d, f, &st), 0);
    assert_int_equal(st.size, (3 << 20) + 4);
    assert_int_equal(disk_read(d, f, back, 4, 2), 0);
    assert_memory_equal(back, "he\0\0", 4);
    assert_int_equal(disk_resize(d, f, 3), 0);
    assert_int_equal(disk_sync_data(d, f), 0);
    assert_int_equal(disk_sync_dir(d, "dir"), 0);
    assert_int_equal(disk_sync_dir(d, "."), 0);
    assert_int_equal(disk_lock(d, f), 0);
    assert_int_equal(disk_open(d, "dir/a", DISK_READ, &g), 0);
    assert_int_equal(disk_lock(d, g), ERR_BUSY);
    disk_close(d, f);
    assert_int_equal(disk_lock(d, g), 0);
    disk_close(d, g);
    assert_int_equal(disk_rename(d, "dir/a", "b"), 0);
    assert_int_equal(disk_stat(d, "b", &st), 0);
    assert_int_equal(st.size, 3);
    assert_int_equal(st.kind, DISK_KIND_FILE);
    int names = 0;
    assert_int_equal(disk_list(d, ".", count_names, &names), 0);
    assert_int_equal(names, 2);
    assert_int_equal(disk_list(d, ".", stop_listing, NULL), ERR_CANCELLED);
    assert_int_equal(disk_list(d, "none", count_names, &names), ERR_NOENT);
    assert_int_equal(disk_unlink(d, "b"), 0);
    assert_int_equal(disk_unlink(d, "b"), ERR_NOENT);
    assert_int_equal(disk_rmdir(d, "dir"), 0);
    struct disk_space space;
    assert_int_equal(disk_space(d, &space), 0);
    assert_true(space.total >= space.free && space.total > 0);
}

static void test_real_contract(void **state)
{
    struct disk *d = open_real();
    check_contract(d);
    close_real(d);
    assert_int_equal(disk_open_root("/proc/none/such", &d), ERR_NOENT);
}

static void test_mem_contract(void **state)
{
    struct disk *d = NULL;
    disk_mem_new(0, &d);
    check_contract(d);
    disk_free(d);
}

// Short reads and writes are the kernel's right: nobody above may notice.
static void test_short_calls(void **state)
{
    struct disk *in = NULL, *d = NULL;
    disk_mem_new(0, &in);
    assert_int_equal(disk_fault_new(in, &d), 0);
    disk_fault_short(d, 1000);
    check_contract(d);
    disk_free(d);
    disk_free(in);
}

static void test_fail_nth(void **state)
{
    struct disk *in = NULL, *d = NULL;
    disk_mem_new(0, &in);
    assert_int_equal(disk_fault_new(in, &d), 0);
    int f = -1;
    assert_int_equal(disk_open(d, "a", DISK_WRITE | DISK_CREATE, &f), 0);
    disk_fault_fail_at(d, 2, 1u << DISK_OP_WRITE, ERR_NOSPC, false);
    assert_int_equal(disk_write(d, f, "abcd", 4, 0), 0);
    disk_fault_torn(d, 2);
    assert_int_equal(disk_write(d, f, "efgh", 4, 4), ERR_NOSPC);
    assert_int_equal(disk_fault_hits(d), 1);
    struct disk_stat st;
    assert_int_equal(disk_stat_file(d, f, &st), 0);
    assert_int_equal(st.size, 6);
    assert_int_equal(disk_write(d, f, "efgh", 4, 4), 0);
    disk_fault_fail_at(d, 1, 0, ERR_IO, true);
    assert_int_equal(disk_sync_data(d, f), ERR_IO);
    assert_int_equal(disk_read(d, f, &st, 1, 0), ERR_IO);
    assert_int_equal(disk_fault_count(d), 2);
    disk_close(d, f);
    disk_free(d);
    disk_free(in);
}

static void test_capacity(void **state)
{
    struct disk *d = NULL;
    disk_mem_new(10, &d);
    int f = -1;
    assert_int_equal(disk_open(d, "a", DISK_WRITE | DISK_CREATE, &f), 0);
    assert_int_equal(disk_write(d, f, "0123456789", 10, 0), 0);
    assert_int_equal(disk_write(d, f, "xy", 2, 0), 0); // in place
    assert_int_equal(disk_write(d, f, "x", 1, 10), ERR_NOSPC);
    disk_mem_set_capacity(d, 11);
    assert_int_equal(disk_write(d, f, "x", 1, 10), 0);
    assert_int_equal(disk_unlink(d, "a"), 0);
    struct disk_space space;
    assert_int_equal(disk_space(d, &space), 0);
    assert_int_equal(space.free, 0); // still open
    disk_close(d, f);
    assert_int_equal(disk_space(d, &space), 0);
    assert_int_equal(space.free, 11);
    disk_free(d);
}

// What was synced survives every crash; what was not is sometimes there, sometimes not, sometimes half.
static void test_crash_content(void **state)
{
    bool seen_none = false, seen_all = false, seen_part = false, seen_reordered = false;
    for (uint64_t seed = 0; seed < 200; seed++) {
        struct disk *d = NULL;
        disk_mem_new(0, &d);
        int f = -1;
        uint8_t a[4096], b[4096], back[8192];
        memset(a, 'a', sizeof a);
        memset(b, 'b', sizeof b);
        assert_int_equal(disk_open(d, "log", DISK_WRITE | DISK_CREATE, &f), 0);
        assert_int_equal(disk_zero_fill(d, f, 0, 8192), 0);
        assert_int_equal(disk_write(d, f, "synced", 6, 0), 0);
        assert_int_equal(disk_sync_data(d, f), 0);
        assert_int_equal(disk_sync_dir(d, "."), 0);
        assert_int_equal(disk_write(d, f, a, 3072, 1024), 0);
        assert_int_equal(disk_write(d, f, b, 4096, 4096), 0);
        disk_mem_crash(d, seed);
        assert_int_equal(disk_read(d, f, back, 1, 0), ERR_IO); // stale
        assert_int_equal(disk_open(d, "log", DISK_READ, &f), 0);
        assert_int_equal(disk_read(d, f, back, 8192, 0), 0);
        assert_memory_equal(back, "synced", 6);
        size_t as = 0, bs = 0;
        for (size_t i = 1024; i < 8192; i++) {
            as += back[i] == 'a', bs += back[i] == 'b';
            assert_true(back[i] == 0 || back[i] == (i < 4096 ? 'a' : 'b'));
        }
        seen_none |= as + bs == 0;
        seen_all |= as == 3072 && bs == 4096;
        seen_part |= as && as < 3072;
        seen_reordered |= back[1024] == 0 && bs;
        disk_close(d, f);
        disk_free(d);
    }
    assert_true(seen_none && seen_all && seen_part && seen_reordered);
}

static void test_crash_names(void **state)
{
    bool seen_old = false, seen_new = false;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct disk *d = NULL;
        struct disk_stat st;
        disk_mem_new(0, &d);
        int f = -1;
        assert_int_equal(disk_mkdir(d, "parts"), 0);
        assert_int_equal(disk_sync_dir(d, "."), 0);
        assert_int_equal(disk_open(d, "parts/tmp", DISK_WRITE | DISK_CREATE, &f), 0);
        assert_int_equal(disk_write(d, f, "x", 1, 0), 0);
        assert_int_equal(disk_sync_data(d, f), 0);
        assert_int_equal(disk_sync_dir(d, "parts"), 0);
        disk_close(d, f);
        assert_int_equal(disk_rename(d, "parts/tmp", "parts/1"), 0);
        disk_mem_crash(d, seed);
        bool old = disk_stat(d, "parts/tmp", &st) == 0, new = disk_stat(d, "parts/1", &st) == 0;
        assert_true(old != new); // atomic
        seen_old |= old, seen_new |= new;
        assert_int_equal(st.size, 1);
        disk_free(d);
    }
    assert_true(seen_old && seen_new);
}

static void test_power_cut_and_failed_sync(void **state)
{
    struct disk *d = NULL;
    disk_mem_new(0, &d);
    int f = -1;
    char back[8];
    assert_int_equal(disk_open(d, "a", DISK_WRITE | DISK_CREATE, &f), 0);
    assert_int_equal(disk_sync_dir(d, "."), 0);
    assert_int_equal(disk_write(d, f, "lost", 4, 0), 0);
    disk_mem_fail_syncs(d, 1);
    assert_int_equal(disk_sync_data(d, f), ERR_IO);
    assert_int_equal(disk_sync_data(d, f), 0); // says so, and is wrong
    assert_int_equal(disk_read(d, f, back, 4, 0), 0);
    assert_memory_equal(back, "lost", 4);
    disk_mem_cut_at(d, 2);
    assert_int_equal(disk_write(d, f, "x", 1, 4), 0);
    assert_int_equal(disk_sync_data(d, f), ERR_IO);
    assert_int_equal(disk_read(d, f, back, 4, 0), ERR_IO);
    assert_int_equal(disk_mem_changes(d), 2);
    disk_mem_crash(d, 1);
    assert_int_equal(disk_open(d, "a", DISK_READ, &f), 0);
    size_t n = 0;
    assert_int_equal(disk_read_some(d, f, back, 8, 0, &n), 0);
    assert_true(n < 4 || memcmp(back, "lost", 4) != 0);
    disk_close(d, f);
    disk_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_contract), cmocka_unit_test(test_mem_contract),
        cmocka_unit_test(test_short_calls),   cmocka_unit_test(test_fail_nth),
        cmocka_unit_test(test_capacity),      cmocka_unit_test(test_crash_content),
        cmocka_unit_test(test_crash_names),   cmocka_unit_test(test_power_cut_and_failed_sync),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
