// Names in archives, also in those that lie.
#include "api/api0_zip.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

// Two entries of a directory ("d/", "a") and its end; the entries' contents are nobody's business here.
static size_t archive(uint8_t out[256], const char *comment)
{
    static const char *const names[] = { "d/", "a" };
    size_t n = 0;
    memset(out, 0, 256);
    for (int i = 0; i < 2; i++) {
        memcpy(out + n, "PK\1\2", 4);
        out[n + 28] = (uint8_t)strlen(names[i]);
        out[n + 30] = 3; // extra
        memcpy(out + n + 46, names[i], strlen(names[i]));
        n += 46 + strlen(names[i]) + 3;
    }
    memcpy(out + n, "PK\5\6", 4);
    out[n + 10] = 2;
    out[n + 20] = (uint8_t)strlen(comment);
    n += 22;
    memcpy(out + n, comment, strlen(comment));
    return n + strlen(comment);
}

static void files_are_named_and_folders_are_not(void **state)
{
    static const char *const comments[] = { "", "PK\5\6 in a comment" };
    for (int i = 0; i < 2; i++) {
        uint8_t zip[256];
        struct api0_zip z;
        str name;
        size_t n = archive(zip, comments[i]);
        assert_int_equal(api0_zip_begin(&z, bytes_of(zip, n)), 0);
        assert_int_equal(api0_zip_next(&z, &name), 1);
        assert_true(str_eq(name, STR("a")));
        assert_int_equal(api0_zip_next(&z, &name), 0);
    }
}

static void archives_that_are_none(void **state)
{
    uint8_t zip[256];
    struct api0_zip z;
    str name;
    size_t n = archive(zip, "");
    assert_int_equal(api0_zip_begin(&z, bytes_of(zip, 0)), ERR_MALFORMED);
    assert_int_equal(api0_zip_begin(&z, bytes_of(zip, n - 1)), ERR_MALFORMED); // the end is cut
    zip[n - 22 + 16] = 0xff;                                                   // the directory begins behind its end
    assert_int_equal(api0_zip_begin(&z, bytes_of(zip, n)), ERR_MALFORMED);
    n = archive(zip, "");
    zip[28] = 0xff; // a name that is longer than the archive
    zip[29] = 0xff;
    assert_int_equal(api0_zip_begin(&z, bytes_of(zip, n)), 0);
    assert_int_equal(api0_zip_next(&z, &name), ERR_MALFORMED);
    n = archive(zip, "");
    zip[n - 22 + 10] = 9; // more entries than there are
    assert_int_equal(api0_zip_begin(&z, bytes_of(zip, n)), 0);
    assert_int_equal(api0_zip_next(&z, &name), 1);
    assert_int_equal(api0_zip_next(&z, &name), ERR_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(files_are_named_and_folders_are_not),
                                        cmocka_unit_test(archives_that_are_none) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
