// The database of cells. Rows of one (kind, minute, key) are merged as they are written, so that a range reads each
// figure once; see docs/formats.md for the tables.
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "red/red_internal.h"

#include <stdio.h>
#include <stdlib.h>

enum { DB_FORMAT = 1, CELL_BLOB_MAX = 1 << 20, WINDOW_BLOB_MAX = 64 << 20, COARSEN_WINDOWS = 6 };

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS key (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, type INTEGER NOT NULL,"
    " project INTEGER NOT NULL, callee_project INTEGER NOT NULL, service TEXT NOT NULL, version TEXT NOT NULL,"
    " environment TEXT NOT NULL, name TEXT NOT NULL, system TEXT NOT NULL, language TEXT NOT NULL,"
    " runtime TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS cell (kind INTEGER NOT NULL, minute INTEGER NOT NULL, key INTEGER NOT NULL,"
    " requests INTEGER NOT NULL, errors INTEGER NOT NULL, logs INTEGER NOT NULL, log_errors INTEGER NOT NULL,"
    " last INTEGER NOT NULL, durations BLOB NOT NULL, instances BLOB NOT NULL, PRIMARY KEY (kind, minute, key))"
    " WITHOUT ROWID;";

enum statement {
    SQL_STATE,
    SQL_SET_STATE,
    SQL_KEYS,
    SQL_SET_KEY,
    SQL_CELL,
    SQL_SET_CELL,
    SQL_RANGE,
    SQL_WINDOW,
    SQL_DROP_WINDOW,
    SQL_EXPIRE,
    SQL_EXPIRE_KEYS,
    SQL_OLDEST,
    SQL_BEGIN,
    SQL_BEGIN_WRITE,
    SQL_PIN,
    SQL_COMMIT,
    SQL_ROLLBACK,
};
#define CELL_COLUMNS "key, minute, requests, errors, logs, log_errors, last, durations, instances"
static const char *const statements[] = {
    [SQL_STATE] = "SELECT value FROM state WHERE name = ?1",
    [SQL_SET_STATE] = "INSERT OR REPLACE INTO state VALUES (?1, ?2)",
    [SQL_KEYS] = "SELECT id, kind, type, project, callee_project, first, last, service, version, environment, name,"
                 " system, language, runtime FROM key ORDER BY kind, id",
    [SQL_SET_KEY] =
        "INSERT OR REPLACE INTO key (id, kind, type, project, callee_project, first, last, service, version,"
        " environment, name, system, language, runtime)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    [SQL_CELL] = "SELECT " CELL_COLUMNS " FROM cell WHERE kind = ?1 AND minute = ?2 AND key = ?3",
    [SQL_SET_CELL] = "INSERT OR REPLACE INTO cell (kind, " CELL_COLUMNS ")"
                     " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    [SQL_RANGE] = "SELECT " CELL_COLUMNS " FROM cell WHERE kind = ?1 AND minute >= ?2 AND minute < ?3",
    [SQL_WINDOW] = "SELECT " CELL_COLUMNS " FROM cell WHERE kind = ?1 AND minute >= ?2 AND minute < ?3 ORDER BY key",
    [SQL_DROP_WINDOW] = "DELETE FROM cell WHERE kind = ?1 AND minute >= ?2 AND minute < ?3",
    [SQL_EXPIRE] = "DELETE FROM cell WHERE kind = ?1 AND minute < ?2",
    [SQL_EXPIRE_KEYS] = "DELETE FROM key WHERE last < ?1",
    [SQL_OLDEST] = "SELECT min(minute) FROM cell WHERE kind = ?1",
    [SQL_BEGIN] = "BEGIN",
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_PIN] = "SELECT 1 FROM state LIMIT 1",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
};
_Static_assert(sizeof statements / sizeof statements[0] <= 24, "red_db.statement has room for all");

// ---- SQLite --------------------------------------------------------------------------------------------

static int failed(struct red_db *db, int rc, struct err *err)
{
    return db_error(&db->db, rc, err, "the derived figures");
}

static int corrupt(struct red_db *db, struct err *err)
{
    return db_corrupt(&db->db, err, "the derived figures: a row is not what was written");
}

static int statement(struct red_db *db, enum statement i, sqlite3_stmt **ret, struct err *err)
{
    if (!db->statement[i]) {
        int rc =
            sqlite3_prepare_v3(db->db.handle, statements[i], -1, SQLITE_PREPARE_PERSISTENT, &db->statement[i], NULL);
        if (rc != SQLITE_OK)
            return failed(db, rc, err);
    }
    *ret = db->statement[i];
    return 0;
}

// Runs it to its end (no rows are wanted) with up to three numbers.
static int run(struct red_db *db, enum statement i, const int64_t *numbers, int n, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = statement(db, i, &s, err);
    if (r < 0)
        return r;
    for (int k = 0; k < n; k++)
        sqlite3_bind_int64(s, k + 1, numbers[k]);
    int rc = sqlite3_step(s);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW)
        r = failed(db, rc, err);
    sqlite3_reset(s);
    return r;
}

static void rollback(struct red_db *db)
{
    if (!sqlite3_get_autocommit(db->db.handle))
        run(db, SQL_ROLLBACK, NULL, 0, NULL);
}

static int bind_text(sqlite3_stmt *s, int i, str text)
{
    return sqlite3_bind_text64(s, i, text.ptr ? text.ptr : "", text.len, SQLITE_STATIC, SQLITE_UTF8);
}

void red_db_close(struct red_db *db)
{
    for (size_t i = 0; i < sizeof db->statement / sizeof db->statement[0]; i++)
        sqlite3_finalize(db->statement[i]);
    db_close(&db->db);
    *db = (struct red_db){ 0 };
}

int red_db_open(struct red_db *db, const char *path, bool writer, struct err *err)
{
    *db = (struct red_db){ 0 };
    int r = db_open(&db->db, path, "derived_database", writer ? DB_WRITE | DB_CREATE : 0, err);
    if (r == 0 && writer)
        r = db_script(&db->db, err, schema);
    if (r < 0)
        red_db_close(db);
    return r;
}

// ---- state ---------------------------------------------------------------------------------------------

// Number or blob of a name; 0 and untouched outputs when there is none.
static int state_get(struct red_db *db, str name, int64_t *ret_number, struct buf *ret_blob, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = statement(db, SQL_STATE, &s, err);
    if (r < 0)
        return r;
    bind_text(s, 1, name);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW && ret_number)
        *ret_number = sqlite3_column_int64(s, 0);
    if (rc == SQLITE_ROW && ret_blob) {
        bytes b = db_blob(s, 0);
        r = buf_append(ret_blob, b.ptr, b.len);
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        r = failed(db, rc, err);
    sqlite3_reset(s);
    return r;
}

static int state_set(struct red_db *db, str name, int64_t number, const struct buf *blob, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = statement(db, SQL_SET_STATE, &s, err);
    if (r < 0)
        return r;
    bind_text(s, 1, name);
    if (blob)
        sqlite3_bind_blob64(s, 2, blob->ptr ? (const void *)blob->ptr : "", blob->len, SQLITE_STATIC);
    else
        sqlite3_bind_int64(s, 2, number);
    int rc = sqlite3_step(s);
    if (rc != SQLITE_DONE)
        r = failed(db, rc, err);
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    return r;
}

static int load_keys(struct red_db *db, struct keys *keys, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = statement(db, SQL_KEYS, &s, err), rc = SQLITE_DONE;
    while (r == 0 && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        int64_t id = sqlite3_column_int64(s, 0);
        struct red_key k = { .id = (uint32_t)id,
                             .kind = (uint8_t)sqlite3_column_int(s, 1),
                             .type = (uint8_t)sqlite3_column_int(s, 2),
                             .project = (uint32_t)sqlite3_column_int64(s, 3),
                             .callee_project = (uint32_t)sqlite3_column_int64(s, 4),
                             .first = sqlite3_column_int64(s, 5),
                             .last = sqlite3_column_int64(s, 6),
                             .service = db_text(s, 7),
                             .version = db_text(s, 8),
                             .environment = db_text(s, 9),
                             .name = db_text(s, 10),
                             .system = db_text(s, 11),
                             .language = db_text(s, 12),
                             .runtime = db_text(s, 13) };
        r = id < 0 || id > UINT32_MAX ? ERR_CORRUPT : keys_restore(keys, &k);
    }
    if (r == ERR_CORRUPT)
        corrupt(db, err);
    if (r == 0 && rc != SQLITE_DONE)
        r = failed(db, rc, err);
    if (s)
        sqlite3_reset(s);
    return r;
}

int red_db_load(struct red_db *db, struct counts *c, uint64_t *ret_passed, uint32_t *ret_coarse_until, struct err *err)
{
    int64_t format = 0, passed = 0, coarse = 0;
    struct buf window;
    buf_init(&window, WINDOW_BLOB_MAX);
    int r = state_get(db, STR("format"), &format, NULL, err);
    if (r == 0 && format != 0 && format != DB_FORMAT) {
        r = err_set(err, ERR_UNSUPPORTED, "derived_database", "the derived figures are of another version (%lld)",
                    (long long)format);
        err_set_place(err, "%s", db->db.path);
    }
    if (r == 0)
        r = state_get(db, STR("passed"), &passed, NULL, err);
    if (r == 0)
        r = state_get(db, STR("coarse_until"), &coarse, NULL, err);
    if (r == 0)
        r = state_get(db, STR("window"), NULL, &window, err);
    if (r == 0)
        r = load_keys(db, &c->keys, err);
    if (r == 0 && window.len) {
        r = window_load(&c->window, buf_bytes(&window), (uint32_t)(clock_unix_ns() / NS_PER_S));
        if (r == ERR_CORRUPT)
            corrupt(db, err);
    }
    buf_free(&window);
    if (r < 0)
        return r;
    *ret_passed = (uint64_t)passed;
    *ret_coarse_until = (uint32_t)coarse;
    return 0;
}

// ---- cells ---------------------------------------------------------------------------------------------

// Adds the current row to a cell.
static int cell_from_row(struct red_db *db, sqlite3_stmt *s, struct arena *arena, struct cell *c, struct err *err)
{
    bytes instances = db_blob(s, 8);
    int64_t last = sqlite3_column_int64(s, 6);
    int r = durations_decode(arena, &c->durations, db_blob(s, 7));
    c->requests += (uint64_t)sqlite3_column_int64(s, 2);
    c->errors += (uint64_t)sqlite3_column_int64(s, 3);
    c->logs += (uint64_t)sqlite3_column_int64(s, 4);
    c->log_errors += (uint64_t)sqlite3_column_int64(s, 5);
    if (last > c->last)
        c->last = last;
    if (instances.len % 4 || instances.len / 4 > CELL_INSTANCES_MAX)
        r = ERR_CORRUPT;
    for (size_t i = 0; i < instances.len / 4 && r == 0; i++)
        r = cell_instance(arena, c, le32_get(instances.ptr + 4 * i));
    return r == ERR_CORRUPT ? corrupt(db, err) : r < 0 ? err_set(err, r, NULL, "out of memory") : 0;
}

static int write_cell(struct red_db *db, enum red_kind kind, uint32_t key, const struct cell *c, struct buf *scratch,
                      struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = statement(db, SQL_SET_CELL, &s, err);
    if (r < 0)
        return r;
    buf_clear(scratch);
    durations_encode(&c->durations, scratch);
    size_t durations = scratch->len;
    for (unsigned i = 0; i < c->instances_n; i++)
        buf_le32(scratch, c->instances[i]);
    if (scratch->error)
        return err_set(err, scratch->error, NULL, "out of memory");
    const int64_t numbers[] = {
        kind,   key, c->minute, (int64_t)c->requests, (int64_t)c->errors, (int64_t)c->logs, (int64_t)c->log_errors,
        c->last
    };
    for (int i = 0; i < 8; i++)
        sqlite3_bind_int64(s, i + 1, numbers[i]);
    sqlite3_bind_blob64(s, 9, scratch->ptr, durations, SQLITE_STATIC);
    sqlite3_bind_blob64(s, 10, scratch->ptr + durations, scratch->len - durations, SQLITE_STATIC);
    int rc = sqlite3_step(s);
    sqlite3_reset(s);
    return rc == SQLITE_DONE ? 0 : failed(db, rc, err);
}

// What the database has of the cell's minute (where that is coarse by now, of its ten minutes) and the cell together.
static int merge_cell(struct red_db *db, const struct cell *cell, uint32_t coarse_until, struct arena *arena,
                      struct buf *scratch, struct err *err)
{
    struct cell c = { .minute = cell->minute, .last = INT64_MIN };
    sqlite3_stmt *s = NULL;
    int r = statement(db, SQL_CELL, &s, err);
    if (c.minute < coarse_until)
        c.minute -= c.minute % COARSE_MINUTES;
    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, cell->key->kind);
    sqlite3_bind_int64(s, 2, c.minute);
    sqlite3_bind_int64(s, 3, cell->key->id);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        r = cell_from_row(db, s, arena, &c, err);
    else if (rc != SQLITE_DONE)
        r = failed(db, rc, err);
    sqlite3_reset(s);
    if (r == 0 && cell_merge(arena, &c, cell) < 0)
        r = err_set(err, ERR_NOMEM, NULL, "out of memory");
    return r < 0 ? r : write_cell(db, cell->key->kind, cell->key->id, &c, scratch, err);
}

static int write_key(struct red_db *db, const struct red_key *k, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = statement(db, SQL_SET_KEY, &s, err);
    if (r < 0)
        return r;
    const int64_t numbers[] = { k->id, k->kind, k->type, k->project, k->callee_project, k->first, k->last };
    const str texts[] = { k->service, k->version, k->environment, k->name, k->system, k->language, k->runtime };
    for (int i = 0; i < 7; i++) {
        sqlite3_bind_int64(s, i + 1, numbers[i]);
        bind_text(s, i + 8, texts[i]);
    }
    int rc = sqlite3_step(s);
    sqlite3_reset(s);
    return rc == SQLITE_DONE ? 0 : failed(db, rc, err);
}

static int cell_order(const void *a, const void *b)
{
    const struct cell *x = *(struct cell *const *)a, *y = *(struct cell *const *)b;
    if (x->key->kind != y->key->kind)
        return (int)x->key->kind - (int)y->key->kind;
    if (x->minute != y->minute)
        return x->minute < y->minute ? -1 : 1;
    return (x->key->id > y->key->id) - (x->key->id < y->key->id);
}

static int save_cells(struct red_db *db, const struct delta *d, uint32_t coarse_until, struct err *err)
{
    struct arena arena;
    struct buf scratch;
    struct cell **cells = mem_calloc(d->n, sizeof *cells);
    size_t n = 0;
    int r = cells ? 0 : err_set(err, ERR_NOMEM, NULL, "out of memory");
    arena_init(&arena, CELL_BLOB_MAX * 4);
    buf_init(&scratch, CELL_BLOB_MAX);
    for (struct cell *c = cells ? d->all : NULL; c; c = c->next)
        cells[n++] = c;
    if (n)
        qsort(cells, n, sizeof *cells, cell_order);
    for (size_t i = 0; i < n && r == 0; i++) {
        r = merge_cell(db, cells[i], coarse_until, &arena, &scratch, err);
        arena_reset(&arena);
    }
    arena_free(&arena);
    buf_free(&scratch);
    mem_free(cells);
    return r;
}

static int save_all(struct red_db *db, const struct counts *c, uint64_t generation, uint32_t coarse_until,
                    struct err *err)
{
    struct buf window;
    int r = 0;
    for (uint32_t i = 0; i < c->keys.end && r == 0; i++)
        if (c->keys.by_id[i] && c->keys.by_id[i]->dirty)
            r = write_key(db, c->keys.by_id[i], err);
    if (r == 0)
        r = save_cells(db, &c->delta, coarse_until, err);
    buf_init(&window, WINDOW_BLOB_MAX);
    if (r == 0 && window_save(&c->window, &window) < 0)
        r = err_set(err, window.error, NULL, "out of memory");
    if (r == 0)
        r = state_set(db, STR("window"), 0, &window, err);
    if (r == 0)
        r = state_set(db, STR("passed"), (int64_t)generation, NULL, err);
    if (r == 0)
        r = state_set(db, STR("format"), DB_FORMAT, NULL, err);
    buf_free(&window);
    return r;
}

int red_db_save(struct red_db *db, struct counts *c, pthread_mutex_t *state, uint64_t generation, uint32_t coarse_until,
                struct err *err)
{
    int r = run(db, SQL_BEGIN_WRITE, NULL, 0, err);
    if (r == 0)
        r = save_all(db, c, generation, coarse_until, err);
    if (r == 0) {
        pthread_mutex_lock(state);
        r = run(db, SQL_COMMIT, NULL, 0, err);
        if (r == 0) {
            delta_clear(&c->delta);
            for (uint32_t i = 0; i < c->keys.end; i++)
                if (c->keys.by_id[i])
                    c->keys.by_id[i]->dirty = false;
        }
        pthread_mutex_unlock(state);
    }
    if (r < 0)
        rollback(db);
    return r;
}

// ---- upkeep --------------------------------------------------------------------------------------------

// Ten minutes of one kind into one row a key.
static int coarsen_window(struct red_db *db, enum red_kind kind, uint32_t from, struct err *err)
{
    struct arena arena;
    struct buf scratch;
    struct cell *cells = NULL;
    uint32_t *keys = NULL, n = 0, cap = 0;
    sqlite3_stmt *s = NULL;
    const int64_t range[] = { kind, from, from + COARSE_MINUTES };
    int rc = SQLITE_DONE, r = statement(db, SQL_WINDOW, &s, err);
    arena_init(&arena, DELTA_BYTES_MAX);
    buf_init(&scratch, CELL_BLOB_MAX);
    for (int i = 0; i < 3 && r == 0; i++)
        sqlite3_bind_int64(s, i + 1, range[i]);
    while (r == 0 && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        uint32_t key = (uint32_t)sqlite3_column_int64(s, 0);
        if (n == 0 || keys[n - 1] != key) {
            if (n == cap) {
                cap = cap ? cap * 2 : 64;
                void *c = mem_reallocarray(cells, cap, sizeof *cells);
                cells = c ? c : cells;
                void *k = c ? mem_reallocarray(keys, cap, sizeof *keys) : NULL;
                keys = k ? k : keys;
                if (!k) {
                    r = err_set(err, ERR_NOMEM, NULL, "out of memory");
                    break;
                }
            }
            keys[n] = key;
            cells[n++] = (struct cell){ .minute = from, .last = INT64_MIN };
        }
        r = cell_from_row(db, s, &arena, &cells[n - 1], err);
    }
    if (r == 0 && rc != SQLITE_DONE)
        r = failed(db, rc, err);
    if (s)
        sqlite3_reset(s);
    if (r == 0 && n)
        r = run(db, SQL_DROP_WINDOW, range, 3, err);
    for (uint32_t i = 0; i < n && r == 0; i++)
        r = write_cell(db, kind, keys[i], &cells[i], &scratch, err);
    mem_free(cells);
    mem_free(keys);
    arena_free(&arena);
    buf_free(&scratch);
    return r;
}

// The first minute of any cell; `none` when there is none.
static int oldest(struct red_db *db, uint32_t none, uint32_t *ret_minute, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int r = statement(db, SQL_OLDEST, &s, err);
    uint32_t least = none;
    for (int kind = RED_SERIES; kind <= RED_EDGE && r == 0; kind++) {
        sqlite3_bind_int64(s, 1, kind);
        int rc = sqlite3_step(s);
        if (rc == SQLITE_ROW && sqlite3_column_type(s, 0) == SQLITE_INTEGER && sqlite3_column_int64(s, 0) < least)
            least = (uint32_t)sqlite3_column_int64(s, 0);
        else if (rc != SQLITE_ROW)
            r = failed(db, rc, err);
        sqlite3_reset(s);
    }
    if (r == 0)
        *ret_minute = least;
    return r;
}

int red_db_coarsen(struct red_db *db, uint32_t *coarse_until, uint32_t until, bool *ret_more, struct err *err)
{
    uint32_t at = *coarse_until, end = until - until % COARSE_MINUTES;
    int r = 0;
    *ret_more = false;
    if (at == 0) { // nothing was made coarse so far: begin where there is something
        if ((r = oldest(db, end, &at, err)) < 0)
            return r;
        at -= at % COARSE_MINUTES;
    }
    if (at >= end && *coarse_until)
        return 0;
    if ((r = run(db, SQL_BEGIN_WRITE, NULL, 0, err)) < 0)
        return r;
    for (int i = 0; i < COARSEN_WINDOWS && at < end && r == 0; i++, at += COARSE_MINUTES)
        for (int kind = RED_SERIES; kind <= RED_EDGE && r == 0; kind++)
            r = coarsen_window(db, (enum red_kind)kind, at, err);
    if (r == 0)
        r = state_set(db, STR("coarse_until"), at, NULL, err);
    if (r == 0)
        r = run(db, SQL_COMMIT, NULL, 0, err);
    if (r < 0) {
        rollback(db);
        return r;
    }
    *coarse_until = at;
    *ret_more = at < end;
    return 0;
}

int red_db_expire(struct red_db *db, uint32_t before, uint32_t unused, struct err *err)
{
    const int64_t minute = before, key_minute = unused;
    int r = run(db, SQL_BEGIN_WRITE, NULL, 0, err);
    for (int kind = RED_SERIES; kind <= RED_EDGE && r == 0; kind++) {
        const int64_t numbers[] = { kind, minute };
        r = run(db, SQL_EXPIRE, numbers, 2, err);
    }
    if (r == 0)
        r = run(db, SQL_EXPIRE_KEYS, &key_minute, 1, err);
    if (r == 0)
        r = run(db, SQL_COMMIT, NULL, 0, err);
    if (r < 0)
        rollback(db);
    return r;
}

// ---- reading -------------------------------------------------------------------------------------------

int red_db_read_begin(struct red_db *db, struct err *err)
{
    int r = run(db, SQL_BEGIN, NULL, 0, err);
    if (r == 0 && (r = run(db, SQL_PIN, NULL, 0, err)) < 0)
        rollback(db);
    return r;
}

void red_db_read_end(struct red_db *db) { rollback(db); }

int red_db_read(struct red_db *db, enum red_kind kind, uint32_t from, uint32_t to, struct arena *arena,
                int (*cell)(void *ctx, uint32_t key, struct cell **ret_cell), void *ctx, struct err *err)
{
    sqlite3_stmt *s = NULL;
    int rc = SQLITE_DONE, r = statement(db, SQL_RANGE, &s, err);
    if (r < 0)
        return r;
    sqlite3_bind_int64(s, 1, kind);
    sqlite3_bind_int64(s, 2, from);
    sqlite3_bind_int64(s, 3, to);
    while (r == 0 && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct cell *c = NULL;
        r = cell(ctx, (uint32_t)sqlite3_column_int64(s, 0), &c);
        if (r < 0)
            err_set(err, r, NULL, "%s", err_text(r));
        if (r < 0 || !c)
            continue;
        c->minute = (uint32_t)sqlite3_column_int64(s, 1);
        r = cell_from_row(db, s, arena, c, err);
    }
    if (r == 0 && rc != SQLITE_DONE)
        r = failed(db, rc, err);
    sqlite3_reset(s);
    return r;
}
