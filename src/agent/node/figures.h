// What metric and timer probes count in a Node process: tables of probe/series.h, one for each of its threads, which walk.js writes in memory of the process.
// They are read from outside, so that a hit writes to no pipe and what is told, the sum, is exact however seldom hits come. A thread that has ended stays in
// the sum with what was read of it last.
#pragma once
#include "agent/node/attachment.h"

uint64_t figures_owner(const struct placed *p);
// A thread is to make a table: what it is to begin with. What the thread has counted in another one before stays in the sum. ERR_NOMEM.
int figures_order(struct attachment *a, struct placed *p, unsigned thread, uint64_t *ret_mark, struct err *err);
// Whether there is a table of the thread's that is read, or will be once it is found.
bool figures_known(const struct placed *p, unsigned thread);
// A session has seen that the thread calls the probe.
void figures_seen(struct attachment *a, struct placed *p, unsigned thread);
// At a session's end: looks for the tables that have come, of all probes at once.
void figures_find(struct attachment *a);
// Of the threads that the last session has seen call the probe, those whose table cannot be read; the first of them.
unsigned figures_unread(const struct attachment *a, const struct placed *p, unsigned *ret_first);
// The last session has seen all threads that there are: the tables of others go, once they were read for the last time.
void figures_leave_ended(struct attachment *a, struct placed *p);
// Reads, and tells when it is time. Nothing for other probes, and for those that are not installed.
void figures_due(struct attachment *a, struct placed *p, int64_t now);
// Tells now what has changed.
void figures_say(struct attachment *a, struct placed *p);
// It leaves the set, or the process has ended: tells for the last time, and frees.
void figures_end(struct attachment *a, struct placed *p);
void figures_free(struct placed *p);
