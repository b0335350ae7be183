// The public face of segments: each call goes to the head's or the part's own way of doing it.
#include "store/segment.h"

#include "base/must.h"
#include "store/rows.h"

static const struct segment_ops *ops_of(const struct segment *s)
{
    MAGIC_CHECK(s, SEGMENT_MAGIC);
    return s->ops;
}

const struct segment_info *segment_info(const struct segment *s)
{
    MAGIC_CHECK(s, SEGMENT_MAGIC);
    return &s->info;
}

uint32_t segment_blocks(const struct segment *s, enum segment_table t) { return ops_of(s)->blocks(s, t); }
uint32_t segment_block_rows(const struct segment *s, enum segment_table t, uint32_t block)
{
    return ops_of(s)->block_rows(s, t, block);
}
uint32_t segment_columns(const struct segment *s, enum segment_table t) { return ops_of(s)->columns(s, t); }
struct column segment_column(const struct segment *s, enum segment_table t, uint32_t i)
{
    return ops_of(s)->column(s, t, i);
}
uint32_t segment_resources(const struct segment *s) { return ops_of(s)->resources(s); }
const struct record_entity *segment_resource(const struct segment *s, uint32_t ord)
{
    return ops_of(s)->resource(s, ord);
}
uint64_t segment_resource_hash(const struct segment *s, uint32_t ord) { return ops_of(s)->resource_hash(s, ord); }
uint32_t segment_scopes(const struct segment *s) { return ops_of(s)->scopes(s); }
const struct record_entity *segment_scope(const struct segment *s, uint32_t ord) { return ops_of(s)->scope(s, ord); }
uint32_t segment_shapes(const struct segment *s, enum segment_table t) { return ops_of(s)->shapes(s, t); }
struct shape segment_shape(const struct segment *s, enum segment_table t, uint32_t ord)
{
    return ops_of(s)->shape(s, t, ord);
}
uint32_t segment_traces(const struct segment *s) { return ops_of(s)->traces(s); }
int segment_trace(const struct segment *s, uint32_t ord, uint8_t ret_id[16])
{
    return ops_of(s)->trace(s, ord, ret_id);
}

int segment_find_trace(const struct segment *s, const uint8_t id[16], uint32_t *ret_ord)
{
    return ops_of(s)->find_trace(s, id, ret_ord);
}

int segment_trace_rows(const struct segment *s, uint32_t ord, uint64_t *ret_first, uint64_t *ret_end)
{
    return ops_of(s)->trace_rows(s, ord, ret_first, ret_end);
}

int segment_find_string(const struct segment *s, uint32_t column, str value, uint64_t *blocks)
{
    const struct segment_ops *ops = ops_of(s);
    return ops->find_string ? ops->find_string(s, column, value, blocks) : ERR_UNSUPPORTED;
}

bool segment_block_range(const struct segment *s, enum segment_table t, uint32_t block, uint32_t col, int64_t *ret_min,
                         int64_t *ret_max)
{
    return ops_of(s)->block_range(s, t, block, col, ret_min, ret_max);
}

const struct dict *segment_dict(const struct segment *s, enum segment_table t, uint32_t col)
{
    return ops_of(s)->dict(s, t, col);
}

static const struct segment_ops *ops_of_reader(const struct reader *r)
{
    MAGIC_CHECK(r, READER_MAGIC);
    return r->segment->ops;
}

int segment_children(struct reader *r, enum segment_table t, uint32_t row, uint32_t *ret_first, uint32_t *ret_end)
{
    return ops_of_reader(r)->children(r, t, row, ret_first, ret_end);
}

int reader_open(const struct segment *s, struct reader **ret_reader) { return ops_of(s)->reader_open(s, ret_reader); }

void reader_close(struct reader *r)
{
    if (r)
        ops_of_reader(r)->reader_close(r);
}

int reader_seek(struct reader *r, enum segment_table t, uint32_t block)
{
    return ops_of_reader(r)->reader_seek(r, t, block);
}
int reader_column(struct reader *r, enum segment_table t, uint32_t col, struct vec *ret_vec)
{
    return ops_of_reader(r)->reader_column(r, t, col, ret_vec);
}

int reader_strings(struct reader *r, enum segment_table t, uint32_t col, const struct strings_wanted *wanted,
                   struct vec *ret_vec)
{
    const struct segment_ops *ops = ops_of_reader(r);
    return ops->reader_strings ? ops->reader_strings(r, t, col, wanted, ret_vec)
                               : ops->reader_column(r, t, col, ret_vec);
}

static int value_of_column(struct reader *r, enum segment_table t, uint32_t column, uint32_t row, struct value *ret)
{
    struct vec v;
    int e = ops_of_reader(r)->reader_column(r, t, COL_FIXED + column, &v);
    *ret = (struct value){ .type = VALUE_NULL };
    if (e < 0 || !vec_has(&v, row))
        return e;
    ret->type = segment_column(r->segment, t, column).type;
    switch (ret->type) {
    case VALUE_NULL:
        break;
    case VALUE_INT:
        ret->i = v.i64[row];
        break;
    case VALUE_DOUBLE:
        ret->d = v.f64[row];
        break;
    case VALUE_BOOL:
        ret->b = v.u8[row];
        break;
    default:
        ret->s = dict_get(v.dict, v.ord[row]);
        break;
    }
    return 0;
}

int reader_value(struct reader *r, enum segment_table t, uint32_t column, uint32_t row, struct value *ret_value)
{
    const struct segment_ops *ops = ops_of_reader(r);
    return ops->reader_value ? ops->reader_value(r, t, column, row, ret_value)
                             : value_of_column(r, t, column, row, ret_value);
}

uint64_t reader_bytes(const struct reader *r) { return ops_of_reader(r)->reader_bytes(r); }

int reader_rows(struct reader *r, enum segment_table t, struct rows *ret_rows)
{
    return ops_of_reader(r)->reader_rows(r, t, ret_rows);
}

const struct dict *reader_dict(struct reader *r, enum segment_table t, uint32_t col)
{
    const struct dict *d = segment_dict(r->segment, t, col);
    return d ? d : ops_of_reader(r)->reader_block_dict(r, t, col);
}
