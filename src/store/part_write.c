#include "store/part_write.h"

#include "base/crc32c.h"
#include "base/mem.h"
#include "base/must.h"
#include "store/part_name.h"

enum {
    WRITE_BUFFER = 1 << 20,
    SYNC_EVERY = 32 << 20, // so that the last sync of a large file does not stop the disk for seconds
    LZ4_FASTER = 1,
    ZSTD_LEVEL = 1,
};

// ---- bytes ---------------------------------------------------------------------------------------------

static int writer_flush(struct part_writer *w)
{
    if (w->out.len == 0)
        return 0;
    int e = disk_write(w->env->disk, w->file, w->out.ptr, w->out.len, w->flushed);
    if (e < 0)
        return e;
    uint64_t before = w->flushed;
    w->flushed += w->out.len;
    w->out.len = 0;
    if (before / SYNC_EVERY != w->flushed / SYNC_EVERY)
        e = disk_sync_data(w->env->disk, w->file);
    return e;
}

static int writer_put(struct part_writer *w, const void *p, size_t n)
{
    if (w->out.len && w->out.len + n > WRITE_BUFFER) {
        int e = writer_flush(w);
        if (e < 0)
            return e;
    }
    int e = buf_append(&w->out, p, n);
    if (e == 0)
        w->offset += n;
    return e;
}

int part_writer_open(struct part_writer *w, const struct part_env *env, uint8_t source,
                     const struct part_build_options *options)
{
    char name[PART_NAME];
    *w = (struct part_writer){ .env = env, .effort = options->effort, .file = -1 };
    buf_init(&w->out, CHUNK_RAW_MAX + (size_t)CHUNK_HEADER_SIZE + WRITE_BUFFER);
    buf_init(&w->tight, CHUNK_RAW_MAX);
    buf_init(&w->loose, CHUNK_RAW_MAX);
    buf_init(&w->packed, CHUNK_RAW_MAX);
    part_file_name(name, options->id);
    int n = snprintf(w->path, sizeof w->path, "%s/%s", env->dir, name);
    must(n > 0 && (size_t)n + 4 < sizeof w->path);
    snprintf(w->tmp, sizeof w->tmp, "%s.tmp", w->path);
    int e = codec_new(&w->codec);
    if (e < 0)
        return e;
    int file;
    e = disk_open(env->disk, w->tmp, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &file);
    if (e < 0)
        return e;
    w->file = file;
    uint8_t header[PART_HEADER_SIZE] = { 0 };
    memcpy(header, PART_MAGIC, 8);
    le32_put(header + 8, PART_VERSION);
    le32_put(header + 12, PART_HEADER_SIZE);
    le64_put(header + 16, PART_INCOMPATIBLE_KNOWN);
    le64_put(header + 24, PART_COMPATIBLE_WRITTEN);
    le64_put(header + 32, env->workspace);
    le64_put(header + 40, options->id);
    header[48] = source;
    header[49] = options->retention_class;
    le32_put(header + 52, PART_WRITER);
    le32_put(header + 60, crc32c(header, 60));
    return writer_put(w, header, sizeof header);
}

void part_writer_done(struct part_writer *w)
{
    if (w->file >= 0) {
        disk_close(w->env->disk, w->file);
        disk_unlink(w->env->disk, w->tmp); // failing that, it is an orphan of the next start
    }
    for (uint32_t i = 0; i < w->series_n; i++)
        mem_free(w->series[i].entry);
    mem_free(w->series);
    buf_free(&w->out);
    buf_free(&w->tight);
    buf_free(&w->loose);
    buf_free(&w->packed);
    encode_scratch_free(&w->scratch);
    codec_free(w->codec);
}

// ---- chunks --------------------------------------------------------------------------------------------

struct encode_out part_writer_tight(struct part_writer *w)
{
    buf_clear(&w->tight);
    buf_clear(&w->loose);
    return (struct encode_out){ .tight = &w->tight };
}

struct encode_out part_writer_both(struct part_writer *w)
{
    struct encode_out out = part_writer_tight(w);
    out.loose = &w->loose;
    out.form = w->effort == PART_MERGED ? ENCODE_FOR_ENTROPY : ENCODE_FOR_LZ;
    return out;
}

static int chunk_put(struct part_writer *w, enum chunk_kind kind, enum encode_codec codec, bytes stored, size_t raw,
                     struct chunk_entry *entry)
{
    uint8_t h[CHUNK_HEADER_SIZE] = { 0 };
    if (raw > CHUNK_RAW_MAX || stored.len > CHUNK_RAW_MAX)
        return ERR_LIMIT;
    le32_put(h, (uint32_t)stored.len);
    le32_put(h + 4, (uint32_t)raw);
    h[8] = (uint8_t)codec;
    h[9] = (uint8_t)kind;
    le32_put(h + 12, crc32c_more(crc32c(h, 12), stored.ptr, stored.len));
    entry->offset = w->offset;
    entry->size = (uint32_t)(stored.len + sizeof h);
    int e = writer_put(w, h, sizeof h);
    return e < 0 ? e : writer_put(w, stored.ptr, stored.len);
}

int part_write_packed(struct part_writer *w, enum chunk_kind kind, bytes payload, size_t size_max,
                      struct chunk_entry *entry)
{
    enum encode_codec which = w->effort == PART_MERGED ? CODEC_ZSTD : CODEC_LZ4;
    buf_clear(&w->packed);
    int got = codec_pack(w->codec, which, which == CODEC_ZSTD ? ZSTD_LEVEL : LZ4_FASTER, payload, size_max, &w->packed);
    if (got <= 0 || payload.len > CHUNK_RATIO_MAX * w->packed.len + CHUNK_RATIO_FREE)
        return got < 0 ? got : 0;
    int e = chunk_put(w, kind, which, buf_bytes(&w->packed), payload.len, entry);
    return e < 0 ? e : 1;
}

int part_write_chunk(struct part_writer *w, enum chunk_kind kind, bytes payload, bool codec, struct chunk_entry *entry)
{
    // It has to win a little for the work of unpacking.
    int got =
        codec && payload.len >= 64 ? part_write_packed(w, kind, payload, payload.len - payload.len / 16, entry) : 0;
    if (got != 0)
        return got < 0 ? got : 0;
    return chunk_put(w, kind, CODEC_NONE, payload, payload.len, entry);
}

// ---- series --------------------------------------------------------------------------------------------

int part_series_new(struct part_writer *w, enum chunk_kind kind, uint8_t table, uint32_t column, uint32_t *ret_index)
{
    if (w->series_n == w->series_cap) {
        uint32_t cap = w->series_cap ? w->series_cap * 2 : 64;
        struct chunk_series *s = mem_reallocarray(w->series, cap, sizeof *s);
        if (!s)
            return ERR_NOMEM;
        w->series = s;
        w->series_cap = cap;
    }
    w->series[w->series_n] = (struct chunk_series){ .kind = (uint8_t)kind, .table = table, .column = column };
    *ret_index = w->series_n++;
    return 0;
}

int part_series_add(struct part_writer *w, uint32_t series, const struct chunk_entry *entry)
{
    struct chunk_series *s = &w->series[series];
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 4;
        struct chunk_entry *e = mem_reallocarray(s->entry, cap, sizeof *e);
        if (!e)
            return ERR_NOMEM;
        s->entry = e;
        s->cap = cap;
    }
    s->entry[s->n++] = *entry;
    return 0;
}

int part_series_write(struct part_writer *w, uint32_t series, bytes payload, bool codec, struct chunk_entry *entry)
{
    int e = part_write_chunk(w, (enum chunk_kind)w->series[series].kind, payload, codec, entry);
    return e < 0 ? e : part_series_add(w, series, entry);
}

int part_write_single(struct part_writer *w, enum chunk_kind kind, uint8_t table, uint32_t column, bytes payload)
{
    uint32_t series;
    struct chunk_entry entry = { 0 };
    int e = part_series_new(w, kind, table, column, &series);
    return e < 0 ? e : part_series_write(w, series, payload, true, &entry);
}

// ---- the end of the file -------------------------------------------------------------------------------

static int put_directory(struct part_writer *w, const struct chunk_series *s, struct chunk_entry *ret_entry)
{
    uint64_t *v = mem_reallocarray(NULL, s->n, sizeof *v);
    if (!v)
        return ERR_NOMEM;
    int e = 0;
    struct encode_out out = part_writer_tight(w);
    for (int field = 0; field < 6 && e == 0; field++) {
        for (uint32_t i = 0; i < s->n; i++) {
            const struct chunk_entry *c = &s->entry[i];
            int64_t min = c->has_range ? c->min : 0, max = c->has_range ? c->max : 0;
            switch (field) {
            case 0:
                v[i] = c->block;
                break;
            case 1:
                v[i] = c->offset;
                break;
            case 2:
                v[i] = c->size;
                break;
            case 3:
                v[i] = c->has_range;
                break;
            case 4:
                v[i] = (uint64_t)min;
                break;
            default:
                v[i] = (uint64_t)max - (uint64_t)min;
            }
        }
        e = encode_ints(out, v, s->n, field == 4, NULL, &w->scratch, NULL);
    }
    mem_free(v);
    return e < 0 ? e : part_write_chunk(w, CHUNK_DIRECTORY, buf_bytes(&w->tight), true, ret_entry);
}

static void put_entry(struct buf *b, const struct chunk_entry *c)
{
    buf_varint(b, c->block);
    buf_varint(b, c->offset);
    buf_varint(b, c->size);
    buf_byte(b, c->has_range);
    if (c->has_range) {
        buf_varint(b, encode_zigzag((uint64_t)c->min));
        buf_varint(b, encode_zigzag((uint64_t)c->max));
    }
}

static int put_footer(struct part_writer *w, const struct part_footer *f, struct buf *b)
{
    uint32_t most = 0, live = 0;
    for (int i = 0; i < FOOTER_WORDS; i++)
        buf_le64(b, f->word[i]);
    for (int t = 0; t < TABLE_N; t++)
        most = f->blocks[t] > most ? f->blocks[t] : most;
    uint64_t *v = mem_reallocarray(NULL, (size_t)most + 1, sizeof *v);
    int e = v ? 0 : ERR_NOMEM;
    for (int t = 0; t < TABLE_N && e == 0; t++) {
        buf_varint(b, f->rows[t]);
        buf_varint(b, f->blocks[t]);
        for (uint32_t i = 0; i < f->blocks[t]; i++)
            v[i] = f->block_rows[t][i];
        e = encode_ints((struct encode_out){ .tight = b }, v, f->blocks[t], false, NULL, &w->scratch, NULL);
    }
    mem_free(v);
    for (uint32_t i = 0; i < w->series_n; i++)
        live += w->series[i].n > 0;
    buf_varint(b, live);
    for (uint32_t i = 0; i < w->series_n && e == 0; i++) {
        const struct chunk_series *s = &w->series[i];
        struct chunk_entry directory = { 0 };
        if (s->n == 0)
            continue;
        buf_byte(b, s->kind);
        buf_byte(b, s->table);
        buf_varint(b, s->column);
        buf_varint(b, s->n);
        if (s->n == 1) {
            put_entry(b, &s->entry[0]);
        } else if ((e = put_directory(w, s, &directory)) == 0) {
            buf_varint(b, directory.offset);
            buf_varint(b, directory.size);
        }
    }
    return e < 0 ? e : b->error;
}

int part_writer_publish(struct part_writer *w, const struct part_footer *footer)
{
    struct chunk_entry entry;
    struct buf b;
    uint8_t trailer[PART_TRAILER_SIZE] = { 0 };
    buf_init(&b, CHUNK_RAW_MAX);
    int e = put_footer(w, footer, &b);
    if (e == 0)
        e = part_write_chunk(w, CHUNK_FOOTER, buf_bytes(&b), true, &entry);
    buf_free(&b);
    if (e < 0)
        return e;
    le64_put(trailer, entry.offset);
    le32_put(trailer + 8, entry.size);
    le32_put(trailer + 16, crc32c(trailer, 16));
    memcpy(trailer + 24, PART_TRAILER_MAGIC, 8);
    struct disk *d = w->env->disk;
    if ((e = writer_put(w, trailer, sizeof trailer)) < 0 || (e = writer_flush(w)) < 0 ||
        (e = disk_sync_data(d, w->file)) < 0)
        return e;
    disk_close(d, w->file);
    w->file = -1;
    if ((e = disk_rename(d, w->tmp, w->path)) < 0) {
        disk_unlink(d, w->tmp);
        return e;
    }
    if ((e = disk_sync_dir(d, w->env->dir)) < 0)
        disk_unlink(d, w->path);
    return e;
}
