// Files of a project as its repositories on this machine have them.
#include "api/api_internal.h"

#include "base/hex.h"
#include "base/must.h"

#include <openssl/evp.h>

enum { PATH_TEXT_MAX = 1024, RELEASE_TEXT = 512 };

struct question {
    struct meta_project project;
    str path, release;
};

static bool question_read(struct api_call *call, struct question *q)
{
    if (!api_project_of_path(call, &q->project) || !api_param(call, STR("path"), &q->path) ||
        !api_param(call, STR("release"), &q->release))
        return false;
    if (q->path.len > PATH_TEXT_MAX || q->release.len > RELEASE_TEXT) {
        api_reply_error(call->req, 400, "bad_argument", "say a path of at most %d bytes, and a release of at most %d",
                        PATH_TEXT_MAX, RELEASE_TEXT);
        return false;
    }
    if (call->api->options.owners)
        return true;
    api_reply_error(call->req, 404, "no_repository", "this server reads no repositories");
    return false;
}

static void put_place(struct json_writer *w, const struct owners_place *p)
{
    api_put_text(w, STR("commit"), p->commit);
    json_put_key(w, STR("exact"));
    json_put_bool(w, p->exact);
}

void api_source_file(struct api_call *call)
{
    struct question q;
    struct owners_file f;
    struct json_writer w;
    struct buf body;
    struct err err = { 0 };
    unsigned char digest[EVP_MAX_MD_SIZE];
    char hash[2 * EVP_MAX_MD_SIZE];
    unsigned n = 0;
    if (!question_read(call, &q))
        return;
    if (!q.path.len) {
        api_reply_error(call->req, 400, "bad_argument", "say path=FILE");
        return;
    }
    if (owners_file(call->api->options.owners, (uint32_t)q.project.id, q.path, q.release, &call->req->arena, &f, &err) <
        0) {
        api_reply_err(call->req, &err);
        return;
    }
    must(EVP_Digest(f.text.ptr, f.text.len, digest, &n, EVP_sha256(), NULL) == 1);
    hex_encode(hash, digest, n);
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    put_place(&w, &f.place);
    api_put_text(&w, STR("path"), f.path);
    json_put_key(&w, STR("text"));
    json_put_str(&w, f.text);
    api_put_text(&w, STR("hash"), str_of(hash, 2 * n));
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

// A project without a repository is no fault: pages ask before they offer one.
void api_source_files(struct api_call *call)
{
    struct question q;
    struct owners_entries found = { 0 };
    struct json_writer w;
    struct buf body;
    struct err err = { 0 };
    if (!question_read(call, &q))
        return;
    int r = owners_entries(call->api->options.owners, (uint32_t)q.project.id, q.path, q.release, &call->req->arena,
                           &found, &err);
    if (r < 0 && (q.path.len || !str_eq(str_z(err.slug), STR("no_repository")))) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    if (found.place.commit.len)
        put_place(&w, &found.place);
    json_put_key(&w, STR("entries"));
    json_put_array(&w);
    for (size_t i = 0; i < found.n; i++) {
        json_put_object(&w);
        json_put_key(&w, STR("name"));
        json_put_str(&w, found.list[i].name);
        json_put_key(&w, STR("path"));
        json_put_str(&w, found.list[i].path);
        json_put_key(&w, STR("dir"));
        json_put_bool(&w, found.list[i].dir);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    json_put_key(&w, STR("more"));
    json_put_bool(&w, found.more);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}
