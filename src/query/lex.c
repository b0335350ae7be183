#include "base/err.h"
#include "base/numfmt.h"
#include "base/unicode.h"
#include "query/parse_internal.h"

#include <stdarg.h>
#include <stdio.h>

int parse_fail(struct parser *p, enum query_code code, size_t off, size_t len, const char *fmt, ...)
{
    char message[320];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    int r = query_fail(p->err, code, "%s", message);
    query_error_at(p->err, p->text, off, len);
    return r;
}

int parse_nomem(struct parser *p) { return query_fail(p->err, QUERY_E_MEMORY, "no memory to read the query"); }

// Bytes of the word or single character at `at`, for messages and underlining.
static size_t thing_len(const struct parser *p, size_t at)
{
    if (at >= p->text.len)
        return 0;
    size_t n = 0;
    while (at + n < p->text.len &&
           (unicode_is_letter((unsigned char)p->text.ptr[at + n]) || (n && parse_peek_ident(p, at + n).len)))
        n++;
    if (n)
        return n;
    unsigned len;
    bool ok;
    utf8_decode(p->text.ptr + at, p->text.ptr + p->text.len, &len, &ok);
    return len;
}

int parse_expected(struct parser *p, const char *what)
{
    parse_space(p);
    size_t n = thing_len(p, p->at);
    if (n == 0)
        return parse_fail(p, QUERY_E_SYNTAX, p->at, 0, "expected %s, but the query ends here", what);
    return parse_fail(p, QUERY_E_SYNTAX, p->at, n, "expected %s, not `%.*s`", what, (int)(n < 40 ? n : 40),
                      p->text.ptr + p->at);
}

int parse_enter(struct parser *p)
{
    if (++p->depth <= QUERY_DEPTH_MAX)
        return 0;
    return parse_fail(p, QUERY_E_TOO_DEEP, p->at, 1, "nested more than %d levels deep", QUERY_DEPTH_MAX);
}

void *parse_node(struct parser *p, size_t size) { return arena_zalloc(p->arena, size); }

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v'; }

size_t parse_space_from(const struct parser *p, size_t at)
{
    for (;;) {
        while (at < p->text.len && is_space(p->text.ptr[at]))
            at++;
        if (parse_char(p, at) != '#' || parse_char(p, at + 1) != ' ')
            return at;
        while (at < p->text.len && p->text.ptr[at] != '\n')
            at++;
    }
}

void parse_space(struct parser *p) { p->at = parse_space_from(p, p->at); }

bool parse_punct(struct parser *p, const char *punct)
{
    str rest = str_slice(p->text, p->at, p->text.len);
    if (!str_starts(rest, str_z(punct)))
        return false;
    p->at += strlen(punct);
    return true;
}

str parse_peek_ident(const struct parser *p, size_t at)
{
    size_t n = 0;
    for (; at + n < p->text.len; n++) {
        char c = p->text.ptr[at + n];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        if (!letter && c != '_' && !(n && c >= '0' && c <= '9'))
            break;
    }
    return str_slice(p->text, at, at + n);
}

bool parse_is_keyword(const struct parser *p, size_t at, const char *word)
{
    str w = str_z(word), here = str_slice(p->text, at, at + w.len);
    if (!str_ieq(here, w))
        return false;
    // A keyword ends where a bare word would end.
    char c = parse_char(p, at + w.len);
    return at + w.len == p->text.len || is_space(c) || (c && strchr("|(){},\"'`", c));
}

bool parse_keyword(struct parser *p, const char *word)
{
    if (!parse_is_keyword(p, p->at, word))
        return false;
    p->at += strlen(word);
    return true;
}

int parse_word_len(struct parser *p, size_t at, size_t *ret_len)
{
    size_t i = at;
    while (i < p->text.len && !is_space(p->text.ptr[i]) && !memchr("|(){},\"'", p->text.ptr[i], 8)) {
        if (p->text.ptr[i] == '\\') {
            if (i + 1 == p->text.len)
                return parse_fail(p, QUERY_E_BAD_ESCAPE, i, 1, "a backslash at the end protects nothing");
            i++;
        }
        i++;
    }
    *ret_len = i - at;
    return 0;
}

int parse_quoted(struct parser *p, const char *expected, struct query_ast_value **ret_v)
{
    size_t from = p->at, i = from + 1;
    char quote = parse_char(p, from);
    if (quote != '"' && quote != '\'')
        return parse_expected(p, expected);
    for (;; i++) {
        if (i >= p->text.len) {
            int r = parse_fail(p, QUERY_E_UNCLOSED, from, 1, "the quote is not closed");
            query_error_hint(p->err, "close it with %c", quote);
            return r;
        }
        char c = p->text.ptr[i];
        if (quote == '"' && c == '\\') {
            i++;
        } else if (c == quote) {
            if (quote == '"' || parse_char(p, i + 1) != '\'')
                break;
            i++; // '' is a quote
        }
    }
    struct query_ast_value *v = parse_node(p, sizeof *v);
    if (!v)
        return parse_nomem(p);
    v->form = quote == '"' ? QUERY_DQUOTED : QUERY_SQUOTED;
    v->raw = str_slice(p->text, from + 1, i);
    v->pos = parse_pos(from, i + 1);
    p->at = i + 1;
    *ret_v = v;
    return 0;
}

int parse_value(struct parser *p, const char *expected, struct query_ast_value **ret_v)
{
    parse_space(p);
    char c = parse_char(p, p->at);
    if (c == '"' || c == '\'')
        return parse_quoted(p, expected, ret_v);
    size_t n;
    int r = parse_word_len(p, p->at, &n);
    if (r < 0)
        return r;
    // A lone `#` would be a comment as soon as a space followed.
    if (n == 0 || (n == 1 && c == '#'))
        return parse_expected(p, expected);
    struct query_ast_value *v = parse_node(p, sizeof *v);
    if (!v)
        return parse_nomem(p);
    v->form = QUERY_WORD;
    v->raw = str_slice(p->text, p->at, p->at + n);
    v->pos = parse_pos(p->at, p->at + n);
    p->at += n;
    *ret_v = v;
    return 0;
}

// ---- field names
// Length of one plain part at `at`; rest: not the first part, which may begin with a digit.
static size_t part_len(const struct parser *p, size_t at, bool strict, bool rest)
{
    size_t i = at;
    while (i < p->text.len) {
        unsigned char c = (unsigned char)p->text.ptr[i];
        unsigned n = 1;
        bool begin, inside;
        if (c < 0x80) {
            bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
            begin =
                letter || c == '_' || c == '@' || c == '$' || (c == '/' && !strict) || (rest && c >= '0' && c <= '9');
            inside = begin || (c >= '0' && c <= '9') || (c == '-' && !strict);
        } else {
            bool ok;
            uint32_t cp = utf8_decode(p->text.ptr + i, p->text.ptr + p->text.len, &n, &ok);
            begin = ok && unicode_is_letter(cp);
            inside = ok && unicode_is_token_char(cp);
        }
        if (!(i == at ? begin : inside))
            break;
        i += n;
    }
    return i - at;
}

// End of `[digits]` at `at`, or 0.
static size_t index_end(const struct parser *p, size_t at)
{
    size_t i = at + 1;
    while (parse_char(p, i) >= '0' && parse_char(p, i) <= '9')
        i++;
    return parse_char(p, at) == '[' && i > at + 1 && i - at <= 10 && parse_char(p, i) == ']' ? i + 1 : 0;
}

// End of one part, plain or in back quotes, or 0.
static size_t seg_end(const struct parser *p, size_t at, bool strict, bool rest)
{
    if (parse_char(p, at) != '`') {
        size_t n = part_len(p, at, strict, rest);
        return n ? at + n : 0;
    }
    ptrdiff_t close = str_find_char(p->text, '`', at + 1);
    return close > (ptrdiff_t)at + 1 ? (size_t)close + 1 : 0;
}

bool parse_plain_name(str name, bool strict)
{
    struct parser p = { .text = name };
    return name.len && part_len(&p, 0, strict, false) == name.len;
}

size_t parse_field_end(const struct parser *p, size_t at, bool strict)
{
    size_t end = seg_end(p, at, strict, false), next;
    if (!end)
        return 0;
    for (;;) {
        if (parse_char(p, end) == '.' && (next = seg_end(p, end + 1, strict, true)) != 0)
            end = next;
        else if ((next = index_end(p, end)) != 0)
            end = next;
        else
            return end;
    }
}

static int put_seg(struct parser *p, struct query_ast_seg ***tail, struct query_ast_seg seg)
{
    struct query_ast_seg *s = parse_node(p, sizeof *s);
    if (!s)
        return parse_nomem(p);
    *s = seg;
    **tail = s;
    *tail = &s->next;
    return 0;
}

int parse_field(struct parser *p, bool strict, struct query_ast_field **ret_f)
{
    parse_space(p);
    size_t from = p->at, end = parse_field_end(p, from, strict), i = from;
    if (!end) {
        if (parse_char(p, from) == '`')
            return parse_fail(p, QUERY_E_UNCLOSED, from, 1, "the back quote is not closed");
        return parse_expected(p, "a field name");
    }
    struct query_ast_field *f = parse_node(p, sizeof *f);
    if (!f)
        return parse_nomem(p);
    struct query_ast_seg **tail = &f->segs;
    while (i < end) {
        int r;
        size_t next = i > from ? index_end(p, i) : 0;
        if (next) {
            uint64_t n = 0;
            parse_u64(str_slice(p->text, i + 1, next - 1), &n);
            r = put_seg(p, &tail, (struct query_ast_seg){ .is_index = true, .index = (uint32_t)n });
        } else {
            i += i > from; // the point
            next = seg_end(p, i, strict, i > from);
            bool quoted = parse_char(p, i) == '`';
            str name = quoted ? str_slice(p->text, i + 1, next - 1) : str_slice(p->text, i, next);
            r = put_seg(p, &tail, (struct query_ast_seg){ .name = name, .quoted = quoted });
        }
        if (r < 0)
            return r;
        i = next;
    }
    f->pos = parse_pos(from, end);
    p->at = end;
    *ret_f = f;
    return 0;
}

int parse_fields(struct parser *p, struct query_ast_field **ret_list)
{
    struct query_ast_field **tail = ret_list;
    do {
        int r = parse_field(p, false, tail);
        if (r < 0)
            return r;
        tail = &(*tail)->next;
        parse_space(p);
    } while (parse_punct(p, ","));
    return 0;
}

int parse_name(struct parser *p, bool strict, str *ret_name, struct query_pos *ret_pos)
{
    parse_space(p);
    size_t end = seg_end(p, p->at, strict, false);
    if (!end) {
        if (parse_char(p, p->at) == '`')
            return parse_fail(p, QUERY_E_UNCLOSED, p->at, 1, "the back quote is not closed");
        return parse_expected(p, "a name for the column");
    }
    bool quoted = p->text.ptr[p->at] == '`';
    str name = quoted ? str_slice(p->text, p->at + 1, end - 1) : str_slice(p->text, p->at, end);
    if (str_starts(name, STR("_"))) {
        int r = parse_fail(p, QUERY_E_BAD_ARGUMENT, p->at, end - p->at, "a column's name cannot begin with `_`");
        query_error_hint(p->err, "such keys are the results' own: _stats, _error");
        return r;
    }
    *ret_name = name;
    *ret_pos = parse_pos(p->at, end);
    p->at = end;
    return 0;
}

int parse_digits(struct parser *p, const char *expected, uint64_t *ret_n, struct query_pos *ret_pos)
{
    parse_space(p);
    size_t i = p->at;
    while (parse_char(p, i) >= '0' && parse_char(p, i) <= '9')
        i++;
    if (i == p->at)
        return parse_expected(p, expected);
    if (!parse_u64(str_slice(p->text, p->at, i), ret_n) || *ret_n > INT64_MAX)
        return parse_fail(p, QUERY_E_BAD_NUMBER, p->at, i - p->at, "the number is too big");
    *ret_pos = parse_pos(p->at, i);
    p->at = i;
    return 0;
}
