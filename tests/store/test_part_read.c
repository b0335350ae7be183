// What a part answers besides its rows: traces, ranges of blocks, dictionaries; through a cache that is too small,
// and from several threads at once.
#include "base/err.h"
#include "base/hash.h"
#include "disk_mem.h"
#include "part_model.h"
#include "store/rows.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
// cmocka wants these before it
#include <cmocka.h>

static struct part_env env;
static uint64_t next_id = 1;

static int setup(void **state)
{
    assert_int_equal(disk_mem_new(0, &env.disk), 0);
    assert_int_equal(disk_mkdir(env.disk, "parts"), 0);
    env.dir = "parts";
    return part_cache_create(64 << 10, &env.cache); // a few chunks only
}

static int teardown(void **state)
{
    part_cache_free(env.cache);
    disk_free(env.disk);
    return 0;
}

static struct part *build(struct fake_segment *f)
{
    const struct segment *s = fake_segment_get(f);
    next_id++;
    struct part_build_options o = { .id = next_id, .effort = next_id % 2 ? PART_YOUNG : PART_MERGED };
    struct part *p;
    struct err err;
    assert_int_equal(part_build(&env, segment_info(s)->source, &s, 1, &o, &p, &err), 0);
    fake_segment_free(f);
    return p;
}

// Plain records, many of them: `traces` traces of a few spans, three attributes.
static struct part *plain_part(uint8_t source, uint32_t rows, uint32_t traces)
{
    struct fake_segment *f = fake_segment_new(source, 0);
    for (uint32_t i = 0; i < rows; i++) {
        char text[64];
        int n = snprintf(text, sizeof text, "user-%u of %u", i * 7919 % 100000, i % 50);
        struct attr a[3] = { { STR("n"), ATTR_RECORD, value_int((int64_t)i * 3 - 5000) },
                             { STR("text"), ATTR_RECORD, value_str(str_of(text, (size_t)n)) },
                             { STR("kind"), ATTR_RECORD, value_str(i % 2 ? STR("a") : STR("bb")) } };
        struct record r = {
            .source = source, .time = 1000000 + (int64_t)i * 1000, .duration = i % 977, .name = STR("op")
        };
        uint32_t trace = i % (traces + 1); // one in traces + 1 rows has none
        r.has_trace = trace < traces;
        be64_put(r.trace, hash64_int(trace + 1));
        be64_put(r.trace + 8, trace);
        r.span = hash64_int(i + 1);
        r.attrs = a;
        r.attrs_n = 1 + i % 3;
        fake_segment_add(f, 1, 5, NULL, NULL, &r);
    }
    return build(f);
}

static void test_traces_are_found(void **state)
{
    enum { ROWS = 20000, TRACES = 3000 };
    for (int k = 0; k < 2; k++) {
        struct part *p = plain_part(k ? RECORD_LOGS : RECORD_SPANS, ROWS, TRACES);
        const struct segment *s = part_segment(p);
        struct reader *r;
        uint64_t in_traces = 0;
        assert_int_equal(reader_open(s, &r), 0);
        assert_int_equal(segment_traces(s), TRACES);
        for (uint32_t trace = 0; trace < TRACES; trace++) {
            uint8_t id[16], back[16];
            uint32_t ord;
            uint64_t first, end;
            be64_put(id, hash64_int(trace + 1));
            be64_put(id + 8, trace);
            assert_int_equal(segment_find_trace(s, id, &ord), 0);
            assert_int_equal(segment_trace(s, ord, back), 0);
            assert_memory_equal(id, back, 16);
            if (k) {
                assert_int_equal(segment_trace_rows(s, ord, &first, &end), ERR_UNSUPPORTED);
            } else {
                assert_int_equal(segment_trace_rows(s, ord, &first, &end), 0);
                assert_true(end > first);
                in_traces += end - first;
                for (uint64_t row = first; row < end; row++) {
                    struct vec v;
                    assert_int_equal(reader_seek(r, TABLE_ROWS, (uint32_t)(row / BLOCK_ROWS)), 0);
                    assert_int_equal(reader_column(r, TABLE_ROWS, COL_TRACE, &v), 0);
                    assert_int_equal(v.u32[row % BLOCK_ROWS], ord);
                }
            }
            id[trace % 16] ^= 0x40;
            assert_int_equal(segment_find_trace(s, id, &ord), ERR_NOENT);
        }
        if (!k)
            assert_int_equal(in_traces, ROWS - ROWS / (TRACES + 1));
        reader_close(r);
        part_unlink_when_unused(p);
        part_unref(p);
    }
}

static void event_id(char out[33], uint32_t n)
{
    snprintf(out, 33, "%016llx%016llx", (unsigned long long)hash64_int(n + 1), (unsigned long long)n);
}

// Of two services, so that the rows of a part are not in the order in which they came.
static struct fake_segment *events(uint32_t from, uint32_t n, uint32_t block_rows)
{
    struct fake_segment *f = fake_segment_new(RECORD_EVENTS, block_rows);
    for (uint32_t i = from; i < from + n; i++) {
        char id[33];
        event_id(id, i);
        struct attr service = { STR("service.name"), ATTR_RESOURCE, value_str(i % 3 ? STR("a") : STR("b")) };
        struct record_entity resource = { .attrs = &service, .attrs_n = 1 };
        struct attr a[3] = { { STR("title"), ATTR_FIELD, value_str(STR("t")) },
                             { STR("group"), ATTR_FIELD, value_str(i ? STR("common") : STR("rare")) },
                             { STR("event_id"), ATTR_FIELD, value_str(str_of(id, 32)) } };
        struct record r = { .source = RECORD_EVENTS, .time = 1000000 + (int64_t)i * 1000, .attrs = a };
        r.attrs_n = i % 10 ? 3 : 2; // one in ten has none
        fake_segment_add(f, 1, 5, &resource, NULL, &r);
    }
    return f;
}

static uint32_t column_of(const struct segment *s, const char *key)
{
    uint32_t column = 0;
    while (!str_eq(segment_column(s, TABLE_ROWS, column).key, str_z(key)))
        column++;
    return column;
}

// Each key leads to the blocks of its rows, and hardly ever to others.
static void assert_keys(const struct segment *s, uint32_t n)
{
    uint32_t blocks = segment_blocks(s, TABLE_ROWS), column = column_of(s, "event_id"), extra = 0, found = 0;
    uint64_t *at = calloc(n, sizeof *at), may[64];
    struct reader *r;
    assert_true(blocks <= 64);
    assert_int_equal(reader_open(s, &r), 0);
    for (uint32_t b = 0; b < blocks; b++) {
        struct vec v;
        assert_int_equal(reader_seek(r, TABLE_ROWS, b), 0);
        assert_int_equal(reader_column(r, TABLE_ROWS, COL_FIXED + column, &v), 0);
        for (uint32_t i = 0; i < v.n; i++) {
            char digits[17] = "";
            if (!vec_has(&v, i))
                continue;
            memcpy(digits, dict_get(v.dict, v.ord[i]).ptr + 16, 16);
            at[strtoul(digits, NULL, 16)] = 1ull << b;
        }
    }
    reader_close(r);
    for (uint32_t i = 0; i < 2 * n; i++) {
        char id[33];
        event_id(id, i);
        memset(may, 0, sizeof may);
        assert_int_equal(segment_find_string(s, column, str_of(id, 32), may), 0);
        uint64_t want = i < n ? at[i] : 0;
        assert_int_equal(may[0] & want, want);
        extra += (uint32_t)__builtin_popcountll(may[0] & ~want);
        found += want != 0;
    }
    assert_int_equal(found, n - (n + 9) / 10);
    assert_true(extra < n / 20);
    column = column_of(s, "group");
    memset(may, 0, sizeof may);
    assert_int_equal(segment_find_string(s, column, STR("rare"), may), 0);
    assert_int_equal(__builtin_popcountll(may[0]), 1);
    assert_int_equal(segment_find_string(s, column_of(s, "title"), STR("t"), may), ERR_UNSUPPORTED);
    free(at);
}

static void test_keys_lead_to_blocks(void **state)
{
    enum { ROWS = 30000 };
    struct part *half[2] = { build(events(0, ROWS / 2, 0)), build(events(ROWS / 2, ROWS / 2, 100)) }, *whole, *few;
    const struct segment *both[2] = { part_segment(half[0]), part_segment(half[1]) };
    struct part_build_options o = { .id = ++next_id, .effort = PART_MERGED };
    struct err err;
    assert_int_equal(part_build(&env, RECORD_EVENTS, both, 2, &o, &whole, &err), 0);
    assert_keys(part_segment(whole), ROWS);
    few = build(events(0, 40, 0)); // in the tail of its block
    assert_keys(part_segment(few), 40);
    struct part *logs = plain_part(RECORD_LOGS, 100, 3);
    uint64_t may = 0;
    assert_int_equal(segment_find_string(part_segment(logs), 1, STR("a"), &may), ERR_UNSUPPORTED);
    struct part *all[] = { half[0], half[1], whole, few, logs };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        part_unlink_when_unused(all[i]);
        part_unref(all[i]);
    }
}

static void test_ranges_hold(void **state)
{
    struct part *p = plain_part(RECORD_LOGS, 20000, 100);
    const struct segment *s = part_segment(p);
    struct reader *r;
    uint32_t known = 0;
    assert_int_equal(reader_open(s, &r), 0);
    for (uint32_t b = 0; b < segment_blocks(s, TABLE_ROWS); b++) {
        assert_int_equal(reader_seek(r, TABLE_ROWS, b), 0);
        for (uint32_t c = 0; c < COL_FIXED + segment_columns(s, TABLE_ROWS); c++) {
            struct vec v;
            int64_t min, max, lowest = INT64_MAX, highest = INT64_MIN;
            if (c == COL_OWNER || !segment_block_range(s, TABLE_ROWS, b, c, &min, &max))
                continue;
            known++;
            assert_int_equal(reader_column(r, TABLE_ROWS, c, &v), 0);
            for (uint32_t i = 0; i < v.n; i++) {
                if (!vec_has(&v, i))
                    continue;
                int64_t x = v.kind == VEC_I64 ? v.i64[i] : v.kind == VEC_U8 ? v.u8[i] : (int64_t)v.u32[i];
                lowest = x < lowest ? x : lowest;
                highest = x > highest ? x : highest;
                assert_true(!v.constant || x == lowest);
            }
            assert_int_equal(min, lowest); // exact, even
            assert_int_equal(max, highest);
        }
    }
    assert_true(known > 3 * 12);
    int64_t min, max;
    assert_false(segment_block_range(s, TABLE_ROWS, 0, COL_SPAN, &min, &max));
    assert_false(segment_block_range(s, TABLE_EVENTS, 0, COL_TIME, &min, &max));
    reader_close(r);
    part_unlink_when_unused(p);
    part_unref(p);
}

static void test_dictionaries(void **state)
{
    struct part *p = plain_part(RECORD_LOGS, 30000, 10);
    const struct segment *s = part_segment(p);
    struct reader *r;
    struct vec v;
    assert_int_equal(reader_open(s, &r), 0);
    for (uint32_t c = 0; c < segment_columns(s, TABLE_ROWS); c++) {
        struct column column = segment_column(s, TABLE_ROWS, c);
        const struct dict *d = segment_dict(s, TABLE_ROWS, COL_FIXED + c);
        assert_int_equal(reader_seek(r, TABLE_ROWS, 1), 0);
        assert_int_equal(reader_column(r, TABLE_ROWS, COL_FIXED + c, &v), 0);
        if (str_eq(column.key, STR("kind"))) {
            assert_non_null(d);
            assert_int_equal(d->n, 2);
            assert_ptr_equal(v.dict, d);
            assert_false(v.dict_is_block);
        } else if (str_eq(column.key, STR("text"))) { // hardly repeats
            assert_null(d);
            assert_true(v.dict_is_block);
        }
    }
    reader_close(r);
    part_unlink_when_unused(p);
    part_unref(p);
}

static void *read_everything(void *ctx)
{
    const struct segment *s = ctx;
    uint64_t sum = 0;
    for (int round = 0; round < 3; round++) {
        struct reader *r;
        if (reader_open(s, &r) < 0)
            return (void *)1;
        for (uint32_t b = 0; b < segment_blocks(s, TABLE_ROWS); b++) {
            if (reader_seek(r, TABLE_ROWS, b) < 0)
                return (void *)1;
            for (uint32_t c = 0; c < COL_FIXED + segment_columns(s, TABLE_ROWS); c++) {
                struct vec v;
                uint32_t ord;
                uint8_t id[16];
                if (c == COL_OWNER)
                    continue;
                if (reader_column(r, TABLE_ROWS, c, &v) < 0)
                    return (void *)1;
                sum += v.kind == VEC_STR && v.dict->n ? dict_get(v.dict, v.ord[b]).len : v.n;
                if (segment_trace(s, c * 31 % segment_traces(s), id) < 0 || segment_find_trace(s, id, &ord) < 0)
                    return (void *)1;
            }
        }
        reader_close(r);
    }
    return sum ? NULL : (void *)1;
}

static void test_threads(void **state)
{
    struct part *p = plain_part(RECORD_SPANS, 20000, 1000);
    pthread_t t[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&t[i], NULL, read_everything, (void *)(uintptr_t)part_segment(p)), 0);
    for (int i = 0; i < 4; i++) {
        void *bad;
        pthread_join(t[i], &bad);
        assert_null(bad);
    }
    struct part_cache_stats st;
    part_cache_stats(env.cache, &st);
    assert_true(st.evictions > 0);
    assert_true(st.hits > 0);
    part_unlink_when_unused(p);
    part_unref(p);
    part_cache_stats(env.cache, &st);
    assert_int_equal(st.bytes, 0);
}

static int count_files(void *ctx, str name, enum disk_kind kind)
{
    ++*(int *)ctx;
    return 0;
}

static void test_unlinked_when_unused(void **state)
{
    struct part *p = plain_part(RECORD_LOGS, 100, 3), *other = part_ref(p);
    struct reader *r;
    int files = 0;
    assert_int_equal(reader_open(part_segment(p), &r), 0);
    part_unlink_when_unused(p);
    part_unref(p);
    part_unref(other);
    assert_int_equal(disk_list(env.disk, "parts", count_files, &files), 0);
    assert_int_equal(files, 1);
    assert_int_equal(reader_seek(r, TABLE_ROWS, 0), 0); // readers go on
    reader_close(r);
    files = 0;
    assert_int_equal(disk_list(env.disk, "parts", count_files, &files), 0);
    assert_int_equal(files, 0);
}

// Row numbers have gaps then.
static void test_strings_of_many_bytes_close_a_block(void **state)
{
    struct fake_segment *f = fake_segment_new(RECORD_LOGS, 0);
    char *text = malloc(1 << 20);
    memset(text, 'x', 1 << 20);
    fake_segment_raw(f, true);
    for (uint32_t i = 0; i < 6000; i++) {
        struct record r = { .source = RECORD_LOGS, .time = i, .body = value_str(str_of(text, i < 40 ? 1 << 20 : 10)) };
        memcpy(text, &i, 4);
        fake_segment_add(f, 1, 5, NULL, NULL, &r);
    }
    free(text);
    struct part *p = build(f);
    const struct segment *s = part_segment(p);
    struct reader *r;
    uint64_t rows = 0;
    int64_t last = -1;
    assert_true(segment_blocks(s, TABLE_ROWS) >= 3);
    assert_int_equal(reader_open(s, &r), 0);
    for (uint32_t b = 0; b < segment_blocks(s, TABLE_ROWS); b++) {
        struct vec time;
        assert_int_equal(reader_seek(r, TABLE_ROWS, b), 0);
        assert_int_equal(reader_column(r, TABLE_ROWS, COL_TIME, &time), 0);
        rows += segment_block_rows(s, TABLE_ROWS, b);
        for (uint32_t i = 0; i < time.n; i++)
            assert_int_equal(time.i64[i], ++last);
    }
    assert_int_equal(rows, 6000);
    reader_close(r);
    // And such blocks, with the gaps in their row numbers, are inputs like others.
    struct part_build_options o = { .id = next_id++ };
    struct part *again;
    struct err err;
    assert_int_equal(part_build(&env, RECORD_LOGS, &s, 1, &o, &again, &err), 0);
    assert_int_equal(segment_info(part_segment(again))->rows, 6000);
    part_unlink_when_unused(again);
    part_unref(again);
    part_unlink_when_unused(p);
    part_unref(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_traces_are_found),
        cmocka_unit_test(test_keys_lead_to_blocks),
        cmocka_unit_test(test_ranges_hold),
        cmocka_unit_test(test_dictionaries),
        cmocka_unit_test(test_unlinked_when_unused),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_strings_of_many_bytes_close_a_block),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
