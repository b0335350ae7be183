// The threads of a process. Each worker thread has an engine of its own: its own copies of the files, its own __clew, its own counters. A session does in each of
// them, one after the other, what it does in the main thread, through the inspector of the main thread (domain NodeWorker), which has a session with each
// worker's. So what a session knows of a thread is forgotten when the next one has its turn, and a probe's state is told when all have had theirs.
//
// A worker may be in native code, or end, at any moment: it is waited for a short time, and where it does not answer that is said.
#include "agent/node/figures.h"
#include "agent/node/session.h"
#include "agent/node/session_map.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/utf8.h"

#include <ctype.h>
#include <stdio.h>

enum {
    MESSAGES = 2000000, // of envelopes, and above
    CALLS = 3000000,    // of the first question to a worker
};
// At least; more on a machine where the main thread took longer.
#define CALL_NS (200 * 1000000ll)    // who has not answered by then is busy
#define WORKER_NS (500 * 1000000ll)  // of one request
#define WORKERS_NS (450 * 1000000ll) // of all workers
#define WORKERS_END_NS (4 * 1000000000ll)

// "[worker 3] pool" is what Node calls it.
static void name_of(str title, struct session_worker *w)
{
    str head = STR("[worker "), name = str_starts(title, head) ? str_slice(title, head.len, title.len) : (str){ 0 };
    w->id = 0;
    while (name.len && isdigit((unsigned char)name.ptr[0]) && w->id < UINT32_MAX) {
        w->id = w->id * 10 + (uint64_t)(name.ptr[0] - '0');
        name = str_slice(name, 1, name.len);
    }
    name = str_starts(name, STR("] ")) ? utf8_cut(str_slice(name, 2, name.len), sizeof w->name - 32) : (str){ 0 };
    snprintf(w->name, sizeof w->name, "worker %llu", (unsigned long long)w->id);
    if (name.len && !str_eq(name, STR("WorkerThread"))) // what Node calls those without a name
        snprintf(w->name, sizeof w->name, "worker %llu (%.*s)", (unsigned long long)w->id, STR_ARG(name));
}

// --- a thread's turn ---

void session_pass_begin(struct attachment *a)
{
    struct session *s = &a->session;
    s->passing = true;
    s->scripts = NULL, s->n_scripts = s->cap_scripts = 0, s->last_script = 0, s->script = 0;
    s->object = s->natives = s->unclean = (str){ 0 };
    memset(s->elements, 0, sizeof s->elements);
    s->element = 0;
    for (size_t i = 0; i < s->n_edited; i++)
        mem_free(s->edited[i]);
    s->n_edited = s->n_edits = 0;
    session_map_end(a);
    s->copies = (struct script_copies){ 0 };
    s->ready = false, s->n_drop = 0, s->thread = 0;
    for (size_t i = 0; i < PLACED_MAX; i++) {
        struct placed *p = &a->placed[i];
        if (!s->worker)
            p->in = p->out = 0, p->text = 0, p->stop_note[0] = 0, p->first = (struct verdict){ 0 };
        p->edit = NULL, p->maps = NULL;
        p->has = p->here = p->missing = false;
        p->verdict = (struct verdict){ 0 };
    }
    arena_reset(&s->arena);
}

static bool is_absent(const struct verdict *v) { return strcmp(v->code, "module_not_loaded") == 0; }

// What has become of each probe in the thread that had its turn.
static void fold(struct attachment *a)
{
    struct session *s = &a->session;
    for (size_t i = 0; i < PLACED_MAX; i++) {
        struct placed *p = &a->placed[i];
        struct verdict *v = &p->verdict;
        bool absent = is_absent(v);
        if (p->here) {
            p->in++;
            figures_seen(a, p, s->thread);
        } else if (v->state[0]) {
            p->out += !absent;
            if (!p->first.state[0] || (!absent && is_absent(&p->first))) {
                p->first = *v;
                if (s->worker)
                    snprintf(p->first.message, sizeof p->first.message, "%s: %.180s", s->worker->name, v->message);
            }
        }
        *v = (struct verdict){ 0 };
        p->here = false;
    }
}

// A thread that counts where nobody can read it is as good as not probed.
static void uncounted(struct attachment *a, struct placed *p)
{
    unsigned thread = 0, n = figures_unread(a, p, &thread);
    struct verdict v = { .state = "error", .code = "attach_failed" };
    if (!n)
        return;
    p->in -= n, p->out += n;
    a->session.again = true;
    str name = threads_name(a, thread);
    snprintf(v.message, sizeof v.message, "%.*s%swhat it counts cannot be read in the process",
             thread ? (int)name.len : 0, name.ptr, thread ? ": " : "");
    if (!p->first.state[0] || is_absent(&p->first))
        p->first = v;
}

static void why(struct session *s, const char *who, const char *what)
{
    s->unknown++;
    s->again = true;
    if (!s->why[0])
        snprintf(s->why, sizeof s->why, "%s: %.180s", who, what);
}

static void in_part(const struct session *s, const struct placed *p, struct verdict *v)
{
    unsigned unknown = s->unknown + s->too_many;
    if (p->out)
        snprintf(v->message, sizeof v->message, "%u of the %u threads that run this file are probed; %.180s", p->in,
                 p->in + p->out, p->first.message);
    else if (!s->complete)
        snprintf(v->message, sizeof v->message, "whether worker threads run this file is not known yet");
    else if (s->unknown)
        snprintf(v->message, sizeof v->message, "%u of the threads probed; of %u more it is not known; %.160s", p->in,
                 unknown, s->why);
    else
        snprintf(v->message, sizeof v->message,
                 "%u of the threads probed; the process has %u worker threads more than the %d that are looked at",
                 p->in, s->too_many, WORKERS_MAX);
}

void session_conclude(struct attachment *a)
{
    struct session *s = &a->session;
    if (!s->passing)
        return;
    fold(a);
    s->passing = false;
    figures_find(a);
    for (size_t i = 0; i < PLACED_MAX; i++) {
        struct placed *p = &a->placed[i];
        uncounted(a, p);
        bool all = s->complete && !s->unknown && !s->too_many && !p->out;
        struct verdict v = { 0 };
        if (!p->used || p->refused || (!p->in && !p->first.state[0]))
            continue;
        if (a->dirty && !s->complete) { // cut off, because another set is to be made true
            p->installed |= p->in;
            continue;
        }
        snprintf(v.state, sizeof v.state, "%s", all ? "installed" : "partial");
        snprintf(v.code, sizeof v.code, "%s", !all ? "worker_threads" : p->stop_note[0] ? "breakpoint" : "");
        snprintf(v.message, sizeof v.message, "%s", p->stop_note);
        if (!p->in)
            v = p->first;
        else if (!all)
            in_part(s, p, &v);
        s->again |= p->in ? !s->complete : is_absent(&p->first);
        p->installed = p->in;
        for (size_t k = 1; s->complete && !s->unknown && k < p->n_threads; k++)
            if (a->threads[k].turn != a->turn) // it has ended
                p->threads[k].state = 0;
        if (s->complete && !s->unknown && !s->too_many)
            figures_leave_ended(a, p);
        p->last = v, p->last.data = (str){ 0 };
        if (p->in && p->state > 1)
            threads_suspension(a, p);
        else
            placed_say(a, p, &v);
    }
}

// --- from one to the next ---

static void on_disabled(struct attachment *a, const struct json_node *result)
{
    session_conclude(a);
    session_shut(a);
}

static void leave(struct attachment *a)
{
    struct session *s = &a->session;
    s->worker = NULL;
    s->object = str_z(s->main_object);
    s->n_scripts = 0; // they were a worker's
    s->calling = false;
    s->leaving = true;
    if (!s->asked) {
        on_disabled(a, NULL);
        return;
    }
    s->asked = false;
    struct json_writer w = session_ask(a, "NodeWorker.disable");
    session_ask_end(a, &w, on_disabled);
}

static int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

static bool has_time(const struct attachment *a)
{
    const struct session *s = &a->session;
    int64_t now = clock_mono_ns(), room = larger(WORKERS_NS, s->pace_ns * (int64_t)(s->n_workers + 1));
    return now - s->begun_ns < SESSION_MS * 1000000ll ||
           now - s->workers_ns < (room < WORKERS_END_NS ? room : WORKERS_END_NS);
}

static void next_worker(struct attachment *a)
{
    struct session *s = &a->session;
    struct session_worker *next = NULL;
    bool time = has_time(a);
    s->calling = false;
    for (size_t i = 0; i < s->n_workers && !next; i++)
        if (s->workers[i].answers && !s->workers[i].ended && !s->workers[i].left)
            next = &s->workers[i];
    if (!s->stops && next && time) {
        next->left = true;
        s->worker = next;
        session_pass_begin(a);
        s->object = session_keep(a, str_z(next->object));
        session_look(a);
        return;
    }
    for (size_t i = 0; i < s->n_workers; i++) {
        struct session_worker *w = &s->workers[i];
        if (!w->left && !w->ended)
            why(s, w->name,
                w->answers ? "there was no time for it; it is tried again" : "it does not answer; it is tried again");
    }
    s->complete |= !s->stops;
    leave(a);
}

static void on_left(struct attachment *a, const struct json_node *result) { next_worker(a); }

static void call_workers(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    if (!result)
        why(s, "its inspector", "it does not tell of worker threads");
    s->workers_ns = s->asked_ns = clock_mono_ns();
    s->pace_ns = s->workers_ns - s->begun_ns;
    s->calling = true;
    for (size_t i = 0; i < s->n_workers; i++) {
        struct json_writer w;
        s->worker = &s->workers[i];
        buf_clear(&s->out);
        json_writer_init(&w, &s->out);
        json_put_object(&w);
        json_put_key(&w, STR("id")), json_put_int(&w, CALLS + (int64_t)i);
        session_put_text(&w, "method", STR("Runtime.evaluate"));
        json_put_key(&w, STR("params"));
        json_put_object(&w);
        session_put_existing(&w);
        json_put_object_end(&w), json_put_object_end(&w);
        session_send(a, session_wrapped(a));
    }
    s->worker = NULL;
    s->message_first = ++s->message; // nothing else is waited for
    if (s->n_workers == 0)
        next_worker(a);
}

static void on_main_left(struct attachment *a, const struct json_node *result)
{
    a->session.asked = true;
    struct json_writer w = session_ask(a, "NodeWorker.enable");
    json_put_key(&w, STR("waitForDebuggerOnStart")), json_put_bool(&w, false);
    session_ask_end(a, &w, call_workers);
}

// Nobody is to be stopped by a `debugger` statement while others have their turn.
static void pass_over(struct attachment *a)
{
    struct session *s = &a->session;
    fold(a);
    if (s->worker && s->thread < a->n_threads)
        a->threads[s->thread].turn = a->turn;
    if (!s->worker)
        snprintf(s->main_object, sizeof s->main_object, "%.*s", STR_ARG(s->object));
    if (s->stops) {
        leave(a);
        return;
    }
    struct json_writer w = session_ask(a, "Debugger.disable");
    session_ask_end(a, &w, s->worker ? on_left : on_main_left);
}

void session_pass_end(struct attachment *a)
{
    a->session.calling = false;
    session_copies_count(a, pass_over);
}

void session_worker_lost(struct attachment *a, const char *what)
{
    struct session *s = &a->session;
    static const char let_go[] = "{\"id\":1000002,\"method\":\"Debugger.disable\"}";
    if (s->thread < a->n_threads && s->thread)
        a->threads[s->thread].turn = a->turn;
    buf_clear(&s->out);
    buf_str(&s->out, STR(let_go));
    session_send(a, session_wrapped(a));
    for (size_t i = 0; i < PLACED_MAX; i++)
        a->placed[i].here = false, a->placed[i].verdict = (struct verdict){ 0 };
    why(s, s->worker->name, what);
    next_worker(a);
}

void session_workers_due(struct attachment *a, int64_t now)
{
    struct session *s = &a->session;
    if (s->calling && now - s->asked_ns > larger(CALL_NS, s->pace_ns / 2))
        next_worker(a);
    else if (!s->calling && s->worker && s->step == SESSION_TALKING &&
             now - s->asked_ns > larger(WORKER_NS, s->pace_ns))
        session_worker_lost(a, "it does not answer; it is tried again");
}

// --- messages ---

const struct buf *session_wrapped(struct attachment *a)
{
    struct session *s = &a->session;
    struct json_writer w;
    buf_clear(&s->wrapped);
    json_writer_init(&w, &s->wrapped);
    json_put_object(&w);
    json_put_key(&w, STR("id")), json_put_int(&w, MESSAGES + s->message);
    session_put_text(&w, "method", STR("NodeWorker.sendMessageToWorker"));
    json_put_key(&w, STR("params"));
    json_put_object(&w);
    session_put_text(&w, "message", buf_view(&s->out));
    session_put_text(&w, "sessionId", str_z(s->worker->session));
    json_put_object_end(&w), json_put_object_end(&w);
    return &s->wrapped;
}

static void attached(struct session *s, const struct json_node *params)
{
    str session = json_get_text(params, STR("sessionId"));
    const struct json_node *info = json_get(params, STR("workerInfo"));
    struct session_worker *w = &s->workers[s->n_workers];
    if (s->calling || s->workers_ns) // it has come since, and is found by the next session
        return;
    if (s->n_workers == WORKERS_MAX || session.len >= sizeof w->session) {
        s->too_many++;
        return;
    }
    *w = (struct session_worker){ 0 };
    snprintf(w->session, sizeof w->session, "%.*s", STR_ARG(session));
    name_of(json_get_text(info, STR("title")), w);
    s->n_workers++;
}

static struct session_worker *worker_of(struct session *s, const struct json_node *params)
{
    str session = json_get_text(params, STR("sessionId"));
    for (size_t i = 0; i < s->n_workers; i++)
        if (str_eq(str_z(s->workers[i].session), session))
            return &s->workers[i];
    return NULL;
}

static bool all_answered(const struct session *s)
{
    for (size_t i = 0; i < s->n_workers; i++)
        if (!s->workers[i].answers && !s->workers[i].ended)
            return false;
    return true;
}

static void ended(struct attachment *a, struct session_worker *w)
{
    struct session *s = &a->session;
    w->ended = true;
    for (size_t k = 1; k < a->n_threads && w->id; k++)
        if (a->threads[k].id == w->id)
            a->threads[k].turn = 0;
    if (w == s->worker) {
        for (size_t i = 0; i < PLACED_MAX; i++)
            a->placed[i].here = false, a->placed[i].verdict = (struct verdict){ 0 };
        next_worker(a);
    } else if (s->calling && all_answered(s)) {
        next_worker(a);
    }
}

static void answered(struct attachment *a, struct session_worker *w, const struct json_node *root)
{
    str object = json_get_text(json_get(json_get(root, STR("result")), STR("result")), STR("objectId"));
    w->answers = object.len < sizeof w->object;
    snprintf(w->object, sizeof w->object, "%.*s", STR_ARG(object));
    if (a->session.calling && all_answered(&a->session))
        next_worker(a);
}

// A worker that stands at a `debugger` statement goes on, whoever has the turn.
static void let_run(struct attachment *a, struct session_worker *w)
{
    struct session *s = &a->session;
    struct session_worker *now = s->worker;
    buf_clear(&s->out);
    buf_str(&s->out, STR("{\"id\":1000001,\"method\":\"Debugger.resume\"}"));
    s->worker = w;
    session_send(a, session_wrapped(a));
    s->worker = now;
}

bool session_worker_message(struct attachment *a, const struct json_node *root, const struct json_node **ret)
{
    struct session *s = &a->session;
    str method = json_get_text(root, STR("method"));
    const struct json_node *params = json_get(root, STR("params"));
    struct session_worker *w = worker_of(s, params);
    int64_t id;
    *ret = root;
    if (str_eq(method, STR("NodeWorker.attachedToWorker"))) {
        attached(s, params);
        return false;
    }
    if (w && str_eq(method, STR("NodeWorker.detachedFromWorker"))) {
        ended(a, w);
        return false;
    }
    if (!str_eq(method, STR("NodeWorker.receivedMessageFromWorker"))) {
        // The answer to an envelope says that it was passed on, or that nobody is there any more.
        if (s->worker && json_int_of(json_get(root, STR("id")), &id) && id >= MESSAGES &&
            json_get(root, STR("error")) && id == MESSAGES + s->message)
            ended(a, s->worker);
        return !s->worker; // what the main thread tells meanwhile is nothing of the worker's
    }
    if (!w || json_tree_read(json_get_text(params, STR("message")), &s->reply, 24, ret, NULL) < 0)
        return false;
    if (str_eq(json_get_text(*ret, STR("method")), STR("Debugger.paused"))) {
        let_run(a, w);
        return false;
    }
    if (json_int_of(json_get(*ret, STR("id")), &id) && id >= CALLS) {
        if (!w->answers && !w->left)
            answered(a, w, *ret);
        return false;
    }
    return w == s->worker;
}
