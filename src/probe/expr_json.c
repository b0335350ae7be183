// The tree as JSON. One object a node, known by its first members (docs/probes.md):
//   {"value":V}  V null, bool, float, text; {"int":"digits"}  {"name":"x"} {"param":"x"} {"special":"hit"} {"frame":1,"name":"x"}
//   {"static":"C"} {"field":"x","of":N,"soft":true} {"index":N,"of":N,"soft":true} {"matches":"re","of":N}
//   {"op":"+","args":[N,N]} {"list":[N..]} {"call":"any","args":[N,N],"params":["x"]}
// and "at", "len": the bytes of the text that it stands for.
#include "base/numfmt.h"
#include "probe/expr_internal.h"

static void put_text(struct json_writer *w, const char *key, str s)
{
    json_put_key(w, str_z(key));
    json_put_str(w, s);
}

static void put_node(struct json_writer *w, const struct probe_node *node);

static void put_args(struct json_writer *w, const char *key, const struct probe_node *node)
{
    json_put_key(w, str_z(key));
    json_put_array(w);
    for (unsigned i = 0; i < node->n; i++)
        put_node(w, node->args[i]);
    json_put_array_end(w);
}

static void put_literal(struct json_writer *w, const struct probe_val *v)
{
    char tmp[32];
    if (v->kind == PROBE_VAL_INT) { // as text: readers in JavaScript have doubles
        put_text(w, "int", str_of(tmp, (size_t)fmt_i64(tmp, v->i)));
        return;
    }
    json_put_key(w, STR("value"));
    if (v->kind == PROBE_VAL_NULL)
        json_put_null(w);
    else if (v->kind == PROBE_VAL_BOOL)
        json_put_bool(w, v->b);
    else if (v->kind == PROBE_VAL_FLOAT)
        json_put_double(w, v->f);
    else
        json_put_str(w, v->s);
}

static void put_of(struct json_writer *w, const struct probe_node *node)
{
    json_put_key(w, STR("of"));
    put_node(w, node->args[0]);
    if (node->soft) {
        json_put_key(w, STR("soft"));
        json_put_bool(w, true);
    }
}

static void put_node(struct json_writer *w, const struct probe_node *node)
{
    json_put_object(w);
    switch (node->kind) {
    case PROBE_NODE_LITERAL:
        put_literal(w, &node->value);
        break;
    case PROBE_NODE_NAME:
        put_text(w, "name", node->name);
        break;
    case PROBE_NODE_PARAM:
        put_text(w, "param", node->name);
        break;
    case PROBE_NODE_SPECIAL:
        put_text(w, "special", probe_special_name((enum probe_special)node->special));
        break;
    case PROBE_NODE_FRAME:
        json_put_key(w, STR("frame"));
        json_put_int(w, node->frame);
        put_text(w, "name", node->name);
        break;
    case PROBE_NODE_STATIC:
        put_text(w, "static", node->name);
        break;
    case PROBE_NODE_FIELD:
        put_text(w, "field", node->name);
        put_of(w, node);
        break;
    case PROBE_NODE_INDEX:
        json_put_key(w, STR("index"));
        put_node(w, node->args[1]);
        put_of(w, node);
        break;
    case PROBE_NODE_MATCHES:
        put_text(w, "matches", node->name);
        put_of(w, node);
        break;
    case PROBE_NODE_LIST:
        put_args(w, "list", node);
        break;
    case PROBE_NODE_CALL:
        put_text(w, "call", probe_function_name((enum probe_function)node->function));
        put_args(w, "args", node);
        if (node->n_params) {
            json_put_key(w, STR("params"));
            json_put_array(w);
            for (unsigned i = 0; i < node->n_params; i++)
                json_put_str(w, node->params[i]);
            json_put_array_end(w);
        }
        break;
    default:
        put_text(w, "op", probe_operator_name((enum probe_node_kind)node->kind));
        put_args(w, "args", node);
    }
    json_put_key(w, STR("at"));
    json_put_int(w, node->at);
    json_put_key(w, STR("len"));
    json_put_int(w, node->len);
    json_put_object_end(w);
}

void probe_expr_json(const struct probe_expr *e, struct json_writer *w) { put_node(w, e->root); }

// --- and back
struct reader {
    struct expr_builder b;
    unsigned depth;
};

static int bad(struct reader *r, const char *what)
{
    return expr_fail(&r->b, ERR_INVALID, "syntax", 0, 0, "a tree with %s", what);
}

static int read_node(struct reader *r, const struct json_node *json, struct probe_node **ret);

// The member even when it is null; the last one of that name counts.
static const struct json_node *member(const struct json_node *json, const char *name)
{
    const struct json_node *found = NULL;
    for (const struct json_node *m = json_first_of(json, JSON_OBJECT); m; m = m->next)
        if (str_eq(m->key, str_z(name)))
            found = m;
    return found;
}

static uint16_t place(const struct json_node *json, const char *name)
{
    int64_t i;
    return json_int_of(member(json, name), &i) && i >= 0 && i <= PROBE_EXPR_TEXT_MAX ? (uint16_t)i : 0;
}

static int make(struct reader *r, const struct json_node *json, enum probe_node_kind kind, unsigned n,
                struct probe_node **ret)
{
    *ret = expr_node(&r->b, kind, n, place(json, "at"), place(json, "len"));
    return *ret ? 0 : r->b.err->code;
}

static int read_args(struct reader *r, const struct json_node *list, struct probe_node *node)
{
    unsigned i = 0;
    for (const struct json_node *e = list->first; e; e = e->next, i++) {
        int code = read_node(r, e, &node->args[i]);
        if (code)
            return code;
    }
    return 0;
}

static int read_list(struct reader *r, const struct json_node *json, const char *key, enum probe_node_kind kind,
                     struct probe_node **ret)
{
    const struct json_node *list = member(json, key);
    if (!json_is(list, JSON_ARRAY))
        return bad(r, "a node without arguments");
    if (list->n > PROBE_EXPR_NODES_MAX)
        return expr_fail(&r->b, ERR_LIMIT, "too_many_terms", 0, 0, "more than %d parts", PROBE_EXPR_NODES_MAX);
    int code = make(r, json, kind, list->n, ret);
    return code ? code : read_args(r, list, *ret);
}

static int read_text(struct reader *r, const struct json_node *json, const char *key, size_t most, str *ret)
{
    const struct json_node *m = member(json, key);
    if (!json_is(m, JSON_STRING) || m->text.len > most)
        return bad(r, "a text that is none, or too long");
    *ret = m->text;
    return 0;
}

static int read_name(struct reader *r, const struct json_node *json, const char *key, enum probe_node_kind kind,
                     struct probe_node **ret)
{
    str name;
    int code = read_text(r, json, key, PROBE_EXPR_NAME_MAX, &name);
    if (code == 0 && name.len == 0)
        code = bad(r, "an empty name");
    if (code == 0)
        code = make(r, json, kind, 0, ret);
    if (code == 0)
        (*ret)->name = name;
    return code;
}

static int read_literal(struct reader *r, const struct json_node *json, struct probe_node **ret)
{
    const struct json_node *v = member(json, "value"), *i = member(json, "int");
    struct probe_val val = { 0 };
    if (i) {
        val.kind = PROBE_VAL_INT;
        if (i->type != JSON_STRING || !parse_i64(i->text, &val.i))
            return bad(r, "an int that is none");
    } else if (v->type == JSON_TRUE || v->type == JSON_FALSE) {
        val.kind = PROBE_VAL_BOOL;
        val.b = v->type == JSON_TRUE;
    } else if (v->type == JSON_NUMBER) {
        val.kind = PROBE_VAL_FLOAT;
        if (!parse_double(v->text, &val.f) || val.f > 1.7976931348623157e308 || val.f < -1.7976931348623157e308)
            return bad(r, "a number beyond all");
    } else if (v->type == JSON_STRING) {
        val.kind = PROBE_VAL_STR;
        val.s = v->text;
        if (val.s.len > PROBE_EXPR_TEXT_MAX)
            return bad(r, "a text that is too long");
    } else if (v->type != JSON_NULL) {
        return bad(r, "a literal that is none");
    }
    int code = make(r, json, PROBE_NODE_LITERAL, 0, ret);
    if (code == 0)
        (*ret)->value = val;
    return code;
}

// {"field" | "index" | "matches": .., "of": NODE, "soft": bool}
static int read_of(struct reader *r, const struct json_node *json, const char *key, enum probe_node_kind kind,
                   struct probe_node **ret)
{
    bool index = kind == PROBE_NODE_INDEX;
    int code = make(r, json, kind, 1 + index, ret);
    if (code)
        return code;
    if (index)
        code = read_node(r, member(json, key), &(*ret)->args[1]);
    else
        code = read_text(r, json, key, kind == PROBE_NODE_FIELD ? PROBE_EXPR_NAME_MAX : PROBE_EXPR_TEXT_MAX,
                         &(*ret)->name);
    if (code == 0 && kind == PROBE_NODE_FIELD && (*ret)->name.len == 0)
        code = bad(r, "an empty name");
    (*ret)->soft = kind != PROBE_NODE_MATCHES && json_is(member(json, "soft"), JSON_TRUE);
    return code ? code : read_node(r, member(json, "of"), &(*ret)->args[0]);
}

static int read_call(struct reader *r, const struct json_node *json, struct probe_node **ret)
{
    const struct json_node *params = member(json, "params");
    str word;
    int code = read_text(r, json, "call", 32, &word), function = code ? -1 : expr_function_of(word);
    if (code)
        return code;
    if (function < 0)
        return expr_fail(&r->b, ERR_INVALID, "unknown_function", 0, 0, "a tree with a function that there is not");
    if ((code = read_list(r, json, "args", PROBE_NODE_CALL, ret)) != 0)
        return code;
    (*ret)->function = (uint8_t)function;
    if (params && (params->type != JSON_ARRAY || params->n == 0 || params->n > 2))
        return bad(r, "parameters that are none");
    for (const struct json_node *p = params ? params->first : NULL; p; p = p->next) {
        if (p->type != JSON_STRING)
            return bad(r, "a parameter that is no text");
        (*ret)->params[(*ret)->n_params++] = p->text;
    }
    return 0;
}

static int read_operator(struct reader *r, const struct json_node *json, struct probe_node **ret)
{
    str word;
    int code = read_text(r, json, "op", 8, &word), kind = code ? -1 : expr_operator_of(word);
    if (code)
        return code;
    if (kind < 0)
        return bad(r, "an operator that there is not");
    if ((code = read_list(r, json, "args", (enum probe_node_kind)kind, ret)) != 0)
        return code;
    unsigned wanted = kind == PROBE_NODE_NOT || kind == PROBE_NODE_NEG ? 1 : kind == PROBE_NODE_IF ? 3 : 2;
    return (*ret)->n == wanted ? 0 : bad(r, "an operator with too few or too many arguments");
}

static int read_frame(struct reader *r, const struct json_node *json, struct probe_node **ret)
{
    int64_t n;
    int code = read_name(r, json, "name", PROBE_NODE_FRAME, ret);
    if (code)
        return code;
    if (!json_int_of(member(json, "frame"), &n) || n < 0 || n > PROBE_FRAME_MAX)
        return bad(r, "a frame that there is not");
    (*ret)->frame = (uint8_t)n;
    return 0;
}

static int read_special(struct reader *r, const struct json_node *json, struct probe_node **ret)
{
    str word;
    int code = read_text(r, json, "special", 32, &word), special = code ? -1 : expr_special_of(word);
    if (code)
        return code;
    if (special < 0)
        return expr_fail(&r->b, ERR_INVALID, "unknown_name", 0, 0, "a tree with an @name that there is not");
    if ((code = make(r, json, PROBE_NODE_SPECIAL, 0, ret)) == 0)
        (*ret)->special = (uint8_t)special;
    return code;
}

static int read_any(struct reader *r, const struct json_node *json, struct probe_node **ret)
{
    if (member(json, "op"))
        return read_operator(r, json, ret);
    if (member(json, "value") || member(json, "int"))
        return read_literal(r, json, ret);
    if (member(json, "frame"))
        return read_frame(r, json, ret);
    if (member(json, "name"))
        return read_name(r, json, "name", PROBE_NODE_NAME, ret);
    if (member(json, "param"))
        return read_name(r, json, "param", PROBE_NODE_PARAM, ret);
    if (member(json, "static"))
        return read_name(r, json, "static", PROBE_NODE_STATIC, ret);
    if (member(json, "special"))
        return read_special(r, json, ret);
    if (member(json, "field"))
        return read_of(r, json, "field", PROBE_NODE_FIELD, ret);
    if (member(json, "index"))
        return read_of(r, json, "index", PROBE_NODE_INDEX, ret);
    if (member(json, "matches"))
        return read_of(r, json, "matches", PROBE_NODE_MATCHES, ret);
    if (member(json, "call"))
        return read_call(r, json, ret);
    if (member(json, "list"))
        return read_list(r, json, "list", PROBE_NODE_LIST, ret);
    return bad(r, "a node of no kind");
}

static int read_node(struct reader *r, const struct json_node *json, struct probe_node **ret)
{
    if (!json_is(json, JSON_OBJECT))
        return bad(r, "a node that is no object");
    if (++r->depth > PROBE_EXPR_DEPTH_MAX)
        return expr_fail(&r->b, ERR_LIMIT, "too_deep", 0, 0, "a tree of more than %d levels", PROBE_EXPR_DEPTH_MAX);
    int code = read_any(r, json, ret);
    r->depth--;
    return code;
}

int probe_expr_read(const struct json_node *json, str text, struct arena *arena, struct probe_expr **ret,
                    struct err *err)
{
    struct err own = { 0 };
    struct reader r = { .b = { .text = text, .arena = arena, .err = err ? err : &own } };
    struct probe_node *root;
    if (text.len > PROBE_EXPR_TEXT_MAX)
        return expr_fail(&r.b, ERR_LIMIT, "too_long", 0, 0, "an expression of more than %d bytes", PROBE_EXPR_TEXT_MAX);
    int code = read_node(&r, json, &root);
    return code ? code : expr_check(&r.b, root, ret);
}
