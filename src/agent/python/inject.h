// Calls one function on the main thread of a process at a moment when that is safe, without a stop longer than it takes to set its registers.
// Where the thread stands decides:
//   waits in a system call without the GIL   the call is made there (blob.h), the system call restarted after it
//   runs bytecode (in the eval function)     Py_AddPendingCall: the interpreter makes the call between two instructions
//   anywhere else (malloc, native code)      nothing is done; later again
// What is called must not run bytecode where the thread waits: handlers of signals that have arrived would run inside it, and what they raise be lost.
#pragma once
#include "agent/python/blob.h"
#include "agent/python/interp.h"
#include "agent/python/stop.h"
#include "base/err.h"

enum { INJECT_FDS_MAX = 2 };

struct inject {
    pid_t pid;
    int mem; // /proc/PID/mem
    struct interp interp;
    struct stop stop;
    uint64_t page;          // of blob.h in the process; 0: not there yet
    int fd[INJECT_FDS_MAX]; // memfds in the process
    unsigned want_fds;      // to be made with the page
    const char *fd_name[INJECT_FDS_MAX];
    bool outstanding; // a call was begun and is not done
    uint8_t entry_bytes[32];
    int64_t pause_ns, pauses; // of the last stop, since it was asked for; how many
    int64_t stood_ns;         // of the last stop, since it was seen
    uint64_t queued;          // verdicts of that kind
};

struct inject_call {
    uint64_t fn;
    uint64_t arg[3]; // where arg_at[i] is set, the address of that offset in args is added
    bool arg_in[3];
    const void *args; // copied to where the process can read it
    size_t args_len;
    bool with_gil;
};

// ERR_DENIED, ERR_NOENT.
int inject_open(struct inject *in, pid_t pid, const struct interp *interp, struct err *err);
// Makes the page and the memfds, without a call. Errors as inject_begin().
int inject_prepare(struct inject *in, struct err *err);
// Begins a call. ERR_AGAIN: no good moment ("busy_in_native", "busy_in_kernel", "stopped", "busy_in_call"), try again in a while. ERR_BUSY "other_debugger".
int inject_begin(struct inject *in, const struct inject_call *call, struct err *err);
// 1: the call is done, *ret_result what it returned; 0: not yet; ERR_NOENT: the process has ended.
// A call that was queued while the thread went into a wait needs inject_again().
int inject_poll(struct inject *in, uint64_t *ret_result);
// As inject_begin() for a call that is outstanding: made on the spot if the thread waits now; the one in the queue then does nothing.
int inject_again(struct inject *in, struct err *err);
// Copies text out of the process (error messages); always NUL-terminated.
void inject_text(struct inject *in, uint64_t at, char *out, size_t n);
// Takes the page away again if nothing can run there any more, and restores the bytes of the entry point.
// ERR_AGAIN as above. The page may stay: it is inert.
int inject_remove(struct inject *in, struct err *err);
void inject_close(struct inject *in);
