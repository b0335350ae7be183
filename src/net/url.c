// Percent-decoding of paths and query strings (RFC 3986; forms as browsers send them).
#include "base/err.h"
#include "net/http.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int decode(struct arena *a, str s, bool plus_is_space, str *ret)
{
    bool plain = true;
    for (size_t i = 0; plain && i < s.len; i++)
        plain = s.ptr[i] != '%' && !(plus_is_space && s.ptr[i] == '+');
    if (plain) {
        *ret = s;
        return 0;
    }
    char *out = arena_alloc_bytes(a, s.len + 1);
    if (!out)
        return ERR_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (c == '%') {
            int high = i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1, low = i + 2 < s.len ? hex_digit(s.ptr[i + 2]) : -1;
            if (high < 0 || low < 0 || (high == 0 && low == 0))
                return ERR_MALFORMED;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        out[n++] = c;
    }
    out[n] = 0;
    *ret = (str){ out, n };
    return 0;
}

int http_path_decode(struct arena *a, str s, str *ret) { return decode(a, s, false, ret); }

bool http_query_next(struct arena *a, str query, size_t *at, str *ret_name, str *ret_value, int *ret_rc)
{
    *ret_rc = 0;
    while (*at < query.len) {
        ptrdiff_t amp = str_find_char(query, '&', *at);
        str pair = str_slice(query, *at, amp < 0 ? query.len : (size_t)amp);
        *at += pair.len + 1;
        if (pair.len == 0)
            continue;
        ptrdiff_t eq = str_find_char(pair, '=', 0);
        str name = eq < 0 ? pair : str_slice(pair, 0, (size_t)eq);
        str value = eq < 0 ? (str){ 0 } : str_slice(pair, (size_t)eq + 1, pair.len);
        int rc = decode(a, name, true, &name);
        if (rc == 0)
            rc = decode(a, value, true, &value);
        if (rc < 0) {
            *ret_rc = rc;
            return false;
        }
        *ret_name = name;
        *ret_value = value;
        return true;
    }
    return false;
}

int http_query_get(struct arena *a, str query, str name, str *ret)
{
    size_t at = 0;
    str n, v;
    int rc = 0;
    while (http_query_next(a, query, &at, &n, &v, &rc)) {
        if (str_eq(n, name)) {
            *ret = v;
            return 0;
        }
    }
    return rc < 0 ? rc : ERR_NOENT;
}
