#include "agent/helper.h"
#include "agent/helper_internal.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/json_tree.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    TICK_MS = 1000,
    STATUS_EVERY = 15, // ticks
    RESOLVE_ANSWER_MAX = 2 << 20,
    WORD_ARENA = 1 << 20,
    BRAKE_MS = 60000,
};
// Sanitizers take several times what they watch.
#if defined(__SANITIZE_ADDRESS__)
#define OWN_BYTES_MAX ((uint64_t)512 << 20)
#define BRAKE_RSS ((uint64_t)1536 << 20)
#define BRAKE_CPU_PPM 2000000
#else
#define OWN_BYTES_MAX ((uint64_t)64 << 20)
#define BRAKE_RSS ((uint64_t)192 << 20)
#define BRAKE_CPU_PPM 500000 // half a core
#endif

// --- what the server says, through the network process ---

static struct target *target_by_id(struct helper *h, str id)
{
    struct target *t = h->targets;
    while (t && (t->gone || !str_eq(t->process.id, id)))
        t = t->next;
    return t;
}

static int resolve_kind(str what, enum resolve_what *ret)
{
    static const str names[] = { STR_INIT("files"), STR_INIT("source"), STR_INIT("lines"), STR_INIT("variables"),
                                 STR_INIT("functions") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(what, names[i])) {
            *ret = (enum resolve_what)i;
            return 0;
        }
    return ERR_INVALID;
}

static int resolve(struct helper *h, const struct json_node *m, struct json_writer *w, struct err *err)
{
    struct resolve_request q = { .path = json_get_text(m, STR("path")), .prefix = json_get_text(m, STR("prefix")) };
    struct target *t = target_by_id(h, json_get_text(m, STR("process")));
    int64_t line = 0;
    if (!t)
        return err_set(err, ERR_NOENT, "no_process", "this host has no such process any more");
    if (resolve_kind(json_get_text(m, STR("what")), &q.what) < 0 || q.path.len > PROBE_PATH_MAX ||
        q.prefix.len > PROBE_FUNCTION_MAX)
        return err_set(err, ERR_INVALID, "bad_request", "this question is not understood");
    if (json_int_of(json_get(m, STR("line")), &line) && line > 0 && line < INT32_MAX)
        q.line = (int)line;
    if (!t->facts.attachable)
        return err_set(err, ERR_DENIED, t->facts.code, "%s", t->facts.message);
    if (h->braked)
        return err_set(err, ERR_BUSY, h->brake.slug, "%s", h->brake.message);
    return t->backend->resolve(&t->process, &q, w, err);
}

static void answer_resolve(struct helper *h, const struct json_node *m)
{
    struct buf result, out;
    struct json_writer w;
    struct err err = { 0 };
    const struct json_node *request = json_get(m, STR("request"));
    buf_init(&result, RESOLVE_ANSWER_MAX);
    buf_init(&out, RESOLVE_ANSWER_MAX + 4096);
    json_writer_init(&w, &result);
    int rc = resolve(h, m, &w, &err);
    if (rc == 0 && (result.error || result.len == 0))
        rc = err_set(&err, ERR_LIMIT, "too_much", "the answer is too long");
    json_writer_init(&w, &out);
    json_put_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, STR("resolved"));
    json_put_key(&w, STR("request"));
    if (request)
        json_put_tree(&w, request);
    else
        json_put_null(&w);
    json_put_key(&w, STR("ok"));
    json_put_bool(&w, rc == 0);
    if (rc == 0) {
        json_put_key(&w, STR("result"));
        json_put_raw(&w, buf_view(&result));
    } else {
        json_put_key(&w, STR("error"));
        json_put_object(&w);
        json_put_key(&w, STR("code"));
        json_put_str(&w, str_z(err.slug));
        json_put_key(&w, STR("message"));
        json_put_str(&w, str_z(err.message));
        if (err.hint[0]) {
            json_put_key(&w, STR("hint"));
            json_put_str(&w, str_z(err.hint));
        }
        json_put_object_end(&w);
    }
    json_put_object_end(&w);
    if (!out.error)
        channel_send(&h->channel, CHANNEL_JSON, buf_bytes(&out), (bytes){ 0 });
    buf_free(&result);
    buf_free(&out);
}

static void grant(struct helper *h, const struct json_node *m)
{
    struct wish *w = desired_find(h, json_get_text(m, STR("probe")));
    int64_t hits;
    if (w && json_int_of(json_get(m, STR("hits")), &hits) && hits > 0 && hits <= 10000)
        w->remaining += (uint64_t)hits;
}

// Which probes are wanted is not known then: none stays, and the server is told why.
static void take_desired(struct helper *h, str json)
{
    struct err err = { 0 };
    struct buf b;
    struct json_writer w;
    bool again = h->unread;
    h->unread = desired_read(h, json, &err) < 0;
    if (!h->unread)
        return;
    if (!again)
        log_warn("agent", "the server's set of probes cannot be read, and every probe is out: %s", err.message);
    desired_clear(h);
    reconcile(h);
    buf_init(&b, 4096);
    json_writer_init(&w, &b);
    json_put_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, STR("unread"));
    json_put_key(&w, STR("message"));
    json_put_str(&w, str_z(err.message));
    json_put_object_end(&w);
    if (!b.error)
        channel_send(&h->channel, CHANNEL_JSON, buf_bytes(&b), (bytes){ 0 });
    buf_free(&b);
}

static void on_json(struct helper *h, str json)
{
    struct arena arena;
    struct err err;
    const struct json_node *m;
    // The set alone is large, and is read into memory of its own.
    if (str_starts(json, STR("{\"type\":\"desired\""))) {
        take_desired(h, json);
        return;
    }
    arena_init(&arena, WORD_ARENA);
    if (json_tree_read(json, &arena, 16, &m, &err) == 0) {
        str type = json_get_text(m, STR("type"));
        if (str_eq(type, STR("desired")))
            take_desired(h, json);
        else if (str_eq(type, STR("grant")))
            grant(h, m);
        else if (str_eq(type, STR("resolve")))
            answer_resolve(h, m);
        else if (str_eq(type, STR("traces")))
            hold_answer(h, m);
    }
    arena_free(&arena);
}

static void on_message(struct channel *c, uint8_t kind, bytes m)
{
    struct helper *h = OS_CONTAINER(c, struct helper, channel);
    switch (kind) {
    case CHANNEL_CONTACT:
        h->contact_ns = clock_mono_ns();
        h->lease_ms = m.len == 8 && le64_get(m.ptr) < (uint64_t)h->o->lease_ms ? (int)le64_get(m.ptr) : h->o->lease_ms;
        break;
    case CHANNEL_SYNC:
        tell_policy(h);
        tell_processes(h);
        rows_tell(h, true);
        hold_tell(h, true);
        break;
    case CHANNEL_LOST:
        row_lost(h, str_of_bytes(m));
        break;
    case CHANNEL_JSON:
        on_json(h, str_of_bytes(m));
        break;
    }
}

static void on_closed(struct channel *c)
{
    struct helper *h = OS_CONTAINER(c, struct helper, channel);
    h->channel_ended = true;
    loop_stop(h->loop);
}

// --- time ---

static void on_scan(struct timer *t)
{
    struct helper *h = OS_CONTAINER(t, struct helper, scan);
    discover(h);
    reconcile(h); // who has come gets what belongs to it
    loop_timer_set(h->loop, t, h->o->scan_ms);
}

// own: what is not of files or of rings that are shared with targets.
static uint64_t resident_bytes(uint64_t *ret_own)
{
    char text[128];
    unsigned long long total, pages = 0, shared = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f && fgets(text, sizeof text, f))
        sscanf(text, "%llu %llu %llu", &total, &pages, &shared);
    if (f)
        fclose(f);
    *ret_own = (pages > shared ? pages - shared : 0) * (uint64_t)sysconf(_SC_PAGESIZE);
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int64_t cpu_ns(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NS_PER_S + (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1000;
}

// Over its limits everything is taken out, until it has been below them for a minute; whoever looks at a probe is told why.
static void brake(struct helper *h, int64_t now, uint64_t rss, uint64_t ppm)
{
    uint64_t rss_max = h->o->brake_rss ? h->o->brake_rss : BRAKE_RSS;
    int64_t rest_ms = h->o->brake_ms ? h->o->brake_ms : BRAKE_MS;
    bool over = rss > rss_max || ppm > BRAKE_CPU_PPM;
    if (over)
        h->brake_until_ns = now + rest_ms * NS_PER_MS;
    if (over && !h->braked) {
        if (rss > rss_max)
            err_set(&h->brake, ERR_BUSY, "host_brake", "the agent took %llu MB of memory on this host, of at most %llu",
                    (unsigned long long)(rss >> 20), (unsigned long long)(rss_max >> 20));
        else
            err_set(&h->brake, ERR_BUSY, "host_brake", "the agent took %llu %% of a core on this host, of at most %d",
                    (unsigned long long)(ppm / 10000), BRAKE_CPU_PPM / 10000);
        log_warn("agent", "%s: all probes are out until it has taken less for a minute", h->brake.message);
        h->braked = true;
        reconcile(h);
        malloc_trim(0); // what was freed counts as long as it is kept for later
    } else if (h->braked && now >= h->brake_until_ns) {
        log_info("agent", "it takes no more of this host than it may: the probes come back");
        h->braked = false;
        reconcile(h);
    }
}

// The agent's own cost.
static void watch_itself(struct helper *h)
{
    int64_t now = clock_mono_ns(), cpu = cpu_ns();
    uint64_t own, rss = resident_bytes(&own), attached = 0, processes = 0;
    uint64_t ppm = now > h->cpu_at_ns ? (uint64_t)(cpu - h->cpu_ns) * 1000000u / (uint64_t)(now - h->cpu_at_ns) : 0;
    h->cpu_ns = cpu;
    h->cpu_at_ns = now;
    if (own > OWN_BYTES_MAX && !h->full)
        log_warn("agent", "it holds %llu MB: captures are dropped until it is less", (unsigned long long)(own >> 20));
    h->full = own > OWN_BYTES_MAX;
    brake(h, now, rss, ppm);
    for (const struct target *t = h->targets; t; t = t->next) {
        attached += t->attachment != NULL;
        processes++;
    }
    uint8_t status[32];
    le64_put(status, ppm);
    le64_put(status + 8, rss);
    le64_put(status + 16, attached);
    le64_put(status + 24, processes);
    channel_send(&h->channel, CHANNEL_STATUS, (bytes){ status, sizeof status }, (bytes){ 0 });
}

static void on_tick(struct timer *t)
{
    struct helper *h = OS_CONTAINER(t, struct helper, tick);
    reconcile(h); // times that are over: lease, expiry, idle attachments, the next attempt
    if (!h->listed)
        tell_processes(h);
    hold_expire(h, false);
    hold_tell(h, false);
    rows_tell(h, false);
    if (clock_mono_ns() - h->cpu_at_ns >= 5 * NS_PER_S)
        watch_itself(h);
    loop_timer_set(h->loop, t, TICK_MS);
}

static void on_flush(struct timer *t) { rows_tell(OS_CONTAINER(t, struct helper, flush), false); }

// One with a mistake in it changes nothing: what was refused stays refused.
static void read_policy_again(struct helper *h)
{
    struct policy fresh;
    struct err err;
    policy_init(&fresh);
    if (policy_read_file(&fresh, h->o->policy_file, h->o->policy_may_miss, &err) < 0) {
        log_error("agent", "the policy stays as it was: %s%s%s", err.place, err.place[0] ? ": " : "", err.message);
        policy_free(&fresh);
        return;
    }
    policy_free(h->o->policy);
    *h->o->policy = fresh;
    log_info("agent", "the policy was read again");
    hold_expire(h, true); // they were captured under the one before
    policy_changed(h);
    tell_policy(h);
    reconcile(h);
}

static void on_signal(int signal, void *arg)
{
    struct helper *h = arg;
    if (signal == SIGHUP)
        read_policy_again(h);
    else
        loop_stop(h->loop);
}

// --- life ---

static int begin(struct helper *h, int fd)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };
    uint8_t raw[8];
    struct utsname u;
    if (getrandom(raw, sizeof raw, 0) != sizeof raw)
        return ERR_IO;
    hex_encode(h->run, raw, sizeof raw);
    if (uname(&u) == 0)
        snprintf(h->host, sizeof h->host, "%s", u.nodename);
    h->set = mem_calloc(DESIRED_MAX, sizeof *h->set);
    int rc = h->set ? loop_new(&h->loop) : ERR_NOMEM;
    if (rc == 0)
        rc = loop_signals_take(h->loop, signals, on_signal, h);
    if (rc == 0)
        rc = channel_open(&h->channel, h->loop, fd, on_message, on_closed);
    h->cpu_ns = cpu_ns();
    h->cpu_at_ns = clock_mono_ns();
    // No lease before the server's first word.
    h->lease_ms = h->o->lease_ms;
    h->contact_ns = h->cpu_at_ns - h->lease_ms * NS_PER_MS;
    h->hold.end = &h->hold.first;
    h->scan.fn = on_scan;
    h->tick.fn = on_tick;
    h->flush.fn = on_flush;
    return rc;
}

static void end(struct helper *h)
{
    h->stopping = true;
    desired_clear(h);
    reconcile(h); // removes, detaches
    hold_expire(h, true);
    rows_tell(h, false);
    while (h->targets) {
        struct target *t = h->targets;
        h->targets = t->next;
        target_free(t);
    }
    loop_timer_clear(h->loop, &h->scan);
    loop_timer_clear(h->loop, &h->tick);
    loop_timer_clear(h->loop, &h->flush);
    channel_close(&h->channel);
    loop_free(h->loop);
    arena_free(&h->desired.arena);
    mem_free(h->known);
    mem_free(h->set);
}

int helper_run(int fd, const struct helper_options *o)
{
    struct helper h = { .o = o };
    h.channel.watch.fd = -1;
    int rc = begin(&h, fd);
    if (rc < 0)
        return rc;
    loop_timer_set(h.loop, &h.scan, 0);
    loop_timer_set(h.loop, &h.tick, TICK_MS);
    rc = loop_run(h.loop);
    end(&h);
    return rc == 0 && h.channel_ended;
}
