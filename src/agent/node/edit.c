#include "agent/node/edit_internal.h"
#include "agent/node/lower.h"
#include "agent/node/map.h"
#include "base/json.h"
#include "base/mem.h"
#include "probe/capture.h"
#include "probe/redact.h"

#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#define NONE UINT32_MAX

// --- names ---

struct edit_name *edit_name_find(struct edit_probe *e, str name)
{
    for (uint32_t i = 0; i < e->n_names; i++)
        if (str_eq(e->names[i].name, name))
            return &e->names[i];
    return NULL;
}

static void name_add(struct edit_probe *e, str name, str original, enum probe_var_kind kind, bool taken)
{
    if (!original.len)
        original = name;
    for (uint32_t i = 0; i < e->n_names; i++) // in the source the inner one hides the outer one
        if (str_eq(e->names[i].original, original))
            return;
    if (e->n_names < EDIT_NAMES_MAX && !edit_name_find(e, name))
        e->names[e->n_names++] = (struct edit_name){ name, original, (uint8_t)kind, taken };
}

// Reading it there is no error, and makes the engine keep nothing that it does not keep already.
bool edit_readable(const struct scan *s, const struct scan_place *place, const struct scan_name *n)
{
    uint32_t own = s->scopes[place->scope].function, of = s->scopes[n->scope].function;
    const struct scan_function *f = &s->functions[own];
    if (n->kind == SCAN_LET && n->from > place->at && of == own)
        return false;
    if (of == own)
        return place->form != SCAN_EXPR || n->kind != SCAN_LET || !s->scopes[n->scope].cases;
    // An expression's place has no `try` around it: nothing that might not be initialised yet.
    if (place->form == SCAN_EXPR && n->kind == SCAN_LET)
        return false;
    return js_mentions(s->text, f->start, f->end, n->name);
}

static void names_collect(const struct scan *s, struct edit_probe *e, const struct scan_place *place)
{
    const struct probe *p = e->probe;
    uint32_t own = s->scopes[place->scope].function;
    const struct scan_function *f = &s->functions[own];
    const struct scan_place *loop = own ? NULL : js_loop_around(s, place); // around it: what it mentions of the file
    if (probe_counts_only(p) || p->count_only) // what its expressions name, and nothing else
        return;
    bool may_this = f->kind == SCAN_METHOD || f->kind == SCAN_FUNCTION;
    if (p->args && may_this && place->form != SCAN_EXPR && !str_eq(f->name, STR("constructor")) &&
        js_mentions(s->text, f->start, f->end, STR("this")))
        name_add(e, STR("this"), (str){ 0 }, PROBE_VAR_ARG, true);
    for (uint32_t scope = place->scope; scope != NONE && (scope != 0 || loop); scope = s->scopes[scope].parent)
        for (uint32_t i = 0; i < s->n_names; i++) {
            const struct scan_name *n = &s->names[i];
            if (n->scope != scope || js_visible(s, place, n->name) != n ||
                (scope == 0 && !js_mentions(s->text, loop->at, loop->end, n->name)) ||
                !(edit_readable(s, place, n) || (e->function && edit_shadowed(s, e->function, n))))
                continue;
            bool closure = s->scopes[scope].function != own, arg = n->kind == SCAN_ARG;
            if (closure ? p->locals : arg ? p->args : p->locals)
                name_add(e, n->name, n->original,
                         closure ? PROBE_VAR_CLOSURE
                         : arg   ? PROBE_VAR_ARG
                                 : PROBE_VAR_LOCAL,
                         true);
        }
}

// --- places ---

static uint32_t line_of(const struct scan *scan, const struct edit_probe *e, const struct scan_place *p)
{
    return e->view ? e->view->places[p - scan->places].line : p->line;
}

void edit_nearest(const struct scan *scan, const struct edit_probe *e, struct buf *out)
{
    uint32_t before = 0, behind = 0, wanted = e->probe->where.line;
    struct json_writer w;
    for (uint32_t i = 0; i < scan->n_places; i++) {
        const struct scan_place *p = &scan->places[i];
        uint32_t line = line_of(scan, e, p);
        if (scan->scopes[p->scope].function == 0 || !line || (e->view && e->view->places[i].source != e->source))
            continue;
        if (line < wanted && line > before)
            before = line;
        else if (line > wanted && (!behind || line < behind))
            behind = line;
    }
    json_writer_init(&w, out);
    json_put_object(&w);
    json_put_key(&w, STR("nearest"));
    json_put_array(&w);
    if (before)
        json_put_int(&w, before);
    if (behind)
        json_put_int(&w, behind);
    json_put_array_end(&w);
    json_put_object_end(&w);
}

static bool is_here(const struct edit_probe *e, uint32_t i)
{
    return !e->view || e->view->functions[i].source == e->source;
}

static str owner_of(const struct scan_function *f) { return f->owner_original.len ? f->owner_original : f->owner; }

// "Class.method": of that class, where the file has one with that name; names in front of it say nothing.
uint32_t edit_function(const struct scan *s, const struct edit_probe *e, uint32_t from)
{
    str last = e->probe->where.function, owner = { 0 };
    for (ptrdiff_t dot; (dot = str_find_char(last, '.', 0)) >= 0;) {
        owner = str_slice(last, 0, (size_t)dot);
        last = str_slice(last, (size_t)dot + 1, last.len);
    }
    bool owned = false;
    for (uint32_t i = 1; owner.len && i < s->n_functions && !owned; i++)
        owned = is_here(e, i) && str_eq(owner_of(&s->functions[i]), owner);
    for (uint32_t i = from; i < s->n_functions; i++) {
        const struct scan_function *f = &s->functions[i];
        if (is_here(e, i) && str_eq(f->original.len ? f->original : f->name, last) &&
            (!owned || str_eq(owner_of(f), owner)))
            return i;
    }
    return 0;
}

static const struct scan_place *entry_of(const struct scan *s, const struct edit_probe *e)
{
    for (uint32_t i = 0; (i = edit_function(s, e, i + 1)) != 0;)
        for (uint32_t k = 0; k < s->n_places && s->functions[i].entry != NONE; k++)
            if (s->places[k].at == s->functions[i].entry)
                return &s->places[k];
    return NULL;
}

// V8 compares changed lines character by character up to this length together; of longer ones it takes all for changed, and keeps the old code of a
// function that begins or ends in them without a word. ERR_UNSUPPORTED: that would come about.
enum { COMPARED_MAX = 800, CALL_ROOM = 200 };

struct line {
    size_t first, last;
};

static struct line line_around(str text, size_t at)
{
    struct line l = { at, at };
    while (l.first > 0 && text.ptr[l.first - 1] != '\n')
        l.first--;
    while (l.last < text.len && text.ptr[l.last] != '\n')
        l.last++;
    return l;
}

static const struct scan_function *function_of(const struct scan *scan, const struct edit_probe *e)
{
    return &scan->functions[e->function ? e->function : scan->scopes[e->place->scope].function];
}

static bool line_is_short(const struct scan *scan, const struct edit_probe *e)
{
    const struct scan_function *f = function_of(scan, e);
    struct line l = line_around(scan->text, e->place->at);
    size_t added = CALL_ROOM;
    for (uint32_t i = 0; i < e->n_names; i++)
        added += e->names[i].name.len + 1;
    bool inside = f->start < l.first && f->end > l.last;
    return inside || l.last - l.first + added < COMPARED_MAX;
}

int edit_fits(const struct scan *scan, struct edit_probe *const *others, size_t n, struct edit_probe *e,
              struct err *err)
{
    struct edit_probe *list[EDIT_LINE_PROBES];
    struct line l = line_around(scan->text, e->place->at);
    const struct scan_function *f = function_of(scan, e);
    bool inside = f->start < l.first && f->end > l.last;
    size_t same = 0;
    struct buf text;
    for (size_t i = 0; i < n; i++) {
        size_t at = others[i]->place->at;
        const struct scan_function *g = function_of(scan, others[i]);
        if (at < l.first || at > l.last || others[i]->left_out)
            continue;
        if (same == EDIT_LINE_PROBES - 1)
            return err_set(err, ERR_LIMIT, "unsupported", "there are %d probes in this line already",
                           EDIT_LINE_PROBES - 1);
        inside &= g->start < l.first && g->end > l.last;
        list[same++] = others[i];
    }
    if (!same || inside)
        return 0;
    list[same++] = e;
    buf_init(&text, scan->text.len + ((size_t)1 << 20));
    int rc = edit_write(scan, list, same, &text);
    size_t added = text.len - scan->text.len;
    buf_free(&text);
    if (rc < 0)
        return err_set(err, rc, "error", "there is not enough memory");
    return l.last - l.first + added < COMPARED_MAX
               ? 0
               : err_set(
                     err, ERR_UNSUPPORTED, "unsupported",
                     "the line would become too long with the other probes in it: V8 would not exchange the code of "
                     "its functions");
}

int edit_place(const struct scan *scan, struct edit_probe *e, const struct probe_policy *policy, struct arena *arena,
               struct err *err)
{
    const struct probe_where *w = &e->probe->where;
    bool function = w->kind == PROBE_AT_FUNCTION;
    uint32_t line = e->moved ? e->moved : w->line;
    e->n_names = 0;
    if (edit_is_exit(e->probe)) {
        struct scan_place site;
        int rc = edit_exit_place(scan, e, arena, err);
        for (uint32_t i = 0; rc == 0 && edit_exit_site(scan, e, i, &site); i++)
            names_collect(scan, e, &site);
        if (rc == 0)
            e->line = e->view ? e->view->functions[e->function].line : e->place->line;
        if (rc == 0 && !line_is_short(scan, e))
            rc =
                err_set(err, ERR_UNSUPPORTED, "unsupported",
                        "the function stands in a line that is too long: V8 would not exchange its code (a line or the "
                        "entry can be probed there, or the exits in a bundle that is not minified)");
        return rc;
    }
    e->place = function  ? entry_of(scan, e)
               : e->view ? map_place_of(e->view, e->source, line, w->column)
                         : js_place_of(scan, line, w->column);
    if (!e->place)
        return function ? err_set(err, ERR_NOENT, "no_such_function", "the file has no such function with code in it")
                        : err_set(err, ERR_NOENT, "no_code_at_line",
                                  e->view ? "no statement of the generated code comes from this line"
                                          : "no statement begins at this line");
    if (scan->scopes[e->place->scope].function == 0) {
        if (!js_loop_around(scan, e->place))
            return err_set(err, ERR_NOENT, "no_code_at_line",
                           "this line runs once, when the file is loaded: a probe needs a line of a function, or of a "
                           "loop");
        e->hindered = "it stands outside of all functions";
    }
    names_collect(scan, e, e->place);
    e->line = line_of(scan, e, e->place);
    if (!e->hindered && !line_is_short(scan, e))
        e->hindered = "its function stands in a line that is too long to be changed";
    return 0;
}

// --- the function ---

struct naming {
    const struct scan *scan;
    struct edit_probe *e;
};

static bool name_write(void *ctx, str name, bool file, struct buf *out)
{
    struct naming *n = ctx;
    const struct scan_name *s = NULL;
    struct edit_name *known;
    bool may = false, hidden = false; // hidden: the text calls something else so there
    if (n->e->function) {             // at one of its exits
        struct scan_place site;
        for (uint32_t i = 0; !may && edit_exit_site(n->scan, n->e, i, &site); i++) {
            s = js_known(n->scan, &site, name);
            hidden = s && js_visible(n->scan, &site, s->name) != s;
            may = s && !hidden && (edit_readable(n->scan, &site, s) || edit_shadowed(n->scan, n->e->function, s));
        }
    } else if (n->e->place) {
        s = js_known(n->scan, n->e->place, name);
        hidden = s && js_visible(n->scan, n->e->place, s->name) != s;
        may = !hidden && s && edit_readable(n->scan, n->e->place, s);
    }
    if (hidden || (file && s && n->scan->scopes[s->scope].function != 0)) {
        buf_str(out, STR("H.X(\"not_in_scope\",0)")); // behind a variable of the same name
        return true;
    }
    known = edit_name_find(n->e, s ? s->name : name);
    if (!known) {
        if (!s)
            return false;
        if (!may || n->e->n_names == EDIT_NAMES_MAX) {
            buf_str(out, STR("H.X(\"not_in_scope\",0)"));
            return true;
        }
        name_add(n->e, s->name, s->original, PROBE_VAR_CLOSURE, false);
        known = edit_name_find(n->e, s->name);
        if (!known) { // another one is called so already
            buf_str(out, STR("H.X(\"not_in_scope\",0)"));
            return true;
        }
    }
    buf_printf(out, "a%u", (unsigned)(known - n->e->names));
    return true;
}

static int program_write(const struct lower *l, const struct probe_program *p, struct arena *arena, struct buf *out,
                         struct err *err)
{
    const struct json_node *root = NULL;
    struct probe_expr *expr = NULL;
    int rc = json_tree_read(p->tree, arena, PROBE_EXPR_JSON_DEPTH, &root, err);
    if (rc == 0)
        rc = probe_expr_read(root, p->text, arena, &expr, err);
    if (rc == 0)
        lower_expr(l, expr, out);
    return rc;
}

static void params_write(const struct edit_probe *e, struct buf *out)
{
    for (uint32_t i = 0; i < e->n_names; i++)
        buf_printf(out, i ? ",a%u" : "a%u", i);
}

static int condition_write(const struct lower *l, const struct probe *p, struct arena *arena, struct buf *out,
                           struct err *err)
{
    if (!p->has_condition)
        return 0;
    buf_str(out, STR("try{H.start();if(!H.t("));
    int rc = program_write(l, &p->condition, arena, out, err);
    buf_str(out, STR(",0)){s.filtered++;if(s.t0)H.done(s);return}}catch(e){H.fault(s,e);if(s.t0)H.done(s);return}"));
    return rc;
}

static int exprs_write(const struct lower *l, const struct probe *p, struct arena *arena, struct buf *out,
                       struct err *err)
{
    int rc = 0;
    for (size_t i = 0; probe_counts_only(p) && i < p->metric.n_by + p->metric.has_value && rc == 0; i++) {
        buf_str(out, STR("()=>"));
        rc = program_write(l, i < p->metric.n_by ? &p->metric.by[i].value : &p->metric.value, arena, out, err);
        buf_str(out, STR(","));
    }
    for (size_t i = 0; i < p->n_exprs && rc == 0; i++) {
        buf_str(out, STR("()=>"));
        rc = program_write(l, &p->exprs[i], arena, out, err);
        buf_str(out, STR(","));
    }
    for (size_t i = 0; i < p->log.n_parts && rc == 0; i++)
        if (p->log.parts[i].is_expr) {
            buf_str(out, STR("()=>"));
            rc = program_write(l, &p->log.parts[i].expr, arena, out, err);
            buf_str(out, STR(","));
        }
    return rc;
}

static void put_number(struct json_writer *w, const char *key, double value)
{
    json_put_key(w, str_z(key));
    json_put_double(w, value);
}

static void put_half(struct json_writer *w, const char *key, uint64_t n)
{
    json_put_key(w, str_z(key));
    json_put_array(w);
    json_put_uint(w, (uint32_t)n);
    json_put_uint(w, n >> 32);
    json_put_array_end(w);
}

static void put_flag(struct json_writer *w, const char *key, bool is)
{
    json_put_key(w, str_z(key));
    json_put_bool(w, is);
}

// Of a probe that counts: how, and where.
static void series_put(const struct edit_probe *e, struct json_writer *w)
{
    const struct probe *p = e->probe;
    put_half(w, "mark", e->mark), put_half(w, "owner", e->owner);
    put_number(w, "by", (double)p->metric.n_by);
    put_flag(w, "timed", p->kind == PROBE_TIMER);
    put_flag(w, "buckets", p->metric.kind == PROBE_METRIC_HISTOGRAM);
    put_flag(w, "rising", p->metric.kind == PROBE_METRIC_COUNT);
}

int edit_order(const struct scan *scan, struct edit_probe *e, const struct probe_policy *policy, struct arena *arena,
               struct buf *out, struct err *err)
{
    const struct probe *p = e->probe;
    struct naming naming = { scan, e };
    struct lower_found found = { 0 };
    struct buf condition, exprs, code, tables;
    char host[HOST_NAME_MAX + 1] = "";
    gethostname(host, sizeof host - 1);
    bool event = e->function || !e->place;
    struct lower l = { &naming, name_write, policy, p->scope.service, str_z(host), &tables, &found, event };
    struct json_writer w;
    struct probe_slot_setup setup;
    buf_init(&condition, 1 << 20), buf_init(&exprs, 1 << 20), buf_init(&code, 1 << 20), buf_init(&tables, 1 << 20);
    // Both first: what they read becomes a parameter.
    int rc = condition_write(&l, p, arena, &condition, err);
    if (rc == 0)
        rc = exprs_write(&l, p, arena, &exprs, err);
    if (rc == 0 && found.callers)
        rc = err_set(err, ERR_UNSUPPORTED, "unsupported",
                     "variables of callers cannot be read in Node: its engine shows them to nobody but a debugger that "
                     "stops it");
    buf_str(&code, buf_view(&tables));
    buf_str(&code, STR("return ["));
    if (event) { // how, what and since when come before the variables
        buf_str(&code, STR("(f=>(k,v,t,"));
        params_write(e, &code);
        buf_str(&code, STR(")=>{"));
        if (p->where.kind == PROBE_AT_EXCEPTION && p->where.exception.len && !str_eq(p->where.exception, STR("*"))) {
            buf_str(&code, STR("if(!H.is(v,"));
            lower_text(&code, p->where.exception);
            buf_str(&code, STR("))return;"));
        }
        buf_str(&code, STR("s.k=k;s.x=v;s.b=t;f("));
        params_write(e, &code);
        buf_str(&code, STR(");s.x=undefined})("));
    }
    buf_str(&code, STR("("));
    params_write(e, &code);
    buf_str(&code, STR(")=>{if(--s.skip<0)H.tick(s);s.hits++;"));
    buf_str(&code, buf_view(&condition));
    if (p->count_only) { // a forecast
        buf_str(&code, STR("if(s.t0)H.done(s)}"));
    } else {
        buf_str(&code, probe_counts_only(p) ? STR("H.tally(s,[") : STR("H.take(s,["));
        params_write(e, &code);
        buf_str(&code, STR("],s.all)}"));
    }
    buf_str(&code, event ? STR("),") : STR(","));
    if (exprs.len) {
        buf_str(&code, STR("("));
        params_write(e, &code);
        buf_str(&code, STR(")=>["));
        buf_str(&code, buf_view(&exprs));
        buf_str(&code, STR("]]"));
    } else {
        buf_str(&code, STR("0]"));
    }
    if (rc == 0 && (condition.error || exprs.error || tables.error || code.error))
        rc = err_set(err, ERR_NOMEM, "error", "the probe is too large");
    if (rc == 0) {
        probe_slot_setup_of(p, &setup);
        json_writer_init(&w, out);
        json_put_object(&w);
        put_number(&w, "slot", e->slot), put_number(&w, "revision", p->revision);
        json_put_key(&w, STR("code")), json_put_str(&w, buf_view(&code));
        json_put_key(&w, STR("vars")),
            json_put_bool(&w, p->kind == PROBE_SNAPSHOT && p->frames_vars > 0 && (p->locals || p->args));
        put_number(&w, "frames", p->frames ? p->frames : 1), put_number(&w, "depth", p->depth);
        put_number(&w, "items", p->items), put_number(&w, "string", p->string), put_number(&w, "bytes", p->bytes);
        put_number(&w, "hitOp", p->hit_op), put_number(&w, "hitN", p->hit_n);
        put_number(&w, "sample", (double)probe_sample_threshold(p->sample));
        put_number(&w, "interval", p->rate > 0 ? 1e9 / p->rate : 0);
        put_number(&w, "burst", p->rate > 0 && p->burst > 1 ? (p->burst - 1) * 1e9 / p->rate : 0);
        // Who counts hits is the helper, which is given them in slices; a limit here would end the probe with the first one.
        put_number(&w, "granted", (double)(1ll << 53));
        put_flag(&w, "event", event), put_flag(&w, "counting", p->count_only);
        if (probe_counts_only(p))
            series_put(e, &w);
        json_put_key(&w, STR("uncaught")), json_put_bool(&w, !e->place);
        json_put_key(&w, STR("names"));
        json_put_array(&w);
        for (uint32_t i = 0; i < e->n_names; i++) {
            buf_clear(&code);
            if (e->names[i].taken)
                lower_text(&code, e->names[i].original);
            json_put_str(&w, buf_view(&code));
        }
        json_put_array_end(&w);
        json_put_object_end(&w);
        rc = out->error;
    }
    buf_free(&condition), buf_free(&exprs), buf_free(&code), buf_free(&tables);
    return rc;
}
