// From an upload to an event that can be read: by debug id, by release and URL, with maps in comments, before and after
// the event came.
#include "symbols/bundle.h"
#include "symbols/symbols.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"
#include "wire/sentry_payload.h"
#include "zip.h"

#define ID "6f3e8a10-0000-4000-8000-00000000000a"

// function a(b){throw b.c}a(1)  made of src/shop.ts
static const char app_js[] = "function a(b){throw b.c}a(1)\n//# sourceMappingURL=app.js.map\n";
// 0: "function" 0:0; 9: name "checkout" 0:9; 14: throw 1:2; 20: b.c 1:8 "price"; 24: a(1) 3:0 "checkout"
static const char app_map[] =
    "{\"version\":3,\"sources\":[\"webpack:///./src/shop.ts\"],\"names\":[\"checkout\",\"price\"],\"sourcesContent\":"
    "[\"function checkout(item) {\\n  throw item.price;\\n}\\ncheckout(1);\\n\"],\"mappings\":"
    "\"AAAA,SAASA,KACP,MAAMC,IAERD\"}";

struct world {
    char dir[64];
    struct symbols *s;
    struct arena arena;
    struct {
        uint8_t digest[SYMBOLS_DIGEST];
        struct buf content;
    } blobs[8];
    unsigned blobs_n, refined_n;
    int refine_answer;
    char refined_function[64], refined_group[64];
};

static int load(void *ctx, const uint8_t digest[SYMBOLS_DIGEST], size_t cap, struct buf *out, struct err *err)
{
    struct world *w = ctx;
    for (unsigned i = 0; i < w->blobs_n; i++)
        if (memcmp(w->blobs[i].digest, digest, SYMBOLS_DIGEST) == 0)
            return buf_append(out, w->blobs[i].content.ptr, w->blobs[i].content.len);
    return err_set(err, ERR_NOENT, NULL, "no such content");
}

static int refined(void *ctx, uint32_t project, str group, const struct sentry_event *e, struct arena *arena)
{
    struct world *w = ctx;
    const struct sentry_frame *f = &sentry_event_stack(e)->frames[sentry_event_stack(e)->n - 1];
    assert_int_equal(project, 7);
    w->refined_n++;
    snprintf(w->refined_function, sizeof w->refined_function, "%.*s", STR_ARG(f->function));
    snprintf(w->refined_group, sizeof w->refined_group, "%.*s", STR_ARG(group));
    return w->refine_answer;
}

static void open_symbols(struct world *w)
{
    struct symbols_options o = { .data = w->dir, .load = load, .load_ctx = w, .manual = true };
    struct err err = { 0 };
    int r = symbols_open(&o, &w->s, &err);
    if (r < 0)
        print_error("%s\n", err.message);
    assert_int_equal(r, 0);
    symbols_on_refined(w->s, refined, w);
}

static int setup(void **state)
{
    struct world *w = mem_zalloc(sizeof *w);
    strcpy(w->dir, "/tmp/clew-symbols-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    arena_init(&w->arena, 16 << 20);
    open_symbols(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;
    char path[128];
    symbols_close(w->s);
    for (unsigned i = 0; i < w->blobs_n; i++)
        buf_free(&w->blobs[i].content);
    arena_free(&w->arena);
    for (const char *const *end = (const char *const[]){ "", "-wal", "-shm", NULL }; *end; end++) {
        snprintf(path, sizeof path, "%s/symbols.db%s", w->dir, *end);
        unlink(path);
    }
    assert_int_equal(rmdir(w->dir), 0);
    mem_free(w);
    return 0;
}

// Keeps a content under a digest of its own.
static struct buf *blob(struct world *w, struct symbols_upload *u)
{
    unsigned i = w->blobs_n++;
    assert_true(i < 8);
    memset(w->blobs[i].digest, (int)i + 1, SYMBOLS_DIGEST);
    buf_init(&w->blobs[i].content, 1 << 20);
    memcpy(u->digest, w->blobs[i].digest, SYMBOLS_DIGEST);
    return &w->blobs[i].content;
}

static void bundle_add(struct world *w, uint32_t project, const char *headers)
{
    struct symbols_upload u = { .project = project };
    struct buf *zip = blob(w, &u);
    struct err err = { 0 };
    char manifest[1024];
    uint32_t n;
    snprintf(manifest, sizeof manifest,
             "{\"files\":{\"files/_/_/app.js\":{\"type\":\"minified_source\",\"url\":\"~/app.js\"%s},\"files/_/_/"
             "app.js.map\""
             ":{\"type\":\"source_map\",\"url\":\"~/app.js.map\"%s}}}",
             headers, headers);
    const struct zip_entry entries[] = { { "manifest.json", str_z(manifest) },
                                         { "files/_/_/app.js", str_z(app_js) },
                                         { "files/_/_/app.js.map", str_z(app_map) } };
    zip_make(STR("SYSB\2\0\0\0"), entries, 3, zip);
    for (int again = 0; again < 2; again++)
        assert_int_equal(symbols_bundle_add(w->s, &u, buf_bytes(zip), &n, &err), 0);
    assert_int_equal(n, 2);
}

static void file_add(struct world *w, const char *release, const char *dist, const char *name, const char *content)
{
    struct symbols_upload u = { .project = 7, .release = str_z(release), .dist = str_z(dist) };
    struct buf *to = blob(w, &u);
    buf_str(to, str_z(content));
    assert_int_equal(symbols_file_add(w->s, &u, str_z(name), (str){ 0 }, buf_bytes(to), NULL), 0);
}

#define FRAMES                                                                           \
    "[{\"function\":\"?\",\"abs_path\":\"https://shop.example/app.js\",\"filename\":\"/" \
    "app.js\",\"lineno\":1,\"colno\":25},"                                               \
    "{\"function\":\"a\",\"abs_path\":\"https://shop.example/app.js\",\"filename\":\"/"  \
    "app.js\",\"lineno\":1,\"colno\":23,"                                                \
    "\"in_app\":true,\"vars\":{\"b\":1},\"pre_context\":[\"x\"]}]"

static const char event_json[] =
    "{\"platform\":\"javascript\",\"release\":\"shop@1.0\",\"exception\":{\"values\":[{\"type\":\"TypeError\","
    "\"stacktrace\":"
    "{\"frames\":" FRAMES "}}]},\"debug_meta\":{\"images\":[{\"type\":\"sourcemap\",\"code_file\":"
    "\"https://shop.example/app.js\",\"debug_id\":\"" ID "\"}]}}";
static const char event_without_id[] = "{\"platform\":\"javascript\",\"release\":\"shop@1.0\",\"dist\":\"web\","
                                       "\"exception\":{\"values\":[{\"type\":\"TypeError\","
                                       "\"stacktrace\":{\"frames\":" FRAMES "}}]}}";

static struct sentry_event read_event(struct world *w, const char *json)
{
    const struct json_node *root;
    struct sentry_event e;
    assert_int_equal(json_tree_read(str_z(json), &w->arena, 32, &root, NULL), 0);
    assert_int_equal(sentry_event_read(root, &w->arena, &e, NULL), 0);
    return e;
}

static struct symbols_counts apply(struct world *w, uint32_t project, struct sentry_event *e, enum symbols_use use)
{
    struct symbols_counts c;
    assert_int_equal(symbols_event_apply(w->s, project, e, use, &w->arena, &c), 0);
    return c;
}

static void expect_readable(const struct sentry_event *e)
{
    const struct sentry_frame *outer = &e->exceptions[0].stack.frames[0], *f = &e->exceptions[0].stack.frames[1];
    assert_true(str_eq(f->function, STR("checkout")));
    assert_true(str_eq(f->filename, STR("./src/shop.ts")));
    assert_true(str_eq(f->abs_path, STR("webpack:///./src/shop.ts")));
    assert_true(str_eq(f->module, STR("src/shop")) || str_eq(f->module, STR("shop")));
    assert_int_equal(f->line, 2);
    assert_int_equal(f->column, 9);
    assert_int_equal(f->in_app, 1);
    assert_true(str_eq(f->context_line, STR("  throw item.price;")));
    assert_true(str_eq(f->raw->function, STR("a")));
    assert_int_equal(f->raw->column, 23);
    assert_false(f->missing.len);
    // The same in its JSON, with what else it had.
    assert_true(str_eq(json_get_text(f->node, STR("function")), STR("checkout")));
    assert_true(json_is(json_get(f->node, STR("vars")), JSON_OBJECT));
    const struct json_node *before = json_get(f->node, STR("pre_context"));
    assert_int_equal(before->n, 1);
    assert_true(str_eq(before->first->text, STR("function checkout(item) {")));
    assert_int_equal(json_get(f->node, STR("post_context"))->n, 2);
    assert_true(str_eq(outer->context_line, STR("checkout(1);")));
    assert_int_equal(outer->line, 4);
    // The event as it was sent.
    assert_true(str_find(str_z(event_json), STR("\"colno\":23")) > 0);
}

static void test_by_debug_id(void **state)
{
    struct world *w = *state;
    bundle_add(w, 7, ",\"headers\":{\"debug-id\":\"" ID "\"}");
    struct sentry_event e = read_event(w, event_json);
    const struct sentry_exception *sent = e.exceptions;
    struct symbols_counts c = apply(w, 7, &e, SYMBOLS_ANY);
    assert_int_equal(c.symbolicated, 2);
    assert_int_equal(c.frames, 2);
    assert_int_equal(c.missing, 0);
    expect_readable(&e);
    assert_true(str_eq(sent[0].stack.frames[1].function, STR("a")));
    // Not in another project.
    e = read_event(w, event_json);
    c = apply(w, 8, &e, SYMBOLS_ANY);
    assert_int_equal(c.missing, 2);
    assert_true(str_find(e.exceptions[0].stack.frames[0].missing, STR("debug id " ID)) > 0);
    assert_null(e.exceptions[0].stack.frames[0].raw);
    uint8_t id[16];
    bool has;
    assert_true(debug_id_parse(STR(ID), id));
    assert_int_equal(symbols_has_debug_id(w->s, 7, id, &has, NULL), 0);
    assert_true(has);
    assert_int_equal(symbols_has_debug_id(w->s, 8, id, &has, NULL), 0);
    assert_false(has);
}

static void test_never_parses_at_ingest(void **state)
{
    struct world *w = *state;
    struct symbols_stats stats;
    bundle_add(w, 7, ",\"headers\":{\"debug-id\":\"" ID "\"}");
    struct sentry_event e = read_event(w, event_json);
    struct symbols_counts c = apply(w, 7, &e, SYMBOLS_PARSED);
    assert_int_equal(c.unparsed, 2);
    assert_int_equal(c.symbolicated, 0);
    symbols_stats(w->s, &stats);
    assert_int_equal(stats.parsed, 0);
    assert_true(symbols_work(w->s));
    symbols_stats(w->s, &stats);
    assert_int_equal(stats.parsed, 1);
    c = apply(w, 7, &e, SYMBOLS_PARSED);
    assert_int_equal(c.symbolicated, 2);
    expect_readable(&e);
}

static void test_newest_maps_are_parsed_first(void **state)
{
    struct world *w = *state;
    file_add(w, "shop@1.0", "", "~/app.js", app_js);
    file_add(w, "shop@1.0", "", "~/app.js.map", app_map);
    symbols_work(w->s);
    struct sentry_event e = read_event(w, event_without_id);
    assert_int_equal(apply(w, 7, &e, SYMBOLS_PARSED).symbolicated, 2);
    bundle_add(w, 7, ",\"headers\":{\"debug-id\":\"" ID "\"}");
    symbols_close(w->s);
    open_symbols(w);
    symbols_work(w->s);
    e = read_event(w, event_json);
    assert_int_equal(apply(w, 7, &e, SYMBOLS_PARSED).symbolicated, 2);
}

static void test_by_release_and_url(void **state)
{
    struct world *w = *state;
    struct sentry_event e = read_event(w, event_without_id);
    struct symbols_counts c = apply(w, 7, &e, SYMBOLS_ANY);
    assert_int_equal(c.missing, 2);
    assert_true(str_find(e.exceptions[0].stack.frames[0].missing, STR("shop@1.0")) > 0);
    file_add(w, "shop@1.0", "", "~/app.js", app_js);
    c = apply(w, 7, &e, SYMBOLS_ANY);
    assert_true(str_find(e.exceptions[0].stack.frames[0].missing, STR("but not the source map")) > 0);
    file_add(w, "shop@1.0", "", "~/app.js.map", app_map);
    e = read_event(w, event_without_id);
    assert_int_equal(apply(w, 7, &e, SYMBOLS_ANY).symbolicated, 2);
    expect_readable(&e);
    // A file of the same dist goes before one of none; one of another does not count.
    file_add(w, "shop@1.0", "ios", "~/app.js", "//# sourceMappingURL=none.map");
    e = read_event(w, event_without_id);
    assert_int_equal(apply(w, 7, &e, SYMBOLS_ANY).symbolicated, 2);
    file_add(w, "shop@1.0", "web", "~/app.js", "x\n//# sourceMappingURL=none.map");
    e = read_event(w, event_without_id);
    assert_int_equal(apply(w, 7, &e, SYMBOLS_ANY).symbolicated, 0);
    // And goes again.
    assert_int_equal(symbols_remove(w->s, 7, w->blobs[w->blobs_n - 1].digest, (str){ 0 }, NULL), 0);
    e = read_event(w, event_without_id);
    assert_int_equal(apply(w, 7, &e, SYMBOLS_ANY).symbolicated, 2);
}

static void test_map_in_a_comment(void **state)
{
    struct world *w = *state;
    char js[4096], base64[2048];
    base64_encode(base64, app_map, sizeof app_map - 1);
    snprintf(js, sizeof js, "function a(b){throw b.c}a(1)\n//# sourceMappingURL=data:application/json;base64,%.*s",
             (int)base64_encoded_len(sizeof app_map - 1), base64);
    file_add(w, "shop@1.0", "", "https://shop.example/app.js", js);
    struct sentry_event e = read_event(w, event_without_id);
    assert_int_equal(apply(w, 7, &e, SYMBOLS_ANY).symbolicated, 2);
    expect_readable(&e);
}

static void test_maps_that_are_none(void **state)
{
    struct world *w = *state;
    file_add(w, "shop@1.0", "", "~/app.js", app_js);
    file_add(w, "shop@1.0", "", "~/app.js.map", "{\"mappings\":\"!\",\"sources\":[],\"version\":3}");
    struct sentry_event e = read_event(w, event_without_id);
    assert_int_equal(apply(w, 7, &e, SYMBOLS_ANY).missing, 2);
    assert_true(str_find(e.exceptions[0].stack.frames[0].missing, STR("malformed")) > 0);
    file_add(w, "shop@1.0", "", "~/app.js.map", "{\"mappings\":\";;;AAAA\",\"sources\":[\"a\"],\"version\":3}");
    e = read_event(w, event_without_id);
    assert_int_equal(apply(w, 7, &e, SYMBOLS_ANY).missing, 2);
    assert_true(str_find(e.exceptions[0].stack.frames[0].missing, STR("not in it")) > 0);
    // What runs as it was written needs none.
    e = read_event(
        w, "{\"platform\":\"node\",\"exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"abs_path\":\"/srv/a.js\","
           "\"lineno\":3,\"context_line\":\"x()\"},{\"abs_path\":\"node:internal/x\",\"lineno\":1}]}}]}}");
    assert_int_equal(apply(w, 7, &e, SYMBOLS_ANY).frames, 0);
    e = read_event(
        w,
        "{\"platform\":\"python\",\"exception\":{\"values\":[{\"stacktrace\":{\"frames\":[{\"abs_path\":\"/srv/a.py\","
        "\"lineno\":3}]}}]}}");
    assert_int_equal(apply(w, 7, &e, SYMBOLS_ANY).frames, 0);
}

static void wait_for(struct world *w, const char *json, const char *group)
{
    struct sentry_packer packer;
    struct sentry_event e = read_event(w, json);
    bytes packed;
    sentry_packer_init(&packer);
    assert_int_equal(sentry_payload_pack(&packer, e.node, &packed), 0);
    symbols_wait(w->s, 7, str_z(group), &e, packed);
    sentry_packer_free(&packer);
}

static void test_events_before_their_map(void **state)
{
    struct world *w = *state;
    struct symbols_stats stats;
    wait_for(w, event_json, "g1");
    wait_for(w, event_json, "g1"); // one of a group is enough
    symbols_work(w->s);
    symbols_stats(w->s, &stats);
    assert_int_equal(stats.waiting, 1);
    assert_int_equal(w->refined_n, 0);
    // Over a restart.
    symbols_close(w->s);
    open_symbols(w);
    symbols_work(w->s);
    assert_int_equal(w->refined_n, 0);
    // Its issue is not known yet: again later.
    w->refine_answer = ERR_AGAIN;
    bundle_add(w, 7, ",\"headers\":{\"debug-id\":\"" ID "\"}");
    symbols_work(w->s);
    assert_int_equal(w->refined_n, 1);
    assert_string_equal(w->refined_function, "checkout");
    assert_string_equal(w->refined_group, "g1");
    symbols_stats(w->s, &stats);
    assert_int_equal(stats.waiting, 1);
    w->refine_answer = 0;
    symbols_on_refined(w->s, refined, w); // looks through them at once
    symbols_work(w->s);
    assert_int_equal(w->refined_n, 2);
    symbols_stats(w->s, &stats);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.refined, 1);
}

static void test_only_new_ones_are_looked_through(void **state)
{
    struct world *w = *state;
    struct symbols_stats stats;
    w->refine_answer = ERR_AGAIN;
    bundle_add(w, 7, ",\"headers\":{\"debug-id\":\"" ID "\"}");
    wait_for(w, event_json, "g1");
    symbols_work(w->s); // an upload: all
    assert_int_equal(w->refined_n, 1);
    wait_for(w, event_json, "g2");
    symbols_work(w->s);
    assert_int_equal(w->refined_n, 2);
    assert_string_equal(w->refined_group, "g2");
    w->refine_answer = 0;
    wait_for(w, event_json, "g3");
    symbols_work(w->s);
    assert_int_equal(w->refined_n, 3);
    symbols_stats(w->s, &stats);
    assert_int_equal(stats.waiting, 2);
}

static void test_cache_has_an_end(void **state)
{
    struct world *w = *state;
    struct symbols_stats stats;
    symbols_close(w->s);
    struct symbols_options o = { .data = w->dir, .load = load, .load_ctx = w, .manual = true, .cache_bytes = 1 };
    assert_int_equal(symbols_open(&o, &w->s, NULL), 0);
    bundle_add(w, 7, ",\"headers\":{\"debug-id\":\"" ID "\"}");
    for (int i = 0; i < 3; i++) {
        struct sentry_event e = read_event(w, event_json);
        assert_int_equal(apply(w, 7, &e, SYMBOLS_ANY).symbolicated, 2);
        expect_readable(&e);
    }
    symbols_stats(w->s, &stats);
    assert_int_equal(stats.maps, 0);
    assert_int_equal(stats.bytes, 0);
    assert_int_equal(stats.parsed, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_by_debug_id, setup, teardown),
        cmocka_unit_test_setup_teardown(test_never_parses_at_ingest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_newest_maps_are_parsed_first, setup, teardown),
        cmocka_unit_test_setup_teardown(test_by_release_and_url, setup, teardown),
        cmocka_unit_test_setup_teardown(test_map_in_a_comment, setup, teardown),
        cmocka_unit_test_setup_teardown(test_maps_that_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_events_before_their_map, setup, teardown),
        cmocka_unit_test_setup_teardown(test_only_new_ones_are_looked_through, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cache_has_an_end, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
