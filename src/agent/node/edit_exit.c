// Exits of functions. In front of what a `return` returns stands `__clew.h(..).v=`: an assignment, whose value is what is assigned, to a setter that is
// told of it. Around the body of a function whose '}' has a line of its own stands a `try` whose `catch` throws on what it has caught.
//
// What is put in is text that V8's comparison with the old text does not take for the end of a function: that goes character by character through a
// changed line, and takes the first '}' or ')' that it meets for the one that was there. A function that it loses in this way keeps its old code, and no
// error says so. So nothing is closed behind a returned value, and braces stand only in lines in which no function around them ends.
#include "agent/node/edit_internal.h"

#include <stdio.h>

bool edit_is_exit(const struct probe *p)
{
    const struct probe_where *w = &p->where;
    return (w->kind == PROBE_AT_FUNCTION && w->point != PROBE_ENTRY) ||
           (w->kind == PROBE_AT_EXCEPTION && w->function.len && w->file.len);
}

static bool by_exception_alone(const struct probe *p)
{
    return p->where.point == PROBE_THROW || p->where.kind == PROBE_AT_EXCEPTION;
}

static uint32_t find(const struct scan *s, const struct edit_probe *e)
{
    uint32_t i = 0;
    while ((i = edit_function(s, e, i + 1)) != 0 && s->functions[i].kind == SCAN_INITIALIZER) {}
    return i;
}

static bool has_own_line(const struct scan *s, const struct scan_function *f)
{
    uint32_t at = f->close;
    while (at > f->last && (s->text.ptr[at - 1] == ' ' || s->text.ptr[at - 1] == '\t'))
        at--;
    return f->close && at > f->last && s->text.ptr[at - 1] == '\n';
}

int edit_exit_place(const struct scan *s, struct edit_probe *e, struct arena *arena, struct err *err)
{
    e->function = find(s, e);
    if (!e->function)
        return err_set(err, ERR_NOENT, "no_such_function", "the file has no such function with code in it");
    const struct scan_function *f = &s->functions[e->function];
    if (!has_own_line(s, f) && by_exception_alone(e->probe))
        return err_set(err, ERR_UNSUPPORTED, "unsupported",
                       "what a function throws can be seen in Node when its closing brace has a line of its own");
    if (!f->close && e->probe->kind == PROBE_TIMER)
        return err_set(err, ERR_UNSUPPORTED, "unsupported", "a function without braces is not measured in Node");
    struct scan_place *at = arena_alloc(arena, sizeof *at);
    if (!at)
        return err_set(err, ERR_NOMEM, "error", "there is not enough memory");
    *at = (struct scan_place){ .at = f->close ? f->body : f->start, .line = f->line, .scope = f->scope };
    e->place = at;
    return 0;
}

static const struct scan_place *expression_of(const struct scan *s, uint32_t function)
{
    for (uint32_t i = 0; i < s->n_places; i++)
        if (s->places[i].form == SCAN_EXPR && s->scopes[s->places[i].scope].function == function)
            return &s->places[i];
    return NULL;
}

static struct scan_place end_site(const struct scan_function *f)
{
    return (struct scan_place){ .at = f->close, .scope = f->scope };
}
static struct scan_place throw_site(const struct scan_function *f)
{
    return (struct scan_place){ .at = f->body, .scope = f->scope };
}
static struct scan_place return_site(const struct scan_return *r)
{
    return (struct scan_place){ .at = r->at, .scope = r->scope, .form = SCAN_EXPR };
}

bool edit_exit_site(const struct scan *s, const struct edit_probe *e, uint32_t i, struct scan_place *ret)
{
    const struct scan_function *f = &s->functions[e->function];
    if (!f->close) {
        const struct scan_place *p = i == 0 ? expression_of(s, e->function) : NULL;
        if (p)
            *ret = *p;
        return p;
    }
    if (i == 0)
        *ret = throw_site(f);
    else if (by_exception_alone(e->probe))
        return false;
    else if (i == 1)
        *ret = end_site(f);
    if (i < 2)
        return true;
    for (uint32_t k = 0, n = 2; k < s->n_returns; k++)
        if (s->scopes[s->returns[k].scope].function == e->function && n++ == i) {
            *ret = return_site(&s->returns[k]);
            return true;
        }
    return false;
}

static bool is_around(const struct scan *s, uint32_t function, const struct scan_name *n)
{
    const struct scan_function *f = &s->functions[function];
    return s->scopes[n->scope].function != function && js_mentions(s->text, f->start, f->end, n->name);
}

bool edit_shadowed(const struct scan *s, uint32_t function, const struct scan_name *n)
{
    const struct scan_function *f = &s->functions[function];
    if (!n->constant || !has_own_line(s, f))
        return false;
    return is_around(s, function, n) || (n->scope == f->scope && n->from > f->body);
}

// --- the text ---

static void arguments(const struct scan *s, struct edit_probe *e, const struct scan_place *site, struct buf *out)
{
    for (uint32_t i = 0; i < e->n_names; i++) {
        str name = e->names[i].name;
        const struct scan_name *n = js_visible(s, site, name);
        if (str_eq(name, STR("this")) || (n && edit_readable(s, site, n)))
            buf_printf(out, ",%.*s", STR_ARG(name));
        else if (n && edit_shadowed(s, e->function, n))
            buf_printf(out, ",__clew%uc%u", e->slot, i);
        else
            buf_str(out, STR(",__clew.z"));
    }
}

static void event(const struct scan *s, struct edit_probe *e, const char *what, const struct scan_place *site,
                  struct buf *out)
{
    buf_printf(out, "try{__clew.p%u&&__clew.p%u(%s,__clew%ut", e->slot, e->slot, what, e->slot);
    arguments(s, e, site, out);
    buf_str(out, STR(")}catch{}"));
}

// site: of what is returned, which begins at `at`.
static void value_write(const struct scan *s, struct edit_probe *e, const struct scan_place *site, uint32_t at,
                        struct edit_pieces *p)
{
    buf_printf(&p->text, "__clew.h(__clew.p%u,", e->slot);
    if (s->functions[e->function].close)
        buf_printf(&p->text, "__clew%ut", e->slot);
    else
        buf_str(&p->text, STR("0"));
    arguments(s, e, site, &p->text);
    buf_str(&p->text, STR(").v="));
    edit_piece_put(p, at, EDIT_VALUE, 0, e->slot);
}

static void return_write(const struct scan *s, struct edit_probe *e, const struct scan_return *r, struct edit_pieces *p)
{
    struct scan_place site = return_site(r);
    if (r->value) {
        value_write(s, e, &site, r->value, p);
        return;
    }
    buf_printf(&p->text, " __clew.w(__clew.p%u,__clew%ut", e->slot, e->slot);
    arguments(s, e, &site, &p->text);
    buf_str(&p->text, STR(")"));
    edit_piece_put(p, r->at + (uint32_t)strlen("return"), EDIT_VALUE, 0, e->slot);
}

static const struct scan_name *shadow_of(const struct scan *s, const struct edit_probe *e, uint32_t i)
{
    struct scan_place site;
    for (uint32_t k = 0; edit_exit_site(s, e, k, &site); k++) {
        const struct scan_name *n = js_visible(s, &site, e->names[i].name);
        if (n && edit_shadowed(s, e->function, n))
            return n;
    }
    return NULL;
}

// Behind the statement that makes a constant.
static void shadow_write(const struct scan *s, struct edit_probe *e, uint32_t i, const struct scan_name *n,
                         struct edit_pieces *p)
{
    for (uint32_t k = 0; k < s->n_places; k++) {
        const struct scan_place *at = &s->places[k];
        if (at->scope != n->scope || at->form != SCAN_STATEMENT || at->at >= n->from || at->end < n->from)
            continue;
        buf_printf(&p->text, ";__clew%uc%u=%.*s;", e->slot, i, STR_ARG(n->name));
        edit_piece_put(p, at->end, EDIT_SHADOW, at->at, e->slot);
        return;
    }
}

static void open_write(const struct scan *s, struct edit_probe *e, struct edit_pieces *p)
{
    const struct scan_function *f = &s->functions[e->function];
    struct buf *out = &p->text;
    bool all = has_own_line(s, f);
    unsigned n = e->slot;
    buf_printf(out, "let __clew%ut=__clew.p%u?__clew.n():0", n, n);
    for (uint32_t i = 0; all && i < e->n_names; i++)
        if (shadow_of(s, e, i))
            buf_printf(out, ",__clew%uc%u=__clew.z", n, i);
    buf_str(out, STR(";"));
    for (uint32_t i = 0; all && i < e->n_names; i++) {
        const struct scan_name *name = shadow_of(s, e, i);
        if (name && is_around(s, e->function, name))
            buf_printf(out, "try{__clew%uc%u=%.*s}catch{}", n, i, STR_ARG(name->name));
    }
    if (all)
        buf_str(out, STR("try{"));
}

static void close_write(const struct scan *s, struct edit_probe *e, struct edit_pieces *p)
{
    const struct scan_function *f = &s->functions[e->function];
    struct scan_place end = end_site(f), thrown = throw_site(f);
    struct buf *out = &p->text;
    char what[64];
    buf_str(out, STR(";"));
    if (!has_own_line(s, f)) {
        end.form = SCAN_EXPR;
        buf_printf(out, "__clew.w(__clew.p%u,__clew%ut", e->slot, e->slot);
        arguments(s, e, &end, out);
        buf_str(out, STR(");"));
        return;
    }
    if (!by_exception_alone(e->probe))
        event(s, e, "1,void 0", &end, out);
    snprintf(what, sizeof what, "2,__clew%ue", e->slot);
    buf_printf(out, "}catch(__clew%ue){", e->slot);
    event(s, e, what, &thrown, out);
    buf_printf(out, "throw __clew%ue}", e->slot);
}

void edit_exit_write(const struct scan *s, struct edit_probe *e, struct edit_pieces *p)
{
    const struct scan_function *f = &s->functions[e->function];
    const struct scan_place *expression = f->close ? NULL : expression_of(s, e->function);
    if (expression)
        value_write(s, e, expression, expression->at, p);
    if (!f->close)
        return;
    open_write(s, e, p);
    if (f->body == f->close) { // empty: both behind what stands before the brace
        close_write(s, e, p);
        edit_piece_put(p, f->last, EDIT_FUNCTION, f->body, e->slot);
        return;
    }
    edit_piece_put(p, f->body, EDIT_FUNCTION, 0, e->slot);
    close_write(s, e, p);
    edit_piece_put(p, f->last, EDIT_FUNCTION_END, f->body, e->slot);
    for (uint32_t i = 0; i < e->n_names; i++) {
        const struct scan_name *name = shadow_of(s, e, i);
        if (name && !is_around(s, e->function, name))
            shadow_write(s, e, i, name, p);
    }
    for (uint32_t i = 0; i < s->n_returns && !by_exception_alone(e->probe); i++)
        if (s->scopes[s->returns[i].scope].function == e->function)
            return_write(s, e, &s->returns[i], p);
}
