// Whether what runs is what the person saw, by the file that the process has: a probe that asks for `exact` stands in that very text or nowhere; one that
// follows stands where its line has gone to.
#pragma once
#include "agent/backend.h"
#include "probe/probe.h"

enum { SEEN_NEAREST = 6 };

struct seen_answer {
    bool mismatch;
    const char *message; // of a mismatch
    int line;            // where the probe is to stand; 0: where it says
    int nearest[SEEN_NEAREST];
    int n_nearest;
};

// Looks at the file at most once. A probe that says nothing of what was seen is as it says.
void seen_check(const struct process *p, const struct probe *probe, struct seen_answer *ret);

enum { SEEN_HASH_HEX = 64 };
// SHA-256 of a line: blanks at both ends taken away, a run of blanks in it one space.
void seen_line_hash(str line, char ret_hex[SEEN_HASH_HEX + 1]);
