#include "wire/traceparent.h"

#include "base/hex.h"

enum { VERSION = 0, TRACE = 3, SPAN = 36, FLAGS = 53 }; // where the fields of "00-trace-span-flags" begin

// Lower case only, unlike hex_decode(): the specification refuses the rest.
static bool hex_field(void *out, str s, size_t at, size_t bytes_n)
{
    str field = { s.ptr + at, 2 * bytes_n };
    for (size_t i = 0; i < field.len; i++)
        if (field.ptr[i] >= 'A' && field.ptr[i] <= 'F')
            return false;
    return hex_decode(out, field);
}

bool traceparent_parse(str header, struct traceparent *ret)
{
    static const uint8_t zero[16];
    struct traceparent t;
    uint8_t version, span[8];
    str s = str_trim(header);
    if (s.len < TRACEPARENT_LEN || s.ptr[TRACE - 1] != '-' || s.ptr[SPAN - 1] != '-' || s.ptr[FLAGS - 1] != '-')
        return false;
    if (!hex_field(&version, s, VERSION, 1) || version == 0xff)
        return false;
    if (s.len > TRACEPARENT_LEN && (version == 0 || s.ptr[TRACEPARENT_LEN] != '-'))
        return false;
    if (!hex_field(t.trace, s, TRACE, 16) || !hex_field(span, s, SPAN, 8) || !hex_field(&t.flags, s, FLAGS, 1))
        return false;
    t.span = be64_get(span);
    if (memcmp(t.trace, zero, 16) == 0 || t.span == 0)
        return false;
    *ret = t;
    return true;
}

void traceparent_format(char out[TRACEPARENT_LEN], const struct traceparent *t)
{
    uint8_t span[8];
    be64_put(span, t->span);
    memcpy(out, "00-", 3);
    hex_encode(out + TRACE, t->trace, 16);
    out[SPAN - 1] = '-';
    hex_encode(out + SPAN, span, 8);
    out[FLAGS - 1] = '-';
    hex_encode(out + FLAGS, &t->flags, 1);
}

// key = (lower-case letter or digit) then up to 255 of a-z 0-9 _ - * / @
static bool key_ok(str key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!word && (i == 0 || !memchr("_-*/@", c, 5)))
            return false;
    }
    return key.len >= 1 && key.len <= 256;
}

// value = up to 256 printable characters but ',' and '=', not ending in a space
static bool value_ok(str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < 0x20 || value.ptr[i] > 0x7e || value.ptr[i] == ',' || value.ptr[i] == '=')
            return false;
    return value.len >= 1 && value.len <= 256 && value.ptr[value.len - 1] != ' ';
}

bool tracestate_next(str *rest, str *ret_key, str *ret_value, bool *ret_ok)
{
    *ret_ok = true;
    while (rest->len) {
        ptrdiff_t comma = str_find_char(*rest, ',', 0);
        str member = str_trim(comma < 0 ? *rest : str_slice(*rest, 0, (size_t)comma));
        *rest = comma < 0 ? (str){ rest->ptr + rest->len, 0 } : str_slice(*rest, (size_t)comma + 1, rest->len);
        if (member.len == 0)
            continue;
        ptrdiff_t equals = str_find_char(member, '=', 0);
        str key = equals < 0 ? member : str_slice(member, 0, (size_t)equals);
        str value = equals < 0 ? STR("") : str_slice(member, (size_t)equals + 1, member.len);
        if (!key_ok(key) || !value_ok(value)) {
            *ret_ok = false;
            return false;
        }
        *ret_key = key;
        *ret_value = value;
        return true;
    }
    return false;
}
