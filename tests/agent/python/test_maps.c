#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/python/maps.h"
#include "base/mem.h"
#include <cmocka.h>

static void test_lines(void **state)
{
    str text = STR("55d0-55e0 r-xp 00001000 fe:01 1234                       /usr/bin/py thon (deleted)\n"
                   "nonsense\n"
                   "7ffd0000-7ffd2000 rw-p 00000000 00:00 0                  [stack]\n"
                   "9-8 r--p 0 0:0 0\n"
                   "10-20 rw-s 00000000 00:01 7 ");
    struct maps_entry e;
    assert_true(maps_next(&text, &e));
    assert_int_equal(e.start, 0x55d0);
    assert_int_equal(e.end, 0x55e0);
    assert_int_equal(e.offset, 0x1000);
    assert_int_equal(e.inode, 1234);
    assert_true(e.read && e.exec && !e.write && !e.shared);
    assert_true(str_eq(e.path, STR("/usr/bin/py thon (deleted)")));
    assert_true(maps_next(&text, &e)); // what is no line, or ends before it begins, is passed over
    assert_true(str_eq(e.path, STR("[stack]")));
    assert_true(maps_next(&text, &e));
    assert_true(e.shared && e.write && e.path.len == 0);
    assert_false(maps_next(&text, &e));
}

static void test_status(void **state)
{
    uint64_t v = 7;
    assert_true(maps_status_number(STR("Name:\tx\nTracerPid:\t42\nSeccomp:\t2\n"), "TracerPid", &v));
    assert_int_equal(v, 42);
    assert_false(maps_status_number(STR("Name:\tTracerPid:\t42\n"), "TracerPid", &v));
    assert_int_equal(v, 42);
}

static void test_self(void **state)
{
    char *text = NULL;
    size_t len = 0;
    assert_int_equal(maps_proc_read(getpid(), "maps", MAPS_BYTES_MAX, &text, &len), 0);
    str rest = str_of(text, len);
    struct maps_entry e;
    bool stack = false, opened = false;
    while (maps_next(&rest, &e)) {
        stack |= str_eq(e.path, STR("[stack]"));
        int fd = -1;
        if (!opened && e.inode && maps_open(getpid(), &e, &fd) == 0) {
            opened = true;
            close(fd);
        }
    }
    mem_free(text);
    assert_true(stack && opened);
    assert_int_equal(maps_proc_read(getpid(), "maps", 16, &text, &len), ERR_LIMIT);
    assert_int_equal(maps_proc_read(-5, "maps", MAPS_BYTES_MAX, &text, &len), ERR_NOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines), cmocka_unit_test(test_status),
                                        cmocka_unit_test(test_self) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
