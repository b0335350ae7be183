// The public face of segments, on a segment made by hand.
#include "dump_rows.h"
#include "fake_segment.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
// cmocka wants these four before it
#include <cmocka.h>

static void add_some(struct fake_segment *f)
{
    struct attr resource_attr = { STR("service.name"), ATTR_RESOURCE, value_str(STR("shop")) };
    struct record_entity resource = { .attrs = &resource_attr, .attrs_n = 1 };
    for (int i = 0; i < 5; i++) {
        struct attr a[2] = { { STR("n"), ATTR_RECORD, value_int(i) },
                             { STR("s"), ATTR_FIELD, value_str(STR("x\0y")) } };
        struct record_child event = { .kind = CHILD_EVENT, .time = i, .name = STR("e"), .attrs = a, .attrs_n = 1 };
        struct record r = { .source = RECORD_SPANS, .has_trace = true, .span = 7, .time = 100 + i, .name = STR("GET") };
        r.trace[15] = (uint8_t)(i / 2);
        r.attrs = a;
        r.attrs_n = (uint32_t)(i % 3);
        r.children = &event;
        r.children_n = i == 3;
        assert_int_equal(fake_segment_add(f, 1, 5, &resource, NULL, &r), i / 2 * BLOCK_ROWS + i % 2);
    }
}

static void test_reads_what_was_added(void **state)
{
    struct fake_segment *f = fake_segment_new(RECORD_SPANS, 2);
    add_some(f);
    const struct segment *s = fake_segment_get(f);
    assert_int_equal(segment_info(s)->rows, 5);
    assert_int_equal(segment_blocks(s, TABLE_ROWS), 3);
    assert_int_equal(segment_block_rows(s, TABLE_ROWS, 2), 1);
    assert_int_equal(segment_traces(s), 3);
    assert_int_equal(segment_shapes(s, TABLE_ROWS), 3);
    struct reader *r;
    assert_int_equal(reader_open(s, &r), 0);
    assert_int_equal(reader_seek(r, TABLE_ROWS, 1), 0);
    uint32_t first, end;
    assert_int_equal(segment_children(r, TABLE_EVENTS, BLOCK_ROWS + 1, &first, &end), 0);
    assert_int_equal(end - first, 1);
    struct buf a, b;
    buf_init(&a, 1 << 20);
    buf_init(&b, 1 << 20);
    assert_int_equal(dump_row(r, 1, 1, false, &a), 0);
    assert_int_equal(dump_row(r, 1, 1, true, &b), 0);
    buf_byte(&a, 0);
    buf_byte(&b, 0);
    assert_string_equal(a.ptr, b.ptr);
    assert_string_equal(a.ptr, " 67 0 5 1 0 0 0 0 7 0 {\"\"\"\"\"\"0 2:\"service.name\"=1:\"shop\"} {\"\"\"\"\"\"0}"
                               "\"GET\"00000000000000000000000000000001\n  1: 3 \"e\" 0:\"n\"=2:3");
    buf_free(&a);
    buf_free(&b);
    reader_close(r);
    fake_segment_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_reads_what_was_added) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
