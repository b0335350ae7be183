// One way for sealing and merging: rows of any segments in the order of the new part, into its file.
#include "store/part_build.h"

#include "base/mem.h"
#include "base/must.h"

uint64_t part_build_memory(const struct segment *input)
{
    const struct segment_info *info = segment_info(input);
    return (uint64_t)segment_traces(input) * 48 + (info->head ? info->rows * 32 : 0) +
           (info->source == RECORD_EVENTS ? info->rows * 32 : 0);
}

static uint64_t memory_of_inputs(const struct build *b)
{
    uint64_t need = 0;
    for (uint32_t i = 0; i < b->inputs_n; i++)
        need += part_build_memory(b->inputs[i].s);
    return need;
}

static int build_open(struct build *b, const struct part_env *env, const struct segment *const *inputs, uint32_t n)
{
    arena_init(&b->keep, PART_BUILD_MEMORY_MAX);
    buf_init(&b->tail, CHUNK_RAW_MAX);
    for (int t = 0; t < TABLE_N; t++)
        arena_init(&b->t[t].strings, CHUNK_RAW_MAX);
    b->time_min = b->received_min = INT64_MAX;
    b->time_max = b->received_max = b->duration_max = INT64_MIN;
    b->same_trace = UINT64_MAX;
    b->inputs = mem_calloc(n, sizeof *b->inputs);
    if (!b->inputs)
        return ERR_NOMEM;
    b->inputs_n = n;
    for (uint32_t i = 0; i < n; i++)
        b->inputs[i].s = inputs[i];
    if (memory_of_inputs(b) > PART_BUILD_MEMORY_MAX)
        return ERR_LIMIT;
    for (uint32_t i = 0; i < n; i++) {
        int e = input_open(b, &b->inputs[i], inputs[i]);
        if (e < 0)
            return e;
    }
    int e = columns_plan(b);
    if (e < 0 || (e = entities_rank(&b->resources)) < 0 || (e = entities_rank(&b->scopes)) < 0 ||
        (e = order_prepare(b)) < 0)
        return e;
    key_index_plan(b);
    if (b->heap_n == 0)
        return ERR_NOENT;
    if ((e = part_writer_open(&b->w, env, b->source, b->options)) < 0 ||
        (e = part_series_new(&b->w, CHUNK_TRACE_IDS, 0, 0, &b->trace_ids_series)) < 0)
        return e;
    return part_series_new(&b->w, CHUNK_TRACE_ROWS, 0, 0, &b->trace_rows_series);
}

static void build_done(struct build *b)
{
    part_writer_done(&b->w);
    for (uint32_t i = 0; b->inputs && i < b->inputs_n; i++)
        input_close(&b->inputs[i]);
    mem_free(b->inputs);
    for (int t = 0; t < TABLE_N; t++)
        table_free(&b->t[t]);
    entities_free(&b->resources);
    entities_free(&b->scopes);
    traces_free(&b->traces);
    key_index_free(b);
    mem_free(b->heap);
    mem_free(b->series);
    mem_free(b->series_slots);
    mem_free(b->same);
    buf_free(&b->tail);
    arena_free(&b->keep);
}

// ---- duplicates ----------------------------------------------------------------------------------------

static uint32_t same_slot(const struct same_span *t, uint32_t size, struct same_span s)
{
    uint32_t at = (uint32_t)build_hash(&s, sizeof s) & (size - 1);
    while (t[at].resource && (t[at].span != s.span || t[at].resource != s.resource))
        at = (at + 1) & (size - 1);
    return at;
}

// A hash table that starts small: nearly always it holds one.
static int same_grow(struct build *b)
{
    uint32_t size = b->same_used ? b->same_used * 4 : 8;
    if (b->same_used == 0 && b->same_cap >= size) {
        b->same_used = size;
        return 0;
    }
    struct same_span *fresh = mem_calloc(size, sizeof *fresh);
    if (!fresh)
        return ERR_NOMEM;
    for (uint32_t k = 0; k < b->same_used; k++)
        if (b->same[k].resource)
            fresh[same_slot(fresh, size, b->same[k])] = b->same[k];
    mem_free(b->same);
    b->same = fresh;
    b->same_cap = b->same_used = size;
    return 0;
}

// 1: it is there already.
static int same_add(struct build *b, struct same_span s)
{
    if ((b->same_n + 1) * 2 > b->same_used) {
        int e = same_grow(b);
        if (e < 0)
            return e;
    }
    uint32_t at = same_slot(b->same, b->same_used, s);
    if (b->same[at].resource)
        return 1;
    b->same[at] = s;
    b->same_n++;
    return 0;
}

// Rows come in the order of (trace, start): those that may be the same stand side by side. 1: drop this one.
static int is_duplicate(struct build *b, const struct build_input *in, const struct rows *rows, uint32_t i)
{
    if (b->source != RECORD_SPANS || rows->trace[i] == TRACE_NONE)
        return 0;
    struct same_span s = { rows->span[i], in->resource_map[rows->resource[i]] + 1u };
    if (in->key_a != b->same_trace || rows->time[i] != b->same_time) {
        b->same_trace = in->key_a;
        b->same_time = rows->time[i];
        b->same_first = s;
        if (b->same_used)
            memset(b->same, 0, sizeof *b->same * b->same_used);
        b->same_n = b->same_used = 0;
        return 0;
    }
    if (b->same_first.resource) { // two of them: now the table is needed
        struct same_span first = b->same_first;
        b->same_first.resource = 0;
        int e = first.span ? same_add(b, first) : 0;
        if (e < 0)
            return e;
    }
    return s.span ? same_add(b, s) : 0;
}

// ---- rows ----------------------------------------------------------------------------------------------

static int add_children(struct build *b, struct build_input *in, enum segment_table t, uint32_t number, uint32_t owner)
{
    uint32_t first, end;
    int e = segment_children(in->child_reader, t, number, &first, &end);
    for (uint32_t k = first; e == 0 && k < end; k++) {
        const struct rows *rows;
        if (k % BLOCK_ROWS >= segment_block_rows(in->s, t, k / BLOCK_ROWS))
            continue;
        if ((e = input_child_rows(in, t, k / BLOCK_ROWS, &rows)) == 0)
            e = block_add(b, in, t, rows, k % BLOCK_ROWS, in->child_reader, owner);
    }
    return e;
}

static int add_row(struct build *b, struct build_input *in, uint32_t number)
{
    struct input_slot *slot;
    int e = input_rows(b, in, number / BLOCK_ROWS, &slot);
    if (e < 0)
        return e;
    const struct rows *rows = &slot->rows;
    uint32_t i = number % BLOCK_ROWS;
    if ((e = is_duplicate(b, in, rows, i)) != 0) {
        b->duplicates += e == 1;
        return e < 0 ? e : 0;
    }
    uint32_t owner = b->t[TABLE_ROWS].blocks * BLOCK_ROWS + b->t[TABLE_ROWS].n;
    for (int t = TABLE_EVENTS; t < TABLE_N && e == 0; t++)
        if (in->t[t].owners && (in->t[t].owners[number / 64] >> (number % 64) & 1))
            e = add_children(b, in, (enum segment_table)t, number, owner);
    return e < 0 ? e : block_add(b, in, TABLE_ROWS, rows, i, slot->reader, 0);
}

static int add_rows(struct build *b)
{
    struct build_input *in;
    uint32_t number, blocks = 0;
    int more;
    while ((more = order_next(b, &in, &number)) > 0) {
        int e = add_row(b, in, number);
        if (e < 0)
            return e;
        if (b->t[TABLE_ROWS].blocks != blocks && b->options->pace) {
            blocks = b->t[TABLE_ROWS].blocks;
            if ((e = b->options->pace(b->options->pace_ctx, b->t[TABLE_ROWS].rows)) < 0)
                return e;
        }
    }
    return more;
}

static int build_finish(struct build *b)
{
    uint64_t end = (uint64_t)b->t[TABLE_ROWS].blocks * BLOCK_ROWS + b->t[TABLE_ROWS].n;
    int e = b->source == RECORD_SPANS && !b->traces_ended ? trace_end(b, end) : 0;
    for (int t = 0; t < TABLE_N && e == 0; t++)
        e = block_flush(b, (enum segment_table)t);
    if (e < 0 || (e = traces_write(b)) < 0 || (e = key_index_write(b)) < 0 || (e = dictionaries_write(b)) < 0)
        return e;
    struct part_footer f = { .word = { [FOOTER_ID] = b->options->id,
                                       [FOOTER_ROWS] = b->t[TABLE_ROWS].rows,
                                       [FOOTER_TIME_MIN] = (uint64_t)b->time_min,
                                       [FOOTER_TIME_MAX] = (uint64_t)b->time_max,
                                       [FOOTER_RECEIVED_MIN] = (uint64_t)b->received_min,
                                       [FOOTER_RECEIVED_MAX] = (uint64_t)b->received_max,
                                       [FOOTER_DURATION_MAX] = (uint64_t)b->duration_max,
                                       [FOOTER_DUPLICATES] = b->duplicates,
                                       [FOOTER_TRACES] = b->traces_out,
                                       [FOOTER_HASH] = 1,
                                       [FOOTER_FLAGS] = b->source == RECORD_SPANS ? FOOTER_TRACE_ORDER : 0 } };
    for (int t = 0; t < TABLE_N; t++) {
        f.rows[t] = b->t[t].rows;
        f.blocks[t] = b->t[t].blocks;
        f.block_rows[t] = b->t[t].block_rows;
    }
    return part_writer_publish(&b->w, &f);
}

int part_build(const struct part_env *env, uint8_t source, const struct segment *const *inputs, uint32_t inputs_n,
               const struct part_build_options *options, struct part **ret_part, struct err *err)
{
    must(inputs_n >= 1 && inputs_n <= PART_INPUTS_MAX);
    struct build *b = mem_zalloc(sizeof *b);
    if (!b)
        return err_set(err, ERR_NOMEM, NULL, "no memory to build a part");
    b->options = options;
    b->source = source;
    b->w.file = -1;
    int e = build_open(b, env, inputs, inputs_n);
    if (e == 0)
        e = add_rows(b);
    if (e == 0)
        e = build_finish(b);
    build_done(b);
    mem_free(b);
    if (e < 0)
        return err_set(err, e, NULL, "could not build part %llu", (unsigned long long)options->id);
    return part_open(env, options->id, ret_part, err);
}
