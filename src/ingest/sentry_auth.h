// The public keys that a Sentry request shows.
#pragma once
#include "net/request.h"

// "/prefix/api/42/envelope/" -> 42 and "envelope/". False: not of that form.
bool sentry_project_path(str path, int64_t *ret_project, str *ret_rest);
// The key in X-Sentry-Auth, Authorization: Sentry and ?sentry_key=; empty when none is shown.
// ERR_DENIED: two that differ. ERR_NOMEM.
int sentry_auth_key(struct http_request *req, str *ret_key);
// "https://KEY[:SECRET]@host/prefix/42" -> KEY and 42.
bool sentry_dsn_parse(str dsn, str *ret_key, int64_t *ret_project);
