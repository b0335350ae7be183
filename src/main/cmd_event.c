// `clew event ID`: an event by its id, or the latest of an issue.
#include "base/hex.h"
#include "main/client.h"
#include "main/command.h"
#include "main/event_text.h"
#include "main/terminal.h"

#define EVENT_ANSWER_MAX ((size_t)64 << 20)

static bool is_event_id(str text)
{
    size_t digits = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '-' && hex_digit(text.ptr[i]) < 0)
            return false;
        digits += text.ptr[i] != '-';
    }
    return digits == 32;
}

static int draw(const struct buf *json)
{
    struct event_text_options o = { .width = terminal_width(), .colours = terminal_colours() };
    struct buf out;
    struct err err;
    int status = EXIT_FAILED;
    buf_init(&out, EVENT_ANSWER_MAX);
    int r = event_text_print(buf_view(json), &o, &out);
    if (r == 0) {
        status = command_print(&out);
    } else {
        err_set(&err, r, "bad_answer", "the server's answer is no event: %s", err_text(r));
        command_fail(&err);
    }
    buf_free(&out);
    return status;
}

int command_event(struct invocation *inv)
{
    struct client c;
    struct client_answer answer = { 0 };
    struct err err = { 0 };
    struct buf path, json;
    str id = str_z(inv->operands[0]);
    int status;
    if (client_find(&inv->config, &c, &err) < 0)
        return command_fail(&err);
    buf_init(&path, 4096);
    buf_init(&json, EVENT_ANSWER_MAX);
    bool event = is_event_id(id);
    buf_str(&path, event ? STR("/api/v1/events/") : STR("/api/v1/issues/"));
    client_url_escape(&path, id);
    if (!event)
        buf_str(&path, STR("/events/latest"));
    int r = client_fetch(&c, buf_view(&path), &json, &answer, &err);
    if (r < 0) {
        status = command_fail(&err);
    } else if (answer.status != 200) {
        status = client_fail(&answer, (str){ 0 });
    } else if (invocation_option(inv, "json")) {
        buf_byte(&json, '\n');
        status = command_print(&json);
    } else {
        status = draw(&json);
    }
    buf_free(&answer.error);
    buf_free(&json);
    buf_free(&path);
    return status;
}
