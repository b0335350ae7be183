#include "main/ask.h"

#include "main/grid.h"
#include "main/terminal.h"

#include <stdio.h>

enum { ANSWER_MAX = 64 << 20, TREE_MAX = 512 << 20, BODY_MAX = 1 << 20 };

int ask_begin(struct ask *a, const struct invocation *inv)
{
    struct err err = { 0 };
    *a = (struct ask){ .depth = ASK_DEPTH };
    buf_init(&a->body, BODY_MAX);
    json_writer_init(&a->w, &a->body);
    buf_init(&a->json, ANSWER_MAX);
    arena_init(&a->arena, TREE_MAX);
    return client_find(&inv->config, &a->client, &err) < 0 ? command_fail(&err) : EXIT_DONE;
}

void ask_end(struct ask *a)
{
    buf_free(&a->body);
    buf_free(&a->json);
    buf_free(&a->answer.error);
    arena_free(&a->arena);
}

static int failed(const struct ask *a, str (*of)(void *ctx, str place), void *ctx)
{
    const struct json_node *error = json_get(a->root, STR("error"));
    client_fail(&a->answer, of ? of(ctx, json_get_text(error, STR("place"))) : (str){ 0 });
    if (a->answer.status == 403 && a->hint)
        fprintf(stderr, "  %s\n", a->hint);
    return ERR_DENIED;
}

int ask_server(struct ask *a, str method, str path, str (*of)(void *ctx, str place), void *ctx)
{
    struct err err = { 0 };
    buf_free(&a->answer.error);
    buf_clear(&a->json);
    arena_reset(&a->arena);
    a->root = NULL;
    a->answer.status = 0;
    int r = client_call(&a->client, method, path, buf_view(&a->body), &a->json, &a->answer, &err);
    buf_clear(&a->body);
    json_writer_init(&a->w, &a->body);
    if (r == 0 && a->json.len)
        r = json_tree_read(buf_view(&a->json), &a->arena, a->depth, &a->root, &err);
    if (r == 0 && a->answer.status / 100 == 2)
        return 0;
    if (a->answer.status && a->answer.status / 100 != 2)
        return failed(a, of, ctx);
    command_fail(&err);
    return r;
}

void ask_parameter(struct buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(path, "%c%s=", memchr(path->ptr, '?', path->len) ? '&' : '?', name);
    client_url_escape(path, str_z(value));
}

static str operand_of(void *ctx, str place)
{
    const struct invocation *inv = ctx;
    return inv->operands_n ? str_z(inv->operands[0]) : (str){ 0 };
}

static int print_list(const struct ask_list *l, const struct json_node *list, bool lines)
{
    struct err err = { 0 };
    struct buf out;
    struct json_writer w;
    struct grid grid;
    struct arena arena;
    int r = 0, status;
    buf_init(&out, ASK_OUT_MAX);
    arena_init(&arena, TREE_MAX);
    grid_init(&grid, &arena);
    for (const struct json_node *x = json_first_of(list, JSON_ARRAY); x && r == 0; x = x->next) {
        if (!lines) {
            r = l->row(&grid, x);
            continue;
        }
        json_writer_init(&w, &out);
        json_put_tree(&w, x);
        r = buf_byte(&out, '\n');
    }
    if (r == 0 && grid.rows_n)
        grid_print(&grid, &out, (size_t)terminal_width(), true);
    r = r < 0 ? r : out.error;
    if (r < 0) {
        err_set(&err, r, "too_large", "the answer cannot be shown: %s", err_text(r));
        status = command_fail(&err);
    } else {
        status = command_print(&out);
    }
    arena_free(&arena);
    buf_free(&out);
    return status;
}

int ask_list(const struct invocation *inv, const struct ask_list *l)
{
    struct ask a;
    struct buf path;
    int status = ask_begin(&a, inv);
    a.hint = l->hint;
    a.depth = ASK_DEPTH_FLAT;
    buf_init(&path, 1 << 16);
    buf_str(&path, str_z(l->path));
    for (const char *const *o = l->options; o && *o; o++)
        ask_parameter(&path, *o, invocation_option(inv, *o));
    if (l->operand && inv->operands_n)
        ask_parameter(&path, l->operand, inv->operands[0]);
    if (status == EXIT_DONE &&
        ask_server(&a, STR("GET"), buf_view(&path), l->operand ? operand_of : NULL, (void *)inv) < 0)
        status = EXIT_FAILED;
    const struct json_node *list = status == EXIT_DONE ? json_get(a.root, str_z(l->name)) : NULL;
    if (list && !list->n && l->none)
        fprintf(stderr, "clew: %s\n", l->none);
    if (status == EXIT_DONE)
        status = print_list(l, list, invocation_option(inv, "json") != NULL);
    buf_free(&path);
    ask_end(&a);
    return status;
}
