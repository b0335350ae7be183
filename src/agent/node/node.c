// The back end for Node. A session with the process' inspector (session.c) inserts calls into its functions and closes the inspector again; from then on what the
// calls capture comes through a pipe, and nothing else joins the two: when the agent ends, the next write fails, and the calls do nothing more.
#include "agent/node/node.h"
#include "agent/node/attachment.h"
#include "agent/node/figures.h"
#include "agent/node/record.h"
#include "agent/node/resolve.h"
#include "agent/node/version.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    ATTACHMENT_MAGIC = 0x65646f6e,
    LINE_MAX_BYTES = 3 << 20,
    READ_CHUNK = 256 << 10,
    RECORD_ARENA = 64 << 20,
    RECORD_DEPTH = 80
};
#define BUSY_NS (2 * 1000 * 1000ll)
#define CALM_NS (200 * 1000 * 1000ll)
#define RETRY_NS (2 * 1000000000ll)
#define PIPE_LOOK_NS (1 * 1000000000ll)
#define DETACH_NS (1500 * 1000 * 1000ll)

// --- what it is ---

static bool is_node(const struct process *p)
{
    str name = p->exe;
    for (ptrdiff_t at; (at = str_find_char(name, '/', 0)) >= 0;)
        name = str_slice(name, (size_t)at + 1, name.len);
    return str_eq(name, STR("node")) || str_eq(name, STR("nodejs"));
}

static int node_examine(const struct process *p, struct process_facts *ret)
{
    struct process_facts facts = { 0 };
    struct err err = { 0 };
    if (!is_node(p))
        return 0;
    char version[NODE_VERSION_ROOM];
    node_version(p, version);
    snprintf(facts.version, sizeof facts.version, "%s", version);
    int rc = inspector_allowed(p, &err);
    if (rc == 0 && p->uid != geteuid() && geteuid() != 0)
        rc = err_set(&err, ERR_DENIED, "no_permission", "it belongs to another user");
    facts.attachable = rc == 0;
    if (rc < 0) {
        snprintf(facts.code, sizeof facts.code, "%.*s", (int)sizeof facts.code - 1, err.slug);
        snprintf(facts.message, sizeof facts.message, "%.*s", (int)sizeof facts.message - 1, err.message);
        const struct probe_code_text *words = probe_code_text(str_z(err.slug));
        if (words)
            snprintf(facts.hint, sizeof facts.hint, "%.*s", STR_ARG(words->hint));
    }
    *ret = facts;
    return 1;
}

// --- beginning and end ---

static void attachment_free(struct attachment *a)
{
    session_free(a);
    node_pipe_close(&a->pipe);
    map_files_free(&a->files);
    for (size_t i = 0; i < PLACED_MAX; i++) {
        mem_free(a->placed[i].names);
        mem_free(a->placed[i].names_text);
        figures_free(&a->placed[i]);
        mem_free(a->placed[i].threads);
    }
    mem_free(a->threads);
    mem_free(a->seen.ids);
    if (a->process.dir >= 0)
        close(a->process.dir);
    buf_free(&a->in);
    buf_free(&a->policy_block);
    arena_free(&a->arena);
    mem_free(a->space);
    a->magic = 0;
    mem_free(a);
}

static int copy_process(struct attachment *a, const struct process *p)
{
    a->process = *p;
    a->process.dir = fcntl(p->dir, F_DUPFD_CLOEXEC, 0);
    if (a->process.dir < 0)
        return ERR_IO;
    str *texts[] = { &a->process.id,   &a->process.exe,     &a->process.cwd,
                     &a->process.argv, &a->process.environ, &a->process.cgroup };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i]->len && arena_dup(&a->arena, *texts[i], texts[i]) < 0)
            return ERR_NOMEM;
    return 0;
}

static int policy_make(struct attachment *a, bool shapes, struct err *err)
{
    struct probe_policy_spec spec = { .shapes = shapes };
    if (!shapes)
        return 0;
    int rc = probe_policy_compile(&spec, 1, &a->policy_block, err);
    if (rc == 0 && !probe_policy_verify(&a->policy, buf_bytes(&a->policy_block)))
        rc = ERR_INVALID;
    a->policy_used = &a->policy;
    return rc;
}

static int node_attach(const struct process *p, const struct backend_events *events, struct attachment **ret,
                       struct err *err)
{
    struct attachment *a = mem_zalloc(sizeof *a);
    if (!a)
        return ERR_NOMEM;
    a->magic = ATTACHMENT_MAGIC, a->events = events, a->process.dir = -1;
    a->pipe = (struct node_pipe){ .fd = -1, .dir = -1 };
    // Numbers that no other attachment has: calls that a killed agent has left must not find the functions of this one.
    if (getrandom(&a->next_slot, sizeof a->next_slot, 0) != sizeof a->next_slot)
        a->next_slot = (uint32_t)getpid() << 8;
    a->next_slot &= 0x3fffffff;
    arena_init(&a->arena, 1 << 20);
    buf_init(&a->in, LINE_MAX_BYTES);
    buf_init(&a->policy_block, PROBE_POLICY_SIZE_MAX);
    a->space = mem_zalloc(sizeof *a->space);
    int rc = a->space ? copy_process(a, p) : ERR_NOMEM;
    if (rc < 0)
        err_set(err, rc, "attach_failed", "there is not enough memory");
    if (rc == 0)
        rc = inspector_allowed(&a->process, err);
    if (rc == 0)
        rc = inspector_signal_is_free(&a->process, err);
    if (rc == 0)
        rc = policy_make(a, p->shapes, err);
    if (rc < 0) {
        attachment_free(a);
        return rc;
    }
    *ret = a;
    return 0;
}

// --- the set ---

void placed_say(struct attachment *a, struct placed *p, const struct verdict *v)
{
    char now[sizeof p->told];
    snprintf(now, sizeof now, "%s %s %s", v->state, v->code, v->message);
    if (!p->probe || strcmp(now, p->told) == 0)
        return;
    memcpy(p->told, now, sizeof now);
    struct backend_state s = {
        .probe = p->probe->id,
        .revision = p->probe->revision,
        .state = str_z(v->state),
        .code = str_z(v->code),
        .message = str_z(v->message),
        .data = p->installed && p->at[0] && !v->data.len ? str_z(p->at) : v->data,
        .file = p->probe->where.file,
        .line = (int)(v->line                      ? v->line
                      : p->installed && p->at_line ? p->at_line
                                                   : p->probe->where.line),
    };
    a->events->state(a->events->ctx, &s);
}

void placed_tell(struct attachment *a, struct placed *p, const char *state, const char *code, const char *message,
                 str data, uint32_t line)
{
    struct verdict v = { .data = data, .line = line };
    snprintf(v.state, sizeof v.state, "%s", state);
    snprintf(v.code, sizeof v.code, "%s", code);
    snprintf(v.message, sizeof v.message, "%s", message);
    if (a->session.passing) {
        v.data = (str){ 0 };
        if (data.len)
            arena_dup(&a->session.words, data, &v.data);
        p->verdict = v;
    } else {
        placed_say(a, p, &v);
    }
}

bool placed_without_file(const struct probe *p) { return p->where.kind == PROBE_AT_EXCEPTION && p->where.uncaught; }

static bool asks_values(const struct probe *p)
{
    bool said = false;
    for (size_t i = 0; i < p->log.n_parts; i++)
        said |= p->log.parts[i].is_expr;
    said |= probe_counts_only(p) && (p->metric.n_by || p->metric.has_value);
    return p->has_condition || p->n_exprs || said;
}

static bool refuse(struct attachment *a, struct placed *p)
{
    const struct probe *probe = p->probe;
    const char *what = NULL;
    const struct probe_where *w = &probe->where;
    if (w->kind == PROBE_AT_EXCEPTION && w->uncaught && (w->file.len || w->function.len))
        what = "in Node an exception that nobody catches is seen where the process ends: leave out file and function";
    else if (w->kind == PROBE_AT_EXCEPTION && !w->uncaught && !(w->file.len && w->function.len))
        what = "V8 tells nobody but a debugger that stops it of each exception: ask for those that nobody catches "
               "(uncaught), or for those that leave a function, with its file";
    else if (w->kind != PROBE_AT_EXCEPTION && w->file.len == 0)
        what = "a probe in Node needs the file";
    const char *code = "unsupported";
    if (!what && probe_policy_shapes(a->policy_used) && asks_values(probe)) {
        // A count of the hits that met it would tell a value, bit by bit.
        what =
            "this host shows types and sizes alone (values = shapes): conditions and expressions in Node are not taken";
        code = "policy";
    }
    p->refused = what;
    if (what) {
        struct verdict v = { .state = "error" };
        snprintf(v.code, sizeof v.code, "%s", code);
        snprintf(v.message, sizeof v.message, "%s", what);
        placed_say(a, p, &v);
    }
    return what;
}

static void forget(struct attachment *a, struct placed *p)
{
    figures_end(a, p);
    a->dirty |= p->ordered;
    mem_free(p->names);
    mem_free(p->names_text);
    mem_free(p->threads);
    *p = (struct placed){ 0 };
}

static int node_apply(struct attachment *a, const struct probe *const *probes, size_t n, struct err *err)
{
    MAGIC_CHECK(a, ATTACHMENT_MAGIC);
    bool wanted[PLACED_MAX] = { false };
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = hash64_str(probes[i]->id);
        for (size_t k = 0; k < PLACED_MAX && !probes[i]->paused; k++)
            if (a->placed[k].used && a->placed[k].id_hash == hash && a->placed[k].revision == probes[i]->revision) {
                a->placed[k].probe = probes[i];
                wanted[k] = true;
            }
    }
    for (size_t k = 0; k < PLACED_MAX; k++)
        if (a->placed[k].used && !wanted[k])
            forget(a, &a->placed[k]);
    for (size_t i = 0; i < n; i++) {
        uint64_t hash = hash64_str(probes[i]->id);
        struct placed *room = NULL;
        bool known = probes[i]->paused;
        for (size_t k = 0; k < PLACED_MAX && !known; k++) {
            known = a->placed[k].used && a->placed[k].id_hash == hash;
            if (!a->placed[k].used && !room)
                room = &a->placed[k];
        }
        if (known || !room)
            continue;
        *room = (struct placed){ .used = true,
                                 .probe = probes[i],
                                 .revision = probes[i]->revision,
                                 .id_hash = hash,
                                 .slot = a->next_slot++,
                                 .state = 1 };
        a->dirty |= !refuse(a, room);
    }
    if (a->dirty) {
        a->retry_ns = 0;
        a->retries = 0;
        a->seen.looks = 0;
        // A session that began with another set does not end with this one.
        if (session_runs(a))
            session_abort(a);
    }
    return 0;
}

// --- what comes out ---

static struct placed *placed_of(struct attachment *a, const struct json_node *record)
{
    int64_t slot = -1, revision = -1;
    json_int_of(json_get(record, STR("s")), &slot);
    json_int_of(json_get(record, STR("r")), &revision);
    for (size_t i = 0; i < PLACED_MAX; i++)
        if (a->placed[i].used && a->placed[i].probe && a->placed[i].slot == slot && a->placed[i].revision == revision)
            return &a->placed[i];
    return NULL;
}

static size_t thread_of(const struct json_node *record)
{
    int64_t t = json_get_int(record, STR("t"));
    return t > 0 && t < THREADS_MAX ? (size_t)t : 0;
}

void placed_counts(struct attachment *a, const struct json_node *record)
{
    struct placed *p = placed_of(a, record);
    struct probe_counts c;
    int state;
    if (!p)
        return;
    record_counts(record, p->probe, &c, &state, p->error, sizeof p->error);
    threads_count(a, p, thread_of(record), &c, state);
    a->events->counts(a->events->ctx, p->probe->id, &p->counts);
}

static void line_read(struct attachment *a, str line)
{
    struct arena arena;
    const struct json_node *record = NULL;
    struct buf out;
    if (!line.len)
        return;
    arena_init(&arena, RECORD_ARENA);
    buf_init(&out, LINE_MAX_BYTES);
    if (json_tree_read(line, &arena, RECORD_DEPTH, &record, NULL) == 0) {
        struct placed *p = record_is_capture(record) ? placed_of(a, record) : NULL;
        struct record_maps maps = { &a->files, &a->process };
        size_t t = thread_of(record);
        if (p && record_capture(record, p->probe, threads_name(a, t), threads_id(a, t), p->at[0] ? &maps : NULL,
                                p->names, p->n_names, a->policy_used, a->space, &arena, &out) == 0)
            a->events->capture(a->events->ctx, p->probe->id, buf_view(&out));
        placed_counts(a, record);
    }
    buf_free(&out);
    arena_free(&arena);
}

static void drain(struct attachment *a)
{
    for (int i = 0; i < 16 && a->pipe.fd >= 0; i++) {
        uint8_t *to = buf_reserve(&a->in, READ_CHUNK) == 0 ? a->in.ptr + a->in.len : NULL;
        if (!to) { // longer than any record
            a->skipping = true;
            buf_clear(&a->in);
            continue;
        }
        ssize_t got = read(a->pipe.fd, to, READ_CHUNK);
        if (got <= 0)
            return;
        a->in.len += (size_t)got;
        size_t used = 0;
        for (ptrdiff_t end; (end = str_find_char(buf_view(&a->in), '\n', used)) >= 0; used = (size_t)end + 1) {
            if (!a->skipping)
                line_read(a, str_slice(buf_view(&a->in), used, (size_t)end));
            a->skipping = false;
        }
        buf_consume(&a->in, used);
    }
}

static void lose(struct attachment *a, const char *code, const char *message)
{
    if (a->lost)
        return;
    a->lost = true;
    a->events->lost(a->events->ctx, str_z(code), str_z(message));
}

static void refuse_all(struct attachment *a, const struct err *err, bool later)
{
    for (size_t i = 0; i < PLACED_MAX; i++)
        if (a->placed[i].used && !a->placed[i].refused && !a->placed[i].installed)
            placed_tell(a, &a->placed[i], later ? "waiting" : "error", err->slug, err->message, (str){ 0 }, 0);
}

static void begin_session(struct attachment *a, int64_t now)
{
    struct err err = { 0 };
    int rc = session_begin(a, now, &err);
    if (rc == 0) {
        a->dirty = false;
        return;
    }
    refuse_all(a, &err, rc == ERR_AGAIN);
    a->retry_ns = now + (RETRY_NS << (a->retries < 6 ? a->retries : 6));
    a->retries++;
}

// A program may close descriptors that it has not opened: all of them, before it becomes another one, or one of its own for the second time. Its probes
// then hold still at their next hit, and nobody is told. The main thread's end speaks for all: the threads of a process share their descriptors.
static bool pipe_is_lost(struct attachment *a, int64_t now)
{
    bool any = false;
    if (a->pipe.fd < 0 || now < a->pipe_look_ns)
        return false;
    a->pipe_look_ns = now + PIPE_LOOK_NS;
    if (node_pipe_held(&a->pipe, &a->process, a->pipe_end))
        return false;
    drain(a); // what it has written before
    for (size_t i = 0; i < PLACED_MAX; i++) {
        struct placed *p = &a->placed[i];
        if (!p->used || !p->ordered || p->refused)
            continue;
        any = true;
        figures_say(a, p); // its table is made anew, too
        threads_anew(p, 0);
        p->installed = false;
        placed_tell(a, p, "waiting", "attach_failed", "the program has closed the probes' pipe; they are placed again",
                    (str){ 0 }, 0);
    }
    node_pipe_close(&a->pipe);
    if (a->retries++)
        a->retry_ns = now + (RETRY_NS << (a->retries < 8 ? a->retries : 8));
    return any;
}

static int node_poll(struct attachment *a, int64_t now, int64_t *ret_next)
{
    MAGIC_CHECK(a, ATTACHMENT_MAGIC);
    *ret_next = now + CALM_NS;
    if (a->lost)
        return 0;
    bool alive = process_alive(&a->process); // first: what it has written before it ended is read still
    if (!session_runs(a) || !alive)          // it tells that a probe is installed before what the probe captures
        drain(a);
    if (!alive) {
        lose(a, "ended", "the process has ended");
        return 0;
    }
    if (session_runs(a)) {
        session_step(a, now);
        if (!session_runs(a) && !a->dirty && a->session.again && !a->hopeless) {
            a->dirty = true;
            a->retry_ns = now + (RETRY_NS << (a->retries < 8 ? a->retries : 8));
            a->retries++;
        }
    } else if (a->dirty && !a->hopeless && now >= a->retry_ns) {
        begin_session(a, now);
    } else if (!a->dirty && !a->hopeless) {
        a->dirty = threads_came(a, now) || pipe_is_lost(a, now);
    }
    for (size_t i = 0; i < PLACED_MAX; i++)
        figures_due(a, &a->placed[i], now);
    if (session_runs(a))
        *ret_next = now + BUSY_NS;
    return 0;
}

static int node_fd(const struct attachment *a) { return session_runs(a) ? -1 : a->pipe.fd; }

static void node_detach(struct attachment *a)
{
    MAGIC_CHECK(a, ATTACHMENT_MAGIC);
    bool anything = a->dirty;
    for (size_t i = 0; i < PLACED_MAX; i++) {
        anything |= a->placed[i].installed;
        if (a->placed[i].used)
            forget(a, &a->placed[i]);
    }
    int64_t now = clock_mono_ns(), until = now + DETACH_NS;
    bool begun = false;
    session_abort(a);
    // The calls come out of the functions again. What cannot be changed in this time is without effect once the pipe is closed.
    for (; !a->lost && process_alive(&a->process) && now < until + DETACH_NS; now = clock_mono_ns()) {
        struct err err = { 0 };
        if (!session_runs(a)) {
            if ((begun && !a->session.again) || !anything || a->hopeless || now > until)
                break;
            // Where one was cut off, or a function ran, it is tried again.
            int rc = session_begin(a, now, &err);
            if (rc < 0 && rc != ERR_AGAIN)
                break;
            begun |= rc == 0;
        }
        if (now > until)
            session_abort(a);
        if (session_runs(a))
            session_step(a, now);
        usleep(1000);
    }
    attachment_free(a);
}

const struct backend node_backend = {
    .runtime = "node",
    .examine = node_examine,
    .attach = node_attach,
    .apply = node_apply,
    .fd = node_fd,
    .poll = node_poll,
    .resolve = node_resolve,
    .detach = node_detach,
};
