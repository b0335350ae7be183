// Stops the main thread of a process for some tens of microseconds, with ptrace. The caller is the one thread that
// traces. PTRACE_O_EXITKILL is never set: when the agent dies, the kernel detaches and the thread runs on, so that what
// is done in a stop must leave, at each step, registers and memory that go on by themselves.
#pragma once
#include "base/err.h"
#include <stdbool.h>
#include <sys/types.h>
#include <sys/user.h>

enum {
    STOP_WAIT_US_MAX = 20000,
    STOP_END_US_MAX = 1000000,
    STOP_SYSCALL_US_MAX = 500000, // the thread runs meanwhile; it may have to wait for a processor
};

struct stop {
    pid_t pid;
    bool seized;  // ours; perhaps still running
    bool stopped; // and at a place where registers may be set
    struct user_regs_struct regs;
    int64_t asked_ns; // when the stop was asked for: it may run on, or wait for a processor, until
    int64_t stood_ns; // it was seen to stand
    int64_t
        let_ns; // just before it was let go: what comes behind that may be the thread's own work, where it takes the processor of who let it go
};

// Seizes and stops. ERR_AGAIN when it does not stop within STOP_WAIT_US_MAX (uninterruptible in the kernel: call again; it stays
// seized) or is stopped by job control; ERR_BUSY "other_debugger"; ERR_DENIED "no_permission"; ERR_NOENT when it has ended.
int stop_begin(struct stop *s, pid_t pid, struct err *err);
// Sets all registers at once: the one step from the program's own state to ours.
int stop_registers(struct stop *s, const struct user_regs_struct *regs);
// Runs until the system call at `at` (the address behind its instruction) has returned; signals that arrive meanwhile are delivered.
int stop_run_syscall(struct stop *s, uint64_t at, int64_t *ret);
// Lets it run on. Safe to call at any time. One that does not stop within STOP_END_US_MAX is left to stop_late().
void stop_end(struct stop *s);
// The same, without waiting: false when it has not stopped yet, to be called again soon. Who holds a thread that may still stop
// (stop_begin() said ERR_AGAIN, seized is true) looks every millisecond or so: from its stop on, it stands.
bool stop_let_go(struct stop *s);
// Lets those run on that stop_end() gave up on and that have stopped since. Does not wait.
void stop_late(void);
