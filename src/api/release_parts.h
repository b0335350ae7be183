// What came with a release, beside itself: the one before it, its issues, what was uploaded for it.
#pragma once
#include "api/release_health.h"
#include "releases/releases.h"

// The members "before", "issues" and "uploads".
int release_put_parts(struct json_writer *w, struct api_call *call, const struct query_request *who,
                      const struct release *x, const struct health_asked *asked, struct err *err);
