// What a probe of exceptions has captured, as an error event in Sentry's form: for processes without an SDK that would make
// one. Pure; what an agent says is cut to what an event may hold.
#pragma once
#include "live/live_internal.h"

enum {
    EVENT_TYPE_MAX = 255,
    EVENT_VALUE_MAX = 4096,
    EVENT_PATH_MAX = 1024, // bytes of a file, a function, a module
    EVENT_FRAMES_MAX = 128,
    EVENT_FRAMES_FEW = 16,       // fit at any rate
    EVENT_VARS_MAX = 1000,       // of a frame
    EVENT_BYTES_MAX = 256 << 10, // of the whole: what is least worth is left out until it fits
};

// It is of a probe of exceptions, says what was raised, and that nobody else in the process makes an event of it.
bool capture_is_event(const struct capture_origin *o, const struct json_node *capture);
// time: ns Unix. id: the event's, 32 hex digits. ERR_LIMIT, ERR_NOMEM.
int capture_event(const struct capture_origin *o, str id, int64_t time, const struct json_node *capture,
                  struct buf *out);
