// Results as NDJSON, as docs/query.md says under "Results".
#pragma once
#include "base/json.h"
#include "query/run.h"

struct result_json {
    bool ints_as_strings;
    uint64_t lossy, repeated; // invalid UTF-8, maps with equal keys
};
void result_put_value(struct result_json *j, struct json_writer *w, const struct qval *v);
// {"name":value,...} and a line end.
int result_put_row(struct result_json *j, struct buf *out, const struct query_cell *cells, uint32_t n);
// {"_stats":{...}} and a line end.
int result_put_stats(struct result_json *j, struct buf *out, const struct query_stats *s);
