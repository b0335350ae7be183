#include "agent/node/breakpoint.h"
#include "agent/node/map.h"
#include "agent/node/session.h"
#include "base/mem.h"

#include <stdio.h>

enum { ANSWER_ARENA = 4 << 20, ANSWER_DEPTH = 8 };

void session_stop_add(struct session *s, struct edit_probe *e, const char *hindered)
{
    e->hindered = hindered;
    if (s->n_breaks < PLACED_MAX)
        s->breaks[s->n_breaks++] = e;
}

void session_stop_note(struct placed *p, const struct edit_probe *e)
{
    snprintf(p->stop_note, sizeof p->stop_note,
             "by a breakpoint (%s): some 80 us a hit, at most some 125 hits a second; meanwhile each await takes some "
             "0.3 us "
             "more",
             e->hindered);
}

// Where an offset of the program's own text is in the text that runs, which holds the calls of other probes.
static uint32_t running_at(str running, uint32_t at)
{
    size_t from = 0, end, added = 0;
    for (; edit_piece_next(running, &from, &end) && from - added <= at; from = end)
        added += end - from;
    size_t moved = at + added;
    return (uint32_t)(moved < running.len ? moved : running.len);
}

static void place_put(struct json_writer *w, const struct map_text *text, uint32_t at)
{
    uint32_t line, column;
    map_text_place(text, running_at(text->text, at), &line, &column);
    json_put_int(w, line), json_put_int(w, column);
}

static void stop_put(struct attachment *a, struct json_writer *w, const struct map_text *text,
                     const struct edit_probe *e)
{
    const struct scan *scan = &a->session.scan;
    struct buf names;
    buf_init(&names, 64 << 10);
    for (uint32_t i = 0; i < e->n_names; i++) {
        if (i)
            buf_str(&names, STR(","));
        buf_str(&names, e->names[i].name);
    }
    json_put_array(w);
    json_put_int(w, e->slot);
    json_put_str(w, a->session.scripts[a->session.script].id);
    place_put(w, text, e->place->at);
    json_put_str(w, buf_view(&names));
    place_put(w, text, scan->functions[scan->scopes[e->place->scope].function].end);
    json_put_array_end(w);
    buf_free(&names);
}

static void on_stopped(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    struct arena arena;
    const struct json_node *root = NULL;
    size_t i = 0;
    arena_init(&arena, ANSWER_ARENA);
    if (json_tree_read(json_text_of(session_value_of(result)), &arena, ANSWER_DEPTH, &root, NULL) == 0)
        for (const struct json_node *c = json_first_of(root, JSON_ARRAY); c && i < s->n_breaks; c = c->next)
            s->breaks[i++]->stopped = json_first_of(c, JSON_ARRAY) != NULL;
    arena_free(&arena);
    s->resumed(a);
}

static void on_running(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    struct map_text text;
    struct json_writer w;
    if (map_text_make(session_keep(a, json_get_text(result, STR("scriptSource"))), &s->arena, &text) < 0) {
        session_fail(a, "error", "error", "there is not enough memory");
        return;
    }
    buf_clear(&s->orders);
    json_writer_init(&w, &s->orders);
    json_put_array(&w);
    for (size_t i = 0; i < s->n_breaks; i++)
        stop_put(a, &w, &text, s->breaks[i]);
    json_put_array_end(&w);
    session_call(a, "function(o){return this.stop(o)}", buf_view(&s->orders), on_stopped);
}

void session_stops(struct attachment *a, void (*then)(struct attachment *a))
{
    struct session *s = &a->session;
    s->resumed = then;
    if (!s->n_breaks) {
        then(a);
        return;
    }
    struct json_writer w = session_ask(a, "Debugger.getScriptSource");
    session_put_text(&w, "scriptId", s->scripts[s->script].id);
    session_ask_end(a, &w, on_running);
}
