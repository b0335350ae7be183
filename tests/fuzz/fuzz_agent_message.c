// What an agent says: read whole within its limits, or refused with words. A capture that is read becomes a line of a list.
#include "base/must.h"
#include "live/agent_message.h"
#include "live/live.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct agent_message m;
    struct err err = { 0 };
    arena_init(&arena, 1 << 20);
    int r = agent_message_read(str_of(data, size), &arena, &m, &err);
    must(r == 0 || (err.code == r && err.message[0]));
    for (size_t i = 0; r == 0 && m.kind == AGENT_STATES && i < m.n; i++)
        must(m.states[i].probe > 0 && m.states[i].process.len <= AGENT_ID_MAX);
    for (size_t i = 0; r == 0 && m.kind == AGENT_CAPTURES && i < m.n; i++) {
        struct buf b;
        struct json_writer w;
        buf_init(&b, 1 << 20);
        json_writer_init(&w, &b);
        json_put_object(&w);
        capture_columns(m.captures[i].json, &w);
        json_put_object_end(&w);
        must(b.error || (b.len >= 2 && b.ptr[b.len - 1] == '}'));
        buf_free(&b);
    }
    arena_free(&arena);
    return 0;
}
