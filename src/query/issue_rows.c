#include "query/issue_rows.h"

#include "base/hash.h"
#include "query/issues.h"
#include "store/made.h"

#include <stdio.h>

// ---- the source ----

enum { ISSUE_ATTRS_MAX = 20, LIST_BYTES_MAX = 1 << 20, SHORT_MAX = 96 };

struct issue_record {
    struct attr attrs[ISSUE_ATTRS_MAX];
    uint32_t n;
    struct buf lists[3];
};

static void put(struct issue_record *r, str key, struct value v)
{
    r->attrs[r->n++] = (struct attr){ .key = key, .level = ATTR_FIELD, .value = v };
}

static void put_text(struct issue_record *r, str key, str text)
{
    if (text.len)
        put(r, key, value_str(text));
}

static void put_list(struct issue_record *r, struct buf *b, str key, const str *texts, uint32_t n)
{
    if (!n)
        return;
    buf_clear(b);
    buf_byte(b, VALUE_LIST);
    buf_varint(b, n);
    for (uint32_t i = 0; i < n; i++) {
        struct value v = value_str(texts[i]);
        value_encode(b, &v);
    }
    put(r, key, (struct value){ .type = VALUE_LIST, .s = buf_view(b) });
}

// Empty when the project has no name here. out: room for it.
static str short_id(const struct query_request *q, const struct query_issue *issue, char out[SHORT_MAX])
{
    int n = 0;
    if (issue->short_id.len)
        return issue->short_id;
    for (uint32_t i = 0; i < q->projects_n && n == 0; i++)
        if (q->projects[i].id == issue->project)
            n = snprintf(out, SHORT_MAX, "%.*s-%lld", STR_ARG(str_slice(q->projects[i].name, 0, 64)),
                         (long long)issue->id);
    for (int i = 0; i < n; i++)
        if (out[i] >= 'a' && out[i] <= 'z')
            out[i] = (char)(out[i] - 32);
    return str_of(out, (size_t)n);
}

static int issue_add(struct exec *x, struct made *m, struct issue_record *r, const struct query_issue *q)
{
    char text[SHORT_MAX];
    r->n = 0;
    put(r, STR("id"), value_int(q->id));
    put_text(r, STR("short"), short_id(x->q, q, text));
    put_text(r, STR("title"), q->title);
    put_text(r, STR("type"), q->type);
    put_text(r, STR("culprit"), q->culprit);
    put_text(r, STR("state"), q->state);
    put_text(r, STR("priority"), q->priority);
    put_text(r, STR("assignee"), q->assignee);
    put_text(r, STR("first_release"), q->first_release);
    put(r, STR("first"), value_int(q->first));
    put(r, STR("last"), value_int(q->last));
    put(r, STR("events"), value_int(q->events < INT64_MAX ? (int64_t)q->events : INT64_MAX));
    put(r, STR("users"), value_int(q->users < INT64_MAX ? (int64_t)q->users : INT64_MAX));
    put_list(r, &r->lists[0], STR("service"), q->services, q->services_n);
    put_list(r, &r->lists[1], STR("release"), q->releases, q->releases_n);
    put_list(r, &r->lists[2], STR("environment"), q->environments, q->environments_n);
    for (int i = 0; i < 3; i++)
        if (r->lists[i].error)
            return r->lists[i].error;
    struct record record = {
        .time = q->last, .severity = q->severity, .name = q->type, .attrs = r->attrs, .attrs_n = r->n
    };
    return made_add(m, q->project, q->last, &record);
}

static int issues_make(struct exec *x, const struct query_issue *rows, size_t n, const struct segment **ret)
{
    struct issue_record r;
    int rc = made_new(&x->made);
    for (int i = 0; i < 3; i++)
        buf_init(&r.lists[i], LIST_BYTES_MAX);
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (rows[i].events) // it was seen in the range
            rc = issue_add(x, x->made, &r, &rows[i]);
        if (rc == 0 && i % BLOCK_ROWS == 0)
            rc = exec_poll(x);
    }
    for (int i = 0; i < 3; i++)
        buf_free(&r.lists[i]);
    return rc < 0 ? rc : made_end(x->made, ret);
}

int exec_issues(struct exec *x)
{
    const struct query_issues *issues = x->q->issues;
    const struct segment *seg = NULL;
    struct query_issue *rows = NULL;
    size_t n = 0;
    if (!issues || !(x->plan->sources & QS_ISSUES))
        return 0;
    uint32_t *projects = arena_alloc_array(&x->arena, x->q->projects_n + 1, sizeof *projects);
    if (!projects)
        return exec_nomem(x);
    for (uint32_t i = 0; i < x->q->projects_n; i++)
        projects[i] = x->q->projects[i].id;
    int rc = issues->rows(issues->ctx, x->q->all_projects ? NULL : projects, x->q->projects_n,
                          x->plan->range_all ? INT64_MIN : x->plan->from, x->plan->range_all ? INT64_MAX : x->plan->to,
                          &x->arena, &rows, &n);
    if (rc == 0 && n)
        rc = issues_make(x, rows, n, &seg);
    if (rc < 0)
        return x->err->code != QUERY_OK ? rc : exec_fail(x, rc);
    if (!seg)
        return 0;
    struct exec_segment *s = &x->segs[x->segs_n];
    *s = (struct exec_segment){ .seg = seg, .info = segment_info(seg), .index = x->segs_n, .source = QUERY_ISSUES };
    for (int t = 0; t < TABLE_N; t++)
        s->block[t] = BLOCK_NONE;
    x->segs_n++;
    return 0;
}

void exec_issues_free(struct exec *x)
{
    made_free(x->made);
    x->made = NULL;
}

// ---- the field ----

// What was asked for, of the whole query: groups repeat from segment to segment.
struct issue_memo {
    struct known {
        str hash;
        uint64_t h;
        int64_t issue; // 0: in none
        uint32_t project;
    } * known;
    uint32_t n, slots; // slots: a power of two
};

// Of the ordinals of one segment's dictionary.
struct issue_ordinals {
    struct answered {
        int64_t issue;    // 0: in none
        uint32_t project; // + 1; 0: not asked yet
    } * at;
    uint32_t n;
};

int issue_place(struct exec *x, uint32_t col, struct place *ret)
{
    struct issue_ordinals *o = arena_zalloc(&x->arena, sizeof *o);
    if (!o)
        return exec_nomem(x);
    *ret = (struct place){ .kind = PLACE_ISSUE, .col = col, .issue_ordinals = o };
    return 0;
}

static int memo_grow(struct exec *x, struct issue_memo *m)
{
    uint32_t slots = m->slots ? m->slots * 2 : 256;
    struct known *known = arena_zalloc(&x->arena, slots * sizeof *known);
    if (!known)
        return exec_nomem(x);
    for (uint32_t i = 0; i < m->slots; i++) {
        if (!m->known[i].hash.ptr)
            continue;
        uint32_t at = (uint32_t)m->known[i].h & (slots - 1);
        while (known[at].hash.ptr)
            at = (at + 1) & (slots - 1);
        known[at] = m->known[i];
    }
    m->known = known;
    m->slots = slots;
    return 0;
}

static int issue_ask(struct exec *x, uint32_t project, str hash, int64_t *ret)
{
    struct exec *root = x;
    while (root->outer)
        root = root->outer;
    if (!root->issue_memo && !(root->issue_memo = arena_zalloc(&root->arena, sizeof *root->issue_memo)))
        return exec_nomem(x);
    struct issue_memo *m = root->issue_memo;
    int rc = m->n * 2 >= m->slots ? memo_grow(root, m) : 0;
    if (rc < 0)
        return rc;
    uint64_t h = hash64_str(hash) + project * 0x9e3779b97f4a7c15u;
    uint32_t at = (uint32_t)h & (m->slots - 1);
    for (; m->known[at].hash.ptr; at = (at + 1) & (m->slots - 1)) {
        const struct known *k = &m->known[at];
        if (k->h == h && k->project == project && str_eq(k->hash, hash)) {
            *ret = k->issue;
            return 0;
        }
    }
    struct known k = { .h = h, .project = project };
    rc = x->q->issues->of_hash(x->q->issues->ctx, project, hash, &k.issue);
    if (rc < 0 && rc != ERR_NOENT)
        return exec_fail(x, rc);
    if (rc == ERR_NOENT)
        k.issue = 0;
    if (arena_dup(&root->arena, hash, &k.hash) < 0)
        return exec_nomem(x);
    m->known[at] = k;
    m->n++;
    *ret = k.issue;
    return 0;
}

enum { LEAF_GROUPS_MAX = 1000 };

// Of one leaf of the plan: the same in all segments.
struct issue_leaf {
    struct issue_leaf *next;
    const struct query_filter *leaf;
    str *groups;
    uint32_t n;
    bool is;
};

static int leaf_ask(struct exec *x, const struct query_filter *leaf, struct issue_leaf *l)
{
    const struct query_issues *issues = x->q->issues;
    for (uint32_t i = 0; i < leaf->value_count; i++) {
        const struct query_literal *lit = &leaf->values[i];
        uint32_t project;
        size_t n;
        str *some, *all;
        if (!(lit->readings & QR_INT) || lit->wildcard)
            return 0;
        int rc = issues->hashes(issues->ctx, lit->i, &x->arena, &project, &some, &n);
        if (rc == ERR_NOENT)
            continue;
        if (rc < 0)
            return exec_fail(x, rc);
        if (n + l->n > LEAF_GROUPS_MAX)
            return 0;
        all = arena_alloc_array(&x->arena, n + l->n + 1, sizeof *all);
        if (!all)
            return exec_nomem(x);
        for (uint32_t k = 0; k < l->n; k++)
            all[k] = l->groups[k];
        for (size_t k = 0; k < n; k++)
            all[l->n + k] = some[k];
        l->groups = all;
        l->n += (uint32_t)n;
    }
    l->is = true;
    return 0;
}

int issue_leaf_groups(struct exec *x, const struct query_filter *leaf, const str **ret_groups, uint32_t *ret_n,
                      bool *ret_is)
{
    struct issue_leaf *l = x->issue_leaves;
    int rc = 0;
    while (l && l->leaf != leaf)
        l = l->next;
    if (!l) {
        if (!(l = arena_zalloc(&x->arena, sizeof *l)))
            return exec_nomem(x);
        *l = (struct issue_leaf){ .next = x->issue_leaves, .leaf = leaf };
        x->issue_leaves = l;
        rc = leaf_ask(x, leaf, l);
    }
    *ret_groups = l->groups;
    *ret_n = l->n;
    *ret_is = l->is;
    return rc;
}

static bool among(const str *groups, uint32_t n, str group)
{
    for (uint32_t k = 0; k < n; k++)
        if (str_eq(groups[k], group))
            return true;
    return false;
}

enum { SEEN_OTHER = 1, SEEN_WANTED };

int issue_leaf_rows(struct exec *x, struct exec_segment *s, const struct query_filter *leaf, const struct place *p,
                    uint8_t **seen, uint32_t *seen_n, const uint64_t *in, uint32_t n, const uint64_t **ret)
{
    const str *groups;
    uint32_t groups_n;
    uint64_t *some;
    struct vec v;
    bool is = false;
    int rc = 0;
    *ret = in;
    if (leaf->kind == QUERY_FILTER_COMPARE && leaf->cmp == QUERY_EQ && leaf->target == QUERY_TARGET_REF)
        rc = issue_leaf_groups(x, leaf, &groups, &groups_n, &is);
    if (rc < 0 || !is)
        return rc;
    rc = exec_column(x, s, TABLE_ROWS, p->col, &v);
    if (rc < 0)
        return rc;
    if (!v.dict)
        return 0;
    if (!*seen && !v.dict_is_block) {
        *seen_n = dict_entries(v.dict);
        *seen = arena_zalloc(&x->arena, (size_t)*seen_n + 1);
    }
    some = exec_bits(x, n, false);
    if (!some || (!*seen && !v.dict_is_block))
        return exec_nomem(x);
    for (BITS_EACH(i, in, n)) {
        uint32_t ord = v.ord[i];
        if (!vec_has(&v, i))
            continue;
        uint8_t *known = !v.dict_is_block && ord < *seen_n ? *seen + ord : NULL;
        bool wanted = known && *known ? *known == SEEN_WANTED : among(groups, groups_n, dict_get(v.dict, ord));
        if (known)
            *known = wanted ? SEEN_WANTED : SEEN_OTHER;
        if (wanted)
            bit_set(some, i);
    }
    *ret = some;
    return 0;
}

// NULL and 0: the ordinals mean something in their block only.
static int ordinals_get(struct exec *x, const struct place *p, const struct vec *v, struct issue_ordinals **ret)
{
    struct issue_ordinals *o = p->issue_ordinals;
    *ret = NULL;
    if (v->dict_is_block || !v->dict)
        return 0;
    if (!o->at) {
        o->n = dict_entries(v->dict);
        o->at = arena_zalloc(&x->arena, ((size_t)o->n + 1) * sizeof *o->at);
        if (!o->at)
            return exec_nomem(x);
    }
    *ret = o;
    return 0;
}

int issue_vec(struct exec *x, struct exec_segment *s, const struct place *p, const struct vec *v, const uint64_t *sel,
              uint32_t n, struct cvec *ret)
{
    struct issue_ordinals *o;
    struct vec project;
    int64_t *out = exec_scratch(x, n, sizeof *out);
    uint64_t *present = exec_bits(x, n, false);
    if (!out || !present)
        return exec_nomem(x);
    int rc = ordinals_get(x, p, v, &o);
    if (rc == 0)
        rc = exec_column(x, s, TABLE_ROWS, COL_PROJECT, &project);
    for (BITS_EACH(i, sel, n)) {
        uint32_t ord;
        int64_t issue = 0;
        if (rc < 0)
            break;
        if (!vec_has(v, i))
            continue;
        ord = v->ord[i];
        struct answered *a = o && ord < o->n ? &o->at[ord] : NULL;
        if (a && a->project == project.u32[i] + 1u) {
            issue = a->issue;
        } else {
            rc = issue_ask(x, project.u32[i], dict_get(v->dict, ord), &issue);
            if (rc == 0 && a)
                *a = (struct answered){ issue, project.u32[i] + 1u };
        }
        if (rc == 0 && issue) {
            out[i] = issue;
            bit_set(present, i);
        }
    }
    *ret = (struct cvec){ .kind = CVEC_I64, .type = QVAL_INT, .i64 = out, .present = present };
    return rc;
}
