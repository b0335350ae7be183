// The rule of who may send without a key, and the keys.
#pragma once
#include "ingest/door.h"
#include "meta/token.h"
#include "net/request.h"

// Names a loopback address: "127.0.0.1", "localhost", "[::1]", with or without a port.
bool admission_host_is_loopback(str host);
// Nobody but a program on this machine that meant this server: both ends of the connection are loopback,
// the Host is a loopback name, and nothing says that a browser (Origin) or a proxy (Forwarded,
// X-Forwarded-*) stands in between.
bool admission_is_local(const struct http_request *req);
// The token of `Authorization: Bearer TOKEN`; ptr NULL when there is no such header. ERR_MALFORMED for
// another scheme, or more than one.
int admission_bearer(const struct http_request *req, str *ret_token);
// May this request ingest, and into which project? 0, ERR_DENIED (401: no or unknown key), ERR_INVALID (403: the
// token lacks the scope). A key that is shown must be good, also where none is needed. *ret_refused: which of DOOR_
// it was that refused, only then set.
int admission_ingest(struct meta *m, const struct http_request *req, int64_t default_project, int64_t *ret_project,
                     enum door_outcome *ret_refused);
