// The members of a probe as people write them: each with its form and its limits, in one table.
#include "base/numfmt.h"
#include "live/live_internal.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum form { INT, NUMBER, FLAG, WORD, TEXT, WHERE, HIT, EXPRESSION, EXPRESSIONS, LOG, METRIC, SCOPE };
enum { EXPRESSIONS_MAX = 32, BY_MAX = 8, EXPRESSION_MAX = 1024, TEMPLATE_MAX = 1024 };

static const struct member {
    const char *name;
    enum form form;
    double least, most; // of numbers; of texts: bytes
    const char *words;  // of a word, separated by spaces
} members[] = {
    { "kind", WORD, 0, 0, "snapshot log metric timer exception" },
    { "where", WHERE, 0, 0, NULL },
    { "match", WORD, 0, 0, "follow exact" },
    { "source_hash", TEXT, 0, 64, NULL },
    { "line_hash", TEXT, 0, 64, NULL },
    { "function", TEXT, 0, 512, NULL },
    { "if", EXPRESSION, 0, 0, NULL },
    { "hit", HIT, 0, 0, NULL },
    { "sample", NUMBER, 0, 1, NULL },
    { "keep", WORD, 0, 0, "always trace_error trace_slow" },
    { "keep_ms", INT, 1, 60000, NULL },
    { "frames", INT, 0, 128, NULL },
    { "frames_vars", INT, 0, 16, NULL },
    { "depth", INT, 0, 10, NULL },
    { "items", INT, 0, 1000, NULL },
    { "string", INT, 0, 65536, NULL },
    { "bytes", INT, 1024, 1048576, NULL },
    { "locals", FLAG, 0, 0, NULL },
    { "args", FLAG, 0, 0, NULL },
    { "exprs", EXPRESSIONS, 0, 0, NULL },
    { "log", LOG, 0, 0, NULL },
    { "metric", METRIC, 0, 0, NULL },
    { "scope", SCOPE, 0, 0, NULL },
    { "rate", NUMBER, 0.001, 1000, NULL },
    { "burst", INT, 1, 10000, NULL },
};
enum { MEMBERS = sizeof members / sizeof *members };

__attribute__((format(printf, 3, 4))) static int bad(struct err *err, const char *place, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    err_set(err, ERR_INVALID, "bad_probe", "%s", text);
    err_set_place(err, "%s", place);
    return ERR_INVALID;
}

static bool word_is(const char *words, str word)
{
    str all = str_z(words);
    for (size_t at = 0; at < all.len;) {
        ptrdiff_t space = str_find_char(all, ' ', at);
        size_t end = space < 0 ? all.len : (size_t)space;
        if (str_eq(str_slice(all, at, end), word))
            return true;
        at = end + 1;
    }
    return false;
}

static int check_text(const struct json_node *n, const char *place, size_t max, struct err *err)
{
    if (n->type != JSON_STRING)
        return bad(err, place, "%s must be a text", place);
    if (n->text.len > max)
        return bad(err, place, "%s has more than %zu bytes", place, max);
    for (size_t i = 0; i < n->text.len; i++)
        if ((unsigned char)n->text.ptr[i] < 0x20 && n->text.ptr[i] != '\n' && n->text.ptr[i] != '\t')
            return bad(err, place, "%s holds a control character", place);
    return 0;
}

static int check_number(const struct json_node *n, const char *place, const struct member *m, struct err *err)
{
    double d = 0;
    if (n->type != JSON_NUMBER || !json_number_double(n->text, &d) || (m->form == INT && d != floor(d)))
        return bad(err, place, "%s must be a %snumber", place, m->form == INT ? "whole " : "");
    if (!(d >= m->least && d <= m->most))
        return bad(err, place, "%s must be from %g to %g", place, m->least, m->most);
    return 0;
}

// An object with known members; texts of at most max bytes, or what the form says.
struct inner {
    const char *name;
    enum form form;
    double least, most;
    const char *words;
};

static int check_inner(const struct json_node *n, const char *place, const struct inner *known, size_t known_n,
                       struct err *err)
{
    char at[128];
    int r = 0;
    if (n->type != JSON_OBJECT)
        return bad(err, place, "%s must be an object", place);
    for (const struct json_node *e = n->first; e && r == 0; e = e->next) {
        size_t k = 0;
        while (k < known_n && !str_eq(e->key, str_z(known[k].name)))
            k++;
        snprintf(at, sizeof at, "%s.%.*s", place, (int)(e->key.len < 40 ? e->key.len : 40), e->key.ptr);
        if (k == known_n)
            return bad(err, at, "there is no %s", at);
        struct member m = { at, known[k].form, known[k].least, known[k].most, known[k].words };
        if (m.form == INT || m.form == NUMBER)
            r = check_number(e, at, &m, err);
        else if (m.form == FLAG)
            r = e->type == JSON_TRUE || e->type == JSON_FALSE ? 0 : bad(err, at, "%s must be true or false", at);
        else if (m.form == WORD)
            r = e->type == JSON_STRING && word_is(m.words, e->text)
                    ? 0
                    : bad(err, at, "%s must be one of: %s", at, m.words);
        else if (m.form == TEXT)
            r = check_text(e, at, (size_t)m.most, err);
    }
    return r;
}

static int check_where(const struct json_node *n, struct err *err)
{
    static const struct inner known[] = {
        { "file", TEXT, 0, 1024, NULL },     { "line", INT, 1, 1e7, NULL },    { "column", INT, 1, 1e6, NULL },
        { "function", TEXT, 0, 512, NULL },  { "module", TEXT, 0, 512, NULL }, { "at", WORD, 0, 0, "entry exit throw" },
        { "exception", TEXT, 0, 255, NULL }, { "uncaught", FLAG, 0, 0, NULL },
    };
    int r = check_inner(n, "where", known, sizeof known / sizeof *known, err);
    if (r < 0)
        return r;
    bool line = json_get(n, STR("line")), file = json_get_text(n, STR("file")).len,
         function = json_get_text(n, STR("function")).len, exception = json_get_text(n, STR("exception")).len;
    if (!((line && file) || (function && !line) || (exception && !line)))
        return bad(err, "where", "where needs a file and a line, or a function, or an exception");
    return 0;
}

static int check_hit(const struct json_node *n, struct err *err)
{
    str s = json_text_of(n);
    uint64_t v;
    size_t op = str_starts(s, STR("==")) || str_starts(s, STR(">=")) ? 2 : str_starts(s, STR("%")) ? 1 : 0;
    if (s.len == 0 && n->type == JSON_STRING)
        return 0;
    if (!op || !parse_u64(str_trim(str_slice(s, op, s.len)), &v) || v < 1 || v > 1000000000)
        return bad(err, "hit", "hit must be ==N, >=N or %%N");
    return 0;
}

static int check_expressions(const struct json_node *n, struct err *err)
{
    char at[32];
    int i = 0;
    if (n->type != JSON_ARRAY || n->n > EXPRESSIONS_MAX)
        return bad(err, "exprs", "exprs must be a list of at most %d texts", EXPRESSIONS_MAX);
    for (const struct json_node *e = n->first; e; e = e->next, i++) {
        snprintf(at, sizeof at, "exprs[%d]", i);
        int r = check_text(e, at, EXPRESSION_MAX, err);
        if (r < 0)
            return r;
    }
    return 0;
}

static int check_metric(const struct json_node *n, struct err *err)
{
    if (n->type != JSON_OBJECT)
        return bad(err, "metric", "metric must be an object");
    for (const struct json_node *e = n->first; e; e = e->next) {
        bool by = str_eq(e->key, STR("by"));
        if (!by && !str_eq(e->key, STR("kind")) && !str_eq(e->key, STR("name")) && !str_eq(e->key, STR("value")))
            return bad(err, "metric", "there is no metric.%.*s", (int)(e->key.len < 40 ? e->key.len : 40), e->key.ptr);
        if (by && (e->type != JSON_OBJECT || e->n > BY_MAX))
            return bad(err, "metric.by", "metric.by must be an object of at most %d expressions", BY_MAX);
        for (const struct json_node *b = by ? e->first : NULL; b; b = b->next)
            if (b->type != JSON_STRING || b->text.len > EXPRESSION_MAX || b->key.len > 128 || !b->key.len)
                return bad(err, "metric.by", "metric.by must hold expressions");
        if (!by && (e->type != JSON_STRING || e->text.len > EXPRESSION_MAX))
            return bad(err, "metric", "metric.%.*s must be a text", STR_ARG(e->key));
    }
    if (json_get(n, STR("kind")) && !word_is("count gauge histogram", json_get_text(n, STR("kind"))))
        return bad(err, "metric.kind", "metric.kind must be one of: count gauge histogram");
    if (json_get(n, STR("name")) && !figures_name_is_valid(json_get_text(n, STR("name"))))
        return bad(err, "metric.name",
                   "metric.name must begin with a letter and hold letters, digits and _ . - / only, at most 255");
    return 0;
}

// What the kind of probe asks of its metric.
static int check_figures(str kind, const struct json_node *metric, const struct json_node *where, struct err *err)
{
    bool timer = str_eq(kind, STR("timer"));
    str how = json_get_text(metric, STR("kind")), at = json_get_text(where, STR("at"));
    if (!timer && !str_eq(kind, STR("metric")))
        return metric ? bad(err, "metric", "metric is for probes of the kinds metric and timer") : 0;
    if (timer) {
        if (!json_get_text(where, STR("function")).len)
            return bad(err, "where", "a timer measures a function: where needs one");
        if (at.len && !str_eq(at, STR("exit")))
            return bad(err, "where.at", "a timer measures to the function's exit");
        if (json_get(metric, STR("value")) || (how.len && !str_eq(how, STR("histogram"))))
            return bad(err, "metric", "a timer is a histogram of durations: it has a name and by only");
        return 0;
    }
    if (!metric)
        return bad(err, "metric", "a metric probe needs metric");
    if (!how.len)
        return bad(err, "metric.kind", "metric.kind must be one of: count gauge histogram");
    if (!json_get_text(metric, STR("name")).len)
        return bad(err, "metric.name", "metric.name is missing");
    if (!str_eq(how, STR("count")) && !json_get_text(metric, STR("value")).len)
        return bad(err, "metric.value", "a %.*s needs metric.value", STR_ARG(how));
    return 0;
}

// Whether a trace failed, or was slow, is known at its end, for which a host holds a capture for a minute at most.
static int check_keep(str kind, const struct json_node *keep, const struct json_node *ms, struct err *err)
{
    bool slow = str_eq(json_text_of(keep), STR("trace_slow"));
    if (slow && !ms)
        return bad(err, "keep_ms", "trace_slow needs a time (keep_ms, or trace_slow=500ms on the command line)");
    if (ms && !slow)
        return bad(err, "keep_ms", "keep_ms is for trace_slow");
    if (keep && !str_eq(json_text_of(keep), STR("always")) &&
        (str_eq(kind, STR("metric")) || str_eq(kind, STR("timer"))))
        return bad(err, "keep", "a %.*s counts every hit: keep is for what is captured", STR_ARG(kind));
    return 0;
}

static int check_scope(const struct json_node *n, struct err *err)
{
    static const struct inner known[] = {
        { "service", TEXT, 0, 255, NULL }, { "version", TEXT, 0, 255, NULL }, { "environment", TEXT, 0, 255, NULL },
        { "host", TEXT, 0, 255, NULL },    { "pid", INT, 1, 1e9, NULL },      { "instances", EXPRESSION, 0, 0, NULL },
    };
    int r = check_inner(n, "scope", known, sizeof known / sizeof *known, err);
    const struct json_node *i = json_get(n, STR("instances"));
    uint64_t v = 0;
    if (r < 0 || !i)
        return r;
    str s = i->text;
    bool percent = str_ends(s, STR("%"));
    if ((i->type == JSON_STRING && str_eq(s, STR("all"))) ||
        (parse_u64(percent ? str_slice(s, 0, s.len - 1) : s, &v) && v >= 1 && v <= (percent ? 100 : 100000)))
        return 0;
    return bad(err, "scope.instances", "scope.instances must be \"all\", a number or a percentage");
}

static int check_member(const struct member *m, const struct json_node *n, struct err *err)
{
    static const struct inner log_known[] = { { "level", WORD, 0, 0, "trace debug info warn error fatal" },
                                              { "template", TEXT, 0, TEMPLATE_MAX, NULL } };
    switch (m->form) {
    case INT:
    case NUMBER:
        return check_number(n, m->name, m, err);
    case FLAG:
        return n->type == JSON_TRUE || n->type == JSON_FALSE ? 0
                                                             : bad(err, m->name, "%s must be true or false", m->name);
    case WORD:
        return n->type == JSON_STRING && word_is(m->words, n->text)
                   ? 0
                   : bad(err, m->name, "%s must be one of: %s", m->name, m->words);
    case TEXT:
        return check_text(n, m->name, (size_t)m->most, err);
    case EXPRESSION:
        return check_text(n, m->name, EXPRESSION_MAX, err);
    case WHERE:
        return check_where(n, err);
    case HIT:
        return check_hit(n, err);
    case EXPRESSIONS:
        return check_expressions(n, err);
    case LOG:
        return check_inner(n, "log", log_known, 2, err);
    case METRIC:
        return check_metric(n, err);
    case SCOPE:
        return check_scope(n, err);
    }
    return 0;
}

static const struct json_node *pick(const struct spec_context *c, const char *name)
{
    const struct json_node *n = NULL;
    bool said = false;
    for (const struct json_node *e = c->body->first; e; e = e->next)
        if (str_eq(e->key, str_z(name))) {
            n = e->type == JSON_NULL ? NULL : e; // null takes it away
            said = true;
        }
    return said ? n : json_get(c->old, str_z(name));
}

static int check_known(const struct json_node *body, struct err *err)
{
    static const char *const others[] = { "service", "project", "ttl_s", "hits", "paused" };
    for (const struct json_node *e = body->first; e; e = e->next) {
        bool known = false;
        for (size_t i = 0; i < sizeof others / sizeof *others && !known; i++)
            known = str_eq(e->key, str_z(others[i]));
        for (size_t i = 0; i < MEMBERS && !known; i++)
            known = str_eq(e->key, str_z(members[i].name));
        if (!known) {
            char name[64];
            snprintf(name, sizeof name, "%.*s", (int)(e->key.len < 60 ? e->key.len : 60), e->key.ptr);
            return bad(err, name, "a probe has no member %s", name);
        }
    }
    return 0;
}

int spec_write(const struct spec_context *c, struct json_writer *w, struct err *err)
{
    int r = check_known(c->body, err);
    if (r < 0)
        return r;
    str kind = json_text_of(pick(c, "kind"));
    json_put_object(w);
    for (size_t i = 0; i < MEMBERS && r == 0; i++) {
        const struct json_node *n = pick(c, members[i].name);
        if (!n) {
            if (members[i].form == WHERE)
                return bad(err, "where", "where is missing");
            if (i == 0) {
                json_put_key(w, STR("kind"));
                json_put_str(w, STR("snapshot"));
            }
            continue;
        }
        r = check_member(&members[i], n, err);
        json_put_key(w, str_z(members[i].name));
        json_put_tree(w, n);
    }
    json_put_object_end(w);
    if (r == 0 && str_eq(kind, STR("log")) && !json_get_text(pick(c, "log"), STR("template")).len)
        return bad(err, "log.template", "a log probe needs log.template");
    if (r == 0)
        r = check_figures(kind, pick(c, "metric"), pick(c, "where"), err);
    if (r == 0)
        r = check_keep(kind, pick(c, "keep"), pick(c, "keep_ms"), err);
    return r < 0 ? r : w->out->error ? live_nomem(err) : 0;
}

// ---- for agents ------------------------------------------------------------------------------------------

static int place(struct err *err, int r, const char *where)
{
    if (r < 0 && err && !err->place[0])
        err_set_place(err, "%s", where);
    return r;
}

static int put_log(const struct json_node *n, struct arena *arena, struct json_writer *w, struct err *err)
{
    str level = json_get_text(n, STR("level")), text = json_get_text(n, STR("template"));
    json_put_object(w);
    json_put_key(w, STR("level"));
    json_put_str(w, level.len ? level : STR("info"));
    json_put_key(w, STR("template"));
    json_put_str(w, text);
    json_put_key(w, STR("parts"));
    int r = language_parts(text, arena, w, err);
    json_put_object_end(w);
    return place(err, r, "log.template");
}

static int put_metric(const struct json_node *n, struct arena *arena, struct json_writer *w, struct err *err)
{
    str value = json_get_text(n, STR("value"));
    const struct json_node *by = json_get(n, STR("by"));
    int r = 0;
    str kind = json_get_text(n, STR("kind")), name = json_get_text(n, STR("name"));
    json_put_object(w);
    json_put_key(w, STR("kind"));
    json_put_str(w, kind.len ? kind : STR("histogram"));
    json_put_key(w, STR("name"));
    json_put_str(w, name.len ? name : STR("probe.duration"));
    if (value.len) {
        json_put_key(w, STR("value"));
        r = place(err, language_expression(value, false, arena, w, err), "metric.value");
    }
    if (by) {
        json_put_key(w, STR("by"));
        json_put_object(w);
        for (const struct json_node *b = by->first; b && r == 0; b = b->next) {
            json_put_key(w, b->key);
            r = place(err, language_expression(b->text, false, arena, w, err), "metric.by");
        }
        json_put_object_end(w);
    }
    json_put_object_end(w);
    return r;
}

static int put_expressions(const struct json_node *n, struct arena *arena, struct json_writer *w, struct err *err)
{
    char at[32];
    int r = 0, i = 0;
    json_put_array(w);
    for (const struct json_node *e = n->first; e && r == 0; e = e->next, i++) {
        snprintf(at, sizeof at, "exprs[%d]", i);
        r = place(err, language_expression(e->text, false, arena, w, err), at);
    }
    json_put_array_end(w);
    return r;
}

int spec_for_agents(const struct json_node *spec, struct arena *arena, struct json_writer *w, struct err *err)
{
    int r = 0;
    for (const struct json_node *n = spec->first; n && r == 0; n = n->next) {
        if (n->type == JSON_NULL || str_eq(n->key, STR("scope")) ||
            (n->type == JSON_STRING && n->text.len == 0)) // an empty condition is none
            continue;
        json_put_key(w, n->key);
        if (str_eq(n->key, STR("if")))
            r = place(err, language_expression(n->text, true, arena, w, err), "if");
        else if (str_eq(n->key, STR("exprs")))
            r = put_expressions(n, arena, w, err);
        else if (str_eq(n->key, STR("log")))
            r = put_log(n, arena, w, err);
        else if (str_eq(n->key, STR("metric")))
            r = put_metric(n, arena, w, err);
        else
            json_put_tree(w, n);
    }
    if (r == 0 && str_eq(json_get_text(spec, STR("kind")), STR("timer")) && !json_get(spec, STR("metric"))) {
        json_put_key(w, STR("metric"));
        r = put_metric(NULL, arena, w, err);
    }
    return r < 0 ? r : w->out->error ? live_nomem(err) : 0;
}
