// Whether what the engine runs is what the person saw, as agent/python/seen.h has it: a probe that asks for `exact` stands in that very text or nowhere;
// one that follows stands where its line has gone to.
#pragma once
#include "agent/node/edit.h"

// It says something of what was seen, so that the text of its file is needed.
bool node_seen_asks(const struct probe *p);
// text: of the file that e->probe means, the source of its map where it has one. Sets e->moved where its line is another one. False: mismatch.
bool node_seen_check(const struct scan *scan, str text, struct edit_probe *e);
