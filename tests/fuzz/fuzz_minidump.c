// A minidump: it is read or refused, and what is read of it can be written as an event's JSON.
#include "base/err.h"
#include "base/json_tree.h"
#include "base/must.h"
#include "wire/minidump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ARENA_MAX = 32 << 20, OUT_MAX = 16 << 20 };
    struct arena arena;
    struct minidump m;
    struct buf out;
    struct json_writer w;
    const struct json_node *root;
    arena_init(&arena, ARENA_MAX);
    if (minidump_read(bytes_of(data, size), &arena, &m) == 0) {
        must(m.modules_n <= MINIDUMP_MODULES_MAX);
        buf_init(&out, OUT_MAX);
        json_writer_init(&w, &out);
        json_put_object(&w);
        minidump_put_images(&w, &m);
        if (minidump_put_exception(&w, &m, &arena) == 0) {
            json_put_object_end(&w);
            must(out.error || json_tree_read(buf_view(&out), &arena, 16, &root, NULL) != ERR_MALFORMED);
        }
        buf_free(&out);
    }
    arena_free(&arena);
    return 0;
}
