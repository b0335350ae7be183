// At the door: who has lately tried to send, and what became of it, for the diagnosis that the set-up page and `clew doctor`
// give. In memory only and of a fixed size: the same attempt of the same client is one entry with a count, and each outcome
// keeps its newest few, so that a flood of one kind pushes out nothing but itself. Holds no secret: of a key its last
// four characters, of a request's target the path.
#pragma once
#include "base/err.h"
#include "net/request.h"

#define DOOR_OUTCOMES(X)                                                             \
    X(ACCEPTED, "accepted")                                                          \
    X(NO_KEY, "no_key")                       /* from elsewhere, and without one */  \
    X(BAD_AUTHORIZATION, "bad_authorization") /* a header that is no bearer token */ \
    X(UNKNOWN_KEY, "unknown_key")                                                    \
    X(NO_SCOPE, "no_scope") /* a token, but not for ingest */                        \
    X(QUOTA, "quota")                                                                \
    X(METHOD, "method")       /* not POST */                                         \
    X(PREFLIGHT, "preflight") /* a page of another site asks first */                \
    X(CONTENT_TYPE, "content_type")                                                  \
    X(ENCODING, "encoding")                 /* compression that is not known */      \
    X(JSON_AS_PROTOBUF, "json_as_protobuf") /* the body is JSON, its type is not */  \
    X(PROTOBUF_AS_JSON, "protobuf_as_json")                                          \
    X(MALFORMED, "malformed")                                                        \
    X(TOO_LARGE, "too_large")                                                        \
    X(PATH, "path")     /* nothing takes records there */                            \
    X(SENTRY, "sentry") /* formats that are not taken */                             \
    X(FOREIGN, "foreign")                                                            \
    X(GRPC_SERVICE, "grpc_service")                                                  \
    X(GRPC_ON_HTTP1, "grpc_on_http1")                                                \
    X(HOST, "host") /* a name that is not this server's */                           \
    X(TLS_ON_PLAIN, "tls_on_plain")                                                  \
    X(PLAIN_ON_TLS, "plain_on_tls")                                                  \
    X(CERTIFICATE, "certificate")                                                    \
    X(BUSY, "busy") /* passes: full, stopping, no space */

enum door_outcome {
#define DOOR_ENUM(name, slug) DOOR_##name,
    DOOR_OUTCOMES(DOOR_ENUM)
#undef DOOR_ENUM
        DOOR_OUTCOMES_N
};
const char *door_slug(enum door_outcome outcome);

enum {
    DOOR_ACCEPTED_MAX = 48, // entries of what was accepted
    DOOR_REFUSED_MAX = 8,   // entries of each other outcome
    DOOR_ENTRIES = DOOR_ACCEPTED_MAX + (DOOR_OUTCOMES_N - 1) * DOOR_REFUSED_MAX,
    DOOR_RECENT = 24,
    DOOR_SERVICES = 6, // that are remembered of one sender
    DOOR_TEXT = 96,
};

// The same client doing the same thing.
struct door_entry {
    uint64_t key; // 0: not in use
    enum door_outcome outcome;
    int signal; // enum otlp_signal; -1: none
    int status; // of HTTP; 0: there was no request
    enum http_version version;
    bool is_grpc;
    uint16_t port;         // ours
    char peer[48];         // address
    char agent[DOOR_TEXT]; // of User-Agent
    char method[12], path[DOOR_TEXT];
    char detail[DOOR_TEXT]; // what the outcome is about: tail of a key, a type, a name
    uint64_t requests, records;
    int64_t first_ns, last_ns; // Unix
    // accepted: from looking into one request a second
    char services[DOOR_SERVICES][64];
    int services_n;
    bool nameless;   // the last look saw a resource without service.name
    bool has_skew;   //
    int64_t skew_ns; // newest record's time minus ours when it arrived
};

struct door_recent {
    int64_t time_ns;
    enum door_outcome outcome;
    int status;
    uint64_t key, repeats; // the same again and again is one line
    char peer[48], agent[DOOR_TEXT], method[12], path[DOOR_TEXT];
};

// What an SDK says that it did not send, itself.
enum { DOOR_LOST_MAX = 24 };
struct door_lost {
    char outcome[24], reason[48], category[32];
    char agent[DOOR_TEXT];
    uint64_t quantity;
    int64_t last_ns; // Unix; 0: not in use
};

struct door_snapshot {
    int64_t since_ns; // Unix: when this began
    uint64_t requests;
    struct door_entry entries[DOOR_ENTRIES]; // those with a key, in no order
    struct door_recent recent[DOOR_RECENT];  // newest first
    size_t recent_n;
    struct door_lost lost[DOOR_LOST_MAX]; // in no order
};

struct door;
int door_new(struct door **ret_door);
void door_free(struct door *d);

// req may be NULL, then peer and local are given. detail may be empty. From any thread.
struct door_try {
    enum door_outcome outcome;
    const struct http_request *req;
    const struct socket_address *peer, *local;
    int signal; // -1: none
    int status;
    str detail;
};
void door_note(struct door *d, const struct door_try *t);

// What looking into a request finds.
struct door_look {
    bool looked, nameless, has_time;
    char service[64]; // of its first resource
    int64_t newest_ns;
};
// Whether this sender's request should be looked into: once a second, since looking costs a little a record.
bool door_wants_look(struct door *d, const struct http_request *req, int signal);
void door_accept(struct door *d, const struct http_request *req, int signal, uint64_t records,
                 const struct door_look *look);

void door_lost(struct door *d, const struct http_request *req, str outcome, str reason, str category,
               uint64_t quantity);

void door_snapshot(struct door *d, struct door_snapshot *ret_snapshot);
