// One HTTP request over a connection of its own.
#ifndef INVENTORY_CLIENT_H
#define INVENTORY_CLIENT_H

#include "request.h"

struct place {
    char host[256];
    char port[8];
};

// "http://host:port", perhaps with a path, which is left away. -1: it is no such address.
int place_parse(const char *url, struct place *ret);
// The status of the answer, or -1. `headers` are whole lines.
int client_post(const struct place *to, const char *path, const char *headers, struct text body);

#endif
