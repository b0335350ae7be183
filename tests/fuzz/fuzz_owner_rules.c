// Both texts, parted by a zero byte: read or refused with a line, never anything else; what was read is matched against an event.
#include "base/must.h"
#include "owners/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char event[] =
    "{\"request\":{\"url\":\"http://a/b\"},\"tags\":{\"a\":\"b\"},\"exception\":[{\"type\":\"E\",\"stacktrace\":{"
    "\"frames\":[{\"filename\":\"/srv/a/b/c.py\",\"module\":\"a.b\",\"in_app\":true},{\"filename\":\"a\\\\b.js\"},{"
    "\"filename\":\"webpack://x/./src/../a/b.ts?1\",\"abs_path\":\"/x\",\"in_app\":true}]}}]}";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    str text = str_of(data, size);
    ptrdiff_t zero = str_find_char(text, 0, 0);
    size_t half = zero < 0 ? size : (size_t)zero;
    struct owner_rules *rules;
    struct err err = { 0 };
    int r = owner_rules_parse(str_slice(text, 0, half), str_slice(text, half + 1, size), &rules, &err);
    if (r < 0) {
        must(err.code == r && err.message[0] && (err.line > 0 || r != ERR_INVALID));
        return 0;
    }
    struct arena arena;
    const struct json_node *root;
    struct sentry_event e;
    struct owner *list;
    size_t n;
    arena_init(&arena, 16 << 20);
    must(json_tree_read(STR(event), &arena, SENTRY_EVENT_DEPTH, &root, NULL) == 0);
    must(sentry_event_read(root, &arena, &e, NULL) == 0);
    must(owner_rules_match(rules, &e, str_slice(text, 0, 4), &arena, &list, &n) == 0 && n <= OWNERS_MAX);
    for (size_t i = 0; i < n; i++)
        must(list[i].name.len && list[i].rule.len);
    arena_free(&arena);
    owner_rules_free(rules);
    return 0;
}
