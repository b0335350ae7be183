// A result as a stream of lines.
#include "base/err.h"
#include "query/error.h"
#include "query/result_json.h"

enum { FLUSH_BYTES = 32 << 10, LINE_MAX_BYTES = 256 << 20 };

struct stream {
    struct result_json j;
    const struct query_sink *sink;
    struct buf out;
    bool begun;
};

static int stream_flush(struct stream *s)
{
    if (s->out.error)
        return s->out.error;
    if (s->out.len == 0)
        return 0;
    s->begun = true;
    int rc = s->sink->write(s->sink->ctx, buf_bytes(&s->out));
    buf_clear(&s->out);
    return rc;
}

static int stream_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct stream *s = ctx;
    int rc = result_put_row(&s->j, &s->out, cells, n);
    return rc < 0 ? rc : s->out.len >= FLUSH_BYTES ? stream_flush(s) : 0;
}

static int stream_end(void *ctx, const struct query_stats *stats)
{
    struct stream *s = ctx;
    int rc = result_put_stats(&s->j, &s->out, stats);
    return rc < 0 ? rc : stream_flush(s);
}

int query_run_ndjson(const struct query_request *q, struct view *view, const struct query_sink *sink, bool *ret_begun,
                     struct query_error *err)
{
    struct stream s = { .j = { .ints_as_strings = q->ints_as_strings }, .sink = sink };
    struct query_output out = { &s, stream_row, stream_end };
    buf_init(&s.out, LINE_MAX_BYTES);
    int rc = query_run(q, view, &out, err);
    if (rc < 0 && rc != ERR_CLOSED && rc != ERR_CANCELLED && s.begun) {
        // Rows went out: the error is the last line. (Rows that are only in the buffer do not count: the caller
        // can still answer with the error's own status.) A line that memory failed in is taken back.
        while (s.out.len > 0 && s.out.ptr[s.out.len - 1] != '\n')
            s.out.len--;
        s.out.error = 0;
        buf_str(&s.out, STR("{\"_error\":"));
        query_error_json(err, &s.out);
        buf_str(&s.out, STR("}\n"));
        int failed = stream_flush(&s);
        rc = failed == ERR_CLOSED ? failed : rc;
    }
    *ret_begun = s.begun;
    buf_free(&s.out);
    return rc;
}
