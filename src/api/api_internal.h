// What the endpoints of this room share.
#pragma once
#include "api/api.h"
#include "api/caller.h"
#include "api/names.h"
#include "base/json.h"
#include "query/error.h"
#include "query/run.h"

#include <pthread.h>

struct api_call;
struct json_node;

// AGENT: the endpoint looks at the secret itself, which is no token.
enum api_who { API_PUBLIC, API_AGENT, API_LOCAL_OR_TOKEN, API_SIGNED_IN };
enum api_where { API_ON_ADMIN_POOL, API_ON_QUERY_POOL, API_ON_WAIT_POOL };

struct api_endpoint {
    enum http_method method;
    str path; // "{}" stands for one segment
    enum api_who who;
    uint32_t scopes; // all of them
    enum api_where where;
    void (*run)(struct api_call *call);
};

enum { API_PARAMS_MAX = 4 };

// One request on its way; lives in the request's arena.
struct api_call {
    struct api *api;
    struct http_request *req;
    const struct api_endpoint *endpoint;
    struct api_caller caller;
    str params[API_PARAMS_MAX]; // what stood for each {}, decoded
};

enum { API_LISTENERS_MAX = 8 };
struct api_listener {
    char address[SOCKET_ADDRESS_TEXT];
    int tag;
    bool tls;
};

// Reads of captured values that were entered in the audit trail lately (values_read.c).
enum { VALUES_READS_MAX = 512 };
struct values_reads {
    pthread_mutex_t lock;
    struct values_read {
        uint64_t hash; // of who, what
        int64_t time;  // monotonic ns
    } recent[VALUES_READS_MAX];
};

struct api {
    uint32_t magic;
    struct api_listener listeners[API_LISTENERS_MAX];
    size_t listeners_n;
    struct api_options options;
    struct names names;
    struct net_server *server;
    int port;
    bool tls;
    struct tails *tails;
    struct live_streams *live_streams;
    struct values_reads values_reads;
    int64_t started_ns;
    uint8_t ticket_key[32]; // of links that open without a token (api0_ticket.c); another one after each start
};
#define API_MAGIC 0x41504921u

static inline struct pool *api_pool(const struct api *a, enum api_where where)
{
    const struct api_options *o = &a->options;
    return where == API_ON_QUERY_POOL ? o->query_pool : where == API_ON_WAIT_POOL ? o->wait_pool : o->admin_pool;
}

// --- answers (reply.c); each ends the call ---
enum { API_BODY_MAX = 64 << 20 };
void api_reply_json_take(struct http_request *req, int status, struct buf *body);
// {"error":{"code","message"[,"hint"]}}
void api_reply_error(struct http_request *req, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
// For the codes of base/err.h: 404, 400, 409, 429, 503 ...
void api_reply_err(struct http_request *req, const struct err *err);
// Of a text that a person wrote: with the place, line and column, for an editor that underlines it.
void api_reply_text_error(struct http_request *req, const struct err *err, const char *place);
int api_status_of(int code); // of the codes of base/err.h
// The same where something of the body is wrong: err->place names the member, line and column stand in its text.
void api_reply_member(struct http_request *req, const struct err *err);
void api_reply_query_error(struct http_request *req, const struct query_error *err);
void api_error_json(struct json_writer *w, const struct query_error *err);
void api_reply_nothing(struct http_request *req, int status);
// Headers that all our answers have: no store, no sniffing, no referrer. Returns how many.
enum { API_HEADERS_MAX = 8 };
size_t api_headers(struct http_header out[API_HEADERS_MAX], str content_type);

// Does the path have the pattern's segments? Fills what stands for each {}, not decoded.
bool api_path_matches(str pattern, str path, str params[API_PARAMS_MAX]);
// %XX in them.
bool api_path_decode(struct http_request *req, str params[API_PARAMS_MAX]);

// --- parameters (params.c) ---
// Value of a parameter of the URL; empty when it is not there. false: it is broken, and the call was answered.
bool api_param(struct api_call *call, str name, str *ret_value);
bool api_param_uint(struct api_call *call, str name, uint64_t least, uint64_t most, uint64_t *ret_value);
// from, to, tz: into q.
bool api_param_range(struct api_call *call, struct query_request *q);
// A time of the API (RFC 3339, relative, epoch); false: not one.
bool api_time(str text, str tz, int64_t *ret_ns);
// A query on behalf of the caller: projects, permissions, caps, cancellation. false: answered.
bool api_query_begin(struct api_call *call, struct query_request *ret_q);
// Body as a JSON object: for each member fn is called; it takes the value from r (or returns ERR_INVALID for
// an unknown name). false: answered with 400.
bool api_body_read(struct api_call *call, int (*fn)(void *ctx, str name, struct json_reader *r), void *ctx);
// The same as a tree, in the request's arena, for bodies whose members hang together; at most `depth` deep.
bool api_body_object(struct api_call *call, int depth, const struct json_node **ret_root);
int64_t api_project_by_slug(struct api_call *call, str slug); // 0: answered
// The project of the path; false: answered. One that the caller's token is not for does not exist for him.
bool api_project_of_path(struct api_call *call, struct meta_project *ret_project);
void api_put_time(struct json_writer *w, int64_t unix_ns);
void api_put_text(struct json_writer *w, str key, str text); // a member; nothing for an empty text
// Enters in the audit trail that the caller reads captured values; nobody is shown them when that fails.
int api_values_read(struct api_call *call, str target, str detail);
int api_query_values_read(void *ctx, str text); // query_request.values_read; ctx: the call
// A view of the store; NULL: answered.
struct view *api_view(struct api_call *call);

// --- traces (path_endpoint.c) ---
struct trace;
// What of a trace the caller may see.
int api_trace_load(struct api_call *call, const struct query_request *who, struct view *view, const uint8_t id[16],
                   uint32_t spans_max, struct trace **ret_trace, struct err *err);
void api_reply_no_trace(struct api_call *call, int rc, const struct err *err);

// --- artifacts (artifacts_endpoint.c) ---
struct artifact;
// Begins an answer whose bytes are a file to be saved under its name; NULL: answered, or nobody listens.
struct http_stream *api_artifact_begin(struct api_call *call, const struct artifact *a);
// Its bytes, or a stretch of them, to be saved under its name. Ends the call.
void api_artifact_send(struct api_call *call, const struct artifact *a, uint64_t from, uint64_t n);

// --- administration (admin.c) ---
// "user:admin" or "token:ci", so that the audit trail tells them apart.
str api_actor(const struct api_call *call, char out[META_NAME_MAX + 1]);
void api_put_scopes(struct json_writer *w, uint32_t scopes);
void api_put_optional_time(struct json_writer *w, str key, int64_t ns); // nothing for 0
// A caller that is confined to a project administers nothing outside it. false: answered.
bool api_whole_workspace(struct api_call *call);
// What everybody may change who signs in and sees it; a token needs `admin`, so that one made to read cannot. false:
// answered. what: "issues".
bool api_may_change(struct api_call *call, const char *what);
// An array of scopes into bits; *ret_bad: one of them is unknown.
int api_scopes_member(struct json_reader *r, uint32_t *ret_scopes, bool *ret_bad);
// Known scopes that the caller has himself: nobody hands out more than he has. false: answered.
bool api_scopes_ok(struct api_call *call, uint32_t scopes, bool bad);
// The number in the path. false: answered with 404 and that code.
bool api_path_id(struct api_call *call, int i, const char *code, int64_t *ret_id);

// --- endpoints, a file a topic ---
extern const struct api_endpoint api_endpoints[];
extern const size_t api_endpoints_n;
void api_signin(struct api_call *call);
void api_signout(struct api_call *call);
void api_me(struct api_call *call);
void api_password(struct api_call *call);
void api_tokens_list(struct api_call *call);
void api_tokens_add(struct api_call *call);
void api_tokens_remove(struct api_call *call);
void api_projects_list(struct api_call *call);
void api_projects_add(struct api_call *call);
void api_projects_rename(struct api_call *call);
void api_keys_list(struct api_call *call);
void api_keys_add(struct api_call *call);
void api_keys_remove(struct api_call *call);
void api_grouping(struct api_call *call);
void api_grouping_set(struct api_call *call);
void api_grouping_preview(struct api_call *call);
void api_filters(struct api_call *call);
void api_filters_set(struct api_call *call);
void api_filters_preview(struct api_call *call);
void api_scrub(struct api_call *call);
void api_scrub_set(struct api_call *call);
void api_scrub_preview(struct api_call *call);
void api_owners(struct api_call *call);
void api_owners_set(struct api_call *call);
void api_mappings(struct api_call *call);
void api_builds(struct api_call *call);
void api_builds_remove(struct api_call *call);
void api_images(struct api_call *call);
void api_images_show(struct api_call *call);
void api_images_remove(struct api_call *call);
void api_image(struct api_call *call);
void api_mappings_add(struct api_call *call);
void api_mappings_change(struct api_call *call);
void api_mappings_remove(struct api_call *call);
void api_source_file(struct api_call *call);
void api_source_files(struct api_call *call);
void api_audit_list(struct api_call *call);
void api_audit_verify(struct api_call *call);
void api_users_list(struct api_call *call);
void api_users_add(struct api_call *call);
void api_users_change(struct api_call *call);
void api_users_remove(struct api_call *call);
void api_users_link(struct api_call *call);
void api_users_sessions_end(struct api_call *call);
void api_storage(struct api_call *call);
// Bytes a day of what has become parts in the last day, or since there is any; 0: not known yet. *ret_span: ns over which
// it was measured, only then set.
double api_storage_rate(const struct store_usage *u, int64_t now, int64_t *ret_span);
void api_server(struct api_call *call);
void api_setup(struct api_call *call);
void api_my_sessions(struct api_call *call);
void api_my_sessions_end(struct api_call *call);
void api_my_sessions_end_others(struct api_call *call);
void api_query(struct api_call *call);
void api_tail(struct api_call *call);
void api_trace(struct api_call *call);
void api_artifact(struct api_call *call);
void api_event_attachments(struct api_call *call);
// "artifacts": what of replays and profiles belongs to a trace, of projects that the query may read.
int api_put_trace_artifacts(struct api_call *call, struct json_writer *w, const struct query_request *q,
                            const char *hex);
void api_put_artifact(struct json_writer *w, const struct artifact *a);
void api_trace_path(struct api_call *call);
void api_compare(struct api_call *call);
void api_services(struct api_call *call);
void api_fields(struct api_call *call);
void api_values(struct api_call *call);
void api_histogram(struct api_call *call);
void api_event(struct api_call *call);
void api_event_json(struct api_call *call);
void api_issue_event(struct api_call *call);
void api_issue_events(struct api_call *call);
void api_ingest(struct api_call *call);
void api_overview(struct api_call *call);
void api_map(struct api_call *call);
void api_deploys(struct api_call *call);
void api_issues(struct api_call *call);
void api_issues_change(struct api_call *call);
void api_issues_merge(struct api_call *call);
void api_issue(struct api_call *call);
void api_issue_unmerge(struct api_call *call);
void api_issue_similar(struct api_call *call);
void api_issue_comment(struct api_call *call);
void api_issue_comment_remove(struct api_call *call);
void api_alert_rules(struct api_call *call);
void api_alert_rule_add(struct api_call *call);
void api_alert_rule(struct api_call *call);
void api_alert_rule_change(struct api_call *call);
void api_alert_rule_remove(struct api_call *call);
void api_alert_rule_snooze(struct api_call *call);
void api_alert_channels(struct api_call *call);
void api_alert_channel_add(struct api_call *call);
void api_alert_channel_change(struct api_call *call);
void api_alert_channel_remove(struct api_call *call);
void api_alert_channel_test(struct api_call *call);
void api_alert_firings(struct api_call *call);
void api_alert_deliveries(struct api_call *call);
void api_probes(struct api_call *call);
void api_probe(struct api_call *call);
void api_probe_add(struct api_call *call);
void api_probe_change(struct api_call *call);
void api_probe_remove(struct api_call *call);
void api_probes_remove(struct api_call *call);
void api_probe_check(struct api_call *call);
void api_live_services(struct api_call *call);
void api_live_instances(struct api_call *call);
void api_live_files(struct api_call *call);
void api_live_source(struct api_call *call);
void api_live_lines(struct api_call *call);
void api_live_functions(struct api_call *call);
void api_live_variables(struct api_call *call);
void api_live_forecast(struct api_call *call);
void api_live_stream(struct api_call *call);
void api_snapshots(struct api_call *call);
void api_snapshot(struct api_call *call);
void api_agents(struct api_call *call);
void api_agent_tokens(struct api_call *call);
void api_agent_token_remove(struct api_call *call);
void api_agent_token(struct api_call *call);
void api_agent_enrol(struct api_call *call);
void api_agent_remove(struct api_call *call);
void api_agent_connect(struct api_call *call);
void api_monitors(struct api_call *call);
void api_monitor_add(struct api_call *call);
void api_monitor(struct api_call *call);
void api_monitor_change(struct api_call *call);
void api_monitor_remove(struct api_call *call);
void api_monitor_checks(struct api_call *call);
void api_jaeger_dependencies(struct api_call *call);
void api_releases(struct api_call *call);
void api_release(struct api_call *call);
void api_healthz(struct api_call *call);
void api_metrics(struct api_call *call);
void api_openapi(struct api_call *call);
void api_jaeger_services(struct api_call *call);
void api_jaeger_service_operations(struct api_call *call);
void api_jaeger_operations(struct api_call *call);
void api_jaeger_search(struct api_call *call);
void api_jaeger_trace(struct api_call *call);

// The pages (static.c), on the I/O thread.
void api_static(struct api *a, struct http_request *req);

// Live tails (tails.c).
struct tails;
int tails_new(struct store *store, int max, struct tails **ret_tails, struct err *err);
void tails_free(struct tails *t);
uint64_t tails_open(struct tails *t);
