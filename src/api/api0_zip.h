// The names in a zip archive: its central directory, without zip64. What the entries hold is read by symbols/bundle.h.
#pragma once
#include "base/bytes.h"

struct api0_zip {
    bytes zip;
    size_t at; // of the next entry of the directory
    size_t left;
};
// ERR_MALFORMED: it has no directory.
int api0_zip_begin(struct api0_zip *z, bytes zip);
// 1 and a name that is a file's, 0 after the last, ERR_MALFORMED. Nothing that is said of sizes is believed.
int api0_zip_next(struct api0_zip *z, str *ret_name);
