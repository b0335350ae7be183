// GET /api/v1/issues/{id}/similar: issues of the project that may be the same trouble, best first, and why.
//
// All issues are compared by what the list shows of them; of the likeliest, the stack of their latest event is read. Those of
// monitors are left out: each is one job's trouble, however alike their words are.
#include "api/issue_json.h"

#include "base/hex.h"
#include "events/events.h"
#include "grouping/grouping.h"
#include "issues/similar.h"
#include "monitors/monitors.h"

#include <stdlib.h>

enum { SIMILAR_ARENA_MAX = 256 << 20, LIMIT_DEFAULT = 5, LIMIT_MAX = 20 };

struct looking {
    struct api_call *call;
    struct query_request who;
    struct arena arena;
    struct event_request find;
    struct event_writing reading;
    struct similar_text about;
    const struct issue_row *row;
    struct similar_picks picks;
    uint32_t compared;
    uint64_t *frames;
    uint32_t frames_n;
};

struct found {
    struct issue_row row;
    struct similar alike;
};

static void text_of(const struct issue_row *row, struct similar_text *ret_text)
{
    ret_text->type = row->type;
    ret_text->culprit = row->culprit;
    similar_words(row->value.len ? row->value : row->title, &ret_text->words);
}

// Called for every issue of the project; none is kept.
static bool compare(void *ctx, const struct issue_row *row)
{
    struct looking *l = ctx;
    struct similar_text text;
    if (row->id == l->row->id || monitor_event_type(row->type))
        return false;
    text_of(row, &text);
    l->compared++;
    similar_pick(&l->picks, row->id, similar_by_text(&l->about, &text).score);
    return false;
}

// Of the latest event; none when that is not stored any more.
static int frames_of(struct looking *l, const struct issue_row *row, uint64_t **ret_keys, uint32_t *ret_n,
                     struct err *err)
{
    static const uint8_t none[16];
    struct event e;
    char hex[33] = "";
    *ret_n = 0;
    if (memcmp(row->sample_latest, none, 16) == 0)
        return 0;
    hex_encode(hex, row->sample_latest, 16);
    int rc = event_find(&l->find, str_of(hex, 32), row->last, &e, err);
    if (rc == ERR_NOENT)
        return 0;
    return rc < 0 ? rc : event_frame_keys(&e, &l->reading, &l->arena, ret_keys, ret_n, err);
}

static int by_score(const void *a, const void *b)
{
    const struct found *x = a, *y = b;
    if (x->alike.score != y->alike.score)
        return x->alike.score < y->alike.score ? 1 : -1;
    return (x->row.id > y->row.id) - (x->row.id < y->row.id);
}

static int look_closer(struct looking *l, const struct issues_filter *f, int64_t from, int64_t to, struct found *found,
                       size_t *ret_n, struct err *err)
{
    size_t n = 0;
    int rc = frames_of(l, l->row, &l->frames, &l->frames_n, err);
    for (uint32_t i = 0; i < l->picks.n && rc == 0; i++) {
        struct found *at = &found[n];
        struct similar_text text;
        uint64_t *keys = NULL;
        uint32_t keys_n;
        rc = issues_row(l->call->api->options.issues, f, l->picks.best[i].id, from, to, &l->arena, &at->row, err);
        if (rc == ERR_NOENT || (rc == 0 && at->row.id == l->row->id)) { // merged meanwhile
            rc = 0;
            continue;
        }
        if (rc < 0)
            break;
        struct arena_mark mark = arena_mark(&l->arena);
        rc = l->frames_n ? frames_of(l, &at->row, &keys, &keys_n, err) : 0;
        text_of(&at->row, &text);
        at->alike = similar_by_text(&l->about, &text);
        if (rc == 0 && keys)
            similar_by_stack(&at->alike, l->frames, l->frames_n, keys, keys_n);
        arena_rewind(&l->arena, mark);
        n += rc == 0 && similar_enough(&at->alike);
    }
    if (rc < 0)
        return rc;
    qsort(found, n, sizeof *found, by_score);
    *ret_n = n;
    return 0;
}

// "4 of 5 frames, the type and 66 % of the words"
static void put_why(struct json_writer *w, const struct similar *s, struct arena *arena)
{
    str parts[4], all = { 0 };
    uint32_t n = 0;
    if (s->frames)
        parts[n++] = arena_printf(arena, "%u of %u frames", s->frames, s->frames_of);
    if (s->type)
        parts[n++] = STR("the type");
    if (s->culprit)
        parts[n++] = STR("the culprit");
    if (s->words >= 20)
        parts[n++] = arena_printf(arena, "%u %% of the words", s->words);
    for (uint32_t i = 0; i < n; i++)
        all = arena_printf(arena, "%.*s%s%.*s", STR_ARG(all),
                           i == 0       ? ""
                           : i + 1 == n ? " and "
                                        : ", ",
                           STR_ARG(parts[i]));
    api_put_text(w, STR("why"), all);
}

static void put_found(struct looking *l, struct json_writer *w, const struct found *f)
{
    const struct similar *s = &f->alike;
    json_put_object(w);
    json_put_key(w, STR("issue"));
    json_put_object(w);
    issue_put(w, &l->who, &f->row, 0);
    json_put_object_end(w);
    json_put_key(w, STR("score"));
    json_put_double(w, (double)(int)(s->score * 1000 + 0.5) / 1000);
    if (s->frames_of) {
        json_put_key(w, STR("frames"));
        json_put_uint(w, s->frames);
        json_put_key(w, STR("frames_of"));
        json_put_uint(w, s->frames_of);
    }
    put_why(w, s, &l->arena);
    json_put_object_end(w);
}

static void answer(struct looking *l, const struct found *found, size_t n)
{
    struct buf body;
    struct json_writer w;
    buf_init(&body, API_BODY_MAX);
    json_writer_init(&w, &body);
    json_put_object(&w);
    json_put_key(&w, STR("similar"));
    json_put_array(&w);
    for (size_t i = 0; i < n; i++)
        put_found(l, &w, &found[i]);
    json_put_array_end(&w);
    json_put_key(&w, STR("compared"));
    json_put_uint(&w, l->compared);
    json_put_object_end(&w);
    api_reply_json_take(l->call->req, 200, &body);
}

static int look(struct looking *l, int64_t id, uint32_t project, struct found *found, size_t *ret_n, struct err *err)
{
    struct issues *issues = l->call->api->options.issues;
    char actor[META_NAME_MAX + 1];
    struct issues_filter f = { .projects = &project, .projects_n = 1, .who = api_actor(l->call, actor) }, all = f;
    struct issue_row row, *rows;
    int64_t from, to;
    size_t n;
    issue_range(&l->who, &from, &to);
    int rc = issues_row(issues, &f, id, from, to, &l->arena, &row, err);
    if (rc < 0)
        return rc;
    *ret_n = 0;
    if (monitor_event_type(row.type))
        return 0;
    l->row = &row;
    text_of(&row, &l->about);
    all.want = compare;
    all.ctx = l;
    rc = issues_rows(issues, &all, 0, INT64_MAX, &l->arena, &rows, &n, err);
    return rc < 0 ? rc : look_closer(l, &f, from, to, found, ret_n, err);
}

void api_issue_similar(struct api_call *call)
{
    struct looking l = { .call = call };
    struct found found[SIMILAR_CANDIDATES_MAX];
    struct err err = { 0 };
    uint64_t limit = LIMIT_DEFAULT;
    uint32_t project;
    int64_t id;
    size_t n = 0;
    if (!api_query_begin(call, &l.who) || !api_param_range(call, &l.who) ||
        !api_param_uint(call, STR("limit"), 1, LIMIT_MAX, &limit))
        return;
    if (!issue_named(call, &l.who, call->params[0], &id, &project)) {
        api_reply_error(call->req, 404, "no_issue", "there is no such issue (or you may not see it)");
        return;
    }
    struct view *view = api_view(call);
    if (!view)
        return;
    arena_init(&l.arena, SIMILAR_ARENA_MAX);
    struct grouping_rules *rules = ingest_grouping_rules(call->api->options.ingest, project);
    l.find = (struct event_request){ .view = view, .who = &l.who, .arena = &l.arena };
    l.reading = (struct event_writing){ .symbols = call->api->options.symbols, .grouping = rules };
    if (look(&l, id, project, found, &n, &err) < 0)
        api_reply_err(call->req, &err);
    else
        answer(&l, found, n < limit ? n : limit);
    grouping_rules_free(rules);
    view_unref(view);
    arena_free(&l.arena);
}
