// Removes what should not be kept from an event before anything of it is stored: by the names of keys and by the
// look of values. What was removed is replaced by "[Filtered]" and named, never silently gone.
//
// By key (anywhere in it, case and _ - do not matter): password, passwd, secret, apikey, auth, credentials, mysqlpwd, privatekey,
// token, bearer, session id, csrf, cookie, creditcard, cvv, ssn. Keys of traces, of what identifies the event, and
// "author" are no such keys.
// By value: card numbers (13 to 19 digits that pass Luhn's check), PEM private keys, JSON web tokens, `Bearer ...`, and the
// password in URLs (scheme://user:password@).
#pragma once
#include "base/json_tree.h"

enum { SENTRY_REMARKS_MAX = 64 };

struct sentry_remarks {
    str path[SENTRY_REMARKS_MAX]; // "request.headers.authorization"
    uint32_t n;                   // of path
    uint32_t removed;             // in all
};

// Changes the tree in place. ERR_NOMEM.
int sentry_scrub(const struct json_node *root, struct arena *arena, struct sentry_remarks *ret_remarks);
