// Zip archives that are written as they are sent: files stored as they are, without zip64 (APPNOTE.TXT 6.3.3, 4.3).
#pragma once
#include "base/buf.h"

enum { ZIP_OUT_FILES_MAX = 65535, ZIP_OUT_NAME_MAX = 65535 };
#define ZIP_OUT_BYTES_MAX UINT32_MAX // of the whole archive

// The directory, kept until the end. The caller sees to the limits.
struct zip_out {
    struct buf directory;
    size_t files;
    uint64_t at; // bytes of the archive so far, with the content of the last file
};
// Head of a file's content, appended to out: the content follows it. name: UTF-8, with '/'.
void zip_out_file(struct zip_out *z, str name, bytes content, struct buf *out);
// What stands behind the last content.
void zip_out_end(struct zip_out *z, struct buf *out);
