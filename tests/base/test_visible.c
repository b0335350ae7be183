#include "base/visible.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void foreign_text_cannot_move_the_cursor(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "plain \xc3\xa4 \xe6\xb1\xba", "plain \xc3\xa4 \xe6\xb1\xba" },
        { "a\x1b[2J\x1b]0;owned\x07", "a\\x1b[2J\\x1b]0;owned\\x07" },
        { "a\nb\tc\rd", "a\\nb\\tc\\rd" },
        { "\xc2\x9b"
          "31m",
          "\\x9b31m" },                                    // C1: a one-byte escape
        { "abc\xe2\x80\xaetxt.exe", "abc\\u202etxt.exe" }, // right-to-left override
        { "\xe2\x81\xa6x", "\\u2066x" },
        { "\xd8\x9cx", "\\u061cx" },
        { "\xff\xfe", "\\xff\\xfe" },
        { "\x7f", "\\x7f" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out;
        buf_init(&out, 1000);
        visible_escape(&out, str_z(cases[i].in));
        assert_int_equal(out.len, strlen(cases[i].out));
        assert_memory_equal(out.ptr, cases[i].out, out.len);
        buf_free(&out);
    }
    // Whatever the bytes are, nothing below a space comes out.
    struct buf out;
    buf_init(&out, 1 << 16);
    char all[256];
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    visible_escape(&out, str_of(all, 256));
    for (size_t i = 0; i < out.len; i++)
        assert_true(out.ptr[i] >= 0x20 && out.ptr[i] != 0x7f);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(foreign_text_cannot_move_the_cursor) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
