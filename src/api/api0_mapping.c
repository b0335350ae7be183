// Code mappings as sentry-cli sends them (`sentry-cli code-mappings upload`), and the list of them.
#include "api/api0.h"

#include <stdio.h>

enum { BULK_MAX = 300 }; // of a call, as with Sentry

static void put_mapping(struct json_writer *w, const struct meta_project *p, const struct meta_mapping *k)
{
    json_put_object(w);
    api0_put_id(w, STR("id"), k->id);
    api0_put_id(w, STR("projectId"), p->id);
    api0_put_text(w, STR("projectSlug"), str_z(p->slug));
    api0_put_known(w, STR("repoId"), (str){ 0 });
    api0_put_text(w, STR("repoName"), k->repository);
    api0_put_known(w, STR("integrationId"), (str){ 0 });
    api0_put_known(w, STR("provider"), (str){ 0 });
    api0_put_text(w, STR("stackRoot"), k->stack_root);
    api0_put_text(w, STR("sourceRoot"), k->source_root);
    api0_put_text(w, STR("defaultBranch"), k->branch);
    json_put_key(w, STR("automaticallyGenerated"));
    json_put_bool(w, false);
    json_put_object_end(w);
}

void api0_mappings_list(struct api_call *call)
{
    struct meta_project *projects;
    struct api0_page page;
    struct json_writer w;
    struct err err;
    struct buf body;
    size_t projects_n, at = 0;
    if (!api0_page_read(call, 100, &page) || !api0_projects(call, &projects, &projects_n))
        return;
    api0_begin(&w, &body);
    json_put_array(&w);
    for (size_t i = 0; i < projects_n; i++) {
        struct meta_mapping *list;
        size_t n;
        if (meta_mapping_list(call->api->options.meta, projects[i].id, &call->req->arena, &list, &n, &err) < 0) {
            buf_free(&body);
            api0_reply_err(call->req, &err);
            return;
        }
        for (size_t k = 0; k < n; k++, at++)
            if (at >= page.at && at < page.at + page.n)
                put_mapping(&w, &projects[i], &list[k]);
    }
    json_put_array_end(&w);
    api0_reply_page_take(call, &page, at, &body);
}

// ---- upload --------------------------------------------------------------------------------------------

static void put_result(struct json_writer *w, const struct meta_mapping *k, enum meta_mapping_put put)
{
    static const str words[] = { STR_INIT("created"), STR_INIT("updated"), STR_INIT("error") };
    char detail[128];
    json_put_object(w);
    api0_put_text(w, STR("stackRoot"), k->stack_root);
    api0_put_text(w, STR("sourceRoot"), k->source_root);
    api0_put_text(w, STR("status"), words[put]);
    if (put == META_MAPPING_REFUSED) {
        bool many = k->stack_root.len && k->stack_root.len <= META_ROOT_MAX && k->source_root.len <= META_ROOT_MAX;
        if (many)
            snprintf(detail, sizeof detail, "the project has %d mappings already", META_MAPPINGS_MAX);
        else
            snprintf(detail, sizeof detail, "a stack root has 1 to %d bytes, a source root at most %d", META_ROOT_MAX,
                     META_ROOT_MAX);
        api0_put_text(w, STR("detail"), str_z(detail));
    }
    json_put_object_end(w);
}

static void reply_bulk(struct api_call *call, const struct meta_mapping *list, size_t n,
                       const enum meta_mapping_put *puts)
{
    int64_t counts[3] = { 0 };
    struct json_writer w;
    struct buf body;
    for (size_t i = 0; i < n; i++)
        counts[puts[i]]++;
    api0_begin(&w, &body);
    json_put_object(&w);
    api0_put_int(&w, STR("created"), counts[META_MAPPING_CREATED]);
    api0_put_int(&w, STR("updated"), counts[META_MAPPING_UPDATED]);
    api0_put_int(&w, STR("errors"), counts[META_MAPPING_REFUSED]);
    json_put_key(&w, STR("mappings"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        put_result(&w, &list[i], puts[i]);
    json_put_array_end(&w);
    json_put_object_end(&w);
    api_reply_json_take(call->req, counts[META_MAPPING_REFUSED] ? 207 : 200, &body);
}

// The roots of an element; false: it has none.
static bool mapping_read(const struct json_node *in, struct meta_mapping *k)
{
    const struct json_node *stack = json_get(in, STR("stackRoot")), *source = json_get(in, STR("sourceRoot"));
    if (!json_is(stack, JSON_STRING) || !json_is(source, JSON_STRING))
        return false;
    k->stack_root = stack->text;
    k->source_root = source->text;
    return true;
}

void api0_mappings_bulk(struct api_call *call)
{
    const struct json_node *in;
    struct meta_project p;
    struct err err;
    char actor[META_NAME_MAX + 1];
    size_t n = 0;
    if (!api0_body(call, &in) || !api0_project(call, json_get_text(in, STR("project")), &p))
        return;
    const struct json_node *array = json_get(in, STR("mappings"));
    if (!json_is(array, JSON_ARRAY) || array->n == 0 || array->n > BULK_MAX) {
        api0_error(call->req, 400, "mappings: a list of 1 to %d is needed", BULK_MAX);
        return;
    }
    struct meta_mapping *list = arena_alloc_array(&call->req->arena, array->n, sizeof *list);
    enum meta_mapping_put *puts = arena_alloc_array(&call->req->arena, array->n, sizeof *puts);
    if (!list || !puts) {
        api0_error(call->req, 503, "out of memory");
        return;
    }
    for (const struct json_node *e = array->first; e; e = e->next) {
        list[n] = (struct meta_mapping){ .repository = json_get_text(in, STR("repository")),
                                         .branch = json_get_text(in, STR("defaultBranch")) };
        if (!mapping_read(e, &list[n++])) {
            api0_error(call->req, 400, "mappings: each needs a stackRoot and a sourceRoot");
            return;
        }
    }
    if (meta_mapping_put(call->api->options.meta, api_actor(call, actor), p.id, list, n, puts, &err) < 0)
        api0_reply_err(call->req, &err);
    else
        reply_bulk(call, list, n, puts);
}
