// GET /api/v1/live/stream: what changes about probes, as it does. The room of probes says it under its lock, and a stream takes it or
// loses it: a slow page asks again for the whole, it never holds the agents up.
#include "api/api_internal.h"
#include "api/live_calls.h"

#include "base/mem.h"
#include "base/must.h"

enum { VIEWED_MAX = 255 };

struct live_stream {
    struct live_stream *next;
    struct http_stream *stream;
    const struct api_call *call; // lives as long as the stream
    struct live_caller who;
    str service; // empty: all
    str at;      // the service that its reader looks at
};

struct live_streams {
    struct live *live;
    pthread_mutex_t lock;
    struct live_stream *list;
    int open, max;
};

static bool may_see(const struct live_stream *s, uint32_t project)
{
    bool see = project == 0; // about processes, which are of no project
    for (size_t i = 0; i < s->who.projects_n && !see; i++)
        see = s->who.projects[i] == project;
    return see;
}

// A token that was revoked, or a session that ended, ends what was opened with it.
static bool may_still(const struct live_stream *s)
{
    const struct api_call *call = s->call;
    struct api_caller c;
    return !http_request_cancelled(http_stream_request(s->stream)) &&
           api_caller_find(call->api->options.meta, call->req, call->api->port, &c) == 0 &&
           c.kind == call->caller.kind && c.scopes == call->caller.scopes && c.project == call->caller.project;
}

// Everybody is told who looks, when somebody comes or goes.
static void tell_viewers(struct live_streams *all)
{
    enum { VIEWERS_BYTES = 64 << 10 };
    struct buf b;
    struct json_writer w;
    buf_init(&b, VIEWERS_BYTES);
    json_writer_init(&w, &b);
    json_put_object(&w);
    json_put_key(&w, STR("viewers"));
    json_put_array(&w);
    for (const struct live_stream *s = all->list; s; s = s->next) {
        json_put_object(&w);
        api_put_text(&w, STR("name"), s->who.owner);
        api_put_text(&w, STR("service"), s->at);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_object_end(&w);
    // Whose connection is full or gone is found by the next event.
    for (struct live_stream *s = all->list; s && !b.error; s = s->next)
        http_sse_send(s->stream, STR("viewers"), (str){ 0 }, buf_view(&b));
    buf_free(&b);
}

static void on_event(void *ctx, const char *event, uint32_t project, str service, str json)
{
    struct live_streams *all = ctx;
    bool look = strcmp(event, "tick") == 0, gone = false;
    pthread_mutex_lock(&all->lock);
    for (struct live_stream **at = &all->list; *at;) {
        struct live_stream *s = *at;
        bool on = true;
        if (look)
            on = may_still(s);
        else if (may_see(s, project) && (!s->service.len || str_eq(s->service, service))) {
            int r = http_sse_send(s->stream, str_z(event), (str){ 0 }, json);
            on = r == 0 || r == ERR_AGAIN;
        }
        if (on) {
            at = &s->next;
            continue;
        }
        *at = s->next;
        http_stream_end(s->stream, true);
        mem_free(s);
        all->open--;
        gone = true;
    }
    if (gone)
        tell_viewers(all);
    pthread_mutex_unlock(&all->lock);
}

int live_streams_new(struct live *live, int max, struct live_streams **ret_streams, struct err *err)
{
    struct live_streams *s = mem_zalloc(sizeof *s);
    if (!s)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    s->live = live;
    s->max = max;
    must(pthread_mutex_init(&s->lock, NULL) == 0);
    live_watch(live, on_event, s);
    *ret_streams = s;
    return 0;
}

void live_streams_free(struct live_streams *s)
{
    if (!s)
        return;
    live_watch(s->live, NULL, NULL);
    while (s->list) {
        struct live_stream *one = s->list;
        s->list = one->next;
        http_stream_end(one->stream, true);
        mem_free(one);
    }
    pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

void api_live_stream(struct api_call *call)
{
    struct live_streams *all = call->api->live_streams;
    struct http_header h[API_HEADERS_MAX];
    struct live_stream *s;
    str service, at;
    if (!api_whole_workspace(call))
        return;
    s = mem_zalloc(sizeof *s);
    if (!s)
        api_reply_error(call->req, 503, "memory", "out of memory");
    if (!s || !api_param(call, STR("service"), &service) || !api_param(call, STR("at"), &at) ||
        !api_live_caller(call, &s->who)) {
        mem_free(s);
        return;
    }
    s->call = call;
    s->service = service;
    s->at = str_slice(at, 0, VIEWED_MAX);
    pthread_mutex_lock(&all->lock);
    bool full = all->open >= all->max;
    all->open += !full;
    pthread_mutex_unlock(&all->lock);
    if (full) {
        mem_free(s);
        api_reply_error(call->req, 429, "busy", "%d live streams are open already", all->max);
        return;
    }
    size_t n = api_headers(h, STR("text/event-stream"));
    // Without content-type and cache-control: those are the stream's own.
    s->stream = http_sse_begin(call->req, h + 2, n - 2);
    pthread_mutex_lock(&all->lock);
    if (s->stream) {
        s->next = all->list;
        all->list = s;
        tell_viewers(all);
    } else {
        all->open--;
    }
    pthread_mutex_unlock(&all->lock);
    if (!s->stream)
        mem_free(s);
}
