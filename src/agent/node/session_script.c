// The scripts of a session: which of them probes mean, what stands in them, and the changes of their text.
#include "agent/node/breakpoint.h"
#include "agent/node/figures.h"
#include "agent/node/seen.h"
#include "agent/node/session.h"
#include "agent/node/session_map.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"

enum {
    PAUSE_MS = 5,
    // V8 stops the program while it exchanges a text, by the square of the file's functions: 3,000 take some 100 ms, 12,000 more than a second.
    FUNCTIONS_EDITED_MAX = 3000,
};

static bool is_edited(const struct session *s, str url)
{
    for (size_t i = 0; i < s->n_edited; i++)
        if (str_eq(str_z(s->edited[i]), url))
            return true;
    return false;
}

void session_edited_add(struct session *s, str url)
{
    if (is_edited(s, url) || s->n_edited == FILES_MAX || memchr(url.ptr, '\n', url.len))
        return;
    char *copy = mem_alloc(url.len + 1);
    if (!copy)
        return;
    memcpy(copy, url.ptr, url.len);
    copy[url.len] = 0;
    s->edited[s->n_edited++] = copy;
}

static void edited_remove(struct session *s, str url)
{
    for (size_t i = 0; i < s->n_edited; i++)
        if (str_eq(str_z(s->edited[i]), url)) {
            mem_free(s->edited[i]);
            s->edited[i] = s->edited[--s->n_edited];
            return;
        }
}

// The files that a probe may mean: 1 when it is one, else a state is told.
static str url_of(struct attachment *a, struct placed *p)
{
    struct session *s = &a->session;
    str found = { 0 }, candidates[CANDIDATES_MAX];
    size_t n = 0;
    for (size_t i = 0; i < s->n_scripts; i++) {
        str url = s->scripts[i].url;
        bool known = s->scripts[i].native || !session_url_matches(url, p->probe->where.file);
        for (size_t k = 0; k < n && !known; k++)
            known = str_eq(candidates[k], url);
        if (!known && n < CANDIDATES_MAX)
            candidates[n++] = url;
    }
    for (size_t i = 0; p->maps && i < p->maps->n; i++)
        candidates[n++] = p->maps->urls[i];
    if (n == 1)
        return candidates[0];
    if (n == 0) {
        placed_tell(a, p, "waiting", "module_not_loaded", "the process has not loaded this file", (str){ 0 }, 0);
        return found;
    }
    struct json_writer w;
    buf_clear(&s->text);
    json_writer_init(&w, &s->text);
    json_put_object(&w);
    json_put_key(&w, STR("candidates"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        json_put_str(&w, str_starts(candidates[i], STR("file://")) ? str_slice(candidates[i], 7, candidates[i].len)
                                                                   : candidates[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    placed_tell(a, p, "unresolvable", "ambiguous_file",
                p->maps ? "several loaded scripts were made of this file" : "several loaded files match this path",
                buf_view(&s->text), 0);
    return found;
}

static void names_keep(struct placed *p)
{
    size_t total = 0;
    for (uint32_t i = 0; i < p->edit->n_names; i++)
        total += p->edit->names[i].original.len;
    mem_free(p->names), mem_free(p->names_text);
    p->n_names = 0;
    p->names = mem_zalloc((p->edit->n_names + 1) * sizeof *p->names);
    p->names_text = mem_alloc(total + 1);
    if (!p->names || !p->names_text)
        return;
    char *at = p->names_text;
    for (uint32_t i = 0; i < p->edit->n_names; i++) {
        str name = p->edit->names[i].original;
        memcpy(at, name.ptr, name.len);
        p->names[i] = p->edit->names[i];
        p->names[i].name = p->names[i].original = str_of(at, name.len);
        at += name.len;
    }
    p->n_names = p->edit->n_names;
}

static struct placed *placed_of_edit(struct attachment *a, const struct edit_probe *e)
{
    for (size_t i = 0; i < PLACED_MAX; i++)
        if (a->placed[i].edit == e)
            return &a->placed[i];
    return NULL;
}

// A loader may have the engine read a file twice (so does one that instruments it): the probe is installed when all of them hold its call.
static bool comes_again(const struct session *s)
{
    for (size_t i = s->script + 1; i < s->n_scripts; i++)
        if (str_eq(s->scripts[i].url, s->scripts[s->script].url))
            return true;
    return false;
}

// What has become of a probe in the script.
static void tell_done(struct attachment *a, struct edit_probe *e, bool last)
{
    struct session *s = &a->session;
    struct placed *p = placed_of_edit(a, e);
    bool stands = !e->left_out || e->stopped;
    if (!p)
        return;
    p->missing |= !stands;
    p->here = !p->missing;
    if (e->stopped)
        session_stop_note(p, e);
    if (stands)
        session_map_placed(a, p, e);
    if (p->here && last)
        placed_tell(a, p, "installed", "", "", (str){ 0 }, 0);
    else if (!stands)
        placed_tell(a, p, "waiting", s->out_code, s->out_text, (str){ 0 }, 0);
}

static void script_told(struct attachment *a)
{
    struct session *s = &a->session;
    size_t in = 0;
    bool last = !comes_again(s);
    for (size_t i = 0; i < s->n_edits; i++) {
        in += !s->edits[i]->left_out;
        s->again |= s->edits[i]->left_out;
        tell_done(a, s->edits[i], last);
    }
    for (size_t i = s->n_hindered; i > 0; i--) { // those that no edit was tried for
        struct edit_probe *e = s->breaks[i - 1];
        struct placed *p = placed_of_edit(a, e);
        tell_done(a, e, last);
        if (p && !e->stopped)
            placed_tell(a, p, "error", "unsupported",
                        "the text of this place cannot be changed, and its engine sets no breakpoint there", (str){ 0 },
                        0);
    }
    // A text that could not be taken back is looked at again.
    if (s->n_edits == 0 && s->out_code[0])
        s->again = true, s->unclean = s->scripts[s->script].url;
    if (in == 0 && last && !str_eq(s->unclean, s->scripts[s->script].url))
        edited_remove(s, s->scripts[s->script].url);
    session_map_end(a);
    s->script++;
    session_next_script(a);
}

// What could not be changed stands at breakpoints meanwhile. The change is tried again.
static void script_done(struct attachment *a, const char *why, const char *message)
{
    struct session *s = &a->session;
    s->out_code = why, s->out_text = message;
    s->n_hindered = s->n_breaks;
    for (size_t i = 0; i < s->n_edits; i++)
        if (s->edits[i]->left_out && !s->edits[i]->function && !s->worker)
            session_stop_add(s, s->edits[i], message);
    session_stops(a, script_told);
}

static void attempt(struct attachment *a);

static void resume_attempt(struct attachment *a) { attempt(a); }

static void pause_then(struct attachment *a, void (*then)(struct attachment *a))
{
    a->session.resumed = then;
    a->session.resume_ns = clock_mono_ns() + PAUSE_MS * 1000000ll;
    a->session.step = SESSION_PAUSING;
}

static void on_read_back(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    bool same = str_eq(json_get_text(result, STR("scriptSource")), buf_view(&s->text));
    if (!same) {
        for (size_t i = 0; i < s->n_edits; i++)
            s->edits[i]->left_out = true;
        script_done(a, "attach_failed", "the function was not changed");
        return;
    }
    session_map_edited(a, buf_view(&s->text));
    script_done(a, s->one_by_one ? "on_stack" : "", "a call of the function is under way; it is tried again");
}

static void read_back(struct attachment *a)
{
    struct json_writer w = session_ask(a, "Debugger.getScriptSource");
    session_put_text(&w, "scriptId", a->session.scripts[a->session.script].id);
    session_ask_end(a, &w, on_read_back);
}

// What of the probes is tried next, one by one; false: all were.
static bool next_one(struct session *s)
{
    while (s->cursor < s->n_edits && !s->edits[s->cursor]->left_out)
        s->cursor++;
    if (s->cursor == s->n_edits)
        return false;
    s->edits[s->cursor]->left_out = false;
    return true;
}

static void refused_edit(struct attachment *a, const char *why, const char *message)
{
    struct session *s = &a->session;
    bool time = clock_mono_ns() - s->begun_ns < SESSION_MS * 1000000ll;
    if (s->one_by_one) {
        s->edits[s->cursor++]->left_out = true;
    } else if (s->n_edits > 1) {
        for (size_t i = 0; i < s->n_edits; i++)
            s->edits[i]->left_out = !s->edits[i]->is_in;
        s->one_by_one = true, s->cursor = 0;
    } else if (time) {
        pause_then(a, resume_attempt);
        return;
    } else {
        if (s->n_edits)
            s->edits[0]->left_out = true;
        script_done(a, why, message);
        return;
    }
    if (next_one(s)) {
        attempt(a);
    } else if (time) {
        s->cursor = 0;
        if (next_one(s))
            pause_then(a, resume_attempt);
        else
            read_back(a);
    } else {
        // The source as it is holds those that went in.
        buf_clear(&s->text);
        edit_write(&s->scan, s->edits, s->n_edits, &s->text);
        read_back(a);
    }
}

static bool is_done(const struct json_node *result)
{
    str status = json_get_text(result, STR("status"));
    return result && !json_get(result, STR("exceptionDetails")) && (status.len == 0 || str_eq(status, STR("Ok")));
}

static void on_edit(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    str status = json_get_text(result, STR("status"));
    if (is_done(result)) {
        if (s->one_by_one) {
            s->cursor++;
            if (next_one(s)) {
                attempt(a);
                return;
            }
        }
        read_back(a);
    } else if (str_eq(status, STR("CompileError"))) {
        for (size_t i = 0; i < s->n_edits; i++)
            s->edits[i]->left_out = true;
        script_done(a, "error", "the engine does not take the changed text");
    } else if (str_eq(status, STR("BlockedByActiveGenerator"))) {
        refused_edit(a, "on_stack", "a call of this function waits at an await or a yield; it is tried again");
    } else if (str_eq(status, STR("BlockedByTopLevelEsModuleChange"))) {
        refused_edit(a, "on_stack", "the engine takes no change of this place in an ES module");
    } else {
        refused_edit(a, "on_stack", "the function is running; it is tried again");
    }
}

static void set_text(struct attachment *a, session_then *then)
{
    struct session *s = &a->session;
    s->scripts[s->script].changed = true;
    struct json_writer w = session_ask(a, "Debugger.setScriptSource");
    session_put_text(&w, "scriptId", s->scripts[s->script].id);
    session_put_text(&w, "scriptSource", buf_view(&s->text));
    session_ask_end(a, &w, then);
}

static void on_cleared(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    if (is_done(result)) {
        s->source = session_keep(a, buf_view(&s->text));
        attempt(a);
    } else if (clock_mono_ns() - s->begun_ns < SESSION_MS * 1000000ll) {
        s->cleared = false;
        pause_then(a, resume_attempt);
    } else {
        for (size_t i = 0; i < s->n_edits; i++)
            s->edits[i]->left_out = !s->edits[i]->is_in;
        script_done(a, "on_stack", "a call of a function that is changed back is under way; it is tried again");
    }
}

// What is to go goes first, by itself: the engine's comparison would take the call that goes for the one that comes, and lose the function around it.
static bool clears(struct attachment *a)
{
    struct session *s = &a->session;
    for (size_t i = 0; i < s->n_edits; i++)
        s->edits[i]->left_out = !s->edits[i]->is_in;
    buf_clear(&s->text);
    bool any = edit_write(&s->scan, s->edits, s->n_edits, &s->text) == 0 && !str_eq(buf_view(&s->text), s->source);
    for (size_t i = 0; i < s->n_edits; i++)
        s->edits[i]->left_out = false;
    return any;
}

static void attempt(struct attachment *a)
{
    struct session *s = &a->session;
    if (!s->cleared) {
        s->cleared = true;
        if (clears(a)) {
            set_text(a, on_cleared);
            return;
        }
    }
    buf_clear(&s->text);
    if (edit_write(&s->scan, s->edits, s->n_edits, &s->text) < 0) {
        session_fail(a, "error", "error", "there is not enough memory");
        return;
    }
    if (str_eq(buf_view(&s->text), s->source)) {
        script_done(a, "", "");
        return;
    }
    set_text(a, on_edit);
}

static void on_ordered(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    if (!session_value_of(result)) {
        session_fail(a, "error", "code_unsupported", "the process does not take the probe");
        return;
    }
    // It answers with its end of the pipe. A hit between two requests may have given it up: what it captures would reach nobody.
    if (str_eq(json_text_of(session_value_of(result)), STR("-1"))) {
        session_fail(a, "waiting", "attach_failed", "its pipe broke just now; it is tried again");
        return;
    }
    for (size_t i = 0; i < s->n_edits + s->n_breaks; i++) {
        struct placed *p = placed_of_edit(a, i < s->n_edits ? s->edits[i] : s->breaks[i - s->n_edits]);
        if (p)
            p->ordered = p->has = true;
    }
    attempt(a);
}

static void edit_failed(struct attachment *a, struct placed *p, const struct edit_probe *e, const struct err *err)
{
    struct session *s = &a->session;
    buf_clear(&s->text);
    bool line = p->probe->where.kind == PROBE_AT_LINE && str_eq(str_z(err->slug), STR("no_code_at_line"));
    if (line)
        edit_nearest(&s->scan, e, &s->text);
    placed_tell(a, p, err->code == ERR_NOENT ? "unresolvable" : "error", err->slug[0] ? err->slug : "code_unsupported",
                err->message, buf_view(&s->text), 0);
}

// Where the source of a map cannot be read, a probe that follows stands as it says.
static bool is_seen(struct attachment *a, struct edit_probe *e, bool mapped)
{
    struct err err = { 0 };
    str text = a->session.original;
    if (mapped && node_seen_asks(e->probe) && session_map_content(a, e->source, &text, &err) < 0)
        return e->probe->match == PROBE_MATCH_FOLLOW;
    return node_seen_check(&a->session.scan, text, e);
}

static void other_source(struct attachment *a, struct placed *p, const struct edit_probe *e)
{
    struct session *s = &a->session;
    bool follows = p->probe->match == PROBE_MATCH_FOLLOW;
    buf_clear(&s->text);
    if (follows)
        edit_nearest(&s->scan, e, &s->text);
    placed_tell(a, p, "mismatch", "source_mismatch",
                follows ? "the line that was seen is not in the file of this process"
                        : "the process runs another version of this file than the one shown",
                buf_view(&s->text), 0);
}

// Whether the text may be changed for it; else e->hindered, or an error where a breakpoint does not do.
static int may_edit(struct attachment *a, struct edit_probe *e, struct err *err)
{
    struct session *s = &a->session;
    if (a->unedited && e->function)
        return err_set(err, ERR_UNSUPPORTED, "runtime_unsupported",
                       "Node 18 has breakpoints alone, which see no exits of functions: probe a line, or the entry");
    if (a->unedited)
        e->hindered = "the engine of Node 18 confuses functions that are changed";
    if (s->scan.n_functions > FUNCTIONS_EDITED_MAX && e->function)
        return err_set(
            err, ERR_UNSUPPORTED, "unsupported",
            "the file has more than %d functions: its text is not changed, for the program would stand still "
            "meanwhile, and breakpoints see no exits of functions",
            FUNCTIONS_EDITED_MAX);
    if (s->scan.n_functions > FUNCTIONS_EDITED_MAX && !a->unedited && !e->hindered)
        e->hindered = "the file has so many functions that the program would stand still while its text is changed";
    if (e->hindered && s->worker)
        return err_set(err, ERR_UNSUPPORTED, "unsupported",
                       "the text of this place cannot be changed, and breakpoints are of the main thread alone");
    if (e->hindered)
        return 0;
    int rc = edit_fits(&s->scan, s->edits, s->n_edits, e, err);
    if (rc < 0 && rc != ERR_NOMEM && !e->function && !s->worker) {
        e->hindered = "there is no room for it in its line";
        return 0;
    }
    return rc;
}

int session_give_table(struct attachment *a, struct placed *p, struct edit_probe *e, struct err *err)
{
    unsigned thread = a->session.thread;
    if (!probe_counts_only(p->probe))
        return 0;
    if (p->has && !figures_known(p, thread)) {
        p->has = false;
        threads_anew(p, thread);
    }
    e->owner = figures_owner(p);
    return p->has ? 0 : figures_order(a, p, thread, &e->mark, err);
}

// The script's text is known: which probes stand in it, and where.
static void on_source(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    struct err err = { 0 };
    struct json_writer w;
    str url = s->scripts[s->script].url;
    s->source = session_keep(a, json_get_text(result, STR("scriptSource")));
    s->n_edits = s->n_breaks = s->cursor = 0;
    s->one_by_one = s->cleared = false;
    int rc = edit_strip(s->source, &s->arena, &s->original);
    if (rc == 0)
        rc = js_source(s->original, &s->arena, &s->scan, &err);
    s->edits = arena_alloc_array(&s->arena, PLACED_MAX, sizeof(struct edit_probe *));
    s->breaks = arena_alloc_array(&s->arena, PLACED_MAX, sizeof(struct edit_probe *));
    if (!s->edits || !s->breaks || (rc < 0 && rc != ERR_MALFORMED && rc != ERR_LIMIT)) {
        session_fail(a, "error", "error", "there is not enough memory");
        return;
    }
    buf_clear(&s->orders);
    json_writer_init(&w, &s->orders);
    json_put_object(&w);
    session_put_text(&w, "clear", s->scripts[s->script].id); // no breakpoint stands in a text that is changed
    json_put_key(&w, STR("set"));
    json_put_array(&w);
    for (size_t i = 0; i < PLACED_MAX; i++) {
        struct placed *p = &a->placed[i];
        if (!p->used || p->refused || placed_without_file(p->probe) || !str_eq(url, url_of(a, p)))
            continue;
        if (rc < 0) {
            placed_tell(a, p, "unresolvable", err.slug, err.message, (str){ 0 }, 0);
            continue;
        }
        const struct map_view *view = NULL;
        uint32_t source = 0;
        int mapped = session_map_of(a, p, &view, &source, &err);
        if (mapped < 0) {
            placed_tell(a, p, mapped == ERR_CORRUPT ? "mismatch" : "unresolvable", err.slug, err.message, (str){ 0 },
                        0);
            continue;
        }
        struct edit_probe *e = arena_alloc(&s->arena, sizeof *e);
        struct buf order;
        if (!e)
            break;
        *e = (struct edit_probe){ .probe = p->probe, .slot = p->slot, .view = view, .source = source };
        if (!is_seen(a, e, mapped)) {
            other_source(a, p, e);
            continue;
        }
        // What is known of the place is known once, for all threads.
        uint64_t text = hash64_str(s->original);
        if (s->worker && p->text && p->text != text) {
            placed_tell(a, p, "mismatch", "source_mismatch",
                        "it runs another version of this file than the other threads", (str){ 0 }, 0);
            continue;
        }
        p->text = text;
        buf_init(&order, ORDERS_ROOM);
        int bad = edit_place(&s->scan, e, a->policy_used, &s->arena, &err);
        if (bad == 0)
            bad = may_edit(a, e, &err);
        if (bad == 0)
            bad = session_give_table(a, p, e, &err);
        if (bad == 0)
            bad = edit_order(&s->scan, e, a->policy_used, &s->arena, &order, &err);
        if (bad < 0) {
            edit_failed(a, p, e, &err);
        } else {
            if (!p->has)
                json_put_raw(&w, buf_view(&order));
            e->is_in = edit_is_in(s->source, e->slot);
            p->edit = e;
            names_keep(p);
            if (e->hindered) {
                e->left_out = true;
                session_stop_add(s, e, e->hindered);
            } else {
                s->edits[s->n_edits++] = e;
            }
        }
        buf_free(&order);
    }
    json_put_array_end(&w);
    if (rc < 0)
        s->scan = (struct scan){ .text = s->original };
    session_map_edited(a, s->source);
    session_edited_add(s, url);
    session_put_edited(a, &w);
    json_put_object_end(&w);
    session_call(a, "function(o){return this.order(o)}", buf_view(&s->orders), on_ordered);
}

static bool is_wanted(struct attachment *a, str url)
{
    if (is_edited(&a->session, url))
        return true;
    for (size_t i = 0; i < PLACED_MAX; i++) {
        const struct placed *p = &a->placed[i];
        if (!p->used || p->refused || placed_without_file(p->probe))
            continue;
        if (session_url_matches(url, p->probe->where.file) ||
            (p->maps && p->maps->n == 1 && str_eq(p->maps->urls[0], url)))
            return true;
    }
    return false;
}

bool session_wants(struct attachment *a)
{
    struct session *s = &a->session;
    for (size_t i = 0; i < PLACED_MAX; i++)
        if (a->placed[i].used && !a->placed[i].refused && placed_without_file(a->placed[i].probe))
            return true;
    for (size_t i = 0; i < s->n_scripts; i++)
        if (!s->scripts[i].native && is_wanted(a, s->scripts[i].url))
            return true;
    return false;
}

void session_next_script(struct attachment *a)
{
    struct session *s = &a->session;
    while (s->script < s->n_scripts && (s->scripts[s->script].native || !is_wanted(a, s->scripts[s->script].url)))
        s->script++;
    if (s->script == s->n_scripts) {
        for (size_t i = 0; i < PLACED_MAX; i++)
            if (a->placed[i].used && !a->placed[i].refused && !a->placed[i].edit &&
                !placed_without_file(a->placed[i].probe))
                url_of(a, &a->placed[i]); // tells why
        session_last_order(a);
        return;
    }
    struct json_writer w = session_ask(a, "Debugger.getScriptSource");
    session_put_text(&w, "scriptId", s->scripts[s->script].id);
    session_ask_end(a, &w, on_source);
}
