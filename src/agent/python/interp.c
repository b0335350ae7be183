#include "agent/python/interp.h"
#include "agent/python/elf_symbols.h"
#include "agent/python/maps.h"
#include "agent/python/remote_debug.h"
#include "base/mem.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { MINOR_REMOTE_DEBUG = 14 }; // the first with a switch for debuggers from outside
// How many files of a name are read in a process: it may have mapped thousands of them.
enum { LIBRARIES_MAX = 4, OBJECTS_MAX = 8 };

enum {
    S_ENSURE,
    S_RELEASE,
    S_THIS,
    S_CURRENT,
    S_CURRENT_313,
    S_PENDING,
    S_EVAL,
    S_RUN,
    S_VERSION,
    S_IS,
    S_CALL_ONE,
    S_FREE_THREADED,
    S_RUNTIME,
    S_PYTHON_N,
};
enum { S_DLOPEN, S_DLERROR, S_LIBC_N };

struct image {
    struct maps_entry first; // the mapping of file offset 0
    struct elf_file elf;
    uint64_t bias;
};

static uint64_t word_of(pid_t pid, uint64_t at)
{
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t v = 0;
    if (fd < 0 || pread(fd, &v, sizeof v, (off_t)at) != sizeof v)
        v = 0;
    if (fd >= 0)
        close(fd);
    return v;
}

static int image_read(pid_t pid, const struct maps_entry *first, struct elf_symbol *symbols, size_t n,
                      struct image *ret)
{
    int fd = -1;
    int rc = maps_open(pid, first, &fd);
    if (rc < 0)
        return rc;
    struct image image = { .first = *first };
    rc = elf_read(fd, symbols, n, &image.elf);
    close(fd);
    if (rc < 0)
        return rc;
    image.bias = image.elf.fixed ? 0 : first->start - image.elf.load_first;
    *ret = image;
    return 0;
}

static bool is_libpython(str path)
{
    return str_starts(str_base_name(path), STR("libpython3.")) && str_find(path, STR(".so")) > 0;
}
static bool is_libc(str path)
{
    str name = str_base_name(path);
    return str_starts(name, STR("libc.so.6")) || str_starts(name, STR("libc-2.")) ||
           str_starts(name, STR("libdl.so.2")) || str_starts(name, STR("libdl-2."));
}

static int version_of(pid_t pid, const struct elf_symbol *s, uint64_t bias, struct interp *in, struct err *err)
{
    if (s[S_FREE_THREADED].value)
        return err_set(err, ERR_UNSUPPORTED, "free_threaded",
                       "this is a free-threaded build of Python, where no lock guards the objects");
    in->micro = -1;
    if (s[S_VERSION].value) { // 3.11 and later say it themselves
        uint64_t v = word_of(pid, s[S_VERSION].value + bias);
        if (v >> 24 != 3)
            return err_set(err, ERR_UNSUPPORTED, "python_version",
                           "the interpreter does not say a version that can be");
        in->minor = (int)(v >> 16 & 0xff), in->micro = (int)(v >> 8 & 0xff);
    } else { // the one before brought Py_Is, the one before that PyFrame_GetBack
        in->minor = s[S_IS].value ? 10 : s[S_CALL_ONE].value ? 9 : 8;
    }
    if (in->minor < INTERP_MINOR_MIN || in->minor > INTERP_MINOR_MAX) {
        err_set(err, ERR_UNSUPPORTED, "python_version", "Python 3.%d is %s", in->minor,
                in->minor < INTERP_MINOR_MIN ? "older than 3.9" : "newer than this agent knows");
        err_set_hint(err, "Python 3.%d to 3.%d can be attached to", INTERP_MINOR_MIN, INTERP_MINOR_MAX);
        return ERR_UNSUPPORTED;
    }
    return 0;
}

static uint64_t auxv_entry(pid_t pid)
{
    char *text = NULL;
    size_t len = 0;
    if (maps_proc_read(pid, "auxv", 1 << 16, &text, &len) < 0)
        return 0;
    uint64_t entry = 0;
    for (size_t at = 0; at + 16 <= len; at += 16)
        if (le64_get(text + at) == 9) // AT_ENTRY
            entry = le64_get(text + at + 8);
    mem_free(text);
    return entry;
}

static int python_in(pid_t pid, const struct maps_entry *first, struct interp *in, struct err *err)
{
    struct elf_symbol s[S_PYTHON_N] = {
        [S_ENSURE] = { "PyGILState_Ensure" },
        [S_RELEASE] = { "PyGILState_Release" },
        [S_THIS] = { "PyGILState_GetThisThreadState" },
        [S_CURRENT] = { "_PyThreadState_UncheckedGet" },
        [S_CURRENT_313] = { "PyThreadState_GetUnchecked" },
        [S_PENDING] = { "Py_AddPendingCall" },
        [S_EVAL] = { "_PyEval_EvalFrameDefault" },
        [S_RUN] = { "PyRun_SimpleString" },
        [S_VERSION] = { "Py_Version" },
        [S_IS] = { "Py_Is" },
        [S_CALL_ONE] = { "PyFrame_GetBack" },
        [S_FREE_THREADED] = { "_Py_DecRefShared" },
        [S_RUNTIME] = { "_PyRuntime" },
    };
    struct image image;
    int rc = image_read(pid, first, s, S_PYTHON_N, &image);
    if (rc < 0)
        return rc;
    if (!s[S_ENSURE].value)
        return ERR_NOENT;
    rc = version_of(pid, s, image.bias, in, err);
    if (rc < 0)
        return rc;
    if (!s[S_CURRENT].value)
        s[S_CURRENT] = s[S_CURRENT_313];
    if (!s[S_RELEASE].value || !s[S_THIS].value || !s[S_CURRENT].value || !s[S_PENDING].value || !s[S_EVAL].value ||
        !s[S_RUN].value || !s[S_RUNTIME].size)
        return err_set(err, ERR_UNSUPPORTED, "stripped", "the interpreter lacks functions that an attach needs");
    in->ensure = s[S_ENSURE].value + image.bias, in->release = s[S_RELEASE].value + image.bias;
    in->thread_state = s[S_THIS].value + image.bias, in->current_state = s[S_CURRENT].value + image.bias;
    in->add_pending = s[S_PENDING].value + image.bias, in->run_string = s[S_RUN].value + image.bias;
    in->eval = s[S_EVAL].value + image.bias, in->eval_end = in->eval + s[S_EVAL].size;
    in->runtime = s[S_RUNTIME].value + image.bias, in->runtime_end = in->runtime + s[S_RUNTIME].size;
    return in->minor >= MINOR_REMOTE_DEBUG ? remote_debug_allowed(pid, in->runtime, err) : 0;
}

static void libc_in(pid_t pid, const struct maps_entry *first, struct interp *in)
{
    struct elf_symbol s[S_LIBC_N] = { [S_DLOPEN] = { "dlopen" }, [S_DLERROR] = { "dlerror" } };
    struct image image;
    if (image_read(pid, first, s, S_LIBC_N, &image) < 0)
        return;
    if (s[S_DLOPEN].value && s[S_DLERROR].value)
        in->dlopen = s[S_DLOPEN].value + image.bias, in->dlerror = s[S_DLERROR].value + image.bias;
}

int interp_find(pid_t pid, struct interp *ret, struct err *err)
{
    char *text = NULL;
    size_t len = 0;
    int rc = maps_proc_read(pid, "maps", MAPS_BYTES_MAX, &text, &len);
    if (rc < 0)
        return rc == ERR_DENIED ? err_set(err, rc, "no_permission", "the memory map of the process may not be read")
                                : rc;
    struct interp in = { 0 };
    struct maps_entry program = { 0 }, library = { 0 }, e;
    bool musl = false;
    unsigned libraries = 0;
    str rest = str_of(text, len);
    in.entry = auxv_entry(pid);
    struct maps_entry file_start = { 0 }; // the file whose pages are being passed
    while (maps_next(&rest, &e)) {
        if (e.inode && e.offset == 0 && !str_eq(e.path, file_start.path))
            file_start = e;
        if (in.entry >= e.start && in.entry < e.end && str_eq(e.path, file_start.path))
            program = file_start;
        if (e.offset == 0 && is_libpython(e.path) && !library.inode)
            library = e;
        if (e.offset == 0 && is_libc(e.path) && !in.dlopen && libraries++ < LIBRARIES_MAX)
            libc_in(pid, &e, &in);
        if (str_starts(str_base_name(e.path), STR("ld-musl-")))
            musl = true;
        if (str_eq(e.path, STR("[stack]")))
            in.stack_start = e.start, in.stack_end = e.end;
    }
    rc = ERR_NOENT;
    if (library.inode)
        rc = python_in(pid, &library, &in, err);
    if (rc == ERR_NOENT && program.inode)
        rc = python_in(pid, &program, &in, err);
    mem_free(text);
    if (rc < 0)
        return rc;
#ifndef __x86_64__
    return err_set(err, ERR_UNSUPPORTED, "architecture", "attaching to Python is done on x86-64 only");
#endif
    if (musl)
        return err_set(err, ERR_UNSUPPORTED, "musl", "the process runs on musl, the in-process part needs glibc");
    if (!in.dlopen || !in.stack_end || !program.inode)
        return err_set(err, ERR_UNSUPPORTED, "stripped",
                       "the C library of the process is not one that an attach knows");
    *ret = in;
    return 0;
}

int interp_allowed(pid_t pid, struct err *err)
{
    char *text = NULL;
    size_t len = 0;
    int rc = maps_proc_read(pid, "status", 1 << 16, &text, &len);
    if (rc < 0)
        return rc;
    str status = str_of(text, len);
    uint64_t tracer = 0, seccomp = 0;
    maps_status_number(status, "TracerPid", &tracer);
    maps_status_number(status, "Seccomp", &seccomp);
    bool shadow = false;
    ptrdiff_t features = str_find(status, STR("\nx86_Thread_features:"));
    if (features >= 0) {
        ptrdiff_t end = str_find_char(status, '\n', (size_t)features + 1);
        shadow = str_find(str_slice(status, (size_t)features, end < 0 ? len : (size_t)end), STR("shstk")) >= 0;
    }
    mem_free(text);
    if (tracer) {
        err_set(err, ERR_BUSY, "other_debugger", "process %llu is tracing it", (unsigned long long)tracer);
        err_set_hint(err, "end the debugger (gdb, strace ...), the probe is then placed by itself");
        return ERR_BUSY;
    }
    if (seccomp) {
        err_set(err, ERR_UNSUPPORTED, "seccomp", "a system call filter (seccomp) is on in this process");
        err_set_hint(err, "memory and a file for the in-process part could be forbidden by it, and some filters kill");
        return ERR_UNSUPPORTED;
    }
    if (shadow)
        return err_set(err, ERR_UNSUPPORTED, "shadow_stack", "the process runs with a shadow stack");
    return 0;
}

int interp_mapped_symbol(pid_t pid, const char *mapped, const char *symbol, uint64_t *ret)
{
    char *text = NULL;
    size_t len = 0;
    int rc = maps_proc_read(pid, "maps", MAPS_BYTES_MAX, &text, &len);
    if (rc < 0)
        return rc;
    str rest = str_of(text, len);
    struct maps_entry e;
    unsigned objects = 0;
    rc = ERR_NOENT;
    while (rc == ERR_NOENT && maps_next(&rest, &e)) {
        if (e.offset != 0 || !str_starts(e.path, str_z(mapped)))
            continue;
        if (objects++ == OBJECTS_MAX)
            break;
        struct elf_symbol s = { .name = symbol };
        struct image image;
        rc = image_read(pid, &e, &s, 1, &image);
        if (rc == 0 && !s.value)
            rc = ERR_NOENT;
        if (rc == 0)
            *ret = s.value + image.bias;
    }
    mem_free(text);
    return rc;
}
