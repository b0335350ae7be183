#include "agent/node/version.h"
#include "agent/process.h"
#include "base/mem.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { SEEN_MAX = 16, CHUNK = 1 << 20, OVERLAP = 64, EXE_MAX = 512 << 20 };

static bool put(const unsigned v[3], char ret[NODE_VERSION_ROOM])
{
    if (v[0] >= 1000 || v[1] >= 1000 || v[2] >= 1000)
        return false;
    snprintf(ret, NODE_VERSION_ROOM, "v%u.%u.%u", v[0], v[1], v[2]);
    return true;
}

// PREFIX/bin/node, PREFIX/include/node/node_version.h.
static bool of_headers(const struct process *p, char ret[NODE_VERSION_ROOM])
{
    char path[PROCESS_PATH_MAX], text[8192];
    str prefix = p->exe;
    unsigned v[3] = { 0 };
    static const char *const names[] = { "NODE_MAJOR_VERSION ", "NODE_MINOR_VERSION ", "NODE_PATCH_VERSION " };
    int fd;
    for (int i = 0; i < 2; i++)
        while (prefix.len && prefix.ptr[--prefix.len] != '/') {}
    snprintf(path, sizeof path, "%.*s/include/node/node_version.h", STR_ARG(prefix));
    if (process_open(p, str_z(path), &fd) < 0)
        return false;
    ssize_t got = read(fd, text, sizeof text - 1);
    close(fd);
    text[got > 0 ? got : 0] = 0;
    for (int i = 0; i < 3; i++) {
        const char *at = strstr(text, names[i]);
        if (!at || sscanf(at + strlen(names[i]), "%u", &v[i]) != 1)
            return false;
    }
    return put(v, ret);
}

// "node.js/v22.20.0" stands in each. Read, not mapped: a file that shrinks must not end the agent.
static bool in_text(const char *text, size_t n, char ret[NODE_VERSION_ROOM])
{
    static const char mark[] = "node.js/v";
    for (const char *at = text; (at = memmem(at, n - (size_t)(at - text), mark, sizeof mark - 1)); at++) {
        char copy[OVERLAP / 2] = { 0 };
        size_t left = n - (size_t)(at - text);
        unsigned v[3];
        memcpy(copy, at, left < sizeof copy - 1 ? left : sizeof copy - 1);
        if (sscanf(copy + sizeof mark - 1, "%3u.%3u.%3u", &v[0], &v[1], &v[2]) == 3 && put(v, ret))
            return true;
    }
    return false;
}

static void of_executable(const struct process *p, char ret[NODE_VERSION_ROOM])
{
    char *chunk = mem_alloc(OVERLAP + CHUNK);
    int fd = openat(p->dir, "exe", O_RDONLY | O_CLOEXEC);
    size_t kept = 0;
    ssize_t got;
    for (off_t at = 0; chunk && fd >= 0 && at < EXE_MAX && (got = pread(fd, chunk + kept, CHUNK, at)) > 0; at += got) {
        size_t n = kept + (size_t)got;
        if (in_text(chunk, n, ret))
            break;
        kept = n < OVERLAP ? n : OVERLAP;
        memmove(chunk, chunk + n - kept, kept);
    }
    if (fd >= 0)
        close(fd);
    mem_free(chunk);
}

void node_version(const struct process *p, char ret[NODE_VERSION_ROOM])
{
    // An executable is some 100 MB, and a host runs many of one kind. The helper has one thread.
    static struct {
        uint64_t exe;
        char version[NODE_VERSION_ROOM];
    } seen[SEEN_MAX];
    static unsigned next;
    uint64_t exe = process_exe_key(p->pid);
    ret[0] = 0;
    for (unsigned i = 0; exe && i < SEEN_MAX; i++)
        if (seen[i].exe == exe) {
            memcpy(ret, seen[i].version, sizeof seen[i].version);
            return;
        }
    if (!of_headers(p, ret))
        of_executable(p, ret);
    if (!exe)
        return;
    seen[next].exe = exe;
    memcpy(seen[next].version, ret, sizeof seen[next].version);
    next = (next + 1) % SEEN_MAX;
}
