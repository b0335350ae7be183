#include "main/snapshot_text.h"

#include "base/timefmt.h"
#include "main/human.h"

enum { DEPTH = 16, TEXT_COLUMNS = 160, FRAMES_BARE = 12, LABEL_WIDTH = 10 };

static void put_quoted(struct buf *out, str s)
{
    buf_byte(out, '"');
    human_cut(out, s, TEXT_COLUMNS);
    buf_byte(out, '"');
}

static bool is(str kind, const char *name) { return str_eq(kind, str_z(name)); }

static const struct json_node *children(const struct json_node *v)
{
    static const str lists[] = { STR_INIT("f"), STR_INIT("e"), STR_INIT("i") };
    for (size_t k = 0; k < 3; k++)
        if (json_first_of(json_get(v, lists[k]), JSON_ARRAY))
            return json_first_of(json_get(v, lists[k]), JSON_ARRAY);
    return NULL;
}

// What a value is, without what is in it.
static void put_head(struct buf *out, const struct json_node *v)
{
    str kind = json_get_text(v, STR("k")), type = json_get_text(v, STR("t"));
    const struct json_node *x = json_get(v, STR("v"));
    if (is(kind, "missing")) {
        str rule = json_get_text(v, STR("rule"));
        buf_str(out, STR("<"));
        visible_escape(out, json_get_text(v, STR("why")));
        if (rule.len) {
            buf_str(out, STR(": "));
            visible_escape(out, rule);
        }
        buf_byte(out, '>');
    } else if (is(kind, "null")) {
        buf_str(out, STR("null"));
    } else if (is(kind, "ref")) {
        buf_str(out, STR("-> #"));
        visible_escape(out, x ? x->text : (str){ 0 });
    } else if (is(kind, "str")) {
        put_quoted(out, json_text_of(x));
    } else if (is(kind, "bool")) {
        buf_str(out, json_is(x, JSON_TRUE) ? STR("true") : STR("false"));
    } else if (is(kind, "bytes")) {
        buf_str(out, STR("bytes in base64 "));
        put_quoted(out, json_text_of(x));
    } else if (x && x->text.len) {
        human_cut(out, x->text, TEXT_COLUMNS);
    } else {
        visible_escape(out, type.len ? type : kind);
        if (json_get(v, STR("n")))
            buf_printf(out, " (%lld)", (long long)json_get_int(v, STR("n")));
    }
    if (json_get(v, STR("id")))
        buf_printf(out, "  #%lld", (long long)json_get_int(v, STR("id")));
    if (json_get_text(v, STR("cut")).len) {
        buf_str(out, STR("  cut: "));
        visible_escape(out, json_get_text(v, STR("cut")));
    }
}

static void put_indent(struct buf *out, int depth) { buf_printf(out, "%*s", 4 + 2 * depth, ""); }

static void put_tree(struct buf *out, const struct json_node *v, int depth)
{
    int64_t at = 0;
    bool pairs = json_first_of(json_get(v, STR("e")), JSON_ARRAY),
         fields = json_first_of(json_get(v, STR("f")), JSON_ARRAY);
    put_head(out, v);
    buf_byte(out, '\n');
    for (const struct json_node *c = depth < DEPTH ? children(v) : NULL; c; c = c->next, at++) {
        put_indent(out, depth);
        if (fields) {
            visible_escape(out, json_text_of(c->first));
        } else {
            buf_byte(out, '[');
            if (pairs)
                put_head(out, c->first);
            else
                buf_printf(out, "%lld", (long long)at);
            buf_byte(out, ']');
        }
        buf_str(out, STR(" = "));
        put_tree(out, fields || pairs ? (c->first ? c->first->next : NULL) : c, depth + 1);
    }
}

static void put_named(struct buf *out, str name, const struct json_node *value)
{
    buf_str(out, STR("  "));
    visible_escape(out, name);
    buf_str(out, STR(" = "));
    put_tree(out, value, 0);
}

static void put_place(struct buf *out, const struct json_node *f)
{
    visible_escape(out, json_get_text(f, STR("function")));
    buf_str(out, STR("  "));
    visible_escape(out, json_get_text(f, STR("file")));
    buf_printf(out, ":%lld\n", (long long)json_get_int(f, STR("line")));
}

static void put_frames(struct buf *out, const struct json_node *capture)
{
    const struct json_node *first = json_first_of(json_get(capture, STR("frames")), JSON_ARRAY);
    bool after_vars = false;
    int bare = 0;
    for (const struct json_node *f = first; f; f = f->next) {
        bool shown = f == first || json_is(json_get(f, STR("in_app")), JSON_TRUE); // of libraries: with --json
        const struct json_node *vars = shown ? json_first_of(json_get(f, STR("vars")), JSON_ARRAY) : NULL;
        if (!vars && ++bare > FRAMES_BARE) {
            buf_str(out, STR("...\n"));
            break;
        }
        buf_str(out, vars || after_vars ? STR("\n") : STR(""));
        after_vars = vars;
        put_place(out, f);
        for (; vars; vars = vars->next)
            put_named(out, json_get_text(vars, STR("name")), json_get(vars, STR("value")));
    }
}

void snapshot_text(struct buf *out, const struct json_node *capture)
{
    int64_t ns;
    human_labelled(out, LABEL_WIDTH, "snapshot", json_get_text(capture, STR("id")));
    human_labelled(out, LABEL_WIDTH, "probe", json_get_text(capture, STR("probe")));
    if (parse_rfc3339(json_get_text(capture, STR("time")), &ns)) {
        buf_printf(out, "%-*s", LABEL_WIDTH, "time");
        human_time(out, ns);
        buf_byte(out, '\n');
    }
    human_labelled(out, LABEL_WIDTH, "service", json_get_text(capture, STR("service")));
    human_labelled(out, LABEL_WIDTH, "instance", json_get_text(capture, STR("instance")));
    human_labelled(out, LABEL_WIDTH, "thread", json_get_text(json_get(capture, STR("thread")), STR("name")));
    human_labelled(out, LABEL_WIDTH, "trace", json_get_text(capture, STR("trace")));
    human_labelled(out, LABEL_WIDTH, "span", json_get_text(capture, STR("span")));
    human_labelled(out, LABEL_WIDTH, "log", json_get_text(json_get(capture, STR("log")), STR("body")));
    const struct json_node *e = json_first_of(json_get(capture, STR("exprs")), JSON_ARRAY);
    if (e)
        buf_byte(out, '\n');
    for (; e; e = e->next) {
        str error = json_get_text(e, STR("error"));
        if (!error.len) {
            put_named(out, json_get_text(e, STR("text")), json_get(e, STR("value")));
            continue;
        }
        buf_str(out, STR("  "));
        visible_escape(out, json_get_text(e, STR("text")));
        buf_str(out, STR(": "));
        visible_escape(out, error);
        buf_byte(out, '\n');
    }
    put_frames(out, capture);
}
