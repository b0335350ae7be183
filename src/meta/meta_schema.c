// The tables, by version: migration n (from 1) brings a file from version n-1 to n and is never
// edited once released. Times are Unix nanoseconds, hashes are BLAKE2b-256, ids come from `sequences`.
#include "base/clock.h"
#include "meta/meta_internal.h"

static const char schema_v1[] =
    "CREATE TABLE sequences (name VARCHAR(32) NOT NULL PRIMARY KEY, last_id BIGINT NOT NULL);"
    "CREATE TABLE workspaces (id BIGINT NOT NULL PRIMARY KEY, slug VARCHAR(63) NOT NULL UNIQUE, created_ns BIGINT NOT "
    "NULL);"
    "CREATE TABLE projects (id BIGINT NOT NULL PRIMARY KEY, workspace_id BIGINT NOT NULL REFERENCES workspaces (id),"
    "  slug VARCHAR(63) NOT NULL, name VARCHAR(63) NOT NULL, created_ns BIGINT NOT NULL, UNIQUE (workspace_id, slug));"
    // Public keys, kept as they are: they stand in DSNs inside web pages.
    "CREATE TABLE dsn_keys (id BIGINT NOT NULL PRIMARY KEY, project_id BIGINT NOT NULL REFERENCES projects (id),"
    "  public_key VARCHAR(32) NOT NULL UNIQUE, created_ns BIGINT NOT NULL, revoked_ns BIGINT NOT NULL);"
    "CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, workspace_id BIGINT NOT NULL REFERENCES workspaces (id),"
    "  login VARCHAR(63) NOT NULL UNIQUE, scopes BIGINT NOT NULL, password_hash VARCHAR(128), created_ns BIGINT NOT "
    "NULL);"
    "CREATE TABLE login_links (id BIGINT NOT NULL PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id),"
    "  secret_hash BYTEA NOT NULL UNIQUE, expires_ns BIGINT NOT NULL);"
    "CREATE TABLE sessions (id BIGINT NOT NULL PRIMARY KEY, user_id BIGINT NOT NULL REFERENCES users (id),"
    "  secret_hash BYTEA NOT NULL UNIQUE, created_ns BIGINT NOT NULL, last_used_ns BIGINT NOT NULL, expires_ns BIGINT "
    "NOT NULL);"
    "CREATE TABLE tokens (id BIGINT NOT NULL PRIMARY KEY, workspace_id BIGINT NOT NULL REFERENCES workspaces (id),"
    "  project_id BIGINT REFERENCES projects (id), name VARCHAR(63) NOT NULL, secret_hash BYTEA NOT NULL UNIQUE,"
    "  tail VARCHAR(8) NOT NULL, scopes BIGINT NOT NULL, created_by VARCHAR(63) NOT NULL, created_ns BIGINT NOT NULL,"
    "  last_used_ns BIGINT NOT NULL, expires_ns BIGINT NOT NULL, revoked_ns BIGINT NOT NULL);"
    "CREATE TABLE audit (seq BIGINT NOT NULL PRIMARY KEY, time_ns BIGINT NOT NULL, actor VARCHAR(63) NOT NULL,"
    "  action VARCHAR(31) NOT NULL, target VARCHAR(127) NOT NULL, detail VARCHAR(255) NOT NULL, hash BYTEA NOT NULL);"
    "CREATE TABLE audit_head (id BIGINT NOT NULL PRIMARY KEY, seq BIGINT NOT NULL, hash BYTEA NOT NULL);"
    "INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, "
    "x'0000000000000000000000000000000000000000000000000000000000000000');"
    // A second fence behind our own code, which has no statement that does this (SQLite's dialect).
    "CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is "
    "append-only'); END;"
    "CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is "
    "append-only'); END;";

// Invitations, people who are switched off, and what a list of sessions shows of each.
static const char schema_v2[] =
    // 0: was invited and has not come yet
    "ALTER TABLE users ADD COLUMN joined_ns BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE users ADD COLUMN disabled_ns BIGINT NOT NULL DEFAULT 0;"
    "UPDATE users SET joined_ns = created_ns;"
    // 0: signs in; 1: an invitation or a reset, with which a password is set
    "ALTER TABLE login_links ADD COLUMN sets_password BIGINT NOT NULL DEFAULT 0;"
    "ALTER TABLE sessions ADD COLUMN peer VARCHAR(63) NOT NULL DEFAULT '';"
    "ALTER TABLE sessions ADD COLUMN agent VARCHAR(127) NOT NULL DEFAULT '';";

// By which rules a project's events become issues.
static const char schema_v3[] =
    "CREATE TABLE grouping_rules (project_id BIGINT NOT NULL PRIMARY KEY REFERENCES projects (id),"
    "  fingerprint TEXT NOT NULL, stack TEXT NOT NULL, changed_ns BIGINT NOT NULL, changed_by VARCHAR(63) NOT NULL);";

// Who owns a project's code, and where its code lies on this machine.
static const char schema_v4[] =
    "CREATE TABLE owner_rules (project_id BIGINT NOT NULL PRIMARY KEY REFERENCES projects (id),"
    "  rules TEXT NOT NULL, codeowners TEXT NOT NULL, auto_assign BIGINT NOT NULL, changed_ns BIGINT NOT NULL,"
    "  changed_by VARCHAR(63) NOT NULL);"
    "CREATE TABLE repositories (id BIGINT NOT NULL PRIMARY KEY, project_id BIGINT NOT NULL REFERENCES projects (id),"
    "  path TEXT NOT NULL, prefix TEXT NOT NULL, created_ns BIGINT NOT NULL, UNIQUE (project_id, path));";

// What else people have set for a project, a text a kind.
static const char schema_v5[] =
    "CREATE TABLE project_settings (project_id BIGINT NOT NULL REFERENCES projects (id), kind VARCHAR(31) NOT NULL,"
    "  text TEXT NOT NULL, changed_ns BIGINT NOT NULL, changed_by VARCHAR(63) NOT NULL,"
    "  PRIMARY KEY (project_id, kind));";

// Where in which repository the files of frames stand.
static const char schema_v6[] =
    "CREATE TABLE code_mappings (id BIGINT NOT NULL PRIMARY KEY, project_id BIGINT NOT NULL REFERENCES projects (id),"
    "  stack_root TEXT NOT NULL, source_root TEXT NOT NULL, repository TEXT NOT NULL, branch TEXT NOT NULL,"
    "  changed_ns BIGINT NOT NULL, changed_by VARCHAR(63) NOT NULL, UNIQUE (project_id, stack_root, source_root));";

static const char *const schema_versions[] = { schema_v1, schema_v2, schema_v3, schema_v4, schema_v5, schema_v6 };

// Before the later migrations, as in a file that is older.
static int schema_first_rows(void *ctx, size_t version, struct err *err)
{
    struct meta *m = ctx;
    if (version != 1)
        return 0;
    int64_t now = clock_unix_ns(), workspace, project, user;
    int r = meta_next_id(m, "workspaces", &workspace, err);
    if (r == 0)
        r = meta_next_id(m, "projects", &project, err);
    if (r == 0)
        r = meta_next_id(m, "users", &user, err);
    if (r == 0)
        r = db_run(&m->writer, NULL, err, "INSERT INTO workspaces (id, slug, created_ns) VALUES (?, 'clew', ?)", "ii",
                   workspace, now);
    if (r == 0)
        r = db_run(
            &m->writer, NULL, err,
            "INSERT INTO projects (id, workspace_id, slug, name, created_ns) VALUES (?, ?, 'default', 'default', ?)",
            "iii", project, workspace, now);
    if (r == 0)
        r = db_run(&m->writer, NULL, err,
                   "INSERT INTO users (id, workspace_id, login, scopes, password_hash, created_ns) VALUES (?, ?, "
                   "'admin', ?, NULL, ?)",
                   "iiii", user, workspace, (int64_t)META_SCOPES_ALL, now);
    if (r == 0)
        r = meta_audit_put(m, STR("server"), "workspace.create", STR("clew"),
                           STR("with project default and user admin"), err);
    return r;
}

int meta_schema_apply(struct meta *m, struct err *err)
{
    return db_migrate(&m->writer, schema_versions, sizeof schema_versions / sizeof schema_versions[0],
                      schema_first_rows, m, err);
}
