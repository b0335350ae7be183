#include "store/log_file.h"

#include "base/crc32c.h"
#include "base/must.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char LOG_FILE_MAGIC[8] = "CLEWLOG";
enum { LOG_FILE_VERSION = 1, LOG_FILE_HEADER = 64 };

static void log_path(char path[LOG_PATH], uint64_t number)
{
    snprintf(path, LOG_PATH, "log/%016" PRIx64 ".log", number);
}

int log_files_init(struct log_files *lf, struct disk *disk, uint64_t size_min, uint64_t size_max)
{
    *lf = (struct log_files){ .disk = disk, .next_number = 1, .next_size = size_min, .size_max = size_max };
    pthread_mutex_init(&lf->mutex, NULL);
    int e = disk_mkdir(disk, "log");
    if (e == 0)
        e = disk_sync_dir(disk, ".");
    return e == ERR_EXIST ? 0 : e;
}

void log_files_free(struct log_files *lf)
{
    for (struct log_file *f = lf->spares; f;) {
        struct log_file *next = f->next;
        mem_free(f);
        f = next;
    }
    lf->spares = NULL;
    pthread_mutex_destroy(&lf->mutex);
}

static struct log_file *spare_pop(struct log_files *lf, uint64_t need)
{
    struct log_file *f = NULL;
    pthread_mutex_lock(&lf->mutex);
    for (struct log_file **p = &lf->spares; *p; p = &(*p)->next) {
        if ((*p)->size - LOG_FILE_BEGIN < need)
            continue;
        f = *p;
        *p = f->next;
        lf->spares_n--;
        break;
    }
    pthread_mutex_unlock(&lf->mutex);
    return f;
}

static void spare_push(struct log_files *lf, struct log_file *f)
{
    pthread_mutex_lock(&lf->mutex);
    f->next = lf->spares;
    lf->spares = f;
    lf->spares_n++;
    pthread_mutex_unlock(&lf->mutex);
}

bool log_files_have_spare(struct log_files *lf)
{
    pthread_mutex_lock(&lf->mutex);
    bool have = lf->spares != NULL;
    pthread_mutex_unlock(&lf->mutex);
    return have;
}

// A new zero-filled file, closed. Its name is durable when its first header is.
static int log_file_make(struct log_files *lf, uint64_t need, struct log_file **ret_f)
{
    struct log_file *f = mem_zalloc(sizeof *f);
    if (!f)
        return ERR_NOMEM;
    pthread_mutex_lock(&lf->mutex);
    f->epoch = lf->next_number++;
    f->size = lf->next_size;
    if (lf->next_size < lf->size_max)
        lf->next_size = lf->next_size * 4 < lf->size_max ? lf->next_size * 4 : lf->size_max;
    pthread_mutex_unlock(&lf->mutex);
    if (f->size < need + LOG_FILE_BEGIN)
        f->size = (need + LOG_FILE_BEGIN + 4095) & ~4095ull;
    log_path(f->path, f->epoch);
    int e = disk_open(lf->disk, f->path, DISK_WRITE | DISK_CREATE | DISK_EXCLUSIVE, &f->file);
    if (e < 0) {
        mem_free(f);
        return e;
    }
    if ((e = disk_zero_fill(lf->disk, f->file, 0, f->size)) == 0)
        e = disk_sync_data(lf->disk, f->file);
    disk_close(lf->disk, f->file);
    f->file = -1;
    if (e < 0) {
        disk_unlink(lf->disk, f->path);
        mem_free(f);
        return e;
    }
    pthread_mutex_lock(&lf->mutex);
    lf->files_n++;
    pthread_mutex_unlock(&lf->mutex);
    *ret_f = f;
    return 0;
}

int log_files_prepare(struct log_files *lf)
{
    if (log_files_have_spare(lf))
        return 0;
    struct log_file *f;
    int e = log_file_make(lf, 0, &f);
    if (e < 0)
        return e;
    spare_push(lf, f);
    return 0;
}

static int log_header_write(struct log_files *lf, struct log_file *f, uint64_t generation, uint64_t sequence)
{
    uint8_t h[LOG_FILE_HEADER] = { 0 };
    memcpy(h, LOG_FILE_MAGIC, 8);
    le32_put(h + 8, LOG_FILE_VERSION);
    le64_put(h + 16, f->epoch);
    le64_put(h + 24, generation);
    le64_put(h + 32, sequence);
    le32_put(h + 60, crc32c(h, 60));
    int e = disk_write(lf->disk, f->file, h, sizeof h, 0);
    if (e == 0)
        e = disk_sync_data(lf->disk, f->file);
    return e;
}

int log_files_take(struct log_files *lf, uint64_t generation, uint64_t sequence, uint64_t need, struct log_file **ret_f)
{
    struct log_file *f = spare_pop(lf, need);
    int e = f ? 0 : log_file_make(lf, need, &f);
    if (e < 0)
        return e;
    pthread_mutex_lock(&lf->mutex);
    f->epoch = lf->next_number++;
    pthread_mutex_unlock(&lf->mutex);
    char path[LOG_PATH];
    log_path(path, f->epoch);
    f->file = -1;
    if ((e = disk_rename(lf->disk, f->path, path)) < 0) {
        spare_push(lf, f);
        return e;
    }
    memcpy(f->path, path, sizeof path);
    if ((e = disk_open(lf->disk, f->path, DISK_WRITE, &f->file)) < 0 ||
        (e = log_header_write(lf, f, generation, sequence)) < 0 || (e = disk_sync_dir(lf->disk, "log")) < 0) {
        // Nothing was ever acknowledged from it: it may try again later, under a new epoch.
        disk_close(lf->disk, f->file);
        f->file = -1;
        spare_push(lf, f);
        return e;
    }
    f->next = NULL;
    *ret_f = f;
    return 0;
}

void log_files_give_back(struct log_files *lf, struct log_file *f)
{
    disk_close(lf->disk, f->file);
    f->file = -1;
    pthread_mutex_lock(&lf->mutex);
    bool enough = lf->spares_n >= LOG_SPARES_MAX;
    pthread_mutex_unlock(&lf->mutex);
    if (!enough && f->size > LOG_FILE_BEGIN) {
        spare_push(lf, f);
        return;
    }
    disk_unlink(lf->disk, f->path); // should it fail, the next start finds it again
    log_files_drop(lf, f);
}

void log_files_drop(struct log_files *lf, struct log_file *f)
{
    disk_close(lf->disk, f->file);
    pthread_mutex_lock(&lf->mutex);
    if (lf->files_n)
        lf->files_n--;
    pthread_mutex_unlock(&lf->mutex);
    mem_free(f);
}

// ---- streams -------------------------------------------------------------------------------------------

struct log_stream *log_stream_new(struct log_files *files, uint64_t generation)
{
    struct log_stream *s = mem_zalloc(sizeof *s);
    if (s)
        *s = (struct log_stream){ .files = files, .generation = generation };
    return s;
}

void log_stream_free(struct log_stream *s, bool durable)
{
    if (!s)
        return;
    for (struct log_file *f = s->first; f;) {
        struct log_file *next = f->next;
        if (durable)
            log_files_give_back(s->files, f);
        else
            log_files_drop(s->files, f);
        f = next;
    }
    mem_free(s);
}

uint64_t log_stream_room(const struct log_stream *s) { return s->last ? s->last->size - s->at : 0; }

static int stream_next_file(struct log_stream *s, uint64_t need)
{
    struct log_file *f;
    int e = log_files_take(s->files, s->generation, s->sequence, need, &f);
    if (e < 0)
        return e;
    if (s->last)
        s->last->next = f;
    else
        s->first = f;
    s->last = f;
    s->at = LOG_FILE_BEGIN;
    return 0;
}

// Writes entries[0..n) into the current file, all of which fit.
static int stream_write(struct log_stream *s, struct log_entry *entries, size_t n, uint64_t group)
{
    static const uint8_t zeros[LOG_ALIGN];
    enum { BATCH = 64 };
    struct iovec iov[BATCH * 2];
    for (size_t i = 0; i < n;) {
        int used = 0;
        uint64_t written = 0;
        for (; i < n && used + 2 <= BATCH * 2; i++) {
            struct buf *b = entries[i].block;
            struct log_block_header h = entries[i].header;
            h.epoch = s->last->epoch;
            h.sequence = s->sequence++;
            h.group = group;
            h.generation = s->generation;
            log_block_seal(b, h);
            iov[used++] = (struct iovec){ b->ptr, b->len };
            size_t pad = (LOG_ALIGN - b->len % LOG_ALIGN) % LOG_ALIGN;
            if (pad)
                iov[used++] = (struct iovec){ (void *)(uintptr_t)zeros, pad };
            written += b->len + pad;
        }
        int e = disk_writev(s->files->disk, s->last->file, iov, used, s->at);
        if (e < 0)
            return e;
        s->at += written;
    }
    return 0;
}

static uint64_t padded(const struct buf *b) { return (b->len + LOG_ALIGN - 1) / LOG_ALIGN * LOG_ALIGN; }

// All entries, over as many files as it takes; each file is synced before the next one begins.
static int stream_put_all(struct log_stream *s, struct log_entry *entries, size_t n, bool sync)
{
    uint64_t group = s->sequence;
    for (size_t i = 0; i < n;) {
        uint64_t need = padded(entries[i].block);
        size_t end = i;
        int e;
        if (need > log_stream_room(s) && (e = stream_next_file(s, need)) < 0)
            return e;
        for (uint64_t sum = 0; end < n && (sum += padded(entries[end].block)) <= log_stream_room(s); end++)
            ;
        if ((e = stream_write(s, entries + i, end - i, group)) < 0)
            return e;
        if (sync && (e = disk_sync_data(s->files->disk, s->last->file)) < 0)
            return e;
        i = end;
    }
    return 0;
}

int log_stream_append(struct log_stream *s, struct log_entry *entries, size_t n, bool sync)
{
    uint64_t first = s->sequence;
    int e = stream_put_all(s, entries, n, sync);
    if (e == 0)
        return 0;
    if (e == ERR_NOSPC && !log_files_have_spare(s->files))
        return e;
    // What reached the abandoned file is unknown; replay skips blocks that come twice by their sequence.
    s->sequence = first;
    if ((e = stream_next_file(s, n ? padded(entries[0].block) : 0)) < 0)
        return e;
    return stream_put_all(s, entries, n, sync);
}

// ---- start ---------------------------------------------------------------------------------------------

struct scan {
    struct log_files *lf;
    struct log_scan_file *files;
    size_t n, cap;
};

static int scan_compare(const void *a, const void *b)
{
    const struct log_scan_file *x = a, *y = b;
    if (x->generation != y->generation)
        return x->generation < y->generation ? -1 : 1;
    return (x->f->epoch > y->f->epoch) - (x->f->epoch < y->f->epoch);
}

// 16 hexadecimal digits and ".log", or it is none of ours.
static bool scan_name(str name, uint64_t *ret_number)
{
    if (name.len != 20 || !str_ends(name, STR(".log")))
        return false;
    uint64_t v = 0;
    for (int i = 0; i < 16; i++) {
        char c = name.ptr[i];
        int d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (d < 0)
            return false;
        v = v << 4 | (unsigned)d;
    }
    *ret_number = v;
    return true;
}

static int scan_file(void *ctx, str name, enum disk_kind kind)
{
    struct scan *sc = ctx;
    uint64_t number;
    if (kind != DISK_KIND_FILE || !scan_name(name, &number))
        return 0;
    struct log_file *f = mem_zalloc(sizeof *f);
    if (!f)
        return ERR_NOMEM;
    f->file = -1;
    log_path(f->path, number);
    if (number >= sc->lf->next_number)
        sc->lf->next_number = number + 1;
    struct disk_stat st;
    uint8_t h[LOG_FILE_HEADER];
    int file, e = disk_open(sc->lf->disk, f->path, DISK_READ, &file);
    if (e == 0) {
        e = disk_stat_file(sc->lf->disk, file, &st);
        if (e == 0)
            e = disk_read(sc->lf->disk, file, h, sizeof h, 0);
        disk_close(sc->lf->disk, file);
    }
    if (e < 0 && e != ERR_TRUNCATED) {
        mem_free(f);
        return e;
    }
    f->size = st.size;
    sc->lf->files_n++;
    if (e == ERR_TRUNCATED || memcmp(h, LOG_FILE_MAGIC, 8) != 0 || le32_get(h + 60) != crc32c(h, 60)) {
        // Made but never used (its header is durable before its first block): as good as new, if whole.
        if (e == ERR_TRUNCATED || f->size <= LOG_FILE_BEGIN) {
            disk_unlink(sc->lf->disk, f->path);
            log_files_drop(sc->lf, f);
        } else {
            spare_push(sc->lf, f);
        }
        return 0;
    }
    if (le32_get(h + 8) != LOG_FILE_VERSION) {
        mem_free(f);
        return ERR_UNSUPPORTED;
    }
    f->epoch = le64_get(h + 16);
    if (sc->n == sc->cap) {
        size_t cap = sc->cap ? sc->cap * 2 : 16;
        void *p = mem_reallocarray(sc->files, cap, sizeof *sc->files);
        if (!p) {
            mem_free(f);
            return ERR_NOMEM;
        }
        sc->files = p;
        sc->cap = cap;
    }
    sc->files[sc->n++] = (struct log_scan_file){ f, le64_get(h + 24), le64_get(h + 32) };
    return 0;
}

int log_files_scan(struct log_files *lf, struct log_scan_file **ret_files, size_t *ret_n)
{
    struct scan sc = { .lf = lf };
    int e = disk_list(lf->disk, "log", scan_file, &sc);
    if (e < 0) {
        for (size_t i = 0; i < sc.n; i++)
            mem_free(sc.files[i].f);
        mem_free(sc.files);
        return e;
    }
    if (sc.n)
        qsort(sc.files, sc.n, sizeof *sc.files, scan_compare);
    *ret_files = sc.files;
    *ret_n = sc.n;
    return 0;
}

// Looks behind the end for a block of this epoch whose group began after the damaged place: then what is
// damaged had been synced, and is no torn tail.
static bool hole_follows(bytes data, uint64_t at, uint64_t epoch, uint64_t expected)
{
    for (; at + LOG_BLOCK_HEADER <= data.len; at += LOG_ALIGN) {
        struct log_block_header h;
        if (le32_get(data.ptr + at) != LOG_BLOCK_MAGIC || le64_get(data.ptr + at + 16) != epoch)
            continue;
        if (log_block_open((bytes){ data.ptr + at, data.len - at }, &h) == 0 && h.group > expected)
            return true;
    }
    return false;
}

int log_file_replay(struct log_files *lf, const struct log_scan_file *f, struct log_replay *rp)
{
    uint8_t *p = mem_alloc(f->f->size);
    if (!p)
        return ERR_NOMEM;
    int file;
    size_t n = 0;
    int e = disk_open(lf->disk, f->f->path, DISK_READ, &file);
    if (e == 0) {
        e = disk_read_some(lf->disk, file, p, f->f->size, 0, &n);
        disk_close(lf->disk, file);
    }
    uint64_t at = LOG_FILE_BEGIN;
    while (e == 0 && at < n) {
        struct log_block_header h;
        bytes rest = { p + at, n - at };
        if (log_block_open(rest, &h) < 0 || h.epoch != f->f->epoch || h.generation != f->generation ||
            h.sequence > rp->expected) {
            if (hole_follows((bytes){ p, n }, at + LOG_ALIGN, f->f->epoch, rp->expected)) {
                rp->hole = true;
                rp->hole_at = at;
            }
            break;
        }
        if (h.sequence == rp->expected) { // an earlier one stood in a file that was abandoned
            e = rp->block(rp->ctx, (bytes){ p + at, h.length }, &h);
            rp->expected++;
        }
        at += (h.length + LOG_ALIGN - 1) / LOG_ALIGN * LOG_ALIGN;
    }
    mem_free(p);
    return e;
}
