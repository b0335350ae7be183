#include "wire/sentry_scrub.h"

#include "base/err.h"

#define LETTER(c) (1u << ((c) - 'a'))
enum {
    KEY_MAX = 64,
    DEPTH_MAX = JSON_DEPTH_MAX,
    SECRET_LETTERS =
        LETTER('a') | LETTER('b') | LETTER('c') | LETTER('m') | LETTER('p') | LETTER('s') | LETTER('t') | LETTER('x'),
};

static const str filtered = STR_INIT("[Filtered]");

struct scrubber {
    struct arena *arena;
    struct sentry_remarks *remarks;
    const struct json_node *path[DEPTH_MAX];
    uint32_t index[DEPTH_MAX]; // in an array
    unsigned depth;
    int error;
};

static str folded_key(str key, char out[KEY_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < key.len && n < KEY_MAX; i++) {
        char c = key.ptr[i];
        if (c == '_' || c == '-' || c == '.' || c == ' ')
            continue;
        out[n++] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
    }
    return str_of(out, n);
}

// Is there one of the words at this place of a folded key that has a part of a secret's name?
static bool secret_begins(str rest)
{
    static const str parts[] = { STR_INIT("apikey"),     STR_INIT("auth"),   STR_INIT("bearer"),
                                 STR_INIT("cardnumber"), STR_INIT("cookie"), STR_INIT("credentials"),
                                 STR_INIT("creditcard"), STR_INIT("csrf"),   STR_INIT("cvv"),
                                 STR_INIT("mysqlpwd"),   STR_INIT("passwd"), STR_INIT("password"),
                                 STR_INIT("privatekey"), STR_INIT("secret"), STR_INIT("sessionid"),
                                 STR_INIT("ssn"),        STR_INIT("token"),  STR_INIT("xsrf") };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i].ptr[0] != rest.ptr[0] || !str_starts(rest, parts[i]))
            continue;
        // "author" is nobody's secret; "authorization" is. "tokens" are a language model's, and counted.
        return !(str_starts(rest, STR("author")) && !str_starts(rest, STR("authori"))) &&
               !str_starts(rest, STR("tokens"));
    }
    return false;
}

bool sentry_key_is_secret(str key)
{
    static const str whole[] = { STR_INIT("pwd"), STR_INIT("pin"), STR_INIT("sid") };
    char text[KEY_MAX];
    str folded = folded_key(key, text);
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        if (str_eq(folded, whole[i]))
            return true;
    for (size_t i = 0; i < folded.len; i++) {
        // Only what one of the words begins with is worth comparing: every key of every event comes by here.
        char c = folded.ptr[i];
        if (c >= 'a' && c <= 'z' && (1u << (c - 'a') & SECRET_LETTERS) &&
            secret_begins(str_slice(folded, i, folded.len)))
            return true;
    }
    return false;
}

static bool luhn(const char *digits, size_t n)
{
    unsigned sum = 0;
    for (size_t i = 0; i < n; i++) {
        unsigned d = (unsigned)(digits[n - 1 - i] - '0');
        if (i & 1)
            d = d * 2 > 9 ? d * 2 - 9 : d * 2;
        sum += d;
    }
    return sum % 10 == 0;
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is_alnum(char c) { return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z'); }

// Digits with single spaces or dashes between them, as cards are written; [*ret_from, *ret_to) of the text.
bool sentry_card_find(str s, size_t from, size_t *ret_from, size_t *ret_to)
{
    enum { CARD_MIN = 13, CARD_MAX = 19 };
    for (size_t i = from; i < s.len; i++) {
        char digits[CARD_MAX] = { 0 };
        size_t n = 0, k = i;
        if (!is_digit(s.ptr[i]))
            continue;
        for (; k < s.len && n <= CARD_MAX; k++) {
            if (is_digit(s.ptr[k])) {
                if (n < CARD_MAX)
                    digits[n] = s.ptr[k];
                n++;
            } else if (!((s.ptr[k] == ' ' || s.ptr[k] == '-') && k + 1 < s.len && is_digit(s.ptr[k + 1]))) {
                break;
            }
        }
        // Known issuers begin with 2 to 6; that spares most numbers that happen to pass (times, ids).
        bool issuer = digits[0] >= '2' && digits[0] <= '6';
        bool alone =
            (i == 0 || (s.ptr[i - 1] != '.' && !is_alnum(s.ptr[i - 1]))) && (k == s.len || !is_alnum(s.ptr[k]));
        if (n >= CARD_MIN && n <= CARD_MAX && issuer && alone && luhn(digits, n)) {
            *ret_from = i;
            *ret_to = k;
            return true;
        }
        i = k > i ? k - 1 : i;
    }
    return false;
}

// The password in scheme://user:password@host.
static bool find_url_password(str s, size_t from, size_t *ret_from, size_t *ret_to)
{
    for (ptrdiff_t at; (at = str_find(str_slice(s, from, s.len), STR("://"))) >= 0;) {
        size_t i = from + (size_t)at + 3, colon = 0;
        for (; i < s.len && s.ptr[i] != '/' && s.ptr[i] != '?' && s.ptr[i] != ' ' && s.ptr[i] != '"' && s.ptr[i] != '@';
             i++)
            if (s.ptr[i] == ':' && !colon)
                colon = i;
        if (i < s.len && s.ptr[i] == '@' && colon && colon + 1 < i) {
            *ret_from = colon + 1;
            *ret_to = i;
            return true;
        }
        from = i < s.len ? i : s.len;
    }
    return false;
}

static bool is_token_char(char c)
{
    return is_alnum(c) || c == '-' || c == '_' || c == '.' || c == '+' || c == '/' || c == '=';
}

static size_t token_end(str s, size_t i)
{
    while (i < s.len && is_token_char(s.ptr[i]))
        i++;
    return i;
}

// A word that begins so, with at least so many characters of a token behind it.
static bool find_token(str s, size_t from, str begin, size_t least, bool keep_begin, size_t *ret_from, size_t *ret_to)
{
    for (ptrdiff_t at; (at = str_find(str_slice(s, from, s.len), begin)) >= 0;) {
        size_t start = from + (size_t)at, body = start + begin.len, end = token_end(s, body);
        if (end - body >= least) {
            *ret_from = keep_begin ? body : start;
            *ret_to = end;
            return true;
        }
        from = body;
    }
    return false;
}

static bool find_pem(str s, size_t from, size_t *ret_from, size_t *ret_to)
{
    ptrdiff_t at = str_find(str_slice(s, from, s.len), STR("PRIVATE KEY-----"));
    if (at < 0)
        return false;
    size_t start = from + (size_t)at + sizeof "PRIVATE KEY-----" - 1;
    ptrdiff_t end = str_find(str_slice(s, start, s.len), STR("-----END"));
    *ret_from = start;
    *ret_to = end < 0 ? s.len : start + (size_t)end;
    return *ret_to > *ret_from;
}

static bool find_jwt(str s, size_t from, size_t *ret_from, size_t *ret_to)
{
    enum { LEAST = 20 };
    return find_token(s, from, STR("eyJ"), LEAST, false, ret_from, ret_to);
}

static bool find_bearer(str s, size_t from, size_t *ret_from, size_t *ret_to)
{
    enum { LEAST = 8 };
    return find_token(s, from, STR("Bearer "), LEAST, true, ret_from, ret_to);
}

static bool (*const finders[])(str s, size_t from, size_t *ret_from, size_t *ret_to) = { find_pem, find_url_password,
                                                                                         find_jwt, find_bearer,
                                                                                         sentry_card_find };
enum { FINDERS = sizeof finders / sizeof finders[0] };

// The next secret of each kind: looked for again only when it lies behind, or a text of nothing but secrets would be
// read once for each of them.
struct next_secrets {
    struct {
        size_t from, to;
    } at[FINDERS];
    bool looked[FINDERS], none[FINDERS];
};

// The first one that begins at `from` or later, whatever it is.
static bool find_secret(struct next_secrets *n, str s, size_t from, size_t *ret_from, size_t *ret_to)
{
    bool any = false;
    for (size_t i = 0; i < FINDERS; i++) {
        if (!n->none[i] && (!n->looked[i] || n->at[i].from < from)) {
            n->looked[i] = true;
            n->none[i] = !finders[i](s, from, &n->at[i].from, &n->at[i].to);
        }
        if (n->none[i] || (any && n->at[i].from >= *ret_from))
            continue;
        *ret_from = n->at[i].from;
        *ret_to = n->at[i].to;
        any = true;
    }
    return any;
}

int sentry_path_text(const struct json_node *const *path, const uint32_t *index, unsigned depth, struct arena *arena,
                     str *ret_text)
{
    enum { PATH_MAX_LEN = 1024 };
    struct buf text;
    buf_init(&text, PATH_MAX_LEN);
    for (unsigned i = 0; i < depth; i++) {
        if (path[i]->key.ptr)
            buf_printf(&text, "%s%.*s", text.len ? "." : "", STR_ARG(path[i]->key));
        else
            buf_printf(&text, "%s%u", text.len ? "." : "", index[i]);
    }
    int r = text.error ? text.error : arena_dup(arena, buf_view(&text), ret_text);
    buf_free(&text);
    return r;
}

static void remark(struct scrubber *b)
{
    struct sentry_remarks *r = b->remarks;
    r->removed++;
    if (r->n < SENTRY_REMARKS_MAX && sentry_path_text(b->path, b->index, b->depth, b->arena, &r->path[r->n]) == 0)
        r->n++;
}

static void replace(struct json_node *node, str text)
{
    node->type = JSON_STRING;
    node->text = text;
    node->first = NULL;
    node->n = 0;
}

// Most texts lack a character that a kind of secret cannot do without: one look at each of them spares five searches.
static bool rule_out(str s, struct next_secrets *n)
{
    enum { K = 1, COLON = 2, AT = 4, J = 8, B = 16, DIGIT = 32, CARD_DIGITS = 13 };
    static const uint8_t kinds[256] = { ['K'] = K,     [':'] = COLON, ['@'] = AT,    ['J'] = J,     ['B'] = B,
                                        ['0'] = DIGIT, ['1'] = DIGIT, ['2'] = DIGIT, ['3'] = DIGIT, ['4'] = DIGIT,
                                        ['5'] = DIGIT, ['6'] = DIGIT, ['7'] = DIGIT, ['8'] = DIGIT, ['9'] = DIGIT };
    unsigned seen = 0, digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        uint8_t kind = kinds[(uint8_t)s.ptr[i]];
        seen |= kind;
        digits += kind >> 5;
    }
    // In the order of `finders`.
    n->none[0] = !(seen & K);
    n->none[1] = !(seen & COLON) || !(seen & AT);
    n->none[2] = !(seen & J);
    n->none[3] = !(seen & B);
    n->none[4] = digits < CARD_DIGITS;
    return n->none[0] && n->none[1] && n->none[2] && n->none[3] && n->none[4];
}

static void scrub_text(struct scrubber *b, struct json_node *node)
{
    size_t from, to, done = 0;
    struct next_secrets next = { 0 };
    struct buf out;
    if (rule_out(node->text, &next) || !find_secret(&next, node->text, 0, &from, &to))
        return;
    buf_init(&out, (node->text.len + 1) * filtered.len); // a secret has one byte at least
    do {
        buf_str(&out, str_slice(node->text, done, from));
        buf_str(&out, filtered);
        done = to;
    } while (done < node->text.len && find_secret(&next, node->text, done, &from, &to));
    buf_str(&out, str_slice(node->text, done, node->text.len));
    str kept;
    if (out.error || arena_dup(b->arena, buf_view(&out), &kept) < 0)
        b->error = ERR_NOMEM;
    else
        replace(node, kept);
    buf_free(&out);
    remark(b);
}

// ["Cookie", "a=b"]: headers and tags come as pairs, too.
static bool is_secret_pair(const struct json_node *node)
{
    return node->type == JSON_ARRAY && node->n == 2 && node->first->type == JSON_STRING &&
           node->first->next->type == JSON_STRING && sentry_key_is_secret(node->first->text);
}

static void scrub(struct scrubber *b, struct json_node *node)
{
    uint32_t i = 0;
    if (node->type == JSON_STRING || node->type == JSON_NUMBER) {
        scrub_text(b, node);
        return;
    }
    if (is_secret_pair(node)) {
        replace((struct json_node *)node->first->next, filtered);
        remark(b);
        return;
    }
    for (const struct json_node *c = node->first; c && b->error == 0 && b->depth < DEPTH_MAX; c = c->next, i++) {
        struct json_node *child = (struct json_node *)c; // made by json_tree_read(): ours to change
        b->path[b->depth] = c;
        b->index[b->depth++] = i;
        bool nothing = c->type == JSON_NULL || c->type == JSON_TRUE || c->type == JSON_FALSE ||
                       (c->type == JSON_STRING && c->text.len == 0);
        if (node->type == JSON_OBJECT && !nothing && sentry_key_is_secret(c->key)) {
            if (!str_eq(c->text, filtered))
                remark(b);
            replace(child, filtered);
        } else {
            scrub(b, child);
        }
        b->depth--;
    }
}

int sentry_scrub(const struct json_node *root, struct arena *arena, struct sentry_remarks *ret_remarks)
{
    struct scrubber b = { .arena = arena, .remarks = ret_remarks };
    *ret_remarks = (struct sentry_remarks){ 0 };
    // Names of packages and of files are keys there, and are called cookie or token.
    // (In _meta, what the SDK has removed itself.)
    static const str code[] = { STR_INIT("modules"), STR_INIT("sdk"), STR_INIT("debug_meta"), STR_INIT("_meta") };
    for (const struct json_node *m = json_first_of(root, JSON_OBJECT); m; m = m->next) {
        if (str_eq(m->key, code[0]) || str_eq(m->key, code[1]) || str_eq(m->key, code[2]) || str_eq(m->key, code[3]))
            continue;
        b.path[0] = m;
        b.depth = 1;
        scrub(&b, (struct json_node *)m);
    }
    return b.error;
}
