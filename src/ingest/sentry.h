// Sentry's ingest protocol: what unmodified Sentry SDKs send to the address in a DSN.
//
//   POST /api/PROJECT/envelope/, store/, security/, nel/, minidump/, events/ID/attachments/; also behind a prefix
//   POST, GET /api/PROJECT/cron/MONITOR[/KEY]/
//   POST /tunnel, or what the setting `tunnel` names: the envelope's header says whose it is
//   OPTIONS of all, for browsers
//
// Who may: a DSN key of that very project, shown in X-Sentry-Auth, Authorization: Sentry, ?sentry_key= or the
// envelope's dsn; where two are shown they have to agree. Keys are public: they open nothing else.
// What passes is answered with 429 and Retry-After, which SDKs obey; after anything else they drop what they have.
#pragma once
#include "ingest/ingest.h"

bool sentry_owns(const struct ingest *in, const struct http_request *req);
void sentry_route(struct ingest *in, struct http_request *req, struct http_route *route);
void sentry_refuse(struct http_request *req, int status, int retry_after_s, str message);
