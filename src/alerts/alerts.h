// Alerts: rules that watch issues and records, and the messages that tell people.
//
// A rule is about issues (one is new, comes back, escalates, has so many events or users in a window) or about the
// result of a query over any records that crosses a threshold. When it fires, each of its channels gets a message: a
// webhook (JSON, signed), a Slack-shaped webhook, or mail. What was fired and what must be told stands in `alerts.db`
// before anything is sent, in one transaction with how far the trail of issues was read: over a crash nothing is
// missed, and nothing fires twice. Sending is at least once, under an id that the receiver can drop repeats by.
//
// Threads: all functions from any thread, none from an I/O loop. One thread of the room's own evaluates and sends.
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include "base/json_tree.h"
#include "net/smtp.h"

struct alerts;
struct issues;
struct meta;
struct query_issues;
struct store;

enum {
    ALERT_RULES_MAX = 500,
    ALERT_CHANNELS_MAX = 100,
    ALERT_RULE_CHANNELS_MAX = 16,
    ALERT_TEXT_MAX = 4096, // bytes of a query, a filter, a URL
    ALERT_NAME_MAX = 120,
    ALERT_MAIL_TO_MAX = 20,
    ALERT_SUBJECTS_MAX = 100, // rows of a query's result that one rule tells apart
    ALERT_WINDOW_MIN_S = 60,
    ALERT_WINDOW_MAX_S = 30 * 86400,
};

struct alerts_options {
    const char *path; // of the database: "DATA/alerts.db"; made when missing
    struct store *store;
    struct issues *issues;
    struct meta *meta;
    const struct query_issues *query_issues; // what queries know of issues (query/issues.h); NULL: nothing
    const struct smtp_server *smtp;          // NULL: no mail; copied
    const char *mail_from;
    bool private_targets; // webhooks may go to addresses that are not public
    int64_t (*now)(void); // tests; NULL: clock_unix_ns
};
int alerts_open(const struct alerts_options *o, struct alerts **ret_alerts, struct err *err);
// From now on rules are evaluated and messages sent, on a thread of its own. url: how people reach the pages, for links;
// without a slash at the end.
int alerts_start(struct alerts *a, const char *url, struct err *err);
void alerts_close(struct alerts *a); // NULL is allowed

// ---- rules ---------------------------------------------------------------------------------------------

enum alert_on { // of a rule about issues, bits
    ALERT_ON_NEW = 1,
    ALERT_ON_REGRESSED = 2,
    ALERT_ON_ESCALATING = 4,
    ALERT_ON_EVENTS = 8, // at least events_n in events_window_s
    ALERT_ON_USERS = 16,
};
enum alert_op { ALERT_ABOVE, ALERT_AT_LEAST, ALERT_BELOW, ALERT_AT_MOST };

struct alert_rule {
    int64_t id;
    uint32_t project; // 0: all
    str name;
    bool enabled;
    unsigned on;                                                // 0: the rule is about a query
    int64_t events_n, events_window_s, users_n, users_window_s; // of ALERT_ON_EVENTS and ALERT_ON_USERS
    str filter;                                                 // which issues: terms of the query language; empty: all
    str query;                                                  // its last number of each row is compared
    enum alert_op op;
    double threshold;
    int64_t window_s;   // of the query: [now - window, now)
    bool recovery;      // tell when it is over, too (queries)
    int64_t cooldown_s; // the same thing is told again only after so long
    int64_t collect_s;  // what fires within so long after a message comes in one further message
    const int64_t *channels;
    size_t channels_n;
    int64_t snoozed_until; // ns Unix; 0: not
    str created_by;
    int64_t created, evaluated; // ns Unix
    str trouble;                // why it could not be evaluated; empty: it could
};
// From the JSON of the API (docs/openapi.json); *ret_rule holds views into the tree and the arena. project: what the member
// `project` stands for was looked up by the caller. ERR_INVALID with the member as place.
int alert_rule_read(const struct json_node *root, struct arena *arena, struct alert_rule *ret_rule, struct err *err);
void alert_rule_put(struct json_writer *w, const struct alert_rule *r, str project);

// id 0: a new one. Its query and its filter are checked; ERR_NOENT: there is no such rule, or channel.
int alerts_rule_save(struct alerts *a, str actor, const struct alert_rule *r, int64_t *ret_id, struct err *err);
int alerts_rule_remove(struct alerts *a, str actor, int64_t id, struct err *err);
int alerts_rule_snooze(struct alerts *a, str actor, int64_t id, int64_t until_ns, struct err *err);
// Everything is the arena's. By name.
int alerts_rules(struct alerts *a, struct arena *arena, struct alert_rule **ret_rules, size_t *ret_n, struct err *err);
int alerts_rule(struct alerts *a, int64_t id, struct arena *arena, struct alert_rule *ret_rule, struct err *err);

// ---- channels ------------------------------------------------------------------------------------------

enum alert_channel_type { CHANNEL_WEBHOOK, CHANNEL_SLACK, CHANNEL_MAIL };
struct alert_channel {
    int64_t id;
    str name;
    enum alert_channel_type type;
    str target; // an https:// or http:// URL, or addresses with commas between them. A webhook's URL is a secret: see _put
    str secret; // of a webhook's signature; made when empty. Not shown again
    str created_by;
    int64_t created, last_sent, last_failed; // ns Unix; 0: never
    str trouble;                             // of the last failure
};
int alert_channel_read(const struct json_node *root, struct arena *arena, struct alert_channel *ret, struct err *err);
// Of a URL only its host is shown.
void alert_channel_put(struct json_writer *w, const struct alert_channel *c);
str alert_channel_word(enum alert_channel_type t);

// An empty target or secret of one that exists stays as it is.
int alerts_channel_save(struct alerts *a, str actor, const struct alert_channel *c, struct arena *arena,
                        struct alert_channel *ret_saved, struct err *err);
int alerts_channel_remove(struct alerts *a, str actor, int64_t id, struct err *err); // ERR_BUSY: a rule uses it
int alerts_channels(struct alerts *a, struct arena *arena, struct alert_channel **ret_list, size_t *ret_n,
                    struct err *err);
// Sends a message that says it is a test, now. The error is what a delivery would have met.
int alerts_channel_test(struct alerts *a, str actor, int64_t id, struct err *err);

// ---- what happened -------------------------------------------------------------------------------------

struct alert_firing {
    int64_t id, rule;
    str rule_name, kind;  // new, regressed, escalating, events, users, query
    uint32_t project;     // 0: more than one
    int64_t issue;        // 0: none
    str subject;          // of a query: "service=checkout"
    int64_t time, closed; // ns Unix; closed 0: it still holds (events, users, query), or is of a moment
    bool lasting;
    double value;        // when it fired
    bool has_over_value; // else there was nothing to measure any more
    double over_value;   // when it was over
    str title, text;
    str suppressed; // "snoozed", "cooldown", or empty: it was told
};
struct alert_delivery {
    int64_t id, rule, channel;
    str rule_name, channel_name;
    str state; // waiting, sent, failed
    int64_t attempts, created, due, done;
    str answer; // "200", or what went wrong
    int64_t firings;
};
// Newest first. rule 0: of all. before: ids below it (0: from the newest).
int alerts_firings(struct alerts *a, int64_t rule, int64_t before, size_t n, struct arena *arena,
                   struct alert_firing **ret_list, size_t *ret_n, struct err *err);
int alerts_deliveries(struct alerts *a, int64_t rule, int64_t before, size_t n, struct arena *arena,
                      struct alert_delivery **ret_list, size_t *ret_n, struct err *err);

struct alerts_stats {
    uint64_t rules, open, fired, suppressed, sent, failed, waiting; // fired ... failed: since the start
};
void alerts_stats(struct alerts *a, struct alerts_stats *ret_stats);

// Tests, of one that was not started: reads the trail, evaluates what is due, sends what is due. Returns how long nothing will be due.
int alerts_step(struct alerts *a, int64_t *ret_wait_ns, struct err *err);
