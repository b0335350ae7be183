// The expressions of a probe, checked and compiled where they are written: an agent is sent only what it can verify.
#include "live/live_internal.h"
#include "probe/code.h"
#include "probe/expr.h"
#include "probe/template.h"

static int put_expression(const struct probe_expr *e, struct json_writer *w, struct err *err)
{
    struct buf code;
    buf_init(&code, PROBE_CODE_SIZE_MAX);
    int r = probe_expr_compile(e, &code, err);
    if (r == 0) {
        json_put_object(w);
        json_put_key(w, STR("text"));
        json_put_str(w, e->text);
        json_put_key(w, STR("tree"));
        probe_expr_json(e, w);
        json_put_key(w, STR("code"));
        json_put_base64(w, buf_bytes(&code));
        json_put_object_end(w);
    }
    buf_free(&code);
    return r;
}

static int parse(str text, bool condition, struct arena *arena, struct probe_expr **ret, struct err *err)
{
    return condition ? probe_condition_parse(text, arena, ret, err) : probe_expr_parse(text, arena, ret, err);
}

int language_expression(str text, bool condition, struct arena *arena, struct json_writer *w, struct err *err)
{
    struct probe_expr *e;
    int r = parse(text, condition, arena, &e, err);
    return r == 0 && w ? put_expression(e, w, err) : r;
}

int language_parts(str text, struct arena *arena, struct json_writer *w, struct err *err)
{
    struct probe_template t;
    int r = probe_template_parse(text, arena, &t, err);
    if (r < 0 || !w)
        return r;
    json_put_array(w);
    for (size_t i = 0; i < t.n_parts && r == 0; i++) {
        json_put_object(w);
        json_put_key(w, t.parts[i].expr ? STR("expr") : STR("text"));
        if (t.parts[i].expr)
            r = put_expression(t.parts[i].expr, w, err);
        else
            json_put_str(w, t.parts[i].text);
        json_put_object_end(w);
    }
    json_put_array_end(w);
    return r;
}

int live_check(str as, str text, struct arena *arena, const char **ret_type, struct err *err)
{
    struct probe_expr *e;
    if (str_eq(as, STR("template"))) {
        *ret_type = "str";
        return language_parts(text, arena, NULL, err);
    }
    bool condition = str_eq(as, STR("condition"));
    if (!condition && !str_eq(as, STR("expression")))
        return err_set(err, ERR_NOENT, "bad_argument", "`as` is one of: condition expression template");
    int r = parse(text, condition, arena, &e, err);
    if (r == 0)
        *ret_type = probe_type_name(e->type).ptr;
    return r;
}
