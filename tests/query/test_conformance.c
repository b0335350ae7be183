// Every example of the language (examples.txt) on the fixture, in several layouts of segments.
#include "base/hex.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/timefmt.h"
#include "fixture_store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka.h needs the two above
#include <cmocka.h>

#ifndef EXAMPLES
#define EXAMPLES "examples.txt"
#endif
enum { LEVEL = 2 };

// One layout under test.
struct layout {
    const char *name;
    const struct segment *segments[64];
    uint32_t n;
    char ids[FIXTURE_RECORDS][40]; // of the records, as `id` says them
    unsigned bad, asked;
};

// ---- JSON ----

// Raw text of a member of an object; empty when absent.
static str member(str object, str name, struct arena *arena)
{
    struct json_reader r;
    str key, raw;
    json_reader_init(&r, object, arena, 64);
    if (json_object(&r) < 0)
        return STR("");
    while (json_member(&r, &key) == 1) {
        if (json_skip(&r, &raw) < 0)
            break;
        if (str_eq(key, name))
            return str_trim(raw);
    }
    return STR("");
}

static str text_of(str raw, struct arena *arena)
{
    struct json_reader r;
    str s = STR("");
    json_reader_init(&r, raw, arena, 64);
    json_text(&r, &s);
    return s;
}

static str line_at(const struct buf *b, uint32_t i)
{
    str rest = buf_view(b);
    for (;; i--) {
        ptrdiff_t end = str_find_char(rest, '\n', 0);
        if (end < 0)
            return STR("");
        if (i == 0)
            return str_slice(rest, 0, (size_t)end);
        rest = str_slice(rest, (size_t)end + 1, rest.len);
    }
}

// ---- expectations ----

// @s8@ in a query is a span id, in a row the record's id; @T1@ a trace id in both.
static str with_ids(const struct layout *l, str text, bool query, struct arena *arena)
{
    struct buf b;
    str out;
    buf_init(&b, 1 << 20);
    for (size_t i = 0; i < text.len;) {
        bool done = false;
        if (text.ptr[i] == '@' && i + 3 < text.len && text.ptr[i + 3] == '@') {
            str name = str_slice(text, i + 1, i + 3);
            char hex[33];
            uint8_t raw[8];
            for (unsigned k = 0; k < FIXTURE_RECORDS && !done; k++) {
                if (!str_eq(name, str_z(fixture_names[k])))
                    continue;
                be64_put(raw, k < FIXTURE_SPANS ? fixture_span_id(k) : 0);
                hex_encode(hex, raw, 8);
                buf_str(&b, query ? str_of(hex, 16) : str_z(l->ids[k]));
                done = true;
            }
            if (str_eq(name, STR("T1")) || str_eq(name, STR("T2"))) {
                buf_str(&b, str_z(name.ptr[1] == '1' ? FIXTURE_T1 : FIXTURE_T2));
                done = true;
            }
        }
        if (!done)
            buf_byte(&b, (uint8_t)text.ptr[i]);
        i += done ? 4 : 1;
    }
    must(arena_dup(arena, buf_view(&b), &out) == 0);
    buf_free(&b);
    return out;
}

static bool same_value(str want, str got, struct arena *arena)
{
    double a, b;
    if (str_eq(want, STR("null")))
        return got.len == 0;
    if (str_starts(want, STR("{\"$t\""))) {
        char text[40];
        str t = member(want, STR("$t"), arena);
        assert_true(json_number_double(t, &a));
        int n = fmt_rfc3339(text, FIXTURE_T0 + (int64_t)(a * 1e9));
        return str_eq(text_of(got, arena), str_of(text, (size_t)n));
    }
    if (json_number_double(want, &a) && json_number_double(got, &b))
        return a == b;
    if (want.len && want.ptr[0] == '"')
        return got.len && got.ptr[0] == '"' && str_eq(text_of(want, arena), text_of(got, arena));
    return str_eq(want, got);
}

static bool row_matches(str want, str got, struct arena *arena)
{
    struct json_reader r;
    str key, raw;
    json_reader_init(&r, want, arena, 64);
    assert_int_equal(json_object(&r), 0);
    while (json_member(&r, &key) == 1) {
        assert_int_equal(json_skip(&r, &raw), 0);
        if (!same_value(str_trim(raw), member(got, key, arena), arena))
            return false;
    }
    return true;
}

static str next_word(str *s)
{
    *s = str_trim(*s);
    ptrdiff_t end = str_find_char(*s, ' ', 0);
    str w = end < 0 ? *s : str_slice(*s, 0, (size_t)end);
    *s = str_slice(*s, w.len, s->len);
    return w;
}

// One query's state while its expectations are read.
struct asked {
    struct layout *l;
    struct arena *arena;
    int number;
    str query;
    struct fixture_answer a;
    bool live;
    uint32_t row;
};

static void complain(struct asked *q, const char *what, str detail)
{
    q->l->bad++;
    fprintf(stderr, "# %s, example %d: %.*s\n#   %s %.*s\n", q->l->name, q->number, STR_ARG(q->query), what,
            STR_ARG(detail));
    if (q->a.rc < 0)
        fprintf(stderr, "#   answered %s: %s (column %d)\n", query_code_slug(q->a.err.code), q->a.err.message,
                q->a.err.column);
    else
        fprintf(stderr, "#   answered %u rows:\n%.*s%.*s", q->a.rows_n, (int)q->a.rows.len, (const char *)q->a.rows.ptr,
                (int)q->a.stats.len, (const char *)q->a.stats.ptr);
}

static void expect_ids(struct asked *q, str want)
{
    uint32_t i = 0;
    for (str w; (w = next_word(&want)).len; i++) {
        str id = text_of(member(line_at(&q->a.rows, i), STR("id"), q->arena), q->arena);
        bool hit = false;
        for (int k = 0; k < FIXTURE_RECORDS; k++)
            hit |= str_eq(w, str_z(fixture_names[k])) && str_eq(id, str_z(q->l->ids[k]));
        if (!hit) {
            complain(q, "expected, at its place, ", w);
            return;
        }
    }
    if (q->a.rc < 0 || i != q->a.rows_n)
        complain(q, "another number of rows", STR(""));
}

static void expect_error(struct asked *q, str want)
{
    str code = next_word(&want), column = next_word(&want);
    if (q->a.rc == 0 || !str_eq(code, str_z(query_code_slug(q->a.err.code)))) {
        complain(q, "expected the error", code);
        return;
    }
    if (atoi(column.ptr) && atoi(column.ptr) != q->a.err.column)
        complain(q, "expected the column", column);
    for (str w; (w = next_word(&want)).len;) {
        bool hit = false;
        for (int i = 0; i < q->a.err.suggest_count; i++)
            hit |= str_eq(w, str_z(q->a.err.suggest[i]));
        if (!hit)
            complain(q, "expected the suggestion", w);
    }
}

static void expect(struct asked *q, str line)
{
    str verb = next_word(&line), rest = str_trim(line);
    str stats = member(line_at(&q->a.stats, 0), STR("_stats"), q->arena);
    if (str_eq(verb, STR("ids"))) {
        expect_ids(q, rest);
    } else if (str_eq(verb, STR("error"))) {
        expect_error(q, rest);
    } else if (q->a.rc < 0) {
        complain(q, "expected", verb);
    } else if (str_eq(verb, STR("rows"))) {
        if (atoi(rest.ptr) != (int)q->a.rows_n)
            complain(q, "expected rows:", rest);
    } else if (str_eq(verb, STR("row"))) {
        rest = with_ids(q->l, rest, false, q->arena);
        if (!row_matches(rest, line_at(&q->a.rows, q->row++), q->arena))
            complain(q, "expected the row", rest);
    } else if (str_eq(verb, STR("some"))) {
        bool hit = false;
        for (uint32_t i = 0; i < q->a.rows_n; i++)
            hit |= row_matches(with_ids(q->l, rest, false, q->arena), line_at(&q->a.rows, i), q->arena);
        if (!hit)
            complain(q, "expected some row", rest);
    } else if (str_eq(verb, STR("stat"))) {
        str key = next_word(&rest);
        if (!same_value(str_trim(rest), member(stats, key, q->arena), q->arena))
            complain(q, "expected in the stats", rest);
    } else if (str_eq(verb, STR("hint"))) {
        if (str_find(member(stats, STR("hints"), q->arena), rest) < 0)
            complain(q, "expected the hint", rest);
    } else {
        complain(q, "the examples hold a line that is not understood:", verb);
    }
}

// ---- the file ----

static void finish(struct asked *q)
{
    if (q->live)
        fixture_answer_free(&q->a);
    q->live = false;
}

static void ask(struct asked *q, struct layout *l, str text, bool everything, bool values)
{
    struct query_request r = fixture_request("");
    finish(q);
    r.text = q->query = with_ids(l, text, true, q->arena);
    r.values = values;
    if (everything)
        r.has_from = r.has_to = false;
    fixture_ask(&r, l->segments, l->n, &q->a);
    q->live = true;
    q->row = 0;
    l->asked++;
}

static void later_level(struct asked *q)
{
    // `*` means what there is.
    bool star = str_starts(q->query, STR("*"));
    if (star ? q->a.rc < 0 : q->a.rc == 0 || q->a.err.code != QUERY_E_NOT_YET)
        complain(q, "expected", STR("not_yet"));
}

static void run_examples(struct layout *l)
{
    FILE *f = fopen(EXAMPLES, "r");
    char line[4096];
    struct arena arena;
    struct asked q = { .l = l, .arena = &arena };
    int level = 0;
    assert_non_null(f);
    arena_init(&arena, 64 << 20);
    while (fgets(line, sizeof line, f)) {
        str s = str_z(line);
        while (s.len && s.ptr[s.len - 1] == '\n')
            s.len--;
        if (s.len == 0 || s.ptr[0] == '#')
            continue;
        if (s.ptr[0] == '@') {
            assert_int_equal(sscanf(line, "@ %d %d", &q.number, &level), 2);
        } else if (s.ptr[0] == 'q' && (s.len == 1 || s.ptr[1] == ' ')) {
            ask(&q, l, str_slice(s, 2, s.len), false, true);
            if (level > LEVEL)
                later_level(&q);
        } else if (level > LEVEL) {
            continue;
        } else if (str_starts(s, STR("o "))) {
            str again = q.query;
            if (str_eq(s, STR("o everything")))
                ask(&q, l, again, true, true);
            else
                ask(&q, l, again, false, false);
        } else {
            expect(&q, s);
        }
    }
    finish(&q);
    arena_free(&arena);
    fclose(f);
    assert_true(l->asked > 100);
    assert_int_equal(l->bad, 0);
}

// The id of every record: found by the span id and by the body.
static void learn_ids(struct layout *l)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    struct query_request r = fixture_request("spans,logs,events,snapshots | select id, time, source");
    struct fixture_answer a;
    static const struct {
        const char *name;
        int64_t ms;
        const char *source; // where another record has the same time
    } times[] = { { "s1", 0 },     { "s2", 100 },   { "s3", 200 },   { "s4", 650 },           { "s5", 10000 },
                  { "s6", 10010 }, { "s7", 10020 }, { "s8", 10050 }, { "l1", 150 },           { "l2", 790, "logs" },
                  { "l3", 10015 }, { "l4", 20000 }, { "l5", 30000 }, { "e1", 790, "events" }, { "e2", 12000 },
                  { "n1", 300 },   { "n2", 10030 } };
    fixture_ask(&r, l->segments, l->n, &a);
    if (a.rc < 0)
        fprintf(stderr, "# %s: %s\n", l->name, a.err.message);
    assert_int_equal(a.rc, 0);
    assert_int_equal(a.rows_n, FIXTURE_RECORDS);
    for (uint32_t i = 0; i < a.rows_n; i++) {
        str row = line_at(&a.rows, i), time = text_of(member(row, STR("time"), &arena), &arena);
        str id = text_of(member(row, STR("id"), &arena), &arena);
        str source = text_of(member(row, STR("source"), &arena), &arena);
        int64_t ns;
        assert_true(parse_rfc3339(time, &ns));
        for (int k = 0; k < FIXTURE_RECORDS; k++) {
            if (ns == FIXTURE_T0 + times[k].ms * 1000000 &&
                (!times[k].source || str_eq(source, str_z(times[k].source))))
                snprintf(l->ids[k], sizeof l->ids[k], "%.*s", STR_ARG(id));
        }
    }
    for (int k = 0; k < FIXTURE_RECORDS; k++)
        assert_int_equal(strlen(l->ids[k]), 33);
    fixture_answer_free(&a);
    arena_free(&arena);
}

static void test_one_segment(void **state)
{
    struct fixture_segments f = { 0 };
    struct record_sink sink = fixture_sink(&f);
    struct layout l = { .name = "one segment a source" };
    assert_int_equal(fixture_feed(&sink, UINT32_MAX), 0);
    l.n = fixture_segments_list(&f, l.segments);
    learn_ids(&l);
    run_examples(&l);
    fixture_segments_free(&f);
}

static void test_small_blocks(void **state)
{
    struct fixture_segments f = { .block_rows = 3, .raw = true };
    struct record_sink sink = fixture_sink(&f);
    struct layout l = { .name = "blocks of three rows, no shared strings" };
    assert_int_equal(fixture_feed(&sink, UINT32_MAX), 0);
    l.n = fixture_segments_list(&f, l.segments);
    learn_ids(&l);
    run_examples(&l);
    fixture_segments_free(&f);
}

static void test_halves(void **state)
{
    struct fixture_segments odd = { .block_rows = 2 }, even = { 0 };
    struct record_sink a = fixture_sink(&odd), b = fixture_sink(&even);
    struct layout l = { .name = "every other record in another segment" };
    assert_int_equal(fixture_feed(&a, 0x55555555), 0);
    assert_int_equal(fixture_feed(&b, 0xaaaaaaaa), 0);
    l.n = fixture_segments_list(&odd, l.segments);
    l.n += fixture_segments_list(&even, l.segments + l.n);
    learn_ids(&l);
    run_examples(&l);
    fixture_segments_free(&odd);
    fixture_segments_free(&even);
}

// The store itself: nothing sealed, everything sealed, half and half.
static void run_store(const char *name, bool seal_first, bool seal_second)
{
    struct fixture_store f;
    struct layout l = { .name = name };
    struct view *v;
    fixture_store_open(&f);
    fixture_store_feed(&f, 0x33333333);
    if (seal_first)
        assert_int_equal(store_settle(f.s, NULL), 0);
    fixture_store_feed(&f, 0xcccccccc);
    if (seal_second)
        assert_int_equal(store_settle(f.s, NULL), 0);
    assert_int_equal(store_view(f.s, &v), 0);
    l.n = view_segments(v);
    for (uint32_t i = 0; i < l.n; i++) {
        l.segments[i] = view_segment(v, i);
        if (seal_first && seal_second)
            assert_false(segment_info(l.segments[i])->head);
    }
    learn_ids(&l);
    run_examples(&l);
    view_unref(v);
    fixture_store_close(&f);
}

static void test_head(void **state) { run_store("head", false, false); }
static void test_parts(void **state) { run_store("parts", true, true); }
static void test_head_and_parts(void **state) { run_store("head and parts", true, false); }

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_segment), cmocka_unit_test(test_small_blocks), cmocka_unit_test(test_halves),
        cmocka_unit_test(test_head),        cmocka_unit_test(test_parts),        cmocka_unit_test(test_head_and_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
