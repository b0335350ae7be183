#include "query/path.h"

#include "base/err.h"
#include "wire/record.h"

enum { PATH_LIST_BYTES_MAX = 8 << 20 };

// What a walk has found. Through lists there may be many values: they are encoded one after another.
struct found {
    struct arena *arena;
    struct value first;
    uint64_t n;
    bool many;
    struct buf rest; // encodings of all values, once there are several or the way led through a list
    int error;
};

bool path_key_is(str key, const struct query_path_item *path, uint32_t n)
{
    size_t at = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (i > 0 && (at >= key.len || key.ptr[at++] != '.'))
            return false;
        str name = path[i].name;
        if (key.len - at < name.len || memcmp(key.ptr + at, name.ptr, name.len) != 0)
            return false;
        at += name.len;
    }
    return at == key.len;
}

uint32_t path_names(const struct query_path_item *path, uint32_t n)
{
    uint32_t k = 0;
    while (k < n && !path[k].is_index)
        k++;
    return k;
}

static void found_add(struct found *f, const struct value *v)
{
    if (v->type == VALUE_NULL)
        return;
    if (f->n++ == 0)
        f->first = *v;
    if (f->many && value_encode(&f->rest, v) < 0)
        f->error = f->rest.error;
}

static void walk(struct found *f, const struct value *v, const struct query_path_item *path, uint32_t n);

static void walk_map(struct found *f, const struct value *v, const struct query_path_item *path, uint32_t n)
{
    for (uint32_t k = path_names(path, n); k > 0; k--) {
        struct value_reader r;
        struct value hit = { .type = VALUE_NULL }, e;
        uint64_t left;
        str key;
        if (value_open(v, &r, &left) < 0)
            return;
        for (; left > 0; left--) {
            if (value_read_key(&r, &key) < 0 || value_read(&r, &e) < 0)
                return;
            if (path_key_is(key, path, k)) // equal keys: the last one
                hit = e;
        }
        uint64_t before = f->n;
        if (hit.type != VALUE_NULL)
            walk(f, &hit, path + k, n - k);
        if (f->n > before)
            return;
    }
}

static void walk_list(struct found *f, const struct value *v, const struct query_path_item *path, uint32_t n)
{
    struct value_reader r;
    struct value e;
    uint64_t left;
    if (value_open(v, &r, &left) < 0)
        return;
    bool one = path[0].is_index;
    if (!one && !f->many) {
        f->many = true;
        buf_init(&f->rest, PATH_LIST_BYTES_MAX);
    }
    for (uint64_t i = 0; i < left && !f->error; i++) {
        if (value_read(&r, &e) < 0)
            return;
        if (!one)
            walk(f, &e, path, n);
        else if (i == path[0].index) {
            walk(f, &e, path + 1, n - 1);
            return;
        }
    }
}

// Depth: every step but the last goes one level into v, whose nesting is capped.
static void walk(struct found *f, const struct value *v, const struct query_path_item *path, uint32_t n)
{
    if (n == 0)
        found_add(f, v);
    else if (v->type == VALUE_LIST)
        walk_list(f, v, path, n);
    else if (v->type == VALUE_MAP && !path[0].is_index)
        walk_map(f, v, path, n);
}

static int found_take(struct found *f, struct qval *ret)
{
    struct buf head;
    int rc = f->error;
    *ret = qval_missing();
    if (rc == 0 && f->n > 0 && !f->many)
        *ret = qval_of_value(&f->first);
    if (rc == 0 && f->n > 0 && f->many) {
        uint8_t room[16];
        buf_init(&head, sizeof room);
        buf_byte(&head, VALUE_LIST);
        rc = buf_varint(&head, f->n);
        char *p = rc == 0 ? arena_alloc_bytes(f->arena, head.len + f->rest.len) : NULL;
        if (p) {
            memcpy(p, head.ptr, head.len);
            memcpy(p + head.len, f->rest.ptr, f->rest.len);
            *ret = (struct qval){ .type = QVAL_LIST, .s = { p, head.len + f->rest.len } };
        } else {
            rc = ERR_NOMEM;
        }
        buf_free(&head);
    }
    if (f->many)
        buf_free(&f->rest);
    return rc == ERR_LIMIT ? ERR_NOMEM : rc;
}

int path_value(struct arena *a, const struct value *v, const struct query_path_item *path, uint32_t n, struct qval *ret)
{
    struct found f = { .arena = a };
    walk(&f, v, path, n);
    return found_take(&f, ret);
}

int path_attrs(struct arena *a, const struct attr *attrs, uint32_t attrs_n, const struct query_path_item *path,
               uint32_t n, struct qval *ret)
{
    struct found f = { .arena = a };
    for (uint32_t k = path_names(path, n); k > 0 && f.n == 0; k--) {
        const struct value *hit = NULL;
        for (uint32_t i = 0; i < attrs_n; i++) {
            if (path_key_is(attrs[i].key, path, k))
                hit = &attrs[i].value;
        }
        if (hit)
            walk(&f, hit, path + k, n - k);
    }
    return found_take(&f, ret);
}

int path_of_key(struct arena *a, str key, struct query_path_item **ret_path, uint32_t *ret_n)
{
    uint32_t n = 1, i = 0;
    for (size_t k = 0; k < key.len; k++)
        n += key.ptr[k] == '.';
    struct query_path_item *path = arena_alloc_array(a, n, sizeof *path);
    if (!path)
        return ERR_NOMEM;
    for (size_t from = 0; i < n; i++) {
        ptrdiff_t dot = str_find_char(key, '.', from);
        size_t to = dot < 0 ? key.len : (size_t)dot;
        path[i] = (struct query_path_item){ .name = str_slice(key, from, to) };
        from = to + 1;
    }
    *ret_path = path;
    *ret_n = n;
    return 0;
}
