// Ingest: who may send, how much, and the way of a request: admitted on the I/O thread with nothing but
// its head read, decoded on a worker into a batch of that worker's lane, answered when the batch is
// durable. Speaks OTLP over HTTP (protobuf and JSON) and gRPC, and Sentry's protocol (sentry.h); every refusal has the
// form and the status that the clients understand: what passes is retried by them, what is final is not.
#pragma once
#include "artifacts/artifacts.h"
#include "ingest/door.h"
#include "ingest/item_tally.h"
#include "meta/meta.h"
#include "net/server.h"
#include "store/store.h"
#include "symbols/symbols.h"

struct grouping_rules;
struct ingest;

// Who keeps issues (src/issues), as far as ingest has to know.
struct ingest_issues {
    int (*of_hash)(void *ctx, uint32_t project, str hash, int64_t *ret_issue); // ERR_NOENT; NULL: nobody keeps any
    int (*hash_add)(void *ctx, int64_t issue, str hash);                       // ERR_EXIST: it is an issue's already
    void *ctx;
};

struct ingest_options {
    struct meta *meta;
    struct store *store; // with as many lanes as the pool has threads
    struct artifacts *artifacts;
    struct pool *pool;                                        // decoding
    struct symbols *symbols;                                  // source maps; NULL: none. Closed before ingest is freed
    struct ingest_issues issues;                              // of events that become readable after they came
    int64_t default_project;                                  // of senders without a key
    size_t body_max, inflated_max;                            // bytes
    size_t event_max, item_max, attachment_max, envelope_max; // of Sentry's: bytes
    const char *tunnels; // paths that take envelopes of any project, comma-separated
    int64_t rate;        // bytes a second and project; 0: no quota
};
int ingest_new(const struct ingest_options *o, struct ingest **ret_ingest, struct err *err);
// After the server has stopped and all batches were answered.
void ingest_free(struct ingest *in);

// Is this one of ingest's paths? (gRPC services too)
bool ingest_owns(const struct ingest *in, const struct http_request *req);
// Admits: fills route, or has answered. Only for requests that it owns; the Host was checked.
void ingest_route(struct ingest *in, struct http_request *req, struct http_route *route);
// A refusal by the server itself (limits, broken bodies) in OTLP's form.
void ingest_refuse(struct ingest *in, struct http_request *req, int status, int retry_after_s, str message);

#define INGEST_COUNTERS(X)                                                           \
    X(requests, "requests that were admitted")                                       \
    X(records, "records stored")                                                     \
    X(records_rejected, "records refused one by one (partial success)")              \
    X(requests_repeated, "requests that had been stored before and were sent again") \
    X(refused_unauthenticated, "requests without a valid key")                       \
    X(refused_forbidden, "requests with a key that may not ingest")                  \
    X(refused_quota, "requests over the project's rate")                             \
    X(refused_malformed, "requests that could not be decoded")                       \
    X(refused_busy, "requests refused until later: busy, no space, read-only")       \
    X(bytes, "bytes of admitted requests as sent")                                   \
    X(sentry_artifacts, "attachments, replays and profiles kept")                    \
    X(sentry_artifacts_refused, "attachments, replays and profiles without room")    \
    X(sentry_filtered, "items from Sentry SDKs that projects' filters left out")     \
    X(sentry_items_skipped, "items of Sentry envelopes of a kind that is not kept")  \
    X(sentry_items_malformed, "items of Sentry envelopes that could not be read")

struct ingest_stats {
#define INGEST_STAT_FIELD(name, text) uint64_t name;
    INGEST_COUNTERS(INGEST_STAT_FIELD)
#undef INGEST_STAT_FIELD
};
struct ingest_stats ingest_stats(struct ingest *in);
// Items of Sentry envelopes by type; returns how many types.
size_t ingest_items(struct ingest *in, struct item_tally_row ret_rows[ITEM_TALLY_ROWS]);

// An error event that the server itself has made of what it was told, in Sentry's form: goes the way of those that SDKs send.
struct ingest_own_event {
    int64_t project;
    str id;      // 32 hex digits
    str service; // for service.name
    str json;
};
enum ingest_own { INGEST_OWN_STORED, INGEST_OWN_FILTERED, INGEST_OWN_OVER_RATE };
// Gives its records to the sink. INGEST_OWN_FILTERED: the project does not want it, and that is counted in the sink;
// INGEST_OWN_OVER_RATE: nothing is given. ERR_LIMIT: it is too large; ERR_MALFORMED, ERR_NOMEM, or what the sink returned.
// Any thread, not from an I/O loop; one at a time.
int ingest_own_event(struct ingest *in, const struct ingest_own_event *e, const struct record_sink *sink,
                     struct err *err);

// Who has lately tried to send.
struct door *ingest_door(struct ingest *in);
// For requests that are not ingest's: notes those that look like somebody who means to send. status: what they are answered.
void ingest_stray(struct ingest *in, const struct http_request *req, int status);
// A name that this server does not answer to: a program that asks under it gets 421.
void ingest_wrong_host(struct ingest *in, const struct http_request *req);
// What the server itself has seen.
void ingest_observe(struct ingest *in, const struct net_observed *o);

// By which rules the events of a project are grouped now; the caller frees them (grouping/grouping.h). Not from an I/O loop.
struct grouping_rules *ingest_grouping_rules(struct ingest *in, int64_t project);
