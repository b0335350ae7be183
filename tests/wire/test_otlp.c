// Golden vectors: both encodings of what another implementation wrote must make the records that it says.
#include "wire/otlp.h"

#include "base/mem.h"
#include "otlp_dump.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SCRATCH_CAP = 16 << 20, VECTORS_MAX = 64 };

static bytes read_file(const char *name, const char *suffix)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s%s", getenv("CLEW_GOLDEN"), name, suffix);
    FILE *f = fopen(path, "rb");
    if (!f)
        fail_msg("%s: cannot open", path);
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    uint8_t *p = malloc(n ? n : 1); // exactly: a read past the end is seen
    assert_true(p && fread(p, 1, n, f) == n);
    fclose(f);
    return bytes_of(p, n);
}

static enum otlp_signal signal_of(const char *name)
{
    return name[0] == 't' ? OTLP_TRACES : name[0] == 'l' ? OTLP_LOGS : OTLP_METRICS;
}

// Names of the vectors, without suffix.
static size_t vectors(char names[VECTORS_MAX][64])
{
    DIR *dir = opendir(getenv("CLEW_GOLDEN"));
    size_t n = 0;
    assert_non_null(dir);
    for (struct dirent *e; (e = readdir(dir));) {
        char *dot = strstr(e->d_name, ".bin");
        if (!dot)
            continue;
        assert_true(n < VECTORS_MAX);
        snprintf(names[n++], 64, "%.*s", (int)(dot - e->d_name), e->d_name);
    }
    closedir(dir);
    assert_true(n >= 10);
    return n;
}

static int decode(const char *name, enum otlp_format format, bytes body, struct otlp_dump *dump,
                  struct otlp_result *result, struct err *err)
{
    struct arena scratch;
    struct record_sink sink = otlp_dump_sink(dump);
    arena_init(&scratch, SCRATCH_CAP);
    int rc = otlp_decode(signal_of(name), format, body, &otlp_limits_default, &scratch, &sink, result, err);
    arena_free(&scratch);
    return rc;
}

static void check_vector(const char *name, enum otlp_format format)
{
    bytes body = read_file(name, format == OTLP_JSON ? ".json" : ".bin"), want = read_file(name, ".txt");
    struct otlp_dump dump;
    struct otlp_result result;
    struct err err;
    otlp_dump_init(&dump);
    if (decode(name, format, body, &dump, &result, &err) < 0)
        fail_msg("%s: %s (%s)", name, err.message, err.place);
    assert_int_equal(result.rejected, 0);
    if (dump.out.len != want.len || memcmp(dump.out.ptr, want.ptr, want.len) != 0) {
        size_t i = 0;
        while (i < want.len && i < dump.out.len && dump.out.ptr[i] == want.ptr[i])
            i++;
        while (i > 0 && want.ptr[i - 1] != '\n')
            i--;
        fail_msg("%s %s differs:\n got %.400s\nwant %.400s", name, format == OTLP_JSON ? "json" : "protobuf",
                 (const char *)dump.out.ptr + i, (const char *)want.ptr + i);
    }
    buf_free(&dump.out);
    free((void *)body.ptr);
    free((void *)want.ptr);
}

static void test_golden_protobuf(void **state)
{
    char names[VECTORS_MAX][64];
    for (size_t n = vectors(names); n--;)
        check_vector(names[n], OTLP_PROTOBUF);
}

static void test_golden_json(void **state)
{
    char names[VECTORS_MAX][64];
    for (size_t n = vectors(names); n--;)
        check_vector(names[n], OTLP_JSON);
}

// A cut request is either refused with a place or ends between two fields; nothing is read past its end.
static void test_every_prefix(void **state)
{
    static const char *const names[] = { "traces_all", "logs_all", "metrics_all" };
    for (size_t k = 0; k < 3; k++)
        for (int format = OTLP_PROTOBUF; format <= OTLP_JSON; format++) {
            bytes body = read_file(names[k], format == OTLP_JSON ? ".json" : ".bin");
            for (size_t n = 0; n < body.len - (format == OTLP_JSON); n++) {
                uint8_t *cut = mem_dup(body.ptr, n);
                struct otlp_dump dump;
                struct otlp_result result;
                struct err err;
                otlp_dump_init(&dump);
                int rc = decode(names[k], format, bytes_of(cut, n), &dump, &result, &err);
                if (rc != ERR_MALFORMED && !(rc == 0 && format == OTLP_PROTOBUF))
                    fail_msg("%s cut at %zu: %d", names[k], n, rc);
                if (rc < 0) {
                    assert_int_equal(err.code, ERR_MALFORMED);
                    assert_non_null(strstr(err.place, "byte "));
                }
                buf_free(&dump.out);
                mem_free(cut);
            }
            free((void *)body.ptr);
        }
}

// Whichever allocation fails: ERR_NOMEM, no leak, no crash.
static void test_nth_allocation(void **state)
{
    static const char *const names[] = { "traces_all", "logs_all", "metrics_all" };
    for (size_t k = 0; k < 3; k++)
        for (int format = OTLP_PROTOBUF; format <= OTLP_JSON; format++) {
            bytes body = read_file(names[k], format == OTLP_JSON ? ".json" : ".bin");
            for (int64_t nth = 1;; nth++) {
                struct otlp_dump dump;
                struct otlp_result result;
                struct err err;
                otlp_dump_init(&dump);
                mem_fail_at(nth);
                int rc = decode(names[k], format, body, &dump, &result, &err);
                int64_t seen = mem_fail_count();
                mem_fail_at(0);
                buf_free(&dump.out);
                if (rc == 0 && seen < nth)
                    break;
                assert_int_equal(rc, ERR_NOMEM);
            }
            free((void *)body.ptr);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_protobuf),
        cmocka_unit_test(test_golden_json),
        cmocka_unit_test(test_every_prefix),
        cmocka_unit_test(test_nth_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
