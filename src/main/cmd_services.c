// services and map: the figures of the home page and of the service map, for a terminal.
#include "main/ask.h"
#include "main/grid.h"
#include "main/human.h"

#include <stdio.h>

enum { CELL_MAX = 4096 };

static int duration_cell(struct grid *g, const char *title, const struct json_node *x)
{
    struct buf b;
    int64_t ns;
    buf_init(&b, CELL_MAX);
    if (json_int_of(json_get(x, str_z(title)), &ns))
        human_duration(&b, ns);
    int r = b.error ? b.error : grid_put(g, title, true, buf_view(&b));
    buf_free(&b);
    return r;
}

// Of either table: a row of the map goes from one to another.
static int put_row(struct grid *g, const struct json_node *x)
{
    char rate[64], errors[64];
    double per_s = 0;
    int64_t requests = json_get_int(x, STR("requests"));
    str from = json_get_text(x, STR("from")), version = json_get_text(x, STR("version"));
    if (json_is(json_get(x, STR("rate")), JSON_NUMBER))
        json_number_double(json_get(x, STR("rate"))->text, &per_s);
    snprintf(rate, sizeof rate, per_s < 10 ? "%.2f/s" : "%.0f/s", per_s);
    snprintf(errors, sizeof errors, "%.2f%%",
             requests ? 100.0 * (double)json_get_int(x, STR("errors")) / (double)requests : 0);
    int r = grid_row(g);
    if (r == 0 && from.len)
        r = grid_put(g, "from", false, from);
    if (r == 0 && from.len)
        r = grid_put(g, "to", false, json_get_text(x, STR("to")));
    if (r == 0 && !from.len)
        r = grid_put(g, "service", false, json_get_text(x, STR("service")));
    if (r == 0)
        r = grid_put(g, "rate", true, str_z(rate));
    if (r == 0)
        r = grid_put(g, "errors", true, str_z(errors));
    if (r == 0)
        r = duration_cell(g, "p50", x);
    if (r == 0)
        r = duration_cell(g, "p95", x);
    if (r == 0 && !from.len)
        r = grid_put(g, "version", false, version.len ? version : json_get_text(x, STR("kind")));
    return r;
}

static int show(struct invocation *inv, const char *path, const char *name)
{
    static const char *const options[] = { "from", "to", "project", "environment", NULL };
    return ask_list(inv, &(struct ask_list){ .path = path, .name = name, .row = put_row, .options = options });
}

int command_services(struct invocation *inv) { return show(inv, "/api/v1/overview", "services"); }
int command_map(struct invocation *inv) { return show(inv, "/api/v1/map", "edges"); }
