// Check-ins out of a segment's rows. There are few: what is asked of a row is looked for in its columns each time.
#include "base/hex.h"
#include "monitors/monitors_internal.h"
#include "query/result_json.h"
#include "store/rows.h"

enum { CONFIG_JSON_MAX = 64 << 10 };

static str attribute(const struct record_entity *e, str key)
{
    for (uint32_t i = 0; i < e->attrs_n; i++)
        if (str_eq(e->attrs[i].key, key) && e->attrs[i].value.type == VALUE_STR)
            return e->attrs[i].value.s;
    return (str){ 0 };
}

static bool status_of(str word, enum check_status *ret)
{
    for (int i = 0; i < CHECK_STATUSES; i++)
        if (str_eq(word, check_status_word((enum check_status)i))) {
            *ret = (enum check_status)i;
            return true;
        }
    return false;
}

// The configuration is a map as records have it; here it is read as the JSON that it came as.
static str config_of(const struct value *v, struct buf *json)
{
    struct result_json j = { 0 };
    struct json_writer w;
    struct qval map = { .type = QVAL_MAP, .s = v->s };
    buf_clear(json);
    json_writer_init(&w, json);
    result_put_value(&j, &w, &map);
    return json->error ? (str){ 0 } : buf_view(json);
}

static int fields_of(struct reader *reader, const struct segment *s, const struct rows *rows, uint32_t i,
                     struct check_in *c, struct buf *json, bool *ret_known)
{
    struct shape shape = segment_shape(s, TABLE_ROWS, rows->shape[i]);
    for (uint32_t k = 0; k < shape.n; k++) {
        struct column column = segment_column(s, TABLE_ROWS, shape.columns[k]);
        struct value v;
        bool status = column.level == ATTR_FIELD && str_eq(column.key, STR("status"));
        bool id = column.level == ATTR_RECORD && str_eq(column.key, STR("check_in_id"));
        bool config = column.level == ATTR_RECORD && str_eq(column.key, STR("monitor_config"));
        if (!status && !id && !config)
            continue;
        int r = reader_value(reader, TABLE_ROWS, shape.columns[k], i, &v);
        if (r < 0)
            return r;
        if (status && v.type == VALUE_STR)
            *ret_known = status_of(v.s, &c->status);
        if (id && v.type == VALUE_STR && v.s.len == 32)
            hex_decode(c->id, v.s);
        if (config && v.type == VALUE_MAP)
            c->config = config_of(&v, json);
    }
    return 0;
}

static int read_row(struct monitors *m, struct reader *reader, const struct segment *s, const struct rows *rows,
                    uint32_t i, struct buf *json, struct err *err)
{
    bool known = false;
    const struct record_entity *resource = segment_resource(s, rows->resource[i]);
    const struct dict *names = reader_dict(reader, TABLE_ROWS, COL_NAME);
    struct check_in c = { .project = rows->project[i],
                          .slug = names ? dict_get(names, rows->name[i]) : (str){ 0 },
                          .environment = attribute(resource, STR("environment")),
                          .time = rows->time[i],
                          .received = rows->received[i],
                          .duration = rows->duration[i] > 0 ? rows->duration[i] : -1,
                          .has_trace = rows->trace[i] != TRACE_NONE };
    if (c.has_trace)
        segment_trace(s, rows->trace[i], c.trace);
    int r = fields_of(reader, s, rows, i, &c, json, &known);
    if (r < 0)
        return err_set(err, r, "monitors", "a check-in cannot be read: %s", err_text(r));
    return known ? check_apply(m, &c, err) : 0;
}

int checks_read(struct monitors *m, const struct segment *s, uint64_t first, struct err *err)
{
    struct reader *reader;
    struct rows rows;
    struct buf json;
    int r = reader_open(s, &reader);
    if (r < 0)
        return err_set(err, r, "monitors", "check-ins cannot be read: %s", err_text(r));
    uint32_t blocks = segment_blocks(s, TABLE_ROWS);
    buf_init(&json, CONFIG_JSON_MAX);
    for (uint32_t b = (uint32_t)(first / BLOCK_ROWS); b < blocks && r == 0; b++) {
        uint32_t from = b == first / BLOCK_ROWS ? (uint32_t)(first % BLOCK_ROWS) : 0;
        if ((r = reader_seek(reader, TABLE_ROWS, b)) < 0 || (r = reader_rows(reader, TABLE_ROWS, &rows)) < 0) {
            err_set(err, r, "monitors", "check-ins cannot be read: %s", err_text(r));
            break;
        }
        for (uint32_t i = from; i < rows.n && r == 0; i++)
            r = read_row(m, reader, s, &rows, i, &json, err);
    }
    buf_free(&json);
    reader_close(reader);
    return r;
}
