// Searches of Sentry's, word by word.
#include "api/api0_search.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

struct want {
    bool not ;
    const char *key, *value;
};

static void expect(const char *search, const struct want *want, size_t n)
{
    struct api0_term t;
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(api0_search_next(str_z(search), &at, &t));
        assert_int_equal(t.not, want[i].not );
        assert_true(str_eq(t.key, str_z(want[i].key)));
        assert_true(str_eq(t.value, str_z(want[i].value)));
    }
    assert_false(api0_search_next(str_z(search), &at, &t));
}

static void words_keys_and_quotes(void **state)
{
    static const struct want all[] = { { false, "is", "unresolved" }, { true, "level", "error" },
                                       { false, "", "cart" },         { false, "message", "two words" },
                                       { false, "", "a:b c" },        { true, "", "gone" } };
    expect(" is:unresolved !level:error\tcart message:\"two words\"  \"a:b c\" !gone ", all, 6);
    expect("", NULL, 0);
    expect("   ", NULL, 0);
}

static void odd_ones_are_words_too(void **state)
{
    static const struct want colons[] = { { false, "a", "b:c" }, { false, "x", "" }, { false, "", "" } };
    expect("a:b:c x: :", colons, 3);
    static const struct want open[] = { { false, "k", "never closed" } };
    expect("k:\"never closed", open, 1);
    static const struct want bare[] = { { true, "", "" } };
    expect("!", bare, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(words_keys_and_quotes),
                                        cmocka_unit_test(odd_ones_are_words_too) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
