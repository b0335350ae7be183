// One issue as JSON of Sentry's, and which issues a search of theirs means.
#include "api/api0_issue.h"

#include "base/clock.h"
#include "base/numfmt.h"
#include "wire/sentry_event.h"

#include <stdio.h>

int64_t api0_issue_number(str text, str *ret_slug)
{
    size_t at = text.len;
    uint64_t n;
    while (at > 0 && text.ptr[at - 1] != '-')
        at--;
    if (!parse_u64(str_slice(text, at, text.len), &n) || n > INT64_MAX)
        return 0;
    if (ret_slug)
        *ret_slug = at ? str_slice(text, 0, at - 1) : (str){ 0 };
    return (int64_t)n;
}

str api0_issue_status(enum issue_state state)
{
    return state == ISSUE_RESOLVED ? STR("resolved") : state == ISSUE_ARCHIVED ? STR("ignored") : STR("unresolved");
}

static str substatus(const struct issue_row *row)
{
    switch (row->state) {
    case ISSUE_ARCHIVED:
        return row->until.kind == UNTIL_FOREVER      ? STR("archived_forever")
               : row->until.kind == UNTIL_ESCALATING ? STR("archived_until_escalating")
                                                     : STR("archived_until_condition_met");
    case ISSUE_RESOLVED:
        return (str){ 0 };
    default:
        return issue_state_word(row->state);
    }
}

static void put_details(struct json_writer *w, const struct issue_row *row)
{
    json_put_key(w, STR("statusDetails"));
    json_put_object(w);
    if (row->state == ISSUE_RESOLVED && row->resolved.kind == RESOLVED_RELEASE)
        api0_put_text(w, STR("inRelease"), row->resolved.release);
    if (row->state == ISSUE_RESOLVED && row->resolved.kind == RESOLVED_NEXT_RELEASE) {
        json_put_key(w, STR("inNextRelease"));
        json_put_bool(w, true);
    }
    if (row->state == ISSUE_RESOLVED && row->resolved.kind == RESOLVED_COMMIT) {
        json_put_key(w, STR("inCommit"));
        json_put_object(w);
        api0_put_text(w, STR("id"), row->resolved.commit);
        json_put_object_end(w);
    }
    if (row->state == ISSUE_ARCHIVED && row->until.kind == UNTIL_TIME)
        api0_put_time(w, STR("ignoreUntil"), row->until.time);
    if (row->state == ISSUE_ARCHIVED && (row->until.kind == UNTIL_EVENTS || row->until.kind == UNTIL_USERS)) {
        api0_put_int(w, row->until.kind == UNTIL_EVENTS ? STR("ignoreCount") : STR("ignoreUserCount"), row->until.n);
        api0_put_int(w, STR("ignoreWindow"), row->until.window_s / 60);
    }
    json_put_object_end(w);
}

static void put_count(struct json_writer *w, str key, uint64_t n)
{
    char text[24];
    json_put_key(w, key);
    json_put_str(w, str_of(text, (size_t)fmt_u64(text, n)));
}

static void put_metadata(struct json_writer *w, const struct issue_row *row)
{
    json_put_key(w, STR("metadata"));
    json_put_object(w);
    api0_put_text(w, STR("title"), row->title);
    if (row->type.len)
        api0_put_text(w, STR("type"), row->type);
    if (row->value.len)
        api0_put_text(w, STR("value"), row->value);
    json_put_object_end(w);
}

// "SHOP-42"
static void put_short(struct json_writer *w, const struct meta_project *p, int64_t id)
{
    char text[META_NAME_MAX + 32];
    size_t n = 0;
    for (; p->slug[n]; n++)
        text[n] = p->slug[n] >= 'a' && p->slug[n] <= 'z' ? (char)(p->slug[n] - 32) : p->slug[n];
    text[n++] = '-';
    n += (size_t)fmt_u64(text + n, (uint64_t)id);
    api0_put_text(w, STR("shortId"), str_of(text, n));
}

static void put_bool(struct json_writer *w, str key, bool b)
{
    json_put_key(w, key);
    json_put_bool(w, b);
}

void api0_put_issue(struct json_writer *w, struct api_call *call, const struct meta_project *p,
                    const struct issue_row *row)
{
    const struct http_request *req = call->req;
    json_put_object(w);
    api0_put_id(w, STR("id"), row->id);
    put_short(w, p, row->id);
    api0_put_text(w, STR("title"), row->title);
    api0_put_text(w, STR("culprit"), row->culprit);
    api0_put_text(w, STR("permalink"),
                  arena_printf(&call->req->arena, "%.*s://%.*s/issues/%lld", STR_ARG(req->scheme), STR_ARG(req->host),
                               (long long)row->id));
    api0_put_text(w, STR("level"), sentry_level_word(row->severity));
    api0_put_text(w, STR("status"), api0_issue_status(row->state));
    api0_put_known(w, STR("substatus"), substatus(row));
    put_details(w, row);
    api0_put_known(w, STR("platform"), row->platform);
    json_put_key(w, STR("project"));
    json_put_object(w);
    api0_put_id(w, STR("id"), p->id);
    api0_put_text(w, STR("slug"), str_z(p->slug));
    api0_put_text(w, STR("name"), str_z(p->name[0] ? p->name : p->slug));
    api0_put_known(w, STR("platform"), row->platform);
    json_put_object_end(w);
    api0_put_text(w, STR("type"), row->type.len ? STR("error") : STR("default"));
    put_metadata(w, row);
    api0_put_text(w, STR("priority"), issue_priority_word(row->priority));
    json_put_key(w, STR("assignedTo"));
    if (row->assignee.name.len) {
        json_put_object(w);
        api0_put_text(w, STR("type"), row->assignee.kind);
        api0_put_text(w, STR("id"), row->assignee.name);
        api0_put_text(w, STR("name"), row->assignee.name);
        json_put_object_end(w);
    } else {
        json_put_null(w);
    }
    put_bool(w, STR("hasSeen"), row->seen);
    put_bool(w, STR("isUnhandled"), row->handled == 0);
    put_count(w, STR("count"), row->total_events);
    json_put_key(w, STR("userCount"));
    json_put_uint(w, row->total_users);
    api0_put_time(w, STR("firstSeen"), row->first);
    api0_put_time(w, STR("lastSeen"), row->last);
    json_put_object_end(w);
}

// --- searches

static bool key_is_known(str key)
{
    static const str known[] = {
        STR_INIT(""),         STR_INIT("is"),       STR_INIT("level"),          STR_INIT("release"),
        STR_INIT("project"),  STR_INIT("assigned"), STR_INIT("type"),           STR_INIT("error.type"),
        STR_INIT("platform"), STR_INIT("priority"), STR_INIT("issue.priority"), STR_INIT("title"),
        STR_INIT("message"),  STR_INIT("issue"),    STR_INIT("firstRelease"),   STR_INIT("error.handled")
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (str_eq(known[i], key))
            return true;
    return false;
}

bool api0_issue_search_read(struct api_call *call, const char *by_default, struct api0_issue_search *ret)
{
    struct api0_issue_search s = { 0 };
    str name, value, query = str_z(by_default);
    size_t at = 0, cap = 0;
    str *ids = NULL;
    int rc = 0;
    while (http_query_next(&call->req->arena, call->req->query, &at, &name, &value, &rc)) {
        if (str_eq(name, STR("query")))
            query = value;
        else if (str_eq(name, STR("status")))
            s.status = value;
        else if (str_eq(name, STR("id")) || str_eq(name, STR("group"))) {
            if (s.ids_n == cap) {
                cap = cap ? cap * 2 : 16;
                str *more = arena_alloc_array(&call->req->arena, cap, sizeof *more);
                if (!more) {
                    api0_error(call->req, 503, "out of memory");
                    return false;
                }
                if (s.ids_n)
                    memcpy(more, ids, s.ids_n * sizeof *ids);
                ids = more;
            }
            ids[s.ids_n++] = value;
        }
    }
    if (rc < 0) {
        api0_error(call->req, 400, "The parameters of the URL are not well formed");
        return false;
    }
    s.ids = ids;
    struct api0_term t;
    for (at = 0; api0_search_next(query, &at, &t);) {
        if (s.n == sizeof s.terms / sizeof s.terms[0] || !key_is_known(t.key)) {
            api0_error(call->req, 400,
                       "Error parsing search query: the term \"%.*s\" is not understood, or there are too many",
                       STR_ARG(str_slice(t.key, 0, 60)));
            return false;
        }
        s.terms[s.n++] = t;
    }
    *ret = s;
    return true;
}

static bool holds(str s, str part)
{
    for (size_t i = 0; i + part.len <= s.len; i++)
        if (str_ieq(str_slice(s, i, i + part.len), part))
            return true;
    return part.len == 0;
}

static bool is_word(const struct issue_row *row, str word)
{
    enum issue_state state;
    if (str_eq(word, STR("unresolved")) || str_eq(word, STR("resolved")) || str_eq(word, STR("ignored")))
        return str_eq(api0_issue_status(row->state), word);
    if (str_eq(word, STR("assigned")) || str_eq(word, STR("unassigned")))
        return (row->assignee.name.len > 0) == (word.ptr[0] == 'a');
    if (str_eq(word, STR("unhandled")))
        return row->handled == 0;
    if (str_eq(word, STR("for_review")))
        return row->state == ISSUE_NEW || row->state == ISSUE_REGRESSED || row->state == ISSUE_ESCALATING;
    if (str_eq(word, STR("muted")))
        return row->state == ISSUE_ARCHIVED;
    return issue_state_of(word, &state) && state == row->state;
}

static bool assigned_to(const struct issue_row *row, str name, str who)
{
    ptrdiff_t colon = str_find_char(who, ':', 0);
    if (str_eq(name, STR("me")))
        name = colon < 0 ? who : str_slice(who, (size_t)colon + 1, who.len);
    if (name.len && name.ptr[0] == '#')
        return str_eq(row->assignee.kind, STR("team")) && str_eq(row->assignee.name, str_slice(name, 1, name.len));
    return str_eq(name, STR("none")) ? row->assignee.name.len == 0 : str_eq(row->assignee.name, name);
}

static bool seen_in(const struct issue_row *row, str release)
{
    bool seen = str_eq(row->first_release, release) || str_eq(row->last_release, release);
    for (uint32_t i = 0; i < row->releases_n && !seen; i++)
        seen = str_eq(row->releases[i], release);
    return seen;
}

static bool term_matches(const struct api0_term *t, const struct issue_row *row, str slug, str who)
{
    str k = t->key, v = t->value;
    if (k.len == 0 || str_eq(k, STR("title")) || str_eq(k, STR("message")))
        return holds(row->title, v) || holds(row->value, v) || holds(row->culprit, v);
    if (str_eq(k, STR("is")))
        return is_word(row, v);
    if (str_eq(k, STR("level")))
        return str_ieq(sentry_level_word(row->severity), v);
    if (str_eq(k, STR("release")))
        return seen_in(row, v);
    if (str_eq(k, STR("firstRelease")))
        return str_eq(row->first_release, v);
    if (str_eq(k, STR("project")))
        return str_eq(slug, v);
    if (str_eq(k, STR("assigned")))
        return assigned_to(row, v, who);
    if (str_eq(k, STR("type")) || str_eq(k, STR("error.type")))
        return str_eq(row->type, v);
    if (str_eq(k, STR("platform")))
        return str_eq(row->platform, v);
    if (str_eq(k, STR("error.handled")))
        return row->handled == (str_eq(v, STR("true")) || str_eq(v, STR("1")));
    if (str_eq(k, STR("issue")))
        return api0_issue_number(v, NULL) == row->id;
    return str_eq(issue_priority_word(row->priority), v); // priority
}

bool api0_issue_matches(const struct api0_issue_search *s, const struct issue_row *row, str slug, str who)
{
    bool named = s->ids_n == 0;
    for (size_t i = 0; i < s->ids_n && !named; i++)
        named = api0_issue_number(s->ids[i], NULL) == row->id;
    if (!named || (s->status.len && !is_word(row, s->status)))
        return false;
    for (size_t i = 0; i < s->n; i++)
        if (term_matches(&s->terms[i], row, slug, who) == s->terms[i].not )
            return false;
    return true;
}
