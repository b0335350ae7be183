// GET /api/v1/server: the program itself: version, addresses, settings and where they come from, what `clew doctor` finds.
#include "api/api_internal.h"

#include <unistd.h>

static void put_z(struct json_writer *w, str key, const char *text)
{
    if (!text[0])
        return;
    json_put_key(w, key);
    json_put_str(w, str_z(text));
}

static void put_settings(struct json_writer *w, const struct api_options *o)
{
    json_put_key(w, STR("settings"));
    json_put_array(w);
    for (size_t i = 0; i < o->settings_n; i++) {
        const struct api_setting *s = &o->settings[i];
        json_put_object(w);
        put_z(w, STR("key"), s->key);
        put_z(w, STR("value"), s->value);
        put_z(w, STR("default"), s->def);
        put_z(w, STR("origin"), s->origin);
        put_z(w, STR("flag"), s->flag);
        put_z(w, STR("environment"), s->environment);
        put_z(w, STR("doc"), s->doc);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_findings(struct json_writer *w, const struct api_options *o)
{
    struct api_finding findings[API_FINDINGS_MAX];
    int n = o->doctor ? o->doctor(o->doctor_ctx, findings) : 0;
    json_put_key(w, STR("findings"));
    json_put_array(w);
    for (int i = 0; i < n; i++) {
        json_put_object(w);
        json_put_key(w, STR("ok"));
        json_put_bool(w, findings[i].ok);
        put_z(w, STR("what"), findings[i].what);
        put_z(w, STR("more"), findings[i].more);
        if (!findings[i].ok)
            put_z(w, STR("fix"), findings[i].fix);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

void api_server(struct api_call *call)
{
    const struct api *a = call->api;
    struct buf body;
    struct json_writer w;
    if (!api_whole_workspace(call))
        return;
    buf_init(&body, 1 << 20);
    json_writer_init(&w, &body);
    json_put_object(&w);
    put_z(&w, STR("version"), a->options.version);
    json_put_key(&w, STR("pid"));
    json_put_int(&w, getpid());
    json_put_key(&w, STR("started"));
    api_put_time(&w, a->started_ns);
    put_z(&w, STR("data"), a->options.data);
    json_put_key(&w, STR("listening"));
    json_put_array(&w);
    for (size_t i = 0; i < a->listeners_n; i++) {
        json_put_object(&w);
        put_z(&w, STR("address"), a->listeners[i].address);
        put_z(&w, STR("takes"), a->listeners[i].tag == API_TAG_MAIN ? "all" : "otlp");
        json_put_key(&w, STR("tls"));
        json_put_bool(&w, a->listeners[i].tls);
        json_put_object_end(&w);
    }
    json_put_array_end(&w);
    put_settings(&w, &a->options);
    put_findings(&w, &a->options);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}
