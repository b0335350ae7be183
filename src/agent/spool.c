#include "agent/spool.h"
#include "base/crc32c.h"
#include "base/hash.h"
#include "base/mem.h"

#include <stdlib.h>

// The file: records of a head (magic, kind and length of the id, length of the content, checksum of all behind it), id, content.
// An acknowledgement is a record without content. The file is begun anew when nothing waits, and rewritten when half is done with.
enum { HEAD = 16, KIND_CAPTURE = 1, KIND_ACK = 2, ENTRIES_MAX = 1 << 16 };
#define SPOOL_MAGIC 0x3150534cu // "LSP1"
#define SPOOL_FILE "spool"
#define SPOOL_FILE_NEW "spool.new"

struct entry {
    uint64_t key; // hash of the id
    uint64_t at;  // of the content
    uint32_t n;
    uint8_t id_n;
    bool done;
};

struct spool {
    struct disk *disk;
    int file;
    uint64_t bytes_max, end, live; // live: bytes of records that wait
    struct entry *entries;         // in order of the file
    size_t n, cap, given, waiting;
    bool broken; // a write has failed: the end is unknown, and is written again
};

static uint64_t record_size(const struct entry *e) { return HEAD + e->id_n + (uint64_t)e->n; }

static void head_put(uint8_t head[HEAD], uint8_t kind, str id, bytes content)
{
    le32_put(head, SPOOL_MAGIC);
    head[4] = kind;
    head[5] = (uint8_t)id.len;
    le16_put(head + 6, 0);
    le32_put(head + 8, (uint32_t)content.len);
    uint32_t crc = crc32c_more(crc32c(head + 4, 8), id.ptr, id.len);
    le32_put(head + 12, crc32c_more(crc, content.ptr, content.len));
}

static int append(struct spool *s, uint8_t kind, str id, bytes content)
{
    uint8_t head[HEAD];
    head_put(head, kind, id, content);
    struct iovec iov[3] = { { head, HEAD }, { (void *)id.ptr, id.len }, { (void *)content.ptr, content.len } };
    int rc = disk_writev(s->disk, s->file, iov, content.len ? 3 : 2, s->end);
    if (rc == 0)
        s->end += HEAD + id.len + content.len;
    return rc;
}

static struct entry *find(struct spool *s, str id)
{
    uint64_t key = hash64_str(id);
    for (size_t i = 0; i < s->n; i++)
        if (!s->entries[i].done && s->entries[i].key == key)
            return &s->entries[i];
    return NULL;
}

static int remember(struct spool *s, str id, uint64_t at, uint32_t n)
{
    if (s->n == s->cap) {
        size_t cap = s->cap ? s->cap * 2 : 64;
        struct entry *more = cap > ENTRIES_MAX ? NULL : mem_reallocarray(s->entries, cap, sizeof *more);
        if (!more)
            return cap > ENTRIES_MAX ? ERR_LIMIT : ERR_NOMEM;
        s->entries = more;
        s->cap = cap;
    }
    struct entry *e = &s->entries[s->n++];
    *e = (struct entry){ hash64_str(id), at, n, (uint8_t)id.len, false };
    s->waiting++;
    s->live += record_size(e);
    return 0;
}

static void forget(struct spool *s, struct entry *e)
{
    e->done = true;
    s->waiting--;
    s->live -= record_size(e);
}

// Takes what is done off the list, keeping the order.
static void tidy(struct spool *s)
{
    size_t kept = 0, given = 0;
    for (size_t i = 0; i < s->n; i++) {
        if (s->entries[i].done)
            continue;
        given += i < s->given;
        s->entries[kept++] = s->entries[i];
    }
    s->n = kept;
    s->given = given;
}

// One record at `at`: its size, or 0 where the file ends or is damaged.
static uint64_t scan_record(struct spool *s, uint64_t at, uint64_t size, struct buf *room)
{
    uint8_t head[HEAD];
    if (size - at < HEAD || disk_read(s->disk, s->file, head, HEAD, at) < 0 || le32_get(head) != SPOOL_MAGIC)
        return 0;
    uint8_t kind = head[4], id_n = head[5];
    uint32_t n = le32_get(head + 8);
    if ((kind != KIND_CAPTURE && kind != KIND_ACK) || id_n == 0 || id_n > SPOOL_ID_MAX || n > SPOOL_RECORD_MAX ||
        size - at - HEAD < id_n + (uint64_t)n)
        return 0;
    buf_clear(room);
    uint8_t *p = buf_extend(room, id_n + (size_t)n);
    if (!p || disk_read(s->disk, s->file, p, id_n + (size_t)n, at + HEAD) < 0)
        return 0;
    if (crc32c_more(crc32c(head + 4, 8), p, id_n + (size_t)n) != le32_get(head + 12))
        return 0;
    str id = str_of(p, id_n);
    struct entry *e = find(s, id);
    if (kind == KIND_ACK && e)
        forget(s, e);
    else if (kind == KIND_CAPTURE && !e && remember(s, id, at + HEAD + id_n, n) < 0)
        return 0;
    return HEAD + id_n + (uint64_t)n;
}

static void recover(struct spool *s, uint64_t size)
{
    struct buf room;
    buf_init(&room, SPOOL_RECORD_MAX + SPOOL_ID_MAX);
    for (uint64_t n; s->end < size && (n = scan_record(s, s->end, size, &room));)
        s->end += n;
    buf_free(&room);
    tidy(s);
    s->broken = s->end < size && disk_resize(s->disk, s->file, s->end) < 0;
}

int spool_open(struct disk *disk, uint64_t bytes_max, struct spool **ret, struct err *err)
{
    struct spool *s = mem_zalloc(sizeof *s);
    struct disk_stat st;
    if (!s)
        return err_set(err, ERR_NOMEM, NULL, "no memory");
    s->disk = disk;
    s->bytes_max = bytes_max;
    int rc = disk_open(disk, SPOOL_FILE, DISK_WRITE | DISK_CREATE, &s->file);
    if (rc == 0 && (rc = disk_stat_file(disk, s->file, &st)) < 0)
        disk_close(disk, s->file);
    if (rc < 0) {
        mem_free(s);
        return err_set(err, rc, NULL, "the spool cannot be opened: %s", err_text(rc));
    }
    recover(s, st.size);
    *ret = s;
    return 0;
}

void spool_close(struct spool *s)
{
    if (!s)
        return;
    disk_close(s->disk, s->file);
    mem_free(s->entries);
    mem_free(s);
}

// Copies what waits into a new file, which takes the place of the old one.
static int rewrite(struct spool *s)
{
    int fresh, rc = disk_open(s->disk, SPOOL_FILE_NEW, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &fresh);
    if (rc < 0)
        return rc;
    struct buf room;
    uint64_t end = 0;
    tidy(s);
    buf_init(&room, HEAD + SPOOL_ID_MAX + SPOOL_RECORD_MAX);
    for (size_t i = 0; i < s->n && rc == 0; i++) {
        const struct entry *e = &s->entries[i];
        buf_clear(&room);
        uint8_t *p = buf_extend(&room, (size_t)record_size(e));
        rc = p ? disk_read(s->disk, s->file, p, room.len, e->at - e->id_n - HEAD) : ERR_NOMEM;
        if (rc == 0)
            rc = disk_write(s->disk, fresh, p, room.len, end);
        end += record_size(e);
    }
    buf_free(&room);
    if (rc == 0)
        rc = disk_rename(s->disk, SPOOL_FILE_NEW, SPOOL_FILE);
    if (rc < 0) {
        disk_close(s->disk, fresh);
        disk_unlink(s->disk, SPOOL_FILE_NEW);
        return rc;
    }
    disk_close(s->disk, s->file);
    s->file = fresh;
    s->end = 0;
    for (size_t i = 0; i < s->n; i++) {
        struct entry *e = &s->entries[i];
        e->at = s->end + HEAD + e->id_n;
        s->end += record_size(e);
    }
    s->broken = false;
    return 0;
}

static int make_room(struct spool *s, uint64_t need)
{
    if (s->live + need > s->bytes_max)
        return ERR_LIMIT;
    return s->broken || s->end + need > s->bytes_max ? rewrite(s) : 0;
}

int spool_add(struct spool *s, str id, bytes record)
{
    if (id.len == 0 || id.len > SPOOL_ID_MAX || record.len > SPOOL_RECORD_MAX)
        return ERR_LIMIT;
    if (find(s, id))
        return ERR_EXIST;
    if (s->n == s->cap)
        tidy(s);
    int rc = make_room(s, HEAD + id.len + record.len);
    if (rc < 0)
        return rc;
    uint64_t at = s->end + HEAD + id.len;
    rc = append(s, KIND_CAPTURE, id, record);
    if (rc == 0)
        rc = remember(s, id, at, (uint32_t)record.len);
    else
        s->broken = true;
    return rc;
}

void spool_ack(struct spool *s, str id)
{
    struct entry *e = id.len <= SPOOL_ID_MAX ? find(s, id) : NULL;
    if (!e)
        return;
    forget(s, e);
    if (s->waiting == 0) {
        s->n = s->given = 0;
        if (disk_resize(s->disk, s->file, 0) == 0) {
            s->end = 0;
            s->broken = false;
            return;
        }
    }
    // That it is done is lost when this fails: then it is sent again, and known by its id.
    if (make_room(s, HEAD + id.len) < 0 || append(s, KIND_ACK, id, (bytes){ 0 }) < 0)
        s->broken = true;
}

int spool_next(struct spool *s, struct buf *out)
{
    while (s->given < s->n) {
        const struct entry *e = &s->entries[s->given];
        if (e->done) {
            s->given++;
            continue;
        }
        size_t before = out->len;
        uint8_t *p = buf_extend(out, e->n);
        if (!p)
            return out->error;
        s->given++;
        int rc = disk_read(s->disk, s->file, p, e->n, e->at);
        if (rc == 0)
            return 1;
        out->len = before;
        return rc;
    }
    return 0;
}

void spool_again(struct spool *s) { s->given = 0; }
size_t spool_waiting(const struct spool *s) { return s->waiting; }
uint64_t spool_bytes(const struct spool *s) { return s->live; }

size_t spool_under_way(const struct spool *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->given; i++)
        n += !s->entries[i].done;
    return n;
}
