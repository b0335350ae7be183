// Artifact bundles: what sentry-cli and the bundlers' plugins upload. A zip archive (in newer ones behind eight bytes,
// "SYSB" and a version) whose manifest.json says of each entry what it is:
//
//   {"files": {"files/_/_/app.min.js": {"type": "minified_source" | "source_map" | "source" | ..., "url": "~/app.min.js",
//     "headers": {"debug-id": "UUID", "sourcemap": "app.min.js.map"}}}, "debug_id", "org", "project", "release", "dist"}
//
// Nothing in an archive ever becomes a path on the disk. What an archive claims of sizes is checked before and while it is
// inflated.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
    BUNDLE_BYTES_MAX = 512 << 20,
    BUNDLE_ENTRIES_MAX = 20000,
    BUNDLE_MANIFEST_MAX = 16 << 20,
    BUNDLE_ENTRY_MAX = 128 << 20, // inflated
    BUNDLE_RATIO_MAX = 300,       // inflated to packed, of entries beyond BUNDLE_RATIO_FROM
    BUNDLE_RATIO_FROM = 1 << 20,
    BUNDLE_NAME_MAX = 4096, // of entries and URLs
};

enum bundle_kind { BUNDLE_OTHER, BUNDLE_MINIFIED, BUNDLE_SOURCE_MAP, BUNDLE_SOURCE };

struct bundle_entry {
    str path; // in the archive
    str url;  // "~/app.min.js", "https://..."; may be empty
    enum bundle_kind kind;
    bool has_debug_id;
    uint8_t debug_id[16];
    str sourcemap; // of a minified one: where its map is, as its header says; may be empty
};

struct bundle {
    struct arena arena;
    struct bundle_entry *entries;
    uint32_t n;
    str release, dist, debug_id; // may be empty
};

// Reads the manifest. Entries that it names and the archive does not have are found out when they are read.
// ERR_MALFORMED, ERR_TRUNCATED, ERR_LIMIT, ERR_NOMEM.
int bundle_open(bytes zip, struct bundle **ret_bundle, struct err *err);
void bundle_free(struct bundle *b); // NULL is allowed

// Appends an entry's content. ERR_NOENT; ERR_LIMIT (longer than cap or out's max, or packed too well); ERR_MALFORMED.
int bundle_read(bytes zip, str path, size_t cap, struct buf *out, struct err *err);

// The same for many entries, without looking through the directory each time.
struct bundle_reader;
int bundle_reader_open(bytes zip, struct bundle_reader **ret_reader, struct err *err);
int bundle_reader_read(struct bundle_reader *r, str path, size_t cap, struct buf *out, struct err *err);
void bundle_reader_close(struct bundle_reader *r); // NULL is allowed

// 32 hex digits with or without dashes; what Sentry calls an appendix ("-1" behind them) is passed over.
bool debug_id_parse(str text, uint8_t ret_id[16]);
enum { DEBUG_ID_TEXT = 36 };
// "6f3e...-....": no NUL.
void debug_id_format(const uint8_t id[16], char out[DEBUG_ID_TEXT]);
