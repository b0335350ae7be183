#include "request.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

bool text_is(struct text t, const char *s) { return t.n == strlen(s) && memcmp(t.p, s, t.n) == 0; }

static bool name_is(struct text t, const char *s) { return t.n == strlen(s) && strncasecmp(t.p, s, t.n) == 0; }

// Lower case only, as the specification has it. All zero is no id.
static bool read_id(const char *p, size_t size, uint8_t *ret)
{
    uint8_t any = 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = 0;
        for (size_t k = 0; k < 2; k++) {
            char c = p[2 * i + k];
            if (c >= '0' && c <= '9')
                byte = (uint8_t)(byte << 4 | (c - '0'));
            else if (c >= 'a' && c <= 'f')
                byte = (uint8_t)(byte << 4 | (c - 'a' + 10));
            else
                return false;
        }
        ret[i] = byte;
        any |= byte;
    }
    return any != 0;
}

void traceparent_parse(struct text value, struct trace_context *ret)
{
    struct trace_context c = { .sampled = true };
    uint8_t flags = 0;
    *ret = c;
    if (value.n != TRACEPARENT_SIZE - 1 || memcmp(value.p, "00-", 3) != 0 || value.p[35] != '-' || value.p[52] != '-')
        return;
    if (!read_id(value.p + 3, 16, c.trace) || !read_id(value.p + 36, 8, c.span))
        return;
    if (memcmp(value.p + 53, "00", 2) != 0 && !read_id(value.p + 53, 1, &flags))
        return;
    c.known = true;
    c.sampled = flags & 1;
    *ret = c;
}

void traceparent_write(const uint8_t trace[16], const uint8_t span[8], char ret[TRACEPARENT_SIZE])
{
    char *p = ret;
    p += sprintf(p, "00-");
    for (size_t i = 0; i < 16; i++)
        p += sprintf(p, "%02x", trace[i]);
    *p++ = '-';
    for (size_t i = 0; i < 8; i++)
        p += sprintf(p, "%02x", span[i]);
    memcpy(p, "-01", 4);
}

// Digits only, and nothing that does not fit: a length is where requests are smuggled.
static bool read_length(struct text value, size_t *ret)
{
    size_t length = 0;
    if (value.n == 0 || value.n > 6)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return false;
        length = length * 10 + (size_t)(value.p[i] - '0');
    }
    *ret = length;
    return length <= REQUEST_BODY_MAX;
}

static bool take_header(struct text line, struct request *r, bool *has_length)
{
    const char *colon = memchr(line.p, ':', line.n);
    if (!colon || colon == line.p)
        return false;
    struct text name = { line.p, (size_t)(colon - line.p) };
    struct text value = { colon + 1, line.n - name.n - 1 };
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || name.p[i] >= 127)
            return false;
    while (value.n && (*value.p == ' ' || *value.p == '\t'))
        value.p++, value.n--;
    while (value.n && (value.p[value.n - 1] == ' ' || value.p[value.n - 1] == '\t'))
        value.n--;
    if (name_is(name, "transfer-encoding"))
        return false; // a length, or no body
    if (name_is(name, "content-length")) {
        if (*has_length || !read_length(value, &r->body_length))
            return false;
        *has_length = true;
    }
    if (name_is(name, "traceparent"))
        traceparent_parse(value, &r->context);
    return true;
}

static bool take_request_line(struct text line, struct request *r)
{
    const char *space = memchr(line.p, ' ', line.n);
    if (!space || space == line.p)
        return false;
    r->method = (struct text){ line.p, (size_t)(space - line.p) };
    const char *target = space + 1, *end = line.p + line.n;
    const char *second = memchr(target, ' ', (size_t)(end - target));
    if (!second || *target != '/' || !text_is((struct text){ second + 1, (size_t)(end - second - 1) }, "HTTP/1.1"))
        return false;
    r->path = (struct text){ target, (size_t)(second - target) };
    for (size_t i = 0; i < r->path.n; i++)
        if (r->path.p[i] <= ' ' || r->path.p[i] >= 127)
            return false;
    const char *query = memchr(target, '?', r->path.n);
    if (query)
        r->path.n = (size_t)(query - target);
    return true;
}

// Up to the end of the line, or of all there is.
static size_t line_length(const char *p, size_t n)
{
    size_t i = 0;
    while (i < n && !(p[i] == '\r' && i + 1 < n && p[i + 1] == '\n'))
        i++;
    return i;
}

long request_parse(const char *p, size_t n, struct request *ret)
{
    struct request r = { .context = { .sampled = true } };
    bool has_length = false, first = true;
    const char *end = memmem(p, n < REQUEST_HEAD_MAX ? n : REQUEST_HEAD_MAX, "\r\n\r\n", 4);
    if (!end)
        return n >= REQUEST_HEAD_MAX ? -1 : 0;
    for (const char *at = p; at <= end;) {
        struct text line = { at, line_length(at, (size_t)(end - at)) };
        if (memchr(line.p, '\n', line.n) || memchr(line.p, 0, line.n))
            return -1;
        if (!(first ? take_request_line(line, &r) : take_header(line, &r, &has_length)))
            return -1;
        first = false;
        at += line.n + 2;
    }
    *ret = r;
    return end + 4 - p;
}
