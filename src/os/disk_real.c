// The real disk: system calls relative to the root directory's descriptor, retried on EINTR.
#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"
#include "os/disk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct disk_real {
    struct disk disk;
    int root;
};

static int root_of(struct disk *d)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    return ((struct disk_real *)d)->root;
}

static int fail_errno(void) { return err_of_errno(errno); }

static int real_open(struct disk *d, const char *path, unsigned flags, int *ret_file)
{
    int how = O_CLOEXEC | O_NOFOLLOW | (flags & DISK_WRITE ? O_RDWR : O_RDONLY);
    how |= flags & DISK_CREATE ? O_CREAT : 0;
    how |= flags & DISK_EXCLUSIVE ? O_EXCL : 0;
    how |= flags & DISK_TRUNCATE ? O_TRUNC : 0;
    int fd;
    do
        fd = openat(root_of(d), path, how, 0600);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return fail_errno();
    *ret_file = fd;
    return 0;
}

static void real_close(struct disk *d, int file) { close(file); }

static int real_read(struct disk *d, int file, void *p, size_t n, uint64_t offset, size_t *ret_n)
{
    ssize_t got;
    do
        got = pread(file, p, n, (off_t)offset);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return fail_errno();
    *ret_n = (size_t)got;
    return 0;
}

static int real_write(struct disk *d, int file, const struct iovec *iov, int iov_count, uint64_t offset, size_t *ret_n)
{
    ssize_t wrote;
    do
        wrote = pwritev(file, iov, iov_count, (off_t)offset);
    while (wrote < 0 && errno == EINTR);
    if (wrote < 0)
        return fail_errno();
    *ret_n = (size_t)wrote;
    return 0;
}

// No retry on EINTR: after an interrupted sync the kernel may already have reported and forgotten an
// error of ours; treat it as failed, as every other error here.
static int real_sync_data(struct disk *d, int file)
{
    return fdatasync(file) < 0 ? (errno == EINTR ? ERR_IO : fail_errno()) : 0;
}

static int real_sync_dir(struct disk *d, const char *path)
{
    int fd = openat(root_of(d), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno();
    int rc = fsync(fd) < 0 ? fail_errno() : 0;
    close(fd);
    return rc;
}

static int real_allocate(struct disk *d, int file, uint64_t offset, uint64_t n)
{
    int rc;
    do
        rc = fallocate(file, 0, (off_t)offset, (off_t)n);
    while (rc < 0 && errno == EINTR);
    if (rc == 0)
        return 0;
    if (errno != EOPNOTSUPP)
        return fail_errno();
    // A file system without fallocate: reserving is then only as good as the size.
    struct stat st;
    if (fstat(file, &st) < 0)
        return fail_errno();
    if ((uint64_t)st.st_size < offset + n && ftruncate(file, (off_t)(offset + n)) < 0)
        return fail_errno();
    return 0;
}

static int real_resize(struct disk *d, int file, uint64_t size)
{
    return ftruncate(file, (off_t)size) < 0 ? fail_errno() : 0;
}

static int real_rename(struct disk *d, const char *from, const char *to)
{
    return renameat(root_of(d), from, root_of(d), to) < 0 ? fail_errno() : 0;
}

static int real_unlink(struct disk *d, const char *path)
{
    return unlinkat(root_of(d), path, 0) < 0 ? fail_errno() : 0;
}

static int real_mkdir(struct disk *d, const char *path)
{
    return mkdirat(root_of(d), path, 0700) < 0 ? fail_errno() : 0;
}

static int real_rmdir(struct disk *d, const char *path)
{
    return unlinkat(root_of(d), path, AT_REMOVEDIR) < 0 ? fail_errno() : 0;
}

static enum disk_kind kind_of_mode(mode_t mode)
{
    return S_ISREG(mode) ? DISK_KIND_FILE : S_ISDIR(mode) ? DISK_KIND_DIR : DISK_KIND_OTHER;
}

static int real_list(struct disk *d, const char *path, disk_list_fn *fn, void *ctx)
{
    int fd = openat(root_of(d), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno();
    DIR *dir = fdopendir(fd);
    if (!dir) {
        close(fd);
        return ERR_NOMEM;
    }
    int rc = 0;
    struct dirent *e;
    while (rc >= 0 && (errno = 0, e = readdir(dir))) {
        if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
            continue;
        enum disk_kind kind = e->d_type == DT_REG   ? DISK_KIND_FILE
                              : e->d_type == DT_DIR ? DISK_KIND_DIR
                                                    : DISK_KIND_OTHER;
        struct stat st;
        if (e->d_type == DT_UNKNOWN && fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0)
            kind = kind_of_mode(st.st_mode);
        rc = fn(ctx, str_z(e->d_name), kind);
    }
    if (rc >= 0)
        rc = errno ? fail_errno() : 0;
    closedir(dir);
    return rc;
}

static void stat_fill(const struct stat *st, struct disk_stat *ret)
{
    *ret = (struct disk_stat){
        .kind = kind_of_mode(st->st_mode),
        .size = (uint64_t)st->st_size,
        .allocated = (uint64_t)st->st_blocks * 512,
        .mtime_unix_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
    };
}

static int real_stat(struct disk *d, const char *path, struct disk_stat *ret)
{
    struct stat st;
    if (fstatat(root_of(d), path, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_errno();
    stat_fill(&st, ret);
    return 0;
}

static int real_stat_file(struct disk *d, int file, struct disk_stat *ret)
{
    struct stat st;
    if (fstat(file, &st) < 0)
        return fail_errno();
    stat_fill(&st, ret);
    return 0;
}

static int real_space(struct disk *d, struct disk_space *ret)
{
    struct statvfs v;
    if (fstatvfs(root_of(d), &v) < 0)
        return fail_errno();
    *ret = (struct disk_space){ (uint64_t)v.f_blocks * v.f_frsize, (uint64_t)v.f_bavail * v.f_frsize };
    return 0;
}

static int real_lock(struct disk *d, int file)
{
    if (flock(file, LOCK_EX | LOCK_NB) == 0)
        return 0;
    return errno == EWOULDBLOCK ? ERR_BUSY : fail_errno();
}

static void real_free(struct disk *d)
{
    struct disk_real *r = (struct disk_real *)d;
    close(r->root);
    d->magic = 0;
    mem_free(r);
}

static const struct disk_ops real_ops = {
    .open = real_open,
    .close = real_close,
    .read = real_read,
    .write = real_write,
    .sync_data = real_sync_data,
    .sync_dir = real_sync_dir,
    .allocate = real_allocate,
    .resize = real_resize,
    .rename = real_rename,
    .unlink = real_unlink,
    .mkdir = real_mkdir,
    .rmdir = real_rmdir,
    .list = real_list,
    .stat = real_stat,
    .stat_file = real_stat_file,
    .space = real_space,
    .lock = real_lock,
    .free = real_free,
};

int disk_open_root(const char *root, struct disk **ret_disk)
{
    if (mkdir(root, 0700) < 0 && errno != EEXIST)
        return fail_errno();
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOTDIR ? ERR_INVALID : fail_errno();
    struct disk_real *r = mem_zalloc(sizeof *r);
    if (!r) {
        close(fd);
        return ERR_NOMEM;
    }
    r->disk = (struct disk){ DISK_MAGIC, &real_ops };
    r->root = fd;
    *ret_disk = &r->disk;
    return 0;
}
