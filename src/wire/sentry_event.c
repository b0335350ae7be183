#include "wire/sentry_event.h"

#include "base/hex.h"
#include "base/timefmt.h"
#include "wire/record.h"

const struct json_node *sentry_list(const struct json_node *node, uint32_t *ret_n)
{
    const struct json_node *values = json_is(node, JSON_OBJECT) ? json_get(node, STR("values")) : node;
    *ret_n = 0;
    if (json_is(values, JSON_ARRAY)) {
        *ret_n = values->n;
        return values->first;
    }
    if (json_is(node, JSON_OBJECT) && !values && node->n) {
        *ret_n = 1;
        return node;
    }
    return NULL;
}

// Plain decimal seconds, exactly: a double has no nanoseconds at today's dates.
static bool seconds_exact(str text, int64_t *ret_ns)
{
    enum { WHOLE_DIGITS_MAX = 10, FRACTION_DIGITS = 9 };
    int64_t whole = 0, fraction = 0;
    size_t i = 0, digits = 0;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        whole = i < WHOLE_DIGITS_MAX ? whole * 10 + (text.ptr[i] - '0') : 0;
    if (i == 0 || i > WHOLE_DIGITS_MAX)
        return false;
    if (i < text.len && text.ptr[i++] != '.')
        return false;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++)
        if (digits < FRACTION_DIGITS) {
            fraction = fraction * 10 + (text.ptr[i] - '0');
            digits++;
        }
    if (i < text.len || whole > INT64_MAX / 1000000000 - 1)
        return false;
    for (; digits < FRACTION_DIGITS; digits++)
        fraction *= 10;
    *ret_ns = whole * 1000000000 + fraction;
    return true;
}

bool sentry_time(const struct json_node *node, int64_t *ret_ns)
{
    double d;
    if (!json_is(node, JSON_NUMBER) && !json_is(node, JSON_STRING))
        return false;
    if (seconds_exact(node->text, ret_ns))
        return true;
    if (node->type == JSON_NUMBER && json_number_double(node->text, &d) && d >= 0 && d < 9.2e9) {
        *ret_ns = (int64_t)(d * 1e9);
        return true;
    }
    if (parse_rfc3339(node->text, ret_ns))
        return true;
    // Old SDKs leave the zone out: UTC.
    char text[48];
    if (node->text.len + 1 >= sizeof text)
        return false;
    memcpy(text, node->text.ptr, node->text.len);
    text[node->text.len] = 'Z';
    return parse_rfc3339(str_of(text, node->text.len + 1), ret_ns);
}

uint8_t sentry_level(str level, uint8_t otherwise)
{
    static const struct {
        str word;
        uint8_t severity;
    } levels[] = {
        { STR_INIT("fatal"), SEVERITY_FATAL }, { STR_INIT("critical"), SEVERITY_FATAL },
        { STR_INIT("error"), SEVERITY_ERROR }, { STR_INIT("warning"), SEVERITY_WARN },
        { STR_INIT("warn"), SEVERITY_WARN },   { STR_INIT("info"), SEVERITY_INFO },
        { STR_INIT("log"), SEVERITY_INFO },    { STR_INIT("debug"), SEVERITY_DEBUG },
        { STR_INIT("trace"), SEVERITY_TRACE },
    };
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (str_ieq(level, levels[i].word))
            return levels[i].severity;
    return otherwise;
}

str sentry_level_word(int64_t severity)
{
    return severity >= SEVERITY_FATAL   ? STR("fatal")
           : severity >= SEVERITY_ERROR ? STR("error")
           : severity >= SEVERITY_WARN  ? STR("warning")
           : severity >= SEVERITY_INFO  ? STR("info")
                                        : STR("debug");
}

str sentry_tag(const struct json_node *tags, str name)
{
    if (json_is(tags, JSON_OBJECT))
        return json_get_text(tags, name);
    for (const struct json_node *pair = json_first_of(tags, JSON_ARRAY); pair; pair = pair->next)
        if (json_is(pair, JSON_ARRAY) && pair->n == 2 && str_eq(json_text_of(pair->first), name))
            return json_text_of(pair->first->next);
    return (str){ 0 };
}

bool sentry_id(str text, uint8_t ret_id[16])
{
    char hex[32];
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '-')
            continue;
        if (n == sizeof hex)
            return false;
        hex[n++] = text.ptr[i];
    }
    return n == sizeof hex && hex_decode(ret_id, str_of(hex, n));
}

static int8_t tri_state(const struct json_node *node)
{
    return json_is(node, JSON_TRUE) ? 1 : json_is(node, JSON_FALSE) ? 0 : -1;
}

static void frame_read(const struct json_node *node, struct sentry_frame *ret)
{
    *ret = (struct sentry_frame){
        .function = json_get_text(node, STR("function")),
        .raw_function = json_get_text(node, STR("raw_function")),
        .module = json_get_text(node, STR("module")),
        .filename = json_get_text(node, STR("filename")),
        .abs_path = json_get_text(node, STR("abs_path")),
        .package = json_get_text(node, STR("package")),
        .context_line = json_get_text(node, STR("context_line")),
        .in_app = tri_state(json_get(node, STR("in_app"))),
        .node = node,
    };
    json_int_of(json_get(node, STR("lineno")), &ret->line);
    json_int_of(json_get(node, STR("colno")), &ret->column);
}

int sentry_stack_read(const struct json_node *node, struct arena *arena, struct sentry_stack *ret)
{
    const struct json_node *list = json_get(node, STR("frames"));
    uint32_t n = json_is(list, JSON_ARRAY) ? list->n : 0, cut = n > SENTRY_FRAMES_MAX ? n - SENTRY_FRAMES_MAX : 0;
    uint32_t head = SENTRY_FRAMES_MAX / 4, k = 0, i = 0;
    *ret = (struct sentry_stack){ 0 };
    if (!n)
        return 0;
    struct sentry_frame *frames = arena_alloc_array(arena, n - cut, sizeof *frames);
    if (!frames)
        return ERR_NOMEM;
    for (const struct json_node *f = list->first; f; f = f->next, i++)
        if (json_is(f, JSON_OBJECT) && (!cut || i < head || i >= head + cut))
            frame_read(f, &frames[k++]);
    *ret = (struct sentry_stack){ frames, k, cut };
    return 0;
}

static int exceptions_read(const struct json_node *event, struct arena *arena, struct sentry_event *e)
{
    uint32_t n, k = 0;
    const struct json_node *list = json_get(event, STR("exception"));
    if (!list)
        list = json_get(event, STR("sentry.interfaces.Exception"));
    const struct json_node *x = sentry_list(list, &n);
    if (!n)
        return 0;
    // Too many: the outermost ones, which stand last, say what happened.
    for (; n > SENTRY_EXCEPTIONS_MAX; n--)
        x = x->next;
    struct sentry_exception *all = arena_zalloc(arena, n * sizeof *all);
    if (!all)
        return ERR_NOMEM;
    for (uint32_t i = 0; x && i < n; x = x->next, i++) {
        const struct json_node *mechanism = json_get(x, STR("mechanism"));
        if (!json_is(x, JSON_OBJECT))
            continue;
        all[k] = (struct sentry_exception){
            .type = json_get_text(x, STR("type")),
            .value = json_get_text(x, STR("value")),
            .module = json_get_text(x, STR("module")),
            .mechanism = json_get_text(mechanism, STR("type")),
            .handled = tri_state(json_get(mechanism, STR("handled"))),
            .synthetic = json_is(json_get(mechanism, STR("synthetic")), JSON_TRUE),
            .node = x,
        };
        int r = sentry_stack_read(json_get(x, STR("stacktrace")), arena, &all[k].stack);
        if (r < 0)
            return r;
        if (all[k].handled == 0 || (all[k].handled == 1 && e->handled < 0))
            e->handled = all[k].handled;
        k++;
    }
    e->exceptions = all;
    e->exceptions_n = k;
    return 0;
}

// The thread that crashed, else the current one, else the only one.
static const struct json_node *thread_of(const struct json_node *event)
{
    uint32_t n;
    const struct json_node *first = sentry_list(json_get(event, STR("threads")), &n), *current = NULL;
    for (const struct json_node *t = first; t && n; t = t->next) {
        if (json_is(json_get(t, STR("crashed")), JSON_TRUE))
            return t;
        if (!current && json_is(json_get(t, STR("current")), JSON_TRUE))
            current = t;
    }
    return current ? current : n == 1 ? first : NULL;
}

static int event_stack_read(const struct json_node *event, struct arena *arena, struct sentry_event *e)
{
    int r = sentry_stack_read(json_get(event, STR("stacktrace")), arena, &e->stack);
    if (r == 0 && !e->stack.n)
        r = sentry_stack_read(json_get(thread_of(event), STR("stacktrace")), arena, &e->stack);
    return r;
}

static void message_read(const struct json_node *event, struct sentry_event *e)
{
    const struct json_node *entry = json_get(event, STR("logentry"));
    if (!entry)
        entry = json_get(event, STR("sentry.interfaces.Message"));
    if (!entry)
        entry = json_get(event, STR("message"));
    if (json_is(entry, JSON_STRING)) {
        e->message = entry->text;
        return;
    }
    e->message_template = json_get_text(entry, STR("message"));
    e->message = json_get_text(entry, STR("formatted"));
    if (!e->message.len)
        e->message = e->message_template;
    if (!e->message.len)
        e->message = json_get_text(event, STR("message"));
}

static const struct json_node *object_of(const struct json_node *event, str name)
{
    const struct json_node *node = json_get(event, name);
    return json_is(node, JSON_OBJECT) ? node : NULL;
}

int sentry_event_read(const struct json_node *root, struct arena *arena, struct sentry_event *ret_event,
                      struct err *err)
{
    if (!json_is(root, JSON_OBJECT))
        return err_set(err, ERR_MALFORMED, NULL, "the event is no JSON object");
    const struct json_node *contexts = object_of(root, STR("contexts")), *sdk = json_get(root, STR("sdk"));
    const struct json_node *tags = json_get(root, STR("tags"));
    // Browsers' SDKs name it in a tag.
    str replay = json_get_text(json_get(contexts, STR("replay")), STR("replay_id"));
    if (replay.len == 0)
        replay = sentry_tag(tags, STR("replayId"));
    struct sentry_event e = {
        .node = root,
        .transaction = str_eq(json_get_text(root, STR("type")), STR("transaction")),
        .id = json_get_text(root, STR("event_id")),
        .platform = json_get_text(root, STR("platform")),
        .logger = json_get_text(root, STR("logger")),
        .name = json_get_text(root, STR("transaction")),
        .culprit = json_get_text(root, STR("culprit")),
        .release = json_get_text(root, STR("release")),
        .dist = json_get_text(root, STR("dist")),
        .environment = json_get_text(root, STR("environment")),
        .server_name = json_get_text(root, STR("server_name")),
        .service = sentry_tag(tags, STR("service")),
        .replay = replay,
        .sdk_name = json_get_text(sdk, STR("name")),
        .sdk_version = json_get_text(sdk, STR("version")),
        .trace = json_get(contexts, STR("trace")),
        .tags = json_is(tags, JSON_OBJECT) || json_is(tags, JSON_ARRAY) ? tags : NULL,
        .contexts = contexts,
        .extra = object_of(root, STR("extra")),
        .user = object_of(root, STR("user")),
        .request = object_of(root, STR("request")),
        .fingerprint = json_get(root, STR("fingerprint")),
        .handled = -1,
    };
    e.severity = sentry_level(json_get_text(root, STR("level")), e.transaction ? SEVERITY_INFO : SEVERITY_ERROR);
    sentry_time(json_get(root, STR("timestamp")), &e.time);
    sentry_time(json_get(root, STR("start_timestamp")), &e.start);
    message_read(root, &e);
    int r = exceptions_read(root, arena, &e);
    if (r == 0)
        r = event_stack_read(root, arena, &e);
    if (r < 0)
        return err_set(err, r, NULL, "the event does not fit the memory that it may take");
    *ret_event = e;
    return 0;
}

const struct sentry_exception *sentry_event_main(const struct sentry_event *e)
{
    return e->exceptions_n ? &e->exceptions[e->exceptions_n - 1] : NULL;
}

const struct sentry_stack *sentry_event_stack(const struct sentry_event *e)
{
    const struct sentry_exception *x = sentry_event_main(e);
    return x && x->stack.n ? &x->stack : &e->stack;
}

const struct sentry_frame *sentry_stack_top(const struct sentry_stack *s)
{
    for (uint32_t i = s->n; i > 0; i--)
        if (s->frames[i - 1].in_app == 1)
            return &s->frames[i - 1];
    return s->n ? &s->frames[s->n - 1] : NULL;
}
