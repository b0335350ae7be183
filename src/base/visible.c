#include "base/visible.h"

#include "base/unicode.h"

void visible_escape(struct buf *out, str s)
{
    const char *p = s.ptr, *end = s.ptr + s.len;
    while (p < end) {
        unsigned len;
        bool ok;
        uint32_t cp = utf8_decode(p, end, &len, &ok);
        if (!ok)
            for (unsigned i = 0; i < len; i++)
                buf_printf(out, "\\x%02x", (unsigned char)p[i]);
        else if (cp == '\n')
            buf_str(out, STR("\\n"));
        else if (cp == '\t')
            buf_str(out, STR("\\t"));
        else if (cp == '\r')
            buf_str(out, STR("\\r"));
        else if (visible_is_control(cp))
            buf_printf(out, cp < 0x100 ? "\\x%02x" : "\\u%04x", cp);
        else
            buf_append(out, p, len);
        p += len;
    }
}
