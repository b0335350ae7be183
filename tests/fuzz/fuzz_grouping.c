// Any event has a group, the same each time it is asked, and one that the explanation says.
#include "base/must.h"
#include "grouping/grouping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct grouping_rules *rules;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char stack_rules[] =
        "path:**/app/** +app\nfunction:main v-group max-frames=20\ntype:A* function:b ^-app\n";
    static const char fingerprint_rules[] =
        "type:DatabaseError -> database, {{ transaction }} title=\"{{ error.type }} down\"\n"
        "message:*timeout* -> {{ default }} {{ stack.function }} {{ message }}\n";
    struct arena arena;
    const struct json_node *root;
    struct sentry_event e;
    struct grouping a, b;
    struct buf out;
    struct json_writer w;
    if (!rules)
        must(grouping_rules_parse(STR(fingerprint_rules), STR(stack_rules), &rules, NULL) == 0);
    arena_init(&arena, 64 << 20);
    buf_init(&out, 64 << 20);
    json_writer_init(&w, &out);
    if (json_tree_read(str_of(data, size), &arena, SENTRY_EVENT_DEPTH, &root, NULL) == 0 &&
        sentry_event_read(root, &arena, &e, NULL) == 0) {
        must(grouping_run(rules, &e, &arena, &a) == 0 && a.hashes_n > 0);
        must(grouping_run(rules, &e, &arena, &b) == 0 && a.hashes_n == b.hashes_n);
        for (uint32_t i = 0; i < a.hashes_n; i++)
            must(a.hashes[i].len == GROUPING_HASH_LEN && str_eq(a.hashes[i], b.hashes[i]));
        must(grouping_explain(rules, &e, &arena, &w) == 0 && str_find(buf_view(&out), a.hashes[0]) > 0);
        must(json_tree_read(buf_view(&out), &arena, SENTRY_EVENT_DEPTH, &root, NULL) == 0);
    }
    buf_free(&out);
    arena_free(&arena);
    return 0;
}
