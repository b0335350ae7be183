// Which fields the records of a segment have, for steps that nobody told which to count.
#include "query/path.h"
#include "query/tally.h"

struct found {
    struct tally *t;
    struct exec_segment *s;
    struct tally_segment *list;
    uint32_t cap;
};

// A column that a step has made, or a field that was already found, stands for its name.
static bool is_taken(const struct found *f, uint32_t field)
{
    if (field < f->t->named)
        return true;
    for (uint32_t i = 0; i < f->list->n; i++) {
        if (f->list->places[i].field == field)
            return true;
    }
    return false;
}

// Values that are only maps or bytes cannot be compared.
static bool comparable(const struct chain *c)
{
    for (uint32_t i = 0; i < c->n; i++) {
        const struct place *p = &c->places[i];
        if (p->kind != PLACE_STR || (p->type != QVAL_MAP && p->type != QVAL_BYTES))
            return true;
    }
    return false;
}

static int found_add(struct found *f, str name, struct chain *c)
{
    struct tally *t = f->t;
    uint32_t field;
    if (!comparable(c))
        return 0;
    if (t->n - t->named >= TALLY_FIELDS_MAX) {
        t->beyond++;
        return 0;
    }
    int rc = tally_field_get(t, name, TALLY_VALUES_MAX, &field);
    if (rc < 0 || is_taken(f, field))
        return rc;
    if (f->list->n == f->cap) {
        uint32_t cap = f->cap ? f->cap * 2 : 64;
        struct tally_segment *more = arena_alloc(&t->x->arena, sizeof *more + cap * sizeof *more->places);
        if (!more)
            return exec_nomem(t->x);
        memcpy(more, f->list, sizeof *more + f->list->n * sizeof *more->places);
        f->list = more;
        f->cap = cap;
    }
    f->list->places[f->list->n++] = (struct tally_place){ field, c };
    return 0;
}

// ---- fixed fields ----

static bool few_words(const struct query_field_info *f, uint16_t sources)
{
    if (f->id == QUERY_F_SOURCE)
        return sources & (sources - 1); // more than one kind
    return f->type.type == QUERY_ENUM || f->type.type == QUERY_LEVEL || query_alias_of_field(QUERY_SPANS, f->id) >= 0;
}

static bool tells_apart(const struct query_field_info *f, uint16_t sources)
{
    switch (f->id) {
    case QUERY_F_ID:
    case QUERY_F_TEXT:
    case QUERY_F_PATTERN:
    case QUERY_F_SEVERITY: // as level
    case QUERY_F_SEVERITY_TEXT:
    case QUERY_F_FLAGS:
    case QUERY_F_DROPPED:
    case QUERY_F_TRACESTATE:
    case QUERY_F_PAYLOAD: // what is in it stands by itself (tally_vars.c)
        return false;
    case QUERY_F_SOURCE:
        return sources & (sources - 1);
    case QUERY_F_BODY:
        return true;
    default:
        return !f->type.list && f->type.type != QUERY_ID && f->type.type != QUERY_TIME && f->type.type != QUERY_ANY;
    }
}

// The release is the version unless the data says it apart.
static int is_version_again(struct exec *x, struct exec_segment *s, enum query_field_id id, bool *ret)
{
    struct chain *release, *version;
    *ret = false;
    if (id != QUERY_F_RELEASE)
        return 0;
    int rc = chain_field(x, s, QUERY_F_RELEASE, &release);
    if (rc == 0)
        rc = chain_field(x, s, QUERY_F_VERSION, &version);
    if (rc == 0)
        *ret = release->n == 1 && version->n == 1;
    return rc;
}

static int add_fixed(struct found *f)
{
    const struct query_plan *plan = f->t->x->plan;
    const struct query_field_info *info;
    int rc = 0;
    for (uint32_t i = 0; rc == 0 && (info = query_field_at(f->s->source, i)); i++) {
        struct chain *c;
        bool again;
        if (info->level > QUERY_LEVEL_BUILT || !tells_apart(info, plan->sources) ||
            (f->t->enums_only && !few_words(info, plan->sources)) ||
            ((info->flags & QUERY_FF_VALUES) && plan->values_hidden))
            continue;
        rc = is_version_again(f->t->x, f->s, info->id, &again);
        if (rc == 0 && !again)
            rc = chain_field(f->t->x, f->s, info->id, &c);
        if (rc == 0 && !again && c->n > 0)
            rc = found_add(f, query_field_name(info->id), c);
    }
    return rc;
}

// ---- attributes ----

// Would the key, written as it is, mean something else?
static bool hides(enum query_source s, str key)
{
    static const char *const words[] = { "attr",     "scope",     "resource",  "event",   "link", "vars",
                                         "frame",    "expr",      "parent",    "root",    "body", "positive",
                                         "negative", "quantiles", "exemplars", "metadata" };
    ptrdiff_t dot = str_find_char(key, '.', 0);
    str first = dot < 0 ? key : str_slice(key, 0, (size_t)dot);
    for (size_t i = 0; i < sizeof words / sizeof *words && dot >= 0; i++) {
        if (str_eq(first, str_z(words[i])))
            return true;
    }
    return query_field_find(s, key) != NULL;
}

// The key feeds a fixed field, under which it is counted.
static bool is_fed(enum query_source s, str key, enum query_attr_level level)
{
    const struct query_field_info *fixed = query_field_find(s, key);
    int group = fixed ? query_alias_of_field(s, fixed->id) : -1;
    const struct query_alias_group *g = group >= 0 ? query_alias_get((uint32_t)group) : NULL;
    for (uint32_t i = 0; g && i < g->key_count; i++) {
        if (str_eq(g->keys[i].key, key) && (g->keys[i].level == QUERY_AT_ANY || g->keys[i].level == level))
            return true;
    }
    return false;
}

static int add_key(struct found *f, str key, enum query_attr_level level)
{
    struct exec *x = f->t->x;
    enum query_source s = f->s->source;
    struct query_ref *ref;
    struct query_path_item *path;
    struct chain *c;
    uint32_t n, known;
    str name = key;
    if (key.len == 0 || is_fed(s, key, level))
        return 0;
    int group = query_alias_find(s, key);
    if (group >= 0 && query_alias_get((uint32_t)group)->field == QUERY_FIELD_NONE) {
        name = query_alias_get((uint32_t)group)->name;
    } else if (hides(s, key)) {
        const char *prefix = level == QUERY_AT_RECORD ? "attr" : level == QUERY_AT_SCOPE ? "scope" : "resource";
        name = arena_printf(&x->arena, "%s.%.*s", prefix, STR_ARG(key));
        if (!name.ptr)
            return exec_nomem(x);
        group = -1;
    } else {
        level = QUERY_AT_ANY;
        group = -1;
    }
    if (f->t->n - f->t->named < TALLY_FIELDS_MAX) {
        int rc = tally_field_get(f->t, name, TALLY_VALUES_MAX, &known);
        if (rc < 0 || is_taken(f, known)) // another column or level of the same key
            return rc;
    }
    ref = arena_zalloc(&x->arena, sizeof *ref);
    if (!ref || path_of_key(&x->arena, key, &path, &n) < 0)
        return exec_nomem(x);
    ref->slot = QUERY_NO_SLOT;
    ref->path = path;
    ref->path_len = n;
    ref->bind[s] = (struct query_binding){ .kind = group >= 0 ? QUERY_BIND_ALIAS : QUERY_BIND_ATTR,
                                           .level = (uint8_t)level,
                                           .group = (uint16_t)(group >= 0 ? group : 0),
                                           .path_from = (uint16_t)(group >= 0 ? n : 0) };
    int rc = chain_new(x, f->s, ref, &c);
    return rc < 0 ? rc : found_add(f, name, c);
}

static int add_attributes(struct found *f)
{
    const struct segment *seg = f->s->seg;
    int rc = 0;
    for (uint32_t i = 0; i < segment_columns(seg, TABLE_ROWS) && rc == 0; i++) {
        struct column c = segment_column(seg, TABLE_ROWS, i);
        if (c.level != ATTR_RECORD)
            continue;
        f->t->overflow |= c.key.len == 0 && c.type == VALUE_MAP;
        rc = add_key(f, c.key, QUERY_AT_RECORD);
    }
    for (int resource = 0; resource < 2 && rc == 0; resource++) {
        uint32_t n = resource ? segment_resources(seg) : segment_scopes(seg);
        for (uint32_t i = 0; i < n && rc == 0; i++) {
            const struct record_entity *e = resource ? segment_resource(seg, i) : segment_scope(seg, i);
            for (uint32_t k = 0; k < e->attrs_n && rc == 0; k++)
                rc = add_key(f, e->attrs[k].key, resource ? QUERY_AT_RESOURCE : QUERY_AT_SCOPE);
        }
    }
    return rc;
}

// Names of variables and expressions that rows had; `from`: those that have been added before.
static int add_vars(struct found *f, uint32_t from)
{
    struct exec *x = f->t->x;
    int rc = 0;
    for (uint32_t i = from; i < f->t->vars_n && rc == 0; i++) {
        const struct tally_var *var = &f->t->vars[i];
        struct query_ref *ref = arena_zalloc(&x->arena, sizeof *ref);
        struct query_path_item *path;
        struct chain *c;
        uint32_t n;
        if (!ref || path_of_key(&x->arena, var->name, &path, &n) < 0)
            return exec_nomem(x);
        ref->slot = QUERY_NO_SLOT;
        ref->path = path;
        ref->path_len = n;
        ref->bind[f->s->source] =
            (struct query_binding){ .kind = QUERY_BIND_ATTR, .level = var->level, .path_from = 1 };
        rc = chain_new(x, f->s, ref, &c);
        if (rc == 0)
            rc = found_add(f, var->name, c);
    }
    return rc;
}

int tally_segment_get(struct tally *t, struct exec_segment *s, const struct tally_segment **ret)
{
    static struct tally_segment none;
    struct found f = { .t = t, .s = s, .list = &none };
    int rc = 0;
    if (!t->segments) {
        t->segments = arena_zalloc(&t->x->arena, (t->x->segs_n + 1) * sizeof(struct tally_segment *));
        if (!t->segments)
            return exec_nomem(t->x);
    }
    if (!t->segments[s->index]) {
        rc = add_fixed(&f);
        if (rc == 0)
            rc = add_attributes(&f);
        t->segments[s->index] = f.list;
    }
    if (rc == 0 && s->source == QUERY_SNAPSHOTS && t->segments[s->index]->vars < t->vars_n) {
        f.list = t->segments[s->index];
        f.cap = f.list->n; // how many it has room for is not known: one more makes room anew
        rc = add_vars(&f, f.list->vars);
        if (f.list != &none)
            f.list->vars = t->vars_n;
        t->segments[s->index] = f.list;
    }
    *ret = t->segments[s->index];
    return rc;
}
