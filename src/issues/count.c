// Rows of events into groups. Where a field of a row stands follows from its shape, found out once for the rows of a call.
#include "base/hash.h"
#include "base/mem.h"
#include "issues/issues_internal.h"
#include "store/rows.h"

enum { SHAPES = 256, RESOURCES = 256, HASHES_OF_EVENT_MAX = 32, GROUPS_LOADED_MAX = 64 };

enum field {
    F_EVENT_ID,
    F_TITLE,
    F_TYPE,
    F_MESSAGE,
    F_CULPRIT,
    F_HANDLED,
    F_PLATFORM,
    F_TRANSACTION,
    F_GROUP,
    F_GROUPS,
    F_STACK,
    F_USER_ID,
    F_USER_EMAIL,
    F_USER_NAME,
    F_USER_IP,
    FIELDS,
};
static const struct {
    str key;
    uint8_t level, type;
} fields[FIELDS] = {
    [F_EVENT_ID] = { STR_INIT("event_id"), ATTR_FIELD, VALUE_STR },
    [F_TITLE] = { STR_INIT("title"), ATTR_FIELD, VALUE_STR },
    [F_TYPE] = { STR_INIT("type"), ATTR_FIELD, VALUE_STR },
    [F_MESSAGE] = { STR_INIT("message"), ATTR_FIELD, VALUE_STR },
    [F_CULPRIT] = { STR_INIT("culprit"), ATTR_FIELD, VALUE_STR },
    [F_HANDLED] = { STR_INIT("handled"), ATTR_FIELD, VALUE_BOOL },
    [F_PLATFORM] = { STR_INIT("platform"), ATTR_FIELD, VALUE_STR },
    [F_TRANSACTION] = { STR_INIT("transaction"), ATTR_FIELD, VALUE_STR },
    [F_GROUP] = { STR_INIT("group"), ATTR_FIELD, VALUE_STR },
    [F_GROUPS] = { STR_INIT("groups"), ATTR_FIELD, VALUE_LIST },
    [F_STACK] = { STR_INIT("stack.function"), ATTR_FIELD, VALUE_LIST },
    [F_USER_ID] = { STR_INIT("user.id"), ATTR_RECORD, VALUE_STR },
    [F_USER_EMAIL] = { STR_INIT("user.email"), ATTR_RECORD, VALUE_STR },
    [F_USER_NAME] = { STR_INIT("user.username"), ATTR_RECORD, VALUE_STR },
    [F_USER_IP] = { STR_INIT("user.ip_address"), ATTR_RECORD, VALUE_STR },
};

struct shape_memo {
    uint32_t ord;                 // + 1
    int16_t at[FIELDS], overflow; // place among the row's values; -1: not there
    uint32_t column[FIELDS], overflow_column;
};
struct resource_memo {
    uint32_t ord; // + 1
    str release, environment, service;
};

struct counting {
    struct issues *is;
    const struct segment *s;
    struct reader *r;
    struct rows rows;
    struct shape_memo shapes[SHAPES];
    struct resource_memo resources[RESOURCES];
    str hashes[HASHES_OF_EVENT_MAX];
};

// ---- one event -----------------------------------------------------------------------------------------

static int load(struct issues *is, struct group *g)
{
    struct detail *d = NULL;
    if (g->detail)
        return 0;
    struct err err;
    int r = g->id < is->index.groups_saved && g->events ? issues_db_detail(&is->writer, g->id, &d, &err) : 0;
    if (r == 0 && !d && !(d = detail_new()))
        r = ERR_NOMEM;
    if (r == 0)
        index_detail_set(&is->index, g, d);
    return r;
}

// The first known hash decides; the event's own is added to that issue when it is new.
static int group_of(struct issues *is, const struct event *e, struct group **ret_group)
{
    struct index *x = &is->index;
    uint8_t hash[16], other[16];
    struct issue *issue = NULL;
    if (!issue_hash_of(e->group, hash))
        return ERR_INVALID;
    if ((*ret_group = index_group(x, e->project, hash)))
        return 0;
    for (uint32_t i = 0; i < e->groups_n && !issue; i++) {
        struct group *g = issue_hash_of(e->groups[i], other) ? index_group(x, e->project, other) : NULL;
        issue = g ? index_issue(x, g->issue) : NULL;
    }
    bool full = x->groups_end > ISSUE_GROUPS_MAX || (!issue && x->issues_end > ISSUES_MAX);
    if (full) {
        is->overflow++;
        if ((*ret_group = index_other(x, e->project)))
            return 0;
        issue = NULL;
    }
    int r = 0;
    if (!issue) {
        if ((r = index_issue_add(x, e->project, &issue)) < 0)
            return r;
        issue->created = e->received;
        state_set(issue, ISSUE_NEW, e->received);
        r = activity_add(is, issue, e->received, ACTOR_CLEW, STR("first_seen"), e->release.len ? e->release : STR(""),
                         (str){ 0 });
    }
    is->anything = true;
    return r < 0 ? r : index_group_add(x, e->project, full ? NULL : hash, issue->id, ret_group);
}

// The further hashes of an event that nobody has are its issue's from now on.
static int learn_hashes(struct issues *is, const struct event *e, uint32_t issue)
{
    uint8_t hash[16];
    int r = 0;
    for (uint32_t i = 0; i < e->groups_n && r == 0; i++) {
        struct group *g;
        if (!issue_hash_of(e->groups[i], hash) || index_group(&is->index, e->project, hash) ||
            is->index.groups_end > ISSUE_GROUPS_MAX)
            continue;
        is->anything = true;
        r = index_group_add(&is->index, e->project, hash, issue, &g);
    }
    return r;
}

int issues_count_event(struct issues *is, const struct event *e)
{
    struct group *g = NULL;
    int r = group_of(is, e, &g);
    if (r < 0)
        return r == ERR_INVALID ? 0 : r;
    struct issue *issue = index_issue(&is->index, g->issue);
    if (!g->other && e->groups_n)
        r = learn_hashes(is, e, issue->id);
    if (r == 0)
        r = load(is, g);
    // What is usual, and how many users there are, is a matter of all groups.
    uint32_t n = 0;
    for (uint32_t id = issue->groups; id && issue->groups_n > 1 && n++ < GROUPS_LOADED_MAX && r == 0;
         id = is->index.groups[id]->next) {
        is->index.groups[id]->used = is->serial;
        if (!is->index.groups[id]->detail)
            r = load(is, is->index.groups[id]);
    }
    if (r == 0)
        r = detail_add(g->detail, e);
    if (r < 0)
        return r;
    g->events++;
    g->first = e->time < g->first ? e->time : g->first;
    g->last = e->time > g->last ? e->time : g->last;
    g->dirty = true;
    g->used = is->serial;
    is->events++;
    return state_event(is, issue, e);
}

// ---- rows ----------------------------------------------------------------------------------------------

static const struct shape_memo *shape_of(struct counting *k, uint32_t ord)
{
    struct shape_memo *m = &k->shapes[ord & (SHAPES - 1)];
    if (m->ord == ord + 1)
        return m;
    *m = (struct shape_memo){ .ord = ord + 1, .overflow = -1 };
    memset(m->at, 0xff, sizeof m->at);
    struct shape shape = segment_shape(k->s, TABLE_ROWS, ord);
    for (uint32_t i = 0; i < shape.n && i < INT16_MAX; i++) {
        struct column c = segment_column(k->s, TABLE_ROWS, shape.columns[i]);
        if (c.key.len == 0 && c.type == VALUE_MAP) {
            m->overflow = (int16_t)i;
            m->overflow_column = shape.columns[i];
        }
        for (int f = 0; f < FIELDS && c.key.len; f++)
            if (c.level == fields[f].level && c.type == fields[f].type && str_eq(c.key, fields[f].key)) {
                m->at[f] = (int16_t)i;
                m->column[f] = shape.columns[i];
            }
    }
    return m;
}

static str text_at(struct counting *k, uint32_t row, int16_t at, uint32_t column)
{
    uint64_t word = k->rows.values[k->rows.value_at[row] + (uint32_t)at];
    const struct dict *d = reader_dict(k->r, TABLE_ROWS, COL_FIXED + column);
    return d ? dict_get(d, (uint32_t)word) : (str){ 0 };
}

// Keys beyond the lane's columns are in one map. A list's text is its encoding, as in a column.
static str overflow_text(struct counting *k, uint32_t row, const struct shape_memo *m, enum field f)
{
    struct value map = { .type = VALUE_MAP, .s = text_at(k, row, m->overflow, m->overflow_column) }, v;
    struct value_reader r;
    uint64_t n;
    str key;
    if (value_open(&map, &r, &n) < 0)
        return (str){ 0 };
    for (uint64_t i = 0; i < n && value_read_key(&r, &key) == 0 && value_read(&r, &v) == 0; i++)
        if (str_eq(key, fields[f].key) && v.type == fields[f].type && v.type != VALUE_BOOL)
            return v.s;
    return (str){ 0 };
}

static str text_of(struct counting *k, uint32_t row, const struct shape_memo *m, enum field f)
{
    if (m->at[f] >= 0)
        return text_at(k, row, m->at[f], m->column[f]);
    return m->overflow >= 0 ? overflow_text(k, row, m, f) : (str){ 0 };
}

static str attribute(const struct record_entity *e, str key)
{
    for (uint32_t i = 0; i < e->attrs_n; i++)
        if (str_eq(e->attrs[i].key, key) && e->attrs[i].value.type == VALUE_STR)
            return e->attrs[i].value.s;
    return (str){ 0 };
}

static const struct resource_memo *resource_of(struct counting *k, uint32_t ord)
{
    struct resource_memo *m = &k->resources[ord & (RESOURCES - 1)];
    if (m->ord != ord + 1) {
        const struct record_entity *e = segment_resource(k->s, ord);
        *m = (struct resource_memo){ ord + 1, attribute(e, STR("release")), attribute(e, STR("environment")),
                                     attribute(e, STR("service.name")) };
    }
    return m;
}

static uint32_t hashes_of(struct counting *k, str encoded)
{
    struct value list = { .type = VALUE_LIST, .s = encoded }, v;
    struct value_reader r;
    uint64_t n;
    uint32_t kept = 0;
    if (encoded.len == 0 || value_open(&list, &r, &n) < 0)
        return 0;
    for (uint64_t i = 0; i < n && kept < HASHES_OF_EVENT_MAX && value_read(&r, &v) == 0; i++)
        if (v.type == VALUE_STR && v.s.len)
            k->hashes[kept++] = v.s;
    return kept;
}

static void user_of(struct counting *k, uint32_t i, const struct shape_memo *m, struct event *e)
{
    static const struct {
        enum field field;
        str kind;
    } kinds[] = { { F_USER_ID, STR_INIT("id") },
                  { F_USER_EMAIL, STR_INIT("email") },
                  { F_USER_NAME, STR_INIT("username") },
                  { F_USER_IP, STR_INIT("ip") } };
    for (size_t n = 0; n < sizeof kinds / sizeof kinds[0] && !e->user.len; n++) {
        e->user = text_of(k, i, m, kinds[n].field);
        e->user_kind = kinds[n].kind;
    }
}

static int count_row(struct counting *k, uint32_t i)
{
    const struct shape_memo *m = shape_of(k, k->rows.shape[i]);
    const struct resource_memo *res = resource_of(k, k->rows.resource[i]);
    struct event e = { .project = k->rows.project[i],
                       .time = k->rows.time[i],
                       .received = k->rows.received[i],
                       .id = text_of(k, i, m, F_EVENT_ID),
                       .group = text_of(k, i, m, F_GROUP),
                       .title = text_of(k, i, m, F_TITLE),
                       .type = text_of(k, i, m, F_TYPE),
                       .value = text_of(k, i, m, F_MESSAGE),
                       .culprit = text_of(k, i, m, F_CULPRIT),
                       .platform = text_of(k, i, m, F_PLATFORM),
                       .transaction = text_of(k, i, m, F_TRANSACTION),
                       .severity = k->rows.severity[i],
                       .handled = -1,
                       .has_trace = k->rows.trace[i] != TRACE_NONE,
                       .has_stack = m->at[F_STACK] >= 0,
                       .release = res->release,
                       .environment = res->environment,
                       .service = res->service };
    if (e.time < e.received - TIME_EARLY_NS || e.time > e.received + TIME_LATE_NS)
        e.time = e.received;
    if (m->at[F_HANDLED] >= 0)
        e.handled = k->rows.values[k->rows.value_at[i] + (uint32_t)m->at[F_HANDLED]] != 0;
    e.groups = k->hashes;
    e.groups_n = hashes_of(k, text_of(k, i, m, F_GROUPS));
    user_of(k, i, m, &e);
    return issues_count_event(k->is, &e);
}

int issues_count(struct issues *is, const struct segment *s, uint64_t first)
{
    struct counting *k = mem_zalloc(sizeof *k);
    if (!k)
        return ERR_NOMEM;
    k->is = is;
    k->s = s;
    int r = reader_open(s, &k->r);
    uint32_t blocks = segment_blocks(s, TABLE_ROWS);
    for (uint32_t b = (uint32_t)(first / BLOCK_ROWS); b < blocks && r == 0; b++) {
        uint32_t from = b == first / BLOCK_ROWS ? (uint32_t)(first % BLOCK_ROWS) : 0;
        r = reader_seek(k->r, TABLE_ROWS, b);
        if (r == 0)
            r = reader_rows(k->r, TABLE_ROWS, &k->rows);
        pthread_mutex_lock(&is->state);
        for (uint32_t i = from; i < (r == 0 ? k->rows.n : 0) && r == 0; i++)
            r = count_row(k, i);
        pthread_mutex_unlock(&is->state);
    }
    if (k->r)
        reader_close(k->r);
    mem_free(k);
    return r;
}
