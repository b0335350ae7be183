#include "agent/python/stop.h"
#include "base/clock.h"
#include <errno.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SYSCALL_STOP = SIGTRAP | 0x80, EVENT_STOP = 128, NAP_NS = 1000000, STOP_LATE_MAX = 64 };
#define IN_KERNEL "the main thread is inside the kernel, or gets no processor, and does not stop"

// Asked to stop, given up on, and not stopped yet: they would stand there for ever when they do.
static pid_t late[STOP_LATE_MAX];
static size_t n_late;

// 1: *ret_status is a stop; 0: nothing until the deadline; ERR_NOENT: it has ended.
// The kernel says SIGCHLD at each stop. It is awaited asleep: a loop would take the processor from the thread that is to stop.
static int wait_stop(pid_t pid, int64_t deadline_ns, int *ret_status)
{
    sigset_t child, before;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, &before);
    int rc;
    bool taken = false;
    for (;;) {
        int status;
        pid_t got = waitpid(pid, &status, __WALL | WNOHANG);
        if (got == pid && WIFSTOPPED(status)) {
            *ret_status = status;
            rc = 1;
            break;
        }
        if (got == pid || (got < 0 && errno != EINTR)) {
            rc = ERR_NOENT;
            break;
        }
        int64_t left = deadline_ns - clock_mono_ns();
        if (left <= 0) {
            rc = 0;
            break;
        }
        // Not longer than a millisecond, since another stop's signal may have stood for this one's.
        taken |= sigtimedwait(&child, NULL, &(struct timespec){ .tv_nsec = left < NAP_NS ? left : NAP_NS }) == SIGCHLD;
    }
    // Who waits for children of their own is told again.
    if (taken && sigismember(&before, SIGCHLD))
        kill(getpid(), SIGCHLD);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static bool is_job_control(int sig) { return sig == SIGSTOP || sig == SIGTSTP || sig == SIGTTIN || sig == SIGTTOU; }

// Until the stop that was asked for has come; signals that are on their way are delivered. 1: it stands; 0: not yet; ERR_NOENT.
static int settle(struct stop *s, int64_t deadline_ns, bool *ret_job_control)
{
    for (;;) {
        int status = 0;
        int rc = wait_stop(s->pid, deadline_ns, &status);
        if (rc == ERR_NOENT)
            s->seized = false;
        if (rc <= 0)
            return rc;
        int sig = WSTOPSIG(status);
        if (status >> 16 == EVENT_STOP) {
            s->stopped = true;
            s->stood_ns = clock_mono_ns();
            *ret_job_control = is_job_control(sig);
            return 1;
        }
        ptrace(PTRACE_CONT, s->pid, 0, sig == SYSCALL_STOP ? 0 : sig);
    }
}

int stop_begin(struct stop *s, pid_t pid, struct err *err)
{
    bool job_control = false;
    stop_late();
    for (size_t i = 0; i < n_late; i++)
        if (late[i] == pid)
            return err_set(err, ERR_AGAIN, "busy_in_kernel", IN_KERNEL);
    s->pid = pid;
    if (!s->seized) {
        if (ptrace(PTRACE_SEIZE, pid, 0, PTRACE_O_TRACESYSGOOD) < 0) {
            if (errno == ESRCH)
                return ERR_NOENT;
            return err_set(err, ERR_DENIED, "no_permission", "the process may not be traced");
        }
        s->seized = true;
        s->asked_ns = clock_mono_ns();
        if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0) {
            stop_end(s);
            return ERR_NOENT;
        }
    }
    int rc = settle(s, clock_mono_ns() + STOP_WAIT_US_MAX * 1000LL, &job_control);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(err, ERR_AGAIN, "busy_in_kernel", IN_KERNEL);
    if (job_control) {
        stop_end(s);
        return err_set(err, ERR_AGAIN, "stopped", "the process is stopped by job control");
    }
    if (ptrace(PTRACE_GETREGS, pid, 0, &s->regs) < 0) {
        stop_end(s);
        return ERR_NOENT;
    }
    return 0;
}

int stop_registers(struct stop *s, const struct user_regs_struct *regs)
{
    return ptrace(PTRACE_SETREGS, s->pid, 0, regs) < 0 ? ERR_NOENT : 0;
}

int stop_run_syscall(struct stop *s, uint64_t at, int64_t *ret)
{
    int64_t deadline = clock_mono_ns() + STOP_SYSCALL_US_MAX * 1000LL;
    int sig = 0;
    for (;;) {
        s->stopped = false;
        if (ptrace(PTRACE_SYSCALL, s->pid, 0, sig) < 0)
            return ERR_NOENT;
        int status = 0;
        int rc = wait_stop(s->pid, deadline, &status);
        if (rc == ERR_NOENT)
            s->seized = false;
        if (rc <= 0)
            return rc < 0 ? rc : ERR_AGAIN;
        s->stopped = true;
        sig = WSTOPSIG(status);
        if (status >> 16 == EVENT_STOP) {
            sig = 0;
            continue;
        }
        if (sig != SYSCALL_STOP)
            continue;
        sig = 0;
        struct __ptrace_syscall_info info;
        if (ptrace(PTRACE_GET_SYSCALL_INFO, s->pid, sizeof info, &info) <= 0)
            return ERR_UNSUPPORTED;
        if (info.op == PTRACE_SYSCALL_INFO_EXIT && info.instruction_pointer == at) {
            *ret = info.exit.rval;
            return 0;
        }
    }
}

static void let_run(struct stop *s)
{
    s->let_ns = clock_mono_ns();
    ptrace(PTRACE_DETACH, s->pid, 0, 0);
    s->seized = s->stopped = false;
}

bool stop_let_go(struct stop *s)
{
    bool ignored;
    if (s->seized && !s->stopped && settle(s, 0, &ignored) == 0)
        return false;
    if (s->seized)
        let_run(s);
    return true;
}

void stop_late(void)
{
    for (size_t i = 0; i < n_late;) {
        struct stop s = { .pid = late[i], .seized = true };
        if (stop_let_go(&s))
            late[i] = late[--n_late];
        else
            i++;
    }
}

void stop_end(struct stop *s)
{
    bool ignored;
    if (!s->seized)
        return;
    // One that has not stopped yet cannot be let go: it is waited for, as short as may be.
    if (!s->stopped && settle(s, clock_mono_ns() + STOP_END_US_MAX * 1000LL, &ignored) == 0) {
        if (n_late < STOP_LATE_MAX)
            late[n_late++] = s->pid;
        s->seized = false;
    }
    if (s->seized)
        let_run(s);
}
