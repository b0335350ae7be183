// What the cells of a range say: services with their figures beside those of the same length of time before, calls
// between them, deploys, and what is wrong. Pure functions over a view; everything is the arena's.
#pragma once
#include "red/red.h"

// Whole minutes since 1970.
struct red_range {
    uint32_t from, to, step, buckets; // buckets of `step` minutes from `from` on
    uint32_t before;                  // where the time before begins: from - (to - from)
    uint32_t read_from;               // cells from here on are needed
    int64_t now;                      // ns: a range that ends later has lasted until now only
};
// The whole minutes that a range of ns lasts, in at most `buckets` buckets of a step that people like.
void red_range_make(int64_t from, int64_t to, int64_t now, uint32_t buckets, struct red_range *ret_range);

struct red_figures {
    uint64_t requests, errors;
    struct durations durations;
};

struct red_service {
    str name;
    uint8_t kind; // enum red_node
    str system, language, runtime;
    str version;
    int64_t version_since; // with a version
    uint32_t instances;
    uint64_t logs, log_errors;
    int64_t last; // INT64_MIN: no record in the range
    struct red_figures now, before;
    bool has_before;
    struct red_figures *buckets;
};

struct red_call {
    const struct red_service *from, *to;
    struct red_figures now;
};

struct red_deploy {
    int64_t time;
    str service, version, before, environment;
    struct red_figures old_figures, new_figures; // half an hour before it; the new version's half hour after it
    bool worse;
};

enum red_state { RED_QUIET, RED_HEALTHY, RED_SLOW, RED_FAILING };
struct red_finding {
    enum red_state state;
    str service; // with SLOW and FAILING all of these
    int64_t since;
    const struct red_deploy *cause; // NULL: none known
    struct red_figures before, after;
    str query;
};

struct red_overview {
    struct red_service *services; // worst first
    size_t services_n;
    struct red_call *calls;
    size_t calls_n;
    struct red_figures *buckets; // of all requests
    struct red_deploy *deploys;  // newest first
    size_t deploys_n;
    struct red_finding finding;
};
// With series and edges in the view. ERR_LIMIT: the arena is full.
int red_overview(const struct red_view *v, const struct red_range *range, struct arena *a,
                 struct red_overview *ret_overview);

// Steps of it. red_services() fills services, calls and buckets, in no order.
int red_services(const struct red_view *v, const struct red_range *range, struct arena *a, struct red_overview *o);
int red_deploys(const struct red_view *v, const struct red_range *range, struct arena *a, struct red_overview *o);
// An earlier version that came back in this minute, and the one that it came back for.
struct red_rollback {
    const struct red_key *key, *before;
    uint32_t minute;
};
enum { ROLLBACKS_MAX = 256 };
int red_rollbacks(const struct red_view *v, struct arena *a, struct red_rollback **ret_list, size_t *ret_n);
int red_find(const struct red_view *v, const struct red_range *range, struct arena *a, struct red_overview *o);

static inline double red_ratio(const struct red_figures *f)
{
    return f->requests ? (double)f->errors / (double)f->requests : 0;
}
double red_rate(const struct red_range *range, uint64_t requests); // a second
int red_figures_add(struct arena *a, struct red_figures *f, const struct cell *c);
