// What a request that nothing here takes was meant to be.
#pragma once
#include "ingest/door.h"

// *ret_what: the name of a foreign format; else untouched.
enum door_outcome stray_outcome(const struct http_request *req, str *ret_what);
