#include "agent/source.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    ARGS_MAX = 64,
    ANCESTORS_MAX = 3,
    FOLDERS_MAX = 2048,
    ENTRIES_MAX = 20000,
    FOUND_MAX = 3,
    FIND_ARENA_MAX = 1 << 20
};

static bool is_file(const struct process *p, str path)
{
    struct stat st;
    int fd = path.len ? process_open_at(p, path, O_PATH) : -1;
    bool is = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
    if (fd >= 0)
        close(fd);
    return is;
}

static str joined(struct arena *arena, str folder, str path)
{
    return folder.len ? arena_printf(arena, "%.*s/%.*s", STR_ARG(folder), STR_ARG(path)) : path;
}

// Beside what the program was started with ("python /srv/shop/app.py"), or in the folders around that.
static bool beside_arguments(const struct process *p, str path, struct arena *arena, str *ret)
{
    for (unsigned i = 0; i < ARGS_MAX; i++) {
        str arg = process_arg(p, i);
        if (!arg.ptr)
            return false;
        if (i == 0 || (arg.len && arg.ptr[0] == '-'))
            continue;
        for (int up = 0; up < ANCESTORS_MAX; up++) {
            while (arg.len && arg.ptr[arg.len - 1] != '/')
                arg.len--;
            while (arg.len && arg.ptr[arg.len - 1] == '/')
                arg.len--;
            str full = arg.len ? joined(arena, arg, path) : (str){ 0 };
            if (is_file(p, full)) {
                *ret = full;
                return true;
            }
        }
    }
    return false;
}

static bool is_searched(const struct dirent *e)
{
    static const char *const others[] = { "node_modules", "site-packages", "__pycache__", NULL };
    if (e->d_type != DT_DIR || e->d_name[0] == '.')
        return false;
    for (const char *const *o = others; *o; o++)
        if (str_eq(str_z(e->d_name), str_z(*o)))
            return false;
    return true;
}

// Level by level below where the process stands; not the packages that others wrote.
static int below(const struct process *p, str path, struct arena *arena, str *found)
{
    str *folders = arena_alloc_array(arena, FOLDERS_MAX, sizeof *folders);
    int n = 0, n_found = 0, entries = 0;
    if (folders)
        folders[n++] = (str){ 0 };
    for (int i = 0; i < n && n_found < FOUND_MAX; i++) {
        str full = joined(arena, folders[i], path);
        if (is_file(p, full))
            found[n_found++] = full;
        int fd = process_open_at(p, folders[i].len ? folders[i] : STR("."), O_RDONLY | O_DIRECTORY);
        DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
        if (!d && fd >= 0)
            close(fd);
        for (struct dirent *e; d && entries < ENTRIES_MAX && (e = readdir(d)); entries++) {
            if (n == FOLDERS_MAX || !is_searched(e))
                continue;
            str name, folder;
            if (arena_dup(arena, str_z(e->d_name), &name) == 0 && (folder = joined(arena, folders[i], name)).len)
                folders[n++] = folder;
        }
        if (d)
            closedir(d);
    }
    return n_found;
}

int source_find(const struct process *p, str path, struct arena *arena, str *ret_path, struct err *err)
{
    if (is_file(p, path)) {
        *ret_path = path;
        return 0;
    }
    bool whole = !path.len || path.ptr[0] == '/' || str_find(path, STR("..")) >= 0;
    struct arena own;
    str found[FOUND_MAX];
    int n = 0;
    arena_init(&own, FIND_ARENA_MAX);
    if (!whole && beside_arguments(p, path, &own, &found[0]))
        n = 1;
    else if (!whole && !str_eq(p->cwd, STR("/")))
        n = below(p, path, &own, found);
    int rc = n == 1 ? arena_dup(arena, found[0], ret_path)
             : n    ? err_set(err, ERR_INVALID, "no_source",
                              "there are several such files: %.*s, %.*s%s; write more of the path", STR_ARG(found[0]),
                              STR_ARG(found[1]), n > 2 ? " and others" : "")
                    : err_set(err, ERR_NOENT, "no_source", "the process has no such file");
    arena_free(&own);
    return rc;
}
