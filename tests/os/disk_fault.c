#include "disk_fault.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/must.h"

#include <pthread.h>

struct disk_fault {
    struct disk disk;
    struct disk *inner;
    pthread_mutex_t lock;
    unsigned mask;
    int64_t nth, seen, hits;
    int code;
    bool sticky;
    size_t short_max, torn;
};

static struct disk_fault *fault_of(struct disk *d)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    return (struct disk_fault *)d;
}

static int fault_check(struct disk *d, enum disk_op op)
{
    struct disk_fault *f = fault_of(d);
    pthread_mutex_lock(&f->lock);
    int rc = 0;
    if (f->mask & (1u << op)) {
        f->seen++;
        if (f->nth && (f->seen == f->nth || (f->sticky && f->seen > f->nth))) {
            f->hits++;
            rc = f->code;
        }
    }
    pthread_mutex_unlock(&f->lock);
    return rc;
}

#define FAULT_PASS(op, call)                  \
    do {                                      \
        int rc_ = fault_check(d, (op));       \
        if (rc_ < 0)                          \
            return rc_;                       \
        struct disk *in = fault_of(d)->inner; \
        return in->ops->call;                 \
    } while (0)

static int fault_open(struct disk *d, const char *path, unsigned flags, int *ret_file)
{
    FAULT_PASS(DISK_OP_OPEN, open(in, path, flags, ret_file));
}

static void fault_close(struct disk *d, int file)
{
    fault_check(d, DISK_OP_CLOSE);
    disk_close(fault_of(d)->inner, file);
}

static int fault_read(struct disk *d, int file, void *p, size_t n, uint64_t offset, size_t *ret_n)
{
    struct disk_fault *f = fault_of(d);
    if (f->short_max && n > f->short_max)
        n = f->short_max;
    FAULT_PASS(DISK_OP_READ, read(in, file, p, n, offset, ret_n));
}

// At most max bytes of the vector.
static int write_at_most(struct disk *in, int file, const struct iovec *iov, int count, uint64_t offset, size_t max,
                         size_t *ret_n)
{
    size_t done = 0;
    for (int i = 0; i < count && done < max; i++) {
        struct iovec one = { iov[i].iov_base, iov[i].iov_len < max - done ? iov[i].iov_len : max - done };
        size_t n = 0;
        int rc = one.iov_len ? in->ops->write(in, file, &one, 1, offset + done, &n) : 0;
        if (rc < 0)
            return rc;
        done += n;
        if (n < one.iov_len)
            break;
    }
    *ret_n = done;
    return 0;
}

static int fault_write(struct disk *d, int file, const struct iovec *iov, int iov_count, uint64_t offset, size_t *ret_n)
{
    struct disk_fault *f = fault_of(d);
    int rc = fault_check(d, DISK_OP_WRITE);
    size_t n = 0;
    if (rc < 0) {
        if (f->torn)
            write_at_most(f->inner, file, iov, iov_count, offset, f->torn, &n);
        return rc;
    }
    if (f->short_max)
        return write_at_most(f->inner, file, iov, iov_count, offset, f->short_max, ret_n);
    return f->inner->ops->write(f->inner, file, iov, iov_count, offset, ret_n);
}

static int fault_sync_data(struct disk *d, int file) { FAULT_PASS(DISK_OP_SYNC_DATA, sync_data(in, file)); }
static int fault_sync_dir(struct disk *d, const char *path) { FAULT_PASS(DISK_OP_SYNC_DIR, sync_dir(in, path)); }
static int fault_allocate(struct disk *d, int file, uint64_t offset, uint64_t n)
{
    FAULT_PASS(DISK_OP_ALLOCATE, allocate(in, file, offset, n));
}
static int fault_resize(struct disk *d, int file, uint64_t size) { FAULT_PASS(DISK_OP_RESIZE, resize(in, file, size)); }
static int fault_rename(struct disk *d, const char *from, const char *to)
{
    FAULT_PASS(DISK_OP_RENAME, rename(in, from, to));
}
static int fault_unlink(struct disk *d, const char *path) { FAULT_PASS(DISK_OP_UNLINK, unlink(in, path)); }
static int fault_mkdir(struct disk *d, const char *path) { FAULT_PASS(DISK_OP_MKDIR, mkdir(in, path)); }
static int fault_rmdir(struct disk *d, const char *path) { FAULT_PASS(DISK_OP_RMDIR, rmdir(in, path)); }
static int fault_list(struct disk *d, const char *path, disk_list_fn *fn, void *ctx)
{
    FAULT_PASS(DISK_OP_LIST, list(in, path, fn, ctx));
}
static int fault_stat(struct disk *d, const char *path, struct disk_stat *ret)
{
    FAULT_PASS(DISK_OP_STAT, stat(in, path, ret));
}
static int fault_stat_file(struct disk *d, int file, struct disk_stat *ret)
{
    FAULT_PASS(DISK_OP_STAT, stat_file(in, file, ret));
}
static int fault_space(struct disk *d, struct disk_space *ret) { FAULT_PASS(DISK_OP_SPACE, space(in, ret)); }
static int fault_lock(struct disk *d, int file) { FAULT_PASS(DISK_OP_LOCK, lock(in, file)); }

static void fault_free(struct disk *d)
{
    struct disk_fault *f = fault_of(d);
    pthread_mutex_destroy(&f->lock);
    d->magic = 0;
    mem_free(f);
}

static const struct disk_ops fault_ops = {
    .open = fault_open,
    .close = fault_close,
    .read = fault_read,
    .write = fault_write,
    .sync_data = fault_sync_data,
    .sync_dir = fault_sync_dir,
    .allocate = fault_allocate,
    .resize = fault_resize,
    .rename = fault_rename,
    .unlink = fault_unlink,
    .mkdir = fault_mkdir,
    .rmdir = fault_rmdir,
    .list = fault_list,
    .stat = fault_stat,
    .stat_file = fault_stat_file,
    .space = fault_space,
    .lock = fault_lock,
    .free = fault_free,
};

int disk_fault_new(struct disk *inner, struct disk **ret_disk)
{
    MAGIC_CHECK(inner, DISK_MAGIC);
    struct disk_fault *f = mem_zalloc(sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->disk = (struct disk){ DISK_MAGIC, &fault_ops };
    f->inner = inner;
    f->mask = ~0u & ~(1u << DISK_OP_CLOSE);
    pthread_mutex_init(&f->lock, NULL);
    *ret_disk = &f->disk;
    return 0;
}

void disk_fault_fail_at(struct disk *d, int64_t nth, unsigned op_mask, int code, bool sticky)
{
    struct disk_fault *f = fault_of(d);
    must(nth == 0 || code < 0);
    pthread_mutex_lock(&f->lock);
    f->mask = op_mask ? op_mask : ~0u & ~(1u << DISK_OP_CLOSE);
    f->nth = nth;
    f->code = code;
    f->sticky = sticky;
    f->seen = f->hits = 0;
    f->torn = 0;
    pthread_mutex_unlock(&f->lock);
}

void disk_fault_short(struct disk *d, size_t n) { fault_of(d)->short_max = n; }
void disk_fault_torn(struct disk *d, size_t n) { fault_of(d)->torn = n; }

int64_t disk_fault_count(struct disk *d)
{
    struct disk_fault *f = fault_of(d);
    pthread_mutex_lock(&f->lock);
    int64_t n = f->seen;
    pthread_mutex_unlock(&f->lock);
    return n;
}

int64_t disk_fault_hits(struct disk *d)
{
    struct disk_fault *f = fault_of(d);
    pthread_mutex_lock(&f->lock);
    int64_t n = f->hits;
    pthread_mutex_unlock(&f->lock);
    return n;
}
