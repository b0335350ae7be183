// What the files of this room share.
//
// One lock: db.lock, the connection's. It is never held while a query runs or a message is sent.
#pragma once
#include "alerts/alerts.h"
#include "base/clock.h"
#include "db/db.h"
#include "net/client.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    ALERT_LIST_MAX = 500,      // rows of a list that is asked for
    ALERT_ARENA_MAX = 8 << 20, // of one round
    ALERT_MESSAGE_ITEMS = 20,  // firings that a message tells one by one
    ALERT_ATTEMPTS_MAX = 12,   // then a delivery has failed
    ALERT_KEEP_FIRINGS = 100000,
    ALERT_KEEP_S = 90 * 86400,
};

struct alerts {
    uint32_t magic;
    struct alerts_options o;
    char url[512], mail_from[256];
    struct smtp_server smtp;
    struct db db;
    pthread_mutex_t wake_lock; // of `wake` and `woken`
    pthread_cond_t wake;
    bool woken;
    pthread_mutex_t sending_lock; // of `sending`
    struct net_client *sending;   // what a stop must break off
    _Atomic bool stop;
    pthread_t thread;
    bool running;
    int64_t evaluate_next, trim_next; // ns Unix
    _Atomic uint64_t fired, suppressed, sent, failed;
};
#define ALERTS_MAGIC 0x414c5254u

static inline int64_t alerts_now(const struct alerts *a) { return a->o.now ? a->o.now() : clock_unix_ns(); }
void alerts_wake(struct alerts *a);
int alerts_nomem(struct err *err);
// A copy in the arena of what a statement's column holds; on failure ptr is NULL with *failed set.
str alerts_text(struct arena *arena, sqlite3_stmt *s, int column, bool *failed);

// --- firing.c
struct firing_new {
    const struct alert_rule *rule;
    str key;     // never fires twice under it
    str subject; // what cools down: "issue:42", "service=checkout"
    const char *kind;
    uint32_t project;
    int64_t issue;
    double value;
    bool lasting;
    str title, text;
};
// Inside a transaction of a->db: the firing and what must be told of it. Nothing when its key has fired before.
int firing_add(struct alerts *a, const struct firing_new *f, int64_t now, struct err *err);
// Those of a rule that still hold, and that one of them does no longer (which is told when the rule wants that).
struct firing_open {
    int64_t id, issue;
    uint32_t project;
    str subject;
};
int firings_open(struct alerts *a, int64_t rule, const char *kind, struct arena *arena, struct firing_open **ret,
                 size_t *ret_n, struct err *err);
// value: what is measured now; NULL: nothing.
int firing_close(struct alerts *a, const struct alert_rule *rule, const struct firing_open *f, const double *value,
                 int64_t now, struct err *err);
int firings_trim(struct alerts *a, int64_t now, struct err *err);

// --- evaluate.c
// What the trail of issues says since it was read last.
int evaluate_trail(struct alerts *a, int64_t now, struct err *err);
// Rules whose turn it is; *ret_next: when one is due again.
int evaluate_due(struct alerts *a, int64_t now, int64_t *ret_next, struct err *err);

// --- measure.c
// Rows of a rule's query over its window, or of the issues that a trigger is about.
struct measured {
    str subject, title;
    int64_t issue;
    uint32_t project;
    double value;
    bool has_value;
};
struct measuring {
    struct arena *arena;
    struct measured rows[ALERT_SUBJECTS_MAX];
    size_t n;
    bool more;
};
int measure_query(struct alerts *a, const struct alert_rule *rule, int64_t now, struct measuring *ret, struct err *err);
// Issues of the rule's filter with at least so many events (or users) in the window.
int measure_issues(struct alerts *a, const struct alert_rule *rule, bool users, int64_t now, struct measuring *ret,
                   struct err *err);
// How many events (or users) an issue has in the window now, whatever the rule's filter says of it. false: not known.
bool measure_issue(struct alerts *a, const struct alert_rule *rule, bool users, uint32_t project, int64_t issue,
                   int64_t now, struct arena *arena, double *ret_n);
// Is the issue one that the rule's filter wants?
int measure_wants(struct alerts *a, const struct alert_rule *rule, int64_t issue, int64_t now, struct arena *arena,
                  bool *ret_wants, struct err *err);
// Would they run at all?
int measure_check(struct alerts *a, const struct alert_rule *rule, struct err *err);

// --- message.c
struct message_item {
    struct alert_firing firing;
    str short_id, project, level, state; // of its issue, where there is one
    uint64_t events, users;
    int64_t first, last;
};
struct message {
    int64_t delivery; // 0: a test
    const struct alert_rule *rule;
    int64_t time;
    const struct message_item *items;
    size_t items_n, more; // further ones that are only counted
};
void message_webhook(const struct alerts *a, const struct message *m, struct buf *out);
void message_slack(const struct alerts *a, const struct message *m, struct buf *out);
// Headers and body, with the recipients' names in the headers.
void message_mail(const struct alerts *a, const struct message *m, str to, struct buf *out);

// --- deliver.c
// Sends what is due; *ret_next: when something is due again (INT64_MAX: nothing waits).
int deliver_due(struct alerts *a, int64_t now, int64_t *ret_next, struct err *err);
// One message to one channel, at once. *ret_final: it will not get better by trying again.
int deliver_send(struct alerts *a, const struct alert_channel *c, const struct message *m, bool *ret_final,
                 struct err *err);
int channel_load(struct alerts *a, int64_t id, struct arena *arena, struct alert_channel *ret, struct err *err);
