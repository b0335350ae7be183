// The parts of the client that know nothing of sockets.
#include "base/json.h"
#include "main/client.h"
#include "main/command.h"
#include "main/human.h"

#include <stdio.h>

void client_url_escape(struct buf *out, str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                     c == '_' || c == '.' || c == '~';
        if (plain)
            buf_byte(out, c);
        else
            buf_printf(out, "%%%02X", c);
    }
}

struct failure {
    str message, hint, code;
    int64_t line, column, length;
};

static int failure_member(struct failure *f, str name, struct json_reader *r)
{
    if (str_eq(name, STR("message")))
        return json_text(r, &f->message);
    if (str_eq(name, STR("hint")))
        return json_text(r, &f->hint);
    if (str_eq(name, STR("code")))
        return json_text(r, &f->code);
    if (str_eq(name, STR("line")))
        return json_int(r, &f->line);
    if (str_eq(name, STR("column")))
        return json_int(r, &f->column);
    if (str_eq(name, STR("length")))
        return json_int(r, &f->length);
    return json_skip(r, NULL);
}

// {"error":{..}}, or {"_error":{..}} as the last line of a stream.
static int failure_read(str text, struct arena *arena, struct failure *f)
{
    struct json_reader r;
    str name;
    json_reader_init(&r, text, arena, 16);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1) {
        if (!str_eq(name, STR("error")) && !str_eq(name, STR("_error"))) {
            rc = json_skip(&r, NULL);
            continue;
        }
        rc = json_object(&r);
        while (rc == 0 && (rc = json_member(&r, &name)) == 1)
            rc = failure_member(f, name, &r);
    }
    return rc;
}

// The query's line with the place underlined.
static void put_place(struct buf *out, str query, const struct failure *f)
{
    size_t at = 0;
    for (int64_t line = 1; line < f->line && at < query.len; line++) {
        ptrdiff_t nl = str_find_char(query, '\n', at);
        at = nl < 0 ? query.len : (size_t)nl + 1;
    }
    ptrdiff_t nl = str_find_char(query, '\n', at);
    str line = str_slice(query, at, nl < 0 ? query.len : (size_t)nl);
    buf_str(out, STR("  "));
    visible_escape(out, line);
    buf_str(out, STR("\n  "));
    for (int64_t i = 1; i < f->column && i < 4096; i++)
        buf_byte(out, ' ');
    for (int64_t i = 0; i < (f->length > 0 ? f->length : 1) && i < 4096; i++)
        buf_byte(out, '^');
    buf_byte(out, '\n');
}

int client_fail(const struct client_answer *answer, str query)
{
    struct arena arena;
    struct buf out;
    struct failure f = { { 0 } };
    arena_init(&arena, 1 << 20);
    buf_init(&out, 1 << 20);
    buf_str(&out, STR("clew: "));
    if (failure_read(buf_view(&answer->error), &arena, &f) < 0 || f.message.len == 0) {
        buf_printf(&out, "the server answered %d\n", answer->status);
    } else {
        visible_escape(&out, f.message);
        buf_byte(&out, '\n');
        if (f.column > 0 && query.len)
            put_place(&out, query, &f);
        if (f.hint.len) {
            buf_str(&out, STR("  "));
            visible_escape(&out, f.hint);
            buf_byte(&out, '\n');
        }
    }
    fprintf(stderr, "%.*s", (int)out.len, (const char *)out.ptr);
    buf_free(&out);
    arena_free(&arena);
    return EXIT_FAILED;
}
