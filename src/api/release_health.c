#include "api/release_health.h"

#include "base/clock.h"

enum { BUCKETS_DEFAULT = 48 };
#define HOUR_NS (3600 * NS_PER_S)

bool health_ask(struct api_call *call, const struct query_request *q, struct health_asked *ret_asked)
{
    struct health_asked asked = { .buckets = BUCKETS_DEFAULT };
    if (!api_param(call, STR("environment"), &asked.environment) ||
        !api_param_uint(call, STR("buckets"), 1, HEALTH_BUCKETS_MAX, &asked.buckets))
        return false;
    int64_t now = clock_unix_ns();
    asked.to = q->has_to ? q->to : now;
    asked.from = q->has_from ? q->from : asked.to - 24 * HOUR_NS;
    if (asked.to > now + 24 * HOUR_NS) // a range without an end ends today
        asked.to = now + 24 * HOUR_NS;
    if (asked.from < 0)
        asked.from = 0;
    if (asked.to <= asked.from)
        asked.to = asked.from + 1;
    asked.from -= asked.from % HOUR_NS; // sessions are counted by the hour
    *ret_asked = asked;
    return true;
}

static void put_count(struct json_writer *w, str key, uint64_t n)
{
    json_put_key(w, key);
    json_put_uint(w, n);
}

static double share_without(uint64_t bad, uint64_t all) { return bad >= all ? 0 : 1 - (double)bad / (double)all; }

void health_put(struct json_writer *w, const struct release_health *h)
{
    const struct health_counts *c = &h->counts;
    put_count(w, STR("sessions"), c->sessions);
    put_count(w, STR("sessions_crashed"), c->crashed);
    put_count(w, STR("sessions_errored"), c->errored);
    put_count(w, STR("sessions_abnormal"), c->abnormal);
    put_count(w, STR("sessions_unhandled"), c->unhandled);
    put_count(w, STR("users"), h->users);
    json_put_key(w, STR("users_approx"));
    json_put_bool(w, h->approx);
    if (c->sessions) {
        json_put_key(w, STR("crash_free_sessions"));
        json_put_double(w, share_without(c->crashed, c->sessions));
    }
    if (h->users) {
        json_put_key(w, STR("crash_free_users"));
        json_put_double(w, share_without(h->crashed_users, h->users));
    }
    if (h->of_all) {
        json_put_key(w, STR("adoption"));
        json_put_double(w, (double)c->sessions / (double)h->of_all);
    }
}

int health_put_series(struct json_writer *w, struct api_call *call, int64_t release, const struct health_asked *asked,
                      struct err *err)
{
    uint64_t all[HEALTH_BUCKETS_MAX] = { 0 };
    uint64_t users[HEALTH_BUCKETS_MAX] = { 0 }, crashed[HEALTH_BUCKETS_MAX] = { 0 };
    struct health_counts counts[HEALTH_BUCKETS_MAX] = { 0 };
    int64_t hours = (asked->to - asked->from + HOUR_NS - 1) / HOUR_NS;
    int64_t step = (hours + (int64_t)asked->buckets - 1) / (int64_t)asked->buckets * HOUR_NS;
    size_t n = (size_t)((hours * HOUR_NS + step - 1) / step);
    int rc = releases_health_series(call->api->options.releases, release, asked->environment, asked->from, step, counts,
                                    all, n, err);
    if (rc == 0)
        rc = releases_health_users(call->api->options.releases, release, asked->environment, asked->from, step, users,
                                   crashed, n, err);
    if (rc < 0)
        return rc;
    json_put_key(w, STR("health"));
    json_put_object(w);
    json_put_key(w, STR("step"));
    json_put_int(w, step);
    static const str names[] = { STR_INIT("time"),         STR_INIT("sessions"),     STR_INIT("crashed"),
                                 STR_INIT("all_sessions"), STR_INIT("users_so_far"), STR_INIT("crashed_users_so_far") };
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++) {
        json_put_key(w, names[k]);
        json_put_array(w);
        for (size_t i = 0; i < n; i++) {
            if (k == 0)
                api_put_time(w, asked->from + (int64_t)i * step);
            else
                json_put_uint(w, k == 1   ? counts[i].sessions
                                 : k == 2 ? counts[i].crashed
                                 : k == 3 ? all[i]
                                 : k == 4 ? users[i]
                                          : crashed[i]);
        }
        json_put_array_end(w);
    }
    json_put_object_end(w);
    return 0;
}
