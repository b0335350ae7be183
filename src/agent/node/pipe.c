#include "agent/node/pipe.h"
#include "agent/process_rights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PIPE_SIZE = 1 << 20 };

static int make_in(const struct process *p, const char *where, struct node_pipe *pipe)
{
    static struct process_rights rights;
    uint64_t random[2];
    struct stat st;
    struct err err;
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return -1;
    pipe->dir = process_open_at(p, str_z(where), O_PATH | O_DIRECTORY); // wherever its links point, in its root
    snprintf(pipe->name, sizeof pipe->name, ".clew-%016llx", (unsigned long long)random[0]);
    snprintf(pipe->path, sizeof pipe->path, "%s/%s", where, pipe->name);
    // The folder may be any, where the process has mounts of its own: only what it could make itself is made in it.
    if (pipe->dir < 0 || process_rights_read(p, &rights, &err) < 0 || process_rights_take(&rights) < 0)
        return -1;
    // Reading and writing: the reader's end stays open, and there is no hanging up, whoever comes and goes.
    if (mkfifoat(pipe->dir, pipe->name, 0600) == 0)
        pipe->fd = openat(pipe->dir, pipe->name, O_RDWR | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
    process_rights_back();
    if (pipe->fd >= 0 && fstat(pipe->fd, &st) == 0 && S_ISFIFO(st.st_mode)) {
        fcntl(pipe->fd, F_SETPIPE_SZ, PIPE_SIZE); // what an ordinary user may have is less, and enough
        return 0;
    }
    node_pipe_hide(pipe);
    if (pipe->fd >= 0)
        close(pipe->fd);
    pipe->fd = -1;
    return -1;
}

int node_pipe_make(const struct process *p, struct node_pipe *ret, struct err *err)
{
    struct node_pipe pipe = { .fd = -1, .dir = -1 };
    if (make_in(p, "/dev/shm", &pipe) < 0 && make_in(p, "/tmp", &pipe) < 0)
        return err_set(err, ERR_DENIED, "no_permission", "no pipe can be made in its /dev/shm or /tmp");
    *ret = pipe;
    return 0;
}

void node_pipe_hide(struct node_pipe *pipe)
{
    if (pipe->dir < 0)
        return;
    unlinkat(pipe->dir, pipe->name, 0);
    close(pipe->dir);
    pipe->dir = -1;
}

void node_pipe_close(struct node_pipe *pipe)
{
    node_pipe_hide(pipe);
    if (pipe->fd >= 0)
        close(pipe->fd);
    pipe->fd = -1;
}

bool node_pipe_held(const struct node_pipe *pipe, const struct process *p, int descriptor)
{
    struct stat ours, there;
    char name[32];
    snprintf(name, sizeof name, "fd/%d", descriptor);
    if (pipe->fd < 0 || fstat(pipe->fd, &ours) < 0)
        return true;
    if (fstatat(p->dir, name, &there, 0) < 0)
        return errno != ENOENT;
    return there.st_dev == ours.st_dev && there.st_ino == ours.st_ino;
}
