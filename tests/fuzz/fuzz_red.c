// Any bytes as what derived.db holds in blobs: refused, or what survives being written again. The first byte chooses: a
// sketch of durations, or the spans that wait.
#include "base/err.h"
#include "base/must.h"
#include "red/durations.h"
#include "red/window.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_durations(bytes in)
{
    struct arena arena;
    struct buf out;
    struct durations d = { 0 }, again = { 0 };
    arena_init(&arena, 16 << 20);
    buf_init(&out, 1 << 20);
    int r = durations_decode(&arena, &d, in);
    must(r == 0 || r == ERR_CORRUPT);
    if (r == 0) {
        must(durations_encode(&d, &out) == 0);
        must(durations_decode(&arena, &again, buf_bytes(&out)) == 0);
        must(durations_count(&again) == durations_count(&d));
        must(durations_quantile(&again, 0.5) == durations_quantile(&d, 0.5));
        must(durations_merge(&arena, &again, &d) == 0 && again.n == d.n);
    }
    buf_free(&out);
    arena_free(&arena);
}

static int call(void *ctx, const struct waiting *client, const struct waiting *server)
{
    must(client->peer || server);
    ++*(uint64_t *)ctx;
    return 0;
}

static void fuzz_window(bytes in)
{
    struct window w;
    struct buf first, second;
    uint64_t calls = 0;
    window_init(&w, call, &calls);
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    int r = window_load(&w, in, 100);
    must(r == 0 || r == ERR_CORRUPT);
    if (r == 0) {
        must(window_save(&w, &first) == 0 && first.len == in.len);
        must(window_load(&w, buf_bytes(&first), 100) == 0 && window_save(&w, &second) == 0);
        must(bytes_eq(buf_bytes(&first), buf_bytes(&second)));
        must(calls == 0);
        uint32_t clients = w.clients.alive;
        must(window_expire(&w, 1000) == 0);
        must(calls <= clients);
    }
    must(w.clients.alive == 0 && w.servers.alive == 0 && w.clients.met == 0);
    window_free(&w);
    buf_free(&first);
    buf_free(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 16)
        return 0;
    if (data[0] % 2)
        fuzz_window(bytes_of(data + 1, size - 1));
    else
        fuzz_durations(bytes_of(data + 1, size - 1));
    return 0;
}
