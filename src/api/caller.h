// Who calls: a session (cookie) or a token (bearer), and what they may.
#pragma once
#include "api/names.h"
#include "meta/person.h"
#include "meta/token.h"

enum api_caller_kind { API_NOBODY, API_SESSION, API_TOKEN };

struct api_caller {
    enum api_caller_kind kind;
    uint32_t scopes;
    int64_t project;              // 0: all
    char name[META_NAME_MAX + 1]; // of the user or the token
    struct meta_session session;  // API_SESSION
};

// "clew_session_2539": cookies do not know ports, and two servers may run on one machine.
void api_cookie_name(int port, char ret[32]);
// Reads cookie or bearer token. A bad token is an error even where none is needed; a dead cookie is
// nobody. ERR_DENIED.
int api_caller_find(struct meta *m, const struct http_request *req, int port, struct api_caller *ret_caller);
// Of the token alone, from memory and so safe in an I/O loop: its scopes; 0: there is none that is known here.
uint32_t api_caller_token_scopes(struct meta *m, const struct http_request *req);
// The rules for browsers: a session may change nothing without a matching Origin and the session's header
// token, and an Origin that does not match is refused on every method (streams too). Tokens are not sent by
// browsers by themselves and pass. NULL: fine; else the reason.
const char *api_caller_forged(const struct api_caller *c, const struct names *names, const struct http_request *req);
