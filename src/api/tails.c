// Live tails: one thread looks, at most ten times a second and only when something was committed, for
// rows that are new to each tail, and sends them as server-sent events (data: the row as queries print
// it; event `skipped` when a round held more rows than are sent). A slow client loses rows, never the server memory.
#include "api/api_internal.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "query/plan.h"

#include <time.h>

enum { TAIL_ROWS_MAX = 500, TAIL_TEXT_MAX = 16 << 10, TAIL_ROUND_MS = 100 };
#define TAIL_CALLER_NS NS_PER_S // how long a tail outlives what it was opened with
#define TAIL_LINES_MAX ((size_t)4 << 20)

struct api_tail {
    struct api_tail *next;
    struct tail *rows;
    struct http_stream *stream;
    bool skipped;  // rows were left out and the client has not been told yet
    uint64_t seen; // sequence of the newest commit that it has looked at
    const struct api_call *call;
    int64_t caller_next;    // when to ask again whether the caller may read (monotonic)
    struct query_request q; // views into the request's arena, which lives as long as the stream
};

struct tails {
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct api_tail *incoming; // opened, not yet seen by the thread
    _Atomic int open;
    int max;
    bool stopping;
    _Atomic uint64_t committed; // sequence of the newest commit
    struct store *store;
};

static void on_commit(void *ctx, uint64_t sequence)
{
    struct tails *t = ctx;
    atomic_store_explicit(&t->committed, sequence, memory_order_relaxed);
}

static void tail_end(struct tails *t, struct api_tail *tail)
{
    store_tail_close(tail->rows);
    http_stream_end(tail->stream, true);
    mem_free(tail);
    t->open--;
}

// The lines of one round, as query_run_ndjson writes them.
struct round {
    struct buf lines;
};

static int round_write(void *ctx, bytes b)
{
    struct round *r = ctx;
    return buf_append(&r->lines, b.ptr, b.len);
}

// Newest rows came first; a tail reads on, so they are sent from the last line up.
static int send_lines(struct api_tail *tail, str lines)
{
    int r = 0;
    for (size_t end = lines.len; end > 0 && r == 0;) {
        size_t begin = end - 1; // at the line's newline
        while (begin > 0 && lines.ptr[begin - 1] != '\n')
            begin--;
        str line = str_trim(str_slice(lines, begin, end));
        if (line.len && !str_starts(line, STR("{\"_")))
            r = http_sse_send(tail->stream, (str){ 0 }, (str){ 0 }, line);
        end = begin;
    }
    tail->skipped |= r == ERR_AGAIN;
    return r == ERR_AGAIN ? 0 : r;
}

// One look at one tail: 0, or an error that ends it.
static int tail_round(struct api_tail *tail)
{
    struct view *view;
    struct query_error error = { 0 };
    struct round round;
    bool begun = false;
    int r = store_tail_next(tail->rows, &view);
    if (r < 0)
        return r;
    if (view_segments(view) == 0) {
        view_unref(view);
        return 0;
    }
    buf_init(&round.lines, TAIL_LINES_MAX);
    tail->q.now = clock_unix_ns();
    struct query_sink sink = { &round, round_write };
    r = query_run_ndjson(&tail->q, view, &sink, &begun, &error);
    view_unref(view);
    str lines = buf_view(&round.lines);
    tail->skipped |= r < 0 || round.lines.error || str_find(lines, STR("\"more\":true")) >= 0;
    r = send_lines(tail, lines);
    if (r == 0 && tail->skipped) {
        r = http_sse_send(tail->stream, STR("skipped"), (str){ 0 }, STR("{}"));
        tail->skipped = r == ERR_AGAIN;
        r = r == ERR_AGAIN ? 0 : r;
    }
    buf_free(&round.lines);
    return r;
}

// A token that was revoked, or a session that ended, ends what was opened with it.
static bool caller_may_still(struct api_tail *tail, int64_t now)
{
    const struct api_call *call = tail->call;
    struct api_caller c;
    if (now < tail->caller_next)
        return true;
    tail->caller_next = now + TAIL_CALLER_NS;
    return api_caller_find(call->api->options.meta, call->req, call->api->port, &c) == 0 &&
           c.kind == call->caller.kind && c.scopes == call->caller.scopes && c.project == call->caller.project;
}

// Takes what was opened meanwhile; sleeps while there is no tail at all.
static bool tails_wait(struct tails *t, struct api_tail **list)
{
    pthread_mutex_lock(&t->lock);
    while (!*list && !t->incoming && !t->stopping)
        pthread_cond_wait(&t->wake, &t->lock);
    while (t->incoming) {
        struct api_tail *tail = t->incoming;
        t->incoming = tail->next;
        tail->next = *list;
        *list = tail;
    }
    bool on = !t->stopping;
    pthread_mutex_unlock(&t->lock);
    return on;
}

static void *tails_run(void *arg)
{
    struct tails *t = arg;
    struct api_tail *list = NULL;
    while (tails_wait(t, &list)) {
        uint64_t committed = atomic_load_explicit(&t->committed, memory_order_relaxed);
        for (struct api_tail **at = &list; *at;) {
            struct api_tail *tail = *at;
            bool left =
                http_request_cancelled(http_stream_request(tail->stream)) || !caller_may_still(tail, clock_mono_ns());
            bool look = committed != tail->seen;
            tail->seen = committed;
            if (left || (look && tail_round(tail) < 0)) {
                *at = tail->next;
                tail_end(t, tail);
            } else {
                at = &tail->next;
            }
        }
        nanosleep(&(struct timespec){ .tv_nsec = TAIL_ROUND_MS * NS_PER_MS }, NULL);
    }
    while (list) {
        struct api_tail *tail = list;
        list = tail->next;
        tail_end(t, tail);
    }
    return NULL;
}

int tails_new(struct store *store, int max, struct tails **ret_tails, struct err *err)
{
    struct tails *t = mem_zalloc(sizeof *t);
    if (!t)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    t->store = store;
    t->max = max;
    must(pthread_mutex_init(&t->lock, NULL) == 0);
    must(pthread_cond_init(&t->wake, NULL) == 0);
    if (pthread_create(&t->thread, NULL, tails_run, t) != 0) {
        tails_free(t);
        return err_set(err, ERR_LIMIT, "threads", "no further thread can be started");
    }
    t->started = true;
    store_on_commit(store, on_commit, t);
    *ret_tails = t;
    return 0;
}

void tails_free(struct tails *t)
{
    if (!t)
        return;
    if (t->started) {
        store_on_commit(t->store, NULL, NULL);
        pthread_mutex_lock(&t->lock);
        t->stopping = true;
        pthread_cond_signal(&t->wake);
        pthread_mutex_unlock(&t->lock);
        pthread_join(t->thread, NULL);
    }
    pthread_cond_destroy(&t->wake);
    pthread_mutex_destroy(&t->lock);
    mem_free(t);
}

uint64_t tails_open(struct tails *t) { return (uint64_t)atomic_load(&t->open); }

// Is the text a query that can be tailed? false: answered.
static bool tail_query_ok(struct api_call *call, const struct query_request *q)
{
    struct query_options options = { .now_ns = q->now, .may_values = q->values, .live = true };
    struct query_error error = { 0 };
    struct query_plan *plan = NULL;
    int r = query_compile(&call->req->arena, q->text, &options, &plan, &error);
    bool values = r == 0 && plan->values_read;
    query_plan_free(plan);
    if (r < 0) {
        api_reply_query_error(call->req, &error);
        return false;
    }
    if (values && api_values_read(call, STR("tail"), q->text) < 0) {
        api_reply_error(call->req, 503, "audit", "reading values could not be entered in the audit trail");
        return false;
    }
    return true;
}

static struct api_tail *tail_new(struct tails *t, const struct query_request *q)
{
    struct api_tail *tail = mem_zalloc(sizeof *tail);
    if (!tail || store_tail_open(t->store, &tail->rows) < 0) {
        mem_free(tail);
        return NULL;
    }
    tail->seen = UINT64_MAX; // it looks once at any rate: rows may have come since it was opened
    tail->q = *q;
    tail->q.limit = TAIL_ROWS_MAX;
    tail->q.values_read = NULL;     // entered when it was opened
    tail->q.live = true;            // the view's new rows, whatever their time
    tail->q.time_max_ns = NS_PER_S; // the other tails wait
    return tail;
}

void api_tail(struct api_call *call)
{
    struct tails *t = call->api->tails;
    struct query_request q;
    struct http_header h[API_HEADERS_MAX];
    str text;
    if (!api_param(call, STR("query"), &text) || !api_query_begin(call, &q))
        return;
    q.text = text.len ? text : STR("*");
    if (!tail_query_ok(call, &q))
        return;
    if (t->open++ >= t->max) {
        t->open--;
        api_reply_error(call->req, 429, "busy", "%d live tails are open already", t->max);
        return;
    }
    struct api_tail *tail = tail_new(t, &q);
    if (!tail) {
        t->open--;
        api_reply_error(call->req, 503, "memory", "out of memory");
        return;
    }
    tail->call = call;
    tail->caller_next = clock_mono_ns() + TAIL_CALLER_NS;
    size_t n = api_headers(h, STR("text/event-stream"));
    // Without content-type and cache-control: those are the stream's own.
    tail->stream = http_sse_begin(call->req, h + 2, n - 2);
    if (!tail->stream) {
        store_tail_close(tail->rows);
        mem_free(tail);
        t->open--;
        return;
    }
    pthread_mutex_lock(&t->lock);
    tail->next = t->incoming;
    t->incoming = tail;
    pthread_cond_signal(&t->wake);
    pthread_mutex_unlock(&t->lock);
}
