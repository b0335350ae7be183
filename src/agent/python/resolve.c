#include "agent/python/resolve.h"
#include "agent/python/source.h"
#include "base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SOURCE_MAX = 1 << 20, ENTRIES_MAX = 2000, VARIABLES_MAX = 2000, NEAREST = 6, PATH_ROOM = 8192 };

static int open_in(int root, const char *path, int flags)
{
    // Links are followed as if that root were ours.
    struct open_how how = { .flags = (uint64_t)flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
                            .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    return (int)syscall(SYS_openat2, root, path, &how, sizeof how);
}

// A path as the process would open it: relative ones from where it stands. No "..": a question is about files below.
static int path_open(pid_t pid, str path, int flags)
{
    char text[PATH_ROOM], place[64];
    size_t n = 0;
    if (str_find(path, STR("..")) >= 0 || memchr(path.ptr ? path.ptr : "", 0, path.len))
        return -1;
    if (!path.len || path.ptr[0] != '/') {
        snprintf(place, sizeof place, "/proc/%d/cwd", (int)pid);
        ssize_t got = readlink(place, text, sizeof text - 1);
        if (got <= 0 || text[0] != '/')
            return -1;
        n = (size_t)got;
        text[n++] = '/';
    }
    if (path.len >= sizeof text - n)
        return -1;
    if (path.len)
        memcpy(text + n, path.ptr, path.len);
    text[n + path.len] = 0;
    snprintf(place, sizeof place, "/proc/%d/root", (int)pid);
    int root = open(place, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0)
        return -1;
    int fd = open_in(root, text, flags);
    close(root);
    return fd;
}

static int source_read(pid_t pid, str path, char **ret, size_t *ret_len, struct err *err)
{
    struct stat st;
    if (!str_ends(path, STR(".py")))
        return err_set(err, ERR_INVALID, "no_source", "this is no path of a Python source file");
    int fd = path_open(pid, path, O_RDONLY);
    if (fd < 0)
        return err_set(err, ERR_NOENT, "no_source", "the process has no such file");
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > SOURCE_MAX) {
        close(fd);
        return err_set(err, ERR_LIMIT, "no_source", "the file is too large, or none");
    }
    char *text = mem_alloc((size_t)st.st_size + 1);
    ssize_t got = text ? read(fd, text, (size_t)st.st_size) : -1;
    close(fd);
    if (got < 0) {
        int rc = text ? ERR_IO : ERR_NOMEM;
        mem_free(text);
        return rc;
    }
    *ret = text, *ret_len = (size_t)got;
    return 0;
}

static void put_hash(struct json_writer *out, str text)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256(hash, (const uint8_t *)(text.ptr ? text.ptr : ""), text.len);
    json_put_key(out, STR("hash")), json_put_hex(out, bytes_of(hash, sizeof hash));
}

static void put_functions(struct json_writer *out, const struct py_source *s, str prefix)
{
    size_t n;
    const struct py_scope *scopes = py_scopes(s, &n);
    json_put_key(out, STR("functions"));
    json_put_array(out);
    for (size_t i = 0; i < n; i++) {
        struct buf name;
        if (scopes[i].kind != PY_FUNCTION)
            continue;
        buf_init(&name, PATH_ROOM);
        if (py_qualified(s, &scopes[i], &name) == 0 &&
            (str_starts(buf_view(&name), prefix) || str_starts(scopes[i].name, prefix))) {
            json_put_object(out);
            json_put_key(out, STR("name")), json_put_str(out, buf_view(&name));
            json_put_key(out, STR("line")), json_put_int(out, scopes[i].line);
            json_put_key(out, STR("end")), json_put_int(out, scopes[i].end);
            put_hash(out, py_text(s, scopes[i].line, scopes[i].end));
            json_put_object_end(out);
        }
        buf_free(&name);
    }
    json_put_array_end(out);
}

static void put_lines(struct json_writer *out, const struct py_source *s)
{
    size_t n;
    const struct py_line *lines = py_lines(s, &n);
    json_put_key(out, STR("lines"));
    json_put_array(out);
    for (size_t i = 0; i < n; i++)
        json_put_int(out, lines[i].line);
    json_put_array_end(out);
}

// The line itself when a probe can stand on it, else those around it, the nearest first.
static void put_nearest(struct json_writer *out, const struct py_source *s, int line)
{
    size_t n, after = 0;
    const struct py_line *lines = py_lines(s, &n);
    while (after < n && lines[after].line < line)
        after++;
    size_t before = after;
    json_put_key(out, STR("nearest"));
    json_put_array(out);
    for (int k = 0; k < NEAREST && (before > 0 || after < n); k++) {
        bool back = after == n || (before > 0 && line - lines[before - 1].line < lines[after].line - line);
        int found = back ? lines[--before].line : lines[after++].line;
        json_put_int(out, found);
        if (found == line)
            break;
    }
    json_put_array_end(out);
}

struct variables {
    struct json_writer *out;
    str prefix;
    int n;
};

static void put_variable(void *ctx, str name, enum py_name_kind kind)
{
    static const str kinds[] = { STR_INIT("arg"), STR_INIT("local"), STR_INIT("closure"), STR_INIT("global") };
    struct variables *v = ctx;
    if (!str_starts(name, v->prefix) || v->n++ >= VARIABLES_MAX || kind > PY_GLOBAL)
        return;
    json_put_object(v->out);
    json_put_key(v->out, STR("name")), json_put_str(v->out, name);
    json_put_key(v->out, STR("kind")), json_put_str(v->out, kinds[kind]);
    json_put_object_end(v->out);
}

static void put_variables(struct json_writer *out, const struct py_source *s, int line, str prefix)
{
    json_put_key(out, STR("variables"));
    json_put_array(out);
    py_visible(s, line, put_variable, &(struct variables){ .out = out, .prefix = prefix });
    json_put_array_end(out);
}

static int put_files(pid_t pid, str path, struct json_writer *out, struct err *err)
{
    int fd = path_open(pid, path, O_RDONLY | O_DIRECTORY);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d && fd >= 0)
        close(fd);
    if (!d)
        return err_set(err, ERR_NOENT, "no_source", "the process has no such folder");
    json_put_object(out);
    json_put_key(out, STR("entries"));
    json_put_array(out);
    struct dirent *e;
    for (int n = 0; n < ENTRIES_MAX && (e = readdir(d));) {
        str name = str_z(e->d_name);
        bool dir = e->d_type == DT_DIR;
        if (name.ptr[0] == '.' || str_eq(name, STR("__pycache__")) || (!dir && !str_ends(name, STR(".py"))))
            continue;
        char full[PATH_ROOM];
        bool top = !path.len || path.ptr[path.len - 1] == '/';
        int len = snprintf(full, sizeof full, "%.*s%s%s", STR_ARG(path), top ? "" : "/", e->d_name);
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

int resolve_answer(pid_t pid, const struct resolve_request *q, struct json_writer *out, struct err *err)
{
    if (q->what == RESOLVE_FILES)
        return put_files(pid, q->path, out, err);
    char *text = NULL;
    size_t len = 0;
    struct py_source source;
    int rc = source_read(pid, q->path, &text, &len, err);
    if (rc < 0)
        return rc;
    rc = py_source_read(&source, str_of(text, len));
    if (rc < 0) {
        mem_free(text);
        return err_set(err, rc, "no_source", "the file is too large");
    }
    json_put_object(out);
    switch (q->what) {
    case RESOLVE_SOURCE:
        json_put_key(out, STR("path")), json_put_str(out, q->path);
        json_put_key(out, STR("text")), json_put_str(out, source.text);
        put_hash(out, source.text);
        put_lines(out, &source);
        put_functions(out, &source, (str){ 0 });
        break;
    case RESOLVE_LINES:
        put_lines(out, &source);
        if (q->line > 0)
            put_nearest(out, &source, q->line);
        break;
    case RESOLVE_VARIABLES:
        put_variables(out, &source, q->line, q->prefix);
        break;
    default:
        put_functions(out, &source, q->prefix);
    }
    json_put_object_end(out);
    py_source_free(&source);
    mem_free(text);
    return 0;
}
