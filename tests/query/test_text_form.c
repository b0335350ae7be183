// Searching among strings of which only some are made: whatever matches a text must be let through by its form, and what
// is let through is whole.
#include "query/text.h"
#include "store/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

enum { STRINGS = 400, SEEDS = 300 };

static struct arena arena;
static uint64_t random_state;

static unsigned pick(unsigned below)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % below;
}

static size_t put_piece(char *out)
{
    static const char *const words[] = { "user", "Order ", " paid", "-", " ", "=",  "é", "cafe",
                                         "a",    "決",     "f00d",  "x", "0", ": ", "/", "\x01",
                                         "id",   "\xC3",   "_",     ".", "K", "1-2" };
    switch (pick(6)) {
    case 0:
        return (size_t)sprintf(out, "%u", pick(100000));
    case 1:
        return (size_t)sprintf(out, "%08x", pick(1u << 30));
    case 2:
        return (size_t)sprintf(out, "%06u", pick(1000000));
    default:
        return (size_t)sprintf(out, "%s", words[pick(sizeof words / sizeof *words)]);
    }
}

// Strings of few kinds, each with its own numbers.
static str string_make(unsigned kind)
{
    char text[512];
    size_t n = 0;
    uint64_t kept = random_state;
    for (unsigned i = 0; i < 2 + kind % 6; i++) {
        unsigned own = pick(1000);
        random_state = kind * 7919u + i; // the words are the kind's, the digits the string's
        char piece[64];
        size_t len = put_piece(piece);
        if (piece[0] >= '0' && piece[0] <= '9' && len > 1)
            len = len == 8 ? (size_t)sprintf(piece, "%08x", own * 2654435u) : (size_t)sprintf(piece, "%u", own);
        memcpy(text + n, piece, len);
        n += len;
        random_state = kept = kept * 6364136223846793005u + own;
    }
    if (kind % 5 == 0)
        n += (size_t)sprintf(text + n, " 0af7%04x-16cd-43dd-8448-eb21%08x", pick(65536), pick(1u << 30));
    str s;
    assert_int_equal(arena_dup(&arena, str_of(text, n), &s), 0);
    return s;
}

struct search {
    const struct query_phrase *phrase; // or
    str bytes;
};

static bool may(void *ctx, str form)
{
    const struct search *s = ctx;
    return s->phrase ? query_phrase_may(s->phrase, form) : query_bytes_may(s->bytes, form);
}

static uint32_t left_out;

static void expect_all_hits(const struct buf *encoded, const str *strings, struct search *search)
{
    static str got[STRINGS];
    struct strings_wanted wanted = { search, may };
    struct encode_in in = { encoded->ptr, encoded->ptr + encoded->len };
    assert_int_equal(decode_strings_wanted(&in, got, STRINGS, &wanted, &arena), 0);
    assert_true(in.p == in.end);
    for (int i = 0; i < STRINGS; i++) {
        bool hit = search->phrase ? query_phrase_match(search->phrase, strings[i])
                                  : query_bytes_match(search->bytes, strings[i]);
        left_out += got[i].len == 0 && strings[i].len > 0;
        if (!str_eq(got[i], strings[i]) && (hit || got[i].len))
            fail_msg("\"%.*s\" came as \"%.*s\"", STR_ARG(strings[i]), STR_ARG(got[i]));
    }
}

static void test_nothing_is_lost(void **state)
{
    static str strings[STRINGS];
    for (unsigned seed = 1; seed <= SEEDS; seed++) {
        struct encode_scratch scratch = { 0 };
        struct buf b;
        buf_init(&b, 1 << 20);
        random_state = seed;
        for (int i = 0; i < STRINGS; i++)
            strings[i] = string_make(seed * 8 + pick(8));
        assert_int_equal(encode_strings(&b, strings, STRINGS, &scratch), 0);
        for (int k = 0; k < 20; k++) {
            // A piece of one of them, of another's, or nothing that is there.
            str of = strings[pick(STRINGS)];
            size_t from = pick((unsigned)of.len), to = from + 1 + pick(12);
            str piece = pick(10) ? str_slice(of, from, to) : STR("zebra 77");
            struct query_phrase phrase;
            struct search s = { .bytes = piece };
            if (piece.len)
                expect_all_hits(&b, strings, &s);
            assert_int_equal(query_phrase_make(&arena, piece, pick(2), &phrase), 0);
            s.phrase = &phrase;
            if (phrase.count)
                expect_all_hits(&b, strings, &s);
        }
        buf_free(&b);
        encode_scratch_free(&scratch);
        arena_reset(&arena);
    }
    assert_true(left_out > 10000); // and much is left out
}

static void test_forms(void **state)
{
    static const struct {
        const char *phrase, *form;
        bool prefix, may;
    } cases[] = {
        { "user", "user-0 paid", false, true },
        { "user-42", "user-0 paid", false, true },
        { "user-x", "user-0 paid", false, false },
        { "zzz", "0", false, false },
        { "cafe", "0", false, true },
        { "42", "order 0", false, true },
        { "x42y", "x0y", false, true },
        { "x42z", "x0y", false, false },
        { "xgy", "x0y", false, false },
        { "x1k2y", "x0k0y", false, true },
        { "pai", "user 0 paid", true, true },
        { "pai", "user 0 paid", false, false },
        { "x4", "x0y", true, true },
        { "xq", "x0", true, false },
        { "paid user", "user 0 paid", false, false },
        { "0 paid", "user 0 paid", false, true },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct query_phrase p;
        assert_int_equal(query_phrase_make(&arena, str_z(cases[i].phrase), cases[i].prefix, &p), 0);
        if (query_phrase_may(&p, str_z(cases[i].form)) != cases[i].may)
            fail_msg("%s in %s", cases[i].phrase, cases[i].form);
    }
    assert_true(query_bytes_may(STR("Refused: 10."), STR("Connection Refused: 0.0")));
    assert_false(query_bytes_may(STR("refused: 10."), STR("Connection Refused: 0.0")));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_nothing_is_lost), cmocka_unit_test(test_forms) };
    arena_init(&arena, 256 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
