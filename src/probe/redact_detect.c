// Detectors of secrets by what they look like: see redact.h. Part of the hit path: no allocation, mem* only.
//
// One pass: a table says at which bytes a pattern may begin; each pattern is then tried there. Ends may be cut off: what
// is long enough to be told is taken.
#include "probe/redact.h"

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_alpha(char c) { return (unsigned)((c | 0x20) - 'a') < 26u; }
static bool is_token(char c) { return is_alpha(c) || is_digit(c) || c == '_' || c == '-'; }

static bool word_before(str t, size_t at) { return at > 0 && (is_alpha(t.ptr[at - 1]) || is_digit(t.ptr[at - 1])); }

static size_t token_end(str t, size_t at)
{
    while (at < t.len && is_token(t.ptr[at]))
        at++;
    return at;
}

static bool starts_at(str t, size_t at, const char *word, size_t n)
{
    return t.len - at >= n && memcmp(t.ptr + at, word, n) == 0;
}

// ---- payment cards ----

static bool luhn(const uint8_t *digits, unsigned n)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < n; i++) {
        unsigned d = digits[n - 1 - i];
        if (i & 1)
            d = d > 4 ? 2 * d - 9 : 2 * d;
        sum += d;
    }
    return sum % 10 == 0;
}

// Issuer's range and length (ISO/IEC 7812 numbers of the large networks).
static bool issuer(const uint8_t *d, unsigned n)
{
    unsigned two = d[0] * 10u + d[1], three = two * 10 + d[2], four = three * 10 + d[3];
    if (d[0] == 4)
        return n == 13 || n == 16 || n == 19;
    if ((two >= 51 && two <= 55) || (four >= 2221 && four <= 2720))
        return n == 16;
    if (two == 34 || two == 37)
        return n == 15;
    if (two == 36 || two == 38 || two == 39 || (three >= 300 && three <= 305))
        return n >= 14 && n <= 19;
    if (two == 35 || two == 60 || two == 62 || two == 64 || two == 65 || two == 81)
        return n >= 16 && n <= 19;
    return (two == 50 || (two >= 56 && two <= 58) || two == 63 || two == 67) && n >= 13 && n <= 19;
}

static bool card(const uint8_t *d, unsigned n) { return n >= 13 && n <= 19 && issuer(d, n) && luhn(d, n); }

// Digits with single spaces or dashes between them.
static size_t card_at(str t, size_t at)
{
    uint8_t d[20];
    unsigned n = 0;
    size_t i = at, end = at;
    if (word_before(t, at) || (at > 1 && (t.ptr[at - 1] == '.' || t.ptr[at - 1] == '-') && is_digit(t.ptr[at - 2])))
        return 0;
    while (i < t.len && n < 20) {
        if (is_digit(t.ptr[i])) {
            d[n++] = (uint8_t)(t.ptr[i] - '0');
            end = ++i;
        } else if ((t.ptr[i] == ' ' || t.ptr[i] == '-') && i + 1 < t.len && is_digit(t.ptr[i + 1]))
            i++;
        else
            break;
    }
    if (end < t.len && is_alpha(t.ptr[end]))
        return 0;
    return card(d, n) ? end : 0;
}

enum probe_rule probe_redact_int(const struct probe_policy *p, int64_t i)
{
    uint8_t d[20];
    unsigned n = 0;
    if (i < PROBE_CARD_MIN || (p && p->flags & PROBE_POLICY_NO_DETECTORS))
        return PROBE_RULE_NONE;
    for (uint64_t u = (uint64_t)i; u; u /= 10)
        n++;
    for (unsigned k = n; k > 0; i /= 10)
        d[--k] = (uint8_t)(i % 10);
    return card(d, n) ? PROBE_RULE_CARD : PROBE_RULE_NONE;
}

// ---- tokens ----

// eyJ...: a header that is JSON in base64url, a dot, a payload.
static size_t jwt_at(str t, size_t at)
{
    size_t end;
    if (!starts_at(t, at, "eyJ", 3) || word_before(t, at))
        return 0;
    end = token_end(t, at);
    if (end - at < 10 || (end < t.len && t.ptr[end] != '.'))
        return 0;
    for (unsigned part = 0; part < 4 && end < t.len && t.ptr[end] == '.'; part++)
        end = token_end(t, end + 1);
    return end - at >= 20 ? end : 0;
}

static const struct {
    const char *text;
    uint8_t len, rest; // characters that follow at least
} prefixes[] = {
    // by their first byte
    { "AKIA", 4, 12 },  { "ASIA", 4, 12 },         { "AIza", 4, 20 },     { "SG.", 3, 20 },
    { "ghp_", 4, 16 },  { "gho_", 4, 16 },         { "ghu_", 4, 16 },     { "ghs_", 4, 16 },
    { "ghr_", 4, 16 },  { "github_pat_", 11, 16 }, { "glpat-", 6, 12 },   { "hooks.slack.com/services/", 25, 8 },
    { "npm_", 4, 20 },  { "pypi-", 5, 20 },        { "rk_live_", 8, 10 }, { "rk_test_", 8, 10 },
    { "sk-", 3, 20 },   { "sk_live_", 8, 10 },     { "sk_test_", 8, 10 }, { "whsec_", 6, 12 },
    { "xapp-", 5, 10 }, { "xoxa-", 5, 10 },        { "xoxb-", 5, 10 },    { "xoxe-", 5, 10 },
    { "xoxp-", 5, 10 }, { "xoxr-", 5, 10 },        { "xoxs-", 5, 10 },    { "ya29.", 5, 20 },
};
// Where those begin that begin with it.
static const uint8_t prefix_first[256] = {
    ['A'] = 0,  ['S'] = 3,  ['g'] = 4,  ['h'] = 11, ['n'] = 12, ['p'] = 13,
    ['r'] = 14, ['s'] = 16, ['w'] = 19, ['x'] = 20, ['y'] = 27,
};

static size_t prefix_at(str t, size_t at)
{
    if (word_before(t, at))
        return 0;
    for (size_t i = prefix_first[(uint8_t)t.ptr[at]];
         i < sizeof(prefixes) / sizeof(prefixes[0]) && prefixes[i].text[0] == t.ptr[at]; i++) {
        size_t end;
        if (!starts_at(t, at, prefixes[i].text, prefixes[i].len))
            continue;
        end = at + prefixes[i].len;
        do
            end = token_end(t, end);
        while (end < t.len && (t.ptr[end] == '/' || t.ptr[end] == '.') && end + 1 < t.len && is_token(t.ptr[++end]));
        if (end - at >= (size_t)prefixes[i].len + prefixes[i].rest)
            return end;
    }
    return 0;
}

static size_t private_key_at(str t, size_t at)
{
    ptrdiff_t end;
    str head = str_slice(t, at, at + 64);
    if (!starts_at(t, at, "-----BEGIN ", 11) || str_find(head, STR("PRIVATE KEY")) < 0)
        return 0;
    end = str_find(str_slice(t, at + 11, t.len), STR("-----END "));
    if (end < 0)
        return t.len;
    end = str_find_char(t, '\n', at + 11 + (size_t)end);
    return end < 0 ? t.len : (size_t)end;
}

// The scheme of an Authorization header, whatever holds it.
static size_t bearer_at(str t, size_t at)
{
    size_t start, end;
    if (word_before(t, at))
        return 0;
    if (t.len - at > 7 && str_ieq(str_slice(t, at, at + 7), STR("bearer ")))
        start = at + 7;
    else if (t.len - at > 6 && str_ieq(str_slice(t, at, at + 6), STR("basic ")))
        start = at + 6;
    else
        return 0;
    for (end = start; end < t.len && (is_token(t.ptr[end]) || memchr(".~+/=", t.ptr[end], 5)); end++)
        ;
    if (end - start < 12)
        return 0;
    for (size_t i = start; i < end; i++) // twelve letters are a word ("basic authentication")
        if (!is_alpha(t.ptr[i]))
            return end;
    return end - start >= 20 ? end : 0;
}

// scheme://user:password@host
static size_t url_password_at(str t, size_t at, size_t *ret_start)
{
    size_t i, colon = 0;
    if (!starts_at(t, at, "://", 3))
        return 0;
    for (i = at + 3; i < t.len && i < at + 512; i++) {
        char c = t.ptr[i];
        if (c == '@') {
            if (!colon || i == colon + 1)
                return 0;
            *ret_start = colon + 1;
            return i;
        }
        if (c == ':' && !colon)
            colon = i;
        if (c == '/' || c == '?' || c == '#' || c == '"' || c == '\'' || (uint8_t)c <= ' ')
            return 0;
    }
    return 0;
}

enum { DIGIT = 1, JWT = 2, PREFIX = 4, KEY = 8, BEARER = 16, URL = 32 };
static const uint8_t begins[256] = {
    ['2'] = DIGIT,  ['3'] = DIGIT,  ['4'] = DIGIT,  ['5'] = DIGIT,  ['6'] = DIGIT,  ['8'] = DIGIT,
    ['-'] = KEY,    [':'] = URL,    ['e'] = JWT,    ['b'] = BEARER, ['B'] = BEARER, ['A'] = PREFIX,
    ['S'] = PREFIX, ['g'] = PREFIX, ['n'] = PREFIX, ['p'] = PREFIX, ['r'] = PREFIX, ['s'] = PREFIX,
    ['w'] = PREFIX, ['x'] = PREFIX, ['y'] = PREFIX, ['h'] = PREFIX,
};

enum probe_rule probe_redact_text(const struct probe_policy *p, str text, size_t from, size_t *ret_start,
                                  size_t *ret_end)
{
    if (p && p->flags & PROBE_POLICY_NO_DETECTORS)
        return PROBE_RULE_NONE;
    for (size_t at = from; at < text.len; at++) {
        uint8_t what = begins[(uint8_t)text.ptr[at]];
        size_t end = 0, start = at;
        enum probe_rule rule = PROBE_RULE_NONE;
        switch (what) {
        case 0:
            continue;
        case DIGIT:
            rule = PROBE_RULE_CARD;
            end = card_at(text, at);
            if (!end) { // not at one of the digits behind it either
                while (at + 1 < text.len && is_digit(text.ptr[at + 1]))
                    at++;
            }
            break;
        case JWT:
            rule = PROBE_RULE_JWT;
            end = jwt_at(text, at);
            break;
        case PREFIX:
            rule = PROBE_RULE_KEY;
            end = prefix_at(text, at);
            break;
        case KEY:
            rule = PROBE_RULE_PRIVATE_KEY;
            end = private_key_at(text, at);
            break;
        case BEARER:
            rule = PROBE_RULE_BEARER;
            end = bearer_at(text, at);
            break;
        case URL:
            rule = PROBE_RULE_URL;
            end = url_password_at(text, at, &start);
            break;
        }
        if (end) {
            *ret_start = start;
            *ret_end = end;
            return rule;
        }
    }
    return PROBE_RULE_NONE;
}

unsigned probe_redact_line(const struct probe_policy *p, char *text, size_t n)
{
    size_t start = 0, end = 0;
    unsigned found = 0;
    while (end < n && probe_redact_text(p, str_of(text, n), end, &start, &end)) {
        memset(text + start, '*', end - start);
        found++;
    }
    return found;
}
