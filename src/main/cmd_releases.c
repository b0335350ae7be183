// releases: the versions of projects, newest first.
#include "base/clock.h"
#include "base/json_tree.h"
#include "base/timefmt.h"
#include "main/client.h"
#include "main/command.h"
#include "main/grid.h"
#include "main/terminal.h"

#include <stdio.h>

enum { ANSWER_MAX = 64 << 20, TREE_MAX = 512 << 20 };

static int cell(struct grid *g, const char *title, bool right, str text)
{
    return grid_cell(g, grid_column(g, str_z(title), right), text);
}

// "2026-01-01 10:00" of a time of the API; empty when there is none.
static str minute_of(struct arena *arena, str time)
{
    enum { DATE = 10, HOUR = 11, MINUTE = 16 };
    if (time.len < MINUTE)
        return (str){ 0 };
    return arena_printf(arena, "%.*s %.*s", DATE, time.ptr, MINUTE - HOUR, time.ptr + HOUR);
}

static str environments_of(struct arena *arena, const struct json_node *deploys)
{
    str all = { 0 };
    for (const struct json_node *d = json_first_of(deploys, JSON_ARRAY); d; d = d->next) {
        str one = json_get_text(d, STR("environment"));
        if (str_find(all, one) < 0)
            all = arena_printf(arena, "%.*s%s%.*s", STR_ARG(all), all.len ? ", " : "", STR_ARG(one));
    }
    return all;
}

static str number_of(struct arena *arena, const struct json_node *node)
{
    int64_t n;
    return json_int_of(node, &n) ? arena_printf(arena, "%lld", (long long)n) : (str){ 0 };
}

// "99.52%": never rounded up to all of it.
static str share_of(struct arena *arena, const struct json_node *node)
{
    double share;
    if (!json_is(node, JSON_NUMBER) || !json_number_double(node->text, &share))
        return (str){ 0 };
    double percent = share * 100;
    return arena_printf(arena, "%.2f%%", share < 1 && percent > 99.99 ? 99.99 : percent);
}

static int put_row(struct grid *g, const struct json_node *x)
{
    int64_t commits = 0;
    char number[24];
    str released = json_get_text(x, STR("released"));
    json_int_of(json_get(x, STR("commits")), &commits);
    snprintf(number, sizeof number, "%lld", (long long)commits);
    int r = grid_row(g);
    if (r == 0)
        r = cell(g, "version", false, json_get_text(x, STR("version")));
    if (r == 0)
        r = cell(g, "project", false, json_get_text(x, STR("project")));
    if (r == 0)
        r = cell(g, "released", false, minute_of(g->arena, released.len ? released : json_get_text(x, STR("created"))));
    if (r == 0)
        r = cell(g, "last event", false, minute_of(g->arena, json_get_text(x, STR("last_event"))));
    if (r == 0)
        r = cell(g, "adoption", true, share_of(g->arena, json_get(x, STR("adoption"))));
    if (r == 0)
        r = cell(g, "crash-free", true, share_of(g->arena, json_get(x, STR("crash_free_sessions"))));
    if (r == 0)
        r = cell(g, "new issues", true, number_of(g->arena, json_get(x, STR("new_issues"))));
    if (r == 0)
        r = cell(g, "commits", true, str_z(number));
    if (r == 0)
        r = cell(g, "deployed to", false, environments_of(g->arena, json_get(x, STR("deploys"))));
    return r;
}

static int print_list(str json, bool lines, struct buf *out, struct err *err)
{
    const struct json_node *root;
    struct json_writer w;
    struct arena arena;
    struct grid grid;
    arena_init(&arena, TREE_MAX);
    grid_init(&grid, &arena);
    int r = json_tree_read(json, &arena, 16, &root, err);
    for (const struct json_node *x = r < 0 ? NULL : json_first_of(json_get(root, STR("releases")), JSON_ARRAY);
         x && r == 0; x = x->next) {
        if (lines) {
            json_writer_init(&w, out);
            json_put_tree(&w, x);
            r = buf_byte(out, '\n');
        } else {
            r = put_row(&grid, x);
        }
    }
    if (r == 0 && !lines && grid.rows_n)
        grid_print(&grid, out, (size_t)terminal_width(), true);
    arena_free(&arena);
    return r < 0 ? r : out->error;
}

static void put_parameter(struct buf *path, const char *name, const char *value)
{
    if (!value)
        return;
    buf_printf(path, "%c%s=", memchr(path->ptr, '?', path->len) ? '&' : '?', name);
    client_url_escape(path, str_z(value));
}

int command_releases(struct invocation *inv)
{
    static const char *const options[] = { "from", "to", "project", "environment", "sort", "limit" };
    struct client c;
    struct client_answer answer = { 0 };
    struct err err = { 0 };
    struct buf path, json, out;
    if (client_find(&inv->config, &c, &err) < 0)
        return command_fail(&err);
    buf_init(&path, 1 << 16);
    buf_init(&json, ANSWER_MAX);
    buf_init(&out, ANSWER_MAX);
    buf_str(&path, STR("/api/v1/releases"));
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        put_parameter(&path, options[i], invocation_option(inv, options[i]));
    put_parameter(&path, "query", inv->operands_n ? inv->operands[0] : NULL);
    int r = client_fetch(&c, buf_view(&path), &json, &answer, &err), status;
    if (r < 0)
        status = command_fail(&err);
    else if (answer.status != 200)
        status = client_fail(&answer, (str){ 0 });
    else if (print_list(buf_view(&json), invocation_option(inv, "json") != NULL, &out, &err) < 0)
        status = command_fail(&err);
    else
        status = command_print(&out);
    buf_free(&answer.error);
    buf_free(&out);
    buf_free(&json);
    buf_free(&path);
    return status;
}
