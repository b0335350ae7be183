#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "meta/audit.h"
#include "scratch.h"

static void fill(struct scratch *s, int n)
{
    struct err err;
    for (int i = 0; i < n; i++)
        assert_int_equal(meta_audit_add(s->meta, STR("test"), "thing.done", STR("target"), STR("detail"), &err), 0);
}

static void a_sound_chain_verifies(void **state)
{
    struct scratch s;
    struct meta_audit_report report;
    struct err err;
    uint8_t head[32];
    scratch_open(&s);
    fill(&s, 5);
    assert_int_equal(meta_audit_verify(s.meta, NULL, &report, &err), 0);
    assert_int_equal(report.entries, 6); // the creation of the workspace is the first
    memcpy(head, report.head, 32);
    fill(&s, 1);
    assert_int_equal(meta_audit_verify(s.meta, head, &report, &err), 0); // an older head is still in it
    head[0] ^= 1;
    assert_int_equal(meta_audit_verify(s.meta, head, &report, &err), ERR_CORRUPT);
    scratch_close(&s);
}

static void the_file_itself_refuses_to_forget(void **state)
{
    struct scratch s;
    struct meta_audit_entry *list;
    struct err err;
    size_t n;
    scratch_open(&s);
    fill(&s, 3);
    assert_false(scratch_try_sql(&s, "DELETE FROM audit WHERE seq = 4"));
    assert_false(scratch_try_sql(&s, "UPDATE audit SET actor = 'x'"));
    assert_int_equal(meta_audit_list(s.meta, 0, STR(""), 10, &list, &n, &err), 0);
    assert_int_equal(n, 4);
    assert_int_equal(list[0].seq, 4);
    assert_string_equal(list[0].action, "thing.done");
    assert_string_equal(list[3].action, "workspace.create");
    mem_free(list);
    assert_int_equal(meta_audit_list(s.meta, 3, STR(""), 1, &list, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(list[0].seq, 2);
    mem_free(list);
    scratch_close(&s);
}

// What somebody with the file in hand may try; each must be found, and where.
static void tampering_is_found(void **state)
{
    static const struct {
        const char *sql;
        int64_t bad_seq;
    } tries[] = {
        { "UPDATE audit SET actor = 'innocent' WHERE seq = 3", 3 },
        { "UPDATE audit SET detail = detail || ' ' WHERE seq = 2", 2 },
        { "UPDATE audit SET time_ns = time_ns + 1 WHERE seq = 4", 4 },
        { "DELETE FROM audit WHERE seq = 3", 3 },
        { "DELETE FROM audit WHERE seq = 1", 1 },
        { "DELETE FROM audit WHERE seq = 6", 6 },
        { "DELETE FROM audit", 1 },
        { "UPDATE audit SET hash = x'00' WHERE seq = 5", 5 },
        // moving a border between two fields must not give the same bytes
        { "UPDATE audit SET target = 'targetd', detail = 'etail' WHERE seq = 2", 2 },
        { "UPDATE audit SET seq = seq + 100 WHERE seq = 6", 6 },
    };
    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++) {
        struct scratch s;
        struct meta_audit_report report;
        struct err err;
        scratch_open(&s);
        fill(&s, 5);
        scratch_sql(&s, "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete");
        scratch_sql(&s, tries[i].sql);
        assert_int_equal(meta_audit_verify(s.meta, NULL, &report, &err), ERR_CORRUPT);
        assert_int_equal(report.bad_seq, tries[i].bad_seq);
        scratch_close(&s);
    }
}

static void long_texts_are_cut_and_still_verify(void **state)
{
    struct scratch s;
    struct meta_audit_report report;
    struct err err;
    static char big[5000];
    memset(big, 'x', sizeof big);
    scratch_open(&s);
    assert_int_equal(
        meta_audit_add(s.meta, str_of(big, 5000), "thing.done", str_of(big, 5000), str_of(big, 5000), &err), 0);
    assert_int_equal(meta_audit_add(s.meta, STR("a\0b"), "thing.done", STR("\0"), STR("'; --"), &err), 0);
    assert_int_equal(meta_audit_verify(s.meta, NULL, &report, &err), 0);
    scratch_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_chain_verifies),
        cmocka_unit_test(the_file_itself_refuses_to_forget),
        cmocka_unit_test(tampering_is_found),
        cmocka_unit_test(long_texts_are_cut_and_still_verify),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
