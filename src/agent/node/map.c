#include "agent/node/map.h"
#include "base/base64.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// --- addresses ---

static int digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static str percent_decode(struct arena *arena, str s)
{
    char *to = arena_alloc_bytes(arena, s.len + 1);
    size_t n = 0;
    if (!to)
        return (str){ 0 };
    for (size_t i = 0; i < s.len; i++) {
        int high = s.ptr[i] == '%' && i + 2 < s.len ? digit(s.ptr[i + 1]) : -1;
        int low = high >= 0 ? digit(s.ptr[i + 2]) : -1;
        if (low >= 0)
            to[n++] = (char)(high << 4 | low), i += 2;
        else
            to[n++] = s.ptr[i];
    }
    to[n] = 0;
    return str_of(to, n);
}

str map_path_of_url(struct arena *arena, str url)
{
    if (!str_starts(url, STR("file://")))
        return url;
    return percent_decode(arena, str_slice(url, strlen("file://"), url.len));
}

static str line_before(str text, size_t end)
{
    size_t at = end;
    while (at > 0 && text.ptr[at - 1] != '\n')
        at--;
    return str_slice(text, at, end);
}

static str trimmed(str s)
{
    while (s.len && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = str_slice(s, 1, s.len);
    while (s.len && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t' || s.ptr[s.len - 1] == '\r'))
        s.len--;
    return s;
}

str map_url_of(str text)
{
    static const str key = STR_INIT(" sourceMappingURL=");
    // Of the last lines, which hold nothing but comments.
    for (size_t end = text.len;;) {
        str line = line_before(text, end), s = trimmed(line);
        if (s.len && !str_starts(s, STR("//")))
            return (str){ 0 };
        if (s.len > 3 && (s.ptr[2] == '#' || s.ptr[2] == '@') && str_starts(str_slice(s, 3, s.len), key)) {
            str url = trimmed(str_slice(s, 3 + key.len, s.len));
            return memchr(url.ptr, ' ', url.len) ? (str){ 0 } : url;
        }
        if (line.ptr == text.ptr || !line.ptr)
            return (str){ 0 };
        end = (size_t)(line.ptr - text.ptr) - 1;
    }
}

// --- files ---

static bool may_read(const struct process *p, const struct stat *st)
{
    if (p->uid == 0)
        return true;
    if (st->st_uid == p->uid)
        return st->st_mode & S_IRUSR;
    return st->st_mode & (st->st_gid == p->gid ? S_IRGRP : S_IROTH);
}

int map_file_read(const struct process *p, str path, size_t size_max, struct arena *arena, str *ret_text,
                  int64_t *ret_changed_s, struct err *err)
{
    struct stat st;
    int fd;
    int rc = process_open(p, path, &fd);
    if (rc < 0)
        return err_set(err, rc == ERR_DENIED ? rc : ERR_NOENT, "no_source", "the process has no such file");
    if (fstat(fd, &st) < 0 || !may_read(p, &st))
        rc = err_set(err, ERR_DENIED, "no_source", "the user of the process may not read this file");
    else if ((uint64_t)st.st_size > size_max)
        rc = err_set(err, ERR_LIMIT, "no_source", "the file is larger than %zu MiB", size_max >> 20);
    char *text = rc == 0 ? arena_alloc_bytes(arena, (size_t)st.st_size + 1) : NULL;
    size_t n = 0;
    for (ssize_t got; text && n < (size_t)st.st_size && (got = read(fd, text + n, (size_t)st.st_size - n)) > 0;)
        n += (size_t)got;
    close(fd);
    if (rc == 0 && !text)
        rc = err_set(err, ERR_NOMEM, "error", "there is not enough memory");
    if (rc < 0)
        return rc;
    *ret_text = str_of(text, n);
    if (ret_changed_s)
        *ret_changed_s = st.st_mtim.tv_sec;
    return 0;
}

static str folder_of(str path)
{
    while (path.len && path.ptr[path.len - 1] != '/')
        path.len--;
    return path;
}

// "data:application/json;charset=utf-8;base64,..."
static int data_read(str url, struct arena *arena, str *ret, struct err *err)
{
    ptrdiff_t comma = str_find_char(url, ',', 0);
    if (comma < 0)
        return err_set(err, ERR_MALFORMED, "no_source_map", "the source map inside the file is malformed");
    str head = str_slice(url, 0, (size_t)comma), body = str_slice(url, (size_t)comma + 1, url.len);
    if (!str_ends(head, STR(";base64"))) {
        *ret = percent_decode(arena, body);
        return ret->ptr ? 0 : err_set(err, ERR_NOMEM, "error", "there is not enough memory");
    }
    size_t n;
    if (base64_decoded_max(body.len) > MAP_TEXT_MAX)
        return err_set(err, ERR_LIMIT, "no_source_map", "the source map is larger than %d MiB", MAP_TEXT_MAX >> 20);
    char *to = arena_alloc_bytes(arena, base64_decoded_max(body.len) + 1);
    if (!to)
        return err_set(err, ERR_NOMEM, "error", "there is not enough memory");
    if (!base64_decode(to, body, &n))
        return err_set(err, ERR_MALFORMED, "no_source_map", "the source map inside the file is malformed");
    *ret = str_of(to, n);
    return 0;
}

int map_read(const struct process *p, str script, str url, struct arena *arena, str *ret_json, str *ret_base,
             struct err *err)
{
    if (!url.len)
        return err_set(err, ERR_NOENT, "no_source_map", "the file names no source map");
    if (str_starts(url, STR("data:"))) {
        *ret_base = folder_of(script);
        return data_read(url, arena, ret_json, err);
    }
    str name = percent_decode(arena, url);
    if (!name.ptr)
        return err_set(err, ERR_NOMEM, "error", "there is not enough memory");
    if (name.ptr[0] == '/' || str_find_char(name, ':', 0) >= 0 || str_find(name, STR("..")) >= 0 ||
        memchr(name.ptr, 0, name.len) || !script.len || script.ptr[0] != '/')
        return err_set(err, ERR_UNSUPPORTED, "no_source_map",
                       "its source map is neither inside the file nor beside it, and is not fetched");
    str path = arena_printf(arena, "%.*s%.*s", STR_ARG(folder_of(script)), STR_ARG(name));
    if (!path.ptr)
        return err_set(err, ERR_NOMEM, "error", "there is not enough memory");
    *ret_base = folder_of(path);
    return map_file_read(p, path, MAP_TEXT_MAX, arena, ret_json, NULL, err);
}

int map_parse(str json, uint32_t content, struct sourcemap **ret_map, struct err *err)
{
    struct sourcemap_limits limits = { MAP_TEXT_MAX, MAP_MEMORY_MAX, MAP_SEGMENTS_MAX, content };
    struct err why = { 0 };
    int rc = sourcemap_parse_within(json, &limits, ret_map, &why);
    return rc < 0 ? err_set(err, rc, "no_source_map", "its source map cannot be read: %s", why.message) : 0;
}

// --- sources ---

// Past "webpack://name/": a path from where it was built.
static str without_scheme(str name, bool *ret_scheme)
{
    ptrdiff_t at = str_find(name, STR("://"));
    *ret_scheme = at > 0;
    if (at <= 0)
        return name;
    name = str_slice(name, (size_t)at + 3, name.len);
    ptrdiff_t slash = str_find_char(name, '/', 0);
    return slash < 0 ? name : str_slice(name, (size_t)slash + 1, name.len);
}

str map_source_path(struct arena *arena, str base, str name)
{
    bool scheme = false;
    if (str_starts(name, STR("file://")))
        name = map_path_of_url(arena, name);
    else
        name = without_scheme(name, &scheme);
    ptrdiff_t query = scheme ? str_find_char(name, '?', 0) : -1; // webpack tells apart files of one name by it
    if (query >= 0)
        name = str_slice(name, 0, (size_t)query);
    bool whole = scheme || (name.len && name.ptr[0] == '/');
    str in = arena_printf(arena, "%.*s%.*s", (int)(whole ? 0 : base.len), base.ptr ? base.ptr : "", STR_ARG(name));
    char *out = in.ptr ? arena_alloc_bytes(arena, in.len + 1) : NULL;
    size_t n = 0;
    if (!out)
        return (str){ 0 };
    bool rooted = in.len && in.ptr[0] == '/';
    for (size_t at = 0; at < in.len;) {
        ptrdiff_t slash = str_find_char(in, '/', at);
        size_t end = slash < 0 ? in.len : (size_t)slash;
        str part = str_slice(in, at, end);
        at = end + 1;
        if (!part.len || str_eq(part, STR(".")))
            continue;
        if (str_eq(part, STR(".."))) {
            while (n && out[--n] != '/') {}
            continue;
        }
        if (n || rooted)
            out[n++] = '/';
        memcpy(out + n, part.ptr, part.len);
        n += part.len;
    }
    out[n] = 0;
    return str_of(out, n);
}

static bool ends_with_path(str path, str tail)
{
    if (!tail.len || !str_ends(path, tail))
        return false;
    return path.len == tail.len || tail.ptr[0] == '/' || path.ptr[path.len - tail.len - 1] == '/';
}

bool map_path_is(str path, str file)
{
    if (str_starts(file, STR("file://")))
        file = str_slice(file, 7, file.len);
    while (str_starts(file, STR("./")))
        file = str_slice(file, 2, file.len);
    // One that is known from where it was built alone: "src/a.ts" is "/srv/app/src/a.ts", too.
    bool loose = path.len && path.ptr[0] != '/' && str_find_char(path, '/', 0) > 0;
    return ends_with_path(path, file) || (loose && ends_with_path(file, path));
}

bool map_is_source(str name)
{
    static const str ends[] = { STR_INIT(".js"),  STR_INIT(".cjs"),   STR_INIT(".mjs"), STR_INIT(".jsx"),
                                STR_INIT(".ts"),  STR_INIT(".cts"),   STR_INIT(".mts"), STR_INIT(".tsx"),
                                STR_INIT(".vue"), STR_INIT(".svelte") };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (str_ends(name, ends[i]))
            return true;
    return false;
}

bool map_source_of(const struct sourcemap *map, str base, str file, uint32_t *ret_source, bool *ret_more)
{
    struct arena arena;
    bool found = false;
    arena_init(&arena, 1 << 20);
    *ret_more = false;
    for (uint32_t i = 0; i < map->sources_n && !*ret_more; i++) {
        arena_reset(&arena);
        str path = map_source_path(&arena, base, map->sources[i].name);
        if (!path.ptr || !map_path_is(path, file))
            continue;
        *ret_more = found;
        if (!found)
            *ret_source = i;
        found = true;
    }
    arena_free(&arena);
    return found;
}

int map_content_of(const struct process *p, const struct sourcemap *map, str base, uint32_t source, struct arena *arena,
                   str *ret_text, struct err *err)
{
    const struct sourcemap_source *s = &map->sources[source];
    if (s->content.ptr) {
        *ret_text = s->content;
        return 0;
    }
    str path = map_source_path(arena, base, s->name);
    if (!path.ptr)
        return err_set(err, ERR_NOMEM, "error", "there is not enough memory");
    if (!map_is_source(path) || path.ptr[0] != '/')
        return err_set(err, ERR_NOENT, "no_source", "the source map does not hold the text of this file");
    return map_file_read(p, path, SCAN_SOURCE_MAX, arena, ret_text, NULL, err);
}
