#include "agent/node/inspector.h"
#include "agent/python/elf_symbols.h"
#include "base/hash.h"
#include "base/json_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
    PORT_DEFAULT = 9229,
    NET_TCP_MAX = 4 << 20,
    STATUS_MAX = 8192,
    CONNECT_MS = 1000,
    LIST_MAX = 64 << 10,
    HANDLERS_MAX = 64
};

static ssize_t read_at(const struct process *p, const char *name, char *out, size_t room)
{
    int fd = openat(p->dir, name, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    if (fd < 0)
        return -1;
    for (ssize_t got; n + 1 < room && (got = read(fd, out + n, room - 1 - n)) > 0;)
        n += (size_t)got;
    close(fd);
    out[n] = 0;
    return (ssize_t)n;
}

// --- may it be opened ---

// The value of an option, on the command line before the script or in NODE_OPTIONS.
static bool option(str words, char separator, const char *name, str *ret_value)
{
    for (str rest = words; rest.len;) {
        ptrdiff_t end = str_find_char(rest, separator, 0);
        str one = str_slice(rest, 0, end < 0 ? rest.len : (size_t)end);
        rest = str_slice(rest, one.len + (end >= 0), rest.len);
        if (!str_starts(one, str_z(name)))
            continue;
        str value = str_slice(one, strlen(name), one.len);
        if (value.len && value.ptr[0] != '=')
            continue;
        *ret_value = str_slice(value, value.len > 0, value.len);
        return true;
    }
    return false;
}

// Of node itself: what comes before the name of the script.
static str own_arguments(const struct process *p)
{
    size_t at = 0;
    for (unsigned i = 0;; i++) {
        str arg = process_arg(p, i);
        if (!arg.ptr || (i > 0 && !str_starts(arg, STR("-"))))
            break;
        at = (size_t)(arg.ptr - p->argv.ptr) + arg.len + 1;
    }
    return str_slice(p->argv, 0, at < p->argv.len ? at : p->argv.len);
}

static bool has_option(const struct process *p, const char *name, str *ret_value)
{
    return option(own_arguments(p), 0, name, ret_value) ||
           option(process_env(p, STR("NODE_OPTIONS")), ' ', name, ret_value);
}

static bool catches_sigusr1(const struct process *p)
{
    char text[STATUS_MAX];
    const char *at = read_at(p, "status", text, sizeof text) > 0 ? strstr(text, "SigCgt:") : NULL;
    return at && (strtoull(at + 7, NULL, 16) >> (SIGUSR1 - 1) & 1);
}

static bool loopback(str where)
{
    ptrdiff_t colon = str_find_char(where, ':', 0);
    str host = str_slice(where, 0, colon < 0 ? 0 : (size_t)colon);
    return host.len == 0 || str_eq(host, STR("127.0.0.1")) || str_eq(host, STR("localhost"));
}

int inspector_allowed(const struct process *p, struct err *err)
{
    static const char *const open[] = { "--inspect", "--inspect-brk", "--inspect-wait" };
    str value;
    if (has_option(p, "--disable-sigusr1", &value))
        return err_set(err, ERR_DENIED, "runtime_disabled", "it was started with --disable-sigusr1");
    for (size_t i = 0; i < sizeof open / sizeof *open; i++)
        if (has_option(p, open[i], &value))
            return err_set(err, ERR_DENIED, "other_debugger",
                           "it was started with %s: its inspector is somebody else's", open[i]);
    if ((has_option(p, "--inspect-port", &value) || has_option(p, "--debug-port", &value)) && !loopback(value))
        return err_set(err, ERR_DENIED, "runtime_disabled",
                       "its inspector would listen on another address than the loopback");
    if (!catches_sigusr1(p))
        return err_set(err, ERR_DENIED, "runtime_disabled", "it does not handle SIGUSR1, which would end it");
    return 0;
}

// --- whose is the signal ---

// Where the executable lies in memory, and what of it lies there.
static uint64_t bias_of(const struct process *p, const struct elf_file *elf)
{
    char line[512];
    FILE *f = elf->fixed ? NULL : fdopen(openat(p->dir, "maps", O_RDONLY | O_CLOEXEC), "r");
    unsigned long long at = 0;
    if (!f)
        return 0;
    while (fgets(line, sizeof line, f)) {
        char path[384] = "";
        unsigned long long offset = 1;
        if (sscanf(line, "%llx-%*x %*s %llx %*s %*s %383[^\n]", &at, &offset, path) == 3 && offset == 0 &&
            str_eq(str_z(path), p->exe))
            break;
        at = 0;
    }
    fclose(f);
    return at ? at - elf->load_first : 0;
}

static bool peek(pid_t pid, uint64_t at, void *out, size_t n)
{
    struct iovec to = { out, n }, from = { (void *)(uintptr_t)at, n }; // NOLINT: an address of the target
    return process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)n;
}

// struct uv_signal_s, as every libuv 1.x lays it out for 64 bits.
enum { UV_SIGNUM = 104, UV_LEFT = 112, UV_RIGHT = 120, UV_END = 128 };

// Is there one for SIGUSR1 in the tree, which is ordered by number? 1, 0, or -1.
static int handler_in(pid_t pid, uint64_t node, unsigned *budget)
{
    uint8_t h[UV_END];
    if (!node)
        return 0;
    if (!(*budget)-- || !peek(pid, node, h, sizeof h))
        return -1;
    int number = (int)le32_get(h + UV_SIGNUM);
    if (number == SIGUSR1)
        return 1;
    return handler_in(pid, le64_get(h + (number > SIGUSR1 ? UV_LEFT : UV_RIGHT)), budget);
}

// Where an executable has the tree. Its tables have megabytes, and each session asks: what was found last is kept, as long as it is that file.
static struct {
    dev_t dev;
    ino_t ino;
    off_t size;
    struct timespec changed;
    struct elf_file elf;
    uint64_t tree; // 0: nothing is kept
} known;           // the helper has one thread

static uint64_t tree_in(int fd, struct elf_file *ret)
{
    struct elf_symbol tree = { .name = "uv__signal_tree" };
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0)
        return 0;
    bool same = known.tree && st.st_dev == known.dev && st.st_ino == known.ino && st.st_size == known.size &&
                st.st_ctim.tv_sec == known.changed.tv_sec && st.st_ctim.tv_nsec == known.changed.tv_nsec;
    if (!same) {
        known.tree = 0;
        if (elf_read(fd, &tree, 1, &known.elf) < 0)
            return 0;
        known.tree = tree.value;
        known.dev = st.st_dev, known.ino = st.st_ino, known.size = st.st_size, known.changed = st.st_ctim;
    }
    *ret = known.elf;
    return known.tree;
}

int inspector_signal_is_free(const struct process *p, struct err *err)
{
    struct elf_file elf;
    unsigned budget = HANDLERS_MAX;
    uint8_t root[8];
    int fd = openat(p->dir, "exe", O_RDONLY | O_CLOEXEC), rc;
    uint64_t tree = tree_in(fd, &elf);
    if (fd >= 0)
        close(fd);
    if (!tree || !peek(p->pid, tree + bias_of(p, &elf), root, sizeof root))
        return err_set(err, ERR_UNSUPPORTED, "runtime_unsupported",
                       "whether it handles SIGUSR1 itself cannot be told from this build of Node");
    rc = handler_in(p->pid, le64_get(root), &budget);
    return rc < 0 ? err_set(err, ERR_UNSUPPORTED, "runtime_unsupported", "its table of signals cannot be read")
           : rc   ? err_set(err, ERR_DENIED, "runtime_disabled",
                            "the program handles SIGUSR1 itself, which would run instead")
                  : 0;
}

// --- sockets ---

static bool owns(const uint64_t *list, size_t n, uint64_t inode)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == inode)
            return true;
    return false;
}

enum { OWN_MAX = 4096 };

static size_t own_sockets(const struct process *p, uint64_t *out)
{
    int fd = openat(p->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    size_t n = 0;
    for (struct dirent *e; d && n < OWN_MAX && (e = readdir(d));) {
        char to[64];
        ssize_t len = readlinkat(dirfd(d), e->d_name, to, sizeof to - 1);
        to[len > 0 ? len : 0] = 0;
        if (strncmp(to, "socket:[", 8) == 0)
            out[n++] = strtoull(to + 8, NULL, 10);
    }
    if (d)
        closedir(d);
    return n;
}

struct listener {
    uint64_t inode;
    uint32_t address; // as in /proc
    unsigned port;
    bool listens; // or is connected
};

// Of the process' network: those that listen, which come first, and those that are connected.
static size_t sockets(const struct process *p, struct listener *out, size_t max)
{
    size_t n = 0;
    char line[512];
    int fd = openat(p->dir, "net/tcp", O_RDONLY | O_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
    while (f && n < max && fgets(line, sizeof line, f)) {
        unsigned address, port, state;
        unsigned long long inode;
        if (sscanf(line, " %*u: %8X:%4X %*8X:%*4X %2X %*s %*s %*s %*u %*u %llu", &address, &port, &state, &inode) ==
                4 &&
            (state == 0x0a || state == 0x01))
            out[n++] = (struct listener){ inode, address, port, state == 0x0a };
    }
    if (f)
        fclose(f);
    return n;
}

static struct listener listening[4096];
static uint64_t own[OWN_MAX]; // the helper has one thread

// In any order, and never 0.
static uint64_t sum_of(const uint64_t *list, size_t n)
{
    uint64_t sum = 1 + n;
    for (size_t i = 0; i < n; i++)
        sum += hash64(&list[i], sizeof list[i]) >> 8;
    return sum;
}

static unsigned port_wanted(const struct process *p)
{
    str value;
    if (!has_option(p, "--inspect-port", &value) && !has_option(p, "--debug-port", &value))
        return PORT_DEFAULT;
    ptrdiff_t colon = str_find_char(value, ':', 0);
    char room[16];
    snprintf(room, sizeof room, "%.*s", STR_ARG(str_slice(value, colon < 0 ? 0 : (size_t)colon + 1, value.len)));
    return (unsigned)strtoul(room, NULL, 10);
}

enum inspector_port inspector_port_state(const struct process *p, uint64_t *ret_inode,
                                         struct inspector_sockets *ret_own)
{
    unsigned port = port_wanted(p);
    size_t n = sockets(p, listening, sizeof listening / sizeof *listening), m = own_sockets(p, own);
    enum inspector_port state = INSPECTOR_FREE;
    *ret_own = (struct inspector_sockets){ .sum = sum_of(own, m) };
    for (size_t i = 0; i < n; i++) {
        const struct listener *l = &listening[i];
        bool mine = l->listens && owns(own, m, l->inode);
        if (port && l->port == port && !mine)
            return INSPECTOR_TAKEN;
        if (port && l->port == port) {
            *ret_inode = l->inode;
            state = INSPECTOR_LEFT;
            ret_own->sum = 0; // it is to be found among those that are there
        } else if (mine && ret_own->n < INSPECTOR_SOCKETS_MAX) {
            ret_own->inodes[ret_own->n++] = l->inode;
        }
    }
    return state;
}

unsigned inspector_opened(const struct process *p, const struct inspector_sockets *before, uint64_t *ret_inode)
{
    // The system's list takes it some milliseconds: it is read when the process has other sockets than it had.
    size_t m = own_sockets(p, own);
    if (sum_of(own, m) == before->sum)
        return 0;
    size_t n = sockets(p, listening, sizeof listening / sizeof *listening);
    for (size_t i = 0; i < n; i++)
        if (listening[i].listens && owns(own, m, listening[i].inode) &&
            !owns(before->inodes, before->n, listening[i].inode) && listening[i].address == 0x0100007f) {
            *ret_inode = listening[i].inode;
            return listening[i].port;
        }
    return 0;
}

bool inspector_has(const struct process *p, uint64_t inode) { return owns(own, own_sockets(p, own), inode); }

static int connect_here(unsigned port, struct ws_client **ret, struct err *err)
{
    // total_ms: the helper waits here, and one that sends a byte now and then must not hold up the other processes.
    static const struct net_client_options limits = { .connect_ms = CONNECT_MS,
                                                      .silence_ms = CONNECT_MS,
                                                      .total_ms = CONNECT_MS };
    struct ws_client_options o = { .message_max = INSPECTOR_MESSAGE_MAX, .queue_max = INSPECTOR_MESSAGE_MAX };
    char url[64], target[128];
    struct net_client *http;
    struct net_answer answer;
    struct arena arena;
    struct buf body;
    const struct json_node *root = NULL;
    snprintf(url, sizeof url, "http://127.0.0.1:%u", port);
    int rc = net_client_new(str_z(url), &limits, &http, err);
    if (rc < 0)
        return rc;
    buf_init(&body, LIST_MAX);
    arena_init(&arena, LIST_MAX * 4);
    rc = net_client_call(http, STR("GET"), STR("/json/list"), (str){ 0 }, (bytes){ 0 }, &answer, &body, err);
    if (rc == 0)
        rc = json_tree_read(buf_view(&body), &arena, 8, &root, err);
    str id = rc == 0 ? json_get_text(json_first_of(root, JSON_ARRAY), STR("id")) : (str){ 0 };
    if (id.len)
        snprintf(target, sizeof target, "/%.*s", STR_ARG(id));
    if (rc == 0 && (id.len == 0 || id.len > 64))
        rc = err_set(err, ERR_MALFORMED, "runtime_unsupported", "what listens there is no inspector");
    buf_free(&body);
    arena_free(&arena);
    net_client_free(http);
    if (rc == 0)
        rc = net_client_new(str_z(url), &limits, &http, err);
    return rc < 0 ? rc : ws_client_open(http, str_z(target), &o, ret, err);
}

int inspector_connect(const struct process *p, unsigned port, struct ws_client **ret, struct err *err)
{
    if (!p->other_net)
        return connect_here(port, ret, err);
    int ours = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), theirs = openat(p->dir, "ns/net", O_RDONLY | O_CLOEXEC);
    int rc;
    if (ours < 0 || theirs < 0 || setns(theirs, CLONE_NEWNET) < 0) {
        rc = err_set(err, ERR_DENIED, "no_permission", "the agent may not enter the network of its container");
    } else {
        rc = connect_here(port, ret, err);
        if (setns(ours, CLONE_NEWNET) < 0)
            abort(); // never go on in somebody else's network
    }
    if (ours >= 0)
        close(ours);
    if (theirs >= 0)
        close(theirs);
    return rc;
}

static unsigned port_of(int fd, bool peer)
{
    struct sockaddr_in to = { 0 };
    socklen_t n = sizeof to;
    int rc = peer ? getpeername(fd, (struct sockaddr *)&to, &n) : getsockname(fd, (struct sockaddr *)&to, &n);
    return rc == 0 && to.sin_family == AF_INET ? ntohs(to.sin_port) : 0;
}

int inspector_descriptor(const struct process *p, int ours, uint64_t *ret_inode)
{
    unsigned near = port_of(ours, false), far = port_of(ours, true);
    unsigned long long inode = 0;
    char line[512], wanted[64];
    int found = -1, net = openat(p->dir, "net/tcp", O_RDONLY | O_CLOEXEC);
    FILE *f = net < 0 ? NULL : fdopen(net, "r");
    while (f && near && !inode && fgets(line, sizeof line, f)) {
        unsigned local, remote;
        unsigned long long i;
        if (sscanf(line, " %*u: 0100007F:%4X 0100007F:%4X %*X %*s %*s %*s %*u %*u %llu", &local, &remote, &i) == 3 &&
            local == far && remote == near)
            inode = i;
    }
    if (f)
        fclose(f);
    snprintf(wanted, sizeof wanted, "socket:[%llu]", inode);
    int fd = inode ? openat(p->dir, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    for (struct dirent *e; d && found < 0 && (e = readdir(d));) {
        char to[64];
        ssize_t len = readlinkat(dirfd(d), e->d_name, to, sizeof to - 1);
        to[len > 0 ? len : 0] = 0;
        if (strcmp(to, wanted) == 0)
            found = (int)strtol(e->d_name, NULL, 10);
    }
    if (d)
        closedir(d);
    *ret_inode = inode;
    return found;
}
