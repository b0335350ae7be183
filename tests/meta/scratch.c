#include "scratch.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void scratch_must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "scratch: %s\n", what);
    abort();
}

void scratch_open(struct scratch *s)
{
    struct err err;
    memset(s, 0, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/clew-meta-XXXXXX");
    scratch_must(mkdtemp(s->dir) != NULL, "mkdtemp");
    scratch_must(meta_open(s->dir, true, &s->meta, &err) == 0, "meta_open");
}

void scratch_reopen(struct scratch *s)
{
    struct err err;
    meta_close(s->meta);
    s->meta = NULL;
    scratch_must(meta_open(s->dir, false, &s->meta, &err) == 0, "meta_open again");
}

void scratch_close(struct scratch *s)
{
    static const char *const names[] = { "meta.db", "meta.db-wal", "meta.db-shm" };
    char path[128];
    meta_close(s->meta);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", s->dir, names[i]);
        unlink(path);
    }
    scratch_must(rmdir(s->dir) == 0, "something was left in the directory");
}

bool scratch_try_sql(const struct scratch *s, const char *sql)
{
    sqlite3 *db;
    char path[128];
    snprintf(path, sizeof path, "%s/meta.db", s->dir);
    scratch_must(sqlite3_open(path, &db) == SQLITE_OK, "open behind the back");
    bool ok = sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
    scratch_must(sqlite3_close(db) == SQLITE_OK, "close behind the back");
    return ok;
}

void scratch_sql(const struct scratch *s, const char *sql) { scratch_must(scratch_try_sql(s, sql), sql); }
