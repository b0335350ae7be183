// The source maps of a process that captures are told by: of scripts that mapped probes stand in, and of those that are met in their stacks.
#pragma once
#include "agent/node/map.h"

enum {
    MAP_FILES_MAX = 64,            // of a process
    MAP_FILES_BYTES_MAX = 24 << 20 // of all processes together
};

struct map_file;
struct map_files {
    struct map_file *list[MAP_FILES_MAX];
    size_t n;
};

struct map_frame {
    str function, file; // in: of the script; out: of its source
    uint32_t line, column;
    bool third_party; // out: the map says so
};

void map_files_free(struct map_files *files);
// Takes the map of a script that a probe is placed in, or frees it. ERR_LIMIT, ERR_NOMEM.
int map_files_put(struct map_files *files, str script, str base, struct sourcemap *map, struct err *err);
// What of its text is where: the functions by the view, and what was put into the text.
void map_files_functions(struct map_files *files, str script, const struct map_view *view);
void map_files_edited(struct map_files *files, str script, str text);
// Reads the map of another script when it is met for the first time, and knows of one that has none. False: the frame is as it was. Texts are in the arena.
bool map_files_frame(struct map_files *files, const struct process *p, struct map_frame *frame, struct arena *arena);
