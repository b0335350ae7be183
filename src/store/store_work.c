// Background work: rotation by age, sealing, merging, retention, and a log file ready before it is needed. One
// thread, which also owns the manifest; a merge lets a due seal go first between two blocks.
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "store/store_internal.h"

#include <stdio.h>

#define WORK_TICK_NS (200 * NS_PER_MS)
#define WORK_RETENTION_NS (10 * NS_PER_S)
#define WORK_RETRY_NS (1 * NS_PER_S)

void store_trouble_locked(struct store *s, int code, const char *what)
{
    bool was = s->why[0] != 0;
    if (code == ERR_NOSPC)
        s->disk_full = true;
    snprintf(s->why, sizeof s->why, "%s: %s", what, err_text(code));
    if (!was)
        log_error("store", "%s", s->why);
}

static void trouble(struct store *s, int code, const char *what)
{
    pthread_mutex_lock(&s->mutex);
    store_trouble_locked(s, code, what);
    s->retry_next = clock_mono_ns() + WORK_RETRY_NS;
    pthread_mutex_unlock(&s->mutex);
}

static void trouble_over(struct store *s)
{
    pthread_mutex_lock(&s->mutex);
    if (!s->read_only && s->why[0]) {
        log_info("store", "working again (was: %s)", s->why);
        s->why[0] = 0;
        s->disk_full = false;
    }
    pthread_mutex_unlock(&s->mutex);
}

// ---- sealing -------------------------------------------------------------------------------------------

static struct generation *seal_due(struct store *s)
{
    pthread_mutex_lock(&s->mutex);
    struct generation *g = s->gens_n ? s->gens[0] : NULL;
    if (g && !(g->closed && g->in_flight == 0 && store_passed_locked(s, g)))
        g = NULL;
    pthread_mutex_unlock(&s->mutex);
    return g;
}

enum { SEAL_PARTS_MAX = RECORD_SOURCES * HEAD_LANES_MAX };

// Parts of the rows of one source: one, unless the lanes hold more than one can be built of.
static int seal_source(struct store *s, struct generation *g, unsigned source, struct part **parts, uint32_t *parts_n,
                       struct err *err)
{
    const struct segment *heads[HEAD_LANES_MAX];
    uint32_t n = 0;
    int e = 0;
    pthread_mutex_lock(&s->mutex);
    for (unsigned l = 0; l < g->lanes_n && e == 0; l++) {
        struct segment *h = head_segment_new(g, l, source, &e);
        if (h)
            heads[n++] = h;
    }
    pthread_mutex_unlock(&s->mutex);
    if (e < 0)
        err_set(err, e, "memory", "out of memory while sealing");
    for (uint32_t at = 0, end; at < n && e == 0; at = end) {
        uint64_t need = part_build_memory(heads[at]);
        for (end = at + 1; end < n; end++)
            if ((need += part_build_memory(heads[end])) > PART_BUILD_MEMORY_MAX)
                break;
        struct part_build_options o = { .id = manifest_next_id(s->manifest), .effort = PART_YOUNG };
        e = part_build(&s->env, (uint8_t)source, heads + at, end - at, &o, &parts[*parts_n], err);
        *parts_n += e == 0;
        e = e == ERR_NOENT ? 0 : e;
    }
    for (uint32_t i = 0; i < n; i++)
        head_segment_free((struct segment *)(uintptr_t)heads[i]);
    return e;
}

// Room for what seal_publish() adds, so that it cannot fail when the manifest has the parts already.
static int seal_reserve(struct store *s, uint32_t n)
{
    int e = 0;
    pthread_mutex_lock(&s->mutex);
    if (s->parts_n + n > s->parts_cap) {
        uint32_t cap = (s->parts_n + n) * 2;
        void *p = mem_reallocarray(s->parts, cap, sizeof(struct part *));
        if (p) {
            s->parts = p;
            s->parts_cap = cap;
        } else {
            e = ERR_NOMEM;
        }
    }
    pthread_mutex_unlock(&s->mutex);
    return e;
}

// Takes the sealed generation out and its parts in, in one step for readers.
static void seal_publish(struct store *s, struct generation *g, struct part **parts, uint32_t n)
{
    pthread_mutex_lock(&s->mutex);
    for (uint32_t i = 0; i < n; i++)
        s->parts[s->parts_n++] = parts[i];
    must(s->gens[0] == g);
    store_tails_follow_locked(s);
    memmove(s->gens, s->gens + 1, sizeof *s->gens * --s->gens_n);
    s->stats.seals++;
    pthread_mutex_unlock(&s->mutex);
}

static int seal(struct store *s, struct generation *g, struct err *err)
{
    struct part *parts[SEAL_PARTS_MAX];
    uint32_t n = 0;
    int e = 0;
    for (unsigned source = 0; source < RECORD_SOURCES && e == 0; source++)
        e = seal_source(s, g, source, parts, &n, err);
    if (e == 0 && (e = seal_reserve(s, n)) < 0)
        err_set(err, e, "memory", "out of memory while sealing");
    bool built = e == 0;
    if (built) {
        struct part_facts facts[SEAL_PARTS_MAX];
        for (uint32_t i = 0; i < n; i++)
            part_facts(parts[i], &facts[i]);
        struct manifest_change c = {
            .add = facts, .add_n = n, .marks_n = 1, .marks = { { STORE_MARK_SEALED, g->id } }
        };
        e = manifest_commit(s->manifest, &c, err);
    }
    if (e < 0) {
        // Tried again soon: files that no manifest knows would fill what is left of the disk. When the commit is
        // in doubt they may be in it after all: the next start knows.
        for (uint32_t i = 0; i < n; i++) {
            if (!built)
                part_unlink_when_unused(parts[i]);
            part_unref(parts[i]);
        }
        return e;
    }
    seal_publish(s, g, parts, n);
    struct log_stream *log = g->log;
    g->log = NULL;
    log_stream_free(log, true);
    generation_unref(g);
    return 0;
}

// ---- merging and retention -----------------------------------------------------------------------------

static void drop_parts(struct store *s, const uint64_t *ids, uint32_t n, struct part *instead)
{
    pthread_mutex_lock(&s->mutex);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->parts_n; i++) {
        struct part_facts f;
        part_facts(s->parts[i], &f);
        bool gone = false;
        for (uint32_t k = 0; k < n; k++)
            gone |= ids[k] == f.id;
        if (!gone) {
            s->parts[kept++] = s->parts[i];
            continue;
        }
        part_unlink_when_unused(s->parts[i]);
        part_unref(s->parts[i]);
        if (instead) {
            s->parts[kept++] = instead;
            instead = NULL;
        }
    }
    s->parts_n = kept;
    pthread_mutex_unlock(&s->mutex);
}

static int merge_pace(void *ctx, uint64_t rows_done)
{
    struct store *s = ctx;
    struct err err;
    if (s->work_stop)
        return ERR_STOPPING;
    struct generation *g = seal_due(s);
    int e = g ? seal(s, g, &err) : 0;
    if (e < 0) // the main loop meets it again and says so
        return e;
    return log_files_prepare(&s->log_files) == ERR_NOMEM ? ERR_NOMEM : 0;
}

static uint32_t live_facts(const struct store *s, const struct part_facts ***ret_facts)
{
    uint32_t n = manifest_parts(s->manifest);
    const struct part_facts **f = mem_calloc(n, sizeof *f);
    for (uint32_t i = 0; f && i < n; i++)
        f[i] = manifest_part(s->manifest, i);
    *ret_facts = f;
    return f ? n : 0;
}

static int merge_parts(struct store *s, const uint64_t *ids, uint32_t n, struct err *err)
{
    struct part *inputs[MERGE_INPUTS_MAX], *merged = NULL;
    uint32_t found = 0;
    pthread_mutex_lock(&s->mutex);
    for (uint32_t i = 0; i < s->parts_n; i++) {
        struct part_facts f;
        part_facts(s->parts[i], &f);
        for (uint32_t k = 0; k < n; k++)
            if (ids[k] == f.id)
                inputs[found++] = part_ref(s->parts[i]);
    }
    pthread_mutex_unlock(&s->mutex);
    must(found == n);
    struct part_build_options o = {
        .id = manifest_next_id(s->manifest), .effort = PART_MERGED, .pace = merge_pace, .pace_ctx = s
    };
    int e = merge_run(&s->env, inputs, n, &o, &merged, err);
    if (e == 0) {
        struct part_facts f;
        part_facts(merged, &f);
        struct manifest_change c = { .remove = ids, .remove_n = n, .add = &f, .add_n = 1 };
        e = manifest_commit(s->manifest, &c, err);
        if (e == 0) {
            drop_parts(s, ids, n, merged);
            s->stats.merges++;
            s->stats.duplicates_dropped += f.duplicates;
        } else {
            part_unref(merged);
        }
    }
    for (uint32_t i = 0; i < n; i++)
        part_unref(inputs[i]);
    return e;
}

// 1: merged something; 0: nothing to do.
static int merge_some(struct store *s, struct err *err)
{
    const struct part_facts **facts;
    uint32_t n = live_facts(s, &facts), pick[MERGE_INPUTS_MAX];
    uint32_t picked = n ? merge_pick(facts, n, NULL, &merge_limits_default, pick) : 0;
    uint64_t ids[MERGE_INPUTS_MAX];
    for (uint32_t i = 0; i < picked; i++)
        ids[i] = facts[pick[i]]->id;
    mem_free(facts);
    if (!picked)
        return 0;
    int e = merge_parts(s, ids, picked, err);
    return e < 0 ? e : 1;
}

static int retention_apply(struct store *s, struct err *err)
{
    struct retention_limits limits = { .now = clock_unix_ns(), .disk_cap_bytes = s->o.disk_cap_bytes };
    bool any = limits.disk_cap_bytes != 0;
    for (unsigned source = 0; source < RECORD_SOURCES; source++) {
        limits.keep_ns[source] = s->o.retention_ns[source];
        any |= limits.keep_ns[source] != 0;
    }
    if (!any)
        return 0;
    pthread_mutex_lock(&s->log_files.mutex);
    limits.other_bytes = (uint64_t)s->log_files.files_n * s->log_files.next_size;
    pthread_mutex_unlock(&s->log_files.mutex);
    const struct part_facts **facts;
    uint32_t n = live_facts(s, &facts), gone = 0;
    bool *drop = mem_calloc(n, sizeof *drop);
    uint64_t *ids = mem_calloc(n, sizeof *ids);
    int e = 0;
    if (n && drop && ids && retention_pick(facts, n, NULL, &limits, drop)) {
        for (uint32_t i = 0; i < n; i++)
            if (drop[i])
                ids[gone++] = facts[i]->id;
        struct manifest_change c = { .remove = ids, .remove_n = gone };
        e = manifest_commit(s->manifest, &c, err);
        if (e == 0) {
            drop_parts(s, ids, gone, NULL);
            s->stats.parts_expired += gone;
        }
    }
    mem_free(drop);
    mem_free(ids);
    mem_free(facts);
    return e;
}

// ---- the loop ------------------------------------------------------------------------------------------

static void rotate_by_age(struct store *s, bool now)
{
    int64_t t = clock_mono_ns();
    pthread_mutex_lock(&s->mutex);
    struct generation *g = s->gens_n ? s->gens[s->gens_n - 1] : NULL;
    if (g && !g->closed && !s->read_only && generation_bytes(g) >= STORE_SEAL_BYTES) {
        store_rotate_locked(s); // also without rows: batches that were taken back leave their dictionaries
    } else if (g && !g->closed && g->rows && !s->read_only) {
        int64_t age = t - g->first_commit;
        int64_t due = g->rows < STORE_SEAL_FEW_ROWS ? s->o.seal_age_ns * 10 : s->o.seal_age_ns;
        if (now || age >= due)
            store_rotate_locked(s);
    }
    pthread_mutex_unlock(&s->mutex);
}

// One round of everything that is due. 1: something was done; 0: nothing left; negative: trouble.
static int work_round(struct store *s, bool everything, struct err *err)
{
    int e = 0;
    bool did = false;
    rotate_by_age(s, everything);
    if (s->read_only)
        return 0;
    // What makes room goes first: on a full disk the rest fails, and would for ever.
    int64_t now = clock_mono_ns();
    if (everything || now >= s->retention_next) {
        s->retention_next = now + WORK_RETENTION_NS;
        if ((e = retention_apply(s, err)) < 0)
            return e;
    }
    int no_log = log_files_prepare(&s->log_files);
    for (struct generation *g; (g = seal_due(s));) {
        if ((e = seal(s, g, err)) < 0)
            return e;
        did = true;
    }
    // A sealed generation gives its log files back, and needs far less room itself.
    if (no_log < 0 && (e = log_files_prepare(&s->log_files)) < 0)
        return err_set(err, e, "log", "no room for the next log file: %s", err_text(e));
    e = merge_some(s, err);
    return e < 0 ? e : e > 0 || did;
}

static bool settled_locked(const struct store *s)
{
    return s->gens_n == 0 || (s->gens_n == 1 && (s->gens[0]->rows == 0 || s->read_only));
}

static void work_sleep(struct store *s)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    int64_t at = ts.tv_nsec + WORK_TICK_NS;
    ts.tv_sec += at / NS_PER_S;
    ts.tv_nsec = at % NS_PER_S;
    pthread_mutex_lock(&s->mutex);
    if (!s->work_stop)
        pthread_cond_timedwait(&s->work_cond, &s->mutex, &ts);
    pthread_mutex_unlock(&s->mutex);
}

static void *work_main(void *arg)
{
    struct store *s = arg;
    while (!s->work_stop) {
        pthread_mutex_lock(&s->mutex);
        bool everything = s->settle;
        bool wait = !everything && clock_mono_ns() < s->retry_next;
        pthread_mutex_unlock(&s->mutex);
        struct err err = { 0 };
        int e = wait ? 0 : work_round(s, everything, &err);
        if (e < 0 && e != ERR_STOPPING)
            trouble(s, e, err.message[0] ? err.message : "background work failed");
        else if (!wait)
            trouble_over(s);
        pthread_mutex_lock(&s->mutex);
        if (everything && (e < 0 || (e == 0 && settled_locked(s)))) {
            s->settle = false;
            s->settle_failed = e < 0;
            s->settle_err = err;
            pthread_cond_broadcast(&s->settled_cond);
        }
        pthread_mutex_unlock(&s->mutex);
        if (e <= 0)
            work_sleep(s);
    }
    return NULL;
}

int store_work_start(struct store *s)
{
    if (s->o.manual)
        return 0;
    int e = pthread_create(&s->work_thread, NULL, work_main, s);
    s->work_running = e == 0;
    return e ? err_of_errno(e) : 0;
}

void store_work_stop(struct store *s)
{
    if (!s->work_running)
        return;
    pthread_mutex_lock(&s->mutex);
    s->work_stop = true;
    pthread_cond_broadcast(&s->work_cond);
    pthread_cond_broadcast(&s->settled_cond);
    pthread_mutex_unlock(&s->mutex);
    pthread_join(s->work_thread, NULL);
    s->work_running = false;
}

int store_settle(struct store *s, struct err *err)
{
    MAGIC_CHECK(s, STORE_MAGIC);
    if (s->o.manual) {
        int e;
        do
            e = work_round(s, true, err);
        while (e > 0);
        if (e < 0)
            trouble(s, e, "settling failed");
        else
            trouble_over(s);
        return e;
    }
    pthread_mutex_lock(&s->mutex);
    s->settle = true;
    pthread_cond_signal(&s->work_cond);
    while (s->settle && !s->work_stop)
        pthread_cond_wait(&s->settled_cond, &s->mutex);
    int e = s->work_stop ? ERR_STOPPING : s->settle_failed ? s->settle_err.code : 0;
    if (e < 0 && err)
        *err = s->settle_err;
    pthread_mutex_unlock(&s->mutex);
    return e;
}
