#include "agent/python/inject.h"
#include "agent/python/maps.h"
#include "base/clock.h"
#include "base/mem.h"
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum {
    STACK_ROOM_MIN = 256 << 10, // below the thread's stack pointer, before its limit
    // What the kernel leaves in rax when a system call is to be made again.
    RESTARTSYS = -512,
    RESTARTNOINTR = -513,
    RESTARTNOHAND = -514,
    RESTART_RESTARTBLOCK = -516,
};

static int peek(const struct inject *in, uint64_t at, void *out, size_t n)
{
    return pread(in->mem, out, n, (off_t)at) == (ssize_t)n ? 0 : ERR_IO;
}
static int poke(const struct inject *in, uint64_t at, const void *data, size_t n)
{
    return pwrite(in->mem, data, n, (off_t)at) == (ssize_t)n ? 0 : ERR_IO;
}
#define DATA_AT(in, field) ((in)->page + BLOB_CODE_BYTES + offsetof(struct blob_data, field))

// Bytes of the extended state that XSAVE writes with everything enabled here.
static uint64_t xsave_size(void)
{
    unsigned a, b = 0, c, d;
    __get_cpuid_count(0xd, 0, &a, &b, &c, &d);
    return (b + 127u) & ~63u;
}

// System calls that wait for the world outside. In others (brk, mmap, open ...) a lock of malloc or of the loader may be held.
static bool syscall_waits(uint64_t nr)
{
    switch (nr) {
    case SYS_read:
    case SYS_readv:
    case SYS_recvfrom:
    case SYS_recvmsg:
    case SYS_accept:
    case SYS_accept4:
    case SYS_connect:
    case SYS_write:
    case SYS_writev:
    case SYS_sendto:
    case SYS_sendmsg:
    case SYS_poll:
    case SYS_ppoll:
    case SYS_select:
    case SYS_pselect6:
    case SYS_epoll_wait:
    case SYS_epoll_pwait:
    case SYS_epoll_pwait2:
    case SYS_futex:
    case SYS_nanosleep:
    case SYS_clock_nanosleep:
    case SYS_wait4:
    case SYS_waitid:
    case SYS_pause:
    case SYS_rt_sigtimedwait:
    case SYS_rt_sigsuspend:
    case SYS_flock:
    case SYS_restart_syscall:
        return true;
    default:
        return false;
    }
}

enum place { PLACE_OTHER, PLACE_WAITS, PLACE_EVAL };

static enum place place_of(const struct inject *in, const struct user_regs_struct *r)
{
    // A small or foreign stack (a signal handler's own, a coroutine's) is no place for a call.
    if (r->rsp <= in->interp.stack_start - (8u << 20) || r->rsp >= in->interp.stack_end)
        return PLACE_OTHER;
    if ((int64_t)r->orig_rax >= 0) {
        // One that was about to give a result has it in rax; what it waits for has come, and it would not have been asleep.
        int64_t left = (int64_t)r->rax;
        bool asleep = left == RESTARTSYS || left == RESTARTNOINTR || left == RESTARTNOHAND ||
                      left == RESTART_RESTARTBLOCK || left == -EINTR;
        // Taking the GIL, or handing it over: a call of ours would take and hand it over inside that, and the wake-up that
        // the outer one waits for without a time limit be consumed by the inner one (docs/experiments/python-attach.md).
        // (One that an earlier stop interrupted is a restart_syscall now, with the registers it had.)
        bool gil = (r->orig_rax == SYS_futex || r->orig_rax == SYS_restart_syscall) && r->rdi >= in->interp.runtime &&
                   r->rdi < in->interp.runtime_end;
        return asleep && !gil && syscall_waits(r->orig_rax) ? PLACE_WAITS : PLACE_OTHER;
    }
    return r->rip >= in->interp.eval && r->rip < in->interp.eval_end ? PLACE_EVAL : PLACE_OTHER;
}

// The registers with which the thread goes on when our code has run first: what the kernel would have done to restart a system call.
static struct user_regs_struct resumed(struct user_regs_struct r)
{
    if ((int64_t)r.orig_rax >= 0) {
        switch ((int64_t)r.rax) {
        case RESTARTSYS:
        case RESTARTNOINTR:
        case RESTARTNOHAND:
            r.rax = r.orig_rax, r.rip -= 2;
            break;
        case RESTART_RESTARTBLOCK:
            r.rax = SYS_restart_syscall, r.rip -= 2;
            break;
        default:
            break;
        }
    }
    r.orig_rax = (uint64_t)-1;
    return r;
}

static int syscall_in(struct inject *in, long nr, const uint64_t arg[4], int64_t *ret)
{
    struct user_regs_struct back = resumed(in->stop.regs), r = back;
    struct blob_frame frame = {
        .rdi = back.rdi,
        .rsi = back.rsi,
        .rdx = back.rdx,
        .r10 = back.r10,
        .r8 = back.r8,
        .r9 = back.r9,
        .r11 = back.r11,
        .rcx = back.rcx,
        .rax = back.rax,
        .flags = back.eflags,
        .rip = back.rip,
    };
    r.rsp = back.rsp - BLOB_RED_ZONE - sizeof frame;
    if (poke(in, r.rsp, &frame, sizeof frame) < 0)
        return ERR_AGAIN;
    r.rip = in->interp.entry;
    r.rax = (uint64_t)nr, r.rdi = arg[0], r.rsi = arg[1], r.rdx = arg[2], r.r10 = arg[3];
    r.r8 = (uint64_t)-1, r.r9 = 0; // mmap: no file
    int rc = stop_registers(&in->stop, &r);
    return rc < 0 ? rc : stop_run_syscall(&in->stop, in->interp.entry + BLOB_SYSCALL_RETURN, ret);
}

static bool entry_is_ours(const struct inject *in)
{
    size_t n = (size_t)(blob_syscall_end - blob_syscall);
    uint8_t now[32];
    return peek(in, in->interp.entry, now, n) == 0 && memcmp(now, blob_syscall, n) == 0;
}

// The bytes that every _start of glibc has near its beginning; anything else is left alone.
static bool entry_is_start(const uint8_t *b)
{
    static const uint8_t endbr[] = { 0xf3, 0x0f, 0x1e, 0xfa }, xor_ebp[] = { 0x31, 0xed, 0x49, 0x89, 0xd1, 0x5e };
    if (memcmp(b, endbr, sizeof endbr) == 0)
        b += sizeof endbr;
    return memcmp(b, xor_ebp, sizeof xor_ebp) == 0;
}

static int entry_take(struct inject *in, struct err *err)
{
    if (entry_is_ours(in))
        return 0;
    size_t n = (size_t)(blob_syscall_end - blob_syscall);
    if (peek(in, in->interp.entry, in->entry_bytes, sizeof in->entry_bytes) < 0 || !entry_is_start(in->entry_bytes))
        return err_set(err, ERR_UNSUPPORTED, "stripped", "the program does not begin as programs of glibc do");
    return poke(in, in->interp.entry, blob_syscall, n);
}

// Memory for our code, and memfds for what is to be loaded: raw system calls, which are safe wherever the thread stands.
static int page_make(struct inject *in, struct err *err)
{
    int rc = entry_take(in, err);
    if (rc < 0)
        return rc;
    int64_t at = 0, ok = 0;
    rc = syscall_in(in, SYS_mmap, (uint64_t[]){ 0, BLOB_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS },
                    &at);
    if (rc < 0)
        return rc;
    if (at < 0 && at > -4096)
        return err_set(err, ERR_UNSUPPORTED, "no_memory", "the process may not map code (error %d)", (int)-at);
    rc = syscall_in(
        in, SYS_mprotect,
        (uint64_t[]){ (uint64_t)at + BLOB_CODE_BYTES, BLOB_BYTES - BLOB_CODE_BYTES, PROT_READ | PROT_WRITE, 0 }, &ok);
    if (rc < 0 || ok < 0)
        return rc < 0 ? rc
                      : err_set(err, ERR_UNSUPPORTED, "no_memory", "the process may not change a mapping (error %d)",
                                (int)-ok);
    struct blob_data data = {
        .xsave_size = xsave_size(),
        .thread_state = in->interp.thread_state,
        .current_state = in->interp.current_state,
        .add_pending = in->interp.add_pending,
        .ensure = in->interp.ensure,
        .release = in->interp.release,
        .claim = 1,
    };
    if (poke(in, (uint64_t)at, blob_code, (size_t)(blob_code_end - blob_code)) < 0 ||
        poke(in, (uint64_t)at + BLOB_CODE_BYTES, &data, sizeof data) < 0)
        return ERR_IO;
    for (unsigned i = 0; i < in->want_fds; i++) {
        uint64_t name = (uint64_t)at + BLOB_CODE_BYTES + offsetof(struct blob_data, args);
        int64_t fd = -1;
        if (poke(in, name, in->fd_name[i], strlen(in->fd_name[i]) + 1) < 0)
            return ERR_IO;
        rc = syscall_in(in, SYS_memfd_create, (uint64_t[]){ name, MFD_CLOEXEC | MFD_ALLOW_SEALING, 0, 0 }, &fd);
        if (rc < 0)
            return rc;
        if (fd < 0)
            return err_set(err, ERR_UNSUPPORTED, "no_memory", "the process may not make a file in memory (error %d)",
                           (int)-fd);
        in->fd[i] = (int)fd;
    }
    in->page = (uint64_t)at;
    return 0;
}

int inject_open(struct inject *in, pid_t pid, const struct interp *interp, struct err *err)
{
    *in = (struct inject){ .pid = pid, .interp = *interp, .mem = -1, .fd = { -1, -1 } };
    char path[40];
    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    in->mem = open(path, O_RDWR | O_CLOEXEC);
    if (in->mem >= 0)
        return 0;
    if (errno == ENOENT)
        return ERR_NOENT;
    return err_set(err, ERR_DENIED, "no_permission", "the memory of the process may not be written");
}

static void stop_done(struct inject *in)
{
    stop_end(&in->stop);
    in->pause_ns = in->stop.let_ns - in->stop.asked_ns, in->stood_ns = in->stop.let_ns - in->stop.stood_ns;
    in->pauses++;
}

// Stops the thread; *ret_place says where. On any error it runs on.
static int stop_at(struct inject *in, enum place *ret_place, struct err *err)
{
    if (!in->stop.seized) {
        int rc = interp_allowed(in->pid, err);
        if (rc < 0)
            return rc;
    }
    int rc = stop_begin(&in->stop, in->pid, err);
    if (rc < 0)
        return rc;
    *ret_place = place_of(in, &in->stop.regs);
    return 0;
}

static int enter(struct inject *in, enum place place, bool with_gil)
{
    struct user_regs_struct r = resumed(in->stop.regs);
    uint32_t flags = (place == PLACE_WAITS ? BLOB_PARKED : 0) | (with_gil ? BLOB_WITH_GIL : 0), zero = 0;
    if (poke(in, DATA_AT(in, resume), &r.rip, 8) < 0 || poke(in, DATA_AT(in, flags), &flags, 4) < 0 ||
        poke(in, DATA_AT(in, verdict), &zero, 4) < 0)
        return ERR_IO;
    r.rip = in->page;
    return stop_registers(&in->stop, &r);
}

static int again(struct inject *in, const struct inject_call *call, struct err *err)
{
    enum place place;
    int rc = stop_at(in, &place, err);
    if (rc < 0)
        return rc;
    if (place == PLACE_OTHER) {
        stop_done(in);
        return err_set(err, ERR_AGAIN, "busy_in_native", "the main thread is in native code");
    }
    bool inside = in->page && in->stop.regs.rip >= in->page && in->stop.regs.rip < in->page + BLOB_CODE_BYTES;
    if (inside) {
        stop_done(in);
        return err_set(err, ERR_AGAIN, "busy_in_call", "the thread is at the end of a call of ours");
    }
    if (!in->page)
        rc = page_make(in, err);
    bool with_gil = false;
    if (rc == 0 && call) {
        uint64_t arg[3];
        uint32_t zero = 0;
        for (int i = 0; i < 3; i++)
            arg[i] = call->arg[i] + (call->arg_in[i] ? DATA_AT(in, args) : 0);
        with_gil = call->with_gil;
        // The claim last: a call of before that is still in the interpreter's queue may make this one.
        if (call->args_len > BLOB_ARGS_BYTES || poke(in, DATA_AT(in, args), call->args, call->args_len) < 0 ||
            poke(in, DATA_AT(in, fn), &call->fn, 8) < 0 || poke(in, DATA_AT(in, arg), arg, sizeof arg) < 0 ||
            poke(in, DATA_AT(in, status), &zero, 4) < 0 || poke(in, DATA_AT(in, claim), &zero, 4) < 0)
            rc = ERR_IO;
        in->outstanding = rc == 0;
    } else if (rc == 0) {
        struct blob_data head;
        rc = peek(in, in->page + BLOB_CODE_BYTES, &head, offsetof(struct blob_data, args));
        with_gil = rc == 0 && head.flags & BLOB_WITH_GIL;
        // Without a verdict the last entry has not come to its end: another one would only stand above it on the stack.
        if (rc == 0 && (head.claim || !head.verdict || (place == PLACE_EVAL && head.queued != head.came))) {
            stop_done(in);
            return 0;
        }
    }
    if (rc == 0)
        rc = enter(in, place, with_gil);
    stop_done(in);
    if (rc < 0 && err && !err->code)
        err_set(err, rc, "attach", "the thread could not be used (%s)", err_text(rc));
    return rc;
}

int inject_prepare(struct inject *in, struct err *err)
{
    enum place place;
    if (in->page)
        return 0;
    int rc = stop_at(in, &place, err);
    if (rc < 0)
        return rc;
    rc = place == PLACE_OTHER ? err_set(err, ERR_AGAIN, "busy_in_native", "the main thread is in native code")
                              : page_make(in, err);
    if (rc == 0) {
        struct user_regs_struct back = resumed(in->stop.regs);
        rc = stop_registers(&in->stop, &back);
    }
    stop_done(in);
    return rc;
}

int inject_begin(struct inject *in, const struct inject_call *call, struct err *err)
{
    if (in->outstanding)
        return err_set(err, ERR_AGAIN, "busy_in_call", "a call is under way");
    return again(in, call, err);
}

int inject_again(struct inject *in, struct err *err)
{
    struct blob_data head;
    if (peek(in, in->page + BLOB_CODE_BYTES, &head, offsetof(struct blob_data, args)) < 0)
        return ERR_NOENT;
    // It has begun: nothing is to be done but wait, and a second one in the queue might stay there for good.
    return head.claim ? 0 : again(in, NULL, err);
}

int inject_poll(struct inject *in, uint64_t *ret_result)
{
    struct blob_data head;
    if (peek(in, in->page + BLOB_CODE_BYTES, &head, offsetof(struct blob_data, args)) < 0)
        return ERR_NOENT;
    if (head.verdict == BLOB_NO_STATE)
        return ERR_UNSUPPORTED;
    if (!head.status)
        return 0;
    in->queued = head.queued;
    in->outstanding = false;
    *ret_result = head.result;
    return 1;
}

void inject_text(struct inject *in, uint64_t at, char *out, size_t n)
{
    ssize_t got = at ? pread(in->mem, out, n - 1, (off_t)at) : 0;
    out[got > 0 ? got : 0] = 0;
}

int inject_remove(struct inject *in, struct err *err)
{
    if (!in->page)
        return 0;
    enum place place;
    int rc = stop_at(in, &place, err);
    if (rc < 0)
        return rc;
    struct blob_data head;
    int64_t ret = 0;
    if (in->stop.regs.rip >= in->page && in->stop.regs.rip < in->page + BLOB_BYTES) {
        rc = ERR_AGAIN;
    } else if (peek(in, in->page + BLOB_CODE_BYTES, &head, offsetof(struct blob_data, args)) < 0) {
        in->page = 0; // an unmapping that had not come back in time has happened
        stop_done(in);
        return 0;
    }
    // Frames of ours may stand on its stack while it is elsewhere: in what our code calls.
    if (rc == 0 && (!head.claim || !head.status || !head.verdict || head.queued != head.came))
        rc = err_set(err, ERR_AGAIN, "busy_in_call", "the interpreter has a call of ours in its queue");
    if (rc == 0 && place == PLACE_OTHER)
        rc = err_set(err, ERR_AGAIN, "busy_in_native", "the main thread is in native code");
    if (rc == 0)
        rc = syscall_in(in, SYS_munmap, (uint64_t[]){ in->page, BLOB_BYTES, 0, 0 }, &ret);
    bool left = rc == 0;
    if (left) {
        // Stopped behind the system call, in the bytes that are to go: the thread's own registers first.
        struct user_regs_struct back = resumed(in->stop.regs);
        rc = stop_registers(&in->stop, &back);
        in->page = 0;
        if (rc == 0 && in->entry_bytes[0])
            poke(in, in->interp.entry, in->entry_bytes, (size_t)(blob_syscall_end - blob_syscall));
    }
    stop_done(in);
    return rc;
}

void inject_close(struct inject *in)
{
    stop_end(&in->stop);
    if (in->mem >= 0)
        close(in->mem);
    in->mem = -1;
}
