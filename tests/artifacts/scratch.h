// A data directory of a test's own, whose disk fails on command.
#pragma once
#include "artifacts/artifacts.h"

struct scratch {
    char dir[64];
    struct disk *real, *disk;
    struct artifacts *artifacts;
    struct artifacts_options options;
    struct arena arena;
};
void scratch_open(struct scratch *s);
void scratch_reopen(struct scratch *s);
void scratch_close(struct scratch *s);
// Files under DIR/artifacts, also temporary ones.
unsigned scratch_files(struct scratch *s);
// A content that packs well, or not at all, of n bytes; made new each time, freed with free().
uint8_t *scratch_content(size_t n, bool packs, uint64_t seed);
