#include "symbols/source_lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct arena arena;

static void test_lines(void **state)
{
    struct source_lines l;
    str text = STR("1\r\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n");
    assert_true(source_lines_get(text, 7, 1, &arena, &l));
    assert_int_equal(l.before_n, 5);
    assert_true(str_eq(l.before[0], STR("2")) && str_eq(l.line, STR("7")) && str_eq(l.after[4], STR("12")));
    assert_int_equal(l.after_n, 5);
    assert_true(source_lines_get(text, 1, 1, &arena, &l));
    assert_true(l.before_n == 0 && str_eq(l.line, STR("1")));
    assert_true(source_lines_get(text, 12, 1, &arena, &l));
    assert_true(l.before_n == 5 && l.after_n == 0);
    assert_false(source_lines_get(text, 13, 1, &arena, &l));
    assert_false(source_lines_get(text, 0, 1, &arena, &l));
    assert_false(source_lines_get(text, UINT32_MAX, 1, &arena, &l));
    assert_false(source_lines_get(STR(""), 1, 1, &arena, &l));
    assert_true(source_lines_get(STR("\nx"), 1, 1, &arena, &l));
    assert_true(l.line.len == 0 && l.after_n == 1);
}

static void test_long_lines(void **state)
{
    struct source_lines l;
    char line[400];
    for (int i = 0; i < 400; i++)
        line[i] = (char)('a' + i % 26);
    assert_true(source_lines_get(str_of(line, 150), 1, 1, &arena, &l));
    assert_int_equal(l.line.len, 150);
    assert_true(source_lines_get(str_of(line, 400), 1, 1, &arena, &l));
    assert_int_equal(l.line.len, 140 + 7);
    assert_true(str_starts(l.line, STR("abc")) && str_ends(l.line, STR(" {snip}")));
    assert_true(source_lines_get(str_of(line, 400), 1, 200, &arena, &l));
    assert_true(str_starts(l.line, STR("{snip} ")) && str_ends(l.line, STR(" {snip}")));
    assert_int_equal(l.line.ptr[7], line[140]);
    assert_true(source_lines_get(str_of(line, 400), 1, 399, &arena, &l));
    assert_int_equal(l.line.ptr[l.line.len - 1], line[399]);
    // Characters, not bytes.
    char wide[600];
    for (int i = 0; i < 600; i += 2)
        wide[i] = (char)0xc3, wide[i + 1] = (char)0xa4;
    assert_true(source_lines_get(str_of(wide, 280), 1, 1, &arena, &l));
    assert_int_equal(l.line.len, 280);
    assert_true(source_lines_get(str_of(wide, 600), 1, 150, &arena, &l));
    assert_int_equal(l.line.len, 280 + 14);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_lines), cmocka_unit_test(test_long_lines) };
    arena_init(&arena, 1 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
