// What the language knows about issues, it asks: events are grouped by hashes, and which issue a hash belongs to may change
// at any time (merge, unmerge), so nothing of it is stored with them. Who keeps issues sets this at start-up; calls come from
// many threads.
#pragma once
#include "base/arena.h"

// One row of the source `issues`: state of now; events and users inside a range. Texts live in the arena or longer.
struct query_issue {
    int64_t id;
    uint32_t project;
    str short_id; // "SHOP-42"; empty: made of the project's name
    str title, type, culprit, assignee, first_release;
    str state;           // new ongoing escalating regressed archived resolved
    str priority;        // high medium low
    uint8_t severity;    // as of events; 0: none
    int64_t first, last; // ns Unix
    uint64_t events, users;
    const str *services, *releases, *environments; // in which it was seen
    uint32_t services_n, releases_n, environments_n;
};

struct query_issues {
    void *ctx;
    // The issue of a group now. ERR_NOENT.
    int (*of_hash)(void *ctx, uint32_t project, str hash, int64_t *ret_issue);
    // The groups of an issue now. ERR_NOENT.
    int (*hashes)(void *ctx, int64_t issue, struct arena *arena, uint32_t *ret_project, str **ret_hashes,
                  size_t *ret_n);
    // The issues of these projects (NULL: of all) with the figures of [from, to), ns Unix; those without events in it are
    // passed over.
    int (*rows)(void *ctx, const uint32_t *projects, size_t projects_n, int64_t from, int64_t to, struct arena *arena,
                struct query_issue **ret_rows, size_t *ret_n);
};
