// Random records for tests of the store: every source, every value type, odd ids, repeated keys' absence,
// events and links. The same seed gives the same records.
#pragma once
#include "base/arena.h"
#include "wire/record.h"

struct record_maker {
    uint64_t state; // of the generator
    struct arena arena;
    unsigned keys;   // distinct attribute keys (default 20)
    unsigned values; // distinct strings a key (default 50)
    unsigned traces; // distinct trace ids (default 40)
};

void record_maker_init(struct record_maker *m, uint64_t seed);
void record_maker_free(struct record_maker *m);
uint64_t record_maker_next(struct record_maker *m, uint64_t below); // uniform in [0, below)
// Valid until record_maker_reset().
struct record record_maker_record(struct record_maker *m, unsigned source);
struct record_entity record_maker_resource(struct record_maker *m);
struct record_entity record_maker_scope(struct record_maker *m);
void record_maker_reset(struct record_maker *m);
