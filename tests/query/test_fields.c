#include "query/fields.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_sources(void **state)
{
    assert_int_equal(query_source_find(STR("spans")), QUERY_SPANS);
    assert_int_equal(query_source_find(STR("span")), -1);
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++) {
        assert_int_equal(query_source_find(query_source_name((enum query_source)s)), s);
        assert_in_range(query_source_level((enum query_source)s), 1, 3);
        // every kind is one of the words of `source`
        const struct query_field_info *f = query_field_get((enum query_source)s, QUERY_F_SOURCE);
        assert_int_equal(query_word_find(f->type.words, query_source_name((enum query_source)s))->value, s);
    }
}

// Every field has a name of its own, is found by it, and describes a kind at most once.
static void test_table(void **state)
{
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++) {
        uint64_t seen[2] = { 0, 0 };
        const struct query_field_info *f;
        uint32_t i = 0;
        for (; (f = query_field_at((enum query_source)s, i)) != NULL; i++) {
            assert_false(seen[f->id / 64] >> f->id % 64 & 1);
            seen[f->id / 64] |= 1ull << f->id % 64;
            assert_ptr_equal(query_field_find((enum query_source)s, query_field_name(f->id)), f);
            assert_ptr_equal(query_field_get((enum query_source)s, f->id), f);
            assert_int_equal(f->type.type == QUERY_ENUM, f->type.words != NULL);
            assert_in_range(f->level, 1, 3);
        }
        assert_true(i > 15 && QUERY_FIELD_COUNT <= 128);
    }
    for (int a = 1; a < QUERY_FIELD_COUNT; a++)
        for (int b = 1; b < a; b++)
            assert_false(str_eq(query_field_name((enum query_field_id)a), query_field_name((enum query_field_id)b)));
    assert_null(query_field_find(QUERY_LOGS, STR("duration")));
    assert_null(query_field_find(QUERY_LOGS, STR("kind")));
    assert_non_null(query_field_find(QUERY_CHECKS, STR("late")));
}

static void test_words(void **state)
{
    const struct query_words *kind = query_field_get(QUERY_SPANS, QUERY_F_KIND)->type.words;
    assert_int_equal(query_word_find(kind, STR("client"))->value, 3); // OTLP's numbers
    assert_true(str_eq(query_word_by_value(kind, 5)->word, STR("consumer")));
    assert_null(query_word_find(kind, STR("Client")));
    assert_null(query_word_by_value(kind, 9));
}

static void test_levels(void **state)
{
    int lo, hi;
    assert_true(query_level_range(STR("warning"), &lo, &hi) && lo == 13 && hi == 16);
    assert_true(query_level_range(STR("critical"), &lo, &hi) && lo == 21 && hi == 24);
    assert_false(query_level_range(STR("WARN"), &lo, &hi));
    for (int s = 1; s <= 24; s++) {
        assert_true(query_level_range(query_level_word(s), &lo, &hi) && lo <= s && s <= hi);
    }
    assert_true(query_level_word(0).len == 0 && query_level_word(25).len == 0 && query_level_word(-1).len == 0);
}

static void test_aliases(void **state)
{
    assert_int_equal(query_field_find(QUERY_SPANS, STR("service.name"))->id, QUERY_F_SERVICE);
    assert_int_equal(query_field_find(QUERY_LOGS, STR("trace_id"))->id, QUERY_F_TRACE);
    assert_null(query_field_find(QUERY_SPANS, STR("exception.type"))); // of events only
    assert_int_equal(query_field_find(QUERY_EVENTS, STR("exception.type"))->id, QUERY_F_TYPE);
    static const struct {
        str name;
        enum query_field_id field;
    } of_issues[] = { { STR_INIT("firstSeen"), QUERY_F_FIRST },   { STR_INIT("lastSeen"), QUERY_F_LAST },
                      { STR_INIT("timesSeen"), QUERY_F_EVENTS },  { STR_INIT("firstRelease"), QUERY_F_FIRST_RELEASE },
                      { STR_INIT("assigned"), QUERY_F_ASSIGNEE }, { STR_INIT("error.type"), QUERY_F_TYPE } };
    for (size_t i = 0; i < sizeof of_issues / sizeof *of_issues; i++) {
        assert_int_equal(query_field_find(QUERY_ISSUES, of_issues[i].name)->id, of_issues[i].field);
        assert_true(of_issues[i].field == QUERY_F_TYPE || !query_field_find(QUERY_EVENTS, of_issues[i].name));
    }
    int g = query_alias_find(QUERY_SPANS, STR("http.status_code"));
    assert_true(g >= 0 && g == query_alias_find(QUERY_SPANS, STR("http.response.status_code")));
    assert_true(str_eq(query_alias_get((uint32_t)g)->name, STR("http.response.status_code")));
    assert_int_equal(query_alias_find(QUERY_SPANS, STR("http.target")), -1);
    // read for the user, but an address is not an id
    assert_int_equal(query_alias_find(QUERY_SPANS, STR("user.email")), -1);
    assert_int_equal(query_alias_of_field(QUERY_SPANS, QUERY_F_NAME), -1);
    g = query_alias_of_field(QUERY_SPANS, QUERY_F_USER);
    assert_true(str_eq(query_alias_get((uint32_t)g)->keys[0].key, STR("user.id")));
    // No key is a name of two groups.
    for (uint32_t i = 0; i < query_alias_count(); i++) {
        const struct query_alias_group *a = query_alias_get(i);
        assert_true(a->key_count > 0);
        for (uint32_t k = 0; k < a->key_count; k++)
            for (int s = 0; s < QUERY_SOURCE_COUNT; s++)
                if (a->keys[k].is_name && a->sources >> s & 1)
                    assert_int_equal(query_alias_find((enum query_source)s, a->keys[k].key), i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_sources), cmocka_unit_test(test_table),
                                        cmocka_unit_test(test_words), cmocka_unit_test(test_levels),
                                        cmocka_unit_test(test_aliases) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
