// Tab completion out of the tables of commands and settings.
#include "main/command.h"

#include <stdio.h>

static void put_flags(struct buf *out, const struct command *c, const char *before)
{
    char flag[64];
    for (int i = 0; i < COMMAND_OPTIONS_MAX && c->options[i].name; i++)
        buf_printf(out, "%s--%s", before, c->options[i].name);
    for (int i = 0; i < CONFIG_KEYS; i++) {
        if (!(config_keys[i].who & c->who))
            continue;
        config_flag_name(&config_keys[i], flag);
        buf_printf(out, "%s%s", before, flag);
        if (config_keys[i].type == CONFIG_BOOL)
            buf_printf(out, "%s--no-%s", before, flag + 2);
    }
    buf_printf(out, "%s--help", before);
}

static void split_name(const char *name, str *ret_first, str *ret_second)
{
    str all = str_z(name);
    ptrdiff_t space = str_find_char(all, ' ', 0);
    *ret_first = space < 0 ? all : str_slice(all, 0, (size_t)space);
    *ret_second = space < 0 ? (str){ 0 } : str_slice(all, (size_t)space + 1, all.len);
}

// Second words of a group ("add ls rm"), separated by spaces.
static void put_second_words(struct buf *out, str group)
{
    for (size_t i = 0; i < commands_n; i++) {
        str first, second;
        split_name(commands[i].name, &first, &second);
        if (second.len && str_eq(first, group))
            buf_printf(out, " %.*s", STR_ARG(second));
    }
}

// Calls fn for every first word, once.
static void each_first_word(struct buf *out, void (*fn)(struct buf *out, str first, bool group))
{
    for (size_t i = 0; i < commands_n; i++) {
        str first, second, before = { 0 }, unused;
        split_name(commands[i].name, &first, &second);
        if (i)
            split_name(commands[i - 1].name, &before, &unused);
        if (!str_eq(first, before))
            fn(out, first, second.len > 0);
    }
}

static void put_word(struct buf *out, str first, bool group) { buf_printf(out, " %.*s", STR_ARG(first)); }

static void put_bash_group(struct buf *out, str first, bool group)
{
    if (!group)
        return;
    buf_printf(out, "    %.*s) words=\"", STR_ARG(first));
    put_second_words(out, first);
    buf_str(out, STR("\" ;;\n"));
}

static void put_cases(struct buf *out)
{
    for (size_t i = 0; i < commands_n; i++) {
        buf_printf(out, "    '%s') words=\"", commands[i].name);
        put_flags(out, &commands[i], " ");
        if (strcmp(commands[i].name, "completion") == 0)
            buf_str(out, STR(" bash zsh fish"));
        buf_str(out, STR("\" ;;\n"));
    }
}

static void put_bash(struct buf *out)
{
    buf_str(out, STR("_clew() {\n"
                     "  local cur=${COMP_WORDS[COMP_CWORD]} one=${COMP_WORDS[1]} two=${COMP_WORDS[2]} words=\n"
                     "  if [ \"$COMP_CWORD\" -le 1 ]; then words=\""));
    each_first_word(out, put_word);
    buf_str(out, STR(" help\"\n  elif [ \"$COMP_CWORD\" -eq 2 ]; then case $one in\n"));
    each_first_word(out, put_bash_group);
    buf_str(out, STR("    esac\n  fi\n  if [ -z \"$words\" ]; then case \"$one $two\" in\n"));
    for (size_t i = 0; i < commands_n; i++)
        if (strchr(commands[i].name, ' ')) {
            buf_printf(out, "    '%s') words=\"", commands[i].name);
            put_flags(out, &commands[i], " ");
            buf_str(out, STR("\" ;;\n"));
        }
    buf_str(out, STR("    *) case $one in\n"));
    put_cases(out);
    buf_str(out, STR("    esac ;;\n  esac; fi\n"
                     "  case ${COMP_WORDS[COMP_CWORD-1]} in --data|--config|--tls-cert|--tls-key) COMPREPLY=($(compgen "
                     "-f -- \"$cur\")); return ;; esac\n"
                     "  COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -F _clew clew\n"));
}

static void put_fish(struct buf *out)
{
    buf_str(out, STR("complete -c clew -f\n"));
    for (size_t i = 0; i < commands_n; i++) {
        const struct command *c = &commands[i];
        str first, second;
        split_name(c->name, &first, &second);
        if (second.len) {
            buf_printf(out, "complete -c clew -n __fish_use_subcommand -a %.*s\n", STR_ARG(first));
            buf_printf(out, "complete -c clew -n '__fish_seen_subcommand_from %.*s' -a %.*s -d '%s'\n", STR_ARG(first),
                       STR_ARG(second), c->summary);
        } else {
            buf_printf(out, "complete -c clew -n __fish_use_subcommand -a %s -d \"%s\"\n", c->name, c->summary);
        }
        for (int k = 0; k < COMMAND_OPTIONS_MAX && c->options[k].name; k++)
            buf_printf(out, "complete -c clew -n '__fish_seen_subcommand_from %.*s' -l %s%s -d '%s'\n", STR_ARG(first),
                       c->options[k].name, c->options[k].argument ? " -r" : "", c->options[k].doc);
    }
    for (int i = 0; i < CONFIG_KEYS; i++) {
        char flag[64];
        str summary = config_summary(&config_keys[i]);
        config_flag_name(&config_keys[i], flag);
        bool path = strcmp(config_keys[i].argument, "DIR") == 0 || strcmp(config_keys[i].argument, "FILE") == 0;
        buf_printf(out, "complete -c clew -l %s%s -d '", flag + 2,
                   config_keys[i].type == CONFIG_BOOL ? ""
                   : path                             ? " -r -F"
                                                      : " -r");
        for (size_t k = 0; k < summary.len; k++)
            if (summary.ptr[k] != '\'')
                buf_byte(out, (uint8_t)summary.ptr[k]);
        buf_str(out, STR("'\n"));
    }
}

int command_completion(struct invocation *inv)
{
    struct buf out;
    const char *shell = inv->operands[0];
    int status = EXIT_USAGE;
    buf_init(&out, 1 << 20);
    if (strcmp(shell, "bash") == 0) {
        put_bash(&out);
        status = command_print(&out);
    } else if (strcmp(shell, "zsh") == 0) {
        // zsh reads bash's completions
        buf_str(&out, STR("autoload -U +X bashcompinit && bashcompinit\n"));
        put_bash(&out);
        status = command_print(&out);
    } else if (strcmp(shell, "fish") == 0) {
        put_fish(&out);
        status = command_print(&out);
    } else {
        struct err err;
        err_set(&err, ERR_INVALID, "usage", "there is no completion for \"%s\": bash, zsh and fish have one", shell);
        command_fail(&err);
    }
    buf_free(&out);
    return status;
}
