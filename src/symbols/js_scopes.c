// Functions out of tokens. A stack of brackets knows what each of them is: a function's body, parameters, an object,
// a class, a block. An anonymous function is named by what it is given to, looked for outwards through the brackets up
// to the next function: the same rule as Sentry's, so that names (and with them groups) are the same.
#include "symbols/js_scopes.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdlib.h>

enum { PARTS_MAX = 8, NAME_LEN_MAX = 512, TEXTS_MAX = 64 << 20 };
#define OUTSIDE UINT32_MAX

struct bound {
    uint32_t line, column;
    uint32_t scope; // from here on; OUTSIDE: none
};

struct js_scopes {
    struct arena texts;
    struct bound *bounds;
    str *names; // of each function
    uint32_t bounds_n, names_n;
    size_t bytes;
};

struct place {
    uint32_t line, column;
};

struct ident {
    str text;
    struct place at;
};

// a.b.c
struct parts {
    struct ident part[PARTS_MAX];
    unsigned n;
};

enum frame_type { FRAME_BLOCK, FRAME_OBJECT, FRAME_CLASS, FRAME_PAREN, FRAME_BRACKET, FRAME_TEMPLATE, FRAME_ARROW };

struct frame {
    enum frame_type type;
    bool function;     // a body, or parameters: names of outside do not reach in
    bool control;      // if (...), for (...)
    bool in_value;     // of an object or class: behind the colon or the equals sign
    bool has_function; // of a paren: the scope of its body is `scope`
    bool closes;       // its end is the end of `scope`
    uint32_t scope, outer;
    unsigned questions; // of an arrow's expression: ? without their colon
    struct ident key;   // of an object's or class's member
    struct parts assign;
};

enum token { TOKEN_START, TOKEN_VALUE, TOKEN_OPERATOR, TOKEN_KEYWORD };

struct reading {
    str source;
    size_t at;
    // Where counted_to is.
    size_t counted_to;
    struct place place;

    const struct sourcemap *map;
    struct js_scopes *out;
    struct buf bounds, names, frames;
    uint32_t scope;

    enum token last;
    char last_char; // of punctuation; 'a' of an identifier, '>' of =>
    bool last_dot;  // a member's name follows
    bool newline;   // since the last token
    struct parts chain;
    bool function_next, class_next; // a keyword without its bracket yet
    uint32_t function_scope;        // of function_next
    struct parts class_name;
    bool class_named; // the identifier behind `class` was seen
    bool body_next;   // the next brace is the body of body_scope
    uint32_t body_scope;
    bool control_next;
    bool paren_control; // the paren that closed last
    bool method_next;   // so was that of a method
    int error;
};

static struct frame *top(struct reading *r) { return (struct frame *)(r->frames.ptr + r->frames.len) - 1; }

static struct place place_of(struct reading *r, size_t offset)
{
    for (; r->counted_to < offset; r->counted_to++) {
        uint8_t c = (uint8_t)r->source.ptr[r->counted_to];
        if (c == '\n')
            r->place.line++, r->place.column = 0;
        else if ((c & 0xc0) != 0x80)
            r->place.column += c >= 0xf0 ? 2 : 1;
    }
    return r->place;
}

// ---- names ----

static bool name_at(const struct sourcemap *map, uint32_t line, uint32_t column, str *ret)
{
    struct sourcemap_place p, before;
    if (!sourcemap_find(map, line, column, &p) || p.generated_column + 1 < column)
        return false;
    if (p.name != SOURCEMAP_NONE) {
        *ret = map->names[p.name];
        return true;
    }
    // Some generators give the name to the segment in front, of the same place in the source.
    if (p.generated_column && sourcemap_find(map, line, p.generated_column - 1, &before) &&
        before.name != SOURCEMAP_NONE && before.source == p.source && before.line == p.line &&
        before.column == p.column) {
        *ret = map->names[before.name];
        return true;
    }
    return false;
}

static str name_of(const struct reading *r, const struct ident *i)
{
    str name;
    if (r->map &&
        (name_at(r->map, i->at.line, i->at.column, &name) ||
         name_at(r->map, i->at.line, i->at.column + (uint32_t)i->text.len, &name)) &&
        name.len)
        return name;
    return i->text;
}

struct naming {
    char text[NAME_LEN_MAX];
    size_t from; // built from its end to its beginning
};

static void naming_prepend(struct naming *n, str s)
{
    if (s.len > n->from)
        return;
    n->from -= s.len;
    memcpy(n->text + n->from, s.ptr, s.len);
}

static void naming_part(const struct reading *r, struct naming *n, const struct ident *i)
{
    if (n->from < sizeof n->text)
        naming_prepend(n, STR("."));
    naming_prepend(n, name_of(r, i));
}

static void naming_parts(const struct reading *r, struct naming *n, const struct parts *p)
{
    for (unsigned i = p->n; i-- > 0;)
        naming_part(r, n, &p->part[i]);
}

// What the function that begins here is given to; empty: nothing.
static void naming_of_context(const struct reading *r, struct naming *n)
{
    const struct frame *f = (const struct frame *)(r->frames.ptr + r->frames.len);
    while (f-- > (const struct frame *)r->frames.ptr) {
        if (f->assign.n) {
            naming_parts(r, n, &f->assign);
            return;
        }
        if ((f->type == FRAME_OBJECT || f->type == FRAME_CLASS) && f->key.text.len)
            naming_part(r, n, &f->key);
        if (f->type == FRAME_CLASS && r->out->names_n && f->scope != OUTSIDE) {
            str name = ((const str *)r->names.ptr)[f->scope]; // "new X"
            if (name.len > 4) {
                if (n->from < sizeof n->text)
                    naming_prepend(n, STR("."));
                naming_prepend(n, str_slice(name, 4, name.len));
                return;
            }
        }
        if (f->function)
            break;
    }
    n->from = sizeof n->text;
}

static uint32_t scope_new(struct reading *r, const struct naming *n)
{
    str name = { "", 0 };
    if (r->out->names_n == JS_SCOPES_MAX) {
        r->error = ERR_LIMIT;
        return OUTSIDE;
    }
    if (n->from < sizeof n->text &&
        arena_dup(&r->out->texts, str_of(n->text + n->from, sizeof n->text - n->from), &name) < 0)
        r->error = ERR_NOMEM;
    if (buf_append(&r->names, &name, sizeof name) < 0)
        r->error = r->names.error;
    return r->error ? OUTSIDE : r->out->names_n++;
}

static uint32_t scope_of_context(struct reading *r)
{
    struct naming n = { .from = sizeof n.text };
    naming_of_context(r, &n);
    return scope_new(r, &n);
}

static uint32_t scope_of_parts(struct reading *r, const struct parts *p, bool class)
{
    struct naming n = { .from = sizeof n.text };
    if (p->n)
        naming_parts(r, &n, p);
    else
        naming_of_context(r, &n);
    if (class && n.from < sizeof n.text)
        naming_prepend(&n, STR("new "));
    return scope_new(r, &n);
}

static void bound_add(struct reading *r, size_t at, uint32_t scope)
{
    struct place p = place_of(r, at);
    struct bound b = { p.line, p.column, scope };
    if (buf_append(&r->bounds, &b, sizeof b) < 0)
        r->error = r->bounds.error;
    r->scope = scope;
}

// ---- brackets ----

static struct frame *push(struct reading *r, enum frame_type type)
{
    struct frame f = { .type = type, .scope = OUTSIDE };
    if (buf_append(&r->frames, &f, sizeof f) < 0)
        r->error = r->frames.error;
    return r->error ? NULL : top(r);
}

static struct frame *push_scope(struct reading *r, enum frame_type type, uint32_t scope, size_t at)
{
    uint32_t outer = r->scope;
    struct frame *f = push(r, type);
    if (!f)
        return NULL;
    f->function = type != FRAME_CLASS;
    f->scope = scope;
    f->outer = outer;
    f->closes = true;
    bound_add(r, at, scope);
    return f;
}

// end: the first place that is not in it any more.
static void pop(struct reading *r, size_t end)
{
    struct frame *f = top(r);
    if (f->closes)
        bound_add(r, end, f->outer);
    if (r->frames.len > sizeof *f) // the file itself stays
        r->frames.len -= sizeof *f;
}

// Arrow functions of one expression end in front of this.
static void pop_arrows(struct reading *r)
{
    while (!r->error && top(r)->type == FRAME_ARROW)
        pop(r, r->at);
}

static bool in_member_list(const struct frame *f) { return f->type == FRAME_OBJECT || f->type == FRAME_CLASS; }

static void open_brace(struct reading *r)
{
    struct frame *in = top(r);
    r->control_next = false; // catch {
    if (r->body_next) {
        r->body_next = false;
        push_scope(r, FRAME_BLOCK, r->body_scope, r->at);
    } else if (r->class_next) {
        r->class_next = false;
        push_scope(r, FRAME_CLASS, scope_of_parts(r, &r->class_name, true), r->at);
    } else if (r->last == TOKEN_OPERATOR && r->last_char == '>') { // =>: its frame is there
        in->type = FRAME_BLOCK;
    } else {
        bool label = r->last_char == ':' && in->type == FRAME_BLOCK && !in->assign.n && !in->questions;
        bool object = r->last == TOKEN_OPERATOR ? !strchr(";{}", r->last_char) && !label
                                                : r->last == TOKEN_KEYWORD && r->last_char == 'r';
        push(r, object ? FRAME_OBJECT : FRAME_BLOCK);
    }
}

static void close_brace(struct reading *r)
{
    pop_arrows(r);
    struct frame *f = top(r);
    bool value = f->type == FRAME_OBJECT || f->type == FRAME_CLASS, function = f->function;
    if (f->type != FRAME_BLOCK && !value)
        return; // does not fit: passed over
    pop(r, r->at + 1);
    f = top(r);
    if (f->type == FRAME_CLASS && function) {
        f->in_value = false;
        f->key = (struct ident){ 0 };
    }
    r->last = value || function ? TOKEN_VALUE : TOKEN_OPERATOR;
    r->last_char = '}';
}

static void open_paren(struct reading *r)
{
    struct frame *in = top(r);
    bool method = in_member_list(in) && !in->in_value && !r->function_next;
    uint32_t scope = OUTSIDE;
    if (r->function_next)
        scope = r->function_scope;
    else if (method)
        scope = in->type == FRAME_CLASS && str_eq(in->key.text, STR("constructor")) ? in->scope : scope_of_context(r);
    struct frame *f = push(r, FRAME_PAREN);
    if (!f)
        return;
    f->control = r->control_next;
    f->has_function = f->function = r->function_next || method;
    f->scope = scope;
    r->function_next = r->control_next = false;
}

static void close_paren(struct reading *r)
{
    pop_arrows(r);
    struct frame *f = top(r);
    if (f->type != FRAME_PAREN)
        return;
    r->paren_control = f->control;
    r->body_next = f->has_function;
    r->body_scope = f->scope;
    pop(r, r->at + 1);
    r->last = r->paren_control ? TOKEN_OPERATOR : TOKEN_VALUE;
    r->last_char = r->paren_control ? ';' : ')';
}

// ---- tokens ----

static bool ident_char(uint8_t c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '$' || c >= 0x80 ||
           c == '\\' || c == '#';
}

static uint8_t peek(const struct reading *r, size_t ahead)
{
    return r->at + ahead < r->source.len ? (uint8_t)r->source.ptr[r->at + ahead] : 0;
}

static void skip_to(struct reading *r, str end)
{
    ptrdiff_t n = str_find(str_slice(r->source, r->at, r->source.len), end);
    r->at = n < 0 ? r->source.len : r->at + (size_t)n + end.len;
}

static void string_skip(struct reading *r, char quote)
{
    for (r->at++; r->at < r->source.len; r->at++) {
        char c = r->source.ptr[r->at];
        if (c == '\\')
            r->at++;
        else if (c == quote || c == '\n')
            break;
    }
    r->at = r->at < r->source.len ? r->at + 1 : r->source.len;
}

// From behind its beginning, or behind a }, up to its end or the next ${.
static void template_skip(struct reading *r)
{
    for (; r->at < r->source.len; r->at++) {
        uint8_t c = peek(r, 0);
        if (c == '\\') {
            r->at++;
        } else if (c == '`') {
            r->at++;
            r->last = TOKEN_VALUE;
            r->last_char = '`';
            return;
        } else if (c == '$' && peek(r, 1) == '{') {
            r->at += 2;
            push(r, FRAME_TEMPLATE);
            r->last = TOKEN_OPERATOR;
            r->last_char = '(';
            return;
        }
    }
    r->at = r->source.len; // a last backslash is behind it
}

// False: it is a division.
static bool regex_skip(struct reading *r)
{
    bool class = false;
    for (size_t i = r->at + 1; i < r->source.len; i++) {
        char c = r->source.ptr[i];
        if (c == '\n')
            return false;
        if (c == '\\') {
            i++;
        } else if (c == '[') {
            class = true;
        } else if (c == ']') {
            class = false;
        } else if (c == '/' && !class) {
            for (i++; i < r->source.len && ident_char((uint8_t)r->source.ptr[i]);)
                i++;
            r->at = i;
            return true;
        }
    }
    return false;
}

enum {
    KEYWORD = 1,
    KEYWORD_CONTROL = 2,   // parentheses and a statement follow
    KEYWORD_STATEMENT = 4, // begins one
    KEYWORD_BLOCK = 8,     // a brace behind it is a block's
    KEYWORD_FUNCTION = 16,
    KEYWORD_CLASS = 32,
    KEYWORD_EXTENDS = 64,
};

// 0: none. What may be a name, too ("of", "async", "let") is one: nothing here depends on it.
static unsigned keyword_of(str s)
{
    static const struct {
        char word[11];
        uint8_t what;
    } words[] = {
        { "if", KEYWORD | KEYWORD_CONTROL | KEYWORD_STATEMENT },
        { "in", KEYWORD },
        { "do", KEYWORD | KEYWORD_STATEMENT | KEYWORD_BLOCK },
        { "for", KEYWORD | KEYWORD_CONTROL | KEYWORD_STATEMENT },
        { "new", KEYWORD },
        { "try", KEYWORD | KEYWORD_STATEMENT | KEYWORD_BLOCK },
        { "var", KEYWORD | KEYWORD_STATEMENT },
        { "case", KEYWORD | KEYWORD_STATEMENT },
        { "else", KEYWORD | KEYWORD_STATEMENT | KEYWORD_BLOCK },
        { "void", KEYWORD },
        { "with", KEYWORD | KEYWORD_CONTROL },
        { "catch", KEYWORD | KEYWORD_CONTROL | KEYWORD_BLOCK },
        { "class", KEYWORD | KEYWORD_CLASS },
        { "const", KEYWORD | KEYWORD_STATEMENT },
        { "throw", KEYWORD | KEYWORD_STATEMENT },
        { "while", KEYWORD | KEYWORD_CONTROL | KEYWORD_STATEMENT },
        { "delete", KEYWORD },
        { "export", KEYWORD },
        { "import", KEYWORD },
        { "return", KEYWORD | KEYWORD_STATEMENT },
        { "switch", KEYWORD | KEYWORD_CONTROL | KEYWORD_STATEMENT },
        { "typeof", KEYWORD },
        { "default", KEYWORD },
        { "extends", KEYWORD | KEYWORD_EXTENDS },
        { "finally", KEYWORD | KEYWORD_BLOCK },
        { "function", KEYWORD | KEYWORD_FUNCTION },
        { "instanceof", KEYWORD },
    };
    // Where those of a length begin.
    static const uint8_t of_length[] = { 0, 0, 0, 3, 7, 11, 16, 22, 25, 26, 26, 27 };
    if (s.len < 2 || s.len > 10)
        return 0;
    for (unsigned i = of_length[s.len]; i < of_length[s.len + 1]; i++)
        if (memcmp(words[i].word, s.ptr, s.len) == 0)
            return words[i].what;
    return 0;
}

// A name that is no keyword, or stands where one can be a name.
static void name_token(struct reading *r, const struct ident *i)
{
    struct frame *f = top(r);
    if (!r->last_dot)
        r->chain.n = 0;
    if (r->chain.n < PARTS_MAX && (!r->last_dot || r->chain.n))
        r->chain.part[r->chain.n++] = *i;
    if (in_member_list(f) && !f->in_value)
        f->key = *i;
    if (r->newline && r->last == TOKEN_VALUE && f->type == FRAME_BLOCK)
        f->assign.n = 0; // a statement without its semicolon
    r->last = TOKEN_VALUE;
    r->last_char = 'a';
}

static bool keyword_token(struct reading *r, str text)
{
    struct frame *f = top(r);
    unsigned what = keyword_of(text);
    if (!what || r->last_dot || (in_member_list(f) && !f->in_value && !r->class_next))
        return false;
    if (what & KEYWORD_FUNCTION) {
        r->function_next = true;
        r->function_scope = OUTSIDE;
    } else if (what & KEYWORD_CLASS) {
        r->class_next = true;
        r->class_named = false;
        r->class_name.n = 0;
    } else if (what & KEYWORD_EXTENDS) {
        r->class_named = true;
    }
    r->control_next = what & KEYWORD_CONTROL;
    if ((what & KEYWORD_STATEMENT) && f->type == FRAME_BLOCK)
        f->assign.n = 0;
    r->last = TOKEN_KEYWORD;
    r->last_char = what & KEYWORD_BLOCK ? 'e' : 'r';
    r->chain.n = 0;
    return true;
}

static void word(struct reading *r)
{
    size_t start = r->at;
    while (r->at < r->source.len && ident_char(peek(r, 0)))
        r->at++;
    r->body_next = false;
    struct ident i = { .text = str_slice(r->source, start, r->at) };
    char first = i.text.ptr[0];
    if (first >= '0' && first <= '9') {
        if (peek(r, 0) == '.' && r->at - start < 32) // 1.5
            r->at++;
        r->last = TOKEN_VALUE;
        r->last_char = '0';
        r->chain.n = 0;
        if (in_member_list(top(r)) && !top(r)->in_value)
            top(r)->key = (struct ident){ 0 };
    } else if (r->function_next && r->function_scope == OUTSIDE) {
        i.at = place_of(r, start);
        r->function_scope = scope_of_parts(r, &(struct parts){ .part = { i }, .n = 1 }, false);
        r->last = TOKEN_VALUE;
        r->last_char = 'a';
    } else if (r->class_next && !r->class_named && !str_eq(i.text, STR("extends"))) {
        i.at = place_of(r, start);
        r->class_name = (struct parts){ .part = { i }, .n = 1 };
        r->class_named = true;
        r->last = TOKEN_VALUE;
        r->last_char = 'a';
    } else if (!keyword_token(r, i.text)) {
        i.at = place_of(r, start);
        name_token(r, &i);
    }
    r->last_dot = false;
    r->newline = false;
}

static void equals(struct reading *r)
{
    struct frame *f = top(r);
    if (peek(r, 1) == '>') {
        uint32_t scope = scope_of_context(r);
        struct frame *arrow = push_scope(r, FRAME_ARROW, scope, r->at);
        if (arrow)
            arrow->questions = 0;
        r->at += 2;
        r->last = TOKEN_OPERATOR;
        r->last_char = '>';
        return;
    }
    if (peek(r, 1) == '=') {
        r->at += peek(r, 2) == '=' ? 3 : 2;
    } else {
        // Of a = b = function () {}, the last one names it.
        if (f->type == FRAME_CLASS && !f->in_value)
            f->in_value = true;
        else if (r->last == TOKEN_VALUE && r->last_char == 'a')
            f->assign = r->chain;
        else
            f->assign.n = 0;
        r->at++;
    }
    r->last = TOKEN_OPERATOR;
    r->last_char = '=';
}

static void separator(struct reading *r, char c)
{
    pop_arrows(r);
    struct frame *f = top(r);
    f->assign.n = 0;
    f->questions = 0;
    if (f->type == FRAME_OBJECT || (f->type == FRAME_CLASS && c == ';')) {
        f->in_value = false;
        f->key = (struct ident){ 0 };
    }
}

static void colon(struct reading *r)
{
    while (!r->error && top(r)->type == FRAME_ARROW && !top(r)->questions)
        pop(r, r->at);
    struct frame *f = top(r);
    if (f->questions)
        f->questions--;
    else if (f->type == FRAME_OBJECT)
        f->in_value = true;
}

static void punctuation(struct reading *r, char c)
{
    struct frame *f = top(r);
    bool dot = false, chain = false;
    if (c != '{')
        r->body_next = false;
    if (r->function_next && c == '(' && r->function_scope == OUTSIDE)
        r->function_scope = scope_of_context(r);
    switch (c) {
    case '{':
        open_brace(r);
        break;
    case '}':
        if (top(r)->type == FRAME_ARROW)
            pop_arrows(r);
        if (top(r)->type == FRAME_TEMPLATE) {
            pop(r, r->at);
            r->at++;
            template_skip(r);
            return;
        }
        close_brace(r);
        r->at++;
        return;
    case '(':
        open_paren(r);
        break;
    case ')':
        close_paren(r);
        r->at++;
        r->chain.n = 0;
        return;
    case '[':
        if (in_member_list(f) && !f->in_value)
            f->key = (struct ident){ 0 };
        push(r, FRAME_BRACKET);
        break;
    case ']':
        pop_arrows(r);
        if (top(r)->type == FRAME_BRACKET)
            pop(r, r->at + 1);
        r->last = TOKEN_VALUE;
        r->last_char = ']';
        r->chain.n = 0;
        r->at++;
        return;
    case ',':
    case ';':
        separator(r, c);
        break;
    case ':':
        colon(r);
        break;
    case '?':
        if (peek(r, 1) == '.' && !(peek(r, 2) >= '0' && peek(r, 2) <= '9'))
            dot = chain = true, r->at++;
        else if (peek(r, 1) == '?')
            r->at++;
        else
            f->questions++;
        break;
    case '.':
        chain = r->last == TOKEN_VALUE && r->last_char == 'a';
        dot = true;
        if (f->type == FRAME_OBJECT && !f->in_value) // ...others
            f->in_value = true;
        break;
    case '=':
        equals(r);
        r->last_dot = false;
        r->chain.n = 0;
        return;
    case '+':
    case '-':
        // a++ / b
        if ((char)peek(r, 1) == c && r->last == TOKEN_VALUE) {
            r->at += 2;
            return;
        }
        break;
    default:
        while (peek(r, 1) == '=' && strchr("<>!", c)) // <=, !==
            r->at++;
    }
    r->at++;
    r->last = TOKEN_OPERATOR;
    r->last_char = c;
    r->last_dot = dot;
    r->newline = false;
    if (!chain)
        r->chain.n = 0;
}

static void token(struct reading *r)
{
    uint8_t c = peek(r, 0);
    if (c == '\n') {
        struct frame *f = top(r);
        r->newline = true;
        if (f->type == FRAME_CLASS && r->last == TOKEN_VALUE)
            f->in_value = false; // a field without its semicolon
        r->at++;
    } else if (c == ' ' || c == '\t' || c == '\r' || c < 0x20) {
        r->at++;
    } else if (c == '/' && peek(r, 1) == '/') {
        skip_to(r, STR("\n"));
        r->at -= r->at < r->source.len;
    } else if (c == '/' && peek(r, 1) == '*') {
        r->at += 2;
        skip_to(r, STR("*/"));
    } else if (c == '"' || c == '\'') {
        string_skip(r, (char)c);
        r->last = TOKEN_VALUE;
        r->last_char = '"';
        r->chain.n = 0;
        if (in_member_list(top(r)) && !top(r)->in_value)
            top(r)->key = (struct ident){ 0 };
    } else if (c == '`') {
        r->at++;
        r->chain.n = 0;
        template_skip(r);
    } else if (c == '/' && r->last != TOKEN_VALUE && regex_skip(r)) {
        r->last = TOKEN_VALUE;
        r->last_char = '/';
        r->chain.n = 0;
    } else if (ident_char(c)) {
        word(r);
    } else {
        punctuation(r, (char)c);
    }
}

static int finish(struct reading *r)
{
    struct js_scopes *s = r->out;
    s->bounds = (struct bound *)r->bounds.ptr;
    s->bounds_n = (uint32_t)(r->bounds.len / sizeof *s->bounds);
    s->names = (str *)r->names.ptr;
    s->bytes = sizeof *s + r->bounds.cap + r->names.cap + s->texts.used;
    r->bounds = r->names = (struct buf){ 0 };
    return 0;
}

int js_scopes_read(str source, const struct sourcemap *map, struct js_scopes **ret_scopes)
{
    struct reading r = { .source = source, .map = map, .scope = OUTSIDE };
    r.out = mem_zalloc(sizeof *r.out);
    if (!r.out)
        return ERR_NOMEM;
    arena_init(&r.out->texts, TEXTS_MAX);
    buf_init(&r.bounds, (size_t)JS_SCOPES_MAX * 4 * sizeof(struct bound));
    buf_init(&r.names, (size_t)JS_SCOPES_MAX * sizeof(str));
    buf_init(&r.frames, JS_SCOPE_DEPTH_MAX * sizeof(struct frame));
    push(&r, FRAME_BLOCK);
    while (r.at < r.source.len && !r.error)
        token(&r);
    while (!r.error && r.frames.len > sizeof(struct frame))
        pop(&r, r.at);
    int rc = r.error ? r.error : finish(&r);
    buf_free(&r.bounds);
    buf_free(&r.names);
    buf_free(&r.frames);
    if (rc < 0) {
        js_scopes_free(r.out);
        return rc;
    }
    *ret_scopes = r.out;
    return 0;
}

void js_scopes_free(struct js_scopes *s)
{
    if (!s)
        return;
    arena_free(&s->texts);
    mem_free(s->bounds);
    mem_free(s->names);
    mem_free(s);
}

size_t js_scopes_bytes(const struct js_scopes *s) { return s ? s->bytes : 0; }

bool js_scopes_find(const struct js_scopes *s, uint32_t line, uint32_t column, str *ret_name)
{
    uint32_t low = 0, high = s->bounds_n;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        const struct bound *b = &s->bounds[mid];
        if (b->line < line || (b->line == line && b->column <= column))
            low = mid + 1;
        else
            high = mid;
    }
    if (!low || s->bounds[low - 1].scope == OUTSIDE)
        return false;
    *ret_name = s->names[s->bounds[low - 1].scope];
    return true;
}
