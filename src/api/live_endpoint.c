// Probes, and what there is to debug.
#include "api/api_internal.h"
#include "api/live_calls.h"

#include "base/mem.h"

#include <stdlib.h>

enum { BODY_DEPTH = 16, QUESTION_TEXT_MAX = 1024 };

static int number_order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

bool api_live_caller(struct api_call *call, struct live_caller *ret)
{
    struct meta_project *list = NULL;
    struct err err;
    size_t n = 0, kept = 0;
    char actor[META_NAME_MAX + 1];
    str who;
    if (meta_project_list(call->api->options.meta, &list, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return false;
    }
    uint32_t *ids = arena_alloc_array(&call->req->arena, n + 1, sizeof *ids);
    for (size_t i = 0; ids && i < n; i++)
        if (call->caller.project == 0 || call->caller.project == list[i].id)
            ids[kept++] = (uint32_t)list[i].id;
    mem_free(list);
    if (!ids || arena_dup(&call->req->arena, api_actor(call, actor), &who) < 0) {
        api_reply_error(call->req, 503, "memory", "out of memory");
        return false;
    }
    qsort(ids, kept, sizeof *ids, number_order);
    *ret = (struct live_caller){ .actor = who,
                                 .owner = str_z(call->caller.name),
                                 .projects = ids,
                                 .projects_n = kept,
                                 .may_prod = call->caller.scopes & META_SCOPE_PROBE_PROD };
    return true;
}

// "if", with the column in it: "if:7".
static void reply_wrong(struct api_call *call, struct err *err)
{
    char place[sizeof err->place];
    if (err->column && !err->line && err->place[0]) {
        memcpy(place, err->place, sizeof place);
        err_set_place(err, "%.100s:%d", place, err->column);
    }
    api_reply_member(call->req, err);
}

struct answer {
    struct buf body;
    struct json_writer w;
};

static void answer_begin(struct answer *a)
{
    buf_init(&a->body, API_BODY_MAX);
    json_writer_init(&a->w, &a->body);
}

// ---- probes ------------------------------------------------------------------------------------------------

void api_probes(struct api_call *call)
{
    struct live_caller who;
    struct answer a;
    str service, slug, all;
    int64_t project = 0;
    if (!api_live_caller(call, &who) || !api_param(call, STR("service"), &service) ||
        !api_param(call, STR("project"), &slug) || !api_param(call, STR("all"), &all))
        return;
    if (slug.len && !(project = api_project_by_slug(call, slug)))
        return;
    answer_begin(&a);
    json_put_object(&a.w);
    json_put_key(&a.w, STR("probes"));
    json_put_array(&a.w);
    live_probes(call->api->options.live, &who, service, (uint32_t)project, str_eq(all, STR("1")), &a.w);
    json_put_array_end(&a.w);
    json_put_object_end(&a.w);
    api_reply_json_take(call->req, 200, &a.body);
}

void api_probe(struct api_call *call)
{
    struct live_caller who;
    struct answer a;
    struct err err = { 0 };
    if (!api_live_caller(call, &who))
        return;
    answer_begin(&a);
    if (live_probe(call->api->options.live, &who, call->params[0], &a.w, &err) == 0) {
        api_reply_json_take(call->req, 200, &a.body);
        return;
    }
    buf_free(&a.body);
    api_reply_err(call->req, &err);
}

// Where nothing is said, a caller of one project means that one.
static bool project_of_body(struct api_call *call, const struct json_node *root, struct meta_project *ret)
{
    str slug = json_get_text(root, STR("project"));
    struct err err;
    int64_t id = call->caller.project;
    if (slug.len || !id) {
        id = api_project_by_slug(call, slug.len ? slug : STR("default"));
        if (!id)
            return false;
    }
    if (meta_project_get(call->api->options.meta, id, ret, &err) == 0)
        return true;
    api_reply_err(call->req, &err);
    return false;
}

void api_probe_add(struct api_call *call)
{
    const struct json_node *root;
    struct live_caller who;
    struct meta_project project;
    struct answer a;
    struct err err = { 0 };
    if (!api_whole_workspace(call) || !api_body_object(call, BODY_DEPTH, &root) || !api_live_caller(call, &who) ||
        !project_of_body(call, root, &project))
        return;
    answer_begin(&a);
    if (live_probe_add(call->api->options.live, &who, (uint32_t)project.id, str_z(project.slug), root, &a.w, &err) ==
        0) {
        api_reply_json_take(call->req, 201, &a.body);
        return;
    }
    buf_free(&a.body);
    reply_wrong(call, &err);
}

void api_probe_change(struct api_call *call)
{
    const struct json_node *root;
    struct live_caller who;
    struct answer a;
    struct err err = { 0 };
    if (!api_whole_workspace(call) || !api_body_object(call, BODY_DEPTH, &root) || !api_live_caller(call, &who))
        return;
    if (json_get(root, STR("project"))) {
        api_reply_error(call->req, 400, "bad_probe", "the project of a probe does not change");
        return;
    }
    answer_begin(&a);
    if (live_probe_change(call->api->options.live, &who, call->params[0], root, &a.w, &err) == 0) {
        api_reply_json_take(call->req, 200, &a.body);
        return;
    }
    buf_free(&a.body);
    reply_wrong(call, &err);
}

void api_probe_remove(struct api_call *call)
{
    struct live_caller who;
    struct err err = { 0 };
    if (!api_live_caller(call, &who))
        return;
    if (live_probe_remove(call->api->options.live, &who, call->params[0], &err) < 0)
        api_reply_err(call->req, &err);
    else
        api_reply_nothing(call->req, 204);
}

// The kill switch. All of them must be said, so that a forgotten parameter removes nothing.
void api_probes_remove(struct api_call *call)
{
    struct live_caller who;
    struct answer a;
    struct err err = { 0 };
    str service, all;
    size_t n = 0;
    if (!api_live_caller(call, &who) || !api_param(call, STR("service"), &service) ||
        !api_param(call, STR("all"), &all))
        return;
    if (!service.len && !str_eq(all, STR("1"))) {
        api_reply_error(call->req, 400, "bad_argument", "say service=NAME, or all=1 for every probe");
        return;
    }
    if (live_probes_remove(call->api->options.live, &who, service, &n, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    answer_begin(&a);
    json_put_object(&a.w);
    json_put_key(&a.w, STR("removed"));
    json_put_uint(&a.w, n);
    json_put_object_end(&a.w);
    api_reply_json_take(call->req, 200, &a.body);
}

void api_probe_check(struct api_call *call)
{
    const struct json_node *root;
    struct answer a;
    struct err err = { 0 };
    const char *type = "any";
    if (!api_body_object(call, BODY_DEPTH, &root))
        return;
    int r =
        live_check(json_get_text(root, STR("as")), json_get_text(root, STR("text")), &call->req->arena, &type, &err);
    if (r == ERR_NOENT || r == ERR_NOMEM) {
        api_reply_error(call->req, r == ERR_NOENT ? 400 : 503, err.slug, "%s", err.message);
        return;
    }
    answer_begin(&a);
    json_put_object(&a.w);
    json_put_key(&a.w, STR("ok"));
    json_put_bool(&a.w, r == 0);
    if (r == 0) {
        api_put_text(&a.w, STR("type"), str_z(type));
    } else {
        json_put_key(&a.w, STR("column"));
        json_put_int(&a.w, err.column > 0 ? err.column : 1);
        api_put_text(&a.w, STR("message"), str_z(err.message));
        api_put_text(&a.w, STR("hint"), str_z(err.hint));
    }
    json_put_object_end(&a.w);
    api_reply_json_take(call->req, 200, &a.body);
}

// ---- services and their processes: hosts are the workspace's, so that whoever reaches them sees all projects ------------------------------------------------------------------------

void api_live_services(struct api_call *call)
{
    struct live_caller who;
    struct answer a;
    if (!api_whole_workspace(call) || !api_live_caller(call, &who))
        return;
    answer_begin(&a);
    json_put_object(&a.w);
    live_services(call->api->options.live, &who, &a.w);
    json_put_object_end(&a.w);
    api_reply_json_take(call->req, 200, &a.body);
}

void api_live_instances(struct api_call *call)
{
    struct answer a;
    str service;
    if (!api_whole_workspace(call) || !api_param(call, STR("service"), &service))
        return;
    answer_begin(&a);
    json_put_object(&a.w);
    live_instances(call->api->options.live, service, &a.w);
    json_put_object_end(&a.w);
    api_reply_json_take(call->req, 200, &a.body);
}

static bool question(struct api_call *call, const char *what, struct live_question *q)
{
    uint64_t line = 0;
    *q = (struct live_question){ .what = str_z(what) };
    if (!api_whole_workspace(call))
        return false;
    if (!api_param(call, STR("service"), &q->service) || !api_param(call, STR("process"), &q->process) ||
        !api_param(call, STR("path"), &q->path) || !api_param(call, STR("prefix"), &q->prefix) ||
        !api_param_uint(call, STR("line"), 1, 10000000, &line))
        return false;
    q->line = (int64_t)line;
    if (q->service.len && q->path.len <= QUESTION_TEXT_MAX && q->prefix.len <= QUESTION_TEXT_MAX)
        return true;
    api_reply_error(call->req, 400, "bad_argument", "say service=NAME, and a path of at most %d bytes",
                    QUESTION_TEXT_MAX);
    return false;
}

static void ask(struct api_call *call, const char *what)
{
    struct live_question q;
    struct err err = { 0 };
    struct buf body;
    str json;
    if (!question(call, what, &q))
        return;
    if (live_resolve(call->api->options.live, &q, &call->req->arena, &json, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    buf_init(&body, API_BODY_MAX);
    buf_str(&body, json);
    api_reply_json_take(call->req, 200, &body);
}

void api_live_files(struct api_call *call) { ask(call, "files"); }
void api_live_source(struct api_call *call) { ask(call, "source"); }
void api_live_lines(struct api_call *call) { ask(call, "lines"); }
void api_live_functions(struct api_call *call) { ask(call, "functions"); }
void api_live_variables(struct api_call *call) { ask(call, "variables"); }

void api_live_forecast(struct api_call *call)
{
    struct live_question q;
    struct live_caller who;
    struct answer a;
    struct err err = { 0 };
    struct live_forecast told;
    if (!question(call, "forecast", &q) || !api_live_caller(call, &who))
        return;
    if (!q.line || !q.path.len) {
        api_reply_error(call->req, 400, "bad_argument", "say path=FILE and line=N");
        return;
    }
    if (live_forecast(call->api->options.live, &who, &q, &told, &err) < 0) {
        api_reply_err(call->req, &err);
        return;
    }
    answer_begin(&a);
    json_put_object(&a.w);
    json_put_key(&a.w, STR("hits_per_s"));
    json_put_double(&a.w, told.hits_per_s);
    json_put_key(&a.w, STR("cost_ns"));
    json_put_double(&a.w, told.cost_ns);
    json_put_key(&a.w, STR("core_ratio"));
    json_put_double(&a.w, told.hits_per_s * told.cost_ns / 1e9);
    json_put_key(&a.w, STR("suspended"));
    json_put_bool(&a.w, told.suspended);
    json_put_object_end(&a.w);
    api_reply_json_take(call->req, 200, &a.body);
}
