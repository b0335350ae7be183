// What browsers report by themselves: violations of policies as events, failures of the network as logs.
#include "wire/sentry_build.h"
#include "wire/sentry_items.h"

enum { EVENT_JSON_MAX = 1 << 20, MEMBERS_MAX = 64 };

// "blockedURL", "blocked-uri" -> "blocked_uri"
static str member_name(struct arena *arena, str key)
{
    static const struct {
        str sent, name;
    } known[] = { { STR_INIT("documentURL"), STR_INIT("document_uri") },
                  { STR_INIT("blockedURL"), STR_INIT("blocked_uri") },
                  { STR_INIT("sample"), STR_INIT("script_sample") },
                  { STR_INIT("sourceFile"), STR_INIT("source_file") },
                  { STR_INIT("effectiveDirective"), STR_INIT("effective_directive") },
                  { STR_INIT("violatedDirective"), STR_INIT("violated_directive") },
                  { STR_INIT("originalPolicy"), STR_INIT("original_policy") },
                  { STR_INIT("statusCode"), STR_INIT("status_code") },
                  { STR_INIT("lineNumber"), STR_INIT("line_number") },
                  { STR_INIT("columnNumber"), STR_INIT("column_number") } };
    char *out;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(key, known[i].sent))
            return known[i].name;
    if (!(out = arena_alloc_bytes(arena, key.len ? key.len : 1)))
        return (str){ 0 };
    for (size_t i = 0; i < key.len; i++)
        out[i] = key.ptr[i] == '-' ? '_' : key.ptr[i];
    return str_of(out, key.len);
}

struct report {
    const char *interface; // "csp", "hpkp", "expectct", "expectstaple"
    const struct json_node *body;
};

static bool report_of(const struct json_node *root, struct report *ret)
{
    static const struct {
        str member;
        const char *interface;
    } wrapped[] = { { STR_INIT("csp-report"), "csp" },
                    { STR_INIT("expect-ct-report"), "expectct" },
                    { STR_INIT("expect-staple-report"), "expectstaple" } };
    const struct json_node *body = json_get(root, STR("body"));
    if (str_eq(json_get_text(root, STR("type")), STR("csp-violation")) && json_is(body, JSON_OBJECT)) {
        *ret = (struct report){ "csp", body };
        return true;
    }
    for (size_t i = 0; i < sizeof wrapped / sizeof wrapped[0]; i++) {
        body = json_get(root, wrapped[i].member);
        if (json_is(body, JSON_OBJECT)) {
            *ret = (struct report){ wrapped[i].interface, body };
            return true;
        }
    }
    *ret = (struct report){ "hpkp", root };
    return json_get(root, STR("known-pins")) || json_get(root, STR("noted-hostname"));
}

static str first_word(str s)
{
    ptrdiff_t space = str_find_char(str_trim(s), ' ', 0);
    return space < 0 ? str_trim(s) : str_slice(str_trim(s), 0, (size_t)space);
}

static str host_of(str uri)
{
    ptrdiff_t at = str_find(uri, STR("://"));
    if (at < 0)
        return uri;
    str host = str_slice(uri, (size_t)at + 3, uri.len);
    for (size_t i = 0; i < host.len; i++)
        if (strchr("/?#", host.ptr[i]))
            return str_slice(host, 0, i);
    return host;
}

static str text_either(const struct json_node *body, const char *old, const char *modern)
{
    str text = json_get_text(body, str_z(old));
    return text.len ? text : json_get_text(body, str_z(modern));
}

struct words {
    str message, culprit, directive, blocked, url, referrer;
};

static bool words_of(const struct report *r, struct arena *arena, struct words *w)
{
    bool csp = str_eq(str_z(r->interface), STR("csp"));
    *w = (struct words){ 0 };
    w->url = text_either(r->body, "document-uri", "documentURL");
    w->referrer = json_get_text(r->body, STR("referrer"));
    if (!csp) {
        str host = json_get_text(r->body, STR("hostname"));
        str kind = str_eq(str_z(r->interface), STR("hpkp"))       ? STR("Public key pinning")
                   : str_eq(str_z(r->interface), STR("expectct")) ? STR("Expect-CT")
                                                                  : STR("Expect-Staple");
        w->culprit = host;
        w->message = arena_printf(arena, "%.*s failed for '%.*s'", STR_ARG(kind), STR_ARG(host));
        return w->message.ptr != NULL;
    }
    str violated = text_either(r->body, "violated-directive", "violatedDirective");
    w->directive = text_either(r->body, "effective-directive", "effectiveDirective");
    if (!w->directive.len)
        w->directive = first_word(violated);
    w->blocked = text_either(r->body, "blocked-uri", "blockedURL");
    w->culprit = violated.len ? violated : w->directive;
    str what = w->directive;
    static const str ends[] = { STR_INIT("-src-elem"), STR_INIT("-src-attr"), STR_INIT("-src") };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (str_ends(what, ends[i])) {
            what.len -= ends[i].len;
            break;
        }
    bool local = !w->blocked.len || str_eq(w->blocked, STR("self")) || str_eq(w->blocked, STR("inline")) ||
                 str_eq(w->blocked, STR("eval"));
    w->message = local ? arena_printf(arena, "Blocked %s '%.*s'",
                                      str_eq(w->blocked, STR("eval")) ? "eval of" : "inline", STR_ARG(what))
                       : arena_printf(arena, "Blocked '%.*s' from '%.*s'", STR_ARG(what), STR_ARG(host_of(w->blocked)));
    return w->message.ptr != NULL;
}

static void put(struct json_writer *w, const char *key, str text)
{
    if (!text.len)
        return;
    json_put_key(w, str_z(key));
    json_put_str(w, text);
}

static void put_pair(struct json_writer *w, const char *key, str text)
{
    if (!text.len)
        return;
    json_put_array(w);
    json_put_str(w, str_z(key));
    json_put_str(w, text);
    json_put_array_end(w);
}

static void put_interface(struct json_writer *w, const struct report *r, const struct words *words, struct arena *arena)
{
    uint32_t n = 0;
    bool csp = str_eq(str_z(r->interface), STR("csp")), directive = false;
    json_put_key(w, str_z(r->interface));
    json_put_object(w);
    for (const struct json_node *m = r->body->first; m && n < MEMBERS_MAX; m = m->next, n++) {
        str name = member_name(arena, m->key);
        directive |= str_eq(name, STR("effective_directive"));
        json_put_key(w, name);
        json_put_tree(w, m);
    }
    if (csp && !directive)
        put(w, "effective_directive", words->directive);
    json_put_object_end(w);
}

static void put_event(struct json_writer *w, const struct report *r, const struct words *words,
                      const struct sentry_security_origin *origin, struct arena *arena)
{
    json_put_object(w);
    put(w, "type", str_z(r->interface));
    put(w, "logger", str_z(r->interface));
    put(w, "platform", STR("javascript"));
    put(w, "level", STR("error"));
    put(w, "message", words->message);
    put(w, "culprit", words->culprit);
    put(w, "release", origin->release);
    put(w, "environment", origin->environment);
    put_interface(w, r, words, arena);
    json_put_key(w, STR("tags"));
    json_put_array(w);
    put_pair(w, "effective-directive", words->directive);
    put_pair(w, "blocked-uri", words->blocked);
    json_put_array_end(w);
    json_put_key(w, STR("request"));
    json_put_object(w);
    put(w, "url", words->url);
    json_put_key(w, STR("headers"));
    json_put_array(w);
    put_pair(w, "Referer", words->referrer);
    put_pair(w, "User-Agent", origin->user_agent);
    json_put_array_end(w);
    json_put_object_end(w);
    json_put_object_end(w);
}

static int one(const struct json_node *node, const struct sentry_security_origin *origin, struct arena *arena,
               struct sentry_counts *counts, int (*event)(void *ctx, str json, struct err *err), void *ctx,
               struct err *err)
{
    struct report r;
    struct words words;
    struct json_writer w;
    struct buf json;
    if (!json_is(node, JSON_OBJECT) || !report_of(node, &r)) {
        counts->dropped++;
        return 0;
    }
    if (!words_of(&r, arena, &words))
        return ERR_NOMEM;
    struct sentry_security_origin whose = *origin;
    if (json_get_text(node, STR("user_agent")).len)
        whose.user_agent = json_get_text(node, STR("user_agent"));
    buf_init(&json, EVENT_JSON_MAX);
    json_writer_init(&w, &json);
    put_event(&w, &r, &words, &whose, arena);
    int e = json.error;
    if (e == ERR_LIMIT) {
        counts->dropped++;
        e = 0;
    } else if (e == 0) {
        e = event(ctx, buf_view(&json), err);
    }
    buf_free(&json);
    return e;
}

int sentry_security_events(const struct json_node *root, const struct sentry_security_origin *origin,
                           struct arena *arena, struct sentry_counts *counts,
                           int (*event)(void *ctx, str json, struct err *err), void *ctx, struct err *err)
{
    uint32_t n = 0;
    int r = 0;
    if (json_is(root, JSON_OBJECT))
        return one(root, origin, arena, counts, event, ctx, err);
    if (!json_is(root, JSON_ARRAY))
        return err_set(err, ERR_MALFORMED, NULL, "the report is no JSON object");
    for (const struct json_node *node = root->first; node && r == 0; node = node->next) {
        if (n++ == SENTRY_SECURITY_MAX) {
            counts->dropped += root->n - SENTRY_SECURITY_MAX;
            break;
        }
        r = one(node, origin, arena, counts, event, ctx, err);
    }
    return r;
}

static int put_nel(struct sentry_build *b, const struct json_node *node)
{
    const struct json_node *body = json_get(node, STR("body"));
    int64_t age = 0, status = 0;
    if (!json_is(body, JSON_OBJECT) || !str_eq(json_get_text(node, STR("type")), STR("network-error"))) {
        b->counts->dropped++;
        return 0;
    }
    sentry_build_record(b, RECORD_LOGS);
    json_int_of(json_get(node, STR("age")), &age);
    json_int_of(json_get(body, STR("status_code")), &status);
    b->record.time = b->from->received_ns - (age > 0 && age < 86400000 ? age * 1000000 : 0);
    str type = json_get_text(body, STR("type")), method = json_get_text(body, STR("method"));
    str url = json_get_text(node, STR("url"));
    bool ok = str_eq(type, STR("ok"));
    b->record.severity = ok ? 9 : 13;
    str text = arena_printf(b->arena, "%.*s: %.*s %.*s", STR_ARG(type), STR_ARG(method), STR_ARG(url));
    if (!text.ptr)
        return ERR_NOMEM;
    b->record.body = value_str(text);
    sentry_put_text(b, ATTR_RECORD, STR("url.full"), url);
    sentry_put_text(b, ATTR_RECORD, STR("http.request.method"), method);
    if (status > 0)
        sentry_put(b, ATTR_RECORD, STR("http.response.status_code"), value_int(status));
    sentry_put_text(b, ATTR_RECORD, STR("user_agent.original"), json_get_text(node, STR("user_agent")));
    sentry_put_members(b, STR("nel"), body);
    return sentry_build_end(b);
}

int sentry_nel_records(const struct json_node *root, const struct sentry_source *from, struct arena *arena,
                       const struct record_sink *sink, struct sentry_counts *counts)
{
    struct sentry_sender sender = { 0 };
    struct sentry_build *b = arena_alloc(arena, sizeof *b);
    uint32_t n = 0;
    if (!b)
        return ERR_NOMEM;
    if (!json_is(root, JSON_ARRAY) && !json_is(root, JSON_OBJECT))
        return ERR_MALFORMED;
    sentry_build_init(b, arena, from, sink, counts);
    int r = sentry_put_section(b, &sender);
    if (json_is(root, JSON_OBJECT))
        r = r == 0 ? put_nel(b, root) : r;
    else
        for (const struct json_node *node = root->first; node && r == 0 && n < SENTRY_SECURITY_MAX;
             node = node->next, n++)
            r = put_nel(b, node);
    sentry_build_free(b);
    return r;
}
