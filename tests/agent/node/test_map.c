// Source maps in the agent: where they are looked for, what their sources are called, places both ways, and what is too much.
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/node/map.h"
#include "agent/process.h"
#include "base/buf.h"
#include <cmocka.h>

static struct arena arena;

#define SAME(got, want)                                                          \
    do {                                                                         \
        str g_ = (got);                                                          \
        if (!str_eq(g_, str_z(want)))                                            \
            fail_msg("%.*s is not %s", (int)g_.len, g_.len ? g_.ptr : "", want); \
    } while (0)

static void the_comment_at_the_end(void **state)
{
    SAME(map_url_of(STR("a()\n//# sourceMappingURL=a.js.map")), "a.js.map");
    SAME(map_url_of(STR("a()\r\n//@ sourceMappingURL=a.js.map\r\n\n//# debugId=1\n")), "a.js.map");
    SAME(map_url_of(STR("//# sourceMappingURL=old.map\na()\n")), "");
    SAME(map_url_of(STR("x = '//# sourceMappingURL=a.map'\n")), "");
    SAME(map_url_of(STR("//# sourceMappingURL=a.map more")), "");
    SAME(map_url_of(STR("")), "");
}

static void sources_as_paths(void **state)
{
    static const char *const cases[][3] = {
        { "/srv/app/dist/", "../src/a.ts", "/srv/app/src/a.ts" },
        { "/srv/app/dist/", "./b//../c.ts", "/srv/app/dist/c.ts" },
        { "/srv/", "../../../../etc/passwd", "/etc/passwd" }, // a name, and nothing is opened because of it
        { "/srv/", "/abs/./x.ts", "/abs/x.ts" },
        { "/srv/", "file:///abs/a%20b.ts", "/abs/a b.ts" },
        { "/srv/", "webpack://shop/./src/a.ts?1a2b", "src/a.ts" },
        { "/srv/", "webpack:///src/a.ts", "src/a.ts" },
        { "/srv/", "webpack:///../up.ts", "up.ts" },
        { "/srv/", "", "/srv" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        SAME(map_source_path(&arena, str_z(cases[i][0]), str_z(cases[i][1])), cases[i][2]);
    assert_true(map_path_is(STR("/srv/app/src/a.ts"), STR("src/a.ts")));
    assert_true(map_path_is(STR("/srv/app/src/a.ts"), STR("./a.ts")));
    assert_true(map_path_is(STR("src/a.ts"), STR("/srv/app/src/a.ts")));
    assert_false(map_path_is(STR("/srv/app/src/aa.ts"), STR("a.ts")));
    assert_false(map_path_is(STR("a.ts"), STR("/srv/app/src/a.ts")));
    assert_false(map_path_is(STR("/srv/app/src/a.ts"), STR("")));
}

// Only what is inside the script or beside it; only what the process' user may read.
// Read with the rights of the process, and of no other.
static void with_its_rights(const char *folder, const char *path, str script)
{
    struct process p;
    struct err err;
    str json, base;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (setgroups(0, NULL) == 0 && setgid(65533) == 0 && setuid(65533) == 0 && write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    assert_int_equal(process_read(child, &arena, &p), 0);
    chmod(folder, 0755);
    assert_int_equal(map_read(&p, script, STR("a.js.map"), &arena, &json, &base, &err), 0);
    chmod(path, 0600);
    assert_int_equal(map_read(&p, script, STR("a.js.map"), &arena, &json, &base, &err), ERR_DENIED);
    process_done(&p);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void addresses_that_are_followed(void **state)
{
    char folder[] = "/tmp/clew-map-XXXXXX", path[128], link[128];
    struct process p;
    struct err err;
    str json, base;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(process_read(getpid(), &arena, &p), 0);
    snprintf(path, sizeof path, "%s/a.js.map", folder);
    snprintf(link, sizeof link, "%s/b.js.map", folder);
    FILE *f = fopen(path, "w");
    fputs("{}", f);
    fclose(f);
    assert_int_equal(symlink("/dev/zero", link), 0);
    str script = arena_printf(&arena, "%s/a.js", folder);
    assert_int_equal(map_read(&p, script, STR("a.js.map"), &arena, &json, &base, &err), 0);
    SAME(json, "{}");
    assert_int_equal(map_read(&p, script, STR("data:application/json,%7B%7D"), &arena, &json, &base, &err), 0);
    SAME(json, "{}");
    assert_int_equal(map_read(&p, script, STR("data:application/json;base64,e30="), &arena, &json, &base, &err), 0);
    SAME(json, "{}");
    static const char *const not_followed[] = { "/etc/passwd",           "../x.map",           "https://host/a.map",
                                                "a/%2e%2e/%2E%2e/x.map", "file:///etc/passwd", "x%00.map" };
    for (size_t i = 0; i < sizeof not_followed / sizeof *not_followed; i++)
        assert_int_equal(map_read(&p, script, str_z(not_followed[i]), &arena, &json, &base, &err), ERR_UNSUPPORTED);
    assert_int_equal(map_read(&p, script, STR("data:;base64,%%%"), &arena, &json, &base, &err), ERR_MALFORMED);
    assert_true(map_read(&p, script, STR("b.js.map"), &arena, &json, &base, &err) < 0); // no regular file
    assert_true(map_read(&p, script, STR("none.map"), &arena, &json, &base, &err) < 0);
    if (geteuid() == 0)
        with_its_rights(folder, path, script);
    unlink(path), unlink(link), rmdir(folder);
    process_done(&p);
}

static void what_is_too_much(void **state)
{
    struct sourcemap *map = NULL;
    struct err err;
    struct buf json;
    str made, base;
    // Refused by its length: the texts that it would become do not fit this arena.
    struct arena little;
    struct process p = { .dir = -1 };
    size_t n = (size_t)MAP_TEXT_MAX / 3 * 4 + 64;
    char *large = malloc(n);
    memset(large, 'A', n);
    memcpy(large, "data:;base64,", 13);
    arena_init(&little, 64 << 10);
    assert_int_equal(map_read(&p, STR("/a.js"), str_of(large, n), &little, &made, &base, &err), ERR_LIMIT);
    arena_free(&little);
    free(large);
    buf_init(&json, MAP_TEXT_MAX + 4096);
    buf_str(&json, STR("{\"version\":3,\"sources\":[\"a\"],\"names\":[],\"mappings\":\""));
    for (int i = 0; i <= MAP_SEGMENTS_MAX; i++)
        buf_str(&json, STR("AAAA,"));
    buf_str(&json, STR("\"}"));
    assert_int_equal(json.error, 0);
    assert_int_equal(map_parse(buf_view(&json), SOURCEMAP_CONTENT_NONE, &map, &err), ERR_LIMIT);
    assert_string_equal(err.slug, "no_source_map");
    buf_free(&json);
}

// A map of two sources, the second one with names, over text that is not ASCII.
static void places_both_ways(void **state)
{
    static const char source[] = "function a(b) {\n  '\xc3\xa4\xf0\x9f\x99\x82'; x(); return b;\n}\n";
    // Columns of line 2, in units of UTF-16: 2 is line 6 of s0, 9 is line 8 of s1, 14 is line 10 of s1.
    static const char json[] =
        "{\"version\":3,\"sources\":[\"s0.ts\",\"s1.ts\"],\"names\":[\"order\",\"total\"],"
        "\"sourcesContent\":[\"zero\",\"one\"],\"mappings\":\"AAGA,SAASA,EAAEC;EAEX,OCEI,KAEF\"}";
    struct sourcemap *map = NULL;
    struct map_view v;
    struct scan s;
    struct err err = { 0 };
    uint32_t *lines, n, first;
    assert_int_equal(js_source(str_z(source), &arena, &s, &err), 0);
    if (map_parse(str_z(json), 1, &map, &err) < 0)
        fail_msg("%s", err.message);
    assert_null(map->sources[0].content.ptr);
    SAME(map->sources[1].content, "one");
    assert_int_equal(map_view_make(map, &s, &arena, &v), 0);
    for (uint32_t i = 0; i < s.n_places; i++) // each is found by what it is the place of
        if (v.places[i].line) {
            const struct scan_place *p = map_place_of(&v, v.places[i].source, v.places[i].line, v.places[i].column);
            assert_non_null(p);
            assert_true(p == &s.places[i] || p->at < s.places[i].at);
        }
    first = 0;
    for (uint32_t source_at = 0; source_at < 2; source_at++) {
        assert_int_equal(map_lines(&v, source_at, &arena, &lines, &n), 0);
        for (uint32_t i = 0; i < n; i++)
            assert_non_null(map_place_of(&v, source_at, lines[i], 0));
        first += n;
    }
    assert_true(first >= 2);
    assert_memory_equal(source + map_place_of(&v, 1, 8, 0)->at, "x()", 3);
    assert_memory_equal(source + map_place_of(&v, 1, 10, 3)->at, "return", 6);
    assert_null(map_place_of(&v, 1, 10, 4));
    assert_null(map_place_of(&v, 1, 0, 0));
    assert_null(map_place_of(&v, 7, 1, 0));
    SAME(s.functions[1].original, "order");
    SAME(js_known(&s, &s.places[s.n_places - 1], STR("total"))->name, "b");
    sourcemap_free(map);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_comment_at_the_end),
        cmocka_unit_test(sources_as_paths),
        cmocka_unit_test(addresses_that_are_followed),
        cmocka_unit_test(what_is_too_much),
        cmocka_unit_test(places_both_ways),
    };
    arena_init(&arena, 64 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
