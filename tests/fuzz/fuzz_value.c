// An encoding that checks out is read to its end, and writing what was read gives the same bytes.
#include "base/must.h"
#include "wire/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rewrite(const struct value *v, struct buf *out)
{
    struct value_reader r;
    struct value e;
    uint64_t n;
    str key;
    if (v->type != VALUE_LIST && v->type != VALUE_MAP) {
        value_encode(out, v);
        return;
    }
    must(value_open(v, &r, &n) == 0);
    buf_byte(out, v->type);
    buf_varint(out, n);
    for (uint64_t i = 0; i < n; i++) {
        if (v->type == VALUE_MAP) {
            must(value_read_key(&r, &key) == 0);
            buf_varint(out, key.len);
            buf_str(out, key);
        }
        must(value_read(&r, &e) == 0);
        must(value_same(&e, &e));
        rewrite(&e, out);
    }
    must(r.p == r.end);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct value_reader r = value_reader_of(bytes_of(data, size));
    struct value v;
    struct buf out;
    if (value_check(bytes_of(data, size)) < 0)
        return 0;
    must(value_read(&r, &v) == 0 && r.p == r.end);
    buf_init(&out, size + 16); // a varint asks for room for its longest
    rewrite(&v, &out);
    must(bytes_eq(buf_bytes(&out), bytes_of(data, size)));
    buf_free(&out);
    return 0;
}
