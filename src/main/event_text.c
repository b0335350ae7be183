#include "main/event_text.h"

#include "base/clock.h"
#include "base/json_tree.h"
#include "base/timefmt.h"
#include "main/human.h"

enum {
    WIDTH_DEFAULT = 120,
    WIDTH_LEAST = 40,
    OTHER_FRAMES = 5, // of a stack without any of the application
    BREADCRUMBS = 10,
    VARS = 20,
    DEPTH = 80,
};

struct text {
    const struct event_text_options *o;
    const struct json_node *e;
    struct buf *out;
    struct buf line; // one in the making
    size_t width;
};

static void colour(struct text *t, const char *code)
{
    if (t->o->colours)
        buf_printf(t->out, "\x1b[%sm", code);
}

static void put(struct text *t, str s) { visible_escape(t->out, s); }

static void end_line(struct text *t) { buf_byte(t->out, '\n'); }

// Cut to what is left of the width behind `used` columns.
static void put_cut(struct text *t, str s, size_t used)
{
    human_cut(t->out, s, t->width > used + 8 ? t->width - used : 8);
}

static void put_colour(struct text *t, const char *code, str s)
{
    colour(t, code);
    put(t, s);
    colour(t, "0");
}

static str text_of(const struct json_node *node, const char *name) { return json_get_text(node, str_z(name)); }

static bool flag(const struct json_node *node, const char *name)
{
    return json_is(json_get(node, str_z(name)), JSON_TRUE);
}

static void heading(struct text *t, const char *words)
{
    end_line(t);
    put_colour(t, "1", str_z(words));
    end_line(t);
}

// ---- what it is ----

// One more fact of a line of facts.
static void fact(struct text *t, bool *first, str s)
{
    if (!s.len)
        return;
    if (!*first)
        buf_str(t->out, STR(" \u00b7 "));
    *first = false;
    put(t, s);
}

static void put_head(struct text *t)
{
    const struct json_node *e = t->e;
    bool first = true;
    int64_t ns;
    put_colour(t, "1;31", text_of(e, "title"));
    end_line(t);
    str culprit = text_of(e, "culprit");
    if (culprit.len) {
        put_colour(t, "2", culprit);
        end_line(t);
    }
    fact(t, &first, text_of(e, "level"));
    if (json_is(json_get(e, STR("handled")), JSON_FALSE))
        fact(t, &first, STR("not handled"));
    fact(t, &first, text_of(e, "service"));
    fact(t, &first, text_of(e, "release"));
    fact(t, &first, text_of(e, "environment"));
    if (parse_rfc3339(text_of(e, "time"), &ns)) {
        buf_str(t->out, STR(" \u00b7 "));
        human_time(t->out, ns);
        buf_str(t->out, STR(" ("));
        human_ago(t->out, ns, clock_unix_ns());
        buf_byte(t->out, ')');
    }
    end_line(t);
    if (text_of(e, "short").len) {
        put(t, text_of(e, "short"));
        if (json_get_int(e, STR("of")) > 0)
            buf_printf(t->out, ", event %lld of %lld", (long long)json_get_int(e, STR("index")),
                       (long long)json_get_int(e, STR("of")));
        end_line(t);
    }
    buf_str(t->out, STR("event "));
    put(t, text_of(e, "event_id"));
    end_line(t);
    if (text_of(e, "trace").len) {
        buf_str(t->out, STR("trace "));
        put(t, text_of(e, "trace"));
        end_line(t);
    }
}

// ---- frames ----

static void put_source(struct text *t, const struct json_node *frame)
{
    int64_t own = json_get_int(frame, STR("line"));
    for (const struct json_node *l = json_first_of(json_get(frame, STR("context")), JSON_ARRAY); l; l = l->next) {
        int64_t n = 0;
        if (!json_is(l, JSON_ARRAY) || l->n != 2)
            continue;
        json_int_of(l->first, &n);
        bool here = n && n == own;
        colour(t, here ? "1" : "2");
        buf_printf(t->out, "    %c %5lld  ", here ? '>' : ' ', (long long)n);
        put_cut(t, json_text_of(l->first->next), 13);
        colour(t, "0");
        end_line(t);
    }
}

static void put_vars(struct text *t, const struct json_node *frame)
{
    const struct json_node *vars = json_get(frame, STR("vars"));
    uint32_t n = 0;
    for (const struct json_node *v = json_first_of(vars, JSON_OBJECT); v && n < VARS; v = v->next, n++) {
        struct json_writer w;
        buf_clear(&t->line);
        json_writer_init(&w, &t->line);
        buf_str(&t->line, v->key);
        buf_str(&t->line, STR(" = "));
        json_put_tree(&w, v);
        buf_str(t->out, STR("      "));
        put_cut(t, buf_view(&t->line), 6);
        end_line(t);
    }
    if (json_is(vars, JSON_OBJECT) && vars->n > n)
        buf_printf(t->out, "      and %u more\n", vars->n - n);
    if (flag(frame, "vars_hidden"))
        put_colour(t, "2", STR("      locals need the permission values\n"));
}

static void put_frame(struct text *t, const struct json_node *frame)
{
    str function = text_of(frame, "function"), file = text_of(frame, "file"), module = text_of(frame, "module");
    buf_str(t->out, STR("  "));
    put_colour(t, "36", function.len ? function : STR("<anonymous>"));
    if (file.len || module.len) {
        buf_str(t->out, STR("  "));
        put(t, file.len ? file : module);
        if (json_get_int(frame, STR("line")))
            buf_printf(t->out, ":%lld", (long long)json_get_int(frame, STR("line")));
        if (json_get_int(frame, STR("column")))
            buf_printf(t->out, ":%lld", (long long)json_get_int(frame, STR("column")));
    }
    end_line(t);
    put_source(t, frame);
    put_vars(t, frame);
}

static void put_skipped(struct text *t, uint64_t n)
{
    if (!n)
        return;
    colour(t, "2");
    buf_printf(t->out, "  %llu frame%s of libraries\n", (unsigned long long)n, n == 1 ? "" : "s");
    colour(t, "0");
}

// The application's, with the source that they have; of a stack without any the innermost few.
static void put_frames(struct text *t, const struct json_node *frames, uint64_t cut)
{
    uint64_t own = 0, skipped = 0, shown = 0;
    for (const struct json_node *f = json_first_of(frames, JSON_ARRAY); f; f = f->next)
        own += flag(f, "in_app");
    for (const struct json_node *f = json_first_of(frames, JSON_ARRAY); f; f = f->next) {
        if (own ? !flag(f, "in_app") : shown >= OTHER_FRAMES) {
            skipped++;
            continue;
        }
        put_skipped(t, skipped);
        skipped = 0;
        put_frame(t, f);
        shown++;
    }
    put_skipped(t, skipped + cut);
}

static void put_exceptions(struct text *t)
{
    bool first = true;
    for (const struct json_node *x = json_first_of(json_get(t->e, STR("exceptions")), JSON_ARRAY); x; x = x->next) {
        end_line(t);
        if (!first)
            buf_str(t->out, STR("caused by "));
        put_colour(t, "1", text_of(x, "type"));
        if (text_of(x, "value").len) {
            buf_str(t->out, text_of(x, "type").len ? STR(": ") : STR(""));
            put(t, text_of(x, "value"));
        }
        end_line(t);
        put_frames(t, json_get(x, STR("frames")), (uint64_t)json_get_int(x, STR("frames_cut")));
        first = false;
    }
    if (json_is(json_get(t->e, STR("stack")), JSON_ARRAY)) {
        heading(t, "Stack");
        put_frames(t, json_get(t->e, STR("stack")), (uint64_t)json_get_int(t->e, STR("stack_cut")));
    }
}

// ---- the rest ----

static void put_breadcrumb(struct text *t, const struct json_node *b)
{
    str message = text_of(b, "message");
    const struct json_node *data = json_get(b, STR("data"));
    struct json_writer w;
    int64_t ns;
    buf_str(t->out, STR("  "));
    colour(t, "2");
    if (parse_rfc3339(text_of(b, "time"), &ns))
        human_time(t->out, ns);
    colour(t, "0");
    buf_str(t->out, STR("  "));
    put(t, text_of(b, "category").len ? text_of(b, "category") : text_of(b, "type"));
    buf_str(t->out, STR("  "));
    buf_clear(&t->line);
    buf_str(&t->line, message);
    if (data) {
        buf_str(&t->line, message.len ? STR(" ") : STR(""));
        json_writer_init(&w, &t->line);
        json_put_tree(&w, data);
    }
    put_cut(t, buf_view(&t->line), 40);
    end_line(t);
}

static void put_breadcrumbs(struct text *t)
{
    const struct json_node *list = json_get(t->e, STR("breadcrumbs"));
    uint32_t i = 0, n = json_is(list, JSON_ARRAY) ? list->n : 0;
    if (!n)
        return;
    end_line(t);
    put_colour(t, "1", STR("Breadcrumbs"));
    if (n > BREADCRUMBS)
        buf_printf(t->out, ", the last %d of %llu", BREADCRUMBS,
                   (unsigned long long)n + (unsigned long long)json_get_int(t->e, STR("breadcrumbs_cut")));
    end_line(t);
    for (const struct json_node *b = list->first; b; b = b->next, i++)
        if (i + BREADCRUMBS >= n)
            put_breadcrumb(t, b);
}

static void put_tags(struct text *t)
{
    const struct json_node *tags = json_get(t->e, STR("tags"));
    if (!json_is(tags, JSON_ARRAY) || !tags->n)
        return;
    heading(t, "Tags");
    for (const struct json_node *tag = tags->first; tag; tag = tag->next) {
        buf_clear(&t->line);
        buf_str(&t->line, text_of(tag, "key"));
        buf_byte(&t->line, '=');
        buf_str(&t->line, text_of(tag, "value"));
        buf_str(t->out, STR("  "));
        put_cut(t, buf_view(&t->line), 2);
        end_line(t);
    }
}

// "id=u1 email=..", of an object's plain members.
static void put_members(struct text *t, const char *words, const char *name)
{
    const struct json_node *object = json_get(t->e, str_z(name));
    if (!json_is(object, JSON_OBJECT) || !object->n)
        return;
    buf_clear(&t->line);
    for (const struct json_node *m = object->first; m; m = m->next) {
        if (m->type != JSON_STRING && m->type != JSON_NUMBER)
            continue;
        buf_str(&t->line, t->line.len ? STR(" ") : STR(""));
        buf_str(&t->line, m->key);
        buf_byte(&t->line, '=');
        buf_str(&t->line, m->text);
    }
    heading(t, words);
    buf_str(t->out, STR("  "));
    put_cut(t, buf_view(&t->line), 2);
    end_line(t);
}

int event_text_print(str json, const struct event_text_options *o, struct buf *out)
{
    struct text t = { .o = o, .out = out, .width = o->width ? o->width : WIDTH_DEFAULT };
    struct arena arena;
    arena_init(&arena, (size_t)1 << 30);
    if (t.width < WIDTH_LEAST)
        t.width = WIDTH_LEAST;
    int r = json_tree_read(json, &arena, DEPTH, &t.e, NULL);
    if (r == 0 && !text_of(t.e, "event_id").len)
        r = ERR_MALFORMED;
    if (r == 0) {
        buf_init(&t.line, (size_t)64 << 20);
        put_head(&t);
        put_exceptions(&t);
        put_breadcrumbs(&t);
        put_tags(&t);
        put_members(&t, "User", "user");
        put_members(&t, "Request", "request");
        r = out->error ? out->error : t.line.error;
        buf_free(&t.line);
    }
    arena_free(&arena);
    return r;
}
