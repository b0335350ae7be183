// What Sentry's tools upload, however it came: its bytes are stored, made known, and let go.
#include "api/api0_upload.h"

#include <string.h>

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
