// Agents: their list, their enrolment, and the WebSocket that each of them holds open.
#include "api/api_internal.h"
#include "live/live.h"

#include "base/mem.h"
#include "base/must.h"
#include "base/numfmt.h"
#include "net/ws_server.h"
#include "os/pool.h"

enum { HOST_MAX = 255 };

void api_agents(struct api_call *call)
{
    struct buf body;
    struct json_writer w;
    if (!api_whole_workspace(call))
        return;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("agents"));
    json_put_array(&w);
    live_agents(call->api->options.live, &w);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

struct texts {
    str name, token, host;
};

static int read_name(void *ctx, str name, struct json_reader *r)
{
    struct texts *t = ctx;
    return str_eq(name, STR("name")) ? json_text(r, &t->name) : ERR_INVALID;
}

static int read_enrolment(void *ctx, str name, struct json_reader *r)
{
    struct texts *t = ctx;
    if (str_eq(name, STR("token")))
        return json_text(r, &t->token);
    return str_eq(name, STR("host")) ? json_text(r, &t->host) : ERR_INVALID;
}

static bool printable(str s, size_t max)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return false;
    return s.len > 0 && s.len <= max;
}

static void reply_two(struct api_call *call, int status, const char *key, str value, const char *key2, str value2)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, 4096);
    json_writer_init(&w, &body);
    json_put_object(&w);
    api_put_text(&w, str_z(key), value);
    api_put_text(&w, str_z(key2), value2);
    json_put_object_end(&w);
    api_reply_json_take(call->req, status, &body);
}

void api_agent_token(struct api_call *call)
{
    struct texts t = { 0 };
    char token[LIVE_SECRET_MAX], id[24], actor[META_NAME_MAX + 1];
    struct err err = { 0 };
    if (!api_whole_workspace(call) || !api_body_read(call, read_name, &t))
        return;
    if (!printable(t.name, META_NAME_MAX))
        api_reply_error(call->req, 400, "bad_name", "a name has 1 to %d printable characters", META_NAME_MAX);
    else if (live_token_add(call->api->options.live, api_actor(call, actor), t.name, token, id, &err) < 0)
        api_reply_err(call->req, &err);
    else
        reply_two(call, 201, "token", str_z(token), "id", str_z(id));
}

void api_agent_tokens(struct api_call *call)
{
    struct buf body;
    struct json_writer w;
    struct err err = { 0 };
    if (!api_whole_workspace(call))
        return;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("tokens"));
    json_put_array(&w);
    int r = live_tokens(call->api->options.live, &w, &err);
    json_put_array_end(&w);
    json_put_object_end(&w);
    if (r == 0) {
        api_reply_json_take(call->req, 200, &body);
        return;
    }
    buf_free(&body);
    api_reply_err(call->req, &err);
}

void api_agent_token_remove(struct api_call *call)
{
    char actor[META_NAME_MAX + 1];
    struct err err = { 0 };
    if (!api_whole_workspace(call))
        return;
    if (live_token_remove(call->api->options.live, api_actor(call, actor), call->params[0], &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

void api_agent_enrol(struct api_call *call)
{
    struct texts t = { 0 };
    char agent[24], secret[LIVE_SECRET_MAX];
    struct err err = { 0 };
    if (!api_body_read(call, read_enrolment, &t))
        return;
    if (!printable(t.host, HOST_MAX))
        api_reply_error(call->req, 400, "bad_name", "`host` is the name of the host");
    else if (live_enrol(call->api->options.live, t.token, t.host, agent, secret, &err) < 0)
        api_reply_err(call->req, &err);
    else
        reply_two(call, 201, "agent", str_z(agent), "secret", str_z(secret));
}

void api_agent_remove(struct api_call *call)
{
    char actor[META_NAME_MAX + 1];
    struct err err = { 0 };
    if (!api_whole_workspace(call))
        return;
    if (live_agent_remove(call->api->options.live, api_actor(call, actor), call->params[0], &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

// ---- the connection ----------------------------------------------------------------------------------------

struct queued {
    struct queued *next;
    size_t len;
    char text[];
};

// Messages arrive on the I/O thread and are taken by a worker, in their order, one agent by one worker at a time.
// Lock order: the room's, then this one's.
struct agent_connection {
    struct live_link *link;
    struct pool *pool;
    struct pool_job job;
    pthread_mutex_t lock;
    struct ws *ws; // NULL until it is accepted
    struct queued *first, **last;
    bool accepted, working, closed, close_wanted;
};

static void send_text(void *ctx, str message)
{
    struct agent_connection *c = ctx;
    pthread_mutex_lock(&c->lock);
    // What it misses it would never know: it comes again and is told the whole.
    if (c->ws && !c->closed && ws_send(c->ws, true, bytes_of_str(message)) == ERR_AGAIN)
        ws_close(c->ws, WS_TRY_LATER, STR("too slow"));
    pthread_mutex_unlock(&c->lock);
}

static void close_with(void *ctx, const char *code, const char *message)
{
    struct agent_connection *c = ctx;
    struct buf b;
    struct json_writer w;
    buf_init(&b, 1024);
    json_writer_init(&w, &b);
    json_put_object(&w);
    api_put_text(&w, STR("type"), STR("bye"));
    api_put_text(&w, STR("code"), str_z(code));
    api_put_text(&w, STR("message"), str_z(message));
    json_put_object_end(&w);
    pthread_mutex_lock(&c->lock);
    c->close_wanted = true;
    if (c->ws && !c->closed) {
        if (!b.error)
            ws_send(c->ws, true, bytes_of_str(buf_view(&b)));
        ws_close(c->ws, WS_POLICY, str_z(code));
    }
    pthread_mutex_unlock(&c->lock);
    buf_free(&b);
}

static void connection_free(struct agent_connection *c)
{
    if (c->ws)
        ws_release(c->ws);
    while (c->first) {
        struct queued *q = c->first;
        c->first = q->next;
        mem_free(q);
    }
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

// Messages until there are none; the last turn of a connection that has ended takes it away.
static void work(struct pool_job *job, int worker)
{
    struct agent_connection *c =
        (struct agent_connection *)(void *)((char *)job - offsetof(struct agent_connection, job));
    for (;;) {
        struct err err = { 0 };
        pthread_mutex_lock(&c->lock);
        struct queued *q = c->first;
        if (q) {
            c->first = q->next;
            if (!c->first)
                c->last = &c->first;
        } else if (!c->closed || !c->accepted) {
            c->working = false;
            ws_hold(c->ws, false);
        }
        bool over = !q && c->closed && c->accepted, wanted = c->close_wanted;
        pthread_mutex_unlock(&c->lock);
        if (over) {
            live_disconnect(c->link);
            connection_free(c);
            return;
        }
        if (!q)
            return;
        if (!wanted && live_message(c->link, str_of(q->text, q->len), &err) < 0)
            close_with(c, err.slug, err.message);
        mem_free(q);
    }
}

// With the lock, which it gives back.
static void go_on(struct agent_connection *c, bool any)
{
    bool start = any && !c->working;
    c->working |= start;
    pthread_mutex_unlock(&c->lock);
    if (!start)
        return;
    c->job.run = work;
    if (pool_submit_admitted(c->pool, &c->job) < 0)
        work(&c->job, 0); // the server stops, and no worker is left
}

static void on_message(struct ws *ws, bool text, bytes m, void *ctx)
{
    struct agent_connection *c = ctx;
    struct queued *q = mem_alloc(sizeof *q + m.len);
    if (!q || !text) {
        mem_free(q);
        ws_close(ws, text ? WS_TRY_LATER : WS_PROTOCOL_ERROR, text ? STR("out of memory") : STR("messages are texts"));
        return;
    }
    q->next = NULL;
    q->len = m.len;
    if (m.len)
        memcpy(q->text, m.ptr, m.len);
    pthread_mutex_lock(&c->lock);
    c->ws = ws;
    *c->last = q;
    c->last = &q->next;
    ws_hold(ws, true);
    go_on(c, true);
}

static void on_closed(struct ws *ws, uint16_t code, void *ctx)
{
    struct agent_connection *c = ctx;
    pthread_mutex_lock(&c->lock);
    c->ws = ws;
    c->closed = true;
    go_on(c, c->accepted);
}

void api_agent_connect(struct api_call *call)
{
    static const struct ws_handler handler = { .message = on_message, .closed = on_closed };
    struct ws_options o = { .message_max = LIVE_MESSAGE_MAX };
    str auth = http_request_header(call->req, STR("authorization"));
    struct err err = { 0 };
    struct ws *ws;
    if (!ws_wanted(call->req)) {
        api_reply_error(call->req, 400, "websocket", "this is a WebSocket: the request does not ask for one");
        return;
    }
    if (auth.len < 7 || !str_ieq(str_slice(auth, 0, 7), STR("bearer "))) {
        api_reply_error(call->req, 401, "unauthenticated", "an agent shows the secret of its enrolment");
        return;
    }
    struct agent_connection *c = mem_zalloc(sizeof *c);
    if (!c) {
        api_reply_error(call->req, 503, "memory", "out of memory");
        return;
    }
    must(pthread_mutex_init(&c->lock, NULL) == 0);
    c->last = &c->first;
    c->pool = call->api->options.live_pool;
    struct live_connection way = { .send = send_text, .close = close_with, .ctx = c };
    struct live_credentials who = { .secret = str_trim(str_slice(auth, 7, auth.len)),
                                    .machine = http_request_header(call->req, STR("clew-machine")) };
    uint64_t turn;
    if (parse_u64(http_request_header(call->req, STR("clew-turn")), &turn) && turn <= INT64_MAX)
        who.turn = (int64_t)turn;
    int r = live_connect(call->api->options.live, &who, &way, &c->link, &err);
    if (r < 0) {
        connection_free(c);
        if (strcmp(err.slug, "bad_secret") == 0)
            api_reply_error(call->req, 401, err.slug, "%s", err.message);
        else
            api_reply_err(call->req, &err);
        return;
    }
    r = ws_accept(call->req, &o, &handler, c, &ws);
    if (r < 0) {
        live_disconnect(c->link);
        connection_free(c);
        return;
    }
    // Messages may have come already, and it may have ended.
    pthread_mutex_lock(&c->lock);
    c->ws = ws;
    c->accepted = true;
    if (c->close_wanted && !c->closed)
        ws_close(ws, WS_POLICY, STR("refused"));
    go_on(c, c->closed);
}
