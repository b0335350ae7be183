// HTTP/1 heads and chunked bodies: no byte sequence may crash, and the result must not depend on how
// the bytes were cut.
#include "base/must.h"
#include "net/http1.h"

#include <stdlib.h>

static const struct http1_limits limits = { .head_max = 8192, .target_max = 1024, .headers_max = 32 };

static void check_head(const uint8_t *data, size_t size, bool request)
{
    size_t whole = 0, piece = 0, end = http1_head_end(bytes_of(data, size), &whole), found = 0;
    for (size_t n = 0; n <= size && !found; n++)
        found = http1_head_end(bytes_of(data, n), &piece);
    must(found == end);
    if (!end)
        return;
    char *head = malloc(end);
    must(head);
    memcpy(head, data, end);
    struct http_header headers[33];
    struct http1_head h = { 0 };
    if (request && http1_request_parse(head, end, &limits, headers, &h) == 0) {
        must(http_token_ok(h.method) && h.path.len && h.headers_n <= limits.headers_max);
        must(!(h.chunked && h.content_length >= 0));
        for (size_t i = 0; i < h.headers_n; i++)
            must(http_token_ok(h.headers[i].name) && http_value_ok(h.headers[i].value));
    } else if (!request) {
        http1_response_parse(head, end, &limits, headers, &h);
    }
    free(head);
}

struct decoded {
    int rc;
    size_t used, data_n;
    uint64_t sum;
};

static struct decoded unchunk(const uint8_t *data, size_t size, size_t step)
{
    struct http1_chunked c = { 0 };
    struct decoded d = { 0 };
    do {
        bytes in = { data + d.used, size - d.used < step ? size - d.used : step }, piece;
        size_t had = in.len;
        while ((d.rc = http1_chunked_next(&c, &in, &piece)) == HTTP1_DATA) {
            for (size_t i = 0; i < piece.len; i++)
                d.sum = d.sum * 31 + piece.ptr[i];
            d.data_n += piece.len;
        }
        d.used += had - in.len;
    } while (d.rc == HTTP1_MORE && d.used < size);
    return d;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 8192)
        return 0;
    check_head(data, size, true);
    check_head(data, size, false);
    struct decoded a = unchunk(data, size, size ? size : 1), b = unchunk(data, size, 1);
    must(a.rc == b.rc && a.used == b.used && a.data_n == b.data_n && a.sum == b.sum && a.used <= size);
    return 0;
}
