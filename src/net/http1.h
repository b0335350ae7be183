// HTTP/1.1 messages (RFC 9112) without I/O: bytes in, parsed heads and body pieces out. Strict where
// leniency is how requests are smuggled: lines end in CRLF, no folded headers, no whitespace before a
// colon, one framing only (Content-Length or chunked), and all numbers are checked.
#pragma once
#include "base/buf.h"
#include "net/http.h"

#include <stdbool.h>
#include <stdint.h>

struct http1_limits {
    size_t head_max;    // bytes of start line and headers together
    size_t target_max;  // bytes of the request target
    size_t headers_max; // count
};

struct http1_head {
    // request
    str method, host, path, query;
    str scheme; // of an absolute target, else empty
    // response
    int status;
    // both
    int minor; // HTTP/1.minor: 0 or 1
    struct http_header *headers;
    size_t headers_n;
    int64_t content_length; // -1: none given
    bool chunked;
    bool keep_alive;
    bool expect_continue;
};

// Where the head that begins at in.ptr ends (behind its empty line), or 0 while it is incomplete.
// *scanned (0 at first) remembers what has been looked at, so that a slow sender costs no more.
size_t http1_head_end(bytes in, size_t *scanned);
// How many bytes of empty lines lie before a request: they are to be skipped (RFC 9112 2.2), two at most.
size_t http1_skip_empty_lines(bytes in);

// Parses a complete request head (as http1_head_end found it). Header names are lowered in place and
// views point into head. headers has room for limits->headers_max + 1. Returns 0, or the status to
// refuse with (400, 414, 417, 431, 501, 505).
int http1_request_parse(char *head, size_t n, const struct http1_limits *limits, struct http_header *headers,
                        struct http1_head *ret);
// Parses a response head; 0 or ERR_MALFORMED / ERR_LIMIT. The caller knows the request: HEAD, 204, 304 have no body.
int http1_response_parse(char *head, size_t n, const struct http1_limits *limits, struct http_header *headers,
                         struct http1_head *ret);

// The chunked coding. Extensions and trailers are read within limits and dropped.
struct http1_chunked {
    int state;
    uint64_t left; // of the chunk
    uint32_t line; // bytes of the current line or of the trailers
};

enum http1_piece { HTTP1_MORE, HTTP1_DATA, HTTP1_END };

// Takes from the front of *in: HTTP1_DATA and a view in *ret_data, HTTP1_MORE when *in is used up,
// HTTP1_END when the body is over (*in then holds what follows it), or ERR_MALFORMED / ERR_LIMIT.
// Begins with a zeroed struct.
int http1_chunked_next(struct http1_chunked *c, bytes *in, bytes *ret_data);
// Bytes of the current chunk that are still to come (what a reader may receive directly).
static inline uint64_t http1_chunked_left(const struct http1_chunked *c) { return c->left; }

// Appends "SIZE CRLF"; the caller adds data and CRLF. The end is "0 CRLF CRLF".
enum { HTTP1_CHUNK_HEAD = 18 };
size_t http1_chunk_head(char out[HTTP1_CHUNK_HEAD], size_t n);
// Appends "HTTP/1.1 STATUS text" and the headers, each checked (ERR_INVALID for what would break the
// framing); the caller adds its own and the empty line.
int http1_response_head(struct buf *out, int status, const struct http_header *h, size_t n);
int http1_header(struct buf *out, str name, str value);
