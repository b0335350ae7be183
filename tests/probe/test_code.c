// The verifier: programs of the compiler pass, and whatever else it admits cannot break the machine (under the sanitizers).
#include "probe/code.h"

#include "base/buf.h"
#include "base/err.h"
#include "hostile_host.h"
#include "probe/expr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const char *const texts[] = {
    "a.b > 5 && c != 'x'",
    "any(xs, x => x.price > 1 || x in [1, 2, 3])",
    "map(xs, (k, v) => v * 2)",
    "s matches '^(a|b)+c?$' ? 1 : 2",
    "changed(x) || has(a.b[1].c)",
    "keys(d)",
    "a + b - c * d / e % f",
    "lower(s) + hex(i) + str(i) + type(o)",
    "max(xs, x => x?.y)",
    "filter(map(xs, x => x), y => !y)",
    "@frame(1).x == @static(C).y",
    "min(a, b, c) in xs",
    "len(s) + int(s) + count(xs)",
    "any(a, x => all(b, y => count(c, z => x == y && y == z) > 0))",
    "-a[b]",
    "starts(s, t) && ends(s, t) && empty(s)",
};

static void program_of(const char *text, struct buf *out)
{
    struct arena arena;
    struct probe_expr *e;
    arena_init(&arena, 1 << 20);
    buf_clear(out);
    assert_int_equal(probe_expr_parse(str_z(text), &arena, &e, NULL), 0);
    assert_int_equal(probe_expr_compile(e, out, NULL), 0);
    arena_free(&arena);
}

static uint64_t seed = 88172645463325252ull;
static unsigned below(unsigned n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)(seed % n);
}

static void any_length(void **state)
{
    struct buf program;
    struct probe_code code;
    buf_init(&program, PROBE_CODE_SIZE_MAX);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        program_of(texts[i], &program);
        assert_int_equal(probe_code_verify(buf_bytes(&program), &code, NULL), 0);
        for (size_t n = 0; n < program.len; n++)
            assert_int_equal(probe_code_verify(bytes_of(program.ptr, n), &code, NULL), ERR_MALFORMED);
    }
    buf_free(&program);
}

static void mutations(void **state)
{
    struct buf program;
    unsigned admitted = 0;
    buf_init(&program, PROBE_CODE_SIZE_MAX);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        program_of(texts[i], &program);
        for (int round = 0; round < 4000; round++) {
            static uint8_t copy[PROBE_CODE_SIZE_MAX];
            struct probe_code code;
            uint8_t answers[64];
            memcpy(copy, program.ptr, program.len);
            for (unsigned n = round ? 1 + below(3) : 0; n--;)
                copy[below((unsigned)program.len)] = (uint8_t)(below(2) ? below(256) : below(4));
            for (size_t k = 0; k < sizeof answers; k++)
                answers[k] = (uint8_t)below(256);
            admitted += probe_code_verify(bytes_of(copy, program.len), &code, NULL) == 0;
            hostile_run(bytes_of(copy, program.len), bytes_of(answers, sizeof answers));
        }
    }
    assert_true(admitted > 10000);
    buf_free(&program);
}

// Programs by hand: what each rule is for.
static int of_instructions(const struct probe_ins *ins, unsigned n, unsigned locals, unsigned loops)
{
    uint8_t memory[PROBE_CODE_HEADER + 64 * PROBE_CODE_INS];
    struct probe_code_header h = {
        .magic = PROBE_CODE_MAGIC, .n_ins = (uint16_t)n, .n_locals = (uint8_t)locals, .n_loops = (uint8_t)loops
    };
    struct probe_code code;
    h.size = PROBE_CODE_HEADER + n * PROBE_CODE_INS;
    memcpy(memory, &h, sizeof h);
    memcpy(memory + sizeof h, ins, n * sizeof *ins);
    return probe_code_verify(bytes_of(memory, h.size), &code, NULL);
}

#define REFUSED(locals, loops, ...)                                                                        \
    do {                                                                                                   \
        const struct probe_ins ins_[] = { __VA_ARGS__ };                                                   \
        assert_int_equal(of_instructions(ins_, sizeof ins_ / sizeof *ins_, locals, loops), ERR_MALFORMED); \
    } while (0)
#define I(o, ...)                       \
    {                                   \
        .op = PROBE_OP_##o, __VA_ARGS__ \
    }

static void rules(void **state)
{
    const struct probe_ins loop[] = { I(LOCAL, .x = 0), I(LOOP),         I(NEXT, .b = 1, .x = 5),
                                      I(LOCAL, .x = 0), I(EACH, .x = 2), I(DONE),
                                      I(RETURN) };
    assert_int_equal(of_instructions(loop, 7, 1, 1), 0);
    REFUSED(1, 0, I(RETURN));                                                    // nothing to return
    REFUSED(1, 0, I(LOCAL));                                                     // runs off the end
    REFUSED(1, 0, I(LOCAL, .x = 1), I(RETURN));                                  // a local that there is not
    REFUSED(1, 0, I(LIT), I(RETURN));                                            // a literal
    REFUSED(1, 0, I(JUMP, .x = 0), I(LOCAL), I(RETURN));                         // back
    REFUSED(1, 0, I(LOCAL), I(JUMP, .x = 9), I(RETURN));                         // outside
    REFUSED(1, 0, I(LOCAL), I(RETURN), I(RETURN));                               // never reached
    REFUSED(1, 0, I(LOCAL), I(JUMP_NOT, .x = 3), I(LOCAL), I(LOCAL), I(RETURN)); // two depths meet
    REFUSED(1, 0, I(LOCAL), I(ADD), I(RETURN));                                  // one operand
    REFUSED(1, 0, { .op = PROBE_OPS }, I(RETURN));                               // no such instruction
    REFUSED(1, 1, I(LOCAL), I(LOOP), I(NEXT, .b = 1, .x = 5), I(LOCAL), I(EACH, .x = 1), I(DONE),
            I(RETURN)); // not to its head
    REFUSED(1, 1, I(LOCAL), I(LOOP), I(NEXT, .b = 1, .x = 5), I(LOCAL), I(EACH, .x = 2), I(DONE, .a = 1), I(RETURN));
    REFUSED(1, 1, I(LOCAL), I(LOOP), I(NEXT, .b = 2, .x = 5), I(LOCAL), I(EACH, .x = 2), I(DONE),
            I(RETURN)); // two parameters, one place
    REFUSED(1, 0, I(LOCAL), I(LOOP), I(NEXT, .b = 1, .x = 5), I(LOCAL), I(EACH, .x = 2), I(DONE),
            I(RETURN)); // no such loop
    struct probe_ins deep[PROBE_CODE_STACK_MAX + 2];
    for (unsigned i = 0; i < sizeof deep / sizeof *deep; i++)
        deep[i] = (struct probe_ins)I(LOCAL);
    deep[PROBE_CODE_STACK_MAX + 1].op = PROBE_OP_RETURN;
    assert_int_equal(of_instructions(deep, PROBE_CODE_STACK_MAX + 2, 1, 0), ERR_MALFORMED);
    deep[PROBE_CODE_STACK_MAX].op = PROBE_OP_RETURN;
    assert_int_equal(of_instructions(deep, PROBE_CODE_STACK_MAX + 1, 1, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(any_length), cmocka_unit_test(mutations),
                                        cmocka_unit_test(rules) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
