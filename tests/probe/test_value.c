// Values written without allocation: what comes back, what is cut and why, and that it is well-formed wherever it ends.
#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/must.h"
#include "probe/redact.h"
#include "probe/value.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct probe_space space;
static uint8_t mem[1 << 16];
static const struct probe_value_limits roomy = { .depth = 10, .items = 1000, .string = 65536 };
static const str none;

static struct probe_value_writer begin(size_t cap, const struct probe_value_limits *limits)
{
    struct probe_value_writer w;
    probe_value_begin(&w, mem, cap, limits, NULL, &space);
    assert_true(probe_value_root(&w, none));
    return w;
}

static struct buf text;
static void expect(struct probe_value_writer *w, const char *json)
{
    static uint8_t any[8192], twice[8192];
    struct json_writer out;
    size_t n;
    bytes b;
    probe_value_finish(w);
    b = bytes_of(mem, probe_value_size(w));
    memset(any, 0, sizeof(any));
    memset(twice, 0, sizeof(twice));
    buf_free(&text);
    buf_init(&text, 1 << 20);
    json_writer_init(&out, &text);
    assert_int_equal(probe_value_ids(b, any, twice, &n), 0);
    assert_int_equal(n, b.len);
    assert_int_equal(probe_value_json(b, twice, &out, &n), 0);
    assert_int_equal(n, b.len);
    buf_byte(&text, 0);
    assert_string_equal((char *)text.ptr, json);
}

static void scalars(void **state)
{
    struct probe_value_writer w = begin(1000, &roomy);
    probe_value_int(&w, none, -5);
    expect(&w, "{\"k\":\"int\",\"v\":-5}");
    w = begin(1000, &roomy);
    probe_value_int(&w, none, INT64_MIN);
    expect(&w, "{\"k\":\"int\",\"v\":\"-9223372036854775808\"}");
    w = begin(1000, &roomy);
    probe_value_int(&w, none, 9007199254740993);
    expect(&w, "{\"k\":\"int\",\"v\":\"9007199254740993\"}");
    w = begin(1000, &roomy);
    probe_value_float(&w, STR("Decimal"), 1.5);
    expect(&w, "{\"k\":\"float\",\"t\":\"Decimal\",\"v\":1.5}");
    w = begin(1000, &roomy);
    probe_value_text(&w, PROBE_VALUE_BIG, none, STR("123456789012345678901234567890"), 0);
    expect(&w, "{\"k\":\"int\",\"v\":\"123456789012345678901234567890\"}");
    w = begin(1000, &roomy);
    probe_value_text(&w, PROBE_VALUE_BYTES, none, STR("\xff\0a"), 0);
    expect(&w, "{\"k\":\"bytes\",\"v\":\"/wBh\"}");
    w = begin(1000, &roomy);
    probe_value_bool(&w, none, true);
    expect(&w, "{\"k\":\"bool\",\"v\":true}");
    w = begin(1000, &roomy);
    probe_value_null(&w, STR("NoneType"));
    expect(&w, "{\"k\":\"null\",\"t\":\"NoneType\"}");
    w = begin(1000, &roomy);
    probe_value_missing(&w, PROBE_WHY_OPTIMIZED_OUT, none, -1);
    expect(&w, "{\"k\":\"missing\",\"why\":\"optimized_out\"}");
}

static void says(struct probe_value_writer *w, const char *want)
{
    struct buf out;
    probe_value_finish(w);
    buf_init(&out, 4096);
    assert_int_equal(probe_value_say(bytes_of(mem, probe_value_size(w)), &out), 0);
    buf_byte(&out, 0);
    assert_string_equal((char *)out.ptr, want);
    buf_free(&out);
}

// In messages.
static void for_people(void **state)
{
    struct probe_value_writer w = begin(1000, &roomy);
    probe_value_text(&w, PROBE_VALUE_STR, none, STR("a \"text\""), 0);
    says(&w, "a \"text\"");
    w = begin(1000, &roomy);
    probe_value_missing(&w, PROBE_WHY_DEPTH, none, -1);
    says(&w, "<depth>");
    w = begin(1000, &(struct probe_value_limits){ .depth = 10, .items = 2, .string = 3 });
    assert_true(probe_value_open(&w, PROBE_VALUE_OBJECT, STR("Order"), 1, -1));
    assert_true(probe_value_field(&w, STR("id")));
    probe_value_int(&w, none, 7);
    assert_true(probe_value_field(&w, STR("by")));
    assert_true(probe_value_open(&w, PROBE_VALUE_DICT, none, 2, -1));
    assert_true(probe_value_entry(&w));
    probe_value_text(&w, PROBE_VALUE_STR, none, STR("na\"me"), 0);
    assert_true(probe_value_open(&w, PROBE_VALUE_TUPLE, none, 3, -1));
    assert_true(probe_value_item(&w));
    probe_value_null(&w, none);
    assert_true(probe_value_item(&w));
    probe_value_float(&w, none, 1.5);
    assert_false(probe_value_item(&w));
    probe_value_close(&w);
    assert_true(probe_value_entry(&w));
    probe_value_text(&w, PROBE_VALUE_STR, none, STR("pin"), 0);
    probe_value_int(&w, none, 1234);
    probe_value_close(&w);
    probe_value_close(&w);
    says(&w, "Order{id: 7, by: {\"na\\\"\"...: (null, 1.5, ...), \"pin\": <redacted>}}");
    struct buf small;
    buf_init(&small, 4);
    assert_int_equal(probe_value_say(bytes_of(mem, probe_value_size(&w)), &small), ERR_LIMIT);
    buf_free(&small);
}

static void nested(void **state)
{
    struct probe_value_writer w = begin(1000, &roomy);
    assert_true(probe_value_open(&w, PROBE_VALUE_OBJECT, STR("Order"), 1, 2));
    assert_true(probe_value_field(&w, STR("total")));
    probe_value_int(&w, none, 7);
    assert_true(probe_value_field(&w, STR("by")));
    assert_true(probe_value_open(&w, PROBE_VALUE_DICT, none, 2, 1));
    assert_true(probe_value_entry(&w));
    assert_true(probe_value_open(&w, PROBE_VALUE_TUPLE, none, 3, 1)); // a key that is a container
    assert_true(probe_value_item(&w));
    probe_value_int(&w, none, 1);
    probe_value_close(&w);
    probe_value_bool(&w, none, false);
    probe_value_close(&w);
    probe_value_close(&w);
    expect(&w, "{\"k\":\"object\",\"t\":\"Order\",\"n\":2,\"f\":[[\"total\",{\"k\":\"int\",\"v\":7}],[\"by\","
               "{\"k\":\"dict\",\"n\":1,\"e\":[[{\"k\":\"tuple\",\"n\":1,\"i\":[{\"k\":\"int\",\"v\":1}]},"
               "{\"k\":\"bool\",\"v\":false}]]}]]}");
}

static void identity(void **state)
{
    struct probe_value_writer w = begin(1000, &roomy);
    assert_true(probe_value_open(&w, PROBE_VALUE_LIST, none, 10, 2));
    assert_true(probe_value_item(&w));
    assert_true(probe_value_open(&w, PROBE_VALUE_LIST, none, 11, 1));
    assert_true(probe_value_item(&w));
    assert_false(probe_value_open(&w, PROBE_VALUE_LIST, none, 10, 2)); // a cycle
    probe_value_close(&w);
    assert_true(probe_value_item(&w));
    assert_false(probe_value_open(&w, PROBE_VALUE_LIST, none, 11, 1)); // an alias
    probe_value_close(&w);
    expect(&w,
           "{\"k\":\"list\",\"n\":2,\"id\":1,\"i\":[{\"k\":\"list\",\"n\":1,\"id\":2,\"i\":[{\"k\":\"ref\",\"v\":1}]},"
           "{\"k\":\"ref\",\"v\":2}]}");
}

// An object that was met deep down and cut there is shown better where it is met higher up.
static void met_higher_up(void **state)
{
    struct probe_value_limits limits = { .depth = 2, .items = 10, .string = 10 };
    struct probe_value_writer w = begin(1000, &limits);
    assert_true(probe_value_open(&w, PROBE_VALUE_LIST, none, 1, 1));
    assert_true(probe_value_item(&w));
    assert_true(probe_value_open(&w, PROBE_VALUE_LIST, none, 2, 1));
    assert_true(probe_value_item(&w));
    assert_false(probe_value_open(&w, PROBE_VALUE_LIST, none, 3, 4)); // too deep
    probe_value_close(&w);
    probe_value_close(&w);
    assert_true(probe_value_root(&w, none));
    assert_true(probe_value_open(&w, PROBE_VALUE_LIST, none, 2, 1));
    assert_true(probe_value_item(&w));
    assert_true(probe_value_open(&w, PROBE_VALUE_LIST, none, 3, 0));
    probe_value_close(&w);
    probe_value_close(&w);
    assert_true(probe_value_root(&w, none));
    assert_false(probe_value_open(&w, PROBE_VALUE_LIST, none, 2, 1)); // now whole: a reference
    probe_value_finish(&w);
    assert_int_equal(w.redacted, 0);
}

static void limits(void **state)
{
    struct probe_value_limits small = { .depth = 1, .items = 2, .string = 4 };
    struct probe_value_writer w = begin(1000, &small);
    assert_true(probe_value_open(&w, PROBE_VALUE_LIST, none, 0, 3));
    assert_true(probe_value_item(&w));
    probe_value_text(&w, PROBE_VALUE_STR, none, STR("ab\xc3\xa9\xc3\xa9"), 4); // not through a character
    assert_true(probe_value_item(&w));
    assert_false(probe_value_open(&w, PROBE_VALUE_DICT, STR("dict"), 0, 9));
    assert_false(probe_value_item(&w));
    probe_value_close(&w);
    expect(&w, "{\"k\":\"list\",\"n\":3,\"i\":[{\"k\":\"str\",\"n\":4,\"v\":\"ab\xc3\xa9\",\"cut\":\"bytes\"},"
               "{\"k\":\"missing\",\"t\":\"dict\",\"n\":9,\"why\":\"depth\"}],\"cut\":\"items\"}");
    w = begin(1000, &roomy);
    assert_true(probe_value_open(&w, PROBE_VALUE_OBJECT, none, 0, -1));
    assert_true(probe_value_field(&w, STR("a")));
    probe_value_stop(&w, PROBE_WHY_TIME);
    probe_value_int(&w, none, 1);
    assert_false(probe_value_field(&w, STR("b")));
    probe_value_close(&w);
    expect(&w, "{\"k\":\"object\",\"f\":[[\"a\",{\"k\":\"missing\",\"why\":\"time\"}]],\"cut\":\"time\"}");
}

static void wide(void **state)
{
    static const uint16_t two[] = { 'a', 0xe9, 0x20ac, 0xd83d, 0xde00, 0xd800 };
    static const uint32_t four[] = { 0x1f600, 'x' };
    struct probe_value_writer w = begin(1000, &roomy);
    probe_value_wide(&w, none, two, 2, 6);
    expect(&w, "{\"k\":\"str\",\"v\":\"a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd\"}");
    w = begin(1000, &roomy);
    probe_value_wide(&w, STR("S"), four, 4, 2);
    expect(&w, "{\"k\":\"str\",\"t\":\"S\",\"v\":\"\xf0\x9f\x98\x80x\"}");
    w = begin(1000, &roomy);
    probe_value_wide(&w, none, "caf\xe9", 1, 4);
    expect(&w, "{\"k\":\"str\",\"v\":\"caf\xc3\xa9\"}");
}

// ---- any walk, any room ----

static uint64_t seed;
static uint32_t pick(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % n;
}

static void random_value(struct probe_value_writer *w, unsigned deep)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789 \xc3\xa9";
    static const str types[] = { STR_INIT(""), STR_INIT("a.B"), STR_INIT("some.module.with.a.LongerName") };
    str type = types[pick(3)];
    unsigned what = pick(deep > 12 ? 7 : 14), n = pick(8);
    enum probe_value_kind kind = PROBE_VALUE_LIST + pick(5);
    switch (what) {
    case 0:
        probe_value_null(w, type);
        return;
    case 1:
        probe_value_int(w, type, (int64_t)(seed >> pick(64)));
        return;
    case 2:
        probe_value_float(w, type, pick(100) / 7.0);
        return;
    case 3:
        probe_value_wide(w, type, letters, 1u << pick(3), pick(9));
        return;
    case 4:
        probe_value_missing(w, PROBE_WHY_UNREADABLE, type, pick(9));
        return;
    case 5: // a mistake of the walker: nothing is written
        return;
    case 6:
        probe_value_text(w, PROBE_VALUE_STR + pick(2), type, str_of(letters, pick(sizeof(letters))), 0);
        return;
    }
    if (!probe_value_open(w, kind, type, pick(20), pick(2) ? (int64_t)n : -1))
        return;
    for (unsigned i = 0; i < n; i++) {
        static const str names[] = { STR_INIT("id"), STR_INIT("password"), STR_INIT("a_long_name_of_a_field") };
        if (kind == PROBE_VALUE_OBJECT ? !probe_value_field(w, names[pick(3)])
            : kind == PROBE_VALUE_DICT ? !probe_value_entry(w)
                                       : !probe_value_item(w))
            break;
        random_value(w, deep + 1);
        if (kind == PROBE_VALUE_DICT)
            random_value(w, deep + 1);
    }
    if (pick(20) == 0)
        probe_value_cut(w, PROBE_WHY_UNREADABLE);
    if (pick(20)) // else left to an outer close
        probe_value_close(w);
}

static void well_formed_wherever_it_ends(void **state)
{
    for (unsigned round = 0; round < 40000; round++) {
        struct probe_value_limits l = { .depth = pick(12), .items = 1 + pick(10), .string = pick(40) };
        size_t cap = pick(4) ? pick(300) : pick(4000), size;
        struct probe_value_reader r;
        struct probe_value_writer w;
        unsigned roots = 0;
        seed = round * 77 + 1;
        memset(mem + cap, 0xa5, 16);
        probe_value_begin(&w, mem, cap, &l, NULL, &space);
        for (unsigned i = 0; i < 3 && probe_value_root(&w, pick(5) ? none : STR("token")); i++) {
            random_value(&w, 0);
            if (pick(50) == 0)
                probe_value_stop(&w, PROBE_WHY_TIME);
            probe_value_finish(&w);
            roots++;
        }
        size = probe_value_size(&w);
        assert_true(size <= cap);
        for (unsigned i = 0; i < 16; i++)
            assert_int_equal(mem[cap + i], 0xa5);
        for (unsigned pass = 0; pass < 2; pass++) { // and again when the sweep has been over it
            size_t at = 0;
            for (unsigned i = 0; i < roots; i++) {
                probe_value_reader_init(&r, bytes_of(mem + at, size - at));
                assert_int_equal(probe_value_skip(&r), 0);
                if (!pass)
                    probe_redact_sweep(&space, mem + at, (size_t)(r.p - r.start));
                at += (size_t)(r.p - r.start);
                while (pass && i + 1 == roots && at < size && mem[at] == PROBE_VALUE_PAD)
                    at++;
            }
            assert_int_equal(at, size);
        }
    }
}

static void hostile_bytes_end_in_errors(void **state)
{
    for (unsigned round = 0; round < 40000; round++) {
        struct probe_value_writer w;
        struct probe_value_reader r;
        size_t n;
        seed = round * 131 + 7;
        probe_value_begin(&w, mem, 600, &roomy, NULL, &space);
        probe_value_root(&w, none);
        random_value(&w, 0);
        probe_value_finish(&w);
        n = probe_value_size(&w);
        if (round & 1)
            n = pick((uint32_t)n + 1);
        else
            for (unsigned i = 0; i < 3; i++)
                mem[pick((uint32_t)n)] = (uint8_t)pick(256);
        probe_value_reader_init(&r, bytes_of(mem, n));
        probe_value_skip(&r);
        assert_true(r.p <= mem + n);
        probe_redact_sweep(&space, mem, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars),
        cmocka_unit_test(for_people),
        cmocka_unit_test(nested),
        cmocka_unit_test(identity),
        cmocka_unit_test(met_higher_up),
        cmocka_unit_test(limits),
        cmocka_unit_test(wide),
        cmocka_unit_test(well_formed_wherever_it_ends),
        cmocka_unit_test(hostile_bytes_end_in_errors),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_free(&text);
    return rc;
}
