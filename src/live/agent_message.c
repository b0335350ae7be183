#include "live/agent_message.h"

#include "base/hex.h"
#include "base/numfmt.h"

static const str states_known[] = { STR_INIT("pending"),   STR_INIT("resolving"),    STR_INIT("waiting"),
                                    STR_INIT("mismatch"),  STR_INIT("unresolvable"), STR_INIT("installing"),
                                    STR_INIT("installed"), STR_INIT("emitting"),     STR_INIT("throttled"),
                                    STR_INIT("suspended"), STR_INIT("removed"),      STR_INIT("error"),
                                    STR_INIT("partial") };

int64_t probe_id_of(str text)
{
    uint64_t n;
    if (text.len < 2 || text.ptr[0] != 'p' || !parse_u64(str_slice(text, 1, text.len), &n) || n == 0 || n > INT64_MAX)
        return 0;
    return (int64_t)n;
}

static int bad(struct err *err, const char *what) { return err_set(err, ERR_MALFORMED, "bad_message", "%s", what); }

static int64_t number(const struct json_node *object, const char *name)
{
    const struct json_node *n = json_get(object, str_z(name));
    int64_t i = 0;
    return json_is(n, JSON_NUMBER) && json_int_of(n, &i) && i >= 0 ? i : 0;
}

static bool is_true(const struct json_node *object, const char *name)
{
    return json_is(json_get(object, str_z(name)), JSON_TRUE);
}

static str text_of(const struct json_node *object, const char *name, size_t max)
{
    str s = json_get_text(object, str_z(name));
    return s.len > max ? str_slice(s, 0, max) : s;
}

// The list of that name; NULL with *ret_n 0 for an empty one.
static int list(const struct json_node *root, const char *name, size_t max, const struct json_node **ret, size_t *ret_n,
                struct err *err)
{
    const struct json_node *a = json_get(root, str_z(name));
    if (!json_is(a, JSON_ARRAY))
        return err_set(err, ERR_MALFORMED, "bad_message", "`%s` is no list", name);
    if (a->n > max)
        return err_set(err, ERR_LIMIT, "bad_message", "`%s` has more than %zu elements", name, max);
    for (const struct json_node *e = a->first; e; e = e->next)
        if (e->type != JSON_OBJECT)
            return err_set(err, ERR_MALFORMED, "bad_message", "`%s` holds something else than objects", name);
    *ret = a->first;
    *ret_n = a->n;
    return 0;
}

static int read_hello(const struct json_node *root, struct agent_message *m, struct err *err)
{
    m->hello.protocol = number(root, "protocol");
    m->hello.revision = number(root, "revision");
    m->hello.host = text_of(json_get(root, STR("host")), "name", 255);
    m->hello.version = text_of(json_get(root, STR("agent")), "version", 64);
    m->hello.shapes = is_true(json_get(root, STR("policy")), "shapes");
    if (m->hello.protocol != 1)
        return bad(err, "this server speaks protocol 1");
    return m->hello.host.len ? 0 : bad(err, "the host has no name");
}

static int read_processes(const struct json_node *root, struct arena *arena, struct agent_message *m, struct err *err)
{
    const struct json_node *e;
    int r = list(root, "processes", AGENT_PROCESSES_MAX, &e, &m->n, err);
    struct agent_process *out = r == 0 ? arena_alloc_array(arena, m->n + 1, sizeof *out) : NULL;
    if (!out)
        return r < 0 ? r : err_set(err, ERR_NOMEM, NULL, "out of memory");
    m->processes = out;
    for (; e; e = e->next, out++) {
        *out = (struct agent_process){ .id = json_get_text(e, STR("id")),
                                       .service = text_of(e, "service", 255),
                                       .environment = text_of(e, "environment", 255),
                                       .version = text_of(e, "version", 255),
                                       .instance = text_of(e, "instance", 255),
                                       .runtime = text_of(e, "runtime", 32),
                                       .runtime_version = text_of(e, "runtime_version", 64),
                                       .pid = number(e, "pid"),
                                       .attachable = is_true(e, "attachable"),
                                       .attached = is_true(e, "attached"),
                                       .json = e };
        if (!out->id.len || out->id.len > AGENT_ID_MAX)
            return bad(err, "a process has no id");
    }
    return 0;
}

static bool state_known(str s)
{
    for (size_t i = 0; i < sizeof states_known / sizeof *states_known; i++)
        if (str_eq(s, states_known[i]))
            return true;
    return false;
}

static int read_states(const struct json_node *root, struct arena *arena, struct agent_message *m, struct err *err)
{
    const struct json_node *e;
    int r = list(root, "states", AGENT_STATES_MAX, &e, &m->n, err);
    struct agent_state *out = r == 0 ? arena_alloc_array(arena, m->n + 1, sizeof *out) : NULL;
    if (!out)
        return r < 0 ? r : err_set(err, ERR_NOMEM, NULL, "out of memory");
    m->states = out;
    for (; e; e = e->next, out++) {
        *out = (struct agent_state){ .probe = probe_id_of(json_get_text(e, STR("probe"))),
                                     .revision = number(e, "revision"),
                                     .process = json_get_text(e, STR("process")),
                                     .state = json_get_text(e, STR("state")),
                                     .code = text_of(e, "code", AGENT_CODE_MAX),
                                     .message = text_of(e, "message", 512),
                                     .file = text_of(e, "file", 1024),
                                     .line = number(e, "line"),
                                     .data = json_get(e, STR("data")) };
        if (!out->probe || out->process.len > AGENT_ID_MAX)
            return bad(err, "a state without a probe or a process");
        if (!state_known(out->state))
            return bad(err, "a state that is not known");
    }
    return 0;
}

static int read_counts(const struct json_node *root, struct arena *arena, struct agent_message *m, struct err *err)
{
    static const char *const dropped[] = { "rate", "ring", "spool", "budget", "grant" };
    const struct json_node *e;
    int r = list(root, "counts", AGENT_STATES_MAX, &e, &m->n, err);
    struct agent_count *out = r == 0 ? arena_alloc_array(arena, m->n + 1, sizeof *out) : NULL;
    if (!out)
        return r < 0 ? r : err_set(err, ERR_NOMEM, NULL, "out of memory");
    m->counts = out;
    for (; e; e = e->next, out++) {
        *out = (struct agent_count){ .probe = probe_id_of(json_get_text(e, STR("probe"))),
                                     .process = json_get_text(e, STR("process")),
                                     .first_error = text_of(e, "first_error", 512),
                                     .hits = number(e, "hits"),
                                     .filtered = number(e, "filtered"),
                                     .captured = number(e, "captured"),
                                     .errors = number(e, "errors"),
                                     .ns = number(e, "ns") };
        for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++) {
            int64_t n = number(json_get(e, STR("dropped")), dropped[i]);
            out->dropped = out->dropped > INT64_MAX - n ? INT64_MAX : out->dropped + n;
        }
        if (!out->probe || out->process.len > AGENT_ID_MAX)
            return bad(err, "a count without a probe or a process");
    }
    return 0;
}

static int read_captures(const struct json_node *root, struct arena *arena, struct agent_message *m, struct err *err)
{
    const struct json_node *e;
    int r = list(root, "captures", AGENT_CAPTURES_MAX, &e, &m->n, err);
    struct agent_capture *out = r == 0 ? arena_alloc_array(arena, m->n + 1, sizeof *out) : NULL;
    if (!out)
        return r < 0 ? r : err_set(err, ERR_NOMEM, NULL, "out of memory");
    m->captures = out;
    for (; e; e = e->next, out++) {
        *out = (struct agent_capture){ .id = json_get_text(e, STR("id")),
                                       .probe = probe_id_of(json_get_text(e, STR("probe"))),
                                       .revision = number(e, "revision"),
                                       .json = e };
        if (!out->id.len || out->id.len > AGENT_ID_MAX || !out->probe)
            return bad(err, "a capture without an id or a probe");
    }
    return 0;
}

static int read_traces(const struct json_node *root, struct arena *arena, struct agent_message *m, struct err *err)
{
    const struct json_node *e;
    int r = list(root, "traces", AGENT_TRACES_MAX, &e, &m->n, err);
    struct agent_trace *out = r == 0 ? arena_alloc_array(arena, m->n + 1, sizeof *out) : NULL;
    if (!out)
        return r < 0 ? r : err_set(err, ERR_NOMEM, NULL, "out of memory");
    m->traces = out;
    for (; e; e = e->next, out++) {
        str id = json_get_text(e, STR("trace"));
        out->slow = is_true(e, "slow");
        out->waited_ms = number(e, "waited_ms");
        if (id.len != 32 || !hex_decode(out->id, id))
            return bad(err, "a trace's id has 32 hex digits");
    }
    return 0;
}

static int read_resolved(const struct json_node *root, struct agent_message *m, struct err *err)
{
    m->resolved.request = number(root, "request");
    m->resolved.ok = is_true(root, "ok");
    m->resolved.result = json_get(root, STR("result"));
    const struct json_node *error = json_get(root, STR("error"));
    m->resolved.error = json_is(error, JSON_OBJECT) ? text_of(error, "message", 512) : text_of(root, "error", 512);
    if (m->resolved.request == 0)
        return bad(err, "an answer to no question");
    return m->resolved.ok && !json_is(m->resolved.result, JSON_OBJECT) ? bad(err, "the result is no object") : 0;
}

static int read_status(const struct json_node *root, struct agent_message *m)
{
    const struct json_node *cpu = json_get(root, STR("cpu_ratio"));
    double d = 0;
    if (json_is(cpu, JSON_NUMBER) && json_number_double(cpu->text, &d) && d >= 0 && d < 1e6)
        m->status.cpu_ratio = d;
    m->status.rss = number(root, "rss");
    m->status.spool_bytes = number(root, "spool_bytes");
    m->status.attached = number(root, "attached");
    m->status.dropped = number(root, "dropped");
    return 0;
}

static const str rule_lists[] = { STR_INIT("users"),   STR_INIT("services"),        STR_INIT("environments"),
                                  STR_INIT("cgroups"), STR_INIT("shapes_services"), STR_INIT("shapes_environments") };

static int read_policy(const struct json_node *root, struct agent_message *m, struct err *err)
{
    const struct json_node *policy = json_get(root, STR("policy"));
    if (!json_is(policy, JSON_OBJECT))
        return bad(err, "a policy that is no object");
    for (size_t i = 0; i < sizeof rule_lists / sizeof *rule_lists; i++) {
        const struct json_node *a = json_get(policy, rule_lists[i]);
        if (a && a->type != JSON_ARRAY)
            return bad(err, "a policy with something else than lists");
        for (const struct json_node *e = a ? a->first : NULL; e; e = e->next)
            if (e->type != JSON_STRING)
                return bad(err, "a policy whose lists hold something else than texts");
    }
    m->policy.shapes = is_true(policy, "shapes");
    m->policy.json = policy;
    return 0;
}

static bool rule_is_shown(str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
            return false;
    return s.len > 0 && s.len <= AGENT_RULE_MAX;
}

void agent_rules_put(const struct json_node *policy, struct json_writer *w)
{
    int64_t more = number(policy, "more");
    more = more > AGENT_STATES_MAX ? AGENT_STATES_MAX : more;
    json_put_object(w);
    for (size_t i = 0; i < sizeof rule_lists / sizeof *rule_lists; i++) {
        const struct json_node *a = json_get(policy, rule_lists[i]);
        int n = 0;
        if (!a || !a->n)
            continue;
        json_put_key(w, rule_lists[i]);
        json_put_array(w);
        for (const struct json_node *e = a->first; e; e = e->next) {
            bool shown = n < AGENT_RULES_MAX && rule_is_shown(e->text);
            if (shown)
                json_put_str(w, e->text);
            n += shown;
            more += !shown;
        }
        json_put_array_end(w);
    }
    if (more) {
        json_put_key(w, STR("more"));
        json_put_int(w, more);
    }
    json_put_object_end(w);
}

int agent_message_read(str text, struct arena *arena, struct agent_message *ret, struct err *err)
{
    static const str kinds[] = { [AGENT_HELLO] = STR_INIT("hello"),       [AGENT_PROCESSES] = STR_INIT("processes"),
                                 [AGENT_STATES] = STR_INIT("states"),     [AGENT_COUNTS] = STR_INIT("counts"),
                                 [AGENT_CAPTURES] = STR_INIT("captures"), [AGENT_RESOLVED] = STR_INIT("resolved"),
                                 [AGENT_STATUS] = STR_INIT("status"),     [AGENT_POLICY] = STR_INIT("policy"),
                                 [AGENT_TRACES] = STR_INIT("traces"),     [AGENT_UNREAD] = STR_INIT("unread") };
    struct agent_message m;
    const struct json_node *root;
    memset(&m, 0, sizeof m);
    int r = json_tree_read(text, arena, AGENT_MESSAGE_DEPTH, &root, err);
    if (r < 0)
        return r;
    if (!json_is(root, JSON_OBJECT))
        return bad(err, "the message is no object");
    str type = json_get_text(root, STR("type"));
    size_t k = 0;
    while (k < sizeof kinds / sizeof *kinds && !str_eq(type, kinds[k]))
        k++;
    if (k == sizeof kinds / sizeof *kinds)
        return err_set(err, ERR_UNSUPPORTED, "bad_message", "a message of a type that is not known");
    m.kind = (enum agent_message_kind)k;
    switch (m.kind) {
    case AGENT_HELLO:
        r = read_hello(root, &m, err);
        break;
    case AGENT_PROCESSES:
        r = read_processes(root, arena, &m, err);
        break;
    case AGENT_STATES:
        r = read_states(root, arena, &m, err);
        break;
    case AGENT_COUNTS:
        r = read_counts(root, arena, &m, err);
        break;
    case AGENT_CAPTURES:
        r = read_captures(root, arena, &m, err);
        break;
    case AGENT_RESOLVED:
        r = read_resolved(root, &m, err);
        break;
    case AGENT_STATUS:
        r = read_status(root, &m);
        break;
    case AGENT_POLICY:
        r = read_policy(root, &m, err);
        break;
    case AGENT_TRACES:
        r = read_traces(root, arena, &m, err);
        break;
    case AGENT_UNREAD:
        m.unread.message = text_of(root, "message", 512);
        break;
    }
    if (r == 0)
        *ret = m;
    return r;
}
