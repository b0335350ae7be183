#include "agent/python/resolve.h"
#include "base/mem.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOURCE_MAX = 4 << 20, ENTRIES_MAX = 2000, PATH_ROOM = 8192 };

// A path as the process would open it: relative ones from where it stands. No "..": a question is about files below.
static int place_of(pid_t pid, str path, char *room, size_t n)
{
    if (str_find(path, STR("..")) >= 0 || memchr(path.ptr ? path.ptr : "", 0, path.len))
        return ERR_INVALID;
    bool whole = path.len && path.ptr[0] == '/';
    int len = snprintf(room, n, "/proc/%d/%s/%.*s", (int)pid, whole ? "root" : "cwd", STR_ARG(path));
    return len > 0 && (size_t)len < n ? 0 : ERR_LIMIT;
}

static int source_read(pid_t pid, str path, char **ret, size_t *ret_len, struct err *err)
{
    char place[PATH_ROOM];
    struct stat st;
    if (!str_ends(path, STR(".py")) || place_of(pid, path, place, sizeof place) < 0)
        return err_set(err, ERR_INVALID, "no_source", "this is no path of a Python source file");
    int fd = open(place, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
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
        mem_free(text);
        return text ? ERR_IO : ERR_NOMEM;
    }
    *ret = text, *ret_len = (size_t)got;
    return 0;
}

static str line_take(str *text)
{
    ptrdiff_t end = str_find_char(*text, '\n', 0);
    str line = str_slice(*text, 0, end < 0 ? text->len : (size_t)end);
    *text = str_slice(*text, line.len + (end < 0 ? 0 : 1), text->len);
    return line;
}

// The name behind "def " or "async def "; empty: the line begins no function.
static str function_of(str line)
{
    line = str_trim(line);
    if (str_starts(line, STR("async ")))
        line = str_trim(str_slice(line, 6, line.len));
    if (!str_starts(line, STR("def ")))
        return (str){ 0 };
    line = str_trim(str_slice(line, 4, line.len));
    ptrdiff_t end = str_find_char(line, '(', 0);
    return end > 0 ? str_trim(str_slice(line, 0, (size_t)end)) : (str){ 0 };
}

static void put_functions(struct json_writer *out, str text, str prefix)
{
    json_put_array(out);
    for (int n = 1; text.len; n++) {
        str name = function_of(line_take(&text));
        if (!name.len || !str_starts(name, prefix))
            continue;
        json_put_object(out);
        json_put_key(out, STR("name")), json_put_str(out, name);
        json_put_key(out, STR("line")), json_put_int(out, n);
        json_put_object_end(out);
    }
    json_put_array_end(out);
}

// Lines that hold something other than a comment. Which of them begin a statement the process says when a probe is placed.
static void put_lines(struct json_writer *out, str text)
{
    json_put_array(out);
    for (int n = 1; text.len; n++) {
        str line = str_trim(line_take(&text));
        if (line.len && line.ptr[0] != '#')
            json_put_int(out, n);
    }
    json_put_array_end(out);
}

static int put_files(pid_t pid, str path, struct json_writer *out, struct err *err)
{
    char place[PATH_ROOM];
    if (place_of(pid, path, place, sizeof place) < 0)
        return err_set(err, ERR_INVALID, "no_source", "this is no path of a folder");
    DIR *d = opendir(place);
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
    if (q->what == RESOLVE_VARIABLES)
        return err_set(err, ERR_UNSUPPORTED, "unsupported", "names in scope are not known before a probe is placed");
    char *text = NULL;
    size_t len = 0;
    int rc = source_read(pid, q->path, &text, &len, err);
    if (rc < 0)
        return rc;
    str source = str_of(text, len);
    json_put_object(out);
    if (q->what == RESOLVE_SOURCE) {
        json_put_key(out, STR("path")), json_put_str(out, q->path);
        json_put_key(out, STR("text")), json_put_str(out, source);
    }
    if (q->what != RESOLVE_FUNCTIONS)
        json_put_key(out, STR("lines")), put_lines(out, source);
    if (q->what != RESOLVE_LINES)
        json_put_key(out, STR("functions")),
            put_functions(out, source, q->what == RESOLVE_FUNCTIONS ? q->prefix : (str){ 0 });
    json_put_object_end(out);
    mem_free(text);
    return 0;
}
