// Sentry's objectstore, as far as sentry-cli uses it for images: objects named by what they hold, put one by one or in batches
// of `head` and `insert`, by who has a ticket for the project's objects (api0_images.c gives it). An object that no snapshot
// names goes after a day.
//
// A key is ORGANIZATION/PROJECT/SHA-256 of the content, which is compared with it; the scope of the path says the project too. A
// batch is multipart/form-data; what is asked stands in x-sn-batch-operation-kind and -key of each part, and each part of the answer
// says by -index which one it answers, and by -status how.
#include "api/api0_upload.h"
#include "api/image_manifest.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/numfmt.h"
#include "net/inflate.h"
#include "net/multipart.h"

#include <sodium.h>

enum {
    OPERATIONS_MAX = 1000, // of a batch; as the next one the client's own limit
    PART_MAX = 1 << 20,    // bytes of an object in a batch; longer ones come alone
    GROUP = 64,            // objects that are stored in one transaction
    GROUP_MAX = 16 << 20,  // and their bytes
    BOUNDARY_BYTES = 12,
    ANSWER_MAX = 4 << 20,
    UNNAMED_S = 86400
};

static str ticket_of(struct api_call *call, uint32_t project)
{
    return arena_printf(&call->req->arena, "objects %u", project);
}

str api0_object_ticket(struct api_call *call, uint32_t project, int64_t ttl_ns)
{
    return api0_ticket(call, ticket_of(call, project), ttl_ns);
}

// "org=1;project=N", decoded.
static bool scope_read(str scope, uint32_t *ret_project)
{
    static const str head = STR_INIT("org=1;project=");
    uint64_t project;
    if (!str_starts(scope, head) || !parse_u64(str_slice(scope, head.len, scope.len), &project) || !project ||
        project > UINT32_MAX)
        return false;
    *ret_project = (uint32_t)project;
    return true;
}

static bool has_ticket(struct api_call *call, uint32_t project)
{
    static const str bearer = STR_INIT("Bearer ");
    str auth = http_request_header(call->req, STR("x-os-auth"));
    return str_starts(auth, bearer) &&
           api0_ticket_ok(call, ticket_of(call, project), str_slice(auth, bearer.len, auth.len));
}

bool api0_object_known(struct api_call *call)
{
    uint32_t project;
    str scope;
    return http_path_decode(&call->req->arena, call->params[0], &scope) == 0 && scope_read(scope, &project) &&
           has_ticket(call, project);
}

// The project of the path, and a ticket for it. false: answered.
static bool may(struct api_call *call, uint32_t *ret_project)
{
    uint32_t project;
    if (!scope_read(call->params[0], &project)) {
        api0_error(call->req, 404, "The requested resource does not exist: a scope is org=1;project=NUMBER");
        return false;
    }
    if (!has_ticket(call, project)) {
        api0_error(call->req, 401,
                   "The ticket in x-os-auth has expired, or is not for this project: ask for the upload options again");
        return false;
    }
    *ret_project = project;
    return true;
}

// The hash of "1/PROJECT/HASH"; false: it is no key of this project's.
static bool key_read(uint32_t project, str key, str *ret_hash)
{
    ptrdiff_t first = str_find_char(key, '/', 0), second = first < 0 ? -1 : str_find_char(key, '/', (size_t)first + 1);
    uint64_t number;
    if (second < 0 || !str_eq(str_slice(key, 0, (size_t)first), STR("1")) ||
        !parse_u64(str_slice(key, (size_t)first + 1, (size_t)second), &number) || number != project)
        return false;
    *ret_hash = str_slice(key, (size_t)second + 1, key.len);
    return image_hash_ok(*ret_hash);
}

static bool content_is(bytes content, str hash)
{
    uint8_t digest[ARTIFACT_DIGEST];
    char hex[IMAGE_HASH_HEX + 1];
    artifact_digest(content, digest);
    hex_encode(hex, digest, sizeof digest);
    return str_eq(str_of(hex, IMAGE_HASH_HEX), hash);
}

static struct artifact reference(uint32_t project, str hash, bytes content)
{
    return (struct artifact){ .project = project,
                              .kind = ARTIFACT_IMAGE,
                              .name = hash,
                              .content_type = image_type(content),
                              .expires = clock_unix_ns() + UNNAMED_S * NS_PER_S };
}

int api0_object_find(struct api_call *call, uint32_t project, str hash, struct artifact *ret, struct err *err)
{
    struct artifact_filter f = {
        .projects = &project, .projects_n = 1, .kinds = artifact_kind_bit(ARTIFACT_IMAGE), .name = hash, .limit = 1
    };
    struct artifact *list;
    size_t n;
    int rc = artifact_list(call->api->options.artifacts, &f, &call->req->arena, &list, &n, err);
    if (rc < 0)
        return rc;
    if (n == 0)
        return err_set(err, ERR_NOENT, "no_image", "there is no such image");
    *ret = list[0];
    return 0;
}

// ---- batches -------------------------------------------------------------------------------------------

struct operation {
    str key; // as it was sent
    int status;
    str why;
};

struct batch {
    struct api_call *call;
    uint32_t project;
    struct operation *operations;
    size_t n;
    // Objects that are not stored yet, whose bytes are in the request or in `plain`, and whose operations they are.
    struct artifact_item items[GROUP];
    struct buf plain[GROUP];
    size_t of[GROUP];
    size_t items_n, bytes;
};

static void flush(struct batch *b)
{
    struct err err;
    int rc = artifact_put_all(b->call->api->options.artifacts, b->items, b->items_n, &err);
    str why = { 0 };
    if (rc < 0)
        arena_dup(&b->call->req->arena, str_z(api_status_of(rc) == 500 ? err_text(rc) : err.message), &why);
    for (size_t i = 0; i < b->items_n; i++) {
        b->operations[b->of[i]].status = rc < 0 ? api_status_of(rc) : 200;
        b->operations[b->of[i]].why = why;
        buf_free(&b->plain[i]);
    }
    b->items_n = b->bytes = 0;
}

static void answer(struct operation *o, int status, str why)
{
    o->status = status;
    o->why = why;
}

static void insert(struct batch *b, struct operation *o, const struct multipart_part *part, str hash)
{
    struct buf *plain = &b->plain[b->items_n];
    enum net_coding coding;
    bytes content = part->content;
    if (net_coding_of(multipart_header(part, STR("content-encoding")), &coding) < 0) {
        answer(o, 415, STR("the content has a coding that is not known here"));
        return;
    }
    if (coding != NET_CODING_IDENTITY) {
        buf_init(plain, PART_MAX);
        int rc = net_inflate(coding, part->content, plain);
        content = buf_bytes(plain);
        if (rc < 0)
            answer(o,
                   rc == ERR_LIMIT   ? 413
                   : rc == ERR_NOMEM ? 503
                                     : 400,
                   STR("the content cannot be inflated, or is too long for a batch"));
    }
    if (!o->status && content.len > PART_MAX)
        answer(o, 413, STR("the content is too long for a batch"));
    if (!o->status && !content_is(content, hash))
        answer(o, 400, STR("the content's SHA-256 is not the one in its key"));
    if (o->status) {
        buf_free(plain);
        return;
    }
    b->items[b->items_n] = (struct artifact_item){ reference(b->project, hash, content), content };
    b->of[b->items_n++] = (size_t)(o - b->operations);
    b->bytes += content.len;
    if (b->items_n == GROUP || b->bytes >= GROUP_MAX)
        flush(b);
}

static void head(struct batch *b, struct operation *o, str hash)
{
    struct arena *arena = &b->call->req->arena;
    struct arena_mark mark = arena_mark(arena);
    struct artifact found;
    struct err err;
    int rc = api0_object_find(b->call, b->project, hash, &found, &err);
    arena_rewind(arena, mark);
    answer(o, rc < 0 ? api_status_of(rc) : 200, (str){ 0 });
}

static void take(struct batch *b, const struct multipart_part *part)
{
    struct operation *o = &b->operations[b->n++];
    str kind = multipart_header(part, STR("x-sn-batch-operation-kind")), key, hash;
    o->key = multipart_header(part, STR("x-sn-batch-operation-key"));
    if (http_path_decode(&b->call->req->arena, o->key, &key) < 0 || !key_read(b->project, key, &hash)) {
        o->key = (str){ 0 };
        answer(o, 400, STR("a key is 1/PROJECT/HASH, with the scope's project and a SHA-256 in lower-case hex"));
    } else if (str_eq(kind, STR("head"))) {
        head(b, o, hash);
    } else if (str_eq(kind, STR("insert"))) {
        insert(b, o, part, hash);
    } else {
        answer(o, 403, STR("the ticket allows head and insert"));
    }
}

static void reply_batch(struct batch *b)
{
    uint8_t random[BOUNDARY_BYTES];
    char boundary[2 * BOUNDARY_BYTES + 1] = "";
    struct http_header h[API_HEADERS_MAX];
    struct buf body;
    randombytes_buf(random, sizeof random);
    hex_encode(boundary, random, sizeof random);
    buf_init(&body, ANSWER_MAX);
    for (size_t i = 0; i < b->n; i++) {
        const struct operation *o = &b->operations[i];
        buf_printf(&body, "--%s\r\nx-sn-batch-operation-index: %zu\r\nx-sn-batch-operation-status: %d %s\r\n", boundary,
                   i, o->status, http_status_text(o->status));
        if (o->key.len)
            buf_printf(&body, "x-sn-batch-operation-key: %.*s\r\n", STR_ARG(o->key));
        buf_printf(&body, "\r\n%.*s\r\n", STR_ARG(o->why));
    }
    buf_printf(&body, "--%s--\r\n", boundary);
    str type = arena_printf(&b->call->req->arena, "multipart/form-data; boundary=%s", boundary);
    if (body.error || !type.ptr) {
        buf_free(&body);
        api0_error(b->call->req, 503, "out of memory");
        return;
    }
    http_respond_take(b->call->req, 200, h, api_headers(h, type), &body);
}

void api0_object_batch(struct api_call *call)
{
    struct multipart m;
    struct multipart_part part;
    struct batch *b = arena_zalloc(&call->req->arena, sizeof *b);
    uint32_t project;
    int rc;
    if (!may(call, &project))
        return;
    struct operation *operations = arena_zalloc(&call->req->arena, OPERATIONS_MAX * sizeof *operations);
    if (!b || !operations) {
        api0_error(call->req, 503, "out of memory");
        return;
    }
    b->call = call;
    b->project = project;
    b->operations = operations;
    rc = multipart_begin(&m, http_request_header(call->req, STR("content-type")), call->req->body);
    while (rc == 0 && (rc = multipart_next(&m, &part)) == 1) {
        if (b->n == OPERATIONS_MAX) {
            rc = ERR_LIMIT;
            break;
        }
        take(b, &part);
        rc = 0;
    }
    flush(b); // what came before the fault is well formed, and named by what it holds
    if (rc == ERR_LIMIT)
        api0_error(call->req, 413, "A batch has at most %d operations", OPERATIONS_MAX);
    else if (rc < 0)
        api0_error(call->req, 400, "The body is no batch of operations: %s", err_text(rc));
    else
        reply_batch(b);
}

// ---- one ------------------------------------------------------------------------------------------------

void api0_object_put(struct api_call *call)
{
    struct json_writer w;
    struct buf body;
    struct err err;
    uint32_t project;
    str hash, key;
    if (!may(call, &project))
        return;
    key = arena_printf(&call->req->arena, "%.*s/%.*s/%.*s", STR_ARG(call->params[1]), STR_ARG(call->params[2]),
                       STR_ARG(call->params[3]));
    if (!key_read(project, key, &hash)) {
        api0_error(call->req, 400, "A key is 1/PROJECT/HASH, with the scope's project and a SHA-256 in lower-case hex");
        return;
    }
    if (!content_is(call->req->body, hash)) {
        api0_error(call->req, 400, "The content's SHA-256 is not the one in its key");
        return;
    }
    struct artifact ref = reference(project, hash, call->req->body);
    if (artifact_put(call->api->options.artifacts, &ref, call->req->body, NULL, &err) < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    api0_begin(&w, &body);
    json_put_object(&w);
    api0_put_text(&w, STR("key"), key);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}
