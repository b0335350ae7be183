// issues: what is wrong, worst first.
#include "base/clock.h"
#include "base/json_tree.h"
#include "base/timefmt.h"
#include "main/client.h"
#include "main/command.h"
#include "main/grid.h"
#include "main/human.h"
#include "main/terminal.h"

enum { ANSWER_MAX = 64 << 20, TREE_MAX = 512 << 20 };

static int cell(struct grid *g, const char *title, bool right, str text)
{
    return grid_cell(g, grid_column(g, str_z(title), right), text);
}

static int number_cell(struct grid *g, const char *title, const struct json_node *issue, const char *name, bool about)
{
    int64_t n = 0;
    json_int_of(json_get(issue, str_z(name)), &n);
    return cell(g, title, true, arena_printf(g->arena, "%s%lld", about ? "~" : "", (long long)n));
}

static int ago_cell(struct grid *g, const char *title, str time)
{
    struct buf b;
    int64_t ns;
    buf_init(&b, 256);
    if (parse_rfc3339(time, &ns))
        human_ago(&b, ns, clock_unix_ns());
    int r = b.error ? b.error : cell(g, title, true, buf_view(&b));
    buf_free(&b);
    return r;
}

static int put_row(struct grid *g, const struct json_node *x)
{
    bool about = json_is(json_get(x, STR("users_approx")), JSON_TRUE);
    str title = json_get_text(x, STR("title")), culprit = json_get_text(x, STR("culprit"));
    int r = grid_row(g);
    if (r == 0)
        r = cell(g, "issue", false, json_get_text(x, STR("short")));
    if (r == 0)
        g->columns[grid_column(g, STR("issue"), false)].keep = true;
    if (r == 0)
        r = cell(g, "state", false, json_get_text(x, STR("state")));
    if (r == 0)
        r = cell(g, "priority", false, json_get_text(x, STR("priority")));
    if (r == 0)
        r = number_cell(g, "events", x, "events", false);
    if (r == 0)
        r = number_cell(g, "users", x, "users", about);
    if (r == 0)
        r = ago_cell(g, "last", json_get_text(x, STR("last")));
    if (r == 0)
        r = cell(g, "assignee", false, json_get_text(json_get(x, STR("assignee")), STR("name")));
    if (r == 0)
        r = cell(g, "title", false,
                 culprit.len ? arena_printf(g->arena, "%.*s \u00b7 %.*s", STR_ARG(title), STR_ARG(culprit)) : title);
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
    for (const struct json_node *x = r < 0 ? NULL : json_first_of(json_get(root, STR("issues")), JSON_ARRAY);
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

int command_issues(struct invocation *inv)
{
    static const char *const options[] = { "from", "to", "project", "environment", "sort", "limit" };
    struct client c;
    struct client_answer answer = { 0 };
    struct err err = { 0 };
    struct buf path, json, out;
    const char *query = inv->operands_n ? inv->operands[0] : NULL;
    if (client_find(&inv->config, &c, &err) < 0)
        return command_fail(&err);
    buf_init(&path, 1 << 16);
    buf_init(&json, ANSWER_MAX);
    buf_init(&out, ANSWER_MAX);
    buf_str(&path, STR("/api/v1/issues"));
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        put_parameter(&path, options[i], invocation_option(inv, options[i]));
    put_parameter(&path, "query", query);
    int r = client_fetch(&c, buf_view(&path), &json, &answer, &err), status;
    if (r < 0)
        status = command_fail(&err);
    else if (answer.status != 200)
        status = client_fail(&answer, str_z(query ? query : ""));
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
