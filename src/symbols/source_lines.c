#include "symbols/source_lines.h"

enum { LINE_MAX = 150, CUT_TO = 140, BEFORE_COLUMN = 60, NOT_WORTH = 5 };

static size_t chars_of(str s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((uint8_t)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

// Bytes of the first n characters.
static size_t bytes_of_chars(str s, size_t n)
{
    size_t i = 0;
    for (; i < s.len; i++)
        if (((uint8_t)s.ptr[i] & 0xc0) != 0x80 && n-- == 0)
            break;
    return i;
}

static str cut(str line, size_t column, struct arena *arena)
{
    if (line.len <= LINE_MAX)
        return line;
    size_t n = chars_of(line);
    if (n <= LINE_MAX)
        return line;
    column = column < n ? column : n;
    size_t start = column > BEFORE_COLUMN ? column - BEFORE_COLUMN : 0;
    if (start < NOT_WORTH)
        start = 0;
    size_t end = start + CUT_TO < n ? start + CUT_TO : n;
    if (end + NOT_WORTH > n)
        end = n;
    if (end == n)
        start = end - CUT_TO;
    size_t from = bytes_of_chars(line, start);
    str kept = str_slice(line, from, from + bytes_of_chars(str_slice(line, from, line.len), end - start));
    return arena_printf(arena, "%s%.*s%s", start ? "{snip} " : "", STR_ARG(kept), end < n ? " {snip}" : "");
}

static bool line_next(str *text, str *ret)
{
    if (!text->len)
        return false;
    const char *end = memchr(text->ptr, '\n', text->len);
    size_t n = end ? (size_t)(end - text->ptr) : text->len;
    *ret = str_slice(*text, 0, n && text->ptr[n - 1] == '\r' ? n - 1 : n);
    *text = str_slice(*text, end ? n + 1 : n, text->len);
    return true;
}

bool source_lines_get(str text, uint32_t line, uint32_t column, struct arena *arena, struct source_lines *ret)
{
    str l;
    *ret = (struct source_lines){ 0 };
    if (!line)
        return false;
    // Those far in front are only counted.
    uint32_t at = 1;
    for (; at + SOURCE_LINES_SIDE < line; at++) {
        const char *end = text.len ? memchr(text.ptr, '\n', text.len) : NULL;
        if (!end)
            return false;
        text = str_slice(text, (size_t)(end - text.ptr) + 1, text.len);
    }
    for (; line_next(&text, &l) && at <= line + SOURCE_LINES_SIDE; at++) {
        l = cut(l, column, arena);
        if (!l.ptr)
            return false;
        if (at < line)
            ret->before[ret->before_n++] = l;
        else if (at == line)
            ret->line = l;
        else
            ret->after[ret->after_n++] = l;
    }
    return ret->line.ptr;
}
