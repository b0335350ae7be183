// What the files of Sentry's protocol share: one request on its way.
#pragma once
#include "artifacts/feedback.h"
#include "ingest/ingest_internal.h"
#include "ingest/sentry.h"
#include "ingest/sentry_auth.h"
#include "meta/token.h"
#include "wire/sentry_envelope.h"
#include "wire/sentry_items.h"

enum { SENTRY_ID_LEN = 32, SENTRY_LIMITS_MAX = 160, SENTRY_KEEP_MAX = SENTRY_ITEMS_MAX };

// Endpoints, by what stands behind /api/PROJECT/.
enum sentry_endpoint {
    SENTRY_ENVELOPE,
    SENTRY_STORE,       // the old one: one event, no envelope
    SENTRY_SECURITY,    // reports of browsers' policies
    SENTRY_NEL,         // and of network errors
    SENTRY_MINIDUMP,    // a form
    SENTRY_ATTACHMENTS, // a form: events/ID/attachments
    SENTRY_CRON,        // cron/MONITOR[/KEY]
    SENTRY_TUNNEL,      // an envelope whose header alone says whose it is
};
struct sentry_target {
    enum sentry_endpoint endpoint;
    int64_t project; // 0: of a tunnel
    str argument;    // event id, or monitor; as sent
    str key;         // of cron
};

// An artifact that is put before the records are committed.
struct sentry_kept {
    struct artifact_item item;
    struct sentry_kept *next;
};

// What filters leave out is counted by Sentry's categories.
enum sentry_category {
    SENTRY_ERROR,
    SENTRY_TRANSACTION,
    SENTRY_SPAN,
    SENTRY_LOG,
    SENTRY_SESSION,
    SENTRY_REPLAY,
    SENTRY_PROFILE,
    SENTRY_ATTACHMENT,
    SENTRY_CATEGORIES
};

struct sentry_call {
    struct ingest *in;
    struct http_request *req;
    struct sentry_target target;
    int64_t project;
    str key; // empty: the envelope must show it
    struct meta_grant grant;
    struct sentry_counts counts;
    struct rule_set *rules; // the project's, while the request is read
    str peer;               // who sent it; of it, sentry_source has what may be kept
    // What filters left out; of the event and of the replay, why, since what comes with them goes with them.
    uint32_t filtered[FILTER_REASONS_N][SENTRY_CATEGORIES], filtered_n;
    enum filter_reason event_filtered, replay_filtered;
    char id[SENTRY_ID_LEN]; // of the event, hex
    bool has_id;
    bool admitted;     // what the envelope's own head says of its key has been looked at
    bool repeated;     // it was stored before: only the answer is wanted
    int64_t over_ms;   // over the rate: nothing but what the SDK says of itself is taken
    bool over_refused; // and something else was there
    struct sentry_kept *kept, **kept_end;
    uint32_t kept_n;
    str replay; // of the envelope, with its traces
    const str *replay_traces;
    uint32_t replay_traces_n;
    bool has_event, has_crash;
    str crash_type;                 // "Minidump", "AppleCrashReport"
    bytes dump;                     // the minidump
    char limits[SENTRY_LIMITS_MAX]; // X-Sentry-Rate-Limits of the answer; empty: none
};

// Without a request it is an event of the server's own (own_event.c).
static inline int sentry_worker(const struct sentry_call *call) { return call->req ? call->req->worker : INGEST_OWN; }
static inline struct arena *sentry_arena(struct sentry_call *call) { return &call->in->scratch[sentry_worker(call)]; }
static inline bool sentry_is_form(enum sentry_endpoint e) { return e == SENTRY_MINIDUMP || e == SENTRY_ATTACHMENTS; }

// --- sentry.c
// The id of the event: as sent, else made.
void sentry_id_make(struct sentry_call *call, str sent);
int sentry_event_store(struct sentry_call *call, str json, struct sentry_source *from, const struct record_sink *sink,
                       struct err *err);

// --- sentry_items.c
// Of any type: ERR_UNSUPPORTED for those that are not known, ERR_MALFORMED.
int sentry_item_store(struct sentry_call *call, const struct sentry_item *item, struct sentry_source *from,
                      const struct record_sink *sink, struct err *err);
// Keeps an artifact for sentry_kept_put(); texts and content live as long as the worker's scratch or the body.
int sentry_keep(struct sentry_call *call, const struct artifact *ref, bytes content);
// Puts all that was kept. Without room for them they are left out, when the request has something else, and the answer says so.
int sentry_kept_put(struct sentry_call *call, struct err *err);
// The event of a crash that has none of its own.
int sentry_crash_store(struct sentry_call *call, const struct json_node *said, const struct json_node *extra,
                       struct sentry_source *from, const struct record_sink *sink, struct err *err);
int sentry_security_store(struct sentry_call *call, str json, const struct sentry_security_origin *origin,
                          struct sentry_source *from, const struct record_sink *sink, struct err *err);
// As it was sent, and scrubbed (sentry_remove.c).
int sentry_json_parse(struct sentry_call *call, str json, const struct json_node **ret_root, struct err *err);
int sentry_json_read(struct sentry_call *call, str json, const struct json_node **ret_root, struct err *err);

// --- sentry_remove.c: what is not kept. ret_removed may be NULL.
struct sentry_removed {
    const str *paths, *rules; // a rule for each of the first paths, then what is removed everywhere
    uint32_t n, rules_n;
};
int sentry_remove(struct sentry_call *call, const struct json_node *root, struct sentry_removed *ret_removed);

// --- sentry_filter.c: what the project does not want
void sentry_filtered(struct sentry_call *call, enum filter_reason reason, enum sentry_category category, uint32_t n);
// Before it is scrubbed. True: it is left out, and was counted.
bool sentry_event_filtered(struct sentry_call *call, const struct json_node *root, const struct sentry_source *from);
bool sentry_item_filtered(struct sentry_call *call, const struct sentry_item *item, const struct json_node *root,
                          const struct sentry_source *from);
// When all was read: drops what was kept of the event or replay that is left out, and writes the counts.
int sentry_filtered_put(struct sentry_call *call, const struct sentry_source *from, const struct record_sink *sink);

// --- sentry_forms.c: bodies that are no envelopes
int sentry_form_store(struct sentry_call *call, struct sentry_source *from, const struct record_sink *sink,
                      struct err *err);
int sentry_report_store(struct sentry_call *call, struct sentry_source *from, const struct record_sink *sink,
                        struct err *err);
int sentry_cron_store(struct sentry_call *call, struct sentry_source *from, const struct record_sink *sink,
                      struct err *err);

// "/api/42/envelope/", "/prefix/api/42/cron/nightly/KEY/": false: none of them.
bool sentry_target_of(str path, struct sentry_target *ret_target);
