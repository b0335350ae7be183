#include "query/extract.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;

// The values as one text: name=value, separated by spaces; ~ for a missing one. "no match" when there is none.
static const char *extract(const char *pattern, const char *text)
{
    static char out[512];
    struct extract_pattern p;
    struct extract_fault fault;
    struct qval v[EXTRACT_PLACES_MAX];
    size_t n = 0;
    assert_int_equal(extract_compile(&arena, str_z(pattern), &p, &fault), 0);
    if (!extract_match(&p, str_z(text), v))
        return "no match";
    out[0] = 0;
    for (uint32_t i = 0; i < p.count; i++) {
        if (p.places[i].name.len == 0) {
            assert_int_equal(v[i].type, QVAL_MISSING);
            continue;
        }
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%.*s=", n ? " " : "", STR_ARG(p.places[i].name));
        switch (v[i].type) {
        case QVAL_STR:
            n += (size_t)snprintf(out + n, sizeof out - n, "%.*s", STR_ARG(v[i].s));
            break;
        case QVAL_DOUBLE:
            n += (size_t)snprintf(out + n, sizeof out - n, "%g", v[i].d);
            break;
        case QVAL_MISSING:
            n += (size_t)snprintf(out + n, sizeof out - n, "~");
            break;
        default:
            n += (size_t)snprintf(out + n, sizeof out - n, "%lld", (long long)v[i].i);
        }
    }
    return out;
}

static void test_matches(void **state)
{
    static const char *const cases[][3] = {
        { "paid <amount:float> to <who>", "I paid 12.5 to Anna B", "amount=12.5 who=Anna B" },
        { "order <n:int> ", "order 1001 received from user-42", "n=1001" },
        { "order <n:int> ", "order 1001", "no match" },
        // the shortest run, the first match
        { "<a>-<b>-", "x-y-z-", "a=x b=y" },
        { "a<x>b", "aab ab", "x=a" },
        { "=<x>;", "a=1;b=2;", "x=1" },
        { "k=<x> ", "k=k=1 ", "x=k=1" },
        // at the begin and the end
        { "<all>", "all of it", "all=all of it" },
        { "<all>", "", "all=" },
        { "<first> ", "one two three", "first=one" },
        { "x<rest>", "x", "rest=" },
        // forgotten, and literal signs
        { "<_> <b>", "one two", "b=two" },
        { "<_:int>/<b>", "x/y", "b=y" },
        { "a*b <x>", "a*b c", "x=c" },
        { "1 < 2 <x>", "1 < 2 yes", "x=yes" },
        { "<<x>>", "<tag>", "x=tag" },
        { "<1> <x>", "<1> y", "x=y" },
        { "<> <x.y> ", "<> z ", "x.y=z" },
        // conversion
        { "<n:int>", "12", "n=12" },
        { "<n:int>", "-12", "n=-12" },
        { "<n:int>", "12.5", "n=~" },
        { "<n:int>", " 12", "n=~" },
        { "<n:float>", "7", "n=7" },
        { "<n:float>", "1e3", "n=1000" },
        { "<n:float>", "x", "n=~" },
        { "took <d:duration>,", "took 1m30s, slow", "d=90000000000" },
        { "<d:duration>", "5", "d=~" },
        { "<t:time>|", "2026-01-01T00:00:00Z|", "t=1767225600000000000" },
        { "<t:time>|", "now|", "t=~" },
        { "a <n:int> b <m:int>", "a x b 2", "n=~ m=2" },
        { "\xC3\xA9<x>", "caf\xC3\xA9 au lait", "x= au lait" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *got = extract(cases[i][0], cases[i][1]);
        if (strcmp(got, cases[i][2]) != 0)
            fail_msg("%s on \"%s\": %s, expected %s", cases[i][0], cases[i][1], got, cases[i][2]);
    }
}

static void test_faults(void **state)
{
    static const struct {
        const char *pattern;
        enum query_code code;
        size_t off, len;
    } cases[] = {
        { "no names", QUERY_E_BAD_ARGUMENT, 0, 8 },
        { "", QUERY_E_BAD_ARGUMENT, 0, 0 },
        { "<_>", QUERY_E_BAD_ARGUMENT, 0, 3 },
        { "a<x><y>", QUERY_E_BAD_ARGUMENT, 4, 3 },
        { "a <x> b <x>", QUERY_E_DUPLICATE_COLUMN, 8, 3 },
        { "<n:number>", QUERY_E_BAD_ARGUMENT, 0, 10 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct extract_pattern p;
        struct extract_fault f;
        assert_int_equal(extract_compile(&arena, str_z(cases[i].pattern), &p, &f), ERR_INVALID);
        if (f.code != cases[i].code || f.off != cases[i].off || f.len != cases[i].len)
            fail_msg("%s: %s at %zu, %zu", cases[i].pattern, f.message, f.off, f.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_matches), cmocka_unit_test(test_faults) };
    arena_init(&arena, 4 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
