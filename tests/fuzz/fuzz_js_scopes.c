// Any text has functions or none; their bounds are in order.
#include "base/must.h"
#include "symbols/js_file.h"
#include "symbols/js_scopes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct js_scopes *s;
    struct buf out;
    str source = str_of(data, size), name;
    buf_init(&out, 1 << 20);
    js_data_url(js_source_mapping_url(source), &out);
    must(js_debug_id(source).len <= size);
    buf_free(&out);
    if (js_scopes_read(source, NULL, &s) < 0)
        return 0;
    for (uint32_t line = 0; line < 8; line++)
        for (uint32_t column = 0; column < 64; column++)
            if (js_scopes_find(s, line, column, &name))
                must(name.len <= 1024);
    must(!js_scopes_find(s, UINT32_MAX, UINT32_MAX, &name));
    js_scopes_free(s);
    return 0;
}
