#include "dump_rows.h"

#include "base/must.h"
#include "store/rows.h"

#include <inttypes.h>

static void put_text(struct buf *b, str s)
{
    buf_byte(b, '"');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < ' ' || c > '~' || c == '"')
            buf_printf(b, "\\%02x", c);
        else
            buf_byte(b, c);
    }
    buf_byte(b, '"');
}

static void put_attr(struct buf *b, uint8_t level, str key, uint8_t type, str s, uint64_t word)
{
    buf_printf(b, " %d:", level);
    put_text(b, key);
    buf_printf(b, "=%d:", type);
    if (type == VALUE_STR || type == VALUE_BYTES || type == VALUE_LIST || type == VALUE_MAP)
        put_text(b, s);
    else
        buf_printf(b, "%" PRIx64, word);
}

static void put_entity(struct buf *b, const struct record_entity *e)
{
    buf_str(b, STR(" {"));
    put_text(b, e->name);
    put_text(b, e->version);
    put_text(b, e->schema_url);
    buf_printf(b, "%u", e->dropped);
    for (uint32_t i = 0; i < e->attrs_n; i++) {
        const struct value *v = &e->attrs[i].value;
        bool text = v->type == VALUE_STR || v->type >= VALUE_BYTES;
        uint64_t word = v->type == VALUE_NULL ? 0 : v->type == VALUE_BOOL ? v->b : text ? 0 : (uint64_t)v->i;
        put_attr(b, e->attrs[i].level, e->attrs[i].key, v->type, text ? v->s : (str){ 0 }, word);
    }
    buf_str(b, STR("}"));
}

static int put_values(struct reader *r, enum segment_table t, uint32_t index, uint32_t shape_ord, bool by_rows,
                      const struct rows *rows, struct buf *b)
{
    struct shape shape = segment_shape(r->segment, t, shape_ord);
    for (uint32_t k = 0; k < shape.n; k++) {
        struct column c = segment_column(r->segment, t, shape.columns[k]);
        bool text = c.type == VALUE_STR || c.type >= VALUE_BYTES;
        uint64_t word;
        const struct dict *d;
        if (by_rows) {
            word = rows->values[rows->value_at[index] + k];
            d = text ? segment_dict(r->segment, t, COL_FIXED + shape.columns[k]) : NULL;
            if (text && !d)
                d = r->segment->ops->reader_block_dict(r, t, COL_FIXED + shape.columns[k]);
        } else {
            struct vec v;
            struct value one; // asked for alone it is the same
            int e = reader_value(r, t, shape.columns[k], index, &one);
            if (e < 0 || (e = reader_column(r, t, COL_FIXED + shape.columns[k], &v)) < 0)
                return e;
            must(vec_has(&v, index));
            must(one.type == c.type);
            must(c.type != VALUE_INT || one.i == v.i64[index]);
            must(c.type != VALUE_BOOL || one.b == v.u8[index]);
            must(c.type != VALUE_DOUBLE || memcmp(&one.d, &v.f64[index], sizeof one.d) == 0);
            must(!text || str_eq(one.s, dict_get(v.dict, v.ord[index])));
            word = v.kind == VEC_STR ? v.ord[index] : v.kind == VEC_U8 ? v.u8[index] : v.u64[index];
            d = v.dict;
        }
        must(!text || (d && word < d->n));
        put_attr(b, c.level, c.key, c.type, text ? dict_get(d, (uint32_t)word) : (str){ 0 }, word);
    }
    return 0;
}

static int put_children(struct reader *r, enum segment_table t, uint32_t number, bool by_rows, struct buf *b)
{
    uint32_t first, end;
    if (segment_blocks(r->segment, t) == 0)
        return 0;
    int e = segment_children(r, t, number, &first, &end);
    for (uint32_t i = first; e == 0 && i < end; i++) {
        uint32_t block = i / BLOCK_ROWS, at = i % BLOCK_ROWS;
        if (at >= segment_block_rows(r->segment, t, block))
            continue;
        struct vec time, name, shape;
        struct rows rows = { 0 };
        if ((e = reader_seek(r, t, block)) < 0 || (e = reader_column(r, t, COL_TIME, &time)) < 0 ||
            (e = reader_column(r, t, COL_NAME, &name)) < 0 || (e = reader_column(r, t, COL_SHAPE, &shape)) < 0)
            return e;
        if (by_rows && (e = r->segment->ops->reader_rows(r, t, &rows)) < 0)
            return e;
        buf_printf(b, "\n  %d: %" PRId64 " ", t, by_rows ? rows.time[at] : time.i64[at]);
        put_text(b, dict_get(name.dict, name.ord[at]));
        e = put_values(r, t, at, shape.u32[at], by_rows, &rows, b);
    }
    return e;
}

static const uint32_t fixed[] = { COL_TIME,     COL_DURATION, COL_RECEIVED, COL_PROJECT, COL_KIND,
                                  COL_STATUS,   COL_SEVERITY, COL_FLAGS,    COL_SPAN,    COL_PARENT,
                                  COL_RESOURCE, COL_SCOPE,    COL_NAME,     COL_TRACE,   COL_SHAPE };

static uint64_t word_of_rows(const struct rows *rows, uint32_t col, uint32_t i)
{
    switch (col) {
    case COL_TIME:
        return (uint64_t)rows->time[i];
    case COL_DURATION:
        return (uint64_t)rows->duration[i];
    case COL_RECEIVED:
        return (uint64_t)rows->received[i];
    case COL_PROJECT:
        return rows->project[i];
    case COL_KIND:
        return rows->kind[i];
    case COL_STATUS:
        return rows->status[i];
    case COL_SEVERITY:
        return rows->severity[i];
    case COL_FLAGS:
        return rows->flags[i];
    case COL_SPAN:
        return rows->span[i];
    case COL_PARENT:
        return rows->parent[i];
    case COL_RESOURCE:
        return rows->resource[i];
    case COL_SCOPE:
        return rows->scope[i];
    case COL_NAME:
        return rows->name[i];
    case COL_TRACE:
        return rows->trace[i];
    default:
        return rows->shape[i];
    }
}

int dump_row(struct reader *r, uint32_t block, uint32_t index, bool by_rows, struct buf *b)
{
    struct rows rows = { 0 };
    uint32_t shape = 0;
    int e = by_rows ? r->segment->ops->reader_rows(r, TABLE_ROWS, &rows) : 0;
    for (size_t k = 0; k < sizeof fixed / sizeof fixed[0] && e == 0; k++) {
        uint64_t word;
        struct vec v = { 0 };
        if (by_rows && fixed[k] != COL_NAME) {
            word = word_of_rows(&rows, fixed[k], index);
        } else {
            if ((e = reader_column(r, TABLE_ROWS, fixed[k], &v)) < 0)
                return e;
            word = v.kind == VEC_U8                         ? v.u8[index]
                   : v.kind == VEC_U32 || v.kind == VEC_STR ? v.u32[index]
                                                            : v.u64[index];
        }
        uint8_t id[16];
        switch (fixed[k]) {
        case COL_RESOURCE:
            put_entity(b, segment_resource(r->segment, (uint32_t)word));
            break;
        case COL_SCOPE:
            put_entity(b, segment_scope(r->segment, (uint32_t)word));
            break;
        case COL_NAME:
            put_text(b, dict_get(v.dict, v.ord[index]));
            break;
        case COL_SHAPE:
            shape = (uint32_t)word;
            break;
        case COL_TRACE:
            if (word == TRACE_NONE) {
                buf_str(b, STR(" -"));
            } else if ((e = segment_trace(r->segment, (uint32_t)word, id)) == 0) {
                for (int i = 0; i < 16; i++)
                    buf_printf(b, "%02x", id[i]);
            }
            break;
        default:
            buf_printf(b, " %" PRIx64, word);
        }
    }
    if (e < 0 || (e = put_values(r, TABLE_ROWS, index, shape, by_rows, &rows, b)) < 0)
        return e;
    uint32_t number = block * BLOCK_ROWS + index;
    if ((e = put_children(r, TABLE_EVENTS, number, by_rows, b)) < 0 ||
        (e = put_children(r, TABLE_LINKS, number, by_rows, b)) < 0)
        return e;
    return b->error;
}
