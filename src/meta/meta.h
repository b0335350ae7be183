// Meta: what Clew knows that is not a record: the workspace, its projects and their keys, people,
// sessions, tokens, the audit trail. One SQLite file (DIR/meta.db, WAL) in a directory of mode 0700.
// The SQL is portable on purpose (PostgreSQL comes with the cluster); what is SQLite's own stands
// in db/ and in the audit triggers of meta_schema.c.
//
// Threads: every function may be called from any thread and may read the disk; none may be called
// from an I/O loop, except token_check() and key_check() of meta/token.h, which answer from memory.
//
// Secrets never leave in clear but at the moment they are made: the file holds hashes (BLAKE2b-256)
// of tokens, links and sessions, argon2id of passwords. DSN keys are public and held as they are.
#pragma once
#include "base/arena.h"
#include "base/bytes.h"
#include "base/err.h"

struct meta;

enum {
    META_NAME_MAX = 63,        // bytes of a slug, a login, a token's name
    META_PROJECTS_MAX = 10000, // of a workspace
    META_TOKENS_MAX = 10000,   // not revoked, with DSN keys
    META_SECRET_MAX = 64,      // bytes of any secret we hand out, with its prefix and NUL
};

// Scopes of tokens and people, one bit each (9-security "Tokens").
enum meta_scope {
    META_SCOPE_INGEST = 1,
    META_SCOPE_READ = 2,
    META_SCOPE_VALUES = 4,
    META_SCOPE_PROBE = 8,
    META_SCOPE_PROBE_PROD = 16,
    META_SCOPE_PATCH = 32,
    META_SCOPE_ADMIN = 64,
};
enum { META_SCOPES_ALL = 127 };
// "read,values" -> bits; an unknown word is an error that names the known ones.
int meta_scopes_parse(str text, uint32_t *ret_scopes, struct err *err);
// Writes the words, comma-separated; ret is NUL-terminated.
void meta_scopes_text(uint32_t scopes, char ret[64]);

// Opens (and with create: makes) DIR and DIR/meta.db, applies what migrations are missing and makes
// sure that workspace `clew`, project `default` and user `admin` exist. Errors name the place and
// what to do. A file that a newer Clew has written is refused.
int meta_open(const char *dir, bool create, struct meta **ret_meta, struct err *err);
// Writes what is pending (times of last use) and closes. NULL is allowed.
void meta_close(struct meta *m);
// Once a second from a timer, on a worker: notices changes by other processes, writes times of last
// use (at most once a minute), drops what has expired.
void meta_tick(struct meta *m);

struct meta_project {
    int64_t id; // never reused; the number that records carry
    char slug[META_NAME_MAX + 1];
    char name[META_NAME_MAX + 1];
    int64_t created_ns;
};
// Slug: 1 to 63 of a-z 0-9 and inner dashes, not all digits (Sentry's clients mistake those for ids).
bool meta_slug_valid(str slug);
// actor: who does it, for the audit trail ("admin", "cli:root").
int meta_project_add(struct meta *m, str actor, str slug, struct meta_project *ret_project, struct err *err);
// ERR_NOENT with the names that there are as the hint.
int meta_project_find(struct meta *m, str slug, struct meta_project *ret_project, struct err *err);
int meta_project_get(struct meta *m, int64_t id, struct meta_project *ret_project, struct err *err);
// By slug; *ret_projects is freed with mem_free.
int meta_project_list(struct meta *m, struct meta_project **ret_projects, size_t *ret_n, struct err *err);
// Records keep the project's number: they are found under the new name. `default` keeps its name, since senders
// without a key go there.
int meta_project_rename(struct meta *m, str actor, int64_t project, str slug, struct meta_project *ret_project,
                        struct err *err);

// The rules by which a project's events become issues, as they were written (grouping/grouping.h reads them). What is set
// was validated by the caller.
enum { META_RULES_TEXT_MAX = 64 << 10 }; // bytes of either
struct meta_rules {
    str fingerprint, stack;             // empty: the built-in rules alone
    int64_t changed_ns;                 // 0: never
    char changed_by[META_NAME_MAX + 1]; // empty: nobody
};
int meta_project_rules_get(struct meta *m, int64_t project, struct arena *arena, struct meta_rules *ret_rules,
                           struct err *err);
int meta_project_rules_set(struct meta *m, str actor, int64_t project, str fingerprint, str stack, struct err *err);
// What else is set for a project, a text a kind ("filters", "scrubbing"); who sets it has validated it.
enum { META_SETTING_TEXT_MAX = 192 << 10 }; // bytes
struct meta_setting {
    str text;                           // empty: nothing was ever set
    int64_t changed_ns;                 // 0: never
    char changed_by[META_NAME_MAX + 1]; // empty: nobody
};
int meta_setting_get(struct meta *m, int64_t project, const char *kind, struct arena *arena,
                     struct meta_setting *ret_setting, struct err *err);
// detail: for the audit trail, where the deed is "project.KIND".
int meta_setting_set(struct meta *m, str actor, int64_t project, const char *kind, str text, str detail,
                     struct err *err);
// Another number than before: the rules or settings of some project may have changed. Does not read the disk.
uint64_t meta_rules_changes(const struct meta *m);

// Who owns a project's code, as it was written (owners/rules.h reads it). What is set was validated by the caller.
struct meta_owner_rules {
    str rules, codeowners;
    bool auto_assign;                   // new issues go to their first owner; when nothing was ever set, too
    int64_t changed_ns;                 // 0: never
    char changed_by[META_NAME_MAX + 1]; // empty: nobody
};
int meta_owner_rules_get(struct meta *m, int64_t project, struct arena *arena, struct meta_owner_rules *ret_rules,
                         struct err *err);
int meta_owner_rules_set(struct meta *m, str actor, int64_t project, const struct meta_owner_rules *rules,
                         struct err *err);

// Git repositories on this machine with a project's code.
enum { META_REPOSITORIES_MAX = 8, META_PATH_MAX = 1024 }; // of a project; bytes
struct meta_repository {
    int64_t id, project, created_ns;
    str path;   // absolute
    str prefix; // before the paths that frames have: "services/shop/"; may be empty
};
// Of a project, or (0) of all; by id. Everything is the arena's.
int meta_repository_list(struct meta *m, int64_t project, struct arena *arena, struct meta_repository **ret_list,
                         size_t *ret_n, struct err *err);
// The same path again gets the new prefix. ERR_LIMIT.
int meta_repository_add(struct meta *m, str actor, int64_t project, str path, str prefix, struct err *err);
int meta_repository_remove(struct meta *m, str actor, int64_t project, str path, struct err *err); // ERR_NOENT

// Code mappings: a frame whose file begins with the stack root stands in that repository, below the source root.
enum { META_MAPPINGS_MAX = 500, META_ROOT_MAX = 512, META_BRANCH_MAX = 255, META_REPOSITORY_NAME_MAX = 255 };
struct meta_mapping {
    int64_t id, project, changed_ns;
    str stack_root, source_root; // "com/shop/", "modules/shop/src/main/java/com/shop/"; the second may be empty
    str repository, branch;      // "acme/shop", "main"
    str changed_by;
};
// Of a project; the longest stack roots first, then by id. Everything is the arena's.
int meta_mapping_list(struct meta *m, int64_t project, struct arena *arena, struct meta_mapping **ret_list,
                      size_t *ret_n, struct err *err);
enum meta_mapping_put { META_MAPPING_CREATED, META_MAPPING_UPDATED, META_MAPPING_REFUSED };
// All of one call; the same two roots again get the new repository and branch. ret_puts: what became of each; a refused one
// is too long, has no stack root, or is one too many of the project. ERR_INVALID: the repository or branch is no name.
int meta_mapping_put(struct meta *m, str actor, int64_t project, const struct meta_mapping *list, size_t n,
                     enum meta_mapping_put *ret_puts, struct err *err);
// One by hand: a new one (id 0) or that one in another form; *ret_id is its number. ERR_INVALID with the place of the field
// that is wrong, ERR_EXIST: the two roots are another's, ERR_NOENT, ERR_LIMIT.
int meta_mapping_set(struct meta *m, str actor, int64_t project, int64_t id, const struct meta_mapping *k,
                     int64_t *ret_id, struct err *err);
int meta_mapping_remove(struct meta *m, str actor, int64_t project, int64_t id, struct err *err); // ERR_NOENT

// Public (DSN) keys: 32 hex digits. The newest one is the project's; older ones work until they are revoked.
enum { META_KEYS_PER_PROJECT = 20 };
struct meta_key {
    int64_t id, created_ns;
    char key[META_SECRET_MAX];
};
// Newest first; returns how many (they are not revoked) or an error.
int meta_key_list(struct meta *m, int64_t project, struct meta_key ret_keys[META_KEYS_PER_PROJECT], struct err *err);
int meta_key_add(struct meta *m, str actor, int64_t project, struct meta_key *ret_key, struct err *err);
int meta_key_remove(struct meta *m, str actor, int64_t project, int64_t key, struct err *err);
// The newest one, made on first use. ERR_NOENT `no_key`: all were revoked.
int meta_project_dsn_key(struct meta *m, str actor, int64_t project, char ret_key[META_SECRET_MAX], struct err *err);
