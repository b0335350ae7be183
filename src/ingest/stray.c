#include "ingest/stray.h"

#include "ingest/sentry_auth.h"

// Paths of formats that Clew does not take.
static const struct {
    str path;
    str what;
} strays[] = {
    { STR_INIT("/api/v2/spans"), STR_INIT("Zipkin") },
    { STR_INIT("/api/v1/spans"), STR_INIT("Zipkin") },
    { STR_INIT("/api/traces"), STR_INIT("Jaeger's Thrift") },
    { STR_INIT("/loki/api/v1/push"), STR_INIT("Loki") },
    { STR_INIT("/api/v1/write"), STR_INIT("Prometheus' remote write") },
    { STR_INIT("/_bulk"), STR_INIT("Elasticsearch") },
    { STR_INIT("/v0.4/traces"), STR_INIT("Datadog") },
    { STR_INIT("/v0.5/traces"), STR_INIT("Datadog") },
};

static bool is_sentry(str path)
{
    int64_t project;
    str endpoint;
    return sentry_project_path(path, &project, &endpoint) && endpoint.len > 0;
}

enum door_outcome stray_outcome(const struct http_request *req, str *ret_what)
{
    if (req->is_grpc)
        return DOOR_GRPC_SERVICE;
    if (is_sentry(req->path))
        return DOOR_SENTRY;
    if (str_starts(http_request_header(req, STR("content-type")), STR("application/grpc")))
        return DOOR_GRPC_ON_HTTP1;
    for (size_t i = 0; i < sizeof strays / sizeof strays[0]; i++)
        if (str_eq(req->path, strays[i].path)) {
            *ret_what = strays[i].what;
            return DOOR_FOREIGN;
        }
    return DOOR_PATH;
}
