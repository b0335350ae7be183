#include "net/body_file.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// Without a name from the beginning where the file system can do that.
static int unnamed(const char *dir)
{
    char path[4096];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
        return fd;
    if ((size_t)snprintf(path, sizeof path, "%s/body.XXXXXX", dir) >= sizeof path)
        return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

struct body_file *body_file_open(const char *dir, size_t max)
{
    struct body_file *f = mem_zalloc(sizeof *f);
    if (!f)
        return NULL;
    f->max = max;
    f->fd = unnamed(dir);
    void *p = f->fd < 0 ? MAP_FAILED : mmap(NULL, max, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
    if (p == MAP_FAILED) {
        if (f->fd >= 0)
            close(f->fd);
        mem_free(f);
        return NULL;
    }
    f->ptr = p;
    return f;
}

int body_file_grow(struct body_file *f, size_t len)
{
    must(len <= f->max);
    if (len <= f->len)
        return 0;
    // A hole would be filled when it is written to, and a full disk then is a signal.
    int rc = posix_fallocate(f->fd, (off_t)f->len, (off_t)(len - f->len));
    if (rc != 0)
        return err_of_errno(rc);
    f->len = len;
    return 0;
}

void body_file_close(struct body_file *f)
{
    if (!f)
        return;
    munmap(f->ptr, f->max);
    close(f->fd);
    mem_free(f);
}
