// What every disk shares: argument checks, and loops around calls that may be short.
#include "os/disk.h"

#include "base/err.h"
#include "base/must.h"

#include <limits.h>

enum { DISK_ZERO_CHUNK = 1 << 20, DISK_IOV_CALL_MAX = 64 };

// "..", absolute and empty paths are programming errors here: names come from our own code, and what
// comes from outside never becomes a path.
static void disk_check_path(const char *path)
{
    must(path && path[0] && path[0] != '/');
    for (const char *p = path; p; p = strchr(p, '/')) {
        if (*p == '/')
            p++;
        must(!(p[0] == '.' && p[1] == '.' && (p[2] == '/' || p[2] == 0)));
    }
}

void disk_free(struct disk *d)
{
    if (!d)
        return;
    MAGIC_CHECK(d, DISK_MAGIC);
    d->ops->free(d);
}

int disk_open(struct disk *d, const char *path, unsigned flags, int *ret_file)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    disk_check_path(path);
    must((flags & DISK_WRITE) || flags == DISK_READ);
    must(!(flags & DISK_EXCLUSIVE) || (flags & DISK_CREATE));
    return d->ops->open(d, path, flags, ret_file);
}

void disk_close(struct disk *d, int file)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    if (file >= 0)
        d->ops->close(d, file);
}

int disk_read_some(struct disk *d, int file, void *p, size_t n, uint64_t offset, size_t *ret_n)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    size_t done = 0;
    while (done < n) {
        size_t got = 0;
        int rc = d->ops->read(d, file, (uint8_t *)p + done, n - done, offset + done, &got);
        if (rc < 0)
            return rc;
        if (got == 0)
            break;
        must(got <= n - done);
        done += got;
    }
    *ret_n = done;
    return 0;
}

int disk_read(struct disk *d, int file, void *p, size_t n, uint64_t offset)
{
    size_t got = 0;
    int rc = disk_read_some(d, file, p, n, offset, &got);
    return rc < 0 ? rc : got < n ? ERR_TRUNCATED : 0;
}

int disk_writev(struct disk *d, int file, struct iovec *iov, int iov_count, uint64_t offset)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    for (;;) {
        while (iov_count && iov->iov_len == 0)
            iov++, iov_count--;
        if (iov_count == 0)
            return 0;
        size_t wrote = 0;
        int now = iov_count < DISK_IOV_CALL_MAX ? iov_count : DISK_IOV_CALL_MAX;
        int rc = d->ops->write(d, file, iov, now, offset, &wrote);
        if (rc < 0)
            return rc;
        if (wrote == 0)
            return ERR_IO; // never an endless loop on a device that takes nothing
        offset += wrote;
        while (wrote) {
            size_t n = iov->iov_len < wrote ? iov->iov_len : wrote;
            iov->iov_base = (uint8_t *)iov->iov_base + n;
            iov->iov_len -= n;
            wrote -= n;
            if (iov->iov_len == 0)
                iov++, iov_count--;
        }
    }
}

int disk_write(struct disk *d, int file, const void *p, size_t n, uint64_t offset)
{
    struct iovec iov = { (void *)p, n };
    return disk_writev(d, file, &iov, 1, offset);
}

int disk_sync_data(struct disk *d, int file)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    return d->ops->sync_data(d, file);
}

int disk_sync_dir(struct disk *d, const char *path)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    disk_check_path(path);
    return d->ops->sync_dir(d, path);
}

int disk_allocate(struct disk *d, int file, uint64_t offset, uint64_t n)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    return n ? d->ops->allocate(d, file, offset, n) : 0;
}

int disk_zero_fill(struct disk *d, int file, uint64_t offset, uint64_t n)
{
    static const uint8_t zeros[DISK_ZERO_CHUNK];
    // Reserve first: a full disk is found out before a gigabyte has been written.
    int rc = disk_allocate(d, file, offset, n);
    while (rc == 0 && n) {
        size_t now = n < sizeof zeros ? (size_t)n : sizeof zeros;
        rc = disk_write(d, file, zeros, now, offset);
        offset += now;
        n -= now;
    }
    return rc;
}

int disk_resize(struct disk *d, int file, uint64_t size)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    return d->ops->resize(d, file, size);
}

int disk_rename(struct disk *d, const char *from, const char *to)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    disk_check_path(from);
    disk_check_path(to);
    return d->ops->rename(d, from, to);
}

int disk_unlink(struct disk *d, const char *path)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    disk_check_path(path);
    return d->ops->unlink(d, path);
}

int disk_mkdir(struct disk *d, const char *path)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    disk_check_path(path);
    return d->ops->mkdir(d, path);
}

int disk_rmdir(struct disk *d, const char *path)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    disk_check_path(path);
    return d->ops->rmdir(d, path);
}

int disk_list(struct disk *d, const char *path, disk_list_fn *fn, void *ctx)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    disk_check_path(path);
    return d->ops->list(d, path, fn, ctx);
}

int disk_stat(struct disk *d, const char *path, struct disk_stat *ret)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    disk_check_path(path);
    return d->ops->stat(d, path, ret);
}

int disk_stat_file(struct disk *d, int file, struct disk_stat *ret)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    return d->ops->stat_file(d, file, ret);
}

int disk_space(struct disk *d, struct disk_space *ret)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    return d->ops->space(d, ret);
}

int disk_lock(struct disk *d, int file)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    return d->ops->lock(d, file);
}
