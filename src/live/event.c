#include "live/event.h"

#include "base/utf8.h"

#include <stdio.h>

enum { DEPTH_MAX = 32, TEXT_MAX = 64 << 10 };

static void put_text(struct json_writer *w, const char *key, str s, size_t most)
{
    if (!s.len)
        return;
    json_put_key(w, str_z(key));
    json_put_str(w, utf8_cut(s, most));
}

// ---- values --------------------------------------------------------------------------------------------------

// <redacted>, <depth>; where a host tells shapes alone, <str 12>.
static void put_mark(struct json_writer *w, str word, const struct json_node *n)
{
    char text[96];
    word = utf8_cut(word, 64);
    if (json_is(n, JSON_NUMBER) && n->text.len <= 20)
        snprintf(text, sizeof text, "<%.*s %.*s>", STR_ARG(word), STR_ARG(n->text));
    else
        snprintf(text, sizeof text, "<%.*s>", STR_ARG(word));
    json_put_str(w, str_z(text));
}

static void put_value(struct json_writer *w, const struct json_node *v, unsigned depth);

// A key of a dictionary is a value of its own.
static void put_key(struct json_writer *w, const struct json_node *key)
{
    const struct json_node *v = json_get(key, STR("v"));
    str text = key->type == JSON_STRING                             ? key->text
               : json_is(v, JSON_STRING) || json_is(v, JSON_NUMBER) ? v->text
               : json_is(v, JSON_TRUE)                              ? STR("true")
               : json_is(v, JSON_FALSE)                             ? STR("false")
                                                                    : json_get_text(key, STR("t"));
    json_put_key(w, utf8_cut(text.len ? text : json_get_text(key, STR("k")), LIVE_NAME_MAX));
}

static void put_pairs(struct json_writer *w, const struct json_node *list, unsigned depth)
{
    json_put_object(w);
    for (const struct json_node *p = list->first; p; p = p->next)
        if (p->type == JSON_ARRAY && p->n == 2) {
            put_key(w, p->first);
            put_value(w, p->first->next, depth + 1);
        }
    json_put_object_end(w);
}

static void put_scalar(struct json_writer *w, const struct json_node *value)
{
    const struct json_node *v = json_get(value, STR("v"));
    str kind = json_get_text(value, STR("k")), type = json_get_text(value, STR("t"));
    if (json_is(v, JSON_STRING))
        json_put_str(w, utf8_cut(v->text, TEXT_MAX));
    else if (json_is(v, JSON_NUMBER) || json_is(v, JSON_TRUE) || json_is(v, JSON_FALSE))
        json_put_tree(w, v);
    else if (str_eq(kind, STR("null")))
        json_put_null(w);
    else
        put_mark(w, type.len ? type : kind, json_get(value, STR("n")));
}

static void put_value(struct json_writer *w, const struct json_node *v, unsigned depth)
{
    str kind = json_get_text(v, STR("k")), type = json_get_text(v, STR("t"));
    const struct json_node *items = json_get(v, STR("i")), *fields = json_get(v, STR("f")),
                           *pairs = json_get(v, STR("e"));
    if (!json_is(pairs, JSON_ARRAY))
        pairs = fields;
    if (str_eq(kind, STR("missing"))) {
        put_mark(w, json_get_text(v, STR("why")), NULL);
    } else if (str_eq(kind, STR("ref"))) {
        put_mark(w, type.len ? type : kind, NULL);
    } else if (depth >= DEPTH_MAX) {
        put_mark(w, STR("depth"), NULL);
    } else if (json_is(items, JSON_ARRAY)) {
        json_put_array(w);
        for (const struct json_node *e = items->first; e; e = e->next)
            put_value(w, e, depth + 1);
        json_put_array_end(w);
    } else if (json_is(pairs, JSON_ARRAY) && (pairs->n || pairs != fields)) {
        put_pairs(w, pairs, depth);
    } else {
        put_scalar(w, v);
    }
}

// ---- the event -----------------------------------------------------------------------------------------------

static int64_t number(const struct json_node *json, const char *name)
{
    int64_t i = 0;
    return json_int_of(json_get(json, str_z(name)), &i) && i > 0 ? i : 0;
}

static void put_frame(struct json_writer *w, const struct json_node *frame, bool vars)
{
    const struct json_node *list = json_first_of(json_get(frame, STR("vars")), JSON_ARRAY);
    str file = json_get_text(frame, STR("file"));
    json_put_object(w);
    put_text(w, "function", json_get_text(frame, STR("function")), EVENT_PATH_MAX);
    put_text(w, "module", json_get_text(frame, STR("module")), EVENT_PATH_MAX);
    put_text(w, "filename", file, EVENT_PATH_MAX);
    if (str_starts(file, STR("/")))
        put_text(w, "abs_path", file, EVENT_PATH_MAX);
    if (number(frame, "line")) {
        json_put_key(w, STR("lineno"));
        json_put_int(w, number(frame, "line"));
    }
    json_put_key(w, STR("in_app"));
    json_put_bool(w, json_is(json_get(frame, STR("in_app")), JSON_TRUE));
    if (vars && list) {
        json_put_key(w, STR("vars"));
        json_put_object(w);
        int n = 0;
        for (const struct json_node *v = list; v && n < EVENT_VARS_MAX; v = v->next, n++) {
            json_put_key(w, utf8_cut(json_get_text(v, STR("name")), LIVE_NAME_MAX));
            put_value(w, json_get(v, STR("value")), 0);
        }
        json_put_object_end(w);
    }
    json_put_object_end(w);
}

// How many of the innermost frames are told, and of how many of them the variables.
struct extent {
    size_t frames, vars;
};

// Sentry's order: the innermost call last.
static void put_frames(struct json_writer *w, const struct json_node *capture, struct extent most)
{
    const struct json_node *frames[EVENT_FRAMES_MAX];
    size_t n = 0;
    for (const struct json_node *f = json_first_of(json_get(capture, STR("frames")), JSON_ARRAY); f && n < most.frames;
         f = f->next)
        if (f->type == JSON_OBJECT)
            frames[n++] = f;
    if (!n)
        return;
    json_put_key(w, STR("stacktrace"));
    json_put_object(w);
    json_put_key(w, STR("frames"));
    json_put_array(w);
    for (size_t i = n; i-- > 0;)
        put_frame(w, frames[i], i < most.vars);
    json_put_array_end(w);
    json_put_object_end(w);
}

// Where the message is not one text: what the exception was made with, (2, "No such file").
static str words_of(const struct json_node *exception, struct buf *b)
{
    str message = json_get_text(exception, STR("message"));
    if (message.len)
        return message;
    const struct json_node *field = json_first_of(json_get(json_get(exception, STR("value")), STR("f")), JSON_ARRAY),
                           *args = NULL;
    for (; field && !args; field = field->next)
        if (field->type == JSON_ARRAY && field->n == 2 && str_eq(json_text_of(field->first), STR("args")))
            args = json_get(field->first->next, STR("i"));
    const struct json_node *e = json_first_of(args, JSON_ARRAY);
    if (!e)
        return (str){ 0 };
    struct json_writer w;
    for (int n = 0; e && n < 8; e = e->next, n++) {
        buf_str(b, n ? STR(", ") : STR(""));
        json_writer_init(&w, b);
        put_value(&w, e, DEPTH_MAX - 1);
    }
    return b->error ? (str){ 0 } : buf_view(b);
}

static void put_exception(struct json_writer *w, const struct capture_origin *o, const struct json_node *capture,
                          struct extent most)
{
    const struct json_node *exception = json_get(capture, STR("exception"));
    str type = json_get_text(exception, STR("type"));
    struct buf words;
    buf_init(&words, TEXT_MAX);
    json_put_key(w, STR("exception"));
    json_put_object(w);
    json_put_key(w, STR("values"));
    json_put_array(w);
    json_put_object(w);
    put_text(w, "type", type.len ? type : STR("Error"), EVENT_TYPE_MAX);
    put_text(w, "value", words_of(exception, &words), EVENT_VALUE_MAX);
    json_put_key(w, STR("mechanism"));
    json_put_object(w);
    put_text(w, "type", STR("clew.probe"), EVENT_TYPE_MAX);
    if (o->uncaught) { // of others nobody knows at this moment
        json_put_key(w, STR("handled"));
        json_put_bool(w, false);
    }
    json_put_object_end(w);
    put_frames(w, capture, most);
    json_put_object_end(w);
    json_put_array_end(w);
    json_put_object_end(w);
    buf_free(&words);
}

static void put_contexts(struct json_writer *w, const struct capture_origin *o, str id, const struct json_node *capture)
{
    char probe[32];
    snprintf(probe, sizeof probe, "p%lld", (long long)o->probe);
    json_put_key(w, STR("tags"));
    json_put_object(w);
    put_text(w, "clew.probe", str_z(probe), sizeof probe);
    json_put_object_end(w);
    json_put_key(w, STR("contexts"));
    json_put_object(w);
    if (json_get_text(capture, STR("trace")).len) {
        json_put_key(w, STR("trace"));
        json_put_object(w);
        put_text(w, "trace_id", json_get_text(capture, STR("trace")), 32);
        put_text(w, "span_id", json_get_text(capture, STR("span")), 16);
        json_put_object_end(w);
    }
    json_put_key(w, STR("runtime"));
    json_put_object(w);
    put_text(w, "name", o->process.runtime, 32);
    put_text(w, "version", o->process.runtime_version, 64);
    json_put_object_end(w);
    json_put_key(w, STR("probe"));
    json_put_object(w);
    put_text(w, "id", str_z(probe), sizeof probe);
    put_text(w, "snapshot", id, 32);
    put_text(w, "process", o->process.id, AGENT_ID_MAX);
    put_text(w, "thread", json_get_text(json_get(capture, STR("thread")), STR("name")), 64);
    json_put_object_end(w);
    json_put_object_end(w);
}

static void put_event(struct json_writer *w, const struct capture_origin *o, str id, int64_t time,
                      const struct json_node *capture, struct extent most)
{
    const struct agent_process *p = &o->process;
    char seconds[40];
    json_put_object(w);
    put_text(w, "event_id", id, 32);
    json_put_key(w, STR("timestamp"));
    snprintf(seconds, sizeof seconds, "%lld.%09lld", (long long)(time / NS_PER_S), (long long)(time % NS_PER_S));
    json_put_raw(w, str_z(seconds));
    put_text(w, "platform", p->runtime.len ? p->runtime : STR("other"), 32);
    put_text(w, "level", STR("error"), 16);
    put_text(w, "server_name", o->host, LIVE_NAME_MAX);
    put_text(w, "release", p->version, LIVE_NAME_MAX);
    put_text(w, "environment", p->environment, LIVE_NAME_MAX);
    json_put_key(w, STR("sdk"));
    json_put_object(w);
    put_text(w, "name", STR("clew.probe"), 16);
    put_text(w, "version", STR("1"), 16);
    json_put_object_end(w);
    put_contexts(w, o, id, capture);
    put_exception(w, o, capture, most);
    json_put_object_end(w);
}

bool capture_is_event(const struct capture_origin *o, const struct json_node *capture)
{
    return o->exception && json_is(json_get(capture, STR("exception")), JSON_OBJECT) &&
           !json_get(capture, STR("log")) && str_eq(json_get_text(capture, STR("reporter")), STR("none"));
}

int capture_event(const struct capture_origin *o, str id, int64_t time, const struct json_node *capture,
                  struct buf *out)
{
    static const struct extent extents[] = {
        { EVENT_FRAMES_MAX, EVENT_FRAMES_MAX },
        { EVENT_FRAMES_MAX, 3 },
        { EVENT_FRAMES_MAX, 1 },
        { EVENT_FRAMES_MAX, 0 },
        { EVENT_FRAMES_FEW, 0 },
    };
    int r = ERR_LIMIT;
    for (size_t i = 0; i < sizeof extents / sizeof *extents && r == ERR_LIMIT; i++) {
        struct json_writer w;
        buf_free(out);
        buf_init(out, EVENT_BYTES_MAX);
        json_writer_init(&w, out);
        put_event(&w, o, id, time, capture, extents[i]);
        r = out->error;
    }
    return r;
}
