// An error event (the JSON of /api/v1/events/ID) for a terminal: what it is, its exceptions with the frames of the
// application, their source and locals, the last breadcrumbs, tags.
#pragma once
#include "base/buf.h"

struct event_text_options {
    size_t width; // columns; 0: 120
    bool colours;
};
// ERR_MALFORMED when the JSON is no event.
int event_text_print(str json, const struct event_text_options *o, struct buf *out);
