#include "agent/python/remote_debug.h"
#include "base/bytes.h"
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

// In _Py_DebugOffsets, with which _PyRuntime begins (Include/internal/pycore_debug_offsets.h).
enum { AT_INTERPRETERS = 40, AT_ENABLED = 728, TABLE_BYTES = AT_ENABLED + 8 };
static const char cookie[] = { 'x', 'd', 'e', 'b', 'u', 'g', 'p', 'y' };

static bool peek(int mem, uint64_t at, void *out, size_t n) { return pread(mem, out, n, (off_t)at) == (ssize_t)n; }

int remote_debug_allowed(pid_t pid, uint64_t runtime, struct err *err)
{
    char path[40];
    uint8_t table[TABLE_BYTES];
    uint64_t interpreter = 0;
    int32_t enabled = 0;
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    int mem = open(path, O_RDONLY | O_CLOEXEC);
    bool known = mem >= 0 && peek(mem, runtime, table, sizeof table) && memcmp(table, cookie, sizeof cookie) == 0 &&
                 peek(mem, runtime + le64_get(table + AT_INTERPRETERS), &interpreter, sizeof interpreter);
    bool asked =
        known && interpreter && peek(mem, interpreter + le64_get(table + AT_ENABLED), &enabled, sizeof enabled);
    if (mem >= 0)
        close(mem);
    if (!known || (interpreter && !asked))
        return err_set(err, ERR_UNSUPPORTED, "stripped", "the interpreter does not say where its parts are");
    if (!interpreter || enabled)
        return 0;
    err_set(err, ERR_UNSUPPORTED, "runtime_disabled", "this interpreter was told to let no debugger in");
    err_set_hint(err, "start it without PYTHON_DISABLE_REMOTE_DEBUG (also an empty one) and -X disable-remote-debug, "
                      "on a Python that was not built "
                      "--without-remote-debug");
    return ERR_UNSUPPORTED;
}
