// What other rules would make of a project's newest events: which those are, and each of them read in turn.
#pragma once
#include "api/api_internal.h"

#include "events/events.h"

enum { PREVIEW_EVENTS_MAX = 1000, PREVIEW_EXAMPLES = 20, PREVIEW_TITLE_MAX = 200 };

struct preview_at {
    str id;
    int64_t time;
};
struct preview {
    struct api_call *call;
    struct query_request who;
    struct view *view;
    struct arena arena; // of what is kept until the answer
    struct preview_at *at;
    uint32_t n, read, unreadable;
    bool partial; // stopped at the time cap
};

// Only the project's events exist for the query. Of the call's parameters: limit, from, to, tz. false: answered.
bool preview_begin(struct preview *p, struct api_call *call, int64_t project);
// Calls fn for each event that has its JSON, newest first; what it allocates in `work` is gone with the next one. Those
// that cannot be read, or of which fn says so by an error, are counted and left out. False: answered.
bool preview_each(struct preview *p,
                  int (*fn)(void *ctx, const struct event *e, const struct preview_at *at, struct arena *work),
                  void *ctx);
int preview_title(struct preview *p, str title, str *ret); // cut, in the arena
// events, unreadable, partial: members of the object that is open.
void preview_put(struct json_writer *w, const struct preview *p);
void preview_end(struct preview *p);
