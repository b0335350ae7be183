// AnyValue and KeyValue in OTLP/JSON.
#include "base/base64.h"
#include "wire/otlp_json.h"

enum { ANY_STRING, ANY_BOOL, ANY_INT, ANY_DOUBLE, ANY_ARRAY, ANY_KVLIST, ANY_BYTES, ANY_KINDS };

static const struct otlp_json_name any_names[ANY_KINDS] = {
    OTLP_JSON_NAME("stringValue", "string_value"), OTLP_JSON_NAME("boolValue", "bool_value"),
    OTLP_JSON_NAME("intValue", "int_value"),       OTLP_JSON_NAME("doubleValue", "double_value"),
    OTLP_JSON_NAME("arrayValue", "array_value"),   OTLP_JSON_NAME("kvlistValue", "kvlist_value"),
    OTLP_JSON_NAME("bytesValue", "bytes_value"),
};
static const struct otlp_json_name values_name[] = { OTLP_JSON_NAME("values", "") };
enum { KV_KEY, KV_VALUE };
static const struct otlp_json_name kv_names[] = { OTLP_JSON_NAME("key", ""), OTLP_JSON_NAME("value", "") };

void otlp_json_insert_count(struct otlp_decoder *d, size_t at, uint64_t n)
{
    size_t end = d->enc.len;
    buf_varint(&d->enc, n);
    if (d->enc.error || end < at)
        return;
    uint8_t count[10];
    size_t k = d->enc.len - end;
    memcpy(count, d->enc.ptr + end, k);
    memmove(d->enc.ptr + at + k, d->enc.ptr + at, end - at);
    memcpy(d->enc.ptr + at, count, k);
}

static int read_bytes(struct otlp_json *j, str *ret_s)
{
    str text;
    size_t n;
    int rc = otlp_json_str(j, &text);
    if (rc < 0)
        return rc;
    *ret_s = STR("");
    uint8_t *p = otlp_alloc(j->d, base64_decoded_max(text.len), 1, &rc);
    if (!p)
        return rc;
    if (!base64_decode(p, text, &n))
        return otlp_bad_why(j->d, j->r.p, "expected base64");
    *ret_s = str_of(p, n);
    return 0;
}

static int read_scalar(struct otlp_json *j, int kind, struct value *ret_v)
{
    struct value v = { .type = VALUE_NULL };
    int rc = 0;
    switch (kind) {
    case ANY_STRING:
        v.type = VALUE_STR;
        rc = otlp_json_str(j, &v.s);
        break;
    case ANY_BOOL:
        v.type = VALUE_BOOL;
        rc = otlp_json_bool(j, &v.b);
        break;
    case ANY_INT:
        v.type = VALUE_INT;
        rc = otlp_json_i64(j, &v.i);
        break;
    case ANY_DOUBLE:
        v.type = VALUE_DOUBLE;
        rc = otlp_json_double(j, &v.d);
        break;
    case ANY_BYTES:
        v.type = VALUE_BYTES;
        rc = read_bytes(j, &v.s);
        break;
    }
    if (rc < 0)
        return rc;
    if ((v.type == VALUE_STR || v.type == VALUE_BYTES) && v.s.len > j->d->limits->value_size_max)
        otlp_reject(j->d, OTLP_WHY_SIZE);
    *ret_v = v;
    return 0;
}

static void put_key(struct buf *enc, str key)
{
    buf_varint(enc, key.len);
    buf_str(enc, key);
}

// Puts another key before the value that stands at [value_at, end): appends both anew, then moves them down.
static void replace_key(struct buf *enc, size_t at, size_t value_at, str key)
{
    size_t end = enc->len, value_n = end - value_at;
    put_key(enc, key);
    uint8_t *copy = buf_extend(enc, value_n);
    if (!copy)
        return;
    memcpy(copy, enc->ptr + value_at, value_n);
    enc->len -= end - at;
    memmove(enc->ptr + at, enc->ptr + end, enc->len - at);
}

// One KeyValue, members in any order and repeated. Every value is encoded at most once, or nesting would
// double the work at each level.
static int encode_entry(struct otlp_json *j, unsigned depth)
{
    struct buf *enc = &j->d->enc;
    struct otlp_json value = { .d = NULL }; // stands before the key: passed over for now
    size_t at = enc->len, value_at = at;    // value_at > at: the value is encoded there, behind some key
    bool has_key = false;
    str key = STR(""), written = STR("");
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, kv_names, 2, &i)) > 0) {
        if (i == KV_KEY) {
            has_key = true;
            rc = otlp_json_str(j, &key);
        } else if (has_key) {
            enc->len = enc->len < at ? enc->len : at;
            put_key(enc, written = key);
            value_at = enc->len;
            rc = otlp_json_encode_value(j, depth + 1);
        } else {
            value = *j;
            if (json_peek(&j->r) != JSON_OBJECT)
                rc = otlp_json_object(j); // says what is wrong
            else if ((rc = json_pass(&j->r)) < 0)
                rc = otlp_json_bad(j, rc);
        }
        if (rc < 0)
            return rc;
    }
    if (rc < 0 || enc->error)
        return rc;
    if (value_at > at) {
        if (!str_eq(key, written))
            replace_key(enc, at, value_at, key);
        return 0;
    }
    put_key(enc, key);
    if (value.d)
        return otlp_json_encode_value(&value, depth + 1);
    buf_byte(enc, VALUE_NULL);
    return 0;
}

// The array of KeyValue that the reader stands before.
int otlp_json_encode_map(struct otlp_json *j, unsigned depth)
{
    struct buf *enc = &j->d->enc;
    uint64_t n = 0;
    int rc = otlp_json_array(j);
    if (rc < 0)
        return rc;
    buf_byte(enc, VALUE_MAP);
    size_t at = enc->len;
    for (; (rc = otlp_json_element(j)) > 0; n++)
        if ((rc = encode_entry(j, depth)) < 0)
            return rc;
    otlp_json_insert_count(j->d, at, n);
    return rc;
}

static int encode_list(struct otlp_json *j, unsigned depth)
{
    struct buf *enc = &j->d->enc;
    uint64_t n = 0;
    int rc = otlp_json_array(j);
    if (rc < 0)
        return rc;
    buf_byte(enc, VALUE_LIST);
    size_t at = enc->len;
    for (; (rc = otlp_json_element(j)) > 0; n++) {
        if (json_null(&j->r))
            buf_byte(enc, VALUE_NULL);
        else if ((rc = otlp_json_encode_value(j, depth + 1)) < 0)
            return rc;
    }
    otlp_json_insert_count(j->d, at, n);
    return rc;
}

// {"values": [...]} of an ArrayValue or KeyValueList.
static int encode_nested(struct otlp_json *j, int kind, unsigned depth)
{
    struct buf *enc = &j->d->enc;
    size_t at = enc->len;
    if (depth >= VALUE_DEPTH_MAX) {
        otlp_reject(j->d, OTLP_WHY_DEPTH);
        return otlp_json_skip(j);
    }
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    buf_byte(enc, kind == ANY_ARRAY ? VALUE_LIST : VALUE_MAP);
    buf_byte(enc, 0);
    while ((rc = otlp_json_member(j, values_name, 1, &i)) > 0) {
        enc->len = enc->len < at ? enc->len : at; // a repeat replaces
        if ((rc = kind == ANY_ARRAY ? encode_list(j, depth) : otlp_json_encode_map(j, depth)) < 0)
            return rc;
    }
    return rc;
}

int otlp_json_encode_value(struct otlp_json *j, unsigned depth)
{
    struct buf *enc = &j->d->enc;
    struct value v = { .type = VALUE_NULL };
    size_t at = enc->len;
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    value_encode(enc, &v);
    while ((rc = otlp_json_member(j, any_names, ANY_KINDS, &i)) > 0) {
        enc->len = enc->len < at ? enc->len : at; // the last member that is set counts
        if (i == ANY_ARRAY || i == ANY_KVLIST)
            rc = encode_nested(j, i, depth);
        else if ((rc = read_scalar(j, i, &v)) == 0)
            value_encode(enc, &v);
        if (rc < 0)
            return rc;
    }
    return rc;
}

int otlp_json_value(struct otlp_json *j, struct value *ret_v)
{
    int i, rc = otlp_json_object(j);
    *ret_v = (struct value){ .type = VALUE_NULL };
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, any_names, ANY_KINDS, &i)) > 0) {
        if (i != ANY_ARRAY && i != ANY_KVLIST)
            rc = read_scalar(j, i, ret_v);
        else if ((rc = encode_nested(j, i, 0)) == 0)
            rc = otlp_enc_keep(j->d, ret_v);
        if (rc < 0)
            return rc;
    }
    return rc;
}

static int read_attr(struct otlp_json *j, struct attr *a)
{
    int i, rc = otlp_json_object(j);
    a->key = STR("");
    a->value = (struct value){ .type = VALUE_NULL };
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, kv_names, 2, &i)) > 0)
        if ((rc = i == KV_KEY ? otlp_json_str(j, &a->key) : otlp_json_value(j, &a->value)) < 0)
            return rc;
    if (a->key.len > j->d->limits->value_size_max)
        otlp_reject(j->d, OTLP_WHY_SIZE);
    return rc;
}

int otlp_json_record_attrs(struct otlp_json *j)
{
    int rc = otlp_json_array(j);
    if (rc < 0)
        return rc;
    for (int64_t i = 0; (rc = otlp_json_element(j)) > 0; i++) {
        struct attr *a = otlp_attr_next(j->d);
        if (a)
            a->level = ATTR_RECORD;
        if ((rc = a ? read_attr(j, a) : otlp_json_skip(j)) < 0)
            return otlp_trail(j->d, rc, "attributes", i);
    }
    return rc;
}

int otlp_json_attrs(struct otlp_json *j, enum attr_level level, uint32_t extra, struct attr **ret_attrs,
                    uint32_t *ret_n)
{
    struct otlp_json ahead = *j;
    uint64_t count = 0;
    int rc = otlp_json_array(&ahead);
    *ret_attrs = NULL;
    *ret_n = 0;
    if (rc < 0)
        return rc;
    for (; (rc = otlp_json_element(&ahead)) > 0; count++)
        if ((rc = otlp_json_skip(&ahead)) < 0)
            return rc;
    if (rc < 0)
        return rc;
    if (count > j->d->limits->attrs_max) {
        otlp_reject(j->d, OTLP_WHY_ATTRS);
        *j = ahead;
        return 0;
    }
    struct attr *attrs = count + extra ? otlp_alloc(j->d, count + extra, sizeof *attrs, &rc) : NULL;
    if (!attrs) {
        *j = ahead;
        return rc;
    }
    if ((rc = otlp_json_array(j)) < 0)
        return rc;
    for (uint32_t n = 0; (rc = otlp_json_element(j)) > 0; n++) {
        attrs[n].level = (uint8_t)level;
        if ((rc = read_attr(j, &attrs[n])) < 0)
            return otlp_trail(j->d, rc, "attributes", n);
    }
    *ret_attrs = attrs;
    *ret_n = (uint32_t)count;
    return rc;
}
