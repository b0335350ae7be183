// Contents on their way to disk: hashed and packed as they come, into a synced temporary file that gets its name when its row is
// written. A name is only ever given to what is whole.
#include "artifacts/artifacts_internal.h"

#include "base/hex.h"
#include "base/mem.h"
#include "base/must.h"

#include <stdio.h>

enum { LEVEL = 3 };
// Packed by less than an eighth it does not pay to unpack it at every reading.
static bool pays(size_t packed, size_t size) { return packed < size - size / 8; }

int blob_error(int code, const char *doing, const char *path, struct err *err)
{
    err_set(err, code, code == ERR_NOSPC ? "artifacts_full" : "artifacts", "%s: %s", doing, err_text(code));
    err_set_place(err, "%s", path);
    return code;
}

void blob_path(const uint8_t digest[ARTIFACT_DIGEST], char ret_path[BLOB_PATH_MAX])
{
    char hex[2 * ARTIFACT_DIGEST + 1] = "";
    hex_encode(hex, digest, ARTIFACT_DIGEST);
    snprintf(ret_path, BLOB_PATH_MAX, BLOB_DIR "/%.2s/%s", hex, hex);
}

int blob_dirs_make(struct artifacts *a, struct err *err)
{
    static const char *const dirs[] = { BLOB_DIR, BLOB_TMP };
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        int r = disk_mkdir(a->disk, dirs[i]);
        if (r == 0)
            r = disk_sync_dir(a->disk, i == 0 ? "." : BLOB_DIR);
        if (r < 0 && r != ERR_EXIST)
            return blob_error(r, "the directory cannot be made", dirs[i], err);
    }
    return 0;
}

void artifact_digest(bytes content, uint8_t ret_digest[ARTIFACT_DIGEST])
{
    must(EVP_Digest(content.ptr ? content.ptr : (const uint8_t *)"", content.len, ret_digest, NULL, EVP_sha256(),
                    NULL) == 1);
}

int blob_begin(struct blob *b, struct artifacts *a, uint64_t cap, struct err *err)
{
    *b = (struct blob){ .a = a, .cap = cap, .file = -1 };
    buf_init(&b->first, BLOB_STEP);
    buf_init(&b->out, ZSTD_COMPRESSBOUND(BLOB_STEP) + BLOB_STEP);
    b->sha = EVP_MD_CTX_new();
    if (!b->sha || EVP_DigestInit_ex(b->sha, EVP_sha256(), NULL) != 1) {
        blob_free(b);
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    }
    return 0;
}

static int file_write(struct blob *b, const void *p, size_t n, struct err *err)
{
    int r = n ? disk_write(b->a->disk, b->file, p, n, b->stored) : 0;
    if (r < 0)
        return blob_error(r, "a content cannot be written", b->tmp, err);
    b->stored += n;
    return 0;
}

// Takes a piece into the file, packed or not.
static int pack(struct blob *b, bytes piece, bool last, struct err *err)
{
    if (b->coding == BLOB_AS_IS)
        return file_write(b, piece.ptr, piece.len, err);
    ZSTD_inBuffer in = { piece.ptr, piece.len, 0 };
    size_t left;
    do {
        ZSTD_outBuffer out = { b->out.ptr, b->out.cap, 0 };
        left = ZSTD_compressStream2(b->zstd, &out, &in, last ? ZSTD_e_end : ZSTD_e_continue);
        if (ZSTD_isError(left))
            return err_set(err, ERR_NOMEM, NULL, "out of memory");
        int r = file_write(b, b->out.ptr, out.pos, err);
        if (r < 0)
            return r;
    } while (in.pos < in.size || (last && left));
    return 0;
}

// What came first decides whether packing pays.
static int decide(struct blob *b, struct err *err)
{
    uint64_t n = b->a->temporaries++;
    snprintf(b->tmp, sizeof b->tmp, BLOB_TMP "/%llu", (unsigned long long)n);
    if (!(b->zstd = ZSTD_createCCtx()) || buf_reserve(&b->out, ZSTD_compressBound(BLOB_STEP)) < 0)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    size_t packed = ZSTD_compressCCtx(b->zstd, b->out.ptr, b->out.cap, b->first.ptr, b->first.len, LEVEL);
    if (ZSTD_isError(packed))
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    b->coding = pays(packed, b->first.len) ? BLOB_ZSTD : BLOB_AS_IS;
    ZSTD_CCtx_reset(b->zstd, ZSTD_reset_session_and_parameters);
    ZSTD_CCtx_setParameter(b->zstd, ZSTD_c_compressionLevel, LEVEL);
    int r = disk_open(b->a->disk, b->tmp, DISK_WRITE | DISK_CREATE | DISK_TRUNCATE, &b->file);
    if (r < 0)
        return blob_error(r, "a content cannot be written", b->tmp, err);
    b->begun = true;
    b->stored = BLOB_HEADER;
    r = pack(b, buf_bytes(&b->first), false, err);
    buf_free(&b->first);
    return r;
}

int blob_append(struct blob *b, bytes piece, struct err *err)
{
    if (piece.len > b->cap - b->size)
        return err_set(err, ERR_LIMIT, "too_large", "a content is larger than %llu bytes", (unsigned long long)b->cap);
    must(EVP_DigestUpdate(b->sha, piece.ptr, piece.len) == 1);
    b->size += piece.len;
    while (piece.len) {
        size_t n = BLOB_STEP - (b->begun ? 0 : b->first.len);
        n = n < piece.len ? n : piece.len;
        bytes step = bytes_of(piece.ptr, n);
        piece = bytes_of(piece.ptr + n, piece.len - n);
        int r = b->begun                                 ? pack(b, step, false, err)
                : buf_append(&b->first, step.ptr, n) < 0 ? err_set(err, ERR_NOMEM, NULL, "out of memory")
                                                         : 0;
        if (r == 0 && !b->begun && piece.len)
            r = decide(b, err);
        if (r < 0)
            return r;
    }
    return 0;
}

void blob_end(struct blob *b)
{
    must(EVP_DigestFinal_ex(b->sha, b->digest, NULL) == 1);
    EVP_MD_CTX_free(b->sha);
    b->sha = NULL;
}

int blob_finish(struct blob *b, struct err *err)
{
    uint8_t header[BLOB_HEADER] = { 0 };
    must(!b->sha);
    if (b->begun && b->file < 0)
        return 0;
    int r = b->begun ? 0 : decide(b, err);
    if (r == 0)
        r = pack(b, (bytes){ 0 }, true, err);
    if (r < 0)
        return r;
    le32_put(header, BLOB_MAGIC);
    header[4] = b->coding;
    le64_put(header + 8, b->size);
    r = disk_write(b->a->disk, b->file, header, sizeof header, 0);
    if (r == 0)
        r = disk_sync_data(b->a->disk, b->file);
    disk_close(b->a->disk, b->file);
    b->file = -1;
    ZSTD_freeCCtx(b->zstd);
    b->zstd = NULL;
    buf_free(&b->out);
    return r < 0 ? blob_error(r, "a content cannot be written", b->tmp, err) : 0;
}

int blob_place(struct blob *b, struct err *err)
{
    char path[BLOB_PATH_MAX], dir[sizeof BLOB_DIR + 4];
    blob_path(b->digest, path);
    snprintf(dir, sizeof dir, "%.*s", (int)sizeof BLOB_DIR + 2, path);
    must(b->tmp[0] && b->file < 0);
    int r = disk_rename(b->a->disk, b->tmp, path);
    if (r == ERR_NOENT) { // the first with these two digits
        r = disk_mkdir(b->a->disk, dir);
        if (r == 0)
            r = disk_sync_dir(b->a->disk, BLOB_DIR);
        if (r == 0 || r == ERR_EXIST)
            r = disk_rename(b->a->disk, b->tmp, path);
    }
    if (r < 0)
        return blob_error(r, "a content cannot be kept", path, err);
    b->tmp[0] = 0;
    r = disk_sync_dir(b->a->disk, dir);
    return r < 0 ? blob_error(r, "a content cannot be kept", path, err) : 0;
}

void blob_free(struct blob *b)
{
    disk_close(b->a->disk, b->file);
    b->file = -1;
    if (b->tmp[0])
        disk_unlink(b->a->disk, b->tmp);
    b->tmp[0] = 0;
    EVP_MD_CTX_free(b->sha);
    b->sha = NULL;
    ZSTD_freeCCtx(b->zstd);
    b->zstd = NULL;
    buf_free(&b->first);
    buf_free(&b->out);
}
