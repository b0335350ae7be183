// Fingerprints: what the SDK sent, what the first rule that matches says, and what the variables in them mean.
#include "base/utf8.h"
#include "grouping/grouping_internal.h"
#include "grouping/message.h"

// --- variables

// {{ name }} and nothing else -> name; empty: it is none.
static str variable_name(str s)
{
    if (!str_starts(s, STR("{{")) || !str_ends(s, STR("}}")) || s.len < 5)
        return (str){ 0 };
    str name = str_trim(str_slice(s, 2, s.len - 2));
    for (size_t i = 0; i < name.len; i++)
        if (message_space_at(name, i))
            return (str){ 0 };
    return name;
}

bool fingerprint_is_default(str value) { return str_eq(variable_name(value), STR("default")); }

static const struct gexception *last_exception(const struct run *run)
{
    return run->exceptions_n ? &run->exceptions[run->exceptions_n - 1] : NULL;
}

// The innermost frame of the application, else the innermost one.
static const struct gframe *crash_frame(const struct run *run)
{
    const struct gexception *x = last_exception(run);
    const struct gstack *s = x && x->stack.n       ? &x->stack
                             : run->stack.n        ? &run->stack
                             : run->threads_n == 1 ? &run->threads[0].stack
                                                   : NULL;
    for (uint32_t i = s ? s->n : 0; i > 0; i--)
        if (s->frames[i - 1].in_app == 1)
            return &s->frames[i - 1];
    return s && s->n ? &s->frames[s->n - 1] : NULL;
}

static str level(const struct run *run)
{
    str text = json_get_text(run->event->node, STR("level"));
    return text.len ? text : STR("error");
}

static str tag(const struct run *run, str name)
{
    const struct sentry_event *e = run->event;
    str value = str_trim(sentry_tag(e->tags, name));
    if (value.len)
        return value;
    return str_eq(name, STR("transaction"))   ? e->name
           : str_eq(name, STR("environment")) ? e->environment
           : str_eq(name, STR("release"))     ? e->release
           : str_eq(name, STR("level"))       ? level(run)
           : str_eq(name, STR("logger"))      ? e->logger
           : str_eq(name, STR("server_name")) ? e->server_name
                                              : (str){ 0 };
}

static str base_name(str path)
{
    size_t i = path.len;
    while (i && path.ptr[i - 1] != '/' && path.ptr[i - 1] != '\\')
        i--;
    return str_slice(path, i, path.len);
}

static str either(str a, str b) { return a.len ? a : b; }

static str message(const struct run *run)
{
    const struct gexception *x = last_exception(run);
    str text = either(run->event->message, run->event->message_template);
    return text.len ? text : x ? x->value : (str){ 0 };
}

static str without_values(struct run *run, str text)
{
    str out = text;
    if (text.len && message_parameterize(text, run->arena, &out) < 0)
        return (str){ 0 };
    return out;
}

static bool one_of(str s, const char *a, const char *b) { return str_eq(s, str_z(a)) || str_eq(s, str_z(b)); }

// The variable's value for this event, or words that say that it has none. ptr is NULL when memory is out.
static str resolve(struct run *run, str name)
{
    const struct sentry_event *e = run->event;
    const struct gexception *x = last_exception(run);
    const struct gframe *f = crash_frame(run);
    str none = { 0 };
    if (str_eq(name, STR("transaction")))
        return either(e->name, STR("<no-transaction>"));
    if (str_eq(name, STR("message")))
        return either(without_values(run, message(run)), STR("<no-message>"));
    if (str_eq(name, STR("raw_message")))
        return either(message(run), STR("<no-message>"));
    if (one_of(name, "type", "error.type"))
        return either(x ? x->type : none, STR("<no-type>"));
    if (one_of(name, "value", "error.value"))
        return either(x ? without_values(run, x->value) : none, STR("<no-value>"));
    if (one_of(name, "raw_value", "error.raw_value"))
        return either(x ? x->value : none, STR("<no-value>"));
    if (one_of(name, "function", "stack.function"))
        return either(f ? f->function : none, STR("<no-function>"));
    if (one_of(name, "path", "stack.abs_path"))
        return either(f ? either(f->abs_path, f->filename) : none, STR("<no-abs-path>"));
    if (str_eq(name, STR("stack.filename")))
        return either(f ? either(f->filename, f->abs_path) : none, STR("<no-filename>"));
    if (one_of(name, "module", "stack.module"))
        return either(f ? f->module : none, STR("<no-module>"));
    if (one_of(name, "package", "stack.package"))
        return either(f ? base_name(f->package) : none, STR("<no-package>"));
    if (str_eq(name, STR("level")))
        return level(run);
    if (str_eq(name, STR("logger")))
        return either(e->logger, STR("<no-logger>"));
    if (str_starts(name, STR("tags."))) {
        str key = str_slice(name, 5, name.len), value = tag(run, key);
        return value.len ? value : arena_printf(run->arena, "<no-value-for-tag-%.*s>", STR_ARG(key));
    }
    return arena_printf(run->arena, "<unrecognized-variable-%.*s>", STR_ARG(name));
}

// A text that is one of the event's messages counts as the message would.
static str constant(struct run *run, str value)
{
    bool is = str_eq(value, run->event->message) || str_eq(value, run->event->message_template);
    for (uint32_t i = 0; i < run->exceptions_n && !is; i++)
        is = str_eq(value, run->exceptions[i].value);
    return is && value.len ? without_values(run, value) : value;
}

// A title is for people, and no hash: its variables stand for what the event says.
static str as_sent(str name)
{
    if (str_eq(name, STR("message")))
        return STR("raw_message");
    return one_of(name, "value", "error.value") ? STR("raw_value") : name;
}

str fingerprint_title(struct run *run)
{
    enum { TITLE_MAX = 1024 };
    str s = run->rule ? run->rule->title : (str){ 0 };
    char *out = s.len ? arena_alloc_bytes(run->arena, TITLE_MAX) : NULL;
    size_t n = 0;
    for (size_t i = 0; out && i < s.len && n < TITLE_MAX;) {
        str rest = str_slice(s, i, s.len);
        ptrdiff_t end = str_starts(rest, STR("{{")) ? str_find(rest, STR("}}")) : -1;
        str name = end < 0 ? (str){ 0 } : variable_name(str_slice(rest, 0, (size_t)end + 2));
        if (!name.len) {
            out[n++] = s.ptr[i++];
            continue;
        }
        str value = resolve(run, as_sent(name));
        str fits = utf8_cut(value, TITLE_MAX - n);
        if (fits.len)
            memcpy(out + n, fits.ptr, fits.len);
        n += fits.len;
        i += (size_t)end + 2;
    }
    return str_of(out, n);
}

// --- rules

enum group { GROUP_TOP, GROUP_LOG, GROUP_EXCEPTION, GROUP_EVENT, GROUP_FRAME, GROUPS };

static enum group group_of(const struct matcher *m)
{
    switch (m->field) {
    case FIELD_MESSAGE:
        return GROUP_TOP;
    case FIELD_LOGGER:
    case FIELD_LEVEL:
        return GROUP_LOG;
    case FIELD_TYPE:
    case FIELD_VALUE:
        return GROUP_EXCEPTION;
    case FIELD_TAG:
    case FIELD_SDK:
    case FIELD_RELEASE:
    case FIELD_FAMILY:
        return GROUP_EVENT;
    default:
        return GROUP_FRAME;
    }
}

static bool text_matches(const struct matcher *m, str value) { return value.len && glob_match(&m->glob, value); }

static bool event_matches(const struct run *run, const struct matcher *m)
{
    const struct sentry_event *e = run->event;
    bool is = false;
    if (m->field == FIELD_FAMILY)
        is = m->families & family_of(run->platform);
    else if (m->field == FIELD_TAG)
        is = text_matches(m, tag(run, m->tag));
    else if (m->field == FIELD_RELEASE)
        is = text_matches(m, str_trim(e->release));
    else if (m->field == FIELD_LOGGER)
        is = text_matches(m, e->logger);
    else if (m->field == FIELD_LEVEL)
        is = text_matches(m, level(run));
    else // sdk:a,b
        for (size_t i = 0; i <= m->text.len && !is;) {
            ptrdiff_t comma = str_find_char(m->text, ',', i);
            str word = str_slice(m->text, i, comma < 0 ? m->text.len : (size_t)comma);
            is = str_eq(word, STR("all")) || (e->sdk_name.len && str_eq(word, e->sdk_name));
            i = comma < 0 ? m->text.len + 1 : (size_t)comma + 1;
        }
    return is != m->negated;
}

static bool exception_matches(const struct gexception *x, const struct matcher *m)
{
    return text_matches(m, m->field == FIELD_TYPE ? x->type : str_trim(x->value)) != m->negated;
}

static bool frame_matches(const struct gframe *f, const struct matcher *m)
{
    bool is = m->field == FIELD_FUNCTION  ? text_matches(m, either(f->function, STR("<unknown>")))
              : m->field == FIELD_MODULE  ? text_matches(m, f->module)
              : m->field == FIELD_PACKAGE ? text_matches(m, f->package)
              : m->field == FIELD_APP     ? m->app == f->in_app
                                          : text_matches(m, f->abs_path) || text_matches(m, f->filename);
    return is != m->negated;
}

static bool stack_matches(const struct gstack *s, const struct fingerprint_rule *rule)
{
    for (uint32_t i = 0; i < s->n; i++) {
        bool all = true;
        for (uint8_t k = 0; k < rule->matchers_n && all; k++) {
            const struct matcher *m = &rule->matchers[k];
            if (group_of(m) != GROUP_FRAME)
                continue;
            all = !(m->offset < 0 && i == 0) && !(m->offset > 0 && i + 1 >= s->n) &&
                  frame_matches(&s->frames[i + (uint32_t)m->offset], m);
        }
        if (all)
            return true;
    }
    return false;
}

// All matchers of the group hold for one and the same thing.
static bool group_matches(const struct run *run, const struct fingerprint_rule *rule, enum group group, str text,
                          const struct gexception *x)
{
    for (uint8_t k = 0; k < rule->matchers_n; k++) {
        const struct matcher *m = &rule->matchers[k];
        if (group_of(m) != group)
            continue;
        bool is = group == GROUP_TOP         ? text_matches(m, text) != m->negated
                  : group == GROUP_EXCEPTION ? exception_matches(x, m)
                                             : event_matches(run, m);
        if (!is)
            return false;
    }
    return true;
}

static bool frames_match(const struct run *run, const struct fingerprint_rule *rule)
{
    bool any = false;
    for (uint32_t i = 0; i < run->exceptions_n; i++) {
        any |= run->exceptions[i].stack.n > 0;
        if (stack_matches(&run->exceptions[i].stack, rule))
            return true;
    }
    if (any)
        return false;
    if (run->stack.n)
        return stack_matches(&run->stack, rule);
    for (uint32_t i = 0; i < run->threads_n; i++)
        if ((run->threads_n == 1 || run->threads[i].crashed || run->threads[i].current) &&
            stack_matches(&run->threads[i].stack, rule))
            return true;
    return false;
}

static bool rule_matches(const struct run *run, const struct fingerprint_rule *rule)
{
    bool asks[GROUPS] = { false }, is;
    for (uint8_t k = 0; k < rule->matchers_n; k++)
        asks[group_of(&rule->matchers[k])] = true;
    if ((asks[GROUP_EVENT] && !group_matches(run, rule, GROUP_EVENT, (str){ 0 }, NULL)) ||
        (asks[GROUP_LOG] && !group_matches(run, rule, GROUP_LOG, (str){ 0 }, NULL)))
        return false;
    if (asks[GROUP_TOP]) {
        is = run->event->message.len && group_matches(run, rule, GROUP_TOP, str_trim(run->event->message), NULL);
        for (uint32_t i = 0; i < run->exceptions_n && !is; i++)
            is = group_matches(run, rule, GROUP_TOP, str_trim(run->exceptions[i].value), NULL);
        if (!is)
            return false;
    }
    is = !asks[GROUP_EXCEPTION];
    for (uint32_t i = 0; i < run->exceptions_n && !is; i++)
        is = group_matches(run, rule, GROUP_EXCEPTION, (str){ 0 }, &run->exceptions[i]);
    return is && (!asks[GROUP_FRAME] || frames_match(run, rule));
}

// --- which

static void sent(struct run *run)
{
    const struct json_node *node = run->event->fingerprint;
    const struct json_node *v = json_is(node, JSON_ARRAY) ? node->first : json_is(node, JSON_STRING) ? node : NULL;
    for (; v && run->fingerprint_n < GROUPING_VALUES_MAX; v = v == node ? NULL : v->next)
        if (v->type == JSON_STRING || v->type == JSON_NUMBER)
            run->fingerprint[run->fingerprint_n++] = v->text;
        else if (v->type == JSON_TRUE || v->type == JSON_FALSE)
            run->fingerprint[run->fingerprint_n++] = v->type == JSON_TRUE ? STR("True") : STR("False");
}

int fingerprint_choose(struct run *run)
{
    sent(run);
    for (uint32_t i = 0; i < run->rules->fingerprint_n && !run->rule; i++)
        if (rule_matches(run, &run->rules->fingerprint[i]))
            run->rule = &run->rules->fingerprint[i];
    if (run->rule) {
        run->fingerprint_n = run->rule->values_n;
        memcpy(run->fingerprint, run->rule->values, sizeof run->rule->values);
    }
    bool defaults = false;
    for (uint32_t i = 0; i < run->fingerprint_n; i++) {
        str name = variable_name(run->fingerprint[i]);
        bool is_default = str_eq(name, STR("default"));
        defaults |= is_default;
        run->resolved[i] = is_default ? STR("{{ default }}")
                           : name.len ? resolve(run, name)
                                      : constant(run, run->fingerprint[i]);
        if (!run->resolved[i].ptr && run->fingerprint[i].len)
            return ERR_NOMEM;
    }
    run->hybrid = defaults && run->fingerprint_n > 1;
    run->custom = run->fingerprint_n && !defaults;
    return 0;
}
