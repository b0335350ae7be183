// The end of the chain: rows as cells to whoever asked, the columns that they had, and where the result goes on.
#include "base/hash.h"
#include "query/cursor.h"
#include "query/record_cells.h"
#include "query/text_fields.h"

enum {
    OUTPUT_ROWS = 1024,     // whole records that are held as cells at a time: each time their blocks are read anew
    RECORD_CELLS_MAX = 128, // of one kind
};

struct op_output {
    uint64_t max; // rows
    struct query_result_column *columns;
    bool *seen;
    uint32_t columns_n, declared, columns_max; // declared: those known before the first row
    struct query_cell *cells;                  // of one row
    bool have_last;
    struct row_order last;
    uint32_t last_tie;
};

static bool is_out_name(void *ctx, str name)
{
    const struct query_plan *plan = ctx;
    for (uint32_t i = 0; i < plan->out_count; i++) {
        if (str_eq(plan->columns[plan->out[i]].name, name))
            return true;
    }
    return false;
}

static void column_declare(struct op_output *o, str name)
{
    for (uint32_t i = 0; i < o->columns_n; i++) {
        if (str_eq(o->columns[i].name, name))
            return;
    }
    o->columns[o->columns_n++] = (struct query_result_column){ name, QVAL_MISSING };
}

// In the order of the cells: fixed fields of the kinds, what stands behind them, columns of steps.
static int columns_declare(struct op *op)
{
    struct exec *x = op->x;
    struct op_output *o = op->output;
    const struct query_plan *plan = x->plan;
    uint32_t max = plan->out_count + QUERY_SOURCE_COUNT * RECORD_CELLS_MAX;
    max += plan->out_fields != QUERY_NO_SLOT ? TEXT_FIELDS_MAX : 0;
    str name;
    o->columns = arena_alloc_array(&x->arena, max, sizeof *o->columns);
    o->seen = arena_zalloc(&x->arena, max);
    o->cells = arena_alloc_array(&x->arena, max, sizeof *o->cells);
    if (!o->columns || !o->seen || !o->cells)
        return exec_nomem(x);
    for (uint32_t s = 0; s < QUERY_SOURCE_COUNT && plan->out_records; s++) {
        if (!(plan->sources >> s & 1))
            continue;
        for (uint32_t i = 0; i < RECORD_CELLS_MAX && record_cell_name(s, i, &name); i++)
            column_declare(o, name);
    }
    for (uint32_t i = 0; i < plan->out_count; i++)
        column_declare(o, plan->columns[plan->out[i]].name);
    o->declared = o->columns_n;
    o->columns_max = max;
    return 0;
}

// A name that `parse` has found: into the list of columns, while there is room.
static int column_found(struct exec *x, struct op_output *o, str name)
{
    for (uint32_t i = 0; i < o->columns_n; i++) {
        if (str_eq(o->columns[i].name, name))
            return 0;
    }
    str kept;
    if (o->columns_n == o->columns_max)
        return 0;
    if (arena_dup(&x->arena, name, &kept) < 0)
        return exec_nomem(x);
    o->columns[o->columns_n++] = (struct query_result_column){ kept, QVAL_MISSING };
    return 0;
}

static void column_note(struct op_output *o, str name, uint8_t type)
{
    for (uint32_t i = 0; i < o->columns_n; i++) {
        struct query_result_column *c = &o->columns[i];
        if (c->name.ptr != name.ptr && !str_eq(c->name, name))
            continue;
        bool numbers = (c->type == QVAL_INT || c->type == QVAL_DOUBLE) && (type == QVAL_INT || type == QVAL_DOUBLE);
        if (!o->seen[i])
            c->type = type;
        else if (c->type != type)
            c->type = numbers ? QVAL_DOUBLE : QVAL_MISSING;
        o->seen[i] = true;
        return;
    }
}

int op_output_new(struct op *op)
{
    struct exec *x = op->x;
    op->output = arena_zalloc(&x->arena, sizeof *op->output);
    if (!op->output)
        return exec_nomem(x);
    uint64_t max = x->q->limit ? x->q->limit : x->plan->default_limit;
    op->output->max = op->left = max ? max : UINT64_MAX;
    return columns_declare(op);
}

static int send(struct op *op, const struct query_cell *cells, uint32_t n)
{
    struct exec *x = op->x;
    for (uint32_t i = 0; i < n; i++)
        column_note(op->output, cells[i].name, cells[i].value.type);
    x->stats.rows++;
    int rc = x->out->row ? x->out->row(x->out->ctx, cells, n) : 0;
    return rc < 0 ? exec_fail(x, rc) : 0;
}

// Fields of the text that `parse` has read, but for names that the row has already or that are ours.
static int fields_cells(struct op *op, struct vbatch *b, uint32_t i, uint32_t *n)
{
    struct exec *x = op->x;
    struct op_output *o = op->output;
    int32_t slot = x->plan->out_fields;
    struct value_reader r;
    struct value v;
    uint64_t left;
    str key;
    if (slot == QUERY_NO_SLOT)
        return 0;
    struct qval q = cvec_get(&b->slots[slot], i);
    struct value map = { .type = VALUE_MAP, .s = q.s };
    if (q.type != QVAL_MAP || value_open(&map, &r, &left) < 0)
        return 0;
    for (; left > 0 && value_read_key(&r, &key) == 0 && value_read(&r, &v) == 0; left--) {
        bool taken = key.len == 0 || key.ptr[0] == '_';
        for (uint32_t k = 0; k < o->declared && !taken; k++)
            taken = str_eq(o->columns[k].name, key);
        if (taken || *n == o->columns_max)
            continue;
        int rc = column_found(x, o, key);
        if (rc < 0)
            return rc;
        o->cells[(*n)++] = (struct query_cell){ key, qval_of_value(&v) };
    }
    return 0;
}

static int send_flat(struct op *op, struct vbatch *b, const uint32_t *index, uint32_t n)
{
    const struct query_plan *plan = op->x->plan;
    struct query_cell *cells = op->output->cells;
    int rc = 0;
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        uint32_t c = 0;
        for (uint32_t i = 0; i < plan->out_count; i++) {
            struct qval v = cvec_get(&b->slots[plan->out[i]], index[k]);
            if (v.type != QVAL_MISSING)
                cells[c++] = (struct query_cell){ plan->columns[plan->out[i]].name, v };
        }
        rc = fields_cells(op, b, index[k], &c);
        if (rc == 0)
            rc = send(op, cells, c);
    }
    return rc;
}

static int send_records(struct op *op, struct vbatch *b, const uint32_t *index, uint32_t n)
{
    struct exec *x = op->x;
    const struct query_plan *plan = x->plan;
    struct query_cell *cells = op->output->cells;
    struct record_row *rows = exec_scratch(x, n, sizeof *rows);
    if (!rows)
        return exec_nomem(x);
    int rc = record_rows(b, index, n, is_out_name, (void *)(uintptr_t)plan, rows);
    for (uint32_t k = 0; k < n && rc == 0; k++) {
        uint32_t c = rows[k].n;
        memcpy(cells, rows[k].cells, c * sizeof *cells);
        for (uint32_t i = 0; i < plan->out_count; i++) {
            struct qval v = cvec_get(&b->slots[plan->out[i]], index[k]);
            if (v.type != QVAL_MISSING)
                cells[c++] = (struct query_cell){ plan->columns[plan->out[i]].name, v };
        }
        rc = fields_cells(op, b, index[k], &c);
        if (rc == 0)
            rc = send(op, cells, c);
    }
    return rc;
}

int op_output_push(struct op *op, struct vbatch *b)
{
    struct exec *x = op->x;
    struct op_output *o = op->output;
    uint32_t *index, n;
    int rc = op_indexes(b, b->sel, &index, &n);
    if (rc < 0)
        return rc;
    while (x->offset > 0 && n > 0) { // answered before
        uint32_t pass = x->offset < n ? (uint32_t)x->offset : n;
        x->offset -= pass;
        index += pass;
        n -= pass;
    }
    if (n > op->left) {
        n = (uint32_t)op->left;
        x->stats.more = true;
        op->done = true;
    }
    if (n > 0 && b->orders) {
        o->have_last = true;
        o->last = b->orders[index[n - 1]];
        o->last_tie = b->ties[index[n - 1]];
    }
    op->left -= n;
    bool records = x->plan->out_records && b->kind == VBATCH_REFS;
    for (uint32_t from = 0; from < n && rc == 0; from += OUTPUT_ROWS) {
        uint32_t some = n - from < OUTPUT_ROWS ? n - from : OUTPUT_ROWS;
        struct arena_mark mark = arena_mark(&x->scratch);
        rc = records ? send_records(op, b, index + from, some) : send_flat(op, b, index + from, some);
        if (rc == 0)
            rc = exec_poll(x);
        arena_rewind(&x->scratch, mark);
    }
    return rc;
}

// Steps that neither reorder rows nor need them all: a place in the order of records is a place in the result.
static bool by_order(const struct query_plan *plan)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        switch (plan->steps[i].kind) {
        case QUERY_WHERE:
        case QUERY_LET:
        case QUERY_SELECT:
        case QUERY_BUCKET:
        case QUERY_EXTRACT:
        case QUERY_PARSE:
            continue;
        default:
            return false;
        }
    }
    return true;
}

static bool pages(const struct query_plan *plan)
{
    for (uint32_t i = 0; i < plan->step_count; i++) {
        if (query_step_groups(plan->steps[i].kind))
            return false;
    }
    return true;
}

static int next_print(struct op *op)
{
    struct exec *x = op->x;
    const struct op_output *o = op->output;
    struct cursor c = { .by_order = by_order(x->plan) && o->have_last,
                        .rows = x->rows_before + x->stats.rows,
                        .from = x->plan->from,
                        .to = x->plan->to,
                        .query = hash64_str(x->plan->canonical) };
    char text[CURSOR_LEN_MAX];
    if (!pages(x->plan))
        return 0;
    if (c.by_order)
        c.at = (struct scan_cursor){ .time = o->last.time,
                                     .received = o->last.received,
                                     .resource = o->last.resource,
                                     .source = (uint32_t)x->segs[o->last.ref.seg].source,
                                     .skip = o->last_tie + 1 };
    return arena_dup(&x->arena, str_of(text, cursor_print(&c, text)), &x->stats.next) < 0 ? exec_nomem(x) : 0;
}

int op_output_finish(struct op *op)
{
    struct op_output *o = op->output;
    struct exec *x = op->x;
    uint32_t n = 0;
    for (uint32_t i = 0; i < o->columns_n; i++) { // of records only what there was
        if (o->seen[i] || i >= o->declared || !x->plan->out_records || is_out_name(x->plan, o->columns[i].name))
            o->columns[n++] = o->columns[i];
    }
    x->stats.columns = o->columns;
    x->stats.columns_n = n;
    return x->stats.more ? next_print(op) : 0;
}

void op_output_free(struct op *op) { op->output = NULL; }
