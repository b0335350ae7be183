// A real store on a disk in memory, for tests of what reads views.
#pragma once
#include "fixture.h"
#include "store/store.h"

struct fixture_store {
    struct disk *disk;
    struct store *s;
};
void fixture_store_open(struct fixture_store *f);
void fixture_store_close(struct fixture_store *f);
// One batch of project `project` with whatever feed() puts into the sink; waits until it is visible.
void fixture_store_put(struct fixture_store *f, uint32_t project,
                       int (*feed)(const struct record_sink *sink, void *ctx), void *ctx);
// The fixture's records of the bits.
void fixture_store_feed(struct fixture_store *f, uint32_t which);
