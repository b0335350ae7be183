// Tokens, and the lists of what is found.
#include "agent/node/scan_internal.h"

void js_fail(struct scanner *s, int rc)
{
    if (!s->rc)
        s->rc = rc, s->failed = s->start;
    s->t = T_END;
    s->at = s->start = s->end = (uint32_t)s->text.len;
}

// --- tokens ---

int js_peek(const struct scanner *s, uint32_t n)
{
    return s->at + n < s->text.len ? (unsigned char)s->text.ptr[s->at + n] : 0;
}

bool js_name_byte(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '$' ||
           c == '\\' || c >= 0x80;
}

static bool wide_space(const struct scanner *s, uint32_t *ret_len, bool *ret_newline)
{
    int a = js_peek(s, 0), b = js_peek(s, 1), c = js_peek(s, 2);
    *ret_newline = a == 0xe2 && b == 0x80 && (c == 0xa8 || c == 0xa9);
    *ret_len = a == 0xc2 && b == 0xa0 ? 2 : 3;
    return (a == 0xc2 && b == 0xa0) || (a == 0xef && b == 0xbb && c == 0xbf) || *ret_newline ||
           (a == 0xe2 && b == 0x80 && ((c >= 0x80 && c <= 0x8a) || c == 0xaf)) || (a == 0xe3 && b == 0x80 && c == 0x80);
}

static void skip_space(struct scanner *s)
{
    for (uint32_t len; s->at < s->text.len;) {
        int c = js_peek(s, 0);
        bool newline;
        if (c == '\n' || c == '\r') {
            s->newline = true;
            s->at++;
        } else if (c == ' ' || c == '\t' || c == '\v' || c == '\f') {
            s->at++;
        } else if (c == '/' && js_peek(s, 1) == '/') {
            while (s->at < s->text.len && js_peek(s, 0) != '\n' && js_peek(s, 0) != '\r')
                s->at++;
        } else if (c == '/' && js_peek(s, 1) == '*') {
            for (s->at += 2; s->at < s->text.len && !(js_peek(s, 0) == '*' && js_peek(s, 1) == '/'); s->at++)
                s->newline |= js_peek(s, 0) == '\n';
            s->at = s->at + 2 <= s->text.len ? s->at + 2 : (uint32_t)s->text.len;
        } else if (c >= 0x80 && wide_space(s, &len, &newline)) {
            s->newline |= newline;
            s->at += len;
        } else {
            return;
        }
    }
}

static uint32_t punct_len(const struct scanner *s)
{
    static const char *const long_ones[] = { ">>>=", "...",  "===", "!==", "**=", "<<=", ">>=", ">>>", "&&=",
                                             "||=",  "?\?=", "=>",  "==",  "!=",  "<=",  ">=",  "&&",  "||",
                                             "?\?",  "?.",   "++",  "--",  "+=",  "-=",  "*=",  "/=",  "%=",
                                             "&=",   "|=",   "^=",  "<<",  ">>",  "**" };
    str rest = str_slice(s->text, s->at, s->text.len);
    for (size_t i = 0; i < sizeof long_ones / sizeof *long_ones; i++)
        if (str_starts(rest, str_z(long_ones[i]))) {
            if (long_ones[i][0] == '?' && long_ones[i][1] == '.' && js_peek(s, 2) >= '0' && js_peek(s, 2) <= '9')
                continue; // a ? .5 : b
            return (uint32_t)strlen(long_ones[i]);
        }
    return 1;
}

static void take_string(struct scanner *s, int quote)
{
    for (s->at++; s->at < s->text.len && js_peek(s, 0) != quote; s->at++)
        if (js_peek(s, 0) == '\\')
            s->at++;
    s->at = s->at < s->text.len ? s->at + 1 : (uint32_t)s->text.len;
}

void js_next(struct scanner *s)
{
    s->last_end = s->end;
    s->newline = false;
    skip_space(s);
    s->start = s->at;
    int c = js_peek(s, 0);
    if (s->at >= s->text.len) {
        s->t = T_END;
    } else if ((c >= '0' && c <= '9') || (c == '.' && js_peek(s, 1) >= '0' && js_peek(s, 1) <= '9')) {
        s->t = T_NUMBER;
        for (s->at++; js_name_byte(js_peek(s, 0)) || js_peek(s, 0) == '.' ||
                      ((js_peek(s, 0) == '+' || js_peek(s, 0) == '-') && (s->text.ptr[s->at - 1] | 32) == 'e' &&
                       (s->text.ptr[s->start + 1] | 32) != 'x');)
            s->at++;
    } else if (js_name_byte(c) || (c == '#' && js_name_byte(js_peek(s, 1)))) {
        s->t = c == '#' ? T_PRIVATE : T_NAME;
        for (s->at++; js_name_byte(js_peek(s, 0)); s->at++)
            if (js_peek(s, 0) == '\\' && js_peek(s, 1) == 'u' && js_peek(s, 2) == '{')
                while (s->at < s->text.len && js_peek(s, 0) != '}')
                    s->at++;
    } else if (c == '"' || c == '\'') {
        s->t = T_STRING;
        take_string(s, c);
    } else if (c == '`') {
        s->t = T_TEMPLATE;
        s->at++;
    } else {
        s->t = T_PUNCT;
        s->at += punct_len(s);
    }
    if (s->at > s->text.len)
        s->at = (uint32_t)s->text.len;
    s->end = s->at;
}

str js_token_text(const struct scanner *s) { return str_of(s->text.ptr + s->start, s->end - s->start); }
bool js_is(const struct scanner *s, const char *punct)
{
    return s->t == T_PUNCT && str_eq(js_token_text(s), str_z(punct));
}
bool js_word(const struct scanner *s, const char *w) { return s->t == T_NAME && str_eq(js_token_text(s), str_z(w)); }
bool js_word_of(const struct scanner *s, const char *const *list)
{
    for (; *list; list++)
        if (js_word(s, *list))
            return true;
    return false;
}
bool js_eat(struct scanner *s, const char *punct)
{
    bool yes = js_is(s, punct);
    if (yes)
        js_next(s);
    return yes;
}
void js_want(struct scanner *s, const char *punct)
{
    if (!js_eat(s, punct))
        js_fail(s, ERR_MALFORMED);
}

// A '/' where an operand is expected.
void js_rescan_regex(struct scanner *s)
{
    bool set = false;
    for (s->at = s->start + 1; s->at < s->text.len; s->at++) {
        int c = js_peek(s, 0);
        if (c == '\\')
            s->at++;
        else if (c == '[')
            set = true;
        else if (c == ']')
            set = false;
        else if (c == '\n' || (c == '/' && !set))
            break;
    }
    if (js_peek(s, 0) != '/') {
        js_fail(s, ERR_MALFORMED);
        return;
    }
    for (s->at++; js_name_byte(js_peek(s, 0)); s->at++) {}
    s->t = T_REGEX;
    s->end = s->at;
}

// --- what is found ---

static void *grow(struct scanner *s, void *list, uint32_t n, uint32_t *cap, size_t size)
{
    if (n < *cap)
        return list;
    uint32_t more = *cap ? *cap * 2 : 64;
    void *p = arena_alloc_array(s->arena, more, size);
    if (!p) {
        js_fail(s, ERR_NOMEM);
        return NULL;
    }
    if (n)
        memcpy(p, list, n * size);
    *cap = more;
    return p;
}

#define PUSH(s, list, count, cap)                                                                  \
    ({                                                                                             \
        void *grown = grow(s, (s)->out->list, (s)->out->count, &(s)->cap, sizeof *(s)->out->list); \
        if (grown)                                                                                 \
            (s)->out->list = grown;                                                                \
        grown ? &(s)->out->list[(s)->out->count++] : NULL;                                         \
    })

static uint32_t scope_new(struct scanner *s, uint32_t function)
{
    uint32_t before = s->scope;
    if (s->quiet)
        return before;
    struct scan_scope *n = PUSH(s, scopes, n_scopes, cap_scopes);
    if (n) {
        *n = (struct scan_scope){ .parent = before, .function = function };
        s->scope = s->out->n_scopes - 1;
    }
    return before;
}

uint32_t js_function_now(const struct scanner *s) { return s->scope == NONE ? 0 : s->out->scopes[s->scope].function; }

uint32_t js_block_begin(struct scanner *s) { return scope_new(s, js_function_now(s)); }

// Its scope becomes the current one.
uint32_t js_function_begin(struct scanner *s, enum scan_function_kind kind, uint32_t start, str name,
                           uint32_t *ret_before)
{
    *ret_before = s->scope;
    str owner = s->owner;
    s->pending = s->owner = (str){ 0 };
    if (s->quiet)
        return 0;
    uint32_t parent = js_function_now(s);
    struct scan_function *f = PUSH(s, functions, n_functions, cap_functions);
    if (!f)
        return 0;
    *f = (struct scan_function){
        .start = start, .parent = parent, .kind = kind, .name = name, .owner = owner, .entry = NONE
    };
    uint32_t i = s->out->n_functions - 1;
    scope_new(s, i);
    if (!s->rc)
        s->out->functions[i].scope = s->scope;
    return i;
}

void js_function_end(struct scanner *s, uint32_t f, uint32_t before)
{
    if (s->quiet || s->rc)
        return;
    s->out->functions[f].end = s->last_end;
    s->scope = before;
}

void js_declare(struct scanner *s, str name, enum scan_name_kind kind, uint32_t scope, uint32_t from)
{
    if (s->quiet || s->rc || scope == NONE)
        return;
    struct scan_name *n = PUSH(s, names, n_names, cap_names);
    if (n)
        *n = (struct scan_name){ .name = name, .scope = scope, .kind = kind, .from = from };
}

uint32_t js_var_scope(const struct scanner *s)
{
    return s->scope == NONE || s->quiet ? s->scope : s->out->functions[js_function_now(s)].scope;
}

uint32_t js_place_new(struct scanner *s, enum scan_form form, bool entry)
{
    if (s->quiet || s->rc)
        return NONE;
    struct scan_place *p = PUSH(s, places, n_places, cap_places);
    if (!p)
        return NONE;
    *p = (struct scan_place){ .at = s->start, .form = form, .scope = s->scope };
    uint32_t i = s->out->n_places - 1;
    struct scan_function *f = &s->out->functions[js_function_now(s)];
    if (entry && f->entry == NONE && s->scope == f->scope)
        f->entry = i;
    return i;
}

void js_return_new(struct scanner *s, struct scan_return r)
{
    struct scan_return *n = s->quiet || s->rc ? NULL : PUSH(s, returns, n_returns, cap_returns);
    if (n)
        *n = r;
}
