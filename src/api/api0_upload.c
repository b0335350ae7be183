// What Sentry's tools upload, however it came: its bytes are stored, made known, and let go.
#include "api/api0_upload.h"

#include "base/numfmt.h"

#include <string.h>

enum { WORD_MAX = 4 << 10 };

// What of a request is kept beside the bytes.
static const str told[] = {
    STR_INIT("head_sha"),       STR_INIT("base_sha"),  STR_INIT("provider"),
    STR_INIT("head_repo_name"), STR_INIT("head_ref"),  STR_INIT("base_repo_name"),
    STR_INIT("base_ref"),       STR_INIT("pr_number"), STR_INIT("build_configuration"),
    STR_INIT("release_notes"),
};

void api0_upload_put_words(struct json_writer *w, const struct json_node *in)
{
    int64_t number;
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        const struct json_node *member = json_get(in, told[i]);
        if (json_is(member, JSON_STRING) && member->text.len)
            api0_put_text(w, told[i], str_slice(member->text, 0, WORD_MAX));
        else if (json_is(member, JSON_NUMBER) && json_int_of(member, &number))
            api0_put_int(w, told[i], number);
    }
}

void api_put_origin(struct json_writer *w, const struct json_node *words)
{
    int64_t request;
    api_put_text(w, STR("commit"), json_get_text(words, STR("head_sha")));
    api_put_text(w, STR("branch"), json_get_text(words, STR("head_ref")));
    api_put_text(w, STR("repository"), json_get_text(words, STR("head_repo_name")));
    api_put_text(w, STR("base_commit"), json_get_text(words, STR("base_sha")));
    api_put_text(w, STR("base_branch"), json_get_text(words, STR("base_ref")));
    if (json_int_of(json_get(words, STR("pr_number")), &request))
        api0_put_int(w, STR("pull_request"), request);
}

bool api0_upload_of(struct api_call *call, enum release_upload_kind kind, const char *what, struct release_upload *ret)
{
    struct meta_project *projects;
    struct release_upload *list;
    struct err err;
    size_t projects_n, n;
    uint64_t id;
    if (!api0_projects(call, &projects, &projects_n))
        return false;
    for (size_t i = 0; i < projects_n && parse_u64(call->params[1], &id); i++) {
        if (releases_uploads(call->api->options.releases, (uint32_t)projects[i].id, kind, 0, (str){ 0 }, (str){ 0 },
                             &call->req->arena, &list, &n, &err) < 0) {
            api0_reply_err(call->req, &err);
            return false;
        }
        for (size_t k = 0; k < n; k++)
            if ((uint64_t)list[k].id == id) {
                *ret = list[k];
                return true;
            }
    }
    api0_error(call->req, 404, "The requested resource does not exist: there is no such %s", what);
    return false;
}

str api0_upload_type(struct api_call *call, int64_t release, str dist)
{
    return arena_printf(&call->req->arena, "%lld %.*s", (long long)release, STR_ARG(dist));
}

int api0_upload_store(struct api_call *call, struct artifact_writer *writer, bytes content, const struct artifact *ref,
                      struct release_upload *u, struct err *err)
{
    struct artifacts *artifacts = call->api->options.artifacts;
    struct artifact stored;
    int rc = writer ? artifact_writer_put_take(writer, ref, &u->artifact, err)
                    : artifact_put(artifacts, ref, content, &u->artifact, err);
    if (rc < 0)
        return rc;
    rc = artifact_find(artifacts, u->artifact, &call->req->arena, &stored, err);
    if (rc == 0)
        memcpy(u->digest, stored.digest, ARTIFACT_DIGEST);
    else
        artifact_unref(artifacts, u->artifact, NULL);
    return rc;
}

int api0_upload_put(struct api_call *call, struct release_upload *u, struct err *err)
{
    int rc = releases_upload_put(call->api->options.releases, u, err);
    if (rc < 0)
        artifact_unref(call->api->options.artifacts, u->artifact, NULL);
    return rc;
}

int api0_upload_drop(struct api_call *call, const struct release_upload *u, struct err *err)
{
    int rc = symbols_remove(call->api->options.symbols, u->project, u->digest, u->name, err);
    if (rc == 0 || rc == ERR_NOENT)
        rc = releases_upload_remove(call->api->options.releases, u->id, err);
    if (rc == 0)
        rc = artifact_unref(call->api->options.artifacts, u->artifact, err);
    return rc == ERR_NOENT ? 0 : rc;
}
