// Rows that are in no store, as a segment: what somebody knows without having it from the log (the rows of a query's
// source that is no kind of record). Of one thread until it is ended.
#pragma once
#include "store/segment.h"

struct made;

// ERR_NOMEM.
int made_new(struct made **ret_made);
// Copies the record with its attributes (of any source; it is not looked at). ERR_NOMEM, ERR_LIMIT.
int made_add(struct made *m, uint32_t project, int64_t received, const struct record *r);
// The segment of all rows; NULL when there are none. Lives as long as m, to which nothing may be added any more.
int made_end(struct made *m, const struct segment **ret_segment);
void made_free(struct made *m);
