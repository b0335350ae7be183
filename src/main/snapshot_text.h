// A snapshot (CAPTURE of docs/openapi.json) for a terminal: where, in which trace, and its variables as a tree.
#pragma once
#include "base/buf.h"
#include "base/json_tree.h"

void snapshot_text(struct buf *out, const struct json_node *capture);
