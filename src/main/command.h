// Subcommands: their names, options and help in tables, one parser for all. Exit status: 0 done,
// 1 failed, 2 usage. What a script needs goes to standard output alone, the rest to standard error.
#pragma once
#include "main/config.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };
enum { COMMAND_OPTIONS_MAX = 28, COMMAND_OPERANDS_MAX = 16, COMMAND_GIVEN_MAX = 64 };

struct invocation;

struct command_option {
    const char *name;     // without dashes
    const char *argument; // NULL: a switch
    const char *doc;
};

struct command {
    const char *name;     // "serve", "token add"
    const char *operands; // "NAME [FILE]", as help shows it
    const char *summary;  // one line
    const char *doc;      // more, may be NULL
    unsigned who;         // enum config_who: which settings are flags of it
    int operands_least, operands_most;
    struct command_option options[COMMAND_OPTIONS_MAX];
    int (*run)(struct invocation *inv);
};
extern const struct command commands[];
extern const size_t commands_n;

struct invocation {
    const struct command *command;
    struct config config;
    const char *option_values[COMMAND_OPTIONS_MAX]; // NULL: not given; "" for a switch
    struct {
        int option;
        const char *value;
    } given[COMMAND_GIVEN_MAX]; // every one, in the order of the command line
    int given_n;
    const char *operands[COMMAND_OPERANDS_MAX];
    int operands_n;
};

// Value of an option of the command's table, NULL when it was not given.
const char *invocation_option(const struct invocation *inv, const char *name);
// Of one that may be given several times: its n-th value (from 0), NULL behind the last.
const char *invocation_option_n(const struct invocation *inv, const char *name, int n);

// Finds the command, reads options, settings, operands, and runs it. Returns the exit status.
int command_main(int argc, char *const *argv, char *const *environment);
void command_help(struct buf *out, const struct command *c);
// All commands, or those whose first word is `group`; false: there are none.
bool command_list(struct buf *out, str group);

// "clew: message", the place and the hint, on standard error; control characters escaped. Returns EXIT_FAILED.
int command_fail(const struct err *err);
// Whole text to standard output; EXIT_DONE, or EXIT_FAILED when it cannot be written.
int command_print(const struct buf *out);

int command_serve(struct invocation *inv);
int command_agent(struct invocation *inv);
int command_agent_status(struct invocation *inv);
int command_agents(struct invocation *inv);
int command_agents_token(struct invocation *inv);
int command_agents_tokens(struct invocation *inv);
int command_agents_revoke(struct invocation *inv);
int command_agents_rm(struct invocation *inv);
int command_probe_add(struct invocation *inv);
int command_probe_ls(struct invocation *inv);
int command_probe_show(struct invocation *inv);
int command_probe_rm(struct invocation *inv);
int command_probe_pause(struct invocation *inv);
int command_probe_resume(struct invocation *inv);
int command_probe_tail(struct invocation *inv);
int command_snapshots(struct invocation *inv);
int command_snapshot(struct invocation *inv);
int command_query(struct invocation *inv);
int command_tail(struct invocation *inv);
int command_trace(struct invocation *inv);
int command_event(struct invocation *inv);
int command_issues(struct invocation *inv);
int command_issue(struct invocation *inv);
int command_issue_resolve(struct invocation *inv);
int command_issue_archive(struct invocation *inv);
int command_issue_reopen(struct invocation *inv);
int command_issue_assign(struct invocation *inv);
int command_issue_merge(struct invocation *inv);
int command_services(struct invocation *inv);
int command_map(struct invocation *inv);
int command_releases(struct invocation *inv);
int command_token_add(struct invocation *inv);
int command_token_ls(struct invocation *inv);
int command_token_rm(struct invocation *inv);
int command_project_add(struct invocation *inv);
int command_project_ls(struct invocation *inv);
int command_project_dsn(struct invocation *inv);
int command_project_repo(struct invocation *inv);
int command_user_add(struct invocation *inv);
int command_user_ls(struct invocation *inv);
int command_user_rm(struct invocation *inv);
int command_user_link(struct invocation *inv);
int command_login_link(struct invocation *inv);
int command_audit_verify(struct invocation *inv);
int command_config_explain(struct invocation *inv);
int command_config_manual(struct invocation *inv);
int command_completion(struct invocation *inv);
int command_version(struct invocation *inv);
int command_doctor(struct invocation *inv);
int command_demo(struct invocation *inv);
