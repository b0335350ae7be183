#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool reserve(struct json *j, size_t more)
{
    if (more > j->max - j->n) {
        j->full = true;
        return false;
    }
    if (j->n + more > j->size) {
        size_t size = j->size * 2 > j->n + more ? j->size * 2 : j->n + more + 256;
        char *p = realloc(j->p, size);
        if (!p) {
            j->full = true;
            return false;
        }
        j->p = p;
        j->size = size;
    }
    return true;
}

static void put(struct json *j, const char *p, size_t n)
{
    if (n && reserve(j, n)) {
        memcpy(j->p + j->n, p, n);
        j->n += n;
    }
}

void json_put(struct json *j, const char *format, ...)
{
    char line[1024];
    va_list list;
    va_start(list, format);
    int n = vsnprintf(line, sizeof line, format, list);
    va_end(list);
    if (n < 0 || (size_t)n >= sizeof line)
        j->full = true;
    else
        put(j, line, (size_t)n);
}

void json_raw(struct json *j, struct text t) { put(j, t.p, t.n); }

void json_string(struct json *j, struct text value)
{
    put(j, "\"", 1);
    for (size_t i = 0; i < value.n; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c == '"' || c == '\\')
            put(j, (char[]){ '\\', (char)c }, 2);
        else if (c < ' ' || c >= 127)
            json_put(j, "\\u%04x", c); // Latin-1, which is all that can come this way
        else
            put(j, (char[]){ (char)c }, 1);
    }
    put(j, "\"", 1);
}

void json_hex(struct json *j, const uint8_t *bytes, size_t n)
{
    put(j, "\"", 1);
    for (size_t i = 0; i < n; i++)
        json_put(j, "%02x", bytes[i]);
    put(j, "\"", 1);
}
