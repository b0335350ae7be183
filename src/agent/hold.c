// Captures that wait for the end of their trace (`keep: trace_error`, `trace_slow`): held in bounded memory until the server says what
// became of it. Only those that are kept take a hit and leave the host.
#include "agent/helper_internal.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/json_tree.h"
#include "base/mem.h"

#include <stdio.h>

enum { HOLD_MAX = 4096, HOLD_DEPTH = 64, ASK_MAX = 1024 };
#define HOLD_BYTES_MAX ((size_t)8 << 20)
#define HOLD_NS (75 * NS_PER_S) // the server has answered after a minute

struct held {
    struct held *next; // in the order of their coming
    uint8_t trace[16];
    int64_t since;
    uint64_t serial; // of the row
    int64_t revision;
    enum probe_keep keep;
    uint32_t keep_ms;
    bool asked;
    char probe[PROBE_ID_MAX + 1], process[48];
    size_t len;
    char json[];
};

enum fate { FATE_KEPT, FATE_LET_GO, FATE_LOST };

// Of the row's present revision: what an earlier one held is not among its counts.
static struct row *row_of(struct helper *h, const struct held *d)
{
    struct row *r = row_by_serial(h, d->serial);
    return r && r->revision == d->revision ? r : NULL;
}

// Takes it out of the list and settles it. *at: the link to it.
static void settle(struct helper *h, struct held **at, enum fate fate)
{
    struct held *d = *at;
    struct row *r = row_of(h, d);
    *at = d->next;
    if (!d->next)
        h->hold.end = at;
    h->hold.n--;
    h->hold.bytes -= d->len;
    if (r) {
        r->held -= r->held > 0;
        r->let_go += fate == FATE_LET_GO;
        r->lost_hold += fate == FATE_LOST;
        r->counts_dirty = true;
    }
    if (fate == FATE_KEPT)
        capture_deliver(h, r, d->serial, str_z(d->probe), str_z(d->process), str_of(d->json, d->len));
    mem_free(d);
}

static bool trace_of(str json, uint8_t ret[16])
{
    static const uint8_t none[16];
    char texts[1024];
    struct arena arena;
    struct json_reader r;
    str name, text;
    bool found = false;
    arena_init(&arena, sizeof texts);
    json_reader_init(&r, json, &arena, HOLD_DEPTH);
    int rc = json_object(&r);
    while (rc >= 0 && !found && (rc = json_member(&r, &name)) == 1) {
        if (str_eq(name, STR("trace"))) {
            found = json_text(&r, &text) == 0 && text.len == 32 && hex_decode(ret, text) && memcmp(ret, none, 16) != 0;
            break;
        }
        rc = json_peek(&r) == JSON_OBJECT || json_peek(&r) == JSON_ARRAY ? json_pass(&r) : json_skip(&r, NULL);
    }
    arena_free(&arena);
    return found;
}

void hold_add(struct target *t, struct row *r, const struct probe *p, str json)
{
    struct helper *h = t->h;
    uint8_t trace[16];
    r->counts_dirty = true;
    if (!trace_of(json, trace)) {
        r->let_go++;
        if (!r->first_error[0])
            snprintf(r->first_error, sizeof r->first_error,
                     "no trace is active here: nothing can say whether it failed");
        return;
    }
    while (h->hold.first && (h->hold.n >= HOLD_MAX || h->hold.bytes + json.len > HOLD_BYTES_MAX))
        settle(h, &h->hold.first, FATE_LOST);
    struct held *d = !h->full && json.len <= HOLD_BYTES_MAX && t->process.id.len < sizeof d->process
                         ? mem_alloc(sizeof *d + json.len)
                         : NULL;
    if (!d) {
        r->lost_hold++;
        return;
    }
    *d = (struct held){ .since = clock_mono_ns(),
                        .serial = r->serial,
                        .revision = r->revision,
                        .keep = p->keep,
                        .keep_ms = p->keep_ms,
                        .len = json.len };
    memcpy(d->trace, trace, sizeof trace);
    memcpy(d->probe, r->probe, sizeof d->probe);
    memcpy(d->process, t->process.id.ptr, t->process.id.len);
    memcpy(d->json, json.ptr, json.len);
    *h->hold.end = d;
    h->hold.end = &d->next;
    h->hold.n++;
    h->hold.bytes += json.len;
    r->held++;
}

void hold_tell(struct helper *h, bool again)
{
    struct buf b;
    struct json_writer w;
    const uint8_t *last = NULL;
    size_t n = 0;
    for (struct held *d = h->hold.first; d && again; d = d->next)
        d->asked = false; // all of them, for those beyond this message come with the next ticks
    if (!h->hold.first)
        return;
    buf_init(&b, CHANNEL_MESSAGE_MAX);
    message_begin(&w, &b, h, "traces");
    for (struct held *d = h->hold.first; d && n < ASK_MAX; d = d->next) {
        if (d->asked)
            continue;
        d->asked = true;
        if (last && memcmp(last, d->trace, sizeof d->trace) == 0 && d->keep == PROBE_KEEP_ERROR)
            continue;
        last = d->trace;
        json_put_object(&w);
        json_put_key(&w, STR("trace"));
        json_put_hex(&w, bytes_of(d->trace, sizeof d->trace));
        json_put_key(&w, STR("slow"));
        json_put_bool(&w, d->keep == PROBE_KEEP_SLOW);
        json_put_key(&w, STR("waited_ms"));
        json_put_int(&w, (clock_mono_ns() - d->since) / NS_PER_MS);
        json_put_object_end(&w);
        n++;
    }
    if (n)
        message_end(&w, h);
    buf_free(&b);
}

void hold_answer(struct helper *h, const struct json_node *m)
{
    for (const struct json_node *e = json_first_of(json_get(m, STR("traces")), JSON_ARRAY); e; e = e->next) {
        str id = json_get_text(e, STR("trace"));
        bool error = json_is(json_get(e, STR("error")), JSON_TRUE),
             ended = json_is(json_get(e, STR("ended")), JSON_TRUE),
             unknown = json_is(json_get(e, STR("unknown")), JSON_TRUE);
        uint8_t trace[16];
        int64_t ms = 0;
        if (id.len != 32 || !hex_decode(trace, id))
            continue;
        json_int_of(json_get(e, STR("ms")), &ms);
        for (struct held **at = &h->hold.first; *at;) {
            const struct held *d = *at;
            bool kept = d->keep == PROBE_KEEP_ERROR ? error : ended && ms >= d->keep_ms;
            if (memcmp(d->trace, trace, sizeof trace) != 0 || !(kept || ended || unknown))
                at = &(*at)->next;
            else
                settle(h, at, kept ? FATE_KEPT : unknown ? FATE_LOST : FATE_LET_GO);
        }
    }
}

void hold_expire(struct helper *h, bool all)
{
    int64_t now = clock_mono_ns();
    while (h->hold.first && (all || now - h->hold.first->since > HOLD_NS))
        settle(h, &h->hold.first, FATE_LOST);
}
