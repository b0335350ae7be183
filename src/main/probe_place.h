// Where `clew probe add` puts a probe: a line, a function's entry or end, or an exception.
#pragma once
#include "base/err.h"
#include "base/json.h"
#include "main/command.h"

// Writes the member "where" out of the place on the command line (NULL: none) and --exception, --uncaught, --exit,
// --throw and --timer. Usage errors: ERR_INVALID, the writer is then of no use any more.
int probe_place_put(struct json_writer *w, const struct invocation *inv, const char *place, struct err *err);
// Does it stand at an exception, so that a place may be left out?
bool probe_place_is_exception(const struct invocation *inv);
