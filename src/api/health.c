// /healthz and /metrics (Prometheus text format 0.0.4).
#include "api/api_internal.h"

#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

void api_healthz(struct api_call *call)
{
    static const str ok = STR_INIT("{\"status\":\"ok\"}\n");
    struct http_header h[API_HEADERS_MAX];
    size_t n = api_headers(h, STR("application/json"));
    http_respond(call->req, 200, h, n, bytes_of_str(ok));
}

static void metric(struct buf *out, const char *name, const char *type, const char *help, double value)
{
    buf_printf(out, "# HELP clew_%s %s\n# TYPE clew_%s %s\nclew_%s %.17g\n", name, help, name, type, name, value);
}
static void counter(struct buf *out, const char *name, const char *help, uint64_t value)
{
    buf_printf(out, "# HELP clew_%s %s\n# TYPE clew_%s counter\nclew_%s %" PRIu64 "\n", name, help, name, name, value);
}
static void gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
    buf_printf(out, "# HELP clew_%s %s\n# TYPE clew_%s gauge\nclew_%s %" PRIu64 "\n", name, help, name, name, value);
}

static void put_store(struct buf *out, struct store *store)
{
    struct store_stats s;
    store_stats(store, &s);
    counter(out, "store_rows_committed_total", "Rows made durable.", s.rows_committed);
    counter(out, "store_batches_committed_total", "Batches made durable.", s.batches_committed);
    counter(out, "store_batches_failed_total", "Batches that could not be made durable.", s.batches_failed);
    counter(out, "store_batches_repeated_total", "Batches that had been stored before.", s.batches_repeated);
    counter(out, "store_log_bytes_total", "Bytes written to the commit log.", s.log_bytes);
    counter(out, "store_log_syncs_total", "Syncs of the commit log.", s.log_syncs);
    gauge(out, "store_head_rows", "Rows that are not in a part yet.", s.head_rows);
    gauge(out, "store_head_bytes", "Memory of those rows.", s.head_bytes);
    gauge(out, "store_parts", "Parts.", s.parts);
    gauge(out, "store_part_rows", "Rows in parts.", s.part_rows);
    gauge(out, "store_part_bytes", "Bytes of parts on disk.", s.part_bytes);
    gauge(out, "store_log_files", "Files of the commit log.", s.log_files);
    gauge(out, "store_merge_debt_rows", "Rows that background work still has to rewrite.", s.merge_debt_rows);
    counter(out, "store_seals_total", "Head generations sealed.", s.seals);
    counter(out, "store_merges_total", "Merges.", s.merges);
    counter(out, "store_parts_expired_total", "Parts dropped by retention or the disk cap.", s.parts_expired);
    counter(out, "store_duplicates_dropped_total", "Rows that were sent twice and dropped.", s.duplicates_dropped);
    gauge(out, "store_read_only", "1 when the store takes no rows.", s.read_only);
    gauge(out, "store_disk_full", "1 when the disk is full.", s.disk_full);
}

static void put_red(struct buf *out, struct red *red)
{
    struct red_stats s;
    red_stats(red, &s);
    counter(out, "red_spans_total", "Spans counted into figures since the start.", s.spans);
    counter(out, "red_logs_total", "Logs counted into figures since the start.", s.logs);
    gauge(out, "red_keys", "Services, operations, calls and peers that figures are kept of.", s.keys);
    gauge(out, "red_live_cells", "Figures of a minute that are not in the database yet.", s.live_cells);
    gauge(out, "red_waiting_spans", "Client and server spans that wait for their other side.", s.waiting);
    counter(out, "red_pushed_out_total", "Spans that could not wait their time, for want of room.", s.pushed_out);
}

static void put_artifacts(struct buf *out, struct artifacts *artifacts)
{
    struct artifacts_stats s;
    artifacts_stats(artifacts, &s);
    gauge(out, "artifacts_references", "Attachments, replays, profiles, uploads that are kept.", s.references);
    gauge(out, "artifacts_contents", "Distinct contents of them.", s.contents);
    gauge(out, "artifacts_bytes", "Bytes of the contents.", s.bytes);
    gauge(out, "artifacts_stored_bytes", "Bytes that they take on disk.", s.stored_bytes);
    gauge(out, "artifacts_cap_bytes", "Most bytes that they may take on disk; 0: no cap.", s.cap_bytes);
    counter(out, "artifacts_puts_total", "Artifacts taken.", s.puts);
    counter(out, "artifacts_repeated_total", "Artifacts that were there and came again.", s.repeated);
    counter(out, "artifacts_collected_total", "Contents removed because nothing refers to them.", s.collected);
    counter(out, "artifacts_refused_full_total", "Artifacts refused for want of room.", s.refused_full);
}

static void put_ingest(struct buf *out, struct ingest *in)
{
    struct ingest_stats s = ingest_stats(in);
#define INGEST_METRIC(name, text) counter(out, "ingest_" #name "_total", text, s.name);
    INGEST_COUNTERS(INGEST_METRIC)
#undef INGEST_METRIC
}

static void put_items(struct buf *out, struct ingest *in)
{
    static const char *const whats[] = { "taken", "skipped", "malformed" };
    struct item_tally_row rows[ITEM_TALLY_ROWS];
    size_t n = ingest_items(in, rows);
    buf_str(out, STR("# HELP clew_ingest_sentry_items_total Items of Sentry envelopes by type.\n"
                     "# TYPE clew_ingest_sentry_items_total counter\n"));
    for (size_t i = 0; i < n; i++)
        for (int w = 0; w < ITEM_TALLY_WHATS; w++)
            if (rows[i].n[w])
                buf_printf(out, "clew_ingest_sentry_items_total{type=\"%s\",what=\"%s\"} %" PRIu64 "\n", rows[i].type,
                           whats[w], rows[i].n[w]);
}

static void put_net(struct buf *out, struct net_server *server)
{
    struct net_stats s = net_server_stats(server);
    gauge(out, "net_connections", "Open connections.", s.connections_open);
    gauge(out, "net_connections_idle", "Open connections without a request.", s.connections_idle);
    counter(out, "net_connections_total", "Connections accepted.", s.connections_total);
    counter(out, "net_requests_total", "Requests.", s.requests_total);
    gauge(out, "net_requests_open", "Requests that are not answered yet.", s.requests_open);
    counter(out, "net_requests_malformed_total", "Requests refused before they were routed.", s.requests_malformed);
    counter(out, "net_requests_cancelled_total", "Requests whose client left.", s.requests_cancelled);
    gauge(out, "net_body_bytes", "Bytes of request bodies held.", s.body_bytes_held);
    counter(out, "net_received_bytes_total", "Bytes received.", s.bytes_received);
    counter(out, "net_sent_bytes_total", "Bytes sent.", s.bytes_sent);
    counter(out, "net_tls_failures_total", "TLS handshakes that failed.", s.tls_failures);
    buf_str(
        out,
        STR("# HELP clew_net_limit_hits_total How often a limit was hit.\n# TYPE clew_net_limit_hits_total counter\n"));
#define NET_METRIC(name, type, value, text) \
    buf_printf(out, "clew_net_limit_hits_total{limit=\"" #name "\"} %" PRIu64 "\n", s.hit_##name);
    NET_LIMITS(NET_METRIC)
#undef NET_METRIC
    buf_printf(out, "clew_net_limit_hits_total{limit=\"queue\"} %" PRIu64 "\n", s.hit_queue);
}

// All samples of one metric stand together, as the format wants it.
static void put_pools(struct buf *out, const struct api_options *o)
{
    enum { POOLS = 4 };
    static const char *const names[] = { "ingest", "query", "wait", "admin" };
    struct pool *const pools[] = { o->ingest_pool, o->query_pool, o->wait_pool, o->admin_pool };
    struct pool_stats s[POOLS];
    for (int i = 0; i < POOLS; i++)
        s[i] = pool_stats(pools[i]);
    buf_str(out, STR("# HELP clew_pool_queued Jobs that wait for a thread.\n# TYPE clew_pool_queued gauge\n"));
    for (int i = 0; i < POOLS; i++)
        buf_printf(out, "clew_pool_queued{pool=\"%s\"} %zu\n", names[i], s[i].queued);
    buf_str(out, STR("# HELP clew_pool_threads Threads.\n# TYPE clew_pool_threads gauge\n"));
    for (int i = 0; i < POOLS; i++)
        buf_printf(out, "clew_pool_threads{pool=\"%s\"} %zu\n", names[i], s[i].threads);
    buf_str(out, STR("# HELP clew_pool_run_total Jobs done.\n# TYPE clew_pool_run_total counter\n"));
    for (int i = 0; i < POOLS; i++)
        buf_printf(out, "clew_pool_run_total{pool=\"%s\"} %" PRIu64 "\n", names[i], s[i].run);
    buf_str(out, STR("# HELP clew_pool_refused_total Jobs refused because the queue was full.\n"
                     "# TYPE clew_pool_refused_total counter\n"));
    for (int i = 0; i < POOLS; i++)
        buf_printf(out, "clew_pool_refused_total{pool=\"%s\"} %" PRIu64 "\n", names[i], s[i].refused);
}

static void put_process(struct buf *out, const struct api *a)
{
    long resident = 0, shared = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f) {
        if (fscanf(f, "%*s %ld %ld", &resident, &shared) != 2)
            resident = shared = 0;
        fclose(f);
    }
    struct timespec cpu;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    metric(out, "process_cpu_seconds_total", "counter", "CPU time.", (double)cpu.tv_sec + (double)cpu.tv_nsec / 1e9);
    gauge(out, "process_anonymous_bytes", "Resident memory that is not a file's.",
          (uint64_t)(resident - shared) * (uint64_t)sysconf(_SC_PAGESIZE));
    metric(out, "process_start_time_seconds", "gauge", "Unix time of the start.", (double)a->started_ns / 1e9);
    buf_printf(out,
               "# HELP clew_build_info Version.\n# TYPE clew_build_info gauge\nclew_build_info{version=\"%s\"} 1\n",
               a->options.version);
    gauge(out, "tails_open", "Live tails.", tails_open(a->tails));
}

void api_metrics(struct api_call *call)
{
    struct api *a = call->api;
    struct buf out;
    struct http_header h[API_HEADERS_MAX];
    buf_init(&out, 1 << 20);
    put_process(&out, a);
    put_ingest(&out, a->options.ingest);
    put_items(&out, a->options.ingest);
    put_store(&out, a->options.store);
    put_red(&out, a->options.red);
    put_artifacts(&out, a->options.artifacts);
    if (a->server)
        put_net(&out, a->server);
    put_pools(&out, &a->options);
    size_t n = api_headers(h, STR("text/plain; version=0.0.4; charset=utf-8"));
    http_respond_take(call->req, 200, h, n, &out);
}
