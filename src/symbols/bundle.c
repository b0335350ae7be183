// Reading of artifact bundles; the archive itself by zlib's minizip, over bytes in memory.
#include "symbols/bundle.h"

#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/must.h"
#include "wire/sentry_event.h"

#include <minizip/unzip.h>

enum { ARENA_MAX = 64 << 20, DEPTH_MAX = 16, PIECE = 64 << 10 };

// ---- the archive ---------------------------------------------------------------------------------------

struct memory {
    bytes all;
    size_t at;
};

static voidpf memory_open(voidpf opaque, const void *name, int mode)
{
    (void)name, (void)mode;
    return opaque;
}

static uLong memory_read(voidpf opaque, voidpf stream, void *to, uLong size)
{
    struct memory *m = stream;
    size_t n = m->all.len - m->at < size ? m->all.len - m->at : size;
    (void)opaque;
    if (n)
        memcpy(to, m->all.ptr + m->at, n);
    m->at += n;
    return n;
}

static uLong memory_write(voidpf opaque, voidpf stream, const void *from, uLong size)
{
    (void)opaque, (void)stream, (void)from, (void)size;
    return 0;
}

static ZPOS64_T memory_tell(voidpf opaque, voidpf stream)
{
    (void)opaque;
    return ((struct memory *)stream)->at;
}

static long memory_seek(voidpf opaque, voidpf stream, ZPOS64_T offset, int origin)
{
    struct memory *m = stream;
    size_t base = origin == ZLIB_FILEFUNC_SEEK_CUR ? m->at : origin == ZLIB_FILEFUNC_SEEK_END ? m->all.len : 0;
    (void)opaque;
    if (offset > m->all.len - base)
        return -1;
    m->at = base + (size_t)offset;
    return 0;
}

static int memory_close(voidpf opaque, voidpf stream)
{
    (void)opaque, (void)stream;
    return 0;
}

static int memory_error(voidpf opaque, voidpf stream)
{
    (void)opaque, (void)stream;
    return 0;
}

struct place {
    str name;
    unz64_file_pos at;
};

struct bundle_reader {
    struct memory memory;
    unzFile zip;
    struct arena arena;
    struct place *places; // by name
    uint32_t n;
};

static int place_order(const void *a, const void *b)
{
    return str_cmp(((const struct place *)a)->name, ((const struct place *)b)->name);
}

static int no_zip(struct err *err)
{
    return err_set(err, ERR_MALFORMED, NULL, "this is no zip archive, or a damaged one");
}

static int directory_read(struct bundle_reader *r, struct err *err)
{
    unz_global_info64 info;
    char name[BUNDLE_NAME_MAX];
    if (unzGetGlobalInfo64(r->zip, &info) != UNZ_OK)
        return no_zip(err);
    if (info.number_entry > BUNDLE_ENTRIES_MAX)
        return err_set(err, ERR_LIMIT, NULL, "the archive has more than %d entries", BUNDLE_ENTRIES_MAX);
    r->places = arena_alloc_array(&r->arena, info.number_entry ? (size_t)info.number_entry : 1, sizeof *r->places);
    if (!r->places)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    int rc = info.number_entry ? unzGoToFirstFile(r->zip) : UNZ_END_OF_LIST_OF_FILE;
    for (; rc == UNZ_OK && r->n < info.number_entry; rc = unzGoToNextFile(r->zip)) {
        unz_file_info64 file;
        struct place *p = &r->places[r->n];
        if (unzGetCurrentFileInfo64(r->zip, &file, name, sizeof name, NULL, 0, NULL, 0) != UNZ_OK ||
            file.size_filename >= sizeof name || unzGetFilePos64(r->zip, &p->at) != UNZ_OK)
            return no_zip(err);
        if (arena_dup(&r->arena, str_of(name, file.size_filename), &p->name) < 0)
            return err_set(err, ERR_NOMEM, NULL, "out of memory");
        r->n++;
    }
    if (rc != UNZ_OK && rc != UNZ_END_OF_LIST_OF_FILE)
        return no_zip(err);
    qsort(r->places, r->n, sizeof *r->places, place_order);
    return 0;
}

int bundle_reader_open(bytes zip, struct bundle_reader **ret_reader, struct err *err)
{
    if (zip.len > BUNDLE_BYTES_MAX)
        return err_set(err, ERR_LIMIT, NULL, "the archive is larger than %d MiB", BUNDLE_BYTES_MAX >> 20);
    struct bundle_reader *r = mem_zalloc(sizeof *r);
    if (!r)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    arena_init(&r->arena, ARENA_MAX);
    r->memory.all = zip;
    zlib_filefunc64_def io = { .zopen64_file = memory_open,
                               .zread_file = memory_read,
                               .zwrite_file = memory_write,
                               .ztell64_file = memory_tell,
                               .zseek64_file = memory_seek,
                               .zclose_file = memory_close,
                               .zerror_file = memory_error,
                               .opaque = &r->memory };
    r->zip = unzOpen2_64("", &io);
    int rc = r->zip ? directory_read(r, err) : no_zip(err);
    if (rc < 0) {
        bundle_reader_close(r);
        return rc;
    }
    *ret_reader = r;
    return 0;
}

void bundle_reader_close(struct bundle_reader *r)
{
    if (!r)
        return;
    if (r->zip)
        unzClose(r->zip);
    arena_free(&r->arena);
    mem_free(r);
}

static int current_read(struct bundle_reader *r, size_t cap, struct buf *out, struct err *err)
{
    size_t start = out->len;
    for (;;) {
        size_t left = cap - (out->len - start);
        // One byte more than may be, to see whether there are more.
        size_t want = left < PIECE ? left + 1 : PIECE;
        if (buf_reserve(out, want) < 0)
            return err_set(err, out->error, NULL, "an entry of the archive is too large");
        int n = unzReadCurrentFile(r->zip, out->ptr + out->len, (unsigned)want);
        if (n < 0)
            return no_zip(err);
        if (n == 0)
            return 0;
        if ((size_t)n > left)
            return err_set(err, ERR_LIMIT, NULL, "an entry of the archive is larger than %zu bytes", cap);
        out->len += (size_t)n;
    }
}

int bundle_reader_read(struct bundle_reader *r, str path, size_t cap, struct buf *out, struct err *err)
{
    struct place key = { .name = path }, *p = bsearch(&key, r->places, r->n, sizeof key, place_order);
    unz_file_info64 info;
    size_t start = out->len;
    if (!p)
        return err_set(err, ERR_NOENT, NULL, "the archive has no entry %.*s", STR_ARG(str_slice(path, 0, 200)));
    if (unzGoToFilePos64(r->zip, &p->at) != UNZ_OK ||
        unzGetCurrentFileInfo64(r->zip, &info, NULL, 0, NULL, 0, NULL, 0) != UNZ_OK)
        return no_zip(err);
    if (info.flag & 1)
        return err_set(err, ERR_MALFORMED, NULL, "the archive is encrypted");
    if (info.uncompressed_size > cap)
        return err_set(err, ERR_LIMIT, NULL, "an entry of the archive is larger than %zu bytes", cap);
    if (info.uncompressed_size > BUNDLE_RATIO_FROM && info.uncompressed_size / BUNDLE_RATIO_MAX > info.compressed_size)
        return err_set(err, ERR_LIMIT, NULL, "an entry of the archive is packed more than %d times", BUNDLE_RATIO_MAX);
    if (unzOpenCurrentFile(r->zip) != UNZ_OK)
        return no_zip(err);
    // Not more than it says, and the checksum of all of it.
    int rc = current_read(r, (size_t)info.uncompressed_size, out, err);
    if (unzCloseCurrentFile(r->zip) != UNZ_OK && rc == 0)
        rc = no_zip(err);
    if (rc == 0 && out->len - start != info.uncompressed_size)
        rc = no_zip(err);
    if (rc < 0)
        out->len = start;
    return rc;
}

int bundle_read(bytes zip, str path, size_t cap, struct buf *out, struct err *err)
{
    struct bundle_reader *r;
    int rc = bundle_reader_open(zip, &r, err);
    if (rc < 0)
        return rc;
    rc = bundle_reader_read(r, path, cap, out, err);
    bundle_reader_close(r);
    return rc;
}

// ---- the manifest --------------------------------------------------------------------------------------

bool debug_id_parse(str text, uint8_t ret_id[16])
{
    size_t digits = 0, i = 0;
    for (; i < text.len && digits < 32; i++)
        if (hex_digit(text.ptr[i]) >= 0)
            digits++;
        else if (text.ptr[i] != '-')
            return false;
    // The rest is the appendix.
    for (size_t k = i; k < text.len; k++)
        if (hex_digit(text.ptr[k]) < 0 && text.ptr[k] != '-')
            return false;
    return sentry_id(str_slice(text, 0, i), ret_id);
}

void debug_id_format(const uint8_t id[16], char out[DEBUG_ID_TEXT])
{
    static const uint8_t parts[] = { 4, 2, 2, 2, 6 };
    for (size_t i = 0; i < sizeof parts; i++) {
        if (i)
            *out++ = '-';
        hex_encode(out, id, parts[i]);
        out += 2 * parts[i];
        id += parts[i];
    }
}

static enum bundle_kind kind_of(str type)
{
    return str_eq(type, STR("minified_source")) ? BUNDLE_MINIFIED
           : str_eq(type, STR("source_map"))    ? BUNDLE_SOURCE_MAP
           : str_eq(type, STR("source"))        ? BUNDLE_SOURCE
                                                : BUNDLE_OTHER;
}

// Texts are kept; members that are none of what we know are passed over.
static int text_read(struct bundle *b, struct json_reader *r, str *ret)
{
    str s;
    if (json_peek(r) != JSON_STRING)
        return json_skip(r, NULL);
    int c = json_text(r, &s);
    if (c == 0 && s.len > BUNDLE_NAME_MAX)
        s = (str){ 0 };
    return c < 0 ? c : arena_dup(&b->arena, s, ret);
}

static int headers_read(struct bundle *b, struct json_reader *r, struct bundle_entry *e)
{
    str name, old = { 0 };
    int c = json_object(r);
    while (c == 0 && (c = json_member(r, &name)) > 0) {
        str id = { 0 };
        if (str_ieq(name, STR("debug-id"))) {
            c = text_read(b, r, &id);
            e->has_debug_id = debug_id_parse(id, e->debug_id);
        } else if (str_ieq(name, STR("sourcemap"))) {
            c = text_read(b, r, &e->sourcemap);
        } else if (str_ieq(name, STR("x-sourcemap"))) {
            c = text_read(b, r, &old);
        } else {
            c = json_skip(r, NULL);
        }
    }
    if (!e->sourcemap.len)
        e->sourcemap = old;
    return c;
}

static int entry_read(struct bundle *b, struct json_reader *r, struct bundle_entry *e)
{
    str name, type = { 0 };
    int c = json_object(r);
    while (c == 0 && (c = json_member(r, &name)) > 0) {
        if (str_eq(name, STR("type")))
            c = text_read(b, r, &type);
        else if (str_eq(name, STR("url")))
            c = text_read(b, r, &e->url);
        else if (str_eq(name, STR("headers")) && json_peek(r) == JSON_OBJECT)
            c = headers_read(b, r, e);
        else
            c = json_skip(r, NULL);
    }
    e->kind = kind_of(type);
    return c;
}

static int files_read(struct bundle *b, struct json_reader *r, struct buf *entries)
{
    str path;
    int c = json_object(r);
    while (c == 0 && (c = json_member(r, &path)) > 0) {
        struct bundle_entry e = { 0 };
        if (json_peek(r) != JSON_OBJECT || path.len > BUNDLE_NAME_MAX)
            c = json_skip(r, NULL);
        else if ((c = arena_dup(&b->arena, path, &e.path)) == 0 && (c = entry_read(b, r, &e)) == 0)
            c = buf_append(entries, &e, sizeof e);
    }
    return c;
}

static int manifest_read(struct bundle *b, str json, struct err *err)
{
    struct json_reader r;
    struct buf entries;
    str name;
    bool files = false;
    buf_init(&entries, BUNDLE_ENTRIES_MAX * sizeof(struct bundle_entry));
    json_reader_init(&r, json, &b->arena, DEPTH_MAX);
    int c = json_object(&r);
    while (c == 0 && (c = json_member(&r, &name)) > 0) {
        if (str_eq(name, STR("files")) && json_peek(&r) == JSON_OBJECT) {
            files = true;
            c = files_read(b, &r, &entries);
        } else if (str_eq(name, STR("release"))) {
            c = text_read(b, &r, &b->release);
        } else if (str_eq(name, STR("dist"))) {
            c = text_read(b, &r, &b->dist);
        } else if (str_eq(name, STR("debug_id"))) {
            c = text_read(b, &r, &b->debug_id);
        } else {
            c = json_skip(&r, NULL);
        }
    }
    if (c < 0)
        json_reader_err(&r, c, err);
    else if (!files)
        c = err_set(err, ERR_MALFORMED, NULL, "the archive's manifest.json names no files");
    if (c == 0) {
        b->n = (uint32_t)(entries.len / sizeof(struct bundle_entry));
        b->entries = arena_alloc_array(&b->arena, b->n ? b->n : 1, sizeof *b->entries);
        if (b->entries && b->n)
            memcpy(b->entries, entries.ptr, entries.len);
        if (!b->entries)
            c = err_set(err, ERR_NOMEM, NULL, "out of memory");
    }
    buf_free(&entries);
    return c;
}

int bundle_open(bytes zip, struct bundle **ret_bundle, struct err *err)
{
    struct buf json;
    buf_init(&json, BUNDLE_MANIFEST_MAX + 1);
    int r = bundle_read(zip, STR("manifest.json"), BUNDLE_MANIFEST_MAX, &json, err);
    struct bundle *b = r < 0 ? NULL : mem_zalloc(sizeof *b);
    if (r == ERR_NOENT)
        r = err_set(err, ERR_MALFORMED, NULL, "the archive has no manifest.json: it is no artifact bundle");
    else if (r == 0 && !b)
        r = err_set(err, ERR_NOMEM, NULL, "out of memory");
    if (r == 0) {
        arena_init(&b->arena, ARENA_MAX);
        r = manifest_read(b, buf_view(&json), err);
    }
    buf_free(&json);
    if (r < 0) {
        bundle_free(b);
        return r;
    }
    *ret_bundle = b;
    return 0;
}

void bundle_free(struct bundle *b)
{
    if (!b)
        return;
    arena_free(&b->arena);
    mem_free(b);
}
