#include "expr_run.h"

#include "base/must.h"
#include "base/numfmt.h"
#include "probe/code.h"
#include "probe/expr.h"

static void put_value(struct json_writer *w, const struct probe_val *v)
{
    switch (v->kind) {
    case PROBE_VAL_NULL:
        json_put_null(w);
        break;
    case PROBE_VAL_BOOL:
        json_put_bool(w, v->b);
        break;
    case PROBE_VAL_INT:
        json_put_int(w, v->i);
        break;
    case PROBE_VAL_FLOAT: { // a float shows itself as one
        char tmp[40];
        int n = fmt_double(tmp, v->f);
        if (!memchr(tmp, '.', (size_t)n) && !memchr(tmp, 'e', (size_t)n) && !memchr(tmp, 'N', (size_t)n) &&
            !memchr(tmp, 'I', (size_t)n)) {
            tmp[n++] = '.';
            tmp[n++] = '0';
        }
        json_put_raw(w, str_of(tmp, (size_t)n));
        break;
    }
    case PROBE_VAL_BIG:
        json_put_str(w, STR("big"));
        break;
    case PROBE_VAL_STR:
        json_put_str(w, v->s);
        break;
    case PROBE_VAL_ITEMS:
        json_put_array(w);
        for (uint32_t i = 0; i < v->n; i++)
            put_value(w, &v->items[i]);
        json_put_array_end(w);
        break;
    case PROBE_VAL_BYTES:
        json_put_hex(w, bytes_of_str(v->s));
        break;
    default:
        json_put_tree(w, v->object);
    }
}

static void put_error(struct buf *out, const struct err *err)
{
    buf_printf(out, "error %s %d: %s", err->slug, err->column, err->message);
}

// What an agent makes of the tree that it gets is what the server has checked.
static void same_code(const struct probe_expr *a, const struct probe_expr *b)
{
    struct buf first, second;
    buf_init(&first, PROBE_CODE_SIZE_MAX);
    buf_init(&second, PROBE_CODE_SIZE_MAX);
    int r = probe_expr_compile(a, &first, NULL);
    must(r == probe_expr_compile(b, &second, NULL));
    must(str_eq(buf_view(&first), buf_view(&second)));
    buf_free(&first);
    buf_free(&second);
}

// What an agent gets is what was written.
static struct probe_expr *through_json(const struct probe_expr *e, struct arena *arena)
{
    struct buf first, second;
    struct json_writer w;
    const struct json_node *tree;
    struct probe_expr *again;
    struct err err = { 0 };
    str text;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    json_writer_init(&w, &first);
    probe_expr_json(e, &w);
    must(arena_dup(arena, buf_view(&first), &text) == 0);
    must(json_tree_read(text, arena, PROBE_EXPR_JSON_DEPTH, &tree, NULL) == 0);
    must(probe_expr_read(tree, e->text, arena, &again, &err) == 0);
    json_writer_init(&w, &second);
    probe_expr_json(again, &w);
    must(str_eq(text, buf_view(&second)));
    must(again->type == e->type && again->n_changed == e->n_changed && again->n_loops == e->n_loops);
    buf_free(&first);
    buf_free(&second);
    same_code(e, again);
    return again;
}

static void run(const struct probe_expr *e, const struct json_node *target, uint64_t *changed, struct buf *out)
{
    static uint8_t memory[64 << 10];
    const struct json_node *callers = json_get(target, STR("callers"));
    struct json_host host = { .root = callers ? json_get(target, STR("vars")) : target, .callers = callers };
    struct probe_scratch scratch = { memory, memory + sizeof memory };
    struct probe_run r = { &json_host, &host, &scratch, changed, PROBE_VM_STEPS, { 0 } };
    struct probe_code code;
    struct probe_val v;
    struct buf bytecode;
    struct json_writer w;
    char words[256];
    buf_init(&bytecode, PROBE_CODE_SIZE_MAX);
    must(probe_expr_compile(e, &bytecode, NULL) == 0);
    must(probe_code_verify(buf_bytes(&bytecode), &code, NULL) == 0);
    if (probe_vm_run(&code, &r, &v) == 0) {
        json_writer_init(&w, out);
        put_value(&w, &v);
    } else {
        size_t n = probe_fault_text(&r.fault, e->text, words, sizeof words);
        str slug = probe_fault_slug(r.fault.reason);
        buf_printf(out, "fault %.*s: %.*s", STR_ARG(slug), (int)n, words);
    }
    buf_free(&bytecode);
}

void expr_run(str text, str target, uint64_t *changed, struct buf *out)
{
    struct arena arena;
    struct probe_expr *e;
    struct err err = { 0 };
    const struct json_node *root;
    uint64_t none[16] = { 0 };
    arena_init(&arena, 16 << 20);
    buf_clear(out);
    must(json_tree_read(target, &arena, 64, &root, NULL) == 0);
    if (probe_expr_parse(text, &arena, &e, &err))
        put_error(out, &err);
    else
        run(through_json(e, &arena), root, changed ? changed : none, out);
    arena_free(&arena);
}
