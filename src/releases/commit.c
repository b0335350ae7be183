// Commits: what was changed in a release, as tools tell it (`set-commits --local` sends messages and lists of files).
#include "releases/releases_internal.h"

#include "base/must.h"

str release_file_base(str path)
{
    for (size_t i = path.len; i > 0; i--)
        if (path.ptr[i - 1] == '/' || path.ptr[i - 1] == '\\')
            return str_slice(path, i, path.len);
    return path;
}

static int put_files(struct releases *r, int64_t commit, const struct release_commit *c, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < c->files_n && i < RELEASE_FILES && rc == 0; i++) {
        const char change[2] = { (char)c->files[i].change, 0 };
        str path = releases_cut(c->files[i].path, RELEASE_TEXT_MAX);
        rc = db_run(
            &r->writer, NULL, err,
            "INSERT INTO commit_files (commit_id, path, base, change) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            "ittz", commit, path, release_file_base(path), change);
    }
    return rc;
}

// A hash says what a commit is: what is known of it stays.
static int put_commit(struct releases *r, const struct release_commit *c, int64_t *ret_id, struct err *err)
{
    int64_t repository;
    sqlite3_stmt *stmt;
    if (c->id.len == 0 || c->id.len > RELEASE_COMMIT_ID_MAX)
        return err_set(err, ERR_INVALID, "bad_commit", "a commit's id is 1 to %d characters", RELEASE_COMMIT_ID_MAX);
    int rc = repository_put(r, c->repository, &repository, err);
    if (rc == 0)
        rc = db_run(
            &r->writer, NULL, err,
            "INSERT INTO commits (repository, hash, message, author_name, author_email, time_ns) VALUES (?1, ?2, "
            "?3, ?4, ?5, ?6) ON CONFLICT (repository, hash) DO UPDATE SET "
            "message = CASE WHEN message = '' THEN ?3 ELSE message END, "
            "author_name = CASE WHEN author_name = '' THEN ?4 ELSE author_name END, "
            "author_email = CASE WHEN author_email = '' THEN ?5 ELSE author_email END, "
            "time_ns = CASE WHEN time_ns = 0 THEN ?6 ELSE time_ns END",
            "itttti", repository, c->id, releases_cut(c->message, RELEASE_MESSAGE_MAX),
            releases_cut(c->author_name, RELEASE_TEXT_MAX), releases_cut(c->author_email, RELEASE_TEXT_MAX), c->time);
    if (rc == 0)
        rc = db_query(&r->writer, &stmt, err,
                      "SELECT id, EXISTS (SELECT 1 FROM commit_files WHERE commit_id = commits.id) FROM commits WHERE "
                      "repository = ? AND hash = ?",
                      "it", repository, c->id);
    if (rc <= 0)
        return rc < 0 ? rc : db_corrupt(&r->writer, err, "a commit is gone");
    *ret_id = sqlite3_column_int64(stmt, 0);
    bool has_files = sqlite3_column_int64(stmt, 1);
    db_done(stmt);
    return has_files ? 0 : put_files(r, *ret_id, c, err);
}

static int set_commits(struct releases *r, int64_t release, const struct release_commit *commits, size_t n,
                       struct err *err)
{
    sqlite3_stmt *stmt;
    int rc = db_query(&r->writer, &stmt, err, "SELECT 1 FROM releases WHERE id = ?", "i", release);
    if (rc == 0)
        return err_set(err, ERR_NOENT, "no_release", "there is no such release");
    if (rc < 0)
        return rc;
    db_done(stmt);
    rc = db_run(&r->writer, NULL, err, "DELETE FROM release_commits WHERE release_id = ?", "i", release);
    for (size_t i = 0; i < n && rc == 0; i++) {
        int64_t commit = 0;
        rc = put_commit(r, &commits[i], &commit, err);
        if (rc == 0)
            rc = db_run(&r->writer, NULL, err,
                        "INSERT INTO release_commits (release_id, position, commit_id) SELECT ?1, ?2, ?3 WHERE NOT "
                        "EXISTS (SELECT 1 FROM release_commits WHERE commit_id = ?3 AND release_id = ?1)",
                        "iii", release, (int64_t)i, commit);
    }
    return rc;
}

int releases_set_commits(struct releases *r, int64_t release, const struct release_commit *commits, size_t n,
                         struct err *err)
{
    MAGIC_CHECK(r, RELEASES_MAGIC);
    if (n > RELEASE_COMMITS)
        return err_set(err, ERR_LIMIT, "too_many_commits", "a release has at most %d commits", RELEASE_COMMITS);
    int rc = db_begin(&r->writer, err);
    return rc < 0 ? rc : db_finish(&r->writer, set_commits(r, release, commits, n, err), err);
}
