// A probe of a server that may send anything: what is read is written and read again, the same; and a policy block.
#include "base/must.h"
#include "probe/probe.h"
#include "probe/redact.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool again(str json, struct arena *arena, struct buf *out)
{
    struct json_writer w;
    struct probe p;
    if (probe_read(json, arena, &p, NULL) < 0)
        return false;
    json_writer_init(&w, out);
    probe_write(&w, &p);
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct probe_policy policy;
    struct arena arena;
    struct buf one, two;
    arena_init(&arena, 64 << 20);
    buf_init(&one, 64 << 20);
    buf_init(&two, 64 << 20);
    if (again(str_of(data, size), &arena, &one)) {
        must(again(buf_view(&one), &arena, &two));
        must(str_eq(buf_view(&one), buf_view(&two)));
    }
    if (probe_policy_verify(&policy, bytes_of(data, size))) {
        probe_redact_name(&policy, STR("some_name"));
        probe_redact_type(&policy, STR("some.Type"));
        probe_redact_file(&policy, STR("/some/file.py"));
    }
    buf_free(&one);
    buf_free(&two);
    arena_free(&arena);
    return 0;
}
