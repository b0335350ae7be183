#include "agent/node/record.h"
#include "agent/node/map_files.h"
#include "probe/capture.h"
#include "probe/redact.h"
#include "probe/vm.h"

#include <stdio.h>
#include <stdlib.h>

enum { NODE_DEPTH = 64 };

static int64_t number(const struct json_node *o, const char *key)
{
    int64_t i = 0;
    json_int_of(json_get(o, str_z(key)), &i);
    return i;
}

bool record_is_capture(const struct json_node *record) { return json_is(json_get(record, STR("f")), JSON_ARRAY); }

// --- failures of expressions, in words ---

static int reason_of(str slug)
{
    for (int r = 1; r < PROBE_FAULT_COUNT; r++)
        if (str_eq(probe_fault_slug((unsigned)r), slug))
            return r;
    return PROBE_FAULT_UNREADABLE;
}

// Of probes that count.
static const struct {
    const char *slug, *words;
} uncounted[] = {
    { "number", "the value is no number" },
    { "finite", "the value is no finite number" },
    { "rising", "the value of a counter is below 0" },
    { "begun", "the call had begun before the probe was placed" },
};

static size_t fault_words(const struct json_node *fault, str text, char *out, size_t cap)
{
    for (size_t i = 0; i < sizeof uncounted / sizeof *uncounted; i++)
        if (str_eq(json_get_text(fault, STR("r")), str_z(uncounted[i].slug))) {
            int n = snprintf(out, cap, "%s", uncounted[i].words);
            return n < (int)cap ? (size_t)n : cap ? cap - 1 : 0;
        }
    int64_t w = number(fault, "w");
    struct probe_fault f = { .reason = (uint8_t)reason_of(json_get_text(fault, STR("r"))),
                             .at = (uint16_t)((w >> 11) & 2047),
                             .len = (uint16_t)(w & 2047) };
    return probe_fault_text(&f, text, out, cap);
}

static const struct probe_program *program_at(const struct probe *p, int64_t i)
{
    static const struct probe_program none = { 0 };
    if (i == -1)
        return p->has_condition ? &p->condition : &none;
    if (probe_counts_only(p))
        return i >= 0 && (size_t)i < p->metric.n_by ? &p->metric.by[i].value
               : p->metric.has_value                ? &p->metric.value
                                                    : &none;
    if (i >= 0 && (size_t)i < p->n_exprs)
        return &p->exprs[i];
    for (size_t k = 0; k < p->log.n_parts && i >= 0; k++)
        if (p->log.parts[k].is_expr && (size_t)i-- == p->n_exprs)
            return &p->log.parts[k].expr;
    return &none;
}

void record_counts(const struct json_node *record, const struct probe *probe, struct probe_counts *ret, int *ret_state,
                   char *error, size_t n)
{
    const struct json_node *dropped = json_first_of(json_get(record, STR("dropped")), JSON_ARRAY);
    int64_t d[4] = { 0 };
    for (int i = 0; i < 4 && dropped; i++, dropped = dropped->next)
        json_int_of(dropped, &d[i]);
    const struct json_node *first = json_get(record, STR("error"));
    size_t len = 0;
    if (first && n)
        len = fault_words(first, program_at(probe, number(first, "e"))->text, error, n - 1);
    if (n)
        error[len] = 0;
    *ret = (struct probe_counts){
        .hits = (uint64_t)number(record, "hits"),
        .filtered = (uint64_t)number(record, "filtered"),
        .captured = (uint64_t)number(record, "captured"),
        .errors = (uint64_t)number(record, "errors"),
        .ns = (uint64_t)number(record, "ns"),
        .dropped = { .rate = (uint64_t)d[0],
                     .ring = (uint64_t)d[1],
                     .budget = (uint64_t)d[2],
                     .grant = (uint64_t)d[3] },
        .first_error = str_of(error, len),
    };
    *ret_state = (int)number(record, "state");
}

// --- values ---

static enum probe_why why_of(str name)
{
    for (unsigned i = 1; i < PROBE_WHY_COUNT; i++)
        if (str_eq(probe_why_name(i), name))
            return (enum probe_why)i;
    return PROBE_WHY_UNREADABLE;
}

static double to_double(str s)
{
    char room[64];
    snprintf(room, sizeof room, "%.*s", (int)(s.len < 60 ? s.len : 60), s.ptr);
    return strtod(room, NULL);
}

static void value(struct probe_value_writer *w, const struct json_node *v, unsigned depth);

static void container(struct probe_value_writer *w, enum probe_value_kind kind, const struct json_node *v, str type,
                      unsigned depth)
{
    int64_t n = -1, known = json_int_of(json_get(v, STR("n")), &n) ? n : -1;
    const struct json_node *items = json_get(v, kind == PROBE_VALUE_DICT     ? STR("e")
                                                : kind == PROBE_VALUE_OBJECT ? STR("f")
                                                                             : STR("i"));
    if (json_get(v, STR("d"))) {
        probe_value_missing(w, PROBE_WHY_DEPTH, type, known);
        return;
    }
    if (!probe_value_open(w, kind, type, (uint64_t)number(v, "o"), known))
        return;
    int64_t given = 0;
    for (const struct json_node *i = json_first_of(items, JSON_ARRAY); i; i = i->next, given++) {
        if (kind == PROBE_VALUE_LIST || kind == PROBE_VALUE_SET) {
            if (!probe_value_item(w))
                break;
            value(w, i, depth + 1);
            continue;
        }
        const struct json_node *key = json_first_of(i, JSON_ARRAY), *to = key ? key->next : NULL;
        if (kind == PROBE_VALUE_DICT) {
            if (!probe_value_entry(w))
                break;
            value(w, key, depth + 1);
        } else if (!probe_value_field(w, json_text_of(key))) {
            break;
        }
        value(w, to, depth + 1);
    }
    if (given < known)
        probe_value_cut(w, kind == PROBE_VALUE_OBJECT ? PROBE_WHY_FIELDS : PROBE_WHY_ITEMS);
    probe_value_close(w);
}

static void scalar_int(struct probe_value_writer *w, str type, const struct json_node *v)
{
    int64_t i;
    if (json_int_of(v, &i))
        probe_value_int(w, type, i);
    else
        probe_value_text(w, PROBE_VALUE_BIG, type, json_text_of(v), 0);
}

static void value(struct probe_value_writer *w, const struct json_node *v, unsigned depth)
{
    str kind = json_get_text(v, STR("k")), type = json_get_text(v, STR("t")), text = json_get_text(v, STR("v"));
    if (depth > NODE_DEPTH)
        probe_value_missing(w, PROBE_WHY_DEPTH, type, -1);
    else if (str_eq(kind, STR("null")))
        probe_value_null(w, type);
    else if (str_eq(kind, STR("bool")))
        probe_value_bool(w, type, json_is(json_get(v, STR("v")), JSON_TRUE));
    else if (str_eq(kind, STR("int")))
        scalar_int(w, type, json_get(v, STR("v")));
    else if (str_eq(kind, STR("float")))
        probe_value_float(w, type, to_double(text));
    else if (str_eq(kind, STR("str")))
        probe_value_text(w, PROBE_VALUE_STR, type, text, (uint64_t)number(v, "n"));
    else if (str_eq(kind, STR("func")))
        probe_value_text(w, PROBE_VALUE_FUNC, type, text, 0);
    else if (str_eq(kind, STR("list")))
        container(w, PROBE_VALUE_LIST, v, type, depth);
    else if (str_eq(kind, STR("set")))
        container(w, PROBE_VALUE_SET, v, type, depth);
    else if (str_eq(kind, STR("dict")))
        container(w, PROBE_VALUE_DICT, v, type, depth);
    else if (str_eq(kind, STR("object")))
        container(w, PROBE_VALUE_OBJECT, v, type, depth);
    else
        probe_value_missing(w, why_of(json_get_text(v, STR("why"))), type, -1);
}

// --- log lines ---

static void say(const struct json_node *v, struct buf *out)
{
    str kind = json_get_text(v, STR("k")), text = json_get_text(v, STR("v"));
    const struct json_node *raw = json_get(v, STR("v"));
    if (str_eq(kind, STR("fault"))) {
        buf_printf(out, "{%.*s}", STR_ARG(json_get_text(v, STR("r"))));
    } else if (str_eq(kind, STR("null"))) {
        buf_str(out, STR("null"));
    } else if (str_eq(kind, STR("bool"))) {
        buf_str(out, json_is(raw, JSON_TRUE) ? STR("true") : STR("false"));
    } else if (raw && (raw->type == JSON_STRING || raw->type == JSON_NUMBER)) {
        buf_str(out, raw->text);
    } else if (str_eq(kind, STR("missing"))) {
        buf_printf(out, "{%.*s}", STR_ARG(json_get_text(v, STR("why"))));
    } else {
        str type = json_get_text(v, STR("t"));
        buf_printf(out, "%.*s(%lld)", STR_ARG(type.len ? type : kind), (long long)number(v, "n"));
    }
    (void)text;
}

static void log_line(struct probe_capture *c, const struct probe *p, const struct json_node *values,
                     const struct probe_policy *policy)
{
    struct buf line;
    buf_init(&line, PROBE_CAPTURE_LOG_MAX);
    for (size_t i = 0; i < p->log.n_parts; i++) {
        if (!p->log.parts[i].is_expr) {
            buf_str(&line, p->log.parts[i].text);
            continue;
        }
        say(values, &line);
        values = values ? values->next : NULL;
    }
    line.error = 0;
    if (line.len)
        probe_redact_line(policy, (char *)line.ptr, line.len);
    probe_capture_log(c, buf_view(&line));
    buf_free(&line);
}

// --- captures ---

static bool hex_read(str s, uint8_t *out, size_t n)
{
    if (s.len != n * 2)
        return false;
    for (size_t i = 0; i < n; i++) {
        char two[3] = { s.ptr[i * 2], s.ptr[i * 2 + 1], 0 }, *end;
        out[i] = (uint8_t)strtoul(two, &end, 16);
        if (*end)
            return false;
    }
    return true;
}

static uint32_t small(const struct json_node *n)
{
    int64_t i = 0;
    json_int_of(n, &i);
    return i > 0 && i < INT32_MAX ? (uint32_t)i : 0;
}

static void frames(struct probe_capture *c, const struct json_node *list, const struct record_maps *maps,
                   struct arena *arena)
{
    for (const struct json_node *f = json_first_of(list, JSON_ARRAY); f; f = f->next) {
        const struct json_node *name = json_first_of(f, JSON_ARRAY), *file = name ? name->next : NULL;
        const struct json_node *line = file ? file->next : NULL, *column = line ? line->next : NULL;
        str path = map_path_of_url(arena, json_text_of(file));
        struct map_frame frame = { json_text_of(name), path, small(line), small(column), false };
        if (maps)
            map_files_frame(maps->files, maps->process, &frame, arena);
        bool in_app = path.len && path.ptr[0] == '/' && str_find(path, STR("/node_modules/")) < 0 &&
                      !frame.third_party && str_find(frame.file, STR("node_modules/")) < 0;
        probe_capture_frame(c, frame.function.len ? frame.function : STR("(anonymous)"), frame.file, frame.line,
                            (str){ 0 }, in_app);
    }
}

static void exprs(struct probe_capture *c, const struct probe *p, const struct json_node *values)
{
    for (size_t i = 0; i < p->n_exprs && values; i++, values = values->next) {
        if (str_eq(json_get_text(values, STR("k")), STR("fault"))) {
            char words[PROBE_CAPTURE_TEXT_MAX];
            size_t n = fault_words(values, p->exprs[i].text, words, sizeof words);
            probe_capture_expr_error(c, (uint32_t)i, str_of(words, n));
        } else if (probe_capture_expr(c, (uint32_t)i, (str){ 0 })) {
            value(&c->w, values, 0);
        }
    }
}

static void event(struct probe_capture *c, const struct json_node *record)
{
    const struct json_node *returned = json_get(record, STR("ret")), *thrown = json_get(record, STR("exc"));
    if (returned && probe_capture_return(c))
        value(&c->w, returned, 0);
    if (thrown && probe_capture_exception(c, json_get_text(thrown, STR("t")), json_get_text(thrown, STR("m"))))
        value(&c->w, json_get(thrown, STR("v")), 0);
}

static void variables(struct probe_capture *c, const struct json_node *list, const struct edit_name *names, uint32_t n)
{
    for (const struct json_node *v = json_first_of(list, JSON_ARRAY); v; v = v->next) {
        const struct json_node *name = json_first_of(v, JSON_ARRAY);
        enum probe_var_kind kind = PROBE_VAR_LOCAL;
        for (uint32_t i = 0; i < n; i++)
            if (str_eq(names[i].original, json_text_of(name)))
                kind = names[i].kind;
        if (name && probe_capture_var(c, 0, kind, json_text_of(name)))
            value(&c->w, name->next, 0);
    }
}

int record_capture(const struct json_node *record, const struct probe *probe, str thread, uint64_t id,
                   const struct record_maps *maps, const struct edit_name *names, uint32_t n_names,
                   const struct probe_policy *policy, struct probe_space *space, struct arena *arena, struct buf *out)
{
    uint8_t trace[16], span[8];
    bool traced = hex_read(json_get_text(record, STR("trace")), trace, sizeof trace) &&
                  hex_read(json_get_text(record, STR("span")), span, sizeof span);
    struct probe_capture_start start = {
        .revision = probe->revision,
        .time_ns = number(record, "at") * 1000000,
        .thread = id,
        .thread_name = thread,
        .trace = traced ? trace : NULL,
        .span = traced ? span : NULL,
        .reporter = !json_get(record, STR("exc")) ? PROBE_REPORTER_UNKNOWN
                    : number(record, "sentry")    ? PROBE_REPORTER_SENTRY
                                                  : PROBE_REPORTER_NONE,
    };
    struct probe_value_limits limits = { probe->depth + 1, probe->items, probe->string };
    struct probe_capture c;
    struct json_writer w;
    size_t cap = probe->bytes > PROBE_CAPTURE_MIN ? probe->bytes : PROBE_CAPTURE_MIN;
    void *mem = arena_alloc(arena, cap);
    if (!mem)
        return ERR_NOMEM;
    if (!probe_capture_begin(&c, mem, cap, &start, &limits, policy, space))
        return ERR_LIMIT;
    const struct json_node *values = json_first_of(json_get(record, STR("x")), JSON_ARRAY), *parts = values;
    for (size_t i = 0; i < probe->n_exprs && parts; i++)
        parts = parts->next;
    frames(&c, json_get(record, STR("f")), maps, arena);
    exprs(&c, probe, values);
    event(&c, record);
    if (probe->has_log)
        log_line(&c, probe, parts, policy);
    variables(&c, json_get(record, STR("v")), names, n_names);
    size_t n = probe_capture_end(&c, (uint64_t)number(record, "cost"),
                                 json_get(record, STR("dur")) ? number(record, "dur") : -1, 0);
    json_writer_init(&w, out);
    return probe_capture_json(bytes_of(mem, n), probe, arena, &w);
}
