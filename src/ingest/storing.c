// The part of a request's way that all protocols share: a worker's batch, at most once, committed.
#include "base/clock.h"
#include "base/hash.h"
#include "base/must.h"
#include "ingest/ingest_internal.h"

static int sink_nothing_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope)
{
    return 0;
}
static int sink_nothing_record(void *ctx, const struct record *r) { return 0; }

// What the body is, for noticing that a client which did not hear our answer sends it again.
static void request_hash(const struct ingest_storing *s, uint64_t ret[2])
{
    bytes body = s->req->body;
    uint64_t seed = (uint64_t)s->project << 8 | s->kind;
    XXH128_hash_t h = XXH3_128bits_withSeed(body.ptr ? body.ptr : (const uint8_t *)"", body.len, hash64_int(seed));
    ret[0] = h.low64;
    ret[1] = h.high64 | 1; // never 0,0, which means "none"
}

int ingest_store(struct ingest *in, const struct ingest_storing *s, struct err *err)
{
    struct http_request *req = s->req;
    struct batch *batch;
    uint64_t hash[2];
    must(req->worker >= 0 && req->worker < INGEST_WORKERS_MAX);
    in->bytes += req->wire_body_n;
    quota_charge(&in->quota, s->project, (int64_t)req->wire_body_n, clock_mono_ns());
    memset(hash, 0, sizeof hash);
    if (!s->unhashed)
        request_hash(s, hash);
    int r = store_batch_begin(in->options.store, (unsigned)req->worker, (uint32_t)s->project, hash, &batch);
    if (r == ERR_EXIST) {
        static const struct record_sink nothing = { NULL, sink_nothing_section, sink_nothing_record };
        in->requests_repeated++;
        if (s->repeated)
            *s->repeated = true;
        r = s->decode(s->call, &nothing, err);
        return r < 0 ? r : INGEST_REPEATED;
    }
    if (r < 0)
        return r;
    struct record_sink sink = batch_sink(batch);
    r = s->decode(s->call, &sink, err);
    if (r < 0) {
        batch_abort_take(batch);
        return r;
    }
    http_request_drop_body(req); // it may wait long for the disk
    in->in_flight++;
    batch_commit_take(batch, s->committed, s->call);
    return INGEST_COMMITTING;
}
