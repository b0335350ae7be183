// symbols.db: which files there are, and the events that wait for one. docs/formats.md has the tables.
#include "symbols/symbols_internal.h"

#include "base/clock.h"
#include "base/hash.h"
#include "symbols/js_file.h"
#include "symbols/js_name.h"

#include <stdio.h>

static const char *const versions[] = {
    "CREATE TABLE uploads(id INTEGER PRIMARY KEY, project INTEGER NOT NULL, digest BLOB NOT NULL, release TEXT NOT "
    "NULL,"
    "  dist TEXT NOT NULL, name TEXT NOT NULL, added INTEGER NOT NULL, UNIQUE(project, digest, release, dist, name));"
    "CREATE INDEX uploads_of_name ON uploads(project, release, dist, name);"
    "CREATE TABLE files(id INTEGER PRIMARY KEY AUTOINCREMENT, upload INTEGER NOT NULL REFERENCES uploads(id),"
    "  project INTEGER NOT NULL, kind INTEGER NOT NULL, release TEXT NOT NULL, dist TEXT NOT NULL, url TEXT NOT NULL,"
    "  debug_id BLOB, entry TEXT NOT NULL, sourcemap TEXT NOT NULL);"
    "CREATE INDEX files_of_debug_id ON files(project, debug_id, kind) WHERE debug_id IS NOT NULL;"
    "CREATE INDEX files_of_url ON files(project, release, url, kind) WHERE release <> '';"
    "CREATE INDEX files_of_upload ON files(upload);"
    "CREATE TABLE waiting(id INTEGER PRIMARY KEY AUTOINCREMENT, project INTEGER NOT NULL, key INTEGER NOT NULL,"
    "  \"group\" TEXT NOT NULL, payload BLOB NOT NULL, added INTEGER NOT NULL, UNIQUE(project, key));",
};

enum { WAITING_MAX = 10000, WAITING_BYTES_MAX = 64 << 20, WAITING_DAYS = 30 }; // of a project

int registry_open(struct symbols *s, struct err *err)
{
    char path[sizeof s->db.path];
    sqlite3_stmt *stmt;
    if (snprintf(path, sizeof path, "%s/symbols.db", s->options.data) >= (int)sizeof path)
        return err_set(err, ERR_INVALID, NULL, "the data directory's path is too long");
    int r = db_open(&s->db, path, "symbols_database", DB_WRITE | DB_CREATE, err);
    if (r == 0)
        r = db_migrate(&s->db, versions, sizeof versions / sizeof versions[0], NULL, NULL, err);
    if (r == 0)
        r = db_open(&s->reader, path, "symbols_database", 0, err);
    if (r == 0 && (r = db_query(&s->db, &stmt, err, "SELECT count(*) FROM files", "")) == 1) {
        s->files = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
        r = 0;
    }
    return r;
}

void registry_close(struct symbols *s)
{
    db_close(&s->reader);
    db_close(&s->db);
}

// ---- what is uploaded ----------------------------------------------------------------------------------

static bytes digest_of(const uint8_t *digest) { return bytes_of(digest, SYMBOLS_DIGEST); }

// A row of `uploads`; 1: it is new.
static int upload_put(struct symbols *s, const struct symbols_upload *u, str release, str dist, str name,
                      int64_t *ret_id, struct err *err)
{
    sqlite3_stmt *stmt;
    int changes = 0;
    int r = db_run(&s->db, &changes, err,
                   "INSERT INTO uploads(project, digest, release, dist, name, added) VALUES(?,?,?,?,?,?)"
                   " ON CONFLICT DO NOTHING",
                   "ibttti", (int64_t)u->project, digest_of(u->digest), release, dist, name, clock_unix_ns());
    if (r < 0 || !changes)
        return r < 0 ? r : 0;
    if ((r = db_query(&s->db, &stmt, err, "SELECT last_insert_rowid()", "")) == 1) {
        *ret_id = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    return r;
}

struct file_new {
    enum file_kind kind;
    str url, entry, sourcemap;
    const uint8_t *debug_id; // NULL: none
};

static int file_put(struct symbols *s, int64_t upload, uint32_t project, str release, str dist,
                    const struct file_new *f, struct err *err)
{
    static const char sql[] = "INSERT INTO files(upload, project, kind, release, dist, url, entry, sourcemap, debug_id)"
                              " VALUES(?,?,?,?,?,?,?,?,?)";
    int64_t kind = f->kind;
    return f->debug_id ? db_run(&s->db, NULL, err, sql, "iiitttttb", upload, (int64_t)project, kind, release, dist,
                                f->url, f->entry, f->sourcemap, bytes_of(f->debug_id, 16))
                       : db_run(&s->db, NULL, err, sql, "iiittttt0", upload, (int64_t)project, kind, release, dist,
                                f->url, f->entry, f->sourcemap);
}

// Only that there is one: an inline map is not kept twice.
static str without_data(str url) { return str_starts(url, STR("data:")) ? STR("data:") : url; }

// A map's own id stands at its top level; parsing a whole map for it would take its memory.
static bool map_debug_id(str json, struct arena *arena, uint8_t ret[16])
{
    struct json_reader r;
    str name, text = { 0 };
    bool found = false;
    json_reader_init(&r, json, arena, 64);
    int c = json_object(&r);
    while (c == 0 && (c = json_member(&r, &name)) > 0) {
        if ((str_eq(name, STR("debugId")) || str_eq(name, STR("debug_id"))) && json_peek(&r) == JSON_STRING) {
            if ((c = json_text(&r, &text)) == 0 && !found)
                found = debug_id_parse(text, ret);
        } else {
            c = json_peek(&r) == JSON_OBJECT || json_peek(&r) == JSON_ARRAY ? json_pass(&r) : json_skip(&r, NULL);
        }
    }
    return found;
}

// What a file's own words add to what is known of it.
static void content_read(str content, struct file_new *f, uint8_t id[16], struct arena *arena)
{
    if (f->kind == FILE_MINIFIED && !f->sourcemap.len)
        f->sourcemap = without_data(js_source_mapping_url(content));
    if (!f->debug_id &&
        (f->kind == FILE_MINIFIED ? debug_id_parse(js_debug_id(content), id) : map_debug_id(content, arena, id)))
        f->debug_id = id;
}

static bool changed(struct symbols *s, int64_t files)
{
    s->files += files;
    s->generation++;
    pthread_mutex_lock(&s->lock);
    s->dirty = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
    return true;
}

// The entries that are of use, with what their contents say; they are read where the manifest leaves something open.
static int entry_new(struct bundle_reader *zip, const struct bundle_entry *e, struct buf *content, struct arena *arena,
                     struct file_new *ret, uint8_t id[16], struct err *err)
{
    *ret = (struct file_new){ .kind = e->kind == BUNDLE_MINIFIED ? FILE_MINIFIED : FILE_MAP,
                              .url = e->url,
                              .entry = e->path,
                              .sourcemap = e->kind == BUNDLE_MINIFIED ? without_data(e->sourcemap) : (str){ 0 },
                              .debug_id = e->has_debug_id ? e->debug_id : NULL };
    if (ret->debug_id && (ret->kind == FILE_MAP || ret->sourcemap.len))
        return 0;
    buf_clear(content);
    int r = bundle_reader_read(zip, e->path, BUNDLE_ENTRY_MAX, content, err);
    if (r == 0)
        content_read(buf_view(content), ret, id, arena);
    return r;
}

int symbols_bundle_add(struct symbols *s, const struct symbols_upload *u, bytes zip, uint32_t *ret_files,
                       struct err *err)
{
    struct bundle *b;
    struct bundle_reader *reader = NULL;
    struct buf content;
    struct file_new *files = NULL;
    uint8_t(*ids)[16] = NULL;
    uint32_t n = 0;
    int64_t upload = 0;
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    int r = bundle_open(zip, &b, err);
    if (r < 0)
        return r;
    buf_init(&content, BUNDLE_ENTRY_MAX + 1);
    files = arena_alloc_array(&b->arena, b->n + 1, sizeof *files);
    ids = arena_alloc_array(&b->arena, b->n + 1, sizeof *ids);
    r = files && ids ? bundle_reader_open(zip, &reader, err) : err_set(err, ERR_NOMEM, NULL, "out of memory");
    for (uint32_t i = 0; i < b->n && r == 0; i++) {
        const struct bundle_entry *e = &b->entries[i];
        if (e->kind != BUNDLE_MINIFIED && e->kind != BUNDLE_SOURCE_MAP)
            continue;
        r = entry_new(reader, e, &content, &b->arena, &files[n], ids[n], err);
        // The reference is a view into the content, which the next entry overwrites.
        if (r == 0 && arena_dup(&b->arena, files[n].sourcemap, &files[n].sourcemap) < 0)
            r = err_set(err, ERR_NOMEM, NULL, "out of memory");
        if (r == ERR_NOENT)
            r = err_set(err, ERR_MALFORMED, NULL, "the archive has no entry that its manifest names");
        n++;
    }
    str release = u->release.len ? u->release : b->release, dist = u->dist.len ? u->dist : b->dist;
    bool fresh = false;
    if (r == 0 && (r = db_begin(&s->db, err)) == 0) {
        if ((r = upload_put(s, u, release, dist, STR(""), &upload, err)) > 0) {
            fresh = true;
            r = 0;
            for (uint32_t i = 0; i < n && r == 0; i++)
                r = file_put(s, upload, u->project, release, dist, &files[i], err);
        }
        r = db_finish(&s->db, r, err);
    }
    if (r == 0 && fresh)
        changed(s, n);
    if (r == 0 && ret_files)
        *ret_files = n;
    bundle_reader_close(reader);
    buf_free(&content);
    bundle_free(b);
    return r;
}

static bool is_map(str name, str content)
{
    str bare = name;
    ptrdiff_t query = str_find_char(name, '?', 0);
    if (query >= 0)
        bare.len = (size_t)query;
    str start = str_trim(str_slice(content, 0, 256));
    return str_ends(bare, STR(".map")) || str_ends(bare, STR(".json")) ||
           (str_starts(start, STR("{")) && str_find(str_slice(content, 0, 4096), STR("\"mappings\"")) >= 0);
}

// Deletes an upload and its files; adds to *files.
static int upload_drop(struct symbols *s, int64_t id, int64_t *files, struct err *err)
{
    int n = 0;
    int r = db_run(&s->db, &n, err, "DELETE FROM files WHERE upload = ?", "i", id);
    if (r == 0)
        r = db_run(&s->db, NULL, err, "DELETE FROM uploads WHERE id = ?", "i", id);
    *files += n;
    return r;
}

// Drops the uploads that a query finds. Its first column is their id.
static int uploads_drop(struct symbols *s, sqlite3_stmt *stmt, int found, int64_t *files, struct err *err)
{
    enum { AT_ONCE = 64 };
    int64_t ids[AT_ONCE];
    int n = 0, r = found;
    for (; r == 1 && n < AT_ONCE; r = db_next(&s->db, stmt, err))
        ids[n++] = sqlite3_column_int64(stmt, 0);
    if (r == 1)
        db_done(stmt);
    for (int i = 0; i < n && r >= 0; i++)
        r = upload_drop(s, ids[i], files, err);
    return r < 0 ? r : n == AT_ONCE;
}

int symbols_file_add(struct symbols *s, const struct symbols_upload *u, str name, str sourcemap, bytes content,
                     struct err *err)
{
    uint8_t id[16];
    struct arena arena;
    sqlite3_stmt *stmt;
    int64_t upload = 0, gone = 0;
    bool fresh = false;
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    if (!name.len || name.len > BUNDLE_NAME_MAX || !u->release.len)
        return err_set(err, ERR_INVALID, NULL, "a release's file needs a release and a name of at most %d bytes",
                       BUNDLE_NAME_MAX);
    str text = str_of_bytes(content);
    struct file_new f = { .kind = is_map(name, text) ? FILE_MAP : FILE_MINIFIED, .url = name, .entry = STR("") };
    arena_init(&arena, SOURCEMAP_TEXT_MAX);
    if (f.kind == FILE_MINIFIED)
        f.sourcemap = without_data(sourcemap);
    content_read(text, &f, id, &arena);
    arena_free(&arena);
    int r = db_begin(&s->db, err);
    if (r < 0)
        return r;
    r = db_query(&s->db, &stmt, err,
                 "SELECT id FROM uploads WHERE project = ? AND release = ? AND dist = ? AND name = ? AND digest <> ?",
                 "itttb", (int64_t)u->project, u->release, u->dist, name, digest_of(u->digest));
    if (r >= 0)
        r = uploads_drop(s, stmt, r, &gone, err);
    if (r >= 0 && (r = upload_put(s, u, u->release, u->dist, name, &upload, err)) > 0) {
        fresh = true;
        r = file_put(s, upload, u->project, u->release, u->dist, &f, err);
    }
    r = db_finish(&s->db, r, err);
    if (r == 0 && (fresh || gone))
        changed(s, (int64_t)fresh - gone);
    return r;
}

int symbols_remove(struct symbols *s, uint32_t project, const uint8_t digest[SYMBOLS_DIGEST], str name, struct err *err)
{
    sqlite3_stmt *stmt;
    int64_t gone = 0;
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    int r = db_begin(&s->db, err);
    if (r < 0)
        return r;
    do {
        r = db_query(&s->db, &stmt, err,
                     "SELECT id FROM uploads WHERE project = ? AND digest = ? AND (? = '' OR name = ?)", "ibtt",
                     (int64_t)project, digest_of(digest), name, name);
        if (r >= 0)
            r = uploads_drop(s, stmt, r, &gone, err);
    } while (r > 0);
    r = db_finish(&s->db, r, err);
    if (r == 0 && gone)
        changed(s, -gone);
    return r;
}

// ---- what there is -------------------------------------------------------------------------------------

static int id_of_debug_id(struct symbols *s, uint32_t project, const uint8_t id[16], enum file_kind kind, int64_t *ret)
{
    sqlite3_stmt *stmt;
    int r = db_query(&s->reader, &stmt, NULL,
                     "SELECT id FROM files WHERE project = ? AND debug_id = ? AND kind = ? ORDER BY id DESC LIMIT 1",
                     "ibi", (int64_t)project, bytes_of(id, 16), (int64_t)kind);
    if (r == 1) {
        *ret = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    return r < 0 ? r : 0;
}

static bool is_inline(struct symbols *s, int64_t minified)
{
    sqlite3_stmt *stmt;
    int r =
        db_query(&s->reader, &stmt, NULL, "SELECT 1 FROM files WHERE id = ? AND sourcemap = 'data:'", "i", minified);
    if (r == 1)
        db_done(stmt);
    return r == 1;
}

int registry_find_debug_id(struct symbols *s, uint32_t project, const uint8_t id[16], struct found *ret)
{
    struct found f = { 0 };
    pthread_mutex_lock(&s->reader.lock);
    int r = id_of_debug_id(s, project, id, FILE_MAP, &f.map);
    if (r == 0)
        r = id_of_debug_id(s, project, id, FILE_MINIFIED, &f.minified);
    if (r == 0 && !f.map && f.minified && is_inline(s, f.minified))
        f.map = f.minified;
    pthread_mutex_unlock(&s->reader.lock);
    if (r == 0)
        *ret = f;
    return r;
}

int symbols_has_debug_id(struct symbols *s, uint32_t project, const uint8_t id[16], bool *ret_has, struct err *err)
{
    struct found f;
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    int r = registry_find_debug_id(s, project, id, &f);
    if (r < 0)
        return err_set(err, r, NULL, "cannot read which source maps there are");
    *ret_has = f.map != 0;
    return 0;
}

int symbols_contents(struct symbols *s, uint32_t project, const uint8_t digest[SYMBOLS_DIGEST], size_t most,
                     struct arena *arena, struct symbols_contents *ret_contents, struct err *err)
{
    struct symbols_contents c = { .debug_ids = arena_alloc(arena, (most + 1) * 16) };
    sqlite3_stmt *stmt;
    MAGIC_CHECK(s, SYMBOLS_MAGIC);
    if (!c.debug_ids)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    pthread_mutex_lock(&s->reader.lock);
    int r = db_query(&s->reader, &stmt, err,
                     "SELECT f.kind, f.debug_id FROM uploads u JOIN files f ON f.upload = u.id WHERE u.project = ? AND"
                     " u.digest = ? ORDER BY f.debug_id",
                     "ib", (int64_t)project, digest_of(digest));
    for (; r == 1; r = db_next(&s->reader, stmt, err)) {
        bytes id = db_blob(stmt, 1);
        *(sqlite3_column_int64(stmt, 0) == FILE_MAP ? &c.maps : &c.minified) += 1;
        bool again = c.debug_ids_n && id.len == 16 && memcmp(c.debug_ids[c.debug_ids_n - 1], id.ptr, 16) == 0;
        if (id.len == 16 && !again && c.debug_ids_n < most)
            memcpy(c.debug_ids[c.debug_ids_n++], id.ptr, 16);
    }
    pthread_mutex_unlock(&s->reader.lock);
    if (r == 0)
        *ret_contents = c;
    return r;
}

// By one of its names; a file of the event's dist goes before one of none.
static int id_of_url(struct symbols *s, uint32_t project, str release, str dist, enum file_kind kind, str url,
                     struct arena *arena, int64_t *ret_id, str *ret_url, str *ret_sourcemap)
{
    str urls[JS_URLS_MAX];
    unsigned n = js_url_candidates(arena, url, urls);
    sqlite3_stmt *stmt;
    int r = 0;
    for (unsigned i = 0; i < n && r == 0; i++) {
        r = db_query(&s->reader, &stmt, NULL,
                     "SELECT id, url, sourcemap FROM files WHERE project = ? AND release = ? AND url = ? AND kind = ?"
                     " AND dist IN (?, '') AND release <> '' ORDER BY dist = '', id DESC LIMIT 1",
                     "ittit", (int64_t)project, release, urls[i], (int64_t)kind, dist);
        if (r != 1)
            continue;
        *ret_id = sqlite3_column_int64(stmt, 0);
        if (arena_dup(arena, db_text(stmt, 1), ret_url) < 0 || arena_dup(arena, db_text(stmt, 2), ret_sourcemap) < 0)
            r = ERR_NOMEM;
        db_done(stmt);
    }
    return r < 0 ? r : 0;
}

int registry_find_url(struct symbols *s, uint32_t project, str release, str dist, str url, struct arena *arena,
                      struct found *ret)
{
    struct found f = { 0 };
    str at = url, ref = { 0 }, map_url, none;
    pthread_mutex_lock(&s->reader.lock);
    int r = id_of_url(s, project, release, dist, FILE_MINIFIED, url, arena, &f.minified, &at, &ref);
    if (r == 0 && f.minified && str_eq(ref, STR("data:"))) {
        f.map = f.minified;
    } else if (r == 0 && (f.minified ? ref.len : url.len)) {
        // Where the file says, from where it is (its own URL, then the frame's); without the file, beside it.
        map_url = f.minified ? js_url_join(arena, url, ref) : arena_printf(arena, "%.*s.map", STR_ARG(url));
        r = map_url.ptr ? id_of_url(s, project, release, dist, FILE_MAP, map_url, arena, &f.map, &none, &none)
                        : ERR_NOMEM;
        if (r == 0 && !f.map && f.minified) {
            map_url = js_url_join(arena, at, ref);
            if (str_starts(at, STR("~")) && map_url.ptr) // it has become a path
                map_url = arena_printf(
                    arena, "~%s%.*s", str_starts(map_url, STR("/")) ? "" : "/",
                    STR_ARG(str_starts(map_url, STR("/~")) ? str_slice(map_url, 2, map_url.len) : map_url));
            r = map_url.ptr ? id_of_url(s, project, release, dist, FILE_MAP, map_url, arena, &f.map, &none, &none)
                            : ERR_NOMEM;
        }
    }
    pthread_mutex_unlock(&s->reader.lock);
    if (r == 0)
        *ret = f;
    return r;
}

int registry_newest(struct symbols *s, int64_t before, struct arena *arena, int64_t *ret_id, struct found *ret)
{
    sqlite3_stmt *stmt;
    uint32_t project = 0;
    uint8_t debug_id[16];
    bool has = false;
    str release = { 0 }, dist = { 0 }, url = { 0 };
    pthread_mutex_lock(&s->reader.lock);
    int r = db_query(&s->reader, &stmt, NULL,
                     "SELECT id, project, debug_id, release, dist, url FROM files WHERE (? = 0 OR id < ?)"
                     " AND (kind = 1 OR debug_id IS NOT NULL) ORDER BY id DESC LIMIT 1",
                     "ii", before, before);
    if (r == 1) {
        bytes id = db_blob(stmt, 2);
        *ret_id = sqlite3_column_int64(stmt, 0);
        project = (uint32_t)sqlite3_column_int64(stmt, 1);
        if ((has = id.len == sizeof debug_id))
            memcpy(debug_id, id.ptr, id.len);
        r = arena_dup(arena, db_text(stmt, 3), &release);
        r = r < 0 ? r : arena_dup(arena, db_text(stmt, 4), &dist);
        r = r < 0 ? r : arena_dup(arena, db_text(stmt, 5), &url);
        db_done(stmt);
    } else if (r == 0) {
        r = ERR_NOENT;
    }
    pthread_mutex_unlock(&s->reader.lock);
    if (r < 0)
        return r;
    return has ? registry_find_debug_id(s, project, debug_id, ret)
               : registry_find_url(s, project, release, dist, url, arena, ret);
}

int registry_file(struct symbols *s, int64_t id, struct arena *arena, struct file_row *ret, struct err *err)
{
    sqlite3_stmt *stmt;
    struct file_row f = { 0 };
    pthread_mutex_lock(&s->reader.lock);
    int r =
        db_query(&s->reader, &stmt, err,
                 "SELECT u.digest, f.entry, f.url, f.sourcemap, f.kind FROM files f JOIN uploads u ON u.id = f.upload"
                 " WHERE f.id = ?",
                 "i", id);
    if (r == 1) {
        bytes digest = db_blob(stmt, 0);
        f.kind = (enum file_kind)sqlite3_column_int(stmt, 4);
        if (digest.len != SYMBOLS_DIGEST)
            r = db_corrupt(&s->reader, err, "a digest");
        else if (arena_dup(arena, db_text(stmt, 1), &f.entry) < 0 || arena_dup(arena, db_text(stmt, 2), &f.url) < 0 ||
                 arena_dup(arena, db_text(stmt, 3), &f.sourcemap) < 0)
            r = err_set(err, ERR_NOMEM, NULL, "out of memory");
        else
            memcpy(f.digest, digest.ptr, digest.len);
        db_done(stmt);
    } else if (r == 0) {
        r = err_set(err, ERR_NOENT, NULL, "the source map has been removed");
    }
    pthread_mutex_unlock(&s->reader.lock);
    if (r < 0)
        return r;
    *ret = f;
    return 0;
}

// ---- what waits ----------------------------------------------------------------------------------------

int registry_waiting_put(struct symbols *s, const struct waiting *w)
{
    sqlite3_stmt *stmt;
    int r = db_begin(&s->db, NULL);
    if (r < 0)
        return r;
    r = db_query(&s->db, &stmt, NULL, "SELECT count(*), sum(length(payload)) FROM waiting WHERE project = ?", "i",
                 (int64_t)w->project);
    if (r == 1) {
        bool full = sqlite3_column_int64(stmt, 0) >= WAITING_MAX ||
                    sqlite3_column_int64(stmt, 1) + (int64_t)w->packed.len > WAITING_BYTES_MAX;
        db_done(stmt);
        r = full ? ERR_LIMIT : 0;
    }
    if (r == 0)
        r = db_run(
            &s->db, NULL, NULL,
            "INSERT INTO waiting(project, key, \"group\", payload, added) VALUES(?,?,?,?,?) ON CONFLICT DO NOTHING",
            "iitbi", (int64_t)w->project, w->key, w->group, w->packed, clock_unix_ns());
    return db_finish(&s->db, r, NULL);
}

int registry_waiting_next(struct symbols *s, int64_t after, struct arena *arena, struct waiting_row *ret)
{
    sqlite3_stmt *stmt;
    str packed = { 0 };
    struct waiting_row w = { 0 };
    pthread_mutex_lock(&s->reader.lock);
    int r =
        db_query(&s->reader, &stmt, NULL,
                 "SELECT id, project, \"group\", payload FROM waiting WHERE id > ? ORDER BY id LIMIT 1", "i", after);
    if (r == 1) {
        w.id = sqlite3_column_int64(stmt, 0);
        w.project = (uint32_t)sqlite3_column_int64(stmt, 1);
        if (arena_dup(arena, db_text(stmt, 2), &w.group) < 0 ||
            arena_dup(arena, str_of_bytes(db_blob(stmt, 3)), &packed) < 0)
            r = ERR_NOMEM;
        w.packed = bytes_of_str(packed);
        db_done(stmt);
    } else if (r == 0) {
        r = ERR_NOENT;
    }
    pthread_mutex_unlock(&s->reader.lock);
    if (r < 0)
        return r;
    *ret = w;
    return 0;
}

static int run_locked(struct symbols *s, const char *sql, int64_t value)
{
    pthread_mutex_lock(&s->db.lock);
    int r = db_run(&s->db, NULL, NULL, sql, "i", value);
    pthread_mutex_unlock(&s->db.lock);
    return r;
}

int registry_waiting_drop(struct symbols *s, int64_t id)
{
    return run_locked(s, "DELETE FROM waiting WHERE id = ?", id);
}

int registry_waiting_expire(struct symbols *s)
{
    return run_locked(s, "DELETE FROM waiting WHERE added < ?",
                      clock_unix_ns() - WAITING_DAYS * 24 * INT64_C(3600000000000));
}

uint64_t registry_waiting_count(struct symbols *s)
{
    sqlite3_stmt *stmt;
    uint64_t n = 0;
    pthread_mutex_lock(&s->reader.lock);
    if (db_query(&s->reader, &stmt, NULL, "SELECT count(*) FROM waiting", "") == 1) {
        n = (uint64_t)sqlite3_column_int64(stmt, 0);
        db_done(stmt);
    }
    pthread_mutex_unlock(&s->reader.lock);
    return n;
}
