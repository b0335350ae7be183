// Names that this server answers to. A browser sends the name that it believes to talk to, so a foreign
// one means a page that had its name resolve to us (DNS rebinding).
#pragma once
#include "base/err.h"
#include "net/request.h"

enum { NAMES_MAX = 16 };

struct names {
    struct names_url {
        char origin[256]; // "https://clew.example.com" or with :port, lower case, as a browser writes it
        str host;         // of it, without the port
    } urls[NAMES_MAX];
    size_t n;
};
int names_parse(struct names *names, str urls, struct err *err);
// Is the request's Host (and nothing that contradicts it) a loopback name or one of the URLs?
bool names_host_ok(const struct names *names, const struct http_request *req);
// Does the Origin header say this very server: what the Host says, or one of the URLs? A missing header is not a match.
bool names_origin_matches(const struct names *names, const struct http_request *req);
