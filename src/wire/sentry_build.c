#include "wire/sentry_build.h"

#include "base/hex.h"
#include "base/timefmt.h"

#define ENC_MAX ((size_t)4 << 20)

void sentry_build_init(struct sentry_build *b, struct arena *arena, const struct sentry_source *from,
                       const struct record_sink *sink, struct sentry_counts *counts)
{
    b->arena = arena;
    b->from = from;
    b->sink = sink;
    b->counts = counts;
    b->error = 0;
    buf_init(&b->enc, ENC_MAX);
    sentry_build_record(b, RECORD_EVENTS);
}

void sentry_build_free(struct sentry_build *b) { buf_free(&b->enc); }

void sentry_build_record(struct sentry_build *b, enum record_source source)
{
    b->record = (struct record){ .source = (uint8_t)source };
    b->attrs_n = 0;
}

int sentry_build_end(struct sentry_build *b)
{
    if (b->error)
        return b->error;
    b->record.attrs = b->attrs;
    b->record.attrs_n = b->attrs_n;
    int r = b->sink->record(b->sink->ctx, &b->record);
    if (r == 0)
        b->counts->records++;
    return r;
}

void sentry_put(struct sentry_build *b, enum attr_level level, str key, struct value v)
{
    if (b->attrs_n == SENTRY_ATTRS_MAX) { // before the search: a document may hold a million more
        b->counts->dropped++;
        return;
    }
    for (uint32_t i = 0; i < b->attrs_n; i++)
        if (b->attrs[i].level == level && str_eq(b->attrs[i].key, key))
            return;
    bool large = (v.type == VALUE_STR || v.type >= VALUE_BYTES) && v.s.len > SENTRY_VALUE_MAX && level != ATTR_FIELD;
    if (key.len == 0 || key.len > SENTRY_VALUE_MAX || large) {
        b->counts->dropped++;
        return;
    }
    b->attrs[b->attrs_n++] = (struct attr){ key, (uint8_t)level, v };
}

void sentry_put_text(struct sentry_build *b, enum attr_level level, str key, str text)
{
    if (text.len)
        sentry_put(b, level, key, value_str(text));
}

static void encode(struct buf *enc, const struct json_node *node, unsigned depth)
{
    struct value v = { .type = VALUE_NULL };
    bool nested = node->type == JSON_ARRAY || node->type == JSON_OBJECT;
    if (!nested || depth >= VALUE_DEPTH_MAX) {
        if (node->type == JSON_STRING)
            v = value_str(node->text);
        else if (node->type == JSON_TRUE || node->type == JSON_FALSE)
            v = value_bool(node->type == JSON_TRUE);
        else if (node->type == JSON_NUMBER && json_number_int(node->text, &v.i))
            v.type = VALUE_INT;
        else if (node->type == JSON_NUMBER && json_number_double(node->text, &v.d))
            v.type = VALUE_DOUBLE;
        value_encode(enc, &v);
        return;
    }
    buf_byte(enc, node->type == JSON_ARRAY ? VALUE_LIST : VALUE_MAP);
    buf_varint(enc, node->n);
    for (const struct json_node *c = node->first; c; c = c->next) {
        if (node->type == JSON_OBJECT) {
            buf_varint(enc, c->key.len);
            buf_str(enc, c->key);
        }
        encode(enc, c, depth + 1);
    }
}

bool sentry_value(struct sentry_build *b, const struct json_node *node, struct value *ret_v)
{
    struct value v = { .type = VALUE_NULL };
    buf_clear(&b->enc);
    encode(&b->enc, node, 0);
    str whole = buf_view(&b->enc), kept;
    if (b->enc.error) {
        b->counts->dropped++;
        *ret_v = v;
        return true;
    }
    if (arena_dup(b->arena, whole, &kept) < 0) {
        b->error = ERR_NOMEM;
        return false;
    }
    struct value_reader r = value_reader_of(bytes_of_str(kept));
    value_read(&r, &v); // scalars come out of it, lists and maps are views of it
    *ret_v = v;
    return true;
}

void sentry_put_node(struct sentry_build *b, enum attr_level level, str key, const struct json_node *node)
{
    struct value v;
    if (node && node->type != JSON_NULL && sentry_value(b, node, &v) && v.type != VALUE_NULL)
        sentry_put(b, level, key, v);
}

void sentry_put_members(struct sentry_build *b, str prefix, const struct json_node *object)
{
    for (const struct json_node *m = json_first_of(object, JSON_OBJECT); m; m = m->next) {
        str key = m->key;
        if (prefix.len) {
            key = arena_printf(b->arena, "%.*s.%.*s", STR_ARG(prefix), STR_ARG(m->key));
            if (!key.ptr) {
                b->error = ERR_NOMEM;
                return;
            }
        }
        sentry_put_node(b, ATTR_RECORD, key, m);
    }
}

bool sentry_put_trace(struct sentry_build *b, const struct json_node *ids)
{
    static const uint8_t none[16];
    uint8_t id[8];
    struct record *r = &b->record;
    r->has_trace = sentry_id(json_get_text(ids, STR("trace_id")), r->trace) && memcmp(r->trace, none, 16) != 0;
    if (!r->has_trace)
        memset(r->trace, 0, sizeof r->trace);
    str span = json_get_text(ids, STR("span_id")), parent = json_get_text(ids, STR("parent_span_id"));
    if (r->has_trace && span.len == 16 && hex_decode(id, span))
        r->span = be64_get(id);
    if (r->has_trace && parent.len == 16 && hex_decode(id, parent))
        r->parent = be64_get(id);
    return r->has_trace;
}

bool sentry_shifted(const struct sentry_build *b, int64_t time, int64_t *ret_time)
{
    return !__builtin_add_overflow(time, b->from->shift_ns, ret_time) && *ret_time >= 0;
}

str sentry_release_version(str release)
{
    ptrdiff_t at = str_find_char(release, '@', 0);
    str version = at < 0 ? release : str_slice(release, (size_t)at + 1, release.len);
    ptrdiff_t plus = str_find_char(version, '+', 0);
    return plus < 0 ? version : str_slice(version, 0, (size_t)plus);
}

// "sentry.javascript.node" when there is no platform, as in logs and metrics.
static str language_of(str platform, str sdk)
{
    static const struct {
        str platform, sdk, language;
    } known[] = {
        { STR_INIT("python"), STR_INIT("sentry.python"), STR_INIT("python") },
        { STR_INIT("node"), STR_INIT("sentry.javascript.node"), STR_INIT("nodejs") },
        { STR_INIT("javascript"), STR_INIT("sentry.javascript"), STR_INIT("webjs") },
        { STR_INIT("java"), STR_INIT("sentry.java"), STR_INIT("java") },
        { STR_INIT("go"), STR_INIT("sentry.go"), STR_INIT("go") },
        { STR_INIT("ruby"), STR_INIT("sentry.ruby"), STR_INIT("ruby") },
        { STR_INIT("php"), STR_INIT("sentry.php"), STR_INIT("php") },
        { STR_INIT("csharp"), STR_INIT("sentry.dotnet"), STR_INIT("dotnet") },
        { STR_INIT("rust"), STR_INIT("sentry.rust"), STR_INIT("rust") },
        { STR_INIT("elixir"), STR_INIT("sentry.elixir"), STR_INIT("elixir") },
        { STR_INIT("native"), STR_INIT("sentry.native"), STR_INIT("cpp") },
        { STR_INIT("cocoa"), STR_INIT("sentry.cocoa"), STR_INIT("swift") },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (platform.len ? str_eq(platform, known[i].platform) : str_starts(sdk, known[i].sdk))
            return known[i].language;
    return platform;
}

struct sentry_sender sentry_sender_of(const struct sentry_event *e)
{
    return (struct sentry_sender){
        .service = e->service,
        .release = e->release,
        .environment = e->environment,
        .server_name = e->server_name,
        .platform = e->platform,
        .sdk_name = e->sdk_name,
        .sdk_version = e->sdk_version,
    };
}

int sentry_put_section(struct sentry_build *b, const struct sentry_sender *sender)
{
    struct attr attrs[6];
    uint32_t n = 0;
    const struct {
        str key, value;
    } all[] = {
        { STR("service.name"), sender->service.len ? sender->service : b->from->service },
        { STR("service.version"), sentry_release_version(sender->release) },
        { STR("release"), sender->release },
        { STR("environment"), sender->environment },
        { STR("server_name"), sender->server_name },
        { STR("telemetry.sdk.language"), language_of(sender->platform, sender->sdk_name) },
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].value.len && all[i].value.len <= SENTRY_VALUE_MAX)
            attrs[n++] = (struct attr){ all[i].key, ATTR_RESOURCE, value_str(all[i].value) };
    struct record_entity resource = { .attrs = attrs, .attrs_n = n };
    struct record_entity scope = { .name = sender->sdk_name, .version = sender->sdk_version };
    return b->sink->section(b->sink->ctx, &resource, &scope);
}

uint8_t sentry_span_kind(str op)
{
    static const struct {
        str prefix;
        uint8_t kind;
    } kinds[] = {
        { STR_INIT("http.server"), SPAN_KIND_SERVER },
        { STR_INIT("http.client"), SPAN_KIND_CLIENT },
        { STR_INIT("db"), SPAN_KIND_CLIENT },
        { STR_INIT("cache"), SPAN_KIND_CLIENT },
        { STR_INIT("queue.publish"), SPAN_KIND_PRODUCER },
        { STR_INIT("queue.process"), SPAN_KIND_CONSUMER },
        { STR_INIT("rpc.server"), SPAN_KIND_SERVER },
        { STR_INIT("grpc.server"), SPAN_KIND_SERVER },
        { STR_INIT("grpc.client"), SPAN_KIND_CLIENT },
        { STR_INIT("websocket.server"), SPAN_KIND_SERVER },
    };
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        str p = kinds[i].prefix;
        if (str_starts(op, p) && (op.len == p.len || op.ptr[p.len] == '.'))
            return kinds[i].kind;
    }
    return SPAN_KIND_INTERNAL;
}

static void put_user(struct sentry_build *b, const struct json_node *user)
{
    for (const struct json_node *m = json_first_of(user, JSON_OBJECT); m; m = m->next) {
        str key = arena_printf(b->arena, "user.%.*s", STR_ARG(m->key));
        if (!key.ptr) {
            b->error = ERR_NOMEM;
            return;
        }
        if (str_eq(m->key, STR("ip_address")) && str_eq(json_text_of(m), STR("{{auto}}")))
            sentry_put_text(b, ATTR_RECORD, key, b->from->peer);
        else if (m->type == JSON_NUMBER) // an id is a name, not a quantity
            sentry_put_text(b, ATTR_RECORD, key, m->text);
        else
            sentry_put_node(b, ATTR_RECORD, key, m);
    }
}

static void put_tags(struct sentry_build *b, const struct json_node *tags)
{
    sentry_put_members(b, (str){ 0 }, tags);
    for (const struct json_node *pair = json_first_of(tags, JSON_ARRAY); pair; pair = pair->next)
        if (json_is(pair, JSON_ARRAY) && pair->n == 2 && json_is(pair->first, JSON_STRING))
            sentry_put_node(b, ATTR_RECORD, pair->first->text, pair->first->next);
}

static void put_contexts(struct sentry_build *b, const struct json_node *contexts)
{
    for (const struct json_node *m = json_first_of(contexts, JSON_OBJECT); m; m = m->next) {
        if (str_eq(m->key, STR("trace"))) // ids and times have places of their own
            continue;
        str key = arena_printf(b->arena, "contexts.%.*s", STR_ARG(m->key));
        if (key.ptr)
            sentry_put_node(b, ATTR_RECORD, key, m);
        else
            b->error = ERR_NOMEM;
    }
}

void sentry_put_common(struct sentry_build *b, const struct sentry_event *e)
{
    put_user(b, e->user);
    sentry_put_text(b, ATTR_RECORD, STR("request.method"), json_get_text(e->request, STR("method")));
    sentry_put_text(b, ATTR_RECORD, STR("request.url"), json_get_text(e->request, STR("url")));
    put_tags(b, e->tags);
    put_contexts(b, e->contexts);
    sentry_put_members(b, STR("extra"), e->extra);
    sentry_put_text(b, ATTR_RECORD, STR("logger"), e->logger);
    sentry_put_text(b, ATTR_RECORD, STR("dist"), e->dist);
}

int64_t sentry_clock_shift(str sent_at, int64_t received_ns)
{
    enum { LATENCY_S = 55 }; // as Sentry: less than this is the way of the request
    struct json_node text = { .type = JSON_STRING, .text = sent_at };
    int64_t sent;
    if (!sent_at.len || !sentry_time(&text, &sent))
        return 0;
    int64_t shift = received_ns - sent;
    return shift > -LATENCY_S * 1000000000LL && shift < LATENCY_S * 1000000000LL ? 0 : shift;
}
