// The one seam for file I/O: everything that Clew keeps on disk itself (log, parts, manifest) goes
// through a struct disk, so that a test can make any call fail, shorten it, or cut the power
// (tests/os/disk_fault.h, tests/os/disk_mem.h).
//
// Paths are relative to the disk's root directory, without "..", NUL-terminated ("log/000001.log").
// Files are small integers that mean something to their disk only. All calls are thread-safe; all
// return 0 or a negative code of base/err.h.
//
// Durability: the content of a file is durable after disk_sync_data(); its name (create, rename,
// unlink) only after disk_sync_dir() of the directory. After a failed sync nothing is known about
// what was written since the last good one, and syncing again proves nothing: abandon the file.
#pragma once
#include "base/bytes.h"

#include <sys/uio.h>

enum disk_flags {
    DISK_READ = 0,      // read only
    DISK_WRITE = 1,     // read and write
    DISK_CREATE = 2,    // with DISK_WRITE: create if missing
    DISK_EXCLUSIVE = 4, // with DISK_CREATE: ERR_EXIST if it exists
    DISK_TRUNCATE = 8,  // with DISK_WRITE: drop the content
};

enum disk_kind { DISK_KIND_FILE, DISK_KIND_DIR, DISK_KIND_OTHER };

struct disk_stat {
    enum disk_kind kind;
    uint64_t size;      // bytes
    uint64_t allocated; // bytes that it takes on the disk
    int64_t mtime_unix_ns;
};

struct disk_space {
    uint64_t total, free; // bytes; free is what an ordinary user may take
};

// What reads a directory: name is NUL-terminated and valid during the call; a negative return ends
// the listing and becomes its result. "." and ".." are left out. Order is undefined.
typedef int disk_list_fn(void *ctx, str name, enum disk_kind kind);

enum disk_op {
    DISK_OP_OPEN,
    DISK_OP_CLOSE,
    DISK_OP_READ,
    DISK_OP_WRITE,
    DISK_OP_SYNC_DATA,
    DISK_OP_SYNC_DIR,
    DISK_OP_ALLOCATE,
    DISK_OP_RESIZE,
    DISK_OP_RENAME,
    DISK_OP_UNLINK,
    DISK_OP_MKDIR,
    DISK_OP_RMDIR,
    DISK_OP_LIST,
    DISK_OP_STAT,
    DISK_OP_SPACE,
    DISK_OP_LOCK,
    DISK_OP_COUNT
};

struct disk;

// The seam itself: one system call each; reads and writes may be short. Use the disk_* functions below.
struct disk_ops {
    int (*open)(struct disk *, const char *path, unsigned flags, int *ret_file);
    void (*close)(struct disk *, int file);
    int (*read)(struct disk *, int file, void *p, size_t n, uint64_t offset, size_t *ret_n); // 0: end of file
    int (*write)(struct disk *, int file, const struct iovec *iov, int iov_count, uint64_t offset, size_t *ret_n);
    int (*sync_data)(struct disk *, int file);
    int (*sync_dir)(struct disk *, const char *path);
    int (*allocate)(struct disk *, int file, uint64_t offset, uint64_t n);
    int (*resize)(struct disk *, int file, uint64_t size);
    int (*rename)(struct disk *, const char *from, const char *to);
    int (*unlink)(struct disk *, const char *path);
    int (*mkdir)(struct disk *, const char *path);
    int (*rmdir)(struct disk *, const char *path);
    int (*list)(struct disk *, const char *path, disk_list_fn *fn, void *ctx);
    int (*stat)(struct disk *, const char *path, struct disk_stat *ret);
    int (*stat_file)(struct disk *, int file, struct disk_stat *ret);
    int (*space)(struct disk *, struct disk_space *ret);
    int (*lock)(struct disk *, int file);
    void (*free)(struct disk *);
};

#define DISK_MAGIC 0xd15c0a11u

struct disk {
    uint32_t magic;
    const struct disk_ops *ops;
};

// The real one, rooted at an existing directory or one that is made (0700, one level).
int disk_open_root(const char *root, struct disk **ret_disk);
// Closes and frees a disk of any kind; NULL is allowed. Its files must be closed before.
void disk_free(struct disk *d);

int disk_open(struct disk *d, const char *path, unsigned flags, int *ret_file);
// file < 0 is allowed and does nothing.
void disk_close(struct disk *d, int file);
// Exactly n bytes, or ERR_TRUNCATED when the file ends before.
int disk_read(struct disk *d, int file, void *p, size_t n, uint64_t offset);
// Up to n bytes; *ret_n < n only at the end of the file.
int disk_read_some(struct disk *d, int file, void *p, size_t n, uint64_t offset, size_t *ret_n);
// All bytes or an error (then any part of them may have been written).
int disk_write(struct disk *d, int file, const void *p, size_t n, uint64_t offset);
// The same from several places; changes iov. iov_count may exceed IOV_MAX.
int disk_writev(struct disk *d, int file, struct iovec *iov, int iov_count, uint64_t offset);
// fdatasync: content, and the size where it is needed to read the content.
int disk_sync_data(struct disk *d, int file);
// fsync of a directory; "." is the root.
int disk_sync_dir(struct disk *d, const char *path);
// Reserves the range and fills it with zeros (real ones: first use of an unwritten extent costs a
// metadata commit at every sync). Not synced. On failure the range is undefined.
int disk_zero_fill(struct disk *d, int file, uint64_t offset, uint64_t n);
// Reserves blocks without writing; extends the file. ERR_NOSPC when there is no room.
int disk_allocate(struct disk *d, int file, uint64_t offset, uint64_t n);
int disk_resize(struct disk *d, int file, uint64_t size);
int disk_rename(struct disk *d, const char *from, const char *to); // replaces to
int disk_unlink(struct disk *d, const char *path);
int disk_mkdir(struct disk *d, const char *path); // 0700; ERR_EXIST when there is one
int disk_rmdir(struct disk *d, const char *path);
int disk_list(struct disk *d, const char *path, disk_list_fn *fn, void *ctx);
int disk_stat(struct disk *d, const char *path, struct disk_stat *ret);
int disk_stat_file(struct disk *d, int file, struct disk_stat *ret);
int disk_space(struct disk *d, struct disk_space *ret);
// Exclusive advisory lock, held until the file is closed; ERR_BUSY when another process has it.
int disk_lock(struct disk *d, int file);
