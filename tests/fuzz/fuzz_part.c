// Any bytes as a part file, checksums not compared so that what is behind them is reached: opened, read in every way,
// and built into another part; refused with an error or read as something, never more.
#include "base/mem.h"
#include "base/must.h"
#include "disk_mem.h"
#include "store/encode.h"
#include "store/part.h"
#include "store/rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t sink;

// Everything a vector points to is there.
static void touch(const struct vec *v)
{
    uint64_t sum = v->kind;
    for (uint32_t i = 0; i < v->n; i++) {
        if (!vec_has(v, i))
            continue;
        switch ((enum vec_kind)v->kind) {
        case VEC_U8:
            sum += v->u8[i];
            break;
        case VEC_U32:
            sum += v->u32[i];
            break;
        case VEC_STR: {
            must(v->ord[i] < v->dict->n);
            str s = dict_get(v->dict, v->ord[i]);
            for (size_t k = 0; k < s.len; k++)
                sum += (uint8_t)s.ptr[k];
            break;
        }
        default:
            sum += v->u64[i];
            break;
        }
    }
    sink += sum;
}

static bool every_other(void *ctx, str form)
{
    sink += form.len;
    return ++*(uint32_t *)ctx % 2;
}

// Some strings of a column: each as it is, or empty.
static void read_some(struct reader *r, enum segment_table t, uint32_t col)
{
    uint32_t asked = 0;
    struct strings_wanted wanted = { &asked, every_other };
    struct vec some, all;
    bool got = reader_strings(r, t, col, &wanted, &some) == 0;
    must(got == (reader_column(r, t, col, &all) == 0));
    if (!got)
        return;
    touch(&some);
    must(some.kind == all.kind && some.n == all.n);
    for (uint32_t i = 0; all.kind == VEC_STR && i < all.n; i++) {
        must(vec_has(&some, i) == vec_has(&all, i));
        if (vec_has(&all, i) && dict_get(some.dict, some.ord[i]).len)
            must(str_eq(dict_get(some.dict, some.ord[i]), dict_get(all.dict, all.ord[i])));
    }
}

static void read_table(const struct segment *s, struct reader *r, enum segment_table t)
{
    for (uint32_t b = 0; b < segment_blocks(s, t) && b < 4; b++) {
        if (reader_seek(r, t, b) < 0)
            return;
        for (uint32_t c = 0; c < COL_FIXED + segment_columns(s, t); c++) {
            struct vec v;
            int64_t min, max;
            segment_block_range(s, t, b, c, &min, &max);
            if (c >= COL_FIXED)
                read_some(r, t, c);
            if (reader_column(r, t, c, &v) == 0)
                touch(&v);
        }
        struct rows rows;
        if (s->ops->reader_rows(r, t, &rows) < 0)
            continue;
        for (uint32_t i = 0; i < rows.n; i++) {
            struct shape shape = segment_shape(s, t, rows.shape[i]);
            for (uint32_t k = 0; k < shape.n; k++)
                sink += rows.values[rows.value_at[i] + k];
        }
    }
}

static void read_part(const struct segment *s)
{
    struct reader *r;
    if (reader_open(s, &r) < 0)
        return;
    for (int t = 0; t < TABLE_N; t++)
        read_table(s, r, (enum segment_table)t);
    for (uint32_t row = 0; row < 100; row++) {
        uint32_t first, end;
        for (int t = TABLE_EVENTS; t < TABLE_N; t++)
            if (segment_children(r, (enum segment_table)t, row, &first, &end) == 0)
                must(first <= end);
    }
    for (uint32_t i = 0; i < segment_traces(s) && i < 2000; i++) {
        uint8_t id[16];
        uint32_t ord;
        uint64_t first, end;
        if (segment_trace(s, i, id) == 0 && segment_find_trace(s, id, &ord) == 0)
            must(ord < segment_traces(s));
        if (segment_trace_rows(s, i, &first, &end) == 0)
            must(first <= end && end <= (uint64_t)segment_blocks(s, TABLE_ROWS) * BLOCK_ROWS);
    }
    uint32_t blocks = segment_blocks(s, TABLE_ROWS);
    uint64_t *may = mem_calloc(blocks / 64 + 1, sizeof *may);
    for (uint32_t i = 0; may && i < segment_columns(s, TABLE_ROWS) && i < 100; i++)
        sink += segment_find_string(s, i, STR("00000000000000000000000000001eef"), may) == 0 && may[0];
    if (may && blocks % 64)
        must(may[blocks / 64] >> (blocks % 64) == 0);
    mem_free(may);
    for (uint32_t i = 0; i < segment_resources(s); i++)
        sink += segment_resource(s, i)->attrs_n + segment_resource_hash(s, i);
    reader_close(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char path[] = "parts/0000000000000001.part";
    struct part_env env = { .dir = "parts", .workspace = 7, .unchecked = true };
    struct part *p, *merged;
    struct err err = { 0 };
    int file;
    if (size > 1 << 18)
        return 0;
    must(disk_mem_new(0, &env.disk) == 0);
    must(disk_mkdir(env.disk, "parts") == 0);
    must(disk_open(env.disk, path, DISK_WRITE | DISK_CREATE, &file) == 0);
    must(size == 0 || disk_write(env.disk, file, data, size, 0) == 0);
    disk_close(env.disk, file);
    must(part_cache_create(1 << 20, &env.cache) == 0);
    if (part_open(&env, 1, &p, &err) == 0) {
        read_part(part_segment(p));
        part_verify(p, &err);
        const struct segment *twice[2] = { part_segment(p), part_segment(p) };
        struct part_build_options o = { .id = 2, .effort = PART_MERGED };
        if (segment_info(twice[0])->rows < 100000 &&
            part_build(&env, segment_info(twice[0])->source, twice, 2, &o, &merged, &err) == 0) {
            read_part(part_segment(merged)); // what was read can be written and read again
            must(part_verify(merged, &err) == 0);
            part_unref(merged);
        }
        part_unref(p);
    } else {
        must(err.message[0]);
    }
    part_cache_free(env.cache);
    disk_free(env.disk);
    return 0;
}
