#include "symbols/js_name.h"

#include "base/buf.h"
#include "base/hex.h"

enum { NAME_MAX_LEN = 16 << 10, SEGMENTS_MAX = 512 };

static str behind_host(str url)
{
    ptrdiff_t scheme = str_find(url, STR("://"));
    if (str_starts(url, STR("~")))
        return str_slice(url, 1, url.len);
    if (scheme < 0)
        return url;
    str rest = str_slice(url, (size_t)scheme + 3, url.len);
    ptrdiff_t slash = str_find_char(rest, '/', 0);
    return slash < 0 ? rest : str_slice(rest, (size_t)slash, rest.len);
}

static str until(str s, char c)
{
    ptrdiff_t at = str_find_char(s, c, 0);
    return at < 0 ? s : str_slice(s, 0, (size_t)at);
}

// The next part of a path; false: there is none.
static bool segment_next(str *rest, bool *more, str *ret)
{
    if (!*more)
        return false;
    *ret = until(*rest, '/');
    *more = ret->len < rest->len;
    *rest = str_slice(*rest, ret->len + (*more ? 1 : 0), rest->len);
    return true;
}

// Puts a path's parts behind others; ".." takes one away, and is kept where nothing is left but on the web.
static size_t segments_add(str path, bool web, str *segments, size_t n)
{
    bool more = true, first = true;
    for (str s; segment_next(&path, &more, &s) && n < SEGMENTS_MAX;) {
        bool up = str_eq(s, STR("..")), here = str_eq(s, STR("."));
        if (up && (n || web)) {
            n -= n ? 1 : 0;
            continue;
        }
        if (here && (web || first))
            continue;
        first = false;
        segments[n++] = s;
    }
    return n;
}

str js_url_join(struct arena *arena, str base, str right)
{
    str segments[SEGMENTS_MAX];
    if (str_find(right, STR("://")) >= 0 || str_starts(right, STR("webpack:")) || right.len > NAME_MAX_LEN ||
        base.len > NAME_MAX_LEN)
        return right.ptr ? right : STR("");
    ptrdiff_t colon = str_find(base, STR("://"));
    str scheme = colon < 0 ? STR("file") : str_slice(base, 0, (size_t)colon);
    str rest = colon < 0 ? base : str_slice(base, (size_t)colon + 3, base.len);
    bool file = str_eq(scheme, STR("file")), web = str_eq(scheme, STR("http")) || str_eq(scheme, STR("https"));
    if (str_starts(right, STR("~")))
        right = str_slice(right, 1, right.len);
    str host = until(rest, '/');
    if (str_starts(right, STR("/"))) {
        if (file)
            return right;
        if (str_starts(right, STR("//")))
            return arena_printf(arena, "%.*s:%.*s", STR_ARG(scheme), STR_ARG(right));
        return arena_printf(arena, "%.*s://%.*s%.*s", STR_ARG(scheme), STR_ARG(host), STR_ARG(right));
    }
    str path = file ? rest : str_slice(rest, host.len, rest.len);
    if (str_starts(path, STR("/")))
        path = str_slice(path, 1, path.len);
    // Without its last part.
    size_t n = segments_add(path, false, segments, 0);
    n = segments_add(right, web, segments, n ? n - 1 : 0);
    struct buf out;
    str ret;
    buf_init(&out, 4 * NAME_MAX_LEN);
    if (!file)
        buf_printf(&out, "%.*s://%.*s", STR_ARG(scheme), STR_ARG(host));
    for (size_t i = 0; i < n; i++)
        if (segments[i].len)
            buf_printf(&out, "/%.*s", STR_ARG(segments[i]));
    if (out.error || arena_dup(arena, buf_view(&out), &ret) < 0)
        ret = (str){ 0 };
    buf_free(&out);
    return ret;
}

static bool name_char(char c)
{
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || c == '-' || c == '@' ||
           c == '.';
}

str js_webpack_path(struct arena *arena, str name)
{
    ptrdiff_t at = str_find(name, STR("/~/"));
    if (at >= 0)
        return str_slice(name, (size_t)at + 1, name.len);
    if (!str_starts(name, STR("webpack://")))
        return name;
    size_t i = 10;
    while (i < name.len && name_char(name.ptr[i]))
        i++;
    if (i > 10 && str_starts(str_slice(name, i, name.len), STR("/./")))
        return str_slice(name, i + 1, name.len);
    return str_starts(name, STR("webpack:///")) ? str_slice(name, 11, name.len) : name;
}

int js_in_app(str abs_path, str filename)
{
    bool third = str_find(filename, STR("/node_modules/")) >= 0;
    if (str_starts(abs_path, STR("webpack:")))
        return str_starts(filename, STR("./")) && !third;
    if (str_starts(abs_path, STR("app:")))
        return !(third || str_starts(filename, STR("node_modules/")) || str_find(filename, STR(":node_modules/")) >= 0);
    return str_find(abs_path, STR("/node_modules/")) >= 0 ? 0 : -1;
}

static bool all_hex(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (hex_digit(s.ptr[i]) < 0)
            return false;
    return true;
}

// 1, 1.0.0, v2
static bool is_version(str s)
{
    size_t i = s.len && (s.ptr[0] | 0x20) == 'v', from = i;
    for (; i < s.len; i++)
        if ((s.ptr[i] < '0' || s.ptr[i] > '9') && (s.ptr[i] != '.' || i == from || s.ptr[i - 1] == '.'))
            return false;
    return s.len > from && s.ptr[s.len - 1] != '.';
}

// Folders that say nothing: "js", "static", versions, hashes.
static bool says_nothing(str s)
{
    static const str names[] = { STR_INIT("script"),      STR_INIT("scripts"),      STR_INIT("javascript"),
                                 STR_INIT("javascripts"), STR_INIT("js"),           STR_INIT("build"),
                                 STR_INIT("static"),      STR_INIT("node_modules"), STR_INIT("bower_components") };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_ieq(s, names[i]))
            return true;
    if (s.len && (s.ptr[0] == '_' || s.ptr[0] == '.' || s.ptr[0] == '~'))
        return true;
    return is_version(s) || ((s.len == 7 || s.len == 8 || s.len == 32 || s.len == 40) && all_hex(s));
}

str js_module(str abs_path)
{
    str path = until(until(behind_host(abs_path), '#'), '?');
    for (size_t i = path.len; i > 0 && path.ptr[i - 1] != '/'; i--)
        if (path.ptr[i - 1] == '.') {
            path = str_slice(path, 0, i - 1);
            break;
        }
    if (str_ends(path, STR(".min")))
        path.len -= 4;
    // What follows a hash is the name.
    str rest = path, s;
    for (bool more = true; segment_next(&rest, &more, &s);)
        if (more && (s.len == 32 || s.len == 40) && all_hex(s))
            return rest;
    for (;;) {
        s = until(path, '/');
        if (s.len == path.len || (s.len && !says_nothing(s)))
            break;
        path = str_slice(path, s.len + 1, path.len);
    }
    // "main-3f9a8c12" and "main.3f9a8c12": a hash of the build.
    size_t i = path.len;
    while (i > 0 && hex_digit(path.ptr[i - 1]) >= 0)
        i--;
    return i > 0 && path.len - i >= 7 && (path.ptr[i - 1] == '-' || path.ptr[i - 1] == '.') ? str_slice(path, 0, i - 1)
                                                                                            : path;
}

str js_function_folded(struct arena *arena, str name)
{
    struct buf out;
    str rest = name, ret = name;
    bool folded = false;
    if (str_find_char(name, '.', 0) < 0 || name.len > NAME_MAX_LEN)
        return name;
    buf_init(&out, 4 * NAME_MAX_LEN);
    while (rest.len) {
        str part = until(rest, '.');
        if (part.len == rest.len) { // the last one stands for itself
            buf_str(&out, part);
            break;
        }
        unsigned n = 0;
        while (until(rest, '.').len < rest.len && str_eq(until(rest, '.'), part)) {
            rest = str_slice(rest, part.len + 1, rest.len);
            n++;
        }
        folded |= n > 1;
        if (n > 1)
            buf_printf(&out, "{%.*s#%u}.", STR_ARG(part), n);
        else
            buf_printf(&out, "%.*s.", STR_ARG(part));
    }
    if (folded && (out.error || arena_dup(arena, buf_view(&out), &ret) < 0))
        ret = (str){ 0 };
    buf_free(&out);
    return ret;
}

unsigned js_url_candidates(struct arena *arena, str url, str ret_urls[JS_URLS_MAX])
{
    unsigned n = 0;
    url = until(url, '#');
    str relative = behind_host(url), bare = until(url, '?'), bare_relative = until(relative, '?');
    ret_urls[n++] = url;
    if (bare.len < url.len)
        ret_urls[n++] = bare;
    if (relative.len > NAME_MAX_LEN)
        return n;
    if ((ret_urls[n] = arena_printf(arena, "~%.*s", STR_ARG(relative))).ptr)
        n++;
    if (bare_relative.len < relative.len && (ret_urls[n] = arena_printf(arena, "~%.*s", STR_ARG(bare_relative))).ptr)
        n++;
    return n;
}
