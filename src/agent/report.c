// What an agent says of itself and of its host, for people.
#include "agent/agent.h"
#include "agent/process.h"
#include "agent/sandbox.h"
#include "base/json_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/utsname.h>
#include <unistd.h>

enum { STATUS_FILE_MAX = 64 << 10, PATH_ROOM = 4096 };

static ssize_t read_small(const char *path, char *out, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    ssize_t n = fd < 0 ? -1 : read(fd, out, room - 1);
    out[n > 0 ? n : 0] = 0;
    if (fd >= 0)
        close(fd);
    return n;
}

static bool runs(const char *state)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s/lock", state);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;
    if (fd >= 0)
        close(fd);
    return held;
}

static int64_t number(const struct json_node *root, const char *key)
{
    int64_t n = 0;
    json_int_of(json_get(root, str_z(key)), &n);
    return n;
}

int agent_status(const char *state, struct buf *out, struct err *err)
{
    char path[PATH_ROOM], text[STATUS_FILE_MAX];
    struct arena arena;
    const struct json_node *root = NULL;
    if (!runs(state)) {
        err_set(err, ERR_NOENT, "no_agent", "no agent runs here");
        err_set_place(err, "%s", state);
        return ERR_NOENT;
    }
    snprintf(path, sizeof path, "%s/network/status.json", state);
    ssize_t n = read_small(path, text, sizeof text);
    arena_init(&arena, 256 << 10);
    if (n <= 0 || json_tree_read(str_of(text, (size_t)n), &arena, 4, &root, NULL) < 0) {
        arena_free(&arena);
        buf_str(out, STR("starting\n"));
        return 0;
    }
    bool connected = json_is(json_get(root, STR("connected")), JSON_TRUE);
    str error = json_get_text(root, STR("error")), server = json_get_text(root, STR("server"));
    buf_printf(out, "server     %.*s: %s%s%.*s\n", STR_ARG(server), connected ? "connected" : "not connected",
               error.len ? ": " : "", STR_ARG(error));
    buf_printf(out, "processes  %lld known, %lld attached\n", (long long)number(root, "processes"),
               (long long)number(root, "attached"));
    buf_printf(out, "spool      %lld captures, %lld bytes; %lld lost for want of room\n",
               (long long)number(root, "spool_records"), (long long)number(root, "spool_bytes"),
               (long long)number(root, "lost"));
    buf_printf(out, "itself     %.1f %% of a core, %lld MB\n", (double)number(root, "cpu_ppm") / 1e4,
               (long long)(number(root, "rss") >> 20));
    str open = json_get_text(root, STR("sandbox"));
    buf_printf(out, "sandbox    system calls of what speaks with the server are %s%s%.*s\n",
               open.len ? "not filtered" : "filtered", open.len ? ": " : "", STR_ARG(open));
    arena_free(&arena);
    return out->error;
}

// --- the host ---

static void count_processes(struct buf *out)
{
    DIR *proc = opendir("/proc");
    unsigned found[8] = { 0 }, ready[8] = { 0 };
    char why[8][FACT_TEXT] = { { 0 } };
    for (struct dirent *e; proc && (e = readdir(proc));) {
        struct process p;
        struct arena arena;
        long pid = strtol(e->d_name, NULL, 10);
        if (pid <= 0)
            continue;
        arena_init(&arena, 192 << 10);
        if (process_read((pid_t)pid, &arena, &p) == 0) {
            for (unsigned i = 0; i < 8 && agent_backends[i]; i++) {
                struct process_facts f = { 0 };
                if (agent_backends[i]->examine(&p, &f) != 1)
                    continue;
                found[i]++;
                ready[i] += f.attachable;
                if (!f.attachable)
                    memcpy(why[i], f.message, sizeof why[i] - 1);
                break;
            }
            process_done(&p);
        }
        arena_free(&arena);
    }
    if (proc)
        closedir(proc);
    for (unsigned i = 0; i < 8 && agent_backends[i]; i++)
        buf_printf(out, "%-6s live: %s processes: %u, %u of them attachable by this user%s%s\n",
                   found[i] == ready[i] ? "ok" : "note", agent_backends[i]->runtime, found[i], ready[i],
                   why[i][0] ? ": " : "", why[i]);
}

void agent_doctor(struct buf *out)
{
    char text[4096];
    struct utsname u = { 0 };
    uname(&u);
    buf_printf(out, "ok     live: kernel %s\n", u.release);
    long scope = read_small("/proc/sys/kernel/yama/ptrace_scope", text, sizeof text) > 0 ? strtol(text, NULL, 10) : 0;
    unsigned long long caps = 0;
    read_small("/proc/self/status", text, sizeof text);
    const char *at = strstr(text, "CapEff:");
    if (at)
        caps = strtoull(at + 7, NULL, 16);
    bool may = caps >> 19 & 1; // CAP_SYS_PTRACE
    bool ok = scope < 3 && (may || scope == 0);
    buf_printf(out, "%-6s live: attaching (ptrace_scope %ld, CAP_SYS_PTRACE %s)\n", ok ? "ok" : "note", scope,
               may ? "held" : "not held");
    if (!ok)
        buf_str(out, scope == 3 ? STR("       this kernel was told to allow it to nobody until the next start\n")
                                : STR("       run `clew agent` as root, or with CAP_SYS_PTRACE\n"));
    char reason[SANDBOX_REASON];
    bool filtered = sandbox_possible(reason);
    buf_printf(out, "%-6s live: filter of the agent's system calls (seccomp)%s%s\n", filtered ? "ok" : "note",
               filtered ? "" : ": ", reason);
    count_processes(out);
}
