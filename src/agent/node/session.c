// One session with a process' inspector: opened by SIGUSR1, closed again when everything that can be done is done. Requests go one at a time; what is to be done
// with an answer stands beside it. The program runs on all the while: its inspector's thread takes the messages, its main thread answers between two tasks.
#include "agent/node/session.h"
#include "agent/node/session_map.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern const char node_walk[];
extern const size_t node_walk_size;
extern const char node_walk_version[]; // digits and letters

enum {
    OPEN_MS = 1000,
    MESSAGE_ARENA = INSPECTOR_MESSAGE_MAX,
    MESSAGE_DEPTH = 24,
    SCRIPTS_MAX = 100000,
    SOURCE_ROOM = 16 << 20,
    WORDS_ARENA = 1 << 20,
    HOLD_MS = 10000,
    RECEIVED_MAX = 128 << 20, // bytes of a session, and what a message of it costs beside its bytes
    MESSAGE_COST = 256,
    SLOW_MS = 100, // of a connection: ones that answer take a few
    STEP_MS = 20,  // of the helper's time, while messages come
    QUIET_MS = 100,
    CLOSED_MS = 2,
    ANSWER_MS = 2, // that an answer is waited for at once
    LINGER_MS = 1000
};

// Of Node, and verified to be: in the order of BOOT. (A worker thread has no inspector to end.) Nothing of the program is called to get them but, before Node 20.16, hooks of module loading.
#define NATIVES(get)                                                                                              \
    "(g=>{const v=g('vm'),f=g('fs'),p=g('process'),t=g('util').types,A=g('async_hooks').AsyncLocalStorage,"       \
    "S=g('inspector').Session;return["                                                                            \
    "v.createContext,v.compileFunction,f.writeSync,f.openSync,f.closeSync,f.fstatSync,p.hrtime.bigint,t.isProxy," \
    "t.isMap,t.isSet,t.isDate,t.isTypedArray,A.prototype.getStore,p._debugEnd||f.fstatSync,p.cpuUsage,S,"         \
    "S.prototype.connect,S.prototype.post,A.prototype,p,p.version]})(" get ")"
enum { NATIVES_FUNCTIONS = 18, NATIVES_N = 21 };

#define BOOT_HEAD                                                                                       \
    "function(){const a=this,u=undefined,c=a[0]({__proto__:null},{__proto__:null,name:'clew',origin:u," \
    "codeGeneration:u,microtaskMode:u,importModuleDynamically:u});return a[1]('return(N)=>{'+"
#define BOOT_TAIL                                                                                                      \
    "+'}',u,{__proto__:null,parsingContext:c,filename:'clew:walk',lineOffset:0,columnOffset:0,cachedData:u,"           \
    "produceCachedData:false,contextExtensions:u,importModuleDynamically:u})()({__proto__:null,context:c,"             \
    "compile:a[1],writeSync:a[2],openSync:a[3],closeSync:a[4],fstatSync:a[5],hrtime:a[6],isProxy:a[7],isMap:a[8],"     \
    "isSet:a[9],isDate:a[10],isTypedArray:a[11],getStore:a[12],close:a[13],cpuUsage:a[14],Session:a[15],connect:a[16]" \
    ","                                                                                                                \
    "post:a[17],storage:a[18],process:a[19],global:"                                                                   \
    "globalThis,version:'"
#define BOOT_END "'})}"

#define RESUME "{\"id\":1000001,\"method\":\"Debugger.resume\"}"

bool session_runs(const struct attachment *a) { return a->session.step != SESSION_NONE; }

// A Node whose client is cut off in the middle of an answer may crash (22 does): what it writes then fails where it does not expect it. So that no end of this
// process, not even by SIGKILL, cuts it off, another process holds the connection, too: it takes what still comes, and says that it leaves when nothing does.
static void hold_on(int fd, int life)
{
    static const uint8_t leave[] = { 0x88, 0x80, 0, 0, 0, 0 }; // RFC 6455: close, masked with nothing
    static char in[64 << 10];
    struct pollfd p = { life, POLLIN, 0 };
    while (poll(&p, 1, -1) < 0) {}
    if (read(life, in, 1) == 1)
        return; // its maker has left as it should
    p.fd = fd;
    bool over = false;
    // One that never stops sending is left all the same: nothing keeps this process for ever.
    int64_t end = clock_mono_ns() + HOLD_MS * NS_PER_MS;
    for (int ms = HOLD_MS; !over && clock_mono_ns() < end && poll(&p, 1, ms) > 0; ms = QUIET_MS)
        over = read(fd, in, sizeof in) <= 0;
    if (over || send(fd, leave, sizeof leave, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        return;
    end = clock_mono_ns() + HOLD_MS * NS_PER_MS;
    while (clock_mono_ns() < end && poll(&p, 1, HOLD_MS) > 0 && read(fd, in, sizeof in) > 0) {}
}

static int hold(int fd)
{
    int life[2];
    if (pipe2(life, O_CLOEXEC) < 0)
        return 0;
    pid_t child = fork();
    if (child == 0) {
        if (fork() == 0) { // nobody's child, whom nobody has to wait for
            int keep[2] = { fd < life[0] ? fd : life[0], fd < life[0] ? life[0] : fd };
            if (keep[0])
                close_range(0, (unsigned)keep[0] - 1, 0);
            if (keep[1] > keep[0] + 1)
                close_range((unsigned)keep[0] + 1, (unsigned)keep[1] - 1, 0);
            close_range((unsigned)keep[1] + 1, ~0u, 0);
            setsid(); // nor is it told what a terminal tells
            hold_on(fd, life[0]);
        }
        _exit(0);
    }
    if (child > 0)
        waitpid(child, NULL, 0);
    close(life[0]);
    return life[1];
}

static void let_go(struct session *s)
{
    if (s->holder <= 0)
        return;
    while (write(s->holder, "x", 1) < 0 && errno == EINTR) {}
    close(s->holder);
    s->holder = 0;
}

void session_free(struct attachment *a)
{
    struct session *s = &a->session;
    ws_client_close(s->ws, WS_ABNORMAL, (str){ 0 });
    let_go(s);
    for (size_t i = 0; i < s->n_edited; i++)
        mem_free(s->edited[i]);
    arena_free(&s->arena);
    arena_free(&s->reply);
    arena_free(&s->words);
    buf_free(&s->wrapped), buf_free(&s->out), buf_free(&s->orders), buf_free(&s->text);
    *s = (struct session){ 0 };
}

static void finish(struct attachment *a)
{
    struct session *s = &a->session;
    session_conclude(a);
    bool again = s->again;
    bool mapped = false;
    for (size_t i = 0; i < PLACED_MAX; i++) {
        a->placed[i].edit = NULL, a->placed[i].maps = NULL;
        mapped |= a->placed[i].used && a->placed[i].at[0];
    }
    if (!mapped)
        map_files_free(&a->files);
    node_pipe_hide(&a->pipe);
    session_free(a);
    a->session.again = again;
}

bool session_send(struct attachment *a, const struct buf *message)
{
    return !message->error && ws_client_send(a->session.ws, true, buf_bytes(message)) == 0;
}

// Ends it early. The connection is kept until the process closes it: a Node whose inspector is told to end while its client leaves
// may crash (it did once in some seventy times).
void session_abort(struct attachment *a)
{
    struct session *s = &a->session;
    if (!session_runs(a) || s->step == SESSION_CLOSING || s->step == SESSION_CLOSED)
        return;
    if (s->leaving) { // it ends
        s->again = true;
        return;
    }
    s->again = s->stops = true;
    if (s->ws)
        session_pass_end(a);
    else
        finish(a);
}

void session_tell_open(struct attachment *a, const char *state, const char *code, const char *message)
{
    for (size_t i = 0; i < PLACED_MAX; i++)
        if (a->placed[i].used && !a->placed[i].refused && !a->placed[i].installed && !a->placed[i].here)
            placed_tell(a, &a->placed[i], state, code, message, (str){ 0 }, 0);
}

void session_fail(struct attachment *a, const char *state, const char *code, const char *message)
{
    if (a->session.worker) {
        session_worker_lost(a, message);
        return;
    }
    session_tell_open(a, state, code, message);
    session_abort(a);
}

// --- requests ---

struct json_writer session_ask(struct attachment *a, const char *method)
{
    struct json_writer w;
    struct session *s = &a->session;
    buf_clear(&s->out);
    json_writer_init(&w, &s->out);
    json_put_object(&w);
    json_put_key(&w, STR("id")), json_put_int(&w, ++s->message);
    json_put_key(&w, STR("method")), json_put_str(&w, str_z(method));
    json_put_key(&w, STR("params"));
    json_put_object(&w);
    return w;
}

void session_ask_end(struct attachment *a, struct json_writer *w, session_then *then)
{
    json_put_object_end(w);
    json_put_object_end(w);
    a->session.then = then;
    a->session.message_first = a->session.message;
    a->session.step = SESSION_TALKING;
    a->session.asked_ns = clock_mono_ns();
    if (a->session.out.error || !session_send(a, a->session.worker ? session_wrapped(a) : &a->session.out)) {
        session_tell_open(a, "waiting", "attach_failed", "the inspector's connection broke");
        a->session.again = true;
        finish(a); // without a word: the inspector stays open for the next session
    }
}

void session_put_text(struct json_writer *w, const char *key, str value)
{
    json_put_key(w, str_z(key));
    json_put_str(w, value);
}

// A method of __clew with one text, or none.
void session_call(struct attachment *a, const char *function, str argument, session_then *then)
{
    struct json_writer w = session_ask(a, "Runtime.callFunctionOn");
    session_put_text(&w, "objectId", a->session.object);
    session_put_text(&w, "functionDeclaration", str_z(function));
    json_put_key(&w, STR("returnByValue")), json_put_bool(&w, true);
    json_put_key(&w, STR("silent")), json_put_bool(&w, true);
    if (argument.ptr) {
        json_put_key(&w, STR("arguments"));
        json_put_array(&w), json_put_object(&w);
        session_put_text(&w, "value", argument);
        json_put_object_end(&w), json_put_array_end(&w);
    }
    session_ask_end(a, &w, then);
}

const struct json_node *session_value_of(const struct json_node *result)
{
    return json_get(json_get(result, STR("result")), STR("value"));
}

void session_put_existing(struct json_writer *w)
{
    char text[128];
    snprintf(text, sizeof text, "typeof __clew==='object'&&__clew.version==='%s'?(__clew.stay(),__clew):null",
             node_walk_version);
    session_put_text(w, "expression", str_z(text));
}

// Texts that outlive the answer.
str session_keep(struct attachment *a, str text)
{
    str kept = { 0 };
    arena_dup(&a->session.arena, text, &kept);
    return kept;
}

// --- the end ---

static void on_shut(struct attachment *a, const struct json_node *result) { finish(a); }

// The process closes its inspector as soon as this connection is gone.
static void on_handed(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    if (!session_value_of(result)) {
        finish(a); // it stays open for the next session
        return;
    }
    ws_client_close(s->ws, WS_NORMAL, (str){ 0 });
    s->ws = NULL;
    close(s->holder); // who takes what comes until the process has closed its end
    s->holder = 0;
    s->step = SESSION_CLOSED;
    s->linger_ns = clock_mono_ns() + LINGER_MS * 1000000ll;
}

void session_shut(struct attachment *a)
{
    struct session *s = &a->session;
    if (s->object.len && s->descriptor >= 0 && s->holder > 0) {
        char where[64];
        snprintf(where, sizeof where, "[%d,%llu]", s->descriptor, (unsigned long long)s->inode);
        session_call(a, "function(w){return this.shut(w)}", str_z(where), on_handed);
        return;
    }
    struct json_writer w = session_ask(a, "Runtime.evaluate");
    session_put_text(&w, "expression", STR("process._debugEnd()"));
    session_ask_end(a, &w, on_shut);
    if (session_runs(a))
        a->session.step = SESSION_CLOSING; // the answer may never come: the connection ends first
}

static int64_t rest_until; // the helper has one thread

static int connect_to(struct attachment *a, unsigned port, struct err *err)
{
    int64_t began = clock_mono_ns();
    int rc = inspector_connect(&a->process, port, &a->session.ws, err);
    // Nothing else is done meanwhile. Where one takes long about it, the next waits twice as long, so that there is time for all the others.
    int64_t now = clock_mono_ns();
    if (now - began > SLOW_MS * NS_PER_MS)
        rest_until = now + (now - began) * 2;
    return rc;
}

// It has not: its main thread never comes to its event loop. Then it is told to by who is connected, and waits.
static void shut_lingering(struct attachment *a)
{
    struct session *s = &a->session;
    struct err err;
    if (clock_mono_ns() < rest_until)
        return;
    if (connect_to(a, s->port, &err) < 0) {
        s->ws = NULL;
        finish(a);
        return;
    }
    s->holder = hold(ws_client_fd(s->ws));
    struct json_writer w = session_ask(a, "Runtime.evaluate");
    session_put_text(&w, "expression", STR("__clew.stay(),process._debugEnd()"));
    session_ask_end(a, &w, on_shut);
    if (session_runs(a))
        s->step = SESSION_CLOSING;
}

// Those that stand in no file are told when the order is taken.
static void on_last(struct attachment *a, const struct json_node *result)
{
    for (size_t i = 0; i < PLACED_MAX; i++) {
        struct placed *p = &a->placed[i];
        if (!p->used || p->refused || !p->edit || !placed_without_file(p->probe))
            continue;
        p->here = p->ordered = session_value_of(result) != NULL;
        if (p->here)
            placed_tell(a, p, "installed", "", "", (str){ 0 }, 0);
        else
            placed_tell(a, p, "error", "code_unsupported", "the process does not take the probe", (str){ 0 }, 0);
    }
    session_pass_end(a);
}

static void put_without_file(struct attachment *a, struct json_writer *w)
{
    static struct scan_scope scope = { UINT32_MAX, 0 };
    static struct scan_function program = { .kind = SCAN_PROGRAM, .entry = UINT32_MAX };
    static const struct scan nothing = { .functions = &program, .scopes = &scope, .n_functions = 1, .n_scopes = 1 };
    json_put_key(w, STR("set"));
    json_put_array(w);
    for (size_t i = 0; i < PLACED_MAX; i++) {
        struct placed *p = &a->placed[i];
        if (!p->used || p->refused || !placed_without_file(p->probe))
            continue;
        struct edit_probe *e = arena_alloc(&a->session.arena, sizeof *e);
        struct err err = { 0 };
        struct buf order;
        if (!e)
            break;
        *e = (struct edit_probe){ .probe = p->probe, .slot = p->slot };
        buf_init(&order, ORDERS_ROOM);
        if (session_give_table(a, p, e, &err) == 0 &&
            edit_order(&nothing, e, a->policy_used, &a->session.arena, &order, &err) == 0) {
            if (!p->has)
                json_put_raw(w, buf_view(&order));
            p->edit = e;
        } else {
            placed_tell(a, p, "error", err.slug[0] ? err.slug : "code_unsupported", err.message, (str){ 0 }, 0);
        }
        buf_free(&order);
    }
    json_put_array_end(w);
}

void session_put_edited(struct attachment *a, struct json_writer *w)
{
    struct buf all;
    buf_init(&all, 1 << 20);
    for (size_t i = 0; i < a->session.n_edited; i++) {
        buf_str(&all, str_z(a->session.edited[i]));
        buf_str(&all, STR("\n"));
    }
    session_put_text(w, "edited", buf_view(&all));
    buf_free(&all);
}

void session_last_order(struct attachment *a)
{
    struct json_writer w;
    buf_clear(&a->session.orders);
    json_writer_init(&w, &a->session.orders);
    json_put_object(&w);
    put_without_file(a, &w);
    session_put_edited(a, &w);
    json_put_object_end(&w);
    session_call(a, "function(o){return this.order(o)}", buf_view(&a->session.orders), on_last);
}

// --- __clew ---

static void on_opened(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    char number[16];
    str said = json_text_of(session_value_of(result));
    if (!s->worker)
        node_pipe_hide(&a->pipe);
    if (!said.len) {
        if (!s->worker)
            node_pipe_close(&a->pipe);
        session_fail(a, "error", "attach_failed", "the process cannot open its pipe");
        return;
    }
    snprintf(number, sizeof number, "%.*s", (int)(said.len < sizeof number ? said.len : 0), said.ptr);
    if (!s->worker)
        a->pipe_end = s->main_pipe = (int)strtol(number, NULL, 10);
    session_next_script(a);
}

static void put_pipe(struct attachment *a, struct json_writer *w)
{
    struct session *s = &a->session;
    struct stat st;
    char text[64];
    if (s->worker) { // the pipe has no name any more
        snprintf(text, sizeof text, "/proc/self/fd/%d", s->main_pipe);
        session_put_text(w, "open", str_z(text));
        snprintf(text, sizeof text, "%llu", fstat(a->pipe.fd, &st) == 0 ? (unsigned long long)st.st_ino : 0);
        session_put_text(w, "inode", str_z(text));
    } else {
        session_put_text(w, "open", str_z(a->pipe.path));
    }
    json_put_key(w, STR("thread")), json_put_int(w, s->thread);
    session_put_text(w, "name", threads_name(a, s->thread));
}

static void open_pipe(struct attachment *a)
{
    struct session *s = &a->session;
    struct json_writer w;
    struct err err;
    if (s->ready && !s->n_drop) {
        session_next_script(a);
        return;
    }
    buf_clear(&s->orders);
    json_writer_init(&w, &s->orders);
    json_put_object(&w);
    if (!s->ready && !s->worker) {
        node_pipe_close(&a->pipe);
        if (node_pipe_make(&a->process, &a->pipe, &err) < 0) {
            session_fail(a, "error", err.slug, err.message);
            return;
        }
    }
    if (!s->ready && s->worker && !(s->thread = threads_add(a, s->worker->name, s->worker->id))) {
        session_fail(a, "error", "error", "it has had too many threads");
        return;
    }
    if (!s->ready)
        put_pipe(a, &w);
    json_put_key(&w, STR("drop"));
    json_put_array(&w);
    for (size_t i = 0; i < s->n_drop; i++)
        json_put_int(&w, s->drop[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    session_call(a, "function(o){return this.order(o)}", buf_view(&s->orders), on_opened);
}

static void on_boot(struct attachment *a, const struct json_node *result)
{
    str id = json_get_text(json_get(result, STR("result")), STR("objectId"));
    if (!id.len || json_get(result, STR("exceptionDetails"))) {
        session_fail(a, "error", "attach_failed", "the part for Node could not be set up");
        return;
    }
    a->session.object = session_keep(a, id);
    session_look(a);
}

static void boot(struct attachment *a)
{
    struct session *s = &a->session;
    struct buf text;
    struct json_writer source;
    buf_init(&text, 1 << 20);
    buf_str(&text, STR(BOOT_HEAD));
    json_writer_init(&source, &text);
    json_put_str(&source, str_of(node_walk, node_walk_size));
    buf_str(&text, STR(BOOT_TAIL));
    buf_str(&text, str_z(node_walk_version));
    buf_str(&text, STR(BOOT_END));
    struct json_writer w = session_ask(a, "Runtime.callFunctionOn");
    session_put_text(&w, "objectId", s->natives);
    session_put_text(&w, "functionDeclaration", buf_view(&text));
    json_put_key(&w, STR("silent")), json_put_bool(&w, true);
    session_ask_end(a, &w, on_boot);
    buf_free(&text);
}

// --- is it Node's own ---

static void not_nodes_own(struct attachment *a)
{
    a->hopeless = !a->session.worker;
    session_fail(a, "error", "runtime_unsupported",
                 "functions of Node that the agent needs (of fs, vm or util) have been replaced in this process");
}

static void on_checked(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    bool own = true; // without a place in a script it is native
    for (const struct json_node *p = json_first_of(json_get(result, STR("internalProperties")), JSON_ARRAY); p;
         p = p->next) {
        str name = json_get_text(p, STR("name"));
        if (str_eq(name, STR("[[TargetFunction]]")))
            own = false;
        if (!str_eq(name, STR("[[FunctionLocation]]")))
            continue;
        str script = json_get_text(json_get(json_get(p, STR("value")), STR("value")), STR("scriptId"));
        own = false;
        for (size_t i = 0; i < s->n_scripts && !own; i++)
            own = s->scripts[i].native && str_eq(s->scripts[i].id, script);
    }
    if (!own) {
        not_nodes_own(a);
        return;
    }
    if (++s->element == NATIVES_FUNCTIONS)
        boot(a);
}

// All at once: one after the other would take most of the time that the inspector is open.
static void check_all(struct attachment *a)
{
    struct session *s = &a->session;
    int first = s->message + 1;
    for (size_t i = 0; i < NATIVES_FUNCTIONS && s->ws; i++) {
        struct json_writer w = session_ask(a, "Runtime.getProperties");
        session_put_text(&w, "objectId", s->elements[i]);
        json_put_key(&w, STR("ownProperties")), json_put_bool(&w, true);
        session_ask_end(a, &w, on_checked);
    }
    s->message_first = first;
}

static void on_elements(struct attachment *a, const struct json_node *result)
{
    struct session *s = &a->session;
    size_t found = 0;
    unsigned major = 0;
    for (const struct json_node *p = json_first_of(json_get(result, STR("result")), JSON_ARRAY); p; p = p->next) {
        str name = json_get_text(p, STR("name"));
        const struct json_node *value = json_get(p, STR("value"));
        int64_t i;
        if (!json_int_of(json_get(p, STR("name")), &i) || i < 0 || i >= NATIVES_N || name.len > 2)
            continue;
        if (i < NATIVES_FUNCTIONS && str_eq(json_get_text(value, STR("type")), STR("function"))) {
            s->elements[i] = session_keep(a, json_get_text(value, STR("objectId")));
            found += s->elements[i].len > 0;
        }
        if (i == NATIVES_N - 1) {
            char room[16];
            snprintf(room, sizeof room, "%.*s", (int)(sizeof room - 1),
                     json_get_text(value, STR("value")).len ? json_get_text(value, STR("value")).ptr : "");
            major = (unsigned)strtoul(room[0] == 'v' ? room + 1 : room, NULL, 10);
        }
    }
    if (!s->worker)
        a->hopeless = major < NODE_MAJOR_MIN, a->unedited = major < NODE_MAJOR_EDITED;
    if (major < NODE_MAJOR_MIN)
        session_fail(a, "error", "runtime_unsupported", "this version of Node is older than 18");
    else if (found != NATIVES_FUNCTIONS)
        not_nodes_own(a);
    else
        check_all(a);
}

static void ask_natives(struct attachment *a, str expression, bool as_console, session_then *then)
{
    struct json_writer w = session_ask(a, "Runtime.evaluate");
    session_put_text(&w, "expression", expression);
    json_put_key(&w, STR("includeCommandLineAPI")), json_put_bool(&w, as_console);
    json_put_key(&w, STR("silent")), json_put_bool(&w, true);
    session_ask_end(a, &w, then);
}

static void natives_come(struct attachment *a)
{
    struct json_writer w = session_ask(a, "Runtime.getProperties");
    session_put_text(&w, "objectId", a->session.natives);
    json_put_key(&w, STR("ownProperties")), json_put_bool(&w, true);
    session_ask_end(a, &w, on_elements);
}

static bool natives_keep(struct attachment *a, const struct json_node *result)
{
    a->session.natives = session_keep(a, json_get_text(json_get(result, STR("result")), STR("objectId")));
    return a->session.natives.len && !json_get(result, STR("exceptionDetails"));
}

static void on_natives_of_old(struct attachment *a, const struct json_node *result)
{
    if (natives_keep(a, result))
        natives_come(a);
    else
        not_nodes_own(a);
}

// Before Node 20.16 and 22.3 `require` is all there is, which V8 gives with what consoles have besides. Where an evaluation with these is still to be done
// when a thread ends, V8 ends the process (Node 20: SIGSEGV in v8::Set::Add), and worker threads end all the time.
static void on_natives(struct attachment *a, const struct json_node *result)
{
    if (natives_keep(a, result)) {
        natives_come(a);
    } else if (a->session.worker && a->required) {
        for (size_t i = 0; i < PLACED_MAX; i++)
            if (a->placed[i].used && !a->placed[i].refused)
                placed_tell(a, &a->placed[i], "error", "unsupported",
                            a->unedited ? "breakpoints are of the main thread alone"
                                        : "worker threads are probed from Node 20.16 and 22.3 on",
                            (str){ 0 }, 0);
        session_pass_end(a);
    } else if (a->session.worker) {
        not_nodes_own(a);
    } else {
        a->required = true;
        ask_natives(a, STR(NATIVES("require")), true, on_natives_of_old);
    }
}

static void on_enabled(struct attachment *a, const struct json_node *result)
{
    session_maps_find(a);
    if (a->session.object.len) {
        open_pipe(a);
        return;
    }
    if (a->session.worker && !session_wants(a)) {
        session_pass_end(a);
        return;
    }
    ask_natives(a, STR(NATIVES("process.getBuiltinModule")), false, on_natives);
}

static void ask_scripts(struct attachment *a)
{
    struct json_writer w = session_ask(a, "Debugger.enable");
    session_ask_end(a, &w, on_enabled);
}

static void has_slot(struct attachment *a, int64_t slot)
{
    struct session *s = &a->session;
    for (size_t i = 0; i < PLACED_MAX; i++)
        if (a->placed[i].used && !a->placed[i].refused && a->placed[i].slot == slot) {
            a->placed[i].has = true;
            return;
        }
    if (s->n_drop < PLACED_MAX)
        s->drop[s->n_drop++] = (uint32_t)slot;
}

static void held_read(struct attachment *a, const struct json_node *held)
{
    struct session *s = &a->session;
    int64_t pipe = json_get_int(held, STR("pipe")), thread = json_get_int(held, STR("thread")), slot;
    session_copies_read(a, json_get_text(held, STR("copies")));
    for (str rest = json_get_text(held, STR("edited")); rest.len;) {
        ptrdiff_t end = str_find_char(rest, '\n', 0);
        str one = str_slice(rest, 0, end < 0 ? rest.len : (size_t)end);
        rest = str_slice(rest, one.len + (end >= 0), rest.len);
        session_edited_add(s, one);
    }
    s->ready = pipe >= 0 && a->pipe.fd >= 0 && thread >= 0 && (size_t)thread < a->n_threads && !thread == !s->worker;
    if (!s->ready)
        return;
    s->thread = (unsigned)thread;
    if (!s->worker)
        a->pipe_end = s->main_pipe = (int)pipe;
    for (const struct json_node *n = json_first_of(json_get(held, STR("slots")), JSON_ARRAY); n; n = n->next)
        if (json_int_of(n, &slot))
            has_slot(a, slot);
}

static void on_held(struct attachment *a, const struct json_node *result)
{
    const struct json_node *held = NULL;
    struct arena arena;
    arena_init(&arena, MESSAGE_ARENA);
    if (json_tree_read(json_text_of(session_value_of(result)), &arena, MESSAGE_DEPTH, &held, NULL) == 0)
        held_read(a, held);
    arena_free(&arena);
    if (a->session.natives.len) // it was made just now
        open_pipe(a);
    else
        ask_scripts(a);
}

void session_look(struct attachment *a)
{
    char pipe[32];
    struct stat st = { 0 };
    if (!a->session.object.len) {
        ask_scripts(a);
        return;
    }
    if (a->pipe.fd >= 0)
        fstat(a->pipe.fd, &st);
    snprintf(pipe, sizeof pipe, "%llu", (unsigned long long)st.st_ino);
    session_call(a, "function(p){return this.held(p)}", str_z(pipe), on_held);
}

// Left there by an earlier session, of this agent or of one that was killed.
static void on_existing(struct attachment *a, const struct json_node *result)
{
    a->session.object = session_keep(a, json_get_text(json_get(result, STR("result")), STR("objectId")));
    session_look(a);
}

// --- opening, and going on ---

int session_begin(struct attachment *a, int64_t now, struct err *err)
{
    struct session *s = &a->session;
    int rc = inspector_signal_is_free(&a->process, err);
    if (rc == 0)
        rc = inspector_allowed(&a->process, err);
    if (rc < 0)
        return rc;
    uint64_t left = 0;
    struct inspector_sockets before;
    enum inspector_port port = inspector_port_state(&a->process, &left, &before);
    if (port == INSPECTOR_TAKEN)
        return err_set(err, ERR_AGAIN, "other_debugger",
                       "the inspector's port is in use: a debugger of this or of another process");
    *s = (struct session){ .step = SESSION_OPENING, .before = before, .begun_ns = now };
    arena_init(&s->arena, SESSION_ARENA);
    arena_init(&s->reply, MESSAGE_ARENA);
    arena_init(&s->words, WORDS_ARENA);
    buf_init(&s->wrapped, 4 * SOURCE_ROOM);
    buf_init(&s->out, 2 * SOURCE_ROOM), buf_init(&s->orders, ORDERS_ROOM), buf_init(&s->text, SOURCE_ROOM);
    threads_note(a);
    a->turn++;
    session_pass_begin(a);
    if (!process_alive(&a->process) || (!left && kill(a->process.pid, SIGUSR1) < 0)) {
        session_free(a);
        return err_set(err, ERR_DENIED, "no_permission", "the process cannot be sent a signal");
    }
    return 0;
}

static void opening(struct attachment *a, int64_t now)
{
    struct session *s = &a->session;
    struct err err = { 0 };
    if (now < rest_until)
        return;
    unsigned port = inspector_opened(&a->process, &s->before, &s->listener);
    if (!port) {
        if (now - s->begun_ns > OPEN_MS * 1000000ll) {
            session_tell_open(a, "waiting", "runtime_disabled", "its inspector did not open");
            finish(a);
            a->session.again = true;
        }
        return;
    }
    int rc = connect_to(a, port, &err);
    now = clock_mono_ns();
    if (rc < 0) {
        session_tell_open(a, "waiting", "attach_failed", err.message);
        s->ws = NULL;
        finish(a);
        a->session.again = true;
        return;
    }
    s->begun_ns = now;
    s->end_ns = now + (SESSION_MS + SESSION_END_MS) * NS_PER_MS;
    s->port = port;
    s->holder = hold(ws_client_fd(s->ws));
    s->descriptor = inspector_descriptor(&a->process, ws_client_fd(s->ws), &s->inode);
    struct json_writer w = session_ask(a, "Runtime.evaluate");
    session_put_existing(&w);
    session_ask_end(a, &w, on_existing);
}

static void script_parsed(struct attachment *a, const struct json_node *params)
{
    struct session *s = &a->session;
    str id = json_get_text(params, STR("scriptId")), url = json_get_text(params, STR("url"));
    session_copies_parsed(s, id);
    if (!url.len || s->n_scripts == SCRIPTS_MAX)
        return;
    if (s->n_scripts == s->cap_scripts) {
        size_t more = s->cap_scripts ? s->cap_scripts * 2 : 256;
        struct session_script *list = arena_alloc_array(&s->arena, more, sizeof *list);
        if (!list)
            return;
        if (s->n_scripts)
            memcpy(list, s->scripts, s->n_scripts * sizeof *list);
        s->scripts = list, s->cap_scripts = more;
    }
    bool native = str_starts(url, STR("node:"));
    if (!native && session_copies_remains(a, id, url))
        return;
    str map = json_get_text(params, STR("sourceMapURL"));
    bool beside = map.len && map.len < PROCESS_PATH_MAX && !str_starts(map, STR("data:"));
    s->scripts[s->n_scripts++] = (struct session_script){
        .id = session_keep(a, id),
        .url = native ? STR("node:") : session_keep(a, url),
        .map_url = beside ? session_keep(a, map) : (str){ 0 },
        .native = native,
        .mapped = map.len,
    };
}

static void message_read(struct attachment *a, bytes data)
{
    struct session *s = &a->session;
    const struct json_node *root = NULL;
    int64_t id;
    arena_reset(&s->reply);
    if (json_tree_read(str_of(data.ptr, data.len), &s->reply, MESSAGE_DEPTH, &root, NULL) < 0)
        return;
    if (str_eq(json_get_text(root, STR("method")), STR("Debugger.paused"))) {
        // A `debugger` statement of the program: nobody stops for us.
        static const struct buf resume = { .ptr = (uint8_t *)RESUME, .len = sizeof RESUME - 1 };
        session_send(a, &resume);
        return;
    }
    if (!session_worker_message(a, root, &root))
        return;
    if (json_int_of(json_get(root, STR("id")), &id)) {
        if (id >= s->message_first && id <= s->message && s->then)
            s->then(a, json_get(root, STR("result")));
    } else if (str_eq(json_get_text(root, STR("method")), STR("Debugger.scriptParsed"))) {
        script_parsed(a, json_get(root, STR("params")));
    }
}

// Most answers come within a millisecond. A session asks a dozen times: coming back later for each would make it last.
static bool answer_comes(const struct ws_client *ws)
{
    struct pollfd p = { ws_client_fd(ws), POLLIN, 0 };
    return poll(&p, 1, ANSWER_MS) > 0;
}

void session_step(struct attachment *a, int64_t now)
{
    struct session *s = &a->session;
    struct ws_event event;
    struct err err;
    int64_t until = clock_mono_ns() + STEP_MS * NS_PER_MS;
    if (s->step == SESSION_OPENING) {
        opening(a, now);
        return;
    }
    if (now > s->end_ns) {
        // Left open, and not told to end: see session_abort(). The next session takes it over.
        session_tell_open(a, "waiting", "busy_in_native", "its main thread does not come to rest; it is tried again");
        s->again = true;
        finish(a);
        return;
    }
    if (s->step == SESSION_CLOSED) {
        if (now >= s->resume_ns && !inspector_has(&a->process, s->listener))
            finish(a);
        else if (now >= s->linger_ns)
            shut_lingering(a);
        else if (now >= s->resume_ns)
            s->resume_ns = now + CLOSED_MS * 1000000ll;
        return;
    }
    if (s->step == SESSION_PAUSING && now >= s->resume_ns)
        s->resumed(a);
    if (session_runs(a))
        session_workers_due(a, now);
    for (int rc = 1; session_runs(a) && s->ws && rc == 1 && clock_mono_ns() < until;) {
        // The inspector sends small messages in a row, and its system waits for our acknowledgement of the first, some 40 ms.
        setsockopt(ws_client_fd(s->ws), IPPROTO_TCP, TCP_QUICKACK, &(int){ 1 }, sizeof(int));
        rc = ws_client_next(s->ws, &event, &err);
        if (rc == 0 && s->step != SESSION_PAUSING) {
            rc = answer_comes(s->ws);
            continue;
        }
        bool over = rc < 0 || (rc == 1 && event.what == WS_CLOSE);
        if (over && s->step == SESSION_CLOSING) {
            finish(a);
        } else if (over) {
            session_tell_open(a, "waiting", "attach_failed", "the inspector's connection broke");
            finish(a);
            a->session.again = true;
        } else if (ws_client_received(s->ws) + s->messages++ * MESSAGE_COST > RECEIVED_MAX) {
            session_tell_open(a, "waiting", "attach_failed", "its inspector says more than any does");
            finish(a);
            a->session.again = true;
        } else if (rc == 1 && event.what == WS_TEXT) {
            message_read(a, event.data);
        }
    }
}
