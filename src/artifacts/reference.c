// References: whose a content is. Rows are written in one transaction with the content's name on disk.
#include "artifacts/artifacts_internal.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/must.h"

static const struct {
    str name;
    bool of_records;
} kinds[] = {
#define ARTIFACT_KIND(name, text, records) { STR_INIT(text), records },
    ARTIFACT_KINDS(ARTIFACT_KIND)
#undef ARTIFACT_KIND
};

str artifact_kind_name(enum artifact_kind kind)
{
    must((unsigned)kind < ARTIFACT_KINDS_N);
    return kinds[kind].name;
}

// Not in the middle of a character.
str text_cut(str s, size_t max)
{
    if (s.len <= max)
        return s;
    while (max > 0 && ((unsigned char)s.ptr[max] & 0xc0) == 0x80)
        max--;
    return str_slice(s, 0, max);
}

static str cut(str s) { return text_cut(s, ARTIFACT_TEXT_MAX); }

// --- writing

static int blob_row(struct artifacts *a, const uint8_t digest[ARTIFACT_DIGEST], int64_t *ret_id, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(&a->writer, &s, err, "SELECT id FROM blob WHERE digest = ?", "b", bytes_of(digest, 32));
    if (r <= 0)
        return r;
    *ret_id = sqlite3_column_int64(s, 0);
    db_done(s);
    return 1;
}

// The content's row, and its file.
static int blob_take(struct artifacts *a, struct blob *b, enum blob_news *ret_news, int64_t *ret_id, struct err *err)
{
    char path[BLOB_PATH_MAX];
    struct disk_stat st;
    blob_path(b->digest, path);
    int known = blob_row(a, b->digest, ret_id, err);
    if (known < 0)
        return known;
    // A row whose file has gone (taken away by somebody, or collected by half before a crash) is no reason to believe it.
    if (known && disk_stat(a->disk, path, &st) == 0)
        return 0;
    *ret_news = known ? BLOB_NEW_FILE : BLOB_NEW;
    int r = blob_finish(b, err);
    if (r == 0)
        r = blob_place(b, err);
    if (r < 0)
        return r;
    if (known)
        return db_run(&a->writer, NULL, err, "UPDATE blob SET stored = ? WHERE id = ?", "ii", (int64_t)b->stored,
                      *ret_id);
    r = db_run(&a->writer, NULL, err, "INSERT INTO blob (digest, size, stored, refs) VALUES (?, ?, ?, 0)", "bii",
               bytes_of(b->digest, 32), (int64_t)b->size, (int64_t)b->stored);
    if (r == 0)
        *ret_id = sqlite3_last_insert_rowid(a->writer.handle);
    return r;
}

static int same_find(struct artifacts *a, const struct artifact *ref, int64_t blob, int64_t *ret_id, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(&a->writer, &s, err,
                     "SELECT id FROM artifact WHERE blob = ? AND project = ? AND kind = ? AND event = ? AND replay = ?"
                     " AND profile = ? AND chunk = ? AND segment = ? AND name = ?",
                     "iiittttit", blob, (int64_t)ref->project, (int64_t)ref->kind, cut(ref->event), cut(ref->replay),
                     cut(ref->profile), cut(ref->chunk), ref->segment, cut(ref->name));
    if (r <= 0)
        return r;
    *ret_id = sqlite3_column_int64(s, 0);
    db_done(s);
    return 1;
}

static int traces_put(struct artifacts *a, const struct artifact *ref, int64_t id, struct err *err)
{
    int r = 0;
    for (uint32_t i = 0; i < ref->traces_n && i < ARTIFACT_TRACES_MAX && r == 0; i++)
        r = db_run(&a->writer, NULL, err, "INSERT OR IGNORE INTO artifact_trace (trace, artifact) VALUES (?, ?)", "ti",
                   cut(ref->traces[i]), id);
    return r;
}

static int reference_enter(struct artifacts *a, const struct artifact *ref, int64_t blob, int64_t *ret_id,
                           bool *ret_repeated, struct err *err)
{
    int64_t id = 0;
    int r;
    must((unsigned)ref->kind < ARTIFACT_KINDS_N);
    if ((r = same_find(a, ref, blob, &id, err)) < 0)
        return r;
    *ret_repeated = r > 0;
    if (r > 0) { // wanted for longer, perhaps
        *ret_id = id;
        return db_run(&a->writer, NULL, err, "UPDATE artifact SET expires = ? WHERE id = ? AND expires < ?", "iii",
                      ref->expires, id, ref->expires);
    }
    r = db_run(&a->writer, NULL, err,
               "INSERT INTO artifact (project, kind, blob, name, content_type, type, event, replay, profile, chunk,"
               " segment, time, received, expires, of_records) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
               "iiitttttttiiiii", (int64_t)ref->project, (int64_t)ref->kind, blob, cut(ref->name),
               cut(ref->content_type), cut(ref->type), cut(ref->event), cut(ref->replay), cut(ref->profile),
               cut(ref->chunk), ref->segment, ref->time, ref->received ? ref->received : clock_unix_ns(), ref->expires,
               (int64_t)kinds[ref->kind].of_records);
    if (r < 0)
        return r;
    id = sqlite3_last_insert_rowid(a->writer.handle);
    r = traces_put(a, ref, id, err);
    if (r == 0)
        r = db_run(&a->writer, NULL, err, "UPDATE blob SET refs = refs + 1 WHERE id = ?", "i", blob);
    if (r == 0)
        *ret_id = id;
    return r;
}

int reference_put(struct artifacts *a, const struct artifact *ref, struct blob *b, enum blob_news *ret_news,
                  int64_t *ret_id, bool *ret_repeated, struct err *err)
{
    int64_t blob = 0;
    int r = blob_take(a, b, ret_news, &blob, err);
    return r < 0 ? r : reference_enter(a, ref, blob, ret_id, ret_repeated, err);
}

int reference_further(struct artifacts *a, const struct artifact *ref, bool *ret_repeated, struct err *err)
{
    int64_t blob = 0, id;
    struct disk_stat st;
    char path[BLOB_PATH_MAX];
    int r = blob_row(a, ref->digest, &blob, err);
    blob_path(ref->digest, path);
    if (r < 0)
        return r;
    if (r == 0 || disk_stat(a->disk, path, &st) < 0)
        return err_set(err, ERR_NOENT, "no_content", "there is no such content");
    return reference_enter(a, ref, blob, &id, ret_repeated, err);
}

int reference_remove(struct artifacts *a, int64_t id, struct err *err)
{
    int n = 0;
    int r = db_run(&a->writer, &n, err,
                   "UPDATE blob SET refs = refs - 1 WHERE id = (SELECT blob FROM artifact WHERE id = ?)", "i", id);
    if (r == 0 && n == 0)
        return err_set(err, ERR_NOENT, "no_artifact", "there is no such artifact");
    if (r == 0)
        r = db_run(&a->writer, NULL, err, "DELETE FROM artifact_trace WHERE artifact = ?", "i", id);
    if (r == 0)
        r = db_run(&a->writer, NULL, err, "DELETE FROM artifact WHERE id = ?", "i", id);
    return r;
}

int reference_count(struct artifacts *a, struct err *err)
{
    sqlite3_stmt *s;
    int r = db_query(
        &a->writer, &s, err,
        "SELECT COUNT(*), COALESCE(SUM(size), 0), COALESCE(SUM(stored), 0), COALESCE(SUM(refs), 0) FROM blob", "");
    if (r <= 0)
        return r;
    a->contents = (uint64_t)sqlite3_column_int64(s, 0);
    a->bytes = (uint64_t)sqlite3_column_int64(s, 1);
    a->stored_bytes = (uint64_t)sqlite3_column_int64(s, 2);
    a->references = (uint64_t)sqlite3_column_int64(s, 3);
    db_done(s);
    return 0;
}

// --- reading

#define COLUMNS                                                                                                    \
    "a.id, a.project, a.kind, b.digest, b.size, a.segment, a.time, a.received, a.expires, a.name, a.content_type," \
    " a.type, a.event, a.replay, a.profile, a.chunk FROM artifact a JOIN blob b ON b.id = a.blob"

static int row_read(struct artifacts *a, sqlite3_stmt *s, struct arena *arena, struct artifact *out, struct err *err)
{
    bytes digest = db_blob(s, 3);
    int64_t kind = sqlite3_column_int64(s, 2);
    if (digest.len != ARTIFACT_DIGEST || kind < 0 || kind >= ARTIFACT_KINDS_N)
        return db_corrupt(&a->reader, err, "a row of the artifacts is none");
    *out = (struct artifact){ .id = sqlite3_column_int64(s, 0),
                              .project = (uint32_t)sqlite3_column_int64(s, 1),
                              .kind = (enum artifact_kind)kind,
                              .size = (uint64_t)sqlite3_column_int64(s, 4),
                              .segment = sqlite3_column_int64(s, 5),
                              .time = sqlite3_column_int64(s, 6),
                              .received = sqlite3_column_int64(s, 7),
                              .expires = sqlite3_column_int64(s, 8) };
    memcpy(out->digest, digest.ptr, ARTIFACT_DIGEST);
    str *const texts[] = { &out->name,   &out->content_type, &out->type, &out->event,
                           &out->replay, &out->profile,      &out->chunk };
    for (int i = 0; i < 7; i++)
        if (arena_dup(arena, db_text(s, 9 + i), texts[i]) < 0)
            return err_set(err, ERR_NOMEM, NULL, "out of memory");
    return 0;
}

static bool passes(const struct artifact_filter *f, const struct artifact *x)
{
    size_t lo = 0, hi = f->projects_n;
    if (f->kinds && !(f->kinds & artifact_kind_bit(x->kind)))
        return false;
    if (!f->projects)
        return true;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (f->projects[mid] == x->project)
            return true;
        if (f->projects[mid] < x->project)
            lo = mid + 1;
        else
            hi = mid;
    }
    return false;
}

static int search_begin(struct artifacts *a, const struct artifact_filter *f, sqlite3_stmt **ret_s, struct err *err)
{
    struct db *db = &a->reader;
    if (f->event.len)
        return db_query(db, ret_s, err, "SELECT " COLUMNS " WHERE a.event = ? ORDER BY a.received, a.id", "t",
                        f->event);
    if (f->trace.len)
        return db_query(db, ret_s, err,
                        "SELECT " COLUMNS " JOIN artifact_trace t ON t.artifact = a.id WHERE t.trace = ?"
                        " ORDER BY a.received, a.id",
                        "t", f->trace);
    if (f->replay.len)
        return db_query(db, ret_s, err, "SELECT " COLUMNS " WHERE a.replay = ? ORDER BY a.received, a.id", "t",
                        f->replay);
    if (f->profile.len)
        return db_query(db, ret_s, err, "SELECT " COLUMNS " WHERE a.profile = ? ORDER BY a.received, a.id", "t",
                        f->profile);
    if (f->name.len && f->kinds && (f->kinds & (f->kinds - 1)) == 0)
        return db_query(db, ret_s, err, "SELECT " COLUMNS " WHERE a.kind = ? AND a.name = ? ORDER BY a.received, a.id",
                        "it", (int64_t)__builtin_ctz(f->kinds), f->name);
    return err_set(err, ERR_INVALID, NULL, "a list of artifacts needs something to look for");
}

int artifact_list(struct artifacts *a, const struct artifact_filter *f, struct arena *arena,
                  struct artifact **ret_artifacts, size_t *ret_n, struct err *err)
{
    sqlite3_stmt *s = NULL;
    struct artifact one, *all = NULL;
    size_t n = 0, cap = 0, limit = f->limit && f->limit < ARTIFACT_LIST_MAX ? f->limit : ARTIFACT_LIST_MAX;
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    pthread_mutex_lock(&a->reader.lock);
    int r = search_begin(a, f, &s, err);
    while (r > 0 && n < limit) {
        struct arena_mark mark = arena_mark(arena);
        if ((r = row_read(a, s, arena, &one, err)) < 0)
            break;
        if (!passes(f, &one)) {
            arena_rewind(arena, mark);
        } else {
            if (n == cap) {
                size_t more = cap ? cap * 2 : 16;
                struct artifact *grown = arena_alloc_array(arena, more, sizeof *grown);
                if (!grown) {
                    r = err_set(err, ERR_NOMEM, NULL, "out of memory");
                    break;
                }
                if (n)
                    memcpy(grown, all, n * sizeof *all);
                all = grown;
                cap = more;
            }
            all[n++] = one;
        }
        r = db_next(&a->reader, s, err);
    }
    if (s)
        db_done(s);
    pthread_mutex_unlock(&a->reader.lock);
    if (r < 0)
        return r;
    *ret_artifacts = all;
    *ret_n = n;
    return 0;
}

static int traces_read(struct artifacts *a, struct arena *arena, struct artifact *out, struct err *err)
{
    sqlite3_stmt *s = NULL;
    str *traces = arena_alloc_array(arena, ARTIFACT_TRACES_MAX, sizeof *traces);
    uint32_t n = 0;
    if (!traces)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    int r = db_query(&a->reader, &s, err, "SELECT trace FROM artifact_trace WHERE artifact = ? ORDER BY trace", "i",
                     out->id);
    while (r > 0 && n < ARTIFACT_TRACES_MAX) {
        if (arena_dup(arena, db_text(s, 0), &traces[n++]) < 0)
            r = err_set(err, ERR_NOMEM, NULL, "out of memory");
        else
            r = db_next(&a->reader, s, err);
    }
    if (s)
        db_done(s);
    if (r < 0)
        return r;
    out->traces = traces;
    out->traces_n = n;
    return 0;
}

int artifact_find(struct artifacts *a, int64_t id, struct arena *arena, struct artifact *ret_artifact, struct err *err)
{
    sqlite3_stmt *s = NULL;
    struct artifact one;
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    pthread_mutex_lock(&a->reader.lock);
    int r = db_query(&a->reader, &s, err, "SELECT " COLUMNS " WHERE a.id = ?", "i", id);
    if (r == 0)
        r = err_set(err, ERR_NOENT, "no_artifact", "there is no such artifact");
    else if (r > 0)
        r = row_read(a, s, arena, &one, err);
    if (s)
        db_done(s);
    if (r == 0)
        r = traces_read(a, arena, &one, err);
    pthread_mutex_unlock(&a->reader.lock);
    if (r == 0)
        *ret_artifact = one;
    return r;
}

int artifacts_usage(struct artifacts *a, struct artifact_kind_usage ret_usage[ARTIFACT_KINDS_N], struct err *err)
{
    sqlite3_stmt *s = NULL;
    struct artifact_kind_usage usage[ARTIFACT_KINDS_N] = { 0 };
    MAGIC_CHECK(a, ARTIFACTS_MAGIC);
    pthread_mutex_lock(&a->reader.lock);
    int r = db_query(&a->reader, &s, err,
                     "SELECT kind, SUM(n), SUM(stored) FROM (SELECT a.kind AS kind, COUNT(*) AS n, b.stored AS stored"
                     " FROM artifact a JOIN blob b ON b.id = a.blob GROUP BY a.kind, a.blob, b.stored) GROUP BY kind",
                     "");
    while (r > 0) {
        int64_t kind = sqlite3_column_int64(s, 0);
        if (kind >= 0 && kind < ARTIFACT_KINDS_N) {
            usage[kind].references = (uint64_t)sqlite3_column_int64(s, 1);
            usage[kind].bytes = (uint64_t)sqlite3_column_int64(s, 2);
        }
        r = db_next(&a->reader, s, err);
    }
    pthread_mutex_unlock(&a->reader.lock);
    if (r == 0)
        memcpy(ret_usage, usage, sizeof usage);
    return r;
}
