// Which CPython a process runs, where in it the functions are that an attach calls, and why it cannot be attached to.
// Reads /proc and files only: the process does not notice.
#pragma once
#include "base/err.h"
#include <sys/types.h>

enum { INTERP_MINOR_MIN = 9, INTERP_MINOR_MAX = 14 };

struct interp {
    int minor, micro; // 3.minor.micro; micro -1 when the interpreter does not say
    // Addresses in the process.
    uint64_t ensure, release;             // PyGILState_Ensure, PyGILState_Release
    uint64_t thread_state, current_state; // PyGILState_GetThisThreadState, _PyThreadState_UncheckedGet
    uint64_t add_pending;                 // Py_AddPendingCall
    uint64_t eval, eval_end;              // _PyEval_EvalFrameDefault
    uint64_t runtime, runtime_end;        // _PyRuntime, which holds the GIL's locks
    uint64_t run_string;                  // PyRun_SimpleString, for the experiment
    uint64_t dlopen, dlerror;
    uint64_t entry;                  // where the program began, once: code that never runs again
    uint64_t stack_start, stack_end; // of the main thread
};

// ERR_NOENT: no Python in it (or no process). ERR_UNSUPPORTED with a slug and a hint: Python, but one that is refused: "python_version",
// "free_threaded", "musl", "not_a_python_main", "architecture", "stripped", "runtime_disabled". ERR_DENIED "no_permission".
int interp_find(pid_t pid, struct interp *ret, struct err *err);
// Whether something forbids attaching at this moment: "other_debugger", "seccomp", "shadow_stack", "namespace".
int interp_allowed(pid_t pid, struct err *err);
// Address of a symbol of a file that is mapped under this name ("/memfd:NAME" is a prefix); ERR_NOENT.
int interp_mapped_symbol(pid_t pid, const char *mapped, const char *symbol, uint64_t *ret);
