// Decodes hostile OTLP into a sink that checks what record.h promises of every record.
#pragma once
#include "base/hash.h"
#include "base/must.h"
#include "wire/otlp.h"

static inline void otlp_check_attrs(const struct attr *attrs, uint32_t n, bool entity)
{
    for (uint32_t i = 0; i < n; i++) {
        const struct attr *a = &attrs[i];
        must(entity == (a->level >= ATTR_RESOURCE));
        must(a->value.type <= VALUE_MAP);
        must(a->key.len == 0 || hash64_str(a->key) + 1 != 0); // reads all of it
        if (a->value.type == VALUE_LIST || a->value.type == VALUE_MAP)
            must(value_check(bytes_of_str(a->value.s)) == 0);
        else if (a->value.type == VALUE_STR || a->value.type == VALUE_BYTES)
            must(a->value.s.len == 0 || hash64_str(a->value.s) + 1 != 0);
    }
}

static inline int otlp_check_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope)
{
    otlp_check_attrs(resource->attrs, resource->attrs_n, true);
    otlp_check_attrs(scope->attrs, scope->attrs_n, true);
    *(bool *)ctx = true;
    return 0;
}

static inline int otlp_check_record(void *ctx, const struct record *r)
{
    static const uint8_t none[16];
    must(*(bool *)ctx); // its section came before
    must(r->has_trace == (memcmp(r->trace, none, 16) != 0));
    must(r->time >= 0 && r->severity <= 24 && r->status <= STATUS_ERROR && r->kind <= SPAN_KIND_CONSUMER);
    must(r->source == RECORD_LOGS || r->body.type == VALUE_NULL);
    if (r->body.type == VALUE_LIST || r->body.type == VALUE_MAP)
        must(value_check(bytes_of_str(r->body.s)) == 0);
    otlp_check_attrs(r->attrs, r->attrs_n, false);
    for (uint32_t i = 0; i < r->children_n; i++) {
        must(r->children[i].kind < CHILD_KINDS && (i == 0 || r->children[i].kind >= r->children[i - 1].kind));
        otlp_check_attrs(r->children[i].attrs, r->children[i].attrs_n, false);
    }
    return 0;
}

static inline void otlp_check(enum otlp_signal signal, enum otlp_format format, const uint8_t *data, size_t size)
{
    static const struct otlp_limits limits = { .attrs_max = 16, .children_max = 8, .value_size_max = 4096 };
    struct arena scratch;
    struct otlp_result result;
    struct err err;
    bool section = false;
    struct record_sink sink = { &section, otlp_check_section, otlp_check_record };
    arena_init(&scratch, otlp_scratch_min(&limits));
    int rc = otlp_decode(signal, format, bytes_of(data, size), &limits, &scratch, &sink, &result, &err);
    must(rc == 0 || rc == ERR_MALFORMED);
    if (rc == 0)
        must((result.rejected != 0) == (result.message[0] != 0));
    else
        must(err.message[0] && err.place[0]);
    arena_free(&scratch);
}
