#include "agent/agent.h"
#include "agent/helper.h"
#include "agent/link.h"
#include "agent/machine.h"
#include "agent/sandbox.h"
#include "base/clock.h"
#include "base/hex.h"
#include "base/log.h"
#include "os/disk.h"
#include "os/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, HOST_FILE_MAX = 4096, AGAIN_S = 10 };
#define POLICY_DEFAULT "/etc/clew/agent.conf"
#define NETWORK_USER "clew-agent"

struct agent {
    const struct agent_options *o;
    struct policy policy;
    struct link_identity identity;
    char spool_dir[PATH_ROOM];
    uid_t uid; // of the network process, when this one is root
    gid_t gid;
    int lock;
};

static int path_error(struct err *err, const char *path)
{
    return err_set(err, err_of_errno(errno), NULL, "%s: %s", path, strerror(errno));
}

// --- the state directory ---

static int make_dir(const char *path, uid_t uid, gid_t gid, struct err *err)
{
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return path_error(err, path);
    if (geteuid() == 0 && lchown(path, uid, gid) < 0)
        return path_error(err, path);
    return 0;
}

static int lock_state(struct agent *a, struct err *err)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/lock", a->o->state);
    a->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (a->lock < 0)
        return path_error(err, path);
    if (flock(a->lock, LOCK_EX | LOCK_NB) < 0) {
        err_set(err, ERR_BUSY, "agent_runs", "another agent runs on this host");
        err_set_place(err, "%s", a->o->state);
        err_set_hint(err, "`clew agent status` says what it does");
        return ERR_BUSY;
    }
    return 0;
}

static bool line_of(char *text, const char *key, char *out, size_t room)
{
    size_t n = strlen(key);
    for (char *at = text; at && *at; at = strchr(at, '\n'), at = at ? at + 1 : NULL)
        if (strncmp(at, key, n) == 0 && at[n] == ' ') {
            size_t len = strcspn(at + n + 1, "\n");
            if (len == 0 || len >= room)
                return false;
            memcpy(out, at + n + 1, len);
            out[len] = 0;
            return true;
        }
    return false;
}

static int read_host(struct agent *a, struct err *err)
{
    char path[PATH_ROOM], text[HOST_FILE_MAX + 1], pin[65];
    struct link_identity *id = &a->identity;
    snprintf(path, sizeof path, "%s/host", a->o->state);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 && errno == ENOENT) {
        err_set(err, ERR_NOENT, "not_enrolled", "this host is not enrolled with a server");
        err_set_hint(err, "clew agent --server URL --token TOKEN; `clew agents token` on the server makes the token");
        return ERR_NOENT;
    }
    if (fd < 0)
        return path_error(err, path);
    ssize_t n = read(fd, text, HOST_FILE_MAX);
    close(fd);
    text[n > 0 ? n : 0] = 0;
    if (!line_of(text, "server", id->server, sizeof id->server) ||
        !line_of(text, "agent", id->agent, sizeof id->agent) || !line_of(text, "secret", id->secret, sizeof id->secret))
        return err_set(err, ERR_CORRUPT, "bad_host_file", "%s is damaged: enrol this host again", path);
    id->pinned = line_of(text, "key", pin, sizeof pin) && strlen(pin) == 64 && hex_decode(id->pin, str_z(pin));
    if (!id->pinned && str_starts(str_z(id->server), STR("https://")))
        return err_set(err, ERR_CORRUPT, "bad_host_file", "%s lacks the server's key: enrol this host again", path);
    return 0;
}

static int write_host(const struct agent *a, struct err *err)
{
    char path[PATH_ROOM], fresh[PATH_ROOM + 8], pin[65] = "";
    const struct link_identity *id = &a->identity;
    snprintf(path, sizeof path, "%s/host", a->o->state);
    snprintf(fresh, sizeof fresh, "%s.new", path);
    unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return path_error(err, fresh);
    hex_encode(pin, id->pin, sizeof id->pin);
    int n = dprintf(fd, "server %s\nagent %s\nsecret %s\n%s%s%s", id->server, id->agent, id->secret,
                    id->pinned ? "key " : "", id->pinned ? pin : "", id->pinned ? "\n" : "");
    bool ok = n > 0 && fsync(fd) == 0;
    close(fd);
    if (!ok || rename(fresh, path) < 0)
        return path_error(err, path);
    return 0;
}

// --- the network process ---

static int drop_privileges(const struct agent *a)
{
    if (geteuid() == 0 &&
        (setgroups(0, NULL) < 0 || setresgid(a->gid, a->gid, a->gid) < 0 || setresuid(a->uid, a->uid, a->uid) < 0))
        return err_of_errno(errno);
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_of_errno(errno);
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? err_of_errno(errno) : 0;
}

// Enrolling parses what a stranger answers: it is done without privileges, too.
static int enrol(struct agent *a, struct err *err)
{
    struct {
        int rc;
        struct err err;
        struct link_identity identity;
    } result = { .rc = ERR_IO, .identity = a->identity };
    int pipes[2];
    if (pipe2(pipes, O_CLOEXEC) < 0)
        return path_error(err, "pipe");
    pid_t child = fork();
    if (child == 0) {
        struct utsname u = { 0 };
        uname(&u);
        result.rc = drop_privileges(a);
        char reason[SANDBOX_REASON];
        if (result.rc == 0)
            result.rc = sandbox_network(reason);
        if (result.rc == 0)
            result.rc = link_enrol(&result.identity, a->o->token, u.nodename, &result.err);
        _exit(write(pipes[1], &result, sizeof result) == sizeof result ? 0 : 1);
    }
    close(pipes[1]);
    size_t n = 0;
    for (ssize_t got;
         child > 0 && n < sizeof result && (got = read(pipes[0], (char *)&result + n, sizeof result - n)) > 0;)
        n += (size_t)got;
    close(pipes[0]);
    if (child > 0)
        waitpid(child, NULL, 0);
    if (n != sizeof result)
        return err_set(err, ERR_IO, "enrol_failed", "the enrolment broke off");
    if (result.rc < 0) {
        *err = result.err;
        return result.rc;
    }
    a->identity = result.identity;
    return write_host(a, err);
}

static int start_network(struct agent *a, int *ret_fd, pid_t *ret_child, struct err *err)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return path_error(err, "socketpair");
    pid_t child = fork();
    if (child < 0) {
        close(pair[0]);
        close(pair[1]);
        return path_error(err, "fork");
    }
    if (child == 0) {
        close(pair[0]);
        close(a->lock); // held by the parent alone: when that is killed, the next agent may start
        struct disk *disk = NULL;
        int rc = disk_open_root(a->spool_dir, &disk); // a folder above may be closed to who it is a moment later
        if (rc == 0)
            rc = drop_privileges(a);
        char reason[SANDBOX_REASON] = "";
        if (rc == 0)
            rc = sandbox_network(reason);
        if (rc == 0 && reason[0])
            log_warn("agent", "system calls are not filtered: %s", reason);
        if (rc < 0)
            log_error("agent", "the network process cannot start: %s", err_text(rc));
        char machine[MACHINE_ID_ROOM];
        machine_id(machine);
        struct link_options o = { .identity = &a->identity,
                                  .machine = machine,
                                  .shapes = a->policy.shapes,
                                  .backends = agent_backends,
                                  .version = a->o->version,
                                  .sandbox = reason,
                                  .disk = disk };
        sigset_t none;
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL); // of a second one: the first was there before they were blocked
        _exit(rc == 0 && link_run(pair[1], &o) == 0 ? 0 : 1);
    }
    close(pair[1]);
    *ret_fd = pair[0];
    *ret_child = child;
    return 0;
}

static const char *policy_file(const struct agent_options *o) { return o->policy[0] ? o->policy : POLICY_DEFAULT; }

static int prepare(struct agent *a, struct err *err)
{
    const struct agent_options *o = a->o;
    struct passwd *pw = getpwnam(NETWORK_USER);
    if (!pw)
        pw = getpwnam("nobody");
    a->uid = pw ? pw->pw_uid : 65534;
    a->gid = pw ? pw->pw_gid : 65534;
    int rc = policy_read_file(&a->policy, policy_file(o), !o->policy[0], err);
    if (rc == 0)
        rc = make_dir(o->state, geteuid(), getegid(), err);
    // The network process has to enter, and can read nothing here but its own folder.
    if (rc == 0 && geteuid() == 0 && chmod(o->state, 0711) < 0)
        rc = path_error(err, o->state);
    if (rc == 0)
        rc = lock_state(a, err);
    snprintf(a->spool_dir, sizeof a->spool_dir, "%s/network", o->state);
    if (rc == 0)
        rc = make_dir(a->spool_dir, a->uid, a->gid, err);
    if (rc < 0)
        return rc;
    if (!o->token[0])
        return read_host(a, err);
    snprintf(a->identity.server, sizeof a->identity.server, "%s", o->server);
    return enrol(a, err);
}

// Why the network process has ended; it is told to, when it still runs.
static int network_ended(pid_t child, struct err *err)
{
    int status = 0;
    kill(child, SIGTERM);
    waitpid(child, &status, 0);
    bool forbidden = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
    return err_set(err, ERR_CLOSED, "network_ended", "the agent's network process has ended%s; every probe was removed",
                   forbidden ? ": it made a system call that it may not" : "");
}

// Both processes, until it is told to stop. A network process that ends is started again, and the probes come back with its connection.
static int run(struct agent *a, struct err *err)
{
    static const int signals[] = { SIGTERM, SIGINT, SIGHUP, 0 };
    for (bool first = true;; first = false) {
        char reason[SANDBOX_REASON];
        struct err why;
        int fd = -1;
        pid_t child = -1;
        int64_t began = clock_mono_ns();
        int rc = start_network(a, &fd, &child, err);
        if (rc < 0)
            return rc;
        if (first && (rc = sandbox_helper(reason)) == 0)
            rc = loop_signals_block(signals); // before, a signal ends both at once
        if (rc == 0)
            rc = helper_run(fd, &(struct helper_options){ .policy = &a->policy,
                                                          .policy_file = policy_file(a->o),
                                                          .policy_may_miss = !a->o->policy[0],
                                                          .backends = agent_backends,
                                                          .lease_ms = HELPER_LEASE_MS,
                                                          .scan_ms = HELPER_SCAN_MS });
        int ended = network_ended(child, &why);
        if (rc <= 0)
            return rc;
        // What falls again at once is somebody's work, or cannot be mended here: who started the agent decides.
        if (clock_mono_ns() - began < AGAIN_S * NS_PER_S) {
            *err = why;
            return ended;
        }
        log_error("agent", "%s; it is started again", why.message);
    }
}

int agent_run(const struct agent_options *o, struct err *err)
{
    struct agent a = { .o = o, .lock = -1 };
    signal(SIGPIPE, SIG_IGN);
    policy_init(&a.policy);
    int rc = prepare(&a, err);
    if (rc == 0)
        rc = run(&a, err);
    policy_free(&a.policy);
    if (a.lock >= 0)
        close(a.lock);
    return rc;
}
