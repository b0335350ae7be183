// Which names, types and files are sensitive: see redact.h. Part of the hit path: no allocation, mem* only.
#include "probe/redact.h"

// Count wherever they stand in a name without its separators. By first letter; each list ends with NULL.
static const char *const stems_a[] = { "accesskey",     "accesstoken", "apikey",  "apitoken",
                                       "authorization", "authtoken",   "authkey", NULL };
static const char *const stems_b[] = { "bearertoken", NULL };
static const char *const stems_c[] = { "cardnumber", "clientsecret", "cookie", "creditcard",
                                       "credential", "csrftoken",    NULL };
static const char *const stems_e[] = { "encryptionkey", NULL };
static const char *const stems_i[] = { "idtoken", NULL };
static const char *const stems_m[] = { "mysqlpwd", NULL };
static const char *const stems_p[] = { "passphrase", "passwd", "password", "privatekey", "pgpass", NULL };
static const char *const stems_r[] = { "refreshtoken", NULL };
static const char *const stems_s[] = { "secret",     "sessionid",      "sessionkey", "sessiontoken",
                                       "signingkey", "socialsecurity", NULL };
static const char *const stems_x[] = { "xsrftoken", NULL };
static const char *const *const stems[26] = {
    [0] = stems_a,  [1] = stems_b,  [2] = stems_c,  [4] = stems_e,  [8] = stems_i,
    [12] = stems_m, [15] = stems_p, [17] = stems_r, [18] = stems_s, [23] = stems_x,
};

// Count only as a whole word of a name (access_token, accessToken; not tokenizer).
static const char *const words[] = { "token", "tokens", "auth", "pwd",  "pass", "passcode", "pin",    "otp",  "cvv",
                                     "cvc",   "ssn",    "pan",  "csrf", "xsrf", "jwt",      "bearer", "iban", NULL };

struct flat {
    char text[PROBE_REDACT_NAME_MAX];
    size_t len;
    uint64_t starts[PROBE_REDACT_NAME_MAX / 64]; // where a word begins
};

static bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
static bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
static bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Lower case without separators. Words begin behind separators and digits, and at an upper-case letter behind a
// lower-case one or before one (apiKey, APIKey).
static void flatten(struct flat *f, str name)
{
    bool fresh = true;
    size_t n = name.len < PROBE_REDACT_NAME_MAX ? name.len : PROBE_REDACT_NAME_MAX;
    f->len = 0;
    memset(f->starts, 0, sizeof(f->starts));
    for (size_t i = 0; i < n; i++) {
        char c = name.ptr[i];
        bool other = !is_lower(c) && !is_upper(c) && !is_digit(c) && (uint8_t)c < 0x80;
        if (other) {
            fresh = true;
            continue;
        }
        if (is_upper(c) && i > 0 && (!is_upper(name.ptr[i - 1]) || (i + 1 < name.len && is_lower(name.ptr[i + 1]))))
            fresh = true;
        if (i > 0 && is_digit(c) != is_digit(name.ptr[i - 1]))
            fresh = true;
        if (fresh)
            f->starts[f->len >> 6] |= 1ull << (f->len & 63);
        fresh = false;
        f->text[f->len++] = is_upper(c) ? (char)(c | 0x20) : c;
    }
}

static bool word_starts(const struct flat *f, size_t at)
{
    return at >= f->len || (f->starts[at >> 6] >> (at & 63) & 1);
}

static bool text_at(const struct flat *f, size_t at, const char *word, size_t *ret_end)
{
    while (*word && at < f->len && f->text[at] == *word)
        word++, at++;
    *ret_end = at;
    return !*word;
}

static bool built_in(const struct flat *f)
{
    size_t end;
    for (size_t i = 0; i < f->len; i++) {
        unsigned letter = (unsigned)(f->text[i] - 'a');
        if (letter < 26 && stems[letter])
            for (const char *const *s = stems[letter]; *s; s++)
                if (text_at(f, i, *s, &end))
                    return true;
        if (word_starts(f, i))
            for (const char *const *s = words; *s; s++)
                if (**s == f->text[i] && text_at(f, i, *s, &end) && word_starts(f, end))
                    return true;
    }
    return false;
}

enum { OPEN_START = 1, OPEN_END = 2 }; // of a pattern: a '*' stood there

static bool pattern_matches(unsigned flags, str pattern, str text)
{
    if (text.len < pattern.len)
        return false;
    switch (flags) {
    case 0:
        return str_eq(pattern, text);
    case OPEN_START:
        return str_ends(text, pattern);
    case OPEN_END:
        return str_starts(text, pattern);
    default:
        return str_find(text, pattern) >= 0;
    }
}

static bool list_matches(const struct probe_policy_list *l, str text)
{
    const uint8_t *p = l->patterns;
    for (uint32_t i = 0; i < l->n; i++) {
        uint16_t n = le16_get(p + 1);
        if (pattern_matches(p[0], str_of(p + 3, n), text))
            return true;
        p += 3 + n;
    }
    return false;
}

enum probe_rule probe_redact_name(const struct probe_policy *p, str name)
{
    struct flat f;
    str flat;
    if (!name.len)
        return PROBE_RULE_NONE;
    flatten(&f, name);
    flat = str_of(f.text, f.len);
    if (p && p->names.n && list_matches(&p->names, flat))
        return PROBE_RULE_CUSTOM_NAME;
    if (!built_in(&f) || (p && p->allow.n && list_matches(&p->allow, flat)))
        return PROBE_RULE_NONE;
    return PROBE_RULE_NAME;
}

enum probe_rule probe_redact_type(const struct probe_policy *p, str type)
{
    return p && p->types.n && list_matches(&p->types, type) ? PROBE_RULE_CUSTOM_TYPE : PROBE_RULE_NONE;
}

enum probe_rule probe_redact_file(const struct probe_policy *p, str file)
{
    return p && p->files.n && list_matches(&p->files, file) ? PROBE_RULE_CUSTOM_FILE : PROBE_RULE_NONE;
}

// Block: magic, generation, flags, bytes of the whole; then four lists (names, allow, types, files): u32 count, u32 bytes, and
// that many patterns (u8 flags, u16 length, bytes).
bool probe_policy_verify(struct probe_policy *p, bytes block)
{
    struct probe_policy v = { 0 };
    struct probe_policy_list *lists[4] = { &v.names, &v.allow, &v.types, &v.files };
    const uint8_t *at = block.ptr, *end;
    if (block.len < 16 || block.len > PROBE_POLICY_SIZE_MAX || le32_get(at) != PROBE_POLICY_MAGIC ||
        le32_get(at + 12) != block.len)
        return false;
    end = at + block.len;
    v.generation = le32_get(at + 4);
    v.flags = le32_get(at + 8);
    if (v.flags & ~(uint32_t)(PROBE_POLICY_SHAPES | PROBE_POLICY_NO_DETECTORS))
        return false;
    at += 16;
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *q;
        uint32_t n, size;
        if (end - at < 8)
            return false;
        n = le32_get(at);
        size = le32_get(at + 4);
        at += 8;
        if (n > PROBE_POLICY_RULES_MAX || size > (size_t)(end - at))
            return false;
        q = at;
        for (uint32_t k = 0; k < n; k++) {
            size_t left = (size_t)(at + size - q), len;
            if (left < 3 || q[0] > (OPEN_START | OPEN_END))
                return false;
            len = le16_get(q + 1);
            if (len > PROBE_POLICY_TEXT_MAX || len > left - 3)
                return false;
            q += 3 + len;
        }
        if (q != at + size)
            return false;
        *lists[i] = (struct probe_policy_list){ at, n, size };
        at += size;
    }
    if (at != end)
        return false;
    *p = v;
    return true;
}
