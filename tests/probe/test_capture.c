// A capture as the target writes it and as the agent reads it: whole, short of room, redacted, damaged.
#include "base/buf.h"
#include "base/json.h"
#include "probe/capture.h"
#include "probe/probe.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct probe_space space;
static uint8_t mem[1 << 16];
static const struct probe_value_limits roomy = { .depth = 10, .items = 1000, .string = 512 };
static const str none;
static struct buf text;

static bool begin(struct probe_capture *c, size_t cap, const struct probe_policy *policy)
{
    struct probe_capture_start start = { .slot = 3,
                                         .revision = 77, // what the back end tells it by: the probe knows its own
                                         .time_ns = 1767225600000000001,
                                         .thread = 77,
                                         .thread_name = STR("worker"),
                                         .trace = (const uint8_t *)"0123456789abcdef",
                                         .span = (const uint8_t *)"01234567" };
    return probe_capture_begin(c, mem, cap, &start, &roomy, policy, &space);
}

static bool begin_reported(struct probe_capture *c, enum probe_reporter reporter)
{
    struct probe_capture_start start = { .reporter = reporter };
    return probe_capture_begin(c, mem, 4096, &start, &roomy, NULL, &space);
}

static int json_of(bytes record)
{
    static const struct probe_program exprs[] = { { .text = STR_INIT("a.b") }, { .text = STR_INIT("c") } };
    struct probe probe;
    struct arena arena;
    struct json_writer w;
    int rc;
    probe_defaults(&probe, PROBE_SNAPSHOT);
    probe.id = STR("p3"), probe.revision = 2;
    probe.exprs = exprs;
    probe.n_exprs = 2;
    arena_init(&arena, 8 << 20);
    buf_free(&text);
    buf_init(&text, 16 << 20);
    json_writer_init(&w, &text);
    rc = probe_capture_json(record, &probe, &arena, &w);
    if (rc < 0)
        assert_int_equal(text.len, 0);
    buf_byte(&text, 0);
    arena_free(&arena);
    return rc;
}

static void whole(void **state)
{
    struct probe_capture c;
    size_t n;
    assert_true(begin(&c, 4096, NULL));
    assert_true(probe_capture_frame(&c, STR("inner"), STR("app.py"), 12, STR("app"), true));
    assert_true(probe_capture_frame(&c, STR("outer"), STR("lib.py"), 3, none, false));
    probe_capture_frames_cut(&c, 4);
    assert_true(probe_capture_expr(&c, 1, none));
    probe_value_int(&c.w, none, 9);
    probe_capture_expr_error(&c, 0, STR("no field b"));
    assert_true(probe_capture_exception(&c, STR("ValueError"), STR("bad card 4111111111111111")));
    probe_value_null(&c.w, none);
    assert_true(probe_capture_return(&c));
    probe_value_bool(&c.w, none, true);
    probe_capture_log(&c, STR("hello"));
    assert_true(probe_capture_var(&c, 0, PROBE_VAR_ARG, STR("x")));
    assert_true(probe_value_open(&c.w, PROBE_VALUE_LIST, none, 5, 0));
    assert_true(probe_capture_var(&c, 1, PROBE_VAR_CLOSURE, STR("y"))); // closes what was left open
    assert_false(probe_value_open(&c.w, PROBE_VALUE_LIST, none, 5, 0));
    assert_false(probe_capture_var(&c, 2, PROBE_VAR_ARG, STR("z"))); // no such frame
    n = probe_capture_end(&c, 1500, 99, 6);
    assert_int_equal(json_of(bytes_of(mem, n)), 0);
    assert_string_equal(
        (char *)text.ptr,
        "{\"probe\":\"p3\",\"revision\":2,\"kind\":\"snapshot\",\"time\":\"2026-01-01T00:00:00.000000001Z\","
        "\"thread\":{\"id\":77,\"name\":\"worker\"},\"trace\":\"30313233343536373839616263646566\","
        "\"span\":\"3031323334353637\",\"function\":\"inner\",\"file\":\"app.py\",\"line\":12,\"frames\":["
        "{\"function\":\"inner\",\"file\":\"app.py\",\"line\":12,\"module\":\"app\",\"in_app\":true,\"vars\":["
        "{\"name\":\"x\",\"kind\":\"arg\",\"value\":{\"k\":\"list\",\"n\":0,\"id\":1,\"i\":[]}}]},"
        "{\"function\":\"outer\",\"file\":\"lib.py\",\"line\":3,\"in_app\":false,\"vars\":["
        "{\"name\":\"y\",\"kind\":\"closure\",\"value\":{\"k\":\"ref\",\"v\":1}}]}],\"frames_cut\":4,"
        "\"exprs\":[{\"text\":\"a.b\",\"error\":\"no field b\"},{\"text\":\"c\",\"value\":{\"k\":\"int\",\"v\":9}}],"
        "\"return\":{\"k\":\"bool\",\"v\":true},\"exception\":{\"type\":\"ValueError\",\"value\":{\"k\":\"null\"},"
        "\"message\":\"bad card ****************\"},\"duration_ns\":99,\"log\":{\"level\":\"info\",\"body\":\"hello\"},"
        "\"cost_ns\":1500,\"bytes\":257,\"redacted\":1,\"dropped_before\":6}");
    // Whatever is missing at the end is an error, and nothing is written.
    for (size_t k = 0; k < n; k++)
        assert_true(json_of(bytes_of(mem, k)) < 0);
}

// Who makes an event of an exception is told with it.
static void reporter(void **state)
{
    static const struct {
        enum probe_reporter who;
        const char *said;
    } cases[] = { { PROBE_REPORTER_UNKNOWN, NULL },
                  { PROBE_REPORTER_NONE, "},\"reporter\":\"none\"," },
                  { PROBE_REPORTER_SENTRY, "},\"reporter\":\"sentry\"," } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct probe_capture c;
        assert_true(begin_reported(&c, cases[i].who));
        assert_true(probe_capture_exception(&c, STR("E"), STR("wrong")));
        probe_value_null(&c.w, none);
        size_t n = probe_capture_end(&c, 0, -1, 0);
        assert_int_equal(json_of(bytes_of(mem, n)), 0);
        assert_int_equal(strstr((char *)text.ptr, "reporter") != NULL, cases[i].said != NULL);
        assert_true(!cases[i].said || strstr((char *)text.ptr, cases[i].said));
    }
}

// A message is made of its parts; what shows only in the whole is taken away, too.
static void message(void **state)
{
    static const struct probe_program exprs[] = { { .text = STR_INIT("a") } };
    static const struct probe_part parts[] = {
        { .text = STR_INIT("n ") },
        { .is_expr = true, .expr = { .text = STR_INIT("n") } },
        { .text = STR_INIT(", Authorization: Bearer ") },
        { .is_expr = true, .expr = { .text = STR_INIT("t") } },
        { .is_expr = true, .expr = { .text = STR_INIT("gone") } },
        { .is_expr = true, .expr = { .text = STR_INIT("lost") } },
    };
    struct probe probe;
    struct probe_capture c;
    struct arena arena;
    struct json_writer w;
    assert_true(begin(&c, 4096, NULL));
    assert_true(probe_capture_frame(&c, STR("f"), STR("app.py"), 1, none, true));
    assert_true(probe_capture_expr(&c, 0, none));
    probe_value_bool(&c.w, none, true);
    assert_true(probe_capture_expr(&c, 1, none));
    probe_value_int(&c.w, none, 42);
    assert_true(probe_capture_expr(&c, 2, none));
    probe_value_text(&c.w, PROBE_VALUE_STR, none, STR("abcdefgh12345678ijklmnop"), 0);
    probe_capture_expr_error(&c, 3, STR("`gone` is missing"));
    size_t n = probe_capture_end(&c, 1, -1, 0);
    probe_defaults(&probe, PROBE_LOG);
    probe.id = STR("p3"), probe.exprs = exprs, probe.n_exprs = 1;
    probe.has_log = true, probe.log.parts = parts, probe.log.n_parts = 6;
    arena_init(&arena, 8 << 20);
    buf_free(&text);
    buf_init(&text, 1 << 20);
    json_writer_init(&w, &text);
    assert_int_equal(probe_capture_json(bytes_of(mem, n), &probe, &arena, &w), 0);
    buf_byte(&text, 0);
    arena_free(&arena);
    assert_non_null(strstr((char *)text.ptr, "\"exprs\":[{\"text\":\"a\",\"value\":{\"k\":\"bool\",\"v\":true}}],"));
    assert_non_null(
        strstr((char *)text.ptr,
               "\"body\":\"n 42, Authorization: *******************************<`gone` is missing><bytes>\""));
    assert_non_null(strstr((char *)text.ptr, "\"redacted\":1,"));
}

// A log line, a message and an argument that hold what was redacted elsewhere.
static void aliases_across_sections(void **state)
{
    struct probe_capture c;
    size_t n;
    assert_true(begin(&c, 4096, NULL));
    assert_true(probe_capture_frame(&c, STR("login"), STR("app.py"), 1, none, true));
    probe_capture_log(&c, STR("trying hunter2"));
    assert_true(probe_capture_exception(&c, STR("E"), STR("wrong: hunter2")));
    probe_value_text(&c.w, PROBE_VALUE_STR, none, STR("hunter2"), 0);
    assert_true(probe_capture_expr(&c, 0, STR("password"))); // req.password
    probe_value_text(&c.w, PROBE_VALUE_STR, none, STR("hunter2"), 0);
    assert_true(probe_capture_var(&c, 0, PROBE_VAR_LOCAL, STR("p")));
    probe_value_text(&c.w, PROBE_VALUE_STR, none, STR("hunter2"), 0);
    n = probe_capture_end(&c, 0, -1, 0);
    assert_null(memmem(mem, n, "hunter2", 7));
    assert_int_equal(json_of(bytes_of(mem, n)), 0);
    assert_non_null(strstr((char *)text.ptr, "\"body\":\"trying *******\""));
    assert_non_null(strstr((char *)text.ptr, "\"why\":\"redacted\",\"rule\":\"alias\""));
    assert_non_null(strstr((char *)text.ptr, "\"redacted\":5"));
}

static void policies(void **state)
{
    struct buf block;
    struct err err;
    struct probe_policy p;
    struct probe_capture c;
    str file = STR("*/vault.py");
    struct probe_policy_spec files = { .files = &file, .n_files = 1 }, shapes = { .shapes = true };
    size_t n;
    buf_init(&block, 1 << 16);
    assert_int_equal(probe_policy_compile(&files, 12, &block, &err), 0);
    assert_true(probe_policy_verify(&p, buf_bytes(&block)));
    assert_true(begin(&c, 4096, &p));
    assert_true(probe_capture_frame(&c, STR("f"), STR("/srv/vault.py"), 1, none, true));
    assert_true(probe_capture_var(&c, 0, PROBE_VAR_LOCAL, STR("x")));
    probe_value_int(&c.w, none, 5);
    n = probe_capture_end(&c, 0, -1, 0);
    {
        struct probe_capture_head h;
        assert_int_equal(probe_capture_head(bytes_of(mem, n), &h), 0);
        assert_int_equal(h.policy_generation, 12);
    }
    assert_int_equal(json_of(bytes_of(mem, n)), 0);
    assert_non_null(strstr((char *)text.ptr, "\"rule\":\"policy_file\""));
    buf_clear(&block);
    assert_int_equal(probe_policy_compile(&shapes, 13, &block, &err), 0);
    assert_true(probe_policy_verify(&p, buf_bytes(&block)));
    assert_true(begin(&c, 4096, &p));
    probe_capture_log(&c, STR("private"));
    assert_true(probe_capture_exception(&c, STR("E"), STR("private")));
    probe_value_text(&c.w, PROBE_VALUE_STR, none, STR("private"), 0);
    probe_capture_metric(&c, 3);
    n = probe_capture_end(&c, 0, -1, 0);
    assert_null(memmem(mem, n, "private", 7));
    assert_int_equal(json_of(bytes_of(mem, n)), 0);
    assert_non_null(strstr((char *)text.ptr, "\"value\":{\"k\":\"str\",\"n\":7}"));
    buf_free(&block);
}

// What a name means is remembered from capture to capture, and asked anew when the policy is another.
static void names(void **state)
{
    struct buf block;
    struct err err;
    struct probe_policy p;
    struct probe_capture c;
    str name = STR("margin");
    struct probe_policy_spec specs[] = { { .shapes = false }, { .names = &name, .n_names = 1 }, { .shapes = false } };
    for (uint32_t round = 0; round < 8; round++) {
        const struct probe_policy_spec *spec = &specs[round / 2 % 3];
        bool secret = spec->n_names > 0;
        buf_init(&block, 1 << 16);
        assert_int_equal(probe_policy_compile(spec, 20 + round / 2, &block, &err), 0);
        assert_true(probe_policy_verify(&p, buf_bytes(&block)));
        assert_true(begin(&c, 4096, round < 6 ? &p : NULL));
        assert_true(probe_capture_frame(&c, STR("f"), STR("app.py"), 1, none, true));
        static const char *const plain[] = {
            "a", "ab", "abc", "total", "customer", "a_name_of_more_than_thirty_letters"
        };
        for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++) {
            assert_true(probe_capture_var(&c, 0, PROBE_VAR_LOCAL, str_z(plain[i])));
            probe_value_int(&c.w, none, 71 + (int)i);
        }
        assert_true(probe_capture_var(&c, 0, PROBE_VAR_LOCAL, STR("password")));
        probe_value_int(&c.w, none, 61);
        assert_true(probe_capture_var(&c, 0, PROBE_VAR_LOCAL, name));
        probe_value_int(&c.w, none, 62);
        assert_int_equal(json_of(bytes_of(mem, probe_capture_end(&c, 0, -1, 0))), 0);
        assert_non_null(strstr((char *)text.ptr, "\"v\":71"));
        assert_non_null(strstr((char *)text.ptr, "\"v\":76"));
        assert_null(strstr((char *)text.ptr, "\"v\":61"));
        assert_int_equal(strstr((char *)text.ptr, "\"v\":62") == NULL, secret && round < 6);
        assert_int_equal(strstr((char *)text.ptr, "policy_name") != NULL, secret && round < 6);
        buf_free(&block);
    }
}

// With any room the record is well-formed, and says that something is missing.
static void any_room(void **state)
{
    size_t enough = 0; // room that was not used up
    for (size_t cap = 3000; cap-- > 0;) {
        struct probe_capture c;
        size_t n;
        if (!begin(&c, cap, NULL)) {
            assert_true(cap < PROBE_CAPTURE_MIN);
            continue;
        }
        memset(mem + cap, 0xa5, 8);
        for (uint32_t i = 0; i < 10; i++)
            probe_capture_frame(&c, STR("a_function"), STR("some/file.py"), i, STR("some.module"), true);
        for (uint32_t i = 0; i < 20; i++)
            if (probe_capture_var(&c, i % 10, PROBE_VAR_LOCAL, STR("a_variable")) && i % 3)
                probe_value_text(&c.w, PROBE_VALUE_STR, none,
                                 STR("some text that is longer than the room that is left for it"), 0);
        probe_capture_log(&c, STR("and a line of a log"));
        n = probe_capture_end(&c, 0, -1, 0);
        assert_true(n <= cap);
        assert_int_equal(mem[cap], 0xa5);
        assert_int_equal(json_of(bytes_of(mem, n)), 0);
        if (cap == 2999)
            enough = n;
        if (cap < enough || cap > enough + 64) // between them is room that is kept back
            assert_int_equal(strstr((char *)text.ptr, "\"cut\":\"bytes\"") != NULL, cap < enough);
    }
}

// A name that was made ready before writes what it writes otherwise, whatever is open, wherever the room ends.
static void named(void **state)
{
    static const struct {
        enum probe_var_kind kind;
        const char *name;
    } vars[] = { { PROBE_VAR_ARG, "n" },
                 { PROBE_VAR_LOCAL, "password" },
                 { PROBE_VAR_CLOSURE, "gr\xc3\xb6\xc3\x9f"
                                      "e" },
                 { PROBE_VAR_LOCAL, "a_name_that_is_just_short_enough_to_be_kept_" } };
    enum { VARS = sizeof vars / sizeof *vars, MANY = 40 };
    static uint8_t plain[4096];
    struct probe_capture_name names[VARS];
    struct probe_capture c;
    for (size_t cap = PROBE_CAPTURE_MIN; cap < 3000; cap++) {
        size_t n[2];
        for (int kept = 0; kept < 2; kept++) {
            assert_true(begin(&c, cap, NULL));
            memset(mem + cap, 0xa5, 8);
            probe_capture_frame(&c, STR("inner"), STR("app.py"), 12, none, true);
            probe_capture_frame(&c, STR("outer"), STR("lib.py"), 3, none, true);
            for (uint32_t i = 0; i < MANY; i++) {
                str name = str_z(vars[i % VARS].name);
                if (kept)
                    assert_true(probe_capture_name(&c, vars[i % VARS].kind, name, &names[i % VARS]));
                if (!(kept ? probe_capture_named(&c, i % 3, &names[i % VARS])
                           : probe_capture_var(&c, i % 3, vars[i % VARS].kind, name)))
                    continue;
                if (i % 5 == 0) // and is left open
                    probe_value_open(&c.w, PROBE_VALUE_LIST, none, i + 1, 2);
                else if (i % 5 != 1)
                    probe_value_text(&c.w, PROBE_VALUE_STR, none, STR("some text"), 0);
            }
            n[kept] = probe_capture_end(&c, 0, -1, 0);
            assert_true(n[kept] <= cap);
            assert_int_equal(mem[cap], 0xa5);
            if (!kept)
                memcpy(plain, mem, n[0]);
        }
        assert_int_equal(n[0], n[1]);
        assert_memory_equal(plain, mem, n[0]);
        assert_int_equal(json_of(bytes_of(mem, n[1])), 0);
    }
    assert_non_null(strstr((char *)text.ptr, "\"name\":\"password\",\"kind\":\"local\",\"value\":{\"k\":\"missing\","));
    assert_false(
        probe_capture_name(&c, PROBE_VAR_LOCAL, STR("a_name_that_is_a_little_too_long_to_be_kept_x"), &names[0]));
}

static void metric(void **state)
{
    struct probe_capture c;
    double value = 0;
    size_t n;
    assert_true(begin(&c, 4096, NULL));
    probe_capture_metric(&c, 2.5);
    n = probe_capture_end(&c, 0, -1, 0);
    assert_int_equal(probe_capture_metric_value(bytes_of(mem, n), &value), 0);
    assert_true(value == 2.5);
    assert_true(begin(&c, 4096, NULL));
    n = probe_capture_end(&c, 0, -1, 0);
    assert_int_equal(probe_capture_metric_value(bytes_of(mem, n), &value), ERR_NOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),    cmocka_unit_test(reporter),
        cmocka_unit_test(message),  cmocka_unit_test(aliases_across_sections),
        cmocka_unit_test(policies), cmocka_unit_test(names),
        cmocka_unit_test(any_room), cmocka_unit_test(metric),
        cmocka_unit_test(named),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_free(&text);
    return rc;
}
