#include "agent/sandbox.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1 // their own calls and memory would have to be allowed, too
#else
#define SANITIZED 0
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0
#endif

// What nothing of the agent does: other programs, other privileges, the system itself.
static const int never[] = {
    SYS_execve,         SYS_execveat,      SYS_bpf,         SYS_perf_event_open, SYS_mount,   SYS_umount2,
    SYS_pivot_root,     SYS_chroot,        SYS_unshare,     SYS_init_module,     SYS_add_key, SYS_request_key,
    SYS_finit_module,   SYS_delete_module, SYS_kexec_load,  SYS_reboot,          SYS_swapon,  SYS_swapoff,
    SYS_settimeofday,   SYS_clock_settime, SYS_sethostname, SYS_setdomainname,   SYS_acct,    SYS_quotactl,
    SYS_io_uring_setup, SYS_userfaultfd,   SYS_personality, SYS_syslog,          SYS_keyctl,  SYS_open_by_handle_at,
    SYS_adjtimex,       SYS_vhangup,       SYS_move_pages,  SYS_migrate_pages,
};

// And what the network process does not do: other processes, other users, other roots.
static const int never_network[] = {
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_kill,
    SYS_tkill,
    SYS_pidfd_send_signal,
    SYS_pidfd_getfd,
    SYS_pidfd_open,
    SYS_kcmp,
    SYS_setns,
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setgroups,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_capset,
    SYS_mknodat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_fchownat,
    SYS_memfd_create,
    SYS_process_madvise,
    SYS_clone,
    SYS_clone3,
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
};

// The loop, the spool, the connection and its names, memory, and how a process ends.
static const int network[] = {
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_preadv,
    SYS_pwritev,
    SYS_preadv2,
    SYS_pwritev2,
    SYS_close,
    SYS_fstat,
    SYS_newfstatat,
    SYS_statx,
    SYS_lseek,
    SYS_openat,
    SYS_openat2,
    SYS_renameat,
    SYS_renameat2,
    SYS_unlinkat,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_fsync,
    SYS_fdatasync,
    SYS_fstatfs,
    SYS_statfs,
    SYS_flock,
    SYS_getdents64,
    SYS_faccessat,
    SYS_faccessat2,
    SYS_readlinkat,
    SYS_getcwd,
    SYS_fcntl,
    SYS_ioctl,
    SYS_dup,
    SYS_dup3,
    SYS_munmap,
    SYS_mremap,
    SYS_madvise,
    SYS_brk,
    SYS_epoll_create1,
    SYS_epoll_ctl,
    SYS_epoll_pwait,
    SYS_epoll_pwait2,
    SYS_eventfd2,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    SYS_timerfd_gettime,
    SYS_signalfd4,
    SYS_pipe2,
    SYS_ppoll,
    SYS_pselect6,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_getrandom,
    SYS_futex,
    SYS_connect,
    SYS_bind,
    SYS_getsockname,
    SYS_getpeername,
    SYS_getsockopt,
    SYS_setsockopt,
    SYS_sendto,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_recvmsg,
    SYS_sendmmsg,
    SYS_recvmmsg,
    SYS_shutdown,
    SYS_uname,
    SYS_sysinfo,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getuid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getegid,
    SYS_getrusage,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_tgkill,
    SYS_membarrier,
    SYS_exit,
    SYS_exit_group,
#ifdef SYS_open
    SYS_open,
    SYS_stat,
    SYS_lstat,
    SYS_access,
    SYS_readlink,
    SYS_rename,
    SYS_unlink,
    SYS_poll,
    SYS_select,
    SYS_epoll_wait,
    SYS_time,
    SYS_getdents,
    SYS_arch_prctl,
#endif
};

enum { PROGRAM_MAX = 512 };

struct program {
    struct sock_filter at[PROGRAM_MAX];
    unsigned short n;
};

static void put(struct program *p, struct sock_filter f) { p->at[p->n++] = f; }

static void load(struct program *p, size_t offset)
{
    put(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void when(struct program *p, uint32_t is, uint32_t answer)
{
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, is, 0, 1));
    put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, answer));
}

static void each(struct program *p, const int *calls, size_t n, uint32_t answer)
{
    for (size_t i = 0; i < n; i++)
        when(p, (uint32_t)calls[i], answer);
}

static size_t argument(unsigned n)
{
    return offsetof(struct seccomp_data, args) + n * sizeof(uint64_t);
} // its lower half

// The call's number is loaded before and after.
static void memory(struct program *p, int call, uint32_t forbidden_with_exec)
{
    // Not this call: over the six that look at it.
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 6));
    load(p, argument(2));
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 2));
    if (forbidden_with_exec)
        put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, forbidden_with_exec, 0, 1));
    else
        put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0));
    put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JA, 0, 0, 0));
}

// Connections and names alone.
static void sockets(struct program *p)
{
    static const int domains[] = { 1 /* AF_UNIX */, 2 /* AF_INET */, 10 /* AF_INET6 */,
                                   16 /* AF_NETLINK: which addresses there are */ };
    enum { DOMAINS = sizeof domains / sizeof domains[0] };
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 2 + 2 * DOMAINS));
    load(p, argument(0));
    each(p, domains, DOMAINS, SECCOMP_RET_ALLOW);
    put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT));
}

static void begin(struct program *p)
{
    load(p, offsetof(struct seccomp_data, arch));
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
    put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    load(p, offsetof(struct seccomp_data, nr));
    put(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0, 1)); // the other numbers of x86-64
    put(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
    each(p, never, sizeof never / sizeof never[0], SECCOMP_RET_KILL_PROCESS);
}

static int set_filter(const struct program *p, char reason[SANDBOX_REASON])
{
    struct sock_fprog prog = { p->n, (struct sock_filter *)p->at };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_of_errno(errno);
    if (!sandbox_possible(reason))
        return 0;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) < 0)
        snprintf(reason, SANDBOX_REASON, "the kernel refuses the filter: %s", strerror(errno));
    return 0;
}

bool sandbox_possible(char reason[SANDBOX_REASON])
{
    uint32_t action = SECCOMP_RET_KILL_PROCESS;
    const char *why = "";
    if (SANITIZED)
        why = "this is a build with sanitizers";
    else if (ARCH == 0)
        why = "calls of this architecture are not known";
    else if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
        why = "this kernel has no seccomp filters";
    snprintf(reason, SANDBOX_REASON, "%s", why);
    return why[0] == 0;
}

int sandbox_network(char reason[SANDBOX_REASON])
{
    struct rlimit memory_limit = { SANDBOX_NETWORK_BYTES, SANDBOX_NETWORK_BYTES }, none = { 0, 0 };
    struct program p = { .n = 0 };
    if ((!SANITIZED && setrlimit(RLIMIT_AS, &memory_limit) < 0) || setrlimit(RLIMIT_CORE, &none) < 0)
        return err_of_errno(errno);
    begin(&p);
    each(&p, never_network, sizeof never_network / sizeof never_network[0], SECCOMP_RET_KILL_PROCESS);
    memory(&p, SYS_mmap, PROT_WRITE);
    memory(&p, SYS_mprotect, 0);
    sockets(&p);
    each(&p, network, sizeof network / sizeof network[0], SECCOMP_RET_ALLOW);
    put(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
    return set_filter(&p, reason);
}

// ptrace and files of others, Node's signal and its namespace; starting the network process.
static const int kept[] = { CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, CAP_KILL,  CAP_SYS_ADMIN,
                            CAP_SETUID,     CAP_SETGID,          CAP_CHOWN,        CAP_FOWNER };

static int drop_capabilities(void)
{
    struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
    struct __user_cap_data_struct have[2];
    uint64_t keep = 0;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        keep |= UINT64_C(1) << kept[i];
    for (int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
        if (!(keep >> cap & 1))
            prctl(PR_CAPBSET_DROP, cap, 0, 0, 0); // without CAP_SETPCAP: no program is run anyway
    if (syscall(SYS_capget, &head, have) < 0)
        return err_of_errno(errno);
    for (int i = 0; i < 2; i++) {
        uint32_t half = (uint32_t)(keep >> (32 * i));
        have[i].permitted &= half;
        have[i].effective &= half;
        have[i].inheritable = 0;
    }
    return syscall(SYS_capset, &head, have) < 0 ? err_of_errno(errno) : 0;
}

int sandbox_helper(char reason[SANDBOX_REASON])
{
    struct program p = { .n = 0 };
    int rc = drop_capabilities();
    if (rc < 0)
        return rc;
    begin(&p);
    put(&p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
    return set_filter(&p, reason);
}
