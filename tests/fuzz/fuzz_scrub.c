// Rules and an event, parted by a zero byte: rules are read or refused with words and a place, and those that are read leave a
// tree that can be written and read again.
#include "base/must.h"
#include "filters/scrub_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { ARENA_MAX = 16 << 20, OUT_MAX = 16 << 20 };
    str text = str_of(data, size), peer = STR("192.0.2.7");
    ptrdiff_t zero = str_find_char(text, 0, 0);
    size_t half = zero < 0 ? size : (size_t)zero;
    struct scrub_settings settings = { .addresses = size & 1, .rules = str_slice(text, 0, half) };
    struct arena arena;
    struct scrub_rules *rules;
    struct scrub_remarks remarks;
    struct err err = { 0 };
    const struct json_node *root;
    struct buf out;
    struct json_writer w;
    int r = scrub_rules_new(&settings, &rules, &err);
    must(r == 0 || (err.code == r && err.message[0] && (r == ERR_NOMEM || err.line >= 1 || r == ERR_LIMIT)));
    if (r < 0)
        return 0;
    arena_init(&arena, ARENA_MAX);
    if (json_tree_read(str_slice(text, half + 1, size), &arena, 64, &root, NULL) == 0) {
        r = scrub_rules_apply(rules, root, &arena, &remarks);
        must(r == 0 || r == ERR_NOMEM);
        must(remarks.n <= remarks.removed);
        buf_init(&out, OUT_MAX);
        json_writer_init(&w, &out);
        json_put_tree(&w, root);
        if (r == 0 && !out.error) {
            r = json_tree_read(buf_view(&out), &arena, 64, &root, NULL);
            must(r == 0 || r == ERR_NOMEM);
        }
        buf_free(&out);
    }
    r = scrub_rules_peer(rules, &arena, &peer);
    must(r == 0 || r == ERR_NOMEM);
    scrub_rules_free(rules);
    arena_free(&arena);
    return 0;
}
