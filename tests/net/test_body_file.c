// Long bodies on the disk: they have no name there, keep their address as they grow, and what the disk cannot give is an error.
#include "net/body_file.h"

#include "base/err.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { MIB = 1 << 20 };

static int names_in(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;
    for (struct dirent *e = readdir(d); e; e = readdir(d))
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static void it_grows_where_it_is(void **state)
{
    char dir[] = "/tmp/clew-body-XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct body_file *f = body_file_open(dir, 8 * MIB);
    assert_non_null(f);
    assert_int_equal(f->len, 0);
    assert_int_equal(body_file_grow(f, 100), 0);
    memset(f->ptr, 'a', 100);
    uint8_t *before = f->ptr;
    assert_int_equal(body_file_grow(f, 8 * MIB), 0);
    assert_ptr_equal(f->ptr, before);
    memset(f->ptr + 100, 'b', 8 * MIB - 100);
    assert_int_equal(body_file_grow(f, 10), 0); // it never shrinks
    assert_int_equal(f->len, 8 * MIB);
    assert_true(f->ptr[99] == 'a' && f->ptr[100] == 'b' && f->ptr[8 * MIB - 1] == 'b');
    assert_int_equal(names_in(dir), 0);
    body_file_close(f);
    body_file_close(NULL);
    assert_int_equal(rmdir(dir), 0);
}

static void where_there_is_no_directory_there_is_none(void **state)
{
    assert_null(body_file_open("/tmp/clew-body-none/there", MIB));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(it_grows_where_it_is),
                                        cmocka_unit_test(where_there_is_no_directory_there_is_none) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
