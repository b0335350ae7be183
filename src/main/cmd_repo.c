// project repo add, ls, rm: git repositories on this machine with the code of projects. Whoever runs it has the data directory:
// no endpoint names a path of the server.
#include "base/json.h"
#include "main/admin.h"
#include "main/command.h"
#include "owners/git.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

// "/srv/shop" of what was written, and that git can read it.
static int path_check(const char *written, char path[PATH_MAX], struct err *err)
{
    static const char *const head[] = { "rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}", NULL };
    char directory[4096];
    struct git *git;
    struct buf out;
    if (!realpath(written, path)) {
        int code = err_of_errno(errno);
        return err_set(err, code, "no_repository", "%s: %s", written, err_text(code));
    }
    int r = git_directory(path, directory, err);
    if (r == 0)
        r = git_new(NULL, &git, err);
    if (r < 0)
        return r;
    buf_init(&out, 4096);
    r = git_ask(git, GIT_NAMES, directory, head, 0, &out, err);
    if (r == ERR_NOENT)
        err_set(err, r, "no_repository", "%s has no commit that git can read", path);
    buf_free(&out);
    git_free(git);
    return r;
}

// "SRC" -> "SRC/"
static int prefix_read(const char *written, char prefix[META_PATH_MAX + 1], struct err *err)
{
    str p = str_z(written ? written : "");
    while (p.len && (p.ptr[0] == '/' || str_starts(p, STR("./"))))
        p = str_slice(p, p.ptr[0] == '/' ? 1 : 2, p.len);
    if (str_find(p, STR("..")) >= 0 || p.len >= META_PATH_MAX)
        return err_set(err, ERR_INVALID, "usage", "--prefix: a directory in the repository, such as services/shop/");
    bool slash = p.len && p.ptr[p.len - 1] != '/';
    snprintf(prefix, META_PATH_MAX + 1, "%.*s%s", STR_ARG(p), slash ? "/" : "");
    return 0;
}

static int repo_add(struct invocation *inv, struct meta *m, const struct meta_project *p, struct err *err)
{
    char path[PATH_MAX], prefix[META_PATH_MAX + 1], actor[META_NAME_MAX + 1];
    int r = path_check(inv->operands[2], path, err);
    if (r == 0)
        r = prefix_read(invocation_option(inv, "prefix"), prefix, err);
    if (r == 0)
        r = meta_repository_add(m, admin_actor(actor), p->id, str_z(path), str_z(prefix), err);
    if (r == 0)
        fprintf(stderr, "project %s reads its code in %s%s%s\n", p->slug, path, prefix[0] ? ", below " : "", prefix);
    return r;
}

static int repo_remove(struct invocation *inv, struct meta *m, const struct meta_project *p, struct err *err)
{
    char path[PATH_MAX], actor[META_NAME_MAX + 1];
    // It may be gone from the disk.
    const char *named = realpath(inv->operands[2], path) ? path : inv->operands[2];
    return meta_repository_remove(m, admin_actor(actor), p->id, str_z(named), err);
}

static void put_row(const struct invocation *inv, struct buf *out, const struct meta_project *p,
                    const struct meta_repository *repository)
{
    struct json_writer w;
    if (!invocation_option(inv, "json")) {
        buf_printf(out, "%s  %.*s%s%.*s\n", p->slug, STR_ARG(repository->path), repository->prefix.len ? "  " : "",
                   STR_ARG(repository->prefix));
        return;
    }
    json_writer_init(&w, out);
    json_put_object(&w);
    json_put_key(&w, STR("project"));
    json_put_str(&w, str_z(p->slug));
    json_put_key(&w, STR("path"));
    json_put_str(&w, repository->path);
    json_put_key(&w, STR("prefix"));
    json_put_str(&w, repository->prefix);
    admin_put_time(&w, STR("created"), repository->created_ns);
    json_put_object_end(&w);
    buf_byte(out, '\n');
}

static int repo_list(struct invocation *inv, struct meta *m, int64_t project, struct err *err)
{
    struct meta_repository *list;
    struct meta_project p;
    struct arena arena;
    struct buf out;
    size_t n;
    arena_init(&arena, 64 << 20);
    buf_init(&out, 64 << 20);
    int r = meta_repository_list(m, project, &arena, &list, &n, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        r = meta_project_get(m, list[i].project, &p, err);
        if (r == 0)
            put_row(inv, &out, &p, &list[i]);
    }
    if (r == 0)
        command_print(&out);
    buf_free(&out);
    arena_free(&arena);
    return r;
}

static int usage(void)
{
    fputs(
        "clew: project repo add PROJECT PATH [--prefix DIRECTORY], project repo ls [PROJECT], project repo rm PROJECT "
        "PATH\n",
        stderr);
    return EXIT_USAGE;
}

int command_project_repo(struct invocation *inv)
{
    const char *verb = inv->operands[0];
    bool ls = strcmp(verb, "ls") == 0, add = strcmp(verb, "add") == 0;
    struct meta_project p = { 0 };
    struct err err = { 0 };
    struct meta *m;
    if (ls ? inv->operands_n > 2 : (!add && strcmp(verb, "rm") != 0) || inv->operands_n != 3)
        return usage();
    if (admin_open(inv, &m, &err) < 0)
        return command_fail(&err);
    int r = inv->operands_n > 1 ? meta_project_find(m, str_z(inv->operands[1]), &p, &err) : 0;
    if (r == 0)
        r = ls ? repo_list(inv, m, p.id, &err) : add ? repo_add(inv, m, &p, &err) : repo_remove(inv, m, &p, &err);
    return admin_finish(m, r, &err);
}
