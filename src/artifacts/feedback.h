// What people say about an error, through the SDKs' forms: feedback events and the older user reports. Kept in
// artifacts.db, found by the event that it is about, for as long as records are.
#pragma once
#include "artifacts/artifacts.h"

enum { FEEDBACK_TEXT_MAX = 16 << 10, FEEDBACK_LIST_MAX = 1000 };

// Texts may be empty; longer ones than FEEDBACK_TEXT_MAX are cut.
struct feedback {
    int64_t id; // given by the put
    uint32_t project;
    str event; // that it is about: 32 hex digits
    str own;   // its own id; user reports have none
    str replay, trace;
    str name, email, comments, url, source;
    int64_t time, received; // ns Unix
};
// Durable when it returns; the same again changes nothing.
int feedback_put(struct artifacts *a, const struct feedback *f, struct err *err);
// About an event, oldest first; everything is the arena's.
int feedback_of_event(struct artifacts *a, uint32_t project, str event, struct arena *arena,
                      struct feedback **ret_feedback, size_t *ret_n, struct err *err);
// The newest of these projects (NULL: all), newest first.
int feedback_newest(struct artifacts *a, const uint32_t *projects, size_t projects_n, uint32_t limit,
                    struct arena *arena, struct feedback **ret_feedback, size_t *ret_n, struct err *err);
