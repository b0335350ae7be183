#include "filters/filters_internal.h"

#include "wire/sentry_event.h"

static const str slugs[FILTER_REASONS_N] = {
#define FILTER_SLUG(name, slug) [FILTER_##name] = STR_INIT(slug),
    FILTER_REASONS(FILTER_SLUG)
#undef FILTER_SLUG
};

str filter_reason_slug(enum filter_reason reason) { return slugs[reason]; }

bool filters_glob(const struct filters *f, enum filter_list list, str value)
{
    for (uint32_t i = 0; value.len && i < f->n[list]; i++)
        if (glob_match(&f->globs[list][i], value))
            return true;
    return false;
}

static bool address_refused(const struct filters *f, str text)
{
    struct address a;
    if (!f->n[FILTER_LIST_ADDRESSES] || !address_read(text, &a))
        return false;
    for (uint32_t i = 0; i < f->n[FILTER_LIST_ADDRESSES]; i++)
        if (network_holds(&f->networks[i], &a))
            return true;
    return false;
}

// ---- who and where: of events, transactions, replays and sessions

static str header_of(const struct json_node *request, str name)
{
    const struct json_node *headers = json_get(request, STR("headers"));
    for (const struct json_node *m = json_first_of(headers, JSON_OBJECT); m; m = m->next) {
        if (!str_ieq(m->key, name))
            continue;
        return json_is(m, JSON_ARRAY) && m->first ? json_text_of(m->first) : json_text_of(m);
    }
    for (const struct json_node *pair = json_first_of(headers, JSON_ARRAY); pair; pair = pair->next)
        if (json_is(pair, JSON_ARRAY) && pair->n == 2 && str_ieq(json_text_of(pair->first), name))
            return json_text_of(pair->first->next);
    return (str){ 0 };
}

// The host of a URL, without its port.
static bool url_is_local(str url)
{
    static const str hosts[] = { STR_INIT("localhost"), STR_INIT("127.0.0.1"), STR_INIT("[::1]"), STR_INIT("0.0.0.0") };
    ptrdiff_t at = str_find(url, STR("://"));
    if (str_starts(url, STR("file://")))
        return true;
    if (at < 0)
        return false;
    str rest = str_slice(url, (size_t)at + 3, url.len);
    for (size_t i = 0; i < sizeof hosts / sizeof hosts[0]; i++) {
        str h = hosts[i];
        if (rest.len >= h.len && str_ieq(str_slice(rest, 0, h.len), h) &&
            (rest.len == h.len || rest.ptr[h.len] == ':' || rest.ptr[h.len] == '/' || rest.ptr[h.len] == '?' ||
             rest.ptr[h.len] == '#'))
            return true;
    }
    return false;
}

static bool address_is_local(str text)
{
    struct address a;
    return text.len && address_read(text, &a) && address_is_loopback(&a);
}

static enum filter_reason browser_check(const struct filters *f, str header, const struct json_node *contexts)
{
    if (header.len && f->on[FILTER_SWITCH_WEB_CRAWLERS] && user_agent_is_crawler(header))
        return FILTER_WEB_CRAWLER;
    if (!f->browsers)
        return FILTER_NONE;
    struct user_agent a = user_agent_read(header);
    const struct json_node *browser = json_get(contexts, STR("browser"));
    if (a.family == USER_AGENT_FAMILIES_N && browser)
        a = user_agent_named(json_get_text(browser, STR("name")), json_get_text(browser, STR("version")));
    bool chosen = a.family < USER_AGENT_FAMILIES_N && (f->browsers >> a.family & 1);
    return chosen && user_agent_is_old(a) ? FILTER_LEGACY_BROWSER : FILTER_NONE;
}

static enum filter_reason session_check(const struct filters *f, const struct json_node *root, str peer)
{
    const struct json_node *attrs = json_get(root, STR("attrs"));
    str address = json_get_text(attrs, STR("ip_address"));
    if (address_refused(f, peer) || address_refused(f, address))
        return FILTER_ADDRESS;
    if (filters_glob(f, FILTER_LIST_RELEASES, json_get_text(attrs, STR("release"))))
        return FILTER_RELEASE;
    if (f->on[FILTER_SWITCH_LOCALHOST] && address_is_local(address))
        return FILTER_LOCALHOST;
    return browser_check(f, json_get_text(attrs, STR("user_agent")), NULL);
}

// ---- what went wrong

// "TYPE: VALUE" against the globs; not copied together when one of them is missing.
static bool exception_refused(const struct filters *f, str type, str value)
{
    char both[GLOB_VALUE_MAX];
    if (!f->n[FILTER_LIST_ERRORS])
        return false;
    if (!type.len || !value.len)
        return filters_glob(f, FILTER_LIST_ERRORS, type.len ? type : value);
    size_t n = type.len < sizeof both / 2 ? type.len : sizeof both / 2;
    memcpy(both, type.ptr, n);
    both[n++] = ':';
    both[n++] = ' ';
    size_t rest = value.len < sizeof both - n ? value.len : sizeof both - n;
    memcpy(both + n, value.ptr, rest);
    return filters_glob(f, FILTER_LIST_ERRORS, str_of(both, n + rest));
}

// The file of the innermost frame that has one.
static str source_of(const struct json_node *exception)
{
    const struct json_node *frames = json_get(json_get(exception, STR("stacktrace")), STR("frames"));
    str source = { 0 };
    for (const struct json_node *frame = json_first_of(frames, JSON_ARRAY); frame; frame = frame->next) {
        str path = json_get_text(frame, STR("abs_path"));
        if (!path.len)
            path = json_get_text(frame, STR("filename"));
        if (path.len && !str_eq(path, STR("<anonymous>")) && !str_eq(path, STR("[native code]")))
            source = path;
    }
    return source;
}

static enum filter_reason exception_check(const struct filters *f, const struct json_node *exception)
{
    str type = json_get_text(exception, STR("type")), value = json_get_text(exception, STR("value"));
    if (exception_refused(f, type, value))
        return FILTER_MESSAGE;
    if (f->on[FILTER_SWITCH_HYDRATION_ERRORS] && filters_is_hydration(value))
        return FILTER_HYDRATION;
    if (f->on[FILTER_SWITCH_CHUNK_LOAD_ERRORS] && filters_is_chunk_load(type, value))
        return FILTER_CHUNK_LOAD;
    if (f->on[FILTER_SWITCH_BROWSER_EXTENSIONS] && filters_is_extension(value, source_of(exception)))
        return FILTER_BROWSER_EXTENSION;
    return FILTER_NONE;
}

static enum filter_reason error_check(const struct filters *f, const struct json_node *root)
{
    const struct json_node *list = json_get(root, STR("exception")), *entry = json_get(root, STR("logentry"));
    enum filter_reason reason = FILTER_NONE;
    uint32_t n;
    for (const struct json_node *e = sentry_list(list, &n); e && n-- > 0 && reason == FILTER_NONE; e = e->next)
        reason = exception_check(f, e);
    if (reason != FILTER_NONE || !f->n[FILTER_LIST_ERRORS])
        return reason;
    if (!entry)
        entry = json_get(root, STR("sentry.interfaces.Message"));
    str texts[] = { json_get_text(root, STR("message")), json_get_text(entry, STR("formatted")),
                    json_get_text(entry, STR("message")),
                    json_get_text(json_get(root, STR("message")), STR("formatted")) };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (filters_glob(f, FILTER_LIST_ERRORS, texts[i]))
            return FILTER_MESSAGE;
    return FILTER_NONE;
}

enum filter_reason filters_check(const struct filters *f, enum filter_kind kind, const struct json_node *root, str peer)
{
    if (kind == FILTER_SESSION)
        return session_check(f, root, peer);
    const struct json_node *user = json_get(root, STR("user")), *request = json_get(root, STR("request"));
    str address = json_get_text(user, STR("ip_address"));
    if (address_refused(f, peer) || address_refused(f, address))
        return FILTER_ADDRESS;
    if (f->n[FILTER_LIST_RELEASES] && filters_glob(f, FILTER_LIST_RELEASES, json_get_text(root, STR("release"))))
        return FILTER_RELEASE;
    if (kind == FILTER_TRANSACTION && f->on[FILTER_SWITCH_HEALTH_CHECKS] &&
        filters_is_health_check(json_get_text(root, STR("transaction"))))
        return FILTER_HEALTH_CHECK;
    if (f->on[FILTER_SWITCH_LOCALHOST] &&
        (address_is_local(address) || url_is_local(json_get_text(request, STR("url")))))
        return FILTER_LOCALHOST;
    enum filter_reason reason = FILTER_NONE;
    if (f->browsers || f->on[FILTER_SWITCH_WEB_CRAWLERS])
        reason = browser_check(f, header_of(request, STR("User-Agent")), json_get(root, STR("contexts")));
    return reason == FILTER_NONE && kind == FILTER_ERROR ? error_check(f, root) : reason;
}

// ---- containers

// {"value": ..., "type": ...}
static str attribute(const struct json_node *item, str name)
{
    const struct json_node *a = json_get(json_get(item, STR("attributes")), name);
    return json_is(a, JSON_OBJECT) ? json_get_text(a, STR("value")) : json_text_of(a);
}

static enum filter_reason item_check(const struct filters *f, bool log, const struct json_node *item)
{
    if (f->n[FILTER_LIST_ADDRESSES] && address_refused(f, attribute(item, STR("user.ip_address"))))
        return FILTER_ADDRESS;
    if (f->n[FILTER_LIST_RELEASES] && filters_glob(f, FILTER_LIST_RELEASES, attribute(item, STR("sentry.release"))))
        return FILTER_RELEASE;
    if (log)
        return filters_glob(f, FILTER_LIST_LOGS, json_get_text(item, STR("body"))) ? FILTER_LOG : FILTER_NONE;
    if (f->on[FILTER_SWITCH_HEALTH_CHECKS] && filters_is_health_check(attribute(item, STR("sentry.segment.name"))))
        return FILTER_HEALTH_CHECK;
    if (f->browsers || f->on[FILTER_SWITCH_WEB_CRAWLERS])
        return browser_check(f, attribute(item, STR("user_agent.original")), NULL);
    return FILTER_NONE;
}

void filters_container(const struct filters *f, str type, const struct json_node *container, str peer,
                       uint32_t counts[FILTER_REASONS_N])
{
    bool log = str_eq(type, STR("log")), refused = address_refused(f, peer);
    // Made by json_tree_read(): ours to change.
    struct json_node *items = (struct json_node *)json_get(container, STR("items"));
    if ((!log && !str_eq(type, STR("span"))) || !json_is(items, JSON_ARRAY))
        return;
    const struct json_node **at = &items->first;
    while (*at) {
        enum filter_reason reason = refused ? FILTER_ADDRESS : item_check(f, log, *at);
        if (reason == FILTER_NONE) {
            at = &((struct json_node *)*at)->next;
            continue;
        }
        counts[reason]++;
        items->n--;
        *at = (*at)->next;
    }
}
