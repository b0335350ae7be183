// What the commands share that open the data directory themselves.
#pragma once
#include "base/json.h"
#include "main/command.h"
#include "meta/meta.h"

int admin_open(const struct invocation *inv, struct meta **ret_meta, struct err *err);
// Who asks, for the audit trail: "cli:alice".
str admin_actor(char out[META_NAME_MAX + 1]);
// Closes, says what went wrong, gives the exit status.
int admin_finish(struct meta *m, int r, const struct err *err);
// A missing value (0) is an absent key.
void admin_put_time(struct json_writer *w, str key, int64_t ns);
