// What V8 leaves of a changed script: see struct script_copies.
#include "agent/node/session.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/numfmt.h"

#include <stdio.h>
#include <stdlib.h>

static int64_t number_of(str id)
{
    int64_t number = 0;
    parse_i64(id, &number);
    return number;
}

static bool known(const struct script_copies *c, uint64_t url_hash)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->live[i].url_hash == url_hash)
            return true;
    return false;
}

static bool is_one(const uint64_t *list, size_t n, uint64_t hash)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == hash)
            return true;
    return false;
}

void session_copies_parsed(struct session *s, str id)
{
    int64_t number = number_of(id);
    s->last_script = number > s->last_script ? number : s->last_script;
}

bool session_copies_remains(const struct attachment *a, str id, str url)
{
    const struct script_copies *c = &a->session.copies;
    uint64_t hash = hash64_str(url);
    int64_t number = number_of(id);
    if (number > c->until || !known(c, hash))
        return false;
    for (size_t i = 0; i < c->n; i++)
        if (c->live[i].id == number)
            return false;
    return true;
}

static void on_kept(struct attachment *a, const struct json_node *result) { a->session.resumed(a); }

static void on_numbered(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    struct script_copies now = { .until = s->last_script };
    bool all = true;
    uint64_t changed[FILES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < s->n_scripts && n < FILES_MAX; i++)
        if (s->scripts[i].changed)
            changed[n++] = hash64_str(s->scripts[i].url);
    for (size_t i = 0; i < s->n_scripts && all; i++) {
        uint64_t hash = hash64_str(s->scripts[i].url);
        if (s->scripts[i].native || !(is_one(changed, n, hash) || known(&a->session.copies, hash)))
            continue;
        all = now.n < COPIES_MAX;
        if (all)
            now.live[now.n].url_hash = hash, now.live[now.n++].id = number_of(s->scripts[i].id);
    }
    a->session.copies = all ? now : (struct script_copies){ 0 };
    if (!s->object.len) {
        s->resumed(a);
        return;
    }
    buf_clear(&s->text);
    buf_printf(&s->text, "%lld", (long long)a->session.copies.until);
    for (size_t i = 0; i < a->session.copies.n; i++)
        buf_printf(&s->text, " %llu %lld", (unsigned long long)a->session.copies.live[i].url_hash,
                   (long long)a->session.copies.live[i].id);
    session_call(a, "function(c){return this.keep(c)}", buf_view(&s->text), on_kept);
}

void session_copies_read(struct attachment *a, str text)
{
    struct script_copies now = { 0 };
    char *all = mem_alloc(text.len + 1), *at = all;
    if (!all)
        return;
    if (text.len)
        memcpy(all, text.ptr, text.len);
    all[text.len] = 0;
    now.until = strtoll(at, &at, 10);
    while (*at == ' ' && now.n < COPIES_MAX) {
        now.live[now.n].url_hash = strtoull(at, &at, 10);
        now.live[now.n++].id = *at == ' ' ? strtoll(at, &at, 10) : 0;
    }
    a->session.copies = now;
    mem_free(all);
}

void session_copies_count(struct attachment *a, void (*then)(struct attachment *a))
{
    char text[64];
    struct session *s = &a->session;
    bool any = false;
    for (size_t i = 0; i < s->n_scripts; i++)
        any |= s->scripts[i].changed;
    if (!any) {
        then(a);
        return;
    }
    // A script of ours gets the next number, and the engine tells it. Its text is no other's: of one that it knows it makes no new script.
    snprintf(text, sizeof text, "0/*clew %llx*/", (unsigned long long)clock_mono_ns());
    s->resumed = then;
    struct json_writer w = session_ask(a, "Runtime.evaluate");
    session_put_text(&w, "expression", str_z(text));
    session_ask_end(a, &w, on_numbered);
}
