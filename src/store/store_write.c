// Batches and the log thread: decoded rows become durable, visible and acknowledged, in this order.
//
// Everything that is committed while a sync is in flight rides on the next one. There is no waiting for company:
// with the disk idle a batch is written at once.
#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "store/store_internal.h"

// ---- rotation -------------------------------------------------------------------------------------------

int store_rotate_locked(struct store *s)
{
    if (s->gens_n == STORE_GENERATIONS_MAX)
        return ERR_BUSY;
    struct generation *g = generation_new(s->next_generation, s->o.lanes);
    if (!g)
        return ERR_NOMEM;
    g->log = log_stream_new(&s->log_files, g->id);
    if (!g->log) {
        generation_unref(g);
        return ERR_NOMEM;
    }
    s->next_generation++;
    if (s->gens_n)
        s->gens[s->gens_n - 1]->closed = true;
    s->gens[s->gens_n++] = g;
    pthread_cond_signal(&s->work_cond);
    store_consumers_wake_locked(s);
    return 0;
}

void store_fail_generation_locked(struct store *s, struct generation *g, int code)
{
    if (g->failed)
        return;
    g->failed = g->closed = true;
    store_trouble_locked(s, code, "the commit log cannot be written");
    if (g == s->gens[s->gens_n - 1])
        store_rotate_locked(s); // without memory the next batch tries again
}

static size_t head_bytes_locked(const struct store *s)
{
    size_t sum = 0;
    for (unsigned i = 0; i < s->gens_n; i++)
        sum += generation_bytes(s->gens[i]);
    return sum;
}

// ---- batches -------------------------------------------------------------------------------------------

static struct batch *batch_take_locked(struct store *s)
{
    struct batch *b = s->spare_batches;
    if (!b) {
        if ((b = mem_zalloc(sizeof *b)))
            buf_init(&b->block, LOG_BLOCK_MAX);
        return b;
    }
    s->spare_batches = b->next;
    s->spare_batches_n--;
    return b;
}

static void batch_put_locked(struct store *s, struct batch *b)
{
    b->magic = 0;
    generation_unref(b->g);
    b->g = NULL;
    if (s->spare_batches_n >= STORE_BLOCKS_SPARE || b->block.cap > 8u << 20) {
        buf_free(&b->block);
        mem_free(b);
        return;
    }
    buf_clear(&b->block);
    b->next = s->spare_batches;
    s->spare_batches = b;
    s->spare_batches_n++;
}

static int admit_locked(struct store *s)
{
    if (s->stopping)
        return ERR_STOPPING;
    if (s->read_only)
        return ERR_READONLY;
    if (s->disk_full)
        return ERR_NOSPC;
    if (s->gens_n == 0 || s->gens[s->gens_n - 1]->closed) {
        int e = store_rotate_locked(s);
        if (e < 0)
            return e;
    }
    return head_bytes_locked(s) > STORE_HEAD_BYTES_MAX ? ERR_BUSY : 0;
}

int store_batch_begin(struct store *s, unsigned lane, uint32_t project, const uint64_t request_hash[2],
                      struct batch **ret_batch)
{
    MAGIC_CHECK(s, STORE_MAGIC);
    must(lane < s->o.lanes);
    bool hashed = request_hash && (request_hash[0] | request_hash[1]);
    int64_t now = clock_unix_ns();
    pthread_mutex_lock(&s->mutex);
    struct batch *b = NULL;
    int e = admit_locked(s);
    if (e == 0 && hashed) {
        enum repeat_state known = repeat_begin(s->repeat, request_hash, now);
        e = known == REPEAT_STORED ? ERR_EXIST : known == REPEAT_PENDING ? ERR_BUSY : 0;
        s->stats.batches_repeated += e == ERR_EXIST;
    }
    if (e == 0) {
        struct generation *g = s->gens[s->gens_n - 1];
        struct lane *l = g->lane[lane];
        b = batch_take_locked(s);
        if (b && !l && (l = lane_new()))
            atomic_store_explicit(&g->lane[lane], l, memory_order_release);
        if (b && l) {
            b->g = generation_ref(g);
            b->lane = l;
            g->in_flight++;
        } else {
            if (b)
                batch_put_locked(s, b);
            if (hashed)
                repeat_end(s->repeat, request_hash, now, false);
            e = ERR_NOMEM;
        }
    }
    pthread_mutex_unlock(&s->mutex);
    if (e < 0)
        return e;
    b->magic = BATCH_MAGIC;
    b->store = s;
    b->lane_index = lane;
    b->section = (struct lane_section){ .project = project, .received = now };
    b->rows = b->records = 0;
    b->request_hash[0] = hashed ? request_hash[0] : 0;
    b->request_hash[1] = hashed ? request_hash[1] : 0;
    lane_marks_get(b->lane, &b->from);
    *ret_batch = b;
    return 0;
}

static int batch_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope)
{
    struct batch *b = ctx;
    int e = lane_intern_entity(b->lane, &b->lane->resources, resource, &b->section.resource);
    return e < 0 ? e : lane_intern_entity(b->lane, &b->lane->scopes, scope, &b->section.scope);
}

static int batch_record(void *ctx, const struct record *r)
{
    struct batch *b = ctx;
    b->records += 1 + r->children_n;
    int e = b->records > STORE_BATCH_RECORDS_MAX ? ERR_LIMIT : lane_append(b->lane, &b->section, r);
    b->rows += e == 0;
    return e;
}

struct record_sink batch_sink(struct batch *b)
{
    MAGIC_CHECK(b, BATCH_MAGIC);
    return (struct record_sink){ b, batch_section, batch_record };
}

uint32_t batch_rows(const struct batch *b) { return b->rows; }

// The batch's end under the mutex, whatever became of it; the generation may now be sealed.
static void batch_end_locked(struct store *s, struct batch *b, bool stored)
{
    if (b->request_hash[0] | b->request_hash[1])
        repeat_end(s->repeat, b->request_hash, b->section.received, stored);
    must(b->g->in_flight > 0);
    if (--b->g->in_flight == 0 && b->g->closed) {
        pthread_cond_signal(&s->work_cond);
        store_consumers_wake_locked(s);
    }
    batch_put_locked(s, b);
}

static void lane_count_bytes(struct lane *l)
{
    atomic_store_explicit(&l->bytes, l->heap.bytes + l->table_bytes, memory_order_relaxed);
}

void batch_abort_take(struct batch *b)
{
    MAGIC_CHECK(b, BATCH_MAGIC);
    struct store *s = b->store;
    lane_rollback(b->lane, &b->from);
    lane_count_bytes(b->lane);
    pthread_mutex_lock(&s->mutex);
    // What it used stays in the lane until the generation is sealed. Should batches that come to nothing be all
    // there is, nothing else would ever seal it.
    if (!b->g->closed && generation_bytes(b->g) >= STORE_SEAL_BYTES)
        store_rotate_locked(s);
    batch_end_locked(s, b, false);
    pthread_mutex_unlock(&s->mutex);
}

void batch_commit_take(struct batch *b, void (*done)(void *ctx, int result), void *ctx)
{
    MAGIC_CHECK(b, BATCH_MAGIC);
    struct store *s = b->store;
    if (b->rows == 0) {
        batch_abort_take(b);
        done(ctx, 0);
        return;
    }
    lane_marks_get(b->lane, &b->to);
    int e = log_block_encode(&b->block, b->lane, &b->section, &b->from, &b->to);
    lane_count_bytes(b->lane);
    if (e < 0) {
        // The lane believes its news to be logged and they are not: nothing more may be built on it.
        pthread_mutex_lock(&s->mutex);
        store_fail_generation_locked(s, b->g, e);
        s->stats.batches_failed++;
        batch_end_locked(s, b, false);
        pthread_mutex_unlock(&s->mutex);
        done(ctx, e);
        return;
    }
    b->done = done;
    b->ctx = ctx;
    b->next = NULL;
    pthread_mutex_lock(&s->log_mutex);
    *s->log_tail = b;
    s->log_tail = &b->next;
    pthread_cond_signal(&s->log_cond);
    pthread_mutex_unlock(&s->log_mutex);
}

// ---- the log thread ------------------------------------------------------------------------------------

enum { LOG_GROUP_MAX = 256 };

// Writes the batches of one generation, at most LOG_GROUP_MAX in a group.
static int write_group(struct store *s, struct batch **group, size_t n)
{
    struct log_entry entries[LOG_GROUP_MAX];
    uint64_t bytes_sum = 0;
    for (size_t i = 0; i < n; i++) {
        struct batch *b = group[i];
        entries[i] = (struct log_entry){ &b->block,
                                         { .lane = b->lane_index,
                                           .request_hash = { b->request_hash[0], b->request_hash[1] },
                                           .received = b->section.received } };
        bytes_sum += b->block.len;
    }
    pthread_mutex_lock(&s->mutex);
    bool failed = group[0]->g->failed;
    pthread_mutex_unlock(&s->mutex);
    int e = failed ? ERR_BUSY : log_stream_append(group[0]->g->log, entries, n, !s->o.durability_os);
    pthread_mutex_lock(&s->mutex);
    if (e == 0) {
        s->stats.log_bytes += bytes_sum;
        s->stats.log_syncs++;
    } else {
        store_fail_generation_locked(s, group[0]->g, e);
    }
    pthread_mutex_unlock(&s->mutex);
    return e;
}

static void publish_locked(struct store *s, struct batch *b, int64_t now)
{
    struct generation *g = b->g;
    lane_commit(b->lane, &b->to);
    g->rows += b->rows;
    if (!g->first_commit)
        g->first_commit = now;
    s->stats.rows_committed += b->rows;
    s->stats.batches_committed++;
}

static void commit_group(struct store *s, struct batch **group, size_t n)
{
    int e = write_group(s, group, n);
    int64_t now = clock_mono_ns();
    struct {
        void (*done)(void *ctx, int result);
        void *ctx;
    } answers[LOG_GROUP_MAX];
    pthread_mutex_lock(&s->mutex);
    struct generation *g = group[0]->g;
    for (size_t i = 0; i < n; i++) {
        if (e == 0)
            publish_locked(s, group[i], now);
        else
            s->stats.batches_failed++;
    }
    if (!g->closed && (g->rows >= s->o.seal_rows || generation_bytes(g) >= STORE_SEAL_BYTES))
        store_rotate_locked(s);
    uint64_t sequence = s->stats.batches_committed;
    store_consumers_wake_locked(s);
    for (size_t i = 0; i < n; i++) {
        answers[i].done = group[i]->done;
        answers[i].ctx = group[i]->ctx;
        batch_end_locked(s, group[i], e == 0);
    }
    pthread_mutex_unlock(&s->mutex);
    for (size_t i = 0; i < n; i++)
        answers[i].done(answers[i].ctx, e);
    pthread_mutex_lock(&s->on_commit_mutex); // who stops listening must not be called after that
    if (e == 0 && s->on_commit)
        s->on_commit(s->on_commit_ctx, sequence);
    pthread_mutex_unlock(&s->on_commit_mutex);
}

static void *log_main(void *arg)
{
    struct store *s = arg;
    for (;;) {
        pthread_mutex_lock(&s->log_mutex);
        while (!s->log_head && !s->log_stop)
            pthread_cond_wait(&s->log_cond, &s->log_mutex);
        struct batch *list = s->log_head;
        s->log_head = NULL;
        s->log_tail = &s->log_head;
        bool stop = s->log_stop && !list;
        pthread_mutex_unlock(&s->log_mutex);
        if (stop)
            return NULL;
        while (list) { // runs of one generation; its batches stand in the order of their lanes
            struct batch *group[LOG_GROUP_MAX];
            size_t n = 0;
            struct generation *g = list->g;
            while (list && list->g == g && n < LOG_GROUP_MAX) {
                group[n++] = list;
                list = list->next;
            }
            commit_group(s, group, n);
        }
    }
}

int store_log_start(struct store *s)
{
    s->log_tail = &s->log_head;
    int e = pthread_create(&s->log_thread, NULL, log_main, s);
    s->log_running = e == 0;
    return e ? err_of_errno(e) : 0;
}

void store_log_stop(struct store *s)
{
    if (!s->log_running)
        return;
    pthread_mutex_lock(&s->log_mutex);
    s->log_stop = true;
    pthread_cond_signal(&s->log_cond);
    pthread_mutex_unlock(&s->log_mutex);
    pthread_join(s->log_thread, NULL);
    s->log_running = false;
}
