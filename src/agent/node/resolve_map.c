#include "agent/node/resolve_map.h"
#include "agent/node/map.h"
#include "base/hash.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 6,
    ENTRIES_MAX = 20000,
    BYTES_MAX = 64 << 20, // read for one question
    LISTED_MAX = 500,
    KNOWN_MAX = 16,
    KNOWN_TEXT = 512,
};

struct search {
    const struct process *process;
    str path; // of the source; empty: all of them
    str name; // its last part
    size_t entries, bytes, listed;
    struct json_writer *list;
    str folder;
    uint64_t listed_hash[LISTED_MAX];
    struct arena *arena;
    struct made *found;
};

// Where something was found before: asked first.
static struct known {
    char process[64], path[KNOWN_TEXT], script[KNOWN_TEXT];
} known[KNOWN_MAX];
static unsigned known_next;

static str name_of(str path)
{
    for (ptrdiff_t slash; (slash = str_find_char(path, '/', 0)) >= 0;)
        path = str_slice(path, (size_t)slash + 1, path.len);
    return path;
}

static bool is_script(str name)
{
    return str_ends(name, STR(".js")) || str_ends(name, STR(".cjs")) || str_ends(name, STR(".mjs"));
}

static void list_sources(struct search *s, const struct sourcemap *map, str base, struct arena *arena)
{
    str above = s->folder; // entries are named from the folder's own
    while (above.len && above.ptr[above.len - 1] != '/')
        above.len--;
    for (uint32_t i = 0; i < map->sources_n && s->listed < LISTED_MAX; i++) {
        str path = map_source_path(arena, base, map->sources[i].name);
        if (!path.ptr)
            return;
        if (!map_is_source(path) || str_find(path, STR("node_modules/")) >= 0 || map->sources[i].ignored)
            continue;
        uint64_t hash = hash64_str(path);
        bool twice = false; // two bundles hold it
        for (size_t k = 0; k < s->listed && !twice; k++)
            twice = s->listed_hash[k] == hash;
        if (twice)
            continue;
        s->listed_hash[s->listed] = hash;
        str name = above.len && str_starts(path, above) ? str_slice(path, above.len, path.len) : path;
        json_put_object(s->list);
        json_put_key(s->list, STR("name")), json_put_str(s->list, name);
        json_put_key(s->list, STR("path")), json_put_str(s->list, path);
        json_put_key(s->list, STR("dir")), json_put_bool(s->list, false);
        json_put_object_end(s->list);
        s->listed++;
    }
}

// True: it was made of the file.
static bool script_look(struct search *s, str script)
{
    struct arena arena;
    struct sourcemap *map = NULL;
    struct err err;
    str text, json, base;
    bool found = false, more;
    uint32_t source;
    arena_init(&arena, MAP_ARENA_MAX);
    int rc = map_file_read(s->process, script, SCAN_SOURCE_MAX, &arena, &text, NULL, &err);
    if (rc == 0)
        s->bytes += text.len;
    if (rc == 0)
        rc = map_read(s->process, script, map_url_of(text), &arena, &json, &base, &err);
    if (rc == 0)
        s->bytes += json.len;
    if (rc == 0 && s->path.len && str_find(json, s->name) < 0)
        rc = ERR_NOENT;
    if (rc == 0)
        rc = map_parse(json, SOURCEMAP_CONTENT_NONE, &map, &err);
    if (rc == 0 && !s->path.len)
        list_sources(s, map, base, &arena);
    if (rc == 0 && s->path.len && map_source_of(map, base, s->path, &source, &more)) {
        sourcemap_free(map), map = NULL;
        struct made m = { .source = source };
        found = map_parse(json, source, &m.map, &err) == 0 && arena_dup(s->arena, script, &m.script) == 0 &&
                arena_dup(s->arena, base, &m.base) == 0;
        if (found && map_content_of(s->process, m.map, m.base, source, s->arena, &m.text, &err) < 0)
            m.text = (str){ 0 };
        if (found)
            *s->found = m;
        else
            sourcemap_free(m.map);
    }
    sourcemap_free(map);
    arena_free(&arena);
    return found;
}

static bool folder_walk(struct search *s, str folder, unsigned depth)
{
    char full[PROCESS_PATH_MAX];
    int fd = process_open_at(s->process, folder, O_RDONLY | O_DIRECTORY);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    struct dirent *e;
    bool found = false;
    if (!d && fd >= 0)
        close(fd);
    // Scripts first, then the folders in it.
    for (int pass = 0; d && pass < 2 && !found; pass++) {
        rewinddir(d);
        while (!found && s->entries < ENTRIES_MAX && s->bytes < BYTES_MAX && (e = readdir(d))) {
            str name = str_z(e->d_name);
            s->entries++;
            bool wanted = pass ? e->d_type == DT_DIR && depth < DEPTH_MAX && !str_eq(name, STR("node_modules"))
                               : e->d_type == DT_REG && is_script(name);
            if (name.ptr[0] == '.' || !wanted)
                continue;
            int n = snprintf(full, sizeof full, "%.*s/%s", STR_ARG(folder), e->d_name);
            if (n <= 0 || (size_t)n >= sizeof full)
                continue;
            found = pass ? folder_walk(s, str_of(full, (size_t)n), depth + 1) : script_look(s, str_of(full, (size_t)n));
        }
        if (!s->path.len)
            break;
    }
    if (d)
        closedir(d);
    return found;
}

static str parent(str path)
{
    while (path.len && path.ptr[path.len - 1] != '/')
        path.len--;
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    return path;
}

// The folder of the package that a folder is in; itself when there is none.
static str package_of(const struct process *p, str folder)
{
    char file[PROCESS_PATH_MAX];
    for (str at = folder; at.len; at = parent(at)) {
        int fd, n = snprintf(file, sizeof file, "%.*s/package.json", STR_ARG(at));
        if (n <= 0 || (size_t)n >= sizeof file || process_open(p, str_of(file, (size_t)n), &fd) < 0)
            continue;
        close(fd);
        return at;
    }
    return folder;
}

static str program_of(const struct process *p, struct arena *arena)
{
    for (unsigned i = 1;; i++) {
        str arg = process_arg(p, i);
        if (!arg.ptr || (arg.len && arg.ptr[0] != '-'))
            return !arg.ptr || arg.ptr[0] == '/'
                       ? arg
                       : map_source_path(arena, STR("/"),
                                         arena_printf(arena, "%.*s/%.*s", STR_ARG(p->cwd), STR_ARG(arg)));
    }
}

static bool known_look(struct search *s)
{
    for (size_t i = 0; i < KNOWN_MAX; i++)
        if (str_eq(str_z(known[i].process), s->process->id) && str_eq(str_z(known[i].path), s->path))
            return script_look(s, str_z(known[i].script));
    return false;
}

static void known_add(const struct search *s)
{
    struct known *k = &known[known_next++ % KNOWN_MAX];
    *k = (struct known){ 0 };
    if (s->process->id.len >= sizeof k->process || s->path.len >= sizeof k->path ||
        s->found->script.len >= sizeof k->script)
        return;
    memcpy(k->process, s->process->id.ptr, s->process->id.len);
    memcpy(k->path, s->path.ptr, s->path.len);
    memcpy(k->script, s->found->script.ptr, s->found->script.len);
}

int made_search(const struct process *p, str path, struct arena *arena, struct made *ret, struct err *err)
{
    struct made found = { 0 };
    struct search s = { .process = p, .path = path, .name = name_of(path), .arena = arena, .found = &found };
    str program = program_of(p, arena), roots[2] = { { 0 }, { 0 } };
    if (known_look(&s)) {
        *ret = found;
        return 0;
    }
    if (program.len)
        roots[0] = package_of(p, parent(program));
    roots[1] = package_of(p, p->cwd);
    bool ok = false;
    for (size_t i = 0; i < 2 && !ok; i++)
        if (roots[i].len && !(i && str_eq(roots[0], roots[1])))
            ok = folder_walk(&s, roots[i], 0);
    if (!ok)
        return err_set(err, ERR_NOENT, "no_source",
                       "no script in the folders of this program has a source map that names this file");
    known_add(&s);
    *ret = found;
    return 0;
}

void made_done(struct made *m) { sourcemap_free(m->map); }

void made_sources(const struct process *p, str folder, struct json_writer *out)
{
    char full[PROCESS_PATH_MAX];
    while (folder.len && folder.ptr[folder.len - 1] == '/')
        folder.len--;
    bool whole = folder.len && folder.ptr[0] == '/';
    int n = whole ? snprintf(full, sizeof full, "%.*s", STR_ARG(folder))
                  : snprintf(full, sizeof full, "%.*s%s%.*s", STR_ARG(p->cwd), folder.len ? "/" : "", (int)folder.len,
                             folder.ptr ? folder.ptr : "");
    if (n <= 0 || (size_t)n >= sizeof full)
        return;
    struct search s = { .process = p, .list = out, .folder = str_of(full, (size_t)n) };
    folder_walk(&s, s.folder, 0);
}
