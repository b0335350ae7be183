// Trace ids: those of all inputs in one table, in the order in which the new part will have them; and the new part's
// trace dictionary: pages of ids, pages of first rows, and buckets that lead from an id to its ordinal.
#include "base/hash.h"
#include "base/mem.h"
#include "store/encode_bits.h"
#include "store/part_build.h"

// ---- a stable sort -------------------------------------------------------------------------------------

static void sort_small(int64_t *key, uint32_t *value, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++) {
        int64_t k = key[i];
        uint32_t v = value[i], at = i;
        for (; at > 0 && key[at - 1] > k; at--)
            key[at] = key[at - 1], value[at] = value[at - 1];
        key[at] = k, value[at] = v;
    }
}

// Merges in place of order: what is sorted already (most of it, usually) is only looked at.
void sort_stable(int64_t *key, uint32_t *value, uint32_t n, int64_t *tmp_key, uint32_t *tmp_value)
{
    enum { SMALL = 24 };
    for (uint32_t at = 0; at < n; at += SMALL)
        sort_small(key + at, value + at, n - at < SMALL ? n - at : SMALL);
    for (uint64_t width = SMALL; width < n; width *= 2) {
        for (uint64_t at = 0; at + width < n; at += 2 * width) {
            uint32_t a = (uint32_t)at, mid = (uint32_t)(at + width);
            uint32_t end = at + 2 * width < n ? (uint32_t)(at + 2 * width) : n;
            if (key[mid - 1] <= key[mid])
                continue;
            uint32_t left = mid - a, i = 0, j = mid, to = a;
            memcpy(tmp_key, key + a, sizeof *key * left);
            memcpy(tmp_value, value + a, sizeof *value * left);
            while (i < left && j < end) {
                if (tmp_key[i] <= key[j])
                    key[to] = tmp_key[i], value[to++] = tmp_value[i++];
                else
                    key[to] = key[j], value[to++] = value[j++];
            }
            while (i < left)
                key[to] = tmp_key[i], value[to++] = tmp_value[i++];
        }
    }
}

// ---- ids of the inputs ---------------------------------------------------------------------------------

static int traces_grow(struct trace_table *tt, bool first)
{
    uint32_t cap = tt->cap ? tt->cap * 2 : 1024;
    if (cap > 1u << 28)
        return ERR_LIMIT;
    void *id = mem_reallocarray(tt->id, cap, 16);
    if (!id)
        return ERR_NOMEM;
    tt->id = id;
    if (first) {
        int64_t *f = mem_reallocarray(tt->first, cap, sizeof *f);
        if (!f)
            return ERR_NOMEM;
        tt->first = f;
    }
    uint32_t *slots = mem_calloc((size_t)cap * 2, sizeof *slots);
    if (!slots)
        return ERR_NOMEM;
    mem_free(tt->slots);
    tt->slots = slots;
    tt->mask = cap * 2 - 1;
    tt->cap = cap;
    for (uint32_t i = 0; i < tt->n; i++) {
        uint32_t at = (uint32_t)build_hash(tt->id[i], 16) & tt->mask;
        while (slots[at])
            at = (at + 1) & tt->mask;
        slots[at] = i + 1;
    }
    return 0;
}

static int trace_intern(struct build *b, const uint8_t id[16], uint32_t *ret_index)
{
    struct trace_table *tt = &b->traces;
    bool first = b->source == RECORD_SPANS;
    int e;
    if (tt->n == tt->cap && (e = traces_grow(tt, first)) < 0)
        return e;
    uint64_t lo = le64_get(id), hi = le64_get(id + 8);
    uint32_t at = (uint32_t)build_hash(id, 16) & tt->mask;
    for (; tt->slots[at]; at = (at + 1) & tt->mask) {
        const uint8_t *o = tt->id[tt->slots[at] - 1];
        if (le64_get(o) == lo && le64_get(o + 8) == hi) {
            *ret_index = tt->slots[at] - 1;
            return 0;
        }
    }
    memcpy(tt->id[tt->n], id, 16);
    if (first)
        tt->first[tt->n] = INT64_MAX;
    *ret_index = tt->n++;
    tt->slots[at] = tt->n;
    return 0;
}

int trace_map_get(struct build *b, struct build_input *in, uint32_t ord, uint32_t *ret_index)
{
    if (in->trace_map[ord] == UNMAPPED) {
        uint8_t id[16];
        int e = segment_trace(in->s, ord, id);
        if (e < 0 || (e = trace_intern(b, id, &in->trace_map[ord])) < 0)
            return e;
    }
    *ret_index = in->trace_map[ord];
    return 0;
}

static int traces_of_input(struct build *b, struct build_input *in)
{
    struct reader *r = in->child_reader;
    uint32_t blocks = segment_blocks(in->s, TABLE_ROWS);
    for (uint32_t k = 0; k < blocks; k++) {
        struct vec trace, time;
        int e = reader_seek(r, TABLE_ROWS, k);
        if (e < 0 || (e = reader_column(r, TABLE_ROWS, COL_TRACE, &trace)) < 0 ||
            (e = reader_column(r, TABLE_ROWS, COL_TIME, &time)) < 0)
            return e;
        uint32_t last = TRACE_NONE, index = 0;
        for (uint32_t i = 0; i < trace.n; i++) {
            if (trace.u32[i] == TRACE_NONE)
                continue;
            if (trace.u32[i] != last && (e = trace_map_get(b, in, trace.u32[i], &index)) < 0)
                return e;
            last = trace.u32[i];
            if (time.i64[i] < b->traces.first[index])
                b->traces.first[index] = time.i64[i];
        }
    }
    return 0;
}

// Traces that begin at the same time go by their ids, so that the order does not depend on how they came.
static void sort_ties(const struct trace_table *tt, int64_t *key, int64_t *tmp_key, uint32_t *tmp_value)
{
    for (uint32_t at = 0, end; at < tt->n; at = end) {
        for (end = at + 1; end < tt->n && key[end] == key[at]; end++) {}
        for (int half = 8; half >= 0 && end - at > 1; half -= 8) {
            for (uint32_t i = at; i < end; i++)
                key[i] = (int64_t)(be64_get(tt->id[tt->by_rank[i]] + half) ^ 1ull << 63);
            sort_stable(key + at, tt->by_rank + at, end - at, tmp_key, tmp_value);
        }
    }
}

int traces_collect(struct build *b)
{
    struct trace_table *tt = &b->traces;
    int e = 0;
    for (uint32_t i = 0; i < b->inputs_n && e == 0; i++)
        e = traces_of_input(b, &b->inputs[i]);
    if (e < 0)
        return e;
    int64_t *key = mem_reallocarray(NULL, (size_t)tt->n * 2, sizeof *key);
    uint32_t *tmp = mem_reallocarray(NULL, tt->n, sizeof *tmp);
    tt->rank = mem_reallocarray(NULL, tt->n, sizeof *tt->rank);
    tt->by_rank = mem_reallocarray(NULL, tt->n, sizeof *tt->by_rank);
    if (!key || !tmp || !tt->rank || !tt->by_rank) {
        e = ERR_NOMEM;
    } else {
        for (uint32_t i = 0; i < tt->n; i++)
            key[i] = tt->first[i], tt->by_rank[i] = i;
        sort_stable(key, tt->by_rank, tt->n, key + tt->n, tmp);
        sort_ties(tt, key, key + tt->n, tmp);
        for (uint32_t i = 0; i < tt->n; i++)
            tt->rank[tt->by_rank[i]] = i;
    }
    mem_free(key);
    mem_free(tmp);
    return e;
}

void traces_free(struct trace_table *tt)
{
    mem_free(tt->id);
    mem_free(tt->first);
    mem_free(tt->rank);
    mem_free(tt->by_rank);
    mem_free(tt->slots);
}

// ---- the new part's dictionary -------------------------------------------------------------------------

static const uint8_t *trace_id_out(const struct trace_table *tt, uint32_t ord)
{
    return tt->id[tt->by_rank ? tt->by_rank[ord] : ord];
}

// The page of first rows with the newest trace, which ends before row `end`.
static int write_rows_page(struct build *b, uint64_t end)
{
    uint32_t in_page = (b->traces_out - 1) % TRACE_PAGE + 1;
    struct chunk_entry entry = { .block = (b->traces_out - 1) / TRACE_PAGE };
    b->trace_first[in_page] = end;
    int e = encode_ints(part_writer_tight(&b->w), b->trace_first, in_page + 1, false, NULL, &b->w.scratch, NULL);
    return e < 0 ? e : part_series_write(&b->w, b->trace_rows_series, buf_bytes(&b->w.tight), false, &entry);
}

int trace_begin(struct build *b, uint64_t first_row)
{
    if (b->traces_out && b->traces_out % TRACE_PAGE == 0) {
        int e = write_rows_page(b, first_row);
        if (e < 0)
            return e;
    }
    b->trace_first[b->traces_out++ % TRACE_PAGE] = first_row;
    return 0;
}

int trace_end(struct build *b, uint64_t end_row) { return b->traces_out ? write_rows_page(b, end_row) : 0; }

static int write_ids(struct build *b)
{
    struct trace_table *tt = &b->traces;
    for (uint32_t at = 0; at < b->traces_out; at += TRACE_PAGE) {
        uint32_t n = b->traces_out - at < TRACE_PAGE ? b->traces_out - at : TRACE_PAGE;
        struct chunk_entry entry = { .block = at / TRACE_PAGE };
        buf_clear(&b->w.tight);
        uint8_t *p = buf_extend(&b->w.tight, (size_t)n * 16);
        if (!p)
            return b->w.tight.error;
        for (uint32_t i = 0; i < n; i++)
            memcpy(p + (size_t)i * 16, trace_id_out(tt, at + i), 16);
        // Random bytes, unless somebody's ids are 8 bytes long: the codec finds out quickly.
        int e = part_series_write(&b->w, b->trace_ids_series, buf_bytes(&b->w.tight), true, &entry);
        if (e < 0)
            return e;
    }
    return 0;
}

static int write_bucket(struct build *b, uint32_t series, uint32_t bucket, const uint64_t *hash, const uint32_t *ord,
                        uint32_t n, unsigned bits, int64_t *key, uint32_t *index)
{
    struct chunk_entry entry = { .block = bucket };
    struct buf *out = &b->w.tight;
    uint64_t *v = encode_scratch_get(&b->w.scratch, ENCODE_SCRATCH_STRINGS, n);
    if (!v)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < n; i++)
        key[i] = (int64_t)((hash[i] << bits) >> 48), index[i] = ord[i];
    sort_stable(key, index, n, key + n, index + n);
    buf_clear(out);
    buf_varint(out, n);
    for (uint32_t i = 0; i < n; i++) {
        buf_le16(out, (uint16_t)key[i]);
        v[i] = index[i];
    }
    int e = encode_ints((struct encode_out){ .tight = out }, v, n, false, NULL, &b->w.scratch, NULL);
    return e < 0 ? e : part_series_write(&b->w, series, buf_bytes(out), false, &entry);
}

// Ordinals by bucket (the hash's upper bits), in a bucket by the next 16 bits of the hash.
static int write_index(struct build *b)
{
    uint32_t n = b->traces_out, series;
    unsigned bits = 0;
    while (bits < 24 && (n >> bits) > TRACE_BUCKET)
        bits++;
    uint32_t buckets = 1u << bits;
    uint64_t *hash = mem_reallocarray(NULL, n, sizeof *hash);
    uint32_t *ord = mem_reallocarray(NULL, n, sizeof *ord), *start = mem_calloc((size_t)buckets + 1, sizeof *start);
    int64_t *key = NULL;
    uint32_t *index = NULL, largest = 0;
    int e = hash && ord && start ? part_series_new(&b->w, CHUNK_TRACE_INDEX, 0, 0, &series) : ERR_NOMEM;
    if (e < 0)
        goto out;
    for (uint32_t i = 0; i < n; i++) {
        uint64_t h = hash64(trace_id_out(&b->traces, i), 16);
        start[bits ? h >> (64 - bits) : 0]++;
    }
    for (uint32_t k = 0, at = 0; k <= buckets; k++) {
        uint32_t here = k < buckets ? start[k] : 0;
        largest = here > largest ? here : largest;
        start[k] = at;
        at += here;
    }
    for (uint32_t i = 0; i < n; i++) {
        uint64_t h = hash64(trace_id_out(&b->traces, i), 16);
        uint32_t at = start[bits ? h >> (64 - bits) : 0]++;
        hash[at] = h, ord[at] = i;
    }
    key = mem_reallocarray(NULL, (size_t)largest * 2, sizeof *key);
    index = mem_reallocarray(NULL, (size_t)largest * 2, sizeof *index);
    if (!key || !index)
        e = ERR_NOMEM;
    // start[k] is now where bucket k ends.
    for (uint32_t k = 0, at = 0; k < buckets && e == 0; at = start[k++])
        e = write_bucket(b, series, k, hash + at, ord + at, start[k] - at, bits, key, index);
out:
    mem_free(hash);
    mem_free(ord);
    mem_free(start);
    mem_free(key);
    mem_free(index);
    return e;
}

int traces_write(struct build *b)
{
    if (b->source != RECORD_SPANS)
        b->traces_out = b->traces.n;
    if (b->traces_out == 0)
        return 0;
    int e = write_ids(b);
    return e < 0 ? e : write_index(b);
}
