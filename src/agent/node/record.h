// What walk.js writes into the pipe: one JSON object a line. The target may write anything.
#pragma once
#include "agent/backend.h"
#include "agent/node/edit.h"
#include "base/json_tree.h"

struct probe_policy;
struct probe_space;
struct map_files;

struct record_maps {
    struct map_files *files;
    const struct process *process;
};

// One line that is a capture, as CAPTURE JSON with everything sensitive taken away. thread, id: the name and number of the one that wrote it. maps: its stack is told in terms of sources; may be NULL. ERR_MALFORMED.
int record_capture(const struct json_node *record, const struct probe *probe, str thread, uint64_t id,
                   const struct record_maps *maps, const struct edit_name *names, uint32_t n_names,
                   const struct probe_policy *policy, struct probe_space *space, struct arena *arena, struct buf *out);
bool record_is_capture(const struct json_node *record);
// Its counters; error is the first failure in words (room of n bytes).
void record_counts(const struct json_node *record, const struct probe *probe, struct probe_counts *ret, int *ret_state,
                   char *error, size_t n);
