#include "symbols/js_scopes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

// Each @ in the code is a place; want: the functions that they lie in, "-": none, "?": anonymous.
static void expect(const char *code, const char *want)
{
    char source[4096], got[1024] = "";
    struct {
        uint32_t line, column;
    } at[32];
    size_t n = 0, places = 0;
    uint32_t line = 0, column = 0;
    for (const char *p = code; *p; p++) {
        if (*p == '@') {
            at[places].line = line, at[places++].column = column;
            continue;
        }
        source[n++] = *p;
        column += ((unsigned char)*p & 0xc0) != 0x80;
        if (*p == '\n')
            line++, column = 0;
    }
    struct js_scopes *s;
    assert_int_equal(js_scopes_read(str_of(source, n), NULL, &s), 0);
    for (size_t i = 0; i < places; i++) {
        str name;
        size_t used = strlen(got);
        if (!js_scopes_find(s, at[i].line, at[i].column, &name))
            name = STR("-");
        else if (!name.len)
            name = STR("?");
        snprintf(got + used, sizeof got - used, "%s%.*s", i ? " | " : "", STR_ARG(name));
    }
    js_scopes_free(s);
    assert_string_equal(got, want);
}

static void test_declarations(void **state)
{
    expect("@x;function a(b){@function*c(){@}@}@", "- | a | c | a | -");
    expect("async function f(a={b:1},[c]=[]){@if(a){@}}", "f | f");
    expect("(function(){@})();(function g(){@})()", "? | g");
}

static void test_what_it_is_given_to(void **state)
{
    expect("var f=function(){@},g=(a,b)=>{@},h=a=>a+@1,i=async()=>{@};foo(()=>{@})", "f | g | h | i | ?");
    expect("a.b.c=function(){@};this.x=()=>@1;exports.y=function z(){@}", "a.b.c | this.x | z");
    expect("var x={a:function(){@},b(){@},get c(){@},'d':()=>@1,async*e(){@},[f]:()=>{@},g:{h(){@}},...i(1),j(){@}}",
           "x.a | x.b | x.c | x | x.e | x | x.g.h | x.j");
    expect("const t=foo(function(){@},1);u=[()=>@1]", "t | u");
    expect("function o(){return{a(){@}}}", "?");
    expect("function o(){var q=(()=>@1,()=>@2)}", "q | q");
    expect("a=b?()=>@1:()=>@2,c;d=e===f?g:()=>@3;h+=()=>{@}", "a | a | d | ?");
}

static void test_classes(void **state)
{
    expect("class A{constructor(a){@}m(){@}static async s(){@}get g(){@}#p(){@}f=()=>{@};q=1;r(){@}}@",
           "new A | A.m | A.s | A.g | A.#p | A.f | A.r | -");
    expect("const B=class extends A{constructor(){super();@}m(){@}};", "new B | B.m");
    expect("class C extends D{x = 1\n  y(){@}\n}", "C.y");
    expect("foo(class{m(){@}})", "?");
}

static void test_tokens(void **state)
{
    expect("var a='}{',b=\"\\\"{\",c=`{${function(){return @`}`}}{`,f=function(){@}", "c | f");
    expect("x=/[/}]{/.test(y)?/a\\/}/:1;function f(){return/}/.test(a)/b/c+@1}@", "f | -");
    expect("if(a)/}/.exec(b);a=b/c;d=e/f;function g(){@}", "g");
    expect("try{a()}catch{b(c)/d}function e(){@}/}/", "e");
    expect("// function x(){\n/* function y(){ */function z(){@}\n@", "z | -");
    expect("a={b:1}/2;function c(){@}for(var i=0;i<1;i++){@}switch(a){case 1:{@}}", "c | - | -");
    expect("e.exports={if:function(){@},class:1,function:2,g(){@}};x.function.y=()=>@1", "e.exports.if | e.exports.g | "
                                                                                         "x.function.y");
    expect("\xc3\xa4=()=>{@}", "\xc3\xa4"); // counted in UTF-16
}

static void test_statements_without_semicolons(void **state)
{
    expect("const a = 5\nfoo(function () {\n  @\n})\nlet b = () => {\n  @\n}\nbar(() => {\n@})\n", "? | b | ?");
}

static void test_what_is_no_javascript(void **state)
{
    expect("}}})))]]]function a(){@}", "a");
    expect("<html><body class='x'>function</body>@", "-");
    expect("function a(){@'\\", "a");
    expect("function a(){@`\\", "a");
    struct js_scopes *s;
    static char deep[100000];
    memset(deep, '(', sizeof deep);
    assert_int_equal(js_scopes_read(str_of(deep, sizeof deep), NULL, &s), ERR_LIMIT);
}

static void test_names_of_the_source(void **state)
{
    // function a(){} with "original" at the name (column 9), and class b at 20 with its name on the segment in front.
    struct sourcemap *map;
    str name;
    assert_int_equal(sourcemap_parse(STR("{\"version\":3,\"sources\":[\"s\"],\"names\":[\"original\",\"Shop\"],"
                                         "\"mappings\":\"AAAA,SAASA,KAIXC,A\"}"),
                                     &map, NULL),
                     0);
    struct js_scopes *s;
    assert_int_equal(js_scopes_read(STR("function a(){x}class b{constructor(){y}}"), map, &s), 0);
    assert_true(js_scopes_find(s, 0, 13, &name));
    assert_true(str_eq(name, STR("original")));
    assert_true(js_scopes_find(s, 0, 37, &name));
    assert_true(str_eq(name, STR("new b")));
    js_scopes_free(s);
    sourcemap_free(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_declarations),
        cmocka_unit_test(test_what_it_is_given_to),
        cmocka_unit_test(test_classes),
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_statements_without_semicolons),
        cmocka_unit_test(test_what_is_no_javascript),
        cmocka_unit_test(test_names_of_the_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
