#include "otlp_dump.h"

#include "base/hex.h"
#include "base/must.h"

#include <stdlib.h>

void otlp_dump_init(struct otlp_dump *d) { buf_init(&d->out, 64 << 20); }

static void put_text(struct buf *b, str s)
{
    buf_byte(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c >= 32 && c < 127 && c != '"' && c != '\\')
            buf_byte(b, c);
        else
            buf_printf(b, "\\x%02x", c);
    }
    buf_byte(b, '"');
}

static void put_hex(struct buf *b, const void *p, size_t n)
{
    uint8_t *q = buf_extend(b, 2 * n);
    if (q)
        hex_encode((char *)q, p, n);
}

static void put_value(struct buf *b, const struct value *v)
{
    struct value_reader r;
    struct value e;
    uint64_t n, bits;
    str key;
    switch (v->type) {
    case VALUE_NULL:
        buf_str(b, STR("null"));
        return;
    case VALUE_STR:
        put_text(b, v->s);
        return;
    case VALUE_INT:
        buf_printf(b, "i:%lld", (long long)v->i);
        return;
    case VALUE_DOUBLE:
        memcpy(&bits, &v->d, 8);
        buf_printf(b, "d:%016llx", (unsigned long long)bits);
        return;
    case VALUE_BOOL:
        buf_str(b, v->b ? STR("true") : STR("false"));
        return;
    case VALUE_BYTES:
        buf_str(b, STR("b:"));
        put_hex(b, v->s.ptr, v->s.len);
        return;
    }
    bool map = v->type == VALUE_MAP;
    must(value_check(bytes_of_str(v->s)) == 0);
    must(value_open(v, &r, &n) == 0);
    buf_byte(b, map ? '{' : '[');
    for (uint64_t i = 0; i < n; i++) {
        if (i)
            buf_str(b, STR(", "));
        if (map) {
            must(value_read_key(&r, &key) == 0);
            put_text(b, key);
            buf_str(b, STR(": "));
        }
        must(value_read(&r, &e) == 0);
        put_value(b, &e);
    }
    buf_byte(b, map ? '}' : ']');
}

static void put_attr(struct buf *b, const struct attr *a, const char *indent)
{
    buf_printf(b, "%s%c ", indent, a->level == ATTR_FIELD ? 'F' : 'R');
    put_text(b, a->key);
    buf_byte(b, '=');
    put_value(b, &a->value);
    buf_byte(b, '\n');
}

static int by_key(const void *a, const void *b)
{
    return str_cmp((*(const struct attr *const *)a)->key, (*(const struct attr *const *)b)->key);
}

// FIELD attributes sorted behind the others, whose order is the sender's.
static void put_attrs(struct buf *b, const struct attr *attrs, uint32_t n, const char *indent)
{
    const struct attr *fields[64];
    size_t fields_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (attrs[i].level != ATTR_FIELD) {
            put_attr(b, &attrs[i], indent);
        } else {
            must(fields_n < 64);
            fields[fields_n++] = &attrs[i];
        }
    }
    qsort(fields, fields_n, sizeof *fields, by_key);
    for (size_t i = 0; i < fields_n; i++)
        put_attr(b, fields[i], indent);
}

static void put_trace(struct buf *b, bool has, const uint8_t trace[16])
{
    static const uint8_t none[16];
    must(has == (memcmp(trace, none, 16) != 0));
    if (has)
        put_hex(b, trace, 16);
    else
        buf_byte(b, '-');
}

static void put_entity(struct buf *b, const struct record_entity *e, enum attr_level level)
{
    for (uint32_t i = 0; i < e->attrs_n; i++)
        must(e->attrs[i].level == level);
    buf_str(b, STR(" schema="));
    put_text(b, e->schema_url);
    buf_printf(b, " dropped=%u\n", e->dropped);
    put_attrs(b, e->attrs, e->attrs_n, "  ");
}

static int on_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope)
{
    struct buf *b = &((struct otlp_dump *)ctx)->out;
    buf_str(b, STR("resource"));
    put_entity(b, resource, ATTR_RESOURCE);
    buf_str(b, STR("scope name="));
    put_text(b, scope->name);
    buf_str(b, STR(" version="));
    put_text(b, scope->version);
    put_entity(b, scope, ATTR_SCOPE);
    return b->error;
}

static int on_record(void *ctx, const struct record *r)
{
    static const char *const sources[] = { "spans", "logs", "metrics", "events" };
    struct buf *b = &((struct otlp_dump *)ctx)->out;
    buf_printf(b, "record %s kind=%u status=%u severity=%u trace=", sources[r->source], r->kind, r->status,
               r->severity);
    put_trace(b, r->has_trace, r->trace);
    buf_printf(b, " span=%016llx parent=%016llx flags=%u time=%lld duration=%lld name=", (unsigned long long)r->span,
               (unsigned long long)r->parent, r->flags, (long long)r->time, (long long)r->duration);
    put_text(b, r->name);
    buf_str(b, STR(" body="));
    put_value(b, &r->body);
    buf_byte(b, '\n');
    put_attrs(b, r->attrs, r->attrs_n, "  ");
    for (uint32_t i = 0; i < r->children_n; i++) {
        const struct record_child *c = &r->children[i];
        must(i == 0 || c->kind >= r->children[i - 1].kind);
        if (c->kind == CHILD_EVENT) {
            buf_printf(b, "  event time=%lld name=", (long long)c->time);
            put_text(b, c->name);
        } else {
            buf_str(b, STR("  link trace="));
            put_trace(b, c->has_trace, c->trace);
            buf_printf(b, " span=%016llx flags=%u", (unsigned long long)c->span, c->flags);
        }
        buf_byte(b, '\n');
        put_attrs(b, c->attrs, c->attrs_n, "    ");
    }
    return b->error;
}

struct record_sink otlp_dump_sink(struct otlp_dump *d) { return (struct record_sink){ d, on_section, on_record }; }
