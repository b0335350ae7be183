// What happens when a probed place is reached: budgets first, then the capture into memory of ours, then into the ring.
#include "ext.h"
#include <time.h>

enum {
    NAME_ROOM = 512,
    ERROR_ROOM = 256,
    FILES_KNOWN = 64,
    KNOWN_FOR_NS = 1000 * 1000 * 1000,
    ODD_NS = 1000 * 1000, // much for a capture, and less than others are given of a busy machine at once
    DOUBTED_HITS = 256,
};

struct ext_state ext;

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t ext_now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }
int64_t ext_own_ns(void) { return clock_ns(CLOCK_THREAD_CPUTIME_ID); }

static const struct probe_policy *policy(void)
{
    uint8_t *coming = ext.policy_bytes + PROBE_POLICY_ROOM;
    size_t n = 0;
    if (probe_ring_get_policy(&ext.ring, coming, &n, &ext.policy_generation)) {
        memcpy(ext.policy_bytes, coming, n);
        ext.has_policy = probe_policy_verify(&ext.policy, bytes_of(ext.policy_bytes, n));
    }
    return ext.has_policy ? &ext.policy : NULL;
}

// Code of the program itself, as far as a path says it.
static bool in_app(str file)
{
    return str_find(file, str_z("/site-packages/")) < 0 && str_find(file, str_z("/dist-packages/")) < 0 &&
           str_find(file, str_z("/lib/python3")) < 0 && file.len && file.ptr[0] != '<';
}

// Asked once for each of a few files, whose names are kept for that.
static bool known_in_app(PyObject *name, str file)
{
    static struct known_file {
        PyObject *name; // reference
        bool in_app;
    } known[FILES_KNOWN];
    struct known_file *k = &known[((uintptr_t)name >> 4) % FILES_KNOWN];
    if (k->name == name)
        return k->in_app;
    if (k->name)
        return in_app(file);
    *k = (struct known_file){ Py_NewRef(name), in_app(file) };
    return k->in_app;
}

// The time of day, by the clock that has been read already; how far they are apart is looked up once a second.
static int64_t day_ns(int64_t now)
{
    static int64_t apart, known_at;
    if (!known_at || now - known_at > KNOWN_FOR_NS) {
        apart = clock_ns(CLOCK_REALTIME) - now;
        known_at = now;
    }
    return now + apart;
}

bool ext_hit_trace(struct ext_hit *h)
{
    if (!h->trace_known)
        h->traced = ext_trace(h->trace, h->span);
    h->trace_known = true;
    return h->traced;
}

static void put_vars(struct probe_capture *c, const struct clew_order *o, const struct ext_frame *f, uint32_t number)
{
    char room[NAME_ROOM];
    int n = ext_frame_names(f);
    const struct ext_names *known = ext_names(c, f);
    for (int i = 0; i < n; i++) {
        const struct ext_named *k = known && i < EXT_NAMES_MAX && known->vars[i].name.len ? &known->vars[i] : NULL;
        if (k && !(o->flags & k->flag))
            continue;
        PyObject *value = k ? ext_frame_value(f, i) : NULL;
        if (value) {
            if (probe_capture_named(c, number, &k->name))
                ext_walk(&c->w, value);
            continue;
        }
        struct ext_name v;
        if (!ext_frame_name(f, i, &v))
            continue;
        if (!(o->flags & (v.kind == CLEW_VAR_ARG ? CLEW_WITH_ARGS : CLEW_WITH_LOCALS)))
            continue;
        if (!probe_capture_var(c, number, ext_var_kinds[v.kind], ext_text(v.name, room, sizeof room)))
            continue;
        if (v.value)
            ext_walk(&c->w, v.value);
        else
            probe_value_missing(&c->w, PROBE_WHY_UNINITIALIZED, (str){ 0 }, -1);
    }
}

static void put_frames(struct probe_capture *c, const struct clew_order *o, const struct ext_event *e)
{
    struct ext_frame f;
    char names[2][NAME_ROOM];
    uint32_t n = 0, cut = e->cut;
    for (bool more = ext_event_frame(e, &f); more; more = ext_frame_next(&f)) {
        if (n == (o->frames ? o->frames : 1)) { // where it is, in any case
            cut++;
            continue;
        }
        str function = ext_text(f.code->co_name, names[0], NAME_ROOM),
            file = ext_text(f.code->co_filename, names[1], NAME_ROOM);
        int line = n == 0 && o->at == CLEW_AT_LINE ? o->line : ext_frame_line(&f);
        n += probe_capture_frame(c, function, file, line > 0 ? (uint32_t)line : 0, (str){ 0 },
                                 known_in_app(f.code->co_filename, file));
    }
    probe_capture_frames_cut(c, o->frames ? cut : 0);
}

static void put_frames_vars(struct probe_capture *c, const struct clew_order *o, const struct ext_event *e)
{
    struct ext_frame f;
    uint32_t at = 0;
    for (bool more = ext_event_frame(e, &f); more && at < c->frames && at < o->frames && at < o->frames_vars;
         more = ext_frame_next(&f))
        put_vars(c, o, &f, at++);
}

// Evaluated in the order of the probe. What fails is said in the capture, counted, and its first message kept.
static void put_exprs(struct probe_capture *c, struct ext_site *s, struct ext_hit *h)
{
    char text[ERROR_ROOM];
    size_t len;
    for (size_t i = 0; i < s->n_programs; i++) {
        struct ext_program *p = &s->programs[i];
        if (p->role == CLEW_EXPR && !ext_program_put(p, h, c, p->index, text, sizeof text, &len))
            probe_slot_error(&ext.ring.slots[s->order.slot], str_of(text, len));
    }
}

static void put_event(struct probe_capture *c, const struct ext_event *e)
{
    char room[NAME_ROOM];
    if (e->returned && probe_capture_return(c))
        ext_walk(&c->w, e->returned);
    if (!e->exception)
        return;
    // What str() would most often say, without asking it.
    PyObject *args = ((PyBaseExceptionObject *)e->exception)->args,
             *first = args && PyTuple_Check(args) && PyTuple_GET_SIZE(args) == 1 ? PyTuple_GET_ITEM(args, 0) : NULL;
    if (probe_capture_exception(c, str_z(Py_TYPE(e->exception)->tp_name), ext_text(first, room, sizeof room)))
        ext_walk(&c->w, e->exception);
}

static bool capture(struct ext_site *s, struct ext_hit *h)
{
    static struct probe_capture c; // under the GIL, one at a time
    const struct clew_order *o = &s->order;
    struct probe_value_limits limits = { .depth = o->depth, .items = o->items, .string = o->string };
    char room[NAME_ROOM];
    bool traced = ext_hit_trace(h);
    struct probe_capture_start start = {
        .slot = o->slot,
        .revision = o->stamp,
        .time_ns = day_ns(h->begun),
        .thread = ext_thread_id(),
        .trace = traced ? h->trace : NULL,
        .span = traced ? h->span : NULL,
        .thread_name = ext_thread_name(room, sizeof room),
        .reporter = !h->event->exception ? PROBE_REPORTER_UNKNOWN
                    : ext_reported()     ? PROBE_REPORTER_SENTRY
                                         : PROBE_REPORTER_NONE,
    };
    size_t cap = o->capture_bytes < CLEW_RECORD_MAX ? o->capture_bytes : CLEW_RECORD_MAX;
    if (!probe_capture_begin(&c, ext.scratch, cap, &start, &limits, h->policy, &ext.space))
        return false;
    put_frames(&c, o, h->event);
    put_exprs(&c, s, h);
    put_event(&c, h->event);
    put_frames_vars(&c, o, h->event);
    size_t n = probe_capture_end(&c, 0, h->event->duration_ns, probe_ring_lost(&ext.ring));
    struct probe_reservation v;
    if (!probe_ring_reserve(&ext.ring, n, ext.pid & 0x3fffff, &v))
        return false;
    probe_ring_write(&ext.ring, &v, 0, ext.scratch, n);
    // One look at the clock for what the capture says that it cost, and for what is charged.
    uint8_t cost[8];
    h->ended = ext_now_ns();
    le64_put(cost, (uint64_t)(h->ended - h->begun));
    probe_ring_write(&ext.ring, &v, PROBE_CAPTURE_COST_AT, cost, sizeof cost);
    return probe_ring_commit(&ext.ring, &v);
}

// False: the hit is none. *ret_slow: it took long to know.
static bool condition_holds(struct ext_site *s, struct ext_hit *h, bool *ret_slow)
{
    char text[ERROR_ROOM];
    size_t len = 0;
    bool yes = false;
    if (!s->condition)
        return true;
    int reason = ext_program_test(s->condition, h, &yes, text, sizeof text, &len);
    if (reason)
        probe_slot_error(&ext.ring.slots[s->order.slot], str_of(text, len));
    *ret_slow = reason == PROBE_FAULT_TIME || reason == PROBE_FAULT_STEPS;
    return yes && !reason;
}

static void begins(const struct ext_site *s, struct ext_hit *h)
{
    h->begun = ext_now_ns();
    if (s->doubted)
        h->own = ext_own_ns();
}

// What a hit has cost, or all that it stands for. Time that a busy machine gives to others meanwhile is no part of it, but to ask for what the thread
// itself has had costs as much as half a capture. So what took oddly long is charged as little once, and the place's next hits are asked.
static int64_t cost_of(struct ext_site *s, const struct ext_hit *h, int64_t after, uint32_t stands_for)
{
    int64_t wall = after - h->begun;
    bool odd = wall * stands_for >= ODD_NS;
    if (odd && !h->own) {
        s->doubted = DOUBTED_HITS;
        return ODD_NS;
    }
    s->doubted = odd ? DOUBTED_HITS : s->doubted - (s->doubted > 0);
    int64_t own = odd ? ext_own_ns() - h->own : wall;
    return (own < wall ? own : wall) * stands_for;
}

enum ext_outcome ext_hit(struct ext_site *s, const struct ext_event *event)
{
    // Most hits of a condition are none: what they need to know of the time is told by a clock that is a few milliseconds behind, and costs a
    // seventh of the exact one.
    int64_t near = clock_ns(CLOCK_MONOTONIC_COARSE);
    struct ext_hit h = { .site = s, .event = event };
    struct probe_slot *slot = &ext.ring.slots[s->order.slot];
    if (!*ext.mine || !probe_ring_alive(&ext.ring, near))
        return EXT_STALE;
    if (slot->revision != s->order.stamp) // made ready for what takes its place
        return EXT_GO_ON;
    if (!probe_slot_runs(slot) && !probe_slot_resumes(slot, near))
        return EXT_GO_ON;
    h.number = probe_slot_hit(slot);
    h.policy = policy();
    bool timed = probe_hit_is_timed(h.number), whole = false;
    if (timed || !s->condition)
        begins(s, &h);
    bool holds = condition_holds(s, &h, &whole);
    if (!h.begun && (holds || whole))
        begins(s, &h);
    uint64_t passed = holds ? ++s->passed : 0;
    // The trace is known before the sample is drawn, which takes one as a whole or not at all.
    if (!holds || !probe_hit_passes(slot->hit_op, slot->hit_n, passed) ||
        !(slot->sample >= (1ull << 32) ||
          probe_sample_passes(slot->sample, ext_hit_trace(&h) ? h.trace : NULL, passed))) {
        atomic_fetch_add_explicit(&slot->filtered, 1, memory_order_relaxed);
        timed |= whole;
    } else if (s->order.flags & CLEW_COUNT_ONLY) {
        // A forecast: that it was reached is all.
    } else if (s->series) {
        if (ext_count(s, &h, &whole))
            atomic_fetch_add_explicit(&slot->captured, 1, memory_order_relaxed);
        timed |= whole;
    } else if (!probe_slot_token(slot, h.begun)) {
        probe_slot_drop(slot, PROBE_DROP_RATE);
    } else if (!probe_slot_take(slot)) {
        probe_slot_drop(slot, PROBE_DROP_GRANT);
    } else if (capture(s, &h)) {
        atomic_fetch_add_explicit(&slot->captured, 1, memory_order_relaxed);
        timed = whole = true;
    } else {
        probe_slot_drop(slot, PROBE_DROP_RING);
        timed = whole = true;
    }
    // A place that is reached ten million times a second costs even when nothing comes of it: one hit in 64 is
    // measured and charged for all of them. What a capture costs is charged as it is.
    if (timed) {
        int64_t after = h.ended ? h.ended : ext_now_ns();
        uint32_t stands_for = whole || h.number == 1 ? 1 : PROBE_COST_EVERY;
        probe_slot_charge(slot, &ext.ring.control->cost, cost_of(s, &h, after, stands_for), after);
    }
    return EXT_GO_ON;
}
