// A probe as the server tells of it (docs/openapi.json, `Probe`), for a terminal.
#pragma once
#include "base/buf.h"
#include "base/json_tree.h"

// "orders.py:42", "place()", "place() exit", "uncaught ValueError", "any exception in orders.py".
void probe_text_where(struct buf *out, const struct json_node *probe);
// One line an instance, with what to do where it is refused.
void probe_text_instances(struct buf *out, const struct json_node *probe);
// Everything.
void probe_text(struct buf *out, const struct json_node *probe);
// No instance is on its way any more.
bool probe_text_settled(const struct json_node *probe);
