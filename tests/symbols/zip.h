// Archives for tests, in memory.
#pragma once
#include "base/buf.h"

struct zip_entry {
    const char *name;
    str content;
};
// prefix: what stands in front of the archive, or empty.
void zip_make(str prefix, const struct zip_entry *entries, size_t n, struct buf *out);
