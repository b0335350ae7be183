#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "net/http1.h"

#include <stdlib.h>

static const struct http1_limits limits = { .head_max = 4096, .target_max = 100, .headers_max = 8 };
static struct http_header headers[9];
static char head[8192];

static int parse(const char *text, struct http1_head *ret)
{
    size_t n = strlen(text);
    memcpy(head, text, n + 1);
    return http1_request_parse(head, n, &limits, headers, ret);
}

#define ASSERT_STR(s, z) assert_true(str_eq((s), str_z(z)))

static void test_good_requests(void **state)
{
    struct http1_head h;
    assert_int_equal(parse("POST /v1/traces?a=b&c HTTP/1.1\r\nHost: LOCALHOST:4318\r\nContent-Type:  x/y \t\r\n"
                           "Content-Length: 12\r\nX-Empty:\r\nExpect: 100-Continue\r\n\r\n",
                           &h),
                     0);
    ASSERT_STR(h.method, "POST");
    ASSERT_STR(h.path, "/v1/traces");
    ASSERT_STR(h.query, "a=b&c");
    ASSERT_STR(h.host, "localhost:4318");
    assert_int_equal(h.headers_n, 5);
    ASSERT_STR(h.headers[1].name, "content-type");
    ASSERT_STR(h.headers[1].value, "x/y");
    ASSERT_STR(h.headers[3].value, "");
    assert_int_equal(h.content_length, 12);
    assert_true(h.keep_alive && h.expect_continue && !h.chunked);
    assert_int_equal(h.minor, 1);

    assert_int_equal(parse("GET http://A.example:80?q HTTP/1.1\r\nHost: other\r\n\r\n", &h), 0);
    ASSERT_STR(h.host, "a.example:80");
    ASSERT_STR(h.path, "/");
    ASSERT_STR(h.query, "q");
    ASSERT_STR(h.scheme, "http");
    assert_int_equal(parse("GET https://a/b?c HTTP/1.1\r\nHost:\r\n\r\n", &h), 0);
    ASSERT_STR(h.path, "/b");
    assert_int_equal(parse("OPTIONS * HTTP/1.1\r\nHost: [::1]:2539\r\n\r\n", &h), 0);
    ASSERT_STR(h.path, "*");
    assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n", &h), 0);
    assert_false(h.keep_alive);
    assert_int_equal(parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", &h), 0);
    assert_true(h.keep_alive);
    assert_int_equal(parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", &h), 0);
    assert_false(h.keep_alive);
    assert_int_equal(parse("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", &h), 0);
    assert_true(h.chunked && h.content_length == -1);
    assert_int_equal(parse("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n", &h), 0);
    assert_int_equal(h.content_length, 3);
}

#define HOST "Host: a\r\n"

static void test_refused_requests(void **state)
{
    static const struct {
        int status;
        const char *text;
    } bad[] = {
        { 400, "GET /\r\n\r\n" },
        { 400, "GET  / HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET / HTTP/1.1 \r\n" HOST "\r\n" },
        { 400, " GET / HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "G\x01T / HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET /a b HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET /\x7f HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET /#x HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET a HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET * HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET http:// HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET http://u@h/ HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET / HTTP/1.1\r\n\r\n" },              // no Host
        { 400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n" }, // two
        { 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n" },
        { 400, "GET / http/1.1\r\n" HOST "\r\n" },
        { 400, "GET / HTTP/1.10\r\n" HOST "\r\n" },
        { 505, "GET / HTTP/2.0\r\n" HOST "\r\n" },
        { 505, "GET / HTTP/0.9\r\n" HOST "\r\n" },
        { 501, "CONNECT a:80 HTTP/1.1\r\n" HOST "\r\n" },
        { 400, "GET / HTTP/1.1\n" HOST "\r\n" }, // bare LF
        { 400, "GET / HTTP/1.1\r\nHost: a\n\r\n" },
        { 400, "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n" },         // bare CR
        { 400, "GET / HTTP/1.1\r\n" HOST "X : y\r\n\r\n" },      // space before the colon
        { 400, "GET / HTTP/1.1\r\n" HOST "X: y\r\n z\r\n\r\n" }, // fold
        { 400, "GET / HTTP/1.1\r\n X: y\r\n" HOST "\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST ": y\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST "xy\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST "X: a\x01z\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST "X: a\x7fz\r\n\r\n" },
        { 400, "GET / HTTP/1.1\r\n" HOST "\r\nrest" },
        { 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 2\r\n\r\n" },
        { 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1, 1\r\n\r\n" },
        { 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: +1\r\n\r\n" },
        { 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n" },
        { 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 0x1\r\n\r\n" },
        { 400, "POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n" },
        { 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999999999999999\r\n\r\n" },
        { 400, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n" },
        { 400, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" },
        { 501, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n" },
        { 501, "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: xchunked\r\n\r\n" },
        { 400, "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n" },
        { 417, "POST / HTTP/1.1\r\n" HOST "Expect: magic\r\n\r\n" },
        { 431, "GET / HTTP/1.1\r\n" HOST "1: \r\n2: \r\n3: \r\n4: \r\n5: \r\n6: \r\n7: \r\n8: \r\n\r\n" },
        { 414, "GET /01234567890123456789012345678901234567890123456789012345678901234567890123456789"
               "01234567890123456789 HTTP/1.1\r\n" HOST "\r\n" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct http1_head h = { .minor = 77 };
        int status = parse(bad[i].text, &h);
        if (status != bad[i].status)
            print_error("case %zu: %d and not %d for %s\n", i, status, bad[i].status, bad[i].text);
        assert_int_equal(status, bad[i].status);
        assert_int_equal(h.minor, 77); // untouched
    }
    // A NUL is found wherever it hides.
    static const char good[] = "GET / HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    for (size_t i = 0; i + 1 < sizeof good; i++) {
        struct http1_head h;
        memcpy(head, good, sizeof good);
        head[i] = 0;
        assert_int_not_equal(http1_request_parse(head, sizeof good - 1, &limits, headers, &h), 0);
    }
    struct http1_limits small = limits;
    small.head_max = sizeof good - 2;
    memcpy(head, good, sizeof good);
    struct http1_head h;
    assert_int_equal(http1_request_parse(head, sizeof good - 1, &small, headers, &h), 431);
}

static void test_head_end(void **state)
{
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\nbody\r\n\r\n";
    size_t want = strlen(text) - 8;
    for (size_t step = 1; step < 30; step++) {
        size_t scanned = 0, end = 0;
        for (size_t have = step; end == 0; have += step)
            end = http1_head_end(bytes_of(text, have < sizeof text - 1 ? have : sizeof text - 1), &scanned);
        assert_int_equal(end, want);
    }
    size_t scanned = 0;
    assert_int_equal(http1_head_end(bytes_of("GET / HTTP/1.1\nHost", 19), &scanned), 15); // to be refused at once
    scanned = 0;
    assert_int_equal(http1_head_end(bytes_of("\n", 1), &scanned), 1);
    assert_int_equal(http1_skip_empty_lines(bytes_of("\r\n\r\n\r\nG", 7)), 4);
    assert_int_equal(http1_skip_empty_lines(bytes_of("\rG", 2)), 0);
}

static void test_responses(void **state)
{
    struct http1_head h;
    strcpy(head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert_int_equal(http1_response_parse(head, strlen(head), &limits, headers, &h), 0);
    assert_int_equal(h.status, 200);
    assert_true(h.chunked && h.keep_alive);
    strcpy(head, "HTTP/1.0 404 \r\n\r\n");
    assert_int_equal(http1_response_parse(head, strlen(head), &limits, headers, &h), 0);
    assert_int_equal(h.status, 404);
    assert_false(h.keep_alive);
    const char *bad[] = { "HTTP/1.1 20 OK\r\n\r\n",
                          "HTTP/1.1 2000\r\n\r\n",
                          "HTTP/1.1 099 x\r\n\r\n",
                          "HTTP/2.0 200 OK\r\n\r\n",
                          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
                          "x\r\n\r\n" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        strcpy(head, bad[i]);
        assert_int_equal(http1_response_parse(head, strlen(head), &limits, headers, &h), ERR_MALFORMED);
    }
}

// Decodes text in steps; returns the final code, the data in *out, what is left over in *rest.
static int unchunk(const char *text, size_t n, size_t step, struct buf *out, size_t *rest)
{
    struct http1_chunked c = { 0 };
    buf_init(out, 1 << 20);
    size_t at = 0;
    for (;;) {
        bytes in = bytes_of(text + at, n - at < step ? n - at : step), data;
        size_t had = in.len;
        int rc;
        while ((rc = http1_chunked_next(&c, &in, &data)) == HTTP1_DATA)
            buf_append(out, data.ptr, data.len);
        at += had - in.len;
        if (rc != HTTP1_MORE || at == n) {
            *rest = n - at;
            return rc;
        }
    }
}

static void test_chunked(void **state)
{
    static const char text[] = "5\r\nhello\r\n00A;name=\"v;\"\r\n, world!!!\r\n1\r\n\n\r\n0\r\nX: y\r\nZ:\r\n\r\nGET /";
    for (size_t step = 1; step < sizeof text; step++) {
        struct buf out;
        size_t rest = 0;
        assert_int_equal(unchunk(text, sizeof text - 1, step, &out, &rest), HTTP1_END);
        assert_true(str_eq(buf_view(&out), STR("hello, world!!!\n")));
        assert_int_equal(rest, 5);
        buf_free(&out);
    }
    const char *bad[] = {
        "\r\n",        "g\r\n",         "-1\r\n",     " 5\r\n",  "5 \r\n",       "5\nhello",           "5\rhello",
        "5\r\nhelloX", "5\r\nhello\rX", "5;a\nb\r\n", "0\r\n\n", "0\r\nX\n\r\n", "0\r\n X: y\r\n\r\n", "0x5\r\n"
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf out;
        size_t rest;
        assert_int_equal(unchunk(bad[i], strlen(bad[i]), 100, &out, &rest), ERR_MALFORMED);
        buf_free(&out);
    }
    struct buf out;
    size_t rest;
    assert_int_equal(unchunk("fffffffffffffffff\r\n", 19, 100, &out, &rest), ERR_LIMIT);
    assert_int_equal(unchunk("5\r\nhel", 6, 100, &out, &rest), HTTP1_MORE);
    buf_free(&out);
    char *big = malloc(20000);
    memset(big, '0', 20000);
    assert_int_equal(unchunk(big, 20000, 100, &out, &rest), ERR_LIMIT);
    memcpy(big, "1;", 2);
    assert_int_equal(unchunk(big, 20000, 100, &out, &rest), ERR_LIMIT);
    memcpy(big, "0\r\n", 3);
    assert_int_equal(unchunk(big, 20000, 100, &out, &rest), ERR_LIMIT);
    free(big);
}

static void test_serializer(void **state)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    struct http_header good[] = { { STR_INIT("Content-Type"), STR_INIT("text/plain") } };
    assert_int_equal(http1_response_head(&out, 404, good, 1), 0);
    assert_true(str_eq(buf_view(&out), STR("HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\n")));
    struct http_header split[] = { { STR_INIT("Location"), STR_INIT("/a\r\nSet-Cookie: x") } };
    assert_int_equal(http1_response_head(&out, 302, split, 1), ERR_INVALID);
    struct http_header name[] = { { STR_INIT("A b"), STR_INIT("x") } };
    assert_int_equal(http1_response_head(&out, 302, name, 1), ERR_INVALID);
    buf_free(&out);
    char chunk[HTTP1_CHUNK_HEAD];
    assert_int_equal(http1_chunk_head(chunk, 0x1f), 4);
    assert_memory_equal(chunk, "1f\r\n", 4);
    assert_int_equal(http1_chunk_head(chunk, SIZE_MAX), 18);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_requests), cmocka_unit_test(test_refused_requests),
        cmocka_unit_test(test_head_end),      cmocka_unit_test(test_responses),
        cmocka_unit_test(test_chunked),       cmocka_unit_test(test_serializer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
