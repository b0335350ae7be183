// What the files of this room share. Lock order: live.lock, then db.lock. The store is written with neither held.
#pragma once
#include "base/buf.h"
#include "base/clock.h"
#include "db/db.h"
#include "live/agent_message.h"
#include "live/live.h"
#include "meta/meta.h"
#include "store/store.h"

#include <pthread.h>
#include <stdatomic.h>

enum { PROBE_HITS_DEFAULT = 20, PROBE_HITS_MAX = 10000, PROBE_TTL_DEFAULT_S = 1800, PROBE_TTL_MAX_S = 86400 };
enum { LIVE_WAIT_LISTS = 256 };
#define LIVE_FINISHED_KEEP_NS (7 * 86400 * NS_PER_S) // a probe that has ended is still shown
#define LIVE_CAPTURE_KEEP_NS (30 * 86400 * NS_PER_S) // by then no agent sends it again

// What an agent has reported of a probe in one of its processes.
struct live_instance {
    struct live_instance *next;
    int64_t probe, agent, revision, line, since;
    int64_t hits, filtered, captured, errors, dropped, ns;
    int64_t counting, told, told_hits; // of a forecast: since when, and its first report; monotonic, 0: not yet
    char *process, *state, *code, *message, *file, *data, *first_error; // NULL: not said
    bool own; // the state is the server's word: that it is not in the set
};

// A slice of a probe's hits that an agent holds.
struct live_slice {
    struct live_slice *next;
    int64_t probe;
    int64_t granted, used; // used: of what has come
    bool entered;          // in the database: what it has captured is taken after a restart, too
    bool left_out;         // of the set that was sent last, for want of room
};

struct live_probe {
    struct live_probe *next;
    int64_t id, revision, created, updated, expires, hits, used, captures;
    int64_t events, events_left_out; // error events that its captures have become, or not for the limits
    uint32_t project;
    bool paused, prod, finished, count_only;
    bool figures;             // it counts, and captures nothing
    bool exception, uncaught; // what it captures is an error; that nobody catches
    int64_t events_due;       // when the next error event may be made of it
    char *owner, *project_slug, *service;
    char *spec;  // JSON of the members that say where, when, what, limits, scope; texts only
    char *agent; // the same as agents are told it: members without braces, expressions compiled
    struct live_instance *instances;
    // Of the scope.
    char *version, *environment, *host;
    int64_t pid, instances_n; // -1: all
    bool instances_percent;
};

enum key_copy { KEY_NO_COPY, KEY_MACHINE, KEY_TURN, KEY_SECOND };

struct live_agent {
    struct live_agent *next;
    int64_t id, created, last, since, revision, refused, refused_entered;
    char *host, *version;
    uint8_t hash[32];
    char machine[LIVE_MACHINE_MAX + 1]; // that its key belongs to; empty: not known yet
    int64_t turn;                       // of its last connection
    int64_t copies, copied, copied_entered;
    enum key_copy copied_kind;
    int64_t contested;      // when another connection showed its key while this one was open; 0: never
    struct live_link *link; // NULL: not connected
    struct arena arena;     // of the processes
    const struct agent_process *processes;
    size_t processes_n;
    struct live_slice *slices;
    bool shapes; // as it has said last; not known before it has said anything
    bool policy_known;
    char *rules;       // its policy as it has told it last, JSON; NULL: it has not
    bool desired_sent; // since it has connected
    bool lapsed;       // its lease is over, and who watches was told
    uint64_t desired_hash;
    double cpu_ratio;
    int64_t rss, attached, dropped, spool_bytes;
};

struct live_link {
    struct live *l;
    struct live_agent *agent; // NULL: it was removed
    struct live_connection c;
    bool greeted;
    bool listed; // has said which processes there are
    int64_t heard;
    int64_t credit;                           // elements of messages that it may still send; grows with time
    struct live_wait *waits[LIVE_WAIT_LISTS]; // traces whose end its captures wait for
    size_t waits_n;
};

struct live_ask { // a question that waits for its answer
    struct live_ask *next;
    int64_t request, agent;
    bool done, ok;
    struct buf answer;
    char error[512];
};

struct live {
    uint32_t magic;
    struct live_options o;
    struct db db;
    pthread_mutex_t lock;
    pthread_cond_t answered, wake;
    pthread_mutex_t lane_lock;
    struct live_probe *probes; // newest first
    struct live_agent *agents;
    struct live_ask *asks;
    int64_t request, revision, forecasts, opened;
    struct live_stats stats;
    bool stop, running;
    pthread_t thread;
};
#define LIVE_MAGIC 0x4c495645u

static inline int64_t live_now(const struct live *l) { return l->o.now ? l->o.now() : clock_unix_ns(); }
int live_nomem(struct err *err);
char *live_dup(str s); // NUL-terminated; NULL for an empty text or without memory
static inline str live_str(const char *z) { return z ? str_z(z) : (str){ "", 0 }; }
// Tells who watches; the lock may be held.
void live_tell(struct live *l, const char *event, uint32_t project, str service, str json);

// --- spec.c: the members of a probe as people write them
struct spec_context {
    const struct json_node *old, *body; // what is not in the body stays; old may be NULL
};
// Writes the checked members into w, in the order of the table.
int spec_write(const struct spec_context *c, struct json_writer *w, struct err *err);
// What agents are told: the same with expressions compiled. Members, without braces.
int spec_for_agents(const struct json_node *spec, struct arena *arena, struct json_writer *w, struct err *err);

// --- language.c
// {"text","tree","code"}
int language_expression(str text, bool condition, struct arena *arena, struct json_writer *w, struct err *err);
// [{"text"}|{"expr":{..}}, ..]
int language_parts(str text, struct arena *arena, struct json_writer *w, struct err *err);

// --- probe.c; with live.lock
struct live_probe *probe_of(struct live *l, int64_t id);
int probes_load(struct live *l, struct err *err);
void probe_free(struct live_probe *p);
void probe_instances_drop(struct live_probe *p, int64_t agent); // 0: all
void probe_finish(struct live *l, struct live_probe *p);
void probes_expire(struct live *l, int64_t now);
void probe_changed(struct live *l, const struct live_probe *p); // tells who watches
int probe_make(struct live *l, struct live_probe *p, str spec, struct err *err);

// --- probe_json.c; with live.lock
void probe_put(struct live *l, const struct live_probe *p, struct json_writer *w);
const char *probe_state(const struct live *l, const struct live_probe *p, int64_t now);

// --- desired.c; with live.lock
bool probe_alive(const struct live_probe *p, int64_t now);
bool probe_matches(const struct live_probe *p, const struct live_agent *a, const struct agent_process *q);
// That it has been sent the probe, or is to be: what others are meant for it does not speak of.
bool probe_of_agent(struct live_agent *a, const struct live_probe *p);
// Sends each agent its set where that has changed.
void desired_send(struct live *l, struct live_agent *only);
// How long an agent that was sent the probe has not been heard of; below 0: it is there, or never was sent it.
int64_t agent_silent_ns(const struct live *l, struct live_agent *a, const struct live_probe *p, int64_t now);
// The agent could not read what it was sent.
void desired_unread(struct live *l, struct live_agent *a, str why);
struct live_slice *slice_of(struct live_agent *a, int64_t probe, bool make);
// After captures have come: more hits for who has used his up.
void slices_refill(struct live *l, struct live_agent *a, struct live_probe *p);

// --- enrolment.c
int64_t live_id_of(str text, char letter); // "a3" -> 3; 0: it is no such id
void secret_hash(const char *kind, str secret, uint8_t out[32]);

// --- agent.c
// With live.lock.
int agent_new(struct live *l, int64_t id, str host, str version, const uint8_t hash[32], struct live_agent **ret);
int agents_load(struct live *l, struct err *err);
void agent_free(struct live_agent *a);
struct live_agent *agent_of(struct live *l, int64_t id);
void link_send(struct live_link *k, struct buf *message); // frees the message
// The server's own word on a probe in a process. why: NULL for none.
void instance_tell(struct live_probe *p, const struct live_agent *a, str process, const char *state,
                   const struct err *why, int64_t now);
void links_expire(struct live *l, int64_t now);

// --- trace_wait.c; waits_step() without live.lock
void waits_add(struct live_link *k, const struct agent_trace *traces, size_t n, int64_t now);
void waits_free(struct live_link *k);
void waits_step(struct live *l);

// --- agent_key.c; with live.lock, key_enter() without
struct key_entry { // for the audit trail, once the lock is given back; detail NULL: none
    const char *detail;
    bool copied;
    char agent[24], host[LIVE_NAME_MAX + 1];
};
const char *key_why(enum key_copy kind);
enum key_copy key_kind_of(str why);
// Whether who shows this agent's key may connect now; when he may, the turn is his.
int key_admit(struct live *l, struct live_agent *a, const struct live_credentials *c, struct key_entry *ret,
              struct err *err);
// The connection that is open has said something.
void key_heard(struct live *l, struct live_agent *a, int64_t now, struct key_entry *ret);
void key_enter(struct live *l, const struct key_entry *e);

// --- capture.c
struct capture_origin { // a copy: the lock is not held while it is written
    int64_t probe, agent;
    uint32_t project;
    str host;
    struct agent_process process;
    bool exception, uncaught; // of the probe
    bool event;               // to be made, within what a probe may make of them
};
// Hash of its id, by which it is known again.
void capture_hash(int64_t agent, str id, uint8_t out[16]);
// Writes it, with its error event where there is to be one; done is called on the log thread. ERR_EXIST: it is written already.
int capture_write(struct live *l, struct capture_origin *o, const uint8_t id[16], const struct json_node *json,
                  struct arena *arena, void (*done)(void *ctx, int result), void *ctx);
// When it happened; the time of now where the host's clock cannot be right.
int64_t capture_time(const struct live *l, const struct json_node *json);
void capture_summary(const struct live *l, const struct capture_origin *o, const uint8_t id[16],
                     const struct json_node *json, struct json_writer *w);

// One record of that process.
int capture_feed(struct batch *b, const struct capture_origin *o, const struct record *r);

// --- figures.c
bool figures_name_is_valid(str name); // of a metric, as OpenTelemetry has it
// A report of a metric or timer probe has its form.
bool figures_are_valid(const struct json_node *json);
// Writes its points; as capture_write().
int figures_write(struct live *l, const struct capture_origin *o, const uint8_t id[16], const struct json_node *json,
                  struct arena *arena, void (*done)(void *ctx, int result), void *ctx);

// --- captures.c: without a lock; waits for the disk
int captures_take(struct live_link *k, const struct agent_message *m, struct arena *arena, struct err *err);
