// Any body: parts are views inside it, in order, and there is an end.
#include "base/must.h"
#include "net/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct multipart m;
    struct multipart_part p;
    // The first line is the type.
    const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
    str type = line ? str_of(data, (size_t)(line - data)) : STR("multipart/form-data; boundary=x");
    bytes body = line ? bytes_of(line + 1, size - (size_t)(line + 1 - data)) : bytes_of(data, size);
    if (multipart_begin(&m, type, body) < 0)
        return 0;
    const uint8_t *last = body.ptr;
    size_t n = 0;
    while (multipart_next(&m, &p) == 1) {
        must(p.content.ptr >= last && p.content.ptr + p.content.len <= body.ptr + body.len);
        must(p.name.ptr && p.name.len <= MULTIPART_HEAD_MAX);
        must(p.head.ptr >= (const char *)body.ptr && p.head.ptr + p.head.len <= (const char *)p.content.ptr);
        must(multipart_header(&p, STR("content-disposition")).ptr);
        multipart_header(&p, STR("x"));
        last = p.content.ptr + p.content.len;
        must(++n <= size);
    }
    return 0;
}
