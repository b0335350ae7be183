// releases: the versions of projects, newest first.
#include "main/ask.h"
#include "main/grid.h"

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
    str released = json_get_text(x, STR("released"));
    str commits = arena_printf(g->arena, "%lld", (long long)json_get_int(x, STR("commits")));
    int r = grid_row(g);
    if (r == 0)
        r = grid_put(g, "version", false, json_get_text(x, STR("version")));
    if (r == 0)
        r = grid_put(g, "project", false, json_get_text(x, STR("project")));
    if (r == 0)
        r = grid_put(g, "released", false,
                     minute_of(g->arena, released.len ? released : json_get_text(x, STR("created"))));
    if (r == 0)
        r = grid_put(g, "last event", false, minute_of(g->arena, json_get_text(x, STR("last_event"))));
    if (r == 0)
        r = grid_put(g, "adoption", true, share_of(g->arena, json_get(x, STR("adoption"))));
    if (r == 0)
        r = grid_put(g, "crash-free", true, share_of(g->arena, json_get(x, STR("crash_free_sessions"))));
    if (r == 0)
        r = grid_put(g, "new issues", true, number_of(g->arena, json_get(x, STR("new_issues"))));
    if (r == 0)
        r = grid_put(g, "commits", true, commits);
    if (r == 0)
        r = grid_put(g, "deployed to", false, environments_of(g->arena, json_get(x, STR("deploys"))));
    return r;
}

int command_releases(struct invocation *inv)
{
    static const char *const options[] = { "from", "to", "project", "environment", "sort", "limit", NULL };
    static const struct ask_list list = {
        .path = "/api/v1/releases", .name = "releases", .row = put_row, .options = options, .operand = "query"
    };
    return ask_list(inv, &list);
}
