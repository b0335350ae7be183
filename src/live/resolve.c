// Questions to an agent: what files, lines and variables there are in a process. Answers are kept for a moment by nobody:
// the agent has them in memory.
#include "live/live_internal.h"

#include <time.h>

enum { ANSWER_MAX = 2 << 20, ASKS_MAX = 64, WAIT_S = 8, PROCESSES_MAX = 4 };

// Processes that could not answer: those of one service may run other programs, or stand elsewhere.
struct asked {
    size_t n;
    struct {
        int64_t agent;
        str process;
    } of[PROCESSES_MAX];
};

static bool was_asked(const struct asked *asked, const struct live_agent *a, const struct agent_process *p)
{
    for (size_t i = 0; i < asked->n; i++)
        if (asked->of[i].agent == a->id && str_eq(asked->of[i].process, p->id))
            return true;
    return false;
}

// A process of the service, of an agent that is there: the one asked for, or the first that can be attached to and has not been asked.
static const struct agent_process *process_for(struct live *l, const struct live_question *q, const struct asked *asked,
                                               struct live_agent **ret_agent)
{
    const struct agent_process *any = NULL;
    for (struct live_agent *a = l->agents; a; a = a->next)
        for (size_t i = 0; a->link && i < a->processes_n; i++) {
            const struct agent_process *p = &a->processes[i];
            if (!str_eq(p->service, q->service) || (q->process.len && !str_eq(p->id, q->process)))
                continue;
            if ((any && (any->attachable || !p->attachable)) || was_asked(asked, a, p))
                continue;
            any = p;
            *ret_agent = a;
        }
    return any;
}

static void ask(struct live_agent *a, const struct live_ask *k, const struct live_question *q,
                const struct agent_process *p)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, 16 << 10);
    json_writer_init(&w, &b);
    json_put_object(&w);
    json_put_key(&w, STR("type"));
    json_put_str(&w, STR("resolve"));
    json_put_key(&w, STR("request"));
    json_put_int(&w, k->request);
    json_put_key(&w, STR("process"));
    json_put_str(&w, p->id);
    json_put_key(&w, STR("what"));
    json_put_str(&w, q->what);
    if (q->path.len) {
        json_put_key(&w, STR("path"));
        json_put_str(&w, q->path);
    }
    if (q->line) {
        json_put_key(&w, STR("line"));
        json_put_int(&w, q->line);
    }
    if (q->prefix.len) {
        json_put_key(&w, STR("prefix"));
        json_put_str(&w, q->prefix);
    }
    json_put_object_end(&w);
    link_send(a->link, &b);
}

static int taken(const struct live_ask *k, str process, struct arena *arena, str *ret, struct err *err)
{
    if (!k->done)
        return err_set(err, ERR_TIMEOUT, "no_answer", "the agent has not answered in %d s", WAIT_S);
    if (!k->ok)
        return err_set(err, ERR_INVALID, "not_resolved", "%s", k->error[0] ? k->error : "the agent could not say");
    str body = buf_view(&k->answer);
    struct buf b;
    struct json_writer w;
    buf_init(&b, ANSWER_MAX + 1024);
    json_writer_init(&w, &b);
    json_put_object(&w);
    json_put_key(&w, STR("process"));
    json_put_str(&w, process); // the agent's words
    if (body.len > 2)
        buf_byte(&b, ',');
    buf_str(&b, str_slice(body, 1, body.len));
    int r = k->answer.error || b.error || arena_dup(arena, buf_view(&b), ret) < 0 ? live_nomem(err) : 0;
    buf_free(&b);
    return r;
}

// Asks one and waits; the lock is held, and let go of meanwhile: p and a may be gone after it.
static int answer_of(struct live *l, struct live_agent *a, const struct agent_process *p, const struct live_question *q,
                     const struct timespec *until, struct arena *arena, str *ret_json, struct err *err)
{
    struct live_ask k = { .request = ++l->request, .agent = a->id, .next = l->asks };
    str process;
    if (arena_dup(arena, p->id, &process) < 0)
        return live_nomem(err);
    buf_init(&k.answer, ANSWER_MAX);
    l->asks = &k;
    ask(a, &k, q, p);
    while (!k.done && !l->stop && pthread_cond_timedwait(&l->answered, &l->lock, until) == 0) {}
    for (struct live_ask **at = &l->asks; *at; at = &(*at)->next)
        if (*at == &k) {
            *at = k.next;
            break;
        }
    int r = taken(&k, process, arena, ret_json, err);
    buf_free(&k.answer);
    return r;
}

int live_resolve(struct live *l, const struct live_question *q, struct arena *arena, str *ret_json, struct err *err)
{
    struct asked asked = { 0 };
    struct live_agent *a = NULL;
    struct timespec until;
    size_t n = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&l->lock);
    for (const struct live_ask *o = l->asks; o; o = o->next)
        n++;
    const struct agent_process *p = process_for(l, q, &asked, &a);
    int r = 0;
    if (!p)
        r = err_set(err, ERR_NOENT, "no_process", "no agent that is connected has such a process of this service");
    else if (n >= ASKS_MAX)
        r = err_set(err, ERR_BUSY, "busy", "%d questions to agents wait already", ASKS_MAX);
    while (r == 0) {
        asked.of[asked.n].agent = a->id;
        if ((r = arena_dup(arena, p->id, &asked.of[asked.n].process)) < 0) {
            live_nomem(err);
            break;
        }
        asked.n++;
        r = answer_of(l, a, p, q, &until, arena, ret_json, err);
        // Another one may have the file that this one has not.
        if (r != ERR_INVALID || asked.n == PROCESSES_MAX || l->stop || !(p = process_for(l, q, &asked, &a)))
            break;
        r = 0;
    }
    pthread_mutex_unlock(&l->lock);
    return r;
}
