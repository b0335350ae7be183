#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "filters/scrub_rules.h"

enum { TEXT_MAX = 1 << 16 };
static const char SECRET[] = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

struct applied {
    struct arena arena;
    struct buf json;
    struct scrub_remarks remarks;
    str peer;
};

static void apply(struct applied *a, const struct scrub_settings *settings, const char *sent)
{
    struct scrub_rules *rules;
    struct err err = { 0 };
    struct json_writer w;
    const struct json_node *root;
    arena_init(&a->arena, 8 << 20);
    if (scrub_rules_new(settings, &rules, &err) < 0)
        fail_msg("%d:%d %s", err.line, err.column, err.message);
    assert_int_equal(json_tree_read(str_z(sent), &a->arena, 64, &root, NULL), 0);
    assert_int_equal(scrub_rules_apply(rules, root, &a->arena, &a->remarks), 0);
    buf_init(&a->json, TEXT_MAX);
    json_writer_init(&w, &a->json);
    json_put_tree(&w, root);
    a->peer = STR("203.0.113.7");
    assert_int_equal(scrub_rules_peer(rules, &a->arena, &a->peer), 0);
    scrub_rules_free(rules);
}

static void applied_free(struct applied *a)
{
    buf_free(&a->json);
    arena_free(&a->arena);
}

static void becomes(const char *rules, const char *sent, const char *kept)
{
    struct scrub_settings settings = { .rules = str_z(rules), .secret = STR(SECRET) };
    struct applied a;
    apply(&a, &settings, sent);
    if (!str_eq(buf_view(&a.json), str_z(kept)))
        fail_msg("%s: %s became %.*s", rules, sent, STR_ARG(buf_view(&a.json)));
    applied_free(&a);
}

static void methods(void **state)
{
    becomes("mask @email", "{\"message\":\"to ada@example.com, b@c.de!\"}",
            "{\"message\":\"to ***************, ******!\"}");
    becomes("remove @email", "{\"message\":\"to ada@example.com.\"}", "{\"message\":\"to .\"}");
    becomes("replace @email", "{\"message\":\"to ada@example.com\"}", "{\"message\":\"to [Filtered]\"}");
    becomes("replace @email with \"a \\\"person\\\"\"", "{\"message\":\"to ada@example.com\"}",
            "{\"message\":\"to a \\\"person\\\"\"}");
    becomes("mask /\xc3\xa4+/",
            "{\"message\":\"b\xc3\xa4\xc3\xa4"
            "c\"}",
            "{\"message\":\"b**c\"}");
    becomes("replace /order-(\\d+)/ with \"N\"", "{\"message\":\"order-17 and order-4\"}",
            "{\"message\":\"order-N and order-N\"}");
    becomes("replace /x*/ with \"N\"", "{\"message\":\"axxb\"}",
            "{\"message\":\"aNb\"}"); // an empty match takes nothing
    becomes("remove @anything from extra.note", "{\"extra\":{\"note\":{\"a\":1},\"b\":2}}",
            "{\"extra\":{\"note\":null,\"b\":2}}");
    becomes("replace @anything from extra.note", "{\"extra\":{\"note\":[1,2]}}",
            "{\"extra\":{\"note\":\"[Filtered]\"}}");
    becomes("mask @anything from extra", "{\"extra\":{\"note\":{\"a\":12,\"b\":true}}}",
            "{\"extra\":{\"note\":{\"a\":\"**\",\"b\":\"****\"}}}");
}

static void hashes_are_the_same_for_the_same_value(void **state)
{
    struct scrub_settings settings = { .rules = STR("hash @email"), .secret = STR(SECRET) };
    struct applied a, b;
    apply(&a, &settings,
          "{\"message\":\"ada@example.com\",\"extra\":{\"x\":\"ada@example.com\",\"y\":\"eve@example.com\"}}");
    str text = buf_view(&a.json);
    str first = str_slice(text, sizeof "{\"message\":\"" - 1, sizeof "{\"message\":\"" - 1 + 32);
    ptrdiff_t again = str_find(str_slice(text, 46, text.len), first);
    assert_true(again > 0);
    assert_true(str_find(text, STR("example")) < 0);
    assert_true(str_find(str_slice(text, 46 + (size_t)again + 32, text.len), first) < 0); // eve is another
    settings.secret = STR("ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
    apply(&b, &settings, "{\"message\":\"ada@example.com\"}");
    assert_true(str_find(buf_view(&b.json), first) < 0); // and so is another project's
    applied_free(&a);
    applied_free(&b);
}

static void types(void **state)
{
    static const char *const found[][2] = {
        { "@ip", "203.0.113.7" },
        { "@ip", "2001:db8::1" },
        { "@ip", "::1" },
        { "@email", "a.b+c@d-e.co.uk" },
        { "@creditcard", "4111 1111 1111 1111" },
        { "@usssn", "078-05-1120" },
        { "@iban", "DE89 3704 0044 0532 0130 00" },
        { "@imei", "35-209900-176148-1" },
        { "@mac", "4a:00:04:10:9b:50" },
        { "@uuid", "ceee0822-ed8f-4622-b2a3-789e73e75cd1" },
    };
    static const char *const parts[][3] = {
        { "@userpath", "C:\\\\Users\\\\ada\\\\x.txt", "C:\\\\Users\\\\#\\\\x.txt" },
        { "@userpath",
          "/ho"
          "me/ada/x.txt",
          "/ho"
          "me/#/x.txt" },
        { "@urlauth", "https://ada:pw@example.com/", "https://#@example.com/" },
        { "@bearer", "Bearer abcdefg.hij", "Bearer #" },
        { "@pemkey", "-----BEGIN RSA PRIVATE KEY-----\\nMII\\n-----END", "-----BEGIN RSA PRIVATE KEY-----#-----END" },
        { "@ip", "version 1.2.3", "version 1.2.3" },
        { "@creditcard", "4111 1111 1111 1112", "4111 1111 1111 1112" },
        { "@email", "a @ b", "a @ b" },
    };
    char rule[128], sent[256], kept[256];
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        snprintf(rule, sizeof rule, "replace %s with \"#\"", found[i][0]);
        snprintf(sent, sizeof sent, "{\"extra\":{\"a\":\"x %s y\"}}", found[i][1]);
        becomes(rule, sent, "{\"extra\":{\"a\":\"x # y\"}}");
    }
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        snprintf(rule, sizeof rule, "replace %s with \"#\"", parts[i][0]);
        snprintf(sent, sizeof sent, "{\"extra\":{\"a\":\"%s\"}}", parts[i][1]);
        snprintf(kept, sizeof kept, "{\"extra\":{\"a\":\"%s\"}}", parts[i][2]);
        becomes(rule, sent, kept);
    }
    becomes("hash @password", "{\"extra\":{\"a\":\"x\"}}", "{\"extra\":{\"a\":\"x\"}}");
    becomes("mask @password", "{\"extra\":{\"api_key\":\"x1\"},\"request\":{\"headers\":[[\"Cookie\",\"ab\"]]}}",
            "{\"extra\":{\"api_key\":\"**\"},\"request\":{\"headers\":[[\"Cookie\",\"**\"]]}}");
}

static void sources(void **state)
{
    static const char sent[] =
        "{\"user\":{\"email\":\"u\"},\"extra\":{\"email\":\"x\",\"deep\":{\"email\":\"d\"},\"list\":[\"p\",\"q\"]},"
        "\"request\":{\"url\":\"r\",\"headers\":[[\"X-Who\",\"h\"]]},"
        "\"exception\":{\"values\":[{\"type\":\"T\",\"value\":\"v\",\"stacktrace\":{\"frames\":[{\"function\":\"f\","
        "\"vars\":{\"a\":\"z\"}}]}}]}}";
    static const struct {
        const char *source, *changed; // texts that are masked
    } cases[] = {
        { "$user.email", "u" },
        { "**.email", "uxd" },
        { "email", "uxd" },
        { "extra.*", "xdpq" },
        { "extra.email", "x" },
        { "extra.**.email", "xd" },
        { "extra", "xdpq" },
        { "extra.list.1", "q" },
        { "$error.value", "v" },
        { "$frame.vars", "z" },
        { "$frame.vars.a || $user", "uz" },
        { "email && !$user.email", "xd" },
        { "'request'.url", "r" },
        { "$http.headers.**.X-Who", "h" },
        { "$string && (extra.** || request.url)", "xdpqr" },
        { "$frame.function", "f" }, // a name, but it was named
        { "$frame", "z" },          // and here it was not
        { "$error.type", "T" },
        { "extra.none", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char rule[128], kept[sizeof sent], *out = kept;
        snprintf(rule, sizeof rule, "mask @anything from %s", cases[i].source);
        for (const char *p = sent; *p; p++) {
            bool value = p[-(p > sent)] == '"' && p[1] == '"' && p[2] != ':';
            *out++ = value && strchr(cases[i].changed, *p) ? '*' : *p;
        }
        *out = 0;
        becomes(rule, sent, kept);
    }
}

static void ids_and_times_stay(void **state)
{
    static const char sent[] =
        "{\"event_id\":\"4111111111111111\",\"timestamp\":\"2026-01-01\",\"contexts\":{\"trace\":"
        "{\"trace_id\":\"a\",\"span_id\":\"b\"}},\"debug_meta\":{\"images\":[\"x\"]},\"sdk\":{\"name\":\"s\"},"
        "\"error_ids\":[\"c\"]}";
    becomes("remove @anything from **\nmask @creditcard\nmask /./ from event_id", sent, sent);
    becomes("mask @email", "{\"extra\":{\"sid\":\"a@b.cd\"}}", "{\"extra\":{\"sid\":\"******\"}}"); // only called so
}

static void attributes_keep_their_shape(void **state)
{
    becomes("mask @anything from attributes.'user.age'",
            "{\"items\":[{\"attributes\":{\"user.age\":{\"value\":36,\"type\":\"integer\"},\"k\":{\"value\":1,\"type\":"
            "\"integer\"}}}]}",
            "{\"items\":[{\"attributes\":{\"user.age\":{\"value\":\"**\",\"type\":\"string\"},\"k\":{\"value\":1,"
            "\"type\":\"integer\"}}}]}");
}

static void addresses_are_gone(void **state)
{
    struct scrub_settings settings = { .addresses = true };
    struct applied a;
    apply(&a, &settings,
          "{\"user\":{\"id\":\"7\",\"ip_address\":\"{{auto}}\"},\"request\":{\"env\":{\"REMOTE_ADDR\":\"1.2.3.4\"},"
          "\"headers\":[[\"X-Forwarded-For\",\"1.2.3.4\"],[\"A\",\"b\"]]}}");
    assert_true(
        str_eq(buf_view(&a.json), STR("{\"user\":{\"id\":\"7\",\"ip_address\":null},\"request\":{\"env\":{\"REMOTE_"
                                      "ADDR\":null},\"headers\":[[\"X-Forwarded-For\",null],[\"A\",\"b\"]]}}")));
    assert_int_equal(a.remarks.n, 3);
    assert_true(str_eq(a.remarks.of[0].rule, STR("addresses")));
    assert_int_equal(a.peer.len, 0);
    applied_free(&a);
}

static void the_senders_address_is_one_too(void **state)
{
    struct scrub_settings settings = { .rules = STR("mask @ip from $user.ip_address") };
    struct applied a;
    apply(&a, &settings, "{}");
    assert_true(str_eq(a.peer, STR("***********")));
    applied_free(&a);
    settings.rules = STR("mask @ip from extra");
    apply(&a, &settings, "{}");
    assert_true(str_eq(a.peer, STR("203.0.113.7")));
    applied_free(&a);
}

static void what_was_removed_is_said(void **state)
{
    struct scrub_settings settings = { .rules =
                                           STR("# ours\n  mask @email from extra\nremove @anything from tags.ssn") };
    struct applied a;
    apply(&a, &settings, "{\"extra\":{\"a\":[\"a@b.cd\"],\"b\":\"-\"},\"tags\":{\"ssn\":\"1\"}}");
    assert_int_equal(a.remarks.n, 2);
    assert_int_equal(a.remarks.removed, 2);
    assert_true(str_eq(a.remarks.of[0].path, STR("extra.a.0")));
    assert_true(str_eq(a.remarks.of[0].rule, STR("mask @email from extra")));
    assert_true(str_eq(a.remarks.of[0].before, STR("a@b.cd")));
    assert_true(str_eq(a.remarks.of[0].after, STR("******")));
    assert_true(str_eq(a.remarks.of[1].path, STR("tags.ssn")));
    applied_free(&a);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods),
        cmocka_unit_test(hashes_are_the_same_for_the_same_value),
        cmocka_unit_test(types),
        cmocka_unit_test(sources),
        cmocka_unit_test(ids_and_times_stay),
        cmocka_unit_test(attributes_keep_their_shape),
        cmocka_unit_test(addresses_are_gone),
        cmocka_unit_test(the_senders_address_is_one_too),
        cmocka_unit_test(what_was_removed_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
