// The query language: what parses prints as text that parses to the same tree, and planning it never
// breaks, at the level that is built and at the highest. The first byte chooses the options.
#include "base/buf.h"
#include "base/must.h"
#include "query/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct arena *arena, const struct query_ast *ast)
{
    struct buf b;
    struct query_ast *again;
    buf_init(&b, 1 << 20);
    must(query_print(ast, &b) == 0);
    // Spaces may make the printed query longer than what is read.
    if (b.len <= QUERY_TEXT_MAX) {
        must(query_parse(arena, buf_view(&b), &again, NULL) == 0);
        must(query_ast_equal(ast, again));
    }
    buf_free(&b);
}

static void plan(struct arena *arena, const struct query_ast *ast, uint8_t flags)
{
    struct query_options opt = {
        .now_ns = 1767225600000000000, .level = flags & 1 ? 3 : 0, .may_values = flags & 2, .live = flags & 4
    };
    struct query_plan *p;
    struct query_error err = { 0 };
    if (query_plan_build(arena, ast, &opt, &p, &err) == 0) {
        must(p->out_count <= p->slot_count && p->from <= p->to);
        query_plan_free(p);
    } else {
        must(err.code != QUERY_OK && err.code != QUERY_E_INTERNAL && err.message[0] && err.line >= 0 &&
             err.column >= 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct query_ast *ast;
    struct query_error err = { 0 };
    if (size < 1)
        return 0;
    arena_init(&arena, 64 << 20);
    if (query_parse(&arena, str_of(data + 1, size - 1), &ast, &err) == 0) {
        round_trip(&arena, ast);
        plan(&arena, ast, data[0]);
    } else {
        must(err.code != QUERY_OK && err.message[0] && err.column >= 1 && err.length >= 1);
    }
    arena_free(&arena);
    return 0;
}
