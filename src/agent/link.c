#include "agent/link.h"
#include "agent/channel.h"
#include "agent/helper.h"
#include "agent/machine.h"
#include "agent/spool.h"
#include "base/clock.h"
#include "base/json_tree.h"
#include "base/log.h"
#include "base/must.h"
#include "net/ws_client.h"
#include "probe/probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    TICK_MS = 1000,
    SILENCE_S = 45,    // without a word of the server: it is gone
    HEARTBEAT_S = 15,  // at most: the server may want them more often
    BACKOFF_MS = 1000, // first; doubled up to a minute
    BACKOFF_MAX_MS = 60000,
    WS_QUEUE = 8 << 20,
    WS_HIGH = 1 << 20, // the helper waits when more is on its way
    BATCH_BYTES = 512 << 10,
    UNDER_WAY_MAX = 256,
    ACK_ARENA = 1 << 20,
};
_Static_assert((int)PROBE_SET_BYTES_MAX <= (int)CHANNEL_MESSAGE_MAX, "a server's set reaches the helper");

struct link {
    const struct link_options *o;
    struct loop *loop;
    struct channel channel;
    struct disk *disk;
    struct spool *spool;
    struct ws_client *ws;
    struct loop_watch watch;
    struct timer tick, retry;
    bool welcome, listed; // listed: the server knows the processes, which captures name
    unsigned failures;
    uint64_t turn;
    int64_t heard_ns, beat_ns, heartbeat_s, lease_s; // lease_s: of the server
    uint64_t helper_ppm, helper_rss, attached, processes, lost;
    char last_error[384], farewell[384]; // farewell: why the server ends the connection
};

static void on_ready(struct loop_watch *w, uint32_t events);

static void write_status(struct link *l)
{
    struct buf b;
    struct json_writer w;
    int file;
    buf_init(&b, 8192);
    json_writer_init(&w, &b);
    const struct {
        const char *key, *text;
    } texts[] = { { "server", l->o->identity->server },
                  { "agent", l->o->identity->agent },
                  { "sandbox", l->o->sandbox },
                  { "error", l->ws ? "" : l->last_error } };
    const struct {
        const char *key;
        uint64_t n;
    } numbers[] = { { "processes", l->processes },
                    { "attached", l->attached },
                    { "cpu_ppm", l->helper_ppm },
                    { "rss", l->helper_rss },
                    { "spool_records", spool_waiting(l->spool) },
                    { "spool_bytes", spool_bytes(l->spool) },
                    { "lost", l->lost } };
    json_put_object(&w);
    json_put_key(&w, STR("connected"));
    json_put_bool(&w, l->welcome);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_put_key(&w, str_z(texts[i].key));
        json_put_str(&w, str_z(texts[i].text));
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        json_put_key(&w, str_z(numbers[i].key));
        json_put_uint(&w, numbers[i].n);
    }
    json_put_object_end(&w);
    if (!b.error && disk_open(l->disk, "status.new", DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &file) == 0) {
        int rc = disk_write(l->disk, file, b.ptr, b.len, 0);
        disk_close(l->disk, file);
        if (rc == 0)
            disk_rename(l->disk, "status.new", "status.json");
    }
    buf_free(&b);
}

// --- the connection ---

static void again_later(struct link *l)
{
    uint16_t dice = 0;
    int64_t ms = BACKOFF_MS << (l->failures < 6 ? l->failures : 6);
    if (ms > BACKOFF_MAX_MS)
        ms = BACKOFF_MAX_MS;
    l->failures++;
    if (getrandom(&dice, sizeof dice, 0) != sizeof dice)
        dice = 0x8000;
    loop_timer_set(l->loop, &l->retry, ms / 2 + ms * dice / 0x10000); // half to one and a half: not all hosts at once
}

static void disconnect(struct link *l, const char *why)
{
    if (!l->ws)
        return;
    log_info("agent", "the connection to the server is over: %s", why);
    snprintf(l->last_error, sizeof l->last_error, "%s", why);
    loop_watch_remove(l->loop, &l->watch);
    l->watch.fd = -1;
    ws_client_close(l->ws, WS_GOING_AWAY, (str){ 0 });
    l->ws = NULL;
    l->welcome = l->listed = false;
    channel_hold(&l->channel, false);
    again_later(l);
    write_status(l);
}

static void watch_again(struct link *l)
{
    if (!l->ws)
        return;
    loop_watch_change(l->loop, &l->watch, ws_client_events(l->ws));
    channel_hold(&l->channel, ws_client_queued(l->ws) > WS_HIGH);
}

static bool send_text(struct link *l, str text)
{
    if (!l->ws)
        return false;
    if (ws_client_send(l->ws, true, bytes_of_str(text)) < 0) {
        disconnect(l, "it takes nothing");
        return false;
    }
    watch_again(l);
    return true;
}

static void put(struct json_writer *w, const char *key, const char *text)
{
    json_put_key(w, str_z(key));
    json_put_str(w, str_z(text));
}

static void send_hello(struct link *l)
{
    struct utsname u = { 0 };
    struct buf b;
    struct json_writer w;
    uname(&u);
    buf_init(&b, 16 << 10);
    json_writer_init(&w, &b);
    json_put_object(&w);
    put(&w, "type", "hello");
    json_put_key(&w, STR("protocol"));
    json_put_int(&w, 1);
    json_put_key(&w, STR("host"));
    json_put_object(&w);
    put(&w, "name", u.nodename);
    put(&w, "os", "linux");
    put(&w, "kernel", u.release);
    put(&w, "arch", u.machine);
    json_put_object_end(&w);
    json_put_key(&w, STR("agent"));
    json_put_object(&w);
    put(&w, "version", l->o->version);
    json_put_key(&w, STR("pid"));
    json_put_int(&w, getppid());
    json_put_object_end(&w);
    json_put_key(&w, STR("policy"));
    json_put_object(&w);
    json_put_key(&w, STR("shapes"));
    json_put_bool(&w, l->o->shapes);
    json_put_key(&w, STR("patch"));
    json_put_bool(&w, false);
    json_put_object_end(&w);
    json_put_key(&w, STR("runtimes"));
    json_put_array(&w);
    for (const struct backend *const *p = l->o->backends; *p; p++)
        json_put_str(&w, str_z((*p)->runtime));
    json_put_array_end(&w);
    json_put_key(&w, STR("revision"));
    json_put_int(&w, 0);
    json_put_object_end(&w);
    send_text(l, buf_view(&b));
    buf_free(&b);
}

// What the server says of an agent's key it says in a status.
static void explain(struct err *err)
{
    if (strcmp(err->slug, "status_401") == 0)
        err_set(
            err, ERR_DENIED, err->slug,
            "the server refuses the connection (401): it does not know this host's key, or not any more (`clew agents "
            "token` on the server makes a token to enrol this host anew)");
    else if (strcmp(err->slug, "status_403") == 0)
        err_set(err, ERR_DENIED, err->slug,
                "the server refuses the connection: this host's key belongs to another machine (enrol this one anew)");
    else if (strcmp(err->slug, "status_409") == 0)
        err_set(err, ERR_DENIED, err->slug,
                "the server refuses the connection: another one with this host's key is open, or came after this state "
                "was saved (where the "
                "key was copied: remove the agent there and enrol this host anew)");
}

static void on_ready(struct loop_watch *w, uint32_t events);

static void on_retry(struct timer *t)
{
    struct link *l = OS_CONTAINER(t, struct link, retry);
    const struct link_identity *id = l->o->identity;
    struct net_client *http;
    struct err err = { 0 };
    char bearer[LINK_SECRET_MAX + 16], turn[24];
    snprintf(bearer, sizeof bearer, "Bearer %s", id->secret);
    l->turn = turn_next(l->disk, l->turn);
    snprintf(turn, sizeof turn, "%llu", (unsigned long long)l->turn);
    int rc = net_client_new(str_z(id->server),
                            &(struct net_client_options){
                                .plain_loopback_only = true, .silence_ms = 10000, .pin = id->pinned ? id->pin : NULL },
                            &http, &err);
    if (rc == 0) {
        net_client_header(http, STR("Authorization"), str_z(bearer));
        net_client_header(http, STR("Clew-Turn"), str_z(turn));
        if (l->o->machine[0])
            net_client_header(http, STR("Clew-Machine"), str_z(l->o->machine));
        rc = ws_client_open(http, STR("/api/v1/agents/connect"),
                            &(struct ws_client_options){ .message_max = CHANNEL_MESSAGE_MAX, .queue_max = WS_QUEUE },
                            &l->ws, &err);
    }
    if (rc < 0) {
        l->ws = NULL;
        explain(&err);
        if (strcmp(l->last_error, err.message) != 0)
            log_warn("agent", "%s", err.message); // once, not at each attempt
        snprintf(l->last_error, sizeof l->last_error, "%s", err.message);
        again_later(l);
        write_status(l);
        return;
    }
    l->farewell[0] = 0;
    l->heard_ns = clock_mono_ns();
    l->watch = (struct loop_watch){ ws_client_fd(l->ws), EPOLLIN, on_ready };
    if (loop_watch_add(l->loop, &l->watch) < 0) {
        disconnect(l, "it cannot be watched");
        return;
    }
    send_hello(l);
    on_ready(&l->watch, EPOLLIN); // what came together with the handshake's answer is read already
}

// --- captures ---

static void send_captures(struct link *l)
{
    while (l->listed && l->ws && ws_client_queued(l->ws) < WS_HIGH && spool_under_way(l->spool) < UNDER_WAY_MAX) {
        struct buf b;
        int n = 0;
        buf_init(&b, BATCH_BYTES + SPOOL_RECORD_MAX + 64);
        buf_str(&b, STR("{\"type\":\"captures\",\"captures\":["));
        while (b.len < BATCH_BYTES) {
            size_t before = b.len;
            if (n)
                buf_byte(&b, ',');
            if (spool_next(l->spool, &b) != 1) {
                b.len = before;
                break;
            }
            n++;
        }
        buf_str(&b, STR("]}"));
        bool sent = n && !b.error && send_text(l, buf_view(&b));
        if (b.error)
            spool_again(l->spool); // no memory for it now: with the next tick
        buf_free(&b);
        if (!sent)
            return;
    }
}

static void take_capture(struct link *l, bytes m)
{
    if (m.len < 2 || m.ptr[0] == 0 || m.ptr[0] > SPOOL_ID_MAX || m.len <= (size_t)m.ptr[0] + 1)
        return;
    str id = str_of(m.ptr + 1, m.ptr[0]);
    if (spool_add(l->spool, id, bytes_of(m.ptr + 1 + id.len, m.len - 1 - id.len)) < 0) {
        l->lost++;
        channel_send(&l->channel, CHANNEL_LOST, bytes_of_str(id), (bytes){ 0 });
    }
}

static void on_channel(struct channel *c, uint8_t kind, bytes m)
{
    struct link *l = OS_CONTAINER(c, struct link, channel);
    if (kind == CHANNEL_CAPTURE) {
        take_capture(l, m);
        send_captures(l);
    } else if (kind == CHANNEL_JSON && l->welcome) {
        // Without a connection it is told anew after the next one.
        if (send_text(l, str_of_bytes(m)) && str_starts(str_of_bytes(m), STR("{\"type\":\"processes\""))) {
            l->listed = true;
            send_captures(l);
        }
    } else if (kind == CHANNEL_STATUS && m.len == 32) {
        l->helper_ppm = le64_get(m.ptr);
        l->helper_rss = le64_get(m.ptr + 8);
        l->attached = le64_get(m.ptr + 16);
        l->processes = le64_get(m.ptr + 24);
        write_status(l);
    }
}

static void on_channel_closed(struct channel *c) { loop_stop(OS_CONTAINER(c, struct link, channel)->loop); }

// --- what the server says ---

static int64_t seconds_of(const struct json_node *root, str name, int64_t most)
{
    int64_t n = 0;
    return json_int_of(json_get(root, name), &n) && n > 0 && n < most ? n : most;
}

static void tell_contact(struct link *l)
{
    uint8_t lease[8];
    le64_put(lease, (uint64_t)l->lease_s * 1000);
    channel_send(&l->channel, CHANNEL_CONTACT, (bytes){ lease, sizeof lease }, (bytes){ 0 });
}

static void on_text(struct link *l, str text)
{
    struct arena arena;
    const struct json_node *root;
    static const str helper[] = { STR_INIT("{\"type\":\"desired\""), STR_INIT("{\"type\":\"grant\""),
                                  STR_INIT("{\"type\":\"resolve\""), STR_INIT("{\"type\":\"traces\"") };
    for (size_t i = 0; i < sizeof helper / sizeof helper[0]; i++)
        if (str_starts(text, helper[i])) {
            if (channel_send(&l->channel, CHANNEL_JSON, bytes_of_str(text), (bytes){ 0 }) < 0)
                disconnect(l, "the helper takes no more of what the server says");
            return;
        }
    arena_init(&arena, ACK_ARENA);
    if (json_tree_read(text, &arena, 8, &root, NULL) == 0) {
        str type = json_get_text(root, STR("type"));
        if (str_eq(type, STR("welcome"))) {
            log_info("agent", "connected to %s", l->o->identity->server);
            l->welcome = true;
            l->heartbeat_s = seconds_of(root, STR("heartbeat_s"), HEARTBEAT_S);
            l->lease_s = seconds_of(root, STR("lease_s"), HELPER_LEASE_MS / 1000);
            l->failures = 0;
            spool_again(l->spool);
            channel_send(&l->channel, CHANNEL_SYNC, (bytes){ 0 }, (bytes){ 0 });
            write_status(l);
        } else if (str_eq(type, STR("ack"))) {
            for (const struct json_node *id = json_first_of(json_get(root, STR("ids")), JSON_ARRAY); id; id = id->next)
                spool_ack(l->spool, json_text_of(id));
        } else if (str_eq(type, STR("bye"))) {
            str message = json_get_text(root, STR("message"));
            snprintf(l->farewell, sizeof l->farewell, "%.*s", (int)(message.len < 300 ? message.len : 300),
                     message.ptr);
        } else { // written with its members in another order, perhaps
            channel_send(&l->channel, CHANNEL_JSON, bytes_of_str(text), (bytes){ 0 });
        }
    }
    arena_free(&arena);
}

static void on_ready(struct loop_watch *w, uint32_t events)
{
    struct link *l = OS_CONTAINER(w, struct link, watch);
    struct ws_event e;
    struct err err = { 0 };
    int rc;
    while (l->ws && (rc = ws_client_next(l->ws, &e, &err)) != 0) {
        if (rc < 0 || e.what == WS_CLOSE) {
            disconnect(l, l->farewell[0] ? l->farewell : rc < 0 ? err.message : "the server said goodbye");
            return;
        }
        l->heard_ns = clock_mono_ns();
        if (e.what == WS_TEXT)
            on_text(l, str_of_bytes(e.data));
        if (l->welcome)
            tell_contact(l);
    }
    send_captures(l);
    watch_again(l);
}

static void heartbeat(struct link *l)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, 1024);
    json_writer_init(&w, &b);
    json_put_object(&w);
    put(&w, "type", "status");
    json_put_key(&w, STR("cpu_ratio"));
    json_put_double(&w, (double)l->helper_ppm / 1e6);
    json_put_key(&w, STR("rss"));
    json_put_uint(&w, l->helper_rss);
    json_put_key(&w, STR("spool_bytes"));
    json_put_uint(&w, spool_bytes(l->spool));
    json_put_key(&w, STR("attached"));
    json_put_uint(&w, l->attached);
    json_put_object_end(&w);
    if (send_text(l, buf_view(&b)))
        ws_client_ping(l->ws); // its answer is what the lease lives on
    buf_free(&b);
    watch_again(l);
}

static void on_tick(struct timer *t)
{
    struct link *l = OS_CONTAINER(t, struct link, tick);
    int64_t now = clock_mono_ns();
    if (l->ws && now - l->heard_ns > SILENCE_S * NS_PER_S)
        disconnect(l, "it is silent");
    if (l->welcome && now - l->beat_ns >= l->heartbeat_s * NS_PER_S) {
        l->beat_ns = now;
        heartbeat(l);
    }
    send_captures(l);
    loop_timer_set(l->loop, t, TICK_MS);
}

int link_run(int fd, const struct link_options *o)
{
    struct link l = { .o = o };
    struct err err = { 0 };
    l.watch.fd = l.channel.watch.fd = -1;
    l.tick.fn = on_tick;
    l.retry.fn = on_retry;
    l.disk = o->disk;
    int rc = spool_open(l.disk, SPOOL_BYTES_MAX, &l.spool, &err);
    if (rc == 0)
        rc = loop_new(&l.loop);
    if (rc == 0)
        rc = channel_open(&l.channel, l.loop, fd, on_channel, on_channel_closed);
    if (rc == 0) {
        loop_timer_set(l.loop, &l.tick, TICK_MS);
        loop_timer_set(l.loop, &l.retry, 0);
        rc = loop_run(l.loop);
        if (l.ws) {
            loop_watch_remove(l.loop, &l.watch);
            ws_client_close(l.ws, WS_GOING_AWAY, (str){ 0 });
        }
        loop_timer_clear(l.loop, &l.tick);
        loop_timer_clear(l.loop, &l.retry);
        channel_close(&l.channel);
    } else {
        log_error("agent", "%s", err.message[0] ? err.message : err_text(rc));
    }
    spool_close(l.spool);
    if (l.loop)
        loop_free(l.loop);
    return rc;
}
