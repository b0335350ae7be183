#include "wire/otlp_json.h"

#include "base/hex.h"

#include <math.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

// --- reading

int otlp_json_bad(struct otlp_json *j, int rc)
{
    if (rc == ERR_NOMEM) {
        // Escaped texts go to the arena, and none is longer than the body: with more room than that left,
        // it was not the arena's cap.
        size_t room = j->d->arena->cap > j->d->arena->used ? j->d->arena->cap - j->d->arena->used : 0;
        if (room > j->d->body.len + 4096)
            return rc;
        return otlp_bad_why(j->d, j->r.p, "its escaped texts are too large");
    }
    if (j->r.why)
        return otlp_bad_why(j->d, j->r.p, j->r.why);
    return otlp_bad(j->d, j->r.p, rc);
}

static int bad_why(struct otlp_json *j, const char *at, const char *why) { return otlp_bad_why(j->d, at, why); }

int otlp_json_object(struct otlp_json *j)
{
    int rc = json_object(&j->r);
    return rc < 0 ? otlp_json_bad(j, rc) : 0;
}

int otlp_json_array(struct otlp_json *j)
{
    int rc = json_array(&j->r);
    return rc < 0 ? otlp_json_bad(j, rc) : 0;
}

int otlp_json_element(struct otlp_json *j)
{
    int rc = json_element(&j->r);
    return rc < 0 ? otlp_json_bad(j, rc) : rc;
}

int otlp_json_skip(struct otlp_json *j)
{
    int rc = json_skip(&j->r, NULL);
    return rc < 0 ? otlp_json_bad(j, rc) : 0;
}

int otlp_json_member(struct otlp_json *j, const struct otlp_json_name *names, size_t names_n, int *ret_index)
{
    str name;
    int rc;
    while ((rc = json_member(&j->r, &name)) > 0) {
        size_t i = 0;
        while (i < names_n && !(names[i].camel.len && str_eq(name, names[i].camel)) &&
               !(names[i].snake.len && str_eq(name, names[i].snake)))
            i++;
        if (i < names_n && !json_null(&j->r)) {
            *ret_index = (int)i;
            return 1;
        }
        if (i == names_n && (rc = json_skip(&j->r, NULL)) < 0)
            break;
    }
    return rc < 0 ? otlp_json_bad(j, rc) : 0;
}

int otlp_json_str(struct otlp_json *j, str *ret_s)
{
    int rc = json_text(&j->r, ret_s);
    return rc < 0 ? otlp_json_bad(j, rc) : 0;
}

int otlp_json_bool(struct otlp_json *j, bool *ret_b)
{
    int rc = json_bool(&j->r, ret_b);
    return rc < 0 ? otlp_json_bad(j, rc) : 0;
}

// The text of a number, or of a string; *ret_at: where it stands.
static int number_text(struct otlp_json *j, str *ret_text, const char **ret_at)
{
    struct json_token t;
    enum json_type type = json_peek(&j->r);
    int rc = json_next(&j->r, &t);
    if (rc < 0)
        return otlp_json_bad(j, rc);
    *ret_at = j->r.p;
    if (type != JSON_NUMBER && type != JSON_STRING)
        return bad_why(j, j->r.p, "expected a number");
    *ret_text = t.text;
    return 0;
}

int otlp_json_u64(struct otlp_json *j, uint64_t *ret_u)
{
    const char *at;
    str text;
    int rc = number_text(j, &text, &at);
    if (rc == 0 && !json_number_uint(text, ret_u))
        rc = bad_why(j, at, "expected an unsigned integer of 64 bits");
    return rc;
}

int otlp_json_i64(struct otlp_json *j, int64_t *ret_i)
{
    const char *at;
    str text;
    int rc = number_text(j, &text, &at);
    if (rc == 0 && !json_number_int(text, ret_i))
        rc = bad_why(j, at, "expected an integer of 64 bits");
    return rc;
}

int otlp_json_u32(struct otlp_json *j, uint32_t *ret_u)
{
    uint64_t u;
    int rc = otlp_json_u64(j, &u);
    if (rc < 0)
        return rc;
    if (u > UINT32_MAX)
        return bad_why(j, j->r.p, "expected an unsigned integer of 32 bits");
    *ret_u = (uint32_t)u;
    return 0;
}

int otlp_json_double(struct otlp_json *j, double *ret_d)
{
    const char *at;
    str text;
    int rc = number_text(j, &text, &at);
    if (rc < 0)
        return rc;
    if (str_eq(text, STR("NaN")))
        *ret_d = NAN;
    else if (str_eq(text, STR("Infinity")))
        *ret_d = INFINITY;
    else if (str_eq(text, STR("-Infinity")))
        *ret_d = -INFINITY;
    else if (!json_number_double(text, ret_d))
        return bad_why(j, at, "expected a number");
    return 0;
}

int otlp_json_id(struct otlp_json *j, bytes *ret_id)
{
    str text;
    int rc = otlp_json_str(j, &text);
    *ret_id = (bytes){ NULL, 0 };
    if (rc < 0 || text.len == 0)
        return rc;
    if (text.len > 64) { // no id is; its length alone rejects the record
        *ret_id = (bytes){ (const uint8_t *)text.ptr, text.len };
        return 0;
    }
    uint8_t *id = otlp_alloc(j->d, text.len, 1, &rc);
    if (!id)
        return rc;
    if (!hex_decode(id, text))
        otlp_reject(j->d, "an id is not hexadecimal");
    else
        *ret_id = (bytes){ id, text.len / 2 };
    return 0;
}

int otlp_json_enum(struct otlp_json *j, str prefix, const char *const *names, size_t names_n, uint64_t *ret_v)
{
    int64_t i;
    if (json_peek(&j->r) != JSON_STRING) {
        int rc = otlp_json_i64(j, &i);
        if (rc == 0)
            *ret_v = (uint64_t)i;
        return rc;
    }
    str text;
    int rc = otlp_json_str(j, &text);
    if (rc < 0)
        return rc;
    if (json_number_int(text, &i)) {
        *ret_v = (uint64_t)i;
        return 0;
    }
    if (str_starts(text, prefix))
        for (size_t k = 0; k < names_n; k++)
            if (str_eq(str_slice(text, prefix.len, text.len), str_z(names[k]))) {
                *ret_v = k;
                return 0;
            }
    return bad_why(j, j->r.p, "unknown name of an enum");
}

// --- resource and scope

static int read_entity(struct otlp_json *j, enum attr_level level, struct record_entity *e)
{
    static const struct otlp_json_name names[] = {
        OTLP_JSON_NAME("name", ""), OTLP_JSON_NAME("version", ""), OTLP_JSON_NAME("attributes", ""),
        OTLP_JSON_NAME("droppedAttributesCount", "dropped_attributes_count")
    };
    struct attr *attrs;
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, names, COUNT(names), &i)) > 0) {
        if (i < 2 && level == ATTR_RESOURCE)
            rc = otlp_json_skip(j);
        else if (i < 2)
            rc = otlp_json_str(j, i == 0 ? &e->name : &e->version);
        else if (i == 3)
            rc = otlp_json_u32(j, &e->dropped);
        else if ((rc = otlp_json_attrs(j, level, 0, &attrs, &e->attrs_n)) == 0)
            e->attrs = attrs;
        if (rc < 0)
            return rc;
    }
    return rc;
}

// Where the records of a ResourceX or ScopeX are, and what describes them: it may stand behind them, so
// the whole object is looked through first.
struct section {
    struct record_entity entity;
    struct json_reader list; // before the array of records or scopes
    bool has_list;
};

static int find_section(struct otlp_json *j, enum attr_level level, const char *list_name, struct section *s)
{
    static const struct otlp_json_name snakes[] = { OTLP_JSON_NAME("scopeSpans", "scope_spans"),
                                                    OTLP_JSON_NAME("scopeLogs", "scope_logs"),
                                                    OTLP_JSON_NAME("scopeMetrics", "scope_metrics"),
                                                    OTLP_JSON_NAME("logRecords", "log_records") };
    struct otlp_json_name names[] = { OTLP_JSON_NAME("schemaUrl", "schema_url"),
                                      { level == ATTR_RESOURCE ? STR("resource") : STR("scope"), STR_INIT("") },
                                      { str_z(list_name), STR_INIT("") } };
    for (size_t k = 0; k < COUNT(snakes); k++)
        if (str_eq(snakes[k].camel, names[2].camel))
            names[2].snake = snakes[k].snake;
    *s = (struct section){ .entity = { .name = STR_INIT(""), .version = STR_INIT(""), .schema_url = STR_INIT("") } };
    int i, rc = otlp_json_object(j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(j, names, COUNT(names), &i)) > 0) {
        if (i == 0) {
            rc = otlp_json_str(j, &s->entity.schema_url);
        } else if (i == 1) {
            rc = otlp_trail(j->d, read_entity(j, level, &s->entity), level == ATTR_RESOURCE ? "resource" : "scope", -1);
        } else {
            s->list = j->r;
            s->has_list = true;
            if (json_peek(&j->r) != JSON_ARRAY)
                return otlp_json_array(j); // says what is wrong
            if ((rc = json_pass(&j->r)) < 0)
                return otlp_json_bad(j, rc);
        }
        if (rc < 0)
            return rc;
    }
    size_t max = j->d->limits->value_size_max;
    if (s->entity.name.len > max || s->entity.version.len > max || s->entity.schema_url.len > max)
        otlp_reject(j->d, OTLP_WHY_SIZE);
    return rc;
}

// --- the request

static int walk_scope(struct otlp_json *j, int (*one)(struct otlp_json *))
{
    struct otlp_decoder *d = j->d;
    struct section s;
    int rc = find_section(j, ATTR_SCOPE, d->names->record, &s);
    if (rc < 0 || !s.has_list)
        return rc;
    d->scope = s.entity;
    d->section_due = true;
    d->section_reject = d->reject;
    d->mark = arena_mark(d->arena);
    d->record_i = 0;
    struct otlp_json list = { d, s.list };
    if ((rc = otlp_json_array(&list)) < 0)
        return rc;
    for (; (rc = otlp_json_element(&list)) > 0; d->record_i++)
        if ((rc = one(&list)) < 0)
            return otlp_trail(d, rc, d->names->record, d->record_i);
    return rc;
}

static int walk_resource(struct otlp_json *j, int (*one)(struct otlp_json *))
{
    struct otlp_decoder *d = j->d;
    struct section s;
    d->reject = NULL;
    int rc = find_section(j, ATTR_RESOURCE, d->names->scope, &s);
    if (rc < 0 || !s.has_list)
        return rc;
    d->resource = s.entity;
    const char *reject = d->reject;
    struct arena_mark mark = arena_mark(d->arena);
    d->scope_i = 0;
    struct otlp_json list = { d, s.list };
    if ((rc = otlp_json_array(&list)) < 0)
        return rc;
    for (; (rc = otlp_json_element(&list)) > 0; d->scope_i++) {
        d->reject = reject;
        if ((rc = walk_scope(&list, one)) < 0)
            return otlp_trail(d, rc, d->names->scope, d->scope_i);
        arena_rewind(d->arena, mark);
    }
    return rc;
}

int otlp_json_request(struct otlp_decoder *d, enum otlp_signal signal)
{
    static const struct otlp_json_name names[][1] = { { OTLP_JSON_NAME("resourceSpans", "resource_spans") },
                                                      { OTLP_JSON_NAME("resourceLogs", "resource_logs") },
                                                      { OTLP_JSON_NAME("resourceMetrics", "resource_metrics") } };
    static int (*const one[])(struct otlp_json *) = { otlp_json_span, otlp_json_log, otlp_json_metric };
    struct otlp_json j = { .d = d };
    struct arena_mark mark = arena_mark(d->arena);
    json_reader_init(&j.r, str_of_bytes(d->body), d->arena, JSON_DEPTH_MAX);
    int i, rc = otlp_json_object(&j);
    if (rc < 0)
        return rc;
    while ((rc = otlp_json_member(&j, names[signal], 1, &i)) > 0) {
        if ((rc = otlp_json_array(&j)) < 0)
            return otlp_trail(d, rc, d->names->resource, -1);
        while ((rc = otlp_json_element(&j)) > 0) {
            if ((rc = walk_resource(&j, one[signal])) < 0)
                return otlp_trail(d, rc, d->names->resource, d->resource_i);
            arena_rewind(d->arena, mark);
            d->resource_i++;
        }
        if (rc < 0)
            return rc;
    }
    if (rc == 0 && (rc = json_done(&j.r)) < 0)
        rc = otlp_json_bad(&j, rc);
    return rc;
}
