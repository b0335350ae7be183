#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "filters/filters.h"
#include "wire/sentry_event.h"

struct given {
    struct arena arena;
    struct filters *filters;
};

static void given_open(struct given *g, const char *settings)
{
    struct filter_settings s = filter_settings_default();
    arena_init(&g->arena, 16 << 20);
    assert_int_equal(filter_settings_read(str_z(settings), &g->arena, &s, NULL), 0);
    assert_int_equal(filters_new(&s, &g->filters, NULL), 0);
}

static void given_close(struct given *g)
{
    filters_free(g->filters);
    arena_free(&g->arena);
}

static const struct json_node *tree(struct given *g, const char *json)
{
    const struct json_node *root;
    assert_int_equal(json_tree_read(str_z(json), &g->arena, SENTRY_EVENT_DEPTH, &root, NULL), 0);
    return root;
}

static void says(const char *settings, enum filter_kind kind, const char *json, const char *peer,
                 enum filter_reason reason)
{
    struct given g;
    given_open(&g, settings);
    enum filter_reason got = filters_check(g.filters, kind, tree(&g, json), str_z(peer));
    if (got != reason)
        print_error("%s on %s\n", settings, json);
    assert_int_equal(got, reason);
    given_close(&g);
}

static void errors_in_every_shape(void **state)
{
    static const char s[] = "{\"errors\":\"TypeError: x*\"}";
    says(s, FILTER_ERROR, "{\"exception\":{\"values\":[{\"type\":\"TypeError\",\"value\":\"x is\"}]}}", "",
         FILTER_MESSAGE);
    says(s, FILTER_ERROR, "{\"exception\":[{\"type\":\"A\"},{\"type\":\"TypeError\",\"value\":\"x\"}]}", "",
         FILTER_MESSAGE);
    says(s, FILTER_ERROR, "{\"exception\":{\"type\":\"TypeError\",\"value\":\"x\"},\"tags\":{}}", "", FILTER_MESSAGE);
    says(s, FILTER_ERROR, "{\"logentry\":{\"formatted\":\"typeerror: x\"}}", "", FILTER_MESSAGE);
    says(s, FILTER_ERROR, "{\"message\":{\"formatted\":\"TypeError: x\"}}", "", FILTER_MESSAGE);
    says(s, FILTER_ERROR, "{\"sentry.interfaces.Message\":{\"message\":\"TypeError: x\"}}", "", FILTER_MESSAGE);
    says(s, FILTER_ERROR, "{\"exception\":[{\"type\":\"TypeError\"}]}", "", FILTER_NONE);
    says(s, FILTER_TRANSACTION, "{\"message\":\"TypeError: x\"}", "", FILTER_NONE);
    says("{\"errors\":\"MyError\"}", FILTER_ERROR, "{\"exception\":[{\"type\":\"MyError\"}]}", "", FILTER_MESSAGE);
    says(s, FILTER_ERROR, "[1]", "", FILTER_NONE);
}

static void who_and_where(void **state)
{
    says("{\"addresses\":\"10.0.0.0/8\"}", FILTER_ERROR, "{}", "10.1.2.3", FILTER_ADDRESS);
    says("{\"addresses\":\"10.0.0.0/8\"}", FILTER_ERROR, "{\"user\":{\"ip_address\":\"{{auto}}\"}}", "11.1.2.3",
         FILTER_NONE);
    says("{\"addresses\":\"10.0.0.0/8\"}", FILTER_SESSION, "{\"attrs\":{\"ip_address\":\"10.0.0.1\"}}", "",
         FILTER_ADDRESS);
    says("{\"localhost\":true}", FILTER_ERROR, "{\"request\":{\"url\":\"HTTP://LocalHost/x\"}}", "", FILTER_LOCALHOST);
    says("{\"localhost\":true}", FILTER_ERROR, "{\"request\":{\"url\":\"file:///C:/a.html\"}}", "", FILTER_LOCALHOST);
    says("{\"localhost\":true}", FILTER_ERROR, "{\"request\":{\"url\":\"http://[::1]:80\"}}", "", FILTER_LOCALHOST);
    says("{\"localhost\":true}", FILTER_ERROR, "{\"request\":{\"url\":\"http://localhosts/\"}}", "", FILTER_NONE);
    // Behind a proxy of the same machine everybody comes from there.
    says("{\"localhost\":true}", FILTER_ERROR, "{}", "127.0.0.1", FILTER_NONE);
    says("{\"legacy_browsers\":[\"chrome\"]}", FILTER_ERROR,
         "{\"contexts\":{\"browser\":{\"name\":\"Chrome\",\"version\":\"99.0\"}}}", "", FILTER_LEGACY_BROWSER);
    says("{\"legacy_browsers\":[\"firefox\"]}", FILTER_ERROR,
         "{\"contexts\":{\"browser\":{\"name\":\"Chrome\",\"version\":\"99.0\"}}}", "", FILTER_NONE);
    says("{\"web_crawlers\":true}", FILTER_REPLAY, "{\"request\":{\"headers\":{\"user-agent\":[\"Googlebot/2.1\"]}}}",
         "", FILTER_WEB_CRAWLER);
    says("{\"web_crawlers\":true}", FILTER_SESSION, "{\"attrs\":{\"user_agent\":\"bingbot/2\"}}", "",
         FILTER_WEB_CRAWLER);
}

static void known_errors_are_left_out_from_the_start(void **state)
{
    says("", FILTER_TRANSACTION, "{\"transaction\":\"GET /health/\"}", "", FILTER_HEALTH_CHECK);
    says("", FILTER_ERROR, "{\"transaction\":\"GET /health\",\"message\":\"x\"}", "", FILTER_NONE);
    says("", FILTER_TRANSACTION, "{\"transaction\":\"GET /healthiness\"}", "", FILTER_NONE);
    says("", FILTER_TRANSACTION, "{\"transaction\":\"\"}", "", FILTER_NONE);
    says("", FILTER_ERROR, "{\"exception\":[{\"type\":\"Error\",\"value\":\"see https://react.dev/errors/425\"}]}", "",
         FILTER_HYDRATION);
    says("", FILTER_ERROR, "{\"exception\":[{\"type\":\"Error\",\"value\":\"see https://react.dev/errors/4250\"}]}", "",
         FILTER_NONE);
    says("", FILTER_ERROR,
         "{\"exception\":[{\"type\":\"UnhandledRejection: Uncaught (in promise)\",\"value\":"
         "\"ChunkLoadError: Loading chunk 7 failed\"}]}",
         "", FILTER_CHUNK_LOAD);
    says("{\"chunk_load_errors\":false}", FILTER_ERROR,
         "{\"exception\":[{\"type\":\"ChunkLoadError\",\"value\":\"Loading chunk 7 failed\"}]}", "", FILTER_NONE);
}

static void extensions_by_their_innermost_file(void **state)
{
    static const char s[] = "{\"browser_extensions\":true}";
    says(s, FILTER_ERROR,
         "{\"exception\":[{\"stacktrace\":{\"frames\":[{\"abs_path\":\"https://shop/a.js\"},{\"abs_path\":"
         "\"moz-extension://x/a.js\"},{\"abs_path\":\"<anonymous>\"}]}}]}",
         "", FILTER_BROWSER_EXTENSION);
    says(s, FILTER_ERROR,
         "{\"exception\":[{\"stacktrace\":{\"frames\":[{\"filename\":\"moz-extension://x/a.js\"},{\"filename\":"
         "\"https://shop/a.js\"}]}}]}",
         "", FILTER_NONE);
}

static void items_are_taken_out_of_containers(void **state)
{
    struct given g;
    uint32_t counts[FILTER_REASONS_N] = { 0 };
    struct buf out;
    struct json_writer w;
    given_open(&g, "{\"logs\":\"a*\",\"addresses\":\"10.0.0.1\"}");
    const struct json_node *root =
        tree(&g, "{\"items\":[{\"body\":\"abc\"},{\"body\":\"b\"},{\"body\":\"a\"},{\"body\":\"c\",\"attributes\":{"
                 "\"user.ip_address\":{\"value\":\"10.0.0.1\",\"type\":\"string\"}}}]}");
    filters_container(g.filters, STR("log"), root, (str){ 0 }, counts);
    assert_true(counts[FILTER_LOG] == 2 && counts[FILTER_ADDRESS] == 1);
    buf_init(&out, 4096);
    json_writer_init(&w, &out);
    json_put_tree(&w, root);
    assert_true(str_eq(buf_view(&out), STR("{\"items\":[{\"body\":\"b\"}]}")));
    filters_container(g.filters, STR("trace_metric"), root, STR("10.0.0.1"), counts); // not of these
    assert_int_equal(json_get(root, STR("items"))->n, 1);
    filters_container(g.filters, STR("log"), root, STR("10.0.0.1"), counts); // the sender himself
    assert_int_equal(json_get(root, STR("items"))->n, 0);
    assert_int_equal(counts[FILTER_ADDRESS], 2);
    filters_container(g.filters, STR("span"), tree(&g, "[3]"), (str){ 0 }, counts);
    buf_free(&out);
    given_close(&g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_in_every_shape),
        cmocka_unit_test(who_and_where),
        cmocka_unit_test(known_errors_are_left_out_from_the_start),
        cmocka_unit_test(extensions_by_their_innermost_file),
        cmocka_unit_test(items_are_taken_out_of_containers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
