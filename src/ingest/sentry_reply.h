// Answers as Sentry's SDKs understand them, readable for scripts of any origin.
#pragma once
#include "net/request.h"

// {"id": "..."}; id may be empty. limits: X-Sentry-Rate-Limits, when not empty: what is not taken although all is well.
void sentry_reply_ok(struct http_request *req, int status, str id, str limits);
// {"detail": message}. retry_s > 0: the condition passes; Retry-After and X-Sentry-Rate-Limits say when.
// limits: which categories are meant; empty: all of them.
void sentry_reply_refusal(struct http_request *req, int status, int retry_s, str message, str limits);
// The same for a code of the store or of a decoder; words may be empty.
void sentry_reply_code(struct http_request *req, int code, str words, str limits);
// The answer to a browser's question whether it may send.
void sentry_reply_preflight(struct http_request *req);
