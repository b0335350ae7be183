#include "main/probe_text.h"

#include "base/clock.h"
#include "base/timefmt.h"
#include "main/human.h"
#include "probe/probe.h"

enum { LABEL_WIDTH = 10 };

void probe_text_where(struct buf *out, const struct json_node *probe)
{
    const struct json_node *where = json_get(probe, STR("where"));
    str file = json_get_text(where, STR("file")), function = json_get_text(where, STR("function")),
        exception = json_get_text(where, STR("exception"));
    bool uncaught = json_is(json_get(where, STR("uncaught")), JSON_TRUE);
    str at = json_get_text(where, STR("at"));
    if (str_eq(exception, STR("*"))) {
        buf_str(out, uncaught ? STR("uncaught exception") : STR("any exception"));
    } else if (exception.len) {
        buf_str(out, uncaught ? STR("uncaught ") : STR("exception "));
        visible_escape(out, exception);
    }
    if (exception.len && (function.len || file.len))
        buf_str(out, STR(" in "));
    if (function.len) {
        visible_escape(out, function);
        buf_str(out, STR("()"));
        if (!exception.len && at.len && !str_eq(at, STR("entry"))) {
            buf_byte(out, ' ');
            visible_escape(out, at);
        }
    } else {
        visible_escape(out, file);
        if (!exception.len)
            buf_printf(out, ":%lld", (long long)json_get_int(where, STR("line")));
    }
}

static void put_numbers(struct buf *out, const struct json_node *list)
{
    int n = 0;
    for (const struct json_node *e = json_first_of(list, JSON_ARRAY); e; e = e->next) {
        buf_str(out, n++ ? STR(", ") : STR(""));
        visible_escape(out, e->text);
    }
}

// What to do about a code, where the agent does not say it: in the words of this command, or else in everybody's.
static str way_out(str code)
{
    static const struct {
        const char *code, *text;
    } ways[] = {
        { "not_loaded", "It is installed as soon as the process loads the file; is the path right?" },
        { "module_not_loaded", "It is installed as soon as the process loads the file; is the path right?" },
        { "no_code_at_line", "Place it at a line where a statement begins." },
        { "source_mismatch", "Look at the source that the process runs, and place it there." },
        { "policy", "The host's /etc/clew/agent.conf does not let it." },
        { "no_agent", "Start `clew agent` on its host again." },
        { "lease_expired",
          "Look whether `clew agent` runs on its host and reaches the server (clew agent status there); "
          "the probe comes back with it." },
        { "unsupported", "Leave out what this runtime cannot do yet." },
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        if (str_eq(code, str_z(ways[i].code)))
            return str_z(ways[i].text);
    const struct probe_code_text *text = probe_code_text(code);
    return text ? text->hint : (str){ 0 };
}

static void put_way_out(struct buf *out, const struct json_node *i)
{
    const struct json_node *data = json_get(i, STR("data"));
    const struct json_node *nearest = json_get(data, STR("nearest")), *candidates = json_get(data, STR("candidates"));
    str hint = json_get_text(i, STR("hint")), code = json_get_text(i, STR("code"));
    str way = hint.len ? hint : way_out(code);
    if (nearest && nearest->n) {
        buf_str(out, STR("      lines with code near it: "));
        put_numbers(out, nearest);
        buf_byte(out, '\n');
    } else if (candidates && candidates->n) {
        buf_str(out, STR("      it may be: "));
        put_numbers(out, candidates);
        buf_byte(out, '\n');
    } else if (way.len) {
        buf_str(out, STR("      "));
        visible_escape(out, way);
        buf_byte(out, '\n');
    }
}

static void put_instance(struct buf *out, const struct json_node *i)
{
    str state = json_get_text(i, STR("state")), message = json_get_text(i, STR("message")),
        first = json_get_text(i, STR("first_error"));
    buf_printf(out, "  %-13.*s", STR_ARG(state));
    visible_escape(out, json_get_text(i, STR("host")));
    buf_printf(out, " pid %lld", (long long)json_get_int(i, STR("pid")));
    if (json_get_text(i, STR("version")).len) {
        buf_str(out, STR(" version "));
        visible_escape(out, json_get_text(i, STR("version")));
    }
    int64_t hits = json_get_int(i, STR("hits")), filtered = json_get_int(i, STR("filtered")),
            errors = json_get_int(i, STR("errors")), dropped = json_get_int(i, STR("dropped"));
    if (hits)
        buf_printf(out, ", %lld hit%s", (long long)hits, hits == 1 ? "" : "s");
    if (filtered)
        buf_printf(out, ", %lld filtered", (long long)filtered);
    if (errors)
        buf_printf(out, ", %lld error%s", (long long)errors, errors == 1 ? "" : "s");
    if (dropped)
        buf_printf(out, ", %lld dropped", (long long)dropped);
    if (message.len) {
        buf_str(out, STR(": "));
        visible_escape(out, message);
    }
    buf_byte(out, '\n');
    if (json_get_text(i, STR("code")).len)
        put_way_out(out, i);
    if (first.len) {
        buf_str(out, STR("      first error: "));
        visible_escape(out, first);
        buf_byte(out, '\n');
    }
}

void probe_text_instances(struct buf *out, const struct json_node *probe)
{
    for (const struct json_node *i = json_first_of(json_get(probe, STR("instances")), JSON_ARRAY); i; i = i->next)
        put_instance(out, i);
    for (const struct json_node *i = json_first_of(json_get(probe, STR("away")), JSON_ARRAY); i; i = i->next) {
        buf_printf(out, "  %-13s", "away");
        visible_escape(out, json_get_text(i, STR("host")));
        buf_str(out, STR(": "));
        visible_escape(out, json_get_text(i, STR("message")));
        buf_byte(out, '\n');
        put_way_out(out, i);
    }
}

// What is tried again in a moment is no answer yet; that no code of the file is loaded is one.
static bool under_way(const struct json_node *instance)
{
    static const str states[] = { STR_INIT("pending"), STR_INIT("resolving"), STR_INIT("installing") };
    str state = json_get_text(instance, STR("state")), code = json_get_text(instance, STR("code"));
    bool found = str_eq(state, STR("waiting")) && code.len && !str_ends(code, STR("not_loaded"));
    for (size_t k = 0; k < sizeof states / sizeof states[0]; k++)
        found |= str_eq(state, states[k]);
    return found;
}

bool probe_text_settled(const struct json_node *probe)
{
    const struct json_node *i = json_first_of(json_get(probe, STR("instances")), JSON_ARRAY);
    bool settled = i != NULL;
    for (; i; i = i->next)
        settled &= !under_way(i);
    return settled;
}

// "orders.total (histogram of order.total) by tier", and the question for what it has counted.
static void put_metric(struct buf *out, const struct json_node *probe)
{
    const struct json_node *m = json_get(probe, STR("metric"));
    bool timer = str_eq(json_get_text(probe, STR("kind")), STR("timer"));
    str name = json_get_text(m, STR("name")), value = json_get_text(m, STR("value"));
    if (!m && !timer)
        return;
    name = name.len ? name : STR("probe.duration");
    buf_printf(out, "%-*s", LABEL_WIDTH, timer ? "timer" : "metric");
    visible_escape(out, name);
    if (!timer) {
        buf_str(out, STR(" ("));
        visible_escape(out, json_get_text(m, STR("kind")));
        buf_str(out, value.len ? STR(" of ") : STR(""));
        visible_escape(out, value);
        buf_byte(out, ')');
    }
    const char *between = " by ";
    for (const struct json_node *e = json_first_of(json_get(m, STR("by")), JSON_OBJECT); e; e = e->next) {
        buf_str(out, str_z(between));
        visible_escape(out, e->key);
        between = ", ";
    }
    buf_printf(out, "\n%-*sclew query 'metrics name=", LABEL_WIDTH, "points");
    visible_escape(out, name);
    buf_str(out, STR(" probe="));
    visible_escape(out, json_get_text(probe, STR("id")));
    buf_str(out, STR("'\n"));
}

static void put_hits(struct buf *out, const struct json_node *probe)
{
    buf_printf(out, "%-*s%lld of ", LABEL_WIDTH, "hits", (long long)json_get_int(probe, STR("hits_used")));
    human_plural(out, json_get_int(probe, STR("hits")), "hit");
    buf_str(out, STR(" used, "));
    human_plural(out, json_get_int(probe, STR("captures")), "capture");
    buf_printf(out, ", %lld dropped\n", (long long)json_get_int(probe, STR("dropped")));
}

void probe_text(struct buf *out, const struct json_node *probe)
{
    int64_t ns;
    str kind = json_get_text(probe, STR("kind"));
    human_labelled(out, LABEL_WIDTH, "probe", json_get_text(probe, STR("id")));
    human_labelled(out, LABEL_WIDTH, "service", json_get_text(probe, STR("service")));
    buf_printf(out, "%-*s", LABEL_WIDTH, "where");
    probe_text_where(out, probe);
    buf_byte(out, '\n');
    human_labelled(out, LABEL_WIDTH, "state", json_get_text(probe, STR("state")));
    human_labelled(out, LABEL_WIDTH, "if", json_get_text(probe, STR("if")));
    human_labelled(out, LABEL_WIDTH, "hit", json_get_text(probe, STR("hit")));
    if (str_eq(json_get_text(probe, STR("keep")), STR("trace_error")))
        human_labelled(out, LABEL_WIDTH, "keep", STR("of traces that failed"));
    else if (str_eq(json_get_text(probe, STR("keep")), STR("trace_slow")))
        buf_printf(out, "%-*sof traces that took %lld ms or more\n", LABEL_WIDTH, "keep",
                   (long long)json_get_int(probe, STR("keep_ms")));
    for (const struct json_node *e = json_first_of(json_get(probe, STR("exprs")), JSON_ARRAY); e; e = e->next)
        human_labelled(out, LABEL_WIDTH, "capture", json_text_of(e));
    human_labelled(out, LABEL_WIDTH, "log", json_get_text(json_get(probe, STR("log")), STR("template")));
    put_metric(out, probe);
    human_labelled(out, LABEL_WIDTH, "owner", json_get_text(probe, STR("owner")));
    if (!str_eq(kind, STR("metric")) && !str_eq(kind, STR("timer")))
        put_hits(out, probe);
    if (json_get(probe, STR("events"))) {
        int64_t left_out = json_get_int(probe, STR("events_left_out"));
        buf_printf(out, "%-*s", LABEL_WIDTH, "issues");
        human_plural(out, json_get_int(probe, STR("events")), "error event");
        if (left_out)
            buf_printf(out, ", %lld left out by limits or filters", (long long)left_out);
        buf_byte(out, '\n');
    }
    if (parse_rfc3339(json_get_text(probe, STR("expires")), &ns)) {
        buf_printf(out, "%-*s", LABEL_WIDTH, "ends");
        human_time(out, ns);
        buf_byte(out, '\n');
    }
    if (json_first_of(json_get(probe, STR("instances")), JSON_ARRAY) ||
        json_first_of(json_get(probe, STR("away")), JSON_ARRAY)) {
        buf_byte(out, '\n');
        probe_text_instances(out, probe);
    } else if (str_eq(json_get_text(probe, STR("state")), STR("pending"))) {
        buf_str(out, STR("\n  " PROBE_NOBODY "\n"));
    }
}
