// Symbols of an ELF file that a process has mapped. The file belongs to the target, so it is as hostile as bytes from
// the net: every offset, count and length is checked against the file and against the limits below, and nothing is
// mapped (a file that shrinks while it is read gives an error, not SIGBUS).
#pragma once
#include "base/bytes.h"
#include "base/err.h"

enum {
    ELF_SECTIONS_MAX = 4096,
    ELF_PROGRAM_HEADERS_MAX = 256,
    ELF_SYMBOLS_MAX = 1 << 19,
    ELF_STRINGS_MAX = 32 << 20,
};

struct elf_symbol {
    const char *name; // wanted; NUL-terminated, ours
    uint64_t value;   // as in the file (add elf_file.bias); 0: not there or undefined
    uint64_t size;
};

struct elf_file {
    uint64_t entry;      // e_entry, as in the file
    uint64_t load_first; // p_vaddr of the first PT_LOAD, rounded down to a page: where file offset 0 is mapped
    uint64_t x_end;      // end in memory of the executable segment that holds the entry; 0: none
    bool fixed;          // ET_EXEC: addresses are what the file says
};

// Reads the headers, and looks the n wanted symbols up in .dynsym, then (for those not found) in .symtab. A symbol that is not there is no
// error. ERR_MALFORMED, ERR_TRUNCATED, ERR_LIMIT, ERR_IO, ERR_NOMEM, ERR_UNSUPPORTED (no 64-bit little-endian ELF).
int elf_read(int fd, struct elf_symbol *symbols, size_t n, struct elf_file *ret_file);
