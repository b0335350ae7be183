#include "fixture.h"

#include "base/hex.h"
#include "base/must.h"
#include "query/result_json.h"

#include <stdlib.h>

const char *const fixture_names[FIXTURE_RECORDS] = { "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "l1",
                                                     "l2", "l3", "l4", "l5", "e1", "e2", "n1", "n2" };

uint64_t fixture_span_id(unsigned span)
{
    static const uint64_t ids[] = { 0x00f067aa0ba902b1, 0x00f067aa0ba902b2, 0x00f067aa0ba902b3,
                                    0x00f067aa0ba902b4, 0x10f067aa0ba902b5, 0x10f067aa0ba902b6,
                                    0x10f067aa0ba902b7, 0x10f067aa0ba902b8, 0x000000000000ffff };
    return ids[span];
}

#define MS 1000000LL
#define S(text) value_str(STR(text))
#define AT(key_, value_)                    \
    {                                       \
        STR_INIT(key_), ATTR_RECORD, value_ \
    }
#define STRING(text)                           \
    {                                          \
        .type = VALUE_STR, .s = STR_INIT(text) \
    }
#define INTEGER(n)                \
    {                             \
        .type = VALUE_INT, .i = n \
    }

static const struct attr s1_attrs[] = { AT("http.request.method", STRING("GET")),
                                        AT("http.response.status_code", INTEGER(200)), AT("user.id", STRING("u1")) };
static const struct attr s2_attrs[] = { AT("http.response.status_code", INTEGER(500)),
                                        AT("user.id", STRING("u1")),
                                        { STR_INIT("retry"), ATTR_RECORD, { .type = VALUE_BOOL, .b = true } } };
static const struct attr s3_attrs[] = { AT("db.statement", STRING("SELECT * FROM orders")), AT("rows", INTEGER(3)) };
static const struct attr s4_attrs[] = { AT("db.query.text", STRING("SELECT name FROM users")), AT("rows", INTEGER(1)) };
static const struct attr s5_attrs[] = { AT("http.method", STRING("GET")), AT("http.status_code", STRING("200")),
                                        AT("user.id", STRING("u2")) };
static const struct attr s6_attrs[] = { AT("http.response.status_code", INTEGER(201)), AT("user.id", STRING("u2")) };
static const struct attr s7_attrs[] = { { STR_INIT("rows"), ATTR_RECORD, { .type = VALUE_DOUBLE, .d = 2.5 } } };
static const struct attr s8_attrs[] = { // ["a", "b"]
    { STR_INIT("queue"),
      ATTR_RECORD,
      { .type = VALUE_LIST,
        .s = STR_INIT("\x06\x02\x01\x01"
                      "a"
                      "\x01\x01"
                      "b") } }
};
static const struct attr exception[] = { AT("exception.type", STRING("TimeoutError")),
                                         AT("exception.message", STRING("db timeout")) };
static const struct attr l2_attrs[] = { AT("retry", INTEGER(1)) };
static const struct attr l5_attrs[] = { AT("retry", STRING("1")) };

struct fixture_span {
    int trace, parent;
    const char *service, *version, *name;
    uint8_t kind, status;
    int64_t t, duration; // ns
    const struct attr *attrs;
    uint32_t attrs_n;
};
#define ATTRS(a) a, sizeof(a) / sizeof *(a)
static const struct fixture_span spans[FIXTURE_SPANS] = {
    { 1, -1, "web", "1.4.1", "GET /cart", SPAN_KIND_SERVER, STATUS_UNSET, 0, 900 * MS, ATTRS(s1_attrs) },
    { 1, 0, "checkout", "1.4.2", "POST /order", SPAN_KIND_SERVER, STATUS_ERROR, 100 * MS, 700 * MS, ATTRS(s2_attrs) },
    { 1, 1, "db", NULL, "SELECT orders", SPAN_KIND_CLIENT, STATUS_UNSET, 200 * MS, 400 * MS, ATTRS(s3_attrs) },
    { 1, 1, "db", NULL, "SELECT users", SPAN_KIND_CLIENT, STATUS_UNSET, 650 * MS, 20 * MS, ATTRS(s4_attrs) },
    { 2, -1, "web", "1.4.1", "GET /cart", SPAN_KIND_SERVER, STATUS_OK, 10000 * MS, 120 * MS, ATTRS(s5_attrs) },
    { 2, 4, "checkout", "1.4.1", "POST /order", SPAN_KIND_SERVER, STATUS_UNSET, 10010 * MS, 80 * MS, ATTRS(s6_attrs) },
    { 2, 5, "cache", NULL, "GET k", SPAN_KIND_CLIENT, STATUS_UNSET, 10020 * MS, 1 * MS, ATTRS(s7_attrs) },
    { 2, 8, "worker", NULL, "job Ünïcode", SPAN_KIND_CONSUMER, STATUS_UNSET, 10050 * MS, 2000 * MS, ATTRS(s8_attrs) },
};

struct fixture_log {
    int trace, span;
    const char *service;
    uint8_t severity;
    int64_t t;
    const char *body;
    const struct attr *attrs;
    uint32_t attrs_n;
};
static const struct fixture_log logs[FIXTURE_LOGS] = {
    { 1, 1, "checkout", 9, 150 * MS, "order 1001 received from user-42", NULL, 0 },
    { 1, 1, "checkout", 17, 790 * MS, "Connection refused: 10.0.0.1:5432", ATTRS(l2_attrs) },
    { 2, 5, "checkout", 13, 10015 * MS, "order 1002 slow: 75 ms", NULL, 0 },
    { 0, -1, "billing", 21, 20000 * MS, "ÉCHEC du paiement 決済失敗", NULL, 0 },
    { 0, -1, "billing", 0, 30000 * MS, "batch 7 done", ATTRS(l5_attrs) },
};

static void trace_id(int trace, uint8_t id[16]) { must(hex_decode(id, str_z(trace == 1 ? FIXTURE_T1 : FIXTURE_T2))); }

static int section(const struct record_sink *sink, const char *service, const char *version)
{
    struct attr attrs[] = { { STR("service.name"), ATTR_RESOURCE, value_str(str_z(service)) },
                            { STR("service.version"), ATTR_RESOURCE, value_str(str_z(version)) } };
    struct record_entity resource = { .attrs = attrs, .attrs_n = version ? 2 : 1 };
    struct record_entity scope = { .name = STR("fixture"), .version = STR("1") };
    return sink->section(sink->ctx, &resource, &scope);
}

static int feed_span(const struct record_sink *sink, unsigned i)
{
    const struct fixture_span *s = &spans[i];
    struct record_child children[1] = { 0 };
    struct record r = { .source = RECORD_SPANS, .kind = s->kind, .status = s->status, .has_trace = true };
    trace_id(s->trace, r.trace);
    r.span = fixture_span_id(i);
    r.parent = s->parent < 0 ? 0 : fixture_span_id((unsigned)s->parent);
    r.time = FIXTURE_T0 + s->t;
    r.duration = s->duration;
    r.name = str_z(s->name);
    r.attrs = s->attrs;
    r.attrs_n = s->attrs_n;
    if (i == 1) {
        children[0] = (struct record_child){
            .kind = CHILD_EVENT, .time = r.time + 600 * MS, .name = STR("exception"), .attrs = exception, .attrs_n = 2
        };
    } else if (i == 7) {
        children[0] = (struct record_child){ .kind = CHILD_LINK, .has_trace = true, .span = fixture_span_id(1) };
        trace_id(1, children[0].trace);
    }
    r.children = children;
    r.children_n = i == 1 || i == 7;
    int rc = section(sink, s->service, s->version);
    return rc < 0 ? rc : sink->record(sink->ctx, &r);
}

static int feed_log(const struct record_sink *sink, unsigned i)
{
    const struct fixture_log *l = &logs[i];
    struct record r = { .source = RECORD_LOGS, .severity = l->severity, .has_trace = l->trace != 0 };
    if (l->trace)
        trace_id(l->trace, r.trace);
    r.span = l->span < 0 ? 0 : fixture_span_id((unsigned)l->span);
    r.time = FIXTURE_T0 + l->t;
    r.body = value_str(str_z(l->body));
    r.attrs = l->attrs;
    r.attrs_n = l->attrs_n;
    int rc = section(sink, l->service, NULL);
    return rc < 0 ? rc : sink->record(sink->ctx, &r);
}

#define FIELD_AT(key_, value_)             \
    {                                      \
        STR_INIT(key_), ATTR_FIELD, value_ \
    }
static const struct attr e1_attrs[] = { FIELD_AT("type", STRING("TimeoutError")),
                                        FIELD_AT("message", STRING("db timeout after 400 ms")),
                                        { STR_INIT("handled"), ATTR_FIELD, { .type = VALUE_BOOL, .b = false } },
                                        FIELD_AT("vars", ((struct value){ .type = VALUE_MAP, // {order_id: 1001}
                                                                          .s = STR_INIT("\x07\x01\x08"
                                                                                        "order_id"
                                                                                        "\x02\xd2\x0f") })),
                                        FIELD_AT("group", STRING(FIXTURE_G42)),
                                        AT("user.id", STRING("u1")) };
static const struct attr e2_attrs[] = { FIELD_AT("type", STRING("TypeError")),
                                        FIELD_AT("message", STRING("x is undefined")),
                                        { STR_INIT("handled"), ATTR_FIELD, { .type = VALUE_BOOL, .b = true } },
                                        FIELD_AT("group", STRING(FIXTURE_G43)),
                                        AT("user.id", STRING("u2")) };

static int feed_event(const struct record_sink *sink, unsigned i)
{
    struct attr attrs[] = { { STR("service.name"), ATTR_RESOURCE, value_str(i ? STR("web") : STR("checkout")) },
                            { STR("release"), ATTR_RESOURCE, value_str(STR("checkout@1.4.2")) },
                            { STR("service.version"), ATTR_RESOURCE, value_str(STR("1.4.2")) } };
    struct record_entity resource = { .attrs = attrs, .attrs_n = i ? 1 : 3 };
    struct record_entity scope = { .name = STR("fixture"), .version = STR("1") };
    struct record r = { .source = RECORD_EVENTS, .severity = 17, .has_trace = i == 0 };
    if (r.has_trace) {
        trace_id(1, r.trace);
        r.span = fixture_span_id(1);
    }
    r.time = FIXTURE_T0 + (i ? 12000 * MS : 790 * MS);
    r.name = i ? STR("TypeError") : STR("TimeoutError");
    r.attrs = i ? e2_attrs : e1_attrs;
    r.attrs_n = i ? 5 : 6;
    int rc = sink->section(sink->ctx, &resource, &scope);
    return rc < 0 ? rc : sink->record(sink->ctx, &r);
}

static void map(struct buf *b, unsigned n)
{
    buf_byte(b, VALUE_MAP);
    buf_varint(b, n);
}

static void member(struct buf *b, str key, const struct value *v)
{
    buf_varint(b, key.len);
    buf_str(b, key);
    if (v)
        value_encode(b, v);
}

// {order: {total, items: [{price}, ..]}, user: {id}}
static void put_vars(struct buf *b, unsigned i)
{
    struct value total = value_double(i ? 80 : 129.5), hundred = value_int(100), rest = value_double(29.5),
                 user = value_str(STR("u1"));
    map(b, i ? 1 : 2);
    member(b, STR("order"), NULL);
    map(b, 2);
    member(b, STR("total"), &total);
    member(b, STR("items"), NULL);
    buf_byte(b, VALUE_LIST);
    buf_varint(b, i ? 0 : 2);
    if (i)
        return;
    map(b, 1);
    member(b, STR("price"), &hundred);
    map(b, 1);
    member(b, STR("price"), &rest);
    member(b, STR("user"), NULL);
    map(b, 1);
    member(b, STR("id"), &user);
}

static int feed_snapshot(const struct record_sink *sink, unsigned i)
{
    struct buf vars;
    buf_init(&vars, 4096);
    put_vars(&vars, i);
    must(!vars.error);
    struct attr attrs[] = {
        FIELD_AT("probe", STRING("p3")),
        FIELD_AT("file", STRING("order.py")),
        { STR("line"), ATTR_FIELD, value_int(88) },
        FIELD_AT("vars", ((struct value){ .type = VALUE_MAP, .s = buf_view(&vars) })),
        FIELD_AT("cut", ((struct value){ .type = VALUE_LIST, .s = STR_INIT("\x06\x01\x01\x08redacted") }))
    };
    struct record r = { .source = RECORD_SNAPSHOTS, .has_trace = true, .attrs = attrs, .attrs_n = i ? 5 : 4 };
    trace_id(i ? 2 : 1, r.trace);
    r.span = fixture_span_id(i ? 5 : 1);
    r.time = FIXTURE_T0 + (i ? 10030 * MS : 300 * MS);
    int rc = section(sink, "checkout", NULL);
    rc = rc < 0 ? rc : sink->record(sink->ctx, &r);
    buf_free(&vars);
    return rc;
}

static int feed_one(const struct record_sink *sink, unsigned i)
{
    if (i < FIXTURE_SPANS)
        return feed_span(sink, i);
    i -= FIXTURE_SPANS;
    if (i < FIXTURE_LOGS)
        return feed_log(sink, i);
    i -= FIXTURE_LOGS;
    return i < FIXTURE_EVENTS ? feed_event(sink, i) : feed_snapshot(sink, i - FIXTURE_EVENTS);
}

int fixture_feed(const struct record_sink *sink, uint32_t which)
{
    int rc = 0;
    for (unsigned i = 0; i < FIXTURE_RECORDS && rc == 0; i++) {
        if (which >> i & 1)
            rc = feed_one(sink, i);
    }
    return rc;
}

// ---- fake segments ----

static void entity_copy(const struct record_entity *e, struct attr *room, struct record_entity *ret)
{
    must(e->attrs_n <= 64);
    *ret = *e;
    if (e->attrs_n)
        memcpy(room, e->attrs, e->attrs_n * sizeof *room);
    ret->attrs = room;
}

static int sink_section(void *ctx, const struct record_entity *resource, const struct record_entity *scope)
{
    struct fixture_segments *f = ctx;
    entity_copy(resource, f->attrs[0], &f->resource);
    entity_copy(scope, f->attrs[1], &f->scope);
    return 0;
}

static int sink_record(void *ctx, const struct record *r)
{
    struct fixture_segments *f = ctx;
    if (!f->of[r->source]) {
        f->of[r->source] = fake_segment_new(r->source, f->block_rows);
        fake_segment_raw(f->of[r->source], f->raw);
    }
    fake_segment_add(f->of[r->source], f->project, f->received ? f->received : r->time + 1, &f->resource, &f->scope, r);
    return 0;
}

struct record_sink fixture_sink(struct fixture_segments *f)
{
    return (struct record_sink){ f, sink_section, sink_record };
}

void fixture_segments_free(struct fixture_segments *f)
{
    for (int i = 0; i < RECORD_SOURCES; i++) {
        fake_segment_free(f->of[i]);
        f->of[i] = NULL;
    }
}

uint32_t fixture_segments_list(const struct fixture_segments *f, const struct segment **list)
{
    uint32_t n = 0;
    for (int i = 0; i < RECORD_SOURCES; i++) {
        if (f->of[i])
            list[n++] = fake_segment_get(f->of[i]);
    }
    return n;
}

// ---- issues ----

static int issue_of_hash(void *ctx, uint32_t project, str hash, int64_t *ret_issue)
{
    *ret_issue = str_eq(hash, STR(FIXTURE_G42)) ? 42 : 43;
    return *ret_issue == 42 || str_eq(hash, STR(FIXTURE_G43)) ? 0 : ERR_NOENT;
}

static int issue_hashes(void *ctx, int64_t issue, struct arena *arena, uint32_t *ret_project, str **ret_hashes,
                        size_t *ret_n)
{
    static str groups[] = { STR_INIT(FIXTURE_G42), STR_INIT(FIXTURE_G43) };
    if (issue != 42 && issue != 43)
        return ERR_NOENT;
    *ret_project = 1;
    *ret_hashes = &groups[issue - 42];
    *ret_n = 1;
    return 0;
}

static int issue_rows(void *ctx, const uint32_t *projects, size_t projects_n, int64_t from, int64_t to,
                      struct arena *arena, struct query_issue **ret_rows, size_t *ret_n)
{
    static const str checkout[] = { STR_INIT("checkout") }, web[] = { STR_INIT("web") };
    static const str releases[] = { STR_INIT("checkout@1.4.1"), STR_INIT("checkout@1.4.2") };
    static const str environments[] = { STR_INIT("production"), STR_INIT("staging") };
    const struct query_issue all[] = {
        { .id = 42,
          .project = 1,
          .short_id = STR("SHOP-42"),
          .title = STR("TimeoutError: db timeout after 400 ms"),
          .type = STR("TimeoutError"),
          .culprit = STR("POST /order"),
          .assignee = STR("mara"),
          .state = STR("new"),
          .priority = STR("high"),
          .severity = 17,
          .first = FIXTURE_T0 + 790 * MS,
          .last = FIXTURE_T0 + 790 * MS,
          .events = 1,
          .users = 1,
          .services = checkout,
          .services_n = 1,
          .releases = releases,
          .releases_n = 2,
          .environments = environments,
          .environments_n = 2 },
        { .id = 43,
          .project = 1,
          .short_id = STR("SHOP-43"),
          .title = STR("TypeError: x is undefined"),
          .type = STR("TypeError"),
          .state = STR("new"),
          .priority = STR("low"),
          .severity = 17,
          .first = FIXTURE_T0 - 3600000 * MS,
          .last = FIXTURE_T0 + 12000 * MS,
          .events = 1,
          .users = 1,
          .services = web,
          .services_n = 1,
          .environments = environments,
          .environments_n = 1 },
    };
    struct query_issue *rows = arena_alloc_array(arena, 2, sizeof *rows);
    size_t n = 0;
    must(rows);
    for (size_t i = 0; i < 2; i++)
        if (all[i].last >= from && all[i].last < to)
            rows[n++] = all[i];
    *ret_rows = rows;
    *ret_n = n;
    return 0;
}

const struct query_issues fixture_issues = { NULL, issue_of_hash, issue_hashes, issue_rows };

// ---- asking ----

struct query_request fixture_request(const char *text)
{
    return (struct query_request){ .text = str_z(text),
                                   .has_from = true,
                                   .has_to = true,
                                   .from = FIXTURE_T0 - 60 * 1000 * MS,
                                   .to = FIXTURE_T0 + 120 * 1000 * MS,
                                   .now = FIXTURE_T0 + 60 * 1000 * MS,
                                   .all_projects = true,
                                   .issues = &fixture_issues,
                                   .values = true };
}

static int take_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct fixture_answer *a = ctx;
    struct result_json j = { 0 };
    a->rows_n++;
    return result_put_row(&j, &a->rows, cells, n);
}

static int take_end(void *ctx, const struct query_stats *stats)
{
    struct fixture_answer *a = ctx;
    struct result_json j = { 0 };
    return result_put_stats(&j, &a->stats, stats);
}

void fixture_ask(const struct query_request *q, const struct segment *const *segments, uint32_t n,
                 struct fixture_answer *ret)
{
    fixture_ask_from(q, segments, NULL, n, ret);
}

void fixture_ask_from(const struct query_request *q, const struct segment *const *segments, const uint64_t *firsts,
                      uint32_t n, struct fixture_answer *ret)
{
    struct query_output out = { ret, take_row, take_end };
    memset(ret, 0, sizeof *ret);
    buf_init(&ret->rows, 256 << 20);
    buf_init(&ret->stats, 16 << 20);
    ret->rc = query_run_segments(q, segments, firsts, n, &out, &ret->err);
}

void fixture_answer_free(struct fixture_answer *a)
{
    buf_free(&a->rows);
    buf_free(&a->stats);
}
