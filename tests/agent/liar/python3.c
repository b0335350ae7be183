// A process that looks like Python, and whose every word is a lie: which one says its argument. The agent finds the functions of an interpreter in it, all of which are
// its own.
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define OF_PYTHON __attribute__((used, visibility("default")))

// The version that it says is the program's own: see meson.build.
#ifndef LIE_VERSION
#define LIE_VERSION 0x030c01f0
#endif

static const char *lie;
static bool is(const char *mode) { return strcmp(lie, mode) == 0; }

OF_PYTHON const unsigned long Py_Version = LIE_VERSION;
// Offsets into nowhere, for the versions that begin it with a table of them.
OF_PYTHON char _PyRuntime[4096] =
    "xdebugpy\xff\xff\xff\xff\xff\xff\xff\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f";
OF_PYTHON int PyGILState_Ensure(void) { return -1; }
OF_PYTHON void PyGILState_Release(int state) {}
OF_PYTHON void *PyGILState_GetThisThreadState(void)
{
    while (is("never"))
        pause();
    return is("no-state") ? NULL : (void *)0x10; // NOLINT: there is nothing
}
OF_PYTHON void *_PyThreadState_UncheckedGet(void) { return is("no-state") ? NULL : (void *)0x20; } // NOLINT: nor there
OF_PYTHON int Py_AddPendingCall(int (*call)(void *), void *arg) { return 0; }                      // it is never made
OF_PYTHON void *_PyEval_EvalFrameDefault(void) { return NULL; }
OF_PYTHON int PyRun_SimpleString(const char *text) { return 0; }

// A C library by its name: sections enough to be busy for minutes, if each were read.
static void map_many_libraries(const char *folder)
{
    enum { SECTIONS = 4000, SYMBOLS = 500000, MAPPINGS = 20000 };
    char path[4096];
    snprintf(path, sizeof path, "%s/libc.so.6", folder);
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    Elf64_Ehdr head = { .e_type = ET_DYN,
                        .e_phoff = sizeof head,
                        .e_phnum = 1,
                        .e_phentsize = sizeof(Elf64_Phdr),
                        .e_shoff = 4096,
                        .e_shnum = SECTIONS,
                        .e_shentsize = sizeof(Elf64_Shdr) };
    Elf64_Phdr load = { .p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = 4096 };
    memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64, head.e_ident[EI_DATA] = ELFDATA2LSB;
    pwrite(fd, &head, sizeof head, 0);
    pwrite(fd, &load, sizeof load, sizeof head);
    for (int i = 0; i < SECTIONS; i++) {
        Elf64_Shdr s = { .sh_type = i ? SHT_DYNSYM : SHT_STRTAB,
                         .sh_offset = 1 << 20,
                         .sh_size = i ? SYMBOLS * sizeof(Elf64_Sym) : 32 << 20,
                         .sh_entsize = i ? sizeof(Elf64_Sym) : 1,
                         .sh_link = 0 };
        pwrite(fd, &s, sizeof s, 4096 + i * (long)sizeof s);
    }
    ftruncate(fd, 64 << 20);
    for (int i = 0; i < MAPPINGS; i++) // two kinds in turn, or they would be joined
        mmap(NULL, 4096, i & 1 ? PROT_READ : PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    unlink(path);
}

int main(int argc, char **argv)
{
    lie = argv[1];
    if (is("many-libraries"))
        map_many_libraries(argv[2]);
    printf("ready %p\n", dlsym(NULL, "dlopen"));
    fflush(stdout);
    for (;;)
        pause();
}
