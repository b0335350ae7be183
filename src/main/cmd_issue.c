// `clew issue ISSUE`: what it is, its latest event, what was done with it; and what people do with issues.
//
// The command line's own token (of the run file) reads and places probes, which end by themselves. What changes issues, for good and
// for everybody, asks for a token with `admin`: the trail can name whose that is.
#include "base/numfmt.h"
#include "base/timefmt.h"
#include "main/ask.h"
#include "main/event_text.h"
#include "main/human.h"
#include "main/terminal.h"

enum { ACTIVITY_SHOWN = 10, RELEASES_SHOWN = 5, LABEL_WIDTH = 12 };

#define TOKEN_HINT                                                          \
    "hint: the command line's own token changes no issues; make one with\n" \
    "  clew token add NAME --scope read,admin, and give it as CLEW_TOKEN"

static int begin(struct ask *a, const struct invocation *inv)
{
    int status = ask_begin(a, inv);
    a->depth = ASK_DEPTH_FLAT;
    return status;
}

// ---- showing -------------------------------------------------------------------------------------------

static void put_time(struct buf *out, str time)
{
    int64_t ns;
    if (parse_rfc3339(time, &ns))
        human_time(out, ns);
}

static void put_when(struct buf *out, const char *label, str time)
{
    buf_printf(out, "%-*s", LABEL_WIDTH, label);
    put_time(out, time);
    buf_byte(out, '\n');
}

static void put_heading(struct buf *out, const char *words)
{
    bool colours = terminal_colours();
    buf_printf(out, "\n%s%s%s\n", colours ? "\x1b[1m" : "", words, colours ? "\x1b[0m" : "");
}

// "resolved in shop@1.2.0", "regressed (back after 12 d)".
static void put_state(struct buf *out, const struct json_node *x)
{
    str state = json_get_text(x, STR("state")), reason = json_get_text(x, STR("reason"));
    bool says_it = str_starts(reason, state);
    visible_escape(out, says_it ? reason : state);
    if (reason.len && !says_it) {
        buf_str(out, STR(" ("));
        visible_escape(out, reason);
        buf_byte(out, ')');
    }
}

static void put_head(struct buf *out, const struct json_node *x)
{
    const struct json_node *assignee = json_get(x, STR("assignee"));
    bool about = json_is(json_get(x, STR("users_approx")), JSON_TRUE);
    visible_escape(out, json_get_text(x, STR("short")));
    buf_str(out, STR("  "));
    visible_escape(out, json_get_text(x, STR("title")));
    buf_byte(out, '\n');
    human_labelled(out, LABEL_WIDTH, "culprit", json_get_text(x, STR("culprit")));
    buf_printf(out, "%-*s", LABEL_WIDTH, "state");
    put_state(out, x);
    buf_byte(out, '\n');
    human_labelled(out, LABEL_WIDTH, "priority", json_get_text(x, STR("priority")));
    human_labelled(out, LABEL_WIDTH, "assignee", json_get_text(assignee, STR("name")));
    buf_printf(out, "%-*s%lld of %s", LABEL_WIDTH, "events", (long long)json_get_int(x, STR("total_events")),
               about ? "about " : "");
    human_plural(out, json_get_int(x, STR("total_users")), "user");
    buf_byte(out, '\n');
    put_when(out, "first", json_get_text(x, STR("first")));
    put_when(out, "last", json_get_text(x, STR("last")));
}

static void put_releases(struct buf *out, const struct json_node *x)
{
    int n = 0;
    for (const struct json_node *r = json_first_of(json_get(x, STR("releases")), JSON_ARRAY); r; r = r->next, n++) {
        str name = json_get_text(r, STR("release"));
        if (n == 0)
            put_heading(out, "Releases");
        if (n == RELEASES_SHOWN) {
            buf_str(out, STR("  ...\n"));
            break;
        }
        buf_printf(out, "  %8lld  ", (long long)json_get_int(r, STR("events")));
        visible_escape(out, name.len ? name : STR("(others)"));
        buf_byte(out, '\n');
    }
}

static void put_activity(struct buf *out, const struct json_node *x)
{
    int n = 0;
    put_heading(out, "Activity");
    for (const struct json_node *a = json_first_of(json_get(x, STR("activity")), JSON_ARRAY); a && n < ACTIVITY_SHOWN;
         a = a->next, n++) {
        str kind = json_get_text(a, STR("kind")), text = json_get_text(a, STR("text"));
        buf_str(out, STR("  "));
        put_time(out, json_get_text(a, STR("time")));
        buf_str(out, STR("  "));
        visible_escape(out, json_get_text(a, STR("actor")));
        buf_str(out, STR("  "));
        if (str_eq(kind, STR("first_seen")) || str_eq(kind, STR("comment")) || !text.len) {
            visible_escape(out, str_eq(kind, STR("first_seen")) ? STR("first seen") : kind);
            buf_str(out, text.len ? STR(": ") : STR(""));
        }
        visible_escape(out, text);
        buf_byte(out, '\n');
    }
}

static int draw(const struct json_node *issue, const struct buf *event)
{
    struct event_text_options o = { .width = terminal_width(), .colours = terminal_colours() };
    struct buf out;
    struct err err = { 0 };
    int status, r = 0;
    buf_init(&out, ASK_OUT_MAX);
    put_head(&out, issue);
    put_releases(&out, issue);
    put_activity(&out, issue);
    if (event->len) {
        put_heading(&out, "Latest event");
        r = event_text_print(buf_view(event), &o, &out);
    }
    if (r == 0) {
        status = command_print(&out);
    } else {
        err_set(&err, r, "bad_answer", "the server's answer is no issue: %s", err_text(r));
        status = command_fail(&err);
    }
    buf_free(&out);
    return status;
}

int command_issue(struct invocation *inv)
{
    struct ask a;
    struct buf path, event;
    struct client_answer answer = { 0 };
    int status = begin(&a, inv);
    buf_init(&path, 4096);
    buf_init(&event, ASK_OUT_MAX);
    buf_str(&path, STR("/api/v1/issues/"));
    client_url_escape(&path, str_z(inv->operands[0]));
    if (status == EXIT_DONE && ask_get(&a, buf_view(&path)) < 0)
        status = EXIT_FAILED;
    if (status == EXIT_DONE && invocation_option(inv, "json")) {
        buf_byte(&a.json, '\n');
        status = command_print(&a.json);
    } else if (status == EXIT_DONE) {
        struct err err = { 0 };
        buf_str(&path, STR("/events/latest"));
        // Its events may be gone already while its figures stay.
        if (client_fetch(&a.client, buf_view(&path), &event, &answer, &err) < 0 || answer.status != 200)
            buf_clear(&event);
        status = draw(a.root, &event);
    }
    buf_free(&answer.error);
    buf_free(&event);
    buf_free(&path);
    ask_end(&a);
    return status;
}

// ---- changing ------------------------------------------------------------------------------------------

static void put_ids(struct json_writer *w, const struct invocation *inv)
{
    json_put_key(w, STR("ids"));
    json_put_array(w);
    for (int i = 0; i < inv->operands_n; i++)
        json_put_str(w, str_z(inv->operands[i]));
    json_put_array_end(w);
}

static void put_member(struct json_writer *w, str key, str text)
{
    json_put_key(w, key);
    json_put_str(w, text);
}

static void put_line(struct buf *out, const struct json_node *x)
{
    const struct json_node *assignee = json_get(x, STR("assignee"));
    str name = json_get_text(assignee, STR("name"));
    visible_escape(out, json_get_text(x, STR("short")));
    buf_str(out, STR(": "));
    put_state(out, x);
    if (name.len) {
        buf_str(out, STR(", assigned to "));
        visible_escape(out, name);
    }
    buf_byte(out, '\n');
}

// What became of them; a failure among them is told and makes the status.
static int tell(const struct json_node *answer, bool one)
{
    struct buf out;
    struct err err = { 0 };
    buf_init(&out, ASK_OUT_MAX);
    if (one)
        put_line(&out, answer);
    for (const struct json_node *x = json_first_of(json_get(answer, STR("issues")), JSON_ARRAY); x; x = x->next)
        put_line(&out, x);
    int status = command_print(&out);
    for (const struct json_node *x = json_first_of(json_get(answer, STR("failed")), JSON_ARRAY); x; x = x->next) {
        str message = json_get_text(json_get(x, STR("error")), STR("message"));
        err_set(&err, ERR_INVALID, "failed", "%lld: %.*s", (long long)json_get_int(x, STR("id")), STR_ARG(message));
        status = command_fail(&err);
    }
    buf_free(&out);
    return status;
}

static int change(struct invocation *inv, str method, str path, void (*put)(struct json_writer *, struct invocation *))
{
    struct ask a;
    int status = begin(&a, inv);
    a.hint = TOKEN_HINT;
    json_put_object(&a.w);
    put_ids(&a.w, inv);
    if (put)
        put(&a.w, inv);
    json_put_object_end(&a.w);
    if (status == EXIT_DONE)
        status = ask_server(&a, method, path, NULL, NULL) < 0 ? EXIT_FAILED : tell(a.root, !put);
    ask_end(&a);
    return status;
}

static int patch(struct invocation *inv, void (*put)(struct json_writer *, struct invocation *))
{
    return change(inv, STR("PATCH"), STR("/api/v1/issues"), put);
}

static void put_resolve(struct json_writer *w, struct invocation *inv)
{
    const char *release = invocation_option(inv, "release"), *commit = invocation_option(inv, "commit");
    bool next = invocation_option(inv, "next-release") != NULL;
    put_member(w, STR("state"), STR("resolved"));
    json_put_key(w, STR("resolved_in"));
    json_put_object(w);
    put_member(w, STR("kind"),
               release  ? STR("release")
               : commit ? STR("commit")
               : next   ? STR("next_release")
                        : STR("now"));
    if (release)
        put_member(w, STR("release"), str_z(release));
    else if (commit)
        put_member(w, STR("commit"), str_z(commit));
    json_put_object_end(w);
}

int command_issue_resolve(struct invocation *inv) { return patch(inv, put_resolve); }

static void put_count(struct json_writer *w, const char *text)
{
    uint64_t n = 0; // what is no number stays 0, which the server refuses
    if (!parse_u64(str_z(text), &n) || n > INT32_MAX)
        n = 0;
    json_put_key(w, STR("n"));
    json_put_uint(w, n);
}

static void put_archive(struct json_writer *w, struct invocation *inv)
{
    const char *time = invocation_option(inv, "until"), *events = invocation_option(inv, "events"),
               *users = invocation_option(inv, "users");
    bool forever = invocation_option(inv, "forever") != NULL;
    put_member(w, STR("state"), STR("archived"));
    json_put_key(w, STR("until"));
    json_put_object(w);
    put_member(w, STR("kind"),
               time      ? STR("time")
               : events  ? STR("events")
               : users   ? STR("users")
               : forever ? STR("forever")
                         : STR("escalating"));
    if (time)
        put_member(w, STR("time"), str_z(time));
    else if (events || users)
        put_count(w, events ? events : users);
    json_put_object_end(w);
}

int command_issue_archive(struct invocation *inv) { return patch(inv, put_archive); }

static void put_reopen(struct json_writer *w, struct invocation *inv) { put_member(w, STR("state"), STR("ongoing")); }

int command_issue_reopen(struct invocation *inv) { return patch(inv, put_reopen); }

static void put_assignee(struct json_writer *w, struct invocation *inv)
{
    const char *user = invocation_option(inv, "user"), *team = invocation_option(inv, "team");
    json_put_key(w, STR("assignee"));
    if (!user && !team) {
        json_put_null(w);
        return;
    }
    json_put_object(w);
    put_member(w, STR("kind"), user ? STR("user") : STR("team"));
    put_member(w, STR("name"), str_z(user ? user : team));
    json_put_object_end(w);
}

int command_issue_assign(struct invocation *inv) { return patch(inv, put_assignee); }

int command_issue_merge(struct invocation *inv) { return change(inv, STR("POST"), STR("/api/v1/issues/merge"), NULL); }
