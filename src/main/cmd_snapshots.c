// `clew snapshots`: what probes have captured; `clew snapshot ID`: one, with its variables as a tree.
#include "base/clock.h"
#include "base/timefmt.h"
#include "main/ask.h"
#include "main/grid.h"
#include "main/human.h"
#include "main/snapshot_text.h"

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

static int put_row(struct grid *g, const struct json_node *s)
{
    struct buf when;
    int64_t ns, line = json_get_int(s, STR("line"));
    buf_init(&when, 256);
    if (parse_rfc3339(json_get_text(s, STR("time")), &ns))
        human_ago(&when, ns, clock_unix_ns());
    int r = grid_row(g);
    if (r == 0)
        r = grid_put(g, "snapshot", false, json_get_text(s, STR("id")));
    if (r == 0)
        g->columns[grid_column(g, STR("snapshot"), false)].keep = true;
    if (r == 0)
        r = grid_put(g, "time", true, buf_view(&when));
    if (r == 0)
        r = grid_put(g, "probe", false, json_get_text(s, STR("probe")));
    if (r == 0)
        r = grid_put(g, "service", false, json_get_text(s, STR("service")));
    if (r == 0)
        r = grid_put(g, "where", false,
                     arena_printf(g->arena, "%.*s:%lld", STR_ARG(str_base_name(json_get_text(s, STR("file")))),
                                  (long long)line));
    if (r == 0)
        r = grid_put(g, "trace", false, json_get_text(s, STR("trace")));
    if (r == 0)
        r = grid_put(g, "values", false, values_of(g, s));
    buf_free(&when);
    return r;
}

int command_snapshots(struct invocation *inv)
{
    static const char *const options[] = { "probe", "service", "trace", "from", "to", "limit", NULL };
    static const struct ask_list list = { "/api/v1/snapshots", "snapshots", put_row, options };
    return ask_list(inv, &list);
}

int command_snapshot(struct invocation *inv)
{
    struct ask a;
    struct buf path, out;
    int status = ask_begin(&a, inv);
    a.hint = "what was captured is read with the scope `values`";
    buf_init(&path, 4096);
    buf_init(&out, ASK_OUT_MAX);
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
