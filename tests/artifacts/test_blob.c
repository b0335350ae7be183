// Contents: what was put is read back, of every size and kind, packed or not; what was damaged is noticed; writing piece by piece is
// the same as at once.
#include "scratch.h"

#include "base/hex.h"
#include "disk_fault.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
// cmocka.h needs these before it
#include <cmocka.h>

static struct scratch s;
static int setup(void **unused)
{
    scratch_open(&s);
    return 0;
}
static int teardown(void **unused)
{
    scratch_close(&s);
    return 0;
}

static void path_of(const uint8_t digest[ARTIFACT_DIGEST], char path[160])
{
    char hex[65] = "";
    hex_encode(hex, digest, 32);
    snprintf(path, 160, "%s/artifacts/%.2s/%s", s.dir, hex, hex);
}

static void assert_content(const uint8_t digest[ARTIFACT_DIGEST], const uint8_t *p, size_t n)
{
    struct buf out;
    struct err err = { 0 };
    buf_init(&out, n + 1);
    assert_int_equal(artifact_load(s.artifacts, digest, n, &out, &err), 0);
    assert_int_equal(out.len, n);
    assert_memory_equal(out.ptr, p, n);
    buf_free(&out);
}

static void every_size_is_read_back(void **unused)
{
    static const size_t sizes[] = { 0, 1, 100, 131071, 131072, 131073, 262144, 3000001 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int packs = 0; packs < 2; packs++) {
            uint8_t digest[ARTIFACT_DIGEST], *p = scratch_content(sizes[i], packs, 7);
            struct err err = { 0 };
            char path[160];
            struct stat st;
            struct artifact ref = { .project = 1, .kind = ARTIFACT_ATTACHMENT, .event = STR("e") };
            assert_int_equal(artifact_put(s.artifacts, &ref, bytes_of(p, sizes[i]), NULL, &err), 0);
            artifact_digest(bytes_of(p, sizes[i]), digest);
            assert_content(digest, p, sizes[i]);
            path_of(digest, path);
            assert_int_equal(stat(path, &st), 0);
            assert_int_equal(st.st_mode & 0777, 0600);
            if (packs && sizes[i] > 1000)
                assert_true((size_t)st.st_size < sizes[i] / 10);
            else
                assert_true((size_t)st.st_size <= sizes[i] + 64);
            free(p);
        }
    }
}

static void pieces_are_the_same_as_the_whole(void **unused)
{
    enum { N = 700001 };
    uint8_t *p = scratch_content(N, true, 3), digest[ARTIFACT_DIGEST];
    for (size_t step = 1; step < N; step = step * 7 + 13) {
        struct artifact_writer *w;
        struct err err = { 0 };
        struct artifact ref = { .kind = ARTIFACT_BUNDLE, .name = STR("b") }, found;
        int64_t id;
        assert_int_equal(artifact_writer_open(s.artifacts, N, &w, &err), 0);
        for (size_t at = 0; at < N; at += step)
            assert_int_equal(artifact_writer_append(w, bytes_of(p + at, at + step < N ? step : N - at), &err), 0);
        assert_int_equal(artifact_writer_put_take(w, &ref, &id, &err), 0);
        artifact_digest(bytes_of(p, N), digest);
        assert_int_equal(artifact_find(s.artifacts, id, &s.arena, &found, &err), 0);
        assert_memory_equal(found.digest, digest, sizeof digest);
        assert_int_equal(found.size, N);
    }
    assert_content(digest, p, N);
    assert_int_equal(scratch_files(&s), 1);
    free(p);
}

static void a_writer_has_a_cap_and_leaves_nothing(void **unused)
{
    struct artifact_writer *w;
    struct err err = { 0 };
    uint8_t *p = scratch_content(300000, false, 1);
    assert_int_equal(artifact_writer_open(s.artifacts, 299999, &w, &err), 0);
    assert_int_equal(artifact_writer_append(w, bytes_of(p, 200000), &err), 0);
    assert_int_equal(scratch_files(&s), 1); // on its way
    assert_int_equal(artifact_writer_append(w, bytes_of(p, 100000), &err), ERR_LIMIT);
    artifact_writer_abort_take(w);
    assert_int_equal(scratch_files(&s), 0);
    free(p);
}

// Any byte of the file that is another one is noticed, and so is a file that is cut.
static void damage_is_noticed(void **unused)
{
    for (int packs = 0; packs < 2; packs++) {
        uint8_t *p = scratch_content(5000, packs, 9), digest[ARTIFACT_DIGEST], byte;
        struct err err = { 0 };
        struct artifact ref = { .project = 1, .kind = ARTIFACT_ATTACHMENT };
        char path[160];
        struct stat st;
        struct buf out;
        int unnoticed = 0;
        assert_int_equal(artifact_put(s.artifacts, &ref, bytes_of(p, 5000), NULL, &err), 0);
        artifact_digest(bytes_of(p, 5000), digest);
        path_of(digest, path);
        int fd = open(path, O_RDWR);
        assert_true(fd >= 0 && fstat(fd, &st) == 0);
        for (off_t at = 0; at<st.st_size; at += st.st_size> 200 ? 97 : 1) {
            if (at >= 5 && at < 8) // not in use
                continue;
            assert_int_equal(pread(fd, &byte, 1, at), 1);
            byte ^= 0x10;
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
            buf_init(&out, 10000);
            int r = artifact_load(s.artifacts, digest, 10000, &out, &err);
            if (r == 0) // a frame of zstd has bits that say nothing
                assert_true(out.len == 5000 && memcmp(out.ptr, p, 5000) == 0);
            else
                assert_true((r == ERR_CORRUPT || r == ERR_LIMIT) && out.len == 0);
            unnoticed += r == 0;
            buf_free(&out);
            byte ^= 0x10;
            assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        }
        assert_true(packs || unnoticed == 0);
        assert_content(digest, p, 5000);
        assert_int_equal(ftruncate(fd, st.st_size - 1), 0);
        buf_init(&out, 10000);
        assert_int_equal(artifact_load(s.artifacts, digest, 10000, &out, &err), ERR_CORRUPT);
        buf_free(&out);
        close(fd);
        free(p);
    }
}

static void a_reader_takes_what_it_opened(void **unused)
{
    struct err err = { 0 };
    struct artifact ref = { .project = 1, .kind = ARTIFACT_ATTACHMENT };
    uint8_t *p = scratch_content(400000, false, 2), digest[ARTIFACT_DIGEST], got[3000];
    struct artifact_reader *r;
    uint64_t size;
    size_t n, all = 0;
    int64_t id;
    assert_int_equal(artifact_put(s.artifacts, &ref, bytes_of(p, 400000), &id, &err), 0);
    artifact_digest(bytes_of(p, 400000), digest);
    disk_fault_short(s.disk, 777);
    assert_int_equal(artifact_reader_open(s.artifacts, digest, &r, &size, &err), 0);
    assert_int_equal(size, 400000);
    assert_int_equal(artifact_unref(s.artifacts, id, &err), 0); // while it is being read
    while (artifact_reader_read(r, got, sizeof got, &n, &err) == 0 && n) {
        assert_memory_equal(got, p + all, n);
        all += n;
    }
    assert_int_equal(all, 400000);
    artifact_reader_close(r);
    assert_int_equal(artifact_reader_open(s.artifacts, digest, &r, &size, &err), ERR_NOENT);
    disk_fault_short(s.disk, 0);
    free(p);
}

static void longer_than_the_reader_wants(void **unused)
{
    struct err err = { 0 };
    struct artifact ref = { .project = 1, .kind = ARTIFACT_ATTACHMENT };
    uint8_t digest[ARTIFACT_DIGEST];
    struct buf out;
    artifact_put(s.artifacts, &ref, bytes_of_str(STR("twelve bytes")), NULL, &err);
    artifact_digest(bytes_of_str(STR("twelve bytes")), digest);
    buf_init(&out, 1000);
    assert_int_equal(artifact_load(s.artifacts, digest, 11, &out, &err), ERR_LIMIT);
    assert_int_equal(artifact_load(s.artifacts, digest, 12, &out, &err), 0);
    assert_int_equal(out.len, 12);
    buf_free(&out);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(every_size_is_read_back), T(pieces_are_the_same_as_the_whole), T(a_writer_has_a_cap_and_leaves_nothing),
        T(damage_is_noticed),       T(a_reader_takes_what_it_opened),    T(longer_than_the_reader_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
