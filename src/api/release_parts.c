#include "api/release_parts.h"

#include "api/issue_json.h"
#include "base/clock.h"
#include "symbols/bundle.h"
#include "symbols/symbols.h"

#include <stdlib.h>

enum { ISSUES_SHOWN = 50, UPLOADS_SHOWN = 200, DEBUG_IDS_SHOWN = 20 };

// ---- the one before it

static int put_before(struct json_writer *w, struct api_call *call, const struct release *before,
                      const struct health_asked *asked, struct err *err)
{
    struct release_health h;
    int rc =
        releases_health(call->api->options.releases, before->id, asked->environment, asked->from, asked->to, &h, err);
    if (rc < 0)
        return rc;
    json_put_key(w, STR("before"));
    json_put_object(w);
    api_put_text(w, STR("version"), before->version);
    api_put_text(w, STR("short"), release_version_short(before->version));
    health_put(w, &h);
    json_put_object_end(w);
    return 0;
}

// ---- its issues

struct its_issues {
    uint32_t project;
    str version, before;
    const int64_t *regressed;
    size_t regressed_n;
};

static bool is_new(const struct its_issues *of, const struct issue_row *row)
{
    return str_eq(row->first_release, of->version);
}

static int id_order(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static bool is_regressed(const struct its_issues *of, const struct issue_row *row)
{
    return of->regressed_n && bsearch(&row->id, of->regressed, of->regressed_n, sizeof row->id, id_order);
}

static bool is_resolved(const struct its_issues *of, const struct issue_row *row)
{
    if (row->state != ISSUE_RESOLVED || row->resolved.kind == RESOLVED_NOW || !row->resolved.release.len)
        return false;
    return str_eq(row->resolved.release, row->resolved.kind == RESOLVED_NEXT_RELEASE ? of->before : of->version);
}

static bool is_any(void *ctx, const struct issue_row *row)
{
    return is_new(ctx, row) || is_regressed(ctx, row) || is_resolved(ctx, row);
}

static int urgent_first(const void *a, const void *b)
{
    const struct issue_row *x = a, *y = b;
    if (x->priority != y->priority)
        return x->priority < y->priority ? 1 : -1;
    if (x->last != y->last)
        return x->last < y->last ? 1 : -1;
    return (x->id < y->id) - (x->id > y->id);
}

static int put_issues(struct json_writer *w, struct api_call *call, const struct query_request *who,
                      struct its_issues *of, const struct health_asked *asked, struct err *err)
{
    static const struct {
        str name;
        bool (*is)(const struct its_issues *of, const struct issue_row *row);
    } kinds[] = { { STR_INIT("new"), is_new },
                  { STR_INIT("regressed"), is_regressed },
                  { STR_INIT("resolved"), is_resolved } };
    struct arena *arena = &call->req->arena;
    struct issues_filter f = {
        .projects = &of->project, .projects_n = 1, .buckets = (uint32_t)asked->buckets, .want = is_any, .ctx = of
    };
    int64_t *regressed;
    struct issue_row *rows;
    size_t n;
    int rc = issues_regressed_in(call->api->options.issues, of->version, arena, &regressed, &of->regressed_n, err);
    if (rc < 0)
        return rc;
    of->regressed = regressed;
    if ((rc = issues_rows(call->api->options.issues, &f, asked->from, asked->to, arena, &rows, &n, err)) < 0)
        return rc;
    if (n)
        qsort(rows, n, sizeof *rows, urgent_first);
    json_put_key(w, STR("issues"));
    json_put_object(w);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        uint64_t total = 0;
        json_put_key(w, kinds[k].name);
        json_put_object(w);
        json_put_key(w, STR("list"));
        json_put_array(w);
        for (size_t i = 0; i < n; i++) {
            if (!kinds[k].is(of, &rows[i]) || ++total > ISSUES_SHOWN)
                continue;
            json_put_object(w);
            issue_put(w, who, &rows[i], (uint32_t)asked->buckets);
            json_put_object_end(w);
        }
        json_put_array_end(w);
        json_put_key(w, STR("total"));
        json_put_uint(w, total);
        json_put_object_end(w);
    }
    json_put_object_end(w);
    return 0;
}

// ---- what was uploaded for it

static void put_debug_id(struct json_writer *w, const uint8_t id[16])
{
    char text[DEBUG_ID_TEXT];
    debug_id_format(id, text);
    json_put_str(w, str_of(text, sizeof text));
}

static int put_upload(struct json_writer *w, struct api_call *call, const struct release_upload *u, struct err *err)
{
    static const str kinds[] = { STR_INIT("file"), STR_INIT("bundle"), STR_INIT("debug") };
    struct symbols_contents c = { 0 };
    int rc = call->api->options.symbols ? symbols_contents(call->api->options.symbols, u->project, u->digest,
                                                           DEBUG_IDS_SHOWN, &call->req->arena, &c, err)
                                        : 0;
    if (rc < 0)
        return rc;
    json_put_object(w);
    api_put_text(w, STR("kind"), kinds[u->kind]);
    api_put_text(w, STR("name"), u->name);
    api_put_text(w, STR("dist"), u->dist);
    api_put_text(w, STR("sha1"), u->sha1);
    json_put_key(w, STR("size"));
    json_put_int(w, u->size);
    json_put_key(w, STR("created"));
    api_put_time(w, u->created);
    json_put_key(w, STR("files"));
    json_put_uint(w, c.minified);
    json_put_key(w, STR("maps"));
    json_put_uint(w, c.maps);
    json_put_key(w, STR("debug_ids"));
    json_put_array(w);
    for (size_t i = 0; i < c.debug_ids_n; i++)
        put_debug_id(w, c.debug_ids[i]);
    json_put_array_end(w);
    json_put_object_end(w);
    return 0;
}

static int put_uploads(struct json_writer *w, struct api_call *call, const struct release *x, struct err *err)
{
    static const enum release_upload_kind kinds[] = { RELEASE_UPLOAD_BUNDLE, RELEASE_UPLOAD_FILE,
                                                      RELEASE_UPLOAD_DEBUG };
    uint64_t total = 0, size = 0;
    int rc = 0;
    json_put_key(w, STR("uploads"));
    json_put_object(w);
    json_put_key(w, STR("list"));
    json_put_array(w);
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0] && rc == 0; k++) {
        struct release_upload *list;
        size_t n = 0;
        rc = releases_uploads(call->api->options.releases, x->project, kinds[k], x->id, (str){ 0 }, (str){ 0 },
                              &call->req->arena, &list, &n, err);
        for (size_t i = 0; i < n && rc == 0; i++) {
            size += (uint64_t)list[i].size;
            if (++total <= UPLOADS_SHOWN)
                rc = put_upload(w, call, &list[i], err);
        }
    }
    json_put_array_end(w);
    json_put_key(w, STR("total"));
    json_put_uint(w, total);
    json_put_key(w, STR("size"));
    json_put_uint(w, size);
    json_put_object_end(w);
    return rc;
}

int release_put_parts(struct json_writer *w, struct api_call *call, const struct query_request *who,
                      const struct release *x, const struct health_asked *asked, struct err *err)
{
    struct its_issues of = { .project = x->project, .version = x->version };
    struct release before;
    int rc = releases_before(call->api->options.releases, x->project, x->version, &call->req->arena, &before, err);
    if (rc == 0) {
        of.before = before.version;
        rc = put_before(w, call, &before, asked, err);
    }
    if (rc == 0 || rc == ERR_NOENT)
        rc = put_issues(w, call, who, &of, asked, err);
    return rc == 0 ? put_uploads(w, call, x, err) : rc;
}
