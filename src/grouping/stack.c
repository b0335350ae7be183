// A stack as components: for each frame its module (else the file's name), its function, and for languages whose source SDKs send the
// line itself.
#include "base/unicode.h"
#include "base/utf8.h"
#include "grouping/grouping_internal.h"
#include "grouping/message.h"

enum { LINE_MAX_CHARS = 120 };

static bool url_origin(str path, bool files)
{
    static const str schemes[] = { STR_INIT("http:"), STR_INIT("https:"), STR_INIT("applewebdata:"),
                                   STR_INIT("blob:") };
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
        if (str_starts(path, schemes[i]))
            return true;
    return files && str_starts(path, STR("file:"));
}

static int lower(str s, struct arena *arena, str *ret)
{
    char *out = arena_alloc_bytes(arena, s.len * 3 + 1); // a lower case letter may be longer
    size_t n = 0;
    if (!out)
        return ERR_NOMEM;
    for (size_t i = 0; i < s.len;) {
        uint8_t c = (uint8_t)s.ptr[i];
        unsigned len = 1;
        bool ok;
        if (c < 0x80)
            out[n++] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        else
            n += utf8_put(out + n, unicode_lower(utf8_decode(s.ptr + i, s.ptr + s.len, &len, &ok)));
        i += len;
    }
    *ret = str_of(out, n);
    return 0;
}

static int file_component(struct arena *arena, const struct gframe *f, struct component **ret)
{
    size_t start = f->filename.len;
    str name;
    while (start && f->filename.ptr[start - 1] != '/' && f->filename.ptr[start - 1] != '\\')
        start--;
    if (!f->filename.len) {
        *ret = component_new(arena, "filename");
        return *ret ? 0 : ERR_NOMEM;
    }
    int r = lower(str_slice(f->filename, start, f->filename.len), arena, &name);
    struct component *c = r == 0 ? component_text(arena, "filename", name) : NULL;
    if (!c)
        return ERR_NOMEM;
    if (url_origin(f->abs_path, false))
        component_ignore(c, "ignored: the frame is at a URL");
    else if (str_eq(name, STR("<anonymous>")))
        component_ignore(c, "ignored: an anonymous file");
    else if (str_eq(name, STR("[native code]")))
        component_ignore(c, "ignored: native code");
    else if (str_eq(f->platform, STR("java")) && (r = javassist_clean(name, arena, &c->value)) == 0 &&
             !str_eq(name, c->value))
        c->hint = "without generated parts";
    *ret = c;
    return r;
}

static int module_component(struct arena *arena, const struct gframe *f, struct component **ret)
{
    str m = f->module;
    struct component *c = m.len ? component_text(arena, "module", m) : component_new(arena, "module");
    int r = c ? 0 : ERR_NOMEM;
    *ret = c;
    if (r < 0 || !m.len)
        return r;
    if (str_eq(f->platform, STR("javascript")) && str_find_char(m, '/', 0) >= 0 && str_ends(f->abs_path, m))
        component_ignore(c, "ignored: it is the page's path");
    if (!str_eq(f->platform, STR("java")))
        return 0;
    if (str_find(m, STR("$$Lambda$")) >= 0)
        component_ignore(c, "ignored: a lambda's class");
    if ((r = module_clean(m, arena, &c->value)) == 0 && !str_eq(m, c->value)) {
        c->contributes = true;
        c->hint = "without generated parts";
    }
    return r;
}

static str after_last(str s, str separator)
{
    for (size_t i = s.len; i >= separator.len; i--)
        if (memcmp(s.ptr + i - separator.len, separator.ptr, separator.len) == 0)
            return str_slice(s, i, s.len);
    return s;
}

// __1234_5678 at the end: of a compiled template
static str ruby_trim(str s)
{
    size_t i = s.len, digits;
    for (int part = 0; part < 2; part++) {
        for (digits = 0; i && s.ptr[i - 1] >= '0' && s.ptr[i - 1] <= '9'; i--)
            digits++;
        if (digits < 4 || !i || s.ptr[--i] != '_')
            return s;
    }
    return i && s.ptr[i - 1] == '_' ? str_slice(s, 0, i - 1) : s;
}

static void function_clean(const struct gframe *f, bool line, struct component *c)
{
    str name = c->value, was = name;
    if (str_eq(f->platform, STR("ruby"))) {
        c->value = str_starts(name, STR("block ")) ? STR("block") : ruby_trim(name);
        c->hint = str_eq(c->value, was) ? NULL : "without generated parts";
    } else if (str_eq(f->platform, STR("php"))) {
        if (str_starts(name, STR("[Anonymous")) || str_starts(name, STR("class@anonymous\0")))
            component_ignore(c, "ignored: an anonymous function");
        if (str_starts(name, STR("class@anonymous"))) {
            c->value = after_last(name, STR("::"));
            if (!str_eq(c->value, was)) {
                c->contributes = true;
                c->hint = "method of an anonymous class";
            }
        }
    } else if (str_eq(f->platform, STR("java"))) {
        if (str_starts(name, STR("lambda$")))
            component_ignore(c, "ignored: a lambda");
    } else if (f->family == FAMILY_NATIVE) {
        if (str_eq(name, STR("<redacted>")) || str_eq(name, STR("<unknown>")))
            component_ignore(c, "ignored: unknown function");
    } else if (f->family == FAMILY_JAVASCRIPT) {
        c->value = after_last(name, STR("."));
        c->hint = str_eq(c->value, was) ? NULL : "without the object";
        if (f->source_map && line)
            component_ignore(c, "ignored: the source line says more than a name out of a source map");
    }
}

static struct component *function_component(struct arena *arena, const struct gframe *f, bool line)
{
    bool raw = str_eq(f->platform, STR("csharp"));
    str name = raw ? f->raw_function : f->function;
    if (!name.len)
        name = raw ? f->function : f->raw_function;
    struct component *c = name.len ? component_text(arena, "function", name) : component_new(arena, "function");
    if (c && name.len)
        function_clean(f, line, c);
    return c;
}

static bool has_line(str platform)
{
    static const char *const with[] = { "javascript", "node", "python", "php", "ruby" };
    for (size_t i = 0; i < sizeof with / sizeof with[0]; i++)
        if (str_eq(platform, str_z(with[i])))
            return true;
    return false;
}

// *ret is NULL when the language's lines do not count.
static int line_component(struct arena *arena, const struct gframe *f, struct component **ret)
{
    str s = f->context_line;
    *ret = NULL;
    if (!s.len || !has_line(f->platform))
        return 0;
    char *out = arena_alloc_bytes(arena, s.len);
    size_t n = 0;
    bool pending = false;
    if (!out)
        return ERR_NOMEM;
    for (size_t i = 0; i < s.len;) {
        size_t space = message_space_at(s, i);
        if (space) {
            pending = n > 0;
            i += space;
            continue;
        }
        if (pending)
            out[n++] = ' ';
        pending = false;
        out[n++] = s.ptr[i++];
    }
    struct component *c =
        n ? component_text(arena, "context_line", str_of(out, n)) : component_new(arena, "context_line");
    if (!c)
        return ERR_NOMEM;
    if (n && utf8_count(s) > LINE_MAX_CHARS)
        component_ignore(c, "ignored: the line is too long");
    else if (n && f->family == FAMILY_JAVASCRIPT && !f->function.len && url_origin(f->abs_path, true))
        component_ignore(c, "ignored: a URL without a function");
    *ret = c;
    return 0;
}

// Functions and frames of browsers that say nothing.
static void javascript_noise(const struct gframe *f, struct component *function, struct component *frame)
{
    static const char *const unknown[] = { "?", "<anonymous function>", "<anonymous>", "Anonymous function" };
    static const char *const paths[] = { "[native code]", "native code", "eval code", "<anonymous>" };
    str name = after_last(f->raw_function.len ? f->raw_function : f->function, STR("."));
    bool noise = str_eq(name, STR("eval"));
    if (!name.len)
        component_ignore(function, NULL);
    for (size_t i = 0; i < 4; i++) {
        if (str_eq(name, str_z(unknown[i])))
            component_ignore(function, "ignored: unknown function");
        noise |= str_eq(f->abs_path, str_z(paths[i]));
    }
    if (str_ends(name, STR("/<")))
        component_ignore(function, "ignored: unknown function");
    if (noise)
        component_ignore(frame, "ignored: eval or native code");
}

static int frame_component(struct arena *arena, const struct gframe *f, struct component **ret)
{
    struct component *module = NULL, *file = NULL, *line = NULL, *function, *c = component_new(arena, "frame");
    int r = c ? module_component(arena, f, &module) : ERR_NOMEM;
    if (r == 0)
        r = file_component(arena, f, &file);
    if (r == 0)
        r = line_component(arena, f, &line);
    if (r < 0)
        return r;
    if (!(function = function_component(arena, f, line && line->contributes)))
        return ERR_NOMEM;
    if (module->contributes && file->contributes)
        component_ignore(file, "ignored: the module says where it is");
    component_add(c, module);
    component_add(c, file);
    component_add(c, function);
    component_add(c, line);
    component_settle(c);
    if (f->family == FAMILY_JAVASCRIPT)
        javascript_noise(f, function, c); // a frame that was only its function still counts, as published
    c->in_app = f->in_app == 1;
    c->app_rule = f->app_rule;
    c->app_hint = f->app_rule     ? f->in_app ? "in app by a rule" : "out of app by a rule"
                  : f->client < 0 ? "not said to be in app"
                  : f->in_app     ? "in app, says the SDK"
                                  : "out of app, says the SDK";
    *ret = c;
    return 0;
}

static bool recursion(const struct gframe *a, const struct gframe *b)
{
    return a->sent->line == b->sent->line && a->sent->column == b->sent->column && str_eq(a->function, b->function) &&
           str_eq(a->module, b->module) && str_eq(a->filename, b->filename) && str_eq(a->abs_path, b->abs_path) &&
           str_eq(a->package, b->package);
}

static int variant_build(struct run *run, const struct gstack *stack, const struct gexception *x, unsigned variant,
                         struct component **ret)
{
    struct component *c = component_new(run->arena, "stacktrace"), *f;
    if (!c)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < stack->n; i++) {
        int r = frame_component(run->arena, &stack->frames[i], &f);
        if (r < 0)
            return r;
        if (i && recursion(&stack->frames[i], &stack->frames[i - 1]))
            component_ignore(f, "ignored: a call of itself");
        if (variant == VARIANT_APP && !f->in_app)
            component_ignore(f, NULL);
        component_add(c, f);
    }
    if (stack->n == 1 && c->first->contributes && stack->frames[0].family == FAMILY_JAVASCRIPT &&
        !stack->frames[0].function.len && url_origin(stack->frames[0].abs_path, true))
        component_ignore(c->first, "ignored: the only frame, a URL without a function");
    int r = stack_contributions(run, stack, x, c);
    for (f = c->first; f && variant == VARIANT_APP; f = f->next)
        if (!f->in_app)
            component_ignore(f, NULL);
    *ret = c;
    return r;
}

int stack_components(struct run *run, const struct gstack *stack, const struct gexception *x,
                     struct component *ret_variants[2])
{
    uint32_t in_app = 0, counted = 0, counted_in_app = 0;
    int r = variant_build(run, stack, x, VARIANT_APP, &ret_variants[VARIANT_APP]);
    if (r == 0)
        r = variant_build(run, stack, x, VARIANT_SYSTEM, &ret_variants[VARIANT_SYSTEM]);
    if (r < 0)
        return r;
    struct component *app = ret_variants[VARIANT_APP], *system = ret_variants[VARIANT_SYSTEM];
    for (const struct component *f = system->first; f; f = f->next) {
        in_app += f->in_app;
        counted += f->contributes;
        counted_in_app += f->in_app && f->contributes;
    }
    if (!stack->n) {
        component_ignore(app, "ignored: it has no frames");
        component_ignore(system, "ignored: it has no frames");
        return 0;
    }
    if (!counted)
        component_ignore(system, "ignored: none of its frames counts");
    if (!in_app)
        component_ignore(app, "ignored: none of its frames is the application's");
    else if (!counted_in_app)
        component_ignore(app, "ignored: none of its frames counts");
    return 0;
}
