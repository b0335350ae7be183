// What metric and timer probes count in a Node process: the table of probe/series.h, which walk.js writes in memory of the process. It is read from
// outside, so that a hit writes to no pipe and what is told is exact however seldom hits come.
#pragma once
#include "agent/node/attachment.h"

uint64_t figures_owner(const struct placed *p);
// Before it is ordered.
void figures_begin(struct placed *p);
// Reads, and tells when it is time. Nothing for other probes, and for those that are not installed.
void figures_due(struct attachment *a, struct placed *p, int64_t now);
// It leaves the set, or the process has ended: tells once more what has changed, and frees.
void figures_end(struct attachment *a, struct placed *p);
