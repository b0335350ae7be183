// Health of releases: how many sessions they had, how many of those crashed, and whose they were.
//
// A session is counted in the hour in which it began: when its record says `init`, or as many as the SDK has counted itself.
// What an update says of it (it ended, crashed, had errors) counts once each: its id is remembered for
// HEALTH_REMEMBERED_S after the last update, of at most HEALTH_OPEN_MAX sessions.
#pragma once
#include "base/arena.h"
#include "base/err.h"

struct releases;

enum {
    HEALTH_ENVIRONMENTS_MAX = 32, // of a release, each kept apart; sessions of further ones count as of none
    HEALTH_REMEMBERED_S = 3 * 24 * 3600,
    HEALTH_OPEN_MAX = 2000000,
    HEALTH_BUCKETS_MAX = 240,
};

// What sessions came to. `errored` holds all that had an error, those that crashed too.
struct health_counts {
    uint64_t sessions, exited, crashed, errored, abnormal, unhandled;
};
struct release_health {
    struct health_counts counts;
    uint64_t users, crashed_users; // 0 users: nobody said who it was
    bool approx;                   // users are within 1 %, those of a part of the time within 3 %
    uint64_t of_all;               // sessions of the project's releases in the same range and environment
};
// Of hours that begin in [from, to) (ns Unix) and of users who were there in it. environment: empty: all of them.
int releases_health(struct releases *r, int64_t release, str environment, int64_t from, int64_t to,
                    struct release_health *ret_health, struct err *err);
// Adds to counts[i] and all[i] (the project's sessions) what began in [from + i * step, ...), i < n.
int releases_health_series(struct releases *r, int64_t release, str environment, int64_t from, int64_t step,
                           struct health_counts *counts, uint64_t *all, size_t n, struct err *err);

// How many users were there in [from, from + (i + 1) * step), and how many of those had a crash: a line that ends at the range's number.
int releases_health_users(struct releases *r, int64_t release, str environment, int64_t from, int64_t step,
                          uint64_t *users, uint64_t *crashed, size_t n, struct err *err);

// ---- counting: what a generation of the store said, until it is complete

struct health_session {
    uint32_t project;
    str version, environment, sid, did, status; // sid empty: counted by the SDK; did: 16 hex digits, or empty
    bool init;
    int64_t errors, quantity, started;
};
struct health_pending;
struct health_pending *health_pending_new(void);
void health_pending_free(struct health_pending *p); // NULL is allowed
void health_pending_clear(struct health_pending *p);
// It was saved with a generation that is not complete: what need not be said again is let go.
void health_pending_saved(struct health_pending *p);
bool health_pending_unsaved(const struct health_pending *p);
int health_pending_add(struct health_pending *p, const struct health_session *s); // ERR_NOMEM
