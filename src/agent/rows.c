// What is known of each probe in each process, and what of it was told: states, counts, captures.
#include "agent/helper_internal.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>

bool row_room(const struct target *t) { return t->rows_n < ROWS_MAX && t->h->rows_n < ROWS_ALL_MAX; }

struct row *row_get(struct target *t, str probe, bool make)
{
    if (probe.len > PROBE_ID_MAX)
        return NULL;
    for (struct row *r = t->rows; r; r = r->next)
        if (str_eq(str_z(r->probe), probe))
            return r;
    if (!make)
        return NULL;
    struct row *r = row_room(t) ? mem_zalloc(sizeof *r) : NULL;
    if (!r && !t->h->rows_full)
        log_warn("agent",
                 "there are more probes in more processes than are kept account of: some wait, and have no state");
    if (!r) {
        t->h->rows_full = true; // said once
        return NULL;
    }
    memcpy(r->probe, probe.ptr, probe.len);
    r->serial = ++t->h->serial;
    buf_init(&r->json, 256 << 10);
    r->next = t->rows;
    t->rows = r;
    t->rows_n++;
    t->h->rows_n++;
    return r;
}

void row_free(struct target *t, struct row *r)
{
    t->rows_n--;
    t->h->rows_n--;
    buf_free(&r->json);
    mem_free(r);
}

static void put(struct json_writer *w, str key, str text)
{
    if (!text.len)
        return;
    json_put_key(w, key);
    json_put_str(w, text);
}

void row_state(struct target *t, const struct backend_state *s)
{
    struct row *r = row_get(t, s->probe, true);
    struct json_writer w;
    if (!r)
        return;
    if (r->revision != s->revision) { // counted from the new one's installation
        r->counts = (struct probe_counts){ 0 };
        r->lost_spool = r->lost_grant = r->held = r->let_go = r->lost_hold = 0;
        r->first_error[0] = 0;
        r->revision = s->revision;
    }
    buf_clear(&r->json);
    json_writer_init(&w, &r->json);
    json_put_object(&w);
    put(&w, STR("probe"), s->probe);
    json_put_key(&w, STR("revision"));
    json_put_int(&w, s->revision);
    put(&w, STR("process"), t->process.id);
    put(&w, STR("state"), s->state);
    put(&w, STR("code"), s->code);
    put(&w, STR("message"), s->message);
    if (s->data.len) {
        json_put_key(&w, STR("data"));
        json_put_raw(&w, s->data);
    }
    put(&w, STR("file"), s->file);
    if (s->line) {
        json_put_key(&w, STR("line"));
        json_put_int(&w, s->line);
    }
    json_put_object_end(&w);
    r->states_dirty = !r->json.error;
    if (!timer_is_set(&t->h->flush)) // changes that come together are told together
        loop_timer_set(t->h->loop, &t->h->flush, 5);
}

void row_state_of(struct target *t, const struct probe *p, const char *state, const struct err *err)
{
    row_state(t, &(struct backend_state){ .probe = p->id,
                                          .revision = p->revision,
                                          .state = str_z(state),
                                          .code = err ? str_z(err->slug) : (str){ 0 },
                                          .message = err ? str_z(err->message) : (str){ 0 } });
}

static void put_counts(struct json_writer *w, const struct target *t, const struct row *r)
{
    const struct probe_counts *c = &r->counts;
    // What is held is neither yet; what was let go, a trace said no to. (A capture comes before the count that it is in.)
    uint64_t unsent = r->held + r->let_go + r->lost_hold;
    const struct {
        const char *key;
        uint64_t n;
    } plain[] = { { "hits", c->hits },
                  { "filtered", c->filtered + r->let_go },
                  { "captured", c->captured > unsent ? c->captured - unsent : 0 },
                  { "errors", c->errors },
                  { "ns", c->ns } },
      dropped[] = { { "rate", c->dropped.rate },
                    { "ring", c->dropped.ring + r->lost_hold },
                    { "spool", c->dropped.spool + r->lost_spool },
                    { "budget", c->dropped.budget },
                    { "grant", c->dropped.grant + r->lost_grant } };
    json_put_object(w);
    put(w, STR("probe"), str_z(r->probe));
    put(w, STR("process"), t->process.id);
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        json_put_key(w, str_z(plain[i].key));
        json_put_uint(w, plain[i].n);
    }
    json_put_key(w, STR("dropped"));
    json_put_object(w);
    for (size_t i = 0; i < sizeof dropped / sizeof dropped[0]; i++) {
        json_put_key(w, str_z(dropped[i].key));
        json_put_uint(w, dropped[i].n);
    }
    json_put_object_end(w);
    put(w, STR("first_error"), str_z(r->first_error));
    json_put_object_end(w);
}

void message_begin(struct json_writer *w, struct buf *b, const struct helper *h, const char *type)
{
    buf_clear(b);
    json_writer_init(w, b);
    json_put_object(w);
    put(w, STR("type"), str_z(type));
    if (str_eq(str_z(type), STR("states"))) {
        json_put_key(w, STR("revision"));
        json_put_int(w, h->desired.revision);
    }
    json_put_key(w, str_z(type));
    json_put_array(w);
}

bool message_end(struct json_writer *w, struct helper *h)
{
    json_put_array_end(w);
    json_put_object_end(w);
    return !w->out->error && channel_send(&h->channel, CHANNEL_JSON, buf_bytes(w->out), (bytes){ 0 }) == 0;
}

// One message of what has changed; false: nothing had, or it cannot be told now.
static bool tell(struct helper *h, const char *type, bool counts)
{
    struct buf b;
    struct json_writer w;
    bool any = false;
    buf_init(&b, CHANNEL_MESSAGE_MAX);
    message_begin(&w, &b, h, type);
    for (struct target *t = h->targets; t; t = t->next)
        for (struct row *r = t->rows; r && b.len < HELPER_SOFT_QUEUE; r = r->next) {
            bool *dirty = counts ? &r->counts_dirty : &r->states_dirty;
            if (!*dirty)
                continue;
            *dirty = false;
            any = true;
            if (counts)
                put_counts(&w, t, r);
            else
                json_put_raw(&w, buf_view(&r->json));
        }
    if (any)
        any = message_end(&w, h);
    buf_free(&b);
    return any;
}

void rows_tell(struct helper *h, bool all)
{
    for (struct target *t = h->targets; t && all; t = t->next)
        for (struct row *r = t->rows; r; r = r->next) {
            r->states_dirty = r->json.len > 0;
            r->counts_dirty = r->counts.hits > 0;
        }
    while (channel_queued(&h->channel) < HELPER_SOFT_QUEUE && tell(h, "states", false)) {}
    while (channel_queued(&h->channel) < HELPER_SOFT_QUEUE && tell(h, "counts", true)) {}
}

void on_event_counts(void *ctx, str probe, const struct probe_counts *c)
{
    struct row *r = row_get(ctx, probe, false);
    if (!r)
        return;
    r->counts = *c;
    r->counts.first_error = (str){ 0 };
    if (!r->first_error[0] && c->first_error.len)
        snprintf(r->first_error, sizeof r->first_error, "%.*s", STR_ARG(c->first_error));
    r->counts_dirty = true;
}

// With its id and process, to the spool. False: it was lost there.
static bool send_capture(struct helper *h, uint64_t serial, str process, str json)
{
    char id[SPOOL_ID_ROOM], head[256];
    int id_n = snprintf(id + 1, sizeof id - 1, "%s-%llu-%llu", h->run, (unsigned long long)serial,
                        (unsigned long long)++h->captures);
    int head_n = snprintf(head, sizeof head, "{\"id\":\"%s\",\"process\":\"%.*s\"%s", id + 1, STR_ARG(process),
                          json.ptr[1] == '}' ? "" : ",");
    id[0] = (char)id_n;
    struct buf first;
    buf_init(&first, sizeof id + sizeof head);
    buf_append(&first, id, (size_t)id_n + 1);
    buf_append(&first, head, (size_t)head_n);
    bool sent =
        !first.error && !h->full &&
        channel_send(&h->channel, CHANNEL_CAPTURE, buf_bytes(&first), bytes_of(json.ptr + 1, json.len - 1)) == 0;
    buf_free(&first);
    return sent;
}

void capture_deliver(struct helper *h, struct row *r, uint64_t serial, str probe, str process, str json)
{
    struct wish *wish = desired_find(h, probe);
    bool granted = wish && wish->remaining; // what the server has not granted is somebody else's hit
    bool sent = granted && send_capture(h, serial, process, json);
    if (granted)
        wish->remaining -= sent;
    if (r) {
        r->lost_grant += !granted;
        r->lost_spool += granted && !sent;
        r->counts_dirty |= !sent;
    }
}

static bool is_object(str json) { return json.len >= 2 && json.ptr[0] == '{'; }

void on_event_capture(void *ctx, str probe, str json)
{
    struct target *t = ctx;
    struct row *r = row_get(t, probe, false);
    const struct wish *wish = r ? desired_find(t->h, probe) : NULL;
    if (!r || !is_object(json))
        return;
    if (wish && wish->probe.keep != PROBE_KEEP_ALWAYS)
        hold_add(t, r, &wish->probe, json);
    else
        capture_deliver(t->h, r, r->serial, probe, t->process.id, json);
}

void on_event_figures(void *ctx, str probe, str json)
{
    struct target *t = ctx;
    struct row *r = row_get(t, probe, false);
    if (r && is_object(json) && !send_capture(t->h, r->serial, t->process.id, json)) {
        r->lost_spool++;
        r->counts_dirty = true;
    }
}

struct row *row_by_serial(struct helper *h, uint64_t serial)
{
    for (struct target *t = h->targets; t; t = t->next)
        for (struct row *r = t->rows; r; r = r->next)
            if (r->serial == serial)
                return r;
    return NULL;
}

// RUN-SERIAL-N
void row_lost(struct helper *h, str id)
{
    ptrdiff_t dash = str_find_char(id, '-', 0);
    char number[24] = "";
    if (dash < 0 || !str_eq(str_slice(id, 0, (size_t)dash), str_z(h->run)))
        return;
    str rest = str_slice(id, (size_t)dash + 1, id.len);
    snprintf(number, sizeof number, "%.*s", STR_ARG(rest));
    uint64_t serial = strtoull(number, NULL, 10);
    struct row *r = row_by_serial(h, serial);
    if (r) {
        r->lost_spool++;
        r->counts_dirty = true;
    }
}
