#include "probe/template.h"

#include "probe/expr_internal.h"

// Where the expression that begins at `at` ends: the brace outside of its quotes. The text's length when there is none.
static size_t end_of(str text, size_t at)
{
    char quote = 0;
    for (; at < text.len; at++) {
        char c = text.ptr[at];
        if (quote) {
            if (c == '\\' && quote == '"')
                at++;
            else if (c == quote)
                quote = 0;
        } else if (c == '"' || c == '\'' || c == '`') {
            quote = c;
        } else if (c == '}') {
            return at;
        }
    }
    return text.len;
}

// The error's column counts in the expression; people see the whole text.
static void shift(struct err *err, str text, size_t from)
{
    int before = 0;
    for (size_t i = 0; i < from; i++)
        before += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    if (err)
        err->column = (err->column ? err->column : 1) + before;
}

static int add_text(struct expr_builder *b, struct probe_template_part *parts, size_t *n, const char *p, size_t len)
{
    struct probe_template_part *last = *n && !parts[*n - 1].expr ? &parts[*n - 1] : NULL;
    if (len == 0)
        return 0;
    if (!last) {
        if (*n == PROBE_TEMPLATE_PARTS_MAX)
            return expr_fail(b, ERR_LIMIT, "too_many_terms", 0, 0, "more than %d parts", PROBE_TEMPLATE_PARTS_MAX);
        char *room = arena_alloc_bytes(b->arena, b->text.len);
        if (!room)
            return expr_fail(b, ERR_NOMEM, "memory", 0, 0, "no memory to read the message");
        last = &parts[(*n)++];
        last->text = str_of(room, 0);
    }
    memcpy((char *)last->text.ptr + last->text.len, p, len);
    last->text.len += len;
    return 0;
}

static int add_expr(struct expr_builder *b, struct probe_template_part *parts, size_t *n, size_t from, size_t *ret_end)
{
    size_t end = end_of(b->text, from);
    if (end == b->text.len) {
        int r = expr_fail(b, ERR_INVALID, "unclosed", from - 1, 1, "the brace is not closed");
        expr_hint(b, "close it with }, or write {{ for a brace");
        return r;
    }
    if (*n == PROBE_TEMPLATE_PARTS_MAX)
        return expr_fail(b, ERR_LIMIT, "too_many_terms", from, 0, "more than %d parts", PROBE_TEMPLATE_PARTS_MAX);
    str text = str_trim(str_slice(b->text, from, end));
    if (text.len == 0)
        return expr_fail(b, ERR_INVALID, "syntax", from - 1, end + 2 - from, "nothing between the braces");
    int r = probe_expr_parse(text, b->arena, &parts[*n].expr, b->err);
    if (r)
        shift(b->err, b->text, (size_t)(text.ptr - b->text.ptr));
    ++*n;
    *ret_end = end;
    return r;
}

int probe_template_parse(str text, struct arena *arena, struct probe_template *ret, struct err *err)
{
    struct err own = { 0 };
    struct expr_builder b = { .text = text, .arena = arena, .err = err ? err : &own };
    struct probe_template_part parts[PROBE_TEMPLATE_PARTS_MAX] = { 0 }, *kept;
    size_t n = 0, i = 0;
    if (text.len > PROBE_EXPR_TEXT_MAX)
        return expr_fail(&b, ERR_LIMIT, "too_long", PROBE_EXPR_TEXT_MAX, 0, "a message of more than %d bytes",
                         PROBE_EXPR_TEXT_MAX);
    while (i < text.len) {
        char c = text.ptr[i], next = i + 1 < text.len ? text.ptr[i + 1] : 0;
        size_t end = i + 1;
        int r;
        if (c == '{' && next != '{') {
            r = add_expr(&b, parts, &n, i + 1, &end);
            end++;
        } else if (c == '}' && next != '}') {
            r = expr_fail(&b, ERR_INVALID, "syntax", i, 1, "a brace that closes nothing");
            expr_hint(&b, "write }} for a brace");
        } else if (c == '{' || c == '}') {
            r = add_text(&b, parts, &n, &c, 1);
            end++;
        } else {
            while (end < text.len && text.ptr[end] != '{' && text.ptr[end] != '}')
                end++;
            r = add_text(&b, parts, &n, text.ptr + i, end - i);
        }
        if (r)
            return r;
        i = end;
    }
    kept = arena_alloc_array(arena, n ? n : 1, sizeof *kept);
    if (!kept)
        return expr_fail(&b, ERR_NOMEM, "memory", 0, 0, "no memory to read the message");
    memcpy(kept, parts, n * sizeof *parts);
    *ret = (struct probe_template){ kept, n };
    return 0;
}
