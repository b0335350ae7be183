// issues: what is wrong, worst first.
#include "base/clock.h"
#include "base/timefmt.h"
#include "main/ask.h"
#include "main/grid.h"
#include "main/human.h"

static int number_cell(struct grid *g, const char *title, const struct json_node *issue, const char *name, bool about)
{
    return grid_put(g, title, true,
                    arena_printf(g->arena, "%s%lld", about ? "~" : "", (long long)json_get_int(issue, str_z(name))));
}

static int ago_cell(struct grid *g, const char *title, str time)
{
    struct buf b;
    int64_t ns;
    buf_init(&b, 256);
    if (parse_rfc3339(time, &ns))
        human_ago(&b, ns, clock_unix_ns());
    int r = b.error ? b.error : grid_put(g, title, true, buf_view(&b));
    buf_free(&b);
    return r;
}

static int put_row(struct grid *g, const struct json_node *x)
{
    bool about = json_is(json_get(x, STR("users_approx")), JSON_TRUE);
    str title = json_get_text(x, STR("title")), culprit = json_get_text(x, STR("culprit"));
    int r = grid_row(g);
    if (r == 0)
        r = grid_put(g, "issue", false, json_get_text(x, STR("short")));
    if (r == 0)
        g->columns[grid_column(g, STR("issue"), false)].keep = true;
    if (r == 0)
        r = grid_put(g, "state", false, json_get_text(x, STR("state")));
    if (r == 0)
        r = grid_put(g, "priority", false, json_get_text(x, STR("priority")));
    if (r == 0)
        r = number_cell(g, "events", x, "events", false);
    if (r == 0)
        r = number_cell(g, "users", x, "users", about);
    if (r == 0)
        r = ago_cell(g, "last", json_get_text(x, STR("last")));
    if (r == 0)
        r = grid_put(g, "assignee", false, json_get_text(json_get(x, STR("assignee")), STR("name")));
    if (r == 0)
        r = grid_put(g, "title", false,
                     culprit.len ? arena_printf(g->arena, "%.*s \u00b7 %.*s", STR_ARG(title), STR_ARG(culprit))
                                 : title);
    return r;
}

int command_issues(struct invocation *inv)
{
    static const char *const options[] = { "from", "to", "project", "environment", "sort", "limit", NULL };
    static const struct ask_list list = {
        .path = "/api/v1/issues", .name = "issues", .row = put_row, .options = options, .operand = "query"
    };
    return ask_list(inv, &list);
}
