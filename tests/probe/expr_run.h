// Parses, sends through JSON and back, compiles, verifies and runs an expression over a target made of JSON; the result as JSON text,
// or "fault REASON: words", or "error SLUG COLUMN: words".
#pragma once
#include "base/buf.h"
#include "json_host.h"

// The target: variables, or {"vars":..,"callers":[..]} when it has the member "callers". out is cleared first.
void expr_run(str text, str target, uint64_t *changed, struct buf *out);
