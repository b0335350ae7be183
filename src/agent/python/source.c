#include "agent/python/source.h"
#include "base/err.h"

enum { TOKENS_MAX = 4096, NEST_MAX = 64, TABLE_MAX = 4 << 20, TAB = 8 };

enum token_kind { TOKEN_NAME, TOKEN_TEXT, TOKEN_OTHER };

struct token {
    enum token_kind kind;
    str text;
    int depth; // of brackets, around it
};

struct reader {
    struct py_source *s;
    const char *p, *end;
    int line;
    // One logical line.
    struct token tokens[TOKENS_MAX];
    int n, first, last, indent;
    // The scopes that are open, by index.
    int open[NEST_MAX], n_open;
};

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c >= 0x80;
}
static bool is_digit(char c) { return c >= '0' && c <= '9'; }
static bool is(const struct token *t, const char *text) { return str_eq(t->text, str_z(text)); }
static bool is_word(const struct token *t, const char *text) { return t->kind == TOKEN_NAME && is(t, text); }

// --- tokens ---

static void string(struct reader *r)
{
    char quote = *r->p;
    bool three = r->end - r->p >= 3 && r->p[1] == quote && r->p[2] == quote;
    r->p += three ? 3 : 1;
    while (r->p < r->end) {
        char c = *r->p;
        if (c == '\n' && !three)
            return; // never closed
        if (c == '\n')
            r->line++;
        if (c == '\\' && r->p + 1 < r->end) {
            r->line += r->p[1] == '\n';
            r->p += 2;
            continue;
        }
        if (c == quote && (!three || (r->end - r->p >= 3 && r->p[1] == quote && r->p[2] == quote))) {
            r->p += three ? 3 : 1;
            return;
        }
        r->p++;
    }
}

static bool is_prefix(str word)
{
    for (size_t i = 0; i < word.len; i++)
        if (!memchr("rRbBuUfFtT", word.ptr[i], 10))
            return false;
    return word.len <= 2;
}

static void token_add(struct reader *r, enum token_kind kind, const char *from, int depth)
{
    if (r->n < TOKENS_MAX)
        r->tokens[r->n++] = (struct token){ kind, str_of(from, (size_t)(r->p - from)), depth };
}

static void operator(struct reader *r, int *depth)
{
    const char *from = r->p;
    char c = *r->p++, next = r->p < r->end ? *r->p : 0;
    if (c == '(' || c == '[' || c == '{') {
        token_add(r, TOKEN_OTHER, from, (*depth)++);
        return;
    }
    if ((c == ')' || c == ']' || c == '}') && *depth > 0)
        --*depth;
    if (c == '*' || c == '/' || c == '<' || c == '>')
        while (r->p < r->end && *r->p == c)
            r->p++, next = r->p < r->end ? *r->p : 0;
    if (next == '=' && memchr("=!<>+-*/%&|^@:", c, 14))
        r->p++;
    token_add(r, TOKEN_OTHER, from, *depth);
}

// The next logical line: its tokens, its indentation. False at the end of the text.
static bool logical(struct reader *r)
{
    int depth = 0;
    r->n = 0, r->indent = 0, r->first = r->line;
    while (r->p < r->end) {
        char c = *r->p;
        if (c == '\n') {
            r->p++, r->line++;
            if (r->n && depth == 0) {
                r->last = r->line - 1;
                return true;
            }
            if (!r->n)
                r->indent = 0, r->first = r->line;
        } else if (c == ' ' || c == '\t' || c == '\r' || c == '\f') {
            if (!r->n)
                r->indent = c == ' ' ? r->indent + 1 : c == '\t' ? (r->indent / TAB + 1) * TAB : r->indent;
            r->p++;
        } else if (c == '#') {
            const char *at = memchr(r->p, '\n', (size_t)(r->end - r->p));
            r->p = at ? at : r->end;
        } else if (c == '\\' && r->p + 1 < r->end && r->p[1] == '\n') {
            r->p += 2, r->line++;
        } else if (c == '"' || c == '\'') {
            const char *from = r->p;
            string(r);
            token_add(r, TOKEN_TEXT, from, depth);
        } else if (is_letter(c) || is_digit(c)) {
            const char *from = r->p;
            while (r->p < r->end && (is_letter(*r->p) || is_digit(*r->p) || (is_digit(c) && *r->p == '.')))
                r->p++;
            bool text =
                r->p < r->end && (*r->p == '"' || *r->p == '\'') && is_prefix(str_of(from, (size_t)(r->p - from)));
            if (text)
                string(r);
            token_add(r, text ? TOKEN_TEXT : is_digit(c) ? TOKEN_OTHER : TOKEN_NAME, from, depth);
        } else {
            operator(r, &depth);
        }
    }
    r->last = r->line;
    return r->n > 0;
}

// --- statements ---

static void name_add(struct reader *r, int scope, enum py_name_kind kind, str name)
{
    struct py_name n = { scope, kind, name };
    buf_append(&r->s->names, &n, sizeof n);
}

static bool is_keyword(str s)
{
    static const char *const words[] = { "and", "as",   "assert", "async", "await",  "else", "False",
                                         "for", "if",   "in",     "is",    "lambda", "None", "not",
                                         "or",  "True", "yield",  "from",  NULL };
    for (const char *const *w = words; *w; w++)
        if (str_eq(s, str_z(*w)))
            return true;
    return false;
}

// Names that an assignment to these tokens binds: not those of x.f = or x[i] =.
static void targets(struct reader *r, int a, int b, int scope)
{
    int reading = -1; // depth around a subscript or call: what is inside is read
    for (int i = a; i < b; i++) {
        const struct token *t = &r->tokens[i];
        if (reading >= 0 && t->depth > reading)
            continue;
        reading = -1;
        bool opens = i + 1 < b && (is(&r->tokens[i + 1], "(") || is(&r->tokens[i + 1], "["));
        bool ends = t->kind != TOKEN_OTHER || is(t, ")") || is(t, "]");
        if (ends && opens) {
            reading = r->tokens[i + 1].depth;
            i++;
            continue;
        }
        bool of = i > a && is(&r->tokens[i - 1], "."), has = i + 1 < b && is(&r->tokens[i + 1], ".");
        if (t->kind == TOKEN_NAME && !of && !has && !is_keyword(t->text))
            name_add(r, scope, PY_LOCAL, t->text);
    }
}

static int find(const struct reader *r, int a, int b, const char *what, int depth)
{
    for (int i = a; i < b; i++)
        if (r->tokens[i].depth == depth && is(&r->tokens[i], what))
            return i;
    return -1;
}

// `as x`, `as (x, y)`
static void bound_as(struct reader *r, int a, int b, int scope)
{
    for (int i = a; i + 1 < b; i++) {
        if (!is_word(&r->tokens[i], "as"))
            continue;
        int stop = i + 1;
        while (stop < b && (r->tokens[stop].depth > r->tokens[i].depth ||
                            (!is(&r->tokens[stop], ",") && !is(&r->tokens[stop], ":"))))
            stop++;
        targets(r, i + 1, stop, scope);
        i = stop - 1;
    }
}

static void imports(struct reader *r, int a, int b, int scope)
{
    bool from = is_word(&r->tokens[a], "from");
    int i = a + 1;
    for (; from && i < b && !is_word(&r->tokens[i], "import"); i++)
        continue;
    for (i += from; i < b; i++) {
        const struct token *t = &r->tokens[i];
        if (t->kind != TOKEN_NAME)
            continue;
        str name = t->text;
        int stop = i + 1;
        while (stop < b && !is(&r->tokens[stop], ","))
            stop++;
        for (int k = i; k + 1 < stop; k++)
            if (is_word(&r->tokens[k], "as"))
                name = r->tokens[k + 1].text;
        name_add(r, scope, PY_LOCAL, name);
        i = stop;
    }
}

static void simple(struct reader *r, int a, int b, int scope)
{
    if (a >= b)
        return;
    const struct token *t = &r->tokens[a];
    if (is_word(t, "import") || is_word(t, "from")) {
        imports(r, a, b, scope);
        return;
    }
    if (is_word(t, "global") || is_word(t, "nonlocal")) {
        for (int i = a + 1; i < b; i++)
            if (r->tokens[i].kind == TOKEN_NAME)
                name_add(r, scope, PY_DECLARED, r->tokens[i].text);
        return;
    }
    for (int equals; (equals = find(r, a, b, "=", 0)) >= 0; a = equals + 1) {
        int colon = find(r, a, equals, ":", 0); // of an annotation
        targets(r, a, colon >= 0 ? colon : equals, scope);
    }
}

static void walrus(struct reader *r, int scope)
{
    for (int i = 0; i + 1 < r->n; i++)
        if (r->tokens[i].kind == TOKEN_NAME && is(&r->tokens[i + 1], ":="))
            name_add(r, scope, PY_LOCAL, r->tokens[i].text);
}

static void arguments(struct reader *r, int a, int b, int scope)
{
    for (int i = a; i < b; i++) {
        const struct token *t = &r->tokens[i], *before = &r->tokens[i - 1];
        if (t->kind == TOKEN_NAME && t->depth == 1 &&
            (is(before, "(") || is(before, ",") || is(before, "*") || is(before, "**")))
            name_add(r, scope, PY_ARG, t->text);
    }
}

static struct py_scope *scope_at(struct reader *r, int i) { return (struct py_scope *)r->s->scopes.ptr + i; }

static int scope_open(struct reader *r, enum py_scope_kind kind, str name)
{
    int parent = r->n_open ? r->open[r->n_open - 1] : -1, index = (int)(r->s->scopes.len / sizeof(struct py_scope));
    struct py_scope s = { kind, parent, name, r->first, r->last, r->last + 1, r->indent };
    if (r->n_open == NEST_MAX || buf_append(&r->s->scopes, &s, sizeof s) < 0)
        return parent;
    r->open[r->n_open++] = index;
    return index;
}

static bool begins_block(const struct token *t)
{
    static const char *const words[] = {
        "if", "elif", "else", "for", "while", "with", "try", "except", "finally", NULL
    };
    for (const char *const *w = words; *w; w++)
        if (is_word(t, *w))
            return true;
    return false;
}

static void statement(struct reader *r)
{
    int a = 0, scope = r->open[r->n_open - 1];
    if (r->n > 1 && is_word(&r->tokens[0], "async"))
        a++;
    bool def = is_word(&r->tokens[a], "def");
    if ((def || is_word(&r->tokens[a], "class")) && a + 1 < r->n && r->tokens[a + 1].kind == TOKEN_NAME) {
        str name = r->tokens[a + 1].text;
        name_add(r, scope, PY_LOCAL, name);
        scope = scope_open(r, def ? PY_FUNCTION : PY_CLASS, name);
        int colon = find(r, a, r->n, ":", 0);
        if (def && colon > a + 2)
            arguments(r, a + 3, colon, scope);
        a = colon < 0 ? r->n : colon + 1;
        if (a < r->n) // on one line
            scope_at(r, scope)->body = r->first;
    } else {
        walrus(r, scope);
    }
    while (a < r->n && begins_block(&r->tokens[a])) {
        int colon = find(r, a, r->n, ":", 0), in;
        int stop = colon < 0 ? r->n : colon;
        if (is_word(&r->tokens[a], "for") && (in = find(r, a, stop, "in", 0)) >= 0)
            targets(r, a + 1, in, scope);
        else
            bound_as(r, a, stop, scope);
        a = stop + 1;
    }
    while (a < r->n) {
        int semicolon = find(r, a, r->n, ";", 0), stop = semicolon < 0 ? r->n : semicolon;
        simple(r, a, stop, scope);
        a = stop + 1;
    }
}

// Whether the interpreter has code that begins with this line.
static bool leaves_code(const struct reader *r)
{
    const struct token *t = &r->tokens[0];
    if (is_word(t, "else") || is_word(t, "finally"))
        return r->n > 2;
    if (is_word(t, "global") || is_word(t, "nonlocal") || is(t, ")") || is(t, "]"))
        return false;
    if (r->n == 1 && t->kind == TOKEN_TEXT)
        return t->text.ptr[0] == 'f' || t->text.ptr[0] == 'F'; // a docstring, or something like it
    bool annotation = r->n > 2 && t->kind == TOKEN_NAME && is(&r->tokens[1], ":") && !begins_block(t);
    return !annotation || find(r, 0, r->n, "=", 0) >= 0;
}

int py_source_read(struct py_source *s, str text)
{
    static struct reader reader; // large; the helper has one thread
    struct reader *r = &reader;
    *s = (struct py_source){ .text = text };
    buf_init(&s->scopes, TABLE_MAX), buf_init(&s->names, TABLE_MAX), buf_init(&s->lines, TABLE_MAX);
    r->s = s, r->p = text.ptr, r->end = text.ptr + text.len, r->line = 1, r->n_open = 0;
    r->first = r->last = r->indent = 0;
    if (str_starts(text, STR("\xef\xbb\xbf")))
        r->p += 3;
    scope_open(r, PY_MODULE, (str){ 0 });
    while (r->n_open && logical(r)) {
        while (r->n_open > 1 && scope_at(r, r->open[r->n_open - 1])->indent >= r->indent)
            r->n_open--;
        int scope = r->open[r->n_open - 1];
        if (scope_at(r, scope)->kind == PY_FUNCTION && leaves_code(r)) {
            struct py_line line = { r->first, scope };
            buf_append(&s->lines, &line, sizeof line);
        }
        statement(r);
        for (int i = 0; i < r->n_open; i++)
            scope_at(r, r->open[i])->end = r->last;
    }
    int error = s->scopes.error ? s->scopes.error : s->names.error ? s->names.error : s->lines.error;
    if (error)
        py_source_free(s);
    return error;
}

void py_source_free(struct py_source *s) { buf_free(&s->scopes), buf_free(&s->names), buf_free(&s->lines); }

// --- questions ---

int py_qualified(const struct py_source *s, const struct py_scope *of, struct buf *out)
{
    const struct py_scope *all = (const struct py_scope *)s->scopes.ptr, *chain[NEST_MAX];
    int n = 0;
    for (; of->parent >= 0 && n < NEST_MAX; of = &all[of->parent])
        chain[n++] = of;
    while (n-- > 0) {
        buf_str(out, chain[n]->name);
        if (n)
            buf_str(out, chain[n]->kind == PY_FUNCTION ? STR(".<locals>.") : STR("."));
    }
    return out->error;
}

str py_text(const struct py_source *s, int first, int last)
{
    size_t at = 0;
    int line = 1;
    for (; at < s->text.len && line < first; at++)
        line += s->text.ptr[at] == '\n';
    size_t from = at;
    for (; at < s->text.len && line <= last; at++)
        line += s->text.ptr[at] == '\n';
    return str_slice(s->text, from, at);
}

static bool mentions(str text, str word)
{
    for (size_t at = 0; at + word.len <= text.len;) {
        ptrdiff_t found = str_find(str_slice(text, at, text.len), word);
        if (found < 0)
            return false;
        at += (size_t)found;
        bool before = at > 0 && (is_letter(text.ptr[at - 1]) || is_digit(text.ptr[at - 1]));
        size_t end = at + word.len;
        if (!before && (end == text.len || !(is_letter(text.ptr[end]) || is_digit(text.ptr[end]))))
            return true;
        at++;
    }
    return false;
}

static int scope_of_line(const struct py_source *s, int line)
{
    size_t n;
    const struct py_scope *all = py_scopes(s, &n);
    int found = 0;
    for (size_t i = 0; i < n; i++)
        if (line >= all[i].body && line <= all[i].end)
            found = (int)i;
    while (found > 0 && all[found].kind == PY_CLASS)
        found = all[found].parent;
    return found;
}

// Whether the scope has the name itself, and whether it was met before index `until`.
static bool has_name(const struct py_source *s, int scope, str name, size_t until, enum py_name_kind *ret_kind)
{
    const struct py_name *names = (const struct py_name *)s->names.ptr;
    for (size_t i = 0; i < until; i++)
        if (names[i].scope == scope && str_eq(names[i].name, name)) {
            *ret_kind = names[i].kind;
            return true;
        }
    return false;
}

int py_nearest(const struct py_source *s, int line, int *out, int most)
{
    size_t n, after = 0;
    const struct py_line *lines = py_lines(s, &n);
    int found = 0;
    while (after < n && lines[after].line < line)
        after++;
    size_t before = after;
    while (found < most && (before > 0 || after < n)) {
        bool back = after == n || (before > 0 && line - lines[before - 1].line < lines[after].line - line);
        out[found++] = back ? lines[--before].line : lines[after++].line;
        if (out[found - 1] == line)
            break;
    }
    return found;
}

static bool is_declared(const struct py_source *s, int scope, str name)
{
    const struct py_name *names = (const struct py_name *)s->names.ptr;
    for (size_t i = 0; i < s->names.len / sizeof *names; i++)
        if (names[i].scope == scope && names[i].kind == PY_DECLARED && str_eq(names[i].name, name))
            return true;
    return false;
}

void py_visible(const struct py_source *s, int line, void (*each)(void *ctx, str name, enum py_name_kind kind),
                void *ctx)
{
    const struct py_scope *scopes = (const struct py_scope *)s->scopes.ptr;
    const struct py_name *names = (const struct py_name *)s->names.ptr;
    size_t n = s->names.len / sizeof *names;
    int own = scope_of_line(s, line);
    str body = own ? py_text(s, scopes[own].body, scopes[own].end) : (str){ 0 };
    for (int at = own; at >= 0; at = scopes[at].parent) {
        if (scopes[at].kind == PY_CLASS)
            continue;
        for (size_t i = 0; i < n; i++) {
            enum py_name_kind kind;
            bool shadowed = false;
            if (names[i].scope != at || names[i].kind == PY_DECLARED || has_name(s, at, names[i].name, i, &kind) ||
                (at && is_declared(s, at, names[i].name)))
                continue;
            for (int inner = own; inner != at && !shadowed; inner = scopes[inner].parent)
                shadowed = scopes[inner].kind == PY_FUNCTION && has_name(s, inner, names[i].name, n, &kind) &&
                           kind != PY_DECLARED;
            if (shadowed || (at && at != own && !mentions(body, names[i].name)))
                continue;
            each(ctx, names[i].name, at == own && own ? names[i].kind : at ? PY_CLOSURE : PY_GLOBAL);
        }
    }
}
