// The suspect: of what was changed lately, what the error passed through.
#include "base/utf8.h"
#include "owners/code_path.h"
#include "owners/owners_internal.h"

enum { SUSPECT_FRAMES = 8, SUSPECT_COMMITS = 32, SUSPECT_MESSAGE_MAX = 200 };

str suspect_message(str message)
{
    message = str_trim(message);
    ptrdiff_t end = str_find_char(message, '\n', 0);
    if (end >= 0)
        message = str_trim(str_slice(message, 0, (size_t)end));
    return utf8_cut(message, SUSPECT_MESSAGE_MAX);
}

// Of commits, newest first: the first one that was there when the event happened.
static const struct release_commit *newest_before(const struct release_commit *list, size_t n, const struct subject *s)
{
    for (size_t i = 0; i < n; i++)
        if (s->release.len || !list[i].time || list[i].time <= s->event.time)
            return &list[i];
    return NULL;
}

static int suspect_of_file(struct releases *r, uint32_t project, const struct subject *s, str path, struct arena *arena,
                           const struct release_commit **ret, struct err *err)
{
    struct release_commit *list;
    size_t found;
    int rc = releases_files_of_commits(r, project, s->release, path, SUSPECT_COMMITS, arena, &list, &found, err);
    if (rc < 0)
        return rc;
    return (*ret = newest_before(list, found, s)) ? 0 : ERR_NOENT;
}

static int suspect_of_path(struct releases *r, uint32_t project, const struct subject *s, str path, struct arena *arena,
                           const struct release_commit **ret, struct err *err)
{
    str suffixes[CODE_PATH_SUFFIXES];
    size_t n = code_path_suffixes(path, suffixes);
    int rc = ERR_NOENT;
    for (size_t i = 0; i < n && rc == ERR_NOENT; i++)
        rc = suspect_of_file(r, project, s, suffixes[i], arena, ret, err);
    return rc;
}

int suspect_of_commits(struct releases *r, uint32_t project, const struct subject *s, struct arena *arena,
                       struct suspect *ret, struct err *err)
{
    const struct sentry_frame *frames[CODE_FRAMES_MAX];
    size_t n = code_frames(&s->sent, frames);
    for (size_t i = 0; i < n && i < SUSPECT_FRAMES; i++) {
        const struct release_commit *c = NULL;
        str path;
        int rc = code_path(frames[i], arena, &path);
        for (uint32_t k = 0; k < frames[i]->code_n && rc == 0 && !c; k++) {
            rc = suspect_of_file(r, project, s, frames[i]->code[k].path, arena, &c, err);
            rc = rc == ERR_NOENT ? 0 : rc;
        }
        if (rc == 0 && !c)
            rc = suspect_of_path(r, project, s, path, arena, &c, err);
        if (rc == ERR_NOENT)
            continue;
        if (rc < 0)
            return rc;
        *ret = (struct suspect){ .id = c->id,
                                 .message = suspect_message(c->message),
                                 .author = c->author_name.len ? c->author_name : c->author_email,
                                 .release = c->version,
                                 .file = c->files_n ? c->files[0].path : path,
                                 .by = STR("commit"),
                                 .time = c->time,
                                 .line = frames[i]->line };
        return 0;
    }
    return ERR_NOENT;
}
