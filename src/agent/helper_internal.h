// What the files of the helper share: targets, and what is known of each probe in each.
#pragma once
#include "agent/channel.h"
#include "agent/helper.h"
#include "agent/identity.h"
#include "os/loop.h"
#include "probe/probe.h"

enum {
    TARGETS_MAX = PROBE_PROCESSES_MAX,
    ROWS_MAX = 2000,      // probes that are remembered of a process
    ROWS_ALL_MAX = 50000, // and of all of them: about a kilobyte each
    DESIRED_MAX = 1000,   // probes that a host takes
    REFUSED_MAX = 1000,   // and those of which it says that it does not
    TARGET_ARENA = 192 << 10,
    DESIRED_ARENA = 64 << 20,
    HELPER_SOFT_QUEUE = 1 << 20, // states and counts wait when more than this is on its way
    HELPER_IDLE_MS = 60000,      // an attachment without probes is kept for people who look around
    HELPER_RETRY_MS = 30000,
    CLAIM_RETRY_MS = 3000, // of a process that another agent has
    SPOOL_ID_ROOM = 64,
};

// A probe in a process.
struct row {
    struct row *next;
    uint64_t serial; // in ids of captures
    char probe[PROBE_ID_MAX + 1];
    int64_t revision;
    struct buf json;                                  // its element of a states message
    bool states_dirty, counts_dirty, wanted, refused; // refused: wanted, and by this host not placed
    struct probe_counts counts;                       // of the back end
    char first_error[FACT_TEXT];
    uint64_t lost_spool, lost_grant;
    uint64_t held, let_go,
        lost_hold; // captured, and not sent: waiting for the end of a trace, not kept, gone before it was known
};

struct target {
    struct helper *h;
    struct target *next;
    struct arena arena;
    struct process process;
    struct identity identity;
    struct process_facts facts;
    const struct backend *backend; // always
    bool gone;
    struct backend_events events;
    struct attachment *attachment;
    int claim; // descriptor that holds it, while attached; or -1
    bool lost; // detach it soon
    struct loop_watch watch;
    struct timer timer;
    int64_t idle_since_ns, retry_ns;
    uint64_t applied; // hash of the set that was applied last
    uint64_t refused; // and of what is refused, as it was told last
    struct row *rows;
    size_t rows_n;
    bool rowless; // some of the set are not placed, or not told of, for want of a row
};

// A process of the host: what was seen of it at the last look.
struct known {
    pid_t pid;
    uint8_t looks;             // times that it was examined
    uint64_t started, exe_key; // 0: it cannot be said
    struct target *target;     // NULL: no back end wants it
};

// A probe that the server wants here.
struct wish {
    struct probe probe;
    uint64_t remaining; // captures that this host may still take
    const struct err
        *refusal; // why this host does not take it; then of the probe only what probe_read_whose() reads. NULL: it does
};

struct desired {
    struct arena arena;
    struct wish *wishes;
    size_t n, refused_n; // of them
    bool silent;         // more are refused than is told
    int64_t revision;
};

struct helper {
    const struct helper_options *o;
    struct loop *loop;
    struct channel channel;
    struct timer scan, tick, flush;
    struct target *targets;
    size_t targets_n;
    size_t rows_n;       // of all targets
    struct known *known; // in order of their numbers
    size_t known_n;
    pid_t last_pid; // that was given out before the last look; 0: unknown
    unsigned round;
    bool any_gone;
    struct desired desired;
    int64_t contact_ns;
    int lease_ms;
    bool channel_ended;
    bool full;                     // of its own memory: captures are dropped, and counted
    bool rows_full;                // one found no room: said once
    bool unread;                   // the server's last set: said once
    bool stopping, braked, listed; // listed: the list of processes as it was told is still true
    uint64_t serial, captures;
    struct {
        struct held *first, **end; // end: where the next one is put
        size_t n, bytes;
    } hold;
    char run[17];
    char host[256];
    int64_t cpu_ns, cpu_at_ns; // of the last status
    struct err brake;          // why, while braked
    int64_t brake_until_ns;
    const struct probe **set; // room for one apply()
};

// discover.c
void discover(struct helper *h);
void policy_changed(struct helper *h); // to what is attached, too
void target_free(struct target *t);
void tell_policy(struct helper *h); // the connection has a copy from its start alone
void tell_processes(struct helper *h);
// rows.c
struct row *row_get(struct target *t, str probe, bool make); // NULL: there is none, or no room for it
bool row_room(const struct target *t);                       // for one more
void row_free(struct target *t, struct row *r);
void row_state(struct target *t, const struct backend_state *s);
void row_state_of(struct target *t, const struct probe *p, const char *state, const struct err *err);
void rows_tell(struct helper *h, bool all);
// {"type":T,T:[ and what closes it; the elements stand between. False: it could not be sent.
void message_begin(struct json_writer *w, struct buf *b, const struct helper *h, const char *type);
bool message_end(struct json_writer *w, struct helper *h);
void on_event_capture(void *ctx, str probe, str json);
void on_event_figures(void *ctx, str probe, str json);
void on_event_counts(void *ctx, str probe, const struct probe_counts *c);
void row_lost(struct helper *h, str id);
struct row *row_by_serial(struct helper *h, uint64_t serial); // NULL: it is over
// Takes one of the hits that the server has granted for it, and sends it. r: whose counts say so; may be NULL.
void capture_deliver(struct helper *h, struct row *r, uint64_t serial, str probe, str process, str json);
// hold.c
void hold_add(struct target *t, struct row *r, const struct probe *p, str json);
void hold_tell(struct helper *h, bool again); // asks the server about traces; again: a new connection knows of none
void hold_answer(struct helper *h, const struct json_node *m);
void hold_expire(struct helper *h, bool all);
// reconcile.c
int desired_read(struct helper *h, str json, struct err *err);
void desired_clear(struct helper *h);
struct wish *desired_find(struct helper *h, str probe);
void reconcile(struct helper *h);
void target_reconcile(struct target *t);
int target_attach(struct target *t, struct err *err);
void target_detach(struct target *t);
void target_touched(struct target *t); // its back end was called: watch and timer anew
