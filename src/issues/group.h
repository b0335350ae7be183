// A group: all events of one hash in one project, with their figures. What identifies it is in memory always; its figures
// are when it has had events lately (`detail`), else in the database.
#pragma once
#include "base/people.h"
#include "issues/issues.h"
#include "issues/series.h"
#include "issues/shares.h"

struct top_user {
    uint64_t hash, events;
    int64_t last;
    char *label;
};

struct sample {
    uint8_t event[16]; // zeros: none
    int64_t time;
    uint8_t score; // how much it says
};

struct detail {
    str title, type, value, culprit, platform; // of the latest event; one piece of memory, the title's
    uint64_t texts;                            // hash of them
    uint8_t severity;
    int8_t handled;
    struct sample first, latest, recommended;
    struct series series;
    struct people people;
    struct shares releases, environments, services;
    struct top_user *top;
    uint8_t top_n, top_cap;
    size_t bytes; // as counted in the index
};

struct group {
    uint32_t id, project, issue;
    uint8_t hash[16];
    bool other; // stands for all hashes that were too many
    bool dirty; // not in the database as it is
    bool gone;
    bool moved;    // to another issue, which is not in the database
    uint32_t next; // of its issue: id
    uint64_t events;
    int64_t first, last; // time of its events; INT64_MAX, INT64_MIN: none yet
    struct detail *detail;
    uint32_t used; // generation of ours in which it was counted last
};

// An event, as far as groups are concerned.
struct event {
    uint32_t project;
    int64_t time, received; // time: near enough to received to believe it
    str id;                 // 32 hex digits
    str group;
    const str *groups; // further hashes
    uint32_t groups_n;
    str title, type, value, culprit, platform, transaction;
    uint8_t severity;
    int8_t handled;
    bool has_trace, has_stack;
    str user, user_kind; // "42", "id"
    str release, environment, service;
};

enum { DETAIL_BLOB_MAX = 1 << 20 };

struct detail *detail_new(void);
void detail_free(struct detail *d);
size_t detail_bytes(const struct detail *d);
// ERR_NOMEM: the detail is of no use any more.
int detail_add(struct detail *d, const struct event *e);
int detail_merge(struct detail *d, const struct detail *other);
void detail_encode(const struct detail *d, struct buf *b);
// ERR_CORRUPT, ERR_NOMEM.
int detail_decode(bytes blob, struct detail **ret_detail);
static inline uint32_t minute_of(int64_t ns) { return ns > 0 ? (uint32_t)(ns / 60000000000LL) : 0; }
