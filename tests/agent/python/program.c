#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "probe/expr.h"
#include "program.h"
#include <cmocka.h>

struct probe_program program_of(struct arena *arena, const char *text, bool condition)
{
    struct probe_expr *e;
    struct err err = { 0 };
    struct buf code;
    int rc = (condition ? probe_condition_parse : probe_expr_parse)(str_z(text), arena, &e, &err);
    if (rc < 0)
        print_message("# %s: %s\n", text, err.message);
    assert_int_equal(rc, 0);
    buf_init(&code, PROBE_CODE_MAX);
    assert_int_equal(probe_expr_compile(e, &code, &err), 0);
    uint8_t *kept = arena_alloc(arena, code.len);
    memcpy(kept, code.ptr, code.len);
    struct probe_program p = { .text = str_z(text), .code = bytes_of(kept, code.len) };
    buf_free(&code);
    return p;
}
