// Questions about files that scripts were made of.
#pragma once
#include "agent/backend.h"
#include "base/arena.h"

// What was found of a source: the script that was made of it, and their map with the source's text.
struct made {
    str script, text, base;
    struct sourcemap *map; // own
    uint32_t source;
};
// Looks through the folders of the process' program, bounded. ERR_NOENT: nothing there was made of this file.
int made_search(const struct process *p, str path, struct arena *arena, struct made *ret, struct err *err);
void made_done(struct made *m);
// The sources of the scripts of a folder, as entries of its list.
void made_sources(const struct process *p, str folder, struct json_writer *out);
