// Live: the server's half of live debugging. It knows what probes there should be, tells each agent its part of that
// (the desired set), keeps what the agents say of it, and turns what probes have captured into records.
//
// Probes, agents and what has been captured stand in `live.db`, which is beside the meta store and not in it: states and hits are
// written at the pace of production traffic, and an audit entry must never wait for them. What agents report
// (processes, states, counts) is memory: they say it again when they connect.
//
// Hits are limited over all instances: an agent is given slices of them, and beyond the limit nothing is stored,
// whatever an agent sends. A capture is acknowledged when it is durable, and known again by its id.
//
// Threads: every function from any thread, none from an I/O loop. One thread of its own looks at the clock.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/json_tree.h"

struct live;
struct store;
struct meta;
struct record_sink;

enum {
    LIVE_PROBES_MAX = 10000, // that are not removed
    LIVE_AGENTS_MAX = 5000,
    LIVE_NAME_MAX = 255,        // bytes of a service, a host, a process id
    LIVE_MESSAGE_MAX = 4 << 20, // bytes of a message of an agent
    LIVE_LEASE_S = 90,          // without the server an agent removes its probes
    LIVE_HEARTBEAT_S = 15,
    LIVE_SNAPSHOTS_MAX = 500, // of one answer
    LIVE_EVENTS_A_SECOND = 5, // error events of one probe, and so many at once
    LIVE_EVENTS_BURST = 100,
};

struct live_options {
    const char *path; // of the database: "DATA/live.db"; made when missing
    struct store *store;
    unsigned lane; // of the store, this room's alone
    struct meta *meta;
    // What pages watch: "probe", "probe_removed", "capture", "instances", and once a second "tick" with nothing. From any thread,
    // under this room's lock: must not call back, nor wait. May be NULL.
    void (*watch)(void *ctx, const char *event, uint32_t project, str service, str json);
    void *watch_ctx;
    // Makes an error event in Sentry's form one of the project and gives its records to the sink. id: 32 hex digits. 1: it is made; 0: the
    // project does not take it (filters, rate, size); < 0: the sink has failed. NULL: nobody makes any.
    int (*event)(void *ctx, uint32_t project, str id, str service, str json, const struct record_sink *sink);
    void *event_ctx;
    int64_t (*now)(void); // tests; NULL: clock_unix_ns()
    bool manual;          // tests: the clock is looked at in live_step() only
};
int live_open(const struct live_options *o, struct live **ret_live, struct err *err);
void live_close(struct live *l); // NULL is allowed
void live_watch(struct live *l, void (*watch)(void *ctx, const char *event, uint32_t project, str service, str json),
                void *ctx);
void live_step(struct live *l);

// Who asks: which projects he may see (ascending), and what he may do.
struct live_caller {
    str actor; // for the audit trail
    str owner; // a person or token, as others see it
    const uint32_t *projects;
    size_t projects_n;
    bool may_prod;
};

// ---- probes. All write JSON of docs/openapi.json's `Probe`.

// body: of POST. The project is one of the caller's. ERR_INVALID with the member as place, and column and hint
// for an expression; ERR_DENIED; ERR_LIMIT.
int live_probe_add(struct live *l, const struct live_caller *who, uint32_t project, str project_slug,
                   const struct json_node *body, struct json_writer *w, struct err *err);
int live_probe_change(struct live *l, const struct live_caller *who, str id, const struct json_node *body,
                      struct json_writer *w, struct err *err);
int live_probe_remove(struct live *l, const struct live_caller *who, str id, struct err *err);
// Of a service, or (empty) all that the caller may see.
int live_probes_remove(struct live *l, const struct live_caller *who, str service, size_t *ret_n, struct err *err);
int live_probe(struct live *l, const struct live_caller *who, str id, struct json_writer *w, struct err *err);
// Elements of an array. finished: those too that have ended.
void live_probes(struct live *l, const struct live_caller *who, str service, uint32_t project, bool finished,
                 struct json_writer *w);

// ---- what there is to debug: members of an object
void live_services(struct live *l, const struct live_caller *who, struct json_writer *w);
void live_instances(struct live *l, str service, struct json_writer *w);

// Asks an agent that has a process of the service: "files", "source", "lines", "variables". The answer is the
// agent's JSON with "process" beside it. ERR_NOENT: nobody there; ERR_TIMEOUT; ERR_INVALID with the agent's words.
struct live_question {
    str service, process, what, path, prefix;
    int64_t line;
};
int live_resolve(struct live *l, const struct live_question *q, struct arena *arena, str *ret_json, struct err *err);
struct live_forecast {
    double hits_per_s; // of all processes
    double cost_ns;    // of a hit
    bool suspended;    // in some process it was more than a probe may cost: there may be more hits than were counted
};
// Counts hits of a line for a second, and captures nothing. ERR_TIMEOUT: nobody could count there; ERR_BUSY.
int live_forecast(struct live *l, const struct live_caller *who, const struct live_question *q,
                  struct live_forecast *ret, struct err *err);

// ---- agents
enum { LIVE_SECRET_MAX = 64, LIVE_MACHINE_MAX = 64 };
// Enrolment tokens: for one use within an hour. ret_id: "e3".
int live_token_add(struct live *l, str actor, str name, char ret_token[LIVE_SECRET_MAX], char ret_id[24],
                   struct err *err);
int live_tokens(struct live *l, struct json_writer *w, struct err *err); // that can be used still: elements of an array
// ERR_NOENT: there is none of this id, or it was used, or its hour is over.
int live_token_remove(struct live *l, str actor, str id, struct err *err);
// Takes the token's one use. ERR_DENIED.
int live_enrol(struct live *l, str token, str host, char ret_agent[24], char ret_secret[LIVE_SECRET_MAX],
               struct err *err);
void live_agents(struct live *l, struct json_writer *w); // elements of an array
int live_agent_remove(struct live *l, str actor, str agent, struct err *err);

// A connection. send and close may be called from any thread until live_disconnect() returns, and do not block.
struct live_connection {
    void (*send)(void *ctx, str message);
    void (*close)(void *ctx, const char *code, const char *message);
    void *ctx;
};
struct live_link;
// What a connection shows. The key is bound to the first machine that it comes from, and to turns that rise with each connection: agent_key.c.
struct live_credentials {
    str secret, machine; // machine: empty when it was not said
    int64_t turn;        // 0: not said
};
// ERR_DENIED with the slug bad_secret, or other_machine; ERR_EXIST: the host has a connection (connected), or its turn was
// had already (turn_taken). All but the first are entered in the audit trail.
int live_connect(struct live *l, const struct live_credentials *who, const struct live_connection *c,
                 struct live_link **ret_link, struct err *err);
// One message; an error ends the connection.
int live_message(struct live_link *k, str text, struct err *err);
void live_disconnect(struct live_link *k);

// ---- snapshots
struct live_capture {
    char id[33];
    uint32_t project;
    int64_t time;
    str probe;
};
// Where the snapshot of this id is among the records. ERR_NOENT.
int live_capture_find(struct live *l, str id, struct live_capture *ret, struct err *err);

struct live_stats {
    uint64_t probes, agents, connected, captures, refused, messages, events, events_left_out;
};
void live_stats(struct live *l, struct live_stats *ret);

// The first scalars of a snapshot (CAPTURE), as members of an object.
void capture_columns(const struct json_node *json, struct json_writer *w);

// ---- the language, for pages: as "condition", "expression", "template". type: "bool", ...
int live_check(str as, str text, struct arena *arena, const char **ret_type, struct err *err);
