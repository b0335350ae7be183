#include "main/waterfall.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/timefmt.h"
#include "main/critical.h"
#include "main/human.h"

#include <stdlib.h>

enum {
    WATERFALL_SPANS_MAX = 100000,
    WATERFALL_MOMENTS_MAX = 20000, // logs and error events
    WATERFALL_DEPTH_MAX = 12,
    SERVICE_WIDTH_MAX = 18,
    DURATION_WIDTH = 9
};

struct wspan {
    int64_t depth, time, duration;
    str span, service, name, status, message;
    uint32_t guides; // bit l: a sibling of its ancestor of level l (or of itself) follows
};

// A line of a log, or an error event.
struct wmoment {
    int64_t time;
    str span, level, service, text;
    str culprit; // of events: where in the code
    bool event, unhandled, printed;
};

struct waterfall {
    struct arena arena;
    const struct waterfall_options *o;
    struct buf *out;
    str trace;
    int64_t time, duration, hidden;
    bool complete, cut;
    struct wspan *spans;
    struct wmoment *moments;
    size_t spans_n, moments_n, logs_n, events_n, missing_n, errors_n, services_n;
    size_t name_width, service_width, bar_width;
};

static int read_time(struct json_reader *r, int64_t *ret)
{
    str text;
    int rc = json_text(r, &text);
    if (rc == 0 && !parse_rfc3339(text, ret))
        rc = ERR_MALFORMED;
    return rc;
}

// Integers of rows are strings beyond 2^53.
static int read_int(struct json_reader *r, int64_t *ret)
{
    struct json_token token;
    int rc = json_next(r, &token);
    if (rc == 0 && !json_number_int(token.text, ret))
        rc = ERR_MALFORMED;
    return rc;
}

static int read_span(struct waterfall *w, struct json_reader *r)
{
    struct wspan s = { 0 };
    str name;
    int rc = json_object(r);
    while (rc == 0 && (rc = json_member(r, &name)) == 1) {
        if (str_eq(name, STR("depth")))
            rc = read_int(r, &s.depth);
        else if (str_eq(name, STR("time")))
            rc = read_time(r, &s.time);
        else if (str_eq(name, STR("duration")))
            rc = read_int(r, &s.duration);
        else if (str_eq(name, STR("span")))
            rc = json_text(r, &s.span);
        else if (str_eq(name, STR("service")))
            rc = json_text(r, &s.service);
        else if (str_eq(name, STR("name")))
            rc = json_text(r, &s.name);
        else if (str_eq(name, STR("status")))
            rc = json_text(r, &s.status);
        else if (str_eq(name, STR("message")))
            rc = json_text(r, &s.message);
        else
            rc = json_skip(r, NULL);
    }
    if (rc < 0 || w->spans_n == WATERFALL_SPANS_MAX)
        return rc;
    w->errors_n += str_eq(s.status, STR("error"));
    w->spans[w->spans_n++] = s;
    return 0;
}

static void add_moment(struct waterfall *w, const struct wmoment *m)
{
    if (w->moments_n == WATERFALL_MOMENTS_MAX)
        return;
    w->moments[w->moments_n++] = *m;
    *(m->event ? &w->events_n : &w->logs_n) += 1;
}

static int read_event(struct waterfall *w, struct json_reader *r)
{
    struct wmoment e = { .event = true };
    str name;
    bool handled = true;
    int rc = json_object(r);
    while (rc == 0 && (rc = json_member(r, &name)) == 1) {
        if (str_eq(name, STR("time")))
            rc = read_time(r, &e.time);
        else if (str_eq(name, STR("span")))
            rc = json_text(r, &e.span);
        else if (str_eq(name, STR("level")))
            rc = json_text(r, &e.level);
        else if (str_eq(name, STR("service")))
            rc = json_text(r, &e.service);
        else if (str_eq(name, STR("title")))
            rc = json_text(r, &e.text);
        else if (str_eq(name, STR("culprit")))
            rc = json_text(r, &e.culprit);
        else if (str_eq(name, STR("handled")))
            rc = json_bool(r, &handled);
        else
            rc = json_skip(r, NULL);
    }
    e.unhandled = !handled;
    if (rc == 0)
        add_moment(w, &e);
    return rc;
}

static int read_log(struct waterfall *w, struct json_reader *r)
{
    struct wmoment l = { 0 };
    str name;
    int rc = json_object(r);
    while (rc == 0 && (rc = json_member(r, &name)) == 1) {
        if (str_eq(name, STR("time")))
            rc = read_time(r, &l.time);
        else if (str_eq(name, STR("span")))
            rc = json_text(r, &l.span);
        else if (str_eq(name, STR("level")))
            rc = json_text(r, &l.level);
        else if (str_eq(name, STR("service")))
            rc = json_text(r, &l.service);
        else if (str_eq(name, STR("body")))
            rc = json_peek(r) == JSON_STRING ? json_text(r, &l.text) : json_skip(r, &l.text);
        else
            rc = json_skip(r, NULL);
    }
    if (rc == 0)
        add_moment(w, &l);
    return rc;
}

static int read_each(struct waterfall *w, struct json_reader *r, int (*fn)(struct waterfall *, struct json_reader *))
{
    int rc = json_array(r);
    while (rc == 0 && (rc = json_element(r)) == 1)
        rc = fn(w, r);
    return rc;
}

static int count_missing(struct waterfall *w, struct json_reader *r)
{
    w->missing_n++;
    return json_skip(r, NULL);
}

static int count_service(struct waterfall *w, struct json_reader *r)
{
    w->services_n++;
    return json_skip(r, NULL);
}

static int read_trace(struct waterfall *w, str json)
{
    struct json_reader r;
    str name;
    json_reader_init(&r, json, &w->arena, 64);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1) {
        if (str_eq(name, STR("trace")))
            rc = json_text(&r, &w->trace);
        else if (str_eq(name, STR("time")))
            rc = read_time(&r, &w->time);
        else if (str_eq(name, STR("duration")))
            rc = read_int(&r, &w->duration);
        else if (str_eq(name, STR("hidden")))
            rc = read_int(&r, &w->hidden);
        else if (str_eq(name, STR("complete")))
            rc = json_bool(&r, &w->complete);
        else if (str_eq(name, STR("cut")))
            rc = json_bool(&r, &w->cut);
        else if (str_eq(name, STR("spans")))
            rc = read_each(w, &r, read_span);
        else if (str_eq(name, STR("logs")))
            rc = read_each(w, &r, read_log);
        else if (str_eq(name, STR("events")))
            rc = read_each(w, &r, read_event);
        else if (str_eq(name, STR("missing")))
            rc = read_each(w, &r, count_missing);
        else if (str_eq(name, STR("services")))
            rc = read_each(w, &r, count_service);
        else
            rc = json_skip(&r, NULL);
    }
    return rc == 0 ? json_done(&r) : rc;
}

static void colour(struct waterfall *w, const char *code)
{
    if (w->o->colours)
        buf_printf(w->out, "\x1b[%sm", code);
}

// A service keeps its hue: one of twelve that are told apart on dark and light.
static void colour_service(struct waterfall *w, str service)
{
    static const uint8_t hues[] = { 33, 37, 71, 136, 168, 99, 173, 30, 133, 64, 67, 130 };
    if (w->o->colours)
        buf_printf(w->out, "\x1b[38;5;%dm", hues[hash64_str(service) % sizeof hues]);
}

static void pad(struct waterfall *w, size_t n)
{
    while (n--)
        buf_byte(w->out, ' ');
}

// Escaped, cut to the width, padded to it.
static void put_padded(struct waterfall *w, str text, size_t width)
{
    struct buf shown;
    buf_init(&shown, 1 << 16);
    visible_escape(&shown, str_slice(text, 0, 4096));
    size_t is = human_width(buf_view(&shown));
    human_cut(w->out, buf_view(&shown), width);
    if (is < width)
        pad(w, width - is);
    buf_free(&shown);
}

static size_t indent_of(const struct wspan *s)
{
    int64_t depth = s->depth < 0 ? 0 : s->depth > WATERFALL_DEPTH_MAX ? WATERFALL_DEPTH_MAX : s->depth;
    return (size_t)depth * 2;
}

static void layout(struct waterfall *w)
{
    size_t width = w->o->width ? w->o->width : 120, names = 8, services = 4;
    for (size_t i = 0; i < w->spans_n; i++) {
        size_t n = indent_of(&w->spans[i]) + human_width(str_slice(w->spans[i].name, 0, 200)) + 2,
               s = human_width(w->spans[i].service);
        names = n > names ? n : names;
        services = s > services ? s : services;
    }
    if (width < 60)
        width = 60;
    w->service_width = services > SERVICE_WIDTH_MAX ? SERVICE_WIDTH_MAX : services;
    size_t rest = width - w->service_width - DURATION_WIDTH - 4;
    w->name_width = names > rest * 3 / 5 ? rest * 3 / 5 : names;
    w->bar_width = rest - w->name_width;
    if (w->bar_width > 80)
        w->bar_width = 80;
}

// Eighths of a cell, so that short spans are told from shorter ones.
static void put_bar(struct waterfall *w, const struct wspan *s)
{
    static const str full = STR_INIT("\xe2\x96\x88"), thin = STR_INIT("\xe2\x96\x8f"), shade = STR_INIT("\xe2\x96\x91");
    double total = w->duration > 0 ? (double)w->duration : 1;
    double begin = (double)(s->time - w->time) / total * (double)w->bar_width,
           length = (double)s->duration / total * (double)w->bar_width;
    if (begin < 0)
        begin = 0;
    size_t at = (size_t)begin, n = (size_t)(length + 0.5);
    if (at >= w->bar_width)
        at = w->bar_width - 1;
    if (n > w->bar_width - at)
        n = w->bar_width - at;
    pad(w, at);
    colour_service(w, s->service);
    double cell = total / (double)w->bar_width;
    for (size_t i = 0; i < n; i++) {
        int64_t from = w->time + (int64_t)((double)(at + i) * cell),
                to = w->time + (int64_t)((double)(at + i + 1) * cell);
        bool waited = !w->o->critical || critical_covers(w->o->critical, s->span, from, to > from ? to : from + 1);
        buf_str(w->out, waited ? full : shade);
    }
    if (n == 0)
        buf_str(w->out, thin);
    colour(w, "0");
}

static size_t level_of(const struct wspan *s) { return indent_of(s) / 2; }

// Which levels have a sibling further down, for each span: read from the last one up.
static void set_guides(struct waterfall *w)
{
    uint32_t open = 0;
    for (size_t i = w->spans_n; i > 0; i--) {
        struct wspan *s = &w->spans[i - 1];
        uint32_t bit = 1u << level_of(s);
        s->guides = open;
        open = (open | bit) & (bit * 2 - 1);
    }
}

static void put_guides(struct waterfall *w, const struct wspan *s)
{
    size_t level = level_of(s);
    for (size_t i = 1; i < level; i++)
        buf_str(w->out, s->guides >> i & 1 ? STR("\xe2\x94\x82 ") : STR("  "));
    if (level)
        buf_str(w->out, s->guides >> level & 1 ? STR("\xe2\x94\x9c ") : STR("\xe2\x94\x94 "));
}

static void put_span(struct waterfall *w, const struct wspan *s)
{
    bool error = str_eq(s->status, STR("error"));
    size_t indent = indent_of(s), room = w->name_width > indent + 2 ? w->name_width - indent - 2 : 4;
    struct buf text;
    colour_service(w, s->service);
    put_padded(w, s->service, w->service_width);
    colour(w, "0");
    buf_byte(w->out, ' ');
    put_guides(w, s);
    if (error) {
        colour(w, "31");
        buf_str(w->out, STR("\xe2\x9c\x97 "));
    }
    put_padded(w, s->name, error ? room : room + 2);
    if (error)
        colour(w, "0");
    buf_byte(w->out, ' ');
    buf_init(&text, 64);
    human_duration(&text, s->duration);
    size_t is = human_width(buf_view(&text));
    pad(w, is < DURATION_WIDTH ? DURATION_WIDTH - is : 0);
    buf_str(w->out, buf_view(&text));
    buf_byte(w->out, ' ');
    buf_free(&text);
    put_bar(w, s);
    while (w->out->len && w->out->ptr[w->out->len - 1] == ' ')
        w->out->len--;
    buf_byte(w->out, '\n');
    if (error && s->message.len) {
        pad(w, w->service_width + 1 + indent + 2);
        colour(w, "31");
        visible_escape(w->out, str_slice(s->message, 0, 400));
        colour(w, "0");
        buf_byte(w->out, '\n');
    }
}

static void put_moment(struct waterfall *w, const struct wmoment *m, size_t indent)
{
    bool bad = str_eq(m->level, STR("error")) || str_eq(m->level, STR("fatal")), warn = str_eq(m->level, STR("warn"));
    const char *tint = bad ? "31" : warn ? "33" : "2";
    pad(w, w->service_width + 1 + indent);
    colour(w, m->event ? tint : "2");
    buf_str(w->out, m->event && bad ? STR("\xe2\x9c\x97 +") : STR("\xc2\xb7 +"));
    human_duration(w->out, m->time - w->time);
    colour(w, "0");
    buf_byte(w->out, ' ');
    if (m->level.len && !(m->event && bad)) {
        colour(w, tint);
        visible_escape(w->out, m->level);
        colour(w, "0");
        buf_byte(w->out, ' ');
    }
    if (m->event)
        colour(w, tint);
    visible_escape(w->out, str_slice(m->text, 0, 1000));
    if (m->event)
        colour(w, "2");
    if (m->culprit.len) {
        buf_str(w->out, STR("  "));
        visible_escape(w->out, str_slice(m->culprit, 0, 400));
    }
    if (m->unhandled)
        buf_str(w->out, STR("  not handled"));
    if (m->event)
        colour(w, "0");
    buf_byte(w->out, '\n');
}

static int moment_order(const void *a, const void *b)
{
    const struct wmoment *x = a, *y = b;
    int c = str_cmp(x->span, y->span);
    return c ? c : (x->time > y->time) - (x->time < y->time);
}

// Moments are sorted by span, then time.
static void put_moments_of(struct waterfall *w, const struct wspan *s)
{
    size_t lo = 0, hi = w->moments_n;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (str_cmp(w->moments[mid].span, s->span) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    for (; s->span.len && lo < w->moments_n && str_eq(w->moments[lo].span, s->span) && !w->moments[lo].printed; lo++) {
        w->moments[lo].printed = true;
        put_moment(w, &w->moments[lo], indent_of(s) + 2);
    }
}

// What no span that is here can show.
static void put_others(struct waterfall *w)
{
    bool logs = false, events = false;
    for (size_t i = 0; i < w->moments_n; i++) {
        if (!w->moments[i].printed)
            *(w->moments[i].event ? &events : &logs) = true;
    }
    if (logs || events)
        buf_printf(w->out, "%s%s%s of no stored span:\n", w->spans_n ? "\n" : "", events ? "errors" : "",
                   events && logs ? " and logs"
                   : logs         ? "logs"
                                  : "");
    for (size_t i = 0; i < w->moments_n; i++) {
        if (!w->moments[i].printed)
            put_moment(w, &w->moments[i], 0);
    }
}

static void put_head(struct waterfall *w)
{
    colour(w, "1");
    buf_str(w->out, STR("trace "));
    visible_escape(w->out, w->trace);
    colour(w, "0");
    buf_str(w->out, STR("  "));
    human_time(w->out, w->time);
    if (w->spans_n) {
        buf_str(w->out, STR("  "));
        human_duration(w->out, w->duration);
    }
    buf_printf(w->out, "\n%zu span%s, %zu service%s, %zu error%s, %zu log%s", w->spans_n, w->spans_n == 1 ? "" : "s",
               w->services_n, w->services_n == 1 ? "" : "s", w->errors_n, w->errors_n == 1 ? "" : "s", w->logs_n,
               w->logs_n == 1 ? "" : "s");
    if (w->events_n)
        buf_printf(w->out, ", %zu error event%s", w->events_n, w->events_n == 1 ? "" : "s");
    buf_byte(w->out, '\n');
    if (w->missing_n)
        buf_printf(w->out, "not complete: %zu parent span%s named but not stored\n", w->missing_n,
                   w->missing_n == 1 ? " is" : "s are");
    if (w->cut)
        buf_str(w->out, STR("too large to show whole: these are the earliest spans\n"));
    if (w->hidden)
        buf_printf(w->out, "%lld further span(s) belong to projects that you may not read\n", (long long)w->hidden);
    buf_byte(w->out, '\n');
}

// Where there are no spans, time counts from what came first.
static void begin_without_spans(struct waterfall *w)
{
    for (size_t i = 0; i < w->moments_n; i++)
        if (i == 0 || w->moments[i].time < w->time)
            w->time = w->moments[i].time;
}

int waterfall_print(str json, const struct waterfall_options *o, struct buf *out)
{
    struct waterfall w = { .o = o, .out = out };
    arena_init(&w.arena, (size_t)1 << 30);
    w.spans = arena_alloc_array(&w.arena, WATERFALL_SPANS_MAX, sizeof *w.spans);
    w.moments = arena_alloc_array(&w.arena, WATERFALL_MOMENTS_MAX, sizeof *w.moments);
    int r = w.spans && w.moments ? read_trace(&w, json) : ERR_NOMEM;
    if (r == 0 && w.spans_n == 0)
        begin_without_spans(&w);
    if (r == 0) {
        if (w.moments_n)
            qsort(w.moments, w.moments_n, sizeof *w.moments, moment_order);
        layout(&w);
        set_guides(&w);
        put_head(&w);
        if (o->critical) {
            critical_table(o->critical, out);
            buf_str(out, STR("\nsolid: what the end of the trace was waiting for\n\n"));
        }
        for (size_t i = 0; i < w.spans_n; i++) {
            put_span(&w, &w.spans[i]);
            put_moments_of(&w, &w.spans[i]);
        }
        put_others(&w);
        r = out->error;
    }
    arena_free(&w.arena);
    return r;
}
