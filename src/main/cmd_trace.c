// `clew trace ID`.
#include "main/client.h"
#include "main/command.h"
#include "main/terminal.h"
#include "main/waterfall.h"

static int show(const struct invocation *inv, struct buf *json)
{
    struct waterfall_options o = { .width = terminal_width(), .colours = terminal_colours() };
    struct buf out;
    struct err err;
    if (invocation_option(inv, "json")) {
        buf_byte(json, '\n');
        return command_print(json);
    }
    buf_init(&out, 512 << 20);
    int r = waterfall_print(buf_view(json), &o, &out);
    int status = EXIT_FAILED;
    if (r == 0)
        status = command_print(&out);
    else {
        err_set(&err, r, "bad_answer", "the server's answer is no trace: %s", err_text(r));
        command_fail(&err);
    }
    buf_free(&out);
    return status;
}

int command_trace(struct invocation *inv)
{
    struct client c;
    struct client_answer answer = { 0 };
    struct err err = { 0 };
    struct buf path, json;
    if (client_find(&inv->config, &c, &err) < 0)
        return command_fail(&err);
    buf_init(&path, 4096);
    buf_init(&json, 512 << 20);
    buf_str(&path, STR("/api/v1/traces/"));
    client_url_escape(&path, str_z(inv->operands[0]));
    int r = client_fetch(&c, buf_view(&path), &json, &answer, &err), status;
    if (r < 0)
        status = command_fail(&err);
    else if (answer.status != 200)
        status = client_fail(&answer, (str){ 0 });
    else
        status = show(inv, &json);
    buf_free(&answer.error);
    buf_free(&json);
    buf_free(&path);
    return status;
}
