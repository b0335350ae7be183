// Source maps of projects: which there are, and events made readable with them.
//
// DATA/symbols.db says, of uploaded bundles and files, which debug id or release and URL they belong to; their bytes are
// with whoever keeps artifacts, and come by digest through a function. Parsed maps are kept up to a number of bytes, those
// used longest ago go first.
//
// At ingest an event is symbolicated with maps that are parsed already and with no others (SYMBOLS_PARSED). What could not
// be is parsed behind it; when it is read (SYMBOLS_ANY) whatever maps there are are used, however old the event.
//
// Refinement. An event that came before its map has been grouped by its minified frames, and is a member of an issue by
// that hash. One event of each such hash waits here (symbols_wait); when a map for it arrives, it is symbolicated and given to
// the callback, which adds the hash that it has now to the same issue. Nothing ever moves.
//
// Threads: any but I/O loops. symbols_event_apply() with SYMBOLS_PARSED reads at most a few rows that SQLite has in memory.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "wire/sentry_event.h"

struct symbols;

enum { SYMBOLS_DIGEST = 32 };

struct symbols_options {
    const char *data; // data directory
    // Appends a content by its digest. ERR_NOENT.
    int (*load)(void *ctx, const uint8_t digest[SYMBOLS_DIGEST], size_t cap, struct buf *out, struct err *err);
    void *load_ctx;
    size_t cache_bytes; // of parsed maps; 0: SYMBOLS_CACHE_DEFAULT
    bool manual;        // tests: nothing happens but in symbols_work()
};
enum { SYMBOLS_CACHE_DEFAULT = 96 << 20 };

int symbols_open(const struct symbols_options *o, struct symbols **ret_symbols, struct err *err);
void symbols_close(struct symbols *s); // NULL is allowed

// What an event says now that could not be read when it came. group: the hash that it was grouped by. 0: done;
// ERR_AGAIN: its issue is not known yet, ask later; other errors: it is dropped.
typedef int symbols_refined_fn(void *ctx, uint32_t project, str group, const struct sentry_event *e,
                               struct arena *arena);
// Once, before the first event comes; what waits is looked through then. Without it they wait on.
void symbols_on_refined(struct symbols *s, symbols_refined_fn *fn, void *ctx);

// ---- what is uploaded

struct symbols_upload {
    uint32_t project;
    str release, dist;              // empty: of no release; any dist
    uint8_t digest[SYMBOLS_DIGEST]; // under which its bytes will be found
};
// An artifact bundle (symbols/bundle.h), after its bytes are durable. release and dist go before those of its manifest. The
// same one again changes nothing. *ret_files (may be NULL): how many of its entries are of use. ERR_MALFORMED, ERR_LIMIT: it
// is no bundle, or not one that we read; ERR_BUSY, ERR_IO: try again.
int symbols_bundle_add(struct symbols *s, const struct symbols_upload *u, bytes zip, uint32_t *ret_files,
                       struct err *err);
// One file of a release ("~/static/app.min.js"). sourcemap: its header, or empty. It replaces one of the same name.
int symbols_file_add(struct symbols *s, const struct symbols_upload *u, str name, str sourcemap, bytes content,
                     struct err *err);
// Forgets what was uploaded under this digest (the release's of that name only, unless it is empty).
int symbols_remove(struct symbols *s, uint32_t project, const uint8_t digest[SYMBOLS_DIGEST], str name,
                   struct err *err);
// Whether a project has this debug id: for tools that ask before they upload.
int symbols_has_debug_id(struct symbols *s, uint32_t project, const uint8_t id[16], bool *ret_has, struct err *err);

// What is of use in what was uploaded under this digest: how many generated files and maps, and the debug ids of these (at
// most `most` of them, each once).
struct symbols_contents {
    uint32_t minified, maps;
    uint8_t (*debug_ids)[16];
    size_t debug_ids_n;
};
int symbols_contents(struct symbols *s, uint32_t project, const uint8_t digest[SYMBOLS_DIGEST], size_t most,
                     struct arena *arena, struct symbols_contents *ret_contents, struct err *err);

// ---- events

enum symbols_use { SYMBOLS_PARSED, SYMBOLS_ANY };

struct symbols_counts {
    uint32_t frames;       // that are of generated code
    uint32_t symbolicated; // of those
    uint32_t missing;      // no map, or a place that it does not have
    uint32_t unparsed;     // there is a map that is not parsed (SYMBOLS_PARSED only)
};

// Rewrites the frames of all stacks of the event, in copies in the arena: function, module, filename, abs_path, line,
// column, in_app, source lines, and the same members of `node`. `raw` of a frame is then the frame as it was sent; one
// that stays as it was may have `missing`, which says why. The event's JSON is untouched. ERR_NOMEM; what else goes
// wrong is said in `missing`.
int symbols_event_apply(struct symbols *s, uint32_t project, struct sentry_event *e, enum symbols_use use,
                        struct arena *arena, struct symbols_counts *ret_counts);
// The same for a further stack of an event, such as a thread's.
int symbols_stack_apply(struct symbols *s, uint32_t project, const struct sentry_event *e, struct sentry_stack *stack,
                        enum symbols_use use, struct arena *arena, struct symbols_counts *counts);
// Remembers an event of which frames are missing or unparsed, when it is the first one of its group in
// its release. packed: as stored
// (wire/sentry_payload.h). Never blocks; what is too much is forgotten.
void symbols_wait(struct symbols *s, uint32_t project, str group, const struct sentry_event *e, bytes packed);

// ---- upkeep

struct symbols_stats {
    uint64_t maps, bytes;             // parsed, now
    uint64_t parsed, failed, evicted; // since the start
    uint64_t hits, misses;
    uint64_t refined, waiting_dropped;
    uint64_t files, waiting; // in the database
};
void symbols_stats(struct symbols *s, struct symbols_stats *ret_stats);
// What the thread does: parses what was asked for, refines what can be. True: there was something to do.
bool symbols_work(struct symbols *s);
