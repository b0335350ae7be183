// A releases.db for one test: made, opened, removed.
#pragma once
#include "base/clock.h"
#include "releases/releases.h"

struct releases_scratch {
    char dir[64], path[96];
    struct releases *releases;
    struct arena arena;
    int64_t retention_ns;
};
void releases_scratch_open(struct releases_scratch *s);
// Closes and opens the same file again, as a second start does.
void releases_scratch_reopen(struct releases_scratch *s);
void releases_scratch_close(struct releases_scratch *s);
// A release that was made then (0: now); its id.
int64_t releases_scratch_put(struct releases_scratch *s, uint32_t project, const char *version, int64_t created);
