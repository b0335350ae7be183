// Lists, and which release is before which.
#include "releases/releases_internal.h"

#include "base/must.h"

#include <stdlib.h>

// What stands in a sort: the release with its name taken apart.
struct ordered {
    struct release release;
    struct release_version version;
};

static int by_date(const struct release *a, const struct release *b)
{
    int64_t x = release_date(a), y = release_date(b);
    return x != y ? (x > y) - (x < y) : (a->id > b->id) - (a->id < b->id);
}

static int order_date(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    return by_date(&y->release, &x->release);
}

static int order_event(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    int64_t s = x->release.last_event, t = y->release.last_event;
    return s != t ? (s < t) - (s > t) : order_date(a, b);
}

// Packages by name, in each the highest version first; what has no order comes last, by date.
static int order_version(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->version.ordered != y->version.ordered)
        return x->version.ordered ? -1 : 1;
    if (!x->version.ordered)
        return order_date(a, b);
    int c = str_cmp(x->version.package, y->version.package);
    if (c == 0)
        c = release_version_compare(&y->version, &x->version);
    return c ? c : order_date(a, b);
}

static bool holds(str s, str part)
{
    for (size_t i = 0; i + part.len <= s.len; i++)
        if (str_ieq(str_slice(s, i, i + part.len), part))
            return true;
    return part.len == 0;
}

static bool wanted(const struct release_filter *f, const struct release *x)
{
    bool archived = x->status == RELEASE_ARCHIVED;
    if ((archived && !f->with_archived && !f->only_archived) || (!archived && f->only_archived))
        return false;
    bool mine = f->version.len == 0; // asked by project
    for (size_t i = 0; i < f->projects_n && !mine; i++)
        mine = f->projects[i] == x->project;
    if (!mine)
        return false;
    if (f->from || f->to) {
        int64_t date = release_date(x);
        bool event = x->last_event && x->first_event < f->to && x->last_event >= f->from;
        if (!event && !(date >= f->from && date < f->to))
            return false;
    }
    return holds(x->version, f->containing);
}

struct listing {
    struct arena *arena;
    struct ordered *rows;
    size_t n, cap;
};

// All projects' at once when only one version is asked for.
static int list_some(struct releases *r, const struct release_filter *f, uint32_t project, struct listing *l,
                     struct err *err)
{
    sqlite3_stmt *stmt;
    int rc = f->version.len
                 ? db_query(&r->reader, &stmt, err, "SELECT " RELEASE_COLUMNS " FROM releases r WHERE r.version = ?",
                            "t", f->version)
                 : db_query(&r->reader, &stmt, err, "SELECT " RELEASE_COLUMNS " FROM releases r WHERE r.project = ?",
                            "i", (int64_t)project);
    while (rc == 1) {
        struct arena_mark mark = arena_mark(l->arena);
        struct ordered row;
        rc = release_of_row(stmt, l->arena, &row.release);
        if (rc == 0 && !wanted(f, &row.release)) {
            arena_rewind(l->arena, mark);
        } else if (rc == 0) {
            release_version_parse(row.release.version, &row.version);
            rc = releases_grow(l->arena, (void **)&l->rows, l->n, &l->cap, sizeof *l->rows);
            if (rc == 0)
                l->rows[l->n++] = row;
        }
        if (rc < 0) {
            db_done(stmt);
            return releases_no_memory(err);
        }
        rc = db_next(&r->reader, stmt, err);
    }
    return rc;
}

int release_list(struct releases *r, const struct release_filter *f, struct arena *arena, struct release **ret_releases,
                 size_t *ret_n, struct err *err)
{
    static int (*const orders[])(const void *, const void *) = {
        [RELEASE_BY_DATE] = order_date, [RELEASE_BY_VERSION] = order_version, [RELEASE_BY_EVENT] = order_event
    };
    struct listing l = { .arena = arena };
    MAGIC_CHECK(r, RELEASES_MAGIC);
    int rc = releases_save(r, err);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&r->reader.lock);
    for (size_t i = 0; i < (f->version.len ? 1 : f->projects_n) && rc == 0; i++)
        rc = list_some(r, f, f->version.len ? 0 : f->projects[i], &l, err);
    pthread_mutex_unlock(&r->reader.lock);
    if (rc < 0)
        return rc;
    if (l.n)
        qsort(l.rows, l.n, sizeof *l.rows, orders[f->sort]);
    struct release *list = arena_alloc_array(arena, l.n, sizeof *list);
    if (!list)
        return releases_no_memory(err);
    for (size_t i = 0; i < l.n; i++)
        list[i] = l.rows[i].release;
    *ret_releases = list;
    *ret_n = l.n;
    return 0;
}

// 1: known, with its date and id.
static int date_of(struct releases *r, uint32_t project, str version, struct release *ret_release)
{
    sqlite3_stmt *stmt;
    int rc = db_query(&r->reader, &stmt, NULL,
                      "SELECT id, created_ns, released_ns FROM releases WHERE project = ? AND version = ?", "it",
                      (int64_t)project, version);
    if (rc == 1) {
        *ret_release = (struct release){ .id = sqlite3_column_int64(stmt, 0),
                                         .created = sqlite3_column_int64(stmt, 1),
                                         .released = sqlite3_column_int64(stmt, 2) };
        db_done(stmt);
    }
    return rc;
}

int releases_compare(struct releases *r, uint32_t project, str a, str b, int *ret_order)
{
    struct release_version x, y;
    struct release s, t;
    MAGIC_CHECK(r, RELEASES_MAGIC);
    if (str_eq(a, b)) {
        *ret_order = 0;
        return 0;
    }
    release_version_parse(a, &x);
    release_version_parse(b, &y);
    int c = release_version_comparable(&x, &y) ? release_version_compare(&x, &y) : 0;
    if (c) {
        *ret_order = c;
        return 0;
    }
    int rc = releases_save(r, NULL);
    if (rc < 0)
        return rc;
    pthread_mutex_lock(&r->reader.lock);
    int has_a = date_of(r, project, a, &s), has_b = date_of(r, project, b, &t);
    pthread_mutex_unlock(&r->reader.lock);
    if (has_a < 0 || has_b < 0)
        return has_a < 0 ? has_a : has_b;
    *ret_order = has_a && has_b ? by_date(&s, &t) : has_a ? -1 : has_b ? 1 : str_cmp(a, b);
    return 0;
}

// The newest version of the package of `like`, of a list that is newest first: by its number where that has an order, else by date.
static str newest_of(const struct release *list, size_t n, str like)
{
    struct release_version best, other;
    str version = like;
    release_version_parse(like, &best);
    bool dated = !best.ordered;
    for (size_t i = 0; i < n; i++) {
        release_version_parse(list[i].version, &other);
        if (dated && str_eq(other.package, best.package)) {
            version = list[i].version;
            dated = false;
        } else if (release_version_comparable(&best, &other) && release_version_compare(&other, &best) > 0) {
            best = other;
            version = list[i].version;
        }
    }
    return version;
}

int releases_latest(struct releases *r, uint32_t project, struct arena *arena, str *ret_version, struct err *err)
{
    struct release_filter f = { .projects = &project, .projects_n = 1 };
    struct release *list;
    size_t n;
    int rc = release_list(r, &f, arena, &list, &n, err);
    if (rc < 0)
        return rc;
    if (n == 0)
        return err_set(err, ERR_NOENT, "no_release", "the project has no release");
    *ret_version = newest_of(list, n, list[0].version);
    return 0;
}

int releases_newest_of(struct releases *r, uint32_t project, str like, struct arena *arena, str *ret_version,
                       struct err *err)
{
    struct release_filter f = { .projects = &project, .projects_n = 1 };
    struct release *list;
    size_t n;
    int rc = release_list(r, &f, arena, &list, &n, err);
    if (rc < 0)
        return rc;
    *ret_version = newest_of(list, n, like);
    return 0;
}

// Is a before b, and nearer to it than the best one so far? A project may have several packages, each with releases of its
// own: those of another one say nothing about it, however old they are.
static bool is_nearer(const struct ordered *a, const struct ordered *b, const struct ordered *best, bool versions)
{
    if (b->version.package.len && !str_eq(a->version.package, b->version.package))
        return false;
    if (!versions)
        return by_date(&a->release, &b->release) < 0 && (!best || by_date(&best->release, &a->release) < 0);
    if (!release_version_comparable(&a->version, &b->version) || release_version_compare(&a->version, &b->version) >= 0)
        return false;
    int c = best ? release_version_compare(&best->version, &a->version) : -1;
    return c < 0 || (c == 0 && by_date(&best->release, &a->release) < 0);
}

int releases_before(struct releases *r, uint32_t project, str version, struct arena *arena, struct release *ret_release,
                    struct err *err)
{
    struct release_filter f = { .projects = &project, .projects_n = 1, .with_archived = true };
    const struct ordered *best = NULL, *self = NULL;
    struct release *list;
    size_t n;
    int rc = release_list(r, &f, arena, &list, &n, err);
    if (rc < 0)
        return rc;
    struct ordered *rows = arena_alloc_array(arena, n + 1, sizeof *rows);
    if (!rows)
        return releases_no_memory(err);
    for (size_t i = 0; i < n; i++) {
        rows[i].release = list[i];
        release_version_parse(list[i].version, &rows[i].version);
        if (str_eq(list[i].version, version))
            self = &rows[i];
    }
    for (int versions = 1; self && versions >= 0 && !best; versions--)
        for (size_t i = 0; i < n; i++)
            if (is_nearer(&rows[i], self, best, versions))
                best = &rows[i];
    if (!best)
        return err_set(err, ERR_NOENT, "no_release", "no release is before it");
    *ret_release = best->release;
    return 0;
}
