// Files and directories of a project's repositories, as pages show them beside what runs.
#include "base/log.h"
#include "owners/owners_internal.h"

// What OpenTelemetry says of a process is "shop" and "1.2"; a release may be called "shop@1.2" or "1.2".
static int open_at(struct owners *o, const struct meta_repository *repository, str release, struct arena *arena,
                   struct checkout *c, struct err *err)
{
    ptrdiff_t at = str_find_char(release, '@', 0);
    int r = checkout_open(o->git, o->o.releases, repository, release, arena, c, err);
    if (r == 0 && !c->exact && at >= 0)
        r = checkout_open(o->git, o->o.releases, repository, str_slice(release, (size_t)at + 1, release.len), arena, c,
                          err);
    return r;
}

static int place_of(const struct checkout *c, struct arena *arena, struct owners_place *ret)
{
    ret->exact = c->exact;
    return arena_dup(arena, str_z(c->commit), &ret->commit);
}

static int file_of(const struct checkout *c, const struct sentry_frame *frame, struct arena *arena,
                   struct owners_file *ret, struct err *err)
{
    struct code_file file;
    struct owners_file found = { 0 };
    struct buf out;
    int r = checkout_files(c, &frame, 1, arena, &file, err);
    if (r < 0 || !file.path.len)
        return r < 0 ? r : ERR_NOENT;
    found.path = file.path;
    buf_init(&out, GIT_OUTPUT_MAX);
    r = checkout_text(c, &file, &out, err);
    if (r == 0 &&
        ((r = arena_dup(arena, buf_view(&out), &found.text)) < 0 || (r = place_of(c, arena, &found.place)) < 0))
        err_set(err, r, "memory", "out of memory");
    buf_free(&out);
    if (r == 0)
        *ret = found;
    return r;
}

static int entries_of(const struct checkout *c, str directory, struct arena *arena, struct owners_entries *ret,
                      struct err *err)
{
    struct owners_entries found = { 0 };
    struct code_entry *list;
    int r = checkout_entries(c, directory, arena, &list, &found.n, &found.more, err);
    if (r < 0)
        return r;
    found.list = arena_alloc_array(arena, found.n + 1, sizeof *found.list);
    r = found.list ? place_of(c, arena, &found.place) : ERR_NOMEM;
    for (size_t i = 0; i < found.n && r == 0; i++) {
        str path =
            arena_printf(arena, "%.*s%s%.*s", STR_ARG(directory), directory.len ? "/" : "", STR_ARG(list[i].name));
        found.list[i] = (struct owners_entry){ list[i].name, path, list[i].dir };
        if (!path.ptr)
            r = ERR_NOMEM;
    }
    if (r < 0)
        return err_set(err, r, "memory", "out of memory");
    *ret = found;
    return 0;
}

struct wanted {
    const struct sentry_frame *frame; // of a file; NULL: the directory
    str directory, release;
    struct owners_file *file;
    struct owners_entries *entries;
};

// A repository that cannot be read does not hide the next one; when none has it, that is what is said.
static int search(struct owners *o, uint32_t project, const struct wanted *w, struct arena *arena, struct err *err)
{
    struct meta_repository *list;
    size_t n;
    struct err failed = { 0 };
    int worst = 0, r = meta_repository_list(o->o.meta, project, arena, &list, &n, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        struct checkout c;
        struct err e = { 0 };
        r = open_at(o, &list[i], w->release, arena, &c, &e);
        if (r == 0)
            r = w->frame ? file_of(&c, w->frame, arena, w->file, &e)
                         : entries_of(&c, w->directory, arena, w->entries, &e);
        if (r == 0)
            return 0;
        if (r == ERR_NOENT)
            continue;
        log_warn("owners", "files of %.*s: %s", STR_ARG(list[i].path), e.message);
        worst = r;
        failed = e;
    }
    if (worst == ERR_UNSUPPORTED)
        return err_set(err, ERR_NOENT, "no_git", "there is no git on the server's machine to read the repository with");
    if (worst < 0) {
        *err = failed;
        return worst;
    }
    return n == 0 ? err_set(err, ERR_NOENT, "no_repository", "the project names no repository on this machine")
                  : err_set(err, ERR_NOENT, "no_source", "no repository of the project has such a %s",
                            w->frame ? "file" : "directory");
}

int owners_commit(struct owners *o, uint32_t project, str commit, struct arena *arena, str *ret_message, str *ret_email,
                  struct err *err)
{
    struct meta_repository *list;
    size_t n;
    int r = meta_repository_list(o->o.meta, project, arena, &list, &n, err);
    if (r < 0)
        return r;
    for (size_t i = 0; i < n; i++) {
        struct checkout c;
        struct err e = { 0 };
        r = checkout_open(o->git, o->o.releases, &list[i], (str){ 0 }, arena, &c, &e);
        if (r == 0)
            r = checkout_commit(&c, commit, arena, ret_message, ret_email, &e);
        if (r == 0 || r == ERR_NOMEM)
            return r;
        if (r != ERR_NOENT)
            log_warn("owners", "commits of %.*s: %s", STR_ARG(list[i].path), e.message);
    }
    return err_set(err, ERR_NOENT, "no_commit", "no repository of the project has the commit");
}

int owners_file(struct owners *o, uint32_t project, str path, str release, struct arena *arena,
                struct owners_file *ret_file, struct err *err)
{
    struct sentry_frame frame = { .filename = path, .in_app = 1 };
    struct sentry_event event = { .stack = { .frames = &frame, .n = 1 } };
    int r = mappings_apply(o->o.meta, project, &event, arena, err);
    return r < 0 ? r
                 : search(o, project, &(struct wanted){ .frame = &frame, .release = release, .file = ret_file }, arena,
                          err);
}

int owners_entries(struct owners *o, uint32_t project, str directory, str release, struct arena *arena,
                   struct owners_entries *ret_entries, struct err *err)
{
    return search(o, project, &(struct wanted){ .directory = directory, .release = release, .entries = ret_entries },
                  arena, err);
}
