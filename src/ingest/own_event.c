// Events of the server's own making: no request and no key, else all that an SDK's event goes through.
#include "base/clock.h"
#include "ingest/sentry_internal.h"

static int take(struct sentry_call *call, const struct ingest_own_event *e, const struct record_sink *sink,
                struct err *err)
{
    struct sentry_source from = { .service = e->service, .received_ns = clock_unix_ns() };
    sentry_id_make(call, e->id);
    call->rules = project_rules_get(call->in->rules, call->project);
    int r = sentry_event_store(call, e->json, &from, sink, err);
    if (r == 0)
        r = sentry_filtered_put(call, &from, sink);
    project_rules_done(call->rules);
    return r;
}

int ingest_own_event(struct ingest *in, const struct ingest_own_event *e, const struct record_sink *sink,
                     struct err *err)
{
    struct sentry_call call = { .in = in, .project = e->project };
    int64_t now = clock_mono_ns();
    if (quota_wait_ms(&in->quota, e->project, now)) {
        in->refused_quota++;
        return INGEST_OWN_OVER_RATE;
    }
    pthread_mutex_lock(&in->own);
    int r = take(&call, e, sink, err);
    arena_reset(&in->scratch[INGEST_OWN]);
    pthread_mutex_unlock(&in->own);
    if (r < 0)
        return r;
    quota_charge(&in->quota, e->project, (int64_t)e->json.len, now);
    in->records += call.counts.records;
    in->bytes += e->json.len;
    return call.event_filtered ? INGEST_OWN_FILTERED : INGEST_OWN_STORED;
}
