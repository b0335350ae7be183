// Frames as they are grouped: what SDKs leave out is filled in, what differs from run to run is taken away.
#include "base/unicode.h"
#include "grouping/grouping_internal.h"

uint8_t family_of(str platform)
{
    static const char *const native[] = { "objc", "cocoa", "swift", "native", "c" };
    for (size_t i = 0; i < sizeof native / sizeof native[0]; i++)
        if (str_eq(platform, str_z(native[i])))
            return FAMILY_NATIVE;
    return str_eq(platform, STR("javascript")) || str_eq(platform, STR("node")) ? FAMILY_JAVASCRIPT : FAMILY_OTHER;
}

// scheme://host/path?query#fragment -> /path; empty: it is no URL.
static str url_path(str s)
{
    ptrdiff_t colon = str_find(s, STR("://"));
    if (colon <= 0)
        return (str){ 0 };
    for (ptrdiff_t i = 0; i < colon; i++) {
        char c = s.ptr[i];
        if (!((c | 0x20) >= 'a' && (c | 0x20) <= 'z') && !(i && ((c >= '0' && c <= '9') || strchr("+-.", c))))
            return (str){ 0 };
    }
    ptrdiff_t slash = str_find_char(s, '/', (size_t)colon + 3);
    if (slash < 0)
        return STR("/");
    size_t end = (size_t)slash;
    while (end < s.len && s.ptr[end] != '?' && s.ptr[end] != '#')
        end++;
    return str_slice(s, (size_t)slash, end);
}

static int query_strip(struct run *run, str *filename)
{
    ptrdiff_t query = str_find_char(*filename, '?', 0), end = str_find_char(*filename, '#', 0);
    if (query < 0 || (end >= 0 && end < query))
        return 0;
    str rest = end < 0 ? (str){ 0 } : str_slice(*filename, (size_t)end, filename->len);
    *filename = arena_printf(run->arena, "%.*s%.*s", (int)query, filename->ptr, STR_ARG(rest));
    return filename->ptr ? 0 : ERR_NOMEM;
}

// multiprocessing starts its children with code that has numbers in it.
static int spawn_line(struct run *run, struct gframe *f)
{
    static const char *const starts[] = {
        "from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=",
        "from multiprocessing.spawn import spawn_main; spawn_main(parent_pid=",
    };
    if (!str_eq(run->platform, STR("python")) || !str_eq(f->module, STR("__main__")) ||
        !str_eq(f->filename, STR("<string>")) || !str_eq(f->function, STR("<module>")))
        return 0;
    for (size_t i = 0; i < 2; i++) {
        str head = str_z(starts[i]), line = f->context_line;
        size_t k = head.len, n = k;
        if (!str_starts(line, head))
            continue;
        while (k < line.len && line.ptr[k] >= '0' && line.ptr[k] <= '9')
            k++;
        str rest = str_slice(line, k, line.len), pipe = STR(", pipe_handle=");
        if (k == n || !str_starts(rest, pipe))
            return 0;
        n = k = pipe.len;
        while (k < rest.len && rest.ptr[k] >= '0' && rest.ptr[k] <= '9')
            k++;
        if (k == n || k >= rest.len || rest.ptr[k] != ')')
            return 0;
        f->context_line = arena_printf(run->arena, "%.*s<int>, pipe_handle=<int>%.*s", STR_ARG(head),
                                       STR_ARG(str_slice(rest, k, rest.len)));
        return f->context_line.ptr ? 0 : ERR_NOMEM;
    }
    return 0;
}

static int frame_read(struct run *run, struct sentry_frame *sent, struct gframe *f)
{
    str own = json_get_text(sent->node, STR("platform"));
    const struct json_node *in_app = json_get(sent->node, STR("in_app"));
    *f = (struct gframe){
        .sent = sent,
        .function = str_eq(sent->function, STR("?")) ? (str){ 0 } : sent->function,
        .raw_function = sent->raw_function,
        .module = sent->module,
        .filename = sent->filename,
        .abs_path = sent->abs_path,
        .package = sent->package,
        .context_line = sent->context_line,
        .platform = own.len ? own : run->platform,
        .client = json_is(in_app, JSON_TRUE)    ? 1
                  : json_is(in_app, JSON_FALSE) ? 0
                                                : -1,
        .source_map = json_get(json_get(sent->node, STR("data")), STR("sourcemap")) != NULL,
    };
    int r = 0;
    f->in_app = f->client;
    f->family = family_of(f->platform);
    if (!f->abs_path.len) {
        f->abs_path = f->filename;
        f->filename = (str){ 0 };
    }
    if (!f->filename.len && f->abs_path.len) {
        f->filename = url_path(f->abs_path);
        if (!f->filename.len)
            f->filename = f->abs_path;
    }
    if (f->function.len && !f->raw_function.len) {
        str whole = f->function;
        r = function_trim(whole, f->platform, run->arena, &f->function);
        if (!str_eq(whole, f->function))
            f->raw_function = whole;
    }
    if (r == 0 && str_eq(run->platform, STR("javascript")))
        r = query_strip(run, &f->filename);
    return r < 0 || !f->context_line.len ? r : spawn_line(run, f);
}

int frames_read(struct run *run, const struct sentry_stack *stack, struct gstack *ret)
{
    struct gframe *frames = arena_alloc_array(run->arena, stack->n ? stack->n : 1, sizeof *frames);
    if (!frames)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < stack->n; i++) {
        int r = frame_read(run, &stack->frames[i], &frames[i]);
        if (r < 0)
            return r;
    }
    *ret = (struct gstack){ frames, stack->n };
    return 0;
}
