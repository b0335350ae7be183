#include "part_model.h"

#include "base/must.h"
#include "dump_rows.h"
#include "store/rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka wants these before it
#include <cmocka.h>

void model_fill(struct fake_segment *f, struct record_maker *m, uint8_t source, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        struct record_entity resource = record_maker_resource(m), scope = record_maker_scope(m);
        struct record r = record_maker_record(m, source);
        int64_t received = 1767225600ll * 1000000000 + (int64_t)i / 50 * 1000000;
        fake_segment_add(f, 1 + (uint32_t)record_maker_next(m, 2), received, &resource, &scope, &r);
        if (record_maker_next(m, 10) == 0) // sent again
            fake_segment_add(f, 1, received, &resource, &scope, &r);
        record_maker_reset(m);
    }
}

static int row_read(struct reader *r, uint32_t block, uint32_t i, bool by_rows, struct model_row *row)
{
    struct vec time, trace, span, resource;
    struct buf b;
    int e;
    if ((e = reader_column(r, TABLE_ROWS, COL_TIME, &time)) < 0 ||
        (e = reader_column(r, TABLE_ROWS, COL_TRACE, &trace)) < 0 ||
        (e = reader_column(r, TABLE_ROWS, COL_SPAN, &span)) < 0 ||
        (e = reader_column(r, TABLE_ROWS, COL_RESOURCE, &resource)) < 0)
        return e;
    row->time = time.i64[i];
    row->span = span.u64[i];
    row->resource = segment_resource_hash(r->segment, resource.u32[i]);
    row->has_trace = trace.u32[i] != TRACE_NONE;
    if (row->has_trace && (e = segment_trace(r->segment, trace.u32[i], row->trace)) < 0)
        return e;
    buf_init(&b, 1 << 24);
    if ((e = dump_row(r, block, i, by_rows, &b)) < 0) {
        buf_free(&b);
        return e;
    }
    char *copy = malloc(b.len + 1);
    must(copy);
    memcpy(copy, b.ptr, b.len);
    copy[b.len] = 0;
    row->text = str_of(copy, b.len);
    buf_free(&b);
    return 0;
}

static int read_into(struct model *m, const struct segment *s, bool by_rows)
{
    struct reader *r;
    int e = reader_open(s, &r);
    if (e < 0)
        return e;
    for (uint32_t k = 0; k < segment_blocks(s, TABLE_ROWS) && e == 0; k++) {
        uint32_t n = segment_block_rows(s, TABLE_ROWS, k);
        e = reader_seek(r, TABLE_ROWS, k);
        m->row = realloc(m->row, (m->n + n) * sizeof *m->row);
        must(m->row);
        for (uint32_t i = 0; i < n && e == 0; i++) {
            struct model_row row = { .arrived = m->n };
            if ((e = row_read(r, k, i, by_rows, &row)) == 0)
                m->row[m->n++] = row;
        }
    }
    reader_close(r);
    return e;
}

struct model model_read(const struct segment *s, bool by_rows, int *ret_error)
{
    struct model m = { 0 };
    *ret_error = read_into(&m, s, by_rows);
    return m;
}

void model_free(struct model *m)
{
    for (uint32_t i = 0; i < m->n; i++)
        free((void *)(uintptr_t)m->row[i].text.ptr);
    free(m->row);
    *m = (struct model){ 0 };
}

static int by_span_order(const void *x, const void *y)
{
    const struct model_row *a = x, *b = y;
    if (a->has_trace != b->has_trace)
        return a->has_trace ? -1 : 1;
    if (a->has_trace && a->trace_first != b->trace_first)
        return a->trace_first < b->trace_first ? -1 : 1;
    if (a->has_trace && memcmp(a->trace, b->trace, 16) != 0)
        return memcmp(a->trace, b->trace, 16);
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->arrived < b->arrived ? -1 : 1;
}

static int by_resource_order(const void *x, const void *y)
{
    const struct model_row *a = x, *b = y;
    if (a->resource != b->resource)
        return (int64_t)a->resource < (int64_t)b->resource ? -1 : 1;
    if (a->time != b->time)
        return a->time < b->time ? -1 : 1;
    return a->arrived < b->arrived ? -1 : 1;
}

static bool same_trace(const struct model_row *a, const struct model_row *b)
{
    return a->has_trace && b->has_trace && memcmp(a->trace, b->trace, 16) == 0;
}

static void span_order(struct model *m)
{
    for (uint32_t i = 0; i < m->n; i++) {
        struct model_row *r = &m->row[i];
        r->trace_first = r->time;
        r->trace_arrived = i;
        for (uint32_t k = 0; k < i; k++) { // the trace is known: its first row has it all
            if (!same_trace(&m->row[k], r))
                continue;
            r->trace_arrived = m->row[k].trace_arrived;
            if (r->time < m->row[r->trace_arrived].trace_first)
                m->row[r->trace_arrived].trace_first = r->time;
            break;
        }
    }
    for (uint32_t i = 0; i < m->n; i++)
        m->row[i].trace_first = m->row[m->row[i].trace_arrived].trace_first;
    qsort(m->row, m->n, sizeof *m->row, by_span_order);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        struct model_row *r = &m->row[i];
        bool repeated = false;
        for (uint32_t k = kept; k-- > 0 && !repeated && m->row[k].time == r->time;)
            repeated =
                same_trace(&m->row[k], r) && r->span && m->row[k].span == r->span && m->row[k].resource == r->resource;
        if (repeated) {
            free((void *)(uintptr_t)r->text.ptr);
            m->duplicates++;
        } else {
            m->row[kept++] = *r;
        }
    }
    m->n = kept;
}

struct model model_of(uint8_t source, const struct segment *const *inputs, uint32_t inputs_n)
{
    struct model m = { 0 };
    for (uint32_t i = 0; i < inputs_n; i++)
        must(read_into(&m, inputs[i], false) == 0);
    if (source == RECORD_SPANS)
        span_order(&m);
    else if (source != RECORD_METRICS)
        qsort(m.row, m.n, sizeof *m.row, by_resource_order);
    return m;
}

void model_assert_same(const struct model *a, const struct model *b)
{
    assert_int_equal(a->n, b->n);
    for (uint32_t i = 0; i < a->n; i++) {
        if (str_eq(a->row[i].text, b->row[i].text))
            continue;
        print_error("row %u:\n%s\n%s\n", i, a->row[i].text.ptr, b->row[i].text.ptr);
        fail();
    }
}

static int by_text(const void *x, const void *y)
{
    return str_cmp(((const struct model_row *)x)->text, ((const struct model_row *)y)->text);
}

void model_assert_same_set(const struct model *a, const struct model *b)
{
    struct model x = *a, y = *b;
    x.row = malloc(a->n * sizeof *a->row + 1);
    y.row = malloc(b->n * sizeof *b->row + 1);
    must(x.row && y.row);
    memcpy(x.row, a->row, a->n * sizeof *a->row);
    memcpy(y.row, b->row, b->n * sizeof *b->row);
    qsort(x.row, x.n, sizeof *x.row, by_text);
    qsort(y.row, y.n, sizeof *y.row, by_text);
    model_assert_same(&x, &y);
    free(x.row);
    free(y.row);
}
