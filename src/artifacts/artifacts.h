// Artifacts: what SDKs and tools send that is no record: attachments, minidumps, replays, profiles, uploaded bundles and
// source files. Contents lie on disk under the SHA-256 of what they hold, each once however often it was sent;
// DATA/artifacts.db says whose they are: one row a reference. docs/formats.md describes files and tables.
//
// A put is durable when it returns. Putting the same reference again (same project, kind, names and content) changes
// nothing and gives the first one's id, so whoever did not hear the answer may send again.
//
// What belongs to records (attachments, replays, profiles, dumps) is kept as long as they are, and goes first when there is
// no more room; uploads are kept until their `expires` or artifact_unref(). A content goes with its last reference.
//
// Threads: every function may be called from any thread but an I/O loop: all read or sync the disk.
#pragma once
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct artifacts;
struct disk;

// X(NAME, "name", belongs to records)
#define ARTIFACT_KINDS(X)                                                                           \
    X(ATTACHMENT, "attachment", true)                                                               \
    X(MINIDUMP, "minidump", true)                                                                   \
    X(APPLE_CRASH_REPORT, "apple_crash_report", true)                                               \
    X(REPLAY_EVENT, "replay_event", true) /* JSON: what a segment of a replay is about */           \
    X(REPLAY, "replay", true)             /* a segment's recording: header line, then events */     \
    X(REPLAY_VIDEO, "replay_video", true) /* msgpack of event, recording and video */               \
    X(PROFILE, "profile", true)           /* JSON, of one transaction */                            \
    X(PROFILE_CHUNK, "profile_chunk", true)                                                         \
    X(CHUNK, "chunk", false) /* of an upload that is not assembled yet */                           \
    X(BUNDLE, "bundle", false)                                                                      \
    X(RELEASE_FILE, "release_file", false)                                                          \
    X(DEBUG_FILE, "debug_file", false)                                                              \
    X(BUILD, "build", false)                   /* an application, in the archive that it came in */ \
    X(IMAGE_SNAPSHOT, "image_snapshot", false) /* JSON: which images are in it */                   \
    X(IMAGE, "image", false)                   /* of these; of none yet: for a day */

enum artifact_kind {
#define ARTIFACT_ENUM(name, text, records) ARTIFACT_##name,
    ARTIFACT_KINDS(ARTIFACT_ENUM)
#undef ARTIFACT_ENUM
        ARTIFACT_KINDS_N
};
str artifact_kind_name(enum artifact_kind kind);
static inline uint32_t artifact_kind_bit(enum artifact_kind kind) { return 1u << kind; }

enum {
    ARTIFACT_DIGEST = 32,     // bytes of a SHA-256
    ARTIFACT_TEXT_MAX = 1024, // bytes of each text below; longer ones are cut
    ARTIFACT_TRACES_MAX = 100,
    ARTIFACT_LIST_MAX = 10000,
};

// A reference. Texts may be empty; ids of Sentry's are 32 hex digits in lower case.
struct artifact {
    int64_t id;       // given by the put; never used again
    uint32_t project; // 0: of the whole workspace
    enum artifact_kind kind;
    uint8_t digest[ARTIFACT_DIGEST]; // of the content; given by the put
    uint64_t size;                   // of the content, bytes; given by the put
    str name;                        // of a file; of chunks and bundles what their protocol calls them
    str content_type;                // as sent: never to be trusted
    str type;                        // a further word of the sender's ("event.view_hierarchy")
    str event, replay;               // what it belongs to (of images: the snapshot, with its manifest)
    str profile, chunk;              // profile or profiler, and the chunk
    int64_t segment;                 // of a replay
    const str *traces;               // 32 hex digits each
    uint32_t traces_n;
    int64_t time;     // ns Unix, when it happened; 0: not known
    int64_t received; // ns Unix; 0 in a put: now
    int64_t expires;  // ns Unix; 0: as its kind has it
};

struct artifacts_options {
    const char *data;     // data directory, of an absolute path; holds artifacts/ and artifacts.db
    struct disk *disk;    // rooted there; NULL: the real one
    int64_t retention_ns; // of what belongs to records; 0: for ever
    uint64_t cap_bytes;   // most bytes of contents on disk; 0: none
    bool manual;          // tests: nothing is collected but in artifacts_collect()
};
int artifacts_open(const struct artifacts_options *o, struct artifacts **ret_artifacts, struct err *err);
void artifacts_close(struct artifacts *a); // NULL is allowed

// --- writing. ERR_NOSPC: the disk or its cap is full, which passes; ERR_IO and ERR_BUSY: try again; ERR_LIMIT.

// Texts and content are copied. *ret_id may be NULL.
int artifact_put(struct artifacts *a, const struct artifact *ref, bytes content, int64_t *ret_id, struct err *err);
// Several in one transaction: all or none of the references stand afterwards.
struct artifact_item {
    struct artifact ref;
    bytes content;
};
int artifact_put_all(struct artifacts *a, const struct artifact_item *items, size_t n, struct err *err);

// Of contents that come piece by piece; of one thread at a time. cap: more bytes are ERR_LIMIT.
struct artifact_writer;
int artifact_writer_open(struct artifacts *a, uint64_t cap, struct artifact_writer **ret_writer, struct err *err);
int artifact_writer_append(struct artifact_writer *w, bytes piece, struct err *err);
// Puts what was written and frees the writer, in any case.
int artifact_writer_put_take(struct artifact_writer *w, const struct artifact *ref, int64_t *ret_id, struct err *err);
void artifact_writer_abort_take(struct artifact_writer *w);

// Further references to contents that are here, named by their digests, in one transaction. ERR_NOENT: one of them is not.
int artifact_refer(struct artifacts *a, const struct artifact *refs, size_t n, struct err *err);

// ERR_NOENT.
int artifact_unref(struct artifacts *a, int64_t id, struct err *err);
// Of each those that are there still, in one transaction.
int artifact_unref_all(struct artifacts *a, const int64_t *ids, size_t n, struct err *err);

// --- reading

struct artifact_filter {
    const uint32_t *projects; // that the reader may see; NULL: all, else ascending
    size_t projects_n;
    uint32_t kinds; // bits artifact_kind_bit(); 0: all
    // One of these decides what is looked for:
    str event, trace, replay, profile;
    str name;       // with exactly one kind
    uint32_t limit; // 0: ARTIFACT_LIST_MAX
};
// By time of receipt, then id. Everything is the arena's. ERR_INVALID: nothing to look for.
int artifact_list(struct artifacts *a, const struct artifact_filter *f, struct arena *arena,
                  struct artifact **ret_artifacts, size_t *ret_n, struct err *err);
// ERR_NOENT: no such reference (or it is gone).
int artifact_find(struct artifacts *a, int64_t id, struct arena *arena, struct artifact *ret_artifact, struct err *err);

// A content by its digest, checked against it: appended to out. ERR_NOENT; ERR_CORRUPT; ERR_LIMIT: longer than cap.
int artifact_load(struct artifacts *a, const uint8_t digest[ARTIFACT_DIGEST], size_t cap, struct buf *out,
                  struct err *err);
// The same piece by piece. It stays readable while it is open, whatever is collected meanwhile.
struct artifact_reader;
int artifact_reader_open(struct artifacts *a, const uint8_t digest[ARTIFACT_DIGEST],
                         struct artifact_reader **ret_reader, uint64_t *ret_size, struct err *err);
// *ret_n 0: the end, and all of it was what its digest says; ERR_CORRUPT: it was not.
int artifact_reader_read(struct artifact_reader *r, void *p, size_t n, size_t *ret_n, struct err *err);
void artifact_reader_close(struct artifact_reader *r);

// SHA-256 of a content, as the store names it.
void artifact_digest(bytes content, uint8_t ret_digest[ARTIFACT_DIGEST]);

// --- upkeep

struct artifacts_stats {
    uint64_t references, contents;      // now
    uint64_t bytes, stored_bytes;       // of contents: as they are, on disk
    uint64_t puts, repeated, collected; // since the start: references put, put again, contents removed
    uint64_t refused_full;              // puts
    uint64_t cap_bytes;
};
void artifacts_stats(struct artifacts *a, struct artifacts_stats *ret_stats);
// References and bytes of a kind (of contents that several kinds share, in each).
struct artifact_kind_usage {
    uint64_t references, bytes;
};
int artifacts_usage(struct artifacts *a, struct artifact_kind_usage ret_usage[ARTIFACT_KINDS_N], struct err *err);
// What a thread of its own does every minute, and at the start: removes what has expired, and files that belong to nothing.
int artifacts_collect(struct artifacts *a, int64_t now, struct err *err);
