// `clew agent`: the host's half of live debugging; `clew agent status`.
#include "agent/agent.h"
#include "main/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void state_dir(const struct invocation *inv, char out[CONFIG_TEXT_MAX])
{
    const char *given = invocation_option(inv, "state"), *home = getenv("HOME"), *xdg = getenv("XDG_STATE_HOME");
    if (given)
        snprintf(out, CONFIG_TEXT_MAX, "%s", given);
    else if (geteuid() == 0)
        snprintf(out, CONFIG_TEXT_MAX, "/var/lib/clew-agent");
    else if (xdg && xdg[0] == '/')
        snprintf(out, CONFIG_TEXT_MAX, "%s/clew-agent", xdg);
    else
        snprintf(out, CONFIG_TEXT_MAX, "%s/.clew-agent", home ? home : ".");
}

int command_agent(struct invocation *inv)
{
    char state[CONFIG_TEXT_MAX];
    struct err err = { 0 };
    const char *policy = invocation_option(inv, "policy"), *server = config_text(&inv->config, CONFIG_KEY_SERVER);
    state_dir(inv, state);
    struct agent_options o = { .server = server[0] ? server : "http://127.0.0.1:2539",
                               .token = config_text(&inv->config, CONFIG_KEY_TOKEN),
                               .policy = policy ? policy : "",
                               .state = state,
                               .version = CLEW_VERSION };
    return agent_run(&o, &err) < 0 ? command_fail(&err) : EXIT_DONE;
}

int command_agent_status(struct invocation *inv)
{
    char state[CONFIG_TEXT_MAX];
    struct err err = { 0 };
    struct buf out;
    state_dir(inv, state);
    buf_init(&out, 1 << 20);
    int status = agent_status(state, &out, &err) < 0 ? command_fail(&err) : command_print(&out);
    buf_free(&out);
    return status;
}
