#include "agent/node/scan_internal.h"

#include <stdlib.h>

static void keyword_or_expr(struct scanner *s);
static bool declares_function(struct scanner *s);
static void function_declaration(struct scanner *s);

// --- statements ---

static void end_of_statement(struct scanner *s)
{
    if (js_eat(s, ";") || js_is(s, "}") || s->t == T_END || s->newline)
        return;
    js_fail(s, ERR_MALFORMED);
}

static void declarations(struct scanner *s, unsigned flags)
{
    bool hoisted = js_word(s, "var"), constant = js_word(s, "const");
    uint32_t scope = hoisted ? js_var_scope(s) : s->scope;
    js_next(s);
    do {
        uint32_t first = s->out->n_names;
        js_binding(s, hoisted ? SCAN_VAR : SCAN_LET, scope);
        uint32_t last = s->out->n_names;
        if (js_is(s, "=")) {
            str name = s->quiet || last != first + 1 ? (str){ 0 } : s->out->names[first].name;
            js_next(s);
            s->pending = name;
            js_expr(s, NO_COMMA | flags);
        }
        for (uint32_t i = first; i < last && !s->quiet; i++)
            s->out->names[i].from = s->last_end, s->out->names[i].constant = constant;
    } while (!s->rc && js_eat(s, ","));
}

static void sub_statement(struct scanner *s) { js_statement(s, false); }

static void head(struct scanner *s)
{
    js_want(s, "(");
    js_expr(s, 0);
    js_want(s, ")");
}

static bool begins_declaration(struct scanner *s)
{
    if (js_word(s, "var") || js_word(s, "const"))
        return true;
    if (!js_word(s, "let"))
        return false;
    struct scanner saved = *s;
    js_next(s);
    bool yes = (s->t == T_NAME && !js_word(s, "in") && !js_word(s, "instanceof") && !js_word(s, "of")) ||
               js_is(s, "[") || js_is(s, "{");
    *s = saved;
    return yes;
}

static void for_statement(struct scanner *s)
{
    uint32_t before = js_block_begin(s);
    js_next(s);
    if (js_word(s, "await"))
        js_next(s);
    js_want(s, "(");
    if (begins_declaration(s))
        declarations(s, NO_IN);
    else if (!js_is(s, ";"))
        js_expr(s, NO_IN);
    if (js_word(s, "of") || js_word(s, "in")) {
        js_next(s);
        js_expr(s, 0);
    } else {
        js_want(s, ";");
        if (!js_is(s, ";"))
            js_expr(s, 0);
        js_want(s, ";");
        if (!js_is(s, ")"))
            js_expr(s, 0);
    }
    js_want(s, ")");
    sub_statement(s);
    s->scope = before;
}

static void switch_statement(struct scanner *s)
{
    js_next(s);
    head(s);
    uint32_t before = js_block_begin(s);
    if (!s->quiet && !s->rc)
        s->out->scopes[s->scope].cases = true;
    js_want(s, "{");
    while (!s->rc && !js_is(s, "}")) {
        if (js_word(s, "case")) {
            js_next(s);
            js_expr(s, 0);
            js_want(s, ":");
        } else if (js_word(s, "default")) {
            js_next(s);
            js_want(s, ":");
        } else {
            js_statement(s, true);
        }
    }
    js_want(s, "}");
    s->scope = before;
}

static void try_statement(struct scanner *s)
{
    js_next(s);
    js_block(s);
    if (js_word(s, "catch")) {
        uint32_t before = js_block_begin(s);
        js_next(s);
        if (js_eat(s, "(")) {
            js_binding(s, SCAN_VAR, s->scope);
            js_want(s, ")");
        }
        js_block(s);
        s->scope = before;
    }
    if (js_word(s, "finally")) {
        js_next(s);
        js_block(s);
    }
}

// Behind `import`, which is no call and no import.meta.
static void import_names(struct scanner *s)
{
    while (!s->rc && s->t != T_STRING) {
        if (s->t == T_NAME && !js_word(s, "from") && !js_word(s, "as") && !js_word(s, "type")) {
            str name = js_token_text(s);
            js_next(s);
            if (js_word(s, "as")) {
                js_next(s);
                name = js_token_text(s);
                js_next(s);
            }
            js_declare(s, name, SCAN_VAR, s->scope, 0);
        } else if (s->t == T_END || js_is(s, ";")) {
            return;
        } else {
            js_next(s);
        }
    }
    js_next(s);
    if (js_word(s, "with") || js_word(s, "assert")) {
        js_next(s);
        if (js_is(s, "{"))
            js_object(s);
    }
}

static void export_rest(struct scanner *s)
{
    if (js_word(s, "default")) {
        js_next(s);
        if (declares_function(s))
            function_declaration(s);
        else if (js_word(s, "class"))
            keyword_or_expr(s);
        else
            js_expr(s, NO_COMMA), end_of_statement(s);
    } else if (js_is(s, "{") || js_is(s, "*")) {
        while (!s->rc && s->t != T_END && !js_is(s, ";")) {
            bool from = js_word(s, "from");
            js_next(s);
            if (from) {
                js_next(s);
                break;
            }
            if (s->newline && s->t != T_STRING && s->text.ptr[s->last_end - 1] == '}' && !js_word(s, "from"))
                break;
        }
        js_eat(s, ";");
    } else if (declares_function(s)) {
        function_declaration(s);
    } else {
        keyword_or_expr(s);
    }
}

static bool declares_function(struct scanner *s)
{
    if (js_word(s, "function"))
        return true;
    if (!js_word(s, "async"))
        return false;
    struct scanner saved = *s;
    js_next(s);
    bool yes = js_word(s, "function") && !s->newline;
    *s = saved;
    return yes;
}

static void function_declaration(struct scanner *s)
{
    uint32_t start = s->start;
    if (js_word(s, "async"))
        js_next(s);
    js_next(s);
    js_eat(s, "*");
    str name = { 0 };
    if (s->t == T_NAME) {
        name = js_token_text(s);
        js_declare(s, name, SCAN_VAR, s->scope, 0);
        js_next(s);
    }
    js_function_rest(s, SCAN_FUNCTION, start, name);
}

static bool is_label(struct scanner *s)
{
    if (s->t != T_NAME)
        return false;
    struct scanner saved = *s;
    js_next(s);
    bool yes = js_is(s, ":");
    *s = saved;
    return yes;
}

static void keyword_or_expr(struct scanner *s)
{
    if (begins_declaration(s)) {
        declarations(s, 0);
        end_of_statement(s);
    } else if (js_word(s, "class")) {
        uint32_t start = s->start, first = s->out->n_names;
        js_next(s);
        if (s->t == T_NAME && !js_word(s, "extends"))
            js_declare(s, js_token_text(s), SCAN_LET, s->scope, 0);
        bool named = !s->quiet && s->out->n_names == first + 1;
        js_class_rest(s, start);
        if (named && !s->rc)
            s->out->names[first].from = s->last_end;
    } else if (js_word(s, "if")) {
        js_next(s);
        head(s);
        sub_statement(s);
        if (js_word(s, "else")) {
            js_next(s);
            sub_statement(s);
        }
    } else if (js_word(s, "for")) {
        for_statement(s);
    } else if (js_word(s, "while") || js_word(s, "with")) {
        js_next(s);
        head(s);
        sub_statement(s);
    } else if (js_word(s, "do")) {
        js_next(s);
        sub_statement(s);
        if (!js_word(s, "while"))
            js_fail(s, ERR_MALFORMED);
        js_next(s);
        head(s);
        js_eat(s, ";");
    } else if (js_word(s, "switch")) {
        switch_statement(s);
    } else if (js_word(s, "try")) {
        try_statement(s);
    } else if (js_word(s, "return") || js_word(s, "throw") || js_word(s, "break") || js_word(s, "continue") ||
               js_word(s, "debugger")) {
        struct scan_return r = { .at = s->start, .scope = s->scope };
        bool is_return = js_word(s, "return");
        js_next(s);
        if (!s->newline && !js_is(s, ";") && !js_is(s, "}") && s->t != T_END) {
            js_expr(s, 0);
            r.value = s->tail;
        }
        end_of_statement(s);
        r.end = s->last_end;
        if (is_return)
            js_return_new(s, r);
    } else {
        js_expr(s, 0);
        end_of_statement(s);
    }
}

// list: it stands in one, so that another statement may stand in front.
void js_statement(struct scanner *s, bool list)
{
    if (!js_deeper(s)) {
        s->depth--;
        return;
    }
    if (js_is(s, "{")) {
        js_block(s);
    } else if (js_is(s, ";")) {
        js_next(s);
    } else if (declares_function(s)) {
        function_declaration(s);
    } else if (js_word(s, "import") && s->scope == 0) {
        struct scanner saved = *s;
        js_next(s);
        bool call = js_is(s, "(") || js_is(s, ".");
        *s = call ? saved : *s;
        if (call)
            js_expr(s, 0);
        else
            import_names(s);
        end_of_statement(s);
    } else if (js_word(s, "export") && s->scope == 0) {
        js_next(s);
        export_rest(s);
    } else if (is_label(s)) {
        js_next(s);
        js_next(s);
        if (js_is(s, "{") || is_label(s) || declares_function(s))
            js_statement(s, list);
        else
            keyword_or_expr(s); // no place: `continue label` must find its loop right behind the label
    } else {
        uint32_t p = js_place_new(s, list ? SCAN_STATEMENT : SCAN_BODY, list);
        keyword_or_expr(s);
        if (p != NONE && !s->rc)
            s->out->places[p].end = s->last_end;
    }
    s->depth--;
}

static void body_begins(struct scanner *s)
{
    if (!s->quiet && !s->rc)
        s->out->functions[js_function_now(s)].body = s->start;
}

// directives: it is a function's body, or the program.
void js_statements(struct scanner *s, bool directives)
{
    while (!s->rc && s->t != T_END && !js_is(s, "}")) {
        if (directives && s->t == T_STRING) {
            struct scanner saved = *s;
            js_next(s);
            if (js_is(s, ";") || js_is(s, "}") || s->newline) {
                js_eat(s, ";");
                continue;
            }
            *s = saved;
        }
        if (directives)
            body_begins(s);
        directives = false;
        js_statement(s, true);
    }
    if (directives)
        body_begins(s);
}

// --- results ---

static int by_offset(const void *a, const void *b)
{
    const struct scan_place *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static void number_lines(struct scan *s)
{
    uint32_t line = 1, begin = 0, at = 0;
    if (s->n_places)
        qsort(s->places, s->n_places, sizeof *s->places, by_offset);
    for (uint32_t i = 0; i < s->n_places; i++) {
        for (; at < s->places[i].at; at++)
            if (s->text.ptr[at] == '\n')
                line++, begin = at + 1;
        s->places[i].line = line;
        s->places[i].column = s->places[i].at - begin + 1;
    }
    line = 1, at = 0;
    for (uint32_t i = 0; i < s->n_functions; i++) { // these begin in order
        for (; at < s->functions[i].start; at++)
            line += s->text.ptr[at] == '\n';
        s->functions[i].line = line;
    }
}

static uint32_t line_of(str text, uint32_t at)
{
    uint32_t line = 1;
    for (uint32_t i = 0; i < at && i < text.len; i++)
        line += text.ptr[i] == '\n';
    return line;
}

int js_source(str text, struct arena *arena, struct scan *ret, struct err *err)
{
    struct scan out = { .text = text };
    struct scanner s = { .text = text, .arena = arena, .out = &out, .scope = NONE };
    uint32_t before;
    if (text.len > SCAN_SOURCE_MAX)
        return err_set(err, ERR_LIMIT, "too_large", "the file is larger than %d MiB", SCAN_SOURCE_MAX >> 20);
    if (str_starts(text, STR("#!")))
        while (s.at < text.len && text.ptr[s.at] != '\n')
            s.at++;
    js_function_begin(&s, SCAN_PROGRAM, 0, (str){ 0 }, &before);
    js_next(&s);
    js_statements(&s, true);
    if (!s.rc && s.t != T_END)
        js_fail(&s, ERR_MALFORMED);
    if (s.rc) {
        err_set(err, s.rc, "not_understood", "the file is not understood at line %u", line_of(text, s.failed));
        return s.rc;
    }
    out.functions[0].end = (uint32_t)text.len;
    // Entries are indexes until the places are sorted: from here on they are offsets.
    for (uint32_t i = 0; i < out.n_functions; i++)
        if (out.functions[i].entry != NONE)
            out.functions[i].entry = out.places[out.functions[i].entry].at;
    number_lines(&out);
    *ret = out;
    return 0;
}

const struct scan_place *js_place_of(const struct scan *s, uint32_t line, uint32_t column)
{
    const struct scan_place *first = NULL;
    for (uint32_t i = 0; i < s->n_places; i++) {
        const struct scan_place *p = &s->places[i];
        if (p->line != line || (column && p->column < column))
            continue;
        if (s->scopes[p->scope].function != 0)
            return p;
        if (!first)
            first = p;
    }
    return first;
}

static bool begins_loop(str text, uint32_t at)
{
    static const char *const words[] = { "for", "while", "do" };
    str rest = str_slice(text, at, text.len);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (str_starts(rest, str_z(words[i])) && rest.len > n && !js_name_byte((unsigned char)rest.ptr[n]))
            return true;
    }
    return false;
}

const struct scan_place *js_loop_around(const struct scan *s, const struct scan_place *at)
{
    for (const struct scan_place *p = s->places; s->scopes[at->scope].function == 0 && p < at; p++)
        if (p->end > at->at && s->scopes[p->scope].function == 0 && begins_loop(s->text, p->at))
            return p;
    return NULL;
}

bool js_mentions(str text, uint32_t start, uint32_t end, str name)
{
    str part = str_slice(text, start, end);
    for (ptrdiff_t at; (at = str_find(part, name)) >= 0; part = str_slice(part, (size_t)at + 1, part.len)) {
        size_t after = (size_t)at + name.len;
        int before = at > 0 ? (unsigned char)part.ptr[at - 1] : ' ';
        int behind = after < part.len ? (unsigned char)part.ptr[after] : ' ';
        if (!js_name_byte(before) && !js_name_byte(behind) && (before != '.' || (at > 1 && part.ptr[at - 2] == '.')))
            return true;
    }
    return false;
}

static const struct scan_name *visible(const struct scan *s, const struct scan_place *at, str name, bool original)
{
    for (uint32_t scope = at->scope; scope != NONE; scope = s->scopes[scope].parent) {
        const struct scan_name *found = NULL;
        for (uint32_t i = 0; i < s->n_names; i++) {
            const struct scan_name *n = &s->names[i];
            str known = original && n->original.len ? n->original : n->name;
            if (n->scope == scope && str_eq(known, name) && (!found || found->kind == SCAN_LET))
                found = n;
        }
        if (found)
            return found;
    }
    return NULL;
}

const struct scan_name *js_visible(const struct scan *s, const struct scan_place *at, str name)
{
    return visible(s, at, name, false);
}

const struct scan_name *js_known(const struct scan *s, const struct scan_place *at, str name)
{
    return visible(s, at, name, true);
}
