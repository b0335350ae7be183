// Issues: events that are the same trouble, counted exactly, with a state.
//
// An event belongs to the group of its hash (src/grouping), and a group to an issue. What is counted is the group's: so
// merging issues and taking them apart again moves groups and leaves every figure exact. Figures follow the log as
// ARCHITECTURE.md, "Derived figures", says; what people do is durable before they are answered. What events do to states
// (a new issue, one that comes back, one that escalates) is written when it happens, and not again when the log is
// counted again after a crash: an event that was received before the state began has no say in it.
#pragma once
#include "base/arena.h"
#include "base/err.h"

struct issues;
struct releases;
struct store;

enum issue_state {
    ISSUE_NEW,
    ISSUE_ONGOING,
    ISSUE_ESCALATING,
    ISSUE_REGRESSED,
    ISSUE_ARCHIVED,
    ISSUE_RESOLVED,
    ISSUE_STATES
};
enum issue_priority { PRIORITY_AUTO, PRIORITY_LOW, PRIORITY_MEDIUM, PRIORITY_HIGH };
enum issue_until { UNTIL_FOREVER, UNTIL_ESCALATING, UNTIL_TIME, UNTIL_EVENTS, UNTIL_USERS };
enum issue_resolved { RESOLVED_NOW, RESOLVED_RELEASE, RESOLVED_NEXT_RELEASE, RESOLVED_COMMIT };

enum {
    ISSUES_MAX = 1000000,       // of a workspace, with those that were merged into others
    ISSUE_GROUPS_MAX = 1000000, // hashes of a workspace; events of further ones count in their project's `other`
    ISSUE_RELEASES_MAX = 100,   // of one group, each kept apart; then also environments and services:
    ISSUE_ENVIRONMENTS_MAX = 32,
    ISSUE_SERVICES_MAX = 32,
    ISSUE_TOP_USERS = 16,
    ISSUE_TEXT_MAX = 256, // bytes of a title, a culprit, a release ... as kept here
    ISSUE_BUCKETS_MAX = 240,
    ISSUE_COMMENT_MAX = 8192,
    ISSUE_CHANGE_MAX = 500, // issues of one change
};

struct issues_options {
    struct releases *releases; // asked with which one a commit came; may be NULL
    const char *path;          // of the database: "DATA/issues.db"; made when missing
    int64_t retention_ns;      // 0: for ever
    bool manual;               // tests: nothing happens but in issues_step()
    // Tests: what the time is; NULL: clock_unix_ns().
    int64_t (*now)(void *ctx);
    void *now_ctx;
};

// The store was opened with CONSUMER_ISSUES and takes no batches yet. Counts what is in its log before it returns.
int issues_open(const struct issues_options *o, struct store *s, struct issues **ret_issues, struct err *err);
void issues_close(struct issues *is);

// ---- reading -------------------------------------------------------------------------------------------

struct issue_until_rule {
    enum issue_until kind;
    int64_t time;     // UNTIL_TIME, ns Unix
    int64_t n;        // UNTIL_EVENTS, UNTIL_USERS: so many more
    int64_t window_s; // of the two: within so many seconds; 0: ever
};

struct issue_resolution {
    enum issue_resolved kind;
    str release; // RESOLVED_RELEASE: that; RESOLVED_NEXT_RELEASE: the newest one when it was resolved
    str commit;
};

struct issue_assignee {
    str kind, name; // "user" or "team"; empty: nobody
};

struct issue_row {
    int64_t id;
    uint32_t project;
    str title, type, value, culprit, platform;
    uint8_t severity; // OTel's
    int8_t handled;   // -1: not said
    enum issue_state state;
    int64_t since;                    // of the state
    struct issue_until_rule until;    // ISSUE_ARCHIVED
    struct issue_resolution resolved; // ISSUE_RESOLVED
    str reason;                       // of the last transition
    enum issue_priority priority;
    bool priority_set; // by a person
    struct issue_assignee assignee;
    bool seen;                          // by filter.who
    int64_t first, last;                // events
    uint64_t events, users;             // in the range
    uint64_t total_events, total_users; // ever
    bool users_approx;                  // users and total_users are within 1 %, users of a part of the time within 3 %
    str first_release, last_release;
    const str *services, *releases, *environments; // in which it was seen, as far as they are kept apart
    uint32_t services_n, releases_n, environments_n;
    uint32_t hashes;
    uint8_t sample_latest[16]; // event ids
    const uint64_t *spark;     // filter.buckets of events
};

struct issues_filter {
    const uint32_t *projects; // ascending: others do not exist for the caller
    uint32_t projects_n;
    str who;          // for `seen`: an actor; may be empty
    uint32_t buckets; // of the sparkline; 0: none
    // Not NULL: only those that it wants. Called under a lock, with views that live until it returns.
    bool (*want)(void *ctx, const struct issue_row *row);
    void *ctx;
};
// All issues as they are now, with the figures of [from, to) (ns Unix; minutes in the last two days, else hours), in no
// order. Everything is the arena's. ERR_LIMIT: it does not fit into the arena.
int issues_rows(struct issues *is, const struct issues_filter *f, int64_t from, int64_t to, struct arena *arena,
                struct issue_row **ret_rows, size_t *ret_n, struct err *err);
// One of them; ERR_NOENT. An issue that was merged into another is that one.
int issues_row(struct issues *is, const struct issues_filter *f, int64_t id, int64_t from, int64_t to,
               struct arena *arena, struct issue_row *ret_row, struct err *err);

struct issue_tally_row {
    str name; // empty: all that were too many
    uint64_t events;
    int64_t first, last;
};
struct issue_group_row {
    str hash;
    uint64_t events;
    int64_t first, last;
};
struct issue_user_row {
    str id, label;
    uint64_t events; // at least; exact when there are no more than ISSUE_TOP_USERS
    int64_t last;
};
struct issue_detail {
    struct issue_row row;
    const struct issue_tally_row *releases, *environments, *services;
    size_t releases_n, environments_n, services_n;
    const struct issue_group_row *groups;
    size_t groups_n;
    const struct issue_user_row *users;
    size_t users_n;
    uint8_t sample_first[16], sample_recommended[16]; // event ids; zeros: none
};
int issues_detail(struct issues *is, const struct issues_filter *f, int64_t id, int64_t from, int64_t to,
                  struct arena *arena, struct issue_detail *ret_detail, struct err *err);

// How many events an issue has had, and how many of them from the first moment after `time` on from which that is known:
// the end of the minute, or of the wider cell that old events are counted in.
struct issue_counted {
    uint64_t total, later;
    int64_t first, last, edge;
};
int issues_counted(struct issues *is, int64_t id, int64_t time, struct issue_counted *ret_counted, struct err *err);

// The issue of a hash (32 hex digits); ERR_NOENT.
int issues_of_hash(struct issues *is, uint32_t project, str hash, int64_t *ret_issue);
int issues_hashes(struct issues *is, int64_t issue, struct arena *arena, uint32_t *ret_project, str **ret_hashes,
                  size_t *ret_n);
// Where an issue's number leads: itself, or the one that it was merged into. ERR_NOENT.
int issues_find(struct issues *is, int64_t id, int64_t *ret_id, uint32_t *ret_project);

// ---- changing; each durable when it returns ------------------------------------------------------------

struct issue_change {
    bool has_state, has_assignee, has_priority, has_seen;
    enum issue_state state; // ISSUE_ONGOING, ISSUE_ARCHIVED, ISSUE_RESOLVED
    struct issue_until_rule until;
    struct issue_resolution resolved;
    struct issue_assignee assignee;
    enum issue_priority priority; // PRIORITY_AUTO: what it comes to
    bool seen;
};
// ERR_NOENT, ERR_INVALID.
int issues_change(struct issues *is, str actor, int64_t id, const struct issue_change *c, struct err *err);
// A commit of a release says that it mends the issue: it is resolved in that release, once for each commit: one that was
// opened again since stays open. author: of the commit, a person of the workspace; may be empty. ERR_NOENT.
int issues_fix(struct issues *is, str actor, int64_t id, str commit, str release, str author, bool *ret_fixed,
               struct err *err);
int issues_assign(struct issues *is, str actor, int64_t id, struct issue_assignee to, str why, struct err *err);
// The oldest takes the groups of the others (of one project). ids: at least two.
int issues_merge(struct issues *is, str actor, const int64_t *ids, size_t n, int64_t *ret_issue, struct err *err);
// These hashes become an issue of their own, and stay it. Not all of them.
int issues_unmerge(struct issues *is, str actor, int64_t id, const str *hashes, size_t n, int64_t *ret_issue,
                   struct err *err);
// A further hash of the issue, found later; one that belongs to some issue already stays where it is (ERR_EXIST).
int issues_hash_add(struct issues *is, int64_t issue, str hash, struct err *err);
int issues_comment(struct issues *is, str actor, int64_t id, str text, int64_t *ret_comment, struct err *err);
// Only one's own, or with any: everybody's. ERR_NOENT, ERR_DENIED.
int issues_comment_remove(struct issues *is, str actor, bool any, int64_t id, int64_t comment, struct err *err);

// ---- activity ------------------------------------------------------------------------------------------

// Kinds: first_seen, regressed, escalating, state, assigned, priority, merged, unmerged, comment.
struct issue_activity {
    int64_t id; // grows; never given twice
    int64_t issue;
    uint32_t project;
    int64_t time;
    str actor; // "user:ada", "token:ci", "clew"
    str kind, text;
    str data; // a JSON object, or empty
};
// Of an issue, newest first, at most n.
int issues_activity(struct issues *is, int64_t issue, size_t n, struct arena *arena, struct issue_activity **ret_list,
                    size_t *ret_n, struct err *err);
// Issues that came back in that release, ascending; of any project.
int issues_regressed_in(struct issues *is, str release, struct arena *arena, int64_t **ret_ids, size_t *ret_n,
                        struct err *err);
// Of all issues, those with id > after, oldest first: who remembers the last id that he has dealt with misses nothing and
// can drop what he gets twice.
int issues_activity_after(struct issues *is, int64_t after, size_t n, struct arena *arena,
                          struct issue_activity **ret_list, size_t *ret_n, struct err *err);

struct issues_stats {
    uint64_t events; // counted since the start
    uint64_t issues, groups, loaded, loaded_bytes;
    uint64_t overflow; // events since the start whose group was one too many
};
void issues_stats(struct issues *is, struct issues_stats *ret_stats);

// Tests and with `manual`: counts what has been committed, writes what is complete, does what is due.
int issues_step(struct issues *is, struct err *err);

// ---- words ---------------------------------------------------------------------------------------------

str issue_state_word(enum issue_state s);
bool issue_state_of(str word, enum issue_state *ret);
str issue_priority_word(enum issue_priority p);
