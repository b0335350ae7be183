// Error events as Sentry's Python SDK sends them, one an envelope: an exception with a stack of source lines and locals,
// breadcrumbs, tags, contexts, a user. Which issue an event belongs to shows in its type and in the functions of its
// stack. Filled up to the size that is asked for with what large events are large by: locals and breadcrumbs.
#include "gen.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/json.h"

#include <stdio.h>

enum { FRAMES = 6, APP_FRAMES = 2, RELEASES = 5, CRUMB_BYTES = 190 };

static const char *const types[] = { "TypeError",      "ValueError",     "KeyError",        "TimeoutError",
                                     "IntegrityError", "AttributeError", "ConnectionError", "LookupError",
                                     "RuntimeError",   "OSError" };
static const char *const modules[] = { "checkout.pricing", "checkout.orders", "cart.views",  "search.index",
                                       "payments.capture", "mail.render",     "stock.merge", "web.handlers" };
static const char *const verbs[] = { "apply", "load", "create", "merge", "render", "fetch", "price", "reserve" };
static const char *const nouns[] = { "discount", "cart", "order", "stock", "page", "rate", "line", "batch" };

static void key_text(struct json_writer *w, const char *key, const char *text)
{
    json_put_key(w, str_z(key));
    json_put_str(w, str_z(text));
}

static void key_int(struct json_writer *w, const char *key, int64_t n)
{
    json_put_key(w, str_z(key));
    json_put_int(w, n);
}

static void put_lines(struct json_writer *w, const char *key, uint64_t h, int n)
{
    char line[128];
    json_put_key(w, str_z(key));
    json_put_array(w);
    for (int i = 0; i < n; i++, h = hash64_int(h)) {
        snprintf(line, sizeof line, "    %s_%u = %s(%s, %s[%u])", nouns[h & 7], (unsigned)(h >> 8 & 63),
                 verbs[h >> 16 & 7], nouns[h >> 20 & 7], nouns[h >> 24 & 7], (unsigned)(h >> 32 & 15));
        json_put_str(w, str_z(line));
    }
    json_put_array_end(w);
}

static void put_frame(struct json_writer *w, struct rng *r, uint32_t issue, int at)
{
    bool app = at >= FRAMES - APP_FRAMES;
    uint64_t h = hash64_int((uint64_t)issue * 131 + (uint64_t)at);
    const char *module = app ? modules[h & 7] : "starlette.routing";
    char text[160];
    json_put_object(w);
    snprintf(text, sizeof text, app ? "%s_%s_%u" : "%s_%s", verbs[h >> 8 & 7], nouns[h >> 16 & 7], issue);
    key_text(w, "function", app ? text : "__call__");
    key_text(w, "module", module);
    snprintf(text, sizeof text, app ? "%s.py" : "site-packages/%s.py", module);
    key_text(w, "filename", text);
    snprintf(text, sizeof text, "/srv/app/%s.py", module);
    key_text(w, "abs_path", text);
    key_int(w, "lineno", (int64_t)(20 + (h >> 24 & 511)));
    json_put_key(w, STR("in_app"));
    json_put_bool(w, app);
    put_lines(w, "pre_context", h, app ? 3 : 1);
    snprintf(text, sizeof text, "    return %s(%s)", verbs[h >> 8 & 7], nouns[h >> 16 & 7]);
    key_text(w, "context_line", text);
    put_lines(w, "post_context", h >> 7, app ? 2 : 1);
    if (app) {
        json_put_key(w, STR("vars"));
        json_put_object(w);
        for (int i = 0; i < 3; i++) {
            snprintf(text, sizeof text, "<Order id=%u total=Decimal('%u.%02u')>", rng_below(r, 1000000),
                     rng_below(r, 900), rng_below(r, 100));
            key_text(w, nouns[i], text);
        }
        json_put_object_end(w);
    }
    json_put_object_end(w);
}

static void put_exception(struct json_writer *w, struct rng *r, uint32_t issue)
{
    char text[160];
    json_put_key(w, STR("exception"));
    json_put_object(w);
    json_put_key(w, STR("values"));
    json_put_array(w);
    json_put_object(w);
    key_text(w, "type", types[issue % 10]);
    snprintf(text, sizeof text, "order %u of user-%u cannot be priced: %s is None", rng_below(r, 1000000),
             rng_skewed(r, 10000), nouns[issue & 7]);
    key_text(w, "value", text);
    key_text(w, "module", "builtins");
    json_put_key(w, STR("mechanism"));
    json_put_object(w);
    key_text(w, "type", "starlette");
    json_put_key(w, STR("handled"));
    json_put_bool(w, issue % 3 == 0);
    json_put_object_end(w);
    json_put_key(w, STR("stacktrace"));
    json_put_object(w);
    json_put_key(w, STR("frames"));
    json_put_array(w);
    for (int i = 0; i < FRAMES; i++)
        put_frame(w, r, issue, i);
    json_put_array_end(w);
    json_put_object_end(w);
    json_put_object_end(w);
    json_put_array_end(w);
    json_put_object_end(w);
}

static void put_user_and_tags(struct json_writer *w, struct rng *r, uint32_t users)
{
    char text[64];
    json_put_key(w, STR("user"));
    json_put_object(w);
    snprintf(text, sizeof text, "u_%u", rng_below(r, users));
    key_text(w, "id", text);
    snprintf(text, sizeof text, "10.%u.%u.%u", rng_below(r, 256), rng_below(r, 256), rng_below(r, 256));
    key_text(w, "ip_address", text);
    json_put_object_end(w);
    json_put_key(w, STR("tags"));
    json_put_object(w);
    key_text(w, "currency", rng_chance(r, 0.7) ? "EUR" : "USD");
    snprintf(text, sizeof text, "checkout-%u", rng_below(r, 8));
    key_text(w, "instance", text);
    key_text(w, "browser", rng_chance(r, 0.5) ? "Firefox 138" : "Chrome 140");
    json_put_object_end(w);
}

static void put_contexts(struct json_writer *w, const char *trace)
{
    json_put_key(w, STR("contexts"));
    json_put_object(w);
    json_put_key(w, STR("runtime"));
    json_put_object(w);
    key_text(w, "name", "CPython");
    key_text(w, "version", "3.11.2");
    json_put_object_end(w);
    json_put_key(w, STR("trace"));
    json_put_object(w);
    key_text(w, "trace_id", trace);
    key_text(w, "span_id", trace + 16);
    key_text(w, "op", "http.server");
    json_put_object_end(w);
    json_put_object_end(w);
}

static void put_crumbs(struct json_writer *w, struct rng *r, int64_t time_ns, size_t n)
{
    char text[160];
    json_put_key(w, STR("breadcrumbs"));
    json_put_object(w);
    json_put_key(w, STR("values"));
    json_put_array(w);
    for (size_t i = 0; i < n; i++) {
        json_put_object(w);
        json_put_key(w, STR("timestamp"));
        json_put_double(w, (double)(time_ns / NS_PER_MS - (int64_t)(n - i) * 20) / 1000);
        key_text(w, "type", "query");
        key_text(w, "category", "query");
        snprintf(text, sizeof text, "SELECT id, total FROM %ss WHERE %s_id = %%s AND shard = %u LIMIT %u", nouns[i & 7],
                 nouns[(i + 1) & 7], rng_below(r, 64), rng_below(r, 100));
        key_text(w, "message", text);
        key_text(w, "level", "info");
        json_put_object_end(w);
    }
    json_put_array_end(w);
    json_put_object_end(w);
}

static void hex_id(struct rng *r, char out[33])
{
    snprintf(out, 33, "%016llx%016llx", (unsigned long long)rng_next(r), (unsigned long long)rng_next(r));
}

static void event_make(struct rng *r, const struct gen_options *o, uint32_t issue, int64_t time_ns, struct fragment *f)
{
    struct buf body;
    struct json_writer w;
    char id[33], trace[33], text[64];
    hex_id(r, id);
    hex_id(r, trace);
    buf_init(&body, 8 << 20);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("timestamp"));
    json_put_double(&w, (double)(time_ns / NS_PER_MS) / 1000);
    key_text(&w, "platform", "python");
    key_text(&w, "level", issue % 17 ? "error" : "fatal");
    key_text(&w, "transaction", "POST /orders");
    snprintf(text, sizeof text, "checkout@1.4.%u", rng_below(r, RELEASES));
    key_text(&w, "release", text);
    key_text(&w, "environment", rng_chance(r, 0.9) ? "production" : "staging");
    key_text(&w, "server_name", "checkout-7d9f");
    put_exception(&w, r, issue);
    put_user_and_tags(&w, r, o->users);
    put_contexts(&w, trace);
    size_t left = body.len + 200 < o->event_size ? o->event_size - body.len - 200 : 0;
    put_crumbs(&w, r, time_ns, left / CRUMB_BYTES);
    json_put_key(&w, STR("sdk"));
    json_put_object(&w);
    key_text(&w, "name", "sentry.python.starlette");
    key_text(&w, "version", "2.75.0");
    json_put_object_end(&w);
    json_put_object_end(&w);

    struct buf *b = &f->bytes;
    fragment_clear(f);
    f->records = 1;
    // The header's id is the event's.
    buf_str(b, STR("{\"event_id\":\""));
    fragment_patch_here(f, PATCH_HEX);
    buf_append(b, id, 32);
    buf_str(b, STR("\"}\n{\"type\":\"event\"}\n"));
    buf_append(b, body.ptr, body.len);
    buf_byte(b, '\n');
    buf_free(&body);
}

void gen_events(const struct gen_options *o, struct payload_set *out, struct gen_facts *facts)
{
    struct rng r = { o->seed ^ hash64_int(o->run_key) };
    struct fragment f;
    fragment_init(&f);
    for (uint64_t i = 0; i < o->records; i++) {
        // A third of the events are of few issues, as it is in life; every issue comes up.
        uint32_t issue = i < o->issues          ? (uint32_t)i
                         : rng_chance(&r, 0.33) ? rng_skewed(&r, o->issues)
                                                : rng_below(&r, o->issues);
        event_make(&r, o, issue, o->start_ns, &f);
        payload_set_add(out, &f, o->encoding);
        facts->errors++;
    }
    fragment_free(&f);
}
