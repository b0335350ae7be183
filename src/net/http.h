// The words of HTTP that all its versions and both its ends share.
#pragma once
#include "base/arena.h"
#include "base/bytes.h"

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_PATCH,
    HTTP_OPTIONS,
    HTTP_OTHER, // read the name
};

enum http_version { HTTP_1_0, HTTP_1_1, HTTP_2 };

struct http_header {
    str name; // in a request always in lower case
    str value;
};

enum http_method http_method_of(str name); // case-sensitive, as RFC 9110 has it
str http_method_name(enum http_method m);  // empty for HTTP_OTHER
// "Not Found"; "Unknown" for a status that has no phrase here.
const char *http_status_text(int status);
// The first header of that name (compared without case), or ptr NULL.
str http_header_get(const struct http_header *h, size_t n, str name);
size_t http_header_count(const struct http_header *h, size_t n, str name);
// Whether a comma-separated list header (all lines of that name) holds the word, without case and
// parameters: ("connection", "close"), ("accept-encoding", "gzip"). A word with ";q=0" is not held.
bool http_header_has_word(const struct http_header *h, size_t n, str name, str word);
// "application/json" of "Application/JSON; charset=utf-8": the type without parameters, not lowered.
str http_media_type(str content_type);
bool http_token_ok(str s); // RFC 9110 5.6.2, at least one character
// Host and authority: what RFC 3986 lets stand there, without user information.
bool http_host_ok(str s);
bool http_value_ok(str s); // no CR, LF, NUL or other control character but tab
enum { HTTP_DATE_LEN = 29 };
void http_date(int64_t unix_s, char out[HTTP_DATE_LEN + 1]); // IMF-fixdate

// --- URLs ---

// %XX decoded; '+' is kept. ERR_MALFORMED on a broken escape or a NUL. ret may be s itself when it
// has nothing to decode.
int http_path_decode(struct arena *a, str s, str *ret);
// Walks "a=1&b=2": *at from 0; false at the end. Name and value are decoded ('+' is a space) into the
// arena; a pair that is broken or does not fit is an error: *ret_rc < 0 and false.
bool http_query_next(struct arena *a, str query, size_t *at, str *ret_name, str *ret_value, int *ret_rc);
// The first value of that name; ERR_NOENT, ERR_MALFORMED, ERR_NOMEM.
int http_query_get(struct arena *a, str query, str name, str *ret);
