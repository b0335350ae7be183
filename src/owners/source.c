// What the repositories on this machine say about an event's frames.
#include "base/log.h"
#include "owners/code_path.h"
#include "owners/owners_internal.h"

// ---- source lines --------------------------------------------------------------------------------------

static bool lacks_source(const struct sentry_frame *f)
{
    return f->line > 0 && f->in_app != 0 && !f->source && !json_is(json_get(f->node, STR("context_line")), JSON_STRING);
}

static size_t wanting(struct sentry_stack s, struct sentry_frame **out, size_t n)
{
    for (uint32_t i = s.n; i-- > 0 && n < REPOSITORY_FRAMES_MAX;)
        if (lacks_source(&s.frames[i]))
            out[n++] = &s.frames[i];
    return n;
}

// Of what the mappings allow, the file that there is.
static void code_choose(struct sentry_frame *f, str path, struct arena *arena)
{
    for (uint32_t i = 1; i < f->code_n; i++) {
        struct sentry_code *own = str_eq(f->code[i].path, path) ? arena_alloc(arena, sizeof *own) : NULL;
        if (own) {
            *own = f->code[i];
            f->code = own;
            f->code_n = 1;
        }
    }
}

static int give_source(const struct checkout *c, struct sentry_frame **frames, size_t n, struct arena *arena,
                       struct err *err)
{
    struct code_file files[REPOSITORY_FRAMES_MAX];
    int r = checkout_files(c, (const struct sentry_frame *const *)frames, n, arena, files, err);
    for (size_t i = 0; i < n && r == 0; i++) {
        struct sentry_lines source;
        if (!files[i].path.len)
            continue;
        code_choose(frames[i], files[i].path, arena);
        r = checkout_lines(c, &files[i], frames[i]->line, arena, &source, err);
        struct sentry_lines *own = r == 0 ? arena_alloc(arena, sizeof *own) : NULL;
        if (r == 0 && !own)
            r = ERR_NOMEM;
        if (r == ERR_NOENT)
            r = 0;
        if (own) {
            *own = source;
            frames[i]->source = own;
        }
    }
    return r;
}

int owners_source(void *owners, uint32_t project, const struct sentry_event *e, str release, struct arena *arena)
{
    struct owners *o = owners;
    struct meta_repository *list;
    struct sentry_frame *frames[REPOSITORY_FRAMES_MAX];
    struct err err = { 0 };
    size_t n = 0, repositories = 0;
    int r = mappings_apply(o->o.meta, project, e, arena, &err);
    if (r == ERR_NOMEM)
        return r;
    if (r < 0)
        log_warn("owners", "code mappings: %s", err.message);
    r = meta_repository_list(o->o.meta, project, arena, &list, &repositories, &err);
    for (size_t i = 0; i < repositories && r == 0; i++) {
        struct checkout c;
        n = 0;
        for (uint32_t k = e->exceptions_n; k-- > 0;)
            n = wanting(e->exceptions[k].stack, frames, n);
        n = wanting(e->stack, frames, n);
        if (n == 0)
            break;
        r = checkout_open(o->git, o->o.releases, &list[i], release, arena, &c, &err);
        if (r == 0)
            r = give_source(&c, frames, n, arena, &err);
        if (r == ERR_NOMEM)
            return r;
        if (r < 0 && r != ERR_NOENT)
            log_warn("owners", "source of %.*s: %s", STR_ARG(list[i].path), err.message);
        r = 0;
    }
    return r == ERR_NOMEM ? r : 0;
}

// ---- blame ---------------------------------------------------------------------------------------------

enum { BLAME_FRAMES = 8 };

static int blame_in(struct owners *o, const struct checkout *c, const struct sentry_frame *const *frames, size_t n,
                    const struct subject *s, struct arena *arena, struct suspect *ret, struct err *err)
{
    struct code_file files[BLAME_FRAMES];
    struct blame b;
    int r = checkout_files(c, frames, n, arena, files, err);
    if (r < 0)
        return r;
    r = ERR_NOENT;
    for (size_t i = 0; i < n && r == ERR_NOENT; i++) {
        if (!files[i].path.len)
            continue;
        r = checkout_blame(c, &files[i], frames[i]->line, arena, &b, err);
        // Of another state than the event's, what was written since is none of its causes.
        if (r == 0 && !c->exact && b.time > s->event.time)
            r = ERR_NOENT;
        if (r < 0)
            continue;
        *ret = (struct suspect){ .id = b.commit,
                                 .message = suspect_message(b.summary),
                                 .author = b.author,
                                 .file = files[i].path,
                                 .by = STR("blame"),
                                 .time = b.time,
                                 .line = frames[i]->line };
        if (releases_commit_release(o->o.releases, s->event.project, b.commit, arena, &ret->release, NULL) < 0)
            ret->release = (str){ 0 };
    }
    return r;
}

int suspect_of_blame(struct owners *o, const struct subject *s, struct arena *arena, struct suspect *ret,
                     struct err *err)
{
    const struct sentry_frame *frames[CODE_FRAMES_MAX];
    struct meta_repository *list;
    size_t n = code_frames(&s->sent, frames), repositories = 0;
    int r = meta_repository_list(o->o.meta, s->event.project, arena, &list, &repositories, err);
    if (r < 0)
        return r;
    r = ERR_NOENT;
    for (size_t i = 0; i < repositories && r == ERR_NOENT; i++) {
        struct checkout c;
        r = checkout_open(o->git, o->o.releases, &list[i], s->release, arena, &c, err);
        if (r == 0)
            r = blame_in(o, &c, frames, n < BLAME_FRAMES ? n : BLAME_FRAMES, s, arena, ret, err);
        if (r < 0 && r != ERR_NOMEM && r != ERR_NOENT) { // what commits say will do
            log_warn("owners", "blame in %.*s: %s", STR_ARG(list[i].path), err->message);
            r = ERR_NOENT;
        }
    }
    return r;
}
