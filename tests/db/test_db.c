// What every room relies on: values come back as they were bound, a failed transaction leaves nothing, migrations happen
// once, and a file that is not ours to read is refused in words.
#include "db/db.h"

#include "base/must.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
// cmocka.h needs these before it
#include <cmocka.h>

static char dir[64], path[96];

static int setup(void **unused)
{
    snprintf(dir, sizeof dir, "/tmp/clew-test-db-XXXXXX");
    must(mkdtemp(dir) != NULL);
    snprintf(path, sizeof path, "%s/some.db", dir);
    return 0;
}

static int teardown(void **unused)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char name[112];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        unlink(name);
    }
    return rmdir(dir);
}

static const char *const versions[] = { "CREATE TABLE t (i BIGINT, d DOUBLE PRECISION, s TEXT, b BYTEA)",
                                        "ALTER TABLE t ADD COLUMN more BIGINT NOT NULL DEFAULT 7" };

static int count_after(void *ctx, size_t version, struct err *err)
{
    int *calls = ctx;
    calls[version]++;
    return 0;
}

static void open_migrated(struct db *db, size_t n)
{
    struct err err = { 0 };
    assert_int_equal(db_open(db, path, "some_database", DB_WRITE | DB_CREATE, &err), 0);
    assert_int_equal(db_migrate(db, versions, n, NULL, NULL, &err), 0);
}

static int64_t rows(struct db *db)
{
    sqlite3_stmt *s;
    assert_int_equal(db_query(db, &s, NULL, "SELECT count(*) FROM t", ""), 1);
    int64_t n = sqlite3_column_int64(s, 0);
    db_done(s);
    return n;
}

static void test_values(void **unused)
{
    struct db db, reader;
    struct err err = { 0 };
    sqlite3_stmt *s;
    open_migrated(&db, 2);
    str text = str_of("a\0b", 3);
    assert_int_equal(db_begin(&db, &err), 0);
    int r = db_run(&db, NULL, &err, "INSERT INTO t (i, d, s, b) VALUES (?, ?, ?, ?)", "idtb", INT64_MIN, 0.5, text,
                   bytes_of("\xff", 1));
    assert_int_equal(db_finish(&db, r, &err), 0);
    assert_int_equal(db_open(&reader, path, "some_database", 0, &err), 0);
    assert_int_equal(db_query(&reader, &s, &err, "SELECT i, d, s, b, more FROM t WHERE i = ?", "i", INT64_MIN), 1);
    assert_true(sqlite3_column_int64(s, 0) == INT64_MIN);
    assert_true(sqlite3_column_double(s, 1) == 0.5);
    assert_true(str_eq(db_text(s, 2), text));
    assert_true(db_blob(s, 3).len == 1 && db_blob(s, 3).ptr[0] == 0xff);
    assert_int_equal(sqlite3_column_int64(s, 4), 7);
    assert_int_equal(db_next(&reader, s, &err), 0);
    assert_true(db_run(&reader, NULL, &err, "DELETE FROM t", "") < 0);
    db_close(&reader);
    db_close(&db);
}

static void test_failed_transaction_leaves_nothing(void **unused)
{
    struct db db;
    struct err err = { 0 };
    open_migrated(&db, 2);
    assert_int_equal(db_begin(&db, &err), 0);
    int r = db_run(&db, NULL, &err, "INSERT INTO t (i) VALUES (1)", "");
    assert_int_equal(r, 0);
    assert_int_equal(db_finish(&db, ERR_LIMIT, &err), ERR_LIMIT);
    assert_int_equal(rows(&db), 0);
    assert_int_equal(db_begin(&db, &err), 0); // the lock is free again
    db_rollback(&db);
    db_close(&db);
}

static void test_migrations_happen_once(void **unused)
{
    struct db db;
    struct err err = { 0 };
    int calls[3] = { 0 };
    open_migrated(&db, 1);
    assert_int_equal(db_migrate(&db, versions, 2, count_after, calls, &err), 0);
    assert_int_equal(db_migrate(&db, versions, 2, count_after, calls, &err), 0);
    assert_int_equal(calls[1], 0); // had happened before
    assert_int_equal(calls[2], 1);
    assert_int_equal(db_migrate(&db, versions, 1, NULL, NULL, &err), ERR_UNSUPPORTED);
    assert_string_equal(err.slug, "newer_version");
    db_close(&db);
}

static void test_files(void **unused)
{
    struct db db;
    struct err err = { 0 };
    struct stat st;
    assert_int_equal(db_open(&db, path, "some_database", DB_WRITE, &err), ERR_NOENT);
    assert_string_equal(err.slug, "some_database");
    FILE *f = fopen(path, "w");
    must(f && fputs("this is no database, however long one looks at it", f) >= 0 && fclose(f) == 0);
    assert_int_equal(db_open(&db, path, "some_database", DB_WRITE, &err), ERR_CORRUPT);
    assert_int_equal(unlink(path), 0);
    open_migrated(&db, 1);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    db_close(&db);
    db_close(&db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_failed_transaction_leaves_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_migrations_happen_once, setup, teardown),
        cmocka_unit_test_setup_teardown(test_files, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
