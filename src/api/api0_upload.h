// What uploads of all kinds share: chunks named by their SHA-1, and putting them together.
#pragma once
#include "api/api0.h"
#include "artifacts/artifacts.h"
#include "symbols/symbols.h"

enum {
    API0_CHUNK_BYTES = 8 << 20,
    API0_CHUNKS_REQUEST = 64,                  // of one request
    API0_REQUEST_MAX = (32 << 20) + (1 << 20), // of their bytes as sent, with the parts' heads
    API0_INFLATED_MAX = 64 << 20,              // of what these are when inflated
    API0_CHUNKS_FILE = 128,
    API0_FILE_MAX = API0_CHUNKS_FILE * API0_CHUNK_BYTES, // of anything that is put together: 1 GiB
    API0_BUNDLE_MAX = 128 << 20,                         // of a bundle, which is read whole
    API0_ASSEMBLE_MAX = 4 << 20,                         // of the request that asks for it
    API0_OBJECT_MAX = 32 << 20,                          // of an image
    API0_OBJECTS_MAX = (100 << 20) + (2 << 20),          // of a batch of them, with the parts' heads
};

// --- hashes
struct api0_sha1; // of a content that comes piece by piece
struct api0_sha1 *api0_sha1_new(void);
void api0_sha1_add(struct api0_sha1 *h, bytes piece);
// Frees it. 40 hex digits.
void api0_sha1_end_take(struct api0_sha1 *h, char ret_hex[RELEASE_SHA1_HEX]);
void api0_sha1_of(bytes content, char ret_hex[RELEASE_SHA1_HEX]);
bool api0_sha1_ok(str hex);

// --- putting together (api0_chunk.c)
struct api0_assembly {
    str checksum;
    const str *chunks;
    size_t chunks_n;
    const str *missing; // chunks that are not here
    size_t missing_n;
    // When there is none missing and rc is 0: written, hashed, not put yet.
    struct artifact_writer *writer;
    struct buf content; // the same bytes, when they were asked for
    uint64_t size;
    uint8_t head[64]; // its first bytes
    size_t head_n;
};
// A member's checksum and its `chunks`. false: answered (400).
bool api0_assembly_read(struct api_call *call, str checksum, const struct json_node *in, struct api0_assembly *ret);
// Looks for the chunks that the caller has sent; when they are all here, puts them together. keep: also in memory, then at most
// API0_BUNDLE_MAX bytes. ERR_MALFORMED: the checksum is another one; ERR_LIMIT. The assembly is to be freed in any case.
int api0_assemble(struct api_call *call, bool keep, struct api0_assembly *a, struct err *err);
void api0_assembly_free(struct api0_assembly *a);
// {"state": ..., "missingChunks": [...], "detail": ...}, without the closing brace. detail may be empty.
void api0_put_state(struct json_writer *w, str state, const struct api0_assembly *a, str detail);

// --- builds of applications (api0_build.c)
struct api0_build {
    str name;                    // of the file that was packed, or of the archive's directory
    uint64_t from, packed, size; // of the file in the archive; of the archive
    enum { API0_BUILD_ARCHIVE, API0_BUILD_STORED, API0_BUILD_ZSTD } how;
};
int api0_build_read(struct artifacts *artifacts, const uint8_t digest[ARTIFACT_DIGEST], struct arena *arena,
                    struct api0_build *ret, struct err *err);
// Where its file is.
str api0_build_url(struct api_call *call, const struct release_upload *upload);

// --- links and keys that open without a token (api0_ticket.c)
// Opens `what` for so long, to whoever has it: "EXPIRES-MAC", in hex. ptr NULL: out of memory.
str api0_ticket(struct api_call *call, str what, int64_t ttl_ns);
bool api0_ticket_ok(struct api_call *call, str what, str ticket);

// --- images (api0_object.c)
// For the project's objects: see api0_ticket().
str api0_object_ticket(struct api_call *call, uint32_t project, int64_t ttl_ns);
// Does the request have a ticket for the objects that its path names? Of its head alone.
bool api0_object_known(struct api_call *call);
// One of a project's images, of a snapshot or of none yet. ERR_NOENT.
int api0_object_find(struct api_call *call, uint32_t project, str hash, struct artifact *ret_image, struct err *err);

// --- snapshots of images (api0_images.c)
struct image_manifest;
// Those of a project that are still kept, newest first.
int api0_images_of(struct api_call *call, int64_t project, struct release_upload **ret_list, size_t *ret_n,
                   struct err *err);
int api0_images_read(struct api_call *call, const struct release_upload *upload, struct image_manifest *ret,
                     struct err *err);
// What it is compared with: of the same application, made before it, whole. ptr NULL in *ret: there is none.
const struct release_upload *api0_images_base(struct api_call *call, const struct release_upload *list, size_t n,
                                              const struct release_upload *upload);
int api0_images_drop(struct api_call *call, const struct release_upload *upload, struct err *err);

// --- what was uploaded (api0_upload.c)
// The upload of that kind whose number is the path's second segment, of a project that the caller may see. false: answered.
bool api0_upload_of(struct api_call *call, enum release_upload_kind kind, const char *what,
                    struct release_upload *ret_upload);
// What a build says of where it comes from (commit, branch, pull request ...): those members of `in` that are known, texts cut.
void api0_upload_put_words(struct json_writer *w, const struct json_node *in);
// The same read back, for our own API.
void api_put_origin(struct json_writer *w, const struct json_node *words);
// A reference of its own for each release and dist, so that one of them can go.
str api0_upload_type(struct api_call *call, int64_t release, str dist);
// Puts what `writer` holds, which is taken in any case, or `content` when there is none, as `ref`; sets the upload's artifact
// and digest. Nothing is left of what fails.
int api0_upload_store(struct api_call *call, struct artifact_writer *writer, bytes content, const struct artifact *ref,
                      struct release_upload *upload, struct err *err);
// Makes known what is stored; what fails is let go.
int api0_upload_put(struct api_call *call, struct release_upload *upload, struct err *err);
// Lets the bytes go, and what is known of them.
int api0_upload_drop(struct api_call *call, const struct release_upload *upload, struct err *err);
// All uploads of a release, before it is deleted.
int api0_uploads_drop(struct api_call *call, const struct release *release, struct err *err);
