// All subcommands. The names and options are a stable interface: scripts rely on them.
#include "main/command.h"

#define OPTION_JSON                            \
    {                                          \
        "json", NULL, "NDJSON, one row a line" \
    }
#define OPTION_RANGE                                                                                   \
    { "from", "TIME", "begin of the range: -1h, now/d, 2026-01-01T00:00:00Z (default: an hour ago)" }, \
    {                                                                                                  \
        "to", "TIME", "end of the range (default: now)"                                                \
    }

// clang-format off
const struct command commands[] = {
    { "serve", "", "run the server",
      "Prints the address with a one-time sign-in link, the DSN and the OTLP settings. SIGTERM or Ctrl-C finishes what was accepted and ends with status 0.",
      CONFIG_SERVE, 0, 0, { { 0 } }, command_serve },
    { "query", "QUERY", "run a query: clew query 'spans service=checkout status=error'",
      "A table on a terminal, NDJSON otherwise or with --json. The language is described in docs/query.md.",
      CONFIG_CLIENT, 1, 1,
      { OPTION_JSON, OPTION_RANGE, { "limit", "N", "most rows" }, { "tz", "ZONE", "time zone of days and weeks (Europe/Berlin)" },
        { "table", NULL, "a table also when the output is no terminal" } },
      command_query },
    { "tail", "[FILTER]", "records as they arrive: clew tail 'logs level>=warn'", NULL,
      CONFIG_CLIENT, 0, 1, { OPTION_JSON }, command_tail },
    { "trace", "ID", "a trace as a tree, with its errors and logs in place", NULL,
      CONFIG_CLIENT, 1, 1,
      { { "json", NULL, "the trace (with --critical: the path) as JSON" },
        { "critical", NULL, "mark the critical path, and show time by service" } },
      command_trace },
    { "event", "ID|ISSUE", "an error event: exceptions with source and locals, breadcrumbs, tags", "Of an issue (42 or SHOP-42) its latest.",
      CONFIG_CLIENT, 1, 1, { { "json", NULL, "the event as JSON" } }, command_event },
    { "services", "", "services with rate, errors, p50 and p95, worst first",
      "Counted as records arrive: costs the same however many there are.",
      CONFIG_CLIENT, 0, 0,
      { OPTION_JSON, OPTION_RANGE, { "project", "NAME", "only this project" }, { "environment", "NAME", "only this environment" } },
      command_services },
    { "map", "", "who calls whom, with rate, errors, p50 and p95", NULL,
      CONFIG_CLIENT, 0, 0,
      { OPTION_JSON, OPTION_RANGE, { "project", "NAME", "only this project" }, { "environment", "NAME", "only this environment" } },
      command_map },
    { "releases", "[TEXT]", "releases of projects, newest first: clew releases shop@2",
      "With a text: those whose version holds it. `sentry-cli releases` makes and changes them; so does the first event or session that names one. Adoption and crash-free sessions are of the range, or of the last 24 hours.",
      CONFIG_CLIENT, 0, 1,
      { OPTION_JSON, { "from", "TIME", "only with an event, or made or released, since then" }, { "to", "TIME", "and before then" },
        { "project", "NAME", "only this project" }, { "environment", "NAME", "sessions of this environment only" },
        { "sort", "ORDER", "date (default), version, event" }, { "limit", "N", "most rows (default: 100)" } },
      command_releases },
    { "token add", "NAME", "make a token and print it, once",
      "Scopes: ingest, read, values, probe, probe_prod, patch, admin. The default is read.",
      CONFIG_DATADIR, 1, 1,
      { { "scope", "SCOPE[,SCOPE]", "what it may do (default: read)" }, { "project", "NAME", "only this project (default: all)" },
        { "ttl", "TIME", "ends after this time: 30d (default: never)" } },
      command_token_add },
    { "token ls", "", "tokens: number, scopes, project, last use", NULL, CONFIG_DATADIR, 0, 0, { OPTION_JSON }, command_token_ls },
    { "token rm", "NAME|#NUMBER", "revoke a token at once", NULL, CONFIG_DATADIR, 1, 1, { { 0 } }, command_token_rm },
    { "project add", "NAME", "make a project", NULL, CONFIG_DATADIR, 1, 1, { { 0 } }, command_project_add },
    { "project ls", "", "projects", NULL, CONFIG_DATADIR, 0, 0, { OPTION_JSON }, command_project_ls },
    { "project dsn", "NAME", "print the DSN for Sentry's SDKs", NULL, CONFIG_DATADIR | CONFIG_SERVE, 1, 1, { { 0 } }, command_project_dsn },
    { "project repo", "add|ls|rm ...", "git repositories on this machine with a project's code",
      "clew project repo add PROJECT PATH [--prefix DIRECTORY], ls [PROJECT], rm PROJECT PATH\n"
      "Source lines of frames that came without any, and the commit that last wrote the line of an error, are read in them, at the\n"
      "commit or tag of the event's release, else at HEAD. Whoever may read the project may so read its code. The server only\n"
      "reads: a read-only mount will do. --prefix is the directory that stands before the paths of frames.",
      CONFIG_DATADIR, 1, 3, { OPTION_JSON, { "prefix", "DIRECTORY", "where the frames' paths begin in the repository" } }, command_project_repo },
    { "user add", "NAME", "add a user and print an invitation, once",
      "Scopes: ingest, read, values, probe, probe_prod, patch, admin. The default is read. The invitation is a link with which the person sets a password; it is good once, for 7 days.",
      CONFIG_DATADIR | CONFIG_SERVE, 1, 1, { { "scope", "SCOPE[,SCOPE]", "what the user may do (default: read)" } }, command_user_add },
    { "user ls", "", "users: scopes, state, open sessions", NULL, CONFIG_DATADIR, 0, 0, { OPTION_JSON }, command_user_ls },
    { "user rm", "NAME", "remove a user and end what is open", "The last user who may administer cannot be removed. Tokens that the user has made stay.", CONFIG_DATADIR, 1, 1, { { 0 } }, command_user_rm },
    { "user link", "NAME", "print a link with which the user sets a new password", "Good once, for a day (for who has not come yet: an invitation, for 7 days). `clew login-link` prints one that signs in without a password.",
      CONFIG_DATADIR | CONFIG_SERVE, 1, 1, { { 0 } }, command_user_link },
    { "login-link", "[USER]", "print a one-time sign-in link, good for 10 minutes", "A new link revokes the user's older one. The default user is admin.",
      CONFIG_DATADIR | CONFIG_SERVE, 0, 1, { { 0 } }, command_login_link },
    { "audit verify", "", "check the hash chain of the audit trail", "Prints the number of entries and the newest hash. Keep that hash elsewhere and give it as --head later.",
      CONFIG_DATADIR, 0, 0, { { "head", "HASH", "a hash printed earlier that the trail must still hold" } }, command_audit_verify },
    { "demo", "", "run the demo shop against the server", NULL, CONFIG_CLIENT, 0, 0, { { 0 } }, command_demo },
    { "doctor", "", "what works on this host, and why not", "Of a running server also: which senders were lately refused, why, and what to do. Status 1 if something of the host fails.", CONFIG_SERVE, 0, 0, { { 0 } }, command_doctor },
    { "config explain", "[KEY]", "settings: meaning, default, flag, environment name, value now", NULL,
      CONFIG_SERVE | CONFIG_CLIENT | CONFIG_DATADIR, 0, 1, { { 0 } }, command_config_explain },
    { "config manual", "", "the settings as a section of the manual page (mdoc)", NULL, 0, 0, 0, { { 0 } }, command_config_manual },
    { "completion", "bash|zsh|fish", "tab completion: source <(clew completion bash)", NULL, 0, 1, 1, { { 0 } }, command_completion },
    { "version", "", "version", NULL, 0, 0, 0, { { 0 } }, command_version },
};
// clang-format on
const size_t commands_n = sizeof commands / sizeof commands[0];
