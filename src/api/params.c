// Parameters of URLs and bodies.
#include "api/api_internal.h"

#include "base/clock.h"
#include "base/json_tree.h"
#include "base/mem.h"
#include "base/numfmt.h"
#include "query/calendar.h"
#include "query/literal.h"

#include <stdlib.h>

bool api_param(struct api_call *call, str name, str *ret_value)
{
    str value = { 0 };
    int r = http_query_get(&call->req->arena, call->req->query, name, &value);
    if (r < 0 && r != ERR_NOENT) {
        api_reply_error(call->req, 400, "bad_argument", "the parameters of the URL are not well formed");
        return false;
    }
    *ret_value = value;
    return true;
}

bool api_param_uint(struct api_call *call, str name, uint64_t least, uint64_t most, uint64_t *ret_value)
{
    str text;
    uint64_t value;
    if (!api_param(call, name, &text))
        return false;
    if (text.len == 0)
        return true;
    if (!parse_u64(text, &value) || value < least || value > most) {
        api_reply_error(call->req, 400, "bad_argument", "%.*s must be a whole number from %llu to %llu", STR_ARG(name),
                        (unsigned long long)least, (unsigned long long)most);
        return false;
    }
    *ret_value = value;
    return true;
}

bool api_time(str text, str tz, int64_t *ret_ns)
{
    const struct query_zone *zone = NULL;
    if (tz.len && query_zone_get(tz, &zone) < 0)
        return false;
    return query_time_param(text, clock_unix_ns(), zone, ret_ns);
}

static bool range_side(struct api_call *call, str name, str tz, bool *ret_has, int64_t *ret_ns)
{
    str text;
    if (!api_param(call, name, &text))
        return false;
    if (text.len == 0)
        return true;
    if (!api_time(text, tz, ret_ns)) {
        api_reply_error(call->req, 400, "bad_time", "%.*s is not a time: -1h, now/d, 2026-01-01T00:00:00Z, or epoch",
                        STR_ARG(name));
        return false;
    }
    *ret_has = true;
    return true;
}

bool api_param_range(struct api_call *call, struct query_request *q)
{
    if (!api_param(call, STR("tz"), &q->tz))
        return false;
    if (!range_side(call, STR("from"), q->tz, &q->has_from, &q->from) ||
        !range_side(call, STR("to"), q->tz, &q->has_to, &q->to))
        return false;
    if (q->has_from && q->has_to && q->from >= q->to) {
        api_reply_error(call->req, 400, "bad_range", "from must be before to");
        return false;
    }
    return true;
}

static bool request_left(void *ctx) { return http_request_cancelled(ctx); }

static int project_order(const void *a, const void *b)
{
    const struct query_project *x = a, *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

bool api_query_begin(struct api_call *call, struct query_request *ret_q)
{
    struct meta_project *list;
    struct query_project *projects;
    struct err err;
    size_t n, kept = 0;
    if (meta_project_list(call->api->options.meta, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return false;
    }
    projects = arena_alloc_array(&call->req->arena, n, sizeof *projects);
    for (size_t i = 0; projects && i < n; i++) {
        if (call->caller.project && call->caller.project != list[i].id)
            continue;
        projects[kept].id = (uint32_t)list[i].id;
        if (arena_dup(&call->req->arena, str_z(list[i].slug), &projects[kept].name) < 0)
            projects = NULL;
        else
            kept++;
    }
    mem_free(list);
    if (!projects) {
        api_reply_error(call->req, 503, "memory", "out of memory");
        return false;
    }
    qsort(projects, kept, sizeof *projects, project_order);
    *ret_q = (struct query_request){
        .projects = projects,
        .projects_n = (uint32_t)kept,
        .issues = call->api->options.query_issues,
        .values = call->caller.scopes & META_SCOPE_VALUES,
        .values_read = api_query_values_read,
        .values_read_ctx = call,
        .now = clock_unix_ns(),
        .memory_max = call->api->options.query_memory_max,
        .time_max_ns = call->api->options.query_time_max_ns,
        .cancelled = request_left,
        .cancelled_ctx = call->req,
    };
    return true;
}

// Also a fence: a form of another site cannot send this type without asking first.
static bool body_is_json(struct api_call *call)
{
    str type = http_media_type(http_request_header(call->req, STR("content-type")));
    if (str_ieq(type, STR("application/json")))
        return true;
    api_reply_error(call->req, 415, "bad_request", "the content type must be application/json");
    return false;
}

bool api_body_object(struct api_call *call, int depth, const struct json_node **ret_root)
{
    const struct json_node *root;
    struct err err = { 0 };
    if (!body_is_json(call))
        return false;
    if (json_tree_read(str_of_bytes(call->req->body), &call->req->arena, depth, &root, &err) < 0) {
        api_reply_error(call->req, 400, "bad_request", "the body is not JSON: %s", err.message);
        return false;
    }
    if (!json_is(root, JSON_OBJECT)) {
        api_reply_error(call->req, 400, "bad_request", "the body is no JSON object");
        return false;
    }
    *ret_root = root;
    return true;
}

bool api_body_read(struct api_call *call, int (*fn)(void *ctx, str name, struct json_reader *r), void *ctx)
{
    struct json_reader r;
    struct err err;
    str name = { 0 };
    if (!body_is_json(call))
        return false;
    json_reader_init(&r, str_of_bytes(call->req->body), &call->req->arena, 8);
    int rc = json_object(&r);
    while (rc == 0 && (rc = json_member(&r, &name)) == 1)
        rc = fn(ctx, name, &r);
    if (rc == 0)
        rc = json_done(&r);
    if (rc == 0)
        return true;
    json_reader_err(&r, rc, &err);
    if (rc == ERR_INVALID)
        api_reply_error(call->req, 400, "bad_request", "the member \"%.*s\" is unknown or has another type",
                        STR_ARG(str_slice(name, 0, 60)));
    else
        api_reply_error(call->req, 400, "bad_request", "the body is no JSON object: %s (%s)", err.message, err.place);
    return false;
}

int64_t api_project_by_slug(struct api_call *call, str slug)
{
    struct meta_project p;
    struct err err;
    if (meta_project_find(call->api->options.meta, slug, &p, &err) < 0) {
        api_reply_err(call->req, &err);
        return 0;
    }
    if (call->caller.project && call->caller.project != p.id) {
        api_reply_error(call->req, 404, "no_project", "there is no such project (or you may not see it)");
        return 0;
    }
    return p.id;
}

struct view *api_view(struct api_call *call)
{
    struct view *view = NULL;
    int r = store_view(call->api->options.store, &view);
    if (r == 0)
        return view;
    api_reply_error(call->req, 503, "store", "the store cannot be read: %s", err_text(r));
    return NULL;
}
