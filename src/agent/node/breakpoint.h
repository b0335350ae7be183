// Probes at breakpoints: where V8 takes no change of a function, or must not be given one. See walk.js, "breakpoints".
#pragma once
#include "agent/node/attachment.h"

// e, of the script whose text is known, is to be one. hindered: why its text is not changed; a literal.
void session_stop_add(struct session *s, struct edit_probe *e, const char *hindered);
// Asks the process for those that were added, says in each `stopped` whether it stands, and goes on.
void session_stops(struct attachment *a, void (*then)(struct attachment *a));
// What the state of such a probe says of its costs.
void session_stop_note(struct placed *p, const struct edit_probe *e);
