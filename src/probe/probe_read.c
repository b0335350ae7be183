// A probe from JSON: see probe.h. Unknown members are passed over, so that an older agent understands a newer server;
// what is known must be right.
#include "base/base64.h"
#include "base/json_tree.h"
#include "base/timefmt.h"
#include "probe/names_internal.h"

enum { KEEP_RATE = 50, KEEP_BURST = 200 };

struct reader {
    struct arena *arena;
    struct err *err;
    int rc; // the first error sticks
};

static void fail(struct reader *r, int code, str member, const char *what)
{
    if (r->rc)
        return;
    r->rc = err_set(r->err, code, "invalid_probe", "A probe's %.*s %s.", STR_ARG(member), what);
    err_set_place(r->err, "%.*s", STR_ARG(member));
}

static void read_text(struct reader *r, const struct json_node *of, str member, size_t max, str *ret)
{
    const struct json_node *n = json_get(of, member);
    if (!n)
        return;
    if (n->type != JSON_STRING)
        fail(r, ERR_INVALID, member, "is no text");
    else if (n->text.len > max)
        fail(r, ERR_LIMIT, member, "is too long");
    else if (memchr(n->text.ptr ? n->text.ptr : "", 0, n->text.len))
        fail(r, ERR_INVALID, member, "holds a NUL");
    else
        *ret = n->text;
}

static void read_uint(struct reader *r, const struct json_node *of, str member, int64_t least, int64_t most,
                      uint32_t *ret)
{
    const struct json_node *n = json_get(of, member);
    int64_t v;
    if (!n)
        return;
    if (n->type != JSON_NUMBER || !json_number_int(n->text, &v))
        fail(r, ERR_INVALID, member, "is no whole number");
    else if (v < least || v > most)
        fail(r, ERR_LIMIT, member, "is out of its range");
    else
        *ret = (uint32_t)v;
}

static void read_double(struct reader *r, const struct json_node *of, str member, double most, double *ret)
{
    const struct json_node *n = json_get(of, member);
    double v;
    if (!n)
        return;
    if (n->type != JSON_NUMBER || !json_number_double(n->text, &v))
        fail(r, ERR_INVALID, member, "is no number");
    else if (!(v >= 0 && v <= most))
        fail(r, ERR_LIMIT, member, "is out of its range");
    else
        *ret = v;
}

static void read_bool(struct reader *r, const struct json_node *of, str member, bool *ret)
{
    const struct json_node *n = json_get(of, member);
    if (!n)
        return;
    if (n->type != JSON_TRUE && n->type != JSON_FALSE)
        fail(r, ERR_INVALID, member, "is neither true nor false");
    else
        *ret = n->type == JSON_TRUE;
}

static void read_word(struct reader *r, const struct json_node *of, str member, const str *names, size_t n,
                      unsigned *ret)
{
    str word = { 0 };
    read_text(r, of, member, PROBE_ID_MAX, &word);
    if (word.len && !probe_name_find(names, n, word, ret))
        fail(r, ERR_INVALID, member, "is an unknown word");
}
#define READ_WORD(r, of, member, names, enum_type, target)                                    \
    do {                                                                                      \
        unsigned word_ = (unsigned)(target);                                                  \
        read_word((r), (of), STR(member), names, sizeof(names) / sizeof((names)[0]), &word_); \
        (target) = (enum_type)word_;                                                          \
    } while (0)

static const struct json_node *object_of(struct reader *r, const struct json_node *of, str member)
{
    const struct json_node *n = json_get(of, member);
    if (n && n->type != JSON_OBJECT) {
        fail(r, ERR_INVALID, member, "is no object");
        return NULL;
    }
    return n;
}

// NULL and 0 when there is none. size: of one element.
static void *list_of(struct reader *r, const struct json_node *list, str member, size_t max, size_t size, size_t *ret_n)
{
    void *p;
    *ret_n = 0;
    if (!list || r->rc)
        return NULL;
    if (list->n > max) {
        fail(r, ERR_LIMIT, member, "has too many entries");
        return NULL;
    }
    if (!list->n)
        return NULL;
    p = arena_zalloc(r->arena, list->n * size);
    if (!p)
        fail(r, ERR_NOMEM, member, "finds no memory");
    else
        *ret_n = list->n;
    return p;
}

static const struct json_node *array_of(struct reader *r, const struct json_node *of, str member)
{
    const struct json_node *n = json_get(of, member);
    if (n && n->type != JSON_ARRAY) {
        fail(r, ERR_INVALID, member, "is no list");
        return NULL;
    }
    return n;
}

static void read_program(struct reader *r, const struct json_node *n, str member, struct probe_program *ret)
{
    const struct json_node *tree;
    str code = { 0 };
    if (r->rc)
        return;
    if (!n || n->type != JSON_OBJECT) {
        fail(r, ERR_INVALID, member, "is no expression");
        return;
    }
    read_text(r, n, STR("text"), PROBE_TEXT_MAX, &ret->text);
    tree = object_of(r, n, STR("tree"));
    if (tree) { // as text: whoever needs the tree reads it with what checks it
        struct buf b;
        struct json_writer w;
        buf_init(&b, PROBE_TREE_MAX);
        json_writer_init(&w, &b);
        json_put_tree(&w, tree);
        if (b.error)
            fail(r, b.error, STR("tree"), "is too long");
        else if (arena_dup(r->arena, buf_view(&b), &ret->tree) < 0)
            fail(r, ERR_NOMEM, STR("tree"), "finds no memory");
        buf_free(&b);
    }
    read_text(r, n, STR("code"), (PROBE_CODE_MAX + 2) / 3 * 4, &code);
    if (code.len) {
        size_t room = base64_decoded_max(code.len), len = 0;
        uint8_t *p = arena_alloc_bytes(r->arena, room);
        if (!p)
            fail(r, ERR_NOMEM, STR("code"), "finds no memory");
        else if (!base64_decode(p, code, &len))
            fail(r, ERR_MALFORMED, STR("code"), "is no base64");
        else if (len > PROBE_CODE_MAX)
            fail(r, ERR_LIMIT, STR("code"), "is too long");
        else
            ret->code = bytes_of(p, len);
    }
}

bool probe_hit_read(str text, enum probe_hit_op *ret_op, uint32_t *ret_n)
{
    enum probe_hit_op op = PROBE_HIT_ALL;
    int64_t n = 0;
    str digits;
    if (!text.len) {
        *ret_op = op;
        *ret_n = 0;
        return true;
    }
    if (str_starts(text, STR("==")))
        op = PROBE_HIT_EQUAL;
    else if (str_starts(text, STR(">=")))
        op = PROBE_HIT_FROM;
    else if (str_starts(text, STR("%")))
        op = PROBE_HIT_EVERY;
    else
        return false;
    digits = str_trim(str_slice(text, op == PROBE_HIT_EVERY ? 1 : 2, text.len));
    if (!digits.len || digits.ptr[0] < '0' || digits.ptr[0] > '9' || !json_number_int(digits, &n) || n < 1 ||
        n > 1000000000)
        return false;
    *ret_op = op;
    *ret_n = (uint32_t)n;
    return true;
}

static void read_where(struct reader *r, const struct json_node *of, struct probe_where *w)
{
    const struct json_node *n = object_of(r, of, STR("where"));
    if (!n) {
        fail(r, ERR_INVALID, STR("where"), "is missing");
        return;
    }
    read_text(r, n, STR("file"), PROBE_PATH_MAX, &w->file);
    read_text(r, n, STR("function"), PROBE_FUNCTION_MAX, &w->function);
    read_text(r, n, STR("module"), PROBE_FUNCTION_MAX, &w->module);
    read_text(r, n, STR("exception"), PROBE_FUNCTION_MAX, &w->exception);
    read_bool(r, n, STR("uncaught"), &w->uncaught);
    read_uint(r, n, STR("line"), 1, 100000000, &w->line);
    read_uint(r, n, STR("column"), 1, 1000000, &w->column);
    READ_WORD(r, n, "at", probe_point_names, enum probe_point, w->point);
    if (w->exception.len)
        w->kind = PROBE_AT_EXCEPTION;
    else if (w->line && w->file.len)
        w->kind = PROBE_AT_LINE;
    else if (w->function.len)
        w->kind = PROBE_AT_FUNCTION;
    else
        fail(r, ERR_INVALID, STR("where"), "names neither a line, nor a function, nor an exception");
}

static void read_log(struct reader *r, const struct json_node *of, struct probe *p)
{
    const struct json_node *n = object_of(r, of, STR("log")), *parts, *e;
    struct probe_part *list;
    if (!n)
        return;
    p->has_log = true;
    READ_WORD(r, n, "level", probe_level_names, enum probe_level, p->log.level);
    read_text(r, n, STR("template"), PROBE_TEXT_MAX, &p->log.text);
    parts = array_of(r, n, STR("parts"));
    list = list_of(r, parts, STR("parts"), PROBE_PARTS_MAX, sizeof(*list), &p->log.n_parts);
    e = parts ? parts->first : NULL;
    for (size_t i = 0; i < p->log.n_parts; i++, e = e->next) {
        const struct json_node *expr = object_of(r, e, STR("expr"));
        list[i].is_expr = expr;
        if (expr)
            read_program(r, expr, STR("parts"), &list[i].expr);
        else if (!json_is(json_get(e, STR("text")), JSON_STRING))
            fail(r, ERR_INVALID, STR("parts"), "holds something that is neither text nor expression");
        else
            read_text(r, e, STR("text"), PROBE_TEXT_MAX, &list[i].text);
    }
    p->log.parts = list;
}

static void read_metric(struct reader *r, const struct json_node *of, struct probe *p)
{
    const struct json_node *n = object_of(r, of, STR("metric")), *by, *value, *e;
    struct probe_by *list;
    if (!n)
        return;
    p->has_metric = true;
    READ_WORD(r, n, "kind", probe_metric_names, enum probe_metric_kind, p->metric.kind);
    read_text(r, n, STR("name"), PROBE_FUNCTION_MAX, &p->metric.name);
    value = json_get(n, STR("value"));
    if (value) {
        p->metric.has_value = true;
        read_program(r, value, STR("value"), &p->metric.value);
    }
    by = object_of(r, n, STR("by"));
    list = list_of(r, by, STR("by"), PROBE_BY_MAX, sizeof(*list), &p->metric.n_by);
    e = by ? by->first : NULL;
    for (size_t i = 0; i < p->metric.n_by; i++, e = e->next) {
        if (e->key.len > PROBE_FUNCTION_MAX)
            fail(r, ERR_LIMIT, STR("by"), "has a name that is too long");
        list[i].name = e->key;
        read_program(r, e, STR("by"), &list[i].value);
    }
    p->metric.by = list;
}

static void read_instances(struct reader *r, const struct json_node *n, struct probe *p)
{
    const struct json_node *v = json_get(n, STR("instances"));
    int64_t count;
    str digits;
    if (!v || (v->type == JSON_STRING && str_eq(v->text, STR("all"))))
        return;
    digits = v->text;
    p->scope.spread = PROBE_ON_COUNT;
    if (v->type == JSON_STRING && str_ends(digits, STR("%"))) {
        p->scope.spread = PROBE_ON_PERCENT;
        digits.len--;
    }
    if ((v->type != JSON_STRING && v->type != JSON_NUMBER) || !json_number_int(digits, &count) || count < 1 ||
        count > (p->scope.spread == PROBE_ON_PERCENT ? 100 : 100000))
        fail(r, ERR_INVALID, STR("instances"), "is neither all, nor a number, nor a percentage");
    else
        p->scope.instances = (uint32_t)count;
}

static void read_scope(struct reader *r, const struct json_node *of, struct probe *p)
{
    const struct json_node *n = object_of(r, of, STR("scope")), *processes, *e;
    str *list;
    if (!n)
        return;
    read_text(r, n, STR("service"), PROBE_FUNCTION_MAX, &p->scope.service);
    read_text(r, n, STR("version"), PROBE_FUNCTION_MAX, &p->scope.version);
    read_text(r, n, STR("environment"), PROBE_FUNCTION_MAX, &p->scope.environment);
    read_text(r, n, STR("host"), PROBE_FUNCTION_MAX, &p->scope.host);
    read_uint(r, n, STR("pid"), 1, 1 << 22, &p->scope.pid);
    processes = array_of(r, n, STR("processes"));
    list = list_of(r, processes, STR("processes"), PROBE_PROCESSES_MAX, sizeof(*list), &p->scope.n_processes);
    e = processes ? processes->first : NULL;
    for (size_t i = 0; i < p->scope.n_processes; i++, e = e->next) {
        list[i] = json_text_of(e);
        if (!list[i].len || list[i].len > PROBE_ID_MAX)
            fail(r, ERR_INVALID, STR("processes"), "holds something that is no process");
    }
    p->scope.processes = list;
    read_instances(r, n, p);
}

static void read_life(struct reader *r, const struct json_node *n, struct probe *p)
{
    str text = { 0 };
    double rate = p->rate;
    read_text(r, n, STR("expires"), 64, &text);
    if (text.len && !parse_rfc3339(text, &p->expires_ns))
        fail(r, ERR_INVALID, STR("expires"), "is no time");
    read_uint(r, n, STR("grant"), 0, 10000, &p->grant);
    read_double(r, n, STR("rate"), 10000, &rate);
    p->rate = rate;
    read_uint(r, n, STR("burst"), 0, 10000, &p->burst);
    read_bool(r, n, STR("paused"), &p->paused);
    read_bool(r, n, STR("count_only"), &p->count_only);
}

void probe_defaults(struct probe *p, enum probe_kind kind)
{
    *p = (struct probe){ .kind = kind };
#define DEFAULT(member, name, value, least, most, what) p->member = value;
    PROBE_LIMIT_TABLE(DEFAULT)
#undef DEFAULT
    p->match = PROBE_MATCH_FOLLOW;
    p->sample = 1;
    p->locals = p->args = true;
    p->log.level = PROBE_INFO;
    p->rate = kind == PROBE_LOG ? 50 : kind == PROBE_METRIC || kind == PROBE_TIMER ? 1000 : 1;
    p->burst = kind == PROBE_LOG ? 200 : kind == PROBE_METRIC || kind == PROBE_TIMER ? 2000 : 5;
}

int probe_read_node(const struct json_node *node, struct arena *arena, struct probe *ret_probe, struct err *err)
{
    struct reader r = { .arena = arena, .err = err };
    struct probe p;
    const struct json_node *exprs, *e;
    struct probe_program *list;
    enum probe_kind kind = PROBE_KINDS;
    str hit = { 0 };
    if (!json_is(node, JSON_OBJECT))
        return err_set(err, ERR_INVALID, "invalid_probe", "A probe is an object.");
    READ_WORD(&r, node, "kind", probe_kind_names, enum probe_kind, kind);
    if (kind == PROBE_KINDS)
        fail(&r, ERR_INVALID, STR("kind"), "is missing");
    probe_defaults(&p, kind);
    read_text(&r, node, STR("id"), PROBE_ID_MAX, &p.id);
    if (!p.id.len)
        fail(&r, ERR_INVALID, STR("id"), "is missing");
    read_uint(&r, node, STR("revision"), 0, UINT32_MAX, &p.revision);
    read_where(&r, node, &p.where);
    READ_WORD(&r, node, "match", probe_match_names, enum probe_match, p.match);
    read_text(&r, node, STR("source_hash"), 64, &p.source_hash);
    read_text(&r, node, STR("line_hash"), 64, &p.line_hash);
    read_text(&r, node, STR("function"), PROBE_FUNCTION_MAX, &p.follow_function);
    e = json_get(node, STR("if"));
    if (e) {
        p.has_condition = true;
        read_program(&r, e, STR("if"), &p.condition);
    }
    read_text(&r, node, STR("hit"), PROBE_ID_MAX, &hit);
    if (!probe_hit_read(hit, &p.hit_op, &p.hit_n))
        fail(&r, ERR_INVALID, STR("hit"), "is none of ==n, >=n, %n");
    read_double(&r, node, STR("sample"), 1, &p.sample);
    READ_WORD(&r, node, "keep", probe_keep_names, enum probe_keep, p.keep);
    read_uint(&r, node, STR("keep_ms"), 0, 86400000, &p.keep_ms);
    if (p.keep != PROBE_KEEP_ALWAYS && !probe_counts_only(&p)) { // most of what is captured is let go again
        p.rate = KEEP_RATE;
        p.burst = KEEP_BURST;
    }
#define LIMIT(member, name, value, least, most, what) read_uint(&r, node, STR(name), least, most, &p.member);
    PROBE_LIMIT_TABLE(LIMIT)
#undef LIMIT
    read_bool(&r, node, STR("locals"), &p.locals);
    read_bool(&r, node, STR("args"), &p.args);
    exprs = array_of(&r, node, STR("exprs"));
    list = list_of(&r, exprs, STR("exprs"), PROBE_EXPRS_MAX, sizeof(*list), &p.n_exprs);
    e = exprs ? exprs->first : NULL;
    for (size_t i = 0; i < p.n_exprs; i++, e = e->next)
        read_program(&r, e, STR("exprs"), &list[i]);
    p.exprs = list;
    read_log(&r, node, &p);
    read_metric(&r, node, &p);
    read_scope(&r, node, &p);
    read_life(&r, node, &p);
    if (p.kind == PROBE_LOG && !p.has_log)
        fail(&r, ERR_INVALID, STR("log"), "is missing");
    if ((p.kind == PROBE_METRIC || p.kind == PROBE_TIMER) && !p.has_metric)
        fail(&r, ERR_INVALID, STR("metric"), "is missing");
    if (p.kind == PROBE_METRIC && p.metric.kind != PROBE_METRIC_COUNT && !p.metric.has_value)
        fail(&r, ERR_INVALID, STR("value"), "is missing");
    if (p.kind == PROBE_TIMER) { // of a function, from its entry to its exit, however it is left
        if (p.where.kind != PROBE_AT_FUNCTION)
            fail(&r, ERR_INVALID, STR("where"), "names no function");
        p.where.point = PROBE_EXIT;
        p.metric.kind = PROBE_METRIC_HISTOGRAM;
        p.metric.has_value = false;
    }
    if (p.kind == PROBE_EXCEPTION && p.where.kind != PROBE_AT_EXCEPTION)
        fail(&r, ERR_INVALID, STR("where"), "names no exception");
    if (r.rc == 0)
        *ret_probe = p;
    return r.rc;
}

bool probe_read_whose(const struct json_node *node, struct arena *arena, struct probe *ret_probe)
{
    struct err ignored;
    struct reader r = { .arena = arena, .err = &ignored };
    struct probe p;
    if (!json_is(node, JSON_OBJECT))
        return false;
    probe_defaults(&p, PROBE_SNAPSHOT);
    read_text(&r, node, STR("id"), PROBE_ID_MAX, &p.id);
    read_uint(&r, node, STR("revision"), 0, UINT32_MAX, &p.revision);
    r.rc = 0; // each of these for itself: what is wrong in one leaves it open
    read_scope(&r, node, &p);
    r.rc = 0;
    read_life(&r, node, &p);
    *ret_probe = p;
    return p.id.len > 0;
}

int probe_read(str json, struct arena *arena, struct probe *ret_probe, struct err *err)
{
    const struct json_node *root;
    int rc;
    if (json.len > PROBE_JSON_MAX)
        return err_set(err, ERR_LIMIT, "invalid_probe", "A probe is too large.");
    rc = json_tree_read(json, arena, PROBE_JSON_DEPTH, &root, err);
    return rc < 0 ? rc : probe_read_node(root, arena, ret_probe, err);
}

void probe_slot_setup_of(const struct probe *p, struct probe_slot_setup *ret_setup)
{
    *ret_setup = (struct probe_slot_setup){
        .revision = p->revision,
        .rate = p->rate,
        .burst = p->burst,
        .sample = p->sample,
        .hit_op = p->hit_op,
        .hit_n = p->hit_n,
        .granted = p->grant,
    };
}
