// Single values of a part's attribute columns: a trace or a page of records takes a dozen rows of a block of
// thousands, so that spreading whole columns over the rows would cost far more than looking the values up.
#include "base/must.h"
#include "store/part_reader_internal.h"

enum { GROUP_ROWS = 64 };

static struct part_reader *reader_of(struct reader *r)
{
    MAGIC_CHECK(r, READER_MAGIC);
    return (struct part_reader *)r;
}

// shape_rows[g * shapes_n + s]: rows of the block's shape s before row g * GROUP_ROWS.
static int shape_rows_count(struct reader_table *rt)
{
    uint32_t groups = (rt->n + GROUP_ROWS - 1) / GROUP_ROWS;
    uint16_t *rows = arena_alloc_array(&rt->arena, (size_t)groups * rt->shapes_n + rt->shapes_n, sizeof *rows);
    if (!rows)
        return ERR_NOMEM;
    memset(rows, 0, rt->shapes_n * sizeof *rows);
    for (uint32_t g = 0; g < groups; g++) {
        uint32_t end = rt->n - g * GROUP_ROWS < GROUP_ROWS ? rt->n : (g + 1) * GROUP_ROWS;
        uint16_t *next = rows + (size_t)(g + 1) * rt->shapes_n;
        memcpy(next, next - rt->shapes_n, rt->shapes_n * sizeof *rows);
        for (uint32_t i = g * GROUP_ROWS; i < end; i++)
            next[rt->row_shape[i]]++;
    }
    rt->shape_rows = rows;
    return 0;
}

// Where the value of a row stands among the column's values.
static uint32_t place_of(const struct reader_table *rt, const uint8_t *has, uint32_t row)
{
    const uint16_t *before = rt->shape_rows + (size_t)(row / GROUP_ROWS) * rt->shapes_n;
    uint32_t place = 0;
    for (uint32_t s = 0; s < rt->shapes_n; s++)
        place += has[s] ? before[s] : 0;
    for (uint32_t i = row / GROUP_ROWS * GROUP_ROWS; i < row; i++)
        place += has[rt->row_shape[i]];
    return place;
}

// The value as a word. Of integers and ordinals mostly without decoding the others.
static int word_at(struct part_reader *r, enum segment_table t, uint32_t col, struct reader_col *c, uint32_t place,
                   uint64_t *ret)
{
    uint8_t type = r->p->t[t].columns[col - COL_FIXED].type;
    bool own_words = type == VALUE_INT || type == VALUE_BOOL || r->p->t[t].dict[col] != NO_SERIES;
    int e = ERR_UNSUPPORTED;
    if (!c->dense_ready && own_words && c->n) {
        e = c->in.p ? 0 : reader_find(r, t, col, c->n, &c->in);
        if (e == 0 && value_is_string(type) && !c->dict)
            e = part_dict(r->p, r->p->t[t].dict[col], &c->dict);
        if (e == 0)
            e = decode_int_at(c->in, c->n, place, &r->t[t].arena, ret);
        if (e == 0 && ((value_is_string(type) && *ret >= c->dict->n) || (type == VALUE_BOOL && *ret > 1)))
            return ERR_CORRUPT;
        if (e != ERR_UNSUPPORTED)
            return e;
    }
    if ((e = reader_dense(r, t, col, &c)) == 0)
        *ret = c->dense[place];
    return e;
}

int part_reader_value(struct reader *reader, enum segment_table t, uint32_t column, uint32_t row,
                      struct value *ret_value)
{
    struct part_reader *r = reader_of(reader);
    struct reader_table *rt = &r->t[t];
    uint32_t col = COL_FIXED + column;
    struct reader_col *c;
    uint64_t word;
    must(rt->block != UINT32_MAX && row < rt->n && column < r->p->t[t].columns_n);
    *ret_value = (struct value){ .type = VALUE_NULL };
    int e = reader_shapes(r, t);
    if (e == 0)
        e = reader_has(r, t, col, &c);
    if (e == 0 && !rt->shape_rows)
        e = shape_rows_count(rt);
    if (e < 0 || !c->has[rt->row_shape[row]] || r->p->t[t].columns[column].type == VALUE_NULL)
        return e;
    if ((e = word_at(r, t, col, c, place_of(rt, c->has, row), &word)) < 0)
        return e == ERR_NOENT ? ERR_CORRUPT : e;
    ret_value->type = r->p->t[t].columns[column].type;
    switch (ret_value->type) {
    case VALUE_INT:
        ret_value->i = (int64_t)word;
        break;
    case VALUE_DOUBLE:
        memcpy(&ret_value->d, &word, sizeof word);
        break;
    case VALUE_BOOL:
        ret_value->b = word != 0;
        break;
    default:
        ret_value->s = dict_get(c->dict, (uint32_t)word);
        break;
    }
    return 0;
}
