// Why an event is in its group, for people: every component, and what was done to it.
#include "grouping/grouping.h"
#include "grouping/grouping_internal.h"

enum { HINT_MAX = 512 };

static str component_name(const struct component *c)
{
    static const struct {
        const char *id, *name;
    } names[] = {
        { "app", "in-app" },
        { "system", "all frames" },
        { "default", "event" },
        { "chained_exception", "exceptions" },
        { "exception", "exception" },
        { "stacktrace", "stack trace" },
        { "threads", "thread" },
        { "frame", "frame" },
        { "type", "type" },
        { "value", "value" },
        { "ns_error", "domain and code" },
        { "module", "module" },
        { "filename", "file" },
        { "function", "function" },
        { "context_line", "source line" },
        { "message", "message" },
        { "template", "template" },
        { "csp", "content security policy" },
        { "uri", "blocked" },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(c->id, names[i].id) == 0)
            return str_z(names[i].name);
    return str_z(c->id);
}

static void hint_put(struct arena *arena, str *hint, const char *text, const struct stack_rule *rule)
{
    if (!text)
        return;
    const char *between = hint->len ? "; " : "";
    str all = rule ? arena_printf(arena, "%.*s%s%s (%s%.*s)", STR_ARG(*hint), between, text,
                                  rule->builtin ? "built-in: " : "", STR_ARG(str_slice(rule->text, 0, HINT_MAX)))
                   : arena_printf(arena, "%.*s%s%s", STR_ARG(*hint), between, text);
    if (all.ptr)
        *hint = all;
}

static void component_put(struct json_writer *w, struct arena *arena, const struct component *c, bool app)
{
    struct arena_mark mark = arena_mark(arena);
    str hint = { 0 };
    if (app)
        hint_put(arena, &hint, c->app_hint, c->app_rule);
    if (!app || !c->app_hint || c->in_app) // a frame that is not the application's needs no other reason
        hint_put(arena, &hint, c->hint, c->rule);
    json_put_object(w);
    json_put_key(w, STR("id"));
    json_put_str(w, str_z(c->id));
    json_put_key(w, STR("name"));
    json_put_str(w, component_name(c));
    json_put_key(w, STR("contributes"));
    json_put_bool(w, c->contributes);
    if (hint.len) {
        json_put_key(w, STR("hint"));
        json_put_str(w, hint);
    }
    json_put_key(w, STR("values"));
    json_put_array(w);
    if (c->leaf)
        json_put_str(w, c->value);
    for (const struct component *k = c->first; k; k = k->next)
        if (k->leaf || k->first || k->contributes || k->hint) // what the event does not have is not shown
            component_put(w, arena, k, app);
    json_put_array_end(w);
    json_put_object_end(w);
    arena_rewind(arena, mark);
}

static void text_put(struct json_writer *w, const char *key, str value)
{
    json_put_key(w, str_z(key));
    json_put_str(w, value);
}

static const char *description(const struct run *run, unsigned variant)
{
    const struct component *root = run->roots[variant], *c = NULL;
    for (const struct component *k = root->first; k && !c; k = k->next)
        if (k->contributes)
            c = k;
    if (!c)
        c = root->first;
    if (!c)
        return "nothing";
    bool stack = component_has_stack(c) || strcmp(c->id, "stacktrace") == 0;
    if (variant == VARIANT_DEFAULT)
        return component_name(c).ptr;
    if (!stack)
        return strcmp(c->id, "chained_exception") == 0 ? "types and values of the exceptions"
                                                       : "type and value of the exception";
    return variant == VARIANT_APP ? "the application's part of the stack" : "the whole stack";
}

static void variant_put(struct json_writer *w, const struct run *run, unsigned variant)
{
    static const char *const types[VARIANTS] = { "app", "system", "default" };
    const struct component *root = run->roots[variant];
    char hex[GROUPING_HASH_LEN];
    bool counts = variant_hash(run, variant, hex);
    json_put_object(w);
    text_put(w, "type", variant == VARIANT_DEFAULT && root->first ? str_z(root->first->id) : str_z(types[variant]));
    if (counts)
        text_put(w, "hash", str_of(hex, sizeof hex));
    json_put_key(w, STR("contributes"));
    json_put_bool(w, counts);
    text_put(w, "description", str_z(description(run, variant)));
    if (!counts)
        text_put(w, "hint",
                 run->checksum.len ? STR("ignored: the SDK sent a checksum")
                 : run->custom     ? run->rule ? STR("ignored: a fingerprint rule counts")
                                               : STR("ignored: the SDK's fingerprint counts")
                                   : STR("ignored: another variant counts"));
    else if (run->hybrid)
        text_put(w, "hint", STR("joined with the fingerprint"));
    json_put_key(w, STR("components"));
    component_put(w, run->arena, root, variant == VARIANT_APP);
    json_put_object_end(w);
}

// A checksum, a fingerprint, or that there was nothing.
static void other_put(struct json_writer *w, const struct run *run)
{
    char hex[GROUPING_HASH_LEN];
    other_hash(run, hex);
    json_put_object(w);
    text_put(w, "type",
             run->checksum.len                 ? STR("checksum")
             : !run->custom                    ? STR("fallback")
             : run->rule && run->rule->builtin ? STR("built-in-fingerprint")
                                               : STR("custom-fingerprint"));
    text_put(w, "hash", str_of(hex, sizeof hex));
    json_put_key(w, STR("contributes"));
    json_put_bool(w, true);
    text_put(w, "description",
             run->checksum.len                 ? STR("checksum that the SDK sent")
             : !run->custom                    ? STR("nothing to group by: all such events are one group")
             : run->rule && run->rule->builtin ? STR("built-in fingerprint")
             : run->rule                       ? STR("fingerprint of a rule")
                                               : STR("fingerprint that the SDK sent"));
    json_put_object_end(w);
}

int grouping_explain(const struct grouping_rules *rules, const struct sentry_event *e, struct arena *arena,
                     struct json_writer *w)
{
    struct run run = { .rules = rules, .event = e, .arena = arena, .explain = true };
    char hex[GROUPING_HASH_LEN];
    bool any = false;
    int r = grouping_compute(&run);
    if (r < 0)
        return r;
    json_put_object(w);
    text_put(w, "algorithm", STR(GROUPING_ALGORITHM));
    json_put_key(w, STR("variants"));
    json_put_array(w);
    for (unsigned v = 0; v < VARIANTS; v++)
        any |= variant_hash(&run, v, hex);
    if (!any)
        other_put(w, &run);
    static const unsigned order[VARIANTS] = { VARIANT_APP, VARIANT_DEFAULT, VARIANT_SYSTEM };
    for (unsigned i = 0; i < VARIANTS; i++)
        if (run.roots[order[i]])
            variant_put(w, &run, order[i]);
    json_put_array_end(w);
    if (run.fingerprint_n) {
        json_put_key(w, STR("fingerprint"));
        json_put_array(w);
        for (uint32_t i = 0; i < run.fingerprint_n; i++)
            json_put_str(w, run.resolved[i]);
        json_put_array_end(w);
    }
    if (run.rule)
        text_put(w, "rule", run.rule->text);
    json_put_object_end(w);
    return w->out->error;
}
