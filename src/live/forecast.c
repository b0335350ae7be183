// What a probe would cost: one that only counts is there for a second, in no list and in no file.
#include "base/mem.h"
#include "live/live_internal.h"

#include <time.h>

int live_forecast(struct live *l, const struct live_caller *who, const struct live_question *q, double *ret_hits_per_s,
                  double *ret_cost_ns, struct err *err)
{
    enum { WAIT_MS = 2500, LOOK_MS = 100, FORECASTS_MAX = 8, FORECAST_SPEC_MAX = 8 << 10 };
    struct buf spec;
    struct json_writer w;
    struct live_probe *p = mem_zalloc(sizeof *p);
    int64_t hits = 0, ns = 0, since = 0, now = 0;
    if (!p)
        return live_nomem(err);
    buf_init(&spec, FORECAST_SPEC_MAX);
    json_writer_init(&w, &spec);
    json_put_object(&w);
    json_put_key(&w, STR("kind"));
    json_put_str(&w, STR("snapshot"));
    json_put_key(&w, STR("where"));
    json_put_object(&w);
    json_put_key(&w, STR("file"));
    json_put_str(&w, q->path);
    json_put_key(&w, STR("line"));
    json_put_int(&w, q->line);
    json_put_object_end(&w);
    json_put_key(&w, STR("scope"));
    json_put_object(&w);
    json_put_key(&w, STR("service"));
    json_put_str(&w, q->service);
    json_put_object_end(&w);
    json_put_object_end(&w);
    p->count_only = true;
    p->prod = who->may_prod;
    p->revision = 1;
    p->hits = 1;
    p->created = p->updated = live_now(l);
    p->expires = p->created + 10 * NS_PER_S;
    pthread_mutex_lock(&l->lock);
    int r = l->forecasts >= FORECASTS_MAX ? err_set(err, ERR_BUSY, "busy", "%d forecasts run already", FORECASTS_MAX)
                                          : probe_make(l, p, buf_view(&spec), err);
    if (r == 0) {
        // An id above all real ones, below what JSON numbers keep.
        p->id = (INT64_C(1) << 40) + ++l->request;
        l->forecasts++;
        p->next = l->probes;
        l->probes = p;
        desired_send(l, NULL);
        for (int i = 0; i < WAIT_MS / LOOK_MS && !l->stop; i++) {
            struct timespec until;
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += LOOK_MS * NS_PER_MS;
            until.tv_sec += until.tv_nsec / NS_PER_S;
            until.tv_nsec %= NS_PER_S;
            pthread_cond_timedwait(&l->wake, &l->lock, &until);
            now = live_now(l);
            hits = ns = 0;
            for (const struct live_instance *k = p->instances; k; k = k->next) {
                hits += k->hits + k->filtered;
                ns += k->ns;
                if (!since && k->state &&
                    (str_eq(str_z(k->state), STR("installed")) || str_eq(str_z(k->state), STR("emitting"))))
                    since = now;
            }
            if (since && now - since >= NS_PER_S && hits)
                break;
        }
        if (!since)
            r = err_set(err, ERR_TIMEOUT, "no_answer", "no process of the service could count there in time");
        l->forecasts--;
        for (struct live_probe **at = &l->probes; *at; at = &(*at)->next)
            if (*at == p) {
                *at = p->next;
                break;
            }
        desired_send(l, NULL);
    }
    pthread_mutex_unlock(&l->lock);
    if (r == 0) {
        double seconds = (double)(now - since) / NS_PER_S;
        *ret_hits_per_s = seconds > 0.1 ? (double)hits / seconds : (double)hits;
        *ret_cost_ns = hits ? (double)ns / (double)hits : 0;
    }
    probe_free(p);
    buf_free(&spec);
    return r;
}
