#include "api/jaeger_json.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"

#include <stdio.h>

static void put_hex64(struct json_writer *w, uint64_t id)
{
    uint8_t raw[8];
    be64_put(raw, id);
    json_put_hex(w, bytes_of(raw, 8));
}

static void put_nested(struct json_writer *w, const struct value *v, int depth);

static void put_list(struct json_writer *w, const struct value *v, int depth)
{
    struct value_reader r;
    uint64_t n;
    json_put_array(w);
    for (int rc = value_open(v, &r, &n); rc == 0 && n > 0; n--) {
        struct value element;
        rc = value_read(&r, &element);
        if (rc == 0)
            put_nested(w, &element, depth + 1);
    }
    json_put_array_end(w);
}

static void put_map(struct json_writer *w, const struct value *v, int depth)
{
    struct value_reader r;
    uint64_t n;
    json_put_object(w);
    for (int rc = value_open(v, &r, &n); rc == 0 && n > 0; n--) {
        struct value element;
        str key;
        rc = value_read_key(&r, &key);
        if (rc == 0)
            rc = value_read(&r, &element);
        if (rc < 0)
            break;
        json_put_key(w, key);
        put_nested(w, &element, depth + 1);
    }
    json_put_object_end(w);
}

static void put_nested(struct json_writer *w, const struct value *v, int depth)
{
    if (depth > VALUE_DEPTH_MAX || v->type == VALUE_NULL)
        json_put_null(w);
    else if (v->type == VALUE_STR)
        json_put_str(w, v->s);
    else if (v->type == VALUE_INT)
        json_put_int(w, v->i);
    else if (v->type == VALUE_DOUBLE)
        json_put_double(w, v->d);
    else if (v->type == VALUE_BOOL)
        json_put_bool(w, v->b);
    else if (v->type == VALUE_BYTES)
        json_put_base64(w, bytes_of_str(v->s));
    else if (v->type == VALUE_LIST)
        put_list(w, v, depth);
    else
        put_map(w, v, depth);
}

static void tag_begin(struct json_writer *w, str key, str type)
{
    json_put_object(w);
    json_put_key(w, STR("key"));
    json_put_str(w, key);
    json_put_key(w, STR("type"));
    json_put_str(w, type);
    json_put_key(w, STR("value"));
}

static void put_tag_str(struct json_writer *w, str key, str value)
{
    tag_begin(w, key, STR("string"));
    json_put_str(w, value);
    json_put_object_end(w);
}

// Lists and maps are strings of JSON there.
static void put_tag_nested(struct json_writer *w, str key, const struct value *v)
{
    struct buf text;
    struct json_writer inner;
    buf_init(&text, 1 << 20);
    json_writer_init(&inner, &text);
    put_nested(&inner, v, 0);
    put_tag_str(w, key, text.error ? STR("(too large)") : buf_view(&text));
    buf_free(&text);
}

static void put_tag(struct json_writer *w, str key, const struct value *v)
{
    switch (v->type) {
    case VALUE_NULL:
        return;
    case VALUE_STR:
        put_tag_str(w, key, v->s);
        return;
    case VALUE_LIST:
    case VALUE_MAP:
        put_tag_nested(w, key, v);
        return;
    case VALUE_INT:
        tag_begin(w, key, STR("int64"));
        json_put_int(w, v->i);
        break;
    case VALUE_DOUBLE:
        tag_begin(w, key, STR("float64"));
        json_put_double(w, v->d);
        break;
    case VALUE_BOOL:
        tag_begin(w, key, STR("bool"));
        json_put_bool(w, v->b);
        break;
    default:
        tag_begin(w, key, STR("binary"));
        json_put_base64(w, bytes_of_str(v->s));
    }
    json_put_object_end(w);
}

static void put_attrs(struct json_writer *w, const struct attr *attrs, uint32_t n, str except)
{
    for (uint32_t i = 0; i < n; i++)
        if (!str_eq(attrs[i].key, except) && attrs[i].level != ATTR_FIELD)
            put_tag(w, attrs[i].key, &attrs[i].value);
}

static void put_span_tags(struct json_writer *w, const struct trace_span *s)
{
    static const char *const kinds[] = { "", "internal", "server", "client", "producer", "consumer" };
    put_attrs(w, s->attrs, s->attrs_n, (str){ 0 });
    if (s->kind && s->kind < sizeof kinds / sizeof kinds[0])
        put_tag_str(w, STR("span.kind"), str_z(kinds[s->kind]));
    if (s->status == STATUS_ERROR) {
        put_tag_str(w, STR("otel.status_code"), STR("ERROR"));
        tag_begin(w, STR("error"), STR("bool"));
        json_put_bool(w, true);
        json_put_object_end(w);
    } else if (s->status == STATUS_OK) {
        put_tag_str(w, STR("otel.status_code"), STR("OK"));
    }
    if (s->message.len)
        put_tag_str(w, STR("otel.status_description"), s->message);
    if (s->scope && s->scope->name.len)
        put_tag_str(w, STR("otel.scope.name"), s->scope->name);
    if (s->scope && s->scope->version.len)
        put_tag_str(w, STR("otel.scope.version"), s->scope->version);
    if (s->tracestate.len)
        put_tag_str(w, STR("w3c.tracestate"), s->tracestate);
}

static void put_reference(struct json_writer *w, str type, str trace_hex, uint64_t span)
{
    json_put_object(w);
    json_put_key(w, STR("refType"));
    json_put_str(w, type);
    json_put_key(w, STR("traceID"));
    json_put_str(w, trace_hex);
    json_put_key(w, STR("spanID"));
    put_hex64(w, span);
    json_put_object_end(w);
}

static str hex_of_trace(const uint8_t id[16], char out[32])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        out[2 * i] = digits[id[i] >> 4];
        out[2 * i + 1] = digits[id[i] & 15];
    }
    return str_of(out, 32);
}

static void put_references(struct json_writer *w, const struct trace_span *s, str trace_hex)
{
    char linked[32];
    json_put_key(w, STR("references"));
    json_put_array(w);
    if (s->parent)
        put_reference(w, STR("CHILD_OF"), trace_hex, s->parent);
    for (uint32_t i = 0; i < s->links_n; i++)
        put_reference(w, STR("FOLLOWS_FROM"), hex_of_trace(s->links[i].trace, linked), s->links[i].span);
    json_put_array_end(w);
}

static void put_span_events(struct json_writer *w, const struct trace_span *s)
{
    json_put_key(w, STR("logs"));
    json_put_array(w);
    for (uint32_t i = 0; i < s->events_n; i++) {
        const struct trace_child *e = &s->events[i];
        json_put_object(w);
        json_put_key(w, STR("timestamp"));
        json_put_int(w, e->time / 1000);
        json_put_key(w, STR("fields"));
        json_put_array(w);
        if (e->name.len)
            put_tag_str(w, STR("event"), e->name);
        put_attrs(w, e->attrs, e->attrs_n, (str){ 0 });
        json_put_array_end(w);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

// Spans of one resource are one process, named by the first span that has it.
struct processes {
    const struct record_entity **resources; // open addressing, twice the spans
    uint32_t *first;
    size_t slots;
};

static int processes_init(struct processes *p, uint32_t spans)
{
    p->slots = 16;
    while (p->slots < (size_t)spans * 2)
        p->slots *= 2;
    p->resources = mem_calloc(p->slots, sizeof *p->resources);
    p->first = mem_calloc(p->slots, sizeof *p->first);
    return p->resources && p->first ? 0 : ERR_NOMEM;
}

static void processes_free(struct processes *p)
{
    mem_free(p->resources);
    mem_free(p->first);
}

static uint32_t process_of(struct processes *p, const struct trace *t, uint32_t i)
{
    const struct record_entity *resource = t->spans[i].resource;
    size_t at = hash64_int((uint64_t)(uintptr_t)resource) & (p->slots - 1);
    if (!resource)
        return i;
    while (p->resources[at] && p->resources[at] != resource)
        at = (at + 1) & (p->slots - 1);
    if (!p->resources[at]) {
        p->resources[at] = resource;
        p->first[at] = i;
    }
    return p->first[at];
}

static void put_span(struct json_writer *w, const struct trace *t, uint32_t i, uint32_t process, str trace_hex)
{
    const struct trace_span *s = &t->spans[i];
    char text[16];
    json_put_object(w);
    json_put_key(w, STR("traceID"));
    json_put_str(w, trace_hex);
    json_put_key(w, STR("spanID"));
    put_hex64(w, s->span);
    json_put_key(w, STR("flags"));
    json_put_int(w, s->flags & 0xff);
    json_put_key(w, STR("operationName"));
    json_put_str(w, s->name);
    put_references(w, s, trace_hex);
    json_put_key(w, STR("startTime"));
    json_put_int(w, s->time / 1000);
    json_put_key(w, STR("duration"));
    json_put_int(w, s->duration < 0 ? 0 : s->duration / 1000);
    json_put_key(w, STR("tags"));
    json_put_array(w);
    put_span_tags(w, s);
    json_put_array_end(w);
    put_span_events(w, s);
    json_put_key(w, STR("processID"));
    int n = snprintf(text, sizeof text, "p%u", process + 1);
    json_put_str(w, str_of(text, (size_t)n));
    json_put_key(w, STR("warnings"));
    if (s->orphan || s->cycle) {
        json_put_array(w);
        json_put_str(w, s->cycle ? STR("its ancestors lead back to it") : STR("its parent is not stored"));
        json_put_array_end(w);
    } else {
        json_put_null(w);
    }
    json_put_object_end(w);
}

static void put_process(struct json_writer *w, const struct trace_span *s, uint32_t process)
{
    char text[16];
    int n = snprintf(text, sizeof text, "p%u", process + 1);
    json_put_key(w, str_of(text, (size_t)n));
    json_put_object(w);
    json_put_key(w, STR("serviceName"));
    json_put_str(w, s->service.len ? s->service : STR("(no service)"));
    json_put_key(w, STR("tags"));
    json_put_array(w);
    if (s->resource)
        put_attrs(w, s->resource->attrs, s->resource->attrs_n, STR("service.name"));
    json_put_array_end(w);
    json_put_object_end(w);
}

static void put_body(struct json_writer *w, const struct trace *t, struct processes *p, str trace_hex)
{
    json_put_key(w, STR("spans"));
    json_put_array(w);
    for (uint32_t i = 0; i < t->spans_n; i++)
        put_span(w, t, i, process_of(p, t, i), trace_hex);
    json_put_array_end(w);
    json_put_key(w, STR("processes"));
    json_put_object(w);
    for (uint32_t i = 0; i < t->spans_n; i++)
        if (process_of(p, t, i) == i)
            put_process(w, &t->spans[i], i);
    json_put_object_end(w);
}

int jaeger_put_trace(struct json_writer *w, const struct trace *t)
{
    struct processes p = { 0 };
    char hex[32];
    str trace_hex = hex_of_trace(t->id, hex);
    int r = processes_init(&p, t->spans_n);
    if (r < 0) {
        processes_free(&p);
        return r;
    }
    json_put_object(w);
    json_put_key(w, STR("traceID"));
    json_put_str(w, trace_hex);
    put_body(w, t, &p, trace_hex);
    json_put_key(w, STR("warnings"));
    if (!t->complete || t->cut) {
        json_put_array(w);
        json_put_str(w, t->cut ? STR("the trace is larger than is shown: these are its earliest spans")
                               : STR("some spans of this trace are not stored"));
        json_put_array_end(w);
    } else {
        json_put_null(w);
    }
    json_put_object_end(w);
    processes_free(&p);
    return 0;
}
