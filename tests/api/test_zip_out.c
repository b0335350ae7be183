// Archives that are written, read by the reader of names and by hand; Python's zipfile reads them in the conformance tests.
#include "api/zip_out.h"

#include "api/api0_zip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// cmocka.h needs these before it
#include <cmocka.h>

static void add(struct zip_out *z, struct buf *out, const char *name, const char *content)
{
    struct buf head;
    buf_init(&head, 1000);
    zip_out_file(z, str_z(name), bytes_of_str(str_z(content)), &head);
    buf_str(out, buf_view(&head));
    buf_str(out, str_z(content));
    buf_free(&head);
}

static void files_are_found_where_the_directory_says(void **state)
{
    struct zip_out z = { 0 };
    struct buf out;
    struct api0_zip names;
    str name;
    buf_init(&z.directory, 4096);
    buf_init(&out, 4096);
    add(&z, &out, "a.png", "123456789");
    add(&z, &out, "b/\xc3\xa9.png", "");
    assert_int_equal(z.at, out.len);
    zip_out_end(&z, &out);
    assert_int_equal(out.error | z.directory.error, 0);
    assert_int_equal(le32_get(out.ptr + 14), 0xcbf43926); // CRC-32 of "123456789"
    assert_int_equal(le32_get(out.ptr + 22), 9);
    assert_int_equal(api0_zip_begin(&names, buf_bytes(&out)), 0);
    assert_int_equal(api0_zip_next(&names, &name), 1);
    assert_true(str_eq(name, STR("a.png")));
    assert_int_equal(api0_zip_next(&names, &name), 1);
    assert_true(str_eq(name, STR("b/\xc3\xa9.png")));
    assert_int_equal(api0_zip_next(&names, &name), 0);
    const uint8_t *second = out.ptr + le32_get((const uint8_t *)name.ptr - 4);
    assert_memory_equal(second, "PK\3\4", 4);
    assert_memory_equal(second + 30, name.ptr, name.len);
    buf_free(&out);
    buf_free(&z.directory);
}

static void an_archive_of_nothing(void **state)
{
    struct zip_out z = { 0 };
    struct buf out;
    buf_init(&out, 100);
    zip_out_end(&z, &out);
    assert_int_equal(out.len, 22);
    assert_memory_equal(out.ptr, "PK\5\6", 4);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(files_are_found_where_the_directory_says),
                                        cmocka_unit_test(an_archive_of_nothing) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
