// Code mappings: from what frames say to files of repositories.
#include "owners/code_path.h"
#include "owners/owners_internal.h"

struct mapping {
    const struct meta_mapping *list;
    size_t n;
    struct arena *arena;
};

// The longest stack roots stand first; of several modules with one root, each is possible.
static int frame_map(const struct mapping *m, struct sentry_frame *f)
{
    struct sentry_code found[CODE_PATH_MAPPED], *own;
    uint32_t n = 0;
    for (size_t i = 0; i < m->n && n < CODE_PATH_MAPPED; i++) {
        str path;
        int r = code_path_mapped(f, m->list[i].stack_root, m->list[i].source_root, m->arena, &path);
        if (r < 0)
            return r;
        if (path.len)
            found[n++] = (struct sentry_code){ m->list[i].repository, m->list[i].branch, path };
    }
    if (n == 0)
        return 0;
    if (!(own = arena_alloc_array(m->arena, n, sizeof *own)))
        return ERR_NOMEM;
    memcpy(own, found, n * sizeof *own);
    f->code = own;
    f->code_n = n;
    return 0;
}

static int stack_map(const struct mapping *m, const struct sentry_stack *s)
{
    int r = 0;
    for (uint32_t i = 0; i < s->n && r == 0; i++)
        r = frame_map(m, &s->frames[i]);
    return r;
}

int mappings_apply(struct meta *meta, int64_t project, const struct sentry_event *e, struct arena *arena,
                   struct err *err)
{
    struct meta_mapping *list;
    struct mapping m = { .arena = arena };
    int r = meta_mapping_list(meta, project, arena, &list, &m.n, err);
    if (r < 0 || m.n == 0)
        return r;
    m.list = list;
    for (uint32_t i = 0; i < e->exceptions_n && r == 0; i++)
        r = stack_map(&m, &e->exceptions[i].stack);
    if (r == 0)
        r = stack_map(&m, &e->stack);
    return r < 0 ? err_set(err, r, "memory", "out of memory") : 0;
}
