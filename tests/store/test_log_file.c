// The commit log on disks that lose power, fill up and fail: what was appended with success is replayed, in
// order, once; a torn tail is no damage, damage in the middle is said.
#include "base/must.h"
#include "disk_fault.h"
#include "disk_mem.h"
#include "store/log_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h needs the two above
#include <cmocka.h>

enum { FILE_SIZE = 64 << 10 };

// A block of `size` payload bytes that begins with its number.
static void make_block(struct buf *b, uint64_t number, size_t size)
{
    buf_clear(b);
    uint8_t *p = buf_extend(b, LOG_BLOCK_HEADER + size);
    memset(p, (int)number, LOG_BLOCK_HEADER + size);
    le64_put(p + LOG_BLOCK_HEADER, number);
}

static int append(struct log_stream *s, uint64_t first, size_t n, size_t size)
{
    struct buf blocks[16];
    struct log_entry entries[16];
    must(n <= 16);
    for (size_t i = 0; i < n; i++) {
        buf_init(&blocks[i], LOG_BLOCK_MAX);
        make_block(&blocks[i], first + i, size);
        entries[i] = (struct log_entry){ .block = &blocks[i], .header = { .lane = 3, .received = 5 } };
    }
    int e = log_stream_append(s, entries, n, true);
    for (size_t i = 0; i < n; i++)
        buf_free(&blocks[i]);
    return e;
}

struct seen {
    uint64_t generation, next;
    bool hole;
};

static int see(void *ctx, bytes block, const struct log_block_header *h)
{
    struct seen *s = ctx;
    assert_int_equal(le64_get(block.ptr + LOG_BLOCK_HEADER), s->next);
    assert_int_equal(h->sequence, s->next);
    assert_int_equal(h->generation, s->generation);
    assert_int_equal(h->lane, 3);
    s->next++;
    return 0;
}

// What a fresh start finds of a generation.
static struct seen replay(struct disk *disk, uint64_t generation)
{
    struct log_files lf;
    assert_int_equal(log_files_init(&lf, disk, FILE_SIZE, FILE_SIZE), 0);
    struct log_scan_file *files;
    size_t n;
    assert_int_equal(log_files_scan(&lf, &files, &n), 0);
    struct seen s = { .generation = generation };
    struct log_replay rp = { .block = see, .ctx = &s };
    for (size_t i = 0; i < n; i++) {
        if (files[i].generation == generation && !rp.hole) {
            if (files[i].sequence > rp.expected)
                rp.hole = true;
            else
                assert_int_equal(log_file_replay(&lf, &files[i], &rp), 0);
        }
        log_files_drop(&lf, files[i].f);
    }
    s.hole = rp.hole;
    mem_free(files);
    log_files_free(&lf);
    return s;
}

static void test_over_several_files_and_recycled_ones(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct log_files lf;
    assert_int_equal(log_files_init(&lf, disk, FILE_SIZE, FILE_SIZE), 0);
    for (uint64_t generation = 1; generation <= 6; generation++) {
        struct log_stream *s = log_stream_new(&lf, generation);
        uint64_t n = 0;
        for (; n < 40; n += 8)
            assert_int_equal(append(s, n, 8, 3000 + n), 0);
        assert_int_equal(append(s, n++, 1, 3 * FILE_SIZE), 0); // larger than a file
        assert_int_equal(append(s, n++, 1, 10), 0);
        struct seen seen = replay(disk, generation);
        assert_int_equal(seen.next, n);
        assert_false(seen.hole);
        log_stream_free(s, generation % 3 != 0); // some are left for the next start
    }
    assert_int_equal(replay(disk, 3).next, 42);
    assert_int_equal(replay(disk, 6).next, 42);
    log_files_free(&lf);
    disk_free(disk);
}

// Power is cut at every changing call in turn: all that was acknowledged is there, and no hole is claimed.
static void test_power_cuts(void **state)
{
    for (int64_t cut = 1; cut < 80; cut++) {
        for (uint64_t seed = 1; seed <= 6; seed++) {
            struct disk *disk;
            assert_int_equal(disk_mem_new(0, &disk), 0);
            struct log_files lf;
            assert_int_equal(log_files_init(&lf, disk, FILE_SIZE, FILE_SIZE), 0);
            assert_int_equal(log_files_prepare(&lf), 0);
            struct log_stream *s = log_stream_new(&lf, 1);
            disk_mem_cut_at(disk, cut);
            uint64_t acknowledged = 0, tried = 0;
            for (int k = 0; k < 20 && acknowledged == tried; k++) {
                tried = acknowledged + 4;
                if (append(s, acknowledged, 4, 2500) == 0)
                    acknowledged = tried;
            }
            log_stream_free(s, false);
            log_files_free(&lf);
            disk_mem_crash(disk, seed * 1000 + (uint64_t)cut);
            struct seen seen = replay(disk, 1);
            assert_true(seen.next >= acknowledged && seen.next <= tried);
            assert_false(seen.hole);
            disk_free(disk);
        }
    }
}

// A sync fails once: the file is abandoned, the blocks go to another, and nothing comes twice.
static void test_failed_sync(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct log_files lf;
    assert_int_equal(log_files_init(&lf, disk, FILE_SIZE, FILE_SIZE), 0);
    struct log_stream *s = log_stream_new(&lf, 1);
    assert_int_equal(append(s, 0, 4, 100), 0);
    disk_mem_fail_syncs(disk, 1);
    assert_int_equal(append(s, 4, 4, 100), 0);
    assert_int_equal(append(s, 8, 4, 100), 0);
    assert_int_equal(replay(disk, 1).next, 12);
    disk_mem_crash(disk, 1);
    struct seen seen = replay(disk, 1);
    assert_int_equal(seen.next, 12);
    assert_false(seen.hole);
    log_stream_free(s, false);
    log_files_free(&lf);
    disk_free(disk);
}

static void test_full_disk(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(FILE_SIZE + FILE_SIZE / 2, &disk), 0);
    struct log_files lf;
    assert_int_equal(log_files_init(&lf, disk, FILE_SIZE, FILE_SIZE), 0);
    struct log_stream *s = log_stream_new(&lf, 1);
    uint64_t n = 0;
    int e;
    while ((e = append(s, n, 1, 3000)) == 0)
        n++;
    assert_int_equal(e, ERR_NOSPC);
    assert_true(n >= 19);
    assert_int_equal(replay(disk, 1).next, n);
    disk_mem_set_capacity(disk, 0);
    assert_int_equal(log_files_prepare(&lf), 0);
    assert_true(log_files_have_spare(&lf));
    log_stream_free(s, false);
    log_files_free(&lf);
    disk_free(disk);
}

static void test_damage_in_the_middle_is_a_hole(void **state)
{
    struct disk *disk;
    assert_int_equal(disk_mem_new(0, &disk), 0);
    struct log_files lf;
    assert_int_equal(log_files_init(&lf, disk, FILE_SIZE, FILE_SIZE), 0);
    struct log_stream *s = log_stream_new(&lf, 1);
    for (uint64_t n = 0; n < 8; n++) // each a group of its own
        assert_int_equal(append(s, n, 1, 1000), 0);
    // Block 3 begins at LOG_FILE_BEGIN + 3 * 1072.
    assert_int_equal(disk_mem_flip_bit(disk, s->first->path, LOG_FILE_BEGIN + 3 * 1072 + 500, 2), 0);
    struct seen seen = replay(disk, 1);
    assert_int_equal(seen.next, 3);
    assert_true(seen.hole);
    // The last block damaged: as torn as it could be by a crash.
    assert_int_equal(disk_mem_flip_bit(disk, s->first->path, LOG_FILE_BEGIN + 3 * 1072 + 500, 2), 0);
    assert_int_equal(disk_mem_flip_bit(disk, s->first->path, LOG_FILE_BEGIN + 7 * 1072 + 500, 2), 0);
    seen = replay(disk, 1);
    assert_int_equal(seen.next, 7);
    assert_false(seen.hole);
    log_stream_free(s, false);
    log_files_free(&lf);
    disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_over_several_files_and_recycled_ones),
        cmocka_unit_test(test_power_cuts),
        cmocka_unit_test(test_failed_sync),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_damage_in_the_middle_is_a_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
