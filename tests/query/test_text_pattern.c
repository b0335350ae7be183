#include "query/text_pattern.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void test_rules(void **state)
{
    static const char *const cases[][2] = {
        { "order 1001 received from user-42", "order <num> received from user-<num>" },
        { "Connection refused: 10.0.0.1:5432", "Connection refused: <ip>" },
        { "order 1002 slow: 75 ms", "order <num> slow: <num> ms" },
        { "\xC3\x89"
          "CHEC du paiement 決済失敗",
          "\xC3\x89"
          "CHEC du paiement 決済失敗" },
        { "batch 7 done", "batch <num> done" },
        { "", "" },
        // strings
        { "user \"anna\" said 'it is' and don't", "user <str> said <str> and don't" },
        { "open \"quote 5", "open \"quote <num>" },
        { "a \"b\\\"c\" d", "a <str> d" },
        { "'it's'", "<str>" },
        // addresses
        { "GET https://a.b/c?d=1&e=2, then (http://x/y)", "GET <url>, then (<url>)" },
        { "see http://", "see http://" },
        { "mail anna.b+c@example.org now", "mail <email> now" },
        { "a@b and x@", "a@b and x@" },
        { "id 0af76519-16cd-43dd-8448-eb211c80319c.", "id <uuid>." },
        { "id 0af76519-16cd-43dd-8448-eb211c80319c1", "id <hex>-16cd-43dd-<num>-<hex>" },
        { "from 192.168.1.20 to 10.0.0.1:80.", "from <ip> to <ip>." },
        { "[::1]:8080 fe80::1 2001:db8:0:0:0:0:0:1", "<ip> <ip> <ip>" },
        { "a::b std::string", "<ip> std::string" },
        // times
        { "2026-01-01T00:00:05.123Z x", "<time> x" },
        { "2026-01-01 00:00:05,123 +0100 x", "<time> x" },
        { "at 2026/01/01 and 10:20:30", "at <time> and <time>" },
        { "[01/Jan/2026:00:00:05 +0000] \"GET /\"", "[<time>] <str>" },
        { "2026-01-01q", "<num>-<num>-01q" },
        // hex and numbers
        { "trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace <hex>" },
        { "at 0xdeadbeef00 and 0x1f", "at <hex> and <num>" },
        { "commit 1a2b3c4d", "commit <hex>" },
        { "deadbeef abcdefab", "deadbeef abcdefab" }, // words
        { "bytes 12345678901", "bytes <num>" },
        { "took 1.5s, 75ms, 1m30s, 20% of 10kb or 3GiB", "took <num>, <num>, <num>, <num> of <num> or <num>" },
        { "x=-5 y=+1.5e-3 1,234.5 v1.2.3 1.2.3", "x=<num> y=<num> <num> v1.<num> <num>" },
        { "utf8 s3 p99 x86_64 order_7 7th", "utf8 s3 p99 x86_<num> order_<num> 7th" },
        { "a-5 b:6 c/7 #8", "a-<num> b:<num> c/<num> #<num>" },
        { "\xff 5 \xff", "\xff <num> \xff" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf b;
        buf_init(&b, 1 << 16);
        assert_int_equal(query_text_pattern(str_z(cases[i][0]), &b), 0);
        if (!str_eq(buf_view(&b), str_z(cases[i][1])))
            fail_msg("%s: %.*s, expected %s", cases[i][0], (int)b.len, (char *)b.ptr, cases[i][1]);
        buf_free(&b);
    }
}

// A pattern is its own pattern, whatever the text; and long texts are cut between characters.
static void test_idempotent(void **state)
{
    struct buf b, again;
    buf_init(&b, 1 << 16);
    buf_init(&again, 1 << 16);
    assert_int_equal(query_text_pattern(STR("a \"x\" http://b 5 10.0.0.1 2026-01-01 c@d.e 1a2b3c4d5"), &b), 0);
    assert_int_equal(query_text_pattern(buf_view(&b), &again), 0);
    assert_true(str_eq(buf_view(&b), buf_view(&again)));
    buf_clear(&b);
    char text[3001];
    for (int i = 0; i < 3000; i += 3)
        memcpy(text + i, "決", 3);
    assert_int_equal(query_text_pattern(str_of(text, 3000), &b), 0);
    assert_int_equal(b.len, 2046 + 3);
    assert_memory_equal(b.ptr + 2043, "決...", 6);
    buf_free(&b);
    buf_free(&again);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_rules), cmocka_unit_test(test_idempotent) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
