// A table of series of a target that may hold anything: a report of it, and of what was joined of it, is JSON that reads back.
#include "base/must.h"
#include "probe/probe.h"
#include "probe/series.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void report(const struct probe_series_table *table, const struct probe *probe)
{
    struct arena arena;
    struct buf out;
    struct json_writer w;
    struct json_reader r;
    struct probe_series_told told = { 0 };
    arena_init(&arena, 16 << 20);
    buf_init(&out, 4 << 20);
    json_writer_init(&w, &out);
    if (probe_series_json(table, table->owner, probe, 1700000000ll * 1000000000, true, &told, &w)) {
        must(!out.error);
        json_reader_init(&r, buf_view(&out), &arena, JSON_DEPTH_MAX);
        must(json_skip(&r, NULL) == 0 && json_done(&r) == 0);
    }
    buf_free(&out);
    arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct probe_series_table table, all;
    static const struct probe_series none;
    static const struct probe_by by[] = { { .name = STR_INIT("a") }, { .name = STR_INIT("b") } };
    struct probe probe;
    if (size < 1)
        return 0;
    memset(&table, 0, sizeof table);
    memcpy(&table, data + 1, size - 1 < sizeof table ? size - 1 : sizeof table);
    probe_defaults(&probe, PROBE_METRIC);
    probe.id = STR("p1"), probe.has_metric = true, probe.metric.name = STR("x");
    probe.metric.kind = data[0] % PROBE_METRICS, probe.metric.has_value = data[0] & 4;
    probe.metric.by = by, probe.metric.n_by = data[0] >> 3 & 1 ? 2 : 0;
    report(&table, &probe);
    probe_series_reset(&all, table.owner, table.start_ns);
    for (size_t i = 0; i < PROBE_SERIES_MAX; i++) // each one is what its neighbour was, or begins
        if (!probe_series_join(&all, &table.series[i], i ? &table.series[i - 1] : &none, data[0] & 64))
            probe_series_join(&all, &table.series[i], &none, data[0] & 32);
    must(all.n <= PROBE_SERIES_MAX);
    report(&all, &probe);
    return 0;
}
