#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/mem.h"
#include "meta/audit.h"
#include "meta/token.h"
#include "scratch.h"

#include <stdio.h>
#include <stdlib.h>

static bool file_holds(const char *dir, const char *name, const char *needle)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "r");
    if (!f)
        return false;
    static char content[1 << 20];
    size_t n = fread(content, 1, sizeof content, f);
    fclose(f);
    return memmem(content, n, needle, strlen(needle)) != NULL;
}

static void a_token_opens_what_it_says_and_is_not_in_the_file(void **state)
{
    struct scratch s;
    struct meta_grant g;
    struct meta_token t;
    struct err err;
    char secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_token_add(s.meta, STR("test"), STR("ci job"), META_SCOPE_READ, 1, 0, secret, &t, &err), 0);
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), 0);
    assert_int_equal(g.scopes, META_SCOPE_READ);
    assert_int_equal(g.project, 1);
    assert_string_equal(g.name, "ci job");
    assert_false(file_holds(s.dir, "meta.db", secret + 5));
    assert_false(file_holds(s.dir, "meta.db-wal", secret + 5));
    assert_true(file_holds(s.dir, "meta.db-wal", "ci job")); // the search itself works
    scratch_reopen(&s);
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), 0);
    scratch_close(&s);
}

static void wrong_secrets_are_denied(void **state)
{
    struct scratch s;
    struct meta_grant g;
    struct err err;
    char secret[META_SECRET_MAX], bent[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_token_add(s.meta, STR("test"), STR("t"), META_SCOPE_READ, 0, 0, secret, NULL, &err), 0);
    size_t n = strlen(secret);
    for (size_t i = 0; i < n; i++) {
        memcpy(bent, secret, n + 1);
        bent[i] ^= 1;
        assert_int_equal(meta_token_check(s.meta, str_of(bent, n), &g), ERR_DENIED);
        assert_int_equal(meta_token_check(s.meta, str_of(secret, i), &g), ERR_DENIED);
    }
    char *huge = calloc(1, 1 << 20);
    assert_int_equal(meta_token_check(s.meta, str_of(huge, 1 << 20), &g), ERR_DENIED);
    free(huge);
    assert_int_equal(meta_token_check(s.meta, STR(""), &g), ERR_DENIED);
    assert_int_equal(meta_key_check(s.meta, str_z(secret), &g), ERR_DENIED);
    scratch_close(&s);
}

static void a_revoked_token_is_dead_at_once(void **state)
{
    struct scratch s;
    struct meta_grant g;
    struct meta_token t;
    struct err err;
    char secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_token_add(s.meta, STR("test"), STR("t"), META_SCOPE_ADMIN, 0, 0, secret, &t, &err), 0);
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), 0);
    assert_int_equal(meta_token_remove(s.meta, STR("test"), t.id, &err), 0);
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), ERR_DENIED);
    assert_int_equal(meta_token_remove(s.meta, STR("test"), t.id, &err), ERR_NOENT);
    scratch_reopen(&s);
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), ERR_DENIED);
    scratch_close(&s);
}

static void an_expired_token_is_denied(void **state)
{
    struct scratch s;
    struct meta_grant g;
    struct err err;
    char secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(
        meta_token_add(s.meta, STR("test"), STR("t"), META_SCOPE_READ, 0, clock_unix_ns() - 1, secret, NULL, &err), 0);
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), ERR_DENIED);
    scratch_close(&s);
}

// Another process (`clew token add --data DIR`) changes the file under a running server.
static void what_another_process_does_is_noticed(void **state)
{
    struct scratch s;
    struct meta *other;
    struct meta_grant g;
    struct meta_token t;
    struct err err;
    char secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_open(s.dir, false, &other, &err), 0);
    assert_int_equal(meta_token_add(other, STR("cli"), STR("t"), META_SCOPE_READ, 0, 0, secret, &t, &err), 0);
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), 0); // a miss asks the file
    assert_int_equal(meta_token_remove(other, STR("cli"), t.id, &err), 0);
    meta_tick(s.meta); // within a second in the server
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), ERR_DENIED);
    meta_close(other);
    scratch_close(&s);
}

static void last_use_is_kept(void **state)
{
    struct scratch s;
    struct meta_grant g;
    struct meta_token t, *list;
    struct err err;
    size_t n;
    char secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_token_add(s.meta, STR("test"), STR("t"), META_SCOPE_READ, 0, 0, secret, &t, &err), 0);
    int64_t before = clock_unix_ns();
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), 0);
    scratch_reopen(&s);
    assert_int_equal(meta_token_list(s.meta, &list, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_true(list[0].last_used_ns >= before);
    assert_string_equal(list[0].tail, secret + strlen(secret) - 4);
    mem_free(list);
    scratch_close(&s);
}

static void bad_requests_make_no_token(void **state)
{
    struct scratch s;
    struct meta_token *list;
    struct err err;
    size_t n;
    char secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_token_add(s.meta, STR("t"), STR("x\ny"), 1, 0, 0, secret, NULL, &err), ERR_INVALID);
    assert_int_equal(meta_token_add(s.meta, STR("t"), STR(""), 1, 0, 0, secret, NULL, &err), ERR_INVALID);
    assert_int_equal(meta_token_add(s.meta, STR("t"), STR("x"), 0, 0, 0, secret, NULL, &err), ERR_INVALID);
    assert_int_equal(meta_token_add(s.meta, STR("t"), STR("x"), 1u << 20, 0, 0, secret, NULL, &err), ERR_INVALID);
    assert_int_equal(meta_token_add(s.meta, STR("t"), STR("x"), 1, 99, 0, secret, NULL, &err), ERR_NOENT);
    assert_int_equal(meta_token_list(s.meta, &list, &n, &err), 0);
    assert_int_equal(n, 0);
    mem_free(list);
    scratch_close(&s);
}

static void a_token_is_found_by_number_or_by_its_only_name(void **state)
{
    struct scratch s;
    struct meta_token t, found;
    struct err err;
    char secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_token_add(s.meta, STR("t"), STR("twice"), 1, 0, 0, secret, &t, &err), 0);
    assert_int_equal(meta_token_find(s.meta, STR("twice"), &found, &err), 0);
    assert_int_equal(meta_token_add(s.meta, STR("t"), STR("twice"), 1, 0, 0, secret, &t, &err), 0);
    assert_int_equal(meta_token_find(s.meta, STR("twice"), &found, &err), ERR_INVALID);
    assert_int_equal(meta_token_find(s.meta, STR("#2"), &found, &err), 0);
    assert_int_equal(found.id, 2);
    assert_int_equal(meta_token_find(s.meta, STR("none"), &found, &err), ERR_NOENT);
    scratch_close(&s);
}

static void a_local_token_dies_with_the_process(void **state)
{
    struct scratch s;
    struct meta_grant g;
    char secret[META_SECRET_MAX];
    scratch_open(&s);
    assert_int_equal(meta_token_local(s.meta, STR("local"), META_SCOPE_READ, secret), 0);
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), 0);
    assert_int_equal(g.scopes, META_SCOPE_READ);
    scratch_reopen(&s);
    assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), ERR_DENIED);
    scratch_close(&s);
}

// Every allocation on the way fails in turn: all of the deed is done, or none of it.
static void making_a_token_survives_the_failure_of_any_allocation(void **state)
{
    struct scratch s;
    struct meta_token *list;
    struct meta_audit_report report;
    struct meta_grant g;
    struct err err;
    size_t made = 0, n;
    char secret[META_SECRET_MAX];
    scratch_open(&s);
    for (int64_t at = 1;; at++) {
        mem_fail_at(at);
        int r = meta_token_add(s.meta, STR("test"), STR("t"), META_SCOPE_READ, 0, 0, secret, NULL, &err);
        int64_t seen = mem_fail_count();
        mem_fail_at(0);
        assert_int_equal(meta_token_list(s.meta, &list, &n, &err), 0);
        assert_int_equal(n, made + (r == 0));
        made = n;
        mem_free(list);
        if (r == 0)
            assert_int_equal(meta_token_check(s.meta, str_z(secret), &g), 0);
        if (seen < at)
            break;
    }
    assert_int_equal(meta_audit_verify(s.meta, NULL, &report, &err), 0);
    assert_int_equal(report.entries, (int64_t)made + 1);
    scratch_close(&s);
}

static void scopes_have_words(void **state)
{
    uint32_t scopes;
    char text[64];
    struct err err;
    assert_int_equal(meta_scopes_parse(STR("read, values"), &scopes, &err), 0);
    assert_int_equal(scopes, META_SCOPE_READ | META_SCOPE_VALUES);
    meta_scopes_text(META_SCOPES_ALL, text);
    assert_string_equal(text, "ingest,read,values,probe,probe_prod,patch,admin");
    assert_int_equal(meta_scopes_parse(STR("read,root"), &scopes, &err), ERR_INVALID);
    assert_int_equal(meta_scopes_parse(STR(""), &scopes, &err), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_opens_what_it_says_and_is_not_in_the_file),
        cmocka_unit_test(wrong_secrets_are_denied),
        cmocka_unit_test(a_revoked_token_is_dead_at_once),
        cmocka_unit_test(an_expired_token_is_denied),
        cmocka_unit_test(what_another_process_does_is_noticed),
        cmocka_unit_test(last_use_is_kept),
        cmocka_unit_test(bad_requests_make_no_token),
        cmocka_unit_test(a_token_is_found_by_number_or_by_its_only_name),
        cmocka_unit_test(a_local_token_dies_with_the_process),
        cmocka_unit_test(making_a_token_survives_the_failure_of_any_allocation),
        cmocka_unit_test(scopes_have_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
