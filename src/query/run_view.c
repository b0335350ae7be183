#include "query/run.h"

#include "base/mem.h"
#include "query/attributes.h"
#include "query/error.h"

int query_attributes(const struct query_request *q, struct view *view,
                     int (*fn)(void *ctx, const struct query_attribute *a), void *ctx, struct query_error *err)
{
    uint32_t n = view_segments(view);
    const struct segment **segments = mem_alloc((n ? n : 1) * sizeof *segments);
    if (!segments)
        return query_fail(err, QUERY_E_MEMORY, "no memory to begin the query");
    for (uint32_t i = 0; i < n; i++)
        segments[i] = view_segment(view, i);
    int rc = query_attributes_segments(q, segments, n, fn, ctx, err);
    mem_free(segments);
    return rc;
}

int query_run(const struct query_request *q, struct view *view, const struct query_output *out, struct query_error *err)
{
    uint32_t n = view_segments(view);
    const struct segment **segments = mem_alloc((n ? n : 1) * sizeof *segments);
    uint64_t *firsts = mem_alloc((n ? n : 1) * sizeof *firsts);
    int rc = ERR_NOMEM;
    if (segments && firsts) {
        for (uint32_t i = 0; i < n; i++) {
            segments[i] = view_segment(view, i);
            firsts[i] = q->live ? view_segment_first(view, i) : 0;
        }
        rc = query_run_segments(q, segments, firsts, n, out, err);
    } else {
        query_fail(err, QUERY_E_MEMORY, "no memory to begin the query");
    }
    mem_free(segments);
    mem_free(firsts);
    return rc;
}
