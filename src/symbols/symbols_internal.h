// What the files of this room share.
#pragma once
#include "base/must.h"
#include "db/db.h"
#include "symbols/bundle.h"
#include "symbols/symbols.h"
#include "wire/sourcemap.h"

#include <pthread.h>
#include <stdatomic.h>

enum {
    SYMBOLS_MAGIC = 0x53594d42,
    BUCKETS = 1024,
    FOUND_SLOTS = 1 << 14,
    SEEN_SLOTS = 1 << 15,
    WANTED_MAX = 256,
    WAITING_QUEUE_MAX = 1024,
    WAITING_QUEUE_BYTES_MAX = 16 << 20,
    WHY_MAX = 400,
};

// Which files belong to a frame: rows of `files`.
struct found {
    int64_t map;      // 0: none
    int64_t minified; // 0: none
};

// A map that is read, or could not be.
struct module {
    struct found key;
    struct module *bucket, *newer, *older;
    unsigned refs;
    bool cached;
    struct sourcemap *map; // NULL: `why`
    struct js_scopes *scopes;
    char why[WHY_MAX];
    str url; // of the map; may be empty
    size_t bytes;
    uint64_t generation; // of the registry, when it was read
};

struct waiting {
    struct waiting *next;
    uint32_t project;
    int64_t key;
    str group;
    bytes packed;
};

struct symbols {
    uint32_t magic;
    struct symbols_options options;
    struct db db, reader;        // each under its lock
    _Atomic uint64_t generation; // counts changes of the registry
    _Atomic int64_t files;       // rows
    symbols_refined_fn *refined;
    void *refined_ctx;

    pthread_mutex_t lock; // all below
    pthread_cond_t wake;
    bool stopping, has_thread;
    pthread_t thread;
    struct module *buckets[BUCKETS], *newest, *oldest;
    struct symbols_stats stats;
    struct {
        uint64_t key, generation;
        struct found found;
    } found[FOUND_SLOTS];
    uint64_t seen[SEEN_SLOTS];
    struct found wanted[WANTED_MAX];
    uint32_t wanted_n;
    struct waiting *waiting_first, *waiting_last; // not in the database yet
    uint32_t waiting_n;
    size_t waiting_bytes;
    bool fresh;              // further ones wait since they were last looked through
    int64_t looked_until;    // row of the last one that was; of the thread
    bool dirty;              // something new may be read: look through those that wait
    uint64_t warmed;         // generation up to which the newest maps were parsed
    int64_t retry_ns;        // how long until then, the next time
    int64_t retry_at;        // ns monotonic; 0: nothing waits for its issue
    pthread_mutex_t parsing; // one map at a time is parsed: it is what takes memory
};

// ---- registry.c
int registry_open(struct symbols *s, struct err *err);
void registry_close(struct symbols *s);
enum file_kind { FILE_MINIFIED = 1, FILE_MAP = 2 };
// What a frame's file has; release and dist may be empty. Nothing found: both 0.
int registry_find_debug_id(struct symbols *s, uint32_t project, const uint8_t id[16], struct found *ret);
int registry_find_url(struct symbols *s, uint32_t project, str release, str dist, str url, struct arena *arena,
                      struct found *ret);
struct file_row {
    uint8_t digest[SYMBOLS_DIGEST];
    str entry; // of a bundle; empty: the content itself
    str url, sourcemap;
    enum file_kind kind;
};
int registry_file(struct symbols *s, int64_t id, struct arena *arena, struct file_row *ret, struct err *err);

// The next file before an id (0: the newest) that an event could name, with what belongs to it. ERR_NOENT.
int registry_newest(struct symbols *s, int64_t before, struct arena *arena, int64_t *ret_id, struct found *ret);

int registry_waiting_put(struct symbols *s, const struct waiting *w);
struct waiting_row {
    int64_t id;
    uint32_t project;
    str group;
    bytes packed;
};
// The next one behind an id. ERR_NOENT.
int registry_waiting_next(struct symbols *s, int64_t after, struct arena *arena, struct waiting_row *ret);
int registry_waiting_drop(struct symbols *s, int64_t id);
int registry_waiting_expire(struct symbols *s);
uint64_t registry_waiting_count(struct symbols *s);

// ---- module.c
// With a reference, which module_unref() gives back. SYMBOLS_PARSED: ERR_AGAIN when it is not read yet (it will be).
int module_get(struct symbols *s, struct found key, enum symbols_use use, struct module **ret);
void module_unref(struct symbols *s, struct module *m);
void modules_free(struct symbols *s);

// ---- resolve.c
struct image {
    str code_file;
    uint8_t debug_id[16];
};
struct lookup {
    struct symbols *s;
    uint32_t project;
    str release, dist;
    struct arena *arena;
    const struct image *images;
    uint32_t images_n;
};
int lookup_begin(struct lookup *l, struct symbols *s, uint32_t project, const struct sentry_event *e,
                 struct arena *arena);
// NULL: none.
const struct image *lookup_image(const struct lookup *l, str abs_path);
int lookup_find(const struct lookup *l, str abs_path, struct found *ret);

// ---- refine.c
bool refine_work(struct symbols *s);
