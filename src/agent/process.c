#include "agent/process.h"
#include "agent/process_rights.h"
#include "base/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { STAT_MAX = 1024, STATUS_MAX = 32 << 10, CGROUP_MAX = 4096, DIR_NAME = 32 };

static void dir_name(pid_t pid, char out[DIR_NAME]) { snprintf(out, DIR_NAME, "/proc/%d", (int)pid); }

// Up to max bytes of a file of dir; the length, or a negative code.
static ssize_t read_file(int dir, const char *name, char *out, size_t max)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return err_of_errno(errno);
    size_t n = 0;
    while (n < max) {
        ssize_t got = read(fd, out + n, max - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        n += (size_t)got;
    }
    close(fd);
    return (ssize_t)n;
}

// The fields of stat behind the name, which may hold anything, also ")": the last one ends it.
static bool parse_stat(const char *text, size_t n, pid_t *ret_parent, uint64_t *ret_started)
{
    const char *at = memrchr(text, ')', n);
    char state;
    int parent;
    unsigned long long started;
    if (!at || sscanf(at + 1, " %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
                      &parent, &started) != 3)
        return false;
    if (state == 'Z' || state == 'X')
        return false;
    *ret_parent = parent;
    *ret_started = started;
    return true;
}

uint64_t process_started(pid_t pid)
{
    char name[DIR_NAME + 8], text[STAT_MAX + 1];
    pid_t parent;
    uint64_t started;
    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    ssize_t n = read_file(AT_FDCWD, name, text, STAT_MAX);
    if (n <= 0)
        return 0;
    text[n] = 0;
    return parse_stat(text, (size_t)n, &parent, &started) ? started : 0;
}

uint64_t process_exe_key(pid_t pid)
{
    char name[DIR_NAME + 8];
    struct stat st;
    snprintf(name, sizeof name, "/proc/%d/exe", (int)pid);
    return stat(name, &st) < 0 ? 0 : hash64_int(st.st_dev * 0x9e3779b97f4a7c15u ^ st.st_ino);
}

static int read_text(struct arena *a, int dir, const char *name, size_t max, bool whole_entries, str *ret)
{
    char *p = arena_alloc_bytes(a, max + 1);
    if (!p)
        return ERR_NOMEM;
    ssize_t n = read_file(dir, name, p, max);
    if (n < 0)
        n = 0;
    // Cut in the middle of an entry: that one is left out, half a value would be a wrong one.
    while (whole_entries && (size_t)n == max && n && p[n - 1])
        n--;
    if (whole_entries && n && p[n - 1])
        p[n++] = 0; // a process may have overwritten its arguments
    *ret = (str){ p, (size_t)n };
    return 0;
}

static int read_link(struct arena *a, int dir, const char *name, str *ret)
{
    char *p = arena_alloc_bytes(a, PROCESS_PATH_MAX);
    if (!p)
        return ERR_NOMEM;
    ssize_t n = readlinkat(dir, name, p, PROCESS_PATH_MAX - 1);
    p[n < 0 ? 0 : n] = 0;
    *ret = (str){ p, n < 0 ? 0 : (size_t)n };
    return 0;
}

static bool same_namespace(int dir, const char *name)
{
    char own[64];
    struct stat theirs, ours;
    snprintf(own, sizeof own, "/proc/self/%s", name);
    return fstatat(dir, name, &theirs, 0) == 0 && stat(own, &ours) == 0 && theirs.st_ino == ours.st_ino &&
           theirs.st_dev == ours.st_dev;
}

// The numbers of status: the last one of NSpid is the pid in its own namespace.
static void parse_status(const char *text, struct process *p)
{
    unsigned uid, gid;
    const char *at = strstr(text, "\nUid:");
    if (at && sscanf(at, "\nUid: %u", &uid) == 1)
        p->uid = uid;
    at = strstr(text, "\nGid:");
    if (at && sscanf(at, "\nGid: %u", &gid) == 1)
        p->gid = gid;
    at = strstr(text, "\nCapPrm:");
    p->capabilities = at ? strtoull(at + 8, NULL, 16) : 0;
    p->ns_pid = p->pid;
    at = strstr(text, "\nNSpid:");
    if (!at)
        return;
    for (at += 7; *at == '\t' || *at == ' ';) {
        char *end;
        long v = strtol(at, &end, 10);
        if (end == at)
            break;
        p->ns_pid = (pid_t)v;
        at = end;
    }
}

static void parse_cgroup(struct process *p)
{
    str s = p->cgroup;
    ptrdiff_t nl = str_find_char(s, '\n', 0);
    str first = str_slice(s, 0, nl < 0 ? s.len : (size_t)nl), found = first;
    while (s.len) { // "0::/path" is version 2's
        nl = str_find_char(s, '\n', 0);
        str line = str_slice(s, 0, nl < 0 ? s.len : (size_t)nl);
        if (str_starts(line, STR("0::")))
            found = line;
        s = nl < 0 ? (str){ 0 } : str_slice(s, (size_t)nl + 1, s.len);
    }
    ptrdiff_t slash = str_find_char(found, '/', 0);
    p->cgroup = slash < 0 ? (str){ 0 } : str_slice(found, (size_t)slash, found.len);
}

static int64_t boot_unix_ns(void)
{
    struct timespec wall, boot;
    clock_gettime(CLOCK_REALTIME, &wall);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return (wall.tv_sec - boot.tv_sec) * 1000000000LL + (wall.tv_nsec - boot.tv_nsec);
}

int process_read(pid_t pid, struct arena *arena, struct process *ret)
{
    struct process p = { .pid = pid, .dir = -1 };
    char name[DIR_NAME], text[STATUS_MAX + 1];
    dir_name(pid, name);
    p.dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (p.dir < 0)
        return err_of_errno(errno);
    int rc = ERR_NOENT;
    ssize_t n = read_file(p.dir, "stat", text, STAT_MAX);
    text[n > 0 ? n : 0] = 0;
    if (n <= 0 || !parse_stat(text, (size_t)n, &p.parent, &p.started))
        goto fail;
    if (read_link(arena, p.dir, "exe", &p.exe) < 0 ||
        read_text(arena, p.dir, "cmdline", PROCESS_ARGV_MAX, true, &p.argv) < 0) {
        rc = ERR_NOMEM;
        goto fail;
    }
    if (!p.argv.len && !p.exe.len)
        goto fail; // a thread of the kernel
    n = read_file(p.dir, "status", text, STATUS_MAX);
    text[n > 0 ? n : 0] = 0;
    parse_status(text, &p);
    p.id = arena_printf(arena, "%d-%llu", (int)pid, (unsigned long long)p.started);
    p.started_unix_ns = boot_unix_ns() + (int64_t)(p.started * (1000000000ull / (uint64_t)sysconf(_SC_CLK_TCK)));
    if (!p.id.ptr || read_link(arena, p.dir, "cwd", &p.cwd) < 0 ||
        read_text(arena, p.dir, "environ", PROCESS_ENVIRON_MAX, true, &p.environ) < 0 ||
        read_text(arena, p.dir, "cgroup", CGROUP_MAX, false, &p.cgroup) < 0) {
        rc = ERR_NOMEM;
        goto fail;
    }
    if (str_ends(p.exe, STR(" (deleted)"))) {
        p.exe_deleted = true;
        p.exe.len -= sizeof " (deleted)" - 1;
    }
    parse_cgroup(&p);
    p.other_root = !same_namespace(p.dir, "ns/mnt") || !same_namespace(p.dir, "root");
    p.other_net = !same_namespace(p.dir, "ns/net");
    *ret = p;
    return 0;
fail:
    close(p.dir);
    return rc;
}

void process_done(struct process *p)
{
    if (p->dir >= 0)
        close(p->dir);
    p->dir = -1;
}

str process_arg(const struct process *p, unsigned n)
{
    str s = p->argv;
    while (s.len) {
        size_t len = strnlen(s.ptr, s.len);
        if (n-- == 0)
            return (str){ s.ptr, len };
        s = str_slice(s, len + 1, s.len);
    }
    return (str){ 0 };
}

str process_env(const struct process *p, str name)
{
    str s = p->environ;
    while (s.len) {
        size_t len = strnlen(s.ptr, s.len);
        if (len > name.len && s.ptr[name.len] == '=' && memcmp(s.ptr, name.ptr, name.len) == 0)
            return (str){ s.ptr + name.len + 1, len - name.len - 1 };
        s = str_slice(s, len + 1, s.len);
    }
    return (str){ 0 };
}

int process_open_at(const struct process *p, str path, int flags)
{
    static struct process_rights rights; // large, and the helper has one thread
    char text[PROCESS_PATH_MAX];
    size_t n = 0;
    struct err err;
    if (memchr(path.ptr ? path.ptr : "", 0, path.len))
        return ERR_INVALID;
    if (!path.len || path.ptr[0] != '/') {
        ssize_t got = readlinkat(p->dir, "cwd", text, sizeof text - 1);
        if (got <= 0 || text[0] != '/')
            return ERR_NOENT;
        n = (size_t)got;
        text[n++] = '/';
    }
    if (path.len >= sizeof text - n)
        return ERR_INVALID;
    if (path.len)
        memcpy(text + n, path.ptr, path.len);
    text[n + path.len] = 0;
    int root = openat(p->dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return err_of_errno(errno);
    // O_PATH opens nothing that could block, and takes no flags that say so.
    int calm = flags & O_PATH ? 0 : O_NONBLOCK | O_NOCTTY;
    struct open_how how = { .flags = (uint64_t)(flags | calm | O_CLOEXEC),
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    int fd = process_rights_read(p, &rights, &err);
    if (fd == 0)
        fd = process_rights_take(&rights);
    if (fd == 0) {
        fd = (int)syscall(SYS_openat2, root, text, &how, sizeof how);
        fd = fd < 0 ? err_of_errno(errno) : fd;
        process_rights_back();
    }
    close(root);
    return fd;
}

int process_open(const struct process *p, str path, int *ret_fd)
{
    struct stat st;
    if (!path.len || path.ptr[0] != '/')
        return ERR_INVALID;
    // No device or fifo is opened for longer than it takes to see what it is.
    int fd = process_open_at(p, path, O_RDONLY);
    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return ERR_INVALID;
    }
    *ret_fd = fd;
    return 0;
}

bool process_alive(const struct process *p)
{
    char text[STAT_MAX + 1];
    pid_t parent;
    uint64_t started;
    ssize_t n = read_file(p->dir, "stat", text, STAT_MAX); // of a process that is gone: ESRCH
    if (n <= 0)
        return false;
    text[n] = 0;
    return parse_stat(text, (size_t)n, &parent, &started) && started == p->started;
}
