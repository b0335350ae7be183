// What the files of this room share.
#pragma once
#include "artifacts/artifacts.h"
#include "artifacts/feedback.h"
#include "db/db.h"
#include "os/disk.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <zstd.h>

#define ARTIFACTS_MAGIC 0x41525446u

struct artifacts {
    uint32_t magic;
    struct artifacts_options options;
    struct disk *disk;
    bool disk_is_ours;
    struct db writer, reader;
    _Atomic uint64_t temporaries; // for their names
    _Atomic uint64_t references, contents, bytes, stored_bytes;
    _Atomic uint64_t puts, repeated, collected, refused_full;
    bool swept; // files that belong to nothing were looked for
    pthread_t thread;
    bool has_thread;
    pthread_mutex_t wake_lock;
    pthread_cond_t wake;
    bool stop;
};

// --- contents (blob.c, blob_read.c). A file: BLOB_HEADER bytes, then the content as the coding has it.
//   0  magic "CLA1"   4 coding (0 as it is, 1 one zstd frame)   5 zero (3)   8 size of the content (le64)
enum { BLOB_HEADER = 16, BLOB_MAGIC = 0x31414c43, BLOB_PATH_MAX = 96, BLOB_STEP = 128 << 10 };
enum blob_coding { BLOB_AS_IS = 0, BLOB_ZSTD = 1 };
#define BLOB_DIR "artifacts"
#define BLOB_TMP BLOB_DIR "/tmp"

void blob_path(const uint8_t digest[ARTIFACT_DIGEST], char ret_path[BLOB_PATH_MAX]);
int blob_dirs_make(struct artifacts *a, struct err *err);

// A content on its way: what is short stays in memory until it is known to be new.
struct blob {
    struct artifacts *a;
    EVP_MD_CTX *sha;
    ZSTD_CCtx *zstd;
    struct buf first, out;
    uint64_t cap, size, stored; // bytes taken; bytes of the file
    int file;                   // -1: none yet
    char tmp[BLOB_PATH_MAX];
    enum blob_coding coding;
    bool begun; // the coding was decided and what came is written as it comes
    uint8_t digest[ARTIFACT_DIGEST];
};
int blob_begin(struct blob *b, struct artifacts *a, uint64_t cap, struct err *err);
int blob_append(struct blob *b, bytes piece, struct err *err);
// The digest is known then; nothing may be appended any more.
void blob_end(struct blob *b);
// Makes a synced temporary file of it, if there is none yet.
int blob_finish(struct blob *b, struct err *err);
// Gives it its name, durably. Inside a transaction of the writer's.
int blob_place(struct blob *b, struct err *err);
// The temporary file goes, if it is there still.
void blob_free(struct blob *b);
int blob_error(int code, const char *doing, const char *path, struct err *err);

// --- references (reference.c); all inside a transaction of the writer's
// Takes the content in (if it is new) and puts the reference. *ret_news is right also when it fails: a file may have its name.
enum blob_news { BLOB_KNOWN = 0, BLOB_NEW_FILE = 1, BLOB_NEW = 2 };
int reference_put(struct artifacts *a, const struct artifact *ref, struct blob *b, enum blob_news *ret_news,
                  int64_t *ret_id, bool *ret_repeated, struct err *err);
// The same of a content that is here. ERR_NOENT: it is not.
int reference_further(struct artifacts *a, const struct artifact *ref, bool *ret_repeated, struct err *err);
int reference_remove(struct artifacts *a, int64_t id, struct err *err);
int reference_count(struct artifacts *a, struct err *err); // at the start: the figures
str text_cut(str s, size_t max);

// --- collect.c
// Removes contents without references: rows, then (after the commit) files. Takes the writer's lock.
int collect_contents(struct artifacts *a, struct err *err);
// Room for that many bytes under the cap, by removing what belongs to the oldest records. ERR_NOSPC.
int collect_make_room(struct artifacts *a, uint64_t size, struct err *err);
int feedback_expire(struct artifacts *a, int64_t before, struct err *err);
int schema_apply(struct artifacts *a, struct err *err);
