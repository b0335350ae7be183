// See audit.h for the chain. Hashed bytes of entry n: hash(n-1) [32], seq and time as le64, then each
// text as le32 length and bytes, in the order actor, action, target, detail.
#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "meta/meta_internal.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>

static void audit_hash_text(crypto_generichash_state *st, str s)
{
    uint8_t len[4];
    le32_put(len, (uint32_t)s.len);
    crypto_generichash_update(st, len, sizeof len);
    if (s.len)
        crypto_generichash_update(st, (const uint8_t *)s.ptr, s.len);
}

static void audit_hash(const uint8_t prev[32], int64_t seq, int64_t time_ns, str actor, str action, str target,
                       str detail, uint8_t ret[32])
{
    crypto_generichash_state st;
    uint8_t head[16];
    le64_put(head, (uint64_t)seq);
    le64_put(head + 8, (uint64_t)time_ns);
    crypto_generichash_init(&st, NULL, 0, 32);
    crypto_generichash_update(&st, prev, 32);
    crypto_generichash_update(&st, head, sizeof head);
    audit_hash_text(&st, actor);
    audit_hash_text(&st, action);
    audit_hash_text(&st, target);
    audit_hash_text(&st, detail);
    crypto_generichash_final(&st, ret, 32);
}

static int audit_head(struct db *db, int64_t *ret_seq, uint8_t ret_hash[32], struct err *err)
{
    sqlite3_stmt *stmt;
    int r = db_query(db, &stmt, err, "SELECT seq, hash FROM audit_head WHERE id = 1", "");
    if (r < 0)
        return r;
    if (r == 0)
        return err_set(err, ERR_CORRUPT, "audit_broken", "the audit trail has lost its head");
    int64_t seq = sqlite3_column_int64(stmt, 0);
    bool sound = sqlite3_column_bytes(stmt, 1) == 32;
    if (sound)
        memcpy(ret_hash, sqlite3_column_blob(stmt, 1), 32);
    db_done(stmt);
    if (!sound)
        return err_set(err, ERR_CORRUPT, "audit_broken", "the audit trail's head is damaged");
    *ret_seq = seq;
    return 0;
}

int meta_audit_put(struct meta *m, str actor, const char *action, str target, str detail, struct err *err)
{
    int64_t seq, now = clock_unix_ns();
    uint8_t prev[32], hash[32];
    actor = str_slice(actor, 0, META_NAME_MAX);
    target = str_slice(target, 0, sizeof((struct meta_audit_entry *)0)->target - 1);
    detail = str_slice(detail, 0, sizeof((struct meta_audit_entry *)0)->detail - 1);
    int r = audit_head(&m->writer, &seq, prev, err);
    if (r < 0)
        return r;
    seq++;
    audit_hash(prev, seq, now, actor, str_z(action), target, detail, hash);
    r = db_run(&m->writer, NULL, err,
               "INSERT INTO audit (seq, time_ns, actor, action, target, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
               "iitzttb", seq, now, actor, action, target, detail, bytes_of(hash, 32));
    if (r == 0)
        r = db_run(&m->writer, NULL, err, "UPDATE audit_head SET seq = ?, hash = ? WHERE id = 1", "ib", seq,
                   bytes_of(hash, 32));
    return r;
}

int meta_audit_add(struct meta *m, str actor, const char *action, str target, str detail, struct err *err)
{
    int r = meta_begin(m, err);
    if (r < 0)
        return r;
    return meta_finish(m, meta_audit_put(m, actor, action, target, detail, err), err);
}

static void audit_read(sqlite3_stmt *stmt, struct meta_audit_entry *e)
{
    memset(e, 0, sizeof *e);
    e->seq = sqlite3_column_int64(stmt, 0);
    e->time_ns = sqlite3_column_int64(stmt, 1);
    db_copy_text(stmt, 2, e->actor, sizeof e->actor);
    db_copy_text(stmt, 3, e->action, sizeof e->action);
    db_copy_text(stmt, 4, e->target, sizeof e->target);
    db_copy_text(stmt, 5, e->detail, sizeof e->detail);
    if (sqlite3_column_bytes(stmt, 6) == 32)
        memcpy(e->hash, sqlite3_column_blob(stmt, 6), 32);
}

// What LIKE would take for a sign stands for itself.
static int like_pattern(str containing, struct buf *out)
{
    buf_byte(out, '%');
    for (size_t i = 0; i < containing.len; i++) {
        if (strchr("%_\\", containing.ptr[i]))
            buf_byte(out, '\\');
        buf_byte(out, (uint8_t)containing.ptr[i]);
    }
    buf_byte(out, '%');
    return out->error;
}

int meta_audit_list(struct meta *m, int64_t before_seq, str containing, size_t n, struct meta_audit_entry **ret_entries,
                    size_t *ret_n, struct err *err)
{
    struct meta_audit_entry *list = mem_calloc(n, sizeof *list);
    struct buf pattern;
    buf_init(&pattern, 4096);
    if (!list || like_pattern(containing, &pattern) < 0) {
        mem_free(list);
        buf_free(&pattern);
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    }
    sqlite3_stmt *stmt;
    size_t got = 0;
    pthread_mutex_lock(&m->reader.lock);
    int r = db_query(
        &m->reader, &stmt, err,
        "SELECT seq, time_ns, actor, action, target, detail, hash FROM audit WHERE seq < ? AND (actor || ' ' || "
        "action || ' ' || target || ' ' || detail) LIKE ? ESCAPE '\\' ORDER BY seq DESC LIMIT ?",
        "iti", before_seq > 0 ? before_seq : INT64_MAX, buf_view(&pattern), (int64_t)n);
    buf_free(&pattern);
    while (r == 1 && got < n) {
        audit_read(stmt, &list[got++]);
        r = db_next(&m->reader, stmt, err);
    }
    if (r == 1)
        db_done(stmt);
    pthread_mutex_unlock(&m->reader.lock);
    if (r < 0) {
        mem_free(list);
        return r;
    }
    *ret_entries = list;
    *ret_n = got;
    return 0;
}

struct audit_walk {
    struct meta_audit_report *report;
    uint8_t prev[32];
    const uint8_t *expect_head;
    bool seen_head;
};

static bool audit_walk_row(struct audit_walk *w, sqlite3_stmt *stmt)
{
    int64_t seq = sqlite3_column_int64(stmt, 0), time_ns = sqlite3_column_int64(stmt, 1);
    str text[4];
    uint8_t hash[32];
    for (int i = 0; i < 4; i++) {
        const char *p = (const char *)sqlite3_column_text(stmt, 2 + i);
        text[i] = str_of(p ? p : "", (size_t)sqlite3_column_bytes(stmt, 2 + i));
    }
    audit_hash(w->prev, w->report->entries + 1, time_ns, text[0], text[1], text[2], text[3], hash);
    if (seq != w->report->entries + 1 || sqlite3_column_bytes(stmt, 6) != 32 ||
        sodium_memcmp(hash, sqlite3_column_blob(stmt, 6), 32) != 0) {
        w->report->bad_seq = w->report->entries + 1;
        return false;
    }
    memcpy(w->prev, hash, 32);
    w->report->entries++;
    if (w->expect_head && memcmp(w->expect_head, hash, 32) == 0)
        w->seen_head = true;
    return true;
}

int meta_audit_verify(struct meta *m, const uint8_t *expect_head, struct meta_audit_report *ret_report, struct err *err)
{
    struct meta_audit_report report = { 0 };
    struct audit_walk w = { .report = &report, .expect_head = expect_head };
    int64_t head_seq = 0;
    uint8_t head[32];
    struct db db;
    sqlite3_stmt *stmt;
    // A connection of its own: a long trail must not keep everybody's sessions waiting for the shared one.
    int r = db_open(&db, m->reader.path, "meta_database", 0, err);
    if (r < 0)
        return r;
    // One read transaction: entries and head of the same moment, whatever is written meanwhile.
    r = db_run(&db, NULL, err, "BEGIN", "");
    if (r == 0)
        r = audit_head(&db, &head_seq, head, err);
    if (r == 0) {
        r = db_query(&db, &stmt, err,
                     "SELECT seq, time_ns, actor, action, target, detail, hash FROM audit ORDER BY seq", "");
        while (r == 1)
            r = audit_walk_row(&w, stmt) ? db_next(&db, stmt, err) : 2;
        if (r == 2)
            db_done(stmt);
    }
    if (!sqlite3_get_autocommit(db.handle))
        db_run(&db, NULL, NULL, "COMMIT", "");
    db_close(&db);
    if (r < 0)
        return r;
    memcpy(report.head, w.prev, 32);
    if (!report.bad_seq && (head_seq != report.entries || memcmp(head, w.prev, 32) != 0))
        report.bad_seq = report.entries + 1;
    *ret_report = report;
    if (report.bad_seq)
        return err_set(err, ERR_CORRUPT, "audit_broken", "the audit trail was changed: entry %" PRId64 " does not fit",
                       report.bad_seq);
    if (expect_head && !w.seen_head)
        return err_set(err, ERR_CORRUPT, "audit_broken",
                       "the audit trail holds no entry with the given hash: its end was cut or rewritten");
    return 0;
}
