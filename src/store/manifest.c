// MANIFEST, the list of the parts that count.
//
//   file    magic "CLEWMANI", version u32, reserved u32; then records
//   record  length u32 of the body, crc32c u32 of the body, body
//   body    varint next id; varint n, n removed ids; varint n, n added parts; varint n, n x (mark, value)
//   part    varints: id, bytes, rows, source, retention class, zigzag time_min, time_max, received_min, received_max,
//           columns, traces, resources, duplicates
//
// The file is rewritten (new file, sync, rename, sync of the directory) when it was torn, when a commit is in doubt and
// when it has become long against what it says. A rewritten file is one record that adds everything.
#include "store/manifest.h"

#include "base/buf.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "os/disk.h"
#include "store/part_name.h"
#include "store/varint_in.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char MANIFEST_MAGIC[8] = { 'C', 'L', 'E', 'W', 'M', 'A', 'N', 'I' };
enum {
    MANIFEST_VERSION = 1,
    MANIFEST_HEADER = 16,
    MANIFEST_RECORD = 8,
    MANIFEST_MAX = 64 << 20,     // bytes of the file: 400 k parts
    MANIFEST_REWRITE = 64 << 10, // bytes before a rewrite is thought of
    MANIFEST_PATH = 128,
};

struct manifest {
    struct disk *disk;
    char path[MANIFEST_PATH], tmp[MANIFEST_PATH];
    int file;
    uint64_t at; // where the next record goes
    struct part_facts *parts;
    uint32_t parts_n, parts_cap;
    uint64_t mark[MANIFEST_MARKS];
    uint64_t next_id;
    bool in_doubt;
};

uint32_t manifest_parts(const struct manifest *m) { return m->parts_n; }
const struct part_facts *manifest_part(const struct manifest *m, uint32_t i) { return &m->parts[i]; }
uint64_t manifest_next_id(struct manifest *m) { return m->next_id++; }
bool manifest_in_doubt(const struct manifest *m) { return m->in_doubt; }

uint64_t manifest_mark(const struct manifest *m, uint32_t mark)
{
    must(mark < MANIFEST_MARKS);
    return m->mark[mark];
}

// ---- records -------------------------------------------------------------------------------------------

static void put_part(struct buf *b, const struct part_facts *p)
{
    const uint64_t words[] = { p->id,
                               p->bytes,
                               p->rows,
                               p->source,
                               p->retention_class,
                               zigzag(p->time_min),
                               zigzag(p->time_max),
                               zigzag(p->received_min),
                               zigzag(p->received_max),
                               p->columns,
                               p->traces,
                               p->resources,
                               p->duplicates };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        buf_varint(b, words[i]);
}

static int put_record(struct buf *b, const struct manifest *m, const struct manifest_change *c)
{
    size_t start = b->len;
    buf_extend(b, MANIFEST_RECORD);
    buf_varint(b, m->next_id);
    buf_varint(b, c->remove_n);
    for (uint32_t i = 0; i < c->remove_n; i++)
        buf_varint(b, c->remove[i]);
    buf_varint(b, c->add_n);
    for (uint32_t i = 0; i < c->add_n; i++)
        put_part(b, &c->add[i]);
    buf_varint(b, c->marks_n);
    for (uint32_t i = 0; i < c->marks_n; i++) {
        buf_varint(b, c->marks[i].mark);
        buf_varint(b, c->marks[i].value);
    }
    if (b->error)
        return b->error;
    uint8_t *p = b->ptr + start;
    uint32_t n = (uint32_t)(b->len - start - MANIFEST_RECORD);
    le32_put(p, n);
    le32_put(p + 4, crc32c(p + MANIFEST_RECORD, n));
    return 0;
}

static struct part_facts in_part(struct in *in)
{
    struct part_facts p = { .id = in_varint(in), .bytes = in_varint(in), .rows = in_varint(in) };
    p.source = (uint8_t)in_varint(in);
    p.retention_class = (uint8_t)in_varint(in);
    p.time_min = unzigzag(in_varint(in));
    p.time_max = unzigzag(in_varint(in));
    p.received_min = unzigzag(in_varint(in));
    p.received_max = unzigzag(in_varint(in));
    p.columns = (uint32_t)in_varint(in);
    p.traces = (uint32_t)in_varint(in);
    p.resources = (uint32_t)in_varint(in);
    p.duplicates = in_varint(in);
    return p;
}

// ---- the list ------------------------------------------------------------------------------------------

static uint32_t part_index(const struct manifest *m, uint64_t id)
{
    uint32_t i = 0;
    while (i < m->parts_n && m->parts[i].id != id)
        i++;
    return i;
}

static int parts_reserve(struct manifest *m, uint32_t more)
{
    if (m->parts_n + more <= m->parts_cap)
        return 0;
    uint32_t cap = (m->parts_n + more) * 2;
    void *p = mem_reallocarray(m->parts, cap, sizeof *m->parts);
    if (!p)
        return ERR_NOMEM;
    m->parts = p;
    m->parts_cap = cap;
    return 0;
}

// Takes out one id; *at becomes the place of the first that went.
static int apply_remove(struct manifest *m, uint64_t id, uint32_t *at)
{
    uint32_t i = part_index(m, id);
    if (i == m->parts_n)
        return ERR_CORRUPT;
    memmove(m->parts + i, m->parts + i + 1, sizeof *m->parts * (m->parts_n - i - 1));
    m->parts_n--;
    if (i < *at)
        *at = i;
    return 0;
}

static void apply_add(struct manifest *m, const struct part_facts *p, uint32_t *at)
{
    uint32_t i = *at < m->parts_n ? *at : m->parts_n;
    memmove(m->parts + i + 1, m->parts + i, sizeof *m->parts * (m->parts_n - i));
    m->parts[i] = *p;
    m->parts_n++;
    if (*at != UINT32_MAX)
        (*at)++;
    if (p->id >= m->next_id)
        m->next_id = p->id + 1;
}

static int apply_body(struct manifest *m, const uint8_t *p, size_t n)
{
    struct in in = { p, p + n, false };
    uint64_t next_id = in_varint(&in);
    uint32_t at = UINT32_MAX;
    for (uint32_t k = in_count(&in); k && !in.bad; k--) {
        int e = apply_remove(m, in_varint(&in), &at);
        if (e < 0)
            return e;
    }
    uint32_t add = in_count(&in);
    if (parts_reserve(m, add) < 0)
        return ERR_NOMEM;
    for (; add && !in.bad; add--) {
        struct part_facts part = in_part(&in);
        if (!in.bad && (part.source >= RECORD_SOURCES || part_index(m, part.id) < m->parts_n))
            return ERR_CORRUPT;
        apply_add(m, &part, &at);
    }
    for (uint32_t k = in_count(&in); k && !in.bad; k--) {
        uint64_t mark = in_varint(&in), value = in_varint(&in);
        if (mark >= MANIFEST_MARKS)
            return ERR_CORRUPT;
        m->mark[mark] = value;
    }
    if (next_id > m->next_id)
        m->next_id = next_id;
    return in.bad || in.p != in.end ? ERR_CORRUPT : 0;
}

// ---- the file ------------------------------------------------------------------------------------------

// A whole new file in the place of the old one. On failure the old one is still there (or in doubt).
static int manifest_rewrite(struct manifest *m)
{
    struct buf b;
    buf_init(&b, MANIFEST_MAX);
    buf_append(&b, MANIFEST_MAGIC, 8);
    buf_le32(&b, MANIFEST_VERSION);
    buf_le32(&b, 0);
    struct manifest_change all = { .add = m->parts, .add_n = m->parts_n, .marks_n = MANIFEST_MARKS };
    for (uint32_t i = 0; i < MANIFEST_MARKS; i++) {
        all.marks[i].mark = i;
        all.marks[i].value = m->mark[i];
    }
    int file = -1, e = b.error ? b.error : put_record(&b, m, &all);
    if (e == 0)
        e = disk_open(m->disk, m->tmp, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &file);
    if (e == 0 && (e = disk_write(m->disk, file, b.ptr, b.len, 0)) == 0 && (e = disk_sync_data(m->disk, file)) == 0 &&
        (e = disk_rename(m->disk, m->tmp, m->path)) == 0)
        e = disk_sync_dir(m->disk, ".");
    if (e == 0) {
        disk_close(m->disk, m->file);
        m->file = file;
        m->at = b.len;
        m->in_doubt = false;
    } else {
        disk_close(m->disk, file);
    }
    buf_free(&b);
    return e;
}

// A good record at or behind `at`: then what is damaged before it is no torn tail.
static bool good_record_follows(const uint8_t *p, uint64_t at, uint64_t n)
{
    for (; at + MANIFEST_RECORD < n; at++) {
        uint32_t len = le32_get(p + at);
        if (len && len <= n - at - MANIFEST_RECORD && crc32c(p + at + MANIFEST_RECORD, len) == le32_get(p + at + 4))
            return true;
    }
    return false;
}

static int manifest_replay(struct manifest *m, const uint8_t *p, uint64_t n, bool *ret_torn, struct err *err)
{
    uint64_t at = MANIFEST_HEADER;
    while (at < n) {
        uint32_t len = n - at >= MANIFEST_RECORD ? le32_get(p + at) : 0;
        bool whole = len && len <= n - at - MANIFEST_RECORD;
        if (!whole || crc32c(p + at + MANIFEST_RECORD, len) != le32_get(p + at + 4)) {
            *ret_torn = true;
            if (good_record_follows(p, at + 1, n))
                return err_set(err, ERR_CORRUPT, "manifest_damaged", "MANIFEST is damaged at offset %" PRIu64, at);
            break;
        }
        int e = apply_body(m, p + at + MANIFEST_RECORD, len);
        if (e < 0)
            return err_set(err, e, "manifest_damaged", "MANIFEST says nonsense at offset %" PRIu64, at);
        at += MANIFEST_RECORD + len;
    }
    m->at = at;
    return 0;
}

static int manifest_read(struct manifest *m, bool *ret_rewrite, struct err *err)
{
    int file;
    struct disk_stat st;
    int e = disk_open(m->disk, m->path, DISK_WRITE, &file);
    if (e == ERR_NOENT) {
        *ret_rewrite = true;
        return 0;
    }
    if (e == 0 && (e = disk_stat_file(m->disk, file, &st)) < 0)
        disk_close(m->disk, file);
    if (e < 0)
        return err_set(err, e, "manifest", "MANIFEST cannot be read: %s", err_text(e));
    m->file = file;
    if (st.size < MANIFEST_HEADER || st.size > MANIFEST_MAX)
        return err_set(err, ERR_CORRUPT, "manifest_damaged", "MANIFEST has an impossible size");
    uint8_t *p = mem_alloc(st.size);
    if (!p)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    e = disk_read(m->disk, file, p, st.size, 0);
    if (e < 0)
        err_set(err, e, "manifest", "MANIFEST cannot be read: %s", err_text(e));
    else if (memcmp(p, MANIFEST_MAGIC, 8) != 0)
        e = err_set(err, ERR_CORRUPT, "manifest_damaged", "MANIFEST does not begin as one");
    else if (le32_get(p + 8) != MANIFEST_VERSION)
        e = err_set(err, ERR_UNSUPPORTED, "manifest_version", "MANIFEST is of version %u, this program knows %d",
                    le32_get(p + 8), MANIFEST_VERSION);
    else
        e = manifest_replay(m, p, st.size, ret_rewrite, err);
    mem_free(p);
    return e;
}

int manifest_open(struct disk *disk, const char *path, struct manifest **ret_manifest, struct err *err)
{
    struct manifest *m = mem_zalloc(sizeof *m);
    if (!m)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    m->disk = disk;
    m->file = -1;
    m->next_id = 1;
    must(strlen(path) + 5 < MANIFEST_PATH);
    snprintf(m->path, sizeof m->path, "%s", path);
    snprintf(m->tmp, sizeof m->tmp, "%s.tmp", path);
    bool rewrite = false;
    int e = manifest_read(m, &rewrite, err);
    if (e == 0 && rewrite && (e = manifest_rewrite(m)) < 0)
        err_set(err, e, "manifest", "MANIFEST cannot be written: %s", err_text(e));
    if (e < 0) {
        manifest_close(m);
        return e;
    }
    *ret_manifest = m;
    return 0;
}

void manifest_close(struct manifest *m)
{
    if (!m)
        return;
    disk_close(m->disk, m->file);
    mem_free(m->parts);
    mem_free(m);
}

static int change_apply(struct manifest *m, const struct manifest_change *c)
{
    uint32_t at = UINT32_MAX;
    for (uint32_t i = 0; i < c->remove_n; i++)
        must(apply_remove(m, c->remove[i], &at) == 0);
    for (uint32_t i = 0; i < c->add_n; i++)
        apply_add(m, &c->add[i], &at);
    for (uint32_t i = 0; i < c->marks_n; i++) {
        must(c->marks[i].mark < MANIFEST_MARKS);
        m->mark[c->marks[i].mark] = c->marks[i].value;
    }
    return 0;
}

int manifest_commit(struct manifest *m, const struct manifest_change *change, struct err *err)
{
    int e = parts_reserve(m, change->add_n);
    if (e < 0)
        return err_set(err, e, "memory", "out of memory");
    if ((m->in_doubt || m->at > MANIFEST_REWRITE + (uint64_t)m->parts_n * 256) && (e = manifest_rewrite(m)) < 0) {
        m->in_doubt = true;
        return err_set(err, e, "manifest", "MANIFEST cannot be rewritten: %s", err_text(e));
    }
    struct buf b;
    buf_init(&b, MANIFEST_MAX);
    if ((e = put_record(&b, m, change)) == 0 && (e = disk_write(m->disk, m->file, b.ptr, b.len, m->at)) == 0)
        e = disk_sync_data(m->disk, m->file);
    if (e == 0) {
        m->at += b.len;
        change_apply(m, change);
    } else {
        m->in_doubt = true;
        err_set(err, e, "manifest", "MANIFEST cannot be written: %s", err_text(e));
    }
    buf_free(&b);
    return e;
}

// ---- orphans -------------------------------------------------------------------------------------------

struct orphans {
    const struct manifest *m;
    const struct part_env *env;
    int error;
};

static int orphan_remove(void *ctx, str name, enum disk_kind kind)
{
    struct orphans *o = ctx;
    uint64_t id;
    if (kind != DISK_KIND_FILE || (part_file_id(name, &id) && part_index(o->m, id) < o->m->parts_n))
        return 0;
    char path[256];
    if (snprintf(path, sizeof path, "%s/%.*s", o->env->dir, STR_ARG(name)) >= (int)sizeof path)
        return 0;
    log_info("store", "removing %s: no part of the store (a build or a removal was cut short)", path);
    int e = disk_unlink(o->env->disk, path);
    return e == ERR_NOENT ? 0 : e;
}

int manifest_remove_orphans(const struct manifest *m, const struct part_env *env, struct err *err)
{
    struct orphans o = { m, env, 0 };
    int e = disk_list(env->disk, env->dir, orphan_remove, &o);
    if (e < 0 && e != ERR_NOENT)
        return err_set(err, e, "orphans", "left-over part files cannot be removed: %s", err_text(e));
    return 0;
}
