// What stands in the database of a group's figures: read or refused; what was read is written as what is read the same.
#include "base/must.h"
#include "issues/group.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write(const struct detail *d, struct buf *b)
{
    buf_init(b, DETAIL_BLOB_MAX * 4);
    detail_encode(d, b);
    must(b->error == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct detail *d, *again, *sum;
    struct buf first, second;
    if (detail_decode(bytes_of(data, size), &d) < 0)
        return 0;
    // Once more, because what is read may be in an order that is not ours.
    write(d, &first);
    if (detail_decode(buf_bytes(&first), &again) == 0) {
        write(again, &second);
        must(str_eq(buf_view(&first), buf_view(&second)));
        must((sum = detail_new()) && detail_merge(sum, d) == 0 && detail_merge(sum, again) == 0);
        must(detail_bytes(sum) > 0);
        (void)people_count(&sum->people);
        series_coarsen(&sum->series, UINT32_MAX / 2);
        for (uint32_t i = 1; i < sum->series.n; i++)
            must(sum->series.cells[i].minute >= sum->series.cells[i - 1].minute);
        detail_free(sum);
        detail_free(again);
        buf_free(&second);
    }
    buf_free(&first);
    detail_free(d);
    return 0;
}
