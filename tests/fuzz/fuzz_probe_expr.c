// Expressions, messages and trees, by the first byte: refused with words, or checked, compiled, admitted and run.
#include "base/must.h"
#include "expr_run.h"
#include "hostile_host.h"
#include "probe/code.h"
#include "probe/expr.h"
#include "probe/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void told(int r, const struct err *err)
{
    must(r == ERR_NOMEM || (err->code == r && err->slug[0] && err->message[0]));
}

static void compiled(const struct probe_expr *e)
{
    struct buf code;
    buf_init(&code, PROBE_CODE_SIZE_MAX);
    int r = probe_expr_compile(e, &code, NULL);
    must(r == 0 || r == ERR_LIMIT || r == ERR_NOMEM);
    if (r == 0)
        hostile_run(buf_bytes(&code), bytes_of_str(e->text));
    buf_free(&code);
}

static void read_tree(str text, struct arena *arena)
{
    const struct json_node *tree;
    struct probe_expr *e;
    struct err err = { 0 };
    if (json_tree_read(text, arena, PROBE_EXPR_JSON_DEPTH, &tree, NULL))
        return;
    int r = probe_expr_read(tree, STR("x"), arena, &e, &err);
    if (r)
        told(r, &err);
    else
        compiled(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct probe_expr *e;
    struct probe_template t = { 0 };
    struct err err = { 0 };
    str text = str_of(data + (size > 0), size - (size > 0));
    arena_init(&arena, 4 << 20);
    if (size && data[0] == 'j') {
        read_tree(text, &arena);
    } else if (size && data[0] == 't') {
        int r = probe_template_parse(text, &arena, &t, &err);
        if (r)
            told(r, &err);
        for (size_t i = 0; i < t.n_parts; i++)
            if (t.parts[i].expr)
                compiled(t.parts[i].expr);
    } else {
        int r = probe_expr_parse(text, &arena, &e, &err);
        if (r) {
            told(r, &err);
            must(err.column >= 0 && err.column <= PROBE_EXPR_TEXT_MAX + 1);
        } else {
            struct buf out;
            compiled(e);
            buf_init(&out, 1 << 20);
            expr_run(text, STR("{\"a\":{\"b\":[1,2.5,\"x\"]},\"s\":\"text\",\"xs\":[1,2,3]}"), NULL, &out);
            buf_free(&out);
        }
    }
    arena_free(&arena);
    return 0;
}
