#include "net/http.h"

#include "base/err.h"

#include <stdio.h>
#include <time.h>

static const str method_names[] = {
    [HTTP_GET] = STR_INIT("GET"),         [HTTP_HEAD] = STR_INIT("HEAD"),     [HTTP_POST] = STR_INIT("POST"),
    [HTTP_PUT] = STR_INIT("PUT"),         [HTTP_DELETE] = STR_INIT("DELETE"), [HTTP_PATCH] = STR_INIT("PATCH"),
    [HTTP_OPTIONS] = STR_INIT("OPTIONS"), [HTTP_OTHER] = STR_INIT(""),
};

enum http_method http_method_of(str name)
{
    for (enum http_method m = HTTP_GET; m < HTTP_OTHER; m++)
        if (str_eq(name, method_names[m]))
            return m;
    return HTTP_OTHER;
}

str http_method_name(enum http_method m) { return method_names[m]; }

const char *http_status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } table[] = {
        { 100, "Continue" },
        { 101, "Switching Protocols" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 303, "See Other" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 308, "Permanent Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 410, "Gone" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 421, "Misdirected Request" },
        { 422, "Unprocessable Content" },
        { 426, "Upgrade Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (table[i].status == status)
            return table[i].text;
    return "Unknown";
}

str http_header_get(const struct http_header *h, size_t n, str name)
{
    for (size_t i = 0; i < n; i++)
        if (str_ieq(h[i].name, name))
            return h[i].value;
    return (str){ 0 };
}

size_t http_header_count(const struct http_header *h, size_t n, str name)
{
    size_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += str_ieq(h[i].name, name);
    return count;
}

// "gzip;q=0.0": asked not to.
static bool quality_is_zero(str parameters)
{
    ptrdiff_t q = str_find(parameters, STR("q="));
    if (q < 0)
        return false;
    for (size_t i = (size_t)q + 2; i < parameters.len; i++) {
        if (parameters.ptr[i] == ' ' || parameters.ptr[i] == ';')
            break;
        if (parameters.ptr[i] != '0' && parameters.ptr[i] != '.')
            return false;
    }
    return true;
}

static bool list_has_word(str list, str word)
{
    while (list.len) {
        ptrdiff_t comma = str_find_char(list, ',', 0);
        str one = comma < 0 ? list : str_slice(list, 0, (size_t)comma);
        list = comma < 0 ? (str){ 0 } : str_slice(list, (size_t)comma + 1, list.len);
        ptrdiff_t semicolon = str_find_char(one, ';', 0);
        str name = str_trim(semicolon < 0 ? one : str_slice(one, 0, (size_t)semicolon));
        if (str_ieq(name, word))
            return semicolon < 0 || !quality_is_zero(str_slice(one, (size_t)semicolon + 1, one.len));
    }
    return false;
}

bool http_header_has_word(const struct http_header *h, size_t n, str name, str word)
{
    for (size_t i = 0; i < n; i++)
        if (str_ieq(h[i].name, name) && list_has_word(h[i].value, word))
            return true;
    return false;
}

str http_media_type(str content_type)
{
    ptrdiff_t semicolon = str_find_char(content_type, ';', 0);
    return str_trim(semicolon < 0 ? content_type : str_slice(content_type, 0, (size_t)semicolon));
}

// RFC 9110 5.6.2: tchar.
static bool token_char(unsigned char c)
{
    if ((c | 0x20) - 'a' < 26 && (c | 0x20) >= 'a')
        return true;
    if (c >= '0' && c <= '9')
        return true;
    return c && strchr("!#$%&'*+-.^_`|~", c);
}

bool http_token_ok(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!token_char((unsigned char)s.ptr[i]))
            return false;
    return s.len > 0;
}

bool http_value_ok(str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

bool http_host_ok(str host)
{
    for (size_t i = 0; i < host.len; i++) {
        unsigned char c = (unsigned char)host.ptr[i];
        if ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            continue;
        if (c >= '0' && c <= '9')
            continue;
        if (!c || !strchr(".-_~%:[]", c))
            return false;
    }
    return true;
}

void http_date(int64_t unix_s, char out[HTTP_DATE_LEN + 1])
{
    static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm t = { 0 };
    time_t time = (time_t)unix_s;
    gmtime_r(&time, &t);
    char text[64];
    snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + 3 * t.tm_wday, t.tm_mday,
             months + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
    memcpy(out, text, HTTP_DATE_LEN);
    out[HTTP_DATE_LEN] = 0;
}
