// What a probe has captured, as a record: a snapshot, or the line of a logpoint.
#include "base/hex.h"
#include "base/numfmt.h"
#include "base/timefmt.h"
#include "live/event.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

enum { ATTRS_MAX = 32, CUTS_MAX = 16, VALUE_BYTES_MAX = 4 << 20, COLUMNS_MAX = 6, COLUMNS_FEW = 2, COLUMN_TEXT = 120 };

void capture_hash(int64_t agent, str id, uint8_t out[16])
{
    uint8_t key[8];
    le64_put(key, (uint64_t)agent);
    crypto_generichash_state s;
    crypto_generichash_init(&s, NULL, 0, 16);
    crypto_generichash_update(&s, key, sizeof key);
    crypto_generichash_update(&s, (const uint8_t *)id.ptr, id.len);
    crypto_generichash_final(&s, out, 16);
}

// ---- values ----------------------------------------------------------------------------------------------

struct cuts { // reasons for what is missing, each once
    str words[CUTS_MAX];
    size_t n;
};

static void cut_add(struct cuts *c, str word)
{
    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->words[i], word))
            return;
    if (word.len && word.len <= 32 && c->n < CUTS_MAX)
        c->words[c->n++] = word;
}

static void encode(struct buf *b, const struct json_node *v, unsigned depth, struct cuts *cuts);

static void encode_scalar(struct buf *b, const struct json_node *n)
{
    struct value v = { .type = VALUE_NULL };
    if (json_is(n, JSON_STRING))
        v = value_str(n->text);
    else if (json_is(n, JSON_TRUE) || json_is(n, JSON_FALSE))
        v = value_bool(n->type == JSON_TRUE);
    else if (json_is(n, JSON_NUMBER) && json_number_int(n->text, &v.i))
        v.type = VALUE_INT;
    else if (json_is(n, JSON_NUMBER) && json_number_double(n->text, &v.d))
        v.type = VALUE_DOUBLE;
    value_encode(b, &v);
}

// A number of a float is one also where it is whole.
static void encode_float(struct buf *b, const struct json_node *n)
{
    struct value v = { .type = VALUE_DOUBLE };
    if (json_is(n, JSON_NUMBER) && json_number_double(n->text, &v.d))
        value_encode(b, &v);
    else
        encode_scalar(b, n);
}

static str key_text(const struct json_node *key, char out[32])
{
    const struct json_node *v = json_get(key, STR("v"));
    if (json_is(v, JSON_STRING) || json_is(v, JSON_NUMBER))
        return v->text;
    if (json_is(v, JSON_TRUE))
        return STR("true");
    return json_is(v, JSON_FALSE) ? STR("false") : json_get_text(key, STR("t"));
}

// Pairs [key, value]; of a dict the key is a VALUE, of an object a text.
static void encode_pairs(struct buf *b, const struct json_node *list, unsigned depth, struct cuts *cuts)
{
    uint64_t n = 0;
    char text[32];
    for (const struct json_node *p = json_first_of(list, JSON_ARRAY); p; p = p->next)
        n += p->type == JSON_ARRAY && p->n == 2;
    buf_byte(b, VALUE_MAP);
    buf_varint(b, n);
    for (const struct json_node *p = json_first_of(list, JSON_ARRAY); p; p = p->next) {
        if (p->type != JSON_ARRAY || p->n != 2)
            continue;
        str key = p->first->type == JSON_STRING ? p->first->text : key_text(p->first, text);
        buf_varint(b, key.len);
        buf_str(b, key);
        encode(b, p->first->next, depth + 1, cuts);
    }
}

static void encode_items(struct buf *b, const struct json_node *list, unsigned depth, struct cuts *cuts)
{
    buf_byte(b, VALUE_LIST);
    buf_varint(b, json_is(list, JSON_ARRAY) ? list->n : 0);
    for (const struct json_node *e = json_first_of(list, JSON_ARRAY); e; e = e->next)
        encode(b, e, depth + 1, cuts);
}

// VALUE of the protocol as a value of records: containers become lists and maps, what is missing is null and says why in `cut`.
static void encode(struct buf *b, const struct json_node *v, unsigned depth, struct cuts *cuts)
{
    str k = json_get_text(v, STR("k"));
    const struct json_node *i = json_get(v, STR("i")), *e = json_get(v, STR("e")), *f = json_get(v, STR("f"));
    cut_add(cuts, json_get_text(v, STR("cut")));
    if (str_eq(k, STR("missing")))
        cut_add(cuts, json_get_text(v, STR("why")));
    if (depth >= VALUE_DEPTH_MAX - 2)
        encode_scalar(b, NULL);
    else if (json_is(i, JSON_ARRAY))
        encode_items(b, i, depth, cuts);
    else if (json_is(e, JSON_ARRAY) || json_is(f, JSON_ARRAY))
        encode_pairs(b, json_is(e, JSON_ARRAY) ? e : f, depth, cuts);
    else if (str_eq(k, STR("float")))
        encode_float(b, json_get(v, STR("v")));
    else
        encode_scalar(b, json_get(v, STR("v")));
}

// ---- the record --------------------------------------------------------------------------------------------

struct making {
    struct attr attrs[ATTRS_MAX];
    uint32_t n;
    struct arena *arena;
    struct buf enc;
    struct cuts cuts;
    int error;
};

static void put(struct making *m, uint8_t level, const char *key, struct value v)
{
    if (v.type != VALUE_NULL && !(v.type == VALUE_STR && v.s.len == 0) && m->n < ATTRS_MAX)
        m->attrs[m->n++] = (struct attr){ .key = str_z(key), .level = level, .value = v };
}

// What stands in m->enc, kept.
static struct value taken(struct making *m)
{
    struct value v = { .type = VALUE_NULL };
    str kept;
    if (m->enc.error || arena_dup(m->arena, buf_view(&m->enc), &kept) < 0) {
        m->error = m->enc.error == ERR_LIMIT ? 0 : ERR_NOMEM; // too large: the payload has it
        return v;
    }
    struct value_reader r = value_reader_of(bytes_of_str(kept));
    if (value_read(&r, &v) < 0)
        v.type = VALUE_NULL;
    return v;
}

// [{name, value}] as a map of names.
static struct value variables(struct making *m, const struct json_node *list)
{
    buf_clear(&m->enc);
    buf_byte(&m->enc, VALUE_MAP);
    buf_varint(&m->enc, json_is(list, JSON_ARRAY) ? list->n : 0);
    for (const struct json_node *e = json_first_of(list, JSON_ARRAY); e; e = e->next) {
        str name = json_get_text(e, STR("name"));
        buf_varint(&m->enc, name.len);
        buf_str(&m->enc, name);
        encode(&m->enc, json_get(e, STR("value")), 0, &m->cuts);
    }
    return taken(m);
}

// Captured expressions by their text, and `return` of a call.
static struct value expressions(struct making *m, const struct json_node *json)
{
    const struct json_node *list = json_get(json, STR("exprs")), *result = json_get(json, STR("return"));
    uint64_t n = result != NULL;
    for (const struct json_node *e = json_first_of(list, JSON_ARRAY); e; e = e->next)
        n += json_get(e, STR("value")) != NULL;
    if (!n)
        return (struct value){ .type = VALUE_NULL };
    buf_clear(&m->enc);
    buf_byte(&m->enc, VALUE_MAP);
    buf_varint(&m->enc, n);
    for (const struct json_node *e = json_first_of(list, JSON_ARRAY); e; e = e->next) {
        const struct json_node *v = json_get(e, STR("value"));
        str text = json_get_text(e, STR("text"));
        if (!v)
            continue;
        buf_varint(&m->enc, text.len);
        buf_str(&m->enc, text);
        encode(&m->enc, v, 0, &m->cuts);
    }
    if (result) {
        buf_varint(&m->enc, 6);
        buf_str(&m->enc, STR("return"));
        encode(&m->enc, result, 0, &m->cuts);
    }
    return taken(m);
}

static struct value cut_list(struct making *m)
{
    buf_clear(&m->enc);
    buf_byte(&m->enc, VALUE_LIST);
    buf_varint(&m->enc, m->cuts.n);
    for (size_t i = 0; i < m->cuts.n; i++) {
        struct value v = value_str(m->cuts.words[i]);
        value_encode(&m->enc, &v);
    }
    return taken(m);
}

static int64_t number(const struct json_node *json, const char *name)
{
    int64_t i = 0;
    return json_int_of(json_get(json, str_z(name)), &i) && i >= 0 ? i : 0;
}

static bool is_log(const struct json_node *json) { return json_get(json, STR("log")) != NULL; }

static uint8_t severity_of(str level)
{
    static const str words[] = { STR_INIT("trace"), STR_INIT("debug"), STR_INIT("info"),
                                 STR_INIT("warn"),  STR_INIT("error"), STR_INIT("fatal") };
    for (uint8_t i = 0; i < 6; i++)
        if (str_eq(level, words[i]))
            return (uint8_t)(i * 4 + 1);
    return 9;
}

int64_t capture_time(const struct live *l, const struct json_node *json)
{
    int64_t t = 0, now = live_now(l);
    // A host whose clock is far off must not put records where nobody looks.
    if (!parse_rfc3339(json_get_text(json, STR("time")), &t) || t > now + 600 * NS_PER_S ||
        t < now - 30 * 86400 * NS_PER_S)
        return now;
    return t;
}

static void fill_ids(struct record *r, const struct json_node *json)
{
    static const uint8_t none[16];
    uint8_t span[8];
    str trace = json_get_text(json, STR("trace")), id = json_get_text(json, STR("span"));
    r->has_trace = trace.len == 32 && hex_decode(r->trace, trace) && memcmp(r->trace, none, 16) != 0;
    if (!r->has_trace)
        memset(r->trace, 0, sizeof r->trace);
    else if (id.len == 16 && hex_decode(span, id))
        r->span = be64_get(span);
}

static void fill_log(struct record *r, struct making *m, const struct json_node *json)
{
    const struct json_node *log = json_get(json, STR("log"));
    r->source = RECORD_LOGS;
    r->severity = severity_of(json_get_text(log, STR("level")));
    r->body = value_str(json_get_text(log, STR("body")));
    put(m, ATTR_FIELD, "severity_text", value_str(json_get_text(log, STR("level"))));
    put(m, ATTR_RECORD, "code.file.path", value_str(json_get_text(json, STR("file"))));
    put(m, ATTR_RECORD, "code.function.name", value_str(json_get_text(json, STR("function"))));
    if (number(json, "line"))
        put(m, ATTR_RECORD, "code.line.number", value_int(number(json, "line")));
}

static void fill_snapshot(struct record *r, struct making *m, const struct json_node *json, str payload)
{
    const struct json_node *frames = json_get(json, STR("frames")), *top = json_first_of(frames, JSON_ARRAY),
                           *exception = json_get(json, STR("exception")), *thread = json_get(json, STR("thread"));
    r->source = RECORD_SNAPSHOTS;
    r->duration = number(json, "duration_ns");
    put(m, ATTR_FIELD, "file", value_str(json_get_text(json, STR("file"))));
    if (number(json, "line"))
        put(m, ATTR_FIELD, "line", value_int(number(json, "line")));
    put(m, ATTR_FIELD, "function", value_str(json_get_text(json, STR("function"))));
    put(m, ATTR_FIELD, "thread", value_str(json_get_text(thread, STR("name"))));
    put(m, ATTR_FIELD, "message", value_str(json_get_text(exception, STR("message"))));
    put(m, ATTR_RECORD, "exception.type", value_str(json_get_text(exception, STR("type"))));
    put(m, ATTR_RECORD, "kind", value_str(json_get_text(json, STR("kind"))));
    put(m, ATTR_RECORD, "bytes", value_int(number(json, "bytes")));
    put(m, ATTR_RECORD, "redacted", value_int(number(json, "redacted")));
    if (json_get(top, STR("vars")))
        put(m, ATTR_FIELD, "vars", variables(m, json_get(top, STR("vars"))));
    put(m, ATTR_FIELD, "expr", expressions(m, json));
    if (number(json, "frames_cut"))
        cut_add(&m->cuts, STR("frames"));
    cut_add(&m->cuts, json_get_text(json, STR("cut")));
    put(m, ATTR_FIELD, "status", value_str(m->cuts.n ? STR("partial") : STR("complete")));
    if (m->cuts.n)
        put(m, ATTR_FIELD, "cut", cut_list(m));
    put(m, ATTR_FIELD, "payload", value_str(payload));
}

int capture_feed(struct batch *b, const struct capture_origin *o, const struct record *r)
{
    struct attr attrs[8];
    const struct agent_process *p = &o->process;
    const struct {
        const char *key;
        str value;
    } texts[] = {
        { "service.name", p->service },
        { "service.version", p->version },
        { "deployment.environment.name", p->environment },
        { "service.instance.id", p->instance },
        { "host.name", o->host },
        { "process.runtime.name", p->runtime },
    };
    uint32_t n = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].value.len)
            attrs[n++] =
                (struct attr){ .key = str_z(texts[i].key), .level = ATTR_RESOURCE, .value = value_str(texts[i].value) };
    if (p->pid)
        attrs[n++] = (struct attr){ .key = STR("process.pid"), .level = ATTR_RESOURCE, .value = value_int(p->pid) };
    struct record_entity resource = { .attrs = attrs, .attrs_n = n }, scope = { .name = STR("clew") };
    struct record_sink sink = batch_sink(b);
    int rc = sink.section(sink.ctx, &resource, &scope);
    return rc == 0 ? sink.record(sink.ctx, r) : rc;
}

// The record, behind the event that is made of it, if any: both or neither.
static int feed(struct live *l, struct batch *b, struct capture_origin *o, const struct record *r, struct making *m,
                const char *hex, str event)
{
    struct record_sink sink = batch_sink(b);
    struct record with = *r;
    int made = 0;
    if (o->event)
        made = l->o.event(l->o.event_ctx, o->project, str_z(hex), o->process.service, event, &sink);
    if (made < 0)
        return made;
    o->event = made > 0;
    if (o->event)
        put(m, ATTR_RECORD, "event", value_str(str_z(hex)));
    with.attrs_n = m->n;
    return capture_feed(b, o, &with);
}

static int commit(struct live *l, struct capture_origin *o, const struct record *r, struct making *m, const char *hex,
                  str event, void (*done)(void *ctx, int result), void *ctx)
{
    uint64_t hash[2];
    struct batch *batch;
    uint8_t id[16];
    hex_decode(id, str_z(hex));
    memcpy(hash, id, 16);
    hash[1] |= 1; // never 0,0, which means "none"
    int rc = store_batch_begin(l->o.store, l->o.lane, o->project, hash, &batch);
    if (rc < 0)
        return rc;
    rc = feed(l, batch, o, r, m, hex, event);
    if (rc < 0)
        batch_abort_take(batch);
    else
        batch_commit_take(batch, done, ctx);
    return rc;
}

int capture_write(struct live *l, struct capture_origin *o, const uint8_t id[16], const struct json_node *json,
                  struct arena *arena, void (*done)(void *ctx, int result), void *ctx)
{
    struct making *m = arena_zalloc(arena, sizeof *m);
    struct record r = { .time = capture_time(l, json) };
    struct buf payload, event;
    struct json_writer w;
    char probe[32], hex[33];
    if (!m)
        return ERR_NOMEM;
    m->arena = arena;
    buf_init(&m->enc, VALUE_BYTES_MAX);
    buf_init(&payload, VALUE_BYTES_MAX);
    buf_init(&event, 0);
    json_writer_init(&w, &payload);
    snprintf(probe, sizeof probe, "p%lld", (long long)o->probe);
    hex_encode(hex, id, 16);
    hex[32] = 0;
    fill_ids(&r, json);
    put(m, ATTR_FIELD, "probe", value_str(str_z(probe)));
    put(m, ATTR_RECORD, "capture", value_str(str_of(hex, 32)));
    put(m, ATTR_RECORD, "process", value_str(o->process.id));
    if (is_log(json)) {
        fill_log(&r, m, json);
    } else {
        json_put_tree(&w, json);
        fill_snapshot(&r, m, json, buf_view(&payload));
    }
    r.attrs = m->attrs;
    int rc = m->error ? m->error : payload.error;
    if (rc == 0 && o->event && (rc = capture_event(o, str_of(hex, 32), r.time, json, &event)) == ERR_LIMIT) {
        o->event = false;
        rc = 0;
    }
    if (rc == 0) {
        pthread_mutex_lock(&l->lane_lock);
        rc = commit(l, o, &r, m, hex, buf_view(&event), done, ctx);
        if (rc == ERR_LIMIT && o->event) { // the snapshot is worth more than its event
            o->event = false;
            rc = commit(l, o, &r, m, hex, (str){ 0 }, done, ctx);
        }
        pthread_mutex_unlock(&l->lane_lock);
    }
    buf_free(&event);
    buf_free(&payload);
    buf_free(&m->enc);
    return rc;
}

// ---- in a line -----------------------------------------------------------------------------------------------

struct columns {
    struct json_writer *w;
    str none; // what the program calls a value that is none
    int n;
};

static void put_column(struct columns *c, str holder, str name, const struct json_node *v)
{
    const struct json_node *n = json_get(v, STR("v"));
    bool none = str_eq(json_get_text(v, STR("k")), STR("null"));
    str text = json_is(n, JSON_STRING) || json_is(n, JSON_NUMBER)     ? n->text
               : json_is(n, JSON_TRUE)                                ? STR("true")
               : json_is(n, JSON_FALSE)                               ? STR("false")
               : !none                                                ? (str){ 0 }
               : str_eq(json_get_text(v, STR("t")), STR("undefined")) ? STR("undefined")
                                                                      : c->none;
    char path[COLUMN_TEXT];
    if (!text.len || !name.len || c->n == COLUMNS_MAX)
        return;
    if (holder.len) {
        int len = snprintf(path, sizeof path, "%.*s.%.*s", STR_ARG(holder), STR_ARG(name));
        if (len < 0 || (size_t)len >= sizeof path)
            return;
        name = str_of(path, (size_t)len);
    }
    json_put_key(c->w, name);
    json_put_str(c->w, str_slice(text, 0, COLUMN_TEXT));
    c->n++;
}

void capture_columns(const struct json_node *json, struct json_writer *w)
{
    const struct json_node *top = json_first_of(json_get(json, STR("frames")), JSON_ARRAY);
    const struct json_node *vars = json_first_of(json_get(top, STR("vars")), JSON_ARRAY);
    bool python = str_ends(json_get_text(json, STR("file")), STR(".py"));
    struct columns c = { .w = w, .none = python ? STR("None") : STR("null") };
    for (const struct json_node *e = json_first_of(json_get(json, STR("exprs")), JSON_ARRAY); e; e = e->next)
        put_column(&c, (str){ 0 }, json_get_text(e, STR("text")), json_get(e, STR("value")));
    for (const struct json_node *e = vars; e; e = e->next)
        put_column(&c, (str){ 0 }, json_get_text(e, STR("name")), json_get(e, STR("value")));
    // Where next to nothing stands by itself, the objects tell.
    bool told = c.n >= COLUMNS_FEW;
    for (const struct json_node *e = told ? NULL : vars; e; e = e->next) {
        const struct json_node *fields = json_get(json_get(e, STR("value")), STR("f"));
        for (const struct json_node *p = json_first_of(fields, JSON_ARRAY); p; p = p->next)
            if (p->type == JSON_ARRAY && p->n == 2 && p->first->type == JSON_STRING)
                put_column(&c, json_get_text(e, STR("name")), p->first->text, p->first->next);
    }
}

void capture_summary(const struct live *l, const struct capture_origin *o, const uint8_t id[16],
                     const struct json_node *json, struct json_writer *w)
{
    static const char *const texts[] = { "trace", "span", "file", "function", "kind" };
    char probe[32], time[32];
    snprintf(probe, sizeof probe, "p%lld", (long long)o->probe);
    fmt_rfc3339(time, capture_time(l, json));
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_hex(w, bytes_of(id, 16));
    const struct {
        const char *key;
        str value;
    } own[] = { { "probe", str_z(probe) },
                { "time", str_of(time, TIME_RFC3339_LEN) },
                { "service", o->process.service },
                { "instance", o->process.instance },
                { "process", o->process.id } };
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (own[i].value.len) {
            json_put_key(w, str_z(own[i].key));
            json_put_str(w, own[i].value);
        }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (json_get_text(json, str_z(texts[i])).len) {
            json_put_key(w, str_z(texts[i]));
            json_put_str(w, json_get_text(json, str_z(texts[i])));
        }
    json_put_key(w, STR("line"));
    json_put_int(w, number(json, "line"));
    json_put_key(w, STR("bytes"));
    json_put_int(w, number(json, "bytes"));
    json_put_key(w, STR("redacted"));
    json_put_int(w, number(json, "redacted"));
    json_put_object_end(w);
}
