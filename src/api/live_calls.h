// What the files about live debugging share.
#pragma once
#include "live/live.h"

struct api;
struct api_call;
struct query_request;
struct json_writer;
struct view;

// On behalf of whom; false: answered.
bool api_live_caller(struct api_call *call, struct live_caller *ret);

// "snapshots": those of a trace, newest first, without what they hold. q: whose projects may be read.
int api_put_trace_snapshots(struct api_call *call, struct json_writer *w, const struct query_request *q,
                            struct view *view, const char *hex);

// Streams of the Live page (live_stream.c).
struct live_streams;
int live_streams_new(struct live *live, int max, struct live_streams **ret_streams, struct err *err);
void live_streams_free(struct live_streams *s); // before the room of probes closes; NULL is allowed
