// What the host's own word lets be done, by user, service, environment and control group.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/policy.h"

#include <stdio.h>

static struct policy policy;

static int setup(void **state)
{
    policy_init(&policy);
    return 0;
}

static int teardown(void **state)
{
    policy_free(&policy);
    return 0;
}

static void says(const char *text)
{
    struct err err;
    assert_int_equal(policy_read_text(&policy, str_z(text), "p", &err), 0);
}

// "" when it is allowed, or the reason.
static const char *asked(uid_t uid, const char *service, const char *environment, const char *cgroup)
{
    static struct err err;
    struct process p = { .uid = uid, .cgroup = str_z(cgroup) };
    if (policy_allows(&policy, &p, str_z(service), str_z(environment), &err) == 0)
        return "";
    assert_string_equal(err.slug, "policy");
    assert_true(err.hint[0]);
    return err.message;
}

static void an_empty_policy_allows_everything(void **state)
{
    says("# nothing\n\n");
    assert_string_equal(asked(0, "shop", "", ""), "");
    assert_false(policy_shapes(&policy, STR("shop"), STR("production")));
}

static void each_list_is_of_its_own(void **state)
{
    says("users = 0, 1000\nservices = shop, cart-*\nenvironments = test, staging\ncgroups = /system.slice/*\n");
    assert_string_equal(asked(1000, "cart-eu", "test", "/system.slice/cart.service"), "");
    assert_string_equal(asked(7, "shop", "test", "/system.slice/a"),
                        "this host's policy leaves processes of this user out");
    assert_string_equal(asked(0, "pay", "test", "/system.slice/a"), "this host's policy leaves this service out");
    assert_string_equal(asked(0, "shop", "production", "/system.slice/a"),
                        "this host's policy leaves this environment out");
    assert_string_equal(asked(0, "shop", "", "/system.slice/a"),
                        "this host's policy leaves processes that name no environment out");
    assert_string_equal(asked(0, "shop", "test", "/user.slice"), "this host's policy leaves this control group out");
}

static void what_is_taken_out_is_out_wherever_it_stands(void **state)
{
    says("users = !0\nservices = *, !pay*\nservices = pay-test\nenvironments = !prod*, !-\n");
    assert_string_equal(asked(5, "shop", "test", ""), "");
    assert_string_not_equal(asked(0, "shop", "test", ""), "");
    assert_string_not_equal(asked(5, "pay-test", "test", ""), "");
    assert_string_not_equal(asked(5, "shop", "production", ""), "");
    assert_string_not_equal(asked(5, "shop", "", ""), "");
}

static void shapes_are_of_the_whole_host_or_of_parts(void **state)
{
    says("values = full\nshapes-services = pay*\nshapes-environments = prod*, -\n");
    assert_false(policy_shapes(&policy, STR("shop"), STR("test")));
    assert_true(policy_shapes(&policy, STR("payments"), STR("test")));
    assert_true(policy_shapes(&policy, STR("shop"), STR("production")));
    assert_true(policy_shapes(&policy, STR("shop"), STR("")));
    says("values = shapes\n");
    assert_true(policy_shapes(&policy, STR("shop"), STR("test")));
}

static void what_is_none_is_refused_with_its_line(void **state)
{
    static const char *const bad[] = {
        "users =",    "services = ,",  "services = !",       "users = nobody-has-this-name",
        "users = -1", "values = some", "patch = on",         "servces = shop",
        "users = !",  "services",      "environments = , ,", "users = 4294967295"
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct err err;
        char text[128];
        snprintf(text, sizeof text, "# one\n%s\n", bad[i]);
        assert_true(policy_read_text(&policy, str_z(text), "p", &err) < 0);
        assert_string_equal(err.place, "p:2");
    }
}

static void told_is(const char *expected)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, 64 << 10);
    json_writer_init(&w, &b);
    policy_put(&policy, &w);
    assert_int_equal(b.error, 0);
    buf_byte(&b, 0);
    assert_string_equal((const char *)b.ptr, expected);
    buf_free(&b);
}

static void what_is_told_of_it_is_its_own_words_and_bounded(void **state)
{
    told_is("{\"shapes\":false,\"patch\":false}");
    says("users = !root, 7\nservices = shop-*, !shop-payments\nenvironments = !-\nshapes-environments = "
         "prod\xff*\nvalues = shapes\n");
    told_is("{\"shapes\":true,\"patch\":false,\"users\":[\"!root\",\"7\"],\"services\":[\"shop-*\",\"!shop-payments\"],"
            "\"environments\":[\"!-\"],\"shapes_environments\":[\"prod\xef\xbf\xbd*\"]}");
    policy_free(&policy);
    policy_init(&policy);
    says("services = 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18\n");
    char line[256];
    snprintf(line, sizeof line, "cgroups = /a, /%0*d\n", POLICY_TOLD_BYTES, 0);
    says(line);
    told_is("{\"shapes\":false,\"patch\":false,\"services\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\","
            "\"10\",\"11\",\"12\","
            "\"13\",\"14\",\"15\",\"16\"],\"cgroups\":[\"/a\"],\"more\":3}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_policy_allows_everything, setup, teardown),
        cmocka_unit_test_setup_teardown(each_list_is_of_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_taken_out_is_out_wherever_it_stands, setup, teardown),
        cmocka_unit_test_setup_teardown(shapes_are_of_the_whole_host_or_of_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_told_of_it_is_its_own_words_and_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_none_is_refused_with_its_line, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
