// multipart/form-data (RFC 7578): the parts of a body, one after the other, as views into it. Nothing is copied or decoded:
// names that hold escapes stay as they were sent. Bounded: a part's head, and how many parts somebody asks for.
#pragma once
#include "base/bytes.h"

enum { MULTIPART_BOUNDARY_MAX = 70, MULTIPART_HEAD_MAX = 8 << 10 };

struct multipart {
    bytes body;
    size_t at;                                  // of the next delimiter line's boundary, internal
    char delimiter[4 + MULTIPART_BOUNDARY_MAX]; // "\r\n--boundary"
    size_t delimiter_n;
    bool ended;
};

struct multipart_part {
    str name, filename; // filename: ptr NULL when it has none
    str content_type;
    str head; // its header lines as they were sent
    bytes content;
};

// The type of the body with its boundary. ERR_MALFORMED: not multipart/form-data, no boundary, or no part begins.
int multipart_begin(struct multipart *m, str content_type, bytes body);
// 1 and a part, 0 after the last one; ERR_MALFORMED: a head that is none; ERR_TRUNCATED: the body ends inside a part.
int multipart_next(struct multipart *m, struct multipart_part *ret_part);
// The first header of that name (without case) of a part's head, trimmed; ptr NULL: it has none.
str multipart_header(const struct multipart_part *part, str name);
