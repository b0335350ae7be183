// Expressions: skimmed, for the functions and classes in them.
#include "agent/node/scan_internal.h"

// --- expressions ---

bool js_deeper(struct scanner *s)
{
    if (++s->depth > SCAN_DEPTH_MAX)
        js_fail(s, ERR_LIMIT);
    return !s->rc;
}

// The current token is the '`'.
void js_template(struct scanner *s)
{
    uint32_t at = s->start;
    s->at = at + 1;
    while (!s->rc && js_deeper(s)) {
        while (s->at < s->text.len && js_peek(s, 0) != '`' && !(js_peek(s, 0) == '$' && js_peek(s, 1) == '{'))
            s->at += js_peek(s, 0) == '\\' ? 2 : 1;
        s->depth--;
        if (s->at >= s->text.len) {
            js_fail(s, ERR_MALFORMED);
            return;
        }
        if (js_peek(s, 0) == '`') {
            s->at++;
            s->end = s->at;
            js_next(s);
            return;
        }
        s->at += 2;
        js_next(s);
        s->depth++;
        js_expr(s, 0);
        s->depth--;
        if (!js_is(s, "}"))
            js_fail(s, ERR_MALFORMED);
        else
            s->at = s->end;
    }
}

void js_block(struct scanner *s)
{
    uint32_t before = js_block_begin(s);
    js_want(s, "{");
    js_statements(s, false);
    js_want(s, "}");
    s->scope = before;
}

void js_key(struct scanner *s)
{
    if (js_is(s, "[")) {
        js_next(s);
        js_expr(s, NO_COMMA);
        js_want(s, "]");
    } else if (s->t == T_NAME || s->t == T_STRING || s->t == T_NUMBER || s->t == T_PRIVATE) {
        js_next(s);
    } else {
        js_fail(s, ERR_MALFORMED);
    }
}

void js_binding(struct scanner *s, enum scan_name_kind kind, uint32_t scope)
{
    if (!js_deeper(s))
        return;
    if (s->t == T_NAME) {
        js_declare(s, js_token_text(s), kind, scope, 0);
        js_next(s);
    } else if (js_eat(s, "[")) {
        while (!s->rc && !js_is(s, "]")) {
            if (js_eat(s, ","))
                continue;
            js_eat(s, "...");
            js_binding(s, kind, scope);
            if (js_eat(s, "="))
                js_expr(s, NO_COMMA);
            if (!js_is(s, "]"))
                js_want(s, ",");
        }
        js_want(s, "]");
    } else if (js_eat(s, "{")) {
        while (!s->rc && !js_is(s, "}")) {
            if (js_eat(s, "...")) {
                js_binding(s, kind, scope);
            } else {
                str name = s->t == T_NAME ? js_token_text(s) : (str){ 0 };
                js_key(s);
                if (js_eat(s, ":"))
                    js_binding(s, kind, scope);
                else
                    js_declare(s, name, kind, scope, 0);
                if (js_eat(s, "="))
                    js_expr(s, NO_COMMA);
            }
            if (!js_is(s, "}"))
                js_want(s, ",");
        }
        js_want(s, "}");
    } else {
        js_fail(s, ERR_MALFORMED);
    }
    s->depth--;
}

static void parameters(struct scanner *s)
{
    while (!s->rc && !js_is(s, ")")) {
        js_eat(s, "...");
        js_binding(s, SCAN_ARG, s->scope);
        if (js_eat(s, "="))
            js_expr(s, NO_COMMA);
        if (!js_is(s, ")"))
            js_want(s, ",");
    }
    js_want(s, ")");
}

void js_body(struct scanner *s)
{
    js_want(s, "{");
    js_statements(s, true);
    if (!s->quiet && !s->rc)
        s->out->functions[js_function_now(s)].close = s->start,
        s->out->functions[js_function_now(s)].last = s->last_end;
    js_want(s, "}");
}

// At the '('.
void js_function_rest(struct scanner *s, enum scan_function_kind kind, uint32_t start, str name)
{
    uint32_t before, f = js_function_begin(s, kind, start, name, &before);
    if (js_deeper(s)) {
        js_want(s, "(");
        parameters(s);
        js_body(s);
    }
    s->depth--;
    js_function_end(s, f, before);
}

// At `function`.
static void function_expr(struct scanner *s, uint32_t start)
{
    str name = s->pending;
    js_next(s);
    js_eat(s, "*");
    if (s->t == T_NAME) {
        name = js_token_text(s);
        js_next(s);
    }
    js_function_rest(s, SCAN_FUNCTION, start, name);
}

// At the parameters: one name, or '('.
static void arrow(struct scanner *s, uint32_t start, unsigned flags)
{
    str name = s->pending;
    uint32_t before, f = js_function_begin(s, SCAN_ARROW, start, name, &before);
    if (!js_deeper(s))
        return;
    if (js_eat(s, "("))
        parameters(s);
    else
        js_binding(s, SCAN_ARG, s->scope);
    js_want(s, "=>");
    if (js_is(s, "{")) {
        js_body(s);
    } else {
        uint32_t p = js_place_new(s, SCAN_EXPR, true);
        if (!s->quiet && !s->rc)
            s->out->functions[f].kind = SCAN_ARROW_EXPR;
        js_expr(s, NO_COMMA | (flags & NO_IN));
        if (p != NONE && !s->rc)
            s->out->places[p].end = s->last_end;
    }
    s->depth--;
    js_function_end(s, f, before);
}

static struct memo *memo_at(struct scanner *s, uint32_t at)
{
    if (!s->cap_memo)
        return NULL;
    for (uint32_t i = at * 2654435761u;; i++) {
        struct memo *m = &s->memo[i & (s->cap_memo - 1)];
        if (m->at == at + 1 || !m->at)
            return m;
    }
}

static void memo_put(struct scanner *s, uint32_t at, bool yes)
{
    if (s->n_memo * 2 >= s->cap_memo) {
        struct memo *old = s->memo;
        uint32_t n = s->cap_memo;
        s->memo = arena_alloc_array(s->arena, n ? n * 2 : 256, sizeof *s->memo);
        if (!s->memo) {
            s->memo = old;
            js_fail(s, ERR_NOMEM);
            return;
        }
        s->cap_memo = n ? n * 2 : 256;
        memset(s->memo, 0, s->cap_memo * sizeof *s->memo);
        for (uint32_t i = 0; i < n; i++)
            if (old[i].at)
                *memo_at(s, old[i].at - 1) = old[i];
    }
    struct memo *m = memo_at(s, at);
    if (!m->at)
        s->n_memo++;
    *m = (struct memo){ at + 1, yes };
}

// At '(': the parameters of an arrow function? Looked at once; the inner ones are known then.
static bool arrow_follows(struct scanner *s)
{
    struct memo *m = memo_at(s, s->start);
    if (m && m->at)
        return m->arrow;
    uint32_t at = s->start;
    struct scanner saved = *s;
    s->quiet++;
    js_next(s);
    while (!s->rc && !js_is(s, ")")) {
        if (js_eat(s, ",") || js_eat(s, "..."))
            continue;
        js_expr(s, 0);
    }
    js_next(s);
    bool yes = js_is(s, "=>") && !s->newline && !s->rc;
    if (!s->rc)
        memo_put(s, at, yes);
    if (s->rc)
        return false;
    saved.memo = s->memo, saved.cap_memo = s->cap_memo, saved.n_memo = s->n_memo;
    *s = saved;
    return yes;
}

static void list_until(struct scanner *s, const char *close)
{
    while (!s->rc && !js_is(s, close)) {
        if (js_eat(s, ",") || js_eat(s, "..."))
            continue;
        js_expr(s, NO_COMMA);
        if (!js_is(s, close) && !js_is(s, ","))
            js_fail(s, ERR_MALFORMED);
    }
    js_want(s, close);
}

// A method or property behind its modifiers, of an object literal or a class. True: a member was read whole.
static void member(struct scanner *s, bool of_class, str owner)
{
    uint32_t start = s->start;
    static const char *const modifiers[] = { "static", "async", "get", "set", "accessor", NULL };
    str name = { 0 };
    for (;;) {
        if (js_eat(s, "*"))
            continue;
        name = s->t == T_NAME || s->t == T_PRIVATE ? js_token_text(s) : (str){ 0 };
        bool modifier = js_word_of(s, modifiers);
        bool is_static = js_word(s, "static");
        js_key(s);
        if (s->rc)
            return;
        if (modifier && is_static && of_class && js_is(s, "{")) {
            uint32_t before, f = js_function_begin(s, SCAN_INITIALIZER, start, name, &before);
            js_body(s);
            js_function_end(s, f, before);
            return;
        }
        bool goes_on = s->t == T_NAME || s->t == T_STRING || s->t == T_NUMBER || s->t == T_PRIVATE || js_is(s, "[") ||
                       js_is(s, "*");
        if (!modifier || !goes_on)
            break;
    }
    if (js_is(s, "(")) {
        s->owner = owner;
        js_function_rest(s, SCAN_METHOD, start, name);
    } else if (of_class) {
        if (js_eat(s, "=")) {
            uint32_t before, f = js_function_begin(s, SCAN_INITIALIZER, s->start, name, &before);
            s->pending = name, s->owner = owner;
            js_expr(s, NO_COMMA);
            s->owner = (str){ 0 };
            js_function_end(s, f, before);
        }
        js_eat(s, ";");
    } else if (js_eat(s, ":") || js_eat(s, "=")) {
        s->pending = name, s->owner = owner;
        js_expr(s, NO_COMMA);
        s->owner = (str){ 0 };
    }
}

void js_object(struct scanner *s)
{
    str name = s->pending;
    s->pending = s->owner = (str){ 0 };
    js_want(s, "{");
    while (!s->rc && !js_is(s, "}")) {
        if (js_eat(s, "..."))
            js_expr(s, NO_COMMA);
        else
            member(s, false, name);
        if (!js_is(s, "}"))
            js_want(s, ",");
    }
    js_want(s, "}");
}

// Behind `class`.
void js_class_rest(struct scanner *s, uint32_t start)
{
    str name = s->pending;
    s->pending = s->owner = (str){ 0 };
    if (s->t == T_NAME && !js_word(s, "extends")) {
        name = js_token_text(s);
        js_next(s);
    }
    if (js_word(s, "extends")) {
        js_next(s);
        js_expr(s, NO_COMMA);
    }
    js_want(s, "{");
    while (!s->rc && !js_is(s, "}"))
        if (!js_eat(s, ";"))
            member(s, true, name);
    js_want(s, "}");
}

// One operand, up to where an operator may stand. False: a prefix was read, and the operand follows.
static bool operand(struct scanner *s, unsigned flags)
{
    static const char *const prefixes[] = { "typeof", "void", "delete", "await", "new", NULL };
    uint32_t start = s->start;
    if (s->t == T_PUNCT) {
        char c = s->text.ptr[s->start];
        if (c == '/') {
            js_rescan_regex(s);
            js_next(s);
            return true;
        }
        if (js_is(s, "(")) {
            if (arrow_follows(s)) {
                arrow(s, start, flags);
                return true;
            }
            js_next(s);
            s->pending = (str){ 0 };
            js_expr(s, 0);
            js_want(s, ")");
            return true;
        }
        if (js_is(s, "[")) {
            js_next(s);
            list_until(s, "]");
            return true;
        }
        if (js_is(s, "{")) {
            js_object(s);
            return true;
        }
        if (js_is(s, "!") || js_is(s, "~") || js_is(s, "+") || js_is(s, "-") || js_is(s, "++") || js_is(s, "--") ||
            js_is(s, "@")) {
            js_next(s);
            return false;
        }
        js_fail(s, ERR_MALFORMED);
        return true;
    }
    if (s->t == T_TEMPLATE) {
        js_template(s);
        return true;
    }
    if (s->t == T_END) {
        js_fail(s, ERR_MALFORMED);
        return true;
    }
    if (js_word(s, "function")) {
        function_expr(s, start);
        return true;
    }
    if (js_word(s, "class")) {
        js_next(s);
        js_class_rest(s, start);
        return true;
    }
    if (js_word(s, "yield")) {
        js_next(s);
        js_eat(s, "*");
        bool ends = s->newline || s->t == T_END || (s->t == T_PUNCT && strchr(")]},;:", s->text.ptr[s->start]));
        return ends;
    }
    if (js_word_of(s, prefixes)) {
        bool is_new = js_word(s, "new");
        js_next(s);
        return is_new && js_is(s, "."); // new.target
    }
    // A name or literal; `async x =>`, `async (x) =>`, `async function`, `x =>`.
    struct scanner saved = *s;
    bool is_async = js_word(s, "async"), is_name = s->t == T_NAME;
    str pending = s->pending;
    js_next(s);
    if (is_async && !s->newline) {
        if (js_word(s, "function")) {
            function_expr(s, start);
            return true;
        }
        s->pending = pending;
        if (js_is(s, "(") && arrow_follows(s)) {
            arrow(s, start, flags);
            return true;
        }
        if (s->t == T_NAME && !js_word(s, "in") && !js_word(s, "of") && !js_word(s, "instanceof")) {
            arrow(s, start, flags);
            return true;
        }
    }
    if (is_name && js_is(s, "=>") && !s->newline) {
        *s = saved;
        s->pending = pending;
        arrow(s, start, flags);
        return true;
    }
    s->pending = (str){ 0 };
    return true;
}

// What may follow an operand. 1: another operand, 0: nothing, this is one still, -1: the expression ends.
static int operator(struct scanner *s, unsigned flags)
{
    if (s->t == T_TEMPLATE) {
        js_template(s);
        return 0;
    }
    if (s->t == T_NAME) {
        if (!js_word(s, "instanceof") && (!js_word(s, "in") || (flags & NO_IN)))
            return -1;
        js_next(s);
        return 1;
    }
    if (s->t != T_PUNCT)
        return -1;
    if (js_is(s, ".") || js_is(s, "?.")) {
        bool soft = js_is(s, "?.");
        js_next(s);
        if (s->t == T_NAME || s->t == T_PRIVATE)
            js_next(s);
        else if (!soft)
            js_fail(s, ERR_MALFORMED);
        return 0;
    }
    if (js_eat(s, "(")) {
        list_until(s, ")");
        return 0;
    }
    if (js_eat(s, "[")) {
        js_expr(s, 0);
        js_want(s, "]");
        return 0;
    }
    if (js_is(s, "++") || js_is(s, "--")) {
        if (s->newline)
            return -1;
        js_next(s);
        return 0;
    }
    if (js_is(s, ",")) {
        if (flags & NO_COMMA)
            return -1;
        js_next(s);
        return 1;
    }
    if (js_eat(s, "?")) {
        js_expr(s, NO_COMMA);
        js_want(s, ":");
        return 1;
    }
    if (strchr(";)]}:{", s->text.ptr[s->start]) || js_is(s, "=>") || js_is(s, "...") || js_is(s, "!") ||
        js_is(s, "~") || js_is(s, "@") || js_is(s, "#"))
        return -1;
    js_next(s);
    return 1;
}

void js_expr(struct scanner *s, unsigned flags)
{
    if (!js_deeper(s)) {
        s->depth--;
        return;
    }
    uint32_t tail = s->start;
    for (int more = 1; more >= 0 && !s->rc;) {
        while (!s->rc && !operand(s, flags)) {}
        s->pending = (str){ 0 };
        bool comma;
        do {
            comma = js_is(s, ",");
            more = s->rc ? -1 : operator(s, flags);
        } while (more == 0);
        if (more == 1 && comma)
            tail = s->start;
    }
    s->tail = tail;
    s->depth--;
}
