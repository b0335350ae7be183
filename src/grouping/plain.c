// What has neither exception nor stack: templates, reports of browsers, messages.
#include "grouping/grouping_internal.h"
#include "grouping/message.h"

static const struct json_node *interface(const struct run *run, const char *name, const char *old)
{
    const struct json_node *node = json_get(run->event->node, str_z(name));
    if (!node)
        node = json_get(run->event->node, str_z(old));
    return json_is(node, JSON_OBJECT) ? node : NULL;
}

static int template_components(struct run *run)
{
    const struct json_node *node = interface(run, "template", "sentry.interfaces.Template");
    if (!node)
        return 0;
    struct component *c = component_new(run->arena, "template");
    str file = json_get_text(node, STR("filename")), line = json_get_text(node, STR("context_line"));
    if (!c)
        return ERR_NOMEM;
    if (file.ptr)
        component_add(c, component_text(run->arena, "filename", file));
    if (line.ptr)
        component_add(c, component_text(run->arena, "context_line", line));
    component_settle(c);
    return strategy_add(run, "the template", NULL, NULL, c);
}

static str scheme_and_host(str uri, str *ret_host)
{
    ptrdiff_t colon = str_find_char(uri, ':', 0);
    str scheme = colon < 0 ? uri : str_slice(uri, 0, (size_t)colon);
    *ret_host = (str){ 0 };
    if (colon >= 0 && str_starts(str_slice(uri, (size_t)colon, uri.len), STR("://"))) {
        size_t start = (size_t)colon + 3, end = start;
        while (end < uri.len && !strchr("/?#", uri.ptr[end]))
            end++;
        *ret_host = str_slice(uri, start, end);
    }
    return scheme;
}

// What was blocked, as far as it is the same for all: a host, or a scheme.
static str blocked(struct run *run, str uri)
{
    str host, scheme;
    if (!uri.len || str_eq(uri, STR("self")) || str_eq(uri, STR("'self'")))
        return STR("'self'");
    scheme = scheme_and_host(uri, &host);
    if (str_eq(scheme, STR("http")) || str_eq(scheme, STR("https")))
        return host;
    return arena_printf(run->arena, host.len ? "%.*s://%.*s" : "%.*s:%.*s", STR_ARG(scheme), STR_ARG(host));
}

static int csp_components(struct run *run)
{
    const struct json_node *node = interface(run, "csp", "sentry.interfaces.Csp");
    if (!node)
        return 0;
    str directive = json_get_text(node, STR("effective_directive")),
        violated = json_get_text(node, STR("violated_directive"));
    str uri = blocked(run, json_get_text(node, STR("blocked_uri"))), local = { 0 };
    struct component *c = component_new(run->arena, "csp"), *salt = component_text(run->arena, "salt", directive),
                     *violation, *what;
    if (violated.len && str_eq(directive, STR("script-src")) && str_eq(uri, STR("'self'")))
        local = str_find(violated, STR("'unsafe-inline'")) >= 0 ? STR("'unsafe-inline'")
                : str_find(violated, STR("'unsafe-eval'")) >= 0 ? STR("'unsafe-eval'")
                                                                : (str){ 0 };
    violation = local.len ? component_text(run->arena, "violation", local) : component_new(run->arena, "violation");
    what = component_text(run->arena, "uri", uri);
    if (!c || !salt || !violation || !what || !uri.ptr)
        return ERR_NOMEM;
    if (local.len)
        component_ignore(what, "ignored: what was violated says more");
    component_add(c, salt);
    component_add(c, violation);
    component_add(c, what);
    component_settle(c);
    return strategy_add(run, "the policy's report", NULL, NULL, c);
}

static int report_components(struct run *run)
{
    static const struct {
        const char *name, *old, *id, *salt;
    } kinds[] = { { "hpkp", "sentry.interfaces.Hpkp", "hpkp", "hpkp" },
                  { "expectstaple", "sentry.interfaces.ExpectStaple", "expect_staple", "expect-staple" },
                  { "expectct", "sentry.interfaces.ExpectCT", "expect_ct", "expect-ct" } };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof kinds / sizeof kinds[0]; i++) {
        const struct json_node *node = interface(run, kinds[i].name, kinds[i].old);
        if (!node)
            continue;
        struct component *c = component_new(run->arena, kinds[i].id);
        if (!c)
            return ERR_NOMEM;
        component_add(c, component_text(run->arena, "salt", str_z(kinds[i].salt)));
        component_add(c, component_text(run->arena, "hostname", json_get_text(node, STR("hostname"))));
        component_settle(c);
        r = strategy_add(run, "the browser's report", NULL, NULL, c);
    }
    return r;
}

static int message_components(struct run *run)
{
    str raw = run->event->message_template.len ? run->event->message_template : run->event->message, text;
    if (!raw.len)
        return 0;
    int r = message_normalize(raw, run->arena, &text);
    struct component *c = r == 0 ? component_text(run->arena, "message", text) : NULL;
    if (!c)
        return ERR_NOMEM;
    if (!str_eq(text, raw))
        c->hint = "without values of this one event";
    return strategy_add(run, "the message", NULL, NULL, c);
}

int plain_components(struct run *run)
{
    int r = template_components(run);
    if (r == 0 && (run->explain || !run->winner))
        r = csp_components(run);
    if (r == 0 && (run->explain || !run->winner))
        r = report_components(run);
    if (r == 0 && (run->explain || !run->winner))
        r = message_components(run);
    return r;
}
