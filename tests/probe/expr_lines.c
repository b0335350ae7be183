// One line of {"text":..,"targets":[..],"seed":n} from stdin, one line of what expr_run() says out for each target. The same bytecode,
// broken by chance, is run over a hostile host, too. tests/probe/reference/compare.py asks.
#include "base/must.h"
#include "expr_run.h"
#include "hostile_host.h"
#include "probe/code.h"
#include "probe/expr.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t seed;
static unsigned below(unsigned n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)(seed % n);
}

static void broken_copies(str text)
{
    enum { COPIES = 20 };
    static uint8_t copy[PROBE_CODE_SIZE_MAX];
    struct arena arena;
    struct probe_expr *e;
    struct buf code;
    arena_init(&arena, 1 << 20);
    buf_init(&code, PROBE_CODE_SIZE_MAX);
    if (probe_expr_parse(text, &arena, &e, NULL) == 0 && probe_expr_compile(e, &code, NULL) == 0) {
        for (unsigned i = 0; i < COPIES; i++) {
            uint8_t answers[64];
            memcpy(copy, code.ptr, code.len);
            for (unsigned n = i ? 1 + below(3) : 0; n--;)
                copy[below((unsigned)code.len)] = (uint8_t)(below(2) ? below(256) : below(4));
            for (size_t k = 0; k < sizeof answers; k++)
                answers[k] = (uint8_t)below(256);
            hostile_run(bytes_of(copy, code.len), bytes_of(answers, sizeof answers));
        }
    }
    buf_free(&code);
    arena_free(&arena);
}

static void line(str json)
{
    struct arena arena;
    const struct json_node *root;
    uint64_t changed[PROBE_CODE_CHANGED_MAX] = { 0 };
    struct buf out, target;
    int64_t number = 0;
    arena_init(&arena, 8 << 20);
    buf_init(&out, 1 << 20);
    buf_init(&target, 1 << 20);
    must(json_tree_read(json, &arena, 64, &root, NULL) == 0);
    str text = json_get_text(root, STR("text"));
    must(json_int_of(json_get(root, STR("seed")), &number));
    seed = (uint64_t)number * 0x9e3779b97f4a7c15u | 1;
    for (const struct json_node *t = json_get(root, STR("targets"))->first; t; t = t->next) {
        struct json_writer w;
        buf_clear(&target);
        json_writer_init(&w, &target);
        json_put_tree(&w, t);
        expr_run(text, buf_view(&target), changed, &out);
        for (size_t i = 0; i < out.len; i++) // a fault shows the expression as it was written
            if (out.ptr[i] == '\n')
                out.ptr[i] = ' ';
        must(fwrite(out.ptr, 1, out.len, stdout) == out.len && putchar('\n') != EOF);
    }
    broken_copies(text);
    buf_free(&target);
    buf_free(&out);
    arena_free(&arena);
}

int main(void)
{
    char *at = NULL;
    size_t cap = 0;
    for (ssize_t n; (n = getline(&at, &cap, stdin)) > 0;)
        line(str_trim(str_of(at, (size_t)n)));
    free(at);
    return fflush(stdout) ? 1 : 0;
}
