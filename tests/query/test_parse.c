#include "query/ast.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state)
{
    arena_init(&arena, 16 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(&arena);
    return 0;
}

// Parses, prints, parses again: the same tree. Returns the printed text.
static const char *round_trip(const char *text)
{
    struct query_error err;
    struct query_ast *ast, *again;
    int r = query_parse(&arena, str_z(text), &ast, &err);
    if (r < 0)
        fail_msg("%s\n  %s at %d:%d: %s", text, query_code_slug(err.code), err.line, err.column, err.message);
    struct buf b;
    buf_init(&b, 1 << 20);
    assert_int_equal(query_print(ast, &b), 0);
    str printed;
    assert_int_equal(arena_dup(&arena, buf_view(&b), &printed), 0);
    buf_free(&b);
    r = query_parse(&arena, printed, &again, &err);
    if (r < 0)
        fail_msg("%s\n printed as %s\n  %s at %d:%d: %s", text, printed.ptr, query_code_slug(err.code), err.line,
                 err.column, err.message);
    if (!query_ast_equal(ast, again))
        fail_msg("%s\n is not %s", text, printed.ptr);
    return printed.ptr;
}

static void test_productions(void **state)
{
    // query, how it is printed; NULL: the same
    static const char *const cases[][2] = {
        { "spans", NULL },
        { "*", NULL },
        { " spans , logs ", "spans,logs" },
        { "logs,spans", "spans,logs" },
        { "spans service=checkout status=error duration>200ms", NULL },
        { "spans service = checkout and status == error && duration >= 200ms",
          "spans service=checkout status=error duration>=200ms" },
        { "spans a b or c d", NULL },
        { "spans (a b) or (c d)", "spans a b or c d" },
        { "spans a (b or c) d", NULL },
        { "spans a or (b or c)", NULL },
        { "spans a (b c)", NULL },
        { "spans not a", NULL },
        { "spans !a", "spans not a" },
        { "spans NOT a AND b OR c", "spans not a b or c" },
        { "spans not (a or b)", NULL },
        { "spans !(service=db) && kind==client", "spans not service=db kind=client" },
        { "spans not not a", NULL },
        { "spans a||b", "spans a or b" },
        { "spans service!=(db, web)", NULL },
        { "spans service=(db,\"w*\",'x y')", "spans service=(db, \"w*\", 'x y')" },
        { "spans name=~\"^(get|post) \" x!~'a''b'", NULL },
        { "spans name:foo text:\"a b\" *:timeout rows:*", NULL },
        { "spans *:*", NULL },
        { "spans trace in {events issue=42} service=db | stats sum(duration) as s", NULL },
        { "spans user in {spans status=error | select user} | stats count()", NULL },
        { "spans queue[1]=b a.b[0].c<5 `odd name`.x=1", NULL },
        { "spans event{name=exception exception.message:timeout} link{trace=0af7*}", NULL },
        { "spans event = x link.trace=y", "spans event=x link.trace=y" },
        { "logs 10.0.0.1:5432 http://a/b user-42 'Refused: 10' \"x y\"", NULL },
        { "logs a and =b", NULL },
        { "logs a and like x", NULL },
        { "logs a !like \"x\"", "logs a and not like \"x\"" },
        { "logs a= ~x", NULL },
        { "logs a: //x", NULL },
        { "logs name=GET\\ * \\and", NULL },
        { "logs ünïcode=決済 決済", NULL },
        { "logs # a comment\n refused # and another", "logs refused" },
        { "logs #tag a#b", NULL },
        { "spans url.path=/api/* time>=2026-01-01T00:00:05Z", NULL },
        { "spans {}", NULL },
        { "spans {service=web} > {}", NULL },
        { "spans {service=web} >> {service=db} !<< {} ~ {a} < {b} !~ {c}", NULL },
        { "spans {a} && {b} && ({c} > {d})", "spans {a} && {b} && {c} > {d}" },
        { "spans {a} > ({b} > {c})", NULL },
        { "spans ({a} && {b}) > {c} | stats count()", NULL },
        { "spans | where a=1 | where b", NULL },
        { "spans | let total_ms = ms(duration), slow = duration > 500ms | where slow=true | select id, total_ms",
          NULL },
        { "spans | let x = a + b * -c - (d - e) / 2 % 3", NULL },
        { "spans | let x = (a + b) * c ? \"y\" : b ? 1 : 2", NULL },
        { "spans | let x = (a ? b : c) ? d : e", NULL },
        { "spans | let x = not a or b and (c or d) = true", NULL },
        { "spans | let x = a == b && c != d || !(e <= 0x1f)", "spans | let x = a = b and c != d or not e <= 0x1f" },
        { "spans | let x = (a = b) = c", NULL },
        { "spans | let x = -(-5) + 1e-5 - 1m30s + 10kb", NULL },
        { "spans | let `a-b` = `c-d`.e[0], y = now()", NULL },
        { "spans | let x = coalesce(rows, 0), y = match(name, \"a(\\d+)\", 1)", NULL },
        { "spans | select *", NULL },
        { "spans | select name, duration as d, http.method as `x y`", NULL },
        { "spans | sort duration desc, name asc, id", "spans | sort duration desc, name, id" },
        { "spans | limit 3", NULL },
        { "spans | limit 1 by service, name", NULL },
        { "spans | top 2 service", NULL },
        { "spans | top 1 name, kind by max(duration) if (a=1) as m", NULL },
        { "spans | stats count()", NULL },
        { "spans | stats count( ) as all , count() if(status=error)as bad by service,name",
          "spans | stats count() as all, count() if (status=error) as bad by service, name" },
        { "spans | stats p99.9(duration), values(service, 2), uniq(a, b)", NULL },
        { "spans | bucket 10s", NULL },
        { "spans | bucket auto of duration tz \"Europe/Berlin\" as d", NULL },
        { "spans | bucket 0.5 of rows | stats count() by bucket | fill 0 | fill", NULL },
        { "spans | traces", NULL },
        { "logs | extract \"order <n:int> \" | extract ~\"(?P<ip>\\d+)\" from body | parse json | parse logfmt from x",
          NULL },
        { "logs | extract~'x'", "logs | extract ~'x'" },
        { "logs | patterns | facets | facets 3 | facets 1 kind, user | facets kind", NULL },
        { "logs | context 1 | context 2 by host | differ user=u1 or b", NULL },
        { "spans | sort `count()` desc", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_string_equal(round_trip(cases[i][0]), cases[i][1] ? cases[i][1] : cases[i][0]);
}

static void test_shapes(void **state)
{
    struct query_error err;
    struct query_ast *ast;
    assert_int_equal(query_parse(&arena, STR("spans a b or c d"), &ast, &err), 0);
    assert_int_equal(ast->filter->kind, QUERY_AST_OR);
    assert_int_equal(ast->filter->kids->kind, QUERY_AST_AND);
    assert_int_equal(ast->filter->kids->next->kind, QUERY_AST_AND);
    assert_null(ast->filter->kids->next->next);
    assert_int_equal(query_parse(&arena, STR("spans name:x http://a b:http://c"), &ast, &err), 0);
    assert_int_equal(ast->filter->kids->kind, QUERY_AST_CONTAINS);
    assert_int_equal(ast->filter->kids->next->kind, QUERY_AST_TEXT);
    assert_int_equal(ast->filter->kids->next->next->kind, QUERY_AST_CONTAINS);
    assert_int_equal(query_parse(&arena, STR("spans {a} > {b} > {c}"), &ast, &err), 0);
    assert_int_equal(ast->sets->left->kind, QUERY_SET_REL); // to the left
    assert_int_equal(query_parse(&arena, STR("logs in in {logs x}"), &ast, &err), 0);
    assert_int_equal(ast->filter->kind, QUERY_AST_IN);
}

struct bad {
    const char *text, *code;
    int line, column;
    const char *suggest; // first one, NULL: none asked
};

static void expect_bad(const struct bad *b, size_t len)
{
    struct query_error err;
    struct query_ast *ast;
    if (query_parse(&arena, str_of(b->text, len), &ast, &err) >= 0)
        fail_msg("%s: was accepted", b->text);
    if (strcmp(query_code_slug(err.code), b->code) || err.line != b->line || err.column != b->column)
        fail_msg("%s: %s %d:%d (%s), expected %s %d:%d", b->text, query_code_slug(err.code), err.line, err.column,
                 err.message, b->code, b->line, b->column);
    if (b->suggest && (err.suggest_count == 0 || strcmp(err.suggest[0], b->suggest)))
        fail_msg("%s: suggests %s, expected %s", b->text, err.suggest_count ? err.suggest[0] : "nothing", b->suggest);
    assert_true(err.length >= 1);
}

static void test_errors(void **state)
{
    static const struct bad cases[] = {
        { "", "syntax", 1, 1, NULL },
        { "  ", "syntax", 1, 3, NULL },
        { "span service=web", "unknown_source", 1, 1, "spans" },
        { "service=web", "unknown_source", 1, 1, NULL },
        { "{service=web}", "unknown_source", 1, 1, "spans" },
        { "select a from b", "unknown_source", 1, 1, NULL },
        { "spans.x", "unknown_source", 1, 1, NULL },
        { "spans,", "syntax", 1, 7, NULL },
        { "*:orders", "syntax", 1, 2, NULL },
        { "spans name=\"GET", "unclosed", 1, 12, NULL },
        { "spans name='GET''", "unclosed", 1, 12, NULL },
        { "spans (a=b", "unclosed", 1, 7, NULL },
        { "spans a=(b, c", "unclosed", 1, 9, NULL },
        { "spans {a", "unclosed", 1, 7, NULL },
        { "spans event{a", "unclosed", 1, 12, NULL },
        { "spans trace in {spans", "unclosed", 1, 16, NULL },
        { "spans `a=1", "unclosed", 1, 7, NULL },
        { "spans `a b` c", "syntax", 1, 13, NULL },
        { "spans | select `a", "unclosed", 1, 16, NULL },
        { "spans | stats count(", "unclosed", 1, 20, NULL },
        { "spans | let x = (1", "unclosed", 1, 17, NULL },
        { "spans a=b)", "syntax", 1, 10, NULL },
        { "spans a=", "syntax", 1, 9, NULL },
        { "spans a=()", "syntax", 1, 10, NULL },
        { "spans a>(1)", "syntax", 1, 9, NULL },
        { "spans a=~b", "syntax", 1, 10, NULL },
        { "spans not", "syntax", 1, 10, NULL },
        { "spans or a", "syntax", 1, 7, NULL },
        { "spans a or | x", "syntax", 1, 12, NULL },
        { "spans a\\", "bad_escape", 1, 8, NULL },
        { "spans -error", "syntax", 1, 7, "not error" },
        { "spans name like \"x%y\"", "syntax", 1, 12, "name=\"x*y\"" },
        { "spans a {b}", "syntax", 1, 9, NULL },
        { "spans {a} b", "syntax", 1, 11, NULL },
        { "spans {a} || {b}", "syntax", 1, 11, NULL },
        { "spans | stat count()", "unknown_step", 1, 9, "stats" },
        { "spans | summarize count()", "unknown_step", 1, 9, "stats" },
        { "spans | join x", "not_yet", 1, 9, NULL },
        { "spans |", "syntax", 1, 8, NULL },
        { "spans | where", "syntax", 1, 14, NULL },
        { "spans\n| wher a", "unknown_step", 2, 3, "where" },
        { "spans ü=1 | stats count", "syntax", 1, 19, "count()" },
        { "spans | stats count(*)", "syntax", 1, 21, "count()" },
        { "spans | stats count() if status=error", "syntax", 1, 26, NULL },
        { "spans | limit x", "syntax", 1, 15, NULL },
        { "spans | limit 99999999999999999999", "bad_number", 1, 15, NULL },
        { "spans | sort by x", "syntax", 1, 14, NULL },
        { "spans | select a from b", "syntax", 1, 18, NULL },
        { "spans | select a as _x", "bad_argument", 1, 21, NULL },
        { "spans | let x", "syntax", 1, 14, NULL },
        { "spans | let x = not%a", "syntax", 1, 20, NULL },
        { "spans | let x = a + and", "syntax", 1, 21, NULL },
        { "spans | let x == 1", "syntax", 1, 15, NULL },
        { "spans | let x = 5q", "bad_number", 1, 17, NULL },
        { "spans | let x = a =~ \"b\"", "syntax", 1, 19, NULL },
        { "spans | let x = time > 2026-01-01", "bad_argument", 1, 24, NULL },
        { "spans | let x = a ? b", "syntax", 1, 22, NULL },
        { "spans | let x = --5", "syntax", 1, 18, NULL },
        { "spans | parse xml", "syntax", 1, 15, NULL },
        { "spans | extract abc", "syntax", 1, 17, NULL },
        { "spans | bucket", "syntax", 1, 15, NULL },
        { "spans | bucket 1d tz Berlin", "syntax", 1, 22, NULL },
        { "logs \xff", "syntax", 1, 6, NULL },
        { "logs #", "syntax", 1, 6, NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_bad(&cases[i], strlen(cases[i].text));
}

static char *repeat(const char *head, const char *unit, size_t n, const char *tail)
{
    size_t h = strlen(head), u = strlen(unit), t = strlen(tail);
    char *out = arena_alloc_bytes(&arena, h + u * n + t + 1);
    assert_non_null(out);
    memcpy(out, head, h);
    for (size_t i = 0; i < n; i++)
        memcpy(out + h + i * u, unit, u);
    memcpy(out + h + n * u, tail, t + 1);
    return out;
}

static void expect_code(const char *text, enum query_code code)
{
    struct query_error err = { 0 };
    struct query_ast *ast;
    query_parse(&arena, str_z(text), &ast, &err);
    assert_string_equal(query_code_slug(err.code), query_code_slug(code));
}

static void test_too_deep(void **state)
{
    expect_code(repeat("spans ", "(", 60, repeat("a", ")", 60, "")), QUERY_OK);
    expect_code(repeat("spans ", "(", 70, "a"), QUERY_E_TOO_DEEP);
    expect_code(repeat("spans ", "not ", 70, "a"), QUERY_E_TOO_DEEP);
    expect_code(repeat("spans ", "not (", 70, "a"), QUERY_E_TOO_DEEP);
    expect_code(repeat("spans a in {", "spans a in {", 70, ""), QUERY_E_TOO_DEEP);
    expect_code(repeat("spans ", "event{", 70, ""), QUERY_E_TOO_DEEP);
    expect_code(repeat("spans ", "(", 70, "{a}"), QUERY_E_TOO_DEEP);
    expect_code(repeat("spans {a}", " > {a}", 70, ""), QUERY_E_TOO_DEEP);
    expect_code(repeat("spans {a}", " > {a}", 50, ""), QUERY_OK);
    expect_code(repeat("spans {a}", " && {a}", 70, ""), QUERY_E_TOO_DEEP);
    static const char *const units[] = { "(", "-(", "abs(", "not ", "not (", "a ? ", "a ? b : " };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        expect_code(repeat("spans | let x = ", units[i], 70, "a"), QUERY_E_TOO_DEEP);
    expect_code(repeat("spans | let x = 1", " + 1", 70, ""), QUERY_E_TOO_DEEP);
    expect_code(repeat("spans | let x = 1", " * 1", 70, ""), QUERY_E_TOO_DEEP);
    expect_code(repeat("spans | let x = a", " or a", 300, ""), QUERY_OK);
}

static void test_too_much(void **state)
{
    expect_code(repeat("spans", " a", 1000, ""), QUERY_OK);
    expect_code(repeat("spans", " a", 1001, ""), QUERY_E_TOO_MANY_TERMS);
    expect_code(repeat("spans", " a", 600, repeat(" | where", " b=1", 401, "")), QUERY_E_TOO_MANY_TERMS);
    expect_code(repeat("spans a=(", "1,", 8000, "1)"), QUERY_OK);
    expect_code(repeat("spans", " | traces", 32, ""), QUERY_OK);
    expect_code(repeat("spans", " | traces", 33, ""), QUERY_E_TOO_MANY_STEPS);
    expect_code(repeat("spans a in {spans", " | traces", 33, "}"), QUERY_E_TOO_MANY_STEPS);
    expect_code(repeat("spans '", "x", 16 * 1024 - 8, "'"), QUERY_OK);
    expect_code(repeat("spans '", "x", 16 * 1024 - 7, "'"), QUERY_E_QUERY_TOO_LONG);
}

static void test_nomem(void **state)
{
    static const char filters[] = "spans a=(1, 2) b:c (c or not `d e`=~\"x\") event{x} t in {logs y} | sort a desc";
    static const char sets[] = "spans {a} > {b} && {c} | let y = f(1, -2) ? a : b | stats count(a) if (b=1) as z by q "
                               "| bucket 1s tz \"UTC\" | select a as b";
    const char *const texts[] = { filters, sets };
    for (size_t i = 0; i < 2; i++)
        for (size_t cap = 0; cap < 20000; cap += 16) {
            struct arena small;
            struct query_error err = { 0 };
            struct query_ast *ast;
            arena_init(&small, cap);
            int r = query_parse(&small, str_z(texts[i]), &ast, &err);
            assert_true(r == 0 || r == ERR_NOMEM);
            arena_free(&small);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_productions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shapes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_deep, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_much, setup, teardown),
        cmocka_unit_test(test_nomem),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
