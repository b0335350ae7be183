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

// For rules of projects (filters/scrub_rules.h).
bool sentry_key_is_secret(str key);
// Digits of a card's number, with single spaces or dashes between them, at `from` or later.
bool sentry_card_find(str s, size_t from, size_t *ret_from, size_t *ret_to);
// "request.headers.0.1": the way to a value; keys, or indexes where there is no key. ERR_NOMEM, ERR_LIMIT.
int sentry_path_text(const struct json_node *const *path, const uint32_t *index, unsigned depth, struct arena *arena,
                     str *ret_text);
