// A record of a target that may be anything: it becomes JSON that reads back, or an error and not a byte.
#include "base/must.h"
#include "probe/capture.h"
#include "probe/probe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct probe probe;
    struct arena arena;
    struct buf out;
    struct json_writer w;
    struct json_reader r;
    double value;
    probe_defaults(&probe, PROBE_SNAPSHOT);
    static const struct probe_part parts[] = { { .text = STR_INIT("a ") }, { .is_expr = true }, { .is_expr = true } };
    probe.id = STR("p1");
    probe.has_log = true, probe.log.parts = parts, probe.log.n_parts = 3;
    arena_init(&arena, 16 << 20);
    buf_init(&out, 64 << 20);
    json_writer_init(&w, &out);
    if (probe_capture_json(bytes_of(data, size), &probe, &arena, &w) == 0) {
        must(!out.error);
        json_reader_init(&r, buf_view(&out), &arena, JSON_DEPTH_MAX);
        must(json_skip(&r, NULL) == 0 && json_done(&r) == 0);
    } else
        must(out.len == 0);
    probe_capture_metric_value(bytes_of(data, size), &value);
    buf_free(&out);
    arena_free(&arena);
    return 0;
}
