// The table of endpoints and the way to them.
#include "api/api_internal.h"

#include "api/api0.h"
#include "api/live_calls.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/must.h"
#include "ingest/admission.h"
#include "net/grpc.h"

#include <stdio.h>

#include <sodium.h>

enum { ROUTER_BODY_MAX = 256 << 10, ROUTER_ARENA_MAX = 64 << 20 };

// clang-format off
const struct api_endpoint api_endpoints[] = {
    { HTTP_GET, STR_INIT("/healthz"), API_PUBLIC, 0, API_ON_ADMIN_POOL, api_healthz },
    { HTTP_GET, STR_INIT("/metrics"), API_LOCAL_OR_TOKEN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_metrics },
    { HTTP_GET, STR_INIT("/api/v1/openapi.json"), API_LOCAL_OR_TOKEN, 0, API_ON_ADMIN_POOL, api_openapi },
    { HTTP_POST, STR_INIT("/api/v1/session"), API_PUBLIC, 0, API_ON_ADMIN_POOL, api_signin },
    { HTTP_DELETE, STR_INIT("/api/v1/session"), API_SIGNED_IN, 0, API_ON_ADMIN_POOL, api_signout },
    { HTTP_GET, STR_INIT("/api/v1/me"), API_SIGNED_IN, 0, API_ON_ADMIN_POOL, api_me },
    { HTTP_POST, STR_INIT("/api/v1/me/password"), API_SIGNED_IN, 0, API_ON_ADMIN_POOL, api_password },
    { HTTP_GET, STR_INIT("/api/v1/me/sessions"), API_SIGNED_IN, 0, API_ON_ADMIN_POOL, api_my_sessions },
    { HTTP_DELETE, STR_INIT("/api/v1/me/sessions"), API_SIGNED_IN, 0, API_ON_ADMIN_POOL, api_my_sessions_end_others },
    { HTTP_DELETE, STR_INIT("/api/v1/me/sessions/{}"), API_SIGNED_IN, 0, API_ON_ADMIN_POOL, api_my_sessions_end },
    { HTTP_GET, STR_INIT("/api/v1/tokens"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_tokens_list },
    { HTTP_POST, STR_INIT("/api/v1/tokens"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_tokens_add },
    { HTTP_DELETE, STR_INIT("/api/v1/tokens/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_tokens_remove },
    { HTTP_GET, STR_INIT("/api/v1/projects"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_projects_list },
    { HTTP_POST, STR_INIT("/api/v1/projects"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_projects_add },
    { HTTP_PATCH, STR_INIT("/api/v1/projects/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_projects_rename },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/keys"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_keys_list },
    { HTTP_POST, STR_INIT("/api/v1/projects/{}/keys"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_keys_add },
    { HTTP_DELETE, STR_INIT("/api/v1/projects/{}/keys/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_keys_remove },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/grouping"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_grouping },
    { HTTP_PUT, STR_INIT("/api/v1/projects/{}/grouping"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_grouping_set },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/filters"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_filters },
    { HTTP_PUT, STR_INIT("/api/v1/projects/{}/filters"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_filters_set },
    { HTTP_POST, STR_INIT("/api/v1/projects/{}/filters/preview"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_filters_preview },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/scrub"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_scrub },
    { HTTP_PUT, STR_INIT("/api/v1/projects/{}/scrub"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_scrub_set },
    { HTTP_POST, STR_INIT("/api/v1/projects/{}/scrub/preview"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_scrub_preview },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/owners"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_owners },
    { HTTP_PUT, STR_INIT("/api/v1/projects/{}/owners"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_owners_set },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/builds"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_builds },
    { HTTP_DELETE, STR_INIT("/api/v1/projects/{}/builds/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_builds_remove },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/image-snapshots"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_images },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/image-snapshots/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_images_show },
    { HTTP_DELETE, STR_INIT("/api/v1/projects/{}/image-snapshots/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_images_remove },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/images/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_image },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/code-mappings"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_mappings },
    { HTTP_POST, STR_INIT("/api/v1/projects/{}/code-mappings"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_mappings_add },
    { HTTP_PUT, STR_INIT("/api/v1/projects/{}/code-mappings/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_mappings_change },
    { HTTP_DELETE, STR_INIT("/api/v1/projects/{}/code-mappings/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_mappings_remove },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/source"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_source_file },
    { HTTP_GET, STR_INIT("/api/v1/projects/{}/source/files"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_source_files },
    { HTTP_POST, STR_INIT("/api/v1/projects/{}/grouping/preview"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_grouping_preview },
    { HTTP_GET, STR_INIT("/api/v1/users"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_users_list },
    { HTTP_POST, STR_INIT("/api/v1/users"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_users_add },
    { HTTP_PATCH, STR_INIT("/api/v1/users/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_users_change },
    { HTTP_DELETE, STR_INIT("/api/v1/users/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_users_remove },
    { HTTP_POST, STR_INIT("/api/v1/users/{}/link"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_users_link },
    { HTTP_DELETE, STR_INIT("/api/v1/users/{}/sessions"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_users_sessions_end },
    { HTTP_GET, STR_INIT("/api/v1/audit/verify"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_audit_verify },
    { HTTP_GET, STR_INIT("/api/v1/audit"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_audit_list },
    { HTTP_POST, STR_INIT("/api/v1/query"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_query },
    { HTTP_GET, STR_INIT("/api/v1/tail"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_tail },
    { HTTP_GET, STR_INIT("/api/v1/traces/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_trace },
    { HTTP_GET, STR_INIT("/api/v1/events/{}/attachments"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_event_attachments },
    { HTTP_GET, STR_INIT("/api/v1/artifacts/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_artifact },
    { HTTP_GET, STR_INIT("/api/v1/traces/{}/path"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_trace_path },
    { HTTP_GET, STR_INIT("/api/v1/compare"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_compare },
    { HTTP_GET, STR_INIT("/api/v1/storage"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_storage },
    { HTTP_GET, STR_INIT("/api/v1/server"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_server },
    { HTTP_GET, STR_INIT("/api/v1/setup"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_setup },
    { HTTP_GET, STR_INIT("/api/v1/services"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_services },
    { HTTP_GET, STR_INIT("/api/v1/fields"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_fields },
    { HTTP_GET, STR_INIT("/api/v1/values"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_values },
    { HTTP_GET, STR_INIT("/api/v1/histogram"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_histogram },
    { HTTP_GET, STR_INIT("/api/v1/events/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_event },
    { HTTP_GET, STR_INIT("/api/v1/events/{}/json"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_event_json },
    { HTTP_GET, STR_INIT("/api/v1/issues/{}/events"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_issue_events },
    { HTTP_GET, STR_INIT("/api/v1/issues/{}/events/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_issue_event },
    { HTTP_GET, STR_INIT("/api/v1/ingest"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_ingest },
    { HTTP_GET, STR_INIT("/api/v1/overview"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_overview },
    { HTTP_GET, STR_INIT("/api/v1/map"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_map },
    { HTTP_GET, STR_INIT("/api/v1/deploys"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_deploys },
    { HTTP_GET, STR_INIT("/api/v1/releases"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_releases },
    { HTTP_GET, STR_INIT("/api/v1/releases/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_release },
    { HTTP_GET, STR_INIT("/api/v1/issues"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_issues },
    { HTTP_PATCH, STR_INIT("/api/v1/issues"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_issues_change },
    { HTTP_POST, STR_INIT("/api/v1/issues/merge"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_issues_merge },
    { HTTP_GET, STR_INIT("/api/v1/issues/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_issue },
    { HTTP_GET, STR_INIT("/api/v1/issues/{}/similar"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_issue_similar },
    { HTTP_POST, STR_INIT("/api/v1/issues/{}/unmerge"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_issue_unmerge },
    { HTTP_POST, STR_INIT("/api/v1/issues/{}/comments"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_issue_comment },
    { HTTP_DELETE, STR_INIT("/api/v1/issues/{}/comments/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_issue_comment_remove },
    { HTTP_GET, STR_INIT("/api/v1/alerts/rules"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_alert_rules },
    { HTTP_POST, STR_INIT("/api/v1/alerts/rules"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_alert_rule_add },
    { HTTP_GET, STR_INIT("/api/v1/alerts/rules/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_alert_rule },
    { HTTP_PUT, STR_INIT("/api/v1/alerts/rules/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_alert_rule_change },
    { HTTP_DELETE, STR_INIT("/api/v1/alerts/rules/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_alert_rule_remove },
    { HTTP_POST, STR_INIT("/api/v1/alerts/rules/{}/snooze"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_alert_rule_snooze },
    { HTTP_GET, STR_INIT("/api/v1/alerts/channels"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_alert_channels },
    { HTTP_POST, STR_INIT("/api/v1/alerts/channels"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_alert_channel_add },
    { HTTP_PUT, STR_INIT("/api/v1/alerts/channels/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_alert_channel_change },
    { HTTP_DELETE, STR_INIT("/api/v1/alerts/channels/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_alert_channel_remove },
    { HTTP_POST, STR_INIT("/api/v1/alerts/channels/{}/test"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_alert_channel_test },
    { HTTP_GET, STR_INIT("/api/v1/alerts/firings"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_alert_firings },
    { HTTP_GET, STR_INIT("/api/v1/alerts/deliveries"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_alert_deliveries },
    { HTTP_GET, STR_INIT("/api/v1/monitors"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_monitors },
    { HTTP_POST, STR_INIT("/api/v1/monitors"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_monitor_add },
    { HTTP_GET, STR_INIT("/api/v1/monitors/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_monitor },
    { HTTP_PATCH, STR_INIT("/api/v1/monitors/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_monitor_change },
    { HTTP_DELETE, STR_INIT("/api/v1/monitors/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_monitor_remove },
    { HTTP_GET, STR_INIT("/api/v1/monitors/{}/checks"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_monitor_checks },
    { HTTP_GET, STR_INIT("/api/v1/probes"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_probes },
    { HTTP_POST, STR_INIT("/api/v1/probes"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_PROBE, API_ON_ADMIN_POOL, api_probe_add },
    { HTTP_DELETE, STR_INIT("/api/v1/probes"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_PROBE, API_ON_ADMIN_POOL, api_probes_remove },
    { HTTP_POST, STR_INIT("/api/v1/probes/check"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_probe_check },
    { HTTP_GET, STR_INIT("/api/v1/probes/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_probe },
    { HTTP_PATCH, STR_INIT("/api/v1/probes/{}"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_PROBE, API_ON_ADMIN_POOL, api_probe_change },
    { HTTP_DELETE, STR_INIT("/api/v1/probes/{}"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_PROBE, API_ON_ADMIN_POOL, api_probe_remove },
    { HTTP_GET, STR_INIT("/api/v1/live/stream"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_live_stream },
    { HTTP_GET, STR_INIT("/api/v1/live/services"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_live_services },
    { HTTP_GET, STR_INIT("/api/v1/live/instances"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_live_instances },
    { HTTP_GET, STR_INIT("/api/v1/live/files"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_PROBE, API_ON_WAIT_POOL, api_live_files },
    { HTTP_GET, STR_INIT("/api/v1/live/source"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_PROBE, API_ON_WAIT_POOL, api_live_source },
    { HTTP_GET, STR_INIT("/api/v1/live/lines"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_PROBE, API_ON_WAIT_POOL, api_live_lines },
    { HTTP_GET, STR_INIT("/api/v1/live/functions"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_PROBE, API_ON_WAIT_POOL, api_live_functions },
    { HTTP_GET, STR_INIT("/api/v1/live/variables"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_PROBE, API_ON_WAIT_POOL, api_live_variables },
    { HTTP_GET, STR_INIT("/api/v1/live/forecast"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_PROBE, API_ON_WAIT_POOL, api_live_forecast },
    { HTTP_GET, STR_INIT("/api/v1/snapshots"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_snapshots },
    { HTTP_GET, STR_INIT("/api/v1/snapshots/{}"), API_SIGNED_IN, META_SCOPE_READ | META_SCOPE_VALUES, API_ON_QUERY_POOL, api_snapshot },
    { HTTP_GET, STR_INIT("/api/v1/agents"), API_SIGNED_IN, META_SCOPE_READ, API_ON_ADMIN_POOL, api_agents },
    { HTTP_GET, STR_INIT("/api/v1/agents/tokens"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_agent_tokens },
    { HTTP_DELETE, STR_INIT("/api/v1/agents/tokens/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_agent_token_remove },
    { HTTP_POST, STR_INIT("/api/v1/agents/tokens"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_agent_token },
    { HTTP_POST, STR_INIT("/api/v1/agents/enrol"), API_PUBLIC, 0, API_ON_ADMIN_POOL, api_agent_enrol },
    { HTTP_GET, STR_INIT("/api/v1/agents/connect"), API_AGENT, 0, API_ON_ADMIN_POOL, api_agent_connect },
    { HTTP_DELETE, STR_INIT("/api/v1/agents/{}"), API_SIGNED_IN, META_SCOPE_ADMIN, API_ON_ADMIN_POOL, api_agent_remove },
    { HTTP_GET, STR_INIT("/jaeger/api/dependencies"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_jaeger_dependencies },
    { HTTP_GET, STR_INIT("/jaeger/api/services"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_jaeger_services },
    { HTTP_GET, STR_INIT("/jaeger/api/services/{}/operations"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_jaeger_service_operations },
    { HTTP_GET, STR_INIT("/jaeger/api/operations"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_jaeger_operations },
    { HTTP_GET, STR_INIT("/jaeger/api/traces"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_jaeger_search },
    { HTTP_GET, STR_INIT("/jaeger/api/traces/{}"), API_SIGNED_IN, META_SCOPE_READ, API_ON_QUERY_POOL, api_jaeger_trace },
};
// clang-format on
const size_t api_endpoints_n = sizeof api_endpoints / sizeof api_endpoints[0];

int api_new(const struct api_options *o, struct api **ret_api, struct err *err)
{
    struct api *a = mem_zalloc(sizeof *a);
    if (!a)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    a->magic = API_MAGIC;
    a->options = *o;
    a->started_ns = clock_unix_ns();
    randombytes_buf(a->ticket_key, sizeof a->ticket_key);
    must(pthread_mutex_init(&a->values_reads.lock, NULL) == 0);
    int r = names_parse(&a->names, str_z(o->public_urls), err);
    if (r == 0)
        r = tails_new(o->store, o->tails_max, &a->tails, err);
    if (r == 0 && o->live)
        r = live_streams_new(o->live, o->tails_max, &a->live_streams, err);
    if (r < 0) {
        tails_free(a->tails);
        pthread_mutex_destroy(&a->values_reads.lock);
        mem_free(a);
        return r;
    }
    *ret_api = a;
    return 0;
}

void api_set_server(struct api *a, struct net_server *server, int port, bool tls)
{
    a->server = server;
    a->port = port;
    a->tls = tls;
}

void api_add_listener(struct api *a, const struct socket_address *address, int tag, bool tls)
{
    must(a->listeners_n < API_LISTENERS_MAX);
    struct api_listener *l = &a->listeners[a->listeners_n++];
    l->address[socket_address_format(address, l->address)] = 0;
    l->tag = tag;
    l->tls = tls;
}

void api_free(struct api *a)
{
    if (!a)
        return;
    MAGIC_CHECK(a, API_MAGIC);
    live_streams_free(a->live_streams);
    tails_free(a->tails);
    pthread_mutex_destroy(&a->values_reads.lock);
    a->magic = 0;
    mem_free(a);
}

int api_public_urls_check(str urls, struct err *err)
{
    struct names names;
    return names_parse(&names, urls, err);
}

static str next_segment(str path, size_t *at)
{
    size_t begin = *at + 1; // after '/'
    ptrdiff_t slash = str_find_char(path, '/', begin);
    size_t end = slash < 0 ? path.len : (size_t)slash;
    *at = end;
    return str_slice(path, begin, end);
}

bool api_path_matches(str pattern, str path, str params[API_PARAMS_MAX])
{
    size_t p = 0, q = 0, n = 0;
    while (p < pattern.len && q < path.len) {
        str want = next_segment(pattern, &p), have = next_segment(path, &q);
        if (str_eq(want, STR("{}"))) {
            if (have.len == 0 || n == API_PARAMS_MAX)
                return false;
            params[n++] = have;
        } else if (!str_eq(want, have)) {
            return false;
        }
    }
    return p >= pattern.len && q >= path.len;
}

// The endpoint; NULL with *ret_allow set when only the method is wrong.
static const struct api_endpoint *find(const struct http_request *req, str params[API_PARAMS_MAX], char ret_allow[64])
{
    enum http_method method = req->method == HTTP_HEAD ? HTTP_GET : req->method;
    size_t n = 0;
    ret_allow[0] = 0;
    for (size_t i = 0; i < api_endpoints_n; i++) {
        if (!api_path_matches(api_endpoints[i].path, req->path, params))
            continue;
        if (api_endpoints[i].method == method)
            return &api_endpoints[i];
        str name = http_method_name(api_endpoints[i].method);
        n += (size_t)snprintf(ret_allow + n, 64 - n, "%s%.*s", n ? ", " : "", STR_ARG(name));
    }
    return NULL;
}

static bool is_api_path(str path)
{
    static const str heads[] = { STR_INIT("/api/"), STR_INIT("/v1/"), STR_INIT("/jaeger/"), STR_INIT("/healthz"),
                                 STR_INIT("/metrics") };
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
        if (str_starts(path, heads[i]))
            return true;
    return false;
}

static bool allowed(struct api_call *call)
{
    struct http_request *req = call->req;
    const struct api_endpoint *e = call->endpoint;
    if (e->who == API_AGENT)
        return true;
    if (api_caller_find(call->api->options.meta, req, call->api->port, &call->caller) < 0) {
        api_reply_error(req, 401, "unauthenticated", "the token is not known here: it may have been revoked");
        return false;
    }
    if (e->who == API_PUBLIC)
        return true;
    if (e->who == API_LOCAL_OR_TOKEN && call->caller.kind == API_NOBODY && admission_is_local(req))
        return true;
    if (call->caller.kind == API_NOBODY) {
        api_reply_error(req, 401, "unauthenticated", "sign in, or send Authorization: Bearer TOKEN");
        return false;
    }
    const char *forged = api_caller_forged(&call->caller, &call->api->names, req);
    if (forged) {
        api_reply_error(req, 403, "forged", "%s", forged);
        return false;
    }
    uint32_t missing = e->scopes & ~call->caller.scopes;
    if (missing) {
        char words[64];
        meta_scopes_text(missing, words);
        api_reply_error(req, 403, "forbidden", "this needs the scope %s", words);
        return false;
    }
    return true;
}

bool api_path_decode(struct http_request *req, str params[API_PARAMS_MAX])
{
    for (int i = 0; i < API_PARAMS_MAX; i++)
        if (params[i].ptr && http_path_decode(&req->arena, params[i], &params[i]) < 0)
            return false;
    return true;
}

static bool decode_params(struct api_call *call)
{
    if (api_path_decode(call->req, call->params))
        return true;
    api_reply_error(call->req, 400, "bad_request", "the path is not well formed");
    return false;
}

static void dispatch(struct http_request *req, void *ctx)
{
    struct api_call *call = ctx;
    MAGIC_CHECK(call->api, API_MAGIC);
    if (allowed(call) && decode_params(call))
        call->endpoint->run(call);
}

static void route_endpoint(struct api *a, struct http_request *req, struct http_route *route,
                           const struct api_endpoint *e, const str params[API_PARAMS_MAX])
{
    struct api_call *call = arena_zalloc(&req->arena, sizeof *call);
    if (!call) {
        api_reply_error(req, 503, "memory", "out of memory");
        return;
    }
    *call = (struct api_call){ .api = a, .req = req, .endpoint = e };
    memcpy(call->params, params, sizeof call->params);
    route->handler = dispatch;
    route->ctx = call;
    route->pool = api_pool(a, e->where);
    route->body_max = ROUTER_BODY_MAX;
    route->inflated_max = ROUTER_BODY_MAX;
    route->arena_max = ROUTER_ARENA_MAX;
}

void api_route(struct http_request *req, struct http_route *route, void *ctx)
{
    struct api *a = ctx;
    str params[API_PARAMS_MAX] = { { 0 } };
    char allow[64];
    MAGIC_CHECK(a, API_MAGIC);
    if (!names_host_ok(&a->names, req)) {
        ingest_wrong_host(a->options.ingest, req);
        api_reply_error(req, 421, "misdirected",
                        "this server does not answer to that name (see the setting public_url)");
        return;
    }
    if (ingest_owns(a->options.ingest, req)) {
        ingest_route(a->options.ingest, req, route);
        return;
    }
    if (req->is_grpc) {
        ingest_stray(a->options.ingest, req, 404);
        grpc_respond(req, GRPC_UNIMPLEMENTED, STR("no such service"), (bytes){ 0 }, (bytes){ 0 });
        return;
    }
    if (req->listener_tag == API_TAG_MAIN && api0_owns(req->path)) {
        api0_route(a, req, route);
        return;
    }
    const struct api_endpoint *e = find(req, params, allow);
    if (req->listener_tag == API_TAG_INGEST && !(e && e->who == API_PUBLIC && e->method == HTTP_GET)) {
        ingest_stray(a->options.ingest, req, 404);
        api_reply_error(req, 404, "not_found", "this port takes OTLP only");
        return;
    }
    if (e) {
        route_endpoint(a, req, route, e, params);
    } else if (allow[0]) {
        struct http_header h[API_HEADERS_MAX + 1];
        size_t n = api_headers(h, STR("application/json"));
        h[n++] = (struct http_header){ STR("allow"), str_z(allow) };
        http_respond(
            req, 405, h, n,
            bytes_of_str(STR("{\"error\":{\"code\":\"method\",\"message\":\"this path takes another method\"}}")));
    } else if (is_api_path(req->path)) {
        ingest_stray(a->options.ingest, req, 404);
        api_reply_error(req, 404, "not_found", "there is no such path");
    } else {
        if (req->method != HTTP_GET && req->method != HTTP_HEAD)
            ingest_stray(a->options.ingest, req, 405);
        api_static(a, req);
    }
}

void api_observe(const struct net_observed *o, void *ctx)
{
    struct api *a = ctx;
    MAGIC_CHECK(a, API_MAGIC);
    ingest_observe(a->options.ingest, o);
}

void api_refuse(struct http_request *req, int status, int retry_after_s, str message, void *ctx)
{
    struct api *a = ctx;
    struct http_header h[API_HEADERS_MAX + 1];
    MAGIC_CHECK(a, API_MAGIC);
    if (ingest_owns(a->options.ingest, req)) {
        ingest_refuse(a->options.ingest, req, status, retry_after_s, message);
        return;
    }
    if (api0_owns(req->path)) {
        api0_refuse(req, status, retry_after_s, message);
        return;
    }
    str params[API_PARAMS_MAX];
    char allow[64], retry[16];
    const struct api_endpoint *e = find(req, params, allow);
    if (status == 503 && e && e->where != API_ON_ADMIN_POOL)
        status = 429; // the queue is full: the language's `busy`
    struct buf body;
    struct json_writer w;
    size_t n = api_headers(h, STR("application/json"));
    buf_init(&body, 4096);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("error"));
    json_put_object(&w);
    json_put_key(&w, STR("code"));
    json_put_str(&w, status == 413                    ? STR("too_large")
                     : status >= 500 || status == 429 ? STR("busy")
                                                      : STR("bad_request"));
    json_put_key(&w, STR("message"));
    json_put_str(&w, message);
    json_put_object_end(&w);
    json_put_object_end(&w);
    if (retry_after_s > 0) {
        int len = snprintf(retry, sizeof retry, "%d", retry_after_s);
        h[n++] = (struct http_header){ STR("retry-after"), str_of(retry, (size_t)len) };
    }
    http_respond_take(req, status, h, n, &body);
}
