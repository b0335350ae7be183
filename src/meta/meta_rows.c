// Rows of which a project has a bounded number, read into an arena.
#include "meta/meta_internal.h"

int meta_count(struct db *db, int64_t project, const char *sql, int64_t *ret_n, struct err *err)
{
    sqlite3_stmt *stmt;
    *ret_n = 0;
    int r = db_query(db, &stmt, err, sql, "ii", project, project);
    if (r == 1) {
        *ret_n = sqlite3_column_int64(stmt, 0);
        db_done(stmt);
        r = 0;
    }
    return r;
}

static int rows_read(struct db *db, int64_t project, const struct meta_rows *rows, struct arena *arena, void **ret_list,
                     size_t *ret_n, struct err *err)
{
    sqlite3_stmt *stmt;
    int64_t most;
    char *list = NULL;
    size_t n = 0;
    int r = meta_count(db, project, rows->count, &most, err);
    if (r == 0 && !(list = arena_alloc_array(arena, (size_t)most + 1, rows->size)))
        r = err_set(err, ERR_NOMEM, NULL, "out of memory");
    if (r == 0)
        r = db_query(db, &stmt, err, rows->list, "ii", project, project);
    while (r == 1) {
        if ((int64_t)n == most) { // one more came between
            db_done(stmt);
            r = 0;
            break;
        }
        r = rows->read(stmt, arena, list + n++ * rows->size);
        if (r < 0) {
            db_done(stmt);
            return err_set(err, r, NULL, "out of memory");
        }
        r = db_next(db, stmt, err);
    }
    if (r < 0)
        return r;
    *ret_list = list;
    *ret_n = n;
    return 0;
}

int meta_rows_list(struct meta *m, int64_t project, const struct meta_rows *rows, struct arena *arena, void **ret_list,
                   size_t *ret_n, struct err *err)
{
    pthread_mutex_lock(&m->reader.lock);
    int r = rows_read(&m->reader, project, rows, arena, ret_list, ret_n, err);
    pthread_mutex_unlock(&m->reader.lock);
    return r;
}
