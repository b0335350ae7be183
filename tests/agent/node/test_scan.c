// Where a call can stand: the text with one at every place says it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "agent/node/edit.h"
#include "agent/node/scan.h"
#include <cmocka.h>

static struct arena arena;

// The text with P at each place, { } around what needs braces, P? before expressions.
static const char *marked(const char *source)
{
    static char out[2048];
    struct scan s;
    struct err err = { 0 };
    size_t n = 0, at = 0;
    if (js_source(str_z(source), &arena, &s, &err) < 0)
        return err.message[0] ? "not understood" : "";
    for (size_t i = 0; i <= strlen(source); i++) {
        for (uint32_t k = 0; k < s.n_places; k++)
            if (s.places[k].form == SCAN_BODY && s.places[k].end == i)
                out[n++] = '}';
        for (uint32_t k = 0; k < s.n_places; k++)
            if (s.places[k].at == i) {
                n += (size_t)snprintf(out + n, sizeof out - n, "%s",
                                      s.places[k].form == SCAN_BODY   ? "{P;"
                                      : s.places[k].form == SCAN_EXPR ? "P?"
                                                                      : "P;");
                at++;
            }
        out[n++] = source[i];
    }
    out[n] = 0;
    return out;
}

static void statements(void **state)
{
    static const char *const cases[][2] = {
        { "f(){}", "not understood" },
        { "function f(){ if (a) b(); else c() }", "function f(){ P;if (a) {P;b();} else {P;c()} }" },
        { "function f(){ 'use strict'; return 1 }", "function f(){ 'use strict'; P;return 1 }" },
        { "let f = x => x + 1", "P;let f = x => P?x + 1" },
        { "let f = (a, b = 2) => ({ a })", "P;let f = (a, b = 2) => P?({ a })" },
        { "a = (b)\nc = /[/'\"]/g.test(d) / 2", "P;a = (b)\nP;c = /[/'\"]/g.test(d) / 2" },
        { "x = `a${b(() => { c() })}d` ; y", "P;x = `a${b(() => { P;c() })}d` ; P;y" },
        { "l: for (;;) continue l", "l: for (;;) {P;continue l}" },
        { "class A { static { a() } get b() { return 1 } c = () => 2; #d(){ e() } }",
          "P;class A { static { P;a() } get b() { P;return 1 } c = () => P?2; #d(){ P;e() } }" },
        { "switch (a) { case 1: b(); default: c() }", "P;switch (a) { case 1: P;b(); default: P;c() }" },
        { "import a, { b as c } from 'd'; export default class {} export const e = 1",
          "import a, { b as c } from 'd'; export default class {} export const e = 1" },
        { "async function* f(){ for await (const x of y) yield x }",
          "async function* f(){ P;for await (const x of y) {P;yield x} }" },
        { "do a(); while (b) c()", "P;do {P;a();} while (b) P;c()" },
        { "if (a) { b } else if (c) d", "P;if (a) { P;b } else {P;if (c) {P;d}}" },
        { "a\n++b", "P;a\nP;++b" },
        { "o = { async *m(){ x }, get: 1, [k]() { y }, z }", "P;o = { async *m(){ P;x }, get: 1, [k]() { P;y }, z }" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(marked(cases[i][0]), cases[i][1]);
}

static void names(void **state)
{
    static const char source[] = "const g = 1;\nfunction f(a, { b, c: [d] }, ...e) {\n  var late;\n  for (let i of a) "
                                 "{\n    use(i);\n  }\n  let after = 1;\n  use(after);\n}\n";
    struct scan s;
    struct err err = { 0 };
    assert_int_equal(js_source(str_z(source), &arena, &s, &err), 0);
    const struct scan_place *in = js_place_of(&s, 5, 0), *behind = js_place_of(&s, 8, 0);
    static const char *const known[] = { "a", "b", "d", "e", "late", "i", "g", "f" };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        assert_non_null(js_visible(&s, in, str_z(known[i])));
    assert_null(js_visible(&s, in, STR("c")));
    assert_null(js_visible(&s, behind, STR("i")));
    assert_true(js_visible(&s, in, STR("after"))->from > in->at);
    assert_true(js_visible(&s, behind, STR("after"))->from <= behind->at);
    assert_null(js_place_of(&s, 6, 0));
    assert_true(js_mentions(str_z(source), 0, sizeof source - 1, STR("late")));
    assert_false(js_mentions(STR("x.late"), 0, 6, STR("late")));
}

static void what_was_put_in_comes_out(void **state)
{
    struct scan s;
    struct err err = { 0 };
    struct buf out;
    str back;
    str source = STR("function f(a) {\n  if (a) return a;\n  return 2;\n}\n");
    struct probe p[2];
    struct edit_probe e[2] = { { .probe = &p[0], .slot = 3 }, { .probe = &p[1], .slot = 4 } },
                      *both[] = { &e[0], &e[1] };
    assert_int_equal(js_source(source, &arena, &s, &err), 0);
    for (int i = 0; i < 2; i++) {
        probe_defaults(&p[i], PROBE_SNAPSHOT);
        p[i].where.line = 2, p[i].where.column = i ? 10 : 0;
        assert_int_equal(edit_place(&s, &e[i], NULL, &arena, &err), 0);
    }
    buf_init(&out, 1 << 20);
    assert_int_equal(edit_write(&s, both, 2, &out), 0);
    assert_true(str_find(buf_view(&out), STR("__clew.p4&&__clew.p4(a)")) > 0);
    assert_int_equal(edit_strip(buf_view(&out), &arena, &back), 0);
    assert_true(str_eq(back, source));
    buf_free(&out);
}

static void exits(void **state)
{
    static const struct {
        const char *source, *written;
        enum probe_point point;
    } cases[] = {
        { "let f = (a) => a + 1", "let f = (a) => /*clew(*/__clew.h(__clew.p3,0,a).v=/*)clew*/a + 1", PROBE_EXIT },
        { "function f(a) { if (a) return; return b, a }",
          "function f(a) { /*clew(*/let __clew3t=__clew.p3?__clew.n():0;/*)clew*/if (a) return/*clew(*/ "
          "__clew.w(__clew.p3,__clew3t,a)/*)clew*/; return b, "
          "/*clew(*/__clew.h(__clew.p3,__clew3t,a).v=/*)clew*/a/*clew(*/;__clew.w(__clew.p3,__clew3t,a);/*)clew*/ }",
          PROBE_EXIT },
        { "function f() {\n  const c = 1\n  g(c) // why\n}",
          "function f() {\n  /*clew(*/let __clew3t=__clew.p3?__clew.n():0,__clew3c0=__clew.z;try{/*)clew*/const c = "
          "1/*clew(*/;__clew3c0=c;/*)clew*/\n  g(c)/*clew(*/;}catch(__clew3e){try{__clew.p3&&__clew.p3(2,__clew3e,"
          "__clew3t,__clew3c0)}catch{}throw __clew3e}/*)clew*/ // why\n}",
          PROBE_THROW },
        { "function f() {\n}",
          "function f() {/*clew(*/let __clew3t=__clew.p3?__clew.n():0;try{;try{__clew.p3&&__clew.p3(1,void "
          "0,__clew3t)}catch{}}catch(__clew3e){try{__clew.p3&&__clew.p3(2,__clew3e,__clew3t)}catch{}throw "
          "__clew3e}/*)clew*/\n}",
          PROBE_EXIT },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct scan s;
        struct err err = { 0 };
        struct probe p;
        struct edit_probe e = { .probe = &p, .slot = 3 }, *list[] = { &e };
        struct buf out;
        str back;
        probe_defaults(&p, PROBE_SNAPSHOT);
        p.where.kind = PROBE_AT_FUNCTION, p.where.function = STR("f"), p.where.point = cases[i].point;
        assert_int_equal(js_source(str_z(cases[i].source), &arena, &s, &err), 0);
        assert_int_equal(edit_place(&s, &e, NULL, &arena, &err), 0);
        buf_init(&out, 1 << 20);
        assert_int_equal(edit_write(&s, list, 1, &out), 0);
        if (!str_eq(buf_view(&out), str_z(cases[i].written)))
            fail_msg("%.*s", STR_ARG(buf_view(&out)));
        assert_int_equal(edit_strip(buf_view(&out), &arena, &back), 0);
        assert_true(str_eq(back, str_z(cases[i].source)));
        buf_free(&out);
    }
    // Nowhere to see it.
    struct scan s;
    struct err err = { 0 };
    struct probe p;
    struct edit_probe e = { .probe = &p };
    probe_defaults(&p, PROBE_SNAPSHOT);
    p.where.kind = PROBE_AT_FUNCTION, p.where.function = STR("f"), p.where.point = PROBE_THROW;
    assert_int_equal(js_source(STR("let f = () => { g() }"), &arena, &s, &err), 0);
    assert_int_equal(edit_place(&s, &e, NULL, &arena, &err), ERR_UNSUPPORTED);
}

// "Class.method" is that class', and one of many classes is not mistaken for another.
static void methods_of_a_name(void **state)
{
    static const char source[] = "class A { run() { a() } }\n"
                                 "class B extends A { run() { b() } go = () => { c() } }\n"
                                 "const C = class { static async run() { d() } };\n"
                                 "const api = { run() { e() }, go: () => { f() } };\n"
                                 "function run() { g() }\n";
    static const struct {
        const char *function;
        uint32_t line;
    } cases[] = { { "A.run", 1 },  { "B.run", 2 },      { "B.go", 2 }, { "C.run", 3 }, { "api.run", 4 },
                  { "api.go", 4 }, { "deep.B.run", 2 }, { "run", 1 },  { "A.go", 0 },  { "exports.run", 1 } };
    struct scan s;
    struct err err = { 0 };
    assert_int_equal(js_source(str_z(source), &arena, &s, &err), 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct probe p;
        struct edit_probe e = { .probe = &p };
        probe_defaults(&p, PROBE_SNAPSHOT);
        p.where.kind = PROBE_AT_FUNCTION, p.where.function = str_z(cases[i].function);
        int rc = edit_place(&s, &e, NULL, &arena, &err);
        if (cases[i].line ? rc < 0 || e.line != cases[i].line : rc != ERR_NOENT)
            fail_msg("%s: line %u, %s", cases[i].function, e.line, err.message);
    }
}

// Each alone has room in the line, and all of them have not.
static void probes_in_one_line(void **state)
{
    static char source[700];
    struct scan s;
    struct err err = { 0 };
    struct probe p[8];
    struct edit_probe e[8], *list[8];
    size_t n = 0;
    int len =
        snprintf(source, sizeof source, "function f(value) { a(); b(); c(); d(); e(); g(); h(); i() } /*%0350d*/", 0);
    assert_int_equal(js_source(str_of(source, (size_t)len), &arena, &s, &err), 0);
    for (size_t i = 0; i < 8; i++) {
        probe_defaults(&p[i], PROBE_SNAPSHOT);
        p[i].where.kind = PROBE_AT_LINE, p[i].where.line = 1, p[i].where.column = s.places[i].column;
        e[i] = (struct edit_probe){ .probe = &p[i], .slot = (uint32_t)i };
        assert_int_equal(edit_place(&s, &e[i], NULL, &arena, &err), 0);
        assert_ptr_equal(e[i].place, &s.places[i]);
        if (edit_fits(&s, list, n, &e[i], &err) == 0)
            list[n++] = &e[i];
        else
            assert_string_equal(err.slug, "unsupported");
    }
    assert_in_range(n, 2, 7);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(statements),
        cmocka_unit_test(names),
        cmocka_unit_test(what_was_put_in_comes_out),
        cmocka_unit_test(exits),
        cmocka_unit_test(methods_of_a_name),
        cmocka_unit_test(probes_in_one_line),
    };
    arena_init(&arena, 16 << 20);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    return failed;
}
