#include "symbols/js_file.h"

#include "base/base64.h"
#include "base/hex.h"

// What stands behind the last line that begins with //# NAME (or //@ NAME).
static str comment(str source, str name)
{
    while (source.len) {
        const char *end = source.ptr + source.len, *start = memrchr(source.ptr, '\n', source.len);
        start = start ? start + 1 : source.ptr;
        str line = str_trim(str_of(start, (size_t)(end - start)));
        if ((str_starts(line, STR("//# ")) || str_starts(line, STR("//@ "))) &&
            str_starts(str_slice(line, 4, line.len), name))
            return str_trim(str_slice(line, 4 + name.len, line.len));
        source.len = start == source.ptr ? 0 : (size_t)(start - source.ptr) - 1;
    }
    return (str){ 0 };
}

str js_source_mapping_url(str source)
{
    str url = comment(source, STR("sourceMappingURL="));
    if (str_starts(url, STR("data:")))
        return url;
    ptrdiff_t cut = str_find_char(url, '?', 0);
    url = cut < 0 ? url : str_slice(url, 0, (size_t)cut);
    cut = str_find_char(url, '#', 0);
    return cut < 0 ? url : str_slice(url, 0, (size_t)cut);
}

str js_debug_id(str source) { return comment(source, STR("debugId=")); }

static int percent_decode(str text, struct buf *out)
{
    if (buf_reserve(out, text.len) < 0)
        return out->error;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = (uint8_t)text.ptr[i];
        if (c == '%') {
            if (!hex_decode(&c, str_slice(text, i + 1, i + 3)) || i + 2 >= text.len)
                return ERR_MALFORMED;
            i += 2;
        }
        buf_byte(out, c);
    }
    return out->error;
}

int js_data_url(str url, struct buf *out)
{
    ptrdiff_t comma = str_find_char(url, ',', 0);
    if (!str_starts(url, STR("data:")) || comma < 0)
        return ERR_UNSUPPORTED;
    str data = str_slice(url, (size_t)comma + 1, url.len);
    if (!str_ends(str_slice(url, 0, (size_t)comma), STR(";base64")))
        return percent_decode(data, out);
    size_t n;
    if (buf_reserve(out, base64_decoded_max(data.len)) < 0)
        return out->error;
    if (!base64_decode(out->ptr + out->len, data, &n))
        return ERR_MALFORMED;
    out->len += n;
    return 0;
}
