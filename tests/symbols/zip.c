#include "zip.h"

#include <minizip/zip.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

void zip_make(str prefix, const struct zip_entry *entries, size_t n, struct buf *out)
{
    char path[] = "/tmp/clew-zip-XXXXXX";
    int fd = mkstemp(path);
    zip_fileinfo info = { 0 };
    assert_true(fd >= 0);
    assert_int_equal(write(fd, prefix.ptr, prefix.len), (ssize_t)prefix.len);
    close(fd);
    zipFile zip = zipOpen64(path, prefix.len ? APPEND_STATUS_CREATEAFTER : APPEND_STATUS_CREATE);
    assert_non_null(zip);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(zipOpenNewFileInZip64(zip, entries[i].name, &info, NULL, 0, NULL, 0, NULL, Z_DEFLATED, 6, 0),
                         ZIP_OK);
        assert_int_equal(zipWriteInFileInZip(zip, entries[i].content.ptr, (unsigned)entries[i].content.len), ZIP_OK);
        assert_int_equal(zipCloseFileInZip(zip), ZIP_OK);
    }
    assert_int_equal(zipClose(zip, NULL), ZIP_OK);
    FILE *file = fopen(path, "rb");
    uint8_t piece[4096];
    assert_non_null(file);
    for (size_t got; (got = fread(piece, 1, sizeof piece, file)) > 0;)
        assert_int_equal(buf_append(out, piece, got), 0);
    fclose(file);
    unlink(path);
}
