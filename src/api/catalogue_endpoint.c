// What there is: services, fields, values, and a query's histogram.
#include "api/api_internal.h"

#include "query/result_json.h"
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

void api_values(struct api_call *call)
{
    struct query_request q;
    struct query_error error = { 0 };
    struct catalogue c = { 0 };
    struct view *view;
    struct json_writer w;
    struct buf body;
    struct result_json printed = { 0 };
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
        result_put_value(&printed, &w, &c.values[i].value);
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
