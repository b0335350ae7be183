// Both kinds of rules, parted by a zero byte: read or refused with a place, never anything else; what was read groups an event.
#include "base/must.h"
#include "grouping/grouping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char event[] =
    "{\"platform\":\"native\",\"level\":\"error\",\"logger\":\"a.b\",\"release\":\"shop@1.2\",\"tags\":{\"a\":\"b\"},"
    "\"exception\":[{\"type\":"
    "\"Error\",\"value\":\"bad "
    "5\",\"mechanism\":{\"type\":\"x\"},\"stacktrace\":{\"frames\":[{\"function\":\"main\",\"package\":"
    "\"/usr/lib/a.so\"},{\"function\":\"std::f<int>(char)\",\"abs_path\":\"/a/"
    "b.cc\",\"in_app\":true},{\"function\":\"abort\"}]}}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_of(data, size);
    ptrdiff_t zero = str_find_char(text, 0, 0);
    size_t half = zero < 0 ? size : (size_t)zero;
    struct grouping_rules *rules;
    struct err err = { 0 };
    int r = grouping_rules_parse(str_slice(text, half + 1, size), str_slice(text, 0, half), &rules, &err);
    if (r < 0) {
        must(err.code == r && err.message[0]);
        return 0;
    }
    struct arena arena;
    const struct json_node *root;
    struct sentry_event e;
    struct grouping g;
    arena_init(&arena, 16 << 20);
    must(json_tree_read(STR(event), &arena, SENTRY_EVENT_DEPTH, &root, NULL) == 0);
    must(sentry_event_read(root, &arena, &e, NULL) == 0);
    must(grouping_run(rules, &e, &arena, &g) == 0 && g.hashes_n > 0 && g.hashes[0].len == GROUPING_HASH_LEN);
    arena_free(&arena);
    grouping_rules_free(rules);
    return 0;
}
