// Enrolment: tokens that are good once, and the secret that a host gets for one.
#include "base/timefmt.h"
#include "live/live_internal.h"
#include "meta/audit.h"

#include <sodium.h>
#include <stdio.h>

enum { TOKEN_LIFE_S = 3600 };

int64_t live_id_of(str text, char letter)
{
    char probe[32];
    // Numbers are read alike; only the letter differs.
    if (text.len < 2 || text.len >= sizeof probe || text.ptr[0] != letter)
        return 0;
    memcpy(probe, text.ptr, text.len);
    probe[0] = 'p';
    return probe_id_of(str_of(probe, text.len));
}

// 256 random bits; only the hash is kept (meta/token.h has the reasons).
static void secret_make(const char *prefix, char out[LIVE_SECRET_MAX])
{
    uint8_t raw[32];
    char text[sodium_base64_ENCODED_LEN(sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING)];
    randombytes_buf(raw, sizeof raw);
    sodium_bin2base64(text, sizeof text, raw, sizeof raw, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    snprintf(out, LIVE_SECRET_MAX, "%s%s", prefix, text);
    sodium_memzero(raw, sizeof raw);
    sodium_memzero(text, sizeof text);
}

void secret_hash(const char *kind, str secret, uint8_t out[32])
{
    uint8_t key[32] = { 0 };
    memcpy(key, kind, strlen(kind));
    crypto_generichash(out, 32, (const uint8_t *)secret.ptr, secret.len, key, sizeof key);
}

int live_token_add(struct live *l, str actor, str name, char ret_token[LIVE_SECRET_MAX], char ret_id[24],
                   struct err *err)
{
    char token[LIVE_SECRET_MAX];
    uint8_t hash[32];
    int64_t id = 0, now = live_now(l);
    secret_make("clewa_", token);
    secret_hash("enrolment", str_z(token), hash);
    int r = meta_audit_add(l->o.meta, actor, "agent.token", name, STR("an enrolment token, for one use within an hour"),
                           err);
    if (r == 0)
        r = db_begin(&l->db, err);
    if (r == 0) {
        r = db_run(&l->db, NULL, err,
                   "INSERT INTO enrolment (secret, name, created_ns, created_by, expires_ns) VALUES (?, ?, ?, ?, ?)",
                   "btiti", bytes_of(hash, 32), name, now, actor, now + TOKEN_LIFE_S * NS_PER_S);
        if (r == 0)
            id = sqlite3_last_insert_rowid(l->db.handle);
        r = db_finish(&l->db, r, err);
    }
    if (r == 0) {
        memcpy(ret_token, token, sizeof token);
        snprintf(ret_id, 24, "e%lld", (long long)id);
    }
    sodium_memzero(token, sizeof token);
    return r;
}

static void put_time(struct json_writer *w, str key, int64_t ns)
{
    char text[32];
    fmt_rfc3339(text, ns);
    json_put_key(w, key);
    json_put_str(w, str_of(text, TIME_RFC3339_LEN));
}

int live_tokens(struct live *l, struct json_writer *w, struct err *err)
{
    sqlite3_stmt *s;
    char id[24];
    pthread_mutex_lock(&l->db.lock);
    int r = db_query(&l->db, &s, err,
                     "SELECT id, name, created_ns, created_by, expires_ns FROM enrolment WHERE expires_ns > ?"
                     " ORDER BY id DESC LIMIT 1000",
                     "i", live_now(l));
    while (r == 1) {
        snprintf(id, sizeof id, "e%lld", (long long)sqlite3_column_int64(s, 0));
        json_put_object(w);
        json_put_key(w, STR("id"));
        json_put_str(w, str_z(id));
        json_put_key(w, STR("name"));
        json_put_str(w, db_text(s, 1));
        put_time(w, STR("created"), sqlite3_column_int64(s, 2));
        json_put_key(w, STR("created_by"));
        json_put_str(w, db_text(s, 3));
        put_time(w, STR("expires"), sqlite3_column_int64(s, 4));
        json_put_object_end(w);
        r = db_next(&l->db, s, err);
    }
    pthread_mutex_unlock(&l->db.lock);
    return r;
}

int live_token_remove(struct live *l, str actor, str id, struct err *err)
{
    char name[META_NAME_MAX + 1];
    sqlite3_stmt *s;
    int64_t row = live_id_of(id, 'e');
    int r = db_begin(&l->db, err);
    if (r < 0)
        return r;
    r = db_query(&l->db, &s, err, "SELECT name FROM enrolment WHERE id = ? AND expires_ns > ?", "ii", row, live_now(l));
    if (r == 1) {
        db_copy_text(s, 0, name, sizeof name);
        db_done(s);
        r = db_run(&l->db, NULL, err, "DELETE FROM enrolment WHERE id = ?", "i", row);
    } else if (r == 0) {
        r = err_set(err, ERR_NOENT, "no_token", "there is no such enrolment token: it was used, or its hour is over");
    }
    r = db_finish(&l->db, r, err);
    return r < 0 ? r : meta_audit_add(l->o.meta, actor, "agent.token.remove", str_z(name), id, err);
}

int live_enrol(struct live *l, str token, str host, char ret_agent[24], char ret_secret[LIVE_SECRET_MAX],
               struct err *err)
{
    uint8_t hash[32], mine[32];
    char secret[LIVE_SECRET_MAX], id[24];
    int64_t agent = 0, n = 0;
    int changes = 0;
    secret_hash("enrolment", token, hash);
    secret_make("clewk_", secret);
    secret_hash("agent", str_z(secret), mine);
    pthread_mutex_lock(&l->lock);
    for (const struct live_agent *a = l->agents; a; a = a->next)
        n++;
    int r = n >= LIVE_AGENTS_MAX ? err_set(err, ERR_LIMIT, "too_many", "there are %d agents already", LIVE_AGENTS_MAX)
                                 : db_begin(&l->db, err);
    if (r == 0) {
        r = db_run(&l->db, &changes, err, "DELETE FROM enrolment WHERE secret = ? AND expires_ns > ?", "bi",
                   bytes_of(hash, 32), live_now(l));
        if (r == 0 && changes != 1)
            r = err_set(err, ERR_DENIED, "bad_token",
                        "the enrolment token is not known: it is for one use within an hour");
        if (r == 0)
            r = db_run(&l->db, NULL, err,
                       "INSERT INTO agent (host, version, secret, created_ns, last_ns) VALUES (?, '', ?, ?, 0)", "tbi",
                       host, bytes_of(mine, 32), live_now(l));
        if (r == 0)
            agent = sqlite3_last_insert_rowid(l->db.handle);
        r = db_finish(&l->db, r, err);
    }
    snprintf(id, sizeof id, "a%lld", (long long)agent);
    struct live_agent *a;
    if (r == 0 && agent_new(l, agent, host, (str){ 0 }, mine, &a) < 0)
        r = live_nomem(err);
    else if (r == 0)
        a->created = live_now(l);
    pthread_mutex_unlock(&l->lock);
    if (r == 0)
        r = meta_audit_add(l->o.meta, str_z(id), "agent.enrol", host, (str){ 0 }, err);
    if (r == 0) {
        memcpy(ret_agent, id, sizeof id);
        memcpy(ret_secret, secret, sizeof secret);
    }
    sodium_memzero(secret, sizeof secret);
    return r;
}
