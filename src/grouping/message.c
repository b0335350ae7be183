#include "grouping/message.h"

#include "base/err.h"
#include "base/must.h"
#include "base/unicode.h"

#include <arpa/inet.h>

enum {
    LOCAL_MAX = 254, // of an address's part before the @
    SCHEME_MAX = 33, // bytes before ://
    LABEL_MAX = 63,  // between the dots of a host name
    HOST_MAX = 255,
    DURATION_DIGITS = 20,
    HEX_MAX = 128,
    INT_DIGITS = 7, // more is rather an id, and counts as hex
    IP_MAX = 64,
};

enum { WORD = 1, DIGIT = 2, LOWER_HEX = 4, UPPER_HEX = 8, LOCAL = 16, ALNUM = 32, SCHEME = 64, NOT_URL = 128 };
static uint8_t kinds[256]; // by byte; filled before main, then only read

__attribute__((constructor)) static void kinds_init(void)
{
    for (unsigned c = 0; c < 128; c++) {
        bool digit = c >= '0' && c <= '9', letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
        kinds[c] = (uint8_t)((digit || letter || c == '_' ? WORD : 0) | (digit ? DIGIT : 0) |
                             (digit || (c >= 'a' && c <= 'f') ? LOWER_HEX : 0) |
                             (digit || (c >= 'A' && c <= 'F') ? UPPER_HEX : 0) | (digit || letter ? ALNUM : 0) |
                             (digit || letter || (c && strchr(".!#$%&'*+/=?^_`{|}~-", (int)c)) ? LOCAL : 0) |
                             (digit || letter || c == '+' || c == '-' || c == '.' ? SCHEME : 0) |
                             (c <= ' ' || strchr("'\"`\\<>{}|^", (int)c) ? NOT_URL : 0));
    }
}

static bool is(str s, size_t i, unsigned kind) { return i < s.len && kinds[(uint8_t)s.ptr[i]] & kind; }

size_t message_space_at(str s, size_t i)
{
    unsigned len;
    bool ok;
    if (i >= s.len)
        return 0;
    uint8_t c = (uint8_t)s.ptr[i];
    if (c < 0x80)
        return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
    uint32_t cp = utf8_decode(s.ptr + i, s.ptr + s.len, &len, &ok);
    bool space = cp == 0x85 || cp == 0xa0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 ||
                 cp == 0x2029 || cp == 0x202f || cp == 0x205f || cp == 0x3000;
    return space ? len : 0;
}

bool message_word_at(str s, size_t i)
{
    unsigned len;
    bool ok;
    if (i >= s.len)
        return false;
    if ((uint8_t)s.ptr[i] < 0x80)
        return kinds[(uint8_t)s.ptr[i]] & WORD;
    return unicode_is_token_char(utf8_decode(s.ptr + i, s.ptr + s.len, &len, &ok));
}

bool message_word_before(str s, size_t i)
{
    size_t k = i;
    if (!i)
        return false;
    while (k && i - k < 4 && ((uint8_t)s.ptr[--k] & 0xc0) == 0x80)
        continue;
    return message_word_at(s, k);
}

struct scan {
    str s;
    size_t at, local;     // the next @, and where its local part begins at the earliest; at == len: none
    size_t colon, scheme; // the same of ://
    size_t run;           // end of the letters and digits that begin where we are
    uint8_t all;          // what all of them are
    uint8_t any;          // what one of them is
    uint8_t turns;        // from letter to digit and back
    bool upper, lower;    // a letter of that case is among them
};

// --- each gives the end of what it finds at i, 0 for nothing

static void at_find(struct scan *t, size_t i)
{
    ptrdiff_t at = str_find_char(t->s, '@', i);
    t->at = at < 0 ? t->s.len : (size_t)at;
    t->local = t->at;
    while (at >= 0 && t->local > i && t->at - t->local < LOCAL_MAX && is(t->s, t->local - 1, LOCAL))
        t->local--;
}

static size_t email(struct scan *t, size_t i)
{
    if (i > t->at)
        at_find(t, i);
    if (i < t->local || t->at >= t->s.len || i == t->at)
        return 0;
    size_t end = t->at + 1, start = end;
    while (is(t->s, end, ALNUM) || (end < t->s.len && t->s.ptr[end] == '-'))
        end++;
    if (end == start)
        return 0;
    for (size_t k = end; k < t->s.len && t->s.ptr[k] == '.'; end = k) {
        size_t label = ++k;
        while (is(t->s, k, ALNUM) || (k < t->s.len && t->s.ptr[k] == '-'))
            k++;
        if (k == label)
            break;
    }
    return end;
}

static void colon_find(struct scan *t, size_t i)
{
    ptrdiff_t colon = str_find(str_slice(t->s, i, t->s.len), STR("://"));
    t->colon = colon < 0 ? t->s.len : i + (size_t)colon;
    t->scheme = t->colon;
    while (colon >= 0 && t->scheme > i && t->colon - t->scheme < SCHEME_MAX && is(t->s, t->scheme - 1, SCHEME))
        t->scheme--;
}

static size_t url(struct scan *t, size_t i)
{
    str s = t->s;
    if (i > t->colon)
        colon_find(t, i);
    if (i < t->scheme || t->colon >= s.len || i == t->colon || !is(s, i, ALNUM) || is(s, i, DIGIT))
        return 0;
    size_t first = t->colon + 3, end = first;
    if (first >= s.len || message_space_at(s, first) || is(s, first, NOT_URL) || memchr("$.?#", s.ptr[first], 4))
        return 0;
    while (end < s.len && !is(s, end, NOT_URL) && !message_space_at(s, end))
        end++;
    while (end > first + 1 && memchr(".,;", s.ptr[end - 1], 3))
        end--;
    return end;
}

static bool top_level(str s)
{
    static const char known[] =
        " com net org jp de uk fr br it ru es me gov pl ca au cn co in nl edu info eu ch id at kr cz mx be tv se tr tw"
        " al ua ir vn cl sk ly cc to no fi us pt dk ar hu tk gr il news ro my biz ie za nz sg ee th io xyz pe bg hk rs"
        " lt link ph club si site mobi by cat wiki la ga xxx cf hr ng jobs online kz ug gq ae is lv pro fm tips ms sa"
        " app ";
    char word[12] = " ";
    bool upper = false, lower = false;
    if (s.len < 2 || s.len > sizeof word - 3)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        upper |= s.ptr[i] < 'a';
        lower |= s.ptr[i] >= 'a';
        word[i + 1] = s.ptr[i] | 0x20;
    }
    word[s.len + 1] = ' ';
    return upper != lower && strstr(known, word);
}

// Labels with a letter in each, the last one a common top-level domain: the shortest such.
static size_t hostname(struct scan *t, size_t i)
{
    str s = t->s;
    size_t k = i;
    if (message_word_before(s, i))
        return 0;
    while (k - i < HOST_MAX) {
        size_t start = k;
        bool letter = false;
        for (; is(s, k, ALNUM) || (k > start && k < s.len && s.ptr[k] == '-'); k++)
            letter |= is(s, k, ALNUM) && !is(s, k, DIGIT);
        if (k == start || k - start > LABEL_MAX || !letter || s.ptr[k - 1] == '-' || k >= s.len || s.ptr[k] != '.')
            return 0;
        size_t end = ++k;
        while (is(s, end, ALNUM) && !is(s, end, DIGIT))
            end++;
        if (!message_word_at(s, end) && end - i <= HOST_MAX && top_level(str_slice(s, k, end)))
            return end;
    }
    return 0;
}

static size_t ip4(str s, size_t i)
{
    for (int octet = 0; octet < 4; octet++) {
        size_t start = i;
        unsigned value = 0;
        for (; i - start < 3 && is(s, i, DIGIT); i++)
            value = value * 10 + (unsigned)(s.ptr[i] - '0');
        if (i == start || value > 255 || (s.ptr[start] == '0' && i - start > 1))
            return 0;
        if (octet < 3 && !(i < s.len && s.ptr[i++] == '.'))
            return 0;
    }
    return i;
}

// A network's length behind an address.
static size_t prefix_len(str s, size_t i)
{
    size_t k = i + 1;
    while (k - i <= 3 && is(s, k, DIGIT))
        k++;
    return i < s.len && s.ptr[i] == '/' && k > i + 1 && !is(s, k, ALNUM) ? k : i;
}

static size_t ip(struct scan *t, size_t i)
{
    str s = t->s;
    char text[IP_MAX];
    struct in6_addr address;
    if (is(s, i ? i - 1 : s.len, WORD) || !(s.ptr[i] == ':' || is(s, i, LOWER_HEX | UPPER_HEX)))
        return 0;
    size_t end = is(s, i, DIGIT) ? ip4(s, i) : 0;
    if (end)
        return message_word_at(s, end) ? 0 : prefix_len(s, end);
    bool colon = false, dot = false;
    for (end = i; end < s.len && end - i < IP_MAX - 1; end++) {
        if (s.ptr[end] == ':')
            colon = true;
        else if (s.ptr[end] == '.')
            dot = true;
        else if (!is(s, end, LOWER_HEX | UPPER_HEX))
            break;
    }
    if (!colon)
        return 0;
    while (end > i && s.ptr[end - 1] == '.')
        end--;
    if (end - i > 1 && s.ptr[end - 1] == ':' && s.ptr[end - 2] != ':')
        end--;
    if (is(s, end, ALNUM) || end - i < 2)
        return 0;
    memcpy(text, s.ptr + i, end - i);
    text[end - i] = 0;
    if (inet_pton(AF_INET6, text, &address) != 1)
        return 0;
    if (!dot && end < s.len && s.ptr[end] == '%' && is(s, end + 1, ALNUM))
        for (end++; is(s, end, ALNUM);)
            end++;
    return prefix_len(s, end);
}

// So many digits of a kind and not one more.
static bool hex_run(str s, size_t i, size_t n, unsigned kind)
{
    for (size_t k = 0; k < n; k++)
        if (!is(s, i + k, kind))
            return false;
    return true;
}

// Groups of hexadecimal digits: lengths, and what stands between them; ends at a word's end.
static size_t hex_groups(str s, size_t i, const char *lengths, char between, unsigned kind)
{
    for (const char *g = lengths; *g; g++) {
        size_t n = (size_t)(*g - '@'); // A: 1, L: 12, P: 16
        if (!hex_run(s, i, n, kind))
            return 0;
        i += n;
        if (g[1] && !(i < s.len && s.ptr[i++] == between))
            return 0;
    }
    return message_word_at(s, i) ? 0 : i;
}

static size_t traceparent(struct scan *t, size_t i)
{
    str rest = str_slice(t->s, i, t->s.len);
    if (str_starts(rest, STR("00-")) && rest.len >= 55 && hex_run(rest, 3, 32, LOWER_HEX) && rest.ptr[35] == '-' &&
        hex_run(rest, 36, 16, LOWER_HEX) && rest.ptr[52] == '-' && rest.ptr[53] == '0' &&
        (rest.ptr[54] == '0' || rest.ptr[54] == '1') && !message_word_at(rest, 55))
        return i + 55;
    return str_starts(rest, STR("1-")) ? hex_groups(t->s, i + 2, "HX", '-', LOWER_HEX) : 0;
}

static size_t duration(struct scan *t, size_t i)
{
    str s = t->s;
    size_t k = i, n;
    while (is(s, k, DIGIT))
        k++;
    if (k - i > DURATION_DIGITS)
        return 0;
    if (str_starts(str_slice(s, k, s.len), STR("ms")) && !message_word_at(s, k + 2))
        return k + 2;
    for (n = 0; k < s.len && s.ptr[k] == '.' && is(s, k + 1 + n, DIGIT);)
        n++;
    if (n > DURATION_DIGITS)
        return 0;
    k += n ? n + 1 : 0;
    return k < s.len && s.ptr[k] == 's' && !message_word_at(s, k + 1) ? k + 1 : 0;
}

static size_t mac(struct scan *t, size_t i)
{
    size_t end;
    if ((end = hex_groups(t->s, i, "BBBBBB", ':', LOWER_HEX | UPPER_HEX)) ||
        (end = hex_groups(t->s, i, "BBBBBB", '-', LOWER_HEX | UPPER_HEX)) ||
        (end = hex_groups(t->s, i, "BBBBBB", ' ', LOWER_HEX | UPPER_HEX)))
        return end;
    return hex_groups(t->s, i, "DDD", '.', LOWER_HEX | UPPER_HEX);
}

static size_t swift_txn_id(struct scan *t, size_t i)
{
    str s = t->s;
    size_t end = i + 34;
    if (s.ptr[i] != 't' || s.len < end || s.ptr[i + 1] != 'x' || !hex_run(s, i + 2, 21, LOWER_HEX) ||
        s.ptr[i + 23] != '-' || !hex_run(s, i + 24, 10, LOWER_HEX))
        return 0;
    while (end < s.len && !message_space_at(s, end))
        end++;
    return end;
}

static void run_read(struct scan *t, size_t i)
{
    bool digit = is(t->s, i, DIGIT);
    t->all = 0xff;
    t->any = t->turns = 0;
    t->upper = t->lower = false;
    for (t->run = i; is(t->s, t->run, ALNUM); t->run++) {
        uint8_t c = (uint8_t)t->s.ptr[t->run], kind = kinds[c];
        t->all &= kind;
        t->any |= kind;
        if (digit != !!(kind & DIGIT)) {
            t->turns += t->turns < 255;
            digit = !digit;
        }
        t->upper |= c >= 'A' && c <= 'Z';
        t->lower |= c >= 'a';
    }
}

// The letters and digits that run_read() saw are hexadecimal, and rather a value than a word.
static bool hex_like(const struct scan *t, size_t n)
{
    if (!(t->all & (LOWER_HEX | UPPER_HEX)) || n > HEX_MAX)
        return false;
    return n >= 8 || (n >= 4 && n <= 6 && t->any & DIGIT && (t->upper || t->lower));
}

static size_t float_number(str s, size_t i)
{
    size_t k = i, point;
    while (is(s, k, DIGIT))
        k++;
    if (k == i || k >= s.len || s.ptr[k] != '.')
        return 0;
    for (point = k++; is(s, k, DIGIT);)
        k++;
    return k == point + 1 || message_word_at(s, k) || (k + 1 < s.len && s.ptr[k] == '.' && is(s, k + 1, DIGIT)) ? 0 : k;
}

// After = : 'text', "text", true, False.
static size_t after_equals(str s, size_t i, const char **name)
{
    static const str words[] = { STR_INIT("True"), STR_INIT("true"), STR_INIT("False"), STR_INIT("false") };
    if (s.ptr[i] == '\'' || s.ptr[i] == '"') {
        ptrdiff_t close = str_find_char(s, s.ptr[i], i + 1);
        *name = "quoted_str";
        return close > (ptrdiff_t)i + 1 ? (size_t)close + 1 : 0;
    }
    *name = "bool";
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
        if (str_starts(str_slice(s, i, s.len), words[w]))
            return i + words[w].len;
    return 0;
}

// What begins a run of letters and digits that no letter or digit stands before.
static size_t at_run(struct scan *t, size_t i, const char **name)
{
    str s = t->s;
    size_t end, n;
    bool word = !message_word_before(s, i), digit = is(s, i, DIGIT);
    run_read(t, i);
    n = t->run - i;
    bool whole = !message_word_at(s, t->run), hex = t->all & (LOWER_HEX | UPPER_HEX) || t->any & DIGIT;
    if (word && digit && (*name = "traceparent", end = traceparent(t, i)))
        return end;
    if (word && n == 8 && (*name = "uuid", end = hex_groups(s, i, "HDDDL", '-', LOWER_HEX | UPPER_HEX)))
        return end;
    bool all_hex = word && whole && (n == 40 || n == 32) && hex_run(s, i, n, LOWER_HEX | UPPER_HEX);
    if (all_hex)
        return *name = n == 40 ? "sha1" : "md5", t->run;
    if ((*name = "date", end = message_date(s, i)))
        return end;
    if (word && digit && (*name = "duration", end = duration(t, i)))
        return end;
    if (word && hex && (n == 2 || n == 4) && (*name = "mac_addr", end = mac(t, i)))
        return end;
    if (word && (*name = "swift_txn_id", end = swift_txn_id(t, i)))
        return end;
    *name = "hex";
    if (word && whole && n > 2 && s.ptr[i] == '0' && (s.ptr[i + 1] | 0x20) == 'x' &&
        hex_run(s, i + 2, n - 2, LOWER_HEX | UPPER_HEX))
        return t->run;
    if (hex_like(t, n))
        return t->run;
    if (word && whole && n == 7 && t->all & LOWER_HEX && t->any & DIGIT && t->lower)
        return *name = "git_sha", t->run;
    if (n >= 4 && n <= HEX_MAX && t->turns >= 3 && (n >= 6 || (t->upper && t->lower)))
        return *name = "random_id", t->run;
    if (word && digit && !(i >= 2 && s.ptr[i - 1] == '.' && is(s, i - 2, DIGIT)) &&
        (*name = "float", end = float_number(s, i)))
        return end;
    return t->all & DIGIT && n <= INT_DIGITS ? *name = "int", t->run : 0;
}

static size_t negative(struct scan *t, size_t i, const char **name)
{
    size_t end;
    if (!is(t->s, i + 1, ALNUM))
        return 0;
    run_read(t, i + 1);
    bool minus = !message_word_before(t->s, i);
    if (minus && hex_like(t, t->run - i - 1))
        return *name = "hex", t->run;
    if ((end = float_number(t->s, i + 1)))
        return *name = "float", end;
    return minus && t->all & DIGIT && t->run - i - 1 <= INT_DIGITS ? *name = "int", t->run : 0;
}

// What the text holds at i, tried in the published order.
static size_t value_at(struct scan *t, size_t i, const char **name)
{
    str s = t->s;
    size_t end;
    bool run = is(s, i, ALNUM), begins = run && !is(s, i ? i - 1 : s.len, ALNUM);
    if (t->at < s.len && (*name = "email", end = email(t, i)))
        return end;
    if (t->colon < s.len && (*name = "url", end = url(t, i)))
        return end;
    if (begins && (*name = "hostname", end = hostname(t, i)))
        return end;
    if ((begins || s.ptr[i] == ':') && (*name = "ip", end = ip(t, i)))
        return end;
    if (begins)
        end = at_run(t, i, name);
    else if (run)
        *name = "date", end = message_date(s, i);
    else if (s.ptr[i] == '-')
        end = negative(t, i, name);
    if (!end && i && s.ptr[i - 1] == '=')
        end = after_equals(s, i, name);
    return end;
}

int message_parameterize(str text, struct arena *arena, str *ret)
{
    enum { GROWTH_MAX = 5 }; // "0s" -> "<duration>", "1" -> "<int>"
    if (text.len > MESSAGE_SCAN_MAX) {
        *ret = text;
        return 0;
    }
    struct scan t = { .s = text };
    const char *name = NULL;
    char *out = NULL;
    size_t n = 0, copied = 0;
    at_find(&t, 0);
    colon_find(&t, 0);
    for (size_t i = 0; i < text.len;) {
        size_t end = value_at(&t, i, &name);
        if (!end) {
            i++;
            continue;
        }
        if (!out && !(out = arena_alloc_bytes(arena, text.len * GROWTH_MAX)))
            return ERR_NOMEM;
        must(end > i && end <= text.len);
        memcpy(out + n, text.ptr + copied, i - copied);
        n += i - copied;
        size_t len = strlen(name);
        out[n++] = '<';
        memcpy(out + n, name, len);
        n += len;
        out[n++] = '>';
        i = copied = end;
    }
    if (out) {
        memcpy(out + n, text.ptr + copied, text.len - copied);
        text = str_of(out, n + text.len - copied);
    }
    *ret = text;
    return 0;
}

// Bytes of the line end at i, 0 when there is none.
static size_t line_end_at(str s, size_t i)
{
    uint8_t c = (uint8_t)s.ptr[i];
    if (c == '\r')
        return i + 1 < s.len && s.ptr[i + 1] == '\n' ? 2 : 1;
    if (c < 0x80)
        return (c >= 10 && c <= 12) || (c >= 0x1c && c <= 0x1e);
    if (c == 0xc2 && i + 1 < s.len && (uint8_t)s.ptr[i + 1] == 0x85)
        return 2;
    return c == 0xe2 && i + 2 < s.len && (uint8_t)s.ptr[i + 1] == 0x80 && ((uint8_t)s.ptr[i + 2] & 0xfe) == 0xa8 ? 3
                                                                                                                 : 0;
}

static bool blank(str s)
{
    for (size_t i = 0, n; i < s.len; i += n)
        if (!(n = message_space_at(s, i)))
            return false;
    return true;
}

int message_normalize(str text, struct arena *arena, str *ret)
{
    str lines[2];
    size_t n = 0, start = 0, i = 0;
    for (;;) {
        size_t end = i < text.len ? line_end_at(text, i) : 0;
        if (i < text.len && !end) {
            i++;
            continue;
        }
        str line = str_slice(text, start, i);
        if (n < 2 && line.len && !blank(line))
            lines[n++] = line;
        if (i >= text.len || n == 2)
            break;
        start = i += end;
    }
    str trimmed = n == 0   ? (str){ 0 }
                  : n == 1 ? lines[0]
                           : arena_printf(arena, "%.*s\n%.*s", STR_ARG(lines[0]), STR_ARG(lines[1]));
    if (n == 2 && !trimmed.ptr)
        return ERR_NOMEM;
    if (!str_eq(trimmed, text)) {
        trimmed = arena_printf(arena, "%.*s...", STR_ARG(trimmed));
        if (!trimmed.ptr)
            return ERR_NOMEM;
    }
    return message_parameterize(trimmed, arena, ret);
}
