#include "ingest/look.h"

static int look_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope)
{
    struct looking *l = ctx;
    str name = { 0 };
    for (uint32_t i = 0; i < resource->attrs_n; i++)
        if (str_eq(resource->attrs[i].key, STR("service.name")) && resource->attrs[i].value.type == VALUE_STR)
            name = resource->attrs[i].value.s;
    // The name that SDKs give when nobody has given one.
    if (name.len == 0 || str_starts(name, STR("unknown_service")))
        l->look->nameless = true;
    if (!l->look->service[0] && name.len) {
        size_t n = name.len < sizeof l->look->service - 1 ? name.len : sizeof l->look->service - 1;
        memcpy(l->look->service, name.ptr, n);
        l->look->service[n] = 0;
    }
    return l->sink->section(l->sink->ctx, resource, scope);
}

static int look_record(void *ctx, const struct record *r)
{
    struct looking *l = ctx;
    int64_t at = r->time;
    if (r->source == RECORD_SPANS && r->duration > 0 && at <= INT64_MAX - r->duration)
        at += r->duration; // it was sent after its end
    if (at > 0 && (!l->look->has_time || at > l->look->newest_ns)) {
        l->look->has_time = true;
        l->look->newest_ns = at;
    }
    return l->sink->record(l->sink->ctx, r);
}

struct record_sink looking_sink(struct looking *l) { return (struct record_sink){ l, look_section, look_record }; }
