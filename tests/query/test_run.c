// What a run promises beside the language: caps, permissions, pages, notes about the answer.
#include "base/json.h"
#include "base/mem.h"
#include "fixture.h"
#include "query/result_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

static struct fixture_segments the_fixture;
static const struct segment *segments[8];
static uint32_t segments_n;

static int set_up(void **state)
{
    struct record_sink sink = fixture_sink(&the_fixture);
    the_fixture.project = 3;
    the_fixture.block_rows = 4;
    fixture_feed(&sink, UINT32_MAX);
    segments_n = fixture_segments_list(&the_fixture, segments);
    return 0;
}

static int tear_down(void **state)
{
    fixture_segments_free(&the_fixture);
    return 0;
}

static struct fixture_answer ask(const struct query_request *q)
{
    struct fixture_answer a;
    fixture_ask(q, segments, segments_n, &a);
    return a;
}

static bool has(const struct buf *b, const char *text) { return str_find(buf_view(b), str_z(text)) >= 0; }

// ---- memory ----

static const char *const queries[] = {
    "spans",
    "logs",
    "*",
    "spans service=checkout status=error duration>200ms | select id, duration, name, event.name",
    "spans *:orders or timeout or name=~\"^GET\"",
    "spans | sort duration desc | limit 3",
    "spans | sort rows, name desc | select id, rows",
    "spans | limit 1 by service, kind | select service, text",
    "spans | let d = ms(duration), n = replace(upper(name), \"T\", \"t\"), l = split(name, \" \"), j = "
    "join(split(name, \" \"), \"-\") | "
    "where d>10 | select d, n, l, j",
    "spans | stats count() as n, sum(duration), avg(rows), min(name), max(duration), p50(duration), p99(duration), "
    "uniq(trace, service), first(id), last(name), argmax(id, duration), values(service, 3), histogram(duration), "
    "rate() by "
    "service, kind",
    "spans | top 2 name by uniq(trace)",
    "spans | bucket 10s | stats count() if (status=error) as e, rate() by bucket",
    "spans | bucket 1d tz \"Europe/Berlin\" | stats count() by bucket",
    "logs order | traces",
    "spans trace=" FIXTURE_T1,
    "spans servce=web",
    "spans event.exception.type=TimeoutError or link.trace=" FIXTURE_T1,
    "spans queue[1]=b | select queue, queue[0]",
    "spans event{name=exception exception.message:timeout not exception.type=x} or link{trace=" FIXTURE_T1 "}",
    "logs | extract \"order <n:int> \" | extract ~\"(?P<ip>\\d+\\.\\d+)\" | where n>1 or ip:* | select n, ip",
    "logs | let t = replace(body, \" \", \"=\") | parse logfmt from t | parse json | stats count() by order, refused",
    "logs | parse logfmt",
    "logs refused | context 1",
    "logs order | let n = len(body) | context 2 by service, level",
    "spans,logs | let twice = rows * 2 | facets",
    "spans | facets 2 queue, duration, rows",
    "logs | patterns",
    "logs | bucket 10s | stats count() as n, p50(severity) as p by service, bucket, level | fill",
    "spans,logs | where pattern=\"GET *\" or pattern:order | stats count() by pattern",
    "logs trace in {spans service=db user in {spans status=error | select user} or rows:*}",
    "spans | differ trace in {spans root=true duration>200ms}",
    "events issue=42 | stats uniq(issue) by issue",
    "issues state=new | sort users desc, last desc | select id, release, level",
    "issues id in {events trace in {spans} | select issue}",
    "spans | differ user=u1",
    "spans | sort duration desc | limit 5 | select name, duration, rows | differ duration>100ms",
};

static void test_every_allocation_fails_once(void **state)
{
    for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
        struct query_request q = fixture_request(queries[i]);
        struct fixture_answer good = ask(&q), bad;
        if (good.rc < 0)
            fprintf(stderr, "# %s: %s\n", queries[i], good.err.message);
        assert_int_equal(good.rc, 0);
        for (int64_t n = 1;; n++) {
            mem_fail_at(n);
            bad = ask(&q);
            bool failed = mem_fail_count() >= n;
            mem_fail_at(0);
            if (bad.rc == 0) {
                // Suggestions may be left out; rows never.
                assert_int_equal(bad.rows.len, good.rows.len);
                assert_memory_equal(bad.rows.ptr ? bad.rows.ptr : (void *)"",
                                    good.rows.ptr ? good.rows.ptr : (void *)"", good.rows.len);
            } else {
                assert_int_equal(bad.rc, ERR_NOMEM);
                assert_int_equal(bad.err.code, QUERY_E_MEMORY);
            }
            fixture_answer_free(&bad);
            if (!failed)
                break;
            assert_true(n < 100000);
        }
        fixture_answer_free(&good);
    }
}

static void test_memory_cap_names_the_step(void **state)
{
    struct query_request q = fixture_request("spans | stats uniq(id), values(id) by id, name | sort name");
    q.memory_max = 48 << 10;
    struct fixture_answer a = ask(&q);
    assert_int_equal(a.rc, ERR_NOMEM);
    assert_int_equal(a.err.code, QUERY_E_MEMORY);
    assert_non_null(strstr(a.err.message, "step"));
    assert_true(a.err.hint[0] != 0);
    fixture_answer_free(&a);
}

// ---- time ----

static void test_time_cap(void **state)
{
    struct query_request q = fixture_request("spans");
    q.time_max_ns = 1;
    struct fixture_answer a = ask(&q);
    assert_int_equal(a.rc, ERR_TIMEOUT);
    assert_int_equal(a.err.code, QUERY_E_TIMEOUT);
    fixture_answer_free(&a);
    q.partial = true;
    a = ask(&q);
    assert_int_equal(a.rc, 0);
    assert_true(has(&a.stats, "\"partial\":\"the time cap"));
    assert_true(a.rows_n < FIXTURE_SPANS);
    fixture_answer_free(&a);
}

static bool always(void *ctx)
{
    ++*(int *)ctx;
    return true;
}

static void test_cancelled(void **state)
{
    int asked = 0;
    struct query_request q = fixture_request("spans | stats count()");
    q.cancelled = always;
    q.cancelled_ctx = &asked;
    struct fixture_answer a = ask(&q);
    assert_int_equal(a.rc, ERR_CANCELLED);
    assert_int_equal(asked, 1);
    assert_int_equal(a.rows_n, 0);
    fixture_answer_free(&a);
}

struct leaver {
    int rows;
};
static int leave_after_two(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct leaver *l = ctx;
    return ++l->rows == 2 ? ERR_CLOSED : 0;
}
static int never_end(void *ctx, const struct query_stats *stats)
{
    fail();
    return 0;
}

static void test_reader_leaves(void **state)
{
    struct leaver l = { 0 };
    struct query_request q = fixture_request("spans");
    struct query_output out = { &l, leave_after_two, never_end };
    struct query_error err;
    assert_int_equal(query_run_segments(&q, segments, NULL, segments_n, &out, &err), ERR_CLOSED);
    assert_int_equal(l.rows, 2);
}

// ---- permissions ----

static void test_projects(void **state)
{
    struct query_project three = { 3, STR("shop") }, four = { 4, STR("other") };
    struct query_request q = fixture_request("spans service=web");
    q.all_projects = false;
    q.projects = &four;
    q.projects_n = 1;
    struct fixture_answer a = ask(&q);
    assert_int_equal(a.rc, 0);
    assert_int_equal(a.rows_n, 0);
    fixture_answer_free(&a);
    q.projects = &three;
    q.text = STR("spans project=shop service=web | select project");
    a = ask(&q);
    assert_int_equal(a.rows_n, 2);
    assert_true(has(&a.rows, "{\"project\":\"shop\"}"));
    fixture_answer_free(&a);
    q.projects_n = 0;
    a = ask(&q);
    assert_int_equal(a.rows_n, 0);
    fixture_answer_free(&a);
}

// What the caller may not read is not in the set either.
static void test_projects_of_inner_queries(void **state)
{
    struct fixture_segments mine = { .project = 3 }, theirs = { .project = 4 };
    struct record_sink a = fixture_sink(&mine), b = fixture_sink(&theirs);
    const struct segment *both[16];
    struct query_project projects[] = { { 3, STR("shop") }, { 4, STR("other") } };
    struct query_request q = fixture_request("logs trace in {spans service=db duration>300ms}");
    struct fixture_answer got;
    uint32_t n;
    fixture_feed(&a, 0xffffff00); // logs and what is behind s8
    fixture_feed(&b, 0x000000ff); // the spans
    n = fixture_segments_list(&mine, both);
    n += fixture_segments_list(&theirs, both + n);
    q.all_projects = false;
    q.projects = projects;
    q.projects_n = 2;
    fixture_ask(&q, both, n, &got);
    assert_int_equal(got.rc, 0);
    assert_int_equal(got.rows_n, 2);
    fixture_answer_free(&got);
    q.projects_n = 1;
    fixture_ask(&q, both, n, &got);
    assert_int_equal(got.rc, 0);
    assert_int_equal(got.rows_n, 0);
    fixture_answer_free(&got);
    fixture_segments_free(&mine);
    fixture_segments_free(&theirs);
}

// Rows of issues come for the projects that the caller may read, and only those.
static int rows_asked(void *ctx, const uint32_t *projects, size_t projects_n, int64_t from, int64_t to,
                      struct arena *arena, struct query_issue **ret_rows, size_t *ret_n)
{
    assert_non_null(projects);
    assert_int_equal(projects_n, *(size_t *)ctx);
    *ret_rows = arena_zalloc(arena, 3 * sizeof **ret_rows);
    *ret_n = 3;
    (*ret_rows)[0] = (struct query_issue){ .id = 7, .project = 3, .last = from, .events = 1 };
    (*ret_rows)[1] = (struct query_issue){ .id = 8, .project = 4, .last = to, .events = 1 };
    (*ret_rows)[2] = (struct query_issue){ .id = 9, .project = 3, .last = to }; // not seen in the range
    return 0;
}

static void test_issues_of_projects(void **state)
{
    const struct query_project mine[] = { { 3, STR("shop") } };
    size_t expected = 1;
    struct query_issues issues = fixture_issues;
    struct query_request q = fixture_request("issues | select id, project, short");
    issues.ctx = &expected;
    issues.rows = rows_asked;
    q.issues = &issues;
    q.all_projects = false;
    q.projects = mine;
    q.projects_n = 1;
    struct fixture_answer a = ask(&q);
    assert_int_equal(a.rc, 0);
    assert_true(str_eq(buf_view(&a.rows), STR("{\"id\":7,\"project\":\"shop\",\"short\":\"SHOP-7\"}\n")));
    fixture_answer_free(&a);
}

static int rows_fail(void *ctx, const uint32_t *projects, size_t projects_n, int64_t from, int64_t to,
                     struct arena *arena, struct query_issue **ret_rows, size_t *ret_n)
{
    return ERR_IO;
}

static int hash_fails(void *ctx, uint32_t project, str hash, int64_t *ret_issue) { return ERR_IO; }

static int hashes_fail(void *ctx, int64_t issue, struct arena *arena, uint32_t *ret_project, str **ret_hashes,
                       size_t *ret_n)
{
    return ERR_IO;
}

static void test_issues_that_cannot_be_read(void **state)
{
    static const char *const texts[] = { "issues", "events issue=42", "spans trace in {events | where issue:*}" };
    struct query_issues issues = { .of_hash = hash_fails, .hashes = hashes_fail, .rows = rows_fail };
    for (int i = 0; i < 3; i++) {
        struct query_request q = fixture_request(texts[i]);
        q.issues = &issues;
        struct fixture_answer a = ask(&q);
        assert_true(a.rc < 0);
        assert_int_equal(a.err.code, QUERY_E_INTERNAL);
        fixture_answer_free(&a);
    }
    struct query_request q = fixture_request("issues");
    q.issues = NULL; // nobody keeps any
    struct fixture_answer a = ask(&q);
    assert_int_equal(a.rc, 0);
    assert_int_equal(a.rows_n, 0);
    fixture_answer_free(&a);
}

static void test_hidden_spans_are_counted(void **state)
{
    struct fixture_segments secret = { .project = 9 }, open = { .project = 3 };
    struct record_sink a_sink = fixture_sink(&secret), b_sink = fixture_sink(&open);
    const struct segment *list[8];
    struct query_project three = { 3, STR("shop") };
    struct fixture_answer a;
    fixture_feed(&a_sink, 0x0c); // s3, s4
    fixture_feed(&b_sink, 0x03); // s1, s2
    uint32_t n = fixture_segments_list(&secret, list);
    n += fixture_segments_list(&open, list + n);
    struct query_request q = fixture_request("spans | traces");
    q.all_projects = false;
    q.projects = &three;
    q.projects_n = 1;
    fixture_ask(&q, list, n, &a);
    assert_int_equal(a.rc, 0);
    assert_int_equal(a.rows_n, 1);
    assert_true(has(&a.rows, "\"spans\":2"));
    assert_true(has(&a.stats, "\"hidden\":2"));
    fixture_answer_free(&a);
    fixture_segments_free(&secret);
    fixture_segments_free(&open);
}

// ---- pages ----

static str next_of(const struct fixture_answer *a, char room[256])
{
    str s = buf_view(&a->stats);
    ptrdiff_t at = str_find(s, STR("\"next\":\""));
    if (at < 0)
        return STR("");
    s = str_slice(s, (size_t)at + 8, s.len);
    size_t n = (size_t)str_find_char(s, '"', 0);
    memcpy(room, s.ptr, n);
    return str_of(room, n);
}

// All pages of `size` rows, one after another, are the whole answer.
static void assert_pages(const char *text, uint64_t size)
{
    struct query_request q = fixture_request(text);
    struct fixture_answer whole = ask(&q);
    struct buf got;
    char room[256];
    buf_init(&got, 1 << 20);
    assert_int_equal(whole.rc, 0);
    q.limit = size;
    for (int pages = 0;; pages++) {
        struct fixture_answer a = ask(&q);
        assert_int_equal(a.rc, 0);
        assert_true(a.rows_n <= size && pages < 100);
        buf_str(&got, buf_view(&a.rows));
        str next = next_of(&a, room);
        bool more = has(&a.stats, "\"more\":true");
        assert_int_equal(more, next.len > 0);
        q.after = next;
        fixture_answer_free(&a);
        if (!more)
            break;
    }
    assert_int_equal(got.len, whole.rows.len);
    assert_memory_equal(got.ptr, whole.rows.ptr, got.len);
    buf_free(&got);
    fixture_answer_free(&whole);
}

static void test_pages(void **state)
{
    assert_pages("spans", 3);
    assert_pages("spans", 1);
    assert_pages("*", 4);
    assert_pages("spans | where kind=client | let d = duration * 2 | select id, d", 1);
    assert_pages("spans | let slow = duration > 100ms | where slow=true", 2);
    assert_pages("spans | sort duration", 3);
    assert_pages("spans | limit 5", 2);
    assert_pages("spans | traces", 1);
    assert_pages("spans status=error | traces | select trace, matched", 1);
}

static void test_pages_of_equal_times(void **state)
{
    // Eight times the same second: only the arrival tells the rows apart.
    struct fixture_segments f = { .block_rows = 3, .received = FIXTURE_T0 };
    const struct segment *list[8];
    struct record_sink sink = fixture_sink(&f);
    for (int i = 0; i < 8; i++)
        fixture_feed(&sink, 1u << (FIXTURE_SPANS + 1)); // l2
    uint32_t n = fixture_segments_list(&f, list);
    struct query_request q = fixture_request("logs | select body");
    char room[256];
    uint32_t rows = 0;
    q.limit = 3;
    for (int page = 0; page < 3; page++) {
        struct fixture_answer a;
        fixture_ask(&q, list, n, &a);
        assert_int_equal(a.rc, 0);
        assert_int_equal(a.rows_n, page < 2 ? 3 : 2);
        rows += a.rows_n;
        q.after = next_of(&a, room);
        fixture_answer_free(&a);
    }
    assert_int_equal(rows, 8);
    assert_int_equal(q.after.len, 0);
    fixture_segments_free(&f);
}

static void test_bad_cursors(void **state)
{
    struct query_request q = fixture_request("spans");
    struct fixture_answer a;
    char room[256];
    q.after = STR("nonsense");
    a = ask(&q);
    assert_int_equal(a.err.code, QUERY_E_BAD_CURSOR);
    fixture_answer_free(&a);
    q.after = STR("");
    q.limit = 2;
    a = ask(&q);
    q.after = next_of(&a, room);
    assert_true(q.after.len > 0);
    fixture_answer_free(&a);
    q.text = STR("spans service=web");
    a = ask(&q);
    assert_int_equal(a.err.code, QUERY_E_BAD_CURSOR);
    fixture_answer_free(&a);
}

// ---- duplicates ----

static void test_resent_spans_are_one_row(void **state)
{
    struct fixture_segments one = { 0 }, two = { .received = FIXTURE_T0 + 1000000000000LL };
    struct record_sink a_sink = fixture_sink(&one), b_sink = fixture_sink(&two);
    const struct segment *list[8];
    struct fixture_answer a;
    fixture_feed(&a_sink, UINT32_MAX);
    fixture_feed(&b_sink, 0xff); // the spans once more
    uint32_t n = fixture_segments_list(&one, list);
    n += fixture_segments_list(&two, list + n);
    struct query_request q = fixture_request("spans");
    fixture_ask(&q, list, n, &a);
    assert_int_equal(a.rows_n, FIXTURE_SPANS);
    fixture_answer_free(&a);
    q.text = STR("spans status=error | traces");
    fixture_ask(&q, list, n, &a);
    assert_int_equal(a.rows_n, 1);
    assert_true(has(&a.rows, "\"spans\":4"));
    fixture_answer_free(&a);
    q.text = STR("spans");
    q.limit = 3; // the duplicates do not push rows out
    fixture_ask(&q, list, n, &a);
    assert_int_equal(a.rows_n, 3);
    assert_true(has(&a.rows, "\"service\":\"worker\"") && has(&a.rows, "\"service\":\"cache\"") &&
                has(&a.rows, "\"service\":\"checkout\""));
    fixture_answer_free(&a);
    fixture_segments_free(&one);
    fixture_segments_free(&two);
}

// ---- what is said about the answer ----

static void test_partial_buckets(void **state)
{
    struct query_request q = fixture_request("spans | bucket 1m | stats count() by bucket");
    q.from = FIXTURE_T0 - 30 * 1000000000LL;
    q.to = FIXTURE_T0 + 60 * 1000000000LL;
    struct fixture_answer a = ask(&q);
    assert_true(has(&a.stats, "\"partial_buckets\":[\"2025-12-31T23:59:00.000000000Z\"]"));
    fixture_answer_free(&a);
    q.from = FIXTURE_T0;
    a = ask(&q);
    assert_true(has(&a.stats, "\"partial_buckets\":[]"));
    fixture_answer_free(&a);
}

static void test_uncomparable_rows_are_counted(void **state)
{
    struct query_request q = fixture_request("spans queue>3");
    struct fixture_answer a = ask(&q);
    assert_int_equal(a.rows_n, 0);
    assert_true(has(&a.stats, "\"uncomparable\":1"));
    fixture_answer_free(&a);
}

static void test_ints_as_strings(void **state)
{
    struct result_json j = { .ints_as_strings = true }, k = { 0 };
    struct query_cell cells[] = { { STR("i"), qval_int(5) }, { STR("b"), qval_int((1LL << 53)) } };
    struct buf b;
    buf_init(&b, 1 << 10);
    result_put_row(&j, &b, cells, 2);
    assert_true(str_eq(buf_view(&b), STR("{\"i\":\"5\",\"b\":\"9007199254740992\"}\n")));
    buf_clear(&b);
    result_put_row(&k, &b, cells, 2);
    assert_true(str_eq(buf_view(&b), STR("{\"i\":5,\"b\":\"9007199254740992\"}\n")));
    buf_free(&b);
}

static void test_equal_keys_keep_the_last(void **state)
{
    struct result_json j = { 0 };
    struct buf b, m;
    buf_init(&b, 1 << 20);
    buf_init(&m, 1 << 20);
    for (int many = 0; many < 2; many++) {
        int n = many ? 40 : 3;
        buf_clear(&m);
        buf_clear(&b);
        j = (struct result_json){ 0 };
        buf_byte(&m, VALUE_MAP);
        buf_varint(&m, (uint64_t)n);
        for (int i = 0; i < n; i++) {
            struct value v = value_int(i);
            buf_varint(&m, 1);
            buf_byte(&m, (uint8_t) "abc"[i % 3 == 2 ? 0 : i % 3]);
            value_encode(&m, &v);
        }
        struct query_cell cell = { STR("m"), { .type = QVAL_MAP, .s = buf_view(&m) } };
        result_put_row(&j, &b, &cell, 1);
        const char *want = many ? "{\"m\":{\"b\":37,\"a\":39}}\n" : "{\"m\":{\"b\":1,\"a\":2}}\n";
        assert_int_equal(b.len, strlen(want));
        assert_memory_equal(b.ptr, want, b.len);
        assert_int_equal(j.repeated, n - 2);
    }
    buf_free(&b);
    buf_free(&m);
}

static void test_live_rows_begin_where_they_are_new(void **state)
{
    struct query_request q = fixture_request("spans");
    struct fixture_answer a = { 0 };
    uint64_t firsts[8] = { 0 };
    q.live = true;
    q.has_from = q.has_to = false;
    firsts[0] = BLOCK_ROWS + 2; // spans: blocks of four rows, so s7 and s8
    fixture_ask_from(&q, segments, firsts, segments_n, &a);
    assert_int_equal(a.rc, 0);
    assert_int_equal(a.rows_n, 2);
    fixture_answer_free(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_memory_cap_names_the_step),
        cmocka_unit_test(test_time_cap),
        cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_reader_leaves),
        cmocka_unit_test(test_projects),
        cmocka_unit_test(test_projects_of_inner_queries),
        cmocka_unit_test(test_issues_of_projects),
        cmocka_unit_test(test_issues_that_cannot_be_read),
        cmocka_unit_test(test_hidden_spans_are_counted),
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_pages_of_equal_times),
        cmocka_unit_test(test_bad_cursors),
        cmocka_unit_test(test_resent_spans_are_one_row),
        cmocka_unit_test(test_partial_buckets),
        cmocka_unit_test(test_uncomparable_rows_are_counted),
        cmocka_unit_test(test_ints_as_strings),
        cmocka_unit_test(test_equal_keys_keep_the_last),
        cmocka_unit_test(test_live_rows_begin_where_they_are_new),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
