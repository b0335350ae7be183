// What goes and what stays: with time, without room, and over crashes and disks that fail at any call.
#include "scratch.h"

#include "artifacts/artifacts_internal.h"
#include "disk_fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

static int put(struct artifact ref, const char *content, int64_t *ret_id)
{
    struct err err = { 0 };
    return artifact_put(s.artifacts, &ref, bytes_of_str(str_z(content)), ret_id, &err);
}

static bool is_there(int64_t id)
{
    struct artifact found;
    struct err err = { 0 };
    int r = artifact_find(s.artifacts, id, &s.arena, &found, &err);
    assert_true(r == 0 || r == ERR_NOENT);
    struct buf out;
    buf_init(&out, 1 << 20);
    if (r == 0)
        assert_int_equal(artifact_load(s.artifacts, found.digest, 1 << 20, &out, &err), 0);
    buf_free(&out);
    return r == 0;
}

static void collect(int64_t now)
{
    struct err err = { 0 };
    assert_int_equal(artifacts_collect(s.artifacts, now, &err), 0);
}

static void time_takes_what_belongs_to_records(void **unused)
{
    int64_t old, young, upload, chunk, shared;
    s.options.retention_ns = 1000;
    scratch_reopen(&s);
    put((struct artifact){ .project = 1, .kind = ARTIFACT_REPLAY, .received = 5000 }, "old", &old);
    put((struct artifact){ .project = 1, .kind = ARTIFACT_REPLAY, .received = 6000 }, "young", &young);
    put((struct artifact){ .project = 1, .kind = ARTIFACT_ATTACHMENT, .received = 6000 }, "old", &shared);
    put((struct artifact){ .kind = ARTIFACT_BUNDLE, .received = 10 }, "upload", &upload);
    put((struct artifact){ .kind = ARTIFACT_CHUNK, .received = 5000, .expires = 6200 }, "chunk", &chunk);
    collect(6000);
    assert_true(is_there(old) && is_there(chunk));
    collect(6100);
    assert_true(!is_there(old) && is_there(young) && is_there(upload) && is_there(chunk) && is_there(shared));
    collect(6300);
    assert_true(!is_there(chunk) && is_there(young));
    collect(99999);
    assert_true(!is_there(young) && !is_there(shared) && is_there(upload));
    assert_int_equal(scratch_files(&s), 1);
}

static void an_upload_that_is_wanted_again_lives_longer(void **unused)
{
    int64_t first, second;
    put((struct artifact){ .kind = ARTIFACT_CHUNK, .expires = 100 }, "chunk", &first);
    put((struct artifact){ .kind = ARTIFACT_CHUNK, .expires = 300 }, "chunk", &second);
    assert_int_equal(first, second);
    put((struct artifact){ .kind = ARTIFACT_CHUNK, .expires = 200 }, "chunk", &second);
    collect(250);
    assert_true(is_there(first));
    collect(301);
    assert_false(is_there(first));
}

static void the_oldest_go_when_there_is_no_room(void **unused)
{
    int64_t ids[40], upload;
    s.options.cap_bytes = 100000;
    scratch_reopen(&s);
    uint8_t *p = scratch_content(8000, false, 1);
    struct err err = { 0 };
    assert_int_equal(put((struct artifact){ .kind = ARTIFACT_BUNDLE }, "upload", &upload), 0);
    for (int i = 0; i < 40; i++) {
        struct artifact ref = { .project = 1, .kind = ARTIFACT_REPLAY, .received = 1000 + i };
        p[0] = (uint8_t)i;
        assert_int_equal(artifact_put(s.artifacts, &ref, bytes_of(p, 8000), &ids[i], &err), 0);
        struct artifacts_stats st;
        artifacts_stats(s.artifacts, &st);
        assert_true(st.stored_bytes <= 100000);
    }
    assert_true(is_there(ids[39]) && is_there(ids[35]) && !is_there(ids[0]) && is_there(upload));
    // Uploads do not go: when they alone are too much, nothing more is taken.
    for (int i = 0; i < 13; i++) {
        struct artifact ref = { .kind = ARTIFACT_BUNDLE };
        p[0] = (uint8_t)(100 + i);
        int r = artifact_put(s.artifacts, &ref, bytes_of(p, 8000), NULL, &err);
        assert_int_equal(r, i < 12 ? 0 : ERR_NOSPC);
    }
    assert_string_equal(err.slug, "artifacts_full");
    assert_int_equal(put((struct artifact){ .project = 1, .kind = ARTIFACT_REPLAY }, "small", NULL), 0);
    free(p);
    p = scratch_content(200000, false, 1);
    struct artifact ref = { .kind = ARTIFACT_REPLAY };
    assert_int_equal(artifact_put(s.artifacts, &ref, bytes_of(p, 200000), NULL, &err), ERR_NOSPC);
    assert_true(is_there(upload));
    free(p);
}

// The process ends between any two steps: what is found at the next start is whole references and, after collecting, no other file.
static void a_crash_leaves_nothing(void **unused)
{
    char path[160];
    int64_t id;
    assert_int_equal(put((struct artifact){ .project = 1, .kind = ARTIFACT_REPLAY }, "kept", &id), 0);
    struct artifact found;
    struct err err = { 0 };
    assert_int_equal(artifact_find(s.artifacts, id, &s.arena, &found, &err), 0);
    // Named, but without a row; a temporary one; and what is not ours.
    snprintf(path, sizeof path, "%s/artifacts/ab", s.dir);
    assert_int_equal(disk_mkdir(s.real, "artifacts/ab"), 0);
    static const char *const files[] = {
        "artifacts/ab/ab00000000000000000000000000000000000000000000000000000000000000",
        "artifacts/tmp/7",
        "artifacts/ab/README",
    };
    for (int i = 0; i < 3; i++) {
        int file;
        assert_int_equal(disk_open(s.real, files[i], DISK_WRITE | DISK_CREATE, &file), 0);
        disk_close(s.real, file);
    }
    assert_int_equal(scratch_files(&s), 4);
    scratch_reopen(&s);
    assert_int_equal(scratch_files(&s), 3);
    collect(0);
    assert_int_equal(scratch_files(&s), 2);
    assert_true(is_there(id));
    // A content that was collected by half: its file is gone, its row not yet.
    assert_int_equal(db_begin(&s.artifacts->writer, &err), 0);
    assert_int_equal(reference_remove(s.artifacts, id, &err), 0);
    assert_int_equal(db_commit(&s.artifacts->writer, &err), 0);
    char blob[BLOB_PATH_MAX];
    blob_path(found.digest, blob);
    assert_int_equal(disk_unlink(s.real, blob), 0);
    int64_t again;
    assert_int_equal(put((struct artifact){ .project = 1, .kind = ARTIFACT_REPLAY }, "kept", &again), 0);
    assert_true(again != id && is_there(again));
    collect(0);
    assert_true(is_there(again));
}

// Each call of the disk fails in turn. A put that says so has left nothing, and works the next time.
static void any_call_may_fail(void **unused)
{
    static const int codes[] = { ERR_IO, ERR_NOSPC };
    uint8_t *p = scratch_content(300000, true, 5);
    for (int c = 0; c < 2; c++) {
        for (int64_t nth = 1;; nth++) {
            struct artifact ref = { .project = 1, .kind = ARTIFACT_PROFILE, .profile = STR("p") };
            struct err err = { 0 };
            int64_t id = 0;
            disk_fault_fail_at(s.disk, nth, 0, codes[c], false);
            int r = artifact_put(s.artifacts, &ref, bytes_of(p, 300000), &id, &err);
            bool failed = disk_fault_hits(s.disk) > 0;
            disk_fault_fail_at(s.disk, 0, 0, 0, false);
            if (r < 0) {
                assert_int_equal(r, codes[c]);
                assert_true(err.message[0] != 0);
                collect(0); // an unlink may be what failed
                assert_true(scratch_files(&s) <= 1);
                assert_int_equal(artifact_put(s.artifacts, &ref, bytes_of(p, 300000), &id, &err), 0);
            }
            assert_true(is_there(id));
            assert_int_equal(artifact_unref(s.artifacts, id, &err), 0);
            p[0]++;
            if (!failed)
                break;
        }
    }
    free(p);
}

static void collecting_may_fail_too(void **unused)
{
    struct err err = { 0 };
    for (int64_t nth = 1; nth < 8; nth++) {
        int64_t id, id2;
        assert_int_equal(put((struct artifact){ .project = 1, .kind = ARTIFACT_CHUNK, .expires = 1 }, "gone", &id), 0);
        assert_int_equal(put((struct artifact){ .project = 1, .kind = ARTIFACT_CHUNK }, "stays", &id2), 0);
        disk_fault_fail_at(s.disk, nth, 0, ERR_IO, false);
        artifacts_collect(s.artifacts, 2, &err);
        disk_fault_fail_at(s.disk, 0, 0, 0, false);
        collect(2);
        assert_true(!is_there(id) && is_there(id2));
        assert_int_equal(scratch_files(&s), 1);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(time_takes_what_belongs_to_records),
        T(an_upload_that_is_wanted_again_lives_longer),
        T(the_oldest_go_when_there_is_no_room),
        T(a_crash_leaves_nothing),
        T(any_call_may_fail),
        T(collecting_may_fail_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
