// Tables of artifacts.db. docs/formats.md says what they hold.
#include "artifacts/artifacts_internal.h"

static const char *const versions[] = {
    "CREATE TABLE blob (id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, size BIGINT NOT NULL,"
    " stored BIGINT NOT NULL, refs BIGINT NOT NULL);"
    "CREATE INDEX blob_unreferenced ON blob (id) WHERE refs = 0;"
    "CREATE TABLE artifact (id INTEGER PRIMARY KEY AUTOINCREMENT, project BIGINT NOT NULL, kind INTEGER NOT NULL,"
    " blob BIGINT NOT NULL REFERENCES blob (id), name TEXT NOT NULL, content_type TEXT NOT NULL, type TEXT NOT NULL,"
    " event TEXT NOT NULL, replay TEXT NOT NULL, profile TEXT NOT NULL, chunk TEXT NOT NULL, segment BIGINT NOT NULL,"
    " time BIGINT NOT NULL, received BIGINT NOT NULL, expires BIGINT NOT NULL, of_records INTEGER NOT NULL,"
    " UNIQUE (blob, project, kind, event, replay, profile, chunk, segment, name));"
    "CREATE INDEX artifact_event ON artifact (event) WHERE event <> '';"
    "CREATE INDEX artifact_replay ON artifact (replay) WHERE replay <> '';"
    "CREATE INDEX artifact_profile ON artifact (profile) WHERE profile <> '';"
    "CREATE INDEX artifact_name ON artifact (kind, name);"
    "CREATE INDEX artifact_age ON artifact (of_records, received);"
    "CREATE INDEX artifact_expires ON artifact (expires) WHERE expires <> 0;"
    "CREATE TABLE artifact_trace (trace TEXT NOT NULL, artifact BIGINT NOT NULL REFERENCES artifact (id),"
    " PRIMARY KEY (trace, artifact)) WITHOUT ROWID;"
    "CREATE INDEX artifact_trace_back ON artifact_trace (artifact);"
    "CREATE TABLE feedback (id INTEGER PRIMARY KEY AUTOINCREMENT, project BIGINT NOT NULL, event TEXT NOT NULL,"
    " own TEXT NOT NULL, replay TEXT NOT NULL, trace TEXT NOT NULL, name TEXT NOT NULL, email TEXT NOT NULL,"
    " comments TEXT NOT NULL, url TEXT NOT NULL, source TEXT NOT NULL, time BIGINT NOT NULL,"
    " received BIGINT NOT NULL);"
    "CREATE INDEX feedback_event ON feedback (event, project);"
    "CREATE INDEX feedback_age ON feedback (received);",
};

int schema_apply(struct artifacts *a, struct err *err)
{
    return db_migrate(&a->writer, versions, sizeof versions / sizeof versions[0], NULL, NULL, err);
}
