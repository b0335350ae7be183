// Resolving names: a column of an earlier step, else per kind of record a fixed field, an alias group
// or an attribute.
#include "query/plan_internal.h"

#include "base/buf.h"
#include "base/err.h"

#include <stdio.h>

enum { PATH_MAX_ITEMS = 128 };

// ---- the name as a path
static int make_path(struct planner *pl, const struct query_ast_field *f, struct query_ref *ref)
{
    uint32_t n = pl->child != NULL;
    for (const struct query_ast_seg *s = f->segs; s; s = s->next)
        n++;
    if (n > PATH_MAX_ITEMS)
        return plan_fail(pl, f->pos, QUERY_E_TOO_DEEP, "a name of more than %d parts", PATH_MAX_ITEMS);
    struct query_path_item *path = arena_alloc_array(pl->arena, n, sizeof *path);
    if (!path)
        return plan_nomem(pl);
    n = 0;
    if (pl->child) // inside event{..} all names are the event's
        path[n++] = (struct query_path_item){ .name = str_z(pl->child) };
    for (const struct query_ast_seg *s = f->segs; s; s = s->next)
        path[n++] = (struct query_path_item){ s->name, s->index, s->is_index };
    ref->path = path;
    ref->path_len = n;
    return 0;
}

// Items [from, to) joined by points; indexes as [n].
static int join_path(struct planner *pl, const struct query_path_item *path, uint32_t from, uint32_t to, str *ret)
{
    size_t size = 1;
    for (uint32_t i = from; i < to; i++)
        size += path[i].is_index ? 13 : path[i].name.len + 1;
    char *out = arena_alloc_bytes(pl->arena, size);
    if (!out)
        return plan_nomem(pl);
    size_t n = 0;
    for (uint32_t i = from; i < to; i++) {
        if (path[i].is_index) {
            char index[16];
            int len = snprintf(index, sizeof index, "[%u]", path[i].index);
            memcpy(out + n, index, (size_t)len);
            n += (size_t)len;
            continue;
        }
        if (n)
            out[n++] = '.';
        memcpy(out + n, path[i].name.ptr, path[i].name.len);
        n += path[i].name.len;
    }
    *ret = str_of(out, n);
    return 0;
}

int plan_field_name(struct planner *pl, const struct query_ast_field *f, str *ret_name)
{
    struct query_ref tmp = { 0 };
    int r = make_path(pl, f, &tmp);
    return r < 0 ? r : join_path(pl, tmp.path, 0, tmp.path_len, ret_name);
}

// Items of the path before the first index.
static uint32_t name_items(const struct query_ref *ref)
{
    uint32_t n = 0;
    while (n < ref->path_len && !ref->path[n].is_index)
        n++;
    return n;
}

// ---- columns
static int32_t find_column(const struct planner *pl, str name)
{
    for (uint32_t i = pl->visible_count; i-- > 0;)
        if (str_eq(pl->plan->columns[pl->visible[i]].name, name))
            return pl->visible[i];
    return QUERY_NO_SLOT;
}

// A name of the same alias group, for `stats .. by http.status_code | sort http.response.status_code`.
static int32_t find_column_alias(const struct planner *pl, str name)
{
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++) {
        int group = pl->plan->sources >> s & 1 ? query_alias_find((enum query_source)s, name) : -1;
        if (group < 0)
            continue;
        for (uint32_t i = pl->visible_count; i-- > 0;)
            if (query_alias_find((enum query_source)s, pl->plan->columns[pl->visible[i]].name) == group)
                return pl->visible[i];
    }
    return QUERY_NO_SLOT;
}

static int resolve_column(struct planner *pl, struct query_ref *ref)
{
    if (pl->child)
        return 0;
    // The whole name first; a shorter one leads into a list or map that the column holds.
    for (uint32_t n = name_items(ref); n > 0; n--) {
        str name;
        int r = join_path(pl, ref->path, 0, n, &name);
        if (r < 0)
            return r;
        int32_t slot = find_column(pl, name);
        if (slot < 0 && !pl->open)
            slot = find_column_alias(pl, name);
        if (slot < 0)
            continue;
        ref->slot = slot;
        ref->path_from_slot = (uint16_t)n;
        ref->type =
            n == ref->path_len ? pl->plan->columns[slot].type : (struct query_typeinfo){ QUERY_ANY, false, NULL };
        return 0;
    }
    return 0;
}

// Is this name, for no kind of record, a fixed field or one level of the attributes?
static bool only_attribute(const struct planner *pl, const struct query_ref *ref)
{
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++) {
        const struct query_binding *b = &ref->bind[s];
        bool any = b->kind == QUERY_BIND_ALIAS || (b->kind == QUERY_BIND_ATTR && b->level == QUERY_AT_ANY);
        if (pl->plan->sources >> s & 1 && !any)
            return false;
    }
    return true;
}

static int unknown_column(struct planner *pl, const struct query_ref *ref, struct query_pos pos)
{
    int r = plan_fail(pl, pos, QUERY_E_UNKNOWN_COLUMN, "there is no column `%.*s` here",
                      (int)(ref->name.len < 80 ? ref->name.len : 80), ref->name.ptr);
    query_error_hint(pl->err, "behind `select` or `stats` only their own columns exist");
    struct suggest s = { .word = ref->name };
    for (uint32_t i = 0; i < pl->visible_count; i++)
        suggest_offer(&s, pl->plan->columns[pl->visible[i]].name);
    suggest_give(&s, pl->err);
    // The others by name, so that the list is the same however the step was written.
    str last = { "", 0 };
    for (uint32_t k = 0; k < pl->visible_count; k++) {
        const str *next = NULL;
        for (uint32_t i = 0; i < pl->visible_count; i++) {
            const str *name = &pl->plan->columns[pl->visible[i]].name;
            if (str_cmp(*name, last) > 0 && (!next || str_cmp(*name, *next) < 0))
                next = name;
        }
        if (!next)
            break;
        query_error_suggest(pl->err, *next);
        last = *next;
    }
    return r;
}

// ---- records
static int not_a_list(struct planner *pl, const struct query_ref *ref, str name)
{
    int r = plan_fail(pl, ref->pos, QUERY_E_TYPE_MISMATCH, "`%.*s` is no list", STR_ARG(name));
    query_error_suggest(pl->err, name);
    return r;
}

static int check_level(struct planner *pl, const struct query_field_info *info, struct query_pos pos)
{
    return info->level <= pl->level ? 0 : plan_not_yet(pl, pos, "the field", query_field_name(info->id));
}

// *ret_found tells whether ref is a fixed field of kind s (the longest name that is one).
static int bind_fixed(struct planner *pl, enum query_source s, uint32_t from, struct query_ref *ref, bool *ret_found)
{
    *ret_found = false;
    for (uint32_t n = name_items(ref); n > from; n--) {
        str name;
        int r = join_path(pl, ref->path, from, n, &name);
        if (r < 0)
            return r;
        const struct query_field_info *info = query_field_find(s, name);
        if (!info)
            continue;
        bool open = info->flags & QUERY_FF_OPEN;
        if (n < ref->path_len && !open && !ref->path[n].is_index)
            continue; // `user.x`: an attribute
        if (n < ref->path_len && !open && !info->type.list)
            return not_a_list(pl, ref, name);
        if ((r = check_level(pl, info, ref->pos)) < 0)
            return r;
        ref->bind[s] =
            (struct query_binding){ .kind = QUERY_BIND_FIXED, .field = (uint16_t)info->id, .path_from = (uint16_t)n };
        *ret_found = true;
        return 0;
    }
    return 0;
}

static void bind_attr(struct query_ref *ref, enum query_source s, enum query_attr_level level, uint32_t from)
{
    ref->bind[s] =
        (struct query_binding){ .kind = QUERY_BIND_ATTR, .level = (uint8_t)level, .path_from = (uint16_t)from };
}

// Prefixes that lead to one level of attributes or to children.
static bool bind_prefix(struct query_ref *ref, enum query_source s)
{
    static const struct {
        const char *prefix;
        uint16_t sources;
        enum query_attr_level level;
    } prefixes[] = {
        { "attr", QS_ALL, QUERY_AT_RECORD },       { "scope", QS_ALL, QUERY_AT_SCOPE },
        { "resource", QS_ALL, QUERY_AT_RESOURCE }, { "event", QS_SPANS, QUERY_AT_EVENT },
        { "link", QS_SPANS, QUERY_AT_LINK },       { "vars", QS_SNAPSHOTS | QS_EVENTS, QUERY_AT_VARS },
        { "frame", QS_SNAPSHOTS, QUERY_AT_FRAME }, { "expr", QS_SNAPSHOTS, QUERY_AT_EXPR },
    };
    if (ref->path_len < 2)
        return false;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        if (!(prefixes[i].sources >> s & 1) || !str_eq(ref->path[0].name, str_z(prefixes[i].prefix)))
            continue;
        if (ref->path[1].is_index != (prefixes[i].level == QUERY_AT_FRAME))
            continue;
        bind_attr(ref, s, prefixes[i].level, 1);
        return true;
    }
    return false;
}

// parent.F and root.F with a fixed field F of spans.
static int bind_hop(struct planner *pl, struct query_ref *ref, bool *ret_found)
{
    bool parent = str_eq(ref->path[0].name, STR("parent")), root = str_eq(ref->path[0].name, STR("root"));
    *ret_found = false;
    if ((!parent && !root) || name_items(ref) < 2)
        return 0;
    int r = bind_fixed(pl, QUERY_SPANS, 1, ref, ret_found);
    if (r < 0 || !*ret_found)
        return r;
    enum { HOP_LEVEL = 3 };
    if (pl->level < HOP_LEVEL)
        return plan_not_yet(pl, ref->pos, "the field of another span", ref->name);
    ref->bind[QUERY_SPANS].hop = parent ? QUERY_HOP_PARENT : QUERY_HOP_ROOT;
    return 0;
}

static int bind_source(struct planner *pl, enum query_source s, struct query_ref *ref)
{
    bool found;
    int r = bind_fixed(pl, s, 0, ref, &found);
    if (r < 0 || found)
        return r;
    enum { FRAMES_LEVEL = 3 };
    if (bind_prefix(ref, s) && ref->bind[s].level == QUERY_AT_FRAME && pl->level < FRAMES_LEVEL)
        return plan_not_yet(pl, ref->pos, "the field of another frame", ref->name);
    if (ref->bind[s].kind == QUERY_BIND_ATTR)
        return join_path(pl, ref->path, 1, name_items(ref), &ref->key[s]);
    if (s == QUERY_SPANS && ((r = bind_hop(pl, ref, &found)) < 0 || found))
        return r;
    uint32_t n = name_items(ref);
    if ((r = join_path(pl, ref->path, 0, n, &ref->key[s])) < 0)
        return r;
    int group = query_alias_find(s, ref->key[s]);
    if (group >= 0)
        ref->bind[s] =
            (struct query_binding){ .kind = QUERY_BIND_ALIAS, .group = (uint16_t)group, .path_from = (uint16_t)n };
    else
        bind_attr(ref, s, QUERY_AT_ANY, 0);
    return 0;
}

static struct query_typeinfo binding_type(enum query_source s, const struct query_ref *ref)
{
    struct query_typeinfo any = { QUERY_ANY, false, NULL };
    const struct query_binding *b = &ref->bind[s];
    if (b->kind != QUERY_BIND_FIXED)
        return any;
    struct query_typeinfo t = query_field_get(s, (enum query_field_id)b->field)->type;
    if (b->path_from == ref->path_len)
        return t;
    if (!t.list || ref->path_len != b->path_from + 1u)
        return any;
    t.list = false; // one element
    return t;
}

// One type for all kinds, or QUERY_ANY.
static void join_types(struct planner *pl, struct query_ref *ref)
{
    bool first = true;
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++) {
        if (!(pl->plan->sources >> s & 1))
            continue;
        struct query_typeinfo t = binding_type((enum query_source)s, ref);
        if (first)
            ref->type = t;
        else if (t.type != ref->type.type || t.list != ref->type.list || t.words != ref->type.words)
            ref->type = (struct query_typeinfo){ QUERY_ANY, false, NULL };
        first = false;
    }
}

// The first name of the group, when it is the same for every kind.
static void find_printed(struct planner *pl, struct query_ref *ref)
{
    str printed = { NULL, 0 };
    ref->printed = ref->name;
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++) {
        if (!(pl->plan->sources >> s & 1))
            continue;
        int group = query_alias_find((enum query_source)s, ref->name);
        if (group < 0 || (printed.ptr && !str_eq(printed, query_alias_get((uint32_t)group)->name)))
            return;
        printed = query_alias_get((uint32_t)group)->name;
    }
    ref->printed = printed;
}

// ---- permission
static bool needs_values(const struct query_ref *ref, enum query_source s)
{
    const struct query_binding *b = &ref->bind[s];
    if (b->kind == QUERY_BIND_FIXED)
        return query_field_get(s, (enum query_field_id)b->field)->flags & QUERY_FF_VALUES;
    return b->kind == QUERY_BIND_ATTR &&
           (b->level == QUERY_AT_VARS || b->level == QUERY_AT_FRAME || b->level == QUERY_AT_EXPR);
}

static int check_values(struct planner *pl, const struct query_ref *ref)
{
    uint16_t guarded = 0;
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++)
        if (pl->plan->sources >> s & 1 && needs_values(ref, (enum query_source)s))
            guarded |= (uint16_t)(1 << s);
    if (!guarded)
        return 0;
    if (pl->opt->may_values) {
        pl->plan->values_read = true;
        return 0;
    }
    pl->plan->values_hidden = true;
    if (guarded != pl->plan->sources) // with several kinds it is left out, and said
        return plan_hint(pl, ref->pos, "`%.*s` of captured records is left out: it needs the permission `values`",
                         STR_ARG(ref->name));
    int r =
        plan_fail(pl, ref->pos, QUERY_E_FORBIDDEN_FIELD, "`%.*s` needs the permission `values`", STR_ARG(ref->name));
    query_error_hint(pl->err, "captured values may hold secrets; who administers the project can grant it");
    return r;
}

// ---- all together
static const struct query_ref *find_same(const struct planner *pl, const struct query_ref *ref)
{
    for (uint32_t i = 0; i < pl->plan->ref_count; i++) {
        const struct query_ref *old = pl->plan->refs[i];
        if (old->slot == ref->slot && old->path_len == ref->path_len && str_eq(old->name, ref->name) &&
            old->path_from_slot == ref->path_from_slot)
            return old;
    }
    return NULL;
}

static int finish_ref(struct planner *pl, struct query_ref *ref, const struct query_ref **ret_ref)
{
    int r = join_path(pl, ref->path, 0, ref->path_len, &ref->name);
    if (r < 0)
        return r;
    ref->printed = ref->name;
    ref->slot = QUERY_NO_SLOT;
    if ((r = resolve_column(pl, ref)) < 0)
        return r;
    if (ref->slot < 0 && !pl->open && pl->fields >= 0)
        ref->slot = pl->fields; // any name may be a field of the text
    if (ref->slot < 0 && !pl->open)
        return unknown_column(pl, ref, ref->pos);
    const struct query_ref *same = find_same(pl, ref);
    if (same) {
        *ret_ref = same;
        return 0;
    }
    if (ref->slot < 0) {
        if ((r = plan_habit_name(pl, ref)) < 0)
            return r;
        for (int s = 0; s < QUERY_SOURCE_COUNT; s++)
            if (pl->plan->sources >> s & 1 && (r = bind_source(pl, (enum query_source)s, ref)) < 0)
                return r;
        if (str_eq(ref->name, STR("bucket")) &&
            (r = plan_hint(pl, ref->pos, "`bucket` is a column only behind the step that makes it: | bucket 1m")) < 0)
            return r;
        join_types(pl, ref);
        find_printed(pl, ref);
        if ((r = check_values(pl, ref)) < 0)
            return r;
        if (pl->fields >= 0 && !pl->child && only_attribute(pl, ref)) {
            ref->slot = pl->fields;
            ref->or_record = true;
            if ((same = find_same(pl, ref)) != NULL) {
                *ret_ref = same;
                return 0;
            }
        }
    }
    if ((r = plan_grow(pl, &pl->plan->refs, pl->plan->ref_count, &pl->ref_cap, sizeof *pl->plan->refs)) < 0)
        return r;
    ref->index = pl->plan->ref_count;
    pl->plan->refs[pl->plan->ref_count++] = ref;
    *ret_ref = ref;
    return 0;
}

int plan_ref(struct planner *pl, const struct query_ast_field *f, const struct query_ref **ret_ref)
{
    struct query_ref *ref = arena_zalloc(pl->arena, sizeof *ref);
    if (!ref)
        return plan_nomem(pl);
    ref->pos = f->pos;
    int r = make_path(pl, f, ref);
    return r < 0 ? r : finish_ref(pl, ref, ret_ref);
}

int plan_ref_named(struct planner *pl, const char *name, struct query_pos pos, const struct query_ref **ret_ref)
{
    return plan_ref_name(pl, str_z(name), pos, ret_ref);
}

int plan_ref_name(struct planner *pl, str name, struct query_pos pos, const struct query_ref **ret_ref)
{
    struct query_ref *ref = arena_zalloc(pl->arena, sizeof *ref);
    struct query_path_item *path = arena_zalloc(pl->arena, sizeof *path);
    if (!ref || !path)
        return plan_nomem(pl);
    path->name = name;
    ref->path = path;
    ref->path_len = 1;
    ref->pos = pos;
    return finish_ref(pl, ref, ret_ref);
}

bool plan_ref_is_field(const struct planner *pl, const struct query_ref *ref, enum query_field_id id)
{
    if (ref->slot >= 0)
        return false;
    for (int s = 0; s < QUERY_SOURCE_COUNT; s++)
        if (pl->plan->sources >> s & 1 && (ref->bind[s].kind != QUERY_BIND_FIXED || ref->bind[s].field != id ||
                                           ref->bind[s].hop || ref->bind[s].path_from != ref->path_len))
            return false;
    return true;
}
