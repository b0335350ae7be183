// A growing text of bounded size, and JSON into it.
#ifndef INVENTORY_JSON_H
#define INVENTORY_JSON_H

#include "request.h"

struct json {
    char *p;
    size_t n, size, max;
    bool full; // something did not fit
};

__attribute__((format(printf, 2, 3))) void json_put(struct json *j, const char *format, ...);
void json_raw(struct json *j, struct text t);
void json_string(struct json *j, struct text value); // with its quotes
void json_hex(struct json *j, const uint8_t *bytes, size_t n);

#endif
