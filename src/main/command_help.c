// Help out of the tables.
#include "main/command.h"

#include <stdio.h>

bool command_list(struct buf *out, str group)
{
    bool any = false;
    buf_str(out, STR("usage: clew COMMAND [--help]\n\n"));
    for (size_t i = 0; i < commands_n; i++) {
        char head[64];
        str name = str_z(commands[i].name);
        if (group.len && !(str_starts(name, group) && (name.len == group.len || name.ptr[group.len] == ' ')))
            continue;
        any = true;
        snprintf(head, sizeof head, "%s %s", commands[i].name, commands[i].operands);
        buf_printf(out, "  %-31s %s\n", head, commands[i].summary);
    }
    buf_str(out, STR("\nClient commands find the server by --server and --token, CLEW_URL and CLEW_TOKEN, or the data "
                     "directory.\n"
                     "Exit status: 0 done, 1 failed, 2 usage.\n"));
    return any;
}

void command_help(struct buf *out, const struct command *c)
{
    buf_printf(out, "usage: clew %s%s%s [OPTION...]\n\n%s\n", c->name, c->operands[0] ? " " : "", c->operands,
               c->summary);
    if (c->doc)
        buf_printf(out, "%s\n", c->doc);
    buf_str(out, STR("\noptions:\n"));
    for (int i = 0; i < COMMAND_OPTIONS_MAX && c->options[i].name; i++) {
        char head[64];
        snprintf(head, sizeof head, "--%s %s", c->options[i].name,
                 c->options[i].argument ? c->options[i].argument : "");
        buf_printf(out, "  %-28s %s\n", head, c->options[i].doc);
    }
    for (int i = 0; i < CONFIG_KEYS; i++) {
        const struct config_key *k = &config_keys[i];
        char flag[64], head[96];
        if (!(k->who & c->who))
            continue;
        config_flag_name(k, flag);
        if (k->type == CONFIG_BOOL)
            snprintf(head, sizeof head, "--[no-]%s", flag + 2);
        else
            snprintf(head, sizeof head, "%s %s", flag, k->argument);
        str summary = config_summary(k);
        buf_printf(out, "  %-28s %.*s", head, STR_ARG(summary));
        if (k->def[0] && k->type != CONFIG_BOOL)
            buf_printf(out, " (%s)", k->def);
        buf_byte(out, '\n');
    }
    buf_printf(out, "  %-28s %s\n", "--help", "this text");
}
