#include "grouping/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void is(const char *text, const char *expected)
{
    static const char *const before[] = { "", "prefix " }, *const behind[] = { "", " suffix" };
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (int i = 0; i < 4; i++) {
        str in = arena_printf(&arena, "%s%s%s", before[i & 1], text, behind[i >> 1]), out;
        str want = arena_printf(&arena, "%s%s%s", before[i & 1], expected, behind[i >> 1]);
        assert_int_equal(message_parameterize(in, &arena, &out), 0);
        if (!str_eq(out, want))
            fail_msg("\"%.*s\" became \"%.*s\", not \"%.*s\"", STR_ARG(in), STR_ARG(out), STR_ARG(want));
    }
    arena_free(&arena);
}

static void addresses(void **state)
{
    is("mara@example.org", "<email>");
    is("mara.w+shop@mail.example.org", "<email>");
    is("http://example.org", "<url>");
    is("https://shop.example.org/a/b.js?x=1&y=2", "<url>");
    is("postgres://user:pw@db:5432/shop", "<url>");
    is("http://localhost:8000", "<url>");
    is("example.com", "<hostname>");
    is("a.b.example.io", "<hostname>");
    is("module.path.name", "module.path.name");
    is("10.20.30.40", "<ip>");
    is("0.0.0.0:80", "<ip>:<int>");
    is("::1", "<ip>");
    is("2001:db8::cbe:908:2013", "<ip>");
    is("::ffff:192.168.1.1", "<ip>");
    is("fc00::/7", "<ip>");
    is("1121:0c03:1231:130d:0000:16da:0908:da07", "<ip>");
    is("Option::unwrap()", "Option::unwrap()");
    is("Bee::buzz()", "Bee::buzz()");
    is("12345:6:789", "<int>:<int>:<int>");
    is("00:26:bb:19:83:33", "<mac_addr>");
}

static void ids(void **state)
{
    is("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "<traceparent>");
    is("1-67891233-abcdef012345678912345678", "<traceparent>");
    is("7c1811ed-e98f-4c9c-a9f9-58c757ff494f", "<uuid>");
    is("bea691f2-2e25-4bec-6838-e0c44b03d60a/7c1811ed-e98f-4c9c-a9f9-58c757ff494f", "<uuid>/<uuid>");
    is("5fc35719b9cf96ec602dbc748ff31c587a46961d", "<sha1>");
    is("0751007cd28df267e8e051b51f918c60", "<md5>");
    is("tx274a77a8975c4a66aeb24-0052d95365", "<swift_txn_id>");
    is("0x9af8", "<hex>");
    is("0xDEADBEEF", "<hex>");
    is("9af", "9af");
    is("9af8", "<hex>");
    is("9AF8C3BE3A", "<hex>");
    is("deadbee", "deadbee");
    is("deadbeef", "<hex>");
    is("cafe 123", "cafe <int>");
    is("-12345678", "<hex>");
    is("commit a93c7d2", "commit <git_sha>");
    is("commit cabcafe", "commit cabcafe");
    is("k9Mtd2gDcgG", "<random_id>");
    is("img_k9Mtd2gDcgG.jpg", "img_<random_id>.jpg");
    is("dogNumber1 bball4lyfe", "dogNumber1 bball4lyfe");
}

static void dates(void **state)
{
    static const char *const all[] = {
        "2024-02-20T22:16:36",
        "Mon, 02 Jan 06 15:04 MST",
        "Mon, 02 Jan 06 15:04 -0700",
        "Mon, 02-Jan-06 15:04:05 MST",
        "Monday, 02-Jan-06 15:04:05 MST",
        "Mon, 02 Jan 2006 15:04:05 -0700",
        "02 Jan 2006 15:04:05 GMT",
        "Mon Jan 02 2006 14:04:05 GMT-0800 (Pacific Standard Time)",
        "Mon Jan 02 2006 14:04:05 GMT+0000",
        "Mon Jan  2 15:04:05 2006",
        "2006-01-02T15:04:05Z07:00",
        "2006-01-02T15:04:05.999999999Z",
        "2006-01-02",
        "Jan 18, 2019",
        "2006-01-02 15:04:05",
        "2006-01-02 15:04:05Z",
        "2006-01-02 15:04:05+01:00",
        "20060102 150405",
        "20060102T150405+0100",
        "11:21",
        "11:21:12 AM",
        "12:31 pm",
        "11:21PM",
        "23:21:12",
        "09:08",
        "0:12",
        "20240220 11:55:33.546593",
        "2024-02-23 02:13:53.418",
        "datetime.datetime(2025, 6, 24, 18, 33, 0, 447640)",
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        is(all[i], "<date>");
    is("908:31", "<int>:<int>");
    is("11:2112", "<int>:<int>");
    is("31:21", "<int>:<int>");
    is("12:99", "<int>:<int>");
    is("12:31:99", "<int>:<int>:<int>");
    is("2006-01-40", "<int>-<int>-<int>");
    is("2006-20-02", "<int>-<int>-<int>");
    is("10000-01-02", "<int>-<int>-<int>");
    is("Monkeys May", "Monkeys May");
}

static void numbers(void **state)
{
    is("0ms", "<duration>");
    is("1.234s", "<duration>");
    is("10s", "<duration>");
    is("0.23", "<float>");
    is("-0.5", "<float>");
    is("23", "<int>");
    is("-23", "<int>");
    is("0:17502", "<int>:<int>");
    is("value: -17502", "value: <int>");
    is("415-908", "<int>-<int>");
    is("maisey-908", "maisey-<int>");
    is("{\"msg\" => \"(#239323)", "{\"msg\" => \"(#<int>)");
    is("1.2.3", "<int>.<int>.<int>");
    is("utf-8", "utf-<int>");
    is("xyz123 v2x", "xyz123 v2x");
    is("b = '1'", "b = '<int>'");
    is("b='1'", "b=<quoted_str>");
    is("b=\"0.0.0.0 1 a=True\"", "b=<quoted_str>");
    is("b='value\"", "b='value\"");
    is("a=false b=True", "a=<bool> b=<bool>");
    is("a = true", "a = true");
    is("Grüße 5 für 7€", "Grüße <int> für <int>€");
    is("A quick brown fox", "A quick brown fox");
}

static void normal(const char *text, const char *expected)
{
    struct arena arena;
    str out;
    arena_init(&arena, 1 << 20);
    assert_int_equal(message_normalize(str_z(text), &arena, &out), 0);
    if (!str_eq(out, str_z(expected)))
        fail_msg("\"%s\" became \"%.*s\"", text, STR_ARG(out));
    arena_free(&arena);
}

static void lines(void **state)
{
    normal("one line", "one line");
    normal("first\n\nsecond\nthird", "first\nsecond...");
    normal("one line\n", "one line...");
    normal("a\r\nb", "a\nb...");
    normal("a\nb", "a\nb");
    normal("", "");
    normal("\n \n", "...");
    normal("id 5\nat 7", "id <int>\nat <int>");
}

// Only the values differ: one group. Whatever bytes come, the result is bounded and the same again.
static void properties(void **state)
{
    struct arena arena;
    uint64_t seed = 42;
    static const char alphabet[] = "aZf09-:./@=' \"T+%_x\xc3\xa9\n#";
    arena_init(&arena, 16 << 20);
    for (int i = 0; i < 20000; i++) {
        char text[64];
        size_t n;
        str a, b;
        for (n = 0; n < sizeof text; n++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            text[n] = alphabet[(seed >> 33) % (sizeof alphabet - 1)];
        }
        n = (size_t)(seed >> 50) % sizeof text;
        assert_int_equal(message_normalize(str_of(text, n), &arena, &a), 0);
        assert_int_equal(message_normalize(str_of(text, n), &arena, &b), 0);
        assert_true(str_eq(a, b) && a.len <= n * 5 + 3);
        str one = arena_printf(&arena, "Order %u of user u%d@shop.example failed after %dms at 10.0.%d.%d",
                               (unsigned)(seed >> 40), i, i, i % 250, i % 199);
        assert_int_equal(message_normalize(one, &arena, &a), 0);
        assert_true(str_starts(a, STR("Order <")) &&
                    str_ends(a, STR("> of user <email> failed after <duration> at <ip>")));
        arena_reset(&arena);
    }
    arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses), cmocka_unit_test(ids),   cmocka_unit_test(dates),
        cmocka_unit_test(numbers),   cmocka_unit_test(lines), cmocka_unit_test(properties),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
