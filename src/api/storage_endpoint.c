// GET /api/v1/storage: what is kept how long, what it takes, and how long the room lasts at the present rate.
#include "api/api_internal.h"

#include "base/clock.h"

enum { RATE_HOURS = 24 };              // what the present rate is measured over
#define RATE_LEAST_NS (600 * NS_PER_S) // less says nothing about a day

static const char *const source_names[] = { "spans",     "logs",     "metrics", "events",
                                            "snapshots", "profiles", "checks",  "sessions" };
_Static_assert(sizeof source_names / sizeof source_names[0] == RECORD_SOURCES, "a name a source");

static void put_uint(struct json_writer *w, str key, uint64_t n)
{
    json_put_key(w, key);
    json_put_uint(w, n);
}

static void put_sources(struct json_writer *w, const struct store_usage *u)
{
    json_put_key(w, STR("sources"));
    json_put_array(w);
    for (int i = 0; i < RECORD_SOURCES; i++) {
        const struct store_source_usage *s = &u->sources[i];
        if (!s->parts)
            continue;
        json_put_object(w);
        json_put_key(w, STR("source"));
        json_put_str(w, str_z(source_names[i]));
        put_uint(w, STR("parts"), s->parts);
        put_uint(w, STR("rows"), s->rows);
        put_uint(w, STR("bytes"), s->bytes);
        json_put_key(w, STR("oldest"));
        api_put_time(w, s->received_min);
        json_put_key(w, STR("newest"));
        api_put_time(w, s->received_max);
        json_put_key(w, STR("hours"));
        json_put_array(w);
        for (int h = 0; h < STORE_USAGE_HOURS; h++)
            json_put_uint(w, (uint64_t)s->hours[h]);
        json_put_array_end(w);
        json_put_object_end(w);
    }
    json_put_array_end(w);
}

double api_storage_rate(const struct store_usage *u, int64_t now, int64_t *ret_span)
{
    double size = 0;
    int64_t oldest = now, from = now - RATE_HOURS * 3600 * NS_PER_S;
    for (int i = 0; i < RECORD_SOURCES; i++) {
        for (int h = STORE_USAGE_HOURS - RATE_HOURS; h < STORE_USAGE_HOURS; h++)
            size += u->sources[i].hours[h];
        if (u->sources[i].parts && u->sources[i].received_min < oldest)
            oldest = u->sources[i].received_min;
    }
    // The hours are whole ones: they begin up to an hour after a day ago.
    int64_t whole = u->hours_from + (STORE_USAGE_HOURS - RATE_HOURS) * 3600 * NS_PER_S;
    if (from < whole)
        from = whole;
    int64_t span = now - (oldest > from ? oldest : from);
    if (span < RATE_LEAST_NS)
        return 0;
    *ret_span = span;
    return size * 86400e9 / (double)span;
}

static void put_outlook(struct json_writer *w, const struct store_usage *u, int64_t now)
{
    int64_t span = 0;
    double rate = api_storage_rate(u, now, &span);
    uint64_t used = u->log_bytes;
    for (int i = 0; i < RECORD_SOURCES; i++)
        used += u->sources[i].bytes;
    put_uint(w, STR("used"), used);
    if (rate <= 0)
        return;
    put_uint(w, STR("bytes_a_day"), (uint64_t)rate);
    json_put_key(w, STR("measured_over"));
    json_put_int(w, span);
    // Until the cap, or the disk, whatever comes first.
    double room = (double)u->disk_free;
    bool cap = false;
    if (u->disk_cap_bytes) {
        double left = used < u->disk_cap_bytes ? (double)(u->disk_cap_bytes - used) : 0;
        if (!u->disk_total || left < room) {
            room = left;
            cap = true;
        }
    }
    if (!cap && !u->disk_total)
        return;
    json_put_key(w, STR("full_in"));
    json_put_object(w);
    json_put_key(w, STR("days"));
    json_put_double(w, room / rate);
    json_put_key(w, STR("by"));
    json_put_str(w, cap ? STR("cap") : STR("disk"));
    // Retention frees what is older: with it the records may never reach that point.
    int64_t kept = u->sources[RECORD_SPANS].retention_ns;
    if (kept) {
        double days = (double)kept / 86400e9;
        json_put_key(w, STR("retention_first"));
        json_put_bool(w, rate * days <= room + (double)used);
        json_put_key(w, STR("levels_at"));
        json_put_uint(w, (uint64_t)(rate * days));
    }
    json_put_object_end(w);
}

void api_storage(struct api_call *call)
{
    struct store *store = call->api->options.store;
    struct store_usage u;
    struct store_stats stats;
    struct buf body;
    struct json_writer w;
    int64_t now = clock_unix_ns();
    if (!api_whole_workspace(call))
        return;
    int r = store_usage(store, now, &u);
    if (r < 0) {
        api_reply_error(call->req, 503, "store", "the store cannot be read: %s", err_text(r));
        return;
    }
    store_stats(store, &stats);
    buf_init(&body, 1 << 20);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("retention"));
    json_put_int(&w, u.sources[RECORD_SPANS].retention_ns);
    json_put_key(&w, STR("snapshot_retention"));
    json_put_int(&w, u.sources[RECORD_SNAPSHOTS].retention_ns);
    put_uint(&w, STR("disk_cap"), u.disk_cap_bytes);
    json_put_key(&w, STR("directory"));
    json_put_str(&w, str_z(call->api->options.data));
    if (u.disk_total) {
        put_uint(&w, STR("disk_total"), u.disk_total);
        put_uint(&w, STR("disk_free"), u.disk_free);
    }
    put_outlook(&w, &u, now);
    put_uint(&w, STR("log_bytes"), u.log_bytes);
    put_uint(&w, STR("log_files"), stats.log_files);
    put_uint(&w, STR("head_rows"), stats.head_rows);
    put_uint(&w, STR("head_bytes"), stats.head_bytes);
    put_uint(&w, STR("parts"), stats.parts);
    put_uint(&w, STR("part_rows"), stats.part_rows);
    put_uint(&w, STR("part_bytes"), stats.part_bytes);
    put_uint(&w, STR("merge_debt_rows"), stats.merge_debt_rows);
    put_uint(&w, STR("parts_expired"), stats.parts_expired);
    put_uint(&w, STR("duplicates_dropped"), stats.duplicates_dropped);
    json_put_key(&w, STR("takes_records"));
    json_put_bool(&w, !stats.read_only && !stats.disk_full);
    if (stats.why[0] && (stats.read_only || stats.disk_full)) {
        json_put_key(&w, STR("why"));
        json_put_str(&w, str_z(stats.why));
    }
    struct artifacts_stats kept;
    artifacts_stats(call->api->options.artifacts, &kept);
    json_put_key(&w, STR("artifacts"));
    json_put_object(&w);
    put_uint(&w, STR("references"), kept.references);
    put_uint(&w, STR("contents"), kept.contents);
    put_uint(&w, STR("bytes"), kept.bytes);
    put_uint(&w, STR("stored"), kept.stored_bytes);
    put_uint(&w, STR("cap"), kept.cap_bytes);
    json_put_object_end(&w);
    json_put_key(&w, STR("hours_from"));
    api_put_time(&w, u.hours_from);
    put_sources(&w, &u);
    json_put_object_end(&w);
    api_reply_json_take(call->req, 200, &body);
}
