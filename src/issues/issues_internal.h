// What the files of this room share.
//
// Memory is what the database has and what has been counted since. Locks, in this order: `writing`, held by whoever changes
// something from the look at it until it is durable; `state`, for a moment at a time, by who reads or changes memory;
// `reading`, the readers' connection, never while `state` is held.
//
// Ids of issues and groups grow by one, so that what is new is what lies beyond the last one saved. Readers see an issue
// only when it is in the database: its number is then the same after a crash.
#pragma once
#include "base/clock.h"
#include "db/db.h"
#include "issues/group.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

#define HOUR_NS (3600 * NS_PER_S)
#define DAY_NS (24 * HOUR_NS)
#define MINUTE_NS (60 * NS_PER_S)
// Times further from their arrival than the store keeps apart count as the arrival's.
#define TIME_EARLY_NS (7 * DAY_NS)
#define TIME_LATE_NS (600 * NS_PER_S)
#define ISSUE_NEW_NS (7 * DAY_NS) // new, regressed and escalating are ongoing after that
#define DETAIL_BYTES_MAX ((size_t)96 << 20)
#define ACTOR_CLEW STR("clew")

// What only some issues have.
struct issue_more {
    struct issue_until_rule until;
    uint64_t users_base; // when it was archived
    enum issue_resolved resolved;
    char *release, *commit, *reason, *assignee_kind, *assignee;
    int64_t window_start; // of UNTIL_EVENTS and UNTIL_USERS with a window
    uint64_t window_n;    // events in it; users until the last event
    uint64_t asked_of;    // the release for whose events it was asked last which one has the commit, and when
    int64_t asked;
};

struct issue {
    uint32_t id, project;
    uint32_t groups, groups_n; // the first one's id
    uint32_t merged_into;      // 0: none
    uint8_t state, priority;   // enum issue_priority: AUTO when nobody has said
    bool changed;              // the row is not in the database as it is
    bool counted;              // its counters are not
    int64_t created, since;    // since: of the state
    struct issue_more *more;   // NULL: nothing of it
    // Events that were received after counters_of, which is `since` unless they are of a state before.
    int64_t counters_of;
    uint64_t since_n, hour_n;
    uint32_t hour;       // since 1970
    uint32_t limit_hour; // for which `limit` was reckoned
    uint64_t limit;
    double usual;
};

struct seen_slot {
    uint64_t key; // of actor and issue; 0: free
    int64_t time;
};
enum { SEEN_MAX = 1 << 20 }; // beyond it everything is as if not seen

struct index {
    struct issue **issues; // by id
    uint32_t issues_end, issues_cap;
    struct group **groups; // by id
    uint32_t groups_end, groups_cap;
    uint32_t *slots, mask; // of groups, by project and hash
    struct seen_slot *seen;
    uint32_t seen_mask, seen_n;
    uint32_t issues_saved, groups_saved; // ids below are in the database
    size_t detail_bytes;
    uint64_t loaded;
};

struct pending {
    struct pending *next;
    uint32_t issue;
    int64_t time;
    str actor, kind, text, data;
};

struct issues {
    uint32_t magic;
    struct store *store;
    struct issues_options o;
    pthread_mutex_t writing, state, reading;
    struct index index;
    struct db writer, reader;
    struct consumer *consumer;
    struct arena pending_arena; // of the list
    struct pending *pending, **pending_tail;
    bool anything; // for the database, at the end of the step
    uint64_t passed;
    uint32_t serial; // generations that we have saved
    uint64_t events, overflow;
    int64_t tick_next;
    bool reload; // memory is not what is durable
    _Atomic bool stop;
    pthread_t thread;
    bool running;
};
enum { ISSUES_MAGIC = 0x49535355 };

static inline int64_t issues_now(const struct issues *is)
{
    return is->o.now ? is->o.now(is->o.now_ctx) : clock_unix_ns();
}

// ---- index.c -------------------------------------------------------------------------------------------
void index_free(struct index *x);
void index_issue_free(struct issue *issue);
struct issue *index_issue(const struct index *x, uint64_t id);   // NULL: none
struct issue *index_visible(const struct index *x, uint64_t id); // the one it was merged into; in the database
struct group *index_group(const struct index *x, uint32_t project, const uint8_t hash[16]);
struct group *index_other(const struct index *x, uint32_t project);
// With the next number. ERR_NOMEM.
int index_issue_add(struct index *x, uint32_t project, struct issue **ret_issue);
int index_group_add(struct index *x, uint32_t project, const uint8_t hash[16], uint32_t issue,
                    struct group **ret_group);
// With a number from the database. ERR_CORRUPT.
int index_issue_put(struct index *x, struct issue *issue);
int index_group_put(struct index *x, struct group *g);
void index_group_move(struct index *x, struct group *g, struct issue *to);
void index_detail_set(struct index *x, struct group *g, struct detail *d); // takes it
// Lets go of details that were not used for the longest time.
void index_evict(struct index *x, uint32_t serial, size_t most);
struct issue_more *issue_more(struct issue *issue); // NULL: out of memory
int issue_text_set(char **at, str s);
uint64_t seen_key(str actor, uint32_t issue);
int64_t index_seen(const struct index *x, uint64_t key); // 0: never
int index_seen_set(struct index *x, uint64_t key, int64_t time);
bool issue_hash_of(str text, uint8_t ret_hash[16]);

// ---- count.c: rows from `first` on; `state` is held block by block. --------------------------------------
int issues_count(struct issues *is, const struct segment *s, uint64_t first);
// One event; `state` is held.
int issues_count_event(struct issues *is, const struct event *e);

// ---- state.c -------------------------------------------------------------------------------------------
// What the event does to the state of its issue; `state` is held. ERR_NOMEM.
int state_event(struct issues *is, struct issue *issue, const struct event *e);
// What time does to states.
int state_tick(struct issues *is, int64_t now);
void state_set(struct issue *issue, enum issue_state state, int64_t since);
// For the database, and for who observes. ERR_NOMEM.
int activity_add(struct issues *is, struct issue *issue, int64_t time, str actor, str kind, str text, str data);
// What stands with "regressed" in the activity, so that those of a release are found by it.
void release_data(struct buf *out, str release);
uint64_t issue_users(const struct issues *is, const struct issue *issue);
// What an hour of it is like, from the week before; the number above which it escalates.
uint64_t forecast_limit(const uint64_t *hours, uint32_t n, double *ret_usual);

// ---- release.c -----------------------------------------------------------------------------------------
// Is a newer than b (<0 older, 0 the same)? first: when a was first seen in the issue; resolved: when that was resolved.
int release_order(str a, str b, int64_t first, int64_t resolved);

// ---- db.c ----------------------------------------------------------------------------------------------
int issues_db_open(struct issues *is, bool writer, struct err *err);
int issues_db_load(struct issues *is, struct index *x, uint64_t *ret_passed, struct err *err);
// New issues and groups, changed issues, activity: in one transaction. `writing` is held.
int issues_db_save_now(struct issues *is, struct err *err);
// Figures, counters, and the generation's number: in one transaction. `writing` is held.
int issues_db_save_figures(struct issues *is, uint64_t generation, struct err *err);
// NULL: it has none yet.
int issues_db_detail(struct db *db, uint32_t group, struct detail **ret_detail, struct err *err);
// Issues that have had no event since: from the database and from memory. `writing` is held.
int issues_db_expire(struct issues *is, int64_t before, struct err *err);
int issues_db_seen(struct issues *is, uint64_t key, int64_t time, struct err *err);

// ---- issues.c ------------------------------------------------------------------------------------------
// save_now(); where it fails, memory is read again from what the database has, soon. `writing` is held.
int issues_settle(struct issues *is, struct err *err);

// ---- read.c --------------------------------------------------------------------------------------------
// From level, handled or not, state, users and events, unless somebody has said.
enum issue_priority issue_priority_of(const struct issue *issue, const struct detail *d, uint64_t events,
                                      uint64_t users);
