#include "api/preview.h"

#include "base/clock.h"
#include "base/utf8.h"

enum { EVENTS = 200, ARENA_MAX = 160 << 20 };
#define TIME_MAX_NS (20 * NS_PER_S)

static int sample_row(void *ctx, const struct query_cell *cells, uint32_t n)
{
    struct preview *p = ctx;
    struct preview_at *s = &p->at[p->n];
    if (p->n == PREVIEW_EVENTS_MAX || n != 2 || cells[0].value.type != QVAL_STR || cells[1].value.type != QVAL_TIME)
        return 0;
    *s = (struct preview_at){ .time = cells[1].value.i };
    p->n++;
    return arena_dup(&p->arena, cells[0].value.s, &s->id);
}

static int sample_end(void *ctx, const struct query_stats *stats) { return 0; }

static int samples_find(struct preview *p, struct query_error *error)
{
    struct query_request q = p->who;
    const struct query_output out = { p, sample_row, sample_end };
    if (!q.has_from) {
        q.has_from = true;
        q.from = INT64_MIN;
    }
    q.text = STR("events | select event_id, time");
    p->at = arena_alloc_array(&p->arena, PREVIEW_EVENTS_MAX, sizeof *p->at);
    return p->at ? query_run(&q, p->view, &out, error) : query_fail(error, QUERY_E_MEMORY, "no memory");
}

bool preview_begin(struct preview *p, struct api_call *call, int64_t project)
{
    uint64_t most = EVENTS;
    *p = (struct preview){ .call = call };
    if (!api_query_begin(call, &p->who) || !api_param_range(call, &p->who) ||
        !api_param_uint(call, STR("limit"), 1, PREVIEW_EVENTS_MAX, &most) || !(p->view = api_view(call)))
        return false;
    p->who.limit = most;
    uint32_t i = 0;
    while (i < p->who.projects_n && p->who.projects[i].id != (uint32_t)project)
        i++;
    p->who.projects += i;
    p->who.projects_n = i < p->who.projects_n;
    arena_init(&p->arena, ARENA_MAX);
    return true;
}

static int samples_read(struct preview *p,
                        int (*fn)(void *ctx, const struct event *e, const struct preview_at *at, struct arena *work),
                        void *ctx)
{
    struct arena work;
    int64_t began = clock_mono_ns();
    int r = 0;
    arena_init(&work, ARENA_MAX);
    for (uint32_t i = 0; i < p->n && r != ERR_NOMEM; i++) {
        struct event_request find = { .view = p->view, .who = &p->who, .arena = &work };
        struct event e;
        struct err err;
        if (p->who.cancelled(p->who.cancelled_ctx)) {
            r = ERR_CANCELLED;
            break;
        }
        if (clock_mono_ns() - began > TIME_MAX_NS) {
            p->partial = true;
            break;
        }
        r = event_find(&find, p->at[i].id, p->at[i].time, &e, &err);
        if (r == 0)
            r = e.json.len ? fn(ctx, &e, &p->at[i], &work) : ERR_NOENT;
        if (r == 0)
            p->read++;
        else
            p->unreadable++;
        arena_reset(&work);
    }
    arena_free(&work);
    return r == ERR_NOMEM || r == ERR_CANCELLED ? r : 0;
}

bool preview_each(struct preview *p,
                  int (*fn)(void *ctx, const struct event *e, const struct preview_at *at, struct arena *work),
                  void *ctx)
{
    struct query_error error = { 0 };
    int r = samples_find(p, &error);
    if (r == 0)
        r = samples_read(p, fn, ctx);
    if (r == 0)
        return true;
    if (error.code != QUERY_OK)
        api_reply_query_error(p->call->req, &error);
    else
        api_reply_error(p->call->req, 503, r == ERR_NOMEM ? "memory" : "stopping", "%s", err_text(r));
    return false;
}

int preview_title(struct preview *p, str title, str *ret)
{
    return arena_dup(&p->arena, utf8_cut(title, PREVIEW_TITLE_MAX), ret);
}

void preview_put(struct json_writer *w, const struct preview *p)
{
    json_put_key(w, STR("events"));
    json_put_uint(w, p->read);
    json_put_key(w, STR("unreadable"));
    json_put_uint(w, p->unreadable);
    json_put_key(w, STR("partial"));
    json_put_bool(w, p->partial);
}

void preview_end(struct preview *p)
{
    view_unref(p->view);
    arena_free(&p->arena);
}
