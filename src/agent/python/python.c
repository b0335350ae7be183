// The back end for CPython. attach() only looks; poll() brings the in-process part in step by step, hands it the set of probes whenever
// that has changed, and passes on what comes out of the ring.
#include "agent/python/python.h"
#include "agent/process_rights.h"
#include "agent/python/load.h"
#include "agent/python/order.h"
#include "agent/python/orders.h"
#include "agent/python/resolve.h"
#include "agent/python/seen.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/utf8.h"
#include "probe/capture.h"
#include "probe/probe.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum {
    ATTACHMENT_MAGIC = 0x70796174,
    CAPTURES_A_POLL = 64,
    DRAIN_ROUNDS = 256,
    CAPTURE_ARENA_MAX = 16 << 20,
    DETACH_TRIES = 400,
    LOOKS_MAX = 8,
};
#define WORK_NS (1000 * 1000)       // between steps while something is under way
#define CALM_NS (50 * 1000 * 1000)  // between looks into the ring
#define RETRY_NS (3 * 1000000000ll) // for code that is not loaded yet
// For calls that went on in the code from before, whether they have ended; twice as long each time.
#define LOOK_NS (1 * 1000000000ll)
#define COUNTS_NS (500 * 1000 * 1000ll)
#define FIRST_REPORT_NS (1 * 1000000000ll) // of a metric, after it was installed
#define REPORT_NS (10 * 1000000000ll)
#define STILL_NS (60 * 1000000000ll) // also when nothing has changed

struct placed { // a probe of the set, by slot
    const struct probe *probe;
    uint32_t revision, stamp;
    uint64_t id_hash;
    bool active;
    bool refused; // before it was handed over
    int line;     // where it stands; 0: where it says
    uint32_t activity, outcome;
    bool old_code; // something still goes on without it
    uint8_t looks; // how often that was seen
    struct probe_counts counts;
    char error[PROBE_ERROR_TEXT];
    struct probe_series_told told; // of a probe that counts
    int64_t report_ns, still_ns;   // when it is told again
};

struct attachment {
    uint32_t magic;
    pid_t pid;
    struct process process; // its directory and start alone
    struct interp interp;
    struct load load;
    const struct backend_events *events;
    struct placed slots[CLEW_SLOTS];
    uint16_t order_slot[CLEW_SLOTS]; // of the orders that were handed over
    uint32_t n_orders;
    bool dirty, asked, lost;
    bool shapes; // until they are handed over, with the first orders
    int64_t retry_ns, counts_ns;
    char waiting[32];
    char host[65];
    struct arena arena;
    struct buf out;
    uint8_t *record;
};

// Of a process that may not be looked into, what it was started as is all there is.
static bool is_called_python(const struct process *p)
{
    return str_starts(str_base_name(p->exe.len ? p->exe : process_arg(p, 0)), STR("python"));
}

static int python_examine(const struct process *p, struct process_facts *ret)
{
    struct interp in = { .micro = -1 };
    struct err err = { 0 };
    int rc = interp_find(p->pid, &in, &err);
    if (rc == ERR_NOENT || (rc < 0 && !err.code) || (rc == ERR_DENIED && !is_called_python(p)))
        return 0;
    struct process_facts facts = { 0 };
    if (in.minor)
        snprintf(facts.version, sizeof facts.version, in.micro >= 0 ? "3.%d.%d" : "3.%d", in.minor, in.micro);
    if (rc == 0)
        rc = interp_allowed(p->pid, &err);
    bool object = false;
    for (const struct python_object *o = python_objects; o->minor; o++)
        object |= o->minor == in.minor;
    if (rc == 0 && !object)
        rc = err_set(&err, ERR_UNSUPPORTED, "no_object", "this agent was built without the part for Python 3.%d",
                     in.minor);
    facts.attachable = rc == 0;
    if (rc < 0) {
        snprintf(facts.code, sizeof facts.code, "%.*s", (int)sizeof facts.code - 1, err.slug);
        snprintf(facts.message, sizeof facts.message, "%.*s", (int)sizeof facts.message - 1, err.message);
        snprintf(facts.hint, sizeof facts.hint, "%s", err.hint);
    }
    *ret = facts;
    return 1;
}

static void attachment_free(struct attachment *a)
{
    arena_free(&a->arena);
    buf_free(&a->out);
    mem_free(a->record);
    if (a->process.dir >= 0)
        close(a->process.dir);
    a->magic = 0;
    mem_free(a);
}

static int python_attach(const struct process *p, const struct backend_events *events, struct attachment **ret,
                         struct err *err)
{
    static struct process_rights rights;
    struct attachment *a = mem_zalloc(sizeof *a);
    uint8_t *record = mem_alloc(PROBE_RING_RECORD_MAX);
    if (!a || !record) {
        mem_free(a), mem_free(record);
        return ERR_NOMEM;
    }
    a->shapes = p->shapes;
    // What opening its files asks of it: whose they are read as, too.
    a->process = (struct process){ .pid = p->pid,
                                   .dir = fcntl(p->dir, F_DUPFD_CLOEXEC, 0),
                                   .started_unix_ns = p->started_unix_ns,
                                   .uid = p->uid,
                                   .gid = p->gid,
                                   .capabilities = p->capabilities };
    a->magic = ATTACHMENT_MAGIC, a->pid = p->pid, a->events = events, a->record = record;
    arena_init(&a->arena, CAPTURE_ARENA_MAX);
    buf_init(&a->out, 8 << 20);
    if (gethostname(a->host, sizeof a->host - 1) < 0)
        a->host[0] = 0;
    int rc = interp_find(p->pid, &a->interp, err);
    if (rc == 0)
        rc = interp_allowed(p->pid, err);
    if (rc == 0)
        rc = load_begin(&a->load, p->pid, &a->interp, err);
    // From here on its memory is that of the program that runs now, whatever it becomes: it is the one that was found.
    if (rc == 0 && (rc = process_rights_read(p, &rights, err)) < 0)
        load_end(&a->load);
    if (rc < 0) {
        attachment_free(a);
        return rc;
    }
    *ret = a;
    return 0;
}

// --- states ---

static void tell(struct attachment *a, const struct placed *p, const char *state, const char *code, const char *message,
                 str data)
{
    struct backend_state s = {
        .probe = p->probe->id,
        .revision = p->probe->revision,
        .state = str_z(state),
        .code = str_z(code),
        .message = str_z(message),
        .data = data,
        .file = p->probe->where.file,
        .line = p->line ? p->line : (int)p->probe->where.line,
    };
    a->events->state(a->events->ctx, &s);
}

static void tell_all_waiting(struct attachment *a, const char *code)
{
    if (strcmp(code, a->waiting) == 0)
        return;
    snprintf(a->waiting, sizeof a->waiting, "%s", code);
    for (int i = 0; i < CLEW_SLOTS && code[0]; i++)
        if (a->slots[i].active && !a->slots[i].refused && !a->slots[i].outcome)
            tell(a, &a->slots[i], "waiting", code, "the main thread is at no place where the probe can be placed",
                 (str){ 0 });
}

static str nearest_json(struct attachment *a, const int32_t *lines, int n)
{
    struct json_writer w;
    buf_clear(&a->out);
    json_writer_init(&w, &a->out);
    json_put_object(&w);
    json_put_key(&w, STR("nearest"));
    json_put_array(&w);
    for (int i = 0; i < n; i++)
        if (lines[i] > 0)
            json_put_int(&w, lines[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    return str_of(a->out.ptr, a->out.len);
}

static bool is_suspended(uint32_t activity) { return activity == PROBE_SUSPENDED || activity == PROBE_DISABLED; }

static void tell_installed(struct attachment *a, struct placed *p)
{
    p->activity = PROBE_ACTIVE;
    if (p->old_code)
        tell(a, p, "partial", "old_code", "calls and generators that are under way go on without it", (str){ 0 });
    else
        tell(a, p, "installed", "", "", (str){ 0 });
}

static void tell_outcome(struct attachment *a, struct placed *p, const struct clew_order *o)
{
    bool changed = p->outcome != o->outcome;
    p->outcome = o->outcome;
    switch (o->outcome) {
    case CLEW_INSTALLED:
        p->old_code = o->old_code;
        p->looks += p->old_code && p->looks < LOOKS_MAX;
        if (!is_suspended(p->activity)) // it stays so, and has been told
            tell_installed(a, p);
        break;
    case CLEW_NOT_LOADED:
        if (changed)
            tell(a, p, "waiting", "not_loaded", "no code of this file is loaded yet", (str){ 0 });
        break;
    case CLEW_NO_LINE:
        tell(a, p, "unresolvable", "no_code_at_line", "no statement begins at this line",
             nearest_json(a, o->nearest, CLEW_NEAREST));
        break;
    case CLEW_NO_FUNCTION:
        tell(a, p, "unresolvable", "no_such_function", "the file has no such function", (str){ 0 });
        break;
    case CLEW_BAD_PROGRAM:
        tell(a, p, "error", "code_invalid", "an expression is no code that may be run", (str){ 0 });
        break;
    case CLEW_NO_ROOM:
        tell(
            a, p, "error", "runtime_unsupported",
            "the function has statements nested twenty deep: up to Python 3.10 nothing fits around them that would see "
            "an exception leave it",
            (str){ 0 });
        break;
    default:
        tell(a, p, "error", "install", "the code could not be prepared", (str){ 0 });
        break;
    }
}

static void answers_read(struct attachment *a)
{
    const uint8_t *p = (const uint8_t *)(load_orders(&a->load) + 1), *end = a->load.shared + CLEW_SERIES_AT;
    a->retry_ns = 0;
    for (uint32_t i = 0; i < a->n_orders; i++) {
        struct clew_order o;
        struct placed *placed = &a->slots[a->order_slot[i]];
        if ((size_t)(end - p) < sizeof o)
            return;
        memcpy(&o, p, sizeof o); // in memory of the target: a copy, and no length beyond the area
        if (o.bytes < sizeof o || o.bytes > (size_t)(end - p))
            return;
        p += o.bytes;
        if (placed->active && placed->stamp == o.stamp)
            tell_outcome(a, placed, &o);
    }
}

// --- what probes have counted ---

static void figures_tell(struct attachment *a, struct placed *p, bool again)
{
    const struct probe_series_table *tables = (const void *)(a->load.shared + CLEW_SERIES_AT);
    struct json_writer w;
    if (!a->load.shared || !p->active || p->refused || p->outcome != CLEW_INSTALLED || !probe_counts_only(p->probe))
        return;
    buf_clear(&a->out);
    json_writer_init(&w, &a->out);
    if (probe_series_json(&tables[p - a->slots], clew_series_owner(p->id_hash, p->stamp), p->probe, clock_unix_ns(),
                          again, &p->told, &w) &&
        !a->out.error)
        a->events->figures(a->events->ctx, p->probe->id, str_of(a->out.ptr, a->out.len));
}

static void figures_due(struct attachment *a, struct placed *p, int64_t now)
{
    if (!p->report_ns)
        p->report_ns = now + FIRST_REPORT_NS, p->still_ns = now + STILL_NS;
    if (now < p->report_ns)
        return;
    figures_tell(a, p, now >= p->still_ns);
    p->report_ns = now + REPORT_NS;
    if (now >= p->still_ns)
        p->still_ns = now + STILL_NS;
}

// --- what comes out ---

static bool alive(void *ctx, uint32_t owner)
{
    const struct attachment *a = ctx;
    char path[40];
    if (owner == ((uint32_t)a->pid & 0x3fffff))
        return true;
    snprintf(path, sizeof path, "/proc/%u", owner);
    return access(path, F_OK) == 0;
}

// False: there may be more.
static bool drain(struct attachment *a)
{
    for (int i = 0; i < CAPTURES_A_POLL; i++) {
        size_t n = 0;
        int rc = probe_ring_get(&a->load.ring, a->record, &n, alive, a);
        if (rc < 0 && !a->lost) {
            a->lost = true;
            a->events->lost(a->events->ctx, STR("ring_damaged"),
                            STR("what the process wrote into the shared memory makes no sense"));
        }
        if (rc <= 0)
            return true;
        struct probe_capture_head head;
        struct json_writer w;
        if (probe_capture_head(bytes_of(a->record, n), &head) < 0 || head.slot >= CLEW_SLOTS)
            continue;
        struct placed *p = &a->slots[head.slot];
        if (!p->active || p->stamp != head.revision)
            continue;
        buf_clear(&a->out);
        arena_reset(&a->arena);
        json_writer_init(&w, &a->out);
        if (probe_capture_json(bytes_of(a->record, n), p->probe, &a->arena, &w) == 0)
            a->events->capture(a->events->ctx, p->probe->id, str_of(a->out.ptr, a->out.len));
    }
    return false;
}

// At the end. The memory outlives a process that has ended.
static void drain_all(struct attachment *a)
{
    for (int i = 0; a->load.phase == LOAD_READY && i < DRAIN_ROUNDS && !drain(a); i++)
        continue;
}

static void counts_tell(struct attachment *a, struct placed *p, struct probe_slot *slot)
{
    if (slot->revision != p->stamp) // of what stood there before
        return;
    struct probe_counts c = {
        .hits = slot->hits,
        .filtered = slot->filtered,
        .captured = slot->captured,
        .errors = slot->errors,
        .ns = slot->ns,
        .dropped = { .rate = slot->dropped[PROBE_DROP_RATE],
                     .ring = slot->dropped[PROBE_DROP_RING],
                     .budget = slot->dropped[PROBE_DROP_BUDGET],
                     .grant = slot->dropped[PROBE_DROP_GRANT] },
    };
    uint32_t activity = slot->activity;
    if (p->outcome == CLEW_INSTALLED && activity != p->activity) {
        p->activity = activity;
        if (is_suspended(activity))
            tell(a, p, "suspended", "budget",
                 activity == PROBE_DISABLED ? "it cost too much three times" : "it costs too much here", (str){ 0 });
        else if (activity == PROBE_ACTIVE)
            tell_installed(a, p);
    }
    c.first_error = p->counts.first_error;
    if (!c.first_error.len && atomic_load(&slot->error_state) == 2) {
        // In memory of the target: a copy, no longer than its room, and text whatever it is.
        size_t n = slot->error_len;
        memcpy(p->error, slot->error, sizeof p->error);
        c.first_error = utf8_cut(str_of(p->error, n < sizeof p->error ? n : sizeof p->error), sizeof p->error);
    }
    if (memcmp(&c, &p->counts, sizeof c) == 0)
        return;
    p->counts = c;
    a->events->counts(a->events->ctx, p->probe->id, &c);
}

// --- the set ---

static bool refuse(struct attachment *a, struct placed *p)
{
    struct refusal r;
    struct seen_answer seen;
    p->refused = order_refused(p->probe, a->interp.minor, &r);
    if (p->refused) {
        tell(a, p, r.state, r.code, r.message, (str){ 0 });
        return true;
    }
    seen_check(&a->process, p->probe, &seen);
    p->line = seen.line, p->refused = seen.mismatch;
    if (seen.mismatch)
        tell(a, p, "mismatch", "source_mismatch", seen.message,
             seen.n_nearest ? nearest_json(a, seen.nearest, seen.n_nearest) : (str){ 0 });
    return p->refused;
}

static struct placed *slot_of(struct attachment *a, const struct probe *probe)
{
    struct placed *empty = NULL;
    uint64_t id_hash = hash64_str(probe->id);
    for (int i = 0; i < CLEW_SLOTS; i++) {
        struct placed *p = &a->slots[i];
        if (p->active && p->id_hash == id_hash)
            return p;
        if (!p->active && !empty)
            empty = p;
    }
    return empty;
}

static int python_apply(struct attachment *a, const struct probe *const *probes, size_t n, struct err *err)
{
    MAGIC_CHECK(a, ATTACHMENT_MAGIC);
    bool wanted[CLEW_SLOTS] = { false };
    for (size_t i = 0; i < n; i++) {
        const struct probe *probe = probes[i];
        struct placed *p = probe->paused ? NULL : slot_of(a, probe);
        if (!p)
            continue;
        wanted[p - a->slots] = true;
        if (p->active && p->revision == probe->revision) {
            p->probe = probe;
            continue;
        }
        figures_tell(a, p, false);
        uint64_t id_hash = hash64_str(probe->id);
        *p = (struct placed){ .probe = probe,
                              .revision = probe->revision,
                              .stamp = clew_stamp(id_hash, probe->revision),
                              .id_hash = id_hash,
                              .active = true };
        a->dirty |= !refuse(a, p);
    }
    for (int i = 0; i < CLEW_SLOTS; i++)
        if (a->slots[i].active && !wanted[i]) {
            a->dirty |= !a->slots[i].refused;
            figures_tell(a, &a->slots[i], false);
            a->slots[i] = (struct placed){ 0 };
            if (a->load.shared)
                probe_slot_free(&a->load.ring.slots[i]);
        }
    return 0;
}

// The host's policy, before the first probe. False: without it nothing is placed.
static bool policy_hand_over(struct attachment *a)
{
    struct buf block;
    if (!a->shapes)
        return true;
    buf_init(&block, PROBE_POLICY_SIZE_MAX);
    bool done = probe_policy_compile(&(struct probe_policy_spec){ .shapes = true }, 1, &block, NULL) == 0 &&
                probe_ring_set_policy(&a->load.ring, buf_bytes(&block), 1);
    buf_free(&block);
    a->shapes = !done;
    return done;
}

static void hand_over(struct attachment *a, int64_t now)
{
    if (a->load.calling || now < a->load.next_ns || !policy_hand_over(a))
        return;
    struct clew_orders *orders = load_orders(&a->load);
    uint8_t *p = (uint8_t *)(orders + 1), *end = a->load.shared + CLEW_SERIES_AT;
    uint32_t n = 0;
    for (uint32_t i = 0; i < CLEW_SLOTS; i++) {
        struct placed *placed = &a->slots[i];
        if (!placed->active || placed->refused)
            continue;
        size_t size = order_put(p, (size_t)(end - p), placed->probe, placed->line, i, placed->id_hash, a->host);
        if (!size) {
            placed->refused = true;
            tell(a, placed, "error", "too_many_probes", "all probes of this process together are too large",
                 (str){ 0 });
            continue;
        }
        struct probe_slot *slot = &a->load.ring.slots[i];
        // What is suspended stays so, and what was counted, when it is handed over with others.
        if (!placed->outcome || slot->revision != placed->stamp || slot->activity == PROBE_FREE) {
            struct probe_slot_setup setup;
            probe_slot_setup_of(placed->probe, &setup);
            setup.revision = placed->stamp;
            // Hits are given out in slices, and added to while the probe stands; the helper counts them, and drops what is beyond. A limit here
            // would end the probe with its first slice.
            setup.granted = INT64_MAX;
            probe_slot_activate(slot, &setup);
        }
        a->order_slot[n++] = (uint16_t)i;
        p += size;
    }
    orders->n = a->n_orders = n;
    probe_ring_beat(&a->load.ring, now);
    probe_ring_enable(&a->load.ring, true);
    if (load_apply(&a->load, now) == 0) {
        a->dirty = false;
        a->asked = true;
    }
}

// When the orders are handed over once more, ns from when they were answered; 0: there is no need to.
static int64_t retry_after(const struct attachment *a)
{
    int64_t least = 0;
    for (int i = 0; i < CLEW_SLOTS; i++) {
        const struct placed *p = &a->slots[i];
        int64_t after = 0;
        if (p->active && p->outcome == CLEW_NOT_LOADED)
            after = RETRY_NS;
        if (p->active && p->activity == PROBE_ACTIVE && p->old_code && p->looks < LOOKS_MAX)
            after = LOOK_NS << (p->looks - 1);
        if (after && (!least || after < least))
            least = after;
    }
    return least;
}

static int python_poll(struct attachment *a, int64_t now, int64_t *ret_next)
{
    MAGIC_CHECK(a, ATTACHMENT_MAGIC);
    *ret_next = now + CALM_NS;
    stop_late();
    if (a->lost) {
        if (load_held(&a->load, false))
            *ret_next = now + WORK_NS;
        return 0;
    }
    int rc = load_step(&a->load, now);
    if (rc < 0) {
        a->lost = true;
        a->events->lost(a->events->ctx, rc == ERR_NOENT ? STR("ended") : str_z(a->load.failed.slug),
                        rc == ERR_NOENT ? STR("the process has ended") : str_z(a->load.failed.message));
        return 0;
    }
    if (rc == 1 && a->asked) {
        a->asked = false;
        answers_read(a);
    }
    tell_all_waiting(a, a->load.waiting);
    if (a->load.phase == LOAD_READY) {
        probe_ring_beat(&a->load.ring, now);
        int64_t later = retry_after(a);
        if (later && !a->dirty && !a->asked) {
            if (!a->retry_ns)
                a->retry_ns = now + later;
            a->dirty = now >= a->retry_ns;
        }
        if (a->dirty && !a->asked)
            hand_over(a, now);
        drain(a);
        if (now >= a->counts_ns) {
            for (int i = 0; i < CLEW_SLOTS; i++)
                if (a->slots[i].active && !a->slots[i].refused) {
                    counts_tell(a, &a->slots[i], &a->load.ring.slots[i]);
                    if (a->slots[i].outcome == CLEW_INSTALLED)
                        figures_due(a, &a->slots[i], now);
                }
            a->counts_ns = now + COUNTS_NS;
        }
    }
    bool more = a->load.phase != LOAD_READY || a->dirty || a->load.more;
    if (load_held(&a->load, more) || more || a->asked)
        *ret_next = now + WORK_NS;
    return 0;
}

static int python_fd(const struct attachment *a) { return -1; }

static void python_detach(struct attachment *a)
{
    MAGIC_CHECK(a, ATTACHMENT_MAGIC);
    for (int i = 0; i < CLEW_SLOTS; i++)
        figures_tell(a, &a->slots[i], false);
    if (a->load.phase == LOAD_READY) {
        // Without effect at once; taken out of the code as soon as the main thread lets it.
        probe_ring_enable(&a->load.ring, false);
        bool handed = false, done = false;
        a->load.leaving = true;
        for (int i = 0; i < DETACH_TRIES && !done; i++) {
            int rc = load_step(&a->load, clock_mono_ns());
            done = rc < 0 || (rc == 1 && handed);
            if (!a->load.calling && !handed) {
                load_orders(&a->load)->n = 0;
                handed = load_apply(&a->load, clock_mono_ns()) == 0;
            }
            usleep(500);
        }
    }
    drain_all(a);
    for (int i = 0; a->load.phase == LOAD_READY && i < CLEW_SLOTS; i++)
        if (a->slots[i].active && !a->slots[i].refused)
            counts_tell(a, &a->slots[i], &a->load.ring.slots[i]);
    load_end(&a->load);
    attachment_free(a);
}

const struct backend python_backend = {
    .runtime = "python",
    .examine = python_examine,
    .attach = python_attach,
    .apply = python_apply,
    .fd = python_fd,
    .poll = python_poll,
    .resolve = python_resolve,
    .detach = python_detach,
};
