// query and tail.
#include "base/json.h"
#include "base/numfmt.h"
#include "main/client.h"
#include "main/command.h"
#include "main/rows.h"
#include "main/terminal.h"

#include <stdio.h>
#include <unistd.h>

// A query may think for its whole time before its first row; a tail hears from the server every 15 s.
enum { QUERY_SILENCE_MS = 3700 * 1000, TAIL_SILENCE_MS = 60 * 1000 };

static void put_option(struct json_writer *w, const struct invocation *inv, const char *name)
{
    const char *value = invocation_option(inv, name);
    if (!value)
        return;
    json_put_key(w, str_z(name));
    json_put_str(w, str_z(value));
}

static int write_all(bytes b)
{
    for (size_t at = 0; at < b.len;) {
        ssize_t n = write(STDOUT_FILENO, b.ptr + at, b.len - at);
        if (n < 0)
            return ERR_CLOSED;
        at += (size_t)n;
    }
    return 0;
}

// The stream as it is; its last line tells how it ended.
struct plain {
    bool failed;
};

static int plain_line(void *ctx, str line)
{
    struct plain *p = ctx;
    p->failed |= str_starts(line, STR("{\"_error\""));
    int r = write_all(bytes_of_str(line));
    return r < 0 ? r : write_all(bytes_of("\n", 1));
}

static int table_line(void *ctx, str line) { return rows_table_line(ctx, line); }

static int body_build(const struct invocation *inv, struct buf *body, struct err *err)
{
    struct json_writer w;
    const char *limit = invocation_option(inv, "limit");
    uint64_t n;
    json_writer_init(&w, body);
    json_put_object(&w);
    json_put_key(&w, STR("query"));
    json_put_str(&w, str_z(inv->operands[0]));
    put_option(&w, inv, "from");
    put_option(&w, inv, "to");
    put_option(&w, inv, "tz");
    if (limit) {
        if (!parse_u64(str_z(limit), &n))
            return err_set(err, ERR_INVALID, "usage", "--limit: \"%s\" is not a number", limit);
        json_put_key(&w, STR("limit"));
        json_put_uint(&w, n);
    }
    json_put_object_end(&w);
    return body->error ? err_set(err, body->error, "usage", "the query is too long") : 0;
}

static int show_table(struct rows_table *t)
{
    struct buf out, notes;
    buf_init(&out, ROWS_LINES_MAX);
    buf_init(&notes, 1 << 20);
    int r = rows_table_print(t, terminal_width(), &out, &notes);
    int status = r < 0 ? EXIT_FAILED : command_print(&out);
    fprintf(stderr, "%.*s", (int)notes.len, notes.ptr ? (const char *)notes.ptr : "");
    if (str_starts(buf_view(&t->stats), STR("{\"_error\""))) {
        struct client_answer answer = { .status = 200, .error = t->stats };
        status = client_fail(&answer, (str){ 0 });
    }
    buf_free(&out);
    buf_free(&notes);
    return status;
}

static int run_query(struct invocation *inv, const struct client *c, str body)
{
    bool table = invocation_option(inv, "table") || (terminal_is() && !invocation_option(inv, "json"));
    struct rows_table rows;
    struct plain plain = { 0 };
    struct client_answer answer = { 0 };
    struct err err = { 0 };
    rows_table_init(&rows);
    int r = client_lines(c, STR("/api/v1/query"), body, QUERY_SILENCE_MS, table ? table_line : plain_line,
                         table ? (void *)&rows : (void *)&plain, &answer, &err);
    int status;
    if (r < 0)
        status =
            r == ERR_CLOSED && err.message[0] == 0 ? EXIT_FAILED : command_fail(&err); // the reader of our output left
    else if (answer.status != 200)
        status = client_fail(&answer, str_z(inv->operands[0]));
    else
        status = table ? show_table(&rows) : plain.failed ? EXIT_FAILED : EXIT_DONE;
    buf_free(&answer.error);
    rows_table_free(&rows);
    return status;
}

int command_query(struct invocation *inv)
{
    struct client c;
    struct err err;
    struct buf body;
    buf_init(&body, 1 << 16);
    if (body_build(inv, &body, &err) < 0) {
        buf_free(&body);
        command_fail(&err);
        return EXIT_USAGE;
    }
    int status = client_find(&inv->config, &c, &err) < 0 ? command_fail(&err) : run_query(inv, &c, buf_view(&body));
    buf_free(&body);
    return status;
}

struct tailing {
    bool json, colours;
    bool skipped_event; // the next data line belongs to an event `skipped`
    struct buf out;
};

static int tail_line(void *ctx, str line)
{
    struct tailing *t = ctx;
    if (str_eq(line, STR("event: skipped"))) {
        t->skipped_event = true;
        return 0;
    }
    if (!str_starts(line, STR("data:")))
        return 0;
    str row = str_trim(str_slice(line, 5, line.len));
    if (t->skipped_event) {
        t->skipped_event = false;
        fputs("clew: more arrived than is shown; a narrower filter shows all of it\n", stderr);
        return 0;
    }
    buf_clear(&t->out);
    if (t->json) {
        buf_str(&t->out, row);
        buf_byte(&t->out, '\n');
    } else if (rows_record_line(row, t->colours, &t->out) < 0) {
        return 0; // not a row
    }
    return write_all(buf_bytes(&t->out));
}

int command_tail(struct invocation *inv)
{
    struct client c;
    struct err err = { 0 };
    struct client_answer answer = { 0 };
    struct tailing t = { .json = invocation_option(inv, "json") || !terminal_is(), .colours = terminal_colours() };
    struct buf path;
    str query = inv->operands_n ? str_z(inv->operands[0]) : STR("*");
    if (client_find(&inv->config, &c, &err) < 0)
        return command_fail(&err);
    buf_init(&path, 1 << 18);
    buf_init(&t.out, 64 << 20);
    buf_str(&path, STR("/api/v1/tail?query="));
    client_url_escape(&path, query);
    int r = client_lines(&c, buf_view(&path), (str){ 0 }, TAIL_SILENCE_MS, tail_line, &t, &answer, &err);
    int status = EXIT_DONE;
    if (r < 0)
        status = r == ERR_CLOSED && err.message[0] == 0 ? EXIT_DONE : command_fail(&err);
    else if (answer.status != 200)
        status = client_fail(&answer, query);
    buf_free(&answer.error);
    buf_free(&t.out);
    buf_free(&path);
    return status;
}
