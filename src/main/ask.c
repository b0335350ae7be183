#include "main/ask.h"

#include <stdio.h>

enum { ANSWER_MAX = 64 << 20, TREE_MAX = 512 << 20, BODY_MAX = 1 << 20, ANSWER_DEPTH = 128 };

int ask_begin(struct ask *a, const struct invocation *inv)
{
    struct err err = { 0 };
    *a = (struct ask){ 0 };
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
        r = json_tree_read(buf_view(&a->json), &a->arena, ANSWER_DEPTH, &a->root, &err);
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
