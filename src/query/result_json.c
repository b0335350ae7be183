#include "query/result_json.h"

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/numfmt.h"
#include "base/timefmt.h"
#include "query/error.h"
#include "query/fields.h"
#include "query/qval_ops.h"

enum { KEYS_BY_EYE = 16 };
#define JSON_INT_MAX ((1LL << 53) - 1)

static void put_int(struct result_json *j, struct json_writer *w, int64_t i)
{
    char text[32];
    if (!j->ints_as_strings && i >= -JSON_INT_MAX && i <= JSON_INT_MAX)
        json_put_int(w, i);
    else
        json_put_str(w, str_of(text, (size_t)fmt_i64(text, i)));
}

static void put_stored(struct result_json *j, struct json_writer *w, const struct value *v);

// Of equal keys the last one counts. pairs: where the keys of the map begin.
static bool key_later(struct value_reader r, uint64_t left, str key)
{
    struct value v;
    str k;
    for (; left > 0; left--) {
        if (value_read_key(&r, &k) < 0 || value_read(&r, &v) < 0)
            return false;
        if (str_eq(k, key))
            return true;
    }
    return false;
}

// Big maps: which of the n pairs are followed by one of the same key. NULL without memory (then none is dropped).
static uint8_t *keys_repeated(struct value_reader r, uint64_t n)
{
    uint64_t slots = 64, at = 0;
    struct value v;
    while (slots < 2 * n)
        slots *= 2;
    uint8_t *repeated = mem_zalloc(n);
    struct {
        str key;
        uint64_t at;
    } *table = mem_calloc(slots, sizeof *table);
    for (; repeated && table && at < n; at++) {
        str key;
        if (value_read_key(&r, &key) < 0 || value_read(&r, &v) < 0)
            break;
        uint64_t i = hash64_str(key) & (slots - 1);
        while (table[i].key.ptr && !str_eq(table[i].key, key))
            i = (i + 1) & (slots - 1);
        if (table[i].key.ptr)
            repeated[table[i].at] = 1;
        table[i].key = key;
        table[i].at = at;
    }
    mem_free(table);
    return repeated;
}

static void put_map(struct result_json *j, struct json_writer *w, const struct value *map)
{
    struct value_reader r;
    struct value v;
    uint64_t n = 0;
    str key;
    json_put_object(w);
    if (value_open(map, &r, &n) < 0)
        n = 0;
    uint8_t *repeated = n > KEYS_BY_EYE ? keys_repeated(r, n) : NULL;
    for (uint64_t i = 0; i < n; i++) {
        if (value_read_key(&r, &key) < 0 || value_read(&r, &v) < 0)
            break;
        if (v.type == VALUE_NULL)
            continue;
        if (repeated ? repeated[i] : n <= KEYS_BY_EYE && key_later(r, n - i - 1, key)) {
            j->repeated++;
            continue;
        }
        json_put_key(w, key);
        put_stored(j, w, &v);
    }
    mem_free(repeated);
    json_put_object_end(w);
}

static void put_list(struct result_json *j, struct json_writer *w, const struct value *list)
{
    struct value_reader r;
    struct value v;
    uint64_t n = 0;
    json_put_array(w);
    if (value_open(list, &r, &n) < 0)
        n = 0;
    for (; n > 0 && value_read(&r, &v) == 0; n--)
        put_stored(j, w, &v);
    json_put_array_end(w);
}

// Nesting is capped where values are read.
static void put_stored(struct result_json *j, struct json_writer *w, const struct value *v)
{
    struct qval q = qval_of_value(v);
    if (q.type == QVAL_MISSING)
        json_put_null(w); // an element of a list keeps its place
    else
        result_put_value(j, w, &q);
}

void result_put_value(struct result_json *j, struct json_writer *w, const struct qval *v)
{
    char text[40];
    struct value nested;
    switch ((enum qval_type)v->type) {
    case QVAL_BOOL:
        json_put_bool(w, v->b);
        break;
    case QVAL_INT:
    case QVAL_DURATION:
        put_int(j, w, v->i);
        break;
    case QVAL_DOUBLE:
        json_put_double(w, v->d);
        break;
    case QVAL_TIME:
        json_put_str(w, str_of(text, (size_t)fmt_rfc3339(text, v->i)));
        break;
    case QVAL_STR:
    case QVAL_ENUM:
        json_put_str(w, v->s);
        break;
    case QVAL_LEVEL:
        json_put_str(w, query_level_word((int)v->i));
        break;
    case QVAL_ID:
        json_put_hex(w, bytes_of(v->id, v->id_n));
        break;
    case QVAL_BYTES:
        json_put_base64(w, bytes_of_str(v->s));
        break;
    case QVAL_LIST:
        nested = (struct value){ .type = VALUE_LIST, .s = v->s };
        put_list(j, w, &nested);
        break;
    case QVAL_MAP:
        nested = (struct value){ .type = VALUE_MAP, .s = v->s };
        put_map(j, w, &nested);
        break;
    default:
        json_put_null(w);
        break;
    }
}

int result_put_row(struct result_json *j, struct buf *out, const struct query_cell *cells, uint32_t n)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_put_object(&w);
    for (uint32_t i = 0; i < n; i++) {
        json_put_key(&w, cells[i].name);
        result_put_value(j, &w, &cells[i].value);
    }
    json_put_object_end(&w);
    j->lossy += w.lossy;
    buf_byte(out, '\n');
    return out->error;
}

static void put_uint(struct json_writer *w, const char *name, uint64_t v)
{
    json_put_key(w, str_z(name));
    json_put_uint(w, v);
}

static void put_ms(struct json_writer *w, const char *name, int64_t ns)
{
    json_put_key(w, str_z(name));
    json_put_double(w, (double)(ns / 1000) / 1000);
}

// An open end of the range is null.
static void put_bound(struct json_writer *w, const char *name, int64_t t)
{
    char text[40];
    json_put_key(w, str_z(name));
    if (t == INT64_MIN || t == INT64_MAX)
        json_put_null(w);
    else
        json_put_str(w, str_of(text, (size_t)fmt_rfc3339(text, t)));
}

static void put_strs(struct json_writer *w, const char *name, const str *v, uint32_t n)
{
    json_put_key(w, str_z(name));
    json_put_array(w);
    for (uint32_t i = 0; i < n; i++)
        json_put_str(w, v[i]);
    json_put_array_end(w);
}

static void put_str_or_null(struct json_writer *w, const char *name, str s)
{
    json_put_key(w, str_z(name));
    if (s.len)
        json_put_str(w, s);
    else
        json_put_null(w);
}

int result_put_stats(struct result_json *j, struct buf *out, const struct query_stats *s)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_put_object(&w);
    json_put_key(&w, STR("_stats"));
    json_put_object(&w);
    put_uint(&w, "rows", s->rows);
    put_uint(&w, "matched", s->matched);
    put_uint(&w, "scanned", s->scanned);
    put_uint(&w, "bytes", s->bytes);
    put_uint(&w, "parts", s->parts);
    put_uint(&w, "parts_skipped", s->parts_skipped);
    put_uint(&w, "blocks", s->blocks);
    put_uint(&w, "blocks_skipped", s->blocks_skipped);
    put_ms(&w, "ms", s->elapsed_ns);
    put_ms(&w, "cpu_ms", s->cpu_ns);
    put_bound(&w, "from", s->from);
    put_bound(&w, "to", s->to);
    json_put_key(&w, STR("columns"));
    json_put_array(&w);
    for (uint32_t i = 0; i < s->columns_n; i++) {
        json_put_object(&w);
        json_put_key(&w, STR("name"));
        json_put_str(&w, s->columns[i].name);
        json_put_key(&w, STR("type"));
        if (s->columns[i].type == QVAL_MISSING)
            json_put_null(&w);
        else
            json_put_str(&w, qval_type_name(s->columns[i].type));
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_key(&w, STR("more"));
    json_put_bool(&w, s->more);
    put_str_or_null(&w, "next", s->next);
    json_put_key(&w, STR("approx"));
    json_put_array(&w);
    for (uint32_t i = 0; i < s->approx_n; i++) {
        json_put_object(&w);
        json_put_key(&w, STR("column"));
        json_put_str(&w, s->approx[i].column);
        json_put_key(&w, STR("error"));
        json_put_double(&w, s->approx[i].error);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    put_str_or_null(&w, "partial", s->partial);
    put_strs(&w, "hints", s->hints, s->hints_n);
    put_uint(&w, "uncomparable", s->uncomparable);
    put_uint(&w, "hidden", s->hidden);
    put_uint(&w, "without_trace", s->without_trace);
    put_uint(&w, "lossy", s->lossy + j->lossy);
    put_uint(&w, "repeated_keys", s->repeated_keys + j->repeated);
    put_strs(&w, "partial_buckets", s->partial_buckets, s->partial_buckets_n);
    if (s->compared) {
        json_put_key(&w, STR("compared"));
        json_put_object(&w);
        put_uint(&w, "in", s->compared_in);
        put_uint(&w, "out", s->compared_out);
        put_uint(&w, "fields", s->compared_fields);
        put_uint(&w, "left_out", s->compared_own);
        json_put_object_end(&w);
    }
    json_put_key(&w, STR("canonical"));
    json_put_str(&w, s->canonical);
    json_put_object_end(&w);
    json_put_object_end(&w);
    buf_byte(out, '\n');
    return out->error;
}
