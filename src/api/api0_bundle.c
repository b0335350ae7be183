// Artifact bundles: put together, kept, and their source maps made known. With a release or with debug ids alone.
#include "api/api0_upload.h"

#include "base/mem.h"

struct assembling {
    struct meta_project *projects;
    size_t projects_n;
    str version, dist; // version empty: of no release
};

// Projects by slug or number; the old form has none and means those that have the release. false: answered.
static bool bundle_projects(struct api_call *call, const struct json_node *in, struct assembling *b)
{
    const struct json_node *list = json_get(in, STR("projects"));
    if (!json_is(list, JSON_ARRAY) || list->n == 0) {
        api0_error(call->req, 400, "projects: this field is required");
        return false;
    }
    b->projects = arena_alloc_array(&call->req->arena, list->n, sizeof *b->projects);
    if (!b->projects) {
        api0_error(call->req, 503, "out of memory");
        return false;
    }
    for (const struct json_node *p = list->first; p; p = p->next) {
        if (!api0_project(call, p->text, &b->projects[b->projects_n]))
            return false;
        if (!api0_project_of(b->projects, b->projects_n, (uint32_t)b->projects[b->projects_n].id))
            b->projects_n++;
    }
    return true;
}

// The project's release, which is made when there is none; 0 for a bundle of none.
static int release_id(struct api_call *call, uint32_t project, str version, int64_t *ret_id, struct err *err)
{
    static const struct release_change nothing;
    *ret_id = 0;
    return version.len ? release_put(call->api->options.releases, project, version, &nothing, ret_id, NULL, err) : 0;
}

// 1: the project has it, for that release.
static int is_known(struct api_call *call, uint32_t project, int64_t release, str checksum, str dist, struct err *err)
{
    struct release_upload *list;
    size_t n;
    int rc = releases_uploads(call->api->options.releases, project, RELEASE_UPLOAD_BUNDLE, release ? release : -1,
                              checksum, (str){ 0 }, &call->req->arena, &list, &n, err);
    for (size_t i = 0; i < n && rc == 0; i++)
        if (str_eq(list[i].dist, dist))
            return 1;
    return rc;
}

static bool known_everywhere(struct api_call *call, const struct assembling *b, str checksum, const int64_t *releases)
{
    struct err err;
    for (size_t i = 0; i < b->projects_n; i++)
        if (is_known(call, (uint32_t)b->projects[i].id, releases[i], checksum, b->dist, &err) != 1)
            return false;
    return true;
}

// For one project. What cannot be read is not kept.
static int add(struct api_call *call, const struct assembling *b, size_t i, int64_t release, struct api0_assembly *a,
               struct err *err)
{
    uint32_t project = (uint32_t)b->projects[i].id;
    struct artifact ref = { .project = project,
                            .kind = ARTIFACT_BUNDLE,
                            .name = a->checksum,
                            .type = api0_upload_type(call, release, b->dist) };
    struct release_upload u = { .project = project,
                                .kind = RELEASE_UPLOAD_BUNDLE,
                                .release = release,
                                .dist = b->dist,
                                .sha1 = a->checksum,
                                .size = (int64_t)a->size };
    struct symbols_upload s = { .project = project, .release = b->version, .dist = b->dist };
    // The first project takes what was written as it was put together; the others name the same content.
    int rc = api0_upload_store(call, a->writer, buf_bytes(&a->content), &ref, &u, err);
    a->writer = NULL;
    if (rc < 0)
        return rc;
    memcpy(s.digest, u.digest, ARTIFACT_DIGEST);
    rc = symbols_bundle_add(call->api->options.symbols, &s, buf_bytes(&a->content), NULL, err);
    if (rc == 0)
        return api0_upload_put(call, &u, err);
    artifact_unref(call->api->options.artifacts, u.artifact, NULL);
    return rc;
}

static int put(struct api_call *call, const struct assembling *b, const int64_t *releases, struct api0_assembly *a,
               struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < b->projects_n && rc == 0; i++) {
        rc = is_known(call, (uint32_t)b->projects[i].id, releases[i], a->checksum, b->dist, err);
        if (rc == 0)
            rc = add(call, b, i, releases[i], a, err);
        else if (rc > 0)
            rc = 0;
    }
    return rc;
}

static void reply_state(struct api_call *call, str state, const struct api0_assembly *a, str detail)
{
    struct json_writer w;
    struct buf body;
    api0_begin(&w, &body);
    api0_put_state(&w, state, a, detail);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}

static void assemble(struct api_call *call, const struct json_node *in, const struct assembling *b)
{
    struct api0_assembly a;
    struct err err = { 0 };
    int64_t *releases = arena_alloc_array(&call->req->arena, b->projects_n, sizeof *releases);
    if (!api0_assembly_read(call, json_get_text(in, STR("checksum")), in, &a))
        return;
    int rc = releases ? 0 : err_set(&err, ERR_NOMEM, NULL, "out of memory");
    for (size_t i = 0; i < b->projects_n && rc == 0; i++)
        rc = release_id(call, (uint32_t)b->projects[i].id, b->version, &releases[i], &err);
    if (rc < 0) {
        api0_reply_err(call->req, &err);
        return;
    }
    if (known_everywhere(call, b, a.checksum, releases)) {
        reply_state(call, STR("ok"), &a, (str){ 0 });
        return;
    }
    rc = api0_assemble(call, true, &a, &err);
    if (rc == 0 && !a.missing_n)
        rc = put(call, b, releases, &a, &err);
    // What is wrong with the bundle is said in the state, which ends the client's waiting; what passes is a status.
    if (rc == 0)
        reply_state(call, a.missing_n ? STR("not_found") : STR("ok"), &a, (str){ 0 });
    else if (rc == ERR_MALFORMED || rc == ERR_LIMIT || rc == ERR_UNSUPPORTED || rc == ERR_TRUNCATED)
        reply_state(call, STR("error"), &a, str_z(err.message));
    else
        api0_reply_err(call->req, &err);
    api0_assembly_free(&a);
}

void api0_bundle_assemble(struct api_call *call)
{
    const struct json_node *in;
    struct assembling b = { 0 };
    if (!api0_body(call, &in) || !bundle_projects(call, in, &b))
        return;
    b.version = json_get_text(in, STR("version"));
    b.dist = json_get_text(in, STR("dist"));
    assemble(call, in, &b);
}

// The older form: the release is in the path, and its projects are those that have it.
void api0_release_assemble(struct api_call *call)
{
    const struct json_node *in;
    struct meta_project *projects;
    struct api0_release release;
    struct assembling b = { 0 };
    size_t n;
    if (!api0_body(call, &in) || !api0_release_of(call, &projects, &n, &release))
        return;
    b.projects = arena_alloc_array(&call->req->arena, release.n, sizeof *b.projects);
    if (!b.projects) {
        api0_error(call->req, 503, "out of memory");
        return;
    }
    for (size_t i = 0; i < release.n; i++)
        b.projects[b.projects_n++] = *api0_project_of(projects, n, release.rows[i].project);
    b.version = release.rows[0].version;
    b.dist = json_get_text(in, STR("dist"));
    assemble(call, in, &b);
}
