// Conditions, captured expressions and messages, evaluated inside real processes on every interpreter of this machine. The variables are
// such that whoever asks them anything is counted.
#include "base/buf.h"
#include "order_test.h"
#include "probe/code.h"

static struct arena arena;

static struct probe_program program(const char *text, bool condition) { return program_of(&arena, text, condition); }

static struct probe order_probe(void)
{
    struct probe p = line_probe(line_of("done = even"));
    p.where.file = STR("victim_order.py");
    p.scope.service = STR("shop");
    p.rate = 0;
    return p;
}

static void take_away(struct victim *v, struct attachment *a)
{
    detach(a);
    hear_restored(v);
    assert_int_equal(v->called, 0);
    assert_int_equal(v->same, 1);
    end(v);
    arena_reset(&arena);
}

static void test_condition(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = order_probe();
        p.has_condition = true;
        p.condition = program("i % 10 == 3 && !even && customer.name == \"Zo\u00eb\" && customer.kind == 'new'"
                              " && any(items, x => x['price'] > 60 and x['sku'] matches '^A-')",
                              true);
        place(a, &p);
        UNTIL(&v, a, seen.n >= 3 && seen.filtered >= 20);
        for (size_t k = 0; k < seen.n; k++) {
            const char *at =
                strstr(seen.captures[k], "\"name\":\"i\",\"kind\":\"arg\",\"value\":{\"k\":\"int\",\"v\":");
            assert_non_null(at);
            assert_int_equal(atoi(strstr(at, "\"v\":") + 4) % 10, 3);
        }
        assert_int_equal(seen.errors, 0);
        assert_true(seen.hits >= seen.filtered + seen.captured);
        take_away(&v, a);
    }
}

// The hit condition counts the hits whose condition was true.
static void test_hit_condition(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = order_probe();
        p.has_condition = true;
        p.condition = program("even", true);
        p.hit_op = PROBE_HIT_EVERY, p.hit_n = 3;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 3 && seen.captured >= 3);
        int before = 0;
        for (size_t k = 0; k < 3; k++) {
            int n = atoi(strstr(strstr(seen.captures[k], "\"name\":\"i\""), "\"v\":") + 4);
            assert_int_equal(n % 2, 0);
            assert_true(!before || n == before + 6);
            before = n;
        }
        take_away(&v, a);
    }
}

struct want {
    const char *text, *has;
};

static void test_captured(void **state)
{
    static const struct want wants[] = {
        { "len(items)", "\"value\":{\"k\":\"int\",\"v\":2}" },
        { "items[-1].sku", "\"error\":\"`items[-1].sku` is missing\"" },
        { "items[-1]['sku']", "\"v\":\"B-2\"" },
        { "items[1][7]", "\"v\":\"seven\"" },
        { "items[1]['\u00e4\u20ac']", "\"value\":{\"k\":\"int\",\"v\":1}" },
        { "items[5]", "\"error\":\"`items[5]` is beyond the end\"" },
        { "map(items, x => x['price'])", "\"v\":\"60.5\"" },
        { "max(items, x => x['price'])", "\"v\":\"60.5\"" },
        { "filter(items, x => x['price'] == 40)", "\"v\":\"B-2\"" },
        { "customer.computed", "\"error\":\"`customer.computed` cannot be read\"" },
        { "customer.nothing", "\"error\":\"`customer.nothing` is missing\"" },
        { "customer?.nothing == null", "\"v\":true" },
        { "keys(customer)", "\"v\":\"name\"" },
        { "slots.left + 1", "\"value\":{\"k\":\"int\",\"v\":12}" },
        { "keys(slots)", "\"v\":\"right\"" },
        { "trap['total']", "\"error\":\"`trap['total']` is missing\"" },
        { "trap['more']", "\"value\":{\"k\":\"int\",\"v\":3}" },
        { "'total' in trap", "\"v\":false" },
        { "sly == 'sly' && len(sly) == 3", "\"v\":true" },
        { "login['password']", "\"error\":\"`login['password']` is redacted\"" },
        { "any(login, x => x == 'hunter')", "is redacted" },
        { "card", "\"error\":\"`card` is redacted\"" },
        { "starts(card, '4')", "\"error\":\"`card` is redacted\"" },
        { "poison.inside", "\"v\":\"seen\"" },
        { "type(poison)", "\"v\":\"Poison\"" },
        { "poison == poison", "\"v\":true" },
        { "huge", "\"v\":\"0x100000000000000000000\"" },
        { "huge > 1e20", "\"v\":true" },
        { "LIMIT", "\"value\":{\"k\":\"int\",\"v\":250}" },
        { "Status.kind", "\"v\":\"new\"" },
        { "@static(Status).kind", "\"v\":\"new\"" },
        { "datetime.MAXYEAR", "\"v\":9999" },
        { "done", "\"error\":\"`done` has no value yet\"" },
        { "elsewhere", "\"error\":\"`elsewhere` is not in scope here\"" },
        { "@hit", "\"k\":\"int\"" },
        { "@thread", "\"v\":\"MainThread\"" },
        { "@service", "\"v\":\"shop\"" },
        { "@trace.id", "\"k\":\"" },
        { "@return", "\"error\":\"`@return` is not in scope here\"" },
        { "changed(i)", "\"k\":\"bool\"" },
    };
    enum { N = sizeof wants / sizeof wants[0] };
    struct probe_program exprs[N];
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = order_probe();
        for (size_t k = 0; k < N; k++)
            exprs[k] = program(wants[k].text, false);
        p.exprs = exprs, p.n_exprs = N, p.frames_vars = 0;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 2 && seen.first_error[0]);
        for (size_t k = 0; k < N; k++) {
            char text[512];
            struct buf quoted;
            struct json_writer w;
            buf_init(&quoted, sizeof text);
            json_writer_init(&w, &quoted);
            json_put_str(&w, str_z(wants[k].text));
            snprintf(text, sizeof text, "{\"text\":%.*s,", (int)quoted.len, (char *)quoted.ptr);
            buf_free(&quoted);
            const char *at = strstr(seen.captures[1], text), *stop = at ? strstr(at + 1, "{\"text\":") : NULL;
            if (!at)
                print_message("# no %s in %s\n", text, seen.captures[1]);
            assert_non_null(at);
            char *one = strndup(at, stop ? (size_t)(stop - at) : strlen(at));
            has(one, wants[k].has);
            free(one);
        }
        has_not(seen.captures[0], "hunter2");
        has_not(seen.captures[0], "4111");
        assert_string_equal(seen.first_error, "`items[-1].sku` is missing");
        assert_true(seen.errors > 0);
        take_away(&v, a);
    }
}

static void test_callers(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("return here"));
        struct probe_program exprs[] = { program("@frame(1).ids_seen", false), program("@trace.id", false),
                                         program("@span.id", false) };
        p.exprs = exprs, p.n_exprs = 3, p.frames_vars = 0;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        const char *ids = strstr(strstr(seen.captures[0], "@frame(1).ids_seen"), "\"v\":\"") + 5;
        char want[80];
        snprintf(want, sizeof want, "\"text\":\"@trace.id\",\"value\":{\"k\":\"str\",\"v\":\"%.32s\"}", ids);
        has(seen.captures[0], want);
        snprintf(want, sizeof want, "\"text\":\"@span.id\",\"value\":{\"k\":\"str\",\"v\":\"%.16s\"}", ids + 33);
        has(seen.captures[0], want);
        take_away(&v, a);
    }
}

static void test_message(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = order_probe();
        static const char *const texts[] = { "customer.name", "map(items, x => x['price'])", "slots", "login",
                                             "customer.no" };
        struct probe_part parts[2 * 5 + 1] = { 0 };
        for (size_t k = 0; k < 5; k++) {
            parts[2 * k].text = k ? STR(" | ") : STR("order of ");
            parts[2 * k + 1] = (struct probe_part){ .is_expr = true, .expr = program(texts[k], false) };
        }
        parts[10].text = STR(".");
        p.kind = PROBE_LOG, p.has_log = true;
        p.log.level = PROBE_WARN;
        p.log.parts = parts, p.log.n_parts = 11;
        p.frames = 1, p.frames_vars = 0;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        has(seen.captures[0], "\"kind\":\"log\"");
        has(seen.captures[0],
            "\"log\":{\"level\":\"warn\",\"body\":\"order of Zo\u00eb | [60.5, 40] | Slots{left: 11, right: "
            "\\\"slot\\\"} | {\\\"password\\\": <redacted>} | <`customer.no` is missing>.\"}");
        take_away(&v, a);
    }
}

// What always fails filters, is counted, and says why.
static void test_failing(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = order_probe();
        p.has_condition = true;
        p.condition = program("customer.nothing.x > 1", true);
        place(a, &p);
        UNTIL(&v, a, seen.errors >= 10 && seen.first_error[0]);
        assert_string_equal(seen.first_error, "`customer.nothing` is missing");
        assert_int_equal(seen.n, 0);
        assert_true(seen.filtered >= seen.errors);
        take_away(&v, a);
    }
}

// A host that shows types and sizes alone: no value leaves it, nor can a condition find one out.
static void test_shapes(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach_with(&v, true);
        struct probe p = order_probe();
        struct probe_program exprs[] = { program("i > 0", false), program("customer.name", false),
                                         program("type(customer)", false), program("customer == null", false) };
        p.exprs = exprs, p.n_exprs = 4;
        place(a, &p);
        UNTIL(&v, a, seen.n >= 1);
        has(seen.captures[0], "\"error\":\"`i` is redacted\"");
        has(seen.captures[0], "\"error\":\"`customer.name` is redacted\"");
        has(seen.captures[0], "\"name\":\"i\",\"kind\":\"arg\",\"value\":{\"k\":\"int\"}");
        has_not(seen.captures[0], "Zo");
        has_not(seen.captures[0], "60.5");
        take_away(&v, a);
    }
}

static void test_bad_code(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], NULL);
        struct attachment *a = attach(&v);
        struct probe p = order_probe();
        p.has_condition = true;
        p.condition = program("even", true);
        ((uint8_t *)(uintptr_t)p.condition.code.ptr)[PROBE_CODE_HEADER] = 0xff;
        place(a, &p);
        assert_string_equal(seen.state, "error");
        assert_string_equal(seen.code, "code_invalid");
        take_away(&v, a);
    }
}

// Ten million hits a second, all of them filtered: suspended all the same.
static void test_hot_condition(void **state)
{
    for (size_t i = 0; i < python_count; i++) {
        struct victim v = start(pythons[i], "hot");
        struct attachment *a = attach(&v);
        struct probe p = line_probe(line_of("x = i + 1"));
        p.has_condition = true;
        p.condition = program("i == -1", true);
        place(a, &p);
        UNTIL(&v, a, strcmp(seen.state, "suspended") == 0);
        assert_string_equal(seen.code, "budget");
        assert_int_equal(seen.n, 0);
        take_away(&v, a);
    }
}

int main(void)
{
    pythons_find();
    arena_init(&arena, 16 << 20);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_condition), cmocka_unit_test(test_hit_condition), cmocka_unit_test(test_captured),
        cmocka_unit_test(test_callers),   cmocka_unit_test(test_message),       cmocka_unit_test(test_failing),
        cmocka_unit_test(test_bad_code),  cmocka_unit_test(test_shapes),        cmocka_unit_test(test_hot_condition),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    arena_free(&arena);
    pythons_free();
    return rc;
}
