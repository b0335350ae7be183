#include "api/api0_search.h"

#include "base/clock.h"
#include "base/numfmt.h"
#include "query/literal.h"

enum { PERIOD_DAYS = 90, DAY_S = 86400, TERMS_MAX = 32 };

static bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// A word, or a quoted text; *at behind it.
static str word_at(str s, size_t *at, bool key)
{
    size_t begin = *at;
    if (begin < s.len && s.ptr[begin] == '"') {
        ptrdiff_t end = str_find_char(s, '"', begin + 1);
        *at = end < 0 ? s.len : (size_t)end + 1;
        return str_slice(s, begin + 1, end < 0 ? s.len : (size_t)end);
    }
    while (*at < s.len && !is_space(s.ptr[*at]) && !(key && s.ptr[*at] == ':'))
        ++*at;
    return str_slice(s, begin, *at);
}

bool api0_search_next(str s, size_t *at, struct api0_term *ret_term)
{
    struct api0_term t = { 0 };
    while (*at < s.len && is_space(s.ptr[*at]))
        ++*at;
    if (*at >= s.len)
        return false;
    bool quoted = s.ptr[*at] == '"';
    if (s.ptr[*at] == '!') {
        t.not = true;
        ++*at;
    }
    t.value = word_at(s, at, true);
    if (!quoted && *at < s.len && s.ptr[*at] == ':') {
        ++*at;
        t.key = t.value;
        t.value = word_at(s, at, false);
    }
    *ret_term = t;
    return true;
}

// Names of theirs for fields of ours.
static str field_of(str key)
{
    static const struct {
        str theirs, ours;
    } names[] = {
        { STR_INIT("severity"), STR_INIT("level") },
        { STR_INIT("error.type"), STR_INIT("type") },
        { STR_INIT("error.value"), STR_INIT("message") },
        { STR_INIT("error.handled"), STR_INIT("handled") },
        { STR_INIT("id"), STR_INIT("event_id") },
        { STR_INIT("user.id"), STR_INIT("user") },
        { STR_INIT("stack.filename"), STR_INIT("stack.file") },
        { STR_INIT("server_name"), STR_INIT("host") },
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (str_eq(names[i].theirs, key))
            return names[i].ours;
    return key;
}

static bool field_ok(str key)
{
    for (size_t i = 0; i < key.len; i++) {
        char c = key.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9' && i) || c == '_' ||
              (c == '.' && i && i + 1 < key.len)))
            return false;
    }
    return key.len > 0;
}

static bool narrow(struct query_request *q, str name)
{
    struct query_project *kept = (struct query_project *)q->projects; // our own list
    uint32_t n = 0;
    uint64_t id;
    for (uint32_t i = 0; i < q->projects_n; i++)
        if (str_eq(name, kept[i].name) || (parse_u64(name, &id) && id == kept[i].id))
            kept[n++] = kept[i];
    q->projects_n = n;
    return n > 0;
}

static bool no_project(struct api_call *call, str name)
{
    api0_error(call->req, 404, "The requested resource does not exist: there is no project \"%.*s\"",
               STR_ARG(str_slice(name, 0, META_NAME_MAX)));
    return false;
}

bool api0_search_projects(struct api_call *call, struct query_request *q)
{
    struct meta_project *list;
    size_t n;
    if (!api0_projects(call, &list, &n))
        return false;
    struct query_project *kept = arena_alloc_array(&call->req->arena, q->projects_n, sizeof *kept);
    uint32_t count = 0;
    for (uint32_t i = 0; kept && i < q->projects_n; i++)
        if (api0_project_of(list, n, q->projects[i].id))
            kept[count++] = q->projects[i];
    if (!kept) {
        api0_error(call->req, 503, "out of memory");
        return false;
    }
    q->projects = kept;
    q->projects_n = count;
    return true;
}

bool api0_search_put(struct api_call *call, struct query_request *q, str search, struct buf *out)
{
    struct api0_term t;
    size_t at = 0;
    for (int n = 0; api0_search_next(search, &at, &t); n++) {
        if (n == TERMS_MAX) {
            api0_error(call->req, 400, "The query has more than %d terms", TERMS_MAX);
            return false;
        }
        if (t.value.len == 0 && !t.key.len)
            continue;
        if (str_eq(t.key, STR("project")) || str_eq(t.key, STR("project.name"))) {
            if (!narrow(q, t.value))
                return no_project(call, t.value);
            continue;
        }
        str field = str_eq(t.key, STR("has")) ? field_of(t.value) : field_of(t.key);
        if (t.key.len && !field_ok(field)) {
            api0_error(call->req, 400, "The query names a field that there is none of: %.*s",
                       STR_ARG(str_slice(field, 0, 60)));
            return false;
        }
        buf_str(out, t.not ? STR(" not (") : STR(" ("));
        if (str_eq(t.key, STR("has"))) {
            buf_printf(out, "%.*s:*", STR_ARG(field));
        } else if (t.key.len) {
            bool stars = str_find_char(t.value, '*', 0) >= 0;
            buf_printf(out, "%.*s=", STR_ARG(field));
            (stars ? query_put_value : query_put_literal)(out, t.value);
        } else {
            query_put_literal(out, t.value);
        }
        buf_byte(out, ')');
    }
    return true;
}

bool api0_search_range(struct api_call *call, struct query_request *q)
{
    str period, start, end;
    int64_t ns = (int64_t)PERIOD_DAYS * DAY_S * NS_PER_S;
    bool overflow = false;
    if (!api0_param(call, STR("statsPeriod"), &period) || !api0_param(call, STR("start"), &start) ||
        !api0_param(call, STR("end"), &end))
        return false;
    q->has_from = q->has_to = true;
    // What has just arrived may have been sent by a clock that is ahead of ours.
    q->to = q->now + 60 * NS_PER_S;
    if ((period.len && (!query_duration_read(period, &ns, &overflow) || overflow || ns <= 0)) ||
        (end.len && !api_time(end, STR("UTC"), &q->to))) {
        api0_error(call->req, 400, "Invalid statsPeriod, start or end");
        return false;
    }
    q->from = q->now - ns;
    if (start.len && !api_time(start, STR("UTC"), &q->from)) {
        api0_error(call->req, 400, "Invalid statsPeriod, start or end");
        return false;
    }
    if (q->from < q->to)
        return true;
    api0_error(call->req, 400, "start must be before end");
    return false;
}

bool api0_search_run(struct api_call *call, const struct query_request *q, const struct query_output *out)
{
    struct query_error error = { 0 };
    struct view *view = NULL;
    int r = store_view(call->api->options.store, &view);
    if (r < 0) {
        api0_error(call->req, 503, "The store cannot be read: %s", err_text(r));
        return false;
    }
    r = query_run(q, view, out, &error);
    view_unref(view);
    if (r >= 0)
        return true;
    if (error.code != QUERY_OK)
        api0_error(call->req, query_code_status(error.code), "%s", error.message);
    else
        api0_error(call->req, 503, "%s", err_text(r));
    return false;
}
