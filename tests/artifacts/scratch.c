#include "scratch.h"

#include "base/hash.h"
#include "base/must.h"
#include "disk_fault.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void scratch_reopen(struct scratch *s)
{
    struct err err = { 0 };
    artifacts_close(s->artifacts);
    s->artifacts = NULL;
    if (artifacts_open(&s->options, &s->artifacts, &err) < 0) {
        fprintf(stderr, "artifacts_open: %s\n", err.message);
        abort();
    }
}

void scratch_open(struct scratch *s)
{
    memset(s, 0, sizeof *s);
    snprintf(s->dir, sizeof s->dir, "/tmp/clew-test-artifacts-XXXXXX");
    must(mkdtemp(s->dir) != NULL);
    must(disk_open_root(s->dir, &s->real) == 0 && disk_fault_new(s->real, &s->disk) == 0);
    s->options = (struct artifacts_options){ .data = s->dir, .disk = s->disk, .manual = true };
    arena_init(&s->arena, 64 << 20);
    scratch_reopen(s);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw) { return remove(path); }

void scratch_close(struct scratch *s)
{
    artifacts_close(s->artifacts);
    disk_free(s->disk);
    disk_free(s->real);
    arena_free(&s->arena);
    nftw(s->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static unsigned files;
static int count_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    files += type == FTW_F;
    return 0;
}

unsigned scratch_files(struct scratch *s)
{
    char path[96];
    snprintf(path, sizeof path, "%s/artifacts", s->dir);
    files = 0;
    nftw(path, count_one, 8, FTW_PHYS);
    return files;
}

uint8_t *scratch_content(size_t n, bool packs, uint64_t seed)
{
    uint8_t *p = malloc(n ? n : 1);
    must(p != NULL);
    for (size_t i = 0; i < n; i++)
        p[i] = packs ? (uint8_t)("{\"a\":1},"[i % 8] + (i % 64 == 0 ? (int)(seed & 7) : 0))
                     : (uint8_t)hash64_int(seed * 1000003 + i);
    return p;
}
