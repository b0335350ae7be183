#include "query/text_pattern.h"

#include "base/buf.h"

struct scan {
    str text;
    bool no_double, no_single; // there is no further closing quote: do not look again
    bool no_colon;             // so no IPv6
};

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_letter(char c) { return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || (unsigned char)c >= 0x80; }
static bool is_word(char c) { return is_digit(c) || is_letter(c); }
static bool is_hex(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f'); }
static char at(const struct scan *s, size_t i) { return i < s->text.len ? s->text.ptr[i] : 0; }

// Bytes of digits at i, at most `most`.
static size_t digits(const struct scan *s, size_t i, size_t most)
{
    size_t n = 0;
    while (n < most && is_digit(at(s, i + n)))
        n++;
    return n;
}

static size_t hex_digits(const struct scan *s, size_t i, size_t most)
{
    size_t n = 0;
    while (n < most && i + n < s->text.len && is_hex(at(s, i + n)))
        n++;
    return n;
}

// ---- one function a rule: the length of what fits at i, 0 for nothing
static size_t quoted(struct scan *s, size_t i)
{
    char q = at(s, i);
    bool *none = q == '"' ? &s->no_double : &s->no_single;
    if ((q != '"' && q != '\'') || *none || (i && is_word(at(s, i - 1)))) // don't
        return 0;
    for (size_t k = i + 1; k < s->text.len; k++) {
        if (s->text.ptr[k] == '\\')
            k++;
        else if (s->text.ptr[k] == q && !(q == '\'' && is_word(at(s, k + 1))))
            return k + 1 - i;
    }
    *none = true;
    return 0;
}

static size_t url(struct scan *s, size_t i)
{
    size_t k = i;
    if (!is_letter(at(s, k)))
        return 0;
    while (is_word(at(s, k)) || (at(s, k) && strchr("+.-", at(s, k))))
        k++;
    if (!str_starts(str_slice(s->text, k, s->text.len), STR("://")))
        return 0;
    k += 3;
    size_t from = k;
    while (k < s->text.len && (unsigned char)s->text.ptr[k] > ' ' && !strchr("\"'<>`|{}[]()", s->text.ptr[k]))
        k++;
    while (k > from && strchr(".,;:!?", s->text.ptr[k - 1])) // the sentence's, not the address's
        k--;
    return k > from ? k - i : 0;
}

static size_t email(struct scan *s, size_t i)
{
    size_t k = i;
    while (is_word(at(s, k)) || (at(s, k) && strchr("._%+-", at(s, k))))
        k++;
    if (k == i || at(s, k) != '@')
        return 0;
    size_t host = ++k, dot = 0;
    while (is_word(at(s, k)) || at(s, k) == '-' || (at(s, k) == '.' && is_word(at(s, k + 1)))) {
        dot = at(s, k) == '.' ? k : dot;
        k++;
    }
    return dot > host ? k - i : 0;
}

static size_t uuid(struct scan *s, size_t i)
{
    static const size_t groups[] = { 8, 4, 4, 4, 12 };
    size_t k = i;
    if (at(s, i + 8) != '-')
        return 0;
    for (int g = 0; g < 5; g++) {
        if (g && at(s, k++) != '-')
            return 0;
        if (hex_digits(s, k, groups[g]) != groups[g])
            return 0;
        k += groups[g];
    }
    return is_word(at(s, k)) ? 0 : k - i;
}

// hh:mm:ss with fraction
static size_t clock(const struct scan *s, size_t i)
{
    if (digits(s, i, 2) != 2 || at(s, i + 2) != ':' || digits(s, i + 3, 2) != 2 || at(s, i + 5) != ':' ||
        digits(s, i + 6, 2) != 2)
        return 0;
    size_t k = i + 8;
    if ((at(s, k) == '.' || at(s, k) == ',') && is_digit(at(s, k + 1)))
        k += 1 + digits(s, k + 1, 9);
    return is_digit(at(s, k)) || at(s, k) == ':' ? 0 : k - i;
}

// Z, +01:00, +0100, also behind one space
static size_t zone(const struct scan *s, size_t i)
{
    if (at(s, i) == 'Z' && !is_word(at(s, i + 1)))
        return 1;
    size_t k = i + (at(s, i) == ' ');
    if ((at(s, k) != '+' && at(s, k) != '-') || digits(s, k + 1, 2) != 2)
        return 0;
    k += 3;
    k += at(s, k) == ':';
    return digits(s, k, 3) == 2 && !is_word(at(s, k + 2)) ? k + 2 - i : 0;
}

// 2026-01-01, 2026/01/01, 01/Jan/2026
static size_t date(const struct scan *s, size_t i)
{
    char sep = at(s, i + 4);
    if (digits(s, i, 5) == 4 && (sep == '-' || sep == '/') && digits(s, i + 5, 3) == 2 && at(s, i + 7) == sep &&
        digits(s, i + 8, 3) == 2)
        return 10;
    if (digits(s, i, 3) == 2 && at(s, i + 2) == '/' && is_letter(at(s, i + 3)) && is_letter(at(s, i + 4)) &&
        is_letter(at(s, i + 5)) && at(s, i + 6) == '/' && digits(s, i + 7, 5) == 4)
        return 11;
    return 0;
}

static size_t time_of(struct scan *s, size_t i)
{
    size_t n = date(s, i), c;
    if (n && at(s, i + n) && strchr("T :t_", at(s, i + n)) && (c = clock(s, i + n + 1)) != 0)
        n += 1 + c;
    else if (!n)
        n = clock(s, i);
    else
        return is_word(at(s, i + n)) ? 0 : n;
    if (!n)
        return 0;
    n += zone(s, i + n);
    return is_word(at(s, i + n)) ? 0 : n;
}

static size_t port(const struct scan *s, size_t i)
{
    size_t n = at(s, i) == ':' ? digits(s, i + 1, 6) : 0;
    return n && n <= 5 && !is_word(at(s, i + 1 + n)) ? 1 + n : 0;
}

static size_t ipv4(const struct scan *s, size_t i)
{
    size_t k = i;
    for (int g = 0; g < 4; g++) {
        if (g && at(s, k++) != '.')
            return 0;
        size_t n = digits(s, k, 4);
        if (n < 1 || n > 3)
            return 0;
        k += n;
    }
    return is_word(at(s, k)) || (at(s, k) == '.' && is_digit(at(s, k + 1))) ? 0 : k - i;
}

// Groups of hex between colons: all eight, or fewer with one `::`.
static size_t ipv6(const struct scan *s, size_t i)
{
    size_t k = i, groups = 0;
    bool gap = false;
    for (;;) {
        if (at(s, k) == ':' && at(s, k + 1) == ':' && !gap) {
            gap = true;
            k += 2;
        } else if (groups && at(s, k) == ':' && is_hex(at(s, k + 1))) {
            k++;
        } else if (groups && !(gap && at(s, k - 1) == ':')) {
            break;
        }
        size_t n = hex_digits(s, k, 5);
        if (n == 0)
            break;
        if (n > 4 || ++groups > 8)
            return 0;
        k += n;
    }
    bool whole = groups == 8 || (gap && groups >= 1 && groups < 8);
    return whole && !is_word(at(s, k)) && at(s, k) != ':' ? k - i : 0;
}

static size_t ip(struct scan *s, size_t i)
{
    size_t n = ipv4(s, i);
    if (n)
        return n + port(s, i + n);
    if (s->no_colon)
        return 0;
    if (at(s, i) == '[' && (n = ipv6(s, i + 1)) != 0 && at(s, i + 1 + n) == ']')
        return n + 2 + port(s, i + n + 2);
    return ipv6(s, i);
}

static size_t hex(struct scan *s, size_t i)
{
    size_t from = i + (at(s, i) == '0' && (at(s, i + 1) | 0x20) == 'x' ? 2u : 0u), n = hex_digits(s, from, s->text.len);
    bool digit = false, letter = from > i;
    for (size_t k = from; k < from + n; k++) {
        digit = digit || is_digit(at(s, k));
        letter = letter || !is_digit(at(s, k));
    }
    return n >= 8 && digit && letter && !is_word(at(s, from + n)) ? from + n - i : 0;
}

// A unit that ends at a word's end or in front of the next number (1m30s).
static size_t unit(const struct scan *s, size_t i)
{
    static const char *const units[] = { "ns",  "us",  "\xC2\xB5s", "ms",  "s",    "m",   "h",     "d",
                                         "w",   "sec", "secs",      "min", "mins", "hrs", "bytes", "b",
                                         "k",   "kb",  "mb",        "gb",  "tb",   "kib", "mib",   "gib",
                                         "tib", "x",   "hz",        "khz", "mhz",  "ghz", "g",     "t" };
    if (at(s, i) == '%')
        return 1;
    if (!is_letter(at(s, i)))
        return 0;
    for (size_t u = 0; u < sizeof units / sizeof *units; u++) {
        if ((units[u][0] | 0x20) != (at(s, i) | 0x20))
            continue;
        str name = str_z(units[u]);
        if (str_ieq(str_slice(s->text, i, i + name.len), name) && !is_letter(at(s, i + name.len)))
            return name.len;
    }
    return 0;
}

static size_t number(struct scan *s, size_t i)
{
    size_t k = i;
    if ((at(s, k) == '-' || at(s, k) == '+') && !(i && (is_word(at(s, i - 1)) || at(s, i - 1) == '_')))
        k++;
    if (!is_digit(at(s, k)))
        return 0;
    if (at(s, k) == '0' && (at(s, k + 1) | 0x20) == 'x' && is_hex(at(s, k + 2))) {
        k += 2;
        k += hex_digits(s, k, s->text.len);
        return is_word(at(s, k)) ? 0 : k - i;
    }
    for (;;) {
        k += digits(s, k, s->text.len);
        while ((at(s, k) == '.' || at(s, k) == ',') && is_digit(at(s, k + 1)))
            k += 1 + digits(s, k + 1, s->text.len);
        if ((at(s, k) | 0x20) == 'e' &&
            (is_digit(at(s, k + 1)) || ((at(s, k + 1) == '-' || at(s, k + 1) == '+') && is_digit(at(s, k + 2)))))
            k += 2 + digits(s, k + 2, s->text.len);
        k += unit(s, k);
        if (!is_digit(at(s, k))) // 1m30s goes on
            break;
    }
    return is_word(at(s, k)) ? 0 : k - i;
}

enum { R_QUOTED = 1, R_URL = 2, R_EMAIL = 4, R_UUID = 8, R_TIME = 16, R_IP = 32, R_HEX = 64, R_NUMBER = 128 };

// In the order of trying; a rule's bit is 1 << its place.
static const struct {
    size_t (*fits)(struct scan *s, size_t i);
    const char *name;
} rules[] = { { quoted, "<str>" },   { url, "<url>" }, { email, "<email>" }, { uuid, "<uuid>" },
              { time_of, "<time>" }, { ip, "<ip>" },   { hex, "<hex>" },     { number, "<num>" } };

// The rules that may fit where this byte stands: most bytes of a text begin none.
static unsigned rules_of(char c)
{
    if (is_digit(c))
        return R_EMAIL | R_UUID | R_TIME | R_IP | R_HEX | R_NUMBER;
    if (is_letter(c))
        return R_URL | R_EMAIL | (is_hex(c) ? R_UUID | R_IP | R_HEX : 0);
    switch (c) {
    case '"':
    case '\'':
        return R_QUOTED;
    case '.':
    case '_':
    case '%':
        return R_EMAIL;
    case '+':
    case '-':
        return R_EMAIL | R_NUMBER;
    case '[':
    case ':':
        return R_IP;
    default:
        return 0;
    }
}

// What a text has none of need not be looked for at each of its bytes.
static unsigned rules_in(str text)
{
    unsigned all = 0xff;
    if (!memchr(text.ptr, '@', text.len))
        all &= ~(unsigned)R_EMAIL;
    if (str_find(text, STR("://")) < 0)
        all &= ~(unsigned)R_URL;
    return all;
}

// The length of what the first fitting rule takes at i; 0: none fits.
static size_t fitting(struct scan *s, size_t i, unsigned all, unsigned *ret_rule)
{
    for (unsigned left = rules_of(s->text.ptr[i]) & all; left; left &= left - 1) {
        *ret_rule = (unsigned)__builtin_ctz(left);
        size_t n = rules[*ret_rule].fits(s, i);
        if (n)
            return n;
    }
    return 0;
}

int query_text_pattern(str text, struct buf *out)
{
    bool cut = text.len > QUERY_PATTERN_TEXT_MAX;
    if (cut) {
        text.len = QUERY_PATTERN_TEXT_MAX;
        while (text.len && ((unsigned char)text.ptr[text.len] & 0xC0) == 0x80)
            text.len--;
    }
    struct scan s = { .text = text, .no_colon = !text.len || !memchr(text.ptr, ':', text.len) };
    unsigned all = text.len ? rules_in(text) : 0;
    size_t i = 0, from = 0; // from: what is not copied yet
    while (i < text.len) {
        unsigned rule;
        size_t n = fitting(&s, i, all, &rule);
        if (n) {
            buf_append(out, text.ptr + from, i - from);
            buf_str(out, str_z(rules[rule].name));
            from = i += n;
            continue;
        }
        // Nothing begins inside a word: all of it stays (and what joins words into one e-mail or name).
        if (is_word(text.ptr[i++]))
            while (i < text.len && is_word(text.ptr[i]))
                i++;
    }
    buf_append(out, text.ptr + from, i - from);
    if (cut)
        buf_str(out, STR("..."));
    return out->error;
}
