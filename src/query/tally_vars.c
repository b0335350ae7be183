// What snapshots hold: names in their variables and captured expressions. No column says them, so they are found in the rows as these come; a
// row from before a name was found has none of it.
#include "query/path.h"
#include "query/tally.h"

enum {
    NAMES_MAX = 512, // dicts with keys like ids have no end
    NAME_MAX = 200,
    DEPTH_MAX = 4, // maps in maps: vars.order.customer.address.city
};

struct finder {
    struct tally *t;
    uint8_t level; // enum query_attr_level
    char name[NAME_MAX];
};

static bool is_plain(const struct value *v)
{
    return v->type == VALUE_STR || v->type == VALUE_INT || v->type == VALUE_DOUBLE || v->type == VALUE_BOOL;
}

// A list counts by its elements.
static bool is_list_of_plain(const struct value *v)
{
    struct value_reader r;
    struct value first;
    uint64_t n;
    return v->type == VALUE_LIST && value_open(v, &r, &n) == 0 && n > 0 && value_read(&r, &first) == 0 &&
           is_plain(&first);
}

static int note(struct finder *f, size_t len)
{
    struct tally *t = f->t;
    str name = str_of(f->name, len);
    if (t->vars_over || tally_field_has(t, name))
        return 0;
    if (!t->vars) {
        t->vars = arena_alloc_array(&t->x->arena, NAMES_MAX, sizeof *t->vars);
        if (!t->vars)
            return exec_nomem(t->x);
    }
    for (uint32_t i = t->vars_n; i > 0; i--) // of this block, not among the fields yet
        if (str_eq(t->vars[i - 1].name, name))
            return 0;
    if (t->vars_n == NAMES_MAX) {
        t->beyond++;
        t->vars_over = true;
        return 0;
    }
    if (arena_dup(&t->x->arena, name, &name) < 0)
        return exec_nomem(t->x);
    t->vars[t->vars_n++] = (struct tally_var){ name, f->level };
    return 0;
}

static int walk(struct finder *f, const struct value *map, size_t len, unsigned depth)
{
    struct value_reader r;
    struct value v;
    uint64_t left;
    str key;
    int rc = 0;
    if (value_open(map, &r, &left) < 0)
        return 0;
    for (; left > 0 && rc == 0 && value_read_key(&r, &key) == 0 && value_read(&r, &v) == 0; left--) {
        if (!key.len || len + 1 + key.len > sizeof f->name)
            continue;
        f->name[len] = '.';
        memcpy(f->name + len + 1, key.ptr, key.len);
        size_t end = len + 1 + key.len;
        if (v.type == VALUE_MAP)
            rc = depth < DEPTH_MAX ? walk(f, &v, end, depth + 1) : 0;
        else if (is_plain(&v) || is_list_of_plain(&v))
            rc = note(f, end);
    }
    return rc;
}

static int find_in(struct finder *f, struct exec_segment *s, const char *map, const uint64_t *sel, uint32_t n)
{
    struct exec *x = f->t->x;
    struct query_path_item item = { .name = str_z(map) };
    struct query_ref ref = { .path = &item, .path_len = 1, .slot = QUERY_NO_SLOT };
    struct arena_mark mark = arena_mark(&x->scratch);
    struct chain *c;
    struct cvec v;
    ref.bind[s->source] = (struct query_binding){ .kind = QUERY_BIND_ATTR, .level = f->level, .path_from = 1 };
    memcpy(f->name, map, strlen(map));
    int rc = chain_new(x, s, &ref, &c);
    if (rc == 0 && c->n > 0)
        rc = chain_vec(x, s, TABLE_ROWS, c, sel, n, &v);
    for (size_t w = 0; w < BITS_WORDS(n) && rc == 0 && c->n > 0; w++)
        for (uint64_t rows = sel[w]; rows && rc == 0; rows &= rows - 1) {
            struct qval q = cvec_get(&v, (uint32_t)(w * 64 + (uint32_t)__builtin_ctzll(rows)));
            struct value whole = { .type = VALUE_MAP, .s = q.s };
            if (q.type == QVAL_MAP)
                rc = walk(f, &whole, strlen(map), 1);
        }
    arena_rewind(&x->scratch, mark);
    return rc;
}

int tally_vars_find(struct tally *t, struct exec_segment *s, const uint64_t *sel, uint32_t n)
{
    if (s->source != QUERY_SNAPSHOTS || t->x->plan->values_hidden)
        return 0;
    int rc = find_in(&(struct finder){ .t = t, .level = QUERY_AT_VARS }, s, "vars", sel, n);
    return rc < 0 ? rc : find_in(&(struct finder){ .t = t, .level = QUERY_AT_EXPR }, s, "expr", sel, n);
}
