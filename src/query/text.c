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

// The tokens from the second on, in a row behind p.
static bool rest_follows(const struct query_phrase *ph, const char *p, const char *end)
{
    uint32_t i = 1;
    while (i < ph->count && (p = token_start(p, end)) < end &&
           token_is(&p, end, ph->tokens[i], ph->last_is_prefix && i + 1 == ph->count))
        i++;
    return i == ph->count;
}

static bool match_any(const struct query_phrase *ph, const char *p, const char *end)
{
    for (p = token_start(p, end); p < end; p = token_start(p, end))
        if (token_is(&p, end, ph->tokens[0], ph->last_is_prefix && ph->count == 1) && rest_follows(ph, p, end))
            return true;
    return false;
}

// ---- the fast way: an ASCII token is looked for by its first and last byte, 16 places at a time
typedef uint8_t block __attribute__((vector_size(16)));

static inline block block_at(const char *p)
{
    block b;
    memcpy(&b, p, sizeof b);
    return b;
}

static inline bool any_set(block b)
{
    uint64_t half[2];
    memcpy(half, &b, sizeof half);
    return (half[0] | half[1]) != 0;
}

static inline block splat(uint8_t c) { return (block){ c, c, c, c, c, c, c, c, c, c, c, c, c, c, c, c }; }

static bool is_ascii(const char *p, const char *end)
{
    for (; end - p >= 16; p += 16)
        if (any_set(block_at(p) & splat(0x80)))
            return false;
    for (; p < end; p++)
        if ((uint8_t)*p >= 0x80)
            return false;
    return true;
}

static inline bool same_folded(const char *p, str token)
{
    for (size_t i = 0; i < token.len; i++)
        if ((uint8_t)p[i] >= 0x80 || ascii_fold[(uint8_t)p[i]] != (uint8_t)token.ptr[i])
            return false;
    return true;
}

// Setting bit 5 turns capitals into small letters; `_` is the one token character that it changes otherwise.
static inline uint8_t case_bit(char c) { return c == '_' ? 0 : 0x20; }

// The next place at or behind p that reads as the token, wherever words begin and end; end: none.
static const char *find_ascii(const char *p, const char *end, str token)
{
    char first = token.ptr[0], last = token.ptr[token.len - 1];
    const block want_first = splat((uint8_t)first), want_last = splat((uint8_t)last);
    const block bit_first = splat(case_bit(first)), bit_last = splat(case_bit(last));
    while ((size_t)(end - p) >= token.len + 15) {
        block hit = (block)((block_at(p) | bit_first) == want_first) &
                    (block)((block_at(p + token.len - 1) | bit_last) == want_last);
        if (any_set(hit))
            for (int i = 0; i < 16; i++)
                if (hit[i] && same_folded(p + i, token))
                    return p + i;
        p += 16;
    }
    for (; (size_t)(end - p) >= token.len; p++)
        if (same_folded(p, token))
            return p;
    return end;
}

// Does the character in front of p belong to the same token as an ASCII letter at p?
static bool token_goes_on_before(const char *begin, const char *p)
{
    if (p == begin)
        return false;
    if ((uint8_t)p[-1] < 0x80)
        return ascii_fold[(uint8_t)p[-1]] != 0;
    const char *lead = p - 1;
    while (lead > begin && p - lead < 4 && ((uint8_t)*lead & 0xC0) == 0x80)
        lead--;
    struct step s = step_at(lead, p);
    return lead + s.len == p && s.token && !s.single;
}

static bool token_goes_on_behind(const char *p, const char *end)
{
    if (p == end)
        return false;
    struct step s = step_at(p, end);
    return s.token && !s.single;
}

static bool match_ascii(const struct query_phrase *ph, const char *begin, const char *end)
{
    str token = ph->tokens[0];
    bool prefix = ph->last_is_prefix && ph->count == 1;
    for (const char *p = find_ascii(begin, end, token); p < end; p = find_ascii(p + 1, end, token))
        if (!token_goes_on_before(begin, p) && (prefix || !token_goes_on_behind(p + token.len, end)) &&
            rest_follows(ph, p + token.len, end))
            return true;
    return false;
}

bool query_phrase_match(const struct query_phrase *ph, str text)
{
    const char *end = text.ptr + text.len;
    if (ph->count == 0 || text.len == 0)
        return false;
    if (ph->first_is_ascii && (!ph->first_has_twins || is_ascii(text.ptr, end)))
        return match_ascii(ph, text.ptr, end);
    return match_any(ph, text.ptr, end);
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
    *ret_phrase = (struct query_phrase){ .tokens = tokens, .count = count, .last_is_prefix = last_is_prefix };
    if (count) {
        ret_phrase->first_is_ascii = is_ascii(tokens[0].ptr, tokens[0].ptr + tokens[0].len);
        ret_phrase->first_has_twins = str_find_char(tokens[0], 'k', 0) >= 0 || str_find_char(tokens[0], 's', 0) >= 0;
    }
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
