// What a process of the agent cannot do any more.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agent/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

// All that the fence needs of base, which is built with sanitizers where this program must not be.
int err_of_errno(int e) { return -e; }

// How a child ends that does this behind the fence.
static int behind(int (*fence)(char *), int (*act)(void))
{
    pid_t child = fork();
    if (child == 0) {
        char reason[SANDBOX_REASON];
        _exit(fence(reason) < 0 || reason[0] ? 99 : act());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int run_a_program(void) { return execl("/bin/true", "true", NULL); }
static int trace_another(void) { return (int)syscall(SYS_ptrace, 16, getppid(), 0, 0); }
static int read_another(void) { return (int)syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0); }
static int signal_another(void) { return kill(getppid(), 0); }
static int become_root(void) { return (int)syscall(SYS_setresuid, 0, 0, 0); }
static int fork_one(void) { return (int)fork(); }
static int load_bpf(void) { return (int)syscall(SYS_bpf, 0, NULL, 0); }
static int leave_the_namespace(void) { return (int)syscall(SYS_unshare, 0); }

static int run_what_was_written(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int map_to_write_and_run(void)
{
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int what_it_needs(void)
{
    struct addrinfo *list = NULL;
    int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), file = open("/dev/null", O_RDWR | O_CLOEXEC);
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (s < 0 || file < 0 || page == MAP_FAILED || mprotect(page, 4096, PROT_READ) < 0 || write(file, "x", 1) != 1)
        return 1;
    if (getaddrinfo("localhost", "80", NULL, &list) != 0)
        return 2;
    freeaddrinfo(list);
    if (socket(AF_PACKET, SOCK_RAW, 0) >= 0 || errno != EAFNOSUPPORT)
        return 3;
    if (syscall(SYS_mincore, page, 4096, page) >= 0 || errno != EPERM) // of no use, and no harm
        return 4;
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) >= 0 || errno != EPERM ? 5 : 0;
}

static int too_much_memory(void)
{
    void *small = malloc(8 << 20), *large = malloc(SANDBOX_NETWORK_BYTES);
    return small && !large && errno == ENOMEM ? 0 : 1;
}

static void the_network_process_keeps_what_it_needs(void **state)
{
    assert_int_equal(behind(sandbox_network, what_it_needs), 0);
    assert_int_equal(behind(sandbox_network, too_much_memory), 0);
}

static void a_forbidden_call_ends_the_network_process(void **state)
{
    int (*const acts[])(
        void) = { run_a_program, trace_another, read_another,        signal_another,       become_root,
                  fork_one,      load_bpf,      leave_the_namespace, run_what_was_written, map_to_write_and_run };
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        assert_int_equal(behind(sandbox_network, acts[i]), -SIGSYS);
}

static int harmless(void) { return kill(getppid(), 0) == 0 && read_another() == 0 ? 0 : 1; }

static int capabilities_are_few(void)
{
    enum { NET_ADMIN = 12, SYS_MODULE = 16 };
    return prctl(PR_CAPBSET_READ, NET_ADMIN, 0, 0, 0) == 1 || prctl(PR_CAPBSET_READ, SYS_MODULE, 0, 0, 0) == 1;
}

static void the_helper_runs_no_program_and_changes_no_system(void **state)
{
    int (*const acts[])(void) = { run_a_program, load_bpf, leave_the_namespace };
    for (size_t i = 0; i < sizeof acts / sizeof acts[0]; i++)
        assert_int_equal(behind(sandbox_helper, acts[i]), -SIGSYS);
    assert_int_equal(behind(sandbox_helper, harmless), 0);
    if (geteuid() == 0)
        assert_int_equal(behind(sandbox_helper, capabilities_are_few), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_network_process_keeps_what_it_needs),
        cmocka_unit_test(a_forbidden_call_ends_the_network_process),
        cmocka_unit_test(the_helper_runs_no_program_and_changes_no_system),
    };
    char reason[SANDBOX_REASON] = "";
    if (!sandbox_possible(reason)) {
        printf("1..0 # SKIP no filter: %s\n", reason);
        return reason[0] ? 0 : 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
