#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/err.h"
#include "wire/minidump.h"

enum {
    DUMP_LEN = 1024,
    SYSTEM_AT = 128,
    MODULES_AT = 192,
    EXCEPTION_AT = 448,
    CONTEXT_AT = 640,
    NAME_AT = 960,
    RECORD_AT = 992
};

struct place {
    uint8_t dump[DUMP_LEN];
    struct arena arena;
    struct minidump m;
};

static void entry(struct place *p, int i, uint32_t type, uint32_t at, uint32_t n)
{
    le32_put(p->dump + 32 + i * 12, type);
    le32_put(p->dump + 32 + i * 12 + 4, n);
    le32_put(p->dump + 32 + i * 12 + 8, at);
}

// A crash at game+0x1234 on Linux, x86-64.
static void place_open(struct place *p)
{
    static const char name[] = "/g/game";
    static const uint8_t build[] = { 0x4c, 0x45, 0x70, 0x42, 1, 2, 3, 4, 5, 6, 7, 8 };
    memset(p, 0, sizeof *p);
    arena_init(&p->arena, 1 << 20);
    le32_put(p->dump, 0x504d444d);
    le32_put(p->dump + 4, 0xa793);
    le32_put(p->dump + 8, 3);
    le32_put(p->dump + 12, 32);
    entry(p, 0, 6, EXCEPTION_AT, 168);
    entry(p, 1, 4, MODULES_AT, 4 + 2 * 108);
    entry(p, 2, 7, SYSTEM_AT, 56);
    p->dump[SYSTEM_AT] = 9;
    le32_put(p->dump + SYSTEM_AT + 20, 0x8201);
    le32_put(p->dump + MODULES_AT, 2);
    for (int i = 0; i < 2; i++) {
        uint8_t *m = p->dump + MODULES_AT + 4 + i * 108;
        le64_put(m, i ? 0x400000 : 0x7f0000000000);
        le32_put(m + 8, 0x10000);
        le32_put(m + 20, NAME_AT);
        le32_put(m + 76, sizeof build);
        le32_put(m + 80, RECORD_AT);
    }
    le32_put(p->dump + NAME_AT, 2 * (sizeof name - 1));
    for (size_t i = 0; i < sizeof name - 1; i++)
        p->dump[NAME_AT + 4 + 2 * i] = (uint8_t)name[i];
    memcpy(p->dump + RECORD_AT, build, sizeof build);
    le32_put(p->dump + EXCEPTION_AT, 77);
    le32_put(p->dump + EXCEPTION_AT + 8, 11);
    le64_put(p->dump + EXCEPTION_AT + 24, 0x10);
    le32_put(p->dump + EXCEPTION_AT + 160, 256);
    le32_put(p->dump + EXCEPTION_AT + 164, CONTEXT_AT);
    le64_put(p->dump + CONTEXT_AT + 0xf8, 0x401234);
}

static void place_close(struct place *p) { arena_free(&p->arena); }

static int read_it(struct place *p) { return minidump_read(bytes_of(p->dump, sizeof p->dump), &p->arena, &p->m); }

static void what_crashed_and_where(void **state)
{
    struct place p;
    place_open(&p);
    assert_int_equal(read_it(&p), 0);
    assert_true(p.m.crashed && p.m.thread == 77 && p.m.code == 11 && p.m.address == 0x10 && p.m.pc == 0x401234);
    assert_true(str_eq(minidump_reason(&p.m, &p.arena), STR("SIGSEGV")));
    assert_int_equal(p.m.modules_n, 2);
    assert_ptr_equal(minidump_module_at(&p.m, p.m.pc), &p.m.modules[1]);
    assert_null(minidump_module_at(&p.m, 0x410000)); // the first byte behind it
    assert_true(str_eq(p.m.modules[1].path, STR("/g/game")));
    assert_true(str_eq(p.m.modules[1].debug, STR("04030201-0605-0807-0000-000000000000")));
    place_close(&p);
}

static void is(struct place *p, uint32_t platform, uint32_t code, const char *reason)
{
    le32_put(p->dump + SYSTEM_AT + 20, platform);
    le32_put(p->dump + EXCEPTION_AT + 8, code);
    assert_int_equal(read_it(p), 0);
    assert_true(str_eq(minidump_reason(&p->m, &p->arena), str_z(reason)));
}

static void codes_are_their_systems(void **state)
{
    struct place p;
    place_open(&p);
    is(&p, 0x8203, 6, "SIGABRT");
    is(&p, 2, 0xc0000005, "EXCEPTION_ACCESS_VIOLATION");
    is(&p, 0x8101, 1, "EXC_BAD_ACCESS");
    is(&p, 2, 11, "0xb");
    is(&p, 0, 11, "0xb");
    place_close(&p);
}

static void offsets_that_lead_nowhere_are_no_streams(void **state)
{
    struct place p;
    place_open(&p);
    le32_put(p.dump + EXCEPTION_AT + 164, UINT32_MAX); // the context
    le32_put(p.dump + MODULES_AT + 4 + 20, UINT32_MAX - 1);
    le32_put(p.dump + MODULES_AT + 4 + 76, UINT32_MAX);
    le32_put(p.dump + MODULES_AT, UINT32_MAX); // more than there is room for
    assert_int_equal(read_it(&p), 0);
    assert_true(p.m.pc == 0 && p.m.modules_n == 2 && p.m.modules[0].path.len == 0 && p.m.modules[0].debug.len == 0);
    entry(&p, 0, 6, DUMP_LEN - 8, 168);
    entry(&p, 1, 4, UINT32_MAX, UINT32_MAX);
    assert_int_equal(read_it(&p), 0);
    assert_true(!p.m.crashed && p.m.modules_n == 0);
    le32_put(p.dump + 12, DUMP_LEN); // the directory
    assert_int_equal(read_it(&p), ERR_MALFORMED);
    le32_put(p.dump, 0);
    assert_int_equal(read_it(&p), ERR_MALFORMED);
    assert_int_equal(minidump_read(bytes_of(p.dump, 31), &p.arena, &p.m), ERR_MALFORMED);
    place_close(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_crashed_and_where),
        cmocka_unit_test(codes_are_their_systems),
        cmocka_unit_test(offsets_that_lead_nowhere_are_no_streams),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
