#include "net/http1.h"

#include "base/err.h"

#include <stdio.h>

size_t http1_head_end(bytes in, size_t *scanned)
{
    size_t from = *scanned;
    while (from < in.len) {
        const uint8_t *lf = memchr(in.ptr + from, '\n', in.len - from);
        if (!lf)
            break;
        size_t at = (size_t)(lf - in.ptr);
        // A bare LF ends it too: the parser will refuse it now, and not after the time for heads is over.
        if (at == 0 || in.ptr[at - 1] != '\r' || (at >= 3 && in.ptr[at - 2] == '\n'))
            return at + 1;
        from = at + 1;
    }
    *scanned = in.len;
    return 0;
}

size_t http1_skip_empty_lines(bytes in)
{
    size_t n = 0;
    while (n < 4 && in.len >= n + 2 && in.ptr[n] == '\r' && in.ptr[n + 1] == '\n')
        n += 2;
    return n;
}

// The next line without its CRLF; false when it does not end in CRLF or holds a bare CR, LF or NUL.
static bool next_line(str *rest, str *ret)
{
    const char *cr = memchr(rest->ptr, '\r', rest->len);
    if (!cr || cr + 1 == rest->ptr + rest->len || cr[1] != '\n')
        return false;
    size_t n = (size_t)(cr - rest->ptr);
    if (memchr(rest->ptr, '\n', n) || memchr(rest->ptr, 0, n))
        return false;
    *ret = (str){ rest->ptr, n };
    *rest = (str){ cr + 2, rest->len - n - 2 };
    return true;
}

static void lower(str s)
{
    char *p = (char *)s.ptr; // a view into the caller's own, writable head
    for (size_t i = 0; i < s.len; i++)
        if (p[i] >= 'A' && p[i] <= 'Z')
            p[i] |= 0x20;
}

static bool parse_decimal(str s, int64_t *ret)
{
    if (s.len == 0 || s.len > 18)
        return false;
    int64_t v = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
        v = v * 10 + (s.ptr[i] - '0');
    }
    *ret = v;
    return true;
}

static int parse_target(str target, const struct http1_limits *limits, struct http1_head *h)
{
    if (target.len > limits->target_max)
        return 414;
    for (size_t i = 0; i < target.len; i++)
        if ((unsigned char)target.ptr[i] <= 0x20 || (unsigned char)target.ptr[i] >= 0x7f || target.ptr[i] == '#')
            return 400;
    if (str_eq(target, STR("*")))
        h->path = target;
    if (h->path.ptr)
        return str_eq(h->method, STR("OPTIONS")) ? 0 : 400;
    size_t prefix = 0;
    if (target.len > 7 && str_ieq(str_slice(target, 0, 7), STR("http://")))
        prefix = 7, h->scheme = STR("http");
    else if (target.len > 8 && str_ieq(str_slice(target, 0, 8), STR("https://")))
        prefix = 8, h->scheme = STR("https");
    if (prefix) {
        size_t end = prefix;
        while (end < target.len && target.ptr[end] != '/' && target.ptr[end] != '?')
            end++;
        h->host = str_slice(target, prefix, end);
        if (h->host.len == 0 || !http_host_ok(h->host))
            return 400;
        lower(h->host);
        target = str_slice(target, end, target.len);
        if (target.len == 0 || target.ptr[0] == '?') { // "http://host?x": the path is "/"
            h->path = STR("/");
            h->query = target.len ? str_slice(target, 1, target.len) : target;
            return 0;
        }
    }
    if (target.len == 0 || target.ptr[0] != '/')
        return str_eq(h->method, STR("CONNECT")) ? 501 : 400;
    ptrdiff_t mark = str_find_char(target, '?', 0);
    h->path = mark < 0 ? target : str_slice(target, 0, (size_t)mark);
    h->query = mark < 0 ? (str){ target.ptr + target.len, 0 } : str_slice(target, (size_t)mark + 1, target.len);
    return 0;
}

static int parse_version(str v, int *ret_minor)
{
    if (v.len != 8 || !str_starts(v, STR("HTTP/")) || v.ptr[6] != '.' || v.ptr[5] < '0' || v.ptr[5] > '9' ||
        v.ptr[7] < '0' || v.ptr[7] > '9')
        return 400;
    if (v.ptr[5] != '1')
        return 505;
    *ret_minor = v.ptr[7] == '0' ? 0 : 1;
    return 0;
}

static int parse_request_line(str line, const struct http1_limits *limits, struct http1_head *h)
{
    ptrdiff_t a = str_find_char(line, ' ', 0), b = a < 0 ? -1 : str_find_char(line, ' ', (size_t)a + 1);
    if (b < 0)
        return 400;
    h->method = str_slice(line, 0, (size_t)a);
    if (!http_token_ok(h->method))
        return 400;
    int status = parse_version(str_slice(line, (size_t)b + 1, line.len), &h->minor);
    return status ? status : parse_target(str_slice(line, (size_t)a + 1, (size_t)b), limits, h);
}

static int parse_header_line(str line, struct http_header *ret)
{
    ptrdiff_t colon = str_find_char(line, ':', 0);
    if (colon <= 0)
        return 400;
    str name = str_slice(line, 0, (size_t)colon); // a fold or a space before the colon is no token
    str value = str_slice(line, (size_t)colon + 1, line.len);
    while (value.len && (value.ptr[0] == ' ' || value.ptr[0] == '\t'))
        value.ptr++, value.len--;
    while (value.len && (value.ptr[value.len - 1] == ' ' || value.ptr[value.len - 1] == '\t'))
        value.len--;
    if (!http_token_ok(name) || !http_value_ok(value))
        return 400;
    lower(name);
    *ret = (struct http_header){ name, value };
    return 0;
}

static int parse_headers(str rest, const struct http1_limits *limits, struct http_header *headers, struct http1_head *h)
{
    h->headers = headers;
    for (;;) {
        str line;
        if (!next_line(&rest, &line))
            return 400;
        if (line.len == 0)
            return rest.len ? 400 : 0;
        if (h->headers_n >= limits->headers_max)
            return 431;
        int status = parse_header_line(line, &headers[h->headers_n]);
        if (status)
            return status;
        h->headers_n++;
    }
}

// RFC 9112 6: how long the body is. Whatever two readers could understand differently is refused.
static int parse_framing(struct http1_head *h)
{
    h->content_length = -1;
    for (size_t i = 0; i < h->headers_n; i++) {
        str name = h->headers[i].name, value = h->headers[i].value;
        if (str_eq(name, STR("content-length"))) {
            int64_t n;
            if (!parse_decimal(value, &n) || (h->content_length >= 0 && n != h->content_length))
                return 400;
            h->content_length = n;
        } else if (str_eq(name, STR("transfer-encoding"))) {
            if (h->chunked || h->minor == 0)
                return 400;
            if (!str_ieq(value, STR("chunked")))
                return 501;
            h->chunked = true;
        }
    }
    return h->chunked && h->content_length >= 0 ? 400 : 0;
}

static void parse_connection(struct http1_head *h)
{
    h->keep_alive = h->minor == 1
                        ? !http_header_has_word(h->headers, h->headers_n, STR("connection"), STR("close"))
                        : http_header_has_word(h->headers, h->headers_n, STR("connection"), STR("keep-alive"));
}

static int parse_host_and_expect(struct http1_head *h)
{
    bool seen = false;
    for (size_t i = 0; i < h->headers_n; i++) {
        str name = h->headers[i].name, value = h->headers[i].value;
        if (str_eq(name, STR("host"))) {
            if (seen || !http_host_ok(value))
                return 400;
            seen = true;
            lower(value);
            if (!h->host.ptr) // an absolute target goes first (RFC 9112 3.2.2)
                h->host = value;
        } else if (str_eq(name, STR("expect"))) {
            if (!str_ieq(value, STR("100-continue")))
                return 417;
            h->expect_continue = h->minor == 1;
        }
    }
    return seen || h->minor == 0 ? 0 : 400;
}

int http1_request_parse(char *head, size_t n, const struct http1_limits *limits, struct http_header *headers,
                        struct http1_head *ret)
{
    struct http1_head h = { 0 };
    str rest = { head, n }, line;
    if (n > limits->head_max)
        return 431;
    if (!next_line(&rest, &line))
        return 400;
    int status = parse_request_line(line, limits, &h);
    if (!status)
        status = parse_headers(rest, limits, headers, &h);
    if (!status)
        status = parse_framing(&h);
    if (!status)
        status = parse_host_and_expect(&h);
    if (status)
        return status;
    parse_connection(&h);
    *ret = h;
    return 0;
}

int http1_response_parse(char *head, size_t n, const struct http1_limits *limits, struct http_header *headers,
                         struct http1_head *ret)
{
    struct http1_head h = { 0 };
    str rest = { head, n }, line;
    if (n > limits->head_max)
        return ERR_LIMIT;
    if (!next_line(&rest, &line) || line.len < 12 || line.ptr[8] != ' ' ||
        parse_version(str_slice(line, 0, 8), &h.minor) || (line.len > 12 && line.ptr[12] != ' '))
        return ERR_MALFORMED;
    int64_t status;
    if (!parse_decimal(str_slice(line, 9, 12), &status) || status < 100)
        return ERR_MALFORMED;
    h.status = (int)status;
    int refused = parse_headers(rest, limits, headers, &h);
    if (!refused)
        refused = parse_framing(&h);
    if (refused)
        return refused == 431 ? ERR_LIMIT : ERR_MALFORMED;
    parse_connection(&h);
    *ret = h;
    return 0;
}

size_t http1_chunk_head(char out[HTTP1_CHUNK_HEAD], size_t n)
{
    char text[24];
    size_t len = (size_t)snprintf(text, sizeof text, "%zx\r\n", n);
    memcpy(out, text, len);
    return len;
}

int http1_header(struct buf *out, str name, str value)
{
    if (!http_token_ok(name) || !http_value_ok(value))
        return ERR_INVALID;
    buf_str(out, name);
    buf_append(out, ": ", 2);
    buf_str(out, value);
    return buf_append(out, "\r\n", 2);
}

int http1_response_head(struct buf *out, int status, const struct http_header *h, size_t n)
{
    int rc = buf_printf(out, "HTTP/1.1 %03d %s\r\n", status, http_status_text(status));
    for (size_t i = 0; rc == 0 && i < n; i++)
        rc = http1_header(out, h[i].name, h[i].value);
    return rc;
}
