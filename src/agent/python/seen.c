#include "agent/python/seen.h"
#include "agent/python/source.h"
#include "agent/source.h"
#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOURCE_MAX = 1 << 20, PATH_ROOM = 8192 };
#define SLACK_NS (1000 * 1000 * 1000ll) // the start of a process is known in ticks of the boot's clock

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f'; }

void seen_line_hash(str line, char ret_hex[SEEN_HASH_HEX + 1])
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    bool any = false;
    for (size_t i = 0; i < line.len;) {
        size_t from = i;
        while (i < line.len && is_blank(line.ptr[i]))
            i++;
        bool blank = i > from;
        from = i;
        while (i < line.len && !is_blank(line.ptr[i]))
            i++;
        if (i == from)
            break;
        if (any && blank)
            crypto_hash_sha256_update(&state, (const uint8_t *)" ", 1);
        crypto_hash_sha256_update(&state, (const uint8_t *)line.ptr + from, i - from);
        any = true;
    }
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(ret_hex, SEEN_HASH_HEX + 1, hash, sizeof hash);
}

// A mark of byte order is part of the file, and not of the text that people are shown.
static bool is_text(str text, str want)
{
    if (str_starts(text, STR("\xef\xbb\xbf")))
        text = str_slice(text, 3, text.len);
    uint8_t hash[crypto_hash_sha256_BYTES];
    char hex[SEEN_HASH_HEX + 1];
    crypto_hash_sha256(hash, (const uint8_t *)(text.ptr ? text.ptr : ""), text.len);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return str_eq(want, str_z(hex));
}

// The file is another than when the process began: what was loaded may be what it said before.
static bool changed_since(const struct process *p, str path)
{
    struct stat st;
    int fd = process_open_at(p, path, O_PATH);
    bool changed = fd >= 0 && p->started_unix_ns && fstat(fd, &st) == 0 &&
                   (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec > p->started_unix_ns + SLACK_NS;
    if (fd >= 0)
        close(fd);
    return changed;
}

// A function of that name, by its own or its qualified one.
static bool is_in(const struct py_source *s, int scope, str function)
{
    size_t n;
    const struct py_scope *scopes = py_scopes(s, &n);
    struct buf name;
    buf_init(&name, PATH_ROOM);
    bool is = str_eq(scopes[scope].name, function) ||
              (py_qualified(s, &scopes[scope], &name) == 0 && str_eq(buf_view(&name), function));
    buf_free(&name);
    return is;
}

static void follow(const struct py_source *s, const struct probe *probe, struct seen_answer *ret)
{
    size_t n;
    const struct py_line *lines = py_lines(s, &n);
    int want = (int)probe->where.line, best = 0, far = 0;
    for (size_t i = 0; i < n; i++) {
        char hex[SEEN_HASH_HEX + 1];
        int line = lines[i].line, away = line > want ? line - want : want - line;
        seen_line_hash(py_text(s, line, line), hex);
        if (!str_eq(probe->line_hash, str_z(hex)) || (best && away >= far) ||
            (probe->follow_function.len && !is_in(s, lines[i].scope, probe->follow_function)))
            continue;
        best = line, far = away;
    }
    ret->line = best;
    if (best)
        return;
    ret->mismatch = true;
    ret->message = "the line that was seen is not in the file of this process";
    ret->n_nearest = py_nearest(s, want, ret->nearest, SEEN_NEAREST);
}

void seen_check(const struct process *p, const struct probe *probe, struct seen_answer *ret)
{
    bool exact = probe->match == PROBE_MATCH_EXACT && probe->source_hash.len;
    bool follows = probe->match == PROBE_MATCH_FOLLOW && probe->line_hash.len && probe->where.kind == PROBE_AT_LINE;
    struct arena arena;
    struct py_source source;
    str text, path;
    struct err err;
    *ret = (struct seen_answer){ 0 };
    if ((!exact && !follows) || !probe->where.file.len)
        return;
    arena_init(&arena, SOURCE_MAX + 2 * PROCESS_PATH_MAX);
    bool read = source_find(p, probe->where.file, &arena, &path, &err) == 0 &&
                source_read(p, path, SOURCE_MAX, &arena, &text, &err) == 0;
    bool changed = read && changed_since(p, path);
    if (exact) {
        ret->message = !read                                ? "the process has no such file to compare"
                       : !is_text(text, probe->source_hash) ? "the file of this process is not the one that was seen"
                       : changed
                           ? "the file has changed since the process started: what runs may be what it said before"
                           : NULL;
        ret->mismatch = ret->message != NULL;
    } else if (read && !changed && !is_text(text, probe->source_hash) && py_source_read(&source, text) == 0) {
        follow(&source, probe, ret);
        py_source_free(&source);
    }
    arena_free(&arena);
}
