// `clew probe`: placing probes, and what becomes of them.
#include "base/clock.h"
#include "base/numfmt.h"
#include "base/timefmt.h"
#include "main/ask.h"
#include "main/grid.h"
#include "main/human.h"
#include "main/probe_place.h"
#include "main/probe_text.h"
#include "main/terminal.h"
#include "query/literal.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_S = 15, LOOK_MS = 150, TAIL_SILENCE_MS = -1 };

#define TOKEN_HINT                                                                                           \
    "a token that may: clew token add NAME --scope read,values,probe (probe_prod: in production), given as " \
    "CLEW_TOKEN; on the\n"                                                                                   \
    "  server's own machine none is needed (--data DIR of who owns it)"

static int begin(struct ask *a, const struct invocation *inv)
{
    int status = ask_begin(a, inv);
    a->hint = TOKEN_HINT;
    return status;
}

static str path_of(struct arena *arena, const char *id) // of a probe; an id holds nothing that a URL has to escape
{
    struct buf b;
    buf_init(&b, 4096);
    buf_str(&b, STR("/api/v1/probes/"));
    client_url_escape(&b, str_z(id));
    str path = arena_printf(arena, "%.*s", STR_ARG(buf_view(&b)));
    buf_free(&b);
    return path;
}

// ---- add ---------------------------------------------------------------------------------------------------

static void put(struct json_writer *w, const char *key, const char *value)
{
    if (!value)
        return;
    json_put_key(w, str_z(key));
    json_put_str(w, str_z(value));
}

static int put_number(struct json_writer *w, const struct invocation *inv, const char *key, struct err *err)
{
    const char *value = invocation_option(inv, key);
    uint64_t n;
    if (!value)
        return 0;
    if (!parse_u64(str_z(value), &n))
        return err_set(err, ERR_INVALID, "usage", "--%s: \"%s\" is not a number", key, value);
    json_put_key(w, str_z(key));
    json_put_uint(w, n);
    return 0;
}

static int put_ttl(struct json_writer *w, const struct invocation *inv, struct err *err)
{
    const char *value = invocation_option(inv, "ttl");
    int64_t ns = 0;
    bool overflow = false;
    if (!value)
        return 0;
    if (!query_duration_read(str_z(value), &ns, &overflow) || overflow || ns < NS_PER_S)
        return err_set(err, ERR_INVALID, "usage", "--ttl: \"%s\" is not a time (30m, 2h)", value);
    json_put_key(w, STR("ttl_s"));
    json_put_int(w, ns / NS_PER_S);
    return 0;
}

// trace_error, trace_slow=500ms
static int put_keep(struct json_writer *w, const struct invocation *inv, struct err *err)
{
    const char *value = invocation_option(inv, "keep");
    str which = str_z(value ? value : "");
    ptrdiff_t equals = str_find_char(which, '=', 0);
    int64_t ns = 0;
    bool overflow = false;
    if (!value)
        return 0;
    if (equals >= 0 && (!query_duration_read(str_slice(which, (size_t)equals + 1, which.len), &ns, &overflow) ||
                        overflow || ns < NS_PER_MS))
        return err_set(err, ERR_INVALID, "usage", "--keep: \"%s\" has no time (trace_slow=500ms)", value);
    if (equals >= 0)
        which = str_slice(which, 0, (size_t)equals);
    json_put_key(w, STR("keep"));
    json_put_str(w, which);
    if (equals >= 0) {
        json_put_key(w, STR("keep_ms"));
        json_put_int(w, ns / NS_PER_MS);
    }
    return 0;
}

static void put_scope(struct json_writer *w, const struct invocation *inv)
{
    static const char *const names[] = { "version", "environment", "host", "instances" };
    bool any = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        any |= invocation_option(inv, names[i]) != NULL;
    if (!any)
        return;
    json_put_key(w, STR("scope"));
    json_put_object(w);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        put(w, names[i], invocation_option(inv, names[i]));
    json_put_object_end(w);
}

static void put_log(struct json_writer *w, const struct invocation *inv)
{
    const char *text = invocation_option(inv, "log");
    if (!text)
        return;
    put(w, "kind", "log");
    json_put_key(w, STR("log"));
    json_put_object(w);
    put(w, "level", invocation_option(inv, "level"));
    put(w, "template", text);
    json_put_object_end(w);
}

// "tier=order.tier", or an expression that names itself.
static int put_by(struct json_writer *w, const struct invocation *inv, struct err *err)
{
    json_put_key(w, STR("by"));
    json_put_object(w);
    for (int i = 0; invocation_option_n(inv, "by", i); i++) {
        str text = str_z(invocation_option_n(inv, "by", i));
        ptrdiff_t sign = str_find_char(text, '=', 0);
        bool named = sign > 0 && !(text.len > (size_t)sign + 1 && text.ptr[sign + 1] == '=');
        for (ptrdiff_t k = 0; named && k < sign; k++)
            named = str_find_char(STR("<>! ()[\"'"), text.ptr[k], 0) < 0;
        if (!text.len)
            return err_set(err, ERR_INVALID, "usage", "--by: an expression is missing");
        json_put_key(w, named ? str_slice(text, 0, (size_t)sign) : text);
        json_put_str(w, named ? str_slice(text, (size_t)sign + 1, text.len) : text);
    }
    json_put_object_end(w);
    return 0;
}

static int put_metric(struct json_writer *w, const struct invocation *inv, struct err *err)
{
    const char *name = invocation_option(inv, "metric"), *as = invocation_option(inv, "as"),
               *value = invocation_option(inv, "value");
    bool timer = invocation_option(inv, "timer"), by = invocation_option(inv, "by");
    if (!timer && !name) {
        if (as || value || by)
            return err_set(err, ERR_INVALID, "usage", "--%s is of --metric", as ? "as" : value ? "value" : "by");
        return 0;
    }
    if (invocation_option(inv, "log") || invocation_option(inv, "capture") || (timer && (as || value)))
        return err_set(err, ERR_INVALID, "usage", "%s goes without %s", timer ? "--timer" : "--metric",
                       invocation_option(inv, "log")       ? "--log"
                       : invocation_option(inv, "capture") ? "--capture"
                                                           : "--as and --value");
    put(w, "kind", timer ? "timer" : "metric");
    if (timer && !name && !by)
        return 0;
    json_put_key(w, STR("metric"));
    json_put_object(w);
    put(w, "name", name);
    if (!timer)
        put(w, "kind", as ? as : value ? "histogram" : "count");
    put(w, "value", value);
    int r = by ? put_by(w, inv, err) : 0;
    json_put_object_end(w);
    return r;
}

// Which words are the service and the place: an exception needs none.
static int read_words(const struct invocation *inv, const char **ret_service, const char **ret_place, struct err *err)
{
    const char *service = invocation_option(inv, "service");
    bool exception = probe_place_is_exception(inv);
    int n = inv->operands_n, words = service ? 0 : 1; // in front of the place
    if (n == words + 1 || (exception && n == words)) {
        *ret_service = service ? service : inv->operands[0];
        *ret_place = n > words ? inv->operands[n - 1] : NULL;
        return 0;
    }
    if (n > words)
        return err_set(err, ERR_INVALID, "usage", "the service is named twice");
    if (exception)
        return err_set(err, ERR_INVALID, "usage", "the service is missing: clew probe add SERVICE --exception TYPE");
    return err_set(err, ERR_INVALID, "usage",
                   service || n == 0 ? "the place is missing: clew probe add SERVICE FILE:LINE"
                                     : "the service is missing: clew probe add SERVICE FILE:LINE");
}

static int put_probe(struct json_writer *w, const struct invocation *inv, struct err *err)
{
    const char *service = NULL, *place = NULL;
    int r = read_words(inv, &service, &place, err);
    if (r < 0)
        return r;
    json_put_object(w);
    put(w, "service", service);
    r = probe_place_put(w, inv, place, err);
    if (probe_place_is_exception(inv) && !invocation_option(inv, "log") && !invocation_option(inv, "metric"))
        put(w, "kind", "exception");
    put(w, "project", invocation_option(inv, "project"));
    put(w, "if", invocation_option(inv, "if"));
    put(w, "hit", invocation_option(inv, "hit"));
    if (invocation_option(inv, "capture")) {
        json_put_key(w, STR("exprs"));
        json_put_array(w);
        for (int i = 0; invocation_option_n(inv, "capture", i); i++)
            json_put_str(w, str_z(invocation_option_n(inv, "capture", i)));
        json_put_array_end(w);
    }
    put_log(w, inv);
    if (r == 0)
        r = put_metric(w, inv, err);
    put_scope(w, inv);
    if (r == 0)
        r = put_ttl(w, inv, err);
    if (r == 0)
        r = put_number(w, inv, "hits", err);
    if (r == 0)
        r = put_number(w, inv, "rate", err);
    if (r == 0)
        r = put_keep(w, inv, err);
    if (r == 0)
        r = put_number(w, inv, "depth", err);
    json_put_object_end(w);
    return r;
}

// The text that the server found a mistake in.
static str wrong_text(void *ctx, str place)
{
    const struct invocation *inv = ctx;
    const char *text = NULL;
    if (str_eq(place, STR("if")))
        text = invocation_option(inv, "if");
    else if (str_eq(place, STR("metric.value")))
        text = invocation_option(inv, "value");
    else if (str_eq(place, STR("log.template")))
        text = invocation_option(inv, "log");
    else if (str_starts(place, STR("exprs["))) {
        uint64_t n = 0;
        if (parse_u64(str_slice(place, 6, place.len - 1), &n) && n < COMMAND_GIVEN_MAX)
            text = invocation_option_n(inv, "capture", (int)n);
    }
    return text ? str_z(text) : (str){ 0 };
}

static void say_instances(const struct json_node *probe)
{
    struct buf out;
    buf_init(&out, ASK_OUT_MAX);
    probe_text_instances(&out, probe);
    fprintf(stderr, "%.*s", (int)out.len, out.ptr ? (const char *)out.ptr : "");
    buf_free(&out);
}

static bool any_instance(const struct json_node *probe, const char *state)
{
    for (const struct json_node *i = json_first_of(json_get(probe, STR("instances")), JSON_ARRAY); i; i = i->next)
        if (str_eq(json_get_text(i, STR("state")), str_z(state)))
            return true;
    return false;
}

// Until every instance has said what becomes of it.
static int wait_installed(struct ask *a, str path)
{
    int64_t until = clock_mono_ns() + WAIT_S * NS_PER_S;
    for (;;) {
        if (ask_get(a, path) < 0)
            return EXIT_FAILED;
        if (probe_text_settled(a->root))
            break;
        if (clock_mono_ns() > until) {
            bool none = !json_first_of(json_get(a->root, STR("instances")), JSON_ARRAY);
            say_instances(a->root);
            fprintf(stderr, "clew: %s\n",
                    none ? PROBE_NOBODY : "it is not installed everywhere yet; `clew probe show` says how it goes on");
            return EXIT_FAILED;
        }
        nanosleep(&(struct timespec){ .tv_nsec = LOOK_MS * NS_PER_MS }, NULL);
    }
    bool in = any_instance(a->root, "installed") || any_instance(a->root, "emitting"), waits = true;
    for (const struct json_node *i = json_first_of(json_get(a->root, STR("instances")), JSON_ARRAY); i; i = i->next)
        waits &= str_eq(json_get_text(i, STR("state")), STR("waiting"));
    fprintf(stderr, "%s:\n", in ? "installed" : waits ? "waiting" : "refused");
    say_instances(a->root);
    return in ? EXIT_DONE : EXIT_FAILED;
}

int command_probe_add(struct invocation *inv)
{
    struct ask a;
    struct err err = { 0 };
    int status = begin(&a, inv);
    if (status == EXIT_DONE && put_probe(&a.w, inv, &err) < 0) {
        command_fail(&err);
        status = EXIT_USAGE;
    }
    if (status == EXIT_DONE && ask_server(&a, STR("POST"), STR("/api/v1/probes"), wrong_text, inv) < 0)
        status = EXIT_FAILED;
    if (status == EXIT_DONE) {
        char id[64];
        struct arena arena;
        arena_init(&arena, 1 << 16);
        snprintf(id, sizeof id, "%.*s", STR_ARG(json_get_text(a.root, STR("id"))));
        if (invocation_option(inv, "json"))
            printf("%.*s\n", STR_ARG(buf_view(&a.json)));
        else
            printf("%s\n", id);
        fflush(stdout);
        if (invocation_option(inv, "wait") || (isatty(STDERR_FILENO) && !invocation_option(inv, "no-wait")))
            status = wait_installed(&a, path_of(&arena, id));
        arena_free(&arena);
    }
    ask_end(&a);
    return status;
}

// ---- ls, show ----------------------------------------------------------------------------------------------

static int put_row(struct grid *g, const struct json_node *p)
{
    struct buf where;
    int64_t ends = 0, hits = json_get_int(p, STR("hits")), used = json_get_int(p, STR("hits_used")), counted = 0,
            errors = 0;
    str kind = json_get_text(p, STR("kind"));
    size_t n = 0;
    buf_init(&where, 8192);
    probe_text_where(&where, p);
    for (const struct json_node *i = json_first_of(json_get(p, STR("instances")), JSON_ARRAY); i; i = i->next) {
        n += str_eq(json_get_text(i, STR("state")), STR("installed")) ||
             str_eq(json_get_text(i, STR("state")), STR("emitting"));
        counted += json_get_int(i, STR("hits")) - json_get_int(i, STR("filtered"));
        errors += json_get_int(i, STR("errors"));
    }
    int r = grid_row(g);
    if (r == 0)
        r = grid_put(g, "probe", false, json_get_text(p, STR("id")));
    if (r == 0)
        r = grid_put(g, "state", false, json_get_text(p, STR("state")));
    if (r == 0)
        r = grid_put(g, "kind", false, kind);
    if (r == 0)
        r = grid_put(g, "service", false, json_get_text(p, STR("service")));
    if (r == 0)
        r = grid_put(g, "where", false, buf_view(&where));
    if (r == 0)
        r = grid_put(g, "in", true, arena_printf(g->arena, "%zu", n));
    if (r == 0)
        r = grid_put(g, "hits", true,
                     str_eq(kind, STR("metric")) || str_eq(kind, STR("timer")) // these have no limit
                         ? arena_printf(g->arena, "%lld", (long long)counted)
                         : arena_printf(g->arena, "%lld/%lld", (long long)used, (long long)hits));
    if (r == 0 && errors) // of its condition or its text: `probe show` has the first
        r = grid_put(g, "errors", true, arena_printf(g->arena, "%lld", (long long)errors));
    if (r == 0 && json_get(p, STR("events"))) {
        int64_t events = json_get_int(p, STR("events")), out = json_get_int(p, STR("events_left_out"));
        r = grid_put(g, "events", true,
                     out ? arena_printf(g->arena, "%lld of %lld", (long long)events, (long long)(events + out))
                         : arena_printf(g->arena, "%lld", (long long)events));
    }
    if (r == 0 && parse_rfc3339(json_get_text(p, STR("expires")), &ends)) {
        int64_t left = ends - clock_unix_ns();
        r = grid_put(g, "left", true,
                     left > 0 ? arena_printf(g->arena, "%lldm", (long long)(left / (60 * NS_PER_S))) : STR("-"));
    }
    if (r == 0)
        r = grid_put(g, "owner", false, json_get_text(p, STR("owner")));
    buf_free(&where);
    return r;
}

int command_probe_ls(struct invocation *inv)
{
    static const char *const options[] = { "service", "project", NULL };
    static const struct ask_list open = { "/api/v1/probes", "probes", put_row, options, .hint = TOKEN_HINT },
                                 all = { "/api/v1/probes?all=1", "probes", put_row, options, .hint = TOKEN_HINT };
    return ask_list(inv, invocation_option(inv, "all") ? &all : &open);
}

int command_probe_show(struct invocation *inv)
{
    struct ask a;
    struct arena arena;
    struct buf out;
    int status = begin(&a, inv);
    arena_init(&arena, 1 << 16);
    if (status == EXIT_DONE && ask_get(&a, path_of(&arena, inv->operands[0])) < 0)
        status = EXIT_FAILED;
    if (status == EXIT_DONE) {
        buf_init(&out, ASK_OUT_MAX);
        if (invocation_option(inv, "json")) {
            buf_str(&out, buf_view(&a.json));
            buf_byte(&out, '\n');
        } else {
            probe_text(&out, a.root);
        }
        status = command_print(&out);
        buf_free(&out);
    }
    arena_free(&arena);
    ask_end(&a);
    return status;
}

// ---- rm, pause, resume -------------------------------------------------------------------------------------

static int each(struct invocation *inv, str method, const char *body)
{
    struct ask a;
    struct arena arena;
    int status = begin(&a, inv);
    arena_init(&arena, 1 << 16);
    for (int i = 0; status == EXIT_DONE && i < inv->operands_n; i++) {
        buf_str(&a.body, str_z(body));
        if (ask_server(&a, method, path_of(&arena, inv->operands[i]), NULL, NULL) < 0)
            status = EXIT_FAILED;
    }
    arena_free(&arena);
    ask_end(&a);
    return status;
}

int command_probe_pause(struct invocation *inv) { return each(inv, STR("PATCH"), "{\"paused\":true}"); }
int command_probe_resume(struct invocation *inv) { return each(inv, STR("PATCH"), "{\"paused\":false}"); }

int command_probe_rm(struct invocation *inv)
{
    const char *service = invocation_option(inv, "service"), *all = invocation_option(inv, "all");
    struct ask a;
    struct err err = { 0 };
    struct buf path;
    if ((inv->operands_n > 0) + (service != NULL) + (all != NULL) != 1) {
        err_set(&err, ERR_INVALID, "usage", "which probes? IDs, or --service NAME, or --all");
        command_fail(&err);
        return EXIT_USAGE;
    }
    if (inv->operands_n)
        return each(inv, STR("DELETE"), "");
    int status = begin(&a, inv);
    buf_init(&path, 1 << 16);
    buf_str(&path, STR("/api/v1/probes"));
    ask_parameter(&path, "service", service);
    ask_parameter(&path, "all", all ? "1" : NULL);
    if (status == EXIT_DONE && ask_server(&a, STR("DELETE"), buf_view(&path), NULL, NULL) < 0)
        status = EXIT_FAILED;
    else if (status == EXIT_DONE) {
        int64_t n = 0;
        json_int_of(json_get(a.root, STR("removed")), &n);
        printf("%lld\n", (long long)n);
    }
    buf_free(&path);
    ask_end(&a);
    return status;
}

// ---- tail --------------------------------------------------------------------------------------------------

struct tail {
    const struct invocation *inv;
    bool capture; // the next data is one
};

static bool wanted(const struct tail *t, str probe)
{
    for (int i = 0; i < t->inv->operands_n; i++)
        if (str_eq(probe, str_z(t->inv->operands[i])))
            return true;
    return t->inv->operands_n == 0;
}

static void put_capture(struct buf *out, const struct json_node *c)
{
    str time = json_get_text(c, STR("time"));
    int64_t line = 0;
    json_int_of(json_get(c, STR("line")), &line);
    visible_escape(out, str_slice(time, 11, 23));
    static const char *const names[] = { "id", "probe", "service", "function" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        buf_byte(out, ' ');
        visible_escape(out, json_get_text(c, str_z(names[i])));
    }
    buf_printf(out, ":%lld", (long long)line);
    if (json_get_text(c, STR("trace")).len) {
        buf_str(out, STR(" trace "));
        visible_escape(out, json_get_text(c, STR("trace")));
    }
    buf_byte(out, '\n');
}

static int tail_line(void *ctx, str line)
{
    struct tail *t = ctx;
    struct arena arena;
    struct buf out;
    const struct json_node *root;
    int r = 0;
    if (str_starts(line, STR("event:")))
        t->capture = str_eq(str_trim(str_slice(line, 6, line.len)), STR("capture"));
    if (!t->capture || !str_starts(line, STR("data:")))
        return 0;
    str json = str_trim(str_slice(line, 5, line.len));
    arena_init(&arena, 16 << 20);
    buf_init(&out, ASK_OUT_MAX);
    if (json_tree_read(json, &arena, 64, &root, NULL) == 0 && wanted(t, json_get_text(root, STR("probe")))) {
        if (invocation_option(t->inv, "json") || !terminal_is()) {
            buf_str(&out, json);
            buf_byte(&out, '\n');
        } else {
            put_capture(&out, root);
        }
        r = command_print(&out) == EXIT_DONE ? 0 : ERR_CLOSED;
    }
    buf_free(&out);
    arena_free(&arena);
    return r;
}

int command_probe_tail(struct invocation *inv)
{
    struct tail t = { .inv = inv };
    struct client c;
    struct client_answer answer = { 0 };
    struct err err = { 0 };
    struct buf path;
    if (client_find(&inv->config, &c, &err) < 0)
        return command_fail(&err);
    buf_init(&path, 4096);
    buf_str(&path, STR("/api/v1/live/stream"));
    ask_parameter(&path, "service", invocation_option(inv, "service"));
    int r = client_lines(&c, buf_view(&path), (str){ 0 }, TAIL_SILENCE_MS, tail_line, &t, &answer, &err);
    int status = EXIT_DONE;
    if (r < 0)
        status = r == ERR_CLOSED && err.message[0] == 0 ? EXIT_DONE : command_fail(&err);
    else if (answer.status != 200)
        status = client_fail(&answer, (str){ 0 });
    buf_free(&answer.error);
    buf_free(&path);
    return status;
}
