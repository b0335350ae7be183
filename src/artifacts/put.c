// Putting: contents are written and synced before the lock is taken, named and entered under it.
#include "artifacts/artifacts_internal.h"

#include "base/mem.h"
#include "base/must.h"

enum { WRITER_MAGIC = 0x41525754 };

// A content that is there already is not written again.
static int blob_is_known(struct artifacts *a, const struct blob *b, struct err *err)
{
    sqlite3_stmt *s = NULL;
    char path[BLOB_PATH_MAX];
    struct disk_stat st;
    pthread_mutex_lock(&a->reader.lock);
    int r = db_query(&a->reader, &s, err, "SELECT id FROM blob WHERE digest = ?", "b", bytes_of(b->digest, 32));
    if (r > 0)
        db_done(s);
    pthread_mutex_unlock(&a->reader.lock);
    blob_path(b->digest, path);
    return r <= 0 ? r : disk_stat(a->disk, path, &st) == 0;
}

static int blob_ready(struct blob *b, struct err *err)
{
    blob_end(b);
    int r = blob_is_known(b->a, b, err);
    if (r == 0)
        r = blob_finish(b, err);
    return r < 0 ? r : 0;
}

// What was given its name although the references do not stand goes again, while nobody else can take it for his.
static void unplace(struct artifacts *a, const struct blob *b)
{
    char path[BLOB_PATH_MAX];
    blob_path(b->digest, path);
    disk_unlink(a->disk, path);
}

static int put_locked(struct artifacts *a, const struct artifact_item *items, struct blob *blobs, size_t n,
                      int64_t *ret_id, struct err *err)
{
    struct {
        uint64_t references, contents, bytes, stored, repeated;
    } made = { 0 };
    enum blob_news *news = mem_calloc(n, sizeof *news);
    int64_t id = 0;
    if (!news)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    int r = db_begin(&a->writer, err);
    if (r < 0) {
        mem_free(news);
        return r;
    }
    for (size_t i = 0; i < n && r == 0; i++) {
        bool repeated = false;
        r = reference_put(a, &items[i].ref, &blobs[i], &news[i], &id, &repeated, err);
        made.repeated += repeated;
        made.references += !repeated;
        made.contents += news[i] == BLOB_NEW;
        made.bytes += news[i] == BLOB_NEW ? blobs[i].size : 0;
        made.stored += news[i] == BLOB_NEW ? blobs[i].stored : 0;
    }
    for (size_t i = 0; i < n && r < 0; i++)
        if (news[i])
            unplace(a, &blobs[i]);
    r = db_finish(&a->writer, r, err);
    mem_free(news);
    if (r < 0)
        return r;
    a->references += made.references;
    a->contents += made.contents;
    a->bytes += made.bytes;
    a->stored_bytes += made.stored;
    a->repeated += made.repeated;
    a->puts += made.references;
    if (ret_id)
        *ret_id = id;
    return 0;
}

static int put_all(struct artifacts *a, const struct artifact_item *items, struct blob *blobs, size_t n,
                   int64_t *ret_id, struct err *err)
{
    uint64_t need = 0;
    for (size_t i = 0; i < n; i++)
        need += blobs[i].stored; // of those that are new
    int r = collect_make_room(a, need, err);
    if (r == 0)
        r = put_locked(a, items, blobs, n, ret_id, err);
    if (r == ERR_NOSPC)
        a->refused_full++;
    return r;
}

int artifact_put_all(struct artifacts *a, const struct artifact_item *items, size_t n, struct err *err)
{
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    if (n == 0)
        return 0;
    struct blob *blobs = mem_calloc(n, sizeof *blobs);
    size_t begun = 0;
    int r = blobs ? 0 : err_set(err, ERR_NOMEM, NULL, "out of memory");
    while (begun < n && r == 0) {
        if ((r = blob_begin(&blobs[begun], a, items[begun].content.len, err)) < 0)
            break;
        struct blob *b = &blobs[begun++];
        r = blob_append(b, items[begun - 1].content, err);
        if (r == 0)
            r = blob_ready(b, err);
    }
    if (r == ERR_NOSPC)
        a->refused_full++;
    if (r == 0)
        r = put_all(a, items, blobs, n, NULL, err);
    for (size_t i = 0; i < begun; i++)
        blob_free(&blobs[i]);
    mem_free(blobs);
    return r;
}

struct artifact_writer {
    uint32_t magic;
    struct blob blob;
};

static void writer_free(struct artifact_writer *w)
{
    blob_free(&w->blob);
    w->magic = 0;
    mem_free(w);
}

int artifact_writer_open(struct artifacts *a, uint64_t cap, struct artifact_writer **ret_writer, struct err *err)
{
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    struct artifact_writer *w = mem_zalloc(sizeof *w);
    int r = w ? blob_begin(&w->blob, a, cap, err) : err_set(err, ERR_NOMEM, NULL, "out of memory");
    if (r < 0) {
        mem_free(w);
        return r;
    }
    w->magic = WRITER_MAGIC;
    *ret_writer = w;
    return 0;
}

int artifact_writer_append(struct artifact_writer *w, bytes piece, struct err *err)
{
    MAGIC_CHECK(w, WRITER_MAGIC);
    return blob_append(&w->blob, piece, err);
}

int artifact_writer_put_take(struct artifact_writer *w, const struct artifact *ref, int64_t *ret_id, struct err *err)
{
    MAGIC_CHECK(w, WRITER_MAGIC);
    struct artifact_item item = { .ref = *ref };
    int r = blob_ready(&w->blob, err);
    if (r == 0)
        r = put_all(w->blob.a, &item, &w->blob, 1, ret_id, err);
    writer_free(w);
    return r;
}

void artifact_writer_abort_take(struct artifact_writer *w)
{
    if (!w)
        return;
    MAGIC_CHECK(w, WRITER_MAGIC);
    writer_free(w);
}

int artifact_put(struct artifacts *a, const struct artifact *ref, bytes content, int64_t *ret_id, struct err *err)
{
    struct artifact_writer *w;
    int r = artifact_writer_open(a, content.len, &w, err);
    if (r < 0)
        return r;
    if ((r = artifact_writer_append(w, content, err)) < 0) {
        artifact_writer_abort_take(w);
        return r;
    }
    return artifact_writer_put_take(w, ref, ret_id, err);
}

int artifact_unref(struct artifacts *a, int64_t id, struct err *err)
{
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    int r = db_begin(&a->writer, err);
    if (r < 0)
        return r;
    r = db_finish(&a->writer, reference_remove(a, id, err), err);
    if (r < 0)
        return r;
    a->references--;
    return collect_contents(a, err);
}

int artifact_refer(struct artifacts *a, const struct artifact *refs, size_t n, struct err *err)
{
    uint64_t repeated = 0;
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    int r = db_begin(&a->writer, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n && r == 0; i++) {
        bool again = false;
        r = reference_further(a, &refs[i], &again, err);
        repeated += again;
    }
    if ((r = db_finish(&a->writer, r, err)) < 0)
        return r;
    a->references += n - repeated;
    a->puts += n - repeated;
    a->repeated += repeated;
    return 0;
}

int artifact_unref_all(struct artifacts *a, const int64_t *ids, size_t n, struct err *err)
{
    uint64_t removed = 0;
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    int r = db_begin(&a->writer, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n && r == 0; i++) {
        r = reference_remove(a, ids[i], err);
        removed += r == 0;
        if (r == ERR_NOENT)
            r = 0;
    }
    if ((r = db_finish(&a->writer, r, err)) < 0)
        return r;
    a->references -= removed;
    return collect_contents(a, err);
}
