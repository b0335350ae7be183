// Commits as they are asked for: of a release, the release of one, and what changed a file.
#include "releases/releases_internal.h"

#include "base/must.h"

enum { CHANGERS_MAX = 1000 }; // newest ones that are looked at for one file

#define COMMIT_COLUMNS "c.id, c.hash, p.name, c.message, c.author_name, c.author_email, c.time_ns"

static int commit_of_row(sqlite3_stmt *stmt, struct arena *arena, struct release_commit *ret_commit)
{
    struct release_commit c = { .time = sqlite3_column_int64(stmt, 6) };
    str *const texts[] = { &c.id, &c.repository, &c.message, &c.author_name, &c.author_email };
    for (int i = 0; i < 5; i++) {
        int r = arena_dup(arena, db_text(stmt, i + 1), texts[i]);
        if (r < 0)
            return r;
    }
    *ret_commit = c;
    return 0;
}

static enum release_file_change change_of(str text)
{
    return str_eq(text, STR("A"))   ? RELEASE_FILE_ADDED
           : str_eq(text, STR("D")) ? RELEASE_FILE_DELETED
                                    : RELEASE_FILE_MODIFIED;
}

static int read_files(struct releases *r, int64_t commit, struct arena *arena, struct release_commit *c,
                      struct err *err)
{
    struct release_file *files = NULL;
    size_t n = 0, cap = 0;
    sqlite3_stmt *stmt;
    int rc = db_query(&r->reader, &stmt, err, "SELECT path, change FROM commit_files WHERE commit_id = ? ORDER BY path",
                      "i", commit);
    while (rc == 1) {
        struct release_file f = { 0 };
        rc = arena_dup(arena, db_text(stmt, 0), &f.path);
        f.change = change_of(db_text(stmt, 1));
        if (rc == 0)
            rc = releases_grow(arena, (void **)&files, n, &cap, sizeof *files);
        if (rc < 0) {
            db_done(stmt);
            return releases_no_memory(err);
        }
        files[n++] = f;
        rc = db_next(&r->reader, stmt, err);
    }
    c->files = files;
    c->files_n = n;
    return rc;
}

static int read_commits(struct releases *r, int64_t release, bool files, struct arena *arena,
                        struct release_commit **ret_commits, size_t *ret_n, struct err *err)
{
    struct release_commit *list = NULL;
    int64_t *ids = NULL;
    size_t n = 0, cap = 0, ids_cap = 0;
    sqlite3_stmt *stmt;
    int rc =
        db_query(&r->reader, &stmt, err,
                 "SELECT " COMMIT_COLUMNS " FROM release_commits x JOIN commits c ON c.id = x.commit_id JOIN "
                 "repositories p ON p.id = c.repository WHERE x.release_id = ? ORDER BY c.time_ns DESC, x.position",
                 "i", release);
    while (rc == 1) {
        rc = releases_grow(arena, (void **)&list, n, &cap, sizeof *list);
        if (rc == 0)
            rc = releases_grow(arena, (void **)&ids, n, &ids_cap, sizeof *ids);
        if (rc == 0)
            rc = commit_of_row(stmt, arena, &list[n]);
        if (rc < 0) {
            db_done(stmt);
            return releases_no_memory(err);
        }
        ids[n++] = sqlite3_column_int64(stmt, 0);
        rc = db_next(&r->reader, stmt, err);
    }
    for (size_t i = 0; files && i < n && rc == 0; i++)
        rc = read_files(r, ids[i], arena, &list[i], err);
    *ret_commits = list;
    *ret_n = n;
    return rc;
}

int releases_commits(struct releases *r, int64_t release, bool files, struct arena *arena,
                     struct release_commit **ret_commits, size_t *ret_n, struct err *err)
{
    struct release_commit *commits = NULL;
    size_t n = 0;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    pthread_mutex_lock(&r->reader.lock);
    int rc = read_commits(r, release, files, arena, &commits, &n, err);
    pthread_mutex_unlock(&r->reader.lock);
    if (rc == 0) {
        *ret_commits = commits;
        *ret_n = n;
    }
    return rc;
}

enum { ABBREVIATED_MIN = 7, HASH_HEX_MAX = 64 }; // git's own shortest, and a whole one

// Hashes that begin with one that people have from `git log --oneline`: from `first` to `last`.
static void hashes_from(str commit, char text[HASH_HEX_MAX + 1], str *ret_first, str *ret_last)
{
    *ret_first = *ret_last = commit;
    if (commit.len < ABBREVIATED_MIN || commit.len >= HASH_HEX_MAX)
        return;
    for (size_t i = 0; i < commit.len; i++) {
        char c = commit.ptr[i];
        text[i] = c >= 'A' && c <= 'F' ? (char)(c + 'a' - 'A') : c;
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return; // of another system
    }
    text[commit.len] = 'g'; // behind all digits
    *ret_first = str_of(text, commit.len);
    *ret_last = str_of(text, commit.len + 1);
}

int releases_commit_release(struct releases *r, uint32_t project, str commit, struct arena *arena, str *ret_version,
                            struct err *err)
{
    sqlite3_stmt *stmt;
    char text[HASH_HEX_MAX + 1];
    str first, last;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    hashes_from(commit, text, &first, &last);
    pthread_mutex_lock(&r->reader.lock);
    int rc = db_query(
        &r->reader, &stmt, err,
        "SELECT r.version FROM commits c JOIN release_commits x ON x.commit_id = c.id JOIN releases r ON "
        "r.id = x.release_id WHERE c.hash >= ? AND c.hash <= ? AND r.project = ? ORDER BY CASE WHEN r.released_ns THEN "
        "r.released_ns ELSE r.created_ns END, r.id LIMIT 1",
        "tti", first, last, (int64_t)project);
    if (rc == 1) {
        rc = arena_dup(arena, db_text(stmt, 0), ret_version);
        db_done(stmt);
        if (rc < 0)
            releases_no_memory(err);
    } else if (rc == 0) {
        rc = err_set(err, ERR_NOENT, "no_commit", "no release of the project has that commit");
    }
    pthread_mutex_unlock(&r->reader.lock);
    return rc;
}

// One of the two is the other's end, at a slash: frames have longer paths than the repository, or shorter ones.
static bool same_file(str a, str b)
{
    if (a.len > b.len) {
        str t = a;
        a = b;
        b = t;
    }
    return str_ends(b, a) && (b.len == a.len || b.ptr[b.len - a.len - 1] == '/');
}

struct changers {
    struct release_commit *list;
    size_t n, cap;
    int64_t last;
};

static int add_changer(struct changers *ch, sqlite3_stmt *stmt, str path, struct arena *arena)
{
    int64_t id = sqlite3_column_int64(stmt, 0);
    if (id == ch->last || !same_file(path, db_text(stmt, 7)))
        return 0;
    struct release_file *f = arena_zalloc(arena, sizeof *f);
    int rc = f ? releases_grow(arena, (void **)&ch->list, ch->n, &ch->cap, sizeof *ch->list) : ERR_NOMEM;
    if (rc < 0)
        return rc;
    struct release_commit *c = &ch->list[ch->n];
    rc = commit_of_row(stmt, arena, c);
    if (rc == 0)
        rc = arena_dup(arena, db_text(stmt, 7), &f->path);
    if (rc == 0)
        rc = arena_dup(arena, db_text(stmt, 9), &c->version);
    if (rc < 0)
        return rc;
    f->change = change_of(db_text(stmt, 8));
    c->files = f;
    c->files_n = 1;
    ch->n++;
    ch->last = id;
    return 0;
}

static int read_changers(struct releases *r, uint32_t project, str path, struct arena *arena, struct changers *ch,
                         struct err *err)
{
    sqlite3_stmt *stmt;
    // A commit comes with the first of the releases that have it.
    int rc =
        db_query(&r->reader, &stmt, err,
                 "SELECT " COMMIT_COLUMNS ", f.path, f.change, r.version FROM commit_files f JOIN commits c ON c.id = "
                 "f.commit_id JOIN repositories p ON p.id = c.repository JOIN release_commits x ON x.commit_id = "
                 "c.id JOIN releases r ON r.id = x.release_id WHERE f.base = ? AND r.project = ? ORDER BY c.time_ns "
                 "DESC, c.id DESC, r.created_ns",
                 "ti", release_file_base(path), (int64_t)project);
    while (rc == 1) {
        rc = ch->n < CHANGERS_MAX ? add_changer(ch, stmt, path, arena) : ERR_LIMIT;
        if (rc < 0) {
            db_done(stmt);
            return rc == ERR_LIMIT ? 0 : releases_no_memory(err);
        }
        rc = db_next(&r->reader, stmt, err);
    }
    return rc;
}

int releases_files_of_commits(struct releases *r, uint32_t project, str version, str path, size_t most,
                              struct arena *arena, struct release_commit **ret_commits, size_t *ret_n, struct err *err)
{
    struct changers ch = { 0 };
    size_t n = 0;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    while (str_starts(path, STR("./")) || str_starts(path, STR("/")))
        path = str_slice(path, path.ptr[0] == '/' ? 1 : 2, path.len);
    if (release_file_base(path).len) {
        pthread_mutex_lock(&r->reader.lock);
        int rc = read_changers(r, project, path, arena, &ch, err);
        pthread_mutex_unlock(&r->reader.lock);
        if (rc < 0)
            return rc;
    }
    for (size_t i = 0; i < ch.n && n < most; i++) {
        int order = 0;
        int rc = version.len ? releases_compare(r, project, ch.list[i].version, version, &order) : 0;
        if (rc < 0)
            return err_set(err, rc, "releases_database", "the releases cannot be compared: %s", err_text(rc));
        if (order <= 0)
            ch.list[n++] = ch.list[i];
    }
    *ret_commits = ch.list;
    *ret_n = n;
    return 0;
}

int releases_previous_with_commits(struct releases *r, uint32_t project, str version, struct arena *arena,
                                   struct release *ret_release, struct err *err)
{
    struct release_filter f = { .projects = &project, .projects_n = 1, .with_archived = true };
    struct release *list;
    size_t n, at = 0;
    int rc = release_list(r, &f, arena, &list, &n, err);
    if (rc < 0)
        return rc;
    // By date and not by version: what was not in the last build is new in this one. One that is not there yet is the newest.
    for (size_t i = 0; i < n; i++)
        if (str_eq(list[i].version, version))
            at = i + 1;
    for (; at < n; at++)
        if (list[at].commits) {
            *ret_release = list[at];
            return 0;
        }
    return err_set(err, ERR_NOENT, "no_release", "no release before it has commits");
}
