#include "api/zip_out.h"

#include "base/must.h"

#include <libdeflate.h>

enum { VERSION = 20, UTF8_NAME = 1 << 11, STORED = 0, DATE_1980 = 0x21, REGULAR_0644 = 0100644, MADE_BY_UNIX = 3 << 8 };

// What a file's head and its entry in the directory have in common.
static void put_fields(struct buf *out, uint32_t crc, uint32_t size, size_t name_n)
{
    buf_le16(out, VERSION);
    buf_le16(out, UTF8_NAME);
    buf_le16(out, STORED);
    buf_le16(out, 0); // time
    buf_le16(out, DATE_1980);
    buf_le32(out, crc);
    buf_le32(out, size);
    buf_le32(out, size);
    buf_le16(out, (uint16_t)name_n);
    buf_le16(out, 0); // extra
}

void zip_out_file(struct zip_out *z, str name, bytes content, struct buf *out)
{
    struct buf *d = &z->directory;
    size_t before = out->len;
    must(z->files < ZIP_OUT_FILES_MAX && name.len <= ZIP_OUT_NAME_MAX && z->at + content.len <= ZIP_OUT_BYTES_MAX);
    uint32_t crc = libdeflate_crc32(0, content.ptr, content.len), size = (uint32_t)content.len;
    buf_le32(out, 0x04034b50);
    put_fields(out, crc, size, name.len);
    buf_str(out, name);
    buf_le32(d, 0x02014b50);
    buf_le16(d, MADE_BY_UNIX | VERSION);
    put_fields(d, crc, size, name.len);
    buf_le16(d, 0); // comment
    buf_le16(d, 0); // disk
    buf_le16(d, 0);
    buf_le32(d, (uint32_t)REGULAR_0644 << 16);
    buf_le32(d, (uint32_t)z->at);
    buf_str(d, name);
    z->files++;
    z->at += out->len - before + content.len;
}

void zip_out_end(struct zip_out *z, struct buf *out)
{
    must(z->at + z->directory.len <= ZIP_OUT_BYTES_MAX);
    buf_append(out, z->directory.ptr, z->directory.len);
    buf_le32(out, 0x06054b50);
    buf_le32(out, 0); // disks
    buf_le16(out, (uint16_t)z->files);
    buf_le16(out, (uint16_t)z->files);
    buf_le32(out, (uint32_t)z->directory.len);
    buf_le32(out, (uint32_t)z->at);
    buf_le16(out, 0); // comment
}
