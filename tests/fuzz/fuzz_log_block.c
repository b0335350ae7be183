// A log block's payload, whatever it says (its checksum made good): refused, or rows that can be read and logged again.
#include "base/must.h"
#include "store/head.h"
#include "store/log_block.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_everything(struct generation *g)
{
    for (unsigned source = 0; source < RECORD_SOURCES; source++) {
        int e;
        struct segment *s = head_segment_new(g, 0, source, &e);
        struct reader *r;
        if (!s)
            continue;
        must(reader_open(s, &r) == 0);
        for (unsigned t = 0; t < TABLE_N; t++) {
            for (uint32_t b = 0; b < segment_blocks(s, t); b++) {
                must(reader_seek(r, t, b) == 0);
                for (uint32_t c = 0; c < segment_columns(s, t); c++) {
                    struct vec v;
                    must(reader_column(r, t, COL_FIXED + c, &v) == 0);
                    for (uint32_t i = 0; v.kind == VEC_STR && i < v.n; i++)
                        must(!vec_has(&v, i) || v.ord[i] < v.dict->n);
                }
            }
        }
        reader_close(r);
        head_segment_free(s);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf b;
    struct log_block_header h;
    uint64_t rows = 0;
    if (size > 1 << 16)
        return 0;
    buf_init(&b, LOG_BLOCK_MAX);
    must(buf_extend(&b, LOG_BLOCK_HEADER) && buf_append(&b, data, size) == 0);
    log_block_seal(&b, (struct log_block_header){ 0 });
    must(log_block_open(buf_bytes(&b), &h) == 0);
    struct generation *g = generation_new(1, 1);
    struct lane *l = lane_new();
    must(g && l);
    g->lane[0] = l;
    if (log_block_apply(l, buf_bytes(&b), &h, &rows) == 0) {
        struct lane_marks from = { 0 }, to;
        lane_marks_get(l, &to);
        lane_commit(l, &to);
        read_everything(g);
        struct lane_section sec = { 0 };
        buf_clear(&b);
        must(log_block_encode(&b, l, &sec, &from, &to) == 0);
    }
    generation_unref(g);
    buf_free(&b);
    return 0;
}
