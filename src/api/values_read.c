// Who reads captured values is entered in the audit trail, before he sees any: a query that names them, an event with the
// local variables of its frames. The same again within a minute (a page that refreshes) is the same read.
#include "api/api_internal.h"

#include "base/clock.h"
#include "base/hash.h"
#include "meta/audit.h"

#define SAME_READ_NS (60 * NS_PER_S)

// Was this read entered a moment ago? Keeps it in mind otherwise.
static bool is_same(struct values_reads *reads, uint64_t hash, int64_t now)
{
    struct values_read *r = &reads->recent[hash % VALUES_READS_MAX];
    pthread_mutex_lock(&reads->lock);
    bool same = r->hash == hash && now - r->time < SAME_READ_NS;
    pthread_mutex_unlock(&reads->lock);
    return same;
}

static void keep(struct values_reads *reads, uint64_t hash, int64_t now)
{
    pthread_mutex_lock(&reads->lock);
    reads->recent[hash % VALUES_READS_MAX] = (struct values_read){ hash, now };
    pthread_mutex_unlock(&reads->lock);
}

int api_values_read(struct api_call *call, str target, str detail)
{
    struct values_reads *reads = &call->api->values_reads;
    char actor[META_NAME_MAX + 1];
    struct err err;
    str who = api_actor(call, actor);
    int64_t now = clock_mono_ns();
    uint64_t parts[3] = { hash64_str(who), hash64_str(target), hash64_str(detail) };
    uint64_t hash = hash64(parts, sizeof parts);
    if (is_same(reads, hash, now))
        return 0;
    int r = meta_audit_add(call->api->options.meta, who, "values.read", target, detail, &err);
    if (r == 0)
        keep(reads, hash, now);
    return r;
}

int api_query_values_read(void *ctx, str text) { return api_values_read(ctx, STR("query"), text); }
