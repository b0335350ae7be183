// Rows that are in no store come out of their segment as they went in.
#include "base/err.h"
#include "base/mem.h"
#include "dump_rows.h"
#include "fake_segment.h"
#include "store/made.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka wants these before it
#include <cmocka.h>

static struct record row(struct attr *a, char text[16], uint32_t i)
{
    int n = snprintf(text, 16, "t%u", i % 7);
    a[0] = (struct attr){ STR("id"), ATTR_FIELD, value_int(i) };
    a[1] = (struct attr){ STR("title"), ATTR_FIELD, value_str(str_of(text, (size_t)n)) };
    return (struct record){
        .source = RECORD_EVENTS, .time = (int64_t)i * 10, .severity = 17, .attrs = a, .attrs_n = 1 + i % 2
    };
}

static void dump(const struct segment *s, struct buf *out)
{
    struct reader *r;
    assert_int_equal(reader_open(s, &r), 0);
    for (uint32_t b = 0; b < segment_blocks(s, TABLE_ROWS); b++) {
        assert_int_equal(reader_seek(r, TABLE_ROWS, b), 0);
        for (uint32_t i = 0; i < segment_block_rows(s, TABLE_ROWS, b); i++)
            assert_int_equal(dump_row(r, b, i, false, out), 0);
    }
    reader_close(r);
}

static void test_rows(void **state)
{
    enum { ROWS = 20000 }; // several blocks
    static const struct record_entity none;
    struct fake_segment *f = fake_segment_new(RECORD_EVENTS, 0);
    const struct segment *s = NULL;
    struct made *m;
    struct buf a, b;
    buf_init(&a, SIZE_MAX / 4);
    buf_init(&b, SIZE_MAX / 4);
    assert_int_equal(made_new(&m), 0);
    for (uint32_t i = 0; i < ROWS; i++) {
        struct attr attrs[2];
        char text[16];
        struct record r = row(attrs, text, i);
        assert_int_equal(made_add(m, 1 + i % 3, (int64_t)i * 10, &r), 0);
        fake_segment_add(f, 1 + i % 3, (int64_t)i * 10, &none, &none, &r);
    }
    assert_int_equal(made_end(m, &s), 0);
    assert_int_equal(segment_info(s)->rows, ROWS);
    assert_int_equal(segment_info(s)->time_max, (ROWS - 1) * 10);
    dump(s, &a);
    dump(fake_segment_get(f), &b);
    assert_true(str_eq(buf_view(&a), buf_view(&b)));
    buf_free(&a);
    buf_free(&b);
    made_free(m);
    fake_segment_free(f);
}

static void test_nothing(void **state)
{
    const struct segment *s = NULL;
    struct made *m;
    assert_int_equal(made_new(&m), 0);
    assert_int_equal(made_end(m, &s), 0);
    assert_null(s);
    made_free(m);
    made_free(NULL);
}

static void test_no_memory(void **state)
{
    for (int64_t n = 1;; n++) {
        const struct segment *s = NULL;
        struct made *m = NULL;
        struct attr attrs[2];
        char text[16];
        struct record r = row(attrs, text, 1);
        mem_fail_at(n);
        int rc = made_new(&m);
        if (rc == 0)
            rc = made_add(m, 1, 1, &r);
        if (rc == 0)
            rc = made_end(m, &s);
        bool failed = mem_fail_count() >= n;
        mem_fail_at(0);
        made_free(m);
        if (!failed) {
            assert_int_equal(rc, 0);
            break;
        }
        assert_true(rc == 0 || rc == ERR_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
