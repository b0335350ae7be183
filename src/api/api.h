// Api: the only room that speaks HTTP to people and tools. Every request passes, in this order: the Host
// check; ingest, when the path is its; the table of endpoints (method, who may, how large); the caller
// (session or token, with the rules for browsers); the endpoint. docs/openapi.json describes the answers.
#pragma once
#include "alerts/alerts.h"
#include "artifacts/artifacts.h"
#include "ingest/ingest.h"
#include "issues/issues.h"
#include "live/live.h"
#include "meta/meta.h"
#include "monitors/monitors.h"
#include "net/server.h"
#include "owners/owners.h"
#include "red/red.h"
#include "releases/releases.h"
#include "store/store.h"

struct api;
struct query_issues;
struct symbols;

// What only the program knows that this room is part of, for the pages of settings. Texts live as long as the api.
struct api_setting {
    const char *key, *flag, *environment, *doc;
    const char *value, *def; // as written; never a secret
    const char *origin;      // "default", "file", "environment", "flag"
};
struct api_finding {
    bool ok;
    char what[80], more[200], fix[200];
};
enum { API_FINDINGS_MAX = 16 };

struct api_options {
    struct meta *meta;
    struct store *store;
    struct red *red;
    struct issues *issues;
    const struct query_issues *query_issues; // what queries know of them; NULL: nothing
    struct releases *releases;
    struct owners *owners; // of issues; NULL: nobody is known
    struct artifacts *artifacts;
    struct symbols *symbols; // NULL: frames of generated code are shown as they came
    struct ingest *ingest;
    struct alerts *alerts;
    struct monitors *monitors;
    struct live *live;
    struct pool *live_pool;   // what agents say
    bool alerts_mail;         // this server sends mail
    struct pool *ingest_pool; // for /metrics
    struct pool *query_pool;  // queries: long; its queue is the bound on them
    struct pool *wait_pool;   // what waits for an agent's answer: seconds, without work
    struct pool *admin_pool;  // the rest: short, on meta's disk
    const char *public_urls;  // comma-separated, may be empty
    const char *version;
    const char *data; // directory
    const struct api_setting *settings;
    size_t settings_n;
    // Looks at this host as `clew doctor` does; returns how many it has found. May take a moment.
    int (*doctor)(void *ctx, struct api_finding out[API_FINDINGS_MAX]);
    void *doctor_ctx;
    int tails_max; // at the same time
    size_t query_memory_max;
    int64_t query_time_max_ns;
};
int api_new(const struct api_options *o, struct api **ret_api, struct err *err);
// For /metrics, and for the port that the session cookie is named by.
// Before the server starts: an address that it listens on, for the set-up page.
void api_add_listener(struct api *a, const struct socket_address *address, int tag, bool tls);
void api_set_server(struct api *a, struct net_server *server, int port, bool tls);
// After the server has stopped.
void api_free(struct api *a);

// http_route_fn, http_refuse_fn and net_observe_fn of the server; ctx is the struct api. Listeners with tag
// API_TAG_INGEST answer ingest and /healthz only.
enum { API_TAG_MAIN = 0, API_TAG_INGEST = 1 };
void api_route(struct http_request *req, struct http_route *route, void *ctx);
void api_observe(const struct net_observed *o, void *ctx);
void api_refuse(struct http_request *req, int status, int retry_after_s, str message, void *ctx);

// Is the URL list well formed (http or https, a host, no path)? For the command line.
int api_public_urls_check(str urls, struct err *err);
