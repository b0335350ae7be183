// Chunks: taken in under their SHA-1, kept for a day, put together when all of a file are there. A caller who is confined to a
// project finds only chunks that were sent so.
#include "api/api0_upload.h"

#include "base/clock.h"
#include "base/mem.h"
#include "net/inflate.h"
#include "net/multipart.h"

enum {
    CHUNK_DAYS = 1,
    DAY_S = 86400,
    GROUP_MAX = 16 << 20, // bytes of chunks that are stored in one transaction, and held inflated until then
};

void api0_chunk_options(struct api_call *call)
{
    static const str accept[] = { STR_INIT("debug_files"),
                                  STR_INIT("release_files"),
                                  STR_INIT("pdbs"),
                                  STR_INIT("sources"),
                                  STR_INIT("bcsymbolmaps"),
                                  STR_INIT("il2cpp"),
                                  STR_INIT("portablepdbs"),
                                  STR_INIT("proguard"),
                                  STR_INIT("dartsymbolmap"),
                                  STR_INIT("artifact_bundles"),
                                  STR_INIT("artifact_bundles_v2"),
                                  STR_INIT("preprod_artifacts") };
    struct http_request *req = call->req;
    struct json_writer w;
    struct buf body;
    api0_begin(&w, &body);
    json_put_object(&w);
    api0_put_text(&w, STR("url"),
                  arena_printf(&req->arena, "%.*s://%.*s/api/0/organizations/clew/chunk-upload/", STR_ARG(req->scheme),
                               STR_ARG(req->host)));
    api0_put_int(&w, STR("chunkSize"), API0_CHUNK_BYTES);
    api0_put_int(&w, STR("chunksPerRequest"), API0_CHUNKS_REQUEST);
    api0_put_int(&w, STR("maxFileSize"), API0_FILE_MAX);
    api0_put_int(&w, STR("maxRequestSize"), API0_REQUEST_MAX - (1 << 20));
    api0_put_int(&w, STR("concurrency"), 4);
    api0_put_text(&w, STR("hashAlgorithm"), STR("sha1"));
    json_put_key(&w, STR("compression"));
    json_put_array(&w);
    json_put_str(&w, STR("gzip"));
    json_put_array_end(&w);
    json_put_key(&w, STR("accept"));
    json_put_array(&w);
    for (size_t i = 0; i < sizeof accept / sizeof accept[0]; i++)
        json_put_str(&w, accept[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(req, 200, &body);
}

// One part: inflated into `plain` when it came compressed, compared with its name. false: answered.
static bool take_part(struct api_call *call, const struct multipart_part *part, size_t *left, struct buf *plain,
                      struct artifact_item *item)
{
    char sha1[RELEASE_SHA1_HEX];
    bool gzip = str_eq(part->name, STR("file_gzip"));
    if (!gzip && !str_eq(part->name, STR("file"))) {
        api0_error(call->req, 400, "There is a part that is neither file nor file_gzip");
        return false;
    }
    bytes content = part->content;
    if (gzip) {
        buf_init(plain, *left < API0_CHUNK_BYTES ? *left : API0_CHUNK_BYTES);
        int rc = net_inflate(NET_CODING_GZIP, part->content, plain);
        if (rc < 0) {
            api0_error(call->req,
                       rc == ERR_LIMIT   ? 413
                       : rc == ERR_NOMEM ? 503
                                         : 400,
                       "A chunk %s",
                       rc == ERR_LIMIT ? "is longer than chunkSize, or all of them than they may be"
                                       : "cannot be inflated");
            return false;
        }
        content = buf_bytes(plain);
    }
    *left -= content.len < *left ? content.len : *left;
    if (content.len > API0_CHUNK_BYTES) {
        api0_error(call->req, 413, "A chunk is longer than chunkSize");
        return false;
    }
    api0_sha1_of(content, sha1);
    if (!str_eq(part->filename, str_of(sha1, sizeof sha1))) {
        api0_error(call->req, 400, "A chunk's name is not its checksum");
        return false;
    }
    item->ref = (struct artifact){ .project = (uint32_t)call->caller.project,
                                   .kind = ARTIFACT_CHUNK,
                                   .name = part->filename,
                                   .expires = clock_unix_ns() + (int64_t)CHUNK_DAYS * DAY_S * NS_PER_S };
    item->content = content;
    return true;
}

struct group {
    struct artifact_item items[API0_CHUNKS_REQUEST];
    struct buf plain[API0_CHUNKS_REQUEST];
    size_t n, bytes;
};

static void group_clear(struct group *g)
{
    for (size_t i = 0; i < g->n; i++)
        buf_free(&g->plain[i]);
    g->n = g->bytes = 0;
}

// false: answered.
static bool group_store(struct api_call *call, struct group *g)
{
    struct err err;
    int rc = g->n ? artifact_put_all(call->api->options.artifacts, g->items, g->n, &err) : 0;
    group_clear(g);
    if (rc < 0)
        api0_reply_err(call->req, &err);
    return rc == 0;
}

void api0_chunk_upload(struct api_call *call)
{
    struct group g = { .n = 0 };
    struct multipart m;
    struct multipart_part part;
    size_t n = 0, left = API0_INFLATED_MAX;
    bool answered = true;
    int rc = multipart_begin(&m, http_request_header(call->req, STR("content-type")), call->req->body);
    while (rc == 0 && (rc = multipart_next(&m, &part)) == 1) {
        if (n == API0_CHUNKS_REQUEST) {
            api0_error(call->req, 400, "There are more chunks than chunksPerRequest");
            goto out;
        }
        g.n++; // whatever of it is held is let go with the group
        if (!take_part(call, &part, &left, &g.plain[g.n - 1], &g.items[g.n - 1]))
            goto out;
        n++;
        g.bytes += g.items[g.n - 1].content.len;
        if (g.bytes >= GROUP_MAX && !group_store(call, &g))
            goto out;
        rc = 0;
    }
    if (rc < 0)
        api0_error(call->req, 400, "The body is no form of chunks: %s", err_text(rc));
    else
        answered = !group_store(call, &g);
out:
    group_clear(&g);
    if (!answered)
        api_reply_nothing(call->req, 200);
}

bool api0_assembly_read(struct api_call *call, str checksum, const struct json_node *in, struct api0_assembly *ret)
{
    const struct json_node *list = json_get(in, STR("chunks"));
    if (!api0_sha1_ok(checksum) || !json_is(list, JSON_ARRAY) || list->n == 0) {
        api0_error(call->req, 400, "checksum and chunks must be SHA-1 in lower-case hex");
        return false;
    }
    if (list->n > API0_CHUNKS_FILE) {
        api0_error(call->req, 400, "There are more than %d chunks: no file may be longer than maxFileSize",
                   API0_CHUNKS_FILE);
        return false;
    }
    str *chunks = arena_alloc_array(&call->req->arena, list->n, sizeof *chunks);
    size_t n = 0;
    for (const struct json_node *c = chunks ? list->first : NULL; c; c = c->next) {
        chunks[n] = json_text_of(c);
        if (!api0_sha1_ok(chunks[n++])) {
            api0_error(call->req, 400, "chunks must be SHA-1 in lower-case hex");
            return false;
        }
    }
    if (!chunks) {
        api0_error(call->req, 503, "out of memory");
        return false;
    }
    *ret = (struct api0_assembly){ .checksum = checksum, .chunks = chunks, .chunks_n = n };
    return true;
}

// ERR_NOENT: it is not here.
static int find_chunk(struct api_call *call, str sha1, struct artifact *ret_chunk, struct err *err)
{
    uint32_t project = (uint32_t)call->caller.project;
    struct artifact_filter f = {
        .projects = &project, .projects_n = 1, .kinds = artifact_kind_bit(ARTIFACT_CHUNK), .name = sha1, .limit = 1
    };
    struct artifact *list;
    size_t n;
    int rc = artifact_list(call->api->options.artifacts, &f, &call->req->arena, &list, &n, err);
    if (rc < 0)
        return rc;
    if (n == 0)
        return ERR_NOENT;
    *ret_chunk = list[0];
    return 0;
}

// All chunks, or which are missing.
static int find_chunks(struct api_call *call, struct api0_assembly *a, struct artifact *found, struct err *err)
{
    str *missing = arena_alloc_array(&call->req->arena, a->chunks_n, sizeof *missing);
    if (!missing)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    for (size_t i = 0; i < a->chunks_n; i++) {
        int rc = find_chunk(call, a->chunks[i], &found[i], err);
        if (rc == ERR_NOENT)
            missing[a->missing_n++] = a->chunks[i];
        else if (rc < 0)
            return rc;
        a->size += rc == 0 ? found[i].size : 0;
    }
    a->missing = missing;
    return 0;
}

static int join(struct api_call *call, bool keep, struct api0_assembly *a, const struct artifact *found,
                struct api0_sha1 *sha1, struct err *err)
{
    struct artifacts *artifacts = call->api->options.artifacts;
    struct buf chunk;
    int rc = artifact_writer_open(artifacts, API0_FILE_MAX, &a->writer, err);
    buf_init(&chunk, API0_CHUNK_BYTES + 1); // artifact_load() looks one byte further
    for (size_t i = 0; i < a->chunks_n && rc == 0; i++) {
        buf_clear(&chunk);
        rc = artifact_load(artifacts, found[i].digest, API0_CHUNK_BYTES, &chunk, err);
        if (rc < 0)
            break;
        api0_sha1_add(sha1, buf_bytes(&chunk));
        if (i == 0) {
            a->head_n = chunk.len < sizeof a->head ? chunk.len : sizeof a->head;
            memcpy(a->head, chunk.ptr, a->head_n);
        }
        if (keep && buf_append(&a->content, chunk.ptr, chunk.len) < 0)
            rc = err_set(err, a->content.error, "too_long", "it is longer than %d MiB", API0_BUNDLE_MAX >> 20);
        else
            rc = artifact_writer_append(a->writer, buf_bytes(&chunk), err);
    }
    buf_free(&chunk);
    return rc;
}

int api0_assemble(struct api_call *call, bool keep, struct api0_assembly *a, struct err *err)
{
    char hex[RELEASE_SHA1_HEX];
    struct artifact *found = arena_alloc_array(&call->req->arena, a->chunks_n, sizeof *found);
    buf_init(&a->content, API0_BUNDLE_MAX);
    if (!found)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    int rc = find_chunks(call, a, found, err);
    if (rc < 0 || a->missing_n)
        return rc;
    struct api0_sha1 *sha1 = api0_sha1_new();
    if (!sha1)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    rc = join(call, keep, a, found, sha1, err);
    api0_sha1_end_take(sha1, hex);
    if (rc == 0 && !str_eq(str_of(hex, sizeof hex), a->checksum))
        rc = err_set(err, ERR_MALFORMED, "checksum", "Reported checksum mismatch");
    return rc;
}

void api0_assembly_free(struct api0_assembly *a)
{
    artifact_writer_abort_take(a->writer);
    a->writer = NULL;
    buf_free(&a->content);
}

void api0_put_state(struct json_writer *w, str state, const struct api0_assembly *a, str detail)
{
    json_put_object(w);
    api0_put_text(w, STR("state"), state);
    json_put_key(w, STR("missingChunks"));
    json_put_array(w);
    for (size_t i = 0; i < a->missing_n; i++)
        json_put_str(w, a->missing[i]);
    json_put_array_end(w);
    api0_put_known(w, STR("detail"), detail);
}
