// A probe as the server tells of it (docs/openapi.json, `Probe`), for a terminal.
#pragma once
#include "base/buf.h"
#include "base/json_tree.h"

#define PROBE_NOBODY                                                                \
    "no process of this service has taken it yet; it goes in as soon as one does\n" \
    "  is there an agent on its host (`clew agents`), and is this its name (`clew agents --services`)?"

// "orders.py:42", "place()", "place() exit", "uncaught ValueError", "any exception in orders.py".
void probe_text_where(struct buf *out, const struct json_node *probe);
// One line an instance, with what to do where it is refused.
void probe_text_instances(struct buf *out, const struct json_node *probe);
// Everything.
void probe_text(struct buf *out, const struct json_node *probe);
// No instance is on its way any more, and none is tried again in a moment.
bool probe_text_settled(const struct json_node *probe);
