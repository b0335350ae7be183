// A data directory for one test: made, opened, removed.
#pragma once
#include "meta/meta.h"

struct scratch {
    char dir[64];
    struct meta *meta;
};
void scratch_open(struct scratch *s);
// Closes and opens the same directory again, as a second start does.
void scratch_reopen(struct scratch *s);
void scratch_close(struct scratch *s);
// Runs SQL on the file behind the room's back, as somebody with an editor does.
void scratch_sql(const struct scratch *s, const char *sql);
bool scratch_try_sql(const struct scratch *s, const char *sql);
