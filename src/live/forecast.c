// What a probe would cost: one that only counts is there for a second, in no list and in no file.
#include "base/mem.h"
#include "live/live_internal.h"

#include <time.h>

enum { LOOK_MS = 100, FORECASTS_MAX = 8, FORECAST_SPEC_MAX = 8 << 10 };
#define COUNT_NS NS_PER_S            // it counts for so long,
#define SELDOM_NS (5 * NS_PER_S / 2) // or, where nothing has run or a process is still on its way, for so long
#define PLACE_NS (6 * NS_PER_S)      // until the first process counts, where one is on its way

static bool is_any(const char *state, const str *of, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq(live_str(state), of[i]))
            return true;
    return false;
}

// What the processes have said so far.
struct tally {
    int64_t first; // since when one counts; 0: none does
    double hits_per_s, hits, ns;
    bool coming, suspended; // any of them
    const struct live_instance *refused;
};

// The hits up to its first report came in a time that is not known: in Node they are counted before the probe is told to stand.
static double rate_of(struct live_instance *k, int64_t now)
{
    enum { FEW = 20 };
    double hits = (double)k->hits;
    int64_t since = k->counting;
    if (k->hits && !k->told)
        k->told = now, k->told_hits = k->hits;
    if (k->hits - k->told_hits >= FEW)
        hits = (double)(k->hits - k->told_hits), since = k->told;
    return hits * NS_PER_S / (double)(now - since > COUNT_NS / 4 ? now - since : COUNT_NS);
}

static bool any_meant(const struct live *l, const struct live_probe *p)
{
    for (const struct live_agent *a = l->agents; a; a = a->next)
        for (size_t i = 0; i < a->processes_n && a->link; i++)
            if (probe_matches(p, a, &a->processes[i]))
                return true;
    return false;
}

static struct tally tally_of(const struct live *l, struct live_probe *p, int64_t now)
{
    static const str there[] = { STR_INIT("installed"), STR_INIT("emitting"), STR_INIT("throttled"),
                                 STR_INIT("partial"), STR_INIT("suspended") };
    static const str never[] = { STR_INIT("error"), STR_INIT("mismatch"), STR_INIT("unresolvable"),
                                 STR_INIT("removed") };
    struct tally t = { .coming = !p->instances && any_meant(l, p) };
    for (struct live_instance *k = p->instances; k; k = k->next) {
        if (!k->counting && is_any(k->state, there, sizeof there / sizeof *there))
            k->counting = now;
        if (!k->counting && is_any(k->state, never, sizeof never / sizeof *never))
            t.refused = k;
        else if (!k->counting)
            t.coming = true;
        if (!k->counting)
            continue;
        t.first = !t.first || k->counting < t.first ? k->counting : t.first;
        t.suspended |= str_eq(live_str(k->state), STR("suspended"));
        t.hits += (double)k->hits, t.ns += (double)k->ns;
        t.hits_per_s += rate_of(k, now);
    }
    return t;
}

static bool is_over(const struct tally *t, int64_t begun, int64_t now)
{
    if (t->first)
        return now - t->first >= (t->hits > 0 && !t->coming ? COUNT_NS : SELDOM_NS);
    return now - begun >= (t->coming ? PLACE_NS : t->refused ? COUNT_NS : SELDOM_NS);
}

int live_forecast(struct live *l, const struct live_caller *who, const struct live_question *q,
                  struct live_forecast *ret, struct err *err)
{
    struct buf spec;
    struct json_writer w;
    struct live_probe *p = mem_zalloc(sizeof *p);
    struct tally t = { 0 };
    int64_t begun = clock_mono_ns();
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
    p->expires = p->created + 2 * (PLACE_NS + SELDOM_NS);
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
        for (int64_t now = begun; !l->stop && !is_over(&t, begun, now); t = tally_of(l, p, now)) {
            struct timespec until;
            clock_gettime(CLOCK_REALTIME, &until);
            until.tv_nsec += LOOK_MS * NS_PER_MS;
            until.tv_sec += until.tv_nsec / NS_PER_S;
            until.tv_nsec %= NS_PER_S;
            pthread_cond_timedwait(&l->wake, &l->lock, &until);
            now = clock_mono_ns();
        }
        if (!t.first)
            r = err_set(err, ERR_TIMEOUT, "no_answer", "no process of the service could count there in time%s%s",
                        t.refused && t.refused->message ? ": " : "",
                        t.refused && t.refused->message ? t.refused->message : "");
        l->forecasts--;
        for (struct live_probe **at = &l->probes; *at; at = &(*at)->next)
            if (*at == p) {
                *at = p->next;
                break;
            }
        desired_send(l, NULL);
    }
    pthread_mutex_unlock(&l->lock);
    if (r == 0)
        *ret = (struct live_forecast){ t.hits_per_s, t.hits > 0 ? t.ns / t.hits : 0, t.suspended };
    probe_free(p);
    buf_free(&spec);
    return r;
}
