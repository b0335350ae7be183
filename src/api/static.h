// The files of the pages, as tools/embed.py puts them into the binary.
#pragma once
#include "base/bytes.h"

struct static_file {
    str path, type, etag;  // "/assets/main-1a2b3c.js"; etag weak (it stands for all encodings), with quotes
    bytes plain, gzip, br; // the latter two empty where they do not pay
    bool immutable;        // its name holds a hash of its content
};
extern const struct static_file static_files[];
extern const size_t static_files_n;
