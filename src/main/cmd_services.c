// services and map: the figures of the home page and of the service map, for a terminal.
#include "base/json.h"
#include "main/client.h"
#include "main/command.h"
#include "main/grid.h"
#include "main/human.h"
#include "main/terminal.h"

#include <stdio.h>

enum { ANSWER_MAX = 64 << 20, CELL_MAX = 4096 };

// One row of either table: the members that it shows.
struct figures_row {
    str service, from, to, kind, version;
    int64_t requests, errors, p50, p95;
    double rate;
    bool has_p50, has_p95;
};

static int read_row(struct json_reader *r, struct figures_row *row)
{
    str name;
    int rc = json_object(r);
    while (rc == 0 && (rc = json_member(r, &name)) == 1) {
        str *text = str_eq(name, STR("service"))   ? &row->service
                    : str_eq(name, STR("from"))    ? &row->from
                    : str_eq(name, STR("to"))      ? &row->to
                    : str_eq(name, STR("kind"))    ? &row->kind
                    : str_eq(name, STR("version")) ? &row->version
                                                   : NULL;
        int64_t *number = str_eq(name, STR("requests")) ? &row->requests
                          : str_eq(name, STR("errors")) ? &row->errors
                          : str_eq(name, STR("p50"))    ? &row->p50
                          : str_eq(name, STR("p95"))    ? &row->p95
                                                        : NULL;
        row->has_p50 |= number == &row->p50;
        row->has_p95 |= number == &row->p95;
        if (text)
            rc = json_text(r, text);
        else if (number)
            rc = json_int(r, number);
        else if (str_eq(name, STR("rate")))
            rc = json_double(r, &row->rate);
        else
            rc = json_skip(r, NULL);
    }
    return rc;
}

static int cell(struct grid *g, const char *title, bool right, str text)
{
    return grid_cell(g, grid_column(g, str_z(title), right), text);
}

static int duration_cell(struct grid *g, const char *title, bool has, int64_t ns)
{
    struct buf b;
    buf_init(&b, CELL_MAX);
    if (has)
        human_duration(&b, ns);
    int r = b.error ? b.error : cell(g, title, true, buf_view(&b));
    buf_free(&b);
    return r;
}

static int put_row(struct grid *g, const struct figures_row *row)
{
    char rate[64], errors[64];
    snprintf(rate, sizeof rate, row->rate < 10 ? "%.2f/s" : "%.0f/s", row->rate);
    snprintf(errors, sizeof errors, "%.2f%%", row->requests ? 100.0 * (double)row->errors / (double)row->requests : 0);
    int r = grid_row(g);
    if (r == 0 && row->from.len)
        r = cell(g, "from", false, row->from);
    if (r == 0 && row->from.len)
        r = cell(g, "to", false, row->to);
    if (r == 0 && !row->from.len)
        r = cell(g, "service", false, row->service);
    if (r == 0)
        r = cell(g, "rate", true, str_z(rate));
    if (r == 0)
        r = cell(g, "errors", true, str_z(errors));
    if (r == 0)
        r = duration_cell(g, "p50", row->has_p50, row->p50);
    if (r == 0)
        r = duration_cell(g, "p95", row->has_p95, row->p95);
    if (r == 0 && !row->from.len)
        r = cell(g, "version", false, row->version.len ? row->version : row->kind);
    return r;
}

// The rows of the list `name` of an answer: as a table, or each as a line of JSON.
static int print_list(str json, str list, bool lines, struct buf *out)
{
    struct arena arena;
    struct grid grid;
    struct json_reader r;
    str name, raw;
    arena_init(&arena, ANSWER_MAX);
    grid_init(&grid, &arena);
    json_reader_init(&r, json, &arena, 16);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1) {
        if (!str_eq(name, list)) {
            rc = json_skip(&r, NULL);
            continue;
        }
        rc = json_array(&r);
        while (rc == 0 && (rc = json_element(&r)) == 1) {
            struct figures_row row = { 0 };
            if (lines) {
                rc = json_skip(&r, &raw);
                buf_str(out, raw);
                buf_byte(out, '\n');
                continue;
            }
            rc = read_row(&r, &row);
            rc = rc < 0 ? rc : put_row(&grid, &row);
        }
    }
    if (rc == 0 && !lines && grid.rows_n)
        grid_print(&grid, out, (size_t)terminal_width(), true);
    arena_free(&arena);
    return rc < 0 ? rc : out->error;
}

static void put_parameter(struct buf *path, struct invocation *inv, const char *name)
{
    const char *value = invocation_option(inv, name);
    if (!value)
        return;
    buf_printf(path, "%c%s=", memchr(path->ptr, '?', path->len) ? '&' : '?', name);
    client_url_escape(path, str_z(value));
}

static int show(struct invocation *inv, const char *endpoint, str list)
{
    static const char *const parameters[] = { "from", "to", "project", "environment" };
    struct client c;
    struct client_answer answer = { 0 };
    struct err err = { 0 };
    struct buf path, json, out;
    if (client_find(&inv->config, &c, &err) < 0)
        return command_fail(&err);
    buf_init(&path, 1 << 16);
    buf_init(&json, ANSWER_MAX);
    buf_init(&out, ANSWER_MAX);
    buf_str(&path, str_z(endpoint));
    for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
        put_parameter(&path, inv, parameters[i]);
    int r = client_fetch(&c, buf_view(&path), &json, &answer, &err), status;
    if (r < 0) {
        status = command_fail(&err);
    } else if (answer.status != 200) {
        status = client_fail(&answer, (str){ 0 });
    } else if ((r = print_list(buf_view(&json), list, invocation_option(inv, "json") != NULL, &out)) < 0) {
        err_set(&err, r, "bad_answer", "the server's answer cannot be read: %s", err_text(r));
        status = command_fail(&err);
    } else {
        status = command_print(&out);
    }
    buf_free(&answer.error);
    buf_free(&out);
    buf_free(&json);
    buf_free(&path);
    return status;
}

int command_services(struct invocation *inv) { return show(inv, "/api/v1/overview", STR("services")); }
int command_map(struct invocation *inv) { return show(inv, "/api/v1/map", STR("edges")); }
