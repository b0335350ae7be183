// What the protocols of this room share.
#pragma once
#include "base/arena.h"
#include "ingest/door.h"
#include "ingest/ingest.h"
#include "ingest/quota.h"
#include "wire/sentry_payload.h"

enum { INGEST_MAGIC = 0x494e4753, INGEST_WORKERS_MAX = 256 };

struct ingest {
    uint32_t magic;
    struct ingest_options options;
    struct quota quota;
    struct door *door;
    _Atomic int in_flight;
    struct arena scratch[INGEST_WORKERS_MAX];         // a worker's own
    struct sentry_packer packers[INGEST_WORKERS_MAX]; // likewise
#define INGEST_ATOMIC_FIELD(name, text) _Atomic uint64_t name;
    INGEST_COUNTERS(INGEST_ATOMIC_FIELD)
#undef INGEST_ATOMIC_FIELD
};

// What a body is, for noticing that a client which did not hear our answer sends it again. kind: of the
// protocol and format, below 256.
void ingest_request_hash(int64_t project, unsigned kind, bytes body, uint64_t ret[2]);
