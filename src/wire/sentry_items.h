// Sentry's items beside events, transactions and containers: as records, or as what is needed to keep them.
//
// | item                   | becomes                                                                                       |
// |------------------------|-----------------------------------------------------------------------------------------------|
// | session, sessions      | records of `sessions`: FIELDs sid, did (hashed), status, init, errors, quantity; time: when it |
// |                        | started. Aggregates: a record a count, without sid                                            |
// | check_in               | a record of `checks`: name: the monitor; FIELD status; attributes check_in_id, monitor_config  |
// | profile, profile_chunk | a record of `profiles` that says when, where and of which trace; the samples are an artifact   |
// | client_report          | metrics `sentry.client_report`: delta sums by outcome, reason, category                       |
// | statsd, metric_buckets | metrics: counters are delta sums, samples gauges, sets delta sums of how many came            |
// | nel                    | logs                                                                                          |
//
// All take JSON that was scrubbed; ERR_MALFORMED: it is no such item, ERR_NOMEM, or what the sink returned.
#pragma once
#include "wire/sentry.h"

enum { SENTRY_ID_TEXT = 32, SENTRY_AGGREGATES_MAX = 10000, SENTRY_REPORTS_MAX = 1000, SENTRY_SECURITY_MAX = 100 };

int sentry_session_records(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                           const struct record_sink *sink, struct sentry_counts *counts);
int sentry_check_record(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                        const struct record_sink *sink, struct sentry_counts *counts);

// Ids are 32 hex digits in lower case, in the arena; empty: none.
struct sentry_profile {
    str profile, chunk; // of a chunk: the profiler, and the chunk
    str event;          // the transaction's
    str traces[8];
    uint32_t traces_n;
    int64_t time;
};
int sentry_profile_record(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                          const struct record_sink *sink, struct sentry_counts *counts,
                          struct sentry_profile *ret_profile);

struct sentry_lost {
    str outcome, reason, category;
    int64_t quantity;
};
// Each of them once more to `each` (NULL: nobody), for who shows them.
int sentry_client_report_records(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                                 const struct record_sink *sink, struct sentry_counts *counts,
                                 void (*each)(void *ctx, const struct sentry_lost *lost), void *ctx);
// What we ourselves did not keep, of many that came in one request: metrics `sentry.outcome`, delta sums by outcome, reason, category.
int sentry_outcome_records(const struct sentry_lost *lost, size_t n, const struct sentry_source *from,
                           struct arena *arena, const struct record_sink *sink, struct sentry_counts *counts);
int sentry_statsd_records(str text, const struct sentry_source *from, struct arena *arena,
                          const struct record_sink *sink, struct sentry_counts *counts);
int sentry_buckets_records(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                           const struct record_sink *sink, struct sentry_counts *counts);
// Reports of network errors: an array of them, or one.
int sentry_nel_records(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                       const struct record_sink *sink, struct sentry_counts *counts);

// Feedback events and user reports. Texts are views; ids as above.
struct sentry_feedback {
    str event, own, replay, trace, name, email, comments, url, source;
    int64_t time;
};
int sentry_feedback_read(const struct json_node *root, struct arena *arena, struct sentry_feedback *ret_feedback);

struct sentry_replay {
    str replay;
    int64_t segment, time;
    str traces[100];
    uint32_t traces_n;
};
int sentry_replay_read(const struct json_node *root, struct arena *arena, struct sentry_replay *ret_replay);
// The number in the header line of a recording; ERR_MALFORMED: there is none.
int sentry_recording_segment(bytes recording, struct arena *arena, int64_t *ret_segment);

// Reports of a browser's security policies (csp, expect-ct, expect-staple, hpkp; one as of old, or an array as the
// Reporting API sends it) as events in Sentry's JSON: the report stands under `csp`, `expectct`, `expectstaple` or `hpkp`, as
// grouping looks for it. Calls event() for each; what is no such report is counted as dropped.
struct sentry_security_origin {
    str release, environment, user_agent;
};
int sentry_security_events(const struct json_node *root, const struct sentry_security_origin *origin,
                           struct arena *arena, struct sentry_counts *counts,
                           int (*event)(void *ctx, str json, struct err *err), void *ctx, struct err *err);

// 32 hex digits in lower case, in the arena; empty: it is no id. False: memory is out.
bool sentry_id_text(struct arena *arena, str sent, str *ret_text);
