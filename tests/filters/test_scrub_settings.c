#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "filters/scrub_rules.h"

static void as_they_are_written_they_are_read(void **state)
{
    struct scrub_settings s = { 0 };
    struct arena arena;
    struct buf out;
    struct json_writer w;
    arena_init(&arena, 1 << 20);
    assert_int_equal(
        scrub_settings_read(STR("{\"addresses\":true,\"rules\":\"mask @ip\",\"secret\":\"ab\"}"), &arena, &s, NULL), 0);
    assert_true(s.addresses && str_eq(s.rules, STR("mask @ip")) && str_eq(s.secret, STR("ab")));
    buf_init(&out, 4096);
    json_writer_init(&w, &out);
    json_put_object(&w);
    scrub_settings_put(&w, &s);
    json_put_object_end(&w);
    assert_true(str_eq(buf_view(&out), STR("{\"addresses\":true,\"rules\":\"mask @ip\"}"))); // the secret is nobody's
    buf_free(&out);
    static const char *const bad[] = { "[]", "{\"x\":1}", "{\"rules\":1}", "{\"addresses\":false", "{} {}" };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_true(scrub_settings_read(str_z(bad[i]), &arena, &s, NULL) < 0);
    assert_true(s.addresses);
    arena_free(&arena);
}

static void fails(const char *rules, int code, int line, int column)
{
    struct scrub_settings s = { .rules = str_z(rules) };
    struct scrub_rules *r = NULL;
    struct err err = { 0 };
    int got = scrub_rules_new(&s, &r, &err);
    if (got != code || err.line != line || err.column != column)
        fail_msg("%s: %d, %d:%d %s", rules, got, err.line, err.column, err.message);
    assert_null(r);
    assert_string_equal(err.place, "rules");
}

static void a_rule_that_is_none_says_where(void **state)
{
    fails("erase @email", ERR_INVALID, 1, 1);
    fails("# x\n\n  mask email", ERR_INVALID, 3, 8);
    fails("mask @nothing", ERR_INVALID, 1, 6);
    fails("mask", ERR_INVALID, 1, 5);
    fails("mask /a", ERR_INVALID, 1, 6);
    fails("mask //", ERR_INVALID, 1, 6);
    fails("mask /a(/", ERR_INVALID, 1, 8);
    fails("mask @anything", ERR_INVALID, 1, 15);
    fails("mask @email with \"x\"", ERR_INVALID, 1, 13);
    fails("replace @email with x", ERR_INVALID, 1, 21);
    fails("replace @email with \"x", ERR_INVALID, 1, 21);
    fails("mask @email from", ERR_INVALID, 1, 17);
    fails("mask @email from a..b", ERR_INVALID, 1, 20);
    fails("mask @email from $sting", ERR_INVALID, 1, 18);
    fails("mask @email from (a", ERR_INVALID, 1, 20);
    fails("mask @email from a || ", ERR_INVALID, 1, 22);
    fails("mask @email from 'a", ERR_INVALID, 1, 19);
    fails("mask @email from a b", ERR_INVALID, 1, 20);
    fails("mask @email from **.a.**.b.**.c", ERR_LIMIT, 1, 28);
    fails("mask @email from a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q", ERR_LIMIT, 1, 50);
    fails("mask @email from !!!!!!!!!!!!!!!!!!a", ERR_LIMIT, 1, 35);
}

static void there_are_limits(void **state)
{
    static char many[SCRUB_TEXT_MAX + 2];
    struct scrub_settings s = { .rules = str_of(many, 0) };
    struct scrub_rules *r;
    struct err err;
    for (int i = 0; i < SCRUB_RULES_MAX; i++) {
        memcpy(many + s.rules.len, "mask @ip\n", 9);
        s.rules.len += 9;
    }
    assert_int_equal(scrub_rules_new(&s, &r, &err), 0);
    scrub_rules_free(scrub_rules_share(r));
    scrub_rules_free(r);
    memcpy(many + s.rules.len, "mask @ip\n", 9);
    s.rules.len += 9;
    assert_int_equal(scrub_rules_new(&s, &r, &err), ERR_LIMIT);
    assert_int_equal(err.line, SCRUB_RULES_MAX + 1);
    memset(many, '#', sizeof many);
    s.rules.len = SCRUB_TEXT_MAX + 1;
    assert_int_equal(scrub_rules_new(&s, &r, &err), ERR_LIMIT);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_they_are_written_they_are_read),
        cmocka_unit_test(a_rule_that_is_none_says_where),
        cmocka_unit_test(there_are_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
