// Pieces of a rule's line.
#include "base/utf8.h"
#include "grouping/grouping_internal.h"

#include <stdarg.h>
#include <stdio.h>

bool rule_line(str text, size_t *pos, int *line, str *ret)
{
    if (*pos >= text.len)
        return false;
    ptrdiff_t end = str_find_char(text, '\n', *pos);
    size_t stop = end < 0 ? text.len : (size_t)end;
    *ret = str_slice(text, *pos, stop);
    *pos = stop + 1;
    ++*line;
    return true;
}

void lex_space(struct lex *l)
{
    while (l->i < l->text.len && (l->text.ptr[l->i] == ' ' || l->text.ptr[l->i] == '\t' || l->text.ptr[l->i] == '\r'))
        l->i++;
}

bool lex_take(struct lex *l, char c)
{
    if (l->i >= l->text.len || l->text.ptr[l->i] != c)
        return false;
    l->i++;
    return true;
}

str lex_ident(struct lex *l)
{
    size_t start = l->i;
    while (l->i < l->text.len) {
        char c = l->text.ptr[l->i];
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '.' && c != '-')
            break;
        l->i++;
    }
    return str_slice(l->text, start, l->i);
}

int lex_error(struct lex *l, int code, const char *hint, const char *fmt, ...)
{
    char message[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    err_set(l->err, code, "bad_rule", "line %d: %s", l->line, message);
    if (l->err) {
        err_set_place(l->err, "%s", l->kind);
        l->err->line = l->line;
        l->err->column = (int)l->i + 1;
        l->err->length = 1;
    }
    if (hint)
        err_set_hint(l->err, "%s", hint);
    return code;
}

static int hex_of(str s, size_t i, size_t n, uint32_t *ret)
{
    *ret = 0;
    for (size_t k = 0; k < n; k++) {
        char c = i + k < s.len ? s.ptr[i + k] : 'x';
        int d = c >= '0' && c <= '9' ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (d < 0)
            return 0;
        *ret = *ret << 4 | (uint32_t)d;
    }
    return 1;
}

// What an escape stands for; one that means nothing stays as it is (a glob's own).
static size_t escape_put(str s, size_t i, char *out, size_t *n)
{
    static const char letters[] = "nrt\"\\'", means[] = "\n\r\t\"\\'";
    const char *known = strchr(letters, s.ptr[i]);
    uint32_t c;
    if (known && s.ptr[i]) {
        out[(*n)++] = means[known - letters];
        return 1;
    }
    if ((s.ptr[i] == 'x' && hex_of(s, i + 1, 2, &c)) ||
        (s.ptr[i] == 'u' && hex_of(s, i + 1, 4, &c) && (c < 0xd800 || c > 0xdfff))) {
        *n += utf8_put(out + *n, c);
        return s.ptr[i] == 'x' ? 3 : 5;
    }
    out[(*n)++] = '\\';
    out[(*n)++] = s.ptr[i];
    return 1;
}

int lex_quoted(struct lex *l, struct arena *arena, str *ret)
{
    size_t n = 0, i = l->i + 1;
    char *out = arena_alloc_bytes(arena, l->text.len - l->i + 4);
    if (!out)
        return err_set(l->err, ERR_NOMEM, NULL, "out of memory");
    while (i < l->text.len && l->text.ptr[i] != '"') {
        if (l->text.ptr[i] == '\\' && i + 1 < l->text.len) {
            i += 1 + escape_put(l->text, i + 1, out, &n);
            continue;
        }
        out[n++] = l->text.ptr[i++];
    }
    if (i >= l->text.len)
        return lex_error(l, ERR_INVALID, "a \" in a quoted text is written \\\"", "a quoted text does not end");
    l->i = i + 1;
    *ret = str_of(out, n);
    return 0;
}

int lex_argument(struct lex *l, struct arena *arena, str *ret)
{
    if (l->i < l->text.len && l->text.ptr[l->i] == '"')
        return lex_quoted(l, arena, ret);
    size_t start = l->i;
    while (l->i < l->text.len && l->text.ptr[l->i] != ' ' && l->text.ptr[l->i] != '\t' && l->text.ptr[l->i] != '\r')
        l->i++;
    if (l->i == start)
        return lex_error(l, ERR_INVALID, "KEY:PATTERN, without a space between them", "a pattern is missing");
    *ret = str_slice(l->text, start, l->i);
    return 0;
}
