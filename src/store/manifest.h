// MANIFEST: which part files make up the store, and how far the log has been sealed into them. A log of
// checksummed records, each of which is applied as a whole or not at all; see docs/formats.md.
//
// Not thread-safe: one thread (the store's background thread) owns it.
#pragma once
#include "store/part.h"

struct manifest;

enum { MANIFEST_MARKS = 16 };

// Reads `path` (created when missing, below the disk's root) and everything after it. A torn last record is
// dropped; a damaged record with good ones behind it is ERR_CORRUPT. Rewrites the file when the tail was torn.
int manifest_open(struct disk *disk, const char *path, struct manifest **ret_manifest, struct err *err);
void manifest_close(struct manifest *m);

// Live parts, oldest first: a merged part stands where the first of its inputs stood.
uint32_t manifest_parts(const struct manifest *m);
const struct part_facts *manifest_part(const struct manifest *m, uint32_t i);
// Marks are numbers of the log's that mean nothing here ("generation g is sealed"); 0 until set.
uint64_t manifest_mark(const struct manifest *m, uint32_t mark);
// A part id that was never used, also by parts that failed or are gone. Never returns the same one twice.
uint64_t manifest_next_id(struct manifest *m);

struct manifest_change {
    const uint64_t *remove; // ids of live parts
    uint32_t remove_n;
    const struct part_facts *add; // stand where the first removed one stood, else at the end
    uint32_t add_n;
    uint32_t marks_n;
    struct {
        uint32_t mark;
        uint64_t value;
    } marks[MANIFEST_MARKS];
};

// Appends one record and syncs it. 0: durable and applied. Otherwise nothing is applied in memory, but the
// record may be found on disk after a crash if manifest_in_doubt() says so: until a later commit has
// succeeded, do not remove or recycle any file that either state needs. (Every file is kept, the next commit
// writes a fresh manifest first.)
int manifest_commit(struct manifest *m, const struct manifest_change *change, struct err *err);
bool manifest_in_doubt(const struct manifest *m);

// At start: removes what is in env->dir and not live (files of builds that were cut short, parts whose removal was
// cut short). Call before anything is built.
int manifest_remove_orphans(const struct manifest *m, const struct part_env *env, struct err *err);
