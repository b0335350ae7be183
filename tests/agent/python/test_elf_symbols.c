#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "agent/python/elf_symbols.h"
#include "base/mem.h"
#include <elf.h>
#include <cmocka.h>

int main(void);

static uint8_t *own;
static size_t own_len;

static int setup(void **state)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    own_len = (size_t)lseek(fd, 0, SEEK_END);
    own = mem_alloc(own_len);
    ssize_t got = own ? pread(fd, own, own_len, 0) : -1;
    close(fd);
    return got == (ssize_t)own_len ? 0 : -1;
}

static int teardown(void **state)
{
    mem_free(own);
    return 0;
}

static int read_bytes(const void *data, size_t n, struct elf_symbol *s, size_t count, struct elf_file *f)
{
    int fd = memfd_create("elf", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, data, n) == (ssize_t)n);
    int rc = elf_read(fd, s, count, f);
    close(fd);
    return rc;
}

static void test_own(void **state)
{
    struct elf_symbol s[] = { { "main" }, { "no_such_symbol" }, { "elf_read" } };
    struct elf_file f = { 0 };
    assert_int_equal(read_bytes(own, own_len, s, 3, &f), 0);
    assert_true(s[0].value && s[2].value && s[2].size);
    assert_int_equal(s[1].value, 0);
    assert_true(f.entry && f.x_end > f.entry);
    // Where it says that main is, relative to what is known to be elsewhere.
    assert_int_equal((int64_t)(s[0].value - s[2].value), (int64_t)((uintptr_t)main - (uintptr_t)elf_read));
}

static void test_short(void **state)
{
    struct elf_file f;
    for (size_t n = 0; n < own_len; n += n < 200 ? 1 : own_len / 97 + 1) {
        struct elf_symbol s[] = { { "main" } };
        assert_true(read_bytes(own, n, s, 1, &f) < 0);
    }
}

static void test_lies(void **state)
{
    Elf64_Ehdr *head = (Elf64_Ehdr *)own;
    Elf64_Ehdr good = *head;
    struct elf_symbol s[] = { { "no_such_symbol" } };
    struct elf_file f;
    head->e_shoff = UINT64_MAX - 8;
    assert_true(read_bytes(own, own_len, s, 1, &f) < 0);
    *head = good;
    head->e_shnum = 0xfffe;
    assert_int_equal(read_bytes(own, own_len, s, 1, &f), ERR_LIMIT);
    *head = good;
    head->e_ident[EI_CLASS] = ELFCLASS32;
    assert_int_equal(read_bytes(own, own_len, s, 1, &f), ERR_UNSUPPORTED);
    *head = good;
    // Every section says that it is as large as can be, and points at another one.
    for (unsigned i = 0; i < good.e_shnum; i++) {
        Elf64_Shdr *section = (Elf64_Shdr *)(own + good.e_shoff) + i, kept = *section;
        if (kept.sh_type == SHT_SYMTAB || kept.sh_type == SHT_DYNSYM) {
            section->sh_size = UINT64_MAX;
            assert_true(read_bytes(own, own_len, s, 1, &f) < 0);
            *section = kept;
            section->sh_link = 0xffff;
            assert_int_equal(read_bytes(own, own_len, s, 1, &f), ERR_MALFORMED);
            *section = kept;
        }
    }
    assert_int_equal(read_bytes(own, own_len, s, 1, &f), 0);
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(elf_read(pipes[0], s, 1, &f), ERR_UNSUPPORTED);
    close(pipes[0]), close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_own), cmocka_unit_test(test_short),
                                        cmocka_unit_test(test_lies) };
    return cmocka_run_group_tests(tests, setup, teardown);
}
