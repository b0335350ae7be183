#include "owners/code_path.h"

// The text behind "scheme://host/", as bundlers write it.
static str without_scheme(str p)
{
    ptrdiff_t at = str_find(p, STR("://"));
    if (at < 0)
        return p;
    str scheme = str_slice(p, 0, (size_t)at);
    p = str_slice(p, (size_t)at + 3, p.len);
    ptrdiff_t dot = str_find(p, STR("/./")), slash = str_find_char(p, '/', 0);
    if (dot >= 0)
        p = str_slice(p, (size_t)dot + 3, p.len);
    else if (!str_eq(scheme, STR("file")) && slash > 0)
        p = str_slice(p, (size_t)slash + 1, p.len);
    ptrdiff_t query = str_find_char(p, '?', 0);
    return query < 0 ? p : str_slice(p, 0, (size_t)query);
}

// A step that is none: "", ".", "~".
static bool is_nothing(str step) { return step.len == 0 || str_eq(step, STR(".")) || str_eq(step, STR("~")); }

// Steps are copied one by one; ".." at the start is passed over, later it takes the step before it back.
static str walk(str p, char *out)
{
    size_t n = 0;
    for (size_t i = 0; i <= p.len;) {
        size_t end = i;
        while (end < p.len && p.ptr[end] != '/' && p.ptr[end] != '\\')
            end++;
        str step = str_slice(p, i, end);
        i = end + 1;
        if (is_nothing(step) || (n == 0 && step.len == 2 && step.ptr[1] == ':'))
            continue;
        if (str_eq(step, STR(".."))) {
            while (n > 0 && out[--n] != '/')
                ;
            continue;
        }
        if (n)
            out[n++] = '/';
        memcpy(out + n, step.ptr, step.len);
        n += step.len;
    }
    return str_of(out, n);
}

static bool is_source_of_jvm(str name)
{
    return str_ends(name, STR(".java")) || str_ends(name, STR(".kt")) || str_ends(name, STR(".scala")) ||
           str_ends(name, STR(".groovy"));
}

// "com.shop.Cart$1", "Cart.java" -> "com/shop/Cart.java"
static str with_package(str module, str name, struct arena *arena)
{
    size_t end = module.len;
    while (end > 0 && module.ptr[end - 1] != '.')
        end--;
    if (end == 0)
        return name;
    str whole = arena_printf(arena, "%.*s%.*s", (int)end, module.ptr, STR_ARG(name));
    for (size_t i = 0; whole.ptr && i < end; i++)
        if (whole.ptr[i] == '.')
            ((char *)whole.ptr)[i] = '/';
    return whole;
}

static bool usable(str p)
{
    if (p.len == 0 || p.len > CODE_PATH_MAX || p.ptr[0] == '<')
        return false;
    for (size_t i = 0; i < p.len; i++)
        if ((unsigned char)p.ptr[i] < ' ')
            return false;
    return true;
}

// What the frame itself says; of the JVM with its package.
static int sent_path(const struct sentry_frame *f, struct arena *arena, str *ret_path)
{
    str p = f->filename.len ? f->filename : f->abs_path;
    *ret_path = (str){ 0 };
    if (!usable(p))
        return 0;
    if (f->module.len && f->module.len < CODE_PATH_MAX && str_find_char(p, '/', 0) < 0 && is_source_of_jvm(p)) {
        p = with_package(f->module, p, arena);
        if (!p.ptr)
            return ERR_NOMEM;
    }
    *ret_path = p;
    return 0;
}

int code_path(const struct sentry_frame *f, struct arena *arena, str *ret_path)
{
    str p;
    int r = sent_path(f, arena, &p);
    *ret_path = (str){ 0 };
    if (r < 0 || p.len == 0)
        return r;
    char *out = arena_alloc_bytes(arena, p.len + 1);
    if (!out)
        return ERR_NOMEM;
    str path = walk(without_scheme(p), out);
    if (usable(path))
        *ret_path = path;
    return 0;
}

static bool is_slash(char c) { return c == '/' || c == '\\'; }

static char plain(char c) { return c == '\\' ? '/' : c; }

static bool begins_with(str path, str root)
{
    if (root.len == 0 || path.len <= root.len)
        return false;
    for (size_t i = 0; i < root.len; i++)
        if (plain(path.ptr[i]) != plain(root.ptr[i]))
            return false;
    return is_slash(root.ptr[root.len - 1]) || is_slash(path.ptr[root.len]);
}

int code_path_mapped(const struct sentry_frame *f, str stack_root, str source_root, struct arena *arena, str *ret_path)
{
    str paths[3] = { f->filename, f->abs_path }, found = { 0 };
    int r = sent_path(f, arena, &paths[2]);
    *ret_path = (str){ 0 };
    for (int i = 0; i < 3 && r == 0 && !found.len; i++)
        if (usable(paths[i]) && begins_with(paths[i], stack_root))
            found = str_slice(paths[i], stack_root.len, paths[i].len);
    if (r < 0 || !found.len)
        return r;
    ptrdiff_t query = str_find(stack_root, STR("://")) < 0 ? -1 : str_find_char(found, '?', 0);
    if (query >= 0)
        found = str_slice(found, 0, (size_t)query);
    str whole = arena_printf(arena, "%.*s/%.*s", STR_ARG(source_root), STR_ARG(found));
    char *out = arena_alloc_bytes(arena, whole.len + 1);
    if (!whole.ptr || !out)
        return ERR_NOMEM;
    str path = walk(whole, out);
    out[path.len] = 0; // git takes it as an argument
    if (usable(path))
        *ret_path = path;
    return 0;
}

size_t code_path_suffixes(str path, str ret[CODE_PATH_SUFFIXES])
{
    size_t n = 0;
    while (n < CODE_PATH_SUFFIXES && path.len) {
        ptrdiff_t slash = str_find_char(path, '/', 0);
        if (slash < 0 && n > 0)
            break;
        ret[n++] = path;
        path = slash < 0 ? (str){ 0 } : str_slice(path, (size_t)slash + 1, path.len);
    }
    return n;
}

size_t code_frames(const struct sentry_event *e, const struct sentry_frame *ret[CODE_FRAMES_MAX])
{
    const struct sentry_stack *s = sentry_event_stack(e);
    size_t n = 0;
    for (int any = 0; any < 2 && n == 0; any++)
        for (uint32_t i = s->n; i-- > 0 && n < CODE_FRAMES_MAX;)
            if (any || s->frames[i].in_app == 1)
                ret[n++] = &s->frames[i];
    return n;
}
