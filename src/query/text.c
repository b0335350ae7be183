#include "query/text.h"

#include "base/err.h"
#include "base/unicode.h"
#include "base/utf8.h"

// ASCII: 0 separates, else the folded character. (Non-ASCII goes the long way.)
static const uint8_t ascii_fold[128] = {
    ['0'] = '0', '1', '2', '3', '4',         '5',         '6', '7', '8', '9', ['A'] = 'a', 'b', 'c', 'd', 'e', 'f',
    'g',         'h', 'i', 'j', 'k',         'l',         'm', 'n', 'o', 'p', 'q',         'r', 's', 't', 'u', 'v',
    'w',         'x', 'y', 'z', ['_'] = '_', ['a'] = 'a', 'b', 'c', 'd', 'e', 'f',         'g', 'h', 'i', 'j', 'k',
    'l',         'm', 'n', 'o', 'p',         'q',         'r', 's', 't', 'u', 'v',         'w', 'x', 'y', 'z',
};

// One character of the text: its folded form, bytes used, and what it does to tokens.
struct step {
    uint32_t folded;
    unsigned len;
    bool token, single;
};

static inline struct step step_at(const char *p, const char *end)
{
    uint8_t c = (uint8_t)*p;
    if (c < 0x80)
        return (struct step){ ascii_fold[c], 1, ascii_fold[c] != 0, false };
    struct step s;
    bool ok;
    uint32_t cp = utf8_decode(p, end, &s.len, &ok);
    s.token = ok && unicode_is_token_char(cp);
    s.single = s.token && unicode_is_single_token(cp);
    s.folded = s.token ? unicode_fold(cp) : 0;
    return s;
}

// Start of the next token at or after p, or end.
static inline const char *token_start(const char *p, const char *end)
{
    while (p < end) {
        struct step s = step_at(p, end);
        if (s.token)
            break;
        p += s.len;
    }
    return p;
}

// Walks the token that begins at *p to its end and tells whether it is `want` (or begins with it).
static inline bool token_is(const char **at, const char *end, str want, bool prefix)
{
    const char *p = *at;
    size_t have = 0; // bytes of want matched so far
    bool same = true;
    for (bool first = true; p < end; first = false) {
        struct step s = step_at(p, end);
        if (!s.token || (s.single && !first))
            break;
        p += s.len;
        if (same && have == want.len) {
            same = prefix;
        } else if (same && s.folded < 0x80) {
            same = (uint8_t)want.ptr[have++] == s.folded;
        } else if (same) {
            char folded[4];
            size_t n = utf8_put(folded, s.folded);
            same = want.len - have >= n && memcmp(want.ptr + have, folded, n) == 0;
            have += n;
        }
        if (s.single)
            break;
    }
    *at = p;
    return same && have == want.len;
}

bool query_phrase_match(const struct query_phrase *ph, str text)
{
    const char *p = text.ptr, *end = p + text.len;
    if (ph->count == 0)
        return false;
    for (p = token_start(p, end); p < end; p = token_start(p, end)) {
        if (!token_is(&p, end, ph->tokens[0], ph->last_is_prefix && ph->count == 1))
            continue;
        const char *q = p;
        uint32_t i = 1;
        while (i < ph->count && (q = token_start(q, end)) < end &&
               token_is(&q, end, ph->tokens[i], ph->last_is_prefix && i + 1 == ph->count))
            i++;
        if (i == ph->count)
            return true;
    }
    return false;
}

bool query_token_next(str text, size_t *pos, char buf[QUERY_TOKEN_MAX], str *ret_token, bool *ret_cut)
{
    const char *end = text.ptr + text.len, *p = token_start(text.ptr + *pos, end);
    size_t n = 0;
    bool cut = false;
    if (p == end) {
        *pos = text.len;
        return false;
    }
    for (bool first = true; p < end; first = false) {
        struct step s = step_at(p, end);
        if (!s.token || (s.single && !first))
            break;
        p += s.len;
        char folded[4];
        size_t len = utf8_put(folded, s.folded);
        cut = cut || n + len > QUERY_TOKEN_MAX;
        if (!cut) {
            memcpy(buf + n, folded, len);
            n += len;
        }
        if (s.single)
            break;
    }
    *pos = (size_t)(p - text.ptr);
    *ret_token = str_of(buf, n);
    *ret_cut = cut;
    return true;
}

int query_phrase_make(struct arena *arena, str text, bool last_is_prefix, struct query_phrase *ret_phrase)
{
    // Folding may lengthen a character, from two bytes to three at most (and never from one).
    char *folded = arena_alloc_bytes(arena, text.len * 2 + 4);
    str *tokens = arena_alloc_array(arena, QUERY_PHRASE_TOKENS_MAX, sizeof *tokens);
    if (!folded || !tokens)
        return ERR_NOMEM;
    const char *end = text.ptr + text.len, *p = token_start(text.ptr, end);
    uint32_t count = 0;
    size_t n = 0;
    while (p < end) {
        if (count == QUERY_PHRASE_TOKENS_MAX)
            return ERR_LIMIT;
        size_t from = n;
        for (bool first = true; p < end; first = false) {
            struct step s = step_at(p, end);
            if (!s.token || (s.single && !first))
                break;
            p += s.len;
            n += utf8_put(folded + n, s.folded);
            if (s.single)
                break;
        }
        tokens[count++] = str_of(folded + from, n - from);
        p = token_start(p, end);
    }
    *ret_phrase = (struct query_phrase){ tokens, count, last_is_prefix };
    return 0;
}

static int map_text(struct arena *arena, str text, uint32_t (*map)(uint32_t), str *ret_out)
{
    char *out = arena_alloc_bytes(arena, text.len * 2 + 4);
    if (!out)
        return ERR_NOMEM;
    size_t n = 0;
    for (const char *p = text.ptr, *end = p + text.len; p < end;) {
        unsigned len;
        bool ok;
        uint32_t cp = utf8_decode(p, end, &len, &ok);
        if (ok) {
            n += utf8_put(out + n, map(cp));
        } else {
            memcpy(out + n, p, len);
            n += len;
        }
        p += len;
    }
    *ret_out = str_of(out, n);
    return 0;
}

int query_text_lower(struct arena *arena, str text, str *ret_out)
{
    return map_text(arena, text, unicode_lower, ret_out);
}
int query_text_upper(struct arena *arena, str text, str *ret_out)
{
    return map_text(arena, text, unicode_upper, ret_out);
}
