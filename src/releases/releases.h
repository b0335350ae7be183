// Releases: which versions of a project there are, in what order, what was changed in them and where they were deployed.
// They are made by tools (`sentry-cli releases new`) or by the first event that names them. One SQLite file; every
// project has releases of its own, so that a version that two projects share is two of them.
//
// Order: two names that say `package@version` of one package are compared as versions, all others by when they were
// released, or else made.
//
// Threads: every function may be called from any thread but an I/O loop; releases_touch() is cheap and touches no disk.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "releases/version.h"

struct releases;

enum {
    RELEASES_PER_PROJECT = 20000,
    RELEASES_REPOSITORIES = 10000,
    RELEASE_COMMITS = 20000, // of a release
    RELEASE_FILES = 20000,   // of a commit; more are not kept
    RELEASE_DEPLOYS = 10000, // of a release
    RELEASE_TEXT_MAX = 2048, // bytes of URLs, names, paths
    RELEASE_COMMIT_ID_MAX = 64,
    RELEASE_MESSAGE_MAX = 16 << 10,
};

struct releases_options {
    const char *path;     // DIR/releases.db
    int64_t retention_ns; // of releases that only events have made, after the last of them; 0: for ever
};
int releases_open(const struct releases_options *o, struct releases **ret_releases, struct err *err);
void releases_close(struct releases *r); // saves; NULL is allowed

enum release_status { RELEASE_OPEN, RELEASE_ARCHIVED };

// Texts may be empty, times (ns Unix) 0: not known.
struct release {
    int64_t id;
    uint32_t project;
    str version, ref, url;
    enum release_status status;
    int64_t created, started, released;
    int64_t first_event, last_event;
    bool by_event; // nobody but events has made it
    uint32_t commits, deploys;
};
// What a call changes: a NULL leaves it as it is.
struct release_change {
    const str *ref, *url;
    const enum release_status *status;
    const int64_t *created, *started, *released;
};
// Makes it, or changes the one that is there. *ret_made and ret_id may be NULL. ERR_INVALID: no version;
// ERR_LIMIT: the project has too many.
int release_put(struct releases *r, uint32_t project, str version, const struct release_change *change, int64_t *ret_id,
                bool *ret_made, struct err *err);
int release_find(struct releases *r, uint32_t project, str version, struct arena *arena, struct release *ret_release,
                 struct err *err); // ERR_NOENT
int release_remove(struct releases *r, uint32_t project, str version, struct err *err);

enum release_sort { RELEASE_BY_DATE, RELEASE_BY_VERSION, RELEASE_BY_EVENT };
struct release_filter {
    const uint32_t *projects;
    size_t projects_n;
    str version;        // exactly this one; empty: all
    str containing;     // in the version, in any case of ASCII letters
    int64_t from, to;   // an event in this range, or made or released in it; both 0: any time
    bool with_archived; // else only open ones
    bool only_archived;
    enum release_sort sort; // newest or highest first
};
// Everything is the arena's.
int release_list(struct releases *r, const struct release_filter *f, struct arena *arena, struct release **ret_releases,
                 size_t *ret_n, struct err *err);

// --- events

// An event (or a session, which began then) of that time names a release: it is made when there is none. Kept in memory until releases_save(); the same again
// changes nothing, so that a consumer may begin anew. What is no version is ignored.
void releases_touch(struct releases *r, uint32_t project, str version, int64_t time);
// Makes what was touched durable: for a consumer before it says that it has done its part, and now and then.
int releases_save(struct releases *r, struct err *err);
// Drops what only events have made and none has named since the retention. At most once an hour does something.
int releases_expire(struct releases *r, int64_t now, struct err *err);

// Reads the error events and sessions that arrive, touches what they name and counts the sessions (health.h), on a thread of its own (manual: in releases_follow_step()).
// The store was opened with CONSUMER_RELEASES and takes no batches yet.
struct releases_follow;
struct store;
int releases_follow_new(struct releases *r, struct store *s, bool manual, struct releases_follow **ret_follow,
                        struct err *err);
// Before the store is closed; NULL is allowed.
void releases_follow_free(struct releases_follow *f);
// 1: there was something; 0: nothing within wait_ns.
int releases_follow_step(struct releases_follow *f, int64_t wait_ns, struct err *err);

// --- order

// *ret_order <0: a is before b, 0: the same release, >0: after. One that nobody knows counts as the newest.
int releases_compare(struct releases *r, uint32_t project, str a, str b, int *ret_order);
// The newest by that order: of the package of the one that was made last. ERR_NOENT.
int releases_latest(struct releases *r, uint32_t project, struct arena *arena, str *ret_version, struct err *err);
// The same, of the package of a release that may not be known; that one, when there is none that is newer.
int releases_newest_of(struct releases *r, uint32_t project, str like, struct arena *arena, str *ret_version,
                       struct err *err);

// The one before it: of those that compare with it as versions the next lower one, else the next older one that is not of
// another package. ERR_NOENT.
int releases_before(struct releases *r, uint32_t project, str version, struct arena *arena, struct release *ret_release,
                    struct err *err);

// --- commits

enum release_file_change { RELEASE_FILE_ADDED = 'A', RELEASE_FILE_MODIFIED = 'M', RELEASE_FILE_DELETED = 'D' };
struct release_file {
    str path;
    enum release_file_change change;
};
struct release_commit {
    str id, repository, message, author_name, author_email;
    int64_t time;
    const struct release_file *files;
    size_t files_n;
    str version; // of reads across releases: that it came with
};
// Replaces the release's commits (n 0: it has none then). What is known of a commit is filled up, never overwritten:
// its hash says what it is. ERR_NOENT: no such release; ERR_LIMIT.
int releases_set_commits(struct releases *r, int64_t release, const struct release_commit *commits, size_t n,
                         struct err *err);
// Newest first; files: with their files.
int releases_commits(struct releases *r, int64_t release, bool files, struct arena *arena,
                     struct release_commit **ret_commits, size_t *ret_n, struct err *err);
// The release with which a commit came (the earliest); its hash may be abbreviated, to seven digits at least. ERR_NOENT.
int releases_commit_release(struct releases *r, uint32_t project, str commit, struct arena *arena, str *ret_version,
                            struct err *err);
// For suspect commits: what changed a file whose path ends in that name ("src/app/cart.js" or "cart.js"), in releases of the
// project up to that one (empty: all), newest first, at most `most`; each with the one file that matched.
int releases_files_of_commits(struct releases *r, uint32_t project, str version, str path, size_t most,
                              struct arena *arena, struct release_commit **ret_commits, size_t *ret_n, struct err *err);
// The newest release before that one which has commits. ERR_NOENT.
int releases_previous_with_commits(struct releases *r, uint32_t project, str version, struct arena *arena,
                                   struct release *ret_release, struct err *err);

struct release_repository {
    int64_t id, created;
    str name, url, provider; // provider: "unknown" when only commits have named it
};
int releases_repositories(struct releases *r, struct arena *arena, struct release_repository **ret_repositories,
                          size_t *ret_n, struct err *err);
int releases_repository_put(struct releases *r, str name, str url, str provider, struct arena *arena,
                            struct release_repository *ret_repository, struct err *err);

// --- uploads: which bundles, files and debug files were uploaded for what. Their bytes are artifacts.

enum release_upload_kind {
    RELEASE_UPLOAD_FILE,
    RELEASE_UPLOAD_BUNDLE,
    RELEASE_UPLOAD_DEBUG,
    RELEASE_UPLOAD_BUILD,
    RELEASE_UPLOAD_IMAGES // a snapshot of images: its name is the application's, its sha1 what its artifacts belong to
};
enum { RELEASE_SHA1_HEX = 40, RELEASE_DIGEST = 32, RELEASE_UPLOADS = 100000 }; // of a project
struct release_upload {
    int64_t id;
    uint32_t project;
    enum release_upload_kind kind;
    int64_t release; // 0: of none
    str name, dist;
    str sha1;                       // as tools name it, in hex
    uint8_t digest[RELEASE_DIGEST]; // as artifacts do
    str debug_id, arch;             // of debug files; may be empty
    str headers;                    // a JSON object, of files, builds and images; may be empty
    int64_t size, artifact, created;
};
// Gives id and created. ERR_LIMIT.
int releases_upload_put(struct releases *r, struct release_upload *upload, struct err *err);
// Of a project and kind: of that release (0: any, -1: of none), that sha1 and that name (empty: any). By name, then newest first.
int releases_uploads(struct releases *r, uint32_t project, enum release_upload_kind kind, int64_t release, str sha1,
                     str name, struct arena *arena, struct release_upload **ret_uploads, size_t *ret_n,
                     struct err *err);
// ERR_NOENT. Its artifact is the caller's to let go.
int releases_upload_remove(struct releases *r, int64_t id, struct err *err);

// --- deploys

struct release_deploy {
    int64_t id, release;
    str environment, name, url;
    int64_t started, finished;
};
// One deploy of several projects' releases; given id and, when 0, finished (now).
int releases_deploy(struct releases *r, const int64_t *releases, size_t n, struct release_deploy *deploy,
                    struct err *err);
// Of these releases, newest first; one that is of several of them comes once.
int releases_deploys(struct releases *r, const int64_t *releases, size_t n, struct arena *arena,
                     struct release_deploy **ret_deploys, size_t *ret_n, struct err *err);
