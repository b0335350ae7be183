#include "query/plan.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/timefmt.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;

static int64_t at(const char *text)
{
    int64_t ns = 0;
    assert_true(parse_rfc3339(str_z(text), &ns));
    return ns;
}

static struct query_options options(void)
{
    return (struct query_options){ .now_ns = at("2026-01-01T12:00:00Z"), .may_values = true };
}

static int setup(void **state)
{
    arena_init(&arena, 64 << 20);
    return 0;
}

static int teardown(void **state)
{
    arena_free(&arena);
    return 0;
}

static struct query_plan *compile_with(const char *text, const struct query_options *opt)
{
    struct query_plan *plan;
    struct query_error err;
    if (query_compile(&arena, str_z(text), opt, &plan, &err) < 0)
        fail_msg("%s\n  %s at %d:%d: %s", text, query_code_slug(err.code), err.line, err.column, err.message);
    return plan;
}

static struct query_plan *compile(const char *text)
{
    struct query_options opt = options();
    return compile_with(text, &opt);
}

static struct query_filter *filter(const char *text)
{
    struct query_plan *plan = compile(text);
    struct query_filter *f = plan->filter;
    assert_non_null(f);
    query_plan_free(plan); // the compiled patterns go, the tree stays
    return f;
}

// ---- references
static void test_fixed_fields(void **state)
{
    struct query_plan *p = compile(
        "spans,logs service=a service.name=b status=ok http.status_code=200 attr.name=x scope.name=y resource.a.b=z");
    assert_int_equal(p->ref_count, 7);
    const struct query_ref *r = p->refs[0];
    assert_int_equal(r->bind[QUERY_SPANS].kind, QUERY_BIND_FIXED);
    assert_int_equal(r->bind[QUERY_LOGS].field, QUERY_F_SERVICE);
    assert_int_equal(r->bind[QUERY_METRICS].kind, QUERY_BIND_NONE);
    assert_int_equal(r->type.type, QUERY_STRING);
    assert_int_equal(p->refs[1]->bind[QUERY_SPANS].field, QUERY_F_SERVICE);
    assert_true(str_eq(p->refs[1]->printed, STR("service")));
    // a fixed field of one kind is an attribute of the other
    r = p->refs[2];
    assert_int_equal(r->bind[QUERY_SPANS].kind, QUERY_BIND_FIXED);
    assert_int_equal(r->bind[QUERY_LOGS].kind, QUERY_BIND_ATTR);
    assert_int_equal(r->type.type, QUERY_ANY);
    r = p->refs[3];
    assert_int_equal(r->bind[QUERY_SPANS].kind, QUERY_BIND_ALIAS);
    assert_true(str_eq(query_alias_get(r->bind[QUERY_SPANS].group)->name, STR("http.response.status_code")));
    assert_true(str_eq(r->printed, STR("http.response.status_code")));
    r = p->refs[4];
    assert_int_equal(r->bind[QUERY_SPANS].kind, QUERY_BIND_ATTR);
    assert_int_equal(r->bind[QUERY_SPANS].level, QUERY_AT_RECORD);
    assert_true(str_eq(r->key[QUERY_SPANS], STR("name")));
    assert_int_equal(p->refs[5]->bind[QUERY_SPANS].field, QUERY_F_SCOPE_NAME);
    assert_true(str_eq(p->refs[6]->key[QUERY_LOGS], STR("a.b")));
    query_plan_free(p);
}

static void test_paths(void **state)
{
    struct query_plan *p = compile(
        "spans queue[1]=b a.b[0].c=1 event.exception.type=x event.name=y link.trace=0af7* link.x=1 `odd name`.z=1");
    assert_true(str_eq(p->refs[0]->key[QUERY_SPANS], STR("queue")));
    assert_true(p->refs[0]->path[1].is_index && p->refs[0]->path[1].index == 1);
    assert_true(str_eq(p->refs[1]->key[QUERY_SPANS], STR("a.b")) && p->refs[1]->path_len == 4);
    assert_int_equal(p->refs[2]->bind[QUERY_SPANS].level, QUERY_AT_EVENT);
    assert_true(str_eq(p->refs[2]->key[QUERY_SPANS], STR("exception.type")));
    assert_int_equal(p->refs[3]->bind[QUERY_SPANS].field, QUERY_F_EVENT_NAME);
    assert_true(p->refs[3]->type.list);
    assert_int_equal(p->refs[4]->bind[QUERY_SPANS].field, QUERY_F_LINK_TRACE);
    assert_int_equal(p->refs[5]->bind[QUERY_SPANS].level, QUERY_AT_LINK);
    assert_true(str_eq(p->refs[6]->key[QUERY_SPANS], STR("odd name.z")));
    query_plan_free(p);
    p = compile("logs body.user.id=1 body[0]=2 body=x event.name=1");
    assert_int_equal(p->refs[0]->bind[QUERY_LOGS].field, QUERY_F_BODY);
    assert_int_equal(p->refs[0]->bind[QUERY_LOGS].path_from, 1);
    assert_int_equal(p->refs[1]->bind[QUERY_LOGS].field, QUERY_F_BODY);
    assert_int_equal(p->refs[3]->bind[QUERY_LOGS].kind, QUERY_BIND_ATTR);
    assert_int_equal(p->refs[3]->bind[QUERY_LOGS].level, QUERY_AT_ANY);
    query_plan_free(p);
    struct query_options opt = options();
    opt.level = 3;
    p = compile_with("snapshots vars.order.items[0].price=1 frame[1].vars.x=2 expr.x=3 cut[0]=4", &opt);
    assert_int_equal(p->refs[0]->bind[QUERY_SNAPSHOTS].level, QUERY_AT_VARS);
    assert_int_equal(p->refs[1]->bind[QUERY_SNAPSHOTS].level, QUERY_AT_FRAME);
    assert_int_equal(p->refs[2]->bind[QUERY_SNAPSHOTS].level, QUERY_AT_EXPR);
    assert_int_equal(p->refs[3]->bind[QUERY_SNAPSHOTS].field, QUERY_F_CUT);
    query_plan_free(p);
    p = compile_with("spans parent.service=a root.duration>1s parent.foo=1", &opt);
    assert_int_equal(p->refs[0]->bind[QUERY_SPANS].hop, QUERY_HOP_PARENT);
    assert_int_equal(p->refs[1]->bind[QUERY_SPANS].hop, QUERY_HOP_ROOT);
    assert_int_equal(p->refs[2]->bind[QUERY_SPANS].kind, QUERY_BIND_ATTR);
    query_plan_free(p);
}

static void test_sources(void **state)
{
    struct query_options opt = options();
    assert_int_equal(compile("*")->sources, QS_SPANS | QS_LOGS | QS_METRICS | QS_EVENTS | QS_SNAPSHOTS | QS_CHECKS |
                                                QS_PROFILES | QS_SESSIONS);
    assert_int_equal(compile("events, issues")->sources, QS_EVENTS | QS_ISSUES);
    opt.level = 3;
    assert_int_equal(compile_with("*", &opt)->sources, QS_ALL & ~QS_ISSUES); // they are made of records
    opt.sources = QS_LOGS | QS_EVENTS;
    assert_int_equal(compile_with("*", &opt)->sources, QS_LOGS | QS_EVENTS);
}

// ---- leaves
static void test_leaves(void **state)
{
    struct query_filter *f = filter("spans service!=(db, web) not a:* \"x y\" 'z' name=~\"^a\" *:w");
    assert_int_equal(f->kind, QUERY_FILTER_AND);
    assert_int_equal(f->kid_count, 6);
    assert_int_equal(f->kids[0]->kind, QUERY_FILTER_NOT);
    assert_int_equal(f->kids[0]->kids[0]->kind, QUERY_FILTER_COMPARE);
    assert_int_equal(f->kids[0]->kids[0]->value_count, 2);
    assert_int_equal(f->kids[1]->kids[0]->kind, QUERY_FILTER_PRESENT);
    assert_int_equal(f->kids[2]->kind, QUERY_FILTER_PHRASE);
    assert_int_equal(f->kids[2]->phrase.count, 2);
    assert_int_equal(f->kids[2]->target, QUERY_TARGET_TEXT);
    assert_int_equal(f->kids[3]->kind, QUERY_FILTER_BYTES);
    assert_true(str_eq(f->kids[3]->bytes, STR("z")));
    assert_int_equal(f->kids[4]->kind, QUERY_FILTER_REGEX);
    assert_int_equal(f->kids[5]->target, QUERY_TARGET_ANY);
    f = filter("logs a:REFUSE*");
    assert_true(f->phrase.last_is_prefix && str_eq(f->phrase.tokens[0], STR("refuse")));
    assert_int_equal(f->target, QUERY_TARGET_REF);
    f = filter("spans status:error");
    assert_int_equal(f->kind, QUERY_FILTER_COMPARE);
    assert_int_equal(f->values[0].word, 2);
    f = filter("spans kind=('client', \"server\")");
    assert_true(f->values[0].word == 3 && f->values[1].word == 2);
    f = filter("spans duration>'200ms' time>=\"2026-01-01T00:00:00Z\"");
    assert_true(f->kids[0]->values[0].duration == 200 * NS_PER_MS &&
                f->kids[1]->values[0].time == at("2026-01-01T00:00:00Z"));
    f = filter("spans trace=0af7*");
    assert_true(f->values[0].id_prefix && f->values[0].id_nibbles == 4);
    f = filter("* *:*");
    assert_int_equal(f->kind, QUERY_FILTER_TRUE);
    f = filter("spans attr.timeout=5ms rows=10kb"); // equality takes the text as written
    assert_true(str_eq(f->kids[0]->values[0].text, STR("5ms")));
    f = filter("spans,logs status=error duration>200ms");
    assert_int_equal(f->kids[0]->values[0].word, 2);
}

// ---- the range
static void expect_range(const char *text, const struct query_options *opt, const char *from, const char *to)
{
    struct query_plan *p = compile_with(text, opt);
    if (p->range_all)
        fail_msg("%s: everything", text);
    if (p->from != (from ? at(from) : INT64_MIN) || p->to != (to ? at(to) : INT64_MAX)) {
        char a[32] = { 0 }, b[32] = { 0 };
        fmt_rfc3339(a, p->from);
        fmt_rfc3339(b, p->to);
        fail_msg("%s: %s - %s", text, a, b);
    }
    query_plan_free(p);
}

static void test_range(void **state)
{
    struct query_options opt = options(), given = options();
    expect_range("spans", &opt, "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z");
    expect_range("spans time>=2026-01-01T00:00:05Z", &opt, "2026-01-01T00:00:05Z", NULL);
    expect_range("spans time<2026-01-01", &opt, NULL, "2026-01-01T00:00:00Z");
    expect_range("spans time>2026-01-01T00:00:00Z time<=2026-01-01T00:00:01Z", &opt, "2026-01-01T00:00:00.000000001Z",
                 "2026-01-01T00:00:01.000000001Z");
    expect_range("spans time=2026-01-01T00:00:00Z", &opt, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000001Z");
    expect_range("spans time>=-15m", &opt, "2026-01-01T11:45:00Z", NULL);
    expect_range("spans | where time>=-15m | where time<-5m", &opt, "2026-01-01T11:45:00Z", "2026-01-01T11:55:00Z");
    expect_range("spans a=1 or time>=-15m", &opt, "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z");
    expect_range("spans not time>=-15m", &opt, "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z");
    expect_range("spans | limit 3 | where time>=-2h", &opt, "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z");
    expect_range("spans time>=-1m time<-5m", &opt, "2026-01-01T11:59:00Z", "2026-01-01T11:59:00Z");
    given.has_from = given.has_to = true;
    given.from = at("2026-01-01T10:00:00Z");
    given.to = at("2026-01-01T11:30:00Z");
    expect_range("spans", &given, "2026-01-01T10:00:00Z", "2026-01-01T11:30:00Z");
    expect_range("spans time>=-1h", &given, "2026-01-01T11:00:00Z", "2026-01-01T11:30:00Z");
    expect_range("spans trace=0af7651916cd43dd8448eb211c80319c", &given, "2026-01-01T10:00:00Z",
                 "2026-01-01T11:30:00Z");
    given.has_to = false;
    expect_range("spans", &given, "2026-01-01T10:00:00Z", "2026-01-01T12:00:00Z");
    static const char *const all[] = { "spans trace=0af7651916cd43dd8448eb211c80319c",
                                       "spans a=1 span=(8448eb211c80319c)", "logs id=x", "logs | where id=x" };
    for (size_t i = 0; i < 4; i++) {
        struct query_plan *p = compile(all[i]);
        assert_true(p->range_all && p->from == INT64_MIN && p->to == INT64_MAX);
    }
    expect_range("spans trace=0af7651916cd43dd8448eb211c80319c time>-1h", &opt, "2026-01-01T11:00:00.000000001Z", NULL);
    expect_range("spans trace!=0af7651916cd43dd8448eb211c80319c", &opt, "2026-01-01T11:00:00Z", "2026-01-01T12:00:00Z");
    expect_range("* trace=0af7651916cd43dd8448eb211c80319c time<2026-01-01T00:00:00.2Z", &opt, NULL,
                 "2026-01-01T00:00:00.2Z");
}

// ---- steps and columns
static void expect_out(const char *text, const char *columns)
{
    struct query_plan *p = compile(text);
    char got[512] = "";
    size_t n = 0;
    if (p->out_records)
        n += (size_t)snprintf(got, sizeof got, "*");
    for (uint32_t i = 0; i < p->out_count; i++) {
        const struct query_column *c = &p->columns[p->out[i]];
        n += (size_t)snprintf(got + n, sizeof got - n, "%s%.*s:%.*s%s", n ? " " : "", STR_ARG(c->name),
                              STR_ARG(query_type_name(c->type.type)), c->type.list ? "[]" : "");
    }
    assert_string_equal(got, columns);
    query_plan_free(p);
}

static void test_columns(void **state)
{
    expect_out("spans", "*");
    expect_out("spans | select *", "*");
    expect_out("spans | let a = duration * 2, b = a > 1s, c = rows / 2, d = ms(duration), a = 1",
               "* b:bool c:any d:double a:int");
    expect_out("spans | select name, duration as d, http.status_code, queue[0]",
               "name:string d:duration http.status_code:any queue[0]:any");
    expect_out("spans | stats count() as n, avg(duration), sum(rows) as r by service, kind",
               "service:string kind:enum n:int avg(duration):duration r:any");
    expect_out("spans | stats count(), count() if (status = error  a=\"x y\")",
               "count():int count()if(status=errora=\"x y\"):int");
    expect_out("spans | stats p50(duration) as p, uniq(trace) as t, values(service, 2) as v, argmax(id, duration) as "
               "s, histogram(duration) as h, rate() as q",
               "p:duration t:int v:string[] s:string h:list q:double");
    expect_out("spans | top 2 service", "service:string count:int share:double");
    expect_out("spans | top 1 name by max(duration)", "name:string max(duration):duration share:double");
    expect_out("spans | bucket 10s | stats count() as n by bucket", "bucket:time n:int");
    expect_out("spans | bucket 100ms of duration as d | stats count() by d | where d>1s | sort d desc",
               "d:duration count():int");
    expect_out("spans | traces | where duration>1s complete=true",
               "trace:id time:time duration:duration service:string name:string spans:int errors:int services:int "
               "matched:int complete:bool");
    expect_out("spans | stats count() as n by http.status_code | sort http.response.status_code | select "
               "http.response.status_code as c, n",
               "c:any n:int");
    expect_out("spans | stats values(name) as v | let x = v[0], l = len(v)", "v:string[] x:any l:int");
    expect_out("spans | stats min(time) as a, max(time) as b | let d = b - a, e = a + 5m, f = d / 1s",
               "a:time b:time d:duration e:time f:double");
    expect_out("spans | let c = coalesce(rows, 0), m = max(1, 2.5), o = status = \"ok\" ? 1 : 2, s = split(name, ' ')",
               "* c:any m:number o:int s:string[]");
    expect_out("spans | let m = match(name, \"^GET\"), g = match(name, '(a)', 1), t = floor(time, 1h), h = hour(time)",
               "* m:bool g:string t:time h:int");
}

static void test_steps(void **state)
{
    struct query_plan *p = compile("spans | where a=1 | sort duration desc, name | select name | limit 3");
    assert_int_equal(p->steps[1].sort_limit, 3);
    assert_true(p->steps[1].keys[0].desc && !p->steps[1].keys[1].desc);
    assert_int_equal(p->first_blocking, 1);
    assert_int_equal(p->default_limit, 0);
    p = compile("spans | sort duration | where a=1 | limit 3");
    assert_int_equal(p->steps[0].sort_limit, 0);
    p = compile("spans | limit 1 by service | let x = 1");
    assert_int_equal(p->steps[0].by_count, 1);
    assert_int_equal(p->default_limit, 1000);
    assert_int_equal(p->first_blocking, 2);
    p = compile("spans | stats p99.9(duration), values(name), p0(a), p100(a)");
    assert_true(p->steps[0].aggs[0].q == 0.999 && p->steps[0].aggs[1].n == 10 && p->steps[0].aggs[2].q == 0 &&
                p->steps[0].aggs[3].q == 1);
    assert_int_equal(p->default_limit, 0);
    p = compile("spans a | where b | stats count() if (c) by d | where d=1 or d=2");
    assert_int_equal(p->leaf_count, 5);
}

static void test_buckets(void **state)
{
    struct query_options opt = options();
    const struct query_zone *berlin;
    assert_int_equal(query_zone_get(STR("Europe/Berlin"), &berlin), 0);
    const struct query_bucket *b = &compile("spans | bucket 10s")->steps[0].bucket;
    assert_true(b->kind == QUERY_BUCKET_TIME && b->width == 10 * NS_PER_S && b->slot == 0);
    b = &compile("spans | bucket 1d tz \"Europe/Berlin\"")->steps[0].bucket;
    assert_true(b->kind == QUERY_BUCKET_CALENDAR && b->unit == QUERY_CAL_DAY && b->unit_count == 1 &&
                b->zone == berlin);
    b = &compile("spans | bucket 3mo")->steps[0].bucket;
    assert_true(b->kind == QUERY_BUCKET_CALENDAR && b->unit == QUERY_CAL_MONTH && b->unit_count == 3 && !b->zone);
    b = &compile("spans | bucket 24h")->steps[0].bucket;
    assert_true(b->kind == QUERY_BUCKET_TIME && b->width == 86400 * NS_PER_S);
    b = &compile("spans | bucket 1d of duration")->steps[0].bucket;
    assert_true(b->kind == QUERY_BUCKET_DURATION && b->width == 86400 * NS_PER_S);
    b = &compile("spans | bucket 5 of dropped")->steps[0].bucket;
    assert_true(b->kind == QUERY_BUCKET_INT && b->width == 5);
    b = &compile("spans | bucket 0.5 of dropped")->steps[0].bucket;
    assert_true(b->kind == QUERY_BUCKET_DOUBLE && b->width_d == 0.5);
    b = &compile("spans | bucket 5 of rows")->steps[0].bucket;
    assert_true(b->kind == QUERY_BUCKET_ANY && b->width == 5 && b->width_d == 5);
    b = &compile("spans | bucket auto")->steps[0].bucket; // an hour
    assert_true(b->is_auto && b->kind == QUERY_BUCKET_TIME && b->width == 60 * NS_PER_S);
    opt.zone = berlin;
    b = &compile_with("spans time>=2026-01-01T00:00:00Z time<2026-03-01T00:00:00Z | bucket auto", &opt)
             ->steps[0]
             .bucket;
    assert_true(b->is_auto && b->kind == QUERY_BUCKET_CALENDAR && b->unit == QUERY_CAL_DAY && b->zone == berlin);
}

// ---- hints
static bool has_hint(const struct query_plan *p, const char *text)
{
    for (uint32_t i = 0; i < p->hint_count; i++)
        if (str_find(p->hints[i].text, str_z(text)) >= 0)
            return true;
    return false;
}

static const char *const attributes[] = { "rows", "http.response.status_code", "queue", "retry", "a" };
static bool catalogue_has(void *ctx, str key)
{
    for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
        if (str_eq(key, str_z(attributes[i])))
            return true;
    return false;
}
static bool catalogue_at(void *ctx, uint32_t i, str *ret_key)
{
    if (i >= sizeof attributes / sizeof *attributes)
        return false;
    *ret_key = str_z(attributes[i]);
    return true;
}

static void test_hints(void **state)
{
    struct query_catalogue cat = { NULL, catalogue_has, catalogue_at };
    struct query_options opt = options();
    opt.catalogue = &cat;
    assert_true(has_hint(compile_with("spans servce=web", &opt), "did you mean `service`?"));
    assert_true(has_hint(compile_with("spans row=1", &opt), "did you mean `rows`?"));
    assert_true(has_hint(compile_with("spans xyz.abc=1", &opt), "is in no record"));
    assert_int_equal(
        compile_with("spans rows=1 http.status_code=2 a.b.c=3 status=ok event.x=1 | let z = rows | where z=1", &opt)
            ->hint_count,
        0);
    assert_true(has_hint(compile("spans rows=99999999999999999999"), "compared as a double"));
    assert_true(has_hint(compile("spans | where service==name"), "compare two fields"));
    assert_int_equal(compile("spans service=user")->hint_count, 0);
    assert_true(has_hint(compile("spans | let a = lower(name), b = upper(name) | where a>b"), "compare two fields"));
    struct query_plan *plan;
    struct query_error err;
    assert_int_equal(query_compile(&arena, STR("spans | let a = 1, b = 2 | where a>b"), &opt, &plan, &err),
                     ERR_INVALID);
    assert_non_null(strstr(err.hint, "`let`"));
    assert_int_equal(query_compile(&arena, STR("issues timesSeen:>10"), &opt, &plan, &err), ERR_INVALID);
    assert_non_null(strstr(err.hint, "timesSeen>10"));
    assert_int_equal(query_compile(&arena, STR("issues lastSeen:-2d"), &opt, &plan, &err), ERR_INVALID);
    assert_non_null(strstr(err.hint, "lastSeen>-2d"));
    assert_true(has_hint(compile("spans | stats count() by bucket"), "| bucket 1m"));
    assert_int_equal(compile("spans | bucket 1m | stats count() by bucket")->hint_count, 0);
    assert_true(has_hint(compile("spans | bucket 1h tz \"Europe/Berlin\""), "time zone"));
}

static void test_canonical(void **state)
{
    assert_true(str_eq(compile("spans  http.status_code >= 200 and service.name==a|sort  db.statement  asc")->canonical,
                       STR("spans http.response.status_code>=200 service=a | sort db.query.text")));
}

// ---- errors
struct bad {
    const char *text, *code;
    int column;
    const char *suggest; // all that must be among them, by blanks
};

static void expect_bad(const struct bad *b, const struct query_options *opt)
{
    struct query_plan *plan;
    struct query_error err;
    if (query_compile(&arena, str_z(b->text), opt, &plan, &err) >= 0)
        fail_msg("%s: was accepted", b->text);
    if (strcmp(query_code_slug(err.code), b->code) || (b->column && err.column != b->column))
        fail_msg("%s: %s %d (%s), expected %s %d", b->text, query_code_slug(err.code), err.column, err.message, b->code,
                 b->column);
    str rest = str_z(b->suggest ? b->suggest : "");
    while (rest.len) {
        ptrdiff_t space = str_find_char(rest, ' ', 0);
        str word = str_slice(rest, 0, space < 0 ? rest.len : (size_t)space);
        bool found = false;
        for (int i = 0; i < err.suggest_count; i++)
            found = found || str_eq(str_z(err.suggest[i]), word);
        if (!found)
            fail_msg("%s: does not suggest %.*s", b->text, STR_ARG(word));
        rest = str_slice(rest, word.len + 1, rest.len);
    }
    assert_true(err.message[0] && query_code_status(err.code) >= 400);
}

static void test_errors(void **state)
{
    static const struct bad cases[] = {
        // the language's own examples
        { "spans duration>200", "needs_unit", 16, "200ms" },
        { "spans rows>5ms", "no_unit", 12, "5" },
        { "spans status=broken", "bad_enum", 14, "unset ok error" },
        { "spans | stats count() by service | where duration>1s", "unknown_column", 42, "count() service" },
        { "spans name=~\"(a\"", "bad_regex", 14, NULL },
        { "spans name=~\"(?=a)\"", "bad_regex", 14, NULL },
        { "spans name=~\"ab\\\"(\"", "bad_regex", 18, NULL },
        { "logs \"*x\"", "bad_wildcard", 6, NULL },
        { "logs \"!!\"", "empty_text", 6, NULL },
        // text
        { "logs ''", "empty_text", 6, NULL },
        { "logs ---", "empty_text", 6, NULL },
        { "logs *", "bad_wildcard", 6, NULL },
        { "logs a*b", "bad_wildcard", 6, NULL },
        { "logs \"a.*\"", "bad_wildcard", 6, NULL },
        { "logs body:\"**\"", "bad_wildcard", 11, NULL },
        { "spans duration:5", "type_mismatch", 15, NULL },
        { "spans span:name", "type_mismatch", 11, "name" },
        { "spans | stats count() | where foo", "unknown_column", 31, NULL },
        { "spans | stats count() | where *:foo", "unknown_column", 31, NULL },
        // types
        { "spans duration=abc", "type_mismatch", 16, NULL },
        { "spans duration>999999w", "bad_number", 16, NULL },
        { "spans time>5", "needs_unit", 12, NULL },
        { "spans time>15m", "bad_time", 12, "-15m" },
        { "spans time>2026-01-01T00:00:00", "bad_time", 12, "2026-01-01T00:00:00Z" },
        { "spans time=yesterday", "bad_time", 12, NULL },
        { "spans dropped=x", "type_mismatch", 15, NULL },
        { "spans dropped=\"5\"", "type_mismatch", 15, NULL },
        { "spans dropped>5ms", "no_unit", 15, NULL },
        { "spans root=yes", "type_mismatch", 12, "true false" },
        { "spans root>true", "type_mismatch", 12, NULL },
        { "spans status>ok", "type_mismatch", 14, NULL },
        { "spans kind=clint", "bad_enum", 12, "client" },
        { "logs level=ERROR", "bad_enum", 12, "error" },
        { "logs level=wern", "bad_enum", 12, "warn" },
        { "spans trace=xyz", "type_mismatch", 13, NULL },
        { "spans trace=0af7", "type_mismatch", 13, "0af7*" },
        { "spans span=0af7651916cd43dd8448eb211c80319c", "type_mismatch", 12, NULL },
        { "spans trace=*7", "bad_wildcard", 13, NULL },
        { "spans trace>0af7*", "type_mismatch", 13, NULL },
        { "spans trace=~\"^0\"", "type_mismatch", 12, NULL },
        { "spans status=~\"e\"", "type_mismatch", 13, NULL },
        { "spans name[0]=x", "type_mismatch", 7, "name" },
        { "spans rows>5*", "bad_wildcard", 12, NULL },
        { "spans name>a*", "bad_wildcard", 12, NULL },
        { "spans,logs status=broken", "bad_enum", 19, "ok" },
        { "spans,logs duration>5", "needs_unit", 21, NULL },
        { "spans name=\"\\q\"", "bad_escape", 13, NULL },
        { "spans name=~\"a{2000}\"", "bad_regex", 15, NULL },
        { "spans name=~\"[a-z]{900}[a-z]{900}[a-z]{900}[a-z]{900}[a-z]{900}\"", "regex_too_big", 14, NULL },
        // habits
        { "logs _msg:foo", "unknown_column", 6, "body" },
        { "spans span.http.method=GET", "unknown_column", 7, "http.method" },
        { "logs is:unresolved", "syntax", 6, "state!=(archived,resolved)" },
        { "issues is:new", "syntax", 8, "state=new" },
        { "issues is:unassigned", "syntax", 8, "!assignee:*" },
        { "issues !has:user.email", "syntax", 9, "user.email:*" },
        { "issues age:-24h", "syntax", 8, "first>-24h" },
        { "issues age:+2d", "syntax", 8, "first<-2d" },
        // not built yet
        { "snapshots frame[1].vars.x=2", "not_yet", 11, NULL },
        { "spans {service=web} > {}", "not_yet", 7, NULL },
        { "spans self>1s", "not_yet", 7, NULL },
        { "spans parent.service=a", "not_yet", 7, NULL },
        { "spans trace.duration>1s", "not_yet", 7, NULL },
        // events and links
        { "logs event{name=x}", "bad_argument", 6, "spans" },
        { "spans event{a=1 link{b=2}}", "bad_argument", 17, NULL },
        { "spans event{a in {spans}}", "bad_argument", 13, NULL },
        { "spans link{trace=xyz}", "type_mismatch", 18, NULL },
        { "spans event{since>5}", "needs_unit", 19, NULL },
        { "spans | select name | where event{name=x}", "unknown_column", 29, NULL },
        // extract, parse, context
        { "logs | extract \"x\"", "bad_argument", 16, NULL },
        { "logs | extract \"<a><b>\"", "bad_argument", 20, NULL },
        { "logs | extract \"<a> <a>\"", "duplicate_column", 21, NULL },
        { "logs | extract ~\"(x)\"", "bad_argument", 17, NULL },
        { "logs | extract ~\"(?P<x\"", "bad_regex", 0, NULL },
        { "spans | extract \"<a>\" from duration", "type_mismatch", 28, NULL },
        { "spans | select name | extract \"<a>\"", "unknown_column", 23, NULL },
        { "logs | extract \"<n:int>\" | where n>5ms", "no_unit", 36, NULL },
        { "logs | extract \"<d:duration>\" | where d>5", "needs_unit", 41, NULL },
        { "logs | stats count() | parse json", "unknown_column", 24, NULL },
        { "logs | parse json | stats count() | where a=1", "unknown_column", 43, NULL },
        { "logs | parse json | where duration>5ms", "no_unit", 36, NULL },
        { "spans | context 1", "bad_argument", 9, NULL },
        { "logs,spans | context 1", "bad_argument", 14, NULL },
        { "logs | context 1001", "bad_argument", 16, NULL },
        { "logs | select body | context 1", "unknown_column", 22, NULL },
        { "logs | let a = 1 | context 1 by a", "bad_argument", 33, NULL },
        // columns
        { "spans | select name, name", "duplicate_column", 22, NULL },
        { "spans | select name, service as name", "duplicate_column", 22, NULL },
        { "spans | stats count(), count()", "duplicate_column", 24, NULL },
        { "spans | stats count() as service by service", "duplicate_column", 26, NULL },
        { "spans | top 1 count", "duplicate_column", 15, NULL },
        { "spans | select name | where nme=x", "unknown_column", 29, "name" },
        { "spans | select name | traces", "unknown_column", 23, NULL },
        { "logs | select body | patterns", "unknown_column", 22, "body" },
        { "logs | patterns | sort pattern, body", "unknown_column", 33, NULL },
        { "logs | stats count() | fill", "bad_argument", 24, NULL },
        { "logs | bucket 1m | stats count() by bucket | sort bucket | fill", "bad_argument", 60, NULL },
        { "spans | bucket 1ms of duration as d | stats count() by d | fill", "bad_argument", 60, NULL },
        // queries in braces
        { "spans trace in {logs x | stats count() by service, host}", "no_column_for_in", 13, "service" },
        { "spans trace in {logs | select time}", "type_mismatch", 13, NULL },
        { "spans duration in {spans | select name}", "type_mismatch", 16, NULL },
        { "spans trace in {logs level>=wrn}", "bad_enum", 29, "warn" },
        { "spans trace in {logs x", "unclosed", 16, NULL },
        { "spans trace in {log x}", "unknown_source", 17, "logs" },
        { "spans | select name | facets nme", "unknown_column", 30, "name" },
        { "spans | facets kind | where kind=client", "unknown_column", 29, "field" },
        { "spans | differ kind=client | sort score desc, count", "unknown_column", 47, "out" },
        { "spans | differ kind=clint", "bad_enum", 21, "client" },
        { "spans | select name | bucket 1m", "unknown_column", 23, NULL },
        { "spans | stats count() as n | where n>5ms", "no_unit", 38, NULL },
        { "spans | stats max(duration) as m | where m>5", "needs_unit", 44, NULL },
        { "spans | let d = duration * 2 | where d>5", "needs_unit", 40, NULL },
        { "spans | stats count() by status | where status=x", "bad_enum", 48, NULL },
        // let
        { "spans | let x = foo(1)", "unknown_function", 17, NULL },
        { "spans | let x = lowr(name)", "unknown_function", 17, "lower" },
        { "spans | let x = count()", "unknown_function", 17, NULL },
        { "spans | let x = len()", "bad_argument", 17, NULL },
        { "spans | let x = now(1)", "bad_argument", 17, NULL },
        { "spans | let x = lower(duration)", "type_mismatch", 23, NULL },
        { "spans | let x = ms(5)", "type_mismatch", 20, NULL },
        { "spans | let x = match(name, service)", "bad_argument", 29, NULL },
        { "spans | let x = match(name, \"(a\")", "bad_regex", 30, NULL },
        { "spans | let x = match(name, \"(a)\", 2)", "bad_argument", 36, NULL },
        { "spans | let x = time + time", "type_mismatch", 17, NULL },
        { "spans | let x = duration + 5", "type_mismatch", 17, NULL },
        { "spans | let x = duration * duration", "type_mismatch", 17, NULL },
        { "spans | let x = name + service", "type_mismatch", 17, NULL },
        { "spans | let x = -name", "type_mismatch", 17, NULL },
        { "spans | let x = not name", "type_mismatch", 21, NULL },
        { "spans | let x = duration > 5", "needs_unit", 28, NULL },
        { "spans | let x = duration > name", "type_mismatch", 17, NULL },
        { "spans | let x = status = \"broken\"", "bad_enum", 26, "error" },
        { "spans | let x = name ? 1 : 2", "type_mismatch", 17, NULL },
        { "spans | let x = 999999w", "bad_number", 17, NULL },
        // aggregates
        { "spans | stats foo(duration)", "unknown_function", 15, NULL },
        { "spans | stats median(duration)", "unknown_function", 15, "p50" },
        { "spans | stats cont()", "unknown_function", 15, "count" },
        { "spans | stats p101(duration)", "unknown_function", 15, NULL },
        { "spans | stats sum()", "bad_argument", 15, NULL },
        { "spans | stats sum(a, b)", "bad_argument", 15, NULL },
        { "spans | stats sum(name)", "type_mismatch", 19, NULL },
        { "spans | stats avg(trace)", "type_mismatch", 19, NULL },
        { "spans | stats argmax(id, root)", "type_mismatch", 26, NULL },
        { "spans | stats values(name, 0)", "bad_argument", 28, NULL },
        { "spans | stats values(name, 1001)", "bad_argument", 28, NULL },
        { "spans | stats sum(5)", "bad_argument", 19, NULL },
        { "metrics type=gauge | stats rate(value)", "type_mismatch", 28, NULL },
        { "metrics type=guage", "bad_enum", 14, "gauge" },
        // buckets
        { "spans | bucket 10", "needs_unit", 16, NULL },
        { "spans | bucket 0s", "bad_argument", 16, NULL },
        { "spans | bucket 0d", "bad_argument", 16, NULL },
        { "spans | bucket -5m", "bad_argument", 16, NULL },
        { "spans | bucket x", "bad_argument", 16, NULL },
        { "spans | bucket 10 of duration", "needs_unit", 16, NULL },
        { "spans | bucket 10s of dropped", "no_unit", 16, NULL },
        { "spans | bucket 10 of name", "type_mismatch", 22, NULL },
        { "spans | bucket auto of duration", "bad_argument", 9, NULL },
        { "spans | bucket 1d tz \"Europe/Nowhere\"", "bad_argument", 22, NULL },
    };
    struct query_options opt = options();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_bad(&cases[i], &opt);
}

static void test_permissions(void **state)
{
    static const struct bad cases[] = {
        { "snapshots vars.order.total>1", "forbidden_field", 11, NULL },
        { "snapshots message=x", "forbidden_field", 11, NULL },
        { "snapshots hello", "forbidden_field", 11, NULL },
        { "snapshots *:hello", "forbidden_field", 11, NULL },
        { "snapshots | select frame[0].x", "forbidden_field", 20, NULL },
        { "snapshots | let x = expr.y", "forbidden_field", 21, NULL },
        { "snapshots | stats max(vars.x)", "forbidden_field", 23, NULL },
    };
    struct query_options opt = options();
    opt.level = 3;
    opt.may_values = false;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_bad(&cases[i], &opt);
    assert_int_equal(query_code_status(QUERY_E_FORBIDDEN_FIELD), 403);
    struct query_plan *p = compile_with("spans,snapshots hello", &opt);
    assert_true(p->values_hidden && has_hint(p, "values"));
    assert_false(compile_with("snapshots probe=p3", &opt)->values_hidden);
    opt.sources = QS_SPANS;
    expect_bad(&(struct bad){ "logs", "forbidden_project", 1, NULL }, &opt);
}

static void test_live_and_range_errors(void **state)
{
    struct query_options opt = options();
    opt.live = true;
    assert_non_null(compile_with("logs a | where b=1 | let c = 1 | select c", &opt));
    expect_bad(&(struct bad){ "logs | stats count()", "not_live", 8, NULL }, &opt);
    expect_bad(&(struct bad){ "logs | limit 5", "not_live", 8, NULL }, &opt);
    expect_bad(&(struct bad){ "logs trace in {spans}", "not_live", 12, NULL }, &opt);
    expect_bad(&(struct bad){ "issues", "not_live", 1, NULL }, &opt);
    opt = options();
    opt.has_from = opt.has_to = true;
    opt.from = opt.to = 5;
    expect_bad(&(struct bad){ "logs", "bad_range", 0, NULL }, &opt);
}

static void test_error_json(void **state)
{
    struct query_plan *plan;
    struct query_error err;
    struct query_options opt = options();
    assert_int_equal(query_compile(&arena, STR("spans\nstatus=\"br\xC3\xB6ken\""), &opt, &plan, &err), ERR_INVALID);
    struct buf b;
    buf_init(&b, 4096);
    assert_int_equal(query_error_json(&err, &b), 0);
    assert_true(str_eq(buf_view(&b), STR("{\"code\":\"bad_enum\",\"message\":\"`status` is never "
                                         "`br\xC3\xB6ken`\",\"line\":2,\"column\":8,\"length\":8,\"hint\":\"\","
                                         "\"suggest\":[\"unset\",\"ok\",\"error\"]}")));
    buf_free(&b);
}

// ---- memory
static const char *const big_queries[] = {
    "spans service=(a, b*) not status=error name=~\"a+\" \"x y\" *:z rows:* http.status_code>=200 time>=-1h | let a = "
    "ms(duration) + 1, b = match(name, \"(x)\", 1) "
    "| where a>5 | stats count() if (a=1) as n, p99(a), values(b, 3) by service, queue[0] | sort n desc | limit 5",
    "logs servce=x | bucket 1d tz \"Europe/Berlin\" | top 3 bucket by uniq(a)",
    "* trace=0af7* | traces | select trace, duration as d",
};

static void test_nth_allocation_fails(void **state)
{
    struct query_catalogue cat = { NULL, catalogue_has, catalogue_at };
    struct query_options opt = options();
    opt.catalogue = &cat;
    for (size_t q = 0; q < sizeof big_queries / sizeof *big_queries; q++)
        for (int64_t n = 1;; n++) {
            struct arena a;
            struct query_plan *plan = NULL;
            struct query_error err = { 0 };
            arena_init(&a, 4 << 20);
            mem_fail_at(n);
            int r = query_compile(&a, str_z(big_queries[q]), &opt, &plan, &err);
            bool failed = mem_fail_count() >= n;
            mem_fail_at(0);
            if (r == 0)
                query_plan_free(plan);
            else
                assert_true(r == ERR_NOMEM && err.code == QUERY_E_MEMORY);
            arena_free(&a);
            if (!failed)
                break;
        }
}

// The arena's cap at every size: each single piece is missing once.
static void test_every_cap(void **state)
{
    struct query_options opt = options();
    for (size_t q = 0; q < sizeof big_queries / sizeof *big_queries; q++)
        for (size_t cap = 0; cap < 60000; cap += 48) {
            struct arena a;
            struct query_plan *plan = NULL;
            struct query_error err = { 0 };
            arena_init(&a, cap);
            int r = query_compile(&a, str_z(big_queries[q]), &opt, &plan, &err);
            if (r == 0)
                query_plan_free(plan);
            else
                assert_true(r == ERR_NOMEM && err.code == QUERY_E_MEMORY);
            arena_free(&a);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fixed_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sources, setup, teardown),
        cmocka_unit_test_setup_teardown(test_leaves, setup, teardown),
        cmocka_unit_test_setup_teardown(test_range, setup, teardown),
        cmocka_unit_test_setup_teardown(test_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_buckets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_hints, setup, teardown),
        cmocka_unit_test_setup_teardown(test_canonical, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_permissions, setup, teardown),
        cmocka_unit_test_setup_teardown(test_live_and_range_errors, setup, teardown),
        cmocka_unit_test_setup_teardown(test_error_json, setup, teardown),
        cmocka_unit_test(test_nth_allocation_fails),
        cmocka_unit_test(test_every_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
