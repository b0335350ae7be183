#include "base/mem.h"
#include "traces/trace.h"

int trace_load(const struct trace_request *q, struct view *view, struct trace **ret_trace, struct err *err)
{
    uint32_t n = view_segments(view);
    const struct segment **segments = mem_alloc((n ? n : 1) * sizeof *segments);
    if (!segments)
        return err_set(err, ERR_NOMEM, "memory", "no memory to read the trace");
    for (uint32_t i = 0; i < n; i++)
        segments[i] = view_segment(view, i);
    int rc = trace_load_segments(q, segments, n, ret_trace, err);
    mem_free(segments);
    return rc;
}
