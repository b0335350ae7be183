// Any text as JavaScript: it is refused, or every place and function lies inside it and what is put in comes out again.
#include "agent/node/edit.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_in(const struct scan *s, uint32_t place, struct arena *arena)
{
    struct probe p;
    struct buf out;
    struct err err;
    str back;
    probe_defaults(&p, PROBE_SNAPSHOT);
    p.where.line = s->places[place].line, p.where.column = s->places[place].column;
    struct edit_probe e = { .probe = &p }, *one = &e;
    if (edit_place(s, &e, NULL, arena, &err) < 0)
        return;
    buf_init(&out, 64 << 20);
    must(edit_write(s, &one, 1, &out) == 0);
    if (str_find(s->text, STR("clew")) < 0) {
        must(edit_strip(buf_view(&out), arena, &back) == 0);
        must(str_eq(back, s->text));
    }
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct scan s;
    struct err err = { 0 };
    arena_init(&arena, SCAN_ARENA_MAX);
    int rc = js_source(str_of(data, size), &arena, &s, &err);
    must(rc == 0 || rc == ERR_MALFORMED || rc == ERR_LIMIT || rc == ERR_NOMEM);
    for (uint32_t i = 0; rc == 0 && i < s.n_places; i++) {
        must(s.places[i].at <= s.places[i].end && s.places[i].end <= size);
        must(s.places[i].scope < s.n_scopes);
        if (i < 8)
            put_in(&s, i, &arena);
    }
    arena_free(&arena);
    return 0;
}
