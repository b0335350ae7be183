// What the text of a file says, and the answers that are made of it for a process: this one.
#include "agent/process.h"
#include "agent/python/resolve.h"
#include "agent/python/source.h"
#include "agent/source.h"
#include "base/json.h"
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char shop[1 << 14];
static struct py_source source;

static int set_up(void **state)
{
    FILE *f = fopen(VICTIMS "/../../fuzz/corpus/py_source/shop.py", "r");
    assert_non_null(f);
    size_t n = fread(shop, 1, sizeof shop - 1, f);
    fclose(f);
    return py_source_read(&source, str_of(shop, n));
}
static int tear_down(void **state)
{
    py_source_free(&source);
    return 0;
}

static void functions(void **state)
{
    static const struct {
        const char *name;
        int line, end;
    } want[] = { { "outer", 11, 29 },
                 { "outer.<locals>.inner", 14, 18 },
                 { "Shop", 32, 36 },
                 { "Shop.buy", 34, 36 },
                 { "short", 37, 37 } };
    size_t n;
    const struct py_scope *scopes = py_scopes(&source, &n);
    assert_int_equal(n, 6);
    for (size_t i = 0; i < 5; i++) {
        struct buf name;
        buf_init(&name, 100);
        assert_int_equal(py_qualified(&source, &scopes[i + 1], &name), 0);
        buf_byte(&name, 0);
        assert_string_equal((char *)name.ptr, want[i].name);
        assert_int_equal(scopes[i + 1].line, want[i].line);
        assert_int_equal(scopes[i + 1].end, want[i].end);
        buf_free(&name);
    }
}

static void lines(void **state)
{
    static const int want[] = { 13, 14, 17, 18, 19, 20, 21, 22, 23, 24, 25, 27, 28, 35, 36 };
    size_t n;
    const struct py_line *l = py_lines(&source, &n);
    for (size_t i = 0; i < n && i < sizeof want / sizeof want[0]; i++)
        assert_int_equal(l[i].line, want[i]);
    assert_int_equal(n, sizeof want / sizeof want[0]);
}

static void add(void *ctx, str name, enum py_name_kind kind)
{
    static const char kinds[] = "alcg";
    buf_printf(ctx, "%c:%.*s ", kinds[kind], STR_ARG(name));
}

static void visible(int line, const char *want)
{
    struct buf out;
    buf_init(&out, 4096);
    py_visible(&source, line, add, &out);
    buf_byte(&out, 0);
    assert_string_equal((char *)out.ptr, want);
    buf_free(&out);
}

#define GLOBALS "g:a g:e g:h g:i g:LIMIT g:x g:y g:z g:outer g:Shop g:short "
static void names(void **state)
{
    visible(7, GLOBALS);
    visible(20, "a:a a:b a:args a:c a:kw l:n l:m l:inner l:k l:l l:o l:fd l:p l:q l:w l:late l:error "
                "g:e g:h g:i g:LIMIT g:x g:y g:z g:outer g:Shop g:short ");
    visible(17, "c:a c:b c:n g:e g:h g:i g:LIMIT g:x g:y g:z g:outer g:Shop g:short ");
    visible(35, "a:self a:order l:item l:total g:a g:e g:h g:i g:LIMIT g:x g:y g:z g:outer g:Shop g:short ");
}

static char *answer(const char *path, enum resolve_what what, int line, const char *prefix)
{
    static char text[1 << 16];
    struct resolve_request q = { .what = what, .path = str_z(path), .prefix = str_z(prefix), .line = line };
    struct buf out;
    struct json_writer w;
    struct err err = { 0 };
    buf_init(&out, sizeof text);
    json_writer_init(&w, &out);
    struct arena arena;
    struct process p;
    arena_init(&arena, 1 << 20);
    assert_int_equal(process_read(getpid(), &arena, &p), 0);
    int rc = python_resolve(&p, &q, &w, &err);
    process_done(&p);
    arena_free(&arena);
    snprintf(text, sizeof text, "%.*s", rc < 0 ? (int)strlen(err.slug) : (int)out.len,
             rc < 0 ? err.slug : (char *)out.ptr);
    buf_free(&out);
    return text;
}

static void answers(void **state)
{
    char folder[] = "/tmp/clew-source-XXXXXX", path[64], other[64], link[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/app.py", folder);
    snprintf(other, sizeof other, "%s/notes.txt", folder);
    snprintf(link, sizeof link, "%s/fifo.py", folder);
    FILE *f = fopen(path, "w");
    fputs("TOP = 1\ndef f(a):\n    # why\n    b = a\n    return b\n", f);
    fclose(f);
    f = fopen(other, "w");
    fclose(f);
    assert_int_equal(mkfifo(link, 0600), 0);
    char *a = answer(path, RESOLVE_SOURCE, 0, "");
    assert_non_null(strstr(a, "\"hash\":\"5f7598129214cfe7aaa511e06703d30f6c6c68f3e9cbfeca58bb04e5f04bb6da\""));
    assert_non_null(strstr(a, "\"lines\":[4,5],\"functions\":[{\"name\":\"f\",\"line\":2,\"end\":5,\"hash\":\""));
    assert_string_equal(answer(path, RESOLVE_LINES, 1, ""), "{\"lines\":[4,5],\"nearest\":[4,5]}");
    assert_string_equal(answer(path, RESOLVE_LINES, 5, ""), "{\"lines\":[4,5],\"nearest\":[5]}");
    assert_string_equal(answer(path, RESOLVE_VARIABLES, 5, ""),
                        "{\"variables\":[{\"name\":\"a\",\"kind\":\"arg\"},{\"name\":\"b\",\"kind\":\"local\"},"
                        "{\"name\":\"TOP\",\"kind\":\"global\"},{\"name\":\"f\",\"kind\":\"global\"}]}");
    assert_string_equal(answer(path, RESOLVE_VARIABLES, 5, "b"),
                        "{\"variables\":[{\"name\":\"b\",\"kind\":\"local\"}]}");
    assert_string_equal(answer(path, RESOLVE_FUNCTIONS, 0, "g"), "{\"functions\":[]}");
    assert_non_null(strstr(answer(folder, RESOLVE_FILES, 0, ""), "\"name\":\"app.py\""));
    assert_null(strstr(answer(folder, RESOLVE_FILES, 0, ""), "notes.txt"));
    assert_string_equal(answer(other, RESOLVE_SOURCE, 0, ""), "no_source");
    assert_string_equal(answer(link, RESOLVE_SOURCE, 0, ""), "no_source");
    assert_string_equal(answer("../app.py", RESOLVE_SOURCE, 0, ""), "no_source");
    assert_string_equal(answer("/nowhere.py", RESOLVE_LINES, 0, ""), "no_source");
    unlink(path), unlink(other), unlink(link), rmdir(folder);
}

static void made(const char *path)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs("def f(a):\n    return a\n", f);
    fclose(f);
}

// The end of a path is enough, as it is for the place of a probe, where only one file of the process is meant.
static void ends_of_paths(void **state)
{
    char folder[] = "/tmp/clew-source-XXXXXX", back[4096];
    assert_non_null(mkdtemp(folder));
    assert_non_null(getcwd(back, sizeof back));
    assert_int_equal(chdir(folder), 0);
    assert_int_equal(
        mkdir("shop", 0700) | mkdir("shop/a", 0700) | mkdir("shop/b", 0700) | mkdir("shop/node_modules", 0700), 0);
    made("shop/a/orders.py"), made("shop/a/prices.py"), made("shop/b/prices.py"), made("shop/node_modules/other.py");
    assert_non_null(strstr(answer("orders.py", RESOLVE_SOURCE, 0, ""), "{\"path\":\"shop/a/orders.py\",\"text\":"));
    assert_non_null(strstr(answer("a/prices.py", RESOLVE_SOURCE, 0, ""), "{\"path\":\"shop/a/prices.py\","));
    assert_string_equal(answer("prices.py", RESOLVE_SOURCE, 0, ""), "no_source");
    assert_string_equal(answer("other.py", RESOLVE_SOURCE, 0, ""), "no_source");
    assert_string_equal(answer("rders.py", RESOLVE_SOURCE, 0, ""), "no_source");

    // The program's own folder comes before others.
    struct arena arena;
    struct process p;
    struct err err = { 0 };
    str path;
    char argv[256];
    int n = snprintf(argv, sizeof argv, "python%c%s/shop/b/app.py%c", 0, folder, 0);
    arena_init(&arena, 1 << 20);
    assert_int_equal(process_read(getpid(), &arena, &p), 0);
    p.argv = str_of(argv, (size_t)n);
    assert_int_equal(source_find(&p, STR("prices.py"), &arena, &path, &err), 0);
    assert_true(str_ends(path, STR("/shop/b/prices.py")));
    assert_int_equal(source_find(&p, STR("a/prices.py"), &arena, &path, &err), 0);
    assert_true(str_ends(path, STR("/shop/a/prices.py")));
    process_done(&p);
    arena_free(&arena);
    unlink("shop/a/orders.py"), unlink("shop/a/prices.py"), unlink("shop/b/prices.py"),
        unlink("shop/node_modules/other.py");
    rmdir("shop/a"), rmdir("shop/b"), rmdir("shop/node_modules"), rmdir("shop");
    assert_int_equal(chdir(back), 0);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions), cmocka_unit_test(lines),         cmocka_unit_test(names),
        cmocka_unit_test(answers),   cmocka_unit_test(ends_of_paths),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
