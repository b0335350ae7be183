// What the protocols of this room share.
#pragma once
#include "base/arena.h"
#include "ingest/door.h"
#include "ingest/ingest.h"
#include "ingest/item_tally.h"
#include "ingest/project_rules.h"
#include "ingest/quota.h"
#include "ingest/refine.h"
#include "wire/sentry_payload.h"

enum { INGEST_MAGIC = 0x494e4753, INGEST_WORKERS_MAX = 256, INGEST_OWN = INGEST_WORKERS_MAX };

struct ingest {
    uint32_t magic;
    struct ingest_options options;
    struct quota quota;
    struct door *door;
    struct project_rules *rules;
    struct refine refine;
    struct item_tally items; // of Sentry envelopes, by type
    _Atomic int in_flight;
    struct arena scratch[INGEST_WORKERS_MAX + 1];         // a worker's own; the last one is of the server's own events
    struct sentry_packer packers[INGEST_WORKERS_MAX + 1]; // likewise
    pthread_mutex_t own;                                  // held while one of those is made
#define INGEST_ATOMIC_FIELD(name, text) _Atomic uint64_t name;
    INGEST_COUNTERS(INGEST_ATOMIC_FIELD)
#undef INGEST_ATOMIC_FIELD
};

// Stores the records that decode() gives to its sink, in one batch of this worker's lane. A request that was stored before is
// read once more, for the same answer, into nothing.
struct ingest_storing {
    struct http_request *req; // with its whole body
    int64_t project;
    bool unhashed;  // the same body again is something new
    bool *repeated; // set before decode() when it was stored before; NULL: not wanted
    unsigned kind;  // of the protocol and format, below 256: the same body in another one is another request
    int (*decode)(void *call, const struct record_sink *sink, struct err *err);
    void (*committed)(void *call, int result); // on the log thread
    void *call;
};
enum ingest_stored { INGEST_REPEATED = 0, INGEST_COMMITTING = 1 };
// INGEST_COMMITTING: committed() will be called, or was; the call and the request are no longer the caller's.
// INGEST_REPEATED, or what decode() or the store returned: the caller answers.
int ingest_store(struct ingest *in, const struct ingest_storing *s, struct err *err);
