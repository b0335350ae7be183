// Any text as a query over the fixture: whatever is planned runs to its end, and says what is wrong otherwise.
#include "base/must.h"
#include "fixture.h"

enum { FILLED_MAX = 1000000 }; // cells of `fill`, the most that any of them makes

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct fixture_segments fixture = { .block_rows = 3 };
    static const struct segment *segments[8];
    static uint32_t segments_n;
    if (segments_n == 0) {
        struct record_sink sink = fixture_sink(&fixture);
        must(fixture_feed(&sink, UINT32_MAX) == 0);
        segments_n = fixture_segments_list(&fixture, segments);
    }
    struct query_request q = fixture_request("");
    struct fixture_answer a;
    q.text = str_of(data, size);
    q.memory_max = 32 << 20;
    fixture_ask(&q, segments, segments_n, &a);
    must(a.rc == 0 ? a.err.code == QUERY_OK : a.err.code != QUERY_OK && a.err.code != QUERY_E_INTERNAL);
    // Few steps make rows: without them there are never more than records, but for groups of nothing.
    static const str makers[] = { STR_INIT("fill"), STR_INIT("facets"), STR_INIT("differ") };
    bool makes = false;
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++)
        makes |= str_find(q.text, makers[i]) >= 0;
    must(makes ? a.rows_n <= FILLED_MAX : a.rows_n <= FIXTURE_RECORDS + 1);
    fixture_answer_free(&a);
    return 0;
}
