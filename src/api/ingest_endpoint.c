// Is ingest well: what was taken and refused since the start, and the room that is left for it.
#include "api/api_internal.h"

static void put_uint(struct json_writer *w, str key, uint64_t value)
{
    json_put_key(w, key);
    json_put_uint(w, value);
}

static void put_taken(struct json_writer *w, const struct ingest_stats *in)
{
    put_uint(w, STR("requests"), in->requests);
    put_uint(w, STR("records"), in->records);
    put_uint(w, STR("bytes"), in->bytes);
    put_uint(w, STR("rejected"), in->records_rejected);
    put_uint(w, STR("repeated"), in->requests_repeated);
    json_put_key(w, STR("refused"));
    json_put_object(w);
    put_uint(w, STR("unauthenticated"), in->refused_unauthenticated);
    put_uint(w, STR("forbidden"), in->refused_forbidden);
    put_uint(w, STR("quota"), in->refused_quota);
    put_uint(w, STR("malformed"), in->refused_malformed);
    put_uint(w, STR("busy"), in->refused_busy);
    json_put_object_end(w);
}

// What SDKs say that they did not send.
static void put_lost(struct json_writer *w, const struct door_snapshot *s)
{
    json_put_key(w, STR("lost"));
    json_put_array(w);
    for (int i = 0; i < DOOR_LOST_MAX; i++) {
        const struct door_lost *l = &s->lost[i];
        if (!l->last_ns)
            continue;
        json_put_object(w);
        json_put_key(w, STR("outcome"));
        json_put_str(w, str_z(l->outcome));
        json_put_key(w, STR("reason"));
        json_put_str(w, str_z(l->reason));
        json_put_key(w, STR("category"));
        json_put_str(w, str_z(l->category));
        json_put_key(w, STR("agent"));
        json_put_str(w, str_z(l->agent));
        put_uint(w, STR("quantity"), l->quantity);
        json_put_key(w, STR("last"));
        api_put_time(w, l->last_ns);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

static void put_store(struct json_writer *w, const struct store_stats *st)
{
    json_put_key(w, STR("store"));
    json_put_object(w);
    put_uint(w, STR("rows"), st->part_rows + st->head_rows);
    put_uint(w, STR("bytes"), st->part_bytes);
    if (st->disk_cap_bytes)
        put_uint(w, STR("cap"), st->disk_cap_bytes);
    if (st->disk_free_bytes)
        put_uint(w, STR("free"), st->disk_free_bytes);
    json_put_key(w, STR("read_only"));
    json_put_bool(w, st->read_only);
    json_put_key(w, STR("disk_full"));
    json_put_bool(w, st->disk_full);
    if (st->read_only || st->disk_full) {
        json_put_key(w, STR("why"));
        json_put_str(w, str_z(st->why));
    }
    json_put_object_end(w);
}

void api_ingest(struct api_call *call)
{
    struct api *a = call->api;
    struct ingest_stats in = ingest_stats(a->options.ingest);
    struct store_stats st;
    struct buf body;
    struct json_writer w;
    if (call->caller.project) {
        api_reply_error(call->req, 403, "forbidden",
                        "this token belongs to one project; these numbers are of all of them");
        return;
    }
    struct door_snapshot *snapshot = arena_alloc(&call->req->arena, sizeof *snapshot);
    if (!snapshot) {
        api_reply_error(call->req, 503, "memory", "out of memory");
        return;
    }
    store_stats(a->options.store, &st);
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("since"));
    api_put_time(&w, a->started_ns);
    put_taken(&w, &in);
    put_store(&w, &st);
    door_snapshot(ingest_door(a->options.ingest), snapshot);
    put_lost(&w, snapshot);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}
