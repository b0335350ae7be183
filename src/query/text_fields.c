#include "query/text_fields.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/numfmt.h"
#include "query/literal.h"

enum { SLOTS = 2048, BYTES_MAX = 16 << 20 };

struct field {
    str name;
    size_t off, len; // of the encoded value; len 0: none
};

// Fields as they are found.
struct collector {
    struct arena *arena;
    struct buf values;
    struct field *fields;
    uint32_t n, cap;
    bool cut;
    uint16_t slots[SLOTS]; // index + 1
};

static void begin(struct collector *c, struct arena *arena)
{
    c->arena = arena;
    buf_init(&c->values, BYTES_MAX);
    c->fields = NULL;
    c->n = c->cap = 0;
    c->cut = false;
    memset(c->slots, 0, sizeof c->slots);
}

// The field of this name, a new one when there is none yet; *ret is NULL when there is no room for it.
static int field_get(struct collector *c, str name, struct field **ret)
{
    uint32_t at = (uint32_t)hash64_str(name) & (SLOTS - 1);
    *ret = NULL;
    for (; c->slots[at]; at = (at + 1) & (SLOTS - 1)) {
        if (str_eq(c->fields[c->slots[at] - 1].name, name)) {
            *ret = &c->fields[c->slots[at] - 1];
            return 0;
        }
    }
    if (c->n == TEXT_FIELDS_MAX) {
        c->cut = true;
        return 0;
    }
    if (c->n == c->cap) {
        uint32_t cap = c->cap ? c->cap * 2 : 16;
        struct field *more = arena_alloc_array(c->arena, cap, sizeof *more);
        if (!more)
            return ERR_NOMEM;
        if (c->n)
            memcpy(more, c->fields, c->n * sizeof *more);
        c->fields = more;
        c->cap = cap;
    }
    c->slots[at] = (uint16_t)(c->n + 1);
    c->fields[c->n] = (struct field){ .name = name };
    *ret = &c->fields[c->n++];
    return 0;
}

static int add(struct collector *c, str name, const struct value *v)
{
    struct field *f;
    int rc = field_get(c, name, &f);
    if (rc < 0 || !f)
        return rc;
    size_t from = c->values.len;
    if (v->type != VALUE_NULL)
        value_encode(&c->values, v);
    f->off = from;
    f->len = c->values.len - from;
    return c->values.error;
}

// The map of what was collected; ends the collector.
static int finish(struct collector *c, int rc, struct value *ret)
{
    struct buf b;
    str kept;
    uint32_t n = 0;
    buf_init(&b, BYTES_MAX + (TEXT_FIELDS_MAX << 10));
    for (uint32_t i = 0; i < c->n; i++)
        n += c->fields[i].len > 0;
    buf_byte(&b, VALUE_MAP);
    buf_varint(&b, n);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct field *f = &c->fields[i];
        if (f->len == 0)
            continue;
        buf_varint(&b, f->name.len);
        buf_str(&b, f->name);
        buf_append(&b, c->values.ptr + f->off, f->len);
    }
    *ret = (struct value){ .type = VALUE_NULL };
    if (rc == 0 && b.error)
        rc = b.error;
    if (rc == 0 && n > 0) {
        rc = arena_dup(c->arena, buf_view(&b), &kept);
        if (rc == 0)
            *ret = (struct value){ .type = VALUE_MAP, .s = kept };
    }
    buf_free(&b);
    buf_free(&c->values);
    return rc;
}

// Bytes beyond what one row may have are one more limit of its fields.
static int too_big(struct collector *c, int rc)
{
    if (rc != ERR_LIMIT)
        return rc;
    c->cut = true;
    return 0;
}

// ---- JSON ----

static bool is_whole(str number)
{
    for (size_t i = 0; i < number.len; i++) {
        if (number.ptr[i] == '.' || number.ptr[i] == 'e' || number.ptr[i] == 'E')
            return false;
    }
    return true;
}

static struct value number_value(str number)
{
    struct value v;
    if (is_whole(number) && json_number_int(number, &v.i)) {
        v.type = VALUE_INT;
        return v;
    }
    v.type = VALUE_DOUBLE;
    if (!json_number_double(number, &v.d))
        v.type = VALUE_NULL;
    return v;
}

static int encode_json(struct json_reader *r, struct buf *out);

// How many values or members are left in what was entered; the reader stays where it is.
static int count_left(const struct json_reader *r, bool object, uint64_t *ret_n)
{
    struct json_reader ahead = *r;
    str name;
    int rc;
    *ret_n = 0;
    while ((rc = object ? json_member(&ahead, &name) : json_element(&ahead)) == 1) {
        enum json_type t = json_peek(&ahead);
        rc = t == JSON_OBJECT || t == JSON_ARRAY ? json_pass(&ahead) : json_skip(&ahead, NULL);
        if (rc < 0)
            return rc;
        ++*ret_n;
    }
    return rc;
}

static int encode_nested(struct json_reader *r, bool object, struct buf *out)
{
    uint64_t n = 0;
    str name;
    int rc = object ? json_object(r) : json_array(r);
    if (rc == 0)
        rc = count_left(r, object, &n);
    if (rc < 0)
        return rc;
    buf_byte(out, object ? VALUE_MAP : VALUE_LIST);
    buf_varint(out, n);
    while ((rc = object ? json_member(r, &name) : json_element(r)) == 1) {
        if (object) {
            buf_varint(out, name.len);
            buf_str(out, name);
        }
        if ((rc = encode_json(r, out)) < 0)
            return rc;
    }
    return rc;
}

// One value of the document, in the store's encoding.
static int encode_json(struct json_reader *r, struct buf *out)
{
    struct json_token t;
    struct value v = { .type = VALUE_NULL };
    enum json_type type = json_peek(r);
    if (type == JSON_OBJECT || type == JSON_ARRAY)
        return encode_nested(r, type == JSON_OBJECT, out);
    int rc = json_next(r, &t);
    if (rc < 0)
        return rc;
    if (t.type == JSON_STRING)
        v = value_str(t.text);
    else if (t.type == JSON_NUMBER)
        v = number_value(t.text);
    else if (t.type == JSON_TRUE || t.type == JSON_FALSE)
        v = value_bool(t.type == JSON_TRUE);
    return value_encode(out, &v);
}

// The members of an object under their dotted names.
static int members(struct collector *c, struct json_reader *r, str prefix)
{
    str name;
    int rc = json_object(r);
    while (rc >= 0 && (rc = json_member(r, &name)) == 1) {
        str full = name;
        if (prefix.len) {
            full = arena_printf(c->arena, "%.*s.%.*s", STR_ARG(prefix), STR_ARG(name));
            if (!full.ptr)
                return ERR_NOMEM;
        }
        if (json_peek(r) == JSON_OBJECT) {
            rc = members(c, r, full);
            continue;
        }
        struct field *f;
        size_t from = c->values.len;
        bool null = json_peek(r) == JSON_NULL;
        rc = encode_json(r, &c->values);
        if (rc == 0)
            rc = c->values.error;
        if (rc == 0)
            rc = field_get(c, full, &f);
        if (rc == 0 && f) {
            f->off = from;
            f->len = null ? 0 : c->values.len - from;
        }
    }
    return rc;
}

int text_fields_json(struct arena *arena, str text, struct value *ret, bool *ret_cut)
{
    struct collector c;
    struct json_reader r;
    *ret = (struct value){ .type = VALUE_NULL };
    *ret_cut = false;
    json_reader_init(&r, text, arena, TEXT_FIELDS_DEPTH_MAX);
    if (json_peek(&r) != JSON_OBJECT)
        return 0;
    begin(&c, arena);
    int rc = members(&c, &r, STR(""));
    if (rc == 0)
        rc = json_done(&r);
    if (rc < 0) { // no JSON after all, or beyond what is read
        c.cut = rc == ERR_LIMIT;
        rc = rc == ERR_NOMEM ? rc : 0;
        c.n = 0;
    }
    rc = too_big(&c, finish(&c, rc, ret));
    *ret_cut = c.cut;
    return rc;
}

// ---- logfmt ----

static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// A quoted value from the quote at text[*at] on; *at ends behind it. False: it does not end.
static int quoted_value(struct arena *arena, str text, size_t *at, str *ret, bool *ret_ok)
{
    size_t from = *at + 1, i = from, n = 0;
    bool escapes = false;
    for (; i < text.len && text.ptr[i] != '"'; i++) {
        if (text.ptr[i] == '\\') {
            escapes = true;
            i++;
        }
    }
    *ret_ok = i < text.len;
    if (!*ret_ok)
        return 0;
    *at = i + 1;
    *ret = str_slice(text, from, i);
    if (!escapes)
        return 0;
    char *out = arena_alloc_bytes(arena, ret->len);
    if (!out)
        return ERR_NOMEM;
    for (size_t k = from; k < i; k++) {
        char c = text.ptr[k];
        if (c == '\\') {
            c = text.ptr[++k];
            c = c == 'n' ? '\n' : c == 't' ? '\t' : c == 'r' ? '\r' : c;
        }
        out[n++] = c;
    }
    *ret = str_of(out, n);
    return 0;
}

// A bare value: numbers only when they print as they are written, so that 1.10 and 007 stay what they are.
static struct value bare_value(str s)
{
    char text[32];
    int64_t i;
    double d;
    bool is_int;
    if (str_eq(s, STR("true")) || str_eq(s, STR("false")))
        return value_bool(s.ptr[0] == 't');
    if (s.len > 0 && s.len < sizeof text && query_decimal_read(s, &i, &d, &is_int)) {
        bool plain = s.ptr[s.ptr[0] == '-'] != '0' || s.len == 1;
        if (is_int && plain)
            return value_int(i);
        if (!is_int && str_eq(s, str_of(text, (size_t)fmt_double(text, d))))
            return value_double(d);
    }
    return value_str(s);
}

static bool key_byte(char c) { return !is_space(c) && c != '=' && c != '"'; }

// The field that begins at text[*at], if one does; *at moves on.
static int logfmt_field(struct collector *c, str text, size_t *at)
{
    size_t i = *at;
    while (i < text.len && key_byte(text.ptr[i]))
        i++;
    str key = str_slice(text, *at, i);
    if (i == text.len || text.ptr[i] != '=' || key.len == 0) { // a word, or signs in a row: prose
        while (i < text.len && !is_space(text.ptr[i]))
            i++;
        *at = i;
        return 0;
    }
    struct value v = value_str(STR(""));
    bool ok = false;
    *at = ++i;
    if (i < text.len && text.ptr[i] == '"') {
        str s;
        int rc = quoted_value(c->arena, text, at, &s, &ok);
        if (rc < 0)
            return rc;
        if (ok)
            v = value_str(s);
    }
    if (!ok) {
        while (i < text.len && !is_space(text.ptr[i]))
            i++;
        v = bare_value(str_slice(text, *at, i));
        *at = i;
    }
    return add(c, key, &v);
}

int text_fields_logfmt(struct arena *arena, str text, struct value *ret, bool *ret_cut)
{
    struct collector c;
    int rc = 0;
    begin(&c, arena);
    for (size_t at = 0; at < text.len && rc == 0;) {
        if (is_space(text.ptr[at]))
            at++;
        else
            rc = logfmt_field(&c, text, &at);
    }
    rc = too_big(&c, finish(&c, rc == ERR_LIMIT ? 0 : rc, ret));
    *ret_cut = c.cut;
    return rc;
}

// ---- both ----

static int add_map(struct collector *c, const struct value *map)
{
    struct value_reader r;
    struct value v;
    uint64_t left;
    str key;
    int rc = 0;
    if (map->type != VALUE_MAP || value_open(map, &r, &left) < 0)
        return 0;
    for (; left > 0 && rc == 0 && value_read_key(&r, &key) == 0 && value_read(&r, &v) == 0; left--)
        rc = add(c, key, &v);
    return rc;
}

int text_fields_join(struct arena *arena, const struct value *first, const struct value *second, struct value *ret)
{
    struct collector c;
    if (first->type != VALUE_MAP || second->type != VALUE_MAP) {
        *ret = first->type == VALUE_MAP ? *first : *second;
        return 0;
    }
    begin(&c, arena);
    int rc = add_map(&c, second);
    if (rc == 0)
        rc = add_map(&c, first);
    return too_big(&c, finish(&c, rc, ret));
}
