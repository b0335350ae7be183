// An event's stored JSON in the shape of the pages: whatever it holds, what is written is JSON, and bounded.
#include "base/json_tree.h"
#include "events/events.h"

#include "base/must.h"
#include "grouping/grouping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct buf *out, struct arena *arena)
{
    const struct json_node *root;
    must(out->error == 0 && json_tree_read(buf_view(out), arena, JSON_DEPTH_MAX, &root, NULL) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf out;
    struct json_writer w;
    struct err err;
    static struct grouping_rules *rules;
    struct event e = { .handled = -1, .time = 1795881740000000000, .json = str_of(data, size) };
    must(rules || grouping_rules_parse((str){ 0 }, (str){ 0 }, &rules, NULL) == 0);
    arena_init(&arena, 256 << 20);
    buf_init(&out, 64 << 20);
    for (int values = 0; values < 2; values++) {
        struct event_writing how = { .values = values, .grouping = rules };
        buf_clear(&out);
        json_writer_init(&w, &out);
        json_put_object(&w);
        int r = event_put(&w, &e, &how, &arena, &err);
        json_put_object_end(&w);
        if (r == 0)
            check(&out, &arena);
        else
            must(err.message[0]);
    }
    buf_clear(&out);
    json_writer_init(&w, &out);
    if (event_put_json(&w, &e, false, &arena, &err) == 0)
        check(&out, &arena);
    buf_free(&out);
    arena_free(&arena);
    return 0;
}
