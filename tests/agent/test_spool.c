// What waits survives whoever kept it; what is acknowledged, damaged or too much does not.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/spool.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct disk *disk;
static char dir[] = "/tmp/clew-spool-XXXXXX";

static int setup(void **state) { return mkdtemp(dir) && disk_open_root(dir, &disk) == 0 ? 0 : -1; }

static int teardown(void **state)
{
    disk_unlink(disk, "spool");
    disk_free(disk);
    return rmdir(dir);
}

static struct spool *again(struct spool *s, uint64_t max)
{
    struct err err;
    spool_close(s);
    assert_int_equal(spool_open(disk, max, &s, &err), 0);
    return s;
}

static void expect(struct spool *s, const char *text)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    int rc = spool_next(s, &b);
    assert_int_equal(rc, text ? 1 : 0);
    if (text)
        assert_true(str_eq(buf_view(&b), str_z(text)));
    buf_free(&b);
}

static int add(struct spool *s, const char *id, const char *text)
{
    return spool_add(s, str_z(id), bytes_of_str(str_z(text)));
}

static void test_kept_until_acknowledged(void **state)
{
    struct spool *s = again(NULL, 1 << 20);
    assert_int_equal(add(s, "a", "one"), 0);
    assert_int_equal(add(s, "b", "two"), 0);
    assert_int_equal(add(s, "c", "three"), 0);
    assert_int_equal(add(s, "b", "two"), ERR_EXIST);
    expect(s, "one");
    spool_ack(s, STR("b"));
    spool_ack(s, STR("nobody"));
    assert_int_equal(spool_under_way(s), 1);
    s = again(s, 1 << 20); // as after a kill: nothing is written at the end
    assert_int_equal(spool_waiting(s), 2);
    expect(s, "one");
    expect(s, "three");
    expect(s, NULL);
    spool_again(s);
    expect(s, "one");
    spool_ack(s, STR("a"));
    spool_ack(s, STR("c"));
    struct disk_stat st;
    assert_int_equal(disk_stat(disk, "spool", &st), 0);
    assert_int_equal(st.size, 0);
    spool_close(s);
}

static void test_bounded_and_rewritten(void **state)
{
    struct spool *s = again(NULL, 1000);
    char text[101] = { 0 }, id[16];
    memset(text, 'x', 100);
    int n = 0;
    for (;; n++) {
        snprintf(id, sizeof id, "i%d", n);
        if (add(s, id, text) < 0)
            break;
    }
    assert_int_equal(n, 8);
    assert_int_equal(add(s, "more", text), ERR_LIMIT);
    for (int i = 0; i < 100; i++) { // one goes, one comes: the file is written anew and stays in its bounds
        snprintf(id, sizeof id, "i%d", i);
        spool_ack(s, str_z(id));
        snprintf(id, sizeof id, "i%d", i + 8);
        assert_int_equal(add(s, id, text), 0);
        struct disk_stat st;
        assert_int_equal(disk_stat(disk, "spool", &st), 0);
        assert_true(st.size <= 1000);
    }
    s = again(s, 1000);
    assert_int_equal(spool_waiting(s), 8);
    for (int i = 0; i < 8; i++)
        expect(s, text);
    for (int i = 0; i < 120; i++) {
        snprintf(id, sizeof id, "i%d", i);
        spool_ack(s, str_z(id));
    }
    assert_int_equal(spool_waiting(s), 0);
    spool_close(s);
}

static void test_a_damaged_end_is_cut_off(void **state)
{
    struct spool *s = again(NULL, 1 << 20);
    struct disk_stat st;
    int file;
    add(s, "a", "one");
    add(s, "b", "two");
    spool_close(s);
    assert_int_equal(disk_stat(disk, "spool", &st), 0);
    assert_int_equal(disk_open(disk, "spool", DISK_WRITE, &file), 0);
    assert_int_equal(disk_write(disk, file, "X", 1, st.size - 1), 0);
    disk_close(disk, file);
    s = again(NULL, 1 << 20);
    assert_int_equal(spool_waiting(s), 1);
    assert_int_equal(add(s, "c", "three"), 0);
    s = again(s, 1 << 20);
    expect(s, "one");
    expect(s, "three");
    expect(s, NULL);
    spool_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_kept_until_acknowledged),
                                        cmocka_unit_test(test_bounded_and_rewritten),
                                        cmocka_unit_test(test_a_damaged_end_is_cut_off) };
    return cmocka_run_group_tests_name("spool", tests, setup, teardown);
}
