// Patterns: against RE2, which is another implementation of the same syntax; and bytes that are no program.
#include "base/buf.h"
#include "probe/regex.h"
#include "query/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static uint64_t seed = 1;
static unsigned below(unsigned n)
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (unsigned)(seed % n);
}

static void compare(str pattern, str text, struct buf *program)
{
    struct query_regex *theirs = NULL;
    struct err err = { 0 };
    buf_clear(program);
    int ours = probe_regex_compile(pattern, program, &err);
    struct query_regex_error error = { 0 };
    int other = query_regex_new(pattern, &theirs, &error);
    // Our limits are lower; and RE2 repeats what stands before a group of flags, as in `a(?i)*`.
    if (ours == ERR_LIMIT || (other == 0 && strstr(err.message, "repetition") && str_find(pattern, STR("(?")) >= 0)) {
        query_regex_free(theirs);
        return;
    }
    if ((ours == 0) != (other == 0))
        print_error("%.*s: %d %d %s\n", STR_ARG(pattern), ours, other, err.message);
    assert_int_equal(ours == 0, other == 0);
    if (ours == 0) {
        uint32_t steps = 1000000;
        assert_true(probe_regex_verify(buf_bytes(program)));
        int found = probe_regex_test(buf_bytes(program), text, &steps);
        if (found != query_regex_match(theirs, text))
            print_error("%.*s in %.*s: %d\n", STR_ARG(pattern), STR_ARG(text), found);
        assert_int_equal(found, query_regex_match(theirs, text));
    } else {
        assert_true(err.message[0] && err.column >= 1);
    }
    query_regex_free(theirs);
}

static void known(void **state)
{
    static const char *const patterns[] = {
        "",
        "a",
        "abc",
        "^abc$",
        "a|b|",
        "a*",
        "(a|b)*c",
        "[a-c]+x",
        "[^a-c]",
        "[]a]",
        "[^]a]",
        "[a-]",
        "\\d+",
        "\\D\\W\\S",
        "[\\d_]",
        "[^\\s]",
        "\\bab\\b",
        "\\Bb",
        "a{2}",
        "a{2,}",
        "a{1,3}$",
        "a{,3}",
        "a{",
        "a{x}",
        "(?i)aBc",
        "(?i:a)B",
        "(?i)[a-c]",
        "(?s).",
        ".",
        "(?m)^b$",
        "^b",
        "\\Ab",
        "b\\z",
        "a+?b*?",
        "(?P<n>a)b",
        "(?:ab)+",
        "a**",
        "a*??",
        "*a",
        "(",
        ")",
        "[",
        "[b-a]",
        "(?=a)",
        "(?<=a)",
        "\\1",
        "\\q",
        "\\x41",
        "\\x{e4}",
        "\\Qa.b\\E",
        "\\.",
        "[[:alpha:]]",
        "[[:^digit:]]",
        "[[:nix:]]",
        "ä",
        "[ä-ü]",
        "(?i)Ä",
        "(?i)ß",
        "(?i)k",
        "(?i)s",
        "(?-i)a",
        "(?im)^A$",
        "(?i-s)A.",
        "$",
        "^",
        "^$",
        "(^a|b$)",
        "(a$)b",
        "a(^b)",
        "x{1001}",
        "(a{2}){3}",
        "[^\\x{0}-\\x{10FFFF}]",
        "\\pL",
        "\\C",
        "(?i)[^k]",
        "[\\]]",
        "[\\w-]",
        "\\t",
        "\\",
        "(?",
        "(?P<",
        "a|*",
        "(|a)+",
        "(a*)*",
        "(a*)+b",
        "()",
        "(?i)\\x{212a}",
        "[a-\\d]",
        "(?i)[Z-a]",
        "\\a\\f\\v",
    };
    static const char *const texts[] = { "",         "a",        "abc",          "ABC",      "aab",
                                         "b",        "xa\nb\nc", "ab ab",        "a.b",      "\xC3\xA4",
                                         "\xC3\x84", "\xC3\x9F", "\xE2\x84\xAA", "K",        "\xC5\xBF",
                                         "S",        "a{,3}",    "a{x}",         "12_ x",    "]",
                                         "-",        "aaaaaa",   "caab",         "\t\a\f\v", "\xF0\x9F\x98\x80" };
    struct buf program;
    buf_init(&program, 1 << 20);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        if (strstr(patterns[i], "\\p") || strstr(patterns[i], "\\C"))
            continue; // not ours
        for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
            compare(str_z(patterns[i]), str_z(texts[k]), &program);
    }
    assert_int_equal(probe_regex_compile(STR("\\pL"), &program, NULL), ERR_INVALID);
    buf_free(&program);
}

static void random_ones(void **state)
{
    static const char *const pieces[] = { "a",    "b", "c",   ".",  "^",        "$",    "\\b",  "\\B", "(",
                                          ")",    "|", "*",   "+",  "?",        "[ab]", "[^a]", "{2}", "{0,2}",
                                          "(?i)", "A", "\\w", "\n", "\xC3\xA4", "(?m)", "(?:" };
    static const char *const letters[] = { "a", "b", "c", "A", "B", "\n", " ", "\xC3\xA4", "\xC3\x84" };
    struct buf program;
    buf_init(&program, 1 << 20);
    for (int round = 0; round < 60000; round++) {
        char pattern[128] = "", text[64] = "";
        for (unsigned n = below(9); n--;)
            strcat(pattern, pieces[below(sizeof pieces / sizeof *pieces)]);
        for (unsigned n = below(8); n--;)
            strcat(text, letters[below(sizeof letters / sizeof *letters)]);
        // RE2 finds \B between the bytes of one character.
        if (!strstr(pattern, "\\B") || !strstr(text, "\xC3"))
            compare(str_z(pattern), str_z(text), &program);
    }
    buf_free(&program);
}

// What the verifier admits can be run, whatever it is.
static void hostile(void **state)
{
    struct buf program;
    unsigned admitted = 0;
    buf_init(&program, 1 << 20);
    assert_int_equal(probe_regex_compile(STR("^(a|[b-d]+|\\bx){1,3}$"), &program, NULL), 0);
    assert_false(probe_regex_verify(bytes_of(program.ptr, program.len - 1)));
    assert_false(probe_regex_verify((bytes){ 0 }));
    for (int round = 0; round < 100000; round++) {
        uint8_t copy[1024];
        memcpy(copy, program.ptr, program.len);
        for (unsigned n = 1 + below(3); n--;)
            copy[below((unsigned)program.len)] = (uint8_t)below(256);
        if (!probe_regex_verify(bytes_of(copy, program.len)))
            continue;
        uint32_t steps = 1000;
        admitted++;
        assert_in_range(probe_regex_test(bytes_of(copy, program.len), STR("abcd xbd aaaa"), &steps) + 1, 0, 2);
    }
    assert_true(admitted > 1000);
    buf_free(&program);
}

// What it costs is a matter of the text's length: the budget ends it.
static void costs(void **state)
{
    static char text[1 << 20];
    struct buf program;
    buf_init(&program, 1 << 20);
    memset(text, 'a', sizeof text);
    for (unsigned i = 0; i < 3; i++) {
        static const char *const patterns[] = { "[ab]x", "(a|b)*c$", "xyz" };
        uint32_t steps = 20000;
        buf_clear(&program);
        assert_int_equal(probe_regex_compile(str_z(patterns[i]), &program, NULL), 0);
        int r = probe_regex_test(buf_bytes(&program), str_of(text, sizeof text), &steps);
        assert_int_equal(r, i < 2 ? -1 : 0); // the last one is looked for with memchr, 64 bytes a step
        assert_true(steps < 20000 - sizeof text / 64 + 1 || i < 2);
    }
    buf_free(&program);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(known), cmocka_unit_test(random_ones),
                                        cmocka_unit_test(hostile), cmocka_unit_test(costs) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
