// What there is: services, fields, values, and a query's histogram.
#include "api/api_internal.h"

#include "base/numfmt.h"
#include "base/timefmt.h"
#include "traces/catalogue.h"

enum { HISTOGRAM_BUCKETS = 60, HISTOGRAM_BUCKETS_MAX = 1000, LIST_MAX = 10000 };

// Begins the answer: an object whose list is open.
static void list_begin(struct json_writer *w, struct buf *body, str name)
{
    buf_init(body, API_BODY_MAX);
    json_writer_init(w, body);
    json_put_object(w);
    json_put_key(w, name);
    json_put_array(w);
}

static void list_end(struct api_call *call, struct json_writer *w, struct buf *body, struct catalogue *c)
{
    json_put_array_end(w);
    json_put_key(w, STR("more"));
    json_put_bool(w, c->more);
    if (c->step) {
        json_put_key(w, STR("step"));
        json_put_int(w, c->step);
    }
    json_put_object_end(w);
    catalogue_free(c);
    api_reply_json_take(call->req, 200, body);
}

static bool failed(struct api_call *call, int r, const struct query_error *error)
{
    if (r >= 0)
        return false;
    if (error->code != QUERY_OK)
        api_reply_query_error(call->req, error);
    else
        api_reply_error(call->req, r == ERR_CANCELLED || r == ERR_CLOSED ? 503 : 500, "internal", "%s", err_text(r));
    return true;
}

static bool begin(struct api_call *call, struct query_request *q, struct view **ret_view)
{
    uint64_t limit = 0;
    if (!api_query_begin(call, q) || !api_param_range(call, q) ||
        !api_param_uint(call, STR("limit"), 1, LIST_MAX, &limit))
        return false;
    q->limit = limit;
    *ret_view = api_view(call);
    return *ret_view != NULL;
}

void api_services(struct api_call *call)
{
    struct query_request q;
    struct query_error error = { 0 };
    struct catalogue c = { 0 };
    struct view *view;
    struct json_writer w;
    struct buf body;
    if (!begin(call, &q, &view))
        return;
    int r = catalogue_services(&q, view, &c, &error);
    view_unref(view);
    if (failed(call, r, &error))
        return;
    list_begin(&w, &body, STR("services"));
    for (uint32_t i = 0; i < c.n; i++) {
        const struct catalogue_service *s = &c.services[i];
        json_put_object(&w);
        if (s->name.len) {
            json_put_key(&w, STR("service"));
            json_put_str(&w, s->name);
        }
        json_put_key(&w, STR("spans"));
        json_put_uint(&w, s->spans);
        json_put_key(&w, STR("errors"));
        json_put_uint(&w, s->errors);
        json_put_key(&w, STR("logs"));
        json_put_uint(&w, s->logs);
        json_put_key(&w, STR("last"));
        api_put_time(&w, s->last);
        json_put_object_end(&w);
    }
    list_end(call, &w, &body, &c);
}

void api_fields(struct api_call *call)
{
    struct query_request q;
    struct query_error error = { 0 };
    struct catalogue c = { 0 };
    struct view *view;
    struct json_writer w;
    struct buf body;
    str source;
    if (!api_param(call, STR("source"), &source) || !begin(call, &q, &view))
        return;
    int r = catalogue_fields(&q, view, source.len ? source : STR("*"), &c, &error);
    view_unref(view);
    if (failed(call, r, &error))
        return;
    list_begin(&w, &body, STR("fields"));
    for (uint32_t i = 0; i < c.n; i++) {
        const struct catalogue_field *f = &c.fields[i];
        json_put_object(&w);
        json_put_key(&w, STR("field"));
        json_put_str(&w, f->name);
        json_put_key(&w, STR("level"));
        json_put_str(&w, f->level);
        json_put_key(&w, STR("types"));
        json_put_array(&w);
        for (int t = 0; t < QVAL_TYPES; t++)
            if (f->types & (1u << t))
                json_put_str(&w, qval_type_name((enum qval_type)t));
        json_put_array_end(&w);
        json_put_key(&w, STR("rows"));
        json_put_uint(&w, f->rows);
        json_put_object_end(&w);
    }
    list_end(call, &w, &body, &c);
}

// A value as results print it; what is no scalar is left out by the caller.
static void put_value(struct json_writer *w, const struct qval *v)
{
    char text[32];
    switch (v->type) {
    case QVAL_BOOL:
        json_put_bool(w, v->b);
        break;
    case QVAL_INT:
    case QVAL_DURATION:
        if (v->i > (1LL << 53) - 1 || v->i < -((1LL << 53) - 1))
            json_put_str(w, str_of(text, (size_t)fmt_i64(text, v->i)));
        else
            json_put_int(w, v->i);
        break;
    case QVAL_LEVEL:
        json_put_int(w, v->i);
        break;
    case QVAL_DOUBLE:
        json_put_double(w, v->d);
        break;
    case QVAL_TIME:
        json_put_str(w, str_of(text, (size_t)fmt_rfc3339(text, v->i)));
        break;
    case QVAL_STR:
    case QVAL_ENUM:
        json_put_str(w, v->s);
        break;
    case QVAL_ID:
        json_put_hex(w, bytes_of(v->id, v->id_n));
        break;
    case QVAL_BYTES:
        json_put_base64(w, bytes_of_str(v->s));
        break;
    default:
        json_put_null(w);
    }
}

void api_values(struct api_call *call)
{
    struct query_request q;
    struct query_error error = { 0 };
    struct catalogue c = { 0 };
    struct view *view;
    struct json_writer w;
    struct buf body;
    str source, field, prefix;
    if (!api_param(call, STR("source"), &source) || !api_param(call, STR("field"), &field) ||
        !api_param(call, STR("prefix"), &prefix))
        return;
    if (field.len == 0) {
        api_reply_error(call->req, 400, "bad_argument", "which field?");
        return;
    }
    if (!begin(call, &q, &view))
        return;
    int r = catalogue_values(&q, view, source.len ? source : STR("*"), field, prefix, &c, &error);
    view_unref(view);
    if (failed(call, r, &error))
        return;
    list_begin(&w, &body, STR("values"));
    for (uint32_t i = 0; i < c.n; i++) {
        json_put_object(&w);
        json_put_key(&w, STR("value"));
        put_value(&w, &c.values[i].value);
        json_put_key(&w, STR("type"));
        json_put_str(&w, qval_type_name((enum qval_type)c.values[i].value.type));
        json_put_key(&w, STR("rows"));
        json_put_uint(&w, c.values[i].rows);
        json_put_object_end(&w);
    }
    list_end(call, &w, &body, &c);
}

void api_histogram(struct api_call *call)
{
    struct query_request q;
    struct query_error error = { 0 };
    struct catalogue c = { 0 };
    struct view *view;
    struct json_writer w;
    struct buf body;
    uint64_t buckets = HISTOGRAM_BUCKETS;
    str text;
    if (!api_param(call, STR("query"), &text) ||
        !api_param_uint(call, STR("buckets"), 1, HISTOGRAM_BUCKETS_MAX, &buckets))
        return;
    if (text.len == 0) {
        api_reply_error(call->req, 400, "bad_argument", "which query?");
        return;
    }
    if (!begin(call, &q, &view))
        return;
    q.text = text;
    int r = catalogue_histogram(&q, view, (uint32_t)buckets, &c, &error);
    view_unref(view);
    if (failed(call, r, &error))
        return;
    list_begin(&w, &body, STR("buckets"));
    for (uint32_t i = 0; i < c.n; i++) {
        json_put_object(&w);
        json_put_key(&w, STR("time"));
        api_put_time(&w, c.buckets[i].time);
        json_put_key(&w, STR("rows"));
        json_put_uint(&w, c.buckets[i].rows);
        json_put_key(&w, STR("errors"));
        json_put_uint(&w, c.buckets[i].errors);
        json_put_object_end(&w);
    }
    list_end(call, &w, &body, &c);
}
