// Bodies of forms, as curl and others write them, and as nobody should.
#include "net/multipart.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

static const str type = STR_INIT("multipart/form-data; boundary=----x");

static int begin(struct multipart *m, const char *body) { return multipart_begin(m, type, bytes_of_str(str_z(body))); }

static void parts_in_order(void **state)
{
    struct multipart m;
    struct multipart_part p;
    assert_int_equal(begin(&m, "------x\r\nContent-Disposition: form-data; name=\"file\"; "
                               "filename=\"a\\\"b;c\"\r\nContent-Type: application/octet-stream\r\n\r\n"
                               "one\r\n------y\r\n------x tail\r\n\r\n------x\r\ncontent-disposition: form-data; "
                               "name=plain\r\n\r\n\r\n------x--\r\nepilogue"),
                     0);
    assert_int_equal(multipart_next(&m, &p), 1);
    assert_true(str_eq(p.name, STR("file")) && str_eq(p.filename, STR("a\\\"b;c")) &&
                str_eq(p.content_type, STR("application/octet-stream")));
    assert_true(
        str_eq(str_of_bytes(p.content), STR("one\r\n------y\r\n------x tail\r\n"))); // what only looks like a delimiter
    assert_int_equal(multipart_next(&m, &p), 1);
    assert_true(str_eq(p.name, STR("plain")) && !p.filename.ptr && p.content.len == 0);
    assert_int_equal(multipart_next(&m, &p), 0);
    assert_int_equal(multipart_next(&m, &p), 0);
}

static void a_preamble_and_padding_are_passed_over(void **state)
{
    struct multipart m;
    struct multipart_part p;
    assert_int_equal(begin(&m, "nobody's\r\n------x  \r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\0"
                               "1\r\n------x--"),
                     0);
    assert_int_equal(multipart_next(&m, &p), ERR_TRUNCATED); // str_z ended at the NUL
    assert_int_equal(
        multipart_begin(&m, STR("Multipart/Form-Data; x=\"boundary=no\"; Boundary=\"b c\""),
                        bytes_of_str(STR("--b c\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\0v\r\n--b c--"))),
        0);
    assert_int_equal(multipart_next(&m, &p), 1);
    assert_true(bytes_eq(p.content, bytes_of("\0v", 2)));
    assert_int_equal(multipart_next(&m, &p), 0);
}

static void headers_of_a_part(void **state)
{
    struct multipart m;
    struct multipart_part p;
    assert_int_equal(begin(&m, "------x\r\nX-Kind:  insert \r\nno header\r\nx-kind: head\r\nContent-Disposition: "
                               "form-data; name=a\r\nx-empty:\r\n\r\nx-later: content\r\n------x\r\n"
                               "Content-Disposition: form-data; name=b\r\n\r\n\r\n------x--"),
                     0);
    assert_int_equal(multipart_next(&m, &p), 1);
    assert_true(str_eq(multipart_header(&p, STR("x-kind")), STR("insert"))); // the first one
    assert_true(str_eq(multipart_header(&p, STR("CONTENT-DISPOSITION")), STR("form-data; name=a")));
    assert_true(multipart_header(&p, STR("x-empty")).ptr && multipart_header(&p, STR("x-empty")).len == 0);
    assert_null(multipart_header(&p, STR("x-later")).ptr);
    assert_null(multipart_header(&p, STR("no header")).ptr);
    assert_int_equal(multipart_next(&m, &p), 1);
    assert_true(str_eq(multipart_header(&p, STR("content-disposition")), STR("form-data; name=b")));
    assert_null(multipart_header(&p, STR("x-kind")).ptr);
}

static void what_is_no_form(void **state)
{
    struct multipart m;
    bytes body = bytes_of_str(STR("--b\r\n"));
    static const char *const types[] = {
        "",
        "application/json",
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=\"\"",
        "multipart/mixed; boundary=b",
        "multipart/form-data; boundary=bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        assert_int_equal(multipart_begin(&m, str_z(types[i]), body), ERR_MALFORMED);
    assert_int_equal(begin(&m, ""), ERR_MALFORMED);
    assert_int_equal(begin(&m, "------xyz\r\n"), ERR_MALFORMED);
}

static void parts_that_are_cut_or_broken(void **state)
{
    struct multipart m;
    struct multipart_part p;
    static const struct {
        const char *body;
        int expect;
    } cases[] = { { "------x\r\n", ERR_TRUNCATED },
                  { "------x\r\nContent-Disposition: form-data; name=\"a\"\r\n", ERR_TRUNCATED },
                  { "------x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue", ERR_TRUNCATED },
                  { "------x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nvalue\r\n------x", ERR_TRUNCATED },
                  { "------x\r\nContent-Type: text/plain\r\n\r\nvalue\r\n------x--", ERR_MALFORMED }, // nobody's
                  { "------x\r\n\r\nvalue\r\n------x--", ERR_MALFORMED },
                  { "------x--\r\n", 0 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(begin(&m, cases[i].body), 0);
        assert_int_equal(multipart_next(&m, &p), cases[i].expect);
    }
}

static void heads_are_bounded(void **state)
{
    static char body[MULTIPART_HEAD_MAX * 3 + 64];
    struct multipart m;
    struct multipart_part p;
    memset(body, 'h', sizeof body);
    memcpy(body, "------x\r\n", 9);
    assert_int_equal(multipart_begin(&m, type, bytes_of(body, sizeof body)), 0);
    assert_int_equal(multipart_next(&m, &p), ERR_MALFORMED);
    for (size_t i = 9; i + 10 < sizeof body; i += 10) // many short lines
        memcpy(body + i, "head: xx\r\n", 10);
    assert_int_equal(multipart_begin(&m, type, bytes_of(body, sizeof body)), 0);
    assert_int_equal(multipart_next(&m, &p), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(parts_in_order),
                                        cmocka_unit_test(a_preamble_and_padding_are_passed_over),
                                        cmocka_unit_test(headers_of_a_part),
                                        cmocka_unit_test(what_is_no_form),
                                        cmocka_unit_test(parts_that_are_cut_or_broken),
                                        cmocka_unit_test(heads_are_bounded) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
