#include "scratch.h"

#include "base/must.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void open_it(struct releases_scratch *s)
{
    struct err err;
    struct releases_options o = { .path = s->path, .retention_ns = s->retention_ns };
    must(releases_open(&o, &s->releases, &err) == 0);
}

void releases_scratch_open(struct releases_scratch *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/clew-test-releases-XXXXXX");
    must(mkdtemp(s->dir) != NULL);
    snprintf(s->path, sizeof s->path, "%s/releases.db", s->dir);
    arena_init(&s->arena, 64 << 20);
    open_it(s);
}

void releases_scratch_reopen(struct releases_scratch *s)
{
    releases_close(s->releases);
    open_it(s);
}

void releases_scratch_close(struct releases_scratch *s)
{
    static const char *const names[] = { "releases.db", "releases.db-wal", "releases.db-shm" };
    char path[128];
    releases_close(s->releases);
    arena_free(&s->arena);
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", s->dir, names[i]);
        unlink(path);
    }
    must(rmdir(s->dir) == 0);
}

int64_t releases_scratch_put(struct releases_scratch *s, uint32_t project, const char *version, int64_t created)
{
    struct err err;
    int64_t id;
    struct release_change c = { .created = created ? &created : NULL };
    must(release_put(s->releases, project, str_z(version), &c, &id, NULL, &err) == 0);
    return id;
}
