#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "main/config.h"

#include <stdio.h>
#include <string.h>

static struct config c; // large

static void a_stronger_origin_wins_whatever_the_order(void **state)
{
    struct err err;
    config_init(&c);
    assert_int_equal(config_number(&c, CONFIG_KEY_OTLP_GRPC_PORT), 4317);
    assert_int_equal(config_set(&c, CONFIG_KEY_OTLP_GRPC_PORT, STR("5000"), CONFIG_FROM_FLAG, &err), 0);
    assert_int_equal(config_set(&c, CONFIG_KEY_OTLP_GRPC_PORT, STR("6000"), CONFIG_FROM_FILE, &err), 0);
    assert_int_equal(config_number(&c, CONFIG_KEY_OTLP_GRPC_PORT), 5000);
    char grpc[] = "CLEW_OTLP_GRPC_PORT=7000", http[] = "CLEW_OTLP_HTTP_PORT=7001", path[] = "PATH=/bin";
    char *const environment[] = { grpc, http, path, NULL };
    assert_int_equal(config_read_environment(&c, environment, NULL, &err), 0);
    assert_int_equal(config_number(&c, CONFIG_KEY_OTLP_GRPC_PORT), 5000);
    assert_int_equal(config_number(&c, CONFIG_KEY_OTLP_HTTP_PORT), 7001);
}

static void every_type_reads_its_own_forms(void **state)
{
    static const struct {
        enum config_id id;
        const char *text;
        int64_t expect;
    } good[] = {
        { CONFIG_KEY_RETENTION, "36h", 36 * 3600LL * 1000000000 },
        { CONFIG_KEY_RETENTION, "0", 0 },
        { CONFIG_KEY_DISK_CAP, "10GiB", 10LL << 30 },
        { CONFIG_KEY_DISK_CAP, "500mb", 500000000 },
        { CONFIG_KEY_DISK_CAP, "12345", 12345 },
        { CONFIG_KEY_OTLP_PORTS, "no", 0 },
        { CONFIG_KEY_OTLP_PORTS, "TRUE", 1 },
        { CONFIG_KEY_WORKERS, "8", 8 },
    };
    static const struct {
        enum config_id id;
        const char *text;
    } bad[] = {
        { CONFIG_KEY_RETENTION, "14" },         { CONFIG_KEY_RETENTION, "-1d" },
        { CONFIG_KEY_RETENTION, "soon" },       { CONFIG_KEY_DISK_CAP, "10 XB" },
        { CONFIG_KEY_DISK_CAP, "-5" },          { CONFIG_KEY_WORKERS, "65" },
        { CONFIG_KEY_WORKERS, "2.5" },          { CONFIG_KEY_WORKERS, "" },
        { CONFIG_KEY_OTLP_PORTS, "maybe" },     { CONFIG_KEY_DURABILITY, "none" },
        { CONFIG_KEY_DURABILITY, "fsync|os" },  { CONFIG_KEY_LISTEN, "a\nb" },
        { CONFIG_KEY_OTLP_GRPC_PORT, "65536" },
    };
    struct err err;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        config_init(&c);
        assert_int_equal(config_set(&c, good[i].id, str_z(good[i].text), CONFIG_FROM_FLAG, &err), 0);
        assert_int_equal(config_number(&c, good[i].id), good[i].expect);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        config_init(&c);
        assert_int_equal(config_set(&c, bad[i].id, str_z(bad[i].text), CONFIG_FROM_FLAG, &err), ERR_INVALID);
        assert_int_equal(c.values[bad[i].id].origin, CONFIG_FROM_DEFAULT);
        assert_non_null(strstr(err.hint, "config explain"));
    }
}

static void an_unknown_key_names_the_nearest(void **state)
{
    struct err err;
    assert_int_equal(config_find(STR("disk-cap"), &err), CONFIG_KEY_DISK_CAP);
    assert_int_equal(config_find(STR("disk_cap"), &err), CONFIG_KEY_DISK_CAP);
    assert_int_equal(config_find(STR("retension"), &err), -1);
    assert_string_equal(err.hint, "did you mean retention?");
    assert_int_equal(config_find(STR("zzzzzzzz"), &err), -1);
    assert_null(strstr(err.hint, "did you mean"));
}

static void a_file_says_the_line_of_its_error(void **state)
{
    struct err err;
    config_init(&c);
    assert_int_equal(config_read_text(&c, STR("# comment\n\n retention = 3d \nlisten=\"[::1]:99\"\r\n"), "f", &err), 0);
    assert_int_equal(config_number(&c, CONFIG_KEY_RETENTION), 3 * 86400LL * 1000000000);
    assert_string_equal(config_text(&c, CONFIG_KEY_LISTEN), "[::1]:99");
    assert_int_equal(config_read_text(&c, STR("retention = 3d\nworker = 3\n"), "f", &err), ERR_INVALID);
    assert_string_equal(err.place, "f:2");
    assert_string_equal(err.hint, "did you mean workers?");
    assert_int_equal(config_read_text(&c, STR("just words\n"), "f", &err), ERR_INVALID);
    assert_int_equal(config_read_text(&c, STR("token = secret\n"), "f", &err), ERR_INVALID);
}

static void a_near_miss_in_the_environment_is_said(void **state)
{
    struct err err;
    struct buf odd;
    char near[] = "CLEW_RETENSION=3d", far[] = "CLEW_PYTHON=/usr/bin/python3";
    char *const environment[] = { near, far, NULL };
    buf_init(&odd, 1000);
    config_init(&c);
    assert_int_equal(config_read_environment(&c, environment, &odd, &err), 0);
    assert_non_null(memmem(odd.ptr, odd.len, "CLEW_RETENTION", 14));
    assert_null(memmem(odd.ptr, odd.len, "PYTHON", 6));
    buf_free(&odd);
}

static void each_key_has_one_meaning_and_a_whole_description(void **state)
{
    for (int i = 0; i < CONFIG_KEYS; i++) {
        str doc = str_z(config_keys[i].doc);
        assert_true(doc.len > 10 && doc.ptr[doc.len - 1] == '.');
        assert_true(config_summary(&config_keys[i]).len < 100);
        assert_true(config_keys[i].who != 0);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(config_keys[i].key, config_keys[k].key);
    }
    struct buf out;
    buf_init(&out, 1 << 20);
    config_init(&c);
    config_explain(&out, &c, -1);
    config_manual(&out);
    assert_int_equal(out.error, 0);
    buf_free(&out);
}

static void distance_counts_edits(void **state)
{
    assert_int_equal(config_distance(STR("abc"), STR("abc"), 3), 0);
    assert_int_equal(config_distance(STR("abc"), STR("acb"), 3), 1);
    assert_int_equal(config_distance(STR("abc"), STR("abcd"), 3), 1);
    assert_int_equal(config_distance(STR(""), STR("abcd"), 3), 4);
    assert_int_equal(config_distance(STR("kitten"), STR("sitting"), 5), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stronger_origin_wins_whatever_the_order),
        cmocka_unit_test(every_type_reads_its_own_forms),
        cmocka_unit_test(an_unknown_key_names_the_nearest),
        cmocka_unit_test(a_file_says_the_line_of_its_error),
        cmocka_unit_test(a_near_miss_in_the_environment_is_said),
        cmocka_unit_test(each_key_has_one_meaning_and_a_whole_description),
        cmocka_unit_test(distance_counts_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
