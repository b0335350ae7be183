// An event by its id, and its row whole.
#include "events/events.h"

#include "base/hex.h"
#include "base/mem.h"
#include "wire/sentry_event.h"
#include "wire/sentry_payload.h"

#include <stdlib.h>

bool event_id_parse(str text, char ret_hex[33])
{
    uint8_t id[16];
    if (!sentry_id(text, id))
        return false;
    hex_encode(ret_hex, id, sizeof id);
    ret_hex[32] = 0;
    return true;
}

static bool may_read(const struct query_request *q, uint32_t project)
{
    for (uint32_t i = 0; i < q->projects_n; i++)
        if (q->projects[i].id == project)
            return true;
    return q->all_projects;
}

// ---- the row

static void field_read(struct event *e, str key, const struct value *v)
{
    struct field {
        str key;
        str *to;
    } texts[] = {
        { STR("event_id"), &e->id },         { STR("group"), &e->group },
        { STR("title"), &e->title },         { STR("type"), &e->type },
        { STR("message"), &e->message },     { STR("culprit"), &e->culprit },
        { STR("platform"), &e->platform },   { STR("transaction"), &e->transaction },
        { STR("mechanism"), &e->mechanism },
    };
    for (size_t i = 0; v->type == VALUE_STR && i < sizeof texts / sizeof texts[0]; i++)
        if (str_eq(texts[i].key, key))
            *texts[i].to = v->s;
    if (v->type == VALUE_BOOL && str_eq(key, STR("handled")))
        e->handled = v->b;
    else if (v->type == VALUE_BYTES && str_eq(key, STR("replay")))
        e->replay = bytes_of_str(v->s);
    else if (v->type == VALUE_BYTES && str_eq(key, STR("payload")))
        e->json = v->s;
    else if (v->type == VALUE_LIST && str_eq(key, STR("scrubbed")))
        e->scrubbed = *v;
    else if (v->type == VALUE_LIST && str_eq(key, STR("scrubbed.rule")))
        e->scrub_rules = *v;
}

static int value_dup(struct arena *arena, struct value *v)
{
    bool text = v->type == VALUE_STR || v->type == VALUE_BYTES || v->type == VALUE_LIST || v->type == VALUE_MAP;
    return text ? arena_dup(arena, v->s, &v->s) : 0;
}

static int fields_read(struct reader *r, const struct segment *s, uint32_t row, struct arena *arena, struct event *e)
{
    struct vec shape;
    int rc = reader_column(r, TABLE_ROWS, COL_SHAPE, &shape);
    if (rc < 0)
        return rc;
    struct shape sh = segment_shape(s, TABLE_ROWS, shape.u32[row]);
    for (uint32_t k = 0; k < sh.n && rc == 0; k++) {
        struct column c = segment_column(s, TABLE_ROWS, sh.columns[k]);
        struct value v;
        bool address = c.level == ATTR_RECORD && c.type == VALUE_STR && str_eq(c.key, STR("user.ip_address"));
        if (c.level != ATTR_FIELD && !address)
            continue;
        rc = reader_value(r, TABLE_ROWS, sh.columns[k], row, &v);
        if (rc == 0)
            rc = value_dup(arena, &v);
        if (rc == 0 && address)
            e->user_address = v.s;
        else if (rc == 0)
            field_read(e, c.key, &v);
    }
    return rc;
}

static int entity_dup(struct arena *arena, const struct record_entity *from, const struct record_entity **ret)
{
    struct record_entity *e = arena_alloc(arena, sizeof *e);
    struct attr *attrs = arena_alloc_array(arena, from->attrs_n ? from->attrs_n : 1, sizeof *attrs);
    int rc = e && attrs ? 0 : ERR_NOMEM;
    for (uint32_t i = 0; i < from->attrs_n && rc == 0; i++) {
        attrs[i] = from->attrs[i];
        rc = arena_dup(arena, attrs[i].key, &attrs[i].key);
        if (rc == 0)
            rc = value_dup(arena, &attrs[i].value);
    }
    if (rc < 0)
        return rc;
    *e = (struct record_entity){ .attrs = attrs, .attrs_n = from->attrs_n };
    *ret = e;
    return 0;
}

// The row of the current block.
static int row_read(struct reader *r, const struct segment *s, uint32_t row, struct arena *arena, struct event *e)
{
    struct vec time, received, project, severity, trace, span, resource;
    int rc = reader_column(r, TABLE_ROWS, COL_TIME, &time);
    if (rc < 0 || (rc = reader_column(r, TABLE_ROWS, COL_RECEIVED, &received)) < 0 ||
        (rc = reader_column(r, TABLE_ROWS, COL_PROJECT, &project)) < 0 ||
        (rc = reader_column(r, TABLE_ROWS, COL_SEVERITY, &severity)) < 0 ||
        (rc = reader_column(r, TABLE_ROWS, COL_TRACE, &trace)) < 0 ||
        (rc = reader_column(r, TABLE_ROWS, COL_SPAN, &span)) < 0 ||
        (rc = reader_column(r, TABLE_ROWS, COL_RESOURCE, &resource)) < 0)
        return rc;
    *e = (struct event){ .project = project.u32[row],
                         .time = time.i64[row],
                         .received = received.i64[row],
                         .severity = severity.u8[row],
                         .handled = -1,
                         .span = span.u64[row] };
    if (trace.u32[row] != TRACE_NONE)
        rc = segment_trace(s, trace.u32[row], e->trace);
    if (rc == 0)
        rc = entity_dup(arena, segment_resource(s, resource.u32[row]), &e->resource);
    return rc < 0 ? rc : fields_read(r, s, row, arena, e);
}

// The payload becomes the JSON that it holds.
static int payload_open(struct event *e, struct arena *arena)
{
    struct buf json;
    int rc = 0;
    if (!e->json.len)
        return 0;
    buf_init(&json, SENTRY_PAYLOAD_MAX);
    rc = sentry_payload_open(bytes_of_str(e->json), &json);
    if (rc == 0)
        rc = arena_dup(arena, buf_view(&json), &e->json);
    buf_free(&json);
    return rc;
}

// ---- where it is

struct finder {
    const struct event_request *q;
    str id;
    struct event *e;
    bool found;
};

static int find_in_block(struct finder *f, const struct segment *s, struct reader *r, uint32_t block, uint32_t column)
{
    struct vec ids, project;
    if (f->q->who->cancelled && f->q->who->cancelled(f->q->who->cancelled_ctx))
        return ERR_CANCELLED;
    int rc = reader_seek(r, TABLE_ROWS, block);
    if (rc == 0)
        rc = reader_column(r, TABLE_ROWS, COL_FIXED + column, &ids);
    for (uint32_t i = ids.n; rc == 0 && i-- > 0;) { // the newest of those with this id
        if (!vec_has(&ids, i) || !str_eq(dict_get(ids.dict, ids.ord[i]), f->id))
            continue;
        rc = reader_column(r, TABLE_ROWS, COL_PROJECT, &project);
        if (rc == 0 && may_read(f->q->who, project.u32[i])) {
            f->found = true;
            rc = row_read(r, s, i, f->q->arena, f->e);
            return rc < 0 ? rc : payload_open(f->e, f->q->arena);
        }
    }
    return rc;
}

static int find_in_segment(struct finder *f, const struct segment *s)
{
    uint32_t columns = segment_columns(s, TABLE_ROWS), column = columns;
    uint32_t blocks = segment_blocks(s, TABLE_ROWS);
    struct reader *r;
    for (uint32_t i = 0; i < columns; i++) {
        struct column c = segment_column(s, TABLE_ROWS, i);
        if (c.level == ATTR_FIELD && c.type == VALUE_STR && str_eq(c.key, STR("event_id")))
            column = i;
    }
    if (column == columns)
        return 0;
    uint64_t *may = mem_calloc((size_t)blocks / 64 + 1, sizeof *may);
    if (!may)
        return ERR_NOMEM;
    int rc = segment_find_string(s, column, f->id, may);
    bool all = rc == ERR_UNSUPPORTED, some = all;
    for (uint32_t w = 0; w <= blocks / 64; w++)
        some |= may[w] != 0;
    rc = all ? 0 : rc;
    if (rc == 0 && some && (rc = reader_open(s, &r)) == 0) {
        for (uint32_t b = blocks; b-- > 0 && rc == 0 && !f->found;)
            if (all || (may[b / 64] >> (b % 64) & 1))
                rc = find_in_block(f, s, r, b, column);
        reader_close(r);
    }
    mem_free(may);
    return rc;
}

int event_find(const struct event_request *q, str id, int64_t hint, struct event *ret_event, struct err *err)
{
    struct event e;
    struct finder f = { .q = q, .id = id, .e = &e };
    uint32_t n = view_segments(q->view);
    int rc = 0;
    for (int pass = 0; pass < 2; pass++) { // where the hint leads, then all others
        for (uint32_t i = n; i-- > 0 && rc == 0 && !f.found;) {
            const struct segment *s = view_segment(q->view, i);
            const struct segment_info *info = segment_info(s);
            bool near = hint && info->time_min <= hint && hint <= info->time_max;
            if (info->source == RECORD_EVENTS && near == (pass == 0))
                rc = find_in_segment(&f, s);
        }
    }
    if (rc < 0)
        return err_set(err, rc, rc == ERR_NOMEM ? "memory" : NULL, "the event cannot be read: %s", err_text(rc));
    if (!f.found)
        return err_set(err, ERR_NOENT, "no_event", "no event with this id is stored (or may be seen by you)");
    *ret_event = e;
    return 0;
}
