#include "base/base64.h"
#include "base/hex.h"
#include "base/json.h"
#include "base/must.h"
#include "base/numfmt.h"
#include "base/utf8.h"
#include "base/visible.h"

static void separate(struct json_writer *w)
{
    if (w->comma)
        buf_byte(w->out, ',');
    w->comma = true;
}

static void open_nested(struct json_writer *w, uint8_t c)
{
    separate(w);
    buf_byte(w->out, c);
    w->depth++;
    w->comma = false;
}

static void close_nested(struct json_writer *w, uint8_t c)
{
    must(w->depth > 0);
    buf_byte(w->out, c);
    w->depth--;
    w->comma = true;
}

void json_put_object(struct json_writer *w) { open_nested(w, '{'); }
void json_put_object_end(struct json_writer *w) { close_nested(w, '}'); }
void json_put_array(struct json_writer *w) { open_nested(w, '['); }
void json_put_array_end(struct json_writer *w) { close_nested(w, ']'); }

static void put_escape(struct buf *out, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    char e[6] = { '\\', 'u', '0', '0', hex[c >> 4], hex[c & 15] };
    switch (c) {
    case '"':
        e[1] = '"';
        break;
    case '\\':
        e[1] = '\\';
        break;
    case '\n':
        e[1] = 'n';
        break;
    case '\r':
        e[1] = 'r';
        break;
    case '\t':
        e[1] = 't';
        break;
    case '\b':
        e[1] = 'b';
        break;
    case '\f':
        e[1] = 'f';
        break;
    default:
        buf_append(out, e, 6);
        return;
    }
    buf_append(out, e, 2);
}

// The code point at p when it is a C1 control or one that turns the order of text: JSON may hold them as they are, but a
// person who reads it on a terminal must not. Else 0. n: its length.
static uint32_t harmful(const uint8_t *p, size_t n)
{
    if (n == 2 && (p[0] == 0xc2 || p[0] == 0xd8)) {
        uint32_t cp = (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
        return cp < 0xa0 || cp == 0x61c ? cp : 0;
    }
    if (n != 3 || p[0] != 0xe2 || (p[1] & 0xfe) != 0x80)
        return 0;
    uint32_t cp = 0x2000u | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
    return visible_is_control(cp) ? cp : 0;
}

uint64_t json_escape(struct buf *out, str s)
{
    const uint8_t *p = (const uint8_t *)s.ptr, *end = p + s.len;
    uint64_t lossy = 0;
    while (p < end) {
        const uint8_t *from = p;
        size_t n = 1;
        uint32_t cp = 0;
        while (p < end) {
            if (*p >= 0x80) {
                if ((n = utf8_char_len(p, end)) == 0 || (cp = harmful(p, n)) != 0)
                    break;
                p += n;
            } else if (*p < 0x20 || *p == '"' || *p == '\\' || *p == 0x7f) {
                break;
            } else {
                p++;
            }
        }
        buf_append(out, from, (size_t)(p - from));
        if (p == end)
            break;
        if (*p < 0x80) {
            put_escape(out, *p);
            p++;
        } else if (cp) {
            buf_printf(out, "\\u%04x", cp);
            p += n;
        } else {
            buf_append(out, "\xef\xbf\xbd", 3);
            lossy++;
            p++;
        }
    }
    return lossy;
}

static void put_quoted(struct json_writer *w, str s)
{
    buf_byte(w->out, '"');
    w->lossy += json_escape(w->out, s);
    buf_byte(w->out, '"');
}

void json_put_key(struct json_writer *w, str name)
{
    separate(w);
    put_quoted(w, name);
    buf_byte(w->out, ':');
    w->comma = false;
}

void json_put_str(struct json_writer *w, str s)
{
    separate(w);
    put_quoted(w, s);
}

void json_put_uint(struct json_writer *w, uint64_t u)
{
    char text[20];
    size_t n = sizeof text;
    do
        text[--n] = (char)('0' + u % 10);
    while ((u /= 10) > 0);
    separate(w);
    buf_append(w->out, text + n, sizeof text - n);
}

void json_put_int(struct json_writer *w, int64_t i)
{
    if (i >= 0) {
        json_put_uint(w, (uint64_t)i);
        return;
    }
    separate(w);
    buf_byte(w->out, '-');
    w->comma = false;
    json_put_uint(w, 0 - (uint64_t)i);
}

void json_put_double(struct json_writer *w, double d)
{
    char text[32];
    str s = { text, (size_t)fmt_double(text, d) };
    if (d - d != 0) // infinite or not a number
        json_put_str(w, s);
    else
        json_put_raw(w, s);
}

void json_put_bool(struct json_writer *w, bool b) { json_put_raw(w, b ? STR("true") : STR("false")); }
void json_put_null(struct json_writer *w) { json_put_raw(w, STR("null")); }

void json_put_raw(struct json_writer *w, str json)
{
    separate(w);
    buf_str(w->out, json);
}

void json_put_hex(struct json_writer *w, bytes b)
{
    separate(w);
    buf_byte(w->out, '"');
    uint8_t *out = b.len < SIZE_MAX / 2 ? buf_extend(w->out, 2 * b.len) : NULL;
    if (out)
        hex_encode((char *)out, b.ptr, b.len);
    buf_byte(w->out, '"');
}

void json_put_base64(struct json_writer *w, bytes b)
{
    separate(w);
    buf_byte(w->out, '"');
    uint8_t *out = buf_extend(w->out, base64_encoded_len(b.len));
    if (out)
        base64_encode((char *)out, b.ptr, b.len);
    buf_byte(w->out, '"');
}
