// Text to tokens. Spellings, numbers and units are the query language's.
#include "base/numfmt.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "probe/expr_internal.h"

#include <stdarg.h>
#include <stdio.h>

static int code_points(str s)
{
    int n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    return n;
}

int expr_fail(struct expr_builder *b, int code, const char *slug, size_t at, size_t len, const char *fmt, ...)
{
    char message[320];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    err_set(b->err, code, slug, "%s", message);
    if (b->err && b->text.len) {
        b->err->line = 1;
        b->err->column = code_points(str_slice(b->text, 0, at)) + 1;
        b->err->length = code_points(str_slice(b->text, at, at + len));
    }
    return code;
}

void expr_hint(struct expr_builder *b, const char *fmt, ...)
{
    char hint[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(hint, sizeof hint, fmt, ap);
    va_end(ap);
    err_set_hint(b->err, "%s", hint);
}

static char char_at(const struct expr_builder *b, size_t at) { return at < b->text.len ? b->text.ptr[at] : 0; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_alpha(char c) { return (c | 0x20) >= 'a' && (c | 0x20) <= 'z'; }

// Bytes of the name at `at`, 0 when there is none. Names are those of the target's languages.
static size_t name_len(const struct expr_builder *b, size_t at)
{
    size_t i = at;
    while (i < b->text.len) {
        char c = b->text.ptr[i];
        unsigned n = 1;
        bool ok = is_alpha(c) || c == '_' || c == '$' || (i > at && is_digit(c));
        if (!ok && (unsigned char)c >= 0x80) {
            uint32_t cp = utf8_decode(b->text.ptr + i, b->text.ptr + b->text.len, &n, &ok);
            ok = ok && (i == at ? unicode_is_letter(cp) : unicode_is_token_char(cp));
        }
        if (!ok)
            break;
        i += n;
    }
    return i - at;
}

// --- numbers
struct unit {
    const char *name;
    int64_t factor;
};
static const struct unit units[] = {
    { "ns", 1 },
    { "us", 1000 },
    { "\xC2\xB5s", 1000 },
    { "\xCE\xBCs", 1000 },
    { "ms", 1000000 },
    { "s", 1000000000 },
    { "m", 60000000000 },
    { "h", 3600000000000 },
    { "d", 86400000000000 },
    { "w", 604800000000000 },
};
static const struct unit sizes[] = {
    { "kb", 1000 },          { "mb", 1000000 },    { "gb", 1000000000 },
    { "tb", 1000000000000 }, { "kib", 1ll << 10 }, { "mib", 1ll << 20 },
    { "gib", 1ll << 30 },    { "tib", 1ll << 40 }, { "b", 1 },
};

// digits [. digits], times factor; what is behind the 18th digit of the fraction does not count.
static bool scaled(str number, int64_t factor, unsigned __int128 *sum)
{
    unsigned __int128 whole = 0, part = 0, unit = 1000000000000000000u;
    size_t i = 0;
    for (; i < number.len && number.ptr[i] != '.'; i++) {
        if (number.ptr[i] == '_')
            continue;
        whole = whole * 10 + (unsigned)(number.ptr[i] - '0');
        if (whole > UINT64_MAX)
            return false;
    }
    for (i++; i < number.len && unit > 1; i++)
        part += (unsigned)(number.ptr[i] - '0') * (unit /= 10);
    *sum += whole * (unsigned __int128)factor + part * (unsigned __int128)factor / 1000000000000000000u;
    return *sum <= (unsigned __int128)INT64_MAX;
}

bool expr_unit_number(str s, int64_t *ret, bool *ret_over)
{
    unsigned __int128 sum = 0;
    size_t at = 0, pieces = 0;
    bool over = false;
    while (at < s.len) {
        size_t from = at, n = 0;
        while (at < s.len && (is_digit(s.ptr[at]) || (s.ptr[at] == '_' && at > from)))
            at++;
        if (at == from)
            return false;
        if (at + 1 < s.len && s.ptr[at] == '.' && is_digit(s.ptr[at + 1]))
            for (at++; at < s.len && is_digit(s.ptr[at]); at++)
                ;
        str number = str_slice(s, from, at);
        while (at + n < s.len && !is_digit(s.ptr[at + n]))
            n++;
        str name = str_slice(s, at, at + n);
        int64_t factor = 0;
        for (size_t u = 0; u < sizeof units / sizeof *units; u++)
            if (str_eq(name, str_z(units[u].name)))
                factor = units[u].factor;
        for (size_t u = 0; !factor && pieces == 0 && at + n == s.len && u < sizeof sizes / sizeof *sizes; u++)
            if (str_ieq(name, str_z(sizes[u].name)))
                factor = sizes[u].factor;
        if (!factor)
            return false;
        over = over || !scaled(number, factor, &sum);
        at += n;
        pieces++;
    }
    *ret_over = over;
    *ret = over ? 0 : (int64_t)sum;
    return pieces > 0;
}

static bool read_hex(str s, struct probe_val *ret)
{
    uint64_t v = 0;
    for (size_t i = 2; i < s.len; i++) {
        char c = s.ptr[i];
        int d = is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (d < 0 || v >> 59)
            return false;
        v = v << 4 | (unsigned)d;
    }
    *ret = (struct probe_val){ .kind = PROBE_VAL_INT, .i = (int64_t)v };
    return s.len > 2;
}

static bool read_plain(str s, struct probe_val *ret)
{
    char tmp[64];
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '_' && i && i + 1 < s.len && is_digit(s.ptr[i - 1]) && is_digit(s.ptr[i + 1]))
            continue;
        if (n == sizeof tmp)
            return false;
        tmp[n++] = s.ptr[i];
    }
    double d;
    int64_t v;
    // A leading zero means octal to some people.
    if ((n > 1 && tmp[0] == '0' && is_digit(tmp[1])) || !parse_double(str_of(tmp, n), &d))
        return false;
    if (parse_i64(str_of(tmp, n), &v))
        *ret = (struct probe_val){ .kind = PROBE_VAL_INT, .i = v };
    else
        *ret = (struct probe_val){ .kind = PROBE_VAL_FLOAT, .f = d };
    return true;
}

static int lex_number(struct expr_builder *b, struct expr_token *t)
{
    size_t i = t->at;
    bool hex = char_at(b, i) == '0' && (char_at(b, i + 1) | 0x20) == 'x';
    for (;;) {
        char c = char_at(b, i);
        size_t n = 0;
        if (is_digit(c) || is_alpha(c) || c == '_')
            n = 1;
        else if (c == '.' && is_digit(char_at(b, i + 1)))
            n = 1;
        else if ((c == '+' || c == '-') && !hex && (char_at(b, i - 1) | 0x20) == 'e' && is_digit(char_at(b, i - 2)) &&
                 is_digit(char_at(b, i + 1)))
            n = 1;
        else if ((unsigned char)c >= 0x80)
            n = name_len(b, i);
        if (!n)
            break;
        i += n;
    }
    t->type = EXPR_NUMBER;
    t->len = i - t->at;
    str s = t->text = str_slice(b->text, t->at, i);
    bool over = false, ok;
    if (hex)
        ok = read_hex(s, &t->value);
    else if (!(ok = read_plain(s, &t->value))) {
        t->value = (struct probe_val){ .kind = PROBE_VAL_INT };
        ok = expr_unit_number(s, &t->value.i, &over) && !over;
    }
    // JSON's grammar has no bound on digits, a double has: infinity is no number that somebody wrote.
    if (ok && t->value.kind == PROBE_VAL_FLOAT && t->value.f > 1.7976931348623157e308)
        ok = false, over = true;
    if (ok)
        return 0;
    int r = expr_fail(b, ERR_INVALID, "bad_number", t->at, t->len, "`%.*s` is %s", STR_ARG(utf8_cut(s, 40)),
                      over ? "too large" : "no number");
    if (!over)
        expr_hint(b, "numbers: 10, 1.5, 1e3, 0xff; with a unit: 10ms, 1m30s, 64kb, 1mib");
    return r;
}

static int lex_string(struct expr_builder *b, struct expr_token *t)
{
    char quote = char_at(b, t->at);
    size_t i = t->at + 1;
    for (;; i++) {
        if (i >= b->text.len) {
            int r = expr_fail(b, ERR_INVALID, "unclosed", t->at, 1, "the quote is not closed");
            expr_hint(b, "close it with %c", quote);
            return r;
        }
        char c = b->text.ptr[i];
        if (c == '\\' && quote == '"') {
            i++;
        } else if (c == quote) {
            if (quote != '\'' || char_at(b, i + 1) != '\'')
                break;
            i++;
        }
    }
    t->len = i + 1 - t->at;
    t->type = quote == '`' ? EXPR_QUOTED : EXPR_STRING;
    t->text = str_slice(b->text, t->at, i + 1);
    if (quote == '`') {
        t->text = str_slice(t->text, 1, t->text.len - 1);
        if (t->text.len == 0)
            return expr_fail(b, ERR_INVALID, "syntax", t->at, t->len, "a name is empty");
    }
    return 0;
}

static int lex_special(struct expr_builder *b, struct expr_token *t)
{
    size_t n = name_len(b, t->at + 1);
    if (!n)
        return expr_fail(b, ERR_INVALID, "syntax", t->at, 1, "expected a name behind `@`");
    str name = str_slice(b->text, t->at + 1, t->at + 1 + n);
    if (str_eq(name, STR("trace")) || str_eq(name, STR("span"))) {
        size_t more = char_at(b, t->at + 1 + n) == '.' ? name_len(b, t->at + 2 + n) : 0;
        n += more ? 1 + more : 0;
    }
    t->type = EXPR_SPECIAL;
    t->len = n + 1;
    t->text = str_slice(b->text, t->at + 1, t->at + 1 + n);
    return 0;
}

int expr_lex(struct expr_builder *b, size_t at, struct expr_token *ret)
{
    static const char *const puncts[] = { "===", "!==", "=>", "==", "!=", "=~", "!~", "<=", ">=", "&&",
                                          "||",  "->",  "?.", "?[", "**", "//", "??", "++", "--" };
    while (at < b->text.len && memchr(" \t\r\n", b->text.ptr[at], 4))
        at++;
    *ret = (struct expr_token){ .type = EXPR_END, .at = at };
    if (at >= b->text.len)
        return 0;
    char c = b->text.ptr[at];
    if (is_digit(c))
        return lex_number(b, ret);
    if (c == '"' || c == '\'' || c == '`')
        return lex_string(b, ret);
    if (c == '@')
        return lex_special(b, ret);
    size_t n = name_len(b, at);
    ret->type = n ? EXPR_NAME : EXPR_PUNCT;
    str rest = str_slice(b->text, at, b->text.len);
    for (size_t i = 0; !n && i < sizeof puncts / sizeof *puncts; i++)
        if (str_starts(rest, str_z(puncts[i])) &&
            !(str_eq(str_z(puncts[i]), STR("?.")) && is_digit(char_at(b, at + 2))))
            n = strlen(puncts[i]);
    if (!n) {
        n = utf8_char_len((const uint8_t *)rest.ptr, (const uint8_t *)rest.ptr + rest.len);
        if (!n)
            return expr_fail(b, ERR_INVALID, "syntax", at, 1, "the text is not UTF-8");
    }
    ret->len = n;
    ret->text = str_slice(rest, 0, n);
    return 0;
}

// --- strings
static size_t read_code_point(str s, size_t at, uint32_t *ret)
{
    // u{1F600}
    size_t i = at + 2;
    uint32_t v = 0;
    if (at + 1 >= s.len || s.ptr[at + 1] != '{')
        return 0;
    for (; i < s.len && s.ptr[i] != '}' && i < at + 8; i++) {
        char c = s.ptr[i];
        int d = is_digit(c) ? c - '0' : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10 : -1;
        if (d < 0)
            return 0;
        v = v << 4 | (unsigned)d;
    }
    if (i >= s.len || s.ptr[i] != '}' || i == at + 2 || v > UNICODE_MAX || (v >= 0xD800 && v < 0xE000))
        return 0;
    *ret = v;
    return i + 1 - at;
}

int expr_string(struct expr_builder *b, const struct expr_token *t, bool pattern, str *ret)
{
    char quote = t->text.ptr[0];
    str s = str_slice(t->text, 1, t->text.len - 1);
    char *out = arena_alloc_bytes(b->arena, s.len + 1);
    size_t n = 0;
    if (!out)
        return expr_fail(b, ERR_NOMEM, "memory", t->at, t->len, "no memory to read the expression");
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (quote == '\'') {
            i += c == '\'';
        } else if (c == '\\' && (!pattern || s.ptr[i + 1] == '"')) {
            uint32_t cp;
            size_t len;
            const char *known = "\"\\*nrt'", *to = "\"\\*\n\r\t'", *p = strchr(known, s.ptr[i + 1]);
            if (p && *p) {
                c = to[p - known];
                i++;
            } else if (s.ptr[i + 1] == 'u' && (len = read_code_point(s, i + 1, &cp)) != 0) {
                n += utf8_put(out + n, cp);
                i += len;
                continue;
            } else {
                int r = expr_fail(b, ERR_INVALID, "bad_escape", t->at + 1 + i, 2, "no such escape in a text");
                expr_hint(b, "escapes are \\\" \\\\ \\n \\r \\t \\u{1F600}; text in 'single quotes' has none");
                return r;
            }
        } else if (c == '\\') { // a pattern's own: with what follows it
            out[n++] = c;
            c = s.ptr[++i];
        }
        out[n++] = c;
    }
    *ret = str_of(out, n);
    return 0;
}
