// Which row of the inputs comes next. Each input is a stream of its rows in the new part's order, and the streams
// are merged by key. A head is sorted once (by counting, then by time inside each group); a part is in
// order already, but for traces of which another part has an earlier span: those are visited by rank.
//
// Keys: spans (rank of the trace, 0), metrics (hash of the name, hash of the series), others (rank of the resource,
// 0); then the time; then the inputs in their order.
#include "base/hash.h"
#include "base/mem.h"
#include "base/must.h"
#include "store/part_build.h"

// ---- series of metrics ---------------------------------------------------------------------------------

static str string_at(const struct build_input *in, enum segment_table t, uint32_t col, const struct dict *dict,
                     struct reader *reader, uint64_t ord)
{
    const struct dict *d = dict ? dict : in->s->ops->reader_block_dict(reader, t, col);
    return d ? dict_get(d, (uint32_t)ord) : (str){ 0 };
}

// A series is a resource, a scope, a name and the record's attributes in any order. Hashes of content, so that the
// order is the same in every part.
static struct series_key series_of(const struct build *b, const struct build_input *in, struct reader *reader,
                                   const struct rows *rows, uint32_t i)
{
    const struct input_table *it = &in->t[TABLE_ROWS];
    struct shape shape = it->shapes[rows->shape[i]];
    uint64_t sum = 0;
    for (uint32_t k = 0; k < shape.n; k++) {
        const struct build_column *c = &b->t[TABLE_ROWS].columns[it->columns[shape.columns[k]].out];
        uint64_t v = rows->values[rows->value_at[i] + k];
        if (c->c.level != ATTR_RECORD)
            continue;
        if (value_is_string(c->c.type))
            v = hash64_str(
                string_at(in, TABLE_ROWS, COL_FIXED + shape.columns[k], it->columns[shape.columns[k]].dict, reader, v));
        sum += hash64_int(v ^ hash64_str(c->c.key) ^ c->c.type);
    }
    uint64_t resource = b->resources.hash[in->resource_map[rows->resource[i]]];
    uint64_t scope = b->scopes.hash[in->scope_map[rows->scope[i]]];
    str name = string_at(in, TABLE_ROWS, COL_NAME, it->names.dict, reader, rows->name[i]);
    return (struct series_key){ hash64_str(name), hash64_int(resource + hash64_int(scope + hash64_int(sum))) };
}

static int series_grow(struct build *b)
{
    uint32_t cap = b->series_cap ? b->series_cap * 2 : 1024;
    struct series_key *s = mem_reallocarray(b->series, cap, sizeof *s);
    if (!s)
        return ERR_NOMEM;
    b->series = s;
    uint32_t *slots = mem_calloc((size_t)cap * 2, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    mem_free(b->series_slots);
    b->series_slots = slots;
    b->series_mask = cap * 2 - 1;
    b->series_cap = cap;
    for (uint32_t i = 0; i < b->series_n; i++) {
        uint32_t at = (uint32_t)build_hash(&b->series[i], sizeof *b->series) & b->series_mask;
        while (slots[at])
            at = (at + 1) & b->series_mask;
        slots[at] = i + 1;
    }
    return 0;
}

static int series_intern(struct build *b, struct series_key k, uint32_t *ret_i)
{
    int e;
    if (b->series_n == b->series_cap && (e = series_grow(b)) < 0)
        return e;
    uint32_t at = (uint32_t)build_hash(&k, sizeof k) & b->series_mask;
    for (; b->series_slots[at]; at = (at + 1) & b->series_mask) {
        const struct series_key *o = &b->series[b->series_slots[at] - 1];
        if (o->a == k.a && o->b == k.b) {
            *ret_i = b->series_slots[at] - 1;
            return 0;
        }
    }
    b->series[b->series_n] = k;
    *ret_i = b->series_n++;
    b->series_slots[at] = b->series_n;
    return 0;
}

// Groups of this head's metrics become ranks by key; the keys are found by rank from now on.
static int series_rank(struct build *b, uint32_t *group, uint32_t n, struct series_key **ret_by_rank)
{
    uint32_t s = b->series_n;
    int64_t *key = mem_reallocarray(NULL, (size_t)s * 2 + 1, sizeof *key);
    uint32_t *order = mem_reallocarray(NULL, (size_t)s * 3 + 1, sizeof *order), *rank = order + 2 * s;
    struct series_key *by_rank = mem_reallocarray(NULL, (size_t)s + 1, sizeof *by_rank);
    int e = key && order && by_rank ? 0 : ERR_NOMEM;
    // Least significant word first, twice a stable sort; the bit flip makes signed order unsigned.
    for (int word = 0; word < 2 && e == 0; word++) {
        for (uint32_t i = 0; i < s; i++) {
            if (word == 0)
                order[i] = i;
            uint64_t w = word == 0 ? b->series[order[i]].b : b->series[order[i]].a;
            key[i] = (int64_t)(w ^ 1ull << 63);
        }
        sort_stable(key, order, s, key + s, order + s);
    }
    for (uint32_t i = 0; i < s && e == 0; i++) {
        rank[order[i]] = i;
        by_rank[i] = b->series[order[i]];
    }
    for (uint32_t i = 0; i < n && e == 0; i++)
        group[i] = rank[group[i]];
    mem_free(key);
    mem_free(order);
    if (e < 0)
        mem_free(by_rank);
    else
        *ret_by_rank = by_rank;
    return e;
}

// ---- heads ---------------------------------------------------------------------------------------------

// Number, time and group of every row in order of arrival.
static int head_collect(struct build *b, struct build_input *in, uint32_t n)
{
    uint32_t at = 0;
    for (uint32_t k = 0; k < in->blocks; k++) {
        struct input_slot *slot;
        int e = input_rows(b, in, k, &slot);
        if (e < 0)
            return e;
        const struct rows *rows = &slot->rows;
        uint32_t last = UNMAPPED, index = 0;
        for (uint32_t i = 0; i < rows->n; i++, at++) {
            must(at < n);
            in->row[at] = k * BLOCK_ROWS + i;
            in->time[at] = rows->time[i];
            if (b->source == RECORD_METRICS) {
                e = series_intern(b, series_of(b, in, slot->reader, rows, i), &in->group[at]);
            } else if (b->source != RECORD_SPANS) {
                in->group[at] = b->resources.rank[in->resource_map[rows->resource[i]]];
            } else if (rows->trace[i] == TRACE_NONE) {
                in->group[at] = b->traces.n; // behind all traces
            } else {
                if (rows->trace[i] != last)
                    e = trace_map_get(b, in, rows->trace[i], &index);
                last = rows->trace[i];
                in->group[at] = e < 0 ? 0 : b->traces.rank[index];
            }
            if (e < 0)
                return e;
        }
    }
    in->end = at;
    return 0;
}

// By group and time; equal ones stay as they came.
static int head_sort(struct build_input *in, uint32_t groups)
{
    uint32_t n = in->end;
    uint32_t *start = mem_calloc((size_t)groups + 1, sizeof *start);
    uint32_t *row = mem_reallocarray(NULL, n, sizeof *row), *group = mem_reallocarray(NULL, n, sizeof *group);
    int64_t *time = mem_reallocarray(NULL, n, sizeof *time);
    if (!start || !row || !group || !time) {
        mem_free(start);
        mem_free(row);
        mem_free(group);
        mem_free(time);
        return ERR_NOMEM;
    }
    for (uint32_t i = 0; i < n; i++)
        start[in->group[i]]++;
    for (uint32_t g = 0, at = 0; g <= groups; g++) {
        uint32_t here = g < groups ? start[g] : 0;
        start[g] = at;
        at += here;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = start[in->group[i]]++;
        row[at] = in->row[i], time[at] = in->time[i], group[at] = in->group[i];
    }
    // The unsorted arrays are scratch now.
    for (uint32_t g = 0, at = 0; g < groups; at = start[g++])
        if (start[g] - at > 1)
            sort_stable(time + at, row + at, start[g] - at, in->time, in->row);
    mem_free(in->row);
    mem_free(in->time);
    mem_free(in->group);
    mem_free(start);
    in->row = row, in->time = time, in->group = group;
    return 0;
}

static int head_prepare(struct build *b, struct build_input *in)
{
    uint64_t n = 0;
    for (uint32_t k = 0; k < in->blocks; k++)
        n += segment_block_rows(in->s, TABLE_ROWS, k);
    if (n > UINT32_MAX)
        return ERR_LIMIT;
    in->row = mem_reallocarray(NULL, n, sizeof *in->row);
    in->time = mem_reallocarray(NULL, n, sizeof *in->time);
    in->group = mem_reallocarray(NULL, n, sizeof *in->group);
    if (!in->row || !in->time || !in->group)
        return ERR_NOMEM;
    b->series_n = 0; // each head has series of its own; keys compare
    if (b->series_slots)
        memset(b->series_slots, 0, ((size_t)b->series_mask + 1) * sizeof *b->series_slots);
    int e = head_collect(b, in, (uint32_t)n);
    if (e < 0)
        return e;
    uint32_t groups = b->source == RECORD_SPANS ? b->traces.n + 1 : b->resources.canonical.n;
    if (b->source == RECORD_METRICS) {
        groups = b->series_n;
        e = series_rank(b, in->group, in->end, &in->series);
    }
    return e < 0 ? e : head_sort(in, groups);
}

static void head_key(const struct build *b, struct build_input *in)
{
    if (in->at == in->end) {
        in->done = true;
        return;
    }
    uint32_t group = in->group[in->at];
    in->number = in->row[in->at];
    in->key_time = in->time[in->at];
    in->key_a = in->series ? in->series[group].a : group;
    in->key_b = in->series ? in->series[group].b : 0;
}

// ---- parts ---------------------------------------------------------------------------------------------

static int part_prepare_spans(struct build *b, struct build_input *in)
{
    uint32_t n = in->traces_n;
    int64_t *key = mem_reallocarray(NULL, (size_t)n * 2, sizeof *key);
    uint32_t *tmp = mem_reallocarray(NULL, n, sizeof *tmp);
    in->trace_order = mem_reallocarray(NULL, n, sizeof *in->trace_order);
    int e = key && tmp && in->trace_order ? 0 : ERR_NOMEM;
    for (uint32_t i = 0; i < n && e == 0; i++) {
        in->trace_order[i] = i;
        // A trace without rows would be damage; it comes last and has an empty run.
        key[i] = in->trace_map[i] == UNMAPPED ? INT64_MAX : b->traces.rank[in->trace_map[i]];
    }
    if (e == 0)
        sort_stable(key, in->trace_order, n, key + n, tmp);
    mem_free(key);
    mem_free(tmp);
    return e;
}

// Sets number and number_end to the next run that is not empty: a trace's rows, or those without one.
static int part_next_run(struct build *b, struct build_input *in)
{
    uint64_t first, end, last = (uint64_t)in->blocks * BLOCK_ROWS;
    if (!in->trace_order) {
        in->number_end = (uint32_t)last;
        in->done = in->number >= in->number_end;
        return 0;
    }
    while (in->at < in->traces_n) {
        uint32_t ord = in->trace_order[in->at++];
        int e = segment_trace_rows(in->s, ord, &first, &end);
        if (e < 0)
            return e;
        if (first >= end)
            continue;
        if (end > last || in->trace_map[ord] == UNMAPPED)
            return ERR_CORRUPT;
        in->key_a = b->traces.rank[in->trace_map[ord]];
        in->number = (uint32_t)first;
        in->number_end = (uint32_t)end;
        return 0;
    }
    if (in->at++ > in->traces_n) {
        in->done = true;
        return 0;
    }
    // The rows behind the last trace in the part's own order.
    end = 0;
    int e = in->traces_n ? segment_trace_rows(in->s, in->traces_n - 1, &first, &end) : 0;
    in->key_a = b->traces.n;
    in->number = (uint32_t)end;
    in->number_end = (uint32_t)last;
    in->done = e == 0 && end >= last;
    return e;
}

static int part_key(struct build *b, struct build_input *in)
{
    struct input_slot *slot;
    // A run may end in the gap behind a short block.
    while (!in->done && (in->number >= in->number_end ||
                         in->number % BLOCK_ROWS >= segment_block_rows(in->s, TABLE_ROWS, in->number / BLOCK_ROWS))) {
        if (in->number < in->number_end) {
            in->number = (in->number / BLOCK_ROWS + 1) * BLOCK_ROWS;
            continue;
        }
        int e = part_next_run(b, in);
        if (e < 0)
            return e;
    }
    if (in->done)
        return 0;
    int e = input_rows(b, in, in->number / BLOCK_ROWS, &slot);
    if (e < 0)
        return e;
    const struct rows *rows = &slot->rows;
    uint32_t i = in->number % BLOCK_ROWS;
    in->key_time = rows->time[i];
    if (b->source == RECORD_METRICS) {
        struct series_key k = series_of(b, in, slot->reader, rows, i);
        in->key_a = k.a;
        in->key_b = k.b;
    } else if (b->source != RECORD_SPANS) {
        in->key_a = b->resources.rank[in->resource_map[rows->resource[i]]];
    }
    return 0;
}

// ---- merging -------------------------------------------------------------------------------------------

static bool input_before(const struct build_input *x, const struct build_input *y)
{
    if (x->key_a != y->key_a)
        return x->key_a < y->key_a;
    if (x->key_b != y->key_b)
        return x->key_b < y->key_b;
    if (x->key_time != y->key_time)
        return x->key_time < y->key_time;
    return x < y; // the order in which they were given
}

static void heap_down(struct build *b, uint32_t at)
{
    struct build_input **h = b->heap, *x = h[at];
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= b->heap_n)
            break;
        if (child + 1 < b->heap_n && input_before(h[child + 1], h[child]))
            child++;
        if (!input_before(h[child], x))
            break;
        h[at] = h[child];
        at = child;
    }
    h[at] = x;
}

static bool is_sorted_part(const struct build *b, const struct build_input *in)
{
    const struct segment_info *info = segment_info(in->s);
    return !info->head && (b->source != RECORD_SPANS || info->trace_order);
}

int order_prepare(struct build *b)
{
    int e = 0;
    if (b->source == RECORD_SPANS)
        e = traces_collect(b);
    b->heap = mem_reallocarray(NULL, b->inputs_n, sizeof(struct build_input *));
    if (!b->heap)
        e = ERR_NOMEM;
    for (uint32_t i = 0; i < b->inputs_n && e == 0; i++) {
        struct build_input *in = &b->inputs[i];
        if (is_sorted_part(b, in)) {
            in->sorted = true;
            if (b->source == RECORD_SPANS)
                e = part_prepare_spans(b, in);
            if (e == 0)
                e = part_key(b, in);
        } else if ((e = head_prepare(b, in)) == 0) {
            head_key(b, in);
        }
        if (e == 0 && !in->done)
            b->heap[b->heap_n++] = in;
    }
    for (uint32_t i = b->heap_n / 2; e == 0 && i-- > 0;)
        heap_down(b, i);
    return e;
}

int order_next(struct build *b, struct build_input **ret_in, uint32_t *ret_number)
{
    if (b->heap_n == 0)
        return 0;
    struct build_input *in = b->heap[0];
    if (in->taken) {
        int e = 0;
        in->taken = false;
        if (in->sorted) {
            in->number++;
            e = part_key(b, in);
        } else {
            in->at++;
            head_key(b, in);
        }
        if (e < 0)
            return e;
        if (in->done)
            b->heap[0] = b->heap[--b->heap_n];
        if (b->heap_n == 0)
            return 0;
        heap_down(b, 0);
        in = b->heap[0];
    }
    in->taken = true; // moved on at the next call, so that its rows stay as they are until then
    *ret_in = in;
    *ret_number = in->number;
    return 1;
}
