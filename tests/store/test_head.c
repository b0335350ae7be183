// What goes into a lane comes out of its segment, also through the log.
#include "base/must.h"
#include "dump_rows.h"
#include "fake_segment.h"
#include "records.h"
#include "store/head.h"
#include "store/log_block.h"
#include "store/log_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
// cmocka.h needs the two above
#include <cmocka.h>

// store_write.c's, which this test does without: a generation by hand.
static struct generation *one_lane(struct lane *l)
{
    struct generation *g = generation_new(1, 1);
    assert_non_null(g);
    g->lane[0] = l;
    struct lane_marks m;
    lane_marks_get(l, &m);
    lane_commit(l, &m);
    return g;
}

static void dump_segment(const struct segment *s, bool by_rows, struct buf *out)
{
    struct reader *r;
    assert_int_equal(reader_open(s, &r), 0);
    for (uint32_t b = 0; b < segment_blocks(s, TABLE_ROWS); b++) {
        assert_int_equal(reader_seek(r, TABLE_ROWS, b), 0);
        for (uint32_t i = 0; i < segment_block_rows(s, TABLE_ROWS, b); i++)
            assert_int_equal(dump_row(r, b, i, by_rows, out), 0);
    }
    reader_close(r);
}

static void assert_same_rows(struct generation *g, unsigned source, struct fake_segment *f)
{
    int e;
    struct segment *head = head_segment_new(g, 0, source, &e);
    struct buf a, b, c;
    buf_init(&a, SIZE_MAX / 4);
    buf_init(&b, SIZE_MAX / 4);
    buf_init(&c, SIZE_MAX / 4);
    if (head) {
        dump_segment(head, false, &a);
        dump_segment(head, true, &c);
    }
    dump_segment(fake_segment_get(f), false, &b);
    assert_int_equal(a.error | b.error | c.error, 0);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.ptr ? a.ptr : (void *)"", b.ptr ? b.ptr : (void *)"", a.len);
    assert_int_equal(a.len, c.len);
    assert_memory_equal(a.ptr ? a.ptr : (void *)"", c.ptr ? c.ptr : (void *)"", a.len);
    buf_free(&a);
    buf_free(&b);
    buf_free(&c);
    head_segment_free(head);
}

struct filled {
    struct lane *lane, *replayed;
    struct fake_segment *model[RECORD_SOURCES];
};

// Random batches, some taken back, each kept one logged and replayed into a second lane.
static void fill(struct filled *f, struct record_maker *m, int batches, int rows)
{
    f->lane = lane_new();
    f->replayed = lane_new();
    for (unsigned s = 0; s < RECORD_SOURCES; s++)
        f->model[s] = fake_segment_new((uint8_t)s, 0);
    struct buf block;
    buf_init(&block, LOG_BLOCK_MAX);
    for (int k = 0; k < batches; k++) {
        struct lane_section sec = { .project = (uint32_t)k % 3, .received = 1000 + k };
        struct lane_marks from, to;
        bool keep = record_maker_next(m, 5) != 0;
        lane_marks_get(f->lane, &from);
        int n = (int)record_maker_next(m, (uint64_t)rows) + 1;
        struct record_entity resource = { 0 }, scope = { 0 };
        for (int i = 0; i < n; i++) {
            if (i % 10 == 0) {
                resource = record_maker_resource(m);
                scope = record_maker_scope(m);
                assert_int_equal(lane_intern_entity(f->lane, &f->lane->resources, &resource, &sec.resource), 0);
                assert_int_equal(lane_intern_entity(f->lane, &f->lane->scopes, &scope, &sec.scope), 0);
            }
            struct record r = record_maker_record(m, (unsigned)record_maker_next(m, 3));
            assert_int_equal(lane_append(f->lane, &sec, &r), 0);
            if (keep)
                fake_segment_add(f->model[r.source], sec.project, sec.received, &resource, &scope, &r);
        }
        if (!keep) {
            lane_rollback(f->lane, &from);
            record_maker_reset(m);
            continue;
        }
        lane_marks_get(f->lane, &to);
        assert_int_equal(log_block_encode(&block, f->lane, &sec, &from, &to), 0);
        log_block_seal(&block, (struct log_block_header){ .received = sec.received });
        struct log_block_header h;
        assert_int_equal(log_block_open(buf_bytes(&block), &h), 0);
        uint64_t replayed = 0;
        assert_int_equal(log_block_apply(f->replayed, buf_bytes(&block), &h, &replayed), 0);
        assert_int_equal(replayed, n);
        buf_clear(&block);
        record_maker_reset(m);
    }
    buf_free(&block);
}

static void check_and_free(struct filled *f)
{
    struct generation *a = one_lane(f->lane), *b = one_lane(f->replayed);
    for (unsigned s = 0; s < RECORD_SOURCES; s++) {
        assert_same_rows(a, s, f->model[s]);
        assert_same_rows(b, s, f->model[s]);
        fake_segment_free(f->model[s]);
    }
    generation_unref(a);
    generation_unref(b);
}

static void test_random_records(void **state)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct record_maker m;
        record_maker_init(&m, seed);
        struct filled f;
        fill(&f, &m, 12, 60);
        check_and_free(&f);
        record_maker_free(&m);
    }
}

// More rows than a block, and so many attributes that blocks close early: row numbers of events must fit.
static void test_blocks(void **state)
{
    struct record_maker m;
    record_maker_init(&m, 77);
    struct filled f;
    fill(&f, &m, 8, 5000);
    check_and_free(&f);
    record_maker_free(&m);
}

// Values that never repeat: dictionaries give up looking, nothing else changes.
static void test_raw_dictionary(void **state)
{
    struct head_heap heap = { 0 };
    struct head_dict d = { 0 };
    char text[32];
    uint32_t ord;
    for (int i = 0; i < 60000; i++) {
        int n = snprintf(text, sizeof text, "request-%d", i);
        assert_int_equal(head_dict_intern(&d, &heap, (str){ text, (size_t)n }, &ord), 0);
        assert_true(str_eq(dict_get(&d.d, ord), (str){ text, (size_t)n }));
    }
    assert_true(d.raw);
    assert_int_equal(head_dict_intern(&d, &heap, STR("again"), &ord), 0);
    assert_true(str_eq(dict_get(&d.d, ord), STR("again")));
    head_dict_free(&d);
    head_heap_free(&heap);
}

static struct value string_at(struct generation *g, const char *key, uint8_t type, struct reader **ret_r)
{
    int e;
    struct segment *s = head_segment_new(g, 0, RECORD_SPANS, &e);
    assert_int_equal(reader_open(s, ret_r), 0);
    assert_int_equal(reader_seek(*ret_r, TABLE_ROWS, 0), 0);
    for (uint32_t i = 0; i < segment_columns(s, TABLE_ROWS); i++) {
        struct column c = segment_column(s, TABLE_ROWS, i);
        struct vec v;
        if (!str_eq(c.key, str_z(key)) || c.type != type)
            continue;
        assert_int_equal(reader_column(*ret_r, TABLE_ROWS, COL_FIXED + i, &v), 0);
        if (vec_has(&v, 0))
            return (struct value){ .type = type, .s = dict_get(v.dict, v.ord[0]) };
    }
    return (struct value){ 0 };
}

static void test_repeated_key_keeps_the_last(void **state)
{
    struct lane *l = lane_new();
    struct lane_section sec = { 0 };
    struct record_entity none = { 0 };
    lane_intern_entity(l, &l->resources, &none, &sec.resource);
    lane_intern_entity(l, &l->scopes, &none, &sec.scope);
    struct attr a[] = { { STR("k"), ATTR_RECORD, value_str(STR("first")) },
                        { STR("k"), ATTR_RECORD, value_str(STR("last")) } };
    struct record r = { .attrs = a, .attrs_n = 2 };
    assert_int_equal(lane_append(l, &sec, &r), 0);
    struct generation *g = one_lane(l);
    struct reader *reader;
    struct value v = string_at(g, "k", VALUE_STR, &reader);
    assert_true(str_eq(v.s, STR("last")));
    struct segment *s = (struct segment *)(uintptr_t)reader->segment;
    reader_close(reader);
    head_segment_free(s);
    generation_unref(g);
}

// A million distinct keys must not make a million columns: the rest goes to one map.
static void test_overflow_keys(void **state)
{
    struct lane *l = lane_new();
    struct lane_section sec = { 0 };
    struct record_entity none = { 0 };
    lane_intern_entity(l, &l->resources, &none, &sec.resource);
    lane_intern_entity(l, &l->scopes, &none, &sec.scope);
    char key[32];
    for (int i = 0; i < HEAD_COLUMNS_MAX + 500; i++) {
        struct attr a[] = { { { key, (size_t)snprintf(key, sizeof key, "k%d", i) }, ATTR_RECORD, value_int(i) },
                            { STR("same"), ATTR_RECORD, value_int(1) } };
        struct record r = { .attrs = a, .attrs_n = 2 };
        assert_int_equal(lane_append(l, &sec, &r), 0);
    }
    struct lane_table *t = &l->source[RECORD_SPANS]->table[TABLE_ROWS];
    assert_true(t->columns_n <= HEAD_COLUMNS_MAX + 1);
    uint32_t col;
    assert_int_equal(lane_column_intern(l, t, OVERFLOW_KEY, ATTR_RECORD, VALUE_MAP, &col), 0);
    str last = dict_get(&t->columns[col]->dict.d, t->columns[col]->dict.d.n - 1);
    struct value map = { .type = VALUE_MAP, .s = last }, v;
    struct value_reader vr;
    uint64_t n;
    str k;
    assert_int_equal(value_open(&map, &vr, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(value_read_key(&vr, &k), 0);
    assert_int_equal(value_read(&vr, &v), 0);
    assert_true(str_eq(k, (str){ key, strlen(key) }) && v.type == VALUE_INT && v.i == HEAD_COLUMNS_MAX + 499);
    lane_free(l);
}

// Mutated blocks with a good checksum (as a bug or an enemy with a CRC tool would make them) are refused
// or read as something, but never read or written out of bounds.
static void test_hostile_blocks(void **state)
{
    struct record_maker m;
    record_maker_init(&m, 5);
    struct lane *l = lane_new();
    struct lane_section sec = { .received = 7 };
    struct lane_marks from, to;
    lane_marks_get(l, &from);
    struct record_entity resource = record_maker_resource(&m), scope = record_maker_scope(&m);
    lane_intern_entity(l, &l->resources, &resource, &sec.resource);
    lane_intern_entity(l, &l->scopes, &scope, &sec.scope);
    for (int i = 0; i < 30; i++) {
        struct record r = record_maker_record(&m, (unsigned)record_maker_next(&m, 3));
        assert_int_equal(lane_append(l, &sec, &r), 0);
    }
    lane_marks_get(l, &to);
    struct buf block;
    buf_init(&block, LOG_BLOCK_MAX);
    assert_int_equal(log_block_encode(&block, l, &sec, &from, &to), 0);
    uint8_t *copy = mem_dup(block.ptr, block.len);
    for (int round = 0; round < 150; round++) {
        memcpy(block.ptr, copy, block.len);
        for (uint64_t k = record_maker_next(&m, 4) + 1; k; k--)
            block.ptr[LOG_BLOCK_HEADER + record_maker_next(&m, block.len - LOG_BLOCK_HEADER)] =
                (uint8_t)record_maker_next(&m, 256);
        log_block_seal(&block, (struct log_block_header){ 0 });
        struct log_block_header h;
        assert_int_equal(log_block_open(buf_bytes(&block), &h), 0);
        struct lane *victim = lane_new();
        uint64_t rows = 0;
        log_block_apply(victim, buf_bytes(&block), &h, &rows);
        lane_free(victim);
    }
    mem_free(copy);
    buf_free(&block);
    lane_free(l);
    record_maker_free(&m);
}

static void test_allocation_failures(void **state)
{
    struct record_maker m;
    record_maker_init(&m, 9);
    struct record_entity resource = record_maker_resource(&m), scope = record_maker_scope(&m);
    struct record r[20];
    for (int i = 0; i < 20; i++)
        r[i] = record_maker_record(&m, (unsigned)i % 3);
    for (int64_t nth = 1;; nth++) {
        mem_fail_at(nth);
        struct lane *l = lane_new();
        struct lane_section sec = { 0 };
        int e = l ? 0 : ERR_NOMEM;
        if (e == 0 && (e = lane_intern_entity(l, &l->resources, &resource, &sec.resource)) == 0)
            e = lane_intern_entity(l, &l->scopes, &scope, &sec.scope);
        for (int i = 0; i < 20 && e == 0; i++)
            e = lane_append(l, &sec, &r[i]);
        bool reached = mem_fail_count() >= nth;
        mem_fail_at(0);
        lane_free(l);
        if (!reached) {
            assert_int_equal(e, 0);
            break;
        }
        assert_int_equal(e, ERR_NOMEM);
    }
    record_maker_free(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_records),      cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_raw_dictionary),      cmocka_unit_test(test_repeated_key_keeps_the_last),
        cmocka_unit_test(test_overflow_keys),       cmocka_unit_test(test_hostile_blocks),
        cmocka_unit_test(test_allocation_failures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
