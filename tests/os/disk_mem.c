#include "disk_mem.h"

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

#include <pthread.h>
#include <stdlib.h>

// This is test equipment: it allocates with the C library, outside of failure injection, and gives up
// the process when there is no memory.

enum { MEM_SECTOR = 512 };

struct mem_change { // of a file's content since its last good sync
    struct mem_change *next;
    bool resize; // to offset
    uint64_t offset;
    size_t n;
    uint8_t data[];
};

struct mem_content {
    uint8_t *ptr;
    uint64_t size, cap;
};

struct mem_node {
    struct mem_node *next; // of all nodes
    enum disk_kind kind;
    struct mem_content now, durable;
    struct mem_change *first, **last;
    bool locked;
    bool marked; // reachable, in disk_mem_crash
    int files;   // open
};

struct mem_name {
    char *path;
    struct mem_node *node;
};

struct mem_names {
    struct mem_name *list;
    size_t n, cap;
};

struct mem_name_change { // link: path -> node; rename: from too; unlink: node NULL
    char *from, *path;
    struct mem_node *node;
};

struct mem_file {
    struct mem_node *node; // NULL: closed or before the crash
    bool writable, locked;
};

struct disk_mem {
    struct disk disk;
    pthread_mutex_t lock;
    uint64_t capacity, used;
    struct mem_node *nodes;
    struct mem_names now, durable;
    struct mem_name_change *changes;
    size_t changes_n, changes_cap;
    struct mem_file *files;
    int files_n, files_cap;
    int64_t cut_at, changing;
    bool off;
    int fail_syncs;
};

static void *grow(void *p, size_t n, size_t *cap, size_t size)
{
    if (n < *cap)
        return p;
    *cap = *cap ? *cap * 2 : 16;
    p = realloc(p, *cap * size);
    must(p);
    return p;
}

static struct disk_mem *lock_mem(struct disk *d)
{
    MAGIC_CHECK(d, DISK_MAGIC);
    struct disk_mem *m = (struct disk_mem *)d;
    pthread_mutex_lock(&m->lock);
    return m;
}

static int unlock_mem(struct disk_mem *m, int rc)
{
    pthread_mutex_unlock(&m->lock);
    return rc;
}

// --- content ---

static void content_resize(struct mem_content *c, uint64_t size)
{
    if (size > c->cap) {
        c->cap = size + size / 2 + 4096;
        c->ptr = realloc(c->ptr, c->cap);
        must(c->ptr);
    }
    if (size > c->size)
        memset(c->ptr + c->size, 0, size - c->size);
    c->size = size;
}

static void content_write(struct mem_content *c, uint64_t offset, const void *p, size_t n)
{
    if (n == 0)
        return;
    if (offset + n > c->size)
        content_resize(c, offset + n);
    memcpy(c->ptr + offset, p, n);
}

static void changes_drop(struct mem_node *node)
{
    for (struct mem_change *c = node->first; c;) {
        struct mem_change *next = c->next;
        free(c);
        c = next;
    }
    node->first = NULL;
    node->last = &node->first;
}

static void change_add(struct mem_node *node, bool resize, uint64_t offset, const void *p, size_t n)
{
    struct mem_change *c = malloc(sizeof *c + n);
    must(c);
    *c = (struct mem_change){ .resize = resize, .offset = offset, .n = n };
    if (n)
        memcpy(c->data, p, n);
    *node->last = c;
    node->last = &c->next;
}

static void node_sync(struct mem_node *node)
{
    for (struct mem_change *c = node->first; c; c = c->next) {
        if (c->resize)
            content_resize(&node->durable, c->offset);
        else
            content_write(&node->durable, c->offset, c->data, c->n);
    }
    changes_drop(node);
}

static uint64_t rnd(uint64_t *seed) { return hash64_int(*seed += 0x9e3779b97f4a7c15u); }

// What of a write arrives when the power goes: each sector on its own.
static void crash_write(struct mem_content *c, const struct mem_change *w, uint64_t *seed)
{
    for (size_t done = 0; done < w->n;) {
        size_t n = MEM_SECTOR - (w->offset + done) % MEM_SECTOR;
        if (n > w->n - done)
            n = w->n - done;
        uint64_t dice = rnd(seed);
        size_t keep = dice & 1 ? n : 0;
        if ((dice >> 8) % 16 == 0)
            keep = (dice >> 16) % (n + 1);
        content_write(c, w->offset + done, w->data + done, keep);
        done += n;
    }
}

static void node_crash(struct mem_node *node, uint64_t *seed)
{
    uint64_t fate = rnd(seed) % 4; // all, nothing, or a mixture
    for (struct mem_change *c = node->first; c && fate != 0; c = c->next) {
        if (c->resize && (fate == 1 || (rnd(seed) & 1)))
            content_resize(&node->durable, c->offset);
        else if (!c->resize && fate == 1)
            content_write(&node->durable, c->offset, c->data, c->n);
        else if (!c->resize)
            crash_write(&node->durable, c, seed);
    }
    changes_drop(node);
    content_resize(&node->now, 0);
    content_write(&node->now, 0, node->durable.ptr, node->durable.size);
    node->locked = false;
    node->files = 0;
}

// --- names ---

static struct mem_name *names_find(struct mem_names *names, const char *path)
{
    for (size_t i = 0; i < names->n; i++)
        if (!strcmp(names->list[i].path, path))
            return &names->list[i];
    return NULL;
}

static void names_remove(struct mem_names *names, const char *path)
{
    struct mem_name *e = names_find(names, path);
    if (!e)
        return;
    free(e->path);
    *e = names->list[--names->n];
}

static void names_set(struct mem_names *names, const char *path, struct mem_node *node)
{
    struct mem_name *e = names_find(names, path);
    if (!e) {
        names->list = grow(names->list, names->n, &names->cap, sizeof *names->list);
        e = &names->list[names->n++];
        e->path = strdup(path);
        must(e->path);
    }
    e->node = node;
}

static str dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? str_of(path, (size_t)(slash - path)) : STR(".");
}

static void apply_name(struct mem_names *names, const struct mem_name_change *c)
{
    if (c->from)
        names_remove(names, c->from);
    if (c->node)
        names_set(names, c->path, c->node);
    else
        names_remove(names, c->path);
}

static void name_change(struct disk_mem *m, const char *from, const char *path, struct mem_node *node)
{
    m->changes = grow(m->changes, m->changes_n, &m->changes_cap, sizeof *m->changes);
    struct mem_name_change *c = &m->changes[m->changes_n++];
    *c = (struct mem_name_change){ from ? strdup(from) : NULL, strdup(path), node };
    apply_name(&m->now, c);
}

static void name_change_free(struct mem_name_change *c)
{
    free(c->from);
    free(c->path);
}

static bool parent_exists(struct mem_names *names, const char *path)
{
    str dir = dir_of(path);
    if (str_eq(dir, STR(".")))
        return true;
    for (size_t i = 0; i < names->n; i++)
        if (str_eq(str_z(names->list[i].path), dir))
            return names->list[i].node->kind == DISK_KIND_DIR;
    return false;
}

static struct mem_node *node_new(struct disk_mem *m, enum disk_kind kind)
{
    struct mem_node *node = calloc(1, sizeof *node);
    must(node);
    node->kind = kind;
    node->last = &node->first;
    node->next = m->nodes;
    m->nodes = node;
    return node;
}

// --- the seam ---

// Every changing call passes here; ERR_IO when the power is off. *ret_cut: goes off during this one.
static int changing(struct disk_mem *m, bool *ret_cut)
{
    if (m->off)
        return ERR_IO;
    m->changing++;
    bool cut = m->cut_at && m->changing == m->cut_at;
    if (cut)
        m->off = true;
    if (ret_cut)
        *ret_cut = cut;
    return cut ? ERR_IO : 0;
}

static struct mem_file *file_of(struct disk_mem *m, int file)
{
    return file >= 0 && file < m->files_n && m->files[file].node ? &m->files[file] : NULL;
}

static int mem_open(struct disk *d, const char *path, unsigned flags, int *ret_file)
{
    struct disk_mem *m = lock_mem(d);
    if (m->off)
        return unlock_mem(m, ERR_IO);
    struct mem_name *e = names_find(&m->now, path);
    if (e && (flags & DISK_EXCLUSIVE))
        return unlock_mem(m, ERR_EXIST);
    if (e && e->node->kind != DISK_KIND_FILE)
        return unlock_mem(m, ERR_IO);
    struct mem_node *node = e ? e->node : NULL;
    if (!node) {
        if (!(flags & DISK_CREATE) || !parent_exists(&m->now, path))
            return unlock_mem(m, ERR_NOENT);
        if (changing(m, NULL) < 0)
            return unlock_mem(m, ERR_IO);
        node = node_new(m, DISK_KIND_FILE);
        name_change(m, NULL, path, node);
    }
    if (flags & DISK_TRUNCATE && node->now.size) {
        if (changing(m, NULL) < 0)
            return unlock_mem(m, ERR_IO);
        m->used -= node->now.size;
        content_resize(&node->now, 0);
        change_add(node, true, 0, NULL, 0);
    }
    size_t cap = (size_t)m->files_cap;
    m->files = grow(m->files, (size_t)m->files_n, &cap, sizeof *m->files);
    m->files_cap = (int)cap;
    m->files[m->files_n] = (struct mem_file){ .node = node, .writable = flags & DISK_WRITE };
    node->files++;
    *ret_file = m->files_n++; // never used again: a stale one is found out
    return unlock_mem(m, 0);
}

static void mem_close(struct disk *d, int file)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_file *f = file_of(m, file);
    if (f) {
        if (f->locked)
            f->node->locked = false;
        struct mem_node *node = f->node;
        node->files--;
        f->node = NULL;
        bool named = false;
        for (size_t i = 0; i < m->now.n; i++)
            named |= m->now.list[i].node == node;
        if (!named && node->files == 0)
            m->used -= node->now.size;
    }
    unlock_mem(m, 0);
}

static int mem_read(struct disk *d, int file, void *p, size_t n, uint64_t offset, size_t *ret_n)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_file *f = file_of(m, file);
    if (!f || m->off)
        return unlock_mem(m, ERR_IO);
    uint64_t size = f->node->now.size;
    size_t now = offset >= size ? 0 : n < size - offset ? n : (size_t)(size - offset);
    if (now)
        memcpy(p, f->node->now.ptr + offset, now);
    *ret_n = now;
    return unlock_mem(m, 0);
}

static int room_for(struct disk_mem *m, struct mem_node *node, uint64_t end)
{
    uint64_t more = end > node->now.size ? end - node->now.size : 0;
    if (m->capacity && more && m->used + more > m->capacity)
        return ERR_NOSPC;
    m->used += more;
    return 0;
}

static int mem_write(struct disk *d, int file, const struct iovec *iov, int iov_count, uint64_t offset, size_t *ret_n)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_file *f = file_of(m, file);
    if (!f || m->off)
        return unlock_mem(m, ERR_IO);
    must(f->writable);
    bool cut = false;
    int rc = changing(m, &cut);
    if (rc < 0 && !cut)
        return unlock_mem(m, rc);
    size_t done = 0;
    int space = 0;
    for (int i = 0; i < iov_count && space == 0; i++) {
        if (iov[i].iov_len == 0)
            continue;
        space = room_for(m, f->node, offset + done + iov[i].iov_len);
        if (space < 0)
            break;
        content_write(&f->node->now, offset + done, iov[i].iov_base, iov[i].iov_len);
        change_add(f->node, false, offset + done, iov[i].iov_base, iov[i].iov_len);
        done += iov[i].iov_len;
    }
    if (done == 0 && space < 0)
        rc = rc < 0 ? rc : space;
    if (rc == 0)
        *ret_n = done;
    return unlock_mem(m, rc);
}

static int mem_sync_data(struct disk *d, int file)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_file *f = file_of(m, file);
    int rc = f ? changing(m, NULL) : ERR_IO;
    if (rc == 0 && m->fail_syncs > 0) {
        m->fail_syncs--;
        changes_drop(f->node); // the kernel marks the pages clean: they will never be written
        rc = ERR_IO;
    }
    if (rc == 0)
        node_sync(f->node);
    return unlock_mem(m, rc);
}

static int mem_sync_dir(struct disk *d, const char *path)
{
    struct disk_mem *m = lock_mem(d);
    int rc = changing(m, NULL);
    size_t kept = 0;
    for (size_t i = 0; rc == 0 && i < m->changes_n; i++) {
        struct mem_name_change *c = &m->changes[i];
        if (str_eq(dir_of(c->path), str_z(path)) || (c->from && str_eq(dir_of(c->from), str_z(path)))) {
            apply_name(&m->durable, c);
            name_change_free(c);
        } else {
            m->changes[kept++] = *c;
        }
    }
    if (rc == 0)
        m->changes_n = kept;
    return unlock_mem(m, rc);
}

static int set_size(struct disk *d, int file, uint64_t size, bool only_grow)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_file *f = file_of(m, file);
    int rc = f ? changing(m, NULL) : ERR_IO;
    if (rc == 0 && !(only_grow && f->node->now.size >= size)) {
        if (size > f->node->now.size)
            rc = room_for(m, f->node, size);
        else
            m->used -= f->node->now.size - size;
        if (rc == 0) {
            content_resize(&f->node->now, size);
            change_add(f->node, true, size, NULL, 0);
        }
    }
    return unlock_mem(m, rc);
}

static int mem_allocate(struct disk *d, int file, uint64_t offset, uint64_t n)
{
    return set_size(d, file, offset + n, true);
}
static int mem_resize(struct disk *d, int file, uint64_t size) { return set_size(d, file, size, false); }

static void release_space(struct disk_mem *m, struct mem_node *node)
{
    if (node->files == 0)
        m->used -= node->now.size;
}

static int mem_rename(struct disk *d, const char *from, const char *to)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_name *e = names_find(&m->now, from);
    int rc = m->off                              ? ERR_IO
             : !e || !parent_exists(&m->now, to) ? ERR_NOENT
             : e->node->kind == DISK_KIND_DIR    ? ERR_UNSUPPORTED
                                                 : changing(m, NULL);
    if (rc == 0 && strcmp(from, to)) {
        struct mem_name *old = names_find(&m->now, to);
        if (old)
            release_space(m, old->node);
        name_change(m, from, to, e->node);
    }
    return unlock_mem(m, rc);
}

static int mem_unlink(struct disk *d, const char *path)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_name *e = names_find(&m->now, path);
    int rc = m->off ? ERR_IO : !e || e->node->kind != DISK_KIND_FILE ? ERR_NOENT : changing(m, NULL);
    if (rc == 0) {
        release_space(m, e->node);
        name_change(m, NULL, path, NULL);
    }
    return unlock_mem(m, rc);
}

static int mem_mkdir(struct disk *d, const char *path)
{
    struct disk_mem *m = lock_mem(d);
    int rc = m->off                          ? ERR_IO
             : names_find(&m->now, path)     ? ERR_EXIST
             : !parent_exists(&m->now, path) ? ERR_NOENT
                                             : changing(m, NULL);
    if (rc == 0)
        name_change(m, NULL, path, node_new(m, DISK_KIND_DIR));
    return unlock_mem(m, rc);
}

static int mem_rmdir(struct disk *d, const char *path)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_name *e = names_find(&m->now, path);
    int rc = m->off ? ERR_IO : !e || e->node->kind != DISK_KIND_DIR ? ERR_NOENT : 0;
    for (size_t i = 0; rc == 0 && i < m->now.n; i++)
        if (str_eq(dir_of(m->now.list[i].path), str_z(path)))
            rc = ERR_BUSY;
    rc = rc == 0 ? changing(m, NULL) : rc;
    if (rc == 0)
        name_change(m, NULL, path, NULL);
    return unlock_mem(m, rc);
}

static int mem_list(struct disk *d, const char *path, disk_list_fn *fn, void *ctx)
{
    struct disk_mem *m = lock_mem(d);
    if (m->off)
        return unlock_mem(m, ERR_IO);
    if (strcmp(path, ".") && !names_find(&m->now, path))
        return unlock_mem(m, ERR_NOENT);
    struct mem_name *copy = calloc(m->now.n + 1, sizeof *copy); // fn may call the disk again
    must(copy);
    size_t n = 0;
    for (size_t i = 0; i < m->now.n; i++)
        if (str_eq(dir_of(m->now.list[i].path), str_z(path)))
            copy[n++] = (struct mem_name){ strdup(m->now.list[i].path), m->now.list[i].node };
    unlock_mem(m, 0);
    int rc = 0;
    for (size_t i = 0; i < n; i++) {
        const char *slash = strrchr(copy[i].path, '/');
        if (rc >= 0)
            rc = fn(ctx, str_z(slash ? slash + 1 : copy[i].path), copy[i].node->kind);
        free(copy[i].path);
    }
    free(copy);
    return rc < 0 ? rc : 0;
}

static void node_stat(const struct mem_node *node, struct disk_stat *ret)
{
    *ret = (struct disk_stat){ .kind = node->kind, .size = node->now.size, .allocated = node->now.size };
}

static int mem_stat(struct disk *d, const char *path, struct disk_stat *ret)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_name *e = names_find(&m->now, path);
    int rc = m->off ? ERR_IO : e ? 0 : ERR_NOENT;
    if (rc == 0)
        node_stat(e->node, ret);
    return unlock_mem(m, rc);
}

static int mem_stat_file(struct disk *d, int file, struct disk_stat *ret)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_file *f = file_of(m, file);
    int rc = f && !m->off ? 0 : ERR_IO;
    if (rc == 0)
        node_stat(f->node, ret);
    return unlock_mem(m, rc);
}

static int mem_space(struct disk *d, struct disk_space *ret)
{
    struct disk_mem *m = lock_mem(d);
    uint64_t total = m->capacity ? m->capacity : 1ull << 50;
    int rc = m->off ? ERR_IO : 0;
    if (rc == 0)
        *ret = (struct disk_space){ total, total > m->used ? total - m->used : 0 };
    return unlock_mem(m, rc);
}

static int mem_lock(struct disk *d, int file)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_file *f = file_of(m, file);
    int rc = !f || m->off ? ERR_IO : f->node->locked && !f->locked ? ERR_BUSY : 0;
    if (rc == 0)
        f->locked = f->node->locked = true;
    return unlock_mem(m, rc);
}

static void node_free(struct mem_node *node)
{
    changes_drop(node);
    free(node->now.ptr);
    free(node->durable.ptr);
    free(node);
}

static void names_clear(struct mem_names *names)
{
    for (size_t i = 0; i < names->n; i++)
        free(names->list[i].path);
    names->n = 0;
}

static void mem_disk_free(struct disk *d)
{
    struct disk_mem *m = (struct disk_mem *)d;
    for (struct mem_node *node = m->nodes; node;) {
        struct mem_node *next = node->next;
        node_free(node);
        node = next;
    }
    for (size_t i = 0; i < m->changes_n; i++)
        name_change_free(&m->changes[i]);
    names_clear(&m->now);
    names_clear(&m->durable);
    free(m->now.list);
    free(m->durable.list);
    free(m->changes);
    free(m->files);
    pthread_mutex_destroy(&m->lock);
    d->magic = 0;
    free(m);
}

static const struct disk_ops mem_ops = {
    .open = mem_open,
    .close = mem_close,
    .read = mem_read,
    .write = mem_write,
    .sync_data = mem_sync_data,
    .sync_dir = mem_sync_dir,
    .allocate = mem_allocate,
    .resize = mem_resize,
    .rename = mem_rename,
    .unlink = mem_unlink,
    .mkdir = mem_mkdir,
    .rmdir = mem_rmdir,
    .list = mem_list,
    .stat = mem_stat,
    .stat_file = mem_stat_file,
    .space = mem_space,
    .lock = mem_lock,
    .free = mem_disk_free,
};

int disk_mem_new(uint64_t capacity, struct disk **ret_disk)
{
    struct disk_mem *m = calloc(1, sizeof *m);
    must(m);
    m->disk = (struct disk){ DISK_MAGIC, &mem_ops };
    m->capacity = capacity;
    pthread_mutex_init(&m->lock, NULL);
    *ret_disk = &m->disk;
    return 0;
}

void disk_mem_set_capacity(struct disk *d, uint64_t capacity)
{
    struct disk_mem *m = lock_mem(d);
    m->capacity = capacity;
    unlock_mem(m, 0);
}

void disk_mem_cut_at(struct disk *d, int64_t nth)
{
    struct disk_mem *m = lock_mem(d);
    m->cut_at = nth;
    m->changing = 0;
    unlock_mem(m, 0);
}

int64_t disk_mem_changes(struct disk *d)
{
    struct disk_mem *m = lock_mem(d);
    int64_t n = m->changing;
    unlock_mem(m, 0);
    return n;
}

void disk_mem_fail_syncs(struct disk *d, int n)
{
    struct disk_mem *m = lock_mem(d);
    m->fail_syncs = n;
    unlock_mem(m, 0);
}

// What no durable name leads to is gone.
static void drop_unreachable(struct disk_mem *m)
{
    for (size_t i = 0; i < m->durable.n; i++)
        m->durable.list[i].node->marked = true;
    m->used = 0;
    for (struct mem_node **p = &m->nodes; *p;) {
        struct mem_node *node = *p;
        if (!node->marked) {
            *p = node->next;
            node_free(node);
            continue;
        }
        node->marked = false;
        m->used += node->now.size;
        p = &node->next;
    }
}

void disk_mem_crash(struct disk *d, uint64_t seed)
{
    struct disk_mem *m = lock_mem(d);
    size_t arrive = m->changes_n ? rnd(&seed) % (m->changes_n + 1) : 0;
    for (size_t i = 0; i < m->changes_n; i++) {
        if (i < arrive)
            apply_name(&m->durable, &m->changes[i]);
        name_change_free(&m->changes[i]);
    }
    m->changes_n = 0;
    for (size_t i = 0; i < m->durable.n;) {
        if (parent_exists(&m->durable, m->durable.list[i].path)) {
            i++;
        } else {
            names_remove(&m->durable, m->durable.list[i].path);
            i = 0; // what was below it goes too
        }
    }
    for (struct mem_node *node = m->nodes; node; node = node->next)
        node_crash(node, &seed);
    names_clear(&m->now);
    for (size_t i = 0; i < m->durable.n; i++)
        names_set(&m->now, m->durable.list[i].path, m->durable.list[i].node);
    for (int i = 0; i < m->files_n; i++)
        m->files[i] = (struct mem_file){ 0 };
    drop_unreachable(m);
    m->off = false;
    m->cut_at = 0;
    m->fail_syncs = 0;
    unlock_mem(m, 0);
}

int disk_mem_flip_bit(struct disk *d, const char *path, uint64_t offset, unsigned bit)
{
    struct disk_mem *m = lock_mem(d);
    struct mem_name *e = names_find(&m->now, path);
    if (!e)
        return unlock_mem(m, ERR_NOENT);
    if (offset >= e->node->now.size)
        return unlock_mem(m, ERR_INVALID);
    e->node->now.ptr[offset] ^= (uint8_t)(1u << (bit & 7));
    if (offset < e->node->durable.size)
        e->node->durable.ptr[offset] ^= (uint8_t)(1u << (bit & 7));
    return unlock_mem(m, 0);
}
