// What happens when a probed place is reached: budgets first, then the capture into memory of ours, then into the ring.
#include "ext.h"
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NAME_ROOM = 512 };

struct ext_state ext;

static int64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t ext_now_ns(void) { return clock_ns(CLOCK_MONOTONIC); }

static const struct probe_policy *policy(struct probe_policy *view)
{
    size_t n = 0;
    static size_t kept;
    if (probe_ring_get_policy(&ext.ring, ext.policy_bytes, &n, &ext.policy_generation))
        kept = n;
    return kept && probe_policy_verify(view, bytes_of(ext.policy_bytes, kept)) ? view : NULL;
}

// Code of the program itself, as far as a path says it.
static bool in_app(str file)
{
    return str_find(file, str_z("/site-packages/")) < 0 && str_find(file, str_z("/dist-packages/")) < 0 &&
           str_find(file, str_z("/lib/python3")) < 0 && file.len && file.ptr[0] != '<';
}

static void put_vars(struct probe_capture *c, const struct ext_frame *f, uint32_t number)
{
    char room[NAME_ROOM];
    int n = ext_frame_names(f);
    for (int i = 0; i < n; i++) {
        struct ext_name v;
        if (!ext_frame_name(f, i, &v))
            continue;
        static const enum probe_var_kind kinds[] = { PROBE_VAR_ARG, PROBE_VAR_LOCAL, PROBE_VAR_CLOSURE };
        if (!probe_capture_var(c, number, kinds[v.kind], ext_text(v.name, room, sizeof room)))
            continue;
        if (v.value)
            ext_walk(&c->w, v.value);
        else
            probe_value_missing(&c->w, PROBE_WHY_UNINITIALIZED, (str){ 0 }, -1);
    }
}

static void put_stack(struct probe_capture *c, const struct clew_order *o)
{
    struct ext_frame f;
    char names[2][NAME_ROOM];
    uint32_t n = 0, cut = 0;
    PyThreadState *ts = PyThreadState_Get();
    for (bool more = ext_frame_first(ts, &f); more; more = ext_frame_next(&f)) {
        str function = ext_text(f.code->co_name, names[0], NAME_ROOM),
            file = ext_text(f.code->co_filename, names[1], NAME_ROOM);
        if (n == o->frames)
            cut++;
        else if (probe_capture_frame(c, function, file, f.line > 0 ? (uint32_t)f.line : 0, (str){ 0 }, in_app(file)))
            n++;
    }
    probe_capture_frames_cut(c, cut);
    uint32_t at = 0;
    for (bool more = ext_frame_first(ts, &f); more && at < n && at < o->frames_vars; more = ext_frame_next(&f))
        put_vars(c, &f, at++);
}

static bool capture(const struct ext_site *s, int64_t begun, const uint8_t *trace, const uint8_t *span)
{
    static struct probe_capture c; // under the GIL, one at a time
    const struct clew_order *o = &s->order;
    struct probe_policy view;
    struct probe_value_limits limits = { .depth = o->depth, .items = o->items, .string = o->string };
    uint64_t thread = (uint64_t)syscall(SYS_gettid);
    struct probe_capture_start start = {
        .slot = o->slot,
        .revision = o->revision,
        .time_ns = clock_ns(CLOCK_REALTIME),
        .thread = thread,
        .trace = trace,
        .span = span,
        .thread_name = thread == (uint64_t)getpid() ? str_z("MainThread") : (str){ 0 },
    };
    size_t cap = o->capture_bytes < CLEW_RECORD_MAX ? o->capture_bytes : CLEW_RECORD_MAX;
    if (!probe_capture_begin(&c, ext.scratch, cap, &start, &limits, policy(&view), &ext.space))
        return false;
    put_stack(&c, o);
    size_t n = probe_capture_end(&c, (uint64_t)(ext_now_ns() - begun), -1, probe_ring_lost(&ext.ring));
    return probe_ring_put(&ext.ring, ext.scratch, n, (uint32_t)getpid() & 0x3fffff);
}

enum ext_hit ext_hit(const struct ext_site *s)
{
    int64_t now = ext_now_ns();
    struct probe_slot *slot = &ext.ring.slots[s->order.slot];
    if (!probe_ring_alive(&ext.ring, now))
        return EXT_STALE;
    if (!probe_slot_runs(slot) && !probe_slot_resumes(slot, now))
        return EXT_GO_ON;
    uint64_t n = probe_slot_hit(slot);
    bool timed = probe_hit_is_timed(n), whole = false, sampled = slot->sample < (1ull << 32);
    uint8_t trace[16], span[8];
    // Known before the sample is drawn, which takes a trace as a whole or not at all.
    bool traced = sampled && ext_trace(trace, span);
    if (!probe_hit_passes(slot->hit_op, slot->hit_n, n) ||
        !probe_sample_passes(slot->sample, traced ? trace : NULL, n)) {
        atomic_fetch_add_explicit(&slot->filtered, 1, memory_order_relaxed);
    } else if (!probe_slot_token(slot, now)) {
        probe_slot_drop(slot, PROBE_DROP_RATE);
    } else if (!probe_slot_take(slot)) {
        probe_slot_drop(slot, PROBE_DROP_GRANT);
    } else if ((traced = traced || ext_trace(trace, span)),
               capture(s, now, traced ? trace : NULL, traced ? span : NULL)) {
        atomic_fetch_add_explicit(&slot->captured, 1, memory_order_relaxed);
        timed = whole = true;
    } else {
        probe_slot_drop(slot, PROBE_DROP_RING);
        timed = whole = true;
    }
    // A place that is reached ten million times a second costs even when nothing comes of it: one hit in 64 is
    // measured and charged for all of them. What a capture costs is charged as it is.
    if (timed) {
        int64_t after = ext_now_ns(), cost = after - now;
        probe_slot_charge(slot, &ext.ring.control->cost, whole || n == 1 ? cost : cost * PROBE_COST_EVERY, after);
    }
    return EXT_GO_ON;
}
