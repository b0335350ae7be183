#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "main/run_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], path[128];

static int set_up(void **state)
{
    snprintf(dir, sizeof dir, "/tmp/clew-run-XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/run.json", dir);
    return 0;
}

static int tear_down(void **state)
{
    unlink(path);
    return rmdir(dir);
}

static void what_is_written_is_read_and_closed_to_others(void **state)
{
    struct run_file f = { .url = "https://clew.example.com",
                          .local = "http://127.0.0.1:1",
                          .token = "clew_x",
                          .pid = (int)getpid() },
                    g;
    struct stat st;
    struct err err;
    mode_t before = umask(0);
    assert_int_equal(run_file_write(dir, &f, &err), 0);
    umask(before);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(run_file_read(dir, &g, &err), 0);
    assert_string_equal(g.url, f.url);
    assert_string_equal(g.local, f.local);
    assert_string_equal(g.token, f.token);
    run_file_remove(dir);
    assert_int_equal(run_file_read(dir, &g, &err), ERR_NOENT);
}

static void a_file_of_a_dead_process_counts_as_none(void **state)
{
    struct run_file f = { .url = "https://clew.example.com",
                          .local = "http://127.0.0.1:1",
                          .token = "clew_x",
                          .pid = 0x7ffffffe },
                    g;
    struct err err;
    assert_int_equal(run_file_write(dir, &f, &err), 0);
    assert_int_equal(run_file_read(dir, &g, &err), ERR_NOENT);
}

// It says where the token goes: a file that others may write, or a link, is not believed.
static void a_file_that_others_may_write_is_not_believed(void **state)
{
    struct run_file f = { .url = "https://clew.example.com",
                          .local = "http://127.0.0.1:1",
                          .token = "clew_x",
                          .pid = (int)getpid() },
                    g;
    struct err err;
    char other[160];
    assert_int_equal(run_file_write(dir, &f, &err), 0);
    assert_int_equal(chmod(path, 0666), 0);
    assert_int_equal(run_file_read(dir, &g, &err), ERR_NOENT);
    snprintf(other, sizeof other, "%s.real", path);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    assert_int_equal(run_file_read(dir, &g, &err), ERR_NOENT);
    unlink(other);
}

static void garbage_counts_as_none(void **state)
{
    static const char *const texts[] = {
        "", "{", "[]", "{\"pid\":1}", "{\"pid\":-1,\"url\":\"x\"}", "{\"pid\":\"1\",\"url\":\"x\"}"
    };
    struct run_file g;
    struct err err;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        FILE *f = fopen(path, "w");
        fputs(texts[i], f);
        fclose(f);
        chmod(path, 0600);
        assert_int_equal(run_file_read(dir, &g, &err), ERR_NOENT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_written_is_read_and_closed_to_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_of_a_dead_process_counts_as_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_others_may_write_is_not_believed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(garbage_counts_as_none, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
