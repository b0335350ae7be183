#include "agent/node/resolve.h"
#include "agent/node/scan.h"
#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ENTRIES_MAX = 2000 };

static bool is_source(str name)
{
    return str_ends(name, STR(".js")) || str_ends(name, STR(".cjs")) || str_ends(name, STR(".mjs"));
}

// A path as the process would open it, relative ones from where it stands; never out of its root.
static int open_there(const struct process *p, str path, int flags)
{
    char full[PROCESS_PATH_MAX];
    bool whole = path.len && path.ptr[0] == '/';
    int len = snprintf(full, sizeof full, "%.*s/%.*s", whole ? 0 : (int)p->cwd.len, p->cwd.len ? p->cwd.ptr : "",
                       (int)path.len, path.len ? path.ptr : "");
    if (len <= 0 || (size_t)len >= sizeof full || str_find(path, STR("..")) >= 0)
        return -1;
    int root = openat(p->dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -1;
    struct open_how how = { .flags = (uint64_t)(flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY),
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    int fd = (int)syscall(SYS_openat2, root, full, &how, sizeof how);
    close(root);
    return fd;
}

static int source_read(const struct process *p, str path, struct arena *arena, str *ret, struct err *err)
{
    struct stat st;
    if (!is_source(path))
        return err_set(err, ERR_INVALID, "no_source", "this is no path of a JavaScript file");
    int fd = open_there(p, path, 0);
    if (fd < 0)
        return err_set(err, ERR_NOENT, "no_source", "the process has no such file");
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SCAN_SOURCE_MAX) {
        close(fd);
        return err_set(err, ERR_LIMIT, "no_source", "the file is too large, or none");
    }
    char *text = arena_alloc(arena, (size_t)st.st_size + 1);
    size_t n = 0;
    for (ssize_t got; text && n < (size_t)st.st_size && (got = read(fd, text + n, (size_t)st.st_size - n)) > 0;)
        n += (size_t)got;
    close(fd);
    if (!text)
        return ERR_NOMEM;
    *ret = str_of(text, n);
    return 0;
}

static void put_lines(struct json_writer *out, const struct scan *s)
{
    uint32_t last = 0;
    json_put_array(out);
    for (uint32_t i = 0; i < s->n_places; i++)
        if (s->scopes[s->places[i].scope].function != 0 && s->places[i].line != last)
            json_put_int(out, last = s->places[i].line);
    json_put_array_end(out);
}

static void put_functions(struct json_writer *out, const struct scan *s, str prefix)
{
    json_put_array(out);
    for (uint32_t i = 1; i < s->n_functions; i++) {
        const struct scan_function *f = &s->functions[i];
        if (!f->name.len || !str_starts(f->name, prefix))
            continue;
        json_put_object(out);
        json_put_key(out, STR("name")), json_put_str(out, f->name);
        json_put_key(out, STR("line")), json_put_int(out, f->line);
        json_put_object_end(out);
    }
    json_put_array_end(out);
}

static void put_variables(struct json_writer *out, const struct scan *s, int line, str prefix)
{
    const struct scan_place *at = js_place_of(s, line > 0 ? (uint32_t)line : 0, 0);
    json_put_array(out);
    for (uint32_t i = 0; at && i < s->n_names; i++) {
        const struct scan_name *n = &s->names[i];
        if (!str_starts(n->name, prefix) || js_visible(s, at, n->name) != n ||
            (n->kind == SCAN_LET && n->from > at->at))
            continue;
        uint32_t of = s->scopes[n->scope].function;
        json_put_object(out);
        json_put_key(out, STR("name")), json_put_str(out, n->name);
        json_put_key(out, STR("kind"));
        json_put_str(out, of == 0                               ? STR("global")
                          : of != s->scopes[at->scope].function ? STR("closure")
                          : n->kind == SCAN_ARG                 ? STR("arg")
                                                                : STR("local"));
        json_put_object_end(out);
    }
    json_put_array_end(out);
}

static int put_files(const struct process *p, str path, struct json_writer *out, struct err *err)
{
    int fd = open_there(p, path, O_DIRECTORY);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    if (!d)
        return err_set(err, ERR_NOENT, "no_source", "the process has no such folder");
    json_put_object(out);
    json_put_key(out, STR("entries"));
    json_put_array(out);
    struct dirent *e;
    for (int n = 0; n < ENTRIES_MAX && (e = readdir(d));) {
        str name = str_z(e->d_name);
        bool dir = e->d_type == DT_DIR;
        if (name.ptr[0] == '.' || (!dir && !is_source(name)))
            continue;
        char full[PROCESS_PATH_MAX + 256];
        bool top = !path.len || path.ptr[path.len - 1] == '/';
        int len =
            snprintf(full, sizeof full, "%.*s%s%s", (int)path.len, path.len ? path.ptr : "", top ? "" : "/", e->d_name);
        json_put_object(out);
        json_put_key(out, STR("name")), json_put_str(out, name);
        json_put_key(out, STR("path")),
            json_put_str(out, str_of(full, len > 0 && (size_t)len < sizeof full ? (size_t)len : 0));
        json_put_key(out, STR("dir")), json_put_bool(out, dir);
        json_put_object_end(out);
        n++;
    }
    closedir(d);
    json_put_array_end(out);
    json_put_object_end(out);
    return 0;
}

static void answer(const struct resolve_request *q, const struct scan *s, struct json_writer *out)
{
    json_put_object(out);
    if (q->what == RESOLVE_SOURCE) {
        json_put_key(out, STR("path")), json_put_str(out, q->path);
        json_put_key(out, STR("text")), json_put_str(out, s->text);
    }
    if (q->what == RESOLVE_SOURCE || q->what == RESOLVE_LINES)
        json_put_key(out, STR("lines")), put_lines(out, s);
    if (q->what == RESOLVE_SOURCE || q->what == RESOLVE_FUNCTIONS)
        json_put_key(out, STR("functions")),
            put_functions(out, s, q->what == RESOLVE_FUNCTIONS ? q->prefix : (str){ 0 });
    if (q->what == RESOLVE_VARIABLES)
        json_put_key(out, STR("variables")), put_variables(out, s, q->line, q->prefix);
    json_put_object_end(out);
}

int node_resolve_answer(const struct process *p, const struct resolve_request *q, struct json_writer *out,
                        struct err *err)
{
    struct arena arena;
    struct scan s;
    str text;
    if (q->what == RESOLVE_FILES)
        return put_files(p, q->path, out, err);
    arena_init(&arena, SCAN_ARENA_MAX);
    int rc = source_read(p, q->path, &arena, &text, err);
    if (rc == 0 && js_source(text, &arena, &s, err) < 0)
        s = (struct scan){ .text = text }; // it is shown all the same
    if (rc == 0)
        answer(q, &s, out);
    arena_free(&arena);
    return rc;
}
