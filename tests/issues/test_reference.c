// Which issues a commit's message says it mends.
#include "issues/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void says(const char *text, const char *want)
{
    struct issue_reference list[ISSUE_REFERENCES_MAX];
    char got[256] = "";
    size_t n = issue_references(str_z(text), list), at = 0;
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(got + at, sizeof got - at, "%s%.*s-%lld", i ? " " : "", STR_ARG(list[i].slug),
                               (long long)list[i].id);
    assert_string_equal(got, want);
}

static void test_forms(void **unused)
{
    says("Fixes SHOP-42", "SHOP-42");
    says("pay: more\n\nfix: shop-42", "shop-42");
    says("FIXED SHOP-1, SHOP-2 and web_app-3", "SHOP-1 SHOP-2 web_app-3");
    says("closes SHOP-1\nresolved: my-shop-7", "SHOP-1 my-shop-7");
    says("Close\tSHOP-1. Resolves SHOP-2", "SHOP-1 SHOP-2");
    says("resolve SHOP-1 SHOP-1 shop-1", "SHOP-1");
    says("Fixes [SHOP-9](https://clew.example.org/issues/SHOP-9) and SHOP-8", "SHOP-9 SHOP-8");
}

static void test_what_is_none(void **unused)
{
    says("", "");
    says("SHOP-42", "");
    says("see SHOP-42, it is bad", "");
    says("prefix SHOP-42", "");
    says("fixing SHOP-42", "");
    says("fixesSHOP-42", "");
    says("Fixes:SHOP-42", "");
    says("Fixes #42 SHOP-42", "");
    says("Fixes SHOP-4x SHOP- -4 SHOP-0 SHOP-99999999999999999999", "");
    says("Fixes", "");
    says("Fixes [SHOP-1](", "SHOP-1");
}

static void test_many(void **unused)
{
    static char text[1 << 16];
    struct issue_reference list[ISSUE_REFERENCES_MAX];
    size_t at = (size_t)snprintf(text, sizeof text, "fixes ");
    for (int i = 1; i < 5000; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "A-%d ", i);
    assert_int_equal(issue_references(str_of(text, at), list), ISSUE_REFERENCES_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_what_is_none),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
