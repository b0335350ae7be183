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

#define SCOPES_HELP                                                                                                   \
    "Scopes: ingest (send records), read (query them), values (read what was captured of variables: each time is "    \
    "entered in the\n"                                                                                                \
    "audit trail), probe (place probes, except in production), probe_prod (there, too), patch (change running code; " \
    "not built yet),\n"                                                                                               \
    "admin (users, tokens, projects, agents, settings). The default is read."

// clang-format off
const struct command commands[] = {
    { "serve", "", "run the server",
      "Prints the address with a one-time sign-in link, the DSN and the OTLP settings. SIGTERM or Ctrl-C finishes what was accepted and ends with status 0.",
      CONFIG_SERVE, 0, 0, { { 0 } }, command_serve },
    { "agent status", "", "what the agent on this host does", NULL, 0, 0, 0, { { "state", "DIR", "its state directory" } }, command_agent_status },
    { "agent", "", "the host agent: live debugging of what runs here: clew agent --server URL --token ENROLMENT",
      "Finds processes, attaches when somebody places a probe, sends what it captures. With --token (an enrolment, good once) it enrols first.\n"
      "As root it reaches all users' processes; the part that speaks with the server has no privileges. /etc/clew/agent.conf beats the server:\n"
      "lines of `users`, `services`, `environments`, `cgroups = NAME,..` (in which probes may be placed: with *, with ! before what is left out, - is\n"
      "without a name), `values = full|shapes` (types and sizes alone), `shapes-services`, `shapes-environments = NAME,..`, `patch = off`.\n"
      "SIGHUP reads it again, for what is attached, too.",
      CONFIG_CLIENT, 0, 0,
      { { "policy", "FILE", "the host's policy (default: /etc/clew/agent.conf if there is one)" },
        { "state", "DIR", "host key, spool, status (default: /var/lib/clew-agent for root)" } },
      command_agent },
    { "agents token", "[NAME]", "print a token that enrols one host, good once, for an hour", "Given to `clew agent --server URL --token TOKEN` there. Needs a token with the scope admin (CLEW_TOKEN).",
      CONFIG_CLIENT, 0, 1, { { 0 } }, command_agents_token },
    { "agents tokens", "", "enrolment tokens that can be used still", "Needs a token with the scope admin (CLEW_TOKEN).",
      CONFIG_CLIENT, 0, 0, { OPTION_JSON }, command_agents_tokens },
    { "agents revoke", "TOKEN...", "take enrolment tokens back: no host is enrolled with them any more", "By their ids, as `clew agents tokens` has them: e3. Needs a token with the scope admin (CLEW_TOKEN).",
      CONFIG_CLIENT, 1, COMMAND_OPERANDS_MAX, { { 0 } }, command_agents_revoke },
    { "agents rm", "AGENT...", "take hosts' agents away: they remove every probe at once", "Needs a token with the scope admin (CLEW_TOKEN).",
      CONFIG_CLIENT, 1, COMMAND_OPERANDS_MAX, { { 0 } }, command_agents_rm },
    { "agents", "", "hosts with an agent: connected, processes, cost, policy", "The policy is in the words of the host's agent.conf: services=shop-*,!shop-payments; `all` leaves nothing out.",
      CONFIG_CLIENT, 0, 0, { OPTION_JSON, { "services", NULL, "the services that run there instead, which probes name" } }, command_agents },
    { "probe add", "[SERVICE] [FILE:LINE]", "place a probe in what runs: clew probe add checkout orders.py:42 --if 'order.total > 100'",
      "Prints the probe's id. On a terminal, and with --wait, says when it is installed or why it is refused (status 1).\n"
      "FUNCTION() or FILE:FUNCTION() instead of FILE:LINE: at its entry, with --exit or --throw where it ends. With --exception or --uncaught:\n"
      "where exceptions are raised, or end what nobody catches, anywhere or in FILE, FUNCTION() or FILE:FUNCTION(): clew probe add checkout --exception\n"
      "ValueError; each capture makes an issue where no SDK of Sentry reports. With --metric hits are counted, with --timer calls of a function are\n"
      "measured, both in the metric of that name; they have no limit of hits. Expressions are described in docs/probes.md; they never call the program.\n"
      "Needs the scope probe, in production probe_prod: a token that has it (CLEW_TOKEN), or the data directory of a server on this machine.",
      CONFIG_CLIENT, 0, 2,
      { { "service", "NAME", "the service, where it is not the first word" }, { "exception", "TYPE", "where an exception of this type, or one built on it, is raised; '*': of any" },
        { "uncaught", NULL, "only what nobody catches (alone: of any type)" }, { "exit", NULL, "where FUNCTION() ends, by a return or an exception" },
        { "throw", NULL, "where an exception leaves FUNCTION()" }, { "if", "EXPR", "only when this is true: 'order.total > 100'" },
        { "capture", "EXPR", "this, too; may be given several times" }, { "log", "TEMPLATE", "a log line instead of a snapshot: 'total {order.total}'" },
        { "level", "LEVEL", "of the log line (default: info)" }, { "metric", "NAME", "count hits in this metric instead" },
        { "as", "KIND", "count, gauge or histogram (default: count, with --value histogram)" }, { "value", "EXPR", "what is counted up, or measured: 'order.total'" },
        { "by", "[NAME=]EXPR", "a series for each of its values: 'tier=order.tier'; may be given several times" }, { "timer", NULL, "measure how long calls of FUNCTION() take" }, { "hit", "N", "==3, >=3 or %3: the third, from the third on, every third" },
        { "hits", "N", "at most so many captures (default: 20)" }, { "rate", "N", "so many a second and process (default: 1)" },
        { "keep", "WHICH", "only of traces that fail (trace_error), or take so long (trace_slow=500ms): decided when they have ended" },
        { "ttl", "TIME", "ends after this time (default: 30m)" }, { "depth", "N", "levels of objects (default: 3)" },
        { "version", "VERSION", "only this version" }, { "environment", "NAME", "only this environment" }, { "host", "NAME", "only this host" },
        { "instances", "N|N%", "only so many of them (default: all)" }, { "project", "NAME", "whose it is (default: default)" },
        { "wait", NULL, "wait until it is installed or refused" }, { "no-wait", NULL, "do not, also on a terminal" }, { "json", NULL, "the probe as JSON" } },
      command_probe_add },
    { "probe ls", "", "probes: state, place, hits", NULL, CONFIG_CLIENT, 0, 0,
      { OPTION_JSON, { "service", "NAME", "only this service" }, { "project", "NAME", "only this project" }, { "all", NULL, "those too that have ended" } },
      command_probe_ls },
    { "probe show", "PROBE", "a probe, and what became of it in each process", NULL, CONFIG_CLIENT, 1, 1, { { "json", NULL, "the probe as JSON" } }, command_probe_show },
    { "probe rm", "[PROBE...]", "remove probes; with --all every one, at once", "With --service or --all prints how many.",
      CONFIG_CLIENT, 0, COMMAND_OPERANDS_MAX, { { "service", "NAME", "all of this service" }, { "all", NULL, "all" } }, command_probe_rm },
    { "probe pause", "PROBE...", "take probes out for a while", NULL, CONFIG_CLIENT, 1, COMMAND_OPERANDS_MAX, { { 0 } }, command_probe_pause },
    { "probe resume", "PROBE...", "and put them in again", NULL, CONFIG_CLIENT, 1, COMMAND_OPERANDS_MAX, { { 0 } }, command_probe_resume },
    { "probe tail", "[PROBE...]", "captures as they come", "JSON, one a line, unless the output is a terminal.", CONFIG_CLIENT, 0, COMMAND_OPERANDS_MAX,
      { { "json", NULL, "JSON also on a terminal" }, { "service", "NAME", "only this service" } }, command_probe_tail },
    { "snapshots", "", "what probes have captured, newest first", "More with queries: clew query 'snapshots vars.order.total>100'.",
      CONFIG_CLIENT, 0, 0,
      { OPTION_JSON, OPTION_RANGE, { "probe", "PROBE", "of this probe" }, { "trace", "ID", "in this trace" }, { "service", "NAME", "of this service" }, { "limit", "N", "most rows" } },
      command_snapshots },
    { "snapshot", "ID", "a snapshot: its stack, with the variables as a tree", "Needs the scope values; that they were read is in the audit trail.",
      CONFIG_CLIENT, 1, 1, { { "json", NULL, "the snapshot as JSON" } }, command_snapshot },
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
    { "issues", "[QUERY]", "what is wrong, worst first: clew issues 'issues state=(new,regressed)'",
      "Of a query the filters count. --sort: priority (default), last, first, events, users, trend.",
      CONFIG_CLIENT, 0, 1,
      { OPTION_JSON, { "from", "TIME", "begin of the range: -24h, 2026-01-01T00:00:00Z" }, { "to", "TIME", "end of the range (default: now)" },
        { "project", "NAME", "only this project" }, { "environment", "NAME", "only this environment" },
        { "sort", "ORDER", "what comes first" }, { "limit", "N", "most rows (default: 50)" } },
      command_issues },
    { "issue resolve", "ISSUE...", "resolve issues: clew issue resolve SHOP-42 --release shop@1.2.0",
      "An event from behind the fix makes it regressed. Needs a token with the scope admin (CLEW_TOKEN), as all changes do.",
      CONFIG_CLIENT, 1, COMMAND_OPERANDS_MAX,
      { { "release", "VERSION", "fixed in this release: older ones may still have it" }, { "next-release", NULL, "fixed in the one after the newest" },
        { "commit", "ID", "fixed in the release that this commit comes with" } },
      command_issue_resolve },
    { "issue archive", "ISSUE...", "put issues aside until they escalate, or until what is said", NULL,
      CONFIG_CLIENT, 1, COMMAND_OPERANDS_MAX,
      { { "until", "TIME", "until then: 2026-01-01T00:00:00Z" }, { "events", "N", "until so many more events" }, { "users", "N", "until so many more users" },
        { "forever", NULL, "for good" } },
      command_issue_archive },
    { "issue reopen", "ISSUE...", "make issues ongoing again", NULL, CONFIG_CLIENT, 1, COMMAND_OPERANDS_MAX, { { 0 } }, command_issue_reopen },
    { "issue assign", "ISSUE...", "assign issues: clew issue assign SHOP-42 --user ada", "Without --user and --team: to nobody.",
      CONFIG_CLIENT, 1, COMMAND_OPERANDS_MAX, { { "user", "NAME", "to this user" }, { "team", "NAME", "to this team" } }, command_issue_assign },
    { "issue merge", "ISSUE ISSUE...", "make one of several; the oldest takes the others", NULL, CONFIG_CLIENT, 2, COMMAND_OPERANDS_MAX, { { 0 } }, command_issue_merge },
    { "issue", "ISSUE", "an issue: state, figures, releases, what was done, its latest event", "42 or SHOP-42.",
      CONFIG_CLIENT, 1, 1, { { "json", NULL, "the issue as JSON" } }, command_issue },
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
      "With a text: those whose version holds it. `sentry-cli releases` makes them; so does the first event or session that names one. Adoption and crash-free sessions: of the last 24 hours without a range.",
      CONFIG_CLIENT, 0, 1,
      { OPTION_JSON, { "from", "TIME", "only with an event, or made or released, since then" }, { "to", "TIME", "and before then" },
        { "project", "NAME", "only this project" }, { "environment", "NAME", "sessions of this environment only" },
        { "sort", "ORDER", "date (default), version, event" }, { "limit", "N", "most rows (default: 100)" } },
      command_releases },
    { "token add", "NAME", "make a token and print it, once", SCOPES_HELP,
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
      SCOPES_HELP "\nThe invitation is a link with which the person sets a password; it is good once, for 7 days.",
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
