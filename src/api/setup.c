// GET /api/v1/setup: what somebody who connects a service wants to know: where to send, who has called, what has arrived,
// and what went wrong, in words. Out of the door's memory; asked again and again by the page.
#include "api/setup.h"

#include "base/clock.h"
#include "base/mem.h"
#include "ingest/admission.h"

#include <stdlib.h>

static const char *signal_name(int signal)
{
    static const char *const names[] = { "traces", "logs", "metrics" };
    return signal < 0 ? NULL : names[signal];
}

static void put_text(struct json_writer *w, str key, const char *text)
{
    if (!text || !text[0])
        return;
    json_put_key(w, key);
    json_put_str(w, str_z(text));
}

static void put_uint(struct json_writer *w, str key, uint64_t n)
{
    json_put_key(w, key);
    json_put_uint(w, n);
}

static void put_listening(struct json_writer *w, const struct api *a)
{
    json_put_key(w, STR("listening"));
    json_put_array(w);
    for (size_t i = 0; i < a->listeners_n; i++) {
        json_put_object(w);
        json_put_key(w, STR("address"));
        json_put_str(w, str_z(a->listeners[i].address));
        json_put_key(w, STR("takes"));
        json_put_str(w, a->listeners[i].tag == API_TAG_MAIN ? STR("all") : STR("otlp"));
        json_put_key(w, STR("tls"));
        json_put_bool(w, a->listeners[i].tls);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

// Nothing but this machine can reach it.
static bool only_loopback(const struct api *a)
{
    struct socket_address address;
    for (size_t i = 0; i < a->listeners_n; i++)
        if (socket_address_parse(str_z(a->listeners[i].address), &address, NULL) < 0 ||
            !socket_address_is_loopback(&address))
            return false;
    return true;
}

static void put_endpoint(struct json_writer *w, struct api_call *call, str here)
{
    bool loopback = only_loopback(call->api), named = admission_host_is_loopback(call->req->host);
    json_put_key(w, STR("endpoint"));
    json_put_object(w);
    json_put_key(w, STR("url"));
    json_put_str(w, here);
    json_put_key(w, STR("only_this_machine"));
    json_put_bool(w, loopback);
    json_put_key(w, STR("key_needed"));
    json_put_bool(w, !named);
    json_put_object_end(w);
}

static void put_who(struct json_writer *w, const struct door_entry *e)
{
    put_text(w, STR("peer"), e->peer);
    put_text(w, STR("agent"), e->agent);
    json_put_key(w, STR("first"));
    api_put_time(w, e->first_ns);
    json_put_key(w, STR("last"));
    api_put_time(w, e->last_ns);
    put_uint(w, STR("requests"), e->requests);
}

static const char *protocol_name(const struct door_entry *e)
{
    if (!e->method[0])
        return NULL;
    return e->is_grpc ? "grpc" : e->version == HTTP_2 ? "http/2" : "http/1.1";
}

static void put_arrived(struct json_writer *w, const struct door_entry *e)
{
    json_put_object(w);
    put_text(w, STR("signal"), e->signal < 0 ? "sentry" : signal_name(e->signal)); // envelopes hold all kinds
    put_text(w, STR("protocol"), protocol_name(e));
    put_uint(w, STR("port"), e->port);
    put_who(w, e);
    put_uint(w, STR("records"), e->records);
    json_put_key(w, STR("services"));
    json_put_array(w);
    for (int i = e->services_n; i-- > 0;) // newest first
        json_put_str(w, str_z(e->services[i]));
    json_put_array_end(w);
    if (e->has_skew) {
        json_put_key(w, STR("skew"));
        json_put_int(w, e->skew_ns);
    }
    json_put_object_end(w);
}

// Has the same client been let in since?
static bool is_current(const struct door_snapshot *s, const struct door_entry *e)
{
    for (size_t i = 0; i < DOOR_ENTRIES; i++) {
        const struct door_entry *o = &s->entries[i];
        bool same = strcmp(o->peer, e->peer) == 0 && (!e->method[0] || strcmp(o->agent, e->agent) == 0);
        if (o->key && o->outcome == DOOR_ACCEPTED && same && o->last_ns > e->last_ns)
            return false;
    }
    return true;
}

static void put_problem(struct json_writer *w, const struct door_entry *e, const char *slug,
                        const struct setup_words *words, bool current)
{
    json_put_object(w);
    put_text(w, STR("code"), slug);
    put_text(w, STR("title"), words->title);
    put_text(w, STR("text"), words->text);
    put_text(w, STR("fix"), words->fix);
    put_text(w, STR("paste"), words->paste);
    put_text(w, STR("signal"), signal_name(e->signal));
    put_text(w, STR("method"), e->method);
    put_text(w, STR("path"), e->path);
    put_text(w, STR("protocol"), protocol_name(e));
    put_uint(w, STR("port"), e->port);
    if (e->status)
        put_uint(w, STR("status"), (uint64_t)e->status);
    put_who(w, e);
    json_put_key(w, STR("current"));
    json_put_bool(w, current);
    json_put_object_end(w);
}

static void put_problems(struct json_writer *w, struct api_call *call, const struct door_snapshot *s, str here)
{
    struct setup_words words;
    json_put_key(w, STR("problems"));
    json_put_array(w);
    for (size_t i = 0; i < DOOR_ENTRIES; i++) {
        const struct door_entry *e = &s->entries[i];
        if (!e->key)
            continue;
        if (e->outcome != DOOR_ACCEPTED) {
            setup_words_refused(call, e, here, &words);
            put_problem(w, e, door_slug(e->outcome), &words, is_current(s, e));
            continue;
        }
        for (enum setup_oddity o = 0; o < SETUP_ODDITIES; o++)
            if (setup_is_odd(e, o)) {
                setup_words_odd(e, o, &words);
                put_problem(w, e, setup_odd_slug(o), &words, true);
            }
    }
    json_put_array_end(w);
}

static void put_recent(struct json_writer *w, const struct door_snapshot *s)
{
    json_put_key(w, STR("recent"));
    json_put_array(w);
    for (size_t i = 0; i < s->recent_n; i++) {
        const struct door_recent *r = &s->recent[i];
        json_put_object(w);
        json_put_key(w, STR("time"));
        api_put_time(w, r->time_ns);
        put_text(w, STR("code"), door_slug(r->outcome));
        if (r->status)
            put_uint(w, STR("status"), (uint64_t)r->status);
        put_text(w, STR("method"), r->method);
        put_text(w, STR("path"), r->path);
        put_text(w, STR("peer"), r->peer);
        put_text(w, STR("agent"), r->agent);
        put_uint(w, STR("repeats"), r->repeats);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

// Newest first: what the reader's own attempt has done stands on top.
static int by_last(const void *a, const void *b)
{
    const struct door_entry *x = a, *y = b;
    return (x->last_ns < y->last_ns) - (x->last_ns > y->last_ns);
}

static void put_setup(struct json_writer *w, struct api_call *call, struct door_snapshot *s)
{
    str here = arena_printf(&call->req->arena, "%.*s://%.*s", STR_ARG(call->req->scheme), STR_ARG(call->req->host));
    qsort(s->entries, DOOR_ENTRIES, sizeof s->entries[0], by_last);
    json_put_object(w);
    json_put_key(w, STR("since"));
    api_put_time(w, s->since_ns);
    json_put_key(w, STR("now"));
    api_put_time(w, clock_unix_ns());
    put_listening(w, call->api);
    put_endpoint(w, call, here);
    put_uint(w, STR("requests"), s->requests);
    json_put_key(w, STR("arrived"));
    json_put_array(w);
    for (size_t i = 0; i < DOOR_ENTRIES; i++)
        if (s->entries[i].key && s->entries[i].outcome == DOOR_ACCEPTED)
            put_arrived(w, &s->entries[i]);
    json_put_array_end(w);
    put_problems(w, call, s, here);
    put_recent(w, s);
    json_put_object_end(w);
}

void api_setup(struct api_call *call)
{
    struct buf body;
    struct json_writer w;
    if (!api_whole_workspace(call))
        return;
    struct door_snapshot *s = mem_alloc(sizeof *s);
    if (!s) {
        api_reply_error(call->req, 503, "memory", "out of memory");
        return;
    }
    door_snapshot(ingest_door(call->api->options.ingest), s);
    buf_init(&body, 4 << 20);
    json_writer_init(&w, &body);
    put_setup(&w, call, s);
    mem_free(s);
    api_reply_json_take(call->req, 200, &body);
}
