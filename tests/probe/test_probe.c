// The model of a probe: what is read is written and read again the same; everything has its limit.
#include "base/buf.h"
#include "probe/probe.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct arena arena;
static struct buf text;

static int read_one(const char *json, struct probe *p, struct err *err)
{
    arena_reset(&arena);
    return probe_read(str_z(json), &arena, p, err);
}

static const char *written(const struct probe *p)
{
    struct json_writer w;
    buf_free(&text);
    buf_init(&text, 1 << 20);
    json_writer_init(&w, &text);
    probe_write(&w, p);
    buf_byte(&text, 0);
    assert_int_equal(text.error, 0);
    return (const char *)text.ptr;
}

static const char full[] =
    "{\"id\":\"p3\",\"revision\":2,\"kind\":\"log\",\"where\":{\"file\":\"app/pricing.py\",\"line\":87,\"column\":4},"
    "\"match\":\"exact\",\"source_hash\":\"ab\",\"line_hash\":\"cd\",\"function\":\"total\","
    "\"if\":{\"text\":\"a > 1\",\"tree\":{\"op\":\">\",\"of\":[1,2]},\"code\":\"AQID\"},\"hit\":\"%10\",\"sample\":0.5,"
    "\"keep\":\"trace_slow\",\"keep_ms\":200,\"frames\":1,\"frames_vars\":0,\"depth\":2,\"items\":5,\"string\":100,"
    "\"bytes\":2048,\"hits\":7,\"locals\":false,\"args\":true,\"exprs\":[{\"text\":\"a\"}],"
    "\"log\":{\"level\":\"warn\",\"template\":\"a {b}\",\"parts\":[{\"text\":\"a "
    "\"},{\"expr\":{\"text\":\"b\",\"code\":\"AA==\"}}]},"
    "\"metric\":{\"kind\":\"gauge\",\"name\":\"m\",\"value\":{\"text\":\"v\"},\"by\":{\"route\":{\"text\":\"r\"}}},"
    "\"scope\":{\"service\":\"shop\",\"pid\":12,\"processes\":[\"1-2\",\"3-4\"],\"instances\":\"25%\"},"
    "\"expires\":\"2026-01-01T00:00:00.000000000Z\",\"grant\":3,\"rate\":2,\"burst\":9,\"paused\":true,\"count_only\":"
    "true}";

static void round_trip(void **state)
{
    struct probe p;
    struct err err;
    assert_int_equal(read_one(full, &p, &err), 0);
    assert_string_equal(written(&p), full);
    assert_int_equal(p.where.kind, PROBE_AT_LINE);
    assert_int_equal(p.condition.code.len, 3);
    assert_int_equal(p.hit_op, PROBE_HIT_EVERY);
    assert_int_equal(p.scope.spread, PROBE_ON_PERCENT);
    for (size_t n = 0; n < sizeof(full) - 1; n++)
        assert_true(probe_read(str_of(full, n), &arena, &p, NULL) < 0);
}

static void defaults(void **state)
{
    struct probe p;
    assert_int_equal(
        read_one("{\"id\":\"p\",\"kind\":\"snapshot\",\"where\":{\"function\":\"f\"},\"newer\":[{}]}", &p, NULL), 0);
    assert_int_equal(p.frames, 30);
    assert_int_equal(p.depth, 3);
    assert_int_equal(p.items, 50);
    assert_int_equal(p.string, 512);
    assert_int_equal(p.bytes, 128 * 1024);
    assert_int_equal(p.hits, 20);
    assert_int_equal(p.burst, 5);
    assert_true(p.rate == 1 && p.sample == 1 && p.locals && p.args);
    assert_int_equal(p.where.kind, PROBE_AT_FUNCTION);
    assert_int_equal(p.grant, 0); // nothing may be taken before it is granted
    probe_defaults(&p, PROBE_LOG);
    assert_true(p.rate == 50 && p.burst == 200);
}

static void refused(void **state)
{
    static const struct {
        const char *member, *place;
    } bad[] = {
        { "\"kind\":\"snap\"", "kind" },
        { "\"depth\":11", "depth" },
        { "\"depth\":-1", "depth" },
        { "\"depth\":1.5", "depth" },
        { "\"depth\":\"3\"", "depth" },
        { "\"frames\":129", "frames" },
        { "\"frames_vars\":17", "frames_vars" },
        { "\"items\":1001", "items" },
        { "\"string\":65537", "string" },
        { "\"bytes\":1048577", "bytes" },
        { "\"bytes\":0", "bytes" },
        { "\"hits\":10001", "hits" },
        { "\"sample\":1.1", "sample" },
        { "\"hit\":\"=3\"", "hit" },
        { "\"hit\":\"%0\"", "hit" },
        { "\"where\":{\"line\":3}", "where" },
        { "\"where\":{\"file\":\"a\",\"line\":0}", "line" },
        { "\"where\":{\"function\":\"f\\u0000\"}", "function" },
        { "\"if\":\"a\"", "if" },
        { "\"if\":{\"code\":\"!\"}", "code" },
        { "\"exprs\":[1]", "exprs" },
        { "\"kind\":\"log\"", "log" },
        { "\"kind\":\"metric\"", "metric" },
        { "\"kind\":\"exception\"", "where" },
        { "\"scope\":{\"instances\":\"101%\"}", "instances" },
        { "\"scope\":{\"instances\":0}", "instances" },
        { "\"expires\":\"soon\"", "expires" },
        { "\"locals\":1", "locals" },
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct probe p = { .revision = 77 };
        struct err err = { 0 };
        char json[400];
        snprintf(json, sizeof(json), "{\"id\":\"p\",\"kind\":\"snapshot\",\"where\":{\"function\":\"f\"},%s}",
                 bad[i].member);
        if (read_one(json, &p, &err) == 0 || strcmp(err.place, bad[i].place) != 0)
            fail_msg("%s: %s", bad[i].member, err.place);
        assert_string_equal(err.slug, "invalid_probe");
        assert_int_equal(p.revision, 77);
    }
}

static void words(void **state)
{
    enum probe_state s;
    for (unsigned i = 0; i < PROBE_STATES; i++) {
        assert_true(probe_state_of(probe_state_name(i), &s));
        assert_int_equal(s, i);
    }
    assert_false(probe_state_of(STR("nonsense"), &s));
    assert_int_equal(probe_state_name(PROBE_STATES).len, 0);
    for (size_t i = 0; probe_code_at(i); i++) {
        const struct probe_code_text *c = probe_code_at(i);
        assert_ptr_equal(probe_code_text(c->code), c); // none stands twice
        assert_true(c->message.len && c->hint.len);
    }
    assert_null(probe_code_text(STR("nonsense")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip),
        cmocka_unit_test(defaults),
        cmocka_unit_test(refused),
        cmocka_unit_test(words),
    };
    int rc;
    arena_init(&arena, 8 << 20);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    buf_free(&text);
    arena_free(&arena);
    return rc;
}
