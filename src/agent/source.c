#include "agent/source.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENTRIES_MAX = 2000 };

static int open_below(const struct process *p, str path, int flags)
{
    return str_find(path, STR("..")) >= 0 ? ERR_INVALID : process_open_at(p, path, flags);
}

int source_read(const struct process *p, str path, size_t size_max, struct arena *arena, str *ret_text, struct err *err)
{
    struct stat st;
    int fd = open_below(p, path, O_RDONLY);
    if (fd < 0)
        return err_set(err, ERR_NOENT, "no_source", "the process has no such file");
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > size_max) {
        close(fd);
        return err_set(err, ERR_LIMIT, "no_source", "the file is too large, or none");
    }
    char *text = arena_alloc_bytes(arena, (size_t)st.st_size + 1);
    size_t n = 0;
    for (ssize_t got; text && n < (size_t)st.st_size && (got = read(fd, text + n, (size_t)st.st_size - n)) > 0;)
        n += (size_t)got;
    close(fd);
    if (!text)
        return ERR_NOMEM;
    *ret_text = str_of(text, n);
    return 0;
}

static void put_entry(struct json_writer *out, str path, str name, bool folder)
{
    char full[PROCESS_PATH_MAX + 256];
    bool top = !path.len || path.ptr[path.len - 1] == '/';
    int len = snprintf(full, sizeof full, "%.*s%s%.*s", STR_ARG(path), top ? "" : "/", STR_ARG(name));
    json_put_object(out);
    json_put_key(out, STR("name")), json_put_str(out, name);
    json_put_key(out, STR("path"));
    json_put_str(out, str_of(full, len > 0 && (size_t)len < sizeof full ? (size_t)len : 0));
    json_put_key(out, STR("dir")), json_put_bool(out, folder);
    json_put_object_end(out);
}

int source_list(const struct process *p, str path, bool (*shown)(str name, bool folder),
                void (*more)(const struct process *p, str path, struct json_writer *out), struct json_writer *out,
                struct err *err)
{
    int fd = open_below(p, path, O_RDONLY | O_DIRECTORY);
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
        bool folder = e->d_type == DT_DIR;
        if (name.ptr[0] == '.' || !shown(name, folder))
            continue;
        put_entry(out, path, name, folder);
        n++;
    }
    closedir(d);
    if (more)
        more(p, path, out);
    json_put_array_end(out);
    json_put_object_end(out);
    return 0;
}
