// What events and time do to the state of an issue. Everything here is decided by what was received after the state began,
// so that counting the log again after a crash, with the states that were durable, changes nothing twice.
#include "base/hash.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/timefmt.h"
#include "issues/issues_internal.h"
#include "releases/releases.h"

#include <math.h>
#include <stdio.h>

enum { WEEK_HOURS = 168, DAY_HOURS = 24, ESCALATING_LEAST = 20 };

int activity_add(struct issues *is, struct issue *issue, int64_t time, str actor, str kind, str text, str data)
{
    struct arena *a = &is->pending_arena;
    struct pending *p = arena_zalloc(a, sizeof *p);
    if (!p || arena_dup(a, actor, &p->actor) < 0 || arena_dup(a, kind, &p->kind) < 0 ||
        arena_dup(a, text, &p->text) < 0 || arena_dup(a, data, &p->data) < 0)
        return ERR_NOMEM;
    p->issue = issue->id;
    p->time = time;
    *is->pending_tail = p;
    is->pending_tail = &p->next;
    is->anything = true;
    return 0;
}

void state_set(struct issue *issue, enum issue_state state, int64_t since)
{
    issue->state = (uint8_t)state;
    issue->since = since;
    issue->changed = true;
    issue->counters_of = since;
    issue->since_n = issue->hour_n = 0;
    if (issue->more) {
        issue->more->window_start = 0;
        issue->more->window_n = 0;
    }
}

// ---- what is usual -------------------------------------------------------------------------------------

// An hour of the issue is like the hours of the week before: their mean, or, where the days have a rhythm, that of the
// same hour of the day; what is four standard deviations above is not usual any more. (Of rare events the deviation is
// at least that of a Poisson process.)
uint64_t forecast_limit(const uint64_t *hours, uint32_t n, double *ret_usual)
{
    double sum = 0, squares = 0, same = 0;
    unsigned same_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        sum += (double)hours[i];
        squares += (double)hours[i] * (double)hours[i];
        if ((n - i) % DAY_HOURS == 0) {
            same += (double)hours[i];
            same_n++;
        }
    }
    double mean = n ? sum / n : 0, usual = mean;
    if (same_n >= 3 && same / same_n > usual)
        usual = same / same_n;
    double deviation = n ? sqrt(fmax(squares / n - mean * mean, 0)) : 0;
    double limit = ceil(usual + 4 * fmax(deviation, sqrt(usual)));
    *ret_usual = usual;
    return limit < ESCALATING_LEAST ? ESCALATING_LEAST : (uint64_t)limit;
}

static void forecast(const struct issues *is, struct issue *issue)
{
    uint64_t hours[WEEK_HOURS] = { 0 };
    uint32_t first = UINT32_MAX;
    for (uint32_t id = issue->groups; id; id = is->index.groups[id]->next) {
        const struct group *g = is->index.groups[id];
        if (g->first != INT64_MAX && minute_of(g->first) / SERIES_HOUR < first)
            first = minute_of(g->first) / SERIES_HOUR;
        if (g->detail)
            series_hours(&g->detail->series, issue->hour, WEEK_HOURS, hours);
    }
    // Of a young issue only the time that it has been there; a day at least, so that one burst is not what is usual.
    uint32_t n = issue->hour > first ? issue->hour - first : 0;
    n = n < DAY_HOURS ? DAY_HOURS : n > WEEK_HOURS ? WEEK_HOURS : n;
    issue->limit = forecast_limit(hours + WEEK_HOURS - n, n, &issue->usual);
    issue->limit_hour = issue->hour;
}

static bool escalates(const struct issues *is, struct issue *issue)
{
    if (issue->hour_n < ESCALATING_LEAST)
        return false;
    if (issue->limit_hour != issue->hour)
        forecast(is, issue);
    return issue->hour_n > issue->limit;
}

// ---- transitions ---------------------------------------------------------------------------------------

static int transition(struct issues *is, struct issue *issue, enum issue_state to, int64_t time, str kind,
                      const char *text, str data)
{
    struct issue_more *m = issue_more(issue);
    if (!m || issue_text_set(&m->reason, str_z(text)) < 0)
        return ERR_NOMEM;
    state_set(issue, to, time);
    return activity_add(is, issue, time, ACTOR_CLEW, kind, str_z(text), data);
}

static void how_long(int64_t ns, char out[32])
{
    int64_t unit = ns >= 2 * DAY_NS ? DAY_NS : ns >= 2 * HOUR_NS ? HOUR_NS : ns >= 2 * MINUTE_NS ? MINUTE_NS : NS_PER_S;
    snprintf(out, 32, "%lld %s", (long long)(ns / unit),
             unit == DAY_NS      ? "d"
             : unit == HOUR_NS   ? "h"
             : unit == MINUTE_NS ? "min"
                                 : "s");
}

// When the release was first seen in the issue.
static int64_t release_first(const struct issues *is, const struct issue *issue, str release)
{
    int64_t first = INT64_MAX;
    for (uint32_t id = issue->groups; id; id = is->index.groups[id]->next) {
        const struct detail *d = is->index.groups[id]->detail;
        for (uint32_t i = 0; d && i < d->releases.n; i++)
            if (str_eq(share_name(&d->releases.rows[i]), release) && d->releases.rows[i].first < first)
                first = d->releases.rows[i].first;
    }
    return first;
}

// Which release a fix came with, as soon as that is known.
static int fix_arrives(struct issues *is, struct issue *issue)
{
    struct arena arena;
    str version;
    arena_init(&arena, 1 << 16);
    int r = releases_commit_release(is->o.releases, issue->project, str_z(issue->more->commit), &arena, &version, NULL);
    if (r == 0) {
        issue->changed = is->anything = true;
        r = issue_text_set(&issue->more->release, version);
    }
    arena_free(&arena);
    return r == ERR_NOMEM ? r : 0;
}

static bool fix_awaited(const struct issues *is, const struct issue *issue)
{
    const struct issue_more *m = issue->more;
    return issue->state == ISSUE_RESOLVED && m && m->resolved == RESOLVED_COMMIT && m->commit && !m->release &&
           is->o.releases;
}

// A release that was made a moment ago may be this event's. Events of one that has nothing to do with it may be many: for
// them it is asked again only after a while.
static int fix_arrives_before(struct issues *is, struct issue *issue, const struct event *e)
{
    struct issue_more *m = issue->more;
    uint64_t of = hash64_str(e->release);
    if (m->asked_of == of && e->received - m->asked < NS_PER_S)
        return 0;
    m->asked_of = of;
    m->asked = e->received;
    return fix_arrives(is, issue);
}

// Is the event from behind the fix?
static int regresses(struct issues *is, struct issue *issue, const struct event *e, bool *ret)
{
    const struct issue_more *m = issue->more;
    *ret = true;
    if (!m || m->resolved == RESOLVED_NOW || !e->release.len)
        return 0;
    int r = fix_awaited(is, issue) ? fix_arrives_before(is, issue, e) : 0;
    if (r < 0)
        return r;
    if (!m->release) { // as long as no release is known to have the commit, none is behind it
        *ret = m->resolved != RESOLVED_COMMIT;
        return 0;
    }
    int order = release_order(e->release, str_z(m->release), release_first(is, issue, e->release), issue->since);
    *ret = m->resolved == RESOLVED_NEXT_RELEASE ? order > 0 : order >= 0;
    return 0;
}

void release_data(struct buf *out, str release)
{
    struct json_writer w;
    json_writer_init(&w, out);
    json_put_object(&w);
    json_put_key(&w, STR("release"));
    json_put_str(&w, str_slice(release, 0, ISSUE_TEXT_MAX));
    json_put_object_end(&w);
}

static int regress(struct issues *is, struct issue *issue, const struct event *e)
{
    char text[400], time[32];
    struct buf data;
    how_long(e->received - issue->since, time);
    if (!e->release.len) {
        snprintf(text, sizeof text, "back after %s", time);
        return transition(is, issue, ISSUE_REGRESSED, e->received, STR("regressed"), text, (str){ 0 });
    }
    snprintf(text, sizeof text, "back after %s in %.*s", time, STR_ARG(str_slice(e->release, 0, 200)));
    buf_init(&data, 4096);
    release_data(&data, e->release);
    int r = data.error ? data.error
                       : transition(is, issue, ISSUE_REGRESSED, e->received, STR("regressed"), text, buf_view(&data));
    buf_free(&data);
    return r;
}

static int escalate(struct issues *is, struct issue *issue, int64_t received)
{
    char text[200], data[200];
    snprintf(text, sizeof text, "%llu events within the hour; usual are %.*f, and up to %llu",
             (unsigned long long)issue->hour_n, issue->usual < 10 ? 1 : 0, issue->usual,
             (unsigned long long)issue->limit);
    snprintf(data, sizeof data, "{\"events\":%llu,\"usual\":%.1f,\"limit\":%llu}", (unsigned long long)issue->hour_n,
             issue->usual, (unsigned long long)issue->limit);
    return transition(is, issue, ISSUE_ESCALATING, received, STR("escalating"), text, str_z(data));
}

uint64_t issue_users(const struct issues *is, const struct issue *issue)
{
    const struct detail *only = NULL;
    struct people all = { 0 };
    uint64_t n = 0;
    for (uint32_t id = issue->groups; id; id = is->index.groups[id]->next) {
        const struct detail *d = is->index.groups[id]->detail;
        if (d && issue->groups_n == 1)
            only = d;
        else if (d && people_merge(&all, &d->people) < 0)
            break;
    }
    n = people_count(only ? &only->people : &all);
    people_free(&all);
    return n;
}

static int unarchive(struct issues *is, struct issue *issue, int64_t time, const char *why)
{
    return transition(is, issue, ISSUE_ONGOING, time, STR("state"), why, STR("{\"state\":\"ongoing\"}"));
}

static int archived_event(struct issues *is, struct issue *issue, const struct event *e)
{
    struct issue_more *m = issue->more;
    char text[100];
    if (!m)
        return 0;
    switch (m->until.kind) {
    case UNTIL_FOREVER:
        break;
    case UNTIL_ESCALATING:
        return escalates(is, issue) ? escalate(is, issue, e->received) : 0;
    case UNTIL_TIME:
        if (e->received >= m->until.time)
            return unarchive(is, issue, e->received, "the time until which it was archived is over");
        break;
    case UNTIL_EVENTS:
        // Windows follow each other; each begins with an event.
        if (m->until.window_s && e->received >= m->window_start + m->until.window_s * NS_PER_S) {
            m->window_start = e->received;
            m->window_n = 0;
        }
        m->window_n++;
        if ((int64_t)(m->until.window_s ? m->window_n : issue->since_n) < m->until.n)
            break;
        snprintf(text, sizeof text, "%lld more events", (long long)m->until.n);
        return unarchive(is, issue, e->received, text);
    case UNTIL_USERS: {
        // The same; how many there were before it is what the event before left in window_n.
        uint64_t users = issue_users(is, issue);
        if (m->until.window_s && e->received >= m->window_start + m->until.window_s * NS_PER_S) {
            m->users_base = m->window_n ? m->window_n : m->users_base;
            m->window_start = e->received;
            issue->changed = is->anything = true;
        }
        m->window_n = users;
        if (users < m->users_base + (uint64_t)m->until.n)
            break;
        snprintf(text, sizeof text, "%lld more users", (long long)m->until.n);
        return unarchive(is, issue, e->received, text);
    }
    }
    return 0;
}

int state_event(struct issues *is, struct issue *issue, const struct event *e)
{
    if (e->received <= issue->since)
        return 0;
    uint32_t hour = (uint32_t)(e->received / HOUR_NS);
    if (issue->counters_of != issue->since) {
        issue->counters_of = issue->since;
        issue->since_n = issue->hour_n = 0;
    }
    if (issue->hour != hour) {
        issue->hour = hour;
        issue->hour_n = 0;
    }
    issue->since_n++;
    issue->hour_n++;
    issue->counted = true;
    bool behind;
    int r;
    switch ((enum issue_state)issue->state) {
    case ISSUE_RESOLVED:
        r = regresses(is, issue, e, &behind);
        return r == 0 && behind ? regress(is, issue, e) : r;
    case ISSUE_ARCHIVED:
        return archived_event(is, issue, e);
    case ISSUE_NEW:
    case ISSUE_ONGOING:
    case ISSUE_REGRESSED:
        // Nobody knows what is usual for an issue in its first day.
        return e->received - issue->created >= DAY_NS && escalates(is, issue) ? escalate(is, issue, e->received) : 0;
    default:
        return 0;
    }
}

static int age(struct issues *is, struct issue *issue, int64_t now)
{
    bool young = issue->state == ISSUE_NEW || issue->state == ISSUE_REGRESSED || issue->state == ISSUE_ESCALATING;
    if (young && now - issue->since >= ISSUE_NEW_NS)
        return transition(is, issue, ISSUE_ONGOING, now, STR("state"), "ongoing after 7 days",
                          STR("{\"state\":\"ongoing\"}"));
    if (issue->state == ISSUE_ARCHIVED && issue->more && issue->more->until.kind == UNTIL_TIME &&
        now >= issue->more->until.time)
        return unarchive(is, issue, now, "the time until which it was archived is over");
    return fix_awaited(is, issue) ? fix_arrives(is, issue) : 0;
}

int state_tick(struct issues *is, int64_t now)
{
    int r = 0;
    for (uint32_t i = 0; i < is->index.issues_end && r == 0; i++) {
        struct issue *issue = is->index.issues[i];
        if (issue && !issue->merged_into)
            r = age(is, issue, now);
    }
    return r;
}
