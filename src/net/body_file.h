// A long body on the disk instead of in memory: an unlinked file, mapped, whose bytes the kernel may write out and let go while
// others arrive. Of one thread at a time.
#pragma once
#include "base/bytes.h"

struct body_file {
    int fd;
    uint8_t *ptr; // stays the same; bytes at and behind `len` must not be touched
    size_t len, max;
};
// In that directory, of at most max bytes. Returns NULL when there is none to be had.
struct body_file *body_file_open(const char *dir, size_t max);
// Room for len bytes, which the disk then has: writing to them cannot fail. len <= max. ERR_NOSPC, ERR_IO.
int body_file_grow(struct body_file *f, size_t len);
void body_file_close(struct body_file *f); // NULL is allowed
