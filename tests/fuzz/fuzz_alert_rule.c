// Rules and channels of alerts as JSON: read or refused with the place; what was read is written as what is read the same.
#include "alerts/alerts_internal.h"
#include "base/must.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_rule(const struct json_node *root, struct arena *arena, struct buf *out)
{
    struct alert_rule rule;
    struct err err = { 0 };
    struct json_writer w;
    buf_clear(out);
    int r = alert_rule_read(root, arena, &rule, &err);
    must(r == 0 || (err.code == r && err.message[0]));
    json_writer_init(&w, out);
    if (r == 0)
        alert_rule_put(&w, &rule, (str){ 0 });
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    const struct json_node *root;
    struct alert_channel channel;
    struct err err = { 0 };
    struct buf first, second;
    arena_init(&arena, 8 << 20);
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    if (json_tree_read(str_of(data, size), &arena, 16, &root, NULL) == 0) {
        int r = alert_channel_read(root, &arena, &channel, &err);
        must(r == 0 || (err.code == r && err.message[0]));
        for (size_t i = 0; r == 0 && i < channel.target.len; i++)
            must((unsigned char)channel.target.ptr[i] >= 0x20); // nothing that ends a header
        put_rule(root, &arena, &first);
        if (first.len && json_tree_read(buf_view(&first), &arena, 16, &root, NULL) == 0) {
            put_rule(root, &arena, &second);
            must(str_eq(buf_view(&first), buf_view(&second)));
        }
    }
    buf_free(&first);
    buf_free(&second);
    arena_free(&arena);
    return 0;
}
