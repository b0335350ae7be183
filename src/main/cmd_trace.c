// `clew trace ID`.
#include "main/client.h"
#include "main/command.h"
#include "main/critical.h"
#include "main/terminal.h"
#include "main/waterfall.h"

#define TRACE_ANSWER_MAX ((size_t)512 << 20)

// One answer about the trace; EXIT_DONE, or it has been said why not.
static int fetch(struct client *c, const char *id, str what, struct buf *json)
{
    struct client_answer answer = { 0 };
    struct err err = { 0 };
    struct buf path;
    int status = EXIT_DONE;
    buf_init(&path, 4096);
    buf_str(&path, STR("/api/v1/traces/"));
    client_url_escape(&path, str_z(id));
    buf_str(&path, what);
    int r = client_fetch(c, buf_view(&path), json, &answer, &err);
    if (r < 0)
        status = command_fail(&err);
    else if (answer.status != 200)
        status = client_fail(&answer, (str){ 0 });
    buf_free(&answer.error);
    buf_free(&path);
    return status;
}

static int draw(const struct buf *trace, const struct buf *path)
{
    struct waterfall_options o = { .width = terminal_width(), .colours = terminal_colours() };
    struct critical critical;
    struct arena arena;
    struct buf out;
    struct err err;
    int r = 0, status = EXIT_FAILED;
    buf_init(&out, TRACE_ANSWER_MAX);
    arena_init(&arena, (size_t)1 << 30);
    if (path->len) {
        r = critical_read(buf_view(path), &arena, &critical);
        o.critical = &critical;
    }
    if (r == 0)
        r = waterfall_print(buf_view(trace), &o, &out);
    if (r == 0)
        status = command_print(&out);
    else {
        err_set(&err, r, "bad_answer", "the server's answer is no trace: %s", err_text(r));
        command_fail(&err);
    }
    arena_free(&arena);
    buf_free(&out);
    return status;
}

int command_trace(struct invocation *inv)
{
    bool critical = invocation_option(inv, "critical"), json = invocation_option(inv, "json");
    struct client c;
    struct err err = { 0 };
    struct buf trace, path;
    int status = EXIT_DONE;
    if (client_find(&inv->config, &c, &err) < 0)
        return command_fail(&err);
    buf_init(&trace, TRACE_ANSWER_MAX);
    buf_init(&path, TRACE_ANSWER_MAX);
    if (critical)
        status = fetch(&c, inv->operands[0], STR("/path"), &path);
    if (status == EXIT_DONE && !(critical && json))
        status = fetch(&c, inv->operands[0], STR(""), &trace);
    if (status == EXIT_DONE && json) {
        struct buf *answer = critical ? &path : &trace;
        buf_byte(answer, '\n');
        status = command_print(answer);
    } else if (status == EXIT_DONE)
        status = draw(&trace, &path);
    buf_free(&path);
    buf_free(&trace);
    return status;
}
