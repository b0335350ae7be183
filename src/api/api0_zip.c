#include "api/api0_zip.h"

#include "base/err.h"

enum {
    END_BYTES = 22,
    END_MAGIC = 0x06054b50,
    END_ENTRIES = 10,
    END_OFFSET = 16,
    COMMENT_MAX = 65535,
    ENTRY_BYTES = 46,
    ENTRY_MAGIC = 0x02014b50,
    ENTRY_NAME = 28,
    ENTRY_EXTRA = 30,
    ENTRY_COMMENT = 32,
};

int api0_zip_begin(struct api0_zip *z, bytes zip)
{
    if (zip.len < END_BYTES)
        return ERR_MALFORMED;
    size_t least = zip.len > END_BYTES + COMMENT_MAX ? zip.len - END_BYTES - COMMENT_MAX : 0;
    for (size_t at = zip.len - END_BYTES + 1; at-- > least;) {
        if (le32_get(zip.ptr + at) != END_MAGIC)
            continue;
        size_t directory = le32_get(zip.ptr + at + END_OFFSET);
        if (directory > at)
            continue;
        *z = (struct api0_zip){ zip, directory, le16_get(zip.ptr + at + END_ENTRIES) };
        return 0;
    }
    return ERR_MALFORMED;
}

int api0_zip_next(struct api0_zip *z, str *ret_name)
{
    while (z->left) {
        if (z->zip.len - z->at < ENTRY_BYTES || le32_get(z->zip.ptr + z->at) != ENTRY_MAGIC)
            return ERR_MALFORMED;
        const uint8_t *p = z->zip.ptr + z->at;
        size_t name = le16_get(p + ENTRY_NAME);
        size_t whole = ENTRY_BYTES + name + le16_get(p + ENTRY_EXTRA) + le16_get(p + ENTRY_COMMENT);
        if (z->zip.len - z->at < whole)
            return ERR_MALFORMED;
        z->at += whole;
        z->left--;
        if (name && p[ENTRY_BYTES + name - 1] != '/') {
            *ret_name = str_of(p + ENTRY_BYTES, name);
            return 1;
        }
    }
    return 0;
}
