// What is sensitive, by name, by content and by policy; and that it is gone under other names, too.
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "probe/redact.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static const str none;

static void names(void **state)
{
    static const char *const secret[] = { "password",
                                          "Password",
                                          "userPassword",
                                          "DB_PASSWD",
                                          "api_key",
                                          "API-Key",
                                          "apiKey",
                                          "x-api-key",
                                          "APIKey",
                                          "access_token",
                                          "accessToken",
                                          "token",
                                          "TOKEN",
                                          "authToken",
                                          "Authorization",
                                          "proxy-authorization",
                                          "set_cookie",
                                          "client_secret",
                                          "AWS_SECRET_ACCESS_KEY",
                                          "pwd",
                                          "user.pwd",
                                          "card_cvv",
                                          "privateKey",
                                          "sessionid",
                                          "JWT",
                                          "userJWT",
                                          "otp2",
                                          "pin" };
    static const char *const plain[] = { "order",       "tokenizer", "pinned",  "spin",     "author",
                                         "authored_by", "compass",   "passage", "bypass",   "cotp",
                                         "key",         "public_id", "pandas",  "japan",    "session",
                                         "secre",       "passwor",   "",        "keyboard", "_" };
    for (size_t i = 0; i < sizeof(secret) / sizeof(*secret); i++)
        if (probe_redact_name(NULL, str_z(secret[i])) != PROBE_RULE_NAME)
            fail_msg("%s passes", secret[i]);
    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
        if (probe_redact_name(NULL, str_z(plain[i])) != PROBE_RULE_NONE)
            fail_msg("%s is taken away", plain[i]);
}

static void detects(const char *text, enum probe_rule rule, const char *what)
{
    size_t start = 0, end = 0;
    enum probe_rule found = probe_redact_text(NULL, str_z(text), 0, &start, &end);
    if (found != rule)
        fail_msg("%s: %d", text, found);
    if (rule && !str_eq(str_of(text + start, end - start), str_z(what)))
        fail_msg("%s: found %.*s", text, (int)(end - start), text + start);
}

static void contents(void **state)
{
#define JWT "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
    detects("a " JWT " b", PROBE_RULE_JWT, JWT);
    detects("4111 1111 1111 1111", PROBE_RULE_CARD, "4111 1111 1111 1111");
    detects("paid with 5555-5555-5555-4444.", PROBE_RULE_CARD, "5555-5555-5555-4444");
    detects("378282246310005", PROBE_RULE_CARD, "378282246310005");
    detects("4111111111111112", 0, "");  // Luhn
    detects("1764372159000", 0, "");     // a time in ms
    detects("a4111111111111111", 0, ""); // part of an id
    detects("94111111111111111", 0, ""); // longer number
    detects("x AKIAIOSFODNN7EXAMPLE y", PROBE_RULE_KEY, "AKIAIOSFODNN7EXAMPLE");
    detects("ghp_abcdefghijklmnopqrstuvwxyz0123456789", PROBE_RULE_KEY, "ghp_abcdefghijklmnopqrstuvwxyz0123456789");
    detects("xoxb-1234567890-abcdef", PROBE_RULE_KEY, "xoxb-1234567890-abcdef");
    detects("https://hooks.slack.com/services/T0000/B000/XXXX", PROBE_RULE_KEY,
            "hooks.slack.com/services/T0000/B000/XXXX");
    detects("Authorization: Bearer abc.def-123456789", PROBE_RULE_BEARER, "Bearer abc.def-123456789");
    detects("Basic dXNlcjpwYXNzd29yZA==", PROBE_RULE_BEARER, "Basic dXNlcjpwYXNzd29yZA==");
    detects("basic authentication is on", 0, "");
    detects("postgres://app:hunter2@db:5432/x", PROBE_RULE_URL, "hunter2");
    detects("http://localhost:8000/a@b", 0, "");
    detects("k=-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nrest", PROBE_RULE_PRIVATE_KEY,
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----");
    detects("-----BEGIN PUBLIC KEY-----", 0, "");
    detects("the quick brown fox", 0, "");
    assert_int_equal(probe_redact_int(NULL, 4111111111111111), PROBE_RULE_CARD);
    assert_int_equal(probe_redact_int(NULL, 4111111111111112), 0);
    assert_int_equal(probe_redact_int(NULL, INT64_MIN), 0);
    assert_int_equal(probe_redact_int(NULL, 1764372159000000000), 0);
    {
        char line[] = "card 4111111111111111 and 4111111111111111";
        assert_int_equal(probe_redact_line(NULL, line, sizeof(line) - 1), 2);
        assert_string_equal(line, "card **************** and ****************");
    }
}

static struct probe_policy policy_of(const char *json, struct buf *block)
{
    struct arena arena;
    struct probe_policy_spec spec;
    struct probe_policy p;
    struct err err;
    arena_init(&arena, 1 << 20);
    assert_int_equal(probe_policy_read(str_z(json), &arena, &spec, &err), 0);
    buf_init(block, 1 << 20);
    assert_int_equal(probe_policy_compile(&spec, 7, block, &err), 0);
    arena_free(&arena);
    assert_true(probe_policy_verify(&p, buf_bytes(block)));
    assert_int_equal(p.generation, 7);
    return p;
}

static void policies(void **state)
{
    struct buf block;
    struct probe_policy p =
        policy_of("{\"names\":[\"Customer_*\",\"*iban\",\"*mid*\"],\"allow\":[\"token_count\",\"csrf*\"],"
                  "\"types\":[\"app.models.Card\",\"*Secret\"],\"files\":[\"*/vault/*\"]}",
                  &block);
    assert_int_equal(probe_redact_name(&p, STR("customer-name")), PROBE_RULE_CUSTOM_NAME);
    assert_int_equal(probe_redact_name(&p, STR("theIBAN")), PROBE_RULE_CUSTOM_NAME);
    assert_int_equal(probe_redact_name(&p, STR("amida")), PROBE_RULE_CUSTOM_NAME);
    assert_int_equal(probe_redact_name(&p, STR("tokenCount")), PROBE_RULE_NONE);
    assert_int_equal(probe_redact_name(&p, STR("csrf_token")), PROBE_RULE_NONE);
    assert_int_equal(probe_redact_name(&p, STR("token")), PROBE_RULE_NAME);
    assert_int_equal(probe_redact_type(&p, STR("app.models.Card")), PROBE_RULE_CUSTOM_TYPE);
    assert_int_equal(probe_redact_type(&p, STR("app.models.Cards")), PROBE_RULE_NONE);
    assert_int_equal(probe_redact_type(&p, STR("VerySecret")), PROBE_RULE_CUSTOM_TYPE);
    assert_int_equal(probe_redact_file(&p, STR("/srv/vault/x.py")), PROBE_RULE_CUSTOM_FILE);
    assert_int_equal(probe_redact_file(&p, STR("/srv/x.py")), PROBE_RULE_NONE);
    assert_false(probe_policy_shapes(&p));
    // Anything that is not the whole block is refused.
    for (size_t n = 0; n < block.len; n++) {
        struct probe_policy q = { .generation = 99 };
        assert_false(probe_policy_verify(&q, bytes_of(block.ptr, n)));
        assert_int_equal(q.generation, 99);
    }
    buf_free(&block);
    p = policy_of("{\"detectors\":false}", &block);
    assert_int_equal(probe_redact_int(&p, 4111111111111111), 0);
    buf_free(&block);
}

static void bad_policies(void **state)
{
    static const char *const bad[] = { "[]", "{\"name\":[]}", "{\"names\":\"x\"}", "{\"names\":[1]}",
                                       "{\"shapes\":1}" };
    static const char *const patterns[] = { "", "*", "_", "a*b", "**" };
    struct arena arena;
    struct probe_policy_spec spec;
    struct err err;
    struct buf block;
    arena_init(&arena, 1 << 20);
    buf_init(&block, 1 << 20);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_true(probe_policy_read(str_z(bad[i]), &arena, &spec, &err) < 0);
    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
        str name = str_z(patterns[i]);
        struct probe_policy_spec s = { .names = &name, .n_names = 1 };
        assert_true(probe_policy_compile(&s, 1, &block, &err) < 0);
        assert_int_equal(block.len, 0);
    }
    buf_free(&block);
    arena_free(&arena);
}

// ---- aliases ----

static struct probe_space space;
static uint8_t mem[1 << 20];
static const struct probe_value_limits roomy = { .depth = 10, .items = 1000, .string = 512 };

static bool holds(const struct probe_value_writer *w, const char *text)
{
    return memmem(mem, probe_value_size(w), text, strlen(text)) != NULL;
}

// Sweeps the values one after the other, as a capture does.
static unsigned sweep(struct probe_value_writer *w)
{
    size_t at = 0, n = probe_value_size(w);
    unsigned found = 0;
    while (at < n) {
        struct probe_value_reader r;
        probe_value_reader_init(&r, bytes_of(mem + at, n - at));
        if (probe_value_skip(&r) < 0)
            break; // only padding is left
        found += probe_redact_sweep(&space, mem + at, (size_t)(r.p - r.start));
        at += (size_t)(r.p - r.start);
    }
    return found;
}

static void write_text(struct probe_value_writer *w, const char *name, const char *text)
{
    assert_true(probe_value_root(w, str_z(name)));
    probe_value_text(w, PROBE_VALUE_STR, none, str_z(text), 0);
}

static void aliases_of_texts(void **state)
{
    struct probe_value_writer w;
    static const uint16_t wide[] = { 'h', 0xfc, 'n', 't', 'e', 'r', '9' };
    probe_value_begin(&w, mem, 4096, &roomy, NULL, &space);
    write_text(&w, "role", "hunter2");           // before
    write_text(&w, "password", "hunter2");       // the name
    write_text(&w, "line", "login as hunter2!"); // inside another, after
    write_text(&w, "pin", "77");
    write_text(&w, "x", "77");
    write_text(&w, "y", "1770"); // too short to be looked for inside
    assert_true(probe_value_root(&w, STR("otp")));
    probe_value_int(&w, none, 4711);
    assert_true(probe_value_root(&w, STR("count")));
    probe_value_int(&w, none, 4711);
    assert_true(probe_value_root(&w, STR("label")));
    probe_value_wide(&w, none, wide, 2, 7);
    assert_true(probe_value_root(&w, STR("secret")));
    probe_value_wide(&w, none, wide, 2, 7);
    assert_true(holds(&w, "hunter2"));
    assert_int_equal(w.redacted, 4);
    assert_int_equal(sweep(&w), 5);
    assert_false(holds(&w, "hunter2"));
    assert_true(holds(&w, "login as *******!"));
    assert_true(holds(&w, "1770"));
    assert_false(holds(&w, "h\xc3\xbcnter9"));
    assert_false(memmem(mem, probe_value_size(&w),
                        "\x05\x02"
                        "77",
                        4));
}

// The visible part of a cut text ends in the middle of a secret.
static void aliases_at_a_cut(void **state)
{
    struct probe_value_limits limits = { .depth = 3, .items = 10, .string = 20 };
    struct probe_value_writer w;
    probe_value_begin(&w, mem, 4096, &limits, NULL, &space);
    write_text(&w, "line", "url is: abcdefghijklmnopqrstuvwxyz");
    write_text(&w, "api_secret", "abcdefghijklmnopqrstuvwxyz");
    assert_true(holds(&w, "abcdefg"));
    sweep(&w);
    assert_false(holds(&w, "abcd"));
}

static void aliases_of_containers(void **state)
{
    struct probe_value_writer w;
    probe_value_begin(&w, mem, 4096, &roomy, NULL, &space);
    assert_true(probe_value_root(&w, STR("config")));
    assert_true(probe_value_open(&w, PROBE_VALUE_LIST, none, 500, 1));
    assert_true(probe_value_item(&w));
    probe_value_text(&w, PROBE_VALUE_STR, none, STR("inside"), 0);
    probe_value_close(&w);
    assert_true(probe_value_root(&w, STR("credentials")));
    assert_false(probe_value_open(&w, PROBE_VALUE_LIST, none, 500, 1));
    assert_true(probe_value_root(&w, STR("again")));
    assert_false(probe_value_open(&w, PROBE_VALUE_LIST, none, 500, 1));
    assert_true(holds(&w, "inside"));
    assert_int_equal(sweep(&w), 2);
    assert_false(holds(&w, "inside"));
}

// A dict's key names its value.
static void keys(void **state)
{
    struct probe_value_writer w;
    probe_value_begin(&w, mem, 4096, &roomy, NULL, &space);
    assert_true(probe_value_root(&w, STR("headers")));
    assert_true(probe_value_open(&w, PROBE_VALUE_DICT, none, 1, 2));
    assert_true(probe_value_entry(&w));
    probe_value_text(&w, PROBE_VALUE_STR, none, STR("Cookie"), 0);
    probe_value_text(&w, PROBE_VALUE_STR, none, STR("sid=abc123"), 0);
    assert_true(probe_value_entry(&w));
    probe_value_text(&w, PROBE_VALUE_STR, none, STR("Accept"), 0);
    probe_value_text(&w, PROBE_VALUE_STR, none, STR("text/html"), 0);
    probe_value_finish(&w);
    assert_true(holds(&w, "Cookie"));
    assert_false(holds(&w, "abc123"));
    assert_true(holds(&w, "text/html"));
}

// More secrets than there is room for: all texts go.
static void too_many_secrets(void **state)
{
    static char names_of[400][24];
    struct probe_value_writer w;
    probe_value_begin(&w, mem, sizeof(mem), &roomy, NULL, &space);
    write_text(&w, "first", "secret-399");
    for (int i = 0; i < 400; i++) {
        snprintf(names_of[i], sizeof(names_of[i]), "secret-%d", i);
        write_text(&w, "password", names_of[i]);
    }
    assert_true(space.overflow);
    sweep(&w);
    assert_false(holds(&w, "secret-399"));
}

static void shapes(void **state)
{
    struct buf block;
    struct probe_policy p = policy_of("{\"shapes\":true}", &block);
    struct probe_value_writer w;
    probe_value_begin(&w, mem, 4096, &roomy, &p, &space);
    assert_true(probe_policy_shapes(&p));
    assert_true(probe_value_root(&w, STR("user")));
    assert_true(probe_value_open(&w, PROBE_VALUE_DICT, none, 1, 1));
    assert_true(probe_value_entry(&w));
    probe_value_text(&w, PROBE_VALUE_STR, none, STR("ann@example.org"), 0);
    probe_value_wide(&w, none, "Ann Example", 1, 11);
    probe_value_finish(&w);
    assert_true(probe_value_root(&w, STR("n")));
    probe_value_float(&w, STR("float"), 1234.5);
    assert_false(holds(&w, "ann@"));
    assert_false(holds(&w, "Ann"));
    assert_true(holds(&w, "float"));
    assert_int_equal(probe_value_size(&w), 3 + 2 + 2 + 2 + 1 + 5 + 1); // dict, two texts, end, head, type
    buf_free(&block);
}

// Whatever walk: a text that was under a sensitive name is nowhere.
static void property(void **state)
{
    uint64_t seed = 1;
    for (unsigned round = 0; round < 5000; round++) {
        struct probe_value_writer w;
        char pool[8][48];
        unsigned secret[8] = { 0 };
        probe_value_begin(&w, mem, 700, &roomy, NULL, &space);
        for (unsigned i = 0; i < 8; i++)
            snprintf(pool[i], sizeof(pool[i]), "%s%c%u-%u", i & 1 ? "pre " : "", 'a' + (int)i, round * 7919u, i);
        for (unsigned i = 0; i < 20; i++) {
            unsigned k, name;
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            k = seed >> 33 & 7;
            name = seed >> 40 & 3;
            if (!probe_value_root(&w, name ? STR("x") : STR("secret")))
                break;
            secret[k] |= !name;
            probe_value_text(&w, PROBE_VALUE_STR, none, str_z(pool[k]), 0);
        }
        sweep(&w);
        for (unsigned k = 0; k < 8; k++)
            assert_false(secret[k] && holds(&w, pool[k]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names),
        cmocka_unit_test(contents),
        cmocka_unit_test(policies),
        cmocka_unit_test(bad_policies),
        cmocka_unit_test(aliases_of_texts),
        cmocka_unit_test(aliases_at_a_cut),
        cmocka_unit_test(aliases_of_containers),
        cmocka_unit_test(keys),
        cmocka_unit_test(too_many_secrets),
        cmocka_unit_test(shapes),
        cmocka_unit_test(property),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
