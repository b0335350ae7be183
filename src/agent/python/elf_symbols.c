#include "agent/python/elf_symbols.h"
#include "base/mem.h"
#include <elf.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

struct reader {
    int fd;
    uint64_t size;
};

static int read_at(const struct reader *r, uint64_t at, void *out, size_t n)
{
    if (at > r->size || n > r->size - at)
        return ERR_TRUNCATED;
    for (size_t done = 0; done < n;) {
        ssize_t got = pread(r->fd, (char *)out + done, n - done, (off_t)(at + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return err_of_errno(errno);
        if (got == 0)
            return ERR_TRUNCATED;
        done += (size_t)got;
    }
    return 0;
}

static int table_read(const struct reader *r, uint64_t at, uint64_t count, uint64_t count_max, size_t entry, void **ret)
{
    if (count > count_max)
        return ERR_LIMIT;
    // Before memory is spent: the file must be that long.
    if (at > r->size || count * entry > r->size - at)
        return ERR_TRUNCATED;
    void *p = mem_alloc((size_t)count * entry + 1);
    if (!p)
        return ERR_NOMEM;
    int rc = read_at(r, at, p, (size_t)count * entry);
    if (rc < 0) {
        mem_free(p);
        return rc;
    }
    *ret = p;
    return 0;
}

static int segments_read(const struct reader *r, const Elf64_Ehdr *head, struct elf_file *file)
{
    if (head->e_phentsize != sizeof(Elf64_Phdr))
        return ERR_MALFORMED;
    Elf64_Phdr *ph = NULL;
    int rc = table_read(r, head->e_phoff, head->e_phnum, ELF_PROGRAM_HEADERS_MAX, sizeof *ph, (void **)&ph);
    if (rc < 0)
        return rc;
    bool first = true;
    for (size_t i = 0; i < head->e_phnum; i++) {
        if (ph[i].p_type != PT_LOAD)
            continue;
        if (first)
            file->load_first = (ph[i].p_vaddr - ph[i].p_offset) & ~(uint64_t)(PAGE - 1);
        first = false;
        if ((ph[i].p_flags & PF_X) && head->e_entry >= ph[i].p_vaddr && head->e_entry - ph[i].p_vaddr < ph[i].p_filesz)
            file->x_end = ph[i].p_vaddr + ph[i].p_filesz;
    }
    mem_free(ph);
    return first ? ERR_MALFORMED : 0;
}

static void symbols_match(const Elf64_Sym *syms, size_t count, const char *strings, size_t strings_len,
                          struct elf_symbol *want, size_t n)
{
    for (size_t i = 0; i < count; i++) {
        if (syms[i].st_shndx == SHN_UNDEF || !syms[i].st_value || syms[i].st_name >= strings_len)
            continue;
        unsigned type = ELF64_ST_TYPE(syms[i].st_info);
        if (type != STT_FUNC && type != STT_OBJECT && type != STT_GNU_IFUNC)
            continue;
        const char *name = strings + syms[i].st_name; // the table ends with a NUL of ours
        for (size_t k = 0; k < n; k++)
            if (!want[k].value && strcmp(name, want[k].name) == 0)
                want[k].value = syms[i].st_value, want[k].size = syms[i].st_size;
    }
}

static int symbols_read(const struct reader *r, const Elf64_Shdr *sections, size_t section_count, unsigned type,
                        struct elf_symbol *want, size_t n)
{
    for (size_t i = 0; i < section_count; i++) {
        const Elf64_Shdr *s = &sections[i];
        if (s->sh_type != type)
            continue;
        if (s->sh_entsize != sizeof(Elf64_Sym) || s->sh_link >= section_count)
            return ERR_MALFORMED;
        const Elf64_Shdr *names = &sections[s->sh_link];
        Elf64_Sym *syms = NULL;
        char *strings = NULL;
        uint64_t count = s->sh_size / sizeof *syms;
        int rc = table_read(r, s->sh_offset, count, ELF_SYMBOLS_MAX, sizeof *syms, (void **)&syms);
        if (rc < 0)
            return rc;
        rc = table_read(r, names->sh_offset, names->sh_size, ELF_STRINGS_MAX, 1, (void **)&strings);
        if (rc == 0) {
            strings[names->sh_size] = 0;
            symbols_match(syms, (size_t)count, strings, (size_t)names->sh_size, want, n);
            mem_free(strings);
        }
        mem_free(syms);
        return rc; // a file has one of each kind: the time for more would be spent on a lie
    }
    return 0;
}

int elf_read(int fd, struct elf_symbol *symbols, size_t n, struct elf_file *ret_file)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_of_errno(errno);
    if (!S_ISREG(st.st_mode))
        return ERR_UNSUPPORTED;
    struct reader r = { fd, (uint64_t)st.st_size };
    Elf64_Ehdr head;
    int rc = read_at(&r, 0, &head, sizeof head);
    if (rc < 0)
        return rc;
    if (memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
        return ERR_MALFORMED;
    if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != ELFDATA2LSB)
        return ERR_UNSUPPORTED;
    struct elf_file file = { .entry = head.e_entry, .fixed = head.e_type == ET_EXEC };
    rc = segments_read(&r, &head, &file);
    if (rc < 0)
        return rc;
    if (head.e_shnum && head.e_shentsize != sizeof(Elf64_Shdr))
        return ERR_MALFORMED;
    Elf64_Shdr *sections = NULL;
    rc = table_read(&r, head.e_shoff, head.e_shnum, ELF_SECTIONS_MAX, sizeof *sections, (void **)&sections);
    if (rc < 0)
        return rc;
    rc = symbols_read(&r, sections, head.e_shnum, SHT_DYNSYM, symbols, n);
    bool all = true;
    for (size_t i = 0; i < n; i++)
        all = all && symbols[i].value;
    if (rc == 0 && !all)
        rc = symbols_read(&r, sections, head.e_shnum, SHT_SYMTAB, symbols, n);
    mem_free(sections);
    if (rc == 0)
        *ret_file = file;
    return rc;
}
