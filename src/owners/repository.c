#include "owners/repository.h"

#include "base/clock.h"
#include "base/hex.h"
#include "base/numfmt.h"
#include "base/utf8.h"
#include "owners/code_path.h"

#include <stdio.h>

enum { FILE_MAX = 1 << 20, CANDIDATES_MAX = 240, NAME_MAX_BYTES = 200 };
#define NAMES_HOLD_NS (30 * NS_PER_S) // a branch or tag may move

// ---- which commit --------------------------------------------------------------------------------------

static bool is_object(str s)
{
    if (s.len != 40 && s.len != 64)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (hex_digit(s.ptr[i]) < 0)
            return false;
    return true;
}

// A name of a branch, a tag or a commit and nothing of git's little language of revisions.
static bool is_plain_name(str s)
{
    if (!s.len || s.len > NAME_MAX_BYTES || s.ptr[0] == '-' || str_find(s, STR("..")) >= 0 ||
        str_find(s, STR("@{")) >= 0)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || strchr("^~:?*[\\\x7f", s.ptr[i]))
            return false;
    return true;
}

static int resolve(struct checkout *c, const char *space, str name, struct err *err)
{
    char text[NAME_MAX_BYTES + 32];
    const char *arguments[] = { "rev-parse", "--verify", "--quiet", "--end-of-options", text, NULL };
    struct buf out;
    if (!is_plain_name(name))
        return ERR_NOENT;
    snprintf(text, sizeof text, "%s%.*s^{commit}", space, STR_ARG(name));
    buf_init(&out, 4096);
    int r = git_ask(c->git, GIT_NAMES, c->directory, arguments, NAMES_HOLD_NS, &out, err);
    str id = str_trim(buf_view(&out));
    if (r == 0 && !is_object(id))
        r = ERR_NOENT;
    if (r == 0) {
        memcpy(c->commit, id.ptr, id.len);
        c->commit[id.len] = 0;
    }
    buf_free(&out);
    return r;
}

// Names that the release's commit may have.
static int resolve_release(struct checkout *c, struct releases *r, uint32_t project, str release, struct arena *arena,
                           struct err *err)
{
    struct release known;
    struct release_commit *commits;
    size_t n;
    ptrdiff_t at = str_find_char(release, '@', 0);
    str version = at < 0 ? release : str_slice(release, (size_t)at + 1, release.len);
    char v[NAME_MAX_BYTES + 2];
    int rc = ERR_NOENT;
    if (release_find(r, project, release, arena, &known, NULL) == 0) {
        rc = resolve(c, "", known.ref, err);
        if (rc == ERR_NOENT && known.commits && releases_commits(r, known.id, false, arena, &commits, &n, NULL) == 0 &&
            n)
            rc = resolve(c, "", commits[0].id, err);
    }
    if (rc == ERR_NOENT && is_object(version))
        rc = resolve(c, "", version, err);
    if (rc == ERR_NOENT)
        rc = resolve(c, "refs/tags/", release, err);
    if (rc == ERR_NOENT && at >= 0)
        rc = resolve(c, "refs/tags/", version, err);
    if (rc == ERR_NOENT && version.len < NAME_MAX_BYTES) {
        snprintf(v, sizeof v, "v%.*s", STR_ARG(version));
        rc = resolve(c, "refs/tags/", str_z(v), err);
    }
    return rc;
}

static int common_find(struct checkout *c, struct err *err)
{
    static const char *const arguments[] = { "rev-parse", "--path-format=absolute", "--git-common-dir", NULL };
    struct buf out;
    buf_init(&out, sizeof c->common);
    int r = git_ask(c->git, GIT_NAMES, c->directory, arguments, NAMES_HOLD_NS, &out, err);
    str path = str_trim(buf_view(&out));
    if (r == 0 && (path.len == 0 || path.ptr[0] != '/' || path.len >= sizeof c->common))
        r = ERR_NOENT;
    if (r == 0) {
        memcpy(c->common, path.ptr, path.len);
        c->common[path.len] = 0;
    }
    buf_free(&out);
    return r;
}

int checkout_open(struct git *g, struct releases *r, const struct meta_repository *repository, str release,
                  struct arena *arena, struct checkout *ret, struct err *err)
{
    char path[META_PATH_MAX + 1];
    if (repository->path.len >= sizeof path)
        return ERR_NOENT;
    memcpy(path, repository->path.ptr, repository->path.len);
    path[repository->path.len] = 0;
    *ret = (struct checkout){ .git = g, .prefix = repository->prefix };
    int rc = git_directory(path, ret->directory, err);
    if (rc < 0)
        return rc;
    if ((rc = common_find(ret, err)) < 0)
        return rc;
    rc = release.len ? resolve_release(ret, r, (uint32_t)repository->project, release, arena, err) : ERR_NOENT;
    ret->exact = rc == 0;
    return rc == ERR_NOENT ? resolve(ret, "", STR("HEAD"), err) : rc;
}

// ---- which file ----------------------------------------------------------------------------------------

struct candidate {
    str path;
    size_t frame;
};

struct candidates {
    struct candidate list[CANDIDATES_MAX];
    size_t n;
};

static int candidates_of_frame(const struct checkout *c, const struct sentry_frame *f, size_t frame,
                               struct arena *arena, struct candidates *k)
{
    str path, suffixes[CODE_PATH_SUFFIXES];
    int r = code_path(f, arena, &path);
    size_t n = r == 0 ? code_path_suffixes(path, suffixes) : 0;
    for (uint32_t i = 0; i < f->code_n && k->n < CANDIDATES_MAX; i++)
        k->list[k->n++] = (struct candidate){ f->code[i].path, frame };
    for (size_t i = 0; i < n && k->n < CANDIDATES_MAX; i++) {
        str whole = arena_printf(arena, "%.*s%.*s", STR_ARG(c->prefix), STR_ARG(suffixes[i]));
        if (!whole.ptr)
            return ERR_NOMEM;
        k->list[k->n++] = (struct candidate){ whole, frame };
    }
    return r;
}

static bool word_next(str *rest, str *ret)
{
    size_t i = 0;
    while (rest->len && rest->ptr[0] == ' ')
        *rest = str_slice(*rest, 1, rest->len);
    while (i < rest->len && rest->ptr[i] != ' ')
        i++;
    *ret = str_slice(*rest, 0, i);
    *rest = str_slice(*rest, i, rest->len);
    return ret->len > 0;
}

// "100644 blob 0123... 2113": a regular file, not a link, of a size that a person writes.
static bool entry_read(str head, char blob[REPOSITORY_ID_MAX + 1])
{
    str mode, type, id, size;
    uint64_t length;
    if (!word_next(&head, &mode) || !word_next(&head, &type) || !word_next(&head, &id) || !word_next(&head, &size))
        return false;
    if (!str_starts(mode, STR("100")) || !str_eq(type, STR("blob")) || !is_object(id) || !parse_u64(size, &length) ||
        length > FILE_MAX)
        return false;
    memcpy(blob, id.ptr, id.len);
    blob[id.len] = 0;
    return true;
}

// The candidates of a frame stand longest first, and the first one that there is counts.
static int entries_read(str out, const struct candidates *k, struct arena *arena, struct code_file *files)
{
    for (size_t i = 0; i < k->n; i++) {
        struct code_file *f = &files[k->list[i].frame];
        str rest = out;
        while (!f->path.len && rest.len) {
            ptrdiff_t end = str_find_char(rest, 0, 0);
            str entry = str_slice(rest, 0, end < 0 ? rest.len : (size_t)end);
            ptrdiff_t tab = str_find_char(entry, '\t', 0);
            rest = str_slice(rest, entry.len + 1, rest.len);
            if (tab > 0 && str_eq(str_slice(entry, (size_t)tab + 1, entry.len), k->list[i].path) &&
                entry_read(str_slice(entry, 0, (size_t)tab), f->blob) &&
                arena_dup(arena, k->list[i].path, &f->path) < 0)
                return ERR_NOMEM;
        }
    }
    return 0;
}

int checkout_files(const struct checkout *c, const struct sentry_frame *const *frames, size_t n, struct arena *arena,
                   struct code_file *ret_files, struct err *err)
{
    struct candidates *k = arena_zalloc(arena, sizeof *k);
    const char *arguments[CANDIDATES_MAX + 8] = { "ls-tree", "-z", "-l", "--full-tree", c->commit, "--" };
    size_t at = 6;
    struct buf out;
    int r = k ? 0 : ERR_NOMEM;
    memset(ret_files, 0, n * sizeof *ret_files);
    for (size_t i = 0; i < n && r == 0; i++)
        r = candidates_of_frame(c, frames[i], i, arena, k);
    if (r < 0)
        return err_set(err, r, "memory", "out of memory");
    for (size_t i = 0; i < k->n; i++)
        arguments[at++] = k->list[i].path.ptr; // arena_printf() and code_path_mapped() end them in a zero byte
    if (k->n == 0)
        return 0;
    buf_init(&out, GIT_OUTPUT_MAX);
    r = git_ask(c->git, GIT_OBJECTS, c->common, arguments, 0, &out, err);
    if (r == 0 && (r = entries_read(buf_view(&out), k, arena, ret_files)) < 0)
        err_set(err, r, "memory", "out of memory");
    buf_free(&out);
    return r;
}

// ---- what stands in it ---------------------------------------------------------------------------------

static str line_next(str *text)
{
    ptrdiff_t end = str_find_char(*text, '\n', 0);
    str line = str_slice(*text, 0, end < 0 ? text->len : (size_t)end);
    *text = str_slice(*text, line.len + 1, text->len);
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

static int lines_around(str text, int64_t line, struct arena *arena, struct sentry_lines *ret)
{
    enum { SIDE = REPOSITORY_SOURCE_LINES / 2 };
    struct sentry_lines source = { .first = line > SIDE ? line - SIDE : 1 };
    str *lines = arena_alloc_array(arena, REPOSITORY_SOURCE_LINES, sizeof *lines);
    if (!lines)
        return ERR_NOMEM;
    for (int64_t n = 1; text.len && n <= line + SIDE; n++) {
        str l = line_next(&text);
        if (n < source.first)
            continue;
        if (arena_dup(arena, l, &lines[source.n++]) < 0)
            return ERR_NOMEM;
    }
    if (source.first + source.n <= line)
        return ERR_NOENT;
    source.lines = lines;
    *ret = source;
    return 0;
}

int checkout_text(const struct checkout *c, const struct code_file *file, struct buf *out, struct err *err)
{
    const char *arguments[] = { "cat-file", "blob", file->blob, NULL };
    size_t at = out->len;
    int r = git_ask(c->git, GIT_OBJECTS, c->common, arguments, 0, out, err);
    return r == 0 && out->len > at && memchr(out->ptr + at, 0, out->len - at) ? ERR_NOENT : r;
}

// A commit as git keeps it: lines of a key and a value, an empty line, the message.
int checkout_commit(const struct checkout *c, str commit, struct arena *arena, str *ret_message, str *ret_email,
                    struct err *err)
{
    char id[REPOSITORY_ID_MAX + 1];
    const char *arguments[] = { "cat-file", "commit", id, NULL };
    struct buf out;
    if (!is_object(commit))
        return ERR_NOENT;
    memcpy(id, commit.ptr, commit.len);
    id[commit.len] = 0;
    buf_init(&out, GIT_OUTPUT_MAX);
    int r = git_ask(c->git, GIT_OBJECTS, c->common, arguments, 0, &out, err);
    str text = buf_view(&out), author = { 0 };
    ptrdiff_t end = r == 0 ? str_find(text, STR("\n\n")) : 0;
    if (r == 0 && end < 0)
        r = ERR_NOENT;
    if (r == 0) {
        str head = str_slice(text, 0, (size_t)end);
        ptrdiff_t at = str_find(head, STR("\nauthor "));
        ptrdiff_t open = at < 0 ? -1 : str_find_char(head, '<', (size_t)at),
                  close = open < 0 ? -1 : str_find_char(head, '>', (size_t)open);
        if (close > 0)
            author = str_slice(head, (size_t)open + 1, (size_t)close);
        str message = utf8_cut(str_slice(text, (size_t)end + 2, text.len), RELEASE_MESSAGE_MAX);
        if (arena_dup(arena, message, ret_message) < 0 || arena_dup(arena, author, ret_email) < 0)
            r = err_set(err, ERR_NOMEM, NULL, "out of memory");
    }
    buf_free(&out);
    return r;
}

int checkout_lines(const struct checkout *c, const struct code_file *file, int64_t line, struct arena *arena,
                   struct sentry_lines *ret_source, struct err *err)
{
    struct buf out;
    if (line < 1)
        return ERR_NOENT;
    buf_init(&out, GIT_OUTPUT_MAX);
    int r = checkout_text(c, file, &out, err);
    if (r == 0)
        r = lines_around(buf_view(&out), line, arena, ret_source);
    buf_free(&out);
    return r;
}

// ---- what stands beside it -----------------------------------------------------------------------------

static bool is_plain_path(str path)
{
    if (path.len > CODE_PATH_MAX || (path.len && memchr(path.ptr, 0, path.len)))
        return false;
    for (size_t i = 0; path.len && i <= path.len;) {
        size_t end = i;
        while (end < path.len && path.ptr[end] != '/')
            end++;
        str step = str_slice(path, i, end);
        if (step.len == 0 || str_eq(step, STR(".")) || str_eq(step, STR("..")))
            return false;
        i = end + 1;
    }
    return true;
}

// "040000 tree 0123...       -": neither links nor other repositories within.
static bool is_directory(str head)
{
    str mode, type;
    return word_next(&head, &mode) && word_next(&head, &type) && str_eq(type, STR("tree"));
}

static int listing_read(str out, size_t above, struct arena *arena, struct code_entry **ret_entries, size_t *ret_n,
                        bool *ret_more)
{
    struct code_entry *list = arena_alloc_array(arena, REPOSITORY_ENTRIES_MAX, sizeof *list);
    size_t n = 0;
    bool more = false;
    if (!list)
        return ERR_NOMEM;
    while (out.len && !more) {
        char blob[REPOSITORY_ID_MAX + 1];
        ptrdiff_t end = str_find_char(out, 0, 0);
        str entry = str_slice(out, 0, end < 0 ? out.len : (size_t)end);
        ptrdiff_t tab = str_find_char(entry, '\t', 0);
        out = str_slice(out, entry.len + 1, out.len);
        if (tab < 0 || entry.len <= (size_t)tab + 1 + above)
            continue;
        str head = str_slice(entry, 0, (size_t)tab), name = str_slice(entry, (size_t)tab + 1 + above, entry.len);
        bool dir = is_directory(head);
        if (!dir && !entry_read(head, blob))
            continue;
        if ((more = n == REPOSITORY_ENTRIES_MAX))
            break;
        if (arena_dup(arena, name, &list[n].name) < 0)
            return ERR_NOMEM;
        list[n++].dir = dir;
    }
    *ret_entries = list;
    *ret_n = n;
    *ret_more = more;
    return 0;
}

int checkout_entries(const struct checkout *c, str directory, struct arena *arena, struct code_entry **ret_entries,
                     size_t *ret_n, bool *ret_more, struct err *err)
{
    const char *arguments[] = { "ls-tree", "-z", "-l", "--full-tree", c->commit, NULL, NULL, NULL };
    struct buf out;
    if (!is_plain_path(directory))
        return ERR_NOENT;
    // With a slash at its end git lists what is in it, and nothing when it is a file.
    str whole = arena_printf(arena, "%.*s%.*s%s", STR_ARG(c->prefix), STR_ARG(directory), directory.len ? "/" : "");
    if (!whole.ptr)
        return err_set(err, ERR_NOMEM, "memory", "out of memory");
    if (whole.len) {
        arguments[5] = "--";
        arguments[6] = whole.ptr;
    }
    buf_init(&out, GIT_OUTPUT_MAX);
    int r = git_ask(c->git, GIT_OBJECTS, c->common, arguments, 0, &out, err);
    if (r == 0 && out.len == 0 && whole.len)
        r = ERR_NOENT;
    if (r == 0 && (r = listing_read(buf_view(&out), whole.len, arena, ret_entries, ret_n, ret_more)) < 0)
        err_set(err, r, "memory", "out of memory");
    buf_free(&out);
    return r;
}

// ---- who wrote it --------------------------------------------------------------------------------------

static bool member(str line, str name, str *ret)
{
    if (!str_starts(line, name))
        return false;
    *ret = str_slice(line, name.len, line.len);
    return true;
}

static int blame_read(str text, struct arena *arena, struct blame *ret)
{
    struct blame b = { 0 };
    str head = line_next(&text), id, author = { 0 }, summary = { 0 }, seconds = { 0 };
    uint64_t s;
    if (!word_next(&head, &id) || !is_object(id))
        return ERR_NOENT;
    while (text.len && text.ptr[0] != '\t') { // then the line itself
        str line = line_next(&text);
        if (!member(line, STR("author "), &author) && !member(line, STR("author-time "), &seconds))
            member(line, STR("summary "), &summary);
    }
    if (parse_u64(seconds, &s) && s < INT64_MAX / NS_PER_S)
        b.time = (int64_t)s * NS_PER_S;
    int r = arena_dup(arena, id, &b.commit);
    if (r == 0)
        r = arena_dup(arena, author, &b.author);
    if (r == 0)
        r = arena_dup(arena, summary, &b.summary);
    if (r == 0)
        *ret = b;
    return r;
}

int checkout_blame(const struct checkout *c, const struct code_file *file, int64_t line, struct arena *arena,
                   struct blame *ret, struct err *err)
{
    char range[64];
    const char *arguments[] = { "blame",   "--porcelain", "--no-textconv", "-L", range,
                                c->commit, "--",          file->path.ptr,  NULL };
    struct buf out;
    if (line < 1)
        return ERR_NOENT;
    snprintf(range, sizeof range, "%lld,%lld", (long long)line, (long long)line);
    buf_init(&out, GIT_OUTPUT_MAX);
    int r = git_ask(c->git, GIT_OBJECTS, c->common, arguments, 0, &out, err);
    if (r == 0)
        r = blame_read(buf_view(&out), arena, ret);
    buf_free(&out);
    return r;
}
