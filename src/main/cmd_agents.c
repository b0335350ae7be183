// `clew agents`: the hosts that have one, what runs there, enrolment and removal.
#include "base/timefmt.h"
#include "main/ask.h"
#include "main/grid.h"
#include "main/human.h"

#include <stdio.h>

#define TOKEN_HINT \
    "this needs a token with the scope admin: clew token add NAME --scope read,admin, given as CLEW_TOKEN"

static int number_cell(struct grid *g, const struct json_node *x, const char *name)
{
    return grid_put(g, name, true, arena_printf(g->arena, "%lld", (long long)json_get_int(x, str_z(name))));
}

static str memory(struct grid *g, const struct json_node *agent)
{
    struct buf b;
    int64_t n = json_get_int(agent, STR("rss"));
    buf_init(&b, 256);
    if (n > 0)
        human_size(&b, (uint64_t)n);
    str text = arena_printf(g->arena, "%.*s", STR_ARG(buf_view(&b)));
    buf_free(&b);
    return text;
}

static str state(const struct json_node *a)
{
    bool connected = json_is(json_get(a, STR("connected")), JSON_TRUE);
    if (json_get(a, STR("copied")))
        return connected ? STR("connected, key in two places") : STR("away, key in two places");
    return connected ? STR("connected") : STR("away");
}

// The host's policy in the words of its file, what is not there leaves nothing out: "services=shop-*,!shop-payments values=shapes".
static str policy(struct grid *g, const struct json_node *agent)
{
    static const char *const lists[][2] = { { "users", "users" },
                                            { "services", "services" },
                                            { "environments", "environments" },
                                            { "cgroups", "cgroups" },
                                            { "shapes_services", "shapes-services" },
                                            { "shapes_environments", "shapes-environments" } };
    const struct json_node *rules = json_get(agent, STR("rules"));
    int64_t more = rules ? json_get_int(rules, STR("more")) : 0;
    struct buf b;
    buf_init(&b, 64 << 10);
    if (str_eq(json_get_text(agent, STR("policy")), STR("shapes")))
        buf_str(&b, STR("values=shapes "));
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
        const struct json_node *e = json_first_of(json_get(rules, str_z(lists[i][0])), JSON_ARRAY);
        for (const char *before = "="; e; e = e->next, before = ",") {
            buf_str(&b, *before == '=' ? str_z(lists[i][1]) : (str){ 0 });
            buf_printf(&b, "%s%.*s%s", before, STR_ARG(e->text), e->next ? "" : " ");
        }
    }
    if (more > 0)
        buf_printf(&b, "and %lld more", (long long)more);
    str text = str_trim(buf_view(&b));
    text = text.len ? arena_printf(g->arena, "%.*s", STR_ARG(text)) : rules ? STR("all") : (str){ 0 };
    buf_free(&b);
    return text;
}

static int put_agent(struct grid *g, const struct json_node *a)
{
    double cpu = 0;
    const struct json_node *ratio = json_get(a, STR("cpu_ratio"));
    if (ratio)
        json_number_double(ratio->text, &cpu);
    int r = grid_row(g);
    if (r == 0)
        r = grid_put(g, "agent", false, json_get_text(a, STR("id")));
    if (r == 0)
        r = grid_put(g, "host", false, json_get_text(a, STR("host")));
    if (r == 0)
        r = grid_put(g, "state", false, state(a));
    if (r == 0)
        r = number_cell(g, a, "processes");
    if (r == 0)
        r = number_cell(g, a, "attached");
    if (r == 0)
        r = grid_put(g, "cpu", true, arena_printf(g->arena, "%.1f%%", cpu * 100));
    if (r == 0)
        r = grid_put(g, "memory", true, memory(g, a));
    if (r == 0)
        r = grid_put(g, "version", false, json_get_text(a, STR("version")));
    if (r == 0)
        r = grid_put(g, "policy", false, policy(g, a));
    return r;
}

static int put_service(struct grid *g, const struct json_node *s)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    for (const struct json_node *e = json_first_of(json_get(s, STR("runtimes")), JSON_ARRAY); e; e = e->next)
        buf_printf(&b, "%s%.*s", b.len ? ", " : "", STR_ARG(e->text));
    int r = grid_row(g);
    if (r == 0)
        r = grid_put(g, "service", false, json_get_text(s, STR("service")));
    if (r == 0)
        r = grid_put(g, "runtimes", false, buf_view(&b));
    if (r == 0)
        r = number_cell(g, s, "instances");
    if (r == 0)
        r = number_cell(g, s, "attachable");
    if (r == 0)
        r = number_cell(g, s, "hosts");
    if (r == 0)
        r = number_cell(g, s, "probes");
    buf_free(&b);
    return r;
}

int command_agents(struct invocation *inv)
{
    static const char none[] = "no host has an agent yet: `clew agents token` makes what enrols one";
    static const struct ask_list agents = { "/api/v1/agents", "agents", put_agent, .none = none },
                                 services = { "/api/v1/live/services", "services", put_service, .none = none };
    return ask_list(inv, invocation_option(inv, "services") ? &services : &agents);
}

int command_agents_token(struct invocation *inv)
{
    struct ask a;
    int status = ask_begin(&a, inv);
    a.hint = TOKEN_HINT;
    if (status == EXIT_DONE) {
        json_put_object(&a.w);
        json_put_key(&a.w, STR("name"));
        json_put_str(&a.w, inv->operands_n ? str_z(inv->operands[0]) : STR("host"));
        json_put_object_end(&a.w);
        status = ask_server(&a, STR("POST"), STR("/api/v1/agents/tokens"), NULL, NULL) < 0 ? EXIT_FAILED : EXIT_DONE;
    }
    if (status == EXIT_DONE) {
        printf("%.*s\n", STR_ARG(json_get_text(a.root, STR("token"))));
        fprintf(stderr,
                "good once, for an hour, on the host: clew agent --server URL --token THIS\n"
                "to take it back before: clew agents revoke %.*s\n",
                STR_ARG(json_get_text(a.root, STR("id"))));
    }
    ask_end(&a);
    return status;
}

static int put_token(struct grid *g, const struct json_node *t)
{
    struct buf b;
    int64_t ns = 0;
    buf_init(&b, 256);
    if (parse_rfc3339(json_get_text(t, STR("expires")), &ns))
        human_time(&b, ns);
    int r = grid_row(g);
    if (r == 0)
        r = grid_put(g, "id", false, json_get_text(t, STR("id")));
    if (r == 0)
        r = grid_put(g, "name", false, json_get_text(t, STR("name")));
    if (r == 0)
        r = grid_put(g, "by", false, json_get_text(t, STR("created_by")));
    if (r == 0)
        r = grid_put(g, "ends", false, arena_printf(g->arena, "%.*s", STR_ARG(buf_view(&b))));
    buf_free(&b);
    return r;
}

int command_agents_tokens(struct invocation *inv)
{
    static const struct ask_list tokens = { "/api/v1/agents/tokens", "tokens", put_token, .hint = TOKEN_HINT,
                                            .none = "no enrolment token waits for its use" };
    return ask_list(inv, &tokens);
}

// DELETE of each operand below the path.
static int remove_each(struct invocation *inv, str below)
{
    struct ask a;
    struct buf path;
    int status = ask_begin(&a, inv);
    a.hint = TOKEN_HINT;
    for (int i = 0; status == EXIT_DONE && i < inv->operands_n; i++) {
        buf_init(&path, 4096);
        buf_str(&path, below);
        client_url_escape(&path, str_z(inv->operands[i]));
        if (ask_server(&a, STR("DELETE"), buf_view(&path), NULL, NULL) < 0)
            status = EXIT_FAILED;
        buf_free(&path);
    }
    ask_end(&a);
    return status;
}

int command_agents_revoke(struct invocation *inv) { return remove_each(inv, STR("/api/v1/agents/tokens/")); }

int command_agents_rm(struct invocation *inv) { return remove_each(inv, STR("/api/v1/agents/")); }
