#pragma once
#include "db/db.h"
#include "events/events.h"
#include "issues/issues.h"
#include "meta/meta.h"
#include "owners/owners.h"
#include "owners/repository.h"
#include "owners/rules.h"
#include "releases/releases.h"

#include <pthread.h>

enum { OWNERS_MAGIC = 0x4f574e53, OWNERS_ARENA_MAX = 96 << 20 };

struct owners {
    uint32_t magic;
    struct owners_options o;
    struct db db;
    struct git *git;
    pthread_t thread;
    bool running;
    _Atomic bool stop;
    // The rules that were read last: of one project there are many issues.
    pthread_mutex_t rules_lock;
    int64_t rules_project, rules_changed;
    struct owner_rules *rules;
};

// An event with its frames as people know them.
struct subject {
    struct event event;
    struct sentry_event sent;
    str release;
};

struct suspect {
    str id, message, author, release, file, by; // by: "commit", "blame"
    int64_t time, line;
};
// The newest commit that touched the file of the innermost frame that any commit did, up to the event's release. ERR_NOENT.
int suspect_of_commits(struct releases *r, uint32_t project, const struct subject *s, struct arena *arena,
                       struct suspect *ret, struct err *err);
// Who wrote the line of the innermost frame whose file a repository of the project has. ERR_NOENT.
int suspect_of_blame(struct owners *o, const struct subject *s, struct arena *arena, struct suspect *ret,
                     struct err *err);
// Its first line.
str suspect_message(str message);

// Gives the event's frames the files that the project's code mappings name (sentry_frame.code).
int mappings_apply(struct meta *m, int64_t project, const struct sentry_event *e, struct arena *arena, struct err *err);

// look.c: an event of the issue and what it says. ret_first: whom the issue goes to (an empty name: nobody who is here).
int causes_find(struct owners *o, int64_t issue, uint32_t project, struct arena *arena, struct issue_causes *ret_causes,
                struct issue_assignee *ret_first, str *ret_rule, struct err *err);

// causes.c: owners.db
int causes_open(struct owners *o, struct err *err);
int causes_get(struct owners *o, int64_t issue, struct arena *arena, struct issue_causes *ret, int64_t *ret_time,
               struct err *err); // ERR_NOENT
int causes_put(struct owners *o, int64_t issue, const struct issue_causes *c, struct err *err);
int causes_after(struct owners *o, int64_t *ret_after, struct err *err);
int causes_after_set(struct owners *o, int64_t after, struct err *err);
