// `clew snapshots`: what probes have captured; `clew snapshot ID`: one, with its variables as a tree.
#include "base/clock.h"
#include "base/timefmt.h"
#include "main/ask.h"
#include "main/grid.h"
#include "main/human.h"
#include "main/snapshot_text.h"
#include "main/terminal.h"

enum { OUT_MAX = 64 << 20 };

static int cell(struct grid *g, const char *title, bool right, str text)
{
    return grid_cell(g, grid_column(g, str_z(title), right), text);
}

static str values_of(struct grid *g, const struct json_node *s)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    for (const struct json_node *c = json_first_of(json_get(s, STR("columns")), JSON_OBJECT); c; c = c->next)
        buf_printf(&b, "%s%.*s=%.*s", b.len ? " " : "", STR_ARG(c->key), STR_ARG(c->text));
    str text = arena_printf(g->arena, "%.*s", STR_ARG(buf_view(&b)));
    buf_free(&b);
    return text;
}

static str base_name(str path)
{
    size_t at = path.len;
    while (at && path.ptr[at - 1] != '/')
        at--;
    return str_slice(path, at, path.len);
}

static int put_row(struct grid *g, const struct json_node *s)
{
    struct buf when;
    int64_t ns, line = 0;
    buf_init(&when, 256);
    if (parse_rfc3339(json_get_text(s, STR("time")), &ns))
        human_ago(&when, ns, clock_unix_ns());
    json_int_of(json_get(s, STR("line")), &line);
    int r = grid_row(g);
    if (r == 0)
        r = cell(g, "snapshot", false, json_get_text(s, STR("id")));
    if (r == 0)
        g->columns[grid_column(g, STR("snapshot"), false)].keep = true;
    if (r == 0)
        r = cell(g, "time", true, buf_view(&when));
    if (r == 0)
        r = cell(g, "probe", false, json_get_text(s, STR("probe")));
    if (r == 0)
        r = cell(g, "service", false, json_get_text(s, STR("service")));
    if (r == 0)
        r = cell(
            g, "where", false,
            arena_printf(g->arena, "%.*s:%lld", STR_ARG(base_name(json_get_text(s, STR("file")))), (long long)line));
    if (r == 0)
        r = cell(g, "trace", false, json_get_text(s, STR("trace")));
    if (r == 0)
        r = cell(g, "values", false, values_of(g, s));
    buf_free(&when);
    return r;
}

static int print_list(const struct ask *a, bool lines)
{
    struct buf out;
    struct json_writer w;
    struct grid g;
    struct arena arena;
    int r = 0;
    buf_init(&out, OUT_MAX);
    arena_init(&arena, OUT_MAX);
    grid_init(&g, &arena);
    for (const struct json_node *s = json_first_of(json_get(a->root, STR("snapshots")), JSON_ARRAY); s && r == 0;
         s = s->next) {
        if (!lines) {
            r = put_row(&g, s);
            continue;
        }
        json_writer_init(&w, &out);
        json_put_tree(&w, s);
        r = buf_byte(&out, '\n');
    }
    if (r == 0 && g.rows_n)
        grid_print(&g, &out, terminal_width(), true);
    arena_free(&arena);
    int status = command_print(&out);
    buf_free(&out);
    return status;
}

int command_snapshots(struct invocation *inv)
{
    static const char *const options[] = { "probe", "service", "trace", "from", "to", "limit" };
    struct ask a;
    struct buf path;
    int status = ask_begin(&a, inv);
    buf_init(&path, 1 << 16);
    buf_str(&path, STR("/api/v1/snapshots"));
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        ask_parameter(&path, options[i], invocation_option(inv, options[i]));
    if (status == EXIT_DONE)
        status =
            ask_get(&a, buf_view(&path)) < 0 ? EXIT_FAILED : print_list(&a, invocation_option(inv, "json") != NULL);
    buf_free(&path);
    ask_end(&a);
    return status;
}

int command_snapshot(struct invocation *inv)
{
    struct ask a;
    struct buf path, out;
    int status = ask_begin(&a, inv);
    a.hint = "what was captured is read with the scope `values`";
    buf_init(&path, 4096);
    buf_init(&out, OUT_MAX);
    buf_str(&path, STR("/api/v1/snapshots/"));
    client_url_escape(&path, str_z(inv->operands[0]));
    if (status == EXIT_DONE && ask_get(&a, buf_view(&path)) < 0)
        status = EXIT_FAILED;
    if (status == EXIT_DONE) {
        if (invocation_option(inv, "json")) {
            buf_str(&out, buf_view(&a.json));
            buf_byte(&out, '\n');
        } else {
            snapshot_text(&out, a.root);
        }
        status = command_print(&out);
    }
    buf_free(&out);
    buf_free(&path);
    ask_end(&a);
    return status;
}
