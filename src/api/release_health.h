// What sessions say of a release, as the API has it.
#pragma once
#include "api/api_internal.h"
#include "releases/health.h"

struct health_asked {
    str environment;  // empty: all
    int64_t from, to; // not said: the last 24 hours
    uint64_t buckets;
};
// environment, buckets and the range that q already has; false: answered.
bool health_ask(struct api_call *call, const struct query_request *q, struct health_asked *ret_asked);
// Members of a release: what nobody has told is not there.
void health_put(struct json_writer *w, const struct release_health *h);
// The member "health": buckets of whole hours.
int health_put_series(struct json_writer *w, struct api_call *call, int64_t release, const struct health_asked *asked,
                      struct err *err);
