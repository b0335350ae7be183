// Messages in their three forms: everything foreign is escaped for the one that it goes into.
#include "alerts/alerts_internal.h"
#include "base/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
// cmocka.h needs these before it
#include <cmocka.h>

static struct alerts a = { .url = "https://clew.example.org", .mail_from = "clew@example.org" };
static const struct alert_rule rule = { .id = 7, .name = STR_INIT("Shop, new") };

static struct message_item issue_item(str title)
{
    return (struct message_item){ .firing = { .id = 3,
                                              .kind = STR("new"),
                                              .issue = 42,
                                              .time = 1,
                                              .title = title,
                                              .text = STR("first seen in 1.4.2") },
                                  .short_id = STR("SHOP-42"),
                                  .project = STR("shop"),
                                  .level = STR("error"),
                                  .state = STR("new"),
                                  .events = 47,
                                  .users = 12 };
}

static struct buf made(void (*write)(const struct alerts *, const struct message *, struct buf *), str title)
{
    struct message_item item = issue_item(title);
    struct message m = { .delivery = 9, .rule = &rule, .time = 1767225600 * NS_PER_S, .items = &item, .items_n = 1 };
    struct buf out;
    buf_init(&out, 1 << 20);
    write(&a, &m, &out);
    assert_int_equal(out.error, 0);
    return out;
}

static void test_webhook(void **unused)
{
    struct arena arena;
    const struct json_node *root;
    struct buf out = made(message_webhook, STR("TypeError: \"x\"\n<y>"));
    arena_init(&arena, 1 << 20);
    assert_int_equal(json_tree_read(buf_view(&out), &arena, 16, &root, NULL), 0);
    const struct json_node *firing = json_get(root, STR("firings"))->first, *issue = json_get(firing, STR("issue"));
    assert_true(str_eq(json_get_text(firing, STR("title")), STR("TypeError: \"x\"\n<y>")));
    assert_true(str_eq(json_get_text(firing, STR("url")), STR("https://clew.example.org/issues/SHOP-42")));
    assert_true(str_eq(json_get_text(issue, STR("short")), STR("SHOP-42")));
    assert_true(str_eq(json_get(issue, STR("events"))->text, STR("47")));
    assert_true(str_eq(json_get(root, STR("id"))->text, STR("9")));
    arena_free(&arena);
    buf_free(&out);
}

static void test_slack(void **unused)
{
    struct arena arena;
    const struct json_node *root;
    // Neither a link nor a mention of everybody may come out of an error's text.
    struct buf out = made(message_slack, STR("<!channel> & <https://evil.example|click>"));
    arena_init(&arena, 1 << 20);
    assert_int_equal(json_tree_read(buf_view(&out), &arena, 16, &root, NULL), 0);
    str text = json_get_text(json_get(json_get(root, STR("blocks"))->first, STR("text")), STR("text"));
    assert_int_equal(str_find(text, STR("<!channel>")), -1);
    assert_true(str_find(text, STR("&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;")) > 0);
    assert_true(str_find(text, STR("<https://clew.example.org/issues/SHOP-42|SHOP-42 ")) > 0);
    assert_int_equal(str_find(json_get_text(root, STR("text")), STR("<")), -1);
    arena_free(&arena);
    buf_free(&out);
}

static void test_mail(void **unused)
{
    struct buf out;
    struct message_item item = issue_item(STR("Error: a\r\nBcc: all@example.org"));
    struct message m = { .rule = &rule, .time = 1767225600 * NS_PER_S, .items = &item, .items_n = 1 };
    buf_init(&out, 1 << 20);
    message_mail(&a, &m, STR("ops@example.org"), &out);
    str text = buf_view(&out);
    // A header cannot be broken out of.
    assert_int_equal(str_find(text, STR("\r\nBcc:")), -1);
    assert_true(str_find(text, STR("\r\nSubject: [SHOP-42] New issue: Error: a\\r\\nBcc: all@example.org\r\n")) > 0);
    assert_true(str_find(text, STR("\r\nDate: 1 Jan 2026 00:00:00 +0000\r\n")) > 0);
    ptrdiff_t at = str_find(text, STR("\r\n\r\n"));
    assert_true(at > 0);
    char body[4096];
    size_t n = 0, part;
    for (size_t i = (size_t)at + 4; i < text.len;) {
        ptrdiff_t end = str_find_char(text, '\r', i);
        assert_true(end > 0 && (size_t)end - i <= 76 && n + 100 < sizeof body);
        assert_true(base64_decode(body + n, str_slice(text, i, (size_t)end), &part));
        n += part;
        i = (size_t)end + 2;
    }
    body[n] = 0;
    assert_non_null(strstr(body, "New issue: SHOP-42 Error: a"));
    assert_non_null(strstr(body, "first seen in 1.4.2. 47 events, 12 users, in shop"));
    assert_non_null(strstr(body, "https://clew.example.org/issues/SHOP-42"));
    assert_non_null(strstr(body, "https://clew.example.org/alerts/7"));
    buf_free(&out);
}

// What turns the order of text, or what a terminal obeys, is seen and not done.
static void test_what_is_not_harmless_is_visible(void **unused)
{
    str title = STR("photo\xe2\x80\xaegpj.exe\x1b[2J");
    struct message_item item = issue_item(title);
    struct message m = { .rule = &rule, .time = 1, .items = &item, .items_n = 1 };
    struct arena arena;
    const struct json_node *root;
    struct buf out;
    buf_init(&out, 1 << 20);
    message_mail(&a, &m, STR("ops@example.org"), &out);
    assert_true(str_find(buf_view(&out), STR("New issue: photo\\u202egpj.exe\\x1b[2J\r\n")) > 0);
    buf_free(&out);
    arena_init(&arena, 1 << 20);
    out = made(message_slack, title);
    assert_int_equal(json_tree_read(buf_view(&out), &arena, 16, &root, NULL), 0);
    str text = json_get_text(json_get(json_get(root, STR("blocks"))->first, STR("text")), STR("text"));
    assert_true(str_find(text, STR("photo\\u202egpj.exe\\x1b[2J")) > 0);
    assert_true(str_find(json_get_text(root, STR("text")), STR("photo\\u202egpj.exe")) > 0);
    buf_free(&out);
    out = made(message_webhook, title); // of a program: it gets what there was
    assert_int_equal(json_tree_read(buf_view(&out), &arena, 16, &root, NULL), 0);
    assert_true(str_eq(json_get_text(json_get(root, STR("firings"))->first, STR("title")), title));
    assert_int_equal(str_find(buf_view(&out), STR("\xe2\x80\xae")), -1); // and escaped all the same
    arena_free(&arena);
    buf_free(&out);
}

static void test_subject_is_plain_where_it_can_be(void **unused)
{
    struct buf out;
    struct message_item item = issue_item(STR("TypeError: x"));
    struct message m = { .rule = &rule, .items = &item, .items_n = 1, .more = 3 };
    buf_init(&out, 1 << 20);
    message_mail(&a, &m, STR("ops@example.org"), &out);
    assert_true(str_find(buf_view(&out), STR("\r\nSubject: [SHOP-42] New issue: TypeError: x (and 3 more)\r\n")) > 0);
    buf_free(&out);
}

// What is over says what it fired at and what it is now, in each form.
static void test_over(void **unused)
{
    for (int known = 0; known < 2; known++) {
        struct message_item item = { .firing = { .id = 3,
                                                 .kind = STR("query"),
                                                 .subject = STR("service=a"),
                                                 .time = 1,
                                                 .closed = 2,
                                                 .lasting = true,
                                                 .value = 7,
                                                 .has_over_value = known,
                                                 .over_value = 2.5,
                                                 .title = STR("service=a"),
                                                 .text = STR("7, above 5 (over 1 min)") } };
        struct message m = { .delivery = 9, .rule = &rule, .time = 1, .items = &item, .items_n = 1 };
        struct buf json, slack;
        buf_init(&json, 1 << 20);
        buf_init(&slack, 1 << 20);
        message_webhook(&a, &m, &json);
        message_slack(&a, &m, &slack);
        assert_true(str_find(buf_view(&json), STR("\"over\":true")) > 0);
        assert_true(str_find(buf_view(&json), STR("\"value\":7")) > 0);
        assert_int_equal(str_find(buf_view(&json), STR("\"over_value\":2.5")) > 0, known);
        str said = known ? STR("7, above 5 (over 1 min); now 2.5\"") : STR("(over 1 min); now without a value\"");
        assert_true(str_find(buf_view(&slack), said) > 0);
        buf_free(&json);
        buf_free(&slack);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhook),
        cmocka_unit_test(test_slack),
        cmocka_unit_test(test_mail),
        cmocka_unit_test(test_what_is_not_harmless_is_visible),
        cmocka_unit_test(test_subject_is_plain_where_it_can_be),
        cmocka_unit_test(test_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
