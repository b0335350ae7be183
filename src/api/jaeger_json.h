// Traces in the JSON of Jaeger's query service (the model of its UI and of Grafana's data source).
#pragma once
#include "base/json.h"
#include "traces/trace.h"

// Errors of the buffer stick to it; ERR_NOMEM otherwise.
int jaeger_put_trace(struct json_writer *w, const struct trace *t);
