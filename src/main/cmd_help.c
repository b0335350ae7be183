// config, version, completion: commands that only say something.
#include "main/command.h"

#include <stdio.h>

extern char **environ;

int command_version(struct invocation *inv)
{
    printf("clew %s\n", CLEW_VERSION);
    return EXIT_DONE;
}

int command_config_explain(struct invocation *inv)
{
    struct buf out;
    struct err err;
    int id = -1;
    if (inv->operands_n) {
        str key = str_z(inv->operands[0]);
        if (str_starts(key, STR("--")))
            key = str_slice(key, 2, key.len);
        id = config_find(key, &err);
        if (id < 0) {
            command_fail(&err);
            return EXIT_USAGE;
        }
    }
    buf_init(&out, 1 << 20);
    config_explain(&out, &inv->config, id);
    int status = command_print(&out);
    buf_free(&out);
    return status;
}

int command_config_manual(struct invocation *inv)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    config_manual(&out);
    int status = command_print(&out);
    buf_free(&out);
    return status;
}
