// A process that looks like Python, and whose every word is a lie: which one says its argument. The agent finds the functions of an interpreter in it, all of which are
// its own.
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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

// Puts another file, which it may only read, behind the number of each descriptor that the agent has made, as soon as it is there.
static void *swap(void *arg)
{
    int secret = open("/memfd:clew-shared", O_RDONLY | O_CLOEXEC), first = secret + 1;
    if (secret < 0)
        exit(4);
    for (;;)
        for (int fd = first; fd < first + 3; fd++)
            if (fcntl(fd, F_GETFD) >= 0)
                dup2(secret, fd);
    return arg;
}

// A root of its own, in which that file is called as the agent's memory would be.
static void call_it_memory(const char *folder, const char *file)
{
    char path[4096];
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", folder, "tmpfs", 0, NULL) < 0)
        exit(3);
    snprintf(path, sizeof path, "%s/memfd:clew-shared", folder);
    close(open(path, O_CREAT | O_WRONLY, 0600));
    if (mount(file, path, NULL, MS_BIND, NULL) < 0)
        exit(3);
    snprintf(path, sizeof path, "%s/old", folder);
    if (mkdir(path, 0700) < 0 || syscall(SYS_pivot_root, folder, path) < 0 || chdir("/") < 0)
        exit(3);
}

int main(int argc, char **argv)
{
    pthread_t t;
    lie = argv[1];
    close_range(3, ~0u, 0); // the numbers of descriptors are its own
    if (is("many-libraries"))
        map_many_libraries(argv[2]);
    if (is("swaps-files")) {
        call_it_memory(argv[2], argv[3]);
        pthread_create(&t, NULL, swap, NULL);
    }
    printf("ready %p\n", dlsym(NULL, "dlopen"));
    fflush(stdout);
    for (;;)
        pause();
}
