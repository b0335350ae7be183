#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static mode_t mode_of(const char *dir, const char *name)
{
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 0777;
}

static void first_start_closes_everything_to_others(void **state)
{
    struct scratch s;
    mode_t before = umask(0); // the most careless caller
    scratch_open(&s);
    umask(before);
    assert_int_equal(mode_of(s.dir, "."), 0700);
    assert_int_equal(mode_of(s.dir, "meta.db"), 0600);
    assert_int_equal(mode_of(s.dir, "meta.db-wal"), 0600);
    assert_int_equal(mode_of(s.dir, "meta.db-shm"), 0600);
    scratch_close(&s);
}

static void loose_modes_are_tightened_at_the_next_start(void **state)
{
    struct scratch s;
    char path[128];
    scratch_open(&s);
    snprintf(path, sizeof path, "%s/meta.db", s.dir);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(chmod(s.dir, 0755), 0);
    scratch_reopen(&s);
    assert_int_equal(mode_of(s.dir, "."), 0700);
    assert_int_equal(mode_of(s.dir, "meta.db"), 0600);
    scratch_close(&s);
}

static void a_foreign_open_directory_is_refused_and_left_alone(void **state)
{
    char dir[] = "/tmp/clew-meta-XXXXXX", path[128];
    struct meta *m = NULL;
    struct err err;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(chmod(dir, 0755), 0);
    snprintf(path, sizeof path, "%s/somebody's", dir);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(meta_open(dir, true, &m, &err), ERR_DENIED);
    assert_null(m);
    assert_int_equal(mode_of(dir, "."), 0755);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

static void a_link_in_place_of_the_file_is_refused(void **state)
{
    char dir[] = "/tmp/clew-meta-XXXXXX", path[128], target[128];
    struct meta *m = NULL;
    struct err err;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/meta.db", dir);
    snprintf(target, sizeof target, "%s.elsewhere", dir);
    assert_int_equal(symlink(target, path), 0);
    assert_true(meta_open(dir, true, &m, &err) < 0);
    assert_int_equal(access(target, F_OK), -1);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

static void without_create_a_missing_directory_is_an_error_with_a_hint(void **state)
{
    struct meta *m = NULL;
    struct err err;
    assert_int_equal(meta_open("/tmp/clew-meta-is-not-here", false, &m, &err), ERR_NOENT);
    char dir[] = "/tmp/clew-meta-XXXXXX";
    assert_non_null(mkdtemp(dir));
    assert_int_equal(meta_open(dir, false, &m, &err), ERR_NOENT);
    assert_non_null(strstr(err.hint, "clew serve"));
    assert_int_equal(rmdir(dir), 0);
}

static void a_file_of_a_newer_version_is_refused(void **state)
{
    struct scratch s;
    struct meta *m = NULL;
    struct err err;
    scratch_open(&s);
    scratch_sql(&s, "INSERT INTO schema_versions (version, applied_ns) VALUES (9999, 0)");
    assert_int_equal(meta_open(s.dir, false, &m, &err), ERR_UNSUPPORTED);
    assert_string_equal(err.slug, "newer_version");
    scratch_close(&s);
}

static void a_file_of_garbage_is_refused(void **state)
{
    char dir[] = "/tmp/clew-meta-XXXXXX", path[128];
    struct meta *m = NULL;
    struct err err;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/meta.db", dir);
    FILE *f = fopen(path, "w");
    for (int i = 0; i < 4096; i++)
        fputc(i * 7 & 0xff, f);
    fclose(f);
    assert_int_equal(meta_open(dir, true, &m, &err), ERR_CORRUPT);
    unlink(path);
    assert_int_equal(rmdir(dir), 0);
}

// Every allocation on the way fails in turn: an error comes back, nothing leaks, the file stays usable.
static void opening_survives_the_failure_of_any_allocation(void **state)
{
    struct scratch s;
    scratch_open(&s);
    meta_close(s.meta);
    for (int64_t n = 1;; n++) {
        struct meta *m = NULL;
        struct err err;
        mem_fail_at(n);
        int r = meta_open(s.dir, false, &m, &err);
        int64_t seen = mem_fail_count();
        mem_fail_at(0);
        if (r == 0)
            meta_close(m);
        else
            assert_null(m);
        if (seen < n)
            break;
    }
    struct err err;
    assert_int_equal(meta_open(s.dir, false, &s.meta, &err), 0);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_start_closes_everything_to_others),
        cmocka_unit_test(loose_modes_are_tightened_at_the_next_start),
        cmocka_unit_test(a_foreign_open_directory_is_refused_and_left_alone),
        cmocka_unit_test(a_link_in_place_of_the_file_is_refused),
        cmocka_unit_test(without_create_a_missing_directory_is_an_error_with_a_hint),
        cmocka_unit_test(a_file_of_a_newer_version_is_refused),
        cmocka_unit_test(a_file_of_garbage_is_refused),
        cmocka_unit_test(opening_survives_the_failure_of_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
