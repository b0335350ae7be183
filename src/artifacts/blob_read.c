// Contents from disk, piece by piece, checked against their digest.
#include "artifacts/artifacts_internal.h"

#include "base/mem.h"
#include "base/must.h"

enum { READER_MAGIC = 0x41525244, WINDOW_LOG_MAX = 23 };

struct artifact_reader {
    uint32_t magic;
    struct artifacts *a;
    int file;
    char path[BLOB_PATH_MAX];
    uint8_t digest[ARTIFACT_DIGEST], coding;
    uint64_t size, given, at; // of the content; given so far; place in the file
    EVP_MD_CTX *sha;
    ZSTD_DCtx *zstd;
    ZSTD_inBuffer in;
    bool file_ended;
    uint8_t packed[BLOB_STEP];
};

static int damaged(const struct artifact_reader *r, struct err *err)
{
    return blob_error(ERR_CORRUPT, "a content is not what was written", r->path, err);
}

static int header_read(struct artifact_reader *r, struct err *err)
{
    uint8_t h[BLOB_HEADER];
    int e = disk_read(r->a->disk, r->file, h, sizeof h, 0);
    if (e < 0)
        return e == ERR_TRUNCATED ? damaged(r, err) : blob_error(e, "a content cannot be read", r->path, err);
    if (le32_get(h) != BLOB_MAGIC || h[4] > BLOB_ZSTD)
        return damaged(r, err);
    r->coding = h[4];
    r->size = le64_get(h + 8);
    r->at = sizeof h;
    return 0;
}

int artifact_reader_open(struct artifacts *a, const uint8_t digest[ARTIFACT_DIGEST],
                         struct artifact_reader **ret_reader, uint64_t *ret_size, struct err *err)
{
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    struct artifact_reader *r = mem_zalloc(sizeof *r);
    if (!r)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    r->magic = READER_MAGIC;
    r->a = a;
    r->file = -1;
    memcpy(r->digest, digest, ARTIFACT_DIGEST);
    blob_path(digest, r->path);
    int e = disk_open(a->disk, r->path, DISK_READ, &r->file);
    if (e < 0)
        e = blob_error(e, "a content cannot be opened", r->path, err);
    else
        e = header_read(r, err);
    if (e == 0) {
        r->sha = EVP_MD_CTX_new();
        r->zstd = r->coding == BLOB_ZSTD ? ZSTD_createDCtx() : NULL;
        if (!r->sha || EVP_DigestInit_ex(r->sha, EVP_sha256(), NULL) != 1 || (r->coding == BLOB_ZSTD && !r->zstd))
            e = err_set(err, ERR_NOMEM, NULL, "out of memory");
        if (r->zstd)
            ZSTD_DCtx_setParameter(r->zstd, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
    }
    if (e < 0) {
        artifact_reader_close(r);
        return e;
    }
    *ret_reader = r;
    *ret_size = r->size;
    return 0;
}

static int file_read(struct artifact_reader *r, void *p, size_t n, size_t *ret_n, struct err *err)
{
    int e = disk_read_some(r->a->disk, r->file, p, n, r->at, ret_n);
    if (e < 0)
        return blob_error(e, "a content cannot be read", r->path, err);
    r->at += *ret_n;
    r->file_ended = *ret_n < n;
    return 0;
}

static int unpack(struct artifact_reader *r, void *p, size_t n, size_t *ret_n, struct err *err)
{
    ZSTD_outBuffer out = { p, n, 0 };
    while (out.pos < out.size) {
        if (r->in.pos == r->in.size && !r->file_ended) {
            size_t got;
            int e = file_read(r, r->packed, sizeof r->packed, &got, err);
            if (e < 0)
                return e;
            r->in = (ZSTD_inBuffer){ r->packed, got, 0 };
        }
        size_t before = out.pos, in_before = r->in.pos;
        if (ZSTD_isError(ZSTD_decompressStream(r->zstd, &out, &r->in)))
            return damaged(r, err);
        if (out.pos == before && r->in.pos == in_before && r->file_ended)
            break;
    }
    *ret_n = out.pos;
    return 0;
}

int artifact_reader_read(struct artifact_reader *r, void *p, size_t n, size_t *ret_n, struct err *err)
{
    size_t got = 0;
    MAGIC_CHECK(r, READER_MAGIC);
    must(n > 0);
    int e = 0;
    if (r->given < r->size) {
        n = r->size - r->given < n ? (size_t)(r->size - r->given) : n;
        e = r->coding == BLOB_ZSTD ? unpack(r, p, n, &got, err) : file_read(r, p, n, &got, err);
        if (e == 0 && got == 0)
            e = damaged(r, err);
    }
    if (e < 0)
        return e;
    must(EVP_DigestUpdate(r->sha, p, got) == 1);
    r->given += got;
    if (got == 0) {
        uint8_t digest[ARTIFACT_DIGEST];
        EVP_MD_CTX *whole = EVP_MD_CTX_new(); // so that the end can be read again
        bool same = whole && EVP_MD_CTX_copy_ex(whole, r->sha) == 1 && EVP_DigestFinal_ex(whole, digest, NULL) == 1 &&
                    memcmp(digest, r->digest, ARTIFACT_DIGEST) == 0;
        EVP_MD_CTX_free(whole);
        if (!same)
            return damaged(r, err);
    }
    *ret_n = got;
    return 0;
}

void artifact_reader_close(struct artifact_reader *r)
{
    if (!r)
        return;
    MAGIC_CHECK(r, READER_MAGIC);
    disk_close(r->a->disk, r->file);
    EVP_MD_CTX_free(r->sha);
    ZSTD_freeDCtx(r->zstd);
    r->magic = 0;
    mem_free(r);
}

int artifact_load(struct artifacts *a, const uint8_t digest[ARTIFACT_DIGEST], size_t cap, struct buf *out,
                  struct err *err)
{
    struct artifact_reader *r;
    uint64_t size;
    size_t n, before = out->len;
    int e = artifact_reader_open(a, digest, &r, &size, err);
    if (e < 0)
        return e;
    if (size > cap)
        e = err_set(err, ERR_LIMIT, "too_large", "a content is larger than %zu bytes", cap);
    else if (buf_reserve(out, (size_t)size + 1) < 0)
        e = err_set(err, out->error, NULL, "%s", err_text(out->error));
    do {
        if (e == 0)
            e = artifact_reader_read(r, out->ptr + out->len, (size_t)size - (out->len - before) + 1, &n, err);
        if (e == 0)
            out->len += n;
    } while (e == 0 && n);
    if (e < 0)
        out->len = before;
    artifact_reader_close(r);
    return e;
}
