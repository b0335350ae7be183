// The parser of command lines.
#include "main/command.h"

#include "base/must.h"
#include "main/human.h"

#include <stdio.h>
#include <unistd.h>

const char *invocation_option(const struct invocation *inv, const char *name)
{
    for (int i = 0; i < COMMAND_OPTIONS_MAX && inv->command->options[i].name; i++)
        if (strcmp(inv->command->options[i].name, name) == 0)
            return inv->option_values[i];
    must(!"an option of the command");
    return NULL;
}

const char *invocation_option_n(const struct invocation *inv, const char *name, int n)
{
    for (int i = 0; i < inv->given_n; i++)
        if (strcmp(inv->command->options[inv->given[i].option].name, name) == 0 && n-- == 0)
            return inv->given[i].value;
    return NULL;
}

static void print_escaped(FILE *f, const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    visible_escape(&out, str_z(text));
    fprintf(f, "%.*s", (int)out.len, out.ptr ? (const char *)out.ptr : "");
    buf_free(&out);
}

int command_fail(const struct err *err)
{
    fputs("clew: ", stderr);
    if (err->place[0]) {
        print_escaped(stderr, err->place);
        fputs(": ", stderr);
    }
    print_escaped(stderr, err->message[0] ? err->message : err_text(err->code));
    fputc('\n', stderr);
    if (err->hint[0]) {
        fputs("  ", stderr);
        print_escaped(stderr, err->hint);
        fputc('\n', stderr);
    }
    return EXIT_FAILED;
}

int command_print(const struct buf *out)
{
    for (size_t at = 0; at < out->len;) {
        ssize_t n = write(STDOUT_FILENO, out->ptr + at, out->len - at);
        if (n < 0)
            return EXIT_FAILED;
        at += (size_t)n;
    }
    return out->error ? EXIT_FAILED : EXIT_DONE;
}

static int usage_error(const struct command *c, const struct err *err)
{
    command_fail(err);
    if (c)
        fprintf(stderr, "  usage: clew %s%s%s (--help says more)\n", c->name, c->operands[0] ? " " : "", c->operands);
    else
        fputs("  `clew --help` lists the commands\n", stderr);
    return EXIT_USAGE;
}

// Words of the command line that name a command: "token add" before "token".
static const struct command *find_command(int argc, char *const *argv, int *ret_words)
{
    for (int words = argc >= 2 ? 2 : argc; words > 0; words--)
        for (size_t i = 0; i < commands_n; i++) {
            char name[64];
            if (words == 2)
                snprintf(name, sizeof name, "%s %s", argv[0], argv[1]);
            else
                snprintf(name, sizeof name, "%s", argv[0]);
            if (strcmp(commands[i].name, name) == 0) {
                *ret_words = words;
                return &commands[i];
            }
        }
    return NULL;
}

static int unknown_command(int argc, char *const *argv)
{
    struct err err;
    unsigned best = 3;
    bool group = false;
    const char *near = NULL;
    struct buf members;
    buf_init(&members, 1024);
    for (size_t i = 0; i < commands_n; i++) {
        str name = str_z(commands[i].name);
        ptrdiff_t space = str_find_char(name, ' ', 0);
        str first = space < 0 ? name : str_slice(name, 0, (size_t)space);
        if (space > 0 && str_eq(first, str_z(argv[0]))) {
            buf_printf(&members, "%s%s", group ? ", " : "", commands[i].name);
            group = true;
        }
        unsigned d = config_distance(str_z(argv[0]), first, 2);
        if (d < best) {
            best = d;
            near = commands[i].name;
        }
    }
    if (group) {
        err_set(&err, ERR_INVALID, "usage", argc > 1 ? "%s has no command \"%s\"" : "%s needs one of its commands",
                argv[0], argc > 1 ? argv[1] : "");
        err_set_hint(&err, "there are: %.*s", (int)members.len, (const char *)members.ptr);
    } else {
        err_set(&err, ERR_INVALID, "usage", "there is no command \"%s\"", argv[0]);
        if (near)
            err_set_hint(&err, "did you mean `clew %s`?", near);
    }
    buf_free(&members);
    return usage_error(NULL, &err);
}

static int option_unknown(const struct command *c, str name, struct err *err)
{
    char flag[64];
    unsigned best = 3;
    str near = { 0 };
    for (int i = 0; i < COMMAND_OPTIONS_MAX && c->options[i].name; i++) {
        unsigned d = config_distance(name, str_z(c->options[i].name), 2);
        if (d < best) {
            best = d;
            near = str_z(c->options[i].name);
        }
    }
    for (int i = 0; i < CONFIG_KEYS; i++) {
        if (!(config_keys[i].who & c->who))
            continue;
        static char kept[64];
        config_flag_name(&config_keys[i], flag);
        unsigned d = config_distance(name, str_z(flag + 2), 2);
        if (d < best) {
            best = d;
            memcpy(kept, flag + 2, sizeof kept - 2);
            near = str_z(kept);
        }
    }
    err_set(err, ERR_INVALID, "usage", "there is no option --%.*s", STR_ARG(str_slice(name, 0, 60)));
    if (near.len)
        err_set_hint(err, "did you mean --%.*s?", STR_ARG(near));
    return ERR_INVALID;
}

// An option of the command itself: 1 when it was one.
static int option_own(struct invocation *inv, str name, const char *inline_value, int *at, int argc, char *const *argv,
                      struct err *err)
{
    for (int i = 0; i < COMMAND_OPTIONS_MAX && inv->command->options[i].name; i++) {
        const struct command_option *o = &inv->command->options[i];
        if (!str_eq(name, str_z(o->name)))
            continue;
        if (!o->argument) {
            if (inline_value)
                return err_set(err, ERR_INVALID, "usage", "--%s takes no value", o->name);
            inv->option_values[i] = "";
            return 1;
        }
        if (!inline_value && *at + 1 >= argc)
            return err_set(err, ERR_INVALID, "usage", "--%s needs a value (%s)", o->name, o->argument);
        inv->option_values[i] = inline_value ? inline_value : argv[++*at];
        if (inv->given_n == COMMAND_GIVEN_MAX)
            return err_set(err, ERR_LIMIT, "usage", "too many options");
        inv->given[inv->given_n].option = i;
        inv->given[inv->given_n++].value = inv->option_values[i];
        return 1;
    }
    return 0;
}

static int option_setting(struct invocation *inv, str name, const char *inline_value, int *at, int argc,
                          char *const *argv, struct err *err)
{
    bool no = str_starts(name, STR("no-"));
    int id = config_find(no ? str_slice(name, 3, name.len) : name, NULL);
    if (id < 0 || !(config_keys[id].who & inv->command->who) || (no && config_keys[id].type != CONFIG_BOOL))
        return option_unknown(inv->command, name, err);
    const char *value = inline_value;
    if (config_keys[id].type == CONFIG_BOOL) {
        if (no && inline_value)
            return err_set(err, ERR_INVALID, "usage", "--%.*s takes no value", STR_ARG(name));
        if (!value)
            value = no ? "false" : "true";
    } else if (!value) {
        if (*at + 1 >= argc)
            return err_set(err, ERR_INVALID, "usage", "--%.*s needs a value (%s)", STR_ARG(name),
                           config_keys[id].argument);
        value = argv[++*at];
    }
    return config_set(&inv->config, (enum config_id)id, str_z(value), CONFIG_FROM_FLAG, err);
}

static int read_arguments(struct invocation *inv, int argc, char *const *argv, struct err *err)
{
    bool only_operands = false;
    for (int i = 0; i < argc; i++) {
        const char *arg = argv[i];
        if (!only_operands && strcmp(arg, "--") == 0) {
            only_operands = true;
            continue;
        }
        if (only_operands || arg[0] != '-' || arg[1] == 0) {
            if (inv->operands_n == COMMAND_OPERANDS_MAX)
                return err_set(err, ERR_INVALID, "usage", "too many arguments");
            inv->operands[inv->operands_n++] = arg;
            continue;
        }
        if (arg[1] != '-')
            return err_set(err, ERR_INVALID, "usage", "there is no option %s: options have two dashes", arg);
        const char *eq = strchr(arg, '=');
        str name = eq ? str_of(arg + 2, (size_t)(eq - arg - 2)) : str_z(arg + 2);
        int r = option_own(inv, name, eq ? eq + 1 : NULL, &i, argc, argv, err);
        if (r == 0)
            r = option_setting(inv, name, eq ? eq + 1 : NULL, &i, argc, argv, err);
        if (r < 0)
            return r;
    }
    if (inv->operands_n < inv->command->operands_least)
        return err_set(err, ERR_INVALID, "usage", "%s is missing", inv->command->operands);
    if (inv->operands_n > inv->command->operands_most)
        return err_set(err, ERR_INVALID, "usage", "\"%s\" is one argument too many",
                       inv->operands[inv->command->operands_most]);
    return 0;
}

static bool wants_help(int argc, char *const *argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

// Of a command, of those that begin with a word, or of all.
static int print_help(const struct command *c, str group)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    if (c)
        command_help(&out, c);
    else if (!command_list(&out, group)) {
        buf_clear(&out);
        command_list(&out, (str){ 0 });
    }
    int status = command_print(&out);
    buf_free(&out);
    return status;
}

int command_main(int argc, char *const *argv, char *const *environment)
{
    static struct invocation inv; // 40 KiB: not for the stack
    struct err err;
    struct buf odd;
    int words = 0;
    if (argc == 0) {
        print_help(NULL, (str){ 0 });
        return EXIT_USAGE;
    }
    if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0)
        return print_help(argc > 1 ? find_command(argc - 1, argv + 1, &words) : NULL,
                          argc > 1 ? str_z(argv[1]) : (str){ 0 });
    static char version_word[] = "version";
    static char *const version_words[] = { version_word, NULL };
    if (strcmp(argv[0], "--version") == 0)
        argv = version_words;
    const struct command *c = find_command(argc, argv, &words);
    if (!c)
        return argc > 1 && wants_help(argc, argv) ? print_help(NULL, str_z(argv[0])) : unknown_command(argc, argv);
    if (wants_help(argc - words, argv + words))
        return print_help(c, (str){ 0 });
    memset(&inv, 0, sizeof inv);
    inv.command = c;
    config_init(&inv.config);
    if (read_arguments(&inv, argc - words, argv + words, &err) < 0)
        return usage_error(c, &err);
    buf_init(&odd, 4096);
    int r = config_complete(&inv.config, environment, &odd, &err);
    if (odd.len)
        fprintf(stderr, "clew: unknown in the environment: %.*s\n", (int)odd.len, (const char *)odd.ptr);
    buf_free(&odd);
    if (r < 0) {
        command_fail(&err);
        return EXIT_USAGE;
    }
    return c->run(&inv);
}
