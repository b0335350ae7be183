// Debug files (dSYM, ELF, PDB, ProGuard mappings, source bundles): kept and listed.
#include "api/api0_upload.h"

#include "api/api0_zip.h"
#include "base/hex.h"
#include "net/multipart.h"
#include "symbols/bundle.h"

#include <stdio.h>

enum { DEBUG_FILES_REQUEST = 1000, DEBUG_ID_HEX = 32, DEBUG_ID_MAX = 45 };

// "6f3e...-...", 32 hex digits with dashes and perhaps an age behind them: clients refuse to read anything else.
static bool debug_id_ok(str id)
{
    size_t digits = 0;
    for (size_t i = 0; i < id.len; i++)
        if (hex_digit(id.ptr[i]) >= 0)
            digits++;
        else if (id.ptr[i] != '-')
            return false;
    return digits >= DEBUG_ID_HEX && id.len <= DEBUG_ID_MAX;
}

// Of the request; of a ProGuard mapping, whose content has none, its name: "/proguard/UUID.txt".
static str debug_id_of(str id, str name)
{
    if (debug_id_ok(id))
        return id;
    size_t at = name.len;
    while (at > 0 && name.ptr[at - 1] != '/')
        at--;
    str base = str_slice(name, at, name.len);
    ptrdiff_t dot = str_find_char(base, '.', 0);
    base = dot < 0 ? base : str_slice(base, 0, (size_t)dot);
    return debug_id_ok(base) ? base : (str){ 0 };
}

// What the first bytes say.
static str arch_of(const uint8_t *p, size_t n)
{
    enum { ELF_MACHINE = 18, MACHO_CPU = 4 };
    if (n >= 20 && memcmp(p,
                          "\x7f"
                          "ELF",
                          4) == 0)
        switch (le16_get(p + ELF_MACHINE)) {
        case 3:
            return STR("x86");
        case 40:
            return STR("arm");
        case 62:
            return STR("x86_64");
        case 183:
            return STR("arm64");
        default:
            return STR("unknown");
        }
    if (n >= 8 && (le32_get(p) == 0xfeedfacf || le32_get(p) == 0xfeedface))
        switch (le32_get(p + MACHO_CPU)) {
        case 7:
            return STR("x86");
        case 12:
            return STR("arm");
        case 0x01000007:
            return STR("x86_64");
        case 0x0100000c:
            return STR("arm64");
        default:
            return STR("unknown");
        }
    return STR("any");
}

static void put_debug(struct json_writer *w, const struct release_upload *u)
{
    json_put_object(w);
    api0_put_id(w, STR("id"), u->id);
    api0_put_known(w, STR("uuid"), u->debug_id);
    api0_put_known(w, STR("debugId"), u->debug_id);
    api0_put_text(w, STR("objectName"), u->name);
    api0_put_text(w, STR("cpuName"), u->arch);
    api0_put_text(w, STR("symbolType"), STR("unknown"));
    json_put_key(w, STR("headers"));
    json_put_object(w);
    api0_put_text(w, STR("Content-Type"), STR("application/octet-stream"));
    json_put_object_end(w);
    api0_put_int(w, STR("size"), u->size);
    api0_put_text(w, STR("sha1"), u->sha1);
    api0_put_time(w, STR("dateCreated"), u->created);
    json_put_key(w, STR("data"));
    json_put_object(w);
    json_put_object_end(w);
    json_put_object_end(w);
}

static int find(struct api_call *call, uint32_t project, str sha1, struct release_upload **ret_list, size_t *ret_n,
                struct err *err)
{
    return releases_uploads(call->api->options.releases, project, RELEASE_UPLOAD_DEBUG, 0, sha1, (str){ 0 },
                            &call->req->arena, ret_list, ret_n, err);
}

static int keep(struct api_call *call, uint32_t project, const struct json_node *in, struct api0_assembly *a,
                struct release_upload *u, struct err *err)
{
    struct artifact ref = { .project = project, .kind = ARTIFACT_DEBUG_FILE, .name = a->checksum };
    *u = (struct release_upload){ .project = project,
                                  .kind = RELEASE_UPLOAD_DEBUG,
                                  .name = json_get_text(in, STR("name")),
                                  .sha1 = a->checksum,
                                  .debug_id =
                                      debug_id_of(json_get_text(in, STR("debug_id")), json_get_text(in, STR("name"))),
                                  .arch = arch_of(a->head, a->head_n),
                                  .size = (int64_t)a->size };
    int rc = api0_upload_store(call, a->writer, (bytes){ 0 }, &ref, u, err);
    a->writer = NULL;
    return rc == 0 ? api0_upload_put(call, u, err) : rc;
}

// One member of the request. false: answered.
static bool assemble_one(struct api_call *call, uint32_t project, const struct json_node *in, struct json_writer *w)
{
    struct release_upload *known, made;
    struct api0_assembly a;
    struct err err = { 0 };
    size_t n;
    if (!api0_assembly_read(call, in->key, in, &a))
        return false;
    int rc = find(call, project, a.checksum, &known, &n, &err);
    bool there = rc == 0 && n;
    if (rc == 0 && !there)
        rc = api0_assemble(call, false, &a, &err);
    if (rc == 0 && !there && !a.missing_n)
        rc = keep(call, project, in, &a, known = &made, &err);
    bool done = rc == 0 && !a.missing_n, wrong = rc == ERR_MALFORMED || rc == ERR_LIMIT;
    api0_assembly_free(&a);
    if (rc < 0 && !wrong) {
        api0_reply_err(call->req, &err);
        return false;
    }
    json_put_key(w, in->key);
    api0_put_state(w,
                   done    ? STR("ok")
                   : wrong ? STR("error")
                           : STR("not_found"),
                   &a, wrong ? str_z(err.message) : (str){ 0 });
    json_put_key(w, STR("dif"));
    if (done)
        put_debug(w, &known[0]);
    else
        json_put_null(w);
    json_put_object_end(w);
    return true;
}

void api0_debug_assemble(struct api_call *call)
{
    const struct json_node *in;
    struct meta_project p;
    struct json_writer w;
    struct buf body;
    if (!api0_project(call, call->params[1], &p) || !api0_body(call, &in))
        return;
    if (!json_is(in, JSON_OBJECT) || in->n > DEBUG_FILES_REQUEST) {
        api0_error(call->req, 400, "The body is an object of at most %d checksums", DEBUG_FILES_REQUEST);
        return;
    }
    api0_begin(&w, &body);
    json_put_object(&w);
    for (const struct json_node *f = in->first; f; f = f->next)
        if (!assemble_one(call, (uint32_t)p.id, f, &w)) {
            buf_free(&body);
            return;
        }
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

// One file of an archive, unless the project has it.
static int add_entry(struct api_call *call, uint32_t project, str name, bytes content, struct release_upload *u,
                     struct err *err)
{
    struct release_upload *known;
    struct artifact ref = { .project = project, .kind = ARTIFACT_DEBUG_FILE };
    char *hex = arena_alloc(&call->req->arena, RELEASE_SHA1_HEX);
    size_t n;
    if (!hex)
        return err_set(err, ERR_NOMEM, NULL, "out of memory");
    api0_sha1_of(content, hex);
    ref.name = str_of(hex, RELEASE_SHA1_HEX);
    int rc = find(call, project, ref.name, &known, &n, err);
    if (rc < 0 || n) {
        if (rc == 0)
            *u = known[0];
        return rc;
    }
    *u = (struct release_upload){ .project = project,
                                  .kind = RELEASE_UPLOAD_DEBUG,
                                  .name = name,
                                  .sha1 = ref.name,
                                  .debug_id = debug_id_of((str){ 0 }, name),
                                  .arch = arch_of(content.ptr, content.len),
                                  .size = (int64_t)content.len };
    rc = api0_upload_store(call, NULL, content, &ref, u, err);
    return rc == 0 ? api0_upload_put(call, u, err) : rc;
}

static int add_entries(struct api_call *call, uint32_t project, bytes zip, struct json_writer *w, struct err *err)
{
    struct bundle_reader *reader;
    struct release_upload u;
    struct api0_zip z;
    struct buf content;
    str name;
    size_t n = 0;
    int rc = api0_zip_begin(&z, zip);
    if (rc < 0)
        return err_set(err, rc, "no_archive", "it is no zip archive");
    if ((rc = bundle_reader_open(zip, &reader, err)) < 0)
        return rc;
    buf_init(&content, API0_BUNDLE_MAX);
    while (rc == 0 && (rc = api0_zip_next(&z, &name)) == 1) {
        buf_clear(&content);
        rc = n++ < DEBUG_FILES_REQUEST ? 0 : err_set(err, ERR_LIMIT, "too_many", "the archive has too many files");
        if (rc == 0)
            rc = bundle_reader_read(reader, name, API0_BUNDLE_MAX - 1, &content, err);
        if (rc == 0)
            rc = add_entry(call, project, name, buf_bytes(&content), &u, err);
        if (rc == 0)
            put_debug(w, &u);
    }
    if (rc == ERR_MALFORMED && !err->message[0])
        err_set(err, rc, "no_archive", "the archive's directory is damaged");
    buf_free(&content);
    bundle_reader_close(reader);
    return rc;
}

// An archive of them, in the part `file` of a form: the way before chunks.
void api0_debug_add(struct api_call *call)
{
    struct meta_project p;
    struct multipart m;
    struct multipart_part part;
    struct json_writer w;
    struct err err = { 0 };
    struct buf body;
    if (!api0_project(call, call->params[1], &p))
        return;
    int rc = multipart_begin(&m, http_request_header(call->req, STR("content-type")), call->req->body);
    while (rc == 0 && (rc = multipart_next(&m, &part)) == 1 && !str_eq(part.name, STR("file")))
        rc = 0;
    if (rc != 1) {
        api0_error(call->req, 400, "The body is no form with a file");
        return;
    }
    api0_begin(&w, &body);
    json_put_array(&w);
    rc = add_entries(call, (uint32_t)p.id, part.content, &w, &err);
    json_put_array_end(&w);
    if (rc == 0) {
        api_reply_json_take(call->req, 200, &body);
        return;
    }
    buf_free(&body);
    api0_reply_err(call->req, &err);
}

// Parameters debug_id and query (a part of the name, or an id).
void api0_debug_list(struct api_call *call)
{
    struct meta_project p;
    struct release_upload *list;
    struct api0_page page;
    struct json_writer w;
    struct err err;
    struct buf body;
    size_t n, kept = 0;
    str id, query;
    if (!api0_page_read(call, 100, &page) || !api0_param(call, STR("debug_id"), &id) ||
        !api0_param(call, STR("query"), &query) || !api0_project(call, call->params[1], &p))
        return;
    if (find(call, (uint32_t)p.id, (str){ 0 }, &list, &n, &err) < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    for (size_t i = 0; i < n; i++)
        if ((!id.len || str_ieq(id, list[i].debug_id)) &&
            (!query.len || str_find(list[i].name, query) >= 0 || str_ieq(query, list[i].debug_id)))
            list[kept++] = list[i];
    api0_begin(&w, &body);
    json_put_array(&w);
    for (size_t i = page.at; i < kept && i < page.at + page.n; i++)
        put_debug(&w, &list[i]);
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, kept, &body);
}

// Which of these are not here: ?checksums=...&checksums=...
void api0_debug_unknown(struct api_call *call)
{
    struct meta_project p;
    struct release_upload *list;
    struct json_writer w;
    struct err err;
    struct buf body;
    str name, value;
    size_t n, at = 0;
    int rc = 0;
    if (!api0_project(call, call->params[1], &p))
        return;
    api0_begin(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("missing"));
    json_put_array(&w);
    while (rc == 0 && http_query_next(&call->req->arena, call->req->query, &at, &name, &value, &rc))
        if (str_eq(name, STR("checksums")) && (rc = find(call, (uint32_t)p.id, value, &list, &n, &err)) == 0 && n == 0)
            json_put_str(&w, value);
    json_put_array_end(&w);
    json_put_object_end(&w);
    if (rc == 0) {
        api_reply_json_take(call->req, 200, &body);
        return;
    }
    buf_free(&body);
    api0_error(call->req, 400, "The parameters of the URL are not well formed");
}

void api0_debug_remove(struct api_call *call)
{
    struct meta_project p;
    struct release_upload *list;
    struct err err;
    str id;
    size_t n;
    uint64_t found = 0;
    if (!api0_param(call, STR("id"), &id) || !api0_project(call, call->params[1], &p))
        return;
    int rc = find(call, (uint32_t)p.id, (str){ 0 }, &list, &n, &err);
    for (size_t i = 0; i < n && rc == 0; i++) {
        char text[24];
        if (!str_eq(id, str_of(text, (size_t)snprintf(text, sizeof text, "%lld", (long long)list[i].id))))
            continue;
        rc = api0_upload_drop(call, &list[i], &err);
        found++;
    }
    if (rc < 0)
        api0_reply_err(call->req, &err);
    else if (!found)
        api0_error(call->req, 404, "The requested resource does not exist: there is no such file");
    else
        api_reply_nothing(call->req, 204);
}
